//! A model of the API server: JSON objects, resourceVersion, uid, generation, finalizers, deletion, compare-and-swap.
//!
//! Only what the operator and its users do is modelled, but that as the real one does it (`docs/architecture.md`, and
//! the measurements behind it): a write that changes nothing keeps the resourceVersion, a spec change or the beginning
//! of a deletion raises the generation, a deleted object with finalizers stays until the last is gone.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::Lease;
use secrecy::SecretString;
use serde_json::{Map, Value, json};
use tiktok_ads_operator::engine::doors::{
    ClusterError, MetaPatch, Name, Note, SecretCopy, SecretWrite,
};

pub const CAMPAIGN: &str = "Campaign";
pub const AD_GROUP: &str = "AdGroup";
pub const AD: &str = "Ad";
pub const CONNECTION: &str = "TikTokConnection";

/// The kinds that stand for something on TikTok, parents first.
pub const OBJECTS: [&str; 3] = [CAMPAIGN, AD_GROUP, AD];

/// All kinds that are watched.
pub const KINDS: [&str; 4] = [CAMPAIGN, AD_GROUP, AD, CONNECTION];

/// A kind's name, as the constants above say it.
pub fn word(kind: &str) -> &'static str {
    KINDS.into_iter().find(|known| *known == kind).unwrap()
}

/// What a watch would see.
#[derive(Clone, Debug)]
pub enum Seen {
    /// The two ends of a list.
    Relist(&'static str),
    Listed(&'static str),
    Applied(&'static str, Value),
    Deleted(&'static str, Value),
    Secret(Name),
    Namespace(String, bool),
}

#[derive(Clone, Debug)]
pub struct StoredSecret {
    pub uid: String,
    pub resource_version: u64,
    pub deleting: bool,
    pub labels: BTreeMap<String, String>,
    pub finalizers: Vec<String>,
    pub owner: Option<String>,
    pub data: BTreeMap<String, SecretString>,
}

#[derive(Default)]
pub struct ApiServer {
    pub(super) version: u64,
    uids: u64,
    pub objects: BTreeMap<(&'static str, Name), Value>,
    pub secrets: BTreeMap<Name, StoredSecret>,
    /// Secrets that nobody may write, and the words with which that is refused.
    pub refused: BTreeMap<Name, ClusterError>,
    pub terminating: BTreeSet<String>,
    pub lease: Option<Lease>,
    pub notes: Vec<Note>,
    /// Events about the operator's own Deployment, each with what it speaks of.
    pub home_notes: Vec<Note>,
    /// Writes that changed something, the lease not counted.
    pub writes: u64,
    pub(super) seen: Vec<Seen>,
    /// How often it was restored.
    pub epoch: u64,
}

impl ApiServer {
    /// What happened since the last call, for the watches.
    pub fn take_seen(&mut self) -> Vec<Seen> {
        std::mem::take(&mut self.seen)
    }

    fn next_version(&mut self) -> String {
        self.version += 1;
        self.writes += 1;
        self.version.to_string()
    }

    fn next_uid(&mut self) -> String {
        self.uids += 1;
        format!("uid-{:04}", self.uids)
    }

    pub fn get(&self, kind: &'static str, name: &Name) -> Option<&Value> {
        self.objects.get(&(kind, name.clone()))
    }

    /// All objects of a kind, in the order of their names.
    pub fn list(&self, kind: &'static str) -> impl Iterator<Item = (&Name, &Value)> {
        self.objects
            .iter()
            .filter(move |((k, _), _)| *k == kind)
            .map(|((_, name), value)| (name, value))
    }

    // ---- what users do ----

    /// POST. `extra` enters metadata (annotations, finalizers of a restore); `status` comes from a restore only.
    pub fn create(
        &mut self,
        kind: &'static str,
        name: &Name,
        spec: Value,
        extra: Map<String, Value>,
        status: Option<Value>,
        now: Timestamp,
    ) -> bool {
        if self.get(kind, name).is_some() || self.terminating.contains(&name.namespace) {
            return false;
        }
        let mut meta = json!({
            "name": name.name,
            "namespace": name.namespace,
            "uid": self.next_uid(),
            "resourceVersion": self.next_version(),
            "generation": 1,
            "creationTimestamp": seconds(now),
        });
        for (key, value) in extra {
            meta[key] = value;
        }
        let object = json!({
            "apiVersion": "tiktokads.dev/v1alpha1",
            "kind": kind,
            "metadata": meta,
            "spec": spec,
            "status": status.unwrap_or_else(|| json!({"observedGeneration": -1})),
        });
        self.put(kind, name, object);
        true
    }

    /// PATCH of the spec: each key replaces (null removes).
    pub fn edit(&mut self, kind: &'static str, name: &Name, changes: &Value) -> bool {
        let Some(mut object) = self.get(kind, name).cloned() else {
            return false;
        };
        let before = object["spec"].clone();
        merge(&mut object["spec"], changes);
        if object["spec"] == before {
            return false;
        }
        bump_generation(&mut object);
        object["metadata"]["resourceVersion"] = self.next_version().into();
        self.put(kind, name, object);
        true
    }

    /// `kubectl annotate`.
    pub fn annotate(&mut self, kind: &'static str, name: &Name, key: &str, value: &str) -> bool {
        let Some(mut object) = self.get(kind, name).cloned() else {
            return false;
        };
        object["metadata"]["annotations"][key] = value.into();
        object["metadata"]["resourceVersion"] = self.next_version().into();
        self.put(kind, name, object);
        true
    }

    /// `kubectl replace`: annotations and finalizers of the manifest, which has none of ours.
    pub fn replace(&mut self, kind: &'static str, name: &Name, now: Timestamp) -> bool {
        let Some(mut object) = self.get(kind, name).cloned() else {
            return false;
        };
        let meta = object["metadata"].as_object_mut().unwrap();
        let had = meta.remove("annotations").is_some() | meta.remove("finalizers").is_some();
        if !had {
            return false;
        }
        meta.insert("resourceVersion".into(), self.next_version().into());
        self.settle(kind, name, object, now);
        true
    }

    /// DELETE.
    pub fn delete(&mut self, kind: &'static str, name: &Name, now: Timestamp) -> bool {
        let Some(mut object) = self.get(kind, name).cloned() else {
            return false;
        };
        if object["metadata"].get("deletionTimestamp").is_some() {
            return false;
        }
        object["metadata"]["deletionTimestamp"] = seconds(now).into();
        bump_generation(&mut object);
        object["metadata"]["resourceVersion"] = self.next_version().into();
        self.settle(kind, name, object, now);
        true
    }

    /// The object is gone with all its finalizers, as when etcd was lost.
    pub fn vanish(&mut self, kind: &'static str, name: &Name) -> Option<Value> {
        let object = self.objects.remove(&(kind, name.clone()))?;
        self.next_version();
        self.seen.push(Seen::Deleted(kind, object.clone()));
        Some(object)
    }

    /// DELETE of a namespace: everything in it begins to be deleted.
    pub fn delete_namespace(&mut self, namespace: &str, now: Timestamp) {
        if !self.terminating.insert(namespace.into()) {
            return;
        }
        self.seen.push(Seen::Namespace(namespace.into(), true));
        let all: Vec<(&'static str, Name)> = self
            .objects
            .keys()
            .filter(|(_, name)| name.namespace == namespace)
            .cloned()
            .collect();
        for (kind, name) in all {
            self.delete(kind, &name, now);
        }
        let secrets: Vec<Name> = self
            .secrets
            .keys()
            .filter(|name| name.namespace == namespace)
            .cloned()
            .collect();
        for name in secrets {
            self.delete_secret(&name);
        }
    }

    /// Makes or changes a user's Secret.
    pub fn put_secret(&mut self, name: &Name, data: &[(&str, &str)]) {
        if self.terminating.contains(&name.namespace) {
            return;
        }
        let uid = match self.secrets.get(name) {
            Some(old) => old.uid.clone(),
            None => self.next_uid(),
        };
        self.next_version();
        let secret = StoredSecret {
            uid,
            resource_version: self.version,
            deleting: false,
            labels: BTreeMap::new(),
            finalizers: Vec::new(),
            owner: None,
            data: data
                .iter()
                .map(|(k, v)| ((*k).to_string(), SecretString::from((*v).to_string())))
                .collect(),
        };
        self.secrets.insert(name.clone(), secret);
        self.seen.push(Seen::Secret(name.clone()));
    }

    /// One key of any Secret is edited by hand; `None` removes it.
    pub fn edit_secret(&mut self, name: &Name, key: &str, value: Option<&str>) {
        self.next_version();
        let version = self.version;
        let Some(secret) = self.secrets.get_mut(name) else {
            return;
        };
        secret.resource_version = version;
        match value {
            Some(value) => secret.data.insert(key.into(), value.to_string().into()),
            None => secret.data.remove(key),
        };
        self.seen.push(Seen::Secret(name.clone()));
    }

    /// DELETE of a Secret.
    pub fn delete_secret(&mut self, name: &Name) {
        let Some(secret) = self.secrets.get_mut(name) else {
            return;
        };
        if secret.finalizers.is_empty() {
            self.secrets.remove(name);
        } else if secret.deleting {
            return;
        } else {
            secret.deleting = true;
        }
        self.next_version();
        self.seen.push(Seen::Secret(name.clone()));
    }

    // ---- what the operator does ----

    /// Merge patch of metadata with uid and resourceVersion.
    pub fn patch_meta(
        &mut self,
        kind: &'static str,
        name: &Name,
        patch: &MetaPatch,
        now: Timestamp,
    ) -> Result<Value, ClusterError> {
        let mut object = self.get(kind, name).cloned().ok_or(ClusterError::Changed)?;
        let meta = &object["metadata"];
        if meta["uid"] != patch.uid.as_str()
            || meta["resourceVersion"] != patch.resource_version.as_str()
        {
            return Err(ClusterError::Changed);
        }
        let before = object.clone();
        if let Some(finalizers) = &patch.finalizers {
            let old = strings(&meta["finalizers"]);
            let deleting = meta.get("deletionTimestamp").is_some();
            if deleting && finalizers.iter().any(|f| !old.contains(f)) {
                return Err(ClusterError::Refused(
                    "metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted".into(),
                ));
            }
            if finalizers.is_empty() {
                object["metadata"]
                    .as_object_mut()
                    .unwrap()
                    .remove("finalizers");
            } else {
                object["metadata"]["finalizers"] = json!(finalizers);
            }
        }
        for (key, value) in &patch.annotations {
            object["metadata"]["annotations"][key] = value.as_str().into();
        }
        if object == before {
            return Ok(object);
        }
        object["metadata"]["resourceVersion"] = self.next_version().into();
        self.settle(kind, name, object.clone(), now);
        Ok(object)
    }

    /// Apply of `/status`; the operator is its only manager, so what it does not name goes.
    pub fn apply_status(
        &mut self,
        kind: &'static str,
        name: &Name,
        version: &str,
        status: Value,
    ) -> Result<Value, ClusterError> {
        let mut object = self.get(kind, name).cloned().ok_or(ClusterError::Changed)?;
        if object["metadata"]["resourceVersion"] != version {
            return Err(ClusterError::Changed);
        }
        if object["status"] == status {
            return Ok(object);
        }
        object["status"] = status;
        object["metadata"]["resourceVersion"] = self.next_version().into();
        self.put(kind, name, object.clone());
        Ok(object)
    }

    pub fn secret(&self, name: &Name) -> Option<SecretCopy> {
        self.secrets.get(name).map(|s| SecretCopy {
            uid: s.uid.clone(),
            resource_version: s.resource_version.to_string(),
            deleting: s.deleting,
            labels: s.labels.clone(),
            finalizers: s.finalizers.clone(),
            owners: s.owner.iter().cloned().collect(),
            data: s.data.clone(),
        })
    }

    pub fn write_secret(&mut self, write: &SecretWrite) -> Result<(), ClusterError> {
        if let Some(error) = self.refused.get(&write.name) {
            return Err(error.clone());
        }
        let old = self.secrets.get(&write.name);
        match (old, &write.resource_version) {
            (None, None) if self.terminating.contains(&write.name.namespace) => {
                return Err(ClusterError::Forbidden(
                    "the namespace is being terminated".into(),
                ));
            }
            (None, None) => {}
            (Some(old), Some(version)) if old.resource_version.to_string() == *version => {}
            _ => return Err(ClusterError::Changed),
        }
        let (uid, deleting) = match old {
            Some(old) => (old.uid.clone(), old.deleting),
            None => (self.next_uid(), false),
        };
        self.next_version();
        self.secrets.insert(
            write.name.clone(),
            StoredSecret {
                uid,
                resource_version: self.version,
                deleting,
                labels: write.labels.clone(),
                finalizers: write.finalizers.clone(),
                owner: Some(write.owner.3.clone()),
                data: write.data.clone(),
            },
        );
        self.seen.push(Seen::Secret(write.name.clone()));
        Ok(())
    }

    pub fn drop_secret(&mut self, name: &Name, uid: &str) {
        if self.secrets.get(name).is_some_and(|s| s.uid == uid) {
            self.secrets.remove(name);
            self.next_version();
            self.seen.push(Seen::Secret(name.clone()));
        }
    }

    /// POST of an event. A namespace that is ending takes none: then it is made about the operator's Deployment.
    pub fn note(&mut self, note: Note) {
        self.writes += 1;
        if self.terminating.contains(&note.about.namespace) {
            self.home_notes.push(note);
        } else {
            self.notes.push(note);
        }
    }

    pub fn write_lease(&mut self, lease: &Lease) -> Result<Lease, ClusterError> {
        let have = self
            .lease
            .as_ref()
            .and_then(|l| l.metadata.resource_version.clone());
        if have != lease.metadata.resource_version {
            return Err(ClusterError::Changed);
        }
        self.version += 1;
        let mut lease = lease.clone();
        lease.metadata.resource_version = Some(self.version.to_string());
        self.lease = Some(lease.clone());
        Ok(lease)
    }

    // ---- inside ----

    fn put(&mut self, kind: &'static str, name: &Name, object: Value) {
        self.objects.insert((kind, name.clone()), object.clone());
        self.seen.push(Seen::Applied(kind, object));
    }

    /// Stores, or removes when it is being deleted and nothing holds it.
    fn settle(&mut self, kind: &'static str, name: &Name, object: Value, _now: Timestamp) {
        let meta = &object["metadata"];
        let held = !strings(&meta["finalizers"]).is_empty();
        if meta.get("deletionTimestamp").is_none() || held {
            self.put(kind, name, object);
            return;
        }
        self.objects.remove(&(kind, name.clone()));
        let uid = meta["uid"].as_str().unwrap_or_default().to_string();
        self.seen.push(Seen::Deleted(kind, object));
        // The garbage collector.
        let owned: Vec<Name> = self
            .secrets
            .iter()
            .filter(|(_, s)| s.owner.as_deref() == Some(uid.as_str()))
            .map(|(n, _)| n.clone())
            .collect();
        for name in owned {
            self.delete_secret(&name);
        }
    }
}

fn bump_generation(object: &mut Value) {
    let generation = object["metadata"]["generation"].as_i64().unwrap_or(0) + 1;
    object["metadata"]["generation"] = generation.into();
}

fn merge(into: &mut Value, changes: &Value) {
    let (Some(into), Some(changes)) = (into.as_object_mut(), changes.as_object()) else {
        return;
    };
    for (key, value) in changes {
        if value.is_null() {
            into.remove(key);
        } else {
            into.insert(key.clone(), value.clone());
        }
    }
}

/// A list of texts in JSON.
pub fn strings(value: &Value) -> Vec<String> {
    value
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|v| v.as_str().map(str::to_owned))
        .collect()
}

/// Kubernetes keeps whole seconds.
pub fn seconds(at: Timestamp) -> String {
    Timestamp::from_second(at.as_second()).unwrap().to_string()
}
