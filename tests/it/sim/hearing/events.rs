//! What an event leads to.

use serde_json::{Value, json};
use tiktok_ads_operator::engine::webhooks::Taken;

use super::super::api_server::{AD, AD_GROUP, CAMPAIGN, CONNECTION};
use super::super::script::play;
use super::{Ear, Signed, ads};

#[test]
fn r23_an_event_is_one_look_up_whatever_it_claims_and_no_write() {
    for tree in ["Manual", "SmartPlus"] {
        play(async {
            let ear = Ear::new().await;
            let ids = ear.ads(tree, 2).await;
            let group = ear.script.does(|w| w.id_of(AD_GROUP, &ads("g"))).unwrap();
            let list = if tree == "Manual" { "" } else { "/smart_plus" };
            ear.calm().await;
            // The connection notes that something can be believed.
            ear.hears(json!({"object": 1, "time": ear.now(), "entry": []}))
                .await;
            ear.script.wait(1).await;
            ear.calm().await;
            let (asked, writes) = (ear.asked_so_far(), ear.writes());
            let entry = ear.ad_entry(&ids[0]);
            assert_eq!(ear.hears(ear.about(3, &[entry])).await, Taken::Queued);
            ear.script.wait(4).await;
            let looked = vec![(format!("{list}/ad/get/"), vec![ids[0].clone()])];
            assert_eq!(ear.asked(asked), looked);
            ear.calm().await;
            let asked = ear.asked_so_far();
            let entry = json!({"adv_id": ear.advertiser, "adgroup_id": group, "reject_reason": ""});
            assert_eq!(ear.hears(ear.about(2, &[entry])).await, Taken::Queued);
            ear.script.wait(4).await;
            let looked = vec![(format!("{list}/adgroup/get/"), vec![group])];
            assert_eq!(ear.asked(asked), looked);
            assert_eq!(ear.writes(), writes, "nothing changed, nothing is written");
            ear.script.end().await;
        });
    }
}

#[test]
fn r23_what_came_before_is_old_foreign_or_unknown_leads_to_nothing() {
    play(async {
        let ear = Ear::new().await;
        let ids = ear.ads("Manual", 1).await;
        let other = ear.script.does(|w| w.accounts[1].advertiser_id.clone());
        ear.calm().await;
        let entry = ear.ad_entry(&ids[0]);
        let message = ear.about(3, std::slice::from_ref(&entry));
        assert_eq!(ear.hears(message.clone()).await, Taken::Queued);
        ear.script.wait(4).await;
        ear.calm().await;
        let (asked, writes) = (ear.asked_so_far(), ear.writes());
        // It came before.
        for _ in 0..3 {
            assert_eq!(ear.hears(message.clone()).await, Taken::Queued);
        }
        // It is old, or from a time to come.
        for hours in [-73, 73] {
            let mut old = ear.about(3, std::slice::from_ref(&entry));
            old["time"] = json!(ear.now() + hours * 3600);
            assert_eq!(ear.hears(old).await, Taken::Queued);
        }
        // Its signature is old.
        let body = ear.about(3, std::slice::from_ref(&entry)).to_string();
        let secret = ear.secret.clone();
        for ago in [301, -301] {
            let taken = ear.send(body.as_bytes(), Signed::Timed(&secret, ago)).await;
            assert_eq!(taken, Taken::Queued);
        }
        // It is about another account, or about nothing of ours.
        let mut foreign = entry.clone();
        foreign["adv_id"] = json!(other);
        assert_eq!(ear.hears(ear.about(3, &[foreign])).await, Taken::Queued);
        let status = json!({"advertiser_id": other, "status": "STATUS_LIMIT", "status_change_time": ear.now()});
        assert_eq!(ear.hears(status).await, Taken::Queued);
        let unknown = ear.ad_entry("1849999999999999999");
        assert_eq!(ear.hears(ear.about(3, &[unknown])).await, Taken::Queued);
        for object in [1, 8, 10, 11, 14, 99] {
            assert_eq!(
                ear.hears(ear.about(object, std::slice::from_ref(&entry)))
                    .await,
                Taken::Queued
            );
        }
        // Signed, and not to be read.
        for body in ["", "[]", "{", "null", "7", "{\"object\":3,\"entry\":7}"] {
            let taken = ear.send(body.as_bytes(), Signed::Raw(&secret)).await;
            assert_eq!(taken, Taken::Queued, "{body}");
        }
        ear.script.wait(10).await;
        assert_eq!(ear.asked(asked), []);
        assert_eq!(ear.writes(), writes);
        let text = ear.engine().metrics_text();
        for line in [
            "tiktokads_webhooks_total{result=\"duplicate\"} 3",
            "tiktokads_webhooks_total{result=\"old\"} 4",
            "tiktokads_webhook_events_total{result=\"foreign\"} 2",
            "tiktokads_webhook_events_total{result=\"unknown\"} 1",
        ] {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
        ear.script.end().await;
    });
}

#[test]
fn r23_a_thousand_entries_share_their_look_ups() {
    play(async {
        let ear = Ear::new().await;
        let ids = ear.ads("Manual", 300).await;
        ear.calm().await;
        // Ids beyond 2^53 as numbers, each of ours twice, and as many that nobody has.
        let mut entries: Vec<Value> = ids.iter().chain(&ids).map(|id| ear.ad_entry(id)).collect();
        entries.extend((0..400u64).map(|n| ear.ad_entry(&(9_007_199_254_740_993 + n).to_string())));
        assert_eq!(entries.len(), 1000);
        let asked = ear.asked_so_far();
        assert_eq!(ear.hears(ear.about(3, &entries)).await, Taken::Queued);
        ear.script.wait(8).await;
        let calls = ear.asked(asked);
        assert!(
            calls
                .iter()
                .all(|(path, ids)| path == "/ad/get/" && ids.len() <= 100),
            "{calls:?}"
        );
        assert!(calls.len() <= 4, "{} calls for 300 ads", calls.len());
        let mut named: Vec<String> = calls.into_iter().flat_map(|(_, ids)| ids).collect();
        named.sort();
        let mut expected = ids.clone();
        expected.sort();
        assert_eq!(named, expected);
        // One entry more than TikTok ever sends.
        entries.push(ear.ad_entry(&ids[0]));
        let asked = ear.asked_so_far();
        assert_eq!(ear.hears(ear.about(3, &entries)).await, Taken::Queued);
        ear.script.wait(4).await;
        assert_eq!(ear.asked(asked), []);
        ear.script.end().await;
    });
}

#[test]
fn r23_a_rejection_shows_its_reasons_at_once_and_once_as_an_event() {
    for tree in ["Manual", "SmartPlus"] {
        play(async {
            let ear = Ear::new().await;
            let ids = ear.ads(tree, 3).await;
            ear.calm().await;
            let notes = ear.script.does(|w| w.api.notes.len());
            ear.script.does(|w| {
                let now = w.clock.millis();
                w.sandbox.reject(now, &ids[1], None).unwrap();
            });
            let entry = ear.ad_entry(&ids[1]);
            assert_eq!(ear.hears(ear.about(3, &[entry])).await, Taken::Queued);
            ear.script.wait(4).await;
            let object = ear.object(AD, "a1");
            let reasons = object["status"]["review"]["reasons"].as_array().cloned();
            assert!(reasons.is_some_and(|r| !r.is_empty()), "{object:#}");
            assert_eq!(ear.condition(AD, "a1", "Approved")["status"], "False");
            ear.script.wait(120).await;
            let told = ear.script.does(|w| {
                let new = w.api.notes[notes..].iter();
                new.filter(|n| n.about == ads("a1") && n.warning)
                    .cloned()
                    .collect::<Vec<_>>()
            });
            assert!(
                told.iter().any(|n| n.message.contains("TikTok refuses it")),
                "{told:?}"
            );
            assert!(told.len() <= 2, "{told:?}");
            ear.script.end().await;
        });
    }
}

/// An ad that is off shows that it is, and not what became of its review.
#[test]
fn r23_a_rejection_of_an_ad_that_is_off_shows_although_its_row_hides_it() {
    for (tree, kind, name) in [
        ("Manual", AD, "a1"),
        ("Manual", AD_GROUP, "g"),
        ("Manual", CAMPAIGN, "c"),
        ("SmartPlus", AD, "a1"),
        ("SmartPlus", CAMPAIGN, "c"),
    ] {
        play(async {
            let ear = Ear::new().await;
            let ids = ear.ads(tree, 2).await;
            let paused = json!({"state": "Paused"});
            ear.script.does(|w| w.edit(kind, &ads(name), paused));
            ear.script.wait(200).await;
            assert_eq!(ear.condition(AD, "a1", "Approved")["status"], "True");
            ear.script.does(|w| {
                let now = w.clock.millis();
                w.sandbox.reject(now, &ids[1], None).unwrap();
            });
            let entry = ear.ad_entry(&ids[1]);
            assert_eq!(ear.hears(ear.about(3, &[entry])).await, Taken::Queued);
            ear.script.wait(10).await;
            let approved = ear.condition(AD, "a1", "Approved");
            assert_eq!(approved["status"], "False", "{tree} {kind}");
            let object = ear.object(AD, "a1");
            let reasons = object["status"]["review"]["reasons"].as_array().cloned();
            assert!(reasons.is_some_and(|r| !r.is_empty()), "{object:#}");
            ear.script.end().await;
        });
    }
}

#[test]
fn r23_a_smart_plus_ad_is_found_by_one_of_its_creatives() {
    play(async {
        let ear = Ear::new().await;
        let ids = ear.ads("SmartPlus", 2).await;
        let creative = ear.script.does(|w| {
            let ad = w.row(&ids[1]).unwrap();
            let first = &ad.fields["creative_list"][0]["smart_plus_creative_id"];
            first.as_str().unwrap().to_string()
        });
        ear.calm().await;
        let asked = ear.asked_so_far();
        let entry = ear.ad_entry(&creative);
        assert_eq!(ear.hears(ear.about(3, &[entry])).await, Taken::Queued);
        ear.script.wait(4).await;
        let looked = vec![("/smart_plus/ad/get/".to_string(), vec![ids[1].clone()])];
        assert_eq!(ear.asked(asked), looked);
        ear.script.end().await;
    });
}

#[test]
fn r23_an_event_right_after_our_own_write_does_not_undo_what_it_taught() {
    play(async {
        let ear = Ear::new().await;
        let ids = ear.ads("Manual", 1).await;
        ear.script
            .does(|w| w.edit(AD, &ads("a0"), json!({"state": "Paused"})));
        ear.script.wait(60).await;
        // From here on lists are late: what is written shows after seven seconds.
        ear.script.does(|w| {
            w.sandbox.set_knob(None, "edit_lag_seconds", "7").unwrap();
        });
        ear.script
            .does(|w| w.edit(AD, &ads("a0"), json!({"state": "Active"})));
        for _ in 0..8 {
            ear.script.wait(1).await;
            let entry = ear.ad_entry(&ids[0]);
            ear.hears(ear.about(3, &[entry])).await;
            let ready = ear.condition(AD, "a0", "Ready")["reason"].clone();
            assert_ne!(ready, "PausedOutside");
        }
        ear.script.wait(60).await;
        assert_eq!(ear.condition(AD, "a0", "Ready")["reason"], "InSync");
        assert!(ear.script.does(|w| w.row(&ids[0]).unwrap().is_on()));
        ear.script.end().await;
    });
}

#[test]
fn r23_an_account_event_asks_about_the_account_at_once() {
    play(async {
        let ear = Ear::new().await;
        ear.calm_without_objects().await;
        let status = |ear: &Ear, status: &str| {
            json!({
                "advertiser_id": ear.advertiser, "advertiser_name": "N", "status": status,
                "status_change_time": ear.now(), "suspension_reason": "R", "time": ear.now(),
            })
        };
        // Whatever it claims: what the account is, is asked.
        assert_eq!(ear.hears(status(&ear, "STATUS_LIMIT")).await, Taken::Queued);
        ear.script.wait(3).await;
        assert_eq!(
            ear.condition(CONNECTION, "main", "Ready")["reason"],
            "Verified"
        );
        for (now, reason) in [
            ("STATUS_LIMIT", "AccountRestricted"),
            ("STATUS_ENABLE", "Verified"),
        ] {
            ear.script.does(|w| {
                let id = w.accounts[0].advertiser_id.clone();
                let at = w.clock.millis();
                w.sandbox
                    .set_account_status(at, &id, now, "1:It is so.")
                    .unwrap();
            });
            ear.script.wait(10).await;
            assert_eq!(ear.hears(status(&ear, "STATUS_ODD")).await, Taken::Queued);
            ear.script.wait(3).await;
            assert_eq!(ear.condition(CONNECTION, "main", "Ready")["reason"], reason);
        }
        ear.script.end().await;
    });
}

impl Ear {
    /// Nothing is swept where there is nothing.
    async fn calm_without_objects(&self) {
        self.script.wait(30).await;
    }
}
