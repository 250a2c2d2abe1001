//! From what happens on TikTok to what `kubectl` shows, by webhooks alone: half of 500 events reject an ad, the others
//! approve it again. On the real API server, with the sandbox sending over HTTP.
//!
//! Prints the 50th and 99th percentile, and how many calls to TikTok each event cost. `cargo run --release -p
//! tiktok-ads-harness --bin bench-webhooks [EVENTS]`; the operator's binary is the one beside this program, or
//! `OPERATOR_BINARY`.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tiktok_ads_harness::control_plane::free_ports;
use tiktok_ads_harness::{Chart, ControlPlane, Error, Ports, Result, Sandbox, objects, wait_until};

const ADS: usize = 20;
const LIMIT: Duration = Duration::from_secs(180);

fn main() -> ExitCode {
    let events = std::env::args().nth(1).and_then(|n| n.parse().ok());
    match run(events.unwrap_or(500)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench-webhooks: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(events: usize) -> Result<()> {
    let binary = operator_binary();
    let cluster = ControlPlane::start()?;
    let sandbox = Sandbox::start(&cluster, &binary, &["--seed", "7"])?;
    let [health, public, _] = free_ports()?;
    let chart = Chart::cluster_wide()
        .set(&format!("publicUrl=http://127.0.0.1:{public}"))
        // No list is read within the measurement.
        .set("platform.sweepInterval=1h")
        .platform_url(sandbox.url());
    let install = cluster.install(chart)?;
    let operator = install.run_at(&binary, Ports { health, public }, &[], &[])?;
    operator.wait_ready(LIMIT)?;
    let account = objects::account(&sandbox)?;
    let namespace = cluster.namespace("bench")?;
    cluster.apply(&namespace, &objects::with_ads(&account, ADS).to_string())?;
    let ids = wait_until("all ads to be approved and subscribed to", LIMIT, || {
        let all = cluster.json(&["get", "ads", "-n", &namespace])?;
        let items = all["items"].as_array().cloned().unwrap_or_default();
        let ids: BTreeMap<String, String> = items.iter().filter_map(approved_id).collect();
        let connection = cluster.json(&["get", "tiktokconnection", "main", "-n", &namespace])?;
        let webhooks = &connection["status"]["webhooks"];
        let there = webhooks["subscriptions"].as_u64();
        Ok(if ids.len() == ADS && there == Some(ADS as u64 + 2) {
            Ok(ids)
        } else {
            Err(format!("{} ads, webhooks {webhooks}", ids.len()))
        })
    })?;
    let names: Vec<(String, String)> = ids.into_iter().collect();
    let seen = watch(&cluster, &namespace)?;
    let before = calls(&sandbox)?;
    let mut times = Vec::new();
    for n in 0..events {
        let (name, id) = &names[n % ADS];
        let reject = (n / ADS).is_multiple_of(2);
        let (action, wanted) = match reject {
            true => ("reject", "False"),
            false => ("approve", "True"),
        };
        let body = if reject {
            json!({"reasons": ["No claims."]})
        } else {
            json!({})
        };
        let path = format!("/sandbox/ads/{id}/{action}");
        let begun = Instant::now();
        sandbox.request("POST", &path, &body.to_string())?;
        times.push(wait_for(&seen, name, wanted, begun)?);
    }
    let after = calls(&sandbox)?;
    times.sort_unstable();
    let at = |percent: usize| times[(times.len() * percent / 100).min(times.len() - 1)];
    println!(
        "{events} events: webhook to visible status p50 {:.0} ms, p99 {:.0} ms, longest {:.0} ms",
        at(50).as_secs_f64() * 1e3,
        at(99).as_secs_f64() * 1e3,
        at(100).as_secs_f64() * 1e3,
    );
    for (path, count) in &after {
        let more = count - before.get(path).copied().unwrap_or(0);
        if more > 0 {
            let each = more as f64 / events as f64;
            println!("  {each:5.2} calls per event of {path} ({more})");
        }
    }
    Ok(())
}

/// Calls by path, so far.
fn calls(sandbox: &Sandbox) -> Result<BTreeMap<String, u64>> {
    let body = sandbox.request("GET", "/sandbox/counts", "")?.body;
    let stats: Value = serde_json::from_str(&body).map_err(|e| odd(&e.to_string()))?;
    let paths = stats["counts"].as_object().cloned().unwrap_or_default();
    let total = |(path, counts): (String, Value)| Some((path, counts["total"].as_u64()?));
    Ok(paths.into_iter().filter_map(total).collect())
}

fn odd(why: &str) -> Error {
    Error::Unusable(format!("the sandbox's answer cannot be read: {why}"))
}

/// Each change of an ad, as `kubectl` shows it: its name, and whether it is approved.
fn watch(cluster: &ControlPlane, namespace: &str) -> Result<Receiver<(String, String)>> {
    let path = "{.metadata.name} {.status.conditions[?(@.type==\"Approved\")].status} {.status.review.reasonCount}{\"\\n\"}";
    let io = |source| Error::Io {
        what: "watching ads".to_owned(),
        source,
    };
    let kubectl = tiktok_ads_harness::programs::Programs::find()?
        .folder()
        .join("kubectl");
    let mut child = Command::new(kubectl)
        .args(["get", "ads", "-n", namespace, "--watch-only", "-o"])
        .arg(format!("jsonpath={path}"))
        .env("KUBECONFIG", cluster.kubeconfig())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(io)?;
    let (tell, told) = channel();
    let out = child.stdout.take();
    std::thread::spawn(move || {
        for line in out
            .into_iter()
            .flat_map(|o| BufReader::new(o).lines())
            .flatten()
        {
            let mut words = line.split_whitespace().map(str::to_owned);
            let (name, status) = (words.next(), words.next());
            // A refusal counts when its reasons show.
            let reasons = words.next().is_some();
            if let (Some(name), Some(status)) = (name, status)
                && (status != "False" || reasons)
                && tell.send((name, status)).is_err()
            {
                break;
            }
        }
        let _ = child.kill();
        let _ = child.wait();
    });
    std::thread::sleep(Duration::from_secs(2));
    Ok(told)
}

fn wait_for(
    seen: &Receiver<(String, String)>,
    name: &str,
    wanted: &str,
    begun: Instant,
) -> Result<Duration> {
    while let Ok((of, status)) = seen.recv_timeout(Duration::from_secs(60)) {
        if of == name && status == wanted {
            return Ok(begun.elapsed());
        }
    }
    Err(Error::Unusable(format!(
        "{name} did not show {wanted} within a minute"
    )))
}

fn approved_id(ad: &Value) -> Option<(String, String)> {
    let conditions = ad["status"]["conditions"].as_array()?;
    let approved = conditions.iter().find(|c| c["type"] == "Approved")?;
    let live = ad["status"]["operationStatus"] == "On";
    (approved["status"] == "True" && live).then(|| {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        (text(&ad["metadata"]["name"]), text(&ad["status"]["id"]))
    })
}

/// `OPERATOR_BINARY`, or the binary that cargo put beside this one.
fn operator_binary() -> PathBuf {
    let beside = || {
        let me = std::env::current_exe().unwrap_or_default();
        me.with_file_name("tiktok-ads-operator")
    };
    std::env::var_os("OPERATOR_BINARY").map_or_else(beside, |path| Path::new(&path).to_path_buf())
}
