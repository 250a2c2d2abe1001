//! What may be done with the token, everything taken together: its life, what TikTok says to it, whose it is.

use jiff::Timestamp;

use super::super::reason::Reason;
use super::super::token::{Standing, Why};
use super::scopes::{self, Reach};
use super::{CheckResult, ConnectionFacts, Refusal, told};
use crate::api::connection::OnAuthDegraded;

/// Why less than everything may be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Trouble {
    pub what: What,
    pub reason: Reason,
    /// What happened, as a sentence without its full stop.
    pub said: String,
    /// `None`: not known before this process looked.
    pub since: Option<Timestamp>,
    pub until: Option<Timestamp>,
}

/// How much less.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// Nothing at all but the call that renews it.
    Over,
    /// TikTok refuses it: pauses are tried, and fail.
    Refused,
    /// Reads and pauses, until it ends.
    Ends,
    /// TikTok refuses the app: reads and pauses are tried.
    App,
    /// Reads, and pauses as far as TikTok takes them; nothing ends.
    ReadsOnly,
    /// Not even reads of campaigns, ad groups and ads; nothing ends.
    NoAds,
}

impl What {
    /// Was too little granted, rather than that the token fails?
    pub(super) fn granted_too_little(self) -> bool {
        matches!(self, Self::ReadsOnly | Self::NoAds)
    }
}

impl Trouble {
    /// Did the authorisation fail, rather than never reach further?
    fn degraded(&self) -> bool {
        !self.what.granted_too_little() && self.what != What::App
    }
}

/// What is wrong with the token, the worst first. `None`: nothing.
pub(super) fn trouble(f: &ConnectionFacts) -> Option<Trouble> {
    let standing = f.token_plan()?.standing;
    if let Standing::Over { since } = standing {
        return Some(Trouble {
            what: What::Over,
            reason: Reason::TokenExpired,
            said: "the access token has ended".into(),
            since: Some(since),
            until: None,
        });
    }
    if let Some(refusal) = refused(f) {
        let words = bare(&refusal.message);
        return match refusal.app {
            false => told_now(
                What::Refused,
                Reason::TokenRefused,
                format!("TikTok refuses the access token ({words})"),
            ),
            true => told_now(
                What::App,
                Reason::AppRefused,
                format!(
                    "TikTok does not accept the app of Secret {} ({words})",
                    f.object.spec.app_secret_ref.name
                ),
            ),
        };
    }
    if let Some(before) = told::refused_before(f) {
        return Some(before);
    }
    if let Standing::ReadOnly { why, since, until } = standing {
        let said = match why {
            Why::NoRefresh => "the access token ends soon and cannot be renewed".to_string(),
            Why::Refused(words) => {
                format!("TikTok gives no new access token ({})", bare(&words))
            }
            Why::NotInTime(words) if words.is_empty() => {
                "the access token could not be renewed in time".into()
            }
            Why::NotInTime(words) => {
                format!(
                    "the access token could not be renewed in time ({})",
                    bare(&words)
                )
            }
        };
        return Some(Trouble {
            what: What::Ends,
            reason: Reason::TokenNotRenewed,
            said,
            since: Some(since),
            until: Some(until),
        });
    }
    if f.app_changed() {
        return told_now(
            What::ReadsOnly,
            Reason::AppChanged,
            format!(
                "Secret {} names another app than the one that the access token was obtained with",
                f.object.spec.app_secret_ref.name
            ),
        );
    }
    if let Some(CheckResult::NotAllowed(message)) = f.current_check().map(|c| &c.result) {
        return told_now(
            What::NoAds,
            Reason::ScopeMissing,
            format!(
                "what was approved does not allow to read the ad account's information ({})",
                bare(message)
            ),
        );
    }
    let held = f.held()?;
    match held.scopes.as_deref().map_or(Reach::Writes, scopes::reach) {
        Reach::Writes => {}
        Reach::Reads => {
            return told_now(
                What::ReadsOnly,
                Reason::ScopeMissing,
                "what was approved allows nothing but reading".into(),
            );
        }
        Reach::NoAds => {
            return told_now(
                What::NoAds,
                Reason::ScopeMissing,
                "what was approved does not allow to read or change campaigns, ad groups and ads"
                    .into(),
            );
        }
    }
    if f.role() == Some(scopes::ANALYST) {
        return told_now(
            What::ReadsOnly,
            Reason::AnalystRole,
            "whoever authorised is ANALYST in the ad account, which allows nothing but reading"
                .into(),
        );
    }
    None
}

/// Trouble of which nobody knows since when and until when.
fn told_now(what: What, reason: Reason, said: String) -> Option<Trouble> {
    Some(Trouble {
        what,
        reason,
        said,
        since: None,
        until: None,
    })
}

/// Does TikTok refuse the token in use, or the app?
fn refused(f: &ConnectionFacts) -> Option<Refusal> {
    let token = f.token()?;
    let said = f.refused.clone().filter(|r| r.token == token.id);
    said.or_else(|| Refusal::of(&token.id, &f.current_check()?.result))
}

/// R21: everything active is switched off, because the token soon cannot do it any more.
pub(super) fn pause_all(f: &ConnectionFacts, trouble: Option<&Trouble>) -> Option<String> {
    let trouble = trouble.filter(|t| t.degraded())?;
    (f.object.spec.on_auth_degraded == Some(OnAuthDegraded::PauseAll)).then(|| {
        format!(
            "{}, and the connection says onAuthDegraded: PauseAll; it goes on after the connection was authorised again",
            trouble.said
        )
    })
}

/// A message as part of a sentence.
fn bare(message: &str) -> &str {
    message.trim().trim_end_matches('.')
}
