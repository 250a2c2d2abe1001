//! The cluster's door over the model API server: latency, lost answers, errors, deadlines, and crash points.
//!
//! A request is a task of its own: it arrives even if the process that sent it is dead by then.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::coordination::v1::Lease;
use serde_json::Value;
use tiktok_ads_operator::engine::doors::{
    Cluster, ClusterError, MetaPatch, Name, Note, SecretCopy, SecretWrite, Stored,
};
use tokio::sync::oneshot;
use tokio::time::{sleep, timeout};

use super::api_server::word;
use super::world::{Sim, World};

/// Deadline of a call (architecture, decision 15).
const DEADLINE: Duration = Duration::from_secs(10);

#[derive(Clone)]
pub struct ClusterDoor {
    pub sim: Arc<Sim>,
    pub replica: usize,
    pub process: u64,
}

struct Fate {
    crash_before: bool,
    crash_under_way: bool,
    crash_after: bool,
    error_before: bool,
    answer_lost: bool,
    there: Duration,
    back: Duration,
}

/// A restore cuts every connection.
fn went_away() -> ClusterError {
    ClusterError::Unclear("the API server went away".into())
}

fn typed<K: Stored>(object: Value) -> K {
    serde_json::from_value(object).unwrap()
}

impl ClusterDoor {
    fn fate(&self, write: bool, lease: bool) -> Fate {
        let mut world = self.sim.lock();
        if !lease {
            world.maybe_freeze(self.replica);
        }
        let faults = world.faults.clone();
        // A lease is written every few seconds: it would take most of the faults.
        let crash = if lease {
            faults.crash / 20
        } else {
            faults.crash
        };
        let error = if lease {
            faults.cluster / 4
        } else {
            faults.cluster
        };
        let ms = |world: &mut World| {
            if world.chance(faults.slow) {
                world.rng.u64(500..8_000)
            } else {
                world.rng.u64(1..25)
            }
        };
        let there = Duration::from_millis(ms(&mut world));
        let back = Duration::from_millis(ms(&mut world));
        let crash = world.chance(crash);
        let point = world.rng.u32(0..3);
        let wrong = world.chance(error);
        let before = world.rng.bool();
        Fate {
            crash_before: crash && point == 0,
            crash_under_way: crash && point == 1,
            crash_after: crash && point == 2,
            error_before: wrong && (before || !write),
            answer_lost: wrong && write && !before,
            there,
            back,
        }
    }

    async fn die(&self, where_: &str) {
        self.sim.kill(self.replica, self.process, where_);
        std::future::pending::<()>().await;
    }

    async fn call<R: Send + 'static>(
        &self,
        what: String,
        write: bool,
        lease: bool,
        effect: impl FnOnce(&mut World) -> Result<R, ClusterError> + Send + 'static,
    ) -> Result<R, ClusterError> {
        let fate = self.fate(write, lease);
        if fate.crash_before {
            self.die(&format!("before {what}")).await;
        }
        if fate.error_before {
            sleep(fate.there).await;
            return Err(ClusterError::Unclear("the API server is overloaded".into()));
        }
        let (tell, told) = oneshot::channel();
        let sim = self.sim.clone();
        let (replica, line) = (self.replica, what.clone());
        tokio::spawn(async move {
            let epoch = sim.lock().api.epoch;
            sleep(fate.there).await;
            let result = {
                let mut world = sim.lock();
                let result = match world.api.epoch == epoch {
                    true => effect(&mut world),
                    false => Err(went_away()),
                };
                if write && !lease {
                    let outcome = match &result {
                        Ok(_) => "ok".to_string(),
                        Err(error) => error.to_string(),
                    };
                    world.say(format!("r{replica} → API {line}: {outcome}"));
                }
                world.publish();
                result
            };
            sleep(fate.back).await;
            let result = match sim.lock().api.epoch == epoch {
                true => result,
                false => Err(went_away()),
            };
            let _ = tell.send(result);
        });
        if fate.crash_under_way {
            self.die(&format!("while {what} was under way")).await;
        }
        let answer = timeout(DEADLINE, told).await;
        if fate.crash_after {
            self.die(&format!("after {what}")).await;
        }
        match answer {
            _ if fate.answer_lost => Err(ClusterError::Unclear("the connection was cut".into())),
            Ok(Ok(result)) => result,
            _ => Err(ClusterError::Unclear("no answer in time".into())),
        }
    }
}

impl Cluster for ClusterDoor {
    async fn get<K: Stored>(
        &self,
        kind: &K::DynamicType,
        name: &Name,
    ) -> Result<Option<K>, ClusterError> {
        let (kind, of) = (word(&K::kind(kind)), name.clone());
        let found = self
            .call(format!("GET {kind} {name}"), false, false, move |world| {
                Ok(world.api.get(kind, &of).cloned())
            })
            .await?;
        Ok(found.map(typed))
    }

    async fn patch_meta<K: Stored>(
        &self,
        kind: &K::DynamicType,
        name: &Name,
        patch: &MetaPatch,
    ) -> Result<K, ClusterError> {
        let (kind, of, copy) = (word(&K::kind(kind)), name.clone(), patch.clone());
        let process = self.process;
        let what = format!("PATCH {kind} {name}{}", describe(patch));
        let written = self
            .call(what, true, false, move |world| {
                let now = world.now();
                let written = world.api.patch_meta(kind, &of, &copy, now)?;
                world.checked_patch(process, kind, &of, &written);
                Ok(written)
            })
            .await?;
        self.sim.lock().patch_acknowledged(process, &written);
        Ok(typed(written))
    }

    async fn apply_status<K: Stored>(
        &self,
        kind: &K::DynamicType,
        name: &Name,
        resource_version: &str,
        status: Value,
    ) -> Result<K, ClusterError> {
        let (kind, of, version) = (
            word(&K::kind(kind)),
            name.clone(),
            resource_version.to_string(),
        );
        let what = format!("STATUS {kind} {name} {}", ready_line(&status));
        let written = self
            .call(what, true, false, move |world| {
                let written = world.api.apply_status(kind, &of, &version, status)?;
                world.checked_status(kind, &of, &written);
                Ok(written)
            })
            .await?;
        Ok(typed(written))
    }

    async fn secret(&self, name: &Name) -> Result<Option<SecretCopy>, ClusterError> {
        let (of, replica, process) = (name.clone(), self.replica, self.process);
        self.call(format!("GET Secret {name}"), false, false, move |world| {
            world.secret_reads += 1;
            let slot = &mut world.slots[replica];
            if slot.process == process && slot.wants(&of) {
                slot.secrets.insert(of.clone());
            }
            Ok(world.api.secret(&of))
        })
        .await
    }

    fn want_secrets(&self, connection: &Name, names: BTreeSet<Name>) {
        let mut world = self.sim.lock();
        let slot = &mut world.slots[self.replica];
        if slot.process == self.process {
            slot.wanted.insert(connection.clone(), names);
            let watched = std::mem::take(&mut slot.secrets);
            slot.secrets = watched.into_iter().filter(|s| slot.wants(s)).collect();
        }
    }

    async fn write_secret(&self, write: &SecretWrite) -> Result<(), ClusterError> {
        let copy = write.clone();
        let late = self.sim.lock().faults.secret_writes;
        if !late.is_zero() {
            sleep(late).await;
        }
        self.call(
            format!("PUT Secret {}", write.name),
            true,
            false,
            move |world| world.api.write_secret(&copy),
        )
        .await
    }

    async fn drop_secret(&self, name: &Name, uid: &str) -> Result<(), ClusterError> {
        let (of, uid) = (name.clone(), uid.to_string());
        self.call(format!("DROP Secret {name}"), true, false, move |world| {
            world.api.drop_secret(&of, &uid);
            Ok(())
        })
        .await
    }

    async fn keep_rights(&self, _namespace: &str, _keep: bool) -> Result<(), ClusterError> {
        // One ClusterRole, cluster-wide: nothing has to be kept.
        Ok(())
    }

    async fn note(&self, note: &Note) -> Result<(), ClusterError> {
        let copy = note.clone();
        let what = format!("EVENT {} {} {}", note.kind, note.about, note.reason);
        let written = self.call(what, true, false, move |world| {
            world.api.note(copy);
            Ok(())
        });
        let written = written.await;
        let hangs = self.sim.lock().faults.events_hang;
        if hangs {
            sleep(DEADLINE).await;
        }
        written
    }

    async fn note_at_home(&self, note: &Note) -> Result<(), ClusterError> {
        let copy = note.clone();
        let what = format!("EVENT HOME {} {} {}", note.kind, note.about, note.reason);
        self.call(what, true, false, move |world| {
            world.api.writes += 1;
            world.api.home_notes.push(copy);
            Ok(())
        })
        .await
    }

    async fn lease(&self) -> Result<Option<Lease>, ClusterError> {
        self.call("GET Lease".into(), false, true, |world| {
            Ok(world.api.lease.clone())
        })
        .await
    }

    async fn write_lease(&self, lease: &Lease) -> Result<Lease, ClusterError> {
        let copy = lease.clone();
        self.call("PUT Lease".into(), true, true, move |world| {
            world.api.write_lease(&copy)
        })
        .await
    }
}

fn describe(patch: &MetaPatch) -> String {
    let mut out = String::new();
    for text in patch.annotations.values() {
        let Ok(record) = serde_json::from_str::<Value>(text) else {
            continue;
        };
        out.push_str(&format!(" seq={}", record["seq"]));
        if record.get("mark").is_some() {
            out.push_str(&format!(" MARK attempt={}", record["attempt"]));
        }
        if let Some(id) = record.get("id") {
            out.push_str(&format!(" id={id}"));
        }
        if record.get("seenOn").is_some() {
            out.push_str(" seenOn");
        }
    }
    if patch.annotations.is_empty()
        && let Some(finalizers) = &patch.finalizers
    {
        out.push_str(&format!(" finalizers={finalizers:?}"));
    }
    out
}

fn ready_line(status: &Value) -> String {
    let mut out = format!("gen={}", status["observedGeneration"]);
    for condition in status["conditions"].as_array().into_iter().flatten() {
        if matches!(
            condition["type"].as_str(),
            Some("Ready" | "Held" | "Stalled" | "Drifted")
        ) && (condition["type"] == "Ready" || condition["status"] == "True")
        {
            out.push_str(&format!(
                " {}={}({})",
                condition["type"].as_str().unwrap_or_default(),
                condition["status"].as_str().unwrap_or_default(),
                condition["reason"].as_str().unwrap_or_default()
            ));
        }
    }
    if let Some(op) = status.get("operationStatus").and_then(Value::as_str) {
        out.push_str(&format!(" {op}"));
    }
    out
}
