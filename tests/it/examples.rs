//! What the examples say is so: applied all at once, they change nothing on the platform while their connection observes;
//! then they are there, and each object says what is so.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use tiktok_ads_harness::programs::repository;
use tiktok_ads_harness::{Chart, Sandbox, shared, wait_until};

use crate::fleet;
use crate::trees::{self, KINDS};

/// From here on some of the examples are refused, and say so: TikTok takes no new manual campaigns of some objectives.
const DATED: &str = "2027-01-01T00:00:00Z";
const AFTER: [&str; 2] = ["UseSmartPlus", "WaitingForParent"];

#[test]
fn all_examples_applied_at_once_are_on_the_platform_once_they_may() {
    let cluster = shared();
    let namespace = cluster.namespace("examples").unwrap();
    let sandbox = Sandbox::start(cluster, fleet::binary(), &["--seed", "77"]).unwrap();
    let chart = Chart::new(&namespace)
        .watch(&namespace)
        .platform_url(sandbox.url())
        .set("platform.sweepInterval=5s");
    let install = cluster.install(chart).unwrap();
    let operator = install.run(fleet::binary()).unwrap();
    operator.wait_ready(Duration::from_secs(30)).unwrap();

    let examples = repository().join("examples");
    let args = ["apply", "-R", "-n", &namespace, "-f"];
    let path = examples.to_str().unwrap();
    cluster
        .run(&[&args[..], &[path]].concat())
        .unwrap()
        .ok()
        .unwrap();

    // The quickstart's connection begins in Observe: everything says what would be, and nothing is there.
    for (_, plural, list) in KINDS {
        let done = wait_until(plural, Duration::from_secs(120), || {
            operator.alive()?;
            fleet::pace();
            let all = trees::objects(cluster, &namespace, plural);
            let would = |one: &Value| {
                fleet::condition(one, "Ready").is_some_and(|ready| {
                    ready["reason"] == "WouldCreate" || ready["reason"] == "WaitingForParent"
                })
            };
            Ok(match all.iter().find(|one| !would(one)) {
                None => Ok(()),
                Some(one) => Err(format!("{} {}", one["metadata"]["name"], one["status"])),
            })
        });
        done.unwrap_or_else(|error| panic!("{error}\n{}", fleet::tail(&operator)));
        let path = format!("/sandbox/{list}?advertiser_id=7000000000000000002");
        let rows = fleet::control(&sandbox, "GET", &path, "");
        assert_eq!(rows[list], serde_json::json!([]), "nothing is written");
    }
    let enforce = r#"--patch={"spec":{"mode":null}}"#;
    let args = ["patch", "tiktokconnection", "shop", "-n", &namespace];
    cluster
        .run(&[&args[..], &["--type=merge", enforce]].concat())
        .unwrap()
        .ok()
        .unwrap();

    let late = Timestamp::now() >= DATED.parse().unwrap();
    let as_meant = |one: &Value| {
        let Some(ready) = fleet::condition(one, "Ready") else {
            return false;
        };
        let current = one["status"]["observedGeneration"] == one["metadata"]["generation"];
        let excused = late && AFTER.iter().any(|reason| ready["reason"] == *reason);
        current && (ready["status"] == "True" || excused)
    };
    for (kind, plural, list) in KINDS {
        let done = wait_until(plural, Duration::from_secs(120), || {
            operator.alive()?;
            fleet::pace();
            let all = trees::objects(cluster, &namespace, plural);
            assert!(all.len() >= 6, "the examples have {} {plural}", all.len());
            Ok(match all.iter().find(|one| !as_meant(one)) {
                None => Ok(()),
                Some(one) => Err(format!(
                    "{} {}",
                    one["metadata"]["name"], one["status"]["conditions"]
                )),
            })
        });
        done.unwrap_or_else(|error| panic!("{error}\n{}", fleet::tail(&operator)));
        let all = trees::objects(cluster, &namespace, plural);
        let made = all.iter().filter(|one| one["status"]["id"].is_string());
        let path = format!("/sandbox/{list}?advertiser_id=7000000000000000002");
        let rows = fleet::control(&sandbox, "GET", &path, "");
        assert_eq!(
            rows[list].as_array().unwrap().len(),
            made.count(),
            "{kind}: one on the platform for each object"
        );
    }
}
