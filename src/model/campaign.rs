//! Campaigns: their spec in TikTok's words.

use serde_json::{Value, json};

use super::tiktok_names::TikTokName;
use super::wanted::{Group, Wanted, WantedField};
use crate::api::campaign::CampaignSpec;
use crate::platform::Cents;

/// What a campaign's spec asks of the platform (R13: the careful defaults are the encoder's).
pub fn wanted(spec: &CampaignSpec) -> Wanted {
    let mut fields = Vec::new();
    let mut say = |path: &'static str, wire: &'static str, value: Option<Value>, group: Group| {
        fields.extend(value.map(|value| WantedField::new(path, wire, value, group)));
    };
    fn word<T: TikTokName>(value: Option<T>) -> Option<Value> {
        value.map(|v| json!(v.tiktok()))
    }
    let fixed = Group::Fixed;
    say(
        "objective",
        "objective_type",
        word(Some(spec.objective)),
        fixed,
    );
    say(
        "budgetOptimization",
        "budget_optimize_on",
        spec.budget_optimization.map(Value::from),
        fixed,
    );
    say(
        "campaignType",
        "campaign_type",
        word(spec.campaign_type),
        fixed,
    );
    say(
        "appPromotionType",
        "app_promotion_type",
        word(spec.app_promotion_type),
        fixed,
    );
    say(
        "appId",
        "app_id",
        spec.app_id.as_ref().map(|id| json!(id)),
        fixed,
    );
    if let Some(industries) = &spec.special_industries {
        let mut words: Vec<&str> = industries.iter().map(|i| i.tiktok()).collect();
        words.sort_unstable();
        words.dedup();
        // TikTok lets them be emptied, and nothing else.
        let group = if words.is_empty() {
            Group::Settings
        } else {
            fixed
        };
        say(
            "specialIndustries",
            "special_industries",
            Some(json!(words)),
            group,
        );
    }
    say(
        "salesDestination",
        "sales_destination",
        word(spec.sales_destination),
        fixed,
    );
    say(
        "catalogEnabled",
        "catalog_enabled",
        spec.catalog_enabled.map(Value::from),
        fixed,
    );
    say(
        "catalogType",
        "catalog_type",
        word(spec.catalog_type),
        fixed,
    );
    say(
        "poNumber",
        "po_number",
        spec.po_number.as_ref().map(|n| json!(n)),
        Group::Settings,
    );
    // With any other type of campaign TikTok refuses it. It is for the pause; the row need not show it.
    if spec.campaign_type == Some(crate::api::campaign::CampaignType::Ios14)
        && let Some(mode) = spec.postback_window_mode
    {
        fields.push(WantedField {
            compared: false,
            ..WantedField::new(
                "postbackWindowMode",
                "postback_window_mode",
                json!(mode.tiktok()),
                fixed,
            )
        });
    }
    Wanted {
        budget_mode: spec.budget.as_ref().map(|b| b.mode.tiktok()),
        budget: spec
            .budget
            .as_ref()
            .and_then(|b| b.amount.as_ref()?.cents())
            .map(Cents),
        fields,
    }
}
