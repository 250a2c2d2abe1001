//! Subscriptions to TikTok's events (R24). A developer app has one list of them for everybody who uses it.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::json;

pub(super) const LIST: &str = "/open_api/v1.3/subscription/get/";
pub(super) const SUBSCRIBE: &str = "/open_api/v1.3/subscription/subscribe/";
pub(super) const UNSUBSCRIBE: &str = "/open_api/v1.3/subscription/unsubscribe/";
/// The largest page TikTok gives.
pub(super) const PAGE_SIZE: u32 = 1000;

/// What is subscribed to: one subscription for each of these.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SubscriptionEntity {
    /// The account is suspended, or no longer.
    AccountSuspension { advertiser: String },
    /// The review of one ad group.
    AdGroup {
        advertiser: String,
        ad_group: String,
    },
    /// The review of one ad.
    Ad { advertiser: String, ad: String },
}

impl SubscriptionEntity {
    pub fn advertiser(&self) -> &str {
        match self {
            SubscriptionEntity::AccountSuspension { advertiser }
            | SubscriptionEntity::AdGroup { advertiser, .. }
            | SubscriptionEntity::Ad { advertiser, .. } => advertiser,
        }
    }

    /// TikTok's word for it.
    pub fn word(&self) -> &'static str {
        match self {
            SubscriptionEntity::AccountSuspension { .. } => "AD_ACCOUNT_SUSPENSION",
            SubscriptionEntity::AdGroup { .. } => "AD_GROUP",
            SubscriptionEntity::Ad { .. } => "AD",
        }
    }
}

/// Where events are sent. Its path may hold the token that keeps others from posting there: `Debug` shows scheme and
/// host only, and there is no `Display`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct CallbackUrl(String);

impl CallbackUrl {
    pub fn new(url: impl Into<String>) -> CallbackUrl {
        CallbackUrl(url.into())
    }

    /// The whole of it, never to be shown or logged.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What of it may be a secret, should somebody quote a part of the address: where the token is, if there is one. Too
    /// short for a token is a word like any other, and empty here.
    pub(super) fn last_part(&self) -> &str {
        let path = self.0.trim_end_matches('/');
        let last = path.rsplit('/').next().unwrap_or_default();
        if last.len() < 8 { "" } else { last }
    }
}

impl fmt::Debug for CallbackUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = url::Url::parse(&self.0)
            .ok()
            .map(|url| url.origin().ascii_serialization());
        write!(f, "CallbackUrl({}/…)", place.as_deref().unwrap_or("?"))
    }
}

/// One subscription of the developer app, ours or somebody else's: only those with our own address are ours. The access
/// tokens that TikTok lists beside them are not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubscriptionRow {
    /// Not empty.
    pub id: String,
    /// TikTok's word, such as `AD_GROUP`. Cleaned (R19).
    pub entity: String,
    /// The accounts it is about: one for an ad group or an ad, up to 100 for suspensions.
    pub advertisers: Vec<String>,
    /// The ad group or ad.
    pub object: Option<String>,
    /// Compared exactly, never shown.
    pub callback_url: CallbackUrl,
}

impl SubscriptionRow {
    /// What it is for. `None`: nothing that we subscribe to, or for several accounts at once.
    pub fn is_for(&self) -> Option<SubscriptionEntity> {
        let [advertiser] = self.advertisers.as_slice() else {
            return None;
        };
        let advertiser = advertiser.clone();
        match (self.entity.as_str(), self.object.clone()) {
            ("AD_ACCOUNT_SUSPENSION", _) => {
                Some(SubscriptionEntity::AccountSuspension { advertiser })
            }
            ("AD_GROUP", Some(ad_group)) => Some(SubscriptionEntity::AdGroup {
                advertiser,
                ad_group,
            }),
            ("AD", Some(ad)) => Some(SubscriptionEntity::Ad { advertiser, ad }),
            _ => None,
        }
    }
}

pub(super) fn subscribe(
    app_id: &str,
    secret: &SecretString,
    entity: &SubscriptionEntity,
    callback_url: &CallbackUrl,
    access_token: &SecretString,
) -> Value {
    let mut detail = json!({"access_token": access_token.expose_secret()});
    match entity {
        SubscriptionEntity::AccountSuspension { advertiser } => {
            detail["advertiser_ids"] = json!([advertiser]);
        }
        SubscriptionEntity::AdGroup {
            advertiser,
            ad_group,
        } => {
            detail["advertiser_id"] = json!(advertiser);
            detail["adgroup_id"] = json!(ad_group);
        }
        SubscriptionEntity::Ad { advertiser, ad } => {
            detail["advertiser_id"] = json!(advertiser);
            detail["ad_id"] = json!(ad);
        }
    }
    json!({
        "app_id": app_id,
        "secret": secret.expose_secret(),
        "subscribe_entity": entity.word(),
        "callback_url": callback_url.expose(),
        "subscription_detail": detail,
    })
}

pub(super) fn unsubscribe(app_id: &str, secret: &SecretString, id: &str) -> Value {
    json!({
        "app_id": app_id,
        "secret": secret.expose_secret(),
        "subscription_id": id,
    })
}

/// The id of a subscription: TikTok documents a text and no more than that.
pub(super) fn subscription_id(holder: &Value) -> Option<String> {
    as_subscription_id(holder.get("subscription_id")?)
}

fn as_subscription_id(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => {
            let usable =
                (1..=200).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
            usable.then(|| text.clone())
        }
        Value::Number(_) => json::as_id(value),
        _ => None,
    }
}

/// The envelope of a list with those parts of it that we look at, and nothing else. TikTok shows an access token in
/// every row, ours and other applications': what is not named below is skipped by the parser and never becomes a value.
pub(super) fn envelope(body: &[u8]) -> Option<Value> {
    let head: Head = serde_json::from_slice(body).ok()?;
    let data = serde_json::from_slice::<Whole>(body)
        .ok()
        .and_then(|whole| serde_json::to_value(whole.data).ok());
    Some(json!({
        "code": head.code,
        "message": head.message,
        "request_id": head.request_id,
        "data": data,
    }))
}

#[derive(Deserialize)]
struct Head {
    code: Value,
    #[serde(default)]
    message: Option<String>,
    #[serde(default)]
    request_id: Option<String>,
}

#[derive(Deserialize)]
struct Whole {
    data: Listed,
}

#[derive(Deserialize, Serialize)]
struct Listed {
    subscriptions: Vec<ListedRow>,
    page_info: Option<ListedPage>,
}

#[derive(Deserialize, Serialize)]
struct ListedPage {
    page: Option<u64>,
    page_size: Option<u64>,
    total_number: Option<u64>,
    total_page: Option<u64>,
}

#[derive(Deserialize, Serialize)]
struct ListedRow {
    subscription_id: Option<Id>,
    subscribe_entity: Option<String>,
    callback_url: Option<String>,
    subscription_detail: Option<ListedDetail>,
}

#[derive(Deserialize, Serialize)]
struct ListedDetail {
    advertiser_id: Option<Id>,
    advertiser_ids: Option<Vec<Id>>,
    adgroup_id: Option<Id>,
    ad_id: Option<Id>,
}

#[derive(Deserialize, Serialize)]
#[serde(untagged)]
enum Id {
    Text(String),
    Number(u64),
}

/// One row of [`envelope`]. `None` without an id.
pub(super) fn row(row: &Value) -> Option<SubscriptionRow> {
    let detail = row.get("subscription_detail").unwrap_or(&Value::Null);
    let one = json::id(detail, "advertiser_id");
    Some(SubscriptionRow {
        id: subscription_id(row)?,
        entity: json::text(row, "subscribe_entity").unwrap_or_default(),
        advertisers: match json::ids(detail, "advertiser_ids") {
            several if several.is_empty() => one.into_iter().collect(),
            several => several,
        },
        object: json::id(detail, "ad_id").or_else(|| json::id(detail, "adgroup_id")),
        callback_url: CallbackUrl(
            row.get("callback_url")
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned(),
        ),
    })
}
