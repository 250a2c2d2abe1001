//! TikTok's envelope: `{"code", "message", "request_id", "data"}`, nearly always with HTTP 200.

use serde_json::{Value, json};

use super::{message::Response, time};

/// Partly successful: look at the per-item list in `data`.
pub(super) const PARTIAL_SUCCESS: i64 = 20_001;
/// No permission on the object.
pub(super) const NO_PERMISSION: i64 = 40_001;
/// Parameter error; carries almost every validation failure.
pub(super) const PARAMETER: i64 = 40_002;
/// Nothing to update.
pub(super) const NOTHING_TO_UPDATE: i64 = 40_012;
/// Another write of the same object is not over.
pub(super) const CONFLICT: i64 = 40_202;
/// The app's secret does not fit.
pub(super) const AUTH_PARAMETER: i64 = 40_101;
/// People of 13 to 17 cannot be targeted there.
pub(super) const MINORS_NOT_ALLOWED: i64 = 40_065;
/// The access token has expired.
pub(super) const TOKEN_EXPIRED: i64 = 40_102;
/// The refresh token has expired.
pub(super) const REFRESH_TOKEN_EXPIRED: i64 = 40_103;
/// No access token was sent.
pub(super) const TOKEN_MISSING: i64 = 40_104;
/// The access token is unknown or revoked.
pub(super) const TOKEN_INVALID: i64 = 40_105;
/// The refresh token is bad, or the token is a long-term one that cannot be refreshed.
pub(super) const REFRESH_TOKEN_INVALID: i64 = 40_107;
/// The grant type is not known.
pub(super) const GRANT_TYPE: i64 = 40_108;
/// The auth code is invalid, used or expired.
pub(super) const AUTH_CODE: i64 = 40_110;
/// The app is blocked or unknown, or the token is another app's.
pub(super) const APP_REFUSED: i64 = 40_113;
/// The app or the advertiser is not on an allow-list.
pub(super) const NOT_ALLOWLISTED: i64 = 40_118;
/// Too frequent, counted for the advertiser.
pub(super) const ADVERTISER_TOO_FREQUENT: i64 = 40_133;

/// A successful answer, wholly or partly.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Reply {
    pub code: i64,
    pub message: String,
    pub data: Value,
}

impl Reply {
    pub(super) fn ok(data: Value) -> Self {
        Self {
            code: 0,
            message: "OK".into(),
            data,
        }
    }
}

/// A refusal: an envelope with a code, or bare HTTP where TikTok's gateway answers itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub status: u16,
    pub code: i64,
    pub message: String,
    /// Sent as `Retry-After`, in seconds; only a knob or a fault sets it.
    pub retry_after: Option<u64>,
}

impl Refusal {
    pub(super) fn new(code: i64, message: impl Into<String>) -> Self {
        Self {
            status: 200,
            code,
            message: message.into(),
            retry_after: None,
        }
    }

    /// 40002 with this text.
    pub(super) fn parameter(message: impl Into<String>) -> Self {
        Self::new(PARAMETER, message)
    }
}

/// Wraps a reply or a refusal. `log_id` is the 34 characters that stand in `request_id` and in `X-Tt-Logid`.
pub(super) fn wrap(result: &Result<Reply, Refusal>, log_id: &str, now: i64) -> Response {
    let (status, body, retry_after) = match result {
        Ok(reply) => (
            200,
            json!({"code": reply.code, "message": reply.message, "request_id": log_id, "data": reply.data}),
            None,
        ),
        Err(refusal) => (
            refusal.status,
            json!({"code": refusal.code, "message": refusal.message, "request_id": log_id, "data": {}}),
            refusal.retry_after,
        ),
    };
    let mut headers = headers("application/json", now);
    headers.push(("X-Tt-Logid".into(), log_id.into()));
    if let Some(seconds) = retry_after {
        headers.push(("Retry-After".into(), seconds.to_string()));
    }
    Response {
        status,
        headers,
        body: body.to_string().into_bytes(),
    }
}

/// What the gateway itself answers: plain text, no envelope.
pub(super) fn plain(status: u16, text: &str, now: i64) -> Response {
    Response {
        status,
        headers: headers("text/plain", now),
        body: text.as_bytes().to_vec(),
    }
}

/// JSON of the control interface: no envelope.
pub(super) fn control(status: u16, body: &Value, now: i64) -> Response {
    Response {
        status,
        headers: headers("application/json", now),
        body: body.to_string().into_bytes(),
    }
}

/// A page for people: nothing is loaded and no script runs. No `form-action`: browsers would hold it against the redirect
/// that follows the form.
pub(super) fn page(status: u16, html: String, now: i64) -> Response {
    let mut headers = headers("text/html; charset=utf-8", now);
    for (name, value) in [
        (
            "Content-Security-Policy",
            "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'",
        ),
        ("X-Content-Type-Options", "nosniff"),
        ("Referrer-Policy", "no-referrer"),
        ("Cache-Control", "no-store"),
    ] {
        headers.push((name.into(), value.into()));
    }
    Response {
        status,
        headers,
        body: html.into_bytes(),
    }
}

/// Sends a browser elsewhere.
pub(super) fn redirect(location: &str, now: i64) -> Response {
    let mut headers = headers("text/plain", now);
    headers.push(("Location".into(), location.into()));
    headers.push(("Referrer-Policy".into(), "no-referrer".into()));
    headers.push(("Cache-Control".into(), "no-store".into()));
    Response {
        status: 302,
        headers,
        body: Vec::new(),
    }
}

fn headers(content_type: &str, now: i64) -> Vec<(String, String)> {
    vec![
        ("Content-Type".into(), content_type.into()),
        ("Date".into(), time::http_date(now)),
    ]
}
