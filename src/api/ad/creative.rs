//! What an ad shows, in whose name, and where it leads.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::common::{DesiredState, Permission};

/// What a Manual ad shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Creative {
    /// SingleVideo, SingleImage or Carousel. An ad cannot become or stop being a Carousel.
    pub format: AdFormat,
    /// The video of a SingleVideo.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub video: Option<Video>,
    /// Ids of images in the ad account's library: one for a SingleImage, 1 to 35 in display order for a Carousel.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 35), inner(length(min = 1, max = 256)))]
    pub images: Option<Vec<String>>,
    /// The id of the music of a Carousel.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64))]
    pub music_id: Option<String>,
    /// An existing TikTok post that is shown as the ad, instead of video, images and text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spark_post: Option<SparkPost>,
}

/// One of the creatives that TikTok tries out in a Smart+ ad.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SmartPlusCreative {
    /// SingleVideo or Carousel.
    pub format: AdFormat,
    /// The video of a SingleVideo.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub video: Option<Video>,
    /// Ids of images in the ad account's library: 1 to 35 in display order, for a Carousel.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 35), inner(length(min = 1, max = 256)))]
    pub images: Option<Vec<String>>,
    /// The id of the music of a Carousel.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64))]
    pub music_id: Option<String>,
    /// An existing TikTok post that is shown, instead of video and images.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spark_post: Option<SparkPost>,
    /// In whose name this creative is shown. Not said: the ad's identity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identity: Option<Identity>,
    /// Whether this creative says that it was made by artificial intelligence. Not said: the ad's aigcDisclosure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aigc_disclosure: Option<AigcDisclosure>,
    /// Active or Paused: whether this creative takes part. Not said: as TikTok has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<DesiredState>,
}

/// The form of an ad.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[schemars(description = "")]
pub enum AdFormat {
    /// One video.
    SingleVideo,
    /// One image.
    SingleImage,
    /// Several images with music.
    Carousel,
}

/// A video in the ad account's library.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Video {
    /// The id of the video.
    #[schemars(length(min = 1, max = 64))]
    pub id: String,
    /// The id of the image that is its cover; it has the video's aspect ratio.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 256))]
    pub cover_image_id: Option<String>,
}

/// A TikTok post that is shown as the ad.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SparkPost {
    /// The id of the post, in quotes. The identity must be allowed to use it.
    #[schemars(length(max = 64))]
    pub item_id: String,
}

/// In whose name an ad is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Identity {
    /// TikTokUser (an account linked to the ad account), BusinessCenter (an account in a Business Center),
    /// AuthorizationCode (an account that gave a code) or Custom (a made-up name; not for ads on TikTok itself in
    /// accounts made since 2026-01-15).
    #[serde(rename = "type")]
    pub kind: IdentityType,
    /// The id of the identity.
    #[schemars(length(min = 1, max = 64))]
    pub id: String,
    /// The id of the Business Center, in quotes; for BusinessCenter.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub business_center_id: Option<String>,
}

/// What kind of identity an ad is shown in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[schemars(description = "")]
pub enum IdentityType {
    /// An account linked to the ad account (`TT_USER`).
    TikTokUser,
    /// An account in a Business Center (`BC_AUTH_TT`).
    BusinessCenter,
    /// An account that gave a code (`AUTH_CODE`).
    AuthorizationCode,
    /// A made-up name (`CUSTOMIZED_USER`).
    Custom,
}

/// Whether an ad says that it was made by artificial intelligence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[schemars(description = "")]
pub enum AigcDisclosure {
    /// It says nothing.
    NotDeclared,
    /// It is labelled as made by artificial intelligence.
    SelfDisclosure,
}

/// The web page that an ad leads to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LandingPage {
    /// The address, with all its query parameters, UTM ones included.
    #[schemars(length(max = 2048))]
    pub url: String,
    /// The UTM parameters that are in the url, at most 14. TikTok records them for its reports but does not append
    /// them: write them into the url too.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 14))]
    pub utm: Option<Vec<UtmParameter>>,
}

/// One UTM parameter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct UtmParameter {
    /// Its name, such as utm_source, at most 100 characters.
    #[schemars(length(min = 1, max = 100))]
    pub key: String,
    /// Its value, at most 600 characters; TikTok's macros such as __CAMPAIGN_NAME__ are possible.
    #[schemars(length(min = 1, max = 600))]
    pub value: String,
}

/// A place in an app that an ad leads to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Deeplink {
    /// The address, such as myapp://offer/1 or a universal link.
    #[schemars(length(max = 2048))]
    pub url: String,
    /// Normal (also when not said), or Deferred: it opens after the app has been installed.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<DeeplinkType>,
    /// UniversalOrAppLink or SchemeLink; Manual only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<DeeplinkFormat>,
    /// Where people go who do not have the app: AppInstall or Website.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fallback: Option<DeeplinkFallback>,
}

/// When a deeplink opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[schemars(description = "")]
pub enum DeeplinkType {
    /// In an installed app.
    Normal,
    /// Also after the app has been installed.
    Deferred,
}

/// What form a deeplink has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[schemars(description = "")]
pub enum DeeplinkFormat {
    UniversalOrAppLink,
    SchemeLink,
}

/// Where people go who do not have the app.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[schemars(description = "")]
pub enum DeeplinkFallback {
    AppInstall,
    Website,
}

/// What kind of TikTok page is promoted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[schemars(description = "")]
pub enum TikTokPageCategory {
    /// The account's profile.
    ProfilePage,
    /// A playlist, hashtag, music or effect page, whose address is the landing page.
    OtherTikTokPage,
    /// An instant page.
    TikTokInstantPage,
}

/// Who measures the ad.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("minProperties" = 1))]
pub struct Tracking {
    /// The id of a pixel that is told of the ad, in quotes; Manual only.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub pixel_id: Option<String>,
    /// The id of an app that is told of the ad, in quotes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub app_id: Option<String>,
    /// Ids of offline event sets, in quotes; Manual only.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 50), inner(length(max = 32)))]
    pub offline_event_sets: Option<Vec<String>>,
    /// An address that is called at each impression.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 2048))]
    pub impression_url: Option<String>,
    /// An address that is called at each click.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 2048))]
    pub click_url: Option<String>,
    /// An address that is called when the video is viewed; Manual only.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 2048))]
    pub video_view_url: Option<String>,
    /// Who measures whether the ad was seen; Manual only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub viewability: Option<Measurement>,
    /// Who measures next to what the ad was shown; Manual only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub brand_safety: Option<Measurement>,
}

/// A partner that measures after the ad was shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Measurement {
    /// DoubleVerify, IAS, Zefr, or Moat (for viewability only).
    pub partner: MeasurementPartner,
    /// The address of the partner's VAST tag.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 2048))]
    pub vast_url: Option<String>,
}

/// A company that measures ads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[schemars(description = "")]
pub enum MeasurementPartner {
    DoubleVerify,
    #[serde(rename = "IAS")]
    Ias,
    Moat,
    Zefr,
}

/// How an ad that shows or becomes a TikTok post behaves.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("minProperties" = 1))]
pub struct SparkAds {
    /// True: the ad is not shown on the account's profile. Not said: true at creation, where TikTok takes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dark_post: Option<bool>,
    /// Whether people may make a Duet with it: Allowed or Blocked; Manual only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duet: Option<Permission>,
    /// Whether people may make a Stitch of it: Allowed or Blocked; Manual only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stitch: Option<Permission>,
    /// Whether its music is promoted too: Allowed or Blocked (also when not said); Manual only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub promotional_music: Option<Permission>,
    /// Whether TikTok may show the ad as an example to others: Allowed or Blocked (also when not said); Manual only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub showcase: Option<Permission>,
}

/// A legal text under the ad: either text or links. TikTok cannot remove it again, nor turn one into the other.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Disclaimer {
    /// A plain text of at most 90 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 90))]
    pub text: Option<String>,
    /// Up to 3 texts that can be clicked; together at most 40 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 3))]
    pub links: Option<Vec<DisclaimerLink>>,
}

/// A legal text that can be clicked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DisclaimerLink {
    /// The text, at most 40 characters.
    #[schemars(length(min = 1, max = 40))]
    pub text: String,
    /// The address that it leads to.
    #[schemars(length(max = 2048))]
    pub url: String,
}

/// The text on an ad's button.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[schemars(description = "")]
pub enum CallToAction {
    ApplyNow,
    BookNow,
    CallNow,
    CheckAvailability,
    ContactUs,
    DownloadNow,
    ExperienceNow,
    GetQuote,
    GetShowtimes,
    GetTicketsNow,
    InstallNow,
    Interested,
    JoinThisHashtag,
    LearnMore,
    ListenNow,
    OrderNow,
    PlayGame,
    PreorderNow,
    ReadMore,
    SendMessage,
    ShootWithThisEffect,
    ShopNow,
    SignUp,
    Subscribe,
    ViewNow,
    ViewProfile,
    ViewVideoWithThisEffect,
    VisitStore,
    WatchLive,
    WatchNow,
}
