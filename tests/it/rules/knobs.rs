//! What nobody outside TikTok knows must not matter: under each answer a campaign comes to its wanted state, once.

use serde_json::{Value, json};

use super::{Case, id, smart_plus, spec};

/// One value of one knob, and what of an account it needs to be met.
struct Answer {
    knob: &'static str,
    value: &'static str,
    account: Value,
}

fn answers() -> Vec<Answer> {
    let mut all = Vec::new();
    for (knob, values) in [
        ("request_id_scope", ["advertiser", "tree"]),
        ("request_id_lifetime_seconds", ["10", "forever"]),
        ("request_id_after_refusal", ["free", "used"]),
        ("name_scope", ["advertiser", "tree"]),
        ("name_match", ["exact", "ignoring_case"]),
        ("smart_plus_all_bad_code", ["20001", "40002"]),
        ("skan4", ["true", "false"]),
        ("status_precedence", ["account_first", "disable_first"]),
        ("limited_account_writes", ["accept", "refuse"]),
    ] {
        for value in values {
            let account = json!({});
            all.push(Answer {
                knob,
                value,
                account,
            });
        }
    }
    all
}

/// A campaign of each tree, whose create is refused once and whose answer is lost once, is on and then off.
fn comes_to_its_state(answer: &Answer) {
    let Answer {
        knob,
        value,
        account,
    } = answer;
    let case = Case::bare("knob", account.clone());
    case.knobs(json!({ *knob: value }));
    case.connect(json!({"caps": super::wide_caps()}));
    case.wait_connection("Verified");
    for create in ["*/v1.3/campaign/create/", "*/smart_plus/campaign/create/"] {
        let busy = json!({"kind": "error", "code": 50000, "message": "internal"});
        case.fault(create, busy, 1);
        case.fault(create, json!({"kind": "answer_lost"}), 1);
    }
    case.campaign("manual", spec(json!({"state": "Active", "name": "Spring"})));
    case.campaign(
        "smart",
        smart_plus(json!({"state": "Active", "name": "Autumn"})),
    );
    let ids = ["manual", "smart"].map(|name| id(&case.wait_live(name)));
    assert_eq!(case.truth().len(), 2, "{knob}={value}");
    for id in &ids {
        assert!(case.is_on(id), "{knob}={value}");
    }
    for name in ["manual", "smart"] {
        case.edit(name, json!({"state": "Paused"}));
    }
    for (name, id) in ["manual", "smart"].iter().zip(&ids) {
        case.wait_for(name, "Paused");
        assert!(!case.is_on(id), "{knob}={value}");
    }
    case.sweeps("/campaign/get/");
    assert_eq!(case.truth().len(), 2, "{knob}={value}");
}

#[test]
fn r09_no_answer_of_tiktoks_keeps_a_campaign_from_its_state_or_makes_a_second_one() {
    let answers = answers();
    std::thread::scope(|scope| {
        for part in answers.chunks(answers.len().div_ceil(6)) {
            scope.spawn(move || part.iter().for_each(comes_to_its_state));
        }
    });
}
