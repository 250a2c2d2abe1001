//! Connections that get in each other's way, and what a hand may put into a Secret.

use secrecy::ExposeSecret;
use serde_json::{Value, json};
use tiktok_ads_operator::engine::doors::Name;
use tiktok_ads_operator::engine::settings::Settings;
use tiktok_ads_operator::sandbox::NewGrant;

use super::api_server::{CAMPAIGN, CONNECTION};
use super::script::{Script, ads, play};
use super::specs::manual;
use super::tokens::{REFRESH, ROTATING};
use super::user::{caps, connection_spec, named};

fn connection(script: &Script, name: &Name) -> Value {
    let found = script.does(|w| w.api.get(CONNECTION, name).cloned());
    found.unwrap_or_default()
}

/// Reason and message of a connection's Ready.
fn ready(script: &Script, name: &Name) -> (String, String) {
    let object = connection(script, name);
    let all = object["status"]["conditions"].as_array().cloned();
    let found = all
        .into_iter()
        .flatten()
        .find(|c| c["type"] == "Ready")
        .unwrap_or_default();
    let text = |key: &str| found[key].as_str().unwrap_or_default().to_string();
    (text("reason"), text("message"))
}

fn reason(script: &Script, name: &Name) -> String {
    ready(script, name).0
}

fn held(script: &Script, name: &Name, key: &str) -> Option<String> {
    let token = Name::new(&name.namespace, format!("{}-tiktok-token", name.name));
    let copy = script.does(|w| w.api.secret(&token))?;
    copy.data.get(key).map(|v| v.expose_secret().to_string())
}

/// What TikTok answered to each renewal.
fn refreshes(script: &Script) -> Vec<Option<i64>> {
    let all = script.calls(REFRESH);
    all.into_iter().map(|(_, code)| code).collect()
}

/// The app of the first account.
fn put_app(script: &Script, namespace: &str) {
    script.does(|w| {
        let account = w.accounts[0].clone();
        w.api.put_secret(
            &named(namespace, "app"),
            &[("app_id", &account.app_id), ("secret", &account.secret)],
        );
    });
}

/// The connection `main` for the first advertiser, with the token Secret `token`.
fn create_main(script: &Script) {
    put_app(script, "ads");
    script.does(|w| {
        let spec = connection_spec(&w.accounts[0].advertiser_id);
        w.create(CONNECTION, &ads("main"), spec);
    });
}

/// A pair for both advertisers: access and refresh token.
fn pair(script: &Script) -> (String, String) {
    let issued = script.does(|w| {
        let (now, account) = (w.clock.millis(), w.accounts[0].clone());
        let grant = NewGrant {
            app_id: account.app_id,
            advertiser_ids: w.accounts.iter().map(|a| a.advertiser_id.clone()).collect(),
            ..NewGrant::default()
        };
        w.sandbox.issue_token(now, &grant).unwrap()
    });
    let text = |key: &str| issued[key].as_str().unwrap_or_default().to_string();
    (text("access_token"), text("refresh_token"))
}

fn put_token(script: &Script, name: &Name, data: &[(&str, &str)]) {
    script.does(|w| {
        w.api.put_secret(name, data);
        w.publish();
    });
}

/// Whoever writes a manifest with somebody else's advertiser gets nothing and breaks nothing, however old the manifest is.
#[test]
fn r22_an_advertiser_stays_with_the_connection_that_works_with_it() {
    play(async {
        let script = Script::with(1, &[], 2, &Settings::default());
        let lab = named("lab", "main");
        script.does(|w| {
            let mut spec = connection_spec("7");
            spec.as_object_mut().unwrap().remove("advertiserId");
            w.create(CONNECTION, &lab, spec);
        });
        script.wait(30).await;
        script.does(|w| w.set_up(0, Some(caps(Some(1000), None))));
        script.does(|w| w.create(CAMPAIGN, &ads("a"), manual(Some("Active"))));
        script.wait(60).await;
        assert_eq!(script.rows(), [("a".to_string(), true)]);
        let advertiser = script.does(|w| w.accounts[0].advertiser_id.clone());
        script.does(|w| w.edit(CONNECTION, &lab, json!({"advertiserId": advertiser})));
        script.wait(60).await;
        let barred = |script: &Script| {
            let (reason, message) = ready(script, &lab);
            assert_eq!(reason, "AdvertiserTaken");
            assert!(message.contains("another namespace"), "{message}");
            assert!(!message.contains("ads/"), "{message}");
            assert_eq!(self::reason(script, &ads("main")), "Verified");
        };
        barred(&script);
        script.does(|w| w.edit(CAMPAIGN, &ads("a"), json!({"state": "Paused"})));
        script.wait(20).await;
        assert_eq!(script.rows(), [("a".to_string(), false)]);
        // Not even while a new process has looked at nothing yet; and a token of its own changes nothing.
        script.kill_leader();
        script.does(|w| {
            let account = w.accounts[1].clone();
            w.api.put_secret(
                &named("lab", "app"),
                &[("app_id", &account.app_id), ("secret", &account.secret)],
            );
            w.api.put_secret(
                &named("lab", "token"),
                &[("access_token", &account.access_token)],
            );
            w.publish();
        });
        for _ in 0..90 {
            script.wait(1).await;
            let view = reason(&script, &ads("main"));
            assert!(view == "Verified" || view == "LookingUp", "{view}");
        }
        barred(&script);
        script.does(|w| w.edit(CAMPAIGN, &ads("a"), json!({"state": "Active"})));
        script.wait(20).await;
        assert_eq!(script.rows(), [("a".to_string(), true)]);
        // When it goes, the other gets on by itself: as far as its own token reaches.
        script.does(|w| {
            let now = w.now();
            w.api.delete(CONNECTION, &ads("main"), now);
            w.publish();
        });
        script.wait(90).await;
        assert_eq!(reason(&script, &lab), "AdvertiserNotGranted");
        script.end().await;
    });
}

/// Of two that could both work with it, the older does; the younger goes on when that turns out to reach nothing.
#[test]
fn r22_the_older_of_two_that_may_have_an_advertiser_goes_first() {
    for good in [true, false] {
        play(async {
            let script = Script::with(2, &[], 1, &Settings::default());
            let second = ads("second");
            script.does(|w| {
                w.set_up(0, None);
                if !good {
                    w.api
                        .put_secret(&ads("token"), &[("access_token", "nonsense")]);
                }
                let account = w.accounts[0].clone();
                w.api.put_secret(
                    &ads("token2"),
                    &[("access_token", account.access_token.as_str())],
                );
                let mut spec = connection_spec(&account.advertiser_id);
                spec["tokenSecretRef"] = json!({"name": "token2"});
                w.create(CONNECTION, &second, spec);
            });
            script.wait(60).await;
            let both = [reason(&script, &ads("main")), reason(&script, &second)];
            if good {
                assert_eq!(both, ["Verified", "AdvertiserTaken"]);
                assert!(
                    ready(&script, &second)
                        .1
                        .starts_with("the connection main has")
                );
            } else {
                assert_eq!(both, ["AdvertiserTaken", "Verified"]);
            }
            script.end().await;
        });
    }
}

/// What was picked by mistake can be picked again: a connection that is barred goes on reading its Secrets.
#[test]
fn r22_one_that_is_barred_is_mended_by_another_pick() {
    play(async {
        let script = Script::with(3, &[], 1, &Settings::default());
        script.does(|w| w.set_up(1, None));
        script.wait(30).await;
        let (access, _) = pair(&script);
        put_token(&script, &ads("token"), &[("access_token", &access)]);
        put_app(&script, "ads");
        let accounts = script.does(|w| w.accounts.clone());
        script.does(|w| {
            let mut spec = connection_spec("7");
            spec.as_object_mut().unwrap().remove("advertiserId");
            w.create(CONNECTION, &ads("main"), spec);
        });
        script.wait(30).await;
        assert_eq!(reason(&script, &ads("main")), "AwaitingAdvertiser");
        for (index, then) in [(1, "AdvertiserTaken"), (0, "Verified")] {
            script.does(|w| {
                let picked = accounts[index].advertiser_id.as_str();
                let name = ads("main-tiktok-token");
                w.api.edit_secret(&name, "advertiser_id", Some(picked));
                w.publish();
            });
            script.wait(30).await;
            assert_eq!(reason(&script, &ads("main")), then);
            assert_eq!(reason(&script, &named("lab", "main")), "Verified");
        }
        script.end().await;
    });
}

/// One token for two ad accounts: whichever connection renews it, the other must not.
#[test]
fn r21_a_refresh_token_that_two_connections_import_is_used_by_one() {
    play(async {
        let script = Script::with(4, ROTATING, 2, &Settings::default());
        let (access, refresh) = pair(&script);
        let ends = script.does(|w| w.now()) + std::time::Duration::from_secs(7200);
        let ends = ends.to_string();
        let data = [
            ("access_token", access.as_str()),
            ("refresh_token", refresh.as_str()),
            ("expires_at", ends.as_str()),
        ];
        put_token(&script, &ads("token"), &data);
        put_app(&script, "ads");
        script.does(|w| {
            let accounts = w.accounts.clone();
            for (name, account) in ["main", "second"].iter().zip(&accounts) {
                w.create(
                    CONNECTION,
                    &ads(name),
                    connection_spec(&account.advertiser_id),
                );
            }
        });
        script.wait(60).await;
        assert_eq!(reason(&script, &ads("main")), "Verified");
        let (reason, message) = ready(&script, &ads("second"));
        assert_eq!(reason, "TokenShared");
        assert!(message.contains("the connection main"), "{message}");
        for minute in 0..150 {
            script.wait(60).await;
            if minute % 25 == 24 {
                script.kill_leader();
            }
        }
        let sent = refreshes(&script);
        assert!(
            !sent.is_empty() && sent.iter().all(|code| *code == Some(0)),
            "{sent:?}"
        );
        assert_eq!(self::reason(&script, &ads("main")), "Verified");
        // It ended there, and says so.
        assert_eq!(self::reason(&script, &ads("second")), "TokenExpired");
        let banner = connection(&script, &ads("second"))["status"]["banner"].clone();
        assert!(banner.as_str().unwrap().contains("new token"), "{banner}");
        script.end().await;
    });
}

/// A content of the user's Secret that was imported and used up once never takes the place of the pair that came of it.
#[test]
fn r21_a_content_that_comes_back_or_is_corrected_does_not_cost_the_pair_in_use() {
    play(async {
        let script = Script::with(5, ROTATING, 1, &Settings::default());
        let soon = |script: &Script, seconds: u64| {
            let end = script.does(|w| w.now()) + std::time::Duration::from_secs(seconds);
            end.to_string()
        };
        let contents: Vec<(String, String)> = (0..2).map(|_| pair(&script)).collect();
        let put = |n: usize, end: &str| {
            let (access, refresh) = &contents[n];
            let data = [
                ("access_token", access.as_str()),
                ("refresh_token", refresh.as_str()),
                ("expires_at", end),
            ];
            put_token(&script, &ads("token"), &data);
        };
        let first_end = soon(&script, 600);
        put(0, &first_end);
        create_main(&script);
        script.wait(120).await;
        assert_eq!(refreshes(&script), [Some(0)], "due at once");
        let renewed = held(&script, &ads("main"), "access_token").unwrap();
        assert_ne!(renewed, contents[0].0);
        // Corrected: the end is another, the pair is the old one.
        put(0, &soon(&script, 900));
        script.wait(60).await;
        assert_eq!(
            held(&script, &ads("main"), "access_token").unwrap(),
            renewed
        );
        // A new one is taken.
        put(1, &soon(&script, 600));
        script.wait(120).await;
        let second = held(&script, &ads("main"), "access_token").unwrap();
        assert_ne!(second, renewed);
        assert_eq!(refreshes(&script), [Some(0), Some(0)]);
        // And the first comes back.
        put(0, &first_end);
        script.wait(120).await;
        assert_eq!(held(&script, &ads("main"), "access_token").unwrap(), second);
        assert_eq!(refreshes(&script), [Some(0), Some(0)]);
        assert_eq!(reason(&script, &ads("main")), "Verified");
        script.end().await;
    });
}

/// An end that cannot be one stops one connection, and not the operator.
#[test]
fn r21_an_end_that_nobody_can_read_is_said_and_hurts_nobody_else() {
    play(async {
        let script = Script::with(6, &[], 1, &Settings::default());
        script.does(|w| w.set_up(1, None));
        for end in [
            "-009999-01-02T01:59:59Z",
            "2026-12-01T12:00:00",
            "1795435200",
            "-000001-01-01T00:00:00Z",
        ] {
            put_token(
                &script,
                &ads("token"),
                &[
                    ("access_token", "t"),
                    ("refresh_token", "r"),
                    ("expires_at", end),
                ],
            );
            if connection(&script, &ads("main")).is_null() {
                create_main(&script);
            }
            script.wait(30).await;
            let (reason, message) = ready(&script, &ads("main"));
            assert_eq!(reason, "SecretIncomplete", "{end}");
            assert!(message.contains("expires_at"), "{message}");
            assert_eq!(self::reason(&script, &named("lab", "main")), "Verified");
        }
        // The same in our own Secret.
        script.does(|w| {
            let name = named("lab", "main-tiktok-token");
            let end = "-009999-01-02T01:59:59Z";
            w.api.edit_secret(&name, "expires_at", Some(end));
            w.publish();
        });
        script.wait(60).await;
        assert_eq!(reason(&script, &named("lab", "main")), "Verified");
        script.end().await;
    });
}
