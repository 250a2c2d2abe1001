//! R26: who may only read is told so, and nothing is written for them but pauses.

use serde_json::{Value, json};

use super::{Case, banner, condition, id, is, spec};

/// A campaign that runs already, and the object `there` that adopts it without naming anything but its state.
fn adopted(case: &Case) -> String {
    let fields =
        json!({"operation_status": "ENABLE", "budget_mode": "BUDGET_MODE_DAY", "budget": 60.0});
    let there = case.made_outside("manual", fields);
    case.campaign(
        "there",
        spec(json!({"externalId": there, "state": "Active", "budget": null})),
    );
    there
}

fn budget(object: &Value) -> f64 {
    let text = object["status"]["currentBudget"].as_str();
    let amount = text.and_then(|text| text.split(' ').next());
    amount.map_or(0.0, |amount| amount.parse().unwrap())
}

/// What is there is shown; whatever would be written says why it is not.
fn reads_and_writes_nothing(case: &Case, there: &str) {
    case.wait("there", "what it costs", |object| {
        id(object) == there && budget(object) == 60.0
    });
    case.campaign("fresh", spec(json!({"state": "Active"})));
    case.edit(
        "there",
        json!({"budget": {"mode": "Daily", "amount": "90"}}),
    );
    for name in ["fresh", "there"] {
        case.wait_for(name, "ConnectionReadOnly");
    }
    nothing_written(case);
    assert_eq!(case.truth().len(), 1);
}

/// Subscriptions aside, which change nothing of the account.
fn nothing_written(case: &Case) {
    let mut writes = case.writes();
    writes.retain(|(path, _)| !path.starts_with("/subscription/"));
    assert_eq!(writes, []);
}

/// The connection says `reason`: as phase, condition, banner, event and metric. What the banner says between its time and
/// what to do.
fn says(case: &Case, reason: &str, said: &str, again: &str) -> Value {
    let connection = case.wait_connection(reason);
    assert_eq!(connection["status"]["phase"], "ReadOnly");
    let shown = condition(&connection, "ReadOnly");
    assert_eq!(
        (&shown["status"], &shown["reason"]),
        (&json!("True"), &json!(reason))
    );
    // Ready all the same: nobody has to do anything for it to go on reading.
    assert_eq!(condition(&connection, "Ready")["status"], "True");
    let since = shown["lastTransitionTime"].as_str().unwrap();
    // It has no end of its own, so none is named.
    assert_eq!(
        banner(&connection),
        format!(
            "Read-only since {since}: {said}; to change that, {again}, and this goes away by itself."
        )
    );
    case.until("the event", || {
        case.events("main")
            .iter()
            .any(|(why, note)| why == reason && note.contains(said))
    });
    let gauge = format!(
        "tiktokads_connection_read_only{{namespace=\"{}\",connection=\"main\"}} 1",
        case.namespace
    );
    case.until("the metric", || case.metrics().contains(&gauge));
    connection
}

/// What is to be done where there is a page for it.
fn authorise_again(case: &Case) -> String {
    let origin = case.world.operator.public_url().unwrap();
    let namespace = &case.namespace;
    format!(
        "authorise again at {origin}/connect/{namespace}/main (`tiktok-ads-operator connect main -n {namespace}` opens it)"
    )
}

#[test]
fn r26_an_analyst_only_reads_is_told_so_and_a_token_of_somebody_who_may_write_heals_it() {
    let center = "7300000000000000261";
    let account = json!({"user_role": "ANALYST", "owner_bc_id": center});
    let case = Case::bare("r26-analyst", account);
    let there = adopted(&case);
    case.connect(json!({"caps": super::wide_caps()}));
    let connection = says(
        &case,
        "AnalystRole",
        "whoever authorised is ANALYST in the ad account, which allows nothing but reading",
        "put a new token into the Secret token",
    );
    assert_eq!(connection["status"]["role"], "ANALYST");
    reads_and_writes_nothing(&case, &there);
    // Reading goes on.
    case.edit_outside(&there, json!({"budget": 75.0}));
    case.wait("there", "what it costs now", |object| {
        budget(object) == 75.0
    });
    nothing_written(&case);

    // A pause is tried all the same. TikTok refuses it, so that the connection is looked at again; that the role cannot be
    // asked at that moment does not make it another.
    let of = json!({"path": "*/bc/asset/get/", "contains": center, "count": 0});
    let cut = json!({"kind": "cut_before", "match": of});
    let cut = case.sandbox("POST", "/sandbox/faults", &cut)["id"].to_string();
    let checks = || case.requests("/advertiser/info/").len();
    let before = checks();
    case.edit("there", json!({"state": "Paused"}));
    case.until("two more checks", || checks() >= before + 2);
    let connection = case.read("tiktokconnections", "main").unwrap();
    assert!(is(&connection, "AnalystRole"), "{}", connection["status"]);
    assert_eq!(connection["status"]["role"], "ANALYST");
    let writes = case.writes();
    assert!(!writes.is_empty());
    for (path, body) in writes {
        assert_eq!(path, "/campaign/status/update/", "{body}");
        assert_eq!(body["operation_status"], "DISABLE");
    }
    assert!(case.is_on(&there), "TikTok refuses the pause");
    case.sandbox("DELETE", &format!("/sandbox/faults/{cut}"), &Value::Null);

    case.account(json!({"user_role": "OPERATOR"}));
    let code = json!({"app_id": case.app, "advertiser_ids": [case.advertiser]});
    let made = case.sandbox("POST", "/sandbox/auth_codes", &code);
    let exchange =
        json!({"app_id": case.app, "secret": case.secret, "auth_code": made["auth_code"]});
    let token = case.exchange(&exchange);
    case.replace_secret("token", json!({"access_token": token}));
    let healed = case.wait_connection("Verified");
    assert_eq!(healed["status"]["role"], "OPERATOR");
    assert_eq!(healed["status"]["phase"], "Active");
    assert_eq!(banner(&healed), "");
    case.wait_live("fresh");
    case.wait_for("there", "Paused");
    assert!(!case.is_on(&there));
    assert_eq!(case.row(&there)["fields"]["budget"], 90.0);
}

#[test]
fn r26_reading_scopes_alone_read_and_the_missing_ones_are_named() {
    let case = Case::authorised(
        "r26-reading",
        json!({}),
        json!({"scopes": [1, 200, 210, 220, 4]}),
        json!({}),
    );
    let there = adopted(&case);
    let connection = says(
        &case,
        "ScopeMissing",
        "what was approved allows nothing but reading",
        &authorise_again(&case),
    );
    let scopes = &connection["status"]["scopes"];
    assert_eq!(scopes["granted"], json!(["1", "4", "200", "210", "220"]));
    assert_eq!(
        scopes["missing"],
        json!([
            "201 (Create and Update Campaigns)",
            "211 (Create and Update Ad Groups)",
            "221 (Create and Update Ads)",
        ])
    );
    reads_and_writes_nothing(&case, &there);
    case.authorise(json!({}));
    let healed = case.wait_connection("Verified");
    assert_eq!(banner(&healed), "");
    case.wait_live("fresh");
}

#[test]
fn r26_reports_alone_read_no_campaign_and_what_is_missing_is_named() {
    // Reports, and the account itself.
    let scopes = json!({"scopes": [1, 4]});
    let case = Case::authorised("r26-reports", json!({}), scopes, json!({}));
    let connection = says(
        &case,
        "ScopeMissing",
        "what was approved does not allow to read or change campaigns, ad groups and ads",
        &authorise_again(&case),
    );
    assert_eq!(
        connection["status"]["scopes"]["missing"],
        json!([
            "200 (Read Campaigns)",
            "210 (Read Ad Groups)",
            "220 (Read Ads)",
            "201 (Create and Update Campaigns)",
            "211 (Create and Update Ad Groups)",
            "221 (Create and Update Ads)",
        ])
    );
    case.campaign("fresh", spec(json!({"state": "Active"})));
    case.wait("fresh", "that it cannot be made", |object| {
        is(object, "ConnectionReadOnly")
    });
    nothing_written(&case);
    case.authorise(json!({}));
    case.wait_connection("Verified");
    case.wait_live("fresh");
}
