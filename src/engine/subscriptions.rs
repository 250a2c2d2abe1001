//! R24: what TikTok is asked to send. A connection's turn plans which calls are outstanding; they go out one after the other
//! beside it, in the background, so that nothing else of the connection waits for them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};

use super::calls::backoff;
use super::connection::{
    ACCESS_TOKEN, APP_ID, APP_SECRET, Data, fingerprint, kills_token, plain, read_token, time_of,
};
use super::doors::{Clock, Cluster, Name, SecretCopy};
use super::queue::Lane;
use super::run::Engine;
use super::state::{Key, State};
use crate::api::common::Mode;
use crate::api::connection::TikTokConnection;
use crate::model::facts::{Access, ConnectionView};
use crate::model::subscriptions::{self, Candidate, Facts, Op, Step, Subscription, Token};
use crate::platform::{
    Call, CallbackUrl, Door, ErrorClass, PlatformError, Reply, SubscriptionEntity, SubscriptionRow,
    TransportError, Urgency, transport_error,
};

/// Keys of our token Secret.
const MADE_WITH: &str = "subscriptions_token";
const MADE_WITH_EXPIRES: &str = "subscriptions_token_expires_at";

/// Calls of one go; the connection has a turn before the next.
const AT_ONCE: usize = 10;
/// Connections whose calls are under way at the same time.
const CONNECTIONS_AT_ONCE: usize = 2;
/// What TikTok refused is asked for again after this long.
const REFUSED_FOR: Duration = Duration::from_secs(3600);
/// With so many refused nothing more is asked for.
const MOST_REFUSED: usize = 20;

/// What this process knows of one connection's subscriptions.
#[derive(Debug, Default)]
pub struct Subscriptions {
    /// Those of TikTok's list that send to this connection. `None`: to be listed.
    have: Option<Vec<Subscription>>,
    /// The tick of the last answer that was lost: a list that was begun before does not know.
    lost: u64,
    todo: Todo,
    /// Its calls are under way.
    busy: bool,
    not_before: Option<Timestamp>,
    failures: u32,
    /// What TikTok refused, until when it is not asked again, and why.
    refused: BTreeMap<SubscriptionEntity, (Timestamp, String)>,
    /// How many there are and would have to be, as last settled.
    counted: Option<(usize, usize)>,
    problem: Option<String>,
}

/// What is outstanding.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum Todo {
    #[default]
    Nothing,
    List,
    Calls(Vec<Op>),
}

/// What has to be written into the token Secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct MadeWith(Token);

impl MadeWith {
    pub fn write(&self, data: &mut Data) {
        let print = SecretString::from(self.0.fingerprint.clone());
        data.insert(MADE_WITH.into(), print);
        match self.0.expires_at {
            Some(end) => {
                let end = SecretString::from(end.to_string());
                data.insert(MADE_WITH_EXPIRES.into(), end);
            }
            None => {
                data.remove(MADE_WITH_EXPIRES);
            }
        }
    }
}

/// What the calls are made with.
#[derive(Clone)]
struct App {
    id: String,
    secret: SecretString,
    /// A disconnect may have none any more.
    token: Option<SecretString>,
    callback: CallbackUrl,
}

impl Subscriptions {
    pub(super) fn counted(&self) -> Option<(usize, usize)> {
        self.counted
    }

    /// Why some are missing.
    pub(super) fn problem(&self) -> Option<String> {
        let refused = || self.refused.values().next().map(|(_, why)| why.clone());
        self.problem.clone().or_else(refused)
    }
}

impl State {
    /// Our token Secret, as last read.
    fn held_copy(&self, name: &Name) -> Option<&SecretCopy> {
        self.connections.get(name)?.held()
    }

    fn app(&self, name: &Name) -> Option<App> {
        let held = self.held_copy(name)?;
        let hearing = self.hearing.get(name)?;
        let object = self.stores.connections.get(name)?;
        let mut url = self.webhook_url(&object)?;
        if let Some(token) = hearing.path_token() {
            url.push('/');
            url.push_str(token.expose_secret());
        }
        Some(App {
            id: plain(&held.data, APP_ID)?,
            secret: held.data.get(APP_SECRET)?.clone(),
            token: held.data.get(ACCESS_TOKEN).cloned(),
            callback: CallbackUrl::new(url),
        })
    }

    /// Plans what is outstanding. What has to be noted first is returned, and when to plan again.
    pub(super) fn plan_subscriptions(
        &mut self,
        name: &Name,
        object: &TikTokConnection,
        now: Timestamp,
    ) -> (Option<MadeWith>, Option<Timestamp>) {
        let settings = self.settings.hearing.clone();
        let advertiser = match self.views.get(name) {
            Some(ConnectionView::Usable(a)) if a.access == Access::Full && !a.disconnecting => {
                Some(a.advertiser.clone())
            }
            _ => None,
        };
        let hands_off = matches!(object.spec.mode, Some(Mode::Observe | Mode::Plan));
        let known = advertiser.filter(|_| !hands_off).and_then(|advertiser| {
            let data = &self.held_copy(name)?.data;
            let in_use = read_token(data)?;
            let rotated = in_use.rotations > 0;
            let token = Token {
                fingerprint: in_use.id,
                // TikTok knows no end of it, whatever came with it.
                expires_at: in_use.expires_at.filter(|_| !in_use.endless),
            };
            let made_with = plain(data, MADE_WITH).map(|fingerprint| Token {
                fingerprint,
                expires_at: time_of(data, MADE_WITH_EXPIRES),
            });
            let app = self.app(name)?;
            Some((advertiser, token, made_with, rotated, app))
        });
        let Some((advertiser, token, made_with, rotated, app)) = known else {
            self.hearing_of(name, object).subscriptions.todo = Todo::Nothing;
            return (None, None);
        };
        let candidates = self.candidates(name, &advertiser);
        let wanted = subscriptions::wanted(
            &advertiser,
            candidates,
            settings.subscriptions_limit,
            settings.review_window,
            now,
        );
        let mine = &mut self.hearing_of(name, object).subscriptions;
        mine.refused.retain(|_, (until, _)| *until > now);
        let refused: BTreeSet<SubscriptionEntity> = mine.refused.keys().cloned().collect();
        let step = subscriptions::plan(&Facts {
            now,
            wanted: &wanted.entities,
            address: &app.callback,
            have: mine.have.as_deref(),
            token: &token,
            rotated,
            made_with: made_with.as_ref(),
            refused: &refused,
        });
        let mut note = None;
        mine.todo = match step {
            Step::Rest => Todo::Nothing,
            Step::List => Todo::List,
            Step::Calls(mut ops) => {
                if refused.len() >= MOST_REFUSED {
                    // A limit, rather than something about each of them.
                    ops.retain(|op| matches!(op, Op::Unsubscribe { .. }));
                }
                match ops.is_empty() {
                    true => Todo::Nothing,
                    false => Todo::Calls(ops),
                }
            }
            Step::Note(token) => {
                note = Some(MadeWith(token));
                Todo::Nothing
            }
        };
        let settled = mine.todo == Todo::Nothing && note.is_none();
        if settled {
            mine.problem = None;
        }
        if settled || mine.problem.is_some() {
            let have = mine.have.as_ref().map_or(0, Vec::len);
            mine.counted = Some((have, wanted.all));
        }
        let again = mine.refused.values().map(|(until, _)| *until).min();
        let wake = [
            wanted.until,
            subscriptions::ends(made_with.as_ref(), now),
            mine.not_before.filter(|_| mine.todo != Todo::Nothing),
            again,
        ];
        (note, wake.into_iter().flatten().min())
    }

    /// Ads and ad groups of ours in this account.
    fn candidates(&self, name: &Name, advertiser: &str) -> Vec<Candidate> {
        let account = self
            .accounts
            .iter()
            .find(|(id, a)| a.connection == *name && id.advertiser == advertiser);
        let Some((_, account)) = account else {
            return Vec::new();
        };
        let objects = self.objects_of(name).into_iter();
        objects
            .filter_map(|object| {
                let id = self.id_of(&*self.stores.get(&object)?)?;
                let row = account.table.last_known(&(object.kind, id))?;
                subscriptions::candidate(advertiser, row)
            })
            .collect()
    }

    /// A connection whose calls may begin now.
    pub(super) fn next_subscriptions(&mut self, now: Timestamp) -> Option<Name> {
        let busy = self.hearing.values().filter(|h| h.subscriptions.busy);
        if busy.count() >= CONNECTIONS_AT_ONCE {
            return None;
        }
        let (name, hearing) = self.hearing.iter_mut().find(|(_, h)| {
            let mine = &h.subscriptions;
            !mine.busy
                && mine.todo != Todo::Nothing
                && mine.not_before.is_none_or(|until| until <= now)
        })?;
        hearing.subscriptions.busy = true;
        Some(name.clone())
    }

    /// Nothing more is asked for.
    pub(super) fn drop_subscriptions(&mut self, name: &Name) {
        if let Some(mine) = self.subscriptions(name) {
            mine.todo = Todo::Nothing;
        }
    }

    /// Is it there, and not being deleted?
    fn lives(&self, name: &Name) -> bool {
        let object = self.stores.connections.get(name);
        object.is_some_and(|o| o.metadata.deletion_timestamp.is_none())
    }

    /// The calls that were under way may have been made or not: the list knows.
    pub(super) fn subscribing_panicked(&mut self, name: &Name, now: Timestamp) {
        let limits = self.settings.backoff;
        let tick = self.tick();
        if let Some(mine) = self.subscriptions(name) {
            mine.busy = false;
            mine.have = None;
            mine.lost = tick;
            mine.failures += 1;
            mine.not_before = Some(now + backoff(limits, mine.failures));
        }
        self.push(&Key::Connection(name.clone()), Lane::Background, now);
    }

    fn subscriptions(&mut self, name: &Name) -> Option<&mut Subscriptions> {
        self.hearing.get_mut(name).map(|h| &mut h.subscriptions)
    }

    /// The whole list of an app is known: whoever of its connections waits for it finds its own there.
    fn learn_list(&mut self, app: &str, rows: &[SubscriptionRow], begun: u64) {
        let names: Vec<Name> = self.hearing.keys().cloned().collect();
        for name in names {
            let held = self.held_copy(&name);
            if held.and_then(|h| plain(&h.data, APP_ID)).as_deref() != Some(app) {
                continue;
            }
            let object = self.stores.connections.get(&name);
            let Some(base) = object.and_then(|o| self.webhook_url(&o)) else {
                continue;
            };
            let ours = rows.iter().filter(|row| is_ours(&row.callback_url, &base));
            let have: Vec<Subscription> = ours
                .map(|row| Subscription {
                    id: row.id.clone(),
                    entity: row.is_for(),
                    address: row.callback_url.clone(),
                })
                .collect();
            if let Some(mine) = self.subscriptions(&name)
                && mine.have.is_none()
                && begun > mine.lost
            {
                mine.have = Some(have);
                mine.todo = Todo::Nothing;
            }
        }
    }
}

/// Does it lead to this connection? The last part of the address, a secret, may be another by now.
fn is_ours(url: &CallbackUrl, base: &str) -> bool {
    let Some(rest) = url.expose().strip_prefix(base) else {
        return false;
    };
    match rest.strip_prefix('/') {
        Some(token) => !token.is_empty() && !token.contains('/'),
        None => rest.is_empty(),
    }
}

/// How a call ended that did not end well.
enum Stop {
    /// Nothing (more) may be sent now.
    Until(Timestamp),
    /// The answer says so.
    Error(PlatformError),
    /// The connection, or what is needed for its calls, is gone.
    Gone,
}

impl<C: Cluster, P: Door, K: Clock> Engine<C, P, K> {
    /// The outstanding calls of a connection, some of them.
    pub(super) async fn subscribe(&self, name: &Name) {
        let todo = self
            .lock()
            .subscriptions(name)
            .map(|mine| std::mem::take(&mut mine.todo))
            .unwrap_or_default();
        let done = match todo {
            Todo::Nothing => Ok(()),
            Todo::List => self.list_subscriptions(name).await,
            Todo::Calls(ops) => self.send_all(name, ops).await,
        };
        let now = self.clock.now();
        let mut state = self.lock();
        let limits = state.settings.backoff;
        if let Some(mine) = state.subscriptions(name) {
            mine.busy = false;
            match done {
                Ok(()) => {
                    mine.failures = 0;
                    mine.not_before = None;
                    mine.problem = None;
                }
                Err(Stop::Gone) => {}
                Err(Stop::Until(until)) => mine.not_before = Some(until),
                Err(Stop::Error(error)) => {
                    mine.failures += 1;
                    mine.not_before = Some(now + backoff(limits, mine.failures));
                    // One that heals by itself is not worth a word.
                    if mine.failures > 2 || !heals(&error) {
                        mine.problem = Some(error.lasting());
                    }
                }
            }
        }
        state.push(&Key::Connection(name.clone()), Lane::Background, now);
    }

    async fn list_subscriptions(&self, name: &Name) -> Result<(), Stop> {
        let (app, begun) = {
            let mut state = self.lock();
            (state.app(name).ok_or(Stop::Gone)?, state.tick())
        };
        let mut rows = Vec::new();
        for page in 1.. {
            let call = Call::Subscriptions {
                app_id: app.id.clone(),
                secret: app.secret.clone(),
                page,
            };
            let Reply::Subscriptions { rows: more, page } =
                self.app_call(name, &app, &call).await?
            else {
                break;
            };
            rows.extend(more);
            if page.page >= page.total_pages {
                // A list that moved meanwhile proves nothing: it is read again.
                if u64::try_from(rows.len()).ok() != Some(page.total) {
                    let moved = TransportError::NotSent("the list was incomplete".into());
                    return Err(Stop::Error(transport_error(&call, moved)));
                }
                break;
            }
        }
        self.lock().learn_list(&app.id, &rows, begun);
        Ok(())
    }

    async fn send_all(&self, name: &Name, ops: Vec<Op>) -> Result<(), Stop> {
        for op in ops.into_iter().take(AT_ONCE) {
            self.send_one(name, op).await?;
        }
        Ok(())
    }

    async fn send_one(&self, name: &Name, op: Op) -> Result<(), Stop> {
        let app = {
            let state = self.lock();
            // The disconnect would not find what is made while it ends the others.
            if matches!(op, Op::Subscribe(_)) && !state.lives(name) {
                return Err(Stop::Gone);
            }
            state.app(name).ok_or(Stop::Gone)?
        };
        let call = match &op {
            Op::Subscribe(entity) => Call::Subscribe {
                app_id: app.id.clone(),
                secret: app.secret.clone(),
                entity: entity.clone(),
                callback_url: app.callback.clone(),
                access_token: app.token.clone().ok_or(Stop::Gone)?,
            },
            Op::Unsubscribe { id } => Call::Unsubscribe {
                app_id: app.id.clone(),
                secret: app.secret.clone(),
                subscription_id: id.clone(),
            },
        };
        let sent = self.app_call(name, &app, &call).await;
        let now = self.clock.now();
        let mut state = self.lock();
        let tick = state.tick();
        let mine = state.subscriptions(name).ok_or(Stop::Gone)?;
        match (op, sent) {
            (Op::Subscribe(entity), Ok(Reply::Subscribed(id))) => {
                if let Some(have) = &mut mine.have {
                    have.push(Subscription {
                        id,
                        entity: Some(entity),
                        address: app.callback,
                    });
                }
                Ok(())
            }
            (Op::Unsubscribe { id }, Ok(_)) => {
                mine.drop_one(&id);
                Ok(())
            }
            (Op::Unsubscribe { id }, Err(Stop::Error(error)))
                if error.class == ErrorClass::Gone =>
            {
                mine.drop_one(&id);
                Ok(())
            }
            (Op::Subscribe(entity), Err(Stop::Error(error)))
                if matches!(error.class, ErrorClass::Rejected(_) | ErrorClass::Gone) =>
            {
                mine.refused
                    .insert(entity, (now + REFUSED_FOR, error.lasting()));
                Ok(())
            }
            // It may be gone already: the list knows.
            (Op::Unsubscribe { .. }, Err(Stop::Error(error)))
                if matches!(error.class, ErrorClass::Rejected(_)) =>
            {
                mine.have = None;
                mine.lost = tick;
                Err(Stop::Error(PlatformError {
                    class: ErrorClass::Retry,
                    ..error
                }))
            }
            (_, Err(Stop::Error(error))) => {
                if error.class == ErrorClass::Ambiguous {
                    // It may be there or not: the list knows.
                    mine.have = None;
                    mine.lost = tick;
                }
                Err(Stop::Error(error))
            }
            (_, Err(stop)) => Err(stop),
            // Nobody knows its id.
            (Op::Subscribe(_), Ok(_)) => {
                mine.have = None;
                mine.lost = tick;
                Ok(())
            }
        }
    }

    /// One call in the name of the app, in the background. Writes are sent only while the lease covers their deadline.
    async fn app_call(&self, name: &Name, app: &App, call: &Call) -> Result<Reply, Stop> {
        let now = self.clock.now();
        let fence = match self.fence() {
            Some(fence) => fence,
            None if call.is_write() => return Err(Stop::Until(now + Duration::from_secs(1))),
            None => 0,
        };
        let deadline = {
            let mut state = self.lock();
            let path = call.path();
            let budget = state.budget_of(&app.id, &app.secret);
            let asked = state
                .budgets
                .ask(&budget, "", path, Urgency::Background, now);
            asked.map_err(Stop::Until)?;
            state.settings.call_deadline
        };
        let token = app.token.as_ref();
        let sent = self
            .sent_home((&app.id, &app.secret), token, call, fence, deadline)
            .await;
        sent.map_err(|error| {
            // R21: a token that is refused is refused, wherever it was noticed.
            if let (ErrorClass::Auth(problem), Some(token)) = (&error.class, token)
                && kills_token(*problem)
            {
                let now = self.clock.now();
                let id = fingerprint(&[token]);
                let mut state = self.lock();
                state.learn_auth(name, &id, error.lasting(), true, now);
            }
            // The budget was told: it says when to ask again, and what was sent before counts as done.
            match error.class {
                ErrorClass::Throttled(_) => Stop::Until(self.clock.now()),
                _ => Stop::Error(error),
            }
        })
    }

    /// R22: ends the subscriptions of a connection that is being deleted, as far as possible: no call is begun that could take
    /// until after `until`. How many may be left.
    pub(super) async fn unsubscribe_all(&self, name: &Name, until: Timestamp) -> usize {
        let deadline = self.lock().settings.call_deadline;
        let over = |now: Timestamp| now + deadline > until;
        loop {
            let (busy, listed, next) = {
                let mut state = self.lock();
                // What was never noted was never made, and without an address there is nothing to find it by.
                let noted = |held: &SecretCopy| plain(&held.data, MADE_WITH).is_some();
                if !state.held_copy(name).is_some_and(noted) || state.app(name).is_none() {
                    return 0;
                }
                let Some(mine) = state.subscriptions(name) else {
                    return 0;
                };
                mine.todo = Todo::Nothing;
                let next = mine.have.as_ref().and_then(|have| have.first());
                (mine.busy, mine.have.is_some(), next.map(|s| s.id.clone()))
            };
            let now = self.clock.now();
            if over(now) {
                break;
            }
            if busy {
                // A call that was begun before the deletion is still under way.
                tokio::time::sleep(Duration::from_millis(200)).await;
                continue;
            }
            let done = match (listed, next) {
                (false, _) => self.list_subscriptions(name).await,
                (true, Some(id)) => self.send_one(name, Op::Unsubscribe { id }).await,
                (true, None) => return 0,
            };
            match done {
                Ok(()) => {}
                Err(Stop::Gone) => return 0,
                Err(Stop::Error(error)) if !heals(&error) => break,
                Err(Stop::Error(_) | Stop::Until(_)) => {
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
            }
        }
        let state = self.lock();
        let mine = state.hearing.get(name).map(|h| &h.subscriptions);
        let left = mine.map_or(0, |mine| mine.have.as_ref().map_or(1, Vec::len));
        if left > 0 {
            tracing::warn!(connection = %name, left, "subscriptions are left: TikTok goes on sending events for them, which are refused");
        }
        left
    }
}

impl Subscriptions {
    fn drop_one(&mut self, id: &str) {
        if let Some(have) = &mut self.have {
            have.retain(|s| s.id != id);
        }
    }
}

/// It may go well the next time, without anybody doing anything.
fn heals(error: &PlatformError) -> bool {
    matches!(error.class, ErrorClass::Retry | ErrorClass::Ambiguous)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r24_only_rows_that_lead_to_this_connection_are_ours() {
        let base = "https://ads.example/webhooks/tiktok/shop/main";
        let ours = |url: &str| is_ours(&CallbackUrl::new(url), base);
        assert!(ours(base));
        assert!(ours(&format!("{base}/0123456789abcdef")));
        for foreign in [
            "https://ads.example/webhooks/tiktok/shop/main2",
            "https://ads.example/webhooks/tiktok/shop/main/",
            "https://ads.example/webhooks/tiktok/shop/main/a/b",
            "https://ads.example/webhooks/tiktok/shop",
            "http://ads.example/webhooks/tiktok/shop/main",
            "https://other.example/webhooks/tiktok/shop/main",
            "",
        ] {
            assert!(!ours(foreign), "{foreign}");
        }
    }
}
