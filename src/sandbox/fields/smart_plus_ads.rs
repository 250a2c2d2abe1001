//! The fields of Smart+ ads: what creates and updates take, what lists show (SDK `smart_plus_ad_*.yml`,
//! D:1843317390059522, D:1843317378982914).

use super::super::nested::{
    Member,
    Shape::{Bool, Id, List, Object, OneOf, Text},
    may, must,
};

/// The largest number of creatives in one ad; the SDK's own number is smaller, which is a knob.
const MOST_CREATIVES: usize = 50;

/// Identities that show an ad as a TikTok account's post.
pub(in crate::sandbox) const SPARK_IDENTITIES: &[&str] = &["AUTH_CODE", "TT_USER", "BC_AUTH_TT"];

const CALLS_TO_ACTION: &[&str] = &[
    "APPLY_NOW",
    "BOOK_NOW",
    "CALL_NOW",
    "CHECK_AVAILABILITY",
    "CONTACT_US",
    "DOWNLOAD_NOW",
    "EXPERIENCE_NOW",
    "GET_QUOTE",
    "GET_SHOWTIMES",
    "GET_TICKETS_NOW",
    "INSTALL_NOW",
    "INTERESTED",
    "JOIN_THIS_HASHTAG",
    "LEARN_MORE",
    "LISTEN_NOW",
    "ORDER_NOW",
    "PLAY_GAME",
    "PREORDER_NOW",
    "READ_MORE",
    "SEND_MESSAGE",
    "SHOOT_WITH_THIS_EFFECT",
    "SHOP_NOW",
    "SIGN_UP",
    "SUBSCRIBE",
    "VIEW_NOW",
    "VIEW_PROFILE",
    "VIEW_VIDEO_WITH_THIS_EFFECT",
    "VISIT_STORE",
    "WATCH_LIVE",
    "WATCH_NOW",
];
const END_CARDS: &[&str] = &[
    "BOOK_NOW",
    "CONTACT_US",
    "LEARN_MORE",
    "ORDER_NOW",
    "READ_MORE",
    "SEARCH_INVENTORY",
    "SHOP_NOW",
    "SIGN_UP",
    "VIEW_MORE",
];
const PRODUCT_FIELDS: &[&str] = &[
    "ADDRESS_CITY",
    "DEALER_NAME",
    "EXTERIOR_COLOR",
    "MAKE",
    "MILEAGE",
    "MODEL",
    "PRICE",
    "SALE_PRICE",
    "TRIM",
    "VEHICLE_STATE",
    "YEAR",
];
const ENHANCEMENTS: &[&str] = &[
    "TRANSLATE_AND_DUB",
    "MUSIC_REFRESH",
    "VIDEO_QUALITY",
    "IMAGE_QUALITY",
    "IMAGE_RESIZE",
];

const IMAGE: &[Member] = &[must("web_uri", Text)];
const CREATIVE_INFO: &[Member] = &[
    must(
        "ad_format",
        OneOf(&["SINGLE_VIDEO", "CAROUSEL_ADS", "CATALOG_CAROUSEL"]),
    ),
    may(
        "video_info",
        Object(&[must("video_id", Text), may("file_name", Text)]),
    ),
    may("image_info", List(&Object(IMAGE), 0, 35)),
    may("music_info", Object(&[must("music_id", Id)])),
    may(
        "aigc_disclosure_type",
        OneOf(&["SELF_DISCLOSURE", "NOT_DECLARED", "UNSET"]),
    ),
    may("tiktok_item_id", Id),
    may(
        "identity_type",
        OneOf(&["AUTH_CODE", "TT_USER", "BC_AUTH_TT", "CUSTOMIZED_USER"]),
    ),
    may("identity_id", Text),
    may("identity_authorized_bc_id", Id),
    may("material_name", Text),
];
const CREATIVE: &[Member] = &[must("creative_info", Object(CREATIVE_INFO))];
const UTM: &[Member] = &[must("key", Text), must("value", Text)];
const CONFIGURATION: &[Member] = &[
    may(
        "identity_type",
        OneOf(&["CUSTOMIZED_USER", "TT_USER", "BC_AUTH_TT"]),
    ),
    may("identity_id", Text),
    may("identity_authorized_bc_id", Id),
    may("dark_post_status", OneOf(&["ON", "OFF"])),
    may(
        "product_specific_type",
        OneOf(&["ALL", "PRODUCT_SET", "CUSTOMIZED_PRODUCTS"]),
    ),
    may("product_set_id", Id),
    may("product_ids", List(&Id, 0, 20)),
    may("catalog_creative_toggle", Bool),
    may("creative_auto_add_toggle", Bool),
    may(
        "creative_auto_enhancement_strategy_list",
        List(&OneOf(ENHANCEMENTS), 0, 5),
    ),
    may("end_card_cta", OneOf(END_CARDS)),
    may(
        "product_display_field_list",
        List(&OneOf(PRODUCT_FIELDS), 0, 2),
    ),
    may(
        "auto_disclaimer_types",
        List(&OneOf(&["EMISSION", "DISCOUNT"]), 0, 1),
    ),
    may("utm_params", List(&Object(UTM), 0, 14)),
    may("deeplink_utm_params", List(&Object(UTM), 0, 14)),
    may("fallback_type", OneOf(&["APP_INSTALL", "WEBSITE", "UNSET"])),
    may("call_to_action_id", Id),
    may(
        "phone_info",
        Object(&[
            may("phone_region_code", Text),
            may("phone_region_calling_code", Text),
            may("phone_number", Text),
        ]),
    ),
    may(
        "tracking_info",
        Object(&[
            may("impression_tracking_url", Text),
            may("click_tracking_url", Text),
            may("tracking_app_id", Id),
            may("tracking_message_event_set_id", Id),
        ]),
    ),
];

const AD_TEXTS: Member = may(
    "ad_text_list",
    List(&Object(&[must("ad_text", Text)]), 0, 5),
);
const CALL_TO_ACTION_LIST: Member = may(
    "call_to_action_list",
    List(
        &Object(&[must("call_to_action", OneOf(CALLS_TO_ACTION))]),
        0,
        3,
    ),
);
const LANDING_PAGES: Member = may(
    "landing_page_url_list",
    List(&Object(&[must("landing_page_url", Text)]), 0, 1),
);
const DEEPLINKS: Member = may(
    "deeplink_list",
    List(
        &Object(&[
            may("deeplink", Text),
            may("deeplink_type", OneOf(&["DEFERRED_DEEPLINK", "NORMAL"])),
        ]),
        0,
        1,
    ),
);
const PAGES: Member = may("page_list", List(&Object(&[must("page_id", Id)]), 0, 3));
const CUSTOM_PAGES: Member = may(
    "custom_product_page_list",
    List(&Object(&[may("custom_product_page_url", Text)]), 0, 1),
);

/// The body of `/smart_plus/ad/create/`.
pub(in crate::sandbox) const SMART_PLUS_AD_CREATE: &[Member] = &[
    must("advertiser_id", Id),
    must("adgroup_id", Id),
    must("ad_name", Text),
    may("operation_status", OneOf(&["ENABLE", "DISABLE"])),
    must("creative_list", List(&Object(CREATIVE), 1, MOST_CREATIVES)),
    AD_TEXTS,
    may(
        "auto_message_list",
        List(&Object(&[may("auto_message_id", Id)]), 0, 1),
    ),
    CALL_TO_ACTION_LIST,
    may(
        "interactive_add_on_list",
        List(&Object(&[must("card_id", Id)]), 0, 1),
    ),
    PAGES,
    LANDING_PAGES,
    CUSTOM_PAGES,
    DEEPLINKS,
    may("ad_configuration", Object(CONFIGURATION)),
];

/// The body of `/smart_plus/ad/update/`.
pub(in crate::sandbox) const SMART_PLUS_AD_UPDATE: &[Member] = &[
    must("advertiser_id", Id),
    must("smart_plus_ad_id", Id),
    may("ad_name", Text),
    may("creative_list", List(&Object(CREATIVE), 1, MOST_CREATIVES)),
    AD_TEXTS,
    CALL_TO_ACTION_LIST,
    may(
        "interactive_add_on_list",
        List(&Object(&[must("card_id", Id)]), 0, 2),
    ),
    PAGES,
    LANDING_PAGES,
    CUSTOM_PAGES,
    DEEPLINKS,
    may("ad_configuration", Object(CONFIGURATION)),
];

/// The columns of `/smart_plus/ad/get/`. That tree's answers carry no nulls.
pub(in crate::sandbox) const SMART_PLUS_AD_COLUMNS: &[&str] = &[
    "advertiser_id",
    "campaign_id",
    "campaign_name",
    "adgroup_id",
    "adgroup_name",
    "smart_plus_ad_id",
    "ad_name",
    "operation_status",
    "secondary_status",
    "create_time",
    "modify_time",
    "creative_list",
    "ad_text_list",
    "auto_message_list",
    "call_to_action_list",
    "interactive_add_on_list",
    "page_list",
    "landing_page_url_list",
    "custom_product_page_list",
    "deeplink_list",
    "ad_configuration",
];

/// Columns that a list of Smart+ ads shows whatever `fields` says.
pub(in crate::sandbox) const SMART_PLUS_AD_ALWAYS: &[&str] = &["advertiser_id", "smart_plus_ad_id"];

/// Lists that an ad always has, empty if nothing was sent.
pub(in crate::sandbox) const SMART_PLUS_AD_LISTS: &[&str] = &[
    "ad_text_list",
    "call_to_action_list",
    "interactive_add_on_list",
    "page_list",
    "landing_page_url_list",
    "deeplink_list",
];
