//! Scripts: one replica or two, no chance beyond latencies, and what is done stands in the test.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tiktok_ads_operator::engine::doors::Name;
use tiktok_ads_operator::engine::settings::Settings;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::api_server::CAMPAIGN;
use super::platform::Planned;
use super::random::in_virtual_time;
use super::replica::supervise;
use super::user::{caps, named};
use super::world::{Sim, World};

/// A run that a test directs.
pub struct Script {
    pub sim: Arc<Sim>,
    replicas: Vec<JoinHandle<()>>,
}

impl Script {
    /// One account with a ceiling of 1000 per object, one replica that leads.
    pub async fn start(knobs: &[(&str, &str)]) -> Self {
        let script = Self::bare(knobs);
        script.sim.lock().set_up(0, Some(caps(Some(1000), None)));
        script.wait(5).await;
        script
    }

    /// The same, with settings of the operator's own, and so many replicas.
    pub async fn start_as(settings: Settings, replicas: usize) -> Self {
        let sim = Sim::new(1, replicas, Vec::new());
        let running = (0..replicas).map(|n| supervise(sim.clone(), n, settings.clone()));
        let script = Self {
            replicas: running.collect(),
            sim,
        };
        script.sim.lock().set_up(0, Some(caps(Some(1000), None)));
        script.wait(5).await;
        script
    }

    /// No connection yet.
    pub fn bare(knobs: &[(&str, &str)]) -> Self {
        Self::with(1, knobs, 1, &Settings::default())
    }

    /// No connection yet, and as many replicas as there shall be.
    pub fn with(seed: u64, knobs: &[(&str, &str)], replicas: usize, settings: &Settings) -> Self {
        let knobs = knobs
            .iter()
            .map(|(name, value)| ((*name).to_string(), (*value).to_string()))
            .collect();
        let sim = Sim::new(seed, replicas, knobs);
        let replicas = (0..replicas)
            .map(|replica| supervise(sim.clone(), replica, settings.clone()))
            .collect();
        Self { sim, replicas }
    }

    /// Lets seconds pass.
    pub async fn wait(&self, seconds: u64) {
        sleep(Duration::from_secs(seconds)).await;
    }

    /// Somebody does something.
    pub fn does<R>(&self, what: impl FnOnce(&mut World) -> R) -> R {
        what(&mut self.sim.lock())
    }

    /// The next calls of this path go as planned.
    pub fn plan(&self, path: &'static str, planned: &[Planned]) {
        self.sim
            .lock()
            .script
            .insert(path, VecDeque::from(planned.to_vec()));
    }

    /// An object of ours.
    pub fn campaign(&self, name: &str) -> Option<Value> {
        self.sim.lock().api.get(CAMPAIGN, &ads(name)).cloned()
    }

    /// Status, reason and message of a condition of a campaign.
    pub fn condition(&self, name: &str, kind: &str) -> (String, String, String) {
        self.condition_of(CAMPAIGN, name, kind)
    }

    fn condition_of(&self, of: &'static str, name: &str, kind: &str) -> (String, String, String) {
        let object = self.sim.lock().api.get(of, &ads(name)).cloned();
        let object = object.unwrap_or_default();
        let found = object["status"]["conditions"]
            .as_array()
            .into_iter()
            .flatten()
            .find(|c| c["type"] == kind)
            .cloned()
            .unwrap_or_default();
        let text = |key: &str| found[key].as_str().unwrap_or_default().to_string();
        (text("status"), text("reason"), text("message"))
    }

    /// The reason of Ready of a campaign.
    pub fn ready(&self, name: &str) -> String {
        self.ready_of(CAMPAIGN, name)
    }

    /// The reason of Ready of any object.
    pub fn ready_of(&self, kind: &'static str, name: &str) -> String {
        self.condition_of(kind, name, "Ready").1
    }

    /// Live rows of the account, by name: name and whether on.
    pub fn rows(&self) -> Vec<(String, bool)> {
        let world = self.sim.lock();
        let advertiser = world.accounts[0].advertiser_id.clone();
        let mut rows: Vec<(String, bool)> = world
            .sandbox
            .campaigns(&advertiser)
            .filter(|row| !row.deleted)
            .map(|row| (row.text("campaign_name").to_string(), row.is_on()))
            .collect();
        rows.sort();
        rows
    }

    /// How often each write of the platform was asked for so far: path and, for status calls, the wanted status.
    pub fn writes(&self) -> Vec<String> {
        let world = self.sim.lock();
        world
            .sandbox
            .requests(Default::default())
            .filter(|entry| entry.method == "POST")
            .map(|entry| {
                let path = entry.path.trim_start_matches("/open_api/v1.3/");
                match entry.body["operation_status"].as_str() {
                    Some(status) if path.contains("status") => status.to_lowercase(),
                    _ if path.contains("create") => "create".into(),
                    _ => "update".into(),
                }
            })
            .collect()
    }

    /// Ends the run; no invariant may have failed, no wake-up been missed.
    pub async fn end(self) -> Vec<String> {
        let missed = self.sim.force_resync();
        for replica in &self.replicas {
            replica.abort();
        }
        for replica in self.replicas {
            let _ = replica.await;
        }
        let world = self.sim.lock();
        assert!(
            world.failures.is_empty(),
            "{}\n{}",
            world.trace.join("\n"),
            world.failures.join("\n")
        );
        assert_eq!(missed, Some(0), "{}", world.trace.join("\n"));
        world.trace.clone()
    }
}

pub fn ads(name: &str) -> Name {
    named("ads", name)
}

/// Runs a script.
pub fn play<R>(script: impl Future<Output = R>) -> R {
    in_virtual_time(script)
}
