//! R23: the keys that messages are signed with, and their rotation.

use serde_json::json;
use tiktok_ads_operator::engine::webhooks::Taken;

use super::super::api_server::CONNECTION;
use super::super::script::play;
use super::{Ear, HOUR, KEYS, Signed, ads, short_window};

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
        // The connection is lost and comes back from a backup, with another uid and without a status. That neither ends the
        // window nor begins it anew.
        ear.script.wait(HOUR / 2).await;
        let lost = ear.object(CONNECTION, "main");
        ear.script
            .does(|w| w.restore(CONNECTION, &ads("main"), (false, true, true)));
        let back = ear.object(CONNECTION, "main");
        assert_ne!(back["metadata"]["uid"], lost["metadata"]["uid"]);
        assert!(back["status"]["webhooks"].is_null());
        ear.script.wait(60).await;
        assert_eq!(
            ear.webhooks()["previousKeyAcceptedUntil"],
            shown["previousKeyAcceptedUntil"]
        );
        assert!(ear.accepts("first").await, "it has not ended");
        ear.script.wait(HOUR / 2 - 240).await;
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
