//! What a write asks of the platform, read from the request alone.

use serde_json::Value;
use tiktok_ads_operator::platform::{Method, WireRequest};

use crate::sim::api_server::{AD, AD_GROUP, CAMPAIGN, strings};

/// A write that is about to be sent.
pub struct Write {
    pub kind: &'static str,
    pub tree: &'static str,
    pub advertiser: String,
    pub what: What,
}

pub enum What {
    Create(Vec<Made>),
    /// One object; `fields` is the JSON object that holds what is set.
    Update {
        id: String,
        fields: Value,
    },
    Status {
        ids: Vec<String>,
        to: String,
    },
    /// Single creatives of a Smart+ ad.
    Creatives {
        ad: String,
    },
}

/// One object of a create.
pub struct Made {
    pub name: String,
    pub parent: Option<String>,
    /// Ads have none.
    pub key: Option<String>,
    pub fields: Value,
}

pub fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

/// Kind and tree of an endpoint.
pub fn place(path: &str) -> (&'static str, &'static str) {
    let kind = if path.contains("/campaign/") {
        CAMPAIGN
    } else if path.contains("/adgroup/") {
        AD_GROUP
    } else {
        AD
    };
    let tree = if path.contains("/smart_plus/") {
        "SmartPlus"
    } else {
        "Manual"
    };
    (kind, tree)
}

/// The names on the wire: an object's id, a list of them, its name, its parent's id.
pub fn names(
    kind: &str,
    tree: &str,
) -> (
    &'static str,
    &'static str,
    &'static str,
    Option<&'static str>,
) {
    match (kind, tree) {
        (CAMPAIGN, _) => ("campaign_id", "campaign_ids", "campaign_name", None),
        (AD_GROUP, _) => (
            "adgroup_id",
            "adgroup_ids",
            "adgroup_name",
            Some("campaign_id"),
        ),
        (_, "SmartPlus") => (
            "smart_plus_ad_id",
            "smart_plus_ad_ids",
            "ad_name",
            Some("adgroup_id"),
        ),
        _ => ("ad_id", "ad_ids", "ad_name", Some("adgroup_id")),
    }
}

/// `None`: it is not a write.
pub fn write(request: &WireRequest) -> Option<Write> {
    let body = request
        .body
        .as_ref()
        .filter(|_| request.method == Method::Post)?;
    // What is asked of an app changes nothing in an account.
    if request.path.contains("/subscription/") || request.path.contains("/oauth2/") {
        return None;
    }
    let (kind, tree) = place(request.path);
    let (id, ids, name, parent) = names(kind, tree);
    let path = request.path;
    // Manual ads are lists even when there is one.
    let items: Vec<Value> = match body.get("creatives").and_then(Value::as_array) {
        Some(items) => items.clone(),
        None => vec![body.clone()],
    };
    let what = if path.ends_with("/create/") {
        let made = |fields: &Value| Made {
            name: text(fields, name).into(),
            parent: parent.map(|parent| text(body, parent).to_string()),
            key: fields["request_id"].as_str().map(str::to_owned),
            fields: fields.clone(),
        };
        What::Create(items.iter().map(made).collect())
    } else if path.contains("/material_status/") {
        What::Creatives {
            ad: text(body, id).into(),
        }
    } else if path.contains("/status/update/") {
        What::Status {
            ids: strings(body.get(ids).or(body.get("aco_ad_ids"))?),
            to: text(body, "operation_status").into(),
        }
    } else {
        let fields = items.into_iter().next()?;
        What::Update {
            id: text(&fields, id).into(),
            fields,
        }
    };
    Some(Write {
        kind,
        tree,
        advertiser: text(body, "advertiser_id").into(),
        what,
    })
}
