//! What a connection hears with: the keys of its webhooks, what it remembers of what came, and its part in the
//! connection's turn. What comes: [`super::webhooks`]; what TikTok is asked to send: [`super::subscriptions`].

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use secrecy::{ExposeSecret, SecretString};

use super::account::AccountId;
use super::connection::{APP_SECRET, Data, Own, fingerprint, plain, time_of, value};
use super::doors::{Clock, Cluster, ClusterError, Name, Note, SecretCopy};
use super::due::Why;
use super::run::Engine;
use super::state::{Key, State, to_signed};
use super::subscriptions::Subscriptions;
use crate::api::common::Mode;
use crate::api::connection::TikTokConnection;
use crate::model::connection::{ConnectionAction, ConnectionPlan, WebhookReport, webhook_url};
use crate::model::hearing::{Heard, tell};
use crate::model::reason::Reason;
use crate::model::webhook_keys::{self, Keys, Remembered};
use crate::platform::Door;
use crate::platform::webhook::SigningKeys;

/// Keys of the Secret that `spec.webhooks.keysSecretRef` names.
const CURRENT: &str = "TIKTOK_WEBHOOK_SIGNING_KEY_CURRENT";
const PREVIOUS: &str = "TIKTOK_WEBHOOK_SIGNING_KEY_PREVIOUS";
/// Key of the Secret that `spec.webhooks.pathTokenSecretRef` names, where it names none.
const PATH_TOKEN: &str = "path_token";
/// Keys of our token Secret.
const SEEN_CURRENT: &str = "webhook_current_fingerprint";
const SEEN_SINCE: &str = "webhook_rotated_at";

/// How long changes are gathered before subscriptions are planned.
const SOON: Duration = Duration::from_secs(5);

/// The most bodies that are remembered for one connection.
pub const MOST_BODIES: usize = 4096;

/// What this process knows of one connection's webhooks and subscriptions.
#[derive(Debug, Default)]
pub struct Hearing {
    uid: String,
    listening: Listening,
    /// As the token Secret has it, or will have it.
    remembered: Remembered,
    pub(super) bodies: Bodies,
    pub(super) believed: bool,
    pub(super) unsigned: bool,
    /// The generation of the spec that `unsigned` is about: what is named since may have mended it.
    generation: Option<i64>,
    pub(super) previous_used: Option<Timestamp>,
    /// Something that may have to be subscribed to has changed: planned then.
    soon: Option<Timestamp>,
    pub(super) subscriptions: Subscriptions,
}

/// What a message is checked with.
#[derive(Clone, Debug, Default)]
pub(super) struct Listening {
    pub current: Option<SecretString>,
    pub previous: Option<SecretString>,
    /// PREVIOUS counts until then.
    pub previous_until: Option<Timestamp>,
    pub path_token: Option<SecretString>,
}

impl Listening {
    /// The keys that count now.
    pub fn keys(&self, now: Timestamp) -> SigningKeys {
        let previous = self.previous_until.is_some_and(|until| now < until);
        let none = SecretString::from("");
        SigningKeys::new(
            self.current.as_ref().unwrap_or(&none),
            self.previous.as_ref().filter(|_| previous),
        )
    }
}

/// SHA-256 of the bodies that were taken, oldest first. A message that comes again is one of them.
#[derive(Debug, Default)]
pub(super) struct Bodies {
    order: VecDeque<(Timestamp, [u8; 32])>,
    all: BTreeSet<[u8; 32]>,
}

impl Bodies {
    /// False: it came before. What is older than `kept` is refused by its own time.
    pub fn insert(&mut self, body: [u8; 32], kept: SignedDuration, now: Timestamp) -> bool {
        while let Some((at, old)) = self.order.front().copied() {
            let full = self.order.len() >= MOST_BODIES;
            if !full && now.duration_since(at) <= kept {
                break;
            }
            self.order.pop_front();
            self.all.remove(&old);
        }
        let new = self.all.insert(body);
        if new {
            self.order.push_back((now, body));
        }
        new
    }
}

/// A turn's part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Something was learned or written: plan again.
    Again,
    /// Nothing to do now.
    Calm,
}

impl State {
    /// What messages for a connection are checked with; `None`: nobody listens under this name.
    pub(super) fn listening(&self, name: &Name) -> Option<&Listening> {
        self.stores.connections.get(name)?;
        self.hearing.get(name).map(|h| &h.listening)
    }

    /// A new leader hears nothing until it has read the keys of all connections that there are: one that it does not know
    /// yet must not be told from one that does not exist.
    pub(super) fn begin_hearing(&mut self) {
        let all = self.stores.connections.iter();
        self.hearing_unread = Some(all.map(|(name, _)| name.clone()).collect());
    }

    /// The connection has had a turn.
    pub(super) fn has_hearing(&mut self, name: &Name) {
        if let Some(unread) = &mut self.hearing_unread {
            unread.remove(name);
        }
    }

    /// Rows of an account were found to be others: what TikTok is to tell about may be another, too. A burst is planned for
    /// once.
    pub(super) fn hear_soon(&mut self, account: &AccountId, now: Timestamp) {
        if self.settings.public.is_none() {
            return;
        }
        let Some(name) = self.accounts.get(account).map(|a| a.connection.clone()) else {
            return;
        };
        let Some(hearing) = self.hearing.get_mut(&name) else {
            return;
        };
        if hearing.soon.is_none_or(|at| at <= now) {
            let at = now + SOON;
            hearing.soon = Some(at);
            self.wake(&Key::Connection(name), Why::Hearing, at);
        }
    }

    /// Have all connections that were there at the start had their turn?
    pub(super) fn hears(&self) -> bool {
        self.hearing_unread.as_ref().is_some_and(BTreeSet::is_empty)
    }

    pub(super) fn hearing_of(&mut self, name: &Name, object: &TikTokConnection) -> &mut Hearing {
        let uid = object.metadata.uid.clone().unwrap_or_default();
        let hearing = self.hearing.entry(name.clone()).or_default();
        if hearing.uid != uid {
            *hearing = Hearing {
                uid,
                ..Hearing::default()
            };
        }
        hearing
    }

    /// Brings what is checked with up to date. What has to be remembered is returned.
    fn listen(
        &mut self,
        name: &Name,
        object: &TikTokConnection,
        now: Timestamp,
    ) -> Option<Remembered> {
        let window = self.settings.hearing.previous_key_for;
        let memo = self.connections.get(name)?;
        let of = |copy: Option<&SecretCopy>, key: &str| value(&copy?.data, key).cloned();
        let app_secret = of(memo.app(), APP_SECRET).or_else(|| of(memo.held(), APP_SECRET));
        let stored = memo.held().map(|held| Remembered {
            current: plain(&held.data, SEEN_CURRENT),
            since: time_of(&held.data, SEEN_SINCE),
        });
        let named = object.spec.webhooks.as_ref();
        let keys_named = named.is_some_and(|w| w.keys_secret_ref.is_some());
        let (current, previous) = match keys_named {
            true => {
                let keys = memo.webhook_keys.as_ref().and_then(Option::as_ref);
                (of(keys, CURRENT), of(keys, PREVIOUS))
            }
            false => (app_secret, None),
        };
        let path_token = named
            .and_then(|w| w.path_token_secret_ref.as_ref())
            .and_then(|r| {
                let path = memo.path_token.as_ref().and_then(Option::as_ref);
                of(path, r.key.as_deref().unwrap_or(PATH_TOKEN))
            })
            .filter(is_path_token);
        let hearing = self.hearing_of(name, object);
        if hearing.generation != object.metadata.generation {
            hearing.generation = object.metadata.generation;
            hearing.unsigned = false;
        }
        let mut remember = None;
        let mut previous_until = None;
        // Without a Secret for keys there is no PREVIOUS, and nothing to remember.
        if keys_named {
            let print = |key: &SecretString| fingerprint(&[key]);
            let seen = Keys {
                current: current.as_ref().map(print),
                previous: previous.as_ref().map(print),
            };
            // What is not stored yet is remembered by the process.
            if let Some(stored) = stored.clone().filter(|s| s.current.is_some())
                && (stored.current == seen.current || hearing.remembered.current != seen.current)
            {
                hearing.remembered = stored;
            }
            let plan = webhook_keys::plan(&seen, &hearing.remembered, window, now);
            if let Some(next) = plan.remember {
                hearing.remembered = next;
            }
            previous_until = plan.previous_until;
            remember = stored
                .filter(|stored| *stored != hearing.remembered)
                .map(|_| hearing.remembered.clone())
                .filter(|r| r.current.is_some());
        }
        hearing.listening = Listening {
            current,
            previous,
            previous_until,
            path_token,
        };
        remember
    }

    /// What is known, for the status.
    fn heard(&self, name: &Name, object: &TikTokConnection) -> Heard {
        let nothing = Hearing::default();
        let hearing = self.hearing.get(name).unwrap_or(&nothing);
        Heard {
            url: self.webhook_url(object),
            hands_off: matches!(object.spec.mode, Some(Mode::Observe | Mode::Plan)),
            secrets: self.complaint(name, object, &hearing.listening),
            previous_until: hearing.listening.previous_until,
            previous_used: hearing.previous_used,
            believed: hearing.believed,
            unsigned: hearing.unsigned,
            subscriptions: hearing.subscriptions.counted(),
            failed: hearing.subscriptions.problem(),
        }
    }

    /// Has the connection's plan tell what is known. True: that is news.
    fn report_hearing(&mut self, name: &Name, object: &TikTokConnection) -> bool {
        let (status, condition) = tell(object, &self.heard(name, object));
        let report = WebhookReport { status, condition };
        match self.connections.get_mut(name) {
            Some(memo) if memo.webhooks != report => {
                memo.webhooks = report;
                true
            }
            _ => false,
        }
    }

    /// What is wrong with the Secrets that the spec names for webhooks.
    fn complaint(
        &self,
        name: &Name,
        object: &TikTokConnection,
        listening: &Listening,
    ) -> Option<(Reason, String)> {
        let named = object.spec.webhooks.as_ref()?;
        let memo = self.connections.get(name)?;
        let missing = |secret: &str, key: &str| {
            (
                Reason::SecretMissing,
                format!(
                    "there is no Secret {secret} in this namespace; create it with the key {key}"
                ),
            )
        };
        if let Some(secret) = named.keys_secret_ref.as_ref().map(|r| &r.name) {
            if memo.webhook_keys.as_ref().is_some_and(Option::is_none) {
                let (reason, text) = missing(secret, CURRENT);
                return Some((reason, format!("{text}; until then no message is believed")));
            }
            if memo.webhook_keys.is_some() && listening.current.is_none() {
                return Some((
                    Reason::SecretIncomplete,
                    format!(
                        "Secret {secret} lacks {CURRENT}; add it, until then no message is believed"
                    ),
                ));
            }
        }
        if let Some(named) = &named.path_token_secret_ref {
            let (secret, key) = (&named.name, named.key.as_deref().unwrap_or(PATH_TOKEN));
            if memo.path_token.as_ref().is_some_and(Option::is_none) {
                return Some(missing(secret, key));
            }
            if memo.path_token.is_some() && listening.path_token.is_none() {
                return Some((
                    Reason::SecretIncomplete,
                    format!(
                        "the key {key} of Secret {secret} has to be 16 to 128 letters, digits, - and _; correct it"
                    ),
                ));
            }
        }
        None
    }

    /// Where TikTok sends events about a connection, without the part that is a secret. `None`: it cannot.
    pub(super) fn webhook_url(&self, object: &TikTokConnection) -> Option<String> {
        let public = self.settings.public.as_ref()?;
        Some(webhook_url(&public.url, object))
    }
}

impl Hearing {
    pub(super) fn path_token(&self) -> Option<&SecretString> {
        self.listening.path_token.as_ref()
    }
}

/// A text that is hard to guess and needs no escaping in a path.
fn is_path_token(text: &SecretString) -> bool {
    let text = text.expose_secret();
    (16..=128).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
}

impl<C: Cluster, P: Door, K: Clock> Engine<C, P, K> {
    /// The part of a connection's turn that is about hearing: brings what messages are checked with up to date, stores what
    /// a restart must not lose, and, when there is nothing else to do, plans the subscriptions.
    pub(super) async fn hear(
        &self,
        name: &Name,
        object: &TikTokConnection,
        plan: &ConnectionPlan,
    ) -> Result<Step, ClusterError> {
        if plan.action == ConnectionAction::ReadSecrets {
            return Ok(Step::Calm);
        }
        let now = self.clock.now();
        let remember = {
            let mut state = self.lock();
            let remember = state.listen(name, object, now);
            state.has_hearing(name);
            let deleting = object.metadata.deletion_timestamp.is_some();
            if deleting {
                // What is outstanding is not begun any more; what is there, the disconnect ends.
                state.drop_subscriptions(name);
            }
            if deleting || plan.action != ConnectionAction::Rest {
                return Ok(Step::Calm);
            }
            remember
        };
        let unwritable = self.is_unwritable(name, Own::Token);
        if let Some(remember) = remember.filter(|_| !unwritable) {
            let put = |data: &mut Data| {
                let mut put = |key: &str, text: Option<String>| {
                    if let Some(text) = text {
                        data.insert(key.into(), SecretString::from(text));
                    }
                };
                put(SEEN_CURRENT, remember.current.clone());
                put(SEEN_SINCE, remember.since.map(|t| t.to_string()));
            };
            self.swap(name, object, put).await?;
            return Ok(Step::Again);
        }
        let (note, news) = {
            let mut state = self.lock();
            let (note, wake) = state.plan_subscriptions(name, object, now);
            let until = state.listening(name).and_then(|l| l.previous_until);
            let soon = state.hearing.get(name).and_then(|h| h.soon);
            let key = Key::Connection(name.clone());
            match wake
                .into_iter()
                .chain(until)
                .chain(soon)
                .filter(|at| *at > now)
                .min()
            {
                Some(when) => state.wake(&key, Why::Hearing, when),
                None => state.home.due.clear(&key, Why::Hearing),
            }
            (note, state.report_hearing(name, object))
        };
        if let Some(note) = note.filter(|_| !unwritable) {
            self.swap(name, object, |data| note.write(data)).await?;
            return Ok(Step::Again);
        }
        if news {
            return Ok(Step::Again);
        }
        self.say_deaf(object, plan).await;
        Ok(Step::Calm)
    }

    /// A warning for what has come to need somebody.
    async fn say_deaf(&self, object: &TikTokConnection, plan: &ConnectionPlan) {
        let of = |conditions: &[Condition]| {
            let found = conditions.iter().find(|c| c.type_ == "Webhooks");
            found.map(|c| (c.status.clone(), c.reason.clone(), c.message.clone()))
        };
        let before = object.status.as_ref().and_then(|s| of(&s.conditions));
        let Some((status, reason, message)) = of(&plan.status.conditions) else {
            return;
        };
        let calm = status == "True" || reason == Reason::PollingOnly.to_string();
        if calm || before.is_some_and(|(_, was, _)| was == reason) {
            return;
        }
        self.note(Note {
            kind: "TikTokConnection",
            about: Name::of(object),
            uid: object.metadata.uid.clone().unwrap_or_default(),
            warning: true,
            reason,
            message,
        })
        .await;
    }
}

/// How long a body is remembered: as long as its own time does not make it old.
pub(super) fn kept(state: &State) -> SignedDuration {
    to_signed(state.settings.hearing.webhook_max_age)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn body(n: u32) -> [u8; 32] {
        let mut body = [0; 32];
        body[..4].copy_from_slice(&n.to_be_bytes());
        body
    }

    const KEPT: SignedDuration = SignedDuration::from_secs(100);

    #[test]
    fn r23_a_body_is_taken_once_and_memory_is_bounded() {
        let mut bodies = Bodies::default();
        assert!(bodies.insert(body(0), KEPT, at(0)));
        assert!(!bodies.insert(body(0), KEPT, at(0)));
        for n in 1..100_000 {
            assert!(bodies.insert(body(n), KEPT, at(1)));
        }
        assert_eq!(bodies.order.len(), MOST_BODIES);
        assert_eq!(bodies.all.len(), MOST_BODIES);
        assert!(!bodies.insert(body(99_999), KEPT, at(1)));
    }

    #[test]
    fn a_body_is_forgotten_when_its_own_time_makes_it_old() {
        let mut bodies = Bodies::default();
        bodies.insert(body(0), KEPT, at(0));
        assert!(!bodies.insert(body(0), KEPT, at(100)));
        assert!(bodies.insert(body(0), KEPT, at(101)));
        assert_eq!(bodies.order.len(), 1);
    }

    #[test]
    fn a_path_token_is_long_and_needs_no_escaping() {
        let is = |text: &str| is_path_token(&SecretString::from(text));
        assert!(is("0123456789abcdef") && is(&"Az-_".repeat(32)));
        for wrong in [
            "short",
            "0123456789abcde/",
            "0123456789abcde ",
            &"a".repeat(129),
        ] {
            assert!(!is(wrong), "{wrong}");
        }
    }
}
