//! The Secrets that connections are made from: one watch each, of metadata only (decision 16).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::StreamExt;
use k8s_openapi::api::core::v1::Secret;
use kube::core::PartialObjectMeta;
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Api, Client, ResourceExt};
use tokio::sync::mpsc::Sender;
use tokio::task::AbortHandle;

use crate::engine::doors::{Delta, Name};
use crate::engine::watch::Trouble;

/// A state of a Secret: its `resourceVersion`, or that it is not there.
type Version = Option<String>;

/// Which state everybody who read a Secret has seen, so that a watch reports news only.
#[derive(Debug, PartialEq, Eq)]
enum Told {
    /// All readers read exactly this state.
    Exactly(Version),
    /// Readers read different states: some have old content.
    Mixed,
}

impl Told {
    /// Somebody read this state.
    fn read(&mut self, version: &Version) {
        match self {
            Self::Exactly(known) if known == version => {}
            _ => *self = Self::Mixed,
        }
    }

    /// The watch shows this state. True if some reader has not seen it: then all read again.
    fn seen(&mut self, version: &Version) -> bool {
        if *self == Self::Exactly(version.clone()) {
            return false;
        }
        *self = Self::Exactly(version.clone());
        true
    }
}

struct Watched {
    told: Arc<Mutex<Told>>,
    task: AbortHandle,
}

/// All watched Secrets. Watches end when it is dropped.
#[derive(Default)]
pub(super) struct Secrets {
    state: Mutex<Watches>,
}

#[derive(Default)]
struct Watches {
    /// Which Secrets each connection is made from.
    wanted: BTreeMap<Name, BTreeSet<Name>>,
    watched: BTreeMap<Name, Watched>,
}

impl Watches {
    /// A connection is made from Secrets of its own namespace.
    fn wants(&self, secret: &Name) -> bool {
        let first = Name::new(secret.namespace.clone(), String::new());
        self.wanted
            .range(first..)
            .take_while(|(connection, _)| connection.namespace == secret.namespace)
            .any(|(_, names)| names.contains(secret))
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Secrets {
    fn lock(&self) -> MutexGuard<'_, Watches> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A connection is made from these Secrets. What nobody is made from any more is not watched any more: each watch is a
    /// task and a connection to the API server, and whoever may edit a connection could ask for any number of them.
    pub(super) fn want(&self, connection: &Name, names: BTreeSet<Name>) {
        let mut state = self.lock();
        let before = if names.is_empty() {
            state.wanted.remove(connection)
        } else {
            state.wanted.insert(connection.clone(), names)
        };
        // Only what this one was made from can have become unwanted by it.
        for secret in before.into_iter().flatten() {
            if !state.wants(&secret) {
                state.watched.remove(&secret);
            }
        }
    }

    /// How many are watched.
    pub(super) fn watched(&self) -> usize {
        self.lock().watched.len()
    }

    /// Notes what a GET showed, and watches the Secret from now on, if a connection is made from it.
    pub(super) fn read(
        &self,
        client: &Client,
        name: &Name,
        version: Version,
        sender: &Sender<Delta>,
    ) {
        let mut state = self.lock();
        if !state.wants(name) {
            return;
        }
        if let Some(watch) = state
            .watched
            .get(name)
            .filter(|watch| !watch.task.is_finished())
        {
            watch
                .told
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .read(&version);
            return;
        }
        let told = Arc::new(Mutex::new(Told::Exactly(version)));
        let task = tokio::spawn(follow(
            client.clone(),
            name.clone(),
            told.clone(),
            sender.clone(),
        ))
        .abort_handle();
        state.watched.insert(name.clone(), Watched { told, task });
    }
}

/// Reports changes of one Secret until nobody listens any more.
async fn follow(client: Client, name: Name, told: Arc<Mutex<Told>>, sender: Sender<Delta>) {
    let api: Api<PartialObjectMeta<Secret>> = Api::namespaced(client, &name.namespace);
    // A streaming list needs the verb `watch` only.
    let config = watcher::Config::default()
        .fields(&format!("metadata.name={}", name.name))
        .streaming_lists();
    let mut events = std::pin::pin!(watcher(api, config).default_backoff());
    let mut listed: Version = None;
    let mut trouble = Trouble::default();
    while let Some(event) = events.next().await {
        let version = match event {
            Ok(event) => {
                if trouble.over() {
                    tracing::info!(secret = %name, "watching the Secret again");
                }
                match event {
                    watcher::Event::Apply(secret) => secret.resource_version(),
                    watcher::Event::Delete(_) => None,
                    watcher::Event::Init => {
                        listed = None;
                        continue;
                    }
                    watcher::Event::InitApply(secret) => {
                        listed = secret.resource_version();
                        continue;
                    }
                    watcher::Event::InitDone => listed.take(),
                }
            }
            Err(error) => {
                if trouble.again() {
                    let error = super::failure::chain(&error);
                    tracing::warn!(secret = %name, error, "cannot watch the Secret: its changes will be noticed late");
                }
                continue;
            }
        };
        let news = told
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .seen(&version);
        if news && sender.send(Delta::Secret(name.clone())).await.is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn v(text: &str) -> Version {
        Some(text.into())
    }

    #[test]
    fn the_state_that_was_read_is_no_news() {
        let mut told = Told::Exactly(v("4"));
        told.read(&v("4"));
        assert!(!told.seen(&v("4")));
        assert!(told.seen(&v("5")));
        assert!(!told.seen(&v("5")));
        assert!(told.seen(&None), "deletion is news");
        assert!(!told.seen(&None));
    }

    #[test]
    fn a_reader_with_old_content_is_told_although_another_has_the_new() {
        let mut told = Told::Exactly(v("4"));
        told.read(&v("5"));
        assert!(told.seen(&v("5")), "the first reader has 4");
        assert!(!told.seen(&v("5")));
    }

    #[test]
    fn a_secret_that_was_missing_and_comes_is_news() {
        let mut told = Told::Exactly(None);
        assert!(!told.seen(&None));
        assert!(told.seen(&v("1")));
    }
}
