//! The platform's side of a turn: slot and budget, and the fenced send. What is written, asked and learned: the files below.

mod appeals;
mod creates;
mod learn;
mod looks;
mod writes;

use super::account::AccountId;
use super::doors::{Clock, Cluster, ObjectName};
use super::due::Why;
use super::run::Engine;
use super::state::Key;
use crate::model::facts::Access;
use crate::platform::Call;
use crate::platform::Urgency;
use crate::platform::{Answer, read_as};
use crate::platform::{Door, TransportError};
use crate::platform::{PlatformError, transport_error};
use std::time::Duration;

/// Who asks for a call.
#[derive(Clone, Copy, Debug)]
pub(super) enum Begin<'a> {
    /// A create; without slot or budget the object waits in line.
    Create(&'a ObjectName),
    Batch,
    Pause,
    Sweep,
}

/// A call's place, given back when dropped.
pub(super) struct Reserved<'a, C: Cluster, P: Door, K: Clock> {
    engine: &'a Engine<C, P, K>,
    account: AccountId,
    pause: bool,
}

impl<C: Cluster, P: Door, K: Clock> Drop for Reserved<'_, C, P, K> {
    fn drop(&mut self) {
        let mut state = self.engine.lock();
        if let Some(account) = state.accounts.get_mut(&self.account) {
            let count = if self.pause {
                &mut account.pauses
            } else {
                &mut account.calls
            };
            *count = count.saturating_sub(1);
        }
    }
}

/// Why a call does not begin now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NotNow {
    Slot,
    Budget,
    /// The lease does not cover the call.
    NotLeader,
    /// The token cannot do it any more.
    Token,
}

/// The wait after `failures` errors in a row: doubling, with an upper limit.
pub(super) fn backoff((first, most): (Duration, Duration), failures: u32) -> Duration {
    first
        .saturating_mul(1u32 << failures.saturating_sub(1).min(16))
        .min(most)
}

impl<C: Cluster, P: Door, K: Clock> Engine<C, P, K> {
    /// Takes a call's place and its budget (decision 10: in one place, right before the send).
    pub(super) fn begin<'a>(
        &'a self,
        id: &AccountId,
        path: &str,
        who: Begin<'_>,
    ) -> Result<Reserved<'a, C, P, K>, NotNow> {
        let now = self.clock.now();
        let leading = self.fence().is_some();
        let mut state = self.lock();
        if !leading {
            // The renewal is late: what may be sent again in a moment is asked again in a moment.
            if let Begin::Create(name) = who {
                state.wake(
                    &Key::Object(name.clone()),
                    Why::Backoff,
                    now + Duration::from_secs(1),
                );
            }
            return Err(NotNow::NotLeader);
        }
        let most = state.settings.calls_in_flight;
        let pause_again = state.settings.pause_again;
        let pause = matches!(who, Begin::Pause);
        let Some(account) = state.accounts.get_mut(id) else {
            return Err(NotNow::Slot);
        };
        // R21: what the token cannot do any more does not leave.
        if !account.reads() && (!pause || account.access == Access::Over) {
            return Err(NotNow::Token);
        }
        let free = if pause {
            account.pauses == 0 || account.calls < most
        } else {
            account.calls < most
        };
        if !free {
            if let Begin::Create(name) = who {
                account.wait(name);
            }
            return Err(NotNow::Slot);
        }
        let urgency = match who {
            Begin::Pause => Urgency::Safety,
            Begin::Sweep => Urgency::Background,
            Begin::Create(_) | Begin::Batch => Urgency::Normal,
        };
        let budget = state.budget_of_account(id);
        let asked = state
            .budgets
            .ask(&budget, &id.advertiser, path, urgency, now);
        let Some(account) = state.accounts.get_mut(id) else {
            return Err(NotNow::Slot);
        };
        if let Err(until) = asked {
            match who {
                Begin::Pause => account.pause_not_before = Some(until.min(now + pause_again)),
                Begin::Sweep => account.sweep.not_before(until),
                Begin::Batch => account.blocked_until = Some(until),
                Begin::Create(name) => {
                    account.blocked_until = Some(until);
                    account.wait(name);
                }
            }
            return Err(NotNow::Budget);
        }
        // A pause takes the place that is its own, and a common one when several go at once.
        let own_place = pause && account.pauses == 0;
        if own_place {
            account.pauses += 1
        } else {
            account.calls += 1
        }
        Ok(Reserved {
            engine: self,
            account: id.clone(),
            pause: own_place,
        })
    }

    /// One call. Writes are sent only while the lease covers their whole deadline.
    pub(super) async fn send(&self, id: &AccountId, call: &Call) -> Result<Answer, PlatformError> {
        let (token, deadline) = {
            let state = self.lock();
            let account = state.accounts.get(id);
            (
                account.map(|a| (a.token.clone(), a.token_id.clone())),
                state.settings.call_deadline,
            )
        };
        let fence = match self.fence() {
            Some(fence) => fence,
            None if call.is_write() => {
                return Err(transport_error(
                    call,
                    TransportError::NotSent("the lease does not cover this call".into()),
                ));
            }
            None => 0,
        };
        let Some((token, token_id)) = token else {
            return Err(transport_error(
                call,
                TransportError::NotSent("the account's connection is gone".into()),
            ));
        };
        let before = self.clock.now();
        let sent = self
            .platform
            .send(call.request(Some(&token)), fence, deadline)
            .await;
        let result = match sent {
            Ok(reply) => read_as(call, Some(&token), reply),
            Err(error) => Err(transport_error(call, error)),
        };
        self.metrics.call(call.name(), &result);
        let now = self.clock.now();
        let mut state = self.lock();
        if let Ok(Answer {
            date: Some(date), ..
        }) = &result
        {
            // Date has whole seconds; the answer was made somewhere between the two readings of our clock.
            let middle = before
                + now
                    .duration_since(before)
                    .checked_div(2)
                    .unwrap_or_default();
            let skew = date.duration_since(middle);
            state.skew = if skew.abs() <= jiff::SignedDuration::from_millis(1500) {
                jiff::SignedDuration::ZERO
            } else {
                skew
            };
        }
        if let Err(error) = &result {
            state.learn_account_error(id, call, error, &token_id, now);
        }
        drop(state);
        if let Err(error) = &result {
            tracing::warn!(call = call.name(), advertiser = %id.advertiser, class = ?error.class, %error, "TikTok call failed");
        }
        result
    }
}

impl super::account::Account {
    /// Puts an object in line for a create.
    fn wait(&mut self, name: &ObjectName) {
        if !self.waiting.contains(name) {
            self.waiting.push_back(name.clone());
        }
    }
}
