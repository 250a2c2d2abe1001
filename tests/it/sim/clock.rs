//! Virtual time: tokio's paused clock, which jumps to the next timer when nothing else can run.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tiktok_ads_operator::engine::doors::Clock;
use tokio::time::Instant;

/// Monday, 23 November 2026, 12:00 UTC.
pub const BASE_SECONDS: i64 = 1_795_435_200;

/// The clock that the engine reads. Wall clock and awake time run alike; a frozen replica sees both jump.
#[derive(Clone, Copy, Debug)]
pub struct SimClock {
    start: Instant,
    seed: u64,
    /// How far its wall clock is ahead of the right time.
    ahead: SignedDuration,
    /// How often chance was asked for, by all replicas.
    drawn: &'static AtomicU64,
}

impl SimClock {
    pub fn start(seed: u64) -> Self {
        Self {
            start: Instant::now(),
            seed,
            ahead: SignedDuration::ZERO,
            drawn: Box::leak(Box::new(AtomicU64::new(0))),
        }
    }

    /// The same on a machine whose wall clock is wrong.
    pub fn ahead(self, ahead: SignedDuration) -> Self {
        Self { ahead, ..self }
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
        Timestamp::from_second(BASE_SECONDS).unwrap() + self.elapsed() + self.ahead
    }

    fn awake(&self) -> Duration {
        self.elapsed()
    }

    fn entropy(&self) -> [u8; 32] {
        let drawn = self.drawn.fetch_add(1, Ordering::Relaxed);
        let mut rng = fastrand::Rng::with_seed(self.seed ^ drawn.rotate_left(32));
        let mut bytes = [0; 32];
        rng.fill(&mut bytes);
        bytes
    }
}
