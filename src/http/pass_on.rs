//! What a replica that does not lead does with a request: it passes it on to the leader, once, and gives back the answer.
//!
//! Only requests that this listener has a route for come here, and only the headers named below travel. A request that
//! was passed on carries [`HOP`]; a replica that gets one and does not lead either says so and passes nothing on, so no
//! request goes round in circles while the lease changes hands. Anybody may set that header: all it does is that.

use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::Response;
use secrecy::SecretString;

use super::backend::{Backend, Leader, Passed, PassedReply};

/// Set by the replica that passes a request on.
pub const HOP: &str = "tiktok-ads-passed-on";

/// Headers of a request that travel. `Host` and the connection's own do not.
const THERE: &[&str] = &[
    "content-type",
    "cookie",
    "origin",
    "sec-fetch-site",
    "tiktok-signature",
    "x-open-signature",
];

/// Headers of an answer that travel.
const BACK: &[HeaderName] = &[
    header::CONTENT_SECURITY_POLICY,
    header::CONTENT_TYPE,
    header::LOCATION,
    header::RETRY_AFTER,
    header::SET_COOKIE,
];

/// A request whose body has been read.
pub struct Received<'a> {
    pub method: &'a Method,
    pub uri: &'a Uri,
    pub headers: &'a HeaderMap,
    pub body: &'a [u8],
}

/// What to do with a request.
pub enum Answer {
    /// Answer it: this replica leads.
    Here,
    /// The leader has answered.
    There(Response),
    /// Nobody leads whom we could ask.
    Nowhere,
}

/// Passes a request on if another replica leads. `deadline` is for the whole exchange.
pub async fn pass_on<B: Backend>(backend: &B, request: Received<'_>, deadline: Duration) -> Answer {
    let leader = match backend.leader() {
        Leader::Here => return Answer::Here,
        Leader::There(leader) => leader,
        Leader::Nowhere => return Answer::Nowhere,
    };
    if request.headers.contains_key(HOP) {
        tracing::debug!(
            "a request that was passed on already came to a replica that does not lead"
        );
        return Answer::Nowhere;
    }
    let method = match *request.method {
        Method::GET => "GET",
        Method::POST => "POST",
        _ => return Answer::Nowhere,
    };
    let whole = request.uri.path_and_query().map_or("/", |p| p.as_str());
    let mut headers: Vec<(String, Vec<u8>)> = vec![(HOP.to_owned(), b"1".to_vec())];
    for name in THERE {
        for value in request.headers.get_all(*name) {
            headers.push(((*name).to_owned(), value.as_bytes().to_vec()));
        }
    }
    let passed = Passed {
        method,
        path_and_query: SecretString::from(whole),
        headers,
        body: request.body.to_vec(),
        deadline,
    };
    match backend.pass_on(&leader, passed).await {
        Ok(reply) => response(reply).map_or(Answer::Nowhere, Answer::There),
        Err(error) => {
            let path = request.uri.path();
            let path = if path.starts_with("/webhooks/") {
                "/webhooks/…"
            } else {
                path
            };
            tracing::warn!(%leader, %error, path, "the leader could not be asked");
            Answer::Nowhere
        }
    }
}

/// `None`: no answer that could be given to anybody.
fn response(reply: PassedReply) -> Option<Response> {
    let mut response = Response::new(Body::from(reply.body));
    *response.status_mut() = StatusCode::from_u16(reply.status).ok()?;
    for (name, value) in reply.headers {
        let Ok(name) = HeaderName::from_bytes(name.as_bytes()) else {
            continue;
        };
        let Ok(value) = HeaderValue::from_bytes(&value) else {
            continue;
        };
        if BACK.contains(&name) {
            response.headers_mut().append(name, value);
        }
    }
    Some(response)
}
