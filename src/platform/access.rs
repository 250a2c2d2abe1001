//! The ad accounts that a token reaches, what its user may do in them, and their sources of events.

use serde_json::Value;

use super::json;
use super::reply::{AdvertiserRow, GrantedAdvertiser};
use super::text::clean;

pub(super) const ASSETS: &str = "/open_api/v1.3/bc/asset/get/";
pub(super) const PIXELS: &str = "/open_api/v1.3/pixel/list/";
/// The largest page TikTok gives of assets.
pub(super) const ASSETS_PAGE_SIZE: u32 = 50;
/// The largest page TikTok gives of pixels.
pub(super) const PIXELS_PAGE_SIZE: u32 = 20;
/// Longest reason of a rejection that we keep.
const LONGEST_REASON: usize = 500;

/// What the user who authorised may do in an ad account (R26).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum UserRole {
    Admin,
    Operator,
    /// Reads only.
    Analyst,
    /// TikTok does not say, or says something we do not know: never taken for sufficient.
    Unknown,
}

/// The user's role in one ad account of a Business Center.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleRow {
    pub advertiser: String,
    pub role: UserRole,
}

/// A pixel of an ad account. Texts are cleaned (R19).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PixelRow {
    pub id: String,
    /// What websites name it by. Empty if TikTok did not say.
    pub code: String,
    pub name: String,
    /// It was shared with the account once and no longer is.
    pub unbound: bool,
}

/// `None` without a usable id.
pub(super) fn advertiser(row: &Value) -> Option<AdvertiserRow> {
    let text = |name: &str| json::text(row, name);
    Some(AdvertiserRow {
        id: json::id(row, "advertiser_id")?,
        name: text("name").unwrap_or_default(),
        currency: text("currency").unwrap_or_default(),
        timezone: text("timezone").unwrap_or_default(),
        status: text("status").unwrap_or_default(),
        role: text("role"),
        owner_bc_id: json::id(row, "owner_bc_id"),
        rejection_reason: row
            .get("rejection_reason")
            .and_then(Value::as_str)
            .map(|reason| clean(reason, LONGEST_REASON))
            .filter(|reason| !reason.is_empty()),
    })
}

/// `None` without a usable id.
pub(super) fn granted(row: &Value) -> Option<GrantedAdvertiser> {
    Some(GrantedAdvertiser {
        id: json::id(row, "advertiser_id")?,
        name: json::text(row, "advertiser_name").unwrap_or_default(),
    })
}

/// `None` without a usable id.
pub(super) fn role(row: &Value) -> Option<RoleRow> {
    // A share that is not approved, or was taken back, gives no right.
    let bound = json::text(row, "relation_status").is_none_or(|status| status == "BOUND");
    let role = match json::text(row, "advertiser_role").as_deref() {
        Some("ADMIN") if bound => UserRole::Admin,
        Some("OPERATOR") if bound => UserRole::Operator,
        Some("ANALYST") => UserRole::Analyst,
        _ => UserRole::Unknown,
    };
    Some(RoleRow {
        advertiser: json::id(row, "asset_id")?,
        role,
    })
}

/// `None` without a usable id.
pub(super) fn pixel(row: &Value) -> Option<PixelRow> {
    Some(PixelRow {
        id: json::id(row, "pixel_id")?,
        code: json::text(row, "pixel_code").unwrap_or_default(),
        name: json::text(row, "pixel_name").unwrap_or_default(),
        unbound: row
            .get("asset_ownership")
            .and_then(|owned| json::text(owned, "asset_relation_status"))
            .as_deref()
            == Some("UNBOUND"),
    })
}
