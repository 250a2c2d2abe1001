//! The words that fields of ad groups take, in both trees.

use super::{
    Table,
    Type::{Ids, ListOf, OneOf, Whole},
};

pub(super) const GENDERS: &[&str] = &["GENDER_UNLIMITED", "GENDER_MALE", "GENDER_FEMALE"];
pub(super) const AGES: &[&str] = &[
    "AGE_13_17",
    "AGE_18_24",
    "AGE_25_34",
    "AGE_35_44",
    "AGE_45_54",
    "AGE_55_100",
];
pub(super) const INCOMES: &[&str] = &["TOP5", "TOP10", "TOP10_25", "TOP25_50"];
pub(super) const SYSTEMS: &[&str] = &["ANDROID", "IOS"];
pub(super) const NETWORKS: &[&str] = &["WIFI", "2G", "3G", "4G", "5G"];
pub(super) const IOS14: &[&str] = &["UNSET", "IOS14_MINUS", "IOS14_PLUS", "ALL"];
pub(super) const BRAND_SAFETY: &[&str] = &[
    "NO_BRAND_SAFETY",
    "EXPANDED_INVENTORY",
    "STANDARD_INVENTORY",
    "LIMITED_INVENTORY",
    "THIRD_PARTY",
];
pub(super) const SCHEDULES: &[&str] = &["SCHEDULE_START_END", "SCHEDULE_FROM_NOW"];
pub(super) const PACINGS: &[&str] = &["PACING_MODE_SMOOTH", "PACING_MODE_FAST"];
pub(super) const BID_TYPES: &[&str] = &["BID_TYPE_NO_BID", "BID_TYPE_CUSTOM"];
pub(super) const SMART_PLUS_BID_TYPES: &[&str] = &[
    "BID_TYPE_NO_BID",
    "BID_TYPE_CUSTOM",
    "BID_TYPE_MAX_CONVERSION",
];
pub(super) const DEEP_BID_TYPES: &[&str] = &[
    "DEFAULT",
    "MIN",
    "PACING",
    "VO_MIN",
    "VO_MIN_ROAS",
    "VO_HIGHEST_VALUE",
    "AEO",
];
pub(super) const AD_GROUP_BUDGET_MODES: &[&str] = &[
    "BUDGET_MODE_INFINITE",
    "BUDGET_MODE_TOTAL",
    "BUDGET_MODE_DAY",
    "BUDGET_MODE_DYNAMIC_DAILY_BUDGET",
];
/// What is paid for.
pub(in crate::sandbox) const BILLING_EVENTS: &[&str] =
    &["CPC", "CPM", "CPV", "OCPM", "OCPC", "GD", "CPA"];
pub(super) const PLACEMENT_TYPES: &[&str] = &["PLACEMENT_TYPE_NORMAL", "PLACEMENT_TYPE_AUTOMATIC"];
pub(super) const PLACEMENTS: &[&str] = &[
    "PLACEMENT_TIKTOK",
    "PLACEMENT_PANGLE",
    "PLACEMENT_GLOBAL_APP_BUNDLE",
];
pub(super) const SUBPLACEMENTS: &[&str] = &["IN_FEED", "SEARCH_FEED", "TIKTOK_LITE", "LEMON8"];
pub(super) const PROMOTION_TARGETS: &[&str] = &["UNSET", "INSTANT_PAGE", "EXTERNAL_WEBSITE"];
pub(super) const PROMOTION_TYPES: &[&str] = &[
    "WEBSITE",
    "APP_ANDROID",
    "APP_IOS",
    "LEAD_GENERATION",
    "LEAD_GEN_CLICK_TO_TT_DIRECT_MESSAGE",
    "LEAD_GEN_CLICK_TO_SOCIAL_MEDIA_APP_MESSAGE",
    "LEAD_GEN_CLICK_TO_CALL",
    "WEBSITE_OR_DISPLAY",
    "TIKTOK_SHOP",
    "VIDEO_SHOPPING",
    "LIVE_SHOPPING",
    "PSA_PRODUCT",
    "EXTERNAL_OR_DISPLAY",
    "GAME",
];
pub(super) const SMART_PLUS_PROMOTION_TYPES: &[&str] = &[
    "WEBSITE",
    "APP_ANDROID",
    "APP_IOS",
    "AEO_APK",
    "LEAD_GENERATION",
    "LEAD_GEN_CLICK_TO_TT_DIRECT_MESSAGE",
    "LEAD_GEN_CLICK_TO_SOCIAL_MEDIA_APP_MESSAGE",
    "LEAD_GEN_CLICK_TO_CALL",
    "WEBSITE_OR_DISPLAY",
    "TIKTOK_SHOP",
    "VIDEO_SHOPPING",
    "LIVE_SHOPPING",
    "PRODUCT_SHOPPING",
    "MINI_APP",
];
pub(super) const GOALS: &[&str] = &[
    "CLICK",
    "CONVERT",
    "INSTALL",
    "IN_APP_EVENT",
    "SHOW",
    "VIDEO_VIEW",
    "REACH",
    "LEAD_GENERATION",
    "CONVERSATION",
    "FOLLOWERS",
    "PROFILE_VIEWS",
    "PAGE_VISIT",
    "VALUE",
    "AUTOMATIC_VALUE_OPTIMIZATION",
    "GMV",
    "PURCHASES",
    "INITIATE_CHECKOUTS",
    "MT_LIVE_ROOM",
    "PRODUCT_CLICK_IN_LIVE",
    "ENGAGED_VIEW",
    "ENGAGED_VIEW_FIFTEEN",
    "TRAFFIC_LANDING_PAGE_VIEW",
    "CONVERSION_LEADS",
    "DESTINATION_VISIT",
    "PREFERRED_LEAD",
];
pub(super) const WINDOWS: &[&str] = &[
    "OFF",
    "ONE_DAY",
    "SEVEN_DAYS",
    "FOURTEEN_DAYS",
    "TWENTY_EIGHT_DAYS",
    "UNSET",
];
pub(super) const COUNTS: &[&str] = &["UNSET", "ONCE", "EVERY"];
pub(super) const MATERIAL_MODES: &[&str] = &["CUSTOM", "SMART_CREATIVE", "DYNAMIC"];
pub(super) const SCENES: &[&str] = &["VIDEO_RELATED", "CREATOR_RELATED", "HASHTAG_RELATED"];
pub(super) const USER_ACTIONS: &[&str] = &[
    "WATCHED_TO_END",
    "LIKED",
    "COMMENTED",
    "SHARED",
    "FOLLOWING",
    "VIEW_HOMEPAGE",
    "VIEW_HASHTAG",
];

/// One entry of `actions`.
pub(super) const ACTIONS: Table = &[
    ("action_scene", OneOf(SCENES)),
    ("action_period", Whole),
    ("video_user_actions", ListOf(USER_ACTIONS)),
    ("action_category_ids", Ids),
];
