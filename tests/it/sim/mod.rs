//! The simulation (decision 5): the engine between two doors in process, in virtual time, everything from a seed.
//!
//! * `api_server` is a model of the API server, `platform` puts the sandbox behind the platform's door, `cluster` the
//!   model behind the cluster's door. Both add latency, faults and crash points.
//! * `replica` runs two replicas with lease and watches of their own, and starts them anew when they die.
//! * `random` runs a seed: `knobs` draws the platform's unknowns, `steps` what users and buyers do, and in the end `order`
//!   says what is not as it has to be. `checks` holds the invariants that are checked at every effect.
//! * `rules`, `tokens` and `keeping` are scripted tests named by the rules they show; `golden` renders scripts as text for readers.
//!
//! `SIM_SEEDS` (how many), `SIM_FROM` (the first), `SIM_STEPS` and `SIM_SEED` (one of them) are read from the
//! environment.

mod api_server;
mod backup;
mod checks;
mod clock;
mod cluster;
mod connecting;
mod family;
mod farewell;
mod golden;
mod hearing;
mod keeping;
mod knobs;
mod kstatus;
mod money;
mod neighbours;
mod order;
mod platform;
mod random;
mod reach;
mod replica;
mod rules;
mod script;
mod specs;
mod steps;
mod subscribing;
mod tokens;
mod user;
mod world;

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use random::{Done, explain, run_seed};

const SEEDS: u64 = 100;
const STEPS: u32 = 80;

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name)
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(default)
}

fn steps() -> u32 {
    u32::try_from(number("SIM_STEPS", u64::from(STEPS))).unwrap()
}

/// A run in which time stands still never ends by itself: it is a failure like any other.
fn guarded(seed: u64, steps: u32) -> random::Report {
    let (done, waits) = std::sync::mpsc::channel::<()>();
    std::thread::spawn(move || {
        let long = std::time::Duration::from_secs(number("SIM_SECONDS", 60));
        if waits.recv_timeout(long) == Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
            println!(
                "\nseed {seed} fails:\n  it does not end: the engine turns in place\nrun it again:\n  SIM_SEED={seed} SIM_STEPS={steps} cargo test --test it sim::one_seed -- --nocapture"
            );
            std::process::exit(101);
        }
    });
    let report = run_seed(seed, steps);
    drop(done);
    report
}

/// Seeds that have found something once: two siblings edited in one millisecond (35), ads below an ad group that claims
/// another's row (46), a question for a name that was asked anew by each turn (67), an unclear create whose spec
/// moved on before it was looked for (112), updates of what went with its campaign (5038), a campaign that took over one
/// that spreads its budget (5047), a record lost while what the object is in was missing (7086), ads below a campaign that
/// was deleted on TikTok (8021), and an unclear create below a connection that has no token any more (20065).
#[test]
fn seeds_that_found_something() {
    for seed in [35, 46, 67, 112, 5038, 5047, 7086, 8021, 20065] {
        let report = guarded(seed, STEPS);
        assert!(
            report.failures.is_empty(),
            "seed {seed}: {:?}",
            report.failures
        );
    }
}

/// The default number of seeds, on two threads.
#[test]
fn random_seeds() {
    if std::env::var("SIM_SEED").is_ok() {
        return;
    }
    let (seeds, from, steps) = (number("SIM_SEEDS", SEEDS), number("SIM_FROM", 1), steps());
    let most = usize::try_from(number("SIM_FAILURES", 1)).unwrap();
    let next = AtomicU64::new(from);
    let failed = Mutex::new(Vec::new());
    let sums = Mutex::new(Done::default());
    let begun = std::time::Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= from + seeds || failed.lock().unwrap().len() >= most {
                        return;
                    }
                    let begun = std::time::Instant::now();
                    let report = guarded(seed, steps);
                    if begun.elapsed().as_secs() >= number("SIM_SLOW", 20) {
                        println!("seed {seed} took {:.1} s", begun.elapsed().as_secs_f64());
                    }
                    sums.lock().unwrap().add(&report.done);
                    if !report.failures.is_empty() {
                        failed.lock().unwrap().push((seed, report));
                    }
                }
            });
        }
    });
    let sums = sums.into_inner().unwrap();
    println!(
        "{seeds} seeds of {steps} steps in {:.1} s: {} creates ({} of several), {} updates ({} kept what a buyer set), {} enables, {} pauses, {} deletes, {:.1} virtual hours",
        begun.elapsed().as_secs_f64(),
        sums.creates,
        sums.batches,
        sums.updates,
        sums.kept,
        sums.enables,
        sums.pauses,
        sums.deletes,
        sums.virtual_seconds / 3600.0
    );
    for (text, count) in &sums.refusals {
        println!("{count:>6} × {text}");
    }
    let failed = failed.into_inner().unwrap();
    for (seed, report) in &failed {
        println!("{}", explain(*seed, steps, report));
    }
    assert!(failed.is_empty(), "{} seeds fail", failed.len());
    let all = [
        sums.creates,
        sums.batches,
        sums.updates,
        sums.kept,
        sums.enables,
        sums.pauses,
        sums.deletes,
    ];
    assert!(
        seeds < 20 || all.iter().all(|n| *n > 0),
        "the seeds do not do everything: {sums:?}"
    );
}

/// One seed, named by `SIM_SEED`, with its trace.
#[test]
fn one_seed() {
    let seed = number("SIM_SEED", 1);
    let report = guarded(seed, steps());
    if !report.failures.is_empty() {
        println!("{}", explain(seed, steps(), &report));
        panic!("seed {seed} fails");
    }
    if std::env::var("SIM_TRACE").is_ok() {
        println!("{}", report.trace.join("\n"));
    }
}

/// Iteration order, randomness and time come from the seed alone.
#[test]
fn a_seed_gives_the_same_trace_each_time() {
    for seed in [3, 7] {
        let (one, two) = (run_seed(seed, 40), run_seed(seed, 40));
        assert!(one.trace.len() > 100, "{}", one.trace.len());
        for (a, b) in one.trace.iter().zip(&two.trace) {
            assert_eq!(a, b);
        }
        assert_eq!(one.trace.len(), two.trace.len());
        assert_ne!(one.trace, run_seed(seed + 1, 40).trace);
    }
}
