//! The harness itself: what it starts works, is counted right, and leaves nothing behind.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use tiktok_ads_harness::scratch::Scratch;
use tiktok_ads_harness::{ControlPlane, Error, Process, shared, wait_until};

/// Set for the copy of this binary that is killed.
const VICTIM: &str = "HARNESS_TEST_VICTIM";

#[test]
fn namespaces_terminate_and_owner_references_collect() {
    let cluster = shared();
    let namespace = cluster.namespace("terminates").unwrap();
    let owner = cluster
        .apply(
            &namespace,
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: owner}\n",
        )
        .and_then(|_| cluster.json(&["get", "configmap", "owner", "-n", &namespace]))
        .unwrap();
    let uid = owner["metadata"]["uid"].as_str().unwrap();
    cluster
        .apply(
            &namespace,
            &format!(
                "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: owned\n  ownerReferences: [{{apiVersion: v1, kind: ConfigMap, name: owner, uid: {uid}}}]\n"
            ),
        )
        .unwrap();
    cluster
        .run(&["delete", "configmap", "owner", "-n", &namespace])
        .unwrap()
        .ok()
        .unwrap();
    let gone = |what: &[&str]| {
        wait_until(
            &format!("{what:?} to be gone"),
            Duration::from_secs(60),
            || {
                let answer = cluster.run(what)?;
                Ok(if answer.stderr.contains("NotFound") {
                    Ok(())
                } else {
                    Err(answer.stdout)
                })
            },
        )
        .unwrap();
    };
    gone(&["get", "configmap", "owned", "-n", &namespace]);
    cluster
        .run(&["delete", "namespace", &namespace, "--wait=false"])
        .unwrap()
        .ok()
        .unwrap();
    gone(&["get", "namespace", &namespace]);
}

#[test]
fn the_audit_log_counts_reads_and_writes_by_user_agent() {
    let cluster = shared();
    let namespace = cluster.namespace("audit").unwrap();
    let audit = cluster.audit();
    let before = audit.mark().unwrap();
    let nothing = audit
        .since(before)
        .unwrap()
        .namespace(&namespace)
        .agent("kubectl");
    assert_eq!(nothing.count(), 0, "{nothing}");

    cluster
        .run(&["create", "configmap", "one", "-n", &namespace])
        .unwrap()
        .ok()
        .unwrap();
    cluster
        .run(&["label", "configmap", "one", "-n", &namespace, "a=b"])
        .unwrap()
        .ok()
        .unwrap();
    cluster
        .run(&["get", "configmaps", "-n", &namespace])
        .unwrap()
        .ok()
        .unwrap();
    // Two watches, one of which ends before we count.
    cluster
        .run(&[
            "get",
            "configmap",
            "one",
            "-n",
            &namespace,
            "--watch",
            "--request-timeout=1s",
        ])
        .unwrap();

    let seen = || {
        audit
            .since(before)
            .unwrap()
            .namespace(&namespace)
            .agent("kubectl")
            .resource("configmaps")
    };
    let writes: Vec<String> = seen()
        .writes()
        .all()
        .iter()
        .map(|request| request.verb.clone())
        .collect();
    assert_eq!(writes, ["create", "patch"]);
    assert_eq!(
        seen().only(|request| request.verb == "watch").count(),
        1,
        "{}",
        seen()
    );
    assert!(seen().reads().count() >= 3, "{}", seen());
    assert_eq!(seen().agent("somebody-else").count(), 0);
    assert_eq!(seen().user("admin").count(), seen().count());
    let after = audit.mark().unwrap();
    assert_eq!(audit.since(after).unwrap().namespace(&namespace).count(), 0);
}

#[test]
fn a_service_account_is_not_admin() {
    let cluster = shared();
    let namespace = cluster.namespace("account").unwrap();
    cluster
        .run(&["create", "serviceaccount", "robot", "-n", &namespace])
        .unwrap()
        .ok()
        .unwrap();
    let robot = cluster.as_service_account(&namespace, "robot").unwrap();
    let who = robot.json(&["auth", "whoami"]).unwrap();
    assert_eq!(
        who["status"]["userInfo"]["username"],
        format!("system:serviceaccount:{namespace}:robot")
    );
    let refusal = robot
        .run(&["get", "configmaps", "-n", &namespace])
        .unwrap()
        .refused()
        .unwrap();
    assert!(refusal.contains("Forbidden"), "{refusal}");
}

/// The death signal comes when the thread that made a child ends; a test is such a thread.
#[test]
fn a_child_outlives_the_thread_that_asked_for_it() {
    let scratch = Scratch::new("harness-test").unwrap();
    let log = scratch.path().join("log");
    let process =
        std::thread::spawn(move || Process::spawn("sleep", sleeper("600"), &log).unwrap())
            .join()
            .unwrap();
    // The signal of a wrong thread would be there at once.
    std::thread::sleep(Duration::from_millis(300));
    process.alive().unwrap();
    process.kill().unwrap();
    assert!(matches!(process.alive(), Err(Error::Ended { .. })));
}

#[test]
fn sigkill_of_the_parent_leaves_no_process_and_no_file() {
    let report = Scratch::new("harness-test").unwrap();
    let report = report.path().join("folder");
    let mut victim = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "control_plane::victim",
            "--ignored",
            "--nocapture",
        ])
        .env(VICTIM, &report)
        .env_remove("HARNESS_KEEP")
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let folder = wait_until(
        "the victim's control plane",
        Duration::from_secs(180),
        || {
            assert!(
                victim.try_wait().unwrap().is_none(),
                "the victim ended by itself"
            );
            Ok(std::fs::read_to_string(&report).map_err(|error| error.to_string()))
        },
    )
    .map(PathBuf::from)
    .unwrap();
    // Three servers, a child like the operator's, and the one that cleans up.
    let before = processes_of(&folder);
    assert_eq!(before.len(), 5, "{before:?}");
    assert!(folder.join("audit.log").exists());

    victim.kill().unwrap();
    victim.wait().unwrap();
    wait_until("everything to be gone", Duration::from_secs(20), || {
        let left = processes_of(&folder);
        let clean = left.is_empty() && !folder.exists();
        Ok(if clean {
            Ok(())
        } else {
            Err(format!("{left:?}"))
        })
    })
    .unwrap();
}

/// Not a test: what the test above starts a copy of this binary for, and kills.
#[test]
#[ignore = "started by sigkill_of_the_parent_leaves_no_process_and_no_file"]
fn victim() {
    let Some(report) = std::env::var_os(VICTIM).map(PathBuf::from) else {
        return;
    };
    let cluster = ControlPlane::start().unwrap();
    let mut command = Command::new("sh");
    command
        .args(["-c", "sleep 600; :", "-"])
        .arg(cluster.folder());
    let _operator = Process::spawn(
        "an operator",
        command,
        &cluster.folder().join("operator.log"),
    )
    .unwrap();
    let beside = report.with_extension("new");
    std::fs::write(&beside, cluster.folder().to_str().unwrap()).unwrap();
    std::fs::rename(beside, report).unwrap();
    std::thread::sleep(Duration::from_secs(600));
}

#[test]
fn dropping_a_control_plane_stops_it() {
    let cluster = ControlPlane::start().unwrap();
    let folder = cluster.folder().to_owned();
    assert_eq!(processes_of(&folder).len(), 4);
    drop(cluster);
    assert_eq!(processes_of(&folder), Vec::<String>::new());
    assert!(!folder.exists());
}

fn sleeper(seconds: &str) -> Command {
    let mut command = Command::new("sleep");
    command.arg(seconds);
    command
}

/// Command lines of all processes that mention a folder.
fn processes_of(folder: &Path) -> Vec<String> {
    let folder = folder.to_str().unwrap();
    std::fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| std::fs::read(entry.ok()?.path().join("cmdline")).ok())
        .map(|line| String::from_utf8_lossy(&line).replace('\0', " "))
        .filter(|line| line.contains(folder))
        .collect()
}
