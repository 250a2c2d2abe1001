//! Sweeps: the account's lists, read page by page, each page a call of its own with its own budget.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use jiff::Timestamp;

use super::account::AccountId;
use super::calls::{Begin, backoff};
use super::doors::{Clock, Cluster, ObjectName};
use super::due::Why;
use super::outbox::Op;
use super::queue::Lane;
use super::run::Engine;
use super::state::{Key, State};
use crate::model::facts::NameQuestion;
use crate::observe::table::{Begun, List};
use crate::platform::{Answer, Call, Door, ErrorClass, Filter, Reply, Row};

/// Where an account's sweep stands.
#[derive(Debug, Default)]
pub struct SweepState {
    /// The next regular sweep; `None`: at once.
    next: Option<Timestamp>,
    /// Lists that are wanted by name checks.
    wanted: BTreeSet<List>,
    /// When the last sweep for name checks was begun.
    wanted_begun: Option<Timestamp>,
    running: Option<Running>,
    not_before: Option<Timestamp>,
    failures: u32,
}

/// A sweep under way.
#[derive(Debug)]
struct Running {
    lists: VecDeque<List>,
    page: u32,
    rows: Vec<Row>,
    begun: Begun,
    /// A page's call is in flight.
    in_call: bool,
    /// It has all lists of the account, not only some for name checks.
    regular: bool,
    /// The tick of its first list, the oldest.
    first: u64,
    /// The lists of it that somebody waits for; none: it is background work.
    wanted: BTreeSet<List>,
}

/// One page to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    pub list: List,
    pub page: u32,
    pub wanted: bool,
}

impl SweepState {
    /// A sweep as soon as may be.
    pub fn ask(&mut self, now: Timestamp) {
        self.next = Some(now);
    }

    /// Name checks ask for lists that begin after now.
    pub fn ask_lists(&mut self, lists: impl IntoIterator<Item = List>) {
        self.wanted.extend(lists);
    }

    /// Will a sweep of these lists that is wanted, or under way, answer a question that came up at `tick`?
    pub fn answers(&self, lists: &[List], tick: u64) -> bool {
        let asked = |list: &List| self.wanted.contains(list);
        let running = self.running.as_ref().filter(|r| r.first > tick);
        let coming = |list: &List| running.is_some_and(|r| r.wanted.contains(list));
        lists.iter().all(|list| asked(list) || coming(list))
    }

    /// The budget or an error said: not before.
    pub fn not_before(&mut self, until: Timestamp) {
        self.not_before = Some(until);
    }

    /// When there is something to do next, if nothing happens before.
    pub fn next_time(&self, names_every: Duration) -> Option<Timestamp> {
        if let Some(running) = &self.running {
            return if running.in_call {
                None
            } else {
                Some(self.not_before.unwrap_or(Timestamp::MIN))
            };
        }
        let wanted = (!self.wanted.is_empty()).then(|| {
            self.wanted_begun
                .map_or(Timestamp::MIN, |begun| begun + names_every)
        });
        let regular = self.next.unwrap_or(Timestamp::MIN);
        Some(
            wanted
                .map_or(regular, |w| w.min(regular))
                .max(self.not_before.unwrap_or(Timestamp::MIN)),
        )
    }

    fn due(&self, now: Timestamp, names_every: Duration) -> bool {
        self.next_time(names_every).is_some_and(|t| t <= now)
    }
}

impl State {
    /// The next page to read of an account, if one is due.
    pub fn next_page(&mut self, id: &AccountId, now: Timestamp) -> Option<Page> {
        let names_every = self.settings.names_every;
        let account = self.accounts.get(id)?;
        if !account.sweep.due(now, names_every) {
            return None;
        }
        if account.sweep.running.is_none() {
            let connection = account.connection.clone();
            let all = self.lists_of(&connection);
            let tick = self.tick();
            let sweep_every = self.settings.sweep_every;
            let account = self.accounts.get_mut(id)?;
            account.lists.clone_from(&all);
            let for_names = !account.sweep.wanted.is_empty()
                && account
                    .sweep
                    .wanted_begun
                    .is_none_or(|begun| begun + names_every <= now);
            let regular = account.sweep.next.is_none_or(|next| next <= now);
            let mut lists: BTreeSet<List> = BTreeSet::new();
            let mut wanted = BTreeSet::new();
            if for_names {
                wanted = std::mem::take(&mut account.sweep.wanted);
                lists.extend(&wanted);
                account.sweep.wanted_begun = Some(now);
            }
            if regular {
                lists.extend(all);
            }
            if lists.is_empty() {
                // No object yet: nothing to read until one comes.
                account.sweep.next = Some(now + sweep_every);
                return None;
            }
            account.sweep.running = Some(Running {
                regular,
                lists: lists.into_iter().collect(),
                page: 1,
                rows: Vec::new(),
                begun: Begun { tick, at: now },
                in_call: false,
                first: tick,
                wanted,
            });
        }
        let account = self.accounts.get_mut(id)?;
        let running = account.sweep.running.as_ref().filter(|r| !r.in_call)?;
        Some(Page {
            list: *running.lists.front()?,
            page: running.page,
            wanted: !running.wanted.is_empty(),
        })
    }

    /// The page's call begins, or did not.
    pub(super) fn page_in_call(&mut self, id: &AccountId, in_call: bool) {
        if let Some(running) = self
            .accounts
            .get_mut(id)
            .and_then(|a| a.sweep.running.as_mut())
        {
            running.in_call = in_call;
        }
    }

    /// The whole list has been read, or the sweep failed and begins anew later.
    pub(super) fn sweep_failed(&mut self, id: &AccountId, now: Timestamp) {
        let (limits, sweep_every) = (self.settings.backoff, self.settings.sweep_every);
        let Some(account) = self.accounts.get_mut(id) else {
            return;
        };
        let sweep = &mut account.sweep;
        if let Some(running) = sweep.running.take() {
            sweep.wanted_begun = sweep.wanted_begun.filter(|_| running.wanted.is_empty());
            sweep.wanted.extend(running.wanted);
        }
        sweep.failures += 1;
        sweep.not_before = Some(now + backoff(limits, sweep.failures).min(sweep_every));
        sweep.next = Some(now);
    }
}

impl<C: Cluster, P: Door, K: Clock> Engine<C, P, K> {
    /// Reads one page.
    pub(super) async fn sweep_page(&self, id: &AccountId, page: Page) {
        let (kind, tree) = page.list;
        let page_size = self.lock().settings.page_size(tree);
        let call = Call::List {
            advertiser: id.advertiser.clone(),
            kind,
            tree,
            filter: Filter {
                all_origins: true,
                ..Filter::default()
            },
            page: page.page,
            page_size,
        };
        let begin = if page.wanted {
            Begin::Batch
        } else {
            Begin::Sweep
        };
        let Ok(slot) = self.begin(id, call.path(), begin) else {
            let now = self.clock.now();
            let mut state = self.lock();
            state.page_in_call(id, false);
            if let Some(account) = state.accounts.get_mut(id) {
                let until = account
                    .blocked_until
                    .filter(|u| *u > now)
                    .unwrap_or(now + Duration::from_millis(100));
                if account.sweep.not_before.is_none_or(|t| t <= now) {
                    account.sweep.not_before = Some(until);
                }
            }
            return;
        };
        if page.page == 1 {
            // The tick of the list is that of its first page's sending.
            let now = self.clock.now();
            let mut state = self.lock();
            let tick = state.tick();
            if let Some(running) = state
                .accounts
                .get_mut(id)
                .and_then(|a| a.sweep.running.as_mut())
            {
                running.begun = Begun { tick, at: now };
            }
        }
        let sent = self.send(id, &call).await;
        drop(slot);
        let now = self.clock.now();
        let mut state = self.lock();
        state.page_in_call(id, false);
        match sent {
            Ok(Answer {
                reply:
                    Reply::Rows {
                        rows,
                        total_pages,
                        total,
                        ..
                    },
                ..
            }) => {
                state.learn_page(id, page, rows, total_pages, total, now);
            }
            Ok(_) => state.sweep_failed(id, now),
            Err(error) => {
                if !matches!(error.class, ErrorClass::Throttled(_)) {
                    // What it would have shown may be on (R20): nothing is switched on before the next complete list.
                    if let Some(account) = state.accounts.get_mut(id) {
                        account.table.incomplete(page.list);
                    }
                    state.sweep_failed(id, now);
                } else if let Some(account) = state.accounts.get_mut(id) {
                    account.sweep.not_before = Some(now + Duration::from_secs(1));
                }
            }
        }
    }

    /// Looks one name up wherever it may be taken (R9).
    pub(super) async fn look_name(&self, id: &AccountId, question: NameQuestion) {
        let mut first: Option<Begun> = None;
        let mut found = Vec::new();
        for (kind, tree) in super::account::lists_for(&question) {
            let filter = Filter {
                name: Some(question.name.clone()),
                parents: question.parent.iter().cloned().collect(),
                all_origins: true,
                ..Filter::default()
            };
            let op = |_: &str| Op::LookName(question.clone());
            let page_size = self.lock().settings.page_size(tree);
            let looked = self
                .look(id, (kind, tree), filter, page_size, &[], op)
                .await;
            let Some((rows, begun)) = looked else {
                let now = self.clock.now();
                let mut state = self.lock();
                if let Some(account) = state.accounts.get_mut(id) {
                    account.name_looks.push_back(question.clone());
                    account.blocked_until = account
                        .blocked_until
                        .max(Some(now + Duration::from_secs(1)));
                }
                return;
            };
            first.get_or_insert(begun);
            found.push((
                begun,
                rows.into_iter()
                    .filter(|r| r.tree == tree)
                    .collect::<Vec<_>>(),
            ));
        }
        let now = self.clock.now();
        let mut state = self.lock();
        let settle = state.settings.model.settle;
        if let (Some(account), Some(begun)) = (state.accounts.get_mut(id), first) {
            for (begun, rows) in found {
                let ids: Vec<String> = rows.iter().map(|r| r.id.clone()).collect();
                account
                    .table
                    .looked_up(question.kind, &ids, rows, begun, now, settle);
            }
            account.exact_names.insert(question.clone(), begun);
        }
        state.push_asking(id, now);
    }
}

impl State {
    fn learn_page(
        &mut self,
        id: &AccountId,
        page: Page,
        rows: Vec<Row>,
        total_pages: u32,
        total: u64,
        now: Timestamp,
    ) {
        let (settle, every) = (self.settings.model.settle, self.settings.sweep_every);
        let Some(account) = self.accounts.get_mut(id) else {
            return;
        };
        let Some(running) = account.sweep.running.as_mut() else {
            return;
        };
        running.rows.extend(rows);
        if page.page < total_pages {
            running.page += 1;
            return;
        }
        if u64::try_from(running.rows.len()).ok() != Some(total) {
            // The list moved under the sweep, or a page was short: an incomplete list proves nothing, and what it hides
            // may be on (R20): until the next complete one, the one before does not count either.
            account.table.incomplete(page.list);
            self.sweep_failed(id, now);
            return;
        }
        let rows = std::mem::take(&mut running.rows);
        let begun = running.begun;
        running.lists.pop_front();
        running.page = 1;
        let finished = running.lists.is_empty();
        let regular = running.regular;
        let learned = account.table.swept(page.list, rows, begun, now, settle);
        if finished {
            account.sweep.running = None;
            account.sweep.failures = 0;
            let fresh = super::state::to_signed(self.settings.names_fresh);
            account
                .exact_names
                .retain(|_, read| now.duration_since(read.at) <= fresh);
            if regular {
                account.sweep.next = Some(now + every);
            }
            let connection = account.connection.clone();
            self.push_asking(id, now);
            self.push(&Key::Connection(connection), Lane::Background, now);
        }
        for (kind, platform_id) in &learned.again {
            let owners: Vec<ObjectName> = self
                .stores
                .holders(&id.advertiser, *kind, platform_id)
                .cloned()
                .collect();
            for owner in owners {
                self.wake(&Key::Object(owner), Why::Settle, now + settle);
            }
        }
        self.push_owners(id, &learned.changed, Lane::Change, now);
        self.push_claimants(id, now);
    }

    /// Objects whose question for a name may be answered now.
    fn push_asking(&mut self, id: &AccountId, now: Timestamp) {
        let asking: Vec<ObjectName> = self
            .memos
            .iter()
            .filter(|(_, m)| m.asked.is_some())
            .map(|(n, _)| n.clone())
            .collect();
        for name in asking {
            let key = Key::Object(name);
            if self.place(&key).as_ref() == Some(id) {
                self.push(&key, Lane::Change, now);
            }
        }
    }

    /// Objects without a record of their own that wait for a row, and objects that wait for a complete list (R20).
    fn push_claimants(&mut self, id: &AccountId, now: Timestamp) {
        let waiting: Vec<ObjectName> = self
            .stores
            .iter()
            .filter(|(_, o)| {
                o.status.as_ref().is_some_and(|s| {
                    s.conditions
                        .iter()
                        .any(|c| c.type_ == "Held" && c.reason.starts_with("Ceiling"))
                }) || (o.life().external_id.is_some() && self.stores.record(o).own().is_none())
            })
            .map(|(n, _)| n)
            .collect();
        for name in waiting {
            let key = Key::Object(name);
            if self.place(&key).as_ref() == Some(id) {
                self.push(&key, Lane::Background, now);
            }
        }
    }
}
