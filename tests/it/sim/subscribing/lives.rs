//! R24 over the lives of tokens and objects: what is made anew and when, what goes with its object, and that nothing else waits
//! for any of it.

use std::collections::BTreeMap;

use serde_json::json;
use tiktok_ads_operator::sandbox::FaultKind;

use super::super::api_server::{AD, AD_GROUP, CAMPAIGN};
use super::super::hearing::{Ear, ads};
use super::super::platform::Planned;
use super::super::script::{Script, play};
use super::super::tokens::unconnected;
use super::{HERE, SUBSCRIBE, all_of, post, settings};

const UNSUBSCRIBE: &str = "/subscription/unsubscribe/";
const REFRESH: &str = "/oauth2/refresh_token/";
const TOKEN: &str = "main-tiktok-token";

impl Ear {
    /// An authorised token of two hours, which is renewed after one and a half, and with whose end its subscriptions fall
    /// silent.
    async fn of_two_hours(seed: u64) -> Self {
        let knobs = [
            ("token_profile", "expiry_refresh"),
            ("token_lifetime_seconds", "7200"),
            ("subscription_token", "dies_when_expired"),
        ];
        let script = Script::with(seed, &knobs, 1, &settings(|_| {}));
        unconnected(&script, json!({}));
        script.wait(10).await;
        script.connect(None).await.unwrap();
        script.wait(10).await;
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

    fn token(&self) -> String {
        self.script.data(TOKEN, "access_token").unwrap()
    }

    /// Waits until so many seconds before (or, below zero, after) a time of the token's status.
    async fn until(&self, what: &str, before: i64) {
        let status = self.script.connection()["status"]["token"].clone();
        let at: jiff::Timestamp = status[what].as_str().unwrap().parse().unwrap();
        let left = at.as_second() - self.now() - before;
        self.script.wait(u64::try_from(left).unwrap()).await;
    }

    fn made_with(&self, token: &str) -> bool {
        let all = self.tokens();
        !all.is_empty() && all.iter().all(|t| t == token)
    }

    /// TikTok rejects an ad; how many messages that makes.
    async fn messages_of_a_rejection(&self, id: &str) -> usize {
        let count = || self.script.does(|w| w.sandbox.deliveries().count());
        let before = count();
        self.script.does(|w| {
            let now = w.clock.millis();
            w.sandbox.reject(now, id, None).unwrap();
        });
        self.script.wait(3).await;
        count() - before
    }
}

#[test]
fn r24_a_rotation_leaves_them_and_the_end_of_the_token_before_remakes_them_with_the_new_one() {
    play(async {
        let ear = Ear::of_two_hours(5).await;
        let post = post(ear.script.sim.clone());
        let ids = ear.ads("Manual", 3).await;
        let group = ear.script.does(|w| w.id_of(AD_GROUP, &ads("g"))).unwrap();
        ear.script.wait(300).await;
        let first = ear.token();
        assert_eq!(ear.to(), all_of(&ids, &group));
        assert!(ear.made_with(&first));

        // Renewed: the token before goes on living, and so do they.
        ear.until("rotatesAt", 10).await;
        let end = ear.script.data(TOKEN, "expires_at").unwrap();
        let asked = ear.asked_so_far();
        ear.script.wait(300).await;
        let second = ear.token();
        assert_ne!(second, first);
        assert_eq!(ear.about_subscriptions(asked), BTreeMap::new());
        assert!(ear.made_with(&first));
        assert!(ear.messages_of_a_rejection(&ids[0]).await > 0);
        assert_eq!(ear.condition(AD, "a0", "Approved")["status"], "False");

        // It ends, and TikTok says nothing: all are made anew, each once.
        let end: jiff::Timestamp = end.parse().unwrap();
        let left = end.as_second() - ear.now();
        let asked = ear.asked_so_far();
        ear.script.wait(u64::try_from(left).unwrap() - 5).await;
        assert_eq!(
            ear.about_subscriptions(asked),
            BTreeMap::new(),
            "not before"
        );
        ear.script.wait(65).await;
        assert!(ear.made_with(&second), "{:?}", ear.tokens());
        assert_eq!(ear.to(), all_of(&ids, &group));
        assert!(ear.rows().iter().all(|(_, url)| url == HERE));
        let calls = BTreeMap::from([("subscribe".into(), 5), ("unsubscribe".into(), 5)]);
        assert_eq!(ear.about_subscriptions(asked), calls);
        assert!(ear.messages_of_a_rejection(&ids[1]).await > 0);
        assert_eq!(ear.condition(AD, "a1", "Approved")["status"], "False");

        // A process that dies between a renewal and the end of the token before knows it from the Secret.
        ear.until("rotatesAt", 10).await;
        let end = ear.script.data(TOKEN, "expires_at").unwrap();
        ear.script.wait(60).await;
        let third = ear.token();
        assert_ne!(third, second);
        ear.restart().await;
        assert!(ear.made_with(&second));
        let end: jiff::Timestamp = end.parse().unwrap();
        let left = end.as_second() - ear.now() + 60;
        ear.script.wait(u64::try_from(left).unwrap()).await;
        assert!(ear.made_with(&third), "{:?}", ear.tokens());
        assert_eq!(ear.to(), all_of(&ids, &group));
        assert!(ear.messages_of_a_rejection(&ids[2]).await > 0);
        post.abort();
        ear.script.end().await;
    });
}

#[test]
fn r24_a_subscription_goes_with_its_object_while_the_connection_stays() {
    play(async {
        let ear = Ear::with(settings(|_| {}), 1).await;
        let mut ids = ear.ads("Manual", 3).await;
        let group = ear.script.does(|w| w.id_of(AD_GROUP, &ads("g"))).unwrap();
        assert_eq!(ear.to(), all_of(&ids, &group));
        // One is deleted on TikTok too, another is left as it is there: nobody here wants to know of either.
        ear.script
            .does(|w| w.edit(AD, &ads("a1"), json!({"deletionPolicy": "Delete"})));
        ear.script.wait(60).await;
        for name in ["a1", "a0"] {
            let asked = ear.asked_so_far();
            ear.script.does(|w| w.delete(AD, &ads(name)));
            ear.script.wait(120).await;
            assert!(ear.object(AD, name).is_null());
            ids.remove(if name == "a1" { 1 } else { 0 });
            assert_eq!(ear.to(), all_of(&ids, &group), "without {name}");
            let calls = BTreeMap::from([("unsubscribe".into(), 1)]);
            assert_eq!(
                ear.about_subscriptions(asked),
                calls,
                "the others are not touched"
            );
        }
        for (kind, name) in [(AD, "a2"), (AD_GROUP, "g")] {
            ear.script.does(|w| w.delete(kind, &ads(name)));
        }
        ear.script.wait(120).await;
        assert_eq!(ear.to(), ["AD_ACCOUNT_SUSPENSION"]);
        ear.script.wait(60).await;
        let shown = ear.webhooks();
        let counts = (&shown["subscriptions"], &shown["subscriptionsWanted"]);
        assert_eq!(counts, (&json!(1), &json!(1)));
        ear.script.end().await;
    });
}

/// Calls that take long, one after the other, beside everything else.
#[test]
fn r24_neither_a_renewal_nor_a_pause_nor_an_event_waits_for_subscriptions() {
    play(async {
        let ear = Ear::of_two_hours(6).await;
        let post = post(ear.script.sim.clone());
        let ids = ear.ads("Manual", 8).await;
        ear.script.wait(300).await;
        let slow = || Planned::fault(FaultKind::Delay { ms: 12_000 });
        // Until the renewal is due, TikTok takes its time for whatever is about subscriptions, and there is much of it.
        ear.until("rotatesAt", 20).await;
        let due = ear.script.connection()["status"]["token"]["rotatesAt"].clone();
        let due: jiff::Timestamp = due.as_str().unwrap().parse().unwrap();
        ear.script.plan(UNSUBSCRIBE, &vec![slow(); 40]);
        ear.script.plan(SUBSCRIBE, &vec![slow(); 40]);
        let url = format!("{HERE}/0123456789abcdef01234567");
        ear.script.does(|w| {
            let token = url.rsplit_once('/').unwrap().1;
            w.api.put_secret(&ads("path"), &[("path_token", token)]);
            let webhooks = json!({"webhooks": {"pathTokenSecretRef": {"name": "path"}}});
            w.edit(super::CONNECTION, &ads("main"), webhooks);
        });
        let moved = || ear.rows().iter().filter(|(_, at)| *at == url).count();
        ear.script.wait(40).await;
        let renewed: Vec<i64> = ear
            .script
            .calls(REFRESH)
            .iter()
            .map(|(at, _)| *at)
            .collect();
        assert_eq!(renewed.len(), 1);
        assert!(
            (0..3).contains(&(renewed[0] - due.as_second())),
            "late: {renewed:?}"
        );
        let on = || ear.script.rows()[0].1;
        assert!(on());
        ear.script
            .does(|w| w.edit(CAMPAIGN, &ads("c"), json!({"state": "Paused"})));
        ear.script.wait(2).await;
        assert!(!on(), "a pause waits for nothing");
        ear.calm().await;
        let asked = ear.asked_so_far();
        let hint = ear.about(3, &[ear.ad_entry(&ids[7])]);
        ear.hears(hint).await;
        ear.script.wait(2).await;
        let looked = ear
            .asked(asked)
            .iter()
            .any(|(path, of)| path == "/ad/get/" && of.contains(&ids[7]));
        assert!(looked, "{:?}", ear.asked(asked));
        // All of that while they were under way.
        assert!(moved() < 10, "{} are moved already", moved());
        ear.script.wait(600).await;
        assert_eq!(moved(), 10);
        assert_eq!(ear.to().len(), 10);
        post.abort();
        ear.script.end().await;
    });
}
