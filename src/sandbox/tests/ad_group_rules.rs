//! What ad groups may target and promote, and what TikTok changes in silence.

use super::*;

/// A create in a TRAFFIC campaign with some fields other than usual.
pub(super) fn create(bench: &mut Bench, changes: Value) -> Value {
    let campaign = bench.manual_with("c", json!({"request_id": "1"}));
    create_in(bench, &campaign, changes)
}

fn create_in(bench: &mut Bench, campaign: &str, changes: Value) -> Value {
    bench.post("/adgroup/create/", but(ad_group(campaign, "x"), changes))
}

/// What a new sandbox says to a create.
pub(super) fn says(changes: Value) -> Value {
    create(&mut Bench::new(), changes)
}

/// What a new sandbox says to a create in a campaign with another objective.
fn says_for(objective: Value, changes: Value) -> Value {
    let mut bench = Bench::new();
    let campaign = bench.manual_with("c", objective);
    create_in(&mut bench, &campaign, changes)
}

pub(super) fn refused(reply: &Value, text: &str) {
    assert_eq!(reply["code"], 40_002, "{reply}");
    let message = reply["message"].as_str().unwrap();
    assert!(message.contains(text), "{message}, not {text}");
}

#[test]
fn locations() {
    let many: Vec<String> = (1..=3_001).map(|id| id.to_string()).collect();
    refused(&says(json!({"location_ids": many})), "must not exceed 3000");
    assert_eq!(says(json!({"location_ids": many[1..]}))["code"], 0);
    let with_codes = json!({"location_ids": many[..2_000], "zipcode_ids": many[..1_001]});
    refused(&says(with_codes), "must not exceed 3000");
    assert_eq!(
        says(json!({"location_ids": null, "zipcode_ids": ["5"]}))["code"],
        0
    );
    refused(&says(json!({"location_ids": ["7", "7"]})), "overlap");
    // The US and California.
    refused(
        &says(json!({"location_ids": ["6252001", "5332921"]})),
        "overlap",
    );
    assert_eq!(
        says(json!({"location_ids": ["4736286", "5332921"]}))["code"],
        0
    );
}

#[test]
fn in_the_us_nothing_said_means_adults() {
    let us = json!({"location_ids": ["5332921"]});
    let ages = &says(us.clone())["data"]["age_groups"];
    assert_eq!(ages.as_array().unwrap().len(), 5);
    assert_eq!(ages[0], "AGE_18_24");
    assert_eq!(
        says(but(us.clone(), json!({"age_groups": []})))["data"]["age_groups"],
        *ages
    );
    let reply = says(but(us, json!({"age_groups": ["AGE_13_17"]})));
    assert_eq!(reply["code"], 40_065, "{reply}");
    assert_eq!(
        says(json!({"age_groups": []}))["data"]["age_groups"],
        Value::Null
    );
    let young = says(json!({"age_groups": ["AGE_13_17"]}));
    assert_eq!(young["data"]["age_groups"], json!(["AGE_13_17"]));
}

#[test]
fn the_us_cannot_be_dropped() {
    let mut bench = Bench::new();
    let id = made(
        &create(&mut bench, json!({"location_ids": ["6252001", "2921044"]})),
        "adgroup_id",
    );
    let mut update = |locations: Value| {
        bench.post(
            "/adgroup/update/",
            json!({"adgroup_id": id, "location_ids": locations}),
        )
    };
    refused(&update(json!(["2921044"])), "cannot be removed");
    assert_eq!(update(json!(["5332921"]))["code"], 0);
    refused(&update(json!(["2921044"])), "cannot be removed");
}

#[test]
fn what_excludes_each_other() {
    for changes in [
        json!({"interest_keyword_ids": ["1"], "purchase_intention_keyword_ids": ["2"]}),
        json!({"device_model_ids": ["1"], "device_price_ranges": [0, 50]}),
        json!({"included_pangle_audience_package_ids": ["1"], "excluded_pangle_audience_package_ids": ["2"]}),
        json!({"saved_audience_id": "1", "gender": "GENDER_MALE"}),
    ] {
        refused(&says(changes), "cannot be specified at the same time");
    }
    assert_eq!(
        says(json!({"saved_audience_id": "1", "languages": ["de"]}))["code"],
        0
    );
    let mut bench = Bench::new();
    bench.knob("saved_audience_fields", "languages");
    let reply = create(
        &mut bench,
        json!({"saved_audience_id": "1", "languages": ["de"]}),
    );
    refused(&reply, "cannot be specified at the same time");
    refused(
        &says(json!({"audience_ids": ["1", "2"], "excluded_audience_ids": ["2"]})),
        "cannot contain the same audience: 2",
    );
    assert_eq!(
        says(json!({"audience_ids": ["1"], "excluded_audience_ids": ["2"]}))["code"],
        0
    );
}

#[test]
fn behaviour() {
    let action = json!({
        "action_scene": "VIDEO_RELATED", "action_period": 7, "video_user_actions": ["LIKED"],
        "action_category_ids": ["3"],
    });
    assert_eq!(says(json!({"actions": [action]}))["code"], 0);
    for name in [
        "action_scene",
        "action_period",
        "video_user_actions",
        "action_category_ids",
    ] {
        let reply = says(json!({"actions": [but(action.clone(), json!({name: null}))]}));
        refused(&reply, &format!("actions.0.{name}: Missing data"));
    }
    for (scene, period, good) in [
        ("VIDEO_RELATED", 0, false),
        ("VIDEO_RELATED", 15, true),
        ("VIDEO_RELATED", 30, false),
        ("CREATOR_RELATED", 0, true),
        ("CREATOR_RELATED", 7, false),
        ("HASHTAG_RELATED", 0, true),
    ] {
        let action = but(
            action.clone(),
            json!({"action_scene": scene, "action_period": period}),
        );
        let reply = says(json!({"actions": [action]}));
        if good {
            assert_eq!(reply["code"], 0, "{reply}");
        } else {
            refused(&reply, "Invalid time period set for behavior targeting.");
        }
    }
}

#[test]
fn device_prices_get_fifty_more() {
    let price = |changes: Value| says(json!({"device_price_ranges": changes}));
    assert_eq!(
        price(json!([0, 250]))["data"]["device_price_ranges"],
        json!([0, 300])
    );
    assert_eq!(
        price(json!([0, 10_000]))["data"]["device_price_ranges"],
        json!([0, 10_000])
    );
    for wrong in [
        json!([0, 251]),
        json!([300, 250]),
        json!([0, 10_050]),
        json!([0]),
    ] {
        refused(&price(wrong), "device_price_ranges");
    }
    let mut bench = Bench::new();
    bench.knob("device_price_upper_bound", "as_sent");
    let reply = create(&mut bench, json!({"device_price_ranges": [0, 250]}));
    assert_eq!(reply["data"]["device_price_ranges"], json!([0, 250]));
    // What was not sent is not raised again.
    let mut bench = Bench::new();
    let id = made(
        &create(&mut bench, json!({"device_price_ranges": [0, 250]})),
        "adgroup_id",
    );
    let body = json!({"adgroup_id": id, "adgroup_name": "y"});
    let reply = bench.post("/adgroup/update/", body);
    assert_eq!(reply["data"]["device_price_ranges"], json!([0, 300]));
}

#[test]
fn placements() {
    let bundle = json!({"placements": ["PLACEMENT_TIKTOK", "PLACEMENT_GLOBAL_APP_BUNDLE"]});
    let reply = says(bundle.clone());
    assert_eq!(reply["data"]["placements"], json!(["PLACEMENT_TIKTOK"]));
    let mut bench = Bench::new();
    bench.knob("allowlist", "GLOBAL_APP_BUNDLE");
    assert_eq!(
        create(&mut bench, bundle.clone())["data"]["placements"],
        bundle["placements"]
    );
    refused(
        &says(json!({"placements": ["PLACEMENT_GLOBAL_APP_BUNDLE"]})),
        "not available",
    );
    // What is sent with automatic placement is ignored.
    let reply = says(json!({
        "placement_type": "PLACEMENT_TYPE_AUTOMATIC", "placements": ["PLACEMENT_PANGLE"],
    }));
    assert_eq!(reply["data"]["placements"], json!(["PLACEMENT_TIKTOK"]));
    assert_eq!(reply["data"]["search_result_enabled"], true);
    let pangle = says(json!({"placements": ["PLACEMENT_PANGLE"], "search_result_enabled": true}));
    assert_eq!(pangle["data"]["search_result_enabled"], false);
    let off = says(json!({"search_result_enabled": false}));
    assert_eq!(off["data"]["search_result_enabled"], false);
    refused(
        &says(json!({"tiktok_subplacements": ["SEARCH_FEED"]})),
        "IN_FEED",
    );
    refused(
        &says(json!({"tiktok_subplacements": ["IN_FEED", "LEMON8"]})),
        "LEMON8",
    );
    assert_eq!(
        says(json!({"tiktok_subplacements": ["IN_FEED"]}))["code"],
        0
    );
}

#[test]
fn objectives_decide_what_is_promoted() {
    let reach = json!({
        "promotion_type": null, "optimization_goal": "REACH", "billing_event": "CPM",
    });
    let objective = |word: &str| json!({"objective_type": word});
    assert_eq!(says_for(objective("REACH"), reach.clone())["code"], 0);
    let engagement = json!({"optimization_goal": "FOLLOWERS", "billing_event": "OCPM"});
    refused(
        &says_for(objective("ENGAGEMENT"), engagement.clone()),
        "promotion_type: WEBSITE is not supported",
    );
    let allowed = but(engagement, json!({"promotion_type": "EXTERNAL_OR_DISPLAY"}));
    assert_eq!(says_for(objective("ENGAGEMENT"), allowed)["code"], 0);
    // Live: a website for leads.
    let leads = json!({
        "promotion_type": "LEAD_GENERATION", "promotion_target_type": "EXTERNAL_WEBSITE",
        "optimization_goal": "CONVERT", "billing_event": "OCPM", "pixel_id": "5", "optimization_event": "FORM",
    });
    let objective = json!({"objective_type": "LEAD_GENERATION"});
    assert_eq!(says_for(objective.clone(), leads.clone())["code"], 0);
    for (changes, text) in [
        (
            json!({"promotion_type": "WEBSITE"}),
            "WEBSITE is not supported",
        ),
        (
            json!({"promotion_target_type": null}),
            "promotion_target_type",
        ),
        (
            json!({"pixel_id": null, "optimization_event": null}),
            "Please select a pixel.",
        ),
    ] {
        refused(
            &says_for(objective.clone(), but(leads.clone(), changes)),
            text,
        );
    }
    let app = json!({"objective_type": "APP_PROMOTION", "app_promotion_type": "APP_INSTALL"});
    let install = json!({
        "promotion_type": "APP_IOS", "app_id": "5", "operating_systems": ["IOS"],
        "optimization_goal": "INSTALL", "billing_event": "OCPM",
    });
    assert_eq!(says_for(app.clone(), install.clone())["code"], 0);
    for (changes, text) in [
        (
            json!({"promotion_type": "WEBSITE"}),
            "WEBSITE is not supported",
        ),
        (json!({"app_id": null}), "app_id: Missing"),
        (
            json!({"operating_systems": null}),
            "operating_systems: Missing",
        ),
        (
            json!({"operating_systems": ["IOS", "ANDROID"]}),
            "maximum length 1",
        ),
        (
            json!({"ios14_targeting": "IOS14_PLUS"}),
            "Dedicated Campaigns",
        ),
    ] {
        refused(&says_for(app.clone(), but(install.clone(), changes)), text);
    }
    let again = json!({"objective_type": "APP_PROMOTION", "app_promotion_type": "APP_RETARGETING"});
    let reply = says_for(again, install);
    assert_eq!(reply["data"]["ios14_targeting"], "ALL");
}

#[test]
fn a_goal_has_its_billing() {
    for (goal, billing, good) in [
        ("CLICK", "CPC", true),
        ("CLICK", "OCPM", false),
        ("REACH", "CPM", true),
        ("SHOW", "CPM", true),
        ("ENGAGED_VIEW", "CPV", true),
        ("ENGAGED_VIEW", "CPM", false),
        ("TRAFFIC_LANDING_PAGE_VIEW", "CPC", true),
        ("TRAFFIC_LANDING_PAGE_VIEW", "OCPM", true),
        ("LEAD_GENERATION", "OCPM", true),
        ("LEAD_GENERATION", "CPC", false),
    ] {
        let reply = says(json!({"optimization_goal": goal, "billing_event": billing}));
        if good {
            assert_eq!(reply["code"], 0, "{goal} {billing}: {reply}");
        } else {
            refused(&reply, "is not supported for optimization_goal");
        }
    }
}

#[test]
fn a_pixel_and_its_event_come_together() {
    let sales = json!({"objective_type": "WEB_CONVERSIONS"});
    let convert = json!({
        "optimization_goal": "CONVERT", "billing_event": "OCPM", "pixel_id": "5", "optimization_event": "SHOPPING",
    });
    assert_eq!(says_for(sales.clone(), convert.clone())["code"], 0);
    let without = |name: &str| but(convert.clone(), json!({name: null}));
    refused(
        &says_for(sales.clone(), without("optimization_event")),
        "optimization_event: Missing",
    );
    refused(
        &says_for(sales.clone(), without("pixel_id")),
        "Please select a pixel.",
    );
    let click = json!({"optimization_event": "SHOPPING"});
    refused(&says_for(sales, click), "pixel_id: Missing");
}

#[test]
fn frequency() {
    let reach = json!({"objective_type": "REACH"});
    let cap = json!({
        "promotion_type": null, "optimization_goal": "REACH", "billing_event": "CPM", "frequency": 3,
        "frequency_schedule": 7,
    });
    assert_eq!(says_for(reach.clone(), cap.clone())["code"], 0);
    for (changes, text) in [
        (json!({"frequency": 1_001}), "between 1 and 1000"),
        (json!({"frequency_schedule": 31}), "between 1 and 30"),
        (json!({"frequency": 1.5}), "between 1 and 1000"),
        (json!({"frequency": null}), "frequency: Missing"),
        (
            json!({"frequency_schedule": null}),
            "frequency_schedule: Missing",
        ),
    ] {
        refused(&says_for(reach.clone(), but(cap.clone(), changes)), text);
    }
    refused(
        &says(json!({"frequency": 1, "frequency_schedule": 1})),
        "REACH",
    );
    let mut bench = Bench::new();
    bench.knob("reach_frequency", "required");
    let campaign = bench.manual_with("c", reach);
    let none = but(cap, json!({"frequency": null, "frequency_schedule": null}));
    let body = but(
        but(ad_group(&campaign, "x"), json!({"promotion_type": null})),
        none,
    );
    let body = but(body, json!({"frequency": null, "frequency_schedule": null}));
    refused(&bench.post("/adgroup/create/", body), "frequency: Missing");
}

#[test]
fn food_in_the_uk() {
    let food = json!({"location_ids": ["2635167"], "is_hfss": true});
    refused(&says(food.clone()), "is_lhf_compliance");
    assert_eq!(
        says(but(food, json!({"is_lhf_compliance": true})))["code"],
        0
    );
    assert_eq!(says(json!({"is_hfss": true}))["code"], 0);
}

#[test]
fn income_is_for_the_us() {
    let income = json!({"household_income": ["TOP5"]});
    refused(&says(income.clone()), "household_income");
    let us = but(income, json!({"location_ids": ["6252001"]}));
    assert_eq!(says(us)["code"], 0);
}

#[test]
fn types_are_checked_down_to_the_last_field() {
    for (changes, text) in [
        (
            json!({"location_ids": ["x"]}),
            "location_ids.0: Not a valid int64 string.",
        ),
        (json!({"age_groups": ["OLD"]}), "age_groups: Must be one of"),
        (json!({"actions": {}}), "actions: Not a valid list."),
        (json!({"actions": [5]}), "actions.0: Not a valid object."),
        (
            json!({"actions": [{"action_period": "7"}]}),
            "actions.0.action_period: Not a valid integer.",
        ),
        (
            json!({"device_price_ranges": ["50"]}),
            "device_price_ranges.0: Not a valid integer.",
        ),
        (json!({"budget": "20"}), "budget: Not a valid number."),
        (
            json!({"campaign_id": 5}),
            "campaign_id: Not a valid string.",
        ),
    ] {
        refused(&says(changes), text);
    }
}
