//! Requests as TikTok's documentation and live payloads have them, written by hand from the reference and
//! independent of the sandbox, so that a wrong name cannot agree with itself.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod access;
mod ad_groups;
mod ads;
mod oauth;
mod reviews;
mod subscriptions;

use std::time::Duration;

use secrecy::SecretString;
use serde_json::{Value, json};

use super::*;

pub(super) const ADVERTISER: &str = "7002238017842757633";
pub(super) const CAMPAIGN: &str = "1728545382536225";
/// Never to be seen in any `Debug` or `Display`.
pub(super) const CANARY: &str = "canary0123456789";

pub(super) fn reply(body: &Value) -> WireReply {
    raw(200, &body.to_string())
}

pub(super) fn raw(status: u16, body: &str) -> WireReply {
    WireReply {
        status,
        date: None,
        retry_after: None,
        log_id: Some("LOG1".into()),
        body: body.as_bytes().to_vec(),
    }
}

/// A create of one object of a kind: what the tests of replies and codes need of it.
pub(super) fn create_of(kind: Kind, tree: Tree, object: NewObject) -> Call {
    Call::Create {
        advertiser: ADVERTISER.into(),
        kind,
        tree,
        objects: vec![object],
    }
}

pub(super) fn campaign(fields: &[(&'static str, Value)]) -> NewObject {
    NewObject {
        parent: None,
        name: "Spring sale".into(),
        request_id: "4611686018427387904".into(),
        budget_mode: Some("BUDGET_MODE_DAY".into()),
        budget: Some(Cents(4990)),
        fields: fields.iter().cloned().collect(),
    }
}

/// A create of the very plainest campaign.
pub(super) fn create(tree: Tree) -> Call {
    let plain = campaign(&[("objective_type", json!("TRAFFIC"))]);
    create_of(Kind::Campaign, tree, plain)
}

pub(super) fn list_of(kind: Kind, tree: Tree, page: u32, page_size: u32) -> Call {
    Call::List {
        advertiser: ADVERTISER.into(),
        kind,
        tree,
        filter: Filter::default(),
        page,
        page_size,
    }
}

pub(super) fn list(tree: Tree, page: u32, page_size: u32) -> Call {
    list_of(Kind::Campaign, tree, page, page_size)
}

pub(super) fn set_status_of(kind: Kind, tree: Tree, ids: &[&str], status: OperationStatus) -> Call {
    Call::SetStatus {
        advertiser: ADVERTISER.into(),
        kind,
        tree,
        ids: ids.iter().map(|id| (*id).to_owned()).collect(),
        status,
        postback_window_mode: None,
        automated_creative: false,
    }
}

pub(super) fn set_status(tree: Tree, ids: &[&str], status: OperationStatus) -> Call {
    match set_status_of(Kind::Campaign, tree, ids, status) {
        Call::SetStatus {
            advertiser,
            kind,
            tree,
            ids,
            status,
            automated_creative,
            ..
        } => Call::SetStatus {
            advertiser,
            kind,
            tree,
            ids,
            status,
            postback_window_mode: Some("POSTBACK_WINDOW_MODE2".into()),
            automated_creative,
        },
        other => other,
    }
}

pub(super) fn update_of(kind: Kind, tree: Tree, id: &str, changes: Changes) -> Call {
    Call::Update {
        advertiser: ADVERTISER.into(),
        kind,
        tree,
        id: id.into(),
        changes,
    }
}

fn update(tree: Tree) -> Call {
    let changes = Changes {
        name: Some("New name".into()),
        budget: Some(Cents(6000)),
        fields: [("special_industries", json!([]))].into(),
        ..Changes::default()
    };
    update_of(Kind::Campaign, tree, CAMPAIGN, changes)
}

/// One call of every sort, for every kind in every tree.
pub(super) fn every_call() -> Vec<Call> {
    let mut calls = vec![
        Call::AdvertiserInfo {
            advertiser_ids: vec![ADVERTISER.into()],
        },
        Call::GrantedAdvertisers {
            app_id: "7100000000000000001".into(),
            secret: CANARY.into(),
        },
        Call::SetCreativeStatus {
            advertiser: ADVERTISER.into(),
            ad: "1800000000000009".into(),
            creatives: vec!["1800000000000011".into()],
            status: OperationStatus::Disable,
        },
    ];
    calls.extend(oauth::calls());
    calls.extend(access::calls());
    calls.extend(subscriptions::calls());
    for tree in Tree::ALL {
        calls.push(Call::Appeal {
            advertiser: ADVERTISER.into(),
            tree,
            ad: "1800000000000009".into(),
            ad_group: (tree == Tree::Manual).then(|| "1800000000000005".into()),
            reason: "The claim has a source.".into(),
        });
        calls.push(Call::Reviews {
            advertiser: ADVERTISER.into(),
            tree,
            ids: vec!["1800000000000009".into()],
        });
        for kind in Kind::ALL {
            let named = Changes {
                name: Some("New name".into()),
                ..Changes::default()
            };
            calls.extend([
                list_of(kind, tree, 1, 100),
                create_of(kind, tree, campaign(&[])),
                update_of(kind, tree, CAMPAIGN, named),
                set_status_of(kind, tree, &[CAMPAIGN], OperationStatus::Disable),
            ]);
        }
    }
    calls
}

#[test]
fn the_manual_create_body() {
    let request = create(Tree::Manual).request(None);
    assert_eq!(
        (request.method, request.path),
        (Method::Post, "/open_api/v1.3/campaign/create/")
    );
    assert!(request.query.is_empty());
    assert_eq!(
        request.body,
        Some(json!({
            "advertiser_id": ADVERTISER, "campaign_name": "Spring sale", "request_id": "4611686018427387904",
            "objective_type": "TRAFFIC", "budget_mode": "BUDGET_MODE_DAY", "budget": 49.9,
            "operation_status": "DISABLE", "budget_optimize_on": false
        }))
    );
}

#[test]
fn the_smart_plus_create_body() {
    let object = NewObject {
        budget_mode: Some("BUDGET_MODE_DYNAMIC_DAILY_BUDGET".into()),
        budget: Some(Cents(5000)),
        ..campaign(&[
            ("objective_type", json!("APP_PROMOTION")),
            ("budget_optimize_on", json!(true)),
            ("campaign_type", json!("IOS14_CAMPAIGN")),
            ("app_promotion_type", json!("APP_INSTALL")),
            ("app_id", json!("7100000000000000001")),
            ("special_industries", json!(["CREDIT"])),
            ("catalog_enabled", json!(false)),
            ("catalog_type", json!("ECOMMERCE")),
            ("po_number", json!("PO-7")),
            ("postback_window_mode", json!("POSTBACK_WINDOW_MODE1")),
        ])
    };
    let request = create_of(Kind::Campaign, Tree::SmartPlus, object).request(None);
    assert_eq!(request.path, "/open_api/v1.3/smart_plus/campaign/create/");
    assert_eq!(
        request.body,
        Some(json!({
            "advertiser_id": ADVERTISER, "campaign_name": "Spring sale", "request_id": "4611686018427387904",
            "objective_type": "APP_PROMOTION", "budget_mode": "BUDGET_MODE_DYNAMIC_DAILY_BUDGET", "budget": 50,
            "campaign_type": "IOS14_CAMPAIGN", "app_promotion_type": "APP_INSTALL", "app_id": "7100000000000000001",
            "special_industries": ["CREDIT"], "catalog_enabled": false, "catalog_type": "ECOMMERCE",
            "po_number": "PO-7", "postback_window_mode": "POSTBACK_WINDOW_MODE1", "operation_status": "DISABLE", "budget_optimize_on": true,
            "is_advanced_dedicated_campaign": false
        }))
    );
}

#[test]
fn r15_an_update_sends_the_changed_fields_only() {
    let manual = update(Tree::Manual).request(None);
    assert_eq!(
        (manual.method, manual.path),
        (Method::Post, "/open_api/v1.3/campaign/update/")
    );
    assert_eq!(
        manual.body,
        Some(
            json!({"advertiser_id": ADVERTISER, "campaign_id": CAMPAIGN, "campaign_name": "New name", "budget": 60,
            "special_industries": []})
        )
    );
    let smart_plus = update(Tree::SmartPlus).request(None);
    assert_eq!(
        smart_plus.path,
        "/open_api/v1.3/smart_plus/campaign/update/"
    );
    assert_eq!(
        smart_plus.body,
        Some(
            json!({"advertiser_id": ADVERTISER, "campaign_id": CAMPAIGN, "campaign_name": "New name", "budget": 60})
        )
    );
}

#[test]
fn r07_the_postback_window_goes_with_a_pause_and_nothing_else() {
    let body = |status| {
        set_status(Tree::Manual, &["1", "2"], status)
            .request(None)
            .body
    };
    assert_eq!(
        body(OperationStatus::Disable),
        Some(
            json!({"advertiser_id": ADVERTISER, "campaign_ids": ["1", "2"], "operation_status": "DISABLE",
            "postback_window_mode": "POSTBACK_WINDOW_MODE2"})
        )
    );
    for (status, wire) in [
        (OperationStatus::Enable, "ENABLE"),
        (OperationStatus::Delete, "DELETE"),
    ] {
        let plain = json!({"advertiser_id": ADVERTISER, "campaign_ids": ["1", "2"], "operation_status": wire});
        assert_eq!(body(status), Some(plain));
    }
    let smart_plus = set_status(Tree::SmartPlus, &["1"], OperationStatus::Enable);
    assert_eq!(
        smart_plus.path(),
        "/open_api/v1.3/smart_plus/campaign/status/update/"
    );
    assert_eq!(
        set_status(Tree::Manual, &["1"], OperationStatus::Enable).path(),
        "/open_api/v1.3/campaign/status/update/"
    );
}

#[test]
fn a_list_puts_json_text_into_the_query() {
    let plain = list(Tree::SmartPlus, 2, 100).request(None);
    assert_eq!(
        (plain.method, plain.path),
        (Method::Get, "/open_api/v1.3/smart_plus/campaign/get/")
    );
    assert_eq!(
        plain.query,
        [
            ("advertiser_id", ADVERTISER.to_owned()),
            ("page", "2".into()),
            ("page_size", "100".into())
        ]
    );
    assert_eq!(plain.body, None);

    let filter = Filter {
        ids: vec!["1".into(), "2".into()],
        name: Some("50 % \"off\" & more".into()),
        created_from: "2026-11-23T10:00:00.9Z".parse().ok(),
        created_to: "2026-11-23T11:00:00.1Z".parse().ok(),
        include_deleted: true,
        all_origins: true,
        ..Filter::default()
    };
    let filtering = |tree| {
        let call = Call::List {
            advertiser: ADVERTISER.into(),
            kind: Kind::Campaign,
            tree,
            filter: filter.clone(),
            page: 1,
            page_size: 1000,
        };
        let query = call.request(None).query;
        let text = query
            .into_iter()
            .find(|(name, _)| *name == "filtering")
            .map(|(_, value)| value);
        serde_json::from_str::<Value>(&text.unwrap_or_default()).unwrap_or_default()
    };
    let mut expected = json!({
        "campaign_ids": ["1", "2"], "campaign_name": "50 % \"off\" & more",
        "creation_filter_start_time": "2026-11-23 09:59:59", "creation_filter_end_time": "2026-11-23 11:00:02",
        "primary_status": "STATUS_ALL"
    });
    assert_eq!(filtering(Tree::SmartPlus), expected);
    expected["campaign_system_origins"] = json!(["TT_ADS_PLATFORM", "PROMOTE"]);
    assert_eq!(filtering(Tree::Manual), expected);
}

#[test]
fn account_calls() {
    let info = Call::AdvertiserInfo {
        advertiser_ids: vec!["1".into(), "2".into()],
    }
    .request(None);
    assert_eq!(
        (info.method, info.path),
        (Method::Get, "/open_api/v1.3/advertiser/info/")
    );
    assert_eq!(info.query, [("advertiser_ids", "[\"1\",\"2\"]".to_owned())]);
    let granted = Call::GrantedAdvertisers {
        app_id: "7".into(),
        secret: CANARY.into(),
    }
    .request(None);
    assert_eq!(
        (granted.method, granted.path),
        (Method::Get, "/open_api/v1.3/oauth2/advertiser/get/")
    );
    assert_eq!(
        granted.query,
        [("app_id", "7".to_owned()), ("secret", CANARY.to_owned())]
    );
}

#[test]
fn every_path_has_version_and_slash_and_writes_are_posts() {
    for call in every_call() {
        let request = call.request(None);
        assert!(
            request.path.starts_with("/open_api/v1.3/") && request.path.ends_with('/'),
            "{}",
            request.path
        );
        assert_eq!(
            call.is_write(),
            request.method == Method::Post,
            "{}",
            call.name()
        );
        assert_eq!(request.path, call.path());
    }
}

#[test]
fn r25_neither_token_nor_secret_is_in_any_debug_or_display() {
    let token = SecretString::from(CANARY);
    let long = "canary0123456789canary0123456789canary01";
    let mut shown = Vec::new();
    for call in every_call() {
        let request = call.request(Some(&token));
        shown.push(format!("{call:?} {request:?} {request:#?}"));
        for wire in [
            reply(
                &json!({"code": 40105, "message": format!("token {long} secret {CANARY}"), "data": {}}),
            ),
            reply(&json!({"code": 40002, "message": format!("bad {long}"), "data": {}})),
            raw(
                502,
                &format!("<html>/oauth2/advertiser/get/?secret={CANARY} {long}</html>"),
            ),
            raw(404, &format!("?secret={CANARY}")),
            raw(200, &format!("{{\"token\": \"{CANARY}\"")),
        ] {
            shown.push(format!("{wire:?} {wire:#?}"));
            // A secret that is shaped like none: the call knows its own, and who sends it the token of the header.
            let error = read_as(&call, Some(&token), wire).expect_err("an error");
            shown.push(format!("{error} {error:?}"));
        }
        let error = transport_error(&call, TransportError::Unclear("timed out".into()));
        shown.push(format!("{error} {error:?}"));
    }
    for text in shown {
        assert!(!text.contains("canary"), "{text}");
    }
}

#[test]
fn what_the_transport_says_about_the_effect() {
    let wait = Duration::from_secs(1);
    for call in every_call() {
        let refused = transport_error(&call, TransportError::NotSent("connection refused".into()));
        assert_eq!(refused.class, ErrorClass::Retry);
        let cut = transport_error(
            &call,
            TransportError::Unclear(format!("no answer within {wait:?}")),
        );
        assert_eq!(
            cut.class,
            if call.is_write() {
                ErrorClass::Ambiguous
            } else {
                ErrorClass::Retry
            }
        );
        assert!(cut.to_string().starts_with(&format!(
            "{}: no complete reply: no answer within 1s. ",
            call.name()
        )));
    }
}
