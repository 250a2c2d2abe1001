//! What cannot be stored yet: a Secret of ours that the API server does not let us write, and what a call to renew the token
//! came to, which nobody else has.
//!
//! A refused write is said in the status, and tried again with growing pauses. A new token is used meanwhile: TikTok may have
//! voided the refresh token that it was made with, so the one in the Secret leads nowhere once it has ended. It is tried to be
//! stored for as long as this process acts; with the process it is lost, and the mark that is still in the Secret tells so.

use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;

use super::super::calls::backoff;
use super::super::doors::{Clock, Cluster, ClusterError, Name};
use super::super::queue::Lane;
use super::super::run::Engine;
use super::super::state::Key;
use super::facts::ConnectionMemo;
use super::secrets::{
    Data, Own, REFRESH_TOKEN, fingerprint, is_ours, read_token, renew, value, write_token,
};
use crate::api::connection::TikTokConnection;
use crate::model::connection::Unwritable;
use crate::model::token::{Outcome, Token};
use crate::platform::{Door, TokenReply};

/// What this process knows of one connection's Secrets that it could not write.
#[derive(Clone, Debug, Default)]
pub(in crate::engine) struct Unwritten {
    token: Option<Refusals>,
    connect: Option<Refusals>,
    renewal: Option<Arc<Renewal>>,
}

/// Writes that the API server has refused in a row.
#[derive(Clone, Debug)]
struct Refusals {
    /// Its words.
    why: String,
    times: u32,
    /// The next try.
    again: Timestamp,
}

impl Unwritten {
    fn of(&mut self, own: Own) -> &mut Option<Refusals> {
        match own {
            Own::Token => &mut self.token,
            Own::Connect => &mut self.connect,
        }
    }

    /// Is the Secret not to be written now? `most`: the longest pause between two tries, since a clock may be set back.
    pub(in crate::engine) fn waits(
        &self,
        own: Own,
        most: std::time::Duration,
        now: Timestamp,
    ) -> bool {
        let refusals = match own {
            Own::Token => &self.token,
            Own::Connect => &self.connect,
        };
        refusals
            .as_ref()
            .is_some_and(|r| now < r.again && r.again <= now + most)
    }

    /// For the plan.
    pub(super) fn facts(
        &self,
        object: &TikTokConnection,
        most: std::time::Duration,
        now: Timestamp,
    ) -> Vec<Unwritable> {
        [(Own::Token, &self.token), (Own::Connect, &self.connect)]
            .into_iter()
            .filter_map(|(own, refusals)| {
                let refusals = refusals.as_ref()?;
                Some(Unwritable {
                    secret: own.name(object).name,
                    why: refusals.why.clone(),
                    again: refusals.again.min(now + most),
                    in_memory: own == Own::Token && self.renewal.is_some(),
                })
            })
            .collect()
    }
}

/// What a call to renew the token came to, until it is in the Secret.
#[derive(Debug)]
pub(super) struct Renewal {
    /// The token with the mark that the call was made under.
    pub marked: Token,
    /// Fingerprint of the refresh token that was used.
    pub used: String,
    pub outcome: Outcome,
    pub pair: Option<TokenReply>,
    /// When that was known.
    pub at: Timestamp,
    /// The Secret as it was then, should somebody have removed it.
    pub data: Data,
}

/// What becomes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It has to be written.
    Put,
    /// An earlier write, whose answer was lost, was taken.
    There,
    /// Somebody has put another token there meanwhile, or another process a mark of its own.
    Superseded,
}

impl Renewal {
    /// Puts it into the Secret's data, if the Secret still has what the call was made with. A process that does not lead any
    /// more may come late: what its successor, or a person, has put there stays. But a new pair that nobody else has is kept
    /// while its forerunner is there, whoever has marked that meanwhile.
    pub fn put(&self, data: &mut Data) -> Fate {
        let Some(token) = read_token(data) else {
            return Fate::Superseded;
        };
        let own_mark = self.marked.mark.is_some() && token.mark == self.marked.mark;
        let untouched = own_mark && token.id == self.marked.id;
        let Some(new) = &self.pair else {
            return match (own_mark, untouched) {
                (true, true) => {
                    write_token(data, &token.after(&self.outcome, self.at));
                    Fate::Put
                }
                // What was refused was refused to the token before this one.
                (true, false) => {
                    write_token(
                        data,
                        &Token {
                            mark: None,
                            ..token
                        },
                    );
                    Fate::Put
                }
                (false, _) if token.last.as_ref().is_some_and(|l| l.at == self.at) => Fate::There,
                (false, _) => Fate::Superseded,
            };
        };
        if !untouched && fingerprint(&[&new.access_token]) == token.id {
            return Fate::There;
        }
        let refresh = value(data, REFRESH_TOKEN).map(|token| fingerprint(&[token]));
        if !own_mark && refresh.as_ref() != Some(&self.used) {
            return Fate::Superseded;
        }
        let after = Token {
            mark: token.mark.filter(|_| !own_mark),
            ..token.after(&self.outcome, self.at)
        };
        renew(
            data,
            &after,
            &new.access_token,
            new.refresh_token.as_ref(),
            &new.scopes,
        );
        Fate::Put
    }
}

impl ConnectionMemo {
    /// Whether a call that was about to be made was made is not known any more.
    pub(in crate::engine) fn call_unknown(&mut self) {
        self.life.own_mark = None;
        self.unread();
    }

    /// What was read of our token Secret, with what is not stored yet.
    pub(super) fn lay_over(&mut self, object: &TikTokConnection) {
        let Some(renewal) = self.unwritten.renewal.clone() else {
            return;
        };
        let Some(Some(copy)) = &mut self.held else {
            return;
        };
        if is_ours(copy, object) && renewal.put(&mut copy.data) != Fate::Put {
            self.unwritten.renewal = None;
        }
    }
}

/// Would the same write be refused again?
pub(super) fn is_definite(error: &ClusterError) -> bool {
    matches!(error, ClusterError::Forbidden(_) | ClusterError::Refused(_))
}

impl<C: Cluster, P: Door, K: Clock> Engine<C, P, K> {
    /// What a write of one of our Secrets came to.
    pub(super) fn learn_write(&self, name: &Name, own: Own, done: &Result<(), ClusterError>) {
        let now = self.clock.now();
        let mut state = self.lock();
        let limits = state.settings.backoff;
        let Some(memo) = state.connections.get_mut(name) else {
            return;
        };
        let refusals = memo.unwritten.of(own);
        match done {
            Ok(()) => {
                if refusals.take().is_some() {
                    tracing::info!(connection = %name, secret = ?own, "our Secret can be written again");
                }
            }
            Err(error) if is_definite(error) => {
                let times = refusals.as_ref().map_or(0, |r| r.times) + 1;
                *refusals = Some(Refusals {
                    why: error.to_string(),
                    times,
                    again: now + backoff(limits, times),
                });
                if times == 1 {
                    tracing::error!(connection = %name, secret = ?own, %error, "our Secret cannot be written");
                    state.push(&Key::Connection(name.clone()), Lane::Change, now);
                }
            }
            Err(_) => {}
        }
    }

    /// Is one of our Secrets not to be written now, because that was refused a moment ago?
    pub(in crate::engine) fn is_unwritable(&self, name: &Name, own: Own) -> bool {
        let now = self.clock.now();
        let state = self.lock();
        let (_, most) = state.settings.backoff;
        let memo = state.connections.get(name);
        memo.is_some_and(|m| m.unwritten.waits(own, most, now))
    }

    /// There is nothing (more) to write, so what was refused is not outstanding any more. True: that is news.
    pub(super) fn is_written(&self, name: &Name) -> bool {
        let now = self.clock.now();
        let mut state = self.lock();
        let (_, most) = state.settings.backoff;
        let Some(unwritten) = state.connections.get_mut(name).map(|m| &mut m.unwritten) else {
            return false;
        };
        let mut news = false;
        for own in [Own::Token, Own::Connect] {
            let held = own == Own::Token && unwritten.renewal.is_some();
            if !held && !unwritten.waits(own, most, now) {
                news |= unwritten.of(own).take().is_some();
            }
        }
        news
    }

    /// Was it one of our Secrets that could not be written?
    pub(super) fn was_unwritable(&self, name: &Name, error: &ClusterError) -> bool {
        let waits = |own| self.is_unwritable(name, own);
        is_definite(error) && (waits(Own::Token) || waits(Own::Connect))
    }

    /// Stores what a call to renew the token came to. If that is refused it is kept in memory: [`Self::store_again`].
    pub(super) async fn store_renewal(
        &self,
        name: &Name,
        object: &TikTokConnection,
        renewal: Arc<Renewal>,
    ) -> Result<Fate, ClusterError> {
        let fate = Mutex::new(None);
        let put = |data: &mut Data| {
            let now = renewal.put(data);
            *fate.lock().unwrap_or_else(PoisonError::into_inner) = Some(now);
            now == Fate::Put
        };
        let kept = self
            .keep_for(
                name,
                object,
                std::time::Duration::ZERO,
                Some(&renewal.data),
                put,
            )
            .await;
        // Nothing was looked at: the connection is going, and its token with it.
        let fate = fate
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner)
            .unwrap_or(Fate::Superseded);
        if let Some(memo) = self.lock().connections.get_mut(name) {
            memo.unwritten.renewal = kept.is_err().then(|| renewal.clone());
            memo.unread();
        }
        kept?;
        let token = match &renewal.outcome {
            Outcome::New { id, .. } => id.as_str(),
            _ => "",
        };
        match (fate, renewal.pair.is_some()) {
            (Fate::Superseded, true) => {
                tracing::warn!(connection = %name, token, "another token has come meanwhile: the one that TikTok gave is not kept");
            }
            (Fate::Superseded, false) => {
                tracing::warn!(connection = %name, "another token, or another process, has come meanwhile: what became of the renewal is not noted");
            }
            (_, true) => tracing::info!(connection = %name, token, "the access token is renewed"),
            (_, false) => {
                tracing::warn!(connection = %name, outcome = renewal.outcome.word(), "the access token is not renewed");
            }
        }
        Ok(fate)
    }

    /// Tries again to store what could not be stored, when that is due.
    pub(super) async fn store_again(&self, name: &Name, object: &TikTokConnection) {
        let waits = self.is_unwritable(name, Own::Token);
        let renewal = {
            let state = self.lock();
            let memo = state.connections.get(name);
            let gone = memo.is_some_and(|m| matches!(m.held, Some(None)));
            let renewal = memo.and_then(|m| m.unwritten.renewal.clone());
            renewal.filter(|_| gone || !waits)
        };
        if let Some(renewal) = renewal
            && let Err(error) = self.store_renewal(name, object, renewal).await
        {
            tracing::warn!(connection = %name, %error, "the new access token is still in memory only");
        }
    }

    /// The process ends: a last try for what is in memory only.
    pub(in crate::engine) async fn store_last(&self) {
        let left: Vec<_> = {
            let state = self.lock();
            let all = state.connections.iter();
            all.filter_map(|(name, memo)| {
                let renewal = memo.unwritten.renewal.clone()?;
                Some((name.clone(), state.stores.connections.get(name)?, renewal))
            })
            .collect()
        };
        for (name, object, renewal) in left {
            if let Err(error) = self.store_renewal(&name, &object, renewal).await {
                tracing::error!(connection = %name, %error, "a new access token is lost with this process");
            }
        }
    }
}

#[cfg(test)]
#[path = "unwritten_tests.rs"]
mod tests;
