//! What objects do when what they are in is deleted, missing or made anew.

use serde_json::json;

use super::api_server::{AD, AD_GROUP, CAMPAIGN};
use super::script::{Script, ads, play};
use super::specs::{Money, ad, ad_group, campaign, smart_plus};
use super::user::Outside;

const AD_CREATES: [&str; 2] = ["/ad/create/", "/smart_plus/ad/create/"];

/// Every answer of the knobs that say how something shows that went with its campaign.
fn however_it_shows() -> Vec<Vec<(&'static str, &'static str)>> {
    let mut all = Vec::new();
    for status in ["shown", "omitted"] {
        for operation in ["DELETE", "DISABLE", "last"] {
            for by_id in ["shown", "hidden"] {
                all.push(vec![
                    ("secondary_status", status),
                    ("deleted_operation_status", operation),
                    ("deleted_by_id", by_id),
                ]);
            }
        }
    }
    all
}

/// Does the row of a deleted campaign say so, or its absence from a look-up?
fn told_by_its_row(knobs: &[(&str, &str)]) -> bool {
    let says = |of: &str, what: &str| knobs.contains(&(of, what));
    says("secondary_status", "shown") || says("deleted_operation_status", "DELETE")
}

/// A paused campaign `c` with the ad group `g` in it.
fn pair(script: &Script, tree: &str) {
    script.does(|w| {
        w.create(
            CAMPAIGN,
            &ads("c"),
            campaign(tree, Money::Below, Some("Paused")),
        );
        let group = ad_group("c", tree, Money::Below, Some("Active"));
        w.create(AD_GROUP, &ads("g"), group);
    });
}

/// How many calls asked for an ad to be made.
fn ads_asked_for(script: &Script) -> usize {
    script.does(|w| {
        let all = w.sandbox.requests(Default::default());
        all.filter(|entry| AD_CREATES.iter().any(|path| entry.path.ends_with(path)))
            .count()
    })
}

/// The campaign's object may be another incarnation by now: what the ad group is in is what TikTok says that it is in.
#[test]
fn r22_nothing_is_made_in_what_went_with_an_earlier_campaign() {
    for tree in ["Manual", "SmartPlus"] {
        for knobs in however_it_shows() {
            play(async {
                let script = Script::start(&knobs).await;
                pair(&script, tree);
                script.wait(60).await;
                assert_eq!(script.ready_of(AD_GROUP, "g"), "InSync", "{knobs:?}");
                let campaign = script.does(|w| w.id_of(CAMPAIGN, &ads("c"))).unwrap();
                script.does(|w| w.outside(&campaign, Outside::Delete));
                script.wait(300).await;
                assert_eq!(script.ready_of(AD_GROUP, "g"), "ExternallyDeleted");
                script.does(|w| w.edit(CAMPAIGN, &ads("c"), json!({"incarnation": 1})));
                script.wait(60).await;
                assert_eq!(script.ready("c"), "Paused", "{tree} {knobs:?}");
                script.does(|w| w.create(AD, &ads("a"), ad("g", tree, Some("Active"))));
                script.wait(600).await;
                assert_eq!(
                    script.ready_of(AD, "a"),
                    "WaitingForParent",
                    "{tree} {knobs:?}"
                );
                assert_eq!(ads_asked_for(&script), 0, "{tree} {knobs:?}");
                script.does(|w| w.edit(AD_GROUP, &ads("g"), json!({"incarnation": 1})));
                script.wait(120).await;
                assert_eq!(script.ready_of(AD_GROUP, "g"), "InSync", "{tree} {knobs:?}");
                assert_eq!(script.ready_of(AD, "a"), "InSync", "{tree} {knobs:?}");
                script.end().await;
            });
        }
    }
}

/// A create that TikTok refuses because of what it would be in says so before any list does.
#[test]
fn r22_a_create_refused_for_what_it_is_in_has_that_looked_up_at_once() {
    for tree in ["Manual", "SmartPlus"] {
        for knobs in however_it_shows() {
            play(async {
                let script = Script::start(&knobs).await;
                pair(&script, tree);
                script.wait(60).await;
                let campaign = script.does(|w| w.id_of(CAMPAIGN, &ads("c"))).unwrap();
                script.does(|w| {
                    w.outside(&campaign, Outside::Delete);
                    w.create(AD, &ads("a"), ad("g", tree, Some("Active")));
                });
                // What shows nothing of it is told by lists that have not shown it for a while.
                let told = told_by_its_row(&knobs);
                script.wait(if told { 20 } else { 600 }).await;
                let reasons = [(CAMPAIGN, "c"), (AD_GROUP, "g"), (AD, "a")]
                    .map(|(kind, name)| script.ready_of(kind, name));
                assert_eq!(
                    reasons,
                    ["ExternallyDeleted", "ExternallyDeleted", "WaitingForParent"],
                    "{tree} {knobs:?}"
                );
                let asked = ads_asked_for(&script);
                assert!(
                    asked == 1 || (!told && asked < 10),
                    "{asked} {tree} {knobs:?}"
                );
                script.end().await;
            });
        }
    }
}

/// While what it is in is missing, nothing can be taken up again; until then only the status says what it was.
#[test]
fn r10_a_lost_record_makes_no_twin_of_what_waits_for_its_parent() {
    play(async {
        let script = Script::start(&[]).await;
        let mut spec = smart_plus(Some("Paused"));
        spec["deletionPolicy"] = "Retain".into();
        script.does(|w| {
            w.create(CAMPAIGN, &ads("c"), spec.clone());
            let group = ad_group("c", "SmartPlus", Money::Spread, Some("Active"));
            w.create(AD_GROUP, &ads("g"), group);
        });
        script.wait(60).await;
        let id = script.does(|w| w.id_of(AD_GROUP, &ads("g"))).unwrap();
        script.does(|w| w.delete(CAMPAIGN, &ads("c")));
        script.wait(30).await;
        assert!(script.campaign("c").is_none());
        script.does(|w| w.replace(AD_GROUP, &ads("g")));
        script.wait(30).await;
        assert_eq!(script.ready_of(AD_GROUP, "g"), "ParentMissing");
        spec["name"] = "another".into();
        script.does(|w| w.create(CAMPAIGN, &ads("c"), spec));
        script.wait(300).await;
        assert_eq!(script.ready_of(AD_GROUP, "g"), "ParentMismatch");
        let made = script.does(|w| {
            let advertiser = w.accounts[0].advertiser_id.clone();
            w.rows_of(AD_GROUP, &advertiser).count()
        });
        assert_eq!(made, 1);
        script.does(|w| w.outside(&id, Outside::Delete));
        script.does(|w| w.edit(AD_GROUP, &ads("g"), json!({"incarnation": 1})));
        script.wait(300).await;
        assert_eq!(script.ready_of(AD_GROUP, "g"), "InSync");
        script.end().await;
    });
}

/// A process that has never seen the campaign cannot tell from the rows below it that they are gone: only lists that do
/// not show them any more can. What TikTok refuses again and again must not keep it from noticing.
#[test]
fn r22_what_went_with_a_campaign_is_not_sent_for_ever_by_a_process_that_did_not_see_it_go() {
    play(async {
        let script = Script::start(&[
            ("secondary_status", "omitted"),
            ("deleted_operation_status", "DELETE"),
            ("deleted_by_id", "shown"),
        ])
        .await;
        let mut spec = smart_plus(Some("Active"));
        spec["deletionPolicy"] = "Delete".into();
        script.does(|w| {
            w.create(CAMPAIGN, &ads("c"), spec);
            let group = ad_group("c", "SmartPlus", Money::Spread, Some("Active"));
            w.create(AD_GROUP, &ads("g"), group);
            w.create(AD, &ads("a"), ad("g", "SmartPlus", Some("Active")));
        });
        script.wait(120).await;
        assert_eq!(script.ready_of(AD, "a"), "InSync");
        script.does(|w| w.delete(CAMPAIGN, &ads("c")));
        script.wait(60).await;
        assert!(script.campaign("c").is_none());
        let process = script.does(|w| w.slots[0].process);
        script.sim.kill(0, process, "between two calls");
        script.does(|w| w.edit(AD, &ads("a"), json!({"name": "other"})));
        script.wait(900).await;
        assert_eq!(script.ready_of(AD, "a"), "ExternallyDeleted");
        script.end().await;
    });
}
