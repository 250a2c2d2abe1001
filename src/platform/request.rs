//! From a call to the request as it goes over the wire.

use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

use super::access::{ASSETS_PAGE_SIZE, PIXELS_PAGE_SIZE};
use super::bodies;
use super::call::{Call, OperationStatus};
use super::kind::{Kind, Tree};
use super::oauth;
use super::subscription;
use super::table::table;
use super::wire::{Method, WireRequest};

impl Call {
    /// The request as it goes over the wire. The token is left out where the call [does not send it](Call::sends_token).
    pub fn request(&self, token: Option<&SecretString>) -> WireRequest {
        let (query, body) = match self {
            Call::AdvertiserInfo { advertiser_ids } => (
                vec![("advertiser_ids", json_text(&json!(advertiser_ids)))],
                None,
            ),
            Call::GrantedAdvertisers { app_id, secret } => (
                vec![
                    ("app_id", app_id.clone()),
                    ("secret", secret.expose_secret().to_owned()),
                ],
                None,
            ),
            Call::List {
                advertiser,
                kind,
                tree,
                filter,
                page,
                page_size,
            } => {
                let mut query = vec![("advertiser_id", advertiser.clone())];
                let filtering = filter.wire(*kind, *tree);
                if !filtering.is_empty() {
                    query.push(("filtering", json_text(&Value::Object(filtering))));
                }
                query.push(("page", page.to_string()));
                query.push(("page_size", page_size.to_string()));
                (query, None)
            }
            Call::Create {
                advertiser,
                kind,
                tree,
                objects,
            } => (
                Vec::new(),
                Some(bodies::create(advertiser, table(*kind, *tree), objects)),
            ),
            Call::Update {
                advertiser,
                kind,
                tree,
                id,
                changes,
            } => (
                Vec::new(),
                Some(bodies::update(advertiser, *kind, *tree, id, changes)),
            ),
            Call::SetStatus {
                advertiser,
                kind,
                tree,
                ids,
                status,
                postback_window_mode,
                automated_creative,
            } => {
                let mut body = json!({
                    "advertiser_id": advertiser,
                    "operation_status": status.wire(),
                });
                let name = if *automated_creative {
                    "aco_ad_ids"
                } else {
                    table(*kind, *tree).ids
                };
                body[name] = json!(ids);
                if let (OperationStatus::Disable, Some(mode)) = (status, postback_window_mode) {
                    body["postback_window_mode"] = json!(mode);
                }
                // R5: one bad id does not hold the others; only this call has it.
                if (*kind, *tree) == (Kind::AdGroup, Tree::Manual) {
                    body["allow_partial_success"] = json!(true);
                }
                (Vec::new(), Some(body))
            }
            Call::SetCreativeStatus {
                advertiser,
                ad,
                creatives,
                status,
            } => (
                Vec::new(),
                Some(json!({
                    "advertiser_id": advertiser,
                    "smart_plus_ad_id": ad,
                    "ad_material_ids": creatives,
                    "operation_status": status.wire(),
                })),
            ),
            Call::Appeal {
                advertiser,
                tree,
                ad,
                ad_group,
                reason,
            } => {
                let mut body = json!({"advertiser_id": advertiser, "appeal_reason": reason});
                match tree {
                    Tree::Manual => {
                        body["ad_id"] = json!(ad);
                        body["adgroup_id"] = json!(ad_group);
                    }
                    Tree::SmartPlus => body["smart_plus_ad_id"] = json!(ad),
                }
                (Vec::new(), Some(body))
            }
            Call::Reviews {
                advertiser,
                tree,
                ids,
            } => {
                let mut query = vec![("advertiser_id", advertiser.clone())];
                match tree {
                    Tree::Manual => {
                        query.push(("ad_ids", json_text(&json!(ids))));
                        query.push(("lang", "en".into()));
                    }
                    Tree::SmartPlus => {
                        query.push(("smart_plus_ad_ids", json_text(&json!(ids))));
                        query.push((
                            "extra_info_setting",
                            json_text(&json!({"include_reject_info": true})),
                        ));
                    }
                }
                (query, None)
            }
            Call::Exchange {
                app_id,
                secret,
                code,
                ..
            } => (Vec::new(), Some(oauth::exchange(app_id, secret, code))),
            Call::Refresh {
                app_id,
                secret,
                refresh_token,
                dialect,
            } => (
                Vec::new(),
                Some(oauth::refresh(app_id, secret, refresh_token, dialect)),
            ),
            Call::Revoke {
                app_id,
                secret,
                access_token,
            } => (
                Vec::new(),
                Some(oauth::revoke(app_id, secret, access_token)),
            ),
            Call::UserRoles { bc, page } => (
                vec![
                    ("bc_id", bc.clone()),
                    ("asset_type", "ADVERTISER".into()),
                    ("page", page.to_string()),
                    ("page_size", ASSETS_PAGE_SIZE.to_string()),
                ],
                None,
            ),
            Call::Pixels {
                advertiser,
                pixel_id,
            } => (
                vec![
                    ("advertiser_id", advertiser.clone()),
                    ("pixel_id", pixel_id.clone()),
                    ("page", "1".into()),
                    ("page_size", PIXELS_PAGE_SIZE.to_string()),
                ],
                None,
            ),
            Call::Subscriptions {
                app_id,
                secret,
                page,
            } => (
                vec![
                    ("app_id", app_id.clone()),
                    ("secret", secret.expose_secret().to_owned()),
                    ("page", page.to_string()),
                    ("page_size", subscription::PAGE_SIZE.to_string()),
                ],
                None,
            ),
            Call::Subscribe {
                app_id,
                secret,
                entity,
                callback_url,
                access_token,
            } => {
                let body =
                    subscription::subscribe(app_id, secret, entity, callback_url, access_token);
                (Vec::new(), Some(body))
            }
            Call::Unsubscribe {
                app_id,
                secret,
                subscription_id,
            } => (
                Vec::new(),
                Some(subscription::unsubscribe(app_id, secret, subscription_id)),
            ),
        };
        let method = if body.is_some() {
            Method::Post
        } else {
            Method::Get
        };
        WireRequest {
            method,
            path: self.path(),
            query,
            body,
            token: token.filter(|_| self.sends_token()).cloned(),
        }
    }
}

fn json_text(value: &Value) -> String {
    value.to_string()
}
