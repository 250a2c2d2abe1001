//! A run of one seed: random users, buyers, faults and crashes; then quiet; then everything must be in order.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tiktok_ads_operator::engine::settings::Settings;
use tokio::time::sleep;

use super::api_server::CONNECTION;
use super::knobs;
use super::order::disorder;
use super::replica::supervise;
use super::steps::{CAMPAIGNS, agree, step};
use super::user::{NAMESPACES, caps, named};
use super::world::{Faults, Sim, World};

/// What a run ended with.
pub struct Report {
    pub trace: Vec<String>,
    pub failures: Vec<String>,
    pub done: Done,
}

/// What the operator did in a run, or in several.
#[derive(Clone, Debug, Default)]
pub struct Done {
    pub creates: u64,
    /// Creates of several objects.
    pub batches: u64,
    pub updates: u64,
    /// Fields of buyers that an update left as they were.
    pub kept: u64,
    pub enables: u64,
    pub pauses: u64,
    pub deletes: u64,
    pub virtual_seconds: f64,
    /// What the platform refused, by its text.
    pub refusals: BTreeMap<String, u64>,
}

impl Done {
    fn of(world: &World) -> Self {
        let checks = &world.checks;
        Self {
            creates: checks.creates,
            batches: checks.batches,
            updates: checks.updates,
            kept: checks.kept,
            enables: checks.enables,
            pauses: checks.pauses,
            deletes: checks.deletes,
            virtual_seconds: world.clock.elapsed().as_secs_f64(),
            refusals: checks.refusals.clone(),
        }
    }

    pub fn add(&mut self, other: &Self) {
        self.creates += other.creates;
        self.batches += other.batches;
        self.updates += other.updates;
        self.kept += other.kept;
        self.enables += other.enables;
        self.pauses += other.pauses;
        self.deletes += other.deletes;
        self.virtual_seconds += other.virtual_seconds;
        for (text, count) in &other.refusals {
            *self.refusals.entry(text.clone()).or_default() += count;
        }
    }
}

/// Runs a future in virtual time on one thread.
pub fn in_virtual_time<R>(run: impl Future<Output = R>) -> R {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap()
        .block_on(run)
}

/// One whole run.
pub fn run_seed(seed: u64, steps: u32) -> Report {
    in_virtual_time(run(seed, steps))
}

async fn run(seed: u64, steps: u32) -> Report {
    let mut rng = fastrand::Rng::with_seed(seed ^ 0x5eed);
    let drawn = knobs::draw(&mut rng);
    let sim = Sim::new(seed, 2, drawn.knobs.clone());
    {
        let mut world = sim.lock();
        world.say(format!("seed {seed}, knobs {:?}", drawn.knobs));
        world.faults = knobs::draw_faults(&mut rng, drawn.keys_refused);
        let faults = world.faults.clone();
        world.checks.totals = !drawn.lags && faults.platform == 0;
        world.say(format!("{faults:?}"));
        for index in 0..NAMESPACES.len() {
            let limit = match rng.u32(0..5) {
                0 => None,
                1 => Some(caps(Some(500), Some(120))),
                2 => Some(caps(None, Some(200))),
                _ => Some(caps(Some(1000), None)),
            };
            world.set_up(index, limit);
        }
    }
    // Every other run has a public address: TikTok is asked to send, and is heard.
    let mut rumours = fastrand::Rng::with_seed(seed);
    let settings = match seed % 2 {
        0 => super::hearing::short_window(),
        _ => Settings::default(),
    };
    let replicas: Vec<_> = (0..2)
        .map(|replica| supervise(sim.clone(), replica, settings.clone()))
        .collect();
    for _ in 0..steps {
        let wait = match rng.u32(0..10) {
            0..=3 => rng.u64(1..300),
            4..=7 => rng.u64(300..5_000),
            8 => rng.u64(5_000..20_000),
            _ => rng.u64(20_000..90_000),
        };
        sleep(Duration::from_millis(wait)).await;
        step(&sim, &mut rng);
        if rumours.u32(0..3) == 0 {
            super::hearing::rumour(&sim, &mut rumours).await;
        }
        if !sim.lock().failures.is_empty() {
            break;
        }
    }
    if sim.lock().failures.is_empty() {
        quiet(&sim, &mut rng).await;
    }
    for replica in &replicas {
        replica.abort();
    }
    for replica in replicas {
        let _ = replica.await;
    }
    let mut world = sim.lock();
    Report {
        trace: std::mem::take(&mut world.trace),
        failures: world.failures.clone(),
        done: Done::of(&world),
    }
}

/// Faults end, watches flow, nobody touches anything: in order within a bounded time, then silence.
async fn quiet(sim: &Arc<Sim>, rng: &mut fastrand::Rng) {
    {
        let mut world = sim.lock();
        world.faults = Faults::default();
        world.say("QUIET from here");
        // What was held back is delivered; what a frozen machine owed comes when it wakes.
        for (index, namespace) in NAMESPACES.into_iter().enumerate() {
            let account = world.accounts[index].clone();
            if !world.api.terminating.contains(namespace) {
                world.api.put_secret(
                    &named(namespace, "token"),
                    &[("access_token", &account.access_token)],
                );
                if rng.bool() {
                    world.edit(
                        CONNECTION,
                        &named(namespace, "main"),
                        json!({ "mode": null }),
                    );
                }
            }
        }
        for namespace in NAMESPACES {
            for (campaign, _) in CAMPAIGNS {
                if rng.bool() && campaign.starts_with('s') {
                    agree(&mut world, namespace, campaign, 7, true);
                }
            }
        }
        world.publish();
    }
    // Bounded: the longest single waits are 900 s until an enable is tried again that a review refused, 300 s of backoff
    // and R11's 110 s; a lost lease takes 30 s.
    for _ in 0..240 {
        sleep(Duration::from_secs(10)).await;
        if !sim.lock().failures.is_empty() {
            return;
        }
        let (wrong, open) = {
            let world = sim.lock();
            (disorder(&world), world.sandbox.pending_effects())
        };
        let leads = sim.leader().is_some();
        if wrong.is_empty() && open == 0 && leads {
            break;
        }
    }
    // Ten sweeps of silence. The settle: what was written last is read back, and the schedules of ad groups begin at the
    // full minute after the 15 that follow their making, which the sweep after that shows.
    sleep(Duration::from_secs(1100)).await;
    {
        let mut world = sim.lock();
        for why in disorder(&world) {
            if std::env::var("SIM_DUMP").is_ok() {
                dump(&world);
            }
            world.fail(format!("not in order long after the faults ended: {why}"));
        }
        if !world.failures.is_empty() {
            return;
        }
        world.say("SILENCE from here");
    }
    let before = {
        let world = sim.lock();
        (world.api.writes, world.platform_writes)
    };
    for _ in 0..20 {
        sleep(Duration::from_secs(30)).await;
        if let Some(missed) = sim.force_resync().filter(|missed| *missed > 0) {
            sim.lock().fail(format!(
                "{missed} pieces of work that no event had announced"
            ));
            return;
        }
    }
    let mut world = sim.lock();
    let after = (world.api.writes, world.platform_writes);
    if before != after {
        world.fail(format!(
            "not silent: API and platform writes {before:?} became {after:?}"
        ));
    }
}

/// What the leaders' accounts look like inside.
fn dump(world: &World) {
    for (replica, slot) in world.slots.iter().enumerate() {
        if let Some(engine) = slot.engine.upgrade() {
            let state = engine.lock();
            println!("r{replica} home {:?} turns {:?}", state.home, state.turns);
            for (id, account) in &state.accounts {
                println!("r{replica} {id:?} {account:#?}");
            }
            println!("r{replica} memos {:#?}", state.memos);
        }
    }
}

/// The end of a trace, and how to run it again.
pub fn explain(seed: u64, steps: u32, report: &Report) -> String {
    let mut out = String::new();
    let lines = report.trace.len();
    let from = if std::env::var("SIM_TRACE").is_ok() {
        0
    } else {
        lines.saturating_sub(60)
    };
    for line in &report.trace[from..] {
        let _ = writeln!(out, "{line}");
    }
    let _ = writeln!(
        out,
        "\nseed {seed} fails:\n  {}\nrun it again (SIM_TRACE=1 shows all {lines} lines):\n  SIM_SEED={seed} SIM_STEPS={steps} cargo test --test it sim::one_seed -- --nocapture",
        report.failures.join("\n  ")
    );
    out
}
