//! What a successful call answers, reduced to what the operator uses.

use jiff::Timestamp;

use super::call::Tree;
use super::error::ErrorClass;
use super::money::Cents;

/// A successful answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub reply: Reply,
    /// TikTok's clock, from the `Date` header.
    pub date: Option<Timestamp>,
    /// TikTok's id of this request, for its support. Not the idempotency key. Empty if TikTok sent none.
    pub request_id: String,
}

/// What the call was for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    Advertisers(Vec<AdvertiserRow>),
    Granted(Vec<GrantedAdvertiser>),
    /// One complete page. `total` is the number of rows over all pages, `total_pages` at least 1.
    Campaigns {
        rows: Vec<CampaignRow>,
        page: u32,
        total_pages: u32,
        total: u64,
    },
    Created(CampaignRow),
    /// The campaign as it is after the update, where TikTok says so.
    Updated(Option<CampaignRow>),
    /// Every id that was asked for is in exactly one of the two.
    StatusSet {
        done: Vec<String>,
        refused: Vec<RefusedId>,
    },
}

/// One id that a partly successful status call did not change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedId {
    pub id: String,
    /// TikTok's words, cleaned (R19).
    pub message: String,
}

impl RefusedId {
    /// What the refusal means for this one object: `Gone` or `Rejected`.
    pub fn class(&self) -> ErrorClass {
        super::codes::class_of_item(&self.message)
    }
}

/// An account that the token was granted. Both cleaned (R19).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrantedAdvertiser {
    pub id: String,
    pub name: String,
}

/// An ad account. All texts are cleaned (R19).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdvertiserRow {
    pub id: String,
    pub name: String,
    /// ISO 4217. Empty if TikTok did not say.
    pub currency: String,
    /// `Etc/GMT+8` or IANA: the zone of schedules and reports.
    pub timezone: String,
    /// Such as `STATUS_ENABLE`, `STATUS_LIMIT`.
    pub status: String,
    /// The account's type, such as `ROLE_ADVERTISER`; not the user's role (R26).
    pub role: Option<String>,
    pub rejection_reason: Option<String>,
}

/// On, off or deleted. An operation status we do not know counts as `On`: it may be spending.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OperationState {
    On,
    Off,
    Deleted,
}

/// A campaign as the platform has it. Enum values are TikTok's; `UNSET` and empty text read as `None`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CampaignRow {
    pub id: String,
    /// By what the row says of itself, since manual lists return Smart+ campaigns as well.
    pub tree: Tree,
    /// Exactly as the platform has it, so that it can be compared: [`clean`](super::clean) it before showing it.
    pub name: String,
    pub objective: String,
    pub operation: OperationState,
    pub secondary_status: String,
    pub budget_mode: Option<String>,
    pub budget: Option<Cents>,
    /// With automatic budget increase: today's budget. Shown, never compared (R13).
    pub current_budget: Option<Cents>,
    /// Manual rows have it only when it is on.
    pub budget_optimize_on: Option<bool>,
    pub campaign_type: Option<String>,
    pub app_promotion_type: Option<String>,
    pub app_id: Option<String>,
    pub special_industries: Vec<String>,
    pub sales_destination: Option<String>,
    pub catalog_enabled: Option<bool>,
    pub catalog_type: Option<String>,
    pub po_number: Option<String>,
    pub postback_window_mode: Option<String>,
    pub is_advanced_dedicated: bool,
    pub created: Option<Timestamp>,
    pub modified: Option<Timestamp>,
}
