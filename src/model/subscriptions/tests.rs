use proptest::prelude::*;

use super::*;

const ME: &str = "7100000000000000001";
const DAY: i64 = 86_400;
const WINDOW: Duration = Duration::from_secs(48 * 3600);

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

fn account() -> SubscriptionEntity {
    SubscriptionEntity::AccountSuspension {
        advertiser: ME.into(),
    }
}

fn ad(n: u32) -> SubscriptionEntity {
    SubscriptionEntity::Ad {
        advertiser: ME.into(),
        ad: format!("18{n:014}"),
    }
}

fn candidate_of(n: u32, changed: i64, open: bool) -> Candidate {
    Candidate {
        entity: ad(n),
        changed: at(changed),
        open,
    }
}

fn token(name: &str, expires: Option<i64>) -> Token {
    Token {
        fingerprint: name.into(),
        expires_at: expires.map(at),
    }
}

fn have(id: &str, entity: SubscriptionEntity) -> Subscription {
    Subscription {
        id: id.into(),
        entity: Some(entity),
        address: address(),
    }
}

fn address() -> CallbackUrl {
    CallbackUrl::new("https://ads.example/webhooks/tiktok/shop/main")
}

#[test]
fn r24_the_account_always_and_what_changes_or_is_reviewed_newest_first() {
    let now = at(10 * DAY);
    let candidates = vec![
        candidate_of(1, 0, false),
        candidate_of(2, 0, true),
        candidate_of(3, 9 * DAY, false),
        candidate_of(4, 10 * DAY - 60, false),
    ];
    let all = wanted(ME, candidates.clone(), 500, WINDOW, now);
    assert_eq!(all.entities, [account(), ad(4), ad(3), ad(2)]);
    assert_eq!(all.all, 4);
    assert_eq!(all.until, Some(at(9 * DAY) + WINDOW));
    let few = wanted(ME, candidates.clone(), 2, WINDOW, now);
    assert_eq!(few.entities, [account(), ad(4)]);
    assert_eq!(few.all, 4);
    assert_eq!(wanted(ME, candidates, 0, WINDOW, now).entities, []);
}

#[test]
fn r24_a_review_is_open_while_tiktok_looks_at_the_ad_itself() {
    for open in [
        "AD_STATUS_AUDIT",
        "AD_STATUS_REAUDIT",
        "ADGROUP_STATUS_AUDIT",
        "ADGROUP_STATUS_SHADOW_ADGROUP_REAUDIT",
        "AD_STATUS_PARTIAL_AUDIT_NO_DELIVERY",
    ] {
        assert!(is_open(open), "{open}");
    }
    for over in [
        "",
        "AD_STATUS_DELIVERY_OK",
        "AD_STATUS_AUDIT_DENY",
        "AD_STATUS_ADVERTISER_AUDIT",
        "ADGROUP_STATUS_DISABLE",
    ] {
        assert!(!is_open(over), "{over}");
    }
}

fn step(
    wanted: &[SubscriptionEntity],
    have: Option<&[Subscription]>,
    now: &Token,
    made_with: Option<&Token>,
    rotated: bool,
) -> Step {
    plan(&Facts {
        now: at(0),
        wanted,
        address: &address(),
        have,
        token: now,
        rotated,
        made_with,
        refused: &BTreeSet::new(),
    })
}

#[test]
fn r24_the_list_is_read_once_and_then_nothing_is_asked_while_nothing_changes() {
    let token = token("a", None);
    let wanted = [account(), ad(1)];
    assert_eq!(step(&wanted, None, &token, Some(&token), false), Step::List);
    let there = [have("1", account()), have("2", ad(1))];
    let calm = step(&wanted, Some(&there), &token, Some(&token), false);
    assert_eq!(calm, Step::Rest);
}

#[test]
fn r24_it_is_written_down_what_with_before_the_first_is_made() {
    let token = token("a", Some(DAY));
    assert_eq!(
        step(&[account()], Some(&[]), &token, None, false),
        Step::Note(token.clone())
    );
    assert_eq!(
        step(&[account()], Some(&[]), &token, Some(&token), false),
        Step::Calls(vec![Op::Subscribe(account())])
    );
}

#[test]
fn r24_a_rotation_remakes_nothing_and_a_dead_token_remakes_all() {
    let wanted = [account()];
    let there = [have("1", account())];
    let (old, new) = (token("a", Some(3600)), token("b", Some(DAY)));
    let rotated = step(&wanted, Some(&there), &new, Some(&old), true);
    assert_eq!(rotated, Step::Rest);
    let again = Step::Calls(vec![Op::Unsubscribe { id: "1".into() }]);
    let ended = token("a", Some(0));
    assert_eq!(
        step(&wanted, Some(&there), &new, Some(&ended), true),
        again,
        "the old one has ended"
    );
    // Somebody authorised anew: that is written down first, since the next rotation will hide it.
    let over = token("a", Some(0));
    let replaced = step(&wanted, Some(&there), &new, Some(&old), false);
    assert_eq!(replaced, Step::Note(over.clone()));
    assert_eq!(step(&wanted, Some(&there), &new, Some(&over), false), again);
    assert_eq!(
        step(&wanted, Some(&there), &new, None, true),
        again,
        "nobody knows what with"
    );
}

#[test]
fn r24_what_is_foreign_twice_or_sends_elsewhere_goes() {
    let token = token("a", None);
    let mut elsewhere = have("4", ad(1));
    elsewhere.address = CallbackUrl::new("https://ads.example/webhooks/tiktok/shop/main/old");
    let there = [
        have("1", account()),
        have("2", account()),
        Subscription {
            id: "3".into(),
            entity: None,
            address: address(),
        },
        elsewhere,
    ];
    let gone = |id: &str| Op::Unsubscribe { id: id.into() };
    assert_eq!(
        step(
            &[account(), ad(1)],
            Some(&there),
            &token,
            Some(&token),
            false
        ),
        Step::Calls(vec![gone("2"), gone("3"), gone("4"), Op::Subscribe(ad(1))])
    );
}

/// The platform, and the Secret, of the property below.
#[derive(Clone, Debug, Default)]
struct World {
    rows: Vec<(String, SubscriptionEntity, String)>,
    next: u32,
    noted: Option<Token>,
    /// As the process knows it.
    known: Option<Vec<Subscription>>,
    dead: BTreeSet<String>,
}

#[derive(Clone, Debug)]
enum Happens {
    Want(Vec<u32>),
    Wait(i64),
    Rotate,
    Authorise,
    Restart,
    /// The answers to the next calls are lost.
    Lose(u8),
}

fn happens() -> impl Strategy<Value = Happens> {
    prop_oneof![
        proptest::collection::vec(0u32..6, 0..6).prop_map(Happens::Want),
        (1i64..60_000).prop_map(Happens::Wait),
        Just(Happens::Rotate),
        Just(Happens::Authorise),
        Just(Happens::Restart),
        (1u8..3).prop_map(Happens::Lose),
    ]
}

proptest! {
    /// Whatever happens in between, in the end each wanted thing has one subscription, made with a token that lives, and
    /// nothing else is there; and then no call is made any more.
    #[test]
    fn r24_it_settles(story in proptest::collection::vec(happens(), 0..25)) {
        let mut world = World::default();
        let (mut now, mut number, mut rotated) = (0i64, 0u32, false);
        let mut current = token("t0", Some(DAY));
        let mut wants: Vec<SubscriptionEntity> = vec![account()];
        let mut lose = 0u8;
        let mut end = story.len();
        for happened in story.into_iter().map(Some).chain(std::iter::once(None)) {
            match happened {
                Some(Happens::Want(ads)) => {
                    let mut some: Vec<u32> = ads;
                    some.sort_unstable();
                    some.dedup();
                    wants = std::iter::once(account()).chain(some.into_iter().map(ad)).collect();
                }
                Some(Happens::Wait(seconds)) => {
                    now += seconds;
                    // The keeper of the token does not let it end.
                    if current.expires_at.is_some_and(|e| e <= at(now + 3600)) {
                        number += 1;
                        current = token(&format!("t{number}"), Some(now + DAY));
                        rotated = true;
                    }
                }
                Some(Happens::Rotate) => {
                    number += 1;
                    current = token(&format!("t{number}"), Some(now + DAY));
                    rotated = true;
                }
                Some(Happens::Authorise) => {
                    world.dead.insert(current.fingerprint.clone());
                    number += 1;
                    current = token(&format!("t{number}"), Some(now + DAY));
                    rotated = false;
                }
                Some(Happens::Restart) => world.known = None,
                Some(Happens::Lose(calls)) => lose = calls,
                None => end = usize::MAX,
            }
            // A few steps; after the last thing that happens as many as it takes.
            for turn in 0..if end == usize::MAX { 60 } else { 3 } {
                let step = plan(&Facts {
                    now: at(now),
                    wanted: &wants,
                    address: &address(),
                    have: world.known.as_deref(),
                    token: &current,
                    rotated,
                    made_with: world.noted.as_ref(),
                    refused: &BTreeSet::new(),
                });
                match step {
                    Step::Rest => break,
                    Step::List => {
                        let listed = world.rows.iter().map(|(id, entity, _)| have(id, entity.clone()));
                        world.known = Some(listed.collect());
                    }
                    Step::Note(noted) => {
                        let dead = noted.expires_at.is_some_and(|end| end <= at(now));
                        prop_assert!(noted == current || dead);
                        world.noted = Some(noted);
                    }
                    Step::Calls(ops) => for op in ops {
                        let lost = lose > 0;
                        match op {
                            Op::Subscribe(entity) => {
                                prop_assert!(world.noted.is_some());
                                world.next += 1;
                                let id = world.next.to_string();
                                world.rows.push((id.clone(), entity.clone(), current.fingerprint.clone()));
                                if let Some(known) = &mut world.known {
                                    known.push(have(&id, entity));
                                }
                            }
                            Op::Unsubscribe { id } => {
                                world.rows.retain(|(row, _, _)| *row != id);
                                if let Some(known) = &mut world.known {
                                    known.retain(|s| s.id != id);
                                }
                            }
                        }
                        if lost {
                            lose -= 1;
                            world.known = None;
                            break;
                        }
                    }
                }
                prop_assert!(turn < 50, "it does not settle");
            }
        }
        let mut there: Vec<SubscriptionEntity> = world.rows.iter().map(|(_, e, _)| e.clone()).collect();
        there.sort();
        wants.sort();
        prop_assert_eq!(there, wants);
        for (_, _, made) in &world.rows {
            prop_assert!(!world.dead.contains(made), "made with a token that is dead");
        }
    }
}
