//! One replica: the engine, the lease and the watches of a process, started, killed, frozen and started anew.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tiktok_ads_operator::engine::doors::{Clock, Delta};
use tiktok_ads_operator::engine::lease::{Fence, lead};
use tiktok_ads_operator::engine::metrics::Metrics;
use tiktok_ads_operator::engine::run::Engine;
use tiktok_ads_operator::engine::settings::Settings;
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{Sleep, sleep};

use super::clock::SimClock;
use super::cluster::ClusterDoor;
use super::platform::PlatformDoor;
use super::world::Sim;

pub type SimEngine = Engine<ClusterDoor, PlatformDoor, SimClock>;

/// A machine that may sleep: nothing of it runs until it wakes.
struct Freezable<F> {
    inner: Pin<Box<F>>,
    sim: Arc<Sim>,
    replica: usize,
    sleep: Option<Pin<Box<Sleep>>>,
}

impl<F: Future<Output = ()>> Future for Freezable<F> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let left = {
            let world = self.sim.lock();
            world.slots[self.replica]
                .frozen_until
                .checked_sub(world.clock.elapsed())
                .filter(|left| !left.is_zero())
        };
        if let Some(left) = left {
            let sleep = self.sleep.get_or_insert_with(|| Box::pin(sleep(left)));
            if sleep.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
        }
        self.sleep = None;
        self.inner.as_mut().poll(cx)
    }
}

/// Delivers what the watches have when it is due.
async fn pump(sim: Arc<Sim>, replica: usize, tx: mpsc::Sender<Delta>) {
    loop {
        let wake = sim.lock().slots[replica].wake_watch.clone();
        let next = sim.lock().next_delivery(replica);
        match next {
            Ok(deltas) => {
                for delta in deltas {
                    if tx.send(delta).await.is_err() {
                        return;
                    }
                }
            }
            Err(Some(wait)) => {
                tokio::select! {
                    biased;
                    () = wake.notified() => {}
                    () = sleep(wait) => {}
                }
            }
            Err(None) => wake.notified().await,
        }
    }
}

async fn process(sim: Arc<Sim>, replica: usize, number: u64, settings: Settings, metrics: Metrics) {
    let (clock, times) = {
        let world = sim.lock();
        let clock = world.clock.ahead(world.slots[replica].ahead);
        (clock, world.lease_times.clone())
    };
    let fence = Arc::new(Fence::default());
    let cluster = ClusterDoor {
        sim: sim.clone(),
        replica,
        process: number,
    };
    let platform = PlatformDoor {
        sim: sim.clone(),
        replica,
        process: number,
    };
    let engine = Arc::new(SimEngine::new(
        cluster.clone(),
        platform,
        clock,
        settings,
        metrics,
        fence.clone(),
    ));
    sim.lock().slots[replica].engine = Arc::downgrade(&engine);
    let (tx, rx) = mpsc::channel(4096);
    let (leads, leading) = watch::channel(false);
    let (stop, stopped) = watch::channel(false);
    let over = Notify::new();
    let run = async {
        engine.run(rx, leading, stopped).await;
        over.notify_one();
    };
    let identity = format!("r{replica}-{number}");
    let lease = lead(
        &cluster,
        &clock,
        &identity,
        &times,
        &fence,
        &leads,
        over.notified(),
    );
    let lease = async {
        let ended = lease.await;
        sim.lock()
            .say(format!("r{replica} lease of process {number}: {ended:?}"));
        // Whatever the reason: the process ends. What it has in hand is still stored.
        let _ = stop.send(true);
    };
    let asked = sim.lock().slots[replica].stop.clone();
    let sigterm = async {
        asked.notified().await;
        let _ = stop.send(true);
        std::future::pending::<()>().await;
    };
    let both = async { futures::future::join(run, lease).await };
    tokio::select! {
        biased;
        _ = both => {}
        () = sigterm => {}
        () = pump(sim.clone(), replica, tx) => {}
    }
}

/// Keeps a replica running, as a Deployment does.
pub fn supervise(sim: Arc<Sim>, replica: usize, settings: Settings) -> JoinHandle<()> {
    tokio::spawn(async move {
        loop {
            let (number, crash) = {
                let mut world = sim.lock();
                let number = world.begin_process(replica);
                world.say(format!("r{replica} process {number} starts"));
                (number, world.slots[replica].crash.clone())
            };
            let metrics = Metrics::default();
            let mut task = tokio::spawn(Freezable {
                inner: Box::pin(process(
                    sim.clone(),
                    replica,
                    number,
                    settings.clone(),
                    metrics.clone(),
                )),
                sim: sim.clone(),
                replica,
                sleep: None,
            });
            let mut panicked = None;
            tokio::select! {
                biased;
                () = crash.notified() => {
                    task.abort();
                    let _ = (&mut task).await;
                }
                ended = &mut task => panicked = ended.err().filter(|e| e.is_panic()),
            }
            let pause = {
                let mut world = sim.lock();
                if panicked.is_some() {
                    world.fail(format!("process {number} panicked"));
                }
                if metrics.missed() > 0 {
                    world.fail(format!(
                        "process {number} found work that no event had announced ({})",
                        metrics.missed()
                    ));
                }
                world.process_ended(number);
                Duration::from_millis(world.rng.u64(50..12_000))
            };
            sleep(pause).await;
        }
    })
}

impl Sim {
    /// The engine that holds the lease, if any does.
    pub fn leader(&self) -> Option<(usize, Arc<SimEngine>)> {
        let world = self.lock();
        let holder = world
            .api
            .lease
            .as_ref()?
            .spec
            .as_ref()?
            .holder_identity
            .clone()?;
        let (replica, slot) = world
            .slots
            .iter()
            .enumerate()
            .find(|(r, s)| format!("r{r}-{}", s.process) == holder)?;
        Some((replica, slot.engine.upgrade()?))
    }

    /// Decision 7's pass, forced: how much work is found that nothing had announced.
    pub fn force_resync(&self) -> Option<u64> {
        let (_, engine) = self.leader()?;
        let now = self.lock().clock.now();
        Some(engine.lock().resync(now))
    }
}
