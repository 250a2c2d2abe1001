//! Objects that are on the platform: pauses first, corrections, a resume last (R1, R2).

use super::super::ceiling::Hold;
use super::super::diff::{Diff, diff};
use super::super::facts::{Account, Have, Look, Refusable, Seen};
use super::super::reason::Reason;
use super::super::record::Record;
use super::super::tell::{self, Tell};
use super::super::wanted::Group;
use super::{Action, Plan, Planner, StatusWish};
use crate::api::common::DesiredState;
use crate::api::{RELEASE, RESUME};
use crate::platform::{Cents, Changes, Kind, OperationState, OperationStatus, Row};

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
            return self.stalled(
                Reason::IdentityConflict,
                format!(
                    "this object holds {noun} {id}, spec.externalId says {other}; to look after {other}, annotate this \
                     object with {RELEASE}: \"true\", delete it (then nothing on TikTok is touched) and apply it again"
                ),
            );
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
                held_off: false,
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
        let holding = self.holding(row, &compared, account);
        let finish = |mut plan: Plan| {
            plan.verdict.row = Some(row.clone());
            plan.verdict.differences.clone_from(&compared.differences);
            let state = self.state_differs(on);
            // What a hold of ours switched off is as it is by our own doing.
            let ours =
                record.held_off || (want == Some(DesiredState::Active) && self.f.memory.pauses > 0);
            let outside = !plan.verdict.differences.is_empty() || (state.is_some() && !ours);
            plan.verdict.drifted = outside && self.was_in_sync();
            plan.verdict.differences.extend(state);
            if plan.verdict.hold.is_none() {
                plan.verdict.hold.clone_from(&holding);
            }
            self.note_window(row, &mut plan.verdict);
            self.note_side_effects(&mut plan.verdict);
            if plan.action == Action::Rest && plan.wake.is_none() {
                plan.wake = self.look_at_the_clock(row);
            }
            plan
        };

        if self.effective.hands_off() {
            return finish(self.observe(row, account));
        }
        // R2: a wanted pause goes first.
        let asked_for = want == Some(DesiredState::Paused);
        // R7: an automatic pause of such a campaign would be final; its ad groups are what may be switched off.
        let stays_on = holding.as_ref().filter(|_| on && row.is_dedicated());
        let must_be_off = asked_for || (holding.is_some() && stays_on.is_none());
        if on && must_be_off {
            let why = holding.as_ref().filter(|_| !asked_for);
            let why = why.map_or_else(|| self.why_paused(), |hold| &hold.message);
            return finish(self.pause(row, asked_for, why));
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
        if let Some(fixed) = self.cannot_be_changed(&compared) {
            return finish(fixed);
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
                return finish(self.stalled(hold.reason, self.told_off(Some(record), hold)));
            }
            return finish(self.enable(record, row, account));
        }
        if let Some(late) = self.too_late(row) {
            return finish(late);
        }
        let reason = match want {
            Some(DesiredState::Paused) => Reason::Paused,
            _ => Reason::InSync,
        };
        finish(self.done(reason, self.as_said(row, &compared)))
    }

    pub(super) fn compared(&self, row: &Row) -> Diff {
        diff(self.f.object, &self.wanted, row, &self.effective.drift)
    }

    /// Nothing is outstanding: what is so on TikTok, the switch included.
    pub(super) fn as_said(&self, row: &Row, compared: &Diff) -> String {
        let noun = self.noun();
        let reported: Vec<&str> = compared.differences.iter().map(|d| d.field).collect();
        let but = match reported.as_slice() {
            [] => String::new(),
            fields => format!(
                ", except {}, which spec.drift says to report only",
                fields.join(", ")
            ),
        };
        let on = row.operation == OperationState::On;
        let word = if on { "on" } else { "paused" };
        let switch = match (self.effective.state, self.f.object.life().state) {
            (Some(_), Some(_)) => format!("is {word}, as the manifest says"),
            (Some(_), None) => format!("is {word}, since {}", self.why_paused()),
            (None, _) => {
                format!("is {word} and stays as it is, since the manifest does not say spec.state")
            }
        };
        format!("TikTok is as this manifest says{but}; the {noun} {switch}")
    }

    /// What cannot be changed on TikTok is otherwise there.
    pub(super) fn cannot_be_changed(&self, compared: &Diff) -> Option<Plan> {
        let mut differences = compared.differences.iter();
        let fixed = differences.find(|d| d.group == Group::Fixed)?;
        Some(self.stalled(
            Reason::AdoptionMismatch,
            format!(
                "{} is {} on TikTok, the spec says {}; it cannot be changed there, correct the spec. Where the API server \
                 refuses that, annotate this object with {RELEASE}: \"true\", delete it (then nothing on TikTok is touched) \
                 and apply it again as TikTok has it",
                fixed.field, fixed.have, fixed.want
            ),
        ))
    }

    /// R7: held, and yet on.
    pub(super) fn spared(&self, hold: &Hold) -> String {
        format!(
            "{}; an iOS 14 dedicated campaign is never paused by itself, since that is final: set spec.state: Paused if you want it",
            hold.message
        )
    }

    fn never_paused(&self, hold: &Hold) -> Plan {
        self.stalled(hold.reason, self.spared(hold))
    }

    pub(super) fn pause(&self, row: &Row, asked_for: bool, why: &str) -> Plan {
        let postback = (asked_for && row.is_dedicated())
            .then(|| self.f.object.spec.postback_window())
            .flatten();
        let action = Action::SetStatus(StatusWish {
            postback,
            ..StatusWish::new(row, OperationStatus::Disable)
        });
        let noun = self.noun();
        let mut message = format!("switching the {noun} off: {why}");
        if self.f.memory.pauses >= 2 {
            message = format!(
                "switching the {noun} off again ({} times now): somebody or an automated rule keeps switching it on",
                self.f.memory.pauses + 1
            );
        }
        Plan {
            tell: Some(Tell::normal(
                "SwitchedOff",
                format!("switched {noun} {} off: {why}", row.id),
            )),
            ..self.progress(action, Reason::Pausing, message)
        }
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
                held_off: false,
                resumed: resume,
                ..record.next()
            });
        }
        // What a hold of ours switched off was nobody's pause, whether the hold is still there or not.
        let ours = active && !on && self.f.memory.pauses > 0;
        let held_off = active && (ours || record.held_off);
        let forget = record.seen_on && !on && (!active || asked_again || ours);
        (forget || held_off != record.held_off).then(|| Record {
            seen_on: record.seen_on && !forget,
            held_off,
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
            hold = self.not_raised(row, budget, account);
            if hold.is_some() {
                changes.budget = None;
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
                let told = format!("the budget is not raised: {}", hold.message);
                let mut plan = self.stalled(hold.reason, told);
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
        let tell = changes
            .budget
            .map(|to| Tell::normal("BudgetChanged", self.changed_budget(row, to)));
        match self.complete(changes, seen) {
            Ok(changes) => Some(Plan {
                tell,
                ..self.progress(
                    Action::Update {
                        tree: row.tree,
                        id: row.id.clone(),
                        changes: Box::new(changes),
                    },
                    Reason::Updating,
                    "sending the changed fields",
                )
            }),
            // R15: it is learned and wakes this object, which is then planned from it.
            Err(look) => Some(self.progress(
                Action::Look(look),
                Reason::Updating,
                "reading what has to be sent along with the changed fields",
            )),
        }
    }

    pub(super) fn enable(&self, record: &Record, row: &Row, account: &Account) -> Plan {
        if let Some(hold) = self.kept_off(Some(record), row, account) {
            let message = self.told_off(Some(record), &hold);
            let unread =
                !self.f.ceiling.complete || !self.f.ceiling.ad_groups_of.contains(&row.tree);
            let mut plan = match hold.reason {
                Reason::PausedOutside => self.done(hold.reason, message),
                Reason::CeilingUnknown if unread => {
                    self.progress(Action::Rest, hold.reason, message)
                }
                _ => self.stalled(hold.reason, message),
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
        let noun = self.noun();
        let with = match (tell::budget(row, self.unit()), self.kind) {
            (Some(budget), _) => format!(" with {budget}"),
            (None, Kind::Campaign) => "; the budgets of its ad groups count".into(),
            (None, Kind::AdGroup) => "; the budget of its campaign counts".into(),
            (None, Kind::Ad) => String::new(),
        };
        Plan {
            tell: Some(Tell::normal(
                "SwitchedOn",
                format!("switched {noun} {} on{with}", row.id),
            )),
            ..self.progress(action, Reason::Enabling, format!("switching the {noun} on"))
        }
    }

    fn changed_budget(&self, row: &Row, to: Cents) -> String {
        let (noun, id, mode) = (self.noun(), &row.id, row.budget_mode.as_deref());
        let to = tell::amount_of(mode, to, self.unit()).unwrap_or_else(|| to.to_string());
        let from = row.budget.filter(|from| from.0 > 0);
        let from = from.map_or_else(String::new, |from| format!(" from {from}"));
        let back = if self.was_in_sync() {
            ", back to what the manifest says: somebody had changed it on TikTok. spec.drift.budget: Report would only \
             report such a change"
        } else {
            ""
        };
        format!("changed the budget of {noun} {id}{from} to {to}{back}")
    }
}
