//! What the operator counts. Labels come from closed lists only.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use jiff::Timestamp;
use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::queue::Lane;
use super::state::State;
use super::turn::Outcome;
use crate::model::connection::trouble_told;
use crate::model::facts::{Access, ConnectionView};
use crate::platform::Answer;
use crate::platform::{ErrorClass, PlatformError};

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct TurnLabels {
    outcome: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct CallLabels {
    call: &'static str,
    class: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ResultLabels {
    result: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct WorkLabels {
    work: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct KeyLabels {
    key: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct LaneLabels {
    advertiser: String,
    lane: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct AccountLabels {
    advertiser: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ConnectionLabels {
    namespace: String,
    connection: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct BannerLabels {
    namespace: String,
    connection: String,
    reason: String,
}

/// The counters and gauges, shared by clones.
#[derive(Clone)]
pub struct Metrics {
    registry: Arc<Registry>,
    turns: Family<TurnLabels, Counter>,
    calls: Family<CallLabels, Counter>,
    depth: Family<LaneLabels, Gauge>,
    age: Family<LaneLabels, Gauge<f64, AtomicU64>>,
    outbox: Family<AccountLabels, Gauge>,
    observed_age: Family<AccountLabels, Gauge<f64, AtomicU64>>,
    blocked: Family<AccountLabels, Gauge>,
    status_sent: Counter,
    status_skipped: Counter,
    missed: Counter,
    released: Counter,
    webhooks: Family<ResultLabels, Counter>,
    webhook_events: Family<ResultLabels, Counter>,
    webhook_keys: Family<KeyLabels, Counter>,
    read_only: Family<ConnectionLabels, Gauge>,
    banners: Family<BannerLabels, Gauge>,
    rotations: Family<ResultLabels, Counter>,
    panics: Family<WorkLabels, Counter>,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("tiktokads");
        let turns = Family::default();
        registry.register("turns", "Turns by how they ended", turns.clone());
        let calls = Family::default();
        registry.register(
            "platform_calls",
            "Calls to TikTok by kind and class of the answer",
            calls.clone(),
        );
        let depth = Family::default();
        registry.register("queue_depth", "Keys waiting for a turn", depth.clone());
        let age = Family::default();
        registry.register(
            "queue_oldest_seconds",
            "Age of the oldest waiting key",
            age.clone(),
        );
        let outbox = Family::default();
        registry.register(
            "operations_waiting",
            "Operations waiting for a call",
            outbox.clone(),
        );
        let observed_age = Family::default();
        registry.register(
            "observed_age_seconds",
            "Age of the account's last complete list",
            observed_age.clone(),
        );
        let blocked = Family::default();
        registry.register(
            "budget_blocked",
            "1 while the request budget lets nothing but pauses through",
            blocked.clone(),
        );
        let status_sent = Counter::default();
        registry.register(
            "status_writes_sent",
            "Status writes sent to the API server",
            status_sent.clone(),
        );
        let status_skipped = Counter::default();
        registry.register(
            "status_writes_skipped",
            "Status writes spared because nothing had changed",
            status_skipped.clone(),
        );
        let missed = Counter::default();
        registry.register(
            "missed_wakeups",
            "Work found by planning everything again that no event had announced",
            missed.clone(),
        );
        let released = Counter::default();
        registry.register(
            "released_active",
            "Objects let go while their campaign may still be on",
            released.clone(),
        );
        let webhooks = Family::default();
        registry.register(
            "webhooks",
            "Messages that claim to come from TikTok, by what became of them",
            webhooks.clone(),
        );
        let webhook_events = Family::default();
        registry.register(
            "webhook_events",
            "What TikTok's messages name, by what followed from it",
            webhook_events.clone(),
        );
        let webhook_keys = Family::default();
        registry.register(
            "webhook_key",
            "Messages that were believed, by what they were signed with",
            webhook_keys.clone(),
        );
        let read_only = Family::default();
        registry.register(
            "connection_read_only",
            "1 while a connection lets nothing but pauses, or nothing at all, through",
            read_only.clone(),
        );
        let banners = Family::default();
        registry.register(
            "connection_banner",
            "1 while a connection shows a banner, by what it is about",
            banners.clone(),
        );
        let rotations: Family<ResultLabels, Counter> = Family::default();
        for result in ["succeeded", "failed"] {
            drop(rotations.get_or_create(&ResultLabels { result }));
        }
        registry.register(
            "token_rotations",
            "Attempts to renew an access token",
            rotations.clone(),
        );
        let panics: Family<WorkLabels, Counter> = Family::default();
        drop(panics.get_or_create(&WorkLabels { work: "turn" }));
        registry.register(
            "panics",
            "Pieces of work that ended by a bug in the operator",
            panics.clone(),
        );
        Self {
            registry: Arc::new(registry),
            turns,
            calls,
            depth,
            age,
            outbox,
            observed_age,
            blocked,
            status_sent,
            status_skipped,
            missed,
            released,
            webhooks,
            webhook_events,
            webhook_keys,
            read_only,
            banners,
            rotations,
            panics,
        }
    }
}

impl Metrics {
    /// OpenMetrics text.
    pub fn text(&self) -> String {
        let mut out = String::new();
        if text::encode(&mut out, &self.registry).is_err() {
            let _ = write!(out, "# metrics could not be written\n# EOF\n");
        }
        out
    }

    pub(super) fn turn(&self, outcome: Outcome) {
        self.turns
            .get_or_create(&TurnLabels {
                outcome: outcome.label(),
            })
            .inc();
    }

    pub(super) fn call(&self, call: &'static str, result: &Result<Answer, PlatformError>) {
        let class = match result {
            Ok(_) => "ok",
            Err(error) => match error.class {
                ErrorClass::Retry => "retry",
                ErrorClass::Throttled(_) => "throttled",
                ErrorClass::Auth(_) => "auth",
                ErrorClass::Rejected(_) => "rejected",
                ErrorClass::Gone => "gone",
                ErrorClass::Ambiguous => "ambiguous",
            },
        };
        self.calls.get_or_create(&CallLabels { call, class }).inc();
    }

    pub(super) fn status_sent(&self) {
        self.status_sent.inc();
    }

    pub(super) fn status_skipped(&self) {
        self.status_skipped.inc();
    }

    pub(super) fn missed_wakeups(&self, count: u64) {
        self.missed.inc_by(count);
    }

    pub(super) fn released_active(&self) {
        self.released.inc();
    }

    pub(super) fn webhook(&self, outcome: super::webhooks::Outcome) {
        let result = outcome.label();
        self.webhooks.get_or_create(&ResultLabels { result }).inc();
    }

    pub(super) fn webhook_event(&self, follows: super::webhooks::Follows) {
        let result = follows.label();
        self.webhook_events
            .get_or_create(&ResultLabels { result })
            .inc();
    }

    pub(super) fn webhook_key(&self, trust: super::webhooks::Trust) {
        let key = trust.label();
        self.webhook_keys.get_or_create(&KeyLabels { key }).inc();
    }

    pub(super) fn rotation(&self, succeeded: bool) {
        let result = if succeeded { "succeeded" } else { "failed" };
        self.rotations.get_or_create(&ResultLabels { result }).inc();
    }

    /// `work`: a word of a closed list.
    pub(super) fn panicked(&self, work: &'static str) {
        self.panics.get_or_create(&WorkLabels { work }).inc();
    }

    /// How often work was found that nothing had announced. Tests end by asserting 0.
    pub fn missed(&self) -> u64 {
        self.missed.get()
    }

    /// How many objects were let go while their campaign may still be on.
    pub fn released(&self) -> u64 {
        self.released.get()
    }

    /// Sets the gauges from the state.
    pub fn depths(&self, state: &State, now: Timestamp) {
        self.connections(state);
        for (id, account) in &state.accounts {
            for (lane, (count, oldest)) in Lane::ALL.into_iter().zip(account.lines.queue.depth()) {
                let labels = LaneLabels {
                    advertiser: id.advertiser.clone(),
                    lane: lane.label(),
                };
                self.depth
                    .get_or_create(&labels)
                    .set(i64::try_from(count).unwrap_or(i64::MAX));
                let age = oldest.map_or(0.0, |t| now.duration_since(t).as_secs_f64());
                self.age.get_or_create(&labels).set(age);
            }
            let labels = AccountLabels {
                advertiser: id.advertiser.clone(),
            };
            self.outbox
                .get_or_create(&labels)
                .set(i64::try_from(account.outbox.len()).unwrap_or(i64::MAX));
            let listed = account
                .lists
                .iter()
                .filter_map(|t| account.table.listed(*t))
                .map(|b| b.at)
                .min();
            self.observed_age
                .get_or_create(&labels)
                .set(listed.map_or(0.0, |t| now.duration_since(t).as_secs_f64()));
            self.blocked
                .get_or_create(&labels)
                .set(i64::from(account.blocked_until.is_some_and(|t| t > now)));
        }
    }

    /// What people are told of each connection: as its status shows it, so that it is there from the first moment of a
    /// process on, whether it leads or not.
    fn connections(&self, state: &State) {
        // Connections that are gone, and banners that are, are not shown any more.
        self.read_only.clear();
        self.banners.clear();
        for (name, object) in state.stores.connections.iter() {
            let labels = ConnectionLabels {
                namespace: name.namespace.clone(),
                connection: name.name.clone(),
            };
            let status = object.status.as_ref();
            let told = status.is_some_and(|s| s.phase.as_deref() == Some("ReadOnly"));
            let limited = matches!(state.views.get(name), Some(ConnectionView::Usable(a)) if a.access != Access::Full);
            self.read_only
                .get_or_create(&labels)
                .set(i64::from(told || limited));
            // One at a time for each connection.
            if let Some(reason) = status.and_then(trouble_told) {
                let labels = BannerLabels {
                    namespace: labels.namespace,
                    connection: labels.connection,
                    reason: word(reason),
                };
                self.banners.get_or_create(&labels).set(1);
            }
        }
    }
}

/// A reason as a label: what is no word of ours, since somebody else wrote the status, is shown as `Unknown`.
fn word(reason: &str) -> String {
    let ours = reason.len() <= 64 && reason.bytes().all(|b| b.is_ascii_alphanumeric());
    if ours { reason } else { "Unknown" }.into()
}
