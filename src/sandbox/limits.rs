//! Request limits: per app by tier, per advertiser by knob. TikTok signals them with HTTP 200 and a code.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    Sandbox,
    envelope::{ADVERTISER_TOO_FREQUENT, Refusal},
    knobs,
    time::DAY_MS,
};

/// After a minute limit TikTok wants silence for five minutes.
const MINUTE_PAUSE_MS: i64 = 300_000;

/// The tier of an app.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tier {
    /// 10 a second, 600 a minute, 864,000 a day.
    #[default]
    Basic,
    /// 20, 1,200, 1,728,000.
    Advanced,
    /// 30, 1,800, 2,592,000.
    Premium,
    /// 50, 3,000, 4,320,000.
    Ultimate,
}

impl Tier {
    /// Calls per second, per minute, per UTC day.
    pub fn limits(self) -> (u32, u32, u32) {
        match self {
            Self::Basic => (10, 600, 864_000),
            Self::Advanced => (20, 1_200, 1_728_000),
            Self::Premium => (30, 1_800, 2_592_000),
            Self::Ultimate => (50, 3_000, 4_320_000),
        }
    }
}

/// The further limits of an endpoint that has its own: calls per second, per minute, per UTC day.
fn endpoint_limits(tier: Tier, path: &str) -> Option<(u32, u32, u32)> {
    path.ends_with("/v1.3/ad/create/").then_some(match tier {
        Tier::Basic => (5, 150, 86_400),
        Tier::Advanced => (10, 200, 86_400),
        Tier::Premium => (10, 300, 86_400),
        Tier::Ultimate => (15, 300, 86_400),
    })
}

/// The limits that a knob of [`knobs::Kind::Rate`] means; none for `off`.
fn read_rate(rate: &str, tier: impl Fn() -> (u32, u32, u32)) -> Option<(u32, u32, u32)> {
    match rate {
        "off" => None,
        "tier" => Some(tier()),
        numbers => {
            let mut parts = numbers
                .split('/')
                .map(|part| part.parse().unwrap_or(u32::MAX));
            let mut next = || parts.next().unwrap_or(u32::MAX);
            Some((next(), next(), next()))
        }
    }
}

/// Fixed windows on the UTC clock.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Window {
    second: i64,
    in_second: u32,
    minute: i64,
    in_minute: u32,
    day: i64,
    in_day: u32,
    blocked_until: i64,
}

impl Window {
    /// Counts one call, or says which limit it breaks and until when. A refused call is not counted.
    fn take(
        &mut self,
        at: i64,
        (second, minute, day): (u32, u32, u32),
    ) -> Result<(), (&'static str, u32, i64)> {
        for (index, count, length) in [
            (&mut self.second, &mut self.in_second, 1_000),
            (&mut self.minute, &mut self.in_minute, 60_000),
            (&mut self.day, &mut self.in_day, DAY_MS),
        ] {
            let current = at.div_euclid(length);
            if *index != current {
                (*index, *count) = (current, 0);
            }
        }
        if self.in_day >= day {
            return Err(("QPD", day, (self.day + 1) * DAY_MS));
        }
        if self.blocked_until > at {
            return Err(("QPM", minute, self.blocked_until));
        }
        if self.in_minute >= minute {
            self.blocked_until = at + MINUTE_PAUSE_MS;
            return Err(("QPM", minute, self.blocked_until));
        }
        if self.in_second >= second {
            return Err(("QPS", second, (self.second + 1) * 1_000));
        }
        self.in_second += 1;
        self.in_minute += 1;
        self.in_day += 1;
        Ok(())
    }
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Limits {
    app: BTreeMap<String, Window>,
    advertiser: BTreeMap<String, Window>,
}

impl Sandbox {
    /// Counts a call for its app and its advertiser.
    pub(super) fn count_call(
        &mut self,
        at: i64,
        app_id: &str,
        advertiser_id: &str,
        path: &str,
    ) -> Result<(), Refusal> {
        let tier = self
            .accounts
            .apps
            .get(app_id)
            .map(|app| app.tier)
            .unwrap_or_default();
        let rate = self.knobs.text(&knobs::RATE, advertiser_id);
        let limits = read_rate(rate, || tier.limits());
        // Of an endpoint with limits of its own a call counts twice; "tier" means nothing where the app's own mean nothing.
        let own = self.knobs.text(&knobs::AD_CREATE_RATE, advertiser_id);
        let own = endpoint_limits(tier, path)
            .filter(|_| rate == "tier" || own != "tier")
            .and_then(|limits| read_rate(own, || limits));
        let key = if self.knobs.is(&knobs::RATE_SCOPE, advertiser_id, "app") {
            app_id.to_owned()
        } else {
            format!("{app_id} {path}")
        };
        let windows = [
            (own, format!("{app_id} own {path}"), " for this endpoint"),
            (limits, key, ""),
        ];
        for (limits, key, of) in windows {
            let Some(limits) = limits else { continue };
            if let Err((scope, limit, until)) =
                self.limits.app.entry(key).or_default().take(at, limits)
            {
                let text = if self
                    .knobs
                    .is(&knobs::THROTTLE_TEXT, advertiser_id, "silent")
                {
                    "Requests made too frequently. Please try again later.".to_owned()
                } else {
                    format!(
                        "Requests made too frequently: the app's {scope} limit {limit}{of} is reached."
                    )
                };
                let code = self.knobs.whole(&knobs::THROTTLE_CODE, advertiser_id);
                return Err(self.throttled(code, text, at, until, advertiser_id));
            }
        }
        let qps = self.knobs.whole(&knobs::ADVERTISER_QPS, advertiser_id);
        if let Some(qps) = u32::try_from(qps)
            .ok()
            .filter(|qps| *qps > 0 && !advertiser_id.is_empty())
        {
            let window = self
                .limits
                .advertiser
                .entry(format!("{advertiser_id} {path}"))
                .or_default();
            if let Err((_, limit, until)) = window.take(at, (qps, u32::MAX, u32::MAX)) {
                let text = format!(
                    "Advertiser ({advertiser_id})'s QPS ({}) reaches QPS limit {limit} for current path, request is temporarily restricted.",
                    limit + 1
                );
                return Err(self.throttled(
                    ADVERTISER_TOO_FREQUENT,
                    text,
                    at,
                    until,
                    advertiser_id,
                ));
            }
        }
        Ok(())
    }

    fn throttled(
        &self,
        code: i64,
        text: String,
        at: i64,
        until: i64,
        advertiser_id: &str,
    ) -> Refusal {
        let mut refusal = Refusal::new(code, text);
        if self
            .knobs
            .is(&knobs::THROTTLE_HTTP_STATUS, advertiser_id, "429")
        {
            refusal.status = 429;
        }
        if self
            .knobs
            .is(&knobs::THROTTLE_RETRY_AFTER, advertiser_id, "true")
        {
            // Rounded up, so that whoever waits that long is let in.
            refusal.retry_after = u64::try_from((until - at + 999) / 1_000).ok();
        }
        refusal
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use super::*;

    #[test]
    fn a_second_ends_a_minute_costs_five_and_a_day_ends_at_midnight() {
        let limits = (2, 3, 4);
        let mut window = Window::default();
        let start = 10 * DAY_MS;
        assert!(window.take(start, limits).is_ok());
        assert!(window.take(start + 999, limits).is_ok());
        assert_eq!(
            window.take(start + 999, limits),
            Err(("QPS", 2, start + 1_000))
        );
        assert!(window.take(start + 1_000, limits).is_ok());
        let refused = start + 2_000;
        assert_eq!(
            window.take(refused, limits),
            Err(("QPM", 3, refused + MINUTE_PAUSE_MS))
        );
        assert_eq!(
            window.take(refused + MINUTE_PAUSE_MS - 1, limits),
            Err(("QPM", 3, refused + MINUTE_PAUSE_MS))
        );
        assert!(window.take(refused + MINUTE_PAUSE_MS, limits).is_ok());
        assert_eq!(
            window.take(start + DAY_MS / 2, limits),
            Err(("QPD", 4, start + DAY_MS))
        );
        assert!(window.take(start + DAY_MS, limits).is_ok());
    }
}
