//! What can happen next. A replica's steps follow `engine::turn`: mark by compare-and-swap, the create only right after
//! its own mark, the id by compare-and-swap, a live read after each lost one.
//!
//! Coarser than the engine: a look-up, a status call, and a write of the record other than the mark happen and are
//! answered in one step (an answer lost on the way to a process that dies is that step and a crash). Finer than it: a
//! mark, its answer with the send, the effect, and the answer to the create are steps of their own, and a process that
//! lost the lease may go on with everything it has in hand for as long as it likes.

use std::time::Duration;

use tiktok_ads_operator::model::protocol::{Held, covers};

use super::facts::{Act, Planner};
use super::world::{
    Answer, Att, Cell, Ghost, Keys, LATEST, Late, Lease, Memo, Obj, Phase, Rec, Replica, Row,
    Variant, World,
};

/// What happened, for the trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    Start,
    Acquires(u8),
    /// The lease moves to this replica while the other goes on with what it has in hand.
    Moves(u8),
    Crashes(u8),
    /// A replica that lost the lease is done and starts anew.
    Exits(u8),
    Watch(u8),
    Time,
    UserDeletes(u8),
    UserMakesAgain(u8),
    LateEffect(u8),
    Reads(u8, u8, Read),
    Writes(u8, u8, Rec),
    LosesSwap(u8, u8),
    Marks(u8, u8, Rec),
    /// The mark was taken, the answer to it was lost.
    MarksUnaware(u8, u8),
    /// The answer to the mark arrives, but nothing is sent.
    DoesNotSend(u8, u8),
    Sends(u8, u8, Fate),
    Hears(u8, u8, Att),
    SwitchesOff(u8, u8, bool),
    Releases(u8, u8),
    Rests(u8, u8),
}

/// What was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Read {
    Name,
    Id,
    Created,
}

/// What becomes of a create that was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    Made,
    ComesLate,
    GetsLost,
    RefusedBeforeEffect,
    Replayed,
    Duplicate,
}

/// A next state, and the rule that the step to it broke.
pub struct Next {
    pub event: Event,
    pub world: World,
    pub broken: Option<&'static str>,
}

/// Rules that a step breaks (a state's own rules are in `check`).
pub const STALE_LEASE: &str =
    "a write was sent by a process whose lease had moved on (decision 14)";
pub const UNMARKED: &str = "a create was sent that no mark of its own had announced (decision 4)";
pub const UNKNOWN: &str =
    "a create was sent while the outcome of an earlier one was unclear and not proven absent (R11)";
pub const LET_GO: &str = "a CR was released although it does not know a campaign that was, or will be, made for it (R32)";

/// Collects next states.
pub struct Steps<'a> {
    pub variant: &'a Variant,
    pub planner: &'a mut Planner,
    pub out: Vec<Next>,
}

impl Steps<'_> {
    fn push(&mut self, event: Event, world: World, broken: Option<&'static str>) {
        self.out.push(Next {
            event,
            world: world.canonical(),
            broken,
        });
    }

    /// Every next state.
    pub fn all(&mut self, world: &World) {
        self.faults(world);
        self.users(world);
        self.fair(world);
    }

    /// Steps that nobody is owed.
    fn faults(&mut self, w: &World) {
        for r in 0..2u8 {
            let lease = w.reps[r as usize].lease;
            if lease != Lease::Never && w.left.crashes > 0 {
                let mut next = *w;
                next.left.crashes -= 1;
                next.reps[r as usize] = Replica {
                    copies: w.objs,
                    seen: w.objs,
                    ..Replica::default()
                };
                self.push(Event::Crashes(r), next, None);
            }
            // The other one becomes leader; this one keeps what it has in hand.
            if lease == Lease::Leads && w.left.moves > 0 {
                let other = 1 - r;
                if w.reps[other as usize].lease == Lease::Never {
                    let mut next = *w;
                    next.left.moves -= 1;
                    next.reps[r as usize].lease = Lease::Lost;
                    next.reps[other as usize].lease = Lease::Leads;
                    self.push(Event::Moves(other), next, None);
                }
            }
        }
    }

    fn users(&mut self, w: &World) {
        for cr in 0..self.variant.crs {
            let obj = w.objs[cr];
            if obj.uid > 0 && !obj.deleting && w.left.deletes > 0 {
                let mut next = *w;
                next.left.deletes -= 1;
                if obj.finalizer {
                    next.objs[cr].deleting = true;
                } else {
                    next.objs[cr] = Obj::default();
                    next.ghost[cr] = Ghost::default();
                }
                self.push(Event::UserDeletes(cr as u8), next, None);
            }
            if obj.uid == 0 && w.left.again > 0 {
                let mut next = *w;
                next.left.again -= 1;
                next.objs[cr] = Obj {
                    uid: 2,
                    ..Obj::default()
                };
                self.push(Event::UserMakesAgain(cr as u8), next, None);
            }
        }
    }

    /// Steps that happen sooner or later by themselves.
    pub fn fair(&mut self, w: &World) {
        for i in 0..2 {
            if w.late[i].is_some() {
                let mut next = *w;
                self.land(&mut next, i);
                self.push(Event::LateEffect(i as u8), next, None);
            }
        }
        let leads = w.reps.iter().any(|r| r.lease == Lease::Leads);
        for r in 0..2 {
            let rep = &w.reps[r];
            match rep.lease {
                Lease::Never if !leads => {
                    let mut next = *w;
                    next.reps[r].lease = Lease::Leads;
                    self.push(Event::Acquires(r as u8), next, None);
                }
                Lease::Lost => {
                    let mut next = *w;
                    next.reps[r] = Replica {
                        copies: w.objs,
                        seen: w.objs,
                        ..Replica::default()
                    };
                    self.push(Event::Exits(r as u8), next, None);
                }
                _ => {}
            }
            // Who lost the lease takes no more news.
            if rep.seen != w.objs && rep.lease != Lease::Lost {
                let mut next = *w;
                for cr in 0..2 {
                    if next.reps[r].seen[cr] != w.objs[cr] {
                        next.reps[r].seen[cr] = w.objs[cr];
                        self.put(&mut next, r, cr, w.objs[cr]);
                    }
                }
                self.push(Event::Watch(r as u8), next, None);
            }
            if rep.lease != Lease::Never {
                for cr in 0..self.variant.crs {
                    match rep.memos[cr].phase {
                        // What a replica that lost the lease still does is what it has in hand.
                        Phase::Idle
                            if rep.lease == Lease::Lost && rep.memos[cr].core.att == Att::None => {}
                        Phase::Idle => self.turn(w, r, cr),
                        Phase::Marked(copy) => self.after_mark(w, r, cr, copy),
                        Phase::Calling(answer) => self.answered(w, r, cr, answer),
                    }
                }
            }
        }
        self.time(w);
    }

    /// The clock moves when nothing that ends within an epoch is under way: calls have their deadline, effects their
    /// latest time. It need not move when nothing waits for it.
    fn time(&mut self, w: &World) {
        let calling = w
            .reps
            .iter()
            .flat_map(|r| &r.memos)
            .any(|m| matches!(m.phase, Phase::Calling(_)));
        let due = w.late.iter().flatten().any(|late| late.at_latest <= w.now);
        let waited_for = w.late.iter().any(Option::is_some)
            || w.objs
                .iter()
                .any(|o| o.rec.is_some_and(|rec| rec.mark.is_some()));
        let frozen = w
            .reps
            .iter()
            .flat_map(|r| &r.memos)
            .any(|m| matches!(m.phase, Phase::Marked(_)));
        if !calling
            && !due
            && waited_for
            && w.now < self.variant.until
            && (!frozen || w.left.freezes > 0)
        {
            let mut next = *w;
            next.now += 1;
            next.left.freezes -= u8::from(frozen);
            self.push(Event::Time, next, None);
        }
    }

    // ---- a replica ----

    /// `State::adopt_copy` and `State::forget`.
    fn put(&self, w: &mut World, r: usize, cr: usize, copy: Obj) {
        let rep = &mut w.reps[r];
        rep.copies[cr] = copy;
        let phase = rep.memos[cr].phase;
        if copy.uid != rep.memos[cr].uid {
            rep.memos[cr] = Memo {
                uid: copy.uid,
                phase,
                ..Memo::default()
            };
        }
        let memo = &mut rep.memos[cr];
        memo.seq = memo.seq.max(copy.rec.map_or(0, |rec| rec.seq));
    }

    /// `State::refresh_memo`.
    fn refresh(&self, w: &mut World, r: usize, cr: usize) {
        let now = w.now;
        let copy = w.reps[r].copies[cr];
        let memo = &mut w.reps[r].memos[cr];
        if memo.uid != copy.uid {
            *memo = Memo {
                uid: copy.uid,
                phase: memo.phase,
                ..Memo::default()
            };
        }
        let current = copy
            .rec
            .filter(|rec| rec.mark.is_some())
            .map(|rec| (rec.counter, rec.attempt));
        if memo.of != current {
            memo.of = current;
            memo.core.att = Att::None;
            memo.core.absence = None;
            memo.core.found = 0;
            memo.core.key_used = false;
        }
        // Only the policy Pause asks when the object began to end.
        let since = if self.variant.delete { 0 } else { now };
        memo.core.ending = copy.deleting.then(|| memo.core.ending.unwrap_or(since));
        memo.seq = memo.seq.max(copy.rec.map_or(0, |rec| rec.seq));
    }

    /// The lease's count of a replica, as the engine asks for it right before each write.
    fn fence(w: &World, r: usize) -> Option<u64> {
        // The clock that the lease is measured by: the moment now, long after a lost lease ended.
        let awake = Duration::from_secs(1000);
        let held = match w.reps[r].lease {
            Lease::Leads => Some(Held {
                until: awake + Duration::from_secs(25),
                transitions: 2,
            }),
            Lease::Lost => Some(Held {
                until: awake - Duration::from_secs(25),
                transitions: 1,
            }),
            Lease::Never => None,
        };
        covers(held, awake, Duration::from_secs(15))
    }

    /// A write by a process whose lease has moved on is a breach even if it does no harm.
    fn fenced(w: &World, r: usize) -> Option<&'static str> {
        (w.reps[r].lease != Lease::Leads).then_some(STALE_LEASE)
    }

    /// One step of a turn, from the copy at hand.
    fn turn(&mut self, w: &World, r: usize, cr: usize) {
        let mut next = *w;
        // `Engine::certain_copy`.
        if next.reps[r].copies[cr].uid == 0 {
            return;
        }
        let has = next.reps[r].copies[cr].rec.map_or(0, |rec| rec.seq);
        let memo = next.reps[r].memos[cr];
        if memo.uid == next.reps[r].copies[cr].uid && has < memo.seq {
            let live = w.objs[cr];
            self.put(&mut next, r, cr, live);
            next.reps[r].memos[cr].seq = live.rec.map_or(0, |rec| rec.seq);
            if live.uid == 0 {
                self.push(Event::Rests(r as u8, cr as u8), next, None);
                return;
            }
        }
        self.refresh(&mut next, r, cr);
        let act = self.planner.act(&next, r, cr);
        let (ru, cu) = (r as u8, cr as u8);
        let copy = next.reps[r].copies[cr];
        // Looks and calls are begun only while the lease is held.
        let may = Self::fence(w, r).is_some();
        match act {
            Act::Rest { .. } => self.push(Event::Rests(ru, cu), next, None),
            Act::LookName if may => {
                let read = Self::live(&next, r, true);
                for id in w.ids(|row| !row.deleted) {
                    next.reps[r].table[id as usize] = read;
                }
                for id in w.ids(|row| row.deleted) {
                    if let cell @ Cell::Live { .. } = &mut next.reps[r].table[id as usize] {
                        *cell = Cell::Doubt;
                    }
                }
                next.reps[r].memos[cr].core.name_read = true;
                self.push(Event::Reads(ru, cu, Read::Name), next, None);
            }
            Act::LookId(id) if may => {
                next.reps[r].table[id as usize] = if w.rows[id as usize].deleted {
                    Cell::Deleted
                } else {
                    Self::live(&next, r, true)
                };
                self.push(Event::Reads(ru, cu, Read::Id), next, None);
            }
            Act::LookCreated if may => {
                self.look_created(&mut next, r, cr);
                self.push(Event::Reads(ru, cu, Read::Created), next, None);
            }
            Act::SetStatus { id, delete } if may => {
                let broken = Self::fenced(w, r);
                if delete {
                    next.rows[id as usize].deleted = true;
                    next.reps[r].table[id as usize] = Cell::Deleted;
                }
                self.push(Event::SwitchesOff(ru, cu, delete), next, broken);
                if w.left.unclear > 0 {
                    next.left.unclear -= 1;
                    next.reps[r].table[id as usize] = Cell::Doubt;
                    self.push(Event::SwitchesOff(ru, cu, delete), next, broken);
                }
            }
            Act::Mark(rec) if may => self.mark(next, r, cr, copy, rec),
            // Found unsent after its own turn: never sent, but marked anew.
            Act::Create => {
                let Some(rec) = copy.rec else { return };
                let unmarked = Rec {
                    mark: None,
                    seq: rec.seq + 1,
                    ..rec
                };
                self.write(next, r, cr, copy, unmarked);
            }
            Act::Write(rec) => self.write(next, r, cr, copy, rec),
            Act::Release => self.release(next, r, cr, copy),
            Act::LookName
            | Act::LookId(_)
            | Act::LookCreated
            | Act::SetStatus { .. }
            | Act::Mark(_) => {}
        }
    }

    fn live(w: &World, r: usize, read_back: bool) -> Cell {
        let ending = w.reps[r]
            .memos
            .iter()
            .any(|memo| memo.core.ending.is_some_and(|since| since > 0));
        Cell::Live {
            read_back,
            at: if ending { w.now } else { 0 },
        }
    }

    fn look_created(&self, next: &mut World, r: usize, cr: usize) {
        let held = |id: u8| {
            next.reps[r]
                .copies
                .iter()
                .any(|o| o.rec.is_some_and(|rec| rec.id == Some(id)))
        };
        let wanted = self.variant.name(cr);
        let mut found = 0;
        for id in next.ids(|row| row.name == wanted && !row.deleted) {
            if !held(id) {
                found |= 1 << id;
            }
        }
        let now = next.now;
        let core = &mut next.reps[r].memos[cr].core;
        core.found = found;
        core.absence = Some((core.absence.map_or(now, |(first, _)| first), now));
        let ghost = &mut next.ghost[cr];
        if let Some(mark) = ghost.open {
            match ghost.looked {
                None => ghost.looked = Some(now),
                // 30 s after the first; 60 s after a deadline that is 20 s after the mark: the third epoch.
                Some(first) => ghost.proven |= now > first && now > mark + LATEST,
            }
        }
    }

    /// `Engine::patch` by compare-and-swap; false, with a live copy, when it was lost.
    fn swap(&self, w: &mut World, r: usize, cr: usize, from: Obj, to: Obj) -> bool {
        let taken = w.objs[cr] == from;
        if taken {
            w.objs[cr] = to;
        }
        let live = w.objs[cr];
        self.put(w, r, cr, live);
        taken
    }

    fn write(&mut self, mut next: World, r: usize, cr: usize, copy: Obj, rec: Rec) {
        let to = Obj {
            rec: Some(rec),
            finalizer: copy.finalizer || !copy.deleting,
            ..copy
        };
        if self.swap(&mut next, r, cr, copy, to) {
            if rec.id.is_some() {
                next.ghost[cr] = Ghost::default();
            }
            self.push(Event::Writes(r as u8, cr as u8, rec), next, None);
        } else {
            self.push(Event::LosesSwap(r as u8, cr as u8), next, None);
        }
    }

    fn mark(&mut self, next: World, r: usize, cr: usize, copy: Obj, rec: Rec) {
        let (ru, cu) = (r as u8, cr as u8);
        let to = Obj {
            rec: Some(rec),
            finalizer: copy.finalizer || !copy.deleting,
            ..copy
        };
        let mut taken = next;
        if taken.objs[cr] != copy {
            let mut lost = next;
            self.swap(&mut lost, r, cr, copy, to);
            if self.planner.sends(&next, r, cr, rec, false) {
                self.send(&lost, r, cr, rec);
            }
            self.push(Event::LosesSwap(ru, cu), lost, None);
            return;
        }
        taken.objs[cr] = to;
        taken.ghost[cr].marked = Some((rec.counter, rec.attempt));
        if next.left.unclear > 0 {
            let mut unaware = taken;
            unaware.left.unclear -= 1;
            self.put(&mut unaware, r, cr, to);
            if self.planner.sends(&next, r, cr, rec, false) {
                self.send(&unaware, r, cr, rec);
            }
            self.push(Event::MarksUnaware(ru, cu), unaware, None);
        }
        taken.reps[r].memos[cr].phase = Phase::Marked(to);
        self.push(Event::Marks(ru, cu, rec), taken, None);
    }

    /// The answer to the mark is here: plan from its copy, and send in the same breath.
    fn after_mark(&mut self, w: &World, r: usize, cr: usize, copy: Obj) {
        let mut next = *w;
        next.reps[r].memos[cr].phase = Phase::Idle;
        self.put(&mut next, r, cr, copy);
        let Some(rec) = copy.rec else { return };
        let memo = &mut next.reps[r].memos[cr];
        memo.of = Some((rec.counter, rec.attempt));
        memo.core.att = Att::Unsent;
        self.refresh(&mut next, r, cr);
        if self.planner.sends(&next, r, cr, rec, true) {
            self.send(&next, r, cr, rec);
        } else {
            self.push(Event::DoesNotSend(r as u8, cr as u8), next, None);
        }
    }

    /// `Engine::send`: the lease is asked right before the bytes go.
    fn send(&mut self, w: &World, r: usize, cr: usize, rec: Rec) {
        let (ru, cu) = (r as u8, cr as u8);
        let mut next = *w;
        if Self::fence(w, r).is_none() {
            next.reps[r].memos[cr].core.att = Att::Unsent;
            next.reps[r].memos[cr].core.name_read = false;
            self.push(Event::DoesNotSend(ru, cu), next, None);
            return;
        }
        let ghost = &mut next.ghost[cr];
        let broken = if Self::fenced(w, r).is_some() {
            Some(STALE_LEASE)
        } else if ghost.marked != Some((rec.counter, rec.attempt)) {
            Some(UNMARKED)
        } else if ghost.open.is_some() && !ghost.proven {
            Some(UNKNOWN)
        } else {
            None
        };
        *ghost = Ghost {
            open: Some(rec.mark.unwrap_or(w.now)),
            ..Ghost::default()
        };
        let uid = w.reps[r].memos[cr].uid;
        let row = Row {
            there: true,
            by: Some((cu, uid)),
            counter: rec.counter,
            name: self.variant.name(cr),
            created: w.now,
            deleted: false,
        };
        let same_key = self.same_key(w, &row);
        let keys = self.variant.keys;
        let mut fate = |what: Fate, answer: Answer, mut next: World| {
            next.reps[r].memos[cr].phase = Phase::Calling(answer);
            self.push(Event::Sends(ru, cu, what), next, broken);
        };
        if let Some(old) = same_key {
            let deleted = w.rows[old as usize].deleted;
            match keys {
                Keys::Replayed if deleted => fate(Fate::Replayed, Answer::DeletedRow(old), next),
                Keys::Replayed => fate(Fate::Replayed, Answer::Row(old), next),
                _ => fate(Fate::Duplicate, Answer::Duplicate, next),
            }
            return;
        }
        let mut made = next;
        let id = made.add(row);
        fate(Fate::Made, Answer::Row(id), made);
        if w.left.unclear == 0 {
            return;
        }
        next.left.unclear -= 1;
        fate(Fate::GetsLost, Answer::Nothing, next);
        fate(Fate::RefusedBeforeEffect, Answer::NotSent, next);
        if let Some(free) = next.late.iter().position(Option::is_none) {
            let mut late = next;
            late.late[free] = Some(Late {
                row,
                at_latest: rec.mark.unwrap_or(w.now) + LATEST,
            });
            late.late.sort_unstable();
            fate(Fate::ComesLate, Answer::Nothing, late);
        }
    }

    /// The row that the platform knows the key from, if it minds keys.
    fn same_key(&self, w: &World, row: &Row) -> Option<u8> {
        if self.variant.keys == Keys::Ignored {
            return None;
        }
        // The key is made of the CR's name, not its uid (R10).
        let cr = row.by.map(|(cr, _)| cr);
        w.ids(|r| r.by.map(|(cr, _)| cr) == cr && cr.is_some() && r.counter == row.counter)
            .next()
    }

    fn land(&self, w: &mut World, i: usize) {
        let Some(late) = w.late[i].take() else { return };
        w.late.sort_unstable();
        if self.same_key(w, &late.row).is_none() {
            let created = w.now;
            w.add(Row {
                created,
                ..late.row
            });
        }
    }

    /// `Engine::learn_created`.
    fn answered(&mut self, w: &World, r: usize, cr: usize, answer: Answer) {
        let mut next = *w;
        next.reps[r].memos[cr].phase = Phase::Idle;
        next.reps[r].memos[cr].core.name_read = false;
        let mut hear = |att: Att, mut next: World| {
            next.reps[r].memos[cr].core.att = att;
            if matches!(att, Att::Unsent | Att::Refused) {
                next.ghost[cr].open = None;
            }
            match att {
                Att::Made(id) => {
                    next.reps[r].table[id as usize] = Self::live(&next, r, false);
                }
                Att::MadeDeleted(id) => {
                    next.reps[r].table[id as usize] = Cell::Deleted;
                }
                _ => {}
            }
            self.push(Event::Hears(r as u8, cr as u8, att), next, None);
        };
        match answer {
            Answer::Row(id) => hear(Att::Made(id), next),
            Answer::DeletedRow(id) => hear(Att::MadeDeleted(id), next),
            Answer::Nothing => hear(Att::Unclear, next),
            Answer::NotSent => hear(Att::Unsent, next),
            Answer::Duplicate => {
                next.reps[r].memos[cr].core.key_used = true;
                hear(Att::Refused, next);
            }
        }
        if matches!(answer, Answer::Row(_)) && w.left.unclear > 0 {
            next.left.unclear -= 1;
            hear(Att::Unclear, next);
        }
    }

    fn release(&mut self, mut next: World, r: usize, cr: usize, copy: Obj) {
        let maker = Some((cr as u8, copy.uid));
        let known = copy.rec.and_then(|rec| rec.id);
        let strays = next
            .ids(|row| row.by == maker && !row.deleted)
            .any(|id| Some(id) != known);
        let coming = next.late.iter().flatten().any(|late| late.row.by == maker);
        let broken = (strays || coming).then_some(LET_GO);
        // The finalizer goes, and with it the object: it is being deleted.
        if self.swap(&mut next, r, cr, copy, Obj::default()) {
            next.ghost[cr] = Ghost::default();
            self.push(Event::Releases(r as u8, cr as u8), next, broken);
        } else {
            self.push(Event::LosesSwap(r as u8, cr as u8), next, None);
        }
    }
}
