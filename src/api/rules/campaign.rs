//! Rules of Campaign.

use super::{
    Topic, amount, currency, fixed, fixed_at_creation, id, life, name, object_name, part,
    whole_units,
};

/// Rules of Campaign. Which objective may be created in which tree is not among them: that changes over time, and with
/// `externalId` every objective can be managed in both.
pub(in crate::api) fn campaign() -> Vec<Topic> {
    vec![
        object_name("spec.connectionRef.name"),
        name("spec.name"),
        id("spec.externalId"),
        id("spec.appId"),
        amount("spec.budget.amount"),
        currency("spec.budget.currency"),
        campaign_budget(),
        Topic::new(
            "spec.specialIndustries",
            vec![part(
                "self.all(a, self.exists_one(b, a == b))",
                "name each industry once",
            )],
        ),
        campaign_tree(),
        campaign_app(),
        campaign_fixed(),
        campaign_life(),
    ]
}

fn campaign_budget() -> Topic {
    Topic::new(
        "spec.budget",
        vec![
            part(
                "self.mode != 'Infinite' || (!has(self.amount) && !has(self.currency))",
                "mode Infinite means no budget on the campaign: remove amount and currency, or choose Daily, \
                 DynamicDaily or Total",
            ),
            part(
                "self.mode == 'Infinite' || has(self.amount)",
                "a budget needs an amount: add amount, such as \"50\", or set mode: Infinite to leave the budget to \
                 the ad groups",
            ),
            whole_units(),
        ],
    )
}

fn campaign_tree() -> Topic {
    Topic::new(
        "spec",
        vec![
            part(
                "self.automation != 'SmartPlus' || !has(self.budget) || has(self.externalId) || \
                 self.budget.mode in ['DynamicDaily', 'Total']",
                "a SmartPlus campaign is created with budget mode DynamicDaily or Total: choose one of them, or remove \
                 budget to set budgets on the ad groups",
            ),
            part(
                "self.automation != 'SmartPlus' || !has(self.budget) || has(self.externalId) || \
                 (has(self.budgetOptimization) && self.budgetOptimization)",
                "a SmartPlus campaign has a budget of its own only with budgetOptimization: true: add it, or remove \
                 budget to set budgets on the ad groups",
            ),
            part(
                "self.automation != 'Manual' || !(has(self.salesDestination) || has(self.catalogEnabled) || \
                 has(self.catalogType) || has(self.poNumber))",
                "salesDestination, catalogEnabled, catalogType and poNumber are for SmartPlus campaigns: remove them, \
                 or set automation: SmartPlus",
            ),
            part(
                "!has(self.catalogType) || (has(self.catalogEnabled) && self.catalogEnabled)",
                "catalogType needs catalogEnabled: true: add it, or remove catalogType",
            ),
            part(
                "!has(self.budgetOptimization) || !self.budgetOptimization || \
                 (has(self.budget) ? self.budget.mode != 'Infinite' : has(self.externalId))",
                "budgetOptimization: true needs a budget on the campaign: add budget with mode Daily, DynamicDaily or \
                 Total, or remove budgetOptimization",
            ),
        ],
    )
}

fn campaign_app() -> Topic {
    let ios14 = "has(self.campaignType) && self.campaignType == 'Ios14'";
    Topic::new(
        "spec",
        vec![
            part(
                "self.objective == 'AppPromotion' || !has(self.appPromotionType)",
                "appPromotionType is for the objective AppPromotion: remove it, or set objective: AppPromotion",
            ),
            part(
                "!has(self.appId) || self.objective == 'AppPromotion' || \
                 (has(self.salesDestination) && self.salesDestination in ['App', 'WebAndApp'])",
                "appId is for the objective AppPromotion or a salesDestination with an app: remove it, or set one of \
                 these",
            ),
            part(
                "self.objective != 'AppPromotion' || has(self.appPromotionType) || has(self.externalId)",
                "the objective AppPromotion needs appPromotionType: add it, such as appPromotionType: AppInstall",
            ),
            part(
                "!has(self.appPromotionType) || self.appPromotionType != 'AppPostsPromotion' || \
                 has(self.externalId) || (has(self.adoption) && self.adoption == 'SameName')",
                "TikTok lets no one create AppPostsPromotion campaigns by its API: choose another appPromotionType, or \
                 take an existing campaign over with externalId",
            ),
            part(
                format!(
                    "!({ios14}) || (self.objective == 'AppPromotion' && (has(self.appId) || has(self.externalId)))"
                ),
                "campaignType: Ios14 needs objective: AppPromotion and appId (the app's id in TikTok Ads Manager, in \
                 quotes): add them, or remove campaignType",
            ),
            part(
                "!has(self.postbackWindowMode) || \
                 (has(self.campaignType) ? self.campaignType == 'Ios14' : has(self.externalId))",
                "postbackWindowMode is for campaigns dedicated to iOS 14: remove it, or set campaignType: Ios14",
            ),
        ],
    )
}

fn campaign_fixed() -> Topic {
    let mut fields =
        vec![
        ("connectionRef", "self.connectionRef.name == oldSelf.connectionRef.name".to_owned()),
        ("automation", "self.automation == oldSelf.automation".to_owned()),
        ("objective", "self.objective == oldSelf.objective".to_owned()),
        (
            "budget.mode",
            "has(oldSelf.budget) ? has(self.budget) && self.budget.mode == oldSelf.budget.mode : \
             !has(self.budget) || self.budget.mode == 'Infinite' || has(self.externalId)"
                .to_owned(),
        ),
    ];
    fields.extend(
        [
            "budgetOptimization",
            "campaignType",
            "appPromotionType",
            "appId",
            "salesDestination",
            "catalogEnabled",
            "catalogType",
        ]
        .map(fixed),
    );
    fixed_at_creation("Campaign", &fields)
}

fn campaign_life() -> Topic {
    let mut parts = life("Campaign");
    parts.extend([
        part(
            "!has(self.specialIndustries) || self.specialIndustries.size() == 0 || has(self.externalId) || \
             (has(oldSelf.specialIndustries) && self.specialIndustries == oldSelf.specialIndustries)",
            "specialIndustries cannot be added or changed after creation, only emptied: put them back, or make a \
             new Campaign",
        ),
        part(
            "self.automation != 'SmartPlus' || !has(self.specialIndustries) || self.specialIndustries.size() > 0 \
             || !has(oldSelf.specialIndustries) || oldSelf.specialIndustries.size() == 0",
            "TikTok cannot empty the specialIndustries of a SmartPlus campaign: put them back, or make a new \
             Campaign",
        ),
    ]);
    Topic::new("spec", parts)
}
