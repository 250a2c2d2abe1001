//! Everything the run shares: the model API server, the sandbox, the seed, what each replica was shown, the trace.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, Weak};
use std::time::Duration;

use jiff::SignedDuration;
use serde_json::Value;
use tiktok_ads_operator::engine::doors::{Change, Delta, Name};
use tiktok_ads_operator::engine::lease::LeaseSettings;
use tiktok_ads_operator::engine::stores::strip;
use tiktok_ads_operator::platform::Kind;
use tiktok_ads_operator::sandbox::{Account, Config, NewAccount, Sandbox};
use tokio::sync::Notify;

use super::api_server::{ApiServer, KINDS, OBJECTS, Seen};
use super::backup::Backup;
use super::checks::Checks;
use super::clock::SimClock;
use super::replica::SimEngine;

/// How likely what is, per mille. All zero when the world is quiet.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    /// Platform calls that go wrong in one of the sandbox's ways.
    pub platform: u32,
    /// API-server calls without a clear answer.
    pub cluster: u32,
    /// A replica dies at a door: before the call, while it is under way, or with the answer in hand.
    pub crash: u32,
    /// Deltas that are held back for long.
    pub hold: u32,
    /// Calls that take seconds.
    pub slow: u32,
    /// Delays of effect may be longer than R11 waits: only the platform's own memory of keys helps then.
    pub very_late: bool,
    /// So much longer every write of a Secret takes to arrive.
    pub secret_writes: Duration,
    /// Events are written, and the answer takes longer than anybody waits for it.
    pub events_hang: bool,
}

/// One replica's place.
pub struct Slot {
    /// Counts the processes that were started here; a door of an earlier one is dead.
    pub process: u64,
    pub engine: Weak<SimEngine>,
    pub crash: Arc<Notify>,
    /// SIGTERM.
    pub stop: Arc<Notify>,
    pub wake_watch: Arc<Notify>,
    /// Per watch, in the order of [`KINDS`], then Secrets and namespaces: deltas and when they are delivered.
    pub queues: [VecDeque<(Duration, Vec<Seen>)>; QUEUES],
    /// Secrets that are watched.
    pub secrets: BTreeSet<Name>,
    /// Which Secrets each connection is made from.
    pub wanted: BTreeMap<Name, BTreeSet<Name>>,
    /// Frozen until then: the machine sleeps.
    pub frozen_until: Duration,
    /// How far its wall clock is ahead of everybody else's.
    pub ahead: SignedDuration,
}

pub struct World {
    pub rng: fastrand::Rng,
    pub clock: SimClock,
    pub api: ApiServer,
    pub sandbox: Sandbox,
    pub faults: Faults,
    pub slots: Vec<Slot>,
    /// For processes that start from now on.
    pub lease_times: LeaseSettings,
    pub checks: Checks,
    pub backup: Option<Backup>,
    pub trace: Vec<String>,
    /// The ad accounts of the run.
    pub accounts: Vec<Account>,
    pub processes: u64,
    /// Platform writes that reached the platform.
    pub platform_writes: u64,
    /// Platform calls of any kind.
    pub platform_calls: u64,
    /// Calls to renew a token that are under way.
    pub refreshing: u32,
    /// Reads of Secrets, one by one.
    pub secret_reads: u64,
    /// Done once, when the next call to renew a token arrives.
    pub when_renewing: Option<Act>,
    /// Refresh tokens for which a process was told another one.
    pub renewed: BTreeSet<(u64, String)>,
    pub failures: Vec<String>,
    /// The trace is printed as it comes (`SIM_LIVE`).
    pub live: bool,
    /// No crashes, no faults: scripts decide.
    pub script: BTreeMap<&'static str, VecDeque<super::platform::Planned>>,
}

/// Something that happens to the world.
pub type Act = Box<dyn FnOnce(&mut World) + Send>;

/// The shared world.
pub struct Sim {
    world: Mutex<World>,
}

impl Sim {
    pub fn new(seed: u64, replicas: usize, knobs: Vec<(String, String)>) -> Arc<Self> {
        let mut sandbox = Sandbox::new(&Config {
            seed,
            knobs,
            log_capacity: 200_000,
        })
        .unwrap();
        let clock = SimClock::start(seed);
        let first = sandbox
            .create_account(clock.millis(), &NewAccount::default())
            .unwrap();
        let second = NewAccount {
            app_id: Some(first.app_id.clone()),
            ..NewAccount::default()
        };
        let second = sandbox.create_account(clock.millis(), &second).unwrap();
        let slots = (0..replicas).map(|_| Slot::new()).collect();
        Arc::new(Self {
            world: Mutex::new(World {
                rng: fastrand::Rng::with_seed(seed),
                clock,
                api: ApiServer::default(),
                sandbox,
                faults: Faults::default(),
                slots,
                lease_times: LeaseSettings::default(),
                checks: Checks::default(),
                backup: None,
                trace: Vec::new(),
                accounts: vec![first, second],
                processes: 0,
                platform_writes: 0,
                platform_calls: 0,
                refreshing: 0,
                secret_reads: 0,
                when_renewing: None,
                renewed: BTreeSet::new(),
                failures: Vec::new(),
                live: std::env::var("SIM_LIVE").is_ok(),
                script: BTreeMap::new(),
            }),
        })
    }

    pub fn lock(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(|e| e.into_inner())
    }

    /// The process behind a door dies now. Its supervisor drops it; its requests under way still arrive.
    pub fn kill(&self, replica: usize, process: u64, where_: &str) {
        let mut world = self.lock();
        if world.slots[replica].process == process {
            world.say(format!("r{replica} CRASH {where_}"));
            world.slots[replica].crash.notify_one();
        }
    }
}

impl Slot {
    /// Is a connection made from this Secret?
    pub fn wants(&self, secret: &Name) -> bool {
        self.wanted.values().any(|names| names.contains(secret))
    }

    fn new() -> Self {
        Self {
            process: 0,
            engine: Weak::new(),
            crash: Arc::new(Notify::new()),
            stop: Arc::new(Notify::new()),
            wake_watch: Arc::new(Notify::new()),
            queues: Default::default(),
            secrets: BTreeSet::new(),
            wanted: BTreeMap::new(),
            frozen_until: Duration::ZERO,
            ahead: SignedDuration::ZERO,
        }
    }
}

const SECRETS: usize = KINDS.len();
const NAMESPACES: usize = SECRETS + 1;
const QUEUES: usize = NAMESPACES + 1;

fn queue_of(seen: &Seen) -> usize {
    match seen {
        Seen::Relist(kind)
        | Seen::Listed(kind)
        | Seen::Applied(kind, _)
        | Seen::Deleted(kind, _) => KINDS.iter().position(|known| known == kind).unwrap(),
        Seen::Secret(_) => SECRETS,
        Seen::Namespace(..) => NAMESPACES,
    }
}

impl World {
    /// One line of the trace.
    pub fn say(&mut self, line: impl AsRef<str>) {
        let at = self.clock.elapsed();
        let line = format!("{:>9.3} {}", at.as_secs_f64(), line.as_ref());
        if self.live {
            println!("{line}");
        }
        self.trace.push(line);
    }

    /// An invariant does not hold.
    pub fn fail(&mut self, what: impl Into<String>) {
        let what = what.into();
        self.say(format!("VIOLATION {what}"));
        self.failures.push(what);
    }

    pub fn chance(&mut self, per_mille: u32) -> bool {
        per_mille > 0 && self.rng.u32(0..1000) < per_mille
    }

    /// A machine may fall asleep in the middle of a call, often for longer than its lease runs.
    pub fn maybe_freeze(&mut self, replica: usize) {
        if self.chance(self.faults.crash / 2) {
            let time = Duration::from_millis(self.rng.u64(5_000..80_000));
            self.slots[replica].frozen_until = self.clock.elapsed() + time;
            self.say(format!(
                "r{replica} freezes in a call for {:.1} s",
                time.as_secs_f64()
            ));
        }
    }

    /// Hands what the API server did to the watches of all replicas, each with delays of its own.
    pub fn publish(&mut self) {
        let seen = self.api.take_seen();
        for one in seen {
            for replica in 0..self.slots.len() {
                self.enqueue(replica, queue_of(&one), vec![one.clone()]);
            }
        }
    }

    /// A change of a Secret that nobody made through the model.
    pub fn publish_secret(&mut self, name: &Name) {
        self.api.seen.push(Seen::Secret(name.clone()));
        self.publish();
    }

    fn enqueue(&mut self, replica: usize, queue: usize, seen: Vec<Seen>) {
        let mut delay = Duration::from_millis(self.rng.u64(1..40));
        if self.chance(self.faults.hold) {
            delay = Duration::from_millis(self.rng.u64(500..45_000));
        }
        let now = self.clock.elapsed();
        let slot = &mut self.slots[replica];
        let last = slot.queues[queue].back().map_or(Duration::ZERO, |q| q.0);
        slot.queues[queue].push_back(((now + delay).max(last), seen));
        slot.wake_watch.notify_one();
    }

    /// A watch begins anew: what was under way is lost, a list takes its place.
    pub fn relist(&mut self, replica: usize, queue: usize) {
        let kind = KINDS[queue];
        let mut all: Vec<Seen> = vec![Seen::Relist(kind)];
        all.extend(
            self.api
                .list(kind)
                .map(|(_, value)| Seen::Applied(kind, value.clone())),
        );
        all.push(Seen::Listed(kind));
        self.slots[replica].queues[queue].clear();
        self.enqueue(replica, queue, all);
    }

    /// All watches of all replicas begin anew: the API server has gone back in time.
    pub fn relist_all(&mut self) {
        for replica in 0..self.slots.len() {
            let slot = &mut self.slots[replica];
            let secrets: Vec<Name> = slot.secrets.iter().cloned().collect();
            slot.queues = Default::default();
            for queue in 0..KINDS.len() {
                self.relist(replica, queue);
            }
            for secret in secrets {
                self.enqueue(replica, SECRETS, vec![Seen::Secret(secret)]);
            }
            let terminating: Vec<String> = self.api.terminating.iter().cloned().collect();
            for namespace in terminating {
                self.enqueue(replica, NAMESPACES, vec![Seen::Namespace(namespace, true)]);
            }
        }
    }

    /// A new process: its watches list everything, its memory is empty.
    pub fn begin_process(&mut self, replica: usize) -> u64 {
        self.processes += 1;
        let process = self.processes;
        let slot = &mut self.slots[replica];
        slot.process = process;
        slot.queues = Default::default();
        slot.secrets.clear();
        slot.wanted.clear();
        slot.crash = Arc::new(Notify::new());
        slot.stop = Arc::new(Notify::new());
        for queue in 0..KINDS.len() {
            self.relist(replica, queue);
        }
        let terminating: Vec<String> = self.api.terminating.iter().cloned().collect();
        for namespace in terminating {
            self.enqueue(replica, NAMESPACES, vec![Seen::Namespace(namespace, true)]);
        }
        process
    }

    /// The next delivery of a replica's watches, if it is due; else when to look again.
    pub fn next_delivery(&mut self, replica: usize) -> Result<Vec<Delta>, Option<Duration>> {
        let now = self.clock.elapsed();
        let slot = &mut self.slots[replica];
        let first = (0..QUEUES)
            .filter_map(|q| slot.queues[q].front().map(|(due, _)| (*due, q)))
            .min();
        let Some((due, queue)) = first else {
            return Err(None);
        };
        if due > now {
            return Err(Some(due - now));
        }
        let Some((_, seen)) = slot.queues[queue].pop_front() else {
            return Err(None);
        };
        Ok(seen
            .into_iter()
            .filter_map(|one| deliver(slot, one))
            .collect())
    }
}

fn deliver(slot: &mut Slot, seen: Seen) -> Option<Delta> {
    Some(match seen {
        Seen::Relist(kind) => match kind_of(kind) {
            Some(kind) => Delta::Object(kind, Change::Relist),
            None => Delta::Connection(Change::Relist),
        },
        Seen::Listed(kind) => match kind_of(kind) {
            Some(kind) => Delta::Object(kind, Change::Listed),
            None => Delta::Connection(Change::Listed),
        },
        Seen::Applied(kind, object) => match kind_of(kind) {
            Some(kind) => Delta::Object(kind, Change::Applied(Box::new(typed(object)))),
            None => Delta::Connection(Change::Applied(Box::new(typed(object)))),
        },
        Seen::Deleted(kind, object) => match kind_of(kind) {
            Some(kind) => Delta::Object(kind, Change::Deleted(Box::new(typed(object)))),
            None => Delta::Connection(Change::Deleted(Box::new(typed(object)))),
        },
        Seen::Secret(name) => {
            if !slot.secrets.contains(&name) {
                return None;
            }
            Delta::Secret(name)
        }
        Seen::Namespace(name, terminating) => Delta::Namespace { name, terminating },
    })
}

/// `None`: a connection.
pub fn kind_of(word: &str) -> Option<Kind> {
    OBJECTS
        .iter()
        .position(|known| *known == word)
        .map(|at| Kind::ALL[at])
}

/// As the watches hand objects on.
fn typed<K: kube::Resource + serde::de::DeserializeOwned>(object: Value) -> K {
    let mut object: K = serde_json::from_value(object).unwrap();
    strip(&mut object);
    object
}
