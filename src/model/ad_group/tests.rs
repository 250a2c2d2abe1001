use proptest::prelude::*;
use serde_json::json;

use super::echo::{account, differences, leaves, now, parent, said, sayable, without, world};
use super::*;
use crate::model::facts::ParentObject;
use crate::model::object::Spec;

fn spec(more: Value) -> AdGroupSpec {
    let mut spec = json!({"campaignRef": {"name": "c"}});
    for (name, value) in more.as_object().unwrap() {
        spec[name] = value.clone();
    }
    serde_json::from_value(spec).unwrap()
}

/// Everything that an ad group can say; no ad group of TikTok's has it all.
fn everything() -> Value {
    json!({
        "promotion": {"type": "LeadGeneration", "target": "ExternalWebsite", "appId": "71"},
        "placement": {"mode": "Select", "placements": ["TikTok", "Pangle"], "tiktokSubplacements": ["InFeed"]},
        "targeting": {
            "locations": ["6252001", "2921044"], "zipCodes": ["81"], "ages": ["Age18To24", "Age55Plus"], "gender": "Female",
            "languages": ["en", "de"], "interestCategories": ["15"], "interestKeywords": ["16"],
            "purchaseIntentionKeywords": ["17"],
            "behaviors": [{"scene": "VideoRelated", "periodDays": 15, "videoActions": ["Liked", "Shared"],
                "categories": ["18"]}],
            "audiences": ["31"], "excludedAudiences": ["32"], "savedAudience": "33", "operatingSystem": "Ios",
            "minAndroidVersion": "10.0", "minIosVersion": "16.0", "ios14": "BelowIos14", "deviceModels": ["34"],
            "devicePrice": {"from": 100, "to": 850}, "networkTypes": ["Wifi", "5G"], "carriers": ["35"],
            "internetProviders": ["36"], "spendingPower": "High", "householdIncome": ["Top10"], "smartAudience": true,
            "smartInterestAndBehavior": true
        },
        "targetingMode": "Manual", "brandSafety": {"inventory": "Limited"},
        "interactions": {"comments": "Blocked", "downloads": "Blocked", "sharing": "Blocked"},
        "searchResults": true, "hfss": true, "lhfCompliance": true,
        "budget": {"mode": "Total", "amount": "500", "currency": "EUR"},
        "minBudget": {"amount": "20", "currency": "EUR"},
        "schedule": {"start": "2026-12-01T09:00:00+01:00", "end": "2026-12-24T00:00:00+01:00",
            "dayparting": [{"days": ["Monday"], "from": "09:00", "to": "17:30"}]},
        "optimization": {"goal": "Value", "billingEvent": "OCPM", "pixelId": "41", "event": "Shopping",
            "secondaryEvent": "ActivePay", "vboWindow": "ZeroDay"},
        "bid": {"strategy": "CostCap", "amount": "2.50", "currency": "EUR", "valueStrategy": "MinimumRoas", "roas": "1.5"},
        "pacing": "Fast", "frequency": {"impressions": 3, "days": 7},
        "attribution": {"click": "SevenDays", "view": "Disabled", "engagedView": "OneDay", "count": "Every"},
        "creativeMode": "SmartCreative"
    })
}

/// What stands instead where something cannot be left out. An amount without a strategy is refused by the schema.
fn other_words() -> Value {
    json!({
        "/bid/strategy": "LowestCost", "/promotion/type": "Game", "/placement/mode": "Automatic", "/brandSafety/inventory": "Standard",
        "/budget/mode": "Daily", "/budget/amount": "501", "/minBudget/amount": "21", "/optimization/goal": "Convert",
        "/optimization/billingEvent": "CPC", "/frequency/impressions": 4, "/frequency/days": 8,
        "/targeting/behaviors/0/scene": "CreatorRelated", "/targeting/behaviors/0/videoActions": ["Commented"],
        "/targeting/behaviors/0/categories": ["19"], "/targeting/devicePrice/from": 150, "/targeting/devicePrice/to": 900,
        "/schedule/dayparting/0/days": ["Tuesday"], "/schedule/dayparting/0/from": "09:30",
        "/schedule/dayparting/0/to": "18:00",
    })
}

#[test]
fn everything_that_can_be_said_is_asked_of_tiktok() {
    let all = everything();
    let mut places = leaves(&all);
    places.sort();
    assert_eq!(places, sayable::<AdGroupSpec>());
    let words = other_words();
    for place in places.iter().filter(|place| !place.ends_with("/currency")) {
        let mut less = without(&all, place);
        if let Some(word) = words.get(place.as_str()) {
            less = all.clone();
            *less.pointer_mut(place).unwrap() = word.clone();
        }
        let heard = Tree::ALL.iter().any(|tree| {
            wanted(&spec(less.clone()), &world(*tree)) != wanted(&spec(all.clone()), &world(*tree))
        });
        assert!(heard, "{place}");
    }
}

/// By TikTok's name: the path in the spec and the canonical value. The manual tree has neither a targeting mode nor a least
/// budget: the plan refuses what is said and is not there.
const MANUAL: &str = r#"{
    "promotion_type": ["promotion.type", "LEAD_GENERATION"],
    "promotion_target_type": ["promotion.target", "EXTERNAL_WEBSITE"],
    "app_id": ["promotion.appId", "71"],
    "placement_type": ["placement.mode", "PLACEMENT_TYPE_NORMAL"],
    "placements": ["placement.placements", ["PLACEMENT_PANGLE", "PLACEMENT_TIKTOK"]],
    "tiktok_subplacements": ["placement.tiktokSubplacements", ["IN_FEED"]],
    "location_ids": ["targeting.locations", ["2921044", "6252001"]],
    "zipcode_ids": ["targeting.zipCodes", ["81"]],
    "age_groups": ["targeting.ages", ["AGE_18_24", "AGE_55_100"]],
    "gender": ["targeting.gender", "GENDER_FEMALE"],
    "languages": ["targeting.languages", ["de", "en"]],
    "interest_category_ids": ["targeting.interestCategories", ["15"]],
    "interest_keyword_ids": ["targeting.interestKeywords", ["16"]],
    "purchase_intention_keyword_ids": ["targeting.purchaseIntentionKeywords", ["17"]],
    "actions": ["targeting.behaviors", [{"action_scene": "VIDEO_RELATED", "action_period": 15,
        "video_user_actions": ["LIKED", "SHARED"], "action_category_ids": ["18"]}]],
    "audience_ids": ["targeting.audiences", ["31"]],
    "excluded_audience_ids": ["targeting.excludedAudiences", ["32"]],
    "saved_audience_id": ["targeting.savedAudience", "33"],
    "operating_systems": ["targeting.operatingSystem", ["IOS"]],
    "min_android_version": ["targeting.minAndroidVersion", "10.0"],
    "min_ios_version": ["targeting.minIosVersion", "16.0"],
    "ios14_targeting": ["targeting.ios14", "IOS14_MINUS"],
    "device_model_ids": ["targeting.deviceModels", ["34"]],
    "device_price_ranges": ["targeting.devicePrice", [100, 850]],
    "network_types": ["targeting.networkTypes", ["5G", "WIFI"]],
    "carrier_ids": ["targeting.carriers", ["35"]],
    "isp_ids": ["targeting.internetProviders", ["36"]],
    "spending_power": ["targeting.spendingPower", "HIGH"],
    "household_income": ["targeting.householdIncome", ["TOP10"]],
    "smart_audience_enabled": ["targeting.smartAudience", true],
    "smart_interest_behavior_enabled": ["targeting.smartInterestAndBehavior", true],
    "targeting_optimization_mode": ["targetingMode", null],
    "brand_safety_type": ["brandSafety.inventory", "LIMITED_INVENTORY"],
    "comment_disabled": ["interactions.comments", true],
    "video_download_disabled": ["interactions.downloads", true],
    "share_disabled": ["interactions.sharing", true],
    "search_result_enabled": ["searchResults", true],
    "is_hfss": ["hfss", true],
    "is_lhf_compliance": ["lhfCompliance", true],
    "min_budget": ["minBudget.amount", null],
    "schedule_type": ["schedule.end", "SCHEDULE_START_END"],
    "schedule_start_time": ["schedule.start", "2026-12-01 08:00:00"],
    "schedule_end_time": ["schedule.end", "2026-12-23 23:00:00"],
    "dayparting": ["schedule.dayparting", "MONDAY"],
    "optimization_goal": ["optimization.goal", "VALUE"],
    "billing_event": ["optimization.billingEvent", "OCPM"],
    "pixel_id": ["optimization.pixelId", "41"],
    "optimization_event": ["optimization.event", "SHOPPING"],
    "secondary_optimization_event": ["optimization.secondaryEvent", "ACTIVE_PAY"],
    "vbo_window": ["optimization.vboWindow", "ZERO_DAY"],
    "bid_type": ["bid.strategy", "BID_TYPE_CUSTOM"],
    "conversion_bid_price": ["bid.amount", 250],
    "deep_bid_type": ["bid.valueStrategy", "VO_MIN_ROAS"],
    "roas_bid": ["bid.roas", "1.5"],
    "pacing": ["pacing", "PACING_MODE_FAST"],
    "frequency": ["frequency.impressions", 3],
    "frequency_schedule": ["frequency.days", 7],
    "click_attribution_window": ["attribution.click", "SEVEN_DAYS"],
    "view_attribution_window": ["attribution.view", "OFF"],
    "engaged_view_attribution_window": ["attribution.engagedView", "ONE_DAY"],
    "attribution_event_count": ["attribution.count", "EVERY"],
    "creative_material_mode": ["creativeMode", "SMART_CREATIVE"]
}"#;

#[test]
fn a_manual_ad_group_in_tiktoks_words() {
    let wanted = wanted(&spec(everything()), &world(Tree::Manual));
    assert_eq!(
        (wanted.budget_mode, wanted.budget),
        (Some("BUDGET_MODE_TOTAL"), Some(Cents(50000)))
    );
    let mut monday = "0".repeat(336);
    monday.replace_range(18..35, &"1".repeat(17));
    assert_eq!(
        said(&wanted),
        serde_json::from_str::<Value>(&MANUAL.replace("MONDAY", &monday)).unwrap()
    );
}

#[test]
fn a_smart_plus_ad_group_has_words_of_its_own() {
    let words = said(&wanted(&spec(everything()), &world(Tree::SmartPlus)));
    assert_eq!(
        words["targeting_optimization_mode"],
        json!(["targetingMode", "MANUAL"])
    );
    assert_eq!(words["min_budget"], json!(["minBudget.amount", 2000]));
    for (wire, path) in [
        ("brand_safety_type", "brandSafety.inventory"),
        ("search_result_enabled", "searchResults"),
        (
            "secondary_optimization_event",
            "optimization.secondaryEvent",
        ),
        ("frequency", "frequency.impressions"),
        ("creative_material_mode", "creativeMode"),
        ("ios14_targeting", "targeting.ios14"),
    ] {
        assert_eq!(words[wire], json!([path, null]), "{wire}");
    }
}

#[test]
fn r17_the_names_of_what_siblings_share_are_tiktoks() {
    let smart_plus = said(&wanted(&spec(everything()), &world(Tree::SmartPlus)));
    let by_click = json!({"optimization": {"goal": "Click", "billingEvent": "CPC"},
        "bid": {"strategy": "CostCap", "amount": "1"}});
    let by_click = said(&wanted(&spec(by_click), &world(Tree::SmartPlus)));
    for name in SHARED_SMART_PLUS {
        assert!(
            !smart_plus[name].is_null() || !by_click[name].is_null(),
            "{name}"
        );
    }
    for name in SHARED_CBO {
        assert!(!smart_plus[name].is_null(), "{name}");
    }
}

#[test]
fn a_bid_is_for_what_is_billed() {
    let price = |event: &str| {
        let bid = json!({"bid": {"strategy": "CostCap", "amount": "0.5"},
            "optimization": {"goal": "TrafficLandingPageView", "billingEvent": event}});
        let words = said(&wanted(&spec(bid), &world(Tree::Manual)));
        (
            words["bid_price"][1].clone(),
            words["conversion_bid_price"][1].clone(),
        )
    };
    assert_eq!(price("CPC"), (json!(50), Value::Null));
    assert_eq!(price("OCPM"), (Value::Null, json!(50)));
}

#[test]
fn r13_automatic_targeting_takes_people_as_hints_only_where_some_are_named() {
    let hints = |mode: &str, targeting: Value| {
        let spec = spec(json!({"targetingMode": mode, "targeting": targeting}));
        said(&wanted(&spec, &world(Tree::SmartPlus)))["suggestion_audience_enabled"][1].clone()
    };
    for people in [
        json!({"ages": ["Age25To34"]}),
        json!({"gender": "Male"}),
        json!({"audiences": ["1"]}),
        json!({"interestCategories": ["1"]}),
        json!({"interestKeywords": ["1"]}),
        json!({"purchaseIntentionKeywords": ["1"]}),
        json!({"behaviors": [{"scene": "HashtagRelated", "videoActions": ["ViewHashtag"], "categories": ["1"]}]}),
    ] {
        assert_eq!(hints("Automatic", people.clone()), json!(true), "{people}");
        assert_eq!(hints("Manual", people.clone()), Value::Null, "{people}");
    }
    for nobody in [
        json!({"locations": ["1"], "languages": ["en"], "excludedAudiences": ["1"]}),
        json!({"gender": "All", "ages": [], "audiences": []}),
    ] {
        assert_eq!(hints("Automatic", nobody.clone()), Value::Null, "{nobody}");
    }
}

fn schedule(schedule: Value, in_account_zone: bool) -> Vec<(&'static str, Value, bool)> {
    let account = account(in_account_zone);
    let world = World {
        account: Some(&account),
        ..world(Tree::Manual)
    };
    wanted(&spec(schedule), &world)
        .fields
        .into_iter()
        .map(|f| (f.wire, f.value, f.compared))
        .collect()
}

#[test]
fn r14_a_start_that_has_passed_or_is_near_is_sent_as_soon_as_tiktok_takes_it_and_never_compared() {
    let soon = ("schedule_start_time", json!("2026-11-23 12:16:00"), false);
    let always = ("schedule_type", json!("SCHEDULE_FROM_NOW"), false);
    assert_eq!(schedule(json!({}), false), [always.clone(), soon.clone()]);
    for start in [
        "2026-01-01T00:00:00Z",
        "2026-11-23T12:00:00Z",
        "2026-11-23T12:14:59Z",
    ] {
        let start = json!({"schedule": {"start": start}});
        assert_eq!(
            schedule(start.clone(), false),
            [always.clone(), soon.clone()],
            "{start}"
        );
    }
    let ahead = json!({"schedule": {"start": "2026-11-23T12:15:00Z"}});
    let exact = ("schedule_start_time", json!("2026-11-23 12:15:00"), true);
    assert_eq!(schedule(ahead, false), [always, exact]);
}

#[test]
fn r14_times_are_in_the_accounts_zone_where_tiktok_reads_them_so() {
    let ends = json!({"schedule": {"end": "2026-12-31T23:00:00Z"}});
    let type_of = ("schedule_type", json!("SCHEDULE_START_END"), true);
    let start = |time| ("schedule_start_time", json!(time), false);
    let end = |time| ("schedule_end_time", json!(time), true);
    assert_eq!(
        schedule(ends.clone(), false),
        [
            type_of.clone(),
            start("2026-11-23 12:16:00"),
            end("2026-12-31 23:00:00")
        ]
    );
    assert_eq!(
        schedule(ends, true),
        [
            type_of,
            start("2026-11-23 13:16:00"),
            end("2027-01-01 00:00:00")
        ]
    );
}

#[test]
fn r14_the_hours_of_a_week_begin_on_monday() {
    let part = |days: &[&str], from: &str, to: &str| json!({"days": days, "from": from, "to": to});
    let hours = |parts: Value| -> Vec<DayPart> { serde_json::from_value(parts).unwrap() };
    let on = |parts: Value| -> Vec<usize> {
        let text = half_hours(&hours(parts));
        assert_eq!(text.len(), 336);
        text.char_indices()
            .filter(|(_, c)| *c == '1')
            .map(|(at, _)| at)
            .collect()
    };
    assert_eq!(on(json!([part(&["Monday"], "00:00", "01:00")])), [0, 1]);
    assert_eq!(on(json!([part(&["Tuesday"], "00:30", "01:30")])), [49, 50]);
    assert_eq!(on(json!([part(&["Sunday"], "23:00", "24:00")])), [334, 335]);
    assert_eq!(
        on(json!([
            part(&["Wednesday", "Thursday"], "12:00", "12:30"),
            part(&["Wednesday"], "12:00", "13:00")
        ])),
        [120, 121, 168]
    );
    assert_eq!(
        on(json!([part(&["Friday", "Saturday"], "00:00", "24:00")])).len(),
        96
    );
}

fn refusal(more: Value, parent: &ParentObject) -> Option<(Reason, String)> {
    let account = account(false);
    let world = World {
        now: now(),
        tree: parent.tree,
        account: Some(&account),
        parent: Some(parent),
    };
    may_create(&spec(more), &world).err()
}

#[test]
fn budgets_stand_where_the_campaign_says() {
    let daily = json!({"budget": {"mode": "Daily", "amount": "50"}});
    let total = json!({"budget": {"mode": "Total", "amount": "50"}});
    let dynamic = json!({"budget": {"mode": "DynamicDaily", "amount": "50"}});
    let own = parent(Tree::Manual);
    let shared = ParentObject {
        budget_optimization: true,
        budget_mode: Some("BUDGET_MODE_DAY"),
        ..own.clone()
    };
    let capped = ParentObject {
        budget_mode: Some("BUDGET_MODE_DAY"),
        ..own.clone()
    };
    let whole = ParentObject {
        budget_mode: Some("BUDGET_MODE_TOTAL"),
        ..own.clone()
    };
    let smart_plus = parent(Tree::SmartPlus);
    let why = |more: &Value, parent: &ParentObject| {
        refusal(more.clone(), parent).map(|(reason, _)| reason)
    };
    for (more, parent, expected) in [
        (&daily, &own, None),
        (&total, &own, None),
        (&json!({}), &own, Some(Reason::BudgetMissing)),
        (&json!({}), &shared, None),
        (&daily, &shared, Some(Reason::BudgetOnCampaign)),
        (
            &json!({"pacing": "Fast"}),
            &shared,
            Some(Reason::BudgetOnCampaign),
        ),
        (&json!({"pacing": "Smooth"}), &shared, None),
        (&daily, &capped, None),
        (&total, &capped, Some(Reason::TreeMismatch)),
        (&total, &whole, None),
        (&dynamic, &smart_plus, None),
        (&total, &smart_plus, None),
        (&daily, &smart_plus, Some(Reason::TreeMismatch)),
    ] {
        assert_eq!(why(more, parent), expected, "{more} {parent:?}");
    }
}

#[test]
fn every_amount_says_its_currency() {
    let amount = |currency: &str| json!({"amount": "2", "currency": currency});
    let mut budget = amount("USD");
    budget["mode"] = json!("Daily");
    let all = json!({"budget": budget, "minBudget": amount("EUR"), "bid": amount("GBP")});
    let object = Spec::AdGroup(Box::new(spec(all)));
    let said: Vec<(&str, &str)> = object
        .currencies()
        .into_iter()
        .map(|(field, currency)| (field, currency.as_str()))
        .collect();
    assert_eq!(
        said,
        [("budget", "USD"), ("minBudget", "EUR"), ("bid", "GBP")]
    );
    let none = Spec::AdGroup(Box::new(spec(json!({"bid": {"strategy": "LowestCost"}}))));
    assert!(none.currencies().is_empty());
}

#[test]
fn r14_what_has_ended_is_not_made() {
    let own = parent(Tree::Manual);
    let until = |end: &str| {
        let more = json!({"budget": {"mode": "Daily", "amount": "50"}, "schedule": {"end": end}});
        refusal(more, &own).map(|(reason, _)| reason)
    };
    assert_eq!(until("2026-11-23T11:59:59Z"), Some(Reason::ScheduleEnded));
    assert_eq!(until("2026-11-23T12:15:00Z"), Some(Reason::ScheduleEnded));
    assert_eq!(until("2026-11-23T12:15:01Z"), None);
}

#[test]
fn a_fast_smart_plus_ad_group_is_made_slow_and_changed_at_once() {
    let fast = spec(json!({"pacing": "Fast"}));
    let said = wanted(&fast, &world(Tree::SmartPlus));
    let diff = differences(Spec::AdGroup(Box::new(fast)), &said, Tree::SmartPlus);
    let changed: Vec<_> = diff.changes.fields.iter().collect();
    assert_eq!(changed, [(&"pacing", &json!("PACING_MODE_FAST"))]);
}

proptest! {
    #[test]
    fn what_any_part_of_a_spec_asks_for_is_what_tiktok_then_shows(
        left_out in proptest::collection::vec(any::<bool>(), 80),
        automatic in any::<bool>(),
        smart_plus in any::<bool>(),
    ) {
        let tree = if smart_plus { Tree::SmartPlus } else { Tree::Manual };
        let mut value = everything();
        // Only updates take it there.
        if smart_plus {
            value = without(&value, "/pacing");
        }
        if automatic {
            value["targetingMode"] = json!("Automatic");
        }
        for (place, out) in leaves(&everything()).iter().zip(left_out) {
            // What cannot be left out stays.
            if out && other_words().get(place).is_none() {
                value = without(&value, place);
            }
        }
        let spec = spec(value);
        let said = wanted(&spec, &world(tree));
        let diff = differences(Spec::AdGroup(Box::new(spec)), &said, tree);
        prop_assert_eq!(diff.differences, vec![]);
    }
}
