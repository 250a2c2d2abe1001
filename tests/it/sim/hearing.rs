//! R23: messages from TikTok, and from those who claim to be TikTok. In process, so that what is looked up can be counted.

mod events;
mod keys;
mod who;

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tiktok_ads_operator::engine::doors::{Clock, Name};
use tiktok_ads_operator::engine::settings::{HearingSettings, PublicAddress, Settings};
use tiktok_ads_operator::engine::webhooks::{Delivery, Taken};

use super::api_server::{AD, AD_GROUP, CAMPAIGN, CONNECTION};
use super::replica::SimEngine;
use super::script::Script;
use super::specs;
use super::user::{NAMESPACES, named};
use super::world::Sim;
use crate::signing::{hmac, with_time};

pub const KEYS: &str = "webhook-keys";
pub const HOUR: u64 = 3600;

pub fn ads(name: &str) -> Name {
    named("ads", name)
}

/// How a message is signed.
#[derive(Clone, Copy, Debug)]
pub enum Signed<'a> {
    Raw(&'a str),
    /// Over the escaped form of the body.
    Escaped(&'a str),
    /// With a time, so many seconds ago.
    Timed(&'a str, i64),
    Not,
}

fn escaped(body: &[u8]) -> String {
    let mut out = String::new();
    for character in std::str::from_utf8(body).unwrap().chars() {
        match character.is_ascii() {
            true => out.push(character),
            false => {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    out.push_str(&format!("\\u{unit:04x}"));
                }
            }
        }
    }
    out
}

/// TikTok says something about something, true or not, to all replicas.
pub async fn rumour(sim: &Arc<Sim>, rng: &mut fastrand::Rng) {
    let index = rng.usize(0..2);
    let (body, secret, now, engines) = {
        let mut world = sim.lock();
        let account = world.accounts[index].clone();
        let advertiser = account.advertiser_id.clone();
        let groups = world.sandbox.ad_groups(&advertiser).map(|row| (2, row.id));
        let ads = world.sandbox.ads(&advertiser).map(|row| (3, row.id));
        let rows: Vec<(u8, u64)> = groups.chain(ads).collect();
        let now = world.clock.now().as_second();
        let body = match rng.u32(0..6) {
            0 => json!({"advertiser_id": advertiser, "status": "STATUS_LIMIT", "time": now}),
            1 => json!({"object": 3, "time": now, "entry": [{"ad_id": rng.u64(1..)}]}),
            _ => {
                let some = (0..rng.usize(1..6)).filter_map(|_| rng.choice(&rows));
                let entry: Vec<Value> = some
                    .map(|(_, id)| json!({"adv_id": advertiser, "adgroup_id": id, "ad_id": id}))
                    .collect();
                json!({"object": rng.u32(2..4), "time": now, "entry": entry, "n": rng.u64(..)})
            }
        };
        world.say(format!("TikTok says {body}"));
        let slots = world.slots.iter();
        let engines: Vec<_> = slots.filter_map(|s| s.engine.upgrade()).collect();
        (body.to_string(), account.secret, now, engines)
    };
    let message = delivery(body.as_bytes(), Signed::Raw(&secret), now);
    for engine in engines {
        engine
            .event(&named(NAMESPACES[index], "main"), &message)
            .await;
    }
}

pub fn delivery(body: &[u8], signed: Signed<'_>, now: i64) -> Delivery {
    let mut delivery = Delivery {
        path_token: None,
        open_signature: None,
        tiktok_signature: None,
        body: body.to_vec(),
    };
    match signed {
        Signed::Raw(key) => delivery.open_signature = Some(hmac(key, &[body])),
        Signed::Escaped(key) => {
            delivery.open_signature = Some(hmac(key, &[escaped(body).as_bytes()]));
        }
        Signed::Timed(key, ago) => {
            delivery.tiktok_signature = Some(with_time(key, now - ago, body));
        }
        Signed::Not => {}
    }
    delivery
}

/// A script with an ear.
pub struct Ear {
    pub script: Script,
    pub secret: String,
    pub advertiser: String,
}

impl Ear {
    pub async fn new() -> Self {
        Self::with(Settings::default(), 1).await
    }

    pub async fn with(settings: Settings, replicas: usize) -> Self {
        let script = Script::start_as(settings, replicas).await;
        let (secret, advertiser) = script.does(|w| {
            let account = &w.accounts[0];
            (account.secret.clone(), account.advertiser_id.clone())
        });
        Self {
            script,
            secret,
            advertiser,
        }
    }

    pub fn engine(&self) -> Arc<SimEngine> {
        self.script.sim.leader().unwrap().1
    }

    pub fn now(&self) -> i64 {
        self.script.does(|w| w.clock.now().as_second())
    }

    pub async fn send_to(&self, at: &Name, body: &[u8], signed: Signed<'_>) -> Taken {
        let delivery = delivery(body, signed, self.now());
        self.engine().event(at, &delivery).await
    }

    pub async fn send(&self, body: &[u8], signed: Signed<'_>) -> Taken {
        self.send_to(&ads("main"), body, signed).await
    }

    /// Signed as TikTok does it.
    pub async fn hears(&self, body: Value) -> Taken {
        let body = body.to_string();
        self.send(body.as_bytes(), Signed::Raw(&self.secret.clone()))
            .await
    }

    /// A message about ads, each with a name of its own.
    pub fn about(&self, object: u8, entries: &[Value]) -> Value {
        json!({
            "request_id": format!("r{}", self.script.does(|w| w.rng.u64(..))),
            "object": object, "time": self.now(), "entry": entries,
        })
    }

    pub fn ad_entry(&self, ad: &str) -> Value {
        let number = |id: &str| id.parse::<u64>().unwrap();
        json!({
            "log_id": "1", "adv_id": number(&self.advertiser), "campaign_id": 1, "adgroup_id": 2,
            "campaign_name": "C", "adgroup_name": "G", "ad_name": "Été ✨", "ad_id": number(ad),
            "reject_reason": "It is so.",
        })
    }

    /// A campaign, an ad group and so many ads, all live and reviewed.
    pub async fn ads(&self, tree: &str, count: usize) -> Vec<String> {
        self.script.does(|w| {
            let money = specs::Money::Below;
            let active = Some("Active");
            w.create(CAMPAIGN, &ads("c"), specs::campaign(tree, money, active));
            w.create(
                AD_GROUP,
                &ads("g"),
                specs::ad_group("c", tree, money, active),
            );
            for n in 0..count {
                w.create(AD, &ads(&format!("a{n}")), specs::ad("g", tree, active));
            }
        });
        self.script.wait(200).await;
        let id = |n: usize| {
            let id = self.script.does(|w| w.id_of(AD, &ads(&format!("a{n}"))));
            id.unwrap_or_else(|| panic!("a{n}: {:?}", self.object(AD, &format!("a{n}"))))
        };
        (0..count).map(id).collect()
    }

    pub fn object(&self, kind: &'static str, name: &str) -> Value {
        let found = self.script.does(|w| w.api.get(kind, &ads(name)).cloned());
        found.unwrap_or_default()
    }

    pub fn condition(&self, kind: &'static str, name: &str, of: &str) -> Value {
        let object = self.object(kind, name);
        let all = object["status"]["conditions"].as_array().cloned();
        let mut found = all.into_iter().flatten();
        found.find(|c| c["type"] == of).unwrap_or_default()
    }

    pub fn webhooks(&self) -> Value {
        self.object(CONNECTION, "main")["status"]["webhooks"].clone()
    }

    /// What was asked of the platform since: paths, and the ids that each named.
    pub fn asked(&self, since: usize) -> Vec<(String, Vec<String>)> {
        let world = self.script.sim.lock();
        let all = world.sandbox.requests(Default::default()).skip(since);
        all.map(|entry| {
            let path = entry.path.trim_start_matches("/open_api/v1.3");
            let filter = entry.query.get("filtering").or(entry.query.get("ad_ids"));
            let filter: Value = filter.map_or(Value::Null, |f| serde_json::from_str(f).unwrap());
            let lists = ["adgroup_ids", "ad_ids", "smart_plus_ad_ids"];
            let ids = lists
                .iter()
                .flat_map(|l| filter[*l].as_array().cloned().unwrap_or_default());
            let ids = ids.map(|id| id.as_str().unwrap().to_string()).collect();
            (path.to_string(), ids)
        })
        .collect()
    }

    pub fn asked_so_far(&self) -> usize {
        self.script
            .does(|w| w.sandbox.requests(Default::default()).count())
    }

    pub fn writes(&self) -> u64 {
        self.script.does(|w| w.api.writes)
    }

    /// Waits for the next sweep to be over, so that nothing but what the test does is asked for a while.
    pub async fn calm(&self) {
        let before = self.asked_so_far();
        for _ in 0..120 {
            self.script.wait(1).await;
            if self.asked_so_far() > before {
                self.script.wait(3).await;
                return;
            }
        }
        panic!("no sweep");
    }
}

pub fn short_window() -> Settings {
    Settings {
        public: Some(PublicAddress {
            url: "https://ads.example".into(),
            portal: "https://business.example/portal/auth".into(),
        }),
        hearing: HearingSettings {
            previous_key_for: Duration::from_secs(HOUR),
            ..HearingSettings::default()
        },
        ..Settings::default()
    }
}
