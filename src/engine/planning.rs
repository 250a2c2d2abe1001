//! Gathering a plan's facts from the state, and what the state does with time: memory, resync, parked operations.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::account::AccountId;
use super::doors::Name;
use super::outbox::Op;
use super::queue::Lane;
use super::state::{Asked, HELD, Key, Memo, Place, State, to_signed};
use super::stores::connection_name;
use crate::api::campaign::Campaign;
use crate::model::facts::{ConnectionView, Facts, Have, NameLook, Rivals};
use crate::model::plan::{Action, Plan, plan};
use crate::model::record::{Record, RecordState};
use crate::platform::Tree;

impl State {
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
    pub(super) fn refresh_memo(
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

    pub(super) fn name_look(
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
    pub(super) fn holder_of(&self, me: &Name, place: &AccountId, id: &str) -> Option<String> {
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

    /// Asks whether a name is free. True: what is under way already answers it. A question that waits for its answer keeps
    /// its time: asked anew by each turn, it would be younger than every answer.
    pub(super) fn ask_name(&mut self, place: &Place, name: &Name, uid: &str, wanted: &str) -> bool {
        let account = place.as_ref().and_then(|id| self.accounts.get(id));
        let read = account
            .and_then(|a| a.name_read(wanted))
            .map_or(0, |r| r.tick);
        let waits = self
            .memos
            .get(name)
            .and_then(|m| m.asked.as_ref())
            .filter(|asked| asked.name == wanted && asked.tick >= read)
            .map(|asked| asked.tick);
        let tick = match waits {
            Some(tick) => tick,
            None => {
                let tick = self.tick();
                self.memo(name, uid).asked = Some(Asked {
                    name: wanted.to_string(),
                    tick,
                });
                tick
            }
        };
        let account = place.as_ref().and_then(|id| self.accounts.get(id));
        account.is_some_and(|a| a.answers(wanted, tick))
    }

    /// Does the object wait for a call, a slot or a time?
    pub(super) fn parked(&self, place: &Place, name: &Name) -> bool {
        place
            .as_ref()
            .and_then(|id| self.accounts.get(id))
            .is_some_and(|a| {
                let asked = self.memos.get(name).and_then(|m| m.asked.as_ref());
                a.outbox.has(name)
                    || a.waiting.contains(name)
                    || a.in_batch.contains(name)
                    || asked.is_some_and(|asked| a.answers(&asked.name, asked.tick))
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
