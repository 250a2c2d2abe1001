//! R20 and R31: ceilings on configured budgets, and that a misspelt one is refused.

use serde_json::{Value, json};

use super::{Case, condition, id, is, reason, smart_plus, spec};

fn caps(per_object: Option<&str>, total: Option<&str>) -> Value {
    let money =
        |amount: Option<&str>| amount.map(|amount| json!({"amount": amount, "currency": "USD"}));
    let mut caps = json!({});
    if let Some(one) = money(per_object) {
        caps["maxDailyBudgetPerObject"] = one;
    }
    if let Some(total) = money(total) {
        caps["maxDailyBudgetTotal"] = total;
    }
    json!({ "caps": caps })
}

fn with_caps(name: &str, caps: Value) -> Case {
    let case = Case::bare(name, json!({}));
    case.connect(caps);
    case.wait_connection("Verified");
    case
}

fn on(case: &Case) -> usize {
    let all = case.truth();
    all.iter()
        .filter(|row| case.is_on(row["campaign_id"].as_str().unwrap()))
        .count()
}

#[test]
fn r20_without_ceilings_campaigns_are_made_but_nothing_is_switched_on_or_raised() {
    let case = with_caps("r20-none", json!({}));
    case.campaign("spring", spec(json!({"state": "Active"})));
    let held = case.wait_for("spring", "NoBudgetCeiling");
    let id = id(&held);
    assert_eq!(condition(&held, "Held")["status"], "True");
    assert!(
        condition(&held, "Ready")["message"]
            .as_str()
            .unwrap()
            .contains("spec.caps")
    );
    case.edit("spring", json!({"budget": {"amount": "70"}}));
    case.wait_for("spring", "NoBudgetCeiling");
    case.sweeps("/campaign/get/");
    assert!(!case.is_on(&id));
    assert_eq!(case.row(&id)["fields"]["budget"], 60.0);
    // A ceiling is what it waits for.
    case.edit_connection(caps(Some("70"), None));
    case.wait_live("spring");
    assert_eq!(case.row(&id)["fields"]["budget"], 70.0);
}

#[test]
fn r20_a_running_campaign_over_the_ceiling_per_object_is_switched_off() {
    let case = with_caps("r20-object", caps(Some("60"), None));
    case.campaign("fits", spec(json!({"state": "Active"})));
    case.campaign(
        "over",
        spec(json!({"state": "Active", "budget": {"amount": "60.01"}})),
    );
    let id = id(&case.wait_live("fits"));
    case.wait_for("over", "CeilingReached");
    assert_eq!(on(&case), 1);
    case.edit_connection(caps(Some("50"), None));
    case.wait_for("fits", "CeilingReached");
    case.until("it to be off", || !case.is_on(&id));
    case.edit_connection(caps(Some("60"), None));
    case.wait_live("fits");
}

#[test]
fn r20_a_dynamic_daily_budget_counts_a_quarter_more() {
    let case = with_caps("r20-dynamic", caps(Some("74.99"), None));
    case.campaign("smart", smart_plus(json!({"state": "Active"})));
    case.wait_for("smart", "CeilingReached");
    case.edit_connection(caps(Some("75"), None));
    case.wait_live("smart");
}

#[test]
fn r20_of_many_that_are_enabled_at_once_only_what_fits_together_goes_on() {
    let case = with_caps("r20-total", caps(None, Some("200")));
    for n in 0..6 {
        case.campaign(&format!("c{n}"), spec(json!({"state": "Active"})));
    }
    for n in 0..6 {
        case.wait(&format!("c{n}"), "an answer", |object| {
            is(object, "InSync") || is(object, "CeilingReached")
        });
    }
    case.sweeps("/campaign/get/");
    assert_eq!(on(&case), 3, "3 x 60 is below 200, 4 x 60 is not");
    // Room appears: the next one goes on by itself.
    let live = (0..6)
        .find(|n| reason(&case.get(&format!("c{n}"))) == "InSync")
        .unwrap();
    case.edit(&format!("c{live}"), json!({"state": "Paused"}));
    case.wait_for(&format!("c{live}"), "Paused");
    case.until("another to go on", || on(&case) == 3);
}

#[test]
fn r20_a_raise_over_the_total_is_held_and_the_campaign_runs_on() {
    let case = with_caps("r20-raise", caps(None, Some("130")));
    case.campaign("one", spec(json!({"state": "Active"})));
    case.campaign("two", spec(json!({"state": "Active"})));
    case.wait_live("one");
    let id = id(&case.wait_live("two"));
    case.edit("two", json!({"budget": {"amount": "80"}}));
    case.wait_for("two", "CeilingReached");
    case.sweeps("/campaign/get/");
    assert_eq!(case.row(&id)["fields"]["budget"], 60.0);
    assert!(case.is_on(&id));
    case.edit("one", json!({"state": "Paused"}));
    case.wait_live("two");
    assert_eq!(case.row(&id)["fields"]["budget"], 80.0);
}

#[test]
fn r20_what_others_run_counts_and_what_is_unbounded_refuses() {
    let case = with_caps("r20-others", caps(None, Some("130")));
    let fields =
        json!({"budget_mode": "BUDGET_MODE_DAY", "budget": 80.0, "operation_status": "ENABLE"});
    let theirs = case.made_outside("manual", fields);
    case.campaign("ours", spec(json!({"state": "Active"})));
    case.wait_for("ours", "CeilingReached");
    case.edit_outside(
        &theirs,
        json!({"budget_mode": "BUDGET_MODE_INFINITE", "budget": 0.0}),
    );
    let held = case.wait_for("ours", "CeilingUnknown");
    assert!(
        condition(&held, "Ready")["message"]
            .as_str()
            .unwrap()
            .contains(&theirs)
    );
    case.outside(&theirs, "pause");
    case.wait_live("ours");
}

#[test]
fn r20_an_incomplete_list_refuses() {
    let case = with_caps("r20-partial", caps(None, Some("130")));
    case.campaign("ours", spec(json!({})));
    case.wait_for("ours", "Paused");
    let fields =
        json!({"budget_mode": "BUDGET_MODE_DAY", "budget": 80.0, "operation_status": "ENABLE"});
    // From here on lists are short of a row and say so only in their total.
    case.fault(
        "/open_api/v1.3/campaign/get/",
        json!({"kind": "partial_page", "rows": 1}),
        0,
    );
    let theirs = case.made_outside("manual", fields);
    case.sweeps("/campaign/get/");
    case.edit("ours", json!({"state": "Active"}));
    case.wait_for("ours", "CeilingUnknown");
    case.sweeps("/campaign/get/");
    assert_eq!(on(&case), 1, "theirs alone");
    case.no_faults();
    case.wait_for("ours", "CeilingReached");
    case.outside(&theirs, "pause");
    case.wait_live("ours");
}

#[test]
fn r20_ceilings_in_another_currency_hold_everything() {
    let case = Case::bare("r20-currency", json!({"currency": "EUR"}));
    case.connect(caps(Some("100"), None));
    case.wait_connection("Verified");
    case.campaign("spring", spec(json!({"state": "Active"})));
    let held = case.wait("spring", "to be held", |object| {
        !condition(object, "Held").is_null()
    });
    let message = condition(&held, "Held")["message"].as_str().unwrap();
    assert!(
        message.contains("EUR") && message.contains("USD"),
        "{message}"
    );
    case.sweeps("/campaign/get/");
    assert_eq!(on(&case), 0);
    case.campaign("dollars", spec(json!({"budget": {"currency": "USD"}})));
    case.wait_for("dollars", "CurrencyMismatch");
}

#[test]
fn r31_a_misspelt_ceiling_is_refused_even_where_unknown_fields_are_pruned() {
    let case = Case::bare("r31", json!({}));
    for caps in [
        json!({}),
        json!({"maxDailyBudget": {"amount": "100", "currency": "USD"}}),
        json!({"maxdailybudgettotal": {"amount": "100", "currency": "USD"}}),
    ] {
        let wanted = json!({
            "appSecretRef": {"name": "app"}, "tokenSecretRef": {"name": "token"},
            "advertiserId": case.advertiser, "caps": caps,
        });
        let said = case.refused("tiktokconnections", wanted);
        assert!(
            said.contains("spec.caps") && said.contains("at least 1 properties"),
            "{said}"
        );
    }
    let drift = json!({"drift": {"bugdet": "Report"}});
    let said = case.refused("campaigns", spec(drift));
    assert!(said.contains("spec.drift"), "{said}");
}
