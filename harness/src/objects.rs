//! What is applied where the subject is many ads: a connection, a campaign, an ad group, and so many ads in it.

use serde_json::{Value, json};

use crate::{Error, Result, Sandbox};

/// A new account of the sandbox's, as `POST /sandbox/accounts` answers.
///
/// # Errors
/// When the sandbox does not answer with one.
pub fn account(sandbox: &Sandbox) -> Result<Value> {
    let made = sandbox.request("POST", "/sandbox/accounts", "{}")?;
    serde_json::from_str(&made.body)
        .map_err(|error| Error::Unusable(format!("no account: {error}: {}", made.body)))
}

/// A `List` for `kubectl apply`: Secrets `app` and `token` of an account of the sandbox's, connection `main` with wide
/// ceilings, campaign `c`, ad group `g` and ads `a0`, `a1`, …, all manual and said to be Active.
pub fn with_ads(account: &Value, count: usize) -> Value {
    let text = |name: &str| account[name].as_str().unwrap_or_default();
    let mut all = vec![
        secret(
            "app",
            &json!({"app_id": text("app_id"), "secret": text("secret")}),
        ),
        secret("token", &json!({"access_token": text("access_token")})),
        object(
            "TikTokConnection",
            "main",
            &json!({
                "appSecretRef": {"name": "app"}, "tokenSecretRef": {"name": "token"},
                "advertiserId": text("advertiser_id"),
                "caps": {
                    "maxDailyBudgetPerObject": {"amount": "1000", "currency": "USD"},
                    "maxDailyBudgetTotal": {"amount": "5000", "currency": "USD"},
                },
            }),
        ),
        object(
            "Campaign",
            "c",
            &json!({
                "connectionRef": {"name": "main"}, "automation": "Manual", "objective": "Traffic", "state": "Active",
            }),
        ),
        object(
            "AdGroup",
            "g",
            &json!({
                "campaignRef": {"name": "c"}, "promotion": {"type": "Website"}, "state": "Active",
                "placement": {"mode": "Select", "placements": ["TikTok"]},
                "optimization": {"goal": "Click", "billingEvent": "CPC"},
                "budget": {"mode": "Daily", "amount": "30"}, "bid": {"strategy": "LowestCost"},
                "targeting": {"locations": ["6252001"]},
            }),
        ),
    ];
    all.extend((0..count).map(|n| object("Ad", &format!("a{n}"), &ad())));
    json!({"apiVersion": "v1", "kind": "List", "items": all})
}

fn ad() -> Value {
    json!({
        "adGroupRef": {"name": "g"}, "state": "Active", "text": "Spring is here", "callToAction": "LearnMore",
        "identity": {"type": "TikTokUser", "id": "7100000000000000009"},
        "landingPage": {"url": "https://shop.example/spring"},
        "creative": {"format": "SingleVideo", "video": {
            "id": "v10033g50000c90q1d3c77ub6e96fvo0", "coverImageId": "ad-site-i18n-sg/202110195d0db51e"}},
    })
}

fn object(kind: &str, name: &str, spec: &Value) -> Value {
    json!({"apiVersion": "tiktokads.dev/v1alpha1", "kind": kind, "metadata": {"name": name}, "spec": spec})
}

fn secret(name: &str, content: &Value) -> Value {
    json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": content})
}
