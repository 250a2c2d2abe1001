//! R11 for ad groups and ads: however a create ends, there is one, and it was not sent twice without a look.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::nodes::{Level, Node, TREES, Tree};
use super::tree_kit::{Branch, each, everywhere, message};
use super::{Case, condition, record};

/// A create that goes wrong in some way ends with one that is live; how often it was sent.
fn ends_with_one(tree: Tree, level: Level, knobs: &Value, fault: &Value) -> usize {
    let case = Case::new("t11");
    case.knobs(knobs.clone());
    let path = format!("/open_api/v1.3{}", tree.path(level, "create"));
    case.fault(&path, fault.clone(), 1);
    let branch = Branch::applied(&case, tree);
    let node = branch.at(level);
    let live = node.wait_live();
    branch.ad.wait_live();
    node.sweeps();
    assert_eq!(case.rows(level).len(), 1, "{fault}");
    assert!(record(&live)["mark"].is_null());
    assert!(case.runs(level, &node.id()));
    case.calls(tree, level, "create").len()
}

#[test]
fn r11_below_a_campaign_an_answer_that_is_lost_or_broken_is_looked_up_and_never_sent_again() {
    for fault in [
        json!({"kind": "answer_lost"}),
        json!({"kind": "malformed_body"}),
        json!({"kind": "http_status", "status": 502, "after_effect": true}),
    ] {
        everywhere(|tree, level| {
            assert_eq!(ends_with_one(tree, level, &json!({}), &fault), 1, "{fault}");
        });
    }
}

#[test]
fn r11_below_a_campaign_an_effect_or_answer_or_list_that_comes_late_is_waited_for() {
    for (knobs, fault) in [
        (json!({}), json!({"kind": "delay", "ms": 5000})),
        (json!({}), json!({"kind": "effect_delay", "ms": 2500})),
        (
            json!({"listing_lag_seconds": 3}),
            json!({"kind": "answer_lost"}),
        ),
    ] {
        everywhere(|tree, level| {
            assert_eq!(
                ends_with_one(tree, level, &knobs, &fault),
                1,
                "{knobs} {fault}"
            );
        });
    }
}

#[test]
fn r11_below_a_campaign_what_never_arrived_is_sent_again_after_two_spaced_look_ups() {
    for fault in [
        json!({"kind": "cut_before"}),
        json!({"kind": "http_status", "status": 502}),
    ] {
        everywhere(|tree, level| {
            assert_eq!(ends_with_one(tree, level, &json!({}), &fault), 2, "{fault}");
        });
    }
}

/// The manual ads `a0`… of an ad group `g` that comes last, so that all are made together; what was sent.
fn batch<'a>(case: &'a Case, more: &[Value]) -> Vec<Node<'a>> {
    let tree = Tree::Manual;
    let ads = more
        .iter()
        .enumerate()
        .map(|(n, more)| tree.ad(case, &format!("a{n}"), "g", more.clone()))
        .collect();
    tree.campaign(case, "c", json!({"state": "Active"}));
    tree.ad_group(case, "g", "c", json!({"state": "Active"}));
    ads
}

fn creates(case: &Case) -> Vec<Value> {
    case.calls(Tree::Manual, Level::Ad, "create")
}

/// How many creatives a create named.
fn size(entry: &Value) -> usize {
    entry["body"]["creatives"].as_array().unwrap().len()
}

/// How often there is an ad of each name.
fn names(case: &Case) -> BTreeMap<String, usize> {
    let mut names = BTreeMap::new();
    for row in case.rows(Level::Ad) {
        let name = row["fields"]["ad_name"].as_str().unwrap().to_owned();
        *names.entry(name).or_default() += 1;
    }
    names
}

fn assert_single(case: &Case, count: usize) {
    let names = names(case);
    assert_eq!(names.len(), count, "{names:?}");
    assert!(names.values().all(|times| *times == 1), "{names:?}");
}

#[test]
fn r11_an_answer_lost_for_a_batch_of_ads_makes_no_twin() {
    let ways = [
        json!({"kind": "answer_lost"}),
        json!({"kind": "malformed_body"}),
        json!({"kind": "delay", "ms": 5000}),
        json!({"kind": "effect_delay", "ms": 2500}),
        json!({"kind": "cut_before"}),
    ];
    each(&ways, |fault| {
        let case = Case::new("t11-batch");
        case.fault("*/ad/create/", fault.clone(), 1);
        let active = vec![json!({"state": "Active"}); 8];
        let ads = batch(&case, &active);
        for ad in &ads {
            ad.wait_live();
        }
        ads[0].sweeps();
        assert_single(&case, 8);
        let sent = creates(&case);
        assert_eq!(size(&sent[0]), 8, "together");
        let again = if fault["kind"] == "cut_before" { 8 } else { 0 };
        assert_eq!(sent.len(), 1 + again, "{fault}");
        assert!(sent[1..].iter().all(|entry| size(entry) == 1));
    });
}

/// An ad whose identity TikTok does not take: the manifest cannot know.
fn refused_ad() -> Value {
    json!({
        "state": "Active", "identity": {"type": "Custom", "id": "7100000000000000009"}, "displayName": "Shop",
    })
}

#[test]
fn r11_one_bad_ad_in_a_batch_leaves_the_others_live_and_is_told_why() {
    let ways = ["whole", "part_refused", "part_answered", "part_silent"];
    each(&ways, |way| {
        let case = Case::new("t11-bad");
        case.knobs(json!({"ad_batch": way, "custom_identity": "refuse"}));
        let mut more = vec![json!({"state": "Active"}); 5];
        more[2] = refused_ad();
        let ads = batch(&case, &more);
        for (n, ad) in ads.iter().enumerate().filter(|(n, _)| *n != 2) {
            let live = ad.wait_live();
            // Each is itself, and none has another's id.
            let row = case.row_of(Level::Ad, &super::id(&live));
            assert_eq!(row["fields"]["ad_name"], format!("a{n}"));
        }
        let refused = ads[2].wait_for("Rejected");
        let said = message(&refused);
        let sent = creates(&case);
        let text = sent
            .iter()
            .rev()
            .find(|entry| size(entry) == 1 && entry["code"] != 0)
            .and_then(|entry| entry["message"].as_str())
            .unwrap_or_else(|| panic!("{sent:#?}"));
        assert!(said.contains(text), "{said}: {text}");
        assert_eq!(condition(&refused, "Stalled")["status"], "True");
        assert!(record(&refused)["mark"].is_null());
        assert_eq!(size(&sent[0]), 5, "together");
        ads[2].sweeps();
        assert_single(&case, 4);
        assert_eq!(creates(&case).len(), sent.len(), "no loop");
        // Mended, it is made.
        ads[2].edit(json!({"identity": {"type": "TikTokUser"}, "displayName": null}));
        ads[2].wait_live();
        assert_single(&case, 5);
    });
}

#[test]
fn r11_a_bad_ad_in_a_batch_whose_answer_is_lost_makes_no_twin() {
    let ways: Vec<(&str, Value)> = ["whole", "part_refused", "part_answered", "part_silent"]
        .into_iter()
        .flat_map(|way| {
            [
                (way, json!({"kind": "answer_lost"})),
                (way, json!({"kind": "effect_delay", "ms": 2500})),
            ]
        })
        .collect();
    each(&ways, |(way, fault)| {
        let case = Case::new("t11-both");
        case.knobs(json!({"ad_batch": way, "custom_identity": "refuse"}));
        case.fault("*/ad/create/", fault.clone(), 1);
        let mut more = vec![json!({"state": "Active"}); 4];
        more[1] = refused_ad();
        let ads = batch(&case, &more);
        for (n, ad) in ads.iter().enumerate() {
            if n == 1 {
                ad.wait_for("Rejected");
            } else {
                ad.wait_live();
            }
        }
        ads[0].sweeps();
        assert_single(&case, 3);
    });
}

#[test]
fn r11_a_batch_of_ads_holds_only_distinct_names_of_one_ad_group() {
    let case = Case::new("t11-names");
    let tree = Tree::Manual;
    let same = || json!({"name": "Spring", "state": "Active"});
    let ads = [
        tree.ad(&case, "x0", "g0", same()),
        tree.ad(&case, "x1", "g1", same()),
        tree.ad(&case, "y0", "g0", json!({"state": "Active"})),
    ];
    let twin = tree.ad(&case, "z0", "g0", same());
    tree.campaign(&case, "c", json!({"state": "Active"}));
    for name in ["g0", "g1"] {
        tree.ad_group(&case, name, "c", json!({"state": "Active"}));
    }
    for ad in &ads {
        ad.wait_live();
    }
    twin.wait_for("Conflict");
    for entry in creates(&case) {
        let creatives = entry["body"]["creatives"].as_array().unwrap();
        let names: std::collections::BTreeSet<String> = creatives
            .iter()
            .map(|one| one["ad_name"].to_string())
            .collect();
        assert_eq!(names.len(), creatives.len());
    }
    assert_eq!(case.rows(Level::Ad).len(), 3);
}

#[test]
fn r11_more_ads_than_one_call_takes_are_all_made_once() {
    let case = Case::new("t11-many");
    let ads = batch(&case, &vec![json!({}); 45]);
    for ad in &ads {
        ad.wait_for("Paused");
    }
    assert_single(&case, 45);
    let sent = creates(&case);
    assert!(sent.iter().all(|entry| size(entry) <= 20));
    assert!(sent.len() <= 6, "{} calls for 45 ads", sent.len());
}

#[test]
fn r32_an_ad_deleted_during_an_unclear_create_keeps_its_finalizer_until_that_is_cleared_up() {
    each(&TREES, |&tree| {
        let case = Case::new("t32-unclear");
        tree.campaign(&case, "c", json!({}));
        tree.ad_group(&case, "g", "c", json!({})).wait_for("Paused");
        let down = json!({
            "kind": "error", "code": 50000, "message": "internal", "match": {"contains": "STATUS_ALL"},
        });
        case.fault("*/ad/get/", down, 0);
        case.fault("*/ad/create/", json!({"kind": "answer_lost"}), 1);
        let ad = tree.ad(&case, "a", "g", json!({"deletionPolicy": "Delete"}));
        case.until("the create", || {
            !case.calls(tree, Level::Ad, "create").is_empty()
        });
        ad.delete();
        std::thread::sleep(std::time::Duration::from_secs(3));
        let held = ad.get();
        assert_eq!(
            held["metadata"]["finalizers"],
            json!(["tiktokads.dev/finalizer"])
        );
        assert!(record(&held)["mark"].is_object());
        case.no_faults();
        ad.wait_gone();
        let rows = case.rows(Level::Ad);
        assert_eq!(rows.len(), 1);
        assert_eq!(rows[0]["deleted"], true, "its policy");
    });
}
