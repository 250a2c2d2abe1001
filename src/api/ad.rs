//! Ad: one ad on TikTok, of either tree.

mod creative;

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use creative::{
    AdFormat, AigcDisclosure, CallToAction, Creative, Deeplink, DeeplinkFallback, DeeplinkFormat,
    DeeplinkType, Disclaimer, DisclaimerLink, Identity, IdentityType, LandingPage, Measurement,
    MeasurementPartner, SmartPlusCreative, SparkAds, SparkPost, TikTokPageCategory, Tracking,
    UtmParameter, Video,
};

use super::common::{Adoption, DeletionPolicy, DesiredState, DriftPolicies, LocalRef, Mode};
use super::status::ObjectStatus;

/// What an ad should be. A field that is not said is not touched and not compared.
// Print columns repeat the same attribute names; that is how kube's derive takes them.
#[allow(clippy::duplicated_attributes)]
#[derive(CustomResource, Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "tiktokads.dev",
    version = "v1alpha1",
    kind = "Ad",
    plural = "ads",
    shortname = "tta",
    category = "tiktokads",
    namespaced,
    status = "ObjectStatus",
    derive = "PartialEq",
    selectable = ".spec.adGroupRef.name",
    selectable = ".status.id",
    doc = "An ad on TikTok: what people see, and where it leads. It is created switched off, and switched on only while the spec says Active and nothing holds it.",
    printcolumn(
        name = "ID",
        type_ = "string",
        json_path = ".status.id",
        description = "The ad's id on TikTok"
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
        name = "Approved",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Approved\")].status",
        description = "True: TikTok's review has approved it"
    ),
    printcolumn(
        name = "Reason",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].reason",
        description = "Why it is ready or not"
    ),
    printcolumn(
        name = "Ad Group",
        type_ = "string",
        json_path = ".spec.adGroupRef.name",
        priority = 1,
        description = "The ad group that it is in"
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
pub struct AdSpec {
    /// The AdGroup (in the same namespace) that the ad is in. Its tree is the ad's too. Cannot be changed.
    pub ad_group_ref: LocalRef,
    /// The ad's name on TikTok, at most 512 characters, no emoji. Not said: the name of this object, at creation.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1024))]
    pub name: Option<String>,
    /// What the ad shows, in a Manual campaign.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub creative: Option<Creative>,
    /// What TikTok tries out, in a Smart+ campaign: 1 to 50 creatives.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 50))]
    pub creatives: Option<Vec<SmartPlusCreative>>,
    /// The text of a Manual ad, 1 to 100 characters (Chinese, Japanese and Korean ones count twice), no emoji.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 400))]
    pub text: Option<String>,
    /// The texts of a Smart+ ad, at most 5, each of 1 to 100 characters, no emoji.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 5), inner(length(max = 400)))]
    pub texts: Option<Vec<String>>,
    /// The text on the button of a Manual ad. On TikTok an ad needs this or callToActionId.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub call_to_action: Option<CallToAction>,
    /// The texts on the button of a Smart+ ad, at most 3, or callToActionId.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 3))]
    pub calls_to_action: Option<Vec<CallToAction>>,
    /// The id of a dynamic call to action, in quotes: TikTok chooses the text on the button.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub call_to_action_id: Option<String>,
    /// In whose name the ad is shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identity: Option<Identity>,
    /// The web page that the ad leads to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub landing_page: Option<LandingPage>,
    /// The name shown with a Custom identity, 1 to 40 characters (Chinese, Japanese and Korean ones count twice);
    /// Manual only.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 160))]
    pub display_name: Option<String>,
    /// The app's name shown with a Custom identity, at most 40 characters (Chinese, Japanese and Korean ones count
    /// twice); Manual only.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 160))]
    pub app_name: Option<String>,
    /// The id of the picture shown with a Custom identity; Manual only.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 256))]
    pub avatar_image: Option<String>,
    /// The place in an app that the ad leads to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deeplink: Option<Deeplink>,
    /// Ids of instant pages or forms on TikTok that the ad leads to, in quotes: one for a Manual ad, at most 3 for a
    /// Smart+ one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 3), inner(length(max = 32)))]
    pub page_ids: Option<Vec<String>>,
    /// What kind of TikTok page is promoted: ProfilePage, OtherTikTokPage (its address is the landing page) or
    /// TikTokInstantPage (its id is in pageIds); needed for the goal PageVisit. Manual only. Cannot be changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[serde(rename = "tiktokPageCategory")]
    pub tiktok_page_category: Option<TikTokPageCategory>,
    /// The id of an interactive add-on (a card or sticker), in quotes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub card_id: Option<String>,
    /// The address of a playable ad; Manual only.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 2048))]
    pub playable_url: Option<String>,
    /// The address of a custom product page in the App Store, at most 512 characters; Manual only.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 512))]
    pub custom_product_page_url: Option<String>,
    /// Who measures the ad.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tracking: Option<Tracking>,
    /// How an ad that shows or becomes a TikTok post behaves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spark_ads: Option<SparkAds>,
    /// NotDeclared (also when not said), or SelfDisclosure: the ad is labelled as made by artificial intelligence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aigc_disclosure: Option<AigcDisclosure>,
    /// A legal text under the ad; Manual only. TikTok cannot remove it again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disclaimer: Option<Disclaimer>,
    /// Active or Paused. Not said: an ad created from here stays paused, an adopted one keeps what it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<DesiredState>,
    /// What happens on TikTok when this object is deleted. Not said: an ad created from here is paused, an adopted one
    /// is left as it is. Delete is final; an ad that was adopted by its name alone is only paused by it, until
    /// externalId names it too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deletion_policy: Option<DeletionPolicy>,
    /// Enforce (also when not said), Suspend (only pauses are written), Plan (nothing is written, what Enforce would do
    /// is shown) or Observe (nothing is written). The strictest of this, the connection and the token wins. In Plan and
    /// Observe a deletion of this object leaves everything on TikTok as it is, running or not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    /// The id of an existing ad to take over, in quotes. Cannot be changed once set.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub external_id: Option<String>,
    /// What to do when the ad group already has an ad of this name: Refuse (also when not said) or SameName (take it
    /// over if what cannot be changed is equal). A name is no proof of whose it is: deletionPolicy Delete only pauses
    /// what was taken over by it, until externalId names it too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub adoption: Option<Adoption>,
    /// Raise it to ask for a new ad after the old one was deleted on TikTok.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1_000_000))]
    pub incarnation: Option<i64>,
    /// What to do about changes that somebody made on TikTok, per group of fields. Not said, here or on the connection:
    /// what a buyer set is overwritten with what this spec says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drift: Option<DriftPolicies>,
}
