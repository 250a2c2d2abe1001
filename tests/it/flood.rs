//! The public listener under a flood of requests that nobody should believe, slow senders among them: none is taken, memory stays flat, and who comes
//! in between is answered.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tiktok_ads_harness::{Chart, Operator, http, shared};

const REQUESTS: usize = 20_000;
const SENDERS: usize = 16;
const SLOW: usize = 40;
const LIMIT: Duration = Duration::from_secs(60);

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

/// The nth request.
fn request(n: usize, namespace: &str) -> String {
    let hook = format!("/webhooks/tiktok/{namespace}/main");
    let post = |path: &str, headers: &str, body: &str| {
        format!(
            "POST {path} HTTP/1.1\r\nHost: x\r\n{headers}Content-Length: {}\r\n\r\n{body}",
            body.len()
        )
    };
    let event = format!(r#"{{"object":3,"time":{n},"entry":[{{"adv_id":7,"ad_id":{n}}}]}}"#);
    match n % 10 {
        0 => post(&hook, "", &event),
        1 => post(&hook, &format!("X-Open-Signature: {:064x}\r\n", n), &event),
        2 => post(
            &hook,
            &format!("TikTok-Signature: t={n},s={:064x}\r\n", n),
            &event,
        ),
        3 => post(&format!("{hook}/{n}"), "", &event),
        4 => post(
            &format!("/webhooks/tiktok/{namespace}/other-{n}"),
            "",
            &event,
        ),
        5 => post(&hook, "X-Open-Signature: zz\r\n", "{\"object\":"),
        6 => post(&hook, &format!("X: {}\r\n", "y".repeat(4000)), &event),
        7 => format!("GET /connect/{namespace}/main?ticket={n} HTTP/1.1\r\nHost: x\r\n\r\n"),
        8 => format!(
            "GET /oauth/callback?auth_code={n}&state={n}.x HTTP/1.1\r\nHost: x\r\nCookie: tiktok_ads_connect={n}\r\n\r\n"
        ),
        _ => post(&hook, "", &"x".repeat(50_000)),
    }
}

/// Sends and reads one after the other; the numbers of answers by status.
fn send(address: &str, from: usize, namespace: &str) -> BTreeMap<u16, usize> {
    let mut counts = BTreeMap::new();
    let mut open: Option<BufReader<TcpStream>> = None;
    for n in (from..REQUESTS).step_by(SENDERS) {
        let reader = open.get_or_insert_with(|| {
            let stream = TcpStream::connect(address).unwrap();
            stream.set_read_timeout(Some(LIMIT)).unwrap();
            BufReader::new(stream)
        });
        let sent = reader.get_mut().write_all(request(n, namespace).as_bytes());
        match sent.ok().and_then(|()| answer(reader)) {
            Some((status, close)) => {
                *counts.entry(status).or_default() += 1;
                if close {
                    open = None;
                }
            }
            // A kept connection may end at any time.
            None => {
                *counts.entry(0).or_default() += 1;
                open = None;
            }
        }
    }
    counts
}

/// Status of the next answer, and whether the connection ends with it.
fn answer(reader: &mut BufReader<TcpStream>) -> Option<(u16, bool)> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
    let status = line.split(' ').nth(1)?.parse().ok()?;
    let (mut length, mut close) = (0, false);
    loop {
        line.clear();
        reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
        let header = line.trim().to_lowercase();
        if header.is_empty() {
            break;
        }
        if let Some(value) = header.strip_prefix("content-length: ") {
            length = value.parse().ok()?;
        }
        close |= header == "connection: close";
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some((status, close))
}

#[test]
fn a_flood_leaves_memory_flat_and_the_pages_answered() {
    let cluster = shared();
    let namespace = cluster.namespace("flood").unwrap();
    let chart = Chart::new(&namespace)
        .watch(&namespace)
        .platform_url("http://127.0.0.1:9")
        .set("publicUrl=http://127.0.0.1:8090");
    let install = cluster.install(chart).unwrap();
    let binary = Path::new(env!("CARGO_BIN_EXE_tiktok-ads-operator"));
    let operator = install.run(binary).unwrap();
    operator.wait_ready(LIMIT).unwrap();
    let manifest = serde_json::json!({"apiVersion": "tiktokads.dev/v1alpha1", "kind": "TikTokConnection",
        "metadata": {"name": "main"}, "spec": {"appSecretRef": {"name": "app"}}});
    cluster.apply(&namespace, &manifest.to_string()).unwrap();
    let url = operator.public_url().unwrap().to_owned();
    let address = url.strip_prefix("http://").unwrap().to_owned();
    // Caches and buffers have their size after the first ones.
    for n in 0..2000 {
        let mut stream = TcpStream::connect(&address).unwrap();
        stream.write_all(request(n, &namespace).as_bytes()).unwrap();
        answer(&mut BufReader::new(stream));
    }
    let before = memory(&operator);
    let over = AtomicBool::new(false);
    let (counts, most, probes) = std::thread::scope(|scope| {
        let senders: Vec<_> = (0..SENDERS)
            .map(|from| {
                scope.spawn({
                    let (address, namespace) = (&address, &namespace);
                    move || send(address, from, namespace)
                })
            })
            .collect();
        // Meanwhile: bodies that do not come, and heads that do not end.
        for n in 0..SLOW {
            let (address, over, namespace) = (&address, &over, &namespace);
            scope.spawn(move || {
                while !over.load(Ordering::Relaxed) {
                    let mut stream = TcpStream::connect(address).unwrap();
                    let head =
                        format!("POST /webhooks/tiktok/{namespace}/main HTTP/1.1\r\nHost: x\r\n");
                    let head = if n % 2 == 0 {
                        format!("{head}Content-Length: 1000000\r\n\r\n{{")
                    } else {
                        head
                    };
                    let _ = stream.write_all(head.as_bytes());
                    stream
                        .set_read_timeout(Some(Duration::from_secs(1)))
                        .unwrap();
                    while !over.load(Ordering::Relaxed) {
                        match stream.read(&mut [0; 512]) {
                            Err(error)
                                if matches!(
                                    error.kind(),
                                    std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut
                                ) => {}
                            _ => break,
                        }
                    }
                }
            });
        }
        let watch = scope.spawn(|| {
            let (mut most, mut probes) = (0, 0);
            while !over.load(Ordering::Relaxed) {
                most = most.max(memory(&operator));
                let page = http::get(&format!("{url}/connect/{namespace}/main")).unwrap();
                assert_eq!(page.status, 200, "who comes in between is answered");
                probes += 1;
                std::thread::sleep(Duration::from_millis(100));
            }
            (most, probes)
        });
        let mut counts: BTreeMap<u16, usize> = BTreeMap::new();
        for sender in senders {
            for (status, count) in sender.join().unwrap() {
                *counts.entry(status).or_default() += count;
            }
        }
        over.store(true, Ordering::Relaxed);
        let (most, probes) = watch.join().unwrap();
        (counts, most, probes)
    });
    println!(
        "answers by status: {counts:?}; memory before {before} KiB, at most {most} KiB; {probes} pages in between"
    );
    // The pages with a button are the only ones that are answered well: they use nothing up.
    let pages = REQUESTS / 10;
    let good: usize = counts.range(200..400).map(|(_, count)| count).sum();
    assert!(good <= pages, "{counts:?}");
    let lost = counts.get(&0).copied().unwrap_or(0);
    assert!(lost < REQUESTS / 100, "{counts:?}");
    assert!(
        most < before + 48 * 1024,
        "{before} KiB before, {most} KiB at most"
    );
    assert!(probes > 5);
    operator.alive().unwrap();
}
