//! Lists: filters, pages, columns, what is hidden.

use super::*;

#[test]
fn pages_are_newest_first_and_count_everything() {
    let mut bench = Bench::new();
    let made: Vec<String> = (0..23)
        .map(|number| bench.manual(&format!("c{number}")))
        .collect();
    let reply = bench.get("/campaign/get/", &[]);
    assert_eq!(
        reply["data"]["page_info"],
        json!({"page": 1, "page_size": 10, "total_number": 23, "total_page": 3})
    );
    let mut seen = Vec::new();
    for page in 1..=3 {
        seen.extend(ids(&bench.get("/campaign/get/", &[("page", json!(page))])));
    }
    assert_eq!(seen, made.into_iter().rev().collect::<Vec<_>>());
    assert!(ids(&bench.get("/campaign/get/", &[("page", json!(4))])).is_empty());
    for (name, value) in [
        ("page_size", json!(0)),
        ("page_size", json!(1001)),
        ("page", json!(0)),
        ("page", json!("x")),
    ] {
        assert_eq!(
            bench.get("/campaign/get/", &[(name, value)])["code"],
            40_002
        );
    }
}

#[test]
fn r29_manual_lists_also_return_smart_plus_campaigns() {
    let mut bench = Bench::new();
    let manual = bench.manual("m");
    let smart = bench.smart_plus("s");
    assert_eq!(bench.list(json!({})), [smart.clone(), manual.clone()]);
    assert_eq!(
        bench.row(&smart)["campaign_automation_type"],
        "UPGRADED_SMART_PLUS"
    );
    assert_eq!(bench.row(&manual)["campaign_automation_type"], "MANUAL");
    assert_eq!(
        bench.list(json!({"campaign_automation_type": "MANUAL"})),
        std::slice::from_ref(&manual)
    );
    assert_eq!(ids(&bench.get("/smart_plus/campaign/get/", &[])), [smart]);
    bench.knob("manual_lists_smart_plus", "false");
    assert_eq!(bench.list(json!({})), [manual]);
    bench.knob("smart_plus_page_size_max", "100");
    assert_eq!(
        bench.get("/smart_plus/campaign/get/", &[("page_size", json!(101))])["code"],
        40_002
    );
    assert_eq!(
        bench.get("/smart_plus/campaign/get/", &[("page_size", json!(100))])["code"],
        0
    );
}

#[test]
fn filters() {
    let mut bench = Bench::new();
    let a = bench.manual("Summer sale");
    bench.now += 60_000;
    let mut body = manual("Winter sale");
    body["objective_type"] = json!("REACH");
    body["operation_status"] = json!("ENABLE");
    let b = id_of(&bench.post("/campaign/create/", body));
    let c = bench.manual("Gone");
    bench.status(&c, "DELETE");
    let (a, b, c) = (a.as_str(), b.as_str(), c.as_str());
    let cases: &[(Value, &[&str])] = &[
        (json!({}), &[b, a]),
        (Value::Null, &[b, a]),
        (json!({"campaign_ids": [a, c]}), &[a]),
        (
            json!({"campaign_ids": [a, c], "primary_status": "STATUS_ALL"}),
            &[c, a],
        ),
        (json!({"primary_status": "STATUS_DELETE"}), &[c]),
        (json!({"primary_status": "STATUS_NOT_DELETE"}), &[b, a]),
        (json!({"primary_status": "STATUS_DISABLE"}), &[a]),
        (json!({"primary_status": "STATUS_DELIVERY_OK"}), &[b]),
        (json!({"primary_status": "STATUS_NOT_DELIVERY"}), &[]),
        (json!({"secondary_status": "CAMPAIGN_STATUS_DISABLE"}), &[a]),
        (json!({"secondary_status": "CAMPAIGN_STATUS_DELETE"}), &[c]),
        (json!({"campaign_name": "SALE"}), &[b, a]),
        (json!({"campaign_name": "summer"}), &[a]),
        (json!({"objective_type": "REACH"}), &[b]),
        (json!({"campaign_type": "IOS14_CAMPAIGN"}), &[]),
        (
            json!({"creation_filter_start_time": "2026-11-23 12:01:00"}),
            &[b],
        ),
        (
            json!({"creation_filter_end_time": "2026-11-23 12:00:59"}),
            &[a],
        ),
        (json!({"campaign_system_origins": ["PROMOTE"]}), &[]),
        (json!({"buying_types": ["RESERVATION_RF"]}), &[]),
        (json!({"is_smart_performance_campaign": "False"}), &[b, a]),
        (json!({"is_smart_performance_campaign": true}), &[]),
        (json!({"split_test_enabled": true}), &[]),
    ];
    for (filtering, wanted) in cases {
        assert_eq!(bench.list(filtering.clone()), *wanted, "{filtering}");
    }
    for wrong in [
        json!({"primary_status": "STATUS_GONE"}),
        json!({"secondary_status": "ADGROUP_STATUS_DELETE"}),
        json!({"creation_filter_start_time": "soon"}),
        json!({"campaign_ids": ["12x"]}),
        json!({"campaign_ids": [12]}),
        json!({"campaign_nam": "x"}),
        json!([]),
    ] {
        assert_eq!(
            bench.get("/campaign/get/", &[("filtering", wrong.clone())])["code"],
            40_002,
            "{wrong}"
        );
    }
    let many: Vec<String> = (0..101).map(|id| id.to_string()).collect();
    assert_eq!(
        bench.get(
            "/campaign/get/",
            &[("filtering", json!({"campaign_ids": many}))]
        )["code"],
        40_011
    );
    assert_eq!(
        bench.get(
            "/campaign/get/",
            &[("filtering", json!({"campaign_ids": many[..100]}))]
        )["code"],
        0
    );
}

#[test]
fn columns() {
    let mut bench = Bench::new();
    bench.manual("a");
    let row = bench.get(
        "/campaign/get/",
        &[("fields", json!(["campaign_id", "budget"]))],
    )["data"]["list"][0]
        .clone();
    assert_eq!(keys(&row), ["budget", "campaign_id"]);
    let reply = bench.get(
        "/campaign/get/",
        &[("fields", json!(["campaign_id", "thumbnail_url"]))],
    );
    assert_eq!(reply["code"], 40_002);
    let text = reply["message"].as_str().unwrap();
    assert!(
        text.contains("fields.1")
            && text.contains("not acceptable")
            && text.ends_with("error is thumbnail_url"),
        "{text}"
    );
    let row = bench.get("/campaign/get/", &[])["data"]["list"][0].clone();
    assert_eq!(row["app_id"], Value::Null);
    assert!(row.get("app_id").is_some(), "nulls are present");
    assert!(
        row.get("budget_optimize_on").is_none(),
        "only of CBO campaigns"
    );
    let row = bench.get(
        "/campaign/get/",
        &[("exclude_field_types_in_response", json!(["NULL_FIELD"]))],
    )["data"]["list"][0]
        .clone();
    assert!(
        row.as_object()
            .unwrap()
            .values()
            .all(|value| !value.is_null())
    );
    // A column of one tree is none of the other.
    assert_eq!(
        bench.get(
            "/campaign/get/",
            &[("fields", json!(["smart_plus_adgroup_mode"]))]
        )["code"],
        40_002
    );
    assert_eq!(
        bench.get(
            "/smart_plus/campaign/get/",
            &[("fields", json!(["rf_campaign_type"]))]
        )["code"],
        40_002
    );
}

#[test]
fn what_comes_late() {
    let mut bench = Bench::new();
    let id = bench.manual("a");
    bench.knob("listing_lag_seconds", "10");
    bench.now += 9_999;
    assert!(bench.list(json!({})).is_empty());
    assert!(bench.list(json!({"campaign_name": "a"})).is_empty());
    assert_eq!(
        bench.list(json!({"campaign_ids": [id]})),
        std::slice::from_ref(&id)
    );
    bench.knob("lookup_lag_seconds", "20");
    assert!(bench.list(json!({"campaign_ids": [id]})).is_empty());
    bench.now += 1;
    assert_eq!(bench.list(json!({})), std::slice::from_ref(&id));
    bench.now += 60_000;
    bench.knob("edit_lag_seconds", "5");
    bench.post(
        "/campaign/update/",
        json!({"campaign_id": id, "budget": 80}),
    );
    bench.now += 4_999;
    assert_eq!(bench.row(&id)["budget"], 50.0);
    bench.now += 1;
    assert_eq!(bench.row(&id)["budget"], 80.0);
    bench.knob("edit_lag_seconds", "0");
    bench.knob("secondary_status_lag_seconds", "30");
    bench.status(&id, "ENABLE");
    let row = bench.row(&id);
    assert_eq!(
        (&row["operation_status"], &row["secondary_status"]),
        (&json!("ENABLE"), &json!("CAMPAIGN_STATUS_DISABLE"))
    );
    bench.now += 30_000;
    assert_eq!(bench.row(&id)["secondary_status"], "CAMPAIGN_STATUS_ENABLE");
}

#[test]
fn an_accounts_trouble_shows_on_its_campaigns() {
    let mut bench = Bench::new();
    let id = bench.manual("a");
    for (status, secondary) in [
        ("STATUS_LIMIT", "ADVERTISER_ACCOUNT_PUNISH"),
        ("STATUS_PENDING_CONFIRM", "CAMPAIGN_STATUS_ADVERTISER_AUDIT"),
        (
            "STATUS_CONFIRM_FAIL",
            "CAMPAIGN_STATUS_ADVERTISER_AUDIT_DENY",
        ),
        ("STATUS_CONTRACT_PENDING", "ADVERTISER_CONTRACT_PENDING"),
        ("STATUS_ENABLE", "CAMPAIGN_STATUS_DISABLE"),
    ] {
        bench
            .sandbox
            .set_account_status(bench.now, &bench.account.advertiser_id, status, "")
            .unwrap();
        assert_eq!(bench.row(&id)["secondary_status"], secondary);
    }
    bench
        .sandbox
        .set_account_status(bench.now, &bench.account.advertiser_id, "STATUS_LIMIT", "")
        .unwrap();
    bench.knob("status_precedence", "disable_first");
    assert_eq!(
        bench.row(&id)["secondary_status"],
        "CAMPAIGN_STATUS_DISABLE"
    );
}

/// The columns as the reference lists them: of the manual tree in its table of read fields, of Smart+ in the gateway's
/// own response rule (and the two of automatic budget increase).
#[test]
fn the_columns_are_the_references() {
    let manual = "advertiser_id, campaign_id, campaign_system_origin, is_search_campaign, \
        is_smart_performance_campaign, campaign_automation_type, campaign_name, campaign_type, postback_window_mode, \
        app_id, budget, budget_mode, rta_id, rta_bid_enabled, rta_product_selection_enabled, secondary_status, \
        operation_status, objective, objective_type, app_promotion_type, virtual_objective_type, sales_destination, \
        campaign_product_source, budget_optimize_on, bid_type, optimization_goal, deep_bid_type, roas_bid, \
        is_new_structure, create_time, modify_time, is_advanced_dedicated_campaign, disable_skan_campaign, \
        bid_align_type, campaign_app_profile_page_state, special_industries, rf_campaign_type, po_number";
    let smart_plus = "advertiser_id, app_id, app_promotion_type, bid_align_type, budget, budget_mode, \
        budget_optimize_on, campaign_app_profile_page_state, campaign_id, campaign_name, campaign_type, \
        catalog_enabled, catalog_type, create_time, disable_skan_campaign, is_advanced_dedicated_campaign, \
        is_promotional_campaign, modify_time, objective_type, operation_status, po_number, postback_window_mode, \
        sales_destination, secondary_status, smart_plus_adgroup_mode, special_industries, current_budget, \
        budget_auto_adjust_strategy";
    let mut bench = Bench::new();
    for (path, columns) in [
        ("/campaign/get/", manual),
        ("/smart_plus/campaign/get/", smart_plus),
    ] {
        let columns: Vec<&str> = columns.split(", ").collect();
        let reply = bench.get(path, &[("fields", json!(columns))]);
        assert_eq!(reply["code"], 0, "{reply}");
    }
    let columns: Vec<&str> = manual.split(", ").collect();
    let mut known = crate::sandbox::fields::MANUAL_COLUMNS.to_vec();
    let mut wanted = columns.clone();
    known.sort_unstable();
    wanted.sort_unstable();
    assert_eq!(known, wanted);
}

#[test]
fn campaigns_of_the_old_smart_plus_keep_their_type() {
    let mut bench = Bench::new();
    let fields = Map::from_iter([("campaign_automation_type".to_owned(), json!("SMART_PLUS"))]);
    let id = bench.id();
    bench
        .sandbox
        .insert_outside(bench.now, &id, Tree::Manual, fields)
        .unwrap();
    assert_eq!(
        bench
            .list(json!({"campaign_automation_type": "SMART_PLUS"}))
            .len(),
        1
    );
    assert!(
        bench
            .list(json!({"campaign_automation_type": ["MANUAL", "UPGRADED_SMART_PLUS"]}))
            .is_empty()
    );
}
