//! The cluster's door over a real API server.
//!
//! Every call has a deadline and none is retried here; kube's own retries are off (they hang leases and marks for
//! minutes). What a failure means is [`failure`]'s subject.

mod failure;
mod notes;
mod rights;
mod secrets;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use http::HeaderValue;
use http::header::USER_AGENT;
use jiff::Timestamp;
use k8s_openapi::ByteString;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::api::events::v1::Event;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use kube::api::{DeleteParams, GetParams, Patch, PatchParams, PostParams, Preconditions};
use kube::core::{PartialObjectMeta, Request};
use kube::{Client, Resource};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use tokio::sync::mpsc::Sender;

use super::doors::{
    Cluster, ClusterError, Delta, MetaPatch, Name, Note, SecretCopy, SecretWrite, Stored,
};
use super::watch::{Waiting, watch_namespaces};

pub(crate) use failure::chain;
pub use rights::BINDING_FINALIZER;

/// The one name under which the operator writes fields.
pub const FIELD_MANAGER: &str = "tiktok-ads-operator";

/// Group and version of our kinds.
const API_VERSION: &str = "tiktokads.dev/v1alpha1";

/// All finalizers of ours begin like this.
const FINALIZER_PREFIX: &str = "tiktokads.dev/";

/// What the door has to know of this process.
#[derive(Clone, Debug)]
pub struct DoorSettings {
    /// The lease.
    pub lease: Name,
    /// Who reports events: the pod's name.
    pub instance: String,
    /// The operator's own Deployment, for events that no other place takes.
    pub deployment: Option<Name>,
    /// The namespaces watched; empty: all of the cluster.
    pub namespaces: Vec<String>,
    /// With a list of namespaces: the RoleBinding in each that gives us our rights.
    pub binding: Option<String>,
    /// Deadline of a call.
    pub deadline: Duration,
    /// Deadline of a call about the lease.
    pub lease_deadline: Duration,
}

/// Sets what every client of ours needs: a `User-Agent` (kube sends none, and the audit log needs one), no retries,
/// and a bounded time to connect.
pub fn prepare(config: &mut kube::Config) {
    let agent =
        HeaderValue::from_static(concat!("tiktok-ads-operator/", env!("CARGO_PKG_VERSION")));
    config.headers.push((USER_AGENT, agent));
    config.default_retry = false;
    config.connect_timeout = Some(Duration::from_secs(5));
    config.write_timeout = Some(Duration::from_secs(10));
}

/// The API server.
pub struct KubeCluster {
    client: Client,
    settings: DoorSettings,
    sender: Sender<Delta>,
    secrets: secrets::Secrets,
    rights: rights::Rights,
}

impl KubeCluster {
    /// `client` must come from a configuration that [`prepare`] has seen. What the door notices by itself (named
    /// Secrets, namespaces) goes to `sender`. Must be used within a tokio runtime.
    pub fn new(client: Client, settings: DoorSettings, sender: Sender<Delta>) -> Self {
        if !settings.namespaces.is_empty() && settings.binding.is_none() {
            tracing::warn!(
                "a list of namespaces is watched but no RoleBinding is named: if one of them is deleted, our rights there end \
                 before our work does"
            );
        }
        Self {
            client,
            settings,
            sender,
            secrets: secrets::Secrets::default(),
            rights: rights::Rights::default(),
        }
    }

    /// Reports namespaces that begin or cease to be deleted, until nobody listens. Takes `"namespaces"` off `waiting`
    /// when those that are ending already have been reported.
    pub async fn namespaces(&self, waiting: &Waiting) {
        if self.settings.namespaces.is_empty() {
            watch_namespaces(self.client.clone(), &self.sender, waiting).await;
        } else {
            self.look_at_namespaces(waiting).await;
        }
    }

    /// How many Secrets are watched now.
    pub fn watched_secrets(&self) -> usize {
        self.secrets.watched()
    }

    /// One request within a deadline.
    async fn text(&self, deadline: Duration, request: Built) -> Result<String, kube::Error> {
        let request = request.map_err(kube::Error::BuildRequest)?;
        match tokio::time::timeout(deadline, self.client.request_text(request)).await {
            Ok(answer) => answer,
            Err(_) => Err(kube::Error::Service(
                format!("no answer within {} s", deadline.as_secs()).into(),
            )),
        }
    }

    async fn call<R: DeserializeOwned>(&self, request: Built) -> Result<R, ClusterError> {
        let text = self
            .text(self.settings.deadline, request)
            .await
            .map_err(failure::cluster_error)?;
        parse(&text)
    }

    /// A GET by name; `None` only if the API server says that this very name is not there.
    async fn find<R: DeserializeOwned>(
        &self,
        name: &str,
        request: Built,
    ) -> Result<Option<R>, ClusterError> {
        self.find_within(self.settings.deadline, name, request)
            .await
    }

    async fn find_within<R: DeserializeOwned>(
        &self,
        deadline: Duration,
        name: &str,
        request: Built,
    ) -> Result<Option<R>, ClusterError> {
        match self.text(deadline, request).await {
            Ok(text) => parse(&text).map(Some),
            Err(kube::Error::Api(status)) if failure::is_absent(&status, name) => Ok(None),
            Err(kube::Error::Api(status)) if status.code == 404 => Err(ClusterError::Unclear(
                format!("404 that does not name {name}: is the kind installed?"),
            )),
            Err(error) => Err(failure::cluster_error(error)),
        }
    }

    /// `kubectl describe` shows only events with the Deployment's uid; without it they are still listed.
    async fn deployment_uid(&self, name: &Name) -> Option<String> {
        let path = Deployment::url_path(&(), Some(&name.namespace));
        let request = Request::new(path).get_metadata(&name.name, &GetParams::default());
        let found: Option<PartialObjectMeta<Deployment>> =
            self.find(&name.name, request).await.ok().flatten();
        found.and_then(|deployment| deployment.metadata.uid)
    }

    /// The event about the object itself, in its namespace.
    async fn note_there(&self, note: &Note) -> Result<(), ClusterError> {
        let instance = &self.settings.instance;
        let event = notes::about_object(note, API_VERSION, instance, Timestamp::now());
        self.publish(&event).await
    }

    /// The event about our own Deployment.
    async fn note_about(&self, deployment: &Name, note: &Note) -> Result<(), ClusterError> {
        let uid = self.deployment_uid(deployment).await;
        let instance = &self.settings.instance;
        let now = Timestamp::now();
        let event = notes::about_deployment(note, API_VERSION, deployment, uid, instance, now);
        self.publish(&event).await
    }

    async fn publish(&self, event: &Event) -> Result<(), ClusterError> {
        let path = Event::url_path(&(), event.metadata.namespace.as_deref());
        let request = Request::new(path).create(&posting(), body(event)?);
        self.call::<IgnoredAny>(request).await.map(drop)
    }
}

type Built = Result<http::Request<Vec<u8>>, kube::core::request::Error>;

/// Reads an answer. Not kube's own way, which logs the whole text if it cannot be read: it may be a Secret.
fn parse<R: DeserializeOwned>(text: &str) -> Result<R, ClusterError> {
    serde_json::from_str(text).map_err(|error| {
        ClusterError::Unclear(format!(
            "unreadable answer: {:?} error at line {} column {}",
            error.classify(),
            error.line(),
            error.column()
        ))
    })
}

fn body<S: Serialize>(object: &S) -> Result<Vec<u8>, ClusterError> {
    serde_json::to_vec(object)
        .map_err(|_| ClusterError::Refused("the object cannot be written as JSON".into()))
}

fn posting() -> PostParams {
    PostParams {
        field_manager: Some(FIELD_MANAGER.into()),
        ..PostParams::default()
    }
}

fn patching() -> PatchParams {
    PatchParams {
        field_manager: Some(FIELD_MANAGER.into()),
        ..PatchParams::default()
    }
}

fn meta_patch(patch: &MetaPatch) -> serde_json::Value {
    let mut meta = serde_json::json!({"uid": patch.uid, "resourceVersion": patch.resource_version});
    if let Some(finalizers) = &patch.finalizers {
        meta["finalizers"] = serde_json::json!(finalizers);
    }
    if !patch.annotations.is_empty() {
        meta["annotations"] = serde_json::json!(patch.annotations);
    }
    serde_json::json!({ "metadata": meta })
}

fn secret_copy(secret: Secret) -> SecretCopy {
    let meta = secret.metadata;
    SecretCopy {
        uid: meta.uid.unwrap_or_default(),
        resource_version: meta.resource_version.unwrap_or_default(),
        deleting: meta.deletion_timestamp.is_some(),
        labels: meta.labels.unwrap_or_default(),
        finalizers: meta.finalizers.unwrap_or_default(),
        owners: meta
            .owner_references
            .unwrap_or_default()
            .into_iter()
            .map(|owner| owner.uid)
            .collect(),
        // A token is text. A value that is not cannot be one, and is as good as a missing key.
        data: secret
            .data
            .unwrap_or_default()
            .into_iter()
            .filter_map(|(key, value)| {
                String::from_utf8(value.0)
                    .ok()
                    .map(|text| (key, SecretString::from(text)))
            })
            .collect(),
    }
}

fn secret_object(write: &SecretWrite) -> Secret {
    let (api_version, kind, name, uid) = write.owner.clone();
    let data: BTreeMap<String, ByteString> = write
        .data
        .iter()
        .map(|(key, value)| {
            (
                key.clone(),
                ByteString(value.expose_secret().as_bytes().to_vec()),
            )
        })
        .collect();
    Secret {
        metadata: ObjectMeta {
            name: Some(write.name.name.clone()),
            namespace: Some(write.name.namespace.clone()),
            resource_version: write.resource_version.clone(),
            labels: Some(write.labels.clone()),
            finalizers: Some(write.finalizers.clone()),
            owner_references: Some(vec![OwnerReference {
                api_version,
                kind,
                name,
                uid,
                ..OwnerReference::default()
            }]),
            ..ObjectMeta::default()
        },
        type_: Some("Opaque".into()),
        data: Some(data),
        ..Secret::default()
    }
}

/// Takes our finalizers off; false if there is none.
fn take_ours_off(meta: &mut ObjectMeta) -> bool {
    let Some(finalizers) = &mut meta.finalizers else {
        return false;
    };
    let before = finalizers.len();
    finalizers.retain(|finalizer| !finalizer.starts_with(FINALIZER_PREFIX));
    meta.managed_fields = None;
    finalizers.len() != before
}

impl Cluster for KubeCluster {
    async fn get<K: Stored>(
        &self,
        kind: &K::DynamicType,
        name: &Name,
    ) -> Result<Option<K>, ClusterError> {
        let request = Request::new(K::url_path(kind, Some(&name.namespace)))
            .get(&name.name, &GetParams::default());
        self.find(&name.name, request).await
    }

    async fn patch_meta<K: Stored>(
        &self,
        kind: &K::DynamicType,
        name: &Name,
        patch: &MetaPatch,
    ) -> Result<K, ClusterError> {
        let path = K::url_path(kind, Some(&name.namespace));
        self.call(Request::new(path).patch(
            &name.name,
            &patching(),
            &Patch::Merge(meta_patch(patch)),
        ))
        .await
    }

    async fn apply_status<K: Stored>(
        &self,
        kind: &K::DynamicType,
        name: &Name,
        resource_version: &str,
        status: serde_json::Value,
    ) -> Result<K, ClusterError> {
        let object = serde_json::json!({
            "apiVersion": K::api_version(kind),
            "kind": K::kind(kind),
            "metadata": {"name": name.name, "namespace": name.namespace, "resourceVersion": resource_version},
            "status": status,
        });
        let path = K::url_path(kind, Some(&name.namespace));
        let params = PatchParams::apply(FIELD_MANAGER).force();
        self.call(Request::new(path).patch_subresource(
            "status",
            &name.name,
            &params,
            &Patch::Apply(object),
        ))
        .await
    }

    async fn secret(&self, name: &Name) -> Result<Option<SecretCopy>, ClusterError> {
        let path = Secret::url_path(&(), Some(&name.namespace));
        let found: Option<Secret> = self
            .find(
                &name.name,
                Request::new(path).get(&name.name, &GetParams::default()),
            )
            .await?;
        let copy = found.map(secret_copy);
        let version = copy.as_ref().map(|copy| copy.resource_version.clone());
        self.secrets.read(&self.client, name, version, &self.sender);
        Ok(copy)
    }

    fn want_secrets(&self, connection: &Name, names: BTreeSet<Name>) {
        self.secrets.want(connection, names);
    }

    async fn write_secret(&self, write: &SecretWrite) -> Result<(), ClusterError> {
        let request = Request::new(Secret::url_path(&(), Some(&write.name.namespace)));
        let object = body(&secret_object(write))?;
        let request = match write.resource_version {
            Some(_) => request.replace(&write.name.name, &posting(), object),
            None => request.create(&posting(), object),
        };
        self.call::<IgnoredAny>(request).await.map(drop)
    }

    async fn drop_secret(&self, name: &Name, uid: &str) -> Result<(), ClusterError> {
        let path = Secret::url_path(&(), Some(&name.namespace));
        let found: Option<Secret> = self
            .find(
                &name.name,
                Request::new(path.clone()).get(&name.name, &GetParams::default()),
            )
            .await?;
        let Some(mut found) = found.filter(|found| found.metadata.uid.as_deref() == Some(uid))
        else {
            return Ok(());
        };
        if take_ours_off(&mut found.metadata) {
            // A replacement with uid and resourceVersion: the chart gives no right to patch Secrets.
            let request = Request::new(path.clone()).replace(&name.name, &posting(), body(&found)?);
            match self.text(self.settings.deadline, request).await {
                Ok(_) => {}
                Err(kube::Error::Api(status)) if failure::is_absent(&status, &name.name) => {
                    return Ok(());
                }
                Err(error) => return Err(failure::cluster_error(error)),
            }
        }
        let only_this = Preconditions {
            uid: Some(uid.to_string()),
            resource_version: None,
        };
        let params = DeleteParams {
            preconditions: Some(only_this),
            ..DeleteParams::default()
        };
        match self
            .text(
                self.settings.deadline,
                Request::new(path).delete(&name.name, &params),
            )
            .await
        {
            Ok(_) => Ok(()),
            Err(kube::Error::Api(status)) if failure::is_absent(&status, &name.name) => Ok(()),
            Err(error) => Err(failure::cluster_error(error)),
        }
    }

    async fn keep_rights(&self, namespace: &str, keep: bool) -> Result<(), ClusterError> {
        if self.settings.namespaces.is_empty() {
            return Ok(());
        }
        if keep {
            self.rights.keep(namespace);
            return Ok(());
        }
        self.rights.let_go(namespace);
        self.free_binding(namespace).await
    }

    async fn note(&self, note: &Note) -> Result<(), ClusterError> {
        match self.note_there(note).await {
            // The namespace is ending (403), gone (404), or its ending has taken our rights.
            Err(refused @ (ClusterError::Forbidden(_) | ClusterError::Changed)) => {
                match &self.settings.deployment {
                    Some(deployment) => self.note_about(deployment, note).await,
                    None => Err(refused),
                }
            }
            done => done,
        }
    }

    async fn note_at_home(&self, note: &Note) -> Result<(), ClusterError> {
        match &self.settings.deployment {
            Some(deployment) => self.note_about(deployment, note).await,
            None => self.note_there(note).await,
        }
    }

    async fn lease(&self) -> Result<Option<Lease>, ClusterError> {
        let lease = &self.settings.lease;
        let request = Request::new(Lease::url_path(&(), Some(&lease.namespace)))
            .get(&lease.name, &GetParams::default());
        self.find_within(self.settings.lease_deadline, &lease.name, request)
            .await
    }

    async fn write_lease(&self, lease: &Lease) -> Result<Lease, ClusterError> {
        let mut lease = lease.clone();
        lease.metadata.name = Some(self.settings.lease.name.clone());
        lease.metadata.namespace = Some(self.settings.lease.namespace.clone());
        let request = Request::new(Lease::url_path(&(), Some(&self.settings.lease.namespace)));
        let object = body(&lease)?;
        let request = match lease.metadata.resource_version {
            Some(_) => request.replace(&self.settings.lease.name, &posting(), object),
            None => request.create(&posting(), object),
        };
        let text = self
            .text(self.settings.lease_deadline, request)
            .await
            .map_err(failure::cluster_error)?;
        parse(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patch_names_the_copy_and_only_what_changes() {
        let mut patch = MetaPatch {
            uid: "u".into(),
            resource_version: "7".into(),
            finalizers: None,
            annotations: BTreeMap::new(),
        };
        assert_eq!(
            meta_patch(&patch),
            serde_json::json!({"metadata": {"uid": "u", "resourceVersion": "7"}})
        );
        patch.finalizers = Some(Vec::new());
        patch.annotations.insert("a".into(), "b".into());
        let expected = serde_json::json!({"metadata": {
            "uid": "u", "resourceVersion": "7", "finalizers": [], "annotations": {"a": "b"}}});
        assert_eq!(meta_patch(&patch), expected);
    }

    #[test]
    fn an_unreadable_answer_does_not_repeat_its_text() {
        let error = parse::<Secret>(r#"{"data": {"token": ["canary"]}}"#).unwrap_err();
        assert!(
            matches!(&error, ClusterError::Unclear(text) if !text.contains("canary")),
            "{error}"
        );
        let error = parse::<Secret>(r#"{"metadata": "canary"}"#).unwrap_err();
        assert!(!error.to_string().contains("canary"), "{error}");
    }

    #[test]
    fn a_written_secret_says_whose_it_is_and_which_version_it_replaces() {
        let write = SecretWrite {
            name: Name::new("shop", "token"),
            resource_version: Some("3".into()),
            labels: BTreeMap::from([("a".into(), "b".into())]),
            finalizers: vec!["tiktokads.dev/token".into()],
            owner: (
                "tiktokads.dev/v1alpha1".into(),
                "TikTokConnection".into(),
                "c".into(),
                "u".into(),
            ),
            data: BTreeMap::from([("token".into(), SecretString::from("t"))]),
        };
        let json = serde_json::to_value(secret_object(&write)).unwrap();
        assert_eq!(json["data"]["token"], "dA==");
        assert_eq!(json["type"], "Opaque");
        assert_eq!(json["metadata"]["resourceVersion"], "3");
        assert_eq!(json["metadata"]["ownerReferences"][0]["uid"], "u");
        let mut meta = secret_object(&write).metadata;
        meta.finalizers = Some(vec!["other/one".into(), "tiktokads.dev/token".into()]);
        assert!(take_ours_off(&mut meta));
        assert_eq!(
            meta.finalizers.as_deref(),
            Some(["other/one".to_string()].as_slice())
        );
        assert!(!take_ours_off(&mut meta), "nothing to write");
        let copy = secret_copy(serde_json::from_value(json).unwrap());
        assert_eq!(copy.data["token"].expose_secret(), "t");
        assert_eq!(copy.finalizers, write.finalizers);
        assert_eq!(copy.owners, ["u"]);
    }
}
