//! What a browser carries for us while somebody connects, signed so that it comes back as it was: the `state` of OAuth, and
//! the session in which an advertiser is picked; and the ticket in a link.
//!
//! The form of the first two is `payload.tag`, both base64url: JSON, and the HMAC-SHA256 over the payload's text under the
//! connection's key, with a word before it that tells the kinds apart. Nothing in it is secret; all of it is believed only
//! after [`verify`] or [`verify_session`], and as long as its nonce is the connection's.
//!
//! A ticket is chance and a tag over it: 64 hexadecimal digits. That it is one of ours does not say that it is still good,
//! but what is not need not be looked up.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Longer texts are not read. The longest that we write, with the longest names, have about 900 characters.
const LONGEST: usize = 2048;
/// Hexadecimal digits of a ticket's chance, and of its tag.
const TICKET_HALF: usize = 32;

/// What `state` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateClaims {
    pub namespace: String,
    /// Of the connection.
    pub name: String,
    /// Of the connection: another one of the same name is not meant.
    pub uid: String,
    /// The connection's, which is another one once a callback was taken.
    pub nonce: String,
    /// In whole seconds; what is beyond is cut off.
    pub expires: Timestamp,
    /// [`cookie_hash`] of the cookie in the browser that began.
    pub cookie_hash: [u8; 32],
}

impl StateClaims {
    /// Whether the browser that comes back is the one that began.
    pub fn is_of(&self, cookie: &str) -> bool {
        // What is compared are hashes: how long it takes says nothing about the cookie.
        self.cookie_hash == cookie_hash(cookie)
    }
}

/// What a session says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionClaims {
    pub namespace: String,
    /// Of the connection.
    pub name: String,
    /// Of the connection.
    pub uid: String,
    /// The connection's.
    pub nonce: String,
    /// In whole seconds; what is beyond is cut off.
    pub expires: Timestamp,
}

/// The connection that a text claims to be about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claimed {
    pub namespace: String,
    pub name: String,
}

/// Why a text is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StateError {
    #[error("it is not complete, or not of this operator's making")]
    Malformed,
    #[error("it was not signed with this connection's key, or changed")]
    Forged,
    #[error("it is too old")]
    Expired,
}

/// The `state` of an authorisation, fit for a URL.
pub fn sign(key: &[u8], claims: &StateClaims) -> String {
    let payload = StatePayload {
        of: Of {
            namespace: claims.namespace.clone(),
            name: claims.name.clone(),
        },
        uid: claims.uid.clone(),
        nonce: claims.nonce.clone(),
        expires: claims.expires.as_second(),
        cookie: URL_SAFE_NO_PAD.encode(claims.cookie_hash),
    };
    seal(Kind::State, key, &payload)
}

/// The claims of a `state` that was signed with `key` and has not expired at `now`.
pub fn verify(key: &[u8], text: &str, now: Timestamp) -> Result<StateClaims, StateError> {
    let payload: StatePayload = open(Kind::State, key, text)?;
    let cookie = URL_SAFE_NO_PAD.decode(&payload.cookie).ok();
    Ok(StateClaims {
        namespace: payload.of.namespace,
        name: payload.of.name,
        uid: payload.uid,
        nonce: payload.nonce,
        expires: alive(payload.expires, now)?,
        cookie_hash: cookie
            .and_then(|hash| hash.try_into().ok())
            .ok_or(StateError::Malformed)?,
    })
}

/// A session, fit for a cookie.
pub fn sign_session(key: &[u8], claims: &SessionClaims) -> String {
    let payload = SessionPayload {
        of: Of {
            namespace: claims.namespace.clone(),
            name: claims.name.clone(),
        },
        uid: claims.uid.clone(),
        nonce: claims.nonce.clone(),
        expires: claims.expires.as_second(),
    };
    seal(Kind::Session, key, &payload)
}

/// The claims of a session that was signed with `key` and has not expired at `now`.
pub fn verify_session(key: &[u8], text: &str, now: Timestamp) -> Result<SessionClaims, StateError> {
    let payload: SessionPayload = open(Kind::Session, key, text)?;
    Ok(SessionClaims {
        namespace: payload.of.namespace,
        name: payload.of.name,
        uid: payload.uid,
        nonce: payload.nonce,
        expires: alive(payload.expires, now)?,
    })
}

/// Which connection's key a `state` or session has to be verified with. Anybody can write this: nothing is proved by it. The
/// names are such as Kubernetes allows, so that they can be looked up and shown.
pub fn peek(text: &str) -> Option<Claimed> {
    let (payload, _) = split(text)?;
    let claimed: AnyPayload = read(payload)?;
    let Of { namespace, name } = claimed.of;
    (is_label(&namespace) && is_subdomain(&name)).then_some(Claimed { namespace, name })
}

/// A ticket made from chance, of which 16 bytes are taken.
pub fn make_ticket(key: &[u8], chance: &[u8]) -> String {
    let chance = hex(chance.get(..TICKET_HALF / 2).unwrap_or(chance));
    let tag = tag(Kind::Ticket, key, &chance);
    let tag = hex(tag.get(..TICKET_HALF / 2).unwrap_or_default());
    format!("{chance}{tag}")
}

/// Whether a text is a ticket that was made with this key at some time, in constant time.
pub fn is_ticket(key: &[u8], text: &str) -> bool {
    // What has another form is compared all the same, as a ticket of nothing.
    let (chance, given) = text.split_at_checked(TICKET_HALF).unwrap_or(("", ""));
    let tag = tag(Kind::Ticket, key, chance);
    let tag = hex(tag.get(..TICKET_HALF / 2).unwrap_or_default());
    // By their hashes: how long it takes says nothing about the tag.
    let same = Sha256::digest(tag.as_bytes()) == Sha256::digest(given.as_bytes());
    same && !key.is_empty() && tag.len() == TICKET_HALF
}

/// What `state` holds of the browser's cookie: SHA-256.
pub fn cookie_hash(cookie: &str) -> [u8; 32] {
    Sha256::digest(cookie.as_bytes()).into()
}

/// What a tag is for: one that was made for one thing is worth nothing for another.
#[derive(Clone, Copy)]
enum Kind {
    State,
    Session,
    Ticket,
}

impl Kind {
    fn word(self) -> &'static [u8] {
        match self {
            Kind::State => b"tiktokads.dev/state/2:",
            Kind::Session => b"tiktokads.dev/session/2:",
            Kind::Ticket => b"tiktokads.dev/ticket/1:",
        }
    }
}

#[derive(Serialize, Deserialize)]
struct Of {
    #[serde(rename = "ns")]
    namespace: String,
    #[serde(rename = "n")]
    name: String,
}

#[derive(Serialize, Deserialize)]
struct StatePayload {
    of: Of,
    uid: String,
    nonce: String,
    #[serde(rename = "exp")]
    expires: i64,
    cookie: String,
}

#[derive(Serialize, Deserialize)]
struct SessionPayload {
    of: Of,
    uid: String,
    nonce: String,
    #[serde(rename = "exp")]
    expires: i64,
}

#[derive(Deserialize)]
struct AnyPayload {
    of: Of,
}

fn seal(kind: Kind, key: &[u8], payload: &impl Serialize) -> String {
    // Texts and numbers always have a JSON form.
    let json = serde_json::to_vec(payload).unwrap_or_default();
    let payload = URL_SAFE_NO_PAD.encode(json);
    let tag = URL_SAFE_NO_PAD.encode(tag(kind, key, &payload));
    format!("{payload}.{tag}")
}

fn open<T: DeserializeOwned>(kind: Kind, key: &[u8], text: &str) -> Result<T, StateError> {
    let (payload, tag) = split(text).ok_or(StateError::Malformed)?;
    if !is_tag(kind, key, payload, tag) {
        return Err(StateError::Forged);
    }
    read(payload).ok_or(StateError::Malformed)
}

fn split(text: &str) -> Option<(&str, &str)> {
    if text.len() > LONGEST {
        return None;
    }
    text.split_once('.')
}

fn read<T: DeserializeOwned>(payload: &str) -> Option<T> {
    let json = URL_SAFE_NO_PAD.decode(payload).ok()?;
    serde_json::from_slice(&json).ok()
}

fn alive(expires: i64, now: Timestamp) -> Result<Timestamp, StateError> {
    let expires = Timestamp::from_second(expires).map_err(|_| StateError::Malformed)?;
    if now < expires {
        Ok(expires)
    } else {
        Err(StateError::Expired)
    }
}

/// HMAC takes keys of every length; without it there is nothing to sign with.
fn mac(kind: Kind, key: &[u8], text: &str) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    mac.update(kind.word());
    mac.update(text.as_bytes());
    Some(mac)
}

fn tag(kind: Kind, key: &[u8], text: &str) -> Vec<u8> {
    mac(kind, key, text).map_or_else(Vec::new, |mac| mac.finalize().into_bytes().to_vec())
}

/// Whether `tag` is ours, in constant time. With an empty key nothing is: anybody could have signed.
fn is_tag(kind: Kind, key: &[u8], text: &str, tag: &str) -> bool {
    let Ok(tag) = URL_SAFE_NO_PAD.decode(tag) else {
        return false;
    };
    !key.is_empty() && mac(kind, key, text).is_some_and(|mac| mac.verify_slice(&tag).is_ok())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A name of RFC 1123: lower-case letters, digits and hyphens, neither first nor last.
fn is_label(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=63).contains(&text.len())
        && text.bytes().all(plain)
        && !text.starts_with('-')
        && !text.ends_with('-')
}

fn is_subdomain(text: &str) -> bool {
    text.len() <= 253 && text.split('.').all(is_label)
}

#[cfg(test)]
#[path = "connect_state_tests.rs"]
mod tests;
