//! `tiktok-ads-operator connect` against a real API server. The operator's part is written by hand here: what it publishes
//! is the Secret and the status.

use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use tiktok_ads_harness::kubectl::Kubectl;
use tiktok_ads_harness::{shared, wait_until};

const BINARY: &str = env!("CARGO_BIN_EXE_tiktok-ads-operator");

fn command(who: &Kubectl, args: &[&str]) -> Command {
    let mut command = Command::new(BINARY);
    command
        .arg("connect")
        .args(args)
        .env("KUBECONFIG", who.kubeconfig())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

fn output(who: &Kubectl, args: &[&str]) -> (bool, String, String) {
    read(command(who, args).output().unwrap())
}

fn read(output: Output) -> (bool, String, String) {
    (
        output.status.success(),
        String::from_utf8(output.stdout).unwrap(),
        String::from_utf8(output.stderr).unwrap(),
    )
}

/// A connection that no operator looks after.
fn connection(namespace: &str) {
    let manifest = json!({"apiVersion": "tiktokads.dev/v1alpha1", "kind": "TikTokConnection",
        "metadata": {"name": "main"}, "spec": {"appSecretRef": {"name": "app"}}});
    shared().apply(namespace, &manifest.to_string()).unwrap();
}

fn link(namespace: &str, ticket: &str) {
    let manifest = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "main-tiktok-connect"},
        "stringData": {"ticket": ticket, "key": "00",
            "url": format!("https://ads.example.com/connect/{namespace}/main?ticket={ticket}")}});
    shared().apply(namespace, &manifest.to_string()).unwrap();
}

fn status(namespace: &str, status: &Value) {
    let patch = json!({"status": status}).to_string();
    let args = [
        "patch",
        "tiktokconnection",
        "main",
        "-n",
        namespace,
        "--subresource=status",
    ];
    let args = [&args[..], &["--type=merge", "-p", &patch]].concat();
    shared().run(&args).unwrap().ok().unwrap();
}

/// Waits until the output of a running command, which goes to a file, has a line.
fn wait_for(path: &Path, child: &mut Child, needle: &str) {
    wait_until(needle, Duration::from_secs(30), || {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        assert!(
            text.contains(needle) || child.try_wait().unwrap().is_none(),
            "{text}"
        );
        Ok(if text.contains(needle) {
            Ok(())
        } else {
            Err(text)
        })
    })
    .unwrap();
}

#[test]
fn the_link_is_printed_and_the_way_to_active_told() {
    let cluster = shared();
    let namespace = cluster.namespace("connect").unwrap();
    connection(&namespace);
    link(&namespace, "one");
    let url = format!("https://ads.example.com/connect/{namespace}/main?ticket=one");
    let args = ["main", "-n", &namespace, "--no-wait", "-o", "json"];
    let (good, out, err) = output(cluster, &args);
    assert!(good, "{err}");
    let printed: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(printed, json!({"step": "Link", "url": url}));

    let path = cluster.folder().join(format!("{namespace}.out"));
    let mut child = command(cluster, &["main", "-n", &namespace])
        .stdout(std::fs::File::create(&path).unwrap())
        .spawn()
        .unwrap();
    wait_for(&path, &mut child, &url);
    link(&namespace, "two");
    wait_for(&path, &mut child, "The link was used.");
    let token = json!({"fingerprint": "abcd", "profile": "LongLived", "importedAt": "2026-12-01T00:00:00Z"});
    let several = json!({"observedGeneration": 1, "phase": "AwaitingAdvertiser", "advertiserCount": 3, "token": token});
    status(&namespace, &several);
    wait_for(&path, &mut child, "reaches 3 ad accounts");
    let account = json!({"id": "7001", "name": "Shop\u{1b}[31m", "currency": "USD", "timeZone": "UTC", "accountStatus": "STATUS_ENABLE"});
    status(
        &namespace,
        &json!({"phase": "Active", "advertiser": account}),
    );
    wait_for(&path, &mut child, "Connected: ad account Shop[31m (7001).");
    assert!(child.wait().unwrap().success());
}

#[test]
fn what_is_missing_is_said_with_the_next_step() {
    let cluster = shared();
    let namespace = cluster.namespace("connect").unwrap();
    let (good, _, err) = output(cluster, &["main", "-n", &namespace]);
    assert!(
        !good && err.contains("there is no TikTokConnection main"),
        "{err}"
    );
    let (good, _, err) = output(cluster, &["Main;x", "-n", &namespace]);
    let told =
        r#""Main;x" cannot be a TikTokConnection's name: use small letters, digits and hyphens"#;
    assert!(!good && err.contains(told), "{err}");
    connection(&namespace);
    let (good, _, err) = output(cluster, &["main", "-n", &namespace]);
    assert!(!good && err.contains("no operator has looked at"), "{err}");
    status(&namespace, &json!({"observedGeneration": 1}));
    let (good, _, err) = output(cluster, &["main", "-n", &namespace]);
    assert!(!good && err.contains("it has no public URL"), "{err}");
    link(&namespace, "one");
    let args = ["main", "-n", &namespace, "-o", "json", "--timeout", "3s"];
    let (good, out, err) = output(cluster, &args);
    assert!(!good, "{out}{err}");
    let last: Value = serde_json::from_str(out.lines().last().unwrap()).unwrap();
    assert_eq!(last["step"], "Incomplete", "{out}");
}

#[test]
fn a_connection_that_works_says_so_first_and_needs_no_new_approval() {
    let cluster = shared();
    let namespace = cluster.namespace("connect").unwrap();
    connection(&namespace);
    link(&namespace, "one");
    let account = json!({"id": "7001", "name": "Shop", "currency": "USD", "timeZone": "UTC", "accountStatus": "STATUS_ENABLE"});
    let token = json!({"fingerprint": "abcd", "profile": "LongLived", "importedAt": "2026-12-01T00:00:00Z"});
    let fine =
        json!({"observedGeneration": 1, "phase": "Active", "token": token, "advertiser": account});
    status(&namespace, &fine);
    let args = ["main", "-n", &namespace, "--timeout", "3s"];
    let (good, out, err) = output(cluster, &args);
    assert!(good, "{out}{err}");
    assert!(
        out.starts_with(
            "main is connected already: ad account Shop (7001). The link below authorises it anew"
        ),
        "{out}"
    );
    assert!(
        out.ends_with("No new approval came in; the connection works as before.\n"),
        "{out}"
    );
    let (good, out, err) = output(cluster, &[&args[..], &["-o", "json"]].concat());
    assert!(good, "{out}{err}");
    let lines: Vec<Value> = out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines[0]["step"], "Link");
    assert_eq!(lines[0]["connected"]["advertiserId"], "7001");
    assert_eq!(lines.last().unwrap()["step"], "Unchanged");
}

#[test]
fn a_program_reads_what_is_wrong_as_json() {
    let cluster = shared();
    let namespace = cluster.namespace("connect").unwrap();
    let args = ["nobody", "-n", &namespace, "-o", "json"];
    let (good, out, err) = output(cluster, &args);
    let step: Value = serde_json::from_str(&out).unwrap_or_else(|_| panic!("{out}{err}"));
    assert!(!good && err.is_empty(), "{err}");
    assert_eq!(step["step"], "Error");
    let message = step["message"].as_str().unwrap();
    assert!(
        message.starts_with("there is no TikTokConnection nobody"),
        "{message}"
    );
}

#[test]
fn a_kubeconfig_that_leads_nowhere_is_said_in_plain_words() {
    let (good, _, err) = output(shared(), &["main", "--context", "nope"]);
    assert!(
        !good && err.contains("the kubeconfig has no context nope; it has: "),
        "{err}"
    );
    let mut command = command(shared(), &["main"]);
    command
        .env("KUBECONFIG", "/nonexist")
        .env_remove("KUBERNETES_SERVICE_HOST");
    let (good, _, err) = read(command.output().unwrap());
    assert!(!good);
    assert_eq!(
        err,
        "error: cannot read the kubeconfig /nonexist: no such file\n"
    );
}

/// As `| head` does, but sooner: nobody reads from the start.
#[test]
fn output_that_nobody_reads_ends_quietly() {
    let examples = concat!(env!("CARGO_MANIFEST_DIR"), "/examples");
    for args in [
        &["sandbox", "--list-knobs"][..],
        &["crds"],
        &["crds", "--markdown"],
        &["check", examples],
        &["check", examples, "-o", "json"],
    ] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = Command::new(BINARY);
        command.args(args).stdout(writer).stderr(Stdio::piped());
        let (good, _, err) = read(command.output().unwrap());
        assert!(good && err.is_empty(), "{args:?}: {err}");
    }
}

#[test]
fn who_may_not_read_the_secret_is_told_how_to_be_allowed() {
    let cluster = shared();
    let namespace = cluster.namespace("connect").unwrap();
    connection(&namespace);
    link(&namespace, "canary");
    for args in [
        vec!["create", "serviceaccount", "ann"],
        vec![
            "create",
            "rolebinding",
            "ann",
            "--clusterrole=tiktok-ads-operator-connector",
            &format!("--serviceaccount={namespace}:ann"),
        ],
    ] {
        let args = [&args[..], &["-n", &namespace]].concat();
        cluster.run(&args).unwrap().ok().unwrap();
    }
    let ann = cluster.as_service_account(&namespace, "ann").unwrap();
    let (good, out, err) = output(&ann, &["main", "--no-wait"]);
    assert!(
        !good && err.contains("you may not read Secret main-tiktok-connect"),
        "{err}"
    );
    assert!(!out.contains("canary") && !err.contains("canary"));
    let role = err
        .lines()
        .find(|line| line.contains("kubectl create role "))
        .unwrap()
        .trim();
    cluster.shell(role).unwrap().ok().unwrap();
    let binding = format!("--serviceaccount={namespace}:ann");
    let args = [
        "create",
        "rolebinding",
        "main-connect",
        "--role=main-connect",
        &binding,
        "-n",
        &namespace,
    ];
    cluster.run(&args).unwrap().ok().unwrap();
    let (good, out, err) = output(&ann, &["main", "--no-wait"]);
    assert!(good && out.contains("ticket=canary"), "{err}");
}
