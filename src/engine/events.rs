//! Events and log lines: one per change, none per no-op.

use std::collections::VecDeque;

use super::account::AccountId;
use super::doors::{Clock, Cluster, Note, ObjectName};
use super::run::Engine;
use super::state::{Expect, State, has_finalizer};
use crate::api::status::ObjectStatus;
use crate::model::effective::Effective;
use crate::model::facts::ConnectionView;
use crate::model::object::Object;
use crate::model::plan::{Action, Plan, untouched};
use crate::model::report::{Ready, drift_told};
use crate::model::tell::{self, Tell};
use crate::platform::{Door, OperationState, clean};

/// Characters of an event's message; the API server takes 1,024 bytes.
const LONGEST: usize = 1024;
/// Events that may be under way at a time.
const AT_A_TIME: usize = 8;
/// Events that wait at most. More than that is a storm, and the API server is not to be buried under it.
const WAITING: usize = 20_000;

/// Events that wait to be published.
#[derive(Debug, Default)]
pub struct Unsaid {
    /// This process acts. One that only watches says nothing, also not later.
    open: bool,
    notes: VecDeque<Said>,
    under_way: usize,
}

/// An event, and what else is counted with it.
#[derive(Debug)]
pub(super) struct Said {
    note: Note,
    /// It is published about the operator's own Deployment.
    home: bool,
    /// R22: it speaks of something that was let go while it may be on, and is counted when it is said.
    left_active: bool,
}

impl<C: Cluster, P: Door, K: Clock> Engine<C, P, K> {
    /// Tells what changed between the status that was shown and the one that is shown now.
    pub(super) async fn announce(
        &self,
        name: &ObjectName,
        object: &Object,
        status: &ObjectStatus,
        plan: &Plan,
    ) {
        let ready_before = reason(object.status.as_ref(), "Ready");
        let drifted_before = is_true(object.status.as_ref(), "Drifted");
        let uid = object.metadata.uid.clone().unwrap_or_default();
        let mut notes = Vec::new();
        let mut note = |warning: bool, reason: String, message: String| {
            notes.push(Note {
                kind: name.kind.name(),
                about: name.plain(),
                uid: uid.clone(),
                warning,
                reason,
                message,
            });
        };
        if is_true(Some(status), "Drifted") && !drifted_before {
            note(true, "Drifted".into(), drift_told(&plan.verdict));
        }
        for type_ in ["SideEffect", "Approved"] {
            // R15 is told once; of reviews only the refusal is worth a warning.
            let told = |status: Option<&ObjectStatus>| {
                let wanted = if type_ == "Approved" { "False" } else { "True" };
                let found = status?.conditions.iter().find(|c| c.type_ == type_);
                found
                    .filter(|c| c.status == wanted)
                    .map(|c| (c.reason.clone(), c.message.clone()))
            };
            let before = told(object.status.as_ref());
            if let Some((reason, message)) = told(Some(status)) {
                // A refusal shows in the ad's status before its reasons are read: they are worth a word of their own.
                let reasons = status
                    .review
                    .as_ref()
                    .is_some_and(|r| !r.reasons.is_empty());
                let more = type_ == "Approved" && reasons;
                if before.is_none_or(|(_, was)| more && was != message) {
                    note(true, reason, message);
                }
            }
        }
        let (Ready::Yes(why, message)
        | Ready::Progress(why, message)
        | Ready::Stalled(why, message)) = &plan.verdict.ready;
        if ready_before.as_deref() != Some(&why.to_string()) {
            match &plan.verdict.ready {
                Ready::Yes(..) => note(
                    *why == crate::model::reason::Reason::PausedOutside,
                    why.to_string(),
                    message.clone(),
                ),
                Ready::Stalled(..) => note(true, why.to_string(), message.clone()),
                // On the way: the condition says it, an event for each step would only cost writes.
                Ready::Progress(..) => {}
            }
            tracing::info!(kind = %name.kind, object = %name, reason = %why, %message, "now");
        }
        for n in notes {
            self.note(n).await;
        }
    }

    /// The next event that may be published now.
    pub(super) fn next_said(&self) -> Option<Said> {
        self.lock().next_said()
    }

    /// Publishes what waited.
    pub(super) async fn say(&self, said: Said) {
        if said.left_active {
            self.metrics.released_active();
        }
        let about = said.note.about.clone();
        self.guarded("event", &about, self.publish(said)).await;
        self.lock().unsaid.under_way -= 1;
    }

    /// Publishes an event about what it names; a lost one is logged and not repeated.
    pub(super) async fn note(&self, note: Note) {
        self.publish(Said {
            note,
            home: false,
            left_active: false,
        })
        .await;
    }

    /// Publishes an event where it belongs.
    pub(super) async fn publish(&self, said: Said) {
        // R19: names from TikTok are part of what is told.
        let note = Note {
            message: clean(&said.note.message, LONGEST),
            ..said.note
        };
        let done = match said.home {
            true => self.cluster.note_at_home(&note).await,
            false => self.cluster.note(&note).await,
        };
        if let Err(error) = done {
            tracing::warn!(about = %note.about, reason = %note.reason, %error, "event not published");
        }
    }
}

impl State {
    /// This process acts from now on.
    pub(super) fn begin_to_say(&mut self) {
        self.unsaid.open = true;
    }

    /// The next event that may be published now.
    pub(super) fn next_said(&mut self) -> Option<Said> {
        if self.unsaid.under_way >= AT_A_TIME {
            return None;
        }
        let said = self.unsaid.notes.pop_front()?;
        self.unsaid.under_way += 1;
        Some(said)
    }

    /// Says what was done to an object.
    pub(super) fn tell(&mut self, name: &ObjectName, uid: &str, tell: Tell) {
        // No event can be made in a namespace that ends; on the Deployment only what somebody has to see is of use.
        if self.stores.terminating.contains(&name.namespace) && !tell.warning {
            return;
        }
        self.say_soon(Said {
            note: Note {
                kind: name.kind.name(),
                about: name.plain(),
                uid: uid.into(),
                warning: tell.warning,
                reason: tell.reason.into(),
                message: tell.message,
            },
            home: false,
            left_active: false,
        });
    }

    fn say_soon(&mut self, said: Said) {
        if !self.unsaid.open {
            return;
        }
        if self.unsaid.notes.len() >= WAITING {
            tracing::warn!(about = %said.note.about, reason = %said.note.reason, "too many events wait; this one is not published");
            return;
        }
        self.unsaid.notes.push_back(said);
    }

    /// R22: what is said of an object that was let go. It is gone in a moment, and its events with it for whoever looks at
    /// what there is: so what somebody has to look at is told at its connection or, if that is gone, at the operator's own
    /// Deployment.
    pub(super) fn released(
        &self,
        name: &ObjectName,
        object: &Object,
        left_active: bool,
        warning: bool,
        why: Option<&str>,
    ) -> Said {
        let id = self
            .own_id(object)
            .or_else(|| object.status.as_ref()?.id.clone());
        let id = id.map(|id| format!(" ({} {id})", name.kind.noun()));
        let on = match left_active {
            true => " while it may still be on",
            false => "",
        };
        let mut note = Note {
            kind: name.kind.name(),
            about: name.plain(),
            uid: object.metadata.uid.clone().unwrap_or_default(),
            warning: left_active || warning,
            reason: "Released".into(),
            message: format!(
                "{} {name}{} was released{on}{}",
                name.kind,
                id.unwrap_or_default(),
                why.map(|why| format!(": {why}")).unwrap_or_default()
            ),
        };
        let mut home = false;
        if note.warning {
            let connection = self.connection_of(object);
            let found = connection.and_then(|c| Some((self.stores.connections.get(&c)?, c)));
            home = found.is_none();
            if let Some((found, connection)) = found {
                note.kind = "TikTokConnection";
                note.about = connection;
                note.uid = found.metadata.uid.clone().unwrap_or_default();
            }
        }
        Said {
            note,
            home,
            left_active: false,
        }
    }

    /// A write had no clear answer, and a look has shown since what became of it.
    pub(super) fn say_late(&mut self, name: &ObjectName, plan: &Plan) {
        let Some(memo) = self.memos.get_mut(name) else {
            return;
        };
        let Some((expect, _)) = &memo.unsure else {
            return;
        };
        let gone = matches!(plan.action, Action::Release { .. });
        let done = match (expect, &plan.verdict.row) {
            (Expect::Is(OperationState::Deleted), None) if gone => true,
            (Expect::Is(state), Some(row)) => row.operation == *state,
            (Expect::Budget(budget), Some(row)) => row.budget == Some(*budget),
            // Not read yet.
            (_, None) => return,
        };
        let uid = memo.uid.clone();
        if let Some((_, tell)) = memo.unsure.take().filter(|_| done) {
            tracing::info!(kind = %name.kind, object = %name, reason = tell.reason, "was done, as is seen now");
            self.tell(name, &uid, tell);
        }
    }

    /// R22: an object without our finalizer is gone before anybody can do anything about it. What it leaves running is
    /// told; that it was only looked at is no alarm.
    pub(super) fn say_let_go(&mut self, name: &ObjectName, old: &Object) {
        let meta = &old.metadata;
        if has_finalizer(meta.finalizers.as_deref()) {
            return;
        }
        let record = self.stores.record(old).own().cloned();
        let own = record.as_ref().and_then(|r| r.id.clone());
        let Some(id) = own.clone().or_else(|| old.status.as_ref()?.id.clone()) else {
            return;
        };
        let view = match self.connection_of(old) {
            Some(connection) => self.view(&connection),
            None => ConnectionView::Missing,
        };
        let adopted = record.as_ref().is_none_or(|r| r.adopted);
        let effective = Effective::of(&old.life(), &view, adopted);
        if !effective.hands_off() {
            return;
        }
        let (account, currency) = match &view {
            ConnectionView::Usable(a) => (
                Some(AccountId {
                    app: a.app.clone(),
                    advertiser: a.advertiser.clone(),
                }),
                a.currency.as_str(),
            ),
            _ => (None, ""),
        };
        let account = account.and_then(|id| self.accounts.get(&id));
        let row = account.and_then(|a| a.table.last_known(&(name.kind, id.clone())));
        let left = match row {
            Some(row) if row.operation == OperationState::On => {
                format!("it is {}", tell::standing(row, currency))
            }
            None if record.as_ref().is_some_and(|r| r.seen_on) => {
                "it may be on, look in Ads Manager".into()
            }
            _ => return,
        };
        let why = format!("{}; {left}", untouched(effective.mode));
        tracing::info!(kind = %name.kind, object = %name, %id, %why, "released");
        let said = self.released(name, old, own.is_some(), false, Some(&why));
        self.say_soon(Said {
            left_active: own.is_some(),
            ..said
        });
    }
}

fn reason(status: Option<&ObjectStatus>, type_: &str) -> Option<String> {
    status?
        .conditions
        .iter()
        .find(|c| c.type_ == type_)
        .map(|c| c.reason.clone())
}

fn is_true(status: Option<&ObjectStatus>, type_: &str) -> bool {
    status.is_some_and(|s| {
        s.conditions
            .iter()
            .any(|c| c.type_ == type_ && c.status == "True")
    })
}
