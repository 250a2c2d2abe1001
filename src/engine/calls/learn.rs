//! What answers teach about objects, accounts and tokens.

use super::super::account::AccountId;
use super::super::connection::kills_token;
use super::super::doors::ObjectName;
use super::super::due::Why;
use super::super::outbox::Member;
use super::super::queue::Lane;
use super::super::state::{Key, State};
use super::backoff;
use crate::model::facts::{NameQuestion, Problem, Refusable, Refused};
use crate::model::object::Object;
use crate::model::reason::Reason;
use crate::observe::table::RowId;
use crate::platform::{
    AuthProblem, Call, ErrorClass, Kind, OperationState, OperationStatus, PlatformError, Rejection,
};
use jiff::Timestamp;

impl State {
    /// An answer that says something about the account or its token, not about one object.
    pub(in crate::engine) fn learn_account_error(
        &mut self,
        id: &AccountId,
        call: &Call,
        error: &PlatformError,
        token: &str,
        now: Timestamp,
    ) {
        match &error.class {
            ErrorClass::Throttled(throttle) => {
                let budget = self.budget_of_account(id);
                self.budgets
                    .throttled(&budget, &id.advertiser, call.path(), throttle, now)
            }
            ErrorClass::Auth(problem) => {
                let Some(connection) = self.accounts.get(id).map(|a| a.connection.clone()) else {
                    return;
                };
                let about_app = *problem == AuthProblem::AppRefused;
                if kills_token(*problem) || about_app {
                    let message = error.lasting();
                    self.learn_auth(&connection, token, message, !about_app, now);
                } else if let Some(memo) = self.connections.get_mut(&connection) {
                    // A right is missing for this one thing, or was taken away: the check tells.
                    memo.doubt(now);
                    self.push(&Key::Connection(connection), Lane::Event, now);
                }
            }
            _ => {}
        }
    }

    /// A no, or an error, for one object.
    pub(in crate::engine) fn learn_refusal(
        &mut self,
        name: &ObjectName,
        what: Refusable,
        error: &PlatformError,
        now: Timestamp,
    ) {
        let Some(object) = self.stores.get(name) else {
            return;
        };
        let uid = object.metadata.uid.clone().unwrap_or_default();
        let generation = object.metadata.generation.unwrap_or_default();
        if what == Refusable::Pause {
            let again = now + self.settings.pause_again;
            self.memo(name, &uid).pause_not_before = Some(again);
        }
        if error.class == ErrorClass::Gone {
            self.look_above(name, now);
        }
        match &error.class {
            ErrorClass::Rejected(Rejection::DuplicateRequest) if what == Refusable::Create => {
                self.memo(name, &uid).memory.key_used = true
            }
            ErrorClass::Rejected(Rejection::NothingToUpdate) => {}
            ErrorClass::Rejected(rejection) => {
                let refused = Refused {
                    generation,
                    what,
                    parent: self.stores.own_record(name).and_then(|r| r.parent),
                    reason: reason_of(*rejection),
                    message: error.lasting(),
                    at: now,
                    seen: self.delivery_status(name, &object),
                };
                tracing::warn!(kind = %name.kind, object = %name, ?what, %error, "TikTok refused");
                self.memo(name, &uid).memory.refused = Some(refused);
            }
            // The look-up that follows says whether it is on all the same.
            ErrorClass::Gone if what == Refusable::Delete => {
                let refused = Refused {
                    generation,
                    what,
                    reason: Reason::ExternallyDeleted,
                    message: error.lasting(),
                    at: now,
                    seen: None,
                    parent: None,
                };
                self.memo(name, &uid).memory.refused = Some(refused);
            }
            // A write of unclear outcome is looked for, not repeated: no backoff stands before the look.
            ErrorClass::Ambiguous if what == Refusable::Create => {}
            ErrorClass::Throttled(_) => {}
            _ => self.retry(name, error.lasting(), now),
        }
    }

    /// TikTok's delivery status of an object's row, as last known.
    pub(in crate::engine) fn delivery_status(
        &self,
        name: &ObjectName,
        object: &Object,
    ) -> Option<String> {
        let id = self.own_id(object)?;
        let place = self.place(&Key::Object(name.clone()))?;
        let row = self
            .accounts
            .get(&place)?
            .table
            .last_known(&(name.kind, id))?;
        Some(row.secondary_status.clone())
    }

    /// What TikTok calls gone may have gone with what it is in, or was to be made in: that is looked up, and its campaign
    /// with it, unless they are known to be deleted.
    fn look_above(&mut self, name: &ObjectName, now: Timestamp) {
        let parent = self.stores.own_record(name).and_then(|r| r.parent);
        let (Some(kind), Some(parent)) = (name.kind.parent(), parent) else {
            return;
        };
        let Some(place) = self.place(&Key::Object(name.clone())) else {
            return;
        };
        let Some(account) = self.accounts.get(&place) else {
            return;
        };
        let parent = (kind, parent);
        let row = account.table.last_known(&parent);
        let campaign = row.and_then(|row| Some((Kind::Campaign, row.campaign.clone()?)));
        let mut above: Vec<RowId> = campaign.into_iter().chain([parent]).collect();
        above.retain(|row| {
            let known = account.table.last_known(row);
            known.is_some_and(|r| r.operation != OperationState::Deleted)
        });
        for row in &above {
            self.hint(&place, row, now);
        }
    }

    /// Again after a growing wait.
    pub(in crate::engine) fn retry(&mut self, name: &ObjectName, message: String, now: Timestamp) {
        let uid = self.stores.uid(name);
        let limits = self.settings.backoff;
        let memo = self.memo(name, &uid);
        memo.memory.failures += 1;
        let until = now + backoff(limits, memo.memory.failures);
        memo.memory.not_before = Some(until);
        memo.memory.problem = Some(Problem {
            reason: Reason::Retrying,
            message,
        });
        let key = Key::Object(name.clone());
        self.wake(&key, Why::Backoff, until);
        self.push(&key, Lane::Background, now);
    }

    pub(in crate::engine) fn learn_status(
        &mut self,
        id: &AccountId,
        name: &ObjectName,
        platform_id: &str,
        to: OperationStatus,
        tick: u64,
        now: Timestamp,
    ) {
        if let Some(account) = self.accounts.get_mut(id) {
            let row = (name.kind, platform_id.to_owned());
            account.table.wrote_status(&row, to, tick, now);
            // What is in it is deleted with it, whichever object of ours holds it.
            if to == OperationStatus::Delete {
                let inside = account.table.inside(&row);
                self.push_owners(id, &inside, Lane::Change, now);
            }
        }
        let uid = self.stores.uid(name);
        let memo = self.memo(name, &uid);
        memo.memory.failures = 0;
        memo.memory.problem = None;
        match to {
            OperationStatus::Disable => memo.memory.pauses += 1,
            OperationStatus::Enable => memo.memory.pauses = 0,
            OperationStatus::Delete => {}
        }
    }

    pub(in crate::engine) fn doubt(&mut self, id: &AccountId, row: &RowId) {
        if let Some(account) = self.accounts.get_mut(id) {
            account.table.doubt(row);
        }
    }

    pub(in crate::engine) fn doubt_all(
        &mut self,
        id: &AccountId,
        members: &[Member],
        now: Timestamp,
    ) {
        for (name, platform_id) in members {
            self.doubt(id, &(name.kind, platform_id.clone()));
            self.push(&Key::Object(name.clone()), Lane::Change, now);
        }
    }

    /// What a call was about to spend is now in the rows, or not spent.
    pub(in crate::engine) fn spent(&mut self, id: &AccountId, members: &[Member]) {
        if let Some(account) = self.accounts.get_mut(id) {
            for (name, platform_id) in members {
                let row = (name.kind, platform_id.clone());
                account.about_to_spend.remove(&row);
            }
        }
    }

    /// R9: a name check needs a reading that was begun after the question. A list answers all questions of its kind at
    /// once; few names in a large account are asked for one by one.
    pub(in crate::engine) fn ask_names(&mut self, id: &AccountId, questions: Vec<NameQuestion>) {
        let Some(account) = self.accounts.get_mut(id) else {
            return;
        };
        let known = account.table.known();
        let pages = 2 * known.div_ceil(1000).max(1);
        let one_by_one = questions.len() * 2 < pages;
        for question in questions {
            if !one_by_one {
                account
                    .sweep
                    .ask_lists(super::super::account::lists_for(&question));
            } else if !account.name_looks.contains(&question) {
                account.name_looks.push_back(question);
            }
        }
    }
}

/// TikTok's refusal as a reason of ours.
fn reason_of(rejection: Rejection) -> Reason {
    match rejection {
        Rejection::NameTaken => Reason::NameTaken,
        Rejection::BudgetTooLow => Reason::BudgetTooLow,
        Rejection::UseSmartPlus => Reason::UseSmartPlus,
        Rejection::NotAllowlisted => Reason::NotAllowlisted,
        Rejection::InReview => Reason::InReview,
        Rejection::DuplicateRequest | Rejection::NothingToUpdate | Rejection::Other => {
            Reason::Rejected
        }
    }
}
