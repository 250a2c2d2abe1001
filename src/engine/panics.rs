//! A bug that panics ends one piece of work, and not the process that acts for everybody.
//!
//! What was under way counts as failed. Nothing that it may have left half done is relied on: the state is planned from
//! anew, and of a create that may have been sent nothing is remembered, so that it is looked for.

use std::any::Any;
use std::future::Future;
use std::panic::AssertUnwindSafe;

use futures::FutureExt;
use jiff::Timestamp;

use super::account::AccountId;
use super::calls::backoff;
use super::doors::{Clock, Cluster, ObjectName};
use super::due::Why;
use super::run::Engine;
use super::state::{Key, State};
use crate::platform::Door;

/// How often a key's work panicked in a row, and when it may begin again.
#[derive(Clone, Copy, Debug)]
pub struct Panicked {
    times: u32,
    again: Timestamp,
}

impl<C: Cluster, P: Door, K: Clock> Engine<C, P, K> {
    /// What the work comes to; `None`: it panicked. `what`: a word of a closed list, `about`: whom it was for.
    pub(super) async fn guarded<R>(
        &self,
        what: &'static str,
        about: &(impl std::fmt::Display + Sync),
        work: impl Future<Output = R>,
    ) -> Option<R> {
        match AssertUnwindSafe(work).catch_unwind().await {
            Ok(done) => Some(done),
            Err(payload) => {
                forget(payload);
                self.metrics.panicked(what);
                tracing::error!(
                    work = what, %about,
                    "a piece of work ended by a bug in the operator; it is tried again, everything else goes on. Please report it"
                );
                None
            }
        }
    }
}

/// What a panic says is not shown: it may have a part of what was worked on in it. Dropping it may panic in turn.
fn forget(payload: Box<dyn Any + Send>) {
    if let Err(again) = std::panic::catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        std::mem::forget(again);
    }
}

impl State {
    /// Work for a key has panicked: its next turn waits, and nothing is taken for sure that it was about to do.
    pub(super) fn has_panicked(&mut self, key: &Key, now: Timestamp) {
        let limits = self.settings.backoff;
        let times = self.panicked.get(key).map_or(0, |p| p.times) + 1;
        let again = now + backoff(limits, times);
        self.panicked.insert(key.clone(), Panicked { times, again });
        match key {
            Key::Object(name) => {
                if let Some(memo) = self.memos.get_mut(name) {
                    memo.memory.attempt = None;
                }
            }
            Key::Connection(name) => {
                if let Some(memo) = self.connections.get_mut(name) {
                    memo.call_unknown();
                }
            }
        }
        self.wake(key, Why::Backoff, again);
    }

    /// Until when a key's turn waits because its work has panicked.
    pub(super) fn waits_after_panic(&self, key: &Key, now: Timestamp) -> Option<Timestamp> {
        let (_, most) = self.settings.backoff;
        let again = self.panicked.get(key)?.again;
        // A clock that was set back must not make it wait for ever.
        (now < again && again <= now + most).then_some(again)
    }

    /// A batch has panicked: so has the work of everybody in it.
    pub(super) fn batch_panicked(
        &mut self,
        id: &AccountId,
        members: &[ObjectName],
        now: Timestamp,
    ) {
        for name in members {
            let row = self
                .stores
                .own_record(name)
                .and_then(|record| Some((name.kind, record.id?)));
            if let (Some(row), Some(account)) = (row, self.accounts.get_mut(id)) {
                account.about_to_spend.remove(&row);
                account.table.doubt(&row);
            }
            self.has_panicked(&Key::Object(name.clone()), now);
        }
    }
}
