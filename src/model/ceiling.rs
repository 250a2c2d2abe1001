//! R20: the ceiling on configured budgets.
//!
//! What counts is what could be spent in a day: a daily budget as it is, a dynamic one × 1.25 of the highest value within
//! a day, a lifetime budget whole (how much of it is left, and over how many days, is not known here). A campaign with a
//! budget of its own is bounded by it; one without is bounded by the ad groups in it that are on; ads have no budget.

use std::collections::{BTreeMap, BTreeSet};

use super::facts::Caps;
use super::reason::Reason;
use crate::platform::{Cents, Kind, OperationState, Row, Tree};

/// What the account's objects that are on could spend in a day.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CeilingView {
    /// False until a complete list of campaigns in every tree was read: then nothing can be said.
    pub complete: bool,
    /// Trees whose ad groups were completely read.
    pub ad_groups_of: BTreeSet<Tree>,
    /// Campaigns by id.
    pub campaigns: BTreeMap<String, CampaignSpend>,
    /// Ad groups that are on, or about to be, by campaign and id: the most each could spend in a day; `None` when it has
    /// no budget of its own.
    pub ad_groups: BTreeMap<String, BTreeMap<String, Option<Bound>>>,
}

/// One campaign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CampaignSpend {
    pub tree: Tree,
    /// It is on, or about to be.
    pub on: bool,
    /// The most its own budget lets it spend in a day; `None`: what its ad groups may.
    pub own: Option<Bound>,
}

/// What counts of a budget, in hundredths, and of which budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bound {
    /// The most that it lets its object spend in a day.
    pub most: i64,
    /// The budget itself.
    pub budget: i64,
    pub period: Period,
}

impl Bound {
    /// A daily budget.
    pub fn daily(budget: i64) -> Self {
        Self {
            most: budget,
            budget,
            period: Period::Day,
        }
    }
}

/// What a budget is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Period {
    Day,
    /// A day on average over a week.
    Average,
    /// The object's whole life.
    Life,
}

impl Period {
    /// Of TikTok's word for it; `None`: there is no budget at this level.
    pub fn of(mode: Option<&str>) -> Option<Self> {
        match mode? {
            "BUDGET_MODE_DAY" => Some(Self::Day),
            "BUDGET_MODE_DYNAMIC_DAILY_BUDGET" => Some(Self::Average),
            "BUDGET_MODE_TOTAL" => Some(Self::Life),
            _ => None,
        }
    }

    /// As it stands behind an amount and its currency.
    pub fn words(self) -> &'static str {
        match self {
            Self::Day => "a day",
            Self::Average => "a day on average",
            Self::Life => "in all",
        }
    }
}

/// By what a campaign that is on may spend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Spends<'a> {
    /// Its own budget.
    Own,
    /// The budgets of these ad groups, which are on.
    AdGroups(Vec<&'a str>),
    /// Those of its ad groups, which were not completely read.
    Unread,
}

/// What is to be switched on or raised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Candidate {
    /// A campaign; `own` as in [`CampaignSpend`].
    Campaign {
        id: String,
        tree: Tree,
        own: Option<Bound>,
    },
    /// An ad group and the campaign it is in.
    AdGroup {
        id: String,
        campaign: String,
        amount: Option<Bound>,
    },
    /// An ad: it spends what its ad group may.
    Ad,
}

impl Candidate {
    /// An object with the budget it has, or shall have.
    pub fn of(row: &Row, amount: Option<Bound>) -> Self {
        match row.kind {
            Kind::Campaign => Self::Campaign {
                id: row.id.clone(),
                tree: row.tree,
                own: amount,
            },
            Kind::AdGroup => Self::AdGroup {
                id: row.id.clone(),
                campaign: row.campaign.clone().unwrap_or_default(),
                amount,
            },
            Kind::Ad => Self::Ad,
        }
    }
}

/// Why something may not be switched on or raised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    pub reason: Reason,
    /// What is so, and what to do. Whether the object is off, and since when, is said by who uses it.
    pub message: String,
}

/// The most an object could spend in a day. `None`: unbounded at this level.
pub fn per_day(mode: Option<&str>, budget: Option<Cents>) -> Option<Bound> {
    let Cents(budget) = budget?;
    let period = Period::of(mode)?;
    let most = match period {
        Period::Average => budget.saturating_mul(5).saturating_add(3) / 4,
        Period::Day | Period::Life => budget,
    };
    Some(Bound {
        most,
        budget,
        period,
    })
}

/// The same for a row, `high` being the highest budget it had within the last day.
pub fn row_per_day(row: &Row, high: Option<Cents>) -> Option<Bound> {
    let budget = row.budget.max(row.current_budget).max(high);
    per_day(row.budget_mode.as_deref(), budget)
}

impl Caps {
    /// A hold that does not depend on the neighbours: it keeps an object off and switches a running one off. `amount`
    /// is the most its own budget lets it spend in a day.
    pub fn standing_hold(&self, amount: Option<Bound>, currency: &str) -> Option<Hold> {
        // The total depends on the neighbours: it is asked before something is switched on, never to switch off. Without
        // a budget of its own there is nothing to compare: that stops a switching on, not a running object.
        self.usable(currency)
            .and_then(|()| amount.map_or(Ok(()), |amount| self.alone(amount, currency)))
            .err()
    }

    /// Are there ceilings, and in the account's currency?
    fn usable(&self, currency: &str) -> Result<(), Hold> {
        if let Some(wrong) = &self.wrong_currency {
            return Err(Hold {
                reason: Reason::CurrencyMismatch,
                message: format!(
                    "the connection's caps are in {wrong}, the account is in {currency}; write spec.caps in {currency}"
                ),
            });
        }
        if self.per_object.is_none() && self.total.is_none() {
            return Err(Hold {
                reason: Reason::NoBudgetCeiling,
                message: "no ceiling on budgets is set; set spec.caps.maxDailyBudgetPerObject or \
                          spec.caps.maxDailyBudgetTotal on the connection"
                    .into(),
            });
        }
        Ok(())
    }

    fn alone(&self, amount: Bound, currency: &str) -> Result<(), Hold> {
        let Some(most) = self.per_object.filter(|most| amount.most > *most) else {
            return Ok(());
        };
        let cap = format!(
            "the connection's maxDailyBudgetPerObject ({} {currency})",
            Cents(most)
        );
        let (counts, budget) = (Cents(amount.most), Cents(amount.budget));
        let message = match amount.period {
            Period::Day => format!(
                "it could spend {counts} {currency} a day, more than {cap}; lower spec.budget or raise the cap"
            ),
            Period::Average => format!(
                "a DynamicDaily budget of {budget} {currency} lets TikTok spend up to {counts} {currency} on one day, more \
                 than {cap}; lower spec.budget or raise the cap"
            ),
            // Raising the cap to a lifetime budget would let everything else have that much a day.
            Period::Life => format!(
                "a lifetime budget of {budget} {currency} counts whole against {cap}, since TikTok decides how much of it is \
                 spent on which day; make a new object with mode Daily, or lower spec.budget. A cap of {budget} {currency} \
                 would let every campaign and ad group of the account have that much a day"
            ),
        };
        Err(Hold {
            reason: Reason::CeilingReached,
            message,
        })
    }
}

impl CeilingView {
    /// Enters a row.
    pub fn count(&mut self, row: &Row, high: Option<Cents>) {
        let on = row.operation == OperationState::On;
        let amount = row_per_day(row, high);
        // Every kind says here what it spends: what is not counted may spend past every ceiling.
        match row.kind {
            Kind::Campaign => {
                let spend = CampaignSpend {
                    tree: row.tree,
                    on,
                    own: amount,
                };
                if row.operation != OperationState::Deleted {
                    self.campaigns.insert(row.id.clone(), spend);
                }
            }
            Kind::AdGroup => {
                let campaign = row.campaign.clone().unwrap_or_default();
                if on {
                    let of = self.ad_groups.entry(campaign).or_default();
                    of.insert(row.id.clone(), amount);
                }
            }
            // It spends what its ad group may.
            Kind::Ad => {}
        }
    }

    /// Enters what a call in flight is about to switch on or raise. Unbounded outweighs any amount; else the higher counts.
    pub fn count_about(&mut self, candidate: &Candidate) {
        let higher = |a: Option<Bound>, b: Option<Bound>| Some(a?.max(b?));
        match candidate {
            Candidate::Campaign { id, tree, own } => {
                let entry = self.campaigns.entry(id.clone()).or_insert(CampaignSpend {
                    tree: *tree,
                    on: true,
                    own: *own,
                });
                entry.on = true;
                entry.own = higher(entry.own, *own);
            }
            Candidate::AdGroup {
                id,
                campaign,
                amount,
            } => {
                let groups = self.ad_groups.entry(campaign.clone()).or_default();
                let entry = groups.entry(id.clone()).or_insert(*amount);
                *entry = higher(*entry, *amount);
            }
            Candidate::Ad => {}
        }
    }

    /// May the candidate be on? Checked over everything that is on or about to be.
    pub fn check(&self, caps: &Caps, candidate: &Candidate, currency: &str) -> Result<(), Hold> {
        caps.usable(currency)?;
        let mut with = self.clone();
        let adds = match candidate {
            Candidate::Ad => return Ok(()),
            Candidate::Campaign { id, tree, own } => {
                with.campaigns.insert(
                    id.clone(),
                    CampaignSpend {
                        tree: *tree,
                        on: true,
                        own: *own,
                    },
                );
                match own {
                    Some(amount) => caps.alone(*amount, currency)?,
                    None => with.each_bounded(caps, id, currency)?,
                }
                with.bound(id)?
            }
            Candidate::AdGroup {
                id,
                campaign,
                amount,
            } => {
                let Some(parent) = self.campaigns.get(campaign) else {
                    return Err(unread(&format!(
                        "campaign {campaign}, which this ad group is in, is not read yet"
                    )));
                };
                match amount {
                    Some(amount) => caps.alone(*amount, currency)?,
                    None if parent.own.is_some() => {}
                    None => {
                        return Err(Hold {
                            reason: Reason::CeilingUnknown,
                            message: "neither the ad group nor its campaign has a budget, so what it may spend cannot be \
                                      checked against the connection's caps; give one of them spec.budget with an amount"
                                .into(),
                        });
                    }
                }
                let groups = with.ad_groups.entry(campaign.clone()).or_default();
                groups.insert(id.clone(), *amount);
                match parent.on {
                    true => amount.map_or(0, |a| a.most),
                    // Nothing is spent before the campaign is on, and that is asked for by itself.
                    false => return Ok(()),
                }
            }
        };
        let Some(most) = caps.total else {
            return Ok(());
        };
        let sum = with.total()?;
        if sum > i128::from(most) {
            let others = i64::try_from(sum - i128::from(adds)).unwrap_or(i64::MAX);
            let how = if with.counts_otherwise() {
                ". A lifetime budget counts whole, a DynamicDaily one × 1.25: daily ones take up no more than they are"
            } else {
                ""
            };
            return Err(Hold {
                reason: Reason::CeilingReached,
                message: format!(
                    "what is on in this account counts {} {currency} against the connection's maxDailyBudgetTotal ({} \
                     {currency}) already; with {} {currency} more it would be passed; pause or lower something, or raise \
                     the cap{how}",
                    Cents(others.max(0)),
                    Cents(most),
                    Cents(adds),
                ),
            });
        }
        Ok(())
    }

    /// The campaigns that are on, or about to be, and by what each may spend.
    pub fn on(&self) -> impl Iterator<Item = (&str, Spends<'_>)> {
        let on = self.campaigns.iter().filter(|(_, spend)| spend.on);
        on.map(|(id, spend)| {
            let groups = || self.ad_groups.get(id).into_iter().flatten();
            let spends = match spend.own {
                Some(_) => Spends::Own,
                None if !self.ad_groups_of.contains(&spend.tree) => Spends::Unread,
                None => Spends::AdGroups(groups().map(|(group, _)| group.as_str()).collect()),
            };
            (id.as_str(), spends)
        })
    }

    /// Is there a budget among what is on that counts for more than it says of a day?
    fn counts_otherwise(&self) -> bool {
        let on = self.campaigns.iter().filter(|(_, c)| c.on);
        on.flat_map(|(id, campaign)| {
            let groups = self.ad_groups.get(id).into_iter().flatten();
            let below = groups.filter_map(|(_, amount)| *amount);
            let below = below.filter(|_| campaign.own.is_none());
            campaign.own.into_iter().chain(below)
        })
        .any(|bound| bound.period != Period::Day)
    }

    /// What all campaigns that are on could spend in a day.
    fn total(&self) -> Result<i128, Hold> {
        if !self.complete {
            return Err(unread(
                "the account's campaigns are not completely read yet",
            ));
        }
        let mut sum = 0;
        for id in self
            .campaigns
            .iter()
            .filter(|(_, c)| c.on)
            .map(|(id, _)| id)
        {
            sum += i128::from(self.bound(id)?);
        }
        Ok(sum)
    }

    /// The most one campaign could spend in a day, if it is on.
    fn bound(&self, campaign: &str) -> Result<i64, Hold> {
        let spend = self.campaigns.get(campaign);
        if let Some(own) = spend.and_then(|c| c.own) {
            return Ok(own.most);
        }
        if spend.is_none_or(|c| !self.ad_groups_of.contains(&c.tree)) {
            return Err(unread(&format!(
                "campaign {campaign} has no budget of its own, and the account's ad groups are not completely read yet"
            )));
        }
        let mut sum: i64 = 0;
        for (id, amount) in self.ad_groups.get(campaign).into_iter().flatten() {
            let Some(amount) = amount else {
                return Err(Hold {
                    reason: Reason::CeilingUnknown,
                    message: format!(
                        "ad group {id} is on without a budget, and its campaign {campaign} has none either, so \
                         maxDailyBudgetTotal cannot be checked; pause it, give it a budget, or use maxDailyBudgetPerObject alone"
                    ),
                });
            };
            sum = sum.saturating_add(amount.most);
        }
        Ok(sum)
    }

    /// A campaign without a budget lets its ad groups spend: each that is on has to be within the ceiling for one object.
    fn each_bounded(&self, caps: &Caps, campaign: &str, currency: &str) -> Result<(), Hold> {
        self.bound(campaign)?;
        for (id, amount) in self.ad_groups.get(campaign).into_iter().flatten() {
            let Some(amount) = amount else { continue };
            caps.alone(*amount, currency).map_err(|hold| Hold {
                message: format!("ad group {id} in it: {}", hold.message),
                ..hold
            })?;
        }
        Ok(())
    }
}

fn unread(what: &str) -> Hold {
    Hold {
        reason: Reason::CeilingUnknown,
        message: format!(
            "{what}, so the connection's caps cannot be checked; this resolves itself with the next complete list"
        ),
    }
}

#[cfg(test)]
#[path = "ceiling_tests.rs"]
mod tests;
