//! Connecting to the sandbox and hearing from it over real sockets: the approval page as a browser walks through it, and
//! webhooks as they arrive at a receiver.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{Router, body::Bytes, extract::State, http::HeaderMap, http::StatusCode};
use reqwest::{Client, Method, redirect::Policy};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::sandbox_process::SandboxProcess;
use crate::signing::{hmac, with_time};

const DEADLINE: Duration = Duration::from_secs(20);

struct Wire {
    sandbox: SandboxProcess,
    client: Client,
    account: Value,
}

impl Wire {
    async fn new(arguments: &[&str]) -> Self {
        let sandbox = SandboxProcess::start(arguments);
        // As a browser, but one that shows where it is sent.
        let client = Client::builder()
            .no_proxy()
            .redirect(Policy::none())
            .build()
            .unwrap();
        let mut wire = Self {
            sandbox,
            client,
            account: Value::Null,
        };
        wire.account = wire.control(Method::POST, "accounts", json!({})).await;
        wire
    }

    fn text(&self, name: &str) -> &str {
        self.account[name].as_str().unwrap()
    }

    async fn control(&self, method: Method, path: &str, body: Value) -> Value {
        let request = self
            .client
            .request(method, format!("{}/sandbox/{path}", self.sandbox.url));
        json(request.body(body.to_string())).await
    }

    /// A call with the app's id and secret, and with the account's token.
    async fn post(&self, path: &str, mut body: Value) -> Value {
        body["app_id"] = self.account["app_id"].clone();
        body["secret"] = self.account["secret"].clone();
        body["advertiser_id"] = self.account["advertiser_id"].clone();
        let request = self
            .client
            .post(format!("{}/open_api/v1.3/{path}", self.sandbox.url))
            .header("Access-Token", self.text("access_token"))
            .body(body.to_string());
        let reply = json(request).await;
        assert_eq!(reply["code"], 0, "{path}: {reply}");
        reply["data"].clone()
    }

    /// A campaign with an ad group and an ad in it, and a subscription to the ad's review; the ad's id.
    async fn heard_ad(&self, callback_url: &str) -> String {
        let campaign = self
            .post(
                "campaign/create/",
                json!({
                    "campaign_name": "Zürich", "objective_type": "TRAFFIC", "budget_mode": "BUDGET_MODE_DAY",
                    "budget": 50,
                }),
            )
            .await;
        let clock = self.control(Method::GET, "clock", Value::Null).await;
        let group = self
            .post(
                "adgroup/create/",
                json!({
                    "campaign_id": campaign["campaign_id"], "adgroup_name": "g", "promotion_type": "WEBSITE",
                    "placement_type": "PLACEMENT_TYPE_NORMAL", "placements": ["PLACEMENT_TIKTOK"],
                    "location_ids": ["6252001"], "budget_mode": "BUDGET_MODE_DAY", "budget": 20,
                    "schedule_type": "SCHEDULE_FROM_NOW", "schedule_start_time": clock["now"],
                    "optimization_goal": "CLICK", "bid_type": "BID_TYPE_NO_BID", "billing_event": "CPC",
                    "pacing": "PACING_MODE_SMOOTH",
                }),
            )
            .await;
        let made = self
            .post(
                "ad/create/",
                json!({"adgroup_id": group["adgroup_id"], "creatives": [{
                    "ad_name": "a", "ad_format": "SINGLE_VIDEO", "identity_type": "TT_USER", "identity_id": "brand",
                    "video_id": "v1", "image_ids": ["cover-1"], "ad_text": "Buy a kite",
                    "call_to_action": "SHOP_NOW", "landing_page_url": "https://example.com",
                }]}),
            )
            .await;
        let ad = made["ad_ids"][0].as_str().unwrap().to_owned();
        let detail = json!({
            "access_token": self.account["access_token"], "advertiser_id": self.account["advertiser_id"], "ad_id": ad,
        });
        self.post(
            "subscription/subscribe/",
            json!({"subscribe_entity": "AD", "callback_url": callback_url, "subscription_detail": detail}),
        )
        .await;
        ad
    }

    async fn reject(&self, ad: &str, reason: &str) {
        let path = format!("ads/{ad}/reject");
        let reply = self
            .control(Method::POST, &path, json!({"reasons": [reason]}))
            .await;
        assert!(reply.get("error").is_none(), "{reply}");
    }
}

async fn json(request: reqwest::RequestBuilder) -> Value {
    let text = request.send().await.unwrap().text().await.unwrap();
    serde_json::from_str(&text).unwrap()
}

/// What a receiver got: headers by lower-case name, and the body.
type Got = (BTreeMap<String, String>, Vec<u8>);

/// A little receiver that answers with the next of its statuses, and then with 200.
struct Receiver {
    url: String,
    got: Arc<Mutex<Vec<Got>>>,
}

#[derive(Clone)]
struct Script {
    got: Arc<Mutex<Vec<Got>>>,
    statuses: Arc<Mutex<Vec<u16>>>,
}

async fn take(State(script): State<Script>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let headers = headers
        .iter()
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
        .collect();
    script.got.lock().unwrap().push((headers, body.to_vec()));
    let mut statuses = script.statuses.lock().unwrap();
    let status = if statuses.is_empty() {
        200
    } else {
        statuses.remove(0)
    };
    StatusCode::from_u16(status).unwrap()
}

impl Receiver {
    async fn start(statuses: &[u16]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!(
            "http://{}/webhooks/tiktok/default/main",
            listener.local_addr().unwrap()
        );
        let got: Arc<Mutex<Vec<Got>>> = Arc::default();
        let script = Script {
            got: got.clone(),
            statuses: Arc::new(Mutex::new(statuses.to_vec())),
        };
        let app = Router::new().fallback(take).with_state(script);
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { url, got }
    }

    /// Waits until so many have arrived.
    async fn wait_for(&self, count: usize) -> Vec<Got> {
        let arrived = async {
            loop {
                let got = self.got.lock().unwrap().clone();
                if got.len() >= count {
                    return got;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        match tokio::time::timeout(DEADLINE, arrived).await {
            Ok(got) => got,
            Err(_) => panic!(
                "{} of {count} deliveries arrived",
                self.got.lock().unwrap().len()
            ),
        }
    }
}

/// The fields of the page's form, as a browser would send them: hidden ones and ticked boxes.
fn form_of(html: &str) -> Vec<(String, String)> {
    let attribute = |tag: &str, name: &str| {
        let start = tag.find(&format!("{name}=\""))? + name.len() + 2;
        let end = tag[start..].find('"')? + start;
        let text = tag[start..end]
            .replace("&lt;", "<")
            .replace("&gt;", ">")
            .replace("&quot;", "\"")
            .replace("&#39;", "'")
            .replace("&amp;", "&");
        Some(text)
    };
    html.split("<input ")
        .skip(1)
        .map(|rest| &rest[..rest.find('>').unwrap()])
        .filter(|tag| tag.contains("type=\"hidden\"") || tag.ends_with(" checked"))
        .map(|tag| {
            (
                attribute(tag, "name").unwrap(),
                attribute(tag, "value").unwrap(),
            )
        })
        .collect()
}

#[tokio::test]
async fn the_approval_page_as_a_browser_walks_through_it() {
    let wire = Wire::new(&[]).await;
    let callback = "http://localhost:8090/oauth/callback";
    let state = "eyJuYW1lIjoiYSJ9.x-y_z&\"<b>\"";
    let mut address = url::Url::parse(&format!("{}/portal/auth", wire.sandbox.url)).unwrap();
    address.query_pairs_mut().extend_pairs([
        ("app_id", wire.text("app_id")),
        ("state", state),
        ("redirect_uri", callback),
    ]);
    let page = wire.client.get(address.clone()).send().await.unwrap();
    assert_eq!(page.status(), 200);
    assert_eq!(page.headers()["content-type"], "text/html; charset=utf-8");
    let policy = page.headers()["content-security-policy"].to_str().unwrap();
    assert!(policy.starts_with("default-src 'none'"), "{policy}");
    let html = page.text().await.unwrap();
    for loads in ["<script", "src=", "<link", "url("] {
        assert!(!html.contains(loads), "{html}");
    }
    let mut form = form_of(&html);
    // The only account is ticked; the user presses the button.
    form.push(("decision".into(), "approve".into()));
    let mut body = url::form_urlencoded::Serializer::new(String::new());
    body.extend_pairs(&form);
    let action = address.join("/portal/auth").unwrap();
    let sent = wire
        .client
        .post(action)
        .header("Content-Type", "application/x-www-form-urlencoded")
        .body(body.finish())
        .send()
        .await
        .unwrap();
    assert_eq!(sent.status(), 302);
    let location = sent.headers()["location"].to_str().unwrap().to_owned();
    let location = url::Url::parse(&location).unwrap();
    let query: BTreeMap<String, String> = location.query_pairs().into_owned().collect();
    assert!(location.as_str().starts_with(callback));
    assert_eq!(query["state"], state);
    let data = wire
        .post(
            "oauth2/access_token/",
            json!({"auth_code": query["auth_code"], "return_advertiser_ids": false}),
        )
        .await;
    assert!(data.get("advertiser_ids").is_none());
    let granted = wire
        .client
        .get(format!(
            "{}/open_api/v1.3/oauth2/advertiser/get/?app_id={}&secret={}",
            wire.sandbox.url,
            wire.text("app_id"),
            wire.text("secret")
        ))
        .header("Access-Token", data["access_token"].as_str().unwrap());
    let granted = json(granted).await;
    assert_eq!(
        granted["data"]["list"][0]["advertiser_id"],
        wire.account["advertiser_id"]
    );
    // Nothing that opens anything is in the log.
    let log = wire.control(Method::GET, "requests", Value::Null).await;
    let log = log.to_string();
    for secret in [
        query["auth_code"].as_str(),
        wire.text("secret"),
        data["access_token"].as_str().unwrap(),
    ] {
        assert!(!log.contains(secret), "{secret}");
    }
    // An address that the app has not registered.
    let path = format!("apps/{}", wire.text("app_id"));
    let registered = json!({"redirect_urls": ["https://example.com/oauth/callback"]});
    wire.control(Method::PATCH, &path, registered).await;
    let page = wire.client.get(address).send().await.unwrap();
    assert_eq!(page.status(), 400);
    assert!(
        page.text()
            .await
            .unwrap()
            .contains("is not one of the redirect URLs")
    );
}

#[tokio::test]
async fn r23_a_delivery_arrives_with_a_signature_that_fits() {
    let wire = Wire::new(&[]).await;
    let receiver = Receiver::start(&[]).await;
    let ad = wire.heard_ad(&receiver.url).await;
    wire.reject(&ad, "Kein Ton.").await;
    let got = receiver.wait_for(1).await;
    let (headers, body) = &got[0];
    let text = std::str::from_utf8(body).unwrap();
    assert!(text.contains("Zürich"));
    let escaped = text.replace('ü', "\\u00fc");
    assert_eq!(
        headers["x-open-signature"],
        hmac(wire.text("secret"), &[escaped.as_bytes()])
    );
    assert_eq!(headers["content-type"], "application/json; charset=utf-8");
    let body: Value = serde_json::from_slice(body).unwrap();
    assert_eq!(body["object"], 3);
    assert_eq!(body["entry"][0]["ad_id"], ad);
    assert_eq!(body["entry"][0]["reject_reason"], "Kein Ton.");
    // The other form, under a key of its own.
    let knobs = json!({"webhook_signature": "tiktok"});
    wire.control(Method::PATCH, "knobs", knobs).await;
    let path = format!("apps/{}", wire.text("app_id"));
    wire.control(Method::PATCH, &path, json!({"webhook_key": "the-key"}))
        .await;
    wire.reject(&ad, "No sound.").await;
    let got = receiver.wait_for(2).await;
    let (headers, body) = &got[1];
    let signature = &headers["tiktok-signature"];
    let (time, _) = signature
        .strip_prefix("t=")
        .unwrap()
        .split_once(',')
        .unwrap();
    let time = time.parse().unwrap();
    assert_eq!(*signature, with_time("the-key", time, body));
}

#[tokio::test]
async fn a_refused_delivery_comes_again() {
    let wire = Wire::new(&[]).await;
    // Twice not taken: the second attempt is at once, the third ten seconds later on the sandbox's clock.
    let receiver = Receiver::start(&[500, 307]).await;
    let ad = wire.heard_ad(&receiver.url).await;
    wire.reject(&ad, "No sound.").await;
    let got = receiver.wait_for(2).await;
    assert_eq!(got[0].1, got[1].1);
    wire.control(Method::POST, "clock", json!({"advance_seconds": 10}))
        .await;
    let got = receiver.wait_for(3).await;
    assert_eq!(got[0].1, got[2].1);
    let settled = async {
        loop {
            let list = wire.control(Method::GET, "deliveries", Value::Null).await;
            let one = list["deliveries"][0].clone();
            if one["state"] == "delivered" {
                return one;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let one = tokio::time::timeout(DEADLINE, settled).await.unwrap();
    let statuses: Vec<&Value> = one["attempts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|attempt| &attempt["status"])
        .collect();
    assert_eq!(statuses, [500, 307, 200]);
    assert_eq!(receiver.got.lock().unwrap().len(), 3, "nothing more came");
}

#[tokio::test]
async fn what_was_not_delivered_outlives_the_process() {
    let folder = std::env::temp_dir().join(format!("sandbox-connect-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("state.json");
    let path = file.to_str().unwrap();
    let mut wire = Wire::new(&["--state", path, "--knob", "webhook_hold=true"]).await;
    let receiver = Receiver::start(&[]).await;
    let ad = wire.heard_ad(&receiver.url).await;
    wire.reject(&ad, "No sound.").await;
    let list = wire.control(Method::GET, "deliveries", Value::Null).await;
    assert_eq!(list["deliveries"][0]["state"], "waiting");
    let old = std::mem::replace(&mut wire.sandbox, SandboxProcess::start(&[]));
    old.stop();
    assert_eq!(receiver.got.lock().unwrap().len(), 0);
    wire.sandbox = SandboxProcess::start(&["--state", path, "--knob", "webhook_hold=false"]);
    let got = receiver.wait_for(1).await;
    assert_eq!(
        got[0].1,
        list["deliveries"][0]["body"].as_str().unwrap().as_bytes()
    );
    wire.sandbox.stop();
    std::fs::remove_dir_all(&folder).unwrap();
}

/// A receiver that hangs keeps nobody else waiting, and a thousand events find their way.
#[tokio::test]
async fn many_events_and_a_receiver_that_hangs() {
    let wire = Wire::new(&["--knob", "rate=off"]).await;
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let receiver = Receiver::start(&[]).await;
    let send = async |url: &str, number: usize| {
        let body = json!({
            "app_id": wire.account["app_id"], "url": url, "body": {"number": number},
        });
        let reply = wire.control(Method::POST, "events", body).await;
        assert!(reply["delivery_ids"].is_array(), "{reply}");
    };
    let hanging = format!("http://{}/", silent.local_addr().unwrap());
    for number in 0..5 {
        send(&hanging, number).await;
    }
    for number in 0..1_000 {
        send(&receiver.url, number).await;
    }
    let got = receiver.wait_for(1_000).await;
    let mut numbers: Vec<u64> = got
        .iter()
        .map(|(_, body)| {
            let body: Value = serde_json::from_slice(body).unwrap();
            body["number"].as_u64().unwrap()
        })
        .collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (0..1_000).collect::<Vec<u64>>());
}
