//! Smart+ creates and dedicated campaigns.

use super::*;

#[test]
fn smart_plus_has_cbo_by_default_and_no_nulls() {
    let mut bench = Bench::new();
    let mut body = smart_plus("s", 1);
    body["is_advanced_dedicated_campaign"] = json!(true);
    let reply = bench.post("/smart_plus/campaign/create/", body);
    let data = &reply["data"];
    assert_eq!(data["budget_optimize_on"], true);
    assert_eq!(data["budget_mode"], "BUDGET_MODE_DYNAMIC_DAILY_BUDGET");
    assert_eq!(data["secondary_status"], "CAMPAIGN_STATUS_DISABLE");
    assert!(
        data.as_object()
            .unwrap()
            .values()
            .all(|value| !value.is_null()),
        "{data}"
    );
    assert!(data.get("is_advanced_dedicated_campaign").is_none());
    // Without CBO the money is the ad groups'.
    let mut body = smart_plus("t", 2);
    body["budget_optimize_on"] = json!(false);
    body["budget"] = Value::Null;
    let data = bench.post("/smart_plus/campaign/create/", body)["data"].clone();
    assert_eq!(
        (&data["budget_mode"], &data["budget"]),
        (&json!("BUDGET_MODE_INFINITE"), &json!(0.0))
    );
}

#[test]
fn smart_plus_needs_a_key_and_one_of_three_objectives() {
    let mut bench = Bench::new();
    let mut body = smart_plus("s", 1);
    body["request_id"] = Value::Null;
    assert_eq!(
        bench.post("/smart_plus/campaign/create/", body)["message"],
        "request_id: Missing data for required field."
    );
    let mut body = smart_plus("s", 1);
    body["objective_type"] = json!("TRAFFIC");
    assert_eq!(
        bench.post("/smart_plus/campaign/create/", body)["message"],
        "objective_type: Must be one of: APP_PROMOTION, WEB_CONVERSIONS, LEAD_GENERATION."
    );
}

#[test]
fn automatic_budget_increase_raises_the_current_budget_only() {
    let mut bench = Bench::new();
    let mut body = smart_plus("s", 1);
    body["budget_auto_adjust_strategy"] = json!("AUTO_BUDGET_INCREASE");
    let id = id_of(&bench.post("/smart_plus/campaign/create/", body.clone()));
    bench.sandbox.spend(bench.now, &id, 45.0).unwrap();
    let row = bench.get("/smart_plus/campaign/get/", &[])["data"]["list"][0].clone();
    assert_eq!(
        (&row["budget"], &row["current_budget"]),
        (&json!(50.0), &json!(60.0))
    );
    bench.sandbox.spend(bench.now, &id, 1_000.0).unwrap();
    let row = bench.get("/smart_plus/campaign/get/", &[])["data"]["list"][0].clone();
    assert_eq!(
        row["current_budget"],
        json!(309.59),
        "ten times 20 % and no more"
    );
    bench
        .sandbox
        .spend(bench.now + time::DAY_MS, &id, 1.0)
        .unwrap();
    let row = bench.get("/smart_plus/campaign/get/", &[])["data"]["list"][0].clone();
    assert_eq!(
        row["current_budget"],
        json!(50.0),
        "a new day starts from the budget"
    );
    bench.post(
        "/smart_plus/campaign/update/",
        json!({"campaign_id": id, "budget": 70}),
    );
    let row = bench.get("/smart_plus/campaign/get/", &[])["data"]["list"][0].clone();
    assert_eq!(
        (&row["budget"], &row["current_budget"]),
        (&json!(70.0), &json!(70.0))
    );
    bench.knob("allowlist", "");
    body["request_id"] = json!("2");
    assert_eq!(
        bench.post("/smart_plus/campaign/create/", body)["code"],
        40_118
    );
}

fn dedicated(name: &str) -> Value {
    let mut body = manual(name);
    body["objective_type"] = json!("APP_PROMOTION");
    body["app_promotion_type"] = json!("APP_INSTALL");
    body["campaign_type"] = json!("IOS14_CAMPAIGN");
    body["app_id"] = json!("77");
    body
}

#[test]
fn r07_the_postback_window_is_fixed_once() {
    let mut bench = Bench::new();
    let mut body = dedicated("a");
    body["operation_status"] = json!("ENABLE");
    let id = id_of(&bench.post("/campaign/create/", body));
    let regular = bench.manual("regular");
    let change = |bench: &mut Bench, ids: &[&str], operation: &str, mode: &str| {
        bench.post(
            "/campaign/status/update/",
            json!({"campaign_ids": ids, "operation_status": operation, "postback_window_mode": mode}),
        )
    };
    assert_eq!(
        change(&mut bench, &[&id], "ENABLE", "POSTBACK_WINDOW_MODE2")["code"],
        40_002
    );
    assert_eq!(
        change(
            &mut bench,
            &[&id, &regular],
            "DISABLE",
            "POSTBACK_WINDOW_MODE2"
        )["code"],
        40_002
    );
    let reply = change(&mut bench, &[&id], "DISABLE", "POSTBACK_WINDOW_MODE2");
    assert_eq!(
        reply["data"]["campaign_list"],
        json!([{"campaign_id": id, "status": "DISABLE", "postback_window_mode": "POSTBACK_WINDOW_MODE2"}])
    );
    assert_eq!(
        bench.row(&id)["secondary_status"],
        "CAMPAIGN_STATUS_AWAITING_RELEASE"
    );
    bench.status(&id, "ENABLE");
    change(&mut bench, &[&id], "DISABLE", "POSTBACK_WINDOW_MODE3");
    assert_eq!(
        bench.row(&id)["postback_window_mode"],
        "POSTBACK_WINDOW_MODE2"
    );
    bench.now += 13 * time::DAY_MS - 1;
    assert_eq!(
        bench.row(&id)["secondary_status"],
        "CAMPAIGN_STATUS_AWAITING_RELEASE"
    );
    bench.now += 1;
    assert_eq!(
        bench.row(&id)["secondary_status"],
        "CAMPAIGN_STATUS_DISABLE"
    );
}

#[test]
fn dedicated_campaigns_have_a_quota() {
    let mut bench = Bench::new();
    bench.knob("dedicated_quota", "1");
    let id = id_of(&bench.post("/campaign/create/", dedicated("a")));
    assert_eq!(
        bench.row(&id)["postback_window_mode"],
        "POSTBACK_WINDOW_MODE1"
    );
    let reply = bench.post("/campaign/create/", dedicated("b"));
    assert!(
        reply["message"].as_str().unwrap().contains("quota"),
        "{reply}"
    );
    let mut free = dedicated("c");
    free["disable_skan_campaign"] = json!(true);
    assert_eq!(bench.post("/campaign/create/", free)["code"], 0);
}
