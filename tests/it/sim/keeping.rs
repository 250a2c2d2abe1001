//! R21: a token that was obtained is kept, whatever the process, the lease or the API server do meanwhile; and what one
//! tenant does with its Secrets is nobody else's trouble.

use std::time::Duration;

use serde_json::{Value, json};
use tiktok_ads_operator::engine::doors::ClusterError;
use tiktok_ads_operator::sandbox::{FaultKind, NewGrant};

use super::api_server::{CAMPAIGN, CONNECTION};
use super::platform::Planned;
use super::script::{Script, ads, play};
use super::specs::manual;
use super::tokens::{REFRESH, ROTATING, condition, settings, unconnected};
use super::user::named;

const TOKEN: &str = "main-tiktok-token";
const CHECK: &str = "/oauth2/advertiser/get/";

fn slow(ms: u64) -> Planned {
    Planned::fault(FaultKind::Delay { ms })
}

impl Script {
    /// Until a call to renew a token is under way.
    async fn until_refreshing(&self) {
        let due = self.connection()["status"]["token"]["rotatesAt"].clone();
        let due: jiff::Timestamp = due.as_str().unwrap().parse().unwrap();
        while self.does(|w| w.now()) < due - Duration::from_secs(2) {
            self.wait(1).await;
        }
        // It may be over in a moment.
        for _ in 0..10_000 {
            tokio::time::sleep(Duration::from_millis(2)).await;
            if self.does(|w| w.refreshing) > 0 {
                return;
            }
        }
        panic!("no token was renewed");
    }

    /// A connection that was authorised, its token two hours long.
    async fn authorised(seed: u64, replicas: usize) -> Self {
        let script = Self::with(seed, ROTATING, replicas, &settings());
        unconnected(&script, json!({}));
        script.wait(60).await;
        script.connect(None).await.unwrap();
        script.wait(5).await;
        assert_eq!(script.reason(), "Verified");
        script
    }

    fn message(&self) -> String {
        let all = self.connection()["status"]["conditions"].clone();
        let mut found = all.as_array().into_iter().flatten();
        let ready = found.find(|c| c["type"] == "Ready").cloned();
        let text = ready.unwrap_or_default()["message"].clone();
        text.as_str().unwrap_or_default().to_string()
    }

    fn leader(&self) -> usize {
        self.sim.leader().unwrap().0
    }

    fn freeze_leader(&self, seconds: u64) {
        let replica = self.leader();
        self.does(|w| {
            w.slots[replica].frozen_until = w.clock.elapsed() + Duration::from_secs(seconds);
        });
    }

    /// A token of its own, without an end.
    fn issue(&self) -> String {
        let issued = self.does(|w| {
            let (now, account) = (w.clock.millis(), w.accounts[0].clone());
            let grant = NewGrant {
                app_id: account.app_id,
                advertiser_ids: vec![account.advertiser_id],
                ..NewGrant::default()
            };
            w.sandbox.issue_token(now, &grant).unwrap()
        });
        issued["access_token"].as_str().unwrap().to_string()
    }

    /// A user's Secret with these values.
    pub(super) fn put(&self, name: &str, data: &[(&str, &str)]) {
        self.does(|w| {
            w.api.put_secret(&ads(name), data);
            w.publish();
        });
    }

    /// From now on the API server refuses to write a Secret, or does not any more.
    fn refuse(&self, name: &str, error: Option<ClusterError>) {
        self.does(|w| match error {
            Some(error) => w.api.refused.insert(ads(name), error),
            None => w.api.refused.remove(&ads(name)),
        });
    }
}

fn immutable() -> ClusterError {
    ClusterError::Refused("data: Forbidden: field is immutable when `immutable` is set".into())
}

#[test]
fn r21_a_stop_waits_for_the_answer_that_brings_a_new_token() {
    play(async {
        let script = Script::authorised(40, 1).await;
        let before = script.data(TOKEN, "access_token");
        script.plan(REFRESH, &[slow(12_000)]);
        script.until_refreshing().await;
        script.does(|w| w.slots[0].stop.notify_one());
        script.wait(180).await;
        assert_ne!(script.data(TOKEN, "access_token"), before);
        assert_eq!(script.calls(REFRESH).len(), 1);
        assert_eq!(script.data(TOKEN, "refresh_mark"), None);
        assert_eq!(
            (script.reason(), script.banner()),
            ("Verified".into(), String::new())
        );
        script.end().await;
    });
}

#[test]
fn r21_who_does_not_lead_any_more_puts_nothing_over_a_token_that_came_meanwhile() {
    play(async {
        let script = Script::authorised(41, 2).await;
        script.plan(REFRESH, &[slow(3_000)]);
        script.until_refreshing().await;
        script.freeze_leader(75);
        let token = script.issue();
        script.put("token", &[("access_token", &token)]);
        script.does(|w| {
            let named = json!({"tokenSecretRef": {"name": "token"}});
            w.edit(CONNECTION, &ads("main"), named);
        });
        script.wait(70).await;
        assert_eq!(script.data(TOKEN, "access_token").as_ref(), Some(&token));
        script.wait(60).await;
        assert_eq!(script.data(TOKEN, "access_token").as_ref(), Some(&token));
        assert_eq!(script.data(TOKEN, "refresh_token"), None);
        assert_eq!(script.reason(), "Verified");
        script.end().await;
    });
}

#[test]
fn r21_who_does_not_lead_any_more_takes_nobodys_mark_off() {
    play(async {
        let script = Script::authorised(42, 2).await;
        let down = Planned::fault(FaultKind::HttpStatus {
            status: 503,
            after_effect: false,
            retry_after: None,
        });
        script.plan(REFRESH, &[down, slow(14_000)]);
        script.until_refreshing().await;
        script.freeze_leader(52);
        let before = script.data(TOKEN, "refresh_mark");
        assert!(before.is_some());
        script.wait(56).await;
        assert_eq!(
            script.calls(REFRESH).len(),
            2,
            "the successor's is under way"
        );
        let mark = script.data(TOKEN, "refresh_mark");
        assert!(mark.is_some() && mark != before, "{mark:?}");
        script.wait(60).await;
        assert_eq!(script.data(TOKEN, "refresh_mark"), None);
        assert_eq!(script.calls(REFRESH).len(), 2);
        assert_eq!(script.reason(), "Verified");
        script.end().await;
    });
}

#[test]
fn r21_a_late_pair_is_stored_while_nobody_has_another() {
    play(async {
        let script = Script::with(43, &ROTATING[..2], 2, &settings());
        unconnected(&script, json!({}));
        script.wait(60).await;
        script.connect(None).await.unwrap();
        script.wait(5).await;
        let before = script.data(TOKEN, "access_token");
        script.plan(REFRESH, &[Planned::default(), slow(14_000)]);
        script.until_refreshing().await;
        script.freeze_leader(52);
        script.wait(120).await;
        assert_eq!(script.calls(REFRESH).len(), 2);
        assert_ne!(script.data(TOKEN, "access_token"), before);
        assert_eq!(script.data(TOKEN, "refresh_mark"), None);
        assert_eq!(script.data(TOKEN, "refresh_refused_for_good"), None);
        assert_eq!(script.reason(), "Verified");
        script.end().await;
    });
}

#[test]
fn r21_a_token_secret_that_cannot_be_written_is_said_at_once_and_heals_by_itself() {
    play(async {
        let script = Script::authorised(44, 1).await;
        script.does(|w| w.create(CAMPAIGN, &ads("a"), manual(Some("Active"))));
        script.wait(60).await;
        script.refuse(TOKEN, Some(immutable()));
        script.wait(92 * 60).await;
        assert_eq!(script.reason(), "SecretNotWritable");
        assert_eq!(
            condition(&script.connection(), "Stalled"),
            "SecretNotWritable"
        );
        let text = script.message();
        assert!(text.contains(TOKEN) && text.contains("immutable"), "{text}");
        assert_eq!(script.calls(REFRESH), [], "no call without a mark");
        assert_eq!(script.connection()["status"]["phase"], "Active");
        // Everything else goes on: objects, checks, the status.
        script.does(|w| w.create(CAMPAIGN, &ads("b"), manual(Some("Active"))));
        script.wait(60).await;
        assert_eq!(script.ready("b"), "InSync");
        let written = script.does(|w| w.api.writes);
        script.wait(20 * 60).await;
        assert_eq!(script.does(|w| w.api.writes), written, "said once");
        script.refuse(TOKEN, None);
        script.wait(310).await;
        assert_eq!(script.calls(REFRESH).len(), 1);
        assert_eq!(script.reason(), "Verified");
        script.end().await;
    });
}

#[test]
fn r21_a_new_token_that_cannot_be_stored_is_used_and_stored_as_soon_as_it_can_be() {
    play(async {
        let script = Script::authorised(45, 1).await;
        script.does(|w| w.create(CAMPAIGN, &ads("a"), manual(Some("Active"))));
        script.wait(60).await;
        let before = script.data(TOKEN, "access_token");
        script.plan(REFRESH, &[slow(5_000)]);
        script.until_refreshing().await;
        script.refuse(TOKEN, Some(ClusterError::Forbidden("no".into())));
        script.wait(60).await;
        assert_eq!(script.reason(), "SecretNotWritable");
        let text = script.message();
        assert!(text.contains("is lost when"), "{text}");
        let shown = script.connection()["status"]["token"]["fingerprint"].clone();
        assert_ne!(shown, json!(script.data(TOKEN, "token_id").unwrap()));
        // Beyond the end of the token before.
        script.wait(60 * 60).await;
        assert_eq!(script.data(TOKEN, "access_token"), before);
        script.does(|w| w.create(CAMPAIGN, &ads("b"), manual(Some("Active"))));
        script.wait(60).await;
        assert_eq!(script.ready("b"), "InSync");
        script.refuse(TOKEN, None);
        script.wait(310).await;
        assert_eq!(json!(script.data(TOKEN, "token_id").unwrap()), shown);
        assert_eq!(script.data(TOKEN, "refresh_mark"), None);
        assert_eq!(script.calls(REFRESH).len(), 1);
        assert_eq!(
            (script.reason(), script.ready("a")),
            ("Verified".into(), "InSync".into())
        );
        script.end().await;
    });
}

#[test]
fn r21_a_new_token_in_memory_gives_way_to_one_that_somebody_brings() {
    play(async {
        let script = Script::authorised(46, 1).await;
        script.plan(REFRESH, &[slow(5_000)]);
        script.until_refreshing().await;
        script.refuse(TOKEN, Some(ClusterError::Forbidden("no".into())));
        script.wait(60).await;
        assert_eq!(script.reason(), "SecretNotWritable");
        script.does(|w| {
            let name = ads(TOKEN);
            w.api.edit_secret(&name, "refresh_token", Some("another"));
            w.api.edit_secret(&name, "access_token", Some("another"));
            w.api.refused.clear();
            w.publish();
        });
        script.wait(400).await;
        assert_eq!(
            script.data(TOKEN, "access_token").as_deref(),
            Some("another")
        );
        assert_eq!(script.reason(), "TokenRefused");
        script.end().await;
    });
}

#[test]
fn r21_the_status_goes_on_where_what_is_heard_cannot_be_noted() {
    play(async {
        let script = Script::authorised(47, 1).await;
        script.refuse(TOKEN, Some(immutable()));
        let key = [("TIKTOK_WEBHOOK_SIGNING_KEY_CURRENT", "k1")];
        script.put("webhook-keys", &key);
        script.does(|w| {
            let keys = json!({"webhooks": {"keysSecretRef": {"name": "webhook-keys"}}});
            w.edit(CONNECTION, &ads("main"), keys);
        });
        script.wait(30).await;
        let object = script.connection();
        assert_eq!(
            object["status"]["observedGeneration"],
            object["metadata"]["generation"]
        );
        assert_eq!(script.reason(), "SecretNotWritable");
        script.refuse(TOKEN, None);
        script.wait(310).await;
        assert!(script.data(TOKEN, "webhook_current_fingerprint").is_some());
        assert_eq!(script.reason(), "Verified");
        script.end().await;
    });
}

#[test]
fn a_token_secret_whose_label_was_taken_off_is_still_ours() {
    play(async {
        let script = Script::authorised(48, 1).await;
        let strip = |owner: bool| {
            script.does(|w| {
                let secret = w.api.secrets.get_mut(&ads(TOKEN)).unwrap();
                secret.labels.clear();
                if owner {
                    secret.owner = None;
                }
                w.publish_secret(&ads(TOKEN));
            });
        };
        strip(false);
        script.wait(95 * 60).await;
        assert_eq!(script.reason(), "Verified");
        assert_eq!(script.calls(REFRESH).len(), 1);
        let labels = script.does(|w| w.api.secrets[&ads(TOKEN)].labels.clone());
        assert_eq!(labels.len(), 1, "put back: {labels:?}");
        strip(true);
        script.wait(30).await;
        assert_eq!(script.reason(), "TokenSecretTaken");
        let text = script.message();
        assert!(text.contains("tiktokads.dev/connection=main"), "{text}");
        assert!(
            !text.contains("remove it") && !text.contains("delete it"),
            "{text}"
        );
        script.end().await;
    });
}

#[test]
fn secrets_that_a_connection_named_once_are_not_watched_for_ever() {
    play(async {
        let script = Script::authorised(49, 1).await;
        for n in 0..50 {
            script.does(|w| {
                let other = json!({"appSecretRef": {"name": format!("app-{n}")}});
                w.edit(CONNECTION, &ads("main"), other);
            });
            script.wait(1).await;
        }
        let watched = |script: &Script| script.does(|w| w.slots[0].secrets.len());
        assert!(watched(&script) <= 3, "{}", watched(&script));
        script.does(|w| {
            w.edit(
                CONNECTION,
                &ads("main"),
                json!({"appSecretRef": {"name": "app"}}),
            );
        });
        script.wait(5).await;
        script.does(|w| w.delete(CONNECTION, &ads("main")));
        script.wait(60).await;
        assert_eq!(script.connection(), Value::Null);
        assert_eq!(watched(&script), 0);
        script.end().await;
    });
}

#[test]
fn a_tenant_that_names_anothers_app_uses_nothing_of_its_budget() {
    play(async {
        let script = Script::bare(&[]);
        let app = script.does(|w| {
            w.set_up(1, None);
            w.accounts[0].app_id.clone()
        });
        script.wait(30).await;
        assert_eq!(
            condition(
                &script
                    .does(|w| w.api.get(CONNECTION, &named("lab", "main")).cloned())
                    .unwrap(),
                "Ready"
            ),
            "Verified"
        );
        let checks = script.calls(CHECK).len();
        script.put("app", &[("app_id", &app), ("secret", "guessed")]);
        script.put("token", &[("access_token", "0")]);
        script.does(|w| {
            let advertiser = w.accounts[0].advertiser_id.clone();
            let spec = json!({"appSecretRef": {"name": "app"}, "tokenSecretRef": {"name": "token"},
                "advertiserId": advertiser});
            w.create(CONNECTION, &ads("main"), spec);
        });
        // Faster than that, no change is read before the next.
        for n in 0..100 {
            script.put("token", &[("access_token", &format!("t{n}"))]);
            tokio::time::sleep(Duration::from_millis(600)).await;
        }
        let asked = script.calls(CHECK).len() - checks;
        assert!((1..=13).contains(&asked), "{asked} checks in a minute");
        let (_, engine) = script.sim.leader().unwrap();
        let now = script.does(|w| w.now());
        let used = engine.lock().budgets.used_in_last_minute(&app, now);
        let calls = |good: bool| {
            script.does(|w| {
                let minute = w.clock.millis() - 60_000;
                let all = w.sandbox.requests(Default::default());
                all.filter(|entry| entry.at > minute && (entry.code == Some(0)) == good)
                    .count()
            })
        };
        assert!(calls(false) > 0);
        assert!(
            used as usize <= calls(true),
            "{used} calls of the other's budget"
        );
        drop(engine);
        // Who mends it does not wait for long.
        script.wait(600).await;
        let (secret, token) = script.does(|w| {
            (
                w.accounts[0].secret.clone(),
                w.accounts[0].access_token.clone(),
            )
        });
        script.put("app", &[("app_id", &app), ("secret", &secret)]);
        script.put("token", &[("access_token", &token)]);
        script.wait(8).await;
        assert_eq!(script.reason(), "Verified");
        script.end().await;
    });
}

#[test]
fn a_turn_that_panics_is_a_turn_that_failed() {
    play(async {
        let script = Script::start(&[]).await;
        let panics = Planned {
            panics: true,
            ..Planned::default()
        };
        script.plan("/campaign/create/", std::slice::from_ref(&panics));
        script.does(|w| {
            for name in ["a", "b", "c"] {
                w.create(CAMPAIGN, &ads(name), manual(Some("Active")));
            }
        });
        script.wait(20).await;
        let on = script.rows().into_iter().filter(|(_, on)| *on).count();
        assert_eq!(on, 2, "the others go on: {:?}", script.rows());
        let (_, engine) = script.sim.leader().unwrap();
        let text = engine.metrics_text();
        assert!(
            text.contains("tiktokads_panics_total{work=\"turn\"} 1"),
            "{text}"
        );
        script.wait(120).await;
        assert_eq!(script.rows().len(), 3);
        // What several share goes on without what panicked, too.
        script.plan("/campaign/status/update/", std::slice::from_ref(&panics));
        script.does(|w| {
            for name in ["a", "b", "c"] {
                w.edit(CAMPAIGN, &ads(name), json!({"state": "Paused"}));
            }
        });
        script.wait(60).await;
        assert!(
            script.rows().iter().all(|(_, on)| !on),
            "{:?}",
            script.rows()
        );
        // A list, and a connection's own turn.
        script.plan("/campaign/get/", std::slice::from_ref(&panics));
        script.wait(130).await;
        script.plan(CHECK, std::slice::from_ref(&panics));
        script.wait(3700).await;
        let text = engine.metrics_text();
        for line in ["work=\"turn\"} 2", "work=\"batch\"} 1", "work=\"page\"} 1"] {
            assert!(
                text.contains(&format!("tiktokads_panics_total{{{line}")),
                "{text}"
            );
        }
        assert_eq!(script.reason(), "Verified");
        for name in ["a", "b", "c"] {
            assert_eq!(script.ready(name), "Paused");
        }
        drop(engine);
        script.end().await;
    });
}
