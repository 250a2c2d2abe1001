//! The receiver of webhooks: `POST /webhooks/tiktok/{namespace}/{connection}`, with an unguessable last segment where
//! TikTok does not sign.
//!
//! | answer | means |
//! |---|---|
//! | 200 | signature good, and what it concerns is in the leader's queue (or nothing follows from it) |
//! | 401 | unknown connection, missing or wrong signature: one answer for all |
//! | 408, 413 | the body came too slowly, or is larger than a megabyte |
//! | 503 | nobody leads, or too many at once: TikTok sends it again |

use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use secrecy::SecretString;

use super::backend::{At, Backend, Delivery, Taken};
use super::pass_on::{Answer, Received, pass_on};
use super::public::Public;

/// One answer for everything that cannot be believed.
const REFUSED: (StatusCode, &str) = (
    StatusCode::UNAUTHORIZED,
    "unknown connection, or the signature is missing or wrong\n",
);

/// The longest signature header that is looked at, in bytes.
const LONGEST_HEADER: usize = 1024;

pub async fn signed<B: Backend>(
    State(public): State<Arc<Public<B>>>,
    Path((namespace, name)): Path<(String, String)>,
    request: Request,
) -> Response {
    receive(&public, At::new(&namespace, &name), None, request).await
}

pub async fn with_token<B: Backend>(
    State(public): State<Arc<Public<B>>>,
    Path((namespace, name, token)): Path<(String, String, String)>,
    request: Request,
) -> Response {
    let token = Some(SecretString::from(token));
    receive(&public, At::new(&namespace, &name), token, request).await
}

async fn receive<B: Backend>(
    public: &Public<B>,
    at: Option<At>,
    path_token: Option<SecretString>,
    request: Request,
) -> Response {
    let (head, body) = request.into_parts();
    let limits = &public.settings.limits;
    let read = public
        .messages
        .read(&head.headers, body, limits.webhook, limits.read_for)
        .await;
    let mut held = match read {
        Ok(held) => held,
        Err(unread) => return public.unread(unread),
    };
    let received = Received {
        method: &head.method,
        uri: &head.uri,
        headers: &head.headers,
        body: &held.bytes,
    };
    match pass_on(&*public.backend, received, limits.pass_on_for).await {
        Answer::Here => {}
        Answer::There(response) => return response,
        Answer::Nowhere => return later(),
    }
    // A name that no object can have is as unknown as any other.
    let Some(at) = at else {
        return REFUSED.into_response();
    };
    let delivery = Delivery {
        path_token,
        open_signature: text(&head.headers, "x-open-signature"),
        tiktok_signature: text(&head.headers, "tiktok-signature"),
        body: std::mem::take(&mut held.bytes),
    };
    let backend = public.backend.clone();
    let taken = public.verification(async move {
        let taken = backend.event(&at, delivery).await;
        drop(held);
        taken
    });
    match taken.await {
        Some(Taken::Queued) => (StatusCode::OK, "ok\n").into_response(),
        Some(Taken::Refused) => REFUSED.into_response(),
        Some(Taken::NotHere) | None => later(),
    }
}

/// Its one value. Two are none: nobody can say which was meant.
fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?;
    if values.next().is_some() || value.len() > LONGEST_HEADER {
        return None;
    }
    value.to_str().ok().map(str::to_owned)
}

fn later() -> Response {
    let mut response = (
        StatusCode::SERVICE_UNAVAILABLE,
        "no replica acts at this moment: send it again later\n",
    )
        .into_response();
    let headers = response.headers_mut();
    headers.insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
    response
}
