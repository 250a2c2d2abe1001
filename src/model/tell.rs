//! What is told of money: budgets in words, and the event for each thing that was done and costs some, or saves it.

use super::ceiling::Period;
use crate::platform::{Cents, OperationState, Row, clean};

/// An event, once what was planned is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tell {
    /// Somebody should look.
    pub warning: bool,
    /// One word, such as `SwitchedOn`.
    pub reason: &'static str,
    pub message: String,
}

impl Tell {
    /// Nothing to worry about.
    pub fn normal(reason: &'static str, message: String) -> Self {
        Self {
            warning: false,
            reason,
            message,
        }
    }

    /// Somebody should look.
    pub fn warning(reason: &'static str, message: String) -> Self {
        Self {
            warning: true,
            reason,
            message,
        }
    }
}

/// The budget that a row has of its own: `50 USD a day`, `600 USD in all`. `None`: there is none, what is above or below
/// it counts.
pub fn budget(row: &Row, currency: &str) -> Option<String> {
    let amount = row.current_budget.or(row.budget)?;
    amount_of(row.budget_mode.as_deref(), amount, currency)
}

/// An amount of a budget of this mode.
pub fn amount_of(mode: Option<&str>, amount: Cents, currency: &str) -> Option<String> {
    if amount.0 <= 0 || mode == Some("BUDGET_MODE_INFINITE") {
        return None;
    }
    // A word for it that nobody knows yet is no reason to hide the amount.
    Some(match Period::of(mode) {
        Some(period) => format!("{amount} {currency} {}", period.words()),
        None => format!("{amount} {currency}"),
    })
}

/// `on with 50 USD a day`, `on`, `off`.
pub fn standing(row: &Row, currency: &str) -> String {
    match (row.operation, budget(row, currency)) {
        (OperationState::On, Some(budget)) => format!("on with {budget}"),
        (OperationState::On, None) => "on".into(),
        (OperationState::Off, _) => "off".into(),
        (OperationState::Deleted, _) => "deleted".into(),
    }
}

/// `campaign 1790000000000000001 "Spring"`.
pub fn named(row: &Row) -> String {
    format!(
        "{} {} \"{}\"",
        row.kind.noun(),
        row.id,
        clean(&row.name, 128)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_says_its_currency_and_what_it_is_for() {
        let said = |mode: Option<&str>, cents| amount_of(mode, Cents(cents), "USD");
        for (mode, cents, words) in [
            (Some("BUDGET_MODE_DAY"), 4_000, Some("40 USD a day")),
            (Some("BUDGET_MODE_DAY"), 4_990, Some("49.90 USD a day")),
            (Some("BUDGET_MODE_TOTAL"), 60_000, Some("600 USD in all")),
            (
                Some("BUDGET_MODE_DYNAMIC_DAILY_BUDGET"),
                5_000,
                Some("50 USD a day on average"),
            ),
            (Some("BUDGET_MODE_INFINITE"), 0, None),
            (Some("BUDGET_MODE_DAY"), 0, None),
            (Some("BUDGET_MODE_LATER"), 100, Some("1 USD")),
            (None, 100, Some("1 USD")),
        ] {
            assert_eq!(said(mode, cents).as_deref(), words, "{mode:?} {cents}");
        }
    }
}
