//! Who an ad group reaches.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Who the ad group reaches. A field that is not said is not limited, and not touched on an ad group that exists.
///
/// All ids are TikTok's, in quotes. Locations, languages, interests, devices and the like are listed by its
/// targeting tools (`/tool/…`) and in TikTok Ads Manager.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Targeting {
    /// The ids of countries, regions and cities, in quotes, such as "6252001" for the United States. At least one
    /// location or zip code is needed; both together at most 3000. A region inside a country named here is refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 3000), inner(length(max = 32)))]
    pub locations: Option<Vec<String>>,
    /// TikTok's ids of zip codes (not the zip codes themselves), in quotes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 3000), inner(length(max = 32)))]
    pub zip_codes: Option<Vec<String>>,
    /// Age groups. Not said: all; where TikTok does not allow minors, the five adult ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 6))]
    pub ages: Option<Vec<AgeGroup>>,
    /// All, Male or Female. Not said: all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gender: Option<Gender>,
    /// Codes of languages of the app, such as en or de. Not said: all.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 100), inner(length(max = 16)))]
    pub languages: Option<Vec<String>>,
    /// Ids of interest categories, in quotes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 500), inner(length(max = 32)))]
    pub interest_categories: Option<Vec<String>>,
    /// Ids of interest keywords, in quotes. Not together with purchaseIntentionKeywords.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 500), inner(length(max = 32)))]
    pub interest_keywords: Option<Vec<String>>,
    /// Ids of purchase intention keywords, in quotes. Not together with interestKeywords.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 500), inner(length(max = 32)))]
    pub purchase_intention_keywords: Option<Vec<String>>,
    /// What people did on TikTok lately.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub behaviors: Option<Vec<Behavior>>,
    /// Ids of custom or lookalike audiences to reach, in quotes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 500), inner(length(max = 32)))]
    pub audiences: Option<Vec<String>>,
    /// Ids of audiences that are not reached, in quotes. None of them may be in audiences.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 500), inner(length(max = 32)))]
    pub excluded_audiences: Option<Vec<String>>,
    /// The id of a saved audience, in quotes. What it contains must not be said here a second time.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub saved_audience: Option<String>,
    /// Android or Ios. Needed to promote an app.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operating_system: Option<OperatingSystem>,
    /// The lowest Android version, in quotes, such as "10.0".
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 8))]
    pub min_android_version: Option<String>,
    /// The lowest iOS version, in quotes, such as "16.0".
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 8))]
    pub min_ios_version: Option<String>,
    /// Which iOS devices: All, BelowIos14 or Ios14Plus. Ios14Plus cannot be changed once set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ios14: Option<Ios14Targeting>,
    /// Ids of device models, in quotes. Not together with devicePrice.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1000), inner(length(max = 32)))]
    pub device_models: Option<Vec<String>>,
    /// What the device cost when it was new, in US dollars. Not together with deviceModels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device_price: Option<DevicePrice>,
    /// Kinds of network: Wifi, 2G, 3G, 4G, 5G. Not said: all.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 5))]
    pub network_types: Option<Vec<NetworkType>>,
    /// Ids of mobile carriers, in quotes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 500), inner(length(max = 32)))]
    pub carriers: Option<Vec<String>>,
    /// Ids of internet service providers, in quotes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 500), inner(length(max = 32)))]
    pub internet_providers: Option<Vec<String>>,
    /// All, or High for people who spend more through TikTok ads. Not said: all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spending_power: Option<SpendingPower>,
    /// Household income by zip code; United States and placement TikTok only.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 4))]
    pub household_income: Option<Vec<HouseholdIncome>>,
    /// True: TikTok may go beyond the audiences named here when it finds more results.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub smart_audience: Option<bool>,
    /// True: TikTok may go beyond the interests and behaviors named here when it finds more results.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub smart_interest_and_behavior: Option<bool>,
}

/// An age group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[schemars(description = "")]
pub enum AgeGroup {
    /// 13 to 17; not everywhere.
    Age13To17,
    /// 18 to 24.
    Age18To24,
    /// 25 to 34.
    Age25To34,
    /// 35 to 44.
    Age35To44,
    /// 45 to 54.
    Age45To54,
    /// 55 and older.
    Age55Plus,
}

/// A gender.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[schemars(description = "")]
pub enum Gender {
    All,
    Male,
    Female,
}

/// What people did on TikTok.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Behavior {
    /// VideoRelated: how they dealt with videos; CreatorRelated: with creators; HashtagRelated: with hashtags.
    pub scene: BehaviorScene,
    /// How many days back: 7 or 15, for VideoRelated only. TikTok sets the time for the other two.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub period_days: Option<i32>,
    /// What they did: WatchedToEnd, Liked, Commented or Shared a video, Following or ViewHomepage of a creator,
    /// ViewHashtag.
    #[schemars(length(max = 7))]
    pub video_actions: Vec<VideoAction>,
    /// Ids of video categories, creator categories or hashtags, in quotes.
    #[schemars(length(max = 200), inner(length(max = 32)))]
    pub categories: Vec<String>,
}

/// What a behavior is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[schemars(description = "")]
pub enum BehaviorScene {
    VideoRelated,
    CreatorRelated,
    HashtagRelated,
}

/// Something people do on TikTok.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[schemars(description = "")]
pub enum VideoAction {
    /// Watch a video to its end.
    WatchedToEnd,
    /// Like a video.
    Liked,
    /// Comment on a video.
    Commented,
    /// Share a video.
    Shared,
    /// Follow a creator.
    Following,
    /// Look at a creator's profile.
    ViewHomepage,
    /// Look at videos of a hashtag.
    ViewHashtag,
}

/// An operating system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[schemars(description = "")]
pub enum OperatingSystem {
    Android,
    Ios,
}

/// Which iOS devices are reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[schemars(description = "")]
pub enum Ios14Targeting {
    /// All versions.
    All,
    /// Versions below 14.
    BelowIos14,
    /// 14 and later.
    Ios14Plus,
}

/// A range of device prices in US dollars, in steps of 50.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DevicePrice {
    /// The lowest price in US dollars, a multiple of 50.
    #[schemars(range(min = 0, max = 10_000))]
    pub from: i32,
    /// The highest price in US dollars, a multiple of 50 and at most 10000, which means no limit.
    #[schemars(range(min = 0, max = 10_000))]
    pub to: i32,
}

/// A kind of network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[schemars(description = "")]
pub enum NetworkType {
    /// Wireless at home or at work.
    Wifi,
    /// 2G.
    #[serde(rename = "2G")]
    G2,
    /// 3G.
    #[serde(rename = "3G")]
    G3,
    /// 4G.
    #[serde(rename = "4G")]
    G4,
    /// 5G.
    #[serde(rename = "5G")]
    G5,
}

/// How much people spend through TikTok ads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[schemars(description = "")]
pub enum SpendingPower {
    All,
    High,
}

/// A part of the households by income, in percent from the top.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[schemars(description = "")]
pub enum HouseholdIncome {
    Top5,
    Top10,
    Top10To25,
    Top25To50,
}
