//! One or two campaigns: names, keys, deletions, and a lease that moves.

use tiktok_ads_operator::platform::Tree;

use super::holds;
use super::variant::{CR, Cr, Keys, Pace, Variant};
use super::world::{Left, NOTHING};

/// Campaigns on the platform in one state, at most.
const ROWS: usize = 5;

/// A campaign that users delete and make anew as often as a variant allows.
const CAMPAIGN: Cr = Cr {
    deletable: true,
    ..CR
};

fn base<const N: usize>(crs: [Cr; N]) -> Variant<N> {
    Variant {
        title: "",
        crs,
        tree: Tree::Manual,
        stranger: false,
        keys: Keys::Ignored,
        replicas: 2,
        lists_first: false,
        pace: Pace::Any,
        left: NOTHING,
        until: 5,
    }
}

/// Two of one name, or of two.
fn two(same_name: bool) -> Variant<2> {
    let second = Cr {
        name: u8::from(!same_name),
        ..CAMPAIGN
    };
    base([CAMPAIGN, second])
}

fn one() -> Variant<1> {
    base([CAMPAIGN])
}

#[test]
fn r09_search_three_crashes_one_name() {
    holds::<2, ROWS>(
        Variant {
            title: "two CRs of one name, Refuse",
            left: Left {
                crashes: 3,
                unclear: 1,
                ..NOTHING
            },
            ..two(true)
        },
        57_000,
    );
}

#[test]
fn r09_search_deletions_one_name() {
    holds::<2, ROWS>(
        Variant {
            title: "two CRs of one name, one is deleted",
            left: Left {
                crashes: 2,
                deletes: 1,
                ..NOTHING
            },
            ..two(true)
        },
        102_000,
    );
}

#[test]
fn r09_search_unclear_and_deletion_one_name() {
    holds::<2, ROWS>(
        Variant {
            title: "two CRs of one name, one is deleted, an answer is lost",
            left: Left {
                unclear: 1,
                deletes: 1,
                ..NOTHING
            },
            ..two(true)
        },
        37_000,
    );
}

#[test]
fn r09_search_adoption_passes_a_campaign_on() {
    holds::<2, ROWS>(
        Variant {
            title: "two CRs of one name, SameName, policy Pause",
            left: Left {
                crashes: 1,
                deletes: 1,
                ..NOTHING
            },
            crs: [Cr {
                adopt: true,
                policy: None,
                deletable: true,
                ..CR
            }; 2],
            ..two(true)
        },
        17_000,
    );
}

#[test]
fn r09_search_adopting_a_stranger() {
    holds::<2, ROWS>(
        Variant {
            title: "two CRs and a stranger of one name, SameName",
            left: Left {
                crashes: 2,
                deletes: 1,
                // Nobody here may delete the stranger's; once it is gone, one is made.
                deletes_outside: 1,
                ..NOTHING
            },
            stranger: true,
            crs: [Cr {
                adopt: true,
                deletable: true,
                touchable: true,
                ..CR
            }; 2],
            ..two(true)
        },
        37_000,
    );
}

#[test]
fn r11_search_two_names() {
    holds::<2, ROWS>(
        Variant {
            title: "two CRs of two names",
            until: 3,
            left: Left {
                crashes: 1,
                ..NOTHING
            },

            ..two(false)
        },
        22_000,
    );
}

#[test]
fn r11_search_lease_moves_between_two_crs() {
    holds::<2, ROWS>(
        Variant {
            title: "two CRs of one name, the lease moves",
            left: Left {
                crashes: 1,
                moves: 1,
                ..NOTHING
            },
            ..two(true)
        },
        23_000,
    );
}

#[test]
fn r11_search_lease_moves_with_a_call_in_flight() {
    holds::<1, ROWS>(
        Variant {
            title: "one CR, the lease moves",
            left: Left {
                crashes: 1,
                unclear: 1,
                moves: 1,
                ..NOTHING
            },
            ..one()
        },
        94_000,
    );
}

#[test]
fn r11_search_frozen_before_the_send() {
    holds::<1, ROWS>(
        Variant {
            title: "one CR, frozen between mark and send",
            left: Left {
                crashes: 1,
                moves: 1,
                freezes: 1,
                ..NOTHING
            },
            ..one()
        },
        30_000,
    );
}

#[test]
fn r32_search_deletion_while_unclear() {
    holds::<1, ROWS>(
        Variant {
            title: "one CR, deleted and made again",
            left: Left {
                crashes: 1,
                unclear: 1,
                deletes: 1,
                again: 1,
                ..NOTHING
            },
            ..one()
        },
        133_000,
    );
}

#[test]
fn r32_search_deletion_while_the_lease_moves() {
    holds::<1, ROWS>(
        Variant {
            title: "one CR, deleted, the lease moves",
            left: Left {
                crashes: 1,
                moves: 1,
                deletes: 1,
                ..NOTHING
            },
            ..one()
        },
        53_000,
    );
}

#[test]
fn r10_search_keys_replayed() {
    holds::<1, ROWS>(
        Variant {
            title: "one CR, deleted and made again, keys replayed",
            left: Left {
                crashes: 1,
                unclear: 1,
                deletes: 1,
                again: 1,
                ..NOTHING
            },
            keys: Keys::Replayed,
            ..one()
        },
        112_000,
    );
}

#[test]
fn r10_search_keys_refused() {
    holds::<1, ROWS>(
        Variant {
            title: "one CR, deleted and made again, keys refused",
            left: Left {
                crashes: 1,
                unclear: 1,
                deletes: 1,
                again: 1,
                ..NOTHING
            },
            keys: Keys::Refused,
            ..one()
        },
        107_000,
    );
}
