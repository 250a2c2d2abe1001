//! R23: what TikTok sends. A message is checked, and what it names is looked up: nothing in it is believed but that
//! something about an id may be otherwise by now.

use std::collections::BTreeSet;

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

use super::account::AccountId;
use super::doors::{Clock, Cluster, Name, ObjectName};
use super::hearing::kept;
use super::queue::Lane;
use super::run::Engine;
use super::state::{Key, State, to_signed};
use crate::model::facts::ConnectionView;
use crate::observe::table::RowId;
use crate::platform::webhook::{Event, EventKind, SignedBy, SigningKeys, Verdict, parse, verify};
use crate::platform::{Door, Kind};

/// A message as it was received. Nothing of it has been believed yet.
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

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It can be believed, and what it names is in this process's queue, or nothing follows from it.
    Queued,
    /// The connection is unknown, or the signature is missing or wrong.
    Refused,
    /// This process does not act (any more), or does not know all connections yet: nothing was queued.
    NotHere,
}

/// The same for the metrics, in detail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Outcome {
    /// Something was put into the queue.
    Queued,
    /// Nothing in it concerns an object of ours.
    Irrelevant,
    Duplicate,
    Old,
    /// Signed, and not readable.
    Malformed,
    Unsigned,
    Refused,
    NotHere,
}

impl Outcome {
    /// The label in metrics.
    pub fn label(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Irrelevant => "irrelevant",
            Self::Duplicate => "duplicate",
            Self::Old => "old",
            Self::Malformed => "malformed",
            Self::Unsigned => "unsigned",
            Self::Refused => "refused",
            Self::NotHere => "not_here",
        }
    }

    fn taken(self) -> Taken {
        match self {
            Self::Queued | Self::Irrelevant | Self::Duplicate | Self::Old | Self::Malformed => {
                Taken::Queued
            }
            Self::Unsigned | Self::Refused => Taken::Refused,
            Self::NotHere => Taken::NotHere,
        }
    }
}

/// What follows from one thing that a message names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Follows {
    /// Its objects were put into the queue.
    Queued,
    /// No object of ours has the id.
    Unknown,
    /// It is about another ad account.
    Foreign,
    /// Nothing that is looked after.
    Other,
}

impl Follows {
    /// The label in metrics.
    pub fn label(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Unknown => "unknown",
            Self::Foreign => "foreign",
            Self::Other => "other",
        }
    }
}

/// Why a message can be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trust {
    Key(SignedBy),
    /// Unsigned, at the address that only TikTok knows.
    PathToken,
}

impl Trust {
    /// The label in metrics.
    pub fn label(self) -> &'static str {
        match self {
            Self::Key(SignedBy::Current) => "current",
            Self::Key(SignedBy::Previous) => "previous",
            Self::PathToken => "path_token",
        }
    }
}

impl<C: Cluster, P: Door, K: Clock> Engine<C, P, K> {
    /// Takes a message for a connection. For a name that nobody has the same work is done as for one that somebody has, and
    /// the answer is the same as to a wrong signature.
    pub async fn event(&self, at: &Name, delivery: &Delivery) -> Taken {
        let outcome = self.hear_event(at, delivery);
        self.metrics.webhook(outcome);
        outcome.taken()
    }

    fn hear_event(&self, at: &Name, delivery: &Delivery) -> Outcome {
        let now = self.clock.now();
        let (keys, path_token, platform_now, window) = {
            let state = self.lock();
            if !self.hears(&state) {
                return Outcome::NotHere;
            }
            let listening = state.listening(at);
            let keys = listening.map_or_else(SigningKeys::nobody, |l| l.keys(now));
            let path_token = listening.and_then(|l| l.path_token.clone());
            let platform_now = now.saturating_add(state.skew).unwrap_or(now);
            let window = to_signed(state.settings.hearing.signature_window);
            (keys, path_token, platform_now, window)
        };
        // From here on for whatever name: no lock, and no short way out.
        let verdict = verify(
            &keys,
            delivery.open_signature.as_deref(),
            delivery.tiktok_signature.as_deref(),
            &delivery.body,
            platform_now,
            window,
        );
        let knows_path = same(path_token.as_ref(), delivery.path_token.as_ref());
        let body: [u8; 32] = Sha256::digest(&delivery.body).into();
        let unsigned = delivery.open_signature.is_none() && delivery.tiktok_signature.is_none();
        let (trust, stale) = match verdict {
            Verdict::Good(key) => (Trust::Key(key), false),
            Verdict::Stale(key) => (Trust::Key(key), true),
            Verdict::Bad if unsigned && knows_path => (Trust::PathToken, false),
            Verdict::Bad if unsigned => {
                let news = self.lock().came_unsigned(at, now);
                if news {
                    self.nudge();
                }
                return Outcome::Unsigned;
            }
            Verdict::Bad => return Outcome::Refused,
        };
        let events = parse(&delivery.body);

        let mut state = self.lock();
        // Still this process, and still this connection: from here to the queue nothing comes between.
        if !self.hears(&state) {
            return Outcome::NotHere;
        }
        if state.listening(at).is_none() {
            return Outcome::Refused;
        }
        self.metrics.webhook_key(trust);
        if state.came_believed(at, trust, now) {
            self.nudge();
        }
        let events = match events {
            Ok(events) => events,
            Err(error) => {
                tracing::warn!(connection = %at, %error, "a signed message cannot be read");
                return Outcome::Malformed;
            }
        };
        let age = kept(&state);
        let is_old = |event: &Event| {
            event
                .sent
                .is_some_and(|sent| platform_now.duration_since(sent).abs() > age)
        };
        if stale || events.iter().any(is_old) {
            return Outcome::Old;
        }
        let hearing = state.hearing.get_mut(at);
        if !hearing.is_some_and(|h| h.bodies.insert(body, age, now)) {
            return Outcome::Duplicate;
        }
        let follows = state.take_events(at, &events, now);
        drop(state);
        for one in &follows {
            self.metrics.webhook_event(*one);
        }
        if !follows.contains(&Follows::Queued) {
            return Outcome::Irrelevant;
        }
        self.nudge();
        Outcome::Queued
    }

    /// Does this process act, and does it know who may be written to?
    fn hears(&self, state: &State) -> bool {
        self.fence().is_some() && state.stores.synced() && state.hears()
    }
}

/// Compared by their hashes, whether there is one or not: how long it takes tells nothing.
fn same(wanted: Option<&SecretString>, given: Option<&SecretString>) -> bool {
    let hash = |text: Option<&SecretString>| -> [u8; 32] {
        let text = text.map_or("", |t| t.expose_secret().trim());
        Sha256::digest(text.as_bytes()).into()
    };
    let (a, b) = (hash(wanted), hash(given));
    let differences = a.iter().zip(b).fold(0u8, |all, (a, b)| all | (a ^ b));
    (differences == 0) & wanted.is_some() & given.is_some()
}

impl State {
    /// Something came without a signature. True: the connection's status has to say so.
    fn came_unsigned(&mut self, at: &Name, now: Timestamp) -> bool {
        let Some(hearing) = self.hearing.get_mut(at) else {
            return false;
        };
        let news = !hearing.believed && !std::mem::replace(&mut hearing.unsigned, true);
        if news {
            self.push(&Key::Connection(at.clone()), Lane::Background, now);
        }
        news
    }

    /// Something came that can be believed. True: the connection's status has to say so.
    fn came_believed(&mut self, at: &Name, trust: Trust, now: Timestamp) -> bool {
        let Some(hearing) = self.hearing.get_mut(at) else {
            return false;
        };
        let mut news = !std::mem::replace(&mut hearing.believed, true);
        if trust == Trust::Key(SignedBy::Previous) {
            // To the hour: a status is not written for each message.
            let second = now.as_second();
            let hour = Timestamp::from_second(second - second.rem_euclid(3600)).ok();
            news |= hearing.previous_used != hour;
            hearing.previous_used = hour;
        }
        if news {
            self.push(&Key::Connection(at.clone()), Lane::Background, now);
        }
        news
    }

    /// Makes what is named be looked up. What the events claim is not looked at.
    fn take_events(&mut self, at: &Name, events: &[Event], now: Timestamp) -> Vec<Follows> {
        let account = self
            .accounts
            .iter()
            .find(|(_, a)| a.connection == *at)
            .map(|(id, _)| id.clone());
        let mine = self.heard_for(at);
        let mut follows = Vec::new();
        let mut rows: BTreeSet<RowId> = BTreeSet::new();
        for event in events {
            let said = event.advertiser.as_ref();
            if said.is_some() && said != mine.as_ref() {
                follows.push(Follows::Foreign);
                continue;
            }
            let row = match &event.kind {
                EventKind::AccountStatus { .. } => {
                    self.check_again(at, now);
                    follows.push(Follows::Queued);
                    continue;
                }
                EventKind::AdGroupReview { ad_group, .. } => (Kind::AdGroup, ad_group.clone()),
                EventKind::AdReview { ad, .. } => (Kind::Ad, ad.clone()),
                EventKind::Other => {
                    follows.push(Follows::Other);
                    continue;
                }
            };
            let known = account.as_ref().and_then(|id| self.known_row(id, row));
            match known {
                Some(row) => {
                    rows.insert(row);
                    follows.push(Follows::Queued);
                }
                None => follows.push(Follows::Unknown),
            }
        }
        if let Some(id) = account {
            for row in &rows {
                self.hint(&id, row, now);
            }
        }
        follows
    }

    /// The ad account that a connection is for.
    fn heard_for(&self, at: &Name) -> Option<String> {
        if let Some(ConnectionView::Usable(account)) = self.views.get(at) {
            return Some(account.advertiser.clone());
        }
        let object = self.stores.connections.get(at)?;
        self.advertiser_of(at, &object)
    }

    /// The row of an id that an object of ours has; an ad of the Smart+ tree may be named by one of its creatives.
    fn known_row(&self, id: &AccountId, row: RowId) -> Option<RowId> {
        if !self.those_of(id, &row).is_empty() {
            return Some(row);
        }
        let (Kind::Ad, creative) = row else {
            return None;
        };
        let table = &self.accounts.get(id)?.table;
        let ad = (Kind::Ad, table.ad_of_creative(&creative)?.to_owned());
        (!self.those_of(id, &ad).is_empty()).then_some(ad)
    }

    /// Objects of an account that hold, claim or show an id.
    fn those_of(&self, id: &AccountId, (kind, platform_id): &RowId) -> Vec<ObjectName> {
        let mut all = self.owners(id, *kind, platform_id);
        all.retain(|name| self.place(&Key::Object(name.clone())).as_ref() == Some(id));
        all
    }

    /// A row may be otherwise by now: it is looked up once, and whatever follows from it goes before the rest.
    pub(super) fn hint(&mut self, id: &AccountId, row: &RowId, now: Timestamp) {
        let owners = self.those_of(id, row);
        let tick = self.tick();
        if let Some(account) = self.accounts.get_mut(id) {
            account.table.hint(row, tick);
            for name in &owners {
                account.hurry(name, now);
            }
        }
        for name in owners {
            self.push(&Key::Object(name), Lane::Event, now);
        }
    }

    /// The connection's account may have been suspended, or be back: it is asked about at once.
    fn check_again(&mut self, at: &Name, now: Timestamp) {
        if let Some(memo) = self.connections.get_mut(at) {
            memo.doubt(now);
        }
        self.push(&Key::Connection(at.clone()), Lane::Event, now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r23_a_path_token_is_the_same_or_not_and_none_is_never() {
        let text = |t: &str| SecretString::from(t);
        assert!(same(
            Some(&text("0123456789abcdef")),
            Some(&text("0123456789abcdef"))
        ));
        assert!(!same(
            Some(&text("0123456789abcdef")),
            Some(&text("0123456789abcdeg"))
        ));
        assert!(!same(Some(&text("0123456789abcdef")), None));
        assert!(!same(None, Some(&text(""))));
        assert!(!same(None, None));
    }
}
