//! Many campaigns in one ad account, seen from both sides: what the other tests apply, wait for and count.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use tiktok_ads_harness::kubectl::Kubectl;
use tiktok_ads_harness::{Operator, Result, Sandbox, wait_until};

/// The binary under test.
pub fn binary() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_tiktok-ads-operator"))
}

/// An ad account in the sandbox, to which nobody else has access.
#[derive(Debug, Clone)]
pub struct Account {
    app: String,
    secret: String,
    token: String,
    /// TikTok's id of it.
    pub advertiser: String,
}

impl Account {
    /// A new one. Its app has the highest tier: the operator has to be started with it, too.
    pub fn new(sandbox: &Sandbox) -> Self {
        let answer = control(
            sandbox,
            "POST",
            "/sandbox/accounts",
            r#"{"tier":"ultimate"}"#,
        );
        let field = |name: &str| answer[name].as_str().unwrap().to_owned();
        Self {
            app: field("app_id"),
            secret: field("secret"),
            token: field("access_token"),
            advertiser: field("advertiser_id"),
        }
    }

    /// Secrets and a TikTokConnection, all named after `name`, with ceilings that hold nothing back. `more` is added to
    /// the connection's spec.
    pub fn connection(&self, name: &str, more: &str) -> String {
        format!(
            r#"
apiVersion: v1
kind: Secret
metadata: {{name: {name}-app}}
stringData: {{app_id: "{app}", secret: "{secret}"}}
---
apiVersion: v1
kind: Secret
metadata: {{name: {name}-token}}
stringData: {{access_token: "{token}"}}
---
apiVersion: tiktokads.dev/v1alpha1
kind: TikTokConnection
metadata: {{name: {name}}}
spec:
  appSecretRef: {{name: {name}-app}}
  tokenSecretRef: {{name: {name}-token}}
  advertiserId: "{advertiser}"
  caps: {{maxDailyBudgetPerObject: {{amount: "1000", currency: USD}}}}
  {more}
---
"#,
            app = self.app,
            secret = self.secret,
            token = self.token,
            advertiser = self.advertiser,
        )
    }

    /// What the platform has, deleted ones included.
    pub fn campaigns(&self, sandbox: &Sandbox) -> Vec<Value> {
        let path = format!("/sandbox/campaigns?advertiser_id={}", self.advertiser);
        let answer = control(sandbox, "GET", &path, "");
        answer["campaigns"].as_array().unwrap().clone()
    }

    /// How many of them are on, off and deleted.
    pub fn states(&self, sandbox: &Sandbox) -> States {
        let mut states = States::default();
        for row in self.campaigns(sandbox) {
            match row["fields"]["operation_status"].as_str() {
                _ if row["deleted"] == true => states.deleted += 1,
                Some("ENABLE") => states.on += 1,
                Some("DISABLE") => states.off += 1,
                other => panic!("{other:?} in {row}"),
            }
        }
        states
    }

    /// The sandbox's log of this account's requests, from after number `after` on.
    pub fn requests(&self, sandbox: &Sandbox, after: u64) -> Vec<Value> {
        let path = format!(
            "/sandbox/requests?advertiser_id={}&after={after}",
            self.advertiser
        );
        let answer = control(sandbox, "GET", &path, "");
        answer["requests"].as_array().unwrap().clone()
    }

    /// The number of the last request.
    pub fn last_request(&self, sandbox: &Sandbox) -> u64 {
        let all = self.requests(sandbox, 0);
        all.last()
            .map_or(0, |entry| entry["number"].as_u64().unwrap())
    }

    /// How often each path was called, from the sandbox's own counts.
    pub fn count(&self, sandbox: &Sandbox, path: &str) -> u64 {
        let answer = control(
            sandbox,
            "GET",
            &format!("/sandbox/counts?advertiser_id={}", self.advertiser),
            "",
        );
        answer["counts"][path]["total"].as_u64().unwrap_or(0)
    }
}

/// Platform objects by state.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct States {
    pub on: usize,
    pub off: usize,
    pub deleted: usize,
}

/// A call of the sandbox's control API; must succeed.
pub fn control(sandbox: &Sandbox, method: &str, path: &str, body: &str) -> Value {
    let answer = sandbox.request(method, path, body).unwrap();
    assert!(answer.status < 300, "{method} {path}: {}", answer.body);
    if answer.body.trim().is_empty() {
        return Value::Null;
    }
    serde_json::from_str(&answer.body).unwrap()
}

/// `count` campaigns named `{prefix}-000` and so on, wanted on. `more` is added to each spec.
pub fn campaigns(connection: &str, prefix: &str, count: usize, more: &str) -> String {
    let mut text = String::new();
    for index in 0..count {
        write!(
            text,
            r#"
apiVersion: tiktokads.dev/v1alpha1
kind: Campaign
metadata: {{name: {prefix}-{index:03}}}
spec:
  connectionRef: {{name: {connection}}}
  automation: Manual
  objective: Traffic
  budget: {{mode: Daily, amount: "60"}}
  state: Active
  {more}
---
"#
        )
        .unwrap();
    }
    text
}

/// All Campaigns of a namespace.
pub fn objects(kubectl: &Kubectl, namespace: &str) -> Result<Vec<Value>> {
    let list = kubectl.json(&["get", "campaigns", "-n", namespace])?;
    Ok(list["items"].as_array().cloned().unwrap_or_default())
}

/// A condition of an object.
pub fn condition<'a>(object: &'a Value, kind: &str) -> Option<&'a Value> {
    object["status"]["conditions"]
        .as_array()?
        .iter()
        .find(|one| one["type"] == kind)
}

/// Ready for its present generation, with an id, and on TikTok as `operation` (`On`, `Off`).
pub fn is_ready(object: &Value, operation: &str) -> bool {
    condition(object, "Ready").is_some_and(|ready| ready["status"] == "True")
        && object["status"]["observedGeneration"] == object["metadata"]["generation"]
        && object["status"]["operationStatus"] == operation
        && object["status"]["id"].is_string()
}

/// Waits until exactly `count` Campaigns are there, all ready and `operation`; returns them.
pub fn wait_ready(
    kubectl: &Kubectl,
    operator: &Operator,
    namespace: &str,
    count: usize,
    operation: &str,
    limit: Duration,
) -> Vec<Value> {
    let what = format!("{count} campaigns in {namespace} to be ready and {operation}");
    let all = wait_until(&what, limit, || {
        operator.alive()?;
        pace();
        let all = objects(kubectl, namespace)?;
        let ready = all.iter().filter(|one| is_ready(one, operation)).count();
        if ready == count && all.len() == count {
            return Ok(Ok(all));
        }
        let other = all.iter().find(|one| !is_ready(one, operation));
        Ok(Err(format!(
            "{ready} of {}; for instance {}",
            all.len(),
            other.map_or(Value::Null, |one| serde_json::json!({
                "name": one["metadata"]["name"], "status": one["status"],
                "record": one["metadata"]["annotations"]["tiktokads.dev/record"]}))
        )))
    });
    all.unwrap_or_else(|error| {
        panic!("{error}\n{}", tail(operator));
    })
}

/// Reading hundreds of objects by kubectl costs a second of a core: not twenty times a second.
pub fn pace() {
    std::thread::sleep(Duration::from_millis(400));
}

/// The end of an operator's log.
pub fn tail(operator: &Operator) -> String {
    let text = operator.output().unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(40)..].join("\n")
}

/// The sum of a metric over its labels. One that is not there is no 0: its name is wrong.
pub fn metric(operator: &Operator, name: &str) -> f64 {
    let text = operator.metrics().unwrap();
    let values = text.lines().filter_map(|line| {
        let rest = line.strip_prefix(name)?;
        (rest.starts_with(' ') || rest.starts_with('{')).then_some(())?;
        line.rsplit(' ').next()?.parse::<f64>().ok()
    });
    let values: Vec<f64> = values.collect();
    assert!(!values.is_empty(), "no metric {name} in:\n{text}");
    values.iter().sum()
}
