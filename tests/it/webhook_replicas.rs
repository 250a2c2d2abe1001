//! Two replicas behind one address that hands each connection to the next of them, while TikTok sends: none is lost, none is
//! sent twice because of it, and what the new leader takes it acts upon.

use std::collections::BTreeMap;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tiktok_ads_harness::{Chart, Install, Operator, Sandbox, http, objects, shared, wait_until};

const BINARY: &str = env!("CARGO_BIN_EXE_tiktok-ads-operator");
const PATIENCE: Duration = Duration::from_secs(120);

/// What a Service does: each connection goes to the next of them. While it is shut, connections wait in it.
#[derive(Clone, Default)]
struct RoundRobin {
    port: u16,
    inner: Arc<(Mutex<Doors>, Condvar)>,
}

#[derive(Default)]
struct Doors {
    to: Vec<String>,
    /// How many may still pass; `None`: any number.
    left: Option<usize>,
    next: usize,
    passed: BTreeMap<String, usize>,
}

impl RoundRobin {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let door = Self {
            port,
            ..Self::default()
        };
        let all = door.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let door = door.clone();
                std::thread::spawn(move || {
                    let target = door.pass();
                    if let Ok(there) = TcpStream::connect(target.trim_start_matches("http://")) {
                        join(stream, there);
                    }
                });
            }
        });
        all
    }

    /// Waits for its turn; where to.
    fn pass(&self) -> String {
        let (doors, changed) = &*self.inner;
        let shut = |doors: &mut Doors| doors.left == Some(0) || doors.to.is_empty();
        let mut doors = changed.wait_while(doors.lock().unwrap(), shut).unwrap();
        doors.left = doors.left.map(|left| left - 1);
        let target = doors.to[doors.next % doors.to.len()].clone();
        doors.next += 1;
        *doors.passed.entry(target.clone()).or_default() += 1;
        target
    }

    fn send_to(&self, operators: &[&Operator]) {
        self.change(|doors| doors.to = operators.iter().map(|o| public(o).to_owned()).collect());
    }

    /// Lets so many pass, then none; `None`: all.
    fn let_pass(&self, count: Option<usize>) {
        self.change(|doors| doors.left = count);
    }

    fn change(&self, change: impl FnOnce(&mut Doors)) {
        change(&mut self.inner.0.lock().unwrap());
        self.inner.1.notify_all();
    }

    fn passed_to(&self, operator: &Operator) -> usize {
        let doors = self.inner.0.lock().unwrap();
        doors.passed.get(public(operator)).copied().unwrap_or(0)
    }
}

fn public(operator: &Operator) -> &str {
    operator.public_url().unwrap()
}

fn join(here: TcpStream, there: TcpStream) {
    let copy = |mut from: TcpStream, mut to: TcpStream| {
        let _ = std::io::copy(&mut from, &mut to);
        let _ = to.shutdown(std::net::Shutdown::Write);
    };
    let (a, b) = (here.try_clone().unwrap(), there.try_clone().unwrap());
    let back = std::thread::spawn(move || copy(b, a));
    copy(here, there);
    let _ = back.join();
}

struct Stage {
    namespace: String,
    sandbox: Sandbox,
    install: Install<'static>,
    door: RoundRobin,
    account: Value,
}

const TIMES: &[&str] = &[
    "--read-back-delay=300ms",
    "--settle=2s",
    "--names-interval=300ms",
    "--call-deadline=3s",
    "--write-deadline=5s",
    "--lease-duration=8s",
    "--lease-renew=2s",
];

impl Stage {
    fn new(name: &str, sweep: &str) -> Self {
        let namespace = shared().namespace(name).unwrap();
        let sandbox = Sandbox::start(shared(), Path::new(BINARY), &["--seed", "5"]).unwrap();
        let door = RoundRobin::start();
        let chart = Chart::new(&namespace)
            .watch(&namespace)
            .set(&format!("publicUrl=http://127.0.0.1:{}", door.port))
            .set(&format!("platform.sweepInterval={sweep}"))
            .platform_url(sandbox.url());
        let install = shared().install(chart).unwrap();
        let account = objects::account(&sandbox).unwrap();
        Self {
            namespace,
            sandbox,
            install,
            door,
            account,
        }
    }

    fn operator(&self) -> Operator {
        let operator = self
            .install
            .run_with(Path::new(BINARY), TIMES, &[])
            .unwrap();
        operator.wait_ready(PATIENCE).unwrap();
        operator
    }

    /// A connection, a campaign, an ad group and so many ads.
    fn ads(&self, count: usize) {
        let list = objects::with_ads(&self.account, count).to_string();
        shared().apply(&self.namespace, &list).unwrap();
    }

    fn list(&self, kind: &str) -> Vec<Value> {
        let all = shared()
            .json(&["get", kind, "-n", &self.namespace])
            .unwrap();
        all["items"].as_array().cloned().unwrap_or_default()
    }

    fn wait_ads(&self, what: &str, wanted: impl Fn(&Value) -> bool) -> Vec<Value> {
        wait_until(what, PATIENCE, || {
            let all = self.list("ads");
            Ok(match all.iter().find(|ad| !wanted(ad)) {
                None => Ok(all),
                Some(ad) => Err(ad["status"].to_string()),
            })
        })
        .unwrap()
    }

    fn sandbox(&self, method: &str, path: &str, body: &Value) -> Value {
        let body = match body {
            Value::Null => String::new(),
            body => body.to_string(),
        };
        let answer = self.sandbox.request(method, path, &body).unwrap();
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        serde_json::from_str(&answer.body).unwrap_or_default()
    }

    /// What TikTok has sent, or still has to send, since.
    fn deliveries(&self, after: u64) -> Vec<Value> {
        let path = format!("/sandbox/deliveries?after={after}");
        let all = self.sandbox("GET", &path, &Value::Null);
        all["deliveries"].as_array().unwrap().clone()
    }

    /// Waits until so many have arrived and, if that is wanted, all.
    fn arrived(&self, after: u64, at_least: usize, all: bool) -> Vec<Value> {
        let what = format!("{at_least} events to arrive");
        let found = wait_until(&what, PATIENCE, || {
            let sent = self.deliveries(after);
            let there = sent.iter().filter(|one| arrived(one)).count();
            Ok(if there >= at_least && (there == sent.len() || !all) {
                Ok(sent)
            } else {
                Err(json!(sent).to_string())
            })
        });
        found.unwrap()
    }
}

fn arrived(delivery: &Value) -> bool {
    delivery["state"] == "delivered"
}

/// How many things deliveries name.
fn named<'a>(deliveries: impl IntoIterator<Item = &'a Value>) -> usize {
    let entries = |one: &Value| -> usize {
        let body: Value = serde_json::from_str(one["body"].as_str().unwrap()).unwrap();
        body["entry"].as_array().unwrap().len()
    };
    deliveries.into_iter().map(entries).sum()
}

/// How many things that messages named were put into this process's queue.
fn queued(operator: &Operator) -> usize {
    let metrics = operator.metrics().unwrap();
    let line = "tiktokads_webhook_events_total{result=\"queued\"} ";
    let mut found = metrics.lines().filter_map(|l| l.strip_prefix(line));
    found.next().map_or(0, |n| n.parse().unwrap())
}

fn condition<'a>(object: &'a Value, of: &str) -> &'a Value {
    let all = object["status"]["conditions"].as_array();
    let mut found = all.into_iter().flatten();
    found.find(|c| c["type"] == of).unwrap_or(&Value::Null)
}

fn approved(ad: &Value) -> &Value {
    &condition(ad, "Approved")["status"]
}

#[test]
fn r23_two_replicas_behind_a_round_robin_lose_no_event() {
    // Nothing is found by reading lists within the test.
    let stage = Stage::new("hooks-two", "10m");
    let first = stage.operator();
    let second = stage.operator();
    stage.door.send_to(&[&first, &second]);
    stage.ads(12);
    let ads = stage.wait_ads("all ads to be approved", |ad| approved(ad) == "True");
    let subscriptions = || {
        let connection = stage.list("tiktokconnections").remove(0);
        connection["status"]["webhooks"]["subscriptions"].as_i64()
    };
    wait_until("to be subscribed", PATIENCE, || {
        Ok(match subscriptions() {
            Some(14) => Ok(()),
            other => Err(format!("{other:?}")),
        })
    })
    .unwrap();
    // Until it has read the lease, a replica cannot know whom to ask.
    let path = format!(
        "{}/webhooks/tiktok/{}/main",
        public(&second),
        stage.namespace
    );
    wait_until("the standby to know the leader", PATIENCE, || {
        let answer = http::request("POST", &path, "{}")?;
        Ok(match answer.status {
            401 => Ok(()),
            _ => Err(answer.body),
        })
    })
    .unwrap();
    let last = |sent: &[Value]| sent.last().map_or(0, |one| one["id"].as_u64().unwrap());
    let id = |ad: &Value| ad["status"]["id"].as_str().unwrap().to_owned();
    let reject = |ad: &Value, why: &str| {
        let path = format!("/sandbox/ads/{}/reject", id(ad));
        stage.sandbox("POST", &path, &json!({"reasons": [why]}));
    };
    let rejected = |ad: &Value, why: &str| {
        approved(ad) == "False" && ad["status"]["review"]["reasons"][0]["reason"] == why
    };

    // The first answer to each is good, whichever replica gave it.
    let before = last(&stage.deliveries(0));
    let (queued_before, passed_before) = (queued(&first), stage.door.passed_to(&second));
    for ad in &ads {
        reject(ad, "No claims.");
    }
    stage.wait_ads("all to be rejected, by events alone", |ad| {
        rejected(ad, "No claims.")
    });
    let sent = stage.arrived(before, ads.len(), true);
    for one in &sent {
        let answers = one["attempts"].as_array().unwrap();
        let statuses: Vec<&Value> = answers.iter().map(|a| &a["status"]).collect();
        assert_eq!(statuses, [&json!(200)], "{one}");
    }
    assert!(stage.door.passed_to(&second) > passed_before);
    assert_eq!(queued(&first) - queued_before, named(&sent));
    assert_eq!(queued(&second), 0, "it does not lead");

    // The leader goes in the middle of a batch: what it has taken has arrived, the rest comes to the other one.
    let before = last(&sent);
    stage.door.let_pass(Some(5));
    for ad in &ads {
        let path = format!("/sandbox/ads/{}/approve", id(ad));
        stage.sandbox("POST", &path, &json!({}));
    }
    let sent = stage.arrived(before, 5, false);
    let (taken, open): (Vec<Value>, Vec<Value>) = sent.into_iter().partition(arrived);
    assert_eq!(taken.len(), 5);
    assert!(taken.len() + open.len() >= ads.len(), "{open:?}");
    first.kill().unwrap();
    stage.door.send_to(&[&second]);
    stage.door.let_pass(None);
    let rest = |sent: &[Value]| {
        let taken = |one: &Value| taken.iter().any(|t| t["id"] == one["id"]);
        sent.iter()
            .filter(|one| !taken(one))
            .cloned()
            .collect::<Vec<_>>()
    };
    let sent = wait_until("all to arrive", PATIENCE, || {
        // TikTok's pauses between attempts grow to minutes: its clock goes faster.
        stage.sandbox("POST", "/sandbox/clock", &json!({"advance_seconds": 5}));
        std::thread::sleep(Duration::from_millis(450));
        let sent = stage.deliveries(before);
        Ok(match sent.iter().find(|one| !arrived(one)) {
            None => Ok(sent),
            Some(one) => Err(one.to_string()),
        })
    })
    .unwrap();
    // Its own first lists show the approvals anyhow; that it did not drop the events, its count shows.
    assert_eq!(queued(&second), named(&rest(&sent)));
    stage.wait_ads("all to be approved", |ad| approved(ad) == "True");

    // And what it hears from now on, it acts upon.
    reject(&ads[0], "Too loud.");
    let name = &ads[0]["metadata"]["name"];
    stage.wait_ads("one to be rejected, by an event alone", |ad| {
        ad["metadata"]["name"] != *name || rejected(ad, "Too loud.")
    });
}
