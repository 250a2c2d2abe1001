//! What is told of everything that costs money: plans that would switch something off, holds, adoptions, budgets, and an
//! event for each thing that was done.

use serde_json::{Map, Value, json};
use tiktok_ads_operator::engine::settings::Settings;
use tiktok_ads_operator::sandbox::{FaultKind, Tree};

use super::api_server::{CAMPAIGN, CONNECTION};
use super::platform::Planned;
use super::script::{Script, ads, play};
use super::specs::manual;
use super::user::{Outside, caps};

/// Events about a campaign, oldest first: warning or not, reason, message. What was let go and has to be looked at is told at
/// its connection.
fn events(script: &Script, name: &str) -> Vec<(bool, String, String)> {
    script.does(|w| {
        let of = format!("Campaign ads/{name} ");
        let about = w.api.notes.iter().filter(|n| {
            let told = n.about == ads("main") && n.reason == "Released";
            n.about == ads(name) || (told && n.message.starts_with(&of))
        });
        about
            .map(|n| (n.warning, n.reason.clone(), n.message.clone()))
            .collect()
    })
}

fn reasons(script: &Script, name: &str) -> Vec<String> {
    let all = events(script, name);
    all.into_iter().map(|(_, reason, _)| reason).collect()
}

fn event(script: &Script, name: &str, reason: &str) -> (bool, String) {
    let found: Vec<_> = events(script, name)
        .into_iter()
        .filter(|(_, of, _)| of == reason)
        .collect();
    match found.as_slice() {
        [(warning, _, message)] => (*warning, message.clone()),
        other => panic!("{reason}: {other:?} of {:?}", events(script, name)),
    }
}

/// A campaign that somebody made in Ads Manager: 50 a day.
fn theirs(script: &Script, name: &str, on: bool) -> String {
    let id = script.does(|w| {
        let (now, advertiser) = (w.clock.millis(), w.accounts[0].advertiser_id.clone());
        let fields = Map::from_iter([
            ("campaign_name".to_string(), json!(name)),
            ("budget_mode".to_string(), json!("BUDGET_MODE_DAY")),
        ]);
        w.sandbox
            .insert_outside(now, &advertiser, Tree::Manual, fields)
            .unwrap()
            .to_string()
    });
    if on {
        script.does(|w| w.outside(&id, Outside::Enable));
    }
    id
}

fn adopting(id: &str, state: &str) -> Value {
    let mut spec = manual(Some(state));
    spec["externalId"] = id.into();
    spec
}

fn set_caps(script: &Script, caps: Value) {
    script.does(|w| w.edit(CONNECTION, &ads("main"), json!({ "caps": caps })));
}

#[test]
fn r20_a_plan_says_that_it_would_switch_off_what_is_on() {
    for mode in ["Plan", "Observe"] {
        play(async {
            let script = Script::bare(&[]);
            script.does(|w| w.set_up(0, None));
            let id = theirs(&script, "a", true);
            let mut spec = adopting(&id, "Active");
            spec["mode"] = mode.into();
            script.does(|w| w.create(CAMPAIGN, &ads("a"), spec));
            script.wait(60).await;
            let (status, reason, message) = script.condition("a", "Ready");
            assert_eq!((status.as_str(), reason.as_str()), ("False", "WouldPause"));
            let start = format!(
                "mode {mode} writes nothing; in mode Enforce this campaign, which is on, would be switched off: no \
                 ceiling on budgets is set"
            );
            assert!(message.starts_with(&start), "{message}");
            let held = script.condition("a", "Held");
            assert_eq!(
                (held.0.as_str(), held.1.as_str()),
                ("True", "NoBudgetCeiling")
            );
            assert!(event(&script, "a", "WouldPause").0, "a warning");

            // Above the ceiling for one object it would be switched off as well, whatever else would be set.
            set_caps(&script, caps(Some(40), None));
            script.does(|w| {
                w.edit(
                    CAMPAIGN,
                    &ads("a"),
                    json!({"budget": {"mode": "Daily", "amount": "60"}}),
                )
            });
            script.wait(60).await;
            let (_, reason, message) = script.condition("a", "Ready");
            assert_eq!(reason, "WouldPause");
            assert!(message.contains("maxDailyBudgetPerObject"), "{message}");
            assert_eq!(script.condition("a", "Held").1, "CeilingReached");

            // Within the ceiling the plan is to set the budget, and once that is said as it is, nothing is to do.
            set_caps(&script, caps(Some(100), None));
            script.wait(60).await;
            let (_, reason, message) = script.condition("a", "Ready");
            assert_eq!(reason, "WouldUpdate");
            assert!(message.contains("budget.amount"), "{message}");
            assert_eq!(script.condition("a", "Held").0, "");
            script.does(|w| {
                w.edit(
                    CAMPAIGN,
                    &ads("a"),
                    json!({"budget": {"mode": "Daily", "amount": "50"}}),
                )
            });
            script.wait(60).await;
            let (status, reason, message) = script.condition("a", "Ready");
            assert_eq!((status.as_str(), reason.as_str()), ("True", "Observed"));
            assert!(message.contains("on, as the manifest says"), "{message}");
            assert_eq!(script.writes(), Vec::<String>::new());

            // What was said comes true.
            set_caps(&script, Value::Null);
            script.wait(30).await;
            assert_eq!(script.ready("a"), "WouldPause");
            script.does(|w| w.edit(CAMPAIGN, &ads("a"), json!({"mode": null})));
            script.wait(30).await;
            assert_eq!(script.rows(), [("a".to_string(), false)]);
            script.end().await;
        });
    }
}

#[test]
fn r20_a_plan_says_that_what_is_off_would_stay_off() {
    play(async {
        let script = Script::start(&[]).await;
        set_caps(&script, caps(Some(40), None));
        let id = theirs(&script, "a", false);
        let mut spec = adopting(&id, "Active");
        spec["mode"] = "Plan".into();
        script.does(|w| w.create(CAMPAIGN, &ads("a"), spec));
        script.wait(60).await;
        let (status, reason, message) = script.condition("a", "Ready");
        assert_eq!(
            (status.as_str(), reason.as_str()),
            ("False", "CeilingReached")
        );
        assert!(message.contains("would stay off"), "{message}");
        assert_eq!(script.condition("a", "Held").1, "CeilingReached");
        set_caps(&script, caps(Some(100), None));
        script.wait(30).await;
        let (_, reason, message) = script.condition("a", "Ready");
        assert_eq!(reason, "WouldUpdate");
        assert!(
            message.contains("the campaign would be switched on (50 USD a day)"),
            "{message}"
        );
        assert_eq!(script.condition("a", "Held").0, "");
        // The total depends on what else is on.
        let other = theirs(&script, "b", true);
        set_caps(&script, caps(None, Some(60)));
        script.wait(70).await;
        let (_, reason, message) = script.condition("a", "Ready");
        assert_eq!(reason, "CeilingReached", "{other}: {message}");
        assert_eq!(script.writes(), Vec::<String>::new());
        script.end().await;
    });
}

#[test]
fn r20_what_the_operator_switched_off_is_told_as_its_own_doing() {
    play(async {
        let script = Script::start(&[]).await;
        script.does(|w| w.create(CAMPAIGN, &ads("a"), manual(Some("Active"))));
        script.wait(60).await;
        set_caps(&script, Value::Null);
        script.wait(60).await;
        let told = "the operator switched this campaign off: no ceiling on budgets is set; ";
        let again = "; then it is switched on again by itself";
        for when in ["at once", "after a restart"] {
            let (status, reason, message) = script.condition("a", "Ready");
            assert_eq!(
                (status.as_str(), reason.as_str()),
                ("False", "NoBudgetCeiling"),
                "{when}"
            );
            assert!(
                message.starts_with(told) && message.ends_with(again),
                "{when}: {message}"
            );
            assert_eq!(script.condition("a", "Held").1, "NoBudgetCeiling");
            let drifted = script.condition("a", "Drifted");
            assert_eq!(
                drifted.0, "False",
                "{when}: our own pause is no drift: {drifted:?}"
            );
            let process = script.does(|w| w.slots[0].process);
            script.sim.kill(0, process, "for a restart");
            script.wait(120).await;
        }
        let said = reasons(&script, "a");
        assert!(!said.contains(&"Drifted".to_string()), "{said:?}");
        // The same cannot be said of one that was never on.
        script.does(|w| w.create(CAMPAIGN, &ads("b"), manual(Some("Active"))));
        script.wait(60).await;
        let message = script.condition("b", "Ready").2;
        assert!(
            message.starts_with("the campaign is not switched on: no ceiling on budgets is set; "),
            "{message}"
        );
        set_caps(&script, caps(Some(1000), None));
        script.wait(30).await;
        assert!(script.rows().iter().all(|(_, on)| *on));
        // Paused by somebody now: that is another thing.
        let id = script.does(|w| w.id_of(CAMPAIGN, &ads("a"))).unwrap();
        script.does(|w| w.outside(&id, Outside::Pause));
        script.wait(120).await;
        assert_eq!(script.ready("a"), "PausedOutside");
        script.end().await;
    });
}

/// Found on, and switched off before anything else is written down about it.
#[test]
fn r20_what_was_adopted_and_switched_off_is_told_as_its_own_doing() {
    play(async {
        let script = Script::bare(&[]);
        script.does(|w| w.set_up(0, None));
        let id = theirs(&script, "a", true);
        script.does(|w| w.create(CAMPAIGN, &ads("a"), adopting(&id, "Active")));
        script.wait(60).await;
        assert_eq!(script.rows(), [("a".to_string(), false)]);
        let message = script.condition("a", "Ready").2;
        assert!(
            message.starts_with("the operator switched this campaign off: "),
            "{message}"
        );
        let (_, message) = event(&script, "a", "SwitchedOff");
        assert!(
            message.contains("no ceiling on budgets is set"),
            "{message}"
        );
        script.end().await;
    });
}

fn released(script: &Script) -> Option<f64> {
    let (_, engine) = script.sim.leader()?;
    let text = engine.metrics_text();
    let line = text
        .lines()
        .find(|l| l.starts_with("tiktokads_released_active_total"))?;
    line.rsplit(' ').next()?.parse().ok()
}

#[test]
fn r22_what_is_deleted_in_a_mode_that_writes_nothing_is_let_go_with_a_warning() {
    for (mode, at_once) in [("Plan", false), ("Observe", false), ("Observe", true)] {
        play(async {
            let script = Script::start(&[]).await;
            script.does(|w| w.create(CAMPAIGN, &ads("a"), manual(Some("Active"))));
            script.wait(60).await;
            script.does(|w| w.edit(CAMPAIGN, &ads("a"), json!({ "mode": mode })));
            if !at_once {
                script.wait(60).await;
            }
            script.does(|w| w.delete(CAMPAIGN, &ads("a")));
            script.wait(60).await;
            assert!(script.campaign("a").is_none());
            assert_eq!(script.writes(), ["create", "enable"], "nothing is written");
            let (warning, message) = event(&script, "a", "Released");
            assert!(warning, "{mode} {at_once}");
            for part in [mode, "on with 50 USD a day", "nothing was written"] {
                assert!(message.contains(part), "{part}: {message}");
            }
            assert_eq!(released(&script), Some(1.0), "{mode} {at_once}");
            script.end().await;
        });
    }
}

#[test]
fn r22_what_was_only_looked_at_or_is_off_is_let_go_without_alarm() {
    play(async {
        let script = Script::start(&[]).await;
        let id = theirs(&script, "b", true);
        let mut spec = adopting(&id, "Active");
        spec["mode"] = "Observe".into();
        script.does(|w| w.create(CAMPAIGN, &ads("b"), spec));
        script.does(|w| w.create(CAMPAIGN, &ads("a"), manual(Some("Paused"))));
        script.wait(60).await;
        script.does(|w| w.edit(CAMPAIGN, &ads("a"), json!({"mode": "Observe"})));
        script.wait(60).await;
        for name in ["a", "b"] {
            script.does(|w| w.delete(CAMPAIGN, &ads(name)));
        }
        script.wait(60).await;
        assert!(!reasons(&script, "a").contains(&"Released".into()));
        let (warning, message) = event(&script, "b", "Released");
        assert!(
            !warning && message.contains("on with 50 USD a day"),
            "{message}"
        );
        assert_eq!(released(&script), Some(0.0));
        assert_eq!(script.writes(), ["create"]);
        script.end().await;
    });
}

#[test]
fn r22_what_is_retained_while_on_says_so() {
    play(async {
        let script = Script::start(&[]).await;
        let mut spec = manual(Some("Active"));
        spec["deletionPolicy"] = "Retain".into();
        script.does(|w| w.create(CAMPAIGN, &ads("a"), spec));
        script.wait(60).await;
        script.does(|w| w.delete(CAMPAIGN, &ads("a")));
        script.wait(60).await;
        assert_eq!(script.rows(), [("a".to_string(), true)]);
        let (warning, message) = event(&script, "a", "Released");
        assert!(!warning, "it was asked for");
        assert!(message.contains("on with 50 USD a day"), "{message}");
        script.end().await;
    });
}

#[test]
fn r09_an_adoption_says_what_was_adopted_and_how() {
    for by_name in [false, true] {
        play(async {
            let script = Script::start(&[]).await;
            let id = theirs(&script, "a", true);
            let mut spec = manual(Some("Active"));
            if by_name {
                spec["adoption"] = "SameName".into();
            } else {
                spec["externalId"] = id.clone().into();
            }
            script.does(|w| w.create(CAMPAIGN, &ads("a"), spec));
            script.wait(60).await;
            let (warning, message) = event(&script, "a", "Adopted");
            assert!(warning);
            let how = if by_name {
                "spec.adoption: SameName"
            } else {
                "spec.externalId"
            };
            for part in [id.as_str(), "\"a\"", how, "on with 50 USD a day"] {
                assert!(message.contains(part), "{part}: {message}");
            }
            // Nobody here created it or switched it on.
            let said = reasons(&script, "a");
            assert!(
                !said.contains(&"Created".into()) && !said.contains(&"SwitchedOn".into()),
                "{said:?}"
            );
            assert_eq!(script.writes(), Vec::<String>::new());
            script.end().await;
        });
    }
}

/// A deletion on TikTok is final, and a name is no proof of whose it is.
#[test]
fn r03_what_was_adopted_by_its_name_alone_is_paused_and_not_deleted() {
    for (how, last) in [
        ("name", "disable"),
        ("externalId", "delete"),
        ("created", "delete"),
        ("named later", "delete"),
    ] {
        play(async {
            let script = Script::start(&[]).await;
            let mut spec = manual(Some("Active"));
            spec["deletionPolicy"] = "Delete".into();
            let id = match how {
                "created" => None,
                _ => Some(theirs(&script, "a", true)),
            };
            match how {
                "externalId" => spec["externalId"] = id.clone().into(),
                "name" | "named later" => spec["adoption"] = "SameName".into(),
                _ => {}
            }
            script.does(|w| w.create(CAMPAIGN, &ads("a"), spec));
            script.wait(60).await;
            let effective = |script: &Script| {
                let object = script.campaign("a").unwrap();
                object["status"]["effective"]["deletionPolicy"].clone()
            };
            let by_name = matches!(how, "name" | "named later");
            assert_eq!(
                effective(&script),
                if by_name { "Pause" } else { "Delete" },
                "{how}"
            );
            if how == "named later" {
                script.does(|w| w.edit(CAMPAIGN, &ads("a"), json!({ "externalId": id })));
                script.wait(30).await;
                assert_eq!(effective(&script), "Delete");
            }
            script.does(|w| w.delete(CAMPAIGN, &ads("a")));
            script.wait(90).await;
            assert!(script.campaign("a").is_none(), "{how}");
            assert_eq!(
                script.writes().last().map(String::as_str),
                Some(last),
                "{how}"
            );
            if how == "name" {
                let (warning, message) = event(&script, "a", "Released");
                assert!(
                    warning && message.contains("paused and not deleted"),
                    "{message}"
                );
                assert_eq!(released(&script), Some(0.0), "it is off");
            }
            script.end().await;
        });
    }
}

#[test]
fn r20_a_lifetime_budget_is_not_called_one_a_day() {
    play(async {
        let script = Script::start(&[]).await;
        set_caps(&script, caps(Some(200), None));
        let mut spec = manual(Some("Active"));
        spec["budget"] = json!({"mode": "Total", "amount": "10000"});
        script.does(|w| w.create(CAMPAIGN, &ads("a"), spec));
        script.wait(60).await;
        let (_, reason, message) = script.condition("a", "Ready");
        assert_eq!(reason, "CeilingReached");
        assert!(
            message.contains("a lifetime budget of 10000 USD counts whole against the connection's maxDailyBudgetPerObject (200 USD)"),
            "{message}"
        );
        assert!(
            !message.contains("could spend 10000 USD a day"),
            "{message}"
        );
        script.end().await;
    });
}

#[test]
fn everything_that_costs_money_makes_one_event() {
    play(async {
        let script = Script::start(&[]).await;
        script.does(|w| {
            let mut spec = manual(Some("Active"));
            spec["deletionPolicy"] = "Delete".into();
            w.create(CAMPAIGN, &ads("a"), spec)
        });
        script.wait(60).await;
        let money = |script: &Script| -> Vec<(String, String)> {
            let of = [
                "Created",
                "SwitchedOn",
                "SwitchedOff",
                "BudgetChanged",
                "Deleted",
                "Released",
                "Adopted",
            ];
            let all = events(script, "a").into_iter();
            all.filter(|(_, reason, _)| of.contains(&reason.as_str()))
                .inspect(|(warning, reason, message)| assert!(!warning, "{reason}: {message}"))
                .map(|(_, reason, message)| (reason, message))
                .collect()
        };
        let id = script.does(|w| w.id_of(CAMPAIGN, &ads("a"))).unwrap();
        let mut expected: Vec<(String, String)> = vec![
            (
                "Created".into(),
                format!(
                    "created campaign {id} \"a\" on TikTok, switched off; its budget is 50 USD a day"
                ),
            ),
            (
                "SwitchedOn".into(),
                format!("switched campaign {id} on with 50 USD a day"),
            ),
        ];
        assert_eq!(money(&script), expected);

        script.does(|w| {
            w.edit(
                CAMPAIGN,
                &ads("a"),
                json!({"budget": {"mode": "Daily", "amount": "60"}}),
            )
        });
        script.wait(60).await;
        expected.push((
            "BudgetChanged".into(),
            format!("changed the budget of campaign {id} from 50 to 60 USD a day"),
        ));
        assert_eq!(money(&script), expected);

        set_caps(&script, Value::Null);
        script.wait(60).await;
        let (reason, message) = money(&script).pop().unwrap();
        assert_eq!(reason, "SwitchedOff");
        assert!(
            message.starts_with(&format!(
                "switched campaign {id} off: no ceiling on budgets is set"
            )),
            "{message}"
        );
        expected.push((reason, message));
        set_caps(&script, caps(Some(1000), None));
        script.wait(60).await;
        expected.push((
            "SwitchedOn".into(),
            format!("switched campaign {id} on with 60 USD a day"),
        ));
        assert_eq!(money(&script), expected);

        // A buyer's change that is put right says so.
        script.does(|w| w.outside(&id, Outside::Set("budget", json!(500))));
        script.wait(120).await;
        let (reason, message) = money(&script).pop().unwrap();
        assert_eq!(reason, "BudgetChanged");
        assert!(
            message.starts_with(&format!(
                "changed the budget of campaign {id} from 500 to 60 USD a day"
            )),
            "{message}"
        );
        expected.push((reason, message));
        let (_, drifted) = event(&script, "a", "Drifted");
        for part in [
            "budget.amount: want 60, have 500",
            "written back",
            "spec.drift.budget: Report",
        ] {
            assert!(drifted.contains(part), "{part}: {drifted}");
        }

        // Nothing changes, nothing is said.
        script.wait(1200).await;
        assert_eq!(money(&script), expected);

        script.does(|w| w.edit(CAMPAIGN, &ads("a"), json!({"state": "Paused"})));
        script.wait(60).await;
        expected.push((
            "SwitchedOff".into(),
            format!("switched campaign {id} off: the manifest says Paused"),
        ));
        assert_eq!(money(&script), expected);
        script.does(|w| w.delete(CAMPAIGN, &ads("a")));
        script.wait(60).await;
        expected.push((
            "Deleted".into(),
            format!("deleted campaign {id} on TikTok, for good (deletionPolicy: Delete)"),
        ));
        assert_eq!(money(&script), expected);
        script.end().await;
    });
}

/// An answer that is lost is no reason for silence.
#[test]
fn a_lost_answer_loses_no_event_of_money() {
    play(async {
        let script = Script::start(&[]).await;
        let lost = [Planned::fault(FaultKind::AnswerLost)];
        script.plan("/campaign/create/", &lost);
        script.plan("/campaign/status/update/", &lost);
        script.plan("/campaign/update/", &lost);
        script.does(|w| w.create(CAMPAIGN, &ads("a"), manual(Some("Active"))));
        script.wait(300).await;
        let budget = json!({"budget": {"mode": "Daily", "amount": "60"}});
        script.does(|w| w.edit(CAMPAIGN, &ads("a"), budget));
        script.wait(300).await;
        let all = reasons(&script, "a");
        for reason in ["Created", "SwitchedOn", "BudgetChanged"] {
            let said = all.iter().filter(|of| *of == reason).count();
            assert_eq!(said, 1, "{reason}: {all:?}");
        }
        assert_eq!(script.writes(), ["create", "enable", "update"]);
        script.end().await;
    });
}

/// That it is gone may be seen before the answer to the patch that let it go.
#[test]
fn r32_what_was_let_go_is_no_orphan() {
    for seed in 1..=20 {
        play(async {
            let script = Script::with(seed, &[], 1, &Settings::default());
            script.does(|w| w.set_up(0, Some(caps(Some(1000), None))));
            script.wait(5).await;
            script.does(|w| w.create(CAMPAIGN, &ads("a"), manual(Some("Active"))));
            script.wait(60).await;
            script.does(|w| w.delete(CAMPAIGN, &ads("a")));
            script.wait(60).await;
            assert!(script.campaign("a").is_none());
            let main = script.does(|w| w.api.get(CONNECTION, &ads("main")).cloned());
            let orphaned = main.unwrap_or_default()["status"]["orphaned"].clone();
            assert_eq!(orphaned, Value::Null, "seed {seed}");
            script.end().await;
        });
    }
}

/// Events are not in the way of pauses: three calls of twenty each, and forty-five events of ten seconds.
#[test]
fn r06_no_event_keeps_a_pause_waiting() {
    play(async {
        let script = Script::start(&[]).await;
        let names: Vec<String> = (0..45).map(|n| format!("c{n:02}")).collect();
        for name in &names {
            script.does(|w| w.create(CAMPAIGN, &ads(name), manual(Some("Active"))));
        }
        script.wait(300).await;
        assert!(script.rows().iter().all(|(_, on)| *on));
        script.does(|w| w.faults.events_hang = true);
        set_caps(&script, Value::Null);
        script.wait(8).await;
        let running = script.rows().iter().filter(|(_, on)| *on).count();
        assert_eq!(running, 0);
        script.wait(120).await;
        for name in &names {
            event(&script, name, "SwitchedOff");
        }
        script.end().await;
    });
}

#[test]
fn the_budget_that_status_shows_says_its_currency_and_what_it_is_for() {
    for (budget, shown) in [
        (
            json!({"mode": "Daily", "amount": "50"}),
            json!("50 USD a day"),
        ),
        (
            json!({"mode": "Total", "amount": "600"}),
            json!("600 USD in all"),
        ),
        (json!({"mode": "Infinite"}), Value::Null),
    ] {
        play(async {
            let script = Script::start(&[]).await;
            let mut spec = manual(Some("Paused"));
            spec["budget"] = budget;
            script.does(|w| w.create(CAMPAIGN, &ads("a"), spec));
            script.wait(60).await;
            let object = script.campaign("a").unwrap();
            assert_eq!(object["status"]["currentBudget"], shown);
            script.end().await;
        });
    }
    play(async {
        let script = Script::start(&[]).await;
        let spec = super::specs::smart_plus(Some("Paused"));
        script.does(|w| w.create(CAMPAIGN, &ads("a"), spec));
        script.wait(60).await;
        let object = script.campaign("a").unwrap();
        assert_eq!(object["status"]["currentBudget"], "50 USD a day on average");
        script.end().await;
    });
}

#[test]
fn ready_says_whether_it_is_on() {
    for (state, said) in [
        (
            Some("Active"),
            "TikTok is as this manifest says; the campaign is on, as the manifest says",
        ),
        (
            Some("Paused"),
            "TikTok is as this manifest says; the campaign is paused, as the manifest says",
        ),
        (
            None,
            "TikTok is as this manifest says; the campaign is paused, since the manifest does not say Active",
        ),
    ] {
        play(async {
            let script = Script::start(&[]).await;
            script.does(|w| w.create(CAMPAIGN, &ads("a"), manual(state)));
            script.wait(60).await;
            assert_eq!(script.condition("a", "Ready").2, said);
            script.end().await;
        });
    }
    play(async {
        let script = Script::start(&[]).await;
        let id = theirs(&script, "a", true);
        let mut spec = adopting(&id, "Active");
        spec.as_object_mut().unwrap().remove("state");
        spec["budget"]["amount"] = "70".into();
        spec["drift"] = json!({"budget": "Report"});
        script.does(|w| w.create(CAMPAIGN, &ads("a"), spec));
        script.wait(60).await;
        assert_eq!(
            script.condition("a", "Ready").2,
            "TikTok is as this manifest says, except budget.amount, which spec.drift says to report only; the campaign is \
             on and stays as it is, since the manifest does not say spec.state"
        );
        script.end().await;
    });
}
