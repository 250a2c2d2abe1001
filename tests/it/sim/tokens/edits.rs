//! A connection that is changed while somebody is at TikTok's page: what was begun for the old one is not applied to the new
//! one, and the browser is told.

use secrecy::ExposeSecret;
use serde_json::{Value, json};
use tiktok_ads_operator::engine::connection::ConnectError;
use tiktok_ads_operator::sandbox::{FaultKind, NewAccount};

use super::super::api_server::CONNECTION;
use super::super::platform::Planned;
use super::super::script::{Script, ads, play};
use super::{EXCHANGE, REVOKE, TOKEN, settings, state_of, unconnected};

/// Somebody who is at TikTok's page.
struct Away {
    state: String,
    cookie: String,
}

impl Script {
    async fn away(&self) -> Away {
        let ticket = self.data("main-tiktok-connect", "ticket").unwrap();
        let begun = self.begin(&ticket).await.unwrap();
        Away {
            state: state_of(&begun),
            cookie: begun.cookie.expose_secret().into(),
        }
    }

    /// Comes back with a code that reaches these accounts of the run.
    async fn back(&self, away: &Away, reaches: &[usize]) -> Result<(), ConnectError> {
        let of = |n: &usize| self.does(|w| w.accounts[*n].advertiser_id.clone());
        let ids: Vec<String> = reaches.iter().map(of).collect();
        let code = self.code(&ids, None);
        let done = self.authorise(&away.state, &code, &away.cookie).await;
        done.map(|_| ())
    }

    fn advertiser(&self, n: usize) -> String {
        self.does(|w| w.accounts[n].advertiser_id.clone())
    }
}

#[test]
fn r26_an_advertiser_that_the_manifest_names_meanwhile_counts() {
    play(async {
        let script = Script::with(100, &[], 1, &settings());
        let only = json!({"advertiserId": null, "advertiserPick": "OnlyOne"});
        unconnected(&script, only);
        script.wait(10).await;
        let away = script.away().await;
        let named = script.advertiser(0);
        script.does(|w| w.edit(CONNECTION, &ads("main"), json!({"advertiserId": named})));
        script.wait(5).await;
        let no = script.back(&away, &[1]).await.unwrap_err();
        let ConnectError::NotGranted(why) = &no else {
            panic!("{no:?}");
        };
        for word in [
            named.as_str(),
            "which the manifest names",
            "authorise with a user who may use it",
            "The new token was revoked",
        ] {
            assert!(why.contains(word), "{word:?} is not in {why:?}");
        }
        script.wait(60).await;
        assert_eq!(script.reason(), "NotAuthorised");
        for key in ["access_token", "candidate_access_token", "advertiser_id"] {
            assert_eq!(script.data(TOKEN, key), None, "{key}");
        }
        assert_eq!(script.calls(REVOKE).len(), 1);
        script.connect(None).await.unwrap();
        script.wait(5).await;
        assert_eq!(script.reason(), "Verified");
        script.end().await;
    });
}

/// The API server does not let it be changed, but one that is made anew keeps neither state nor session: here both are as they
/// were, so that the advertiser alone decides.
#[test]
fn r26_a_token_for_the_advertiser_of_before_is_not_taken_for_another_one() {
    play(async {
        let script = Script::with(101, &[], 1, &settings());
        unconnected(&script, json!({}));
        script.wait(10).await;
        script.connect(None).await.unwrap();
        script.wait(10).await;
        let token = script.data(TOKEN, "access_token");
        let away = script.away().await;
        let other = script.advertiser(1);
        script.does(|w| w.edit(CONNECTION, &ads("main"), json!({"advertiserId": other})));
        script.wait(5).await;
        let status = script.connection()["status"].clone();
        assert_eq!(
            status["advertiser"],
            Value::Null,
            "the old one's account is not the new one's"
        );
        assert_eq!(script.reason(), "AdvertiserNotGranted");
        let no = script.back(&away, &[0]).await.unwrap_err();
        assert!(
            matches!(&no, ConnectError::NotGranted(why) if why.contains(&other) && why.contains("not revoked")),
            "{no:?}"
        );
        assert_eq!(
            script.data(TOKEN, "access_token"),
            token,
            "the one before stays in use"
        );
        assert_eq!(script.calls(REVOKE), []);
        let away = script.away().await;
        script.back(&away, &[1]).await.unwrap();
        script.wait(10).await;
        assert_eq!(script.reason(), "Verified");
        assert_eq!(
            script.connection()["status"]["advertiser"]["id"],
            other.as_str()
        );
        script.end().await;
    });
}

#[test]
fn r26_a_code_for_the_app_of_before_is_not_taken_and_the_new_apps_is() {
    play(async {
        let script = Script::with(102, &[], 1, &settings());
        unconnected(&script, json!({}));
        script.wait(10).await;
        let away = script.away().await;
        let other = script.does(|w| {
            let now = w.clock.millis();
            let other = w
                .sandbox
                .create_account(now, &NewAccount::default())
                .unwrap();
            let app = [
                ("app_id", other.app_id.as_str()),
                ("secret", other.secret.as_str()),
            ];
            w.api.put_secret(&ads("app"), &app);
            w.publish();
            other
        });
        script.wait(5).await;
        let no = script.back(&away, &[0]).await.unwrap_err();
        assert!(matches!(&no, ConnectError::CodeRefused(_)), "{no:?}");
        assert_eq!(script.calls(EXCHANGE).len(), 1);
        script.wait(60).await;
        assert_eq!(script.reason(), "NotAuthorised");
        for key in ["access_token", "candidate_access_token"] {
            assert_eq!(script.data(TOKEN, key), None, "{key}");
        }
        // From the link on, it is the new app that is asked for.
        let away = script.away().await;
        let code = script.does(|w| {
            let now = w.clock.millis();
            let to = [w.accounts[0].advertiser_id.clone()];
            w.sandbox.create_auth_code(now, &other.app_id, &to).unwrap()
        });
        script
            .authorise(&away.state, &code, &away.cookie)
            .await
            .unwrap();
        script.wait(5).await;
        assert_eq!(script.reason(), "Verified");
        assert_eq!(script.data(TOKEN, "app_id"), Some(other.app_id));
        script.end().await;
    });
}

#[test]
fn r26_nothing_is_exchanged_for_a_connection_that_was_deleted_meanwhile() {
    for gone in [false, true] {
        play(async move {
            let script = Script::with(103, &[], 1, &settings());
            unconnected(&script, json!({}));
            script.wait(10).await;
            let away = script.away().await;
            script.does(|w| w.delete(CONNECTION, &ads("main")));
            script.wait(if gone { 60 } else { 1 }).await;
            assert_eq!(script.connection().is_null(), gone);
            let no = script.back(&away, &[0]).await.unwrap_err();
            assert_eq!(no, ConnectError::State);
            assert_eq!(script.calls(EXCHANGE), []);
            script.wait(60).await;
            assert!(script.connection().is_null());
            for name in [TOKEN, "main-tiktok-connect"] {
                assert!(
                    script.does(|w| w.api.secret(&ads(name))).is_none(),
                    "{name}"
                );
            }
            script.end().await;
        });
    }
}

/// The exchange takes its time; when its answer comes, another connection has the name.
#[test]
fn r26_a_token_that_comes_for_a_connection_that_was_made_anew_is_not_given_to_the_new_one() {
    play(async {
        let script = Script::with(104, &[], 1, &settings());
        unconnected(&script, json!({}));
        script.wait(10).await;
        let away = script.away().await;
        script.plan(EXCHANGE, &[Planned::fault(FaultKind::Delay { ms: 8_000 })]);
        let (no, ()) = tokio::join!(script.back(&away, &[0]), async {
            script.wait(2).await;
            script.does(|w| w.restore(CONNECTION, &ads("main"), (false, false, false)));
        });
        let Err(ConnectError::Platform(why)) = &no else {
            panic!("{no:?}");
        };
        for word in [
            "another one has its name",
            "The new token was revoked",
            "Open the link again",
        ] {
            assert!(why.contains(word), "{word:?} is not in {why:?}");
        }
        script.wait(60).await;
        assert_eq!(script.reason(), "NotAuthorised");
        for key in ["access_token", "candidate_access_token"] {
            assert_eq!(script.data(TOKEN, key), None, "{key}");
        }
        script.connect(None).await.unwrap();
        script.wait(5).await;
        assert_eq!(script.reason(), "Verified");
        script.end().await;
    });
}
