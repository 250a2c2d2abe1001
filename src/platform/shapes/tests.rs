#![allow(clippy::unwrap_used)]

use super::*;
use crate::platform::{Kind, Tree};

#[test]
fn r14_all_hours_and_none_mean_always() {
    let always = json!("1".repeat(336));
    for value in [
        json!(null),
        json!(""),
        json!("0".repeat(336)),
        json!("1".repeat(336)),
        json!("10"),
        json!("2".repeat(336)),
    ] {
        assert_eq!(dayparting(&value), always, "{value}");
    }
    let mornings = json!(format!("1{}", "0".repeat(335)));
    assert_eq!(dayparting(&mornings), mornings);
}

#[test]
fn actions_are_a_set_of_sets() {
    let one = json!({"action_scene": "VIDEO_RELATED", "action_period": 15.0,
        "video_user_actions": ["LIKED", "COMMENTED"], "action_category_ids": ["2", "1"], "extra": 1});
    // TikTok takes no period for hashtags, whatever is sent.
    let other = json!({"action_scene": "HASHTAG_RELATED", "action_period": 7,
        "video_user_actions": ["VIEW_HASHTAG"], "action_category_ids": [30]});
    let expected = json!([
        {"action_category_ids": ["1", "2"], "action_period": 15, "action_scene": "VIDEO_RELATED",
            "video_user_actions": ["COMMENTED", "LIKED"]},
        {"action_category_ids": ["30"], "action_period": 0, "action_scene": "HASHTAG_RELATED",
            "video_user_actions": ["VIEW_HASHTAG"]},
    ]);
    assert_eq!(actions(&json!([one, other])), expected);
    assert_eq!(actions(&json!([other, one, other])), expected);
    assert_eq!(actions(&json!(null)), json!([]));
}

#[test]
fn device_prices_keep_their_order() {
    assert_eq!(numbers(&json!([250.0, 1000])), json!([250, 1000]));
    assert_eq!(numbers(&json!(null)), json!([]));
    let agrees = |said: Value, shown: Value| {
        crate::platform::agrees(
            Kind::AdGroup,
            Tree::SmartPlus,
            "device_price_ranges",
            &said,
            &shown,
        )
    };
    // TikTok adds 50 to the upper end.
    assert!(agrees(json!([0, 250]), json!([0, 300])));
    assert!(agrees(json!([0, 250]), json!([0, 250])));
    for other in [
        json!([0, 350]),
        json!([0, 200]),
        json!([50, 300]),
        json!([]),
    ] {
        assert!(!agrees(json!([0, 250]), other.clone()), "{other}");
    }
    assert!(!agrees(json!([0, i64::MAX]), json!([0, 50])));
    assert!(!agrees(json!([]), json!([0, 300])));
}

#[test]
fn lists_of_one_thing_each_are_sets() {
    assert_eq!(
        ad_texts(&json!([{"ad_text": "B"}, {"ad_text": "A"}, {"ad_text": ""}])),
        json!([{"ad_text": "A"}, {"ad_text": "B"}])
    );
    assert_eq!(
        calls_to_action(&json!([{"call_to_action": "SHOP_NOW"}, {"call_to_action": "UNSET"}])),
        json!([{"call_to_action": "SHOP_NOW"}])
    );
    assert_eq!(
        pages(&json!([{"page_id": 7}, {"page_id": "0"}])),
        json!([{"page_id": "7"}])
    );
    assert_eq!(
        pairs(&json!([{"key": "b", "value": "2"}, {"key": "a", "value": "__CID__"}])),
        json!([{"key": "a", "value": "__CID__"}, {"key": "b", "value": "2"}])
    );
    // What TikTok takes when nothing is said is not said.
    let link = |kind: &str| json!([{"deeplink": "app://offer/1", "deeplink_type": kind}]);
    assert_eq!(
        deeplinks(&json!([{"deeplink": "app://offer/1"}])),
        link("NORMAL")
    );
    assert_eq!(
        deeplinks(&link("DEFERRED_DEEPLINK")),
        link("DEFERRED_DEEPLINK")
    );
}

#[test]
fn disclaimers_say_their_texts_only() {
    assert_eq!(
        disclaimer_text(&json!({"text": "T&Cs"})),
        json!({"text": "T&Cs"})
    );
    assert_eq!(disclaimer_text(&json!({"text": ""})), Value::Null);
    let links = json!([{"text": "b", "url": "https://b.example"}, {"text": "a", "url": "https://a.example"}]);
    assert_eq!(disclaimer_links(&links), links);
}

#[test]
fn r19_what_is_only_sent_along_is_kept_but_for_what_does_harm() {
    let value =
        json!({"a": null, "b": [], "c": {"d": ""}, "e": ["x\u{1b}[0m"], "f": 0, "g": false});
    assert_eq!(kept(&value), json!({"e": ["x[0m"], "f": 0, "g": false}));
    assert_eq!(kept(&json!({"a": {"b": []}})), Value::Null);
}

/// A row as TikTok's page on reading Smart+ ads shows it: ids, switches and names beside what was sent.
fn shown() -> Value {
    json!([
        {
            "ad_material_id": "1800000000000021", "material_operation_status": "DISABLE",
            "smart_plus_creative_id": "1800000000000031",
            "creative_info": {
                "ad_format": "SINGLE_VIDEO", "material_name": "spring.mp4",
                "aigc_disclosure_type": "NOT_DECLARED", "tiktok_item_id": null,
                "identity_type": "BC_AUTH_TT", "identity_id": "id-1",
                "identity_authorized_bc_id": "7000000000000000001", "music_info": null,
                "video_info": {"video_id": "v10033g50000abc", "file_name": "spring.mp4"},
                "image_info": [{"web_uri": "ad-site/cover"}]
            }
        },
        {
            "ad_material_id": "1800000000000022", "material_operation_status": "ENABLE",
            "creative_info": {
                "ad_format": "SINGLE_VIDEO", "tiktok_item_id": "7300000000000000001",
                "identity_type": "AUTH_CODE", "identity_id": "id-2",
                "video_info": {"video_id": "v-of-the-post", "file_name": ""},
                "image_info": [{"web_uri": "cover-of-the-post"}]
            }
        }
    ])
}

#[test]
fn r29_creatives_are_what_was_sent() {
    let sent = json!([
        {"creative_info": {
            "ad_format": "SINGLE_VIDEO", "identity_authorized_bc_id": "7000000000000000001",
            "identity_id": "id-1", "identity_type": "BC_AUTH_TT",
            "image_info": [{"web_uri": "ad-site/cover"}], "video_info": {"video_id": "v10033g50000abc"}
        }},
        {"creative_info": {
            "ad_format": "SINGLE_VIDEO", "identity_id": "id-2", "identity_type": "AUTH_CODE",
            "tiktok_item_id": "7300000000000000001"
        }}
    ]);
    assert_eq!(creative_list(&shown()), sent);
    assert_eq!(creative_list(&sent), sent);
}

#[test]
fn r29_what_tiktok_made_of_each_creative_is_a_field_of_its_own() {
    let expected = json!([
        {"creative": "post 7300000000000000001", "material_id": "1800000000000022", "status": "ENABLE"},
        {"creative": "video v10033g50000abc", "material_id": "1800000000000021", "status": "DISABLE"},
    ]);
    assert_eq!(creative_status(&shown()), expected);
    // Without ids there is nothing to switch.
    assert_eq!(creative_status(&creative_list(&shown())), json!([]));
}

#[test]
fn a_creative_is_known_by_its_material() {
    let carousel = json!({"image_info": [{"web_uri": "b"}, {"web_uri": "a"}], "music_info": {"music_id": "7"}});
    assert_eq!(creative_key(&carousel).as_deref(), Some("images b a"));
    assert_eq!(
        creative_key(&json!({"ad_format": "CATALOG_CAROUSEL"})),
        None
    );
}
