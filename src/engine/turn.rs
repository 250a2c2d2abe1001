//! One turn of one object, top to bottom: look at a certain copy, plan, act, report.

use std::sync::Arc;

use jiff::Timestamp;

use super::calls::{Begin, Reserved};
use super::doors::{Clock, Cluster, ClusterError, MetaPatch, Note, ObjectName};
use super::due::Why;
use super::outbox::Op;
use super::queue::Lane;
use super::run::Engine;
use super::state::{Key, Place, has_finalizer};
use crate::api::status::ObjectStatus;
use crate::api::{FINALIZER, RECORD};
use crate::model::facts::{Attempt, Look, Problem};
use crate::model::object::Object;
use crate::model::plan::{Action, Plan};
use crate::model::protocol::create_after;
use crate::model::reason::Reason;
use crate::model::record::Record;
use crate::model::report::{Ready, object_status};
use crate::platform::{Answer, Call, Door, NewObject, OperationStatus, Reply, Tree, create_batch};

/// More steps than any honest turn takes; the rest gets another turn.
const STEPS: usize = 10;

/// How a turn ended. Each is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The object is gone, or not ours to touch.
    Forgotten,
    /// Nothing to do.
    Rested,
    /// Waits for a call, a slot or budget.
    Parked,
    /// The copy was old; again.
    Stale,
    /// The API server or the platform failed; again later.
    Failed,
    /// Let go.
    Released,
}

impl Outcome {
    /// The label in metrics.
    pub fn label(self) -> &'static str {
        match self {
            Self::Forgotten => "forgotten",
            Self::Rested => "rested",
            Self::Parked => "parked",
            Self::Stale => "stale",
            Self::Failed => "failed",
            Self::Released => "released",
        }
    }
}

/// What one step leads to.
pub(super) enum Step {
    Again,
    End(Outcome),
}

/// The status that a plan asks for; `None` when nothing is to be said (the object goes, or another install speaks).
pub fn status_of(object: &Object, plan: &Plan, now: Timestamp) -> Option<ObjectStatus> {
    let going = object.metadata.deletion_timestamp.is_some()
        && !has_finalizer(object.metadata.finalizers.as_deref());
    let elsewhere = matches!(
        plan.verdict.ready,
        Ready::Stalled(Reason::ManagedElsewhere, _)
    );
    if going || elsewhere || looks_again(object, plan) {
        return None;
    }
    Some(object_status(
        object.status.as_ref(),
        object.metadata.generation.unwrap_or_default(),
        &plan.verdict,
        now,
    ))
}

/// Is this only a new process that has not read yet what the status of this very generation already tells? Saying so
/// would turn every object not ready and back at each restart.
fn looks_again(object: &Object, plan: &Plan) -> bool {
    let Some(status) = &object.status else {
        return false;
    };
    let told = status
        .conditions
        .iter()
        .find(|c| c.type_ == "Ready" && c.observed_generation == object.metadata.generation);
    // Nor has its connection been looked at yet: whatever it waits for, that is no news of it.
    let unasked = matches!(plan.verdict.ready, Ready::Progress(Reason::LookingUp, _))
        && plan.action == Action::Rest;
    if unasked && told.is_some() {
        return true;
    }
    let again = match (&plan.verdict.ready, told) {
        (Ready::Progress(Reason::LookingUp, _), told) => told.is_some(),
        // Nor can it be read (R21), and that is told, too.
        (Ready::Progress(reason @ Reason::ConnectionReadOnly, _), Some(told)) => {
            told.reason == reason.to_string()
        }
        _ => false,
    };
    again && status.id.is_some() && plan.verdict.row.is_none()
}

impl<C: Cluster, P: Door, K: Clock> Engine<C, P, K> {
    /// One turn.
    pub(super) async fn object_turn(&self, name: &ObjectName, place: &Place) -> Outcome {
        for _ in 0..STEPS {
            let object = match self.certain_copy(name).await {
                Ok(Some(object)) => object,
                Ok(None) => return Outcome::Forgotten,
                Err(error) => return self.cluster_failed(name, &error),
            };
            let now = self.clock.now();
            let plan = {
                let mut state = self.lock();
                let plan = state.plan(name, &object, now);
                state.say_late(name, &plan);
                plan
            };
            match self.step(name, place, &object, &plan, now).await {
                Step::Again => {}
                Step::End(outcome @ (Outcome::Released | Outcome::Stale | Outcome::Failed)) => {
                    return outcome;
                }
                Step::End(outcome) => {
                    self.report(name, &object, &plan).await;
                    return outcome;
                }
            }
        }
        let now = self.clock.now();
        self.lock()
            .push(&Key::Object(name.clone()), Lane::Change, now);
        Outcome::Stale
    }

    /// The copy in the store, unless its record is older than one we have seen: then a live GET decides.
    async fn certain_copy(&self, name: &ObjectName) -> Result<Option<Arc<Object>>, ClusterError> {
        let (copy, seq, of) = {
            let state = self.lock();
            let Some(copy) = state.stores.get(name) else {
                return Ok(None);
            };
            let uid = copy.metadata.uid.clone().unwrap_or_default();
            let seq = state
                .memos
                .get(name)
                .filter(|m| m.uid == uid)
                .map_or(0, |m| m.seq);
            let has = state.stores.record(&copy).own().map_or(0, |r| r.seq);
            (copy, if has < seq { Some(seq) } else { None }, uid)
        };
        if seq.is_none() {
            return Ok(Some(copy));
        }
        let live: Option<Object> = self.cluster.get(&name.kind, &name.plain()).await?;
        let now = self.clock.now();
        let mut state = self.lock();
        state.adopt_copy(name, &of, live, now);
        let Some(copy) = state.stores.get(name) else {
            return Ok(None);
        };
        // What the API server has now is so: a record that was stripped is gone, a lower one was restored.
        let has = state.stores.record(&copy).own().map_or(0, |r| r.seq);
        let uid = copy.metadata.uid.clone().unwrap_or_default();
        state.memo(name, &uid).seq = has;
        Ok(Some(copy))
    }

    async fn step(
        &self,
        name: &ObjectName,
        place: &Place,
        object: &Object,
        plan: &Plan,
        now: Timestamp,
    ) -> Step {
        let key = Key::Object(name.clone());
        match &plan.action {
            Action::Rest => {
                let mut state = self.lock();
                state.rest(&key, name, place, plan, now);
                Step::End(Outcome::Rested)
            }
            Action::Look(look) => {
                let mut state = self.lock();
                if let Some(until) = plan.wake {
                    state.wake(&key, Why::Plan, until);
                }
                let op = match look {
                    Look::Id { tree, id } => Op::LookId {
                        tree: *tree,
                        id: id.clone(),
                    },
                    Look::Created { tree, parent, name } => Op::LookCreated {
                        tree: *tree,
                        parent: parent.clone(),
                        name: name.clone(),
                    },
                    Look::Review { tree, id } => {
                        state.rested(name, plan, now);
                        Op::LookReview {
                            tree: *tree,
                            id: id.clone(),
                        }
                    }
                    Look::Name(wanted) => {
                        let uid = object.metadata.uid.clone().unwrap_or_default();
                        if state.ask_name(place, name, &uid, wanted) {
                            return Step::End(Outcome::Parked);
                        }
                        Op::LookName(wanted.clone())
                    }
                };
                state.park(place, name, op, now);
                Step::End(Outcome::Parked)
            }
            Action::SetStatus(wish) => {
                let op = Op::SetStatus(wish.clone());
                self.lock().park(place, name, op, now);
                if wish.to == OperationStatus::Disable {
                    // It does not wait for the end of this turn, nor of any other.
                    self.nudge();
                }
                Step::End(Outcome::Parked)
            }
            Action::Update { tree, id, changes } => {
                let op = Op::Update {
                    tree: *tree,
                    id: id.clone(),
                    changes: changes.clone(),
                };
                self.lock().park(place, name, op, now);
                Step::End(Outcome::Parked)
            }
            Action::Appeal(wish) => {
                let op = Op::Appeal(wish.clone());
                self.lock().park(place, name, op, now);
                Step::End(Outcome::Parked)
            }
            Action::SetCreatives { ad, creatives, to } => {
                let op = Op::SetCreatives {
                    ad: ad.clone(),
                    creatives: creatives.clone(),
                    to: *to,
                };
                self.lock().park(place, name, op, now);
                Step::End(Outcome::Parked)
            }
            // What shares a call with others waits for them.
            Action::Mark(record) if create_batch(name.kind, record.tree) > 1 => {
                let mut state = self.lock();
                let uid = object.metadata.uid.clone().unwrap_or_default();
                let op = Op::Create {
                    tree: record.tree,
                    parent: record.parent.clone(),
                    name: record.name.clone(),
                    alone: state.memo(name, &uid).alone,
                };
                state.park(place, name, op, now);
                Step::End(Outcome::Parked)
            }
            Action::Mark(record) => self.create(name, place, object, record).await,
            // Only right after its mark, in the same turn: see `create`. A mark that is found unsent is renewed.
            Action::Create { .. } => {
                let Some(own) = self.lock().stores.record(object).own().cloned() else {
                    return Step::End(Outcome::Stale);
                };
                let unmarked = Record {
                    mark: None,
                    ..own.next()
                };
                self.write(name, object, &unmarked).await
            }
            Action::Write(record) => {
                let written = self.write(name, object, record).await;
                if let (Step::Again, Some(tell)) = (&written, &plan.tell) {
                    tracing::info!(kind = %name.kind, object = %name, reason = tell.reason, "noted");
                    let uid = object.metadata.uid.clone().unwrap_or_default();
                    self.lock().tell(name, &uid, tell.clone());
                }
                written
            }
            Action::Unfinalize => {
                let finalizers = without_ours(object);
                self.patch(name, object, Some(finalizers), None).await
            }
            Action::Release {
                left_active,
                warning,
                message,
            } => {
                self.release(name, object, (*left_active, *warning), message.as_deref())
                    .await
            }
        }
    }

    /// Announce, send, keep the id: with call slot and budget in hand from before the announcement.
    async fn create(
        &self,
        name: &ObjectName,
        place: &Place,
        object: &Object,
        record: &Record,
    ) -> Step {
        let Some(account) = place.clone() else {
            return Step::End(Outcome::Stale);
        };
        let now = self.clock.now();
        let content = self.new_object(name, object, record, now);
        let announced = Call::Create {
            advertiser: account.advertiser.clone(),
            kind: name.kind,
            tree: record.tree,
            objects: Vec::new(),
        };
        let Ok(slot) = self.begin(&account, announced.path(), Begin::Create(name)) else {
            return Step::End(Outcome::Parked);
        };
        // The mark: from here on a crash leaves an announced create, which is looked for before anything else.
        let marked = self.write(name, object, record).await;
        let again = match marked {
            Step::Again => self.plan_marked(name, record),
            Step::End(_) => None,
        };
        match create_after(content, again.as_ref()) {
            Some(content) => {
                self.send_create(name, &account, slot, record.tree, content, record)
                    .await;
            }
            None => drop(slot),
        }
        marked
    }

    /// The plan from the copy that the API server answered the mark with.
    pub(super) fn plan_marked(&self, name: &ObjectName, record: &Record) -> Option<Plan> {
        let now = self.clock.now();
        let mut state = self.lock();
        let memo = state.memo(name, &record.uid);
        memo.attempt_of = Some((record.key.clone(), record.attempt));
        memo.memory.attempt = Some(Attempt::Unsent);
        let copy = state.stores.get(name)?;
        Some(state.plan(name, &copy, now))
    }

    async fn send_create(
        &self,
        name: &ObjectName,
        account: &super::account::AccountId,
        slot: Reserved<'_, C, P, K>,
        tree: Tree,
        object: NewObject,
        record: &Record,
    ) {
        let call = Call::Create {
            advertiser: account.advertiser.clone(),
            kind: name.kind,
            tree,
            objects: vec![object],
        };
        let sent = self.send(account, &call).await;
        drop(slot);
        let made = sent.map(|answer: Answer| match answer.reply {
            Reply::Created(rows) => rows.into_iter().next().flatten(),
            _ => None,
        });
        self.learn_created(name, account, record, made);
    }

    /// Writes record and finalizer by compare-and-swap.
    pub(super) async fn write(&self, name: &ObjectName, object: &Object, record: &Record) -> Step {
        let mut finalizers = object.metadata.finalizers.clone().unwrap_or_default();
        if object.metadata.deletion_timestamp.is_none() && !has_finalizer(Some(&finalizers)) {
            finalizers.push(FINALIZER.into());
        }
        self.patch(name, object, Some(finalizers), Some(record))
            .await
    }

    async fn patch(
        &self,
        name: &ObjectName,
        object: &Object,
        finalizers: Option<Vec<String>>,
        record: Option<&Record>,
    ) -> Step {
        let patch = MetaPatch {
            uid: object.metadata.uid.clone().unwrap_or_default(),
            resource_version: object.metadata.resource_version.clone().unwrap_or_default(),
            finalizers,
            annotations: record
                .map(|r| (RECORD.to_string(), r.text()))
                .into_iter()
                .collect(),
        };
        match self
            .cluster
            .patch_meta::<Object>(&name.kind, &name.plain(), &patch)
            .await
        {
            Ok(written) => {
                let now = self.clock.now();
                let of = object.metadata.uid.clone().unwrap_or_default();
                self.lock().adopt_copy(name, &of, Some(written), now);
                Step::Again
            }
            Err(error) => self.lost(name, object, &error).await,
        }
    }

    /// A failed compare-and-swap: a fresh copy decides what is so. Never the same patch again.
    async fn lost(&self, name: &ObjectName, object: &Object, error: &ClusterError) -> Step {
        if matches!(error, ClusterError::Changed | ClusterError::Unclear(_)) {
            match self.cluster.get::<Object>(&name.kind, &name.plain()).await {
                Ok(live) => {
                    let now = self.clock.now();
                    let mut state = self.lock();
                    state.adopt_live(name, object, live, now);
                    state.push(&Key::Object(name.clone()), Lane::Change, now);
                    return Step::End(Outcome::Stale);
                }
                Err(again) => return Step::End(self.cluster_failed(name, &again)),
            }
        }
        Step::End(self.cluster_failed(name, error))
    }

    async fn release(
        &self,
        name: &ObjectName,
        object: &Object,
        (left_active, warning): (bool, bool),
        message: Option<&str>,
    ) -> Step {
        let finalizers = without_ours(object);
        let uid = object.metadata.uid.clone().unwrap_or_default();
        // Its end may be seen before the answer is.
        self.lock().memo(name, &uid).released = true;
        if let Step::End(outcome) = self.patch(name, object, Some(finalizers), None).await {
            if let Some(memo) = self.lock().memos.get_mut(name).filter(|m| m.uid == uid) {
                memo.released = false;
            }
            return Step::End(outcome);
        }
        let id = self.lock().own_id(object);
        tracing::info!(kind = %name.kind, object = %name, id = id.as_deref().unwrap_or(""), left_active, "released");
        if left_active {
            self.metrics.released_active();
        }
        if left_active || message.is_some() {
            let told = self
                .lock()
                .released(name, object, left_active, warning, message);
            self.publish(told).await;
        }
        let now = self.clock.now();
        let mut state = self.lock();
        if let Some(connection) = state.connection_of(object) {
            state.push(&Key::Connection(connection), Lane::Event, now);
        }
        Step::End(Outcome::Released)
    }

    /// Compares first: a no-op write costs the server as much as a real one.
    async fn report(&self, name: &ObjectName, object: &Object, plan: &Plan) {
        let now = self.clock.now();
        let Some(status) = status_of(object, plan, now) else {
            self.say_elsewhere(name, object, plan).await;
            return;
        };
        if object.status.as_ref() == Some(&status) {
            self.metrics.status_skipped();
            return;
        }
        let Ok(value) = serde_json::to_value(&status) else {
            return;
        };
        let version = object.metadata.resource_version.clone().unwrap_or_default();
        let _permit = self.status_slots.acquire().await;
        self.metrics.status_sent();
        match self
            .cluster
            .apply_status::<Object>(&name.kind, &name.plain(), &version, value)
            .await
        {
            Ok(written) => {
                self.announce(name, object, &status, plan).await;
                let now = self.clock.now();
                let of = object.metadata.uid.clone().unwrap_or_default();
                self.lock().adopt_copy(name, &of, Some(written), now);
            }
            // Somebody was faster: the watch brings the new copy, or this turn's successor reads it.
            Err(error) => {
                if let Step::End(Outcome::Failed) = self.lost(name, object, &error).await {
                    tracing::debug!(kind = %name.kind, object = %name, %error, "status not written");
                }
            }
        }
    }

    /// The other install owns the status; here it is said once, as an event.
    async fn say_elsewhere(&self, name: &ObjectName, object: &Object, plan: &Plan) {
        let Ready::Stalled(reason @ Reason::ManagedElsewhere, message) = &plan.verdict.ready else {
            return;
        };
        let uid = object.metadata.uid.clone().unwrap_or_default();
        {
            let mut state = self.lock();
            let memo = state.memo(name, &uid);
            if std::mem::replace(&mut memo.said_elsewhere, true) {
                return;
            }
        }
        tracing::info!(kind = %name.kind, object = %name, reason = %reason, %message, "left alone");
        self.note(Note {
            kind: name.kind.name(),
            about: name.plain(),
            uid,
            warning: true,
            reason: reason.to_string(),
            message: message.clone(),
        })
        .await;
    }

    fn cluster_failed(&self, name: &ObjectName, error: &ClusterError) -> Outcome {
        let now = self.clock.now();
        let mut state = self.lock();
        let uid = state.stores.uid(name);
        let settings = state.settings.backoff;
        let memo = state.memo(name, &uid);
        memo.memory.failures += 1;
        let wait = super::calls::backoff(settings, memo.memory.failures);
        memo.memory.problem = Some(Problem {
            reason: Reason::Retrying,
            message: error.to_string(),
        });
        tracing::warn!(kind = %name.kind, object = %name, %error, "the API server did not take it");
        state.wake(&Key::Object(name.clone()), Why::Backoff, now + wait);
        Outcome::Failed
    }
}

impl super::state::State {
    /// What a write answered, or a live read found, replaces the copy at once.
    pub fn adopt_copy(
        &mut self,
        name: &ObjectName,
        of: &str,
        copy: Option<Object>,
        now: Timestamp,
    ) {
        let old = self.stores.put(name, of, copy);
        self.adopted(name, old.as_deref(), now);
    }

    /// What a live read found after a write was refused because `refused` is not what is there any more.
    pub fn adopt_live(
        &mut self,
        name: &ObjectName,
        refused: &Object,
        live: Option<Object>,
        now: Timestamp,
    ) {
        let old = self.stores.put_live(name, refused, live);
        self.adopted(name, old.as_deref(), now);
    }

    fn adopted(&mut self, name: &ObjectName, old: Option<&Object>, now: Timestamp) {
        self.object_put(name, old, now);
        if let Some(object) = self.stores.get(name) {
            let seq = self.stores.record(&object).own().map_or(0, |r| r.seq);
            let uid = object.metadata.uid.clone().unwrap_or_default();
            let memo = self.memo(name, &uid);
            memo.seq = memo.seq.max(seq);
        }
    }

    /// The id that an object's record names.
    pub fn own_id(&self, object: &Object) -> Option<String> {
        self.stores.record(object).own().and_then(|r| r.id.clone())
    }

    /// Since when the platform is as wanted.
    fn rested(&mut self, name: &ObjectName, plan: &Plan, now: Timestamp) {
        let in_sync =
            matches!(plan.verdict.ready, Ready::Yes(..)) && plan.verdict.differences.is_empty();
        if let Some(memo) = self.memos.get_mut(name) {
            if in_sync {
                memo.in_sync_since = memo.in_sync_since.or(Some(now));
                memo.memory.failures = 0;
                memo.memory.problem = None;
            } else {
                memo.in_sync_since = None;
            }
        }
    }

    /// A turn that has nothing to do.
    fn rest(&mut self, key: &Key, name: &ObjectName, place: &Place, plan: &Plan, now: Timestamp) {
        self.rested(name, plan, now);
        if let Some(account) = place.as_ref().and_then(|id| self.accounts.get_mut(id)) {
            account.outbox.remove(name);
        }
        // A question for a name grows old: it is asked again while somebody waits for the name to become free.
        let asking = self.memos.get(name).is_some_and(|m| m.asked.is_some());
        let wake = plan
            .wake
            .or_else(|| asking.then(|| now + self.settings.names_fresh));
        match wake {
            Some(when) => self.lines(place).due.set(key, Why::Plan, when),
            None => self.lines(place).due.clear(key, Why::Plan),
        }
    }
}

fn without_ours(object: &Object) -> Vec<String> {
    object
        .metadata
        .finalizers
        .iter()
        .flatten()
        .filter(|f| *f != FINALIZER)
        .cloned()
        .collect()
}
