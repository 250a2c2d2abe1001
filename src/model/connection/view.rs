//! What the objects of the account are told.

use super::super::facts::{Access, Account, Caps, ConnectionView};
use super::super::reason::Reason;
use super::super::report::Ready;
use super::standing::{self, What};
use super::{ConnectionFacts, Step};
use crate::api::common::Money;
use crate::api::connection::{ScheduleZone, TikTokConnection};

/// Account statuses with which nothing runs and nothing is taken but pauses.
const SUSPENDED: [&str; 2] = ["STATUS_LIMIT", "STATUS_DISABLE"];

/// Is the account suspended?
pub(super) fn suspended(status: &str) -> bool {
    SUSPENDED.contains(&status)
}

pub(super) fn of(f: &ConnectionFacts, step: &Step) -> ConnectionView {
    let (reason, message) = match &step.ready {
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
            f.name()
        ),
    };
    if f.twin.is_some()
        || matches!(
            reason,
            Reason::AwaitingAdvertiser | Reason::AdvertiserNotGranted | Reason::TokenSecretTaken
        )
    {
        return not_ready();
    }
    let (Some(held), Some(_), Some(account)) = (f.held(), f.token(), f.known_account()) else {
        return not_ready();
    };
    let disconnecting = f.deleting();
    let trouble = standing::trouble(f);
    let access = match trouble.as_ref().map(|t| t.what) {
        None => Access::Full,
        Some(What::Over | What::NoAds) => Access::Over,
        Some(What::Refused) => Access::Refused,
        Some(What::Ends | What::ReadsOnly | What::App) => Access::ReadOnly,
    };
    // A token that nobody has checked since the start is not used for anything, except to settle what is being deleted.
    // One that has ended cannot be checked, and is not used anyway; with one that TikTok is known to refuse nothing is read or
    // changed.
    let limited = trouble
        .as_ref()
        .is_some_and(|t| matches!(t.what, What::Over | What::Refused));
    let tried = f.current_check().is_some() || limited;
    if !tried && !disconnecting {
        return not_ready();
    }
    let spec = &f.object.spec;
    ConnectionView::Usable(Account {
        app: held.app_id.clone(),
        advertiser: account.id.clone(),
        currency: account.currency.clone(),
        timezone: account.time_zone.clone(),
        schedule_in_account_zone: spec.schedule_zone == Some(ScheduleZone::Account),
        mode: spec.mode,
        access,
        suspended: suspended(&account.account_status).then(|| account.account_status.clone()),
        pause_all: standing::pause_all(f, trouble.as_ref()),
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
