//! The platform's side of a turn: slot and budget, the fenced send, and what each reply teaches.

use std::time::Duration;

use jiff::Timestamp;

use super::account::AccountId;
use super::doors::{Clock, Cluster, Name, Note};
use super::due::Why;
use super::outbox::{Batch, Op};
use super::queue::Lane;
use super::run::Engine;
use super::state::{Key, State};
use crate::api::campaign::Campaign;
use crate::model::ceiling::{per_day, row_per_day};
use crate::model::facts::{Attempt, Problem, Refusable, Refused};
use crate::model::plan::Action;
use crate::model::reason::Reason;
use crate::model::record::Record;
use crate::observe::table::Begun;
use crate::platform::Urgency;
use crate::platform::{Answer, CampaignRow, Reply, read};
use crate::platform::{Call, CampaignFilter, OperationStatus, Tree};
use crate::platform::{Door, TransportError};
use crate::platform::{ErrorClass, PlatformError, Rejection, transport_error};

/// Who asks for a call.
#[derive(Clone, Copy, Debug)]
pub(super) enum Begin<'a> {
    /// A create; without slot or budget the object waits in line.
    Create(&'a Name),
    Batch,
    Pause,
    Sweep,
}

/// A call's place, given back when dropped.
pub(super) struct Reserved<'a, C: Cluster, P: Door, K: Clock> {
    engine: &'a Engine<C, P, K>,
    account: AccountId,
    pause: bool,
}

impl<C: Cluster, P: Door, K: Clock> Drop for Reserved<'_, C, P, K> {
    fn drop(&mut self) {
        let mut state = self.engine.lock();
        if let Some(account) = state.accounts.get_mut(&self.account) {
            let count = if self.pause {
                &mut account.pauses
            } else {
                &mut account.calls
            };
            *count = count.saturating_sub(1);
        }
    }
}

/// Why a call does not begin now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NotNow {
    Slot,
    Budget,
    /// The lease does not cover the call.
    NotLeader,
}

/// The wait after `failures` errors in a row: doubling, with an upper limit.
pub(super) fn backoff((first, most): (Duration, Duration), failures: u32) -> Duration {
    first
        .saturating_mul(1u32 << failures.saturating_sub(1).min(16))
        .min(most)
}

impl<C: Cluster, P: Door, K: Clock> Engine<C, P, K> {
    /// Takes a call's place and its budget (decision 10: in one place, right before the send).
    pub(super) fn begin<'a>(
        &'a self,
        id: &AccountId,
        path: &str,
        who: Begin<'_>,
    ) -> Result<Reserved<'a, C, P, K>, NotNow> {
        let now = self.clock.now();
        let leading = self.fence().is_some();
        let mut state = self.lock();
        if !leading {
            // The renewal is late: what may be sent again in a moment is asked again in a moment.
            if let Begin::Create(name) = who {
                state.wake(
                    &Key::Campaign(name.clone()),
                    Why::Backoff,
                    now + Duration::from_secs(1),
                );
            }
            return Err(NotNow::NotLeader);
        }
        let most = state.settings.calls_in_flight;
        let pause_again = state.settings.pause_again;
        let pause = matches!(who, Begin::Pause);
        let Some(account) = state.accounts.get_mut(id) else {
            return Err(NotNow::Slot);
        };
        let free = if pause {
            account.pauses == 0 || account.calls < most
        } else {
            account.calls < most
        };
        if !free {
            if let Begin::Create(name) = who {
                account.wait(name);
            }
            return Err(NotNow::Slot);
        }
        let urgency = match who {
            Begin::Pause => Urgency::Safety,
            Begin::Sweep => Urgency::Background,
            Begin::Create(_) | Begin::Batch => Urgency::Normal,
        };
        let asked = state
            .budgets
            .ask(&id.app, &id.advertiser, path, urgency, now);
        let Some(account) = state.accounts.get_mut(id) else {
            return Err(NotNow::Slot);
        };
        if let Err(until) = asked {
            match who {
                Begin::Pause => account.pause_not_before = Some(until.min(now + pause_again)),
                Begin::Sweep => account.sweep.not_before(until),
                Begin::Batch => account.blocked_until = Some(until),
                Begin::Create(name) => {
                    account.blocked_until = Some(until);
                    account.wait(name);
                }
            }
            return Err(NotNow::Budget);
        }
        // A pause takes the place that is its own, and a common one when several go at once.
        let own_place = pause && account.pauses == 0;
        if own_place {
            account.pauses += 1
        } else {
            account.calls += 1
        }
        Ok(Reserved {
            engine: self,
            account: id.clone(),
            pause: own_place,
        })
    }

    /// One call. Writes are sent only while the lease covers their whole deadline.
    pub(super) async fn send(&self, id: &AccountId, call: &Call) -> Result<Answer, PlatformError> {
        let (token, deadline) = {
            let state = self.lock();
            (
                state.accounts.get(id).map(|a| a.token.clone()),
                state.settings.call_deadline,
            )
        };
        let fence = match self.fence() {
            Some(fence) => fence,
            None if call.is_write() => {
                return Err(transport_error(
                    call,
                    TransportError::NotSent("the lease does not cover this call".into()),
                ));
            }
            None => 0,
        };
        let Some(token) = token else {
            return Err(transport_error(
                call,
                TransportError::NotSent("the account's connection is gone".into()),
            ));
        };
        let before = self.clock.now();
        let sent = self
            .platform
            .send(call.request(Some(&token)), fence, deadline)
            .await;
        let result = match sent {
            Ok(reply) => read(call, reply),
            Err(error) => Err(transport_error(call, error)),
        };
        self.metrics.call(call.name(), &result);
        let now = self.clock.now();
        let mut state = self.lock();
        if let Ok(Answer {
            date: Some(date), ..
        }) = &result
        {
            // Date has whole seconds; the answer was made somewhere between the two readings of our clock.
            let middle = before
                + now
                    .duration_since(before)
                    .checked_div(2)
                    .unwrap_or_default();
            let skew = date.duration_since(middle);
            state.skew = if skew.abs() <= jiff::SignedDuration::from_millis(1500) {
                jiff::SignedDuration::ZERO
            } else {
                skew
            };
        }
        if let Err(error) = &result {
            state.learn_account_error(id, call, error, now);
        }
        drop(state);
        if let Err(error) = &result {
            tracing::warn!(call = call.name(), advertiser = %id.advertiser, class = ?error.class, %error, "TikTok call failed");
        }
        result
    }

    /// What the answer to a create taught.
    pub(super) fn learn_created(
        &self,
        name: &Name,
        id: &AccountId,
        record: &Record,
        sent: Result<Answer, PlatformError>,
    ) {
        let now = self.clock.now();
        let mut state = self.lock();
        let tick = state.tick();
        let attempt = match sent {
            Ok(Answer {
                reply: Reply::Created(row),
                ..
            }) => {
                tracing::info!(campaign = %name, id = %row.id, key = %record.key, attempt = record.attempt, "created, switched off");
                if let Some(account) = state.accounts.get_mut(id) {
                    account.table.wrote_row(row.clone(), tick, now);
                }
                Attempt::Made(Box::new(row))
            }
            Ok(_) => Attempt::Unclear,
            Err(error) => {
                let attempt = match &error.class {
                    ErrorClass::Ambiguous => Attempt::Unclear,
                    // The door says that nothing was acted upon; refusals are definite.
                    ErrorClass::Retry => Attempt::Unsent,
                    _ => Attempt::Refused,
                };
                state.learn_refusal(name, Refusable::Create, &error, now);
                attempt
            }
        };
        let uid = record.uid.clone();
        let memo = state.memo(name, &uid);
        memo.memory.attempt = Some(attempt);
        memo.asked = None;
    }

    /// Sends what waited together.
    pub(super) async fn batch(&self, id: &AccountId, batch: Batch) {
        match batch {
            Batch::Status {
                tree,
                to,
                postback,
                members,
            } => self.set_status(id, tree, to, postback, members).await,
            Batch::Update {
                tree,
                id: campaign,
                changes,
                member,
            } => self.update(id, tree, campaign, changes, member).await,
            Batch::LookIds { tree, members } => self.look_ids(id, tree, members).await,
            Batch::LookCreated { tree, name, member } => {
                self.look_created(id, tree, name, member).await
            }
            Batch::Names { names } => {
                let mut state = self.lock();
                let now = self.clock.now();
                state.ask_names(id, names, now);
            }
        }
    }

    /// Checked last: only what the newest plan still wants goes out, and never more than the ceilings allow together.
    fn still_wanted(
        &self,
        id: &AccountId,
        members: Vec<(Name, String)>,
        wanted: impl Fn(&Action, &str) -> bool,
        spends: bool,
    ) -> Vec<(Name, String)> {
        let now = self.clock.now();
        let mut state = self.lock();
        let mut keep = Vec::new();
        for (name, campaign) in members {
            let key = Key::Campaign(name.clone());
            let Some(object) = state.stores.campaigns.get(&name) else {
                continue;
            };
            let plan = state.plan(&name, &object, now);
            if !wanted(&plan.action, &campaign) {
                state.push(&key, Lane::Change, now);
                continue;
            }
            if spends {
                let row = plan.verdict.row.as_ref();
                let raised = match &plan.action {
                    Action::Update { changes, .. } => {
                        row.and_then(|r| per_day(r.budget_mode.as_deref(), changes.budget))
                    }
                    _ => row.and_then(|r| row_per_day(r, None)),
                };
                if let Some(account) = state.accounts.get_mut(id) {
                    account.about_to_spend.insert(campaign.clone(), raised);
                }
            }
            keep.push((name, campaign));
        }
        keep
    }

    async fn set_status(
        &self,
        id: &AccountId,
        tree: Tree,
        to: OperationStatus,
        postback: Option<&'static str>,
        members: Vec<(Name, String)>,
    ) {
        let enable = to == OperationStatus::Enable;
        let same = |action: &Action, campaign: &str| matches!(action, Action::SetStatus { id, to: planned, .. } if id == campaign && *planned == to);
        let members = self.still_wanted(id, members, same, enable);
        if members.is_empty() {
            return;
        }
        let ids: Vec<String> = members.iter().map(|(_, id)| id.clone()).collect();
        let call = Call::SetCampaignStatus {
            advertiser: id.advertiser.clone(),
            tree,
            ids: ids.clone(),
            status: to,
            postback_window_mode: postback.map(str::to_owned),
        };
        let begin = if to == OperationStatus::Disable {
            Begin::Pause
        } else {
            Begin::Batch
        };
        let op = |campaign: &str| Op::SetStatus {
            tree,
            id: campaign.to_string(),
            to,
            postback,
        };
        let Ok(slot) = self.begin(id, call.path(), begin) else {
            self.park_again(id, &members, op);
            self.lock().spent(id, &ids);
            return;
        };
        let sent = self.send(id, &call).await;
        drop(slot);
        let batch = Batch::Status {
            tree,
            to,
            postback,
            members,
        };
        let warn = self.learn_statuses(id, &call, batch, sent);
        for (name, campaign, pauses, uid) in warn {
            let message = format!(
                "campaign {campaign} was switched off for the {pauses}. time; somebody or an automated rule keeps switching it on"
            );
            self.note(Note {
                kind: "Campaign",
                uid,
                about: name,
                warning: true,
                reason: "SwitchedOnOutside".into(),
                message,
            })
            .await;
        }
    }

    /// What the answer to a status call taught, per id; which objects were paused again and again.
    fn learn_statuses(
        &self,
        id: &AccountId,
        call: &Call,
        batch: Batch,
        sent: Result<Answer, PlatformError>,
    ) -> Vec<(Name, String, u32, String)> {
        let Batch::Status {
            tree,
            to,
            postback,
            members,
        } = batch
        else {
            return Vec::new();
        };
        let members = &members[..];
        let op = |campaign: &str| Op::SetStatus {
            tree,
            id: campaign.to_string(),
            to,
            postback,
        };
        let ids: Vec<String> = members.iter().map(|(_, id)| id.clone()).collect();
        let now = self.clock.now();
        let mut state = self.lock();
        let tick = state.tick();
        match sent {
            Ok(Answer {
                reply: Reply::StatusSet { done, refused },
                request_id,
                ..
            }) => {
                if let Some(account) = state
                    .accounts
                    .get_mut(id)
                    .filter(|_| to == OperationStatus::Disable)
                {
                    account.pause_failures = 0;
                }
                for (name, campaign) in members {
                    if done.contains(campaign) {
                        state.learn_status(id, name, campaign, to, tick, now);
                        tracing::info!(campaign = %name, id = %campaign, to = ?to, "status set");
                    } else if let Some(no) = refused.iter().find(|r| r.id == *campaign) {
                        let error = PlatformError {
                            class: no.class(),
                            code: None,
                            message: no.message.clone(),
                            request_id: request_id.clone(),
                            call: call.name(),
                            field: None,
                        };
                        state.learn_refusal(name, refusable(to), &error, now);
                        state.doubt(id, campaign);
                    } else {
                        state.doubt(id, campaign);
                    }
                    state.push(&Key::Campaign(name.clone()), Lane::Change, now);
                }
            }
            Ok(_) => state.doubt_all(id, members, now),
            Err(error) => {
                let single = members.len() == 1;
                match &error.class {
                    // R5: one bad id never holds the others.
                    ErrorClass::Rejected(_) | ErrorClass::Gone if !single => {
                        if let Some(account) = state.accounts.get_mut(id) {
                            account.outbox.split(Batch::Status {
                                tree,
                                to,
                                postback,
                                members: members.to_vec(),
                            });
                        }
                    }
                    ErrorClass::Rejected(_) | ErrorClass::Gone => {
                        for (name, campaign) in members {
                            state.learn_refusal(name, refusable(to), &error, now);
                            state.doubt(id, campaign);
                            state.push(&Key::Campaign(name.clone()), Lane::Change, now);
                        }
                    }
                    ErrorClass::Throttled(_) => drop_and_park(&mut state, id, members, op, now),
                    ErrorClass::Ambiguous if to == OperationStatus::Disable => {
                        drop_and_park(&mut state, id, members, op, now)
                    }
                    ErrorClass::Ambiguous => state.doubt_all(id, members, now),
                    ErrorClass::Retry | ErrorClass::Auth(_) if to == OperationStatus::Disable => {
                        drop_and_park(&mut state, id, members, op, now);
                    }
                    ErrorClass::Retry | ErrorClass::Auth(_) => {
                        for (name, _) in members {
                            state.learn_refusal(name, refusable(to), &error, now);
                        }
                    }
                }
                if to == OperationStatus::Disable
                    && !matches!(error.class, ErrorClass::Rejected(_) | ErrorClass::Gone)
                {
                    let most = state.settings.pause_again;
                    if let Some(account) = state.accounts.get_mut(id) {
                        account.pause_failures += 1;
                        account.pause_not_before = Some(
                            now + backoff((Duration::from_secs(1), most), account.pause_failures),
                        );
                    }
                }
            }
        }
        state.spent(id, &ids);
        members
            .iter()
            .filter_map(|(name, campaign)| {
                let memo = state.memos.get(name)?;
                let pauses = memo.memory.pauses;
                (to == OperationStatus::Disable && pauses >= 3)
                    .then(|| (name.clone(), campaign.clone(), pauses, memo.uid.clone()))
            })
            .collect()
    }

    fn park_again(&self, id: &AccountId, members: &[(Name, String)], op: impl Fn(&str) -> Op) {
        let now = self.clock.now();
        drop_and_park(&mut self.lock(), id, members, op, now);
    }

    async fn update(
        &self,
        id: &AccountId,
        tree: Tree,
        campaign: String,
        changes: crate::platform::CampaignChanges,
        member: Name,
    ) {
        let same = |action: &Action, of: &str| matches!(action, Action::Update { id, changes: planned, .. } if id == of && *planned == changes);
        let raises = changes.budget.is_some();
        let members = self.still_wanted(id, vec![(member, campaign.clone())], same, raises);
        let [(name, _)] = members.as_slice() else {
            return;
        };
        let call = Call::UpdateCampaign {
            advertiser: id.advertiser.clone(),
            tree,
            id: campaign.clone(),
            changes: changes.clone(),
        };
        let ids = [campaign.clone()];
        let Ok(slot) = self.begin(id, call.path(), Begin::Batch) else {
            self.park_again(id, &members, |of| Op::Update {
                tree,
                id: of.to_string(),
                changes: changes.clone(),
            });
            self.lock().spent(id, &ids);
            return;
        };
        let sent = self.send(id, &call).await;
        drop(slot);
        let now = self.clock.now();
        let mut state = self.lock();
        let tick = state.tick();
        match sent {
            Ok(Answer {
                reply: Reply::Updated(row),
                ..
            }) => {
                tracing::info!(campaign = %name, id = %campaign, changes = ?changes, "updated");
                if let Some(account) = state.accounts.get_mut(id) {
                    // Some answers show no row: then what we had counts until it is read back.
                    let known = row.or_else(|| account.table.last_known(&campaign).cloned());
                    if let Some(row) = known {
                        account.table.wrote_row(row, tick, now);
                    }
                }
                let uid = state
                    .stores
                    .campaigns
                    .get(name)
                    .and_then(|o| o.metadata.uid.clone())
                    .unwrap_or_default();
                let memo = state.memo(name, &uid);
                memo.memory.corrections += 1;
                memo.in_sync_since = None;
            }
            Ok(_) => state.doubt(id, &campaign),
            Err(error) => {
                state.learn_refusal(name, Refusable::Update, &error, now);
                // What TikTok calls no change was changed by somebody else: our row is old.
                if matches!(
                    error.class,
                    ErrorClass::Ambiguous
                        | ErrorClass::Gone
                        | ErrorClass::Rejected(Rejection::NothingToUpdate)
                ) {
                    state.doubt(id, &campaign);
                }
            }
        }
        state.spent(id, &ids);
        state.push(&Key::Campaign(name.clone()), Lane::Change, now);
    }

    async fn look_ids(&self, id: &AccountId, tree: Tree, members: Vec<(Name, String)>) {
        let ids: Vec<String> = members.iter().map(|(_, id)| id.clone()).collect();
        let filter = CampaignFilter {
            ids: ids.clone(),
            include_deleted: true,
            all_origins: true,
            ..CampaignFilter::default()
        };
        let op = |of: &str| Op::LookId {
            tree,
            id: of.to_string(),
        };
        let Some((rows, begun)) = self.look(id, tree, filter, 100, &members, op).await else {
            return;
        };
        let now = self.clock.now();
        let mut state = self.lock();
        let settle = state.settings.model.settle;
        let Some(account) = state.accounts.get_mut(id) else {
            return;
        };
        let learned = account.table.looked_up(&ids, rows, begun, now, settle);
        for (name, campaign) in &members {
            let key = Key::Campaign(name.clone());
            if learned.again.contains(campaign) {
                state.wake(&key, Why::Settle, now + settle);
            } else {
                state.push(&key, Lane::Change, now);
            }
        }
        state.push_owners(id, &learned.changed, Lane::Change, now);
    }

    async fn look_created(&self, id: &AccountId, tree: Tree, wanted: String, member: Name) {
        let filter = CampaignFilter {
            name: Some(wanted.clone()),
            include_deleted: true,
            all_origins: true,
            ..CampaignFilter::default()
        };
        let members = [(member.clone(), wanted.clone())];
        let op = |of: &str| Op::LookCreated {
            tree,
            name: of.to_string(),
        };
        let page_size = self.lock().settings.page_size(tree);
        let looked = self.look(id, tree, filter, page_size, &members, op).await;
        let Some((rows, begun)) = looked else {
            return;
        };
        let now = self.clock.now();
        let mut state = self.lock();
        let uid = state
            .stores
            .campaigns
            .get(&member)
            .and_then(|o| o.metadata.uid.clone())
            .unwrap_or_default();
        let found: Vec<CampaignRow> = rows
            .into_iter()
            .filter(|row| {
                row.name == wanted
                    && row.tree == tree
                    && state
                        .stores
                        .holders(&id.advertiser, &row.id)
                        .next()
                        .is_none()
            })
            .collect();
        let memo = state.memo(&member, &uid);
        memo.memory.found = found;
        memo.memory.absence.push(begun.at);
        memo.memory.failures = 0;
        state.push(&Key::Campaign(member), Lane::Change, now);
    }

    /// A complete look-up, all its pages; `None` when it must be asked again (what waits is parked again, or backs off).
    pub(super) async fn look(
        &self,
        id: &AccountId,
        tree: Tree,
        filter: CampaignFilter,
        page_size: u32,
        members: &[(Name, String)],
        op: impl Fn(&str) -> Op,
    ) -> Option<(Vec<CampaignRow>, Begun)> {
        let begun = {
            let now = self.clock.now();
            Begun {
                tick: self.lock().tick(),
                at: now,
            }
        };
        let mut rows: Vec<CampaignRow> = Vec::new();
        let mut page = 1;
        loop {
            let call = Call::ListCampaigns {
                advertiser: id.advertiser.clone(),
                tree,
                filter: filter.clone(),
                page,
                page_size,
            };
            let Ok(slot) = self.begin(id, call.path(), Begin::Batch) else {
                self.park_again(id, members, op);
                return None;
            };
            let sent = self.send(id, &call).await;
            drop(slot);
            match sent {
                Ok(Answer {
                    reply:
                        Reply::Campaigns {
                            rows: more,
                            total_pages,
                            total,
                            ..
                        },
                    ..
                }) => {
                    rows.extend(more);
                    if page >= total_pages {
                        if u64::try_from(rows.len()).ok() == Some(total) {
                            return Some((rows, begun));
                        }
                        // A page was short or the list moved meanwhile: an incomplete answer proves nothing.
                        self.look_failed(members, None);
                        return None;
                    }
                    page += 1;
                }
                Ok(_) => {
                    self.look_failed(members, None);
                    return None;
                }
                Err(error) => {
                    if matches!(error.class, ErrorClass::Throttled(_)) {
                        self.park_again(id, members, op);
                    } else {
                        self.look_failed(members, Some(&error));
                    }
                    return None;
                }
            }
        }
    }

    fn look_failed(&self, members: &[(Name, String)], error: Option<&PlatformError>) {
        let now = self.clock.now();
        let mut state = self.lock();
        for (name, _) in members {
            state.retry(
                name,
                error.map_or_else(
                    || "TikTok's list was incomplete".to_string(),
                    ToString::to_string,
                ),
                now,
            );
        }
    }
}

fn refusable(to: OperationStatus) -> Refusable {
    match to {
        OperationStatus::Enable => Refusable::Enable,
        OperationStatus::Disable => Refusable::Pause,
        OperationStatus::Delete => Refusable::Delete,
    }
}

/// Parks operations again that did not go out.
fn drop_and_park(
    state: &mut State,
    id: &AccountId,
    members: &[(Name, String)],
    op: impl Fn(&str) -> Op,
    now: Timestamp,
) {
    let place = Some(id.clone());
    for (name, campaign) in members {
        state.park(&place, name, op(campaign), now);
    }
}

impl super::account::Account {
    /// Puts an object in line for a create.
    fn wait(&mut self, name: &Name) {
        if !self.waiting.contains(name) {
            self.waiting.push_back(name.clone());
        }
    }
}

impl State {
    /// An answer that says something about the account or its token, not about one object.
    fn learn_account_error(
        &mut self,
        id: &AccountId,
        call: &Call,
        error: &PlatformError,
        now: Timestamp,
    ) {
        match &error.class {
            ErrorClass::Throttled(throttle) => {
                self.budgets
                    .throttled(&id.app, &id.advertiser, call.path(), throttle, now)
            }
            ErrorClass::Auth(_) => {
                let Some(connection) = self.accounts.get(id).map(|a| a.connection.clone()) else {
                    return;
                };
                if let Some(memo) = self.connections.get_mut(&connection) {
                    memo.refused = Some(error.to_string());
                }
                self.push(&Key::Connection(connection), Lane::Safety, now);
            }
            _ => {}
        }
    }

    /// A no, or an error, for one object.
    fn learn_refusal(
        &mut self,
        name: &Name,
        what: Refusable,
        error: &PlatformError,
        now: Timestamp,
    ) {
        let Some(object) = self.stores.campaigns.get(name) else {
            return;
        };
        let uid = object.metadata.uid.clone().unwrap_or_default();
        let generation = object.metadata.generation.unwrap_or_default();
        match &error.class {
            ErrorClass::Rejected(Rejection::DuplicateRequest) if what == Refusable::Create => {
                self.memo(name, &uid).memory.key_used = true
            }
            ErrorClass::Rejected(Rejection::NothingToUpdate) => {}
            ErrorClass::Rejected(rejection) => {
                let refused = Refused {
                    generation,
                    what,
                    reason: reason_of(*rejection),
                    message: error.to_string(),
                    at: now,
                    seen: self.delivery_status(name, &object),
                };
                tracing::warn!(campaign = %name, ?what, %error, "TikTok refused");
                self.memo(name, &uid).memory.refused = Some(refused);
            }
            // A write of unclear outcome is looked for, not repeated: no backoff stands before the look.
            ErrorClass::Ambiguous if what == Refusable::Create => {}
            ErrorClass::Throttled(_) => {}
            _ => self.retry(name, error.to_string(), now),
        }
    }

    /// TikTok's delivery status of an object's row, as last known.
    fn delivery_status(&self, name: &Name, object: &Campaign) -> Option<String> {
        let id = self.own_id(object)?;
        let place = self.place(&Key::Campaign(name.clone()))?;
        let row = self.accounts.get(&place)?.table.last_known(&id)?;
        Some(row.secondary_status.clone())
    }

    /// Again after a growing wait.
    fn retry(&mut self, name: &Name, message: String, now: Timestamp) {
        let uid = self
            .stores
            .campaigns
            .get(name)
            .and_then(|o| o.metadata.uid.clone())
            .unwrap_or_default();
        let limits = self.settings.backoff;
        let memo = self.memo(name, &uid);
        memo.memory.failures += 1;
        let until = now + backoff(limits, memo.memory.failures);
        memo.memory.not_before = Some(until);
        memo.memory.problem = Some(Problem {
            reason: Reason::Retrying,
            message,
        });
        let key = Key::Campaign(name.clone());
        self.wake(&key, Why::Backoff, until);
        self.push(&key, Lane::Background, now);
    }

    fn learn_status(
        &mut self,
        id: &AccountId,
        name: &Name,
        campaign: &str,
        to: OperationStatus,
        tick: u64,
        now: Timestamp,
    ) {
        if let Some(account) = self.accounts.get_mut(id) {
            account.table.wrote_status(campaign, to, tick, now);
        }
        let uid = self
            .stores
            .campaigns
            .get(name)
            .and_then(|o| o.metadata.uid.clone())
            .unwrap_or_default();
        let memo = self.memo(name, &uid);
        memo.memory.failures = 0;
        memo.memory.problem = None;
        if to == OperationStatus::Disable {
            memo.memory.pauses += 1;
        }
    }

    fn doubt(&mut self, id: &AccountId, campaign: &str) {
        if let Some(account) = self.accounts.get_mut(id) {
            account.table.doubt(campaign);
        }
    }

    fn doubt_all(&mut self, id: &AccountId, members: &[(Name, String)], now: Timestamp) {
        for (name, campaign) in members {
            self.doubt(id, campaign);
            self.push(&Key::Campaign(name.clone()), Lane::Change, now);
        }
    }

    /// What a call was about to spend is now in the rows, or not spent.
    fn spent(&mut self, id: &AccountId, ids: &[String]) {
        if let Some(account) = self.accounts.get_mut(id) {
            for campaign in ids {
                account.about_to_spend.remove(campaign);
            }
        }
    }

    /// R9: a name check needs a reading of both trees that was begun after the question. A list answers all questions
    /// at once; few names in a large account are asked for one by one.
    fn ask_names(&mut self, id: &AccountId, names: Vec<String>, now: Timestamp) {
        let Some(account) = self.accounts.get_mut(id) else {
            return;
        };
        let pages = 2 * account.table.len().div_ceil(1000).max(1);
        if names.len() * 2 < pages {
            for name in names {
                if !account.name_looks.contains(&name) {
                    account.name_looks.push_back(name);
                }
            }
        } else {
            account.sweep.ask_both(now);
        }
    }
}

/// TikTok's refusal as a reason of ours.
fn reason_of(rejection: Rejection) -> Reason {
    match rejection {
        Rejection::NameTaken => Reason::NameTaken,
        Rejection::BudgetTooLow => Reason::BudgetTooLow,
        Rejection::UseSmartPlus => Reason::UseSmartPlus,
        Rejection::NotAllowlisted => Reason::NotAllowlisted,
        Rejection::InReview => Reason::InReview,
        Rejection::DuplicateRequest | Rejection::NothingToUpdate | Rejection::Other => {
            Reason::Rejected
        }
    }
}
