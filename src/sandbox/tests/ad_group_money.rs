//! Budgets, bids and pacing of ad groups.

use super::*;

fn refused(reply: &Value, text: &str) {
    assert_eq!(reply["code"], 40_002, "{reply}");
    let message = reply["message"].as_str().unwrap();
    assert!(message.contains(text), "{message}, not {text}");
}

/// A campaign without a budget of its own, so that an ad group may have any.
fn free(bench: &mut Bench) -> String {
    bench.manual_with("c", json!({"budget_mode": "BUDGET_MODE_INFINITE"}))
}

#[test]
fn the_floor_is_per_day_and_in_the_accounts_currency() {
    for (currency, too_low, enough, text) in [
        (
            "USD",
            19.99,
            20.0,
            "Your budget setting must not be less than $20",
        ),
        (
            "GBP",
            19.0,
            20.0,
            "Your budget setting must not be less than £20",
        ),
        (
            "JPY",
            1_999.0,
            2_000.0,
            "Your budget setting must not be less than ¥2000",
        ),
    ] {
        let mut bench = Bench::with(NewAccount {
            currency: currency.into(),
            ..NewAccount::default()
        });
        let campaign = free(&mut bench);
        let mut with = |budget: f64| {
            let body = but(ad_group(&campaign, "x"), json!({"budget": budget}));
            bench.post("/adgroup/create/", body)
        };
        refused(&with(too_low), text);
        assert_eq!(with(enough)["code"], 0);
    }
    let mut bench = Bench::new();
    bench.knob("ad_group_budget_floor", "5");
    let campaign = free(&mut bench);
    let body = but(ad_group(&campaign, "x"), json!({"budget": 5}));
    assert_eq!(bench.post("/adgroup/create/", body)["code"], 0);
}

#[test]
fn a_lifetime_budget_lasts_for_its_days() {
    let mut bench = Bench::new();
    let campaign = free(&mut bench);
    let total = |budget: f64, end: &str| {
        but(
            ad_group(&campaign, "x"),
            json!({"budget_mode": "BUDGET_MODE_TOTAL", "budget": budget,
                   "schedule_type": "SCHEDULE_START_END", "schedule_end_time": end}),
        )
    };
    // Three days and an hour are four.
    let end = "2026-11-26 14:00:00";
    refused(
        &bench.post("/adgroup/create/", total(79.0, end)),
        "must not be less than $80",
    );
    let id = made(
        &bench.post("/adgroup/create/", total(80.0, end)),
        "adgroup_id",
    );
    let longer = json!({"adgroup_id": id, "schedule_end_time": "2026-11-28 13:00:00"});
    refused(
        &bench.post("/adgroup/update/", longer.clone()),
        "must not be less than $100",
    );
    let both = but(longer, json!({"budget": 100}));
    assert_eq!(bench.post("/adgroup/update/", both)["code"], 0);
    let open = but(
        total(500.0, end),
        json!({"schedule_type": "SCHEDULE_FROM_NOW", "adgroup_name": "y"}),
    );
    refused(&bench.post("/adgroup/create/", open), "SCHEDULE_START_END");
}

#[test]
fn modes_fit_the_campaigns() {
    let mut bench = Bench::new();
    let daily = bench.manual("daily");
    let total = json!({
        "budget_mode": "BUDGET_MODE_TOTAL", "budget": 500, "schedule_type": "SCHEDULE_START_END",
        "schedule_end_time": "2026-11-25 13:00:00",
    });
    let body = but(ad_group(&daily, "x"), total);
    refused(
        &bench.post("/adgroup/create/", body),
        "BUDGET_MODE_TOTAL is not supported",
    );
    let body = but(
        ad_group(&daily, "x"),
        json!({"budget_mode": "BUDGET_MODE_INFINITE"}),
    );
    refused(
        &bench.post("/adgroup/create/", body),
        "BUDGET_MODE_INFINITE is not supported",
    );
    let reach = bench.manual_with("reach", json!({"objective_type": "REACH"}));
    let body = but(
        ad_group(&reach, "x"),
        json!({"budget_mode": "BUDGET_MODE_DYNAMIC_DAILY_BUDGET", "optimization_goal": "REACH",
               "billing_event": "CPM", "promotion_type": null}),
    );
    assert_eq!(bench.post("/adgroup/create/", body.clone())["code"], 40_118);
    bench.knob("allowlist", "DYNAMIC_DAILY");
    assert_eq!(bench.post("/adgroup/create/", body)["code"], 0);
}

#[test]
fn under_a_shared_budget_ad_groups_have_none_and_pursue_the_same() {
    let mut bench = Bench::new();
    let campaign = bench.manual_with("c", json!({"budget_optimize_on": true}));
    let body = but(
        ad_group(&campaign, "first"),
        json!({"budget": 5, "budget_mode": "BUDGET_MODE_TOTAL", "pacing": "PACING_MODE_FAST"}),
    );
    let reply = bench.post("/adgroup/create/", body);
    assert_eq!(
        reply["data"]["budget_mode"], "BUDGET_MODE_INFINITE",
        "{reply}"
    );
    assert_eq!(reply["data"]["budget"].to_string(), "0.0");
    assert_eq!(reply["data"]["pacing"], "PACING_MODE_SMOOTH");
    let first = made(&reply, "adgroup_id");
    let second = json!({"budget": null, "budget_mode": null, "pacing": null});
    let second = but(ad_group(&campaign, "second"), second);
    for changes in [
        json!({"optimization_goal": "SHOW", "billing_event": "CPM"}),
        json!({"bid_type": "BID_TYPE_CUSTOM", "bid_price": 1}),
        json!({"optimization_event": "PAGE_VISIT", "pixel_id": "5"}),
    ] {
        let name = changes.as_object().unwrap().keys().next().unwrap().clone();
        let name = if name == "bid_price" {
            "bid_type".into()
        } else {
            name
        };
        let name = if name == "billing_event" {
            "optimization_goal".into()
        } else {
            name
        };
        let reply = bench.post("/adgroup/create/", but(second.clone(), changes));
        refused(&reply, &format!("{name}: Must be the same"));
    }
    refused(
        &bench.post(
            "/adgroup/create/",
            but(second.clone(), json!({"bid_type": null})),
        ),
        "bid_type: Missing",
    );
    made(&bench.post("/adgroup/create/", second), "adgroup_id");
    // Ignored, as in a create; and the bid strategy stays.
    let reply = bench.post(
        "/adgroup/update/",
        json!({"adgroup_id": first, "budget": 99}),
    );
    assert_eq!(reply["data"]["budget"], 0.0, "{reply}");
    let custom = json!({"adgroup_id": first, "bid_type": "BID_TYPE_CUSTOM", "bid_price": 1});
    refused(
        &bench.post("/adgroup/update/", custom),
        "bid_type: Cannot be changed",
    );
}

#[test]
fn bids() {
    let mut bench = Bench::new();
    let campaign = bench.manual("c");
    let mut with = |changes: Value| {
        let name = changes.to_string();
        bench.post("/adgroup/create/", but(ad_group(&campaign, &name), changes))
    };
    // Without a custom bid strategy, bids are ignored in silence.
    assert_eq!(with(json!({"bid_price": 5}))["data"]["bid_price"], 0.0);
    let custom = json!({"bid_type": "BID_TYPE_CUSTOM"});
    refused(&with(custom.clone()), "bid_price: Missing");
    let reply = with(but(custom.clone(), json!({"bid_price": 5})));
    assert_eq!(reply["data"]["bid_price"], 5.0);
    refused(
        &with(but(custom.clone(), json!({"bid_price": 20}))),
        "lower than your budget",
    );
    let per_result = json!({
        "bid_type": "BID_TYPE_CUSTOM", "optimization_goal": "TRAFFIC_LANDING_PAGE_VIEW", "billing_event": "OCPM",
    });
    refused(&with(per_result.clone()), "conversion_bid_price: Missing");
    assert_eq!(
        with(but(per_result.clone(), json!({"conversion_bid_price": 5})))["code"],
        0
    );
    let by_return = but(per_result, json!({"deep_bid_type": "VO_MIN_ROAS"}));
    refused(&with(by_return.clone()), "roas_bid: Missing");
    refused(
        &with(but(by_return.clone(), json!({"roas_bid": 1_001}))),
        "between 0.01 and 1000",
    );
    assert_eq!(with(but(by_return, json!({"roas_bid": 1.5})))["code"], 0);
    let fast = json!({"pacing": "PACING_MODE_FAST"});
    refused(&with(fast.clone()), "PACING_MODE_FAST");
    assert_eq!(
        with(but(
            fast,
            json!({"bid_type": "BID_TYPE_CUSTOM", "bid_price": 1})
        ))["code"],
        0
    );
}

#[test]
fn a_budget_keeps_ahead_of_what_is_spent() {
    let mut bench = Bench::new();
    let campaign = free(&mut bench);
    let body = but(ad_group(&campaign, "x"), json!({"budget": 100}));
    let id = made(&bench.post("/adgroup/create/", body), "adgroup_id");
    bench.sandbox.spend(bench.now, &id, 60.0).unwrap();
    let update = |bench: &mut Bench, budget: f64| {
        bench.post(
            "/adgroup/update/",
            json!({"adgroup_id": id, "budget": budget}),
        )
    };
    refused(
        &update(&mut bench, 62.0),
        "at least 105% of the current spend: $63",
    );
    assert_eq!(update(&mut bench, 63.0)["code"], 0);
    bench.knob("budget_below_spend", "ignore");
    let reply = update(&mut bench, 30.0);
    assert_eq!(
        (&reply["code"], &reply["data"]["budget"]),
        (&json!(0), &json!(63.0))
    );
}
