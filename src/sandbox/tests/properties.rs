//! What holds whatever is done in whatever order.

use proptest::prelude::*;

use super::*;

/// One thing done to an account with a few names, keys and campaigns.
#[derive(Clone, Debug)]
enum Step {
    Create {
        smart_plus: bool,
        name: u8,
        key: Option<u8>,
        budget: u8,
    },
    Status {
        campaign: u8,
        operation: &'static str,
    },
    Update {
        campaign: u8,
        name: u8,
        budget: u8,
    },
    Outside {
        campaign: u8,
        operation: &'static str,
    },
    Wait {
        seconds: u16,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let operation = prop::sample::select(vec!["ENABLE", "DISABLE", "DELETE"]);
    prop_oneof![
        (any::<bool>(), 0_u8..4, prop::option::of(0_u8..4), 40_u8..80).prop_map(
            |(smart_plus, name, key, budget)| Step::Create {
                smart_plus,
                name,
                key,
                budget
            }
        ),
        (0_u8..6, operation.clone()).prop_map(|(campaign, operation)| Step::Status {
            campaign,
            operation
        }),
        (0_u8..6, 0_u8..4, 40_u8..80).prop_map(|(campaign, name, budget)| Step::Update {
            campaign,
            name,
            budget
        }),
        (0_u8..6, operation).prop_map(|(campaign, operation)| Step::Outside {
            campaign,
            operation
        }),
        (0_u16..2_000).prop_map(|seconds| Step::Wait { seconds }),
    ]
}

/// The path, the body, and the tree of a step's campaign (the n-th of the account, if there are so many).
fn campaign(bench: &Bench, number: u8) -> Option<(String, &'static str)> {
    let row = bench
        .sandbox
        .campaigns(&bench.account.advertiser_id)
        .nth(number.into())?;
    let tree = if row.tree == Tree::Manual {
        "/campaign"
    } else {
        "/smart_plus/campaign"
    };
    Some((row.id.to_string(), tree))
}

fn take(bench: &mut Bench, step: &Step) {
    match step {
        Step::Create {
            smart_plus: smart,
            name,
            key,
            budget,
        } => {
            let name = format!("n{name}");
            let (path, mut body) = if *smart {
                (
                    "/smart_plus/campaign/create/",
                    smart_plus(&name, key.unwrap_or(200).into()),
                )
            } else {
                ("/campaign/create/", manual(&name))
            };
            if let Some(key) = key {
                body["request_id"] = json!(key.to_string());
            }
            body["budget"] = json!(budget);
            bench.post(path, body);
        }
        Step::Status {
            campaign: number,
            operation,
        } => {
            if let Some((id, tree)) = campaign(bench, *number) {
                let body = json!({"campaign_ids": [id], "operation_status": operation});
                bench.post(&format!("{tree}/status/update/"), body);
            }
        }
        Step::Update {
            campaign: number,
            name,
            budget,
        } => {
            if let Some((id, tree)) = campaign(bench, *number) {
                let body = json!({"campaign_id": id, "campaign_name": format!("n{name}"), "budget": budget});
                bench.post(&format!("{tree}/update/"), body);
            }
        }
        Step::Outside {
            campaign: number,
            operation,
        } => {
            if let Some((id, _)) = campaign(bench, *number) {
                let done = match *operation {
                    "ENABLE" => bench.sandbox.enable_outside(bench.now, &id),
                    "DISABLE" => bench.sandbox.pause_outside(bench.now, &id),
                    _ => bench.sandbox.delete_outside(bench.now, &id),
                };
                // Refused for a deleted one.
                drop(done);
            }
        }
        Step::Wait { seconds } => bench.now += i64::from(*seconds) * 1_000,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn whatever_is_done(steps in prop::collection::vec(step(), 1..40), page_size in 1_u64..5) {
        let mut bench = Bench::new();
        let id = bench.id();
        let mut dead = BTreeMap::new();
        for step in &steps {
            take(&mut bench, step);
            let rows: Vec<Campaign> = bench.sandbox.campaigns(&id).cloned().collect();
            // Deleted is final: nothing about such a campaign changes any more.
            for row in &rows {
                if let Some(before) = dead.get(&row.id) {
                    prop_assert_eq!(row, before);
                }
                if row.deleted {
                    dead.insert(row.id, row.clone());
                }
            }
            // One campaign for one key.
            let mut used: Vec<&String> = rows.iter().filter_map(|row| row.request_id.as_ref()).collect();
            let all = used.len();
            used.sort();
            used.dedup();
            prop_assert_eq!(used.len(), all);
            // No budget under the floor.
            prop_assert!(rows.iter().all(|row| row.budget() >= 50.0));
        }
        // The pages together are the live campaigns, each once, newest first, in whatever page size.
        let mut listed = Vec::new();
        for page in 1_u64.. {
            let reply = bench.get("/campaign/get/", &[("page", json!(page)), ("page_size", json!(page_size))]);
            listed.extend(ids(&reply));
            if page >= reply["data"]["page_info"]["total_page"].as_u64().unwrap() {
                break;
            }
        }
        let mut live: Vec<String> =
            bench.sandbox.campaigns(&id).filter(|row| !row.deleted).map(|row| row.id.to_string()).collect();
        live.reverse();
        prop_assert_eq!(listed, live);
    }
}
