//! The rules that show at the engine's doors, by number. Each unknown of the platform has a test for both answers.

use serde_json::json;
use tiktok_ads_operator::api::RESUME;
use tiktok_ads_operator::sandbox::FaultKind;

use super::api_server::{CAMPAIGN, CONNECTION};
use super::platform::Planned;
use super::script::{Script, ads, play};
use super::specs::{manual, smart_plus};
use super::user::{Outside, caps};

const CREATE: &str = "/campaign/create/";
const STATUS: &str = "/campaign/status/update/";

fn on(name: &str) -> (String, bool) {
    (name.into(), true)
}

fn off(name: &str) -> (String, bool) {
    (name.into(), false)
}

#[test]
fn r01_an_outside_pause_is_respected_until_resumed() {
    play(async {
        let script = Script::start(&[]).await;
        script.does(|w| w.create(CAMPAIGN, &ads("a"), manual(Some("Active"))));
        script.wait(30).await;
        assert_eq!(script.rows(), [on("a")]);
        let id = script.does(|w| w.id_of(CAMPAIGN, &ads("a"))).unwrap();
        script.does(|w| w.outside(&id, Outside::Pause));
        script.wait(300).await;
        assert_eq!(script.rows(), [off("a")]);
        assert_eq!(script.ready("a"), "PausedOutside");
        assert_eq!(script.writes(), ["create", "enable"]);
        script.does(|w| w.annotate(CAMPAIGN, &ads("a"), RESUME, "1"));
        script.wait(30).await;
        assert_eq!(script.rows(), [on("a")]);
        assert_eq!(script.writes(), ["create", "enable", "enable"]);
        script.end().await;
    });
}

#[test]
fn r01_on_while_the_spec_says_paused_is_switched_off_as_often_as_it_takes() {
    play(async {
        let script = Script::start(&[]).await;
        script.does(|w| w.create(CAMPAIGN, &ads("a"), smart_plus(Some("Paused"))));
        script.wait(30).await;
        let id = script.does(|w| w.id_of(CAMPAIGN, &ads("a"))).unwrap();
        for _ in 0..4 {
            script.does(|w| w.outside(&id, Outside::Enable));
            script.wait(70).await;
            assert_eq!(script.rows(), [off("a")]);
        }
        assert_eq!(
            script.writes(),
            ["create", "disable", "disable", "disable", "disable"]
        );
        let warned = script.does(|w| {
            w.api
                .notes
                .iter()
                .filter(|n| n.warning && n.reason == "SwitchedOnOutside")
                .count()
        });
        assert_eq!(warned, 2, "a warning from the third time");
        script.end().await;
    });
}

#[test]
fn r02_an_edit_of_a_running_object_sends_no_status() {
    play(async {
        let script = Script::start(&[]).await;
        script.does(|w| w.create(CAMPAIGN, &ads("a"), manual(Some("Active"))));
        script.wait(30).await;
        script.does(|w| {
            w.edit(
                CAMPAIGN,
                &ads("a"),
                json!({"name": "other", "budget": {"mode": "Daily", "amount": "60"}}),
            );
        });
        script.wait(30).await;
        assert_eq!(script.rows(), [on("other")]);
        assert_eq!(
            script.writes(),
            ["create", "enable", "update"],
            "all fields in one call"
        );
        script.end().await;
    });
}

/// One bad id among five: the others are paused at once, whatever the platform makes of such a call.
fn one_bad_id(knobs: &[(&str, &str)], spec: fn(Option<&str>) -> serde_json::Value) {
    play(async {
        let script = Script::start(knobs).await;
        for name in ["a", "b", "c", "d", "e"] {
            script.does(|w| w.create(CAMPAIGN, &ads(name), spec(Some("Active"))));
        }
        script.wait(60).await;
        assert_eq!(script.rows().len(), 5);
        assert!(script.rows().iter().all(|(_, on)| *on));
        let bad = script.does(|w| w.id_of(CAMPAIGN, &ads("c"))).unwrap();
        script.does(|w| w.outside(&bad, Outside::Delete));
        for name in ["a", "b", "c", "d", "e"] {
            script.does(|w| w.edit(CAMPAIGN, &ads(name), json!({"state": "Paused"})));
        }
        script.wait(5).await;
        assert_eq!(script.rows(), [off("a"), off("b"), off("d"), off("e")]);
        script.wait(120).await;
        assert_eq!(script.ready("c"), "ExternallyDeleted");
        script.end().await;
    });
}

#[test]
fn r05_one_bad_id_never_holds_other_pauses_in_a_call_that_fails_whole() {
    one_bad_id(&[("manual_status_bad_id", "fail")], manual);
    one_bad_id(&[("smart_plus_status_bad_id", "fail")], smart_plus);
}

#[test]
fn r05_one_bad_id_never_holds_other_pauses_in_a_call_that_is_done_in_part() {
    one_bad_id(&[("manual_status_bad_id", "skip")], manual);
    for code in ["20001", "0"] {
        one_bad_id(
            &[
                ("smart_plus_status_bad_id", "partial"),
                ("smart_plus_partial_code", code),
            ],
            smart_plus,
        );
    }
}

#[test]
fn r05_a_pause_whose_answer_is_lost_is_sent_again() {
    play(async {
        let script = Script::start(&[]).await;
        script.does(|w| w.create(CAMPAIGN, &ads("a"), manual(Some("Active"))));
        script.wait(30).await;
        script.plan(
            STATUS,
            &[
                Planned::fault(FaultKind::CutBefore),
                Planned::fault(FaultKind::AnswerLost),
            ],
        );
        script.does(|w| w.edit(CAMPAIGN, &ads("a"), json!({"state": "Paused"})));
        script.wait(30).await;
        assert_eq!(script.rows(), [off("a")]);
        assert_eq!(script.ready("a"), "Paused");
        script.end().await;
    });
}

/// R8 as a table: the mode, and which writes each operation may cause.
#[test]
fn r08_modes_by_operation() {
    // (mode, create, edit, enable, pause, finalizer stays, deletion Pause, deletion Delete)
    let table = [
        ("Enforce", true, true, true, true, true, "disable", "delete"),
        (
            "Suspend", false, false, false, true, true, "disable", "disable",
        ),
        ("Plan", false, false, false, false, false, "", ""),
        ("Observe", false, false, false, false, false, "", ""),
    ];
    for on_connection in [false, true] {
        for (mode, create, edit, enable, pause, finalizer, with_pause, with_delete) in table {
            let set = |script: &Script, name: &str| {
                if on_connection {
                    script.does(|w| w.edit(CONNECTION, &ads("main"), json!({"mode": mode})));
                } else {
                    script.does(|w| w.edit(CAMPAIGN, &ads(name), json!({"mode": mode})));
                }
            };
            let what = format!(
                "mode {mode} on the {}",
                if on_connection {
                    "connection"
                } else {
                    "object"
                }
            );

            play(async {
                let script = Script::start(&[]).await;
                let mut spec = manual(Some("Paused"));
                if on_connection {
                    set(&script, "a");
                } else {
                    spec["mode"] = mode.into();
                }
                script.does(|w| w.create(CAMPAIGN, &ads("a"), spec));
                script.wait(60).await;
                assert_eq!(script.rows().len(), usize::from(create), "{what}: create");
                script.end().await;
            });

            for (change, allowed, said) in [
                (json!({"name": "other"}), edit, "update"),
                (json!({"state": "Active"}), enable, "enable"),
            ] {
                play(async {
                    let script = Script::start(&[]).await;
                    script.does(|w| w.create(CAMPAIGN, &ads("a"), manual(Some("Paused"))));
                    script.wait(30).await;
                    set(&script, "a");
                    script.wait(30).await;
                    script.does(|w| w.edit(CAMPAIGN, &ads("a"), change));
                    script.wait(60).await;
                    let done = script.writes().contains(&said.to_string());
                    assert_eq!(done, allowed, "{what}: {said}");
                    script.end().await;
                });
            }

            for (policy, wanted) in [
                ("none", ""),
                ("Pause", with_pause),
                ("Delete", with_delete),
                ("Retain", ""),
            ] {
                play(async {
                    let script = Script::start(&[]).await;
                    let mut spec = manual(Some("Active"));
                    if policy != "none" {
                        spec["deletionPolicy"] = policy.into();
                    }
                    script.does(|w| w.create(CAMPAIGN, &ads("a"), spec));
                    script.wait(30).await;
                    set(&script, "a");
                    script.wait(30).await;
                    let held = !script.campaign("a").unwrap()["metadata"]["finalizers"].is_null();
                    assert_eq!(held, finalizer, "{what}: finalizer");
                    if policy == "none" {
                        script.does(|w| w.edit(CAMPAIGN, &ads("a"), json!({"state": "Paused"})));
                        script.wait(60).await;
                        let paused = script.writes().contains(&"disable".to_string());
                        assert_eq!(paused, pause, "{what}: pause");
                    } else {
                        script.does(|w| w.delete(CAMPAIGN, &ads("a")));
                        script.wait(90).await;
                        let last = script.writes().pop().unwrap_or_default();
                        let said = if last == "enable" { "" } else { last.as_str() };
                        assert_eq!(said, wanted, "{what}: policy {policy}");
                        let gone = script.campaign("a").is_none();
                        let waits = mode == "Suspend" && policy == "Delete";
                        assert_eq!(gone, !waits, "{what}: policy {policy}");
                        if waits {
                            assert_eq!(script.ready("a"), "DeleteHeld");
                        }
                    }
                    script.end().await;
                });
            }
        }
    }
}

#[test]
fn r09_a_taken_name_is_refused_with_the_line_to_add_and_taken_when_it_is_freed() {
    play(async {
        let script = Script::start(&[]).await;
        let id = script.does(|w| {
            let (now, advertiser) = (w.clock.millis(), w.accounts[0].advertiser_id.clone());
            let fields = serde_json::Map::from_iter([("campaign_name".to_string(), json!("a"))]);
            let tree = tiktok_ads_operator::sandbox::Tree::SmartPlus;
            w.sandbox
                .insert_outside(now, &advertiser, tree, fields)
                .unwrap()
        });
        script.does(|w| w.create(CAMPAIGN, &ads("a"), manual(Some("Active"))));
        script.wait(600).await;
        let (_, reason, message) = script.condition("a", "Ready");
        assert_eq!(reason, "NameTaken");
        assert!(
            message.contains(&format!("externalId: \"{id}\"")),
            "{message}"
        );
        assert_eq!(script.writes(), Vec::<String>::new());
        script.does(|w| w.outside(&id.to_string(), Outside::Delete));
        script.wait(200).await;
        assert_eq!(script.rows(), [on("a")]);
        script.end().await;
    });
}

/// A create whose answer is lost, after or before its effect: one row in the end.
fn lost_create(knobs: &[(&str, &str)], fault: FaultKind, creates: usize) {
    play(async {
        let script = Script::start(knobs).await;
        script.plan(CREATE, &[Planned::fault(fault)]);
        script.does(|w| w.create(CAMPAIGN, &ads("a"), manual(Some("Active"))));
        script.wait(20).await;
        script.wait(400).await;
        assert_eq!(script.rows(), [on("a")], "{knobs:?}");
        let made = script.writes().iter().filter(|w| *w == "create").count();
        assert_eq!(made, creates, "{knobs:?}");
        script.end().await;
    });
}

#[test]
fn r10_a_key_that_made_nothing_is_sent_again_whatever_replays_answer() {
    for replay in ["40050", "40002", "original"] {
        lost_create(&[("request_id_replay", replay)], FaultKind::CutBefore, 2);
    }
}

#[test]
fn r10_a_key_spent_on_a_deleted_campaign_is_replaced_after_a_proven_look() {
    for replay in ["40050", "40002", "original"] {
        for of_deleted in ["as_replay", "create"] {
            play(async {
                let script = Script::start(&[
                    ("request_id_replay", replay),
                    ("request_id_of_deleted", of_deleted),
                ])
                .await;
                let mut spec = manual(Some("Paused"));
                spec["deletionPolicy"] = "Delete".into();
                script.does(|w| w.create(CAMPAIGN, &ads("a"), spec.clone()));
                script.wait(30).await;
                script.does(|w| w.delete(CAMPAIGN, &ads("a")));
                script.wait(60).await;
                assert_eq!(script.rows(), []);
                // The same name again: the same key.
                script.does(|w| w.create(CAMPAIGN, &ads("a"), spec));
                script.wait(600).await;
                assert_eq!(
                    script.rows(),
                    [off("a")],
                    "{replay} {of_deleted}: {}",
                    script.ready("a")
                );
                script.end().await;
            });
        }
    }
}

#[test]
fn r11_a_lost_answer_is_looked_for_and_adopted() {
    lost_create(&[], FaultKind::AnswerLost, 1);
}

#[test]
fn r11_an_effect_that_comes_late_is_found() {
    for listing in ["0", "15"] {
        lost_create(
            &[("listing_lag_seconds", listing)],
            FaultKind::EffectDelay { ms: 40_000 },
            1,
        );
    }
}

#[test]
fn r11_an_effect_later_than_the_proof_makes_no_twin() {
    for replay in ["40050", "40002"] {
        lost_create(
            &[("request_id_replay", replay)],
            FaultKind::EffectDelay { ms: 200_000 },
            2,
        );
    }
}

#[test]
fn r11_nothing_is_sent_again_before_two_spaced_looks() {
    play(async {
        let script = Script::start(&[]).await;
        script.plan(CREATE, &[Planned::fault(FaultKind::CutBefore)]);
        script.does(|w| w.create(CAMPAIGN, &ads("a"), manual(Some("Active"))));
        script.wait(78).await;
        assert_eq!(
            script.writes().len(),
            1,
            "60 s after the deadline of 20 s at the earliest"
        );
        assert_eq!(script.ready("a"), "CreateUnclear");
        script.wait(60).await;
        assert_eq!(script.rows(), [on("a")]);
        script.end().await;
    });
}

#[test]
fn r16_budget_drift_is_corrected_or_reported() {
    for (policy, budget) in [("Correct", 50.0), ("Report", 77.0)] {
        play(async {
            let script = Script::start(&[]).await;
            let mut spec = manual(Some("Paused"));
            spec["drift"] = json!({"budget": policy});
            script.does(|w| w.create(CAMPAIGN, &ads("a"), spec));
            script.wait(30).await;
            let id = script.does(|w| w.id_of(CAMPAIGN, &ads("a"))).unwrap();
            script.does(|w| w.outside(&id, Outside::Set("budget", json!(77))));
            script.wait(120).await;
            let have = script.does(|w| w.row(&id).unwrap().budget());
            assert_eq!(have, budget, "{policy}");
            let drifted = script.condition("a", "Drifted").0;
            assert_eq!(drifted == "True", policy == "Report", "{policy}");
            script.end().await;
        });
    }
}

#[test]
fn r16_after_three_corrections_that_do_not_hold_it_stops_and_says_so() {
    play(async {
        let script = Script::start(&[]).await;
        script.does(|w| w.create(CAMPAIGN, &ads("a"), manual(Some("Paused"))));
        script.wait(30).await;
        let id = script.does(|w| w.id_of(CAMPAIGN, &ads("a"))).unwrap();
        for _ in 0..6 {
            script.does(|w| w.outside(&id, Outside::Set("budget", json!(77))));
            script.wait(70).await;
        }
        assert_eq!(script.ready("a"), "NotConverging");
        let updates = script.writes().iter().filter(|w| *w == "update").count();
        assert_eq!(updates, 3);
        script.end().await;
    });
}

#[test]
fn r20_without_a_ceiling_it_is_created_and_never_enabled() {
    play(async {
        let script = Script::bare(&[]);
        script.does(|w| w.set_up(0, None));
        script.does(|w| w.create(CAMPAIGN, &ads("a"), manual(Some("Active"))));
        script.wait(120).await;
        assert_eq!(script.rows(), [off("a")]);
        assert_eq!(script.ready("a"), "NoBudgetCeiling");
        script.does(|w| {
            w.edit(
                CONNECTION,
                &ads("main"),
                json!({"caps": caps(Some(1000), None)}),
            )
        });
        script.wait(30).await;
        assert_eq!(script.rows(), [on("a")]);
        script.does(|w| w.edit(CONNECTION, &ads("main"), json!({"caps": null})));
        script.wait(30).await;
        assert_eq!(
            script.rows(),
            [off("a")],
            "a ceiling that goes switches off what runs"
        );
        script.end().await;
    });
}

#[test]
fn r20_the_total_is_never_passed_by_a_burst() {
    play(async {
        let script = Script::bare(&[]);
        script.does(|w| {
            w.checks.totals = true;
            w.set_up(0, Some(caps(None, Some(170))));
        });
        for name in ["a", "b", "c", "d", "e", "f"] {
            script.does(|w| w.create(CAMPAIGN, &ads(name), manual(Some("Active"))));
        }
        script.wait(300).await;
        let running = script.rows().iter().filter(|(_, on)| *on).count();
        assert_eq!(running, 3, "three times 50 fit into 170");
        script.end().await;
    });
}

#[test]
fn r32_a_deletion_waits_for_an_unclear_create() {
    for (fault, rows) in [
        (FaultKind::EffectDelay { ms: 40_000 }, 1),
        (FaultKind::CutBefore, 0),
    ] {
        play(async {
            let script = Script::start(&[]).await;
            script.plan(CREATE, &[Planned::fault(fault.clone())]);
            script.does(|w| w.create(CAMPAIGN, &ads("a"), manual(Some("Active"))));
            script.wait(10).await;
            script.does(|w| w.delete(CAMPAIGN, &ads("a")));
            script.wait(15).await;
            assert!(script.campaign("a").is_some(), "the finalizer stays");
            script.wait(300).await;
            assert!(script.campaign("a").is_none(), "settled");
            assert_eq!(script.rows().len(), rows);
            assert!(script.rows().iter().all(|(_, on)| !on));
            script.end().await;
        });
    }
}

#[test]
fn r32_a_finalizer_that_was_taken_is_put_back() {
    play(async {
        let script = Script::start(&[]).await;
        script.does(|w| w.create(CAMPAIGN, &ads("a"), manual(Some("Active"))));
        script.wait(30).await;
        script.does(|w| {
            let mut object = w.api.get(CAMPAIGN, &ads("a")).cloned().unwrap();
            let meta = &object["metadata"];
            let patch = tiktok_ads_operator::engine::doors::MetaPatch {
                uid: meta["uid"].as_str().unwrap().into(),
                resource_version: meta["resourceVersion"].as_str().unwrap().into(),
                finalizers: Some(Vec::new()),
                annotations: Default::default(),
            };
            let now = w.now();
            object = w.api.patch_meta(CAMPAIGN, &ads("a"), &patch, now).unwrap();
            assert!(object["metadata"]["finalizers"].is_null());
            w.publish();
        });
        script.wait(10).await;
        assert!(!script.campaign("a").unwrap()["metadata"]["finalizers"].is_null());
        script.end().await;
    });
}

#[test]
fn r20_a_reported_budget_above_the_ceiling_is_switched_off_once() {
    play(async {
        let script = Script::start(&[]).await;
        script.does(|w| w.create(CAMPAIGN, &ads("a"), manual(Some("Active"))));
        script.wait(30).await;
        let caps = json!({ "caps": caps(Some(60), None) });
        script.does(|w| w.edit(CONNECTION, &ads("main"), caps));
        let drift = json!({
            "drift": {"budget": "Report", "state": "Enforce"},
            "budget": {"mode": "Daily", "amount": "89"},
        });
        script.does(|w| w.edit(CAMPAIGN, &ads("a"), drift));
        script.wait(600).await;
        assert_eq!(script.writes(), ["create", "enable", "disable"]);
        script.end().await;
    });
}

/// Nobody can tell whose the campaign is, so it is not written to; that it runs on must not be silent.
#[test]
fn r22_what_is_deleted_without_its_record_is_let_go_with_a_warning() {
    play(async {
        let script = Script::start(&[]).await;
        script.does(|w| w.create(CAMPAIGN, &ads("a"), manual(Some("Active"))));
        script.wait(30).await;
        let id = script.does(|w| w.id_of(CAMPAIGN, &ads("a"))).unwrap();
        script.does(|w| {
            w.restore(CAMPAIGN, &ads("a"), (true, false, true));
            w.delete(CAMPAIGN, &ads("a"));
        });
        script.wait(60).await;
        assert!(script.campaign("a").is_none());
        assert_eq!(script.writes(), ["create", "enable"]);
        let said = script.does(|w| {
            let notes = w
                .api
                .notes
                .iter()
                .filter(|n| n.warning && n.reason == "Released");
            notes.map(|n| n.message.clone()).collect::<Vec<_>>()
        });
        assert!(
            said.len() == 1 && said[0].contains(&id) && said[0].contains("may still be on"),
            "{said:?}"
        );
        script.end().await;
    });
}

/// A look-up that came too early for what was written is asked again at a known time: nobody has to find that out.
#[test]
fn r16_a_look_up_that_waits_for_a_write_to_settle_is_no_missed_work() {
    play(async {
        let script = Script::start(&[("lookup_lag_seconds", "8"), ("edit_lag_seconds", "8")]).await;
        script.does(|w| w.create(CAMPAIGN, &ads("a"), smart_plus(Some("Active"))));
        script.wait(60).await;
        let budget = json!({"budget": {"mode": "DynamicDaily", "amount": "83"}});
        script.does(|w| w.edit(CAMPAIGN, &ads("a"), budget));
        let mut reads_back = 0;
        for _ in 0..30 {
            script.wait(1).await;
            reads_back += u32::from(script.ready("a") == "ReadingBack");
            assert_eq!(script.sim.force_resync(), Some(0));
        }
        assert!(reads_back > 5, "{reads_back}");
        assert_eq!(script.ready("a"), "InSync");
        script.end().await;
    });
}
