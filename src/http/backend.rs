//! What the public pages and the webhook receiver ask the rest of the operator: one trait and plain data.
//!
//! This room knows neither the engine nor Kubernetes. Everything that has to be compared in constant time, stored, or
//! decided by who leads is behind [`Backend`]; here it is only carried.

use std::future::Future;
use std::time::Duration;

use jiff::Timestamp;
use secrecy::SecretString;

/// Which connection a request is about: its namespace and its name, both of a form that Kubernetes takes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct At {
    /// A DNS label.
    pub namespace: String,
    /// A DNS subdomain.
    pub name: String,
}

impl At {
    /// `None` if no object in Kubernetes can have this namespace and name.
    pub fn new(namespace: &str, name: &str) -> Option<Self> {
        let label = |text: &str| {
            (1..=63).contains(&text.len())
                && !text.starts_with('-')
                && !text.ends_with('-')
                && text
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        };
        let subdomain = name.len() <= 253 && name.split('.').all(label);
        (label(namespace) && subdomain).then(|| Self {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
        })
    }
}

/// Which replica acts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Leader {
    /// This one.
    Here,
    /// The one that listens at this address, `http://IP:PORT`.
    There(String),
    /// Nobody that is known.
    Nowhere,
}

/// Why a step of connecting was not taken. Nothing has changed then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// There is no such connection. Never told apart from [`Problem::Ticket`].
    Unknown,
    /// The ticket is not, or not any more, the connection's.
    Ticket,
    /// `state` is not one that the connection's key has signed, or has been used.
    State,
    /// `state` is too old.
    StateExpired,
    /// `state` was made for another browser: the cookie is missing or another one.
    OtherBrowser,
    /// The session is missing, has run out, or belongs to another connection.
    Session,
    /// The ad account is not among those that the authorisation reaches.
    NotListed,
    /// Another connection has the ad account: its name, if whoever asks may know it.
    Taken(Option<String>),
    /// So many objects of the cluster are in the ad account that is in use.
    Occupied(usize),
    /// TikTok does not take the app's id and secret. In words, with the name of their Secret.
    AppRefused(String),
    /// TikTok did not take the code. What it said, cleaned.
    CodeRefused(String),
    /// The authorisation does not reach the ad account that the manifest names, or lacks what is needed. In words.
    NotGranted(String),
    /// TikTok did not answer, or not clearly. In words.
    Platform(String),
    /// This replica has just ceased to lead, or another step of the same connection is under way.
    Busy,
}

/// A step of authorising has begun.
#[derive(Clone, Debug)]
pub struct Begun {
    /// TikTok's page, with `state` in its query.
    pub authorise_url: SecretString,
    /// The value of the cookie that `state` is bound to.
    pub cookie: SecretString,
}

/// TikTok's answer was taken.
#[derive(Clone, Debug)]
pub struct Authorised {
    /// Whose it is, as `state` says.
    pub at: At,
    /// The value of the session cookie.
    pub session: SecretString,
}

/// Which part of the list of ad accounts is shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Search {
    /// Part of a name or an id, upper and lower case alike. Empty: all.
    pub text: String,
    /// From 0, of [`PAGE_SIZE`] ad accounts each.
    pub page: usize,
}

/// Ad accounts on one page.
pub const PAGE_SIZE: usize = 50;

/// What a browser with a good session is shown. Never a token.
#[derive(Clone, Debug, Default)]
pub struct ConnectionPage {
    /// Pending, AwaitingAdvertiser, Active, ReadOnly or Disconnecting.
    pub phase: String,
    /// What somebody has to do, and by when.
    pub banner: Option<String>,
    /// Why the connection is as it is: the message of its `Ready` condition.
    pub message: Option<String>,
    /// The ad account in use.
    pub advertiser: Option<Advertiser>,
    /// What the operator's owner named in the manifest, which cannot be picked on the page.
    pub advertiser_in_manifest: bool,
    /// The token in use.
    pub token: Option<TokenFacts>,
    /// Scopes that the approval lacks, in words.
    pub missing_scopes: Vec<String>,
    /// The ad accounts that the token reaches, those that the search finds.
    pub advertisers: Advertisers,
    /// The ticket in force, if the session may begin another authorisation with it. Without it the page says how to get a
    /// link.
    pub reauthorise: Option<SecretString>,
}

/// An ad account as TikTok lists it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Advertiser {
    pub id: String,
    /// Written by people on TikTok: any text.
    pub name: String,
}

/// A part of a list of ad accounts.
#[derive(Clone, Debug, Default)]
pub struct Advertisers {
    /// At most [`PAGE_SIZE`].
    pub shown: Vec<Advertiser>,
    /// How many the search finds.
    pub found: usize,
    /// How many there are without a search.
    pub all: usize,
}

/// The token in use, in points in time.
#[derive(Clone, Debug, Default)]
pub struct TokenFacts {
    /// LongLived, Expiring or Refreshable.
    pub profile: String,
    pub expires_at: Option<Timestamp>,
    pub rotates_at: Option<Timestamp>,
    pub last_rotation: Option<Rotation>,
}

/// The last try to get a new token.
#[derive(Clone, Debug)]
pub struct Rotation {
    pub at: Timestamp,
    pub succeeded: bool,
    /// Why not.
    pub message: Option<String>,
}

/// A webhook as it was received. Nothing of it has been believed yet.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// The last segment of the path, if there is one after the connection's name.
    pub path_token: Option<SecretString>,
    /// The header `X-Open-Signature`.
    pub open_signature: Option<String>,
    /// The header `TikTok-Signature`.
    pub tiktok_signature: Option<String>,
    /// Byte for byte.
    pub body: Vec<u8>,
}

/// What became of a webhook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// The signature is good, and what it concerns is in the leader's queue, or nothing follows from it.
    Queued,
    /// The connection is unknown, or the signature is missing or wrong.
    Refused,
    /// This replica does not lead (any more): nothing was queued.
    NotHere,
}

/// A request as a standby passes it on to the leader. Only its listed headers travel.
#[derive(Clone)]
pub struct Passed {
    /// GET or POST.
    pub method: &'static str,
    /// Path and query as they came. The query may hold a ticket or a code: never logged.
    pub path_and_query: SecretString,
    /// Header names in lower case, and their values.
    pub headers: Vec<(String, Vec<u8>)>,
    pub body: Vec<u8>,
    /// How long the whole exchange may take.
    pub deadline: Duration,
}

/// The leader's answer to a request that was passed on.
#[derive(Clone)]
pub struct PassedReply {
    pub status: u16,
    /// Header names in lower case, and their values.
    pub headers: Vec<(String, Vec<u8>)>,
    pub body: Vec<u8>,
}

/// The rest of the operator. The futures of [`Backend::begin`], [`Backend::authorise`], [`Backend::pick`] and
/// [`Backend::event`] run to their end even if the client is gone.
pub trait Backend: Send + Sync + 'static {
    /// Which replica acts at this moment.
    fn leader(&self) -> Leader;

    /// What a browser with this session may see. `None`: there is no such connection, or the session is not good for it.
    fn page(
        &self,
        at: &At,
        session: &SecretString,
        search: &Search,
    ) -> impl Future<Output = Option<ConnectionPage>> + Send;

    /// Uses up the ticket and begins an authorisation.
    fn begin(
        &self,
        at: &At,
        ticket: &SecretString,
    ) -> impl Future<Output = Result<Begun, Problem>> + Send;

    /// Takes TikTok's answer: checks `state` against the cookie, exchanges the code once, stores the token.
    fn authorise(
        &self,
        state: &SecretString,
        code: &SecretString,
        cookie: &SecretString,
    ) -> impl Future<Output = Result<Authorised, Problem>> + Send;

    /// Picks an ad account.
    fn pick(
        &self,
        at: &At,
        session: &SecretString,
        advertiser: &str,
    ) -> impl Future<Output = Result<(), Problem>> + Send;

    /// Takes a webhook.
    fn event(&self, at: &At, delivery: Delivery) -> impl Future<Output = Taken> + Send;

    /// Sends a request to the leader at `http://IP:PORT`. An error is in words, without the query.
    fn pass_on(
        &self,
        leader: &str,
        request: Passed,
    ) -> impl Future<Output = Result<PassedReply, String>> + Send;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_that_kubernetes_takes_name_a_connection() {
        for (namespace, name) in [("shop", "main"), ("a", "a.b-c.d"), ("0", &"a".repeat(63))] {
            assert!(At::new(namespace, name).is_some(), "{namespace}/{name}");
        }
        for (namespace, name) in [
            ("", "main"),
            ("shop", ""),
            ("shop", "."),
            ("shop", "a..b"),
            ("shop", "-a"),
            ("shop", "a-"),
            ("Shop", "main"),
            ("shop.x", "main"),
            ("shop", "m;reboot"),
            ("shop", "<b>"),
            ("shop", &"a".repeat(64)),
            ("shop", &"a.".repeat(127)),
            ("shop", &["a"; 128].join(".")),
        ] {
            assert!(At::new(namespace, name).is_none(), "{namespace}/{name}");
        }
    }
}
