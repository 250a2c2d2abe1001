//! What an error of the Kubernetes client means for a turn.

use kube::core::Status;

use crate::engine::doors::ClusterError;

/// Maps the client's error as [`ClusterError`] documents it.
///
/// Measured on 1.37: a merge patch with a stale `resourceVersion` is 409; one whose `uid` is not the object's is 422
/// naming `metadata.uid`; a deletion with another `uid` as precondition is 409; an object that is gone is 404.
pub(super) fn cluster_error(error: kube::Error) -> ClusterError {
    match error {
        kube::Error::Api(status) => of_status(&status),
        // Never sent: the request itself could not be built from what we were given.
        kube::Error::BuildRequest(error) => ClusterError::Refused(error.to_string()),
        kube::Error::HttpError(error) => ClusterError::Refused(error.to_string()),
        other => ClusterError::Unclear(chain(&other)),
    }
}

/// Maps a reply of the API server that is not 2xx.
pub(super) fn of_status(status: &Status) -> ClusterError {
    match status.code {
        404 | 409 => ClusterError::Changed,
        422 if about_uid(status) => ClusterError::Changed,
        403 => ClusterError::Forbidden(text(status)),
        // Our credentials may be renewed between two calls (the mounted token is); 408 and 429 say "later".
        401 | 408 | 429 => ClusterError::Unclear(text(status)),
        400..=499 => ClusterError::Refused(text(status)),
        _ => ClusterError::Unclear(text(status)),
    }
}

/// A 422 that says "this is another object", not "this content is wrong".
fn about_uid(status: &Status) -> bool {
    match &status.details {
        Some(details) if !details.causes.is_empty() => details
            .causes
            .iter()
            .any(|cause| cause.field == "metadata.uid"),
        _ => status.message.contains("metadata.uid"),
    }
}

/// True if this 404 says that the named object is not there. A server without the kind, a proxy or a half-started
/// API server also answers 404, and that proves nothing about the object.
pub(super) fn is_absent(status: &Status, name: &str) -> bool {
    status.code == 404
        && status.reason == "NotFound"
        && status
            .details
            .as_ref()
            .is_some_and(|details| details.name == name)
}

/// The server's words, bounded: they end up in logs and conditions.
fn text(status: &Status) -> String {
    let words = if status.message.is_empty() {
        &status.reason
    } else {
        &status.message
    };
    let mut text: String = words.chars().take(512).collect();
    if text.is_empty() {
        text = format!("HTTP {}", status.code);
    }
    text
}

/// An error with its causes: "client error (Connect)" alone helps nobody.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let words = cause.to_string();
        if !text.contains(&words) {
            text.push_str(": ");
            text.push_str(&words);
        }
        next = cause.source();
    }
    text.chars().take(512).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(json: serde_json::Value) -> Status {
        serde_json::from_value(json).unwrap()
    }

    fn plain(code: u16) -> ClusterError {
        of_status(&Status::failure("words", "Reason").with_code(code))
    }

    #[test]
    fn a_conflict_and_a_missing_object_mean_look_again() {
        assert_eq!(plain(409), ClusterError::Changed);
        assert_eq!(plain(404), ClusterError::Changed);
    }

    #[test]
    fn a_wrong_uid_means_look_again_and_wrong_content_is_refused() {
        // As a 1.37 API server words the two.
        let uid = status(serde_json::json!({
            "kind": "Status", "status": "Failure", "code": 422, "reason": "Invalid",
            "message": "Campaign.tiktokads.dev \"c\" is invalid: metadata.uid: Invalid value: \"b\": field is immutable",
            "details": {"name": "c", "causes": [
                {"reason": "FieldValueInvalid", "message": "Invalid value: \"b\": field is immutable", "field": "metadata.uid"}]}
        }));
        assert_eq!(of_status(&uid), ClusterError::Changed);
        let content = status(serde_json::json!({
            "code": 422, "reason": "Invalid", "message": "spec.name mentions metadata.uid",
            "details": {"name": "c", "causes": [{"reason": "FieldValueInvalid", "field": "spec.name"}]}
        }));
        assert!(
            matches!(of_status(&content), ClusterError::Refused(text) if text.contains("spec.name"))
        );
        let bare =
            status(serde_json::json!({"code": 422, "message": "metadata.uid: field is immutable"}));
        assert_eq!(of_status(&bare), ClusterError::Changed);
    }

    #[test]
    fn what_may_have_happened_is_unclear() {
        for code in [401, 408, 429, 500, 502, 503, 504] {
            assert_eq!(plain(code), ClusterError::Unclear("words".into()), "{code}");
        }
        let io = kube::Error::Service(Box::new(std::io::Error::other("connection reset")));
        assert!(
            matches!(cluster_error(io), ClusterError::Unclear(text) if text.contains("connection reset"))
        );
        let parse = serde_json::from_str::<u8>("x").unwrap_err();
        assert!(matches!(
            cluster_error(kube::Error::SerdeError(parse)),
            ClusterError::Unclear(_)
        ));
    }

    #[test]
    fn what_repeats_is_refused_and_rights_are_forbidden() {
        for code in [400, 405, 413, 415, 422] {
            assert_eq!(plain(code), ClusterError::Refused("words".into()), "{code}");
        }
        assert_eq!(plain(403), ClusterError::Forbidden("words".into()));
        assert_eq!(
            of_status(&Status::default().with_code(403)),
            ClusterError::Forbidden("HTTP 403".into())
        );
    }

    #[test]
    fn only_the_api_servers_own_word_proves_that_an_object_is_gone() {
        let gone = serde_json::json!({"code": 404, "reason": "NotFound", "details": {"name": "c", "kind": "campaigns"}});
        assert!(is_absent(&status(gone.clone()), "c"));
        assert!(!is_absent(&status(gone), "d"));
        assert!(!is_absent(
            &Status::failure("404 page not found", "Failed to parse error data").with_code(404),
            "c"
        ));
        assert!(!is_absent(&Status::failure("", "").with_code(500), "c"));
    }
}
