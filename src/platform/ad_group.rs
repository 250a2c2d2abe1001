//! Ad groups on the wire (reference section 4 and 5.6).
//!
//! Beside what a spec can say, the tables hold what an update of TikTok's would reset when it does not go along.

use serde_json::json;

use super::campaign::DISABLED;
use super::field::{Field, Fields};
use super::form::Form::{Flag, Id, Money, Ratio, Set, Shape, Switch, Text, Whole, Word};
use super::shapes;
use super::table::{Careful, Paths, Replaces, Table};

/// `/adgroup/update/` says of itself that it replaces the whole object.
pub(super) static MANUAL: Table = Table {
    paths: Paths {
        create: "/open_api/v1.3/adgroup/create/",
        update: "/open_api/v1.3/adgroup/update/",
        status: "/open_api/v1.3/adgroup/status/update/",
        list: "/open_api/v1.3/adgroup/get/",
    },
    replaces: Replaces::Body,
    fields: &[
        Field::fixed("promotion_type", Text),
        Field::fixed("promotion_target_type", Text),
        Field::fixed("promotion_website_type", Text),
        Field::fixed("app_id", Id),
        Field::fixed("placement_type", Text),
        // With automatic placement TikTok writes there what it chose.
        Field::fixed("placements", Set).void_when("placement_type", "PLACEMENT_TYPE_AUTOMATIC"),
        Field::fixed("tiktok_subplacements", Set),
        Field::fixed("optimization_goal", Text),
        Field::fixed("optimization_event", Text),
        Field::fixed("billing_event", Text),
        Field::fixed("pixel_id", Id),
        Field::fixed("vbo_window", Text),
        Field::fixed("click_attribution_window", Text),
        Field::fixed("view_attribution_window", Text),
        Field::fixed("engaged_view_attribution_window", Text),
        Field::fixed("attribution_event_count", Text),
        Field::fixed("creative_material_mode", Word("CUSTOM")),
        Field::fixed("video_download_disabled", Switch(false)),
        Field::fixed("brand_safety_partner", Text),
        // TikTok wants the start with it, and a start that has passed may not be sent again.
        Field::whole("schedule_type", Text).carried_with("schedule_start_time"),
        Field::whole("schedule_start_time", Text),
        // Without an end TikTok sets one ten years after the start.
        Field::whole("schedule_end_time", Text).void_when("schedule_type", "SCHEDULE_FROM_NOW"),
        Field::whole("dayparting", Shape(shapes::dayparting)),
        Field::whole("pacing", Text),
        Field::whole("bid_type", Text),
        // TikTok passes over amounts without a cap.
        Field::whole("bid_price", Money).void_when("bid_type", LOWEST),
        Field::whole("conversion_bid_price", Money).void_when("bid_type", LOWEST),
        Field::whole("deep_bid_type", Word("DEFAULT")),
        Field::whole("deep_cpa_bid", Money),
        Field::whole("roas_bid", Ratio),
        Field::whole("secondary_optimization_event", Text),
        Field::whole("next_day_retention", Ratio),
        Field::whole("frequency", Whole),
        Field::whole("frequency_schedule", Whole),
        Field::whole("brand_safety_type", Word("NO_BRAND_SAFETY")),
        Field::whole("category_exclusion_ids", Set),
        Field::whole("vertical_sensitivity_id", Id),
        Field::whole("comment_disabled", Switch(false)),
        Field::whole("share_disabled", Switch(false)),
        // TikTok takes it in an update only to switch it on.
        Field::whole("search_result_enabled", Flag).not_carried(),
        Field::whole("is_hfss", Switch(false)),
        Field::whole("is_lhf_compliance", Switch(false)),
        Field::whole("location_ids", Set),
        Field::whole("zipcode_ids", Set),
        Field::whole("age_groups", Set),
        Field::whole("gender", Word("GENDER_UNLIMITED")),
        Field::whole("languages", Set),
        Field::whole("interest_category_ids", Set),
        Field::whole("interest_keyword_ids", Set),
        Field::whole("purchase_intention_keyword_ids", Set),
        Field::whole("actions", Shape(shapes::actions)),
        Field::whole("smart_interest_behavior_enabled", Switch(false)),
        Field::whole("audience_ids", Set),
        Field::whole("excluded_audience_ids", Set),
        Field::whole("smart_audience_enabled", Switch(false)),
        // A row shows the saved audience and what it consists of; TikTok refuses both together. What it consists of goes
        // along: then nobody is reached whom it left out.
        Field::whole("saved_audience_id", Id).not_carried(),
        Field::whole("audience_type", Text),
        Field::whole("audience_rule", Shape(shapes::kept)),
        Field::whole("operating_systems", Set),
        Field::whole("min_android_version", Text),
        Field::whole("min_ios_version", Text),
        Field::whole("ios14_targeting", Word("UNSET")),
        Field::whole("device_model_ids", Set),
        Field::whole("device_price_ranges", Shape(shapes::numbers))
            .shown_as(shapes::is_price_raised),
        Field::whole("network_types", Set),
        Field::whole("carrier_ids", Set),
        Field::whole("isp_ids", Set),
        Field::whole("spending_power", Word("ALL")),
        Field::whole("household_income", Set),
        Field::whole("contextual_tag_ids", Set),
        Field::whole("blocked_pangle_app_ids", Set),
        Field::whole("included_pangle_audience_package_ids", Set),
        Field::whole("excluded_pangle_audience_package_ids", Set),
        Field::whole("automated_keywords_enabled", Switch(false)),
        Field::whole("search_keywords", Shape(shapes::search_keywords)),
        Field::whole("catalog_authorized_bc_id", Id),
        Field::whole("shopping_ads_retargeting_type", Text),
        Field::whole("shopping_ads_retargeting_actions_days", Whole),
        Field::whole("shopping_ads_retargeting_custom_audience_relation", Text),
        Field::whole("included_custom_actions", Shape(shapes::kept)),
        Field::whole("excluded_custom_actions", Shape(shapes::kept)),
        Field::whole("deep_funnel_optimization_status", Text),
        Field::whole("deep_funnel_event_source", Text),
        Field::whole("deep_funnel_event_source_id", Id),
        Field::whole("deep_funnel_optimization_event", Text),
    ],
    careful: &[
        DISABLED,
        // TikTok switches it on by itself where the objective has search results, and it cannot be switched off again.
        Careful::new("search_result_enabled", |_| Some(json!(false))),
        // Lets TikTok go beyond the audiences that are named.
        Careful::new("smart_audience_enabled", |_| Some(json!(false))),
        // Lets TikTok go beyond the interests and behaviours that are named.
        Careful::new("smart_interest_behavior_enabled", |_| Some(json!(false))),
        // Lets TikTok make up keywords to be found under.
        Careful::new("automated_keywords_enabled", |_| Some(json!(false))),
        // Ads that TikTok puts together from materials.
        Careful::new("creative_material_mode", |_| Some(json!("CUSTOM"))),
        // TikTok wants it said; the other word spends the budget as fast as it can.
        Careful::new("pacing", |_| Some(json!("PACING_MODE_SMOOTH"))),
        // Automatic targeting cannot be switched on any more (June 2024).
        Careful::new("auto_targeting_enabled", |_| None),
        // Shows the app's page in the app: off when not sent.
        Careful::new("adgroup_app_profile_page_state", |_| None),
        // TikTok wants placements named unless it may choose them. The narrowest choice is itself.
        Careful::new("placement_type", |_| Some(json!("PLACEMENT_TYPE_NORMAL"))),
        Careful::new("placements", |fields| {
            (!fields.contains_key("placement_type")).then(|| json!(["PLACEMENT_TIKTOK"]))
        }),
        LOWEST_COST,
    ],
    ..NAMES
};

/// `/smart_plus/adgroup/update/` is incremental, but nothing says that it is inside `targeting_spec`: a list of audiences
/// that did not go along could be gone. So what is in there goes along, whichever of it is changed.
pub(super) static SMART_PLUS: Table = Table {
    paths: Paths {
        create: "/open_api/v1.3/smart_plus/adgroup/create/",
        update: "/open_api/v1.3/smart_plus/adgroup/update/",
        status: "/open_api/v1.3/smart_plus/adgroup/status/update/",
        list: "/open_api/v1.3/smart_plus/adgroup/get/",
    },
    replaces: Replaces::Objects,
    fields: &[
        Field::fixed("promotion_type", Text),
        Field::fixed("promotion_target_type", Text),
        Field::fixed("promotion_website_type", Text),
        Field::fixed("app_id", Id),
        Field::fixed("placement_type", Text),
        Field::fixed("placements", Set).void_when("placement_type", "PLACEMENT_TYPE_AUTOMATIC"),
        Field::fixed("tiktok_subplacements", Set),
        Field::fixed("optimization_goal", Text),
        Field::fixed("optimization_event", Text),
        Field::fixed("billing_event", Text),
        Field::fixed("pixel_id", Id),
        Field::fixed("vbo_window", Text),
        Field::fixed("click_attribution_window", Text),
        Field::fixed("view_attribution_window", Text),
        Field::fixed("engaged_view_attribution_window", Text),
        Field::fixed("attribution_event_count", Text),
        Field::fixed("bid_type", Text),
        Field::fixed("deep_bid_type", Word("DEFAULT")),
        Field::fixed("video_download_disabled", Switch(false)),
        Field::alone("bid_price", Money).void_when("bid_type", LOWEST),
        Field::alone("conversion_bid_price", Money).void_when("bid_type", LOWEST),
        Field::alone("roas_bid", Ratio),
        Field::alone("min_budget", Money),
        Field::alone("schedule_type", Text),
        Field::alone("schedule_start_time", Text),
        Field::alone("schedule_end_time", Text).void_when("schedule_type", "SCHEDULE_FROM_NOW"),
        Field::alone("dayparting", Shape(shapes::dayparting)),
        // Only updates take it.
        Field::alone("pacing", Text).updates_only(),
        Field::alone("comment_disabled", Switch(false)),
        Field::alone("share_disabled", Switch(false)),
        Field::alone("is_hfss", Switch(false)),
        Field::alone("is_lhf_compliance", Switch(false)),
        Field::alone("targeting_optimization_mode", Text),
        Field::alone("suggestion_audience_enabled", Switch(false)),
        Field::fixed("app_targeting_type", Text).within(TARGETING),
        Field::whole("spc_audience_age", Text).within(TARGETING),
        Field::whole("location_ids", Set).within(TARGETING),
        Field::whole("zipcode_ids", Set).within(TARGETING),
        Field::whole("age_groups", Set).within(TARGETING),
        Field::whole("gender", Word("GENDER_UNLIMITED")).within(TARGETING),
        Field::whole("languages", Set).within(TARGETING),
        Field::whole("interest_category_ids", Set).within(TARGETING),
        Field::whole("interest_keyword_ids", Set).within(TARGETING),
        Field::whole("purchase_intention_keyword_ids", Set).within(TARGETING),
        Field::whole("actions", Shape(shapes::actions)).within(TARGETING),
        Field::whole("smart_interest_behavior_enabled", Switch(false)).within(TARGETING),
        Field::whole("audience_ids", Set).within(TARGETING),
        Field::whole("excluded_audience_ids", Set).within(TARGETING),
        Field::whole("smart_audience_enabled", Switch(false)).within(TARGETING),
        // In this tree it comes before what is said beside it, without an error.
        Field::whole("saved_audience_id", Id).within(TARGETING),
        Field::whole("operating_systems", Set).within(TARGETING),
        Field::whole("min_android_version", Text).within(TARGETING),
        Field::whole("min_ios_version", Text).within(TARGETING),
        Field::whole("device_model_ids", Set).within(TARGETING),
        Field::whole("device_price_ranges", Shape(shapes::numbers))
            .shown_as(shapes::is_price_raised)
            .within(TARGETING),
        Field::whole("network_types", Set).within(TARGETING),
        Field::whole("carrier_ids", Set).within(TARGETING),
        Field::whole("isp_ids", Set).within(TARGETING),
        Field::whole("spending_power", Word("ALL")).within(TARGETING),
        Field::whole("household_income", Set).within(TARGETING),
        Field::whole("blocked_pangle_app_ids", Set).within(TARGETING),
        Field::whole("included_pangle_audience_package_ids", Set).within(TARGETING),
        Field::whole("excluded_pangle_audience_package_ids", Set).within(TARGETING),
        Field::whole("shopping_ads_retargeting_type", Text).within(TARGETING),
        Field::whole("shopping_ads_retargeting_actions_days", Whole).within(TARGETING),
        Field::whole("shopping_ads_retargeting_custom_audience_relation", Text).within(TARGETING),
        Field::whole("included_custom_actions", Shape(shapes::kept)).within(TARGETING),
        Field::whole("excluded_custom_actions", Shape(shapes::kept)).within(TARGETING),
    ],
    careful: &[
        DISABLED,
        // TikTok takes AUTOMATIC when it is not said, and then passes over most of what targeting says, without an error.
        Careful::new("targeting_optimization_mode", |_| Some(json!("MANUAL"))),
        // With automatic targeting: reaches beyond it. TikTok knows the field there only.
        Careful::new("suggestion_audience_enabled", |fields| {
            is_automatic(fields).then_some(json!(false))
        }),
        // Automatic targeting goes beyond what is named anyway and knows neither of the two.
        Careful::new("smart_audience_enabled", |fields| {
            (!is_automatic(fields)).then_some(json!(false))
        })
        .within(TARGETING),
        Careful::new("smart_interest_behavior_enabled", |fields| {
            (!is_automatic(fields)).then_some(json!(false))
        })
        .within(TARGETING),
        // Raises the budget by 20 % up to ten times a day: off when not sent, and for selected accounts only.
        Careful::new("budget_auto_adjust_strategy", |_| None),
        // Unset, TikTok chooses: that is what this tree is for, and the user's page says so.
        Careful::new("placement_type", |_| None),
        LOWEST_COST,
    ],
    ..NAMES
};

const TARGETING: &[&str] = &["targeting_spec"];

/// The names on the wire are the same in both trees.
const NAMES: Table = Table {
    paths: Paths {
        create: "",
        update: "",
        status: "",
        list: "",
    },
    id: "adgroup_id",
    ids: "adgroup_ids",
    name: "adgroup_name",
    parent: Some(("campaign_id", "campaign_ids")),
    status_list: None,
    wrapped: None,
    request_id: true,
    batch: 1,
    replaces: Replaces::Body,
    fields: &[],
    careful: &[],
};

/// Unset it is TikTok's choice whether the bid is capped, and under budget optimisation TikTok wants it said. With a least
/// return it follows from that.
const LOWEST_COST: Careful = Careful::new("bid_type", |fields| {
    let by_return = fields.get("deep_bid_type") == Some(&json!("VO_MIN_ROAS"));
    (!by_return).then(|| json!(LOWEST))
});
const LOWEST: &str = "BID_TYPE_NO_BID";

fn is_automatic(fields: &Fields) -> bool {
    fields.get("targeting_optimization_mode") == Some(&json!("AUTOMATIC"))
}
