//! What an ad group's row holds where nothing was sent: the official example's answer to a create.

use serde_json::{Map, Value, json};

use super::{
    super::{create::text, item::Tree},
    place::Place,
};

/// Lists that are empty, not null.
const EMPTY_LISTS: &[&str] = &[
    "excluded_audience_ids",
    "isp_ids",
    "interest_keyword_ids",
    "languages",
    "actions",
    "network_types",
    "interest_category_ids",
    "category_exclusion_ids",
    "audience_ids",
    "operating_systems",
    "location_ids",
];

/// Fields that are 0.0, not null.
const ZEROS: &[&str] = &[
    "scheduled_budget",
    "deep_cpa_bid",
    "conversion_bid_price",
    "bid_price",
];

/// Completes the fields of a manual ad group.
fn manual(fields: &mut Map<String, Value>) {
    for name in EMPTY_LISTS {
        fields.entry(*name).or_insert_with(|| json!([]));
    }
    for name in ZEROS {
        fields.entry(*name).or_insert_with(|| json!(0.0));
    }
    for (name, value) in [
        ("gender", json!("GENDER_UNLIMITED")),
        ("ios14_targeting", json!("UNSET")),
        ("ios14_quota_type", json!("UNOCCUPIED")),
        ("bid_display_mode", json!("CPMV")),
        ("brand_safety_type", json!("NO_BRAND_SAFETY")),
        ("creative_material_mode", json!("CUSTOM")),
        ("category_id", json!("0")),
        ("attribution_event_count", json!("ONCE")),
        ("click_attribution_window", json!("SEVEN_DAYS")),
        ("view_attribution_window", json!("ONE_DAY")),
        ("auto_targeting_enabled", json!(false)),
        ("inventory_filter_enabled", json!(false)),
        ("comment_disabled", json!(false)),
        ("video_download_disabled", json!(false)),
        ("share_disabled", json!(false)),
        ("is_hfss", json!(false)),
        ("is_smart_performance_campaign", json!(false)),
        ("is_new_structure", json!(true)),
        ("skip_learning_phase", json!(true)),
    ] {
        fields.entry(name).or_insert(value);
    }
    // The official client sends these with every ad group; rows show them only where they apply.
    for (name, value) in [
        ("automated_keywords_enabled", json!(false)),
        ("is_lhf_compliance", json!(false)),
        ("vbo_window", json!("SEVEN_DAYS")),
    ] {
        if fields.get(name) == Some(&value) {
            fields.remove(name);
        }
    }
    if let "APP_ANDROID" | "APP_IOS" = text(fields, "promotion_type") {
        let kind = text(fields, "promotion_type").to_owned();
        let url = format!("https://apps.example/{}", text(fields, "app_id"));
        fields.entry("app_type").or_insert(json!(kind));
        fields.entry("app_download_url").or_insert(json!(url));
    }
}

/// Completes the fields of a Smart+ ad group. That tree's answers carry no nulls.
fn smart_plus(fields: &mut Map<String, Value>) {
    for (name, value) in [
        ("targeting_optimization_mode", json!("AUTOMATIC")),
        ("comment_disabled", json!(false)),
        ("share_disabled", json!(false)),
        ("video_download_disabled", json!(false)),
        ("skip_learning_phase", json!(true)),
        ("click_attribution_window", json!("SEVEN_DAYS")),
        ("view_attribution_window", json!("ONE_DAY")),
        ("attribution_event_count", json!("ONCE")),
    ] {
        fields.entry(name).or_insert(value);
    }
    if let Some(spec) = fields
        .get_mut("targeting_spec")
        .and_then(Value::as_object_mut)
    {
        spec.entry("gender").or_insert(json!("GENDER_UNLIMITED"));
    }
}

/// Completes the fields of a new ad group.
pub(super) fn complete(tree: Tree, fields: &mut Map<String, Value>) {
    match tree {
        Tree::Manual => manual(fields),
        Tree::SmartPlus => smart_plus(fields),
    }
}

/// What an ad group made in Ads Manager has where nothing is said: everybody in the US, now and for ten years, for
/// clicks.
pub(in crate::sandbox) fn made_outside(place: &Place<'_>, fields: &mut Map<String, Value>) {
    let spread = |fields: &mut Map<String, Value>| {
        fields.entry("location_ids").or_insert(json!(["6252001"]));
    };
    match place.tree {
        Tree::Manual => spread(fields),
        Tree::SmartPlus => {
            let spec = fields.entry("targeting_spec").or_insert(json!({}));
            if let Some(spec) = spec.as_object_mut() {
                spread(spec);
            }
        }
    }
    let start = super::super::time::datetime(place.at);
    let end = super::super::time::datetime(super::super::time::add_years(place.at, 10));
    let (mode, budget) = if place.shares_budget() {
        ("BUDGET_MODE_INFINITE", 0.0)
    } else {
        ("BUDGET_MODE_DYNAMIC_DAILY_BUDGET", 20.0)
    };
    for (name, value) in [
        ("promotion_type", json!("WEBSITE")),
        ("placement_type", json!("PLACEMENT_TYPE_NORMAL")),
        ("placements", json!(["PLACEMENT_TIKTOK"])),
        ("optimization_goal", json!("CLICK")),
        ("billing_event", json!("CPC")),
        ("bid_type", json!("BID_TYPE_NO_BID")),
        ("pacing", json!("PACING_MODE_SMOOTH")),
        ("budget_mode", json!(mode)),
        ("budget", json!(budget)),
        ("schedule_type", json!("SCHEDULE_FROM_NOW")),
        ("schedule_start_time", json!(start)),
        ("schedule_end_time", json!(end)),
        ("dayparting", json!("1".repeat(336))),
    ] {
        fields.entry(name).or_insert(value);
    }
    complete(place.tree, fields);
}

/// What the manual list shows of a Smart+ ad group: its targeting stands in the row itself there.
pub(in crate::sandbox) fn manual_row(mut fields: Map<String, Value>) -> Map<String, Value> {
    if let Some(Value::Object(spec)) = fields.remove("targeting_spec") {
        for (name, value) in spec {
            fields.entry(name).or_insert(value);
        }
    }
    manual(&mut fields);
    fields
}
