//! One next step for one connection: import the token, check the account, or disconnect.

use std::time::Duration;

use jiff::Timestamp;

use super::facts::{Account, Caps, ConnectionView};
use super::reason::Reason;
use super::report::{Conditions, Ready, time};
use crate::api::common::Money;
use crate::api::connection::{
    AdvertiserStatus, Orphaned, ScheduleZone, TikTokConnection, TikTokConnectionStatus, TokenStatus,
};
use crate::api::{FINALIZER, RELEASE};

/// R22: children that are deleted together with the connection get at least this long to show up.
pub const DISCONNECT_GRACE: Duration = Duration::from_secs(15);
/// R22: after this long the open children are named.
pub const DISCONNECT_SLOW: Duration = Duration::from_secs(60);
/// R21: a long-lived token is checked this often.
pub const CHECK_EVERY: Duration = Duration::from_secs(3600);
/// At most this many names or ids in a list of status.
pub const SHOWN: usize = 20;

/// The inputs of one plan for one connection.
#[derive(Clone, Debug)]
pub struct ConnectionFacts<'a> {
    pub now: Timestamp,
    pub object: &'a TikTokConnection,
    /// The app's Secret.
    pub app: SecretFacts,
    /// The user's token Secret, when the spec names one.
    pub token: Option<SecretFacts>,
    /// Our own token Secret.
    pub held: HeldFacts,
    /// What the last check with the platform said, under the token with this fingerprint.
    pub check: Option<Checked>,
    /// A call with this connection's token was refused since.
    pub refused: Option<String>,
    /// Objects that refer to this connection.
    pub children: Vec<Child>,
    /// An older connection for the same advertiser, as `namespace/name`.
    pub older_twin: Option<String>,
    pub namespace_terminating: bool,
    /// No check before this time.
    pub not_before: Option<Timestamp>,
    /// Rows of the platform whose holder is gone (R32).
    pub orphans: Vec<String>,
}

/// What is known of a user's Secret. Fingerprints, never contents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretFacts {
    /// Not read yet.
    Unread,
    Missing,
    /// It is there, but these keys are not.
    Incomplete(Vec<String>),
    /// `fingerprint`: hex of the first 8 bytes of SHA-256 over what we use of it.
    Present {
        fingerprint: String,
    },
}

/// What is known of our own token Secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HeldFacts {
    Unread,
    Missing,
    /// A Secret of that name that we did not make.
    NotOurs,
    Present {
        app_id: String,
        app_fingerprint: String,
        token_fingerprint: String,
    },
}

/// A finished check with the platform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    pub at: Timestamp,
    /// The token it was made with.
    pub token_fingerprint: String,
    pub result: CheckResult,
}

/// What the check found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CheckResult {
    /// `account` is the picked advertiser, when one is picked and granted.
    Granted {
        advertisers: Vec<(String, String)>,
        account: Option<AdvertiserStatus>,
    },
    /// The token is not accepted.
    Refused(String),
    /// No answer that says anything.
    Failed(String),
}

/// An object that refers to the connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Child {
    pub name: String,
    /// `None`: it lives.
    pub deleting_since: Option<Timestamp>,
    /// Our finalizer is still on it.
    pub held: bool,
}

/// One step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConnectionAction {
    Rest,
    /// Read the named Secrets.
    ReadSecrets,
    /// Put our finalizer on the connection, before anything is kept for it.
    Hold,
    /// Import: write our token Secret from the app's and the user's Secrets.
    WriteToken,
    /// Ask the platform what the token may do.
    Check,
    /// Delete our token Secret.
    DropToken,
    /// Let the connection go.
    Release,
}

/// The decision.
#[derive(Clone, Debug, PartialEq)]
pub struct ConnectionPlan {
    pub action: ConnectionAction,
    /// What children may use from now on.
    pub view: ConnectionView,
    pub status: TikTokConnectionStatus,
    pub wake: Option<Timestamp>,
}

/// Plans one step.
pub fn plan(f: &ConnectionFacts) -> ConnectionPlan {
    let (action, phase, ready, wake) = if f.object.metadata.deletion_timestamp.is_some() {
        ending(f)
    } else {
        live(f)
    };
    let view = view(f, &ready);
    let status = status(f, phase, &ready);
    ConnectionPlan {
        action,
        view,
        status,
        wake,
    }
}

type Step = (ConnectionAction, &'static str, Ready, Option<Timestamp>);

fn progress(
    action: ConnectionAction,
    phase: &'static str,
    reason: Reason,
    message: impl Into<String>,
) -> Step {
    (action, phase, Ready::Progress(reason, message.into()), None)
}

fn stalled(phase: &'static str, reason: Reason, message: impl Into<String>) -> Step {
    (
        ConnectionAction::Rest,
        phase,
        Ready::Stalled(reason, message.into()),
        None,
    )
}

fn live(f: &ConnectionFacts) -> Step {
    use ConnectionAction as A;
    let spec = &f.object.spec;
    if let Some(older) = &f.older_twin {
        return stalled(
            "Pending",
            Reason::AdvertiserTaken,
            format!(
                "{older} is already connected to advertiser {}; an advertiser has one connection, use that one",
                spec.advertiser_id.as_deref().unwrap_or_default()
            ),
        );
    }
    if f.app == SecretFacts::Unread
        || f.held == HeldFacts::Unread
        || f.token == Some(SecretFacts::Unread)
    {
        return progress(
            A::ReadSecrets,
            "Pending",
            Reason::LookingUp,
            "reading the Secrets",
        );
    }
    let app_name = &spec.app_secret_ref.name;
    let held = match &f.held {
        HeldFacts::NotOurs => {
            return stalled(
                "Pending",
                Reason::TokenSecretTaken,
                format!(
                    "a Secret named {} exists and was not made by this operator; rename or remove it",
                    token_secret_name(f.object)
                ),
            );
        }
        HeldFacts::Present {
            app_fingerprint,
            token_fingerprint,
            ..
        } => Some((app_fingerprint, token_fingerprint)),
        HeldFacts::Missing | HeldFacts::Unread => None,
    };
    let app = match &f.app {
        SecretFacts::Incomplete(keys) => {
            return stalled(
                "Pending",
                Reason::SecretIncomplete,
                format!("Secret {app_name} lacks {}; add it", keys.join(" and ")),
            );
        }
        SecretFacts::Present { fingerprint } => Some(fingerprint),
        _ if held.is_some() => None,
        _ => {
            return progress(
                A::Rest,
                "Pending",
                Reason::SecretMissing,
                format!(
                    "there is no Secret {app_name} in this namespace; create it with the keys app_id and secret"
                ),
            );
        }
    };
    let token = match (&f.token, &spec.token_secret_ref) {
        (Some(SecretFacts::Present { fingerprint }), _) => Some(fingerprint),
        (Some(SecretFacts::Incomplete(keys)), Some(named)) => {
            return stalled(
                "Pending",
                Reason::SecretIncomplete,
                format!("Secret {} lacks {}; add it", named.name, keys.join(" and ")),
            );
        }
        _ if held.is_some() => None,
        (_, Some(named)) => {
            return progress(
                A::Rest,
                "Pending",
                Reason::SecretMissing,
                format!(
                    "there is no Secret {} in this namespace; create it with the access token",
                    named.name
                ),
            );
        }
        (_, None) => {
            return stalled(
                "Pending",
                Reason::SecretMissing,
                "no token: set spec.tokenSecretRef to a Secret that holds an access token",
            );
        }
    };
    if !has_finalizer(f.object) {
        return progress(
            A::Hold,
            "Pending",
            Reason::Updating,
            "taking hold of the connection",
        );
    }
    let differs = match held {
        None => true,
        Some((held_app, held_token)) => {
            app.is_some_and(|a| a != held_app) || token.is_some_and(|t| t != held_token)
        }
    };
    if differs && !f.namespace_terminating {
        return progress(
            A::WriteToken,
            "Pending",
            Reason::Updating,
            "importing the token",
        );
    }
    checked(f, held.map(|h| h.1.as_str()))
}

/// The token is in hand; does the platform take it?
fn checked(f: &ConnectionFacts, token: Option<&str>) -> Step {
    use ConnectionAction as A;
    let waiting = f.not_before.filter(|until| f.now < *until);
    let current = f
        .check
        .as_ref()
        .filter(|c| Some(c.token_fingerprint.as_str()) == token);
    let Some(check) = current else {
        return match waiting {
            None => progress(
                A::Check,
                "Pending",
                Reason::LookingUp,
                "asking TikTok what the token may do",
            ),
            Some(until) => (
                A::Rest,
                "Pending",
                Ready::Progress(
                    Reason::PlatformUnreachable,
                    "TikTok did not answer; trying again".into(),
                ),
                Some(until),
            ),
        };
    };
    let due = check.at + CHECK_EVERY;
    let recheck =
        (f.now >= due || matches!(check.result, CheckResult::Failed(_)) || f.refused.is_some())
            && waiting.is_none();
    let action = if recheck { A::Check } else { A::Rest };
    let wake = Some(waiting.unwrap_or(due));
    if let Some(why) = &f.refused {
        return (
            action,
            "ReadOnly",
            Ready::Stalled(Reason::TokenRefused, why.clone()),
            wake,
        );
    }
    match &check.result {
        CheckResult::Refused(why) => (
            action,
            "ReadOnly",
            Ready::Stalled(Reason::TokenRefused, why.clone()),
            wake,
        ),
        CheckResult::Failed(why) => {
            let phase = if known_account(f).is_some() {
                "Active"
            } else {
                "Pending"
            };
            (
                action,
                phase,
                Ready::Progress(Reason::PlatformUnreachable, why.clone()),
                wake,
            )
        }
        CheckResult::Granted {
            advertisers,
            account,
        } => match (account, &f.object.spec.advertiser_id) {
            (_, None) => (
                action,
                "AwaitingAdvertiser",
                Ready::Stalled(
                    Reason::AwaitingAdvertiser,
                    format!(
                        "the token reaches {} advertisers; set spec.advertiserId to one of status.advertisers",
                        advertisers.len()
                    ),
                ),
                wake,
            ),
            (None, Some(id)) => (
                action,
                "AwaitingAdvertiser",
                Ready::Stalled(
                    Reason::AdvertiserNotGranted,
                    format!(
                        "the token does not reach advertiser {id}; pick one of status.advertisers, or authorise the app for it"
                    ),
                ),
                wake,
            ),
            (Some(account), Some(_)) if account.account_status != "STATUS_ENABLE" => (
                action,
                "Active",
                Ready::Stalled(
                    Reason::AccountRestricted,
                    format!(
                        "TikTok reports the account as {}; see Ads Manager. Objects are kept in step, but nothing delivers",
                        account.account_status
                    ),
                ),
                wake,
            ),
            (Some(_), Some(_)) => (
                action,
                "Active",
                Ready::Yes(Reason::Verified, "the token reaches the advertiser".into()),
                wake,
            ),
        },
    }
}

fn ending(f: &ConnectionFacts) -> Step {
    use ConnectionAction as A;
    let say = |action, message: String, wake| {
        (
            action,
            "Disconnecting",
            Ready::Progress(Reason::Disconnecting, message),
            wake,
        )
    };
    if !has_finalizer(f.object) {
        return say(A::Rest, "being deleted".into(), None);
    }
    let released = f
        .object
        .metadata
        .annotations
        .as_ref()
        .and_then(|a| a.get(RELEASE))
        .is_some_and(|v| v == "true");
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
    // A process that knows nothing of the connection yet has to read and check it before it can settle a child.
    if !released && !open.is_empty() {
        let waiting = f.not_before.is_some_and(|until| f.now < until);
        match &f.held {
            HeldFacts::Unread => return say(A::ReadSecrets, "reading the Secrets".into(), None),
            // A token that was mended meanwhile still serves to settle them.
            HeldFacts::Present {
                token_fingerprint, ..
            } if matches!(&f.token, Some(SecretFacts::Present { fingerprint }) if fingerprint != token_fingerprint) =>
            {
                return say(A::WriteToken, "importing the token".into(), None);
            }
            HeldFacts::Present { .. } if known_account(f).is_none() && !waiting => {
                return say(A::Check, "asking TikTok about the account".into(), None);
            }
            _ => {}
        }
    }
    if !released && (f.now < grace || !open.is_empty()) {
        if f.now >= since + DISCONNECT_SLOW && !open.is_empty() {
            let first: Vec<&str> = open.iter().take(SHOWN).copied().collect();
            let message = format!(
                "{} objects still wait for their deletion policy: {}; to skip this, annotate them, or this connection, with {RELEASE}: \"true\"",
                open.len(),
                first.join(", ")
            );
            return (
                A::Rest,
                "Disconnecting",
                Ready::Progress(Reason::ChildrenOpen, message),
                Some(f.now.max(grace) + DISCONNECT_GRACE),
            );
        }
        let wake = if f.now < grace {
            grace
        } else {
            since + DISCONNECT_SLOW
        };
        return say(
            A::Rest,
            "objects that are deleted together with the connection get their deletion policy first"
                .into(),
            Some(wake),
        );
    }
    match &f.held {
        HeldFacts::Unread => say(A::ReadSecrets, "reading the Secrets".into(), None),
        HeldFacts::Present { .. } => say(
            A::DropToken,
            "deleting the stored token; an imported token is not revoked".into(),
            None,
        ),
        HeldFacts::Missing | HeldFacts::NotOurs => say(A::Release, "letting go".into(), None),
    }
}

/// The account as last seen under any token: from this process's check, else from status (a restart).
fn known_account(f: &ConnectionFacts) -> Option<AdvertiserStatus> {
    let picked = f.object.spec.advertiser_id.as_ref()?;
    let from_check = f.check.as_ref().and_then(|c| match &c.result {
        CheckResult::Granted { account, .. } => account.clone(),
        _ => None,
    });
    from_check
        .or_else(|| f.object.status.as_ref()?.advertiser.clone())
        .filter(|a| a.id == *picked)
}

fn view(f: &ConnectionFacts, ready: &Ready) -> ConnectionView {
    let (reason, message) = match ready {
        Ready::Yes(r, m) | Ready::Progress(r, m) | Ready::Stalled(r, m) => (*r, m),
    };
    let not_ready = || ConnectionView::NotReady {
        // Not known yet is no trouble: a new process looks at every connection first.
        reason: match reason {
            Reason::LookingUp => Reason::LookingUp,
            _ => Reason::WaitingForConnection,
        },
        message: format!(
            "the connection {} is not ready ({reason}): {message}",
            f.object.metadata.name.as_deref().unwrap_or_default()
        ),
    };
    if f.older_twin.is_some()
        || matches!(
            reason,
            Reason::AwaitingAdvertiser | Reason::AdvertiserNotGranted | Reason::TokenSecretTaken
        )
    {
        return not_ready();
    }
    let (
        HeldFacts::Present {
            app_id,
            token_fingerprint,
            ..
        },
        Some(account),
    ) = (&f.held, known_account(f))
    else {
        return not_ready();
    };
    let disconnecting = f.object.metadata.deletion_timestamp.is_some();
    // A token that nobody has checked since the start is not used for anything, except to settle what is being deleted.
    let tried = f
        .check
        .as_ref()
        .is_some_and(|c| c.token_fingerprint == *token_fingerprint);
    if !tried && !disconnecting {
        return not_ready();
    }
    let spec = &f.object.spec;
    ConnectionView::Usable(Account {
        app: app_id.clone(),
        advertiser: account.id.clone(),
        currency: account.currency.clone(),
        timezone: account.time_zone.clone(),
        schedule_in_account_zone: spec.schedule_zone == Some(ScheduleZone::Account),
        mode: spec.mode,
        read_only: reason == Reason::TokenRefused,
        disconnecting,
        adoption: spec.adoption,
        drift: spec.drift.clone(),
        caps: caps(f.object, &account.currency),
    })
}

fn caps(object: &TikTokConnection, currency: &str) -> Caps {
    let Some(caps) = &object.spec.caps else {
        return Caps::default();
    };
    let said = |money: &Option<Money>| {
        money
            .as_ref()
            .map(|m| (m.amount.cents(), m.currency.clone()))
    };
    let (per_object, total) = (
        said(&caps.max_daily_budget_per_object),
        said(&caps.max_daily_budget_total),
    );
    let wrong = [&per_object, &total]
        .into_iter()
        .flatten()
        .find(|(_, c)| c != currency)
        .map(|(_, c)| c.clone());
    // An amount that cannot be read limits to nothing rather than not at all.
    let amount = |limit: Option<(Option<i64>, String)>| limit.map(|(cents, _)| cents.unwrap_or(0));
    Caps {
        per_object: amount(per_object),
        total: amount(total),
        wrong_currency: wrong,
    }
}

fn status(f: &ConnectionFacts, phase: &'static str, ready: &Ready) -> TikTokConnectionStatus {
    let before = f.object.status.as_ref();
    let generation = f.object.metadata.generation.unwrap_or_default();
    let mut conditions = Conditions::new(
        before.map(|b| b.conditions.as_slice()).unwrap_or_default(),
        generation,
        f.now,
    );
    conditions.ready(ready);
    let banner = match ready {
        Ready::Stalled(Reason::TokenRefused, why) => Some(format!(
            "Read-only: TikTok refuses the access token ({why}). Nothing is changed, and pauses no longer reach TikTok: pause in Ads Manager if you must. \
             Put a new token into the Secret {}; this goes away by itself.",
            f.object
                .spec
                .token_secret_ref
                .as_ref()
                .map_or("named by spec.tokenSecretRef", |s| s.name.as_str())
        )),
        Ready::Stalled(Reason::AccountRestricted, why) => Some(why.clone()),
        _ => None,
    };
    let granted = f.check.as_ref().and_then(|c| match &c.result {
        CheckResult::Granted { advertisers, .. } => Some(advertisers),
        _ => None,
    });
    let token = match &f.held {
        HeldFacts::Present {
            token_fingerprint, ..
        } => Some(TokenStatus {
            fingerprint: token_fingerprint.clone(),
            profile: "LongLived".into(),
            origin: "Imported".into(),
            obtained_at: before
                .and_then(|b| b.token.as_ref())
                .filter(|t| t.fingerprint == *token_fingerprint)
                .and_then(|t| t.obtained_at.clone())
                .or_else(|| Some(time(f.now))),
            expires_at: None,
            rotates_at: None,
            last_rotation: None,
        }),
        _ => None,
    };
    let open: Vec<String> = if f.object.metadata.deletion_timestamp.is_some() {
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
        phase: Some(phase.into()),
        banner,
        token,
        advertiser: known_account(f),
        advertisers: granted.map(|all| {
            all.iter()
                .take(SHOWN)
                .map(|(id, name)| format!("{id} {}", crate::platform::clean(name, 100)))
                .collect()
        }),
        advertiser_count: granted.and_then(|all| i32::try_from(all.len()).ok()),
        orphaned: (!f.orphans.is_empty()).then(|| Orphaned {
            count: i32::try_from(f.orphans.len()).unwrap_or(i32::MAX),
            ids: f.orphans.iter().take(SHOWN).cloned().collect(),
        }),
        open_children: (!open.is_empty()).then(|| open.into_iter().take(SHOWN).collect()),
        conditions: conditions.done(),
        ..TikTokConnectionStatus::default()
    }
}

/// The name of the Secret that the operator writes for a connection.
pub fn token_secret_name(object: &TikTokConnection) -> String {
    format!(
        "{}-tiktok-token",
        object.metadata.name.as_deref().unwrap_or_default()
    )
}

fn has_finalizer(object: &TikTokConnection) -> bool {
    object
        .metadata
        .finalizers
        .as_ref()
        .is_some_and(|all| all.iter().any(|f| f == FINALIZER))
}
