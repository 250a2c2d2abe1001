//! What is taken over, and what is let go.

use serde_json::{Value, json};
use tiktok_ads_operator::engine::settings::Settings;

use super::super::api_server::{CAMPAIGN, CONNECTION};
use super::super::script::{Script, ads, play};
use super::super::specs::manual;
use super::super::user::caps;
use super::{adopting, event, reasons, released, theirs};

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
