//! Namespaces that end, and our rights in them (decision 16).
//!
//! With a RoleBinding per namespace the operator loses its rights 4 to 6 s after the namespace's deletion began
//! (measured), long before the platform's objects are settled. So the binding gets a finalizer of ours as soon as the
//! namespace is seen ending while something of ours is in it, and loses it last. Not earlier: a binding that carries
//! a finalizer all the time makes `helm uninstall` hang.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures::future::join_all;
use k8s_openapi::api::core::v1::Namespace;
use k8s_openapi::api::rbac::v1::RoleBinding;
use kube::Resource;
use kube::ResourceExt;
use kube::api::{GetParams, Patch, PatchParams};
use kube::core::{PartialObjectMeta, Request};
use tokio::sync::Notify;
use tokio::time::Instant;

use super::{FIELD_MANAGER, KubeCluster};
use crate::engine::doors::{ClusterError, Delta};
use crate::engine::watch::{Endings, Trouble, Waiting};

/// The finalizer on the RoleBinding of a namespace that is ending.
pub const BINDING_FINALIZER: &str = "tiktokads.dev/binding";

/// How often a namespace with objects of ours is looked at: a binding lives 4 s into the deletion.
const LOOK: Duration = Duration::from_secs(1);
/// How often one is looked at that we may not read: it is gone, and our rights with it.
const LOOK_WITHOUT_RIGHTS: Duration = Duration::from_secs(5);

/// What is known of the namespaces; used with a list of namespaces only.
#[derive(Default)]
pub(super) struct Rights {
    /// Namespaces with objects of ours that hold a finalizer.
    kept: Mutex<BTreeSet<String>>,
    /// Namespaces whose binding has our finalizer by our own doing. Locked while a binding is changed: one change at a
    /// time, and none is put on after it was taken off.
    held: tokio::sync::Mutex<BTreeSet<String>>,
    wake: Notify,
}

impl Rights {
    pub(super) fn keep(&self, namespace: &str) {
        let new = self
            .kept
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(namespace.to_string());
        if new {
            self.wake.notify_one();
        }
    }

    pub(super) fn let_go(&self, namespace: &str) {
        self.kept
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(namespace);
    }

    fn is_kept(&self, namespace: &str) -> bool {
        self.kept
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .contains(namespace)
    }

    fn kept(&self) -> BTreeSet<String> {
        self.kept
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

/// The finalizers of a binding after ours was put on or taken off; `None` if nothing changes.
fn with_ours(finalizers: &[String], on: bool) -> Option<Vec<String>> {
    let has = finalizers.iter().any(|f| f == BINDING_FINALIZER);
    match (on, has) {
        (true, false) => Some(
            finalizers
                .iter()
                .cloned()
                .chain([BINDING_FINALIZER.to_string()])
                .collect(),
        ),
        (false, true) => Some(
            finalizers
                .iter()
                .filter(|f| *f != BINDING_FINALIZER)
                .cloned()
                .collect(),
        ),
        _ => None,
    }
}

impl KubeCluster {
    /// Takes our finalizer off the binding, if it is there. Gone is done.
    pub(super) async fn free_binding(&self, namespace: &str) -> Result<(), ClusterError> {
        let Some(binding) = &self.settings.binding else {
            return Ok(());
        };
        let mut held = self.rights.held.lock().await;
        held.remove(namespace);
        let Some(found) = self.binding(namespace, binding).await? else {
            return Ok(());
        };
        match with_ours(found.finalizers(), false) {
            Some(finalizers) => {
                self.patch_binding(namespace, binding, &found, finalizers)
                    .await
            }
            None => Ok(()),
        }
    }

    /// Puts our finalizer on the binding of a namespace that is ending.
    async fn hold_binding(&self, namespace: &str) -> Result<(), ClusterError> {
        let Some(binding) = &self.settings.binding else {
            return Ok(());
        };
        let mut held = self.rights.held.lock().await;
        if held.contains(namespace) || !self.rights.is_kept(namespace) {
            return Ok(());
        }
        let Some(found) = self.binding(namespace, binding).await? else {
            return Err(ClusterError::Refused(format!(
                "the RoleBinding {namespace}/{binding} is gone"
            )));
        };
        if let Some(finalizers) = with_ours(found.finalizers(), true) {
            // Nothing can be added to what is being deleted.
            if found.meta().deletion_timestamp.is_some() {
                return Err(ClusterError::Refused(format!(
                    "the RoleBinding {namespace}/{binding} is being deleted"
                )));
            }
            self.patch_binding(namespace, binding, &found, finalizers)
                .await?;
        }
        held.insert(namespace.to_string());
        Ok(())
    }

    async fn binding(
        &self,
        namespace: &str,
        binding: &str,
    ) -> Result<Option<PartialObjectMeta<RoleBinding>>, ClusterError> {
        let path = RoleBinding::url_path(&(), Some(namespace));
        self.find(
            binding,
            Request::new(path).get_metadata(binding, &GetParams::default()),
        )
        .await
    }

    async fn patch_binding(
        &self,
        namespace: &str,
        binding: &str,
        found: &PartialObjectMeta<RoleBinding>,
        finalizers: Vec<String>,
    ) -> Result<(), ClusterError> {
        let body = serde_json::json!({"metadata": {
            "uid": found.meta().uid, "resourceVersion": found.meta().resource_version, "finalizers": finalizers,
        }});
        let params = PatchParams {
            field_manager: Some(FIELD_MANAGER.into()),
            ..PatchParams::default()
        };
        let path = RoleBinding::url_path(&(), Some(namespace));
        let request = Request::new(path).patch_metadata(binding, &params, &Patch::Merge(body));
        match self.call::<serde::de::IgnoredAny>(request).await {
            Ok(_) => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn namespace_ends(&self, name: &str) -> Result<bool, ClusterError> {
        let path = Namespace::url_path(&(), None);
        let found: Option<PartialObjectMeta<Namespace>> = self
            .find(
                name,
                Request::new(path).get_metadata(name, &GetParams::default()),
            )
            .await?;
        Ok(found.is_some_and(|namespace| namespace.meta().deletion_timestamp.is_some()))
    }

    /// With a list of namespaces: looks at those that matter and reports what began or ceased to be deleted.
    pub(super) async fn look_at_namespaces(&self, waiting: &Waiting) {
        let mut endings = Endings::default();
        let mut later: BTreeMap<String, Instant> = BTreeMap::new();
        let mut trouble: BTreeMap<String, Trouble> = BTreeMap::new();
        // Namespaces whose binding could not be held, and that was said.
        let mut lost: BTreeSet<String> = BTreeSet::new();
        let mut names: BTreeSet<String> = self.settings.namespaces.iter().cloned().collect();
        loop {
            let now = Instant::now();
            names.retain(|name| later.get(name).is_none_or(|at| *at <= now));
            let looks = join_all(
                names
                    .iter()
                    .map(|name| async move { (name.clone(), self.namespace_ends(name).await) }),
            )
            .await;
            for (name, ends) in looks {
                let trouble = trouble.entry(name.clone()).or_default();
                match ends {
                    Ok(ends) => {
                        if trouble.over() {
                            tracing::info!(namespace = name, "the namespace can be read again");
                        }
                        later.remove(&name);
                        if !ends {
                            lost.remove(&name);
                        } else if let Err(error) = self.hold_binding(&name).await
                            && lost.insert(name.clone())
                        {
                            // Tried again at every look.
                            tracing::warn!(
                                namespace = name, %error,
                                "the namespace is being deleted and our RoleBinding could not be kept: once it is gone, \
                                 objects there must be freed by hand"
                            );
                        }
                        if endings.saw(&name, ends)
                            && self
                                .sender
                                .send(Delta::Namespace {
                                    name,
                                    terminating: ends,
                                })
                                .await
                                .is_err()
                        {
                            return;
                        }
                    }
                    Err(error) => {
                        if matches!(error, ClusterError::Forbidden(_)) {
                            later.insert(name.clone(), Instant::now() + LOOK_WITHOUT_RIGHTS);
                        }
                        if trouble.again() {
                            tracing::warn!(namespace = name, %error, "cannot read the namespace: its deletion will go unnoticed");
                        }
                    }
                }
            }
            waiting.done("namespaces");
            // A namespace that was ending is looked at until it is gone: its successor must not count as ending.
            names = self
                .rights
                .kept()
                .into_iter()
                .chain(endings.terminating().cloned())
                .collect();
            if names.is_empty() {
                self.rights.wake.notified().await;
                names = self.rights.kept();
            } else {
                let _ = tokio::time::timeout(LOOK, self.rights.wake.notified()).await;
                names.extend(self.rights.kept());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ours_is_put_on_once_and_taken_off_alone() {
        let other = vec!["other/one".to_string()];
        let both = vec!["other/one".to_string(), BINDING_FINALIZER.to_string()];
        assert_eq!(with_ours(&other, true), Some(both.clone()));
        assert_eq!(with_ours(&both, true), None);
        assert_eq!(with_ours(&both, false), Some(other.clone()));
        assert_eq!(with_ours(&other, false), None);
    }
}
