//! Subscribing, listing and unsubscribing.

use super::*;

pub(super) const HOOK: &str = "http://127.0.0.1:8090/webhooks/tiktok/default/main";

/// A subscription with this bench's app and token. `null` in `detail` leaves a field out.
pub(super) fn subscribe(bench: &mut Bench, entity: &str, detail: Value) -> Value {
    let detail = but(
        json!({"access_token": bench.account.access_token, "advertiser_id": bench.id()}),
        detail,
    );
    let body = json!({
        "app_id": bench.account.app_id, "secret": bench.account.secret, "subscribe_entity": entity,
        "callback_url": HOOK, "subscription_detail": detail,
    });
    send(bench, "POST", "/subscription/subscribe/", "", body)
}

/// Without an access token in the header.
pub(super) fn send(bench: &mut Bench, method: &str, path: &str, query: &str, body: Value) -> Value {
    let request = Request {
        method: method.into(),
        path: format!("/open_api/v1.3{path}"),
        query: query.into(),
        headers: vec![],
        body: body.to_string().into_bytes(),
    };
    let answer = bench.sandbox.handle(bench.now, &request);
    answer.reply().unwrap().json()
}

pub(super) fn subscription(reply: &Value) -> String {
    assert_eq!(reply["code"], 0, "{reply}");
    reply["data"]["subscription_id"].as_str().unwrap().into()
}

fn list(bench: &mut Bench, more: &str) -> Value {
    let query = format!(
        "app_id={}&secret={}{more}",
        bench.account.app_id, bench.account.secret
    );
    send(bench, "GET", "/subscription/get/", &query, Value::Null)
}

fn unsubscribe(bench: &mut Bench, id: &str) -> Value {
    let body = json!({
        "app_id": bench.account.app_id, "secret": bench.account.secret, "subscription_id": id,
    });
    send(bench, "POST", "/subscription/unsubscribe/", "", body)
}

#[test]
fn r24_the_list_holds_the_whole_apps_rows_with_their_tokens() {
    let mut bench = Bench::new();
    let campaign = bench.manual("c");
    let group = bench.ad_group(&campaign, "g");
    let ad = bench.ad(&group, "a");
    let suspension = json!({"advertiser_id": null, "advertiser_ids": [bench.id()]});
    let own = [
        subscribe(&mut bench, "AD_GROUP", json!({"adgroup_id": group})),
        subscribe(&mut bench, "AD", json!({"ad_id": ad})),
        subscribe(&mut bench, "AD_ACCOUNT_SUSPENSION", suspension),
    ]
    .map(|reply| subscription(&reply));
    let foreign = json!({
        "app_id": bench.account.app_id, "subscribe_entity": "LEAD", "callback_url": "https://example.com/leads",
        "subscription_detail": {"access_token": "somebody-elses", "library_id": "1"},
    });
    let (status, reply) = control(
        &mut bench,
        "POST",
        "/sandbox/subscriptions",
        "",
        foreign.clone(),
    );
    assert_eq!(status, 200, "{reply}");
    let reply = list(&mut bench, "");
    let rows = reply["data"]["subscriptions"].as_array().unwrap();
    assert_eq!(rows.len(), 4);
    assert_eq!(reply["data"]["page_info"]["total_number"], 4);
    let row = rows
        .iter()
        .find(|row| row["subscription_id"] == own[1].as_str())
        .unwrap();
    assert_eq!(
        row,
        &json!({
            "app_id": bench.account.app_id, "subscription_id": own[1], "subscribe_entity": "AD", "callback_url": HOOK,
            "subscription_detail": {
                "access_token": bench.account.access_token, "advertiser_id": bench.id(), "ad_id": ad,
            },
        })
    );
    assert!(
        rows.iter()
            .any(|row| { row["subscription_detail"]["access_token"] == "somebody-elses" })
    );
    let of_ads = list(&mut bench, "&subscribe_entity=AD&page_size=1");
    assert_eq!(of_ads["data"]["page_info"]["total_number"], 1);
    bench.knob("subscription_row_token", "omitted");
    let reply = list(&mut bench, "&subscribe_entity=AD");
    let detail = &reply["data"]["subscriptions"][0]["subscription_detail"];
    assert!(detail.get("access_token").is_none(), "{detail}");

    assert_eq!(unsubscribe(&mut bench, &own[0])["code"], 0);
    assert_eq!(unsubscribe(&mut bench, &own[0])["code"], 40_002);
    bench
        .sandbox
        .set_knob(None, "missing_subscription_code", "0")
        .unwrap();
    assert_eq!(unsubscribe(&mut bench, &own[0])["code"], 0);
    assert_eq!(list(&mut bench, "")["data"]["page_info"]["total_number"], 3);
    // Another app sees none of it, and can end none of it.
    let other = bench
        .sandbox
        .create_account(bench.now, &NewAccount::default())
        .unwrap();
    let mine = std::mem::replace(&mut bench.account, other);
    assert_eq!(list(&mut bench, "")["data"]["subscriptions"], json!([]));
    unsubscribe(&mut bench, &own[1]);
    bench.account = mine;
    assert_eq!(list(&mut bench, "")["data"]["page_info"]["total_number"], 3);
    let (_, all) = control(&mut bench, "GET", "/sandbox/subscriptions", "", Value::Null);
    let heard: Vec<bool> = all["subscriptions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["heard"].as_bool().unwrap())
        .collect();
    assert_eq!(heard.iter().filter(|heard| **heard).count(), 2);
    let unknown_app = but(foreign, json!({"app_id": "1"}));
    assert_eq!(
        control(
            &mut bench,
            "POST",
            "/sandbox/subscriptions",
            "",
            unknown_app
        )
        .0,
        404
    );
    let path = format!("/sandbox/subscriptions/{}", own[1]);
    assert_eq!(control(&mut bench, "DELETE", &path, "", Value::Null).0, 200);
    assert_eq!(control(&mut bench, "DELETE", &path, "", Value::Null).0, 404);
}

#[test]
fn what_is_refused() {
    let mut bench = Bench::new();
    let campaign = bench.manual("c");
    let group = bench.ad_group(&campaign, "g");
    let other = bench
        .sandbox
        .create_account(bench.now, &NewAccount::default())
        .unwrap();
    let good = json!({"adgroup_id": group});
    for (entity, detail, code) in [
        ("AD_GROUP", good.clone(), 0),
        ("CAMPAIGN", good.clone(), 40_002),
        ("AD_GROUP", json!({}), 40_002),
        ("AD_GROUP", json!({"adgroup_id": "1"}), 40_002),
        ("AD_GROUP", json!({"adgroup_id": 5}), 40_002),
        ("AD_GROUP", json!({"adgroup_id": campaign}), 40_002),
        ("AD", json!({"ad_id": group}), 40_002),
        (
            "AD_GROUP",
            json!({"adgroup_id": group, "advertiser_id": null}),
            40_002,
        ),
        (
            "AD_GROUP",
            but(good.clone(), json!({"advertiser_id": other.advertiser_id})),
            40_001,
        ),
        (
            "AD_GROUP",
            json!({"adgroup_id": group, "access_token": null}),
            40_002,
        ),
        (
            "AD_GROUP",
            but(good.clone(), json!({"access_token": "x"})),
            40_105,
        ),
        (
            "AD_GROUP",
            but(good.clone(), json!({"access_token": other.access_token})),
            40_113,
        ),
        ("AD_ACCOUNT_SUSPENSION", json!({}), 40_002),
        (
            "AD_ACCOUNT_SUSPENSION",
            json!({"advertiser_ids": []}),
            40_002,
        ),
        (
            "AD_ACCOUNT_SUSPENSION",
            json!({"advertiser_ids": vec![bench.id(); 101]}),
            40_002,
        ),
        (
            "AD_ACCOUNT_SUSPENSION",
            json!({"advertiser_ids": vec![bench.id(); 100]}),
            0,
        ),
        (
            "AD_ACCOUNT_SUSPENSION",
            json!({"advertiser_ids": [other.advertiser_id]}),
            40_001,
        ),
        ("AD_ACCOUNT_SUSPENSION", json!({"bc_id": "9"}), 40_001),
        (
            "AD_ACCOUNT_SUSPENSION",
            json!({"bc_id": format!("74{}", &bench.account.app_id[2..])}),
            0,
        ),
        (
            "AD_ACCOUNT_SUSPENSION",
            json!({"bc_id": "9", "advertiser_ids": [bench.id()]}),
            40_002,
        ),
        ("CREATIVE_FATIGUE", json!({}), 0),
    ] {
        let reply = subscribe(&mut bench, entity, detail.clone());
        assert_eq!(reply["code"], code, "{entity} {detail}: {reply}");
    }
    let body = json!({
        "app_id": bench.account.app_id, "secret": bench.account.secret, "subscribe_entity": "AD_GROUP",
        "callback_url": HOOK,
        "subscription_detail": {
            "access_token": bench.account.access_token, "advertiser_id": bench.id(), "adgroup_id": group,
        },
    });
    for (changes, code) in [
        (json!({"secret": "no"}), 40_101),
        (json!({"secret": null}), 40_002),
        (json!({"app_id": "1"}), 40_113),
        (json!({"callback_url": null}), 40_002),
        (json!({"callback_url": "http://example.com/"}), 40_002),
        (json!({"subscription_detail": null}), 40_002),
        (json!({"subscription_detail": "x"}), 40_002),
        (json!({"subscribe_entity": null}), 40_002),
    ] {
        let body = but(body.clone(), changes.clone());
        let reply = send(&mut bench, "POST", "/subscription/subscribe/", "", body);
        assert_eq!(reply["code"], code, "{changes}: {reply}");
    }
    // Nothing of it is in the log.
    let log: Vec<String> = bench
        .sandbox
        .requests(LogFilter::default())
        .map(|entry| serde_json::to_string(entry).unwrap())
        .collect();
    let text = log.join("\n");
    assert!(!text.contains(&bench.account.secret));
    assert!(!text.contains(&bench.account.access_token));
}

#[test]
fn duplicates_limits_and_rates() {
    for (value, ids, rows) in [("kept", 2, 2), ("same", 1, 1), ("refused", 1, 1)] {
        let mut bench = Bench::new();
        bench.knob("subscription_duplicates", value);
        let campaign = bench.manual("c");
        let group = bench.ad_group(&campaign, "g");
        let again = |bench: &mut Bench, token: Option<String>| {
            let token = token.unwrap_or_else(|| bench.account.access_token.clone());
            let detail = json!({"adgroup_id": group, "access_token": token});
            subscribe(bench, "AD_GROUP", detail)
        };
        let first = again(&mut bench, None);
        // The token does not make it another subscription.
        let data = bench.sandbox.issue_token(
            bench.now,
            &NewGrant {
                app_id: bench.account.app_id.clone(),
                advertiser_ids: vec![bench.id()],
                ..NewGrant::default()
            },
        );
        let token = data.unwrap()["access_token"].as_str().unwrap().to_owned();
        let second = again(&mut bench, Some(token));
        let mut made = vec![subscription(&first)];
        if value == "refused" {
            assert_eq!(second["code"], 40_002);
        } else {
            made.push(subscription(&second));
        }
        made.sort();
        made.dedup();
        assert_eq!(made.len(), ids, "{value}");
        assert_eq!(
            list(&mut bench, "")["data"]["page_info"]["total_number"],
            rows
        );
    }
    let mut bench = Bench::new();
    bench.knob("subscription_limit", "2");
    let suspension = json!({"advertiser_ids": [bench.id()]});
    for code in [0, 0, 40_002] {
        let reply = subscribe(&mut bench, "AD_ACCOUNT_SUSPENSION", suspension.clone());
        assert_eq!(reply["code"], code);
    }
    // They count against the app's limits like any call.
    bench.knob("rate", "1/100/1000");
    bench.knob("subscription_limit", "0");
    bench.now += 1_000;
    for code in [0, 40_100] {
        let reply = subscribe(&mut bench, "AD_ACCOUNT_SUSPENSION", suspension.clone());
        assert_eq!(reply["code"], code);
    }
}

#[test]
fn a_lost_answer_leaves_the_subscription() {
    let mut bench = Bench::new();
    bench.sandbox.inject(Fault {
        when: Match {
            path: Some("*/subscribe/".into()),
            advertiser_id: Some(bench.id()),
            ..Match::default()
        },
        kind: FaultKind::AnswerLost,
    });
    let detail =
        json!({"access_token": bench.account.access_token, "advertiser_ids": [bench.id()]});
    let body = json!({
        "app_id": bench.account.app_id, "secret": bench.account.secret,
        "subscribe_entity": "AD_ACCOUNT_SUSPENSION", "callback_url": HOOK, "subscription_detail": detail,
    });
    let request = Request {
        method: "POST".into(),
        path: "/open_api/v1.3/subscription/subscribe/".into(),
        query: String::new(),
        headers: vec![],
        body: body.to_string().into_bytes(),
    };
    let answer = bench.sandbox.handle(bench.now, &request);
    assert_eq!(answer.outcome, Outcome::Cut);
    assert_eq!(list(&mut bench, "")["data"]["page_info"]["total_number"], 1);
}
