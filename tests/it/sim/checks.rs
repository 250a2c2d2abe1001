//! The invariants, checked at every effect. What each means exactly stands at its check.
//!
//! `wire` reads what a request asks for, `eyes` what a replica knows; `creates` holds what a create must not do, `writes`
//! updates and status calls, `ceilings` the money.

mod ceilings;
mod creates;
mod eyes;
mod wire;
mod writes;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use tiktok_ads_operator::api::RECORD;
use tiktok_ads_operator::engine::doors::{Clock, Name};
use tiktok_ads_operator::platform::WireRequest;

pub use ceilings::money;
pub use eyes::reference;
pub use wire::write;
pub use writes::at;

use super::kstatus::complaint;
use super::world::World;
use wire::{What, text};

/// What a buyer set in a field that no spec says.
#[derive(Clone, Debug)]
pub struct Bought {
    pub id: String,
    /// On the wire, with points: `targeting_spec.languages`.
    pub path: String,
    pub value: Value,
    pub at: Duration,
}

/// What the checks remember.
#[derive(Default)]
pub struct Checks {
    marks: Vec<creates::Marked>,
    sends: Vec<creates::Sent>,
    looks: Vec<creates::Looked>,
    /// Objects whose record was taken away by somebody else's write while a create was outstanding: what protects them
    /// from a twin is then only the platform's memory of the key (R10) and the name check (R9).
    pub stripped: BTreeSet<String>,
    /// The ids that such records named.
    pub stripped_rows: BTreeSet<String>,
    /// Rows that a person changed: no conclusions about ceilings from these.
    pub touched: BTreeSet<String>,
    pub bought: Vec<Bought>,
    /// The sum of ceilings is checked (no late lists, no lagging rows in this run).
    pub totals: bool,
    /// Which object's create made a row, decided when the row is first seen.
    made_by: BTreeMap<u64, String>,
    /// Process, and uid of an object that it let go.
    released: BTreeSet<(u64, String)>,
    /// Calls in flight that switch on: process and ids.
    enabling: BTreeMap<u64, (u64, Vec<String>)>,
    calls: u64,
    /// What was done, for the report.
    pub creates: u64,
    pub batches: u64,
    pub updates: u64,
    pub kept: u64,
    pub enables: u64,
    pub pauses: u64,
    pub deletes: u64,
    pub twins_seen: u64,
    /// Definite refusals by the platform, by their text without numbers.
    pub refusals: BTreeMap<String, u64>,
}

pub fn record_of(object: &Value) -> Option<Value> {
    let text = object["metadata"]["annotations"].get(RECORD)?.as_str()?;
    serde_json::from_str(text).ok()
}

impl World {
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Section 5.7: kstatus and Flux find nothing to complain about, whatever was written.
    pub fn checked_status(&mut self, kind: &'static str, name: &Name, object: &Value) {
        if let Some(why) = complaint(object) {
            self.fail(format!("{kind} {name}: {why}: {}", object["status"]));
        }
    }

    /// A process decided to send a platform call. Its view of the cluster is what counts here: it cannot know more. The
    /// call's number, if it is a write.
    pub fn checked_send(
        &mut self,
        replica: usize,
        process: u64,
        request: &WireRequest,
    ) -> Option<u64> {
        if self.slots[replica].process != process {
            self.fail(format!("a dead process {process} sends {}", request.path));
        }
        let write = write(request)?;
        self.checks.calls += 1;
        let call = self.checks.calls;
        self.checked_leader(replica, process, request.path);
        match &write.what {
            What::Status { ids, to } => {
                if to != "DISABLE" {
                    self.not_overtaking(replica, request.path, &write.advertiser);
                }
                self.checked_status_call(replica, process, call, &write, ids, to);
            }
            What::Create(made) => {
                self.not_overtaking(replica, request.path, &write.advertiser);
                self.checked_create(replica, process, call, &write, made);
                for one in made {
                    self.checked_new_bid(replica, &write, one);
                }
            }
            What::Update { id, fields, .. } => {
                self.not_overtaking(replica, request.path, &write.advertiser);
                self.checks.updates += 1;
                self.checked_update(replica, process, &write, id, fields);
            }
            What::Creatives { ad } => {
                self.not_overtaking(replica, request.path, &write.advertiser);
                self.checked_creatives(replica, process, &write, ad);
            }
        }
        Some(call)
    }

    /// Decision 14: no write begins after somebody else has taken the lease.
    fn checked_leader(&mut self, replica: usize, process: u64, path: &str) {
        let holder = self
            .api
            .lease
            .as_ref()
            .and_then(|l| l.spec.as_ref()?.holder_identity.clone())
            .unwrap_or_default();
        if holder != format!("r{replica}-{process}") {
            self.fail(format!(
                "r{replica}-{process} sends {path} while {holder:?} holds the lease"
            ));
        }
    }

    /// Pauses are never overtaken by other work. Exactly: no write that is not a pause is sent for an account while an
    /// operation to pause has waited in its outbox since an earlier moment, may go (no backoff of pauses is running),
    /// and the place that pauses have for themselves is free. In the same moment the two may have been decided from
    /// one state, so that is not held against the engine.
    fn not_overtaking(&mut self, replica: usize, path: &str, advertiser: &str) {
        let Some(engine) = self.slots[replica].engine.upgrade() else {
            return;
        };
        let now = self.now();
        let waits = {
            let state = engine.lock();
            state
                .accounts
                .iter()
                .filter(|(id, _)| id.advertiser == advertiser)
                .filter(|(_, a)| {
                    a.pauses == 0
                        && a.pause_batches == 0
                        && a.pause_not_before.is_none_or(|t| t <= now)
                })
                .find_map(|(_, a)| a.outbox.pause_since(now).filter(|since| *since < now))
        };
        if let Some(since) = waits {
            self.fail(format!(
                "{path} is sent while a pause waits since {since} and its place is free"
            ));
        }
    }

    /// The platform said no, and means it.
    pub fn note_refusal(&mut self, path: &str, code: i64, message: &str) {
        if !(40000..50000).contains(&code) || message.is_empty() {
            return;
        }
        let text: String = message
            .chars()
            .map(|c| if c.is_ascii_digit() { '#' } else { c })
            .collect();
        let text = format!("{path}: {code} {text}");
        *self.checks.refusals.entry(text).or_default() += 1;
    }

    /// Advertisers that connections name.
    pub fn advertisers(&self) -> Vec<String> {
        self.accounts
            .iter()
            .map(|a| a.advertiser_id.clone())
            .collect()
    }
}

impl Checks {
    /// After a restore of the API server an object that was let go is there again.
    pub fn forget_releases(&mut self) {
        self.released.clear();
    }

    /// A call has ended for the process that sent it.
    fn over(&mut self, call: Option<u64>) {
        if let Some(call) = call {
            self.enabling.remove(&call);
        }
    }
}
