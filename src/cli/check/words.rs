//! What people write for a word of ours: TikTok's constants, and what other tools call it.

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::suggest::plain;
use crate::api::ad::{
    AdFormat, AigcDisclosure, CallToAction, DeeplinkFallback, DeeplinkFormat, DeeplinkType,
    IdentityType, MeasurementPartner, TikTokPageCategory,
};
use crate::api::ad_group::{
    AdGroupBudgetMode, AgeGroup, AttributionCount, AttributionWindow, BehaviorScene, BidStrategy,
    BillingEvent, CreativeMode, Gender, HouseholdIncome, Inventory, Ios14Targeting, NetworkType,
    OperatingSystem, OptimizationEvent, OptimizationGoal, Pacing, PlacementMode, PlacementName,
    PromotionTarget, PromotionType, SpendingPower, TargetingMode, TikTokSubplacement,
    ValueStrategy, VboWindow, VideoAction,
};
use crate::api::campaign::{
    AppPromotionType, BudgetMode, CampaignType, CatalogType, Objective, PostbackWindowMode,
    SalesDestination, SpecialIndustry,
};
use crate::model::tiktok_names::TikTokName;

/// What is meant, and by which words.
const SYNONYMS: &[(&str, &[&str])] = &[
    (
        "Active",
        &["running", "run", "enabled", "enable", "on", "live", "start"],
    ),
    (
        "Paused",
        &[
            "off", "disabled", "disable", "pause", "stopped", "stop", "inactive",
        ],
    ),
    ("Total", &["lifetime", "lifetimebudget"]),
    ("Daily", &["day", "perday", "dailybudget"]),
    ("Infinite", &["none", "unlimited", "nolimit"]),
    ("LowestCost", &["nobid", "maximumdelivery", "maxdelivery"]),
];

/// TikTok's constant for a word of one of our types; `None`: the type has no such word.
fn constant<T: DeserializeOwned + TikTokName>(name: &str) -> Option<&'static str> {
    let word: Result<T, _> = serde_json::from_value(Value::from(name));
    word.ok().map(T::tiktok)
}

macro_rules! constants {
    ($($of:ty),+ $(,)?) => { &[$(constant::<$of>),+] };
}

/// One for each type that has words of TikTok's.
const CONSTANTS: &[fn(&str) -> Option<&'static str>] = constants![
    Objective,
    BudgetMode,
    CampaignType,
    AppPromotionType,
    SpecialIndustry,
    PostbackWindowMode,
    SalesDestination,
    CatalogType,
    AdFormat,
    IdentityType,
    AigcDisclosure,
    DeeplinkType,
    DeeplinkFormat,
    DeeplinkFallback,
    TikTokPageCategory,
    MeasurementPartner,
    CallToAction,
    PromotionType,
    PromotionTarget,
    PlacementMode,
    PlacementName,
    TikTokSubplacement,
    TargetingMode,
    Inventory,
    CreativeMode,
    AdGroupBudgetMode,
    OptimizationGoal,
    BillingEvent,
    OptimizationEvent,
    VboWindow,
    BidStrategy,
    ValueStrategy,
    Pacing,
    AttributionWindow,
    AttributionCount,
    AgeGroup,
    Gender,
    BehaviorScene,
    VideoAction,
    OperatingSystem,
    Ios14Targeting,
    NetworkType,
    SpendingPower,
    HouseholdIncome,
];

/// The one of `names` that another word for it means.
pub(super) fn known_by_another_word<'a>(names: &[&'a str], written: &str) -> Option<&'a str> {
    let wanted = plain(written);
    let synonym = |name: &&&str| {
        let words = SYNONYMS.iter().find(|(ours, _)| *ours == **name);
        words.is_some_and(|(_, words)| words.iter().any(|word| plain(word) == wanted))
    };
    let in_type = |of: &fn(&str) -> Option<&'static str>| {
        let words: Option<Vec<_>> = names.iter().map(|name| of(name)).collect();
        let at = words?.iter().position(|word| plain(word) == wanted)?;
        names.get(at).copied()
    };
    names
        .iter()
        .find(synonym)
        .copied()
        .or_else(|| CONSTANTS.iter().find_map(in_type))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_words_for_ours_are_known() {
        let state = ["Active", "Paused"];
        let budget = ["Infinite", "Total", "Daily", "DynamicDaily"];
        for (names, written, meant) in [
            (&state[..], "Running", Some("Active")),
            (&state, "Enabled", Some("Active")),
            (&state, "On", Some("Active")),
            (&state, "OFF", Some("Paused")),
            (&state, "ENABLE", Some("Active")),
            (&state, "DISABLE", Some("Paused")),
            (&state, "Deleted", None),
            (&budget, "Lifetime", Some("Total")),
            (&budget, "BUDGET_MODE_TOTAL", Some("Total")),
            (&budget, "BUDGET_MODE_DAY", Some("Daily")),
            (
                &budget,
                "BUDGET_MODE_DYNAMIC_DAILY_BUDGET",
                Some("DynamicDaily"),
            ),
            (
                &["LowestCost", "CostCap"],
                "BID_TYPE_NO_BID",
                Some("LowestCost"),
            ),
            (&["Female", "Male", "All"], "GENDER_FEMALE", Some("Female")),
        ] {
            assert_eq!(known_by_another_word(names, written), meant, "{written}");
        }
    }
}
