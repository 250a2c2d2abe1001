//! A connection's status and its events.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use super::super::doors::{Clock, Cluster, ClusterError, Name, Note};
use super::super::queue::Lane;
use super::super::run::Engine;
use super::super::state::Key;
use crate::api::connection::{TikTokConnection, TikTokConnectionStatus};
use crate::model::connection::{ConnectionPlan, TOKEN_ENDING, trouble_told};
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

    /// One warning for each trouble, with the whole banner: since when, until when, and what to do. And one event for each
    /// change of `Ready` that the banner does not tell.
    async fn announce_connection(
        &self,
        name: &Name,
        object: &TikTokConnection,
        plan: &ConnectionPlan,
    ) {
        let note = |warning, reason: &str, message| Note {
            kind: "TikTokConnection",
            about: name.clone(),
            uid: uid_of(object).to_string(),
            warning,
            reason: reason.into(),
            message,
        };
        let trouble = trouble_told(&plan.status);
        let before = object.status.as_ref().and_then(trouble_told);
        if let (Some(trouble), Some(banner)) = (trouble, &plan.status.banner)
            && before != Some(trouble)
        {
            tracing::warn!(connection = %name, trouble, %banner, "somebody has to do something");
            let reason = match trouble {
                TOKEN_ENDING => "AttentionNeeded",
                other => other,
            };
            self.note(note(true, reason, banner.clone())).await;
        }
        let shown = |conditions: &[Condition]| {
            let found = conditions.iter().find(|c| c.type_ == "Ready");
            found.map(|c| (c.status.clone(), c.reason.clone(), c.message.clone()))
        };
        let before = object.status.as_ref().and_then(|s| shown(&s.conditions));
        let Some((status, reason, message)) = shown(&plan.status.conditions) else {
            return;
        };
        if before.is_some_and(|(s, r, _)| s == status && r == reason) {
            return;
        }
        tracing::info!(connection = %name, %status, %reason, %message, "now");
        let stalled = plan.status.conditions.iter().any(|c| c.type_ == "Stalled");
        if (status == "True" || stalled) && trouble != Some(reason.as_str()) {
            self.note(note(stalled, &reason, message)).await;
        }
    }
}

pub(super) fn uid_of(object: &TikTokConnection) -> &str {
    object.metadata.uid.as_deref().unwrap_or_default()
}

/// Is this only a new process that asks again what the status of this very generation already tells? Of the token in use that
/// stays until TikTok has answered, and no answer is none: in the process before it stayed as well.
fn looks_again(object: &TikTokConnection, plan: &ConnectionPlan) -> bool {
    let ready = |conditions: &[Condition]| conditions.iter().find(|c| c.type_ == "Ready").cloned();
    let Some(told) = &object.status else {
        return false;
    };
    let Some((before, asks)) = ready(&told.conditions).zip(ready(&plan.status.conditions)) else {
        return false;
    };
    if asks.status == "True" || before.observed_generation != object.metadata.generation {
        return false;
    }
    let token =
        |status: &TikTokConnectionStatus| status.token.as_ref().map(|t| t.fingerprint.clone());
    let same_token = token(told).is_some() && token(told) == token(&plan.status);
    let known = before.status == "True" || same_token;
    let waits_for_somebody =
        told.banner.is_some() || told.conditions.iter().any(|c| c.type_ == "Stalled");
    let is = |reason: Reason| asks.reason == reason.to_string();
    (is(Reason::LookingUp) && known)
        || (is(Reason::PlatformUnreachable) && same_token && waits_for_somebody)
}
