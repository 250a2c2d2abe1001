//! Desired: our objects as the watches (and our own writes) last showed them, with the indexes that plans ask.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use kube::Resource;

use super::doors::{Change, Name, ObjectName, Stored};
use crate::api::connection::TikTokConnection;
use crate::api::{APPEAL, RECONCILE_REQUESTED_AT, RECORD, RELEASE, RESUME, TAKE_OVER};
use crate::model::object::{Belongs, Object};
use crate::model::protocol::bars_name;
use crate::model::record::{Record, RecordState};
use crate::platform::{Kind, Tree};

/// One kind's objects.
#[derive(Debug)]
pub struct Store<K> {
    objects: BTreeMap<Name, Arc<K>>,
    /// Names seen since a relist began; `None` when no relist is under way.
    relist: Option<BTreeSet<Name>>,
    /// A complete list has been seen.
    pub synced: bool,
}

impl<K> Default for Store<K> {
    fn default() -> Self {
        Self {
            objects: BTreeMap::new(),
            relist: None,
            synced: false,
        }
    }
}

impl<K: Stored> Store<K> {
    /// Takes a watched change over; the names it touches.
    pub fn take(&mut self, change: Change<K>) -> Vec<(Name, Option<Arc<K>>)> {
        match change {
            Change::Relist => {
                self.relist = Some(BTreeSet::new());
                Vec::new()
            }
            Change::Applied(object) => {
                let name = Name::of(&*object);
                if let Some(seen) = &mut self.relist {
                    seen.insert(name.clone());
                }
                // A relist shows every object again, and a watch trails our own writes: the same or an older version is
                // no news. During a relist the server's word counts even if its numbers went back (a restored etcd).
                let relisting = self.relist.is_some();
                if self
                    .objects
                    .get(&name)
                    .is_some_and(|old| is_no_news(&**old, &*object, relisting))
                {
                    return Vec::new();
                }
                let old = self.objects.insert(name.clone(), Arc::new(*object));
                vec![(name, old)]
            }
            Change::Deleted(object) => {
                let name = Name::of(&*object);
                // A late event about an object whose namesake is there already.
                if self
                    .objects
                    .get(&name)
                    .is_some_and(|now| now.meta().uid != object.meta().uid)
                {
                    return Vec::new();
                }
                self.objects
                    .remove(&name)
                    .map(|old| (name, Some(old)))
                    .into_iter()
                    .collect()
            }
            Change::Listed => {
                self.synced = true;
                let Some(seen) = self.relist.take() else {
                    return Vec::new();
                };
                let gone: Vec<Name> = self
                    .objects
                    .keys()
                    .filter(|name| !seen.contains(*name))
                    .cloned()
                    .collect();
                gone.into_iter()
                    .filter_map(|name| self.objects.remove(&name).map(|old| (name, Some(old))))
                    .collect()
            }
        }
    }

    /// What a write answered replaces the copy at once; `None` when a live read found nothing.
    ///
    /// The watch may have been faster: an answer that is older than the copy is no news. (Without this an object deleted
    /// while the answer to a status write is on the way would be taken for living, and nothing would say otherwise.)
    ///
    /// `of` is the uid of the object that was written or asked for. When the store has another one of that name, or none,
    /// the watch has overtaken the answer as well: the old object is gone, and must not take its namesake's place.
    pub fn put(&mut self, name: &Name, of: &str, object: Option<K>) -> Option<Arc<K>> {
        let object = object.map(stripped);
        if self.relist.is_none() {
            let copy = self.objects.get(name)?;
            let same = copy.meta().uid.as_deref() == Some(of);
            let late = match &object {
                Some(object) => version(&**copy) > version(object),
                None => !same,
            };
            if late {
                return Some(copy.clone());
            }
        }
        match object {
            Some(object) => {
                if let Some(seen) = &mut self.relist {
                    seen.insert(name.clone());
                }
                self.objects.insert(name.clone(), Arc::new(object))
            }
            None => self.objects.remove(name),
        }
    }

    /// What a live read found after a write was refused because `refused` is not what is there any more. Where the copy
    /// still is that one, the read counts whatever its version is: an API server that was restored from a backup counts
    /// from a lower number again, and the copy would be the newer one for ever.
    pub fn put_live(&mut self, name: &Name, refused: &K, live: Option<K>) -> Option<Arc<K>> {
        let (uid, version) = (&refused.meta().uid, &refused.meta().resource_version);
        let stuck =
            |copy: &Arc<K>| copy.meta().uid == *uid && copy.meta().resource_version == *version;
        match live {
            Some(live) if self.objects.get(name).is_some_and(stuck) => {
                if let Some(seen) = &mut self.relist {
                    seen.insert(name.clone());
                }
                self.objects.insert(name.clone(), Arc::new(stripped(live)))
            }
            live => self.put(name, uid.as_deref().unwrap_or_default(), live),
        }
    }

    /// The copy at hand.
    pub fn get(&self, name: &Name) -> Option<Arc<K>> {
        self.objects.get(name).cloned()
    }

    /// All of them, in order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (&Name, &Arc<K>)> {
        self.objects.iter()
    }
}

/// What an object refers to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Upper {
    Connection(Name),
    Object(ObjectName),
}

/// All kinds and the indexes over them.
#[derive(Debug, Default)]
pub struct Stores {
    /// By kind, in its order.
    objects: [Store<Object>; Kind::ALL.len()],
    pub connections: Store<TikTokConnection>,
    pub terminating: BTreeSet<String>,
    children: BTreeMap<Upper, BTreeSet<ObjectName>>,
    /// By advertiser, kind and id.
    by_id: BTreeMap<(String, Kind, String), BTreeSet<ObjectName>>,
    /// Objects without a record of their own, by the id that they claim or show.
    claims: BTreeMap<(Kind, String), BTreeSet<ObjectName>>,
    by_name: BTreeMap<(Upper, String), BTreeSet<ObjectName>>,
    /// Objects with our finalizer, per namespace.
    held: BTreeMap<String, usize>,
    install: String,
}

impl Stores {
    /// For one install.
    pub fn new(install: &str) -> Self {
        Self {
            install: install.into(),
            ..Self::default()
        }
    }

    /// All kinds have been listed once.
    pub fn synced(&self) -> bool {
        self.objects.iter().all(|s| s.synced) && self.connections.synced
    }

    /// The copy at hand.
    pub fn get(&self, name: &ObjectName) -> Option<Arc<Object>> {
        self.objects[name.kind as usize].get(&name.plain())
    }

    /// All objects, parents before what is in them.
    pub fn iter(&self) -> impl Iterator<Item = (ObjectName, &Arc<Object>)> {
        Kind::ALL.into_iter().flat_map(|kind| {
            self.objects[kind as usize]
                .iter()
                .map(move |(name, object)| {
                    let name = ObjectName::new(kind, name.namespace.clone(), name.name.clone());
                    (name, object)
                })
        })
    }

    /// The names of all objects, in the same order.
    pub fn names(&self) -> Vec<ObjectName> {
        self.iter().map(|(name, _)| name).collect()
    }

    /// Takes a watched change over; the names it touches.
    pub fn take(
        &mut self,
        kind: Kind,
        change: Change<Object>,
    ) -> Vec<(ObjectName, Option<Arc<Object>>)> {
        self.objects[kind as usize]
            .take(change)
            .into_iter()
            .map(|(name, old)| (ObjectName::new(kind, name.namespace, name.name), old))
            .collect()
    }

    /// See [`Store::put`].
    pub fn put(
        &mut self,
        name: &ObjectName,
        of: &str,
        object: Option<Object>,
    ) -> Option<Arc<Object>> {
        self.objects[name.kind as usize].put(&name.plain(), of, object)
    }

    /// The uid of the object of this name that is there; empty: there is none.
    pub fn uid(&self, name: &ObjectName) -> String {
        let object = self.get(name);
        let uid = object.and_then(|o| o.metadata.uid.clone());
        uid.unwrap_or_default()
    }

    /// See [`Store::put_live`].
    pub fn put_live(
        &mut self,
        name: &ObjectName,
        refused: &Object,
        live: Option<Object>,
    ) -> Option<Arc<Object>> {
        self.objects[name.kind as usize].put_live(&name.plain(), refused, live)
    }

    /// Brings the indexes up to date after an object changed from `old`.
    pub fn reindex(&mut self, name: &ObjectName, old: Option<&Object>) {
        let finalized = |o: &Object| super::state::has_finalizer(o.metadata.finalizers.as_deref());
        let (was, is) = (
            old.is_some_and(finalized),
            self.get(name).is_some_and(|o| finalized(&o)),
        );
        let held = self.held.entry(name.namespace.clone()).or_default();
        *held = (*held + usize::from(is)).saturating_sub(usize::from(was));
        if let Some(old) = old {
            let keys = self.keys(old);
            remove(&mut self.children, &keys.upper, name);
            remove(&mut self.by_name, &(keys.upper, keys.name), name);
            if let Some((advertiser, id)) = keys.id {
                remove(&mut self.by_id, &(advertiser, name.kind, id), name);
            }
            if let Some(id) = keys.claim {
                remove(&mut self.claims, &(name.kind, id), name);
            }
        }
        if let Some(new) = self.get(name) {
            let keys = self.keys(&new);
            self.children
                .entry(keys.upper.clone())
                .or_default()
                .insert(name.clone());
            self.by_name
                .entry((keys.upper, keys.name))
                .or_default()
                .insert(name.clone());
            if let Some((advertiser, id)) = keys.id {
                let key = (advertiser, name.kind, id);
                self.by_id.entry(key).or_default().insert(name.clone());
            }
            if let Some(id) = keys.claim {
                let key = (name.kind, id);
                self.claims.entry(key).or_default().insert(name.clone());
            }
        }
    }

    fn keys(&self, object: &Object) -> IndexKeys {
        let record = self.record(object);
        let named = object.life().external_id.cloned();
        IndexKeys {
            upper: upper(object),
            name: object.platform_name(),
            id: record
                .own()
                .and_then(|r| r.id.clone().map(|id| (r.advertiser.clone(), id))),
            claim: match &record {
                RecordState::Own(_) => None,
                RecordState::Claim(r) => named.or_else(|| r.id.clone()),
                _ => named.or_else(|| object.status.as_ref().and_then(|s| s.id.clone())),
            },
        }
    }

    /// The record of an object, as this install reads it.
    pub fn record(&self, object: &Object) -> RecordState {
        let text = object
            .metadata
            .annotations
            .as_ref()
            .and_then(|a| a.get(RECORD))
            .map(String::as_str);
        RecordState::read(
            text,
            object.metadata.uid.as_deref().unwrap_or_default(),
            &self.install,
        )
    }

    /// The object that this one says it is in, if there is one of that name.
    pub fn parent(&self, object: &Object) -> Option<(ObjectName, Arc<Object>)> {
        let Upper::Object(name) = upper(object) else {
            return None;
        };
        let parent = self.get(&name)?;
        Some((name, parent))
    }

    /// The campaign that an object is in, or is; `None` when something on the way to it is missing.
    pub fn campaign(&self, object: &Object) -> Option<Arc<Object>> {
        match object.kind() {
            Kind::Campaign => Some(Arc::new(object.clone())),
            _ => {
                let (_, parent) = self.parent(object)?;
                match parent.kind() {
                    Kind::Campaign => Some(parent),
                    _ => self.campaign(&parent),
                }
            }
        }
    }

    /// The connection that an object's references lead to; `None` when something on the way is missing. That the
    /// connection exists is not said.
    pub fn connection_of(&self, object: &Object) -> Option<Name> {
        match upper(object) {
            Upper::Connection(name) => Some(name),
            Upper::Object(name) => self.connection_of(&*self.get(&name)?),
        }
    }

    /// The tree that an object is in, by the campaign that its references lead to.
    pub fn tree(&self, object: &Object) -> Option<Tree> {
        match object.spec.own_tree() {
            Some(tree) => Some(tree),
            None => self.campaign(object)?.spec.own_tree(),
        }
    }

    /// Objects that refer to another.
    pub fn children(&self, upper: &Upper) -> impl Iterator<Item = &ObjectName> {
        self.children.get(upper).into_iter().flatten()
    }

    /// Everything whose references lead to a connection, parents first.
    pub fn descendants(&self, connection: &Name) -> Vec<ObjectName> {
        let mut found: Vec<ObjectName> = self
            .children(&Upper::Connection(connection.clone()))
            .cloned()
            .collect();
        let mut next = 0;
        while let Some(name) = found.get(next).cloned() {
            found.extend(self.children(&Upper::Object(name)).cloned());
            next += 1;
        }
        found
    }

    /// Objects of a namespace whose references lead nowhere, because something on the way is missing.
    pub fn strays(&self, namespace: &str) -> Vec<ObjectName> {
        let broken = self.children.iter().filter(|(upper, _)| {
            matches!(upper, Upper::Object(name) if name.namespace == namespace && self.get(name).is_none())
        });
        let mut found: Vec<ObjectName> = broken.flat_map(|(_, c)| c.iter().cloned()).collect();
        let mut next = 0;
        while let Some(name) = found.get(next).cloned() {
            found.extend(self.children(&Upper::Object(name)).cloned());
            next += 1;
        }
        found
    }

    /// Objects that hold an id by their record.
    pub fn holders(
        &self,
        advertiser: &str,
        kind: Kind,
        id: &str,
    ) -> impl Iterator<Item = &ObjectName> {
        self.by_id
            .get(&(advertiser.to_string(), kind, id.to_string()))
            .into_iter()
            .flatten()
    }

    /// Objects that refer to the same as `like` and want this name, or hold or claim this id of an advertiser.
    pub fn touching(
        &self,
        upper: &Upper,
        kind: Kind,
        name: &str,
        id: Option<(String, String)>,
    ) -> Vec<ObjectName> {
        let mut found: BTreeSet<ObjectName> = self
            .by_name
            .get(&(upper.clone(), name.to_string()))
            .cloned()
            .unwrap_or_default();
        if let Some((advertiser, id)) = id {
            found.extend(self.claimants(kind, &id).cloned());
            found.extend(self.holders(&advertiser, kind, &id).cloned());
        }
        found.into_iter().collect()
    }

    /// Objects that hold no record but claim an id, or show it: their plans read its row as well.
    pub fn claimants(&self, kind: Kind, id: &str) -> impl Iterator<Item = &ObjectName> {
        self.claims
            .get(&(kind, id.to_string()))
            .into_iter()
            .flatten()
    }

    /// Who but `me` holds the id: by record before nobody's, the older of two.
    pub fn rival_for_id(
        &self,
        me: &ObjectName,
        mine: &Object,
        advertiser: &str,
        id: &str,
    ) -> Option<ObjectName> {
        let i_hold = self
            .record(mine)
            .own()
            .is_some_and(|r| r.id.as_deref() == Some(id));
        self.holders(advertiser, me.kind, id)
            .filter(|other| *other != me)
            .find(|other| {
                self.get(other)
                    .is_some_and(|object| !i_hold || older(&*object, mine))
            })
            .cloned()
    }

    /// Another object in the same place that wants the same name and goes first ([`bars_name`]).
    pub fn rival_for_name(&self, me: &ObjectName, mine: &Object) -> Option<ObjectName> {
        let key = (upper(mine), mine.platform_name());
        self.by_name
            .get(&key)
            .into_iter()
            .flatten()
            .filter(|other| *other != me)
            .find(|other| {
                self.get(other).is_some_and(|object| {
                    bars_name(
                        older(&*object, mine),
                        object.metadata.deletion_timestamp.is_some(),
                        self.record(&object).own(),
                    )
                })
            })
            .cloned()
    }

    /// Does anything of ours hold a namespace back?
    pub fn holds(&self, namespace: &str) -> bool {
        self.held.get(namespace).is_some_and(|n| *n > 0)
            || self.connections.iter().any(|(n, o)| {
                n.namespace == namespace
                    && super::state::has_finalizer(o.metadata.finalizers.as_deref())
            })
    }

    /// Records of living objects, for asking which rows belong to somebody.
    pub fn own_record(&self, name: &ObjectName) -> Option<Record> {
        self.get(name)
            .and_then(|object| self.record(&object).own().cloned())
    }
}

/// Is `a` older than `b`?
pub fn older_object(a: &Object, b: &Object) -> bool {
    older(a, b)
}

/// Is `new` the copy at hand, or older? Versions of one object are comparable numbers.
fn is_no_news<K: Resource>(old: &K, new: &K, relisting: bool) -> bool {
    let (was, is) = (&old.meta().resource_version, &new.meta().resource_version);
    let number = |v: &Option<String>| v.as_ref().and_then(|v| v.parse::<u128>().ok());
    was == is || (!relisting && old.meta().uid == new.meta().uid && number(is) < number(was))
}

struct IndexKeys {
    upper: Upper,
    name: String,
    id: Option<(String, String)>,
    claim: Option<String>,
}

fn remove<K: Ord>(index: &mut BTreeMap<K, BTreeSet<ObjectName>>, key: &K, name: &ObjectName) {
    if let Some(set) = index.get_mut(key) {
        set.remove(name);
        if set.is_empty() {
            index.remove(key);
        }
    }
}

/// What an object refers to.
pub fn upper(object: &Object) -> Upper {
    let namespace = object.metadata.namespace.clone().unwrap_or_default();
    match object.spec.belongs() {
        Belongs::Connection(name) => Upper::Connection(Name::new(namespace, name)),
        Belongs::Object(kind, name) => Upper::Object(ObjectName::new(kind, namespace, name)),
    }
}

/// Versions of one object can be compared as numbers (Kubernetes says so since 1.35, and it has always been so).
fn version<K: Resource>(object: &K) -> Option<u64> {
    object.meta().resource_version.as_ref()?.parse().ok()
}

/// Creation time, then uid.
fn older<K: Resource>(a: &K, b: &K) -> bool {
    let key = |o: &K| {
        (
            o.meta()
                .creation_timestamp
                .as_ref()
                .map_or(Timestamp::MAX, |t| t.0),
            o.meta().uid.clone(),
        )
    };
    key(a) < key(b)
}

/// Is `a` the older of two connections?
pub fn older_connection(a: &TikTokConnection, b: &TikTokConnection) -> bool {
    older(a, b)
}

fn stripped<K: Resource>(mut object: K) -> K {
    strip(&mut object);
    object
}

/// Keeps of an object only what plans read: `managedFields` alone are most of its memory.
pub fn strip<K: Resource>(object: &mut K) {
    let meta = object.meta_mut();
    meta.managed_fields = None;
    meta.labels = None;
    if let Some(annotations) = &mut meta.annotations {
        annotations.retain(|name, _| {
            [
                APPEAL,
                RECORD,
                RELEASE,
                RESUME,
                TAKE_OVER,
                RECONCILE_REQUESTED_AT,
            ]
            .contains(&name.as_str())
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn campaign(version: &str, deleting: bool) -> Object {
        let mut object: Object = match serde_json::from_value(serde_json::json!({
            "apiVersion": "tiktokads.dev/v1alpha1", "kind": "Campaign",
            "metadata": {"name": "a", "namespace": "n", "uid": "u", "resourceVersion": version},
            "spec": {"connectionRef": {"name": "c"}, "automation": "Manual", "objective": "Traffic"},
        })) {
            Ok(object) => object,
            Err(error) => panic!("{error}"),
        };
        object.metadata.deletion_timestamp = deleting.then_some(
            k8s_openapi::apimachinery::pkg::apis::meta::v1::Time(Timestamp::UNIX_EPOCH),
        );
        object
    }

    #[test]
    fn an_answer_that_the_watch_overtook_does_not_bring_a_deleted_object_back_to_life() {
        let mut store = Store::default();
        let name = Name::new("n".to_string(), "a".to_string());
        let deleting = |store: &Store<Object>| {
            store
                .get(&name)
                .is_some_and(|o| o.metadata.deletion_timestamp.is_some())
        };
        store.take(Change::Applied(Box::new(campaign("9", false))));
        store.take(Change::Applied(Box::new(campaign("11", true))));
        store.put(&name, "u", Some(campaign("10", false)));
        assert!(
            deleting(&store),
            "11 is newer than 10, though it is less as text"
        );
        store.put(&name, "u", Some(campaign("12", false)));
        assert!(!deleting(&store));
    }

    #[test]
    fn r32_a_live_read_counts_after_the_api_server_went_back() {
        let mut store = Store::default();
        let name = Name::new("n".to_string(), "a".to_string());
        let version = |store: &Store<Object>| store.get(&name).and_then(|o| version(&*o));
        store.take(Change::Applied(Box::new(campaign("900", false))));
        store.put_live(&name, &campaign("900", false), Some(campaign("10", false)));
        assert_eq!(version(&store), Some(10));
        // The watch was faster: the copy is not the one that was refused.
        store.take(Change::Applied(Box::new(campaign("12", false))));
        store.put_live(&name, &campaign("10", false), Some(campaign("11", false)));
        assert_eq!(version(&store), Some(12));
        store.put_live(&name, &campaign("12", false), None);
        assert_eq!(version(&store), None);
    }

    #[test]
    fn a_late_answer_about_an_object_that_is_gone_does_not_take_its_namesakes_place() {
        let name = Name::new("n".to_string(), "a".to_string());
        let namesake = || {
            let mut object = campaign("13", false);
            object.metadata.uid = Some("v".into());
            object
        };
        let uid = |store: &Store<Object>| store.get(&name).and_then(|o| o.metadata.uid.clone());
        let mut store = Store::default();
        store.take(Change::Applied(Box::new(campaign("11", true))));
        store.take(Change::Deleted(Box::new(campaign("12", true))));
        store.put(&name, "u", Some(campaign("12", true)));
        assert_eq!(uid(&store), None, "gone stays gone");
        store.take(Change::Applied(Box::new(namesake())));
        store.put(&name, "u", Some(campaign("12", true)));
        store.put(&name, "u", None);
        assert_eq!(uid(&store).as_deref(), Some("v"));
        store.put(&name, "v", None);
        assert_eq!(uid(&store), None);
    }
}
