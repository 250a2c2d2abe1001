//! Observe and Plan: compare and tell. What is said here is what mode Enforce would do at once, holds and ceilings
//! included: somebody reads it to decide whether to let go of the brake.

use super::super::ceiling::Hold;
use super::super::diff::Diff;
use super::super::facts::Account;
use super::super::reason::Reason;
use super::super::record::Record;
use super::super::tell;
use super::super::wanted::Group;
use super::{Action, Plan, Planner, state_difference};
use crate::api::common::{DesiredState, DriftPolicy};
use crate::platform::{OperationState, Row};

/// What mode Enforce would make of the switch.
enum Switch {
    Stays,
    Off(String),
    /// It would stay off, for this.
    Kept(Hold),
    /// R7: it would stay on although this holds it.
    Spared(Hold),
    On,
}

impl Planner<'_> {
    /// Compares and tells.
    pub(super) fn observe(&self, row: &Row, account: &Account) -> Plan {
        let record = self.f.record.own();
        if self.has_finalizer() && record.is_none_or(|r| r.mark.is_none()) {
            return self.progress(
                Action::Unfinalize,
                Reason::Observed,
                "this mode holds nothing back",
            );
        }
        let compared = self.compared(row);
        let on = row.operation == OperationState::On;
        let switch = self.would_switch(record, row, &compared, account);
        let raise = (compared.changes.budget)
            .filter(|to| Some(*to) > row.budget)
            .filter(|_| on || self.effective.state == Some(DesiredState::Active))
            .and_then(|to| self.not_raised(row, to, account));

        let mut plan = self.would(row, &compared, &switch, raise.as_ref(), account);
        plan.verdict.hold = match switch {
            Switch::Kept(hold) | Switch::Spared(hold) => Some(hold),
            _ => self.holding(row, &compared, account).or(raise),
        };
        plan.verdict.row = Some(row.clone());
        plan.verdict.differences = compared.differences;
        let state = self.state_differs(on);
        plan.verdict.drifted = !plan.verdict.differences.is_empty()
            || (state.is_some() && !record.is_some_and(|r| r.held_off));
        plan.verdict.differences.extend(state);
        plan
    }

    /// The switch is otherwise than the spec says.
    pub(super) fn state_differs(&self, on: bool) -> Option<super::super::diff::Difference> {
        match (self.effective.state?, on) {
            (DesiredState::Active, false) => Some(state_difference("Active", "off")),
            (DesiredState::Paused, true) => Some(state_difference("Paused", "on")),
            _ => None,
        }
    }

    fn would_switch(
        &self,
        record: Option<&Record>,
        row: &Row,
        compared: &Diff,
        account: &Account,
    ) -> Switch {
        let on = row.operation == OperationState::On;
        let holding = self.holding(row, compared, account);
        match (self.effective.state, on) {
            (Some(DesiredState::Paused), true) => Switch::Off(self.why_paused().into()),
            (Some(DesiredState::Active), true) => match holding {
                Some(hold) if row.is_dedicated() => Switch::Spared(hold),
                Some(hold) => Switch::Off(hold.message),
                None => Switch::Stays,
            },
            (Some(DesiredState::Active), false) => {
                match holding.or_else(|| self.kept_off(record, row, account)) {
                    Some(hold) => Switch::Kept(hold),
                    None => Switch::On,
                }
            }
            _ => Switch::Stays,
        }
    }

    fn would(
        &self,
        row: &Row,
        compared: &Diff,
        switch: &Switch,
        raise: Option<&Hold>,
        account: &Account,
    ) -> Plan {
        let noun = self.noun();
        let start = format!(
            "mode {:?} writes nothing; in mode Enforce ",
            self.effective.mode
        );
        // R2: a pause goes before everything that speaks against other writes.
        let mut parts = match switch {
            Switch::Off(why) => vec![format!(
                "this {noun}, which is on, would be switched off: {why}"
            )],
            _ => {
                if let Some(stands) = self.stands_in_the_way(row, compared, account) {
                    return stands;
                }
                Vec::new()
            }
        };
        let set: Vec<&str> = (compared.differences.iter())
            .filter(|d| self.effective.drift.of(d.group) == DriftPolicy::Correct)
            .filter(|d| !(raise.is_some() && d.group == Group::Budget))
            .map(|d| d.field)
            .collect();
        if !set.is_empty() {
            parts.push(format!("these would be set: {}", set.join(", ")));
        }
        if let Some(hold) = raise {
            parts.push(format!("the budget would not be raised: {}", hold.message));
        }
        let mut reason = match switch {
            Switch::Off(_) => Reason::WouldPause,
            _ if !set.is_empty() => Reason::WouldUpdate,
            _ => raise.map_or(Reason::WouldUpdate, |hold| hold.reason),
        };
        match switch {
            Switch::Stays | Switch::Off(_) => {}
            Switch::On => {
                let with = tell::budget(row, &account.currency)
                    .map_or_else(String::new, |budget| format!(" ({budget})"));
                parts.push(format!("the {noun} would be switched on{with}"));
            }
            Switch::Kept(hold) if hold.reason == Reason::PausedOutside && parts.is_empty() => {
                return self.done(
                    hold.reason,
                    format!("{start}the {noun} would stay off: {}", hold.message),
                );
            }
            Switch::Kept(hold) => {
                parts.push(format!("the {noun} would stay off: {}", hold.message));
                if set.is_empty() {
                    reason = hold.reason;
                }
            }
            Switch::Spared(hold) => {
                parts.push(self.spared(hold));
                if set.is_empty() {
                    reason = hold.reason;
                }
            }
        }
        if parts.is_empty() {
            return self.done(
                Reason::Observed,
                format!(
                    "mode {:?} writes nothing, and mode Enforce would not either: {}",
                    self.effective.mode,
                    self.as_said(row, compared)
                ),
            );
        }
        self.stalled(reason, start + &parts.join("; "))
    }

    /// What would keep mode Enforce from writing anything but a pause.
    fn stands_in_the_way(&self, row: &Row, compared: &Diff, account: &Account) -> Option<Plan> {
        if let Some(fixed) = self.cannot_be_changed(compared) {
            return Some(fixed);
        }
        if let Some(elsewhere) = self.in_another_parent(row) {
            return Some(elsewhere);
        }
        if let Err((reason, message)) = self.currency(account) {
            return Some(self.stalled(reason, message));
        }
        self.siblings_disagree()
    }
}
