//! A run of one seed: random users, buyers, faults and crashes; then quiet; then everything must be in order.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tiktok_ads_operator::api::{RELEASE, RESUME};
use tiktok_ads_operator::engine::doors::Name;
use tiktok_ads_operator::engine::settings::Settings;
use tokio::time::sleep;

use super::api_server::{CAMPAIGN, CONNECTION, KINDS};
use super::checks::record_of;
use super::kstatus::{Computed, compute};
use super::replica::supervise;
use super::user::{NAMESPACES, Outside, caps, manual, named, smart_plus};
use super::world::{Faults, Sim, World};

/// What a run ended with.
pub struct Report {
    pub trace: Vec<String>,
    pub failures: Vec<String>,
    pub creates: u64,
    pub enables: u64,
    pub pauses: u64,
    pub virtual_seconds: f64,
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

fn pick<'a, T>(rng: &mut fastrand::Rng, of: &'a [T]) -> &'a T {
    &of[rng.usize(0..of.len())]
}

/// One of some words.
fn word(rng: &mut fastrand::Rng, words: &[&'static str]) -> &'static str {
    words[rng.usize(0..words.len())]
}

/// Every unknown of the platform has both answers among the seeds.
fn draw_knobs(rng: &mut fastrand::Rng) -> (Vec<(String, String)>, bool, bool) {
    let mut knobs = Vec::new();
    let mut set = |name: &str, value: &str| knobs.push((name.to_string(), value.to_string()));
    let replay = word(rng, &["40050", "40002", "original"]);
    set("request_id_replay", replay);
    set("request_id_of_deleted", word(rng, &["as_replay", "create"]));
    set("request_id_scope", word(rng, &["advertiser", "tree"]));
    set("request_id_after_refusal", word(rng, &["free", "used"]));
    set(
        "name_unique",
        word(rng, &["on_create", "on_create_and_update", "off"]),
    );
    set("update_without_change", word(rng, &["40012", "ok"]));
    set("status_without_change", word(rng, &["ok", "40012"]));
    set(
        "missing_campaign_code",
        word(rng, &["40002", "40007", "40001"]),
    );
    set("manual_status_bad_id", word(rng, &["fail", "skip"]));
    set("smart_plus_status_bad_id", word(rng, &["partial", "fail"]));
    set("smart_plus_partial_code", word(rng, &["20001", "0"]));
    set("smart_plus_all_bad_code", word(rng, &["20001", "40002"]));
    set("delete_deleted", word(rng, &["refuse", "ok"]));
    set("deleted_by_id", word(rng, &["hidden", "shown"]));
    set("manual_lists_smart_plus", word(rng, &["true", "false"]));
    set("smart_plus_page_size_max", word(rng, &["1000", "100"]));
    set(
        "creation_filter_bounds",
        word(rng, &["inclusive", "exclusive"]),
    );
    set("throttle_http_status", word(rng, &["200", "429"]));
    // A deleted row that shows neither its secondary status nor DELETE cannot be told from a paused one.
    if rng.bool() {
        set("secondary_status", "omitted");
        set("deleted_operation_status", "DELETE");
    } else {
        set(
            "deleted_operation_status",
            word(rng, &["DISABLE", "DELETE", "last"]),
        );
    }
    let lags = rng.u32(0..3) == 0;
    if lags {
        set("listing_lag_seconds", word(rng, &["0", "5", "15"]));
        set("lookup_lag_seconds", word(rng, &["0", "3", "8"]));
        set("edit_lag_seconds", word(rng, &["0", "3", "8"]));
    }
    (knobs, lags, replay != "original")
}

async fn run(seed: u64, steps: u32) -> Report {
    let mut rng = fastrand::Rng::with_seed(seed ^ 0x5eed);
    let (knobs, lags, keys_refused) = draw_knobs(&mut rng);
    let sim = Sim::new(seed, 2, knobs.clone());
    {
        let mut world = sim.lock();
        world.say(format!("seed {seed}, knobs {knobs:?}"));
        let level = rng.u32(0..4);
        world.faults = Faults {
            platform: [0, 30, 120, 250][level as usize],
            cluster: [0, 10, 60, 120][level as usize],
            crash: [0, 6, 20, 45][rng.usize(0..4)],
            hold: [0, 20, 120, 300][rng.usize(0..4)],
            slow: [0, 20, 80][rng.usize(0..3)],
            very_late: keys_refused && rng.u32(0..4) == 0,
        };
        let faults = world.faults.clone();
        world.checks.totals = !lags && faults.platform == 0;
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
    let replicas: Vec<_> = (0..2)
        .map(|replica| supervise(sim.clone(), replica, Settings::default()))
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
        creates: world.checks.creates,
        enables: world.checks.enables,
        pauses: world.checks.pauses,
        virtual_seconds: world.clock.elapsed().as_secs_f64(),
    }
}

fn some_campaign(world: &World, rng: &mut fastrand::Rng) -> Option<Name> {
    let all: Vec<Name> = world.api.list(CAMPAIGN).map(|(n, _)| n.clone()).collect();
    (!all.is_empty()).then(|| pick(rng, &all).clone())
}

/// One thing that somebody does.
fn step(sim: &Arc<Sim>, rng: &mut fastrand::Rng) {
    let mut world = sim.lock();
    let world = &mut *world;
    let namespace = NAMESPACES[usize::from(rng.u32(0..4) == 0)];
    let campaign = some_campaign(world, rng);
    let what = rng.u32(0..100);
    if what < 22 {
        let name = named(namespace, &format!("c{}", rng.u32(0..6)));
        let state = *pick(rng, &[None, Some("Active"), Some("Active"), Some("Paused")]);
        let mut spec = if rng.u32(0..3) == 0 {
            smart_plus(state)
        } else {
            manual(state)
        };
        match rng.u32(0..6) {
            0 => spec["deletionPolicy"] = "Delete".into(),
            1 => spec["deletionPolicy"] = "Retain".into(),
            2 => spec["deletionPolicy"] = "Pause".into(),
            _ => {}
        }
        if rng.u32(0..3) == 0 {
            spec["adoption"] = "SameName".into();
        }
        if rng.u32(0..5) == 0 {
            spec["name"] = format!("shared {}", rng.u32(0..2)).into();
        }
        world.create(CAMPAIGN, &name, spec);
        return;
    }
    if (22..26).contains(&what) {
        let name = named(namespace, "main");
        let limit = match rng.u32(0..4) {
            0 => Value::Null,
            1 => caps(Some(60), None),
            2 => caps(Some(1000), Some(150)),
            _ => caps(Some(1000), None),
        };
        world.edit(CONNECTION, &name, json!({ "caps": limit }));
        return;
    }
    match what {
        26 => {
            let mode = word(rng, &["Enforce", "Enforce", "Suspend", "Plan", "Observe"]);
            world.edit(
                CONNECTION,
                &named(namespace, "main"),
                json!({ "mode": mode }),
            );
            return;
        }
        27 => {
            let index = usize::from(namespace == NAMESPACES[1]);
            let name = named(namespace, "main");
            if world.api.get(CONNECTION, &name).is_some() {
                world.delete(CONNECTION, &name);
            } else {
                world.set_up(index, Some(caps(Some(1000), None)));
            }
            return;
        }
        28 => {
            let index = usize::from(namespace == NAMESPACES[1]);
            let token = world.accounts[index].access_token.clone();
            let token = if rng.bool() { token } else { "nonsense".into() };
            world.say(format!("user writes Secret {namespace}/token {token:.4}"));
            world
                .api
                .put_secret(&named(namespace, "token"), &[("access_token", &token)]);
            world.publish();
            return;
        }
        29 => {
            if namespace == NAMESPACES[1] {
                let now = world.now();
                world.say(format!("user deletes namespace {namespace}"));
                world.api.delete_namespace(namespace, now);
                world.publish();
            }
            return;
        }
        30..=31 => {
            let replica = rng.usize(0..2);
            let queue = rng.usize(0..KINDS.len());
            world.say(format!("r{replica} watch of {}s begins anew", KINDS[queue]));
            world.relist(replica, queue);
            return;
        }
        32 => {
            let replica = rng.usize(0..2);
            let process = world.slots[replica].process;
            world.say(format!("r{replica} CRASH by kill"));
            let slot = &world.slots[replica];
            if slot.process == process {
                slot.crash.notify_one();
            }
            return;
        }
        33 => {
            let replica = rng.usize(0..2);
            let time = Duration::from_millis(rng.u64(1_000..80_000));
            let until = world.clock.elapsed() + time;
            world.say(format!(
                "r{replica} freezes for {:.1} s",
                time.as_secs_f64()
            ));
            world.slots[replica].frozen_until = until;
            return;
        }
        _ => {}
    }
    let Some(name) = campaign else { return };
    match what {
        34..=47 => {
            let state = word(rng, &["Active", "Active", "Paused"]);
            world.edit(CAMPAIGN, &name, json!({ "state": state }));
        }
        48..=56 => {
            let amount = rng.u32(50..130).to_string();
            let budget = world
                .api
                .get(CAMPAIGN, &name)
                .map(|o| o["spec"]["budget"].clone());
            if let Some(mut budget) = budget {
                budget["amount"] = amount.into();
                world.edit(CAMPAIGN, &name, json!({ "budget": budget }));
            }
        }
        57..=58 => {
            let wanted = format!("renamed {}", rng.u32(0..4));
            world.edit(CAMPAIGN, &name, json!({ "name": wanted }));
        }
        59..=60 => {
            let mode = word(rng, &["Enforce", "Suspend", "Plan", "Observe"]);
            world.edit(CAMPAIGN, &name, json!({ "mode": mode }));
        }
        61 => world.edit(
            CAMPAIGN,
            &name,
            json!({ "drift": {"budget": word(rng, &["Correct", "Report"]), "state": pick(rng, &["Respect", "Enforce"])} }),
        ),
        62..=68 => world.delete(CAMPAIGN, &name),
        69..=71 => {
            let value = rng.u32(0..1000).to_string();
            world.annotate(&name, RESUME, &value);
        }
        72 => world.annotate(&name, RELEASE, "true"),
        73..=75 => world.replace(&name),
        76..=78 => world.restore(&name, rng.bool(), rng.bool(), rng.bool()),
        79 => world.edit(CAMPAIGN, &name, json!({ "incarnation": rng.u32(1..4) })),
        _ => {
            let Some(id) = world.id_of(&name) else { return };
            let what = match what {
                80..=85 => Outside::Pause,
                86..=90 => Outside::Enable,
                91..=92 => Outside::Delete,
                93..=97 => Outside::Set("budget", json!(rng.u32(40..200))),
                _ => Outside::Set("campaign_name", json!("renamed by a buyer")),
            };
            world.outside(&id, what);
        }
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
        world.publish();
    }
    // Bounded: the longest single waits are 300 s of backoff and R11's 110 s; a lost lease takes 30 s.
    for _ in 0..120 {
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
    // Ten sweeps of silence. The settle: what was written last is read back.
    sleep(Duration::from_secs(150)).await;
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

/// Reasons that only somebody else can end.
const NEEDS_SOMEBODY: &[&str] = &[
    "ConnectionMissing",
    "ConnectionDeleting",
    "NamespaceTerminating",
    "NameTaken",
    "Conflict",
    "IdentityConflict",
    "AccountMismatch",
    "NotFoundOnPlatform",
    "AdoptionMismatch",
    "ExternallyDeleted",
    "DuplicatesFound",
    "KeysUsedUp",
    "Rejected",
    "BudgetTooLow",
    "NotConverging",
    "NoBudgetCeiling",
    "CeilingReached",
    "CeilingUnknown",
    "DeleteHeld",
    "WouldCreate",
    "WouldUpdate",
    "Suspended",
    "ReadOnly",
    "SecretMissing",
    "WaitingForConnection",
];

/// What is not as it has to be when nothing happens any more. Written from the user's side, not from the engine's.
fn disorder(world: &World) -> Vec<String> {
    let mut out = Vec::new();
    for (name, object) in world.api.list(CAMPAIGN) {
        let ready = object["status"]["conditions"]
            .as_array()
            .into_iter()
            .flatten()
            .find(|c| c["type"] == "Ready")
            .cloned()
            .unwrap_or_default();
        let reason = ready["reason"].as_str().unwrap_or("none").to_string();
        let mut wrong = |why: String| out.push(format!("{name}: {why} (Ready is {ready})"));
        let excused = NEEDS_SOMEBODY.contains(&reason.as_str());
        let computed = compute(object);
        if object["metadata"].get("deletionTimestamp").is_some() {
            if !excused {
                wrong("still being deleted".into());
            }
            continue;
        }
        if object["status"]["observedGeneration"] != object["metadata"]["generation"] {
            wrong("status is of an older generation".into());
            continue;
        }
        if computed != Computed::Current && !excused {
            wrong(format!("{computed:?}"));
            continue;
        }
        let row = record_of(object)
            .and_then(|r| r["id"].as_str().map(str::to_owned))
            .and_then(|id| world.row(&id));
        let spec = &object["spec"];
        let Some(row) = row else {
            if computed == Computed::Current && reason != "Observed" {
                wrong("Ready without a platform object".into());
            }
            continue;
        };
        let enforced = excused || reason == "Observed";
        if row.is_on() && spec["state"] == "Paused" && !enforced {
            wrong("on although the spec says Paused".into());
        }
        // Whatever the reason: without a ceiling, or above it, nothing of ours stays on.
        if row.is_on() && matches!(reason.as_str(), "NoBudgetCeiling") {
            wrong("on without a ceiling".into());
        }
        if computed != Computed::Current {
            continue;
        }
        let held = reason == "PausedOutside" || reason == "Paused" || enforced;
        if !row.is_on() && !row.deleted && spec["state"] == "Active" && !held {
            wrong("off although the spec says Active and nothing holds it".into());
        }
        if row.deleted && !enforced {
            wrong("Ready although the platform object is deleted".into());
        }
        let report = spec["drift"]["budget"] == "Report";
        let wanted: f64 = spec["budget"]["amount"]
            .as_str()
            .and_then(|a| a.parse().ok())
            .unwrap_or(0.0);
        if (row.budget() - wanted).abs() > 0.001 && !report && !enforced {
            wrong(format!(
                "budget {} on the platform, {wanted} wanted",
                row.budget()
            ));
        }
    }
    for (name, object) in world.api.list(CONNECTION) {
        let stuck = object["metadata"].get("deletionTimestamp").is_some()
            && !world.api.list(CAMPAIGN).any(|(n, c)| {
                n.namespace == name.namespace && c["metadata"].get("deletionTimestamp").is_some()
            });
        if stuck {
            out.push(format!("connection {name} is still being deleted"));
        }
    }
    out
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
