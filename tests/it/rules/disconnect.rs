//! R22: what is left when a connection goes. `sim/tokens.rs` has the grant, and platforms and tokens that are dead.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::nodes::Tree;
use super::tree_kit::Branch;
use super::{Case, id, spec};

impl Case {
    /// The events about the operator's own Deployment that speak of something in this namespace: type, reason, text.
    fn at_home(&self) -> Vec<(String, String, String)> {
        let list = self.list("/apis/events.k8s.io/v1/namespaces/tiktok-ads-system/events");
        let mine = format!("{}/", self.namespace);
        let all = list["items"].as_array().unwrap().iter();
        all.filter(|event| event["regarding"]["kind"] == "Deployment")
            .map(|event| {
                let text = |field: &str| event[field].as_str().unwrap_or_default().to_owned();
                (text("type"), text("reason"), text("note"))
            })
            .filter(|(_, _, note)| note.contains(&mine))
            .collect()
    }

    /// How often something was let go that may still be on, whosever it was.
    fn released_active(&self) -> u64 {
        let text = self.metrics();
        let mut lines = text.lines();
        let line = lines.find(|line| line.starts_with("tiktokads_released_active_total"));
        line.unwrap().rsplit(' ').next().unwrap().parse().unwrap()
    }
}

#[test]
fn r22_what_is_left_behind_says_disconnected_and_its_deletion_touches_nothing() {
    let case = Case::new("r22-left");
    case.campaign("kept", spec(json!({"state": "Active"})));
    case.campaign(
        "gone",
        spec(json!({"state": "Active", "deletionPolicy": "Delete"})),
    );
    let [kept, gone] = ["kept", "gone"].map(|name| id(&case.wait_live(name)));
    case.delete("tiktokconnections", "main");
    case.wait_gone("tiktokconnections", "main");
    for name in ["kept", "gone"] {
        let left = case.wait_for(name, "Disconnected");
        assert_eq!(
            left["status"]["id"],
            json!(if name == "kept" { &kept } else { &gone })
        );
    }
    let before = case.writes().len();
    let released = case.released_active();
    case.delete("campaigns", "gone");
    case.wait_gone("campaigns", "gone");
    assert_eq!(case.writes().len(), before);
    // Its connection is gone: that it may run on is told where it can still be seen.
    let told = || {
        let all = case.at_home();
        let warning = |(kind, reason, note): &(String, String, String)| {
            kind == "Warning" && reason == "Released" && note.contains(&gone)
        };
        all.iter().any(warning)
    };
    case.until("the warning at the Deployment", told);
    assert!(case.released_active() > released);
    assert!(case.is_on(&gone) && case.is_on(&kept), "as they were");
    // The same connection again: what it had is looked after as before.
    case.connect(json!({"caps": super::wide_caps()}));
    case.wait_connection("Verified");
    case.wait_live("kept");
    case.edit("kept", json!({"state": "Paused"}));
    case.until("the pause", || !case.is_on(&kept));
}

#[test]
fn r22_a_dead_token_and_a_lost_app_secret_hold_no_connection() {
    let case = Case::new("r22-dead");
    case.campaign("spring", spec(json!({"state": "Active"})));
    let id = id(&case.wait_live("spring"));
    let token = json!({"access_token": case.token});
    case.sandbox("POST", "/sandbox/tokens/revoke", &token);
    case.delete("secrets", "app");
    case.delete("secrets", "token");
    case.delete("tiktokconnections", "main");
    case.wait_gone("tiktokconnections", "main");
    case.wait_gone("secrets", "main-tiktok-token");
    assert!(case.is_on(&id));
    case.wait_for("spring", "Disconnected");
    case.delete("campaigns", "spring");
    case.wait_gone("campaigns", "spring");
}

/// TikTok takes no call in, and lets everybody wait.
fn hang(case: &Case) -> Vec<u64> {
    let mine = [
        json!({"advertiser_id": case.advertiser}),
        json!({"contains": case.app}),
    ];
    let kinds = [
        json!({"kind": "delay", "ms": 600_000}),
        json!({"kind": "http_status", "status": 503}),
    ];
    let mut all = Vec::new();
    for requests in &mine {
        for kind in &kinds {
            let mut fault = json!({"match": {"count": 0}});
            super::merge(&mut fault["match"], requests.clone());
            super::merge(&mut fault, kind.clone());
            let made = case.sandbox("POST", "/sandbox/faults", &fault);
            all.push(made["id"].as_u64().unwrap());
        }
    }
    all
}

#[test]
fn r22_a_platform_that_answers_nothing_holds_no_authorised_connection_with_subscriptions() {
    let case = Case::authorised("r22-hangs", json!({}), json!({}), json!({}));
    case.wait_connection("Verified");
    let branch = Branch::live(&case, Tree::Manual);
    case.until("to be subscribed", || {
        let main = case.read("tiktokconnections", "main").unwrap();
        main["status"]["webhooks"]["subscriptions"] == 3
    });
    let nodes = [&branch.ad, &branch.ad_group, &branch.campaign];
    let ids = nodes.map(|node| node.id());
    let faults = hang(&case);
    case.delete("tiktokconnections", "main");
    case.wait_gone("tiktokconnections", "main");
    for name in ["main-tiktok-token", "main-tiktok-connect"] {
        case.wait_gone("secrets", name);
    }
    // It was tried, and people are told what is left for them to do.
    for path in ["/subscription/unsubscribe/", "/oauth2/revoke_token/"] {
        assert!(!case.app_requests(path).is_empty(), "{path}");
    }
    case.until("the last event", || {
        let mut told = case.events("main").into_iter();
        told.any(|(why, note)| {
            why == "Disconnected"
                && note.contains("the token could not be revoked")
                && note.contains("revoke the app's access in TikTok")
                && note.contains(&ids[2])
        })
    });
    for node in nodes {
        node.wait_for("Disconnected");
        node.delete();
        node.wait_gone();
    }
    for fault in faults {
        case.sandbox("DELETE", &format!("/sandbox/faults/{fault}"), &json!(null));
    }
    for (node, id) in nodes.iter().zip(&ids) {
        assert!(case.runs(node.level, id), "{} is as it was", node.name);
    }
}

#[test]
fn r22_a_platform_that_is_down_holds_no_connection() {
    let case = Case::new("r22-down");
    case.campaign("spring", spec(json!({"state": "Active"})));
    let id = id(&case.wait_live("spring"));
    let down = json!({"kind": "error", "code": 50000, "message": "System error."});
    case.fault("*", down, 0);
    case.delete("tiktokconnections", "main");
    case.wait_gone("tiktokconnections", "main");
    case.wait_gone("secrets", "main-tiktok-token");
    case.wait_for("spring", "Disconnected");
    case.delete("campaigns", "spring");
    case.wait_gone("campaigns", "spring");
    case.no_faults();
    assert!(case.is_on(&id), "as it was");
}

#[test]
fn r22_a_namespace_that_ends_takes_a_grant_of_the_operators_own_along() {
    let case = Case::new("r22-grant");
    case.campaign("spring", spec(json!({"state": "Active"})));
    let id = id(&case.wait_live("spring"));
    // As if it had been authorised on the connection's page.
    let path = case.path("secrets", "main-tiktok-token");
    let origin = json!({"data": {"origin": STANDARD.encode("Authorised")}});
    case.api("PATCH", &path, &origin).unwrap();
    case.until("the new origin", || {
        let connection = case.read("tiktokconnections", "main").unwrap();
        connection["status"]["token"]["origin"] == "Authorised"
    });
    let namespace = format!("/api/v1/namespaces/{}", case.namespace);
    case.api("DELETE", &namespace, &Value::Null).unwrap();
    case.until("the namespace to be gone", || {
        let found = case.api("GET", &namespace, &Value::Null);
        found.is_err_and(|error| error.contains("not found"))
    });
    assert!(!case.is_on(&id), "paused first");
    let tokens = format!("/sandbox/tokens?app_id={}", case.app);
    let tokens = case.sandbox("GET", &tokens, &Value::Null);
    let token = tokens["tokens"].as_array().unwrap().iter();
    let mut token = token.filter(|one| one["access_token"] == case.token.as_str());
    let revoked = token.next().is_none_or(|one| one["revoked"] == true);
    assert!(revoked, "{tokens}");
    let said = case.at_home();
    let last = said.iter().find(|(_, reason, _)| reason == "Disconnected");
    let (kind, _, note) = last.unwrap_or_else(|| panic!("{said:?}"));
    assert!(note.contains("the token was revoked"), "{note}");
    assert!(note.contains("no campaign of the account was on"), "{note}");
    assert_eq!(kind, "Normal");
}
