//! Ad groups of the Upgraded Smart+ tree.

use super::*;

const CREATE: &str = "/smart_plus/adgroup/create/";
const UPDATE: &str = "/smart_plus/adgroup/update/";

fn refused(reply: &Value, text: &str) {
    assert_eq!(reply["code"], 40_002, "{reply}");
    let message = reply["message"].as_str().unwrap();
    assert!(message.contains(text), "{message}, not {text}");
}

#[test]
fn what_a_create_needs_and_answers() {
    let mut bench = Bench::new();
    let campaign = bench.smart_plus("c");
    let body = smart_plus_ad_group(&campaign, "x");
    for name in [
        "campaign_id",
        "adgroup_name",
        "promotion_type",
        "targeting_spec",
        "schedule_type",
        "schedule_start_time",
        "optimization_goal",
        "billing_event",
        "request_id",
    ] {
        let reply = bench.post(CREATE, but(body.clone(), json!({name: null})));
        assert_eq!(
            reply["message"],
            format!("{name}: Missing data for required field.")
        );
    }
    let reply = bench.post(CREATE, but(body.clone(), json!({"targeting_spec": {}})));
    refused(&reply, "targeting_spec.location_ids: Missing data");
    let reply = bench.post(CREATE, but(body, json!({"min_budget": 20})));
    let row = reply["data"].as_object().unwrap();
    assert!(row.values().all(|value| !value.is_null()), "{reply}");
    assert_eq!(row["targeting_spec"]["location_ids"], json!(["2921044"]));
    assert_eq!(row["targeting_spec"]["gender"], "GENDER_UNLIMITED");
    assert_eq!(row["schedule_end_time"], "2036-11-23 13:00:00");
    assert_eq!(row["placement_type"], "PLACEMENT_TYPE_AUTOMATIC");
    assert_eq!(row["bid_type"], "BID_TYPE_NO_BID");
    // The campaign's budget is optimised unless it says otherwise.
    assert_eq!(row["budget_mode"], "BUDGET_MODE_INFINITE");
    assert_eq!(row["min_budget"], 20.0);
    let filtering = json!({"adgroup_ids": [row["adgroup_id"]]});
    let list = bench.get("/smart_plus/adgroup/get/", &[("filtering", filtering)]);
    assert_eq!(list["data"]["list"], json!([row]));
}

#[test]
fn without_a_shared_budget_they_have_their_own() {
    let mut bench = Bench::new();
    let body = but(
        smart_plus("c", 1),
        json!({"budget_optimize_on": false, "budget": null}),
    );
    let campaign = id_of(&bench.post("/smart_plus/campaign/create/", body));
    let mut with = |name: &str, changes: Value| {
        bench.post(CREATE, but(smart_plus_ad_group(&campaign, name), changes))
    };
    refused(&with("a", json!({})), "budget_mode: Missing");
    refused(
        &with("b", json!({"budget_mode": "BUDGET_MODE_DAY", "budget": 20})),
        "budget_mode: Must be one of",
    );
    let daily = json!({"budget_mode": "BUDGET_MODE_DYNAMIC_DAILY_BUDGET", "budget": 20});
    let reply = with("c", daily.clone());
    assert_eq!(reply["data"]["budget"], 20.0, "{reply}");
    refused(
        &with("d", but(daily, json!({"budget": 19}))),
        "less than $20",
    );
}

#[test]
fn a_campaign_holds_thirty() {
    let mut bench = Bench::new();
    let campaign = bench.smart_plus("c");
    let first = bench.smart_plus_ad_group(&campaign, "0");
    for name in 1..30 {
        bench.smart_plus_ad_group(&campaign, &name.to_string());
    }
    let reply = bench.post(CREATE, smart_plus_ad_group(&campaign, "30"));
    refused(&reply, "30 ad groups");
    let delete = json!({"adgroup_ids": [first], "operation_status": "DELETE"});
    bench.post("/smart_plus/adgroup/status/update/", delete);
    bench.smart_plus_ad_group(&campaign, "30");
}

#[test]
fn bids_are_shared_by_all_ad_groups_of_a_campaign() {
    for (value, after_create, after_update) in [
        ("copied", 3.0, 4.0),
        ("copied_on_update", 2.0, 4.0),
        ("own", 2.0, 2.0),
    ] {
        let mut bench = Bench::new();
        bench.knob("smart_plus_bids", value);
        let (campaign, other) = (bench.smart_plus("c"), bench.smart_plus("o"));
        let with = |bench: &mut Bench, campaign: &str, name: &str, bid: f64| {
            let body = but(
                smart_plus_ad_group(campaign, name),
                json!({"bid_type": "BID_TYPE_CUSTOM", "conversion_bid_price": bid}),
            );
            made(&bench.post(CREATE, body), "adgroup_id")
        };
        let bid = |bench: &mut Bench, id: &str| {
            bench.row_of(Level::AdGroup, id)["conversion_bid_price"].clone()
        };
        let bystander = with(&mut bench, &other, "x", 1.0);
        let first = with(&mut bench, &campaign, "x", 2.0);
        let second = with(&mut bench, &campaign, "y", 3.0);
        assert_eq!(bid(&mut bench, &first), after_create, "{value}");
        assert_eq!(bid(&mut bench, &second), 3.0);
        let body = json!({"adgroup_id": second, "conversion_bid_price": 4});
        assert_eq!(
            bench.post(UPDATE, body)["data"]["conversion_bid_price"],
            4.0
        );
        assert_eq!(bid(&mut bench, &first), after_update, "{value}");
        assert_eq!(bid(&mut bench, &bystander), 1.0);
        // One without a bid asks for none.
        let renamed = json!({"adgroup_id": first, "adgroup_name": "z"});
        assert_eq!(bench.post(UPDATE, renamed)["code"], 0);
        assert_eq!(bid(&mut bench, &second), 4.0);
    }
}

#[test]
fn an_update_changes_what_it_says() {
    for (value, languages) in [("replace", json!(null)), ("merge", json!(["de"]))] {
        let mut bench = Bench::new();
        bench.knob("smart_plus_targeting_update", value);
        let campaign = bench.smart_plus("c");
        let spec = json!({"location_ids": ["2921044"], "languages": ["de"]});
        let body = but(
            smart_plus_ad_group(&campaign, "x"),
            json!({"targeting_spec": spec}),
        );
        let id = made(&bench.post(CREATE, body), "adgroup_id");
        let renamed = bench.post(UPDATE, json!({"adgroup_id": id, "adgroup_name": "y"}));
        assert_eq!(
            renamed["data"]["targeting_spec"]["languages"],
            json!(["de"])
        );
        let spec = json!({"location_ids": ["6252001"]});
        let reply = bench.post(UPDATE, json!({"adgroup_id": id, "targeting_spec": spec}));
        assert_eq!(reply["data"]["targeting_spec"]["languages"], languages);
        let ages = &reply["data"]["targeting_spec"]["age_groups"];
        assert_eq!(ages.as_array().unwrap().len(), 5);
        assert_eq!(reply["data"]["adgroup_name"], "y");
        let spec = json!({"location_ids": ["2921044"]});
        let reply = bench.post(UPDATE, json!({"adgroup_id": id, "targeting_spec": spec}));
        refused(&reply, "cannot be removed");
        let reply = bench.post(
            UPDATE,
            json!({"adgroup_id": id, "promotion_type": "APP_IOS"}),
        );
        refused(&reply, "promotion_type: This field cannot be updated.");
    }
}

#[test]
fn status_calls_have_an_error_list() {
    let mut bench = Bench::new();
    let campaign = bench.smart_plus("c");
    let id = bench.smart_plus_ad_group(&campaign, "x");
    let body = json!({"adgroup_ids": [id, "1"], "operation_status": "ENABLE"});
    let reply = bench.post("/smart_plus/adgroup/status/update/", body);
    assert_eq!(reply["code"], 20_001);
    assert_eq!(
        reply["data"]["adgroup_list"],
        json!([{"adgroup_id": id, "status": "ENABLE"}])
    );
    assert_eq!(reply["data"]["error_list"][0]["adgroup_id"], "1");
    // The manual endpoint has nothing to do with it.
    assert_eq!(
        bench.operate(Level::AdGroup, &id, "DISABLE")["code"],
        40_002
    );
}

#[test]
fn manual_lists_show_them_too_and_do_not_say_what_they_are() {
    let mut bench = Bench::new();
    let campaign = bench.smart_plus("c");
    let id = bench.smart_plus_ad_group(&campaign, "x");
    let row = bench.row_of(Level::AdGroup, &id);
    assert_eq!(row["adgroup_name"], "x");
    assert_eq!(row["campaign_id"], campaign);
    assert_eq!(row["location_ids"], json!(["2921044"]));
    for name in ["campaign_automation_type", "targeting_spec"] {
        assert!(row.get(name).is_none(), "{name}");
    }
    bench.knob("manual_lists_smart_plus", "false");
    assert_eq!(bench.row_of(Level::AdGroup, &id), Value::Null);
    // And the other way round never.
    let manual = bench.manual("m");
    let manual = bench.ad_group(&manual, "y");
    let list = bench.get("/smart_plus/adgroup/get/", &[]);
    assert_eq!(list["data"]["page_info"]["total_number"], 1);
    assert_ne!(list["data"]["list"][0]["adgroup_id"], manual);
}
