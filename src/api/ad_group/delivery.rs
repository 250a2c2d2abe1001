//! How an ad group spends: budget, schedule, optimisation, bid.

use std::borrow::Cow;
use std::fmt;

use k8s_openapi::jiff::Timestamp;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use super::super::common::Amount;

/// The ad group's budget. The mode cannot be changed; the amount can, but not below 105 % of what is spent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AdGroupBudget {
    /// Daily, DynamicDaily (up to 125 % on a day, 7 times the amount in a week) or Total (for the ad group's whole
    /// life; needs schedule.end). Cannot be changed.
    pub mode: AdGroupBudgetMode,
    /// Decimal text such as "50" or "49.90"; a bare whole number works too.
    pub amount: Amount,
    /// The currency of the amount, such as USD. Not said: the account's. One that is not the account's is refused;
    /// nothing is converted.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 16))]
    pub currency: Option<String>,
}

/// What the amount of an ad group's budget is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[schemars(description = "")]
pub enum AdGroupBudgetMode {
    /// Per day.
    Daily,
    /// Per day on average over a week.
    DynamicDaily,
    /// For the ad group's whole life.
    Total,
}

/// The least that TikTok should spend on the ad group per day out of the campaign's budget.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MinBudget {
    /// Decimal text such as "50" or "49.90"; a bare whole number works too.
    pub amount: Amount,
    /// The currency of the amount, such as USD. Not said: the account's. One that is not the account's is refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 16))]
    pub currency: Option<String>,
}

/// A point in time as it was written: RFC 3339 with an offset, such as `2026-11-01T09:00:00+01:00`.
///
/// Keeps the text, so that what a message quotes is what the user wrote, and so that no text that the schema lets
/// through can fail to be read: one object that cannot be read would fail a whole list.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Moment(String);

impl Moment {
    /// The longest text that the schema lets through.
    pub const MAX_LENGTH: u32 = 32;

    /// A point in time as written. Nothing is checked here; [`Moment::instant`] says whether it can be read.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text as the user wrote it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The point in time. `None` for everything that the schema refuses, such as a time without an offset.
    pub fn instant(&self) -> Option<Timestamp> {
        self.0.parse().ok()
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl JsonSchema for Moment {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Moment".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "maxLength": Moment::MAX_LENGTH })
    }
}

/// When the ad group delivers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Schedule {
    /// When delivery begins, with an offset, such as "2026-11-01T09:00:00+01:00". Not said, or passed before the ad
    /// group is created: as soon as it is switched on. Cannot be changed once it has passed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start: Option<Moment>,
    /// When delivery ends, with an offset, such as "2026-12-01T00:00:00+01:00". Needed for a budget of mode Total.
    /// Not said: it does not end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end: Option<Moment>,
    /// The hours of the week in which it delivers, in the time zone of the ad account. Not said: all.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 50))]
    pub dayparting: Option<Vec<DayPart>>,
}

/// Hours of some days of the week, in the time zone of the ad account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DayPart {
    /// Monday to Sunday.
    #[schemars(length(max = 7))]
    pub days: Vec<Weekday>,
    /// The first half hour, in quotes, from "00:00" to "23:30".
    #[schemars(length(max = 5))]
    pub from: String,
    /// The end, which is not included, in quotes, from "00:30" to "24:00". Later than from: split hours that go over
    /// midnight into two entries.
    #[schemars(length(max = 5))]
    pub to: String,
}

/// A day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[schemars(description = "")]
pub enum Weekday {
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
    Sunday,
}

/// What TikTok looks for when it chooses whom to show the ads. Cannot be changed, but for secondaryEvent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Optimization {
    /// What is optimised for. Cannot be changed.
    pub goal: OptimizationGoal,
    /// What is paid for: CPC (clicks), CPM (impressions), CPV (views) or OCPM (impressions, optimised for the goal).
    /// It has to fit the goal. Cannot be changed.
    pub billing_event: BillingEvent,
    /// The id of the pixel that measures the website, in quotes; together with event. Cannot be changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub pixel_id: Option<String>,
    /// What counts as a conversion, on the website or in the app. Cannot be changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event: Option<OptimizationEvent>,
    /// A second event that is optimised for, in the app.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secondary_event: Option<OptimizationEvent>,
    /// How long a purchase counts for value optimisation: SevenDays (also when not said) or ZeroDay (the same day).
    /// Cannot be changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vbo_window: Option<VboWindow>,
}

/// What is optimised for; TikTok's `optimization_goal` without those of its shop, of live streams and of messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[schemars(description = "")]
pub enum OptimizationGoal {
    /// The value of purchases, found automatically.
    AutomaticValueOptimization,
    /// Clicks.
    Click,
    /// Leads that become customers.
    ConversionLeads,
    /// An event on a website.
    Convert,
    /// Visits of the destination.
    DestinationVisit,
    /// Views of 6 seconds.
    EngagedView,
    /// Views of 15 seconds.
    EngagedViewFifteen,
    /// New followers.
    Followers,
    /// An event in an app.
    InAppEvent,
    /// Installs of an app.
    Install,
    /// Forms that are sent.
    LeadGeneration,
    /// Visits of a TikTok page.
    PageVisit,
    /// Leads that TikTok expects to be good.
    PreferredLead,
    /// Views of a profile.
    ProfileViews,
    /// Different people.
    Reach,
    /// Impressions.
    Show,
    /// Landing pages that are loaded.
    TrafficLandingPageView,
    /// The value of purchases.
    Value,
    /// Views of a video.
    VideoView,
}

/// What is paid for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[schemars(description = "")]
pub enum BillingEvent {
    /// Clicks.
    #[serde(rename = "CPC")]
    Cpc,
    /// Thousands of impressions.
    #[serde(rename = "CPM")]
    Cpm,
    /// Views.
    #[serde(rename = "CPV")]
    Cpv,
    /// Thousands of impressions, optimised for the goal.
    #[serde(rename = "OCPM")]
    Ocpm,
}

/// What people do on a website or in an app; TikTok's words (`optimization_event`) in our spelling.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[schemars(description = "")]
pub enum OptimizationEvent {
    /// An app is opened for the first time.
    Active,
    /// The first purchase in an app.
    ActivePay,
    /// Somebody registers in an app.
    ActiveRegister,
    /// Payment information is added.
    AddBilling,
    /// Payment information is added in an app.
    AddPaymentInfo,
    /// Something is put on a wish list in an app.
    AddToWishlist,
    /// A click on a button.
    Button,
    /// A tutorial is completed.
    CompleteTutorial,
    /// A contact is made.
    Consult,
    /// A role in a game is made.
    CreateGamerole,
    /// A product is customised.
    CustomizeProduct,
    /// A download begins.
    DownloadStart,
    /// A place is looked for.
    FindLocation,
    /// A form is submitted.
    Form,
    /// An ad in the app earns money.
    ImpressionLevelAdRevenue,
    /// An ad in the app is clicked.
    InAppAdClick,
    /// An ad in the app is shown.
    InAppAdImpr,
    /// Something is put into the cart in an app.
    InAppCart,
    /// A product is looked at in an app.
    InAppDetailUv,
    /// An order is placed in an app.
    InAppOrder,
    /// Something is paid for in an app.
    InAppPay,
    /// An app is visited.
    InAppUv,
    /// A checkout begins.
    InitiateOrder,
    /// An installation is finished.
    InstallFinish,
    /// The landing page is loaded.
    LandingPageView,
    /// An app is opened.
    LaunchApp,
    /// A loan is asked for.
    LoanApply,
    /// A loan is paid out.
    LoanCompletion,
    /// A loan is granted.
    LoanCredit,
    /// Somebody logs in.
    Login,
    /// An app is opened on the next day.
    NextDayOpen,
    /// Something is put on a wish list on a website.
    OnWebAddToWishlist,
    /// Something is put into the cart on a website.
    OnWebCart,
    /// Content is viewed.
    OnWebDetail,
    /// An order is placed. TikTok calls it deprecated; Shopping is the purchase.
    OnWebOrder,
    /// Somebody registers on a website.
    OnWebRegister,
    /// Something is searched for on a website.
    OnWebSearch,
    /// Somebody subscribes on a website.
    OnWebSubscribe,
    /// A page is visited.
    PageVisit,
    /// Purchases, by their value.
    PurchaseRoi,
    /// Something is rated.
    Rate,
    /// A lead is won.
    SalesLead,
    /// An appointment is made.
    Schedule,
    /// Something is searched for in an app.
    Search,
    /// A purchase on a website.
    Shopping,
    /// A trial begins.
    StartTrial,
    /// An application is sent.
    SubmitApplication,
    /// Somebody subscribes in an app.
    Subscribe,
    /// An achievement is unlocked.
    UnlockAchievement,
    /// A level is reached.
    UpdateLevel,
}

/// How long a purchase counts for value optimisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[schemars(description = "")]
pub enum VboWindow {
    /// Seven days.
    SevenDays,
    /// The same day.
    ZeroDay,
}

/// How TikTok bids. In a Smart+ campaign all ad groups share one bid: say the same in all of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Bid {
    /// LowestCost: as many results as the budget brings. CostCap: keep the cost of a result around the amount.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strategy: Option<BidStrategy>,
    /// For CostCap: what a result may cost, such as "2.50"; less than the budget. What a result is follows from
    /// optimization.billingEvent: a click (CPC), 1000 impressions (CPM), a view (CPV) or a conversion (OCPM).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount: Option<Amount>,
    /// The currency of the amount, such as USD. Not said: the account's. One that is not the account's is refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 16))]
    pub currency: Option<String>,
    /// For value optimisation: HighestValue (the most value for the budget) or MinimumRoas (keep to roas).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value_strategy: Option<ValueStrategy>,
    /// For MinimumRoas: the least value per unit spent, such as "1.5".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub roas: Option<Amount>,
}

/// How TikTok bids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[schemars(description = "")]
pub enum BidStrategy {
    /// As many results as the budget brings (`BID_TYPE_NO_BID`).
    LowestCost,
    /// Around or below an amount per result (`BID_TYPE_CUSTOM`).
    CostCap,
}

/// How TikTok bids for value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[schemars(description = "")]
pub enum ValueStrategy {
    /// The most value for the budget (`VO_HIGHEST_VALUE`).
    HighestValue,
    /// At least a return per unit spent (`VO_MIN_ROAS`).
    MinimumRoas,
}

/// How fast the budget is spent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[schemars(description = "")]
pub enum Pacing {
    /// Spread over the schedule.
    Smooth,
    /// As fast as possible.
    Fast,
}

/// How often one person sees the ads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Frequency {
    /// How often at most, 1 to 1000 times.
    #[schemars(range(min = 1, max = 1000))]
    pub impressions: i32,
    /// In how many days, 1 to 30.
    #[schemars(range(min = 1, max = 30))]
    pub days: i32,
}

/// Which conversions count as won by the ads. Cannot be changed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Attribution {
    /// How long after a click: Disabled, OneDay, SevenDays, FourteenDays or TwentyEightDays. Not said: SevenDays.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub click: Option<AttributionWindow>,
    /// How long after a view. Not said: OneDay.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub view: Option<AttributionWindow>,
    /// How long after a view of at least 6 seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub engaged_view: Option<AttributionWindow>,
    /// Once or Every: whether several conversions of one person count. Not said: Once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<AttributionCount>,
}

/// How long a conversion counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[schemars(description = "")]
pub enum AttributionWindow {
    /// None (`OFF`, which YAML would read as false).
    Disabled,
    /// One day.
    OneDay,
    /// Seven days.
    SevenDays,
    /// Fourteen days.
    FourteenDays,
    /// Twenty-eight days.
    TwentyEightDays,
}

/// Whether several conversions of one person count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[schemars(description = "")]
pub enum AttributionCount {
    Once,
    Every,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_an_instant_only_with_an_offset() {
        let utc = Moment::new("2026-11-01T08:00:00Z");
        let berlin = Moment::new("2026-11-01T09:00:00+01:00");
        assert_eq!(utc.instant(), berlin.instant());
        assert_eq!(berlin.as_str(), "2026-11-01T09:00:00+01:00");
        for text in [
            "",
            "2026-11-01",
            "2026-11-01T09:00:00",
            "2026-02-30T09:00:00Z",
            "tomorrow",
        ] {
            assert_eq!(Moment::new(text).instant(), None, "{text}");
        }
    }
}
