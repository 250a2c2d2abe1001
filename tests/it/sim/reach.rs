//! What TikTok says of a token and of an app: which advertiser, which permissions, and when one answer is not enough.

use serde_json::json;
use tiktok_ads_operator::sandbox::{AppChange, FaultKind, TokenChange};

use super::api_server::CAMPAIGN;
use super::platform::Planned;
use super::script::{Script, ads, play};
use super::specs::manual;

const ADVERTISERS: &str = "/oauth2/advertiser/get/";

fn status_writes(script: &Script) -> usize {
    let trace = script.does(|w| w.trace.clone());
    let written = trace
        .iter()
        .filter(|l| l.contains("STATUS TikTokConnection"));
    written.count()
}

fn put_app(script: &Script, secret: &str) {
    script.does(|w| {
        let account = w.accounts[0].clone();
        let app = [("app_id", account.app_id.as_str()), ("secret", secret)];
        w.api.put_secret(&ads("app"), &app);
        w.publish();
    });
}

#[test]
fn a_wrong_app_secret_is_said_as_such_and_takes_nothing_but_writes() {
    play(async {
        let script = Script::bare(&[]);
        script.does(|w| {
            w.set_up(0, Some(super::user::caps(Some(1000), None)));
        });
        put_app(&script, "a slip of the pen");
        script.wait(60).await;
        assert_eq!(script.reason(), "AppRefused");
        let right = script.does(|w| w.accounts[0].secret.clone());
        put_app(&script, &right);
        script.wait(60).await;
        assert_eq!(script.reason(), "Verified");
        script.does(|w| {
            w.create(CAMPAIGN, &ads("a"), manual(Some("Active")));
            w.create(CAMPAIGN, &ads("b"), manual(Some("Active")));
        });
        script.wait(60).await;
        // Another secret in TikTok's portal: an hour later the check says so.
        script.does(|w| {
            let app = w.accounts[0].app_id.clone();
            let change = AppChange {
                secret: Some("another".into()),
                ..AppChange::default()
            };
            w.sandbox.change_app(&app, &change).unwrap();
        });
        script.wait(2 * 3600).await;
        assert_eq!(script.reason(), "AppRefused");
        let said = script.banner();
        assert!(
            said.contains("Secret app") && said.contains("pauses may fail"),
            "{said}"
        );
        assert!(
            !said.contains("authorise"),
            "another token does not help: {said}"
        );
        // What runs runs; what has to be paused is paused; nothing else is written.
        let on = |name: &str| (name.to_string(), true);
        assert_eq!(script.rows(), [on("a"), on("b")]);
        script.does(|w| {
            w.edit(CAMPAIGN, &ads("a"), json!({"state": "Paused"}));
            w.edit(CAMPAIGN, &ads("b"), json!({"name": "other"}));
        });
        script.wait(60).await;
        assert_eq!(script.rows(), [("a".to_string(), false), on("b")]);
        assert_eq!(script.ready("b"), "ConnectionReadOnly");
        put_app(&script, "another");
        script.wait(60).await;
        assert_eq!(
            (script.reason(), script.banner()),
            ("Verified".into(), String::new())
        );
        assert_eq!(script.rows(), [("a".to_string(), false), on("other")]);
        script.end().await;
    });
}

#[test]
fn r26_a_permission_that_is_missing_is_said_as_such_and_not_as_a_dead_token() {
    play(async {
        let script = Script::start(&[]).await;
        script.does(|w| w.create(CAMPAIGN, &ads("a"), manual(Some("Active"))));
        script.wait(60).await;
        let token = script.does(|w| w.accounts[0].access_token.clone());
        let change = |scopes: &[u64]| {
            script.does(|w| {
                let (now, change) = (
                    w.clock.millis(),
                    TokenChange {
                        access_token: token.clone(),
                        scopes: Some(scopes.to_vec()),
                        ..TokenChange::default()
                    },
                );
                assert!(w.sandbox.change_token(now, &change).unwrap());
            });
        };
        // Reports alone: not even the account can be read. A new process asks.
        change(&[4]);
        let process = script.does(|w| w.slots[0].process);
        script.sim.kill(0, process, "by the test");
        script.wait(120).await;
        assert_eq!(script.reason(), "ScopeMissing");
        let said = script.banner();
        assert!(
            said.contains("does not allow to read the ad account"),
            "{said}"
        );
        assert!(!said.contains("refuses the access token"), "{said}");
        assert_eq!(script.rows(), [("a".to_string(), true)]);
        let (_, why, message) = script.condition("a", "Ready");
        assert_eq!(why, "ConnectionReadOnly");
        assert!(!message.contains("does not work any more"), "{message}");
        // It is granted after all: within minutes everything goes on.
        change(&[1, 2, 4]);
        script.wait(400).await;
        assert_eq!(
            (script.reason(), script.banner()),
            ("Verified".into(), String::new())
        );
        assert_eq!(script.ready("a"), "InSync");
        script.end().await;
    });
}

/// Unknown is never absent: one answer may be short.
#[test]
fn one_answer_without_the_advertiser_loses_nothing_and_two_do() {
    play(async {
        let script = Script::start(&[]).await;
        script.does(|w| w.create(CAMPAIGN, &ads("a"), manual(Some("Active"))));
        script.wait(60).await;
        let reaches = |account: usize| {
            script.does(|w| {
                let change = TokenChange {
                    access_token: w.accounts[0].access_token.clone(),
                    advertiser_ids: Some(vec![w.accounts[account].advertiser_id.clone()]),
                    ..TokenChange::default()
                };
                let now = w.clock.millis();
                assert!(w.sandbox.change_token(now, &change).unwrap());
            });
        };
        let (written, checks) = (status_writes(&script), script.calls(ADVERTISERS).len());
        reaches(1);
        while script.calls(ADVERTISERS).len() == checks {
            script.wait(0).await;
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        reaches(0);
        script.wait(600).await;
        assert!(script.calls(ADVERTISERS).len() > checks + 1, "asked again");
        assert_eq!(script.reason(), "Verified");
        assert_eq!(status_writes(&script), written, "not a word");
        assert_eq!(script.ready("a"), "InSync");
        // It stays away: that is so after half a minute, and is asked again every five minutes.
        reaches(1);
        script.wait(240).await;
        assert_eq!(script.reason(), "AdvertiserNotGranted");
        assert_eq!(script.ready("a"), "WaitingForConnection");
        reaches(0);
        script.wait(400).await;
        assert_eq!(script.reason(), "Verified");
        assert_eq!(script.ready("a"), "InSync");
        script.end().await;
    });
}

/// One endpoint's word against that of the check: no storm of anything.
#[test]
fn r21_an_endpoint_that_refuses_a_token_which_the_check_takes_makes_no_storm() {
    for code in [40124, 40105] {
        let refused = Planned::fault(FaultKind::Error {
            code,
            message: "no".into(),
        });
        play(async {
            let script = Script::start(&[]).await;
            script.does(|w| w.create(CAMPAIGN, &ads("a"), manual(Some("Active"))));
            script.wait(60).await;
            let (written, checks) = (status_writes(&script), script.calls(ADVERTISERS).len());
            script.plan("/campaign/get/", &vec![refused; 100_000]);
            script.wait(3600).await;
            let (written, checks) = (
                status_writes(&script) - written,
                script.calls(ADVERTISERS).len() - checks,
            );
            assert!((1..=30).contains(&checks), "{code}: {checks} checks");
            assert!(written <= 4, "{code}: {written} status writes");
            script.does(|w| w.script.clear());
            script.wait(900).await;
            assert_eq!(script.reason(), "Verified");
            assert_eq!(script.ready("a"), "InSync");
            script.end().await;
        });
    }
}
