//! What is told of what costs money: events, budgets, Ready.

use serde_json::{Value, json};
use tiktok_ads_operator::sandbox::FaultKind;

use super::super::api_server::CAMPAIGN;
use super::super::platform::Planned;
use super::super::script::{Script, ads, play};
use super::super::specs::manual;
use super::super::user::{Outside, caps};
use super::{adopting, event, events, reasons, set_caps, theirs};

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
        let spec = super::super::specs::smart_plus(Some("Paused"));
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
