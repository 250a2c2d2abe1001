use proptest::prelude::*;

use super::*;

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_795_435_200 + second).unwrap()
}

fn seconds(of: Timestamp) -> i64 {
    of.as_second() - 1_795_435_200
}

/// A token of 24 hours that came with a refresh token.
fn fresh() -> Token {
    Token {
        id: "a0".into(),
        issued_at: Some(at(0)),
        expires_at: Some(at(DAY)),
        lifetime: Some(Duration::from_secs(86_400)),
        refresh: true,
        ..Token::default()
    }
}

fn new(id: &str, asked: i64) -> Outcome {
    Outcome::New {
        id: id.into(),
        asked: at(asked),
        expires_in: Some(86_400),
        refresh: true,
        refresh_expires_in: None,
    }
}

fn plan(token: &Token, second: i64) -> Plan {
    token.plan(&Memory::default(), at(second))
}

proptest! {
    /// What a hand has put into the Secret may be any time.
    #[test]
    fn no_time_is_too_far_away(end in any::<i64>(), refresh in any::<i64>(), mark in any::<i64>(), last in any::<i64>(), life in proptest::option::of(any::<u64>()), now in any::<i64>()) {
        let far = |n: i64| {
            let (low, high) = (Timestamp::MIN.as_second(), Timestamp::MAX.as_second());
            match n.rem_euclid(5) {
                0 => Timestamp::MIN,
                1 => Timestamp::MAX,
                _ => Timestamp::from_second(low + n.rem_euclid(high - low)).unwrap(),
            }
        };
        let token = Token {
            expires_at: Some(far(end)),
            lifetime: life.map(Duration::from_secs),
            refresh_expires_at: Some(far(refresh)),
            mark: (mark % 2 == 0).then(|| far(mark)),
            last: Some(Attempt { at: far(last), succeeded: last % 2 == 0, message: String::new() }),
            ..fresh()
        };
        let memory = Memory { seen: token.mark.map(|mark| (mark, far(now))), dead: life.is_none(), ..Memory::default() };
        token.plan(&memory, far(now));
        token.after(&Outcome::New { id: "a1".into(), asked: far(now), expires_in: life, refresh: true, refresh_expires_in: life }, far(now));
    }
}

#[test]
fn r21_one_that_was_just_renewed_and_is_refused_is_not_renewed_again_at_once() {
    let token = fresh()
        .after(&new("a1", 18 * HOUR), at(18 * HOUR))
        .settled();
    let refused = Memory {
        dead: true,
        turned_away: Some("a1".into()),
        ..Memory::default()
    };
    let soon = token.plan(&refused, at(18 * HOUR + 60));
    assert_eq!(soon.action, Action::Rest);
    assert_eq!(soon.wake, Some(at(18 * HOUR + 1800)));
    assert_eq!(
        token.plan(&refused, at(18 * HOUR + 1800)).action,
        Action::Rotate { unclear: false }
    );
}

#[test]
fn r21_the_profile_follows_from_what_came_with_it() {
    let long = Token {
        expires_at: None,
        ..fresh()
    };
    assert_eq!(long.profile(), Profile::LongLived);
    assert_eq!(long.rotates_at(), None);
    assert_eq!(plan(&long, 400 * DAY).standing, Standing::Good);
    assert_eq!(plan(&long, 400 * DAY).wake, None, "no countdown");
    assert_eq!(fresh().profile(), Profile::Refreshable);
    assert_eq!(fresh().rotates_at(), Some(at(18 * HOUR)));
    let ends = Token {
        refresh: false,
        ..fresh()
    };
    assert_eq!(ends.profile(), Profile::Expiring);
    assert_eq!(ends.rotates_at(), None);
}

#[test]
fn r21_a_rotation_begins_six_hours_before_the_end_however_late_somebody_looks() {
    let token = fresh();
    let early = plan(&token, 18 * HOUR - 1);
    assert_eq!(early.action, Action::Rest);
    assert_eq!(early.wake, Some(at(18 * HOUR)));
    for late in [18 * HOUR, 20 * HOUR, DAY - 1, DAY, 3 * DAY] {
        assert_eq!(
            plan(&token, late).action,
            Action::Rotate { unclear: false },
            "{late}"
        );
    }
}

#[test]
fn r21_a_short_lifetime_has_short_windows() {
    let token = Token {
        expires_at: Some(at(120)),
        lifetime: Some(Duration::from_secs(120)),
        ..fresh()
    };
    // Of one that was imported nobody knows how long it lived: it may have been a day.
    let imported = Token {
        lifetime: None,
        ..token.clone()
    };
    assert_eq!(plan(&imported, 0).action, Action::Rotate { unclear: false });
    assert_eq!(token.rotates_at(), Some(at(90)));
    assert_eq!(plan(&token, 89).action, Action::Rest);
    assert_eq!(plan(&token, 114).standing, Standing::Good);
    assert!(matches!(
        plan(&token, 115).standing,
        Standing::ReadOnly { .. }
    ));
}

#[test]
fn r21_a_token_that_cannot_be_renewed_asks_for_it_in_time_and_stops_writing_in_its_last_hour() {
    let token = Token {
        refresh: false,
        ..fresh()
    };
    assert_eq!(plan(&token, 18 * HOUR - 1).standing, Standing::Good);
    assert_eq!(plan(&token, 18 * HOUR - 1).wake, Some(at(18 * HOUR)));
    let until = at(DAY);
    assert_eq!(plan(&token, 18 * HOUR).standing, Standing::Ending { until });
    let since = at(23 * HOUR);
    let last = Standing::ReadOnly {
        why: Why::NoRefresh,
        since,
        until,
    };
    assert_eq!(plan(&token, 23 * HOUR).standing, last);
    assert_eq!(plan(&token, DAY - 1).standing, last);
    assert_eq!(plan(&token, DAY).standing, Standing::Over { since: until });
    for second in [18 * HOUR, 23 * HOUR, 2 * DAY] {
        assert_eq!(plan(&token, second).action, Action::Rest);
    }
}

#[test]
fn r21_failures_pause_longer_and_longer_and_the_last_hour_is_read_only() {
    let mut token = fresh();
    let mut memory = Memory::default();
    let mut now = 18 * HOUR;
    let mut pauses = Vec::new();
    while now < DAY {
        let planned = token.plan(&memory, at(now));
        let expected = if now < 23 * HOUR {
            Standing::Good
        } else {
            let said = token.last.clone().unwrap().message;
            Standing::ReadOnly {
                why: Why::NotInTime(said),
                since: at(23 * HOUR),
                until: at(DAY),
            }
        };
        assert_eq!(planned.standing, expected, "{now}");
        if planned.action == (Action::Rotate { unclear: false }) {
            token = token.marked(false, at(now));
            memory.own_mark = token.mark;
            token = token.after(&Outcome::Failed("503".into()), at(now));
            memory.failures += 1;
        }
        let next = seconds(token.plan(&memory, at(now)).wake.unwrap());
        pauses.push(next - now);
        now = next;
    }
    assert_eq!(&pauses[..5], [60, 120, 240, 480, 960]);
    assert!(pauses.iter().all(|p| *p <= 1800), "{pauses:?}");
    // After the end nothing but that goes on.
    assert_eq!(
        token.plan(&memory, at(DAY)).standing,
        Standing::Over { since: at(DAY) }
    );
    let later = token.plan(&memory, at(DAY + 1800));
    assert_eq!(later.action, Action::Rotate { unclear: false });
    let healed = token.after(&new("a1", DAY + 1800), at(DAY + 1800));
    assert_eq!(plan(&healed, DAY + 1800).standing, Standing::Good);
}

#[test]
fn r21_a_clear_no_is_read_only_at_once_and_is_not_asked_again_if_it_is_final() {
    let token = fresh().marked(false, at(18 * HOUR));
    let no = |lasting| Outcome::Refused {
        lasting,
        message: "no".into(),
    };
    let refused = token.after(&no(true), at(18 * HOUR + 1));
    let planned = plan(&refused, 20 * HOUR);
    assert_eq!(
        planned.standing,
        Standing::ReadOnly {
            why: Why::Refused("no".into()),
            since: at(18 * HOUR + 1),
            until: at(DAY),
        }
    );
    assert_eq!(planned.action, Action::Rest);
    let once = token.after(&no(false), at(18 * HOUR + 1));
    assert_eq!(plan(&once, 18 * HOUR + 1800).action, Action::Rest);
    let again = plan(&once, 19 * HOUR + 1);
    assert_eq!(again.action, Action::Rotate { unclear: false });
    let twice = once.after(&no(false), at(19 * HOUR + 1));
    assert_eq!(
        twice.refused.unwrap().at,
        at(18 * HOUR + 1),
        "since the first"
    );
    let other_secret = once.asked_anew();
    assert_eq!(
        plan(&other_secret, 18 * HOUR + 2).action,
        Action::Rotate { unclear: false }
    );
}

#[test]
fn r21_an_unknown_refresh_token_means_what_went_before_it() {
    let unknown = |probe| Outcome::Unknown {
        message: "40107".into(),
        probe,
    };
    let first = fresh().marked(false, at(18 * HOUR));
    let now = at(18 * HOUR + 1);
    let endless = first.after(&unknown(Probe::Answered), now);
    assert_eq!(endless.profile(), Profile::LongLived);
    assert_eq!(plan(&endless, 3 * DAY).standing, Standing::Good);
    let lasting = |token: Token| token.refused.is_some_and(|r| r.lasting);
    assert!(lasting(first.after(&unknown(Probe::Refused), now)));
    let open = first.after(&unknown(Probe::NoAnswer), now);
    assert_eq!(open.refused, None, "nobody knows: asked again");
    // After a lost answer, or a rotation that worked, somebody has the pair and we have not.
    let unclear = first.after(&Outcome::Unclear("lost".into()), now);
    assert!(lasting(unclear.after(&unknown(Probe::Answered), now)));
    let rotated = first.after(&new("a1", 18 * HOUR), now);
    assert!(lasting(rotated.after(&unknown(Probe::Answered), now)));
}

#[test]
fn r21_a_mark_of_another_process_is_waited_for_and_then_taken_for_unclear() {
    let token = fresh().marked(false, at(18 * HOUR));
    let mut memory = Memory {
        seen: Some((at(18 * HOUR), at(18 * HOUR + 10))),
        ..Memory::default()
    };
    let waits = token.plan(&memory, at(18 * HOUR + 10));
    assert_eq!(waits.action, Action::Rest);
    assert_eq!(waits.wake, Some(at(18 * HOUR + 45)));
    let after = token.plan(&memory, at(18 * HOUR + 45));
    assert_eq!(after.action, Action::Rotate { unclear: true });
    assert!(token.marked(true, at(18 * HOUR + 45)).unclear);
    // A clock that is an hour ahead of ours: counted from when it was seen.
    memory.seen = Some((at(18 * HOUR), at(17 * HOUR + 1)));
    let early = Memory {
        dead: true,
        ..memory.clone()
    };
    let skewed = token.plan(&early, at(17 * HOUR + 46));
    assert_eq!(skewed.action, Action::Rotate { unclear: true });
    // Our own is no news.
    let own = Memory {
        own_mark: token.mark,
        ..Memory::default()
    };
    let ours = token.plan(&own, at(18 * HOUR + 1));
    assert_eq!(ours.action, Action::Rotate { unclear: false });
}

#[test]
fn r21_the_old_token_is_kept_until_the_new_one_has_answered() {
    let rotated = fresh().after(&new("a1", 18 * HOUR), at(18 * HOUR));
    assert_eq!(rotated.previous.as_ref().unwrap().id, "a0");
    assert_eq!(plan(&rotated, 18 * HOUR + 1).action, Action::Rest);
    let answered = Memory {
        answered: Some("a1".into()),
        ..Memory::default()
    };
    assert_eq!(
        rotated.plan(&answered, at(18 * HOUR + 1)).action,
        Action::DropPrevious
    );
    assert_eq!(rotated.settled().previous, None);
    let turned_away = Memory {
        turned_away: Some("a1".into()),
        dead: true,
        ..Memory::default()
    };
    assert_eq!(
        rotated.plan(&turned_away, at(18 * HOUR + 1)).action,
        Action::Return
    );
    let back = rotated.returned(at(18 * HOUR + 1));
    assert_eq!((back.id.as_str(), back.expires_at), ("a0", Some(at(DAY))));
    // Too late: the old one has ended as well.
    assert_ne!(
        rotated.plan(&turned_away, at(DAY + 1)).action,
        Action::Return
    );
}

#[test]
fn r21_a_token_that_tiktok_refuses_is_renewed_before_its_time() {
    let dead = Memory {
        dead: true,
        ..Memory::default()
    };
    assert_eq!(
        fresh().plan(&dead, at(HOUR)).action,
        Action::Rotate { unclear: false }
    );
}

/// What strikes an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    None,
    /// Nothing happened, and we know.
    NotSent,
    /// Nobody knows; `true`: TikTok has made a new pair.
    Lost(bool),
    /// The process dies after the mark; `true`: after TikTok has made a new pair.
    Dies(bool),
    /// The process dies after the new pair was stored.
    DiesStored,
}

fn fault() -> impl Strategy<Value = Fault> {
    prop_oneof![
        6 => Just(Fault::None),
        4 => Just(Fault::NotSent),
        2 => Just(Fault::Lost(false)),
        1 => Just(Fault::Lost(true)),
        2 => Just(Fault::Dies(false)),
        1 => Just(Fault::Dies(true)),
        1 => Just(Fault::DiesStored),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Thirty days, looked at when it asks for it or by chance, with attempts that are struck by `faults` in turn (at most
    /// four in a row; the network is not down for hours here). Never two calls at once; never a gap while we have the pair;
    /// and once we have not, it is said before the token ends.
    #[test]
    fn r21_thirty_days_without_a_gap(
        faults in proptest::collection::vec(fault(), 1..60),
        looks in proptest::collection::vec(1i64..7200, 1..40),
        skew in -20i64..20,
    ) {
        let mut token = fresh();
        let mut memory = Memory::default();
        // TikTok's side: which refresh token counts, and which one we hold.
        let (mut valid, mut held, mut made) = (0u32, 0u32, 0u32);
        let (mut now, mut turn, mut struck) = (0i64, 0usize, 0u32);
        let mut call_ends = 0i64;
        let mut clock = 0i64;
        let mut calls = 0u32;
        while now < 30 * DAY {
            // Replicas' clocks differ a little, and so does what each remembers.
            let local = at(now + clock);
            if let Some(mark) = token.mark
                && memory.seen.is_none_or(|(of, _)| of != mark)
            {
                memory.seen = Some((mark, local));
            }
            if token.previous.is_some() {
                memory.answered = Some(token.id.clone());
            }
            let planned = token.plan(&memory, local);
            let has_pair = valid == held;
            if has_pair {
                prop_assert!(
                    matches!(planned.standing, Standing::Good),
                    "at {now}: {:?} of {token:?}", planned.standing
                );
            }
            match planned.action {
                Action::Rotate { unclear } => {
                    prop_assert!(now >= call_ends, "two calls at once at {now}, the other ends at {call_ends}");
                    calls += 1;
                    let marked = token.marked(unclear, local);
                    let mut strike = faults[turn % faults.len()];
                    turn += 1;
                    if strike == Fault::None || struck >= 4 {
                        (strike, struck) = (Fault::None, 0);
                    } else {
                        struck += 1;
                    }
                    let effect = has_pair && matches!(strike, Fault::None | Fault::Lost(true) | Fault::Dies(true) | Fault::DiesStored);
                    if effect {
                        made += 1;
                        valid = made;
                    }
                    let dies = matches!(strike, Fault::Dies(_) | Fault::DiesStored);
                    call_ends = now + 15;
                    let outcome = match strike {
                        Fault::NotSent => Outcome::Failed("not sent".into()),
                        Fault::Lost(_) => Outcome::Unclear("lost".into()),
                        _ if effect => Outcome::New {
                            id: format!("a{made}"),
                            asked: local,
                            expires_in: Some(86_400),
                            refresh: true,
                            refresh_expires_in: None,
                        },
                        _ => Outcome::Unknown { message: "40107".into(), probe: Probe::Answered },
                    };
                    token = marked.clone();
                    if !matches!(strike, Fault::Dies(_)) {
                        token = marked.after(&outcome, at(now + clock + 1));
                        if effect && matches!(outcome, Outcome::New { .. }) {
                            held = made;
                        }
                    }
                    if dies {
                        memory = Memory::default();
                        clock = if clock == 0 { skew } else { 0 };
                    } else {
                        memory.own_mark = None;
                        memory.failures = if matches!(outcome, Outcome::New { .. }) { 0 } else { memory.failures + 1 };
                    }
                    // The call takes its time; a process that died comes back sooner.
                    now += if dies { 2 } else { 15 };
                }
                Action::DropPrevious => token = token.settled(),
                Action::Return => prop_assert!(false, "nothing was turned away"),
                Action::Rest => {
                    let wake = planned.wake.map_or(i64::MAX, |w| seconds(w) - clock);
                    now = wake.min(now + looks[turn % looks.len()]).max(now + 1);
                    turn += 1;
                }
            }
            if valid != held {
                // The pair is lost. It has to be said while the token still lives.
                let end = token.expires_at.map_or(0, seconds);
                if now >= end - HOUR && now < end {
                    let local = at(now + clock);
                    let standing = token.plan(&memory, local).standing;
                    let close = now >= end - HOUR + 60;
                    prop_assert!(
                        !close || matches!(standing, Standing::ReadOnly { .. } | Standing::Over { .. }),
                        "at {now} silence: {standing:?} of {token:?}"
                    );
                }
                if now >= end {
                    break;
                }
            }
        }
        prop_assert!(calls >= 1);
    }
}
