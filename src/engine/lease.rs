//! Which replica acts: one holder of a `coordination.k8s.io/v1` Lease (decision 14).
//!
//! * The holder's right ends by its own clock, counted from **before** the renewal was sent, a second early. The clock
//!   counts the time a machine slept.
//! * A candidate takes over only after it has itself seen the same renewal for the whole duration, by its own clock;
//!   no clock of another machine is compared. So it always waits longer than the holder holds.
//! * Every write names the `resourceVersion` it was made from. `leaseTransitions` rises with each change of holder;
//!   [`Fence::check`] gives it to the writes as their fencing count.
//! * The holder says in an annotation where it listens, so that a standby can pass requests on: [`Fence::leads`].

use std::future::Future;
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::doors::{Clock, Cluster, ClusterError};
use crate::model::protocol::{Held, covers};

/// The times of the lease.
#[derive(Clone, Debug)]
pub struct LeaseSettings {
    /// How long a renewal counts. Whole seconds: the Lease knows no less.
    pub duration: Duration,
    /// Between two renewals, and between a candidate's looks.
    pub renew_every: Duration,
    /// Deadline of one request.
    pub try_for: Duration,
    /// Between a renewal that failed and the next try.
    pub try_again: Duration,
    /// Where this replica takes requests that others pass on: `http://IP:PORT`. `None`: nowhere.
    pub address: Option<String>,
}

impl Default for LeaseSettings {
    fn default() -> Self {
        Self {
            duration: Duration::from_secs(30),
            renew_every: Duration::from_secs(5),
            try_for: Duration::from_secs(5),
            try_again: Duration::from_secs(1),
            address: None,
        }
    }
}

/// The annotation of the Lease with its holder's address.
pub const ADDRESS: &str = "tiktokads.dev/address";

/// The holder's deadline is this much earlier than a candidate's: two clocks may run at different speeds.
const SLACK: Duration = Duration::from_secs(1);

/// Whether this process may act, asked right before each write to the platform; and who may, as far as is known.
#[derive(Debug, Default)]
pub struct Fence {
    held: Mutex<Option<Held>>,
    /// Where the one listens whom we last saw hold the lease.
    holder: Mutex<Option<String>>,
}

/// Who acts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Leads {
    /// This process.
    Here,
    /// The one that listens at this address, `http://IP:PORT`. It may have ended since.
    There(String),
    /// Nobody who is known, or somebody who takes no requests.
    Nobody,
}

impl Fence {
    /// The lease's transition count if the lease is held and will be for `need` from now.
    ///
    /// `awake`: [`Clock::awake`] now. `need`: the longest that what is about to be started may take.
    pub fn check(&self, awake: Duration, need: Duration) -> Option<u64> {
        let held = *self.held.lock().unwrap_or_else(PoisonError::into_inner);
        covers(held, awake, need)
    }

    /// Who acts now. `awake`: [`Clock::awake`] now.
    pub fn leads(&self, awake: Duration) -> Leads {
        if self.check(awake, Duration::ZERO).is_some() {
            return Leads::Here;
        }
        let holder = self.holder.lock().unwrap_or_else(PoisonError::into_inner);
        holder.clone().map_or(Leads::Nobody, Leads::There)
    }

    fn set(&self, held: Option<Held>) {
        *self.held.lock().unwrap_or_else(PoisonError::into_inner) = held;
    }

    fn set_holder(&self, address: Option<String>) {
        *self.holder.lock().unwrap_or_else(PoisonError::into_inner) = address;
    }
}

/// How [`lead`] ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The lease was held and is not any more. The process has to end: others act now.
    Lost,
    /// Asked to stop. A lease that was held has been given back, or nobody could be told and it runs out.
    Stopped,
}

/// What a candidate saw last, and since when.
struct Watched {
    holder: String,
    renewed: Option<MicroTime>,
    transitions: i32,
    /// The highest count ever seen: a lease that was deleted and made anew must not lower it.
    highest: i32,
    duration: Duration,
    since: Duration,
    /// The Lease object itself is gone. Whoever held it may not have noticed yet.
    vanished: bool,
}

/// Becomes and stays the leader until that ends.
///
/// `identity` must be new with every start of a process. `fence` says whether it leads, for each moment; `changes`
/// gets true when it begins to lead and false when it ceases to. `stop` must become ready only when nothing that
/// needed the lease is under way any more: the lease is given back at once then.
pub async fn lead<D: Cluster, K: Clock>(
    door: &D,
    clock: &K,
    identity: &str,
    settings: &LeaseSettings,
    fence: &Fence,
    changes: &watch::Sender<bool>,
    stop: impl Future<Output = ()> + Send,
) -> Ended {
    let candidate = Candidate {
        door,
        clock,
        identity,
        settings,
        fence,
    };
    let mut stop = std::pin::pin!(stop);
    let (mut lease, mut held) = tokio::select! {
        // A stop and the lease at the same moment: stop first, so that it is never taken to be given back.
        biased;
        () = &mut stop => return Ended::Stopped,
        taken = candidate.acquire() => taken,
    };
    fence.set_holder(None);
    fence.set(Some(held));
    changes.send_replace(true);
    tracing::info!(identity, transitions = held.transitions, "leading");
    let ended = loop {
        tokio::select! {
            biased;
            () = &mut stop => break Ended::Stopped,
            renewed = candidate.renew(lease.clone(), held) => match renewed {
                Some((newer, longer)) => {
                    (lease, held) = (newer, longer);
                    fence.set(Some(held));
                }
                None => break Ended::Lost,
            },
        }
    };
    fence.set(None);
    changes.send_replace(false);
    if ended == Ended::Stopped {
        candidate.release(lease, held).await;
    } else {
        tracing::warn!(identity, "the lease is lost");
    }
    ended
}

struct Candidate<'a, D, K> {
    door: &'a D,
    clock: &'a K,
    identity: &'a str,
    settings: &'a LeaseSettings,
    fence: &'a Fence,
}

impl<D: Cluster, K: Clock> Candidate<'_, D, K> {
    /// Tries until the lease is ours.
    async fn acquire(&self) -> (Lease, Held) {
        let mut watched: Option<Watched> = None;
        let mut failing = false;
        loop {
            match self.try_acquire(&mut watched).await {
                Ok(Some(taken)) => return taken,
                // Somebody else was faster, or holds it.
                Ok(None) | Err(ClusterError::Changed) => failing = false,
                Err(error) if !failing => {
                    failing = true;
                    tracing::warn!(%error, "cannot reach the lease; trying again");
                }
                Err(_) => {}
            }
            sleep(self.settings.renew_every).await;
        }
    }

    async fn try_acquire(
        &self,
        watched: &mut Option<Watched>,
    ) -> Result<Option<(Lease, Held)>, ClusterError> {
        let found = self.read().await?;
        let transitions = match self.look(found.as_ref(), watched) {
            Some(transitions) => transitions,
            None => {
                let there = found.as_ref().and_then(|lease| self.holder_address(lease));
                self.fence.set_holder(there);
                return Ok(None);
            }
        };
        // Free, or run out: whoever held it does not act any more.
        self.fence.set_holder(None);
        let lease = found.unwrap_or_default();
        self.write(lease, transitions, true).await.map(Some)
    }

    /// Where the holder of the lease takes requests.
    fn holder_address(&self, lease: &Lease) -> Option<String> {
        let address = lease.metadata.annotations.as_ref()?.get(ADDRESS)?;
        // Ours: a container that was started again keeps its pod's address, and its lease from before has not run out.
        let ours = self.settings.address.as_ref() == Some(address);
        (!ours && is_address(address)).then(|| address.clone())
    }

    /// Writes where we listen into the copy of a lease, or that we do not.
    fn sign(&self, lease: &mut Lease, address: Option<&String>) {
        let annotations = lease.metadata.annotations.get_or_insert_default();
        match address {
            Some(address) => annotations.insert(ADDRESS.to_string(), address.clone()),
            None => annotations.remove(ADDRESS),
        };
    }

    /// Notes what the lease says; the transition count to take it with, if it is free.
    fn look(&self, found: Option<&Lease>, watched: &mut Option<Watched>) -> Option<i32> {
        let now = self.clock.awake();
        let Some(lease) = found else {
            // Never seen: nobody can hold what never was there, unless it was deleted before we came.
            let Some(before) = watched else {
                return Some(1);
            };
            if !before.vanished {
                before.vanished = true;
                before.since = now;
            }
            return before
                .expired(now)
                .then_some(before.highest.saturating_add(1));
        };
        let spec = lease.spec.clone().unwrap_or_default();
        let holder = spec.holder_identity.unwrap_or_default();
        let transitions = spec.lease_transitions.unwrap_or(0);
        let seconds = u64::try_from(spec.lease_duration_seconds.unwrap_or(0)).unwrap_or(0);
        let unchanged = watched.as_ref().is_some_and(|before| {
            !before.vanished
                && before.holder == holder
                && before.renewed == spec.renew_time
                && before.transitions == transitions
        });
        if !unchanged {
            let highest = watched
                .as_ref()
                .map_or(0, |before| before.highest)
                .max(transitions);
            *watched = Some(Watched {
                holder: holder.clone(),
                renewed: spec.renew_time,
                transitions,
                highest,
                duration: Duration::from_secs(seconds).max(self.settings.duration),
                since: now,
                vanished: false,
            });
        }
        let before = watched.as_ref()?;
        if holder == self.identity {
            // Ours by a write whose answer was lost.
            return Some(transitions);
        }
        (holder.is_empty() || before.expired(now)).then_some(before.highest.saturating_add(1))
    }

    /// The next renewal: the lease and how long it is held, or `None` when it is lost.
    async fn renew(&self, mut lease: Lease, held: Held) -> Option<(Lease, Held)> {
        let mut wait = self.settings.renew_every;
        loop {
            let left = held.until.checked_sub(self.clock.awake())?;
            sleep(wait.min(left)).await;
            // A machine that slept wakes up here: what it holds may have run out meanwhile.
            let left = held
                .until
                .checked_sub(self.clock.awake())
                .filter(|left| !left.is_zero())?;
            match timeout(left, self.try_renew(&mut lease, held)).await {
                Ok(Ok(Some(renewed))) => return Some(renewed),
                Ok(Ok(None)) => return None,
                Ok(Err(error)) => {
                    tracing::warn!(%error, left = left.as_secs(), "cannot renew the lease; trying again")
                }
                Err(_) => return None,
            }
            wait = self.settings.try_again;
        }
    }

    async fn try_renew(
        &self,
        lease: &mut Lease,
        held: Held,
    ) -> Result<Option<(Lease, Held)>, ClusterError> {
        let transitions = i32::try_from(held.transitions).unwrap_or(i32::MAX);
        match self.write(lease.clone(), transitions, false).await {
            Ok(renewed) => return Ok(Some(renewed)),
            // Not this version any more: an earlier renewal whose answer was lost, or somebody else.
            Err(ClusterError::Changed) => {}
            Err(error) => return Err(error),
        }
        match self.read().await? {
            Some(found) => {
                let spec = found.spec.clone().unwrap_or_default();
                if spec.holder_identity.as_deref() != Some(self.identity)
                    || spec.lease_transitions != Some(transitions)
                {
                    return Ok(None);
                }
                *lease = found;
            }
            // Deleted by hand. It is still ours: candidates wait for the whole duration.
            None => *lease = Lease::default(),
        }
        match self.write(lease.clone(), transitions, false).await {
            Err(ClusterError::Changed) => {
                Err(ClusterError::Unclear("the lease keeps changing".into()))
            }
            done => done.map(Some),
        }
    }

    /// Writes ourselves into a copy of the lease, under compare-and-swap.
    async fn write(
        &self,
        mut lease: Lease,
        transitions: i32,
        new: bool,
    ) -> Result<(Lease, Held), ClusterError> {
        // Before the request: whoever sees the renewal sees it later than this.
        let sent = self.clock.awake();
        let now = MicroTime(self.clock.now());
        let acquired = lease
            .spec
            .as_ref()
            .and_then(|spec| spec.acquire_time.clone())
            .filter(|_| !new);
        lease.spec = Some(LeaseSpec {
            holder_identity: Some(self.identity.to_string()),
            lease_duration_seconds: Some(
                i32::try_from(self.settings.duration.as_secs()).unwrap_or(i32::MAX),
            ),
            lease_transitions: Some(transitions),
            acquire_time: acquired.or(Some(now.clone())),
            renew_time: Some(now),
            ..LeaseSpec::default()
        });
        self.sign(&mut lease, self.settings.address.as_ref());
        let written = self.within(self.door.write_lease(&lease)).await?;
        let until = sent + self.settings.duration.saturating_sub(SLACK);
        Ok((
            written,
            Held {
                until,
                transitions: u64::try_from(transitions).unwrap_or(0),
            },
        ))
    }

    /// Gives the lease back, so that the next one need not wait. Not tried for long: it also runs out.
    async fn release(&self, lease: Lease, held: Held) {
        let mut done = self.write_free(lease, held).await;
        if done == Err(ClusterError::Changed) {
            // The stop came in the middle of a renewal.
            done = match self.read().await {
                Ok(Some(now))
                    if now.spec.as_ref().and_then(|s| s.holder_identity.as_deref())
                        == Some(self.identity) =>
                {
                    self.write_free(now, held).await
                }
                other => other.map(drop),
            };
        }
        match done {
            Ok(()) => tracing::info!(identity = self.identity, "the lease is given back"),
            Err(error) => {
                tracing::warn!(%error, "the lease could not be given back; it runs out by itself")
            }
        }
    }

    async fn write_free(&self, mut lease: Lease, held: Held) -> Result<(), ClusterError> {
        lease.spec = Some(LeaseSpec {
            lease_duration_seconds: Some(1),
            lease_transitions: i32::try_from(held.transitions).ok(),
            renew_time: Some(MicroTime(self.clock.now())),
            ..LeaseSpec::default()
        });
        self.sign(&mut lease, None);
        self.within(self.door.write_lease(&lease)).await.map(drop)
    }

    async fn read(&self) -> Result<Option<Lease>, ClusterError> {
        self.within(self.door.lease()).await
    }

    async fn within<R>(
        &self,
        request: impl Future<Output = Result<R, ClusterError>>,
    ) -> Result<R, ClusterError> {
        match timeout(self.settings.try_for, request).await {
            Ok(answer) => answer,
            Err(_) => Err(ClusterError::Unclear(format!(
                "no answer within {} s",
                self.settings.try_for.as_secs()
            ))),
        }
    }
}

/// `http://IP:PORT` and nothing more: what stands in the Lease decides where requests with secrets in them go.
fn is_address(text: &str) -> bool {
    let socket = text
        .strip_prefix("http://")
        .and_then(|rest| rest.parse::<SocketAddr>().ok());
    socket.is_some_and(|socket| socket.port() != 0 && !socket.ip().is_unspecified())
}

impl Watched {
    fn expired(&self, now: Duration) -> bool {
        now.saturating_sub(self.since) >= self.duration
    }
}

#[cfg(test)]
mod tests;
