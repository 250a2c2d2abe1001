//! R23: which of a connection's webhook keys count now.
//!
//! Keys are known here by fingerprints only. Two facts have to outlive a restart and a lost status, and are kept in the
//! connection's token Secret: which CURRENT was last seen, and when it took the place of another one.

use std::time::Duration;

use jiff::Timestamp;

/// How far a recorded time may lie ahead before the clock that wrote it is taken for wrong.
const AHEAD: Duration = Duration::from_secs(300);

/// The keys that are there, as fingerprints. `None`: there is none, or it is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keys {
    /// `TIKTOK_WEBHOOK_SIGNING_KEY_CURRENT`, or the app's secret where the spec names no Secret for keys.
    pub current: Option<String>,
    /// `TIKTOK_WEBHOOK_SIGNING_KEY_PREVIOUS`.
    pub previous: Option<String>,
}

/// What is kept in the token Secret.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Remembered {
    /// The fingerprint of the CURRENT key that was last seen.
    pub current: Option<String>,
    /// When the operator first saw it.
    pub since: Option<Timestamp>,
}

/// The decision.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyPlan {
    /// PREVIOUS counts until then. `None`: it does not count (any more).
    pub previous_until: Option<Timestamp>,
    /// What has to be remembered instead of what is.
    pub remember: Option<Remembered>,
}

/// Decides. CURRENT always counts. PREVIOUS counts for `window` from when CURRENT was first seen, whatever PREVIOUS is by
/// then: what was emptied or came later does not begin a window of its own.
pub fn plan(keys: &Keys, remembered: &Remembered, window: Duration, now: Timestamp) -> KeyPlan {
    // A Secret that is missing for a moment is no rotation.
    let Some(current) = &keys.current else {
        return KeyPlan {
            previous_until: until(keys, remembered.since, window, now),
            remember: None,
        };
    };
    let known = remembered.current.as_ref() == Some(current);
    let since = match remembered.since.filter(|_| known) {
        // A clock that was ahead must not make the window longer.
        Some(since) if since <= now + AHEAD => since,
        _ => now,
    };
    let next = Remembered {
        current: Some(current.clone()),
        since: Some(since),
    };
    KeyPlan {
        previous_until: until(keys, Some(since), window, now),
        remember: (next != *remembered).then_some(next),
    }
}

fn until(
    keys: &Keys,
    since: Option<Timestamp>,
    window: Duration,
    now: Timestamp,
) -> Option<Timestamp> {
    let previous = keys.previous.as_ref()?;
    if keys.current.as_ref() == Some(previous) {
        return None;
    }
    let end = since?.checked_add(window).unwrap_or(Timestamp::MAX);
    (now < end).then_some(end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const WEEK: Duration = Duration::from_secs(7 * 86_400);

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    fn keys(current: &str, previous: &str) -> Keys {
        let key = |text: &str| (!text.is_empty()).then(|| text.to_string());
        Keys {
            current: key(current),
            previous: key(previous),
        }
    }

    #[test]
    fn r23_the_previous_key_ends_seven_days_after_the_rotation_was_seen() {
        let first = plan(&keys("a", ""), &Remembered::default(), WEEK, at(0));
        assert_eq!(first.previous_until, None);
        let remembered = first.remember.unwrap();
        let rotated = plan(&keys("b", "a"), &remembered, WEEK, at(1000));
        assert_eq!(rotated.previous_until, Some(at(1000) + WEEK));
        let remembered = rotated.remember.unwrap();
        for second in [1000, 1000 + 7 * 86_400 - 1] {
            let later = plan(&keys("b", "a"), &remembered, WEEK, at(second));
            assert_eq!(later.previous_until, Some(at(1000) + WEEK));
            assert_eq!(
                later.remember, None,
                "nothing is written while nothing changes"
            );
        }
        let over = plan(&keys("b", "a"), &remembered, WEEK, at(1000) + WEEK);
        assert_eq!(over, KeyPlan::default());
        // Another PREVIOUS without a rotation begins nothing.
        let again = plan(&keys("b", "c"), &remembered, WEEK, at(2000) + WEEK);
        assert_eq!(again, KeyPlan::default());
    }

    #[test]
    fn r23_emptying_the_previous_key_ends_it_at_once() {
        let remembered = Remembered {
            current: Some("b".into()),
            since: Some(at(0)),
        };
        assert_eq!(
            plan(&keys("b", ""), &remembered, WEEK, at(5)),
            KeyPlan::default()
        );
    }

    #[test]
    fn r23_a_secret_that_is_gone_for_a_moment_is_no_rotation() {
        let remembered = Remembered {
            current: Some("b".into()),
            since: Some(at(0)),
        };
        let gone = plan(&keys("", ""), &remembered, WEEK, at(10));
        assert_eq!(gone, KeyPlan::default());
        let back = plan(&keys("b", "a"), &remembered, WEEK, at(20));
        assert_eq!(back.previous_until, Some(at(0) + WEEK));
        assert_eq!(back.remember, None);
    }

    #[test]
    fn r23_a_clock_that_was_ahead_makes_no_longer_window() {
        let remembered = Remembered {
            current: Some("b".into()),
            since: Some(at(1_000_000)),
        };
        let plan = plan(&keys("b", "a"), &remembered, WEEK, at(0));
        assert_eq!(plan.previous_until, Some(at(0) + WEEK));
        assert_eq!(plan.remember.unwrap().since, Some(at(0)));
    }

    /// What may happen to the Secret and the process.
    #[derive(Clone, Debug)]
    enum Step {
        Wait(i64),
        Current(u8),
        Previous(u8),
        /// What could not be stored is lost with the process.
        Restart,
        /// The token Secret cannot be written for a while.
        CannotStore(bool),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            (1i64..400_000).prop_map(Step::Wait),
            (0u8..4).prop_map(Step::Current),
            (0u8..4).prop_map(Step::Previous),
            Just(Step::Restart),
            proptest::bool::ANY.prop_map(Step::CannotStore),
        ]
    }

    fn name(key: u8) -> &'static str {
        ["", "a", "b", "c"][usize::from(key)]
    }

    proptest! {
        /// Against a list of what was seen: PREVIOUS counts if and only if it is there, is another than CURRENT, and CURRENT
        /// was first seen less than a window ago. A restart changes nothing once it was stored.
        #[test]
        fn r23_previous_counts_only_within_the_window(steps in proptest::collection::vec(step(), 0..60)) {
            let (mut current, mut previous, mut now) = ("a", "", 0i64);
            let mut stored = Remembered::default();
            let mut held = Remembered::default();
            let mut can_store = true;
            for step in steps {
                match step {
                    Step::Wait(seconds) => now += seconds,
                    Step::Current(key) => current = name(key),
                    Step::Previous(key) => previous = name(key),
                    Step::Restart => held = stored.clone(),
                    Step::CannotStore(cannot) => can_store = !cannot,
                }
                let seen = keys(current, previous);
                let decided = plan(&seen, &held, WEEK, at(now));
                // The model: when this CURRENT was first seen by somebody who still remembers it.
                if !current.is_empty() && held.current.as_deref() != Some(current) {
                    held = Remembered { current: Some(current.into()), since: Some(at(now)) };
                    prop_assert_eq!(decided.remember.as_ref(), Some(&held));
                } else {
                    prop_assert_eq!(&decided.remember, &None);
                }
                if can_store {
                    stored = held.clone();
                }
                let open = held.since.is_some_and(|since| at(now) < since + WEEK);
                let counts = !previous.is_empty() && previous != current && open;
                prop_assert_eq!(decided.previous_until.is_some(), counts);
                if let Some(end) = decided.previous_until {
                    prop_assert!(end > at(now) && end <= at(now) + WEEK);
                }
                // Deciding again changes nothing.
                let again = plan(&seen, &held, WEEK, at(now));
                prop_assert_eq!(again.remember, None);
                prop_assert_eq!(again.previous_until, decided.previous_until);
            }
        }
    }
}
