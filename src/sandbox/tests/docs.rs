//! `docs/sandbox.md` says what is there.

use super::*;

fn docs() -> String {
    std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/sandbox.md")).unwrap()
}

#[test]
fn the_table_of_knobs_is_the_one_in_the_code() {
    let wanted: Vec<String> = crate::sandbox::knobs::KNOBS
        .iter()
        .map(|knob| {
            let default = if knob.default.is_empty() {
                "(empty)".to_owned()
            } else {
                format!("`{}`", knob.default)
            };
            format!(
                "| `{}` | {} | {default} | {} |",
                knob.name,
                knob.kind.describe(),
                knob.models
            )
        })
        .collect();
    let docs = docs();
    let found: Vec<&str> = docs
        .split("<!-- knobs -->")
        .nth(1)
        .expect("docs/sandbox.md has its table between two <!-- knobs --> marks")
        .lines()
        .filter(|line| line.starts_with("| `"))
        .collect();
    assert_eq!(found, wanted, "the table should be:\n{}", wanted.join("\n"));
}

#[test]
fn the_default_account_is_described() {
    let docs = docs();
    for text in [
        default_account::APP_ID,
        default_account::APP_SECRET,
        default_account::ADVERTISER_ID,
        default_account::ACCESS_TOKEN,
        default_account::AUTH_CODE,
    ] {
        assert!(docs.contains(text), "{text}");
    }
}

#[test]
fn every_fault_is_described() {
    let docs = docs();
    for kind in [
        FaultKind::AnswerLost,
        FaultKind::CutBefore,
        FaultKind::Error {
            code: 0,
            message: String::new(),
        },
        FaultKind::HttpStatus {
            status: 500,
            after_effect: false,
            retry_after: None,
        },
        FaultKind::MalformedBody,
        FaultKind::Delay { ms: 0 },
        FaultKind::EffectDelay { ms: 0 },
        FaultKind::PartialPage { rows: None },
        FaultKind::SkippedRow { campaign_id: None },
        FaultKind::LateListing { ms: 0 },
    ] {
        assert!(
            docs.contains(&format!("`{}`", kind.name())),
            "{}",
            kind.name()
        );
    }
}
