//! R26: which ad account a connection is for, and what TikTok says of it.

use serde_json::json;
use tiktok_ads_operator::engine::connection::ConnectError;

use super::super::api_server::CAMPAIGN;
use super::super::script::{Script, ads, play};
use super::super::specs::manual;
use super::{condition, secret, settings, unconnected};

#[test]
fn r26_several_advertisers_wait_for_a_pick_that_outlives_the_process() {
    play(async {
        let script = Script::with(7, &[], 2, &settings());
        unconnected(&script, json!({"advertiserId": null}));
        script.wait(30).await;
        let both = script.does(|w| {
            let all = &w.accounts;
            vec![all[0].advertiser_id.clone(), all[1].advertiser_id.clone()]
        });
        let session = script.connect_for(&both, None).await.unwrap().session;
        script.wait(5).await;
        assert_eq!(script.reason(), "AwaitingAdvertiser");
        assert_eq!(script.connection()["status"]["advertiserCount"], 2);
        let (_, engine) = script.sim.leader().unwrap();
        let main = ads("main");
        let page = engine
            .connection_page(&main, &session, &both[1], 0)
            .unwrap();
        assert_eq!((page.reached.found, page.reached.all), (1, 2));
        let forged = secret("x.y");
        assert!(engine.connection_page(&main, &forged, "", 0).is_none());
        let no = engine.pick_advertiser(&main, &forged, &both[1]).await;
        assert_eq!(no.unwrap_err(), ConnectError::Session);
        let no = engine.pick_advertiser(&main, &session, "999").await;
        assert_eq!(no.unwrap_err(), ConnectError::NotListed);
        engine
            .pick_advertiser(&main, &session, &both[1])
            .await
            .unwrap();
        drop(engine);
        script.wait(10).await;
        assert_eq!(script.reason(), "Verified");
        let (replica, _) = script.sim.leader().unwrap();
        let process = script.does(|w| w.slots[replica].process);
        script.sim.kill(replica, process, "by the test");
        script.wait(120).await;
        let status = script.connection()["status"].clone();
        assert_eq!(status["advertiser"]["id"], both[1].as_str());
        assert_eq!(condition(&script.connection(), "Ready"), "Verified");
        script.end().await;
    });
}

#[test]
fn r26_the_only_advertiser_is_taken_if_the_spec_allows_it_and_an_analyst_only_reads() {
    play(async {
        let script = Script::with(8, &[], 1, &settings());
        unconnected(
            &script,
            json!({"advertiserId": null, "advertiserPick": "OnlyOne", "eventsSource": {"pixelId": "7100000000000000077"}}),
        );
        script.wait(10).await;
        let advertiser = script.does(|w| w.accounts[0].advertiser_id.clone());
        script.does(|w| w.sandbox.set_user_role(&advertiser, "ANALYST").unwrap());
        script.connect(None).await.unwrap();
        script.wait(10).await;
        let status = script.connection()["status"].clone();
        assert_eq!(status["advertiser"]["id"], advertiser.as_str());
        assert_eq!(
            (script.reason(), &status["phase"]),
            ("AnalystRole".into(), &json!("ReadOnly"))
        );
        assert_eq!(
            status["eventsSource"],
            json!({"pixelId": "7100000000000000077", "found": false})
        );
        script.does(|w| w.create(CAMPAIGN, &ads("a"), manual(Some("Active"))));
        script.wait(30).await;
        assert_eq!(script.ready("a"), "ConnectionReadOnly");
        assert_eq!(script.rows(), []);
        script.end().await;
    });
}

#[test]
fn a_suspended_account_is_not_written_to_but_for_pauses_and_goes_on_when_it_is_back() {
    play(async {
        let script = Script::start(&[]).await;
        script.does(|w| w.create(CAMPAIGN, &ads("a"), manual(Some("Active"))));
        script.wait(30).await;
        let advertiser = script.does(|w| w.accounts[0].advertiser_id.clone());
        let status = |word: &str| {
            script.does(|w| {
                let now = w.clock.millis();
                w.sandbox
                    .set_account_status(now, &advertiser, word, "")
                    .unwrap();
            });
        };
        status("STATUS_LIMIT");
        script.wait(3600).await;
        assert_eq!(script.reason(), "AccountRestricted");
        script.does(|w| w.create(CAMPAIGN, &ads("b"), manual(Some("Active"))));
        script.wait(60).await;
        assert_eq!(script.ready("b"), "AccountRestricted");
        status("STATUS_ENABLE");
        script.wait(400).await;
        assert_eq!(script.reason(), "Verified");
        assert_eq!(
            (script.ready("a"), script.ready("b")),
            ("InSync".into(), "InSync".into())
        );
        script.end().await;
    });
}
