//! What goes over the wire, before and after HTTP.

use std::fmt;
use std::future::Future;
use std::time::Duration;

use jiff::Timestamp;
use secrecy::SecretString;

/// The two HTTP methods TikTok's API uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    Get,
    Post,
}

/// One request, complete but for host and headers that belong to the transport.
///
/// `Debug` shows neither the token, nor the body, nor any query value: some calls carry the app secret in the query.
#[derive(Clone)]
pub struct WireRequest {
    pub method: Method,
    /// As on the wire, with version and trailing slash: `/open_api/v1.3/campaign/get/`.
    pub path: &'static str,
    /// Names and values before percent-encoding; lists and objects are JSON text.
    pub query: Vec<(&'static str, String)>,
    /// The JSON body of a POST.
    pub body: Option<serde_json::Value>,
    /// Sent in the `Access-Token` header, without `Bearer`.
    pub token: Option<SecretString>,
}

impl fmt::Debug for WireRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.query.iter().map(|(name, _)| *name).collect();
        f.debug_struct("WireRequest")
            .field("method", &self.method)
            .field("path", &self.path)
            .field("query_names", &names)
            .field("has_body", &self.body.is_some())
            .field("has_token", &self.token.is_some())
            .finish()
    }
}

/// One complete HTTP reply.
///
/// `Debug` shows the length of the body only: replies of other calls carry tokens.
#[derive(Clone)]
pub struct WireReply {
    pub status: u16,
    /// The `Date` header: TikTok's clock.
    pub date: Option<Timestamp>,
    /// The `Retry-After` header as a length of time. TikTok does not document it; gateways send it with 429 and 503.
    pub retry_after: Option<Duration>,
    /// The `X-TT-LOGID` header, which TikTok's support asks for.
    pub log_id: Option<String>,
    pub body: Vec<u8>,
}

impl fmt::Debug for WireReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WireReply")
            .field("status", &self.status)
            .field("date", &self.date)
            .field("retry_after", &self.retry_after)
            .field("log_id", &self.log_id)
            .field("body_bytes", &self.body.len())
            .finish()
    }
}

/// Why there is no complete reply. The texts never hold a query, a token or a body.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    /// Surely no byte of it was acted upon: connection refused, name not resolved, TLS refused, request not buildable.
    #[error("the request was not sent: {0}")]
    NotSent(String),
    /// It may have been acted upon: timed out, cut, truncated body.
    #[error("no complete reply: {0}")]
    Unclear(String),
}

/// The way to the platform: one request in, one reply out, no retries.
pub trait Door: Send + Sync + 'static {
    /// `fence` is the lease's transition count, sent in `User-Agent`. `deadline` covers everything from connecting
    /// to the last byte of the body.
    fn send(
        &self,
        request: WireRequest,
        fence: u64,
        deadline: Duration,
    ) -> impl Future<Output = Result<WireReply, TransportError>> + Send;
}
