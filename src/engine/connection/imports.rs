//! How soon an imported token is tried. Whoever may edit a Secret may edit it many times a second.

use std::time::Duration;

use jiff::Timestamp;

use super::super::calls::backoff;
use super::facts::ConnectionMemo;
use crate::model::connection::CHECK_SPACING;

/// The imports since TikTok last took the token in use.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Imports {
    times: u32,
    /// Before this time the last one was not to be tried.
    until: Option<Timestamp>,
}

impl Imports {
    /// TikTok takes what was imported.
    pub fn went_well(&mut self) {
        self.times = 0;
    }

    /// Another import, now: when it may be tried. `checked`: when TikTok was asked last.
    fn next(&mut self, checked: Option<Timestamp>, most: Duration, now: Timestamp) -> Timestamp {
        let until = match self.until {
            // The one before was not tried yet: this one is in its place. Unless the clock was set back.
            Some(until) if now < until && until <= now + most => until,
            Some(until) if until <= now => {
                self.times = self.times.saturating_add(1);
                (until + backoff((CHECK_SPACING, most), self.times)).max(now)
            }
            _ => now,
        };
        let spaced = checked
            .map(|at| at + CHECK_SPACING)
            .filter(|at| *at <= now + CHECK_SPACING);
        let until = spaced.map_or(until, |at| until.max(at));
        self.until = Some(until);
        until
    }
}

impl ConnectionMemo {
    /// A token, or an app's secret, was imported: neither a check nor a renewal goes out for it before this allows it. One that
    /// comes alone is tried at once, a row of them with growing pauses.
    pub(super) fn space_import(&mut self, most: Duration, now: Timestamp) {
        let most = most.max(CHECK_SPACING);
        let checked = self.check.as_ref().map(|c| c.at);
        let until = self.imports.next(checked, most, now);
        self.not_before = Some(until).filter(|until| now < *until);
        self.life.not_before = self.not_before;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOST: Duration = Duration::from_secs(300);

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_000_000 + second).unwrap()
    }

    #[test]
    fn one_import_is_tried_at_once_and_a_row_of_them_ever_more_seldom() {
        let mut imports = Imports::default();
        let mut tried: Vec<i64> = Vec::new();
        for second in 0..3600 {
            let until = imports.next(None, MOST, at(second)).as_second() - 1_000_000;
            assert!(
                until >= second && until <= second + 300,
                "{second}: {until}"
            );
            if tried.last() != Some(&until) {
                tried.push(until);
            }
        }
        assert_eq!(tried[..5], [0, 5, 15, 35, 75]);
        assert!(tried.len() < 20, "{tried:?}");
        // After a quiet while one is tried at once again.
        assert_eq!(imports.next(None, MOST, at(5000)), at(5000));
    }

    #[test]
    fn after_a_token_that_worked_only_the_last_check_counts() {
        let mut imports = Imports::default();
        imports.next(None, MOST, at(0));
        imports.next(None, MOST, at(5));
        imports.went_well();
        assert_eq!(imports.next(Some(at(5)), MOST, at(8)), at(10));
    }

    #[test]
    fn a_clock_that_was_set_back_keeps_nobody_waiting() {
        let mut imports = Imports::default();
        imports.next(None, MOST, at(100_000));
        assert_eq!(imports.next(Some(at(100_000)), MOST, at(0)), at(0));
    }
}
