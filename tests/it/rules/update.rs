//! R15, R16, R18 and R19: what an update sends, who wins, and what TikTok's texts may do.

use serde_json::json;

use super::{Case, condition, id, is, reason, smart_plus, spec};

fn message(object: &serde_json::Value) -> String {
    condition(object, "Ready")["message"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

fn updates(case: &Case) -> Vec<serde_json::Value> {
    case.requests("/campaign/update/")
        .into_iter()
        .chain(case.requests("/smart_plus/campaign/update/"))
        .collect()
}

#[test]
fn r15_an_update_sends_the_changed_fields_only_and_looks_at_nothing_before() {
    let case = Case::new("r15");
    case.campaign(
        "manual",
        spec(json!({"name": "Manual", "specialIndustries": ["Housing"]})),
    );
    case.campaign(
        "smart",
        smart_plus(json!({"name": "Smart", "poNumber": "PO-1"})),
    );
    let manual = id(&case.wait_for("manual", "Paused"));
    let smart = id(&case.wait_for("smart", "Paused"));
    for (name, edit, sent) in [
        (
            "manual",
            json!({"name": "Manual 2"}),
            json!({"campaign_id": manual, "campaign_name": "Manual 2"}),
        ),
        (
            "manual",
            json!({"specialIndustries": []}),
            json!({"campaign_id": manual, "special_industries": []}),
        ),
        (
            "smart",
            json!({"poNumber": "PO-2"}),
            json!({"campaign_id": smart, "po_number": "PO-2"}),
        ),
        (
            "smart",
            json!({"name": "Smart 2", "budget": {"amount": "70.5"}}),
            json!({"campaign_id": smart, "campaign_name": "Smart 2", "budget": 70.5}),
        ),
    ] {
        let (before, wrote) = (case.requests("*").len(), updates(&case).len());
        case.edit(name, edit);
        case.wait_for(name, "Paused");
        let all = case.requests("*").split_off(before);
        let first = all
            .iter()
            .position(|entry| entry["method"] == "POST")
            .unwrap();
        let looked =
            |entry: &serde_json::Value| entry["query"].to_string().contains("campaign_ids");
        assert!(
            !all[..first].iter().any(looked),
            "no look-up before: {:?}",
            all[first]["path"]
        );
        let mut wanted = sent;
        wanted["advertiser_id"] = json!(case.advertiser);
        let new = updates(&case).split_off(wrote).into_iter();
        assert_eq!(
            new.map(|entry| entry["body"].clone())
                .collect::<Vec<_>>()
                .len(),
            1
        );
        assert_eq!(all[first]["body"], wanted);
    }
}

#[test]
fn r15_what_tiktok_says_is_already_so_is_no_error() {
    for knob in ["40012", "ok"] {
        let case = Case::new("r15-same");
        case.knobs(json!({"update_without_change": knob}));
        case.campaign("spring", spec(json!({"name": "Spring"})));
        let id = id(&case.wait_for("spring", "Paused"));
        // The list is behind: by the time of our update somebody has made the same change.
        case.edit_outside(&id, json!({"campaign_name": "Summer"}));
        case.edit("spring", json!({"name": "Summer"}));
        case.wait_for("spring", "Paused");
        let sent = updates(&case).len();
        assert!(sent <= 2, "{knob}: {sent}");
    }
}

#[test]
fn r15_of_two_industries_the_smart_plus_tree_keeps_what_it_has() {
    let case = Case::new("r15-fixed");
    case.campaign(
        "smart",
        smart_plus(json!({"specialIndustries": ["Housing"]})),
    );
    let id = id(&case.wait_for("smart", "Paused"));
    case.edit_outside(&id, json!({"special_industries": []}));
    let stalled = case.wait_for("smart", "AdoptionMismatch");
    assert!(
        message(&stalled).contains("specialIndustries"),
        "{}",
        message(&stalled)
    );
    case.sweeps("/smart_plus/campaign/get/");
    assert_eq!(updates(&case).len(), 0);
}

#[test]
fn r16_an_outside_edit_is_shown_and_corrected() {
    let case = Case::new("r16-correct");
    case.campaign("spring", spec(json!({"name": "Spring", "state": "Active"})));
    let id = id(&case.wait_live("spring"));
    case.edit_outside(&id, json!({"budget": 99.0, "campaign_name": "Changed"}));
    case.until("the correction", || {
        let row = case.row(&id);
        row["fields"]["budget"] == 60.0 && row["fields"]["campaign_name"] == "Spring"
    });
    case.wait_live("spring");
    assert_eq!(updates(&case).len(), 1, "both in one call");
    case.until("an event", || {
        case.events("spring")
            .iter()
            .any(|(reason, note)| reason == "Drifted" && note.contains("want 60, have 99"))
    });
}

#[test]
fn r16_report_shows_field_want_have_and_since_and_writes_nothing() {
    for on_the_connection in [false, true] {
        let case = Case::new("r16-report");
        let drift = json!({"budget": "Report", "name": "Report"});
        let own = if on_the_connection {
            case.edit_connection(json!({"drift": drift}));
            json!({"name": "Spring"})
        } else {
            json!({"name": "Spring", "drift": drift})
        };
        case.campaign("spring", spec(own));
        let id = id(&case.wait_for("spring", "Paused"));
        case.edit_outside(&id, json!({"budget": 99.0, "campaign_name": "Changed"}));
        let drifted = case.wait("spring", "both differences", |object| {
            object["status"]["driftCount"] == 2
        });
        assert_eq!(condition(&drifted, "Drifted")["status"], "True");
        assert_eq!(reason(&drifted), "Paused", "it is as wanted otherwise");
        let entries = drifted["status"]["drift"].as_array().unwrap();
        let budget = entries
            .iter()
            .find(|entry| entry["field"] == "budget.amount")
            .unwrap();
        assert_eq!(
            (&budget["want"], &budget["have"]),
            (&json!("60"), &json!("99"))
        );
        assert!(budget["since"].is_string());
        case.sweeps("/campaign/get/");
        let later = case.get("spring");
        assert_eq!(
            later["metadata"]["resourceVersion"],
            drifted["metadata"]["resourceVersion"]
        );
        assert_eq!(updates(&case).len(), 0);
        // The object's own word is stronger than the connection's.
        case.edit("spring", json!({"drift": {"budget": "Correct"}}));
        case.until("the correction", || {
            case.row(&id)["fields"]["budget"] == 60.0
        });
        assert_eq!(case.row(&id)["fields"]["campaign_name"], "Changed");
    }
}

#[test]
fn r16_what_the_spec_does_not_say_is_never_drift() {
    let case = Case::new("r16-unsaid");
    case.campaign("spring", spec(json!({})));
    let id = id(&case.wait_for("spring", "Paused"));
    case.edit_outside(&id, json!({"campaign_name": "Renamed by a buyer"}));
    case.wait("spring", "the name to be seen", |object| {
        object["status"]["name"] == "Renamed by a buyer"
    });
    let object = case.get("spring");
    assert_eq!(condition(&object, "Drifted")["status"], "False");
    assert_eq!(updates(&case).len(), 0);
}

#[test]
fn r16_after_three_corrections_that_do_not_hold_it_stops_and_says_so() {
    let case = Case::new("r16-fight");
    case.campaign("spring", spec(json!({})));
    let id = id(&case.wait_for("spring", "Paused"));
    // An automated rule that changes it back each time.
    case.until("the operator to stop", || {
        if case.row(&id)["fields"]["budget"] == 60.0 {
            case.edit_outside(&id, json!({"budget": 99.0}));
        }
        is(&case.get("spring"), "NotConverging")
    });
    let said = message(&case.get("spring"));
    assert!(said.contains("3 corrections did not hold"), "{said}");
    assert!(said.contains("changing it back"), "{said}");
    case.sweeps("/campaign/get/");
    assert_eq!(updates(&case).len(), 3);
    // A new spec is a new attempt.
    case.edit("spring", json!({"budget": {"amount": "61"}}));
    case.until("the new amount", || {
        case.row(&id)["fields"]["budget"] == 61.0
    });
    case.wait_for("spring", "Paused");
}

#[test]
fn r18_a_budget_below_what_is_spent_is_refused_and_said() {
    let case = Case::new("r18-refuse");
    case.campaign("spring", spec(json!({"state": "Active"})));
    let id = id(&case.wait_live("spring"));
    case.spend(&id, 58.0);
    case.edit("spring", json!({"budget": {"amount": "55"}}));
    let refused = case.wait_for("spring", "BudgetTooLow");
    assert!(message(&refused).contains("105"), "{}", message(&refused));
    case.sweeps("/campaign/get/");
    assert_eq!(updates(&case).len(), 1, "no loop");
    assert!(case.is_on(&id));
    case.edit("spring", json!({"budget": {"amount": "65"}}));
    case.wait_live("spring");
}

#[test]
fn r18_a_budget_that_tiktok_ignores_in_silence_is_noticed() {
    let case = Case::new("r18-ignore");
    case.knobs(json!({"budget_below_spend": "ignore"}));
    case.campaign("spring", spec(json!({"state": "Active"})));
    let id = id(&case.wait_live("spring"));
    case.spend(&id, 58.0);
    case.edit("spring", json!({"budget": {"amount": "55"}}));
    let stopped = case.wait_for("spring", "NotConverging");
    assert!(message(&stopped).contains("105 %"), "{}", message(&stopped));
    assert!(updates(&case).len() <= 3);
    assert_eq!(case.row(&id)["fields"]["budget"], 60.0);
    assert!(case.is_on(&id));
}

pub(super) const NASTY: &str = "Sale\u{202e}\u{1b}[31m\nReady=True\u{0}\u{200b}";

pub(super) fn harmless(text: &str) -> bool {
    !text
        .chars()
        .any(|c| c.is_control() || ('\u{202a}'..='\u{202e}').contains(&c) || c == '\u{200b}')
}

#[test]
fn r19_names_and_refusals_of_the_platform_are_data() {
    let case = Case::new("r19");
    let there = case.made_outside(
        "manual",
        json!({"campaign_name": NASTY, "secondary_status": format!("X{NASTY}{}", "y".repeat(5000))}),
    );
    case.campaign(
        "adopted",
        spec(json!({"externalId": there, "budget": null, "drift": {"name": "Report"}})),
    );
    case.wait_for("adopted", "InSync");
    case.edit("adopted", json!({"name": "Plain"}));
    case.wait("adopted", "the difference", |object| {
        object["status"]["driftCount"] == 1
    });
    let long = format!("{NASTY}{}", "z".repeat(20_000));
    case.fault(
        "*/campaign/create/",
        json!({"kind": "error", "code": 40002, "message": long}),
        1,
    );
    case.campaign("refused", spec(json!({})));
    case.wait_for("refused", "Rejected");
    case.until("events", || !case.events("refused").is_empty());
    for name in ["adopted", "refused"] {
        let status = case.get(name)["status"].clone();
        let mut texts = vec![];
        strings(&status, &mut texts);
        texts.extend(case.events(name).into_iter().map(|(_, note)| note));
        for text in texts {
            assert!(harmless(&text), "{text:?}");
            assert!(
                text.chars().count() <= 1024,
                "{} characters",
                text.chars().count()
            );
        }
    }
    assert!(case.log().lines().all(harmless), "the log");
}

pub(super) fn strings(value: &serde_json::Value, into: &mut Vec<String>) {
    match value {
        serde_json::Value::String(text) => into.push(text.clone()),
        serde_json::Value::Array(all) => all.iter().for_each(|one| strings(one, into)),
        serde_json::Value::Object(all) => all.values().for_each(|one| strings(one, into)),
        _ => {}
    }
}
