//! What a watch saw, or our own write changed: into the stores, and to whoever waits for it.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::account::AccountId;
use super::doors::{Delta, Name, ObjectName};
use super::family::is_stalled;
use super::queue::Lane;
use super::state::{Key, State, has_finalizer};
use super::stores::upper;
use crate::api::RECONCILE_REQUESTED_AT;
use crate::api::connection::TikTokConnection;
use crate::model::connection::{connect_secret_name, token_secret_name};
use crate::model::object::Object;
use crate::observe::table::RowId;
use crate::platform::Kind;

impl State {
    /// Takes over what a watch saw.
    pub fn take(&mut self, delta: Delta, now: Timestamp) {
        match delta {
            Delta::Object(kind, change) => {
                for (name, old) in self.stores.take(kind, change) {
                    self.object_changed(&name, old.as_deref(), now);
                }
            }
            Delta::Connection(change) => {
                for (name, old) in self.stores.connections.take(change) {
                    self.connection_changed(&name, old.as_deref(), now);
                }
            }
            Delta::Secret(secret) => self.secret_changed(&secret, now),
            Delta::Namespace { name, terminating } => {
                let changed = if terminating {
                    self.stores.terminating.insert(name.clone())
                } else {
                    self.stores.terminating.remove(&name)
                };
                if changed {
                    let keys: Vec<Key> = self
                        .stores
                        .iter()
                        .filter(|(n, _)| n.namespace == name)
                        .map(|(n, _)| Key::Object(n))
                        .collect();
                    let connections: Vec<Key> = self
                        .stores
                        .connections
                        .iter()
                        .filter(|(n, _)| n.namespace == name)
                        .map(|(n, _)| Key::Connection(n.clone()))
                        .collect();
                    for key in keys.iter().chain(&connections) {
                        self.push(key, Lane::Safety, now);
                    }
                }
            }
        }
    }

    /// Whoever is affected by an object that came, changed or went, the object itself excepted.
    pub fn object_put(&mut self, name: &ObjectName, old: Option<&Object>, now: Timestamp) {
        self.stores.reindex(name, old);
        let object = self.stores.get(name);
        self.wake_dependants(name, old, object.as_deref(), now);
        self.keep_rights_for(
            &name.plain(),
            object
                .as_deref()
                .and_then(|o| o.metadata.finalizers.as_deref()),
        );
        if object.is_none() {
            if let Some(old) = old {
                // What was let go may be seen to be gone before the answer says so.
                if !self.memos.get(name).is_some_and(|memo| memo.released) {
                    self.note_orphan(old);
                    self.say_let_go(name, old);
                }
            }
            self.forget(name);
        }
    }

    pub(super) fn object_changed(
        &mut self,
        name: &ObjectName,
        old: Option<&Object>,
        now: Timestamp,
    ) {
        self.object_put(name, old, now);
        let key = Key::Object(name.clone());
        let Some(object) = self.stores.get(name) else {
            return;
        };
        if let Some(old) = old
            && let Some(account) = self.place(&key)
            && let Some(asked) = object
                .metadata
                .annotations
                .as_ref()
                .and_then(|a| a.get(RECONCILE_REQUESTED_AT))
            && old
                .metadata
                .annotations
                .as_ref()
                .and_then(|a| a.get(RECONCILE_REQUESTED_AT))
                != Some(asked)
            && let Some(account) = self.accounts.get_mut(&account)
        {
            account.sweep.ask(now);
        }
        let lane = if object.metadata.deletion_timestamp.is_some() {
            Lane::Event
        } else {
            Lane::Change
        };
        self.push(&key, lane, now);
    }

    /// An object with our finalizer was seen: our rights in its namespace have to outlive it.
    pub fn keep_rights_for(&mut self, name: &Name, finalizers: Option<&[String]>) {
        if has_finalizer(finalizers) {
            self.kept.entry(name.namespace.clone()).or_insert(false);
        }
    }

    /// All objects are known for the first time. A process that died between the last object's end and the release of
    /// our rights has left them held: they are let go wherever nothing of ours is.
    pub fn free_rights(&mut self) {
        for namespace in self.settings.namespaces.clone() {
            if !self.stores.holds(&namespace) {
                self.kept.insert(namespace, true);
            }
        }
    }

    /// Whoever's plan read this object: its connection, those who want its name or its id.
    pub(super) fn wake_dependants(
        &mut self,
        name: &ObjectName,
        old: Option<&Object>,
        new: Option<&Object>,
        now: Timestamp,
    ) {
        let finalized =
            |o: Option<&Object>| o.is_some_and(|o| has_finalizer(o.metadata.finalizers.as_deref()));
        let deleting =
            |o: Option<&Object>| o.is_some_and(|o| o.metadata.deletion_timestamp.is_some());
        let freed = finalized(old) && !finalized(new);
        if freed || deleting(old) != deleting(new) || new.is_none() {
            for object in [old, new].into_iter().flatten() {
                if let Some(connection) = self.connection_of(object) {
                    self.push(&Key::Connection(connection), Lane::Event, now);
                }
            }
        }
        // R17: what siblings share on the platform they have to say alike.
        let told = |o: Option<&Object>| o.map(|o| (o.metadata.generation, is_stalled(o)));
        if name.kind == Kind::AdGroup && told(old) != told(new) && self.shares(name, old) {
            self.push_siblings_of(name, old.or(new), Lane::Change, now);
        }
        let identity = |o: &Object| {
            (
                upper(o),
                o.platform_name(),
                self.stores
                    .record(o)
                    .own()
                    .and_then(|r| Some((r.advertiser.clone(), r.id.clone()?))),
            )
        };
        // An outstanding create bars its name; the end of it frees the name.
        let marked = |o: Option<&Object>| {
            o.is_some_and(|o| {
                self.stores
                    .record(o)
                    .own()
                    .is_some_and(|r| r.mark.is_some())
            })
        };
        let (was, is) = (old.map(&identity), new.map(&identity));
        if was == is
            && marked(old) == marked(new)
            && !(new.is_none() || deleting(old) != deleting(new))
        {
            return;
        }
        let names: BTreeSet<ObjectName> = [was, is]
            .into_iter()
            .flatten()
            .flat_map(|(upper, wanted, id)| self.stores.touching(&upper, name.kind, &wanted, id))
            .filter(|sibling| sibling != name)
            .collect();
        for sibling in names {
            self.push(&Key::Object(sibling), Lane::Change, now);
        }
        // What is in it waits for it, or has lost it.
        self.push_inside(name, Lane::Change, now);
    }

    /// Does an ad group share fields with the others of its campaign (R17)?
    fn shares(&self, name: &ObjectName, old: Option<&Object>) -> bool {
        let object = self.stores.get(name);
        let place = self.place(&Key::Object(name.clone()));
        let account = place.as_ref().and_then(|id| self.accounts.get(id));
        let object = object.as_deref().or(old);
        object.is_some_and(|object| !self.shared_fields(object, account).is_empty())
    }

    /// Pushes the ad groups that share fields on the platform with this one.
    pub(super) fn push_sharing(&mut self, name: &ObjectName, lane: Lane, now: Timestamp) {
        if name.kind != Kind::AdGroup || !self.shares(name, None) {
            return;
        }
        if let Some(object) = self.stores.get(name) {
            self.push_siblings_of(name, Some(&object), lane, now);
        }
    }

    fn push_siblings_of(
        &mut self,
        name: &ObjectName,
        object: Option<&Object>,
        lane: Lane,
        now: Timestamp,
    ) {
        let Some(object) = object else { return };
        let siblings: Vec<ObjectName> = self
            .stores
            .children(&upper(object))
            .filter(|other| *other != name)
            .cloned()
            .collect();
        for sibling in siblings {
            self.push(&Key::Object(sibling), lane, now);
        }
    }

    pub(super) fn connection_changed(
        &mut self,
        name: &Name,
        old: Option<&TikTokConnection>,
        now: Timestamp,
    ) {
        let new = self.stores.connections.get(name);
        self.keep_rights_for(
            name,
            new.as_deref()
                .and_then(|o| o.metadata.finalizers.as_deref()),
        );
        // A twin waits for the older one to go.
        let advertisers = [
            old.and_then(|old| self.advertiser_of(name, old)),
            new.as_deref().and_then(|new| self.advertiser_of(name, new)),
        ];
        self.push_twins(name, &advertisers, now);
        if new.is_none() {
            self.views.remove(name);
            self.connections.remove(name);
            self.hearing.remove(name);
            let gone: Vec<AccountId> = self
                .accounts
                .iter()
                .filter(|(_, a)| a.connection == *name)
                .map(|(id, _)| id.clone())
                .collect();
            for id in gone {
                self.close_account(&id, now);
            }
            self.push_children(name, Lane::Event, now);
            // Its Secrets are not watched for it any more.
            self.push(&Key::Connection(name.clone()), Lane::Background, now);
            return;
        }
        // What its spec says of ceilings and modes holds from now on, not from its next turn on.
        if let Some(new) = &new {
            if old.is_some_and(|old| names_others(old, new))
                && let Some(memo) = self.connections.get_mut(name)
            {
                memo.unread();
            }
            let plan = self.plan_connection(name, new, now);
            self.publish_view(name, &plan, now);
        }
        self.push(&Key::Connection(name.clone()), Lane::Event, now);
        if old.is_none() {
            self.push_children(name, Lane::Change, now);
        }
    }

    /// Pushes the other connections that are for one of these advertisers.
    pub(super) fn push_twins(
        &mut self,
        name: &Name,
        advertisers: &[Option<String>],
        now: Timestamp,
    ) {
        let twins: Vec<Name> = self
            .stores
            .connections
            .iter()
            .filter(|(other, object)| {
                let theirs = self.advertiser_of(other, object);
                *other != name && theirs.is_some() && advertisers.contains(&theirs)
            })
            .map(|(other, _)| other.clone())
            .collect();
        for twin in twins {
            self.push(&Key::Connection(twin), Lane::Change, now);
        }
    }

    /// Moves what waits in an account's queue home; its turns in flight end there too.
    pub fn close_account(&mut self, id: &AccountId, now: Timestamp) {
        if self.accounts.remove(id).is_none() {
            return;
        }
        let keys: Vec<Key> = self.stores.names().into_iter().map(Key::Object).collect();
        for (key, place) in &mut self.turns {
            if place.as_ref() == Some(id) {
                *place = None;
                self.home.queue.take_turn(key);
            }
        }
        for key in keys {
            if self.place(&key).is_none() {
                self.push(&key, Lane::Change, now);
            }
        }
    }

    pub(super) fn secret_changed(&mut self, secret: &Name, now: Timestamp) {
        let touched: Vec<Name> = self
            .stores
            .connections
            .iter()
            .filter(|(name, object)| {
                name.namespace == secret.namespace && reads_secret(object, &secret.name)
            })
            .map(|(name, _)| name.clone())
            .collect();
        for name in touched {
            if let Some(memo) = self.connections.get_mut(&name) {
                memo.unread();
            }
            self.push(&Key::Connection(name), Lane::Event, now);
        }
    }

    /// R32: an object that went without having let go leaves a campaign that nobody looks after.
    pub(super) fn note_orphan(&mut self, old: &Object) {
        if !has_finalizer(old.metadata.finalizers.as_deref()) {
            return;
        }
        let held = self
            .stores
            .record(old)
            .own()
            .and_then(|r| Some((r.advertiser.clone(), (old.kind(), r.id.clone()?))));
        if let (Some(orphan), Some(connection)) = (held, self.connection_of(old)) {
            self.orphans.entry(connection).or_default().insert(orphan);
        }
    }

    /// What lost its object without having been let go, that nobody has taken up and that still exists.
    pub fn orphans_of(&mut self, connection: &Name) -> Vec<RowId> {
        let Some(mut known) = self.orphans.remove(connection) else {
            return Vec::new();
        };
        known.retain(|(advertiser, row)| {
            let gone = self
                .accounts
                .values()
                .filter_map(|a| a.table.as_far_as_known(row))
                .any(|r| r.operation == crate::platform::OperationState::Deleted);
            let (kind, id) = row;
            let mut held = self.stores.holders(advertiser, *kind, id);
            !gone && held.next().is_none()
        });
        let ids = known.iter().map(|(_, row)| row.clone()).collect();
        if !known.is_empty() {
            self.orphans.insert(connection.clone(), known);
        }
        ids
    }

    /// Forgets everything about an object that is gone.
    pub(super) fn forget(&mut self, name: &ObjectName) {
        self.memos.remove(name);
        for account in self.accounts.values_mut() {
            account.outbox.remove(name);
            account.waiting.retain(|n| n != name);
        }
    }
}

/// Is a Secret of this name one that the connection is made from?
/// Does the spec name other Secrets than before?
fn names_others(old: &TikTokConnection, new: &TikTokConnection) -> bool {
    let named = |object: &TikTokConnection| {
        let spec = &object.spec;
        (
            spec.app_secret_ref.clone(),
            spec.token_secret_ref.clone(),
            spec.webhooks.clone(),
        )
    };
    named(old) != named(new)
}

fn reads_secret(object: &TikTokConnection, secret: &str) -> bool {
    let spec = &object.spec;
    let webhooks = spec.webhooks.as_ref();
    let named = [
        Some(&spec.app_secret_ref.name),
        spec.token_secret_ref.as_ref().map(|r| &r.name),
        webhooks.and_then(|w| Some(&w.keys_secret_ref.as_ref()?.name)),
        webhooks.and_then(|w| Some(&w.path_token_secret_ref.as_ref()?.name)),
    ];
    named.into_iter().flatten().any(|name| name == secret)
        || token_secret_name(object) == secret
        || connect_secret_name(object) == secret
}
