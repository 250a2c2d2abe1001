//! R21: single turns in a token's life.

use serde_json::json;
use tiktok_ads_operator::sandbox::{FaultKind, NewGrant};

use super::super::api_server::CAMPAIGN;
use super::super::platform::Planned;
use super::super::script::{Script, ads, play};
use super::super::specs::manual;
use super::{REFRESH, REVOKE, ROTATING, TOKEN, settings, unconnected};

/// The first call with a new token.
const CHECK: &str = "/oauth2/advertiser/get/";

#[test]
fn r21_a_lost_answer_ends_in_a_banner_reads_until_the_end_and_nothing_afterwards() {
    play(async {
        let kind = &ROTATING[..2];
        let script = Script::with(10, kind, 1, &settings());
        unconnected(&script, json!({"onAuthDegraded": "PauseAll"}));
        script.wait(10).await;
        script.connect(None).await.unwrap();
        script.does(|w| w.create(CAMPAIGN, &ads("a"), manual(Some("Active"))));
        script.wait(60).await;
        assert_eq!(script.rows(), [("a".to_string(), true)]);
        script.plan(REFRESH, &[Planned::fault(FaultKind::AnswerLost)]);
        script.wait(93 * 60).await;
        assert_eq!(script.reason(), "TokenNotRenewed");
        let banner = script.banner();
        assert!(
            banner.contains("https://ads.example.com/connect/ads/main"),
            "{banner}"
        );
        assert_eq!(script.calls(REFRESH).len(), 2, "not again after a final no");
        assert_eq!(script.rows(), [("a".to_string(), false)], "PauseAll");
        assert_eq!(script.ready("a"), "ConnectionReadOnly");
        assert_eq!(script.condition("a", "Held").1, "AuthDegraded");
        let status_writes = |s: &Script| {
            let trace = s.does(|w| w.trace.clone());
            trace
                .iter()
                .filter(|l| l.contains("STATUS Campaign ads/a"))
                .count()
        };
        let written = status_writes(&script);
        let lists = script.calls("/campaign/get/").len();
        script.wait(10 * 60).await;
        assert!(script.calls("/campaign/get/").len() > lists, "reads go on");
        // The end.
        script.wait(30 * 60).await;
        assert_eq!(script.reason(), "TokenExpired");
        assert!(script.banner().contains("neither read nor written"));
        let all = script.does(|w| w.platform_calls);
        script.wait(3600).await;
        assert_eq!(script.does(|w| w.platform_calls), all, "no call at all");
        assert!(status_writes(&script) <= written + 1, "said once");
        // Somebody authorises again, and everything goes on by itself.
        script.connect(None).await.unwrap();
        script.wait(60).await;
        assert_eq!(
            (script.reason(), script.banner()),
            ("Verified".into(), String::new())
        );
        assert_eq!(script.rows(), [("a".to_string(), true)]);
        script.end().await;
    });
}

#[test]
fn r21_a_token_that_does_not_end_is_told_by_the_refusal_to_renew_it() {
    play(async {
        let script = Script::with(11, ROTATING, 1, &settings());
        unconnected(&script, json!({}));
        script.wait(10).await;
        script.connect(None).await.unwrap();
        let unknown = FaultKind::Error {
            code: 40107,
            message: "long-term".into(),
        };
        script.plan(REFRESH, &[Planned::fault(unknown)]);
        script.wait(100 * 60).await;
        let status = script.connection()["status"].clone();
        assert_eq!(status["token"]["profile"], "LongLived");
        assert_eq!(status["token"]["lastRotation"]["result"], "Failed");
        assert_eq!(script.reason(), "Verified");
        assert_eq!(script.calls(REFRESH).len(), 1);
        script.end().await;
    });
}

#[test]
fn r21_a_users_secret_that_is_restored_every_second_changes_nothing() {
    play(async {
        let script = Script::with(12, ROTATING, 1, &settings());
        let issued = script.does(|w| {
            let (now, account) = (w.clock.millis(), w.accounts[0].clone());
            let grant = NewGrant {
                app_id: account.app_id,
                advertiser_ids: vec![account.advertiser_id],
                ..NewGrant::default()
            };
            w.sandbox.issue_token(now, &grant).unwrap()
        });
        let text = |key: &str| issued[key].as_str().unwrap().to_string();
        let (access, refresh) = (text("access_token"), text("refresh_token"));
        let ends = script.does(|w| w.now()) + std::time::Duration::from_secs(120);
        let ends = ends.to_string();
        let restore = |script: &Script| {
            script.does(|w| {
                let data = [
                    ("access_token", access.as_str()),
                    ("refresh_token", refresh.as_str()),
                    ("expires_at", ends.as_str()),
                ];
                w.api.put_secret(&ads("token"), &data);
                w.publish();
            });
        };
        restore(&script);
        // It is due at once; TikTok takes its time over it, and meanwhile the Secret is restored, too.
        script.plan(REFRESH, &[Planned::fault(FaultKind::Delay { ms: 8_000 })]);
        unconnected(&script, json!({"tokenSecretRef": {"name": "token"}}));
        script.does(|w| w.create(CAMPAIGN, &ads("a"), manual(Some("Active"))));
        let mut under_way = 0;
        for _ in 0..240 {
            script.wait(1).await;
            restore(&script);
            let marked = script.data("main-tiktok-token", "refresh_mark");
            under_way += usize::from(marked.is_some());
        }
        assert!(
            under_way >= 5,
            "{under_way} restores between mark and store"
        );
        assert_eq!(script.calls(REFRESH).len(), 1);
        assert_eq!(script.calls(REVOKE), []);
        let held = script.data("main-tiktok-token", "access_token").unwrap();
        assert_ne!(held, access);
        assert_eq!(
            script.data("main-tiktok-token", "previous_access_token"),
            None
        );
        assert_eq!(
            (script.reason(), script.ready("a")),
            ("Verified".into(), "InSync".into())
        );
        let token = script.connection()["status"]["token"].clone();
        assert_eq!(
            (&token["origin"], &token["profile"]),
            (&json!("Imported"), &json!("Refreshable"))
        );
        script.end().await;
    });
}

/// Until shortly before the token is due to be renewed.
async fn due(script: &Script) {
    let due = script.connection()["status"]["token"]["rotatesAt"].clone();
    let due: jiff::Timestamp = due.as_str().unwrap().parse().unwrap();
    let left = due.duration_since(script.does(|w| w.now())).as_secs() - 20;
    script.wait(u64::try_from(left).unwrap()).await;
}

/// Until the token in the Secret is another; by the second.
async fn renewed(script: &Script) -> String {
    let before = script.data(TOKEN, "access_token").unwrap();
    for _ in 0..3 * 3600 {
        script.wait(1).await;
        let now = script.data(TOKEN, "access_token").unwrap();
        if now != before {
            return now;
        }
    }
    panic!("not renewed: {}", script.reason());
}

#[test]
fn r21_a_new_token_that_is_refused_gives_way_to_the_one_before_which_was_kept_until_it_answers() {
    for dies in [false, true] {
        play(async move {
            let script = Script::with(15, ROTATING, 2, &settings());
            unconnected(&script, json!({}));
            script.wait(60).await;
            script.connect(None).await.unwrap();
            script.does(|w| w.create(CAMPAIGN, &ads("a"), manual(Some("Active"))));
            script.wait(60).await;
            let first = script.data(TOKEN, "access_token").unwrap();
            due(&script).await;
            // Nobody hears of the new token at first, then it is refused.
            let unheard = Planned {
                not_sent: true,
                ..Planned::default()
            };
            let refused = Planned::fault(FaultKind::Error {
                code: 40105,
                message: "Access token is incorrect or has been revoked.".into(),
            });
            let refused = [unheard.clone(), unheard.clone(), unheard, refused];
            script.plan(CHECK, &refused);
            let second = renewed(&script).await;
            assert_eq!(script.calls(REFRESH).len(), 1);
            let kept = || script.data(TOKEN, "previous_access_token");
            let left = |script: &Script| script.does(|w| w.script[CHECK].len());
            let mut seen = 0;
            while left(&script) > 0 {
                assert_eq!(
                    kept(),
                    Some(first.clone()),
                    "kept until the new one answers"
                );
                assert_eq!(script.data(TOKEN, "access_token"), Some(second.clone()));
                seen += 1;
                if dies && seen == 2 {
                    // What the next process knows is in the Secret.
                    let (replica, _) = script.sim.leader().unwrap();
                    let process = script.does(|w| w.slots[replica].process);
                    script.sim.kill(replica, process, "by the test");
                }
                script.wait(1).await;
                assert!(seen < 600);
            }
            script.wait(5).await;
            assert_eq!(script.data(TOKEN, "access_token"), Some(first.clone()));
            assert_eq!(kept(), None);
            assert_eq!(
                (script.reason(), script.banner()),
                ("Verified".into(), String::new())
            );
            let status = script.connection()["status"]["token"].clone();
            assert_eq!(status["lastRotation"]["result"], "Failed");
            let why = status["lastRotation"]["message"].as_str().unwrap();
            assert!(why.contains("the one before is used"), "{why}");
            assert_eq!(script.ready("a"), "InSync");
            // It is renewed again, with the refresh token that came with the refused one, and that goes well.
            let third = renewed(&script).await;
            assert!(third != first && third != second);
            script.wait(60).await;
            assert_eq!(script.calls(REFRESH).len(), 2);
            assert_eq!(kept(), None, "it has answered");
            assert_eq!(script.data(TOKEN, "access_token"), Some(third));
            assert_eq!(script.reason(), "Verified");
            assert_eq!(script.calls(REVOKE), []);
            script.end().await;
        });
    }
}

/// TikTok takes back the new pair at once: the one before lives on to its end, which is said.
#[test]
fn r21_a_new_pair_that_is_taken_back_leaves_the_one_before_and_a_banner() {
    play(async {
        let script = Script::with(16, &ROTATING[..2], 1, &settings());
        unconnected(&script, json!({}));
        script.wait(10).await;
        script.connect(None).await.unwrap();
        script.does(|w| w.create(CAMPAIGN, &ads("a"), manual(Some("Active"))));
        script.wait(60).await;
        let first = script.data(TOKEN, "access_token").unwrap();
        let ends = script.data(TOKEN, "expires_at").unwrap();
        due(&script).await;
        // It answers to nobody before it is taken back.
        script.plan(
            CHECK,
            &vec![
                Planned {
                    not_sent: true,
                    ..Planned::default()
                };
                3
            ],
        );
        let second = renewed(&script).await;
        assert!(script.does(|w| w.sandbox.revoke_token(&second)));
        script.wait(180).await;
        assert_eq!(script.data(TOKEN, "access_token"), Some(first));
        assert_eq!(
            script.data(TOKEN, "expires_at"),
            Some(ends.clone()),
            "its own end"
        );
        assert_eq!(script.reason(), "TokenNotRenewed");
        let banner = script.banner();
        let until: jiff::Timestamp = ends.parse().unwrap();
        let until = jiff::Timestamp::from_second(until.as_second()).unwrap();
        assert!(
            banner.contains(&format!("until the token ends at {until}")),
            "{banner}"
        );
        assert_eq!(script.ready("a"), "ConnectionReadOnly");
        let lists = script.calls("/campaign/get/").len();
        script.wait(600).await;
        assert!(script.calls("/campaign/get/").len() > lists, "reads go on");
        script.connect(None).await.unwrap();
        script.wait(60).await;
        assert_eq!(
            (script.reason(), script.ready("a")),
            ("Verified".into(), "InSync".into())
        );
        script.end().await;
    });
}
