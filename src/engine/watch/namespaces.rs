//! Which namespaces are being deleted, seen over the whole cluster.

use std::collections::BTreeSet;

use futures::StreamExt;
use k8s_openapi::api::core::v1::Namespace;
use kube::core::PartialObjectMeta;
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Api, Client, ResourceExt};
use tokio::sync::mpsc::Sender;

use super::{Trouble, Waiting};
use crate::engine::doors::Delta;
use crate::engine::kube_door::chain;

/// The namespaces that were reported as being deleted.
#[derive(Debug, Default)]
pub struct Endings {
    terminating: BTreeSet<String>,
}

impl Endings {
    /// A namespace is (not) being deleted, or gone; true if that has to be reported.
    pub fn saw(&mut self, name: &str, terminating: bool) -> bool {
        if terminating {
            self.terminating.insert(name.to_string())
        } else {
            self.terminating.remove(name)
        }
    }

    /// Those that are.
    pub fn terminating(&self) -> impl Iterator<Item = &String> {
        self.terminating.iter()
    }

    /// Those that are reported as ending and that a new list does not show: gone meanwhile.
    fn missing(&self, listed: &BTreeSet<String>) -> Vec<String> {
        self.terminating.difference(listed).cloned().collect()
    }
}

/// Reports namespaces that begin or cease to be deleted until nobody listens. Their metadata is watched, nothing else.
/// Takes `"namespaces"` off `waiting` when those that are ending already have been reported.
pub async fn watch_namespaces(client: Client, sender: &Sender<Delta>, waiting: &Waiting) {
    let api: Api<PartialObjectMeta<Namespace>> = Api::all(client);
    let mut events = watcher(api, watcher::Config::default().streaming_lists())
        .default_backoff()
        .boxed();
    let mut endings = Endings::default();
    let mut listed = BTreeSet::new();
    let mut trouble = Trouble::default();
    while let Some(event) = events.next().await {
        let event = match event {
            Ok(event) => event,
            Err(error) => {
                if trouble.again() {
                    tracing::warn!(
                        error = chain(&error),
                        "the watch of namespaces fails; trying again"
                    );
                }
                continue;
            }
        };
        if trouble.over() {
            tracing::info!("the watch of namespaces works again");
        }
        let mut done = false;
        let states: Vec<(String, bool)> = match event {
            watcher::Event::Init => {
                listed.clear();
                Vec::new()
            }
            watcher::Event::InitApply(namespace) => {
                listed.insert(namespace.name_any());
                vec![(
                    namespace.name_any(),
                    namespace.metadata.deletion_timestamp.is_some(),
                )]
            }
            watcher::Event::InitDone => {
                done = true;
                endings
                    .missing(&std::mem::take(&mut listed))
                    .into_iter()
                    .map(|name| (name, false))
                    .collect()
            }
            watcher::Event::Apply(namespace) => vec![(
                namespace.name_any(),
                namespace.metadata.deletion_timestamp.is_some(),
            )],
            watcher::Event::Delete(namespace) => vec![(namespace.name_any(), false)],
        };
        for (name, terminating) in states {
            if endings.saw(&name, terminating)
                && sender
                    .send(Delta::Namespace { name, terminating })
                    .await
                    .is_err()
            {
                return;
            }
        }
        if done {
            waiting.done("namespaces");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r22_only_changes_are_reported_and_a_namespace_that_vanished_ends_no_more() {
        let mut endings = Endings::default();
        assert!(!endings.saw("a", false));
        assert!(endings.saw("a", true));
        assert!(!endings.saw("a", true));
        assert!(endings.saw("b", true));
        assert_eq!(
            endings.missing(&BTreeSet::from(["b".to_string(), "c".to_string()])),
            ["a"]
        );
        assert!(
            endings.saw("a", false),
            "a namesake must not count as ending"
        );
        assert!(!endings.saw("a", false));
    }
}
