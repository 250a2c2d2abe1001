//! A connection that is being deleted (R22): first what is deleted together with it, then the grant, then the Secrets.

use jiff::Timestamp;

use super::super::reason::Reason;
use super::super::report::Ready;
use super::standing::{self, What};
use super::{
    Child, ConnectionAction, ConnectionFacts, DISCONNECT_GRACE, DISCONNECT_SLOW, Grants, Held,
    HeldFacts, Origin, REVOKE_WITHIN, Revoked, SHOWN, Step, live,
};
use crate::api::RELEASE;

use ConnectionAction as A;

fn say(action: ConnectionAction, message: impl Into<String>, wake: Option<Timestamp>) -> Step {
    Step {
        action,
        phase: "Disconnecting",
        ready: Ready::Progress(Reason::Disconnecting, message.into()),
        wake,
    }
}

pub(super) fn plan(f: &ConnectionFacts) -> Step {
    if !f.has_finalizer() {
        return say(A::Rest, "being deleted", None);
    }
    let since = f
        .object
        .metadata
        .deletion_timestamp
        .as_ref()
        .map_or(f.now, |t| t.0);
    let ending: Vec<&Child> = f
        .children
        .iter()
        .filter(|c| c.deleting_since.is_some() || f.namespace_terminating)
        .collect();
    let open: Vec<&str> = ending
        .iter()
        .filter(|c| c.held)
        .map(|c| c.name.as_str())
        .collect();
    let grace = ending
        .iter()
        .filter_map(|c| c.deleting_since)
        .fold(since, Timestamp::max)
        + DISCONNECT_GRACE;
    if f.released() || (f.now >= grace && open.is_empty()) {
        return disconnect(f);
    }
    let settles = (!open.is_empty()).then(|| settle(f)).flatten();
    if f.now >= since + DISCONNECT_SLOW && !open.is_empty() {
        let first: Vec<&str> = open.iter().take(SHOWN).copied().collect();
        let why = match standing::trouble(f) {
            Some(trouble) => {
                format!(" ({}: {})", trouble.said, f.authorise_again())
            }
            None => String::new(),
        };
        let message = format!(
            "{} objects still wait for their deletion policy{why}: {}; to skip this, annotate them, or this connection, with {RELEASE}: \"true\"",
            open.len(),
            first.join(", ")
        );
        // What is said stays, whatever is done meanwhile: else it would come and go with each try.
        let (action, wake) = match settles {
            Some(step) => (step.action, step.wake),
            None => (A::Rest, Some(f.now.max(grace) + DISCONNECT_GRACE)),
        };
        return Step {
            action,
            phase: "Disconnecting",
            ready: Ready::Progress(Reason::ChildrenOpen, message),
            wake,
        };
    }
    if let Some(step) = settles {
        return step;
    }
    let wake = if f.now < grace {
        grace
    } else {
        since + DISCONNECT_SLOW
    };
    say(
        A::Rest,
        "objects that are deleted together with the connection get their deletion policy first",
        Some(wake),
    )
}

/// What a process has to do before a child can be settled: it may know nothing of the connection yet, and a token that is
/// renewed, or mended, meanwhile still serves.
fn settle(f: &ConnectionFacts) -> Option<Step> {
    if live::unread(f) {
        return Some(say(A::ReadSecrets, "reading the Secrets", None));
    }
    let held = f.held()?;
    if f.token_changed() && f.token_unwritable().is_none() {
        return Some(say(A::WriteToken, "importing the token", None));
    }
    let waiting = f.not_before.is_some_and(|until| f.now < until);
    if held.candidate.is_some() && !waiting && f.token_unwritable().is_none() {
        return Some(say(
            A::TryCandidate,
            "asking TikTok what the new token reaches",
            None,
        ));
    }
    if let (Some(action), _) = live::token_step(f) {
        return Some(say(action, "renewing the access token", None));
    }
    let what = standing::trouble(f).map(|t| t.what);
    let ask = f.known_account().is_none() || what == Some(What::Refused);
    (f.token().is_some() && ask && !waiting && what != Some(What::Over))
        .then(|| say(A::Check, "asking TikTok about the account", None))
}

/// Nobody needs the token any more.
fn disconnect(f: &ConnectionFacts) -> Step {
    let held = match &f.held {
        HeldFacts::Unread => return say(A::ReadSecrets, "reading the Secrets", None),
        HeldFacts::Missing | HeldFacts::NotOurs => return say(A::Release, "letting go", None),
        HeldFacts::Present(held) => held,
    };
    if f.released() {
        return say(A::DropToken, "deleting the stored token", None);
    }
    if !f.farewell.unsubscribed {
        return say(A::Unsubscribe, "ending the subscriptions to events", None);
    }
    if f.farewell.revoked.is_some() {
        return say(A::DropToken, "deleting the stored token", None);
    }
    match keep_grant(f, held) {
        Some(why) => say(A::KeepGrant(why), "deleting the stored token", None),
        None => match f.farewell.revoke_again.filter(|again| f.now < *again) {
            Some(again) => say(A::Rest, "trying again to revoke the token", Some(again)),
            None => say(A::Revoke, "revoking the token", None),
        },
    }
}

/// Why the grant is not ended. `None`: it is.
fn keep_grant(f: &ConnectionFacts, held: &Held) -> Option<String> {
    if held.origin == Origin::Imported {
        return Some("an imported token is not revoked".into());
    }
    match &f.grants {
        Grants::Nobody => {}
        Grants::Other(name) => {
            return Some(format!(
                "the token is not revoked, because {name} uses the same app and would lose its access; to end it, revoke the app's access in TikTok"
            ));
        }
        Grants::Unknown => {
            return Some(
                "the token is not revoked, because not every connection could be read and another may use the same app; to end it, revoke the app's access in TikTok"
                    .into(),
            );
        }
    }
    let late = f
        .farewell
        .revoke_begun
        .is_some_and(|begun| f.now >= begun + REVOKE_WITHIN);
    late.then(|| {
        "TikTok did not answer, so the token could not be revoked; revoke the app's access in TikTok".into()
    })
}

/// The next try to revoke after a call without a clear answer, or what became of it.
pub fn after_revoke(
    begun: Timestamp,
    now: Timestamp,
    answer: Result<(), (bool, String)>,
) -> Result<Revoked, Timestamp> {
    match answer {
        Ok(()) => Ok(Revoked::Done),
        Err((true, message)) => Ok(Revoked::Not(format!(
            "the token could not be revoked ({}); if it still works, revoke the app's access in TikTok",
            message.trim_end_matches('.')
        ))),
        // The first attempt may have taken long; each is begun within its window.
        Err((false, _)) => Err(now.max(begun) + std::time::Duration::from_secs(2)),
    }
}
