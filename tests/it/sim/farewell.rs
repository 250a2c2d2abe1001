//! R22 at the engine's doors: what a connection says when it goes, whether its grant ends, and how long that takes.

use std::time::Duration;

use serde_json::{Value, json};
use tiktok_ads_operator::engine::doors::{Name, Note};
use tiktok_ads_operator::engine::settings::Settings;
use tiktok_ads_operator::sandbox::{Fault, FaultKind, Match, Tree};

use super::api_server::{AD_GROUP, CAMPAIGN, CONNECTION};
use super::script::{Script, ads, play};
use super::specs::{Money, ad_group, campaign, manual, smart_plus};
use super::tokens::{REVOKE, settings, unconnected};
use super::user::{NAMESPACES, connection_spec};

impl Script {
    fn deletes(&self, kind: &'static str, name: &Name) {
        self.does(|w| w.delete(kind, name));
    }

    /// Every call of TikTok's from now on goes this way.
    fn always(&self, kind: FaultKind) {
        self.does(|w| {
            let when = Match {
                count: Some(0),
                ..Match::default()
            };
            w.sandbox.inject(Fault { when, kind })
        });
    }

    /// The events of a reason, and whether each went to the operator's Deployment.
    fn said(&self, reason: &str) -> Vec<(bool, Note)> {
        self.does(|w| {
            let there = w.api.notes.iter().map(|note| (false, note));
            let home = w.api.home_notes.iter().map(|note| (true, note));
            let all = there.chain(home);
            all.filter(|(_, note)| note.reason == reason)
                .map(|(home, note)| (home, note.clone()))
                .collect()
        })
    }

    /// The last event of the connection: whether it is a warning, and what it says.
    #[track_caller]
    fn last_event(&self) -> (bool, String) {
        let said = self.said("Disconnected");
        let [(false, note)] = said.as_slice() else {
            panic!("{said:?}");
        };
        assert_eq!((note.kind, &note.about), (CONNECTION, &ads("main")));
        (note.warning, note.message.clone())
    }

    /// A campaign or an ad group's id.
    fn id(&self, kind: &'static str, name: &str) -> String {
        self.does(|w| w.id_of(kind, &ads(name))).unwrap()
    }

    /// Somebody makes a campaign in Ads Manager and switches it on.
    fn made_outside(&self, tree: Tree, fields: Value) -> u64 {
        self.does(|w| {
            let (now, advertiser) = (w.clock.millis(), w.accounts[0].advertiser_id.clone());
            let mut fields = fields.as_object().unwrap().clone();
            fields.insert("operation_status".into(), "ENABLE".into());
            let made = w.sandbox.insert_outside(now, &advertiser, tree, fields);
            made.unwrap()
        })
    }

    fn restart(&self) {
        let process = self.does(|w| w.slots[0].process);
        self.sim.kill(0, process, "by the test");
    }
}

#[track_caller]
fn has(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part} is not in: {text}");
    }
}

#[test]
fn r22_the_last_event_names_what_runs_with_its_money_wherever_that_is() {
    play(async {
        let script = Script::start(&[]).await;
        script.does(|w| {
            w.create(CAMPAIGN, &ads("daily"), manual(Some("Active")));
            w.create(CAMPAIGN, &ads("off"), manual(Some("Paused")));
            w.create(CAMPAIGN, &ads("dynamic"), smart_plus(Some("Active")));
            let mut whole = manual(Some("Active"));
            whole["budget"] = json!({"mode": "Total", "amount": "700"});
            w.create(CAMPAIGN, &ads("whole"), whole);
            let below = campaign("Manual", Money::Below, Some("Active"));
            w.create(CAMPAIGN, &ads("below"), below);
            let group = |state| ad_group("below", "Manual", Money::Below, Some(state));
            w.create(AD_GROUP, &ads("on"), group("Active"));
            let mut whole = group("Active");
            whole["budget"] = json!({"mode": "Total", "amount": "900"});
            whole["schedule"] = json!({"end": "2026-12-24T00:00:00Z"});
            w.create(AD_GROUP, &ads("onwhole"), whole);
            w.create(AD_GROUP, &ads("offgroup"), group("Paused"));
            let empty = campaign("Manual", Money::Below, Some("Active"));
            w.create(CAMPAIGN, &ads("empty"), empty);
        });
        script.wait(120).await;
        let ids = ["daily", "dynamic", "whole", "below", "empty", "off"]
            .map(|name| script.id(CAMPAIGN, name));
        let groups = ["on", "onwhole", "offgroup"].map(|name| script.id(AD_GROUP, name));
        script.deletes(CONNECTION, &ads("main"));
        script.wait(60).await;
        assert_eq!(script.connection(), Value::Null);
        let (warning, text) = script.last_event();
        assert!(warning);
        let [daily, dynamic, whole, below, empty, off] = &ids;
        let [on, onwhole, offgroup] = &groups;
        let mut inside = [
            format!("ad group {on}: 30 USD a day"),
            format!("ad group {onwhole}: a lifetime budget of 900 USD"),
        ];
        inside.sort();
        has(
            &text,
            &[
                "an imported token is not revoked",
                "5 campaigns of the account are still on",
                &format!("{daily} (50 USD a day)"),
                &format!("{dynamic} (50 USD a day, on some days up to 62.50)"),
                &format!("{whole} (a lifetime budget of 700 USD)"),
                &format!("{below} ({})", inside.join("; ")),
                &format!("{empty} (no ad group in it is on)"),
            ],
        );
        assert!(!text.contains(off) && !text.contains(offgroup), "{text}");
        assert!(!text.contains("not known"), "{text}");
        script.end().await;
    });
}

/// Of an account without an object of ours no list was ever read: it is read before the connection goes.
#[test]
fn r22_what_others_have_on_is_told_of_an_account_without_objects() {
    play(async {
        let script = Script::start(&[]).await;
        script.wait(60).await;
        let there = script.made_outside(
            Tree::SmartPlus,
            json!({"budget_mode": "BUDGET_MODE_DYNAMIC_DAILY_BUDGET", "budget": 80}),
        );
        script.deletes(CONNECTION, &ads("main"));
        script.wait(60).await;
        let (warning, text) = script.last_event();
        assert!(warning);
        has(
            &text,
            &[
                "1 campaign of the account is still on",
                &format!("{there} (80 USD"),
            ],
        );
        script.end().await;
    });
}

#[test]
fn r22_that_nothing_is_on_is_said_only_of_an_account_that_was_read() {
    play(async {
        let script = Script::start(&[]).await;
        script.does(|w| w.create(CAMPAIGN, &ads("a"), manual(Some("Paused"))));
        script.wait(60).await;
        script.deletes(CONNECTION, &ads("main"));
        script.wait(60).await;
        let (warning, text) = script.last_event();
        assert!(!warning, "{text}");
        has(
            &text,
            &["no campaign of the account was on when it was last read, at 2026-11-23T12:0"],
        );
        script.end().await;
    });
}

#[test]
fn r22_after_a_restart_with_tiktok_down_it_is_not_known_what_is_on() {
    play(async {
        let script = Script::start(&[]).await;
        script.does(|w| w.create(CAMPAIGN, &ads("a"), manual(Some("Active"))));
        script.wait(60).await;
        script.always(FaultKind::Error {
            code: 50000,
            message: "System error.".into(),
        });
        script.deletes(CONNECTION, &ads("main"));
        script.restart();
        script.wait(180).await;
        assert_eq!(script.connection(), Value::Null);
        let (warning, text) = script.last_event();
        assert!(warning, "{text}");
        has(
            &text,
            &[
                "it is not known which campaigns of the account are on",
                "Ads Manager",
            ],
        );
        assert!(!text.contains("no campaign"), "{text}");
        script.end().await;
    });
}

#[test]
fn r22_with_a_refused_token_it_is_not_known_what_is_on() {
    play(async {
        let script = Script::start(&[]).await;
        script.wait(60).await;
        script.does(|w| {
            let token = w.accounts[0].access_token.clone();
            w.sandbox.revoke_token(&token)
        });
        script.deletes(CONNECTION, &ads("main"));
        script.wait(60).await;
        let (warning, text) = script.last_event();
        assert!(warning, "{text}");
        has(
            &text,
            &["it is not known which campaigns of the account are on"],
        );
        script.end().await;
    });
}

#[test]
fn r22_a_connection_that_is_released_says_that_its_grant_lives_on() {
    play(async {
        let script = Script::with(21, &[], 1, &settings());
        unconnected(&script, json!({}));
        script.wait(10).await;
        script.connect(None).await.unwrap();
        script.wait(60).await;
        let token = script.data("main-tiktok-token", "access_token").unwrap();
        script.does(|w| {
            let main = ads("main");
            w.annotate(CONNECTION, &main, "tiktokads.dev/release", "true");
            w.delete(CONNECTION, &main);
        });
        script.wait(10).await;
        assert_eq!(script.connection(), Value::Null);
        assert_eq!(script.calls(REVOKE), []);
        let (warning, text) = script.last_event();
        assert!(warning, "{text}");
        has(
            &text,
            &[
                "the token is not revoked",
                "tiktokads.dev/release",
                "in TikTok",
            ],
        );
        assert!(!text.contains(&token));
        script.end().await;
    });
}

#[test]
fn r22_a_grant_that_another_connection_keeps_alive_is_told_as_a_warning() {
    play(async {
        let script = Script::with(22, &[], 1, &settings());
        unconnected(&script, json!({}));
        script.does(|w| w.set_up(1, None));
        script.wait(10).await;
        script.connect(None).await.unwrap();
        script.wait(60).await;
        script.deletes(CONNECTION, &ads("main"));
        script.wait(60).await;
        let (warning, text) = script.last_event();
        assert!(warning, "{text}");
        has(
            &text,
            &[
                "a connection in another namespace uses the same app",
                "no campaign of the account was on",
            ],
        );
        assert_eq!(script.calls(REVOKE), []);
        script.end().await;
    });
}

/// It never had an ad account, and a grant that could not be ended is told all the same.
#[test]
fn r22_without_an_account_the_last_event_is_published_all_the_same() {
    play(async {
        let script = Script::with(23, &[], 1, &settings());
        unconnected(&script, json!({"advertiserId": null}));
        script.wait(10).await;
        let both = script.does(|w| {
            let all = &w.accounts;
            vec![all[0].advertiser_id.clone(), all[1].advertiser_id.clone()]
        });
        script.connect_for(&both, None).await.unwrap();
        script.wait(30).await;
        assert_eq!(script.reason(), "AwaitingAdvertiser");
        script.always(FaultKind::CutBefore);
        script.deletes(CONNECTION, &ads("main"));
        script.wait(90).await;
        assert_eq!(script.connection(), Value::Null);
        let (warning, text) = script.last_event();
        assert!(warning, "{text}");
        has(
            &text,
            &[
                "TikTok did not answer, so the token could not be revoked",
                "no ad account",
            ],
        );
        script.end().await;
    });
    play(async {
        let script = Script::with(24, &[], 1, &settings());
        unconnected(&script, json!({"advertiserId": null}));
        script.wait(10).await;
        assert_eq!(script.reason(), "NotAuthorised");
        script.deletes(CONNECTION, &ads("main"));
        script.wait(60).await;
        assert_eq!(script.connection(), Value::Null);
        let (warning, text) = script.last_event();
        assert!(!warning, "{text}");
        has(&text, &["it held no token", "no ad account"]);
        script.end().await;
    });
}

/// A younger connection for the same advertiser never gets a token: it keeps nobody else's alive.
#[test]
fn r22_a_twin_that_holds_nothing_keeps_no_grant_alive() {
    play(async {
        let script = Script::with(25, &[], 1, &settings());
        unconnected(&script, json!({}));
        script.wait(10).await;
        script.connect(None).await.unwrap();
        script.wait(10).await;
        script.does(|w| {
            let spec = connection_spec(&w.accounts[0].advertiser_id);
            w.create(CONNECTION, &ads("twin"), spec);
        });
        script.wait(30).await;
        assert_eq!(script.ready_of(CONNECTION, "twin"), "AdvertiserTaken");
        script.deletes(CONNECTION, &ads("main"));
        script.wait(60).await;
        assert_eq!(script.connection(), Value::Null);
        assert_eq!(script.calls(REVOKE).len(), 1);
        has(&script.last_event().1, &["the token was revoked"]);
        script.end().await;
    });
}

/// One that has become a twin holds its token all the same, also for a process that has only just begun.
#[test]
fn r22_a_twin_that_holds_a_token_keeps_the_grant_of_its_app_alive() {
    play(async {
        let script = Script::with(26, &[], 1, &settings());
        unconnected(&script, json!({}));
        script.wait(10).await;
        script.connect(None).await.unwrap();
        script.wait(30).await;
        script.does(|w| {
            let mut spec = connection_spec("");
            spec.as_object_mut().unwrap().remove("advertiserId");
            w.api.put_secret(
                &ads("token"),
                &[("access_token", &w.accounts[0].access_token)],
            );
            w.create(CONNECTION, &ads("twin"), spec);
        });
        script.wait(10).await;
        assert_eq!(script.ready_of(CONNECTION, "twin"), "AwaitingAdvertiser");
        // It is for the same advertiser from now on.
        script.does(|w| {
            let advertiser = w.accounts[0].advertiser_id.clone();
            let spec = json!({"advertiserId": advertiser});
            w.edit(CONNECTION, &ads("twin"), spec);
        });
        script.wait(30).await;
        assert_eq!(script.ready_of(CONNECTION, "twin"), "AdvertiserTaken");
        script.restart();
        script.wait(60).await;
        script.deletes(CONNECTION, &ads("main"));
        script.wait(60).await;
        assert_eq!(script.connection(), Value::Null);
        assert_eq!(script.calls(REVOKE), []);
        has(
            &script.last_event().1,
            &["the connection twin uses the same app"],
        );
        script.end().await;
    });
}

/// A process that has only just begun waits for what the other connections hold.
#[test]
fn r22_a_restart_in_the_middle_of_a_disconnect_does_not_keep_the_grant() {
    for after in 0..12 {
        play(async {
            let script = Script::with(40 + after, &[], 1, &settings());
            unconnected(&script, json!({}));
            script.does(|w| {
                let mut spec = connection_spec("7000");
                spec["appSecretRef"] = json!({"name": "other-app"});
                w.create(CONNECTION, &ads("zz"), spec);
            });
            script.wait(10).await;
            script.connect(None).await.unwrap();
            script.wait(30).await;
            script.deletes(CONNECTION, &ads("main"));
            tokio::time::sleep(Duration::from_millis(10_000 + 700 * after)).await;
            script.restart();
            script.wait(180).await;
            assert_eq!(script.connection(), Value::Null);
            assert!(!script.calls(REVOKE).is_empty(), "{after}");
            script.end().await;
        });
    }
}

#[test]
fn r22_a_platform_that_never_answers_holds_a_connection_for_less_than_a_minute() {
    for seed in 27..30 {
        play(async move {
            let script = Script::with(seed, &[], 1, &settings());
            unconnected(&script, json!({}));
            script.wait(10).await;
            script.connect(None).await.unwrap();
            script.does(|w| w.create(CAMPAIGN, &ads("a"), manual(Some("Active"))));
            script.wait(120).await;
            let noted = script.data("main-tiktok-token", "subscriptions_token");
            assert!(noted.is_some(), "there is something to unsubscribe");
            // A new process has to read what there is first.
            script.restart();
            script.wait(60).await;
            script.always(FaultKind::Delay { ms: 3_600_000 });
            let begun = script.does(|w| w.clock.elapsed());
            script.deletes(CONNECTION, &ads("main"));
            while script.connection() != Value::Null {
                tokio::time::sleep(Duration::from_millis(100)).await;
                let took = script.does(|w| w.clock.elapsed()) - begun;
                assert!(took < Duration::from_secs(60), "still there after {took:?}");
            }
            for name in ["main-tiktok-token", "main-tiktok-connect"] {
                assert!(
                    script.does(|w| w.api.secret(&ads(name))).is_none(),
                    "{name}"
                );
            }
            assert!(!script.calls(REVOKE).is_empty(), "tried once");
            let (warning, text) = script.last_event();
            assert!(warning, "{text}");
            has(
                &text,
                &["TikTok did not answer, so the token could not be revoked"],
            );
            script.end().await;
        });
    }
}

/// How often objects were let go while they may be on, as the process that leads counts.
fn counted(script: &Script) -> u64 {
    let (_, engine) = script.sim.leader().unwrap();
    let text = engine.metrics_text();
    let mut lines = text.lines();
    let line = lines.find(|line| line.starts_with("tiktokads_released_active_total"));
    line.and_then(|line| line.rsplit(' ').next()?.parse().ok())
        .unwrap_or_else(|| panic!("{text}"))
}

#[test]
fn r22_what_is_released_while_it_runs_is_told_at_the_connection_and_counted() {
    play(async {
        let script = Script::start(&[]).await;
        script.does(|w| w.create(CAMPAIGN, &ads("a"), manual(Some("Active"))));
        script.wait(60).await;
        let id = script.id(CAMPAIGN, "a");
        assert_eq!(counted(&script), 0);
        script.does(|w| {
            w.annotate(CAMPAIGN, &ads("a"), "tiktokads.dev/release", "true");
            w.delete(CAMPAIGN, &ads("a"));
        });
        script.wait(30).await;
        assert_eq!(script.campaign("a"), None);
        assert_eq!(script.rows(), [("a".to_string(), true)]);
        assert_eq!(counted(&script), 1);
        let said = script.said("Released");
        let [(false, note)] = said.as_slice() else {
            panic!("{said:?}");
        };
        let uid = script.connection()["metadata"]["uid"].clone();
        assert_eq!(
            (note.kind, &note.about, note.uid.as_str(), note.warning),
            (CONNECTION, &ads("main"), uid.as_str().unwrap(), true)
        );
        has(&note.message, &["Campaign ads/a", &id, "may still be on"]);
        script.end().await;
    });
}

#[test]
fn r22_what_is_released_while_it_runs_is_told_at_the_deployment_once_its_connection_is_gone() {
    play(async {
        let script = Script::start(&[]).await;
        script.does(|w| w.create(CAMPAIGN, &ads("a"), manual(Some("Active"))));
        script.wait(60).await;
        let id = script.id(CAMPAIGN, "a");
        script.deletes(CONNECTION, &ads("main"));
        script.wait(60).await;
        assert_eq!(script.ready("a"), "Disconnected");
        script.deletes(CAMPAIGN, &ads("a"));
        script.wait(30).await;
        assert_eq!(script.campaign("a"), None);
        assert_eq!(counted(&script), 1);
        let said = script.said("Released");
        let [(true, note)] = said.as_slice() else {
            panic!("{said:?}");
        };
        assert!(note.warning);
        has(&note.message, &[&id, "may still be on"]);
        script.end().await;
    });
}

#[test]
fn r22_a_namespace_that_ends_takes_its_authorised_grant_along() {
    play(async {
        let script = Script::with(31, &[], 1, &settings());
        unconnected(&script, json!({}));
        script.wait(10).await;
        script.connect(None).await.unwrap();
        script.does(|w| w.create(CAMPAIGN, &ads("a"), manual(Some("Active"))));
        script.wait(60).await;
        assert_eq!(script.rows(), [("a".to_string(), true)]);
        let there = script.made_outside(Tree::Manual, json!({}));
        script.does(|w| {
            let now = w.now();
            w.api.delete_namespace(NAMESPACES[0], now);
            w.publish();
        });
        script.wait(60).await;
        let left = script.does(|w| {
            let objects = w.api.objects.keys().filter(|(_, n)| n.namespace == "ads");
            let secrets = w.api.secrets.keys().filter(|n| n.namespace == "ads");
            (objects.count(), secrets.count())
        });
        assert_eq!(left, (0, 0));
        assert_eq!(script.calls(REVOKE).len(), 1);
        let rows = script.rows();
        assert!(rows.contains(&("a".to_string(), false)), "{rows:?}");
        let said = script.said("Disconnected");
        let [(true, note)] = said.as_slice() else {
            panic!("{said:?}");
        };
        assert!(note.warning);
        has(
            &note.message,
            &["the token was revoked", &there.to_string()],
        );
        script.end().await;
    });
}

/// An app has one grant for each of its connections, and they may all go at once.
#[test]
fn r22_connections_of_one_app_that_go_together_keep_no_grant_of_each_other_alive() {
    play(async {
        let script = Script::with(32, &[], 1, &settings());
        unconnected(&script, json!({}));
        script.does(|w| {
            let other = w.accounts[1].clone();
            w.api
                .put_secret(&ads("token"), &[("access_token", &other.access_token)]);
            let spec = connection_spec(&other.advertiser_id);
            w.create(CONNECTION, &ads("second"), spec);
        });
        script.wait(10).await;
        script.connect(None).await.unwrap();
        // As if it had been authorised as well.
        script.does(|w| {
            let held = ads("second-tiktok-token");
            w.api.edit_secret(&held, "origin", Some("Authorised"));
            w.publish();
        });
        script.wait(30).await;
        script.does(|w| {
            let now = w.now();
            w.api.delete_namespace(NAMESPACES[0], now);
            w.publish();
        });
        script.wait(60).await;
        assert_eq!(script.does(|w| w.api.list(CONNECTION).count()), 0);
        assert_eq!(script.calls(REVOKE).len(), 2);
        let said = script.said("Disconnected");
        assert_eq!(said.len(), 2);
        for (_, note) in said {
            has(&note.message, &["the token was revoked"]);
        }
        script.end().await;
    });
}

/// Nobody would hear of what is left otherwise: an answer of the API server's that was lost is asked for again.
#[test]
fn r22_the_last_event_is_made_however_often_the_api_server_fails() {
    for seed in 60..80 {
        play(async move {
            let script = Script::with(seed, &[], 1, &Settings::default());
            script.does(|w| w.set_up(0, None));
            script.wait(30).await;
            script.does(|w| w.faults.cluster = 300);
            script.deletes(CONNECTION, &ads("main"));
            script.wait(600).await;
            script.does(|w| w.faults.cluster = 0);
            script.wait(600).await;
            assert_eq!(script.connection(), Value::Null);
            assert!(!script.said("Disconnected").is_empty(), "seed {seed}");
        });
    }
}
