//! Whom to believe, who takes it, and what those leave behind who are not believed.

use std::time::Duration;

use secrecy::SecretString;
use serde_json::json;
use tiktok_ads_operator::engine::settings::Settings;
use tiktok_ads_operator::engine::webhooks::{Delivery, Taken};

use super::super::api_server::CONNECTION;
use super::super::script::play;
use super::super::user::named;
use super::{Ear, Signed, ads, delivery, short_window};

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
