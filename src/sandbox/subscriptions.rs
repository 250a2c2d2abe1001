//! Subscriptions of an app: `POST /subscription/subscribe/`, `GET /subscription/get/`, `POST /subscription/unsubscribe/`.
//! They are not in TikTok's own clients; shapes follow GO model/subscription.
//!
//! The app's secret is in the body (or, of the list, in the query), and each subscription holds the access token it was
//! made with. A list shows the whole app's rows, also those that other programs made.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{
    AccountError, Sandbox,
    envelope::{APP_REFUSED, Refusal, Reply},
    fields::check_word,
    item::Level,
    knobs, portal,
    query::{self, Body, Params, missing},
    tokens::Grant,
};

/// What can be subscribed to. Only the first three have events here.
const ENTITIES: &[&str] = &[
    "AD_ACCOUNT_SUSPENSION",
    "AD_GROUP",
    "AD",
    "LEAD",
    "CREATIVE_FATIGUE",
    "REPORT_DATA_CHANGE",
    "TCM_VIDEOS",
    "API_SERVICE_STATUS",
];
/// Most advertisers of one suspension subscription.
const MOST_ADVERTISERS: usize = 100;

/// One subscription.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Subscription {
    /// The app.
    pub app_id: String,
    /// `AD_ACCOUNT_SUSPENSION`, `AD_GROUP`, `AD`, …
    pub subscribe_entity: String,
    /// Where its events go.
    pub callback_url: String,
    /// As it was sent, with the access token.
    pub subscription_detail: Map<String, Value>,
}

/// A subscription that another program of the same app made, as the control interface takes it: nothing is checked.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewSubscription {
    /// The app.
    pub app_id: String,
    /// `AD_ACCOUNT_SUSPENSION`, `AD_GROUP`, `AD`, …
    pub subscribe_entity: String,
    /// Where its events go.
    pub callback_url: String,
    /// What the list shows, with its access token.
    #[serde(default)]
    pub subscription_detail: Map<String, Value>,
}

impl Subscription {
    /// A field of its detail, empty if it has none.
    pub(super) fn detail(&self, name: &str) -> &str {
        let value = self.subscription_detail.get(name);
        value.and_then(Value::as_str).unwrap_or_default()
    }

    /// The advertisers that it names.
    fn advertisers(&self) -> impl Iterator<Item = &str> {
        let several = self.subscription_detail.get("advertiser_ids");
        let several = several.and_then(Value::as_array).into_iter().flatten();
        let one = Some(self.detail("advertiser_id")).filter(|id| !id.is_empty());
        several.filter_map(Value::as_str).chain(one)
    }

    /// The advertiser whose knobs count for it; empty if it names none.
    pub(super) fn advertiser(&self) -> &str {
        self.advertisers().next().unwrap_or_default()
    }
}

impl Sandbox {
    /// `POST /subscription/subscribe/`.
    pub(super) fn subscribe(
        &mut self,
        at: i64,
        app_id: &str,
        body: Body<'_>,
    ) -> Result<Reply, Refusal> {
        let entity = body.required("subscribe_entity", body.text("subscribe_entity")?)?;
        check_word("subscribe_entity", entity, ENTITIES)?;
        let callback_url = body.required("callback_url", body.text("callback_url")?)?;
        if !portal::may_redirect_to(callback_url) {
            return Err(Refusal::parameter("callback_url: Not a valid URL."));
        }
        let Some(detail) = body.get("subscription_detail") else {
            return Err(missing("subscription_detail"));
        };
        let Some(detail) = detail.as_object() else {
            return Err(Refusal::parameter(
                "subscription_detail: Not a valid object.",
            ));
        };
        self.check_detail(at, app_id, entity, body.inner(detail))?;
        let new = Subscription {
            app_id: app_id.into(),
            subscribe_entity: entity.into(),
            callback_url: callback_url.into(),
            subscription_detail: detail.clone(),
        };
        let advertiser = new.advertiser().to_owned();
        let subject = |one: &Subscription| {
            let mut detail = one.subscription_detail.clone();
            detail.remove("access_token");
            (
                one.subscribe_entity.clone(),
                one.callback_url.clone(),
                detail,
            )
        };
        let twin = self
            .subscriptions
            .iter()
            .find(|(_, one)| one.app_id == app_id && subject(one) == subject(&new))
            .map(|(id, _)| id.clone());
        if let Some(id) = twin {
            match self
                .knobs
                .text(&knobs::SUBSCRIPTION_DUPLICATES, &advertiser)
            {
                "same" => return Ok(Reply::ok(json!({ "subscription_id": id }))),
                "refused" => {
                    return Err(Refusal::parameter("The subscription already exists."));
                }
                _ => {}
            }
        }
        let limit = self.knobs.whole(&knobs::SUBSCRIPTION_LIMIT, &advertiser);
        let count = self.subscriptions_of(app_id).count();
        if limit > 0 && i64::try_from(count).is_ok_and(|count| count >= limit) {
            return Err(Refusal::parameter(format!(
                "The number of subscriptions of the app has reached the limit {limit}."
            )));
        }
        let id = self.insert_subscription(new);
        Ok(Reply::ok(json!({ "subscription_id": id })))
    }

    fn insert_subscription(&mut self, new: Subscription) -> String {
        let id = self.next_id(7_600_000_000_000_000_000);
        self.subscriptions.insert(id.clone(), new);
        id
    }

    /// Checks what a subscription is about, with the token it is made with.
    fn check_detail(
        &self,
        at: i64,
        app_id: &str,
        entity: &str,
        detail: Body<'_>,
    ) -> Result<(), Refusal> {
        let token = detail.text("access_token")?;
        let token = token.ok_or_else(|| missing("subscription_detail.access_token"))?;
        let grant = &self.live_token(at, token)?.grant;
        if grant.app_id != app_id {
            return Err(Refusal::new(
                APP_REFUSED,
                "The app_id does not fit the access token.",
            ));
        }
        let required = |name: &str| {
            detail
                .id(name)?
                .ok_or_else(|| missing(&format!("subscription_detail.{name}")))
        };
        let level = match entity {
            "AD_GROUP" => Level::AdGroup,
            "AD" => Level::Ad,
            "AD_ACCOUNT_SUSPENSION" => return self.check_suspension(grant, detail),
            _ => return Ok(()),
        };
        let advertiser_id = required("advertiser_id")?;
        let name = if level == Level::Ad {
            "ad_id"
        } else {
            "adgroup_id"
        };
        let id = required(name)?;
        self.check_granted(grant, &advertiser_id)?;
        let found = id.parse().ok().and_then(|number| {
            let store = self.items.get(&advertiser_id)?;
            store.shown_as(level, number)
        });
        match found {
            Some(_) => Ok(()),
            None => Err(Refusal::new(
                self.knobs
                    .whole(&knobs::MISSING_CAMPAIGN_CODE, &advertiser_id),
                format!(
                    "{} {id} does not exist or does not belong to advertiser {advertiser_id}.",
                    level.title()
                ),
            )),
        }
    }

    fn check_suspension(&self, grant: &Grant, detail: Body<'_>) -> Result<(), Refusal> {
        match (detail.id("bc_id")?, detail.ids("advertiser_ids")?) {
            (Some(bc_id), None) => {
                let mine = |id: &String| {
                    let advertiser = self.accounts.advertisers.get(id);
                    advertiser.is_some_and(|one| one.owner_bc_id == bc_id)
                };
                if grant.advertiser_ids.iter().any(mine) {
                    Ok(())
                } else {
                    Err(Refusal::new(
                        super::envelope::NO_PERMISSION,
                        format!("No permission to operate Business Center {bc_id}."),
                    ))
                }
            }
            (None, Some(ids)) => {
                if ids.is_empty() || ids.len() > MOST_ADVERTISERS {
                    return Err(Refusal::parameter(format!(
                        "subscription_detail.advertiser_ids: Length must be between 1 and {MOST_ADVERTISERS}."
                    )));
                }
                ids.iter().try_for_each(|id| self.check_granted(grant, id))
            }
            _ => Err(Refusal::parameter(
                "subscription_detail: One of bc_id and advertiser_ids is required.",
            )),
        }
    }

    /// `GET /subscription/get/`: the whole app's rows, whoever made them, oldest first.
    pub(super) fn list_subscriptions(
        &self,
        app_id: &str,
        params: &Params,
    ) -> Result<Reply, Refusal> {
        let entity = params.text("subscribe_entity");
        if let Some(entity) = entity {
            check_word("subscribe_entity", entity, ENTITIES)?;
        }
        let page = query::Page::read(params, 1_000)?;
        let rows = self
            .subscriptions_of(app_id)
            .filter(|(_, one)| entity.is_none_or(|wanted| one.subscribe_entity == wanted))
            .map(|(id, one)| {
                let mut detail = one.subscription_detail.clone();
                if self
                    .knobs
                    .is(&knobs::SUBSCRIPTION_ROW_TOKEN, one.advertiser(), "omitted")
                {
                    detail.remove("access_token");
                }
                json!({
                    "app_id": app_id,
                    "subscription_id": id,
                    "subscribe_entity": one.subscribe_entity,
                    "callback_url": one.callback_url,
                    "subscription_detail": detail,
                })
            })
            .collect();
        Ok(Reply::ok(page.answer("subscriptions", rows)))
    }

    /// `POST /subscription/unsubscribe/`.
    pub(super) fn unsubscribe(&mut self, app_id: &str, body: Body<'_>) -> Result<Reply, Refusal> {
        let id = body.required("subscription_id", body.id("subscription_id")?)?;
        let known = self
            .subscriptions
            .get(&id)
            .is_some_and(|one| one.app_id == app_id);
        if known {
            self.subscriptions.remove(&id);
        } else {
            let code = self.knobs.whole(&knobs::MISSING_SUBSCRIPTION_CODE, "");
            if code != 0 {
                return Err(Refusal::new(
                    code,
                    format!("Subscription {id} does not exist."),
                ));
            }
        }
        Ok(Reply::ok(json!({ "subscription_id": id })))
    }

    /// The subscriptions of an app with their ids.
    pub fn subscriptions_of(&self, app_id: &str) -> impl Iterator<Item = (&String, &Subscription)> {
        self.subscriptions
            .iter()
            .filter(move |(_, one)| one.app_id == app_id)
    }

    /// Adds a row that another program of the same app made; nothing is checked but that the app exists.
    pub fn add_subscription(&mut self, new: NewSubscription) -> Result<String, AccountError> {
        if !self.accounts.apps.contains_key(&new.app_id) {
            return Err(AccountError::App(new.app_id));
        }
        Ok(self.insert_subscription(Subscription {
            app_id: new.app_id,
            subscribe_entity: new.subscribe_entity,
            callback_url: new.callback_url,
            subscription_detail: new.subscription_detail,
        }))
    }

    /// Takes a subscription away. False if there is none of that id.
    pub fn remove_subscription(&mut self, id: &str) -> bool {
        self.subscriptions.remove(id).is_some()
    }

    /// Whether events of a subscription about this advertiser are still sent: its token was not revoked, still covers
    /// the advertiser, and, where the knob says so, has not expired. Nothing tells the subscriber when it ends.
    pub(super) fn is_heard(&self, at: i64, one: &Subscription, advertiser_id: &str) -> bool {
        let Some(token) = self.accounts.tokens.get(one.detail("access_token")) else {
            return false;
        };
        let blocked = self
            .accounts
            .apps
            .get(&one.app_id)
            .is_none_or(|app| app.blocked);
        let expired = token.expires_at.is_some_and(|end| end <= at)
            && self.knobs.is(
                &knobs::SUBSCRIPTION_TOKEN,
                advertiser_id,
                "dies_when_expired",
            );
        let covered = token
            .grant
            .advertiser_ids
            .iter()
            .any(|id| id == advertiser_id);
        !blocked && !token.revoked && !expired && covered
    }

    /// The subscriptions that an advertiser's suspension concerns.
    pub(super) fn suspension_subscriptions(&self, at: i64, advertiser_id: &str) -> Vec<String> {
        let owner = self
            .accounts
            .advertisers
            .get(advertiser_id)
            .map_or("", |advertiser| advertiser.owner_bc_id.as_str());
        self.heard(at, advertiser_id, "AD_ACCOUNT_SUSPENSION", |one| {
            let bc = one.detail("bc_id");
            (!bc.is_empty() && bc == owner) || one.advertisers().any(|id| id == advertiser_id)
        })
    }

    /// The subscriptions to the review of an ad group or ad.
    pub(super) fn review_subscriptions(
        &self,
        at: i64,
        advertiser_id: &str,
        level: Level,
        id: u64,
    ) -> Vec<String> {
        let (entity, field) = match level {
            Level::Campaign => return Vec::new(),
            Level::AdGroup => ("AD_GROUP", "adgroup_id"),
            Level::Ad => ("AD", "ad_id"),
        };
        let store = self.items.get(advertiser_id);
        self.heard(at, advertiser_id, entity, |one| {
            // A Smart+ ad is meant by its own id and by those of its creatives.
            one.advertiser() == advertiser_id
                && one.detail(field).parse().ok().is_some_and(|number| {
                    store
                        .and_then(|store| store.shown_as(level, number))
                        .is_some_and(|row| row.id == id)
                })
        })
    }

    fn heard(
        &self,
        at: i64,
        advertiser_id: &str,
        entity: &str,
        concerns: impl Fn(&Subscription) -> bool,
    ) -> Vec<String> {
        self.subscriptions
            .iter()
            .filter(|(_, one)| {
                one.subscribe_entity == entity
                    && concerns(one)
                    && self.is_heard(at, one, advertiser_id)
            })
            .map(|(id, _)| id.clone())
            .collect()
    }
}
