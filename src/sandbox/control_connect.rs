//! The part of the control interface that is about connecting and hearing: apps, approvals, tokens, pixels,
//! subscriptions, events and their deliveries.

use serde_json::{Map, Value, json};

use super::{
    DeliveryState, NewGrant, NewPixel, NewSubscription, PortalError, Request, Sandbox, SentEvent,
    TokenChange,
    control_api::{Wrong, field, read},
    query::Params,
};

impl From<PortalError> for Wrong {
    fn from(error: PortalError) -> Self {
        let status = match error {
            PortalError::App(_) => 404,
            _ => 400,
        };
        Self(status, error.to_string())
    }
}

fn no_token() -> Wrong {
    Wrong(404, "there is no such token".into())
}

/// Done, or 404 if what was named is not there.
fn done(found: bool, what: &str, id: &str) -> Result<Value, Wrong> {
    if found {
        Ok(json!({}))
    } else {
        Err(Wrong(404, format!("there is no {what} {id}")))
    }
}

impl Sandbox {
    pub(super) fn control_connect(
        &mut self,
        now: i64,
        request: &Request,
        params: &Params,
        parts: &[&str],
    ) -> Result<Value, Wrong> {
        match (request.method.as_str(), parts) {
            ("GET", ["apps"]) => Ok(self.apps_json()),
            ("PATCH", ["apps", id]) => {
                self.change_app(id, &read(request)?)?;
                self.app_json(id)
                    .ok_or_else(|| Wrong(404, format!("there is no app {id}")))
            }
            ("POST", ["authorise"]) => Ok(json!(self.authorise(now, &read(request)?)?)),
            ("POST", ["auth_codes"]) => {
                let new: NewGrant = read(request)?;
                let code = self.create_auth_code_for(now, &new)?;
                Ok(json!({ "auth_code": code }))
            }
            ("GET", ["tokens"]) => Ok(self.tokens_json(now, params.text("app_id"))),
            ("POST", ["tokens"]) => {
                let new: NewGrant = read(request)?;
                Ok(self.issue_token(now, &new)?)
            }
            ("PATCH", ["tokens"]) => {
                let change: TokenChange = read(request)?;
                if self.change_token(now, &change)? {
                    Ok(json!({}))
                } else {
                    Err(no_token())
                }
            }
            ("POST", ["tokens", action @ ("revoke" | "expire")]) => {
                let body: Map<String, Value> = read(request)?;
                self.end_token(now, action, &body)
            }
            ("GET", ["pixels"]) => {
                let id = params
                    .text("advertiser_id")
                    .ok_or_else(|| Wrong(400, "say ?advertiser_id=".into()))?;
                Ok(json!({ "pixels": self.pixels_of(id) }))
            }
            ("POST", ["pixels"]) => {
                let new: NewPixel = read(request)?;
                Ok(json!(self.add_pixel(now, &new)?))
            }
            ("DELETE", ["pixels", id]) => done(self.remove_pixel(id), "pixel", id),
            ("GET", ["subscriptions"]) => Ok(self.subscriptions_json(now, params)),
            ("POST", ["subscriptions"]) => {
                let new: NewSubscription = read(request)?;
                let id = self.add_subscription(new)?;
                Ok(json!({ "subscription_id": id }))
            }
            ("DELETE", ["subscriptions", id]) => {
                done(self.remove_subscription(id), "subscription", id)
            }
            ("POST", ["events"]) => {
                let ids = self.send_event(now, read(request)?)?;
                Ok(json!({ "delivery_ids": ids }))
            }
            ("GET", ["deliveries"]) => Ok(self.deliveries_json(params)),
            ("DELETE", ["deliveries"]) => {
                self.clear_deliveries(params.text("advertiser_id"));
                Ok(json!({}))
            }
            (method, _) => Err(Wrong(
                404,
                format!(
                    "there is no {method} {}; GET /sandbox/ lists what there is",
                    request.path
                ),
            )),
        }
    }

    fn end_token(
        &mut self,
        now: i64,
        action: &str,
        body: &Map<String, Value>,
    ) -> Result<Value, Wrong> {
        let token = field(body, "access_token")?;
        let whole_grant = match body.get("all") {
            None => false,
            Some(value) => value
                .as_bool()
                .ok_or_else(|| Wrong(400, "all is true or false".into()))?,
        };
        if action == "revoke" && whole_grant {
            let grant = self.grant_of(token).ok_or_else(no_token)?.clone();
            let lost = self.revoke_grant(&grant.app_id, &grant.user_id);
            return Ok(json!({ "advertiser_ids": lost }));
        }
        let found = if action == "revoke" {
            self.revoke_token(token)
        } else {
            self.expire_token(now, token)
        };
        if found {
            Ok(json!({}))
        } else {
            Err(no_token())
        }
    }

    /// An app without its secrets.
    fn app_json(&self, id: &str) -> Option<Value> {
        let app = self.accounts.apps.get(id)?;
        Some(json!({
            "app_id": id,
            "tier": app.tier,
            "redirect_urls": app.redirect_urls,
            "scopes": app.scopes,
            "blocked": app.blocked,
            "has_webhook_key": app.webhook_key.is_some(),
        }))
    }

    fn apps_json(&self) -> Value {
        let ids = self.accounts.apps.keys();
        let list: Vec<Value> = ids.filter_map(|id| self.app_json(id)).collect();
        json!({ "apps": list })
    }

    fn tokens_json(&self, now: i64, app_id: Option<&str>) -> Value {
        let at = self.at(now);
        let list: Vec<Value> = self
            .accounts
            .tokens
            .iter()
            .filter(|(_, token)| app_id.is_none_or(|id| token.grant.app_id == id))
            .map(|(text, token)| {
                json!({
                    "access_token": text,
                    "app_id": token.grant.app_id,
                    "user_id": token.grant.user_id,
                    "advertiser_ids": token.grant.advertiser_ids,
                    "scopes": token.grant.scopes,
                    "expires_at": token.expires_at,
                    "revoked": token.revoked,
                    "works": self.live_token(at, text).is_ok(),
                })
            })
            .collect();
        json!({ "tokens": list })
    }

    fn subscriptions_json(&self, now: i64, params: &Params) -> Value {
        let at = self.at(now);
        let list: Vec<Value> = self
            .subscriptions
            .iter()
            .filter(|(_, one)| params.text("app_id").is_none_or(|id| one.app_id == id))
            .filter(|(_, one)| {
                let wanted = params.text("advertiser_id");
                wanted.is_none_or(|id| one.advertiser() == id)
            })
            .map(|(id, one)| {
                let mut entry = json!(one);
                entry["subscription_id"] = json!(id);
                entry["heard"] = json!(self.is_heard(at, one, one.advertiser()));
                entry
            })
            .collect();
        json!({ "subscriptions": list })
    }

    fn deliveries_json(&self, params: &Params) -> Value {
        let after: u64 = params
            .text("after")
            .and_then(|text| text.parse().ok())
            .unwrap_or(0);
        let wanted = |name: &str, has: &str| params.text(name).is_none_or(|value| value == has);
        let state = |one: &SentEvent| match one.state {
            DeliveryState::Waiting => "waiting",
            DeliveryState::Delivered => "delivered",
            DeliveryState::GivenUp => "given_up",
        };
        let mut list: Vec<&SentEvent> = self
            .deliveries()
            .filter(|one| {
                one.id > after
                    && wanted("advertiser_id", &one.advertiser_id)
                    && wanted("app_id", &one.app_id)
                    && wanted("state", state(one))
            })
            .collect();
        list.sort_by_key(|one| one.id);
        let list: Vec<Value> = list
            .into_iter()
            .map(|one| {
                json!({
                    "id": one.id,
                    "app_id": one.app_id,
                    "advertiser_id": one.advertiser_id,
                    "subscription_ids": one.subscription_ids,
                    "url": one.url,
                    "body": one.body,
                    "state": state(one),
                    "queued_at": one.queued_at,
                    "due": one.due,
                    "under_way": one.under_way_since.is_some(),
                    "attempts": one.attempts,
                })
            })
            .collect();
        json!({ "deliveries": list })
    }
}
