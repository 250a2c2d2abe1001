//! The fields of campaigns by their names on the wire.

use super::{
    ON_CREATE, ON_OFF, Table,
    Type::{Bool, Id, ListOf, Number, OneOf, Text},
};

const OBJECTIVES: &[&str] = &[
    "REACH",
    "TRAFFIC",
    "VIDEO_VIEWS",
    "ENGAGEMENT",
    "APP_PROMOTION",
    "WEB_CONVERSIONS",
    "LEAD_GENERATION",
    "PRODUCT_SALES",
    "RF_REACH",
    "BRAND_CONSIDERATION",
];
const SMART_PLUS_OBJECTIVES: &[&str] = &["APP_PROMOTION", "WEB_CONVERSIONS", "LEAD_GENERATION"];
/// Every objective a filter takes: the creatable ones, the read-only one, and the old ones.
pub(in crate::sandbox) const ALL_OBJECTIVES: &[&str] = &[
    "REACH",
    "TRAFFIC",
    "VIDEO_VIEWS",
    "ENGAGEMENT",
    "APP_PROMOTION",
    "WEB_CONVERSIONS",
    "LEAD_GENERATION",
    "PRODUCT_SALES",
    "RF_REACH",
    "BRAND_CONSIDERATION",
    "TOPVIEW_REACH",
    "APP_INSTALL",
    "CONVERSIONS",
    "CATALOG_SALES",
    "RF_TRAFFIC",
    "RF_VIDEO_VIEW",
    "RF_ENGAGEMENT",
    "RF_APP_INSTALL",
    "SHOP",
];
pub(in crate::sandbox) const CAMPAIGN_TYPES: &[&str] = &["REGULAR_CAMPAIGN", "IOS14_CAMPAIGN"];
const BUDGET_MODES: &[&str] = &[
    "BUDGET_MODE_INFINITE",
    "BUDGET_MODE_TOTAL",
    "BUDGET_MODE_DAY",
    "BUDGET_MODE_DYNAMIC_DAILY_BUDGET",
];
const SMART_PLUS_BUDGET_MODES: &[&str] = &[
    "BUDGET_MODE_INFINITE",
    "BUDGET_MODE_TOTAL",
    "BUDGET_MODE_DYNAMIC_DAILY_BUDGET",
];
const INDUSTRIES: &[&str] = &["HOUSING", "EMPLOYMENT", "CREDIT"];
/// The SKAN postback windows.
pub(in crate::sandbox) const POSTBACK_MODES: &[&str] = &[
    "POSTBACK_WINDOW_MODE1",
    "POSTBACK_WINDOW_MODE2",
    "POSTBACK_WINDOW_MODE3",
];
pub(in crate::sandbox) const SALES_DESTINATIONS: &[&str] =
    &["TIKTOK_SHOP", "WEBSITE", "APP", "WEB_AND_APP"];
pub(in crate::sandbox) const PRODUCT_SOURCES: &[&str] = &["CATALOG", "STORE"];

/// The body of `/campaign/create/`.
pub(in crate::sandbox) const MANUAL_CREATE: Table = &[
    ("advertiser_id", Id),
    ("request_id", Id),
    ("campaign_name", Text),
    ("objective_type", OneOf(OBJECTIVES)),
    ("operation_status", OneOf(ON_CREATE)),
    ("budget_mode", OneOf(BUDGET_MODES)),
    ("budget", Number),
    ("budget_optimize_on", Bool),
    ("campaign_type", OneOf(CAMPAIGN_TYPES)),
    (
        "app_promotion_type",
        OneOf(&[
            "APP_INSTALL",
            "APP_RETARGETING",
            "APP_PREREGISTRATION",
            "MINIS",
        ]),
    ),
    ("app_id", Id),
    ("special_industries", ListOf(INDUSTRIES)),
    ("sales_destination", OneOf(SALES_DESTINATIONS)),
    ("catalog_enabled", Bool),
    ("campaign_product_source", OneOf(PRODUCT_SOURCES)),
    ("virtual_objective_type", OneOf(&["SALES"])),
    ("is_search_campaign", Bool),
    ("is_advanced_dedicated_campaign", Bool),
    ("disable_skan_campaign", Bool),
    ("postback_window_mode", OneOf(POSTBACK_MODES)),
    ("bid_align_type", OneOf(&["SAN", "SKAN"])),
    ("campaign_app_profile_page_state", OneOf(ON_OFF)),
    ("rta_id", Text),
    ("rta_bid_enabled", Bool),
    ("rta_product_selection_enabled", Bool),
    ("rf_campaign_type", OneOf(&["STANDARD", "PULSE"])),
    ("po_number", Text),
    ("bid_type", OneOf(&["BID_TYPE_NO_BID", "BID_TYPE_CUSTOM"])),
    ("optimization_goal", Text),
    ("deep_bid_type", Text),
    ("roas_bid", Number),
    ("plugin_partner", Text),
    ("internal_channel", Text),
];

/// The body of `/smart_plus/campaign/create/`.
pub(in crate::sandbox) const SMART_PLUS_CREATE: Table = &[
    ("advertiser_id", Id),
    ("request_id", Id),
    ("campaign_name", Text),
    ("objective_type", OneOf(SMART_PLUS_OBJECTIVES)),
    ("operation_status", OneOf(ON_CREATE)),
    ("budget_mode", OneOf(SMART_PLUS_BUDGET_MODES)),
    ("budget", Number),
    ("budget_optimize_on", Bool),
    (
        "budget_auto_adjust_strategy",
        OneOf(&["AUTO_BUDGET_INCREASE", "UNSET"]),
    ),
    ("campaign_type", OneOf(CAMPAIGN_TYPES)),
    (
        "app_promotion_type",
        OneOf(&["APP_INSTALL", "APP_RETARGETING", "MINIS"]),
    ),
    ("app_id", Id),
    ("special_industries", ListOf(INDUSTRIES)),
    (
        "sales_destination",
        OneOf(&["WEBSITE", "APP", "WEB_AND_APP"]),
    ),
    ("catalog_enabled", Bool),
    (
        "catalog_type",
        OneOf(&["ECOMMERCE", "TRAVEL_ENTERTAINMENT", "MINI_SERIES"]),
    ),
    ("is_search_campaign", Bool),
    ("is_promotional_campaign", Bool),
    ("is_advanced_dedicated_campaign", Bool),
    ("disable_skan_campaign", Bool),
    ("postback_window_mode", OneOf(POSTBACK_MODES)),
    ("bid_align_type", OneOf(&["SAN", "SKAN"])),
    ("campaign_app_profile_page_state", OneOf(ON_OFF)),
    ("gaming_ad_compliance_agreement", OneOf(ON_OFF)),
    ("rta_id", Text),
    ("rta_bid_enabled", Bool),
    ("rta_product_selection_enabled", Bool),
    ("po_number", Text),
    ("open_api_partner", Text),
];

/// The body of `/campaign/update/`.
pub(in crate::sandbox) const MANUAL_UPDATE: Table = &[
    ("advertiser_id", Id),
    ("campaign_id", Id),
    ("campaign_name", Text),
    ("budget", Number),
    ("special_industries", ListOf(INDUSTRIES)),
    ("po_number", Text),
];

/// The body of `/smart_plus/campaign/update/`.
pub(in crate::sandbox) const SMART_PLUS_UPDATE: Table = &[
    ("advertiser_id", Id),
    ("campaign_id", Id),
    ("campaign_name", Text),
    ("budget", Number),
    ("po_number", Text),
];

/// The columns of `/campaign/get/`.
pub(in crate::sandbox) const MANUAL_COLUMNS: &[&str] = &[
    "advertiser_id",
    "campaign_id",
    "campaign_system_origin",
    "is_search_campaign",
    "is_smart_performance_campaign",
    "campaign_automation_type",
    "campaign_name",
    "campaign_type",
    "postback_window_mode",
    "app_id",
    "budget",
    "budget_mode",
    "rta_id",
    "rta_bid_enabled",
    "rta_product_selection_enabled",
    "secondary_status",
    "operation_status",
    "objective",
    "objective_type",
    "app_promotion_type",
    "virtual_objective_type",
    "sales_destination",
    "campaign_product_source",
    "budget_optimize_on",
    "bid_type",
    "optimization_goal",
    "deep_bid_type",
    "roas_bid",
    "is_new_structure",
    "create_time",
    "modify_time",
    "is_advanced_dedicated_campaign",
    "disable_skan_campaign",
    "bid_align_type",
    "campaign_app_profile_page_state",
    "special_industries",
    "rf_campaign_type",
    "po_number",
];

/// Columns of `/campaign/get/` that are left out, not null, where they do not apply: they are returned for CBO
/// campaigns, and for promoted posts, alone.
pub(in crate::sandbox) const MANUAL_CONDITIONAL: &[&str] = &[
    "budget_optimize_on",
    "bid_type",
    "optimization_goal",
    "campaign_system_origin",
];

/// The columns of `/smart_plus/campaign/get/`. That tree's answers carry no nulls.
pub(in crate::sandbox) const SMART_PLUS_COLUMNS: &[&str] = &[
    "advertiser_id",
    "campaign_id",
    "campaign_name",
    "create_time",
    "modify_time",
    "objective_type",
    "app_promotion_type",
    "sales_destination",
    "campaign_type",
    "app_id",
    "gaming_ad_compliance_agreement",
    "is_advanced_dedicated_campaign",
    "disable_skan_campaign",
    "bid_align_type",
    "campaign_app_profile_page_state",
    "is_search_campaign",
    "catalog_enabled",
    "catalog_type",
    "special_industries",
    "budget_optimize_on",
    "budget_mode",
    "budget_auto_adjust_strategy",
    "budget",
    "current_budget",
    "operation_status",
    "secondary_status",
    "smart_plus_adgroup_mode",
    "postback_window_mode",
    "po_number",
    "is_promotional_campaign",
    "rta_id",
    "rta_bid_enabled",
    "rta_product_selection_enabled",
];
