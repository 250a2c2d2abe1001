//! What is known of a connection: its Secrets as facts, what this process remembers, and the view its children get.

use std::sync::Arc;

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

use super::account::{Account, AccountId};
use super::doors::{Name, SecretCopy};
use super::queue::Lane;
use super::state::{State, has_finalizer};
use super::stores::older_connection;
use crate::api::connection::TikTokConnection;
use crate::model::connection::{
    Checked, Child, ConnectionFacts, ConnectionPlan, HeldFacts, SecretFacts, plan,
};
use crate::model::facts::ConnectionView;

/// Keys of the Secrets.
pub(super) const APP_ID: &str = "app_id";
pub(super) const APP_SECRET: &str = "secret";
pub(super) const ACCESS_TOKEN: &str = "access_token";
/// Label on the Secrets that the operator writes.
pub(super) const LABEL: &str = "tiktokads.dev/connection";
/// Key of our token Secret that says which content of the user's Secrets it was made from.
pub(super) const TOKEN_FINGERPRINT: &str = "token_fingerprint";
pub(super) const APP_FINGERPRINT: &str = "app_fingerprint";

/// What this process knows of one connection.
#[derive(Clone, Debug, Default)]
pub struct ConnectionMemo {
    pub(super) uid: String,
    pub(super) app: Option<Option<SecretCopy>>,
    pub(super) token: Option<Option<SecretCopy>>,
    pub(super) held: Option<Option<SecretCopy>>,
    pub(super) check: Option<Checked>,
    pub(super) failures: u32,
    pub(super) not_before: Option<Timestamp>,
    /// A call with the token was refused.
    pub refused: Option<String>,
}

impl ConnectionMemo {
    pub(super) fn doubt(&mut self, now: Timestamp) {
        if let Some(check) = &mut self.check {
            check.at = now - crate::model::connection::CHECK_EVERY;
        }
    }

    /// A Secret changed: what was read of them is old.
    pub fn unread(&mut self) {
        self.app = None;
        self.token = None;
        self.held = None;
    }
}

impl State {
    /// Gathers the facts and plans one step.
    pub(super) fn plan_connection(
        &mut self,
        name: &Name,
        object: &TikTokConnection,
        now: Timestamp,
    ) -> ConnectionPlan {
        let uid = object.metadata.uid.clone().unwrap_or_default();
        let memo = self.connections.entry(name.clone()).or_default();
        if memo.uid != uid {
            *memo = ConnectionMemo {
                uid,
                ..ConnectionMemo::default()
            };
        }
        let memo = memo.clone();
        let orphans = self
            .orphans_of(name)
            .into_iter()
            .map(|(_, id)| id)
            .collect();
        let key = token_key(object);
        let children = self
            .objects_of(name)
            .into_iter()
            .filter_map(|c| Some((self.stores.get(&c)?, c)))
            .map(|(o, c)| Child {
                name: format!("{} {}", c.kind, c.name),
                deleting_since: o.metadata.deletion_timestamp.as_ref().map(|t| t.0),
                held: has_finalizer(o.metadata.finalizers.as_deref()),
            })
            .collect();
        let facts = ConnectionFacts {
            now,
            object,
            app: secret_facts(memo.app.as_ref(), &[APP_ID, APP_SECRET]),
            token: object
                .spec
                .token_secret_ref
                .as_ref()
                .map(|_| secret_facts(memo.token.as_ref(), &[&key])),
            held: held_facts(memo.held.as_ref(), &name.name),
            check: memo.check,
            refused: memo.refused,
            children,
            older_twin: self.older_twin(name, object),
            namespace_terminating: self.stores.terminating.contains(&name.namespace),
            not_before: memo.not_before,
            orphans,
        };
        let mut plan = plan(&facts);
        super::hearing::glue(self, name, object, &mut plan, now);
        plan
    }

    pub(super) fn older_twin(&self, name: &Name, object: &TikTokConnection) -> Option<String> {
        let advertiser = object.spec.advertiser_id.as_ref()?;
        self.stores
            .connections
            .iter()
            .find(|(other, twin)| {
                *other != name
                    && twin.spec.advertiser_id.as_ref() == Some(advertiser)
                    && older_connection(twin, object)
            })
            .map(|(other, _)| other.to_string())
    }

    /// Lets children use, or not use, the connection from now on.
    pub(super) fn publish_view(&mut self, name: &Name, plan: &ConnectionPlan, now: Timestamp) {
        if let ConnectionView::Usable(usable) = &plan.view {
            let id = AccountId {
                app: usable.app.clone(),
                advertiser: usable.advertiser.clone(),
            };
            let token = self
                .connections
                .get(name)
                .and_then(|m| m.held.as_ref()?.as_ref()?.data.get(ACCESS_TOKEN).cloned());
            let old: Vec<AccountId> = self
                .accounts
                .iter()
                .filter(|(other, a)| a.connection == *name && **other != id)
                .map(|(other, _)| other.clone())
                .collect();
            for gone in old {
                self.close_account(&gone, now);
            }
            if let Some(token) = token {
                match self.accounts.get_mut(&id) {
                    Some(account) => {
                        account.token = token;
                        account.connection = name.clone();
                    }
                    None => {
                        self.accounts.insert(id, Account::new(name.clone(), token));
                    }
                }
            }
        }
        if self.views.get(name) != Some(&plan.view) {
            let zone = |view: Option<&ConnectionView>| match view {
                Some(ConnectionView::Usable(account)) => Some(account.schedule_in_account_zone),
                _ => None,
            };
            let before = zone(self.views.get(name));
            let after = zone(Some(&plan.view));
            if after.is_some() && before != after {
                // R14: times are written in another zone from now on.
                let all = self.objects_of(name);
                self.ask_again(all);
            }
            self.views.insert(name.clone(), plan.view.clone());
            self.push_children(name, Lane::Change, now);
        }
    }

    /// App id, app secret, token and the token's fingerprint, as we hold them.
    pub(super) fn held(&self, name: &Name) -> Option<(String, SecretString, SecretString, String)> {
        let copy = self.connections.get(name)?.held.as_ref()?.as_ref()?;
        let plain = |key: &str| copy.data.get(key).map(|v| v.expose_secret().to_string());
        Some((
            plain(APP_ID)?,
            copy.data.get(APP_SECRET)?.clone(),
            copy.data.get(ACCESS_TOKEN)?.clone(),
            plain(TOKEN_FINGERPRINT)?,
        ))
    }

    /// What a write answered, or a live read found, replaces the copy at once.
    pub fn adopt_connection(
        &mut self,
        name: &Name,
        of: &str,
        copy: Option<TikTokConnection>,
        now: Timestamp,
    ) {
        let copy = copy.map(|mut c| {
            super::stores::strip(&mut c);
            c
        });
        self.keep_rights_for(
            name,
            copy.as_ref().and_then(|o| o.metadata.finalizers.as_deref()),
        );
        let uid = copy.as_ref().and_then(|c| c.metadata.uid.clone());
        let old: Option<Arc<TikTokConnection>> = self.stores.connections.put(name, of, copy);
        // The watch will show nothing new then: the children are told here.
        if old.as_ref().and_then(|o| o.metadata.uid.clone()) != uid {
            self.connection_changed(name, old.as_deref(), now);
        }
    }
}

pub(super) fn token_key(object: &TikTokConnection) -> String {
    object
        .spec
        .token_secret_ref
        .as_ref()
        .and_then(|r| r.key.clone())
        .unwrap_or_else(|| ACCESS_TOKEN.into())
}

pub(super) fn secret_facts(read: Option<&Option<SecretCopy>>, keys: &[&str]) -> SecretFacts {
    let Some(found) = read else {
        return SecretFacts::Unread;
    };
    let Some(copy) = found else {
        return SecretFacts::Missing;
    };
    let missing: Vec<String> = keys
        .iter()
        .filter(|k| {
            copy.data
                .get(**k)
                .is_none_or(|v| v.expose_secret().trim().is_empty())
        })
        .map(ToString::to_string)
        .collect();
    if !missing.is_empty() {
        return SecretFacts::Incomplete(missing);
    }
    let values: Vec<&SecretString> = keys.iter().filter_map(|k| copy.data.get(*k)).collect();
    SecretFacts::Present {
        fingerprint: fingerprint(&values),
    }
}

pub(super) fn held_facts(read: Option<&Option<SecretCopy>>, connection: &str) -> HeldFacts {
    let Some(found) = read else {
        return HeldFacts::Unread;
    };
    let Some(copy) = found else {
        return HeldFacts::Missing;
    };
    if copy.labels.get(LABEL) != Some(&label_value(connection)) {
        return HeldFacts::NotOurs;
    }
    let plain = |key: &str| {
        copy.data
            .get(key)
            .map(|v| v.expose_secret().to_string())
            .unwrap_or_default()
    };
    HeldFacts::Present {
        app_id: plain(APP_ID),
        app_fingerprint: plain(APP_FINGERPRINT),
        token_fingerprint: plain(TOKEN_FINGERPRINT),
    }
}

/// A label's value has at most 63 characters; a connection's name may have more.
pub(super) fn label_value(name: &str) -> String {
    if name.len() <= 63 {
        name.into()
    } else {
        fingerprint(&[&SecretString::from(name)])
    }
}

pub(super) fn app_fingerprint(app_id: &SecretString, secret: &SecretString) -> String {
    fingerprint(&[app_id, secret])
}

/// Hex of the first 8 bytes of SHA-256: enough to see a change, nothing to guess a token from.
pub(super) fn fingerprint(values: &[&SecretString]) -> String {
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
