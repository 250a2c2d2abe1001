//! R9–R13: one campaign per object, switched off, and only where it may be made.

use serde_json::json;
use tiktok_ads_operator::model::key;

use super::{Case, condition, id, record, smart_plus, spec};

fn message(object: &serde_json::Value) -> String {
    condition(object, "Ready")["message"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

fn creates(case: &Case) -> Vec<serde_json::Value> {
    case.requests("/campaign/create/")
        .into_iter()
        .chain(case.requests("/smart_plus/campaign/create/"))
        .collect()
}

#[test]
fn r09_a_taken_name_in_either_tree_is_refused_with_the_line_to_add() {
    for tree in ["manual", "smart_plus"] {
        let case = Case::new("r09-taken");
        let there = case.made_outside(tree, json!({"campaign_name": "Spring"}));
        case.campaign("spring", spec(json!({"name": "Spring", "state": "Active"})));
        let refused = case.wait_for("spring", "NameTaken");
        let said = message(&refused);
        assert!(said.contains(&format!("externalId: \"{there}\"")), "{said}");
        assert_eq!(condition(&refused, "Stalled")["status"], "True");
        case.sweeps("/campaign/get/");
        assert_eq!(case.truth().len(), 1);
        assert_eq!(case.writes(), []);
        // A name that differs in case alone is another name.
        case.campaign("other", spec(json!({"name": "spring"})));
        case.wait_for("other", "Paused");
    }
}

#[test]
fn r09_same_name_adopts_what_agrees_and_refuses_what_cannot_be_changed() {
    let case = Case::new("r09-same");
    let fields =
        json!({"campaign_name": "Spring", "budget_mode": "BUDGET_MODE_DAY", "budget": 60.0});
    let there = case.made_outside("manual", fields);
    let other = json!({"campaign_name": "Reach", "objective_type": "REACH"});
    case.made_outside("manual", other);
    case.campaign(
        "spring",
        spec(json!({"name": "Spring", "adoption": "SameName"})),
    );
    case.campaign(
        "reach",
        spec(json!({"name": "Reach", "adoption": "SameName"})),
    );
    assert_eq!(id(&case.wait_for("spring", "InSync")), there);
    let refused = case.wait_for("reach", "NameTaken");
    assert!(
        message(&refused).contains("another objective"),
        "{}",
        message(&refused)
    );
    assert_eq!(case.writes(), []);
}

#[test]
fn r09_of_two_objects_with_one_name_the_younger_waits() {
    let case = Case::new("r09-two");
    case.campaign("elder", spec(json!({"name": "Spring"})));
    case.wait_for("elder", "Paused");
    case.campaign("younger", spec(json!({"name": "Spring"})));
    let refused = case.wait_for("younger", "Conflict");
    assert!(
        message(&refused).contains("/elder"),
        "{}",
        message(&refused)
    );
    assert_eq!(case.truth().len(), 1);
}

#[test]
fn r09_the_name_of_a_deleted_campaign() {
    for (unique, of_deleted, wanted) in [
        ("true", "taken", "Paused"),
        ("false", "free", "Paused"),
        ("false", "taken", "NameTaken"),
    ] {
        let case = Case::new("r09-deleted");
        case.knobs(json!({"request_id_duplicate_names": unique, "name_of_deleted": of_deleted}));
        let gone = case.made_outside("manual", json!({"campaign_name": "Spring"}));
        case.outside(&gone, "delete");
        case.campaign("spring", spec(json!({"name": "Spring"})));
        case.wait_for("spring", wanted);
        case.sweeps("/campaign/get/");
        assert!(creates(&case).len() <= 1, "no loop");
    }
}

#[test]
fn r09_a_name_that_lists_did_not_show_yet_is_refused_by_tiktok_and_recognised() {
    let case = Case::new("r09-late");
    case.knobs(json!({"request_id_duplicate_names": "false", "listing_lag_seconds": 5}));
    case.made_outside("manual", json!({"campaign_name": "Spring"}));
    case.campaign("spring", spec(json!({"name": "Spring"})));
    case.wait_for("spring", "NameTaken");
    assert_eq!(case.truth().len(), 1);
}

#[test]
fn r10_the_key_is_derived_recorded_and_shown() {
    let case = Case::new("r10-key");
    case.campaign("spring", spec(json!({})));
    let made = case.wait_for("spring", "Paused");
    let derived = key::request_id(
        &case.advertiser,
        "Campaign",
        &case.namespace,
        "spring",
        0,
        0,
    );
    assert!(derived.parse::<u64>().unwrap() < 1 << 63);
    assert_eq!(creates(&case)[0]["body"]["request_id"], derived);
    assert_eq!(record(&made)["key"], derived);
    assert_eq!(made["status"]["idempotency"]["key"], derived);
    assert_eq!(made["status"]["idempotency"]["outcome"], "Stored");
    // The incarnation enters it.
    case.outside(&id(&made), "delete");
    let gone = case.wait_for("spring", "ExternallyDeleted");
    assert!(
        message(&gone).contains("spec.incarnation: 1"),
        "{}",
        message(&gone)
    );
    case.edit("spring", json!({"incarnation": 1}));
    let again = case.wait("spring", "the next incarnation", |object| {
        super::is(object, "Paused") && id(object) != id(&made)
    });
    let derived = key::request_id(
        &case.advertiser,
        "Campaign",
        &case.namespace,
        "spring",
        1,
        0,
    );
    assert_eq!(record(&again)["key"], derived);
}

/// The same object made anew under a key that TikTok has seen: `deleted` says whether its first campaign was deleted.
fn replay(knobs: serde_json::Value, deleted: bool) -> (Case, String, serde_json::Value) {
    let case = Case::new("r10-replay");
    case.knobs(knobs);
    let wanted = || spec(json!({"name": "Spring", "deletionPolicy": "Retain"}));
    case.campaign("spring", wanted());
    let first = id(&case.wait_for("spring", "Paused"));
    case.delete("campaigns", "spring");
    case.wait_gone("campaigns", "spring");
    if deleted {
        case.outside(&first, "delete");
    } else {
        case.edit_outside(&first, json!({"campaign_name": "Renamed since"}));
    }
    case.campaign("spring", wanted());
    let again = case.wait_for("spring", "Paused");
    (case, first, again)
}

#[test]
fn r10_a_replay_without_a_live_match_takes_the_next_key() {
    for knobs in [
        json!({"request_id_replay": "40050"}),
        json!({"request_id_replay": "40002"}),
    ] {
        for deleted in [false, true] {
            let (case, first, again) = replay(knobs.clone(), deleted);
            assert_ne!(id(&again), first, "{knobs} {deleted}");
            assert_eq!(record(&again)["counter"], 1);
            assert_eq!(again["status"]["idempotency"]["counter"], 1);
            assert_eq!(case.truth().len(), 2);
            let second = key::request_id(
                &case.advertiser,
                "Campaign",
                &case.namespace,
                "spring",
                0,
                1,
            );
            assert_eq!(record(&again)["key"], second);
        }
    }
}

#[test]
fn r10_a_replay_that_answers_with_the_original_is_the_original() {
    let (case, first, again) = replay(json!({"request_id_replay": "original"}), false);
    assert_eq!(id(&again), first);
    assert_eq!(case.truth().len(), 1);
}

#[test]
fn r10_a_replay_that_answers_with_a_deleted_original_takes_the_next_key() {
    for word in ["DISABLE", "DELETE", "last"] {
        for by_id in ["hidden", "shown"] {
            let knobs = json!({
                "request_id_replay": "original", "deleted_operation_status": word, "deleted_by_id": by_id,
            });
            let (case, first, again) = replay(knobs, true);
            assert_ne!(id(&again), first, "{word} {by_id}");
            assert_eq!(case.truth().len(), 2);
            assert_eq!(record(&again)["counter"], 1);
        }
    }
}

#[test]
fn r10_the_key_of_a_deleted_campaign_may_make_a_new_one() {
    let (case, first, again) = replay(json!({"request_id_of_deleted": "create"}), true);
    assert_ne!(id(&again), first);
    assert_eq!(record(&again)["counter"], 0);
    assert_eq!(case.truth().len(), 2);
}

/// A create that goes wrong in some way ends with one live campaign that was created once.
fn ends_with_one(name: &str, knobs: serde_json::Value, fault: serde_json::Value) -> Case {
    let case = Case::new(name);
    case.knobs(knobs);
    let (smart, manual) = (fault.clone(), fault);
    case.fault("/open_api/v1.3/campaign/create/", manual, 1);
    case.fault("/open_api/v1.3/smart_plus/campaign/create/", smart, 1);
    case.campaign("manual", spec(json!({"state": "Active"})));
    case.campaign("smart", smart_plus(json!({"state": "Active"})));
    let (manual, smart) = (case.wait_live("manual"), case.wait_live("smart"));
    case.sweeps("/campaign/get/");
    let truth = case.truth();
    assert_eq!(truth.len(), 2, "{truth:#?}");
    assert_ne!(id(&manual), id(&smart));
    assert!(record(&manual)["mark"].is_null());
    case
}

#[test]
fn r11_a_lost_answer_is_looked_up_and_never_sent_again() {
    let case = ends_with_one("r11-lost", json!({}), json!({"kind": "answer_lost"}));
    assert_eq!(creates(&case).len(), 2);
}

#[test]
fn r11_a_broken_answer_is_looked_up_and_never_sent_again() {
    let case = ends_with_one("r11-broken", json!({}), json!({"kind": "malformed_body"}));
    assert_eq!(creates(&case).len(), 2);
    let fault = json!({"kind": "http_status", "status": 502, "after_effect": true});
    let case = ends_with_one("r11-502", json!({}), fault);
    assert_eq!(creates(&case).len(), 2);
}

#[test]
fn r11_an_answer_later_than_the_deadline_is_looked_up() {
    let case = ends_with_one("r11-slow", json!({}), json!({"kind": "delay", "ms": 5000}));
    assert_eq!(creates(&case).len(), 2);
}

#[test]
fn r11_a_create_that_never_arrived_is_sent_again_after_two_spaced_look_ups() {
    for fault in [
        json!({"kind": "cut_before"}),
        json!({"kind": "http_status", "status": 502}),
    ] {
        let case = ends_with_one("r11-cut", json!({}), fault);
        let [first, .., second] = &case.requests("/campaign/create/")[..] else {
            panic!("one create")
        };
        assert_eq!(first["body"]["request_id"], second["body"]["request_id"]);
        let between = case
            .requests("/campaign/get/")
            .iter()
            .filter(|entry| {
                entry["query"]["filtering"]
                    .as_str()
                    .is_some_and(|text| text.contains("campaign_name"))
                    && entry["number"].as_u64() > first["number"].as_u64()
                    && entry["number"].as_u64() < second["number"].as_u64()
            })
            .map(|entry| entry["at"].as_i64().unwrap())
            .collect::<Vec<_>>();
        assert!(between.len() >= 2, "{between:?}");
        assert!(
            between[between.len() - 1] - between[0] >= 1000,
            "spaced: {between:?}"
        );
    }
}

#[test]
fn r11_an_effect_that_comes_late_is_found() {
    // Within the deadline that the mark has: the second look-up sees it.
    let case = ends_with_one(
        "r11-effect",
        json!({}),
        json!({"kind": "effect_delay", "ms": 2500}),
    );
    assert_eq!(creates(&case).len(), 2);
}

#[test]
fn r11_a_list_that_shows_it_late_is_waited_for() {
    let knobs = json!({"listing_lag_seconds": 3});
    let case = ends_with_one("r11-lag", knobs, json!({"kind": "answer_lost"}));
    assert_eq!(creates(&case).len(), 2);
}

#[test]
fn r11_late_look_ups_by_id_do_not_make_a_second_one() {
    for knobs in [
        json!({"lookup_lag_seconds": 1}),
        json!({"lookup_lag_seconds": 4, "listing_lag_seconds": 4}),
        json!({"edit_lag_seconds": 1}),
    ] {
        let case = Case::new("r11-readback");
        case.knobs(knobs);
        case.campaign("spring", spec(json!({"state": "Active"})));
        case.wait_live("spring");
        case.sweeps("/campaign/get/");
        assert_eq!(case.truth().len(), 1);
        assert_eq!(creates(&case).len(), 1);
    }
}

#[test]
fn r12_what_cannot_be_created_is_said_and_not_sent() {
    let case = Case::new("r12-table");
    for (n, objective) in ["ProductSales", "RfReach"].iter().enumerate() {
        case.campaign(&format!("c{n}"), spec(json!({"objective": objective})));
        let refused = case.wait_for(&format!("c{n}"), "NotCreatable");
        assert!(
            message(&refused).contains("externalId"),
            "{}",
            message(&refused)
        );
    }
    case.campaign("smart", smart_plus(json!({"objective": "Traffic"})));
    case.wait_for("smart", "NotCreatable");
    assert_eq!(case.writes(), []);
}

#[test]
fn r12_tiktoks_own_refusal_of_the_manual_tree_is_recognised() {
    for code in ["40002", "40118", "41001"] {
        let case = Case::new("r12-cutoff");
        case.knobs(json!({"manual_cutoff": "2020-01-01", "manual_cutoff_code": code}));
        case.campaign("web", spec(json!({"objective": "WebConversions"})));
        let refused = case.wait_for("web", "UseSmartPlus");
        assert_eq!(condition(&refused, "Stalled")["status"], "True", "{code}");
        case.sweeps("/campaign/get/");
        assert_eq!(creates(&case).len(), 1, "no loop");
        assert_eq!(case.truth().len(), 0);
    }
}

#[test]
fn r12_before_the_cutoff_the_manual_tree_takes_it() {
    let case = Case::new("r12-before");
    case.knobs(json!({"manual_cutoff": "never"}));
    case.campaign("web", spec(json!({"objective": "WebConversions"})));
    case.wait_for("web", "Paused");
}

#[test]
fn r12_a_missing_allowlist_is_recognised_and_a_new_spec_tries_again() {
    let case = Case::new("r12-allow");
    case.knobs(json!({"allowlist": "RTA"}));
    let wanted = json!({"objective": "Reach", "budget": {"mode": "DynamicDaily"}});
    case.campaign("reach", spec(wanted));
    case.wait_for("reach", "NotAllowlisted");
    assert_eq!(creates(&case).len(), 1);
    case.knobs(json!({"allowlist": "RTA,DYNAMIC_DAILY"}));
    case.edit("reach", json!({"budget": {"amount": "61"}}));
    case.wait_for("reach", "Paused");
}

#[test]
fn r12_with_an_external_id_every_objective_is_managed() {
    let case = Case::new("r12-managed");
    for (n, objective, word) in [
        (0, "ProductSales", "PRODUCT_SALES"),
        (1, "RfReach", "RF_REACH"),
        (2, "WebConversions", "WEB_CONVERSIONS"),
    ] {
        let fields = json!({
            "campaign_name": word, "objective_type": word, "budget_mode": "BUDGET_MODE_DAY", "budget": 60.0,
        });
        let there = case.made_outside("manual", fields);
        let more = json!({
            "objective": objective, "externalId": there, "budget": {"amount": "75"}, "state": "Active",
        });
        case.campaign(&format!("c{n}"), spec(more));
        case.wait_live(&format!("c{n}"));
        assert_eq!(case.row(&there)["fields"]["budget"], 75.0);
        assert!(case.is_on(&there));
    }
}

#[test]
fn r13_what_spends_is_said_on_every_create() {
    let case = Case::new("r13");
    case.campaign("manual", spec(json!({"state": "Active"})));
    case.campaign(
        "smart",
        smart_plus(json!({"budget": null, "budgetOptimization": null, "state": "Active"})),
    );
    case.campaign("cbo", smart_plus(json!({"state": "Paused"})));
    case.wait_live("manual");
    case.wait_for("cbo", "Paused");
    // Without a budget of its own nobody can say what it may spend.
    case.wait_for("smart", "CeilingUnknown");
    let all = creates(&case);
    assert_eq!(all.len(), 3);
    for create in &all {
        let body = &create["body"];
        assert_eq!(body["operation_status"], "DISABLE");
        assert_eq!(body["budget_optimize_on"], body["campaign_name"] == "cbo");
        assert!(body["request_id"].is_string());
        for unsaid in [
            "budget_auto_adjust_strategy",
            "rta_bid_enabled",
            "is_search_campaign",
        ] {
            assert!(body.get(unsaid).is_none(), "{unsaid}");
        }
        if body["campaign_name"] == "smart" {
            assert!(
                body.get("budget_mode").is_none(),
                "only with budget optimisation"
            );
        }
    }
}
