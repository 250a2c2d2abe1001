//! Ad groups and ads in what they are in: several ads in one call, parents that go and come back, and ceilings.
//!
//! Bounds beside those of `campaigns`: what is above the objects in question mostly stands on the platform already; one
//! process unless the lease moves; a new leader has read the lists of all kinds before its first turn. Ads have no
//! idempotency key: R11 alone protects them.

use tiktok_ads_operator::platform::{Kind, Tree};

use super::holds;
use super::variant::{CR, Cr, Keys, Variant};
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
        eager: true,
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
    holds::<4, ROWS>(
        Variant {
            title: "two ads in one call, TikTok refuses one",
            left: left(1, 1),
            ..base([
                CAMPAIGN,
                GROUP,
                AD,
                Cr {
                    refused: true,
                    ..OTHER_AD
                },
            ])
        },
        1_000,
    );
}

#[test]
fn r09_search_two_ads_of_one_name() {
    holds::<4, ROWS>(
        Variant {
            title: "two ads of one name",
            left: Left {
                deletes: 1,
                ..left(1, 1)
            },
            eager: false,
            ..base([
                CAMPAIGN,
                GROUP,
                Cr {
                    deletable: true,
                    ..AD
                },
                AD,
            ])
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
                ..left(0, 0)
            },
            replicas: 2,
            ..base([CAMPAIGN, GROUP, AD, OTHER_AD])
        },
        1_000,
    );
}

#[test]
fn r32_search_an_ad_is_deleted_while_made_with_another() {
    holds::<4, ROWS>(
        Variant {
            title: "two ads in one call, one is deleted",
            left: Left {
                deletes: 1,
                ..left(0, 1)
            },
            ..base([
                CAMPAIGN,
                GROUP,
                AD,
                Cr {
                    deletable: true,
                    ..OTHER_AD
                },
            ])
        },
        1_000,
    );
}

#[test]
fn r32_search_the_ad_group_is_deleted_and_made_again() {
    holds::<4, ROWS>(
        Variant {
            title: "two ads in one call, their ad group is deleted and made again",
            left: Left {
                deletes: 1,
                again: 1,
                ..left(0, 1)
            },
            ..base([
                CAMPAIGN,
                Cr {
                    deletable: true,
                    ..GROUP
                },
                AD,
                OTHER_AD,
            ])
        },
        1_000,
    );
}

#[test]
fn r32_search_the_ad_group_is_deleted_outside() {
    holds::<4, ROWS>(
        Variant {
            title: "two ads in one call, their ad group is deleted on TikTok, and made again",
            left: Left {
                deletes_outside: 1,
                deletes: 1,
                again: 1,
                ..left(0, 1)
            },
            ..base([
                CAMPAIGN,
                Cr {
                    deletable: true,
                    touchable: true,
                    ..GROUP
                },
                AD,
                OTHER_AD,
            ])
        },
        1_000,
    );
}

#[test]
fn r02_search_three_levels_from_nothing() {
    const NEW: Cr = Cr {
        settled: false,
        deletable: true,
        ..CAMPAIGN
    };
    holds::<3, ROWS>(
        Variant {
            title: "three levels from nothing, all deletable",
            left: Left {
                deletes: 1,
                again: 1,
                ..left(1, 0)
            },
            ..base([
                NEW,
                Cr {
                    settled: false,
                    deletable: true,
                    ..GROUP
                },
                Cr {
                    active: true,
                    deletable: true,
                    ..AD
                },
            ])
        },
        1_000,
    );
}

#[test]
fn r20_search_ceilings_go_and_come() {
    const ALL: Cr = Cr {
        policy: None,
        deletable: true,
        ..CAMPAIGN
    };
    holds::<3, ROWS>(
        Variant {
            title: "all on, the ceilings go and come back, policy Pause",
            left: Left {
                deletes: 1,
                caps: 2,
                ..left(1, 1)
            },
            ..base([
                ALL,
                Cr {
                    policy: None,
                    deletable: true,
                    ..GROUP
                },
                Cr {
                    active: true,
                    settled: true,
                    policy: None,
                    deletable: true,
                    ..AD
                },
            ])
        },
        1_000,
    );
}

#[test]
fn r01_search_paused_outside() {
    const ON: Cr = Cr {
        active: true,
        touchable: true,
        policy: None,
        ..AD
    };
    holds::<3, ROWS>(
        Variant {
            title: "somebody switches ads off on TikTok",
            left: Left {
                pauses_outside: 2,
                ..left(1, 1)
            },
            ..base([CAMPAIGN, GROUP, ON])
        },
        1_000,
    );
}

#[test]
fn r09_search_the_ad_group_is_adopted_again() {
    use tiktok_ads_operator::api::common::DeletionPolicy::Retain;
    const RETAINED: Cr = Cr {
        policy: Some(Retain),
        adopt: true,
        deletable: true,
        ..GROUP
    };
    holds::<3, ROWS>(
        Variant {
            title: "an ad group is let go and adopted again, with an ad",
            left: Left {
                deletes: 1,
                again: 1,
                ..left(1, 1)
            },
            ..base([CAMPAIGN, RETAINED, Cr { active: true, ..AD }])
        },
        1_000,
    );
}
