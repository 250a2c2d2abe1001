//! What answers teach about objects, accounts and tokens.

use super::super::account::AccountId;
use super::super::doors::{Clock, Cluster, Name};
use super::super::due::Why;
use super::super::queue::Lane;
use super::super::run::Engine;
use super::super::state::{Key, State};
use super::backoff;
use crate::api::campaign::Campaign;
use crate::model::facts::{Attempt, Problem, Refusable, Refused};
use crate::model::reason::Reason;
use crate::model::record::Record;
use crate::platform::Door;
use crate::platform::{Answer, Reply};
use crate::platform::{Call, OperationStatus};
use crate::platform::{ErrorClass, PlatformError, Rejection};
use jiff::Timestamp;

impl<C: Cluster, P: Door, K: Clock> Engine<C, P, K> {
    /// What the answer to a create taught.
    pub(in crate::engine) fn learn_created(
        &self,
        name: &Name,
        id: &AccountId,
        record: &Record,
        sent: Result<Answer, PlatformError>,
    ) {
        let now = self.clock.now();
        let mut state = self.lock();
        let tick = state.tick();
        let attempt = match sent {
            Ok(Answer {
                reply: Reply::Created(row),
                ..
            }) => {
                tracing::info!(campaign = %name, id = %row.id, key = %record.key, attempt = record.attempt, "created, switched off");
                if let Some(account) = state.accounts.get_mut(id) {
                    account.table.wrote_row(row.clone(), tick, now);
                }
                Attempt::Made(Box::new(row))
            }
            Ok(_) => Attempt::Unclear,
            Err(error) => {
                let attempt = match &error.class {
                    ErrorClass::Ambiguous => Attempt::Unclear,
                    // The door says that nothing was acted upon; refusals are definite.
                    ErrorClass::Retry => Attempt::Unsent,
                    _ => Attempt::Refused,
                };
                state.learn_refusal(name, Refusable::Create, &error, now);
                attempt
            }
        };
        let uid = record.uid.clone();
        let memo = state.memo(name, &uid);
        memo.memory.attempt = Some(attempt);
        memo.asked = None;
    }
}

impl State {
    /// An answer that says something about the account or its token, not about one object.
    pub(in crate::engine) fn learn_account_error(
        &mut self,
        id: &AccountId,
        call: &Call,
        error: &PlatformError,
        now: Timestamp,
    ) {
        match &error.class {
            ErrorClass::Throttled(throttle) => {
                self.budgets
                    .throttled(&id.app, &id.advertiser, call.path(), throttle, now)
            }
            ErrorClass::Auth(_) => {
                let Some(connection) = self.accounts.get(id).map(|a| a.connection.clone()) else {
                    return;
                };
                if let Some(memo) = self.connections.get_mut(&connection) {
                    memo.refused = Some(error.lasting());
                }
                self.push(&Key::Connection(connection), Lane::Safety, now);
            }
            _ => {}
        }
    }

    /// A no, or an error, for one object.
    pub(in crate::engine) fn learn_refusal(
        &mut self,
        name: &Name,
        what: Refusable,
        error: &PlatformError,
        now: Timestamp,
    ) {
        let Some(object) = self.stores.campaigns.get(name) else {
            return;
        };
        let uid = object.metadata.uid.clone().unwrap_or_default();
        let generation = object.metadata.generation.unwrap_or_default();
        match &error.class {
            ErrorClass::Rejected(Rejection::DuplicateRequest) if what == Refusable::Create => {
                self.memo(name, &uid).memory.key_used = true
            }
            ErrorClass::Rejected(Rejection::NothingToUpdate) => {}
            ErrorClass::Rejected(rejection) => {
                let refused = Refused {
                    generation,
                    what,
                    reason: reason_of(*rejection),
                    message: error.lasting(),
                    at: now,
                    seen: self.delivery_status(name, &object),
                };
                tracing::warn!(campaign = %name, ?what, %error, "TikTok refused");
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
        name: &Name,
        object: &Campaign,
    ) -> Option<String> {
        let id = self.own_id(object)?;
        let place = self.place(&Key::Campaign(name.clone()))?;
        let row = self.accounts.get(&place)?.table.last_known(&id)?;
        Some(row.secondary_status.clone())
    }

    /// Again after a growing wait.
    pub(in crate::engine) fn retry(&mut self, name: &Name, message: String, now: Timestamp) {
        let uid = self
            .stores
            .campaigns
            .get(name)
            .and_then(|o| o.metadata.uid.clone())
            .unwrap_or_default();
        let limits = self.settings.backoff;
        let memo = self.memo(name, &uid);
        memo.memory.failures += 1;
        let until = now + backoff(limits, memo.memory.failures);
        memo.memory.not_before = Some(until);
        memo.memory.problem = Some(Problem {
            reason: Reason::Retrying,
            message,
        });
        let key = Key::Campaign(name.clone());
        self.wake(&key, Why::Backoff, until);
        self.push(&key, Lane::Background, now);
    }

    pub(in crate::engine) fn learn_status(
        &mut self,
        id: &AccountId,
        name: &Name,
        campaign: &str,
        to: OperationStatus,
        tick: u64,
        now: Timestamp,
    ) {
        if let Some(account) = self.accounts.get_mut(id) {
            account.table.wrote_status(campaign, to, tick, now);
        }
        let uid = self
            .stores
            .campaigns
            .get(name)
            .and_then(|o| o.metadata.uid.clone())
            .unwrap_or_default();
        let memo = self.memo(name, &uid);
        memo.memory.failures = 0;
        memo.memory.problem = None;
        if to == OperationStatus::Disable {
            memo.memory.pauses += 1;
        }
    }

    pub(in crate::engine) fn doubt(&mut self, id: &AccountId, campaign: &str) {
        if let Some(account) = self.accounts.get_mut(id) {
            account.table.doubt(campaign);
        }
    }

    pub(in crate::engine) fn doubt_all(
        &mut self,
        id: &AccountId,
        members: &[(Name, String)],
        now: Timestamp,
    ) {
        for (name, campaign) in members {
            self.doubt(id, campaign);
            self.push(&Key::Campaign(name.clone()), Lane::Change, now);
        }
    }

    /// What a call was about to spend is now in the rows, or not spent.
    pub(in crate::engine) fn spent(&mut self, id: &AccountId, ids: &[String]) {
        if let Some(account) = self.accounts.get_mut(id) {
            for campaign in ids {
                account.about_to_spend.remove(campaign);
            }
        }
    }

    /// R9: a name check needs a reading of both trees that was begun after the question. A list answers all questions
    /// at once; few names in a large account are asked for one by one.
    pub(in crate::engine) fn ask_names(&mut self, id: &AccountId, names: Vec<String>) {
        let Some(account) = self.accounts.get_mut(id) else {
            return;
        };
        let pages = 2 * account.table.known().div_ceil(1000).max(1);
        if names.len() * 2 < pages {
            for name in names {
                if !account.name_looks.contains(&name) {
                    account.name_looks.push_back(name);
                }
            }
        } else {
            account.sweep.ask_both();
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
