//! Updates and status calls.

use super::*;

#[test]
fn an_update_changes_only_what_is_sent_and_answers_the_whole() {
    let mut bench = Bench::new();
    let id = bench.manual("a");
    bench.now += 5_000;
    let reply = bench.post(
        "/campaign/update/",
        json!({"campaign_id": id, "budget": 75.5}),
    );
    assert_eq!(reply["data"]["budget"], 75.5);
    assert_eq!(reply["data"]["campaign_name"], "a");
    assert_eq!(reply["data"]["modify_time"], "2026-11-23 12:00:05");
    assert_eq!(reply["data"]["create_time"], "2026-11-23 12:00:00");
    let smart = bench.smart_plus("s");
    let reply = bench.post(
        "/smart_plus/campaign/update/",
        json!({"campaign_id": smart, "campaign_name": "t"}),
    );
    assert_eq!(
        (&reply["data"]["campaign_name"], &reply["data"]["budget"]),
        (&json!("t"), &json!(50.0))
    );
}

#[test]
fn what_cannot_be_updated() {
    let mut bench = Bench::new();
    let id = bench.manual("a");
    bench.manual("b");
    let cases: &[(Value, i64)] = &[
        (json!({}), 40_012),
        (json!({"campaign_name": "a"}), 40_012),
        (json!({"campaign_name": "b"}), 40_002),
        (json!({"objective_type": "REACH", "budget": 80}), 40_002),
        (json!({"budget_mode": "BUDGET_MODE_TOTAL"}), 40_002),
        (json!({"operation_status": "ENABLE", "budget": 80}), 40_002),
        (json!({"budget": 10}), 40_002),
        (json!({"budget": "80"}), 40_002),
        (json!({"special_industries": ["CREDIT"]}), 40_002),
        (json!({"campaign_id": "1", "budget": 80}), 40_002),
        (json!({"campaign_id": "abc", "budget": 80}), 40_002),
        (json!({"campaign_id": 12, "budget": 80}), 40_002),
    ];
    for (change, code) in cases {
        let mut body = json!({ "campaign_id": id });
        body.as_object_mut()
            .unwrap()
            .extend(change.as_object().unwrap().clone());
        let reply = bench.post("/campaign/update/", body);
        assert_eq!(reply["code"], *code, "{change}: {reply}");
    }
    assert_eq!(bench.row(&id)["budget"], 50.0);
    bench.knob("immutable_fields", "ignore");
    bench.knob("update_without_change", "ok");
    assert_eq!(
        bench.post(
            "/campaign/update/",
            json!({"campaign_id": id, "objective_type": "REACH", "budget": 80})
        )["code"],
        0
    );
    let row = bench.row(&id);
    assert_eq!(
        (&row["objective_type"], &row["budget"]),
        (&json!("TRAFFIC"), &json!(80.0))
    );
    assert_eq!(
        bench.post(
            "/campaign/update/",
            json!({"campaign_id": id, "budget": 80})
        )["code"],
        0
    );
}

#[test]
fn special_industries_can_only_be_cleared() {
    let mut bench = Bench::new();
    let mut body = manual("a");
    body["special_industries"] = json!(["HOUSING"]);
    let id = id_of(&bench.post("/campaign/create/", body));
    assert_eq!(
        bench.post(
            "/campaign/update/",
            json!({"campaign_id": id, "special_industries": ["CREDIT"]})
        )["code"],
        40_002
    );
    assert_eq!(
        bench.post(
            "/campaign/update/",
            json!({"campaign_id": id, "special_industries": []})
        )["code"],
        0
    );
    assert_eq!(
        bench.post(
            "/campaign/update/",
            json!({"campaign_id": id, "special_industries": ["HOUSING"]})
        )["code"],
        40_002
    );
}

#[test]
fn r18_a_budget_under_105_percent_of_the_spend_is_refused_or_ignored() {
    let mut bench = Bench::new();
    let mut body = manual("a");
    body["budget"] = json!(200);
    let id = id_of(&bench.post("/campaign/create/", body));
    bench.sandbox.spend(bench.now, &id, 100.0).unwrap();
    let set = |bench: &mut Bench, budget: f64| {
        bench.post(
            "/campaign/update/",
            json!({"campaign_id": id, "budget": budget}),
        )
    };
    let reply = set(&mut bench, 104.99);
    assert_eq!(reply["code"], 40_002);
    assert!(
        reply["message"].as_str().unwrap().ends_with("$105"),
        "{reply}"
    );
    assert_eq!(set(&mut bench, 105.0)["code"], 0);
    bench.knob("budget_below_spend", "ignore");
    let reply = set(&mut bench, 60.0);
    assert_eq!(
        (&reply["code"], &reply["data"]["budget"]),
        (&json!(0), &json!(105.0))
    );
    assert_eq!(bench.row(&id)["budget"], 105.0);
    // Tomorrow nothing is spent of a daily budget.
    bench.now += time::DAY_MS;
    assert_eq!(set(&mut bench, 60.0)["data"]["budget"], 60.0);
}

#[test]
fn a_spent_budget_stops_delivery_until_the_accounts_midnight() {
    let mut bench = Bench::with(NewAccount {
        timezone: "Etc/GMT+8".into(),
        ..NewAccount::default()
    });
    let id = bench.manual("a");
    bench.status(&id, "ENABLE");
    bench.sandbox.spend(bench.now, &id, 50.0).unwrap();
    assert_eq!(
        bench.row(&id)["secondary_status"],
        "CAMPAIGN_STATUS_BUDGET_EXCEED"
    );
    bench.now = time::parse("2026-11-24 07:59:59").unwrap();
    assert_eq!(
        bench.row(&id)["secondary_status"],
        "CAMPAIGN_STATUS_BUDGET_EXCEED"
    );
    bench.now += 1_000;
    assert_eq!(bench.row(&id)["secondary_status"], "CAMPAIGN_STATUS_ENABLE");
}

#[test]
fn a_manual_status_call() {
    let mut bench = Bench::new();
    let (a, b) = (bench.manual("a"), bench.manual("b"));
    let reply = bench.post(
        "/campaign/status/update/",
        json!({"campaign_ids": [a, b], "operation_status": "ENABLE"}),
    );
    assert_eq!(
        reply["data"],
        json!({
            "campaign_ids": [a, b], "status": "ENABLE",
            "campaign_list": [
                {"campaign_id": a, "status": "ENABLE", "postback_window_mode": null},
                {"campaign_id": b, "status": "ENABLE", "postback_window_mode": null},
            ],
        })
    );
    assert_eq!(bench.row(&a)["secondary_status"], "CAMPAIGN_STATUS_ENABLE");
}

#[test]
fn r05_one_bad_id_fails_a_manual_call_and_not_a_smart_plus_one() {
    let mut bench = Bench::new();
    let (a, s) = (bench.manual("a"), bench.smart_plus("s"));
    let body = |good: &str| json!({"campaign_ids": [good, "1800000000000000"], "operation_status": "ENABLE"});
    assert_eq!(
        bench.post("/campaign/status/update/", body(&a))["code"],
        40_002
    );
    assert_eq!(bench.row(&a)["operation_status"], "DISABLE");
    let reply = bench.post("/smart_plus/campaign/status/update/", body(&s));
    assert_eq!(reply["code"], 20_001);
    assert_eq!(
        reply["data"]["campaign_list"],
        json!([{"campaign_id": s, "status": "ENABLE"}])
    );
    assert_eq!(
        reply["data"]["error_list"][0]["campaign_id"],
        "1800000000000000"
    );
    assert!(
        reply["data"]["error_list"][0]["error_message"]
            .as_str()
            .unwrap()
            .contains("does not exist")
    );
    assert_eq!(bench.row(&s)["operation_status"], "ENABLE");
    bench.knob("manual_status_bad_id", "skip");
    let reply = bench.post("/campaign/status/update/", body(&a));
    assert_eq!(
        (&reply["code"], &reply["data"]["campaign_ids"]),
        (&json!(0), &json!([a]))
    );
    bench.knob("smart_plus_partial_code", "0");
    assert_eq!(
        bench.post("/smart_plus/campaign/status/update/", body(&s))["code"],
        0
    );
    bench.knob("smart_plus_status_bad_id", "fail");
    assert_eq!(
        bench.post("/smart_plus/campaign/status/update/", body(&s))["code"],
        40_002
    );
}

#[test]
fn status_calls_take_one_to_twenty_ids() {
    let mut bench = Bench::new();
    let mut made: Vec<String> = (0..20)
        .map(|number| bench.manual(&format!("c{number}")))
        .collect();
    let call = |bench: &mut Bench, ids: &[String]| {
        bench.post(
            "/campaign/status/update/",
            json!({"campaign_ids": ids, "operation_status": "ENABLE"}),
        )["code"]
            .clone()
    };
    assert_eq!(call(&mut bench, &made), 0);
    assert_eq!(call(&mut bench, &[]), 40_002);
    made.push("1".into());
    assert_eq!(call(&mut bench, &made), 40_011);
    bench.knob("too_many_ids_code", "40061");
    assert_eq!(call(&mut bench, &made), 40_061);
    let reply = bench.post(
        "/campaign/status/update/",
        json!({"campaign_ids": [made[0]], "operation_status": "PAUSE"}),
    );
    assert_eq!(
        reply["message"],
        "operation_status: Must be one of: ENABLE, DISABLE, DELETE."
    );
}

#[test]
fn deleted_is_final() {
    let mut bench = Bench::new();
    let id = bench.manual("a");
    assert_eq!(bench.status(&id, "DELETE")["code"], 0);
    for operation in ["ENABLE", "DISABLE", "DELETE"] {
        assert_eq!(bench.status(&id, operation)["code"], 40_002, "{operation}");
    }
    assert_eq!(
        bench.post(
            "/campaign/update/",
            json!({"campaign_id": id, "budget": 80})
        )["code"],
        40_002
    );
    assert!(
        bench
            .sandbox
            .edit_outside(bench.now, &id, &Map::new())
            .is_err()
    );
    assert!(bench.list(json!({"campaign_ids": [id]})).is_empty());
    assert_eq!(bench.row(&id)["secondary_status"], "CAMPAIGN_STATUS_DELETE");
    bench.manual("a");
}

#[test]
fn each_tree_has_its_own_endpoints() {
    let mut bench = Bench::new();
    let (a, s) = (bench.manual("a"), bench.smart_plus("s"));
    assert_eq!(
        bench.post("/campaign/update/", json!({"campaign_id": s, "budget": 80}))["code"],
        40_002
    );
    assert_eq!(
        bench.post(
            "/smart_plus/campaign/update/",
            json!({"campaign_id": a, "budget": 80})
        )["code"],
        40_002
    );
    bench.knob("manual_endpoints_on_smart_plus", "accept");
    bench.knob("smart_plus_endpoints_on_manual", "accept");
    assert_eq!(
        bench.post("/campaign/update/", json!({"campaign_id": s, "budget": 80}))["code"],
        0
    );
    assert_eq!(
        bench.post(
            "/smart_plus/campaign/update/",
            json!({"campaign_id": a, "budget": 80})
        )["code"],
        0
    );
}
