//! What an update sends, and what goes along (R15).

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::super::super::money::Cents;
use super::super::*;

fn changes(fields: &[(&'static str, Value)], rest: Option<&[(&'static str, Value)]>) -> Changes {
    Changes {
        parent: Some("5".into()),
        fields: fields.iter().cloned().collect(),
        rest: rest.map(|fields| {
            Box::new(Rest {
                name: "Old".into(),
                budget: Some(Cents(5000)),
                fields: fields.iter().cloned().collect(),
            })
        }),
        ..Changes::default()
    }
}

#[test]
fn r15_a_manual_ad_group_is_sent_as_a_whole() {
    let rest = [
        ("location_ids", json!(["6252001"])),
        ("bid_price", json!(250)),
        ("schedule_type", json!("SCHEDULE_START_END")),
        ("schedule_start_time", json!("2027-01-01 00:00:00")),
        ("search_result_enabled", json!(true)),
        ("saved_audience_id", json!("7")),
        ("placements", json!(["PLACEMENT_TIKTOK"])),
    ];
    let body = |changed: &[_], rest: &[_]| {
        update(
            "9",
            Kind::AdGroup,
            Tree::Manual,
            "1",
            &changes(changed, Some(rest)),
        )
    };
    assert_eq!(
        body(&[("gender", json!("GENDER_MALE"))], &rest),
        json!({
            "advertiser_id": "9", "adgroup_id": "1", "adgroup_name": "Old", "budget": 50,
            "gender": "GENDER_MALE", "location_ids": ["6252001"], "bid_price": 2.5,
            "schedule_type": "SCHEDULE_START_END", "schedule_start_time": "2027-01-01 00:00:00",
        })
    );
    // R14: a start that has passed is left out by the caller, and the type with it, since TikTok wants both.
    let passed: Vec<_> = rest
        .iter()
        .filter(|(name, _)| *name != "schedule_start_time")
        .cloned()
        .collect();
    assert_eq!(
        body(&[("gender", json!("GENDER_MALE"))], &passed).get("schedule_type"),
        None
    );
    let ended = body(&[("schedule_type", json!("SCHEDULE_FROM_NOW"))], &passed);
    assert_eq!(ended["schedule_type"], "SCHEDULE_FROM_NOW");
}

#[test]
fn r15_a_value_is_taken_away_with_tiktoks_word_for_it() {
    let changed = [
        ("gender", Value::Null),
        ("brand_safety_type", Value::Null),
        ("share_disabled", Value::Null),
        ("languages", json!([])),
        ("conversion_bid_price", Value::Null),
    ];
    let body = update(
        "9",
        Kind::AdGroup,
        Tree::Manual,
        "1",
        &changes(&changed, Some(&[("gender", json!("GENDER_MALE"))])),
    );
    assert_eq!(body["gender"], "GENDER_UNLIMITED");
    assert_eq!(body["brand_safety_type"], "NO_BRAND_SAFETY");
    assert_eq!(body["share_disabled"], json!(false));
    assert_eq!(body["languages"], json!([]));
    assert_eq!(body.get("conversion_bid_price"), None);
}

#[test]
fn r15_a_smart_plus_ad_group_sends_its_targeting_as_a_whole_and_nothing_else() {
    let rest = [
        ("location_ids", json!(["6252001"])),
        ("audience_ids", json!(["11"])),
        ("bid_price", json!(250)),
        ("app_targeting_type", json!("PROSPECT")),
    ];
    let body = |changed: &[_], rest: Option<&[_]>| {
        update(
            "9",
            Kind::AdGroup,
            Tree::SmartPlus,
            "1",
            &changes(changed, rest),
        )
    };
    assert_eq!(
        body(&[("audience_ids", json!([]))], Some(&rest)),
        json!({"advertiser_id": "9", "adgroup_id": "1",
            "targeting_spec": {"location_ids": ["6252001"], "audience_ids": []}})
    );
    assert_eq!(
        body(&[("bid_price", json!(300))], None),
        json!({"advertiser_id": "9", "adgroup_id": "1", "bid_price": 3})
    );
}

#[test]
fn r15_what_says_nothing_beside_a_change_stays_behind() {
    let group = [
        ("bid_type", json!("BID_TYPE_CUSTOM")),
        ("bid_price", json!(250)),
        ("gender", json!("GENDER_MALE")),
    ];
    let body = |changed: &[_]| {
        update(
            "9",
            Kind::AdGroup,
            Tree::Manual,
            "1",
            &changes(changed, Some(&group)),
        )
    };
    let lowest = body(&[("bid_type", json!("BID_TYPE_NO_BID"))]);
    assert_eq!(lowest["gender"], "GENDER_MALE");
    assert_eq!(lowest.get("bid_price"), None);
    assert_eq!(
        body(&[("pacing", json!("PACING_MODE_FAST"))])["bid_price"],
        2.5
    );

    let ad = [
        ("video_id", json!("v1")),
        ("image_ids", json!(["i1"])),
        ("call_to_action", json!("SHOP_NOW")),
    ];
    let post = [
        ("tiktok_item_id", json!("7")),
        ("landing_page_url", json!("https://example.com/")),
    ];
    let whole = changes(&post, Some(&ad));
    let ad = update("9", Kind::Ad, Tree::Manual, "1", &whole)["creatives"][0].clone();
    assert_eq!(ad["call_to_action"], "SHOP_NOW");
    assert_eq!((ad.get("video_id"), ad.get("image_ids")), (None, None));
}

#[test]
fn r15_nine_fields_of_a_manual_ad_are_sent_alone() {
    let mut named = changes(&[("ad_text", json!("New"))], None);
    named.name = Some("New name".into());
    assert_eq!(
        update("9", Kind::Ad, Tree::Manual, "1", &named),
        json!({"advertiser_id": "9", "adgroup_id": "5", "patch_update": true,
            "creatives": [{"ad_id": "1", "ad_name": "New name", "ad_text": "New"}]})
    );
    let alone: BTreeSet<&str> = table(Kind::Ad, Tree::Manual)
        .fields
        .iter()
        .filter(|field| field.update == Update::Alone)
        .map(|field| field.name)
        .collect();
    let documented = "ad_text identity_authorized_bc_id identity_id identity_type image_ids music_id \
        tiktok_item_id video_id";
    assert_eq!(alone, documented.split_whitespace().collect());
}

#[test]
fn r15_any_other_field_of_a_manual_ad_takes_the_whole_ad_along() {
    let rest = [
        ("video_id", json!("v1")),
        ("call_to_action_id", json!("77")),
        ("page_id", json!("7123456789012345678")),
        ("deeplink_format_type", json!("SCHEME_LINK")),
    ];
    let changed = [("call_to_action", json!("SHOP_NOW"))];
    assert_eq!(
        update(
            "9",
            Kind::Ad,
            Tree::Manual,
            "1",
            &changes(&changed, Some(&rest))
        ),
        json!({"advertiser_id": "9", "adgroup_id": "5", "creatives": [{
            "ad_id": "1", "ad_name": "Old", "budget": 50, "video_id": "v1",
            "call_to_action": "SHOP_NOW", "page_id": 7123456789012345678i64}]})
    );
}

#[test]
fn r15_a_smart_plus_ad_sends_lists_alone_and_its_configuration_as_a_whole() {
    let rest = [
        (
            "creative_list",
            json!([{"creative_info": {"ad_format": "SINGLE_VIDEO"}}]),
        ),
        ("creative_status", json!([{"material_id": "1"}])),
        ("call_to_action_id", json!("77")),
        ("impression_tracking_url", json!("https://a.example")),
    ];
    let body = |changed: &[_], rest: Option<&[_]>| {
        update("9", Kind::Ad, Tree::SmartPlus, "1", &changes(changed, rest))
    };
    assert_eq!(
        body(
            &[("click_tracking_url", json!("https://b.example"))],
            Some(&rest)
        ),
        json!({"advertiser_id": "9", "smart_plus_ad_id": "1", "ad_configuration": {
            "call_to_action_id": "77",
            "tracking_info": {"impression_tracking_url": "https://a.example", "click_tracking_url": "https://b.example"}}})
    );
    assert_eq!(
        body(&[("ad_text_list", json!([{"ad_text": "A"}]))], None),
        json!({"advertiser_id": "9", "smart_plus_ad_id": "1", "ad_text_list": [{"ad_text": "A"}]})
    );
}
