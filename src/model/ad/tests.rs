use proptest::prelude::*;
use serde_json::json;

use super::super::ad_group::echo::{
    differences, echo, leaves, parent, said, sayable, without, world,
};
use super::*;
use crate::model::creatives::{STATES, Switch, to_switch};
use crate::model::object::{Object, Spec};
use crate::platform::OperationStatus;

fn spec(more: Value) -> AdSpec {
    let mut spec = json!({"adGroupRef": {"name": "g"}});
    for (name, value) in more.as_object().unwrap() {
        spec[name] = value.clone();
    }
    serde_json::from_value(spec).unwrap()
}

/// Everything that an ad of either tree can say, but for posts and images; no ad of TikTok's has it all.
fn everything() -> Value {
    json!({
        "creative": {"format": "SingleVideo", "video": {"id": "v1", "coverImageId": "i1"}, "musicId": "m1"},
        "creatives": [
            {"format": "SingleVideo", "video": {"id": "v2", "coverImageId": "i2"}, "musicId": "m2",
                "identity": {"type": "BusinessCenter", "id": "b", "businessCenterId": "51"},
                "aigcDisclosure": "SelfDisclosure", "state": "Paused"},
            {"format": "SingleVideo", "video": {"id": "v3", "coverImageId": "i3"}}
        ],
        "text": "Buy a kite", "texts": ["Buy a kite", "Kites here"],
        "callToAction": "ShopNow", "callsToAction": ["ShopNow", "LearnMore"], "callToActionId": "52",
        "identity": {"type": "BusinessCenter", "id": "a", "businessCenterId": "53"},
        "landingPage": {"url": "https://example.com/?utm_source=t", "utm": [{"key": "utm_source", "value": "t"}]},
        "displayName": "Kites", "appName": "Kite app", "avatarImage": "avatar",
        "deeplink": {"url": "kites://1", "type": "Deferred", "format": "SchemeLink", "fallback": "Website"},
        "pageIds": ["54"], "tiktokPageCategory": "ProfilePage", "cardId": "55", "playableUrl": "https://play.example/",
        "customProductPageUrl": "https://apps.example/?ppid=1",
        "tracking": {"pixelId": "61", "appId": "62", "offlineEventSets": ["63"], "impressionUrl": "https://t.example/i",
            "clickUrl": "https://t.example/c", "videoViewUrl": "https://t.example/v",
            "viewability": {"partner": "Moat", "vastUrl": "https://t.example/m"},
            "brandSafety": {"partner": "IAS", "vastUrl": "https://t.example/b"}},
        "sparkAds": {"darkPost": false, "duet": "Allowed", "stitch": "Blocked", "promotionalMusic": "Allowed",
            "showcase": "Allowed"},
        "aigcDisclosure": "SelfDisclosure",
        "disclaimer": {"text": "Terms apply", "links": [{"text": "Terms", "url": "https://example.com/terms"}]}
    })
}

/// The same with posts, or with images, instead of videos.
fn instead(creative: Value) -> Value {
    let mut all = everything();
    let mut other = creative.clone();
    other["identity"] = json!({"type": "BusinessCenter", "id": "b", "businessCenterId": "51"});
    other["aigcDisclosure"] = json!("SelfDisclosure");
    other["state"] = json!("Paused");
    all["creative"] = creative;
    all["creatives"] = json!([other]);
    all
}

fn posts() -> Value {
    instead(json!({"format": "SingleVideo", "sparkPost": {"itemId": "7300000000000000001"}}))
}

fn images() -> Value {
    instead(json!({"format": "Carousel", "images": ["i4", "i5"], "musicId": "m3"}))
}

/// What stands instead where something cannot be left out.
fn other_words() -> Value {
    let mut words = json!({
        "/identity/type": "TikTokUser", "/identity/id": "c", "/landingPage/url": "https://example.com/2",
        "/landingPage/utm/0/key": "utm_medium", "/landingPage/utm/0/value": "x", "/deeplink/url": "kites://2",
        "/tracking/viewability/partner": "IAS", "/tracking/brandSafety/partner": "Zefr",
        "/disclaimer/links/0/text": "More", "/disclaimer/links/0/url": "https://example.com/more",
    });
    for creative in ["/creative", "/creatives/0"] {
        for (place, word) in [
            ("format", "Carousel"),
            ("video/id", "v9"),
            ("sparkPost/itemId", "7300000000000000002"),
            ("identity/type", "TikTokUser"),
            ("identity/id", "d"),
            ("aigcDisclosure", "NotDeclared"),
        ] {
            words[format!("{creative}/{place}")] = json!(word);
        }
    }
    words
}

#[test]
fn everything_that_can_be_said_is_asked_of_tiktok() {
    let bases = [everything(), posts(), images()];
    let mut places: Vec<String> = bases.iter().flat_map(leaves).collect();
    places.sort();
    places.dedup();
    assert_eq!(places, sayable::<AdSpec>());
    let words = other_words();
    // On and off of single creatives has calls of its own.
    for place in places.iter().filter(|place| *place != "/creatives/0/state") {
        let heard = bases.iter().any(|all| {
            let mut less = without(all, place);
            if let Some(word) = words.get(place.as_str()) {
                less = all.clone();
                match less.pointer_mut(place) {
                    Some(is) => *is = word.clone(),
                    None => return false,
                }
            }
            let (all, less) = (spec(all.clone()), spec(less));
            Tree::ALL
                .iter()
                .any(|tree| wanted(&less, &world(*tree)) != wanted(&all, &world(*tree)))
        });
        assert!(heard, "{place}");
    }
}

/// By TikTok's name: the path in the spec and the canonical value.
const MANUAL: &str = r#"{
    "ad_format": ["creative.format", "SINGLE_VIDEO"],
    "video_id": ["creative.video.id", "v1"],
    "image_ids": ["creative.video.coverImageId", ["i1"]],
    "music_id": ["creative.musicId", "m1"],
    "identity_type": ["identity.type", "BC_AUTH_TT"],
    "identity_id": ["identity.id", "a"],
    "identity_authorized_bc_id": ["identity.businessCenterId", "53"],
    "ad_text": ["text", "Buy a kite"],
    "call_to_action": ["callToAction", "SHOP_NOW"],
    "call_to_action_id": ["callToActionId", "52"],
    "landing_page_url": ["landingPage.url", "https://example.com/?utm_source=t"],
    "utm_params": ["landingPage.utm", [{"key": "utm_source", "value": "t"}]],
    "display_name": ["displayName", "Kites"],
    "app_name": ["appName", "Kite app"],
    "avatar_icon_web_uri": ["avatarImage", "avatar"],
    "deeplink": ["deeplink.url", "kites://1"],
    "deeplink_type": ["deeplink.type", "DEFERRED_DEEPLINK"],
    "deeplink_format_type": ["deeplink.format", "SCHEME_LINK"],
    "fallback_type": ["deeplink.fallback", "WEBSITE"],
    "page_id": ["pageIds", "54"],
    "tiktok_page_category": ["tiktokPageCategory", "PROFILE_PAGE"],
    "card_id": ["cardId", "55"],
    "playable_url": ["playableUrl", "https://play.example/"],
    "cpp_url": ["customProductPageUrl", "https://apps.example/?ppid=1"],
    "tracking_pixel_id": ["tracking.pixelId", "61"],
    "tracking_app_id": ["tracking.appId", "62"],
    "tracking_offline_event_set_ids": ["tracking.offlineEventSets", ["63"]],
    "impression_tracking_url": ["tracking.impressionUrl", "https://t.example/i"],
    "click_tracking_url": ["tracking.clickUrl", "https://t.example/c"],
    "video_view_tracking_url": ["tracking.videoViewUrl", "https://t.example/v"],
    "viewability_postbid_partner": ["tracking.viewability.partner", "MOAT"],
    "viewability_vast_url": ["tracking.viewability.vastUrl", "https://t.example/m"],
    "brand_safety_postbid_partner": ["tracking.brandSafety.partner", "IAS"],
    "brand_safety_vast_url": ["tracking.brandSafety.vastUrl", "https://t.example/b"],
    "dark_post_status": ["sparkAds.darkPost", "OFF"],
    "item_duet_status": ["sparkAds.duet", "ENABLE"],
    "item_stitch_status": ["sparkAds.stitch", "DISABLE"],
    "promotional_music_disabled": ["sparkAds.promotionalMusic", false],
    "creative_authorized": ["sparkAds.showcase", true],
    "aigc_disclosure_type": ["aigcDisclosure", "SELF_DISCLOSURE"],
    "disclaimer_type": ["disclaimer", "TEXT_LINK"],
    "disclaimer_text": ["disclaimer.text", {"text": "Terms apply"}],
    "disclaimer_clickable_texts": ["disclaimer.links", [{"text": "Terms", "url": "https://example.com/terms"}]]
}"#;

/// The same of a Smart+ ad.
const SMART_PLUS: &str = r#"{
    "creative_list": ["creatives", [
        {"creative_info": {"ad_format": "SINGLE_VIDEO", "identity_type": "BC_AUTH_TT", "identity_id": "a",
            "identity_authorized_bc_id": "53", "aigc_disclosure_type": "SELF_DISCLOSURE",
            "video_info": {"video_id": "v3"}, "image_info": [{"web_uri": "i3"}]}},
        {"creative_info": {"ad_format": "SINGLE_VIDEO", "identity_type": "BC_AUTH_TT", "identity_id": "b",
            "identity_authorized_bc_id": "51", "aigc_disclosure_type": "SELF_DISCLOSURE",
            "video_info": {"video_id": "v2"}, "image_info": [{"web_uri": "i2"}], "music_info": {"music_id": "m2"}}}
    ]],
    "ad_text_list": ["texts", [{"ad_text": "Buy a kite"}, {"ad_text": "Kites here"}]],
    "call_to_action_list": ["callsToAction", [{"call_to_action": "LEARN_MORE"}, {"call_to_action": "SHOP_NOW"}]],
    "call_to_action_id": ["callToActionId", "52"],
    "landing_page_url_list": ["landingPage.url", [{"landing_page_url": "https://example.com/?utm_source=t"}]],
    "utm_params": ["landingPage.utm", [{"key": "utm_source", "value": "t"}]],
    "deeplink_list": ["deeplink", [{"deeplink": "kites://1", "deeplink_type": "DEFERRED_DEEPLINK"}]],
    "fallback_type": ["deeplink.fallback", "WEBSITE"],
    "page_list": ["pageIds", [{"page_id": "54"}]],
    "interactive_add_on_list": ["cardId", [{"card_id": "55"}]],
    "tracking_app_id": ["tracking.appId", "62"],
    "impression_tracking_url": ["tracking.impressionUrl", "https://t.example/i"],
    "click_tracking_url": ["tracking.clickUrl", "https://t.example/c"],
    "dark_post_status": ["sparkAds.darkPost", "OFF"]
}"#;

#[test]
fn ads_in_tiktoks_words() {
    for (tree, expected) in [(Tree::Manual, MANUAL), (Tree::SmartPlus, SMART_PLUS)] {
        let expected: Value = serde_json::from_str(expected).unwrap();
        let mut words = said(&wanted(&spec(everything()), &world(tree)));
        // The order of a set is that of its texts.
        if let Some(Value::Array(list)) = words.pointer_mut("/creative_list/1") {
            list.sort_by_key(|item| item["creative_info"]["identity_id"].to_string());
        }
        assert_eq!(words, expected, "{tree:?}");
    }
}

#[test]
fn a_plain_disclaimer_is_a_text_only() {
    let plain = spec(json!({"disclaimer": {"text": "Terms apply"}}));
    let words = said(&wanted(&plain, &world(Tree::Manual)));
    assert_eq!(words["disclaimer_type"][1], "TEXT_ONLY");
}

#[test]
fn a_deeplink_of_a_smart_plus_ad_has_a_type() {
    let link = spec(json!({"deeplink": {"url": "kites://1"}}));
    let words = said(&wanted(&link, &world(Tree::SmartPlus)));
    assert_eq!(
        words["deeplink_list"][1],
        json!([{"deeplink": "kites://1", "deeplink_type": "NORMAL"}])
    );
}

#[test]
fn a_made_up_identity_is_the_ads_and_an_accounts_is_its_creatives() {
    let words = |kind: &str| {
        let creatives = json!([{"format": "SingleVideo", "video": {"id": "v"}}]);
        let ad = spec(json!({"identity": {"type": kind, "id": "a"}, "creatives": creatives}));
        let words = said(&wanted(&ad, &world(Tree::SmartPlus)));
        (
            words["identity_type"][1].clone(),
            words["identity_id"][1].clone(),
            words["creative_list"][1][0]["creative_info"].clone(),
        )
    };
    let bare = json!({"ad_format": "SINGLE_VIDEO", "video_info": {"video_id": "v"}});
    assert_eq!(
        words("Custom"),
        (json!("CUSTOMIZED_USER"), json!("a"), bare.clone())
    );
    for (kind, tiktok) in [
        ("TikTokUser", "TT_USER"),
        ("AuthorizationCode", "AUTH_CODE"),
    ] {
        let mut info = bare.clone();
        info["identity_type"] = json!(tiktok);
        info["identity_id"] = json!("a");
        assert_eq!(words(kind), (Value::Null, Value::Null, info), "{kind}");
    }
}

#[test]
fn an_ad_is_made_in_the_tree_that_it_is_written_for() {
    let refused = |tree: Tree, more: Value| {
        let parent = parent(tree);
        let world = World {
            parent: Some(&parent),
            ..world(tree)
        };
        may_create(&spec(more), &world)
            .err()
            .map(|(reason, _)| reason)
    };
    let manual = json!({"creative": {"format": "SingleImage", "images": ["i"]}});
    let smart_plus = json!({"creatives": [{"format": "SingleVideo", "video": {"id": "v"}}]});
    assert_eq!(refused(Tree::Manual, manual.clone()), None);
    assert_eq!(refused(Tree::SmartPlus, smart_plus.clone()), None);
    let wrong = Some(Reason::TreeMismatch);
    assert_eq!(refused(Tree::Manual, smart_plus), wrong);
    assert_eq!(refused(Tree::SmartPlus, manual), wrong);
    assert_eq!(refused(Tree::Manual, json!({})), wrong);
}

#[test]
fn a_creative_is_found_again_among_those_that_tiktok_shows() {
    for (base, name) in [
        (everything(), "video v2"),
        (posts(), "post 7300000000000000001"),
        (images(), "images i4 i5"),
    ] {
        let ad = spec(base);
        let row = echo(
            Kind::Ad,
            Tree::SmartPlus,
            &wanted(&ad, &world(Tree::SmartPlus)),
        );
        let creatives = ad.creatives.as_ref().unwrap();
        assert_eq!(creative_key(&creatives[0]).as_deref(), Some(name));
        let shown = row.fields[STATES].as_array().unwrap();
        let material =
            shown.iter().find(|item| item["creative"] == name).unwrap()["material_id"].clone();
        let object = Object {
            metadata: Default::default(),
            spec: Spec::Ad(Box::new(ad)),
            status: None,
        };
        // The first should be paused and TikTok shows it on; the others say nothing.
        assert_eq!(
            to_switch(&object, &row),
            [Switch {
                material: material.as_str().unwrap().to_owned(),
                to: OperationStatus::Disable,
                alone: name.starts_with("images"),
            }]
        );
    }
}

proptest! {
    #[test]
    fn what_any_part_of_a_spec_asks_for_is_what_tiktok_then_shows(
        left_out in proptest::collection::vec(any::<bool>(), 80),
        base in 0usize..3,
        smart_plus in any::<bool>(),
    ) {
        let tree = if smart_plus { Tree::SmartPlus } else { Tree::Manual };
        let all = [everything(), posts(), images()][base].clone();
        let mut value = all.clone();
        for (place, out) in leaves(&all).iter().zip(left_out) {
            // What cannot be left out stays.
            if out && other_words().get(place).is_none() {
                value = without(&value, place);
            }
        }
        let spec = spec(value);
        let said = wanted(&spec, &world(tree));
        let diff = differences(Spec::Ad(Box::new(spec)), &said, tree);
        prop_assert_eq!(diff.differences, vec![]);
    }
}
