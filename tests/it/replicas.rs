//! The binary itself: it gets ready, one replica holds the lease, and a clean stop hands it on.

use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use tiktok_ads_harness::{Chart, Install, http, shared, wait_until};

const LIMIT: Duration = Duration::from_secs(60);

fn lease(install: &Install<'_>) -> Value {
    whole_lease(install)["spec"].clone()
}

fn whole_lease(install: &Install<'_>) -> Value {
    let name = install.deployment()["metadata"]["name"].as_str().unwrap();
    shared()
        .json(&["get", "lease", name, "-n", install.namespace()])
        .unwrap()
}

/// Where the Lease says that its holder listens.
fn leads_at(install: &Install<'_>) -> Option<String> {
    let address = &whole_lease(install)["metadata"]["annotations"]["tiktokads.dev/address"];
    address.as_str().map(str::to_owned)
}

#[test]
fn a_clean_stop_hands_the_lease_to_the_standby() {
    let namespace = shared().namespace("replicas").unwrap();
    // Nobody listens there: without a connection nobody is called.
    let chart = Chart::new(&namespace)
        .watch(&namespace)
        .platform_url("http://127.0.0.1:9");
    let install = shared().install(chart).unwrap();
    let binary = Path::new(env!("CARGO_BIN_EXE_tiktok-ads-operator"));
    let first = install.run(binary).unwrap();
    first.wait_ready(LIMIT).unwrap();
    let metrics = http::get(&format!("{}/metrics", first.url())).unwrap();
    assert!(
        metrics.body.trim_end().ends_with("# EOF"),
        "{}",
        metrics.body
    );
    wait_until("the first replica to lead", LIMIT, || {
        let found = shared().run(&["get", "lease", "-n", &namespace, "-o", "name"])?;
        Ok(if found.stdout.trim().is_empty() {
            Err("no lease".to_string())
        } else {
            Ok(())
        })
    })
    .unwrap();
    let before = lease(&install);
    assert_eq!(before["leaseTransitions"], 1, "{before}");
    let second = install.run(binary).unwrap();
    // A standby is ready, too: its watches are warm.
    second.wait_ready(LIMIT).unwrap();
    assert_eq!(lease(&install)["holderIdentity"], before["holderIdentity"]);
    let status = first.terminate(Duration::from_secs(20)).unwrap();
    assert!(status.success(), "{status}");
    // Given back, not run out: that would take 30 s.
    wait_until("the standby to lead", Duration::from_secs(15), || {
        let now = lease(&install);
        let other =
            now["holderIdentity"].is_string() && now["holderIdentity"] != before["holderIdentity"];
        Ok(if other { Ok(()) } else { Err(now.to_string()) })
    })
    .unwrap();
    assert_eq!(lease(&install)["leaseTransitions"], 2);
    assert!(second.terminate(Duration::from_secs(20)).unwrap().success());
    assert!(lease(&install)["holderIdentity"].is_null(), "given back");
}

#[test]
fn a_standby_passes_webhooks_on_to_the_replica_that_the_lease_names() {
    let namespace = shared().namespace("public").unwrap();
    let chart = Chart::new(&namespace)
        .watch(&namespace)
        .platform_url("http://127.0.0.1:9")
        .set("publicUrl=http://127.0.0.1:8090");
    let install = shared().install(chart).unwrap();
    let binary = Path::new(env!("CARGO_BIN_EXE_tiktok-ads-operator"));
    let first = install.run(binary).unwrap();
    first.wait_ready(LIMIT).unwrap();
    let at = first.public_url().unwrap().to_owned();
    wait_until("the leader's address", LIMIT, || {
        let found = shared().run(&["get", "lease", "-n", &namespace, "-o", "yaml"])?;
        Ok(if found.stdout.contains(&at) {
            Ok(())
        } else {
            Err(found.stdout)
        })
    })
    .unwrap();
    let second = install.run(binary).unwrap();
    second.wait_ready(LIMIT).unwrap();
    let ask = |operator: &tiktok_ads_harness::Operator| {
        let url = format!(
            "{}/webhooks/tiktok/{namespace}/none",
            operator.public_url().unwrap()
        );
        http::request("POST", &url, "{}").unwrap()
    };
    // What needs no leader, either answers; health and metrics are not among it.
    for operator in [&first, &second] {
        let url = operator.public_url().unwrap();
        let page = http::get(&format!("{url}/connect/{namespace}/main")).unwrap();
        assert!(page.body.contains("You need a link"), "{}", page.body);
        assert_eq!(http::get(&format!("{url}/metrics")).unwrap().status, 404);
    }
    // The standby looks at the lease every 5 s.
    let told = wait_until("the standby to answer as the leader does", LIMIT, || {
        let (here, there) = (ask(&first), ask(&second));
        Ok(if here.status == there.status && here.body == there.body {
            Ok(here.status)
        } else {
            Err(format!("{} {}", there.status, there.body))
        })
    });
    told.unwrap();
    assert!(first.terminate(Duration::from_secs(40)).unwrap().success());
    assert_ne!(leads_at(&install).as_deref(), Some(&*at), "given back");
    let other = second.public_url().unwrap().to_owned();
    wait_until("the other's address", Duration::from_secs(15), || {
        let found = leads_at(&install);
        Ok(if found.as_deref() == Some(&*other) {
            Ok(())
        } else {
            Err(format!("{found:?}"))
        })
    })
    .unwrap();
    assert!(second.terminate(Duration::from_secs(40)).unwrap().success());
    assert_eq!(leads_at(&install), None);
}
