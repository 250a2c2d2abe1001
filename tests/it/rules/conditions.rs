//! Wrong manifests that only the ad account can tell are wrong: each ends in a condition that says what is wrong and what
//! to do. `docs/wrong-manifests-at-run-time.md` is made from what the operator really said.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::{Value, json};

use super::{Case, condition, is, smart_plus, spec};

/// One row: what the reader did, the specs, the reason, and a part of the message that names the next step.
struct Row {
    did: &'static str,
    /// The connection's spec beyond its references.
    connection: Value,
    /// Campaigns that are there before.
    before: Vec<(&'static str, Value)>,
    /// The campaign in question.
    campaign: Value,
    reason: &'static str,
    next: &'static str,
}

impl Row {
    fn new(did: &'static str, campaign: Value, reason: &'static str, next: &'static str) -> Self {
        Self {
            did,
            connection: json!({"caps": super::wide_caps()}),
            before: Vec::new(),
            campaign,
            reason,
            next,
        }
    }
}

fn rows() -> Vec<Row> {
    vec![
        Row::new(
            "names a connection that does not exist",
            spec(json!({"connectionRef": {"name": "mian"}})),
            "ConnectionMissing",
            "apply it again with the right spec.connectionRef",
        ),
        Row::new(
            "writes the budget in another currency than the account's",
            spec(json!({"budget": {"mode": "Daily", "amount": "60", "currency": "EUR"}})),
            "CurrencyMismatch",
            "write the amount in USD",
        ),
        Row::new(
            "sets a budget below TikTok's lowest",
            spec(json!({"budget": {"mode": "Daily", "amount": "5"}})),
            "BudgetTooLow",
            "must not be less than $50",
        ),
        Row::new(
            "adopts a campaign that does not exist",
            spec(json!({"externalId": "1816379200000001"})),
            "NotFoundOnPlatform",
            "apply it again with the right spec.externalId",
        ),
        Row::new(
            "asks Smart+ for an objective that it does not have",
            smart_plus(json!({"objective": "Traffic"})),
            "NotCreatable",
            "spec.automation: Manual",
        ),
        Row::new(
            "asks for a campaign of a kind that cannot be created",
            spec(json!({"objective": "RfReach"})),
            "NotCreatable",
            "set spec.externalId to its id",
        ),
        Row {
            connection: json!({}),
            ..Row::new(
                "switches on without a ceiling on the connection",
                spec(json!({"state": "Active"})),
                "NoBudgetCeiling",
                "set spec.caps.maxDailyBudgetPerObject",
            )
        },
        Row {
            connection: json!({"caps": {"maxDailyBudgetPerObject": {"amount": "50", "currency": "USD"}}}),
            ..Row::new(
                "asks for more than the connection's ceiling for one object",
                spec(json!({"state": "Active"})),
                "CeilingReached",
                "lower spec.budget or raise the cap",
            )
        },
        Row {
            connection: json!({"caps": {"maxDailyBudgetPerObject": {"amount": "200", "currency": "USD"}}}),
            ..Row::new(
                "asks for a lifetime budget above the connection's ceiling for one object",
                spec(json!({"state": "Active", "budget": {"mode": "Total", "amount": "10000"}})),
                "CeilingReached",
                "make a new object with mode Daily",
            )
        },
        Row {
            connection: json!({"caps": {"maxDailyBudgetTotal": {"amount": "100", "currency": "USD"}}}),
            before: vec![("first", spec(json!({"state": "Active"})))],
            ..Row::new(
                "switches on more than the connection's total allows",
                spec(json!({"state": "Active"})),
                "CeilingReached",
                "pause or lower something, or raise the cap",
            )
        },
        Row {
            connection: json!({"caps": {"maxDailyBudgetPerObject": {"amount": "500", "currency": "EUR"}}}),
            ..Row::new(
                "writes the ceiling in another currency than the account's",
                spec(json!({"state": "Active"})),
                "CurrencyMismatch",
                "write spec.caps in USD",
            )
        },
        Row {
            before: vec![("first", spec(json!({"name": "Spring"})))],
            ..Row::new(
                "gives two campaigns one name",
                spec(json!({"name": "Spring"})),
                "Conflict",
                "spec.name",
            )
        },
    ]
}

/// Ids and namespaces differ from run to run; the page must not. What differs in the message differs on the page.
fn steady(message: &str, namespace: &str) -> String {
    let mut out = String::new();
    let mut ids: Vec<&str> = Vec::new();
    let message = message.replace(namespace, "growth");
    for word in message.split(' ') {
        let digits = word.chars().filter(char::is_ascii_digit).count();
        let bare = word.trim_end_matches(|c: char| c.is_ascii_punctuation());
        let word = if digits >= 16 {
            let at = ids.iter().position(|id| *id == bare).unwrap_or_else(|| {
                ids.push(bare);
                ids.len() - 1
            });
            format!(
                "{}{}",
                1_816_379_200_822_701_u64 + at as u64,
                &word[bare.len()..]
            )
        } else {
            word.to_string()
        };
        let _ = write!(out, "{}{word}", if out.is_empty() { "" } else { " " });
    }
    out
}

#[test]
fn two_ids_of_a_message_stay_two() {
    let said = "there is no campaign 17000000000000001 in advertiser 7000000000000000002; not 17000000000000001.";
    assert_eq!(
        steady(said, "told-0"),
        "there is no campaign 1816379200822701 in advertiser 1816379200822702; not 1816379200822701."
    );
}

#[test]
fn what_only_the_account_can_tell_ends_in_a_condition_that_names_the_next_step() {
    let mut page = String::from(
        "# Wrong manifests that only the ad account can tell\n\n\
         The API server takes these; the operator looks at the account and says so in the object's `Ready` condition. Made from\n\
         what it really said by a test (`UPDATE_DOCS=1 cargo test --test it rules::conditions`); edit\n\
         `tests/it/rules/conditions.rs`, not this page.\n\n\
         | who … | reason | is told |\n|---|---|---|\n",
    );
    for (number, row) in rows().into_iter().enumerate() {
        let case = Case::bare(&format!("told-{number}"), json!({}));
        case.connect(row.connection);
        case.wait_connection("Verified");
        for (name, earlier) in row.before {
            case.campaign(name, earlier);
            case.wait(name, "the one before", |o| {
                is(o, "InSync") || is(o, "Paused")
            });
            // Creation times have whole seconds: the one before is to be the older one.
            std::thread::sleep(std::time::Duration::from_millis(1100));
        }
        case.campaign("spring", row.campaign);
        let told = case.wait_for("spring", row.reason);
        let ready = condition(&told, "Ready");
        assert_eq!(ready["status"], "False", "{}", row.did);
        let message = ready["message"].as_str().unwrap();
        assert!(message.contains(row.next), "{}: {message}", row.did);
        let message = steady(message, &case.namespace).replace('|', "\\|");
        let _ = writeln!(page, "| {} | `{}` | {message} |", row.did, row.reason);
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/wrong-manifests-at-run-time.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(
        written, page,
        "run UPDATE_DOCS=1 cargo test --test it rules::conditions"
    );
}
