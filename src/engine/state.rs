//! Everything the engine knows, behind one lock that is never held while waiting.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use super::account::{Account, AccountId, Lines};
use super::apps::Apps;
use super::connection::ConnectionMemo;
use super::doors::{Name, ObjectName};
use super::due::Why;
use super::events::Unsaid;
use super::hearing::Hearing;
use super::panics::Panicked;
use super::queue::Lane;
use super::settings::Settings;
use super::stores::{Stores, Upper};
use crate::api::FINALIZER;
use crate::model::facts::{ConnectionView, Memory, NameQuestion, Refusable};
use crate::model::object::Object;
use crate::model::tell::Tell;
use crate::observe::table::RowId;
use crate::platform::{Budgets, Cents, Changes, Kind, OperationState, Row};

/// One thing to plan.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Key {
    Object(ObjectName),
    Connection(Name),
}

impl std::fmt::Display for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Object(name) => write!(f, "{} {name}", name.kind),
            Self::Connection(name) => write!(f, "TikTokConnection {name}"),
        }
    }
}

/// Whose queue a key is in: an account's, or the home queue (no account yet; connections).
pub type Place = Option<AccountId>;

/// What this process remembers of one object, beside the model's memory.
#[derive(Clone, Debug, Default)]
pub struct Memo {
    /// The object it is about; a namesake with another uid starts anew.
    pub uid: String,
    pub memory: Memory,
    /// Key and attempt that `memory.attempt` speaks of.
    pub attempt_of: Option<(String, u32)>,
    /// R11: a create of several objects that was refused or lost included this one: it is sent alone from now on.
    pub alone: bool,
    /// A pause that the platform refused is asked for again then, whatever else is refused or waits.
    pub pause_not_before: Option<Timestamp>,
    /// R15: our last update that is not read back yet: the row it was made from, and what it changed.
    pub written: Option<(Box<Row>, Box<Changes>)>,
    /// R9: the name in question and when the question came up.
    pub asked: Option<Asked>,
    /// The highest sequence number of the record seen.
    pub seq: u64,
    /// R1: the record said that it was seen on.
    pub seen_on: bool,
    /// Generation that corrections and refusals are counted for.
    pub generation: i64,
    /// Since when the platform has been as wanted, without interruption.
    pub in_sync_since: Option<Timestamp>,
    /// It was said, once, that another install manages it.
    pub said_elsewhere: bool,
    /// It was let go by us: that it disappears is no surprise.
    pub released: bool,
    /// A write without a clear answer, and what is said if a look shows that it was done.
    pub unsure: Option<(Expect, Tell)>,
}

/// How a row is after a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    Is(OperationState),
    Budget(Cents),
}

/// A question for a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    pub question: NameQuestion,
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
    pub memos: BTreeMap<ObjectName, Memo>,
    pub connections: BTreeMap<Name, ConnectionMemo>,
    /// What each connection hears with.
    pub hearing: BTreeMap<Name, Hearing>,
    /// Connections whose keys a new leader has still to read; `None`: it has not begun.
    pub(super) hearing_unread: Option<BTreeSet<Name>>,
    pub budgets: Budgets,
    pub(super) apps: Apps,
    /// Keys in their turn, and in which queue.
    pub turns: BTreeMap<Key, Place>,
    /// Keys whose last turn, or call, ended by a panic.
    pub(super) panicked: BTreeMap<Key, Panicked>,
    /// R32: advertiser and row of what lost its object without having been let go, by connection.
    pub orphans: BTreeMap<Name, BTreeSet<(String, RowId)>>,
    /// Namespaces where our rights must outlive our objects, and whether the API server knows.
    pub kept: BTreeMap<String, bool>,
    /// The platform's clock minus ours.
    pub skew: SignedDuration,
    /// Events that wait to be published: nothing that is done at TikTok waits for them.
    pub(super) unsaid: Unsaid,
    tick: u64,
    pub next_resync: Option<Timestamp>,
}

impl State {
    /// Nothing known yet.
    pub fn new(settings: Settings) -> Self {
        Self {
            stores: Stores::new(&settings.install),
            apps: Apps::default(),
            budgets: Budgets::new(settings.tier, crate::platform::BudgetSettings::default()),
            settings,
            views: BTreeMap::new(),
            accounts: BTreeMap::new(),
            home: Lines::default(),
            memos: BTreeMap::new(),
            connections: BTreeMap::new(),
            hearing: BTreeMap::new(),
            hearing_unread: None,
            turns: BTreeMap::new(),
            panicked: BTreeMap::new(),
            orphans: BTreeMap::new(),
            kept: BTreeMap::new(),
            skew: SignedDuration::ZERO,
            unsaid: Unsaid::default(),
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
        let Key::Object(name) = key else {
            return None;
        };
        let object = self.stores.get(name)?;
        match self.views.get(&self.connection_of(&object)?)? {
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

    /// The connection an object is under: where its references lead to; if something on the way is missing, the one in
    /// its namespace that is for the account its record names. One that nobody has looked at yet may be that one.
    pub fn connection_of(&self, object: &Object) -> Option<Name> {
        if let Some(name) = self.stores.connection_of(object) {
            return Some(name);
        }
        let record = self.stores.record(object).own()?.clone();
        let namespace = object.metadata.namespace.as_deref().unwrap_or_default();
        let here = || {
            self.stores
                .connections
                .iter()
                .filter(|(name, _)| name.namespace == namespace)
        };
        let serves = |name: &Name| match self.views.get(name) {
            Some(ConnectionView::Usable(account)) => Some(account.advertiser == record.advertiser),
            _ => None,
        };
        let says = |c: &crate::api::connection::TikTokConnection| {
            c.spec.advertiser_id.as_ref() == Some(&record.advertiser)
        };
        here()
            .find(|(name, _)| serves(name) == Some(true))
            .or_else(|| here().find(|(_, c)| says(c)))
            .or_else(|| {
                here().find(|(name, c)| serves(name).is_none() && c.spec.advertiser_id.is_none())
            })
            .map(|(name, _)| name.clone())
    }

    /// All objects under a connection, parents first.
    pub fn objects_of(&self, connection: &Name) -> Vec<ObjectName> {
        let mut found = self.stores.descendants(connection);
        let strays = self.stores.strays(&connection.namespace);
        found.extend(strays.into_iter().filter(|name| {
            let object = self.stores.get(name);
            object.is_some_and(|o| self.connection_of(&o).as_ref() == Some(connection))
        }));
        found
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
        let Key::Object(name) = key else {
            return false;
        };
        let Some(object) = self.stores.get(name) else {
            return false;
        };
        if object.life().state != Some(crate::api::common::DesiredState::Paused) {
            return false;
        }
        let Some(id) = self.own_id(&object) else {
            return false;
        };
        let account = self.place(key).and_then(|place| self.accounts.get(&place));
        account
            .and_then(|a| a.table.last_known(&(name.kind, id)))
            .is_some_and(|row| row.operation == OperationState::On)
    }

    /// Wakes a key at a time.
    pub fn wake(&mut self, key: &Key, why: Why, when: Timestamp) {
        let place = self.place(key);
        self.lines(&place).due.set(key, why, when);
    }

    /// The lane of what was learned about an object.
    pub fn lane_of(&self, account: &AccountId, name: &ObjectName, now: Timestamp) -> Lane {
        let account = self.accounts.get(account);
        account.map_or(Lane::Change, |a| a.lane_of(name, now))
    }

    /// Pushes the owners of rows, and what is in them: their plans read their parents' rows.
    pub fn push_owners<'a>(
        &mut self,
        account: &AccountId,
        ids: impl IntoIterator<Item = &'a RowId>,
        lane: Lane,
        now: Timestamp,
    ) {
        for (kind, id) in ids {
            for owner in self.owners(account, *kind, id) {
                self.push(&Key::Object(owner.clone()), lane, now);
                self.push_inside(&owner, Lane::Background, now);
                // R17: who waits for it to send what they share.
                self.push_sharing(&owner, Lane::Background, now);
            }
        }
    }

    /// Objects that hold, claim or show an id.
    pub fn owners(&self, account: &AccountId, kind: Kind, id: &str) -> Vec<ObjectName> {
        self.stores
            .holders(&account.advertiser, kind, id)
            .chain(self.stores.claimants(kind, id))
            .cloned()
            .collect()
    }

    /// Pushes what refers to an object, at every level below it.
    pub fn push_inside(&mut self, name: &ObjectName, lane: Lane, now: Timestamp) {
        for child in self.inside(name) {
            self.push(&Key::Object(child), lane, now);
        }
    }

    /// What TikTok refused of these objects it may take now: something that they depend on is another.
    pub fn ask_again(&mut self, objects: Vec<ObjectName>) {
        for object in objects {
            if let Some(memo) = self.memos.get_mut(&object) {
                let what = memo.memory.refused.as_ref().map(|r| r.what);
                if matches!(
                    what,
                    Some(Refusable::Create | Refusable::Update | Refusable::Enable)
                ) {
                    memo.memory.refused = None;
                }
            }
        }
    }

    /// What is in an object, at any depth.
    pub fn inside(&self, name: &ObjectName) -> Vec<ObjectName> {
        let mut found: Vec<ObjectName> = Vec::new();
        for child in self.stores.children(&Upper::Object(name.clone())) {
            found.push(child.clone());
            found.extend(self.inside(child));
        }
        found
    }

    /// Pushes all objects under a connection.
    pub fn push_children(&mut self, connection: &Name, lane: Lane, now: Timestamp) {
        for child in self.objects_of(connection) {
            self.push(&Key::Object(child), lane, now);
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
