//! A connection's status and its events.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use super::super::doors::{Clock, Cluster, ClusterError, Name, Note};
use super::super::queue::Lane;
use super::super::run::Engine;
use super::super::state::Key;
use crate::api::connection::TikTokConnection;
use crate::model::connection::ConnectionPlan;
use crate::model::reason::Reason;
use crate::platform::Door;

impl<C: Cluster, P: Door, K: Clock> Engine<C, P, K> {
    /// Compares first: a no-op write costs the server as much as a real one.
    pub(super) async fn report_connection(
        &self,
        name: &Name,
        object: &TikTokConnection,
        plan: &ConnectionPlan,
    ) {
        if object.status.as_ref() == Some(&plan.status) || looks_again(object, plan) {
            self.metrics.status_skipped();
            return;
        }
        let Ok(value) = serde_json::to_value(&plan.status) else {
            return;
        };
        let version = object.metadata.resource_version.clone().unwrap_or_default();
        let _permit = self.status_slots.acquire().await;
        self.metrics.status_sent();
        match self
            .cluster
            .apply_status::<TikTokConnection>(&(), name, &version, value)
            .await
        {
            Ok(written) => {
                self.announce_connection(name, object, plan).await;
                self.lock()
                    .adopt_connection(name, uid_of(object), Some(written), self.clock.now());
            }
            Err(error) => {
                if error != ClusterError::Changed {
                    self.connection_failed(name, &error);
                } else if let Ok(live) = self.cluster.get::<TikTokConnection>(&(), name).await {
                    let now = self.clock.now();
                    let mut state = self.lock();
                    state.adopt_live_connection(name, object, live, now);
                    state.push(&Key::Connection(name.clone()), Lane::Change, now);
                }
            }
        }
    }

    async fn announce_connection(
        &self,
        name: &Name,
        object: &TikTokConnection,
        plan: &ConnectionPlan,
    ) {
        let shown = |s: Option<&crate::api::connection::TikTokConnectionStatus>| {
            s.and_then(|s| {
                s.conditions
                    .iter()
                    .find(|c| c.type_ == "Ready")
                    .map(|c| (c.status.clone(), c.reason.clone(), c.message.clone()))
            })
        };
        let (before, after) = (shown(object.status.as_ref()), shown(Some(&plan.status)));
        let Some((status, reason, message)) = after else {
            return;
        };
        if before.map(|(s, r, _)| (s, r)) == Some((status.clone(), reason.clone())) {
            // What somebody has to do before anything happens.
            let had = object.status.as_ref().is_some_and(|s| s.banner.is_some());
            if let Some(banner) = plan.status.banner.clone().filter(|_| !had) {
                self.note(Note {
                    kind: "TikTokConnection",
                    about: name.clone(),
                    uid: object.metadata.uid.clone().unwrap_or_default(),
                    warning: true,
                    reason: "AttentionNeeded".into(),
                    message: banner,
                })
                .await;
            }
            return;
        }
        tracing::info!(connection = %name, %status, %reason, %message, "now");
        let stalled = plan.status.conditions.iter().any(|c| c.type_ == "Stalled");
        if status == "True" || stalled {
            // The banner says it whole: since when, until when, and what to do.
            let message = plan
                .status
                .banner
                .clone()
                .filter(|_| stalled)
                .unwrap_or(message);
            let uid = object.metadata.uid.clone().unwrap_or_default();
            self.note(Note {
                kind: "TikTokConnection",
                about: name.clone(),
                uid,
                warning: stalled,
                reason,
                message,
            })
            .await;
        }
    }
}

pub(super) fn uid_of(object: &TikTokConnection) -> &str {
    object.metadata.uid.as_deref().unwrap_or_default()
}

/// Is this only a new process that asks again what the status of this very generation already tells?
fn looks_again(object: &TikTokConnection, plan: &ConnectionPlan) -> bool {
    let ready = |conditions: &[Condition]| conditions.iter().find(|c| c.type_ == "Ready").cloned();
    let told = object
        .status
        .as_ref()
        .and_then(|status| ready(&status.conditions))
        .is_some_and(|c| c.status == "True" && c.observed_generation == object.metadata.generation);
    let asks = ready(&plan.status.conditions)
        .is_some_and(|c| c.reason == Reason::LookingUp.to_string() && c.status != "True");
    told && asks
}
