//! The two doors to the world, and the clock. A simulation replaces all three in process.
//!
//! The platform's door is [`crate::platform::Door`]: one request in, one reply out. This file has the
//! cluster's door. No method retries: a failed step is a turn's outcome, and the queue decides when to try again.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::Lease;
use kube::Resource;
use secrecy::SecretString;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::api::connection::TikTokConnection;
use crate::model::object::Object;
use crate::platform::Kind;

/// What the engine needs of a kind that the API server keeps for us.
pub trait Stored:
    Resource<DynamicType: Clone + Send + Sync + 'static>
    + Clone
    + std::fmt::Debug
    + Serialize
    + DeserializeOwned
    + Send
    + Sync
    + 'static
{
}

impl<K> Stored for K where
    K: Resource<DynamicType: Clone + Send + Sync + 'static>
        + Clone
        + std::fmt::Debug
        + Serialize
        + DeserializeOwned
        + Send
        + Sync
        + 'static
{
}

/// Namespace and name.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Name {
    pub namespace: String,
    pub name: String,
}

impl Name {
    /// Joins the two.
    pub fn new(namespace: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            namespace: namespace.into(),
            name: name.into(),
        }
    }

    /// Of an object that the API server has.
    pub fn of<K: Resource>(object: &K) -> Self {
        let meta = object.meta();
        Self::new(
            meta.namespace.clone().unwrap_or_default(),
            meta.name.clone().unwrap_or_default(),
        )
    }
}

impl std::fmt::Display for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

/// One of our objects that stand for something on TikTok. Parents sort before what is in them.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectName {
    pub kind: Kind,
    pub namespace: String,
    pub name: String,
}

impl ObjectName {
    /// Joins the three.
    pub fn new(kind: Kind, namespace: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            kind,
            namespace: namespace.into(),
            name: name.into(),
        }
    }

    /// Of an object that the API server has.
    pub fn of(object: &Object) -> Self {
        let name = Name::of(object);
        Self::new(object.kind(), name.namespace, name.name)
    }

    /// Without its kind.
    pub fn plain(&self) -> Name {
        Name::new(self.namespace.clone(), self.name.clone())
    }
}

impl std::fmt::Display for ObjectName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

/// Why a step at the API server failed.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum ClusterError {
    /// 409, 404, or 422 on the uid: the copy the plan was made from is not the object any more. Look again.
    #[error("the object changed meanwhile")]
    Changed,
    /// 403: the chart's rights do not cover it, or the namespace is ending.
    #[error("not allowed by the API server: {0}")]
    Forbidden(String),
    /// 422 of another kind, 400: repeating it gives the same.
    #[error("refused by the API server: {0}")]
    Refused(String),
    /// No answer, or a server error: it may or may not have happened.
    #[error("no clear answer from the API server: {0}")]
    Unclear(String),
}

/// A change of metadata under compare-and-swap: it names the copy it was made from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetaPatch {
    /// `metadata.uid` of the copy.
    pub uid: String,
    /// `metadata.resourceVersion` of the copy.
    pub resource_version: String,
    /// The whole list of finalizers afterwards; `None` leaves it.
    pub finalizers: Option<Vec<String>>,
    /// Annotations to set; others stay.
    pub annotations: BTreeMap<String, String>,
}

/// Our own token Secret of a connection, or a user's Secret: the keys that were asked for.
#[derive(Clone, Debug, Default)]
pub struct SecretCopy {
    pub uid: String,
    pub resource_version: String,
    pub deleting: bool,
    pub labels: BTreeMap<String, String>,
    pub finalizers: Vec<String>,
    /// The uids of the objects that it belongs to.
    pub owners: Vec<String>,
    pub data: BTreeMap<String, SecretString>,
}

/// A Secret that the operator writes.
#[derive(Clone, Debug)]
pub struct SecretWrite {
    pub name: Name,
    /// `None`: it must not exist yet. `Some`: replace exactly this version.
    pub resource_version: Option<String>,
    pub labels: BTreeMap<String, String>,
    pub finalizers: Vec<String>,
    /// apiVersion, kind, name and uid of the object it belongs to.
    pub owner: (String, String, String, String),
    pub data: BTreeMap<String, SecretString>,
}

/// An event about an object; only on changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Kind of the object it is about.
    pub kind: &'static str,
    pub about: Name,
    pub uid: String,
    /// Warning or Normal.
    pub warning: bool,
    pub reason: String,
    pub message: String,
}

/// The API server.
pub trait Cluster: Send + Sync + 'static {
    /// One live GET. `None`: 404.
    fn get<K: Stored>(
        &self,
        kind: &K::DynamicType,
        name: &Name,
    ) -> impl Future<Output = Result<Option<K>, ClusterError>> + Send;
    /// A merge patch of metadata with uid and resourceVersion of the copy it was planned from.
    fn patch_meta<K: Stored>(
        &self,
        kind: &K::DynamicType,
        name: &Name,
        patch: &MetaPatch,
    ) -> impl Future<Output = Result<K, ClusterError>> + Send;
    /// Server-side apply of `/status` under one field manager, with the resourceVersion of the copy compared.
    fn apply_status<K: Stored>(
        &self,
        kind: &K::DynamicType,
        name: &Name,
        resource_version: &str,
        status: serde_json::Value,
    ) -> impl Future<Output = Result<K, ClusterError>> + Send;
    /// One live GET of a Secret. Its changes from then on arrive as [`Delta::Secret`], while a connection wants it.
    fn secret(
        &self,
        name: &Name,
    ) -> impl Future<Output = Result<Option<SecretCopy>, ClusterError>> + Send;
    /// Says which Secrets a connection is made from: those and no others are watched for it, each once it was read.
    fn want_secrets(&self, connection: &Name, names: BTreeSet<Name>);
    /// Creates or replaces a Secret of ours.
    fn write_secret(
        &self,
        write: &SecretWrite,
    ) -> impl Future<Output = Result<(), ClusterError>> + Send;
    /// Takes our finalizer off a Secret of ours and deletes it, if it is still this one. Gone is done.
    fn drop_secret(
        &self,
        name: &Name,
        uid: &str,
    ) -> impl Future<Output = Result<(), ClusterError>> + Send;
    /// Says that objects of ours are (not any more) held in a namespace, so that our rights there outlive them
    /// (decision 16).
    fn keep_rights(
        &self,
        namespace: &str,
        keep: bool,
    ) -> impl Future<Output = Result<(), ClusterError>> + Send;
    /// Publishes an event. In a namespace that is ending it goes to the operator's own Deployment.
    fn note(&self, note: &Note) -> impl Future<Output = Result<(), ClusterError>> + Send;
    /// Publishes an event about the operator's own Deployment; where there is none, as [`Cluster::note`] does.
    fn note_at_home(&self, note: &Note) -> impl Future<Output = Result<(), ClusterError>> + Send;
    /// The operator's lease.
    fn lease(&self) -> impl Future<Output = Result<Option<Lease>, ClusterError>> + Send;
    /// Creates (no resourceVersion) or replaces (with it) the lease.
    fn write_lease(
        &self,
        lease: &Lease,
    ) -> impl Future<Output = Result<Lease, ClusterError>> + Send;
}

/// What the watches saw. The order between kinds is not defined.
#[derive(Clone, Debug)]
pub enum Delta {
    /// Objects of one kind.
    Object(Kind, Change<Object>),
    Connection(Change<TikTokConnection>),
    /// A named Secret changed, came or went; its content is read when it is needed.
    Secret(Name),
    /// A namespace began or ceased to be deleted.
    Namespace {
        name: String,
        terminating: bool,
    },
}

/// A change of one kind's objects.
#[derive(Clone, Debug)]
pub enum Change<K> {
    /// A (re)list begins: what is not listed again until `Listed` is gone.
    Relist,
    Applied(Box<K>),
    Deleted(Box<K>),
    /// The list is complete.
    Listed,
}

/// Both kinds of clock the engine reads, and chance.
pub trait Clock: Send + Sync + 'static {
    /// Wall clock.
    fn now(&self) -> Timestamp;
    /// Time since start that also counts while the machine sleeps (the lease depends on it).
    fn awake(&self) -> Duration;
    /// 32 bytes that nobody can guess: tickets and keys. The simulation takes them from its seed.
    fn entropy(&self) -> [u8; 32];
}

/// The operator's clocks.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn awake(&self) -> Duration {
        let t = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
        Duration::new(
            u64::try_from(t.tv_sec).unwrap_or(0),
            u32::try_from(t.tv_nsec).unwrap_or(0),
        )
    }

    fn entropy(&self) -> [u8; 32] {
        let mut bytes = [0; 32];
        let mut have = 0;
        // An interrupted call is made again; another failure cannot happen once the machine is up.
        while have < bytes.len() {
            let more =
                rustix::rand::getrandom(&mut bytes[have..], rustix::rand::GetRandomFlags::empty());
            have += more.unwrap_or(0);
        }
        bytes
    }
}

/// A door that several parts of the process share (the engine and the lease).
impl<D: Cluster> Cluster for std::sync::Arc<D> {
    async fn get<K: Stored>(
        &self,
        kind: &K::DynamicType,
        name: &Name,
    ) -> Result<Option<K>, ClusterError> {
        (**self).get(kind, name).await
    }

    async fn patch_meta<K: Stored>(
        &self,
        kind: &K::DynamicType,
        name: &Name,
        patch: &MetaPatch,
    ) -> Result<K, ClusterError> {
        (**self).patch_meta(kind, name, patch).await
    }

    async fn apply_status<K: Stored>(
        &self,
        kind: &K::DynamicType,
        name: &Name,
        resource_version: &str,
        status: serde_json::Value,
    ) -> Result<K, ClusterError> {
        (**self)
            .apply_status(kind, name, resource_version, status)
            .await
    }

    async fn secret(&self, name: &Name) -> Result<Option<SecretCopy>, ClusterError> {
        (**self).secret(name).await
    }

    fn want_secrets(&self, connection: &Name, names: BTreeSet<Name>) {
        (**self).want_secrets(connection, names);
    }

    async fn write_secret(&self, write: &SecretWrite) -> Result<(), ClusterError> {
        (**self).write_secret(write).await
    }

    async fn drop_secret(&self, name: &Name, uid: &str) -> Result<(), ClusterError> {
        (**self).drop_secret(name, uid).await
    }

    async fn keep_rights(&self, namespace: &str, keep: bool) -> Result<(), ClusterError> {
        (**self).keep_rights(namespace, keep).await
    }

    async fn note(&self, note: &Note) -> Result<(), ClusterError> {
        (**self).note(note).await
    }

    async fn note_at_home(&self, note: &Note) -> Result<(), ClusterError> {
        (**self).note_at_home(note).await
    }

    async fn lease(&self) -> Result<Option<Lease>, ClusterError> {
        (**self).lease().await
    }

    async fn write_lease(&self, lease: &Lease) -> Result<Lease, ClusterError> {
        (**self).write_lease(lease).await
    }
}
