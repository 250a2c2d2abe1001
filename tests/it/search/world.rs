//! One state of the world, small enough that millions of them fit into memory.
//!
//! Time is counted in epochs of 30 s: the look-ups' spacing is one epoch, a create's deadline (20 s) is over in the
//! next one, and an unclear create may be given up (deadline + 60 s) in the third after its mark.

/// Platform rows in one state, at most.
pub const ROWS: usize = 5;
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
    pub adopted: bool,
}

/// A CR, as the API server has it or as somebody once saw it. Equal content is the same version: a record's number
/// rises with each write, and nobody takes a deletion back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Obj {
    /// Which object of this name it is: 0 none, 1 the first, 2 its successor.
    pub uid: u8,
    pub deleting: bool,
    pub finalizer: bool,
    pub rec: Option<Rec>,
}

/// Who made a row: CR and uid; `None` for a stranger.
pub type Maker = Option<(u8, u8)>;

/// A campaign on the platform.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Row {
    pub there: bool,
    pub by: Maker,
    /// The counter in the key it was made with.
    pub counter: u8,
    /// Which name it has.
    pub name: u8,
    pub created: u8,
    pub deleted: bool,
}

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
    /// Seen on the platform; `read_back` as in `Seen`, and the epoch it was read in if that was after a CR began to end
    /// (nobody asks for the time of an earlier reading).
    Live {
        read_back: bool,
        at: u8,
    },
    /// Seen once, then written to without a clear answer.
    Doubt,
    Deleted,
}

/// What the process knows of its marked create.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Att {
    #[default]
    None,
    Unsent,
    Unclear,
    Made(u8),
    /// The answer showed a campaign that is deleted: a replayed key.
    MadeDeleted(u8),
    Refused,
}

/// What a call in flight will be answered with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Answer {
    Row(u8),
    /// The same, of a campaign that is deleted: a replayed key.
    DeletedRow(u8),
    /// The connection breaks: nobody knows.
    Nothing,
    /// An error that says that nothing was acted upon.
    NotSent,
    /// The key was used before (R10).
    Duplicate,
}

/// Where the turn of one CR waits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Phase {
    #[default]
    Idle,
    /// The API server took the mark; its answer, this copy, is still on the way.
    Marked(Obj),
    /// The create is with the platform.
    Calling(Answer),
}

/// What a process remembers of one CR.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Memo {
    pub uid: u8,
    pub seq: u8,
    pub core: Core,
    /// Counter and attempt that `core.att` speaks of.
    pub of: Option<(u8, u8)>,
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
    /// The name was read in both trees after the question came up.
    pub name_read: bool,
    pub ending: Option<u8>,
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Replica {
    pub lease: Lease,
    pub copies: [Obj; 2],
    /// What the watch delivered last: it does not deliver it again.
    pub seen: [Obj; 2],
    pub memos: [Memo; 2],
    pub table: [Cell; ROWS],
}

/// What the properties need of the past. No transition reads it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ghost {
    /// Counter and attempt of the last mark that the API server took and whose create was not sent.
    pub marked: Option<(u8, u8)>,
    /// Epoch of the mark whose create was sent and whose outcome is not settled.
    pub open: Option<u8>,
    /// R11: the first look-up since, and whether a second one proved the absence.
    pub looked: Option<u8>,
    pub proven: bool,
}

/// How much may still go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
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
}

/// Everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct World {
    pub now: u8,
    pub objs: [Obj; 2],
    pub rows: [Row; ROWS],
    pub late: [Option<Late>; 2],
    pub reps: [Replica; 2],
    pub ghost: [Ghost; 2],
    pub left: Left,
}

impl World {
    /// Both replicas are alike: the order in which they are listed means nothing.
    #[must_use]
    pub fn canonical(mut self) -> Self {
        if self.reps[1] < self.reps[0] {
            self.reps.swap(0, 1);
        }
        self
    }

    /// Adds a row; its id.
    pub fn add(&mut self, row: Row) -> u8 {
        let Some(free) = self.rows.iter().position(|r| !r.there) else {
            panic!("more rows than the search has room for: raise ROWS");
        };
        self.rows[free] = row;
        free as u8
    }

    /// The ids of the rows that fit.
    pub fn ids(&self, fits: impl Fn(&Row) -> bool) -> impl Iterator<Item = u8> {
        let rows = self.rows;
        (0..ROWS as u8).filter(move |i| rows[*i as usize].there && fits(&rows[*i as usize]))
    }
}

/// How the platform treats a key it has seen (R10); all are knobs of the sandbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keys {
    /// Not at all: the hardest case.
    Ignored,
    /// The same key is answered with the same campaign.
    Replayed,
    /// The same key is refused.
    Refused,
}

/// One search.
#[derive(Clone, Copy, Debug)]
pub struct Variant {
    pub title: &'static str,
    pub same_name: bool,
    pub adopt: bool,
    /// Policy Delete; else what counts when nothing is said: Pause.
    pub delete: bool,
    pub stranger: bool,
    pub keys: Keys,
    /// How many of the two CRs there are.
    pub crs: usize,
    pub left: Left,
    /// The last epoch of the search; the runs without faults go on after it.
    pub until: u8,
}

impl Variant {
    /// Which name a CR wants.
    pub fn name(&self, cr: usize) -> u8 {
        if self.same_name { 0 } else { cr as u8 }
    }

    /// The first state: the CRs were just made, nobody leads.
    pub fn start(&self) -> World {
        let mut objs = [Obj::default(); 2];
        for obj in objs.iter_mut().take(self.crs) {
            obj.uid = 1;
        }
        let replica = Replica {
            copies: objs,
            seen: objs,
            ..Replica::default()
        };
        let mut world = World {
            now: 1,
            objs,
            rows: [Row::default(); ROWS],
            late: [None; 2],
            reps: [replica; 2],
            ghost: [Ghost::default(); 2],
            left: self.left,
        };
        if self.stranger {
            world.add(Row {
                there: true,
                ..Row::default()
            });
        }
        world
    }
}
