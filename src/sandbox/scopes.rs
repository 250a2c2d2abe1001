//! The permissions of an app: TikTok's numbered tree, and which call needs which (D:1753986142651394).
//!
//! Who has a permission has all that are below it. Of the Upgraded Smart+ endpoints the table says nothing; they are
//! taken to need what their manual sisters need.

use super::{
    item::Level,
    route::{Reviewed, Route},
};

/// What an app asks for until it is told otherwise: ad account management, ads management, audiences, reporting and
/// pixels, some of them with their parts.
pub(super) const DEFAULT: &[u64] = &[1, 2, 3, 4, 8, 10, 11, 12, 40, 41, 42, 43, 44];

/// Number, name, and the number above (0: none).
const TREE: &[(u64, &str, u64)] = &[
    (1, "Ad Account Management", 0),
    (10, "Ad Account Information", 1),
    (100, "Read Ad Account Information", 10),
    (12, "Terms and Agreements", 1),
    (15, "Business Center", 1),
    (153, "Business Center Asset", 15),
    (2, "Ads Management", 0),
    (20, "Campaign", 2),
    (200, "Read Campaigns", 20),
    (201, "Create and Update Campaigns", 20),
    (21, "Ad Group", 2),
    (210, "Read Ad Groups", 21),
    (211, "Create and Update Ad Groups", 21),
    (22, "Ad", 2),
    (220, "Read Ads", 22),
    (221, "Create and Update Ads", 22),
    (3, "Audience Management", 0),
    (4, "Reporting", 0),
    (40, "Ad Account Level", 4),
    (41, "Campaign Level", 4),
    (42, "Ad Group Level", 4),
    (43, "Ad Level", 4),
    (44, "Consolidated Report", 4),
    (6, "Creative Management", 0),
    (8, "Pixel Management", 0),
    (80, "Pixel Management", 8),
    (800, "Read Pixels", 80),
];

/// What a permission is called; those beyond the calls served here have no name.
pub(super) fn name(scope: u64) -> &'static str {
    TREE.iter()
        .find(|(number, ..)| *number == scope)
        .map_or("other", |(_, name, _)| name)
}

/// Whether a permission, or one above it, was granted.
pub(super) fn covers(granted: &[u64], needed: u64) -> bool {
    let mut at = needed;
    while at != 0 {
        if granted.contains(&at) {
            return true;
        }
        at = TREE
            .iter()
            .find(|(number, ..)| *number == at)
            .map_or(0, |(_, _, above)| *above);
    }
    false
}

/// What a call needs; none: only the app's secret.
pub(super) fn needed(route: Route) -> Option<u64> {
    let of = |level, write| match (level, write) {
        (Level::Campaign, false) => 200,
        (Level::Campaign, true) => 201,
        (Level::AdGroup, false) => 210,
        (Level::AdGroup, true) => 211,
        (Level::Ad, false) => 220,
        (Level::Ad, true) => 221,
    };
    Some(match route {
        Route::AdvertiserGet | Route::AdvertiserInfo => 100,
        Route::BcAssets => 153,
        Route::PixelList => 800,
        Route::List(level, _) => of(level, false),
        Route::Create(level, _) | Route::Update(level, _) | Route::Status(level, _) => {
            of(level, true)
        }
        Route::AdGroupQuota | Route::ReviewInfo(Reviewed::AdGroups) => 210,
        Route::ReviewInfo(_) => 220,
        Route::Appeal(super::item::Tree::Manual) => 211,
        Route::Appeal(super::item::Tree::SmartPlus) | Route::MaterialStatus => 221,
        Route::AccessToken
        | Route::RefreshToken
        | Route::RevokeToken
        | Route::Authorise
        | Route::Subscribe
        | Route::SubscriptionList
        | Route::Unsubscribe => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_a_permission_has_all_below_it() {
        for granted in [1, 15, 153] {
            assert!(covers(&[granted], 153), "{granted}");
        }
        assert!(!covers(&[10, 150, 2], 153));
        assert!(!covers(&[], 153));
        assert!(!covers(&[154], 1_000));
    }

    #[test]
    fn every_default_but_one_has_a_name_and_every_parent_exists() {
        for (number, _, above) in TREE {
            assert!(
                *above == 0 || TREE.iter().any(|(n, ..)| n == above),
                "{number}"
            );
        }
        let nameless: Vec<_> = DEFAULT
            .iter()
            .filter(|scope| name(**scope) == "other")
            .collect();
        assert_eq!(nameless, [&11]);
    }
}
