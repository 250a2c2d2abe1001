//! What people are told of a connection.

use jiff::Timestamp;

use super::super::reason::Reason;
use super::super::report::{Conditions, Ready, time};
use super::super::token::{Profile, Standing, Token};
use super::standing::{self, Trouble, What};
use super::{ConnectionFacts, Held, Origin, SHOWN, Step, WebhookReport, scopes};
use crate::api::connection::{
    OnAuthDegraded, Orphaned, RotationStatus, ScopesStatus, TikTokConnection,
    TikTokConnectionStatus, TokenStatus,
};
use crate::platform::clean;

/// Condition: less may be done than the mode says. Only there while it is so.
pub(super) const READ_ONLY: &str = "ReadOnly";

/// The page of a connection.
pub fn connect_url(public_url: &str, object: &TikTokConnection) -> String {
    format!("{public_url}/connect/{}", path(object))
}

/// Where TikTok sends browsers back to: the same for all connections.
pub fn callback_url(public_url: &str) -> String {
    format!("{public_url}/oauth/callback")
}

/// Where TikTok sends events about a connection.
pub fn webhook_url(public_url: &str, object: &TikTokConnection) -> String {
    format!("{public_url}/webhooks/tiktok/{}", path(object))
}

fn path(object: &TikTokConnection) -> String {
    format!(
        "{}/{}",
        object.metadata.namespace.as_deref().unwrap_or_default(),
        object.metadata.name.as_deref().unwrap_or_default()
    )
}

pub(super) fn of(f: &ConnectionFacts, step: &Step) -> TikTokConnectionStatus {
    let before = f.object.status.as_ref();
    let generation = f.object.metadata.generation.unwrap_or_default();
    let mut conditions = Conditions::new(
        before.map(|b| b.conditions.as_slice()).unwrap_or_default(),
        generation,
        f.now,
    );
    conditions.ready(&step.ready);
    if let Some((good, reason, message)) = &f.webhooks.condition {
        let word = if *good { "True" } else { "False" };
        conditions.set("Webhooks", word, *reason, message);
    }
    // A new process knows nothing of them before it has nothing else to do.
    let unheard = f.webhooks == WebhookReport::default();
    if unheard {
        conditions.keep("Webhooks");
    }
    let trouble = standing::trouble(f).filter(|_| !f.deleting());
    if let Some(trouble) = &trouble {
        conditions.set(READ_ONLY, "True", trouble.reason, &trouble.said);
    }
    let since = conditions.since(READ_ONLY);
    let granted = f.granted();
    // A new process asks first, and may have to wait for an answer.
    let told = f.told();
    let open: Vec<String> = if f.deleting() {
        f.children
            .iter()
            .filter(|c| c.held && (c.deleting_since.is_some() || f.namespace_terminating))
            .map(|c| c.name.clone())
            .collect()
    } else {
        Vec::new()
    };
    TikTokConnectionStatus {
        observed_generation: Some(generation),
        phase: Some(step.phase.into()),
        banner: banner(f, step, trouble.as_ref(), since),
        connect_url: f.public_url.map(|url| connect_url(url, f.object)),
        callback_url: f.public_url.map(callback_url),
        token: f
            .held()
            .and_then(|held| Some(token(held, held.token.as_ref()?))),
        scopes: f
            .held()
            .and_then(|h| h.scopes.as_deref())
            .map(|granted| scopes_status(granted, f.object.spec.events_source.is_some())),
        role: f.role().map(|r| clean(r, 64)),
        events_source: match granted {
            Some(granted) => granted.events_source.clone(),
            None => told.and_then(|t| t.events_source.clone()),
        },
        webhooks: match (unheard, before) {
            (true, Some(before)) => before.webhooks.clone(),
            _ => f.webhooks.status.clone(),
        },
        advertiser: f.known_account(),
        advertisers: match granted {
            Some(granted) => Some(
                granted
                    .advertisers
                    .iter()
                    .take(SHOWN)
                    .map(|(id, name)| format!("{id} {}", clean(name, 100)))
                    .collect(),
            ),
            None => told.and_then(|t| t.advertisers.clone()),
        },
        advertiser_count: match granted {
            Some(granted) => i32::try_from(granted.advertisers.len()).ok(),
            None => told.and_then(|t| t.advertiser_count),
        },
        orphaned: (!f.orphans.is_empty()).then(|| Orphaned {
            count: i32::try_from(f.orphans.len()).unwrap_or(i32::MAX),
            ids: f.orphans.iter().take(SHOWN).cloned().collect(),
        }),
        open_children: (!open.is_empty()).then(|| open.into_iter().take(SHOWN).collect()),
        conditions: conditions.done(),
    }
}

/// One sentence: what, since when, until when, what to do. `None`: nothing is to be done.
fn banner(
    f: &ConnectionFacts,
    step: &Step,
    trouble: Option<&Trouble>,
    shown_since: Option<Timestamp>,
) -> Option<String> {
    let again = f.authorise_again();
    if let Some(trouble) = trouble {
        let since = trouble
            .since
            .or(shown_since)
            .map(|at| format!(" since {}", time(at).0))
            .unwrap_or_default();
        let said = &trouble.said;
        let pauses = match f.object.spec.on_auth_degraded {
            Some(OnAuthDegraded::PauseAll) => {
                "everything that is on is switched off (onAuthDegraded: PauseAll)"
            }
            _ => "what runs goes on, and only pauses are sent",
        };
        return Some(match (trouble.what, trouble.until) {
            (What::Over, _) => format!(
                "Read-only{since}: {said}, so TikTok is neither read nor written, and pauses no longer reach it (pause in Ads Manager if you must); {again}, and this goes away by itself."
            ),
            (What::Refused, _) => format!(
                "Read-only{since}: {said}, so nothing is changed, and pauses no longer reach TikTok (pause in Ads Manager if you must); {again}, and this goes away by itself."
            ),
            (What::Ends, Some(until)) => format!(
                "Read-only{since}: {said}; {pauses} until the token ends at {}, then nothing is read or written any more; {again}, and this goes away by itself.",
                time(until).0
            ),
            (What::App, _) => format!(
                "Read-only{since}: {said}, so nothing is changed, and reads and pauses may fail; {}, and this goes away by itself.",
                f.mend_the_app()
            ),
            (What::Ends | What::ReadsOnly | What::NoAds, _) => format!(
                "Read-only{since}: {said}; to change that, {again}, and this goes away by itself."
            ),
        });
    }
    if f.deleting() {
        return None;
    }
    if let Some(Standing::Ending { until }) = f.token_plan().map(|p| p.standing) {
        return Some(format!(
            "The access token ends at {} and cannot be renewed by the operator; {again} before that, or only pauses are sent in its last hour and nothing afterwards.",
            time(until).0
        ));
    }
    match &step.ready {
        Ready::Stalled(Reason::AccountRestricted, why) => Some(why.clone()),
        _ => None,
    }
}

fn token(held: &Held, token: &Token) -> TokenStatus {
    TokenStatus {
        fingerprint: token.id.clone(),
        profile: match token.profile() {
            Profile::LongLived => "LongLived",
            Profile::Refreshable => "Refreshable",
            Profile::Expiring => "Expiring",
        }
        .into(),
        origin: match held.origin {
            Origin::Imported => "Imported",
            Origin::Authorised => "Authorised",
        }
        .into(),
        obtained_at: token.issued_at.map(time),
        expires_at: token.expires_at.map(time),
        rotates_at: token.rotates_at().map(time),
        last_rotation: token.last.as_ref().map(|last| RotationStatus {
            at: time(last.at),
            result: if last.succeeded {
                "Succeeded".into()
            } else {
                "Failed".into()
            },
            message: (!last.message.is_empty()).then(|| clean(&last.message, 1024)),
        }),
    }
}

fn scopes_status(granted: &[u32], pixels: bool) -> ScopesStatus {
    let short = |mut list: Vec<String>| {
        list.truncate(100);
        list
    };
    ScopesStatus {
        granted: short(granted.iter().map(ToString::to_string).collect()),
        missing: short(scopes::missing(granted, pixels)),
        excess: short(scopes::excess(granted, pixels)),
    }
}
