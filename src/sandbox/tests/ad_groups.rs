//! Creating, reading and updating manual ad groups.

use super::*;

/// The fields of the official example's answer to an ad group create.
const EXAMPLE: &[&str] = &[
    "attribution_event_count",
    "creative_material_mode",
    "statistic_type",
    "adgroup_app_profile_page_state",
    "auto_targeting_enabled",
    "excluded_audience_ids",
    "rf_estimated_cpr",
    "next_day_retention",
    "rf_purchased_type",
    "scheduled_budget",
    "frequency",
    "click_attribution_window",
    "gender",
    "deep_bid_type",
    "isp_ids",
    "deep_cpa_bid",
    "interest_keyword_ids",
    "package",
    "app_id",
    "inventory_filter_enabled",
    "location_ids",
    "budget",
    "billing_event",
    "optimization_goal",
    "ios14_quota_type",
    "keywords",
    "campaign_id",
    "search_result_enabled",
    "campaign_name",
    "app_type",
    "purchased_impression",
    "secondary_optimization_event",
    "purchased_reach",
    "languages",
    "comment_disabled",
    "is_hfss",
    "frequency_schedule",
    "schedule_infos",
    "actions",
    "adgroup_id",
    "pacing",
    "ios14_targeting",
    "bid_display_mode",
    "device_price_ranges",
    "age_groups",
    "operating_systems",
    "category_id",
    "conversion_bid_price",
    "dayparting",
    "network_types",
    "conversion_window",
    "is_new_structure",
    "brand_safety_type",
    "bid_price",
    "brand_safety_partner",
    "view_attribution_window",
    "advertiser_id",
    "schedule_type",
    "skip_learning_phase",
    "bid_type",
    "interest_category_ids",
    "create_time",
    "pixel_id",
    "adgroup_name",
    "operation_status",
    "category_exclusion_ids",
    "delivery_mode",
    "app_download_url",
    "budget_mode",
    "placement_type",
    "optimization_event",
    "audience_ids",
    "feed_type",
    "promotion_type",
    "is_smart_performance_campaign",
    "rf_estimated_frequency",
    "schedule_start_time",
    "schedule_end_time",
    "modify_time",
    "video_download_disabled",
    "placements",
    "secondary_status",
    "share_disabled",
];

#[test]
fn the_answer_is_the_official_examples() {
    let mut bench = Bench::new();
    let campaign = bench.manual_with(
        "apps",
        json!({"objective_type": "APP_PROMOTION", "app_promotion_type": "APP_INSTALL", "operation_status": "ENABLE"}),
    );
    let body = but(
        ad_group(&campaign, "example"),
        json!({
            "promotion_type": "APP_ANDROID", "app_id": "7000000000000000005", "operating_systems": ["ANDROID"],
            "schedule_type": "SCHEDULE_START_END", "schedule_end_time": "2026-12-23 13:00:00",
            "optimization_goal": "INSTALL", "billing_event": "OCPM", "operation_status": null,
        }),
    );
    let reply = bench.post("/adgroup/create/", body);
    let row = &reply["data"];
    let mut wanted = EXAMPLE.to_vec();
    wanted.sort_unstable();
    let mut found = keys(row);
    found.sort_unstable();
    assert_eq!(found, wanted, "{reply}");
    for (name, value) in [
        ("secondary_status", json!("ADGROUP_STATUS_CREATE")),
        ("operation_status", json!("ENABLE")),
        ("ios14_quota_type", json!("UNOCCUPIED")),
        ("languages", json!([])),
        ("frequency", json!(null)),
        ("age_groups", json!(null)),
        ("bid_price", json!(0.0)),
        ("category_id", json!("0")),
        ("skip_learning_phase", json!(true)),
        ("dayparting", json!("1".repeat(336))),
        ("campaign_name", json!("apps")),
        ("create_time", json!("2026-11-23 12:00:00")),
    ] {
        assert_eq!(row[name], value, "{name}");
    }
    // A list shows the same.
    let id = row["adgroup_id"].as_str().unwrap();
    assert_eq!(bench.row_of(Level::AdGroup, id), *row);
}

#[test]
fn what_a_create_needs() {
    let mut bench = Bench::new();
    let campaign = bench.manual("a");
    for name in [
        "campaign_id",
        "adgroup_name",
        "promotion_type",
        "placements",
        "location_ids",
        "budget_mode",
        "budget",
        "schedule_type",
        "schedule_start_time",
        "optimization_goal",
        "billing_event",
        "pacing",
    ] {
        let body = but(ad_group(&campaign, "x"), json!({name: null}));
        let reply = bench.post("/adgroup/create/", body);
        let wanted = format!("{name}: Missing data for required field.");
        assert_eq!(reply["message"], wanted);
        assert_eq!(reply["code"], 40_002);
    }
    assert_eq!(bench.sandbox.ad_groups(&bench.id()).count(), 0);
}

#[test]
fn a_campaign_must_be_there_and_of_this_tree() {
    let mut bench = Bench::new();
    let smart_plus = bench.smart_plus("s");
    let deleted = bench.manual("d");
    bench.status(&deleted, "DELETE");
    for (campaign, text) in [
        ("1".to_owned(), "does not exist"),
        (smart_plus, "is an Upgraded Smart+"),
        (deleted, "has been deleted"),
    ] {
        let reply = bench.post("/adgroup/create/", ad_group(&campaign, "x"));
        assert_eq!(reply["code"], 40_002);
        assert!(reply["message"].as_str().unwrap().contains(text), "{reply}");
    }
}

#[test]
fn a_request_id_makes_one_ad_group() {
    let mut bench = Bench::new();
    let campaign = bench.manual("a");
    let body = but(ad_group(&campaign, "x"), json!({"request_id": "77"}));
    let id = made(&bench.post("/adgroup/create/", body.clone()), "adgroup_id");
    assert_eq!(bench.post("/adgroup/create/", body.clone())["code"], 40_050);
    bench.knob("request_id_replay", "original");
    let again = bench.post("/adgroup/create/", body.clone());
    assert_eq!(made(&again, "adgroup_id"), id);
    assert_eq!(bench.sandbox.ad_groups(&bench.id()).count(), 1);
    // A key is the advertiser's, or the endpoint's; what it made elsewhere is no answer here.
    let other = but(manual("b"), json!({"request_id": "77"}));
    assert_eq!(
        bench.post("/campaign/create/", other.clone())["code"],
        40_050
    );
    bench.knob("request_id_scope", "endpoint");
    assert_eq!(bench.post("/campaign/create/", other)["code"], 0);
}

#[test]
fn names_are_unique_as_far_as_the_knob_says() {
    for (value, in_same, in_other) in [
        ("campaign", 40_002, 0),
        ("advertiser", 40_002, 40_002),
        ("off", 0, 0),
    ] {
        let mut bench = Bench::new();
        bench.knob("ad_group_name_unique", value);
        let (one, other) = (bench.manual("one"), bench.manual("other"));
        bench.ad_group(&one, "x");
        let code = |bench: &mut Bench, campaign: &str| {
            bench.post("/adgroup/create/", ad_group(campaign, "x"))["code"].clone()
        };
        assert_eq!(code(&mut bench, &one), in_same, "{value}");
        assert_eq!(code(&mut bench, &other), in_other, "{value}");
        // An idempotency key lets them through, as TikTok says of it.
        let keyed = but(ad_group(&one, "x"), json!({"request_id": "5"}));
        assert_eq!(bench.post("/adgroup/create/", keyed)["code"], 0);
        // So does the deletion of the campaign that the first one is in.
        bench.status(&one, "DELETE");
        if value == "advertiser" {
            assert_eq!(code(&mut bench, &other), 0);
        }
    }
}

#[test]
fn an_update_changes_what_it_says() {
    let mut bench = Bench::new();
    let campaign = bench.manual("a");
    let id = bench.ad_group(&campaign, "x");
    bench.now += 60_000;
    let update = |bench: &mut Bench, body: Value| {
        bench.post("/adgroup/update/", but(body, json!({"adgroup_id": id})))
    };
    let reply = update(
        &mut bench,
        json!({"adgroup_name": "y", "budget": 30, "languages": ["de"]}),
    );
    assert_eq!(reply["data"]["adgroup_name"], "y");
    assert_eq!(reply["data"]["budget"], 30.0);
    assert_eq!(reply["data"]["languages"], json!(["de"]));
    assert_eq!(reply["data"]["location_ids"], json!(["2921044"]));
    assert_eq!(reply["data"]["modify_time"], "2026-11-23 12:01:00");
    assert_eq!(
        update(&mut bench, json!({"budget": 30, "languages": ["de"]}))["code"],
        40_012
    );
    for name in [
        "campaign_id",
        "placements",
        "promotion_type",
        "pixel_id",
        "optimization_goal",
        "billing_event",
        "budget_mode",
    ] {
        let reply = update(&mut bench, json!({name: "x"}));
        let wanted = format!("{name}: This field cannot be updated.");
        assert_eq!(reply["message"], wanted);
    }
}

#[test]
fn omitted_targeting_stays_or_is_reset() {
    for (value, languages) in [("partial", json!(["de"])), ("replace_targeting", json!([]))] {
        let mut bench = Bench::new();
        bench.knob("adgroup_update", value);
        let campaign = bench.manual("a");
        let body = but(ad_group(&campaign, "x"), json!({"languages": ["de"]}));
        let id = made(&bench.post("/adgroup/create/", body), "adgroup_id");
        let body = json!({"adgroup_id": id, "adgroup_name": "y", "location_ids": ["2921044"]});
        let reply = bench.post("/adgroup/update/", body);
        assert_eq!(reply["data"]["languages"], languages, "{reply}");
        assert_eq!(reply["data"]["location_ids"], json!(["2921044"]));
        assert_eq!(reply["data"]["budget"], 20.0);
        // Where it replaces, what a create needs is needed again.
        let reply = bench.post("/adgroup/update/", json!({"adgroup_id": id, "budget": 21}));
        let wanted = if value == "partial" { 0 } else { 40_002 };
        assert_eq!(reply["code"], wanted, "{reply}");
    }
}

#[test]
fn status_calls_are_whole_unless_they_say_otherwise() {
    let mut bench = Bench::new();
    let campaign = bench.manual("a");
    let id = bench.ad_group(&campaign, "x");
    let body = json!({"adgroup_ids": [id, "1"], "operation_status": "ENABLE"});
    assert_eq!(
        bench.post("/adgroup/status/update/", body.clone())["code"],
        40_002
    );
    assert_eq!(
        bench.row_of(Level::AdGroup, &id)["operation_status"],
        "DISABLE"
    );
    let partial = but(body, json!({"allow_partial_success": true}));
    let reply = bench.post("/adgroup/status/update/", partial);
    assert_eq!(reply["code"], 20_001);
    assert_eq!(reply["data"]["adgroup_ids"], json!([id]));
    assert_eq!(reply["data"]["status"], "ENABLE");
    assert_eq!(reply["data"]["error_list"][0]["adgroup_id"], "1");
    assert!(reply["data"]["error_list"][0]["error_message"].is_string());
    assert_eq!(
        bench.row_of(Level::AdGroup, &id)["operation_status"],
        "ENABLE"
    );
    let good = json!({"adgroup_ids": [id], "operation_status": "DISABLE"});
    let reply = bench.post("/adgroup/status/update/", good);
    assert_eq!(
        reply["data"],
        json!({"adgroup_ids": [id], "status": "DISABLE"})
    );
}

#[test]
fn what_is_deleted_or_in_something_deleted_cannot_change() {
    let mut bench = Bench::new();
    let campaign = bench.manual("a");
    let (gone, left) = (
        bench.ad_group(&campaign, "x"),
        bench.ad_group(&campaign, "y"),
    );
    bench.operate(Level::AdGroup, &gone, "DELETE");
    bench.status(&campaign, "DELETE");
    for id in [gone, left] {
        for operation in ["ENABLE", "DISABLE", "DELETE"] {
            assert_eq!(
                bench.operate(Level::AdGroup, &id, operation)["code"],
                40_002
            );
        }
        let body = json!({"adgroup_id": id, "adgroup_name": "z"});
        assert_eq!(bench.post("/adgroup/update/", body)["code"], 40_002);
        assert_eq!(bench.ads(&id, json!([creative("c")]))["code"], 40_002);
    }
}

#[test]
fn reserved_and_dedicated_campaigns_keep_their_ad_groups() {
    let mut bench = Bench::new();
    bench.knob("allowlist", "RF_REACH");
    let reserved = bench.manual_with(
        "r",
        json!({"objective_type": "RF_REACH", "budget_mode": null}),
    );
    let dedicated = bench.manual_with(
        "d",
        json!({"objective_type": "APP_PROMOTION", "app_promotion_type": "APP_INSTALL", "app_id": "9",
               "campaign_type": "IOS14_CAMPAIGN"}),
    );
    let inside = |bench: &mut Bench, campaign: &str| {
        let id = bench.sandbox.insert_inside(bench.now, campaign, Map::new());
        id.unwrap().to_string()
    };
    let id = inside(&mut bench, &reserved);
    assert_eq!(bench.operate(Level::AdGroup, &id, "ENABLE")["code"], 40_002);
    assert_eq!(bench.operate(Level::AdGroup, &id, "DELETE")["code"], 0);
    let id = inside(&mut bench, &dedicated);
    assert_eq!(bench.operate(Level::AdGroup, &id, "DELETE")["code"], 40_002);
    assert_eq!(bench.operate(Level::AdGroup, &id, "ENABLE")["code"], 0);
}

#[test]
fn beyond_the_quota_ad_groups_are_made_and_paused_for_good() {
    let mut bench = Bench::new();
    let quota = |bench: &mut Bench| {
        let reply = bench.get("/adgroup/quota/", &[]);
        (
            reply["data"]["total_adgroup_quota"].clone(),
            reply["data"]["used_adgroup_quota"].clone(),
        )
    };
    assert_eq!(quota(&mut bench), (json!(5_000), json!(0)));
    bench.knob("ad_group_quota", "1");
    let campaign = bench.manual_with("a", json!({"operation_status": "ENABLE"}));
    bench.ad_group(&campaign, "x");
    assert_eq!(quota(&mut bench), (json!(1), json!(1)));
    let body = but(
        ad_group(&campaign, "y"),
        json!({"operation_status": "ENABLE"}),
    );
    let over = made(&bench.post("/adgroup/create/", body), "adgroup_id");
    let row = bench.row_of(Level::AdGroup, &over);
    assert_eq!(row["operation_status"], "DISABLE");
    assert_eq!(
        row["secondary_status"],
        "ADGROUP_STATUS_ADGROUP_QUOTA_LIMIT"
    );
    assert_eq!(
        bench.operate(Level::AdGroup, &over, "ENABLE")["code"],
        40_002
    );
    let id = bench.id();
    bench
        .sandbox
        .set_account_status(bench.now, &id, "STATUS_DISABLE", "")
        .unwrap();
    assert_eq!(quota(&mut bench), (json!(0), json!(0)));
}
