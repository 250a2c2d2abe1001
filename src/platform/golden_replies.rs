//! Replies as TikTok's documentation and live payloads have them, written by hand from the reference.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use serde_json::{Value, json};

use super::golden::{ADVERTISER, CAMPAIGN, CANARY, create, list, reply};
use super::*;

pub(super) fn ok(data: Value) -> WireReply {
    reply(
        &json!({"code": 0, "message": "OK", "request_id": "20260821071348308F4888CBE8D17022B5", "data": data}),
    )
}

/// The official example of a create answer for a TRAFFIC campaign: exactly these keys.
fn created() -> Value {
    json!({
        "budget_mode": "BUDGET_MODE_DAY", "is_search_campaign": false, "is_smart_performance_campaign": false,
        "secondary_status": "CAMPAIGN_STATUS_ENABLE", "objective": "LANDING_PAGE", "campaign_id": CAMPAIGN,
        "create_time": "2022-03-28 14:00:15", "campaign_type": "REGULAR_CAMPAIGN", "roas_bid": 0.0,
        "is_new_structure": true, "deep_bid_type": null, "budget": 50.0, "operation_status": "ENABLE",
        "modify_time": "2022-03-28 14:00:16", "campaign_name": "Spring sale", "objective_type": "TRAFFIC",
        "advertiser_id": ADVERTISER
    })
}

fn created_row() -> Row {
    Row {
        kind: Kind::Campaign,
        id: CAMPAIGN.into(),
        tree: Tree::Manual,
        campaign: None,
        ad_group: None,
        name: "Spring sale".into(),
        operation: OperationState::On,
        secondary_status: "CAMPAIGN_STATUS_ENABLE".into(),
        budget_mode: Some("BUDGET_MODE_DAY".into()),
        budget: Some(Cents(5000)),
        current_budget: None,
        created: "2022-03-28T14:00:15Z".parse().ok(),
        modified: "2022-03-28T14:00:16Z".parse().ok(),
        creatives: Vec::new(),
        // What the answer does not show is not there.
        fields: [
            ("campaign_type", json!("REGULAR_CAMPAIGN")),
            ("objective_type", json!("TRAFFIC")),
        ]
        .into(),
    }
}

#[test]
fn the_official_create_answer() {
    let mut wire = ok(created());
    wire.date = "2026-11-23T12:00:00Z".parse().ok();
    let answer = read(&create(Tree::Manual), wire);
    let expected = Answer {
        reply: Reply::Created(vec![Some(created_row())]),
        date: "2026-11-23T12:00:00Z".parse().ok(),
        request_id: "20260821071348308F4888CBE8D17022B5".into(),
    };
    assert_eq!(answer, Ok(expected));
}

#[test]
fn the_live_error_envelope() {
    let body = json!({"code": 40104, "message": "Access token is null, you should set it in http header with key Access-Token.",
        "request_id": "20260821191646DAEFF0B9BC2AA7DA28AE", "data": {}});
    let error = read(&list(Tree::Manual, 1, 1000), reply(&body)).expect_err("an error");
    assert_eq!(error.class, ErrorClass::Auth(AuthProblem::TokenMissing));
    assert_eq!(
        error.to_string(),
        "ListCampaigns: TikTok says: Access token is null, you should set it in http header with key Access-Token. \
         (code 40104, request 20260821191646DAEFF0B9BC2AA7DA28AE). No access token was sent: check the connection's Secret"
    );
}

#[test]
fn rows_of_both_lists() {
    let smart_plus = json!({
        "advertiser_id": ADVERTISER, "campaign_id": "1800000000000001", "campaign_name": "App 日本",
        "objective_type": "APP_PROMOTION", "app_promotion_type": "APP_INSTALL", "app_id": "7100000000000000001",
        "campaign_type": "IOS14_CAMPAIGN", "is_advanced_dedicated_campaign": true, "catalog_enabled": false,
        "catalog_type": "UNSET", "sales_destination": null, "special_industries": ["CREDIT"],
        "budget_optimize_on": true, "budget_mode": "BUDGET_MODE_DYNAMIC_DAILY_BUDGET",
        "budget_auto_adjust_strategy": "AUTO_BUDGET_INCREASE", "budget": 49.99, "current_budget": 59.988,
        "operation_status": "DISABLE", "secondary_status": "CAMPAIGN_STATUS_DISABLE",
        "smart_plus_adgroup_mode": "MULTIPLE", "postback_window_mode": "POSTBACK_WINDOW_MODE1", "po_number": "PO-7",
        "create_time": "2026-11-20 08:00:00", "modify_time": "2026-11-21 09:30:00"
    });
    let page = |row: &Value| {
        ok(json!({"list": [row],
        "page_info": {"page": 1, "page_size": 100, "total_number": 1, "total_page": 1}}))
    };
    let expected = Row {
        kind: Kind::Campaign,
        id: "1800000000000001".into(),
        tree: Tree::SmartPlus,
        campaign: None,
        ad_group: None,
        name: "App 日本".into(),
        operation: OperationState::Off,
        secondary_status: "CAMPAIGN_STATUS_DISABLE".into(),
        budget_mode: Some("BUDGET_MODE_DYNAMIC_DAILY_BUDGET".into()),
        budget: Some(Cents(4999)),
        current_budget: Some(Cents(5999)),
        created: "2026-11-20T08:00:00Z".parse().ok(),
        modified: "2026-11-21T09:30:00Z".parse().ok(),
        creatives: Vec::new(),
        fields: [
            ("app_id", json!("7100000000000000001")),
            ("app_promotion_type", json!("APP_INSTALL")),
            ("budget_optimize_on", json!(true)),
            ("campaign_type", json!("IOS14_CAMPAIGN")),
            ("catalog_enabled", json!(false)),
            ("catalog_type", json!(null)),
            ("is_advanced_dedicated_campaign", json!(true)),
            ("objective_type", json!("APP_PROMOTION")),
            ("po_number", json!("PO-7")),
            ("postback_window_mode", json!("POSTBACK_WINDOW_MODE1")),
            ("sales_destination", json!(null)),
            ("special_industries", json!(["CREDIT"])),
        ]
        .into(),
    };
    assert!(expected.is_dedicated() && !created_row().is_dedicated());
    let reply = |rows| {
        Ok(Reply::Rows {
            rows,
            page: 1,
            total_pages: 1,
            total: 1,
        })
    };
    let read_page =
        |tree, row: &Value| read(&list(tree, 1, 100), page(row)).map(|answer| answer.reply);
    assert_eq!(
        read_page(Tree::SmartPlus, &smart_plus),
        reply(vec![expected])
    );
    assert_eq!(
        read_page(Tree::Manual, &created()),
        reply(vec![created_row()])
    );
}

#[test]
fn r29_a_row_says_itself_which_tree_it_belongs_to() {
    let tree = |endpoint, mark: Value| {
        let mut row = created();
        row.as_object_mut().into_iter().for_each(|row| {
            row.remove("is_smart_performance_campaign");
            row.extend(mark.as_object().cloned().unwrap_or_default());
        });
        let wire = ok(
            json!({"list": [row], "page_info": {"page": 1, "page_size": 10, "total_number": 1, "total_page": 1}}),
        );
        match read(&list(endpoint, 1, 10), wire).map(|answer| answer.reply) {
            Ok(Reply::Rows { rows, .. }) => rows[0].tree,
            other => panic!("{other:?}"),
        }
    };
    for endpoint in [Tree::Manual, Tree::SmartPlus] {
        assert_eq!(tree(endpoint, json!({})), endpoint);
        assert_eq!(
            tree(endpoint, json!({"campaign_automation_type": "MANUAL"})),
            Tree::Manual
        );
        for smart in [
            "SMART_PLUS",
            "UPGRADED_SMART_PLUS",
            "UPGRADED_SMART_PLUS_CREATIVE",
        ] {
            assert_eq!(
                tree(endpoint, json!({"campaign_automation_type": smart})),
                Tree::SmartPlus
            );
        }
        assert_eq!(
            tree(endpoint, json!({"is_smart_performance_campaign": true})),
            Tree::SmartPlus
        );
        assert_eq!(
            tree(endpoint, json!({"is_smart_performance_campaign": false})),
            endpoint
        );
    }
}

#[test]
fn accounts() {
    let info = Call::AdvertiserInfo {
        advertiser_ids: vec![ADVERTISER.into()],
    };
    let wire = ok(
        json!({"list": [{"advertiser_id": ADVERTISER, "name": "Shop\u{202e}", "company": "x", "currency": "GBP",
        "timezone": "Etc/GMT+8", "display_timezone": "America/Los_Angeles", "status": "STATUS_LIMIT",
        "role": "ROLE_ADVERTISER", "owner_bc_id": "7100000000000000077", "balance": 12.5, "create_time": 1610000000,
        "rejection_reason": "1:Your account has been suspended,endtime:2032-12-10 12:17:03"}]}),
    );
    let row = AdvertiserRow {
        id: ADVERTISER.into(),
        name: "Shop".into(),
        currency: "GBP".into(),
        timezone: "Etc/GMT+8".into(),
        status: "STATUS_LIMIT".into(),
        role: Some("ROLE_ADVERTISER".into()),
        owner_bc_id: Some("7100000000000000077".into()),
        rejection_reason: Some(
            "1:Your account has been suspended,endtime:2032-12-10 12:17:03".into(),
        ),
    };
    assert_eq!(
        read(&info, wire).map(|answer| answer.reply),
        Ok(Reply::Advertisers(vec![row]))
    );

    let granted = Call::GrantedAdvertisers {
        app_id: "7".into(),
        secret: CANARY.into(),
    };
    let wire = ok(json!({"list": [{"advertiser_id": ADVERTISER, "advertiser_name": "Shop"}]}));
    let row = GrantedAdvertiser {
        id: ADVERTISER.into(),
        name: "Shop".into(),
    };
    assert_eq!(
        read(&granted, wire).map(|answer| answer.reply),
        Ok(Reply::Granted(vec![row]))
    );
}
