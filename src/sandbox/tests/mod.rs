//! Tests of the core, through the same door as everybody: requests in, answers out.

mod ad_bodies;
mod ad_group_money;
mod ad_group_rules;
mod ad_group_schedules;
mod ad_groups;
mod ad_knobs;
mod ad_updates;
mod ads;
mod appeals;
mod business_centers;
mod control;
mod creates;
mod deliveries;
mod docs;
mod faults;
mod keys;
mod knobs;
mod level_properties;
mod levels;
mod limits;
mod lists;
mod oauth;
mod portal;
mod properties;
mod reviews;
mod smart_plus;
mod smart_plus_ad_groups;
mod smart_plus_ads;
mod statuses;
mod subscriptions;
mod token_life;
mod updates;
mod webhook_properties;
mod webhooks;

use serde_json::{Value, json};

use super::*;

/// Monday, 23 November 2026, 12:00 UTC.
const START: i64 = 1_795_435_200_000;

/// A sandbox with one account and a clock.
#[derive(Clone)]
struct Bench {
    sandbox: Sandbox,
    account: Account,
    now: i64,
}

impl Bench {
    fn new() -> Self {
        Self::with(NewAccount::default())
    }

    fn with(account: NewAccount) -> Self {
        let mut sandbox = Sandbox::new(&Config::default()).unwrap();
        let account = sandbox.create_account(START, &account).unwrap();
        let mut bench = Self {
            sandbox,
            account,
            now: START,
        };
        bench.knob("rate", "off");
        bench
    }

    fn knob(&mut self, name: &str, value: &str) {
        let id = self.id();
        self.sandbox.set_knob(Some(&id), name, value).unwrap();
    }

    fn id(&self) -> String {
        self.account.advertiser_id.clone()
    }

    fn send(&mut self, method: &str, path: &str, query: &str, body: &[u8]) -> Answer {
        let request = Request {
            method: method.into(),
            path: format!("/open_api/v1.3{path}"),
            query: query.into(),
            headers: vec![("access-token".into(), self.account.access_token.clone())],
            body: body.to_vec(),
        };
        self.sandbox.handle(self.now, &request)
    }

    fn post(&mut self, path: &str, mut body: Value) -> Value {
        if body.get("advertiser_id").is_none() {
            body["advertiser_id"] = json!(self.id());
        }
        let answer = self.send("POST", path, "", body.to_string().as_bytes());
        answer.reply().map(Response::json).unwrap_or_default()
    }

    fn get(&mut self, path: &str, query: &[(&str, Value)]) -> Value {
        let mut text = format!("advertiser_id={}", self.id());
        for (name, value) in query {
            let value = value.to_string();
            let encoded: String = url::form_urlencoded::byte_serialize(value.as_bytes()).collect();
            text.push_str(&format!("&{name}={encoded}"));
        }
        self.send("GET", path, &text, b"")
            .reply()
            .map(Response::json)
            .unwrap_or_default()
    }

    /// A campaign of the manual tree, disabled, 50 a day.
    fn manual(&mut self, name: &str) -> String {
        let reply = self.post("/campaign/create/", manual(name));
        id_of(&reply)
    }

    /// A campaign of the Smart+ tree, disabled, 50 a day.
    fn smart_plus(&mut self, name: &str) -> String {
        let reply = self.post(
            "/smart_plus/campaign/create/",
            smart_plus(name, name_key(name)),
        );
        id_of(&reply)
    }

    /// A campaign of the manual tree with other fields, disabled.
    fn manual_with(&mut self, name: &str, changes: Value) -> String {
        let reply = self.post("/campaign/create/", but(manual(name), changes));
        id_of(&reply)
    }

    /// An ad group of a manual campaign, disabled.
    fn ad_group(&mut self, campaign: &str, name: &str) -> String {
        let reply = self.post("/adgroup/create/", ad_group(campaign, name));
        made(&reply, "adgroup_id")
    }

    /// An ad group of a Smart+ campaign, disabled.
    fn smart_plus_ad_group(&mut self, campaign: &str, name: &str) -> String {
        let body = smart_plus_ad_group(campaign, name);
        let reply = self.post("/smart_plus/adgroup/create/", body);
        made(&reply, "adgroup_id")
    }

    /// An ad of a manual ad group, disabled.
    fn ad(&mut self, ad_group: &str, name: &str) -> String {
        let reply = self.ads(ad_group, json!([creative(name)]));
        assert_eq!(reply["code"], 0, "{reply}");
        reply["data"]["ad_ids"][0].as_str().unwrap().to_owned()
    }

    fn ads(&mut self, ad_group: &str, creatives: Value) -> Value {
        let body = json!({"adgroup_id": ad_group, "creatives": creatives});
        self.post("/ad/create/", body)
    }

    /// The row of any object in the manual lists, deleted or not.
    fn row_of(&mut self, level: Level, id: &str) -> Value {
        let (ids, path) = match level {
            Level::Campaign => ("campaign_ids", "/campaign/get/"),
            Level::AdGroup => ("adgroup_ids", "/adgroup/get/"),
            Level::Ad => ("ad_ids", "/ad/get/"),
        };
        let filtering = json!({ids: [id], "primary_status": "STATUS_ALL"});
        self.get(path, &[("filtering", filtering)])["data"]["list"][0].clone()
    }

    /// Enables, pauses or deletes through the manual tree's endpoints.
    fn operate(&mut self, level: Level, id: &str, operation: &str) -> Value {
        let (ids, path) = match level {
            Level::Campaign => ("campaign_ids", "/campaign/status/update/"),
            Level::AdGroup => ("adgroup_ids", "/adgroup/status/update/"),
            Level::Ad => ("ad_ids", "/ad/status/update/"),
        };
        self.post(path, json!({ids: [id], "operation_status": operation}))
    }

    fn list(&mut self, filtering: Value) -> Vec<String> {
        let reply = self.get(
            "/campaign/get/",
            &[("filtering", filtering), ("page_size", json!(1000))],
        );
        ids(&reply)
    }

    fn row(&mut self, id: &str) -> Value {
        let filtering = json!({"campaign_ids": [id], "primary_status": "STATUS_ALL"});
        self.get("/campaign/get/", &[("filtering", filtering)])["data"]["list"][0].clone()
    }

    fn status(&mut self, id: &str, operation: &str) -> Value {
        self.post(
            "/campaign/status/update/",
            json!({"campaign_ids": [id], "operation_status": operation}),
        )
    }
}

/// One call of the control interface: the status and the JSON.
fn control(bench: &mut Bench, method: &str, path: &str, query: &str, body: Value) -> (u16, Value) {
    let body = if body.is_null() {
        Vec::new()
    } else {
        body.to_string().into_bytes()
    };
    let request = Request {
        method: method.into(),
        path: path.into(),
        query: query.into(),
        headers: vec![],
        body,
    };
    let answer = bench.sandbox.handle(bench.now, &request);
    let response = answer.reply().unwrap();
    (response.status, response.json())
}

fn name_key(name: &str) -> u64 {
    name.bytes()
        .fold(7, |sum, byte| sum * 31 % 1_000_000_007 + u64::from(byte))
}

fn manual(name: &str) -> Value {
    json!({
        "campaign_name": name, "objective_type": "TRAFFIC", "operation_status": "DISABLE",
        "budget_mode": "BUDGET_MODE_DAY", "budget": 50,
    })
}

fn smart_plus(name: &str, key: u64) -> Value {
    json!({
        "campaign_name": name, "objective_type": "WEB_CONVERSIONS", "sales_destination": "WEBSITE",
        "operation_status": "DISABLE", "budget": 50, "request_id": key.to_string(),
    })
}

/// An ad group of a manual TRAFFIC campaign: Germany, from one o'clock, 20 a day, disabled.
fn ad_group(campaign: &str, name: &str) -> Value {
    json!({
        "campaign_id": campaign, "adgroup_name": name, "operation_status": "DISABLE",
        "promotion_type": "WEBSITE", "placements": ["PLACEMENT_TIKTOK"], "location_ids": ["2921044"],
        "budget_mode": "BUDGET_MODE_DAY", "budget": 20, "schedule_type": "SCHEDULE_FROM_NOW",
        "schedule_start_time": "2026-11-23 13:00:00", "optimization_goal": "CLICK", "billing_event": "CPC",
        "bid_type": "BID_TYPE_NO_BID", "pacing": "PACING_MODE_SMOOTH",
    })
}

/// An ad group of a Smart+ WEB_CONVERSIONS campaign, disabled.
fn smart_plus_ad_group(campaign: &str, name: &str) -> Value {
    json!({
        "campaign_id": campaign, "adgroup_name": name, "operation_status": "DISABLE",
        "request_id": name_key(&format!("{campaign}/{name}")).to_string(), "promotion_type": "WEBSITE",
        "optimization_goal": "CONVERT", "optimization_event": "SHOPPING", "pixel_id": "7000000000000000009",
        "billing_event": "OCPM", "schedule_type": "SCHEDULE_FROM_NOW",
        "schedule_start_time": "2026-11-23 13:00:00", "targeting_spec": {"location_ids": ["2921044"]},
    })
}

/// A creative: a video of an account, disabled.
fn creative(name: &str) -> Value {
    json!({
        "ad_name": name, "operation_status": "DISABLE", "ad_format": "SINGLE_VIDEO", "identity_type": "TT_USER",
        "identity_id": "account", "video_id": "v1", "image_ids": ["cover"], "ad_text": "Look",
        "call_to_action": "LEARN_MORE", "landing_page_url": "https://example.com/",
    })
}

/// A body with some fields other than they were; `null` takes one away.
fn but(mut body: Value, changes: Value) -> Value {
    for (name, value) in changes.as_object().unwrap() {
        if value.is_null() {
            body.as_object_mut().unwrap().remove(name);
        } else {
            body[name] = value.clone();
        }
    }
    body
}

fn id_of(reply: &Value) -> String {
    assert_eq!(reply["code"], 0, "{reply}");
    reply["data"]["campaign_id"].as_str().unwrap().to_owned()
}

fn made(reply: &Value, field: &str) -> String {
    assert_eq!(reply["code"], 0, "{reply}");
    reply["data"][field].as_str().unwrap().to_owned()
}

fn ids(reply: &Value) -> Vec<String> {
    assert_eq!(reply["code"], 0, "{reply}");
    reply["data"]["list"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["campaign_id"].as_str().unwrap().to_owned())
        .collect()
}

fn keys(value: &Value) -> Vec<&str> {
    value
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect()
}
