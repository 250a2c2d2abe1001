//! What somebody has to mend before a connection works: each says so, with what to do, and heals by itself once it is done.

use serde_json::json;
use tiktok_ads_operator::engine::connection::ConnectError;
use tiktok_ads_operator::engine::settings::Settings;
use tiktok_ads_operator::sandbox::{NewAccount, TokenChange};

use super::super::api_server::{CAMPAIGN, CONNECTION};
use super::super::script::{Script, ads, play};
use super::super::specs::manual;
use super::super::user::{connection_spec, named};
use super::{TOKEN, settings, unconnected};

impl Script {
    /// Ready says this, with these words, and is not True.
    #[track_caller]
    fn says(&self, reason: &str, words: &[&str]) {
        let (said, message) = self.told();
        assert_eq!(said, reason, "{message}");
        for word in words {
            assert!(message.contains(word), "{word:?} is not in {message:?}");
        }
    }

    fn delete_secret(&self, name: &str) {
        self.does(|w| {
            w.api.delete_secret(&ads(name));
            w.publish();
        });
    }

    fn app(&self) -> (String, String) {
        self.does(|w| (w.accounts[0].app_id.clone(), w.accounts[0].secret.clone()))
    }

    fn users_token(&self) -> String {
        self.does(|w| w.accounts[0].access_token.clone())
    }
}

#[test]
fn an_app_secret_that_is_missing_or_not_complete_is_named_and_goes_on_when_it_is_whole() {
    play(async {
        let script = Script::with(91, &[], 1, &settings());
        let (id, secret) = script.app();
        unconnected(&script, json!({}));
        script.delete_secret("app");
        script.wait(10).await;
        let create = [
            "there is no Secret app in this namespace",
            "create it with the keys app_id and secret",
        ];
        script.says("SecretMissing", &create);
        script.put("app", &[("app_id", &id)]);
        script.wait(5).await;
        script.says("SecretIncomplete", &["Secret app lacks secret; add it"]);
        script.put("app", &[("secret", " "), ("id", &id)]);
        script.wait(5).await;
        script.says(
            "SecretIncomplete",
            &["Secret app lacks app_id and secret; add it"],
        );
        let calls = script.does(|w| w.platform_calls);
        assert_eq!(calls, 0, "TikTok was not asked");
        script.put("app", &[("app_id", &id), ("secret", &secret)]);
        script.wait(5).await;
        script.says(
            "NotAuthorised",
            &["authorise at https://ads.example.com/connect/ads/main"],
        );
        script.connect(None).await.unwrap();
        script.does(|w| w.create(CAMPAIGN, &ads("a"), manual(Some("Active"))));
        script.wait(60).await;
        assert_eq!(script.reason(), "Verified");
        // With a token in hand it is said, and everything goes on.
        script.put("app", &[("app_id", &id)]);
        script.wait(5).await;
        script.says("SecretIncomplete", &["Secret app lacks secret; add it"]);
        script.does(|w| w.edit(CAMPAIGN, &ads("a"), json!({"state": "Paused"})));
        script.wait(30).await;
        assert_eq!(script.rows(), [("a".to_string(), false)]);
        // The link is of no use meanwhile, and stays good.
        let ticket = script.data("main-tiktok-connect", "ticket").unwrap();
        let no = script.begin(&ticket).await.unwrap_err();
        let mend = "the Secret app with the keys app_id and secret is missing or not complete; mend it and open the link again";
        assert_eq!(no, ConnectError::Platform(mend.into()));
        script.put("app", &[("app_id", &id), ("secret", &secret)]);
        script.wait(5).await;
        assert_eq!(script.reason(), "Verified");
        script.begin(&ticket).await.unwrap();
        script.end().await;
    });
}

#[test]
fn a_token_secret_that_is_missing_or_not_complete_is_named_and_goes_on_when_it_is_whole() {
    play(async {
        let script = Script::with(92, &[], 1, &Settings::default());
        unconnected(
            &script,
            json!({"tokenSecretRef": {"name": "token", "key": "tt"}}),
        );
        script.wait(10).await;
        script.says(
            "SecretMissing",
            &[
                "there is no Secret token",
                "create it with the access token",
            ],
        );
        script.put("token", &[("access_token", &script.users_token())]);
        script.wait(5).await;
        script.says("SecretIncomplete", &["Secret token lacks tt; add it"]);
        script.put("token", &[("tt", &script.users_token())]);
        script.wait(10).await;
        assert_eq!(script.reason(), "Verified");
        script.end().await;
    });
    play(async {
        let script = Script::with(92, &[], 1, &Settings::default());
        unconnected(&script, json!({}));
        script.wait(10).await;
        script.says("SecretMissing", &["no token: set spec.tokenSecretRef"]);
        script.put("token", &[("access_token", &script.users_token())]);
        script.does(|w| {
            w.edit(
                CONNECTION,
                &ads("main"),
                json!({"tokenSecretRef": {"name": "token"}}),
            )
        });
        script.wait(10).await;
        assert_eq!(script.reason(), "Verified");
        script.end().await;
    });
}

#[test]
fn a_secret_of_somebody_else_under_our_names_is_left_alone_and_said() {
    play(async {
        let script = Script::with(93, &[], 1, &settings());
        script.put(TOKEN, &[("access_token", "not ours")]);
        unconnected(&script, json!({"tokenSecretRef": {"name": "token"}}));
        script.put("token", &[("access_token", &script.users_token())]);
        script.wait(60).await;
        let mend = [
            "a Secret named main-tiktok-token exists that neither carries this connection's label nor belongs to it",
            "Look into it first",
        ];
        script.says("TokenSecretTaken", &mend);
        assert_eq!(script.data(TOKEN, "access_token"), Some("not ours".into()));
        assert_eq!(
            script.does(|w| w.platform_calls),
            0,
            "nobody's token is used"
        );
        script.delete_secret(TOKEN);
        script.wait(10).await;
        assert_eq!(script.reason(), "Verified");
        script.end().await;
    });
    play(async {
        let script = Script::with(94, &[], 1, &settings());
        let connect = "main-tiktok-connect";
        script.put(connect, &[("ticket", "mine"), ("key", &"ab".repeat(32))]);
        unconnected(&script, json!({}));
        script.wait(60).await;
        let mend = [
            "a Secret named main-tiktok-connect exists and was not made by this operator",
            "no ticket to authorise with",
            "rename or remove it",
        ];
        script.says("ConnectSecretTaken", &mend);
        assert_eq!(script.data(connect, "ticket"), Some("mine".into()));
        let no = script.begin("mine").await.unwrap_err();
        assert_eq!(
            no,
            ConnectError::Ticket,
            "a ticket of somebody else's making"
        );
        // A token of one's own needs no ticket.
        script.put("token", &[("access_token", &script.users_token())]);
        script.does(|w| {
            w.edit(
                CONNECTION,
                &ads("main"),
                json!({"tokenSecretRef": {"name": "token"}}),
            )
        });
        script.wait(10).await;
        assert_eq!(script.reason(), "Verified");
        script.delete_secret(connect);
        script.wait(10).await;
        script.connect(None).await.unwrap();
        script.wait(5).await;
        assert_eq!(
            script.connection()["status"]["token"]["origin"],
            "Authorised"
        );
        script.end().await;
    });
}

#[test]
fn an_advertiser_that_an_older_connection_has_is_left_to_it_until_that_one_is_gone() {
    for (namespace, said) in [
        ("ads", "the connection shop has advertiser"),
        // What is called how elsewhere is nobody's business here.
        ("lab", "a connection in another namespace has advertiser"),
    ] {
        play(async move {
            let script = Script::with(95, &[], 1, &settings());
            let at = |name| named(namespace, name);
            script.does(|w| {
                let account = w.accounts[0].clone();
                let app = [
                    ("app_id", account.app_id.as_str()),
                    ("secret", account.secret.as_str()),
                ];
                w.api.put_secret(&at("app"), &app);
                w.api
                    .put_secret(&at("token"), &[("access_token", &account.access_token)]);
                w.create(
                    CONNECTION,
                    &at("shop"),
                    connection_spec(&account.advertiser_id),
                );
            });
            script.wait(30).await;
            unconnected(&script, json!({"tokenSecretRef": {"name": "token"}}));
            script.put("token", &[("access_token", &script.users_token())]);
            script.does(|w| w.create(CAMPAIGN, &ads("a"), manual(Some("Active"))));
            script.wait(60).await;
            let advertiser = script.does(|w| w.accounts[0].advertiser_id.clone());
            let mend = [
                said,
                &advertiser,
                "use that one, or take another advertiser here",
            ];
            script.says("AdvertiserTaken", &mend);
            assert_eq!(script.ready("a"), "WaitingForConnection");
            assert_eq!(script.rows(), [], "nothing is made twice");
            script.does(|w| w.delete(CONNECTION, &at("shop")));
            script.wait(90).await;
            assert_eq!(
                (script.reason(), script.ready("a")),
                ("Verified".into(), "InSync".into())
            );
            script.end().await;
        });
    }
}

#[test]
fn an_advertiser_that_the_token_does_not_reach_is_named_and_found_once_it_does() {
    play(async {
        let script = Script::with(96, &[], 1, &Settings::default());
        let [wanted, other] = script.does(|w| [0, 1].map(|n| w.accounts[n].advertiser_id.clone()));
        let theirs = script.does(|w| w.accounts[1].access_token.clone());
        unconnected(&script, json!({"tokenSecretRef": {"name": "token"}}));
        script.put("token", &[("access_token", &theirs)]);
        script.does(|w| w.create(CAMPAIGN, &ads("a"), manual(Some("Active"))));
        script.wait(60).await;
        let mend = [
            format!("the token does not reach advertiser {wanted}"),
            "pick one of status.advertisers, or authorise the app for it".into(),
        ];
        script.says("AdvertiserNotGranted", &mend.each_ref().map(String::as_str));
        let status = script.connection()["status"].clone();
        assert!(
            status["advertisers"][0]
                .as_str()
                .unwrap()
                .starts_with(&other),
            "{status}"
        );
        assert_eq!(status["advertiser"], json!(null));
        assert_eq!(script.ready("a"), "WaitingForConnection");
        // Somebody assigns the ad account to the user behind the token: the next check finds out.
        script.does(|w| {
            let now = w.clock.millis();
            let change = TokenChange {
                access_token: theirs.clone(),
                advertiser_ids: Some(vec![other.clone(), wanted.clone()]),
                ..TokenChange::default()
            };
            assert!(w.sandbox.change_token(now, &change).unwrap());
        });
        script.wait(3700).await;
        assert_eq!(
            (script.reason(), script.ready("a")),
            ("Verified".into(), "InSync".into())
        );
        // It is taken away again, and a token of somebody who has it is put there.
        script.does(|w| {
            let now = w.clock.millis();
            let change = TokenChange {
                access_token: theirs.clone(),
                advertiser_ids: Some(vec![other.clone()]),
                ..TokenChange::default()
            };
            assert!(w.sandbox.change_token(now, &change).unwrap());
        });
        script.wait(3700).await;
        script.says("AdvertiserNotGranted", &[&mend[0]]);
        script.put("token", &[("access_token", &script.users_token())]);
        script.wait(60).await;
        assert_eq!(
            (script.reason(), script.ready("a")),
            ("Verified".into(), "InSync".into())
        );
        script.end().await;
    });
}

#[test]
fn another_app_in_the_secret_reads_only_until_it_is_put_back_or_authorised() {
    for put_back in [true, false] {
        play(async move {
            let script = Script::with(97, &[], 1, &settings());
            let (id, secret) = script.app();
            unconnected(&script, json!({}));
            script.wait(10).await;
            script.connect(None).await.unwrap();
            script.does(|w| w.create(CAMPAIGN, &ads("a"), manual(Some("Active"))));
            script.wait(60).await;
            assert_eq!(script.ready("a"), "InSync");
            let other = script.does(|w| {
                let now = w.clock.millis();
                w.sandbox
                    .create_account(now, &NewAccount::default())
                    .unwrap()
            });
            script.put(
                "app",
                &[("app_id", &other.app_id), ("secret", &other.secret)],
            );
            script.wait(10).await;
            let words =
                "Secret app names another app than the one that the access token was obtained with";
            script.says("AppChanged", &[words]);
            let status = script.connection()["status"].clone();
            assert_eq!(status["phase"], "ReadOnly");
            let banner = script.banner();
            assert!(
                banner.contains(words) && banner.contains("authorise again at"),
                "{banner}"
            );
            assert_eq!(
                script.data(TOKEN, "app_id"),
                Some(id.clone()),
                "as it was obtained"
            );
            script.does(|w| w.create(CAMPAIGN, &ads("b"), manual(Some("Active"))));
            script.wait(120).await;
            assert_eq!(script.ready("b"), "ConnectionReadOnly");
            assert_eq!(script.rows(), [("a".to_string(), true)]);
            if put_back {
                script.put("app", &[("app_id", &id), ("secret", &secret)]);
            } else {
                let code = script.does(|w| {
                    let now = w.clock.millis();
                    let to = [w.accounts[0].advertiser_id.clone()];
                    w.sandbox.create_auth_code(now, &other.app_id, &to).unwrap()
                });
                let ticket = script.data("main-tiktok-connect", "ticket").unwrap();
                let begun = script.begin(&ticket).await.unwrap();
                assert_eq!(super::query(&begun)["app_id"], other.app_id);
                let cookie = secrecy::ExposeSecret::expose_secret(&begun.cookie);
                script
                    .authorise(&super::state_of(&begun), &code, cookie)
                    .await
                    .unwrap();
            }
            script.wait(60).await;
            assert_eq!(
                (script.reason(), script.banner()),
                ("Verified".into(), String::new())
            );
            assert_eq!(
                (script.ready("a"), script.ready("b")),
                ("InSync".into(), "InSync".into())
            );
            let used = if put_back { id } else { other.app_id };
            assert_eq!(script.data(TOKEN, "app_id"), Some(used));
            script.end().await;
        });
    }
}
