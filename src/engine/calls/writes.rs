//! What the platform is told: status calls for many objects, updates for one.

use super::super::account::AccountId;
use super::super::doors::{Clock, Cluster, ObjectName};
use super::super::outbox::{Batch, Member, Op, StatusOf};
use super::super::queue::Lane;
use super::super::run::Engine;
use super::super::state::{Expect, Key, State};
use super::looks::drop_and_park;
use super::{Begin, backoff};
use crate::model::ad_group::SHARED_SMART_PLUS;
use crate::model::ceiling::{Candidate, per_day, row_per_day};
use crate::model::facts::Refusable;
use crate::model::plan::Action;
use crate::model::tell::Tell;
use crate::observe::table::RowId;
use crate::platform::{
    Answer, Call, Changes, Door, ErrorClass, Kind, OperationStatus, PlatformError, Rejection,
    Reply, Tree,
};
use std::collections::BTreeMap;
use std::time::Duration;

impl<C: Cluster, P: Door, K: Clock> Engine<C, P, K> {
    /// Sends what waited together.
    pub(in crate::engine) async fn batch(&self, id: &AccountId, batch: Batch) {
        match batch {
            Batch::Status { of, members, part } => self.set_status(id, of, members, part).await,
            Batch::Create {
                kind,
                tree,
                parent,
                members,
            } => {
                self.create_together(id, (kind, tree), parent, members)
                    .await
            }
            Batch::Update {
                tree,
                id: platform_id,
                changes,
                member,
            } => self.update(id, tree, platform_id, *changes, member).await,
            Batch::Creatives {
                ad,
                creatives,
                to,
                member,
            } => self.switch_creatives(id, ad, creatives, to, member).await,
            Batch::Appeal { wish, member } => self.appeal(id, wish, member).await,
            Batch::LookIds {
                kind,
                tree,
                members,
            } => self.look_ids(id, (kind, tree), members).await,
            Batch::LookCreated {
                kind,
                tree,
                parent,
                members,
            } => self.look_created(id, (kind, tree), parent, members).await,
            Batch::Reviews { tree, members } => self.look_reviews(id, tree, members).await,
            Batch::Names { questions } => {
                let mut state = self.lock();
                state.ask_names(id, questions);
            }
        }
    }

    /// Checked last: only what the newest plan still wants goes out, and never more than the ceilings allow together. With
    /// each comes what is said of it once it is done.
    pub(in crate::engine) fn still_wanted(
        &self,
        id: &AccountId,
        members: Vec<Member>,
        wanted: impl Fn(&Action, &str) -> bool,
        spends: bool,
    ) -> (Vec<Member>, Vec<Option<Tell>>) {
        let now = self.clock.now();
        let mut state = self.lock();
        let mut keep = Vec::new();
        let mut tells = Vec::new();
        for (name, platform_id) in members {
            let key = Key::Object(name.clone());
            let Some(object) = state.stores.get(&name) else {
                continue;
            };
            let plan = state.plan(&name, &object, now);
            if !wanted(&plan.action, &platform_id) {
                state.push(&key, Lane::Change, now);
                continue;
            }
            if spends && let Some(row) = plan.verdict.row.as_ref() {
                let raised = match &plan.action {
                    Action::Update { changes, .. } => {
                        per_day(row.budget_mode.as_deref(), changes.budget)
                    }
                    _ => row_per_day(row, None),
                };
                if let Some(account) = state.accounts.get_mut(id) {
                    account
                        .about_to_spend
                        .insert((name.kind, platform_id.clone()), Candidate::of(row, raised));
                }
            }
            keep.push((name, platform_id));
            tells.push(plan.tell);
        }
        (keep, tells)
    }

    pub(in crate::engine) async fn set_status(
        &self,
        id: &AccountId,
        of: StatusOf,
        members: Vec<Member>,
        part: bool,
    ) {
        let enable = of.to == OperationStatus::Enable;
        let same = |action: &Action, platform_id: &str| matches!(action, Action::SetStatus(wish) if wish.id == platform_id && wish.to == of.to);
        let (members, tells) = self.still_wanted(id, members, same, enable);
        if members.is_empty() {
            return;
        }
        let call = Call::SetStatus {
            advertiser: id.advertiser.clone(),
            kind: of.kind,
            tree: of.tree,
            ids: members.iter().map(|(_, id)| id.clone()).collect(),
            status: of.to,
            postback_window_mode: of.postback.map(str::to_owned),
            automated_creative: of.automated_creative,
        };
        let begin = if of.to == OperationStatus::Disable {
            Begin::Pause
        } else {
            Begin::Batch
        };
        let Ok(slot) = self.begin(id, call.path(), begin) else {
            if !part {
                self.park_again(id, &members, |one| Op::SetStatus(of.wish(one)));
            }
            let mut state = self.lock();
            state.spent(id, &members);
            // With others it would be halved all over again.
            if part && let Some(account) = state.accounts.get_mut(id) {
                account.outbox.put_back(of, members);
            }
            return;
        };
        let sent = self.send(id, &call).await;
        drop(slot);
        let tells = members.iter().zip(tells);
        let tells = tells.filter_map(|((name, _), tell)| Some((name.clone(), tell?)));
        self.learn_statuses(id, &call, of, &members, sent, tells.collect());
    }

    /// What the answer to a status call taught, per id; `tells`: what is said of each that was done.
    fn learn_statuses(
        &self,
        id: &AccountId,
        call: &Call,
        of: StatusOf,
        members: &[Member],
        sent: Result<Answer, PlatformError>,
        mut tells: BTreeMap<ObjectName, Tell>,
    ) {
        let to = of.to;
        let op = |one: &str| Op::SetStatus(of.wish(one));
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
                for (name, platform_id) in members {
                    let row = (name.kind, platform_id.clone());
                    if done.contains(platform_id) {
                        // Asked for twice, it was done once.
                        let again = state.is_so(id, &row, to);
                        let tell = tells.remove(name).filter(|_| !again);
                        state.learn_status(id, name, platform_id, to, tick, now);
                        tracing::info!(kind = %name.kind, object = %name, id = %platform_id, to = ?to, "status set");
                        state.tell_status(name, platform_id, to, tell);
                    } else if let Some(no) = refused.iter().find(|r| r.id == *platform_id) {
                        let error = PlatformError {
                            class: no.class(),
                            code: None,
                            message: no.message.clone(),
                            request_id: request_id.clone(),
                            call: call.name(),
                            field: None,
                        };
                        state.learn_refusal(name, refusable(to), &error, now);
                        state.doubt(id, &row);
                    } else {
                        state.doubt(id, &row);
                    }
                    state.push(&Key::Object(name.clone()), Lane::Change, now);
                    // What is in it reads whether it is on.
                    state.push_inside(name, Lane::Background, now);
                }
            }
            Ok(_) => state.doubt_all(id, members, now),
            Err(error) => {
                let single = members.len() == 1;
                match &error.class {
                    // R5: one bad id never holds the others.
                    ErrorClass::Rejected(_) | ErrorClass::Gone if !single => {
                        if let Some(account) = state.accounts.get_mut(id) {
                            account.outbox.split(of, members);
                        }
                    }
                    ErrorClass::Rejected(_) | ErrorClass::Gone => {
                        for (name, platform_id) in members {
                            state.learn_refusal(name, refusable(to), &error, now);
                            state.doubt(id, &(name.kind, platform_id.clone()));
                            state.push(&Key::Object(name.clone()), Lane::Change, now);
                        }
                    }
                    ErrorClass::Throttled(_) => drop_and_park(&mut state, id, members, op, now),
                    ErrorClass::Ambiguous if to == OperationStatus::Disable => {
                        drop_and_park(&mut state, id, members, op, now)
                    }
                    ErrorClass::Ambiguous => {
                        // A deletion that cannot be done now must not come before everything else again and again.
                        if to == OperationStatus::Delete {
                            for (name, _) in members {
                                state.retry(name, error.lasting(), now);
                            }
                        }
                        let expect = Expect::Is(to.into());
                        for (name, tell) in tells {
                            state.unsure(&name, expect, tell);
                        }
                        state.doubt_all(id, members, now)
                    }
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
        state.spent(id, members);
    }

    pub(in crate::engine) async fn update(
        &self,
        id: &AccountId,
        tree: Tree,
        platform_id: String,
        changes: Changes,
        member: ObjectName,
    ) {
        let same = |action: &Action, of: &str| matches!(action, Action::Update { id, changes: planned, .. } if id == of && **planned == changes);
        let raises = changes.budget.is_some();
        let kind = member.kind;
        let (members, tells) =
            self.still_wanted(id, vec![(member, platform_id.clone())], same, raises);
        let tell = tells.into_iter().next().flatten();
        let [(name, _)] = members.as_slice() else {
            return;
        };
        let call = Call::Update {
            advertiser: id.advertiser.clone(),
            kind,
            tree,
            id: platform_id.clone(),
            changes: changes.clone(),
        };
        let Ok(slot) = self.begin(id, call.path(), Begin::Batch) else {
            self.park_again(id, &members, |of| Op::Update {
                tree,
                id: of.to_string(),
                changes: Box::new(changes.clone()),
            });
            self.lock().spent(id, &members);
            return;
        };
        let sent = self.send(id, &call).await;
        drop(slot);
        let now = self.clock.now();
        let row_id = (kind, platform_id.clone());
        let mut state = self.lock();
        let tick = state.tick();
        match sent {
            Ok(Answer {
                reply: Reply::Updated(row),
                ..
            }) => {
                tracing::info!(kind = %kind, object = %name, id = %platform_id, name = ?changes.name, budget = ?changes.budget, fields = ?changes.fields, "updated");
                let mut before = None;
                let mut siblings = Vec::new();
                if let Some(account) = state.accounts.get_mut(id) {
                    before = account.table.last_known(&row_id).cloned();
                    // Some answers show no row, or not all of it: then what we had counts until it is read back.
                    let known = match (row, &before) {
                        (Some(mut row), Some(before)) => {
                            for (field, value) in &before.fields {
                                row.fields.entry(field).or_insert_with(|| value.clone());
                            }
                            Some(row.within(before))
                        }
                        (row, before) => row.or_else(|| before.clone()),
                    };
                    if let Some(row) = known {
                        // R17: TikTok gives all ad groups of the campaign the same.
                        if kind == Kind::AdGroup
                            && tree == Tree::SmartPlus
                            && changes.names().any(|n| SHARED_SMART_PLUS.contains(&n))
                        {
                            siblings = account.table.doubt_siblings(&row);
                        }
                        account.table.wrote_row(row, tick, now);
                    }
                }
                state.push_owners(id, &siblings, Lane::Change, now);
                let uid = state.stores.uid(name);
                if let Some(tell) = tell {
                    state.tell(name, &uid, tell);
                }
                let memo = state.memo(name, &uid);
                memo.memory.corrections += 1;
                memo.memory.side_effects.clear();
                memo.written = before.map(|row| (Box::new(row), Box::new(changes)));
                memo.in_sync_since = None;
                // What TikTok refused because of what it is in may be right in what that is now.
                let inside = state.inside(name);
                state.ask_again(inside);
                state.push_inside(name, Lane::Background, now);
            }
            Ok(_) => state.doubt(id, &row_id),
            Err(error) => {
                if let (ErrorClass::Ambiguous, Some(tell), Some(to)) =
                    (&error.class, tell, changes.budget)
                {
                    state.unsure(name, Expect::Budget(to), tell);
                }
                state.learn_refusal(name, Refusable::Update, &error, now);
                // What TikTok calls no change was changed by somebody else: our row is old.
                if matches!(
                    error.class,
                    ErrorClass::Ambiguous
                        | ErrorClass::Gone
                        | ErrorClass::Rejected(Rejection::NothingToUpdate)
                ) {
                    state.doubt(id, &row_id);
                }
            }
        }
        state.spent(id, &members);
        state.push(&Key::Object(name.clone()), Lane::Change, now);
        state.push_sharing(name, Lane::Background, now);
    }

    /// Switches single creatives of a Smart+ ad; the ad is read afterwards.
    async fn switch_creatives(
        &self,
        id: &AccountId,
        ad: String,
        creatives: Vec<String>,
        to: OperationStatus,
        member: ObjectName,
    ) {
        let same = |action: &Action, _: &str| matches!(action, Action::SetCreatives { creatives: planned, to: planned_to, .. } if *planned == creatives && *planned_to == to);
        let (members, _) = self.still_wanted(id, vec![(member, ad.clone())], same, false);
        let [(name, _)] = members.as_slice() else {
            return;
        };
        let call = Call::SetCreativeStatus {
            advertiser: id.advertiser.clone(),
            ad: ad.clone(),
            creatives: creatives.clone(),
            status: to,
        };
        let Ok(slot) = self.begin(id, call.path(), Begin::Batch) else {
            self.park_again(id, &members, |ad| Op::SetCreatives {
                ad: ad.to_string(),
                creatives: creatives.clone(),
                to,
            });
            return;
        };
        let sent = self.send(id, &call).await;
        drop(slot);
        let now = self.clock.now();
        let mut state = self.lock();
        match sent {
            Ok(_) => {
                tracing::info!(kind = %name.kind, object = %name, id = %ad, creatives = creatives.len(), to = ?to, "creatives switched");
            }
            Err(error) => state.learn_refusal(name, Refusable::Update, &error, now),
        }
        state.doubt(id, &(name.kind, ad));
        state.push(&Key::Object(name.clone()), Lane::Change, now);
    }
}

impl State {
    /// Says that a status call was done, and whether it had to be done again and again.
    fn tell_status(
        &mut self,
        name: &ObjectName,
        platform_id: &str,
        to: OperationStatus,
        tell: Option<Tell>,
    ) {
        let uid = self.stores.uid(name);
        if let Some(tell) = tell {
            self.tell(name, &uid, tell);
        }
        let memo = self.memo(name, &uid);
        memo.unsure = None;
        let pauses = memo.memory.pauses;
        if to == OperationStatus::Disable && pauses >= 3 {
            let message = format!(
                "{} {platform_id} was switched off {pauses} times; somebody or an automated rule keeps switching it on",
                name.kind.noun()
            );
            self.tell(name, &uid, Tell::warning("SwitchedOnOutside", message));
        }
    }

    /// Is the row, as far as is known, as a status call would make it?
    fn is_so(&self, id: &AccountId, row: &RowId, to: OperationStatus) -> bool {
        let account = self.accounts.get(id);
        let known = account.and_then(|a| a.table.last_known(row));
        known.is_some_and(|row| row.operation == to.into())
    }

    /// A write had no clear answer: it is told when a look shows that it was done.
    fn unsure(&mut self, name: &ObjectName, expect: Expect, tell: Tell) {
        let uid = self.stores.uid(name);
        self.memo(name, &uid).unsure = Some((expect, tell));
    }
}

fn refusable(to: OperationStatus) -> Refusable {
    match to {
        OperationStatus::Enable => Refusable::Enable,
        OperationStatus::Disable => Refusable::Pause,
        OperationStatus::Delete => Refusable::Delete,
    }
}
