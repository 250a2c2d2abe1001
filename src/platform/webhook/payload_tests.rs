#![allow(clippy::unwrap_used, clippy::expect_used)]

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

/// Beyond 2^53, and odd: a floating-point number would make another id of it.
const ADVERTISER: &str = "7002238017842757633";
const CAMPAIGN: &str = "1728545382536225";
const AD_GROUP: &str = "1728545390695442";
const AD: &str = "9007199254740993";

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn sent() -> Option<Timestamp> {
    "2025-11-23T12:00:00Z".parse().ok()
}

fn one(body: &str) -> Event {
    let mut events = parse(body.as_bytes()).expect(body);
    assert_eq!(events.len(), 1, "{body}");
    events.remove(0)
}

fn other(advertiser: Option<&str>, sent: Option<Timestamp>) -> Event {
    Event {
        kind: EventKind::Other,
        advertiser: advertiser.map(str::to_owned),
        sent,
    }
}

/// As the reference has them (9): numbers as ids, names beyond ASCII, reasons.
#[test]
fn r23_the_review_of_an_ad_group() {
    let body = r#"{"request_id":"20251123120000","object":2,"time":1763899200,"entry":[{"log_id":"20251123115959",
        "adv_id":7002238017842757633,"campaign_id":"1728545382536225","campaign_name":"Frühling 日本","adgroup_id":
        "1728545390695442","adgroup_name":"A","reject_reason":"Misleading claims"}]}"#;
    let expected = Event {
        kind: EventKind::AdGroupReview {
            ad_group: AD_GROUP.into(),
            campaign: some(CAMPAIGN),
        },
        advertiser: some(ADVERTISER),
        sent: sent(),
    };
    assert_eq!(one(body), expected);
    // Nothing depends on the reason: it is not believed, and approval is the same event.
    let approved = body.replace("Misleading claims", "");
    assert_eq!(one(&approved), expected);
}

#[test]
fn r23_the_review_of_an_ad_with_ids_of_both_kinds() {
    let body = r#"{"entry":[{"adv_id":"7002238017842757633","campaign_id":1728545382536225,"adgroup_id":1728545390695442,
        "ad_id":9007199254740993,"ad_name":"x","unknown":{"deep":[{"er":[]}]}}],"time":"1763899200","object":"3","more":1}"#;
    let expected = Event {
        kind: EventKind::AdReview {
            ad: AD.into(),
            ad_group: some(AD_GROUP),
            campaign: some(CAMPAIGN),
        },
        advertiser: some(ADVERTISER),
        sent: sent(),
    };
    assert_eq!(one(body), expected);
}

#[test]
fn r23_the_suspension_of_an_account_is_flat() {
    let body = json!({"advertiser_id": ADVERTISER, "advertiser_name": "Shop", "owner_bc_id": "7100000000000000077",
        "status": "STATUS_LIMIT\u{202e}", "status_change_time": "2025-11-23 12:00:00",
        "suspension_reasion": "Unpaid", "subscription_id": "7300000000000000001"});
    let expected = Event {
        kind: EventKind::AccountStatus {
            status: "STATUS_LIMIT".into(),
        },
        advertiser: some(ADVERTISER),
        sent: sent(),
    };
    assert_eq!(one(&body.to_string()), expected);
    // The time of sending counts before the time of the change.
    let mut timed = body;
    timed["time"] = json!(1_763_899_260);
    assert_eq!(
        one(&timed.to_string()).sent,
        "2025-11-23T12:01:00Z".parse().ok()
    );
}

#[test]
fn r23_what_we_do_not_look_after_is_recognised_and_says_nothing() {
    for object in [0, 1, 4, 8, 10, 11, 14, 99] {
        let body = json!({"object": object, "time": 1_763_899_200, "entry": [{"adv_id": 5, "ad_id": "7"}, 3, "x", null]});
        assert_eq!(one(&body.to_string()), other(None, sent()), "{object}");
    }
    for body in [
        "{}",
        r#"{"object":2}"#,
        r#"{"object":3,"entry":[]}"#,
        r#"{"object":3,"entry":null}"#,
        r#"{"status":"STATUS_LIMIT"}"#,
        r#"{"challenge":"abc"}"#,
        " \n{\"object\":[2]}\n ",
    ] {
        assert_eq!(one(body), other(None, None), "{body}");
    }
    assert_eq!(one(r#"{"advertiser_id":"5"}"#), other(Some("5"), None));
}

#[test]
fn r23_one_bad_entry_does_not_lose_the_others() {
    let body = json!({"object": 3, "entry": [{"adv_id": 5, "ad_id": "7"}, {"adv_id": 5}, "x", [1], 1.5, -2, true, null,
        {"ad_id": {"x": [1]}}, {"ad_id": 8}]});
    let events = parse(body.to_string().as_bytes()).unwrap();
    assert_eq!(events.len(), 10);
    let ids: Vec<_> = events
        .iter()
        .map(|event| match &event.kind {
            EventKind::AdReview { ad, .. } => Some(ad.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(ids[0], Some("7"));
    assert_eq!(ids[9], Some("8"));
    assert!(ids[1..9].iter().all(Option::is_none));
    assert_eq!(events[1], other(Some("5"), None));
}

#[test]
fn r23_only_whole_positive_int64_are_ids() {
    for id in [
        "0",
        "-1",
        "1.0",
        "1e3",
        "1728545382536225.0",
        "9223372036854775808",
        "18446744073709551615",
        "18446744073709551616",
        "99999999999999999999999999",
        "\"\"",
        "\"-1\"",
        "\"+1\"",
        "\" 1\"",
        "\"1 \"",
        "\"0x10\"",
        "\"١٢\"",
        "\"9223372036854775808\"",
        "true",
        "null",
        "[1]",
        "{\"id\":1}",
    ] {
        let body = format!(r#"{{"object":3,"entry":[{{"ad_id":{id},"adv_id":{id}}}]}}"#);
        assert_eq!(one(&body), other(None, None), "{id}");
    }
    let body = r#"{"object":3,"entry":[{"ad_id":9223372036854775807}]}"#;
    assert!(
        matches!(one(body).kind, EventKind::AdReview { ad, .. } if ad == "9223372036854775807")
    );
}

#[test]
fn r23_times_that_cannot_be_are_not_said() {
    for (time, expected) in [
        ("1763899200", sent()),
        ("\"1763899200\"", sent()),
        ("\"2025-11-23 12:00:00\"", sent()),
        ("\"2025-11-23T12:00:00Z\"", sent()),
        ("1763899200000", None),
        ("-5", None),
        ("18446744073709551615", None),
        ("\"soon\"", None),
        ("{}", None),
        ("1.5", None),
    ] {
        assert_eq!(
            one(&format!("{{\"time\":{time}}}")).sent,
            expected,
            "{time}"
        );
    }
}

#[test]
fn r23_a_thousand_entries_and_no_more() {
    let body = |entries: usize| {
        let entries: Vec<Value> = (1..=entries).map(|id| json!({"ad_id": id})).collect();
        json!({"object": 3, "entry": entries}).to_string()
    };
    assert_eq!(parse(body(1000).as_bytes()).unwrap().len(), 1000);
    for entries in [1001, 5000] {
        assert_eq!(
            parse(body(entries).as_bytes()),
            Err(PayloadError::TooManyEntries)
        );
    }
}

#[test]
fn r23_what_is_no_such_body_is_a_clean_error() {
    let deep_lists = format!("{{\"x\":{}", "[".repeat(200_000));
    let deep_objects = format!("{{\"entry\":[{}", "{\"x\":".repeat(200_000));
    let deep_known = format!("{{\"entry\":[{{\"ad_id\":{}", "[{\"a\":".repeat(200_000));
    for body in [
        "",
        " ",
        "null",
        "5",
        "\"x\"",
        "[]",
        "[2,1763899200,[]]",
        "{",
        "{\"object\":2",
        "{\"object\":2}x",
        "{\"object\":2}{}",
        "{\"object\":2,\"object\":3}",
        "{\"entry\":[{\"ad_id\":1,\"ad_id\":2}]}",
        "{\"entry\":{}}",
        "{\"entry\":\"x\"}",
        "{\"entry\":[1e999999]}",
        "{\"object\":1e999999}",
        "{\"object\":01}",
        "{\"object\":NaN}",
        "{\"status\":\"\\ud800\"}",
        "{\"status\":\"\u{0}\"}",
        "\u{feff}{}",
        &deep_lists,
        &deep_objects,
        &deep_known,
    ] {
        let error = parse(body.as_bytes()).expect_err(body);
        assert!(matches!(error, PayloadError::Malformed { .. }), "{error:?}");
        assert!(error.to_string().len() < 100);
    }
    for bytes in [
        &b"{\"x\":\"\xff\"}"[..],
        b"\xff",
        b"{\"x\":\"\xed\xa0\x80\"}",
        b"{}\x80",
    ] {
        assert_eq!(parse(bytes), Err(PayloadError::NotUtf8));
    }
    // What nests deeply and is closed is skipped without a stack.
    let closed = format!("{{\"x\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(one(&closed), other(None, None));
}

#[test]
fn r25_errors_do_not_quote_the_body() {
    for body in [
        "{\"entry\":\"canary\"}",
        "{\"canary\":canary}",
        "canary",
        "{\"object\":1,\"object\":\"canary\"}",
    ] {
        let error = parse(body.as_bytes()).expect_err(body);
        assert!(!format!("{error} {error:?}").contains("canary"), "{error}");
    }
}

/// Any JSON, with our names among the keys.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,20}".prop_map(Value::from),
        "[0-9]{1,20}".prop_map(Value::from),
        Just(json!(2)),
        Just(json!(3)),
    ];
    let key = prop_oneof![
        "[a-z]{0,4}",
        proptest::sample::select(vec![
            "object",
            "time",
            "entry",
            "advertiser_id",
            "status",
            "status_change_time",
            "adv_id",
            "campaign_id",
            "adgroup_id",
            "ad_id"
        ])
        .prop_map(str::to_owned),
    ];
    leaf.prop_recursive(4, 64, 8, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
            proptest::collection::vec((key.clone(), inner), 0..8)
                .prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn r23_no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = parse(&bytes);
    }

    #[test]
    fn r23_no_json_panics_and_every_object_is_an_event(value in any_json()) {
        let parsed = parse(value.to_string().as_bytes());
        let entry_fits = value.get("entry").is_none_or(|entry| entry.is_array() || entry.is_null());
        if value.is_object() && entry_fits {
            prop_assert!(!parsed.unwrap().is_empty());
        } else {
            prop_assert!(parsed.is_err());
        }
    }

    #[test]
    fn r23_ids_survive_exactly(
        entries in proptest::collection::vec((1..=i64::MAX, 1..=i64::MAX, 1..=i64::MAX, 1..=i64::MAX, any::<bool>()), 1..20)
    ) {
        let id = |id: i64, text: bool| if text { json!(id.to_string()) } else { json!(id) };
        let list: Vec<Value> = entries.iter().map(|(adv, campaign, group, ad, text)| json!({
            "adv_id": id(*adv, *text), "campaign_id": id(*campaign, !*text), "adgroup_id": id(*group, *text),
            "ad_id": id(*ad, !*text)})).collect();
        let events = parse(json!({"object": 3, "entry": list}).to_string().as_bytes()).unwrap();
        let expected: Vec<Event> = entries.iter().map(|(adv, campaign, group, ad, _)| Event {
            kind: EventKind::AdReview {
                ad: ad.to_string(), ad_group: Some(group.to_string()), campaign: Some(campaign.to_string()),
            },
            advertiser: Some(adv.to_string()),
            sent: None,
        }).collect();
        prop_assert_eq!(events, expected);
    }
}
