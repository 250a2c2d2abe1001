//! R15: what an update of an ad group or ad sends, and what it must not lose.

use serde_json::{Value, json};

use super::nodes::{Node, TREES, Tree};
use super::{Case, condition};

fn sorted(value: &Value) -> Vec<String> {
    let items = value.as_array().into_iter().flatten();
    let mut texts: Vec<String> = items.filter_map(|i| Some(i.as_str()?.to_owned())).collect();
    texts.sort();
    texts
}

/// Where the targeting of a tree's rows and bodies stands.
fn targeting(tree: Tree, holder: &Value) -> Value {
    match tree {
        Tree::Manual => holder.clone(),
        Tree::SmartPlus => holder["targeting_spec"].clone(),
    }
}

fn no_side_effect(object: &Value) {
    assert_eq!(condition(object, "SideEffect"), &Value::Null, "{object}");
}

/// Somebody sets languages in Ads Manager, beside what is there.
fn set_languages(group: &Node, languages: &[&str]) {
    match group.tree {
        Tree::Manual => group.edit_outside(json!({ "languages": languages })),
        Tree::SmartPlus => {
            let mut spec = group.fields()["targeting_spec"].clone();
            spec["languages"] = json!(languages);
            group.edit_outside(json!({ "targeting_spec": spec }));
        }
    }
}

#[test]
fn r15_new_targeting_loses_nothing_that_the_spec_does_not_say() {
    for (tree, knob) in [
        (Tree::Manual, json!({"adgroup_update": "partial"})),
        (Tree::Manual, json!({"adgroup_update": "replace_targeting"})),
        (
            Tree::SmartPlus,
            json!({"smart_plus_targeting_update": "replace"}),
        ),
        (
            Tree::SmartPlus,
            json!({"smart_plus_targeting_update": "merge"}),
        ),
    ] {
        let case = Case::new(&format!("r15-targeting-{}", tree.word()));
        case.knobs(knob.clone());
        tree.campaign(&case, "spring", json!({}));
        let more = json!({"targeting": {"gender": "Female", "interestCategories": ["15103"]}});
        let group = tree.ad_group(&case, "group", "spring", more);
        group.wait_for("Paused");
        group.sweeps();
        // A buyer adds languages, and before any list shows it the spec changes.
        set_languages(&group, &["de", "en"]);
        let since = case.requests("*").len();
        group.edit(json!({"targeting": {"ages": ["Age25To34", "Age35To44"]}}));
        group.wait("the ages", |_| {
            let ages = &targeting(tree, &group.fields())["age_groups"];
            sorted(ages) == ["AGE_25_34", "AGE_35_44"]
        });
        no_side_effect(&group.wait_for("Paused"));
        assert!(group.asked_before_the_update(since), "{knob}");
        assert_eq!(group.updates().len(), 1);
        let after = targeting(tree, &group.fields());
        assert_eq!(sorted(&after["languages"]), ["de", "en"], "{knob}");
        assert_eq!(sorted(&after["interest_category_ids"]), ["15103"]);
        assert_eq!(sorted(&after["location_ids"]), ["6252001"]);
        assert_eq!(after["gender"], "GENDER_FEMALE");
        let body = &group.updates()[0];
        if tree == Tree::SmartPlus {
            let names: Vec<&String> = body.as_object().unwrap().keys().collect();
            assert_eq!(names, ["adgroup_id", "advertiser_id", "targeting_spec"]);
        }
    }
}

#[test]
fn r15_all_changes_of_an_ad_group_go_in_one_call() {
    for tree in TREES {
        let case = Case::new(&format!("r15-one-{}", tree.word()));
        tree.campaign(&case, "spring", json!({}));
        let more = json!({"bid": {"strategy": "CostCap", "amount": "2"}, "state": "Active"});
        let group = tree.ad_group(&case, "group", "spring", more);
        group.wait_live();
        group.edit(json!({
            "name": "Renamed", "budget": {"amount": "44.5"}, "bid": {"amount": "3.5"},
            "interactions": {"comments": "Blocked"},
            "schedule": {"dayparting": [{"days": ["Monday"], "from": "00:00", "to": "24:00"}]},
            "targeting": {"gender": "Male"},
        }));
        group.wait("the new name", |_| {
            group.fields()["adgroup_name"] == "Renamed"
        });
        no_side_effect(&group.wait_live());
        let updates = group.updates();
        assert_eq!(updates.len(), 1, "{updates:?}");
        let fields = group.fields();
        assert_eq!(fields["budget"], 44.5);
        assert_eq!(fields["comment_disabled"], true);
        assert_eq!(
            fields["dayparting"],
            format!("{}{}", "1".repeat(48), "0".repeat(288))
        );
        assert_eq!(targeting(tree, &fields)["gender"], "GENDER_MALE");
        let bid = match tree {
            Tree::Manual => "bid_price",
            Tree::SmartPlus => "conversion_bid_price",
        };
        assert_eq!(fields[bid], 3.5);
        let status = tree.path(group.level, "status/update");
        let ids = json!(group.id());
        let switched = case.requests(&status);
        let mine = switched
            .iter()
            .filter(|e| e["body"]["adgroup_ids"].as_array().unwrap().contains(&ids));
        assert_eq!(
            mine.count(),
            1,
            "only switched on: what runs is edited while it runs"
        );
    }
}

#[test]
fn r15_smart_plus_ad_groups_are_changed_field_by_field_without_a_look_before() {
    let case = Case::new("r15-incremental");
    let tree = Tree::SmartPlus;
    tree.campaign(&case, "spring", json!({}));
    let group = tree.ad_group(&case, "group", "spring", json!({}));
    group.wait_for("Paused");
    group.sweeps();
    let since = case.requests("*").len();
    group.edit(json!({"name": "Renamed", "budget": {"amount": "41"}}));
    group.wait("the name", |_| group.fields()["adgroup_name"] == "Renamed");
    group.wait_for("Paused");
    assert!(!group.asked_before_the_update(since));
    let sent = json!({
        "advertiser_id": case.advertiser, "adgroup_id": group.id(),
        "adgroup_name": "Renamed", "budget": 41,
    });
    assert_eq!(group.updates(), [sent]);
}

fn manual_ad(case: &Case) -> Node<'_> {
    let tree = Tree::Manual;
    tree.campaign(case, "spring", json!({}));
    tree.ad_group(case, "group", "spring", json!({}));
    let more = json!({
        "landingPage": {
            "url": "https://shop.example/spring?utm_source=tiktok",
            "utm": [{"key": "utm_source", "value": "tiktok"}],
        },
        "tracking": {"clickUrl": "https://count.example/click"},
    });
    let ad = tree.ad(case, "ad", "group", more);
    ad.wait_for("Paused");
    ad.sweeps();
    ad
}

#[test]
fn r15_nine_fields_of_a_manual_ad_are_patched_without_a_look_before() {
    let case = Case::new("r15-patch");
    let ad = manual_ad(&case);
    let since = case.requests("*").len();
    ad.edit(json!({"name": "Renamed", "text": "Summer is here"}));
    ad.wait("the text", |_| ad.fields()["ad_text"] == "Summer is here");
    no_side_effect(&ad.wait_for("Paused"));
    assert!(!ad.asked_before_the_update(since));
    let updates = ad.updates();
    assert_eq!(updates.len(), 1);
    assert_eq!(updates[0]["patch_update"], true);
    let creative = json!({"ad_id": ad.id(), "ad_name": "Renamed", "ad_text": "Summer is here"});
    assert_eq!(updates[0]["creatives"], json!([creative]));
    let fields = ad.fields();
    assert_eq!(fields["call_to_action"], "LEARN_MORE");
    assert_eq!(fields["click_tracking_url"], "https://count.example/click");
}

#[test]
fn r15_the_rest_of_a_manual_ad_is_sent_whole_and_nothing_is_lost() {
    let case = Case::new("r15-whole");
    let ad = manual_ad(&case);
    // A buyer adds what the spec does not say, and before any list shows it the spec changes.
    let view = "https://count.example/view";
    ad.edit_outside(json!({"impression_tracking_url": view}));
    let before = ad.fields();
    let since = case.requests("*").len();
    ad.edit(json!({"callToAction": "ShopNow", "text": "Summer is here"}));
    ad.wait("the call", |_| ad.fields()["call_to_action"] == "SHOP_NOW");
    no_side_effect(&ad.wait_for("Paused"));
    assert!(ad.asked_before_the_update(since));
    assert_eq!(ad.updates().len(), 1);
    let mut expected = before;
    expected["call_to_action"] = json!("SHOP_NOW");
    expected["ad_text"] = json!("Summer is here");
    let after = ad.fields();
    for (name, value) in expected.as_object().unwrap() {
        // What TikTok takes when nothing is said need not be said.
        let default = name == "promotional_music_disabled" && *value == true
            || matches!(value, Value::Null | Value::Bool(false));
        assert!(
            after[name] == *value || (default && after[name].is_null()),
            "{name}: {value} became {}",
            after[name]
        );
    }
}

#[test]
fn r15_a_smart_plus_ad_keeps_what_is_not_changed() {
    let case = Case::new("r15-smart-ad");
    let tree = Tree::SmartPlus;
    tree.campaign(&case, "spring", json!({}));
    tree.ad_group(&case, "group", "spring", json!({}));
    let ad = tree.ad(&case, "ad", "group", json!({}));
    ad.wait_for("Paused");
    ad.sweeps();
    let before = ad.fields();
    ad.edit(json!({"texts": ["Summer is here", "So is the sale"]}));
    ad.wait("the texts", |_| {
        ad.fields()["ad_text_list"]
            .as_array()
            .is_some_and(|l| l.len() == 2)
    });
    no_side_effect(&ad.wait_for("Paused"));
    assert_eq!(ad.updates().len(), 1, "{:?}", ad.updates());
    let after = ad.fields();
    for (name, value) in before.as_object().unwrap() {
        if name != "ad_text_list" {
            assert_eq!(after[name], *value, "{name}");
        }
    }
    assert_eq!(ad.updates()[0].get("ad_name"), None);
    assert_eq!(ad.updates()[0].get("creative_list"), None);
}

#[test]
fn r15_what_an_update_changes_beside_is_told() {
    let case = Case::new("r15-side");
    let tree = Tree::Manual;
    tree.campaign(&case, "spring", json!({}));
    let group = tree.ad_group(&case, "group", "spring", json!({}));
    group.wait_for("Paused");
    // Sent again, as it has to be, TikTok raises the upper bound.
    group.edit_outside(json!({"device_price_ranges": [0, 200]}));
    group.edit(json!({"name": "Renamed"}));
    let told = group.wait("the side effect", |object| {
        condition(object, "SideEffect")["status"] == "True"
    });
    let message = condition(&told, "SideEffect")["message"].as_str().unwrap();
    assert!(message.contains("device_price_ranges"), "{message}");
    assert!(
        message.contains("[0,200]") && message.contains("[0,250]"),
        "{message}"
    );
    let told = group.wait_for("Paused");
    assert_eq!(condition(&told, "SideEffect")["status"], "True");
    case.until("an event", || {
        let all = case.events("group");
        all.iter()
            .any(|(reason, note)| reason == "SideEffect" && note.contains("[0,250]"))
    });
    assert_eq!(group.updates().len(), 1);
    // A new spec begins anew.
    group.edit(
        json!({"budget": {"amount": "31"}, "targeting": {"devicePrice": {"from": 0, "to": 200}}}),
    );
    group.wait("the budget", |_| group.fields()["budget"] == 31.0);
    no_side_effect(&group.wait_for("Paused"));
}

#[test]
fn r15_device_prices_that_tiktok_raises_do_not_grow_with_every_update() {
    for tree in TREES {
        for (knob, shown) in [("raised", [50, 300]), ("as_sent", [50, 250])] {
            let case = Case::new(&format!("r15-prices-{}", tree.word()));
            case.knobs(json!({"device_price_upper_bound": knob}));
            tree.campaign(&case, "spring", json!({}));
            let more = json!({"targeting": {"devicePrice": {"from": 50, "to": 250}}});
            let group = tree.ad_group(&case, "group", "spring", more);
            group.wait_for("Paused");
            group.edit(json!({"targeting": {"gender": "Male"}}));
            group.wait("the gender", |_| {
                targeting(tree, &group.fields())["gender"] == "GENDER_MALE"
            });
            no_side_effect(&group.wait_for("Paused"));
            group.sweeps();
            let prices = targeting(tree, &group.fields())["device_price_ranges"].clone();
            assert_eq!(prices, json!(shown), "{knob}");
            assert!(group.updates().len() <= 2, "{:?}", group.updates());
        }
    }
}
