//! The request budget (decision 10, R6): may this call go out now, and if not, when to ask again.
//!
//! Pure: time is an argument, nothing waits. TikTok counts per developer app; it also has a limit per advertiser and
//! path whose numbers are unknown and which shows itself as code 40133.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use super::error::Throttle;
use super::tier::Tier;
use super::window::{Limits, Log, Turns, midnight_after};

const SECOND: i64 = 1_000_000;
/// TikTok wants this much silence after a limit per minute was hit.
const AFTER_MINUTE: i64 = 300 * SECOND;
/// While a path is stopped, pauses try it this often (R6).
const SAFETY_TRY: i64 = 10 * SECOND;
/// A throttle this soon after the last one ended means that the last one was too short.
const AGAIN: i64 = 10 * SECOND;
const LONGEST_SECONDS_BACKOFF: i64 = 60 * SECOND;
/// A limit that a refusal named is kept for this long.
const LEARNED_FOR: i64 = 3600 * SECOND;
/// From so many buckets on, those that are hardly used are forgotten.
const MOST_BUCKETS: usize = 1024;
/// Longest wait that is believed of a reply.
const LONGEST_NAMED_WAIT: i64 = 3600 * SECOND;

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
    /// By app and path, for paths that have a limit of their own beside the app's.
    paths: BTreeMap<(String, String), Bucket>,
    /// How such a limit is split: no pause goes there.
    path_settings: BudgetSettings,
    /// By app and advertiser.
    advertisers: BTreeMap<(String, String), Log>,
    /// By app and path; with an advertiser for what stops only that one.
    stops: BTreeMap<StopKey, Stop>,
    /// Limits that refusals named, of one advertiser on one path.
    learned: BTreeMap<StopKey, Learned>,
    /// The latest time seen, in microseconds.
    latest: i64,
}

/// App, path, and the advertiser if it is about one.
type StopKey = (String, String, Option<String>);

/// A limit that TikTok named when it refused a call.
#[derive(Debug)]
struct Learned {
    per_second: u32,
    until: i64,
    log: Log,
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

/// One of the limits that a call counts against.
struct Share<'a> {
    bucket: &'a mut Bucket,
    limits: Limits,
    settings: &'a BudgetSettings,
}

impl Share<'_> {
    fn turns(&mut self, urgency: Urgency) -> &mut Turns {
        &mut self.bucket.turns[urgency as usize]
    }

    /// When to ask again, if not now: the limit is reached, or others are to go first.
    fn wait(&mut self, advertiser: &str, urgency: Urgency, now: i64) -> Option<i64> {
        let log = &self.bucket.log;
        if let Some(again) = log.blocked(self.limits, self.settings, urgency, now) {
            return Some(again);
        }
        // A place is kept for somebody who may not come back: no pause waits for that while the share is free.
        let at_once =
            urgency == Urgency::Safety && log.has_safety_share(self.limits, self.settings, now);
        let ahead = self.turns(urgency).ahead(advertiser, now);
        (ahead > 0 && !at_once).then(|| now + SECOND / i64::from(self.limits.second) * ahead as i64)
    }
}

impl Budgets {
    pub fn new(tier: Tier, settings: BudgetSettings) -> Budgets {
        Budgets {
            tier,
            path_settings: BudgetSettings {
                safety_percent: 0,
                ..settings.clone()
            },
            settings,
            buckets: BTreeMap::new(),
            paths: BTreeMap::new(),
            advertisers: BTreeMap::new(),
            stops: BTreeMap::new(),
            learned: BTreeMap::new(),
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
        self.forget_idle(now);
        let stop_keys = stop_keys(app, advertiser, path);
        let limits = self.tier.limits();
        let of_app = self
            .buckets
            .entry(bucket_key(&self.settings, app, path))
            .or_default();
        let mut shared = vec![Share {
            bucket: of_app,
            limits,
            settings: &self.settings,
        }];
        if let Some(limits) = self.tier.path_limits(path) {
            let key = (app.to_owned(), path.to_owned());
            shared.push(Share {
                bucket: self.paths.entry(key).or_default(),
                limits,
                settings: &self.path_settings,
            });
        }

        let stopped = stop_keys
            .iter()
            .filter_map(|key| self.stops.get(key)?.blocked(urgency, now))
            .max();
        let mut own = self.settings.advertiser_per_second.map(|second| {
            let log = self
                .advertisers
                .entry((app.to_owned(), advertiser.to_owned()))
                .or_default();
            (log, per_second(second))
        });
        let mut learned = self
            .learned
            .get_mut(&stop_keys[1])
            .filter(|learned| now < learned.until)
            .map(|learned| (&mut learned.log, per_second(learned.per_second)));
        let advertiser_full = [&own, &learned]
            .into_iter()
            .flatten()
            .filter_map(|(log, limits)| log.blocked(*limits, &self.settings, urgency, now))
            .max();
        if let Some(again) = stopped.max(advertiser_full) {
            // What holds this one up must not hold up the others.
            for share in &mut shared {
                share.turns(urgency).leave(advertiser);
            }
            return Err(timestamp(again));
        }
        let waits: Vec<Option<i64>> = shared
            .iter_mut()
            .map(|share| share.wait(advertiser, urgency, now))
            .collect();
        if let Some(again) = waits.iter().copied().flatten().max() {
            for (share, wait) in shared.iter_mut().zip(waits) {
                // A place is kept where the wait is for a turn, and not at the limit that has long been free by then.
                if wait == Some(again) {
                    share.turns(urgency).wait(advertiser, again);
                } else {
                    share.turns(urgency).leave(advertiser);
                }
            }
            return Err(timestamp(again));
        }

        for share in &mut shared {
            share.turns(urgency).take(advertiser);
            share.bucket.log.add(share.settings, urgency, now);
        }
        for (log, _) in [&mut own, &mut learned].into_iter().flatten() {
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
        self.learned.retain(|_, learned| learned.until > now);
        let key = match throttle {
            Throttle::Advertiser { per_second } => {
                if let Some(per_second) = *per_second {
                    self.learn(for_one.clone(), per_second, now);
                }
                for_one
            }
            _ => for_all,
        };
        let before = self.stops.get(&key).copied();
        // Several calls in flight are refused together: that is one throttle, not several.
        let running = before.filter(|stop| now < stop.until);
        let just_ended =
            before.filter(|stop| (stop.until..stop.until + AGAIN.max(stop.length)).contains(&now));

        let length = match throttle {
            Throttle::Second | Throttle::Advertiser { .. } => match (running, just_ended) {
                (Some(stop), _) => stop.length,
                (None, Some(stop)) => (stop.length * 2).min(LONGEST_SECONDS_BACKOFF),
                (None, None) => SECOND,
            },
            Throttle::After(wait) => i64::try_from(wait.as_micros())
                .unwrap_or(i64::MAX)
                .clamp(SECOND, LONGEST_NAMED_WAIT),
            Throttle::Day => midnight_after(now) - now,
            Throttle::Minute if self.is_day_used(app, path, now) => midnight_after(now) - now,
            Throttle::Minute => AFTER_MINUTE,
            Throttle::Unsaid if just_ended.is_some() || self.is_minute_used(app, path, now) => {
                AFTER_MINUTE
            }
            Throttle::Unsaid => SECOND,
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

    /// The call that was refused is in no log yet: the next counts as the first.
    fn learn(&mut self, key: StopKey, per_second: u32, now: i64) {
        let learned = self.learned.entry(key).or_insert_with(|| Learned {
            per_second,
            until: now,
            log: Log::default(),
        });
        learned.per_second = per_second;
        learned.until = now + LEARNED_FOR;
    }

    /// Calls of the app within the last minute, for the metrics.
    pub fn used_in_last_minute(&self, app: &str, now: Timestamp) -> u32 {
        let now = now.as_microsecond();
        let of_app = self.buckets.iter().filter(|((owner, _), _)| owner == app);
        of_app.map(|(_, bucket)| bucket.log.last_minute(now)).sum()
    }

    /// What was counted, stopped and learned under one name counts under another from now on, unless that has a count already.
    pub fn rename(&mut self, from: &str, to: &str) {
        if self.buckets.keys().any(|(app, _)| app == to) {
            return;
        }
        let renamed = |app: &String| match app == from {
            true => to.to_owned(),
            false => app.clone(),
        };
        fn all<A, B, V>(map: &mut BTreeMap<(A, B), V>, renamed: impl Fn(&A) -> A)
        where
            A: Ord,
            B: Ord,
        {
            let old = std::mem::take(map);
            map.extend(old.into_iter().map(|((a, b), v)| ((renamed(&a), b), v)));
        }
        all(&mut self.buckets, renamed);
        all(&mut self.paths, renamed);
        all(&mut self.advertisers, renamed);
        let stops = std::mem::take(&mut self.stops).into_iter();
        self.stops = stops
            .map(|((app, path, one), stop)| ((renamed(&app), path, one), stop))
            .collect();
        let learned = std::mem::take(&mut self.learned).into_iter();
        self.learned = learned
            .map(|((app, path, one), limit)| ((renamed(&app), path, one), limit))
            .collect();
    }

    /// With so many names most are of somebody who makes up new ones: what has hardly been used is forgotten.
    fn forget_idle(&mut self, now: i64) {
        if self.buckets.len() < MOST_BUCKETS {
            return;
        }
        let in_use = |log: &Log| log.last_minute(now) > 0 || log.today(now) >= 100;
        self.buckets.retain(|_, bucket| in_use(&bucket.log));
        let buckets = &self.buckets;
        let known = |app: &String| {
            let first = buckets.range((app.clone(), String::new())..).next();
            first.is_some_and(|((owner, _), _)| owner == app)
        };
        self.paths.retain(|(app, _), _| known(app));
        self.advertisers.retain(|(app, _), _| known(app));
    }

    /// Whether our own calls alone come near a limit per minute.
    fn is_minute_used(&self, app: &str, path: &str, now: i64) -> bool {
        self.logs(app, path)
            .any(|(log, limits)| log.last_minute(now) >= limits.minute / 10 * 9)
    }

    /// Whether our own calls alone come near a limit per day.
    fn is_day_used(&self, app: &str, path: &str, now: i64) -> bool {
        self.logs(app, path)
            .any(|(log, limits)| log.today(now) >= limits.day / 10 * 9)
    }

    /// What the calls of a path count against.
    fn logs(&self, app: &str, path: &str) -> impl Iterator<Item = (&Log, Limits)> {
        let of_app = self
            .buckets
            .get(&bucket_key(&self.settings, app, path))
            .map(|bucket| (&bucket.log, self.tier.limits()));
        let of_path = self
            .paths
            .get(&(app.to_owned(), path.to_owned()))
            .zip(self.tier.path_limits(path))
            .map(|(bucket, limits)| (&bucket.log, limits));
        of_app.into_iter().chain(of_path)
    }

    /// The time in microseconds. A clock that was set back takes everything we know along, else a jump of an hour
    /// would keep all calls waiting for an hour.
    fn settle(&mut self, now: Timestamp) -> i64 {
        let now = now.as_microsecond();
        if self.latest > now {
            let by = self.latest - now;
            for bucket in self.buckets.values_mut().chain(self.paths.values_mut()) {
                bucket.log.shift(by);
                bucket.turns.iter_mut().for_each(|turns| turns.shift(by));
            }
            self.advertisers.values_mut().for_each(|log| log.shift(by));
            for learned in self.learned.values_mut() {
                learned.until -= by;
                learned.log.shift(by);
            }
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

fn per_second(second: u32) -> Limits {
    Limits {
        second,
        minute: second.saturating_mul(60),
        day: u32::MAX,
    }
}

fn stop_keys(app: &str, advertiser: &str, path: &str) -> [StopKey; 2] {
    let key = |advertiser: Option<String>| (app.to_owned(), path.to_owned(), advertiser);
    [key(None), key(Some(advertiser.to_owned()))]
}

fn timestamp(microseconds: i64) -> Timestamp {
    Timestamp::from_microsecond(microseconds).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
#[path = "budget_tests.rs"]
mod tests;
