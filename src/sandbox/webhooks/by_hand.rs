//! Events that somebody sends by hand: any body, any signature.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::{
    super::{ControlError, Sandbox, item::Level, knobs},
    queue::{ByHand, DeliveryState, SentEvent},
};

/// An event, as the control interface takes it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NewEvent {
    /// For this subscription: its app, its receiver and, without a body, what TikTok would say of its object now.
    pub subscription_id: Option<String>,
    /// Without a subscription: the app whose key signs.
    pub app_id: Option<String>,
    /// Without a subscription, or instead of its receiver: where it goes.
    pub url: Option<String>,
    /// Whose knobs count; not said: those of the subscription's advertiser.
    pub advertiser_id: Option<String>,
    /// What is sent: a JSON value, or a text as it is.
    pub body: Option<Value>,
    /// A value of the knob `webhook_signature`; not said: what the knob says.
    pub signature: Option<String>,
    /// Signs instead of the app's key.
    pub key: Option<String>,
    /// The time in a `tiktok` signature, seconds since 1970; not said: the time of sending.
    pub signature_time: Option<i64>,
    /// Sent too, or instead of what would be sent.
    pub headers: BTreeMap<String, String>,
}

fn wrong(field: &str, value: impl Into<String>) -> ControlError {
    ControlError::Value {
        field: field.into(),
        value: value.into(),
    }
}

impl Sandbox {
    /// Queues an event. Answers with the ids of its deliveries; the knobs about copies, order and holding count for it
    /// too.
    pub fn send_event(&mut self, now: i64, new: NewEvent) -> Result<Vec<u64>, ControlError> {
        let at = self.at(now);
        let subscription = match &new.subscription_id {
            None => None,
            Some(id) => Some(
                self.subscriptions
                    .get(id)
                    .cloned()
                    .ok_or_else(|| ControlError::Missing(id.clone()))?,
            ),
        };
        if let Some(scheme) = &new.signature {
            let line = format!("{}={scheme}", knobs::WEBHOOK_SIGNATURE.name);
            knobs::parse(&line).map_err(|error| wrong("signature", error.to_string()))?;
        }
        let named = subscription.as_ref();
        let advertiser_id = match (&new.advertiser_id, named) {
            (Some(id), _) => id.clone(),
            (None, Some(one)) => one.advertiser().to_owned(),
            (None, None) => String::new(),
        };
        let Some(body) = new.body else {
            let id = new.subscription_id.unwrap_or_default();
            return self.send_present_state(at, &id);
        };
        let app_id = new
            .app_id
            .or(named.map(|one| one.app_id.clone()))
            .ok_or_else(|| wrong("app_id", "left out without a subscription_id"))?;
        if !self.accounts.apps.contains_key(&app_id) {
            return Err(ControlError::Missing(app_id));
        }
        let url = new
            .url
            .or(named.map(|one| one.callback_url.clone()))
            .ok_or_else(|| wrong("url", "left out without a subscription_id"))?;
        let event = SentEvent {
            id: 0,
            app_id,
            advertiser_id,
            subscription_ids: new.subscription_id.into_iter().collect(),
            url,
            body: match body {
                Value::String(text) => text,
                other => other.to_string(),
            },
            state: DeliveryState::Waiting,
            due: at,
            queued_at: at,
            under_way_since: None,
            attempts: Vec::new(),
            by_hand: Some(ByHand {
                scheme: new.signature,
                key: new.key,
                seconds: new.signature_time,
                headers: new.headers.into_iter().collect(),
            }),
        };
        Ok(self.queue_delivery(at, event))
    }

    /// What TikTok would say of a subscription's object now, whether anything changed or not.
    fn send_present_state(&mut self, at: i64, id: &str) -> Result<Vec<u64>, ControlError> {
        let one = self
            .subscriptions
            .get(id)
            .ok_or_else(|| wrong("body", "left out without a subscription_id"))?;
        let advertiser_id = one.advertiser().to_owned();
        let (level, field) = match one.subscribe_entity.as_str() {
            "AD" => (Level::Ad, "ad_id"),
            "AD_GROUP" => (Level::AdGroup, "adgroup_id"),
            "AD_ACCOUNT_SUSPENSION" => (Level::Campaign, ""),
            other => return Err(wrong("body", format!("left out for {other}"))),
        };
        let before = self.webhooks.last_id;
        let sent = if level == Level::Campaign {
            self.announce_account_to(at, &advertiser_id, id)
        } else {
            let named = one.detail(field).to_owned();
            let store = self.items.get(&advertiser_id);
            let object = named
                .parse()
                .ok()
                .and_then(|number| store?.shown_as(level, number))
                .map(|row| row.id)
                .ok_or(ControlError::Missing(named))?;
            self.announce_to(at, &advertiser_id, level, object, id)
        };
        if !sent {
            return Err(ControlError::Missing(id.into()));
        }
        Ok((before + 1..=self.webhooks.last_id).collect())
    }
}
