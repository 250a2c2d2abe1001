//! Whom an ad group is for: the same rules for the fields of a manual ad group and for `targeting_spec` of a Smart+ one.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::{
    super::{
        Sandbox,
        create::text,
        envelope::{MINORS_NOT_ALLOWED, Refusal},
        item::Tree,
        knobs,
        query::missing,
    },
    place::Place,
};

/// Most locations and postal codes together.
const MAX_LOCATIONS: usize = 3_000;
/// The United States.
const US: &str = "6252001";
/// The United Kingdom.
const UK: &str = "2635167";
/// The states of the US that the sandbox knows: California, Texas, Florida, New York.
const US_STATES: &[&str] = &["5332921", "4736286", "4155751", "5128638"];
/// Everybody of age.
const ADULTS: &[&str] = &[
    "AGE_18_24",
    "AGE_25_34",
    "AGE_35_44",
    "AGE_45_54",
    "AGE_55_100",
];

/// The texts of a list.
fn list<'a>(fields: &'a Map<String, Value>, name: &str) -> Vec<&'a str> {
    fields
        .get(name)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect()
}

/// Whether a list, a text or a number is there and not empty.
fn is_set(fields: &Map<String, Value>, name: &str) -> bool {
    match fields.get(name) {
        None | Some(Value::Null) => false,
        Some(Value::Array(list)) => !list.is_empty(),
        Some(Value::String(text)) => !text.is_empty(),
        Some(_) => true,
    }
}

fn is_us(location: &str) -> bool {
    location == US || US_STATES.contains(&location)
}

/// Whether some part of the US is targeted.
pub(super) fn targets_us(targeting: &Map<String, Value>) -> bool {
    list(targeting, "location_ids").into_iter().any(is_us)
}

/// Refuses two fields that exclude each other.
fn exclude(targeting: &Map<String, Value>, one: &str, other: &str) -> Result<(), Refusal> {
    if is_set(targeting, one) && is_set(targeting, other) {
        return Err(Refusal::parameter(format!(
            "{one} and {other} cannot be specified at the same time."
        )));
    }
    Ok(())
}

impl Sandbox {
    /// Checks targeting and settles what TikTok changes in silence. `sent` are the names that this very call carries.
    pub(super) fn settle_targeting(
        &self,
        place: &Place<'_>,
        targeting: &mut Map<String, Value>,
        sent: &BTreeSet<String>,
    ) -> Result<(), Refusal> {
        check_locations(targeting)?;
        settle_ages(targeting)?;
        for (one, other) in [
            ("interest_keyword_ids", "purchase_intention_keyword_ids"),
            ("device_model_ids", "device_price_ranges"),
            (
                "included_pangle_audience_package_ids",
                "excluded_pangle_audience_package_ids",
            ),
        ] {
            exclude(targeting, one, other)?;
        }
        check_actions(targeting)?;
        let excluded = list(targeting, "excluded_audience_ids");
        if let Some(id) = list(targeting, "audience_ids")
            .into_iter()
            .find(|id| excluded.contains(id))
        {
            return Err(Refusal::parameter(format!(
                "audience_ids and excluded_audience_ids cannot contain the same audience: {id}."
            )));
        }
        if is_set(targeting, "saved_audience_id") {
            let held = self
                .knobs
                .text(&knobs::SAVED_AUDIENCE_FIELDS, place.advertiser_id);
            for name in held
                .split(',')
                .map(str::trim)
                .filter(|name| sent.contains(*name))
            {
                exclude(targeting, "saved_audience_id", name)?;
            }
        }
        if is_set(targeting, "household_income") && !targets_us(targeting) {
            return Err(Refusal::parameter(
                "household_income is only supported for locations in the United States.",
            ));
        }
        check_systems(place, targeting)?;
        if sent.contains("device_price_ranges") {
            self.settle_device_price(place, targeting)?;
        }
        if place.tree == Tree::Manual {
            settle_ios14(place, targeting)?;
        }
        Ok(())
    }

    /// TikTok raises the upper bound of the device price by 50.
    fn settle_device_price(
        &self,
        place: &Place<'_>,
        targeting: &mut Map<String, Value>,
    ) -> Result<(), Refusal> {
        let Some(bounds) = targeting
            .get("device_price_ranges")
            .and_then(Value::as_array)
        else {
            return Ok(());
        };
        let bounds: Vec<i64> = bounds.iter().filter_map(Value::as_i64).collect();
        let (low, high) = match bounds[..] {
            [] => return Ok(()),
            [low, high] => (low, high),
            _ => {
                return Err(Refusal::parameter(
                    "device_price_ranges: Must have a lower and an upper bound.",
                ));
            }
        };
        if low < 0 || high > 10_000 || low > high || low % 50 != 0 || high % 50 != 0 {
            return Err(Refusal::parameter(
                "device_price_ranges: Must be multiples of 50 between 0 and 10000.",
            ));
        }
        let raised = self.knobs.is(
            &knobs::DEVICE_PRICE_UPPER_BOUND,
            place.advertiser_id,
            "raised",
        );
        // 10000 stands for 1000 and more.
        let high = if raised && high < 10_000 {
            high + 50
        } else {
            high
        };
        targeting.insert("device_price_ranges".into(), json!([low, high]));
        Ok(())
    }
}

fn check_locations(targeting: &Map<String, Value>) -> Result<(), Refusal> {
    let locations = list(targeting, "location_ids");
    let count = locations.len() + list(targeting, "zipcode_ids").len();
    if count == 0 {
        return Err(missing("location_ids"));
    }
    if count > MAX_LOCATIONS {
        return Err(Refusal::parameter(format!(
            "location_ids: The total number of location_ids and zipcode_ids must not exceed {MAX_LOCATIONS}."
        )));
    }
    let mut seen = BTreeSet::new();
    for id in &locations {
        if !seen.insert(*id) || (US_STATES.contains(id) && locations.contains(&US)) {
            return Err(Refusal::parameter(format!(
                "location_ids: The targeted locations overlap: {id}."
            )));
        }
    }
    Ok(())
}

/// Where 13 to 17 is not allowed (of the places TikTok names, the sandbox knows the US), nothing said means adults.
fn settle_ages(targeting: &mut Map<String, Value>) -> Result<(), Refusal> {
    let ages = list(targeting, "age_groups");
    let us = targets_us(targeting);
    if us && ages.contains(&"AGE_13_17") {
        return Err(Refusal::new(
            MINORS_NOT_ALLOWED,
            "age_groups: AGE_13_17 is not supported for locations in the United States.",
        ));
    }
    if ages.is_empty() {
        let all = if us { json!(ADULTS) } else { Value::Null };
        targeting.insert("age_groups".into(), all);
    }
    Ok(())
}

fn check_actions(targeting: &Map<String, Value>) -> Result<(), Refusal> {
    let actions = targeting.get("actions").and_then(Value::as_array);
    for (index, action) in actions.into_iter().flatten().enumerate() {
        // All four are needed, live.
        for name in [
            "action_scene",
            "action_period",
            "video_user_actions",
            "action_category_ids",
        ] {
            if action.get(name).is_none() {
                return Err(missing(&format!("actions.{index}.{name}")));
            }
        }
        let period = action.get("action_period").and_then(Value::as_i64);
        let right = match action.get("action_scene").and_then(Value::as_str) {
            // 0 is documented, and refused.
            Some("VIDEO_RELATED") => matches!(period, Some(7 | 15)),
            _ => period == Some(0),
        };
        if !right {
            return Err(Refusal::parameter(
                "Invalid time period set for behavior targeting.",
            ));
        }
    }
    Ok(())
}

fn check_systems(place: &Place<'_>, targeting: &Map<String, Value>) -> Result<(), Refusal> {
    let systems = list(targeting, "operating_systems");
    if systems.len() > 1 {
        return Err(Refusal::parameter(
            "operating_systems: Longer than maximum length 1.",
        ));
    }
    let promotes_app = place.objective_is(&["APP_PROMOTION"]) && place.tree == Tree::Manual;
    if promotes_app && systems.is_empty() {
        return Err(missing("operating_systems"));
    }
    Ok(())
}

/// App retargeting on iOS is always for all versions; a dedicated campaign's ad groups are for iOS 14 and later.
fn settle_ios14(place: &Place<'_>, targeting: &mut Map<String, Value>) -> Result<(), Refusal> {
    let ios = list(targeting, "operating_systems") == ["IOS"];
    let retargets = place.campaign.text("app_promotion_type") == "APP_RETARGETING";
    if retargets && ios {
        targeting.insert("ios14_targeting".into(), json!("ALL"));
        return Ok(());
    }
    let plus = text(targeting, "ios14_targeting") == "IOS14_PLUS";
    if plus != place.campaign.is_dedicated() {
        return Err(Refusal::parameter(
            "ios14_targeting: IOS14_PLUS is for the ad groups of Dedicated Campaigns, and required there.",
        ));
    }
    Ok(())
}

/// Rules of what is eaten in the UK, in force since 2026.
pub(super) fn check_food(fields: &Map<String, Value>) -> Result<(), Refusal> {
    let is = |name: &str| fields.get(name) == Some(&json!(true));
    if is("is_hfss") && list(fields, "location_ids").contains(&UK) && !is("is_lhf_compliance") {
        return Err(Refusal::parameter(
            "is_lhf_compliance: Must be true when is_hfss is true and the United Kingdom is targeted.",
        ));
    }
    Ok(())
}

/// What an update of targeting cannot do.
pub(super) fn check_targeting_update(
    old: &Map<String, Value>,
    new: &Map<String, Value>,
) -> Result<(), Refusal> {
    if targets_us(old) && !targets_us(new) {
        return Err(Refusal::parameter(
            "location_ids: Locations in the United States cannot be removed completely.",
        ));
    }
    if text(old, "ios14_targeting") == "IOS14_PLUS" && text(new, "ios14_targeting") != "IOS14_PLUS"
    {
        return Err(Refusal::parameter(
            "ios14_targeting: IOS14_PLUS cannot be changed.",
        ));
    }
    Ok(())
}
