//! Creates: announced first, sent once, and what the answers teach. One object in its own turn, or several in one call.

use futures::future::join_all;
use jiff::Timestamp;

use super::super::account::AccountId;
use super::super::doors::{Clock, Cluster, ObjectName};
use super::super::outbox::{Member, Op};
use super::super::queue::Lane;
use super::super::run::Engine;
use super::super::state::Key;
use super::super::turn::Step;
use super::Begin;
use crate::model::facts::{Attempt, Refusable};
use crate::model::plan::Action;
use crate::model::protocol::{create_after, made_in};
use crate::model::record::Record;
use crate::platform::{
    Answer, Call, Door, ErrorClass, Kind, NewObject, PlatformError, Reply, Row, Tree,
};

/// A create that is announced and may be sent.
struct Announced {
    name: ObjectName,
    record: Record,
    object: NewObject,
}

impl<C: Cluster, P: Door, K: Clock> Engine<C, P, K> {
    /// Creates several objects of one parent with one call: all of them announced, then sent together, each learned by
    /// itself. Nobody else is in a turn of theirs meanwhile.
    pub(in crate::engine) async fn create_together(
        &self,
        id: &AccountId,
        (kind, tree): (Kind, Tree),
        parent: Option<String>,
        members: Vec<Member>,
    ) {
        let path = Call::Create {
            advertiser: String::new(),
            kind,
            tree,
            objects: Vec::new(),
        }
        .path();
        let Ok(slot) = self.begin(id, path, Begin::Batch) else {
            self.create_later(id, tree, &parent, &members);
            return;
        };
        let announced: Vec<Announced> = join_all(members.iter().map(|(name, _)| {
            let of = (id, tree, parent.as_deref());
            self.announce_create(name, of)
        }))
        .await
        .into_iter()
        .flatten()
        .collect();
        let now = self.clock.now();
        let call_time = self.lock().settings.model.call_time;
        // The first to be announced waited for the others, and may be wanted otherwise by now.
        let (announced, late): (Vec<_>, Vec<_>) = announced.into_iter().partition(|a| {
            let in_time = a
                .record
                .mark
                .is_some_and(|mark| now + call_time <= mark.deadline);
            let again = self.plan_marked(&a.name, &a.record);
            in_time && create_after(a.object.clone(), again.as_ref()).is_some()
        });
        for a in late {
            self.lock().push(&Key::Object(a.name), Lane::Change, now);
        }
        if announced.is_empty() {
            return;
        }
        let call = Call::Create {
            advertiser: id.advertiser.clone(),
            kind,
            tree,
            objects: announced.iter().map(|a| a.object.clone()).collect(),
        };
        let sent = self.send(id, &call).await;
        drop(slot);
        self.learn_created_together(id, &announced, sent);
    }

    /// Marks one create, if its newest plan still wants it: what may be sent then.
    async fn announce_create(
        &self,
        name: &ObjectName,
        (id, tree, parent): (&AccountId, Tree, Option<&str>),
    ) -> Option<Announced> {
        let now = self.clock.now();
        let (object, plan) = {
            let mut state = self.lock();
            let object = state.stores.get(name)?;
            let plan = state.plan(name, &object, now);
            (object, plan)
        };
        let place = |record: &Record| made_in(record, (&id.app, &id.advertiser), tree, parent);
        let record = match plan.action {
            // The object may be another of the same name by now, in something else.
            Action::Mark(record) if place(&record) => record,
            _ => {
                self.lock()
                    .push(&Key::Object(name.clone()), Lane::Change, now);
                return None;
            }
        };
        let announced = self.new_object(name, &object, &record, now);
        let again = match self.write(name, &object, &record).await {
            Step::Again => self.plan_marked(name, &record),
            Step::End(_) => None,
        };
        match create_after(announced, again.as_ref()) {
            Some(object) => Some(Announced {
                name: name.clone(),
                record,
                object,
            }),
            None => {
                let now = self.clock.now();
                self.lock()
                    .push(&Key::Object(name.clone()), Lane::Change, now);
                None
            }
        }
    }

    /// No slot or budget: what waited waits again.
    fn create_later(
        &self,
        id: &AccountId,
        tree: Tree,
        parent: &Option<String>,
        members: &[Member],
    ) {
        let now = self.clock.now();
        let mut state = self.lock();
        for (name, wanted) in members {
            let alone = state.memos.get(name).is_some_and(|m| m.alone);
            let op = Op::Create {
                tree,
                parent: parent.clone(),
                name: wanted.clone(),
                alone,
            };
            state.park(&Some(id.clone()), name, op, now);
        }
    }

    /// What the answer taught about each. A refusal of several says nothing about one, and whether TikTok made some of
    /// them all the same is not known: all are looked up before any is sent again, alone (R11).
    fn learn_created_together(
        &self,
        id: &AccountId,
        announced: &[Announced],
        sent: Result<Answer, PlatformError>,
    ) {
        let now = self.clock.now();
        if let [one] = announced {
            let answer = sent.map(|answer| match answer.reply {
                Reply::Created(rows) => rows.into_iter().next().flatten(),
                _ => None,
            });
            self.learn_created(&one.name, id, &one.record, answer);
            self.lock()
                .push(&Key::Object(one.name.clone()), Lane::Change, now);
            return;
        }
        let rows = match sent {
            Ok(Answer {
                reply: Reply::Created(rows),
                ..
            }) => rows,
            Ok(_) => Vec::new(),
            // The door says that nothing was acted upon: the same call may be sent again.
            Err(error)
                if matches!(
                    error.class,
                    ErrorClass::Retry | ErrorClass::Throttled(_) | ErrorClass::Auth(_)
                ) =>
            {
                for a in announced {
                    self.learn_created(&a.name, id, &a.record, Err(error.clone()));
                    self.lock()
                        .push(&Key::Object(a.name.clone()), Lane::Change, now);
                }
                return;
            }
            Err(error) => {
                tracing::warn!(objects = announced.len(), %error, "a create of several was refused or lost; looking for each");
                Vec::new()
            }
        };
        let refused = rows.is_empty();
        let mut rows = rows.into_iter();
        for a in announced {
            let row = rows.next().flatten();
            self.learn_created(&a.name, id, &a.record, Ok(row));
            let mut state = self.lock();
            let uid = a.record.uid.clone();
            if refused {
                state.memo(&a.name, &uid).alone = true;
            }
            state.push(&Key::Object(a.name.clone()), Lane::Change, now);
        }
    }

    /// What the answer to a create taught: the row that was made; `None`: it does not show it.
    pub(in crate::engine) fn learn_created(
        &self,
        name: &ObjectName,
        id: &AccountId,
        record: &Record,
        sent: Result<Option<Row>, PlatformError>,
    ) {
        let now = self.clock.now();
        let mut state = self.lock();
        let tick = state.tick();
        let attempt = match sent {
            Ok(Some(row)) => {
                tracing::info!(kind = %name.kind, object = %name, id = %row.id, key = %record.key, attempt = record.attempt, "created, switched off");
                if let Some(account) = state.accounts.get_mut(id) {
                    account.table.wrote_row(row.clone(), tick, now);
                }
                Attempt::Made(Box::new(row))
            }
            Ok(None) => Attempt::Unclear,
            Err(error) => {
                let attempt = match &error.class {
                    ErrorClass::Ambiguous => Attempt::Unclear,
                    // The door says that nothing was acted upon; refusals are definite.
                    ErrorClass::Retry => Attempt::Unsent,
                    _ => Attempt::Refused,
                };
                state.learn_refusal(name, Refusable::Create, &error, now);
                attempt
            }
        };
        let uid = record.uid.clone();
        let memo = state.memo(name, &uid);
        memo.memory.attempt = Some(attempt);
        memo.asked = None;
    }

    /// The content of the create that a record announces.
    pub(in crate::engine) fn new_object(
        &self,
        name: &ObjectName,
        object: &crate::model::object::Object,
        record: &Record,
        now: Timestamp,
    ) -> NewObject {
        self.lock().new_object(name, object, record, now)
    }
}
