//! Events and log lines: one per change, none per no-op.

use super::doors::{Clock, Cluster, Name, Note};
use super::run::Engine;
use crate::api::campaign::{Campaign, CampaignStatus};
use crate::model::plan::Plan;
use crate::model::report::Ready;
use crate::platform::Door;

impl<C: Cluster, P: Door, K: Clock> Engine<C, P, K> {
    /// Tells what changed between the status that was shown and the one that is shown now.
    pub(super) async fn announce(
        &self,
        name: &Name,
        object: &Campaign,
        status: &CampaignStatus,
        plan: &Plan,
    ) {
        let ready_before = reason(object.status.as_ref(), "Ready");
        let drifted_before = is_true(object.status.as_ref(), "Drifted");
        let uid = object.metadata.uid.clone().unwrap_or_default();
        let mut notes = Vec::new();
        let mut note = |warning: bool, reason: String, message: String| {
            notes.push(Note {
                kind: "Campaign",
                about: name.clone(),
                uid: uid.clone(),
                warning,
                reason,
                message,
            });
        };
        if is_true(Some(status), "Drifted") && !drifted_before {
            let message = status
                .conditions
                .iter()
                .find(|c| c.type_ == "Drifted")
                .map(|c| c.message.clone())
                .unwrap_or_default();
            note(true, "Drifted".into(), message);
        }
        let (Ready::Yes(why, message)
        | Ready::Progress(why, message)
        | Ready::Stalled(why, message)) = &plan.verdict.ready;
        if ready_before.as_deref() != Some(&why.to_string()) {
            match &plan.verdict.ready {
                Ready::Yes(..) => note(
                    *why == crate::model::reason::Reason::PausedOutside,
                    why.to_string(),
                    message.clone(),
                ),
                Ready::Stalled(..) => note(true, why.to_string(), message.clone()),
                // On the way: the condition says it, an event for each step would only cost writes.
                Ready::Progress(..) => {}
            }
            tracing::info!(campaign = %name, reason = %why, %message, "now");
        }
        for n in notes {
            self.note(n).await;
        }
    }

    /// Publishes an event; a lost one is logged and not repeated.
    pub(super) async fn note(&self, note: Note) {
        if let Err(error) = self.cluster.note(&note).await {
            tracing::warn!(about = %note.about, reason = %note.reason, %error, "event not published");
        }
    }
}

fn reason(status: Option<&CampaignStatus>, type_: &str) -> Option<String> {
    status?
        .conditions
        .iter()
        .find(|c| c.type_ == type_)
        .map(|c| c.reason.clone())
}

fn is_true(status: Option<&CampaignStatus>, type_: &str) -> bool {
    status.is_some_and(|s| {
        s.conditions
            .iter()
            .any(|c| c.type_ == type_ && c.status == "True")
    })
}
