//! Events and log lines: one per change, none per no-op.

use super::doors::{Clock, Cluster, Note, ObjectName};
use super::run::Engine;
use crate::api::status::ObjectStatus;
use crate::model::object::Object;
use crate::model::plan::Plan;
use crate::model::report::Ready;
use crate::platform::Door;

impl<C: Cluster, P: Door, K: Clock> Engine<C, P, K> {
    /// Tells what changed between the status that was shown and the one that is shown now.
    pub(super) async fn announce(
        &self,
        name: &ObjectName,
        object: &Object,
        status: &ObjectStatus,
        plan: &Plan,
    ) {
        let ready_before = reason(object.status.as_ref(), "Ready");
        let drifted_before = is_true(object.status.as_ref(), "Drifted");
        let uid = object.metadata.uid.clone().unwrap_or_default();
        let mut notes = Vec::new();
        let mut note = |warning: bool, reason: String, message: String| {
            notes.push(Note {
                kind: name.kind.name(),
                about: name.plain(),
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
        for type_ in ["SideEffect", "Approved"] {
            // R15 is told once; of reviews only the refusal is worth a warning.
            let told = |status: Option<&ObjectStatus>| {
                let wanted = if type_ == "Approved" { "False" } else { "True" };
                let found = status?.conditions.iter().find(|c| c.type_ == type_);
                found
                    .filter(|c| c.status == wanted)
                    .map(|c| (c.reason.clone(), c.message.clone()))
            };
            let before = told(object.status.as_ref());
            if let Some((reason, message)) = told(Some(status)) {
                // A refusal shows in the ad's status before its reasons are read: they are worth a word of their own.
                let reasons = status
                    .review
                    .as_ref()
                    .is_some_and(|r| !r.reasons.is_empty());
                let more = type_ == "Approved" && reasons;
                if before.is_none_or(|(_, was)| more && was != message) {
                    note(true, reason, message);
                }
            }
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
            tracing::info!(kind = %name.kind, object = %name, reason = %why, %message, "now");
        }
        for n in notes {
            self.note(n).await;
        }
    }

    /// The same about the operator's own Deployment, for what has nothing left at which it could be seen.
    pub(super) async fn note_at_home(&self, note: Note) {
        if let Err(error) = self.cluster.note_at_home(&note).await {
            tracing::warn!(about = %note.about, reason = %note.reason, %error, "event not published");
        }
    }

    /// Publishes an event; a lost one is logged and not repeated.
    pub(super) async fn note(&self, note: Note) {
        if let Err(error) = self.cluster.note(&note).await {
            tracing::warn!(about = %note.about, reason = %note.reason, %error, "event not published");
        }
    }
}

fn reason(status: Option<&ObjectStatus>, type_: &str) -> Option<String> {
    status?
        .conditions
        .iter()
        .find(|c| c.type_ == type_)
        .map(|c| c.reason.clone())
}

fn is_true(status: Option<&ObjectStatus>, type_: &str) -> bool {
    status.is_some_and(|s| {
        s.conditions
            .iter()
            .any(|c| c.type_ == type_ && c.status == "True")
    })
}
