//! What connecting by browser is guarded with: the ticket, which lies in a Secret that people may read, and the key and the
//! nonce, which lie in our token Secret, where only the operator reads them.
//!
//! The key stays. It signs the tickets, so that a guessed one is told from one of ours without asking anybody, and what a
//! browser carries. The nonce is in all that a browser carries and is replaced when a callback was taken.

use std::time::Duration;

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

use super::super::doors::{Name, SecretCopy};
use super::super::state::State;
use super::secrets::{Data, is_ours, plain, time_of, value};
use crate::api::connection::TikTokConnection;
use crate::model::connect_state::{is_ticket, make_ticket};
use crate::model::connection::{ConnectFacts, connect_url};

/// Keys of the Secret with the ticket.
pub(super) const TICKET: &str = "ticket";
pub(super) const URL: &str = "url";
/// Until when the ticket is good.
const EXPIRES_AT: &str = "expires_at";
/// Versions before this one kept the key beside the ticket.
const OLD_KEY: &str = "key";
/// Keys of our token Secret.
const CONNECT_KEY: &str = "connect_key";
const CONNECT_NONCE: &str = "connect_nonce";

/// A ticket is good no longer than this.
const TICKET_LIVES: Duration = Duration::from_secs(24 * 3600);
/// And up to this much shorter, so that tickets that were made at one time are not all replaced at one time.
const SPREAD: u64 = 3600;
/// Between two reads of the Secrets of one connection for what people send.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// What signs for one connection.
#[derive(Clone)]
pub(super) struct Signing {
    pub key: [u8; 32],
    pub nonce: String,
}

impl Signing {
    /// Of a connection that there is not: nothing was ever signed with it.
    pub fn nobodys() -> Self {
        Self {
            key: [0; 32],
            nonce: String::new(),
        }
    }
}

/// As our token Secret has it.
pub(super) fn signing(held: &Data) -> Option<Signing> {
    Some(Signing {
        key: from_hex(&plain(held, CONNECT_KEY)?)?,
        nonce: plain(held, CONNECT_NONCE)?,
    })
}

/// Puts both into our token Secret. A key that is there stays.
pub(super) fn put_signing(held: &mut Data, key: &[u8], nonce: &[u8]) {
    if signing(held).is_none() {
        held.insert(CONNECT_KEY.into(), hex(key).into());
    }
    put_nonce(held, hex(nonce));
}

/// What was signed with the nonce before is void.
pub(super) fn put_nonce(held: &mut Data, nonce: String) {
    held.insert(CONNECT_NONCE.into(), nonce.into());
}

/// A ticket in its Secret.
pub(super) struct Ticket {
    pub text: SecretString,
    pub until: Timestamp,
}

/// The ticket, if it is one of ours, however old.
pub(super) fn ticket(data: &Data, signing: &Signing) -> Option<Ticket> {
    let text = value(data, TICKET)?;
    let until = time_of(data, EXPIRES_AT)?;
    is_ticket(&signing.key, text.expose_secret()).then(|| Ticket {
        text: text.clone(),
        until,
    })
}

/// Puts a ticket and its link into the Secret: the one that is there if it is still good, else a new one.
pub(super) fn mend(
    data: &mut Data,
    object: &TikTokConnection,
    public_url: &str,
    signing: &Signing,
    chance: [u8; 32],
    now: Timestamp,
) {
    data.remove(OLD_KEY);
    match ticket(data, signing).filter(|t| now < t.until) {
        Some(ticket) => {
            let link = link(public_url, object, ticket.text.expose_secret());
            data.insert(URL.into(), link.into());
        }
        None => replace(data, object, public_url, signing, chance, now),
    }
}

/// Puts a new ticket and its link into the Secret.
pub(super) fn replace(
    data: &mut Data,
    object: &TikTokConnection,
    public_url: &str,
    signing: &Signing,
    chance: [u8; 32],
    now: Timestamp,
) {
    let [.., high, low] = chance;
    let less = u64::from(u16::from_be_bytes([high, low])) % SPREAD;
    let until = now + (TICKET_LIVES - Duration::from_secs(less));
    let ticket = make_ticket(&signing.key, &chance[..16]);
    data.remove(OLD_KEY);
    data.insert(URL.into(), link(public_url, object, &ticket).into());
    data.insert(TICKET.into(), ticket.into());
    data.insert(EXPIRES_AT.into(), until.to_string().into());
}

/// The page's address with the ticket.
fn link(public_url: &str, object: &TikTokConnection, ticket: &str) -> String {
    format!("{}?ticket={ticket}", connect_url(public_url, object))
}

/// The Secret with the ticket; `held` is our token Secret, `public_url` where the link has to lead.
pub(super) fn connect_facts(
    read: Option<&Option<SecretCopy>>,
    held: Option<&SecretCopy>,
    object: &TikTokConnection,
    public_url: Option<&str>,
) -> ConnectFacts {
    let Some(found) = read else {
        return ConnectFacts::Unread;
    };
    let Some(copy) = found else {
        return ConnectFacts::Missing;
    };
    if !is_ours(copy, object) {
        return ConnectFacts::NotOurs;
    }
    let right = || {
        let ticket = ticket(&copy.data, &signing(&held?.data)?)?;
        let link = link(public_url?, object, ticket.text.expose_secret());
        let same = plain(&copy.data, URL)? == link && !copy.data.contains_key(OLD_KEY);
        same.then_some(ticket.until)
    };
    match right() {
        Some(until) => ConnectFacts::Present { until },
        None => ConnectFacts::Outdated,
    }
}

impl State {
    /// What signs for a connection, as its token Secret was last read.
    pub(super) fn signing(&self, name: &Name) -> Option<Signing> {
        signing(&self.connections.get(name)?.held()?.data)
    }

    /// The ticket as it was last read.
    pub(super) fn ticket(&self, name: &Name) -> Option<Ticket> {
        let memo = self.connections.get(name)?;
        let copy = memo.connect.as_ref()?.as_ref()?;
        ticket(&copy.data, &signing(&memo.held()?.data)?)
    }

    /// May what somebody sent be compared with the Secrets themselves now? Not too often, whoever sends.
    pub(super) fn may_look(&mut self, name: &Name, awake: Duration) -> bool {
        let memo = self.connections.entry(name.clone()).or_default();
        let may = memo
            .looked
            .is_none_or(|at| awake.saturating_sub(at) >= LOOK_EVERY);
        if may {
            memo.looked = Some(awake);
        }
        may
    }
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

fn from_hex(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(bytes)
}

/// Compared by their hashes: how long it takes tells nothing of either.
pub(super) fn same_secret(a: &SecretString, b: &SecretString) -> bool {
    let digest = |s: &SecretString| Sha256::digest(s.expose_secret().as_bytes());
    let differences = digest(a)
        .iter()
        .zip(digest(b).iter())
        .fold(0u8, |all, (a, b)| all | (a ^ b));
    differences == 0
}
