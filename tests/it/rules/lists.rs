//! R29, R30 and R32: mixed lists, what status does not carry, and finalizers.

use serde_json::{Value, json};

use super::{Case, condition, id, record, smart_plus, spec};

/// Room for 60 of ours beside 62.50 of theirs, but not if theirs counted twice.
fn tight(name: &str) -> Case {
    let case = Case::bare(name, json!({}));
    let total = json!({"maxDailyBudgetTotal": {"amount": "130", "currency": "USD"}});
    case.connect(json!({ "caps": total }));
    case.wait_connection("Verified");
    case
}

#[test]
fn r29_smart_plus_rows_in_manual_lists_are_not_taken_for_campaigns_of_their_own() {
    for knob in ["true", "false"] {
        for is_smart in ["true", "false"] {
            let case = tight("r29-mixed");
            case.knobs(
                json!({"manual_lists_smart_plus": knob, "upgraded_is_smart_performance": is_smart}),
            );
            let theirs = json!({"campaign_name": "Theirs", "operation_status": "ENABLE"});
            case.made_outside("smart_plus", theirs);
            case.campaign("ours", spec(json!({"state": "Active"})));
            case.wait_live("ours");
            // The same name in the other tree is taken once, by that campaign.
            case.campaign("taken", spec(json!({"name": "Theirs"})));
            let refused = case.wait_for("taken", "NameTaken");
            let said = condition(&refused, "Ready")["message"].as_str().unwrap();
            assert!(said.starts_with("campaign "), "{said}");
            case.campaign("smart", smart_plus(json!({"name": "Ours too"})));
            case.wait_for("smart", "Paused");
            case.sweeps("/campaign/get/");
            case.sweeps("/smart_plus/campaign/get/");
            assert_eq!(super::reason(&case.get("smart")), "Paused");
            assert_eq!(case.truth().len(), 3);
        }
    }
}

#[test]
fn r29_a_smart_plus_campaign_cannot_be_adopted_as_a_manual_one() {
    for knob in ["true", "false"] {
        let case = Case::new("r29-adopt");
        case.knobs(json!({"manual_lists_smart_plus": knob}));
        let theirs = case.made_outside("smart_plus", json!({"operation_status": "ENABLE"}));
        case.campaign("wrong", spec(json!({"externalId": theirs, "budget": null})));
        case.wait("wrong", "a refusal", |object| {
            super::is(object, "NotFoundOnPlatform") || super::is(object, "AdoptionMismatch")
        });
        assert_eq!(case.writes(), []);
        assert!(case.is_on(&theirs));
    }
}

#[test]
fn r29_pages_of_a_hundred_are_enough() {
    let case = Case::new("r29-pages");
    case.knobs(json!({"smart_plus_page_size_max": 100}));
    for n in 0..120 {
        case.made_outside("smart_plus", json!({"campaign_name": format!("n{n}")}));
    }
    case.campaign("smart", smart_plus(json!({"name": "n0"})));
    case.wait_for("smart", "NameTaken");
    let refused = case
        .requests("/smart_plus/campaign/get/")
        .iter()
        .filter(|entry| entry["code"] != 0)
        .count();
    assert_eq!(refused, 0);
}

#[test]
fn r30_spend_never_reaches_the_status() {
    let case = Case::new("r30");
    case.campaign("spring", spec(json!({"state": "Active"})));
    let id = id(&case.wait_live("spring"));
    case.sweeps("/campaign/get/");
    let before = case.get("spring");
    for _ in 0..3 {
        case.spend(&id, 4.5);
        case.sweeps("/campaign/get/");
    }
    let after = case.get("spring");
    assert_eq!(
        after["metadata"]["resourceVersion"],
        before["metadata"]["resourceVersion"]
    );
    let status = after["status"].to_string().to_lowercase();
    assert!(
        !status.contains("spend") && !status.contains("spent"),
        "{status}"
    );
}

#[test]
fn r32_a_deletion_during_an_unclear_create_waits_until_it_is_cleared_up() {
    for (effect, fault) in [
        (true, json!({"kind": "answer_lost"})),
        (true, json!({"kind": "effect_delay", "ms": 2500})),
        (false, json!({"kind": "cut_before"})),
    ] {
        let case = Case::new("r32-unclear");
        // Nothing can be looked up for a while, so that the deletion comes before the create is cleared up.
        let lost = json!({
            "kind": "error", "code": 50000, "message": "internal", "match": {"contains": "STATUS_ALL"},
        });
        case.fault("*campaign/get/", lost, 0);
        case.fault("*/campaign/create/", fault.clone(), 1);
        case.campaign("spring", spec(json!({"deletionPolicy": "Delete"})));
        case.until("the create", || {
            !case.requests("/campaign/create/").is_empty()
        });
        case.delete("campaigns", "spring");
        std::thread::sleep(std::time::Duration::from_secs(3));
        let held = case.get("spring");
        assert_eq!(
            held["metadata"]["finalizers"],
            json!(["tiktokads.dev/finalizer"]),
            "{fault}"
        );
        assert!(record(&held)["mark"].is_object());
        case.no_faults();
        case.wait_gone("campaigns", "spring");
        let truth = case.truth();
        assert_eq!(truth.len(), usize::from(effect), "{fault}");
        assert!(
            truth.iter().all(|row| row["deleted"] == true),
            "its policy: {truth:?}"
        );
    }
}

#[test]
fn r32_a_missing_finalizer_is_put_back() {
    let case = Case::new("r32-back");
    case.campaign("spring", spec(json!({})));
    case.wait_for("spring", "Paused");
    case.patch("spring", json!({"metadata": {"finalizers": null}}));
    case.wait("spring", "the finalizer", |object| {
        object["metadata"]["finalizers"] == json!(["tiktokads.dev/finalizer"])
    });
}

#[test]
fn r32_a_deletion_that_slipped_through_is_shown_as_orphaned() {
    let case = Case::new("r32-orphan");
    case.campaign("spring", spec(json!({"state": "Active"})));
    let id = id(&case.wait_live("spring"));
    // Its last pause cannot be made, so the object stays until somebody takes the finalizer off by hand. The API
    // server lets nobody put one on an object that is being deleted.
    let down = json!({"kind": "error", "code": 50000, "message": "internal"});
    case.fault("*/campaign/status/update/", down, 0);
    case.delete("campaigns", "spring");
    case.until("the pause to be tried", || {
        !case.requests("/campaign/status/update/").is_empty()
    });
    let held = case.get("spring");
    assert_eq!(
        held["metadata"]["finalizers"],
        json!(["tiktokads.dev/finalizer"])
    );
    case.patch("spring", json!({"metadata": {"finalizers": null}}));
    case.wait_gone("campaigns", "spring");
    let mut connection = Value::Null;
    case.until("the orphan to be shown", || {
        connection = case.read("tiktokconnections", "main").unwrap();
        connection["status"]["orphaned"]["ids"] == json!([id])
    });
    assert_eq!(connection["status"]["orphaned"]["count"], 1);
    // Nobody owns it any more, so it is shown and not touched.
    case.no_faults();
    case.sweeps("/campaign/get/");
    assert!(case.is_on(&id));
}
