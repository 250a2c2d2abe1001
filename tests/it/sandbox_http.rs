//! The sandbox over a real socket, by raw HTTP: what the official client cannot show (partial success, gateway answers),
//! and what only a socket has (delays, cut connections, the state file).

use std::time::{Duration, Instant};

use reqwest::{Client, Method};
use serde_json::{Value, json};

use crate::sandbox_process::SandboxProcess;

struct Wire {
    sandbox: SandboxProcess,
    client: Client,
    advertiser_id: String,
    access_token: String,
}

impl Wire {
    async fn new(arguments: &[&str]) -> Self {
        let sandbox = SandboxProcess::start(arguments);
        let client = Client::builder()
            .pool_max_idle_per_host(4)
            .no_proxy()
            .build()
            .unwrap();
        let mut wire = Self {
            sandbox,
            client,
            advertiser_id: String::new(),
            access_token: String::new(),
        };
        let account = wire.control(Method::POST, "accounts", json!({})).await;
        wire.advertiser_id = account["advertiser_id"].as_str().unwrap().into();
        wire.access_token = account["access_token"].as_str().unwrap().into();
        wire
    }

    async fn control(&self, method: Method, path: &str, body: Value) -> Value {
        let request = self
            .client
            .request(method, format!("{}/sandbox/{path}", self.sandbox.url));
        let response = request.body(body.to_string()).send().await.unwrap();
        let text = response.text().await.unwrap();
        serde_json::from_str(&text).unwrap()
    }

    fn post(&self, path: &str, mut body: Value) -> reqwest::RequestBuilder {
        body["advertiser_id"] = json!(self.advertiser_id);
        self.client
            .post(format!("{}/open_api/v1.3/{path}", self.sandbox.url))
            .header("Access-Token", &self.access_token)
            .header("Content-Type", "application/json")
            .body(body.to_string())
    }

    fn get(&self, path: &str) -> reqwest::RequestBuilder {
        let join = if path.contains('?') { '&' } else { '?' };
        self.client
            .get(format!(
                "{}/open_api/v1.3/{path}{join}advertiser_id={}",
                self.sandbox.url, self.advertiser_id
            ))
            .header("Access-Token", &self.access_token)
    }

    async fn create(&self, name: &str) -> String {
        let reply = json(self.post("smart_plus/campaign/create/", smart_plus(name))).await;
        assert_eq!(reply["code"], 0, "{reply}");
        reply["data"]["campaign_id"].as_str().unwrap().into()
    }

    async fn fault(&self, fault: Value) {
        let reply = self.control(Method::POST, "faults", fault).await;
        assert!(reply["id"].is_u64(), "{reply}");
    }
}

async fn json(request: reqwest::RequestBuilder) -> Value {
    let text = request.send().await.unwrap().text().await.unwrap();
    serde_json::from_str(&text).unwrap()
}

fn smart_plus(name: &str) -> Value {
    let key = name
        .bytes()
        .fold(1_u64, |sum, byte| sum * 31 % 1_000_003 + u64::from(byte));
    json!({
        "campaign_name": name, "objective_type": "LEAD_GENERATION", "budget": 50, "operation_status": "DISABLE",
        "request_id": key.to_string(),
    })
}

#[tokio::test]
async fn r05_partial_success_and_its_error_list() {
    let wire = Wire::new(&[]).await;
    let good = wire.create("good").await;
    let gone = wire.create("gone").await;
    wire.control(Method::POST, &format!("campaigns/{gone}/delete"), json!({}))
        .await;
    let body = json!({"campaign_ids": [good, gone, "1"], "operation_status": "ENABLE"});
    let response = wire
        .post("smart_plus/campaign/status/update/", body)
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 200);
    let reply: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
    assert_eq!(reply["code"], 20_001);
    assert_eq!(
        reply["data"]["campaign_list"],
        json!([{"campaign_id": good, "status": "ENABLE"}])
    );
    let errors = reply["data"]["error_list"].as_array().unwrap();
    let failed: Vec<&str> = errors
        .iter()
        .map(|error| error["campaign_id"].as_str().unwrap())
        .collect();
    assert_eq!(failed, [gone.as_str(), "1"]);
    assert!(
        errors[0]["error_message"]
            .as_str()
            .unwrap()
            .contains("deleted"),
        "{reply}"
    );
    assert!(
        errors[1]["error_message"]
            .as_str()
            .unwrap()
            .contains("does not exist"),
        "{reply}"
    );
}

/// Reviews of the manual tree and appeals are not in TikTok's own client.
#[tokio::test]
async fn a_rejected_ad_is_reported_and_appealed() {
    let wire = Wire::new(&[]).await;
    let post = async |path: &str, body: Value| {
        let reply = json(wire.post(path, body)).await;
        assert_eq!(reply["code"], 0, "{path}: {reply}");
        reply["data"].clone()
    };
    let campaign = post(
        "campaign/create/",
        json!({
            "campaign_name": "c", "objective_type": "TRAFFIC", "budget_mode": "BUDGET_MODE_DAY", "budget": 50,
        }),
    )
    .await["campaign_id"]
        .clone();
    let clock = wire.control(Method::GET, "clock", Value::Null).await;
    let group = post(
        "adgroup/create/",
        json!({
            "campaign_id": campaign, "adgroup_name": "g", "promotion_type": "WEBSITE",
            "placement_type": "PLACEMENT_TYPE_NORMAL", "placements": ["PLACEMENT_TIKTOK"],
            "location_ids": ["6252001"], "budget_mode": "BUDGET_MODE_DAY", "budget": 20,
            "schedule_type": "SCHEDULE_FROM_NOW", "schedule_start_time": clock["now"],
            "optimization_goal": "CLICK", "bid_type": "BID_TYPE_NO_BID", "billing_event": "CPC",
            "pacing": "PACING_MODE_SMOOTH",
        }),
    )
    .await["adgroup_id"]
        .clone();
    let (group, creative) = (
        group.as_str().unwrap(),
        json!({
            "ad_name": "a", "ad_format": "SINGLE_VIDEO", "identity_type": "TT_USER", "identity_id": "brand",
            "video_id": "v1", "image_ids": ["cover-1"], "ad_text": "Buy a kite", "call_to_action": "SHOP_NOW",
            "landing_page_url": "https://example.com",
        }),
    );
    let made = post(
        "ad/create/",
        json!({"adgroup_id": group, "creatives": [creative]}),
    )
    .await;
    let ad = made["ad_ids"][0].as_str().unwrap();
    wire.control(
        Method::POST,
        &format!("ads/{ad}/reject"),
        json!({"reasons": ["No sound."], "suggestion": "Add sound."}),
    )
    .await;
    let of_ad = json(wire.get(&format!("ad/review_info/?ad_ids=[%22{ad}%22]&lang=en"))).await;
    let entry = &of_ad["data"]["ad_review_map"][ad];
    assert_eq!(entry["review_status"], "UNAVAILABLE", "{of_ad}");
    assert_eq!(entry["reject_info"][0]["reasons"], json!(["No sound."]));
    assert_eq!(
        entry["reject_info"][0]["content_info"]["video_content"],
        json!({"video_id": "v1"})
    );
    let of_group =
        json(wire.get(&format!("adgroup/review_info/?adgroup_ids=[%22{group}%22]"))).await;
    assert_eq!(&of_group["data"]["ad_review_map"][group][ad], entry);
    let entry = &of_group["data"]["ad_group_review_map"][group];
    assert_eq!(entry["contains_rejected_ads"], true, "{of_group}");
    assert_eq!(entry["contain_rejected_ads"], true, "{of_group}");
    let appeal = json!({"adgroup_id": group, "ad_id": ad, "appeal_reason": "It has sound."});
    assert_eq!(post("adgroup/appeal/", appeal).await, json!({}));
    wire.control(Method::POST, &format!("ads/{ad}/approve"), json!({}))
        .await;
    let of_group =
        json(wire.get(&format!("adgroup/review_info/?adgroup_ids=[%22{group}%22]"))).await;
    let entry = &of_group["data"]["ad_group_review_map"][group];
    assert_eq!(entry["appeal_status"], "APPEAL_SUCCESSFUL", "{of_group}");
    assert_eq!(entry["review_status"], "ALL_AVAILABLE", "{of_group}");
}

#[tokio::test]
async fn the_gateways_own_answers_and_headers() {
    let wire = Wire::new(&[]).await;
    let response = wire.get("campaign/get").send().await.unwrap();
    assert_eq!(response.status(), 404);
    assert_eq!(response.text().await.unwrap(), "404 page not found");
    wire.control(
        Method::POST,
        "clock",
        json!({"advance_seconds": 86_400 * 365}),
    )
    .await;
    let clock = wire.control(Method::GET, "clock", Value::Null).await;
    let response = wire.get("campaign/get/").send().await.unwrap();
    let dates: Vec<_> = response.headers().get_all("date").iter().collect();
    assert_eq!(dates.len(), 1, "the clock of the sandbox is the only one");
    let year = &clock["now"].as_str().unwrap()[..4];
    assert!(
        dates[0].to_str().unwrap().contains(year),
        "{dates:?} {year}"
    );
    let log_id = response.headers()["x-tt-logid"]
        .to_str()
        .unwrap()
        .to_owned();
    let reply: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
    assert_eq!(reply["request_id"], log_id);
}

#[tokio::test]
async fn an_answer_can_be_late_or_never_come() {
    let wire = Wire::new(&[]).await;
    wire.create("warm up the connection").await;
    wire.fault(json!({"kind": "delay", "ms": 300, "match": {"path": "*/create/"}}))
        .await;
    let start = Instant::now();
    wire.create("late").await;
    assert!(start.elapsed() >= Duration::from_millis(300));
    wire.fault(json!({"kind": "answer_lost", "match": {"path": "*/create/"}}))
        .await;
    let error = wire
        .post("smart_plus/campaign/create/", smart_plus("lost"))
        .send()
        .await
        .unwrap_err();
    assert!(error.is_request() && !error.is_timeout(), "{error:?}");
    wire.fault(json!({"kind": "cut_before", "match": {"path": "*/create/"}}))
        .await;
    wire.post("smart_plus/campaign/create/", smart_plus("never"))
        .send()
        .await
        .unwrap_err();
    let reply = json(wire.get("smart_plus/campaign/get/")).await;
    let names: Vec<&str> = reply["data"]["list"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["campaign_name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["lost", "late", "warm up the connection"]);
    let counts = wire
        .control(
            Method::GET,
            &format!("counts?advertiser_id={}", wire.advertiser_id),
            Value::Null,
        )
        .await;
    assert_eq!(
        counts["counts"]["/open_api/v1.3/smart_plus/campaign/create/"]["total"], 4,
        "nothing was sent twice"
    );
}

#[tokio::test]
async fn r11_an_effect_arrives_after_its_connection_is_gone() {
    let wire = Wire::new(&[]).await;
    wire.fault(json!({"kind": "effect_delay", "ms": 60_000, "match": {"path": "*/create/"}}))
        .await;
    wire.post("smart_plus/campaign/create/", smart_plus("slow"))
        .send()
        .await
        .unwrap_err();
    let total = async || {
        json(wire.get("smart_plus/campaign/get/")).await["data"]["page_info"]["total_number"]
            .clone()
    };
    assert_eq!(total().await, 0);
    wire.control(Method::POST, "clock", json!({"advance_seconds": 60}))
        .await;
    assert_eq!(total().await, 1);
}

#[tokio::test]
async fn http_429_and_retry_after() {
    let wire = Wire::new(&[
        "--knob",
        "rate=1/100/1000",
        "--knob",
        "throttle_http_status=429",
        "--knob",
        "throttle_retry_after=true",
    ])
    .await;
    for _ in 0..20 {
        let response = wire.get("campaign/get/").send().await.unwrap();
        if response.status() == 429 {
            assert_eq!(response.headers()["retry-after"], "1");
            let reply: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
            assert_eq!(reply["code"], 40_100);
            return;
        }
    }
    panic!("twenty calls in a row were let in at one a second");
}

#[tokio::test]
async fn the_state_file_outlives_the_process() {
    let folder = std::env::temp_dir().join(format!("sandbox-http-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("state.json");
    let path = file.to_str().unwrap();
    let mut wire = Wire::new(&["--state", path]).await;
    let id = wire.create("kept").await;
    let old = std::mem::replace(&mut wire.sandbox, SandboxProcess::start(&[]));
    old.stop();
    wire.sandbox = SandboxProcess::start(&["--state", path]);
    let reply = json(wire.get("smart_plus/campaign/get/")).await;
    assert_eq!(reply["data"]["list"][0]["campaign_id"], id.as_str());
    wire.sandbox.stop();
    std::fs::remove_dir_all(&folder).unwrap();
}
