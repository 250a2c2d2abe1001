//! 10 campaigns, 50 ad groups and 240 ads of both trees, applied in reverse order: what that costs on TikTok, and that
//! nothing is done once nothing is left to do.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::Value;
use tiktok_ads_harness::{Chart, Sandbox, shared, wait_until};

use crate::fleet::{self, Account, States};
use crate::trees::{self, Forest, KINDS};

const FOREST: Forest = Forest {
    campaigns: 5,
    ad_groups: 5,
    ads: 24,
};

/// Calls by path, unfiltered lists (sweeps and name checks alike) apart.
fn calls(requests: &[Value]) -> (BTreeMap<String, usize>, usize) {
    let mut by_path: BTreeMap<String, usize> = BTreeMap::new();
    let mut pages = 0;
    for request in requests {
        let path = request["path"].as_str().unwrap();
        let path = path.trim_start_matches("/open_api/v1.3/").to_owned();
        let filter = request["query"]["filtering"].as_str().unwrap_or("");
        let narrow = filter.contains("_id") || filter.contains("_name");
        if path.ends_with("/get/") && !narrow && !path.starts_with("oauth2") {
            pages += 1;
        }
        *by_path.entry(path).or_default() += 1;
    }
    (by_path, pages)
}

/// The least number of calls that the API allows, one line each.
fn least() -> usize {
    let per_tree = |kind: &str| FOREST.count(kind) / 2;
    let names = 6; // each kind's names are looked at once in each tree, a page each
    let creates = FOREST.count("Campaign")
        + FOREST.count("AdGroup")
        + FOREST.campaigns * FOREST.ad_groups // manual ads share a call with those of their ad group
        + per_tree("Ad"); // Smart+ ads go one by one
    let kinds = ["Campaign", "AdGroup", "Ad"];
    let in_calls_of = |size: usize| -> usize {
        let calls = kinds.map(|kind| 2 * per_tree(kind).div_ceil(size));
        calls.iter().sum()
    };
    let read_back = in_calls_of(100);
    let enables = in_calls_of(20);
    let reviews = per_tree("Ad").div_ceil(20) + per_tree("Ad").div_ceil(100);
    names + creates + read_back + enables + reviews
}

#[test]
fn three_hundred_objects_of_three_levels_cost_hardly_more_than_the_least_and_then_nothing() {
    let cluster = shared();
    let namespace = cluster.namespace("trees").unwrap();
    let sandbox = Sandbox::start(
        cluster,
        fleet::binary(),
        &["--seed", "301", "--knob", "rate=off"],
    )
    .unwrap();
    let account = Account::new(&sandbox);
    let install = cluster
        .install(
            Chart::new(&namespace)
                .watch(&namespace)
                .platform_url(sandbox.url())
                .set("platform.tier=Ultimate")
                .set("platform.sweepInterval=10m"),
        )
        .unwrap();
    let operator = install.run(fleet::binary()).unwrap();
    operator.wait_ready(Duration::from_secs(30)).unwrap();

    let begun = Instant::now();
    let manifests = FOREST.reversed("state: Active") + &account.connection("main", "");
    cluster.apply(&namespace, &manifests).unwrap();
    let applied = begun.elapsed();
    trees::wait_ready(
        cluster,
        &operator,
        &namespace,
        FOREST,
        "On",
        Duration::from_secs(240),
    );
    let took = begun.elapsed();

    for (kind, _, list) in KINDS {
        let all_on = States {
            on: FOREST.count(kind),
            ..States::default()
        };
        assert_eq!(trees::states(&account, &sandbox, list), all_on, "{kind}");
    }
    let (by_path, pages) = calls(&account.requests(&sandbox, 0));
    let about_the_account = ["advertiser/info/", "oauth2/advertiser/get/"];
    let all: usize = by_path
        .iter()
        .filter(|(path, _)| !about_the_account.contains(&path.as_str()))
        .map(|(_, n)| n)
        .sum();
    eprintln!(
        "trees: applied in {applied:.1?}, live after {took:.1?}; {all} calls, at least {}, {:.3} of it, {pages} of them lists \
         without a filter; {by_path:?}",
        least(),
        all as f64 / least() as f64
    );
    assert!(
        all * 10 <= least() * 12,
        "{all} of {}: {by_path:?}",
        least()
    );
    let ended = operator.terminate(Duration::from_secs(20)).unwrap();
    assert!(ended.success(), "{ended}");

    // A new process: its first sight may still tell what TikTok has done since (deliveries). After that: nothing.
    let install = install.upgrade(&["platform.sweepInterval=2s"]).unwrap();
    let operator = install
        .run_with(fleet::binary(), &["--resync-interval=5s"], &[])
        .unwrap();
    let sweeps = |after: u64| {
        let (by_path, _) = calls(&account.requests(&sandbox, after));
        by_path.get("campaign/get/").copied().unwrap_or(0)
    };
    let wait_sweeps = |from: u64, count: usize| {
        wait_until("sweeps", Duration::from_secs(120), || {
            operator.alive()?;
            let read = sweeps(from);
            Ok(if read >= count {
                Ok(())
            } else {
                Err(format!("{read} sweeps"))
            })
        })
        .unwrap();
    };
    wait_sweeps(account.last_request(&sandbox), 5);
    let versions = || -> Vec<(String, String)> {
        let plurals = [
            "campaigns",
            "adgroups",
            "ads",
            "tiktokconnections",
            "events",
        ];
        plurals
            .iter()
            .flat_map(|plural| trees::objects(cluster, &namespace, plural))
            .map(|one| {
                let text = |name: &str| one["metadata"][name].as_str().unwrap().to_owned();
                (text("name"), text("resourceVersion"))
            })
            .collect()
    };
    let before = versions();
    let mark = cluster.audit().mark().unwrap();
    let from = account.last_request(&sandbox);
    wait_sweeps(from, 10);
    let (by_path, pages) = calls(&account.requests(&sandbox, from));
    let user = format!(
        "system:serviceaccount:{}:{}",
        install.namespace(),
        install.deployment()["spec"]["template"]["spec"]["serviceAccountName"]
            .as_str()
            .unwrap()
    );
    let seen = cluster.audit().since(mark).unwrap().user(&user);
    assert!(seen.count() > 0, "the lease at least is renewed");
    let writes = seen.writes().only(|request| request.resource != "leases");
    assert_eq!(writes.count(), 0, "{writes}{}", fleet::tail(&operator));
    assert_eq!(versions(), before);
    let all: usize = by_path.values().sum();
    assert_eq!(all, pages, "nothing but sweeps: {by_path:?}");
    eprintln!("trees: ten sweeps with nothing changed: {by_path:?}");
    assert_eq!(
        fleet::metric(&operator, "tiktokads_missed_wakeups_total"),
        0.0
    );
}
