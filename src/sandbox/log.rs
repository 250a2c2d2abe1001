//! The request log, counts of it, and the order of the lease counts in `User-Agent`.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Sandbox, message::Request, query::Params, time};

/// What is never written to the log.
const SECRETS: &[&str] = &[
    "secret",
    "client_secret",
    "access_token",
    "refresh_token",
    "auth_code",
    "code",
];

/// One request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LogEntry {
    /// Counts from 1.
    pub number: u64,
    /// The sandbox's time, milliseconds since 1970.
    pub at: i64,
    /// The same, `YYYY-MM-DD HH:MM:SS` UTC.
    pub time: String,
    /// `GET` or `POST`.
    pub method: String,
    /// The path.
    pub path: String,
    /// The decoded query without secrets.
    pub query: BTreeMap<String, String>,
    /// The body without secrets; `null` if it was not JSON.
    pub body: Value,
    /// The HTTP status answered; 0 if the connection was cut.
    pub status: u16,
    /// The envelope's code; none where there is no envelope. For a lost answer: what it would have said.
    pub code: Option<i64>,
    /// The envelope's text.
    pub message: String,
    /// The advertiser that the request names, empty if it names none.
    pub advertiser_id: String,
    /// The lease count of `tiktok-ads-operator/<version> (fence=<n>)`.
    pub fence: Option<u64>,
    /// The faults that struck.
    pub faults: Vec<String>,
    /// Whether an answer was sent (false: the connection was cut).
    pub answered: bool,
}

/// How often a path was called.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PathCounts {
    /// All calls.
    pub total: u64,
    /// By the envelope's code; `http <status>` without an envelope, `none` if nothing was done or said.
    pub by_code: BTreeMap<String, u64>,
}

/// A write with a lower lease count after a higher one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FenceViolation {
    /// The advertiser written to.
    pub advertiser_id: String,
    /// The log entry's number.
    pub number: u64,
    /// The path written to.
    pub path: String,
    /// The count it carried.
    pub fence: u64,
    /// The highest count before it.
    pub highest: u64,
}

/// What to look for in the log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogFilter<'a> {
    /// Only this advertiser's.
    pub advertiser_id: Option<&'a str>,
    /// Only this path.
    pub path: Option<&'a str>,
    /// Only entries with a higher number.
    pub after: u64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Log {
    capacity: usize,
    next: u64,
    /// Not kept in the state file, which is written after each change; the counts are.
    #[serde(skip)]
    entries: VecDeque<LogEntry>,
    /// advertiser → path → counts; kept when old entries are dropped.
    counts: BTreeMap<String, BTreeMap<String, PathCounts>>,
    highest_fence: BTreeMap<String, u64>,
    violations: Vec<FenceViolation>,
}

impl Log {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            capacity,
            next: 0,
            entries: VecDeque::new(),
            counts: BTreeMap::new(),
            highest_fence: BTreeMap::new(),
            violations: Vec::new(),
        }
    }

    /// Starts an entry; `write` says whether the request can change the advertiser.
    pub(super) fn begin(
        &mut self,
        at: i64,
        request: &Request,
        advertiser_id: &str,
        write: bool,
    ) -> LogEntry {
        self.next += 1;
        let fence = request.header("User-Agent").and_then(fence);
        if let (true, Some(fence)) = (write, fence) {
            let highest = self
                .highest_fence
                .entry(advertiser_id.into())
                .or_insert(fence);
            if fence < *highest {
                self.violations.push(FenceViolation {
                    advertiser_id: advertiser_id.into(),
                    number: self.next,
                    path: request.path.clone(),
                    fence,
                    highest: *highest,
                });
            }
            *highest = fence.max(*highest);
        }
        LogEntry {
            number: self.next,
            at,
            time: time::datetime(at),
            method: request.method.clone(),
            path: request.path.clone(),
            query: Params::decode(&request.query)
                .iter()
                .map(|(name, value)| (name.clone(), hide_text(name, value)))
                .collect(),
            body: hide(serde_json::from_slice(&request.body).unwrap_or_default()),
            status: 0,
            code: None,
            message: String::new(),
            advertiser_id: advertiser_id.into(),
            fence,
            faults: Vec::new(),
            answered: true,
        }
    }

    pub(super) fn finish(&mut self, entry: LogEntry) {
        let key = match (entry.code, entry.status) {
            (Some(code), _) => code.to_string(),
            (None, 0) => "none".into(),
            (None, status) => format!("http {status}"),
        };
        let counts = self
            .counts
            .entry(entry.advertiser_id.clone())
            .or_default()
            .entry(entry.path.clone())
            .or_default();
        counts.total += 1;
        *counts.by_code.entry(key).or_default() += 1;
        if self.capacity > 0 {
            if self.entries.len() == self.capacity {
                self.entries.pop_front();
            }
            self.entries.push_back(entry);
        }
    }
}

fn hide_text(name: &str, value: &str) -> String {
    if SECRETS.contains(&name) {
        "***".into()
    } else {
        value.into()
    }
}

fn hide(value: Value) -> Value {
    match value {
        Value::Object(map) => Value::Object(
            map.into_iter()
                .map(|(name, value)| {
                    let value = if SECRETS.contains(&name.as_str()) {
                        Value::from("***")
                    } else {
                        hide(value)
                    };
                    (name, value)
                })
                .collect(),
        ),
        Value::Array(items) => Value::Array(items.into_iter().map(hide).collect()),
        other => other,
    }
}

/// Reads the count of `tiktok-ads-operator/<version> (fence=<n>)`.
fn fence(user_agent: &str) -> Option<u64> {
    user_agent
        .strip_prefix("tiktok-ads-operator/")?
        .split_once("(fence=")?
        .1
        .split_once(')')?
        .0
        .parse()
        .ok()
}

impl Sandbox {
    /// The log, oldest first. Old entries are dropped beyond the configured capacity.
    pub fn requests<'a>(&'a self, filter: LogFilter<'a>) -> impl Iterator<Item = &'a LogEntry> {
        self.log.entries.iter().filter(move |entry| {
            entry.number > filter.after
                && filter
                    .advertiser_id
                    .is_none_or(|id| id == entry.advertiser_id)
                && filter.path.is_none_or(|path| path == entry.path)
        })
    }

    /// Counts by path: one advertiser's, or everyone's. Not touched by the log's capacity.
    pub fn counts(&self, advertiser_id: Option<&str>) -> BTreeMap<String, PathCounts> {
        let mut sum: BTreeMap<String, PathCounts> = BTreeMap::new();
        for (id, paths) in &self.log.counts {
            if advertiser_id.is_some_and(|wanted| wanted != id) {
                continue;
            }
            for (path, counts) in paths {
                let total = sum.entry(path.clone()).or_default();
                total.total += counts.total;
                for (code, count) in &counts.by_code {
                    *total.by_code.entry(code.clone()).or_default() += count;
                }
            }
        }
        sum
    }

    /// Writes that carried a lower lease count than an earlier write to the same advertiser.
    pub fn fence_violations(&self) -> &[FenceViolation] {
        &self.log.violations
    }

    /// Forgets entries and counts: one advertiser's, or everyone's. Fences are kept.
    pub fn clear_requests(&mut self, advertiser_id: Option<&str>) {
        match advertiser_id {
            Some(id) => {
                self.log.entries.retain(|entry| entry.advertiser_id != id);
                self.log.counts.remove(id);
            }
            None => {
                self.log.entries.clear();
                self.log.counts.clear();
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use super::*;

    #[test]
    fn fences_are_read_from_our_user_agent_only() {
        assert_eq!(fence("tiktok-ads-operator/0.1.0 (fence=12)"), Some(12));
        assert_eq!(fence("tiktok-ads-operator/0.1.0"), None);
        assert_eq!(fence("curl/8 (fence=12)"), None);
        assert_eq!(fence("tiktok-ads-operator/0.1.0 (fence=x)"), None);
    }
}
