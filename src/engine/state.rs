//! Everything the engine knows, behind one lock that is never held while waiting.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use super::account::{Account, AccountId, Lines};
use super::connection_turn::ConnectionMemo;
use super::doors::{Delta, Name};
use super::due::Why;
use super::outbox::Op;
use super::queue::Lane;
use super::settings::Settings;
use super::stores::{Stores, connection_name};
use crate::api::campaign::Campaign;
use crate::api::connection::TikTokConnection;
use crate::api::{FINALIZER, RECONCILE_REQUESTED_AT};
use crate::model::facts::{ConnectionView, Facts, Have, Memory, NameLook, Rivals};
use crate::model::plan::{Action, Plan, plan};
use crate::model::record::{Record, RecordState};
use crate::platform::Budgets;
use crate::platform::Tree;

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
const HELD: SignedDuration = SignedDuration::from_secs(600);

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

    // ---- queues ----

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

    // ---- watches ----

    /// Takes over what a watch saw.
    pub fn take(&mut self, delta: Delta<Campaign, TikTokConnection>, now: Timestamp) {
        match delta {
            Delta::Campaign(change) => {
                for (name, old) in self.stores.campaigns.take(change) {
                    self.campaign_changed(&name, old.as_deref(), now);
                }
            }
            Delta::Connection(change) => {
                for (name, old) in self.stores.connections.take(change) {
                    self.connection_changed(&name, old.as_deref(), now);
                }
            }
            Delta::Secret(secret) => self.secret_changed(&secret, now),
            Delta::Namespace { name, terminating } => {
                let changed = if terminating {
                    self.stores.terminating.insert(name.clone())
                } else {
                    self.stores.terminating.remove(&name)
                };
                if changed {
                    let keys: Vec<Key> = self
                        .stores
                        .campaigns
                        .iter()
                        .filter(|(n, _)| n.namespace == name)
                        .map(|(n, _)| Key::Campaign(n.clone()))
                        .collect();
                    let connections: Vec<Key> = self
                        .stores
                        .connections
                        .iter()
                        .filter(|(n, _)| n.namespace == name)
                        .map(|(n, _)| Key::Connection(n.clone()))
                        .collect();
                    for key in keys.iter().chain(&connections) {
                        self.push(key, Lane::Safety, now);
                    }
                }
            }
        }
    }

    /// Whoever is affected by a campaign that came, changed or went, the campaign itself excepted.
    pub fn campaign_put(&mut self, name: &Name, old: Option<&Campaign>, now: Timestamp) {
        self.stores.reindex(name, old);
        let object = self.stores.campaigns.get(name);
        self.wake_dependants(name, old, object.as_deref(), now);
        self.keep_rights_for(
            name,
            object
                .as_deref()
                .and_then(|o| o.metadata.finalizers.as_deref()),
        );
        if object.is_none() {
            if let Some(old) = old {
                self.note_orphan(old);
            }
            self.forget(name);
        }
    }

    fn campaign_changed(&mut self, name: &Name, old: Option<&Campaign>, now: Timestamp) {
        self.campaign_put(name, old, now);
        let key = Key::Campaign(name.clone());
        let Some(object) = self.stores.campaigns.get(name) else {
            return;
        };
        if let Some(old) = old
            && let Some(account) = self.place(&key)
            && let Some(asked) = object
                .metadata
                .annotations
                .as_ref()
                .and_then(|a| a.get(RECONCILE_REQUESTED_AT))
            && old
                .metadata
                .annotations
                .as_ref()
                .and_then(|a| a.get(RECONCILE_REQUESTED_AT))
                != Some(asked)
            && let Some(account) = self.accounts.get_mut(&account)
        {
            account.sweep.ask(now);
        }
        let lane = if object.metadata.deletion_timestamp.is_some() {
            Lane::Event
        } else {
            Lane::Change
        };
        self.push(&key, lane, now);
    }

    /// An object with our finalizer was seen: our rights in its namespace have to outlive it.
    pub fn keep_rights_for(&mut self, name: &Name, finalizers: Option<&[String]>) {
        if has_finalizer(finalizers) {
            self.kept.entry(name.namespace.clone()).or_insert(false);
        }
    }

    /// All objects are known for the first time. A process that died between the last object's end and the release of
    /// our rights has left them held: they are let go wherever nothing of ours is.
    pub fn free_rights(&mut self) {
        for namespace in self.settings.namespaces.clone() {
            if !self.stores.holds(&namespace) {
                self.kept.insert(namespace, true);
            }
        }
    }

    /// Whoever's plan read this object: its connection, those who want its name or its id.
    pub(super) fn wake_dependants(
        &mut self,
        name: &Name,
        old: Option<&Campaign>,
        new: Option<&Campaign>,
        now: Timestamp,
    ) {
        let finalized = |o: Option<&Campaign>| {
            o.is_some_and(|o| has_finalizer(o.metadata.finalizers.as_deref()))
        };
        let deleting =
            |o: Option<&Campaign>| o.is_some_and(|o| o.metadata.deletion_timestamp.is_some());
        let freed = finalized(old) && !finalized(new);
        if freed || deleting(old) != deleting(new) || new.is_none() {
            for object in [old, new].into_iter().flatten() {
                self.push(&Key::Connection(connection_name(object)), Lane::Event, now);
            }
        }
        let identity = |o: &Campaign| {
            (
                connection_name(o),
                crate::model::campaign::platform_name(o),
                self.stores
                    .record(o)
                    .own()
                    .and_then(|r| Some((r.advertiser.clone(), r.id.clone()?))),
            )
        };
        // An outstanding create bars its name; the end of it frees the name.
        let marked = |o: Option<&Campaign>| {
            o.is_some_and(|o| {
                self.stores
                    .record(o)
                    .own()
                    .is_some_and(|r| r.mark.is_some())
            })
        };
        let (was, is) = (old.map(&identity), new.map(&identity));
        if was == is
            && marked(old) == marked(new)
            && !(new.is_none() || deleting(old) != deleting(new))
        {
            return;
        }
        let names: BTreeSet<Name> = [was, is]
            .into_iter()
            .flatten()
            .flat_map(|(connection, wanted, id)| self.stores.touching(&connection, &wanted, id))
            .filter(|sibling| sibling != name)
            .collect();
        for sibling in names {
            self.push(&Key::Campaign(sibling), Lane::Change, now);
        }
    }

    pub(super) fn connection_changed(
        &mut self,
        name: &Name,
        old: Option<&TikTokConnection>,
        now: Timestamp,
    ) {
        let advertiser = |c: &TikTokConnection| c.spec.advertiser_id.clone();
        let new = self.stores.connections.get(name);
        self.keep_rights_for(
            name,
            new.as_deref()
                .and_then(|o| o.metadata.finalizers.as_deref()),
        );
        // A twin waits for the older one to go.
        let mut twins: Vec<Name> = Vec::new();
        for (other, object) in self.stores.connections.iter() {
            if other != name
                && [
                    old.and_then(advertiser),
                    new.as_deref().and_then(advertiser),
                ]
                .contains(&advertiser(object))
            {
                twins.push(other.clone());
            }
        }
        for twin in twins {
            self.push(&Key::Connection(twin), Lane::Change, now);
        }
        if new.is_none() {
            self.views.remove(name);
            self.connections.remove(name);
            let gone: Vec<AccountId> = self
                .accounts
                .iter()
                .filter(|(_, a)| a.connection == *name)
                .map(|(id, _)| id.clone())
                .collect();
            for id in gone {
                self.close_account(&id, now);
            }
            self.push_children(name, Lane::Event, now);
            return;
        }
        self.push(&Key::Connection(name.clone()), Lane::Event, now);
        if old.is_none() {
            self.push_children(name, Lane::Change, now);
        }
    }

    /// Moves what waits in an account's queue home; its turns in flight end there too.
    pub fn close_account(&mut self, id: &AccountId, now: Timestamp) {
        if self.accounts.remove(id).is_none() {
            return;
        }
        let keys: Vec<Key> = self
            .stores
            .campaigns
            .iter()
            .map(|(n, _)| Key::Campaign(n.clone()))
            .collect();
        for (key, place) in &mut self.turns {
            if place.as_ref() == Some(id) {
                *place = None;
                self.home.queue.take_turn(key);
            }
        }
        for key in keys {
            if self.place(&key).is_none() {
                self.push(&key, Lane::Change, now);
            }
        }
    }

    fn secret_changed(&mut self, secret: &Name, now: Timestamp) {
        let touched: Vec<Name> = self
            .stores
            .connections
            .iter()
            .filter(|(name, object)| {
                name.namespace == secret.namespace
                    && (object.spec.app_secret_ref.name == secret.name
                        || object
                            .spec
                            .token_secret_ref
                            .as_ref()
                            .is_some_and(|r| r.name == secret.name)
                        || crate::model::connection::token_secret_name(object) == secret.name)
            })
            .map(|(name, _)| name.clone())
            .collect();
        for name in touched {
            if let Some(memo) = self.connections.get_mut(&name) {
                memo.unread();
            }
            self.push(&Key::Connection(name), Lane::Event, now);
        }
    }

    /// R32: an object that went without having let go leaves a campaign that nobody looks after.
    fn note_orphan(&mut self, old: &Campaign) {
        if !has_finalizer(old.metadata.finalizers.as_deref()) {
            return;
        }
        if let Some((advertiser, id)) = self
            .stores
            .record(old)
            .own()
            .and_then(|r| Some((r.advertiser.clone(), r.id.clone()?)))
        {
            self.orphans
                .entry(connection_name(old))
                .or_default()
                .insert((advertiser, id));
        }
    }

    /// Campaigns whose object went without having let go, that nobody has taken up and that still exist.
    pub fn orphans_of(&mut self, connection: &Name) -> Vec<String> {
        let Some(mut known) = self.orphans.remove(connection) else {
            return Vec::new();
        };
        known.retain(|(advertiser, id)| {
            let gone = self
                .accounts
                .values()
                .filter_map(|a| a.table.last_known(id))
                .any(|r| r.operation == crate::platform::OperationState::Deleted);
            !gone && self.stores.holders(advertiser, id).next().is_none()
        });
        let ids = known.iter().map(|(_, id)| id.clone()).collect();
        if !known.is_empty() {
            self.orphans.insert(connection.clone(), known);
        }
        ids
    }

    /// Forgets everything about a campaign that is gone.
    pub(super) fn forget(&mut self, name: &Name) {
        self.memos.remove(name);
        for account in self.accounts.values_mut() {
            account.outbox.remove(name);
            account.waiting.retain(|n| n != name);
        }
    }

    // ---- planning ----

    /// What this process remembers of an object; a namesake starts anew.
    pub fn memo(&mut self, name: &Name, uid: &str) -> &mut Memo {
        let memo = self.memos.entry(name.clone()).or_default();
        if memo.uid != uid {
            *memo = Memo {
                uid: uid.into(),
                ..Memo::default()
            };
        }
        memo
    }

    /// Gathers the facts and plans one step. Learns nothing from the platform, asks nobody.
    pub fn plan(&mut self, name: &Name, object: &Campaign, now: Timestamp) -> Plan {
        let record = self.stores.record(object);
        let connection = connection_name(object);
        let view = self.view(&connection);
        let place = self.place(&Key::Campaign(name.clone()));
        let terminating = self.stores.terminating.contains(&name.namespace);
        self.refresh_memo(name, object, record.own(), terminating, now);
        let memory = self
            .memos
            .get(name)
            .map(|m| m.memory.clone())
            .unwrap_or_default();

        let id = match &record {
            RecordState::Own(r) => r.id.clone(),
            RecordState::Claim(r) => object.spec.external_id.clone().or_else(|| r.id.clone()),
            _ => object
                .spec
                .external_id
                .clone()
                .or_else(|| object.status.as_ref().and_then(|s| s.id.clone())),
        };
        // A create that was answered names an id before the record does.
        let made = match &memory.attempt {
            Some(crate::model::facts::Attempt::Made(row)) => Some(row.id.clone()),
            _ => None,
        };
        let spacing = self.settings.model.absence_spacing;
        let account = place.as_ref().and_then(|id| self.accounts.get(id));
        let have = match (account, &id) {
            (Some(account), Some(id)) => account.table.have(id, spacing),
            _ => Have::Unknown,
        };
        let advertiser = match (&view, record.own()) {
            (_, Some(own)) => Some(own.advertiser.clone()),
            (ConnectionView::Usable(a), None) => Some(a.advertiser.clone()),
            _ => None,
        };
        let id_holder = advertiser
            .as_ref()
            .zip(id.as_ref().or(made.as_ref()))
            .and_then(|(advertiser, id)| self.stores.rival_for_id(name, object, advertiser, id))
            .map(|n| n.to_string());
        let rivals = Rivals {
            id_holder,
            same_name: self
                .stores
                .rival_for_name(name, object)
                .map(|n| n.to_string()),
        };
        let name_look = match place.as_ref() {
            Some(place) => self.name_look(name, place, object, now),
            None => NameLook::NotLooked,
        };
        let ceiling = account.map(|a| a.ceiling(now)).unwrap_or_default();
        let facts = Facts {
            now,
            platform_now: now.saturating_add(self.skew).unwrap_or(now),
            install: &self.settings.install,
            object,
            record,
            connection: &view,
            have,
            name: name_look,
            memory: &memory,
            rivals,
            namespace_terminating: terminating,
            ceiling,
            settings: &self.settings.model,
        };
        plan(&facts)
    }

    /// What a connection allows.
    pub fn view(&self, connection: &Name) -> ConnectionView {
        match (
            self.views.get(connection),
            self.stores.connections.get(connection),
        ) {
            (_, None) => ConnectionView::Missing,
            (Some(view), Some(_)) => view.clone(),
            (None, Some(_)) => ConnectionView::NotReady {
                reason: crate::model::reason::Reason::LookingUp,
                message: format!("the connection {} is being looked at", connection.name),
            },
        }
    }

    /// Brings the memory in line with the copy: what belongs to an older generation or another create is dropped.
    fn refresh_memo(
        &mut self,
        name: &Name,
        object: &Campaign,
        record: Option<&Record>,
        terminating: bool,
        now: Timestamp,
    ) {
        let uid = object.metadata.uid.clone().unwrap_or_default();
        let generation = object.metadata.generation.unwrap_or_default();
        let ending = terminating || object.metadata.deletion_timestamp.is_some();
        let memo = self.memo(name, &uid);
        if memo.generation != generation {
            memo.generation = generation;
            memo.memory.corrections = 0;
            memo.memory.pauses = 0;
            memo.memory.refused = None;
            memo.memory.not_before = None;
            memo.memory.failures = 0;
            memo.memory.problem = None;
        }
        let current = record
            .filter(|r| r.mark.is_some())
            .map(|r| (r.key.clone(), r.attempt));
        if memo.attempt_of != current {
            memo.memory.attempt = None;
            memo.memory.absence.clear();
            memo.memory.found.clear();
            memo.memory.key_used = false;
            memo.attempt_of = current;
        }
        if memo
            .in_sync_since
            .is_some_and(|since| now.duration_since(since) >= HELD)
        {
            memo.memory.corrections = 0;
        }
        memo.memory.ending_since = if ending {
            memo.memory.ending_since.or(Some(now))
        } else {
            None
        };
        if let Some(record) = record {
            memo.seq = memo.seq.max(record.seq);
        }
    }

    fn name_look(
        &self,
        me: &Name,
        place: &AccountId,
        object: &Campaign,
        now: Timestamp,
    ) -> NameLook {
        let (Some(account), Some(memo)) = (self.accounts.get(place), self.memos.get(me)) else {
            return NameLook::NotLooked;
        };
        let wanted = crate::model::campaign::platform_name(object);
        let Some(asked) = memo.asked.as_ref().filter(|a| a.name == wanted) else {
            return NameLook::NotLooked;
        };
        let Some(read) = account.name_read(&wanted).filter(|r| r.tick > asked.tick) else {
            return NameLook::NotLooked;
        };
        let named = account.table.named(&wanted);
        // Only a fresh reading proves that a name is free. A name that was taken stays so until a list says otherwise.
        let fresh = now.duration_since(read.at) <= to_signed(self.settings.names_fresh);
        if named.is_empty() && !fresh {
            return NameLook::NotLooked;
        }
        let rows = named
            .into_iter()
            .map(|row| (row.clone(), self.holder_of(me, place, &row.id)))
            .collect();
        NameLook::Looked(rows)
    }

    /// Which other object holds a row: by its record, or by a create whose answer is not stored yet.
    fn holder_of(&self, me: &Name, place: &AccountId, id: &str) -> Option<String> {
        let by_record = self
            .stores
            .holders(&place.advertiser, id)
            .find(|other| *other != me)
            .cloned();
        let by_answer = || {
            self.memos
                .iter()
                .find(|(other, memo)| *other != me && matches!(&memo.memory.attempt, Some(crate::model::facts::Attempt::Made(row)) if row.id == id))
                .map(|(other, _)| other.clone())
        };
        by_record.or_else(by_answer).map(|n| n.to_string())
    }

    /// Trees that a connection's objects are in, and both when a total ceiling must be summed.
    pub fn trees_of(&self, connection: &Name) -> BTreeSet<Tree> {
        let total = matches!(self.views.get(connection), Some(ConnectionView::Usable(a)) if a.caps.total.is_some());
        // Whoever waits for a name to become free waits for it in both trees (R9).
        let asking = self
            .stores
            .children(connection)
            .any(|c| self.memos.get(c).is_some_and(|m| m.asked.is_some()));
        if total || asking {
            return [Tree::Manual, Tree::SmartPlus].into();
        }
        self.stores
            .children(connection)
            .filter_map(|c| self.stores.campaigns.get(c))
            .map(|c| c.spec.automation.into())
            .collect()
    }

    /// Decision 7: plans everything in memory; work that nothing had announced is pushed and counted.
    pub fn resync(&mut self, now: Timestamp) -> u64 {
        let names: Vec<Name> = self
            .stores
            .campaigns
            .iter()
            .map(|(n, _)| n.clone())
            .collect();
        let mut missed = 0;
        for name in names {
            let key = Key::Campaign(name.clone());
            let place = self.place(&key);
            if self.turns.contains_key(&key)
                || self.lines(&place).queue.knows(&key)
                || self.parked(&place, &name)
            {
                continue;
            }
            let Some(object) = self.stores.campaigns.get(&name) else {
                continue;
            };
            let plan = self.plan(&name, &object, now);
            let status = super::turn::status_of(&object, &plan, now);
            let stale = status.is_some_and(|s| Some(&s) != object.status.as_ref());
            if !matches!(plan.action, Action::Rest) || stale {
                missed += 1;
                self.push(&key, Lane::Background, now);
            }
        }
        missed
    }

    /// Does the object wait for a call, a slot or a time?
    fn parked(&self, place: &Place, name: &Name) -> bool {
        place
            .as_ref()
            .and_then(|id| self.accounts.get(id))
            .is_some_and(|a| {
                a.outbox.has(name) || a.waiting.contains(name) || a.in_batch.contains(name)
            })
    }

    /// Parks an operation of an object in its account's outbox.
    pub fn park(&mut self, place: &Place, name: &Name, op: Op, now: Timestamp) {
        let (spacing, read_back) = (
            self.settings.model.absence_spacing,
            self.settings.read_back_after,
        );
        let Some(account) = place.as_ref().and_then(|id| self.accounts.get_mut(id)) else {
            return;
        };
        let not_before = match &op {
            Op::LookId { id, .. } => account.table.look_not_before(id, spacing, read_back),
            _ => None,
        };
        account.outbox.put(name, op, now, not_before);
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
