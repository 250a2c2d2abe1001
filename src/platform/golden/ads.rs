//! Ads of both trees, from the reference's section 5 and its appendix A.

use serde_json::{Value, json};

use super::super::golden_replies::ok;
use super::super::*;
use super::{ADVERTISER, CAMPAIGN, create_of, list_of, set_status_of, update_of};

const AD_GROUP: &str = "1728545382536226";
const AD: &str = "1728545382536227";
const SMART_PLUS_AD: &str = "1800000000000009";

fn ad(name: &str, fields: &[(&'static str, Value)]) -> NewObject {
    NewObject {
        parent: Some(AD_GROUP.into()),
        name: name.into(),
        request_id: "4611686018427387907".into(),
        budget_mode: None,
        budget: None,
        fields: fields.iter().cloned().collect(),
    }
}

#[test]
fn the_manual_create_body_holds_several_ads() {
    let video = ad(
        "Video",
        &[
            ("identity_type", json!("BC_AUTH_TT")),
            ("identity_id", json!("id-1")),
            ("identity_authorized_bc_id", json!("7000000000000000001")),
            ("ad_format", json!("SINGLE_VIDEO")),
            ("video_id", json!("v10033g50000abc")),
            ("image_ids", json!(["ad-site-i18n-sg/cover"])),
            ("ad_text", json!("Spring is here")),
            ("call_to_action", json!("LEARN_MORE")),
            (
                "landing_page_url",
                json!("https://shop.example/?utm_source=tiktok"),
            ),
            (
                "utm_params",
                json!([{"key": "utm_source", "value": "tiktok"}]),
            ),
            ("page_id", json!("7123456789012345678")),
        ],
    );
    let post = ad(
        "Post",
        &[
            ("identity_type", json!("AUTH_CODE")),
            ("identity_id", json!("id-2")),
            ("ad_format", json!("SINGLE_VIDEO")),
            ("tiktok_item_id", json!("7300000000000000001")),
            ("promotional_music_disabled", json!(false)),
        ],
    );
    let call = Call::Create {
        advertiser: ADVERTISER.into(),
        kind: Kind::Ad,
        tree: Tree::Manual,
        objects: vec![video, post],
    };
    let request = call.request(None);
    assert_eq!(
        (request.method, request.path),
        (Method::Post, "/open_api/v1.3/ad/create/")
    );
    assert_eq!(
        request.body,
        Some(
            json!({"advertiser_id": ADVERTISER, "adgroup_id": AD_GROUP, "creatives": [
                {
                    "ad_name": "Video", "identity_type": "BC_AUTH_TT", "identity_id": "id-1",
                    "identity_authorized_bc_id": "7000000000000000001", "ad_format": "SINGLE_VIDEO",
                    "video_id": "v10033g50000abc", "image_ids": ["ad-site-i18n-sg/cover"],
                    "ad_text": "Spring is here", "call_to_action": "LEARN_MORE",
                    "landing_page_url": "https://shop.example/?utm_source=tiktok",
                    "utm_params": [{"key": "utm_source", "value": "tiktok"}], "page_id": 7123456789012345678i64,
                    "operation_status": "DISABLE", "dark_post_status": "ON", "creative_authorized": false,
                    "promotional_music_disabled": true, "creative_auto_enhancement_strategy_list": []
                },
                {
                    "ad_name": "Post", "identity_type": "AUTH_CODE", "identity_id": "id-2",
                    "ad_format": "SINGLE_VIDEO", "tiktok_item_id": "7300000000000000001",
                    "operation_status": "DISABLE", "creative_authorized": false,
                    "promotional_music_disabled": false, "item_duet_status": "DISABLE",
                    "item_stitch_status": "DISABLE", "creative_auto_enhancement_strategy_list": []
                }
            ]})
        )
    );
    assert_eq!(create_batch(Kind::Ad, Tree::Manual), 20);
    assert!(!takes_key(Kind::Ad, Tree::Manual) && !takes_key(Kind::Ad, Tree::SmartPlus));
}

fn creative(material: Value) -> Value {
    let mut info =
        json!({"ad_format": "SINGLE_VIDEO", "identity_type": "TT_USER", "identity_id": "id-1"});
    for (name, value) in material.as_object().into_iter().flatten() {
        info[name] = value.clone();
    }
    json!({ "creative_info": info })
}

fn video() -> Value {
    creative(
        json!({"video_info": {"video_id": "v10033g50000abc"}, "image_info": [{"web_uri": "cover"}]}),
    )
}

#[test]
fn the_smart_plus_create_body() {
    let object = ad(
        "Smart",
        &[
            ("creative_list", json!([video()])),
            ("ad_text_list", json!([{"ad_text": "A"}, {"ad_text": "B"}])),
            (
                "landing_page_url_list",
                json!([{"landing_page_url": "https://shop.example"}]),
            ),
            ("call_to_action_id", json!("7400000000000000001")),
            (
                "utm_params",
                json!([{"key": "utm_source", "value": "tiktok"}]),
            ),
            ("click_tracking_url", json!("https://track.example/c")),
        ],
    );
    let request = create_of(Kind::Ad, Tree::SmartPlus, object).request(None);
    assert_eq!(request.path, "/open_api/v1.3/smart_plus/ad/create/");
    assert_eq!(
        request.body,
        Some(json!({
            "advertiser_id": ADVERTISER, "adgroup_id": AD_GROUP, "ad_name": "Smart",
            "creative_list": [video()], "ad_text_list": [{"ad_text": "A"}, {"ad_text": "B"}],
            "landing_page_url_list": [{"landing_page_url": "https://shop.example"}],
            "operation_status": "DISABLE",
            "ad_configuration": {
                "call_to_action_id": "7400000000000000001",
                "utm_params": [{"key": "utm_source", "value": "tiktok"}],
                "tracking_info": {"click_tracking_url": "https://track.example/c"},
                "dark_post_status": "ON", "creative_auto_add_toggle": false,
                "creative_auto_enhancement_strategy_list": []
            }
        }))
    );
}

#[test]
fn r15_updates() {
    let text = Changes {
        parent: Some(AD_GROUP.into()),
        fields: [("ad_text", json!("Summer is here"))].into(),
        ..Changes::default()
    };
    let manual = update_of(Kind::Ad, Tree::Manual, AD, text).request(None);
    assert_eq!(manual.path, "/open_api/v1.3/ad/update/");
    assert_eq!(
        manual.body,
        Some(
            json!({"advertiser_id": ADVERTISER, "adgroup_id": AD_GROUP, "patch_update": true,
            "creatives": [{"ad_id": AD, "ad_text": "Summer is here"}]})
        )
    );
    let texts = Changes {
        fields: [("ad_text_list", json!([{"ad_text": "C"}]))].into(),
        ..Changes::default()
    };
    let smart_plus = update_of(Kind::Ad, Tree::SmartPlus, SMART_PLUS_AD, texts).request(None);
    assert_eq!(smart_plus.path, "/open_api/v1.3/smart_plus/ad/update/");
    assert_eq!(
        smart_plus.body,
        Some(
            json!({"advertiser_id": ADVERTISER, "smart_plus_ad_id": SMART_PLUS_AD,
            "ad_text_list": [{"ad_text": "C"}]})
        )
    );
}

#[test]
fn r05_status_calls_name_their_ids_by_sort() {
    let manual = set_status_of(Kind::Ad, Tree::Manual, &["1"], OperationStatus::Enable);
    assert_eq!(manual.path(), "/open_api/v1.3/ad/status/update/");
    assert_eq!(
        manual.request(None).body,
        Some(json!({"advertiser_id": ADVERTISER, "ad_ids": ["1"], "operation_status": "ENABLE"}))
    );
    let combined = Call::SetStatus {
        advertiser: ADVERTISER.into(),
        kind: Kind::Ad,
        tree: Tree::Manual,
        ids: vec!["1".into()],
        status: OperationStatus::Disable,
        postback_window_mode: None,
        automated_creative: true,
    };
    assert_eq!(
        combined.request(None).body,
        Some(
            json!({"advertiser_id": ADVERTISER, "aco_ad_ids": ["1"], "operation_status": "DISABLE"})
        )
    );
    let smart_plus = set_status_of(Kind::Ad, Tree::SmartPlus, &["1"], OperationStatus::Delete);
    assert_eq!(
        smart_plus.path(),
        "/open_api/v1.3/smart_plus/ad/status/update/"
    );
    assert_eq!(
        smart_plus.request(None).body,
        Some(
            json!({"advertiser_id": ADVERTISER, "smart_plus_ad_ids": ["1"], "operation_status": "DELETE"})
        )
    );
    // The answers name the ids and nothing else.
    for (call, data) in [
        (manual, json!({"ad_ids": ["1"], "status": "ENABLE"})),
        (combined, json!({"aco_ad_ids": ["1"], "status": "DISABLE"})),
        (
            smart_plus,
            json!({"smart_plus_ad_ids": ["1"], "status": "DELETE"}),
        ),
    ] {
        assert_eq!(
            read(&call, ok(data)).map(|answer| answer.reply),
            Ok(Reply::StatusSet {
                done: vec!["1".into()],
                refused: Vec::new(),
            })
        );
    }
}

#[test]
fn single_creatives_are_switched_by_the_ids_that_the_ad_gave_them() {
    let call = Call::SetCreativeStatus {
        advertiser: ADVERTISER.into(),
        ad: SMART_PLUS_AD.into(),
        creatives: vec!["1800000000000021".into(), "1800000000000022".into()],
        status: OperationStatus::Disable,
    };
    let request = call.request(None);
    assert_eq!(
        (request.method, request.path),
        (
            Method::Post,
            "/open_api/v1.3/smart_plus/ad/material_status/update/"
        )
    );
    assert_eq!(
        request.body,
        Some(
            json!({"advertiser_id": ADVERTISER, "smart_plus_ad_id": SMART_PLUS_AD,
            "ad_material_ids": ["1800000000000021", "1800000000000022"], "operation_status": "DISABLE"})
        )
    );
    assert_eq!(
        read(&call, ok(json!({}))).map(|answer| answer.reply),
        Ok(Reply::StatusSet {
            done: vec!["1800000000000021".into(), "1800000000000022".into()],
            refused: Vec::new(),
        })
    );
}

#[test]
fn lists_of_smart_plus_ads_know_no_names() {
    let filtering = |tree| {
        let call = Call::List {
            advertiser: ADVERTISER.into(),
            kind: Kind::Ad,
            tree,
            filter: Filter {
                ids: vec!["1".into()],
                parents: vec![AD_GROUP.into()],
                name: Some("Video".into()),
                ..Filter::default()
            },
            page: 1,
            page_size: 100,
        };
        let query = call.request(None).query;
        serde_json::from_str::<Value>(&query[1].1).unwrap_or_default()
    };
    assert_eq!(
        filtering(Tree::Manual),
        json!({"ad_ids": ["1"], "adgroup_ids": [AD_GROUP], "ad_name": "Video"})
    );
    assert_eq!(
        filtering(Tree::SmartPlus),
        json!({"smart_plus_ad_ids": ["1"], "adgroup_ids": [AD_GROUP]})
    );
}

/// The official example of one of the ads in a create answer.
fn created() -> Value {
    // Text, since the macro does not take so many entries.
    let text = r#"{
        "ad_name": "Video", "card_id": null, "call_to_action_id": null, "profile_image_url": "",
        "fallback_type": "UNSET", "creative_authorized": false, "vast_moat_enabled": false,
        "deeplink_format_type": null, "image_ids": ["ad-site-i18n-sg/cover"], "is_aco": false,
        "campaign_id": "1728545382536225", "video_id": "v10033g50000abc", "click_tracking_url": null, "display_name": "",
        "campaign_name": "Spring sale", "app_name": "", "ad_texts": null, "tracking_pixel_id": 0,
        "call_to_action": "LEARN_MORE", "ad_id": "1728545382536227", "tracking_app_id": null, "is_new_structure": true,
        "creative_type": null, "identity_type": "CUSTOMIZED_USER", "playable_url": "",
        "impression_tracking_url": null, "advertiser_id": "7002238017842757633", "adgroup_id": "1728545382536226",
        "landing_page_urls": null, "create_time": "2022-03-28 14:00:15", "ad_format": "SINGLE_VIDEO",
        "operation_status": "ENABLE", "identity_id": "id-1", "adgroup_name": "Installs US",
        "viewability_vast_url": null, "tracking_offline_event_set_ids": [],
        "viewability_postbid_partner": "UNSET", "music_id": null, "brand_safety_vast_url": null,
        "optimization_event": "ACTIVE", "deeplink": "", "deeplink_type": "NORMAL", "page_id": null,
        "brand_safety_postbid_partner": "UNSET", "landing_page_url": "https://shop.example",
        "modify_time": "2022-03-28 14:00:15", "ad_text": "Spring is here", "avatar_icon_web_uri": ""
    }"#;
    serde_json::from_str(text).unwrap()
}

#[test]
fn the_official_create_answer() {
    let call = Call::Create {
        advertiser: ADVERTISER.into(),
        kind: Kind::Ad,
        tree: Tree::Manual,
        objects: vec![ad("Other", &[]), ad("Video", &[])],
    };
    let wire = ok(json!({"ad_ids": [AD], "need_audit": false, "creatives": [created()]}));
    let made = match read(&call, wire).map(|answer| answer.reply) {
        Ok(Reply::Created(made)) => made,
        other => panic!("{other:?}"),
    };
    // What the answer does not show is not known to be made.
    assert_eq!(made[0], None);
    let row = made[1].clone().unwrap();
    assert_eq!((row.id.as_str(), row.parent()), (AD, Some(AD_GROUP)));
    assert_eq!(row.campaign.as_deref(), Some(CAMPAIGN));
    assert_eq!((row.budget, row.secondary_status.as_str()), (None, ""));
    let says: Fields = row
        .fields
        .iter()
        .filter(|(_, value)| !value.is_null() && **value != json!([]))
        .map(|(name, value)| (*name, value.clone()))
        .collect();
    let expected: Fields = [
        ("ad_format", json!("SINGLE_VIDEO")),
        ("ad_text", json!("Spring is here")),
        ("call_to_action", json!("LEARN_MORE")),
        ("identity_id", json!("id-1")),
        ("identity_type", json!("CUSTOMIZED_USER")),
        ("image_ids", json!(["ad-site-i18n-sg/cover"])),
        ("is_aco", json!(false)),
        ("landing_page_url", json!("https://shop.example")),
        ("video_id", json!("v10033g50000abc")),
    ]
    .into();
    assert_eq!(says, expected);
    // Shown, and saying nothing.
    for name in [
        "tracking_pixel_id",
        "deeplink_type",
        "page_id",
        "display_name",
        "fallback_type",
    ] {
        assert_eq!(row.fields.get(name), Some(&Value::Null), "{name}");
    }
}

fn rows(tree: Tree, row: &Value) -> Vec<Row> {
    let wire = ok(json!({"list": [row],
        "page_info": {"page": 1, "page_size": 100, "total_number": 1, "total_page": 1}}));
    match read(&list_of(Kind::Ad, tree, 1, 100), wire).map(|answer| answer.reply) {
        Ok(Reply::Rows { rows, .. }) => rows,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_post_is_all_that_a_pulled_ad_shows() {
    let mut row = created();
    row["tiktok_item_id"] = json!("7300000000000000001");
    let read = &rows(Tree::Manual, &row)[0];
    assert_eq!(read.fields["tiktok_item_id"], "7300000000000000001");
    assert_eq!(read.fields["video_id"], Value::Null);
    assert_eq!(read.fields["image_ids"], json!([]));
    row["tiktok_item_id"] = json!("0");
    assert_eq!(
        rows(Tree::Manual, &row)[0].fields["video_id"],
        "v10033g50000abc"
    );
}

#[test]
fn r29_a_smart_plus_row_tells_creatives_and_their_switches_apart() {
    let mut shown = video();
    shown["ad_material_id"] = json!("1800000000000021");
    shown["material_operation_status"] = json!("DISABLE");
    shown["creative_info"]["material_name"] = json!("spring.mp4");
    let row = json!({
        "advertiser_id": ADVERTISER, "campaign_id": CAMPAIGN, "adgroup_id": AD_GROUP,
        "smart_plus_ad_id": SMART_PLUS_AD, "ad_name": "Smart", "operation_status": "ENABLE",
        "secondary_status": "AD_STATUS_AUDIT", "creative_list": [shown], "ad_text_list": [{"ad_text": "A"}],
        "call_to_action_list": [], "interactive_add_on_list": [], "page_list": [], "deeplink_list": [],
        "landing_page_url_list": [{"landing_page_url": "https://shop.example"}],
        "ad_configuration": {"call_to_action_id": "7400000000000000001", "dark_post_status": "ON",
            "creative_auto_add_toggle": false, "tracking_info": {"impression_tracking_url": ""}},
        "create_time": "2026-11-20 08:00:00"
    });
    let rows = rows(Tree::SmartPlus, &row);
    let read = &rows[0];
    assert_eq!(
        (read.id.as_str(), read.tree),
        (SMART_PLUS_AD, Tree::SmartPlus)
    );
    assert_eq!((read.parent(), read.modified), (Some(AD_GROUP), None));
    let expected: Fields = [
        ("ad_text_list", json!([{"ad_text": "A"}])),
        ("call_to_action_id", json!("7400000000000000001")),
        ("call_to_action_list", json!([])),
        ("creative_auto_add_toggle", json!(false)),
        ("creative_list", json!([video()])),
        (
            "creative_status",
            json!([{"creative": "video v10033g50000abc", "material_id": "1800000000000021", "status": "DISABLE"}]),
        ),
        ("dark_post_status", json!("ON")),
        ("deeplink_list", json!([])),
        ("impression_tracking_url", Value::Null),
        ("interactive_add_on_list", json!([])),
        ("landing_page_url_list", json!([{"landing_page_url": "https://shop.example"}])),
        ("page_list", json!([])),
    ]
    .into();
    assert_eq!(read.fields, expected);
}

#[test]
fn r29_a_creative_of_a_smart_plus_ad_in_a_manual_list_is_no_ad_of_the_manual_tree() {
    let mut row = created();
    row["ad_id_v2"] = json!(SMART_PLUS_AD);
    row["campaign_automation_type"] = json!("UPGRADED_SMART_PLUS");
    let rows = rows(Tree::Manual, &row);
    assert_eq!((rows[0].id.as_str(), rows[0].tree), (AD, Tree::SmartPlus));
}

#[test]
fn an_ad_is_gone_with_what_it_is_in() {
    for secondary in [
        "AD_STATUS_DELETE",
        "AD_STATUS_ADGROUP_DELETE",
        "AD_STATUS_CAMPAIGN_DELETE",
    ] {
        let mut row = created();
        row["secondary_status"] = json!(secondary);
        let read = rows(Tree::Manual, &row);
        assert_eq!(read[0].operation, OperationState::Deleted, "{secondary}");
    }
}
