//! What a connection hears with: the keys of its webhooks, what it remembers of what came, and its part in the
//! connection's turn. What comes: [`super::webhooks`]; what TikTok is asked to send: [`super::subscriptions`].

use std::collections::{BTreeSet, VecDeque};

use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};

use super::connection_facts::{APP_SECRET, fingerprint};
use super::doors::{Clock, Cluster, ClusterError, Name, Note, SecretCopy};
use super::due::Why;
use super::run::Engine;
use super::state::{Key, State, to_signed};
use super::subscriptions::Subscriptions;
use crate::api::common::Mode;
use crate::api::connection::TikTokConnection;
use crate::model::connection::{ConnectionAction, ConnectionPlan};
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

/// The most bodies that are remembered for one connection.
pub const MOST_BODIES: usize = 4096;

/// What this process knows of one connection's webhooks and subscriptions.
#[derive(Debug, Default)]
pub struct Hearing {
    uid: String,
    /// The Secrets that the spec names: for keys, and for the path.
    keys: Named,
    path: Named,
    /// The app's secret as last read.
    app_secret: Option<SecretString>,
    listening: Listening,
    /// As the token Secret has it, or will have it.
    remembered: Remembered,
    pub(super) bodies: Bodies,
    pub(super) believed: bool,
    pub(super) unsigned: bool,
    pub(super) previous_used: Option<Timestamp>,
    pub(super) subscriptions: Subscriptions,
}

/// A Secret that the spec names.
#[derive(Debug, Default)]
struct Named {
    /// The name it was read under, and what it was then.
    read: Option<(String, Option<SecretCopy>)>,
    /// It changed since: what was read counts until it is read again.
    outdated: bool,
}

impl Named {
    fn is_unread(&self, secret: &str) -> bool {
        self.outdated || self.read.as_ref().is_none_or(|(of, _)| of != secret)
    }

    fn value(&self, key: &str) -> Option<SecretString> {
        let (_, copy) = self.read.as_ref()?;
        let value = copy.as_ref()?.data.get(key)?;
        (!value.expose_secret().trim().is_empty()).then(|| value.clone())
    }

    /// It has been read, and was not there.
    fn is_missing(&self) -> bool {
        matches!(self.read, Some((_, None)))
    }
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
    /// One of the Secrets of a namespace that the spec names for webhooks.
    pub(super) fn hears_with(object: &TikTokConnection, secret: &str) -> bool {
        let named = object.spec.webhooks.as_ref();
        named.is_some_and(|w| {
            w.keys_secret_ref.as_ref().is_some_and(|r| r.name == secret)
                || w.path_token_secret_ref
                    .as_ref()
                    .is_some_and(|r| r.name == secret)
        })
    }

    /// Such a Secret changed, came or went.
    pub(super) fn hearing_outdated(&mut self, name: &Name) {
        if let Some(hearing) = self.hearing.get_mut(name) {
            hearing.keys.outdated = true;
            hearing.path.outdated = true;
        }
    }

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

    /// The Secrets that have to be read before anything can be checked: for keys, for the path.
    fn unread_secrets(&mut self, name: &Name, object: &TikTokConnection) -> Vec<(bool, String)> {
        let hearing = self.hearing_of(name, object);
        let named = object.spec.webhooks.as_ref();
        let keys = named.and_then(|w| w.keys_secret_ref.as_ref());
        let path = named.and_then(|w| w.path_token_secret_ref.as_ref());
        let mut all = Vec::new();
        if let Some(named) = keys.filter(|r| hearing.keys.is_unread(&r.name)) {
            all.push((true, named.name.clone()));
        }
        if let Some(named) = path.filter(|r| hearing.path.is_unread(&r.name)) {
            all.push((false, named.name.clone()));
        }
        all
    }

    fn named(&mut self, name: &Name, object: &TikTokConnection, keys: bool) -> &mut Named {
        let hearing = self.hearing_of(name, object);
        match keys {
            true => &mut hearing.keys,
            false => &mut hearing.path,
        }
    }

    /// Brings what is checked with up to date. What has to be remembered is returned.
    fn listen(
        &mut self,
        name: &Name,
        object: &TikTokConnection,
        now: Timestamp,
    ) -> Option<Remembered> {
        let window = self.settings.hearing.previous_key_for;
        let memo = self.connections.get(name);
        let own = |copy: Option<&Option<Option<SecretCopy>>>, key: &str| {
            copy.and_then(|c| c.as_ref()?.as_ref()?.data.get(key).cloned())
                .filter(|v| !v.expose_secret().trim().is_empty())
        };
        let app_secret = own(memo.map(|m| &m.app), APP_SECRET)
            .or_else(|| own(memo.map(|m| &m.held), APP_SECRET));
        let stored = memo.and_then(|m| m.held.as_ref()?.as_ref()).map(|held| {
            let text = |key: &str| held.data.get(key).map(|v| v.expose_secret().to_owned());
            Remembered {
                current: text(SEEN_CURRENT),
                since: text(SEEN_SINCE).and_then(|t| t.parse().ok()),
            }
        });
        let named = object.spec.webhooks.as_ref();
        let keys_named = named.and_then(|w| w.keys_secret_ref.as_ref()).is_some();
        let path_key = named
            .and_then(|w| w.path_token_secret_ref.as_ref())
            .map(|r| r.key.clone().unwrap_or_else(|| PATH_TOKEN.into()));
        let hearing = self.hearing_of(name, object);
        hearing.app_secret = app_secret.or(hearing.app_secret.take());
        let (current, previous) = match keys_named {
            true => (hearing.keys.value(CURRENT), hearing.keys.value(PREVIOUS)),
            false => (hearing.app_secret.clone(), None),
        };
        let path_token = path_key
            .and_then(|key| hearing.path.value(&key))
            .filter(is_path_token);
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

    /// What is to be told.
    pub(super) fn heard(&self, name: &Name, object: &TikTokConnection) -> Heard {
        let nothing = Hearing::default();
        let hearing = self.hearing.get(name).unwrap_or(&nothing);
        Heard {
            url: self.webhook_url(name),
            hands_off: matches!(object.spec.mode, Some(Mode::Observe | Mode::Plan)),
            secrets: hearing.complaint(object),
            previous_until: hearing.listening.previous_until,
            previous_used: hearing.previous_used,
            believed: hearing.believed,
            unsigned: hearing.unsigned,
            subscriptions: hearing.subscriptions.counted(),
            failed: hearing.subscriptions.problem(),
        }
    }

    /// Where TikTok sends events about a connection, without the part that is a secret. `None`: it cannot.
    pub(super) fn webhook_url(&self, name: &Name) -> Option<String> {
        let public = self.settings.public_url.as_ref()?;
        let public = public.trim_end_matches('/');
        Some(format!(
            "{public}/webhooks/tiktok/{}/{}",
            name.namespace, name.name
        ))
    }
}

impl Hearing {
    /// What is wrong with the Secrets that the spec names for webhooks.
    fn complaint(&self, object: &TikTokConnection) -> Option<(Reason, String)> {
        let named = object.spec.webhooks.as_ref()?;
        if let Some(named) = &named.keys_secret_ref
            && self.keys.read.is_some()
        {
            let secret = &named.name;
            if self.keys.is_missing() {
                return Some((
                    Reason::SecretMissing,
                    format!("there is no Secret {secret} in this namespace, so no message is believed; create it with the key {CURRENT}"),
                ));
            }
            if self.listening.current.is_none() {
                return Some((
                    Reason::SecretIncomplete,
                    format!("Secret {secret} lacks {CURRENT}, so no message is believed; add it"),
                ));
            }
        }
        if let Some(named) = &named.path_token_secret_ref
            && self.path.read.is_some()
        {
            let secret = &named.name;
            let key = named.key.as_deref().unwrap_or(PATH_TOKEN);
            if self.path.is_missing() {
                return Some((
                    Reason::SecretMissing,
                    format!("there is no Secret {secret} in this namespace; create it with the key {key}, which ends the address that TikTok sends to"),
                ));
            }
            if self.listening.path_token.is_none() {
                return Some((
                    Reason::SecretIncomplete,
                    format!("the key {key} of Secret {secret} has to be 16 to 128 letters, digits, - and _; correct it"),
                ));
            }
        }
        None
    }

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
    /// The part of a connection's turn that is about hearing: reads the Secrets that the spec names for it, stores what a
    /// restart must not lose, and, when there is nothing else to do, plans the subscriptions.
    pub(super) async fn hear(
        &self,
        name: &Name,
        object: &TikTokConnection,
        plan: &ConnectionPlan,
    ) -> Result<Step, ClusterError> {
        if plan.action == ConnectionAction::ReadSecrets {
            return Ok(Step::Calm);
        }
        let unread = self.lock().unread_secrets(name, object);
        for (keys, secret) in unread {
            let at = Name::new(name.namespace.clone(), secret.clone());
            // A change that is announced while it is read makes it old again.
            self.lock().named(name, object, keys).outdated = false;
            let copy = self.cluster.secret(&at).await;
            let mut state = self.lock();
            let named = state.named(name, object, keys);
            match copy {
                Ok(copy) => named.read = Some((secret, copy)),
                Err(error) => {
                    named.outdated = true;
                    return Err(error);
                }
            }
        }
        let now = self.clock.now();
        let (before, remember, after) = {
            let mut state = self.lock();
            let before = state.heard(name, object);
            let remember = state.listen(name, object, now);
            state.has_hearing(name);
            (before, remember, state.heard(name, object))
        };
        if before != after {
            return Ok(Step::Again);
        }
        let deleting = object.metadata.deletion_timestamp.is_some();
        if plan.action != ConnectionAction::Rest || deleting {
            return Ok(Step::Calm);
        }
        if let Some(remember) = remember {
            self.store(name, object, |data| {
                let mut put = |key: &str, text: Option<String>| {
                    if let Some(text) = text {
                        data.insert(key.into(), SecretString::from(text));
                    }
                };
                put(SEEN_CURRENT, remember.current.clone());
                put(SEEN_SINCE, remember.since.map(|t| t.to_string()));
            })
            .await?;
            return Ok(Step::Again);
        }
        self.hear_of_changes(name, object, now).await
    }

    /// Plans the subscriptions, and when to look again.
    async fn hear_of_changes(
        &self,
        name: &Name,
        object: &TikTokConnection,
        now: Timestamp,
    ) -> Result<Step, ClusterError> {
        let (note, wake, changed) = {
            let mut state = self.lock();
            let before = state.heard(name, object);
            let (note, wake) = state.plan_subscriptions(name, object, now);
            let wake = wake
                .into_iter()
                .chain(before.previous_until)
                .filter(|at| *at > now)
                .min();
            (note, wake, state.heard(name, object) != before)
        };
        if let Some(note) = note {
            self.store(name, object, |data| note.write(data)).await?;
            return Ok(Step::Again);
        }
        if changed {
            return Ok(Step::Again);
        }
        if let Some(wake) = wake {
            let key = Key::Connection(name.clone());
            self.lock().wake(&key, Why::Hearing, wake);
        }
        Ok(Step::Calm)
    }

    /// A warning for what has come to need somebody.
    pub(super) async fn say_deaf(&self, object: &TikTokConnection, plan: &ConnectionPlan) {
        let of = |conditions: &[k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition]| {
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

/// The status of webhooks, for a plan.
pub(super) fn told(
    state: &State,
    name: &Name,
    object: &TikTokConnection,
) -> (
    Option<crate::api::connection::WebhooksStatus>,
    crate::model::hearing::Said,
) {
    tell(object, &state.heard(name, object))
}

// Until the connection's own folder has this.
pub(super) fn glue(state: &State, name: &Name, object: &TikTokConnection, plan: &mut ConnectionPlan, now: Timestamp) {
    if object.metadata.deletion_timestamp.is_some() { return; }
    let (status, said) = told(state, name, object);
    plan.status.webhooks = status;
    if let Some((good, reason, message)) = said {
        let before = object.status.as_ref().map(|s| s.conditions.clone()).unwrap_or_default();
        let mut c = crate::model::report::Conditions::new(&before, object.metadata.generation.unwrap_or_default(), now);
        c.set("Webhooks", if good { "True" } else { "False" }, reason, &message);
        plan.status.conditions.extend(c.done());
        plan.status.conditions.sort_by(|a, b| a.type_.cmp(&b.type_));
    }
}

impl<C: Cluster, P: Door, K: Clock> Engine<C, P, K> {
    async fn store(&self, name: &Name, object: &TikTokConnection, change: impl FnOnce(&mut std::collections::BTreeMap<String, SecretString>)) -> Result<(), ClusterError> {
        use super::connection_facts::{LABEL, label_value};
        let Some(held) = self.lock().connections.get(name).and_then(|m| m.held.clone().flatten()) else { return Ok(()) };
        let mut data = held.data.clone();
        change(&mut data);
        let write = super::doors::SecretWrite {
            name: Name::new(name.namespace.clone(), crate::model::connection::token_secret_name(object)),
            resource_version: Some(held.resource_version.clone()),
            labels: [(LABEL.to_string(), label_value(&name.name))].into(),
            finalizers: vec![crate::api::FINALIZER.into()],
            owner: (format!("{}/{}", crate::api::GROUP, crate::api::VERSION), "TikTokConnection".into(), name.name.clone(), object.metadata.uid.clone().unwrap_or_default()),
            data,
        };
        let done = self.cluster.write_secret(&write).await;
        if let Some(memo) = self.lock().connections.get_mut(name) {
            memo.unread();
        }
        done
    }
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
        for wrong in ["short", "0123456789abcde/", "0123456789abcde ", &"a".repeat(129)] {
            assert!(!is(wrong), "{wrong}");
        }
    }
}
