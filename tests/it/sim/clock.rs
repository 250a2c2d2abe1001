//! Virtual time: tokio's paused clock, which jumps to the next timer when nothing else can run.

use std::time::Duration;

use jiff::Timestamp;
use tiktok_ads_operator::engine::doors::Clock;
use tokio::time::Instant;

/// Monday, 23 November 2026, 12:00 UTC.
pub const BASE_SECONDS: i64 = 1_795_435_200;

/// The clock that the engine reads. Wall clock and awake time run alike; a frozen replica sees both jump.
#[derive(Clone, Copy, Debug)]
pub struct SimClock {
    start: Instant,
}

impl SimClock {
    pub fn start() -> Self {
        Self {
            start: Instant::now(),
        }
    }

    /// Since the start of the run.
    pub fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    /// What the sandbox calls now: milliseconds since 1970.
    pub fn millis(&self) -> i64 {
        self.now().as_millisecond()
    }
}

impl Clock for SimClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_second(BASE_SECONDS).unwrap() + self.elapsed()
    }

    fn awake(&self) -> Duration {
        self.elapsed()
    }
}
