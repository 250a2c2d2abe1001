//! What a status tells already, and what of it still counts in a process that has no answer of TikTok's yet.

use super::super::reason::Reason;
use super::standing::{Trouble, What};
use super::status::READ_ONLY;
use super::{CheckResult, ConnectionFacts};
use crate::api::connection::TikTokConnectionStatus;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

/// The kind of trouble where nothing is limited yet: the token ends soon, and somebody has to authorise again.
pub const TOKEN_ENDING: &str = "TokenEnding";

/// What kind of trouble the banner of a status is about: a reason of ours, or [`TOKEN_ENDING`]. `None`: no banner. Equal for
/// two banners that differ in nothing but a time or TikTok's words.
pub fn trouble_told(status: &TikTokConnectionStatus) -> Option<&str> {
    let banner = status.banner.as_ref()?;
    if let Some(limited) = condition(status, READ_ONLY) {
        return Some(&limited.reason);
    }
    let ready = condition(status, "Ready").filter(|c| c.status != "True" && c.message == *banner);
    Some(ready.map_or(TOKEN_ENDING, |c| &c.reason))
}

/// TikTok refused the token in use, or the app, before this process began, and has not been heard of it since: it counts as refused until
/// it has. Else each restart would forget it, and let the objects try.
pub(super) fn refused_before(f: &ConnectionFacts) -> Option<Trouble> {
    let told = condition(f.told_before()?, READ_ONLY)?;
    let refusals = [
        (What::Refused, Reason::TokenRefused),
        (What::App, Reason::AppRefused),
    ];
    let (what, reason) = refusals
        .into_iter()
        .find(|(_, reason)| told.reason == reason.to_string())?;
    Some(Trouble {
        what,
        reason,
        said: told.message.clone(),
        since: None,
        until: None,
    })
}

fn condition<'a>(status: &'a TikTokConnectionStatus, type_: &str) -> Option<&'a Condition> {
    status.conditions.iter().find(|c| c.type_ == type_)
}

impl ConnectionFacts<'_> {
    /// The status, if it speaks of the token in use and of this generation of the spec: what it says of TikTok's answers was
    /// so when it was written, by this process or by one before.
    pub(super) fn told(&self) -> Option<&TikTokConnectionStatus> {
        let status = self.object.status.as_ref()?;
        let token = status.token.as_ref().map(|t| &t.fingerprint);
        let same = token == Some(&self.token()?.id)
            && status.observed_generation == self.object.metadata.generation;
        same.then_some(status)
    }

    /// The same, as long as this process has no answer of its own.
    fn told_before(&self) -> Option<&TikTokConnectionStatus> {
        let check = self.current_check().map(|c| &c.result);
        let answered = self.refused.is_some()
            || matches!(
                check,
                Some(
                    CheckResult::Granted(_)
                        | CheckResult::Refused(_)
                        | CheckResult::AppRefused(_)
                        | CheckResult::NotAllowed(_)
                )
            );
        self.told().filter(|_| !answered)
    }

    /// The user's role in the ad account, as TikTok last said it of this token.
    pub(super) fn role(&self) -> Option<&str> {
        match self.granted() {
            Some(granted) => granted.role.as_deref(),
            None => self.told()?.role.as_deref(),
        }
    }
}
