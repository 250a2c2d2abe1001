//! R20: what could be spent, and that our own actions never pass a ceiling.

use std::collections::BTreeSet;

use serde_json::Value;
use tiktok_ads_operator::sandbox::Item;

use super::text;
use super::wire::Write;
use super::writes::has_money;
use crate::sim::api_server::{AD_GROUP, CAMPAIGN};
use crate::sim::world::World;

pub fn cents(amount: f64) -> i64 {
    (amount * 100.0).round() as i64
}

/// The amount of `{"amount": "50"}`, in hundredths.
pub fn money(value: &Value) -> Option<i64> {
    let amount = &value["amount"];
    let number: f64 = match amount {
        Value::String(text) => text.parse().ok()?,
        other => other.as_f64()?,
    };
    Some(cents(number))
}

/// What a budget lets be spent in a day, in hundredths; `None`: nothing bounds it here.
pub fn bound(mode: &str, budget: i64) -> Option<i64> {
    match mode {
        "BUDGET_MODE_DYNAMIC_DAILY_BUDGET" => Some((budget * 5 + 3) / 4),
        "BUDGET_MODE_DAY" | "BUDGET_MODE_TOTAL" => Some(budget),
        _ => None,
    }
}

fn own_bound(row: &Item) -> Option<i64> {
    bound(row.text("budget_mode"), cents(row.budget()))
}

impl World {
    pub(super) fn row_cents(&self, id: &str) -> i64 {
        self.sandbox
            .object(id)
            .map_or(0, |(_, row)| cents(row.budget()))
    }

    pub(super) fn row_bound(&self, id: &str) -> Option<i64> {
        let (_, row) = self.sandbox.object(id).ok()?;
        own_bound(row)
    }

    /// Does a ceiling keep an object off whatever its neighbours do?
    pub(super) fn is_held(&self, replica: usize, write: &Write, object: &Value, id: &str) -> bool {
        let Some(connection) = self.connection_view(replica, object) else {
            return false;
        };
        let caps = &connection["spec"]["caps"];
        if !caps.is_object() {
            return true;
        }
        let Some(most) = money(&caps["maxDailyBudgetPerObject"]) else {
            return false;
        };
        // What the replica has read, what is so, and what the spec wants: the highest counts.
        let read = self.row_in_view(replica, write.kind, id).and_then(|row| {
            let wanted = money(&object["spec"]["budget"]);
            let budget = row.budget.map(|b| b.0).max(wanted)?;
            bound(row.budget_mode.as_deref().unwrap_or_default(), budget)
        });
        has_money(write.kind) && read.max(self.row_bound(id)).is_some_and(|b| b > most)
    }

    /// Without caps nothing is switched on and no budget raised; nothing is above the cap for one object; what has no
    /// budget of its own is bounded from above or from below.
    pub(super) fn checked_ceiling(
        &mut self,
        replica: usize,
        write: &Write,
        object: &Value,
        id: &str,
        amount: Option<i64>,
    ) {
        let name = text(&object["metadata"], "name").to_string();
        let Some(connection) = self.connection_view(replica, object) else {
            return;
        };
        let caps = &connection["spec"]["caps"];
        if !caps.is_object() {
            self.fail(format!(
                "R20: {} {name} is switched on or raised without a ceiling",
                write.kind
            ));
            return;
        }
        // What a person changed a moment ago cannot be known yet.
        if !has_money(write.kind) || self.checks.touched.contains(id) {
            return;
        }
        let most = money(&caps["maxDailyBudgetPerObject"]).unwrap_or(i64::MAX);
        if amount.is_some_and(|amount| amount > most) {
            self.fail(format!(
                "R20: {} {name} may spend {amount:?}, the ceiling is {most}",
                write.kind
            ));
        }
        if amount.is_some() {
            return;
        }
        if write.kind == AD_GROUP {
            let campaign = self
                .sandbox
                .object(id)
                .ok()
                .and_then(|(_, row)| row.campaign);
            let bounded = campaign.and_then(|id| self.row_bound(&id.to_string()));
            if bounded.is_none() {
                self.fail(format!(
                    "R20: ad group {name} is switched on, and neither it nor its campaign has a budget"
                ));
            }
        }
        // A campaign without a budget lets its ad groups spend.
        if write.kind == CAMPAIGN && self.checks.totals {
            let above = self
                .running(&write.advertiser, AD_GROUP, &BTreeSet::new())
                .filter(|row| row.campaign.map(|c| c.to_string()).as_deref() == Some(id))
                .find(|row| own_bound(row).is_none_or(|b| b > most))
                .map(|row| row.id);
            if let Some(above) = above {
                self.fail(format!(
                    "R20: campaign {name} is switched on, and ad group {above} in it may spend more than {most}"
                ));
            }
        }
    }

    /// Rows that are on, or about to be, and that no person has touched.
    fn running<'a>(
        &'a self,
        advertiser: &'a str,
        kind: &str,
        about: &'a BTreeSet<String>,
    ) -> impl Iterator<Item = &'a Item> {
        self.rows_of(kind, advertiser).filter(|row| {
            let id = row.id.to_string();
            self.alive(row)
                && !self.checks.touched.contains(&id)
                && (row.is_on() || about.contains(&id))
        })
    }

    /// R20: what we switched on and nobody else touched never sums above the total. A campaign counts with its own
    /// budget, or with those of its ad groups.
    pub(super) fn checked_total(
        &mut self,
        replica: usize,
        write: &Write,
        object: &Value,
        ids: &[String],
        raised: Option<(&str, i64)>,
    ) {
        let total = self.connection_view(replica, object);
        let total = total.and_then(|c| money(&c["spec"]["caps"]["maxDailyBudgetTotal"]));
        let (true, Some(most)) = (self.checks.totals, total) else {
            return;
        };
        // An ad spends what its ad group may.
        if !has_money(write.kind) {
            return;
        }
        let in_flight = self.checks.enabling.values().flat_map(|(_, ids)| ids);
        let others: BTreeSet<String> = in_flight.filter(|id| !ids.contains(id)).cloned().collect();
        let with: BTreeSet<String> = others.iter().chain(ids).cloned().collect();
        let before = self.could_spend(&write.advertiser, &others, None);
        let sum = self.could_spend(&write.advertiser, &with, raised);
        if sum > most && sum > before {
            self.fail(format!(
                "R20: with {} {ids:?} {raised:?} the account could spend {sum} a day instead of {before}, the total ceiling is {most}",
                write.kind
            ));
        }
    }

    /// What untouched rows that are on, or about to be, could spend in a day: a campaign what its own budget says, or
    /// what the ad groups in it may.
    fn could_spend(
        &self,
        advertiser: &str,
        about: &BTreeSet<String>,
        raised: Option<(&str, i64)>,
    ) -> i64 {
        let amount = |row: &Item| match raised {
            Some((id, budget)) if id == row.id.to_string() => {
                bound(row.text("budget_mode"), budget)
            }
            _ => own_bound(row),
        };
        self.running(advertiser, CAMPAIGN, about)
            .map(|campaign| {
                amount(campaign).unwrap_or_else(|| {
                    self.running(advertiser, AD_GROUP, about)
                        .filter(|row| row.campaign == Some(campaign.id))
                        .filter_map(amount)
                        .sum()
                })
            })
            .sum()
    }
}
