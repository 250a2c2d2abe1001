//! Errors get their class once, here (decision 11).

use std::fmt;
use std::time::Duration;

use super::call::Call;
use super::text::clean;
use super::wire::TransportError;

/// What an error means for what we do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorClass {
    /// Surely without effect (or a read): the same call may be sent again after a while.
    Retry,
    /// Too many calls; surely without effect.
    Throttled(Throttle),
    /// The token, the app or its rights.
    Auth(AuthProblem),
    /// Sending the same again would be refused again.
    Rejected(Rejection),
    /// The object does not exist or is deleted.
    Gone,
    /// A write that may or may not have had its effect: look before doing anything else.
    Ambiguous,
}

/// Which limit was hit, as far as TikTok says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Throttle {
    /// Per second, or unsaid: [`Budgets`](super::Budgets) finds out which it was.
    Second,
    Minute,
    Day,
    /// Code 40133: the limit of one advertiser on one path.
    Advertiser,
    /// The reply named the wait (HTTP 429 with `Retry-After`).
    After(Duration),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AuthProblem {
    TokenExpired,
    TokenInvalid,
    TokenMissing,
    /// The token is good, but not for this account or object.
    NotGranted,
    /// App id, secret, code or review state of the developer app.
    AppRefused,
    ScopeMissing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rejection {
    NameTaken,
    BudgetTooLow,
    /// The objective has to be created in the Smart+ tree.
    UseSmartPlus,
    NotAllowlisted,
    /// Code 40050: this `request_id` was used before.
    DuplicateRequest,
    /// Code 40012: the platform already has what was sent.
    NothingToUpdate,
    InReview,
    Other,
}

/// Why a call had no answer that could be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlatformError {
    pub class: ErrorClass,
    /// TikTok's return code, if there was an envelope.
    pub code: Option<i64>,
    /// What TikTok or the transport said, cleaned (R19).
    pub message: String,
    /// TikTok's id of the request, or its log id; empty if there is none.
    pub request_id: String,
    /// [`Call::name`].
    pub call: &'static str,
    /// The wire name of the field that TikTok's text is about, where it can be told.
    pub field: Option<&'static str>,
}

impl std::error::Error for PlatformError {}

impl fmt::Display for PlatformError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.call, self.message)
    }
}

/// The error of a call that had no complete reply.
pub fn transport_error(call: &Call, error: TransportError) -> PlatformError {
    let class = match &error {
        TransportError::Unclear(_) if call.is_write() => ErrorClass::Ambiguous,
        TransportError::NotSent(_) | TransportError::Unclear(_) => ErrorClass::Retry,
    };
    PlatformError {
        class,
        code: None,
        message: clean(&error.to_string(), 500),
        request_id: String::new(),
        call: call.name(),
        field: None,
    }
}

pub(super) fn class_of_item(_message: &str) -> ErrorClass {
    ErrorClass::Retry
}
