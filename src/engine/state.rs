//! Everything the engine knows, behind one lock that is never held while waiting.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use super::account::{Account, AccountId, Lines};
use super::connection_facts::ConnectionMemo;
use super::doors::Name;
use super::due::Why;
use super::queue::Lane;
use super::settings::Settings;
use super::stores::{Stores, connection_name};
use crate::api::FINALIZER;
use crate::model::facts::{ConnectionView, Memory};
use crate::platform::Budgets;

/// One thing to plan.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Key {
    Campaign(Name),
    Connection(Name),
}

/// Whose queue a key is in: an account's, or the home queue (no account yet; connections).
pub type Place = Option<AccountId>;

/// What this process remembers of one campaign, beside the model's memory.
#[derive(Clone, Debug, Default)]
pub struct Memo {
    /// The object it is about; a namesake with another uid starts anew.
    pub uid: String,
    pub memory: Memory,
    /// Key and attempt that `memory.attempt` speaks of.
    pub attempt_of: Option<(String, u32)>,
    /// R9: the name in question and when the question came up.
    pub asked: Option<Asked>,
    /// The highest sequence number of the record seen.
    pub seq: u64,
    /// Generation that corrections and refusals are counted for.
    pub generation: i64,
    /// Since when the platform has been as wanted, without interruption.
    pub in_sync_since: Option<Timestamp>,
    /// It was said, once, that another install manages it.
    pub said_elsewhere: bool,
}

/// A question for a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    pub name: String,
    pub tick: u64,
}

/// Corrections are counted anew after this long in sync.
pub(super) const HELD: SignedDuration = SignedDuration::from_secs(600);

/// Everything the engine knows.
pub struct State {
    pub settings: Settings,
    pub stores: Stores,
    pub views: BTreeMap<Name, ConnectionView>,
    pub accounts: BTreeMap<AccountId, Account>,
    pub home: Lines,
    pub memos: BTreeMap<Name, Memo>,
    pub connections: BTreeMap<Name, ConnectionMemo>,
    pub budgets: Budgets,
    /// Keys in their turn, and in which queue.
    pub turns: BTreeMap<Key, Place>,
    /// R32: advertiser and id of campaigns whose object went without having let go, by connection.
    pub orphans: BTreeMap<Name, BTreeSet<(String, String)>>,
    /// Namespaces where our rights must outlive our objects, and whether the API server knows.
    pub kept: BTreeMap<String, bool>,
    /// The platform's clock minus ours.
    pub skew: SignedDuration,
    tick: u64,
    pub next_resync: Option<Timestamp>,
}

impl State {
    /// Nothing known yet.
    pub fn new(settings: Settings) -> Self {
        Self {
            stores: Stores::new(&settings.install),
            budgets: Budgets::new(settings.tier, crate::platform::BudgetSettings::default()),
            settings,
            views: BTreeMap::new(),
            accounts: BTreeMap::new(),
            home: Lines::default(),
            memos: BTreeMap::new(),
            connections: BTreeMap::new(),
            turns: BTreeMap::new(),
            orphans: BTreeMap::new(),
            kept: BTreeMap::new(),
            skew: SignedDuration::ZERO,
            tick: 0,
            next_resync: None,
        }
    }

    /// The next tick.
    pub fn tick(&mut self) -> u64 {
        self.tick += 1;
        self.tick
    }

    /// The queue a key belongs to now.
    pub fn place(&self, key: &Key) -> Place {
        let Key::Campaign(name) = key else {
            return None;
        };
        let object = self.stores.campaigns.get(name)?;
        match self.views.get(&connection_name(&object))? {
            ConnectionView::Usable(a) => {
                let id = AccountId {
                    app: a.app.clone(),
                    advertiser: a.advertiser.clone(),
                };
                self.accounts.contains_key(&id).then_some(id)
            }
            _ => None,
        }
    }

    /// The lines of a place; the home queue's when the account is gone.
    pub fn lines(&mut self, place: &Place) -> &mut Lines {
        match place.as_ref().and_then(|id| self.accounts.get_mut(id)) {
            Some(account) => &mut account.lines,
            None => &mut self.home,
        }
    }

    /// Asks for a turn of a key. Whatever pushes it, an object that has to be switched off goes into the safety lane.
    pub fn push(&mut self, key: &Key, lane: Lane, now: Timestamp) {
        let lane = if lane != Lane::Safety && self.has_to_pause(key) {
            Lane::Safety
        } else {
            lane
        };
        let place = match self.turns.get(key) {
            Some(place) => place.clone(),
            None => self.place(key),
        };
        self.lines(&place).queue.push(key, lane, now);
    }

    /// Is it on, as far as is known, although its spec says Paused?
    fn has_to_pause(&self, key: &Key) -> bool {
        let Key::Campaign(name) = key else {
            return false;
        };
        let Some(object) = self.stores.campaigns.get(name) else {
            return false;
        };
        if object.spec.state != Some(crate::api::common::DesiredState::Paused) {
            return false;
        }
        let Some(id) = self.own_id(&object) else {
            return false;
        };
        let account = self.place(key).and_then(|place| self.accounts.get(&place));
        account
            .and_then(|a| a.table.last_known(&id))
            .is_some_and(|row| row.operation == crate::platform::OperationState::On)
    }

    /// Wakes a key at a time.
    pub fn wake(&mut self, key: &Key, why: Why, when: Timestamp) {
        let place = self.place(key);
        self.lines(&place).due.set(key, why, when);
    }

    /// Pushes the owners of rows.
    pub fn push_owners<'a>(
        &mut self,
        account: &AccountId,
        ids: impl IntoIterator<Item = &'a String>,
        lane: Lane,
        now: Timestamp,
    ) {
        for id in ids {
            let owners: Vec<Name> = self
                .stores
                .holders(&account.advertiser, id)
                .chain(self.stores.claimants(id))
                .cloned()
                .collect();
            for owner in owners {
                self.push(&Key::Campaign(owner), lane, now);
            }
        }
    }

    /// Pushes all objects of a connection.
    pub fn push_children(&mut self, connection: &Name, lane: Lane, now: Timestamp) {
        let children: Vec<Name> = self.stores.children(connection).cloned().collect();
        for child in children {
            self.push(&Key::Campaign(child), lane, now);
        }
    }
}

/// Is our finalizer among these?
pub fn has_finalizer(finalizers: Option<&[String]>) -> bool {
    finalizers.is_some_and(|all| all.iter().any(|f| f == FINALIZER))
}

/// A standard duration as a signed one; none of ours is longer than that can say.
pub fn to_signed(duration: std::time::Duration) -> SignedDuration {
    SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX)
}
