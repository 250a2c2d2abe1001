//! What can happen next. A replica's steps follow `engine::turn`: mark by compare-and-swap, the create only right after
//! its own mark, the id by compare-and-swap, a live read after each lost one. Creates are in `create`, people in `people`.
//!
//! Coarser than the engine: a look-up, a status call, an update, and a write of the record other than the mark happen
//! and are answered in one step (an answer lost on the way to a process that dies is that step and a crash). Finer than
//! it: a mark, its answer with the send, the effect, and the answer to the create are steps of their own, and a process
//! that lost the lease may go on with everything it has in hand for as long as it likes.

use std::time::Duration;

use tiktok_ads_operator::model::protocol::{Held, covers};

use super::facts::{Act, Planner, To};
use super::variant::{Pace, Variant};
use super::world::{
    Att, Cell, Ghost, LATEST, Lease, Memo, Obj, Outside, Phase, Place, Rec, Replica, Shown, World,
};

/// What happened, for the trace. Replicas and CRs by their numbers, several CRs as bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    Start,
    Acquires(u8),
    /// The lease moves to this replica while the other goes on with what it has in hand.
    Moves(u8),
    Crashes(u8),
    /// A replica that lost the lease is done and starts anew.
    Exits(u8),
    /// The watch of one kind.
    Watch(u8, tiktok_ads_operator::platform::Kind),
    /// A list shows what was changed behind the replica's back.
    Sweeps(u8),
    Time,
    UserDeletes(u8),
    UserMakesAgain(u8),
    UserEdits(u8),
    /// The ceilings go, or come back.
    Caps(bool),
    DeletedOutside(u8),
    PausedOutside(u8),
    LateEffect(u8),
    Reads(u8, u8, Read),
    Writes(u8, u8, Rec),
    LosesSwap(u8, u8),
    /// These are to be made with one call.
    Batches(u8, u8),
    Marks(u8, u8, Rec),
    /// The mark was taken, the answer to it was lost.
    MarksUnaware(u8, u8),
    /// Marked and planned again, it waits for the others of its call.
    Announces(u8, u8),
    /// The answer to the mark arrives, or the call's turn, but nothing is sent.
    DoesNotSend(u8, u8),
    Sends(u8, u8, Fate),
    Hears(u8, u8, Att),
    SetsStatus(u8, u8, To),
    /// The same, without a clear answer; with its effect or without.
    SetsStatusUnclear(u8, u8, To, bool),
    SetsBid(u8, u8),
    SetsBidUnclear(u8, u8, bool),
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

/// What becomes of a create that was sent. Of several in one call: which of them are made at once, and late.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    Made,
    ComesLate,
    GetsLost,
    RefusedBeforeEffect,
    Refused,
    Replayed,
    Duplicate,
    /// The answer shows what was made, one bit each.
    PartShown(u8),
    /// The call is refused, or its answer lost; these are made, these come late.
    PartHidden(u8, u8),
}

/// A next state, and the rule that the step to it broke.
pub struct Next<const N: usize, const R: usize> {
    pub event: Event,
    pub world: World<N, R>,
    pub broken: Option<&'static str>,
}

/// Rules that a step breaks (a state's own rules are in `check`).
pub const STALE_LEASE: &str =
    "a write was sent by a process whose lease had moved on (decision 14)";
pub const LET_GO: &str =
    "a CR was released although it does not know an object that was, or will be, made for it (R32)";
pub const LEFT_ON: &str = "a CR was released while its object is on, and nobody is told";
pub const FORBIDDEN: &str = "something was switched on that its spec or a missing ceiling forbids";
pub const RESUMED: &str =
    "something was switched on that somebody had switched off after it was seen on (R1)";
const NO_PROOF: &str = "what was taken over by its name alone is deleted (R3)";
pub const DISAGREE: &str = "a shared bid was sent while the siblings disagree about it (R17)";
pub const TWO_WRITERS: &str = "a shared bid was sent by another than the oldest sibling (R17)";
pub const NOT_MINE: &str = "a write went to an object that another CR holds";

/// Collects next states.
pub struct Steps<'a, const N: usize, const R: usize> {
    pub variant: &'a Variant<N>,
    pub planner: &'a mut Planner<N, R>,
    pub out: Vec<Next<N, R>>,
}

impl<const N: usize, const R: usize> Steps<'_, N, R> {
    pub(super) fn push(&mut self, event: Event, world: World<N, R>, broken: Option<&'static str>) {
        self.out.push(Next {
            event,
            world: world.canonical(),
            broken,
        });
    }

    /// Every next state.
    pub fn all(&mut self, world: &World<N, R>) {
        self.faults(world);
        self.people(world);
        self.fair(world);
    }

    /// Steps that nobody is owed.
    fn faults(&mut self, w: &World<N, R>) {
        for r in 0..2u8 {
            let lease = w.reps[r as usize].lease;
            if lease != Lease::Never && w.left.crashes > 0 {
                let mut next = *w;
                next.left.crashes -= 1;
                next.reps[r as usize] = Replica::new(w.objs);
                self.push(Event::Crashes(r), next, None);
            }
            // The other one becomes leader; this one keeps what it has in hand.
            if lease == Lease::Leads && w.left.moves > 0 {
                let other = 1 - r;
                if w.reps[other as usize].lease == Lease::Never {
                    let mut next = *w;
                    next.left.moves -= 1;
                    next.reps[r as usize].lease = Lease::Lost;
                    self.lead(&mut next, other as usize);
                    self.push(Event::Moves(other), next, None);
                }
            }
        }
    }

    fn lead(&self, w: &mut World<N, R>, r: usize) {
        w.reps[r].lease = Lease::Leads;
        if self.variant.lists_first {
            let all: Vec<u8> = w.ids(|row| !row.deleted).collect();
            for id in all {
                w.reps[r].table[id as usize] = Self::live(w, r, id, true);
            }
        }
    }

    /// Steps that happen sooner or later by themselves.
    pub fn fair(&mut self, w: &World<N, R>) {
        for i in 0..w.late.len() {
            if w.late[i].is_some() {
                let mut next = *w;
                self.land(&mut next, i);
                self.push(Event::LateEffect(i as u8), next, None);
            }
        }
        if self.variant.pace == Pace::Eager && self.at_once(w) {
            return;
        }
        let before = self.out.len();
        let leads = w.reps.iter().any(|r| r.lease == Lease::Leads);
        for r in 0..self.variant.replicas {
            let rep = &w.reps[r];
            match rep.lease {
                Lease::Never if !leads => {
                    let mut next = *w;
                    self.lead(&mut next, r);
                    self.push(Event::Acquires(r as u8), next, None);
                }
                Lease::Lost => {
                    let mut next = *w;
                    next.reps[r] = Replica::new(w.objs);
                    self.push(Event::Exits(r as u8), next, None);
                }
                _ => {}
            }
            self.news(w, r);
            if rep.lease != Lease::Never {
                for cr in 0..N {
                    match rep.memos[cr].phase {
                        // What a replica that lost the lease still does is what it has in hand.
                        Phase::Idle
                            if rep.lease == Lease::Lost && rep.memos[cr].core.att == Att::None => {}
                        Phase::Idle => self.turn(w, r, cr),
                        Phase::Batched => self.announce(w, r, cr),
                        Phase::Marked { copy, together } => {
                            self.after_mark(w, r, cr, copy, together);
                        }
                        Phase::Announced(_) => {}
                        Phase::Calling { answer, with } => self.answered(w, r, cr, answer, with),
                    }
                }
                self.together(w, r);
            }
        }
        let mut new = self.out[before..].iter();
        let busy = new.any(|n| n.world != *w);
        if self.variant.pace == Pace::Any || !busy {
            self.time(w);
        }
    }

    /// See `Pace::Eager`; false when nothing of the sort is to be done.
    fn at_once(&mut self, w: &World<N, R>) -> bool {
        let Some(r) = w.reps.iter().position(|r| r.lease == Lease::Leads) else {
            return false;
        };
        for cr in (0..N).filter(|cr| w.reps[r].memos[*cr].phase == Phase::Idle) {
            let Some(next) = self.certain(w, r, cr) else {
                continue;
            };
            let act = self.planner.act(&next, r, cr);
            if matches!(act, Act::LookId(_) | Act::LookName(_) | Act::Write(_)) {
                self.turn(w, r, cr);
                return true;
            }
        }
        false
    }

    /// Watches, one of each kind, and lists. Who lost the lease takes no more news.
    fn news(&mut self, w: &World<N, R>, r: usize) {
        let rep = &w.reps[r];
        if rep.lease == Lease::Lost {
            return;
        }
        for kind in tiktok_ads_operator::platform::Kind::ALL {
            let mut next = *w;
            for cr in (0..N).filter(|cr| self.variant.crs[*cr].kind == kind) {
                if rep.seen[cr] != w.objs[cr] {
                    next.reps[r].seen[cr] = w.objs[cr];
                    self.put(&mut next, r, cr, w.objs[cr]);
                }
            }
            if next.reps[r].seen != rep.seen {
                self.push(Event::Watch(r as u8, kind), next, None);
            }
        }
        if rep.lease == Lease::Leads {
            let mut next = *w;
            for id in w.ids(|_| true) {
                let row = w.rows[id as usize];
                let cell = &mut next.reps[r].table[id as usize];
                match cell {
                    Cell::Live(_) if row.deleted => *cell = Cell::Unlisted,
                    Cell::Live(shown) => {
                        (shown.on, shown.bid) = (row.on, row.bid);
                    }
                    _ => {}
                }
            }
            if next.reps[r].table != rep.table {
                self.push(Event::Sweeps(r as u8), next, None);
            }
        }
    }

    /// The clock moves when nothing that ends within an epoch is under way: calls have their deadline, effects their
    /// latest time. It need not move when nothing waits for it.
    fn time(&mut self, w: &World<N, R>) {
        let any = |is: fn(&Phase) -> bool| {
            let mut memos = w.reps.iter().flat_map(|r| &r.memos);
            memos.any(|m| is(&m.phase))
        };
        let calling = any(|p| matches!(p, Phase::Calling { .. }));
        let due = w.late.iter().flatten().any(|late| late.at_latest <= w.now);
        let waited_for = w.late.iter().any(Option::is_some)
            || w.objs
                .iter()
                .any(|o| o.rec.is_some_and(|rec| rec.mark.is_some()));
        let frozen = any(|p| {
            matches!(
                p,
                Phase::Marked { .. } | Phase::Batched | Phase::Announced(_)
            )
        });
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
    pub(super) fn put(&self, w: &mut World<N, R>, r: usize, cr: usize, copy: Obj) {
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
    pub(super) fn refresh(&self, w: &mut World<N, R>, r: usize, cr: usize) {
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
        if memo.edits != copy.edits {
            memo.edits = copy.edits;
            memo.core.refused = None;
            memo.core.paused = false;
            memo.core.corrections = 0;
        }
        let seen_on = copy.rec.is_some_and(|rec| rec.seen_on);
        memo.core.paused &= memo.seen_on || !seen_on;
        memo.seen_on = seen_on;
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
        let policy = self.variant.crs[cr].policy;
        let delete = policy == Some(tiktok_ads_operator::api::common::DeletionPolicy::Delete);
        let since = if delete { 0 } else { now };
        memo.core.ending = copy.deleting.then(|| memo.core.ending.unwrap_or(since));
        memo.seq = memo.seq.max(copy.rec.map_or(0, |rec| rec.seq));
    }

    /// The lease's count of a replica, as the engine asks for it right before each write.
    pub(super) fn fence(w: &World<N, R>, r: usize) -> Option<u64> {
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
    pub(super) fn fenced(w: &World<N, R>, r: usize) -> Option<&'static str> {
        (w.reps[r].lease != Lease::Leads).then_some(STALE_LEASE)
    }

    /// `Engine::certain_copy`, with the memory brought in line; `None` when there is nothing to plan.
    pub(super) fn certain(&mut self, w: &World<N, R>, r: usize, cr: usize) -> Option<World<N, R>> {
        let mut next = *w;
        let copy = next.reps[r].copies[cr];
        if copy.uid == 0 {
            return None;
        }
        let has = copy.rec.map_or(0, |rec| rec.seq);
        let memo = next.reps[r].memos[cr];
        if memo.uid == copy.uid && has < memo.seq {
            let live = w.objs[cr];
            self.put(&mut next, r, cr, live);
            next.reps[r].memos[cr].seq = live.rec.map_or(0, |rec| rec.seq);
            if live.uid == 0 {
                self.push(Event::Rests(r as u8, cr as u8), next, None);
                return None;
            }
        }
        self.refresh(&mut next, r, cr);
        Some(next)
    }

    /// One step of a turn, from the copy at hand.
    fn turn(&mut self, w: &World<N, R>, r: usize, cr: usize) {
        let Some(mut next) = self.certain(w, r, cr) else {
            return;
        };
        let act = self.planner.act(&next, r, cr);
        let (ru, cu) = (r as u8, cr as u8);
        let copy = next.reps[r].copies[cr];
        // Looks and calls are begun only while the lease is held.
        let may = Self::fence(w, r).is_some();
        match act {
            Act::Rest { .. } => self.push(Event::Rests(ru, cu), next, None),
            Act::LookName(place) if may => {
                self.look_name(&mut next, r, cr, place);
                self.push(Event::Reads(ru, cu, Read::Name), next, None);
            }
            Act::LookId(id) if may => {
                next.reps[r].table[id as usize] = if w.rows[id as usize].deleted {
                    Cell::Deleted
                } else {
                    match Self::live(&next, r, id, true) {
                        Cell::Live(shown) => Cell::Live(Shown {
                            looked_up: !self.variant.crs[cr].bids.is_empty(),
                            ..shown
                        }),
                        other => other,
                    }
                };
                self.push(Event::Reads(ru, cu, Read::Id), next, None);
            }
            Act::LookCreated if may => {
                self.look_created(&mut next, r, cr);
                self.push(Event::Reads(ru, cu, Read::Created), next, None);
            }
            Act::SetStatus { id, to } if may => self.set_status(&next, r, cr, id, to),
            Act::Bid { id, to } if may => self.set_bid(&next, r, cr, id, to),
            // What shares a call with others waits for them: see `together`.
            Act::Mark(rec) if may && !self.shares(cr) => {
                self.mark(next, r, cr, copy, rec, false);
            }
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
            Act::Release { left_active } => self.release(next, r, cr, copy, left_active),
            Act::LookName(_)
            | Act::LookId(_)
            | Act::LookCreated
            | Act::SetStatus { .. }
            | Act::Bid { .. }
            | Act::Mark(_) => {}
        }
    }

    /// What a replica knows of a row that it sees now.
    pub(super) fn live(w: &World<N, R>, r: usize, id: u8, read_back: bool) -> Cell {
        let row = w.rows[id as usize];
        Cell::Live(Shown {
            read_back,
            at: Self::dated(w, r),
            on: row.on,
            bid: row.bid,
            looked_up: false,
        })
    }

    /// Now, if anybody asks for the time of a reading.
    fn dated(w: &World<N, R>, r: usize) -> u8 {
        let memos = &w.reps[r].memos;
        let asked = memos
            .iter()
            .any(|memo| memo.core.ending.is_some_and(|since| since > 0));
        if asked { w.now } else { 0 }
    }

    /// A complete list of the kind, in both trees.
    fn look_name(&self, next: &mut World<N, R>, r: usize, cr: usize, place: Place) {
        let kind = self.variant.crs[cr].kind;
        let listed: Vec<u8> = next.ids(|row| row.kind == kind).collect();
        for id in listed {
            let seen = Self::live(next, r, id, true);
            let deleted = next.rows[id as usize].deleted;
            let cell = &mut next.reps[r].table[id as usize];
            match cell {
                Cell::Live(_) if deleted => *cell = Cell::Unlisted,
                _ if deleted => {}
                // Read by a look-up for itself before: that still counts.
                Cell::Live(before) => {
                    let looked_up = before.looked_up;
                    *cell = seen;
                    if let Cell::Live(shown) = cell {
                        shown.looked_up = looked_up;
                    }
                }
                _ => *cell = seen,
            }
        }
        next.reps[r].memos[cr].core.name_read = Some(place);
    }

    fn look_created(&self, next: &mut World<N, R>, r: usize, cr: usize) {
        let held = |id: u8| {
            next.reps[r]
                .copies
                .iter()
                .any(|o| o.rec.is_some_and(|rec| rec.id == Some(id)))
        };
        let Some(rec) = next.reps[r].copies[cr].rec else {
            return;
        };
        let (kind, wanted) = (self.variant.crs[cr].kind, self.variant.name(cr));
        let mut found = 0;
        for id in next.ids(|row| {
            (row.kind, row.name, row.parent) == (kind, wanted, rec.parent) && !row.deleted
        }) {
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

    /// A status call for one object, with its answer.
    fn set_status(&mut self, w: &World<N, R>, r: usize, cr: usize, id: u8, to: To) {
        let (ru, cu) = (r as u8, cr as u8);
        let row = w.rows[id as usize];
        let of = &self.variant.crs[cr];
        let broken = Self::fenced(w, r)
            .or_else(|| self.not_mine(w, cr, id))
            .or((to == To::On && !(of.active && w.caps)).then_some(FORBIDDEN))
            .or((to == To::On && w.ghost[cr].off_outside == Outside::Minded).then_some(RESUMED))
            .or((to == To::Deleted && row.by.is_none()).then_some(NO_PROOF));
        let mut doubted = *w;
        doubted.reps[r].table[id as usize] = Cell::Doubt;
        // TikTok changes nothing that is deleted.
        if row.deleted {
            self.push(Event::SetsStatusUnclear(ru, cu, to, false), doubted, broken);
            return;
        }
        let effect = |w: &mut World<N, R>| match to {
            To::On => w.rows[id as usize].on = true,
            To::Off => w.rows[id as usize].on = false,
            To::Deleted => w.delete(id),
        };
        let mut next = *w;
        effect(&mut next);
        next.ghost[cr].off_outside = Outside::Nothing;
        next.reps[r].memos[cr].core.paused = to == To::Off;
        let at = Self::dated(w, r);
        let cell = &mut next.reps[r].table[id as usize];
        match cell {
            _ if to == To::Deleted => *cell = Cell::Deleted,
            Cell::Live(shown) => {
                *shown = Shown {
                    on: to == To::On,
                    at,
                    looked_up: false,
                    ..*shown
                }
            }
            _ => {}
        }
        self.push(Event::SetsStatus(ru, cu, to), next, broken);
        if w.left.unclear == 0 {
            return;
        }
        // Without a clear answer a pause is sent again, anything else looked up.
        let mut unclear = if to == To::Off { *w } else { doubted };
        unclear.left.unclear -= 1;
        self.push(Event::SetsStatusUnclear(ru, cu, to, false), unclear, broken);
        effect(&mut unclear);
        self.push(Event::SetsStatusUnclear(ru, cu, to, true), unclear, broken);
    }

    /// An update of the bid, with its answer: TikTok gives it to all ad groups of the campaign.
    fn set_bid(&mut self, w: &World<N, R>, r: usize, cr: usize, id: u8, to: u8) {
        let (ru, cu) = (r as u8, cr as u8);
        let copies = &w.reps[r].copies;
        let siblings = |fits: &dyn Fn(usize, &Obj) -> bool| {
            let mut others = self.variant.others(cr);
            others.any(|other| {
                let theirs = copies[other];
                let shares = self.variant.crs[other].parent == self.variant.crs[cr].parent
                    && !self.variant.crs[other].bids.is_empty();
                shares && theirs.uid > 0 && !theirs.deleting && fits(other, &theirs)
            })
        };
        let disagree = siblings(&|other, o| self.variant.bid(other, o.edits) != Some(to));
        let led = siblings(&|other, o| {
            (o.uid, other) < (copies[cr].uid, cr) && o.rec.is_some_and(|rec| rec.id.is_some())
        });
        let broken = Self::fenced(w, r)
            .or_else(|| self.not_mine(w, cr, id))
            .or(disagree.then_some(DISAGREE))
            .or(led.then_some(TWO_WRITERS));
        let parent = w.rows[id as usize].parent;
        let kind = w.rows[id as usize].kind;
        let all: Vec<u8> = w
            .ids(|row| row.parent == parent && row.kind == kind && !row.deleted)
            .collect();
        let effect = |w: &mut World<N, R>| {
            for one in &all {
                w.rows[*one as usize].bid = to;
            }
        };
        let mut doubted = *w;
        doubted.reps[r].table[id as usize] = Cell::Doubt;
        if w.rows[id as usize].deleted {
            self.push(Event::SetsBidUnclear(ru, cu, false), doubted, broken);
            return;
        }
        let mut next = *w;
        effect(&mut next);
        next.reps[r].memos[cr].core.corrections += 1;
        for one in &all {
            next.reps[r].table[*one as usize] = match next.reps[r].table[*one as usize] {
                Cell::Never => Cell::Never,
                _ if *one == id => Self::live(&next, r, id, false),
                _ => Cell::Doubt,
            };
        }
        self.push(Event::SetsBid(ru, cu), next, broken);
        if w.left.unclear > 0 {
            doubted.left.unclear -= 1;
            self.push(Event::SetsBidUnclear(ru, cu, false), doubted, broken);
            effect(&mut doubted);
            self.push(Event::SetsBidUnclear(ru, cu, true), doubted, broken);
        }
    }

    fn not_mine(&self, w: &World<N, R>, cr: usize, id: u8) -> Option<&'static str> {
        let mut others = self.variant.others(cr);
        others
            .any(|other| w.objs[other].rec.is_some_and(|rec| rec.id == Some(id)))
            .then_some(NOT_MINE)
    }

    /// `Engine::patch` by compare-and-swap; false, with a live copy, when it was lost.
    pub(super) fn swap(
        &self,
        w: &mut World<N, R>,
        r: usize,
        cr: usize,
        from: Obj,
        to: Obj,
    ) -> bool {
        let taken = w.objs[cr] == from;
        if taken {
            w.objs[cr] = to;
        }
        let live = w.objs[cr];
        self.put(w, r, cr, live);
        taken
    }

    fn write(&mut self, mut next: World<N, R>, r: usize, cr: usize, copy: Obj, rec: Rec) {
        let to = Obj {
            rec: Some(rec),
            finalizer: copy.finalizer || !copy.deleting,
            ..copy
        };
        if self.swap(&mut next, r, cr, copy, to) {
            if rec.id.is_some() {
                let minded = rec.seen_on && next.ghost[cr].off_outside != Outside::Nothing;
                next.ghost[cr] = Ghost {
                    off_outside: if minded {
                        Outside::Minded
                    } else {
                        next.ghost[cr].off_outside
                    },
                    ..Ghost::default()
                };
            }
            self.push(Event::Writes(r as u8, cr as u8, rec), next, None);
        } else {
            self.push(Event::LosesSwap(r as u8, cr as u8), next, None);
        }
    }

    fn release(
        &mut self,
        mut next: World<N, R>,
        r: usize,
        cr: usize,
        copy: Obj,
        left_active: bool,
    ) {
        use tiktok_ads_operator::api::common::DeletionPolicy::Retain;
        let maker = Some((cr as u8, copy.uid));
        let known = copy.rec.and_then(|rec| rec.id);
        let strays = next
            .ids(|row| row.by == maker && !row.deleted)
            .any(|id| Some(id) != known);
        let mut late = next.late.iter().flatten();
        let coming = late.any(|late| late.row.by == maker && next.takes(late.row.parent));
        // Who holds an object that it adopted retains it unless it says otherwise.
        let retains = self.variant.crs[cr].policy == Some(Retain)
            || (self.variant.crs[cr].policy.is_none() && copy.rec.is_some_and(|rec| rec.adopted));
        let on = known.is_some_and(|id| {
            let row = next.rows[id as usize];
            row.on && !row.deleted && self.not_mine(&next, cr, id).is_none()
        });
        let broken = (strays || coming)
            .then_some(LET_GO)
            .or((on && !left_active && !retains).then_some(LEFT_ON));
        // The finalizer goes, and with it the object: it is being deleted.
        if self.swap(&mut next, r, cr, copy, Obj::default()) {
            next.ghost[cr] = Ghost::default();
            self.push(Event::Releases(r as u8, cr as u8), next, broken);
        } else {
            self.push(Event::LosesSwap(r as u8, cr as u8), next, None);
        }
    }
}
