//! A connection that lives: its Secrets, its token, its advertiser.

use jiff::Timestamp;

use super::super::reason::Reason;
use super::super::report::Ready;
use super::super::token;
use super::standing::{self, What};
use super::unwritable;
use super::view::suspended;
use super::{
    CHECK_EVERY, CHECK_RESTRICTED, CHECK_SPACING, CheckResult, ConnectFacts, ConnectionAction,
    ConnectionFacts, Granted, HeldFacts, Renewal, SecretFacts, Step, connect_secret_name,
    token_secret_name,
};

use ConnectionAction as A;

fn progress(
    action: ConnectionAction,
    phase: &'static str,
    reason: Reason,
    message: impl Into<String>,
) -> Step {
    Step {
        action,
        phase,
        ready: Ready::Progress(reason, message.into()),
        wake: None,
    }
}

fn stalled(phase: &'static str, reason: Reason, message: impl Into<String>) -> Step {
    Step {
        action: A::Rest,
        phase,
        ready: Ready::Stalled(reason, message.into()),
        wake: None,
    }
}

pub(super) fn plan(f: &ConnectionFacts) -> Step {
    unwritable::told(f, decide(f))
}

fn decide(f: &ConnectionFacts) -> Step {
    if let Some(twin) = &f.twin {
        return barred(f, twin);
    }
    if unread(f) {
        return progress(
            A::ReadSecrets,
            "Pending",
            Reason::LookingUp,
            "reading the Secrets",
        );
    }
    if f.held == HeldFacts::NotOurs {
        return stalled(
            "Pending",
            Reason::TokenSecretTaken,
            format!(
                "a Secret named {secret} exists that neither carries this connection's label nor belongs to it, so it is left alone. Look into it first: if it has this connection's token, which is nowhere else, give it the label back (kubectl label secret {secret} -n {} tiktokads.dev/connection={}); if it is another's, use another name for it or for the connection",
                f.object.metadata.namespace.as_deref().unwrap_or_default(),
                f.name(),
                secret = token_secret_name(f.object),
            ),
        );
    }
    if let Some(step) = secrets(f) {
        return step;
    }
    let mut step = with_token(f);
    if let (Ready::Yes(..), Some(complaint)) = (&step.ready, complaint(f)) {
        step.ready = complaint;
    }
    step
}

/// Another connection has the advertiser. Nothing is done with it from here; the Secrets are read all the same, a new token
/// is tried, and one that is in use goes on living.
fn barred(f: &ConnectionFacts, twin: &str) -> Step {
    let mut step = stalled(
        "Pending",
        Reason::AdvertiserTaken,
        format!(
            "{twin} has advertiser {} already; an advertiser has one connection: use that one, or take another advertiser here",
            f.advertiser().map(String::as_str).unwrap_or_default()
        ),
    );
    let tries = f.held().is_some_and(|h| h.candidate.is_some()) && waiting(f).is_none();
    let (action, wake) = token_step(f);
    step.action = match action {
        _ if unread(f) => A::ReadSecrets,
        _ if tries => A::TryCandidate,
        Some(action) => action,
        None => A::Rest,
    };
    step.wake = sooner(wake, waiting(f));
    step
}

/// What is wrong with the users' Secrets. A token in hand is looked after all the same.
fn complaint(f: &ConnectionFacts) -> Option<Ready> {
    let spec = &f.object.spec;
    let lacks = |name: &str, keys: &[String]| {
        Ready::Stalled(
            Reason::SecretIncomplete,
            format!("Secret {name} lacks {}; add it", keys.join(" and ")),
        )
    };
    if let Renewal::Others(who) = &f.renewal {
        return Some(Ready::Stalled(
            Reason::TokenShared,
            format!(
                "{who} has the same refresh token and renews it; TikTok takes it only once, so here the access token ends without being renewed: {}",
                f.authorise_again().replacen(
                    "authorise again",
                    "authorise this connection by itself",
                    1
                )
            ),
        ));
    }
    match (&f.app, &f.token, &spec.token_secret_ref) {
        (SecretFacts::Incomplete(keys), ..) => Some(lacks(&spec.app_secret_ref.name, keys)),
        (_, Some(SecretFacts::Incomplete(keys)), Some(named)) => Some(lacks(&named.name, keys)),
        _ => None,
    }
}

/// A Secret that has to be known is not read yet.
pub(super) fn unread(f: &ConnectionFacts) -> bool {
    f.app == SecretFacts::Unread
        || f.held == HeldFacts::Unread
        || f.token == Some(SecretFacts::Unread)
        || (f.public_url.is_some() && f.connect == ConnectFacts::Unread)
}

/// What is outstanding with the Secrets. `None`: nothing, and there is a token.
fn secrets(f: &ConnectionFacts) -> Option<Step> {
    let spec = &f.object.spec;
    let has_token = f.token().is_some();
    let app_name = &spec.app_secret_ref.name;
    match &f.app {
        SecretFacts::Present { .. } => {}
        _ if has_token => {}
        SecretFacts::Incomplete(_) => return waits(f),
        _ => {
            return Some(progress(
                A::Rest,
                "Pending",
                Reason::SecretMissing,
                format!(
                    "there is no Secret {app_name} in this namespace; create it with the keys app_id and secret"
                ),
            ));
        }
    }
    let importable = matches!(f.token, Some(SecretFacts::Present { .. }));
    let authorises = f.public_url.is_some();
    if !f.has_finalizer() && (has_token || importable || authorises) {
        return Some(progress(
            A::Hold,
            "Pending",
            Reason::Updating,
            "taking hold of the connection",
        ));
    }
    if !f.namespace_terminating {
        if outdated(f) && f.token_unwritable().is_none() {
            return Some(progress(
                A::WriteToken,
                "Pending",
                Reason::Updating,
                "importing the token",
            ));
        }
        if authorises
            && matches!(f.connect, ConnectFacts::Missing | ConnectFacts::Outdated)
            && f.unwritable(&connect_secret_name(f.object)).is_none()
        {
            return Some(progress(
                A::WriteConnect,
                "Pending",
                Reason::Updating,
                "writing the Secret with the ticket",
            ));
        }
    }
    if f.held().is_some_and(|h| h.candidate.is_some())
        && waiting(f).is_none()
        && f.token_unwritable().is_none()
    {
        return Some(progress(
            A::TryCandidate,
            "Pending",
            Reason::LookingUp,
            "asking TikTok what the new token reaches",
        ));
    }
    if has_token {
        return None;
    }
    // What is there to be imported could not be.
    if let Some(refused) = f.unwritable.first().filter(|_| importable) {
        return Some(stalled(
            "Pending",
            Reason::SecretNotWritable,
            unwritable::text(f, refused),
        ));
    }
    if authorises && f.connect == ConnectFacts::NotOurs {
        return Some(stalled(
            "Pending",
            Reason::ConnectSecretTaken,
            format!(
                "a Secret named {} exists and was not made by this operator, so there is no ticket to authorise with; rename or remove it",
                connect_secret_name(f.object)
            ),
        ));
    }
    waits(f)
}

/// There is no token, and nothing to do about it but for somebody else.
fn waits(f: &ConnectionFacts) -> Option<Step> {
    let spec = &f.object.spec;
    if let Some(complaint) = complaint(f) {
        return Some(Step {
            action: A::Rest,
            phase: "Pending",
            ready: complaint,
            wake: None,
        });
    }
    Some(match &spec.token_secret_ref {
        Some(named) => progress(
            A::Rest,
            "Pending",
            Reason::SecretMissing,
            format!(
                "there is no Secret {} in this namespace; create it with the access token",
                named.name
            ),
        ),
        None if f.public_url.is_some() => stalled(
            "Pending",
            Reason::NotAuthorised,
            format!(
                "not connected yet: {}",
                f.authorise_again()
                    .replacen("authorise again", "authorise", 1)
            ),
        ),
        None => stalled(
            "Pending",
            Reason::SecretMissing,
            "no token: set spec.tokenSecretRef to a Secret that holds an access token",
        ),
    })
}

/// What the users' Secrets have is not what we keep.
fn outdated(f: &ConnectionFacts) -> bool {
    let token = matches!(f.token, Some(SecretFacts::Present { .. }));
    let Some(held) = f.held() else {
        return token;
    };
    if f.token_changed() {
        return true;
    }
    let app = match &f.app {
        SecretFacts::Present { fingerprint } => *fingerprint != held.app_fingerprint,
        _ => false,
    };
    app && !f.app_changed()
}

fn waiting(f: &ConnectionFacts) -> Option<Timestamp> {
    f.not_before.filter(|until| f.now < *until)
}

fn sooner(a: Option<Timestamp>, b: Option<Timestamp>) -> Option<Timestamp> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

/// The step that the token's life asks for.
pub(super) fn token_step(f: &ConnectionFacts) -> (Option<ConnectionAction>, Option<Timestamp>) {
    let Some(plan) = f.token_plan() else {
        return (None, None);
    };
    let action = match plan.action {
        token::Action::Rest => None,
        token::Action::Rotate { unclear } => Some(A::Rotate { unclear }),
        token::Action::DropPrevious => Some(A::DropPrevious),
        token::Action::Return => Some(A::Return),
    };
    // Each of them is written down first, or has to be.
    (action.filter(|_| f.token_unwritable().is_none()), plan.wake)
}

/// The token is in hand: is it to be renewed, does the platform take it, and for which advertiser?
fn with_token(f: &ConnectionFacts) -> Step {
    let (mut action, mut wake) = token_step(f);
    let trouble = standing::trouble(f);
    let what = trouble.as_ref().map(|t| t.what);
    if action.is_none() && what != Some(What::Over) {
        let (check, when) = check(f, what);
        action = check.then_some(A::Check);
        wake = sooner(wake, when);
    }
    let step = |phase, ready| Step {
        action: action.clone().unwrap_or(A::Rest),
        phase,
        ready,
        wake,
    };
    if let Some(trouble) = trouble.as_ref().filter(|t| !t.what.granted_too_little()) {
        let again = match trouble.what {
            What::App => f.mend_the_app(),
            _ => f.authorise_again(),
        };
        let ready = Ready::Stalled(trouble.reason, format!("{}; {again}", trouble.said));
        return step("ReadOnly", ready);
    }
    let Some(current) = f.current_check() else {
        let ready = match waiting(f) {
            None => Ready::Progress(
                Reason::LookingUp,
                "asking TikTok what the token may do".into(),
            ),
            Some(_) => Ready::Progress(
                Reason::PlatformUnreachable,
                "TikTok did not answer; trying again".into(),
            ),
        };
        return step("Pending", ready);
    };
    match &current.result {
        // Told as trouble, above; one that was made with the token before says nothing.
        CheckResult::Refused(why) => step(
            "ReadOnly",
            Ready::Stalled(Reason::TokenRefused, why.clone()),
        ),
        CheckResult::AppRefused(why) => {
            step("ReadOnly", Ready::Stalled(Reason::AppRefused, why.clone()))
        }
        CheckResult::NotAllowed(_) => {
            let said = trouble.map(|t| t.said).unwrap_or_default();
            let again = f.authorise_again();
            step(
                "ReadOnly",
                Ready::Stalled(Reason::ScopeMissing, format!("{said}; {again}")),
            )
        }
        CheckResult::Failed(why) => {
            let phase = if what.is_some() {
                "ReadOnly"
            } else if f.known_account().is_some() {
                "Active"
            } else {
                "Pending"
            };
            step(
                phase,
                Ready::Progress(Reason::PlatformUnreachable, why.clone()),
            )
        }
        CheckResult::Granted(granted) => {
            if f.advertiser().is_none()
                && let Some(only) = f.only_one()
                && action.is_none()
                && f.token_unwritable().is_none()
            {
                return progress(
                    A::Pick(only.to_string()),
                    "AwaitingAdvertiser",
                    Reason::Updating,
                    "keeping the only advertiser that the token reaches",
                );
            }
            let (phase, ready) = reached(f, granted);
            step(phase, ready)
        }
    }
}

/// Is a check due? And when the next one is, if nothing happens before.
fn check(f: &ConnectionFacts, what: Option<What>) -> (bool, Option<Timestamp>) {
    if let Some(until) = waiting(f) {
        return (false, Some(until));
    }
    let token = f.token().map(|t| &t.id);
    let Some(check) = f.current_check().filter(|c| Some(&c.token) == token) else {
        return (true, None);
    };
    let mut due = check.at
        + match &check.result {
            CheckResult::Granted(Granted {
                account: Some(account),
                ..
            }) if account.account_status != "STATUS_ENABLE" => CHECK_RESTRICTED,
            // TikTok may not have shown it for a moment, or grant it later.
            CheckResult::Granted(Granted { account: None, .. }) if f.advertiser().is_some() => {
                CHECK_RESTRICTED
            }
            CheckResult::Granted(_) => CHECK_EVERY,
            CheckResult::NotAllowed(_) => CHECK_RESTRICTED,
            _ => return (true, None),
        };
    // The advertiser was picked after it, on the page.
    let other = |granted: &Granted| {
        let picked = f.advertiser();
        let listed = granted.advertisers.iter().any(|(id, _)| Some(id) == picked);
        granted.asked.as_ref() != picked && listed
    };
    if matches!(&check.result, CheckResult::Granted(granted) if other(granted)) {
        due = check.at + CHECK_SPACING;
    }
    if let Some(doubted) = f.doubted.filter(|at| *at >= check.at) {
        due = due.min(doubted.max(check.at + f.doubt_spacing));
    }
    if matches!(what, Some(What::Refused | What::App)) {
        return (true, None);
    }
    (due <= f.now, Some(due))
}

/// The token works; what does it reach?
fn reached(f: &ConnectionFacts, granted: &Granted) -> (&'static str, Ready) {
    let reachable = granted.advertisers.len();
    let pick = if f.public_url.is_some() {
        "pick one on the connection's page, or set spec.advertiserId to one of status.advertisers"
    } else {
        "set spec.advertiserId to one of status.advertisers"
    };
    let Some(id) = f.advertiser() else {
        return (
            "AwaitingAdvertiser",
            Ready::Stalled(
                Reason::AwaitingAdvertiser,
                format!("the token reaches {reachable} advertisers; {pick}"),
            ),
        );
    };
    let listed = granted.advertisers.iter().any(|(known, _)| known == id);
    let Some(account) = granted.account.as_ref().filter(|a| a.id == *id) else {
        if listed {
            return (
                "AwaitingAdvertiser",
                Ready::Progress(
                    Reason::LookingUp,
                    format!("asking TikTok about advertiser {id}"),
                ),
            );
        }
        return (
            "AwaitingAdvertiser",
            Ready::Stalled(
                Reason::AdvertiserNotGranted,
                format!(
                    "the token does not reach advertiser {id}; pick one of status.advertisers, or authorise the app for it"
                ),
            ),
        );
    };
    let reads_only = standing::trouble(f);
    let phase = if reads_only.is_some() {
        "ReadOnly"
    } else {
        "Active"
    };
    let ready = if suspended(&account.account_status) {
        Ready::Stalled(
            Reason::AccountRestricted,
            format!(
                "TikTok reports the account as {}; see Ads Manager. Nothing but pauses is sent until TikTok lets it run again",
                account.account_status
            ),
        )
    } else if account.account_status != "STATUS_ENABLE" {
        Ready::Stalled(
            Reason::AccountRestricted,
            format!(
                "TikTok reports the account as {}; see Ads Manager. Objects are kept in step, but nothing delivers",
                account.account_status
            ),
        )
    } else if let Some(trouble) = reads_only {
        Ready::Yes(
            trouble.reason,
            format!(
                "the advertiser can be read, and not written: {}",
                trouble.said
            ),
        )
    } else {
        Ready::Yes(Reason::Verified, "the token reaches the advertiser".into())
    };
    (phase, ready)
}
