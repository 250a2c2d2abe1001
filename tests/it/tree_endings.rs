//! Ends of whole trees: a namespace in one stroke, and every order of deleting campaigns, ad groups and ads.

use std::time::Duration;

use tiktok_ads_harness::{Chart, Sandbox, shared, wait_until};

use crate::fleet::{self, Account, States};
use crate::trees::{self, Forest, KINDS};

const FOREST: Forest = Forest {
    campaigns: 2,
    ad_groups: 2,
    ads: 3,
};
const LIMIT: Duration = Duration::from_secs(180);

/// Which kinds are deleted, one after another; the rest goes with the namespace.
const ORDERS: [(&str, &[&str], &str); 9] = [
    ("stroke", &[], "Pause"),
    ("down", &["campaigns", "adgroups", "ads"], "Pause"),
    ("up", &["ads", "adgroups", "campaigns"], "Pause"),
    ("ends", &["campaigns", "ads", "adgroups"], "Pause"),
    ("middle", &["adgroups", "campaigns", "ads"], "Pause"),
    ("middleout", &["adgroups", "ads", "campaigns"], "Pause"),
    ("last", &["ads", "campaigns", "adgroups"], "Pause"),
    ("downdelete", &["campaigns", "adgroups", "ads"], "Delete"),
    ("updelete", &["ads", "adgroups", "campaigns"], "Delete"),
];

#[test]
fn r22_trees_end_in_any_order_with_everything_paused_or_deleted_and_nothing_stuck() {
    let cluster = shared();
    let sandbox = Sandbox::start(
        cluster,
        fleet::binary(),
        &["--seed", "23", "--knob", "rate=off"],
    )
    .unwrap();
    let home = cluster.namespace("treeends").unwrap();
    let names: Vec<String> = ORDERS
        .iter()
        .map(|(name, ..)| cluster.namespace(name).unwrap())
        .collect();
    let mut chart = Chart::new(&home)
        .platform_url(sandbox.url())
        .set("platform.tier=Ultimate")
        .set("platform.sweepInterval=5s");
    for name in &names {
        chart = chart.watch(name);
    }
    let install = cluster.install(chart).unwrap();
    let operator = install.run(fleet::binary()).unwrap();
    operator.wait_ready(Duration::from_secs(60)).unwrap();

    let accounts: Vec<Account> = names
        .iter()
        .zip(ORDERS)
        .map(|(namespace, (_, _, policy))| {
            let account = Account::new(&sandbox);
            let more = format!("state: Active\n  deletionPolicy: {policy}");
            let all = FOREST.reversed(&more) + &account.connection("main", "");
            cluster.apply(namespace, &all).unwrap();
            account
        })
        .collect();
    for namespace in &names {
        trees::wait_ready(cluster, &operator, namespace, FOREST, "On", LIMIT);
    }

    for (namespace, (_, order, _)) in names.iter().zip(ORDERS) {
        for plural in order {
            let args = ["delete", plural, "--all", "-n", namespace, "--wait=false"];
            cluster.run(&args).unwrap().ok().unwrap();
        }
        let args = ["delete", "namespace", namespace, "--wait=false"];
        cluster.run(&args).unwrap().ok().unwrap();
    }
    for ((namespace, (name, _, policy)), account) in names.iter().zip(ORDERS).zip(&accounts) {
        let gone = wait_until("the namespace to be gone", LIMIT, || {
            operator.alive()?;
            fleet::pace();
            let answer = cluster.run(&["get", "namespace", namespace, "-o", "json"])?;
            if answer.stderr.contains("NotFound") {
                return Ok(Ok(()));
            }
            let left: Vec<String> = KINDS
                .iter()
                .flat_map(|(_, plural, _)| trees::objects(cluster, namespace, plural))
                .map(|one| {
                    format!(
                        "{} {}",
                        one["metadata"]["name"], one["status"]["conditions"]
                    )
                })
                .take(3)
                .collect();
            Ok(Err(format!("{left:?}")))
        });
        gone.unwrap_or_else(|error| panic!("{name}: {error}\n{}", fleet::tail(&operator)));
        for (kind, _, list) in KINDS {
            let count = FOREST.count(kind);
            let states = trees::states(account, &sandbox, list);
            let (off, deleted) = if policy == "Delete" {
                (0, count)
            } else {
                (count, 0)
            };
            let want = States {
                on: 0,
                off,
                deleted,
            };
            // What is in a deleted parent is deleted with it, whatever its own switch says.
            if policy == "Delete" && kind != "Campaign" && name == "downdelete" {
                assert_eq!(
                    states.on + states.off + states.deleted,
                    count,
                    "{name} {kind}"
                );
            } else {
                assert_eq!(states, want, "{name} {kind}");
            }
        }
    }
    assert_eq!(
        fleet::metric(&operator, "tiktokads_released_active_total"),
        0.0
    );
}
