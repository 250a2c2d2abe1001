//! What a replica knows, as far as one plan reads it. Equal questions have equal answers, which are kept.

use tiktok_ads_operator::model::protocol::bars_name;
use tiktok_ads_operator::platform::Kind;

use super::facts::Planner;
use super::world::{Att, Cell, Core, NO_ROW, Obj, Place, Replica, Row, World};

/// Everything that a plan reads in this search.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Question<const N: usize, const R: usize> {
    pub cr: u8,
    pub now: u8,
    pub obj: Obj,
    pub core: Core,
    pub have: Option<(u8, Cell)>,
    /// Rows of the wanted name that the replica knows, and those another CR holds; one bit each.
    pub named: u8,
    pub held: u8,
    pub id_taken: bool,
    pub name_taken: bool,
    pub above: Above,
    /// The campaign's row, for what is in one, by our object; and by the row itself, for the ceiling.
    pub campaign: Option<Known>,
    pub bounds: Option<Known>,
    /// Something on the way to the connection is missing.
    pub cut_off: bool,
    pub caps: bool,
    /// The edits of the siblings that share a bid, and whether each leads.
    pub siblings: [Option<(u8, bool)>; N],
    /// The rows that are spoken of.
    pub rows: [Row; R],
}

/// What a CR is in, as `State::parent_view` has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Above {
    Account,
    Missing,
    Ending,
    NotMade,
    There(Known),
}

/// A row above, as last known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Known {
    pub id: u8,
    /// Has it been read, and is it deleted?
    pub read: bool,
    pub deleted: bool,
}

impl<const N: usize, const R: usize> Planner<N, R> {
    /// What replica `r` asks the model about `cr`.
    pub(super) fn question(&self, world: &World<N, R>, r: usize, cr: usize) -> Question<N, R> {
        let replica = &world.reps[r];
        let obj = replica.copies[cr];
        let memo = replica.memos[cr];
        let mine = obj.rec.and_then(|rec| rec.id);
        let asked = mine.or(made(memo.core.att));
        // As `Stores::rival_for_id` and `State::holder_of` have it.
        let id_taken = self.variant.others(cr).any(|other| {
            let theirs = replica.copies[other];
            let older = (theirs.uid, other) < (obj.uid, cr);
            let holds = theirs.uid > 0 && asked.is_some() && id_of(&theirs) == asked;
            holds && (mine.is_none() || older)
        });
        let above = self.above(replica, cr);
        let place = match above {
            Above::Account => Some(Place::Account),
            Above::There(known) => Some(Place::In(known.id)),
            _ => None,
        };
        let kind = self.variant.crs[cr].kind;
        let (mut named, mut held) = (0u8, 0u8);
        // The question has to be the one that was answered.
        let looked = place.is_some() && memo.core.name_read == place;
        if looked {
            let parent = match place {
                Some(Place::In(id)) => Some(id),
                _ => None,
            };
            let wanted = self.variant.name(cr);
            let fits = |row: &Row| row.kind == kind && row.name == wanted && row.parent == parent;
            for id in world.ids(fits) {
                if matches!(replica.table[id as usize], Cell::Live(_) | Cell::Doubt) {
                    named |= 1 << id;
                    let taken = self.variant.others(cr).any(|other| {
                        let theirs = replica.copies[other];
                        (theirs.uid > 0 && id_of(&theirs) == Some(id))
                            || made(replica.memos[other].core.att) == Some(id)
                    });
                    held |= u8::from(taken) << id;
                }
            }
        }
        let mut core = memo.core;
        core.name_read = core.name_read.filter(|_| looked);
        let campaign = self.variant.campaign(cr);
        let mut question = Question {
            cr: cr as u8,
            now: world.now,
            obj,
            core,
            have: mine.map(|id| (id, replica.table[id as usize])),
            named,
            held,
            id_taken,
            name_taken: self
                .variant
                .others(cr)
                .any(|other| self.rival(replica, cr, other)),
            above,
            campaign: id_of(&replica.copies[campaign]).map(|id| known(replica, id)),
            bounds: obj
                .rec
                .and_then(|rec| rec.parent)
                .filter(|_| kind == Kind::AdGroup)
                .map(|id| known(replica, id)),
            cut_off: obj.rec.is_none() && self.cut_off(replica, cr),
            caps: world.caps,
            siblings: self.siblings(replica, cr, above),
            rows: [NO_ROW; R],
        };
        // What the platform has now is not known, only what was read of it; and rows nobody speaks of do not matter.
        let spoken = named | core.found | bit(mine) | bit(made(core.att)) | above.bit();
        for id in (0..R as u8).filter(|id| spoken & (1 << id) != 0) {
            question.rows[id as usize] = Row {
                deleted: false,
                on: false,
                bid: 0,
                ..world.rows[id as usize]
            };
        }
        question
    }

    /// As `State::parent_view`.
    fn above(&self, replica: &Replica<N, R>, cr: usize) -> Above {
        let Some(parent) = self.variant.crs[cr].parent else {
            return Above::Account;
        };
        let copy = replica.copies[parent];
        if copy.uid == 0 {
            return Above::Missing;
        }
        if copy.deleting {
            return Above::Ending;
        }
        match id_of(&copy) {
            Some(id) if !self.cut_off(replica, parent) => Above::There(known(replica, id)),
            _ => Above::NotMade,
        }
    }

    /// Is something on the way to the connection missing?
    fn cut_off(&self, replica: &Replica<N, R>, cr: usize) -> bool {
        self.variant.crs[cr]
            .parent
            .is_some_and(|p| replica.copies[p].uid == 0 || self.cut_off(replica, p))
    }

    /// As `Stores::rival_for_name`.
    fn rival(&self, replica: &Replica<N, R>, cr: usize, other: usize) -> bool {
        let (mine, theirs) = (replica.copies[cr], replica.copies[other]);
        if theirs.uid == 0 || !self.variant.rivals(cr, other) {
            return false;
        }
        let record = theirs.rec.map(|rec| self.record(other, theirs.uid, &rec));
        let older = (theirs.uid, other) < (mine.uid, cr);
        bars_name(older, theirs.deleting, record.as_ref())
    }

    /// As `State::siblings`: all modes here are Enforce.
    fn siblings(
        &self,
        replica: &Replica<N, R>,
        cr: usize,
        above: Above,
    ) -> [Option<(u8, bool)>; N] {
        let mut all = [None; N];
        let of = &self.variant.crs[cr];
        if of.bids.is_empty() || !matches!(above, Above::There(_)) {
            return all;
        }
        for other in self.variant.others(cr) {
            let theirs = replica.copies[other];
            let shares = self.variant.crs[other].parent == of.parent;
            if shares && theirs.uid > 0 && !theirs.deleting {
                let older = (theirs.uid, other) < (replica.copies[cr].uid, cr);
                all[other] = Some((theirs.edits, older && id_of(&theirs).is_some()));
            }
        }
        all
    }
}

impl Above {
    fn bit(self) -> u8 {
        match self {
            Self::There(known) => 1 << known.id,
            _ => 0,
        }
    }
}

fn known<const N: usize, const R: usize>(replica: &Replica<N, R>, id: u8) -> Known {
    let cell = replica.table[id as usize];
    Known {
        id,
        read: cell != Cell::Never,
        deleted: cell == Cell::Deleted,
    }
}

/// The row that an answer named.
fn made(att: Att) -> Option<u8> {
    match att {
        Att::Made(id) | Att::MadeDeleted(id) => Some(id),
        _ => None,
    }
}

/// The row that an object holds by its record.
fn id_of(obj: &Obj) -> Option<u8> {
    obj.rec.and_then(|rec| rec.id)
}

fn bit(id: Option<u8>) -> u8 {
    id.map_or(0, |id| 1 << id)
}
