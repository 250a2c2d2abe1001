//! Errors get their class once, here (decision 11).

use std::fmt;
use std::time::Duration;

use super::call::{Call, EXCHANGE, REFRESH};
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
    /// Per second.
    Second,
    /// Unsaid: [`Budgets`](super::Budgets) finds out which it was.
    Unsaid,
    Minute,
    Day,
    /// Code 40133: the limit of one advertiser on one path, which TikTok publishes nowhere and names in its refusal.
    Advertiser {
        per_second: Option<u32>,
    },
    /// The reply named the wait (HTTP 429 with `Retry-After`).
    After(Duration),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AuthProblem {
    TokenExpired,
    /// Wrong or revoked.
    TokenInvalid,
    TokenMissing,
    /// The token is good, but not for this account or object.
    NotGranted,
    /// App id, secret or state of the developer app.
    AppRefused,
    ScopeMissing,
    /// Code 40110: the code of a connect is wrong, used or older than an hour.
    CodeRefused,
    /// Code 40103: the refresh token is too old.
    RefreshExpired,
    /// Code 40107: the refresh token is wrong or used, or the access token is a long-lived one that has none. Says nothing
    /// about the access token itself.
    RefreshRefused,
    /// Code 40108: not refreshed in the way the operator asks for it.
    GrantRefused,
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
    /// What happened, what it means and what to do.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.code {
            Some(code) if self.message.is_empty() => {
                write!(f, "{}: TikTok answered with code {code}", self.call)?
            }
            Some(code) => write!(
                f,
                "{}: TikTok says: {} (code {code}",
                self.call, self.message
            )?,
            None => write!(f, "{}: {}", self.call, self.message)?,
        }
        match (
            self.code,
            self.message.is_empty(),
            self.request_id.is_empty(),
        ) {
            (Some(_), false, false) => write!(f, ", request {})", self.request_id)?,
            (Some(_), false, true) => write!(f, ")")?,
            (_, _, false) => write!(f, " (request {})", self.request_id)?,
            (_, _, true) => {}
        }
        write!(f, ". {}", self.advice())
    }
}

impl PlatformError {
    /// The same for a status: what two answers to the same wrong thing have in common. A request id, different each time,
    /// would make a new status of every attempt; the log has it.
    pub fn lasting(&self) -> String {
        let said = match (self.code, self.message.is_empty()) {
            (Some(code), true) => format!("TikTok answered with code {code}"),
            (Some(code), false) => format!("TikTok says: {} (code {code})", self.message),
            (None, _) => self.message.clone(),
        };
        format!("{said}. {}", self.advice())
    }

    /// [`ErrorClass::advice`], but for what cannot be looked up: TikTok shows no token a second time.
    fn advice(&self) -> &'static str {
        match (self.class, self.call) {
            (ErrorClass::Ambiguous, EXCHANGE) => {
                "The code may be used up, and the token that it made is lost: open the connect link again"
            }
            (ErrorClass::Ambiguous, REFRESH) => {
                "TikTok may have changed the tokens, and the new ones are lost: if neither the access token nor the refresh \
                 token works any more, authorise again"
            }
            (class, _) => class.advice(),
        }
    }
}

impl ErrorClass {
    /// The same call would be refused again: neither waiting nor repeating helps. Everything else may pass by itself, except
    /// that after [`Ambiguous`](ErrorClass::Ambiguous) nobody knows what the call did.
    pub fn is_definite(self) -> bool {
        match self {
            ErrorClass::Auth(_) | ErrorClass::Rejected(_) | ErrorClass::Gone => true,
            ErrorClass::Retry | ErrorClass::Throttled(_) | ErrorClass::Ambiguous => false,
        }
    }

    /// What this class of error means and what to do, as a sentence for whoever reads a status or a log.
    pub fn advice(self) -> &'static str {
        match self {
            ErrorClass::Retry => "Nothing was changed; it is tried again by itself",
            ErrorClass::Throttled(Throttle::Advertiser { .. }) => {
                "Too many calls for this ad account; it is tried again by itself, more slowly"
            }
            ErrorClass::Throttled(_) => {
                "Too many calls of this developer app; it is tried again by itself. If it keeps happening, check the \
                 tier in the operator's settings and what else uses the app"
            }
            ErrorClass::Auth(AuthProblem::TokenExpired) => {
                "The access token has expired: authorise the connection again"
            }
            ErrorClass::Auth(AuthProblem::TokenInvalid) => {
                "The access token is not valid or was revoked: authorise the connection again"
            }
            ErrorClass::Auth(AuthProblem::TokenMissing) => {
                "No access token was sent: check the connection's Secret"
            }
            ErrorClass::Auth(AuthProblem::NotGranted) => {
                "The token has no right to this ad account or object: check the advertiser id, and that the account \
                 granted access to the app"
            }
            ErrorClass::Auth(AuthProblem::AppRefused) => {
                "TikTok refuses the developer app or its credentials: check app id, secret and the app's state"
            }
            ErrorClass::Auth(AuthProblem::ScopeMissing) => {
                "The app lacks a permission (scope): add it in TikTok's developer portal and authorise again"
            }
            ErrorClass::Auth(AuthProblem::CodeRefused) => {
                "The code of this sign-in is wrong, was used before, or is older than an hour: open the connect link again"
            }
            ErrorClass::Auth(AuthProblem::RefreshExpired) => {
                "The refresh token has expired, so that no new access token can be had with it: authorise again"
            }
            ErrorClass::Auth(AuthProblem::RefreshRefused) => {
                "TikTok gives no new access token for this refresh token, which is wrong or was used before, or belongs to \
                 a token that does not expire: if the access token stops working, authorise again"
            }
            ErrorClass::Auth(AuthProblem::GrantRefused) => {
                "TikTok does not refresh tokens in the way the operator asks for it: check the operator's refresh path and \
                 the names of its fields, and authorise again if the token ends before that"
            }
            ErrorClass::Rejected(Rejection::NameTaken) => {
                "Another object of this ad account has the name: choose another, or adopt that one"
            }
            ErrorClass::Rejected(Rejection::BudgetTooLow) => {
                "The budget is below TikTok's minimum or below 105 % of what is already spent: raise it"
            }
            ErrorClass::Rejected(Rejection::UseSmartPlus) => {
                "TikTok takes this in the Smart+ tree only: use that tree"
            }
            ErrorClass::Rejected(Rejection::NotAllowlisted) => {
                "TikTok offers this to selected accounts only: ask your TikTok representative, or leave it out"
            }
            ErrorClass::Rejected(Rejection::DuplicateRequest) => {
                "This idempotency key was used before: the platform is looked up before anything else is done"
            }
            ErrorClass::Rejected(Rejection::NothingToUpdate) => {
                "The platform already has these values"
            }
            ErrorClass::Rejected(Rejection::InReview) => {
                "TikTok is reviewing it; it is tried again after the review"
            }
            ErrorClass::Rejected(Rejection::Other) => {
                "TikTok will refuse it again until it is changed"
            }
            ErrorClass::Gone => "It does not exist on the platform, or is deleted",
            ErrorClass::Ambiguous => {
                "It may or may not have been done: the platform is looked up before it is repeated"
            }
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_answers_to_the_same_wrong_thing_read_alike_in_a_status() {
        let error = |request_id: &str| PlatformError {
            class: ErrorClass::Auth(AuthProblem::TokenInvalid),
            code: Some(40105),
            message: "Access token is incorrect or has been revoked.".into(),
            request_id: request_id.into(),
            call: "GrantedAdvertisers",
            field: None,
        };
        assert_eq!(error("1").lasting(), error("2").lasting());
        assert_ne!(error("1").to_string(), error("2").to_string());
        assert!(
            error("1")
                .lasting()
                .contains("Access token is incorrect or has been revoked. (code 40105)")
        );
    }
}
