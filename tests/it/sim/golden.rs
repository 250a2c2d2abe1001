//! Golden transcripts: what is done, and what the operator makes of it, as text that a reader can follow.
//!
//! Lines with `→ API` are writes to the API server, lines with `⇒` calls to TikTok (lists only when something went wrong
//! with them), the number in front is seconds. `GOLDEN=write cargo test --test it golden` writes the files anew.

use std::path::Path;

use serde_json::json;
use tiktok_ads_operator::api::RESUME;

use super::api_server::CAMPAIGN;
use super::platform::Planned;
use super::script::{Script, ads, play};
use super::specs::manual;
use super::user::Outside;

fn compare(name: &str, trace: &[String]) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/it/golden")
        .join(format!("{name}.txt"));
    let text = trace.join("\n") + "\n";
    if std::env::var("GOLDEN").is_ok_and(|v| v == "write") {
        std::fs::write(&path, &text).unwrap();
        return;
    }
    let golden = std::fs::read_to_string(&path).unwrap_or_default();
    if golden != text {
        let at = golden
            .lines()
            .zip(text.lines())
            .take_while(|(a, b)| a == b)
            .count();
        panic!(
            "{} differs from line {}:\n golden: {}\n    now: {}\nif the change is wanted: GOLDEN=write cargo test --test it golden",
            path.display(),
            at + 1,
            golden.lines().nth(at).unwrap_or("(end)"),
            text.lines().nth(at).unwrap_or("(end)")
        );
    }
}

#[test]
fn golden_create_and_enable() {
    play(async {
        let script = Script::start(&[]).await;
        script.does(|w| w.create(CAMPAIGN, &ads("spring"), manual(Some("Active"))));
        script.wait(120).await;
        compare("create_and_enable", &script.end().await);
    });
}

#[test]
fn golden_outside_pause() {
    play(async {
        let script = Script::start(&[]).await;
        script.does(|w| w.create(CAMPAIGN, &ads("spring"), manual(Some("Active"))));
        script.wait(60).await;
        let id = script.does(|w| w.id_of(CAMPAIGN, &ads("spring"))).unwrap();
        script.does(|w| w.outside(&id, Outside::Pause));
        script.wait(120).await;
        script.does(|w| w.annotate(CAMPAIGN, &ads("spring"), RESUME, "2026-11-23"));
        script.wait(30).await;
        compare("outside_pause", &script.end().await);
    });
}

#[test]
fn golden_drift_corrected() {
    play(async {
        let script = Script::start(&[]).await;
        script.does(|w| w.create(CAMPAIGN, &ads("spring"), manual(Some("Active"))));
        script.wait(60).await;
        let id = script.does(|w| w.id_of(CAMPAIGN, &ads("spring"))).unwrap();
        script.does(|w| w.outside(&id, Outside::Set("budget", json!(500))));
        script.wait(120).await;
        compare("drift_corrected", &script.end().await);
    });
}

#[test]
fn golden_crash_after_the_create() {
    play(async {
        let script = Script::start(&[]).await;
        script.plan(
            "/campaign/create/",
            &[Planned {
                crash_after: true,
                ..Planned::default()
            }],
        );
        script.does(|w| w.create(CAMPAIGN, &ads("spring"), manual(Some("Active"))));
        script.wait(240).await;
        assert_eq!(script.rows(), [("spring".to_string(), true)]);
        compare("crash_after_the_create", &script.end().await);
    });
}

#[test]
fn golden_safe_delete() {
    play(async {
        let script = Script::start(&[]).await;
        script.does(|w| w.create(CAMPAIGN, &ads("spring"), manual(Some("Active"))));
        script.wait(60).await;
        script.does(|w| w.delete(CAMPAIGN, &ads("spring")));
        script.wait(60).await;
        assert_eq!(script.rows(), [("spring".to_string(), false)]);
        compare("safe_delete", &script.end().await);
    });
}
