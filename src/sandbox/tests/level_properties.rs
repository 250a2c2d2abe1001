//! What holds of ad groups and ads whatever is done in whatever order, in both trees.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;

/// One thing done to an account with a few campaigns.
#[derive(Clone, Debug)]
enum Step {
    Campaign {
        smart_plus: bool,
        shares: bool,
    },
    AdGroup {
        campaign: u8,
        name: u8,
        bid: Option<u8>,
    },
    Ads {
        ad_group: u8,
        name: u8,
        count: u8,
    },
    Status {
        level: Level,
        index: u8,
        operation: &'static str,
    },
    Update {
        ad_group: u8,
        name: Option<u8>,
        bid: Option<u8>,
        us: bool,
    },
    Outside {
        level: Level,
        index: u8,
        operation: &'static str,
    },
    Spend {
        ad: u8,
        amount: u8,
    },
    Wait {
        minutes: u16,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let operation = prop::sample::select(vec!["ENABLE", "DISABLE", "DELETE"]);
    let level = prop::sample::select(Level::ALL.to_vec());
    let bid = prop::option::of(1_u8..9);
    prop_oneof![
        (any::<bool>(), any::<bool>())
            .prop_map(|(smart_plus, shares)| Step::Campaign { smart_plus, shares }),
        (0_u8..4, 0_u8..4, bid.clone()).prop_map(|(campaign, name, bid)| Step::AdGroup {
            campaign,
            name,
            bid
        }),
        (0_u8..6, 0_u8..4, 1_u8..4).prop_map(|(ad_group, name, count)| Step::Ads {
            ad_group,
            name,
            count
        }),
        (level.clone(), 0_u8..8, operation.clone()).prop_map(|(level, index, operation)| {
            Step::Status {
                level,
                index,
                operation,
            }
        }),
        (0_u8..6, prop::option::of(0_u8..4), bid, any::<bool>()).prop_map(
            |(ad_group, name, bid, us)| Step::Update {
                ad_group,
                name,
                bid,
                us
            }
        ),
        (level, 0_u8..8, operation).prop_map(|(level, index, operation)| Step::Outside {
            level,
            index,
            operation
        }),
        (0_u8..8, 0_u8..30).prop_map(|(ad, amount)| Step::Spend { ad, amount }),
        (0_u16..2_000).prop_map(|minutes| Step::Wait { minutes }),
    ]
}

/// All objects of the account, by id.
fn all(bench: &Bench) -> BTreeMap<u64, Item> {
    let id = bench.id();
    let sandbox = &bench.sandbox;
    let every = sandbox
        .campaigns(&id)
        .chain(sandbox.ad_groups(&id))
        .chain(sandbox.ads(&id));
    every.map(|row| (row.id, row.clone())).collect()
}

/// One of the objects of a level, by place; none without any.
fn pick(bench: &Bench, level: Level, index: u8) -> Option<Item> {
    let rows: Vec<Item> = all(bench)
        .into_values()
        .filter(|row| row.level == level)
        .collect();
    let count = rows.len();
    rows.into_iter().nth(usize::from(index) % count.max(1))
}

fn prefix(tree: Tree) -> &'static str {
    match tree {
        Tree::Manual => "",
        Tree::SmartPlus => "/smart_plus",
    }
}

fn status_path(row: &Item) -> (String, &'static str) {
    let (part, ids) = match (row.level, row.tree) {
        (Level::Campaign, _) => ("campaign", "campaign_ids"),
        (Level::AdGroup, _) => ("adgroup", "adgroup_ids"),
        (Level::Ad, Tree::Manual) => ("ad", "ad_ids"),
        (Level::Ad, Tree::SmartPlus) => ("ad", "smart_plus_ad_ids"),
    };
    (format!("{}/{part}/status/update/", prefix(row.tree)), ids)
}

fn take(bench: &mut Bench, step: &Step, key: u64) -> Value {
    match step {
        Step::Campaign {
            smart_plus: true, ..
        } => bench.post(
            "/smart_plus/campaign/create/",
            super::smart_plus(&key.to_string(), key),
        ),
        Step::Campaign { shares, .. } => {
            let body = but(
                manual(&key.to_string()),
                json!({"budget_optimize_on": shares}),
            );
            bench.post("/campaign/create/", body)
        }
        Step::AdGroup {
            campaign,
            name,
            bid,
        } => {
            let Some(row) = pick(bench, Level::Campaign, *campaign) else {
                return Value::Null;
            };
            let (id, name) = (row.id.to_string(), name.to_string());
            let (body, field) = match row.tree {
                Tree::Manual => (ad_group(&id, &name), "bid_price"),
                Tree::SmartPlus => {
                    let keyed = json!({"request_id": key.to_string()});
                    (
                        but(smart_plus_ad_group(&id, &name), keyed),
                        "conversion_bid_price",
                    )
                }
            };
            let bidding = match bid {
                Some(bid) => json!({"bid_type": "BID_TYPE_CUSTOM", field: bid}),
                None => json!({}),
            };
            bench.post(
                &format!("{}/adgroup/create/", prefix(row.tree)),
                but(body, bidding),
            )
        }
        Step::Ads {
            ad_group,
            name,
            count,
        } => {
            let Some(row) = pick(bench, Level::AdGroup, *ad_group) else {
                return Value::Null;
            };
            let creatives = vec![creative(&name.to_string()); usize::from(*count)];
            bench.ads(&row.id.to_string(), json!(creatives))
        }
        Step::Status {
            level,
            index,
            operation,
        } => {
            let Some(row) = pick(bench, *level, *index) else {
                return Value::Null;
            };
            let (path, ids) = status_path(&row);
            bench.post(
                &path,
                json!({ids: [row.id.to_string()], "operation_status": operation}),
            )
        }
        Step::Update {
            ad_group,
            name,
            bid,
            us,
        } => {
            let Some(row) = pick(bench, Level::AdGroup, *ad_group) else {
                return Value::Null;
            };
            let locations = json!([if *us { "6252001" } else { "2921044" }]);
            let (targeting, field) = match row.tree {
                Tree::Manual => (json!({"location_ids": locations}), "bid_price"),
                Tree::SmartPlus => (
                    json!({"targeting_spec": {"location_ids": locations}}),
                    "conversion_bid_price",
                ),
            };
            let mut body = but(targeting, json!({"adgroup_id": row.id.to_string()}));
            if let Some(name) = name {
                body["adgroup_name"] = json!(name.to_string());
            }
            if let Some(bid) = bid {
                body[field] = json!(bid);
            }
            bench.post(&format!("{}/adgroup/update/", prefix(row.tree)), body)
        }
        Step::Outside {
            level,
            index,
            operation,
        } => {
            if let Some(row) = pick(bench, *level, *index) {
                let (now, id) = (bench.now, row.id.to_string());
                // Refused if it is deleted, which is final outside as well.
                let _refused = match *operation {
                    "ENABLE" => bench.sandbox.enable_outside(now, &id),
                    "DISABLE" => bench.sandbox.pause_outside(now, &id),
                    _ => bench.sandbox.delete_outside(now, &id),
                };
            }
            Value::Null
        }
        Step::Spend { ad, amount } => {
            if let Some(row) = pick(bench, Level::Ad, *ad) {
                let id = row.id.to_string();
                bench
                    .sandbox
                    .spend(bench.now, &id, f64::from(*amount))
                    .unwrap();
            }
            Value::Null
        }
        Step::Wait { minutes } => {
            bench.now += i64::from(*minutes) * 60_000;
            Value::Null
        }
    }
}

/// Whether it or something it is in is deleted.
fn is_gone(objects: &BTreeMap<u64, Item>, row: &Item) -> bool {
    let parents = [row.ad_group, row.campaign].into_iter().flatten();
    row.deleted || parents.into_iter().any(|id| objects[&id].deleted)
}

/// What a refused or outer call cannot have done.
fn check_step(
    before: &BTreeMap<u64, Item>,
    after: &BTreeMap<u64, Item>,
    step: &Step,
    reply: &Value,
) {
    for (id, old) in before {
        let new = &after[id];
        let spent = matches!(step, Step::Spend { .. });
        if is_gone(before, old) && !spent && !matches!(step, Step::Outside { .. }) {
            assert_eq!(old, new, "{step:?} changed what is deleted");
        }
        if reply.get("code").is_some_and(|code| code != 0) {
            assert_eq!(old, new, "a refused {step:?} changed something");
        }
        let level = match step {
            Step::Status { level, .. } | Step::Outside { level, .. } => Some(*level),
            Step::AdGroup { .. } | Step::Update { .. } => Some(Level::AdGroup),
            Step::Campaign { .. } => Some(Level::Campaign),
            Step::Ads { .. } | Step::Wait { .. } => Some(Level::Ad),
            Step::Spend { .. } => None,
        };
        if level.is_some_and(|level| level != old.level) {
            assert_eq!(old, new, "{step:?} changed another level");
        }
    }
}

/// What holds of every state.
fn check_state(bench: &mut Bench) {
    let objects = all(bench);
    let lists = [
        (Level::AdGroup, "/adgroup/get/", "adgroup_id"),
        (Level::Ad, "/ad/get/", "ad_id"),
    ];
    for (level, path, field) in lists {
        let mut listed = |filtering: Value| -> BTreeMap<u64, Value> {
            let query = [("filtering", filtering), ("page_size", json!(1_000))];
            let reply = bench.get(path, &query);
            let rows = reply["data"]["list"].as_array().unwrap().clone();
            rows.into_iter()
                .map(|row| (row[field].as_str().unwrap().parse().unwrap(), row))
                .collect()
        };
        // Manual lists show all, in both trees, but what is deleted only if asked.
        let of_level = |gone: bool| -> BTreeSet<u64> {
            objects
                .values()
                .filter(|row| row.level == level && (gone || !is_gone(&objects, row)))
                .map(|row| row.id)
                .collect()
        };
        let every = listed(json!({"primary_status": "STATUS_ALL"}));
        assert_eq!(
            every.keys().copied().collect::<BTreeSet<_>>(),
            of_level(true)
        );
        let alive = listed(json!({}));
        assert_eq!(
            alive.keys().copied().collect::<BTreeSet<_>>(),
            of_level(false)
        );
        // What a row says of itself is what a filter finds it by.
        for (id, row) in &every {
            let status = row["secondary_status"].clone();
            let found = listed(json!({"secondary_status": status}));
            assert!(found.contains_key(id), "{status}");
            let deleted = status.as_str().unwrap().ends_with("_DELETE");
            assert_eq!(deleted, is_gone(&objects, &objects[id]), "{status}");
        }
    }
    for row in objects.values().filter(|row| row.level == Level::AdGroup) {
        let campaign = &objects[&row.campaign.unwrap()];
        assert_eq!(row.tree, campaign.tree);
        if campaign.fields.get("budget_optimize_on") == Some(&json!(true)) {
            assert_eq!(
                (row.text("budget_mode"), row.budget()),
                ("BUDGET_MODE_INFINITE", 0.0)
            );
        }
        let spent: f64 = objects
            .values()
            .filter(|ad| ad.ad_group == Some(row.id))
            .map(|ad| ad.spent_total)
            .sum();
        assert!((spent - row.spent_total).abs() < 1e-6);
    }
}

/// After a Smart+ ad group got a bid by a call, its campaign's others have the same.
fn check_bids(
    before: &BTreeMap<u64, Item>,
    after: &BTreeMap<u64, Item>,
    step: &Step,
    reply: &Value,
) {
    let bids = matches!(
        step,
        Step::AdGroup { bid: Some(_), .. } | Step::Update { bid: Some(_), .. }
    );
    let id = reply["data"]["adgroup_id"]
        .as_str()
        .and_then(|id| id.parse::<u64>().ok());
    let Some(row) = id.and_then(|id| after.get(&id)).filter(|_| bids) else {
        return;
    };
    if row.tree == Tree::Manual {
        return;
    }
    for other in after.values() {
        let sibling = other.level == Level::AdGroup && other.campaign == row.campaign;
        if sibling && !other.deleted && before.contains_key(&other.id) {
            let bid = |row: &Item| row.fields.get("conversion_bid_price").cloned();
            assert_eq!(bid(other), bid(row));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn whatever_is_done(steps in prop::collection::vec(step(), 1..40)) {
        let mut bench = Bench::new();
        for (key, step) in steps.iter().enumerate() {
            let before = all(&bench);
            let reply = take(&mut bench, step, key as u64 + 1);
            let after = all(&bench);
            check_step(&before, &after, step, &reply);
            check_bids(&before, &after, step, &reply);
        }
        check_state(&mut bench);
    }

    #[test]
    fn the_same_steps_give_the_same_state(steps in prop::collection::vec(step(), 1..30)) {
        let run = || {
            let mut bench = Bench::new();
            for (key, step) in steps.iter().enumerate() {
                take(&mut bench, step, key as u64 + 1);
            }
            bench.sandbox.digest()
        };
        prop_assert_eq!(run(), run());
    }
}
