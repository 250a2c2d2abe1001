//! What the platform is asked: look-ups by id, by name and for unclear creates.

use super::super::account::AccountId;
use super::super::doors::{Clock, Cluster, Name};
use super::super::due::Why;
use super::super::outbox::Op;
use super::super::queue::Lane;
use super::super::run::Engine;
use super::super::state::{Key, State};
use super::Begin;
use crate::observe::table::Begun;
use crate::platform::Door;
use crate::platform::{Answer, CampaignRow, Reply};
use crate::platform::{Call, CampaignFilter, Tree};
use crate::platform::{ErrorClass, PlatformError};
use jiff::Timestamp;

impl<C: Cluster, P: Door, K: Clock> Engine<C, P, K> {
    pub(in crate::engine) async fn look_ids(
        &self,
        id: &AccountId,
        tree: Tree,
        members: Vec<(Name, String)>,
    ) {
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

    pub(in crate::engine) async fn look_created(
        &self,
        id: &AccountId,
        tree: Tree,
        wanted: String,
        member: Name,
    ) {
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
    pub(in crate::engine) async fn look(
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

    pub(in crate::engine) fn look_failed(
        &self,
        members: &[(Name, String)],
        error: Option<&PlatformError>,
    ) {
        let now = self.clock.now();
        let mut state = self.lock();
        for (name, _) in members {
            state.retry(
                name,
                error.map_or_else(
                    || "TikTok's list was incomplete".to_string(),
                    PlatformError::lasting,
                ),
                now,
            );
        }
    }

    pub(in crate::engine) fn park_again(
        &self,
        id: &AccountId,
        members: &[(Name, String)],
        op: impl Fn(&str) -> Op,
    ) {
        let now = self.clock.now();
        drop_and_park(&mut self.lock(), id, members, op, now);
    }
}

/// Parks operations again that did not go out.
pub(super) fn drop_and_park(
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
