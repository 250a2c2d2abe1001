//! Events (`events.k8s.io/v1`), made directly: kube's recorder takes a lock per event and scans its cache.

use jiff::Timestamp;
use k8s_openapi::api::core::v1::ObjectReference;
use k8s_openapi::api::events::v1::Event;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta};

use crate::engine::doors::{Name, Note};

/// `reportingController` of all our events.
pub(super) const REPORTING_CONTROLLER: &str = "tiktokads.dev/operator";
/// The API's limits: 1 kB for the note, 128 characters for reason, action and reporting instance.
const NOTE_BYTES: usize = 1024;
const WORD_BYTES: usize = 128;

/// The event about the object itself.
pub(super) fn about_object(
    note: &Note,
    api_version: &str,
    instance: &str,
    now: Timestamp,
) -> Event {
    event(
        note,
        note.message.clone(),
        object(note, api_version),
        None,
        instance,
        now,
    )
}

/// The same about the operator's Deployment, for namespaces that take no events any more.
pub(super) fn about_deployment(
    note: &Note,
    api_version: &str,
    deployment: &Name,
    instance: &str,
    now: Timestamp,
) -> Event {
    let regarding = ObjectReference {
        api_version: Some("apps/v1".into()),
        kind: Some("Deployment".into()),
        name: Some(deployment.name.clone()),
        namespace: Some(deployment.namespace.clone()),
        ..ObjectReference::default()
    };
    let message = format!("{} {}: {}", note.kind, note.about, note.message);
    event(
        note,
        message,
        regarding,
        Some(object(note, api_version)),
        instance,
        now,
    )
}

fn object(note: &Note, api_version: &str) -> ObjectReference {
    ObjectReference {
        api_version: Some(api_version.into()),
        kind: Some(note.kind.into()),
        name: Some(note.about.name.clone()),
        namespace: Some(note.about.namespace.clone()),
        uid: Some(note.uid.clone()),
        ..ObjectReference::default()
    }
}

fn event(
    note: &Note,
    message: String,
    regarding: ObjectReference,
    related: Option<ObjectReference>,
    instance: &str,
    now: Timestamp,
) -> Event {
    // The server appends five characters and cuts a name that is too long.
    let stem = regarding.name.clone().unwrap_or_default();
    Event {
        metadata: ObjectMeta {
            generate_name: Some(format!("{}-", cut(&stem, 200))),
            namespace: regarding.namespace.clone(),
            ..ObjectMeta::default()
        },
        event_time: Some(MicroTime(now)),
        reporting_controller: Some(REPORTING_CONTROLLER.into()),
        reporting_instance: Some(cut(instance, WORD_BYTES)),
        action: Some("Reconcile".into()),
        reason: Some(cut(&note.reason, WORD_BYTES)),
        type_: Some(if note.warning { "Warning" } else { "Normal" }.into()),
        note: Some(cut(&message, NOTE_BYTES)),
        regarding: Some(regarding),
        related,
        ..Event::default()
    }
}

/// At most this many bytes, not cutting a character in two.
fn cut(text: &str, bytes: usize) -> String {
    let mut end = text.len().min(bytes);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(message: &str) -> Note {
        Note {
            kind: "Campaign",
            about: Name::new("shop", "spring"),
            uid: "u-1".into(),
            warning: true,
            reason: "Refused".into(),
            message: message.into(),
        }
    }

    #[test]
    fn an_event_keeps_the_apis_limits_and_whole_characters() {
        let event = about_object(
            &note(&"ä".repeat(1000)),
            "tiktokads.dev/v1alpha1",
            "pod-0",
            Timestamp::UNIX_EPOCH,
        );
        assert_eq!(event.note.as_ref().map(String::len), Some(1024));
        let event = about_object(
            &note(&format!("x{}", "ä".repeat(1000))),
            "tiktokads.dev/v1alpha1",
            "pod-0",
            Timestamp::UNIX_EPOCH,
        );
        assert_eq!(event.note.as_ref().map(String::len), Some(1023));
        assert_eq!(event.metadata.namespace.as_deref(), Some("shop"));
        assert_eq!(event.regarding.and_then(|r| r.uid).as_deref(), Some("u-1"));
    }

    #[test]
    fn r22_the_deployments_event_names_the_object() {
        let deployment = Name::new("operators", "tiktok-ads-operator");
        let event = about_deployment(
            &note("still active"),
            "tiktokads.dev/v1alpha1",
            &deployment,
            "pod-0",
            Timestamp::UNIX_EPOCH,
        );
        assert_eq!(
            event.note.as_deref(),
            Some("Campaign shop/spring: still active")
        );
        // The API refuses an event whose namespace is not that of the object it regards.
        assert_eq!(event.metadata.namespace.as_deref(), Some("operators"));
        assert_eq!(
            event.regarding.and_then(|r| r.namespace).as_deref(),
            Some("operators")
        );
        assert_eq!(
            event.related.and_then(|r| r.name).as_deref(),
            Some("spring")
        );
    }
}
