//! What an ad group promotes, where, and what TikTok optimises and bills.

use serde_json::{Map, Value, json};

use super::{
    super::{
        Sandbox,
        create::{require, text},
        envelope::Refusal,
        item::Tree,
        knobs,
        query::missing,
    },
    place::Place,
};

/// Objectives whose ad groups need no `promotion_type`.
const NO_PROMOTION_TYPE: &[&str] = &[
    "REACH",
    "RF_REACH",
    "VIDEO_VIEWS",
    "ENGAGEMENT",
    "BRAND_CONSIDERATION",
];

/// What may be billed for a goal. The pages name the pairs one by one; what they do not name is billed by OCPM.
fn billing_events(goal: &str) -> &'static [&'static str] {
    match goal {
        "CLICK" => &["CPC"],
        "REACH" | "SHOW" => &["CPM", "GD"],
        "VIDEO_VIEW" | "ENGAGED_VIEW" | "ENGAGED_VIEW_FIFTEEN" => &["CPV"],
        "TRAFFIC_LANDING_PAGE_VIEW" | "PAGE_VISIT" | "PROFILE_VIEWS" | "FOLLOWERS" => {
            &["CPC", "OCPM"]
        }
        _ => &["OCPM", "OCPC"],
    }
}

fn is(fields: &Map<String, Value>, name: &str, value: &str) -> bool {
    text(fields, name) == value
}

fn has_placement(fields: &Map<String, Value>, placement: &str) -> bool {
    let list = fields.get("placements").and_then(Value::as_array);
    list.is_some_and(|list| list.iter().any(|entry| entry == placement))
}

impl Sandbox {
    /// What is promoted, for which goal, measured by what.
    pub(super) fn check_promotion(
        &self,
        place: &Place<'_>,
        fields: &mut Map<String, Value>,
    ) -> Result<(), Refusal> {
        if !place.objective_is(NO_PROMOTION_TYPE) {
            require(fields, &["promotion_type"])?;
        }
        let promotion = text(fields, "promotion_type").to_owned();
        let wrong = |name: &str| {
            Err(Refusal::parameter(format!(
                "promotion_type: {name} is not supported for objective_type {}.",
                place.objective()
            )))
        };
        match place.objective() {
            "ENGAGEMENT" if !promotion.is_empty() && promotion != "EXTERNAL_OR_DISPLAY" => {
                return wrong(&promotion);
            }
            "APP_PROMOTION" => {
                if !["APP_ANDROID", "APP_IOS", "AEO_APK", "MINI_APP"].contains(&promotion.as_str())
                {
                    return wrong(&promotion);
                }
                if !place.campaign.is_dedicated() && promotion != "MINI_APP" {
                    require(fields, &["app_id"])?;
                }
            }
            // Live: a website for leads is LEAD_GENERATION with EXTERNAL_WEBSITE.
            "LEAD_GENERATION" if promotion == "WEBSITE" => return wrong(&promotion),
            "LEAD_GENERATION" if promotion == "LEAD_GENERATION" => {
                require(fields, &["promotion_target_type"])?;
            }
            _ => {}
        }
        require(fields, &["optimization_goal", "billing_event"])?;
        let goal = text(fields, "optimization_goal").to_owned();
        let billing = text(fields, "billing_event");
        if !billing_events(&goal).contains(&billing) {
            return Err(Refusal::parameter(format!(
                "billing_event: {billing} is not supported for optimization_goal {goal}."
            )));
        }
        self.check_pixel(place, fields)?;
        check_frequency(place, fields)?;
        if is(fields, "product_source", "STORE") {
            fields.remove("catalog_id");
        }
        Ok(())
    }

    /// A pixel and its event come together, and a website's conversions need both.
    fn check_pixel(
        &self,
        place: &Place<'_>,
        fields: &mut Map<String, Value>,
    ) -> Result<(), Refusal> {
        if is(fields, "optimization_goal", "PAGE_VISIT") {
            fields.insert("optimization_event".into(), json!("PAGE_VISIT"));
        }
        let pixel = fields.contains_key("pixel_id");
        let of_website = match text(fields, "promotion_type") {
            "WEBSITE" => true,
            "LEAD_GENERATION" => is(fields, "promotion_target_type", "EXTERNAL_WEBSITE"),
            _ => false,
        };
        let converts = ["CONVERT", "VALUE"].contains(&text(fields, "optimization_goal"));
        if of_website && converts && !pixel {
            return Err(Refusal::parameter("Please select a pixel."));
        }
        let event = fields.contains_key("optimization_event");
        if place.objective_is(&["REACH", "VIDEO_VIEWS", "TRAFFIC"]) {
            return Ok(());
        }
        if pixel && !event && !fields.contains_key("custom_conversion_id") {
            return Err(missing("optimization_event"));
        }
        if event && !pixel && of_website && !is(fields, "optimization_goal", "PAGE_VISIT") {
            return Err(missing("pixel_id"));
        }
        Ok(())
    }

    /// Where the ads are shown. `GLOBAL_APP_BUNDLE` goes away in silence for whoever is not allow-listed.
    pub(super) fn settle_placements(
        &self,
        place: &Place<'_>,
        fields: &mut Map<String, Value>,
    ) -> Result<(), Refusal> {
        let said = fields.contains_key("placement_type");
        let by_default = if place.tree == Tree::SmartPlus && !fields.contains_key("placements") {
            "PLACEMENT_TYPE_AUTOMATIC"
        } else {
            "PLACEMENT_TYPE_NORMAL"
        };
        if !said {
            fields.insert("placement_type".into(), json!(by_default));
        }
        let bundle = "PLACEMENT_GLOBAL_APP_BUNDLE";
        let allowed = self
            .knobs
            .allowlisted(place.advertiser_id, "GLOBAL_APP_BUNDLE");
        if is(fields, "placement_type", "PLACEMENT_TYPE_AUTOMATIC") {
            let mut all = vec!["PLACEMENT_TIKTOK"];
            if place.objective_is(&["APP_PROMOTION"]) {
                all.push("PLACEMENT_PANGLE");
                all.extend(allowed.then_some(bundle));
            }
            fields.insert("placements".into(), json!(all));
        } else {
            let mut list: Vec<Value> = fields
                .get("placements")
                .and_then(Value::as_array)
                .cloned()
                .unwrap_or_default();
            if list.is_empty() {
                return Err(missing("placements"));
            }
            list.retain(|entry| allowed || entry != bundle);
            if list.is_empty() {
                return Err(Refusal::parameter(
                    "placements: PLACEMENT_GLOBAL_APP_BUNDLE is not available to the advertiser.",
                ));
            }
            fields.insert("placements".into(), json!(list));
        }
        check_subplacements(place, fields)?;
        let searched = has_placement(fields, "PLACEMENT_TIKTOK")
            && place.objective_is(&[
                "APP_PROMOTION",
                "WEB_CONVERSIONS",
                "TRAFFIC",
                "LEAD_GENERATION",
            ]);
        let off = fields.get("search_result_enabled") == Some(&json!(false));
        fields.insert("search_result_enabled".into(), json!(searched && !off));
        Ok(())
    }

    /// Where TikTok shares out the budget, all ad groups pursue what the first one does.
    pub(super) fn check_same_goal(
        &self,
        place: &Place<'_>,
        fields: &Map<String, Value>,
        except: Option<u64>,
    ) -> Result<(), Refusal> {
        if !place.shares_budget() {
            return Ok(());
        }
        let Some(first) = self.first_sibling(place, except) else {
            return Ok(());
        };
        for name in ["optimization_goal", "bid_type", "optimization_event"] {
            if text(fields, name) != first.text(name) {
                return Err(Refusal::parameter(format!(
                    "{name}: Must be the same as in the first ad group of the campaign, because the campaign's budget is optimized."
                )));
            }
        }
        Ok(())
    }

    /// Whether REACH needs a frequency; it is what practice sends.
    pub(super) fn needs_frequency(&self, place: &Place<'_>) -> bool {
        place.objective_is(&["REACH"])
            && self
                .knobs
                .is(&knobs::REACH_FREQUENCY, place.advertiser_id, "required")
    }
}

fn check_subplacements(place: &Place<'_>, fields: &Map<String, Value>) -> Result<(), Refusal> {
    let parts = fields.get("tiktok_subplacements").and_then(Value::as_array);
    let Some(parts) = parts.filter(|parts| !parts.is_empty()) else {
        return Ok(());
    };
    if !has_placement(fields, "PLACEMENT_TIKTOK") {
        return Err(Refusal::parameter(
            "tiktok_subplacements is only supported when placements contains PLACEMENT_TIKTOK.",
        ));
    }
    if !parts.iter().any(|part| part == "IN_FEED") {
        return Err(Refusal::parameter(
            "tiktok_subplacements: Must contain IN_FEED.",
        ));
    }
    if parts.iter().any(|part| part == "LEMON8") && !place.objective_is(&["REACH"]) {
        return Err(Refusal::parameter(
            "tiktok_subplacements: LEMON8 is only supported for objective_type REACH.",
        ));
    }
    Ok(())
}

fn check_frequency(place: &Place<'_>, fields: &Map<String, Value>) -> Result<(), Refusal> {
    let number = |name: &str| fields.get(name).and_then(Value::as_f64);
    for (name, most) in [("frequency", 1_000.0), ("frequency_schedule", 30.0)] {
        let Some(value) = number(name) else { continue };
        if !place.objective_is(&["REACH"]) {
            return Err(Refusal::parameter(format!(
                "{name} is only supported for objective_type REACH."
            )));
        }
        if !(1.0..=most).contains(&value) || value.fract() != 0.0 {
            return Err(Refusal::parameter(format!(
                "{name}: Must be between 1 and {most}."
            )));
        }
    }
    match (number("frequency"), number("frequency_schedule")) {
        (Some(_), None) => Err(missing("frequency_schedule")),
        (None, Some(_)) => Err(missing("frequency")),
        _ => Ok(()),
    }
}
