//! One tree of each kind goes live, whatever the order in which its parts come.

use std::time::Duration;

use tiktok_ads_harness::{Chart, Sandbox, shared};

use crate::fleet::{self, Account, States};
use crate::trees::{self, Forest, KINDS};

fn goes_live(automation: &'static str, seed: &str) {
    let cluster = shared();
    let namespace = cluster.namespace("tree").unwrap();
    let sandbox = Sandbox::start(cluster, fleet::binary(), &["--seed", seed]).unwrap();
    let account = Account::new(&sandbox);
    let chart = Chart::new(&namespace)
        .watch(&namespace)
        .platform_url(sandbox.url())
        .set("platform.tier=Ultimate")
        .set("platform.sweepInterval=5s");
    let install = cluster.install(chart).unwrap();
    let operator = install.run(fleet::binary()).unwrap();
    operator.wait_ready(Duration::from_secs(30)).unwrap();
    let forest = Forest {
        campaigns: 1,
        ad_groups: 2,
        ads: 3,
    };
    let all = forest.of(automation, "state: Active") + &account.connection("main", "");
    cluster.apply(&namespace, &all).unwrap();
    trees::wait_all_ready(
        cluster,
        &operator,
        &namespace,
        [1, 2, 3],
        "On",
        Duration::from_secs(90),
    );
    for ((kind, _, list), count) in KINDS.into_iter().zip([1, 2, 3]) {
        let on = States {
            on: count,
            ..States::default()
        };
        assert_eq!(trees::states(&account, &sandbox, list), on, "{kind}");
    }
    let missed = fleet::metric(&operator, "tiktokads_missed_wakeups_total");
    assert_eq!(missed, 0.0);
}

#[test]
fn a_manual_tree_goes_live_in_reverse_order() {
    goes_live("Manual", "41");
}

#[test]
fn a_smart_plus_tree_goes_live_in_reverse_order() {
    goes_live("SmartPlus", "42");
}
