//! R22: the end of a connection, and what becomes of its grant.

use serde_json::{Value, json};
use tiktok_ads_operator::engine::doors::Name;

use super::super::api_server::{CAMPAIGN, CONNECTION};
use super::super::platform::Planned;
use super::super::script::{Script, ads, play};
use super::super::specs::manual;
use super::super::user::named;
use super::{REVOKE, settings, unconnected};

#[test]
fn r22_an_authorised_grant_is_revoked_with_its_last_connection_only() {
    play(async {
        let script = Script::with(13, &[], 1, &settings());
        unconnected(&script, json!({}));
        // Another connection of the same app, in another namespace.
        script.does(|w| w.set_up(1, None));
        script.wait(10).await;
        script.connect(None).await.unwrap();
        script.does(|w| w.create(CAMPAIGN, &ads("a"), manual(Some("Active"))));
        script.wait(60).await;
        let delete = |name: Name| {
            script.does(|w| {
                let now = w.now();
                w.api.delete(CONNECTION, &name, now);
                w.publish();
            })
        };
        delete(ads("main"));
        script.wait(60).await;
        assert_eq!(script.connection(), Value::Null);
        assert_eq!(script.calls(REVOKE).len(), 0, "lab/main uses the same app");
        assert_eq!(script.rows(), [("a".to_string(), true)], "as it was");
        assert_eq!(script.ready("a"), "Disconnected");
        for name in ["main-tiktok-token", "main-tiktok-connect"] {
            assert!(
                script.does(|w| w.api.secret(&ads(name))).is_none(),
                "{name}"
            );
        }
        let said = script.does(|w| {
            w.api
                .notes
                .iter()
                .map(|n| n.message.clone())
                .collect::<Vec<_>>()
        });
        assert!(
            said.iter()
                .any(|m| m.contains("a connection in another namespace uses the same app")),
            "{said:?}"
        );
        // What is left is let go without a call.
        let calls = script.does(|w| w.platform_writes);
        script.does(|w| {
            let now = w.now();
            w.api.delete(CAMPAIGN, &ads("a"), now);
            w.publish();
        });
        script.wait(10).await;
        assert_eq!(script.campaign("a"), None);
        assert_eq!(script.does(|w| w.platform_writes), calls);
        // Alone, and the platform is down at first.
        delete(named("lab", "main"));
        script.wait(60).await;
        unconnected(&script, json!({}));
        script.wait(10).await;
        script.connect(None).await.unwrap();
        script.wait(10).await;
        let down = Planned {
            not_sent: true,
            ..Planned::default()
        };
        script.plan(REVOKE, &[down]);
        delete(ads("main"));
        script.wait(60).await;
        assert_eq!(script.connection(), Value::Null);
        assert_eq!(script.calls(REVOKE).len(), 1);
        script.end().await;
    });
}

#[test]
fn r22_a_dead_token_holds_nobody_and_a_new_one_settles_what_waits() {
    play(async {
        let script = Script::with(14, &[], 1, &settings());
        unconnected(&script, json!({}));
        script.wait(10).await;
        script.connect(None).await.unwrap();
        script.does(|w| w.create(CAMPAIGN, &ads("a"), manual(Some("Active"))));
        script.wait(60).await;
        let token = script.data("main-tiktok-token", "access_token").unwrap();
        script.does(|w| w.sandbox.revoke_token(&token));
        script.does(|w| {
            let now = w.now();
            w.api.delete(CONNECTION, &ads("main"), now);
            w.api.delete(CAMPAIGN, &ads("a"), now);
            w.publish();
        });
        script.wait(90).await;
        assert_eq!(script.reason(), "ChildrenOpen");
        let text = script.connection()["status"].to_string();
        assert!(text.contains("tiktokads.dev/release"), "{text}");
        script.does(|w| w.annotate(CAMPAIGN, &ads("a"), "tiktokads.dev/release", "true"));
        script.wait(60).await;
        assert_eq!(script.campaign("a"), None);
        assert_eq!(script.connection(), Value::Null);
        script.end().await;
    });
}
