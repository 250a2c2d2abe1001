//! R22 (the light part) and R25: leaving, and what is in URLs.

use serde_json::json;

use super::{Case, banner, condition, id, refused_banner, spec};

#[test]
fn r22_a_connection_that_is_deleted_alone_leaves_campaigns_as_they_are_and_says_which_are_on() {
    let case = Case::new("r22-alone");
    case.campaign("spring", spec(json!({"state": "Active"})));
    let id = id(&case.wait_live("spring"));
    case.read("secrets", "main-tiktok-token").unwrap();
    case.delete("tiktokconnections", "main");
    case.wait_gone("tiktokconnections", "main");
    case.wait_gone("secrets", "main-tiktok-token");
    assert!(case.is_on(&id));
    assert!(
        case.read("secrets", "token").is_ok(),
        "the user's own Secret stays"
    );
    let revoked = case.requests("/oauth2/revoke_token/").len();
    assert_eq!(revoked, 0, "an imported token is never revoked");
    case.wait_for("spring", "Disconnected");
    case.until("the last event", || {
        case.events("main")
            .iter()
            .any(|(_, note)| note.contains(&id))
    });
}

#[test]
fn r22_children_that_are_deleted_together_get_their_policy_first() {
    let case = Case::new("r22-together");
    case.campaign("pause", spec(json!({"state": "Active"})));
    case.campaign(
        "delete",
        spec(json!({"state": "Active", "deletionPolicy": "Delete"})),
    );
    case.campaign(
        "retain",
        spec(json!({"state": "Active", "deletionPolicy": "Retain"})),
    );
    let [pause, delete, retain] =
        ["pause", "delete", "retain"].map(|name| id(&case.wait_live(name)));
    case.delete("tiktokconnections", "main");
    for name in ["pause", "delete", "retain"] {
        case.delete("campaigns", name);
    }
    case.wait_gone("tiktokconnections", "main");
    for name in ["pause", "delete", "retain"] {
        assert!(case.read("campaigns", name).is_err(), "{name}");
    }
    assert!(!case.is_on(&pause));
    assert!(case.row(&delete)["deleted"] == true);
    assert!(case.is_on(&retain));
}

#[test]
fn r21_a_token_that_is_refused_makes_the_connection_read_only_and_a_new_one_heals_it() {
    let case = Case::new("r21-refused");
    case.campaign("spring", spec(json!({"state": "Active"})));
    case.wait_live("spring");
    case.sandbox(
        "POST",
        "/sandbox/tokens/revoke",
        &json!({"access_token": case.token}),
    );
    let refused = case.wait_connection("TokenRefused");
    assert_eq!(refused["status"]["phase"], "ReadOnly");
    assert_eq!(banner(&refused), refused_banner(&refused));
    // The sandbox knows one more token for this account: a new exchange.
    let code = json!({"app_id": case.app, "advertiser_ids": [case.advertiser]});
    let made = case.sandbox("POST", "/sandbox/auth_codes", &code);
    let exchange =
        json!({"app_id": case.app, "secret": case.secret, "auth_code": made["auth_code"]});
    let token = case.exchange(&exchange);
    case.replace_secret("token", json!({"access_token": token}));
    case.wait_connection("Verified");
    case.edit("spring", json!({"state": "Paused"}));
    case.wait_for("spring", "Paused");
}

#[test]
fn r25_the_app_secret_is_in_no_url_that_is_logged_or_shown() {
    let case = Case::bare("r25", json!({}));
    // The check carries the app secret in its query; every way for it to fail.
    for fault in [
        json!({"kind": "cut_before"}),
        json!({"kind": "answer_lost"}),
        json!({"kind": "malformed_body"}),
        json!({"kind": "http_status", "status": 404}),
        json!({"kind": "http_status", "status": 502}),
        json!({"kind": "error", "code": 40105, "message": "Access token is incorrect or has been revoked."}),
        json!({"kind": "error", "code": 40002, "message": "secret: Invalid value."}),
    ] {
        case.fault_anywhere("*/oauth2/advertiser/get/", &case.app, fault);
    }
    case.connect(json!({"caps": super::wide_caps()}));
    case.wait_connection("Verified");
    let connection = case.read("tiktokconnections", "main").unwrap();
    assert_eq!(condition(&connection, "Ready")["status"], "True");
    for text in [
        case.log(),
        connection.to_string(),
        format!("{:?}", case.events("main")),
    ] {
        assert!(!text.contains(&case.secret), "the app secret");
        assert!(!text.contains(&case.token), "the token");
        assert!(!text.contains("secret="), "a query");
    }
}
