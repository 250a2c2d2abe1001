//! The rules that come from the platform and from money, each at a real seam: a real API server, the real binary under
//! the chart's rights, the sandbox over HTTP. A test's name begins with its rule's number.
//!
//! All tests of this module share one control plane, one operator with short times, and one sandbox. Each has a
//! namespace and an ad account of its own, so they run side by side.

mod access;
mod canary;
mod canary_connect;
mod ceilings;
mod conditions;
mod connecting;
mod create;
mod disconnect;
mod knobs;
mod lists;
mod modes;
mod nodes;
mod role;
mod rotation;
mod status;
mod throttle;
mod tree_appeals;
mod tree_budget;
mod tree_create;
mod tree_creatives;
mod tree_drift;
mod tree_kit;
mod tree_lists;
mod tree_modes;
mod tree_parents;
mod tree_pauses;
mod tree_review;
mod tree_schedule;
mod tree_siblings;
mod tree_status;
mod tree_unclear;
mod tree_update;
mod update;
mod webhooks;

use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use kube::config::{KubeConfigOptions, Kubeconfig};
use serde_json::{Value, json};
use tiktok_ads_harness::{Chart, ControlPlane, Install, Operator, Sandbox, wait_until};

/// The program under test.
pub const BINARY: &str = env!("CARGO_BIN_EXE_tiktok-ads-operator");
/// Two cores with many tests on them: generous, since nobody waits that long when things work.
const PATIENCE: Duration = Duration::from_secs(120);

/// Times that keep the order of the real ones and take seconds instead of minutes.
pub const TIMES: &[&str] = &[
    "--names-interval=300ms",
    "--names-fresh=3s",
    "--read-back-delay=300ms",
    "--settle=2s",
    "--absence-spacing=1s",
    "--absence-after-deadline=1s",
    "--call-deadline=3s",
    "--write-deadline=5s",
    "--backoff-first=300ms",
    "--backoff-longest=2s",
    "--pause-again=500ms",
    "--review-again=20s",
];

/// Everything that our own crate can log: no test here may find a secret in it.
pub const LOUD: &[(&str, &str)] = &[
    ("RUST_LOG", "info,tiktok_ads_operator=trace"),
    ("RUST_BACKTRACE", "1"),
];

struct World {
    cluster: &'static ControlPlane,
    operator: Operator,
    sandbox: Sandbox,
    runtime: tokio::runtime::Runtime,
    client: kube::Client,
}

fn world() -> &'static World {
    static WORLD: OnceLock<Result<World, String>> = OnceLock::new();
    match WORLD.get_or_init(|| start(LOUD).map_err(|error| error.to_string())) {
        Ok(world) => world,
        Err(why) => panic!("what the rules are tested in did not come up: {why}"),
    }
}

/// A control plane with an operator and a sandbox, for as long as the tests run.
fn start(env: &[(&str, &str)]) -> tiktok_ads_harness::Result<World> {
    let cluster: &'static ControlPlane = Box::leak(Box::new(ControlPlane::start()?));
    let sandbox = Sandbox::start(cluster, Path::new(BINARY), &["--seed", "3"])?;
    let install = cluster.install(
        Chart::cluster_wide()
            .set("platform.sweepInterval=1s")
            .platform_url(sandbox.url()),
    )?;
    let install: &'static Install<'static> = Box::leak(Box::new(install));
    wait_until("the kinds to be served", PATIENCE, || {
        let answer = cluster.run(&["get", "campaigns,adgroups,ads,tiktokconnections", "-A"])?;
        Ok(if answer.success {
            Ok(())
        } else {
            Err(answer.stderr)
        })
    })?;
    let operator = install.run_with(Path::new(BINARY), TIMES, env)?;
    operator.wait_ready(PATIENCE)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let client = runtime.block_on(client(cluster));
    Ok(World {
        cluster,
        operator,
        sandbox,
        runtime,
        client,
    })
}

async fn client(cluster: &ControlPlane) -> kube::Client {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let file = Kubeconfig::read_from(cluster.kubeconfig()).unwrap();
    let config = kube::Config::from_custom_kubeconfig(file, &KubeConfigOptions::default())
        .await
        .unwrap();
    kube::Client::try_from(config).unwrap()
}

/// One test's namespace and ad account.
pub struct Case {
    world: &'static World,
    pub namespace: String,
    pub advertiser: String,
    pub token: String,
    pub secret: String,
    pub app: String,
}

/// Ceilings that are in nobody's way.
pub fn wide_caps() -> Value {
    json!({
        "maxDailyBudgetPerObject": {"amount": "1000", "currency": "USD"},
        "maxDailyBudgetTotal": {"amount": "5000", "currency": "USD"},
    })
}

/// A campaign's spec with what every one needs, and more on top.
pub fn spec(more: Value) -> Value {
    let mut spec = json!({
        "connectionRef": {"name": "main"},
        "automation": "Manual",
        "objective": "Traffic",
        "budget": {"mode": "Daily", "amount": "60"},
    });
    merge(&mut spec, more);
    spec
}

/// A Smart+ campaign's spec.
pub fn smart_plus(more: Value) -> Value {
    let mut spec = json!({
        "connectionRef": {"name": "main"},
        "automation": "SmartPlus",
        "objective": "WebConversions",
        "budgetOptimization": true,
        "budget": {"mode": "DynamicDaily", "amount": "60"},
    });
    merge(&mut spec, more);
    spec
}

/// RFC 7386, as far as it is needed: a null removes.
fn merge(into: &mut Value, more: Value) {
    match (into, more) {
        (Value::Object(into), Value::Object(more)) => {
            for (name, value) in more {
                if value.is_null() {
                    into.remove(&name);
                } else {
                    merge(into.entry(name).or_insert(Value::Null), value);
                }
            }
        }
        (into, more) => *into = more,
    }
}

/// The condition of a type, or null.
pub fn condition<'a>(object: &'a Value, type_: &str) -> &'a Value {
    object["status"]["conditions"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|one| one["type"] == type_)
        .unwrap_or(&Value::Null)
}

/// The reason of `Ready`.
pub fn reason(object: &Value) -> &str {
    condition(object, "Ready")["reason"]
        .as_str()
        .unwrap_or_default()
}

/// The status speaks of the newest spec and `Ready` has this reason.
pub fn is(object: &Value, wanted: &str) -> bool {
    reason(object) == wanted
        && condition(object, "Ready")["observedGeneration"] == object["metadata"]["generation"]
}

/// The record in the annotation.
pub fn record(object: &Value) -> Value {
    object["metadata"]["annotations"]["tiktokads.dev/record"]
        .as_str()
        .map_or(Value::Null, |text| serde_json::from_str(text).unwrap())
}

/// The banner of a connection.
pub fn banner(connection: &Value) -> &str {
    connection["status"]["banner"].as_str().unwrap_or_default()
}

/// What the banner has to say of an access token that TikTok refuses, imported from Secret `token`. How long it is still to
/// last, nobody knows.
pub fn refused_banner(connection: &Value) -> String {
    let since = condition(connection, "ReadOnly")["lastTransitionTime"].as_str();
    format!(
        "Read-only since {}: TikTok refuses the access token (TikTok says: Access token is incorrect or has been \
         revoked. (code 40105). The access token is not valid or was revoked: authorise the connection again), so nothing is \
         changed, and pauses no longer reach TikTok (pause in Ads Manager if you must); put a new token into the Secret \
         token, and this goes away by itself.",
        since.unwrap()
    )
}

/// The platform id in the status.
pub fn id(object: &Value) -> String {
    object["status"]["id"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

/// What a test leaves behind is not looked after any longer: the others have the operator to themselves.
impl Drop for Case {
    fn drop(&mut self) {
        let path = self.path("tiktokconnections", "main");
        let _ = self.api("DELETE", &path, &Value::Null);
    }
}

impl Case {
    /// A namespace and an account with a connection `main` that is ready, and wide ceilings.
    pub fn new(name: &str) -> Self {
        let case = Self::bare(name, json!({}));
        case.connect(json!({"caps": wide_caps()}));
        case.wait_connection("Verified");
        case
    }

    /// Only the namespace, the account and its two Secrets.
    pub fn bare(name: &str, account: Value) -> Self {
        Self::bare_in(world(), name, account)
    }

    /// The same beside an operator of its own.
    fn bare_in(world: &'static World, name: &str, account: Value) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(1);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let mut case = Self {
            world,
            namespace: format!("{name}-{number}"),
            advertiser: String::new(),
            token: String::new(),
            secret: String::new(),
            app: String::new(),
        };
        let made = case.sandbox("POST", "/sandbox/accounts", &account);
        let text = |name: &str| made[name].as_str().unwrap().to_owned();
        case.advertiser = text("advertiser_id");
        case.token = text("access_token");
        case.secret = text("secret");
        case.app = text("app_id");
        let namespace = json!({"metadata": {"name": case.namespace}});
        case.api("POST", "/api/v1/namespaces", &namespace).unwrap();
        case.secret("app", json!({"app_id": case.app, "secret": case.secret}));
        case.secret("token", json!({"access_token": case.token}));
        case
    }

    /// Makes a Secret.
    pub fn secret(&self, name: &str, content: Value) {
        let path = format!("/api/v1/namespaces/{}/secrets", self.namespace);
        let secret = json!({"metadata": {"name": name}, "stringData": content});
        self.api("POST", &path, &secret).unwrap();
    }

    /// Creates the connection `main`.
    pub fn connect(&self, more: Value) {
        let mut spec = json!({
            "appSecretRef": {"name": "app"},
            "tokenSecretRef": {"name": "token"},
            "advertiserId": self.advertiser,
        });
        merge(&mut spec, more);
        self.create("tiktokconnections", "main", json!({}), spec)
            .unwrap();
    }

    // ---- the API server ----

    fn api(&self, method: &str, path: &str, body: &Value) -> Result<Value, String> {
        let kind = if method == "PATCH" {
            "application/merge-patch+json"
        } else {
            "application/json"
        };
        let request = http::Request::builder()
            .method(method)
            .uri(path)
            .header("content-type", kind)
            .body(if body.is_null() {
                Vec::new()
            } else {
                serde_json::to_vec(body).unwrap()
            })
            .unwrap();
        self.world
            .runtime
            .block_on(self.world.client.request::<Value>(request))
            .map_err(|error| error.to_string())
    }

    fn path(&self, plural: &str, name: &str) -> String {
        let group = if plural == "secrets" || plural == "events" {
            "/api/v1"
        } else {
            "/apis/tiktokads.dev/v1alpha1"
        };
        let slash = if name.is_empty() { "" } else { "/" };
        format!(
            "{group}/namespaces/{}/{plural}{slash}{name}",
            self.namespace
        )
    }

    fn create(
        &self,
        plural: &str,
        name: &str,
        annotations: Value,
        spec: Value,
    ) -> Result<Value, String> {
        let kind = match plural {
            "campaigns" => "Campaign",
            _ => "TikTokConnection",
        };
        let object = json!({
            "apiVersion": "tiktokads.dev/v1alpha1", "kind": kind,
            "metadata": {"name": name, "annotations": annotations}, "spec": spec,
        });
        self.api("POST", &self.path(plural, ""), &object)
    }

    /// Creates a campaign.
    pub fn campaign(&self, name: &str, spec: Value) -> Value {
        self.create("campaigns", name, json!({}), spec).unwrap()
    }

    /// Tries to create a campaign that the API server refuses; what it says.
    pub fn refused(&self, plural: &str, spec: Value) -> String {
        self.create(plural, "refused", json!({}), spec).unwrap_err()
    }

    /// A merge patch of a campaign.
    pub fn patch(&self, name: &str, patch: Value) -> Value {
        self.api("PATCH", &self.path("campaigns", name), &patch)
            .unwrap()
    }

    /// A merge patch of a campaign's spec.
    pub fn edit(&self, name: &str, spec: Value) -> Value {
        self.patch(name, json!({"spec": spec}))
    }

    /// Puts another content into a Secret.
    pub fn replace_secret(&self, name: &str, content: Value) {
        let path = self.path("secrets", name);
        self.api("PATCH", &path, &json!({"stringData": content}))
            .unwrap();
    }

    /// All that the operator has logged so far, about other tests' objects too.
    pub fn log(&self) -> String {
        self.world.operator.output().unwrap()
    }

    /// The operator's metrics.
    pub fn metrics(&self) -> String {
        self.world.operator.metrics().unwrap()
    }

    /// The API server's audit log.
    pub fn audit_log(&self) -> String {
        std::fs::read_to_string(self.world.cluster.audit().path()).unwrap()
    }

    /// All objects of a kind.
    pub fn list(&self, path: &str) -> Value {
        self.api("GET", path, &Value::Null).unwrap()
    }

    /// A merge patch of a campaign's status, which only an admin or a restore does.
    pub fn patch_status(&self, name: &str, patch: Value) {
        let path = format!("{}/status", self.path("campaigns", name));
        self.api("PATCH", &path, &patch).unwrap();
    }

    /// A merge patch of the connection's spec.
    pub fn edit_connection(&self, spec: Value) {
        let path = self.path("tiktokconnections", "main");
        self.api("PATCH", &path, &json!({"spec": spec})).unwrap();
    }

    /// Asks for deletion.
    pub fn delete(&self, plural: &str, name: &str) {
        self.api("DELETE", &self.path(plural, name), &Value::Null)
            .unwrap();
    }

    /// A campaign as it is now.
    pub fn get(&self, name: &str) -> Value {
        self.read("campaigns", name).unwrap()
    }

    /// An object as it is now, or why it cannot be read.
    pub fn read(&self, plural: &str, name: &str) -> Result<Value, String> {
        self.api("GET", &self.path(plural, name), &Value::Null)
    }

    /// The reasons of all events about a campaign.
    pub fn events(&self, name: &str) -> Vec<(String, String)> {
        let path = format!(
            "/apis/events.k8s.io/v1/namespaces/{}/events",
            self.namespace
        );
        let list = self.api("GET", &path, &Value::Null).unwrap();
        list["items"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|event| event["regarding"]["name"] == name)
            .map(|event| {
                let text = |field: &str| event[field].as_str().unwrap_or_default().to_owned();
                (text("reason"), text("note"))
            })
            .collect()
    }

    /// Waits until a campaign is as `wanted` says.
    #[track_caller]
    pub fn wait(&self, name: &str, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let found = wait_until(what, PATIENCE, || {
            let object = self.get(name);
            Ok(if wanted(&object) {
                Ok(object)
            } else {
                Err(object["status"].to_string())
            })
        });
        found.unwrap_or_else(|error| panic!("{error}\n{}", self.story()))
    }

    /// Waits until a campaign's `Ready` has this reason for its newest spec.
    #[track_caller]
    pub fn wait_for(&self, name: &str, reason: &str) -> Value {
        self.wait(name, &format!("{name}: {reason}"), |object| {
            is(object, reason)
        })
    }

    /// Waits until a campaign is in sync and switched on.
    #[track_caller]
    pub fn wait_live(&self, name: &str) -> Value {
        self.wait(name, &format!("{name} to be live"), |object| {
            is(object, "InSync") && object["status"]["operationStatus"] == "On"
        })
    }

    /// Waits until an object is gone.
    #[track_caller]
    pub fn wait_gone(&self, plural: &str, name: &str) {
        let gone = wait_until(&format!("{name} to be gone"), PATIENCE, || {
            Ok(match self.read(plural, name) {
                Err(error) if error.contains("not found") => Ok(()),
                other => Err(format!("{other:?}")),
            })
        });
        gone.unwrap_or_else(|error| panic!("{error}\n{}", self.story()));
    }

    /// Waits until the connection's `Ready` has this reason.
    #[track_caller]
    pub fn wait_connection(&self, wanted: &str) -> Value {
        let found = wait_until(&format!("the connection: {wanted}"), PATIENCE, || {
            let object = self.read("tiktokconnections", "main").unwrap();
            Ok(if is(&object, wanted) {
                Ok(object)
            } else {
                Err(object["status"].to_string())
            })
        });
        found.unwrap_or_else(|error| panic!("{error}\n{}", self.story()))
    }

    /// Waits until something that is not an object is so.
    #[track_caller]
    pub fn until(&self, what: &str, mut wanted: impl FnMut() -> bool) {
        let found = wait_until(what, PATIENCE, || {
            Ok(if wanted() { Ok(()) } else { Err(String::new()) })
        });
        found.unwrap_or_else(|error| panic!("{error}\n{}", self.story()));
    }

    /// Waits until two lists of this tree were begun after now and were answered: what they show has been seen.
    #[track_caller]
    pub fn sweeps(&self, path: &str) {
        let whole = |entry: &&Value| {
            let query = entry["query"].to_string();
            !query.contains("campaign_ids") && !query.contains("campaign_name")
        };
        let count = || self.requests(path).iter().filter(whole).count();
        let before = count();
        self.until("two more lists", || count() >= before + 2);
        std::thread::sleep(Duration::from_millis(300));
    }

    // ---- the platform ----

    /// A call of the sandbox's control interface.
    pub fn sandbox(&self, method: &str, path: &str, body: &Value) -> Value {
        let answer = self
            .world
            .sandbox
            .request(method, path, &body.to_string())
            .unwrap();
        assert!(answer.status < 300, "{method} {path}: {}", answer.body);
        serde_json::from_str(&answer.body).unwrap()
    }

    fn of_mine(&self, path: &str) -> String {
        format!("{path}?advertiser_id={}", self.advertiser)
    }

    /// Sets the account's status and the like.
    pub fn account(&self, account: Value) {
        let path = format!("/sandbox/accounts/{}", self.advertiser);
        self.sandbox("PATCH", &path, &account);
    }

    /// Sets knobs for this account.
    pub fn knobs(&self, knobs: Value) {
        self.sandbox("PATCH", &self.of_mine("/sandbox/knobs"), &knobs);
    }

    /// Puts a fault in place for this account's requests of a path.
    pub fn fault(&self, path: &str, kind: Value, count: u32) -> u64 {
        let mut fault = json!({
            "match": {"advertiser_id": self.advertiser, "path": path, "count": count},
        });
        merge(&mut fault, kind);
        let made = self.sandbox("POST", "/sandbox/faults", &fault);
        made["id"].as_u64().unwrap_or_else(|| panic!("{made}"))
    }

    /// Puts a fault in place once for requests that name no advertiser but contain a text.
    pub fn fault_anywhere(&self, path: &str, contains: &str, kind: Value) {
        let mut fault = json!({"match": {"path": path, "contains": contains, "count": 1}});
        merge(&mut fault, kind);
        self.sandbox("POST", "/sandbox/faults", &fault);
    }

    /// An OAuth exchange as the sandbox's own client; the new access token.
    pub fn exchange(&self, body: &Value) -> String {
        let answer = self.sandbox("POST", "/open_api/v1.3/oauth2/access_token/", body);
        let token = answer["data"]["access_token"].as_str();
        token.unwrap_or_else(|| panic!("{answer}")).to_owned()
    }

    /// Removes all faults of this account.
    pub fn no_faults(&self) {
        self.sandbox("DELETE", &self.of_mine("/sandbox/faults"), &Value::Null);
    }

    /// A campaign made by a person in Ads Manager; its id.
    pub fn made_outside(&self, tree: &str, fields: Value) -> String {
        let mut body = json!({"advertiser_id": self.advertiser, "tree": tree});
        merge(&mut body, fields);
        let made = self.sandbox("POST", "/sandbox/campaigns", &body);
        made["campaign_id"]
            .as_str()
            .unwrap_or_else(|| panic!("{made}"))
            .to_owned()
    }

    /// What a person or TikTok does to a campaign.
    pub fn outside(&self, id: &str, action: &str) {
        self.sandbox(
            "POST",
            &format!("/sandbox/campaigns/{id}/{action}"),
            &json!({}),
        );
    }

    /// Money is spent.
    pub fn spend(&self, id: &str, amount: f64) {
        let path = format!("/sandbox/campaigns/{id}/spend");
        self.sandbox("POST", &path, &json!({"amount": amount}));
    }

    /// Fields of a campaign are edited in Ads Manager.
    pub fn edit_outside(&self, id: &str, fields: Value) {
        self.sandbox("PATCH", &format!("/sandbox/campaigns/{id}"), &fields);
    }

    /// All campaigns of the account as they really are, deleted ones too.
    pub fn truth(&self) -> Vec<Value> {
        let all = self.sandbox("GET", &self.of_mine("/sandbox/campaigns"), &Value::Null);
        all["campaigns"]
            .as_array()
            .unwrap_or_else(|| panic!("{all}"))
            .clone()
    }

    /// One campaign as it really is.
    pub fn row(&self, id: &str) -> Value {
        self.truth()
            .into_iter()
            .find(|row| row["campaign_id"] == id)
            .unwrap_or_else(|| panic!("no campaign {id}"))
    }

    /// Is a campaign really switched on?
    pub fn is_on(&self, id: &str) -> bool {
        let row = self.row(id);
        row["fields"]["operation_status"] == "ENABLE" && row["deleted"] != true
    }

    /// The requests of this account whose path ends so, oldest first.
    pub fn requests(&self, path: &str) -> Vec<Value> {
        let all = self.sandbox("GET", &self.of_mine("/sandbox/requests"), &Value::Null);
        all["requests"]
            .as_array()
            .unwrap_or_else(|| panic!("{all}"))
            .iter()
            .filter(|entry| {
                entry["path"]
                    .as_str()
                    .is_some_and(|have| have == format!("/open_api/v1.3{path}") || path == "*")
            })
            .cloned()
            .collect()
    }

    /// The writes of this account: path and body.
    pub fn writes(&self) -> Vec<(String, Value)> {
        self.requests("*")
            .iter()
            .filter(|entry| entry["method"] == "POST")
            .map(|entry| {
                let path = entry["path"].as_str().unwrap_or_default();
                (path.replace("/open_api/v1.3", ""), entry["body"].clone())
            })
            .collect()
    }

    /// What happened, for the message of a test that failed.
    fn story(&self) -> String {
        let mut story = String::from("--- calls\n");
        for entry in self.requests("*") {
            let cut = |value: &Value| value.to_string().chars().take(300).collect::<String>();
            story += &format!(
                "{} {} {} {} -> {} {} {}\n",
                entry["time"].as_str().unwrap_or_default(),
                entry["method"].as_str().unwrap_or_default(),
                entry["path"].as_str().unwrap_or_default(),
                if entry["method"] == "GET" {
                    cut(&entry["query"])
                } else {
                    cut(&entry["body"])
                },
                entry["code"],
                entry["message"],
                entry["faults"],
            );
        }
        story += "--- the operator's log\n";
        let log = self.world.operator.output().unwrap_or_default();
        for line in log.lines().filter(|line| {
            line.contains(&format!("{}/", self.namespace)) || line.contains(&self.advertiser)
        }) {
            story += &line.chars().take(400).collect::<String>();
            story.push('\n');
        }
        story
    }
}
