//! What a successful call answers, reduced to what the operator uses.

use jiff::Timestamp;

use super::access::{PixelRow, RoleRow};
use super::error::ErrorClass;
use super::oauth::TokenReply;
use super::review::Review;
use super::row::Row;
use super::subscription::SubscriptionRow;

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
// One value per answer: a box would cost more than the difference.
#[allow(clippy::large_enum_variant)]
pub enum Reply {
    Advertisers(Vec<AdvertiserRow>),
    Granted(Vec<GrantedAdvertiser>),
    /// One complete page. `total` is the number of rows over all pages, `total_pages` at least 1.
    Rows {
        rows: Vec<Row>,
        page: u32,
        total_pages: u32,
        total: u64,
    },
    /// What was made of the objects that were sent, in their order; `None` where the answer does not show one.
    Created(Vec<Option<Row>>),
    /// The object as it is after the update, where TikTok says so.
    Updated(Option<Row>),
    /// The appeal was taken.
    Appealed,
    /// Reviews by ad id; an ad that TikTok does not mention is missing.
    Reviews(Vec<(String, Review)>),
    /// Every id that was asked for is in exactly one of the two.
    StatusSet {
        done: Vec<String>,
        refused: Vec<RefusedId>,
    },
    /// A new token, exchanged or refreshed.
    Token(TokenReply),
    /// The token has ended; the ad accounts that it no longer reaches, as far as TikTok names them.
    Revoked {
        advertisers: Vec<String>,
    },
    /// One complete page of roles.
    Roles {
        rows: Vec<RoleRow>,
        page: PageInfo,
    },
    /// The pixels that were asked for; empty if the account does not have them.
    Pixels(Vec<PixelRow>),
    /// One complete page of the developer app's subscriptions.
    Subscriptions {
        rows: Vec<SubscriptionRow>,
        page: PageInfo,
    },
    /// The id of the new subscription.
    Subscribed(String),
    /// It was done, and there is nothing to say about it.
    Done,
}

/// Where a page is in its list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageInfo {
    /// From 1.
    pub page: u32,
    /// At least 1.
    pub total_pages: u32,
    /// Rows over all pages.
    pub total: u64,
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
    /// The Business Center that owns the account: where to ask for the user's role.
    pub owner_bc_id: Option<String>,
    pub rejection_reason: Option<String>,
}
