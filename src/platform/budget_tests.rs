#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeMap;

use jiff::SignedDuration;
use proptest::prelude::*;

use super::super::tier::TierError;
use super::*;

const PATH: &str = "/open_api/v1.3/campaign/get/";

fn at(millis: i64) -> Timestamp {
    // 2026-11-23T12:00:00Z
    Timestamp::from_millisecond(1_795_435_200_000 + millis).unwrap()
}

fn budgets(tier: Tier) -> Budgets {
    Budgets::new(tier, BudgetSettings::default())
}

/// How many calls in a row are granted at one moment.
fn burst(budgets: &mut Budgets, advertiser: &str, urgency: Urgency, now: Timestamp) -> usize {
    (0..1000)
        .take_while(|_| budgets.ask("app", advertiser, PATH, urgency, now).is_ok())
        .count()
}

#[test]
fn the_tiers_are_tiktoks() {
    for (tier, second, minute, day) in [
        (Tier::Basic, 10, 600, 864_000),
        (Tier::Advanced, 20, 1_200, 1_728_000),
        (Tier::Premium, 30, 1_800, 2_592_000),
        (Tier::Ultimate, 50, 3_000, 4_320_000),
    ] {
        assert_eq!(
            tier.limits(),
            Limits {
                second,
                minute,
                day
            }
        );
        assert_eq!(format!("{tier:?}").to_lowercase().parse(), Ok(tier));
    }
    assert_eq!("Gold".parse::<Tier>(), Err(TierError));
}

const CREATE_ADS: &str = "/open_api/v1.3/ad/create/";

/// When calls of a path go out that are asked for every ten milliseconds, for as long as said.
fn grants(budgets: &mut Budgets, path: &str, urgency: Urgency, millis: i64) -> Vec<i64> {
    (0..millis / 10)
        .map(|step| step * 10)
        .filter(|now| budgets.ask("app", "1", path, urgency, at(*now)).is_ok())
        .collect()
}

#[test]
fn the_creation_of_ads_has_a_limit_of_its_own() {
    for (tier, second, minute) in [
        (Tier::Basic, 5, 150),
        (Tier::Advanced, 10, 200),
        (Tier::Premium, 10, 300),
        (Tier::Ultimate, 15, 300),
    ] {
        let mut budgets = budgets(tier);
        let granted = grants(&mut budgets, CREATE_ADS, Urgency::Normal, 60_000);
        assert_eq!(granted.len(), minute, "{tier:?}");
        assert_eq!(
            granted.iter().filter(|at| **at < 1_000).count(),
            second,
            "{tier:?}"
        );
        // The rest of the app is not held up by it.
        assert_eq!(
            budgets.ask("app", "1", PATH, Urgency::Normal, at(60_000)),
            Ok(()),
            "{tier:?}"
        );
    }
    assert_eq!(
        Tier::Basic.path_limits("/open_api/v1.3/smart_plus/ad/create/"),
        None
    );
}

#[test]
fn the_creation_of_ads_counts_against_the_app_too() {
    let mut budgets = budgets(Tier::Basic);
    assert_eq!(burst(&mut budgets, "1", Urgency::Normal, at(0)), 8);
    assert_eq!(
        budgets.ask("app", "1", CREATE_ADS, Urgency::Normal, at(0)),
        Err(at(1_100))
    );
    assert_eq!(
        budgets.ask("app", "1", PATH, Urgency::Safety, at(0)),
        Ok(())
    );
}

#[test]
fn advertisers_take_turns_at_a_paths_own_limit() {
    let mut budgets = budgets(Tier::Basic);
    let mut granted = [0, 0];
    for step in 0..3_000 {
        for (advertiser, count) in ["1", "2"].into_iter().zip(&mut granted) {
            let asked = budgets.ask(
                "app",
                advertiser,
                CREATE_ADS,
                Urgency::Normal,
                at(step * 10),
            );
            *count += usize::from(asked.is_ok());
        }
    }
    assert!(granted[0].abs_diff(granted[1]) <= 5, "{granted:?}");
}

#[test]
fn whoever_waits_for_a_paths_own_limit_keeps_no_place_at_the_apps() {
    let mut budgets = budgets(Tier::Basic);
    // The path's minute is full, and so is the app's second.
    let granted = grants(&mut budgets, CREATE_ADS, Urgency::Normal, 58_000);
    assert_eq!(granted.len(), 150);
    assert_eq!(burst(&mut budgets, "2", Urgency::Normal, at(58_000)), 8);
    assert!(
        budgets
            .ask("app", "1", CREATE_ADS, Urgency::Normal, at(58_000))
            .is_err()
    );
    assert_eq!(burst(&mut budgets, "2", Urgency::Normal, at(59_100)), 8);
}

#[test]
fn a_throttle_after_a_minute_of_creations_is_one_of_the_minute() {
    let mut budgets = budgets(Tier::Basic);
    let granted = grants(&mut budgets, CREATE_ADS, Urgency::Normal, 35_000);
    assert!(granted.len() >= 135);
    budgets.throttled("app", "1", CREATE_ADS, &Throttle::Unsaid, at(35_000));
    assert_eq!(
        budgets.ask("app", "1", CREATE_ADS, Urgency::Normal, at(35_001)),
        Err(at(335_000))
    );
}

#[test]
fn r06_a_share_of_every_second_is_for_pauses_alone() {
    let mut budgets = budgets(Tier::Basic);
    assert_eq!(burst(&mut budgets, "1", Urgency::Background, at(0)), 2);
    assert_eq!(burst(&mut budgets, "1", Urgency::Normal, at(0)), 6);
    assert_eq!(burst(&mut budgets, "1", Urgency::Safety, at(0)), 2);
    assert_eq!(
        budgets.ask("app", "1", PATH, Urgency::Safety, at(0)),
        Err(at(1100))
    );
    assert_eq!(burst(&mut budgets, "1", Urgency::Normal, at(1099)), 0);
    assert_eq!(burst(&mut budgets, "1", Urgency::Normal, at(1100)), 8);
}

#[test]
fn r06_pauses_may_use_everything() {
    assert_eq!(
        burst(&mut budgets(Tier::Premium), "1", Urgency::Safety, at(0)),
        30
    );
}

#[test]
fn apps_do_not_share_and_paths_do_unless_told() {
    let mut one = budgets(Tier::Basic);
    assert_eq!(burst(&mut one, "1", Urgency::Safety, at(0)), 10);
    assert!(
        one.ask("app", "1", "/other/", Urgency::Safety, at(0))
            .is_err()
    );
    assert!(one.ask("app 2", "1", PATH, Urgency::Safety, at(0)).is_ok());
    assert_eq!(one.used_in_last_minute("app", at(0)), 10);

    let mut each = Budgets::new(
        Tier::Basic,
        BudgetSettings {
            count_per_path: true,
            ..BudgetSettings::default()
        },
    );
    assert_eq!(burst(&mut each, "1", Urgency::Safety, at(0)), 10);
    assert!(
        each.ask("app", "1", "/other/", Urgency::Safety, at(0))
            .is_ok()
    );
    assert_eq!(each.used_in_last_minute("app", at(0)), 11);
}

#[test]
fn an_advertisers_known_limit_is_its_own() {
    let settings = BudgetSettings {
        advertiser_per_second: Some(3),
        ..BudgetSettings::default()
    };
    let mut budgets = Budgets::new(Tier::Basic, settings);
    assert_eq!(burst(&mut budgets, "1", Urgency::Normal, at(0)), 2);
    assert_eq!(burst(&mut budgets, "1", Urgency::Safety, at(0)), 1);
    assert_eq!(burst(&mut budgets, "2", Urgency::Normal, at(0)), 2);
}

#[test]
fn r06_a_throttled_path_stops_all_but_a_pause_every_ten_seconds() {
    let mut budgets = budgets(Tier::Basic);
    budgets.throttled("app", "1", PATH, &Throttle::Minute, at(0));
    let until = at(300_000);
    for advertiser in ["1", "2"] {
        assert_eq!(
            budgets.ask("app", advertiser, PATH, Urgency::Normal, at(1)),
            Err(until)
        );
        assert_eq!(
            budgets.ask("app", advertiser, PATH, Urgency::Background, at(1)),
            Err(until)
        );
    }
    assert_eq!(
        budgets.ask("app", "1", PATH, Urgency::Safety, at(9_999)),
        Err(at(10_000))
    );
    assert_eq!(
        budgets.ask("app", "1", PATH, Urgency::Safety, at(10_000)),
        Ok(())
    );
    assert_eq!(
        budgets.ask("app", "2", PATH, Urgency::Safety, at(10_001)),
        Err(at(20_000))
    );
    assert_eq!(
        budgets.ask("app", "1", "/other/", Urgency::Normal, at(10_001)),
        Ok(())
    );
    assert_eq!(
        budgets.ask("app", "1", PATH, Urgency::Normal, until),
        Ok(())
    );
}

#[test]
fn each_throttle_lasts_as_tiktok_wants() {
    for (throttle, until) in [
        (Throttle::Unsaid, at(1_000)),
        (Throttle::Minute, at(300_000)),
        (Throttle::Day, "2026-11-24T00:00:00Z".parse().unwrap()),
        (Throttle::Second, at(1_000)),
        (Throttle::Advertiser { per_second: None }, at(1_000)),
        (Throttle::After(Duration::from_secs(7)), at(7_000)),
        (
            Throttle::After(Duration::from_secs(1_000_000)),
            at(3_600_000),
        ),
        (Throttle::After(Duration::MAX), at(3_600_000)),
    ] {
        let mut budgets = budgets(Tier::Basic);
        budgets.throttled("app", "1", PATH, &throttle, at(0));
        assert_eq!(
            budgets.ask("app", "1", PATH, Urgency::Normal, at(0)),
            Err(until),
            "{throttle:?}"
        );
    }
}

#[test]
fn refusals_of_calls_in_flight_are_one_throttle() {
    let mut budgets = budgets(Tier::Basic);
    for millis in [0, 10, 200, 900] {
        budgets.throttled("app", "1", PATH, &Throttle::Unsaid, at(millis));
    }
    assert_eq!(
        budgets.ask("app", "1", PATH, Urgency::Normal, at(900)),
        Err(at(1_900))
    );
}

#[test]
fn a_second_that_was_not_enough_was_a_minute() {
    let mut budgets = budgets(Tier::Basic);
    budgets.throttled("app", "1", PATH, &Throttle::Unsaid, at(0));
    budgets.throttled("app", "1", PATH, &Throttle::Unsaid, at(1_200));
    assert_eq!(
        budgets.ask("app", "1", PATH, Urgency::Normal, at(1_200)),
        Err(at(301_200))
    );
    // Long after, a second is a second again.
    budgets.throttled("app", "1", PATH, &Throttle::Unsaid, at(1_000_000));
    assert_eq!(
        budgets.ask("app", "1", PATH, Urgency::Normal, at(1_000_000)),
        Err(at(1_001_000))
    );
}

#[test]
fn our_own_counts_tell_a_full_minute() {
    let mut budgets = Budgets::new(
        Tier::Basic,
        BudgetSettings {
            jitter: Duration::ZERO,
            ..BudgetSettings::default()
        },
    );
    for second in 0..54 {
        assert_eq!(
            burst(&mut budgets, "1", Urgency::Safety, at(second * 1000)),
            10
        );
    }
    budgets.throttled("app", "1", PATH, &Throttle::Unsaid, at(54_000));
    assert_eq!(
        budgets.ask("app", "1", PATH, Urgency::Normal, at(54_000)),
        Err(at(354_000))
    );
}

#[test]
fn a_second_that_tiktok_named_stays_one_and_is_waited_for_longer_each_time() {
    let mut budgets = budgets(Tier::Basic);
    let mut now = 0;
    for length in [1, 2, 4, 8, 16, 32, 60, 60] {
        budgets.throttled("app", "1", PATH, &Throttle::Second, at(now));
        for advertiser in ["1", "2"] {
            assert_eq!(
                budgets.ask("app", advertiser, PATH, Urgency::Normal, at(now)),
                Err(at(now + length * 1000))
            );
        }
        now += length * 1000 + 100;
    }
}

#[test]
fn a_limit_that_a_refusal_named_is_kept_for_that_advertiser_and_path() {
    for limit in [1, 3] {
        let mut budgets = budgets(Tier::Basic);
        let throttle = Throttle::Advertiser {
            per_second: Some(limit),
        };
        budgets.throttled("app", "1", PATH, &throttle, at(0));
        let mut gone_out: Vec<i64> = Vec::new();
        let mut now = 0;
        while gone_out.len() < 30 {
            match budgets.ask("app", "1", PATH, Urgency::Normal, at(now)) {
                Ok(()) => gone_out.push(now),
                Err(again) => now = again.as_millisecond() - at(0).as_millisecond(),
            }
        }
        // Never more than the limit within a second, and not many fewer.
        for (n, at) in gone_out.iter().enumerate() {
            let within = gone_out[n..].iter().take_while(|t| **t < at + 1000);
            assert!(within.count() <= limit as usize, "{gone_out:?}");
        }
        let normal = if limit == 1 { 1 } else { limit - 1 };
        assert!(
            now < 1_000 + 1_150 * 30 / i64::from(normal),
            "{now} for {limit}"
        );
        // Others, and other paths, are not meant; after an hour it is tried anew.
        let mut free = |advertiser: &str, path: &str, millis: i64| {
            let ask = |_: &i32| {
                let asked = budgets.ask("app", advertiser, path, Urgency::Normal, at(millis));
                asked.is_ok()
            };
            (0..5).filter(ask).count()
        };
        assert_eq!(free("2", PATH, now + 2_000), 5);
        assert_eq!(free("1", "/other/", now + 4_000), 5);
        assert_eq!(free("1", PATH, now + 6_000), normal as usize);
        assert_eq!(free("1", PATH, 3_600_000), 5);
    }
}

#[test]
fn an_advertiser_backs_off_alone_and_longer_each_time() {
    let mut budgets = budgets(Tier::Basic);
    let mut now = 0;
    for length in [1, 2, 4, 8, 16, 32, 60, 60] {
        budgets.throttled(
            "app",
            "1",
            PATH,
            &Throttle::Advertiser { per_second: None },
            at(now),
        );
        // A second refusal of the same moment changes nothing.
        budgets.throttled(
            "app",
            "1",
            PATH,
            &Throttle::Advertiser { per_second: None },
            at(now),
        );
        assert_eq!(
            budgets.ask("app", "1", PATH, Urgency::Normal, at(now)),
            Err(at(now + length * 1000))
        );
        assert_eq!(
            budgets.ask("app", "2", PATH, Urgency::Normal, at(now)),
            Ok(())
        );
        now += length * 1000 + 100;
    }
    now += 200_000;
    budgets.throttled(
        "app",
        "1",
        PATH,
        &Throttle::Advertiser { per_second: None },
        at(now),
    );
    assert_eq!(
        budgets.ask("app", "1", PATH, Urgency::Normal, at(now)),
        Err(at(now + 1000))
    );
}

#[test]
fn a_clock_that_is_set_back_holds_nobody_up() {
    let mut budgets = budgets(Tier::Basic);
    assert_eq!(burst(&mut budgets, "1", Urgency::Normal, at(7_200_000)), 8);
    budgets.throttled("app", "2", "/other/", &Throttle::Unsaid, at(7_200_000));
    assert_eq!(
        budgets.ask("app", "1", PATH, Urgency::Normal, at(0)),
        Err(at(1_100))
    );
    assert_eq!(
        budgets.ask("app", "2", "/other/", Urgency::Normal, at(1_100)),
        Ok(())
    );
}

#[test]
fn whoever_asks_alone_is_never_held_up_by_fairness() {
    let mut budgets = budgets(Tier::Basic);
    assert_eq!(burst(&mut budgets, "1", Urgency::Normal, at(0)), 8);
    assert!(
        budgets
            .ask("app", "2", PATH, Urgency::Normal, at(0))
            .is_err()
    );
    // Nobody came back for the place.
    assert_eq!(burst(&mut budgets, "1", Urgency::Normal, at(1_500)), 8);
}

#[test]
fn whoever_is_stopped_for_another_reason_keeps_no_place() {
    let mut budgets = budgets(Tier::Basic);
    assert_eq!(burst(&mut budgets, "1", Urgency::Normal, at(0)), 8);
    assert_eq!(
        budgets.ask("app", "2", PATH, Urgency::Normal, at(0)),
        Err(at(1_100))
    );
    budgets.throttled(
        "app",
        "2",
        PATH,
        &Throttle::Advertiser { per_second: None },
        at(500),
    );
    assert_eq!(
        budgets.ask("app", "2", PATH, Urgency::Normal, at(1_000)),
        Err(at(1_500))
    );
    assert_eq!(
        budgets.ask("app", "1", PATH, Urgency::Normal, at(1_100)),
        Ok(())
    );
}

#[test]
fn a_starving_advertiser_gets_a_fair_share() {
    let mut budgets = budgets(Tier::Basic);
    let mut granted: BTreeMap<usize, u32> = BTreeMap::new();
    // Advertiser 0 has used everything for a while, and asks every millisecond; the others come back when told.
    for millis in 0..30_000 {
        _ = budgets.ask("app", "0", PATH, Urgency::Normal, at(millis));
    }
    let mut due = [at(30_000); 10];
    for millis in 30_000..90_000 {
        for (who, due) in due.iter_mut().enumerate() {
            if who > 0 && at(millis) < *due {
                continue;
            }
            match budgets.ask("app", &who.to_string(), PATH, Urgency::Normal, at(millis)) {
                Ok(()) => *granted.entry(who).or_default() += 1,
                Err(again) => *due = again,
            }
        }
    }
    let all: u32 = granted.values().sum();
    assert!(all >= 400, "the budget is used: {granted:?}");
    for who in 0..10 {
        let share = granted.get(&who).copied().unwrap_or(0);
        assert!(
            (all * 9 / 100..=all * 11 / 100).contains(&share),
            "advertiser {who}: {granted:?}"
        );
    }
}

#[derive(Clone, Debug)]
enum Step {
    Wait(u32),
    Ask(u8, Urgency),
    Throttled(u8),
}

fn step() -> impl Strategy<Value = Step> {
    let urgency = prop_oneof![
        Just(Urgency::Safety),
        Just(Urgency::Normal),
        Just(Urgency::Background)
    ];
    prop_oneof![
        20 => (0u32..400).prop_map(Step::Wait),
        1 => (0u32..20_000).prop_map(Step::Wait),
        200 => (0u8..4, urgency).prop_map(|(who, urgency)| Step::Ask(who, urgency)),
        1 => (0u8..4).prop_map(Step::Throttled),
    ]
}

/// The largest number of grants in any window of the given length.
fn busiest(
    grants: &[(Timestamp, Urgency)],
    length: SignedDuration,
    group: impl Fn(Urgency) -> bool,
) -> usize {
    let times: Vec<Timestamp> = grants
        .iter()
        .filter(|(_, urgency)| group(*urgency))
        .map(|(time, _)| *time)
        .collect();
    let window = |(first, start): (usize, &Timestamp)| {
        times[first..]
            .iter()
            .take_while(|time| time.duration_since(*start) < length)
            .count()
    };
    times.iter().enumerate().map(window).max().unwrap_or(0)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn r06_no_sequence_exceeds_a_window_and_pauses_get_their_share(
        steps in proptest::collection::vec(step(), 1..1500),
        tier in prop_oneof![Just(Tier::Basic), Just(Tier::Ultimate)],
    ) {
        let mut budgets = budgets(tier);
        let limits = tier.limits();
        let (mut millis, mut stopped_until) = (0, at(-1));
        let mut grants: Vec<(Timestamp, Urgency)> = Vec::new();
        for step in steps {
            let now = at(millis);
            match step {
                Step::Wait(more) => millis += i64::from(more),
                Step::Throttled(who) => {
                    budgets.throttled("app", &who.to_string(), PATH, &Throttle::Unsaid, now);
                    let seen = budgets.ask("app", "nobody", PATH, Urgency::Background, now);
                    stopped_until = stopped_until.max(seen.expect_err("a throttled path is stopped"));
                }
                Step::Ask(who, urgency) => {
                    let safety_lately = grants
                        .iter()
                        .filter(|(time, urgency)| {
                            *urgency == Urgency::Safety && now.duration_since(*time) < SignedDuration::from_millis(1_100)
                        })
                        .count();
                    match budgets.ask("app", &who.to_string(), PATH, urgency, now) {
                        Ok(()) => {
                            prop_assert!(urgency == Urgency::Safety || now >= stopped_until);
                            grants.push((now, urgency));
                        }
                        Err(again) => {
                            prop_assert!(again > now);
                            let has_share = safety_lately < limits.second as usize / 5 && now >= stopped_until;
                            prop_assert!(urgency != Urgency::Safety || !has_share, "a pause within its share was refused");
                        }
                    }
                }
            }
        }
        let (second, minute) = (SignedDuration::from_secs(1), SignedDuration::from_secs(60));
        for (length, limit) in [(second, limits.second as usize), (minute, limits.minute as usize)] {
            prop_assert!(busiest(&grants, length, |_| true) <= limit);
            prop_assert!(busiest(&grants, length, |urgency| urgency != Urgency::Safety) <= limit * 8 / 10);
            prop_assert!(busiest(&grants, length, |urgency| urgency == Urgency::Background) <= limit * 2 / 10);
        }
    }

    #[test]
    fn whoever_comes_back_when_told_is_served(who in 1usize..6, urgency in prop_oneof![Just(Urgency::Safety), Just(Urgency::Normal), Just(Urgency::Background)]) {
        let mut budgets = budgets(Tier::Basic);
        let mut now = at(0);
        for _ in 0..who {
            for advertiser in 0..who {
                let mut tries = 0;
                while let Err(again) = budgets.ask("app", &advertiser.to_string(), PATH, urgency, now) {
                    prop_assert!(again > now);
                    now = again;
                    tries += 1;
                    prop_assert!(tries <= 3, "told to come back {} times", tries);
                }
            }
        }
    }
}

#[test]
fn what_was_counted_under_one_name_goes_on_under_another() {
    let mut budgets = budgets(Tier::Basic);
    let ask = |b: &mut Budgets, app: &str| b.ask(app, "1", "/p/", Urgency::Normal, at(0)).is_ok();
    let first = (0..100).filter(|_| ask(&mut budgets, "new")).count();
    assert!(first > 0 && first < 100);
    budgets.rename("new", "app");
    assert!(!ask(&mut budgets, "app"), "used up already");
    assert!(ask(&mut budgets, "new"));
    // Who has a count of its own keeps it.
    budgets.rename("new", "app");
    assert_eq!(budgets.used_in_last_minute("app", at(0)), first as u32);
}

#[test]
fn names_that_somebody_makes_up_do_not_fill_the_memory() {
    let mut budgets = budgets(Tier::Basic);
    for second in 0..5000 {
        let _ = budgets.ask("app", "1", "/p/", Urgency::Normal, at(second * 1000));
        let made_up = format!("app {second}");
        let _ = budgets.ask(&made_up, "1", "/p/", Urgency::Normal, at(second * 1000));
    }
    assert!(
        budgets.buckets.len() <= MOST_BUCKETS,
        "{}",
        budgets.buckets.len()
    );
    assert!(budgets.used_in_last_minute("app", at(5_000_000)) > 50);
}
