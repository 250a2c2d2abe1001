//! What the platform is asked: look-ups by id, by name and for unclear creates.

use super::super::account::AccountId;
use super::super::doors::{Clock, Cluster};
use super::super::due::Why;
use super::super::outbox::{Member, Op};
use super::super::queue::Lane;
use super::super::run::Engine;
use super::super::state::{Key, State};
use super::Begin;
use crate::observe::table::Begun;
use crate::platform::{
    Answer, Call, Door, ErrorClass, Filter, Kind, PlatformError, Reply, Row, Tree,
};
use jiff::Timestamp;

impl<C: Cluster, P: Door, K: Clock> Engine<C, P, K> {
    pub(in crate::engine) async fn look_ids(
        &self,
        id: &AccountId,
        (kind, tree): (Kind, Tree),
        members: Vec<Member>,
    ) {
        let ids: Vec<String> = members.iter().map(|(_, id)| id.clone()).collect();
        let filter = Filter {
            ids: ids.clone(),
            include_deleted: true,
            all_origins: true,
            ..Filter::default()
        };
        let op = |of: &str| Op::LookId {
            tree,
            id: of.to_string(),
        };
        let looked = self.look(id, (kind, tree), filter, 100, &members, op).await;
        let Some((rows, begun)) = looked else {
            return;
        };
        let now = self.clock.now();
        let mut state = self.lock();
        let settle = state.settings.model.settle;
        let Some(account) = state.accounts.get_mut(id) else {
            return;
        };
        let learned = account
            .table
            .looked_up(kind, &ids, rows, begun, now, settle);
        for (name, platform_id) in &members {
            let key = Key::Object(name.clone());
            if learned.again.contains(&(kind, platform_id.clone())) {
                state.wake(&key, Why::Settle, now + settle);
            } else {
                let lane = state.lane_of(id, name, now);
                state.push(&key, lane, now);
            }
        }
        state.push_owners(id, &learned.changed, Lane::Change, now);
        if !learned.changed.is_empty() {
            state.hear_soon(id, now);
        }
    }

    /// Looks for what unclear creates made: by name, under one parent. Several ads share a list of all that their ad
    /// group holds.
    pub(in crate::engine) async fn look_created(
        &self,
        id: &AccountId,
        (kind, tree): (Kind, Tree),
        parent: Option<String>,
        members: Vec<Member>,
    ) {
        let filter = Filter {
            name: match members.as_slice() {
                [(_, one)] => Some(one.clone()),
                _ => None,
            },
            parents: parent.iter().cloned().collect(),
            include_deleted: true,
            all_origins: true,
            ..Filter::default()
        };
        let op = |of: &str| Op::LookCreated {
            tree,
            parent: parent.clone(),
            name: of.to_string(),
        };
        let page_size = self.lock().settings.page_size(tree);
        let looked = self
            .look(id, (kind, tree), filter, page_size, &members, op)
            .await;
        let Some((rows, begun)) = looked else {
            return;
        };
        let now = self.clock.now();
        let mut state = self.lock();
        for (member, wanted) in &members {
            let uid = state.stores.uid(member);
            let found: Vec<Row> = rows
                .iter()
                .filter(|row| row.name == *wanted && row.tree == tree)
                .filter(|row| row.parent() == parent.as_deref())
                .filter(|row| {
                    let mut held = state.stores.holders(&id.advertiser, kind, &row.id);
                    held.next().is_none()
                })
                .cloned()
                .collect();
            let memo = state.memo(member, &uid);
            memo.memory.found = found;
            memo.memory.absence.push(begun.at);
            memo.memory.failures = 0;
            state.push(&Key::Object(member.clone()), Lane::Change, now);
        }
    }

    /// Reads what the review says of ads.
    pub(in crate::engine) async fn look_reviews(
        &self,
        id: &AccountId,
        tree: Tree,
        members: Vec<Member>,
    ) {
        let ids: Vec<String> = members.iter().map(|(_, id)| id.clone()).collect();
        let call = Call::Reviews {
            advertiser: id.advertiser.clone(),
            tree,
            ids: ids.clone(),
        };
        let op = |of: &str| Op::LookReview {
            tree,
            id: of.to_string(),
        };
        let Ok(slot) = self.begin(id, call.path(), Begin::Batch) else {
            self.park_again(id, &members, op);
            return;
        };
        let before = self
            .lock()
            .accounts
            .get(id)
            .map(|a| a.table.signatures(&ids));
        let sent = self.send(id, &call).await;
        drop(slot);
        let reviews = match sent {
            Ok(Answer {
                reply: Reply::Reviews(reviews),
                ..
            }) => reviews,
            Ok(_) => Vec::new(),
            Err(error) if matches!(error.class, ErrorClass::Throttled(_)) => {
                self.park_again(id, &members, op);
                return;
            }
            Err(error) => {
                self.look_failed(&members, Some(&error));
                return;
            }
        };
        let now = self.clock.now();
        let mut state = self.lock();
        if let (Some(account), Some(before)) = (state.accounts.get_mut(id), before) {
            account.table.reviewed(&ids, reviews, &before, now);
        }
        for (name, _) in &members {
            let lane = state.lane_of(id, name, now);
            state.push(&Key::Object(name.clone()), lane, now);
        }
    }

    /// A complete look-up, all its pages; `None` when it must be asked again (what waits is parked again, or backs off).
    pub(in crate::engine) async fn look(
        &self,
        id: &AccountId,
        (kind, tree): (Kind, Tree),
        filter: Filter,
        page_size: u32,
        members: &[Member],
        op: impl Fn(&str) -> Op,
    ) -> Option<(Vec<Row>, Begun)> {
        let begun = {
            let now = self.clock.now();
            Begun {
                tick: self.lock().tick(),
                at: now,
            }
        };
        let mut rows: Vec<Row> = Vec::new();
        let mut page = 1;
        loop {
            let call = Call::List {
                advertiser: id.advertiser.clone(),
                kind,
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
                        Reply::Rows {
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

    pub(in crate::engine) fn look_failed(&self, members: &[Member], error: Option<&PlatformError>) {
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
        members: &[Member],
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
    members: &[Member],
    op: impl Fn(&str) -> Op,
    now: Timestamp,
) {
    let place = Some(id.clone());
    for (name, platform_id) in members {
        state.park(&place, name, op(platform_id), now);
    }
}
