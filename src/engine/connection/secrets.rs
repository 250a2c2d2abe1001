//! What lies in which Secret: reading them as facts, and writing our own two.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

use super::super::calls::backoff;
use super::super::doors::{Clock, Cluster, ClusterError, Name, SecretCopy, SecretWrite};
use super::super::run::Engine;
use super::unwritten::is_definite;
use crate::api::connection::TikTokConnection;
use crate::api::{FINALIZER, GROUP, VERSION};
use crate::model::connection::{
    Held, HeldFacts, Origin, SecretFacts, connect_secret_name, token_secret_name,
};
use crate::model::token::{Attempt, Previous, Refused, Token};
use crate::platform::Door;

/// The keys and values of a Secret.
pub(in crate::engine) type Data = BTreeMap<String, SecretString>;

/// Label on the Secrets that the operator writes.
pub(super) const LABEL: &str = "tiktokads.dev/connection";

/// Keys of the app's Secret, and of our token Secret.
pub(in crate::engine) const APP_ID: &str = "app_id";
pub(in crate::engine) const APP_SECRET: &str = "secret";
/// Keys of the user's token Secret, and of ours.
pub(in crate::engine) const ACCESS_TOKEN: &str = "access_token";
pub(super) const REFRESH_TOKEN: &str = "refresh_token";
pub(super) const EXPIRES_AT: &str = "expires_at";
/// Fingerprints of the refresh tokens that were imported: each works once.
const IMPORTED_REFRESH: &str = "imported_refresh_tokens";
const REMEMBERED: usize = 32;
/// Which content of the users' Secrets was imported.
pub(super) const TOKEN_FINGERPRINT: &str = "token_fingerprint";
const APP_FINGERPRINT: &str = "app_fingerprint";
const ORIGIN: &str = "origin";
const AUTHORISED: &str = "Authorised";
const IMPORTED: &str = "Imported";
/// Fingerprint of the access token in use, for people.
const TOKEN_ID: &str = "token_id";
const ISSUED_AT: &str = "issued_at";
/// Whole seconds from its issue to its end.
const LIFETIME: &str = "lifetime";
const REFRESH_EXPIRES_AT: &str = "refresh_expires_at";
const SCOPES: &str = "scopes";
/// The advertiser that was picked.
pub(super) const ADVERTISER_ID: &str = "advertiser_id";
const ENDLESS: &str = "endless";
const ROTATIONS: &str = "rotations";
const REFRESH_MARK: &str = "refresh_mark";
const REFRESH_UNCLEAR: &str = "refresh_unclear";
const REFUSED_AT: &str = "refresh_refused_at";
const REFUSED_LASTING: &str = "refresh_refused_for_good";
const PREVIOUS_ACCESS_TOKEN: &str = "previous_access_token";
const PREVIOUS_EXPIRES_AT: &str = "previous_expires_at";
const LAST_AT: &str = "last_rotation_at";
const LAST_RESULT: &str = "last_rotation_result";
const LAST_MESSAGE: &str = "last_rotation_message";
const SUCCEEDED: &str = "Succeeded";
const FAILED: &str = "Failed";
/// A token that was authorised and is not in use yet: the keys above with this before them.
const CANDIDATE: &str = "candidate_";
/// A write that does not get in is refused this long before it is given up: rights may be late.
const REFUSED_FOR: Duration = Duration::from_secs(120);

pub(super) fn token_key(object: &TikTokConnection) -> String {
    object
        .spec
        .token_secret_ref
        .as_ref()
        .and_then(|r| r.key.clone())
        .unwrap_or_else(|| ACCESS_TOKEN.into())
}

/// A value that is there and not empty.
pub(in crate::engine) fn value<'a>(data: &'a Data, key: &str) -> Option<&'a SecretString> {
    data.get(key)
        .filter(|v| !v.expose_secret().trim().is_empty())
}

/// A value that is no secret.
pub(in crate::engine) fn plain(data: &Data, key: &str) -> Option<String> {
    value(data, key).map(|v| v.expose_secret().trim().to_string())
}

/// A time that is there and can be one: what a hand has put in may be anything.
pub(in crate::engine) fn time_of(data: &Data, key: &str) -> Option<Timestamp> {
    let time: Timestamp = plain(data, key)?.parse().ok()?;
    let years = time.as_second().div_euclid(365 * 86_400);
    (0..1000).contains(&years).then_some(time)
}

/// Facts of a Secret that has to have `keys` and may have `more`.
pub(super) fn secret_facts(
    read: Option<&Option<SecretCopy>>,
    keys: &[&str],
    more: &[&str],
) -> SecretFacts {
    let Some(found) = read else {
        return SecretFacts::Unread;
    };
    let Some(copy) = found else {
        return SecretFacts::Missing;
    };
    let missing: Vec<String> = keys
        .iter()
        .filter(|k| value(&copy.data, k).is_none())
        .map(ToString::to_string)
        .chain(unreadable_end(&copy.data).filter(|_| more.contains(&EXPIRES_AT)))
        .collect();
    if !missing.is_empty() {
        return SecretFacts::Incomplete(missing);
    }
    SecretFacts::Present {
        fingerprint: fingerprint_of(&copy.data, keys, more),
    }
}

/// An end that nobody can read would make a token that ends one that does not.
fn unreadable_end(data: &Data) -> Option<String> {
    let unreadable = value(data, EXPIRES_AT).is_some() && time_of(data, EXPIRES_AT).is_none();
    unreadable.then(|| format!("a readable {EXPIRES_AT}, such as 2026-12-01T12:00:00Z"))
}

/// Over what is used of a user's Secret.
pub(super) fn fingerprint_of(data: &Data, keys: &[&str], more: &[&str]) -> String {
    let present = more.iter().filter(|k| value(data, k).is_some());
    let values: Vec<&SecretString> = keys
        .iter()
        .chain(present)
        .filter_map(|k| data.get(*k))
        .collect();
    fingerprint(&values)
}

/// Ours is a Secret that carries our label for this connection, or belongs to it. Either may get lost: the label to whoever
/// tidies up, the owner to a restore from a backup. Whatever is missing comes back with the next write.
pub(super) fn is_ours(copy: &SecretCopy, connection: &TikTokConnection) -> bool {
    let meta = &connection.metadata;
    let named = label_value(meta.name.as_deref().unwrap_or_default());
    let owned = meta
        .uid
        .as_ref()
        .is_some_and(|uid| copy.owners.contains(uid));
    copy.labels.get(LABEL) == Some(&named) || owned
}

pub(super) fn held_facts(
    read: Option<&Option<SecretCopy>>,
    connection: &TikTokConnection,
) -> HeldFacts {
    let Some(found) = read else {
        return HeldFacts::Unread;
    };
    let Some(copy) = found else {
        return HeldFacts::Missing;
    };
    if !is_ours(copy, connection) {
        return HeldFacts::NotOurs;
    }
    let data = &copy.data;
    HeldFacts::Present(Held {
        app_id: plain(data, APP_ID).unwrap_or_default(),
        app_fingerprint: plain(data, APP_FINGERPRINT).unwrap_or_default(),
        imported: plain(data, TOKEN_FINGERPRINT),
        origin: match plain(data, ORIGIN).as_deref() {
            Some(AUTHORISED) => Origin::Authorised,
            _ => Origin::Imported,
        },
        token: read_token(data),
        scopes: scopes(data, SCOPES),
        advertiser: plain(data, ADVERTISER_ID),
        candidate: candidate(data, ACCESS_TOKEN).map(|token| fingerprint(&[token])),
    })
}

fn scopes(data: &Data, key: &str) -> Option<Vec<u32>> {
    let text = plain(data, key)?;
    Some(
        text.split(',')
            .filter_map(|s| s.trim().parse().ok())
            .collect(),
    )
}

/// What our token Secret says of the token in use.
pub(in crate::engine) fn read_token(data: &Data) -> Option<Token> {
    let access = value(data, ACCESS_TOKEN)?;
    let id = fingerprint(&[access]);
    let token = Token {
        issued_at: time_of(data, ISSUED_AT),
        expires_at: time_of(data, EXPIRES_AT),
        lifetime: plain(data, LIFETIME)
            .and_then(|s| s.parse().ok())
            .map(Duration::from_secs),
        refresh: value(data, REFRESH_TOKEN).is_some(),
        refresh_expires_at: time_of(data, REFRESH_EXPIRES_AT),
        endless: plain(data, ENDLESS).is_some(),
        rotations: plain(data, ROTATIONS)
            .and_then(|n| n.parse().ok())
            .unwrap_or(0),
        mark: time_of(data, REFRESH_MARK),
        unclear: plain(data, REFRESH_UNCLEAR).is_some(),
        refused: time_of(data, REFUSED_AT).map(|at| Refused {
            at,
            lasting: plain(data, REFUSED_LASTING).is_some(),
        }),
        previous: value(data, PREVIOUS_ACCESS_TOKEN).map(|token| Previous {
            id: fingerprint(&[token]),
            expires_at: time_of(data, PREVIOUS_EXPIRES_AT),
        }),
        last: time_of(data, LAST_AT).map(|at| Attempt {
            at,
            succeeded: plain(data, LAST_RESULT).as_deref() == Some(SUCCEEDED),
            message: plain(data, LAST_MESSAGE).unwrap_or_default(),
        }),
        id,
    };
    // Somebody put another token in by hand: nothing that stands beside it is about it.
    let by_hand = plain(data, TOKEN_ID).is_some_and(|said| said != token.id);
    Some(if by_hand {
        Token {
            id: token.id,
            ..Token::default()
        }
    } else {
        token
    })
}

fn put(data: &mut Data, key: &str, value: Option<String>) {
    match value {
        Some(text) => {
            data.insert(key.into(), SecretString::from(text));
        }
        None => {
            data.remove(key);
        }
    }
}

/// Writes what is to be said of the token in use. The tokens themselves are put in by the caller.
pub(super) fn write_token(data: &mut Data, token: &Token) {
    let yes = |so: bool| so.then(|| "true".to_string());
    let time = |at: Option<Timestamp>| at.map(|at| at.to_string());
    put(data, TOKEN_ID, Some(token.id.clone()));
    put(data, ISSUED_AT, time(token.issued_at));
    put(data, EXPIRES_AT, time(token.expires_at));
    put(
        data,
        LIFETIME,
        token.lifetime.map(|life| life.as_secs().to_string()),
    );
    put(data, REFRESH_EXPIRES_AT, time(token.refresh_expires_at));
    put(data, ENDLESS, yes(token.endless));
    put(data, ROTATIONS, Some(token.rotations.to_string()));
    put(data, REFRESH_MARK, time(token.mark));
    put(data, REFRESH_UNCLEAR, yes(token.unclear));
    put(data, REFUSED_AT, time(token.refused.map(|r| r.at)));
    put(
        data,
        REFUSED_LASTING,
        yes(token.refused.is_some_and(|r| r.lasting)),
    );
    match &token.previous {
        Some(previous) => put(data, PREVIOUS_EXPIRES_AT, time(previous.expires_at)),
        None => {
            data.remove(PREVIOUS_ACCESS_TOKEN);
            data.remove(PREVIOUS_EXPIRES_AT);
        }
    }
    let last = token.last.as_ref();
    put(data, LAST_AT, time(last.map(|l| l.at)));
    put(
        data,
        LAST_RESULT,
        last.map(|l| if l.succeeded { SUCCEEDED } else { FAILED }.to_string()),
    );
    put(
        data,
        LAST_MESSAGE,
        last.map(|l| l.message.clone()).filter(|m| !m.is_empty()),
    );
}

/// A new pair takes the place of the one in use, which is kept as the one before.
pub(super) fn renew(
    data: &mut Data,
    token: &Token,
    access: &SecretString,
    refresh: Option<&SecretString>,
    granted: &[u32],
) {
    if token.previous.is_some()
        && let Some(old) = data.get(ACCESS_TOKEN).cloned()
    {
        data.insert(PREVIOUS_ACCESS_TOKEN.into(), old);
    }
    data.insert(ACCESS_TOKEN.into(), access.clone());
    if let Some(refresh) = refresh {
        data.insert(REFRESH_TOKEN.into(), refresh.clone());
    }
    if !granted.is_empty() {
        put_scopes(data, SCOPES, granted);
    }
    write_token(data, token);
}

/// The one before is in use again.
pub(super) fn return_to_previous(data: &mut Data, token: &Token) {
    if let Some(old) = data.get(PREVIOUS_ACCESS_TOKEN).cloned() {
        data.insert(ACCESS_TOKEN.into(), old);
    }
    write_token(data, token);
}

fn put_scopes(data: &mut Data, key: &str, granted: &[u32]) {
    let text: Vec<String> = granted.iter().map(ToString::to_string).collect();
    put(data, key, (!text.is_empty()).then(|| text.join(",")));
}

/// Was a refresh token of this fingerprint imported once?
pub(super) fn imported_before(data: &Data, print: &str) -> bool {
    let list = plain(data, IMPORTED_REFRESH).unwrap_or_default();
    list.split(',').any(|known| known == print)
}

/// Is the user's token another than those that were imported before? A content that comes back, or is corrected, brings a
/// refresh token that was used long ago: the pair that came of it must not be lost for it.
pub(super) fn is_news(data: &Data, access: &SecretString, users: &Data) -> bool {
    let Some(refresh) = value(users, REFRESH_TOKEN) else {
        return true;
    };
    // What stands beside the very token that is in use may be corrected, unless its renewal is under way.
    let in_use = read_token(data).filter(|token| token.mark.is_none());
    let same = in_use.is_some_and(|token| token.id == fingerprint(&[access]));
    same || !imported_before(data, &fingerprint(&[refresh]))
}

/// This content of the user's Secret was looked at, and brings nothing new.
pub(super) fn note_seen(data: &mut Data, seen: &str) {
    put(data, TOKEN_FINGERPRINT, Some(seen.to_string()));
}

/// Imports the user's token: whatever was in use before is replaced.
pub(super) fn import(
    data: &mut Data,
    access: &SecretString,
    users: &Data,
    seen: &str,
    now: Timestamp,
) {
    let id = fingerprint(&[access]);
    for key in [
        REFRESH_TOKEN,
        SCOPES,
        PREVIOUS_ACCESS_TOKEN,
        PREVIOUS_EXPIRES_AT,
    ] {
        data.remove(key);
    }
    if let Some(refresh) = value(users, REFRESH_TOKEN) {
        data.insert(REFRESH_TOKEN.into(), trimmed(refresh));
        let print = fingerprint(&[refresh]);
        if !imported_before(data, &print) {
            let known = plain(data, IMPORTED_REFRESH).unwrap_or_default();
            let mut list: Vec<&str> = known.split(',').filter(|k| !k.is_empty()).collect();
            list.push(&print);
            let newest = list.split_off(list.len().saturating_sub(REMEMBERED));
            put(data, IMPORTED_REFRESH, Some(newest.join(",")));
        }
    }
    data.insert(ACCESS_TOKEN.into(), trimmed(access));
    put(data, ORIGIN, Some(IMPORTED.into()));
    put(data, TOKEN_FINGERPRINT, Some(seen.to_string()));
    let token = Token {
        id,
        issued_at: Some(now),
        expires_at: time_of(users, EXPIRES_AT),
        refresh: value(users, REFRESH_TOKEN).is_some(),
        ..Token::default()
    };
    write_token(data, &token);
}

fn trimmed(value: &SecretString) -> SecretString {
    SecretString::from(value.expose_secret().trim())
}

/// The app's id and secret.
pub(super) fn put_app(data: &mut Data, app_id: &SecretString, secret: &SecretString) {
    let seen = fingerprint(&[app_id, secret]);
    data.insert(APP_ID.into(), trimmed(app_id));
    data.insert(APP_SECRET.into(), trimmed(secret));
    put(data, APP_FINGERPRINT, Some(seen));
}

/// A token that was authorised: kept before anything is asked of it.
pub(super) struct NewToken {
    pub app_id: SecretString,
    pub app_secret: SecretString,
    pub access: SecretString,
    pub refresh: Option<SecretString>,
    pub issued_at: Timestamp,
    pub expires_at: Option<Timestamp>,
    pub refresh_expires_at: Option<Timestamp>,
    pub scopes: Vec<u32>,
}

fn candidate<'a>(data: &'a Data, key: &str) -> Option<&'a SecretString> {
    value(data, &format!("{CANDIDATE}{key}"))
}

pub(super) fn put_candidate(data: &mut Data, new: &NewToken) {
    drop_candidate(data);
    let mut keep = |key: &str, value: &SecretString| {
        data.insert(format!("{CANDIDATE}{key}"), value.clone());
    };
    keep(APP_ID, &new.app_id);
    keep(APP_SECRET, &new.app_secret);
    keep(ACCESS_TOKEN, &new.access);
    if let Some(refresh) = &new.refresh {
        keep(REFRESH_TOKEN, refresh);
    }
    let mut say = |key: &str, value: Option<String>| put(data, &format!("{CANDIDATE}{key}"), value);
    say(ISSUED_AT, Some(new.issued_at.to_string()));
    say(EXPIRES_AT, new.expires_at.map(|at| at.to_string()));
    say(
        REFRESH_EXPIRES_AT,
        new.refresh_expires_at.map(|at| at.to_string()),
    );
    put_scopes(data, &format!("{CANDIDATE}{SCOPES}"), &new.scopes);
}

pub(super) fn read_candidate(data: &Data) -> Option<NewToken> {
    let time = |key: &str| time_of(data, &format!("{CANDIDATE}{key}"));
    Some(NewToken {
        app_id: candidate(data, APP_ID)?.clone(),
        app_secret: candidate(data, APP_SECRET)?.clone(),
        access: candidate(data, ACCESS_TOKEN)?.clone(),
        refresh: candidate(data, REFRESH_TOKEN).cloned(),
        issued_at: time(ISSUED_AT)?,
        expires_at: time(EXPIRES_AT),
        refresh_expires_at: time(REFRESH_EXPIRES_AT),
        scopes: scopes(data, &format!("{CANDIDATE}{SCOPES}")).unwrap_or_default(),
    })
}

pub(super) fn drop_candidate(data: &mut Data) {
    data.retain(|key, _| !key.starts_with(CANDIDATE));
}

/// The authorised token is in use from now on.
pub(super) fn take_candidate(data: &mut Data, new: &NewToken) {
    drop_candidate(data);
    for key in [REFRESH_TOKEN, SCOPES] {
        data.remove(key);
    }
    put_app(data, &new.app_id, &new.app_secret);
    data.insert(ACCESS_TOKEN.into(), new.access.clone());
    if let Some(refresh) = &new.refresh {
        data.insert(REFRESH_TOKEN.into(), refresh.clone());
    }
    put(data, ORIGIN, Some(AUTHORISED.into()));
    put_scopes(data, SCOPES, &new.scopes);
    let token = Token {
        id: fingerprint(&[&new.access]),
        issued_at: Some(new.issued_at),
        expires_at: new.expires_at,
        lifetime: new
            .expires_at
            .and_then(|end| Duration::try_from(end.duration_since(new.issued_at)).ok()),
        refresh: new.refresh.is_some(),
        refresh_expires_at: new.refresh_expires_at,
        ..Token::default()
    };
    write_token(data, &token);
}

/// A label's value has at most 63 characters; a connection's name may have more.
pub(super) fn label_value(name: &str) -> String {
    if name.len() <= 63 {
        name.into()
    } else {
        fingerprint(&[&SecretString::from(name)])
    }
}

/// Hex of the first 8 bytes of SHA-256: enough to see a change, nothing to guess a token from.
pub(in crate::engine) fn fingerprint(values: &[&SecretString]) -> String {
    let mut hash = Sha256::new();
    for value in values {
        let bytes = value.expose_secret().trim().as_bytes();
        hash.update((bytes.len() as u64).to_be_bytes());
        hash.update(bytes);
    }
    hash.finalize()
        .iter()
        .take(8)
        .map(|b| format!("{b:02x}"))
        .collect()
}

pub(super) fn same_data(a: &Data, b: &Data) -> bool {
    a.len() == b.len()
        && a.iter()
            .zip(b)
            .all(|((ka, va), (kb, vb))| ka == kb && va.expose_secret() == vb.expose_secret())
}

/// Which of our two Secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::engine) enum Own {
    Token,
    Connect,
}

impl Own {
    pub(super) fn name(self, object: &TikTokConnection) -> Name {
        let namespace = object.metadata.namespace.clone().unwrap_or_default();
        match self {
            Self::Token => Name::new(namespace, token_secret_name(object)),
            Self::Connect => Name::new(namespace, connect_secret_name(object)),
        }
    }

    pub(super) fn write(
        self,
        object: &TikTokConnection,
        resource_version: Option<String>,
        data: Data,
    ) -> SecretWrite {
        let connection = object.metadata.name.clone().unwrap_or_default();
        SecretWrite {
            name: self.name(object),
            resource_version,
            labels: [(LABEL.to_string(), label_value(&connection))].into(),
            finalizers: match self {
                Self::Token => vec![FINALIZER.into()],
                Self::Connect => Vec::new(),
            },
            owner: (
                format!("{GROUP}/{VERSION}"),
                "TikTokConnection".into(),
                connection,
                object.metadata.uid.clone().unwrap_or_default(),
            ),
            data,
        }
    }
}

impl<C: Cluster, P: Door, K: Clock> Engine<C, P, K> {
    /// Changes our token Secret, on fresh reads until it is in: what `change` puts there may be known nowhere else.
    /// `change` may be called several times; if it says false, or changes nothing, nothing is written. What is refused is
    /// given up after [`REFUSED_FOR`].
    pub(in crate::engine) async fn keep(
        &self,
        name: &Name,
        object: &TikTokConnection,
        change: impl Fn(&mut Data) -> bool + Send + Sync,
    ) -> Result<(), ClusterError> {
        self.keep_for(name, object, REFUSED_FOR, None, change).await
    }

    /// The same; what is refused is given up after `patience`. If somebody removed the Secret meanwhile, it is made again from
    /// `before`, or from what was read last.
    pub(super) async fn keep_for(
        &self,
        name: &Name,
        object: &TikTokConnection,
        patience: Duration,
        before: Option<&Data>,
        change: impl Fn(&mut Data) -> bool + Send + Sync,
    ) -> Result<(), ClusterError> {
        let secret = Own::Token.name(object);
        let begun = self.clock.awake();
        let mut failures = 0;
        let read = || {
            let state = self.lock();
            let copy = state.connections.get(name).and_then(|m| m.held.clone());
            copy.flatten().map(|copy| copy.data).unwrap_or_default()
        };
        let remembered = before.cloned().unwrap_or_else(read);
        loop {
            let done = self
                .keep_once(name, object, &secret, &remembered, &change)
                .await;
            self.learn_write(name, Own::Token, &done);
            let Err(error) = done else {
                if let Some(memo) = self.lock().connections.get_mut(name) {
                    memo.unread();
                }
                return Ok(());
            };
            let waited = self.clock.awake().saturating_sub(begun);
            let gone = self.goes(name, object).is_none();
            if gone || (is_definite(&error) && waited >= patience) {
                tracing::error!(connection = %name, %error, "the token Secret could not be written");
                return Err(error);
            }
            failures += 1;
            if failures > 2 {
                tracing::warn!(connection = %name, %error, "the token Secret is not written yet");
            }
            let limits = (Duration::from_millis(50), Duration::from_secs(10));
            tokio::time::sleep(backoff(limits, failures)).await;
        }
    }

    async fn keep_once(
        &self,
        name: &Name,
        object: &TikTokConnection,
        secret: &Name,
        remembered: &Data,
        change: &(impl Fn(&mut Data) -> bool + Send + Sync),
    ) -> Result<(), ClusterError> {
        let fresh = self.cluster.secret(secret).await?;
        // The Secret may belong to another connection of the same name by now. And one that is going gets no new Secret:
        // nobody would remove it.
        match self.goes(name, object) {
            None => {
                return Err(ClusterError::Refused(
                    "the connection is gone, or another one has its name".into(),
                ));
            }
            Some(true) if fresh.is_none() => return Ok(()),
            Some(_) => {}
        }
        if fresh.as_ref().is_some_and(|c| !is_ours(c, object)) {
            return Err(ClusterError::Refused(format!(
                "a Secret named {} was not made by this operator",
                secret.name
            )));
        }
        let before = fresh
            .as_ref()
            .map_or_else(|| remembered.clone(), |c| c.data.clone());
        let mut data = before.clone();
        if !change(&mut data) || (fresh.is_some() && same_data(&before, &data)) {
            return Ok(());
        }
        let write = Own::Token.write(object, fresh.map(|c| c.resource_version), data);
        self.cluster.write_secret(&write).await
    }

    /// Is the connection being deleted? `None`: it is gone.
    fn goes(&self, name: &Name, object: &TikTokConnection) -> Option<bool> {
        let copy = self.lock().stores.connections.get(name)?;
        (copy.metadata.uid == object.metadata.uid)
            .then(|| copy.metadata.deletion_timestamp.is_some())
    }

    /// Changes our token Secret by compare-and-swap with the copy that was planned from.
    pub(in crate::engine) async fn swap(
        &self,
        name: &Name,
        object: &TikTokConnection,
        change: impl FnOnce(&mut Data),
    ) -> Result<(), ClusterError> {
        let held = self
            .lock()
            .connections
            .get(name)
            .and_then(|m| m.held.clone().flatten());
        let mut data = held.as_ref().map(|h| h.data.clone()).unwrap_or_default();
        change(&mut data);
        let write = Own::Token.write(object, held.map(|h| h.resource_version), data);
        let done = self.cluster.write_secret(&write).await;
        self.learn_write(name, Own::Token, &done);
        if let Some(memo) = self.lock().connections.get_mut(name) {
            memo.unread();
        }
        done
    }
}
