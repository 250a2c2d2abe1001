//! The one function that does HTTP.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::{
    ACCEPT, CONTENT_TYPE, DATE, HeaderMap, HeaderValue, RETRY_AFTER, USER_AGENT,
};
use secrecy::ExposeSecret;
use url::Url;

use super::text::clean;
use super::wire::{Door, Method, TransportError, WireReply, WireRequest};

/// No reply we ask for is near this size: a full page of 1000 rows is about 2 MB.
const LARGEST_BODY: usize = 32 << 20;
/// A connection that takes longer is given up, surely without effect.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Connections are not used again after this: one that the other side is just closing makes a write unclear.
const IDLE_TIMEOUT: Duration = Duration::from_secs(20);

/// The door to TikTok, or to a sandbox, over HTTP/1.1.
///
/// No redirects, no retries, no proxies from the environment, no cookies.
#[derive(Clone, Debug)]
pub struct HttpDoor {
    client: reqwest::Client,
    base: Url,
    largest_body: usize,
}

/// The base URL cannot be used, or the HTTP client cannot be built.
#[derive(Debug, thiserror::Error)]
pub enum BaseUrlError {
    #[error("the platform's base URL is not a URL: {0}")]
    NotAUrl(#[from] url::ParseError),
    #[error(
        "the platform's base URL must be scheme and host only, such as https://business-api.tiktok.com or \
         http://127.0.0.1:8080: no user, path, query or fragment"
    )]
    NotJustAHost,
    #[error("the HTTP client cannot be built: {0}")]
    Client(reqwest::Error),
}

impl HttpDoor {
    /// `base_url` is scheme and host, such as `https://business-api.tiktok.com` or `http://127.0.0.1:8080`.
    pub fn new(base_url: &str) -> Result<HttpDoor, BaseUrlError> {
        let base = Url::parse(base_url)?;
        let just_a_host = matches!(base.scheme(), "http" | "https")
            && base.has_host()
            && base.username().is_empty()
            && base.password().is_none()
            && base.path() == "/"
            && base.query().is_none()
            && base.fragment().is_none();
        if !just_a_host {
            return Err(BaseUrlError::NotJustAHost);
        }
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .no_proxy()
            .referer(false)
            .connect_timeout(CONNECT_TIMEOUT)
            .pool_idle_timeout(IDLE_TIMEOUT)
            .build()
            .map_err(BaseUrlError::Client)?;
        Ok(HttpDoor {
            client,
            base,
            largest_body: LARGEST_BODY,
        })
    }

    async fn exchange(
        &self,
        request: WireRequest,
        fence: u64,
        deadline: Duration,
    ) -> Result<WireReply, TransportError> {
        let mut url = self.base.clone();
        url.set_path(request.path);
        if !request.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&request.query);
        }
        let mut builder = match request.method {
            Method::Get => self.client.get(url),
            Method::Post => self.client.post(url),
        };
        builder = builder
            .timeout(deadline)
            .header(ACCEPT, "application/json")
            .header(
                USER_AGENT,
                format!(
                    "tiktok-ads-operator/{} (fence={fence})",
                    env!("CARGO_PKG_VERSION")
                ),
            );
        if let Some(token) = &request.token {
            let mut value = HeaderValue::from_str(token.expose_secret()).map_err(|_| {
                TransportError::NotSent(
                    "the access token holds characters that no header can carry (a line break?): check its Secret"
                        .to_owned(),
                )
            })?;
            value.set_sensitive(true);
            builder = builder.header("Access-Token", value);
        }
        if let Some(body) = &request.body {
            builder = builder
                .header(CONTENT_TYPE, "application/json")
                .body(body.to_string());
        }

        let mut response = builder.send().await.map_err(transport)?;
        let status = response.status().as_u16();
        let mut body = Vec::new();
        while let Some(chunk) = response
            .chunk()
            .await
            .map_err(|error| TransportError::Unclear(words(error)))?
        {
            if body.len() + chunk.len() > self.largest_body {
                return Err(TransportError::Unclear(format!(
                    "the reply is larger than {} bytes",
                    self.largest_body
                )));
            }
            body.extend_from_slice(&chunk);
        }
        let headers = response.headers();
        let date = header(headers, DATE.as_str()).and_then(http_date);
        Ok(WireReply {
            status,
            date,
            retry_after: header(headers, RETRY_AFTER.as_str())
                .and_then(|value| retry_after(value, date)),
            log_id: header(headers, "x-tt-logid").map(|value| clean(value, 100)),
            body,
        })
    }
}

impl Door for HttpDoor {
    async fn send(
        &self,
        request: WireRequest,
        fence: u64,
        deadline: Duration,
    ) -> Result<WireReply, TransportError> {
        let (method, path) = (request.method, request.path);
        let outcome = self.exchange(request, fence, deadline).await;
        match &outcome {
            Ok(reply) => tracing::debug!(
                ?method,
                path,
                status = reply.status,
                log_id = reply.log_id,
                "platform call"
            ),
            Err(error) => tracing::debug!(?method, path, %error, "platform call"),
        }
        outcome
    }
}

/// A failure before the head of the reply.
fn transport(error: reqwest::Error) -> TransportError {
    if error.is_connect() || error.is_builder() {
        TransportError::NotSent(words(error))
    } else {
        TransportError::Unclear(words(error))
    }
}

/// The error with its causes, without the URL: the query may hold the app secret (R25).
fn words(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    clean(&text, 300)
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// `Sun, 06 Nov 1994 08:49:37 GMT`.
fn http_date(text: &str) -> Option<Timestamp> {
    jiff::fmt::rfc2822::parse(text)
        .ok()
        .map(|zoned| zoned.timestamp())
}

/// Seconds, or a date, which is read against the reply's own `Date`.
fn retry_after(text: &str, date: Option<Timestamp>) -> Option<Duration> {
    if let Ok(seconds) = text.trim().parse::<u32>() {
        return Some(Duration::from_secs(seconds.into()));
    }
    let wait = http_date(text)?.duration_since(date?);
    Some(wait.try_into().unwrap_or(Duration::ZERO))
}

#[cfg(test)]
#[path = "http_tests.rs"]
mod tests;
