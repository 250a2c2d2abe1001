//! R1–R3 and R5–R7: on, off, and who decides it.

use serde_json::json;

use super::{Case, condition, id, is, reason, record, smart_plus, spec};

fn status_calls(case: &Case, to: &str) -> Vec<serde_json::Value> {
    case.requests("/campaign/status/update/")
        .into_iter()
        .chain(case.requests("/smart_plus/campaign/status/update/"))
        .filter(|entry| entry["body"]["operation_status"] == to)
        .collect()
}

#[test]
fn r01_an_outside_pause_is_respected_until_the_annotation_resumes() {
    let case = Case::new("r01-respect");
    case.campaign("spring", spec(json!({"state": "Active"})));
    let id = id(&case.wait_live("spring"));
    case.outside(&id, "pause");
    let paused = case.wait_for("spring", "PausedOutside");
    assert_eq!(condition(&paused, "PausedOutside")["status"], "True");
    assert_eq!(condition(&paused, "Ready")["status"], "True");
    assert_eq!(record(&paused)["seenOn"], true);
    // Seen again and again, it stays as the buyer left it.
    case.sweeps("/campaign/get/");
    assert!(!case.is_on(&id));
    assert_eq!(status_calls(&case, "ENABLE").len(), 1);
    case.patch(
        "spring",
        json!({"metadata": {"annotations": {"tiktokads.dev/resume": "1"}}}),
    );
    case.wait_live("spring");
    assert!(case.is_on(&id));
    // The annotation is obeyed once: the next outside pause is respected again.
    case.outside(&id, "pause");
    case.wait_for("spring", "PausedOutside");
    case.sweeps("/campaign/get/");
    assert!(!case.is_on(&id));
    assert_eq!(status_calls(&case, "ENABLE").len(), 2);
}

#[test]
fn r01_an_outside_pause_ends_when_the_state_is_changed() {
    let case = Case::new("r01-state");
    case.campaign("spring", spec(json!({"state": "Active"})));
    let id = id(&case.wait_live("spring"));
    case.outside(&id, "pause");
    case.wait_for("spring", "PausedOutside");
    case.edit("spring", json!({"state": "Paused"}));
    case.wait_for("spring", "Paused");
    case.edit("spring", json!({"state": "Active"}));
    case.wait_live("spring");
    assert!(case.is_on(&id));
}

#[test]
fn r01_enforce_switches_on_again() {
    let case = Case::new("r01-enforce");
    case.campaign(
        "spring",
        spec(json!({"state": "Active", "drift": {"state": "Enforce"}})),
    );
    let id = id(&case.wait_live("spring"));
    case.outside(&id, "pause");
    case.until("it to be on again", || case.is_on(&id));
    let live = case.wait_live("spring");
    assert!(condition(&live, "PausedOutside").is_null());
}

#[test]
fn r01_on_outside_is_switched_off_as_often_as_it_takes_with_a_warning_from_the_third() {
    let case = Case::new("r01-off");
    case.campaign("spring", spec(json!({"state": "Paused"})));
    let id = id(&case.wait_for("spring", "Paused"));
    for round in 1..=4 {
        case.outside(&id, "enable");
        case.until("it to be off again", || !case.is_on(&id));
        case.until("the pause to be counted", || {
            status_calls(&case, "DISABLE").len() >= round
        });
        case.wait_for("spring", "Paused");
        let warned = || {
            case.events("spring")
                .iter()
                .any(|(reason, _)| reason == "SwitchedOnOutside")
        };
        if round < 3 {
            assert!(!warned(), "round {round}");
        } else {
            case.until("a warning", warned);
        }
    }
}

#[test]
fn r01_what_was_seen_on_survives_the_loss_of_the_status() {
    let case = Case::new("r01-restore");
    case.campaign("spring", spec(json!({"state": "Active"})));
    let live = case.wait_live("spring");
    let id = id(&live);
    case.outside(&id, "pause");
    case.wait_for("spring", "PausedOutside");
    case.patch_status("spring", json!({"status": null}));
    let again = case.wait_for("spring", "PausedOutside");
    assert_eq!(again["status"]["id"], id);
    assert!(!case.is_on(&id));
    assert_eq!(status_calls(&case, "ENABLE").len(), 1);
}

#[test]
fn r02_an_edit_of_a_running_campaign_sends_one_update_and_no_status_call() {
    let case = Case::new("r02-edit");
    case.campaign("spring", spec(json!({"state": "Active", "name": "Spring"})));
    let id = id(&case.wait_live("spring"));
    let before = case.writes().len();
    case.edit(
        "spring",
        json!({"name": "Spring again", "budget": {"amount": "70"}}),
    );
    case.wait_live("spring");
    case.sweeps("/campaign/get/");
    let writes = case.writes().split_off(before);
    let [(path, body)] = writes.as_slice() else {
        panic!("{writes:?}")
    };
    assert_eq!(path, "/campaign/update/");
    assert_eq!(
        *body,
        json!({"advertiser_id": case.advertiser, "campaign_id": id, "campaign_name": "Spring again", "budget": 70})
    );
    assert!(case.is_on(&id));
}

#[test]
fn r02_a_wanted_pause_goes_before_edits_and_a_resume_after_them() {
    let case = Case::new("r02-order");
    case.campaign("spring", spec(json!({"state": "Active"})));
    case.wait_live("spring");
    let mut before = case.writes().len();
    for (state, amount, order) in [
        (
            "Paused",
            "70",
            ["/campaign/status/update/", "/campaign/update/"],
        ),
        (
            "Active",
            "80",
            ["/campaign/update/", "/campaign/status/update/"],
        ),
    ] {
        case.edit(
            "spring",
            json!({"state": state, "budget": {"amount": amount}}),
        );
        case.wait_for(
            "spring",
            if state == "Paused" {
                "Paused"
            } else {
                "InSync"
            },
        );
        let writes = case.writes().split_off(before);
        let paths: Vec<&str> = writes.iter().map(|(path, _)| path.as_str()).collect();
        assert_eq!(paths, order, "{state}");
        before += writes.len();
    }
}

#[test]
fn r03_what_is_not_said_of_our_own_is_paused() {
    let case = Case::new("r03-own");
    case.campaign("spring", spec(json!({})));
    let made = case.wait_for("spring", "Paused");
    assert_eq!(made["status"]["effective"]["state"], "Paused");
    assert_eq!(made["status"]["effective"]["deletionPolicy"], "Pause");
    assert!(
        made["spec"].get("state").is_none(),
        "no default in the schema"
    );
    assert!(made["spec"].get("deletionPolicy").is_none());
    let id = id(&made);
    case.outside(&id, "enable");
    case.until("it to be off again", || !case.is_on(&id));
}

#[test]
fn r03_an_adopted_active_campaign_is_neither_written_nor_paused_nor_touched_by_deletion() {
    for tree in ["manual", "smart_plus"] {
        let case = Case::new("r03-adopted");
        let id = case.made_outside(tree, json!({"operation_status": "ENABLE"}));
        let wanted = if tree == "manual" {
            json!({"externalId": id, "budget": null})
        } else {
            json!({"externalId": id, "budget": null, "budgetOptimization": null})
        };
        let wanted = if tree == "manual" {
            spec(wanted)
        } else {
            smart_plus(wanted)
        };
        case.campaign("spring", wanted);
        let adopted = case.wait_for("spring", "InSync");
        assert_eq!(adopted["status"]["effective"]["state"], "Unmanaged");
        assert_eq!(adopted["status"]["effective"]["deletionPolicy"], "Retain");
        assert_eq!(adopted["status"]["operationStatus"], "On");
        case.outside(&id, "pause");
        case.wait("spring", "the pause to be seen", |object| {
            object["status"]["operationStatus"] == "Off"
        });
        assert_eq!(
            reason(&case.get("spring")),
            "InSync",
            "off is as good as on"
        );
        case.outside(&id, "enable");
        case.wait("spring", "the resume to be seen", |object| {
            object["status"]["operationStatus"] == "On"
        });
        case.delete("campaigns", "spring");
        case.wait_gone("campaigns", "spring");
        assert!(case.is_on(&id));
        assert_eq!(case.writes(), [], "{tree}");
    }
}

/// Several campaigns of one tree are to be paused together while one of the ids is bad; `knobs` say how TikTok answers.
fn one_bad_id(name: &str, tree: &str, knobs: serde_json::Value) {
    let case = Case::new(name);
    case.knobs(knobs);
    let ids: Vec<String> = (0..5)
        .map(|n| {
            let fields = json!({"campaign_name": format!("{n}"), "operation_status": "ENABLE"});
            case.made_outside(tree, fields)
        })
        .collect();
    for (n, id) in ids.iter().enumerate() {
        let more = json!({"externalId": id, "budget": null, "budgetOptimization": null, "state": "Active"});
        let wanted = if tree == "manual" {
            spec(more)
        } else {
            smart_plus(more)
        };
        case.campaign(&format!("c{n}"), wanted);
    }
    for n in 0..ids.len() {
        case.wait(&format!("c{n}"), "it to be adopted", |object| {
            is(object, "InSync")
        });
    }
    // The list goes on showing it as it was, so the operator cannot know.
    case.fault(
        "*campaign/get/",
        json!({"kind": "late_listing", "ms": 6000}),
        6,
    );
    case.outside(&ids[2], "delete");
    for n in 0..ids.len() {
        case.edit(&format!("c{n}"), json!({"state": "Paused"}));
    }
    for (n, id) in ids.iter().enumerate().filter(|(n, _)| *n != 2) {
        case.until("the good ones to be off", || !case.is_on(id));
        case.wait_for(&format!("c{n}"), "Paused");
    }
    case.wait_for("c2", "ExternallyDeleted");
}

#[test]
fn r05_one_bad_id_never_holds_other_pauses_when_tiktok_refuses_all() {
    one_bad_id(
        "r05-fail",
        "manual",
        json!({"manual_status_bad_id": "fail"}),
    );
}

#[test]
fn r05_one_bad_id_never_holds_other_pauses_when_tiktok_skips_it() {
    one_bad_id(
        "r05-skip",
        "manual",
        json!({"manual_status_bad_id": "skip"}),
    );
}

#[test]
fn r05_one_bad_id_never_holds_other_pauses_in_smart_plus_with_partial_success() {
    one_bad_id(
        "r05-partial",
        "smart_plus",
        json!({"smart_plus_status_bad_id": "partial"}),
    );
    one_bad_id(
        "r05-partial0",
        "smart_plus",
        json!({"smart_plus_partial_code": "0"}),
    );
}

#[test]
fn r05_one_bad_id_never_holds_other_pauses_in_smart_plus_when_all_is_refused() {
    one_bad_id(
        "r05-spfail",
        "smart_plus",
        json!({"smart_plus_status_bad_id": "fail"}),
    );
}

#[test]
fn r05_the_code_for_a_missing_campaign_does_not_matter() {
    for code in ["40002", "40007", "40001"] {
        one_bad_id("r05-code", "manual", json!({"missing_campaign_code": code}));
    }
}

#[test]
fn r06_a_throttled_account_still_gets_its_pauses() {
    let case = Case::new("r06");
    case.campaign("on", spec(json!({"state": "Active"})));
    let on = id(&case.wait_live("on"));
    // Everything but status calls is refused as too much; TikTok says for how long.
    case.fault(
        "*/campaign/get/",
        json!({"kind": "error", "code": 40100, "message": "Too many requests: QPM limit reached."}),
        0,
    );
    case.until("the throttle to be met", || {
        let all = case.requests("*");
        all.iter().any(|entry| entry["code"] == 40100)
    });
    case.campaign("new", spec(json!({"state": "Active"})));
    case.edit("on", json!({"state": "Paused"}));
    case.until("the pause", || !case.is_on(&on));
    assert_eq!(case.truth().len(), 1, "a create has to wait");
}

/// An app promotion campaign dedicated to iOS 14.
fn dedicated(more: serde_json::Value) -> serde_json::Value {
    let mut all = json!({
        "objective": "AppPromotion", "campaignType": "Ios14", "appPromotionType": "AppInstall",
        "appId": "7000000000000000099", "state": "Active",
    });
    super::merge(&mut all, more);
    spec(all)
}

#[test]
fn r07_the_window_is_sent_on_create_and_with_a_pause_that_was_asked_for() {
    for knob in ["mode1", "unset"] {
        let case = Case::new("r07-window");
        case.knobs(json!({"dedicated_created_disabled": knob}));
        case.campaign("ios", dedicated(json!({"postbackWindowMode": "Mode2"})));
        let live = case.wait_live("ios");
        assert!(condition(&live, "PauseNeedsWindow").is_null());
        let id = id(&live);
        let (_, create) = &case.writes()[0];
        assert_eq!(
            create["postback_window_mode"], "POSTBACK_WINDOW_MODE2",
            "{knob}"
        );
        case.edit("ios", json!({"state": "Paused"}));
        case.wait_for("ios", "Paused");
        assert!(!case.is_on(&id));
        let pauses = status_calls(&case, "DISABLE");
        assert_eq!(pauses.len(), 1);
        assert_eq!(
            pauses[0]["body"]["postback_window_mode"],
            "POSTBACK_WINDOW_MODE2"
        );
        assert_eq!(
            case.row(&id)["fields"]["postback_window_mode"],
            "POSTBACK_WINDOW_MODE2",
            "{knob}"
        );
    }
}

#[test]
fn r07_without_a_window_the_status_warns_and_the_pause_still_goes_through() {
    let case = Case::new("r07-unset");
    case.knobs(json!({"dedicated_created_disabled": "unset"}));
    case.campaign("ios", dedicated(json!({})));
    let live = case.wait_live("ios");
    let warning = condition(&live, "PauseNeedsWindow");
    assert!(
        warning["message"]
            .as_str()
            .unwrap_or_default()
            .contains("MODE1"),
        "{live}"
    );
    let id = id(&live);
    case.delete("campaigns", "ios");
    case.wait_gone("campaigns", "ios");
    assert!(!case.is_on(&id));
    let pauses = status_calls(&case, "DISABLE");
    assert!(pauses[0]["body"].get("postback_window_mode").is_none());
    assert_eq!(
        case.row(&id)["fields"]["postback_window_mode"],
        "POSTBACK_WINDOW_MODE1"
    );
}

#[test]
fn r07_a_hold_never_pauses_a_dedicated_campaign_by_itself() {
    let case = Case::new("r07-hold");
    case.campaign("ios", dedicated(json!({"postbackWindowMode": "Mode1"})));
    let id = id(&case.wait_live("ios"));
    case.edit_connection(json!({"caps": {"maxDailyBudgetPerObject": {"amount": "30"}}}));
    let held = case.wait_for("ios", "CeilingReached");
    let message = condition(&held, "Ready")["message"].as_str().unwrap();
    assert!(message.contains("is never paused by itself"), "{message}");
    case.sweeps("/campaign/get/");
    assert!(case.is_on(&id));
    assert_eq!(status_calls(&case, "DISABLE").len(), 0);
}

#[test]
fn r07_a_refused_switching_on_again_is_said() {
    let case = Case::new("r07-again");
    case.knobs(json!({"dedicated_reenable": "refuse"}));
    case.campaign("ios", dedicated(json!({"postbackWindowMode": "Mode1"})));
    case.wait_live("ios");
    case.edit("ios", json!({"state": "Paused"}));
    case.wait_for("ios", "Paused");
    case.edit("ios", json!({"state": "Active"}));
    let refused = case.wait_for("ios", "Rejected");
    let message = condition(&refused, "Ready")["message"].as_str().unwrap();
    assert!(message.contains("cannot be enabled again"), "{message}");
    case.sweeps("/campaign/get/");
    assert_eq!(status_calls(&case, "ENABLE").len(), 2, "no loop");
}

#[test]
fn r04_an_enable_refused_in_review_is_progress_and_never_a_loop() {
    for (knob, refused) in [("accept", false), ("refuse", true)] {
        let case = Case::bare("r04", json!({"status": "STATUS_PENDING_VERIFIED"}));
        case.knobs(json!({"enable_in_review": knob}));
        case.connect(json!({"caps": super::wide_caps()}));
        case.wait_connection("AccountRestricted");
        case.campaign("spring", spec(json!({"state": "Active"})));
        if refused {
            let waiting = case.wait_for("spring", "InReview");
            assert_eq!(condition(&waiting, "Ready")["status"], "True");
            assert_eq!(condition(&waiting, "Approved")["status"], "Unknown");
            assert_eq!(condition(&waiting, "Delivering")["status"], "False");
            case.sweeps("/campaign/get/");
            assert_eq!(status_calls(&case, "ENABLE").len(), 1, "never in a loop");
            // The review ends: what it kept off is tried again.
            case.account(json!({"status": "STATUS_ENABLE"}));
            case.knobs(json!({"enable_in_review": "accept"}));
        }
        case.wait("spring", "it to be on", |object| {
            object["status"]["operationStatus"] == "On"
        });
    }
}
