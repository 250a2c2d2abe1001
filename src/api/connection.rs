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
    /// A Secret with an access token that you already have. It is only read, never written or revoked. It may also have
    /// the keys refresh_token and expires_at (a time such as 2026-11-30T12:00:00Z): then the token is rotated like any
    /// other. Only a change of its content replaces the token in use, so a tool that restores the Secret does no harm.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_secret_ref: Option<SecretKeyRef>,
    /// The ad account's id, in quotes. Not said: the one picked on the connection's page; until then status lists the
    /// accounts that the token reaches. Cannot be changed once set.
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
    /// Ceilings on budgets. Without them nothing is switched on, no budget is raised, and what is on and says Active is
    /// switched off. What counts of a budget: a Daily one as it is, a DynamicDaily one × 1.25, a Total one whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub caps: Option<Caps>,
    /// The zone in which the start and end of schedules are sent to TikTok: Utc (also when not said), as its
    /// documentation has it, or Account. Set it to Account if an ad group says ScheduleShifted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schedule_zone: Option<ScheduleZone>,
    /// What happens to what is running when the token cannot be renewed and soon ends: Alert (also when not said) says so
    /// in status.banner and as an event; PauseAll also switches off everything whose spec says Active while the old token
    /// still works, and switches it on again after the connection was authorised anew.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_auth_degraded: Option<OnAuthDegraded>,
    /// Which ad account is taken when advertiserId is not said: Explicit (also when not said) waits until somebody picks
    /// one; OnlyOne takes the only one that the token reaches.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advertiser_pick: Option<AdvertiserPick>,
    /// A pixel that conversions are counted with. Whether the ad account has it is looked up and shown in status.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub events_source: Option<EventsSource>,
    /// How messages that claim to come from TikTok are told from forged ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub webhooks: Option<Webhooks>,
}

/// What happens to what is running when the token cannot be renewed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[schemars(description = "")]
pub enum OnAuthDegraded {
    /// It is said, and nothing is switched off.
    Alert,
    /// Everything whose spec says Active is switched off while that is still possible.
    PauseAll,
}

/// Which ad account is taken when the spec names none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[schemars(description = "")]
pub enum AdvertiserPick {
    /// The one that somebody picks.
    Explicit,
    /// The only one, if there is only one.
    OnlyOne,
}

/// What conversions are counted with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EventsSource {
    /// The pixel's id, in quotes, as Events Manager shows it.
    #[schemars(length(max = 64))]
    pub pixel_id: String,
}

/// How messages from TikTok are checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("minProperties" = 1))]
pub struct Webhooks {
    /// A Secret with the keys TIKTOK_WEBHOOK_SIGNING_KEY_CURRENT and, while a key is replaced,
    /// TIKTOK_WEBHOOK_SIGNING_KEY_PREVIOUS, which is accepted for 7 days. Not said: messages are signed with the app's secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keys_secret_ref: Option<LocalRef>,
    /// A Secret with a text that ends the address TikTok sends to, so that the address itself is not known to others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path_token_secret_ref: Option<PathTokenRef>,
}

/// A key of a Secret in the same namespace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PathTokenRef {
    /// The name of the Secret. It is always looked for in the same namespace.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
    /// The key in the Secret. Not said: path_token. Its value has 16 to 128 letters, digits, - and _.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub key: Option<String>,
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
    /// The page on which the connection is authorised. It asks for a ticket, which lies in the Secret
    /// NAME-tiktok-connect; `tiktok-ads-operator connect NAME` opens the page with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 2048))]
    pub connect_url: Option<String>,
    /// The address to register with TikTok as the developer app's redirect URL. All connections share it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 2048))]
    pub callback_url: Option<String>,
    /// The token in use. Never the token itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<TokenStatus>,
    /// What the token may do, in TikTok's numbers. Absent: TikTok did not say, as with an imported token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scopes: Option<ScopesStatus>,
    /// What the person who authorised may do in the ad account: ADMIN, OPERATOR, ANALYST, or Unknown where TikTok does
    /// not tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub role: Option<String>,
    /// The pixel that spec.eventsSource names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub events_source: Option<EventsSourceStatus>,
    /// Messages from TikTok.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub webhooks: Option<WebhooksStatus>,
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
    /// LongLived (has no end: watched, not renewed), Refreshable (ends, and is renewed by itself) or Expiring (ends, and
    /// somebody has to authorise again).
    #[serde(default)]
    #[schemars(length(max = 64))]
    pub profile: String,
    /// Imported (from the Secret that the spec names) or Authorised (on the connection's page).
    #[serde(default)]
    #[schemars(length(max = 64))]
    pub origin: String,
    /// Since when this token is in use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub obtained_at: Option<Time>,
    /// When this token ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Time>,
    /// When the operator begins to renew it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rotates_at: Option<Time>,
    /// The last attempt to renew it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_rotation: Option<RotationStatus>,
}

/// An attempt to renew the token.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RotationStatus {
    /// When it was made.
    pub at: Time,
    /// Succeeded or Failed.
    #[serde(default)]
    #[schemars(length(max = 64))]
    pub result: String,
    /// Why it failed, and what happens next.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub message: Option<String>,
}

/// What the token may do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ScopesStatus {
    /// What was granted, in TikTok's numbers.
    #[schemars(length(max = 100), inner(length(max = 64)))]
    pub granted: Vec<String>,
    /// What the operator needs and was not granted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100), inner(length(max = 64)))]
    pub missing: Vec<String>,
    /// What was granted and the operator never uses.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100), inner(length(max = 64)))]
    pub excess: Vec<String>,
}

/// The pixel that spec.eventsSource names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct EventsSourceStatus {
    /// The id that was looked for.
    #[schemars(length(max = 64))]
    pub pixel_id: String,
    /// Whether the ad account has it.
    pub found: bool,
}

/// Messages from TikTok.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct WebhooksStatus {
    /// The address to register with TikTok, without the text that spec.webhooks.pathTokenSecretRef adds to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 2048))]
    pub url: Option<String>,
    /// Until when messages signed with the previous key are accepted. Absent: there is none, or it is over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous_key_accepted_until: Option<Time>,
    /// When a message signed with the previous key came last, to the hour: whatever sent it has to be changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous_key_used: Option<Time>,
    /// How many subscriptions TikTok has for this connection.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subscriptions: Option<i32>,
    /// How many there would have to be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subscriptions_wanted: Option<i32>,
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
