//! How many calls went out lately, and who is next. Pure; times are microseconds since the epoch.

use std::collections::{BTreeMap, VecDeque};

use super::budget::{BudgetSettings, Urgency};

const SECOND: i64 = 1_000_000;
const MINUTE: i64 = 60 * SECOND;
const DAY: i64 = 86_400 * SECOND;
/// How long someone who was told to come back at a time keeps the place after it.
const GRACE: i64 = SECOND / 5;

/// Calls per second, minute and day (UTC).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Limits {
    pub second: u32,
    pub minute: u32,
    pub day: u32,
}

/// How a limit is split.
#[derive(Clone, Copy, Debug)]
struct Shares {
    all: u32,
    not_safety: u32,
    background: u32,
}

impl Shares {
    /// Everybody keeps at least one call of a limit of two or more, whatever the percentages say.
    fn of(limit: u32, settings: &BudgetSettings) -> Shares {
        let part = |percent: u32| (u64::from(limit) * u64::from(percent.min(100)) / 100) as u32;
        let reserved = match (limit, settings.safety_percent) {
            (0 | 1, _) | (_, 0) => 0,
            (_, percent) => part(percent).clamp(1, limit - 1),
        };
        let not_safety = limit - reserved;
        Shares {
            all: limit,
            not_safety,
            background: part(settings.background_percent).clamp(1, not_safety.max(1)),
        }
    }
}

/// The calls of one bucket over the last minute and the current day.
#[derive(Debug, Default)]
pub(super) struct Log {
    /// Oldest first.
    calls: VecDeque<(i64, Urgency)>,
    day: i64,
    today: [u32; 3],
}

impl Log {
    /// `None` if a call may go out now, else when to ask again.
    pub fn blocked(
        &self,
        limits: Limits,
        settings: &BudgetSettings,
        urgency: Urgency,
        now: i64,
    ) -> Option<i64> {
        let jitter = jitter(settings);
        let windows = [
            (SECOND + jitter, limits.second),
            (MINUTE + jitter, limits.minute),
        ];
        let in_windows = windows.into_iter().filter_map(|(width, limit)| {
            let shares = Shares::of(limit, settings);
            let all = self.full(width, shares.all, now, |_| true);
            let not_safety = (urgency != Urgency::Safety)
                .then(|| {
                    self.full(width, shares.not_safety, now, |call| {
                        call != Urgency::Safety
                    })
                })
                .flatten();
            let background = (urgency == Urgency::Background)
                .then(|| {
                    self.full(width, shares.background, now, |call| {
                        call == Urgency::Background
                    })
                })
                .flatten();
            all.max(not_safety).max(background)
        });
        in_windows
            .max()
            .max(self.day_full(limits.day, settings, urgency, now))
    }

    /// Whether pauses have used less than what is theirs alone.
    pub fn has_safety_share(&self, limits: Limits, settings: &BudgetSettings, now: i64) -> bool {
        let width = SECOND + jitter(settings);
        let shares = Shares::of(limits.second, settings);
        let used = self
            .calls
            .iter()
            .rev()
            .take_while(|(at, _)| at + width > now);
        let used = used
            .filter(|(_, urgency)| *urgency == Urgency::Safety)
            .count();
        used < (shares.all - shares.not_safety) as usize
    }

    /// When the window has room again for calls of the group, if it has none now.
    fn full(&self, width: i64, cap: u32, now: i64, group: impl Fn(Urgency) -> bool) -> Option<i64> {
        let calls = self
            .calls
            .iter()
            .rev()
            .take_while(|(at, _)| at + width > now);
        let leaves_last = calls
            .filter(|(_, urgency)| group(*urgency))
            .nth(cap.max(1) as usize - 1);
        leaves_last.map(|(at, _)| at + width)
    }

    fn day_full(
        &self,
        limit: u32,
        settings: &BudgetSettings,
        urgency: Urgency,
        now: i64,
    ) -> Option<i64> {
        if self.day != now.div_euclid(DAY) {
            return None;
        }
        let shares = Shares::of(limit, settings);
        let [safety, normal, background] = self.today;
        let full = safety + normal + background >= shares.all
            || (urgency != Urgency::Safety && normal + background >= shares.not_safety)
            || (urgency == Urgency::Background && background >= shares.background);
        full.then(|| midnight_after(now))
    }

    pub fn add(&mut self, settings: &BudgetSettings, urgency: Urgency, now: i64) {
        let oldest = now - MINUTE - jitter(settings);
        while self.calls.front().is_some_and(|(at, _)| *at <= oldest) {
            self.calls.pop_front();
        }
        self.calls.push_back((now, urgency));
        let day = now.div_euclid(DAY);
        if day != self.day {
            (self.day, self.today) = (day, [0; 3]);
        }
        self.today[urgency as usize] += 1;
    }

    /// Calls within the last minute.
    pub fn last_minute(&self, now: i64) -> u32 {
        self.calls
            .iter()
            .rev()
            .take_while(|(at, _)| at + MINUTE > now)
            .count() as u32
    }

    pub fn today(&self, now: i64) -> u32 {
        if self.day == now.div_euclid(DAY) {
            self.today.iter().sum()
        } else {
            0
        }
    }

    /// The clock went back: what is known keeps its age.
    pub fn shift(&mut self, by: i64) {
        for (at, _) in &mut self.calls {
            *at -= by;
        }
    }
}

fn jitter(settings: &BudgetSettings) -> i64 {
    i64::try_from(settings.jitter.as_micros())
        .unwrap_or(SECOND)
        .clamp(0, MINUTE)
}

/// The next 00:00:00 UTC.
pub(super) fn midnight_after(now: i64) -> i64 {
    (now.div_euclid(DAY) + 1) * DAY
}

/// Turns among those who share a bucket: whoever was served least since the others began to wait goes first
/// (start-time fair queueing). Someone who asks alone is never held up.
#[derive(Debug, Default)]
pub(super) struct Turns {
    /// The tag of the last turn.
    clock: u64,
    /// The tag of each one's next turn, where it is ahead of the clock.
    next: BTreeMap<String, u64>,
    /// Who was told to come back, and when.
    waiting: BTreeMap<String, i64>,
}

impl Turns {
    /// How many others are to go first.
    pub fn ahead(&mut self, who: &str, now: i64) -> usize {
        self.waiting.retain(|_, due| *due + GRACE >= now);
        let own = self.tag(who);
        self.waiting
            .keys()
            .filter(|other| *other != who && self.tag(other) < own)
            .count()
    }

    fn tag(&self, who: &str) -> u64 {
        self.next.get(who).copied().unwrap_or(0).max(self.clock)
    }

    pub fn wait(&mut self, who: &str, due: i64) {
        self.waiting.insert(who.to_owned(), due);
    }

    /// It no longer waits for a turn, but for something else.
    pub fn leave(&mut self, who: &str) {
        self.waiting.remove(who);
    }

    pub fn take(&mut self, who: &str) {
        let tag = self.tag(who);
        self.clock = tag;
        self.waiting.remove(who);
        self.next.retain(|_, next| *next > tag);
        self.next.insert(who.to_owned(), tag + 1);
    }

    pub fn shift(&mut self, by: i64) {
        for due in self.waiting.values_mut() {
            *due -= by;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: i64 = 20_000 * DAY + DAY / 2;

    /// Asks every ten milliseconds for as long as said; returns when calls went out.
    fn ask_always(
        log: &mut Log,
        limits: Limits,
        urgency: Urgency,
        from: i64,
        length: i64,
    ) -> Vec<i64> {
        let settings = BudgetSettings::default();
        let mut grants = Vec::new();
        let mut now = from;
        while now < from + length {
            match log.blocked(limits, &settings, urgency, now) {
                None => {
                    log.add(&settings, urgency, now);
                    grants.push(now);
                }
                Some(again) => assert!(again > now),
            }
            now += 10_000;
        }
        grants
    }

    #[test]
    fn r06_a_limit_per_minute_below_sixty_seconds_worth_holds() {
        let limits = Limits {
            second: 5,
            minute: 20,
            day: 1_000,
        };
        let mut log = Log::default();
        let grants = ask_always(&mut log, limits, Urgency::Normal, NOON, 150 * SECOND);
        for (first, start) in grants.iter().enumerate() {
            assert!(
                grants[first..]
                    .iter()
                    .take_while(|time| *time - start < MINUTE)
                    .count()
                    <= 16
            );
        }
        assert_eq!(grants.len(), 3 * 16);
        assert_eq!(
            ask_always(
                &mut log,
                limits,
                Urgency::Safety,
                NOON + 150 * SECOND,
                3 * SECOND
            )
            .len(),
            4
        );
    }

    #[test]
    fn r06_a_day_ends_at_midnight_utc() {
        let limits = Limits {
            second: 10,
            minute: 600,
            day: 50,
        };
        let mut log = Log::default();
        assert_eq!(
            ask_always(&mut log, limits, Urgency::Background, NOON, MINUTE).len(),
            10
        );
        assert_eq!(
            ask_always(&mut log, limits, Urgency::Normal, NOON + MINUTE, MINUTE).len(),
            30
        );
        assert_eq!(
            ask_always(&mut log, limits, Urgency::Safety, NOON + 2 * MINUTE, MINUTE).len(),
            10
        );
        let blocked = |now| log.blocked(limits, &BudgetSettings::default(), Urgency::Safety, now);
        assert_eq!(blocked(NOON + 3 * MINUTE), Some(NOON + DAY / 2));
        assert_eq!(blocked(NOON + DAY / 2), None);
        assert_eq!(midnight_after(NOON + DAY / 2), NOON + DAY / 2 + DAY);
    }

    #[test]
    fn r06_every_limit_leaves_everybody_something() {
        for limit in 1..100 {
            for percent in [0, 20, 100, 1_000] {
                let settings = BudgetSettings {
                    safety_percent: percent,
                    background_percent: percent,
                    ..BudgetSettings::default()
                };
                let shares = Shares::of(limit, &settings);
                assert_eq!(shares.all, limit);
                assert!((1..=limit).contains(&shares.not_safety));
                assert!((1..=shares.not_safety).contains(&shares.background));
                assert!(
                    percent == 0 || limit == 1 || shares.not_safety < limit,
                    "pauses have a share"
                );
            }
        }
    }
}
