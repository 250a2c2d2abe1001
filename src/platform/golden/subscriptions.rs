//! Subscriptions to events (R24).

use super::super::golden_replies::ok;
use super::*;

const APP: &str = "7100000000000000001";
const URL: &str = "https://ads.example.com/webhooks/tiktok/shop/uk/canarypath";
const TOKEN: &str = "canarytoken";
const AD_GROUP: &str = "1728545390695442";
const AD: &str = "1728545401234567";

fn list_page(page: u32) -> Call {
    Call::Subscriptions {
        app_id: APP.into(),
        secret: CANARY.into(),
        page,
    }
}

fn subscribe(entity: SubscriptionEntity) -> Call {
    Call::Subscribe {
        app_id: APP.into(),
        secret: CANARY.into(),
        entity,
        callback_url: CallbackUrl::new(URL),
        access_token: TOKEN.into(),
    }
}

fn unsubscribe() -> Call {
    Call::Unsubscribe {
        app_id: APP.into(),
        secret: CANARY.into(),
        subscription_id: "7300000000000000001".into(),
    }
}

fn entities() -> [SubscriptionEntity; 3] {
    let advertiser = || ADVERTISER.to_owned();
    [
        SubscriptionEntity::AccountSuspension {
            advertiser: advertiser(),
        },
        SubscriptionEntity::AdGroup {
            advertiser: advertiser(),
            ad_group: AD_GROUP.into(),
        },
        SubscriptionEntity::Ad {
            advertiser: advertiser(),
            ad: AD.into(),
        },
    ]
}

pub(super) fn calls() -> Vec<Call> {
    let mut calls = vec![list_page(1), unsubscribe()];
    calls.extend(entities().map(subscribe));
    calls
}

#[test]
fn r24_the_bodies_of_subscriptions() {
    let details = [
        json!({"access_token": TOKEN, "advertiser_ids": [ADVERTISER]}),
        json!({"access_token": TOKEN, "advertiser_id": ADVERTISER, "adgroup_id": AD_GROUP}),
        json!({"access_token": TOKEN, "advertiser_id": ADVERTISER, "ad_id": AD}),
    ];
    let words = ["AD_ACCOUNT_SUSPENSION", "AD_GROUP", "AD"];
    for ((entity, detail), word) in entities().into_iter().zip(details).zip(words) {
        let request = subscribe(entity).request(Some(&"x".into()));
        assert_eq!(
            (request.method, request.path),
            (Method::Post, "/open_api/v1.3/subscription/subscribe/")
        );
        assert!(request.token.is_none() && request.query.is_empty());
        assert_eq!(
            request.body,
            Some(
                json!({"app_id": APP, "secret": CANARY, "subscribe_entity": word, "callback_url": URL,
                    "subscription_detail": detail})
            )
        );
    }
    let request = unsubscribe().request(Some(&"x".into()));
    assert_eq!(request.path, "/open_api/v1.3/subscription/unsubscribe/");
    assert!(request.token.is_none());
    assert_eq!(
        request.body,
        Some(json!({"app_id": APP, "secret": CANARY, "subscription_id": "7300000000000000001"}))
    );
}

#[test]
fn r24_the_request_for_the_list() {
    let request = list_page(3).request(Some(&"x".into()));
    assert_eq!(
        (request.method, request.path),
        (Method::Get, "/open_api/v1.3/subscription/get/")
    );
    assert!(request.token.is_none());
    assert_eq!(
        request.query,
        [
            ("app_id", APP.to_owned()),
            ("secret", CANARY.into()),
            ("page", "3".into()),
            ("page_size", "1000".into())
        ]
    );
}

fn row(id: &Value, entity: &str, url: &str, mut detail: Value) -> Value {
    detail["access_token"] = json!("canary-of-another-application");
    json!({"app_id": APP, "subscription_id": id, "subscribe_entity": entity, "callback_url": url,
        "subscription_detail": detail, "access_token": "canary2"})
}

fn listed() -> Value {
    json!({
        "access_token": "canary3",
        "subscriptions": [
            row(&json!("7300000000000000001"), "AD", URL, json!({"advertiser_id": ADVERTISER, "ad_id": AD})),
            row(&json!(7300000000000000003_i64), "AD_GROUP", URL,
                json!({"advertiser_id": 7002238017842757633_i64, "adgroup_id": AD_GROUP, "ad_id": null})),
            row(&json!("s-3"), "AD_ACCOUNT_SUSPENSION", "https://other.example/canarypath", json!({"advertiser_ids": ["5"]})),
            row(&json!("s-4"), "AD_ACCOUNT_SUSPENSION", URL, json!({"advertiser_ids": ["5", "6"]})),
            row(&json!("s-5"), "AD_ACCOUNT_SUSPENSION", URL, json!({"bc_id": "5"})),
            row(&json!("s-6"), "LEAD", URL, json!({"library_id": "5", "page_id": 6})),
            {"subscription_id": "s-7"},
        ],
        "page_info": {"page": 1, "page_size": 1000, "total_number": 7, "total_page": 1}
    })
}

#[test]
fn r24_the_list_of_everybodys_subscriptions() {
    let reply = read(&list_page(1), ok(listed())).map(|answer| answer.reply);
    let Ok(Reply::Subscriptions { rows, page }) = reply else {
        panic!("{reply:?}");
    };
    let page_info = PageInfo {
        page: 1,
        total_pages: 1,
        total: 7,
    };
    assert_eq!(page, page_info);
    let ids: Vec<&str> = rows.iter().map(|row| row.id.as_str()).collect();
    assert_eq!(
        ids,
        [
            "7300000000000000001",
            "7300000000000000003",
            "s-3",
            "s-4",
            "s-5",
            "s-6",
            "s-7"
        ]
    );
    let [of_account, of_group, of_ad] = entities();
    let what: Vec<_> = rows.iter().map(SubscriptionRow::is_for).collect();
    let another = SubscriptionEntity::AccountSuspension {
        advertiser: "5".into(),
    };
    assert_eq!(
        what,
        [
            Some(of_ad),
            Some(of_group),
            Some(another),
            None,
            None,
            None,
            None
        ]
    );
    assert_eq!(of_account.advertiser(), ADVERTISER);
    let ours = CallbackUrl::new(URL);
    let is_ours: Vec<bool> = rows.iter().map(|row| row.callback_url == ours).collect();
    assert_eq!(is_ours, [true, true, false, true, true, true, false]);
    // Neither the tokens nor the paths of addresses are in what is shown.
    let shown = format!("{rows:?} {rows:#?}");
    assert!(!shown.contains("canary"), "{shown}");
    assert!(shown.contains("https://ads.example.com/…"), "{shown}");
}

/// Not only that nothing shows them: after the parser there is no place where they could be.
#[test]
fn r24_tokens_of_others_never_become_a_value() {
    let body = json!({"code": 0, "message": "OK", "request_id": "R1", "access_token": "canary4", "data": listed()});
    let envelope = super::super::subscription::envelope(body.to_string().as_bytes()).unwrap();
    let text = envelope.to_string().replace("canarypath", "");
    assert!(!text.contains("canary"), "{text}");
    assert!(!text.contains("access_token"), "{text}");
    // Broken ones neither: a token that is no text, twice there, or in a row that cannot be read.
    let broken = r#"{"code":0,"data":{"subscriptions":[{"subscription_id":"1","subscription_detail":
        {"access_token":{"canary":["canary"]},"access_token":"canary"}}],"page_info":{"total_number":1}}}"#;
    let envelope = super::super::subscription::envelope(broken.as_bytes()).unwrap();
    assert!(!envelope.to_string().contains("canary"), "{envelope}");
}

#[test]
fn r24_a_list_that_cannot_be_read_completely_is_no_answer() {
    let page_info = json!({"page": 1, "page_size": 1000, "total_number": 1, "total_page": 1});
    for data in [
        json!(null),
        json!([]),
        json!({}),
        json!({"subscriptions": []}),
        json!({"subscriptions": null, "page_info": page_info}),
        json!({"subscriptions": [], "page_info": page_info}),
        json!({"subscriptions": [{}], "page_info": page_info}),
        json!({"subscriptions": [{"subscription_id": ""}], "page_info": page_info}),
        json!({"subscriptions": [{"subscription_id": "a b"}], "page_info": page_info}),
        json!({"subscriptions": ["canary"], "page_info": page_info}),
        json!({"subscriptions": [{"subscription_id": ["canary"]}], "page_info": page_info}),
        json!({"subscriptions": [{"subscription_id": "1", "callback_url": 5}], "page_info": page_info}),
    ] {
        let error = read(&list_page(1), ok(data.clone())).expect_err("an error");
        assert_eq!(error.class, ErrorClass::Retry, "{data}");
        assert!(!format!("{error:?}").contains("canary"), "{error:?}");
    }
    let error = json!({"code": 40101, "message": format!("bad secret {CANARY}"), "data": []});
    let error = read(&list_page(1), reply(&error)).expect_err("an error");
    assert_eq!(error.class, ErrorClass::Auth(AuthProblem::AppRefused));
    assert!(!format!("{error} {error:?}").contains("canary"), "{error}");
}

#[test]
fn r24_what_making_and_ending_a_subscription_answers() {
    let [entity, ..] = entities();
    let call = subscribe(entity);
    for (data, id) in [
        (
            json!({"subscription_id": "7300000000000000001"}),
            "7300000000000000001",
        ),
        (
            json!({"subscription_id": 7300000000000000001_i64}),
            "7300000000000000001",
        ),
        (json!({"subscription_id": "s-1"}), "s-1"),
    ] {
        assert_eq!(
            read(&call, ok(data)).map(|answer| answer.reply),
            Ok(Reply::Subscribed(id.into()))
        );
    }
    for data in [json!({}), json!({"subscription_id": null})] {
        assert_eq!(
            read(&call, ok(data)).expect_err("an error").class,
            ErrorClass::Ambiguous
        );
    }
    assert_eq!(
        read(&unsubscribe(), ok(json!({}))).map(|answer| answer.reply),
        Ok(Reply::Done)
    );
}

#[test]
fn r25_what_a_subscription_is_made_with_is_in_no_debug_or_error() {
    for call in calls() {
        let message = format!("no: {CANARY}, {URL}, https:\\/\\/x\\/canarypath and {TOKEN}");
        let body = json!({"code": 40002, "message": message, "data": {}});
        let error = read(&call, reply(&body)).expect_err("an error");
        let mut shown = format!("{error} {error:?} {call:?} {call:#?}");
        if !matches!(call, Call::Subscribe { .. }) {
            shown = shown.replace("canarypath", "").replace(TOKEN, "");
        }
        assert!(!shown.contains("canary"), "{shown}");
    }
}
