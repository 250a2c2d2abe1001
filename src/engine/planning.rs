//! Gathering a plan's facts from the state, and what the state does with time: memory, resync, parked operations.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::account::AccountId;
use super::doors::{Name, ObjectName};
use super::due::Why;
use super::outbox::Op;
use super::queue::Lane;
use super::state::{Asked, HELD, Key, Memo, Place, State, to_signed};
use crate::model::facts::{
    ConnectionView, Facts, Have, Look, NameLook, NameQuestion, ReviewLook, Rivals,
};
use crate::model::object::Object;
use crate::model::plan::{Action, Plan, new_object, plan, side_effects};
use crate::model::record::{Record, RecordState};
use crate::observe::table::List;
use crate::platform::{Kind, NewObject, OperationStatus, Tree};

impl State {
    /// What this process remembers of an object; a namesake starts anew.
    pub fn memo(&mut self, name: &ObjectName, uid: &str) -> &mut Memo {
        let memo = self.memos.entry(name.clone()).or_default();
        if memo.uid != uid {
            *memo = Memo {
                uid: uid.into(),
                ..Memo::default()
            };
        }
        memo
    }

    /// Plans one step. Learns nothing from the platform, asks nobody.
    pub fn plan(&mut self, name: &ObjectName, object: &Object, now: Timestamp) -> Plan {
        self.with_facts(name, object, now, plan)
    }

    /// The content of the create that a record announces.
    pub fn new_object(
        &mut self,
        name: &ObjectName,
        object: &Object,
        record: &Record,
        now: Timestamp,
    ) -> NewObject {
        self.with_facts(name, object, now, |facts| new_object(facts, record))
    }

    /// Gathers the facts.
    fn with_facts<T>(
        &mut self,
        name: &ObjectName,
        object: &Object,
        now: Timestamp,
        then: impl FnOnce(&Facts) -> T,
    ) -> T {
        let record = self.stores.record(object);
        let view = match self.connection_of(object) {
            Some(connection) => self.view(&connection),
            None => ConnectionView::Missing,
        };
        let place = self.place(&Key::Object(name.clone()));
        let terminating = self.stores.terminating.contains(&name.namespace);
        self.refresh_memo(name, object, record.own(), terminating, now);
        let memory = self
            .memos
            .get(name)
            .map(|m| m.memory.clone())
            .unwrap_or_default();

        let id = match &record {
            RecordState::Own(r) => r.id.clone(),
            RecordState::Claim(r) => object.life().external_id.cloned().or_else(|| r.id.clone()),
            _ => object
                .life()
                .external_id
                .cloned()
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
            (Some(account), Some(id)) => account.table.have(&(name.kind, id.clone()), spacing),
            _ => Have::Unknown,
        };
        let review = match (account, &id) {
            (Some(account), Some(id)) if name.kind == Kind::Ad => account.table.review(id),
            _ => ReviewLook::default(),
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
        let parent = self.parent_view(object, account);
        let siblings = self.siblings(name, object, &parent, &view, account, now);
        let name_look = match place.as_ref() {
            Some(place) => self.name_look(name, place, now),
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
            parent,
            siblings,
            review,
            have,
            name: name_look,
            memory: &memory,
            rivals,
            namespace_terminating: terminating,
            ceiling,
            settings: &self.settings.model,
        };
        then(&facts)
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
    pub(super) fn refresh_memo(
        &mut self,
        name: &ObjectName,
        object: &Object,
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
            memo.memory.seen = Some(now);
            memo.memory.corrections = 0;
            memo.memory.pauses = 0;
            memo.memory.refused = None;
            memo.memory.not_before = None;
            memo.memory.failures = 0;
            memo.memory.problem = None;
            memo.memory.side_effects.clear();
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
            // On, and rightly so: what we switched off before is over.
            if record.seen_on && !memo.seen_on {
                memo.memory.pauses = 0;
            }
            memo.seen_on = record.seen_on;
        }
        self.note_side_effects(name, record);
    }

    /// R15: once our last update is read back, what else it changed is told.
    fn note_side_effects(&mut self, name: &ObjectName, record: Option<&Record>) {
        let written = self.memos.get(name).is_some_and(|m| m.written.is_some());
        let Some(id) = record.and_then(|r| r.id.clone()).filter(|_| written) else {
            return;
        };
        let place = self.place(&Key::Object(name.clone()));
        let account = place.as_ref().and_then(|id| self.accounts.get(id));
        let Some(Have::Present(seen)) = account.map(|a| {
            let spacing = self.settings.model.absence_spacing;
            a.table.have(&(name.kind, id), spacing)
        }) else {
            return;
        };
        if !seen.read_back {
            return;
        }
        if let Some(memo) = self.memos.get_mut(name)
            && let Some((before, changes)) = memo.written.take()
        {
            memo.memory.side_effects = side_effects(&before, &seen.row, &changes);
        }
    }

    pub(super) fn name_look(&self, me: &ObjectName, place: &AccountId, now: Timestamp) -> NameLook {
        let (Some(account), Some(memo)) = (self.accounts.get(place), self.memos.get(me)) else {
            return NameLook::NotLooked;
        };
        let Some(wanted) = self.name_question(me) else {
            return NameLook::NotLooked;
        };
        let Some(asked) = memo.asked.as_ref().filter(|a| a.question == wanted) else {
            return NameLook::NotLooked;
        };
        let Some(read) = account.name_read(&wanted).filter(|r| r.tick > asked.tick) else {
            return NameLook::NotLooked;
        };
        let named = account
            .table
            .named(wanted.kind, wanted.parent.as_deref(), &wanted.name);
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

    /// The question whether an object's name is free where it would be made; `None` while there is no such place.
    fn name_question(&self, name: &ObjectName) -> Option<NameQuestion> {
        let object = self.stores.get(name)?;
        let parent = match object.kind().parent() {
            None => None,
            Some(_) => {
                let (_, parent) = self.stores.parent(&object)?;
                Some(self.own_id(&parent)?)
            }
        };
        Some(NameQuestion {
            kind: name.kind,
            tree: match parent {
                Some(_) => Some(self.stores.tree(&object)?),
                None => None,
            },
            parent,
            name: object.platform_name(),
        })
    }

    /// Which other object holds a row: by its record, or by a create whose answer is not stored yet.
    pub(super) fn holder_of(&self, me: &ObjectName, place: &AccountId, id: &str) -> Option<String> {
        let by_record = self
            .stores
            .holders(&place.advertiser, me.kind, id)
            .find(|other| *other != me)
            .cloned();
        let by_answer = || {
            self.memos
                .iter()
                .find(|(other, memo)| *other != me && other.kind == me.kind && matches!(&memo.memory.attempt, Some(crate::model::facts::Attempt::Made(row)) if row.id == id))
                .map(|(other, _)| other.clone())
        };
        by_record.or_else(by_answer).map(|n| n.to_string())
    }

    /// The lists that a connection's objects are in, and those that a ceiling on the total has to sum.
    pub fn lists_of(&self, connection: &Name) -> BTreeSet<List> {
        let mut lists = BTreeSet::new();
        for name in self.objects_of(connection) {
            let Some(object) = self.stores.get(&name) else {
                continue;
            };
            if let Some(tree) = self.tree_of(&object) {
                lists.insert((name.kind, tree));
                // What is below a campaign is told apart by it (R29).
                lists.insert((name.kind.top(), tree));
            }
            // Whoever waits for a name to become free waits for it wherever it may be taken (R9).
            if let Some(asked) = self.memos.get(&name).and_then(|m| m.asked.as_ref()) {
                lists.extend(super::account::lists_for(&asked.question));
            }
        }
        // Ad groups count only where a campaign has no budget of its own.
        for tree in self.unbounded_trees(connection) {
            lists.insert((Kind::AdGroup, tree));
        }
        // R22: a connection that goes says what is still on in the account.
        let all = matches!(self.views.get(connection), Some(ConnectionView::Usable(a)) if a.caps.total.is_some() || a.disconnecting);
        if all {
            lists.extend(self.lists_of_spending(connection));
        }
        lists
    }

    /// The lists that together show everything that may spend in a connection's account.
    pub(super) fn lists_of_spending(&self, connection: &Name) -> BTreeSet<List> {
        let mut lists: BTreeSet<List> = Kind::tops().flat_map(Kind::in_trees).collect();
        let unbounded = self.unbounded_trees(connection).into_iter();
        lists.extend(unbounded.map(|tree| (Kind::AdGroup, tree)));
        lists
    }

    /// Trees with a campaign whose spending only its ad groups bound.
    fn unbounded_trees(&self, connection: &Name) -> BTreeSet<Tree> {
        let account = self
            .accounts
            .values()
            .find(|account| account.connection == *connection);
        let rows = account.into_iter().flat_map(|a| a.table.rows());
        rows.filter(|row| {
            row.kind == Kind::Campaign
                && row.operation != crate::platform::OperationState::Deleted
                && crate::model::ceiling::row_per_day(row, None).is_none()
        })
        .map(|row| row.tree)
        .collect()
    }

    /// Decision 7: plans everything in memory; work that nothing had announced is pushed and counted.
    pub fn resync(&mut self, now: Timestamp) -> u64 {
        let names = self.stores.names();
        let mut missed = 0;
        for name in names {
            let key = Key::Object(name.clone());
            let place = self.place(&key);
            if self.turns.contains_key(&key)
                || self.lines(&place).queue.knows(&key)
                || self.parked(&place, &name)
            {
                continue;
            }
            let Some(object) = self.stores.get(&name) else {
                continue;
            };
            let plan = self.plan(&name, &object, now);
            let status = super::turn::status_of(&object, &plan, now);
            let stale = status.is_some_and(|s| Some(&s) != object.status.as_ref());
            let announced = match plan.action {
                Action::Rest => true,
                // The time is known at which what contradicted our write is asked again.
                Action::Look(Look::Id { .. }) => self.lines(&place).due.waits(&key, Why::Settle),
                _ => false,
            };
            if !announced || stale {
                missed += 1;
                self.push(&key, Lane::Background, now);
            }
        }
        missed
    }

    /// Asks whether a name is free. True: what is under way already answers it. A question that waits for its answer keeps
    /// its time: asked anew by each turn, it would be younger than every answer.
    pub(super) fn ask_name(
        &mut self,
        place: &Place,
        name: &ObjectName,
        uid: &str,
        wanted: &NameQuestion,
    ) -> bool {
        let account = place.as_ref().and_then(|id| self.accounts.get(id));
        let read = account
            .and_then(|a| a.name_read(wanted))
            .map_or(0, |r| r.tick);
        let waits = self
            .memos
            .get(name)
            .and_then(|m| m.asked.as_ref())
            .filter(|asked| asked.question == *wanted && asked.tick >= read)
            .map(|asked| asked.tick);
        let tick = match waits {
            Some(tick) => tick,
            None => {
                let tick = self.tick();
                self.memo(name, uid).asked = Some(Asked {
                    question: wanted.clone(),
                    tick,
                });
                tick
            }
        };
        let account = place.as_ref().and_then(|id| self.accounts.get(id));
        account.is_some_and(|a| a.answers(wanted, tick))
    }

    /// Does the object wait for a call, a slot or a time?
    pub(super) fn parked(&self, place: &Place, name: &ObjectName) -> bool {
        place
            .as_ref()
            .and_then(|id| self.accounts.get(id))
            .is_some_and(|a| {
                let asked = self.memos.get(name).and_then(|m| m.asked.as_ref());
                a.outbox.has(name)
                    || a.waiting.contains(name)
                    || a.in_batch.contains(name)
                    || asked.is_some_and(|asked| a.answers(&asked.question, asked.tick))
            })
    }

    /// Parks an operation of an object in its account's outbox.
    pub fn park(&mut self, place: &Place, name: &ObjectName, op: Op, now: Timestamp) {
        let (spacing, read_back) = (
            self.settings.model.absence_spacing,
            self.settings.read_back_after,
        );
        let Some(account) = place.as_ref().and_then(|id| self.accounts.get_mut(id)) else {
            return;
        };
        let urgent = account.is_urgent(name, now);
        let not_before = match &op {
            Op::LookId { id, .. } => {
                let row = (name.kind, id.clone());
                account.table.look_not_before(&row, spacing, read_back)
            }
            Op::SetStatus(wish) if wish.to == OperationStatus::Disable => {
                self.memos.get(name).and_then(|m| m.pause_not_before)
            }
            _ => None,
        };
        account.outbox.put(name, op, now, not_before, urgent);
    }
}
