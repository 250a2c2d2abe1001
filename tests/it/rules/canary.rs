//! R25: tokens and secrets, driven through every way to fail, are found nowhere but in the Secrets they belong to.

use k8s_openapi::api::core::v1::Secret;
use rustix::process::Signal;
use serde_json::{Value, json};

use super::{Case, id, spec, start, wide_caps};

/// What a token of TikTok's looks like, and nobody else's.
const BAD_TOKEN: &str = "canary7f3kq9x2m8w5t1z6b4n0c7v3j9h2g8d5s1a6";

/// Every way for a call to fail that the sandbox has. TikTok echoes what it was sent in some of its texts.
fn failures(canaries: &[&str]) -> Vec<Value> {
    let echo = |code: i64| {
        let message = format!(
            "Access token {} and secret {} are wrong",
            canaries[1], canaries[2]
        );
        json!({"kind": "error", "code": code, "message": message})
    };
    vec![
        json!({"kind": "cut_before"}),
        json!({"kind": "answer_lost"}),
        json!({"kind": "malformed_body"}),
        json!({"kind": "http_status", "status": 404}),
        json!({"kind": "http_status", "status": 502}),
        json!({"kind": "http_status", "status": 429, "retry_after": 1}),
        json!({"kind": "delay", "ms": 4000}),
        echo(40002),
        echo(50000),
        echo(40105),
    ]
}

#[test]
fn r25_canaries_are_found_nowhere() {
    let case = Case::bare("r25-canary", json!({}));
    let canaries = [BAD_TOKEN, case.token.as_str(), case.secret.as_str()];
    for canary in canaries {
        let plain = canary.chars().all(|c| c.is_ascii_alphanumeric());
        assert!(plain && canary.len() >= 36, "no use as a canary: {canary}");
    }
    // A token that TikTok refuses, then the good one; each check fails in each way first.
    case.replace_secret("token", json!({"access_token": BAD_TOKEN}));
    case.connect(json!({"caps": wide_caps()}));
    case.wait_connection("TokenRefused");
    for failure in failures(&canaries) {
        case.fault_anywhere("*/oauth2/advertiser/get/", &case.app, failure.clone());
        case.fault_anywhere("*/advertiser/info/", &case.advertiser, failure);
    }
    case.replace_secret("token", json!({"access_token": case.token}));
    case.wait_connection("Verified");
    // Every call of a campaign's life fails in every way.
    for (n, failure) in failures(&canaries).iter().enumerate() {
        let auth = failure["code"] == 40105;
        let name = format!("c{n}");
        if !auth {
            case.fault("*/campaign/create/", failure.clone(), 1);
        }
        case.campaign(&name, spec(json!({"state": "Active"})));
        case.wait(&name, "an outcome", |object| {
            super::is(object, "InSync") || super::is(object, "Rejected")
        });
        if super::is(&case.get(&name), "InSync") {
            case.fault("*/campaign/status/update/", failure.clone(), 1);
            case.fault("*/campaign/get/", failure.clone(), 1);
            case.edit(
                &name,
                json!({"state": "Paused", "budget": {"amount": "61"}}),
            );
            case.fault("*/campaign/update/", failure.clone(), 1);
            case.wait(&name, "the pause", |object| {
                object["status"]["operationStatus"] == "Off"
            });
        }
    }
    case.sweeps("/campaign/get/");

    // The texts of the answers are our own faults'; what matters is what was sent.
    let mut requests = case.sandbox("GET", "/sandbox/requests", &Value::Null);
    for entry in requests["requests"].as_array_mut().unwrap() {
        entry.as_object_mut().unwrap().remove("message");
    }
    let mut places: Vec<(&str, String)> = vec![
        ("log", case.log()),
        ("metrics", case.metrics()),
        ("audit log", case.audit_log()),
        ("the sandbox's requests", requests.to_string()),
    ];
    for path in [
        "/apis/tiktokads.dev/v1alpha1/campaigns",
        "/apis/tiktokads.dev/v1alpha1/tiktokconnections",
        "/apis/events.k8s.io/v1/events",
        "/apis/coordination.k8s.io/v1/leases",
        "/api/v1/configmaps",
    ] {
        places.push((path, case.list(path).to_string()));
    }
    let secrets = case.list("/api/v1/secrets");
    let mut of_ours = 0;
    for secret in secrets["items"].as_array().unwrap() {
        let secret: Secret = serde_json::from_value(secret.clone()).unwrap();
        let name = secret.metadata.name.clone().unwrap();
        if secret.metadata.namespace.as_deref() == Some(&case.namespace) {
            assert!(
                ["app", "token", "main-tiktok-token"].contains(&name.as_str()),
                "{name}"
            );
            places.push((
                "metadata of a Secret",
                serde_json::to_string(&secret.metadata).unwrap(),
            ));
            of_ours += 1;
            continue;
        }
        for content in secret.data.unwrap_or_default().values() {
            places.push((
                "another Secret",
                String::from_utf8_lossy(&content.0).into_owned(),
            ));
        }
    }
    assert_eq!(of_ours, 3);
    for (place, text) in &places {
        for canary in canaries {
            assert!(!text.contains(canary), "{place} has {}…", &canary[..6]);
            // Nor a part that is long enough to be of use.
            assert!(
                !text.contains(&canary[..20]),
                "{place} has the beginning of {}…",
                &canary[..6]
            );
        }
    }
    // The check bites: what is there is found.
    assert!(places[0].1.contains(&case.advertiser));
    assert!(places[3].1.contains(&case.advertiser));
    assert!(places[2].1.contains(&case.namespace));
}

#[test]
fn r25_a_crash_at_the_loudest_log_level_shows_no_canary() {
    let env = [("RUST_LOG", "trace"), ("RUST_BACKTRACE", "full")];
    let world = Box::leak(Box::new(start(&env).unwrap()));
    let case = Case::bare_in(world, "r25-crash", json!({}));
    case.connect(json!({"caps": wide_caps()}));
    case.wait_connection("Verified");
    case.campaign("spring", spec(json!({"state": "Active"})));
    let id = id(&case.wait_live("spring"));
    let operator = &world.operator;
    operator.signal(Signal::ABORT).unwrap();
    case.until("the crash", || operator.status().unwrap().is_some());
    let how = operator.status().unwrap().unwrap();
    assert!(how.code().is_none(), "by the signal: {how}");
    let log = case.log();
    // Secrets travel in base64 between the API server and us.
    let encoded = |text: &str| {
        let bytes = k8s_openapi::ByteString(text.as_bytes().to_vec());
        serde_json::to_value(bytes)
            .unwrap()
            .as_str()
            .unwrap()
            .to_owned()
    };
    for canary in [
        case.token.clone(),
        case.secret.clone(),
        encoded(&case.token),
        encoded(&case.secret),
    ] {
        let found = log.lines().find(|line| line.contains(&canary[..20]));
        let target = found.and_then(|line| line.split("\"target\":").nth(1));
        assert!(found.is_none(), "a canary in a line of {target:?}");
    }
    // The check bites: the campaign's id is there, and so are other crates' traces.
    assert!(log.contains(&id));
    assert!(log.contains("\"level\":\"TRACE\""));
}
