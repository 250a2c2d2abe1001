//! SIGKILL of the real binary at every boundary of a create, an enable, an update, a pause and a deletion.
//!
//! A boundary is a pair of what TikTok has and what the object's record says when the process dies. Each is reached for
//! certain, not by luck in time: calls are held up or lost by the sandbox's faults, writes to the API server by a policy
//! that refuses exactly that write. All boundaries of one verb are reached side by side, each in an ad account of its own,
//! and one SIGKILL then ends them all. A new process has to bring each to the right end by itself.

use std::time::Duration;

use serde_json::{Value, json};
use tiktok_ads_harness::{Chart, Install, Operator, Sandbox, shared, wait_until};

use crate::fleet::{self, Account, States, binary, control};

const LIMIT: Duration = Duration::from_secs(120);
const FLAGS: [&str; 9] = [
    "--lease-duration=12s",
    "--lease-renew=1s",
    "--call-deadline=8s",
    "--write-deadline=10s",
    "--absence-spacing=1s",
    // Longer than an effect of ours is ever late here.
    "--absence-after-deadline=15s",
    "--backoff-longest=2s",
    "--read-back-delay=500ms",
    "--settle=2s",
];
/// A call that is being answered when the process dies.
const ANSWER: u64 = 7_000;
/// An effect that comes only after the next process has begun.
const EFFECT: u64 = 14_000;

/// Where the process dies.
#[derive(Clone, Copy, Debug, PartialEq)]
enum At {
    /// This call is under way, and TikTok has not done it yet: the process waits for a list or a look-up.
    Reading { contains: &'static str },
    /// The call was begun and never reached TikTok.
    Lost,
    /// The call has reached TikTok, which will do it after the process is gone.
    Late,
    /// TikTok has done it; the answer is under way.
    Answering,
    /// The write to the API server that contains this is refused: the process dies before it.
    Writing(&'static str),
}

#[derive(Clone, Copy, Debug)]
struct Boundary {
    name: &'static str,
    at: At,
}

const fn at(name: &'static str, at: At) -> Boundary {
    Boundary { name, at }
}

/// A namespace, its operator, and an ad account for each boundary.
struct Scene {
    namespace: String,
    sandbox: Sandbox,
    install: Install<'static>,
    accounts: Vec<(Boundary, Account)>,
}

impl Scene {
    fn new(verb: &str, boundaries: &[Boundary]) -> (Self, Operator) {
        let cluster = shared();
        let namespace = cluster.namespace(&format!("kill-{verb}")).unwrap();
        let sandbox =
            Sandbox::start(cluster, binary(), &["--seed", "4", "--knob", "rate=off"]).unwrap();
        let chart = Chart::new(&namespace)
            .watch(&namespace)
            .platform_url(sandbox.url())
            .set("platform.tier=Ultimate")
            .set("platform.sweepInterval=2s");
        let install = cluster.install(chart).unwrap();
        let accounts: Vec<(Boundary, Account)> = boundaries
            .iter()
            .map(|boundary| (*boundary, Account::new(&sandbox)))
            .collect();
        let scene = Self {
            namespace,
            sandbox,
            install,
            accounts,
        };
        let operator = scene.install.run_with(binary(), &FLAGS, &[]).unwrap();
        operator.wait_ready(Duration::from_secs(60)).unwrap();
        let connections: String = scene
            .accounts
            .iter()
            .map(|(boundary, account)| account.connection(boundary.name, ""))
            .collect();
        cluster.apply(&scene.namespace, &connections).unwrap();
        scene.hold_writes();
        (scene, operator)
    }

    fn kubectl(&self, args: &[&str]) -> String {
        let mut all = args.to_vec();
        all.extend(["-n", &self.namespace]);
        shared().run(&all).unwrap().ok().unwrap()
    }

    fn apply(&self, name: &str, more: &str) {
        let text = fleet::campaigns(name, name, 1, more).replace(&format!("{name}-000"), name);
        shared().apply(&self.namespace, &text).unwrap();
    }

    fn ready(&self, operator: &Operator, operation: &str) {
        let count = self.accounts.len();
        fleet::wait_ready(shared(), operator, &self.namespace, count, operation, LIMIT);
    }

    /// A policy that refuses, in this namespace, the writes at which a process is to die. An object is held by its name.
    fn hold_writes(&self) {
        let held: Vec<Value> = self
            .accounts
            .iter()
            .filter_map(|(boundary, _)| match boundary.at {
                At::Writing(what) => Some((boundary.name, what)),
                _ => None,
            })
            .map(|(name, what)| {
                let write = if what == "finalizer" {
                    "'tiktokads.dev/finalizer' in oldObject.metadata.?finalizers.orValue([]) && !('tiktokads.dev/finalizer' in object.metadata.?finalizers.orValue([]))".to_owned()
                } else {
                    let record = "metadata.?annotations['tiktokads.dev/record'].orValue('')";
                    format!("object.{record}.contains('{what}') && !oldObject.{record}.contains('{what}')")
                };
                json!({"expression": format!("object.metadata.name != '{name}' || !({write})"), "reason": "Forbidden", "message": "held"})
            })
            .collect();
        if held.is_empty() {
            return;
        }
        let name = &self.namespace;
        let policy = json!({"apiVersion": "v1", "kind": "List", "items": [
            {"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicy", "metadata": {"name": name}, "spec": {
                "matchConstraints": {"resourceRules": [{"apiGroups": ["tiktokads.dev"], "apiVersions": ["*"], "operations": ["UPDATE"], "resources": ["campaigns"]}]},
                "validations": held.into_iter().chain([
                    json!({"expression": "object.metadata.name != 'probe' || object.spec.state != 'Active'", "message": "held"})
                ]).collect::<Vec<_>>()}},
            {"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicyBinding", "metadata": {"name": name}, "spec": {
                "policyName": name, "validationActions": ["Deny"],
                "matchResources": {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": name}}}}},
        ]});
        shared().apply(name, &policy.to_string()).unwrap();
        // It is in force some seconds later. The probe has no connection, and is gone before anything is counted.
        let probe = fleet::campaigns("nothing", "probe", 1, "").replace("probe-000", "probe");
        shared()
            .apply(name, &probe.replace("Active", "Paused"))
            .unwrap();
        wait_until("the policy to hold writes", Duration::from_secs(60), || {
            let args = [
                "patch",
                "campaign",
                "probe",
                "-n",
                name,
                "--type=merge",
                "--dry-run=server",
            ];
            let mut args = args.to_vec();
            args.extend(["-p", r#"{"spec":{"state":"Active"}}"#]);
            let answer = shared().run(&args)?;
            Ok(if answer.stderr.contains("held") {
                Ok(())
            } else {
                Err(answer.stdout)
            })
        })
        .unwrap();
        self.kubectl(&["delete", "campaign", "probe", "--timeout=30s"]);
    }

    fn let_writes_go(&self) {
        let args = [
            "delete",
            "--ignore-not-found",
            "validatingadmissionpolicybinding",
        ];
        let mut args = args.to_vec();
        args.push(&self.namespace);
        shared().run(&args).unwrap().ok().unwrap();
    }

    /// Sets the faults on calls to `path`, does `act` to each object, waits until each has reached its boundary, and
    /// kills. What is in flight for a limited time comes last, so that all of it is in flight at that moment.
    fn kill(&self, operator: &Operator, path: &str, act: impl Fn(&str)) {
        let mark = shared().audit().mark().unwrap();
        for (boundary, account) in &self.accounts {
            let fault = match boundary.at {
                At::Reading { contains } => json!({"kind": "delay", "ms": ANSWER, "match":
                    {"method": "GET", "path": "*campaign/get/", "contains": contains}}),
                At::Lost => json!({"kind": "cut_before", "match": {"path": path, "count": 0}}),
                At::Late => {
                    json!({"kind": "effect_delay", "ms": EFFECT, "match": {"path": path, "count": 0}})
                }
                At::Answering => json!({"kind": "delay", "ms": ANSWER, "match": {"path": path}}),
                At::Writing(_) => continue,
            };
            let mut fault = fault;
            fault["match"]["advertiser_id"] = account.advertiser.clone().into();
            control(&self.sandbox, "POST", "/sandbox/faults", &fault.to_string());
        }
        let lasts = |at: At| matches!(at, At::Lost | At::Writing(_));
        for round in [true, false] {
            for (boundary, _) in self.accounts.iter().filter(|(b, _)| lasts(b.at) == round) {
                act(boundary.name);
            }
            for (boundary, account) in self.accounts.iter().filter(|(b, _)| lasts(b.at) == round) {
                let reached = wait_until(boundary.name, Duration::from_secs(60), || {
                    operator.alive()?;
                    let reached = if matches!(boundary.at, At::Writing(_)) {
                        let seen = shared().audit().since(mark)?.namespace(&self.namespace);
                        let refused = |r: &tiktok_ads_harness::audit::Request| {
                            r.name == boundary.name && r.code == 403 && r.verb == "patch"
                        };
                        seen.resource("campaigns").only(refused).count() > 0
                    } else {
                        let path = format!("/sandbox/faults?advertiser_id={}", account.advertiser);
                        let faults = control(&self.sandbox, "GET", &path, "");
                        let mine = faults["faults"].as_array().unwrap().iter().filter(|fault| {
                            fault["match"]["advertiser_id"] == account.advertiser.as_str()
                        });
                        mine.clone().count() == 0 || mine.clone().any(|f| f["struck"] != 0)
                    };
                    Ok(if reached { Ok(()) } else { Err(String::new()) })
                });
                reached.unwrap_or_else(|error| panic!("{error}\n{}", fleet::tail(operator)));
            }
        }
        operator.kill().unwrap();
    }

    /// The record of an object, as the process that died left it.
    fn record(&self, name: &str) -> Value {
        let object: Value =
            serde_json::from_str(&self.kubectl(&["get", "campaign", name, "-o", "json"])).unwrap();
        let text = &object["metadata"]["annotations"]["tiktokads.dev/record"];
        text.as_str()
            .map_or(Value::Null, |text| serde_json::from_str(text).unwrap())
    }

    /// The next process, with nothing in its way.
    fn restart(&self) -> Operator {
        for (_, account) in &self.accounts {
            let path = format!("/sandbox/faults?advertiser_id={}", account.advertiser);
            control(&self.sandbox, "DELETE", &path, "");
        }
        self.let_writes_go();
        let operator = self.install.run_with(binary(), &FLAGS, &[]).unwrap();
        operator.wait_ready(Duration::from_secs(60)).unwrap();
        operator
    }

    /// Every account has exactly one platform object, in this state; also after what was late has happened.
    fn each(&self, expected: States) {
        std::thread::sleep(Duration::from_millis(1_000));
        for (boundary, account) in &self.accounts {
            let all = account.campaigns(&self.sandbox);
            assert_eq!(
                account.states(&self.sandbox),
                expected,
                "{boundary:?}: {all:?}"
            );
        }
    }
}

const ON: States = States {
    on: 1,
    off: 0,
    deleted: 0,
};
const OFF: States = States {
    on: 0,
    off: 1,
    deleted: 0,
};
const DELETED: States = States {
    on: 0,
    off: 0,
    deleted: 1,
};

/// What a call can have come to when its sender dies.
const CALL: [Boundary; 3] = [
    at("lost", At::Lost),
    at("late", At::Late),
    at("answering", At::Answering),
];

#[test]
fn r11_a_create_killed_at_any_boundary_ends_with_one_campaign() {
    let mut boundaries = CALL.to_vec();
    boundaries.push(at("names", At::Reading { contains: "" }));
    boundaries.push(at("mark", At::Writing("\"mark\":")));
    boundaries.push(at("id", At::Writing("\"id\":")));
    let (scene, operator) = Scene::new("create", &boundaries);
    scene.kill(&operator, "*/campaign/create/", |name| {
        scene.apply(name, "")
    });
    // They are what they are called.
    for (boundary, account) in &scene.accounts {
        let record = scene.record(boundary.name);
        let made = account.campaigns(&scene.sandbox).len();
        match boundary.name {
            "names" | "mark" => assert_eq!((&record, made), (&Value::Null, 0), "{boundary:?}"),
            _ => {
                assert!(record["mark"].is_object(), "{boundary:?}: {record}");
                assert!(record["id"].is_null(), "{boundary:?}: {record}");
                let effect = matches!(boundary.name, "answering" | "id");
                assert_eq!(made, usize::from(effect), "{boundary:?}");
            }
        }
    }
    let operator = scene.restart();
    scene.ready(&operator, "On");
    scene.each(ON);
}

#[test]
fn an_enable_killed_at_any_boundary_ends_with_one_campaign_that_is_on() {
    let mut boundaries = CALL.to_vec();
    boundaries.push(at("seen", At::Writing("\"seenOn\":true")));
    let (scene, operator) = Scene::new("enable", &boundaries);
    scene.kill(&operator, "*/campaign/status/update/", |name| {
        scene.apply(name, "")
    });
    for (boundary, account) in &scene.accounts {
        let effect = matches!(boundary.name, "answering" | "seen");
        let expected = if effect { ON } else { OFF };
        assert_eq!(account.states(&scene.sandbox), expected, "{boundary:?}");
        assert!(scene.record(boundary.name)["seenOn"].is_null());
    }
    let operator = scene.restart();
    scene.ready(&operator, "On");
    scene.each(ON);
}

/// Campaigns that are on, and an edit that needs a call to `path`. `done` says of a platform object whether it happened.
fn killed_after_edit(
    verb: &str,
    path: &str,
    edit: &str,
    operation: &str,
    done: impl Fn(&Value) -> bool,
) {
    let (scene, operator) = Scene::new(verb, &CALL);
    for (boundary, _) in &scene.accounts {
        scene.apply(boundary.name, "");
    }
    scene.ready(&operator, "On");
    scene.kill(&operator, path, |name| {
        scene.kubectl(&["patch", "campaign", name, "--type=merge", "-p", edit]);
    });
    for (boundary, account) in &scene.accounts {
        let all = account.campaigns(&scene.sandbox);
        let effect = boundary.name == "answering";
        assert_eq!(done(&all[0]), effect, "{boundary:?}: {all:?}");
    }
    let operator = scene.restart();
    scene.ready(&operator, operation);
    for (boundary, account) in &scene.accounts {
        let all = account.campaigns(&scene.sandbox);
        assert!(all.len() == 1 && done(&all[0]), "{boundary:?}: {all:?}");
    }
    scene.each(if operation == "On" { ON } else { OFF });
}

#[test]
fn an_update_killed_at_any_boundary_ends_with_the_new_budget() {
    let edit = r#"{"spec":{"budget":{"amount":"75"}}}"#;
    let done = |row: &Value| row["fields"]["budget"].as_f64() == Some(75.0);
    killed_after_edit("update", "*/campaign/update/", edit, "On", done);
}

#[test]
fn r07_a_pause_killed_at_any_boundary_ends_with_the_campaign_off() {
    let edit = r#"{"spec":{"state":"Paused"}}"#;
    let done = |row: &Value| row["fields"]["operation_status"] == "DISABLE";
    killed_after_edit("pause", "*/campaign/status/update/", edit, "Off", done);
}

fn killed_while_deleting(verb: &str, policy: &str, end: States) {
    let mut boundaries = CALL.to_vec();
    boundaries.push(at("finalizer", At::Writing("finalizer")));
    let (scene, operator) = Scene::new(verb, &boundaries);
    for (boundary, _) in &scene.accounts {
        scene.apply(boundary.name, &format!("deletionPolicy: {policy}"));
    }
    scene.ready(&operator, "On");
    scene.kill(&operator, "*/campaign/status/update/", |name| {
        scene.kubectl(&["delete", "campaign", name, "--wait=false"]);
    });
    for (boundary, account) in &scene.accounts {
        let effect = matches!(boundary.name, "answering" | "finalizer");
        let expected = if effect { end } else { ON };
        assert_eq!(account.states(&scene.sandbox), expected, "{boundary:?}");
    }
    let left = fleet::objects(shared(), &scene.namespace).unwrap();
    assert_eq!(left.len(), scene.accounts.len(), "all are still held");
    let operator = scene.restart();
    wait_until("the objects to go", LIMIT, || {
        operator.alive()?;
        let left = fleet::objects(shared(), &scene.namespace)?;
        Ok(if left.is_empty() {
            Ok(())
        } else {
            Err(left[0].to_string())
        })
    })
    .unwrap_or_else(|error| panic!("{error}\n{}", fleet::tail(&operator)));
    scene.each(end);
}

#[test]
fn a_deletion_killed_at_any_boundary_deletes_the_campaign() {
    killed_while_deleting("delete", "Delete", DELETED);
}

#[test]
fn r22_a_deletion_that_pauses_killed_at_any_boundary_leaves_the_campaign_off() {
    killed_while_deleting("retire", "Pause", OFF);
}
