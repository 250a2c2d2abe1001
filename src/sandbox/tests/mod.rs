//! Tests of the core, through the same door as everybody: requests in, answers out.

mod ad_bodies;
mod ad_knobs;
mod appeals;
mod control;
mod creates;
mod docs;
mod faults;
mod keys;
mod knobs;
mod limits;
mod lists;
mod oauth;
mod properties;
mod reviews;
mod smart_plus;
mod smart_plus_ads;
mod updates;

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

fn id_of(reply: &Value) -> String {
    assert_eq!(reply["code"], 0, "{reply}");
    reply["data"]["campaign_id"].as_str().unwrap().to_owned()
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
