//! What must wake at a time: one heap per account, entries (when, key, why). Nothing else sleeps.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

/// Why a key has to be planned again at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Why {
    /// An error's backoff is over.
    Backoff,
    /// The plan itself named the time.
    Plan,
    /// A list or look-up that contradicted a write is asked again.
    Settle,
    /// A key of webhooks, a subscription or the token it was made with ends.
    Hearing,
}

/// The heap. A key has at most one entry per reason; the earliest wins.
#[derive(Debug)]
pub struct Due<K> {
    by_time: BTreeSet<(Timestamp, K, Why)>,
    by_key: BTreeMap<(K, Why), Timestamp>,
}

impl<K: Ord + Clone> Default for Due<K> {
    fn default() -> Self {
        Self {
            by_time: BTreeSet::new(),
            by_key: BTreeMap::new(),
        }
    }
}

impl<K: Ord + Clone> Due<K> {
    /// Wakes `key` at `when`, replacing an earlier wish of the same reason.
    pub fn set(&mut self, key: &K, why: Why, when: Timestamp) {
        if let Some(old) = self.by_key.insert((key.clone(), why), when) {
            self.by_time.remove(&(old, key.clone(), why));
        }
        self.by_time.insert((when, key.clone(), why));
    }

    /// Forgets a wish.
    pub fn clear(&mut self, key: &K, why: Why) {
        if let Some(old) = self.by_key.remove(&(key.clone(), why)) {
            self.by_time.remove(&(old, key.clone(), why));
        }
    }

    /// Does it wait for a time, for this reason?
    pub fn waits(&self, key: &K, why: Why) -> bool {
        self.by_key.contains_key(&(key.clone(), why))
    }

    /// When the next one is due.
    pub fn next(&self) -> Option<Timestamp> {
        self.by_time.first().map(|(when, _, _)| *when)
    }

    /// Takes one that is due.
    pub fn pop(&mut self, now: Timestamp) -> Option<(K, Why)> {
        let first = self
            .by_time
            .first()
            .filter(|(when, _, _)| *when <= now)?
            .clone();
        self.by_time.remove(&first);
        self.by_key.remove(&(first.1.clone(), first.2));
        Some((first.1, first.2))
    }

    /// How many wishes wait.
    pub fn len(&self) -> usize {
        self.by_time.len()
    }

    /// None waits.
    pub fn is_empty(&self) -> bool {
        self.by_time.is_empty()
    }
}
