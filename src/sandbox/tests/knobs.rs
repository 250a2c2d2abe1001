//! Knobs that no other test turns, both ways; and that no knob is without effect in the code.

use std::path::PathBuf;

use super::*;

#[test]
fn every_knob_is_read_somewhere() {
    let mut code = String::new();
    let mut table = String::new();
    let mut folders = vec![PathBuf::from(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/src/sandbox"
    ))];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.ends_with("tests") {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                if path.ends_with("knobs.rs") {
                    table = text
                } else {
                    code.push_str(&text)
                }
            }
        }
    }
    for knob in crate::sandbox::knobs::KNOBS {
        let line = table
            .lines()
            .find(|line| line.contains(&format!("\"{}\"", knob.name)))
            .unwrap();
        let ident = line.split_whitespace().next().unwrap();
        let in_table = table.matches(&format!("&{ident}")).count();
        assert!(
            in_table > 0 || code.contains(&format!("knobs::{ident}")),
            "{} is never read",
            knob.name
        );
    }
}

/// Runs one case under each value of a knob and compares the code (or whatever the case looks at).
pub(super) fn each(name: &str, wanted: &[(&str, Value)], case: impl Fn(&mut Bench) -> Value) {
    for (value, wanted) in wanted {
        let mut bench = Bench::new();
        bench.knob(name, value);
        assert_eq!(case(&mut bench), *wanted, "{name}={value}");
    }
}

#[test]
fn names() {
    each(
        "name_of_deleted",
        &[("free", json!(0)), ("taken", json!(40_002))],
        |bench| {
            let id = bench.manual("a");
            bench.status(&id, "DELETE");
            bench.post("/campaign/create/", manual("a"))["code"].clone()
        },
    );
    each(
        "name_scope",
        &[("advertiser", json!(40_002)), ("tree", json!(0))],
        |bench| {
            bench.smart_plus("a");
            bench.post("/campaign/create/", manual("a"))["code"].clone()
        },
    );
    each(
        "name_match",
        &[("exact", json!(0)), ("ignoring_case", json!(40_002))],
        |bench| {
            bench.manual("a");
            bench.post("/campaign/create/", manual("A"))["code"].clone()
        },
    );
    let renamed = [
        ("on_create", json!(0)),
        ("on_create_and_update", json!(40_002)),
        ("off", json!(0)),
    ];
    each("name_unique", &renamed, |bench| {
        bench.manual("a");
        let id = bench.manual("b");
        bench.post(
            "/campaign/update/",
            json!({"campaign_id": id, "campaign_name": "a"}),
        )["code"]
            .clone()
    });
    each(
        "name_unique",
        &[("off", json!(0)), ("on_create", json!(40_002))],
        |bench| {
            bench.manual("a");
            bench.post("/campaign/create/", manual("a"))["code"].clone()
        },
    );
    let found = [
        ("contains_ignoring_case", json!(3)),
        ("contains", json!(2)),
        ("starts_with", json!(1)),
    ];
    each("fuzzy_name_match", &found, |bench| {
        for name in ["sale", "big sale", "SALE"] {
            bench.manual(name);
        }
        json!(bench.list(json!({"campaign_name": "sale"})).len())
    });
}

#[test]
fn budgets() {
    each(
        "budget_extra_decimals",
        &[("refuse", json!(null)), ("round", json!(50.13))],
        |bench| {
            let mut body = manual("a");
            body["budget"] = json!(50.126);
            bench.post("/campaign/create/", body)["data"]
                .get("budget")
                .cloned()
                .unwrap_or_default()
        },
    );
    each(
        "budget_floor",
        &[("", json!(40_002)), ("20", json!(0))],
        |bench| {
            let mut body = manual("a");
            body["budget"] = json!(20);
            bench.post("/campaign/create/", body)["code"].clone()
        },
    );
    each(
        "budget_edit_lock",
        &[("false", json!(0)), ("true", json!(40_002))],
        |bench| {
            let id = bench.manual("a");
            bench.now = time::parse("2026-11-23 23:55:00").unwrap();
            bench.post(
                "/campaign/update/",
                json!({"campaign_id": id, "budget": 80}),
            )["code"]
                .clone()
        },
    );
    each(
        "smart_plus_infinite",
        &[("refuse", json!(40_002)), ("accept", json!(0))],
        |bench| {
            let mut body = smart_plus("a", 1);
            body["budget_optimize_on"] = json!(false);
            body["budget_mode"] = json!("BUDGET_MODE_INFINITE");
            bench.post("/smart_plus/campaign/create/", body)["code"].clone()
        },
    );
    let strategies = [
        ("UNSET", json!("UNSET")),
        ("AUTO_BUDGET_INCREASE", json!("AUTO_BUDGET_INCREASE")),
    ];
    each("auto_budget_increase_default", &strategies, |bench| {
        bench.post("/smart_plus/campaign/create/", smart_plus("a", 1))["data"]["budget_auto_adjust_strategy"].clone()
    });
}

#[test]
fn strictness() {
    each(
        "unknown_fields",
        &[("ignore", json!(0)), ("refuse", json!(40_002))],
        |bench| {
            let mut body = manual("a");
            body["budgt"] = json!(1);
            bench.post("/campaign/create/", body)["code"].clone()
        },
    );
    each(
        "unknown_filters",
        &[("refuse", json!(40_002)), ("ignore", json!(0))],
        |bench| bench.get("/campaign/get/", &[("filtering", json!({"x": 1}))])["code"].clone(),
    );
    each(
        "numeric_ids",
        &[("refuse", json!(40_002)), ("accept", json!(0))],
        |bench| {
            let id: u64 = bench.manual("a").parse().unwrap();
            bench.post(
                "/campaign/status/update/",
                json!({"campaign_ids": [id], "operation_status": "ENABLE"}),
            )["code"]
                .clone()
        },
    );
    each(
        "smart_plus_sales_destination",
        &[("optional", json!(0)), ("required", json!(40_002))],
        |bench| {
            let mut body = smart_plus("a", 1);
            body["sales_destination"] = Value::Null;
            bench.post("/smart_plus/campaign/create/", body)["code"].clone()
        },
    );
    each(
        "creation_filter_bounds",
        &[("inclusive", json!(1)), ("exclusive", json!(0))],
        |bench| {
            bench.manual("a");
            json!(
                bench
                    .list(json!({"creation_filter_start_time": "2026-11-23 12:00:00"}))
                    .len()
            )
        },
    );
    each(
        "manual_cutoff_text",
        &[("", json!("")), ("Closed.", json!("Closed."))],
        |bench| {
            bench.now = time::parse("2027-01-01").unwrap();
            let mut body = manual("a");
            body["objective_type"] = json!("LEAD_GENERATION");
            bench.post("/campaign/create/", body)["message"].clone()
        },
    );
    let codes = [
        ("40002", json!(40_002)),
        ("40118", json!(40_118)),
        ("41001", json!(41_001)),
    ];
    each("manual_cutoff_code", &codes, |bench| {
        bench.now = time::parse("2027-01-01").unwrap();
        let mut body = manual("a");
        body["objective_type"] = json!("PRODUCT_SALES");
        bench.post("/campaign/create/", body)["code"].clone()
    });
    each(
        "throttle_text",
        &[("names_the_limit", json!(true)), ("silent", json!(false))],
        |bench| {
            bench.knob("rate", "1/10/10");
            bench.get("/campaign/get/", &[]);
            json!(
                bench.get("/campaign/get/", &[])["message"]
                    .as_str()
                    .unwrap()
                    .contains("QPS limit 1")
            )
        },
    );
    let codes = [
        ("40100", json!(40_100)),
        ("40016", json!(40_016)),
        ("61000", json!(61_000)),
    ];
    each("throttle_code", &codes, |bench| {
        bench.knob("rate", "1/10/10");
        bench.get("/campaign/get/", &[]);
        bench.get("/campaign/get/", &[])["code"].clone()
    });
    each(
        "refresh_endpoint",
        &[("present", json!(200)), ("absent", json!(404))],
        |bench| {
            let body = json!({"advertiser_id": bench.id()}).to_string();
            json!(
                bench
                    .send("POST", "/oauth2/refresh_token/", "", body.as_bytes())
                    .reply()
                    .unwrap()
                    .status
            )
        },
    );
}

#[test]
fn statuses() {
    each(
        "status_without_change",
        &[("ok", json!(0)), ("40012", json!(40_012))],
        |bench| {
            let id = bench.manual("a");
            bench.status(&id, "DISABLE")["code"].clone()
        },
    );
    let codes = [
        ("40002", json!(40_002)),
        ("40007", json!(40_007)),
        ("40001", json!(40_001)),
    ];
    each("missing_campaign_code", &codes, |bench| {
        bench.status("1", "ENABLE")["code"].clone()
    });
    each(
        "smart_plus_all_bad_code",
        &[("20001", json!(20_001)), ("40002", json!(40_002))],
        |bench| {
            let body = json!({"campaign_ids": ["1"], "operation_status": "ENABLE"});
            bench.post("/smart_plus/campaign/status/update/", body)["code"].clone()
        },
    );
    each(
        "delete_deleted",
        &[("refuse", json!(40_002)), ("ok", json!(0))],
        |bench| {
            let id = bench.manual("a");
            bench.status(&id, "DELETE");
            bench.status(&id, "DELETE")["code"].clone()
        },
    );
    each(
        "deleted_by_id",
        &[("hidden", json!(0)), ("shown", json!(1))],
        |bench| {
            let id = bench.manual("a");
            bench.status(&id, "DELETE");
            json!(bench.list(json!({"campaign_ids": [id]})).len())
        },
    );
    let shown = [
        ("DISABLE", json!("DISABLE")),
        ("DELETE", json!("DELETE")),
        ("last", json!("ENABLE")),
    ];
    each("deleted_operation_status", &shown, |bench| {
        let id = bench.manual("a");
        bench.status(&id, "ENABLE");
        bench.status(&id, "DELETE");
        bench.row(&id)["operation_status"].clone()
    });
    each(
        "secondary_status",
        &[("shown", json!(true)), ("omitted", json!(false))],
        |bench| {
            json!(
                bench.post("/campaign/create/", manual("a"))["data"]
                    .get("secondary_status")
                    .is_some()
            )
        },
    );
    each(
        "upgraded_is_smart_performance",
        &[("false", json!(false)), ("true", json!(true))],
        |bench| {
            let id = bench.smart_plus("a");
            bench.row(&id)["is_smart_performance_campaign"].clone()
        },
    );
    each(
        "enable_in_review",
        &[("accept", json!(0)), ("refuse", json!(40_002))],
        |bench| {
            let id = bench.manual("a");
            bench
                .sandbox
                .set_account_status(
                    bench.now,
                    &bench.account.advertiser_id,
                    "STATUS_PENDING_CONFIRM",
                    "",
                )
                .unwrap();
            bench.status(&id, "ENABLE")["code"].clone()
        },
    );
    each(
        "limited_account_writes",
        &[("accept", json!(0)), ("refuse", json!(40_002))],
        |bench| {
            let id = bench.manual("a");
            bench
                .sandbox
                .set_account_status(bench.now, &bench.account.advertiser_id, "STATUS_LIMIT", "")
                .unwrap();
            assert_eq!(
                bench.status(&id, "DISABLE")["code"],
                0,
                "a pause always goes through"
            );
            bench.status(&id, "ENABLE")["code"].clone()
        },
    );
}

#[test]
fn dedicated_campaigns() {
    let create = |bench: &mut Bench, operation: &str| {
        let mut body = manual("a");
        for (name, value) in [
            ("objective_type", "APP_PROMOTION"),
            ("app_promotion_type", "APP_INSTALL"),
            ("campaign_type", "IOS14_CAMPAIGN"),
            ("app_id", "77"),
            ("operation_status", operation),
        ] {
            body[name] = json!(value);
        }
        id_of(&bench.post("/campaign/create/", body))
    };
    let disable = |bench: &mut Bench, id: &str| {
        let body = json!({
            "campaign_ids": [id], "operation_status": "DISABLE", "postback_window_mode": "POSTBACK_WINDOW_MODE3",
        });
        bench.post("/campaign/status/update/", body)["code"].clone()
    };
    let modes = [
        ("mode1", json!("POSTBACK_WINDOW_MODE1")),
        ("unset", Value::Null),
    ];
    each("dedicated_created_disabled", &modes, |bench| {
        let id = create(bench, "DISABLE");
        bench.row(&id)["postback_window_mode"].clone()
    });
    each(
        "dedicated_reenable",
        &[("accept", json!(0)), ("refuse", json!(40_002))],
        |bench| {
            let id = create(bench, "ENABLE");
            bench.status(&id, "DISABLE");
            bench.status(&id, "ENABLE")["code"].clone()
        },
    );
    each(
        "skan4",
        &[("true", json!(0)), ("false", json!(40_002))],
        |bench| {
            let id = create(bench, "ENABLE");
            disable(bench, &id)
        },
    );
    each(
        "postback_on_regular",
        &[("refuse", json!(40_002)), ("ignore", json!(0))],
        |bench| {
            let id = bench.manual("regular");
            disable(bench, &id)
        },
    );
}
