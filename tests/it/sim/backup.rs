//! A backup of the API server, and what a restore from it does: everything is as it was, the version numbers too.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::Value;
use tiktok_ads_operator::engine::doors::Name;

use super::api_server::{ApiServer, StoredSecret};

/// Everything but the lease: whoever leads goes on.
#[derive(Clone)]
pub struct Backup {
    version: u64,
    objects: BTreeMap<(&'static str, Name), Value>,
    secrets: BTreeMap<Name, StoredSecret>,
    terminating: BTreeSet<String>,
}

impl Backup {
    pub fn objects(&self) -> &BTreeMap<(&'static str, Name), Value> {
        &self.objects
    }
}

impl ApiServer {
    pub fn backup(&self) -> Backup {
        Backup {
            version: self.version,
            objects: self.objects.clone(),
            secrets: self.secrets.clone(),
            terminating: self.terminating.clone(),
        }
    }

    /// Requests that are under way break off.
    pub fn restore(&mut self, backup: Backup, now: Timestamp) {
        self.epoch += 1;
        self.writes += 1;
        self.version = backup.version;
        self.objects = backup.objects;
        self.secrets = backup.secrets;
        // A namespace that has begun to end meanwhile goes on ending, with all that is in it again.
        let ending = std::mem::replace(&mut self.terminating, backup.terminating);
        for namespace in ending {
            self.delete_namespace(&namespace, now);
        }
        self.seen.clear();
    }
}
