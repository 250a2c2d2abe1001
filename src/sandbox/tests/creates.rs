//! Creates in both trees against what the reference says.

use super::*;

/// The official example of a TRAFFIC campaign has exactly these fields.
#[test]
fn the_create_answer_has_the_official_examples_fields() {
    let mut bench = Bench::new();
    let reply = bench.post(
        "/campaign/create/",
        json!({"objective_type": "TRAFFIC", "campaign_name": "Spring", "budget_mode": "BUDGET_MODE_TOTAL", "budget": 100}),
    );
    let id = reply["data"]["campaign_id"].clone();
    assert_eq!(id.as_str().unwrap().len(), 16);
    assert_eq!(reply["message"], "OK");
    assert_eq!(
        reply["data"],
        json!({
            "budget_mode": "BUDGET_MODE_TOTAL", "is_search_campaign": false, "is_smart_performance_campaign": false,
            "secondary_status": "CAMPAIGN_STATUS_ENABLE", "objective": "LANDING_PAGE", "campaign_id": id,
            "create_time": "2026-11-23 12:00:00", "campaign_type": "REGULAR_CAMPAIGN", "roas_bid": 0.0,
            "is_new_structure": true, "deep_bid_type": null, "budget": 100.0, "operation_status": "ENABLE",
            "modify_time": "2026-11-23 12:00:00", "campaign_name": "Spring", "objective_type": "TRAFFIC",
            "advertiser_id": bench.id(),
        })
    );
}

#[test]
fn the_envelope_is_tiktoks() {
    let mut bench = Bench::new();
    let answer = bench.send(
        "GET",
        "/campaign/get/",
        &format!("advertiser_id={}", bench.id()),
        b"",
    );
    let response = answer.reply().unwrap();
    let log_id = response.json()["request_id"].as_str().unwrap().to_owned();
    assert_eq!(log_id.len(), 34);
    assert!(log_id.starts_with("20261123120000"));
    let header = |name: &str| {
        response
            .headers
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    };
    assert_eq!(header("X-Tt-Logid"), Some(log_id.as_str()));
    assert_eq!(header("Date"), Some("Mon, 23 Nov 2026 12:00:00 GMT"));
    assert_eq!(header("Content-Type"), Some("application/json"));
    let reply = bench.post("/campaign/create/", json!({}));
    assert_eq!(reply["data"], json!({}));
    assert_eq!(keys(&reply), ["code", "data", "message", "request_id"]);
    assert_eq!(reply["code"], 40_002);
    assert_eq!(
        reply["message"],
        "campaign_name: Missing data for required field."
    );
}

#[test]
fn the_gateway_answers_unknown_paths_itself() {
    let mut bench = Bench::new();
    for path in [
        "/campaign/get",
        "/campaign/delete/",
        "/nothing/",
        "//campaign/get/",
    ] {
        let answer = bench.send("GET", path, "", b"");
        let response = answer.reply().unwrap();
        assert_eq!(
            (response.status, response.body.as_slice()),
            (404, b"404 page not found".as_slice()),
            "{path}"
        );
    }
    assert_eq!(
        bench
            .send("GET", "/campaign/create/", "", b"")
            .reply()
            .unwrap()
            .status,
        405
    );
}

/// Texts seen live.
#[test]
fn live_texts() {
    let mut bench = Bench::with(NewAccount {
        currency: "GBP".into(),
        ..NewAccount::default()
    });
    bench.manual("Taken");
    let reply = bench.post("/campaign/create/", manual("Taken"));
    assert_eq!(
        (&reply["code"], &reply["message"]),
        (
            &json!(40_002),
            &json!("Campaign name already exists. Please try another one.")
        )
    );
    let mut body = manual("Cheap");
    body["budget"] = json!(49.99);
    let reply = bench.post("/campaign/create/", body);
    assert_eq!(
        (&reply["code"], &reply["message"]),
        (
            &json!(40_002),
            &json!("Your budget setting must not be less than £50")
        )
    );
}

#[test]
fn budget_floors_ceilings_and_decimals_by_currency() {
    for (currency, budget, wanted) in [
        ("USD", 50.0, Ok(())),
        (
            "USD",
            49.0,
            Err("Your budget setting must not be less than $50"),
        ),
        ("USD", 50.25, Ok(())),
        (
            "USD",
            50.255,
            Err("budget: At most two decimals are allowed."),
        ),
        (
            "USD",
            10_000_000.0,
            Err("Your budget setting must be less than $10000000"),
        ),
        ("USD", 9_999_999.99, Ok(())),
        (
            "JPY",
            4_999.0,
            Err("Your budget setting must not be less than ¥5000"),
        ),
        ("JPY", 5_000.0, Ok(())),
        (
            "JPY",
            5_000.5,
            Err("budget: Decimals are not allowed for currency JPY."),
        ),
        (
            "KRW",
            49_999.0,
            Err("Your budget setting must not be less than ₩50000"),
        ),
        (
            "IDR",
            499_999.0,
            Err("Your budget setting must not be less than Rp500000"),
        ),
        ("VND", 500_000.0, Ok(())),
        (
            "RUB",
            4_999.0,
            Err("Your budget setting must not be less than ₽5000"),
        ),
    ] {
        let mut bench = Bench::with(NewAccount {
            currency: currency.into(),
            ..NewAccount::default()
        });
        let mut body = manual("a");
        body["budget"] = json!(budget);
        let reply = bench.post("/campaign/create/", body);
        let got = if reply["code"] == 0 {
            Ok(())
        } else {
            Err(reply["message"].as_str().unwrap())
        };
        assert_eq!(got, wanted, "{currency} {budget}");
    }
}

#[test]
fn wrong_creates_are_refused() {
    let cases: &[(&str, Value, &str)] = &[
        (
            "a number as text",
            json!({"budget": "50"}),
            "budget: Not a valid number.",
        ),
        (
            "no budget",
            json!({"budget": null}),
            "budget: Missing data for required field.",
        ),
        (
            "no mode",
            json!({"budget_mode": null}),
            "budget_mode: Missing data for required field.",
        ),
        (
            "an old objective",
            json!({"objective_type": "CONVERSIONS"}),
            "objective_type: Must be one of",
        ),
        (
            "read-only objective",
            json!({"objective_type": "TOPVIEW_REACH"}),
            "objective_type: Must be one of",
        ),
        (
            "an emoji",
            json!({"campaign_name": "Sale 🔥"}),
            "Emoji is not supported",
        ),
        (
            "too long",
            json!({"campaign_name": "夏".repeat(257)}),
            "Longer than maximum length 512",
        ),
        (
            "a key that is no number",
            json!({"request_id": "abc"}),
            "request_id: Not a valid int64 string.",
        ),
        (
            "an id that is a number",
            json!({"app_id": 5}),
            "app_id: Not a valid string.",
        ),
        (
            "an app without its type",
            json!({"objective_type": "APP_PROMOTION"}),
            "app_promotion_type: Missing data",
        ),
        (
            "CBO without a budget",
            json!({"budget_optimize_on": true, "budget_mode": "BUDGET_MODE_INFINITE"}),
            "BUDGET_MODE_INFINITE is not supported",
        ),
        (
            "a boolean as text",
            json!({"budget_optimize_on": "true"}),
            "budget_optimize_on: Not a valid boolean.",
        ),
        (
            "an industry",
            json!({"special_industries": ["CARS"]}),
            "special_industries: Must be one of",
        ),
        (
            "dedicated traffic",
            json!({"campaign_type": "IOS14_CAMPAIGN"}),
            "IOS14_CAMPAIGN is not supported",
        ),
        (
            "a window on a regular one",
            json!({"postback_window_mode": "POSTBACK_WINDOW_MODE1"}),
            "only supported for Dedicated",
        ),
    ];
    for (what, change, text) in cases {
        let mut bench = Bench::new();
        let mut body = manual("a");
        body.as_object_mut()
            .unwrap()
            .extend(change.as_object().unwrap().clone());
        let reply = bench.post("/campaign/create/", body);
        assert_eq!(reply["code"], 40_002, "{what}: {reply}");
        assert!(
            reply["message"].as_str().unwrap().contains(text),
            "{what}: {reply}"
        );
        assert!(
            bench
                .list(json!({"primary_status": "STATUS_ALL"}))
                .is_empty(),
            "{what}"
        );
    }
}

#[test]
fn allow_listed_things_are_refused_with_40118() {
    let mut bench = Bench::new();
    let mut body = manual("a");
    body["objective_type"] = json!("RF_REACH");
    body["budget_mode"] = json!("BUDGET_MODE_INFINITE");
    assert_eq!(
        bench.post("/campaign/create/", body.clone())["code"],
        40_118
    );
    let mut dynamic = manual("b");
    dynamic["objective_type"] = json!("REACH");
    dynamic["budget_mode"] = json!("BUDGET_MODE_DYNAMIC_DAILY_BUDGET");
    assert_eq!(
        bench.post("/campaign/create/", dynamic.clone())["code"],
        40_118
    );
    bench.knob("allowlist", "RF_REACH, DYNAMIC_DAILY");
    assert_eq!(bench.post("/campaign/create/", body)["code"], 0);
    assert_eq!(bench.post("/campaign/create/", dynamic)["code"], 0);
}

#[test]
fn r12_manual_creation_ends_for_four_objectives() {
    let mut bench = Bench::new();
    let create = |bench: &mut Bench, objective: &str, name: &str| {
        let mut body = manual(name);
        body["objective_type"] = json!(objective);
        body["app_promotion_type"] = json!("APP_INSTALL");
        body["campaign_product_source"] = json!("CATALOG");
        bench.post("/campaign/create/", body)
    };
    let ending = [
        "PRODUCT_SALES",
        "WEB_CONVERSIONS",
        "APP_PROMOTION",
        "LEAD_GENERATION",
    ];
    for objective in ending {
        assert_eq!(
            create(&mut bench, objective, objective)["code"],
            0,
            "{objective}"
        );
    }
    bench.now = time::parse("2026-12-31 23:59:59").unwrap();
    assert_eq!(create(&mut bench, "LEAD_GENERATION", "last")["code"], 0);
    bench.now += 1_000;
    for objective in ending {
        let reply = create(&mut bench, objective, "new");
        assert_eq!(reply["code"], 40_002);
        assert!(
            reply["message"]
                .as_str()
                .unwrap()
                .contains("/smart_plus/campaign/create/"),
            "{reply}"
        );
    }
    for objective in ["TRAFFIC", "REACH", "VIDEO_VIEWS", "ENGAGEMENT"] {
        assert_eq!(
            create(&mut bench, objective, objective)["code"],
            0,
            "{objective}"
        );
    }
    // What exists can still be changed.
    let id = bench.list(json!({"objective_type": "LEAD_GENERATION"}))[0].clone();
    assert_eq!(
        bench.post(
            "/campaign/update/",
            json!({"campaign_id": id, "budget": 60})
        )["code"],
        0
    );
    bench.knob("manual_cutoff", "never");
    assert_eq!(create(&mut bench, "LEAD_GENERATION", "again")["code"], 0);
}

/// Every field of the reference's create table, in both trees, is taken and (where a list shows it) read back.
#[test]
fn every_field_of_a_create_is_read_back() {
    let mut bench = Bench::new();
    let sent = json!({
        "campaign_name": "all", "objective_type": "PRODUCT_SALES", "request_id": "9", "operation_status": "ENABLE",
        "budget_mode": "BUDGET_MODE_DAY", "budget": 60.5, "budget_optimize_on": true,
        "campaign_type": "REGULAR_CAMPAIGN", "app_id": "77", "special_industries": ["HOUSING"],
        "sales_destination": "WEBSITE", "campaign_product_source": "CATALOG", "virtual_objective_type": "SALES",
        "is_search_campaign": false, "bid_align_type": "SAN", "rta_id": "r", "rta_bid_enabled": true,
        "rta_product_selection_enabled": true, "po_number": "PO", "bid_type": "BID_TYPE_CUSTOM",
        "optimization_goal": "CONVERT", "deep_bid_type": "VO_MIN", "roas_bid": 1.5,
    });
    let mut body = sent.clone();
    body["catalog_enabled"] = json!(true);
    body["plugin_partner"] = json!("p");
    body["internal_channel"] = json!("c");
    let id = id_of(&bench.post("/campaign/create/", body));
    let row = bench.row(&id);
    for (name, value) in sent.as_object().unwrap() {
        if name != "request_id" {
            assert_eq!(&row[name], value, "{name}");
        }
    }
    let sent = json!({
        "campaign_name": "all", "objective_type": "APP_PROMOTION", "operation_status": "DISABLE",
        "budget_mode": "BUDGET_MODE_TOTAL", "budget": 500.0, "budget_optimize_on": true,
        "campaign_type": "IOS14_CAMPAIGN", "app_id": "77", "app_promotion_type": "APP_INSTALL",
        "special_industries": ["CREDIT"], "catalog_enabled": false, "catalog_type": "ECOMMERCE",
        "is_advanced_dedicated_campaign": true, "disable_skan_campaign": true, "bid_align_type": "SKAN",
        "postback_window_mode": "POSTBACK_WINDOW_MODE3", "campaign_app_profile_page_state": "ON",
        "gaming_ad_compliance_agreement": "ON", "po_number": "PO", "is_promotional_campaign": false,
    });
    let mut body = sent.clone();
    body["request_id"] = json!("10");
    let answer = bench.post("/smart_plus/campaign/create/", body);
    let row = bench.get("/smart_plus/campaign/get/", &[])["data"]["list"][0].clone();
    for (name, value) in sent.as_object().unwrap() {
        assert_eq!(
            (&row[name], &answer["data"][name]),
            (value, value),
            "{name}"
        );
    }
}
