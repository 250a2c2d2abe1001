//! The body of a create call, with every field that spends, widens or publishes said out loud (R13).

use serde_json::{Map, Value, json};

use super::call::{NewCampaign, OperationStatus, Tree};

/// One field whose default at TikTok would spend, widen or publish.
struct CarefulField {
    name: &'static str,
    /// What is sent for this campaign; `None` where TikTok's contract has no such field, or where leaving it out *is*
    /// the careful value.
    value: fn(Tree, &NewCampaign) -> Option<Value>,
    /// Why the value is the careful one.
    #[cfg_attr(
        not(test),
        expect(
            dead_code,
            reason = "read by people and by the test that prints the table"
        )
    )]
    why: &'static str,
}

/// R13's table for campaigns.
const CAREFUL_FIELDS: &[CarefulField] = &[
    CarefulField {
        name: "operation_status",
        value: |_, _| Some(json!(OperationStatus::Disable.wire())),
        why: "TikTok's default is ENABLE in both trees: leaving it out starts spending",
    },
    CarefulField {
        name: "budget_optimize_on",
        value: |_, campaign| Some(json!(campaign.budget_optimize_on)),
        why: "the default is false in the manual tree and true in the Smart+ tree, and it cannot be changed later",
    },
    CarefulField {
        name: "is_advanced_dedicated_campaign",
        // The default is true in the Smart+ tree. TikTok takes the field for iOS 14 dedicated campaigns only.
        value: |tree, campaign| {
            (tree == Tree::SmartPlus && is_ios14(campaign)).then(|| json!(false))
        },
        why: "an advanced dedicated campaign is something the user has to ask for; it cannot be changed later",
    },
    CarefulField {
        name: "budget_auto_adjust_strategy",
        // The only value a create takes is AUTO_BUDGET_INCREASE; TikTok's text: "To disable the setting: Not specified".
        value: |_, _| None,
        why: "automatic budget increase raises the budget by 20 % up to ten times a day; it is off when not sent",
    },
    CarefulField {
        name: "rta_bid_enabled",
        value: |_, _| None,
        why: "bids of an outside system; off when not sent, and refused for accounts that are not on the allowlist",
    },
];

fn is_ios14(campaign: &NewCampaign) -> bool {
    campaign.campaign_type.as_deref() == Some("IOS14_CAMPAIGN")
}

/// The JSON body of `POST …/campaign/create/`.
pub(super) fn create_body(advertiser: &str, tree: Tree, campaign: &NewCampaign) -> Value {
    let mut body = Map::new();
    let mut put = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            body.insert(name.to_owned(), value);
        }
    };
    let text = |value: &Option<String>| value.as_ref().map(|value| json!(value));

    put("advertiser_id", Some(json!(advertiser)));
    put("campaign_name", Some(json!(campaign.name)));
    put("request_id", Some(json!(campaign.request_id)));
    put("objective_type", Some(json!(campaign.objective)));
    put("budget_mode", text(&campaign.budget_mode));
    put("budget", campaign.budget.map(|budget| json!(budget)));
    put("campaign_type", text(&campaign.campaign_type));
    put("app_promotion_type", text(&campaign.app_promotion_type));
    put("app_id", text(&campaign.app_id));
    put(
        "special_industries",
        (!campaign.special_industries.is_empty()).then(|| json!(campaign.special_industries)),
    );
    put("sales_destination", text(&campaign.sales_destination));
    put(
        "catalog_enabled",
        campaign.catalog_enabled.map(|enabled| json!(enabled)),
    );
    if tree == Tree::SmartPlus {
        put("catalog_type", text(&campaign.catalog_type));
    }
    put("po_number", text(&campaign.po_number));
    for field in CAREFUL_FIELDS {
        put(field.name, (field.value)(tree, campaign));
    }
    Value::Object(body)
}
