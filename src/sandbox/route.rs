//! The endpoints and their paths.

use super::item::{Level, Tree};

const PREFIX: &str = "/open_api/v1.3";
/// The page where a user approves an app; it is none of the API's paths.
pub(super) const AUTHORISE: &str = "/portal/auth";

/// The endpoints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Route {
    AccessToken,
    RefreshToken,
    RevokeToken,
    AdvertiserGet,
    AdvertiserInfo,
    /// The page where a user approves an app: `GET` shows it, its form is a `POST`.
    Authorise,
    BcAssets,
    PixelList,
    Subscribe,
    SubscriptionList,
    Unsubscribe,
    AdGroupQuota,
    Create(Level, Tree),
    Update(Level, Tree),
    Status(Level, Tree),
    List(Level, Tree),
    /// Single creatives of a Smart+ ad, on and off.
    MaterialStatus,
    ReviewInfo(Reviewed),
    /// Of an ad group, and of a Smart+ ad.
    Appeal(Tree),
}

/// Whose reviews a call asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reviewed {
    AdGroups,
    Ads,
    SmartPlusAds,
    Materials,
}

impl Route {
    pub(super) fn find(path: &str) -> Option<(Self, &'static str)> {
        if path == AUTHORISE {
            return Some((Self::Authorise, "GET"));
        }
        let path = path.strip_prefix(PREFIX)?;
        Some(match path {
            "/oauth2/access_token/" => (Self::AccessToken, "POST"),
            "/oauth2/refresh_token/" => (Self::RefreshToken, "POST"),
            "/oauth2/revoke_token/" => (Self::RevokeToken, "POST"),
            "/oauth2/advertiser/get/" => (Self::AdvertiserGet, "GET"),
            "/advertiser/info/" => (Self::AdvertiserInfo, "GET"),
            "/bc/asset/get/" => (Self::BcAssets, "GET"),
            "/pixel/list/" => (Self::PixelList, "GET"),
            "/subscription/subscribe/" => (Self::Subscribe, "POST"),
            "/subscription/get/" => (Self::SubscriptionList, "GET"),
            "/subscription/unsubscribe/" => (Self::Unsubscribe, "POST"),
            "/adgroup/review_info/" => (Self::ReviewInfo(Reviewed::AdGroups), "GET"),
            "/ad/review_info/" => (Self::ReviewInfo(Reviewed::Ads), "GET"),
            "/smart_plus/ad/review_info/" => (Self::ReviewInfo(Reviewed::SmartPlusAds), "GET"),
            "/smart_plus/material/review_info/" => (Self::ReviewInfo(Reviewed::Materials), "GET"),
            "/smart_plus/ad/material_status/update/" => (Self::MaterialStatus, "POST"),
            "/adgroup/appeal/" => (Self::Appeal(Tree::Manual), "POST"),
            "/smart_plus/ad/appeal/" => (Self::Appeal(Tree::SmartPlus), "POST"),
            "/adgroup/quota/" => (Self::AdGroupQuota, "GET"),
            _ => return Self::of_object(path),
        })
    }

    /// `/campaign/…`, `/adgroup/…` and `/ad/…`, and the same under `/smart_plus`.
    fn of_object(path: &str) -> Option<(Self, &'static str)> {
        let (tree, rest) = match path.strip_prefix("/smart_plus") {
            Some(rest) => (Tree::SmartPlus, rest),
            None => (Tree::Manual, path),
        };
        let (level, rest) = Level::ALL.into_iter().find_map(|level| {
            let rest = rest.strip_prefix('/')?.strip_prefix(level.wire())?;
            rest.starts_with('/').then_some((level, rest))
        })?;
        Some(match rest {
            "/create/" => (Self::Create(level, tree), "POST"),
            "/update/" => (Self::Update(level, tree), "POST"),
            "/status/update/" => (Self::Status(level, tree), "POST"),
            "/get/" => (Self::List(level, tree), "GET"),
            _ => return None,
        })
    }

    pub(super) fn is_write(self) -> bool {
        matches!(
            self,
            Self::Create(..)
                | Self::Update(..)
                | Self::Status(..)
                | Self::MaterialStatus
                | Self::Appeal(_)
        )
    }

    /// Whether it is a list or look-up of one advertiser's objects.
    pub(super) fn is_read(self) -> bool {
        matches!(
            self,
            Self::List(..) | Self::ReviewInfo(_) | Self::AdGroupQuota | Self::PixelList
        )
    }

    /// Whether it takes this method, where the endpoint's own is the other one.
    pub(super) fn takes(self, own: &str, method: &str) -> bool {
        method == own || (self == Self::Authorise && method == "POST")
    }
}
