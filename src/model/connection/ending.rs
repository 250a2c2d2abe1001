//! A connection that is being deleted (R22): first what is deleted together with it, then the grant, then the Secrets.

use std::time::Duration;

use jiff::Timestamp;

use super::super::reason::Reason;
use super::super::report::Ready;
use super::standing::{self, What};
use super::{
    Child, ConnectionAction, ConnectionFacts, DISCONNECT_GRACE, DISCONNECT_SLOW, FAREWELL_CALL,
    FAREWELL_WITHIN, Grants, Held, HeldFacts, Origin, Revoked, SHOWN, Step, live,
    token_secret_name,
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
    let ask = f.known_account().is_none() || matches!(what, Some(What::Refused | What::App));
    (f.token().is_some() && ask && !waiting && what != Some(What::Over))
        .then(|| say(A::Check, "asking TikTok about the account", None))
}

/// Nobody needs the token any more.
fn disconnect(f: &ConnectionFacts) -> Step {
    let held = match &f.held {
        HeldFacts::Unread => return say(A::ReadSecrets, "reading the Secrets", None),
        HeldFacts::Missing | HeldFacts::NotOurs => None,
        HeldFacts::Present(held) => Some(held),
    };
    if f.farewell.revoked.is_none() {
        if held.is_some() && !f.farewell.unsubscribed && !f.released() {
            return say(A::Unsubscribe, "ending the subscriptions to events", None);
        }
        return end_grant(f, held);
    }
    if !f.farewell.said {
        return say(A::Tell, "saying what is left", None);
    }
    match held {
        Some(_) => say(A::DropToken, "deleting the stored token", None),
        None => say(A::Release, "letting go", None),
    }
}

/// Ends the grant, or says why not.
fn end_grant(f: &ConnectionFacts, held: Option<&Held>) -> Step {
    let keep = |what| say(A::KeepGrant(what), "deleting the stored token", None);
    if let Some(none) = no_grant(f, held) {
        return keep(none);
    }
    if f.released() {
        return keep(Revoked::Stays(format!(
            "the token is not revoked, because of the annotation {RELEASE}; {END_IT}"
        )));
    }
    let time = f.farewell.begun.is_none_or(|begun| {
        // Planned with the most that a call takes, so that none is begun that would take too long.
        farewell_call(begun, f.now).is_some_and(|most| most >= FAREWELL_CALL)
    });
    match &f.grants {
        // It needs its token for no longer than this one did.
        Grants::Going(name) if time => {
            let message =
                format!("waiting for {name}, which is being deleted and uses the same app");
            return say(A::Rest, message, Some(f.now + AGAIN));
        }
        Grants::Other(name) | Grants::Going(name) => {
            return keep(Revoked::Stays(format!(
                "the token is not revoked, because {name} uses the same app and would lose its access; {END_IT}"
            )));
        }
        // A process that has only just begun reads what the others hold.
        Grants::Unknown if time => {
            let again = f.now + AGAIN;
            return say(
                A::Rest,
                "reading what other connections hold of the same app",
                Some(again),
            );
        }
        Grants::Unknown => {
            return keep(Revoked::Stays(format!(
                "the token is not revoked, because not every connection could be read and another may use the same app; {END_IT}"
            )));
        }
        Grants::Nobody => {}
    }
    if !time {
        return keep(Revoked::Stays(
            "TikTok did not answer, so the token could not be revoked; revoke the app's access in TikTok".into(),
        ));
    }
    match f.farewell.revoke_again.filter(|again| f.now < *again) {
        Some(again) => say(A::Rest, "trying again to revoke the token", Some(again)),
        None => say(A::Revoke, "revoking the token", None),
    }
}

/// What somebody can do who wants a grant to end that was left.
const END_IT: &str = "to end it, revoke the app's access in TikTok";
/// As the status says where a token came from.
const IMPORTED: &str = "Imported";
/// Between two tries.
const AGAIN: Duration = Duration::from_secs(2);

/// There is no token that this connection obtained and that could be revoked, for this reason.
fn no_grant(f: &ConnectionFacts, held: Option<&Held>) -> Option<Revoked> {
    let imported = || Revoked::NoneHere("an imported token is not revoked".into());
    let Some(held) = held else {
        let had = f.object.status.as_ref().and_then(|s| s.token.as_ref());
        return Some(match had {
            None => Revoked::NoneHere("it held no token".into()),
            Some(token) if token.origin == IMPORTED => imported(),
            // Somebody took it away, or a process of ours that died right after it.
            Some(_) => Revoked::Stays(format!(
                "the Secret {} with its token is gone, so the token cannot be revoked now; if nothing said before that it was: {END_IT}",
                token_secret_name(f.object)
            )),
        });
    };
    let authorised = held.token.is_some() && held.origin == Origin::Authorised;
    if authorised {
        return None;
    }
    Some(match (&held.candidate, &held.token) {
        (Some(_), _) => Revoked::Stays(format!(
            "a token that had just been authorised was not in use yet and is not revoked; {END_IT}"
        )),
        (None, Some(_)) => imported(),
        (None, None) => Revoked::NoneHere("it held no token".into()),
    })
}

/// How long a call of a farewell may take that begins now. `None`: none may begin any more.
pub fn farewell_call(begun: Timestamp, now: Timestamp) -> Option<Duration> {
    let left = Duration::try_from((begun + FAREWELL_WITHIN).duration_since(now)).ok()?;
    (!left.is_zero()).then(|| left.min(FAREWELL_CALL))
}

/// The next try to revoke after a call without a clear answer, or what became of it.
pub fn after_revoke(
    now: Timestamp,
    answer: Result<(), (bool, String)>,
) -> Result<Revoked, Timestamp> {
    match answer {
        Ok(()) => Ok(Revoked::Done),
        Err((true, message)) => Ok(Revoked::Stays(format!(
            "the token could not be revoked ({}); if it still works, revoke the app's access in TikTok",
            message.trim_end_matches('.')
        ))),
        Err((false, _)) => Err(now + AGAIN),
    }
}
