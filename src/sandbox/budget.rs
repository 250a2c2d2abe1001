//! Budgets: floors and ceilings per currency, decimals, the 105 % rule, the nightly lock.

use super::{
    Sandbox,
    accounts::Advertiser,
    envelope::Refusal,
    item::Item,
    knobs::{self, Knob},
    time::DAY_MS,
};

/// What a currency does to amounts.
struct Currency {
    symbol: &'static str,
    /// Floors and ceilings in US dollars times this.
    ratio: f64,
    decimals: bool,
}

fn currency(code: &str) -> Currency {
    let (symbol, ratio, decimals) = match code {
        "USD" => ("$", 1.0, true),
        "EUR" => ("€", 1.0, true),
        "GBP" => ("£", 1.0, true),
        "AUD" => ("A$", 1.0, true),
        "CAD" => ("C$", 1.0, true),
        "NZD" => ("NZ$", 1.0, true),
        "SGD" => ("S$", 1.0, true),
        "CHF" => ("CHF", 1.0, true),
        "JPY" => ("¥", 100.0, false),
        "RUB" => ("₽", 100.0, true),
        "KRW" => ("₩", 1_000.0, false),
        "IDR" => ("Rp", 10_000.0, false),
        "VND" => ("₫", 10_000.0, false),
        "CLP" => ("CLP$", 1_000.0, false),
        // The currency page of the reference was not readable: other currencies go by the dollar's numbers.
        _ => ("", 1.0, true),
    };
    Currency {
        symbol,
        ratio,
        decimals,
    }
}

/// An amount in a message: the currency's symbol, or its code, before it.
fn amount(code: &str, value: f64) -> String {
    let symbol = currency(code).symbol;
    let number = if value.fract() == 0.0 {
        format!("{value:.0}")
    } else {
        format!("{value:.2}")
    };
    if symbol.is_empty() {
        format!("{code} {number}")
    } else {
        format!("{symbol}{number}")
    }
}

/// The smallest budget of an object.
pub(super) struct Floor {
    /// For one day, in US dollars.
    pub dollars: f64,
    /// Overrides it, in the account's currency.
    pub knob: &'static Knob,
    /// For how many days a lifetime budget has to last; 1 for all others.
    pub days: i64,
}

impl Floor {
    /// A campaign's: 50, or 10 for shops, whatever the budget is for.
    pub(super) fn of_campaign(shop: bool) -> Self {
        Self {
            dollars: if shop { 10.0 } else { 50.0 },
            knob: &knobs::BUDGET_FLOOR,
            days: 1,
        }
    }
}

/// What became of a wanted budget.
pub(super) enum Verdict {
    /// Set it (rounded, if a knob says so).
    Set(f64),
    /// Answer with success and leave the old one: TikTok is said to do so below 105 % of the spend.
    Ignore,
}

impl Sandbox {
    /// Checks a budget. `existing` is the object when it is an update.
    pub(super) fn check_budget(
        &self,
        at: i64,
        advertiser_id: &str,
        advertiser: &Advertiser,
        wanted: f64,
        floor: &Floor,
        existing: Option<&Item>,
    ) -> Result<Verdict, Refusal> {
        let code = advertiser.currency.as_str();
        let money = currency(code);
        let scale = if money.decimals { 100.0 } else { 1.0 };
        let scaled = wanted * scale;
        let mut value = wanted;
        if (scaled - scaled.round()).abs() > 1e-6 {
            if self
                .knobs
                .is(&knobs::BUDGET_EXTRA_DECIMALS, advertiser_id, "refuse")
            {
                return Err(Refusal::parameter(if money.decimals {
                    "budget: At most two decimals are allowed.".to_owned()
                } else {
                    format!("budget: Decimals are not allowed for currency {code}.")
                }));
            }
            value = scaled.round() / scale;
        }
        // Schedules have fewer days than f64 has exact whole numbers.
        let days = floor.days as f64;
        let floor = days
            * self
                .knobs
                .text(floor.knob, advertiser_id)
                .parse::<f64>()
                .unwrap_or(floor.dollars * money.ratio);
        if value < floor {
            return Err(Refusal::parameter(format!(
                "Your budget setting must not be less than {}",
                amount(code, floor)
            )));
        }
        let ceiling = 10_000_000.0 * money.ratio;
        if value >= ceiling {
            return Err(Refusal::parameter(format!(
                "Your budget setting must be less than {}",
                amount(code, ceiling)
            )));
        }
        let Some(row) = existing else {
            return Ok(Verdict::Set(value));
        };
        let minute_of_day = (at + advertiser.utc_offset_ms).rem_euclid(DAY_MS) / 60_000;
        if minute_of_day >= 23 * 60 + 55
            && self
                .knobs
                .is(&knobs::BUDGET_EDIT_LOCK, advertiser_id, "true")
        {
            return Err(Refusal::parameter(
                "The budget cannot be changed between 23:55 and 00:00. Please try again later.",
            ));
        }
        let lowest = row.spent_against_budget(at, advertiser) * 1.05;
        if value < row.budget() && value + 1e-9 < lowest {
            if self
                .knobs
                .is(&knobs::BUDGET_BELOW_SPEND, advertiser_id, "ignore")
            {
                return Ok(Verdict::Ignore);
            }
            let lowest = (lowest * scale - 1e-6).ceil() / scale;
            return Err(Refusal::parameter(format!(
                "Your budget must be at least 105% of the current spend: {}",
                amount(code, lowest)
            )));
        }
        Ok(Verdict::Set(value))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_written_as_tiktok_does() {
        assert_eq!(amount("GBP", 50.0), "£50");
        assert_eq!(amount("JPY", 5_000.0), "¥5000");
        assert_eq!(amount("USD", 52.5), "$52.50");
        assert_eq!(amount("SEK", 50.0), "SEK 50");
    }
}
