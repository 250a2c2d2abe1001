//! R8: what each mode writes. The table is the rule.

use serde_json::{Value, json};

use super::{Case, banner, condition, id, reason, refused_banner, spec};

/// What happens to a running campaign whose object is deleted.
#[derive(Debug, PartialEq)]
enum Ends {
    /// The object goes, the campaign stays on.
    LeftOn,
    /// The object goes, the campaign is off.
    Paused,
    /// The object goes, the campaign is deleted.
    Deleted,
    /// The campaign is off, the object stays and says why.
    PausedAndHeld,
}

struct Mode {
    name: &'static str,
    creates: bool,
    edits: bool,
    enables: bool,
    pauses: bool,
    /// Deletion policies Retain, Pause, Delete.
    ends: [Ends; 3],
    finalizer: bool,
}

const MODES: [Mode; 4] = [
    Mode {
        name: "Enforce",
        creates: true,
        edits: true,
        enables: true,
        pauses: true,
        ends: [Ends::LeftOn, Ends::Paused, Ends::Deleted],
        finalizer: true,
    },
    Mode {
        name: "Suspend",
        creates: false,
        edits: false,
        enables: false,
        pauses: true,
        ends: [Ends::LeftOn, Ends::Paused, Ends::PausedAndHeld],
        finalizer: true,
    },
    Mode {
        name: "Plan",
        creates: false,
        edits: false,
        enables: false,
        pauses: false,
        ends: [Ends::LeftOn, Ends::LeftOn, Ends::LeftOn],
        finalizer: false,
    },
    Mode {
        name: "Observe",
        creates: false,
        edits: false,
        enables: false,
        pauses: false,
        ends: [Ends::LeftOn, Ends::LeftOn, Ends::LeftOn],
        finalizer: false,
    },
];

fn ended(case: &Case, name: &str, id: &str) -> Ends {
    let held = case.read("campaigns", name).is_ok();
    let deleted = case.row(id)["deleted"] == true;
    match (held, deleted, case.is_on(id)) {
        (false, true, _) => Ends::Deleted,
        (false, false, true) => Ends::LeftOn,
        (false, false, false) => Ends::Paused,
        (true, false, false) => Ends::PausedAndHeld,
        other => panic!("{name}: {other:?}"),
    }
}

fn writes_only_what_the_table_allows(mode: &Mode, on_the_connection: bool) {
    let case = Case::new("r08");
    case.campaign("edited", spec(json!({})));
    case.campaign("enabled", spec(json!({})));
    case.campaign("paused", spec(json!({})));
    let policies = ["Retain", "Pause", "Delete"];
    for policy in policies {
        let more = json!({"state": "Active", "deletionPolicy": policy});
        case.campaign(&policy.to_lowercase(), spec(more));
    }
    let [edited, enabled, paused] =
        ["edited", "enabled", "paused"].map(|name| id(&case.wait_for(name, "Paused")));
    let ending = policies.map(|policy| id(&case.wait_live(&policy.to_lowercase())));
    let names = ["edited", "enabled", "paused", "retain", "pause", "delete"];
    let own = if on_the_connection {
        case.edit_connection(json!({"mode": mode.name}));
        Value::Null
    } else {
        for name in names {
            case.edit(name, json!({"mode": mode.name}));
        }
        json!(mode.name)
    };
    for name in names {
        case.wait(name, "the mode to count", |object| {
            let status = &object["status"];
            status["effective"]["mode"] == mode.name
                && object["metadata"]["finalizers"].is_array() == mode.finalizer
        });
    }
    let before = case.writes().len();

    case.campaign("fresh", spec(json!({"mode": own})));
    case.edit("edited", json!({"budget": {"amount": "70"}}));
    case.edit("enabled", json!({"state": "Active"}));
    case.outside(&paused, "enable");
    for policy in policies {
        case.delete("campaigns", &policy.to_lowercase());
    }
    let fresh = case.wait("fresh", "an answer", |object| {
        matches!(
            (mode.name, reason(object)),
            ("Enforce", "Paused") | ("Suspend", "Suspended") | ("Plan" | "Observe", "WouldCreate")
        )
    });
    for (n, policy) in policies.iter().enumerate() {
        let name = policy.to_lowercase();
        if mode.ends[n] == Ends::PausedAndHeld {
            let held = case.wait_for(&name, "DeleteHeld");
            let message = condition(&held, "Ready")["message"].as_str().unwrap();
            assert!(
                message.contains("mode Suspend deletes nothing"),
                "{message}"
            );
        } else {
            case.wait_gone("campaigns", &name);
        }
    }
    if mode.pauses {
        case.until("the pause", || !case.is_on(&paused));
    }
    if mode.edits {
        case.until("the edit", || case.row(&edited)["fields"]["budget"] == 70.0);
    }
    if mode.enables {
        case.until("the enable", || case.is_on(&enabled));
    }
    case.sweeps("/campaign/get/");

    assert_eq!(fresh["status"]["id"].is_string(), mode.creates);
    assert_eq!(case.truth().len(), if mode.creates { 7 } else { 6 });
    assert_eq!(case.row(&edited)["fields"]["budget"] == 70.0, mode.edits);
    assert_eq!(case.is_on(&enabled), mode.enables);
    assert_eq!(!case.is_on(&paused), mode.pauses);
    for (n, policy) in policies.iter().enumerate() {
        assert_eq!(
            ended(&case, &policy.to_lowercase(), &ending[n]),
            mode.ends[n],
            "{policy}"
        );
    }
    let writes = case.writes().split_off(before);
    match mode.name {
        "Enforce" => {}
        "Suspend" => assert!(
            writes
                .iter()
                .all(|(_, body)| body["operation_status"] == "DISABLE"),
            "nothing but pauses: {writes:?}"
        ),
        _ => assert_eq!(writes, [], "nothing at all"),
    }
    if mode.ends[2] == Ends::PausedAndHeld {
        case.patch(
            "delete",
            json!({"metadata": {"annotations": {"tiktokads.dev/release": "true"}}}),
        );
        case.wait_gone("campaigns", "delete");
    }
}

#[test]
fn r08_enforce_writes_everything() {
    writes_only_what_the_table_allows(&MODES[0], false);
}

#[test]
fn r08_suspend_writes_nothing_but_pauses() {
    writes_only_what_the_table_allows(&MODES[1], false);
}

#[test]
fn r08_plan_writes_nothing_at_all() {
    writes_only_what_the_table_allows(&MODES[2], false);
}

#[test]
fn r08_observe_writes_nothing_at_all() {
    writes_only_what_the_table_allows(&MODES[3], false);
}

#[test]
fn r08_the_connections_mode_counts_for_all_its_campaigns() {
    writes_only_what_the_table_allows(&MODES[1], true);
    writes_only_what_the_table_allows(&MODES[3], true);
}

#[test]
fn r08_a_refused_token_allows_nothing_but_pauses_until_there_is_a_new_one() {
    let case = Case::new("r08-readonly");
    case.campaign("edited", spec(json!({})));
    case.campaign("enabled", spec(json!({})));
    case.campaign("paused", spec(json!({"state": "Active"})));
    let [edited, enabled] = ["edited", "enabled"].map(|name| id(&case.wait_for(name, "Paused")));
    let paused = id(&case.wait_live("paused"));
    case.sandbox(
        "POST",
        "/sandbox/tokens/revoke",
        &json!({"access_token": case.token}),
    );
    let refused = case.wait_connection("TokenRefused");
    assert_eq!(refused["status"]["phase"], "ReadOnly");
    assert_eq!(banner(&refused), refused_banner(&refused));

    let before = case.writes().len();
    case.campaign("fresh", spec(json!({})));
    case.edit("edited", json!({"budget": {"amount": "70"}}));
    case.edit("enabled", json!({"state": "Active"}));
    case.edit("paused", json!({"state": "Paused"}));
    for name in ["fresh", "edited", "enabled"] {
        case.wait_for(name, "ConnectionReadOnly");
    }
    case.until("the pause to be tried", || case.writes().len() > before);
    std::thread::sleep(std::time::Duration::from_secs(3));
    let tried = case.writes().split_off(before);
    assert!(
        tried.iter().all(|(path, body)| {
            path == "/campaign/status/update/"
                && body["operation_status"] == "DISABLE"
                && body["campaign_ids"] == json!([paused])
        }),
        "nothing but the pause: {tried:?}"
    );
    assert!(case.is_on(&paused), "TikTok refuses the pause too");
    assert_eq!(case.truth().len(), 3);

    let code = json!({"app_id": case.app, "advertiser_ids": [case.advertiser]});
    let made = case.sandbox("POST", "/sandbox/auth_codes", &code);
    let exchange =
        json!({"app_id": case.app, "secret": case.secret, "auth_code": made["auth_code"]});
    let token = case.exchange(&exchange);
    case.replace_secret("token", json!({"access_token": token}));
    let healed = case.wait_connection("Verified");
    assert_eq!(healed["status"]["phase"], "Active");
    assert!(healed["status"]["banner"].is_null(), "{}", healed["status"]);
    case.wait_for("fresh", "Paused");
    case.wait_for("edited", "Paused");
    case.wait_live("enabled");
    case.wait_for("paused", "Paused");
    assert_eq!(case.row(&edited)["fields"]["budget"], 70.0);
    assert!(case.is_on(&enabled));
    assert!(!case.is_on(&paused));
    assert_eq!(case.truth().len(), 4);
}
