#![allow(clippy::unwrap_used)]

mod contract;
mod updates;

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::super::field::Fields;
use super::*;
use contract::Contract;

fn contract(kind: Kind, tree: Tree) -> &'static Contract {
    match (kind, tree) {
        (Kind::Campaign, Tree::Manual) => &contract::MANUAL_CAMPAIGN,
        (Kind::Campaign, Tree::SmartPlus) => &contract::SMART_PLUS_CAMPAIGN,
        (Kind::AdGroup, Tree::Manual) => &contract::MANUAL_AD_GROUP,
        (Kind::AdGroup, Tree::SmartPlus) => &contract::SMART_PLUS_AD_GROUP,
        (Kind::Ad, Tree::Manual) => &contract::MANUAL_AD,
        (Kind::Ad, Tree::SmartPlus) => &contract::SMART_PLUS_AD,
    }
}

fn each() -> impl Iterator<Item = (Kind, Tree)> {
    Kind::ALL
        .into_iter()
        .flat_map(|kind| Tree::ALL.map(|tree| (kind, tree)))
}

fn path(within: &[&str], name: &str) -> String {
    [within, &[name]].concat().join(".")
}

fn object(fields: &[(&'static str, Value)]) -> NewObject {
    NewObject {
        parent: Some("5".into()),
        name: "A".into(),
        request_id: "4611686018427387904".into(),
        budget_mode: None,
        budget: None,
        fields: fields.iter().cloned().collect(),
    }
}

/// The object in the body of a create.
fn created(kind: Kind, tree: Tree, fields: &[(&'static str, Value)]) -> Value {
    let table = table(kind, tree);
    let body = create("9", table, &[object(fields)]);
    match table.wrapped {
        Some(list) => body[list][0].clone(),
        None => body,
    }
}

#[test]
fn r13_every_field_of_tiktoks_that_spends_widens_or_publishes_has_a_row() {
    for (kind, tree) in each() {
        let known = contract(kind, tree);
        let rows: BTreeSet<String> = table(kind, tree)
            .careful
            .iter()
            .map(|careful| path(careful.within, careful.name))
            .collect();
        let named: BTreeSet<String> = known
            .careful
            .split_whitespace()
            .chain(known.newer.split_whitespace())
            .map(str::to_owned)
            .collect();
        assert_eq!(rows, named, "{kind} {tree:?}");
        for name in known.plain.split_whitespace() {
            assert!(
                !rows.contains(name),
                "{kind} {tree:?}: {name} is called plain"
            );
        }
    }
}

#[test]
fn r13_every_field_that_can_be_sent_is_one_of_tiktoks() {
    for (kind, tree) in each() {
        let known = contract(kind, tree);
        let names: BTreeSet<&str> = [known.plain, known.careful, known.newer, known.carried]
            .iter()
            .flat_map(|list| list.split_whitespace())
            .collect();
        for field in table(kind, tree).fields.iter().filter(|f| f.is_created()) {
            let path = path(field.within, field.name);
            assert!(names.contains(path.as_str()), "{kind} {tree:?}: {path}");
        }
    }
}

#[test]
fn r13_everything_is_created_disabled() {
    for (kind, tree) in each() {
        assert_eq!(
            created(kind, tree, &[])["operation_status"],
            "DISABLE",
            "{kind} {tree:?}"
        );
    }
}

#[test]
fn r13_budget_optimisation_of_campaigns_is_always_said() {
    for tree in Tree::ALL {
        let said =
            |fields: &[_]| created(Kind::Campaign, tree, fields)["budget_optimize_on"].clone();
        assert_eq!(said(&[]), json!(false));
        assert_eq!(said(&[("budget_optimize_on", json!(true))]), json!(true));
    }
}

#[test]
fn r13_advanced_dedicated_campaigns_are_off_where_tiktok_would_switch_them_on() {
    let said = |tree, kind: &str| {
        created(Kind::Campaign, tree, &[("campaign_type", json!(kind))])
            .get("is_advanced_dedicated_campaign")
            .cloned()
    };
    assert_eq!(said(Tree::SmartPlus, "IOS14_CAMPAIGN"), Some(json!(false)));
    assert_eq!(said(Tree::SmartPlus, "REGULAR_CAMPAIGN"), None);
    assert_eq!(said(Tree::Manual, "IOS14_CAMPAIGN"), None);
}

#[test]
fn r13_what_is_off_when_not_sent_is_never_sent() {
    let mut silent = Vec::new();
    for (kind, tree) in each() {
        for careful in table(kind, tree).careful {
            if (careful.value)(&Fields::new()).is_none() {
                silent.push(path(careful.within, careful.name));
            }
        }
    }
    silent.sort_unstable();
    silent.dedup();
    // Those that depend on other fields have tests of their own.
    let expected = "ad_configuration.catalog_creative_toggle ad_configuration.dark_post_status \
        ad_configuration.product_info_enabled adgroup_app_profile_page_state auto_targeting_enabled \
        budget_auto_adjust_strategy campaign_app_profile_page_state dark_post_status dynamic_destination \
        dynamic_format instant_product_page_used is_advanced_dedicated_campaign is_promotional_campaign \
        is_search_campaign item_duet_status item_stitch_status placement_type rta_bid_enabled \
        rta_product_selection_enabled suggestion_audience_enabled";
    assert_eq!(
        silent.join(" "),
        expected.split_whitespace().collect::<Vec<_>>().join(" ")
    );
}

#[test]
fn r13_a_manual_ad_group_says_what_tiktok_would_widen() {
    let plain = created(Kind::AdGroup, Tree::Manual, &[]);
    for (name, careful, said) in [
        ("search_result_enabled", json!(false), json!(true)),
        ("smart_audience_enabled", json!(false), json!(true)),
        ("smart_interest_behavior_enabled", json!(false), json!(true)),
        ("automated_keywords_enabled", json!(false), json!(true)),
        (
            "creative_material_mode",
            json!("CUSTOM"),
            json!("SMART_CREATIVE"),
        ),
        (
            "pacing",
            json!("PACING_MODE_SMOOTH"),
            json!("PACING_MODE_FAST"),
        ),
        (
            "bid_type",
            json!("BID_TYPE_NO_BID"),
            json!("BID_TYPE_CUSTOM"),
        ),
    ] {
        assert_eq!(plain[name], careful, "{name}");
        let body = created(Kind::AdGroup, Tree::Manual, &[(name, said.clone())]);
        assert_eq!(body[name], said, "{name}");
    }
}

#[test]
fn r13_a_manual_ad_group_is_on_tiktok_alone_unless_the_user_says_so() {
    let placed = |fields: &[_]| {
        let body = created(Kind::AdGroup, Tree::Manual, fields);
        (
            body["placement_type"].clone(),
            body.get("placements").cloned(),
        )
    };
    let normal = json!("PLACEMENT_TYPE_NORMAL");
    let tiktok = json!(["PLACEMENT_TIKTOK"]);
    assert_eq!(placed(&[]), (normal.clone(), Some(tiktok)));
    let automatic = json!("PLACEMENT_TYPE_AUTOMATIC");
    let said = placed(&[("placement_type", automatic.clone())]);
    assert_eq!(said, (automatic, None));
    let pangle = json!(["PLACEMENT_PANGLE"]);
    let said = placed(&[
        ("placement_type", normal.clone()),
        ("placements", pangle.clone()),
    ]);
    assert_eq!(said, (normal, Some(pangle)));
}

#[test]
fn r13_a_bid_follows_from_the_return_that_is_asked_for() {
    for tree in Tree::ALL {
        let bid = |deep: &str| {
            created(Kind::AdGroup, tree, &[("deep_bid_type", json!(deep))])
                .get("bid_type")
                .cloned()
        };
        assert_eq!(bid("VO_HIGHEST_VALUE"), Some(json!("BID_TYPE_NO_BID")));
        assert_eq!(bid("VO_MIN_ROAS"), None);
    }
}

#[test]
fn r13_a_manual_campaign_without_a_budget_leaves_budgets_to_its_ad_groups() {
    let mode = |budget: Option<&str>| {
        let mut campaign = object(&[]);
        campaign.budget_mode = budget.map(str::to_owned);
        let body = create("9", table(Kind::Campaign, Tree::Manual), &[campaign]);
        body["budget_mode"].clone()
    };
    assert_eq!(mode(None), "BUDGET_MODE_INFINITE");
    assert_eq!(mode(Some("BUDGET_MODE_DAY")), "BUDGET_MODE_DAY");
}

#[test]
fn r13_a_smart_plus_ad_group_is_not_left_to_automatic_targeting() {
    let body = |mode: &str| {
        created(
            Kind::AdGroup,
            Tree::SmartPlus,
            &[("targeting_optimization_mode", json!(mode))],
        )
    };
    let plain = created(Kind::AdGroup, Tree::SmartPlus, &[]);
    let off = json!({"smart_audience_enabled": false, "smart_interest_behavior_enabled": false});
    assert_eq!(plain["targeting_optimization_mode"], "MANUAL");
    assert_eq!(plain["targeting_spec"], off);
    assert_eq!(plain.get("suggestion_audience_enabled"), None);
    assert_eq!(body("MANUAL")["targeting_spec"], off);
    assert_eq!(
        body("AUTOMATIC")["targeting_optimization_mode"],
        "AUTOMATIC"
    );
    assert_eq!(
        body("AUTOMATIC")["suggestion_audience_enabled"],
        json!(false)
    );
    assert_eq!(body("AUTOMATIC").get("targeting_spec"), None);
}

#[test]
fn r13_a_pushed_post_stays_off_the_profile() {
    let ad = |identity: &str, post: Option<&str>| {
        let mut fields = vec![
            ("identity_type", json!(identity)),
            ("video_id", json!("v1")),
        ];
        fields.extend(post.map(|id| ("tiktok_item_id", json!(id))));
        created(Kind::Ad, Tree::Manual, &fields)
            .get("dark_post_status")
            .cloned()
    };
    for identity in ["TT_USER", "BC_AUTH_TT", "AUTH_CODE"] {
        assert_eq!(ad(identity, None), Some(json!("ON")), "{identity}");
        assert_eq!(
            ad(identity, Some("7300000000000000001")),
            None,
            "{identity}"
        );
    }
    assert_eq!(ad("CUSTOMIZED_USER", None), None);

    let smart = |infos: &[Value]| {
        let list: Vec<Value> = infos.iter().map(|i| json!({"creative_info": i})).collect();
        created(Kind::Ad, Tree::SmartPlus, &[("creative_list", json!(list))])["ad_configuration"]
            .get("dark_post_status")
            .cloned()
    };
    let pushed = json!({"identity_type": "BC_AUTH_TT", "video_info": {"video_id": "v1"}});
    let pulled = json!({"identity_type": "AUTH_CODE", "tiktok_item_id": "7"});
    assert_eq!(smart(&[pulled.clone(), pushed]), Some(json!("ON")));
    assert_eq!(smart(&[pulled]), None);
}

#[test]
fn r13_nobody_else_may_use_an_ads_post_unless_the_user_says_so() {
    let plain = created(Kind::Ad, Tree::Manual, &[]);
    assert_eq!(plain["creative_authorized"], json!(false));
    assert_eq!(plain["promotional_music_disabled"], json!(true));
    assert_eq!(plain.get("item_duet_status"), None);
    let music = created(
        Kind::Ad,
        Tree::Manual,
        &[
            ("promotional_music_disabled", json!(false)),
            ("item_duet_status", json!("ENABLE")),
        ],
    );
    assert_eq!(music["promotional_music_disabled"], json!(false));
    assert_eq!(music["item_duet_status"], "ENABLE");
    assert_eq!(music["item_stitch_status"], "DISABLE");
}

#[test]
fn r13_tiktok_adds_and_edits_no_creatives() {
    let manual = created(Kind::Ad, Tree::Manual, &[]);
    assert_eq!(manual["creative_auto_enhancement_strategy_list"], json!([]));
    let smart = created(Kind::Ad, Tree::SmartPlus, &[]);
    assert_eq!(
        smart["ad_configuration"],
        json!({"creative_auto_add_toggle": false, "creative_auto_enhancement_strategy_list": []})
    );
}

#[test]
fn what_is_only_read_or_only_updated_is_not_created() {
    let ad = created(
        Kind::Ad,
        Tree::SmartPlus,
        &[("creative_status", json!([{"material_id": "1"}]))],
    );
    assert_eq!(ad.get("creative_status"), None);
    let group = created(
        Kind::AdGroup,
        Tree::SmartPlus,
        &[("pacing", json!("PACING_MODE_FAST"))],
    );
    assert_eq!(group.get("pacing"), None);
}

#[test]
fn r11_several_ads_go_in_one_call() {
    let two = [
        object(&[("ad_text", json!("1"))]),
        object(&[("ad_text", json!("2"))]),
    ];
    let body = create("9", table(Kind::Ad, Tree::Manual), &two);
    let texts: Vec<&Value> = json::items(&body["creatives"])
        .iter()
        .map(|ad| &ad["ad_text"])
        .collect();
    assert_eq!(texts, ["1", "2"]);
    assert_eq!(
        (&body["advertiser_id"], &body["adgroup_id"]),
        (&json!("9"), &json!("5"))
    );
    // TikTok knows no key for ads.
    assert_eq!(body["creatives"][0].get("request_id"), None);
}
