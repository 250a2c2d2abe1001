//! Two replicas behind one address that hands each connection to the next of them, while TikTok sends: none is lost. And a
//! flood of what nobody sent: none is taken, and the process does not grow.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tiktok_ads_harness::{Chart, Install, Operator, Sandbox, http, shared, wait_until};

const BINARY: &str = env!("CARGO_BIN_EXE_tiktok-ads-operator");
const PATIENCE: Duration = Duration::from_secs(120);

/// What a Service does: each connection goes to the next of them.
struct RoundRobin {
    port: u16,
    to: Arc<std::sync::Mutex<Vec<String>>>,
}

impl RoundRobin {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let to: Arc<std::sync::Mutex<Vec<String>>> = Arc::default();
        let (all, next) = (to.clone(), AtomicUsize::new(0));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let target = {
                    let all = all.lock().unwrap();
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    all.get(n % all.len().max(1)).cloned()
                };
                std::thread::spawn(move || {
                    let target = target.as_deref().and_then(|t| t.strip_prefix("http://"));
                    if let Some(Ok(there)) = target.map(TcpStream::connect) {
                        join(stream, there);
                    }
                });
            }
        });
        Self { port, to }
    }

    fn send_to(&self, operators: &[&Operator]) {
        let urls = operators.iter().map(|o| o.public_url().unwrap().to_owned());
        *self.to.lock().unwrap() = urls.collect();
    }
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
        let made = sandbox.request("POST", "/sandbox/accounts", "{}").unwrap();
        let account: Value = serde_json::from_str(&made.body).unwrap();
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

    fn apply(&self, objects: &[Value]) {
        let list = json!({"apiVersion": "v1", "kind": "List", "items": objects});
        shared().apply(&self.namespace, &list.to_string()).unwrap();
    }

    /// A connection, a campaign, an ad group and so many ads.
    fn ads(&self, count: usize) {
        let text = |name: &str| self.account[name].as_str().unwrap();
        let object = |kind: &str, name: &str, spec: Value| json!({"apiVersion": "tiktokads.dev/v1alpha1", "kind": kind, "metadata": {"name": name}, "spec": spec});
        let secret = |name: &str, data: Value| json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": data});
        let money = |amount: &str| json!({"amount": amount, "currency": "USD"});
        let mut all = vec![
            secret(
                "app",
                json!({"app_id": text("app_id"), "secret": text("secret")}),
            ),
            secret("token", json!({"access_token": text("access_token")})),
            object(
                "TikTokConnection",
                "main",
                json!({
                    "appSecretRef": {"name": "app"}, "tokenSecretRef": {"name": "token"},
                    "advertiserId": text("advertiser_id"),
                    "caps": {"maxDailyBudgetPerObject": money("1000"), "maxDailyBudgetTotal": money("5000")},
                }),
            ),
            object(
                "Campaign",
                "c",
                json!({
                    "connectionRef": {"name": "main"}, "automation": "Manual", "objective": "Traffic", "state": "Active",
                }),
            ),
            object(
                "AdGroup",
                "g",
                json!({
                    "campaignRef": {"name": "c"}, "promotion": {"type": "Website"}, "state": "Active",
                    "placement": {"mode": "Select", "placements": ["TikTok"]},
                    "optimization": {"goal": "Click", "billingEvent": "CPC"},
                    "budget": {"mode": "Daily", "amount": "30"}, "bid": {"strategy": "LowestCost"},
                    "targeting": {"locations": ["6252001"]},
                }),
            ),
        ];
        all.extend((0..count).map(|n| object("Ad", &format!("a{n}"), json!({
            "adGroupRef": {"name": "g"}, "state": "Active", "text": "Spring is here", "callToAction": "LearnMore",
            "identity": {"type": "TikTokUser", "id": "7100000000000000009"},
            "landingPage": {"url": "https://shop.example/spring"},
            "creative": {"format": "SingleVideo", "video": {
                "id": "v10033g50000c90q1d3c77ub6e96fvo0", "coverImageId": "ad-site-i18n-sg/202110195d0db51e"}},
        }))));
        self.apply(&all);
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
    let id = |ad: &Value| ad["status"]["id"].as_str().unwrap().to_owned();
    for ad in &ads {
        let path = format!("/sandbox/ads/{}/reject", id(ad));
        stage.sandbox("POST", &path, &json!({"reasons": ["No claims."]}));
    }
    stage.wait_ads("all to be rejected, by events alone", |ad| {
        approved(ad) == "False" && ad["status"]["review"]["reasons"][0]["reason"] == "No claims."
    });
    // While the leader goes and the other one takes over, TikTok goes on sending.
    drop(first);
    stage.door.send_to(&[&second]);
    for ad in &ads {
        let path = format!("/sandbox/ads/{}/approve", id(ad));
        stage.sandbox("POST", &path, &json!({}));
    }
    stage.wait_ads("all to be approved", |ad| approved(ad) == "True");
}

/// Resident memory of a process, in bytes.
fn memory(pid: u32) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/statm")).unwrap();
    let pages: u64 = text.split_whitespace().nth(1).unwrap().parse().unwrap();
    pages * 4096
}

/// One connection, many requests: the answers' codes.
fn flood(address: &str, requests: &[(String, Vec<u8>)]) -> Vec<u16> {
    let mut codes = Vec::new();
    let mut stream: Option<TcpStream> = None;
    for (head, body) in requests {
        let mut to = match stream.take() {
            Some(stream) => stream,
            None => {
                let stream = TcpStream::connect(address).unwrap();
                stream
                    .set_read_timeout(Some(Duration::from_secs(30)))
                    .unwrap();
                stream.set_nodelay(true).unwrap();
                stream
            }
        };
        let sent = to
            .write_all(head.as_bytes())
            .and_then(|()| to.write_all(body));
        let mut answer = [0u8; 4096];
        let read = to.read(&mut answer).unwrap_or(0);
        let text = String::from_utf8_lossy(&answer[..read]).to_string();
        let code = text.split_whitespace().nth(1).and_then(|c| c.parse().ok());
        codes.push(code.unwrap_or(0));
        let lower = text.to_lowercase();
        if sent.is_ok() && code.is_some() && !lower.contains("connection: close") {
            stream = Some(to);
        }
    }
    codes
}

#[test]
fn r23_a_flood_of_what_nobody_sent_is_refused_and_memory_stays_flat() {
    let stage = Stage::new("hooks-flood", "10m");
    let operator = stage.operator();
    stage.door.send_to(&[&operator]);
    stage.ads(1);
    stage.wait_ads("the ad to be approved", |ad| approved(ad) == "True");
    let address = operator
        .public_url()
        .unwrap()
        .trim_start_matches("http://")
        .to_owned();
    let main = format!("/webhooks/tiktok/{}/main", stage.namespace);
    let request = |path: &str, headers: &str, body: &[u8]| {
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\n{headers}Content-Length: {}\r\n\r\n",
            body.len()
        );
        (head, body.to_vec())
    };
    let tag = "0".repeat(64);
    let batch = |from: usize, count: usize| -> Vec<(String, Vec<u8>)> {
        (from..from + count)
            .map(|n| {
                let body = format!("{{\"object\":3,\"time\":{n},\"entry\":[{{\"ad_id\":{n}}}]}}");
                let open = format!("X-Open-Signature: {tag}\r\n");
                match n % 6 {
                    0 => request(&main, &open, body.as_bytes()),
                    1 => request(&main, "", body.as_bytes()),
                    2 => request(
                        &main,
                        &format!("TikTok-Signature: t={n},s={tag}\r\n"),
                        body.as_bytes(),
                    ),
                    3 => request(
                        &format!("/webhooks/tiktok/n{n}/main"),
                        &open,
                        body.as_bytes(),
                    ),
                    4 => request(&format!("{main}/token-{n}"), "", body.as_bytes()),
                    _ => request(&main, "X-Open-Signature: zz\r\n", &vec![b'['; 2000]),
                }
            })
            .collect()
    };
    let run = |from: usize, count: usize| {
        let threads: Vec<_> = (0..4)
            .map(|n| {
                let (address, part) = (address.clone(), batch(from + n * count / 4, count / 4));
                std::thread::spawn(move || flood(&address, &part))
            })
            .collect();
        threads
            .into_iter()
            .flat_map(|t| t.join().unwrap())
            .collect::<Vec<u16>>()
    };
    // Warm, then the same again and again.
    run(0, 2_000);
    let before = memory(operator.pid());
    let begun = Instant::now();
    let mut refused = 0;
    for round in 1..=5 {
        let codes = run(round * 100_000, 20_000);
        // Some are turned away before they are looked at: so many at once from one place.
        assert!(
            codes.iter().all(|c| matches!(c, 401 | 429 | 503)),
            "{:?}",
            codes.iter().find(|c| !matches!(c, 401 | 429 | 503))
        );
        refused += codes.len();
    }
    // Too large, and never finished.
    let large = request(
        &main,
        &format!("X-Open-Signature: {tag}\r\n"),
        &vec![b'x'; 8 << 20],
    );
    let codes = flood(&address, &[large]);
    assert!(matches!(codes[0], 413 | 0), "{codes:?}");
    let slow: Vec<TcpStream> = (0..20)
        .map(|_| {
            let mut stream = TcpStream::connect(&address).unwrap();
            let head = format!("POST {main} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{{");
            stream.write_all(head.as_bytes()).unwrap();
            stream
        })
        .collect();
    drop(slow);
    let after = memory(operator.pid());
    println!(
        "{refused} requests refused in {:.1} s; resident memory {} MiB before, {} MiB after",
        begun.elapsed().as_secs_f64(),
        before >> 20,
        after >> 20
    );
    assert!(after < before + (24 << 20), "{before} then {after}");
    let answer = http::get(&format!("{}/readyz", operator.url())).unwrap();
    assert_eq!(answer.status, 200);
    let metrics = operator.metrics().unwrap();
    assert!(
        !metrics.contains("tiktokads_webhooks_total{result=\"queued\"}"),
        "{metrics}"
    );
}
