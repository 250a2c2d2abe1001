//! Creates: announced first, sent once, what becomes of them, and what the answers teach. One object in its own turn, or
//! several ads of one ad group in one call (`Engine::create_together`).
//!
//! Bound: while a replica announces several, it begins no other call of several; it may have others in flight.

use tiktok_ads_operator::platform::{Kind, NewObject, create_batch};

use super::facts::{Act, Planner};
use super::step::{Event, Fate, Steps};
use super::variant::Keys;
use super::world::{Answer, Att, Cell, Ghost, LATEST, Late, Obj, Phase, Place, Rec, Row, World};

pub const UNMARKED: &str = "a create was sent that no mark of its own had announced (decision 4)";
pub const UNKNOWN: &str =
    "a create was sent while the outcome of an earlier one was unclear and not proven absent (R11)";
pub const ELSEWHERE: &str = "a create was sent for another place or name than its record says";

/// When one of several has its effect.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Effect {
    None,
    Now,
    Late,
}

impl<const N: usize, const R: usize> Steps<'_, N, R> {
    /// Do creates of this kind share calls?
    pub(super) fn shares(&self, cr: usize) -> bool {
        create_batch(self.variant.crs[cr].kind, self.variant.tree) > 1
    }

    // ---- the mark ----

    pub(super) fn mark(
        &mut self,
        next: World<N, R>,
        r: usize,
        cr: usize,
        copy: Obj,
        rec: Rec,
        together: bool,
    ) {
        let (ru, cu) = (r as u8, cr as u8);
        let to = Obj {
            rec: Some(rec),
            finalizer: copy.finalizer || !copy.deleting,
            ..copy
        };
        let unasked = self.planner.sends(&next, r, cr, rec, false);
        let mut taken = next;
        if taken.objs[cr] != copy {
            let mut lost = next;
            self.swap(&mut lost, r, cr, copy, to);
            if let Some(object) = &unasked {
                self.go_on(&lost, r, cr, rec, object, together);
            }
            lost.reps[r].memos[cr].phase = Phase::Idle;
            self.push(Event::LosesSwap(ru, cu), lost, None);
            return;
        }
        taken.objs[cr] = to;
        taken.ghost[cr].marked = Some((rec.counter, rec.attempt, rec.parent));
        if next.left.unclear > 0 {
            let mut unaware = taken;
            unaware.left.unclear -= 1;
            self.put(&mut unaware, r, cr, to);
            if let Some(object) = &unasked {
                self.go_on(&unaware, r, cr, rec, object, together);
            }
            unaware.reps[r].memos[cr].phase = Phase::Idle;
            self.push(Event::MarksUnaware(ru, cu), unaware, None);
        }
        taken.reps[r].memos[cr].phase = Phase::Marked { copy: to, together };
        self.push(Event::Marks(ru, cu, rec), taken, None);
    }

    /// The answer to the mark is here: plan from its copy, and send in the same breath, or wait for the others.
    pub(super) fn after_mark(
        &mut self,
        w: &World<N, R>,
        r: usize,
        cr: usize,
        copy: Obj,
        together: bool,
    ) {
        let mut next = *w;
        next.reps[r].memos[cr].phase = Phase::Idle;
        self.put(&mut next, r, cr, copy);
        let Some(rec) = copy.rec else { return };
        let memo = &mut next.reps[r].memos[cr];
        memo.of = Some((rec.counter, rec.attempt));
        memo.core.att = Att::Unsent;
        self.refresh(&mut next, r, cr);
        match self.planner.sends(&next, r, cr, rec, true) {
            Some(object) => self.go_on(&next, r, cr, rec, &object, together),
            None => self.push(Event::DoesNotSend(r as u8, 1 << cr), next, None),
        }
    }

    /// It may be sent: at once, or when the others of its call may be too.
    fn go_on(
        &mut self,
        w: &World<N, R>,
        r: usize,
        cr: usize,
        rec: Rec,
        object: &NewObject,
        together: bool,
    ) {
        let right = Planner::<N, R>::asked_for(object) == (rec.parent, self.variant.name(cr));
        let wrong = (!right).then_some(ELSEWHERE);
        if together {
            let mut next = *w;
            next.reps[r].memos[cr].phase = Phase::Announced(rec);
            self.push(Event::Announces(r as u8, cr as u8), next, wrong);
        } else {
            self.send(w, r, &[(cr, rec)], wrong);
        }
    }

    // ---- several ----

    /// `Outbox::pop_create` and the end of `Engine::create_together`.
    pub(super) fn together(&mut self, w: &World<N, R>, r: usize) {
        let phases = w.reps[r].memos.map(|m| m.phase);
        let announcing =
            |p: &Phase| matches!(p, Phase::Batched | Phase::Marked { together: true, .. });
        if phases.iter().any(announcing) {
            return;
        }
        let announced: Vec<(usize, Rec)> = (0..N)
            .filter_map(|cr| match phases[cr] {
                Phase::Announced(rec) => Some((cr, rec)),
                _ => None,
            })
            .collect();
        if !announced.is_empty() {
            self.send_announced(w, r, &announced);
        } else if Self::fence(w, r).is_some() {
            self.begin_together(w, r);
        }
    }

    /// Any of those that wait may be in the call: the others were not there yet when its turn came.
    fn begin_together(&mut self, w: &World<N, R>, r: usize) {
        let mut waiting: Vec<(usize, Rec, bool)> = Vec::new();
        for cr in 0..N {
            if !self.shares(cr) || w.reps[r].memos[cr].phase != Phase::Idle {
                continue;
            }
            if let Some(next) = self.certain(w, r, cr)
                && let Act::Mark(rec) = self.planner.act(&next, r, cr)
            {
                waiting.push((cr, rec, next.reps[r].memos[cr].alone));
            }
        }
        for mask in 1..1u8 << waiting.len() {
            let chosen: Vec<&(usize, Rec, bool)> = (0..waiting.len())
                .filter(|i| mask & (1 << i) != 0)
                .map(|i| &waiting[i])
                .collect();
            if let [(cr, rec, _)] = chosen.as_slice() {
                if let Some(next) = self.certain(w, r, *cr) {
                    let copy = next.reps[r].copies[*cr];
                    self.mark(next, r, *cr, copy, *rec, false);
                }
                continue;
            }
            let fit = |a: &(usize, Rec, bool), b: &(usize, Rec, bool)| {
                a.1.parent == b.1.parent
                    && !a.2
                    && !b.2
                    && self.variant.name(a.0) != self.variant.name(b.0)
            };
            let all_fit = (0..chosen.len()).all(|i| (0..i).all(|j| fit(chosen[i], chosen[j])));
            if all_fit {
                let mut next = *w;
                let mut bits = 0;
                for (cr, _, _) in chosen {
                    bits |= 1 << cr;
                    next.reps[r].memos[*cr].phase = Phase::Batched;
                }
                self.push(Event::Batches(r as u8, bits), next, None);
            }
        }
    }

    /// `Engine::announce_create`: marked only if the newest plan still wants it.
    pub(super) fn announce(&mut self, w: &World<N, R>, r: usize, cr: usize) {
        let mut idle = *w;
        idle.reps[r].memos[cr].phase = Phase::Idle;
        let Some(mut next) = self.certain(&idle, r, cr) else {
            self.push(Event::DoesNotSend(r as u8, 1 << cr), idle, None);
            return;
        };
        match self.planner.act(&next, r, cr) {
            Act::Mark(rec) => {
                next.reps[r].memos[cr].phase = Phase::Batched;
                let copy = next.reps[r].copies[cr];
                self.mark(next, r, cr, copy, rec, true);
            }
            _ => self.push(Event::DoesNotSend(r as u8, 1 << cr), next, None),
        }
    }

    /// All are announced: those whose time is not over are sent.
    fn send_announced(&mut self, w: &World<N, R>, r: usize, announced: &[(usize, Rec)]) {
        let mut next = *w;
        for (cr, _) in announced {
            next.reps[r].memos[*cr].phase = Phase::Idle;
        }
        let in_time: Vec<(usize, Rec)> = announced
            .iter()
            .copied()
            .filter(|(_, rec)| rec.mark == Some(w.now))
            .collect();
        if in_time.is_empty() {
            let bits = announced.iter().fold(0, |bits, (cr, _)| bits | 1 << cr);
            self.push(Event::DoesNotSend(r as u8, bits), next, None);
        } else {
            self.send(&next, r, &in_time, None);
        }
    }

    // ---- the call ----

    /// `Engine::send`: the lease is asked right before the bytes go.
    fn send(
        &mut self,
        w: &World<N, R>,
        r: usize,
        members: &[(usize, Rec)],
        wrong: Option<&'static str>,
    ) {
        let bits = members.iter().fold(0, |bits, (cr, _)| bits | 1 << cr);
        let mut next = *w;
        if Self::fence(w, r).is_none() {
            for (cr, _) in members {
                let memo = &mut next.reps[r].memos[*cr];
                memo.core.att = Att::Unsent;
                memo.core.name_read = None;
                memo.phase = Phase::Idle;
            }
            self.push(Event::DoesNotSend(r as u8, bits), next, None);
            return;
        }
        let mut broken = wrong.or(Self::fenced(w, r));
        let mut rows = Vec::new();
        for (cr, rec) in members {
            let ghost = &mut next.ghost[*cr];
            broken = broken
                .or(
                    (ghost.marked != Some((rec.counter, rec.attempt, rec.parent)))
                        .then_some(UNMARKED),
                )
                .or((ghost.open.is_some() && !ghost.proven).then_some(UNKNOWN));
            *ghost = Ghost {
                open: Some(rec.mark.unwrap_or(w.now)),
                ..Ghost::default()
            };
            let maker = (*cr as u8, w.reps[r].memos[*cr].uid);
            rows.push(Row {
                there: true,
                kind: self.variant.crs[*cr].kind,
                by: Some(maker),
                parent: rec.parent,
                counter: rec.counter,
                name: self.variant.name(*cr),
                created: w.now,
                deleted: false,
                on: false,
                bid: self
                    .variant
                    .bid(*cr, w.reps[r].copies[*cr].edits)
                    .unwrap_or(0),
            });
        }
        let call = Sent {
            r,
            members,
            rows,
            broken,
        };
        match members {
            [_] => self.fates_of_one(&next, &call),
            _ => self.fates_of_several(&next, &call),
        }
    }

    fn fates_of_one(&mut self, w: &World<N, R>, call: &Sent) {
        let row = call.rows[0];
        if let Some(old) = self.same_key(w, &row) {
            let deleted = w.rows[old as usize].deleted;
            let (fate, answer) = match self.variant.keys {
                Keys::Replayed if deleted => (Fate::Replayed, Answer::DeletedRow(old)),
                Keys::Replayed => (Fate::Replayed, Answer::Row(old)),
                _ => (Fate::Duplicate, Answer::Duplicate),
            };
            self.becomes(w, call, fate, &[(Effect::None, answer)]);
            return;
        }
        if !self.makes(w, call, 0) {
            let refused = [(Effect::None, Answer::Refused)];
            self.becomes(w, call, Fate::Refused, &refused);
        } else {
            self.becomes(w, call, Fate::Made, &[(Effect::Now, Answer::Nothing)]);
        }
        if w.left.unclear == 0 {
            return;
        }
        let mut next = *w;
        next.left.unclear -= 1;
        let lost = [(Effect::None, Answer::Nothing)];
        self.becomes(&next, call, Fate::GetsLost, &lost);
        let not_sent = [(Effect::None, Answer::NotSent)];
        self.becomes(&next, call, Fate::RefusedBeforeEffect, &not_sent);
        let late = [(Effect::Late, Answer::Nothing)];
        self.becomes(&next, call, Fate::ComesLate, &late);
    }

    /// Whole or in part, shown or not. Of several, a refusal teaches no more than a lost answer: they are one here.
    fn fates_of_several(&mut self, w: &World<N, R>, call: &Sent) {
        let k = call.rows.len();
        let can: u8 = (0..k)
            .filter(|i| self.makes(w, call, *i))
            .fold(0, |bits, i| bits | 1 << i);
        let all = (1u8 << k) - 1;
        let hidden = |now: u8, late: u8| -> Vec<(Effect, Answer)> {
            let effect = |i: usize| match (now & (1 << i) != 0, late & (1 << i) != 0) {
                (true, _) => Effect::Now,
                (_, true) => Effect::Late,
                _ => Effect::None,
            };
            (0..k).map(|i| (effect(i), Answer::Nothing)).collect()
        };
        let shown = |now: u8| -> Vec<(Effect, Answer)> {
            (0..k)
                .map(|i| match now & (1 << i) {
                    0 => (Effect::None, Answer::Nothing),
                    // Its id is known when it is made.
                    _ => (Effect::Now, Answer::Row(0)),
                })
                .collect()
        };
        if can == all {
            self.becomes(w, call, Fate::Made, &shown(all));
        } else {
            self.becomes(w, call, Fate::Refused, &hidden(0, 0));
        }
        if w.left.unclear == 0 {
            return;
        }
        let mut next = *w;
        next.left.unclear -= 1;
        let not_sent: Vec<_> = call
            .rows
            .iter()
            .map(|_| (Effect::None, Answer::NotSent))
            .collect();
        self.becomes(&next, call, Fate::RefusedBeforeEffect, &not_sent);
        for now in (0..=all).filter(|now| now & !can == 0) {
            if now != 0 && now != all {
                self.becomes(&next, call, Fate::PartShown(now), &shown(now));
            }
            // Late ones: all that are not made at once, or none.
            self.becomes(&next, call, Fate::PartHidden(now, 0), &hidden(now, 0));
            let late = can & !now;
            if late != 0 {
                self.becomes(&next, call, Fate::PartHidden(now, late), &hidden(now, late));
            }
        }
    }

    /// Would the platform make it?
    fn makes(&self, w: &World<N, R>, call: &Sent, i: usize) -> bool {
        let (cr, rec) = call.members[i];
        !self.variant.crs[cr].refused && w.takes(rec.parent)
    }

    fn becomes(&mut self, w: &World<N, R>, call: &Sent, fate: Fate, each: &[(Effect, Answer)]) {
        let bits = call.members.iter().fold(0, |bits, (cr, _)| bits | 1 << cr);
        let single = each.len() == 1;
        let mut next = *w;
        for (i, (effect, answer)) in each.iter().enumerate() {
            let (cr, rec) = call.members[i];
            let mut answer = *answer;
            match effect {
                Effect::None => {}
                Effect::Now => {
                    let id = next.add(call.rows[i]);
                    if single || answer != Answer::Nothing {
                        answer = Answer::Row(id);
                    }
                }
                Effect::Late => {
                    let Some(free) = next.late.iter().position(Option::is_none) else {
                        return;
                    };
                    next.late[free] = Some(Late {
                        row: call.rows[i],
                        at_latest: rec.mark.unwrap_or(w.now) + LATEST,
                    });
                    next.late.sort_unstable();
                }
            }
            next.reps[call.r].memos[cr].phase = Phase::Calling { answer, with: bits };
        }
        self.push(Event::Sends(call.r as u8, bits, fate), next, call.broken);
    }

    /// The row that the platform knows the key from, if it minds keys.
    fn same_key(&self, w: &World<N, R>, row: &Row) -> Option<u8> {
        if self.variant.keys == Keys::Ignored || row.kind == Kind::Ad {
            return None;
        }
        // The key is made of the CR's name, not its uid (R10).
        let cr = row.by.map(|(cr, _)| cr);
        w.ids(|r| r.by.map(|(cr, _)| cr) == cr && cr.is_some() && r.counter == row.counter)
            .next()
    }

    pub(super) fn land(&self, w: &mut World<N, R>, i: usize) {
        let Some(late) = w.late[i].take() else { return };
        w.late.sort_unstable();
        if self.same_key(w, &late.row).is_none() && w.takes(late.row.parent) {
            let created = w.now;
            w.add(Row {
                created,
                ..late.row
            });
        }
    }

    // ---- the answer ----

    /// `Engine::learn_created_together`: the whole answer at once, each object by itself.
    pub(super) fn answered(
        &mut self,
        w: &World<N, R>,
        r: usize,
        cr: usize,
        answer: Answer,
        with: u8,
    ) {
        if with.count_ones() == 1 {
            self.learn(w, r, &[(cr, answer)]);
            if matches!(answer, Answer::Row(_)) && w.left.unclear > 0 {
                let mut lost = *w;
                lost.left.unclear -= 1;
                self.learn(&lost, r, &[(cr, Answer::Nothing)]);
            }
            return;
        }
        // Told once, by the first of them.
        if with.trailing_zeros() as usize != cr {
            return;
        }
        let each: Vec<(usize, Answer)> = (0..N)
            .filter(|cr| with & (1 << cr) != 0)
            .filter_map(|cr| match w.reps[r].memos[cr].phase {
                Phase::Calling { answer, .. } => Some((cr, answer)),
                _ => None,
            })
            .collect();
        self.learn(w, r, &each);
    }

    /// `Engine::learn_created`.
    fn learn(&mut self, w: &World<N, R>, r: usize, each: &[(usize, Answer)]) {
        let mut next = *w;
        let alone = each.len() > 1 && each.iter().all(|(_, a)| *a == Answer::Nothing);
        let mut heard = Att::None;
        for (cr, answer) in each {
            let rec = next.reps[r].copies[*cr].rec;
            let memo = &mut next.reps[r].memos[*cr];
            memo.phase = Phase::Idle;
            memo.alone |= alone;
            memo.core.name_read = None;
            let att = match answer {
                Answer::Row(id) => Att::Made(*id),
                Answer::DeletedRow(id) => Att::MadeDeleted(*id),
                Answer::Nothing => Att::Unclear,
                Answer::NotSent => Att::Unsent,
                Answer::Duplicate => {
                    memo.core.key_used = true;
                    Att::Refused
                }
                Answer::Refused => {
                    memo.core.refused = Some(Place::of(rec.and_then(|rec| rec.parent)));
                    Att::Refused
                }
            };
            memo.core.att = att;
            heard = att;
            match att {
                Att::Unsent | Att::Refused => next.ghost[*cr].open = None,
                Att::Made(id) => {
                    next.reps[r].table[id as usize] = Self::live(&next, r, id, false);
                }
                Att::MadeDeleted(id) => next.reps[r].table[id as usize] = Cell::Deleted,
                _ => {}
            }
        }
        let bits = each.iter().fold(0, |bits, (cr, _)| bits | 1 << cr);
        self.push(Event::Hears(r as u8, bits, heard), next, None);
    }
}

/// A call on its way.
struct Sent<'a> {
    r: usize,
    members: &'a [(usize, Rec)],
    rows: Vec<Row>,
    broken: Option<&'static str>,
}
