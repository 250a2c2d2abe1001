//! What users write: campaigns, ad groups and ads of both trees.

use serde_json::{Value, json};

/// Who has the money of a tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Money {
    /// The campaign spreads its budget over its ad groups, which have none.
    Spread,
    /// The campaign has a budget, and each ad group one within it.
    Both,
    /// Only the ad groups have budgets.
    Below,
}

fn with_state(mut spec: Value, state: Option<&str>) -> Value {
    if let Some(state) = state {
        spec["state"] = state.into();
    }
    spec
}

/// A campaign of the manual tree, 50 a day.
pub fn manual(state: Option<&str>) -> Value {
    campaign("Manual", Money::Both, state)
}

/// A campaign of the Smart+ tree, 50 a day.
pub fn smart_plus(state: Option<&str>) -> Value {
    campaign("SmartPlus", Money::Spread, state)
}

/// A campaign of a tree (`Manual`, `SmartPlus`), 50 a day if it has a budget.
pub fn campaign(tree: &str, money: Money, state: Option<&str>) -> Value {
    let mut spec = json!({
        "connectionRef": {"name": "main"},
        "automation": tree,
    });
    if tree == "SmartPlus" {
        spec["objective"] = "WebConversions".into();
        spec["salesDestination"] = "Website".into();
    } else {
        spec["objective"] = "Traffic".into();
    }
    match money {
        Money::Spread => {
            spec["budgetOptimization"] = true.into();
            spec["budget"] = json!({"mode": "DynamicDaily", "amount": "50"});
        }
        Money::Both if tree == "Manual" => {
            spec["budget"] = json!({"mode": "Daily", "amount": "50"});
        }
        Money::Below if tree == "Manual" => spec["budget"] = json!({"mode": "Infinite"}),
        // Smart+ has a campaign budget only where it is spread, and knows no word for none.
        Money::Both | Money::Below => {}
    }
    with_state(spec, state)
}

/// An ad group, 30 a day if it has a budget.
pub fn ad_group(campaign: &str, tree: &str, money: Money, state: Option<&str>) -> Value {
    let mut spec = json!({
        "campaignRef": {"name": campaign},
        "promotion": {"type": "Website"},
        "targeting": {"locations": ["6252001"]},
    });
    if tree == "SmartPlus" {
        spec["optimization"] = json!({
            "goal": "Convert", "billingEvent": "OCPM", "pixelId": "7100000000000000001", "event": "Shopping",
        });
        spec["bid"] = json!({"strategy": "CostCap", "amount": "5"});
    } else {
        spec["placement"] = json!({"mode": "Select", "placements": ["TikTok"]});
        spec["optimization"] = json!({"goal": "Click", "billingEvent": "CPC"});
        spec["bid"] = json!({"strategy": "LowestCost"});
    }
    if money != Money::Spread {
        let mode = if tree == "SmartPlus" {
            "DynamicDaily"
        } else {
            "Daily"
        };
        spec["budget"] = json!({"mode": mode, "amount": "30"});
    }
    with_state(spec, state)
}

/// An ad with one video.
pub fn ad(ad_group: &str, tree: &str, state: Option<&str>) -> Value {
    let video = json!({
        "id": "v10033g50000c90q1d3c77ub6e96fvo0", "coverImageId": "ad-site-i18n-sg/202110195d0db51e",
    });
    let mut spec = json!({
        "adGroupRef": {"name": ad_group},
        "identity": {"type": "TikTokUser", "id": "7100000000000000009"},
        "landingPage": {"url": "https://shop.example/spring"},
    });
    if tree == "SmartPlus" {
        spec["creatives"] = json!([{"format": "SingleVideo", "video": video}]);
        spec["texts"] = json!(["Spring is here"]);
        // TikTok takes no list of them for posts of an account.
        spec["callToActionId"] = "7100000000000000011".into();
    } else {
        spec["creative"] = json!({"format": "SingleVideo", "video": video});
        spec["text"] = "Spring is here".into();
        spec["callToAction"] = "LearnMore".into();
    }
    with_state(spec, state)
}
