//! R26: which ad account a connection is for, and what TikTok says of it.

use serde_json::{Value, json};
use tiktok_ads_operator::engine::connection::ConnectError;
use tiktok_ads_operator::sandbox::{NewAccount, NewPixel};

use super::super::api_server::{CAMPAIGN, CONNECTION};
use super::super::script::{Script, ads, play};
use super::super::specs::manual;
use super::{EXCHANGE, condition, secret, settings, unconnected};

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

#[test]
fn r26_of_many_advertisers_status_lists_twenty_and_the_page_searches_them_all() {
    play(async {
        let script = Script::with(89, &[], 1, &settings());
        unconnected(&script, json!({"advertiserId": null}));
        script.wait(10).await;
        let all: Vec<String> = script.does(|w| {
            let (now, app) = (w.clock.millis(), w.accounts[0].app_id.clone());
            let shops = (0..120).map(|n| NewAccount {
                app_id: Some(app.clone()),
                name: Some(format!("Shop {n:03}")),
                ..NewAccount::default()
            });
            let made = shops.map(|shop| w.sandbox.create_account(now, &shop).unwrap());
            made.map(|account| account.advertiser_id).collect()
        });
        let session = script.connect_for(&all, None).await.unwrap().session;
        script.wait(5).await;
        // TikTok is not asked to list thousands in its answer to the exchange.
        let asked = script.does(|w| {
            let mut all = w.sandbox.requests(Default::default());
            let exchange = all.find(|entry| entry.path.ends_with(EXCHANGE)).unwrap();
            exchange.body["return_advertiser_ids"].clone()
        });
        assert_eq!(asked, json!(false));
        let status = script.connection()["status"].clone();
        let shown: Vec<String> = (0..20).map(|n| format!("{} Shop {n:03}", all[n])).collect();
        assert_eq!(status["advertisers"], json!(shown));
        assert_eq!(status["advertiserCount"], 120);
        let (reason, message) = script.told();
        assert_eq!(reason, "AwaitingAdvertiser");
        assert!(message.contains("120 advertisers"), "{message}");

        let main = ads("main");
        let page = |search: &str, page| {
            let (_, engine) = script.sim.leader().unwrap();
            let seen = engine.connection_page(&main, &session, search, page);
            seen.unwrap().reached
        };
        let pages: Vec<_> = (0..4).map(|n| page("", n)).collect();
        let sizes: Vec<usize> = pages.iter().map(|p| p.shown.len()).collect();
        assert_eq!(sizes, [50, 50, 20, 0]);
        assert!(pages.iter().all(|p| (p.found, p.all) == (120, 120)));
        let seen: Vec<String> = pages
            .iter()
            .flat_map(|p| &p.shown)
            .map(|(id, _)| id.clone())
            .collect();
        assert_eq!(seen, all, "each once, by name");
        let found = page(" shop 11 ", 0);
        assert_eq!((found.found, found.all), (10, 120));
        let names: Vec<&str> = found.shown.iter().map(|(_, name)| name.as_str()).collect();
        assert_eq!(
            names,
            (110..120).map(|n| format!("Shop {n}")).collect::<Vec<_>>()
        );
        assert_eq!(page("shop 11", 1).shown, []);
        assert_eq!(
            page(&all[77], 0).shown,
            [(all[77].clone(), "Shop 077".to_string())]
        );
        let none = page("no such shop", 0);
        assert_eq!((none.found, none.all, none.shown.len()), (0, 120, 0));

        // One that status does not list.
        let (_, engine) = script.sim.leader().unwrap();
        engine
            .pick_advertiser(&main, &session, &all[77])
            .await
            .unwrap();
        script.wait(10).await;
        assert_eq!(script.reason(), "Verified");
        let seen = engine.connection_page(&main, &session, "", 0).unwrap();
        let picked = seen.advertiser.unwrap();
        assert_eq!((&picked.id, picked.name.as_str()), (&all[77], "Shop 077"));
        assert!(!seen.advertiser_in_manifest);
        drop(engine);
        script.end().await;
    });
}

#[test]
fn r26_a_pixel_is_found_where_the_ad_account_has_it_and_looked_for_again() {
    play(async {
        let script = Script::with(90, &[], 1, &settings());
        let pixel = "7100000000000000077";
        unconnected(&script, json!({"eventsSource": {"pixelId": pixel}}));
        let add = |account: usize, pixel: Option<&str>| {
            script.does(|w| {
                let now = w.clock.millis();
                let new = NewPixel {
                    advertiser_id: w.accounts[account].advertiser_id.clone(),
                    pixel_id: pixel.map(str::to_owned),
                    ..NewPixel::default()
                };
                w.sandbox.add_pixel(now, &new).unwrap();
            });
        };
        let said = || script.connection()["status"]["eventsSource"].clone();
        // Another account's, and another one of this account.
        add(1, Some(pixel));
        add(0, None);
        script.wait(10).await;
        script.connect(None).await.unwrap();
        script.wait(10).await;
        assert_eq!(said(), json!({"pixelId": pixel, "found": false}));
        assert_eq!(script.reason(), "Verified", "it limits nothing");
        // It is moved to this account: the next check finds it.
        script.does(|w| assert!(w.sandbox.remove_pixel(pixel)));
        add(0, Some(pixel));
        script.wait(3700).await;
        assert_eq!(said(), json!({"pixelId": pixel, "found": true}));
        script.does(|w| assert!(w.sandbox.remove_pixel(pixel)));
        script.wait(3700).await;
        assert_eq!(said(), json!({"pixelId": pixel, "found": false}));
        // A manifest that names none says nothing of one.
        script.does(|w| w.edit(CONNECTION, &ads("main"), json!({"eventsSource": null})));
        script.wait(3700).await;
        assert_eq!(said(), Value::Null);
        script.end().await;
    });
}
