#![allow(clippy::unwrap_used)]

mod contract;

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::super::field::Fields;
use super::super::money::Cents;
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
    ] {
        assert_eq!(plain[name], careful, "{name}");
        let body = created(Kind::AdGroup, Tree::Manual, &[(name, said.clone())]);
        assert_eq!(body[name], said, "{name}");
    }
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

fn changes(fields: &[(&'static str, Value)], rest: Option<&[(&'static str, Value)]>) -> Changes {
    Changes {
        parent: Some("5".into()),
        fields: fields.iter().cloned().collect(),
        rest: rest.map(|fields| {
            Box::new(Rest {
                name: "Old".into(),
                budget: Some(Cents(5000)),
                fields: fields.iter().cloned().collect(),
            })
        }),
        ..Changes::default()
    }
}

#[test]
fn r15_a_manual_ad_group_is_sent_as_a_whole() {
    let rest = [
        ("location_ids", json!(["6252001"])),
        ("bid_price", json!(250)),
        ("schedule_type", json!("SCHEDULE_START_END")),
        ("schedule_start_time", json!("2027-01-01 00:00:00")),
        ("search_result_enabled", json!(true)),
        ("saved_audience_id", json!("7")),
        ("placements", json!(["PLACEMENT_TIKTOK"])),
    ];
    let body = |changed: &[_], rest: &[_]| {
        update(
            "9",
            Kind::AdGroup,
            Tree::Manual,
            "1",
            &changes(changed, Some(rest)),
        )
    };
    assert_eq!(
        body(&[("gender", json!("GENDER_MALE"))], &rest),
        json!({
            "advertiser_id": "9", "adgroup_id": "1", "adgroup_name": "Old", "budget": 50,
            "gender": "GENDER_MALE", "location_ids": ["6252001"], "bid_price": 2.5,
            "schedule_type": "SCHEDULE_START_END", "schedule_start_time": "2027-01-01 00:00:00",
        })
    );
    // R14: a start that has passed is left out by the caller, and the type with it, since TikTok wants both.
    let passed: Vec<_> = rest
        .iter()
        .filter(|(name, _)| *name != "schedule_start_time")
        .cloned()
        .collect();
    assert_eq!(
        body(&[("gender", json!("GENDER_MALE"))], &passed).get("schedule_type"),
        None
    );
    let ended = body(&[("schedule_type", json!("SCHEDULE_FROM_NOW"))], &passed);
    assert_eq!(ended["schedule_type"], "SCHEDULE_FROM_NOW");
}

#[test]
fn r15_a_value_is_taken_away_with_tiktoks_word_for_it() {
    let changed = [
        ("gender", Value::Null),
        ("brand_safety_type", Value::Null),
        ("share_disabled", Value::Null),
        ("languages", json!([])),
        ("conversion_bid_price", Value::Null),
    ];
    let body = update(
        "9",
        Kind::AdGroup,
        Tree::Manual,
        "1",
        &changes(&changed, Some(&[("gender", json!("GENDER_MALE"))])),
    );
    assert_eq!(body["gender"], "GENDER_UNLIMITED");
    assert_eq!(body["brand_safety_type"], "NO_BRAND_SAFETY");
    assert_eq!(body["share_disabled"], json!(false));
    assert_eq!(body["languages"], json!([]));
    assert_eq!(body.get("conversion_bid_price"), None);
}

#[test]
fn r15_a_smart_plus_ad_group_sends_its_targeting_as_a_whole_and_nothing_else() {
    let rest = [
        ("location_ids", json!(["6252001"])),
        ("audience_ids", json!(["11"])),
        ("bid_price", json!(250)),
        ("app_targeting_type", json!("PROSPECT")),
    ];
    let body = |changed: &[_], rest: Option<&[_]>| {
        update(
            "9",
            Kind::AdGroup,
            Tree::SmartPlus,
            "1",
            &changes(changed, rest),
        )
    };
    assert_eq!(
        body(&[("audience_ids", json!([]))], Some(&rest)),
        json!({"advertiser_id": "9", "adgroup_id": "1",
            "targeting_spec": {"location_ids": ["6252001"], "audience_ids": []}})
    );
    assert_eq!(
        body(&[("bid_price", json!(300))], None),
        json!({"advertiser_id": "9", "adgroup_id": "1", "bid_price": 3})
    );
}

#[test]
fn r15_nine_fields_of_a_manual_ad_are_sent_alone() {
    let mut named = changes(&[("ad_text", json!("New"))], None);
    named.name = Some("New name".into());
    assert_eq!(
        update("9", Kind::Ad, Tree::Manual, "1", &named),
        json!({"advertiser_id": "9", "adgroup_id": "5", "patch_update": true,
            "creatives": [{"ad_id": "1", "ad_name": "New name", "ad_text": "New"}]})
    );
    let alone: BTreeSet<&str> = table(Kind::Ad, Tree::Manual)
        .fields
        .iter()
        .filter(|field| field.update == Update::Alone)
        .map(|field| field.name)
        .collect();
    let documented = "ad_text identity_authorized_bc_id identity_id identity_type image_ids music_id \
        tiktok_item_id video_id";
    assert_eq!(alone, documented.split_whitespace().collect());
}

#[test]
fn r15_any_other_field_of_a_manual_ad_takes_the_whole_ad_along() {
    let rest = [
        ("video_id", json!("v1")),
        ("call_to_action_id", json!("77")),
        ("page_id", json!("7123456789012345678")),
        ("deeplink_format_type", json!("SCHEME_LINK")),
    ];
    let changed = [("call_to_action", json!("SHOP_NOW"))];
    assert_eq!(
        update(
            "9",
            Kind::Ad,
            Tree::Manual,
            "1",
            &changes(&changed, Some(&rest))
        ),
        json!({"advertiser_id": "9", "adgroup_id": "5", "creatives": [{
            "ad_id": "1", "ad_name": "Old", "budget": 50, "video_id": "v1",
            "call_to_action": "SHOP_NOW", "page_id": 7123456789012345678i64}]})
    );
}

#[test]
fn r15_a_smart_plus_ad_sends_lists_alone_and_its_configuration_as_a_whole() {
    let rest = [
        (
            "creative_list",
            json!([{"creative_info": {"ad_format": "SINGLE_VIDEO"}}]),
        ),
        ("creative_status", json!([{"material_id": "1"}])),
        ("call_to_action_id", json!("77")),
        ("impression_tracking_url", json!("https://a.example")),
    ];
    let body = |changed: &[_], rest: Option<&[_]>| {
        update("9", Kind::Ad, Tree::SmartPlus, "1", &changes(changed, rest))
    };
    assert_eq!(
        body(
            &[("click_tracking_url", json!("https://b.example"))],
            Some(&rest)
        ),
        json!({"advertiser_id": "9", "smart_plus_ad_id": "1", "ad_configuration": {
            "call_to_action_id": "77",
            "tracking_info": {"impression_tracking_url": "https://a.example", "click_tracking_url": "https://b.example"}}})
    );
    assert_eq!(
        body(&[("ad_text_list", json!([{"ad_text": "A"}]))], None),
        json!({"advertiser_id": "9", "smart_plus_ad_id": "1", "ad_text_list": [{"ad_text": "A"}]})
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
