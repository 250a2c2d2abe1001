//! R24: what TikTok is asked to send, and that what it sends arrives: the sandbox's own deliveries, in process.

mod lives;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;
use serde_json::{Value, json};
use tiktok_ads_operator::engine::doors::Clock;
use tiktok_ads_operator::engine::settings::{HearingSettings, Settings};
use tiktok_ads_operator::engine::webhooks::{Delivery, Taken};
use tiktok_ads_operator::sandbox::{Delivered, FaultKind, NewSubscription};
use tokio::task::JoinHandle;

use super::api_server::{AD, AD_GROUP, CAMPAIGN, CONNECTION};
use super::hearing::{Ear, ads, short_window};
use super::platform::Planned;
use super::script::play;
use super::user::named;
use super::world::Sim;

const HOUR: u64 = 3600;
const HERE: &str = "https://ads.example/webhooks/tiktok/ads/main";
const SUBSCRIBE: &str = "/subscription/subscribe/";

/// Hands what the sandbox sends to the replicas in turn, as a Service would; a standby passes it on to whoever leads.
fn post(sim: Arc<Sim>) -> JoinHandle<()> {
    tokio::spawn(async move {
        let mut turn = 0;
        loop {
            tokio::time::sleep(Duration::from_millis(200)).await;
            let due = {
                let mut world = sim.lock();
                let now = world.clock.millis();
                world.sandbox.due_deliveries(now, 50)
            };
            for one in due {
                turn += 1;
                let engine = {
                    let world = sim.lock();
                    let slots = &world.slots;
                    slots[turn % slots.len()].engine.upgrade()
                };
                let taken = match (engine, read(&one.url)) {
                    (Some(engine), Some((at, path_token))) => {
                        let header = |name: &str| {
                            let mut all = one.headers.iter();
                            all.find(|(n, _)| n == name).map(|(_, v)| v.clone())
                        };
                        let delivery = Delivery {
                            path_token,
                            open_signature: header("X-Open-Signature"),
                            tiktok_signature: header("TikTok-Signature"),
                            body: one.body.clone(),
                        };
                        let taken = engine.event(&at, &delivery).await;
                        let leader = sim.leader().filter(|_| taken == Taken::NotHere);
                        match leader {
                            Some((_, leader)) => leader.event(&at, &delivery).await,
                            None => taken,
                        }
                    }
                    _ => Taken::NotHere,
                };
                let status = match taken {
                    Taken::Queued => 200,
                    Taken::Refused => 401,
                    Taken::NotHere => 503,
                };
                let mut world = sim.lock();
                let now = world.clock.millis();
                let result = Delivered::Answered(status);
                world
                    .sandbox
                    .delivery_result(now, one.id, one.attempt, result);
            }
        }
    })
}

fn read(
    url: &str,
) -> Option<(
    tiktok_ads_operator::engine::doors::Name,
    Option<SecretString>,
)> {
    let rest = url.strip_prefix("https://ads.example/webhooks/tiktok/")?;
    let mut parts = rest.split('/');
    let at = named(parts.next()?, parts.next()?);
    Some((at, parts.next().map(SecretString::from)))
}

fn settings(change: impl FnOnce(&mut HearingSettings)) -> Settings {
    let mut settings = short_window();
    change(&mut settings.hearing);
    settings
}

impl Ear {
    /// The app's subscriptions: what to, and where to.
    fn rows(&self) -> Vec<(String, String)> {
        self.script.does(|w| {
            let app = w.accounts[0].app_id.clone();
            let all = w.sandbox.subscriptions_of(&app);
            let mut rows: Vec<_> = all
                .map(|(_, one)| {
                    let detail = &one.subscription_detail;
                    let id = detail.get("ad_id").or(detail.get("adgroup_id"));
                    let id = id.and_then(Value::as_str).unwrap_or_default();
                    (
                        format!("{} {id}", one.subscribe_entity).trim().to_string(),
                        one.callback_url.clone(),
                    )
                })
                .collect();
            rows.sort();
            rows
        })
    }

    /// What it has subscribed to.
    fn to(&self) -> Vec<String> {
        self.rows().into_iter().map(|(what, _)| what).collect()
    }

    fn tokens(&self) -> Vec<String> {
        self.script.does(|w| {
            let app = w.accounts[0].app_id.clone();
            let all = w.sandbox.subscriptions_of(&app);
            all.map(|(_, one)| {
                one.subscription_detail["access_token"]
                    .as_str()
                    .unwrap()
                    .into()
            })
            .collect()
        })
    }

    /// Calls about subscriptions since: by path.
    fn about_subscriptions(&self, since: usize) -> BTreeMap<String, usize> {
        let world = self.script.sim.lock();
        let all = world.sandbox.requests(Default::default()).skip(since);
        let mut counts = BTreeMap::new();
        for entry in all.filter(|e| e.path.contains("/subscription/")) {
            let path = entry
                .path
                .trim_start_matches("/open_api/v1.3/subscription/");
            *counts
                .entry(path.trim_end_matches('/').to_string())
                .or_default() += 1;
        }
        counts
    }

    async fn restart(&self) {
        let process = self.script.does(|w| w.slots[0].process);
        self.script.sim.kill(0, process, "the test");
        self.script.wait(180).await;
    }
}

fn all_of(ids: &[String], group: &str) -> Vec<String> {
    let mut all = vec![
        "AD_ACCOUNT_SUSPENSION".to_string(),
        format!("AD_GROUP {group}"),
    ];
    all.extend(ids.iter().map(|id| format!("AD {id}")));
    all.sort();
    all
}

#[test]
fn r24_the_account_always_and_reviews_for_a_while_after_a_change() {
    play(async {
        let ear = Ear::with(settings(|s| s.review_window = Duration::from_secs(HOUR)), 1).await;
        let ids = ear.ads("Manual", 3).await;
        let group = ear.script.does(|w| w.id_of(AD_GROUP, &ads("g"))).unwrap();
        assert_eq!(ear.to(), all_of(&ids, &group));
        assert!(ear.rows().iter().all(|(_, url)| url == HERE));
        ear.script.wait(70).await;
        let shown = ear.webhooks();
        assert_eq!(
            (&shown["subscriptions"], &shown["subscriptionsWanted"]),
            (&json!(5), &json!(5))
        );
        assert_eq!(
            ear.condition(CONNECTION, "main", "Webhooks")["reason"],
            "Subscribed"
        );
        // Schedules begin 15 minutes after the create. Then nothing changes: nothing is asked or written.
        ear.script.wait(1000).await;
        let (asked, writes) = (ear.asked_so_far(), ear.writes());
        ear.script.wait(HOUR / 3).await;
        assert_eq!(ear.about_subscriptions(asked), BTreeMap::new());
        assert_eq!(ear.writes(), writes);
        // A new process finds them.
        ear.restart().await;
        assert_eq!(
            ear.about_subscriptions(asked),
            BTreeMap::from([("get".into(), 1)])
        );
        assert_eq!(ear.to(), all_of(&ids, &group));
        // Their time is over.
        ear.script.wait(HOUR).await;
        assert_eq!(ear.to(), ["AD_ACCOUNT_SUSPENSION"]);
        // One of them is changed.
        ear.script
            .does(|w| w.edit(AD, &ads("a1"), json!({"text": "Summer is here"})));
        ear.script.wait(180).await;
        assert!(
            ear.to().contains(&format!("AD {}", ids[1])),
            "{:?}",
            ear.to()
        );
        ear.script.end().await;
    });
}

#[test]
fn r24_newest_first_up_to_the_limit() {
    play(async {
        let ear = Ear::with(settings(|s| s.subscriptions_limit = 3), 1).await;
        let ids = ear.ads("Manual", 4).await;
        assert_eq!(ear.to().len(), 3, "{:?}", ear.to());
        ear.script.wait(70).await;
        let shown = ear.webhooks();
        assert_eq!(
            (&shown["subscriptions"], &shown["subscriptionsWanted"]),
            (&json!(3), &json!(6))
        );
        ear.script
            .does(|w| w.edit(AD, &ads("a2"), json!({"text": "Summer is here"})));
        ear.script.wait(180).await;
        assert!(
            ear.to().contains(&format!("AD {}", ids[2])),
            "{:?}",
            ear.to()
        );
        assert_eq!(ear.to().len(), 3);
        ear.script.end().await;
    });
}

#[test]
fn r24_others_rows_are_left_alone_and_ours_that_are_doubled_or_lead_elsewhere_are_not() {
    play(async {
        let ear = Ear::with(settings(|_| {}), 1).await;
        let add = |url: &str, entity: &str| {
            ear.script.does(|w| {
                let detail = json!({"advertiser_ids": [w.accounts[0].advertiser_id], "access_token": "foreign-secret"});
                let new = NewSubscription {
                    app_id: w.accounts[0].app_id.clone(),
                    subscribe_entity: entity.into(),
                    callback_url: url.into(),
                    subscription_detail: detail.as_object().unwrap().clone(),
                };
                w.sandbox.add_subscription(new).unwrap()
            })
        };
        ear.script.wait(60).await;
        assert_eq!(ear.to(), ["AD_ACCOUNT_SUSPENSION"]);
        let foreign = [
            "https://others.example/hook",
            "https://ads.example/webhooks/tiktok/ads/main2",
            "https://ads.example/webhooks/tiktok/lab/main",
        ];
        for url in foreign {
            add(url, "AD_ACCOUNT_SUSPENSION");
        }
        add(HERE, "AD_ACCOUNT_SUSPENSION");
        add(&format!("{HERE}/0123456789abcdef"), "AD_ACCOUNT_SUSPENSION");
        add(HERE, "REPORT_DATA_CHANGE");
        ear.restart().await;
        let mut left: Vec<String> = ear.rows().into_iter().map(|(_, url)| url).collect();
        left.sort();
        let mut expected: Vec<String> = foreign.map(str::to_owned).to_vec();
        expected.push(HERE.into());
        expected.sort();
        assert_eq!(left, expected);
        ear.script.end().await;
    });
}

#[test]
fn r24_lost_and_refused_answers_leave_no_twin_and_none_missing() {
    for fault in [
        FaultKind::AnswerLost,
        FaultKind::CutBefore,
        FaultKind::HttpStatus {
            status: 500,
            after_effect: true,
            retry_after: None,
        },
        FaultKind::Error {
            code: 40100,
            message: String::new(),
        },
        FaultKind::Error {
            code: 50000,
            message: String::new(),
        },
    ] {
        play(async {
            let ear = Ear::with(settings(|_| {}), 1).await;
            let faults: Vec<Planned> = (0..3).map(|_| Planned::fault(fault.clone())).collect();
            ear.script.plan(SUBSCRIBE, &faults);
            let ids = ear.ads("Manual", 2).await;
            let group = ear.script.does(|w| w.id_of(AD_GROUP, &ads("g"))).unwrap();
            ear.script.wait(600).await;
            assert_eq!(ear.to(), all_of(&ids, &group), "{fault:?}");
            assert_eq!(
                ear.condition(CONNECTION, "main", "Webhooks")["reason"],
                "Subscribed"
            );
            ear.script.end().await;
        });
    }
}

#[test]
fn r24_remade_when_the_token_was_replaced_and_moved_when_the_address_was() {
    play(async {
        let ear = Ear::with(settings(|_| {}), 1).await;
        ear.ads("Manual", 2).await;
        ear.script.wait(60).await;
        let before = ear.to();
        let old = ear.tokens();
        let new = ear.script.does(|w| {
            let (app, advertiser) = (
                w.accounts[0].app_id.clone(),
                w.accounts[0].advertiser_id.clone(),
            );
            let now = w.clock.millis();
            let change = json!({"app_id": app, "advertiser_ids": [advertiser]});
            let issued = w
                .sandbox
                .issue_token(now, &serde_json::from_value(change).unwrap())
                .unwrap();
            let issued = issued["access_token"].as_str().unwrap().to_string();
            w.api
                .put_secret(&ads("token"), &[("access_token", &issued)]);
            w.publish();
            issued
        });
        ear.script.wait(180).await;
        assert_eq!(ear.to(), before);
        assert!(ear.tokens().iter().all(|t| *t == new) && old.iter().all(|t| *t != new));
        // The secret part of the address is another.
        let token = "c0ffee00c0ffee00c0ffee00";
        ear.script.does(|w| {
            w.api.put_secret(&ads("path"), &[("path_token", token)]);
            let webhooks = json!({"webhooks": {"pathTokenSecretRef": {"name": "path"}}});
            w.edit(CONNECTION, &ads("main"), webhooks);
        });
        ear.script.wait(180).await;
        assert_eq!(ear.to(), before);
        assert!(
            ear.rows()
                .iter()
                .all(|(_, url)| *url == format!("{HERE}/{token}"))
        );
        let everything = ear
            .script
            .does(|w| format!("{:?}{:?}{}", w.api.objects, w.api.notes, w.trace.join("")));
        assert!(!everything.contains(token) && !everything.contains(&new));
        // With the object everything goes, also what an earlier process made.
        ear.restart().await;
        for (kind, name) in [(AD, "a0"), (AD, "a1"), (AD_GROUP, "g"), (CAMPAIGN, "c")] {
            ear.script.does(|w| w.delete(kind, &ads(name)));
        }
        ear.script.does(|w| w.delete(CONNECTION, &ads("main")));
        ear.script.wait(120).await;
        assert_eq!(ear.rows(), []);
        assert!(ear.object(CONNECTION, "main").is_null());
    });
}

#[test]
fn r24_without_a_public_address_nothing_is_asked_and_it_is_said_once() {
    play(async {
        let ear = Ear::with(Settings::default(), 1).await;
        ear.ads("Manual", 1).await;
        ear.script.wait(60).await;
        assert_eq!(ear.about_subscriptions(0), BTreeMap::new());
        let said = ear.condition(CONNECTION, "main", "Webhooks");
        assert_eq!(
            (said["status"].as_str(), said["reason"].as_str()),
            (Some("False"), Some("PollingOnly"))
        );
        let notes = ear.script.does(|w| w.api.notes.clone());
        assert!(notes.iter().all(|n| n.reason != "PollingOnly"));
        ear.script.end().await;
    });
}

#[test]
fn r24_what_happens_on_the_platform_arrives_and_shows_within_seconds() {
    play(async {
        let ear = Ear::with(settings(|_| {}), 2).await;
        let post = post(ear.script.sim.clone());
        let ids = ear.ads("Manual", 3).await;
        ear.script.wait(120).await;
        let reason = |name: &str| {
            ear.condition(AD, name, "Ready")["reason"]
                .as_str()
                .unwrap_or_default()
                .to_string()
        };
        ear.calm().await;
        ear.script.does(|w| {
            let now = w.clock.millis();
            w.sandbox.reject(now, &ids[0], None).unwrap();
        });
        ear.script.wait(5).await;
        assert_eq!(ear.condition(AD, "a0", "Approved")["status"], "False");
        assert!(ear.object(AD, "a0")["status"]["review"]["reasons"][0].is_object());
        assert_eq!(
            ear.condition(CONNECTION, "main", "Webhooks")["reason"],
            "Receiving"
        );
        // The account is suspended: the connection says so, and its objects stop trying anything but pauses.
        let set = |status: &str| {
            ear.script.does(|w| {
                let id = w.accounts[0].advertiser_id.clone();
                let now = w.clock.millis();
                w.sandbox
                    .set_account_status(now, &id, status, "1:It is so.")
                    .unwrap();
            });
        };
        ear.calm().await;
        set("STATUS_LIMIT");
        ear.script.wait(8).await;
        assert_eq!(
            ear.condition(CONNECTION, "main", "Ready")["reason"],
            "AccountRestricted"
        );
        assert_eq!(
            reason("a1"),
            "AccountRestricted",
            "{:#}",
            ear.object(AD, "a1")
        );
        ear.script
            .does(|w| w.edit(AD, &ads("a1"), json!({"text": "Summer is here"})));
        let writes = ear.script.writes().len();
        ear.script.wait(120).await;
        assert_eq!(ear.script.writes().len(), writes);
        ear.script
            .does(|w| w.edit(AD, &ads("a2"), json!({"state": "Paused"})));
        ear.script.wait(30).await;
        assert_eq!(
            ear.script.writes().len(),
            writes + 1,
            "a pause goes through"
        );
        set("STATUS_ENABLE");
        ear.script.wait(15).await;
        assert_eq!(
            ear.condition(CONNECTION, "main", "Ready")["reason"],
            "Verified"
        );
        ear.script.wait(60).await;
        assert_eq!(reason("a1"), "InSync");
        assert!(
            ear.script.writes().len() > writes + 1,
            "what had waited went out"
        );
        post.abort();
        ear.script.end().await;
    });
}

#[test]
fn r24_two_replicas_lose_no_event_although_each_delivery_goes_to_the_next_one() {
    play(async {
        let ear = Ear::with(settings(|_| {}), 2).await;
        let post = post(ear.script.sim.clone());
        let ids = ear.ads("Manual", 6).await;
        ear.script.wait(120).await;
        for (n, id) in ids.iter().enumerate() {
            ear.script.does(|w| {
                let now = w.clock.millis();
                w.sandbox.reject(now, id, None).unwrap();
            });
            if n == 2 {
                // In the middle of it the leader dies.
                let (leader, process) = {
                    let (leader, _) = ear.script.sim.leader().unwrap();
                    (leader, ear.script.does(|w| w.slots[leader].process))
                };
                ear.script.sim.kill(leader, process, "the test");
            }
            ear.script.wait(2).await;
        }
        ear.script.wait(600).await;
        let lost: Vec<String> = ear.script.does(|w| {
            let all = w.sandbox.deliveries();
            all.filter(|one| format!("{:?}", one.state) != "Delivered")
                .map(|one| format!("{one:?}"))
                .collect()
        });
        assert_eq!(lost, Vec::<String>::new());
        for n in 0..6 {
            let name = format!("a{n}");
            assert_eq!(
                ear.condition(AD, &name, "Approved")["status"],
                "False",
                "{name}"
            );
        }
        let _ = ear.script.does(|w| w.clock.now());
        post.abort();
        ear.script.end().await;
    });
}
