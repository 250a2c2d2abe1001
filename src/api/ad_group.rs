//! AdGroup: one ad group on TikTok, of either tree.

mod delivery;
mod targeting;

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use delivery::{
    AdGroupBudget, AdGroupBudgetMode, Attribution, AttributionCount, AttributionWindow, Bid,
    BidStrategy, BillingEvent, DayPart, Frequency, MinBudget, Moment, Optimization,
    OptimizationEvent, OptimizationGoal, Pacing, Schedule, ValueStrategy, VboWindow, Weekday,
};
pub use targeting::{
    AgeGroup, Behavior, BehaviorScene, DevicePrice, Gender, HouseholdIncome, Ios14Targeting,
    NetworkType, OperatingSystem, SpendingPower, Targeting, VideoAction,
};

use super::common::{
    Adoption, DeletionPolicy, DesiredState, DriftPolicies, LocalRef, Mode, Permission,
};
use super::status::ObjectStatus;

/// What an ad group should be. A field that is not said is not touched and not compared.
// Print columns repeat the same attribute names; that is how kube's derive takes them.
#[allow(clippy::duplicated_attributes)]
#[derive(CustomResource, Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "tiktokads.dev",
    version = "v1alpha1",
    kind = "AdGroup",
    plural = "adgroups",
    shortname = "ttg",
    category = "tiktokads",
    namespaced,
    status = "ObjectStatus",
    derive = "PartialEq",
    selectable = ".spec.campaignRef.name",
    selectable = ".status.id",
    doc = "An ad group on TikTok: whom its ads reach, where, when, and at what cost. It is created switched off, and switched on only while the spec says Active, a budget ceiling is set and nothing holds it.",
    printcolumn(
        name = "ID",
        type_ = "string",
        json_path = ".status.id",
        description = "The ad group's id on TikTok"
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
        name = "Campaign",
        type_ = "string",
        json_path = ".spec.campaignRef.name",
        priority = 1,
        description = "The campaign that it is in"
    ),
    printcolumn(
        name = "Goal",
        type_ = "string",
        json_path = ".spec.optimization.goal",
        priority = 1,
        description = "What is optimised for"
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
pub struct AdGroupSpec {
    /// The Campaign (in the same namespace) that the ad group is in. Its tree is the ad group's too. Cannot be changed.
    pub campaign_ref: LocalRef,
    /// The ad group's name on TikTok, at most 512 characters, no emoji. Not said: the name of this object, at creation.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1024))]
    pub name: Option<String>,
    /// What the ads lead to. Needed unless the campaign is for Reach, VideoViews or Engagement. Cannot be changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub promotion: Option<Promotion>,
    /// Where the ads are shown. Not said: TikTok alone in a Manual campaign, TikTok's choice in a SmartPlus one. Cannot
    /// be changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub placement: Option<Placement>,
    /// Who is reached. Needed to create an ad group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub targeting: Option<Targeting>,
    /// Automatic: TikTok chooses the audience and takes targeting as a hint; Manual: targeting counts. Smart+ only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub targeting_mode: Option<TargetingMode>,
    /// Next to which videos the ads may be shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub brand_safety: Option<BrandSafety>,
    /// What people may do with the ads.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interactions: Option<Interactions>,
    /// True: the ads may be shown among search results.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub search_results: Option<bool>,
    /// True: the ads are for food or drink high in fat, salt or sugar.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hfss: Option<bool>,
    /// True: the ads keep to the United Kingdom's rules for less healthy food. Needed there when hfss is true.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lhf_compliance: Option<bool>,
    /// The ad group's budget. Not said: the campaign's budget counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub budget: Option<AdGroupBudget>,
    /// The least of the campaign's budget that this ad group gets; Smart+ only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_budget: Option<MinBudget>,
    /// When it delivers. Not said: always, from when it is switched on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schedule: Option<Schedule>,
    /// What TikTok optimises for. Needed to create an ad group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub optimization: Option<Optimization>,
    /// How TikTok bids. Not said: LowestCost at creation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bid: Option<Bid>,
    /// Smooth (also when not said), or Fast to spend the budget as fast as possible, which needs bid.strategy CostCap.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pacing: Option<Pacing>,
    /// How often one person sees the ads; for campaigns for Reach.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frequency: Option<Frequency>,
    /// Which conversions count. Cannot be changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attribution: Option<Attribution>,
    /// Custom (also when not said): ads as they are written. SmartCreative: TikTok combines materials. Manual only.
    /// Cannot be changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub creative_mode: Option<CreativeMode>,
    /// Active or Paused. Not said: an ad group created from here stays paused, an adopted one keeps what it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<DesiredState>,
    /// What happens on TikTok when this object is deleted. Not said: an ad group created from here is paused, an adopted
    /// one is left as it is. Delete is final; an ad group that was adopted by its name alone is only paused by it, until
    /// externalId names it too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deletion_policy: Option<DeletionPolicy>,
    /// Enforce (also when not said), Suspend (only pauses are written), Plan (nothing is written, what Enforce would do
    /// is shown) or Observe (nothing is written). The strictest of this, the connection and the token wins. In Plan and
    /// Observe a deletion of this object leaves everything on TikTok as it is, running or not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    /// The id of an existing ad group to take over, in quotes. Cannot be changed once set.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub external_id: Option<String>,
    /// What to do when the campaign already has an ad group of this name: Refuse (also when not said) or SameName (take
    /// it over if what cannot be changed is equal). A name is no proof of whose it is: deletionPolicy Delete only pauses
    /// what was taken over by it, until externalId names it too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub adoption: Option<Adoption>,
    /// Raise it to ask for a new ad group after the old one was deleted on TikTok.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1_000_000))]
    pub incarnation: Option<i64>,
    /// What to do about changes that somebody made on TikTok, per group of fields. Not said, here or on the connection:
    /// what a buyer set is overwritten with what this spec says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drift: Option<DriftPolicies>,
}

/// What the ads lead to. Cannot be changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Promotion {
    /// Website, AndroidApp, IosApp, LeadGeneration, WebsiteOrDisplay, ExternalOrDisplay (for campaigns for Engagement)
    /// or Game. Cannot be changed.
    #[serde(rename = "type")]
    pub kind: PromotionType,
    /// For LeadGeneration, where the form is: InstantPage (on TikTok) or ExternalWebsite. Cannot be changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<PromotionTarget>,
    /// The app's id in TikTok Ads Manager, in quotes; for AndroidApp and IosApp. Cannot be changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub app_id: Option<String>,
}

/// What the ads lead to; TikTok's `promotion_type` without those of its shop, of messages and of calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[schemars(description = "")]
pub enum PromotionType {
    /// A website.
    Website,
    /// An app for Android.
    AndroidApp,
    /// An app for iOS.
    IosApp,
    /// A form.
    LeadGeneration,
    /// A website, or nothing.
    WebsiteOrDisplay,
    /// For campaigns for Engagement.
    ExternalOrDisplay,
    /// A game.
    Game,
}

/// Where the form of a lead generation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[schemars(description = "")]
pub enum PromotionTarget {
    /// On TikTok.
    InstantPage,
    /// On a website.
    ExternalWebsite,
}

/// Where the ads are shown. Cannot be changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Placement {
    /// Automatic: TikTok chooses. Select: the placements named here. Cannot be changed.
    pub mode: PlacementMode,
    /// With Select: TikTok, Pangle, GlobalAppBundle (for accounts that TikTok let in; it is removed in silence for
    /// others). Cannot be changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 3))]
    pub placements: Option<Vec<PlacementName>>,
    /// Where inside TikTok: InFeed, SearchFeed, TikTokLite, Lemon8 (for campaigns for Reach). Cannot be changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 4))]
    pub tiktok_subplacements: Option<Vec<TikTokSubplacement>>,
}

/// Who chooses the placements.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[schemars(description = "")]
pub enum PlacementMode {
    /// TikTok does.
    Automatic,
    /// The spec does.
    Select,
}

/// An app or network that shows ads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[schemars(description = "")]
pub enum PlacementName {
    TikTok,
    Pangle,
    GlobalAppBundle,
}

/// A place inside TikTok.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[schemars(description = "")]
pub enum TikTokSubplacement {
    InFeed,
    SearchFeed,
    TikTokLite,
    Lemon8,
}

/// Who chooses the audience in a Smart+ ad group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[schemars(description = "")]
pub enum TargetingMode {
    /// TikTok does.
    Automatic,
    /// The spec does.
    Manual,
}

/// Next to which videos the ads may be shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BrandSafety {
    /// Unlimited (no filter), Expanded, Standard, Limited (the strictest of TikTok's own) or ThirdParty (a partner that
    /// is set in TikTok Ads Manager).
    pub inventory: Inventory,
}

/// How strictly videos are filtered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[schemars(description = "")]
pub enum Inventory {
    /// No filter (`NO_BRAND_SAFETY`).
    Unlimited,
    /// The least strict filter.
    Expanded,
    /// The usual filter.
    Standard,
    /// The strictest of TikTok's own filters.
    Limited,
    /// A partner's filter.
    ThirdParty,
}

/// What people may do with the ads.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Interactions {
    /// Whether people may comment: Allowed or Blocked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comments: Option<Permission>,
    /// Whether people may download the video: Allowed or Blocked. Cannot be changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub downloads: Option<Permission>,
    /// Whether people may share the ad: Allowed or Blocked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sharing: Option<Permission>,
}

/// How ads are made of materials.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[schemars(description = "")]
pub enum CreativeMode {
    /// As they are written.
    Custom,
    /// TikTok combines materials.
    SmartCreative,
}
