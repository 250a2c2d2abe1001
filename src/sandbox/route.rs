//! The endpoints and their paths.

use super::campaign::Tree;

const PREFIX: &str = "/open_api/v1.3";

/// The endpoints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Route {
    AccessToken,
    RefreshToken,
    RevokeToken,
    AdvertiserGet,
    AdvertiserInfo,
    Create(Tree),
    Update(Tree),
    Status(Tree),
    List(Tree),
}

impl Route {
    pub(super) fn find(path: &str) -> Option<(Self, &'static str)> {
        Some(match path.strip_prefix(PREFIX)? {
            "/oauth2/access_token/" => (Self::AccessToken, "POST"),
            "/oauth2/refresh_token/" => (Self::RefreshToken, "POST"),
            "/oauth2/revoke_token/" => (Self::RevokeToken, "POST"),
            "/oauth2/advertiser/get/" => (Self::AdvertiserGet, "GET"),
            "/advertiser/info/" => (Self::AdvertiserInfo, "GET"),
            "/campaign/create/" => (Self::Create(Tree::Manual), "POST"),
            "/campaign/update/" => (Self::Update(Tree::Manual), "POST"),
            "/campaign/status/update/" => (Self::Status(Tree::Manual), "POST"),
            "/campaign/get/" => (Self::List(Tree::Manual), "GET"),
            "/smart_plus/campaign/create/" => (Self::Create(Tree::SmartPlus), "POST"),
            "/smart_plus/campaign/update/" => (Self::Update(Tree::SmartPlus), "POST"),
            "/smart_plus/campaign/status/update/" => (Self::Status(Tree::SmartPlus), "POST"),
            "/smart_plus/campaign/get/" => (Self::List(Tree::SmartPlus), "GET"),
            _ => return None,
        })
    }

    pub(super) fn is_write(self) -> bool {
        matches!(self, Self::Create(_) | Self::Update(_) | Self::Status(_))
    }
}
