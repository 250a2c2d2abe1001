//! The watches: what the API server says about our kinds and about namespaces, as [`Delta`]s.
//!
//! kube's `watcher` does the protocol (streaming lists, bookmarks, restarts). It ends only with its receiver, every
//! error is retried with backoff (0.8 s to 30 s), and a failing watch is logged when it begins to fail and when it
//! works again.

mod merge;
mod namespaces;

use std::collections::BTreeSet;
use std::time::Duration;

use futures::StreamExt;
use futures::stream::select_all;
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Api, Client, Resource};
use tokio::sync::mpsc::Sender;
use tokio::time::Instant;

use super::doors::{Change, Delta, Stored};
use super::kube_door::chain;
use super::stores::strip;
use crate::api::connection::TikTokConnection;
use crate::model::object::Object;
use crate::platform::Kind;
use merge::Merge;
pub use namespaces::{Endings, watch_namespaces};

/// Errors further apart than this are not one trouble: the watch worked meanwhile (the longest backoff is 30 s, and a
/// watch that works but shows no change says nothing).
const ANOTHER_TROUBLE: Duration = Duration::from_secs(120);

/// So long a namespace may be forbidden before it is left out of the first list. Rights given moments ago take effect
/// within a second.
const FORBIDDEN_FOR: Duration = Duration::from_secs(10);

/// Says once that something fails, and once that it works again.
#[derive(Debug, Default)]
pub struct Trouble {
    began: Option<Instant>,
    last: Option<Instant>,
}

impl Trouble {
    /// Notes a failure; true if it is the first of its row.
    pub fn again(&mut self) -> bool {
        let now = Instant::now();
        let new = self
            .last
            .is_none_or(|last| now.duration_since(last) > ANOTHER_TROUBLE);
        self.last = Some(now);
        if new {
            self.began = Some(now);
        }
        new
    }

    /// Notes a success; true if it ends a row of failures.
    pub fn over(&mut self) -> bool {
        self.began = None;
        self.last.take().is_some()
    }

    /// How long the row of failures has lasted.
    pub fn lasts(&self) -> Duration {
        self.began
            .map_or(Duration::ZERO, |began| Instant::now().duration_since(began))
    }
}

/// What the start still waits for, by name; readiness shows it.
#[derive(Debug)]
pub struct Waiting(tokio::sync::watch::Sender<BTreeSet<String>>);

impl Waiting {
    /// Waits for these.
    pub fn on(names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self(tokio::sync::watch::Sender::new(
            names.into_iter().map(Into::into).collect(),
        ))
    }

    /// This is there.
    pub fn done(&self, name: &str) {
        self.0.send_if_modified(|names| names.remove(name));
    }

    /// What is not there yet.
    pub fn left(&self) -> Vec<String> {
        self.0.borrow().iter().cloned().collect()
    }

    /// Returns when what is left is so.
    pub async fn until(&self, so: impl FnMut(&BTreeSet<String>) -> bool) {
        // The sender is ours: the channel cannot close meanwhile.
        let _ = self.0.subscribe().wait_for(so).await;
    }
}

/// The plural names of what [`watch`] lists first.
pub fn watched() -> impl Iterator<Item = String> {
    let objects = Kind::ALL.map(|kind| Object::plural(&kind).into_owned());
    objects
        .into_iter()
        .chain([TikTokConnection::plural(&()).into_owned()])
}

/// Watches all kinds until the receiver is dropped.
///
/// `namespaces` empty: the whole cluster. What no plan reads is taken off before anything is kept. Takes
/// the kinds' plural names off `waiting` when their first complete list has been sent.
///
/// With several namespaces there is one watch for each, and a restart of one does not touch the others' objects:
/// [`Change::Relist`] and [`Change::Listed`] are sent for the first complete list only, and later an object that is
/// missing from a namespace's new list is sent as [`Change::Deleted`]. A namespace that forbids being watched for
/// [`FORBIDDEN_FOR`] at the start is left out until rights come: it must not keep the pauses of the others waiting.
pub async fn watch(
    client: Client,
    namespaces: &[String],
    sender: Sender<Delta>,
    waiting: &Waiting,
) {
    let objects = Kind::ALL.map(|kind| {
        let client = client.clone();
        watch_kind(
            move |namespace| match namespace {
                Some(namespace) => Api::namespaced_with(client.clone(), namespace, &kind),
                None => Api::all_with(client.clone(), &kind),
            },
            namespaces,
            Object::plural(&kind).into_owned(),
            move |change| Delta::Object(kind, change),
            &sender,
            waiting,
        )
    });
    let connections = watch_kind(
        |namespace: Option<&str>| match namespace {
            Some(namespace) => Api::namespaced(client.clone(), namespace),
            None => Api::all(client.clone()),
        },
        namespaces,
        TikTokConnection::plural(&()).into_owned(),
        Delta::Connection,
        &sender,
        waiting,
    );
    futures::future::join(futures::future::join_all(objects), connections).await;
}

async fn watch_kind<K: Stored>(
    api: impl Fn(Option<&str>) -> Api<K>,
    namespaces: &[String],
    kind: String,
    delta: impl Fn(Change<K>) -> Delta,
    sender: &Sender<Delta>,
    waiting: &Waiting,
) {
    let places: Vec<Option<&String>> = if namespaces.is_empty() {
        vec![None]
    } else {
        namespaces.iter().map(Some).collect()
    };
    let mut events = select_all(places.iter().enumerate().map(|(place, namespace)| {
        let api = api(namespace.map(String::as_str));
        let config = watcher::Config::default().streaming_lists();
        watcher(api, config)
            .default_backoff()
            .map(move |event| (place, event))
            .boxed()
    }));
    let mut merge = Merge::new(places.len());
    let mut troubles: Vec<Trouble> = places.iter().map(|_| Trouble::default()).collect();
    while let Some((place, event)) = events.next().await {
        let namespace = places[place].map_or("*", String::as_str);
        let trouble = &mut troubles[place];
        let changes = match event {
            Ok(event) => {
                if trouble.over() {
                    tracing::info!(kind, namespace, "the watch works again");
                }
                merge.take(place, event.modify(strip::<K>))
            }
            Err(error) => {
                if trouble.again() {
                    tracing::warn!(
                        kind,
                        namespace,
                        error = chain(&error),
                        "the watch fails; trying again"
                    );
                }
                if places.len() > 1
                    && forbidden(&error)
                    && trouble.lasts() >= FORBIDDEN_FOR
                    && merge.leave_out(place)
                {
                    tracing::warn!(
                        kind,
                        namespace,
                        "we have no rights in this namespace: it is left out until we do. Install the chart with it in \
                         watchNamespaces, or take it off --watch-namespace"
                    );
                    merge.complete()
                } else {
                    Vec::new()
                }
            }
        };
        for change in changes {
            let listed = matches!(change, Change::Listed);
            if sender.send(delta(change)).await.is_err() {
                return;
            }
            if listed {
                waiting.done(&kind);
            }
        }
    }
}

fn forbidden(error: &watcher::Error) -> bool {
    match error {
        watcher::Error::InitialListFailed(kube::Error::Api(status))
        | watcher::Error::WatchStartFailed(kube::Error::Api(status)) => status.code == 403,
        watcher::Error::WatchError(status) => status.code == 403,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_row_of_failures_is_reported_once_and_its_end_once() {
        let mut trouble = Trouble::default();
        assert!(!trouble.over());
        assert!(trouble.again());
        tokio::time::advance(Duration::from_secs(30)).await;
        assert!(!trouble.again());
        assert_eq!(trouble.lasts(), Duration::from_secs(30));
        assert!(trouble.over());
        assert!(!trouble.over());
        assert!(trouble.again());
        // It worked in silence meanwhile.
        tokio::time::advance(Duration::from_secs(600)).await;
        assert!(trouble.again());
        assert_eq!(trouble.lasts(), Duration::ZERO);
    }

    #[test]
    fn only_missing_rights_leave_a_namespace_out() {
        let api =
            |code| kube::Error::Api(kube::core::Status::failure("", "").with_code(code).boxed());
        assert!(forbidden(&watcher::Error::WatchStartFailed(api(403))));
        assert!(!forbidden(&watcher::Error::WatchStartFailed(api(500))));
        assert!(!forbidden(&watcher::Error::WatchFailed(
            kube::Error::TlsRequired
        )));
    }
}
