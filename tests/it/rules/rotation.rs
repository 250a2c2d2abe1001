//! R21: a token's life. The simulation (`sim/tokens.rs`) has more of it, with faults; here it is the real binary, the real API
//! server and its Secrets, events and metrics.

use serde_json::{Value, json};

use super::{Case, banner, condition, id, spec};

/// An app of its own with a token that ends after `seconds` and comes with a refresh token, imported with both.
fn expiring(name: &str, seconds: u32, more: Value) -> Case {
    let case = Case::bare(name, json!({}));
    case.knobs(json!({
        "token_profile": "expiry_refresh",
        "token_lifetime_seconds": seconds.to_string(),
    }));
    renew_import(&case);
    let mut all = json!({"caps": super::wide_caps()});
    super::merge(&mut all, more);
    case.connect(all);
    case.wait_connection("Verified");
    case
}

/// Puts a fresh pair into the user's Secret.
fn renew_import(case: &Case) {
    let grant = json!({"app_id": case.app, "advertiser_ids": [case.advertiser]});
    let made = case.sandbox("POST", "/sandbox/tokens", &grant);
    let seconds = made["expires_in"]
        .as_i64()
        .or_else(|| made["access_token_expire_in"].as_i64())
        .unwrap_or_else(|| panic!("{made}"));
    let ends = jiff::Timestamp::now() + std::time::Duration::from_secs(seconds.unsigned_abs());
    case.replace_secret(
        "token",
        json!({
            "access_token": made["access_token"],
            "refresh_token": made["refresh_token"],
            "expires_at": ends.to_string(),
        }),
    );
}

fn status(case: &Case) -> Value {
    case.read("tiktokconnections", "main").unwrap()["status"].clone()
}

#[test]
fn r21_a_token_that_ends_is_renewed_by_itself_and_the_users_secret_is_only_read() {
    let case = expiring("r21-renewed", 40, json!({}));
    let users = case.read("secrets", "token").unwrap();
    case.campaign("spring", spec(json!({"state": "Active"})));
    case.wait_live("spring");
    let first = status(&case)["token"].clone();
    assert_eq!(first["profile"], "Refreshable", "{first}");
    assert_eq!(first["origin"], "Imported");
    let renewed = |times: usize| {
        let mut seen = std::collections::BTreeSet::new();
        case.until("the token to be renewed", || {
            let token = status(&case)["token"].clone();
            seen.insert(token["fingerprint"].to_string());
            assert_ne!(token["lastRotation"]["result"], "Failed", "{token}");
            seen.len() > times
        });
    };
    renewed(2);
    case.edit("spring", json!({"budget": {"amount": "70"}}));
    case.wait("spring", "the edit to arrive", |o| {
        o["status"]["currentBudget"] == "70 USD a day"
    });
    let now = case.read("secrets", "token").unwrap();
    assert_eq!(
        users["metadata"]["resourceVersion"],
        now["metadata"]["resourceVersion"]
    );
    let held = case.read("secrets", "main-tiktok-token").unwrap();
    assert!(
        held["data"].get("refresh_mark").is_none(),
        "no call is under way"
    );
    assert!(
        case.metrics()
            .contains("tiktokads_token_rotations_total{result=\"succeeded\"}")
    );
    assert!(status(&case)["banner"].is_null());
    assert_eq!(revocations(&case), 0, "a renewal revokes nothing");
}

/// How often TikTok was asked to revoke a token of the app.
fn revocations(case: &Case) -> usize {
    case.app_requests("/oauth2/revoke_token/").len()
}

#[test]
fn r21_a_new_token_that_dies_before_it_answered_gives_way_to_the_one_before() {
    let case = Case::bare("r21-back", json!({}));
    case.knobs(json!({"token_profile": "expiry_refresh", "token_lifetime_seconds": "18000"}));
    renew_import(&case);
    let imported = case.kept("token", "access_token");
    let cut = |path: &str| {
        let of = json!({"path": path, "contains": case.app, "count": 0});
        let cut = json!({"kind": "cut_before", "match": of});
        case.sandbox("POST", "/sandbox/faults", &cut)["id"].to_string()
    };
    let mend = |fault: &str| {
        let path = format!("/sandbox/faults/{fault}");
        case.sandbox("DELETE", &path, &Value::Null);
    };
    // An imported token with five hours left is renewed at once. The new one cannot answer: no call gets through.
    let unanswered = cut("*/oauth2/advertiser/get/");
    case.connect(json!({"caps": super::wide_caps()}));
    let kept = |key: &str| case.kept_now("main-tiktok-token", key);
    let before = case.kept("main-tiktok-token", "previous_access_token");
    assert_eq!(before, imported, "kept until the new one has answered");
    let new = kept("access_token").unwrap();
    assert_ne!(new, imported);
    assert_eq!(kept("refresh_mark"), None, "the call is over");
    case.until("the new token to be tried in vain", || {
        let tried = case.app_requests("/oauth2/advertiser/get/");
        tried.iter().any(|entry| entry["answered"] == false)
    });
    assert_eq!(kept("previous_access_token"), Some(imported.clone()));
    // It is not renewed once more within the test.
    let unrenewed = cut("*/oauth2/refresh_token/");
    let new = json!({"access_token": new});
    case.sandbox("POST", "/sandbox/tokens/revoke", &new);
    mend(&unanswered);
    case.until("the one before to be used again", || {
        kept("access_token") == Some(imported.clone())
    });
    assert_eq!(kept("previous_access_token"), None);
    let back = case.wait_connection("Verified");
    let token = &back["status"]["token"];
    assert_eq!(token["lastRotation"]["result"], "Failed", "{token}");
    assert_eq!(banner(&back), "");
    case.campaign("spring", spec(json!({"state": "Active"})));
    case.wait_live("spring");
    assert_eq!(revocations(&case), 0, "nor is anything revoked on the way");
    mend(&unrenewed);
}

#[test]
fn r21_a_refused_renewal_is_read_only_with_banner_event_metric_and_a_new_token_heals_it() {
    let case = expiring(
        "r21-refused-renewal",
        80,
        json!({"onAuthDegraded": "PauseAll"}),
    );
    case.campaign("spring", spec(json!({"state": "Active"})));
    let id = id(&case.wait_live("spring"));
    case.fault_anywhere(
        "*/oauth2/refresh_token/",
        &case.app,
        json!({"kind": "error", "code": 40103, "message": "The refresh token is expired."}),
    );
    let degraded = case.wait_connection("TokenNotRenewed");
    assert_eq!(degraded["status"]["phase"], "ReadOnly");
    assert_eq!(condition(&degraded, "ReadOnly")["status"], "True");
    let token = &degraded["status"]["token"];
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let (since, until) = (
        text(&token["lastRotation"]["at"]),
        text(&token["expiresAt"]),
    );
    assert_eq!(
        banner(&degraded),
        format!(
            "Read-only since {since}: TikTok gives no new access token (TikTok says: The refresh token is expired. (code 40103). The \
             refresh token has expired, so that no new access token can be had with it: authorise again); everything that is on is \
             switched off (onAuthDegraded: PauseAll) until the token ends at {until}, then nothing is read or written any more; \
             put a new token into the Secret token, and this goes away by itself."
        )
    );
    case.until("everything to be switched off", || !case.is_on(&id));
    case.wait_for("spring", "ConnectionReadOnly");
    assert_eq!(
        condition(&case.get("spring"), "Held")["reason"],
        "AuthDegraded"
    );
    let gauge = format!(
        "tiktokads_connection_read_only{{namespace=\"{}\",connection=\"main\"}} 1",
        case.namespace
    );
    case.until("the metric", || case.metrics().contains(&gauge));
    case.until("the warning", || {
        case.events("main")
            .iter()
            .any(|(reason, note)| reason == "TokenNotRenewed" && note.contains("since"))
    });
    case.knobs(json!({"token_lifetime_seconds": "86400"}));
    renew_import(&case);
    let healed = case.wait_connection("Verified");
    assert!(healed["status"]["banner"].is_null(), "{}", healed["status"]);
    case.wait_live("spring");
    assert!(case.is_on(&id), "what was held goes on by itself");
}

#[test]
fn r21_a_token_secret_that_cannot_be_written_is_told_before_the_token_ends_and_heals() {
    let case = expiring("r21-immutable", 60, json!({}));
    let path = case.path("secrets", "main-tiktok-token");
    let patch = |what: Value| case.api("PATCH", &path, &what).unwrap();
    patch(json!({"immutable": true}));
    let told = case.wait_connection("SecretNotWritable");
    assert_eq!(told["status"]["phase"], "Active", "{}", told["status"]);
    assert_eq!(condition(&told, "Stalled")["status"], "True");
    let text = condition(&told, "Ready")["message"].clone();
    let text = text.as_str().unwrap();
    assert!(
        text.contains("main-tiktok-token") && text.contains("immutable"),
        "{text}"
    );
    case.until("the warning", || {
        case.events("main")
            .iter()
            .any(|(reason, note)| reason == "SecretNotWritable" && note.contains("docs/connect.md"))
    });
    let refreshes = case
        .requests("/oauth2/refresh_token/")
        .iter()
        .filter(|r| r.to_string().contains(&case.app))
        .count();
    assert_eq!(refreshes, 0, "no call without a mark");
    // As docs/connect.md has it: the same content in a Secret that may be written.
    let mut kept = case.read("secrets", "main-tiktok-token").unwrap();
    let whole = kept.as_object_mut().unwrap();
    whole.remove("immutable");
    for key in ["resourceVersion", "uid", "creationTimestamp"] {
        whole["metadata"].as_object_mut().unwrap().remove(key);
    }
    patch(json!({"metadata": {"finalizers": null}}));
    case.delete("secrets", "main-tiktok-token");
    // The operator may have been faster: it imports the user's token anew.
    let _ = case.api("POST", &case.path("secrets", ""), &kept);
    case.wait_connection("Verified");
    case.until("the token to be renewed", || {
        status(&case)["token"]["lastRotation"]["result"] == "Succeeded"
    });
}

#[test]
fn r21_after_the_end_of_a_token_nothing_is_asked_of_tiktok() {
    let case = Case::bare("r21-over", json!({}));
    let ends = jiff::Timestamp::now() + std::time::Duration::from_secs(25);
    case.replace_secret(
        "token",
        json!({"access_token": case.token, "expires_at": ends.to_string()}),
    );
    case.connect(json!({"caps": super::wide_caps()}));
    case.until("the connection to be looked at", || {
        !status(&case)["token"].is_null()
    });
    assert_eq!(status(&case)["token"]["profile"], "Expiring");
    case.wait_connection("TokenExpired");
    let over = case.read("tiktokconnections", "main").unwrap();
    let since = over["status"]["token"]["expiresAt"].as_str().unwrap();
    assert_eq!(
        banner(&over),
        format!(
            "Read-only since {since}: the access token has ended, so TikTok is neither read nor written, and pauses no longer \
             reach it (pause in Ads Manager if you must); put a new token into the Secret token, and this goes away by itself."
        )
    );
    std::thread::sleep(std::time::Duration::from_secs(1));
    let before = case.requests("*").len();
    case.campaign("late", spec(json!({})));
    case.wait_for("late", "ConnectionReadOnly");
    std::thread::sleep(std::time::Duration::from_secs(4));
    assert_eq!(case.requests("*").len(), before);
}
