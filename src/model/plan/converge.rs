//! Objects that are on the platform: pauses first, corrections, a resume last (R1, R2).

use super::super::ceiling::{Candidate, Hold, per_day, row_per_day};
use super::super::diff::{Diff, diff};
use super::super::facts::{Account, Have, Look, Refusable, Seen};
use super::super::reason::Reason;
use super::super::record::Record;
use super::super::wanted::Group;
use super::{Action, Plan, Planner, StatusWish, state_difference};
use crate::api::RESUME;
use crate::api::common::{DesiredState, StateDriftPolicy};
use crate::platform::{Changes, OperationState, OperationStatus, Row};

/// A hold that does not depend on the neighbours: it keeps an object off and switches a running one off.
pub(super) fn standing_hold(account: &Account, amount: Option<i64>) -> Option<Hold> {
    let degraded = account.pause_all.clone().map(|message| Hold {
        reason: Reason::AuthDegraded,
        message,
    });
    degraded.or_else(|| account.caps.standing_hold(amount, &account.currency))
}

impl Planner<'_> {
    pub(super) fn held(&self, record: &Record, id: &str, account: &Account) -> Plan {
        let noun = self.noun();
        if let Some(other) = self
            .f
            .object
            .life()
            .external_id
            .filter(|other| *other != id && Some(*other) != record.former.as_ref())
        {
            return self.stalled(Reason::IdentityConflict, format!("this object holds {noun} {id}, spec.externalId says {other}; set it back, or delete this object and make another"));
        }
        if let Some(other) = self
            .f
            .object
            .status
            .as_ref()
            .and_then(|s| s.id.as_ref())
            .filter(|other| *other != id && Some(*other) != record.former.as_ref())
        {
            return self.stalled(Reason::IdentityConflict, format!("the record names {noun} {id}, status names {other}; remove the wrong one, nothing is written until then"));
        }
        if let Some(holder) = &self.f.rivals.id_holder {
            return self.stalled(
                Reason::Conflict,
                format!("{noun} {id} belongs to {holder}; remove one of the two objects"),
            );
        }
        match &self.f.have {
            Have::Unknown => {
                if let Some(wait) = self.backing_off() {
                    return wait;
                }
                self.progress(
                    Action::Look(Look::Id {
                        tree: record.tree,
                        id: id.into(),
                    }),
                    Reason::LookingUp,
                    format!("reading {noun} {id}"),
                )
            }
            Have::Absent => self.gone(record, id, None),
            Have::Present(seen) if seen.row.operation == OperationState::Deleted => {
                self.gone(record, id, Some(&seen.row))
            }
            Have::Present(seen) => self.converge(record, seen, account),
        }
    }

    pub(super) fn gone(&self, record: &Record, id: &str, row: Option<&Row>) -> Plan {
        let noun = self.noun();
        if self.effective.hands_off() || self.effective.pauses_only() {
            return self.stalled(
                Reason::ExternallyDeleted,
                format!("{noun} {id} was deleted on TikTok"),
            );
        }
        // A create that was answered with a row older than its own mark: TikTok replayed the key of an object that is gone.
        let replayed = !record.key.is_empty()
            && row
                .and_then(|r| r.created)
                .zip(record.since)
                .is_some_and(|(created, since)| created + self.f.settings.clock_slack < since);
        if replayed {
            return self.replace_key(record);
        }
        let wanted = self.f.object.life().incarnation.unwrap_or(0);
        if wanted > record.incarnation {
            let next = Record {
                incarnation: wanted,
                counter: 0,
                attempt: 0,
                key: String::new(),
                since: None,
                mark: None,
                former: record.id.clone(),
                id: None,
                adopted: false,
                seen_on: false,
                ..record.next()
            };
            return self.progress(
                Action::Write(next),
                Reason::Creating,
                format!("{noun} {id} is gone; making the next incarnation"),
            );
        }
        let mut plan = self.stalled(
            Reason::ExternallyDeleted,
            format!("{noun} {id} was deleted on TikTok, which is final; to make a new one set spec.incarnation: {}, or delete this object", record.incarnation + 1),
        );
        plan.verdict.row = row.cloned();
        plan
    }

    pub(super) fn converge(&self, record: &Record, seen: &Seen, account: &Account) -> Plan {
        let row = &seen.row;
        let on = row.operation == OperationState::On;
        let want = self.effective.state;
        let compared = self.compared(row);
        let amount = row_per_day(row, self.wanted.budget);
        // R3: what nobody asked us to mind is not held either.
        let holding = (want == Some(DesiredState::Active))
            .then(|| {
                let own = standing_hold(account, amount);
                own.or_else(|| self.hold_of_dedicated_parent(account))
                    .or_else(|| self.out_of_time(row, &compared))
            })
            .flatten();
        let finish = |mut plan: Plan| {
            plan.verdict.row = Some(row.clone());
            plan.verdict.differences.clone_from(&compared.differences);
            if let (DesiredState::Active, false, Some(_)) =
                (want.unwrap_or(DesiredState::Paused), on, want)
            {
                plan.verdict
                    .differences
                    .push(state_difference("Active", "off"));
            }
            if want == Some(DesiredState::Paused) && on {
                plan.verdict
                    .differences
                    .push(state_difference("Paused", "on"));
            }
            if plan.verdict.hold.is_none() {
                plan.verdict.hold.clone_from(&holding);
            }
            plan.verdict.drifted = !plan.verdict.differences.is_empty() && self.was_in_sync();
            self.note_window(row, &mut plan.verdict);
            self.note_side_effects(&mut plan.verdict);
            if plan.action == Action::Rest && plan.wake.is_none() {
                plan.wake = self.look_at_the_clock(row);
            }
            plan
        };

        // R2: a wanted pause goes first.
        let asked_for = want == Some(DesiredState::Paused);
        // R7: an automatic pause of such a campaign would be final; its ad groups are what may be switched off.
        let stays_on = holding.as_ref().filter(|_| on && row.is_dedicated());
        let must_be_off = asked_for || (holding.is_some() && stays_on.is_none());
        if on && must_be_off && !self.effective.hands_off() {
            return finish(self.pause(row, asked_for));
        }
        if self.effective.hands_off() {
            return finish(self.observe(row));
        }
        if !self.has_finalizer() {
            return finish(self.progress(
                Action::Write(record.next()),
                Reason::Updating,
                "putting the finalizer back",
            ));
        }
        if let Some(noted) = self.bookkeeping(record, on, want) {
            return finish(self.progress(
                Action::Write(noted),
                Reason::Updating,
                "noting what was seen",
            ));
        }
        if let (Some(hold), true) = (stays_on, self.effective.pauses_only()) {
            return finish(self.never_paused(hold));
        }
        if self.effective.pauses_only() {
            return finish(
                if compared.changes.is_empty() && (on || want != Some(DesiredState::Active)) {
                    self.done(
                        self.suspended(),
                        self.suspended_message("nothing is outstanding"),
                    )
                } else {
                    self.progress(
                        Action::Rest,
                        self.suspended(),
                        self.suspended_message("changes wait"),
                    )
                },
            );
        }
        if !seen.read_back {
            return finish(self.progress(
                Action::Look(Look::Id {
                    tree: row.tree,
                    id: row.id.clone(),
                }),
                Reason::ReadingBack,
                "reading back what TikTok made of the write",
            ));
        }
        if let Some(fixed) = compared
            .differences
            .iter()
            .find(|d| d.group == Group::Fixed)
        {
            return finish(self.stalled(
                Reason::AdoptionMismatch,
                format!("{} is {} on TikTok, the spec says {}; it cannot be changed there, correct the spec", fixed.field, fixed.have, fixed.want),
            ));
        }
        if let Some(elsewhere) = self.in_another_parent(row) {
            return finish(elsewhere);
        }
        if let Err((reason, message)) = self.currency(account) {
            return finish(self.stalled(reason, message));
        }
        if let Some(shifted) = self.schedule_shifted(row, &compared.differences) {
            return finish(shifted);
        }
        if let Some(disagree) = self.siblings_disagree() {
            return finish(disagree);
        }
        if let Some(plan) = self.correct(seen, compared.changes.clone(), account) {
            return finish(plan);
        }
        if let Some(plan) = self.switch_creatives(row) {
            return finish(plan);
        }
        if let Some(hold) = stays_on {
            return finish(self.never_paused(hold));
        }
        if want == Some(DesiredState::Active) && !on {
            if let Some(hold) = holding
                .as_ref()
                .filter(|h| h.reason == Reason::ScheduleShifted)
            {
                return finish(self.stalled(hold.reason, hold.message.clone()));
            }
            return finish(self.enable(record, row, account));
        }
        if let Some(late) = self.too_late(row) {
            return finish(late);
        }
        finish(match want {
            Some(DesiredState::Paused) => self.done(
                Reason::Paused,
                format!(
                    "the platform has the spec; the {} is paused, as wanted",
                    self.noun()
                ),
            ),
            _ => self.done(Reason::InSync, "the platform has the spec"),
        })
    }

    fn compared(&self, row: &Row) -> Diff {
        diff(self.f.object, &self.wanted, row, &self.effective.drift)
    }

    fn never_paused(&self, hold: &Hold) -> Plan {
        self.stalled(
            hold.reason,
            format!("{}; an iOS 14 dedicated campaign is never paused by itself, since that is final: set spec.state: Paused if you want it", hold.message),
        )
    }

    pub(super) fn pause(&self, row: &Row, asked_for: bool) -> Plan {
        let postback = (asked_for && row.is_dedicated())
            .then(|| self.f.object.spec.postback_window())
            .flatten();
        let action = Action::SetStatus(StatusWish {
            postback,
            ..StatusWish::new(row, OperationStatus::Disable)
        });
        let noun = self.noun();
        let mut message = format!("switching the {noun} off");
        if self.f.memory.pauses >= 2 {
            message = format!(
                "switching the {noun} off again ({} times now): somebody or an automated rule keeps switching it on",
                self.f.memory.pauses + 1
            );
        }
        self.progress(action, Reason::Pausing, message)
    }

    /// R1: what is written down about having been on, before any further enable.
    pub(super) fn bookkeeping(
        &self,
        record: &Record,
        on: bool,
        want: Option<DesiredState>,
    ) -> Option<Record> {
        let resume = self.annotation(RESUME).map(str::to_owned);
        let active = want == Some(DesiredState::Active);
        let asked_again = resume.is_some() && resume != record.resumed;
        if active && on && !record.seen_on {
            return Some(Record {
                seen_on: true,
                resumed: resume,
                ..record.next()
            });
        }
        // What a hold of ours switched off was nobody's pause, whether the hold is still there or not.
        let forget = record.seen_on && !on && (!active || asked_again || self.f.memory.pauses > 0);
        forget.then(|| Record {
            seen_on: false,
            resumed: resume,
            ..record.next()
        })
    }

    /// Changed fields, all in one call. `None`: nothing to change.
    pub(super) fn correct(
        &self,
        seen: &Seen,
        mut changes: Changes,
        account: &Account,
    ) -> Option<Plan> {
        let row = &seen.row;
        let mut hold = None;
        if let Some(budget) = changes.budget
            && Some(budget) > row.budget
            && (row.operation == OperationState::On
                || self.effective.state == Some(DesiredState::Active))
        {
            let could = per_day(row.budget_mode.as_deref(), Some(budget));
            if let Err(refused) =
                self.f
                    .ceiling
                    .check(&account.caps, &Candidate::of(row, could), &account.currency)
            {
                changes.budget = None;
                hold = Some(refused);
            }
        }
        let waits_for = self.leave_to_leader(&mut changes);
        if changes.is_empty() {
            if let Some(leader) = waits_for {
                return Some(self.progress(
                    Action::Rest,
                    Reason::Updating,
                    format!(
                        "TikTok keeps one bid for all ad groups of this campaign; {leader} sends it"
                    ),
                ));
            }
            return hold.map(|hold| {
                let mut plan = self.stalled(hold.reason, hold.message.clone());
                plan.verdict.hold = Some(hold);
                plan
            });
        }
        if let Some((reason, message)) = self.refused(Refusable::Update) {
            return Some(self.stalled(reason, self.explained(message)));
        }
        if self.f.memory.corrections >= self.f.settings.corrections {
            let lowered = changes.budget.is_some_and(|b| Some(b) < row.budget);
            let hint = if lowered {
                format!(
                    "TikTok has {}: a budget may not go below 105 % of what is already spent, so the lowest amount it takes is 1.05 × the spend shown in Ads Manager; or an automated rule, another tool or a person is changing it back",
                    row.budget.unwrap_or_default()
                )
            } else {
                "an automated rule, another tool or a person may be changing it back".into()
            };
            return Some(self.stalled(
                Reason::NotConverging,
                format!("{} corrections did not hold: {hint}; corrections stop until the spec changes or the difference goes away", self.f.memory.corrections),
            ));
        }
        if let Some(wait) = self.backing_off() {
            return Some(wait);
        }
        match self.complete(changes, seen) {
            Ok(changes) => Some(self.progress(
                Action::Update {
                    tree: row.tree,
                    id: row.id.clone(),
                    changes: Box::new(changes),
                },
                Reason::Updating,
                "sending the changed fields",
            )),
            // R15: it is learned and wakes this object, which is then planned from it.
            Err(look) => Some(self.progress(
                Action::Look(look),
                Reason::Updating,
                "reading what has to be sent along with the changed fields",
            )),
        }
    }

    pub(super) fn enable(&self, record: &Record, row: &Row, account: &Account) -> Plan {
        if record.seen_on && self.effective.drift.state == StateDriftPolicy::Respect {
            let message = format!(
                "somebody or something switched the {} off on TikTok; it stays off until spec.state changes or the annotation {RESUME} gets a new value",
                self.noun()
            );
            let mut plan = self.done(Reason::PausedOutside, message.clone());
            plan.verdict.hold = Some(Hold {
                reason: Reason::PausedOutside,
                message,
            });
            return plan;
        }
        // What it was switched off for holds still: on again it would be off again.
        if let Some(hold) = self.hold_of_dedicated_parent(account) {
            let mut plan = self.stalled(hold.reason, hold.message.clone());
            plan.verdict.hold = Some(hold);
            return plan;
        }
        // The spec's budget too, even where a difference is only reported: what switches off looks at both.
        let could = row_per_day(row, self.wanted.budget);
        if let Err(hold) =
            self.f
                .ceiling
                .check(&account.caps, &Candidate::of(row, could), &account.currency)
        {
            let unread =
                !self.f.ceiling.complete || !self.f.ceiling.ad_groups_of.contains(&row.tree);
            let mut plan = if hold.reason == Reason::CeilingUnknown && unread {
                self.progress(Action::Rest, hold.reason, hold.message.clone())
            } else {
                self.stalled(hold.reason, hold.message.clone())
            };
            plan.verdict.hold = Some(hold);
            return plan;
        }
        if account.disconnecting {
            return self.progress(
                Action::Rest,
                Reason::ConnectionDeleting,
                "the connection is being deleted; nothing is switched on",
            );
        }
        match self.refused(Refusable::Enable) {
            // R4: a reviewer's day is progress, not an error, and not asked about in a loop.
            Some((reason @ Reason::InReview, message)) => {
                if let Some(again) = self.review_over(row) {
                    return Plan {
                        wake: Some(again),
                        ..self.done(reason, message)
                    };
                }
            }
            Some((reason, message)) => return self.stalled(reason, message),
            None => {}
        }
        if let Some(wait) = self.backing_off() {
            return wait;
        }
        let action = Action::SetStatus(StatusWish::new(row, OperationStatus::Enable));
        self.progress(
            action,
            Reason::Enabling,
            format!("switching the {} on", self.noun()),
        )
    }

    /// Observe and Plan: compare and tell.
    pub(super) fn observe(&self, row: &Row) -> Plan {
        let compared = self.compared(row);
        let on = row.operation == OperationState::On;
        let state_differs = self
            .effective
            .state
            .is_some_and(|want| (want == DesiredState::Active) != on);
        let mut plan =
            if self.has_finalizer() && self.f.record.own().is_none_or(|r| r.mark.is_none()) {
                self.progress(
                    Action::Unfinalize,
                    Reason::Observed,
                    "this mode holds nothing back",
                )
            } else if compared.differences.is_empty() && !state_differs {
                self.done(
                    Reason::Observed,
                    format!("mode {:?}: the platform has the spec", self.effective.mode),
                )
            } else {
                let fields: Vec<&str> = compared
                    .differences
                    .iter()
                    .map(|d| d.field)
                    .chain(state_differs.then_some("state"))
                    .collect();
                self.stalled(
                    Reason::WouldUpdate,
                    format!(
                        "mode {:?} writes nothing; in mode Enforce these would be set: {}",
                        self.effective.mode,
                        fields.join(", ")
                    ),
                )
            };
        plan.verdict.row = Some(row.clone());
        plan.verdict.differences = compared.differences;
        if state_differs {
            plan.verdict.differences.push(if on {
                state_difference("Paused", "on")
            } else {
                state_difference("Active", "off")
            });
        }
        plan.verdict.drifted = !plan.verdict.differences.is_empty();
        plan
    }
}
