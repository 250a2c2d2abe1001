//! TikTokConnection: one ad account, the app and the token to reach it, and the limits that hold in it.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::common::{Adoption, DriftPolicies, LocalRef, Mode, Money};

/// Which ad account, by which app and token, and under which limits.
// Print columns repeat the same attribute names; that is how kube's derive takes them.
#[allow(clippy::duplicated_attributes)]
#[derive(CustomResource, Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "tiktokads.dev",
    version = "v1alpha1",
    kind = "TikTokConnection",
    plural = "tiktokconnections",
    shortname = "ttconn",
    category = "tiktokads",
    namespaced,
    status = "TikTokConnectionStatus",
    derive = "PartialEq",
    selectable = ".spec.advertiserId",
    doc = "A connection to one TikTok ad account: the app, the token, the advertiser and the ceilings on budgets. Deleting it disconnects; campaigns stay on TikTok as they are.",
    printcolumn(
        name = "Advertiser",
        type_ = "string",
        json_path = ".status.advertiser.id",
        description = "The ad account's id"
    ),
    printcolumn(
        name = "Phase",
        type_ = "string",
        json_path = ".status.phase",
        description = "Where the connection is in its life"
    ),
    printcolumn(
        name = "Currency",
        type_ = "string",
        json_path = ".status.advertiser.currency",
        description = "The ad account's currency"
    ),
    printcolumn(
        name = "Ready",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].status",
        description = "True: the ad account can be read and written"
    ),
    printcolumn(
        name = "Reason",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].reason",
        priority = 1,
        description = "Why it is ready or not"
    ),
    printcolumn(
        name = "Banner",
        type_ = "string",
        json_path = ".status.banner",
        priority = 1,
        description = "What somebody has to do"
    ),
    printcolumn(
        name = "Age",
        type_ = "date",
        json_path = ".metadata.creationTimestamp",
        description = "Since when this object exists"
    )
)]
#[serde(rename_all = "camelCase")]
pub struct TikTokConnectionSpec {
    /// The Secret (in the same namespace) with the developer app: the keys app_id and secret.
    pub app_secret_ref: LocalRef,
    /// A Secret with an access token that you already have. It is only read, never written or revoked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_secret_ref: Option<SecretKeyRef>,
    /// The ad account's id, in quotes. Not said: status lists the accounts that the token reaches. Cannot be changed
    /// once set.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub advertiser_id: Option<String>,
    /// The loosest mode for everything in this account: Enforce (also when not said), Suspend (only pauses are
    /// written), Plan (nothing is written, plans are shown) or Observe (nothing is written).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    /// What objects that do not say it do when TikTok already has one of their name: Refuse (also when not said) or
    /// SameName.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub adoption: Option<Adoption>,
    /// What objects that do not say it do about changes made on TikTok, per group of fields.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drift: Option<DriftPolicies>,
    /// Ceilings on budgets. Without them nothing is switched on and no budget raised.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub caps: Option<Caps>,
    /// The zone in which the start and end of schedules are sent to TikTok: Utc (also when not said), as its
    /// documentation has it, or Account. Set it to Account if an ad group says ScheduleShifted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schedule_zone: Option<ScheduleZone>,
}

/// A zone that times are written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[schemars(description = "")]
pub enum ScheduleZone {
    /// UTC.
    Utc,
    /// The ad account's own zone.
    Account,
}

/// A key of a Secret in the same namespace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SecretKeyRef {
    /// The name of the Secret. It is always looked for in the same namespace.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
    /// The key in the Secret. Not said: access_token.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub key: Option<String>,
}

/// Ceilings on budgets. At least one has to be said.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("minProperties" = 1))]
pub struct Caps {
    /// The most that one campaign or ad group may have as its daily budget.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_daily_budget_per_object: Option<Money>,
    /// The most that all daily budgets in the account, of everything switched on, may add up to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_daily_budget_total: Option<Money>,
}

/// What is so about the connection. Written by the operator only.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct TikTokConnectionStatus {
    /// The generation of the spec that this status speaks of; -1 before the first look.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// Pending, AwaitingAdvertiser, Active, ReadOnly or Disconnecting.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub phase: Option<String>,
    /// What somebody has to do, and by when. Absent: nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 2048))]
    pub banner: Option<String>,
    /// The token in use. Never the token itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<TokenStatus>,
    /// The ad account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advertiser: Option<AdvertiserStatus>,
    /// The ad accounts that the token reaches, id and name, the first 20; advertiserCount has them all.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 20), inner(length(max = 128)))]
    pub advertisers: Option<Vec<String>>,
    /// How many ad accounts the token reaches.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advertiser_count: Option<i32>,
    /// Objects on TikTok that were created from here and whose Kubernetes object is gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub orphaned: Option<Orphaned>,
    /// Objects whose deletion policy has still to be carried out before the connection can go; the first 20.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 20), inner(length(max = 512)))]
    pub open_children: Option<Vec<String>>,
    /// What is so, since when, why and what to do.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    pub conditions: Vec<Condition>,
}

/// The token in use, without the token.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TokenStatus {
    /// The first characters of the token's SHA-256, to tell one token from another.
    #[serde(default)]
    #[schemars(length(max = 64))]
    pub fingerprint: String,
    /// What kind of token it is, such as LongLived.
    #[serde(default)]
    #[schemars(length(max = 64))]
    pub profile: String,
    /// When this token was taken over from its Secret.
    pub imported_at: Time,
}

/// The ad account as TikTok describes it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct AdvertiserStatus {
    /// The ad account's id.
    #[schemars(length(max = 20))]
    pub id: String,
    /// The ad account's name.
    #[schemars(length(max = 512))]
    pub name: String,
    /// The ad account's currency.
    #[schemars(length(max = 16))]
    pub currency: String,
    /// The ad account's time zone.
    #[schemars(length(max = 64))]
    pub time_zone: String,
    /// TikTok's own word for the account's status.
    #[schemars(length(max = 64))]
    pub account_status: String,
}

/// Objects on TikTok whose Kubernetes object is gone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Orphaned {
    /// How many there are.
    pub count: i32,
    /// The first 20 ids.
    #[schemars(length(max = 20), inner(length(max = 20)))]
    pub ids: Vec<String>,
}
