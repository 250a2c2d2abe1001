//! The public listener under a flood, most of it from strangers: each request gets the answer that is its due, nobody is believed
//! who should not be, what comes again has no second effect, memory stays flat, who sends slowly is waited for until the limit and
//! no longer, and who means well is answered in between.
//!
//! `FLOOD_REQUESTS=1000000 cargo test --test it flood` sends more.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;
use tiktok_ads_harness::control_plane::free_ports;
use tiktok_ads_harness::{Chart, Operator, Ports, Sandbox, http, objects, shared, wait_until};

use super::signing::{hmac, with_time};

const BINARY: &str = env!("CARGO_BIN_EXE_tiktok-ads-operator");
const REQUESTS: usize = 100_000;
const SENDERS: usize = 16;
const SLOW: usize = 40;
const LIMIT: Duration = Duration::from_secs(120);
/// What the listener gives a head, and a body.
const READ_FOR: Duration = Duration::from_secs(10);
/// The most that resident memory may grow by, in KiB.
const GROWTH: usize = 16 * 1024;

/// Resident memory of a process, in KiB.
fn memory(operator: &Operator) -> usize {
    let path = format!("/proc/{}/status", operator.pid());
    let text = std::fs::read_to_string(path).unwrap();
    let line = text
        .lines()
        .find(|line| line.starts_with("VmRSS:"))
        .unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// What everybody sends to.
struct Target {
    address: String,
    namespace: String,
    /// The key that TikTok signs with.
    key: String,
    /// What TikTok has sent before.
    heard: String,
    /// Seconds since 1970.
    now: i64,
}

/// A kind of request, what it is answered with, and how the metrics call a message of this kind.
struct Kind {
    name: &'static str,
    status: u16,
    counted: Option<&'static str>,
    make: fn(&Target, usize) -> String,
}

const fn kind(
    name: &'static str,
    status: u16,
    counted: Option<&'static str>,
    make: fn(&Target, usize) -> String,
) -> Kind {
    Kind {
        name,
        status,
        counted,
        make,
    }
}

const KINDS: &[Kind] = &[
    kind("unsigned", 401, Some("unsigned"), |t, n| {
        t.hook("", &event(n, t.now))
    }),
    kind("signed with another key", 401, Some("refused"), |t, n| {
        let body = event(n, t.now);
        t.hook(&open(&hmac("another key", &[body.as_bytes()])), &body)
    }),
    kind("signed with no key", 401, Some("refused"), |t, n| {
        let body = event(n, t.now);
        t.hook(&open(&hmac("", &[body.as_bytes()])), &body)
    }),
    kind("another body's signature", 401, Some("refused"), |t, n| {
        let tag = hmac(&t.key, &[t.heard.as_bytes()]);
        t.hook(&open(&tag), &event(n, t.now))
    }),
    kind("another key, with a time", 401, Some("refused"), |t, n| {
        let body = event(n, t.now);
        let tag = with_time("another key", t.now, body.as_bytes());
        t.hook(&format!("TikTok-Signature: {tag}\r\n"), &body)
    }),
    kind("no hexadecimal, no JSON", 401, Some("refused"), |t, _| {
        t.hook("X-Open-Signature: zz\r\n", "{\"object\":")
    }),
    kind("a path that is guessed", 401, Some("unsigned"), |t, n| {
        post(&format!("{}/{n:032}", t.path()), "", &event(n, t.now))
    }),
    kind("an unknown connection", 401, Some("refused"), |t, n| {
        let (path, body) = (format!("{}-{n}", t.path()), event(n, t.now));
        post(&path, &open(&hmac(&t.key, &[body.as_bytes()])), &body)
    }),
    kind("large headers", 401, Some("unsigned"), |t, n| {
        t.hook(&format!("X: {}\r\n", "y".repeat(4000)), &event(n, t.now))
    }),
    kind("a large body", 401, Some("unsigned"), |t, _| {
        t.hook("", &"x".repeat(50_000))
    }),
    kind("too large a body", 413, None, |t, _| {
        let path = t.path();
        format!("POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 1048577\r\n\r\n")
    }),
    kind("TikTok's, again", 200, Some("duplicate"), |t, _| {
        t.signed(&t.heard)
    }),
    kind("TikTok's, of last week", 200, Some("old"), |t, n| {
        t.signed(&event(n, t.now - 7 * 86_400))
    }),
    kind("a signature of an hour ago", 200, Some("old"), |t, n| {
        let body = event(n, t.now);
        let tag = with_time(&t.key, t.now - 3_600, body.as_bytes());
        t.hook(&format!("TikTok-Signature: {tag}\r\n"), &body)
    }),
    kind("signed, and no JSON", 200, Some("malformed"), |t, n| {
        t.signed(&format!("{{\"object\":{n},"))
    }),
    kind("the page for people", 200, None, |t, n| {
        let namespace = &t.namespace;
        format!("GET /connect/{namespace}/main?ticket={n} HTTP/1.1\r\nHost: x\r\n\r\n")
    }),
    kind("a callback that nobody asked for", 400, None, |_, n| {
        format!(
            "GET /oauth/callback?auth_code={n}&state={n}.x HTTP/1.1\r\nHost: x\r\nCookie: tiktok_ads_connect={n}\r\n\r\n"
        )
    }),
    kind("another method", 405, None, |t, _| {
        format!("GET {} HTTP/1.1\r\nHost: x\r\n\r\n", t.path())
    }),
    kind("another path", 404, None, |_, n| {
        format!("GET /{n} HTTP/1.1\r\nHost: x\r\n\r\n")
    }),
    kind("no HTTP", 400, None, |_, n| format!("{n}\r\n\r\n")),
];

/// A message about one ad, in seconds since 1970.
fn event(n: usize, time: i64) -> String {
    format!(r#"{{"object":3,"time":{time},"entry":[{{"ad_id":{n}}}]}}"#)
}

fn open(tag: &str) -> String {
    format!("X-Open-Signature: {tag}\r\n")
}

fn post(path: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    format!("POST {path} HTTP/1.1\r\nHost: x\r\n{headers}Content-Length: {length}\r\n\r\n{body}")
}

impl Target {
    fn path(&self) -> String {
        format!("/webhooks/tiktok/{}/main", self.namespace)
    }

    fn hook(&self, headers: &str, body: &str) -> String {
        post(&self.path(), headers, body)
    }

    fn signed(&self, body: &str) -> String {
        self.hook(&open(&hmac(&self.key, &[body.as_bytes()])), body)
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(LIMIT)).unwrap();
        stream
    }

    /// The status of the answer to one request, on a connection of its own; `None`: there was none.
    fn ask(&self, request: &str) -> Option<u16> {
        let mut stream = self.connect();
        stream.write_all(request.as_bytes()).ok()?;
        answer(&mut BufReader::new(stream))
    }
}

/// Status of the answer; the connection ends with it.
fn answer(reader: &mut BufReader<TcpStream>) -> Option<u16> {
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let status = line.split(' ').nth(1)?.parse().ok()?;
    std::io::copy(reader, &mut std::io::sink()).ok()?;
    Some(status)
}

/// A few bytes of a request, one each second, and then nothing: how it ended. Heads end without an answer.
fn slow(target: &Target, with_body: bool) -> Option<u16> {
    let begun = Instant::now();
    let mut stream = target.connect();
    let head = format!("POST {} HTTP/1.1\r\nHost: x\r\n", target.path());
    let head = match with_body {
        true => format!("{head}Content-Length: 1000000\r\n\r\n"),
        false => head,
    };
    stream.write_all(head.as_bytes()).unwrap();
    for _ in 0..4 {
        let _ = stream.write_all(b"x");
        std::thread::sleep(Duration::from_secs(1));
    }
    let status = answer(&mut BufReader::new(stream));
    assert!(begun.elapsed() >= READ_FOR, "it had not had its time");
    status
}

/// A body whose length nobody says, one byte longer than what is read.
fn endless(target: &Target) -> Option<u16> {
    let mut stream = target.connect();
    let path = target.path();
    let head = format!("POST {path} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    let chunk = format!("10000\r\n{}\r\n", "x".repeat(0x10000));
    for _ in 0..16 {
        stream.write_all(chunk.as_bytes()).unwrap();
    }
    stream.write_all(b"1\r\nx").unwrap();
    answer(&mut BufReader::new(stream))
}

/// Whatever happens to who waits for the others: they end.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// The value of a counter, 0 if it has not been counted yet.
fn counter(metrics: &str, name: &str) -> usize {
    let found = metrics.lines().find_map(|l| l.strip_prefix(name));
    found.map_or(0, |n| n.trim().parse().unwrap())
}

/// Messages so far, by what became of them.
fn messages(operator: &Operator) -> BTreeMap<&'static str, usize> {
    let metrics = operator.metrics().unwrap();
    let results = [
        "queued",
        "irrelevant",
        "duplicate",
        "old",
        "malformed",
        "unsigned",
        "refused",
        "not_here",
    ];
    results
        .map(|r| {
            (
                r,
                counter(
                    &metrics,
                    &format!("tiktokads_webhooks_total{{result=\"{r}\"}}"),
                ),
            )
        })
        .into()
}

fn approved(ad: &Value) -> String {
    let all = ad["status"]["conditions"].as_array();
    let mut found = all.into_iter().flatten();
    let approved = found.find(|c| c["type"] == "Approved");
    approved.map_or(String::new(), |c| c["status"].to_string())
}

struct Stage {
    namespace: String,
    sandbox: Sandbox,
    operator: Operator,
    account: Value,
}

impl Stage {
    /// One ad, live and subscribed to. Nothing is found by reading lists within the test.
    fn new() -> Self {
        let cluster = shared();
        let namespace = cluster.namespace("flood").unwrap();
        let sandbox = Sandbox::start(cluster, Path::new(BINARY), &["--seed", "5"]).unwrap();
        let [health, public, _] = free_ports().unwrap();
        let chart = Chart::new(&namespace)
            .watch(&namespace)
            .set(&format!("publicUrl=http://127.0.0.1:{public}"))
            .set("platform.sweepInterval=1h")
            .platform_url(sandbox.url());
        let install = cluster.install(chart).unwrap();
        let account = objects::account(&sandbox).unwrap();
        let ports = Ports { health, public };
        let operator = install.run_at(Path::new(BINARY), ports, &[], &[]).unwrap();
        operator.wait_ready(LIMIT).unwrap();
        let list = objects::with_ads(&account, 1).to_string();
        cluster.apply(&namespace, &list).unwrap();
        let stage = Self {
            namespace,
            sandbox,
            operator,
            account,
        };
        stage.wait_ad("true", "\"True\"");
        wait_until("to be subscribed", LIMIT, || {
            let main =
                cluster.json(&["get", "tiktokconnection", "main", "-n", &stage.namespace])?;
            let webhooks = &main["status"]["webhooks"];
            Ok(if webhooks["subscriptions"] == 3 {
                Ok(())
            } else {
                Err(webhooks.to_string())
            })
        })
        .unwrap();
        stage
    }

    fn ad(&self) -> Value {
        let get = ["get", "ad", "a0", "-n", &self.namespace];
        shared().json(&get).unwrap()
    }

    fn wait_ad(&self, what: &str, wanted: &str) {
        let found = wait_until(what, LIMIT, || {
            let ad = self.ad();
            Ok(if approved(&ad) == wanted {
                Ok(())
            } else {
                Err(ad["status"].to_string())
            })
        });
        found.unwrap_or_else(|e| panic!("{e}\n{}", self.operator.output().unwrap_or_default()));
    }

    /// TikTok decides about the ad, and tells.
    fn decides(&self, action: &str, body: &str) {
        let id = self.ad()["status"]["id"].as_str().unwrap().to_owned();
        let path = format!("/sandbox/ads/{id}/{action}");
        let answer = self.sandbox.request("POST", &path, body).unwrap();
        assert_eq!(answer.status, 200, "{}", answer.body);
    }

    /// What TikTok has told.
    fn told(&self) -> Vec<Value> {
        let all = self
            .sandbox
            .request("GET", "/sandbox/deliveries", "")
            .unwrap();
        let all: Value = serde_json::from_str(&all.body).unwrap();
        all["deliveries"].as_array().unwrap().clone()
    }
}

#[test]
fn r23_in_a_flood_each_gets_its_answer_nobody_is_believed_and_memory_stays_flat() {
    let requests = std::env::var("FLOOD_REQUESTS").map_or(REQUESTS, |n| n.parse().unwrap());
    let stage = Stage::new();
    let operator = &stage.operator;
    stage.decides("reject", r#"{"reasons": ["No claims."]}"#);
    stage.wait_ad("the rejection", "\"False\"");
    let url = operator.public_url().unwrap().to_owned();
    let target = Target {
        address: url.strip_prefix("http://").unwrap().to_owned(),
        namespace: stage.namespace.clone(),
        key: stage.account["secret"].as_str().unwrap().to_owned(),
        heard: stage.told()[0]["body"].as_str().unwrap().to_owned(),
        now: jiff::Timestamp::now().as_second(),
    };
    // Caches and buffers have their size after the first ones.
    for n in 0..2000 {
        target.ask(&(KINDS[n % KINDS.len()].make)(&target, n));
    }
    let before = memory(operator);
    let counted_before = messages(operator);
    let begun = Instant::now();
    let (over, sent) = (AtomicBool::new(false), AtomicUsize::new(0));
    let (wrong, most, probes) = std::thread::scope(|scope| {
        let ends = Over(&over);
        let senders: Vec<_> = (0..SENDERS)
            .map(|from| {
                let (target, sent) = (&target, &sent);
                scope.spawn(move || {
                    let mut wrong: BTreeMap<(&str, Option<u16>), usize> = BTreeMap::new();
                    for n in (from..requests).step_by(SENDERS) {
                        let kind = &KINDS[n % KINDS.len()];
                        let status = target.ask(&(kind.make)(target, 10_000 + n));
                        if status != Some(kind.status) {
                            *wrong.entry((kind.name, status)).or_default() += 1;
                        }
                        sent.fetch_add(1, Ordering::Relaxed);
                    }
                    wrong
                })
            })
            .collect();
        // Meanwhile: bodies that do not come, and heads that do not end. Each has its time, and no more.
        for n in 0..SLOW {
            let (target, over) = (&target, &over);
            scope.spawn(move || {
                let with_body = n % 2 == 0;
                loop {
                    let ended = slow(target, with_body);
                    assert_eq!(ended, with_body.then_some(408));
                    if over.load(Ordering::Relaxed) {
                        break;
                    }
                }
            });
        }
        let watch = scope.spawn(|| {
            let (mut most, mut probes) = (0, 0);
            while !over.load(Ordering::Relaxed) {
                most = most.max(memory(operator));
                let page = http::get(&format!("{url}/connect/{}/main", target.namespace)).unwrap();
                assert_eq!(page.status, 200, "who comes in between is answered");
                probes += 1;
                std::thread::sleep(Duration::from_millis(100));
            }
            (most, probes)
        });
        // In the middle of it TikTok says something.
        while sent.load(Ordering::Relaxed) < requests / 4 {
            std::thread::sleep(Duration::from_millis(20));
        }
        stage.decides("approve", "{}");
        stage.wait_ad("the approval, by an event alone", "\"True\"");
        println!("heard after {} of {requests}", sent.load(Ordering::Relaxed));
        let mut wrong = BTreeMap::new();
        for sender in senders {
            for (what, count) in sender.join().unwrap() {
                *wrong.entry(what).or_insert(0) += count;
            }
        }
        println!(
            "{requests} requests in {:.1} s",
            begun.elapsed().as_secs_f64()
        );
        for _ in 0..4 {
            assert_eq!(endless(&target), Some(413));
        }
        drop(ends);
        let (most, probes) = watch.join().unwrap();
        (wrong, most, probes)
    });
    println!("memory before {before} KiB, at most {most} KiB; {probes} pages in between");
    assert_eq!(wrong, BTreeMap::new());
    assert!(
        most < before + GROWTH,
        "{before} KiB before, {most} KiB at most"
    );
    assert!(probes > 0);
    operator.alive().unwrap();
    // Of all these messages TikTok's own had an effect, once each.
    let told = stage.told();
    let mut wanted = counted_before.clone();
    for n in 0..requests {
        if let Some(result) = KINDS[n % KINDS.len()].counted {
            *wanted.entry(result).or_default() += 1;
        }
    }
    *wanted.entry("queued").or_default() = told.len();
    assert_eq!(messages(operator), wanted);
    for one in &told {
        assert_eq!(one["state"], "delivered");
        assert_eq!(one["attempts"][0]["status"], 200, "{one}");
    }
    assert_eq!(
        approved(&stage.ad()),
        "\"True\"",
        "replays of the rejection change nothing"
    );
}
