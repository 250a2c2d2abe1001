//! The apiserver's audit log as the witness of what a program read and wrote.

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::Value;

use crate::kubectl::Kubectl;
use crate::process::tail_from;
use crate::{Error, Result, wait_until};

/// The policy: every request once, without bodies. Requests of the apiserver to itself and health checks are left out.
pub(crate) const POLICY: &str = r#"apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: None
  users: ["system:apiserver"]
- level: None
  nonResourceURLs: ["/healthz*", "/livez*", "/readyz*", "/openapi/*"]
- level: Metadata
"#;

/// The audit log of one control plane.
#[derive(Debug, Clone)]
pub struct Audit {
    path: std::path::PathBuf,
    kubectl: Kubectl,
}

/// A place in the audit log, to count from.
#[derive(Debug, Clone, Copy)]
pub struct Mark(u64);

/// One request as the apiserver saw it. Empty text where a field does not apply.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Request {
    /// Authenticated user, such as `system:serviceaccount:NAMESPACE:NAME`.
    pub user: String,
    /// `User-Agent` header.
    pub agent: String,
    /// API verb: get, list, watch, create, update, patch, delete, deletecollection.
    pub verb: String,
    /// API group; empty for core.
    pub group: String,
    /// Plural resource name.
    pub resource: String,
    /// Such as `status`.
    pub subresource: String,
    /// Namespace of the object.
    pub namespace: String,
    /// Name of the object; empty for lists and for creates (the URL of a create has none).
    pub name: String,
    /// HTTP status of the answer.
    pub code: u16,
    /// Path and query.
    pub uri: String,
}

impl Request {
    /// Anything that may change an object.
    pub fn is_write(&self) -> bool {
        !matches!(self.verb.as_str(), "get" | "list" | "watch")
    }
}

impl Audit {
    pub(crate) fn new(path: std::path::PathBuf, kubectl: Kubectl) -> Self {
        Self { path, kubectl }
    }

    /// The file.
    pub fn path(&self) -> &std::path::Path {
        &self.path
    }

    /// The present end of the log. A request of our own is sent and waited for first, so everything that was answered
    /// before this call lies before the mark.
    ///
    /// # Errors
    /// When the control plane is gone.
    pub fn mark(&self) -> Result<Mark> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let stamp = format!("mark={}", COUNT.fetch_add(1, Ordering::Relaxed));
        let begin = std::fs::metadata(&self.path).map_or(0, |meta| meta.len());
        self.kubectl
            .run(&[
                "get",
                "--raw",
                &format!("/api/v1/namespaces/default?{stamp}"),
            ])?
            .ok()?;
        let needle = format!("?{stamp}\"");
        wait_until("the audit log to catch up", Duration::from_secs(10), || {
            let text = tail_from(&self.path, begin)?;
            Ok(text
                .find(&needle)
                .and_then(|at| text[at..].find('\n').map(|end| at + end + 1))
                .map(|end| Mark(begin + end as u64))
                .ok_or_else(String::new))
        })
    }

    /// The beginning of the log.
    pub fn beginning(&self) -> Mark {
        Mark(0)
    }

    /// Every request answered since `mark` (a watch counts once, when it begins).
    ///
    /// # Errors
    /// When the log cannot be read or a line in it is no audit event.
    pub fn since(&self, mark: Mark) -> Result<Requests> {
        let upto = self.mark()?;
        let text = tail_from(&self.path, mark.0)?;
        let length = usize::try_from(upto.0.saturating_sub(mark.0)).unwrap_or(usize::MAX);
        let text = text.get(..length).unwrap_or(&text);
        let mut seen = HashSet::new();
        let mut requests = Vec::new();
        for line in text.lines() {
            let event: Value = serde_json::from_str(line).map_err(|error| {
                Error::Unusable(format!(
                    "a line of the audit log is not JSON ({error}): {line}"
                ))
            })?;
            let request = parse(&event);
            if request.uri.contains("?mark=") {
                continue;
            }
            // A watch is logged when it begins and when it ends.
            if seen.insert(event["auditID"].as_str().unwrap_or_default().to_owned()) {
                requests.push(request);
            }
        }
        Ok(Requests(requests))
    }
}

fn parse(event: &Value) -> Request {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let object = &event["objectRef"];
    let code = event["responseStatus"]["code"].as_u64().unwrap_or(0);
    Request {
        user: text(&event["user"]["username"]),
        agent: text(&event["userAgent"]),
        verb: text(&event["verb"]),
        group: text(&object["apiGroup"]),
        resource: text(&object["resource"]),
        subresource: text(&object["subresource"]),
        namespace: text(&object["namespace"]),
        name: text(&object["name"]),
        code: u16::try_from(code).unwrap_or(0),
        uri: text(&event["requestURI"]),
    }
}

/// Requests, to be narrowed down and counted. `Display` prints a table of counts.
#[derive(Debug, Clone)]
pub struct Requests(Vec<Request>);

impl Requests {
    /// Only those for which `keep` holds.
    #[must_use]
    pub fn only(self, keep: impl Fn(&Request) -> bool) -> Self {
        Self(self.0.into_iter().filter(|request| keep(request)).collect())
    }

    /// Only those whose `User-Agent` begins with `prefix`.
    #[must_use]
    pub fn agent(self, prefix: &str) -> Self {
        self.only(|request| request.agent.starts_with(prefix))
    }

    /// Only those of one authenticated user.
    #[must_use]
    pub fn user(self, name: &str) -> Self {
        self.only(|request| request.user == name)
    }

    /// Only those about one resource, with all its subresources.
    #[must_use]
    pub fn resource(self, resource: &str) -> Self {
        self.only(|request| request.resource == resource)
    }

    /// Only those in one namespace.
    #[must_use]
    pub fn namespace(self, namespace: &str) -> Self {
        self.only(|request| request.namespace == namespace)
    }

    /// Only writes.
    #[must_use]
    pub fn writes(self) -> Self {
        self.only(Request::is_write)
    }

    /// Only reads.
    #[must_use]
    pub fn reads(self) -> Self {
        self.only(|request| !request.is_write())
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// The requests themselves, in the order of their answers.
    pub fn all(&self) -> &[Request] {
        &self.0
    }
}

impl fmt::Display for Requests {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for request in &self.0 {
            let Request {
                agent,
                verb,
                resource,
                subresource,
                code,
                ..
            } = request;
            let agent = agent.split(' ').next().unwrap_or_default();
            let slash = if subresource.is_empty() { "" } else { "/" };
            *counts
                .entry(format!(
                    "{agent} {verb} {resource}{slash}{subresource} {code}"
                ))
                .or_default() += 1;
        }
        for (what, count) in counts {
            writeln!(f, "{count:>7}  {what}")?;
        }
        Ok(())
    }
}
