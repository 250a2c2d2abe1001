//! What goes in and out of the sandbox, without any HTTP library: a request as text and bytes, and what the network
//! does with the answer.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// One request as it came over the wire.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// `GET`, `POST`, … in upper case.
    pub method: String,
    /// The path alone, starting with `/`, without the query.
    pub path: String,
    /// The raw query: not decoded, without the leading `?`, empty if there is none.
    pub query: String,
    /// Header names in any case.
    pub headers: Vec<(String, String)>,
    /// The body, empty if there is none.
    pub body: Vec<u8>,
}

impl Request {
    /// The first header of this name, whatever its case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }
}

/// A complete answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The HTTP status. TikTok answers nearly everything with 200.
    pub status: u16,
    /// Header names in the case TikTok uses.
    pub headers: Vec<(String, String)>,
    /// The body, never compressed.
    pub body: Vec<u8>,
}

impl Response {
    /// The body as JSON; `null` if it is not JSON (a 404, a malformed body).
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

/// What the network does with the answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// How long the caller waits for `outcome`. The effect of the request has already happened when the answer is made
    /// (unless a fault delays the effect itself).
    pub delay: Duration,
    /// What the caller then sees.
    pub outcome: Outcome,
}

/// What the caller sees in the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A complete answer.
    Reply(Response),
    /// The connection is closed without an answer. Whether the effect happened depends on the fault.
    Cut,
}

impl Answer {
    pub(super) fn now(response: Response) -> Self {
        Self {
            delay: Duration::ZERO,
            outcome: Outcome::Reply(response),
        }
    }

    /// The answer that arrived, if one did.
    pub fn reply(&self) -> Option<&Response> {
        match &self.outcome {
            Outcome::Reply(response) => Some(response),
            Outcome::Cut => None,
        }
    }
}
