//! The body of a create call, with every field that spends, widens or publishes said out loud (R13).

use serde_json::{Map, Value, json};

use super::call::{NewCampaign, OperationStatus, Tree};

/// One field whose default at TikTok would spend, widen or publish.
struct CarefulField {
    name: &'static str,
    /// What is sent for this campaign; `None` where TikTok's contract has no such field, or where leaving it out *is*
    /// the careful value.
    value: fn(Tree, &NewCampaign) -> Option<Value>,
}

/// R13's table for campaigns.
const CAREFUL_FIELDS: &[CarefulField] = &[
    // TikTok's default is ENABLE in both trees: leaving it out starts spending.
    CarefulField {
        name: "operation_status",
        value: |_, _| Some(json!(OperationStatus::Disable.wire())),
    },
    // The default is false in the manual tree and true in the Smart+ tree, and it cannot be changed later.
    CarefulField {
        name: "budget_optimize_on",
        value: |_, campaign| Some(json!(campaign.budget_optimize_on)),
    },
    // The default is true in the Smart+ tree; it cannot be changed later and is something a user has to ask for.
    // TikTok takes it for iOS 14 dedicated campaigns only.
    CarefulField {
        name: "is_advanced_dedicated_campaign",
        value: |tree, campaign| {
            (tree == Tree::SmartPlus && is_ios14(campaign)).then_some(Value::Bool(false))
        },
    },
    // Raises the budget by 20 % up to ten times a day. A create takes AUTO_BUDGET_INCREASE and nothing else; TikTok's
    // text: "To disable the setting: Not specified".
    CarefulField {
        name: "budget_auto_adjust_strategy",
        value: |_, _| None,
    },
    // Bids of an outside system: off when not sent.
    CarefulField {
        name: "rta_bid_enabled",
        value: |_, _| None,
    },
    // Products chosen by an outside system: off when not sent.
    CarefulField {
        name: "rta_product_selection_enabled",
        value: |_, _| None,
    },
    // Another placement of the app's page: off when not sent.
    CarefulField {
        name: "campaign_app_profile_page_state",
        value: |_, _| None,
    },
    // Widens to other delivery set-ups: off when not sent, and allowlisted.
    CarefulField {
        name: "is_promotional_campaign",
        value: |_, _| None,
    },
    // Moves delivery to search: off when not sent.
    CarefulField {
        name: "is_search_campaign",
        value: |_, _| None,
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
    // With any other type of campaign TikTok refuses it.
    if is_ios14(campaign) {
        put("postback_window_mode", text(&campaign.postback_window_mode));
    }
    for field in CAREFUL_FIELDS {
        put(field.name, (field.value)(tree, campaign));
    }
    Value::Object(body)
}

#[cfg(test)]
mod tests {
    use super::super::money::Cents;
    use super::*;

    /// Every field of the two create contracts (official SDK: `CampaignCreateBody`, `smart_plus_campaign_create.yml`;
    /// TikTok's page for what the SDK lacks) that says nothing about spending, reach or publication by itself, with
    /// the reason it may be left out: the user says it, or it only describes.
    const PLAIN_FIELDS: &[&str] = &[
        "advertiser_id",
        "app_id",
        "app_promotion_type",
        "bid_align_type",
        "bid_type",
        "budget",
        "budget_mode",
        "campaign_name",
        "campaign_product_source",
        "campaign_type",
        "catalog_enabled",
        "catalog_type",
        "deep_bid_type",
        "disable_skan_campaign",
        "gaming_ad_compliance_agreement",
        "internal_channel",
        "objective_type",
        "open_api_partner",
        "optimization_goal",
        "plugin_partner",
        "po_number",
        "postback_window_mode",
        "request_id",
        "rf_campaign_type",
        "roas_bid",
        "rta_id",
        "sales_destination",
        "special_industries",
        "virtual_objective_type",
    ];

    fn campaign() -> NewCampaign {
        NewCampaign {
            name: "Launch".into(),
            request_id: "4611686018427387904".into(),
            objective: "TRAFFIC".into(),
            budget_mode: None,
            budget: None,
            budget_optimize_on: false,
            campaign_type: None,
            app_promotion_type: None,
            app_id: None,
            special_industries: Vec::new(),
            sales_destination: None,
            catalog_enabled: None,
            catalog_type: None,
            po_number: None,
            postback_window_mode: None,
        }
    }

    fn ios14() -> NewCampaign {
        NewCampaign {
            campaign_type: Some("IOS14_CAMPAIGN".into()),
            ..campaign()
        }
    }

    /// What a field is for both trees, for a plain and for an iOS 14 campaign: Manual, Smart+, Manual, Smart+.
    fn sent(name: &str) -> [Option<Value>; 4] {
        let body = |tree, campaign: &NewCampaign| {
            create_body("7002238017842757633", tree, campaign)
                .get(name)
                .cloned()
        };
        [
            body(Tree::Manual, &campaign()),
            body(Tree::SmartPlus, &campaign()),
            body(Tree::Manual, &ios14()),
            body(Tree::SmartPlus, &ios14()),
        ]
    }

    #[test]
    fn r13_every_campaign_is_created_disabled() {
        assert_eq!(
            sent("operation_status"),
            [(); 4].map(|()| Some(json!("DISABLE")))
        );
    }

    #[test]
    fn r13_budget_optimisation_is_always_said() {
        assert_eq!(
            sent("budget_optimize_on"),
            [(); 4].map(|()| Some(json!(false)))
        );
        let on = NewCampaign {
            budget_optimize_on: true,
            ..campaign()
        };
        assert_eq!(
            create_body("1", Tree::Manual, &on)["budget_optimize_on"],
            json!(true)
        );
        assert_eq!(
            create_body("1", Tree::SmartPlus, &on)["budget_optimize_on"],
            json!(true)
        );
    }

    #[test]
    fn r13_advanced_dedicated_is_off_where_tiktok_would_switch_it_on() {
        assert_eq!(
            sent("is_advanced_dedicated_campaign"),
            [None, None, None, Some(json!(false))]
        );
    }

    #[test]
    fn r13_what_is_off_when_not_sent_is_never_sent() {
        for name in [
            "budget_auto_adjust_strategy",
            "rta_bid_enabled",
            "rta_product_selection_enabled",
            "campaign_app_profile_page_state",
            "is_promotional_campaign",
            "is_search_campaign",
        ] {
            assert_eq!(sent(name), [None, None, None, None], "{name}");
            assert!(
                CAREFUL_FIELDS.iter().any(|field| field.name == name),
                "{name} has no row"
            );
        }
        assert_eq!(CAREFUL_FIELDS.len(), 3 + 6, "a row without a test");
    }

    #[test]
    fn r07_the_postback_window_is_said_on_create_for_dedicated_campaigns_only() {
        let say = |campaign| NewCampaign {
            postback_window_mode: Some("POSTBACK_WINDOW_MODE3".into()),
            ..campaign
        };
        for tree in [Tree::Manual, Tree::SmartPlus] {
            let body = create_body("1", tree, &say(ios14()));
            assert_eq!(body["postback_window_mode"], "POSTBACK_WINDOW_MODE3");
            let body = create_body("1", tree, &say(campaign()));
            assert_eq!(body.get("postback_window_mode"), None);
        }
    }

    #[test]
    fn r13_every_field_that_is_sent_is_in_a_table() {
        let everything = NewCampaign {
            budget_mode: Some("BUDGET_MODE_DYNAMIC_DAILY_BUDGET".into()),
            budget: Some(Cents(5000)),
            budget_optimize_on: true,
            app_promotion_type: Some("APP_INSTALL".into()),
            app_id: Some("1".into()),
            special_industries: vec!["HOUSING".into()],
            sales_destination: Some("WEBSITE".into()),
            catalog_enabled: Some(true),
            catalog_type: Some("ECOMMERCE".into()),
            po_number: Some("PO-1".into()),
            postback_window_mode: Some("POSTBACK_WINDOW_MODE2".into()),
            ..ios14()
        };
        for tree in [Tree::Manual, Tree::SmartPlus] {
            let body = create_body("1", tree, &everything);
            for name in body.as_object().into_iter().flat_map(Map::keys) {
                let careful = CAREFUL_FIELDS.iter().any(|field| field.name == name);
                let plain = PLAIN_FIELDS.contains(&name.as_str());
                assert!(careful ^ plain, "{name} must be in exactly one table");
            }
        }
    }
}
