//! Renewing a token (R21): mark, call, store; and what happens to the token before.

use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;

use super::super::doors::{Clock, Cluster, ClusterError, Name};
use super::super::run::Engine;
use super::check::{With, kills_token, of_another_kind};
use super::secrets::{
    APP_ID, APP_SECRET, Data, REFRESH_TOKEN, fingerprint, plain, read_token, return_to_previous,
    value, write_token,
};
use super::unwritten::{Fate, Renewal, is_definite};
use crate::api::connection::TikTokConnection;
use crate::model::token::{Outcome, Probe, Token, UNREADABLE_LIFETIME};
use crate::platform::{
    AuthProblem, Call, Door, ErrorClass, PlatformError, Reply, TokenReply, Urgency,
};

impl<C: Cluster, P: Door, K: Clock> Engine<C, P, K> {
    /// One attempt. The mark goes by compare-and-swap with the copy that was planned from, so that of several that would
    /// renew the token one does; what comes of it is stored on fresh reads until it is in ([`super::unwritten`]).
    pub(super) async fn rotate(
        &self,
        name: &Name,
        object: &TikTokConnection,
        unclear: bool,
    ) -> Result<(), ClusterError> {
        let now = self.clock.now();
        let held = {
            let state = self.lock();
            let data = state.connections.get(name).and_then(|m| m.held());
            data.map(|h| h.data.clone())
        };
        let Some((data, token)) = held.and_then(|d| read_token(&d).map(|t| (d, t))) else {
            return Ok(());
        };
        let (Some(app), Some(secret), Some(refresh)) = (
            plain(&data, APP_ID),
            value(&data, APP_SECRET).cloned(),
            value(&data, REFRESH_TOKEN).cloned(),
        ) else {
            return Ok(());
        };
        let used = fingerprint(&[&refresh]);
        let dialect = self.lock().settings.oauth;
        let call = Call::Refresh {
            app_id: app.clone(),
            secret: secret.clone(),
            refresh_token: refresh,
            dialect,
        };
        // With budget in hand, so that no mark is made without a call.
        let asked = {
            let mut state = self.lock();
            let budget = state.budget_of(&app, &secret);
            let asked = state
                .budgets
                .ask(&budget, "", call.path(), Urgency::Safety, now);
            let until = match (asked, self.fence().is_some()) {
                (Err(until), _) => Some(until),
                (Ok(_), false) => Some(now + Duration::from_secs(1)),
                (Ok(_), true) => None,
            };
            if let (Some(until), Some(memo)) = (until, state.connections.get_mut(name)) {
                memo.life.not_before = Some(until);
            }
            until
        };
        if asked.is_some() {
            return Ok(());
        }
        let marked = token.marked(unclear, now);
        // Known before it is written: if the write's answer is lost, the mark is ours all the same, and no call was made.
        if let Some(memo) = self.lock().connections.get_mut(name) {
            memo.life.own_mark = marked.mark;
            memo.life.not_before = None;
        }
        self.swap(name, object, |data| write_token(data, &marked))
            .await?;
        let (outcome, pair) = self.refresh(&app, &secret, &data, &call, &marked).await;
        let succeeded = pair.is_some();
        self.metrics.rotation(succeeded);
        let renewal = Renewal {
            marked,
            used,
            outcome,
            pair,
            at: self.clock.now(),
            data,
        };
        let stored = self.store_renewal(name, object, Arc::new(renewal)).await;
        if let Some(memo) = self.lock().connections.get_mut(name) {
            memo.life.own_mark = None;
            memo.life.seen = None;
            // What became of another token says nothing of the one that is there.
            if stored != Ok(Fate::Superseded) {
                memo.life.dead &= !succeeded;
                memo.life.failures = match succeeded {
                    true => 0,
                    false => memo.life.failures.saturating_add(1),
                };
                if succeeded {
                    memo.refused = None;
                    memo.not_before = None;
                }
            }
        }
        // What is refused is told, kept and tried again.
        match stored {
            Err(error) if !is_definite(&error) => Err(error),
            _ => Ok(()),
        }
    }

    /// The call, and what its answer means.
    async fn refresh(
        &self,
        app: &str,
        secret: &SecretString,
        data: &Data,
        call: &Call,
        token: &Token,
    ) -> (Outcome, Option<TokenReply>) {
        let asked = self.clock.now();
        let deadline = self.lock().settings.call_deadline;
        let sent = match self.fence() {
            Some(fence) => {
                self.sent_home((app, secret), None, call, fence, deadline)
                    .await
            }
            None => {
                return (
                    Outcome::Failed("this replica does not lead any more".into()),
                    None,
                );
            }
        };
        let error = match sent {
            Ok(Reply::Token(new)) => {
                let outcome = Outcome::New {
                    id: fingerprint(&[&new.access_token]),
                    asked,
                    expires_in: lifetime(&new),
                    refresh: new.refresh_token.is_some(),
                    refresh_expires_in: new.refresh_expires_in,
                };
                return (outcome, Some(new));
            }
            Ok(_) => of_another_kind(call),
            Err(error) => error,
        };
        let outcome = match error.class {
            ErrorClass::Auth(AuthProblem::RefreshRefused) => Outcome::Unknown {
                probe: self.probe(app, secret, data, token).await,
                message: error.lasting(),
            },
            _ => of_error(&error),
        };
        (outcome, None)
    }

    /// Does TikTok still take the access token? Asked only where it makes a difference.
    async fn probe(&self, app: &str, secret: &SecretString, data: &Data, token: &Token) -> Probe {
        if token.unclear || token.rotations > 0 {
            return Probe::NoAnswer;
        }
        let Some(access) = value(data, super::secrets::ACCESS_TOKEN) else {
            return Probe::NoAnswer;
        };
        let with = With {
            app,
            secret,
            token: access,
        };
        match self.granted(&with).await {
            Ok(_) => Probe::Answered,
            Err(PlatformError {
                class: ErrorClass::Auth(problem),
                ..
            }) if kills_token(problem) => Probe::Refused,
            Err(_) => Probe::NoAnswer,
        }
    }

    /// The new token has answered.
    pub(super) async fn drop_previous(
        &self,
        name: &Name,
        object: &TikTokConnection,
    ) -> Result<(), ClusterError> {
        self.swap(name, object, |data| {
            if let Some(token) = read_token(data) {
                write_token(data, &token.settled());
            }
        })
        .await
    }

    /// TikTok does not take the new token, and the one before still lives.
    pub(super) async fn return_to_previous(
        &self,
        name: &Name,
        object: &TikTokConnection,
    ) -> Result<(), ClusterError> {
        let now = self.clock.now();
        let done = self
            .swap(name, object, |data| {
                if let Some(token) = read_token(data) {
                    return_to_previous(data, &token.returned(now));
                }
            })
            .await;
        if done.is_ok() {
            self.forget_token(name, true);
            tracing::warn!(connection = %name, "TikTok refuses the new access token; the one before is used again");
        }
        done
    }
}

/// Seconds from the answer on; `None`: no end.
pub(super) fn lifetime(token: &TokenReply) -> Option<u64> {
    let unreadable = token.lifetime_unreadable.then_some(UNREADABLE_LIFETIME);
    match (token.expires_in, unreadable) {
        (Some(said), Some(other)) => Some(said.min(other)),
        (said, other) => said.or(other),
    }
}

fn of_error(error: &PlatformError) -> Outcome {
    let message = error.lasting();
    match error.class {
        ErrorClass::Retry | ErrorClass::Throttled(_) => Outcome::Failed(message),
        ErrorClass::Ambiguous => Outcome::Unclear(format!(
            "{}. TikTok may have made a new pair of tokens that nobody has received",
            message.trim_end_matches('.')
        )),
        ErrorClass::Auth(AuthProblem::RefreshExpired) => Outcome::Refused {
            lasting: true,
            message,
        },
        ErrorClass::Auth(_) | ErrorClass::Rejected(_) | ErrorClass::Gone => Outcome::Refused {
            lasting: false,
            message,
        },
    }
}
