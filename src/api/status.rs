//! What the operator says about an object on TikTok. Campaigns, ad groups and ads share it.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What is so on TikTok. Written by the operator only.
///
/// One type for all kinds, so that the engine writes it in one way. The fields that a kind never has are taken out of
/// its schema in `crd.rs`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ObjectStatus {
    /// The generation of the spec that this status speaks of; -1 before the first look.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// The object's id on TikTok.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 20))]
    pub id: Option<String>,
    /// The object's name on TikTok at the last look.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 512))]
    pub name: Option<String>,
    /// The id of the campaign on TikTok that it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 20))]
    pub campaign_id: Option<String>,
    /// The id of the ad group on TikTok that it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 20))]
    pub ad_group_id: Option<String>,
    /// The last generation of the spec that TikTok had in full; a difference after that is drift.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub synced_generation: Option<i64>,
    /// The switch on TikTok: On, Off or Deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub operation_status: Option<String>,
    /// TikTok's own word for the delivery status (secondary_status).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 128))]
    pub delivery_status: Option<String>,
    /// Its own budget on TikTok at the last look, such as "50 USD a day", "50 USD a day on average" (DynamicDaily) or
    /// "600 USD in all" (Total). Absent: it has none, and the budget of what is above or below it counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub current_budget: Option<String>,
    /// What TikTok's review says about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub review: Option<Review>,
    /// The creatives inside a Smart+ ad, at most 50.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 50))]
    pub creatives: Option<Vec<CreativeStatus>>,
    /// What counts after the connection's settings and what is not said have been filled in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub effective: Option<Effective>,
    /// The create call: the key sent with it, how often it was tried, how it went.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idempotency: Option<Idempotency>,
    /// Fields that differ on TikTok from the spec, at most 20; driftCount has them all.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 20))]
    pub drift: Option<Vec<DriftEntry>>,
    /// How many fields differ.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drift_count: Option<i32>,
    /// What is so, since when, why and what to do. Ready and Delivering come first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    pub conditions: Vec<Condition>,
}

/// The values that count for an object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Effective {
    /// Active, Paused, or Unmanaged (an adopted object whose state is not said).
    #[schemars(length(max = 64))]
    pub state: String,
    /// What a deletion does. Pause although the spec says Delete: it was adopted by its name alone.
    #[schemars(length(max = 64))]
    pub deletion_policy: String,
    /// The mode that counts.
    #[schemars(length(max = 64))]
    pub mode: String,
    /// What happens when the name is taken.
    #[schemars(length(max = 64))]
    pub adoption: String,
}

/// The create call.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Idempotency {
    /// The key that was recorded before the call and sent with it.
    #[schemars(length(max = 64))]
    pub key: String,
    /// How many keys were used up before this one.
    pub counter: i64,
    /// How many times the call was made with this key.
    pub attempts: i64,
    /// How it went.
    #[schemars(length(max = 64))]
    pub outcome: String,
}

/// One field that differs on TikTok.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DriftEntry {
    /// The group that spec.drift decides about: bid, budget, name, schedule, settings, state or targeting.
    #[serde(default)]
    #[schemars(length(max = 64))]
    pub group: String,
    /// The field of the spec.
    #[serde(default)]
    #[schemars(length(max = 128))]
    pub field: String,
    /// What the spec says.
    #[serde(default)]
    #[schemars(length(max = 1024))]
    pub want: String,
    /// What TikTok has.
    #[serde(default)]
    #[schemars(length(max = 1024))]
    pub have: String,
    /// When the difference was first seen.
    pub since: Time,
}

/// What TikTok's review says.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Review {
    /// True: approved, at least in part. Absent: TikTok has not said yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approved: Option<bool>,
    /// AllAvailable, PartAvailable or Unavailable.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub status: Option<String>,
    /// NotAppealed, Appealing, AppealSuccessful, AppealFailed or AppealDone.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub appeal: Option<String>,
    /// When it was last reviewed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_audit_time: Option<Time>,
    /// Why it was rejected, at most 10; reasonCount has them all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 10))]
    pub reasons: Vec<RejectReason>,
    /// How many reasons TikTok gives.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason_count: Option<i32>,
}

/// One reason why TikTok rejected an object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct RejectReason {
    /// TikTok's own text.
    #[schemars(length(max = 1024))]
    pub reason: String,
    /// What was rejected: Text, Image, Video, Music, LandingPage or Other, with its id where TikTok gives one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 256))]
    pub content: Option<String>,
    /// What TikTok suggests to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub suggestion: Option<String>,
    /// Where it may not be shown because of this: placements, locations, ages and operating systems, at most 20.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 20), inner(length(max = 128)))]
    pub forbidden: Vec<String>,
}

/// One creative inside a Smart+ ad.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct CreativeStatus {
    /// The creative's ad id on TikTok.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 20))]
    pub id: Option<String>,
    /// The id of the material in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub material_id: Option<String>,
    /// The creative's switch on TikTok: On, Off or Deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub state: Option<String>,
    /// TikTok's own word for the delivery status (secondary_status).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 128))]
    pub delivery_status: Option<String>,
}
