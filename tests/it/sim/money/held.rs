//! What would be switched off, what was, and why.

use serde_json::{Value, json};

use super::super::api_server::CAMPAIGN;
use super::super::script::{Script, ads, play};
use super::super::specs::manual;
use super::super::user::{Outside, caps};
use super::{adopting, event, reasons, set_caps, theirs};

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
