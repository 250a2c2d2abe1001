//! One state of the world, small enough that millions of them fit into memory.
//!
//! Time is counted in epochs of 30 s: the look-ups' spacing is one epoch, a create's deadline (20 s) is over in the
//! next one, and an unclear create may be given up (deadline + 60 s) in the third after its mark.
//!
//! A world has room for `N` objects of ours and `R` on the platform; what they are is in the [`Variant`].

use tiktok_ads_operator::platform::Kind;

use super::variant::Variant;

/// Seconds in an epoch.
pub const EPOCH: i64 = 30;
/// An effect that is late comes at the latest this many epochs after its mark: just before `deadline + 60 s` (R11).
pub const LATEST: u8 = 2;

/// The parts of a record that this search moves; the rest is the same in every record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Rec {
    pub seq: u8,
    pub counter: u8,
    pub attempt: u8,
    /// It has a key (adopted objects and spent keys have none).
    pub keyed: bool,
    pub since: Option<u8>,
    pub mark: Option<u8>,
    pub id: Option<u8>,
    /// The row that it is in.
    pub parent: Option<u8>,
    pub adopted: bool,
    pub seen_on: bool,
    pub held_off: bool,
}

/// A CR, as the API server has it or as somebody once saw it. Equal content is the same version: a record's number
/// rises with each write, a spec changes once, and nobody takes a deletion back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Obj {
    /// Which object of this name it is: 0 none, 1 the first, 2 its successor.
    pub uid: u8,
    pub deleting: bool,
    pub finalizer: bool,
    /// How often its spec was changed.
    pub edits: u8,
    pub rec: Option<Rec>,
}

/// Who made a row: CR and uid; `None` for a stranger.
pub type Maker = Option<(u8, u8)>;

/// An object on the platform.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Row {
    pub there: bool,
    pub kind: Kind,
    pub by: Maker,
    /// The row that it is in.
    pub parent: Option<u8>,
    /// The counter in the key it was made with.
    pub counter: u8,
    /// Which name it has.
    pub name: u8,
    pub created: u8,
    /// It, or what it is in, is deleted.
    pub deleted: bool,
    pub on: bool,
    /// Which bid it has, where bids are searched.
    pub bid: u8,
}

/// No row.
pub const NO_ROW: Row = Row {
    there: false,
    kind: Kind::Campaign,
    by: None,
    parent: None,
    counter: 0,
    name: 0,
    created: 0,
    deleted: false,
    on: false,
    bid: 0,
};

/// A create whose effect has not come yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Late {
    pub row: Row,
    pub at_latest: u8,
}

/// What a replica knows of one row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Cell {
    #[default]
    Never,
    /// Seen on the platform.
    Live(Shown),
    /// Seen once, then written to without a clear answer.
    Doubt,
    /// Seen once; the last list did not show it.
    Unlisted,
    Deleted,
}

/// How a row looked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Shown {
    /// As in `Seen`.
    pub read_back: bool,
    /// The epoch it was read in, if that was after a CR began to end (nobody asks for the time of an earlier reading).
    pub at: u8,
    pub on: bool,
    pub bid: u8,
    /// By a look-up for itself that nothing was written since (R15).
    pub looked_up: bool,
}

/// What the process knows of its marked create.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Att {
    #[default]
    None,
    Unsent,
    Unclear,
    Made(u8),
    /// The answer showed an object that is deleted: a replayed key.
    MadeDeleted(u8),
    Refused,
}

/// What a call in flight will be answered with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Answer {
    Row(u8),
    /// The same, of an object that is deleted: a replayed key.
    DeletedRow(u8),
    /// The connection breaks, or the answer does not show it: nobody knows.
    Nothing,
    /// An error that says that nothing was acted upon.
    NotSent,
    /// The key was used before (R10).
    Duplicate,
    /// TikTok does not want it. Said of several at once it says nothing of one.
    Refused,
}

/// Where the turn of one CR waits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Phase {
    #[default]
    Idle,
    /// Its create goes out with others, and is not marked yet.
    Batched,
    /// The API server took the mark; its answer, this copy, is still on the way.
    Marked { copy: Obj, together: bool },
    /// Marked and planned again; it waits for the others of its call.
    Announced(Rec),
    /// The create is with the platform, in one call with these CRs (one bit each).
    Calling { answer: Answer, with: u8 },
}

/// What a process remembers of one CR.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Memo {
    pub uid: u8,
    pub seq: u8,
    pub core: Core,
    /// Counter and attempt that `core.att` speaks of.
    pub of: Option<(u8, u8)>,
    /// R11: a create together with others was refused or lost: it goes alone from now on.
    pub alone: bool,
    /// R1: the record said that it was seen on.
    pub seen_on: bool,
    /// The edits that corrections and refusals are counted for.
    pub edits: u8,
    pub phase: Phase,
}

/// The part of a [`Memo`] that plans read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Core {
    pub att: Att,
    /// First and last look-up for the outstanding create that did not find it (those between prove nothing more).
    pub absence: Option<(u8, u8)>,
    /// Rows that fit the outstanding create, one bit each.
    pub found: u8,
    pub key_used: bool,
    /// TikTok refused to make it there.
    pub refused: Option<Place>,
    /// The name was read, in this parent, after the question came up.
    pub name_read: Option<Place>,
    pub ending: Option<u8>,
    /// It was switched off although its spec says Active.
    pub paused: bool,
    pub corrections: u8,
}

/// Where a name was looked for, or something was to be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Place {
    Account,
    In(u8),
}

impl Place {
    pub fn of(parent: Option<u8>) -> Self {
        parent.map_or(Self::Account, Self::In)
    }
}

/// What a replica has of the lease.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Lease {
    Leads,
    /// It led; what it has in hand is still going on.
    Lost,
    #[default]
    Never,
}

/// One process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Replica<const N: usize, const R: usize> {
    pub lease: Lease,
    pub copies: [Obj; N],
    /// What the watch delivered last: it does not deliver it again.
    pub seen: [Obj; N],
    pub memos: [Memo; N],
    pub table: [Cell; R],
}

impl<const N: usize, const R: usize> Replica<N, R> {
    /// A process that has just listed our objects.
    pub fn new(objs: [Obj; N]) -> Self {
        Self {
            lease: Lease::Never,
            copies: objs,
            seen: objs,
            memos: [Memo::default(); N],
            table: [Cell::Never; R],
        }
    }
}

/// What the properties need of the past. No transition reads it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ghost {
    /// Counter, attempt and parent of the last mark that the API server took and whose create was not sent.
    pub marked: Option<(u8, u8, Option<u8>)>,
    /// Epoch of the mark whose create was sent and whose outcome is not settled.
    pub open: Option<u8>,
    /// R11: the first look-up since, and whether a second one proved the absence.
    pub looked: Option<u8>,
    pub proven: bool,
    /// R1: somebody switched it off on the platform.
    pub off_outside: Outside,
}

/// R1: what somebody outside did since we last switched it, or tried to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Outside {
    #[default]
    Nothing,
    /// Switched it off, before the record said that it was seen on.
    Off,
    /// The same after it: nobody but a person may switch it on again.
    Minded,
}

/// How much may still go wrong, or be done by people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Left {
    pub crashes: u8,
    /// Answers without a clear outcome, and refusals.
    pub unclear: u8,
    /// Changes of the lease without a crash.
    pub moves: u8,
    /// Epochs that pass while the answer to a mark is on the way (a frozen process).
    pub freezes: u8,
    /// CRs that a user deletes, and objects of a name made anew after it.
    pub deletes: u8,
    pub again: u8,
    /// Objects that somebody deletes, or switches off, on the platform.
    pub deletes_outside: u8,
    pub pauses_outside: u8,
    /// Changes of the connection's ceilings: gone, back again.
    pub caps: u8,
    /// Changes of a spec.
    pub edits: u8,
}

/// Nothing goes wrong, nobody does anything.
pub const NOTHING: Left = Left {
    crashes: 0,
    unclear: 0,
    moves: 0,
    freezes: 0,
    deletes: 0,
    again: 0,
    deletes_outside: 0,
    pauses_outside: 0,
    caps: 0,
    edits: 0,
};

/// Everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct World<const N: usize, const R: usize> {
    pub now: u8,
    pub objs: [Obj; N],
    pub rows: [Row; R],
    pub late: [Option<Late>; 2],
    pub reps: [Replica<N, R>; 2],
    pub ghost: [Ghost; N],
    /// The connection has ceilings, so things may be switched on.
    pub caps: bool,
    pub left: Left,
}

impl<const N: usize, const R: usize> World<N, R> {
    /// The first state: the CRs are there, settled ones with what they stand for, and nobody leads.
    pub fn start(variant: &Variant<N>) -> Self {
        let mut world = Self {
            now: 1,
            objs: [Obj::default(); N],
            rows: [NO_ROW; R],
            late: [None; 2],
            reps: [Replica::new([Obj::default(); N]); 2],
            ghost: [Ghost::default(); N],
            caps: true,
            left: variant.left,
        };
        for (cr, of) in variant.crs.iter().enumerate() {
            if of.absent {
                continue;
            }
            world.objs[cr].uid = 1;
            if !of.settled {
                continue;
            }
            let parent = of
                .parent
                .and_then(|p| world.objs[p].rec)
                .and_then(|rec| rec.id);
            let id = world.add(Row {
                there: true,
                kind: of.kind,
                by: Some((cr as u8, 1)),
                parent,
                name: of.name,
                created: 1,
                on: of.active,
                ..NO_ROW
            });
            world.objs[cr].finalizer = true;
            world.objs[cr].rec = Some(Rec {
                seq: 1,
                counter: 0,
                attempt: 1,
                keyed: true,
                since: Some(1),
                mark: None,
                id: Some(id),
                parent,
                adopted: false,
                seen_on: of.active,
                held_off: false,
            });
        }
        if variant.stranger {
            world.add(Row {
                there: true,
                ..NO_ROW
            });
        }
        world.reps = [Replica::new(world.objs); 2];
        world
    }

    /// Both replicas are alike: the order in which they are listed means nothing. And who has the newest copy, from the
    /// answer to its own write, gains nothing from the watch.
    #[must_use]
    pub fn canonical(mut self) -> Self {
        for rep in &mut self.reps {
            for cr in 0..N {
                if rep.copies[cr] == self.objs[cr] {
                    rep.seen[cr] = self.objs[cr];
                }
            }
        }
        if self.reps[1] < self.reps[0] {
            self.reps.swap(0, 1);
        }
        self
    }

    /// Adds a row; its id.
    pub fn add(&mut self, row: Row) -> u8 {
        let Some(free) = self.rows.iter().position(|r| !r.there) else {
            panic!("more rows than the search has room for");
        };
        self.rows[free] = row;
        free as u8
    }

    /// The ids of the rows that fit.
    pub fn ids(&self, fits: impl Fn(&Row) -> bool) -> impl Iterator<Item = u8> {
        let rows = self.rows;
        (0..R as u8).filter(move |i| rows[*i as usize].there && fits(&rows[*i as usize]))
    }

    /// Is what a row would be made in there and not deleted?
    pub fn takes(&self, parent: Option<u8>) -> bool {
        parent.is_none_or(|p| !self.rows[p as usize].deleted)
    }

    /// Deletes a row and everything in it (reference 4.4, 5.4: what is in a deleted object is as good as deleted).
    pub fn delete(&mut self, id: u8) {
        self.rows[id as usize].deleted = true;
        for inner in 0..R as u8 {
            let row = self.rows[inner as usize];
            if row.there && !row.deleted && row.parent == Some(id) {
                self.delete(inner);
            }
        }
    }
}
