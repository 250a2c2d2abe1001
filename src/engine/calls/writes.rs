//! What the platform is told: status calls for many objects, updates for one.

use super::super::account::AccountId;
use super::super::doors::{Clock, Cluster, Name, Note};
use super::super::outbox::{Batch, Op};
use super::super::queue::Lane;
use super::super::run::Engine;
use super::super::state::Key;
use super::looks::drop_and_park;
use super::{Begin, backoff};
use crate::model::ceiling::{per_day, row_per_day};
use crate::model::facts::Refusable;
use crate::model::plan::Action;
use crate::platform::Door;
use crate::platform::{Answer, Reply};
use crate::platform::{Call, OperationStatus, Tree};
use crate::platform::{ErrorClass, PlatformError, Rejection};
use std::time::Duration;

impl<C: Cluster, P: Door, K: Clock> Engine<C, P, K> {
    /// Sends what waited together.
    pub(in crate::engine) async fn batch(&self, id: &AccountId, batch: Batch) {
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
                state.ask_names(id, names);
            }
        }
    }

    /// Checked last: only what the newest plan still wants goes out, and never more than the ceilings allow together.
    pub(in crate::engine) fn still_wanted(
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

    pub(in crate::engine) async fn set_status(
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
    pub(in crate::engine) fn learn_statuses(
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

    pub(in crate::engine) async fn update(
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
}

fn refusable(to: OperationStatus) -> Refusable {
    match to {
        OperationStatus::Enable => Refusable::Enable,
        OperationStatus::Disable => Refusable::Pause,
        OperationStatus::Delete => Refusable::Delete,
    }
}
