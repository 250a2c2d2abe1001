//! The request budget (decision 10, R6).

use std::time::Duration;

use jiff::Timestamp;

use super::error::Throttle;

/// The developer app's level at TikTok, which fixes how many calls it may make.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Tier {
    #[default]
    Basic,
    Advanced,
    Premium,
    Ultimate,
}

/// Who may use which part of the budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Urgency {
    /// Pauses and ceilings: may use everything, and a share of every window is theirs alone.
    Safety,
    Normal,
    /// Sweeps: at most [`BudgetSettings::background_percent`] of every window.
    Background,
}

/// Settings of [`Budgets`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BudgetSettings {
    /// Percent of every window that only [`Urgency::Safety`] may use.
    pub safety_percent: u32,
    /// Percent of every window that [`Urgency::Background`] may use at most.
    pub background_percent: u32,
    /// Whether TikTok counts each path on its own. Unknown; assumed not.
    pub count_per_path: bool,
    /// Calls per second of one advertiser, if a limit is known. TikTok publishes none.
    pub advertiser_per_second: Option<u32>,
    /// How much the way to TikTok may squeeze calls together: windows are watched this much longer.
    pub jitter: Duration,
}

impl Default for BudgetSettings {
    fn default() -> Self {
        BudgetSettings {
            safety_percent: 20,
            background_percent: 20,
            count_per_path: false,
            advertiser_per_second: None,
            jitter: Duration::from_millis(100),
        }
    }
}

/// How many calls may be made, and by whom, now.
#[derive(Debug)]
pub struct Budgets {
    tier: Tier,
    settings: BudgetSettings,
}

impl Budgets {
    pub fn new(tier: Tier, settings: BudgetSettings) -> Budgets {
        Budgets { tier, settings }
    }

    /// Takes one call out of the budget, or says when to ask again.
    pub fn ask(
        &mut self,
        _app: &str,
        _advertiser: &str,
        _path: &str,
        _urgency: Urgency,
        _now: Timestamp,
    ) -> Result<(), Timestamp> {
        todo!("{:?} {:?}", self.tier, self.settings)
    }

    /// Learns that TikTok refused a call of this path as one too many.
    pub fn throttled(
        &mut self,
        _app: &str,
        _advertiser: &str,
        _path: &str,
        _throttle: &Throttle,
        _now: Timestamp,
    ) {
        todo!()
    }
}
