//! Ads on the wire (reference section 5). No create of theirs takes a `request_id`.
//!
//! Beside what a spec can say, the tables hold what an update of TikTok's would reset when it does not go along.

use serde_json::{Value, json};

use super::campaign::DISABLED;
use super::field::{Field, Fields};
use super::form::Form::{Flag, Id, List, NumberId, Prose, Set, Shape, Switch, Text, Whole, Word};
use super::shapes;
use super::table::{Careful, Paths, Replaces, Table};

/// `/ad/update/` replaces the whole ad, but for nine fields that `patch_update` sends alone; the name is the ninth.
pub(super) static MANUAL: Table = Table {
    paths: Paths {
        create: "/open_api/v1.3/ad/create/",
        update: "/open_api/v1.3/ad/update/",
        status: "/open_api/v1.3/ad/status/update/",
        list: "/open_api/v1.3/ad/get/",
    },
    id: "ad_id",
    ids: "ad_ids",
    wrapped: Some("creatives"),
    batch: 20,
    replaces: Replaces::Body,
    fields: &[
        Field::fixed("is_aco", Flag),
        // Of its values only carousels are fixed.
        Field::whole("ad_format", Text),
        Field::alone("identity_type", Text),
        Field::alone("identity_id", Text),
        Field::alone("identity_authorized_bc_id", Id),
        // TikTok takes these or a post, which has its own.
        Field::alone("video_id", Text).void_beside("tiktok_item_id"),
        Field::alone("image_ids", List).void_beside("tiktok_item_id"),
        Field::alone("music_id", Text),
        Field::alone("tiktok_item_id", Id),
        Field::alone("ad_text", Prose),
        Field::whole("ad_texts", Shape(shapes::kept)),
        // With both the id counts, so the other one must not stay when one is changed.
        Field::whole("call_to_action", Text).instead_of("call_to_action_id"),
        Field::whole("call_to_action_id", Id).instead_of("call_to_action"),
        Field::whole("landing_page_url", Prose),
        Field::whole("utm_params", Shape(shapes::pairs)),
        Field::whole("display_name", Prose),
        Field::whole("app_name", Prose),
        Field::whole("avatar_icon_web_uri", Text),
        Field::whole("deeplink", Prose),
        Field::whole("deeplink_type", Word("NORMAL")),
        Field::fixed("deeplink_format_type", Text),
        Field::whole("deeplink_utm_params", Shape(shapes::pairs)),
        Field::whole("fallback_type", Word("UNSET")),
        Field::whole("page_id", NumberId),
        Field::fixed("tiktok_page_category", Text),
        Field::whole("card_id", Id),
        Field::whole("playable_url", Prose),
        Field::whole("cpp_url", Prose),
        Field::whole("tracking_pixel_id", NumberId),
        Field::whole("tracking_app_id", Id),
        Field::whole("tracking_offline_event_set_ids", Set),
        Field::whole("impression_tracking_url", Prose),
        Field::whole("click_tracking_url", Prose),
        Field::whole("video_view_tracking_url", Prose),
        Field::whole("viewability_postbid_partner", Word("UNSET")),
        Field::whole("viewability_vast_url", Prose),
        Field::whole("brand_safety_postbid_partner", Word("UNSET")),
        Field::whole("brand_safety_vast_url", Prose),
        Field::whole("vast_moat_enabled", Switch(false)),
        Field::whole("dark_post_status", Text),
        Field::whole("promotional_music_disabled", Switch(true)),
        Field::whole("item_duet_status", Text),
        Field::whole("item_stitch_status", Text),
        Field::whole("creative_authorized", Switch(false)),
        Field::whole("creative_auto_enhancement_strategy_list", Set),
        Field::whole("aigc_disclosure_type", Word("NOT_DECLARED")),
        Field::whole("disclaimer_type", Text),
        Field::whole("disclaimer_text", Shape(shapes::disclaimer_text)),
        Field::whole(
            "disclaimer_clickable_texts",
            Shape(shapes::disclaimer_links),
        ),
        Field::whole("creative_type", Text),
        Field::whole("carousel_image_index", Whole),
        Field::whole("dynamic_destination", Text),
        Field::whole("dynamic_format", Text),
        Field::whole("end_card_cta", Text),
        Field::whole("instant_product_page_used", Switch(false)),
        Field::whole("page_image_index", Whole),
        Field::whole("product_specific_type", Text),
        Field::whole("product_set_id", Id),
        Field::whole("item_group_ids", List),
        Field::whole("sku_ids", List),
        Field::whole("shopping_ads_deeplink_type", Word("NONE")),
        Field::whole("shopping_ads_fallback_type", Text),
        Field::whole("shopping_ads_video_package_id", Id),
        Field::whole("vertical_video_strategy", Text),
    ],
    careful: &[
        DISABLED,
        // A pushed post would otherwise show on the brand's profile. TikTok's own default was OFF and is said to be ON
        // since January 2026.
        Careful::new("dark_post_status", |fields| {
            is_pushed(fields).then(|| json!("ON"))
        }),
        // Shows the ad to others as an example.
        Careful::new("creative_authorized", |_| Some(json!(false))),
        // Lets others use the post's music, and with it Duet and Stitch.
        Careful::new("promotional_music_disabled", |_| Some(json!(true))),
        Careful::new("item_duet_status", |fields| {
            is_music_free(fields).then(|| json!("DISABLE"))
        }),
        Careful::new("item_stitch_status", |fields| {
            is_music_free(fields).then(|| json!("DISABLE"))
        }),
        // Edits that TikTok makes while the ad runs; for selected accounts they are on when nothing is said.
        Careful::new("creative_auto_enhancement_strategy_list", |_| {
            Some(json!([]))
        }),
        // Pages and videos that TikTok puts together for each person: off when not sent.
        Careful::new("dynamic_destination", |_| None),
        Careful::new("dynamic_format", |_| None),
        Careful::new("instant_product_page_used", |_| None),
    ],
    ..NAMES
};

/// `/smart_plus/ad/update/` leaves alone what is not sent, but a list or object that is sent is replaced: TikTok says so
/// of `creative_list` and of parts of `ad_configuration`, so all of that goes along, whichever of it is changed.
pub(super) static SMART_PLUS: Table = Table {
    paths: Paths {
        create: "/open_api/v1.3/smart_plus/ad/create/",
        update: "/open_api/v1.3/smart_plus/ad/update/",
        status: "/open_api/v1.3/smart_plus/ad/status/update/",
        list: "/open_api/v1.3/smart_plus/ad/get/",
    },
    id: "smart_plus_ad_id",
    ids: "smart_plus_ad_ids",
    wrapped: None,
    batch: 1,
    replaces: Replaces::Objects,
    fields: &[
        Field::alone("creative_list", Shape(shapes::creative_list)),
        Field::fixed("creative_status", Shape(shapes::creative_status)).read_from("creative_list"),
        Field::alone("ad_text_list", Shape(shapes::ad_texts)),
        Field::alone("call_to_action_list", Shape(shapes::calls_to_action)),
        Field::alone("landing_page_url_list", Shape(shapes::landing_pages)),
        Field::alone("deeplink_list", Shape(shapes::deeplinks)),
        Field::alone("page_list", Shape(shapes::pages)),
        Field::alone("interactive_add_on_list", Shape(shapes::cards)),
        Field::whole("call_to_action_id", Id).within(CONFIGURATION),
        Field::whole("identity_type", Text).within(CONFIGURATION),
        Field::whole("identity_id", Text).within(CONFIGURATION),
        Field::whole("identity_authorized_bc_id", Id).within(CONFIGURATION),
        Field::whole("dark_post_status", Text).within(CONFIGURATION),
        Field::whole("fallback_type", Word("UNSET")).within(CONFIGURATION),
        Field::whole("utm_params", Shape(shapes::pairs)).within(CONFIGURATION),
        Field::whole("deeplink_utm_params", Shape(shapes::pairs)).within(CONFIGURATION),
        Field::whole("creative_auto_add_toggle", Flag).within(CONFIGURATION),
        Field::whole("creative_auto_enhancement_strategy_list", Set).within(CONFIGURATION),
        Field::whole("catalog_creative_toggle", Flag).within(CONFIGURATION),
        Field::whole("catalog_creative_info", Shape(shapes::kept)).within(CONFIGURATION),
        Field::whole("product_specific_type", Text).within(CONFIGURATION),
        Field::whole("product_set_id", Id).within(CONFIGURATION),
        Field::whole("product_ids", Set).within(CONFIGURATION),
        Field::whole("product_info", Shape(shapes::kept)).within(CONFIGURATION),
        Field::whole("product_info_enabled", Text).within(CONFIGURATION),
        Field::whole("phone_info", Shape(shapes::kept)).within(CONFIGURATION),
        Field::whole("end_card_cta", Text).within(CONFIGURATION),
        Field::whole("auto_disclaimer_types", Set).within(CONFIGURATION),
        Field::whole("impression_tracking_url", Prose).within(TRACKING),
        Field::whole("click_tracking_url", Prose).within(TRACKING),
        Field::whole("tracking_app_id", Id).within(TRACKING),
        Field::whole("app_tracking_info_list", Shape(shapes::kept)).within(TRACKING),
    ],
    careful: &[
        DISABLED,
        Careful::new("dark_post_status", |fields| {
            has_pushed(fields).then(|| json!("ON"))
        })
        .within(CONFIGURATION),
        // Creatives that TikTok makes and adds while the ad runs.
        Careful::new("creative_auto_add_toggle", |_| Some(json!(false))).within(CONFIGURATION),
        Careful::new("creative_auto_enhancement_strategy_list", |_| {
            Some(json!([]))
        })
        .within(CONFIGURATION),
        // Creatives that TikTok takes from a catalog: off when not sent, and only known where there is one.
        Careful::new("catalog_creative_toggle", |_| None).within(CONFIGURATION),
        // Product texts that TikTok adds: off when not sent.
        Careful::new("product_info_enabled", |_| None).within(CONFIGURATION),
    ],
    ..NAMES
};

const CONFIGURATION: &[&str] = &["ad_configuration"];
const TRACKING: &[&str] = &["ad_configuration", "tracking_info"];

/// What both trees have.
const NAMES: Table = Table {
    paths: Paths {
        create: "",
        update: "",
        status: "",
        list: "",
    },
    id: "",
    ids: "",
    name: "ad_name",
    parent: Some(("adgroup_id", "adgroup_ids")),
    status_list: None,
    wrapped: None,
    request_id: false,
    batch: 1,
    replaces: Replaces::Body,
    fields: &[],
    careful: &[],
};

/// Spark push: a video or images that become a post of an account. A post that is there already (Spark pull) and a
/// made-up identity do not know the switch.
fn is_pushed(fields: &Fields) -> bool {
    let is_account = fields
        .get("identity_type")
        .and_then(Value::as_str)
        .is_some_and(is_account);
    is_account && !fields.contains_key("tiktok_item_id")
}

/// The same for any creative of a Smart+ ad.
fn has_pushed(fields: &Fields) -> bool {
    let creatives = fields.get("creative_list").and_then(Value::as_array);
    creatives.into_iter().flatten().any(|creative| {
        let info = &creative["creative_info"];
        info["identity_type"].as_str().is_some_and(is_account) && info["tiktok_item_id"].is_null()
    })
}

fn is_account(identity_type: &str) -> bool {
    matches!(identity_type, "TT_USER" | "BC_AUTH_TT" | "AUTH_CODE")
}

fn is_music_free(fields: &Fields) -> bool {
    fields.get("promotional_music_disabled") == Some(&json!(false))
}
