//! Ad groups: their spec in TikTok's words (reference 4.1, 5.6).

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::reason::Reason;
use super::schedule;
use super::tiktok_names::TikTokName;
use super::wanted::{Group, Says, Wanted, World};
use crate::api::ad_group::{
    AdGroupBudgetMode, AdGroupSpec, BillingEvent, DayPart, Gender, Moment, Pacing, Targeting,
    TargetingMode, Weekday,
};
use crate::api::common::Permission;
use crate::platform::{Cents, Kind, Tree};

/// R17: what TikTok keeps once for all ad groups of a Smart+ campaign.
pub const SHARED_SMART_PLUS: &[&str] = &["bid_price", "conversion_bid_price", "roas_bid"];
/// R17: what all ad groups of a campaign with budget optimisation have of the first.
pub const SHARED_CBO: &[&str] = &["bid_type", "optimization_goal", "optimization_event"];

/// R14: a start has to lie this far ahead when it is sent.
const LEAD: SignedDuration = SignedDuration::from_mins(15);

/// What an ad group's spec asks of the platform.
pub fn wanted(spec: &AdGroupSpec, world: &World) -> Wanted {
    let mut says = Says::new(Kind::AdGroup, world.tree);
    let (fixed, settings) = (Group::Fixed, Group::Settings);
    if let Some(promotion) = &spec.promotion {
        says.say(
            "promotion.type",
            "promotion_type",
            word(Some(promotion.kind)),
            fixed,
        );
        says.say(
            "promotion.target",
            "promotion_target_type",
            word(promotion.target),
            fixed,
        );
        says.say("promotion.appId", "app_id", text(&promotion.app_id), fixed);
    }
    if let Some(placement) = &spec.placement {
        says.say(
            "placement.mode",
            "placement_type",
            word(Some(placement.mode)),
            fixed,
        );
        says.say(
            "placement.placements",
            "placements",
            words(&placement.placements),
            fixed,
        );
        says.say(
            "placement.tiktokSubplacements",
            "tiktok_subplacements",
            words(&placement.tiktok_subplacements),
            fixed,
        );
    }
    if let Some(targeting) = &spec.targeting {
        target(&mut says, targeting);
    }
    says.say(
        "targetingMode",
        "targeting_optimization_mode",
        word(spec.targeting_mode),
        Group::Targeting,
    );
    if takes_hints(spec) {
        says.say(
            "targetingMode",
            "suggestion_audience_enabled",
            Some(json!(true)),
            Group::Targeting,
        );
    }
    says.say(
        "brandSafety.inventory",
        "brand_safety_type",
        word(spec.brand_safety.as_ref().map(|b| b.inventory)),
        settings,
    );
    if let Some(people) = &spec.interactions {
        says.say(
            "interactions.comments",
            "comment_disabled",
            blocked(people.comments),
            settings,
        );
        says.say(
            "interactions.downloads",
            "video_download_disabled",
            blocked(people.downloads),
            fixed,
        );
        says.say(
            "interactions.sharing",
            "share_disabled",
            blocked(people.sharing),
            settings,
        );
    }
    says.say(
        "searchResults",
        "search_result_enabled",
        spec.search_results.map(Value::from),
        settings,
    );
    says.say("hfss", "is_hfss", spec.hfss.map(Value::from), settings);
    says.say(
        "lhfCompliance",
        "is_lhf_compliance",
        spec.lhf_compliance.map(Value::from),
        settings,
    );
    says.say(
        "minBudget.amount",
        "min_budget",
        spec.min_budget
            .as_ref()
            .and_then(|b| money(b.amount.cents())),
        Group::Budget,
    );
    when(&mut says, spec, world);
    optimise(&mut says, spec);
    says.say("pacing", "pacing", word(spec.pacing), Group::Schedule);
    if let Some(frequency) = &spec.frequency {
        says.say(
            "frequency.impressions",
            "frequency",
            Some(json!(frequency.impressions)),
            settings,
        );
        says.say(
            "frequency.days",
            "frequency_schedule",
            Some(json!(frequency.days)),
            settings,
        );
    }
    if let Some(window) = &spec.attribution {
        says.say(
            "attribution.click",
            "click_attribution_window",
            word(window.click),
            fixed,
        );
        says.say(
            "attribution.view",
            "view_attribution_window",
            word(window.view),
            fixed,
        );
        says.say(
            "attribution.engagedView",
            "engaged_view_attribution_window",
            word(window.engaged_view),
            fixed,
        );
        says.say(
            "attribution.count",
            "attribution_event_count",
            word(window.count),
            fixed,
        );
    }
    says.say(
        "creativeMode",
        "creative_material_mode",
        word(spec.creative_mode),
        fixed,
    );
    Wanted {
        budget_mode: spec.budget.as_ref().map(|b| b.mode.tiktok()),
        budget: spec
            .budget
            .as_ref()
            .and_then(|b| b.amount.cents())
            .map(Cents),
        fields: says.fields,
    }
}

/// What speaks against creating it.
pub fn may_create(spec: &AdGroupSpec, world: &World) -> Result<(), (Reason, String)> {
    let end = spec.schedule.as_ref().and_then(|s| instant(&s.end));
    if let Some(end) = end.filter(|end| *end <= world.now + LEAD) {
        return Err((
            Reason::ScheduleEnded,
            format!(
                "spec.schedule.end ({end}) has passed, or is less than 15 minutes ahead, so nothing is created; set a later end, or remove it"
            ),
        ));
    }
    let timed = spec
        .schedule
        .as_ref()
        .is_some_and(|s| s.start.is_some() || s.end.is_some());
    if let Some(account) = world.account.filter(|a| timed && schedule::is_unknown(a)) {
        return Err((
            Reason::ScheduleShifted,
            format!(
                "times are to be sent in the account's zone (spec.scheduleZone of the connection), but its zone {:?} is not \
                 known here, so nothing is created; set scheduleZone: Utc, or remove spec.schedule.start and end",
                account.timezone
            ),
        ));
    }
    let daily = spec.budget.as_ref().map(|b| b.mode) == Some(AdGroupBudgetMode::Daily);
    if daily && world.tree == Tree::SmartPlus {
        return Err((
            Reason::TreeMismatch,
            "its campaign is SmartPlus, where TikTok takes no ad group with a budget of mode Daily; use mode DynamicDaily, or Total with an end".into(),
        ));
    }
    let Some(parent) = world.parent else {
        return Ok(());
    };
    if parent.budget_optimization && spec.pacing == Some(Pacing::Fast) {
        return Err((
            Reason::BudgetOnCampaign,
            "the campaign's budgetOptimization is on, under which TikTok spends smoothly whatever pacing says; remove spec.pacing here, or use a campaign without budgetOptimization".into(),
        ));
    }
    match (&spec.budget, parent.budget_optimization) {
        (Some(_), true) => Err((
            Reason::BudgetOnCampaign,
            "the campaign's budgetOptimization is on, so its budget is the one that counts; remove spec.budget here, or use a campaign without budgetOptimization".into(),
        )),
        (None, false) => Err((
            Reason::BudgetMissing,
            "the ad group needs a budget of its own, because the campaign's budgetOptimization is off; add spec.budget, such as {mode: Daily, amount: \"50\"}".into(),
        )),
        (Some(budget), false)
            if budget.mode == AdGroupBudgetMode::Total
                && parent.budget_mode == Some("BUDGET_MODE_DAY") =>
        {
            Err((
                Reason::TreeMismatch,
                "the campaign has a daily budget, in which TikTok takes no ad group with mode Total; use mode Daily here, or a campaign without a daily budget".into(),
            ))
        }
        _ => Ok(()),
    }
}

/// With automatic targeting TikTok passes over what describes people unless it is told to take that as a hint.
fn takes_hints(spec: &AdGroupSpec) -> bool {
    fn some<T>(list: &Option<Vec<T>>) -> bool {
        list.as_ref().is_some_and(|list| !list.is_empty())
    }
    spec.targeting_mode == Some(TargetingMode::Automatic)
        && spec.targeting.as_ref().is_some_and(|t| {
            some(&t.ages)
                || t.gender.is_some_and(|gender| gender != Gender::All)
                || some(&t.audiences)
                || some(&t.interest_categories)
                || some(&t.interest_keywords)
                || some(&t.purchase_intention_keywords)
                || some(&t.behaviors)
        })
}

fn target(says: &mut Says, t: &Targeting) {
    let mut say = |path: &'static str, wire: &'static str, value: Option<Value>| {
        says.say(path, wire, value, Group::Targeting);
    };
    say("targeting.locations", "location_ids", list(&t.locations));
    say("targeting.zipCodes", "zipcode_ids", list(&t.zip_codes));
    say("targeting.ages", "age_groups", words(&t.ages));
    say("targeting.gender", "gender", word(t.gender));
    say("targeting.languages", "languages", list(&t.languages));
    say(
        "targeting.interestCategories",
        "interest_category_ids",
        list(&t.interest_categories),
    );
    say(
        "targeting.interestKeywords",
        "interest_keyword_ids",
        list(&t.interest_keywords),
    );
    say(
        "targeting.purchaseIntentionKeywords",
        "purchase_intention_keyword_ids",
        list(&t.purchase_intention_keywords),
    );
    let behaviors = t.behaviors.as_ref().map(|all| {
        let actions: Vec<Value> = all
            .iter()
            .map(|b| {
                let done: Vec<&str> = b.video_actions.iter().map(|a| a.tiktok()).collect();
                json!({
                    "action_scene": b.scene.tiktok(),
                    "action_period": b.period_days.unwrap_or(0),
                    "video_user_actions": done,
                    "action_category_ids": b.categories,
                })
            })
            .collect();
        json!(actions)
    });
    say("targeting.behaviors", "actions", behaviors);
    say("targeting.audiences", "audience_ids", list(&t.audiences));
    say(
        "targeting.excludedAudiences",
        "excluded_audience_ids",
        list(&t.excluded_audiences),
    );
    say(
        "targeting.savedAudience",
        "saved_audience_id",
        text(&t.saved_audience),
    );
    let system = t.operating_system.map(|o| json!([o.tiktok()]));
    say("targeting.operatingSystem", "operating_systems", system);
    say(
        "targeting.minAndroidVersion",
        "min_android_version",
        text(&t.min_android_version),
    );
    say(
        "targeting.minIosVersion",
        "min_ios_version",
        text(&t.min_ios_version),
    );
    say("targeting.ios14", "ios14_targeting", word(t.ios14));
    say(
        "targeting.deviceModels",
        "device_model_ids",
        list(&t.device_models),
    );
    let price = t.device_price.as_ref().map(|p| json!([p.from, p.to]));
    say("targeting.devicePrice", "device_price_ranges", price);
    say(
        "targeting.networkTypes",
        "network_types",
        words(&t.network_types),
    );
    say("targeting.carriers", "carrier_ids", list(&t.carriers));
    say(
        "targeting.internetProviders",
        "isp_ids",
        list(&t.internet_providers),
    );
    say(
        "targeting.spendingPower",
        "spending_power",
        word(t.spending_power),
    );
    say(
        "targeting.householdIncome",
        "household_income",
        words(&t.household_income),
    );
    say(
        "targeting.smartAudience",
        "smart_audience_enabled",
        t.smart_audience.map(Value::from),
    );
    say(
        "targeting.smartInterestAndBehavior",
        "smart_interest_behavior_enabled",
        t.smart_interest_and_behavior.map(Value::from),
    );
}

/// R14. TikTok wants a start and a type in every create, whether the spec says them or not; what it does not say is not
/// compared. A start that has passed is sent as soon as TikTok takes it, and is no difference afterwards.
fn when(says: &mut Says, spec: &AdGroupSpec, world: &World) {
    let group = Group::Schedule;
    let start = spec.schedule.as_ref().and_then(|s| instant(&s.start));
    let end = spec.schedule.as_ref().and_then(|s| instant(&s.end));
    let soonest = world.now + LEAD;
    let time = |at: Timestamp| json!(schedule::write(at, world.account));
    let kind = if end.is_some() {
        "SCHEDULE_START_END"
    } else {
        "SCHEDULE_FROM_NOW"
    };
    match spec.schedule {
        Some(_) if end.is_some() => {
            says.say("schedule.end", "schedule_type", Some(json!(kind)), group)
        }
        _ => says.say_once("schedule", "schedule_type", json!(kind), group),
    }
    match start.filter(|start| *start >= soonest) {
        Some(start) => says.say(
            "schedule.start",
            "schedule_start_time",
            Some(time(start)),
            group,
        ),
        // Whole minutes: what is announced is what is sent.
        None => {
            let minute = soonest.as_second().div_euclid(60) * 60 + 60;
            let at = Timestamp::from_second(minute).unwrap_or(soonest);
            says.say_once("schedule.start", "schedule_start_time", time(at), group);
        }
    }
    says.say("schedule.end", "schedule_end_time", end.map(time), group);
    let parts = spec.schedule.as_ref().and_then(|s| s.dayparting.as_ref());
    says.say(
        "schedule.dayparting",
        "dayparting",
        parts.map(|p| json!(half_hours(p))),
        group,
    );
}

fn optimise(says: &mut Says, spec: &AdGroupSpec) {
    let fixed = Group::Fixed;
    let mut bids_on_conversions = false;
    if let Some(o) = &spec.optimization {
        bids_on_conversions = o.billing_event == BillingEvent::Ocpm;
        says.say(
            "optimization.goal",
            "optimization_goal",
            word(Some(o.goal)),
            fixed,
        );
        says.say(
            "optimization.billingEvent",
            "billing_event",
            word(Some(o.billing_event)),
            fixed,
        );
        says.say("optimization.pixelId", "pixel_id", text(&o.pixel_id), fixed);
        says.say(
            "optimization.event",
            "optimization_event",
            word(o.event),
            fixed,
        );
        says.say(
            "optimization.secondaryEvent",
            "secondary_optimization_event",
            word(o.secondary_event),
            Group::Settings,
        );
        says.say(
            "optimization.vboWindow",
            "vbo_window",
            word(o.vbo_window),
            fixed,
        );
    }
    if let Some(bid) = &spec.bid {
        let group = Group::Bid;
        // What is billed by conversions is bid on conversions (reference 4.1).
        let price = if bids_on_conversions {
            "conversion_bid_price"
        } else {
            "bid_price"
        };
        says.say("bid.strategy", "bid_type", word(bid.strategy), group);
        says.say(
            "bid.amount",
            price,
            bid.amount.as_ref().and_then(|a| money(a.cents())),
            group,
        );
        says.say(
            "bid.valueStrategy",
            "deep_bid_type",
            word(bid.value_strategy),
            group,
        );
        says.say(
            "bid.roas",
            "roas_bid",
            bid.roas.as_ref().map(|r| json!(r.as_str())),
            group,
        );
    }
}

/// 48 half hours for each day, Monday first.
fn half_hours(parts: &[DayPart]) -> String {
    let mut on = [false; 336];
    let half_hour = |text: &str| -> Option<usize> {
        let (hour, minute) = text.split_once(':')?;
        Some(hour.parse::<usize>().ok()? * 2 + usize::from(minute == "30"))
    };
    for part in parts {
        let (Some(from), Some(to)) = (half_hour(&part.from), half_hour(&part.to)) else {
            continue;
        };
        for day in &part.days {
            let first = 48
                * match day {
                    Weekday::Monday => 0,
                    Weekday::Tuesday => 1,
                    Weekday::Wednesday => 2,
                    Weekday::Thursday => 3,
                    Weekday::Friday => 4,
                    Weekday::Saturday => 5,
                    Weekday::Sunday => 6,
                };
            for slot in from.min(48)..to.min(48) {
                on[first + slot] = true;
            }
        }
    }
    on.iter().map(|on| if *on { '1' } else { '0' }).collect()
}

fn instant(moment: &Option<Moment>) -> Option<Timestamp> {
    moment.as_ref().and_then(Moment::instant)
}

fn word<T: TikTokName>(value: Option<T>) -> Option<Value> {
    value.map(|v| json!(v.tiktok()))
}

fn words<T: TikTokName + Copy>(values: &Option<Vec<T>>) -> Option<Value> {
    let values = values.as_ref()?;
    Some(json!(values.iter().map(|v| v.tiktok()).collect::<Vec<_>>()))
}

fn list(values: &Option<Vec<String>>) -> Option<Value> {
    values.as_ref().map(|v| json!(v))
}

fn text(value: &Option<String>) -> Option<Value> {
    value.as_ref().map(|v| json!(v))
}

fn money(cents: Option<i64>) -> Option<Value> {
    cents.map(|c| json!(Cents(c)))
}

fn blocked(permission: Option<Permission>) -> Option<Value> {
    permission.map(|p| json!(p == Permission::Blocked))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(in crate::model) mod echo;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
