//! The request budget (decision 10, R6): may this call go out now, and if not, when to ask again.
//!
//! Pure: time is an argument, nothing waits. TikTok counts per developer app; it also has a limit per advertiser
//! whose numbers are unknown and which shows itself as code 40133.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::time::Duration;

use jiff::Timestamp;

use super::error::Throttle;
use super::window::{Limits, Log, Turns, midnight_after};

const SECOND: i64 = 1_000_000;
/// TikTok wants this much silence after a limit per minute was hit.
const AFTER_MINUTE: i64 = 300 * SECOND;
/// While a path is stopped, pauses try it this often (R6).
const SAFETY_TRY: i64 = 10 * SECOND;
/// A throttle this soon after the last one ended means that the last one was too short.
const AGAIN: i64 = 10 * SECOND;
const LONGEST_ADVERTISER_BACKOFF: i64 = 60 * SECOND;
/// Longest wait that is believed of a reply.
const LONGEST_NAMED_WAIT: i64 = 3600 * SECOND;

/// The developer app's level at TikTok, which fixes how many calls it may make. Basic is what every app starts with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Tier {
    #[default]
    Basic,
    Advanced,
    Premium,
    Ultimate,
}

impl Tier {
    /// TikTok's table of rate limits, per developer app. No campaign call has a lower one of its own.
    pub(super) fn limits(self) -> Limits {
        match self {
            Tier::Basic => Limits {
                second: 10,
                minute: 600,
                day: 864_000,
            },
            Tier::Advanced => Limits {
                second: 20,
                minute: 1_200,
                day: 1_728_000,
            },
            Tier::Premium => Limits {
                second: 30,
                minute: 1_800,
                day: 2_592_000,
            },
            Tier::Ultimate => Limits {
                second: 50,
                minute: 3_000,
                day: 4_320_000,
            },
        }
    }

    /// Calls per minute of one app.
    pub fn per_minute(self) -> u32 {
        self.limits().minute
    }
}

/// Not the name of a tier.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "no such tier: use Basic, Advanced, Premium or Ultimate, as TikTok's developer portal shows it for the app"
)]
pub struct TierError;

impl FromStr for Tier {
    type Err = TierError;

    fn from_str(text: &str) -> Result<Tier, TierError> {
        [Tier::Basic, Tier::Advanced, Tier::Premium, Tier::Ultimate]
            .into_iter()
            .find(|tier| format!("{tier:?}").eq_ignore_ascii_case(text))
            .ok_or(TierError)
    }
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
    /// Whether TikTok counts each path on its own. Unknown; assumed not, which is the lower limit.
    pub count_per_path: bool,
    /// Calls per second of one advertiser, if a limit is known. TikTok publishes none.
    pub advertiser_per_second: Option<u32>,
    /// How much the way to TikTok may squeeze calls together: windows are watched this much longer than TikTok's.
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
    /// By app, and by path where TikTok counts so.
    buckets: BTreeMap<(String, String), Bucket>,
    /// By app and advertiser.
    advertisers: BTreeMap<(String, String), Log>,
    /// By app and path; with an advertiser for what stops only that one.
    stops: BTreeMap<(String, String, Option<String>), Stop>,
    /// The latest time seen, in microseconds.
    latest: i64,
}

#[derive(Debug, Default)]
struct Bucket {
    log: Log,
    /// Turns between the advertisers of an app, for each urgency.
    turns: [Turns; 3],
}

/// A path that TikTok wants silence on.
#[derive(Clone, Copy, Debug)]
struct Stop {
    until: i64,
    last_safety_try: i64,
    length: i64,
}

impl Stop {
    /// When to ask again, if not now.
    fn blocked(&self, urgency: Urgency, now: i64) -> Option<i64> {
        let again = match urgency {
            Urgency::Safety => self.until.min(self.last_safety_try + SAFETY_TRY),
            Urgency::Normal | Urgency::Background => self.until,
        };
        (now < again).then_some(again)
    }
}

impl Budgets {
    pub fn new(tier: Tier, settings: BudgetSettings) -> Budgets {
        Budgets {
            tier,
            settings,
            buckets: BTreeMap::new(),
            advertisers: BTreeMap::new(),
            stops: BTreeMap::new(),
            latest: i64::MIN,
        }
    }

    /// Takes one call out of the budget, or says when to ask again; whoever comes back about then keeps their turn.
    ///
    /// To be asked right before the call is sent, since what is taken is taken.
    pub fn ask(
        &mut self,
        app: &str,
        advertiser: &str,
        path: &str,
        urgency: Urgency,
        now: Timestamp,
    ) -> Result<(), Timestamp> {
        let now = self.settle(now);
        let stop_keys = stop_keys(app, advertiser, path);
        let bucket = self
            .buckets
            .entry(bucket_key(&self.settings, app, path))
            .or_default();
        let turns = &mut bucket.turns[urgency as usize];

        let stopped = stop_keys
            .iter()
            .filter_map(|key| self.stops.get(key)?.blocked(urgency, now))
            .max();
        let mut own = self.settings.advertiser_per_second.map(|second| {
            let log = self
                .advertisers
                .entry((app.to_owned(), advertiser.to_owned()))
                .or_default();
            (
                log,
                Limits {
                    second,
                    minute: second.saturating_mul(60),
                    day: u32::MAX,
                },
            )
        });
        let advertiser_full = own
            .as_ref()
            .and_then(|(log, limits)| log.blocked(*limits, &self.settings, urgency, now));
        if let Some(again) = stopped.max(advertiser_full) {
            // What holds this one up must not hold up the others.
            turns.leave(advertiser);
            return Err(timestamp(again));
        }
        let limits = self.tier.limits();
        if let Some(again) = bucket.log.blocked(limits, &self.settings, urgency, now) {
            turns.wait(advertiser, again);
            return Err(timestamp(again));
        }
        let ahead = turns.ahead(advertiser, now);
        // A place is kept for somebody who may not come back: no pause waits for that while the share is free.
        let at_once =
            urgency == Urgency::Safety && bucket.log.has_safety_share(limits, &self.settings, now);
        if ahead > 0 && !at_once {
            let again = now + SECOND / i64::from(limits.second) * ahead as i64;
            turns.wait(advertiser, again);
            return Err(timestamp(again));
        }

        turns.take(advertiser);
        bucket.log.add(&self.settings, urgency, now);
        if let Some((log, _)) = &mut own {
            log.add(&self.settings, urgency, now);
        }
        if urgency == Urgency::Safety {
            for key in &stop_keys {
                if let Some(stop) = self.stops.get_mut(key) {
                    stop.last_safety_try = now;
                }
            }
        }
        Ok(())
    }

    /// Learns that TikTok refused a call of this path as one too many.
    ///
    /// TikTok does not always say which limit it was. One that is hit again right after the wait for it was a longer
    /// one; our own counts tell the rest.
    pub fn throttled(
        &mut self,
        app: &str,
        advertiser: &str,
        path: &str,
        throttle: &Throttle,
        now: Timestamp,
    ) {
        let now = self.settle(now);
        self.stops
            .retain(|_, stop| stop.until + LONGEST_NAMED_WAIT > now);
        let [for_all, for_one] = stop_keys(app, advertiser, path);
        let key = if *throttle == Throttle::Advertiser {
            for_one
        } else {
            for_all
        };
        let before = self.stops.get(&key).copied();
        // Several calls in flight are refused together: that is one throttle, not several.
        let running = before.filter(|stop| now < stop.until);
        let just_ended =
            before.filter(|stop| (stop.until..stop.until + AGAIN.max(stop.length)).contains(&now));

        let length = match throttle {
            Throttle::Advertiser => match (running, just_ended) {
                (Some(stop), _) => stop.length,
                (None, Some(stop)) => (stop.length * 2).min(LONGEST_ADVERTISER_BACKOFF),
                (None, None) => SECOND,
            },
            Throttle::After(wait) => i64::try_from(wait.as_micros())
                .unwrap_or(i64::MAX)
                .clamp(SECOND, LONGEST_NAMED_WAIT),
            Throttle::Day => midnight_after(now) - now,
            Throttle::Minute if self.is_day_used(app, path, now) => midnight_after(now) - now,
            Throttle::Minute => AFTER_MINUTE,
            Throttle::Second if just_ended.is_some() || self.is_minute_used(app, path, now) => {
                AFTER_MINUTE
            }
            Throttle::Second => SECOND,
        };
        let until = (now + length).max(running.map_or(i64::MIN, |stop| stop.until));
        let last_safety_try = running.map_or(now, |stop| stop.last_safety_try);
        self.stops.insert(
            key,
            Stop {
                until,
                last_safety_try,
                length,
            },
        );
    }

    /// Calls of the app within the last minute, for the metrics.
    pub fn used_in_last_minute(&self, app: &str, now: Timestamp) -> u32 {
        let now = now.as_microsecond();
        let of_app = self.buckets.iter().filter(|((owner, _), _)| owner == app);
        of_app.map(|(_, bucket)| bucket.log.last_minute(now)).sum()
    }

    /// Whether our own calls alone come near the limit per minute.
    fn is_minute_used(&self, app: &str, path: &str, now: i64) -> bool {
        let bucket = self.buckets.get(&bucket_key(&self.settings, app, path));
        bucket
            .is_some_and(|bucket| bucket.log.last_minute(now) >= self.tier.limits().minute / 10 * 9)
    }

    /// Whether our own calls alone come near the limit per day.
    fn is_day_used(&self, app: &str, path: &str, now: i64) -> bool {
        let bucket = self.buckets.get(&bucket_key(&self.settings, app, path));
        bucket.is_some_and(|bucket| bucket.log.today(now) >= self.tier.limits().day / 10 * 9)
    }

    /// The time in microseconds. A clock that was set back takes everything we know along, else a jump of an hour
    /// would keep all calls waiting for an hour.
    fn settle(&mut self, now: Timestamp) -> i64 {
        let now = now.as_microsecond();
        if self.latest > now {
            let by = self.latest - now;
            for bucket in self.buckets.values_mut() {
                bucket.log.shift(by);
                bucket.turns.iter_mut().for_each(|turns| turns.shift(by));
            }
            self.advertisers.values_mut().for_each(|log| log.shift(by));
            for stop in self.stops.values_mut() {
                stop.until -= by;
                stop.last_safety_try -= by;
            }
        }
        self.latest = now;
        now
    }
}

fn bucket_key(settings: &BudgetSettings, app: &str, path: &str) -> (String, String) {
    (
        app.to_owned(),
        if settings.count_per_path {
            path.to_owned()
        } else {
            String::new()
        },
    )
}

fn stop_keys(app: &str, advertiser: &str, path: &str) -> [(String, String, Option<String>); 2] {
    let key = |advertiser: Option<String>| (app.to_owned(), path.to_owned(), advertiser);
    [key(None), key(Some(advertiser.to_owned()))]
}

fn timestamp(microseconds: i64) -> Timestamp {
    Timestamp::from_microsecond(microseconds).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
#[path = "budget_tests.rs"]
mod tests;
