//! What keeps an object off although its spec says Active, and how that is told.

use super::super::ceiling::{Bound, Candidate, Hold, per_day, row_per_day};
use super::super::diff::Diff;
use super::super::facts::Account;
use super::super::reason::Reason;
use super::super::record::Record;
use super::Planner;
use crate::api::RESUME;
use crate::api::common::{DesiredState, StateDriftPolicy};
use crate::platform::{Cents, Row};

/// A hold that does not depend on the neighbours: it keeps an object off and switches a running one off.
pub(super) fn standing_hold(account: &Account, amount: Option<Bound>) -> Option<Hold> {
    let degraded = account.pause_all.clone().map(|message| Hold {
        reason: Reason::AuthDegraded,
        message,
    });
    degraded.or_else(|| account.caps.standing_hold(amount, &account.currency))
}

impl Planner<'_> {
    /// What switches it off while it is on. R3: what nobody asked us to mind is not held.
    pub(super) fn holding(&self, row: &Row, compared: &Diff, account: &Account) -> Option<Hold> {
        if self.effective.state != Some(DesiredState::Active) {
            return None;
        }
        let own = standing_hold(account, row_per_day(row, self.wanted.budget));
        own.or_else(|| self.hold_of_dedicated_parent(account))
            .or_else(|| self.out_of_time(row, compared))
    }

    /// What keeps it from being switched on while it is off.
    pub(super) fn kept_off(
        &self,
        record: Option<&Record>,
        row: &Row,
        account: &Account,
    ) -> Option<Hold> {
        let seen_on = record.is_some_and(|record| record.seen_on);
        if seen_on && self.effective.drift.state == StateDriftPolicy::Respect {
            return Some(Hold {
                reason: Reason::PausedOutside,
                message: format!(
                    "somebody or something switched the {} off on TikTok; it stays off until spec.state changes or the annotation {RESUME} gets a new value",
                    self.noun()
                ),
            });
        }
        // What it was switched off for holds still: on again it would be off again.
        self.hold_of_dedicated_parent(account).or_else(|| {
            // The spec's budget too, even where a difference is only reported: what switches off looks at both.
            let could = row_per_day(row, self.wanted.budget);
            self.above_the_ceiling(row, could, account)
        })
    }

    /// What keeps its budget from being raised to this.
    pub(super) fn not_raised(&self, row: &Row, to: Cents, account: &Account) -> Option<Hold> {
        let could = per_day(row.budget_mode.as_deref(), Some(to));
        self.above_the_ceiling(row, could, account)
    }

    fn above_the_ceiling(
        &self,
        row: &Row,
        could: Option<Bound>,
        account: &Account,
    ) -> Option<Hold> {
        self.f
            .ceiling
            .check(&account.caps, &Candidate::of(row, could), &account.currency)
            .err()
    }

    /// A hold, told of what is off: what the operator switched off was not somebody's pause, and comes back by itself.
    pub(super) fn told_off(&self, record: Option<&Record>, hold: &Hold) -> String {
        let (noun, message) = (self.noun(), &hold.message);
        if hold.reason == Reason::PausedOutside {
            message.clone()
        } else if record.is_some_and(|record| record.held_off) {
            format!(
                "the operator switched this {noun} off: {message}; then it is switched on again by itself"
            )
        } else {
            format!("the {noun} is not switched on: {message}")
        }
    }

    /// Why it has to be off, or may be.
    pub(super) fn why_paused(&self) -> &'static str {
        match self.f.object.life().state {
            Some(_) => "the manifest says Paused",
            None => "the manifest does not say Active",
        }
    }
}
