//! R23: messages from TikTok, and from those who claim to be TikTok. In process, so that what is looked up can be counted.

use std::sync::Arc;
use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use secrecy::SecretString;
use serde_json::{Value, json};
use sha2::Sha256;
use tiktok_ads_operator::engine::doors::{Clock, Name};
use tiktok_ads_operator::engine::settings::{HearingSettings, PublicAddress, Settings};
use tiktok_ads_operator::engine::webhooks::{Delivery, Taken};

use super::api_server::{AD, AD_GROUP, CAMPAIGN, CONNECTION};
use super::replica::SimEngine;
use super::script::{Script, play};
use super::specs;
use super::user::{NAMESPACES, named};
use super::world::Sim;

const KEYS: &str = "webhook-keys";
const HOUR: u64 = 3600;

pub fn ads(name: &str) -> Name {
    named("ads", name)
}

/// How a message is signed.
#[derive(Clone, Copy, Debug)]
enum Signed<'a> {
    Raw(&'a str),
    /// Over the escaped form of the body.
    Escaped(&'a str),
    /// With a time, so many seconds ago.
    Timed(&'a str, i64),
    Not,
}

fn hmac(key: &str, parts: &[&[u8]]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).unwrap();
    for part in parts {
        mac.update(part);
    }
    let tag = mac.finalize().into_bytes();
    tag.iter().map(|b| format!("{b:02x}")).collect()
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

fn delivery(body: &[u8], signed: Signed<'_>, now: i64) -> Delivery {
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
            let time = (now - ago).to_string();
            let tag = hmac(key, &[time.as_bytes(), b".", body]);
            delivery.tiktok_signature = Some(format!("t={time},s={tag}"));
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
    async fn new() -> Self {
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

    async fn send_to(&self, at: &Name, body: &[u8], signed: Signed<'_>) -> Taken {
        let delivery = delivery(body, signed, self.now());
        self.engine().event(at, &delivery).await
    }

    async fn send(&self, body: &[u8], signed: Signed<'_>) -> Taken {
        self.send_to(&ads("main"), body, signed).await
    }

    /// Signed as TikTok does it.
    async fn hears(&self, body: Value) -> Taken {
        let body = body.to_string();
        self.send(body.as_bytes(), Signed::Raw(&self.secret.clone()))
            .await
    }

    /// A message about ads, each with a name of its own.
    fn about(&self, object: u8, entries: &[Value]) -> Value {
        json!({
            "request_id": format!("r{}", self.script.does(|w| w.rng.u64(..))),
            "object": object, "time": self.now(), "entry": entries,
        })
    }

    fn ad_entry(&self, ad: &str) -> Value {
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
    fn asked(&self, since: usize) -> Vec<(String, Vec<String>)> {
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

#[test]
fn r23_each_way_to_sign_is_taken_and_everything_else_is_refused_alike() {
    play(async {
        let ear = Ear::new().await;
        let secret = ear.secret.clone();
        let ad = "1840000000000000001";
        let body = |ear: &Ear| ear.about(3, &[ear.ad_entry(ad)]).to_string().into_bytes();
        for signed in [
            Signed::Raw(&secret),
            Signed::Escaped(&secret),
            Signed::Timed(&secret, 0),
            Signed::Timed(&secret, 299),
        ] {
            assert_eq!(
                ear.send(&body(&ear), signed).await,
                Taken::Queued,
                "{signed:?}"
            );
        }
        for signed in [
            Signed::Raw("wrong"),
            Signed::Escaped("wrong"),
            Signed::Timed("wrong", 0),
            Signed::Raw(""),
            Signed::Not,
        ] {
            assert_eq!(
                ear.send(&body(&ear), signed).await,
                Taken::Refused,
                "{signed:?}"
            );
            // A name that nobody has, with a signature that is good elsewhere.
            for nobody in [
                named("ads", "other"),
                named("nobody", "main"),
                named("", ""),
            ] {
                let taken = ear
                    .send_to(&nobody, &body(&ear), Signed::Raw(&secret))
                    .await;
                assert_eq!(taken, Taken::Refused);
                let taken = ear.send_to(&nobody, &body(&ear), signed).await;
                assert_eq!(taken, Taken::Refused);
            }
        }
        // One bit of the body, one of the signature.
        let message = delivery(&body(&ear), Signed::Raw(&secret), ear.now());
        let mut other = message.clone();
        other.body[20] ^= 1;
        assert_eq!(
            ear.engine().event(&ads("main"), &other).await,
            Taken::Refused
        );
        let mut other = message.clone();
        other.open_signature = other.open_signature.map(|s| s.replacen('0', "1", 1));
        assert_eq!(
            ear.engine().event(&ads("main"), &other).await,
            Taken::Refused
        );
        assert_eq!(
            ear.engine().event(&ads("main"), &message).await,
            Taken::Queued
        );
        ear.script.end().await;
    });
}

#[test]
fn r23_an_event_is_one_look_up_whatever_it_claims_and_no_write() {
    for tree in ["Manual", "SmartPlus"] {
        play(async {
            let ear = Ear::new().await;
            let ids = ear.ads(tree, 2).await;
            let group = ear.script.does(|w| w.id_of(AD_GROUP, &ads("g"))).unwrap();
            let list = if tree == "Manual" { "" } else { "/smart_plus" };
            ear.calm().await;
            // The connection notes that something can be believed.
            ear.hears(json!({"object": 1, "time": ear.now(), "entry": []}))
                .await;
            ear.script.wait(1).await;
            ear.calm().await;
            let (asked, writes) = (ear.asked_so_far(), ear.writes());
            let entry = ear.ad_entry(&ids[0]);
            assert_eq!(ear.hears(ear.about(3, &[entry])).await, Taken::Queued);
            ear.script.wait(4).await;
            let looked = vec![(format!("{list}/ad/get/"), vec![ids[0].clone()])];
            assert_eq!(ear.asked(asked), looked);
            ear.calm().await;
            let asked = ear.asked_so_far();
            let entry = json!({"adv_id": ear.advertiser, "adgroup_id": group, "reject_reason": ""});
            assert_eq!(ear.hears(ear.about(2, &[entry])).await, Taken::Queued);
            ear.script.wait(4).await;
            let looked = vec![(format!("{list}/adgroup/get/"), vec![group])];
            assert_eq!(ear.asked(asked), looked);
            assert_eq!(ear.writes(), writes, "nothing changed, nothing is written");
            ear.script.end().await;
        });
    }
}

#[test]
fn r23_what_came_before_is_old_foreign_or_unknown_leads_to_nothing() {
    play(async {
        let ear = Ear::new().await;
        let ids = ear.ads("Manual", 1).await;
        let other = ear.script.does(|w| w.accounts[1].advertiser_id.clone());
        ear.calm().await;
        let entry = ear.ad_entry(&ids[0]);
        let message = ear.about(3, std::slice::from_ref(&entry));
        assert_eq!(ear.hears(message.clone()).await, Taken::Queued);
        ear.script.wait(4).await;
        ear.calm().await;
        let (asked, writes) = (ear.asked_so_far(), ear.writes());
        // It came before.
        for _ in 0..3 {
            assert_eq!(ear.hears(message.clone()).await, Taken::Queued);
        }
        // It is old, or from a time to come.
        for hours in [-73, 73] {
            let mut old = ear.about(3, std::slice::from_ref(&entry));
            old["time"] = json!(ear.now() + hours * 3600);
            assert_eq!(ear.hears(old).await, Taken::Queued);
        }
        // Its signature is old.
        let body = ear.about(3, std::slice::from_ref(&entry)).to_string();
        let secret = ear.secret.clone();
        for ago in [301, -301] {
            let taken = ear.send(body.as_bytes(), Signed::Timed(&secret, ago)).await;
            assert_eq!(taken, Taken::Queued);
        }
        // It is about another account, or about nothing of ours.
        let mut foreign = entry.clone();
        foreign["adv_id"] = json!(other);
        assert_eq!(ear.hears(ear.about(3, &[foreign])).await, Taken::Queued);
        let status = json!({"advertiser_id": other, "status": "STATUS_LIMIT", "status_change_time": ear.now()});
        assert_eq!(ear.hears(status).await, Taken::Queued);
        let unknown = ear.ad_entry("1849999999999999999");
        assert_eq!(ear.hears(ear.about(3, &[unknown])).await, Taken::Queued);
        for object in [1, 8, 10, 11, 14, 99] {
            assert_eq!(
                ear.hears(ear.about(object, std::slice::from_ref(&entry)))
                    .await,
                Taken::Queued
            );
        }
        // Signed, and not to be read.
        for body in ["", "[]", "{", "null", "7", "{\"object\":3,\"entry\":7}"] {
            let taken = ear.send(body.as_bytes(), Signed::Raw(&secret)).await;
            assert_eq!(taken, Taken::Queued, "{body}");
        }
        ear.script.wait(10).await;
        assert_eq!(ear.asked(asked), []);
        assert_eq!(ear.writes(), writes);
        let text = ear.engine().metrics_text();
        for line in [
            "tiktokads_webhooks_total{result=\"duplicate\"} 3",
            "tiktokads_webhooks_total{result=\"old\"} 4",
            "tiktokads_webhook_events_total{result=\"foreign\"} 2",
            "tiktokads_webhook_events_total{result=\"unknown\"} 1",
        ] {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
        ear.script.end().await;
    });
}

#[test]
fn r23_a_thousand_entries_share_their_look_ups() {
    play(async {
        let ear = Ear::new().await;
        let ids = ear.ads("Manual", 300).await;
        ear.calm().await;
        // Ids beyond 2^53 as numbers, each of ours twice, and as many that nobody has.
        let mut entries: Vec<Value> = ids.iter().chain(&ids).map(|id| ear.ad_entry(id)).collect();
        entries.extend((0..400u64).map(|n| ear.ad_entry(&(9_007_199_254_740_993 + n).to_string())));
        assert_eq!(entries.len(), 1000);
        let asked = ear.asked_so_far();
        assert_eq!(ear.hears(ear.about(3, &entries)).await, Taken::Queued);
        ear.script.wait(8).await;
        let calls = ear.asked(asked);
        assert!(
            calls
                .iter()
                .all(|(path, ids)| path == "/ad/get/" && ids.len() <= 100),
            "{calls:?}"
        );
        assert!(calls.len() <= 4, "{} calls for 300 ads", calls.len());
        let mut named: Vec<String> = calls.into_iter().flat_map(|(_, ids)| ids).collect();
        named.sort();
        let mut expected = ids.clone();
        expected.sort();
        assert_eq!(named, expected);
        // One entry more than TikTok ever sends.
        entries.push(ear.ad_entry(&ids[0]));
        let asked = ear.asked_so_far();
        assert_eq!(ear.hears(ear.about(3, &entries)).await, Taken::Queued);
        ear.script.wait(4).await;
        assert_eq!(ear.asked(asked), []);
        ear.script.end().await;
    });
}

#[test]
fn r23_a_rejection_shows_its_reasons_at_once_and_once_as_an_event() {
    for tree in ["Manual", "SmartPlus"] {
        play(async {
            let ear = Ear::new().await;
            let ids = ear.ads(tree, 3).await;
            ear.calm().await;
            let notes = ear.script.does(|w| w.api.notes.len());
            ear.script.does(|w| {
                let now = w.clock.millis();
                w.sandbox.reject(now, &ids[1], None).unwrap();
            });
            let entry = ear.ad_entry(&ids[1]);
            assert_eq!(ear.hears(ear.about(3, &[entry])).await, Taken::Queued);
            ear.script.wait(4).await;
            let object = ear.object(AD, "a1");
            let reasons = object["status"]["review"]["reasons"].as_array().cloned();
            assert!(reasons.is_some_and(|r| !r.is_empty()), "{object:#}");
            assert_eq!(ear.condition(AD, "a1", "Approved")["status"], "False");
            ear.script.wait(120).await;
            let told = ear.script.does(|w| {
                let new = w.api.notes[notes..].iter();
                new.filter(|n| n.about == ads("a1") && n.warning)
                    .cloned()
                    .collect::<Vec<_>>()
            });
            assert!(
                told.iter().any(|n| n.message.contains("TikTok refuses it")),
                "{told:?}"
            );
            assert!(told.len() <= 2, "{told:?}");
            ear.script.end().await;
        });
    }
}

/// An ad that is off shows that it is, and not what became of its review.
#[test]
fn r23_a_rejection_of_an_ad_that_is_off_shows_although_its_row_hides_it() {
    for (tree, kind, name) in [
        ("Manual", AD, "a1"),
        ("Manual", AD_GROUP, "g"),
        ("Manual", CAMPAIGN, "c"),
        ("SmartPlus", AD, "a1"),
        ("SmartPlus", CAMPAIGN, "c"),
    ] {
        play(async {
            let ear = Ear::new().await;
            let ids = ear.ads(tree, 2).await;
            let paused = json!({"state": "Paused"});
            ear.script.does(|w| w.edit(kind, &ads(name), paused));
            ear.script.wait(200).await;
            assert_eq!(ear.condition(AD, "a1", "Approved")["status"], "True");
            ear.script.does(|w| {
                let now = w.clock.millis();
                w.sandbox.reject(now, &ids[1], None).unwrap();
            });
            let entry = ear.ad_entry(&ids[1]);
            assert_eq!(ear.hears(ear.about(3, &[entry])).await, Taken::Queued);
            ear.script.wait(10).await;
            let approved = ear.condition(AD, "a1", "Approved");
            assert_eq!(approved["status"], "False", "{tree} {kind}");
            let object = ear.object(AD, "a1");
            let reasons = object["status"]["review"]["reasons"].as_array().cloned();
            assert!(reasons.is_some_and(|r| !r.is_empty()), "{object:#}");
            ear.script.end().await;
        });
    }
}

#[test]
fn r23_a_smart_plus_ad_is_found_by_one_of_its_creatives() {
    play(async {
        let ear = Ear::new().await;
        let ids = ear.ads("SmartPlus", 2).await;
        let creative = ear.script.does(|w| {
            let ad = w.row(&ids[1]).unwrap();
            let first = &ad.fields["creative_list"][0]["smart_plus_creative_id"];
            first.as_str().unwrap().to_string()
        });
        ear.calm().await;
        let asked = ear.asked_so_far();
        let entry = ear.ad_entry(&creative);
        assert_eq!(ear.hears(ear.about(3, &[entry])).await, Taken::Queued);
        ear.script.wait(4).await;
        let looked = vec![("/smart_plus/ad/get/".to_string(), vec![ids[1].clone()])];
        assert_eq!(ear.asked(asked), looked);
        ear.script.end().await;
    });
}

#[test]
fn r23_an_event_right_after_our_own_write_does_not_undo_what_it_taught() {
    play(async {
        let ear = Ear::new().await;
        let ids = ear.ads("Manual", 1).await;
        ear.script
            .does(|w| w.edit(AD, &ads("a0"), json!({"state": "Paused"})));
        ear.script.wait(60).await;
        // From here on lists are late: what is written shows after seven seconds.
        ear.script.does(|w| {
            w.sandbox.set_knob(None, "edit_lag_seconds", "7").unwrap();
        });
        ear.script
            .does(|w| w.edit(AD, &ads("a0"), json!({"state": "Active"})));
        for _ in 0..8 {
            ear.script.wait(1).await;
            let entry = ear.ad_entry(&ids[0]);
            ear.hears(ear.about(3, &[entry])).await;
            let ready = ear.condition(AD, "a0", "Ready")["reason"].clone();
            assert_ne!(ready, "PausedOutside");
        }
        ear.script.wait(60).await;
        assert_eq!(ear.condition(AD, "a0", "Ready")["reason"], "InSync");
        assert!(ear.script.does(|w| w.row(&ids[0]).unwrap().is_on()));
        ear.script.end().await;
    });
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

impl Ear {
    fn keys(&self, current: &str, previous: &str) {
        self.script.does(|w| {
            w.api.put_secret(
                &ads(KEYS),
                &[
                    ("TIKTOK_WEBHOOK_SIGNING_KEY_CURRENT", current),
                    ("TIKTOK_WEBHOOK_SIGNING_KEY_PREVIOUS", previous),
                ],
            );
            w.publish();
        });
    }

    async fn accepts(&self, key: &str) -> bool {
        let body = json!({"object": 1, "n": self.script.does(|w| w.rng.u64(..))}).to_string();
        match self.send(body.as_bytes(), Signed::Raw(key)).await {
            Taken::Queued => true,
            Taken::Refused => false,
            Taken::NotHere => panic!("nobody leads"),
        }
    }
}

#[test]
fn r23_the_previous_key_counts_for_its_time_after_a_rotation_and_then_ends_by_itself() {
    play(async {
        let ear = Ear::with(short_window(), 1).await;
        let secret = ear.secret.clone();
        assert!(
            ear.accepts(&secret).await,
            "without a Secret for keys it is the app's secret"
        );
        ear.keys("first", "");
        ear.script.does(|w| {
            let webhooks = json!({"webhooks": {"keysSecretRef": {"name": KEYS}}});
            w.edit(CONNECTION, &ads("main"), webhooks);
        });
        ear.script.wait(2).await;
        assert!(ear.accepts("first").await);
        assert!(!ear.accepts(&secret).await, "only the keys that are named");
        assert!(!ear.accepts("").await);
        ear.keys("second", "first");
        ear.script.wait(2).await;
        let rotated = ear.now();
        for key in ["first", "second"] {
            assert!(ear.accepts(key).await, "{key}");
        }
        ear.script.wait(2).await;
        let shown = ear.webhooks();
        let until = shown["previousKeyAcceptedUntil"].as_str().unwrap();
        let until: jiff::Timestamp = until.parse().unwrap();
        assert!((until.as_second() - rotated - 3600).abs() <= 4, "{shown}");
        assert!(shown["previousKeyUsed"].is_string(), "{shown}");
        // A new process goes on with the same window.
        let process = ear.script.does(|w| w.slots[0].process);
        ear.script.sim.kill(0, process, "the test");
        ear.script.wait(120).await;
        assert!(ear.accepts("first").await);
        ear.script.wait(5).await;
        assert_eq!(
            ear.webhooks()["previousKeyAcceptedUntil"],
            shown["previousKeyAcceptedUntil"]
        );
        ear.script.wait(HOUR - 180).await;
        assert!(ear.accepts("first").await);
        ear.script.wait(120).await;
        assert!(!ear.accepts("first").await, "its time is over");
        assert!(ear.accepts("second").await);
        let shown = ear.webhooks();
        assert!(shown["previousKeyAcceptedUntil"].is_null() && shown["previousKeyUsed"].is_null());
        // Put back without a rotation it stays refused, also by a new process.
        ear.keys("second", "");
        ear.script.wait(2).await;
        ear.keys("second", "first");
        ear.script.wait(2).await;
        assert!(!ear.accepts("first").await);
        let process = ear.script.does(|w| w.slots[0].process);
        ear.script.sim.kill(0, process, "the test");
        ear.script.wait(120).await;
        assert!(!ear.accepts("first").await);
        // Another rotation, ended at once by emptying it.
        ear.keys("third", "second");
        ear.script.wait(2).await;
        assert!(ear.accepts("second").await);
        ear.keys("third", "");
        ear.script.wait(2).await;
        assert!(!ear.accepts("second").await);
        let text = ear.engine().metrics_text();
        assert!(
            text.contains("tiktokads_webhook_key_total{key=\"previous\"} 1"),
            "{text}"
        );
        ear.script.end().await;
    });
}

#[test]
fn r23_the_keys_secret_that_is_missing_or_lacks_the_key_is_said_and_nothing_is_believed() {
    play(async {
        let ear = Ear::with(short_window(), 1).await;
        ear.script.does(|w| {
            let webhooks = json!({"webhooks": {"keysSecretRef": {"name": KEYS}}});
            w.edit(CONNECTION, &ads("main"), webhooks);
        });
        ear.script.wait(3).await;
        let secret = ear.secret.clone();
        assert!(!ear.accepts(&secret).await);
        let said = ear.condition(CONNECTION, "main", "Webhooks");
        assert_eq!(
            (said["status"].as_str(), said["reason"].as_str()),
            (Some("False"), Some("SecretMissing"))
        );
        ear.keys("", "old");
        ear.script.wait(3).await;
        assert_eq!(
            ear.condition(CONNECTION, "main", "Webhooks")["reason"],
            "SecretIncomplete"
        );
        assert!(!ear.accepts("old").await && !ear.accepts("").await);
        ear.keys("new", "");
        ear.script.wait(3).await;
        assert!(ear.accepts("new").await);
        ear.script.wait(3).await;
        let said = ear.condition(CONNECTION, "main", "Webhooks");
        assert_eq!(said["reason"], "Receiving", "{said}");
        ear.script.end().await;
    });
}

#[test]
fn r23_unsigned_is_refused_said_once_and_taken_at_an_address_that_nobody_can_guess() {
    play(async {
        let ear = Ear::with(short_window(), 1).await;
        let ids = ear.ads("Manual", 1).await;
        let body = |ear: &Ear| {
            ear.about(3, &[ear.ad_entry(&ids[0])])
                .to_string()
                .into_bytes()
        };
        assert_eq!(ear.send(&body(&ear), Signed::Not).await, Taken::Refused);
        ear.script.wait(3).await;
        let said = ear.condition(CONNECTION, "main", "Webhooks");
        assert_eq!(said["reason"], "WebhookUnsigned");
        assert!(
            said["message"]
                .as_str()
                .unwrap()
                .contains("pathTokenSecretRef")
        );
        let warned = |ear: &Ear| {
            let notes = ear.script.does(|w| w.api.notes.clone());
            notes
                .iter()
                .filter(|n| n.reason == "WebhookUnsigned")
                .count()
        };
        assert_eq!(warned(&ear), 1);
        ear.calm().await;
        let writes = ear.writes();
        for _ in 0..50 {
            assert_eq!(ear.send(&body(&ear), Signed::Not).await, Taken::Refused);
        }
        ear.script.wait(30).await;
        assert_eq!(ear.writes(), writes, "said once");
        let token = "c0ffee00c0ffee00c0ffee00";
        ear.script.does(|w| {
            w.api.put_secret(&ads("path"), &[("path_token", token)]);
            let webhooks = json!({"webhooks": {"pathTokenSecretRef": {"name": "path"}}});
            w.edit(CONNECTION, &ads("main"), webhooks);
        });
        ear.script.wait(3).await;
        let with = |ear: &Ear, token: &str, signed: Signed<'_>| {
            let mut message = delivery(&body(ear), signed, ear.now());
            message.path_token = Some(SecretString::from(token));
            message
        };
        for wrong in ["", "c0ffee00c0ffee00c0ffee01", "c0ffee00"] {
            let message = with(&ear, wrong, Signed::Not);
            assert_eq!(
                ear.engine().event(&ads("main"), &message).await,
                Taken::Refused
            );
            assert_eq!(
                ear.engine().event(&ads("other"), &message).await,
                Taken::Refused
            );
        }
        // A signature that is there has to be good all the same.
        let message = with(&ear, token, Signed::Raw("wrong"));
        assert_eq!(
            ear.engine().event(&ads("main"), &message).await,
            Taken::Refused
        );
        let asked = ear.asked_so_far();
        let message = with(&ear, token, Signed::Not);
        assert_eq!(
            ear.engine().event(&ads("main"), &message).await,
            Taken::Queued
        );
        ear.script.wait(4).await;
        assert!(
            ear.asked(asked)
                .contains(&("/ad/get/".to_string(), vec![ids[0].clone()]))
        );
        let said = ear.condition(CONNECTION, "main", "Webhooks");
        assert_eq!(said["reason"], "Receiving");
        // The secret part of the address is told nowhere.
        assert_eq!(
            ear.webhooks()["url"],
            "https://ads.example/webhooks/tiktok/ads/main"
        );
        let everything = ear
            .script
            .does(|w| format!("{:?}{:?}", w.api.objects, w.api.notes));
        assert!(!everything.contains(token));
        ear.script.end().await;
    });
}

#[test]
fn r23_only_the_process_that_leads_takes_a_message() {
    play(async {
        let ear = Ear::with(Settings::default(), 2).await;
        let (leader, engine) = ear.script.sim.leader().unwrap();
        let standby = ear
            .script
            .does(|w| w.slots[1 - leader].engine.upgrade())
            .unwrap();
        let body = json!({"object": 1}).to_string();
        let message = delivery(body.as_bytes(), Signed::Raw(&ear.secret), ear.now());
        assert_eq!(standby.event(&ads("main"), &message).await, Taken::NotHere);
        // Whoever it is for, and whatever it is worth.
        let forged = delivery(body.as_bytes(), Signed::Raw("wrong"), ear.now());
        assert_eq!(standby.event(&ads("nobody"), &forged).await, Taken::NotHere);
        assert_eq!(engine.event(&ads("main"), &message).await, Taken::Queued);
        drop(engine);
        // A new leader takes nothing, and tells nothing, before it has read everybody's keys.
        let process = ear.script.does(|w| w.slots[leader].process);
        ear.script.sim.kill(leader, process, "the test");
        let mut taken = Vec::new();
        for n in 0..600 {
            ear.script.wait(0).await;
            tokio::time::sleep(Duration::from_millis(100)).await;
            let body = json!({"object": 1, "n": n}).to_string();
            let message = delivery(body.as_bytes(), Signed::Raw(&ear.secret), ear.now());
            taken.push(standby.event(&ads("main"), &message).await);
        }
        assert!(taken.contains(&Taken::NotHere) && taken.contains(&Taken::Queued));
        assert!(
            !taken.contains(&Taken::Refused),
            "a good message is never called a bad one"
        );
        ear.script.end().await;
    });
}

#[test]
fn r23_a_hundred_thousand_that_are_forged_stale_replayed_or_malformed_leave_nothing_behind() {
    play(async {
        let ear = Ear::new().await;
        let ids = ear.ads("Manual", 1).await;
        let secret = ear.secret.clone();
        let good = ear
            .about(3, &[ear.ad_entry(&ids[0])])
            .to_string()
            .into_bytes();
        let engine = ear.engine();
        let now = ear.now();
        let replayed = delivery(&good, Signed::Raw(&secret), now);
        assert_eq!(engine.event(&ads("main"), &replayed).await, Taken::Queued);
        ear.script.wait(4).await;
        ear.calm().await;
        let (asked, writes) = (ear.asked_so_far(), ear.writes());
        let mut refused = 0u32;
        let big = vec![b'x'; 64 * 1024];
        for n in 0..100_000u32 {
            let name = if n % 7 == 0 {
                ads("nobody")
            } else {
                ads("main")
            };
            let text = format!("{{\"object\":3,\"n\":{n}}}");
            let message = match n % 5 {
                0 => delivery(text.as_bytes(), Signed::Raw("forged"), now),
                1 => delivery(text.as_bytes(), Signed::Timed("forged", 0), now),
                2 => delivery(text.as_bytes(), Signed::Not, now),
                3 => Delivery {
                    open_signature: Some(text.clone()),
                    tiktok_signature: Some(format!("t={n},s={n},,==")),
                    ..delivery(text.as_bytes(), Signed::Not, now)
                },
                _ if n % 1000 == 4 => delivery(&big, Signed::Raw("forged"), now),
                // Good, and old or known: taken and dropped.
                _ if n % 2 == 0 => replayed.clone(),
                _ => delivery(&good, Signed::Timed(&secret, 400), now),
            };
            let taken = engine.event(&name, &message).await;
            refused += u32::from(taken == Taken::Refused);
            let may_be_good = n % 5 == 4 && n % 1000 != 4 && n % 7 != 0;
            assert_eq!(taken == Taken::Queued, may_be_good, "{n}");
        }
        assert!(refused > 80_000);
        ear.script.wait(8).await;
        assert_eq!(ear.asked(asked), [], "none led to a call");
        // Without a public address there is nothing to be said of messages without a signature.
        assert_eq!(ear.writes(), writes);
        assert_eq!(
            engine.lock().hearing.len(),
            1,
            "nothing is kept for names that nobody has"
        );
        drop(engine);
        ear.script.end().await;
    });
}

#[test]
fn r23_an_account_event_asks_about_the_account_at_once() {
    play(async {
        let ear = Ear::new().await;
        ear.calm_without_objects().await;
        let status = |ear: &Ear, status: &str| {
            json!({
                "advertiser_id": ear.advertiser, "advertiser_name": "N", "status": status,
                "status_change_time": ear.now(), "suspension_reason": "R", "time": ear.now(),
            })
        };
        // Whatever it claims: what the account is, is asked.
        assert_eq!(ear.hears(status(&ear, "STATUS_LIMIT")).await, Taken::Queued);
        ear.script.wait(3).await;
        assert_eq!(
            ear.condition(CONNECTION, "main", "Ready")["reason"],
            "Verified"
        );
        for (now, reason) in [
            ("STATUS_LIMIT", "AccountRestricted"),
            ("STATUS_ENABLE", "Verified"),
        ] {
            ear.script.does(|w| {
                let id = w.accounts[0].advertiser_id.clone();
                let at = w.clock.millis();
                w.sandbox
                    .set_account_status(at, &id, now, "1:It is so.")
                    .unwrap();
            });
            ear.script.wait(10).await;
            assert_eq!(ear.hears(status(&ear, "STATUS_ODD")).await, Taken::Queued);
            ear.script.wait(3).await;
            assert_eq!(ear.condition(CONNECTION, "main", "Ready")["reason"], reason);
        }
        ear.script.end().await;
    });
}

impl Ear {
    /// Nothing is swept where there is nothing.
    async fn calm_without_objects(&self) {
        self.script.wait(30).await;
    }
}
