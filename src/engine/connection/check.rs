//! What TikTok says of a token: which advertisers it reaches, the picked one's account, the user's role, the pixel.

use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;

use super::super::calls::backoff;
use super::super::doors::{Clock, Cluster, Name};
use super::super::due::Why;
use super::super::run::Engine;
use super::super::state::Key;
use super::facts::ConnectionMemo;
use crate::api::connection::{AdvertiserStatus, EventsSourceStatus, TikTokConnection};
use crate::model::connection::{CheckResult, Checked, Granted, Refusal};
use crate::platform::{
    Answer, AuthProblem, Call, Door, ErrorClass, PlatformError, Reply, TransportError, Urgency,
    UserRole, clean, read_as, transport_error,
};

/// An advertiser that TikTok does not show any more counts as lost when that has lasted so long: one answer may be short.
const UNLISTED_FOR: Duration = Duration::from_secs(30);

/// R26: a user with a role in more accounts than this is not looked for among them.
const ROLE_PAGES: u32 = 20;

/// Is it the token itself that TikTok refuses, so that another may help?
pub(in crate::engine) fn kills_token(problem: AuthProblem) -> bool {
    matches!(
        problem,
        AuthProblem::TokenExpired | AuthProblem::TokenInvalid | AuthProblem::TokenMissing
    )
}

/// The app and the token that a call is made with.
pub(super) struct With<'a> {
    pub app: &'a str,
    pub secret: &'a SecretString,
    pub token: &'a SecretString,
}

impl<C: Cluster, P: Door, K: Clock> Engine<C, P, K> {
    /// Asks, and keeps the answer.
    pub(super) async fn check(&self, name: &Name, object: &TikTokConnection) {
        let (held, picked, before) = {
            let state = self.lock();
            let before = state.connections.get(name).and_then(|m| m.check.clone());
            (state.held(name), state.advertiser_of(name, object), before)
        };
        let Some((app, secret, token, id)) = held else {
            return;
        };
        let begun = self.clock.now();
        let with = With {
            app: &app,
            secret: &secret,
            token: &token,
        };
        let role = known_role(before.as_ref(), &id, picked.as_ref());
        let (result, dead) = match self.granted(&with).await {
            Ok(advertisers) => match self.account(&with, picked, advertisers, role, object).await {
                Ok(granted) => (CheckResult::Granted(granted), false),
                Err(error) => failed(&error),
            },
            Err(error) => failed(&error),
        };
        self.learn_check(name, object, id, begun, result, dead);
    }

    fn learn_check(
        &self,
        name: &Name,
        object: &TikTokConnection,
        token: String,
        begun: jiff::Timestamp,
        result: CheckResult,
        dead: bool,
    ) {
        let now = self.clock.now();
        let mut state = self.lock();
        let limits = state.settings.backoff;
        let picked = state.advertiser_of(name, object);
        let previous = state
            .connections
            .get(name)
            .and_then(|m| super::secrets::read_token(&m.held()?.data))
            .and_then(|t| t.previous)
            .map(|p| p.id);
        let Some(memo) = state.connections.get_mut(name) else {
            return;
        };
        // What an earlier check found stays true until something else is known.
        let stays = memo.check.as_ref().is_some_and(|c| {
            (c.token == token || Some(&c.token) == previous.as_ref())
                && matches!(c.result, CheckResult::Granted(_))
        });
        let checked = |result| {
            Some(Checked {
                at: begun,
                token: token.clone(),
                result,
            })
        };
        let result = match result {
            CheckResult::Granted(granted) if lost(memo, object, picked.as_ref(), &granted) => {
                let since = *memo.unlisted_since.get_or_insert(begun);
                if begun < since + UNLISTED_FOR {
                    CheckResult::Failed(format!(
                        "TikTok's answer does not show advertiser {}, which the token reached before; asking again",
                        picked.unwrap_or_default()
                    ))
                } else {
                    CheckResult::Granted(granted)
                }
            }
            other => other,
        };
        match result {
            CheckResult::Granted(granted) => {
                memo.unlisted_since = None;
                memo.contradicted = match std::mem::take(&mut memo.accused) {
                    true => memo.contradicted.saturating_add(1),
                    false => 0,
                };
                memo.failures = 0;
                memo.not_before = None;
                memo.refused = None;
                memo.imports.went_well();
                memo.doubted = memo.doubted.filter(|at| *at > begun);
                memo.life.dead = false;
                memo.life.turned_away = None;
                memo.life.answered = Some(token.clone());
                memo.check = checked(CheckResult::Granted(granted));
            }
            CheckResult::NotAllowed(why) => {
                memo.failures += 1;
                memo.not_before = Some(now + backoff(limits, memo.failures));
                // The token itself was taken.
                memo.life.answered = Some(token.clone());
                if !stays {
                    memo.check = checked(CheckResult::NotAllowed(why));
                }
            }
            refused @ (CheckResult::Refused(_) | CheckResult::AppRefused(_)) => {
                memo.failures += 1;
                memo.not_before = Some(now + backoff(limits, memo.failures + 4));
                memo.life.dead |= dead;
                if dead {
                    memo.life.turned_away = Some(token.clone());
                }
                memo.refused = Refusal::of(&token, &refused);
                if !stays {
                    memo.check = checked(refused);
                }
            }
            CheckResult::Failed(why) => {
                memo.failures += 1;
                memo.not_before = Some(now + backoff(limits, memo.failures));
                if !stays {
                    memo.check = checked(CheckResult::Failed(why));
                }
            }
        }
        if let Some(until) = memo.not_before {
            state.wake(&Key::Connection(name.clone()), Why::Backoff, until);
        }
    }

    /// Which advertisers a token reaches: id and name.
    pub(super) async fn granted(
        &self,
        with: &With<'_>,
    ) -> Result<Vec<(String, String)>, PlatformError> {
        let call = Call::GrantedAdvertisers {
            app_id: with.app.into(),
            secret: with.secret.clone(),
        };
        match self
            .home_call(
                (with.app, with.secret),
                Some(with.token),
                &call,
                Urgency::Normal,
            )
            .await?
        {
            Reply::Granted(all) => Ok(all.into_iter().map(|g| (g.id, g.name)).collect()),
            _ => Err(of_another_kind(&call)),
        }
    }

    /// The picked advertiser, if the token reaches it. `known_role` stays if TikTok does not answer what the role is now.
    async fn account(
        &self,
        with: &With<'_>,
        picked: Option<String>,
        advertisers: Vec<(String, String)>,
        known_role: Option<String>,
        object: &TikTokConnection,
    ) -> Result<Granted, PlatformError> {
        let reaches = |id: &String| advertisers.iter().any(|(granted, _)| granted == id);
        let Some(id) = picked.filter(reaches) else {
            return Ok(Granted {
                advertisers: Arc::new(advertisers),
                ..Granted::default()
            });
        };
        let call = Call::AdvertiserInfo {
            advertiser_ids: vec![id.clone()],
        };
        let reply = self
            .home_call(
                (with.app, with.secret),
                Some(with.token),
                &call,
                Urgency::Normal,
            )
            .await?;
        let Reply::Advertisers(rows) = reply else {
            return Err(of_another_kind(&call));
        };
        let row = rows.into_iter().find(|row| row.id == id);
        let role = match row.as_ref().and_then(|r| r.owner_bc_id.clone()) {
            Some(bc) => self.role(with, &bc, &id).await,
            None => Some(UserRole::Unknown),
        };
        let unknown = word(UserRole::Unknown);
        let role = role.map_or_else(
            || known_role.unwrap_or_else(|| unknown.into()),
            |role| word(role).into(),
        );
        let events_source = match &object.spec.events_source {
            Some(wanted) => self.pixel(with, &id, &wanted.pixel_id).await,
            None => None,
        };
        Ok(Granted {
            asked: Some(id.clone()),
            advertisers: Arc::new(advertisers),
            role: row.is_some().then_some(role),
            events_source,
            account: row.map(|row| AdvertiserStatus {
                id: row.id,
                name: clean(&row.name, 200),
                currency: clean(&row.currency, 8),
                time_zone: clean(&row.timezone, 64),
                account_status: clean(&row.status, 64),
            }),
        })
    }

    /// R26: `Unknown` where TikTok does not tell; `None` if it could not be asked at this moment.
    async fn role(&self, with: &With<'_>, bc: &str, advertiser: &str) -> Option<UserRole> {
        for page in 1..=ROLE_PAGES {
            let call = Call::UserRoles {
                bc: bc.into(),
                page,
            };
            let reply = self
                .home_call(
                    (with.app, with.secret),
                    Some(with.token),
                    &call,
                    Urgency::Background,
                )
                .await;
            let (rows, info) = match reply {
                Ok(Reply::Roles { rows, page: info }) => (rows, info),
                Err(error) if passes(&error) => return None,
                _ => break,
            };
            if let Some(row) = rows.iter().find(|row| row.advertiser == advertiser) {
                return Some(row.role);
            }
            if page >= info.total_pages {
                break;
            }
        }
        Some(UserRole::Unknown)
    }

    /// Whether the account has the pixel; `None`: TikTok did not say.
    async fn pixel(
        &self,
        with: &With<'_>,
        advertiser: &str,
        pixel: &str,
    ) -> Option<EventsSourceStatus> {
        let call = Call::Pixels {
            advertiser: advertiser.into(),
            pixel_id: pixel.into(),
        };
        match self
            .home_call(
                (with.app, with.secret),
                Some(with.token),
                &call,
                Urgency::Background,
            )
            .await
        {
            Ok(Reply::Pixels(rows)) => Some(EventsSourceStatus {
                pixel_id: pixel.into(),
                found: rows.iter().any(|row| row.id == pixel && !row.unbound),
            }),
            _ => None,
        }
    }

    /// A call in the name of an app, not of an account. Writes only while the lease covers their whole deadline.
    pub(in crate::engine) async fn home_call(
        &self,
        (app, secret): (&str, &SecretString),
        token: Option<&SecretString>,
        call: &Call,
        urgency: Urgency,
    ) -> Result<Reply, PlatformError> {
        let not_sent = |why: &str| Err(transport_error(call, TransportError::NotSent(why.into())));
        let fence = match self.fence() {
            Some(fence) => fence,
            None if call.is_write() => return not_sent("the lease does not cover this call"),
            None => 0,
        };
        let now = self.clock.now();
        let (asked, deadline) = {
            let mut state = self.lock();
            let deadline = state.settings.call_deadline;
            let budget = state.budget_of(app, secret);
            let asked = state.budgets.ask(&budget, "", call.path(), urgency, now);
            (asked, deadline)
        };
        if asked.is_err() {
            return not_sent("the request budget is used up for the moment");
        }
        self.sent_home((app, secret), token, call, fence, deadline)
            .await
    }

    /// The same, its budget asked for already.
    pub(in crate::engine) async fn sent_home(
        &self,
        (app, secret): (&str, &SecretString),
        token: Option<&SecretString>,
        call: &Call,
        fence: u64,
        deadline: std::time::Duration,
    ) -> Result<Reply, PlatformError> {
        let sent = self
            .platform
            .send(call.request(token), fence, deadline)
            .await;
        let result = match sent {
            Ok(reply) => read_as(call, token, reply),
            Err(error) => Err(transport_error(call, error)),
        };
        self.metrics.call(call.name(), &result);
        self.lock().learn_app(app, secret, call, &result);
        if let Err(error) = &result {
            if let ErrorClass::Throttled(throttle) = &error.class {
                let now = self.clock.now();
                let mut state = self.lock();
                let budget = state.budget_of(app, secret);
                state
                    .budgets
                    .throttled(&budget, "", call.path(), throttle, now);
            }
            tracing::warn!(call = call.name(), app, class = ?error.class, %error, "TikTok call failed");
        }
        result.map(|Answer { reply, .. }| reply)
    }
}

/// Does the answer lack the advertiser that was reached before, by this process's last check or, before that, by the status?
fn lost(
    memo: &ConnectionMemo,
    object: &TikTokConnection,
    picked: Option<&String>,
    granted: &Granted,
) -> bool {
    let before = match memo.check.as_ref().map(|c| &c.result) {
        Some(CheckResult::Granted(before)) => before.account.as_ref(),
        _ => object.status.as_ref().and_then(|s| s.advertiser.as_ref()),
    };
    let reached = picked.is_some() && before.map(|a| &a.id) == picked;
    reached && granted.account.is_none()
}

/// The role that the check before found, if that was made with this token and for this advertiser.
fn known_role(
    before: Option<&Checked>,
    token: &str,
    advertiser: Option<&String>,
) -> Option<String> {
    let CheckResult::Granted(granted) = &before.filter(|check| check.token == token)?.result else {
        return None;
    };
    let account = granted.account.as_ref().map(|account| &account.id);
    granted.role.clone().filter(|_| account == advertiser)
}

/// Nothing follows from this answer but to ask again.
fn passes(error: &PlatformError) -> bool {
    matches!(
        error.class,
        ErrorClass::Retry | ErrorClass::Throttled(_) | ErrorClass::Ambiguous
    )
}

/// R26, in TikTok's words.
fn word(role: UserRole) -> &'static str {
    match role {
        UserRole::Admin => "ADMIN",
        UserRole::Operator => "OPERATOR",
        UserRole::Analyst => "ANALYST",
        UserRole::Unknown => "Unknown",
    }
}

pub(super) fn of_another_kind(call: &Call) -> PlatformError {
    transport_error(
        call,
        TransportError::Unclear("TikTok's answer was of another kind".into()),
    )
}

/// What an error of a check means, and whether it is the token itself that is refused.
fn failed(error: &PlatformError) -> (CheckResult, bool) {
    match error.class {
        ErrorClass::Auth(AuthProblem::AppRefused) => {
            (CheckResult::AppRefused(error.lasting()), false)
        }
        ErrorClass::Auth(AuthProblem::ScopeMissing | AuthProblem::NotGranted) => {
            (CheckResult::NotAllowed(error.lasting()), false)
        }
        ErrorClass::Auth(problem) => (CheckResult::Refused(error.lasting()), kills_token(problem)),
        _ => (CheckResult::Failed(error.lasting()), false),
    }
}
