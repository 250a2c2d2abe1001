//! R20: the ceiling on configured budgets.
//!
//! What counts is what an object could spend in a day: a daily budget as it is, a dynamic one × 1.25 of the highest
//! value within a day, a lifetime budget whole (how much of it is left, and over how many days, is not known here).
//! An object without a budget of its own spends what its children may: that cannot be summed here, so it is refused.

use std::collections::BTreeMap;

use super::facts::Caps;
use super::reason::Reason;
use crate::platform::Cents;
use crate::platform::{CampaignRow, OperationState};

/// What the account's enabled objects could spend in a day, by id.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CeilingView {
    /// False until a complete list of every tree was read: then nothing can be said.
    pub complete: bool,
    /// Enabled, or about to be: the most each could spend in a day; `None` when it has no budget of its own.
    pub enabled: BTreeMap<String, Option<i64>>,
}

/// Why something may not be switched on or raised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    pub reason: Reason,
    pub message: String,
}

/// The most an object could spend in a day, in hundredths. `None`: unbounded at this level.
pub fn per_day(mode: Option<&str>, budget: Option<Cents>) -> Option<i64> {
    let Cents(amount) = budget?;
    match mode {
        Some("BUDGET_MODE_DYNAMIC_DAILY_BUDGET") => {
            Some(amount.saturating_mul(5).saturating_add(3) / 4)
        }
        Some("BUDGET_MODE_DAY" | "BUDGET_MODE_TOTAL") => Some(amount),
        _ => None,
    }
}

/// The same for a row, `high` being the highest budget it had within the last day.
pub fn row_per_day(row: &CampaignRow, high: Option<Cents>) -> Option<i64> {
    let budget = row.budget.max(row.current_budget).max(high);
    per_day(row.budget_mode.as_deref(), budget)
}

impl Caps {
    /// A hold that does not depend on the neighbours: it keeps an object off and switches a running one off. `amount`
    /// is the most the object could spend in a day.
    pub fn standing_hold(&self, amount: Option<i64>, currency: &str) -> Option<Hold> {
        // The total depends on the neighbours: it is asked before something is switched on, never to switch off.
        let alone = Self {
            total: self.total.map(|_| i64::MAX),
            ..self.clone()
        };
        let nobody = CeilingView {
            complete: true,
            ..CeilingView::default()
        };
        // Without a budget of its own there is nothing to compare: that stops a switching on, not a running object.
        nobody
            .check(&alone, "", Some(amount.unwrap_or(0)), currency)
            .err()
    }
}

impl CeilingView {
    /// Enters a row if it is on.
    pub fn count(&mut self, row: &CampaignRow, high: Option<Cents>) {
        if row.operation == OperationState::On {
            self.enabled.insert(row.id.clone(), row_per_day(row, high));
        }
    }

    /// May `id`, spending at most `amount` a day, be on? Checked over everything that is on or about to be.
    pub fn check(
        &self,
        caps: &Caps,
        id: &str,
        amount: Option<i64>,
        currency: &str,
    ) -> Result<(), Hold> {
        if let Some(wrong) = &caps.wrong_currency {
            return Err(Hold {
                reason: Reason::CurrencyMismatch,
                message: format!(
                    "the connection's caps are in {wrong}, the account is in {currency}; write spec.caps in {currency}"
                ),
            });
        }
        if caps.per_object.is_none() && caps.total.is_none() {
            return Err(Hold {
                reason: Reason::NoBudgetCeiling,
                message: "no ceiling on budgets is set, so nothing is switched on; set spec.caps.maxDailyBudgetPerObject \
                          or spec.caps.maxDailyBudgetTotal on the connection"
                    .into(),
            });
        }
        let Some(amount) = amount else {
            return Err(Hold {
                reason: Reason::CeilingUnknown,
                message: "the campaign has no budget of its own, so what it may spend cannot be checked against the \
                          connection's caps; give it spec.budget with an amount"
                    .into(),
            });
        };
        if let Some(most) = caps.per_object.filter(|most| amount > *most) {
            return Err(Hold {
                reason: Reason::CeilingReached,
                message: format!(
                    "it could spend {} {currency} a day, the connection's maxDailyBudgetPerObject is {}; lower spec.budget or \
                     raise the cap",
                    Cents(amount),
                    Cents(most)
                ),
            });
        }
        let Some(most) = caps.total else {
            return Ok(());
        };
        if !self.complete {
            return Err(Hold {
                reason: Reason::CeilingUnknown,
                message: "the account's campaigns are not completely read yet, so maxDailyBudgetTotal cannot be checked; \
                          this resolves itself with the next complete list"
                    .into(),
            });
        }
        let mut sum = i128::from(amount);
        for (other, could) in self
            .enabled
            .iter()
            .filter(|(other, _)| other.as_str() != id)
        {
            let Some(could) = could else {
                return Err(Hold {
                    reason: Reason::CeilingUnknown,
                    message: format!(
                        "campaign {other} is on without a budget of its own, so maxDailyBudgetTotal cannot be checked; pause it, \
                         give it a budget, or use maxDailyBudgetPerObject alone"
                    ),
                });
            };
            sum += i128::from(*could);
        }
        if sum > i128::from(most) {
            let others = i64::try_from(sum - i128::from(amount)).unwrap_or(i64::MAX);
            return Err(Hold {
                reason: Reason::CeilingReached,
                message: format!(
                    "{} {currency} a day is already on in this account; with {} more the connection's maxDailyBudgetTotal of {} \
                     would be passed; pause or lower something, or raise the cap",
                    Cents(others),
                    Cents(amount),
                    Cents(most)
                ),
            });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn caps(per_object: Option<i64>, total: Option<i64>) -> Caps {
        Caps {
            per_object,
            total,
            wrong_currency: None,
        }
    }

    #[test]
    fn r20_without_a_ceiling_nothing_is_enabled() {
        let view = CeilingView {
            complete: true,
            ..CeilingView::default()
        };
        let hold = view
            .check(&caps(None, None), "1", Some(100), "EUR")
            .unwrap_err();
        assert_eq!(hold.reason, Reason::NoBudgetCeiling);
    }

    #[test]
    fn r20_dynamic_daily_counts_a_quarter_more_rounded_up() {
        assert_eq!(
            per_day(
                Some("BUDGET_MODE_DYNAMIC_DAILY_BUDGET"),
                Some(Cents(10_000))
            ),
            Some(12_500)
        );
        assert_eq!(
            per_day(Some("BUDGET_MODE_DYNAMIC_DAILY_BUDGET"), Some(Cents(1))),
            Some(2)
        );
        assert_eq!(per_day(Some("BUDGET_MODE_INFINITE"), Some(Cents(0))), None);
        assert_eq!(per_day(None, Some(Cents(5))), None);
    }

    #[test]
    fn r20_an_incomplete_list_refuses_the_total() {
        let view = CeilingView::default();
        let hold = view
            .check(&caps(None, Some(1_000_000)), "1", Some(100), "EUR")
            .unwrap_err();
        assert_eq!(hold.reason, Reason::CeilingUnknown);
        assert!(
            view.check(&caps(Some(100), None), "1", Some(100), "EUR")
                .is_ok()
        );
    }

    #[test]
    fn r20_an_unbounded_neighbour_refuses_the_total() {
        let view = CeilingView {
            complete: true,
            enabled: [("9".to_string(), None)].into(),
        };
        assert_eq!(
            view.check(&caps(None, Some(1_000)), "1", Some(1), "EUR")
                .unwrap_err()
                .reason,
            Reason::CeilingUnknown
        );
        assert!(
            view.check(&caps(None, Some(1_000)), "9", Some(1), "EUR")
                .is_ok(),
            "the object itself does not count twice"
        );
    }

    proptest! {
        #[test]
        fn r20_what_passes_never_sums_above_the_total(
            others in proptest::collection::vec(0i64..100_000, 0..20), mine in 1i64..100_000, total in 1i64..500_000
        ) {
            let view = CeilingView {
                complete: true,
                enabled: others.iter().enumerate().map(|(i, n)| (format!("o{i}"), Some(*n))).collect(),
            };
            let sum: i64 = others.iter().sum::<i64>() + mine;
            prop_assert_eq!(view.check(&caps(None, Some(total)), "me", Some(mine), "EUR").is_ok(), sum <= total);
        }
    }
}
