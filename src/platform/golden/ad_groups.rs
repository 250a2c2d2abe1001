//! Ad groups of both trees, from the reference's sections 4 and 5.6 and its appendix A.

use serde_json::{Value, json};

use super::super::golden_replies::ok;
use super::super::*;
use super::{ADVERTISER, CAMPAIGN, create_of, list_of, set_status_of, update_of};

const AD_GROUP: &str = "1728545382536226";

fn always() -> String {
    "1".repeat(336)
}

/// The official example of a minimal ad group for an app.
fn app_install() -> NewObject {
    let fields: [(&'static str, Value); 15] = [
        ("promotion_type", json!("APP_ANDROID")),
        ("app_id", json!("7100000000000000001")),
        ("placement_type", json!("PLACEMENT_TYPE_NORMAL")),
        ("placements", json!(["PLACEMENT_TIKTOK"])),
        ("location_ids", json!(["6252001"])),
        ("operating_systems", json!(["ANDROID"])),
        ("schedule_type", json!("SCHEDULE_START_END")),
        ("schedule_start_time", json!("2026-12-01 08:00:00")),
        ("schedule_end_time", json!("2026-12-31 08:00:00")),
        ("optimization_goal", json!("INSTALL")),
        ("bid_type", json!("BID_TYPE_CUSTOM")),
        ("conversion_bid_price", json!(250)),
        ("billing_event", json!("OCPM")),
        ("pacing", json!("PACING_MODE_SMOOTH")),
        ("gender", json!(null)),
    ];
    NewObject {
        parent: Some(CAMPAIGN.into()),
        name: "Installs US".into(),
        request_id: "4611686018427387905".into(),
        budget_mode: Some("BUDGET_MODE_DAY".into()),
        budget: Some(Cents(2000)),
        fields: fields.into(),
    }
}

#[test]
fn the_manual_create_body() {
    let request = create_of(Kind::AdGroup, Tree::Manual, app_install()).request(None);
    assert_eq!(
        (request.method, request.path),
        (Method::Post, "/open_api/v1.3/adgroup/create/")
    );
    assert_eq!(
        request.body,
        Some(json!({
            "advertiser_id": ADVERTISER, "campaign_id": CAMPAIGN, "adgroup_name": "Installs US",
            "request_id": "4611686018427387905", "promotion_type": "APP_ANDROID", "app_id": "7100000000000000001",
            "placement_type": "PLACEMENT_TYPE_NORMAL", "placements": ["PLACEMENT_TIKTOK"],
            "location_ids": ["6252001"], "operating_systems": ["ANDROID"],
            "budget_mode": "BUDGET_MODE_DAY", "budget": 20,
            "schedule_type": "SCHEDULE_START_END", "schedule_start_time": "2026-12-01 08:00:00",
            "schedule_end_time": "2026-12-31 08:00:00", "optimization_goal": "INSTALL",
            "bid_type": "BID_TYPE_CUSTOM", "conversion_bid_price": 2.5, "billing_event": "OCPM",
            "pacing": "PACING_MODE_SMOOTH", "operation_status": "DISABLE", "search_result_enabled": false,
            "smart_audience_enabled": false, "smart_interest_behavior_enabled": false,
            "automated_keywords_enabled": false, "creative_material_mode": "CUSTOM"
        }))
    );
}

#[test]
fn the_smart_plus_create_body() {
    let fields: [(&'static str, Value); 13] = [
        ("promotion_type", json!("WEBSITE")),
        ("optimization_goal", json!("CONVERT")),
        ("optimization_event", json!("SHOPPING")),
        ("pixel_id", json!("7600000000000000001")),
        ("billing_event", json!("OCPM")),
        ("bid_type", json!("BID_TYPE_NO_BID")),
        ("min_budget", json!(1000)),
        ("schedule_type", json!("SCHEDULE_FROM_NOW")),
        ("schedule_start_time", json!("2026-12-01 08:00:00")),
        ("location_ids", json!(["2635167"])),
        ("age_groups", json!(["AGE_18_24", "AGE_25_34"])),
        (
            "actions",
            json!([{"action_scene": "VIDEO_RELATED", "action_period": 15,
                "video_user_actions": ["LIKED"], "action_category_ids": ["1000"]}]),
        ),
        ("targeting_optimization_mode", json!("MANUAL")),
    ];
    let object = NewObject {
        parent: Some(CAMPAIGN.into()),
        name: "UK".into(),
        request_id: "4611686018427387906".into(),
        budget_mode: None,
        budget: None,
        fields: fields.into(),
    };
    let request = create_of(Kind::AdGroup, Tree::SmartPlus, object).request(None);
    assert_eq!(request.path, "/open_api/v1.3/smart_plus/adgroup/create/");
    assert_eq!(
        request.body,
        Some(json!({
            "advertiser_id": ADVERTISER, "campaign_id": CAMPAIGN, "adgroup_name": "UK",
            "request_id": "4611686018427387906", "promotion_type": "WEBSITE", "optimization_goal": "CONVERT",
            "optimization_event": "SHOPPING", "pixel_id": "7600000000000000001", "billing_event": "OCPM",
            "bid_type": "BID_TYPE_NO_BID", "min_budget": 10, "schedule_type": "SCHEDULE_FROM_NOW",
            "schedule_start_time": "2026-12-01 08:00:00", "targeting_optimization_mode": "MANUAL",
            "operation_status": "DISABLE",
            "targeting_spec": {
                "location_ids": ["2635167"], "age_groups": ["AGE_18_24", "AGE_25_34"],
                "actions": [{"action_scene": "VIDEO_RELATED", "action_period": 15,
                    "video_user_actions": ["LIKED"], "action_category_ids": ["1000"]}],
                "smart_audience_enabled": false, "smart_interest_behavior_enabled": false
            }
        }))
    );
}

#[test]
fn r15_updates() {
    let bid = Changes {
        parent: Some(CAMPAIGN.into()),
        fields: [("bid_price", json!(75))].into(),
        ..Changes::default()
    };
    let smart_plus = update_of(Kind::AdGroup, Tree::SmartPlus, AD_GROUP, bid).request(None);
    assert_eq!(smart_plus.path, "/open_api/v1.3/smart_plus/adgroup/update/");
    assert_eq!(
        smart_plus.body,
        Some(json!({"advertiser_id": ADVERTISER, "adgroup_id": AD_GROUP, "bid_price": 0.75}))
    );
    let whole = Changes {
        parent: Some(CAMPAIGN.into()),
        budget: Some(Cents(3000)),
        rest: Some(Box::new(Rest {
            name: "Installs US".into(),
            budget: Some(Cents(2000)),
            fields: [
                ("location_ids", json!(["6252001"])),
                ("schedule_end_time", json!("2026-12-31 08:00:00")),
            ]
            .into(),
        })),
        ..Changes::default()
    };
    let manual = update_of(Kind::AdGroup, Tree::Manual, AD_GROUP, whole).request(None);
    assert_eq!(manual.path, "/open_api/v1.3/adgroup/update/");
    assert_eq!(
        manual.body,
        Some(
            json!({"advertiser_id": ADVERTISER, "adgroup_id": AD_GROUP, "adgroup_name": "Installs US",
            "budget": 30, "location_ids": ["6252001"], "schedule_end_time": "2026-12-31 08:00:00"})
        )
    );
}

#[test]
fn r05_manual_status_calls_ask_for_partial_success() {
    let body = |tree| {
        let call = set_status_of(Kind::AdGroup, tree, &["1", "2"], OperationStatus::Disable);
        (call.path(), call.request(None).body)
    };
    assert_eq!(
        body(Tree::Manual),
        (
            "/open_api/v1.3/adgroup/status/update/",
            Some(
                json!({"advertiser_id": ADVERTISER, "adgroup_ids": ["1", "2"],
                "operation_status": "DISABLE", "allow_partial_success": true})
            )
        )
    );
    assert_eq!(
        body(Tree::SmartPlus),
        (
            "/open_api/v1.3/smart_plus/adgroup/status/update/",
            Some(
                json!({"advertiser_id": ADVERTISER, "adgroup_ids": ["1", "2"],
                "operation_status": "DISABLE"})
            )
        )
    );
}

#[test]
fn r05_the_official_answer_to_a_partly_refused_status_call() {
    let call = set_status_of(
        Kind::AdGroup,
        Tree::Manual,
        &["1", "2"],
        OperationStatus::Enable,
    );
    let wire = ok(json!({"adgroup_ids": ["1"], "status": "ENABLE",
        "error_list": [{"adgroup_id": "2", "error_message": "The ad group has been deleted"}]}));
    let reply = read(&call, wire).map(|answer| answer.reply);
    let refused = RefusedId {
        id: "2".into(),
        message: "The ad group has been deleted".into(),
    };
    assert_eq!(refused.class(), ErrorClass::Gone);
    assert_eq!(
        reply,
        Ok(Reply::StatusSet {
            done: vec!["1".into()],
            refused: vec![refused],
        })
    );
}

#[test]
fn lists_filter_by_campaign() {
    let filter = Filter {
        parents: vec![CAMPAIGN.into()],
        name: Some("Installs US".into()),
        include_deleted: true,
        all_origins: true,
        ..Filter::default()
    };
    for (tree, path) in [
        (Tree::Manual, "/open_api/v1.3/adgroup/get/"),
        (Tree::SmartPlus, "/open_api/v1.3/smart_plus/adgroup/get/"),
    ] {
        let call = Call::List {
            advertiser: ADVERTISER.into(),
            kind: Kind::AdGroup,
            tree,
            filter: filter.clone(),
            page: 1,
            page_size: 100,
        };
        let request = call.request(None);
        assert_eq!(request.path, path);
        let filtering: Value = serde_json::from_str(&request.query[1].1).unwrap_or_default();
        assert_eq!(
            filtering,
            json!({"campaign_ids": [CAMPAIGN], "adgroup_name": "Installs US", "primary_status": "STATUS_ALL"})
        );
    }
}

/// The official example of a create answer: exactly these keys, with TikTok's defaults.
fn created() -> Value {
    // Text, since the macro does not take so many entries.
    let text = r#"{
        "attribution_event_count": "ONCE", "creative_material_mode": "CUSTOM", "statistic_type": null,
        "adgroup_app_profile_page_state": null, "auto_targeting_enabled": false, "excluded_audience_ids": [],
        "rf_estimated_cpr": null, "next_day_retention": null, "rf_purchased_type": null, "scheduled_budget": 0.0,
        "frequency": null, "click_attribution_window": "SEVEN_DAYS", "gender": "GENDER_UNLIMITED",
        "deep_bid_type": null, "isp_ids": [], "deep_cpa_bid": 0.0, "interest_keyword_ids": [],
        "package": "com.example", "app_id": "7100000000000000001", "inventory_filter_enabled": false,
        "location_ids": ["6252001"], "budget": 20.0, "billing_event": "OCPM", "optimization_goal": "INSTALL",
        "ios14_quota_type": "UNOCCUPIED", "keywords": null, "campaign_id": "1728545382536225",
        "search_result_enabled": true, "campaign_name": "Spring sale", "app_type": "APP_ANDROID",
        "purchased_impression": null, "secondary_optimization_event": null, "purchased_reach": null,
        "languages": [], "comment_disabled": false, "is_hfss": false, "frequency_schedule": null,
        "schedule_infos": null, "actions": [], "adgroup_id": "1728545382536226", "pacing": "PACING_MODE_SMOOTH",
        "ios14_targeting": "UNSET", "bid_display_mode": "CPMV", "device_price_ranges": null, "age_groups": null,
        "operating_systems": ["ANDROID"], "category_id": "0", "conversion_bid_price": 0.0,
        "dayparting": "ALWAYS", "network_types": [], "conversion_window": null, "is_new_structure": true,
        "brand_safety_type": "NO_BRAND_SAFETY", "bid_price": 0.0, "brand_safety_partner": null,
        "view_attribution_window": "ONE_DAY", "advertiser_id": "7002238017842757633", "schedule_type": "SCHEDULE_FROM_NOW",
        "skip_learning_phase": true, "bid_type": "BID_TYPE_NO_BID", "interest_category_ids": [],
        "create_time": "2022-03-28 14:00:15", "pixel_id": null, "adgroup_name": "Installs US",
        "operation_status": "ENABLE", "category_exclusion_ids": [], "delivery_mode": null,
        "app_download_url": "https://play.google.com/store/apps/details?id=com.example",
        "budget_mode": "BUDGET_MODE_DAY", "placement_type": "PLACEMENT_TYPE_AUTOMATIC",
        "optimization_event": "ACTIVE", "audience_ids": [], "feed_type": null, "promotion_type": "APP_ANDROID",
        "is_smart_performance_campaign": false, "rf_estimated_frequency": null,
        "schedule_start_time": "2022-03-28 16:00:00", "schedule_end_time": "2032-03-25 16:00:00",
        "modify_time": "2022-03-28 14:00:15", "video_download_disabled": false,
        "placements": ["PLACEMENT_TIKTOK", "PLACEMENT_PANGLE"], "secondary_status": "ADGROUP_STATUS_CREATE",
        "share_disabled": false
    }"#;
    serde_json::from_str(&text.replace("ALWAYS", &always())).unwrap()
}

fn created_row() -> Row {
    let says = [
        ("app_id", json!("7100000000000000001")),
        ("attribution_event_count", json!("ONCE")),
        ("bid_type", json!("BID_TYPE_NO_BID")),
        ("billing_event", json!("OCPM")),
        ("click_attribution_window", json!("SEVEN_DAYS")),
        ("dayparting", json!(always())),
        ("location_ids", json!(["6252001"])),
        ("operating_systems", json!(["ANDROID"])),
        ("optimization_event", json!("ACTIVE")),
        ("optimization_goal", json!("INSTALL")),
        ("pacing", json!("PACING_MODE_SMOOTH")),
        ("placement_type", json!("PLACEMENT_TYPE_AUTOMATIC")),
        ("promotion_type", json!("APP_ANDROID")),
        ("schedule_start_time", json!("2022-03-28 16:00:00")),
        ("schedule_type", json!("SCHEDULE_FROM_NOW")),
        ("search_result_enabled", json!(true)),
        ("view_attribution_window", json!("ONE_DAY")),
    ];
    // Shown, and saying nothing: TikTok's own choices, amounts of 0.0, and what is not set.
    let lists = [
        "actions",
        "age_groups",
        "audience_ids",
        "category_exclusion_ids",
        "device_price_ranges",
        "excluded_audience_ids",
        "interest_category_ids",
        "interest_keyword_ids",
        "isp_ids",
        "languages",
        "network_types",
        "placements",
    ];
    let nulls = [
        "bid_price",
        "brand_safety_partner",
        "brand_safety_type",
        "comment_disabled",
        "conversion_bid_price",
        "creative_material_mode",
        "deep_bid_type",
        "deep_cpa_bid",
        "frequency",
        "frequency_schedule",
        "gender",
        "ios14_targeting",
        "is_hfss",
        "next_day_retention",
        "pixel_id",
        "schedule_end_time",
        "secondary_optimization_event",
        "share_disabled",
        "video_download_disabled",
    ];
    let fields = says
        .into_iter()
        .chain(lists.map(|name| (name, json!([]))))
        .chain(nulls.map(|name| (name, Value::Null)))
        .collect();
    Row {
        kind: Kind::AdGroup,
        id: AD_GROUP.into(),
        tree: Tree::Manual,
        campaign: Some(CAMPAIGN.into()),
        ad_group: None,
        name: "Installs US".into(),
        operation: OperationState::On,
        secondary_status: "ADGROUP_STATUS_CREATE".into(),
        budget_mode: Some("BUDGET_MODE_DAY".into()),
        budget: Some(Cents(2000)),
        current_budget: None,
        created: "2022-03-28T14:00:15Z".parse().ok(),
        modified: "2022-03-28T14:00:15Z".parse().ok(),
        creatives: Vec::new(),
        fields,
    }
}

#[test]
fn the_official_create_answer() {
    let call = create_of(Kind::AdGroup, Tree::Manual, app_install());
    let reply = read(&call, ok(created())).map(|answer| answer.reply);
    assert_eq!(reply, Ok(Reply::Created(vec![Some(created_row())])));
    assert_eq!(created_row().parent(), Some(CAMPAIGN));
}

fn rows(tree: Tree, row: &Value) -> Vec<Row> {
    let wire = ok(json!({"list": [row],
        "page_info": {"page": 1, "page_size": 100, "total_number": 1, "total_page": 1}}));
    match read(&list_of(Kind::AdGroup, tree, 1, 100), wire).map(|answer| answer.reply) {
        Ok(Reply::Rows { rows, .. }) => rows,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_tiktok_chose_by_itself_is_not_said_by_anybody() {
    let mut row = created();
    let chosen = &rows(Tree::Manual, &row)[0];
    assert_eq!(chosen.fields["placements"], json!([]));
    assert_eq!(chosen.fields["schedule_end_time"], Value::Null);
    row["placement_type"] = json!("PLACEMENT_TYPE_NORMAL");
    row["schedule_type"] = json!("SCHEDULE_START_END");
    let said = &rows(Tree::Manual, &row)[0];
    assert_eq!(
        said.fields["placements"],
        json!(["PLACEMENT_PANGLE", "PLACEMENT_TIKTOK"])
    );
    assert_eq!(said.fields["schedule_end_time"], "2032-03-25 16:00:00");
}

#[test]
fn a_smart_plus_row_has_its_targeting_inside() {
    let row = json!({
        "advertiser_id": ADVERTISER, "campaign_id": CAMPAIGN, "adgroup_id": AD_GROUP, "adgroup_name": "UK",
        "promotion_type": "WEBSITE", "optimization_goal": "CONVERT", "optimization_event": "SHOPPING",
        "pixel_id": "7600000000000000001", "bid_type": "BID_TYPE_CUSTOM", "conversion_bid_price": 7.25,
        "roas_bid": 0.0, "deep_bid_type": "DEFAULT", "billing_event": "OCPM", "pacing": "PACING_MODE_SMOOTH",
        "budget_mode": "BUDGET_MODE_DYNAMIC_DAILY_BUDGET", "budget": 30.0, "current_budget": 36.0,
        "budget_auto_adjust_strategy": "AUTO_BUDGET_INCREASE", "min_budget": 0.0,
        "schedule_type": "SCHEDULE_FROM_NOW", "schedule_start_time": "2026-12-01 08:00:00",
        "schedule_end_time": "2036-11-28 08:00:00", "dayparting": "", "targeting_optimization_mode": "MANUAL",
        "suggestion_audience_enabled": false, "comment_disabled": true, "share_disabled": false,
        "targeting_spec": {"location_ids": ["2635167"], "gender": "GENDER_UNLIMITED", "age_groups": null,
            "smart_audience_enabled": false, "saved_audience_id": "0"},
        "operation_status": "DISABLE", "secondary_status": "ADGROUP_STATUS_DISABLE",
        "create_time": "2026-11-20 08:00:00", "modify_time": "2026-11-21 09:30:00"
    });
    let rows = rows(Tree::SmartPlus, &row);
    let read = &rows[0];
    assert_eq!(
        (read.tree, read.operation, read.budget, read.current_budget),
        (
            Tree::SmartPlus,
            OperationState::Off,
            Some(Cents(3000)),
            Some(Cents(3600))
        )
    );
    let expected: Fields = [
        ("age_groups", json!([])),
        ("bid_type", json!("BID_TYPE_CUSTOM")),
        ("billing_event", json!("OCPM")),
        ("comment_disabled", json!(true)),
        ("conversion_bid_price", json!(725)),
        ("dayparting", json!(always())),
        ("deep_bid_type", Value::Null),
        ("gender", Value::Null),
        ("location_ids", json!(["2635167"])),
        ("min_budget", Value::Null),
        ("optimization_event", json!("SHOPPING")),
        ("optimization_goal", json!("CONVERT")),
        ("pacing", json!("PACING_MODE_SMOOTH")),
        ("pixel_id", json!("7600000000000000001")),
        ("promotion_type", json!("WEBSITE")),
        ("roas_bid", Value::Null),
        ("saved_audience_id", Value::Null),
        ("schedule_end_time", Value::Null),
        ("schedule_start_time", json!("2026-12-01 08:00:00")),
        ("schedule_type", json!("SCHEDULE_FROM_NOW")),
        ("share_disabled", Value::Null),
        ("smart_audience_enabled", Value::Null),
        ("suggestion_audience_enabled", Value::Null),
        ("targeting_optimization_mode", json!("MANUAL")),
    ]
    .into();
    assert_eq!(read.fields, expected);
}

#[test]
fn an_ad_group_is_gone_with_its_campaign() {
    for (secondary, expected) in [
        ("ADGROUP_STATUS_DELETE", OperationState::Deleted),
        ("ADGROUP_STATUS_CAMPAIGN_DELETE", OperationState::Deleted),
        ("ADGROUP_STATUS_CAMPAIGN_DISABLE", OperationState::On),
        ("ADVERTISER_ACCOUNT_PUNISH", OperationState::On),
    ] {
        let mut row = created();
        row["secondary_status"] = json!(secondary);
        assert_eq!(
            rows(Tree::Manual, &row)[0].operation,
            expected,
            "{secondary}"
        );
    }
}

#[test]
fn r29_a_smart_plus_ad_group_in_a_manual_list_says_so() {
    let mut row = created();
    row["campaign_automation_type"] = json!("UPGRADED_SMART_PLUS");
    assert_eq!(rows(Tree::Manual, &row)[0].tree, Tree::SmartPlus);
}
