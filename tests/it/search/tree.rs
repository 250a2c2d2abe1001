//! Ad groups and ads in what they are in: several ads in one call, parents that go and come back, and ceilings.
//!
//! Bounds beside those of `campaigns`: what is above the objects in question mostly stands on the platform already; one
//! process unless the lease moves; a new leader has read the lists of all kinds before its first turn. Ads have no
//! idempotency key: R11 alone protects them.

use tiktok_ads_operator::api::common::DeletionPolicy;
use tiktok_ads_operator::platform::{Kind, Tree};

use super::holds;
use super::variant::{CR, Cr, Keys, Pace, Variant};
use super::world::{Left, NOTHING};

/// Objects on the platform in one state, at most.
const ROWS: usize = 8;

/// On the platform, and on.
const CAMPAIGN: Cr = Cr {
    active: true,
    settled: true,
    ..CR
};

/// The same, in the campaign.
const GROUP: Cr = Cr {
    kind: Kind::AdGroup,
    parent: Some(0),
    ..CAMPAIGN
};

/// To be made in the ad group, and left off.
const AD: Cr = Cr {
    kind: Kind::Ad,
    parent: Some(1),
    ..CR
};

/// The same, with another name.
const OTHER_AD: Cr = Cr { name: 1, ..AD };

fn base<const N: usize>(crs: [Cr; N]) -> Variant<N> {
    Variant {
        title: "",
        crs,
        tree: Tree::Manual,
        stranger: false,
        keys: Keys::Ignored,
        replicas: 1,
        lists_first: true,
        pace: Pace::Eager,
        left: NOTHING,
        until: 5,
    }
}

const fn left(crashes: u8, unclear: u8) -> Left {
    Left {
        crashes,
        unclear,
        ..NOTHING
    }
}

#[test]
fn r11_search_two_ads_in_one_call() {
    holds::<4, ROWS>(
        Variant {
            title: "two ads in one call",
            left: left(1, 1),
            ..base([CAMPAIGN, GROUP, AD, OTHER_AD])
        },
        1_000,
    );
}

#[test]
fn r11_search_two_unclear_answers() {
    holds::<4, ROWS>(
        Variant {
            title: "two ads in one call, two unclear answers",
            left: left(0, 2),
            ..base([CAMPAIGN, GROUP, AD, OTHER_AD])
        },
        1_000,
    );
}

#[test]
fn r11_search_one_of_two_ads_is_refused() {
    let bad = Cr {
        refused: true,
        ..OTHER_AD
    };
    for (title, left) in [
        (
            "two ads in one call, TikTok refuses one, a crash",
            left(1, 0),
        ),
        (
            "two ads in one call, TikTok refuses one, an unclear answer",
            left(0, 1),
        ),
    ] {
        holds::<4, ROWS>(
            Variant {
                title,
                left,
                ..base([CAMPAIGN, GROUP, AD, bad])
            },
            1_000,
        );
    }
}

#[test]
fn r09_search_two_ads_of_one_name() {
    let ad = Cr {
        deletable: true,
        ..AD
    };
    holds::<4, ROWS>(
        Variant {
            title: "two ads of one name, one is deleted",
            left: Left {
                deletes: 1,
                ..left(0, 1)
            },
            pace: Pace::Prompt,
            ..base([CAMPAIGN, GROUP, ad, ad])
        },
        1_000,
    );
}

#[test]
fn r11_search_ads_while_the_lease_moves() {
    holds::<4, ROWS>(
        Variant {
            title: "two ads in one call, the lease moves",
            left: Left {
                moves: 1,
                ..NOTHING
            },
            replicas: 2,
            ..base([CAMPAIGN, GROUP, AD, OTHER_AD])
        },
        1_000,
    );
}

#[test]
fn r32_search_an_ad_is_deleted_while_made_with_another() {
    let deletable = Cr {
        deletable: true,
        ..OTHER_AD
    };
    holds::<4, ROWS>(
        Variant {
            title: "two ads in one call, one is deleted",
            left: Left {
                deletes: 1,
                ..left(0, 1)
            },
            ..base([CAMPAIGN, GROUP, AD, deletable])
        },
        1_000,
    );
}

/// An ad group that goes and comes back.
const COMES_BACK: Cr = Cr {
    deletable: true,
    ..GROUP
};

#[test]
fn r32_search_the_ad_group_is_made_again() {
    holds::<4, ROWS>(
        Variant {
            title: "two ads in one call, their ad group is deleted and made again",
            left: Left {
                deletes: 1,
                again: 1,
                ..NOTHING
            },
            ..base([CAMPAIGN, COMES_BACK, AD, OTHER_AD])
        },
        1_000,
    );
}

#[test]
fn r32_search_the_ad_group_of_one_ad_is_made_again() {
    holds::<3, ROWS>(
        Variant {
            title: "an ad, its ad group is deleted and made again",
            left: Left {
                deletes: 1,
                again: 1,
                ..left(1, 1)
            },
            ..base([CAMPAIGN, COMES_BACK, AD])
        },
        1_000,
    );
}

#[test]
fn r32_search_the_ad_group_is_deleted_outside() {
    let touchable = Cr {
        touchable: true,
        ..COMES_BACK
    };
    holds::<3, ROWS>(
        Variant {
            title: "an ad, its ad group is deleted on TikTok, and made again",
            left: Left {
                deletes_outside: 1,
                deletes: 1,
                again: 1,
                ..left(0, 1)
            },
            ..base([CAMPAIGN, touchable, AD])
        },
        1_000,
    );
}

#[test]
fn r02_search_three_levels_from_nothing() {
    let new = |cr: Cr| Cr {
        active: true,
        settled: false,
        deletable: true,
        ..cr
    };
    holds::<3, ROWS>(
        Variant {
            title: "three levels from nothing, one is deleted",
            left: Left {
                deletes: 1,
                ..left(1, 0)
            },
            ..base([new(CAMPAIGN), new(GROUP), new(AD)])
        },
        1_000,
    );
}

#[test]
fn r20_search_ceilings_go_and_come_back() {
    let pauses = |cr: Cr| Cr {
        active: true,
        settled: true,
        deletable: true,
        policy: None,
        ..cr
    };
    for (title, left) in [
        (
            "all are on, the ceilings go and come back, a crash",
            left(1, 0),
        ),
        (
            "all are on, the ceilings go and come back, an unclear answer",
            left(0, 1),
        ),
    ] {
        holds::<3, ROWS>(
            Variant {
                title,
                left: Left {
                    deletes: 1,
                    caps: 2,
                    ..left
                },
                ..base([pauses(CAMPAIGN), pauses(GROUP), pauses(AD)])
            },
            1_000,
        );
    }
}

#[test]
fn r01_search_switched_off_on_the_platform() {
    let ad = Cr {
        active: true,
        touchable: true,
        policy: None,
        ..AD
    };
    holds::<3, ROWS>(
        Variant {
            title: "an ad is switched off on TikTok, the ceilings go and come back",
            left: Left {
                pauses_outside: 1,
                caps: 2,
                ..left(0, 1)
            },
            ..base([CAMPAIGN, GROUP, ad])
        },
        1_000,
    );
}

#[test]
fn r09_search_the_ad_group_is_adopted_again() {
    let retained = Cr {
        policy: Some(DeletionPolicy::Retain),
        adopt: true,
        ..COMES_BACK
    };
    let ad = Cr { active: true, ..AD };
    holds::<3, ROWS>(
        Variant {
            title: "an ad, its ad group is let go and adopted again",
            left: Left {
                deletes: 1,
                again: 1,
                ..left(1, 1)
            },
            ..base([CAMPAIGN, retained, ad])
        },
        1_000,
    );
}
