//! R5–R7 for ad groups and ads: what may never keep a pause from being sent, and which pause is sent instead.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::nodes::{Level, Node, TREES, Tree};
use super::tree_kit::{BELOW, Branch, each, everywhere, message};
use super::{Case, condition};

/// How often a pause is tried while its path is stopped, with room for a busy machine.
const PAUSE_AGAIN: Duration = Duration::from_secs(25);

/// Adopts, switched on, what a person made: `count` ad groups of a campaign, or ads of an ad group.
fn adopted(case: &Case, tree: Tree, level: Level, count: usize) -> Vec<(Node<'_>, String)> {
    let on = |name: String, field: &str| json!({field: name, "operation_status": "ENABLE"});
    let word = match tree {
        Tree::Manual => "manual",
        Tree::SmartPlus => "smart_plus",
    };
    let campaign = case.made_outside(word, on("c".into(), "campaign_name"));
    tree.campaign(
        case,
        "c",
        json!({"externalId": campaign, "salesDestination": null}),
    );
    let (parent, reference, field) = if level == Level::AdGroup {
        (
            campaign,
            json!({"campaignRef": {"name": "c"}}),
            "adgroup_name",
        )
    } else {
        let group = case.made_inside(Level::AdGroup, &campaign, on("g".into(), "adgroup_name"));
        let only = json!({"campaignRef": {"name": "c"}, "externalId": group});
        tree.only(case, Level::AdGroup, "g", only);
        (group, json!({"adGroupRef": {"name": "g"}}), "ad_name")
    };
    let all: Vec<(Node<'_>, String)> = (0..count)
        .map(|n| {
            let id = case.made_inside(level, &parent, on(format!("n{n}"), field));
            let mut spec = reference.clone();
            spec["externalId"] = json!(id);
            spec["state"] = json!("Active");
            (tree.only(case, level, &format!("n{n}"), spec), id)
        })
        .collect();
    for (node, _) in &all {
        node.wait_for("InSync");
    }
    all
}

/// The ids that a status call names.
fn ids(entry: &Value) -> Vec<String> {
    let body = entry["body"].as_object().unwrap();
    let list = body.iter().find(|(name, _)| name.ends_with("_ids"));
    list.and_then(|(_, ids)| ids.as_array())
        .unwrap_or_else(|| panic!("{entry}"))
        .iter()
        .map(|id| id.as_str().unwrap().to_owned())
        .collect()
}

/// Twenty of one tree and level are to be paused together while one of the ids is bad; what was sent then.
fn one_bad_id(tree: Tree, level: Level, knobs: &Value) -> Vec<Value> {
    const BAD: usize = 13;
    let case = Case::new("t05-twenty");
    case.knobs(knobs.clone());
    let all = adopted(&case, tree, level, 20);
    // Nothing goes out until all of them wait.
    let path = format!("/open_api/v1.3{}", tree.path(level, "status/update"));
    let down = json!({"kind": "error", "code": 50000, "message": "internal"});
    let fault = case.fault(&path, down, 0);
    for (node, _) in &all {
        node.edit(json!({"state": "Paused"}));
    }
    let sent = || case.status_calls(tree, level, "DISABLE");
    case.until("all to wait", || {
        sent().iter().any(|entry| ids(entry).len() == 20)
    });
    // Lists go on showing it as it was for a while, so the operator cannot know.
    let lists = format!("*{}", tree.path(level, "get"));
    let late = json!({"kind": "late_listing", "ms": 1500});
    case.fault(&lists, late, 6);
    let bad = &all[BAD].1;
    case.happens(level, bad, "delete");
    let before = sent().len();
    case.sandbox("DELETE", &format!("/sandbox/faults/{fault}"), &Value::Null);
    for (node, id) in &all {
        if id != bad {
            case.until("the good ones to be off", || !case.runs(level, id));
            node.wait_for("Paused");
        }
    }
    all[BAD].0.wait_for("ExternallyDeleted");
    let sent = sent().split_off(before);
    assert_eq!(ids(&sent[0]).len(), 20, "{sent:#?}");
    assert!(ids(&sent[0]).contains(bad));
    let mut done = BTreeSet::new();
    let needed = sent.into_iter().take_while(|entry| {
        let before = done.len();
        let code = entry["code"].as_i64().unwrap();
        if code == 0 || code == 20001 {
            done.extend(ids(entry).into_iter().filter(|id| id != bad));
        }
        before < 19
    });
    needed.collect()
}

fn assert_halved(sent: &[Value]) {
    let sizes: Vec<usize> = sent.iter().map(|entry| ids(entry).len()).collect();
    assert_eq!(sizes[..3], [20, 10, 5], "{sizes:?}");
    // A refusal costs two calls more, and there are five between twenty ids and one.
    assert!(sizes.len() <= 11, "{sizes:?}");
}

#[test]
fn r05_one_bad_ad_among_twenty_is_found_by_halving() {
    let ways = [
        (Tree::Manual, json!({"missing_campaign_code": "40002"})),
        (Tree::Manual, json!({"missing_campaign_code": "40007"})),
        (Tree::SmartPlus, json!({"missing_campaign_code": "40002"})),
        (Tree::SmartPlus, json!({"missing_campaign_code": "40001"})),
    ];
    each(&ways, |(tree, knobs)| {
        assert_halved(&one_bad_id(*tree, Level::Ad, knobs));
    });
}

#[test]
fn r05_one_bad_ad_that_tiktok_skips_holds_nobody() {
    each(&TREES, |&tree| {
        let sent = one_bad_id(tree, Level::Ad, &json!({"manual_status_bad_id": "skip"}));
        assert!(sent.len() <= 3, "{}", sent.len());
    });
}

#[test]
fn r05_manual_ad_groups_are_always_paused_with_partial_success() {
    each(&["20001", "0"], |code| {
        let knobs = json!({"smart_plus_partial_code": code});
        let sent = one_bad_id(Tree::Manual, Level::AdGroup, &knobs);
        assert!(sent.len() <= 3, "{}", sent.len());
        for entry in sent {
            assert_eq!(entry["body"]["allow_partial_success"], true);
        }
    });
}

#[test]
fn r05_one_bad_smart_plus_ad_group_holds_nobody() {
    let ways = [
        json!({"smart_plus_status_bad_id": "partial"}),
        json!({"smart_plus_partial_code": "0"}),
        json!({"smart_plus_all_bad_code": "40002"}),
        json!({"smart_plus_status_bad_id": "fail"}),
    ];
    each(&ways, |knobs| {
        let sent = one_bad_id(Tree::SmartPlus, Level::AdGroup, knobs);
        if knobs["smart_plus_status_bad_id"] == "fail" {
            assert_halved(&sent);
        } else {
            assert!(sent.len() <= 3, "{}", sent.len());
        }
        for entry in sent {
            assert!(entry["body"].get("allow_partial_success").is_none());
        }
    });
}

#[test]
fn r05_ads_whose_creatives_tiktok_combines_go_by_their_own_ids_and_are_never_deleted() {
    let case = Case::new("t05-aco");
    let tree = Tree::Manual;
    let campaign = case.made_outside("manual", json!({"operation_status": "ENABLE"}));
    tree.campaign(&case, "c", json!({"externalId": campaign}));
    let combined =
        json!({"operation_status": "ENABLE", "creative_material_mode": "SMART_CREATIVE"});
    let group = case.made_inside(Level::AdGroup, &campaign, combined);
    let only = json!({"campaignRef": {"name": "c"}, "externalId": group});
    tree.only(&case, Level::AdGroup, "g", only);
    let [aco, plain] = [true, false].map(|is_aco| {
        let fields =
            json!({"operation_status": "ENABLE", "is_aco": is_aco, "ad_name": format!("{is_aco}")});
        case.made_inside(Level::Ad, &group, fields)
    });
    let nodes = [("aco", &aco), ("plain", &plain)].map(|(name, id)| {
        let spec = json!({
            "adGroupRef": {"name": "g"}, "externalId": id, "state": "Active", "deletionPolicy": "Delete",
        });
        tree.only(&case, Level::Ad, name, spec)
    });
    for node in &nodes {
        node.wait_live();
    }
    for node in &nodes {
        node.edit(json!({"state": "Paused"}));
    }
    for node in &nodes {
        node.wait_for("Paused");
        node.edit(json!({"state": "Active"}));
    }
    for node in &nodes {
        node.wait_live();
        node.delete();
        node.wait_gone();
    }
    let all = case.calls(tree, Level::Ad, "status/update");
    for entry in &all {
        let body = &entry["body"];
        let own = body.get("aco_ad_ids").is_some();
        assert_eq!(own, ids(entry) == [aco.clone()], "{body}");
        assert!(body.get("ad_ids").is_some() != own, "{body}");
        assert_eq!(entry["code"], 0, "{entry}");
    }
    assert_eq!(case.told(tree, Level::Ad, "DELETE", &aco), 0);
    assert_eq!(case.row_of(Level::Ad, &aco)["deleted"], false);
    assert!(!case.runs(Level::Ad, &aco), "paused instead");
    assert_eq!(case.row_of(Level::Ad, &plain)["deleted"], true);
}

#[test]
fn r06_below_a_campaign_pauses_are_tried_while_everything_else_waits() {
    everywhere(|tree, level| {
        let case = Case::new("t06");
        let branch = Branch::live(&case, tree);
        let node = branch.at(level);
        let id = node.id();
        let refused = |path: &str| {
            let codes = [40100, 40016, 61000, 40133];
            let all = case.requests(path);
            all.iter()
                .filter(|entry| codes.contains(&entry["code"].as_i64().unwrap_or_default()))
                .count()
        };
        case.knobs(json!({"rate": "1000/1/1000000"}));
        tree.ad(&case, "new", "g", json!({"state": "Active"}));
        // No list for three seconds, which is three sweeps: the other work is stopped.
        let lists = || case.calls(tree, Level::Ad, "get").len();
        let (mut seen, mut since) = (lists(), Instant::now());
        case.until("the lists to stop", || {
            let now = lists();
            if now != seen {
                (seen, since) = (now, Instant::now());
            }
            refused("*") > 0 && since.elapsed() > Duration::from_secs(3)
        });
        node.edit(json!({"state": "Paused"}));
        case.until("the pause to be refused", || {
            refused(&tree.path(level, "status/update")) > 0
        });
        assert!(case.runs(level, &id));
        let lifted = Instant::now();
        case.knobs(json!({"rate": "off"}));
        case.until("the pause", || !case.runs(level, &id));
        let took = lifted.elapsed();
        assert!(took < PAUSE_AGAIN, "{took:?}");
        assert_eq!(case.rows(Level::Ad).len(), 1, "a create has to wait");
    });
}

/// A live campaign dedicated to iOS 14 with 60 a day, and two ad groups of 30 in it.
fn dedicated(case: &Case) -> (Node<'_>, [Node<'_>; 2]) {
    let tree = Tree::Manual;
    let campaign = json!({
        "objective": "AppPromotion", "campaignType": "Ios14", "appPromotionType": "AppInstall",
        "appId": "7000000000000000099", "state": "Active", "postbackWindowMode": "Mode1",
        "budget": {"mode": "Daily", "amount": "60"},
    });
    let campaign = tree.campaign(case, "ios", campaign);
    let groups = ["g0", "g1"].map(|name| {
        let more = json!({
            "promotion": {"type": "IosApp"}, "state": "Active",
            "targeting": {"operatingSystem": "Ios", "ios14": "Ios14Plus", "minIosVersion": "14.5"},
            "optimization": {"goal": "Install", "billingEvent": "OCPM"},
        });
        tree.ad_group(case, name, "ios", more)
    });
    campaign.wait_live();
    for group in &groups {
        group.wait_live();
    }
    (campaign, groups)
}

#[test]
fn r07_over_a_ceiling_the_ad_groups_of_a_dedicated_campaign_are_switched_off_and_it_is_not() {
    let case = Case::new("t07-hold");
    let (campaign, groups) = dedicated(&case);
    // 60 is too much, 30 would not be.
    case.edit_connection(json!({"caps": {"maxDailyBudgetPerObject": {"amount": "45"}}}));
    for group in &groups {
        let held = group.wait_for("CeilingReached");
        assert!(
            message(&held).contains("dedicated to iOS 14"),
            "{}",
            message(&held)
        );
        assert_eq!(condition(&held, "Held")["status"], "True");
        case.until("it to be off", || !group.is_on());
    }
    let held = campaign.wait_for("CeilingReached");
    assert!(
        message(&held).contains("is never paused by itself"),
        "{}",
        message(&held)
    );
    campaign.sweeps();
    assert!(campaign.is_on());
    let pauses = case.status_calls(Tree::Manual, Level::Campaign, "DISABLE");
    assert!(pauses.is_empty(), "{pauses:?}");
    // Off they stay, with one call each.
    let told =
        |to: &str, group: &Node<'_>| case.told(Tree::Manual, Level::AdGroup, to, &group.id());
    for group in &groups {
        assert_eq!((told("DISABLE", group), told("ENABLE", group)), (1, 1));
    }
    // Room again: they go on by themselves, once.
    case.edit_connection(json!({"caps": {"maxDailyBudgetPerObject": {"amount": "60"}}}));
    for group in &groups {
        group.wait_live();
        assert_eq!((told("DISABLE", group), told("ENABLE", group)), (1, 2));
    }
    // And so does less budget above them.
    case.edit_connection(json!({"caps": {"maxDailyBudgetPerObject": {"amount": "55"}}}));
    for group in &groups {
        group.wait_for("CeilingReached");
    }
    campaign.edit(json!({"budget": {"amount": "50"}}));
    campaign.wait_live();
    for group in &groups {
        group.wait_live();
    }
}

#[test]
fn r07_an_ad_group_of_a_dedicated_campaign_that_tiktok_does_not_delete_says_so() {
    let case = Case::new("t07-delete");
    let (_, [group, other]) = dedicated(&case);
    let id = group.id();
    group.edit(json!({"deletionPolicy": "Delete"}));
    group.wait_live();
    group.delete();
    let held = group.wait("the refusal", |object| super::reason(object) == "Rejected");
    assert!(
        message(&held).contains("cannot be deleted alone"),
        "{}",
        message(&held)
    );
    // It was to stop, so it does not run on; TikTok is asked once, and another policy lets it go.
    assert!(!case.runs(Level::AdGroup, &id));
    group.sweeps();
    let asked = case.told(Tree::Manual, Level::AdGroup, "DELETE", &id);
    assert_eq!(asked, 1, "no loop");
    group.edit(json!({"deletionPolicy": "Pause"}));
    group.wait_gone();
    assert!(!case.runs(Level::AdGroup, &id));
    assert!(other.is_on());
}

#[test]
fn r07_an_adopted_ad_group_whose_status_nobody_said_is_not_held_for_its_campaign() {
    let case = Case::bare("t07-asfound", json!({}));
    let caps = json!({"maxDailyBudgetPerObject": {"amount": "45", "currency": "USD"}});
    case.connect(json!({ "caps": caps }));
    case.wait_connection("Verified");
    let fields = json!({
        "objective_type": "APP_PROMOTION", "campaign_type": "IOS14_CAMPAIGN", "app_id": "7000000000000000099",
        "budget_mode": "BUDGET_MODE_DAY", "budget": 60.0, "operation_status": "ENABLE",
    });
    let campaign = case.made_outside("manual", fields);
    let group = case.made_inside(
        Level::AdGroup,
        &campaign,
        json!({"operation_status": "ENABLE"}),
    );
    let tree = Tree::Manual;
    let spec = json!({
        "objective": "AppPromotion", "campaignType": "Ios14", "externalId": campaign,
    });
    tree.campaign(&case, "ios", spec).wait_for("InSync");
    let only = json!({"campaignRef": {"name": "ios"}, "externalId": group});
    let node = tree.only(&case, Level::AdGroup, "g", only);
    node.wait_for("InSync");
    node.sweeps();
    assert!(case.runs(Level::AdGroup, &group));
    assert_eq!(case.writes(), []);
}

#[test]
fn r22_a_deletion_that_tiktok_cannot_do_now_is_tried_with_growing_waits() {
    each(&TREES, |&tree| {
        let case = Case::new("t22-again");
        let branch = Branch::live(&case, tree);
        let nodes = [&branch.ad, &branch.ad_group, &branch.campaign];
        let ids = nodes.map(|node| node.id());
        let down = json!({"kind": "error", "code": 50000, "message": "internal"});
        case.fault("*/status/update/", down, 0);
        for node in nodes {
            node.edit(json!({"deletionPolicy": "Delete"}));
            node.delete();
        }
        let asked = || -> Vec<usize> {
            let told = |(node, id): (&Node<'_>, &String)| case.told(tree, node.level, "DELETE", id);
            nodes.into_iter().zip(&ids).map(told).collect()
        };
        case.until("each to be tried", || asked().iter().all(|n| *n > 0));
        let since = Instant::now();
        let first = asked();
        case.until("each to be tried again", || {
            asked()
                .iter()
                .zip(&first)
                .all(|(now, then)| *now >= then + 4)
        });
        // After 0.6 s at the earliest, doubled up to 2 s: a slow machine only takes longer.
        let least = Duration::from_millis(600 + 1_200 + 2_000);
        assert!(since.elapsed() >= least, "{:?}", since.elapsed());
        case.no_faults();
        for (node, id) in nodes.into_iter().zip(&ids) {
            node.wait_gone();
            let row = case.row_of(node.level, id);
            assert!(!case.runs(node.level, id), "{row}");
        }
    });
}

#[test]
fn r05_wanted_pauses_of_a_level_share_a_call() {
    for level in BELOW {
        let case = Case::new("t05-share");
        let all = adopted(&case, Tree::Manual, level, 5);
        let path = format!(
            "/open_api/v1.3{}",
            Tree::Manual.path(level, "status/update")
        );
        let down = json!({"kind": "error", "code": 50000, "message": "internal"});
        case.fault(&path, down, 0);
        for (node, _) in &all {
            node.edit(json!({"state": "Paused"}));
        }
        let sent = || case.status_calls(Tree::Manual, level, "DISABLE");
        case.until("all to wait", || {
            sent().iter().any(|entry| ids(entry).len() == 5)
        });
        case.no_faults();
        for (node, _) in &all {
            node.wait_for("Paused");
        }
    }
}
