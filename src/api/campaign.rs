//! Campaign: one campaign on TikTok, of either tree.

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::common::{
    Adoption, Amount, DeletionPolicy, DesiredState, DriftPolicies, LocalRef, Mode,
};
use super::status::ObjectStatus;
pub use super::status::{DriftEntry, Effective, Idempotency};

/// The status of a campaign.
pub type CampaignStatus = ObjectStatus;

/// What a campaign should be. A field that is not said is not touched and not compared.
// Print columns repeat the same attribute names; that is how kube's derive takes them.
#[allow(clippy::duplicated_attributes)]
#[derive(CustomResource, Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "tiktokads.dev",
    version = "v1alpha1",
    kind = "Campaign",
    plural = "campaigns",
    shortname = "ttc",
    category = "tiktokads",
    namespaced,
    status = "ObjectStatus",
    derive = "PartialEq",
    selectable = ".spec.connectionRef.name",
    selectable = ".status.id",
    doc = "A campaign on TikTok. It is created switched off, and switched on only while the spec says Active, a budget ceiling is set and nothing holds it.",
    printcolumn(
        name = "ID",
        type_ = "string",
        json_path = ".status.id",
        description = "The campaign's id on TikTok"
    ),
    printcolumn(
        name = "Wanted",
        type_ = "string",
        json_path = ".status.effective.state",
        description = "Whether it should be switched on"
    ),
    printcolumn(
        name = "On TikTok",
        type_ = "string",
        json_path = ".status.operationStatus",
        description = "Whether it is switched on, at the last look"
    ),
    printcolumn(
        name = "Ready",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].status",
        description = "True: TikTok has this spec and nothing is outstanding"
    ),
    printcolumn(
        name = "Delivering",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Delivering\")].status",
        description = "True: TikTok says that it delivers"
    ),
    printcolumn(
        name = "Reason",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].reason",
        description = "Why it is ready or not"
    ),
    printcolumn(
        name = "Connection",
        type_ = "string",
        json_path = ".spec.connectionRef.name",
        priority = 1,
        description = "The connection to the ad account"
    ),
    printcolumn(
        name = "Objective",
        type_ = "string",
        json_path = ".spec.objective",
        priority = 1,
        description = "What the campaign is for"
    ),
    printcolumn(
        name = "Budget",
        type_ = "string",
        json_path = ".status.currentBudget",
        priority = 1,
        description = "Its own budget on TikTok at the last look, and what it is for"
    ),
    printcolumn(
        name = "Delivery",
        type_ = "string",
        json_path = ".status.deliveryStatus",
        priority = 1,
        description = "TikTok's own word for the delivery status"
    ),
    printcolumn(
        name = "Message",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].message",
        priority = 1,
        description = "What is so, what it means and what to do"
    ),
    printcolumn(
        name = "Age",
        type_ = "date",
        json_path = ".metadata.creationTimestamp",
        description = "Since when this object exists"
    )
)]
#[serde(rename_all = "camelCase")]
pub struct CampaignSpec {
    /// The TikTokConnection (in the same namespace) whose ad account the campaign is in. Cannot be changed.
    pub connection_ref: LocalRef,
    /// Manual: you set ad groups and ads up yourself. SmartPlus: TikTok optimises them. Cannot be changed.
    pub automation: Automation,
    /// The campaign's name on TikTok, at most 512 characters, no emoji. Not said: the name of this object, at creation.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1024))]
    pub name: Option<String>,
    /// What the campaign is for. Cannot be changed.
    pub objective: Objective,
    /// The campaign's budget. Not said: the budgets of the ad groups count.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub budget: Option<CampaignBudget>,
    /// True: TikTok spreads the campaign's budget over its ad groups (CBO). Not said: off. Cannot be changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub budget_optimization: Option<bool>,
    /// Regular, or Ios14 for a campaign dedicated to iOS 14 and later (SKAdNetwork). Not said: Regular. Cannot be changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub campaign_type: Option<CampaignType>,
    /// What is promoted about the app; for the objective AppPromotion. Cannot be changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub app_promotion_type: Option<AppPromotionType>,
    /// The app's id in TikTok Ads Manager, in quotes. Cannot be changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub app_id: Option<String>,
    /// Industries with legal limits on targeting. They can be emptied later, but not added or changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 3))]
    pub special_industries: Option<Vec<SpecialIndustry>>,
    /// Where a sale happens; SmartPlus only. Cannot be changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sales_destination: Option<SalesDestination>,
    /// True: the campaign shows products from a catalog; SmartPlus only. Cannot be changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub catalog_enabled: Option<bool>,
    /// The catalog's type, when catalogEnabled is true; SmartPlus only. Cannot be changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub catalog_type: Option<CatalogType>,
    /// The purchase order number on the invoice; SmartPlus only.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 128))]
    pub po_number: Option<String>,
    /// For campaigns of type Ios14: which SKAdNetwork postback window a pause keeps. A pause of such a campaign is
    /// final and holds its quota for 4 (Mode1), 13 (Mode2) or 41 (Mode3) days.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub postback_window_mode: Option<PostbackWindowMode>,
    /// Active or Paused. Not said: a campaign created from here stays paused, an adopted one keeps what it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<DesiredState>,
    /// What happens on TikTok when this object is deleted. Not said: a campaign created from here is paused, an adopted
    /// one is left as it is. Delete is final; a campaign that was adopted by its name alone is only paused by it, until
    /// externalId names it too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deletion_policy: Option<DeletionPolicy>,
    /// Enforce (also when not said), Suspend (only pauses are written), Plan (nothing is written, what Enforce would do
    /// is shown) or Observe (nothing is written). The strictest of this, the connection and the token wins. In Plan and
    /// Observe a deletion of this object leaves everything on TikTok as it is, running or not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    /// The id of an existing campaign to take over, in quotes. Cannot be changed once set.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub external_id: Option<String>,
    /// What to do when TikTok already has a campaign of this name: Refuse (also when not said) or SameName (take it over
    /// if what cannot be changed is equal). A name is no proof of whose it is: deletionPolicy Delete only pauses what
    /// was taken over by it, until externalId names it too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub adoption: Option<Adoption>,
    /// Raise it to ask for a new campaign after the old one was deleted on TikTok.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1_000_000))]
    pub incarnation: Option<i64>,
    /// What to do about changes that somebody made on TikTok, per group of fields. Not said, here or on the connection:
    /// what a buyer set is overwritten with what this spec says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drift: Option<DriftPolicies>,
}

/// Which of TikTok's two trees the campaign is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[schemars(description = "")]
pub enum Automation {
    /// Ad groups and ads are set up by hand.
    Manual,
    /// Upgraded Smart+.
    SmartPlus,
}

/// What the campaign is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[schemars(description = "")]
pub enum Objective {
    Reach,
    Traffic,
    VideoViews,
    Engagement,
    AppPromotion,
    WebConversions,
    LeadGeneration,
    ProductSales,
    RfReach,
    BrandConsideration,
}

/// The campaign's budget. The mode cannot be changed; the amount can, but not below 105 % of what is spent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CampaignBudget {
    /// Daily, Total (for the campaign's whole life), DynamicDaily (up to 125 % on a day, 7 times the amount in a
    /// week) or Infinite (the ad groups' budgets count). Cannot be changed.
    pub mode: BudgetMode,
    /// Decimal text such as "50" or "49.90"; a bare whole number works too. Required unless the mode is Infinite.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount: Option<Amount>,
    /// The currency of the amount, such as USD. Not said: the account's. One that is not the account's is refused;
    /// nothing is converted.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 16))]
    pub currency: Option<String>,
}

/// What the amount of a budget is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[schemars(description = "")]
pub enum BudgetMode {
    /// No budget on the campaign.
    Infinite,
    /// For the campaign's whole life.
    Total,
    /// Per day.
    Daily,
    /// Per day on average over a week.
    DynamicDaily,
}

/// Whether a campaign is dedicated to iOS 14 and later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[schemars(description = "")]
pub enum CampaignType {
    /// An ordinary campaign.
    Regular,
    /// Dedicated to iOS 14 and later, measured by SKAdNetwork.
    Ios14,
}

/// What is promoted about an app.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[schemars(description = "")]
pub enum AppPromotionType {
    /// Installs.
    AppInstall,
    /// People who have the app.
    AppRetargeting,
    /// An app that is not out yet.
    AppPreregistration,
    /// TikTok lets it be read and updated, but not created.
    AppPostsPromotion,
    /// A mini app inside TikTok.
    Minis,
}

/// An industry with legal limits on targeting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[schemars(description = "")]
pub enum SpecialIndustry {
    Housing,
    Employment,
    Credit,
}

/// Where a sale happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[schemars(description = "")]
pub enum SalesDestination {
    TikTokShop,
    Website,
    App,
    WebAndApp,
}

/// What a catalog holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[schemars(description = "")]
pub enum CatalogType {
    Ecommerce,
    TravelEntertainment,
    MiniSeries,
}

/// The SKAdNetwork postback window that a pause of an iOS 14 dedicated campaign keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[schemars(description = "")]
pub enum PostbackWindowMode {
    /// The first window; quota is held for 4 days.
    Mode1,
    /// The second window; quota is held for 13 days.
    Mode2,
    /// The third window; quota is held for 41 days.
    Mode3,
}
