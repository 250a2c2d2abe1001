//! One next step for one object, and why. The executor has no choices left.

mod adopt;
mod clock;
mod converge;
mod create;
mod end;
mod holds;
mod observe;
mod review;
mod together;
mod unclear;

use super::diff::Difference;
use super::effective::Effective;
use super::facts::{
    Access, Account, ConnectionView, Facts, Have, Look, ParentObject, ParentView, Refusable,
};
use super::reason::Reason;
use super::record::{Record, RecordState};
use super::report::{Ready, Verdict};
use super::tell::Tell;
use super::wanted::{Group, Wanted};
use crate::api::common::DeletionPolicy;
use crate::api::{FINALIZER, TAKE_OVER};
use crate::platform::{Changes, Kind, NewObject, OperationState, OperationStatus, Row, Tree};
pub use end::untouched;
use jiff::Timestamp;
pub use together::side_effects;

/// The decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The one thing to do now.
    pub action: Action,
    /// What to tell.
    pub verdict: Verdict,
    /// Plan again at this time even if nothing happens.
    pub wake: Option<Timestamp>,
    /// What is said as an event once the action is done: that something was made, or costs another amount now.
    pub tell: Option<Tell>,
}

/// One step. After each the object is planned again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Nothing to do.
    Rest,
    /// Something must be read first.
    Look(Look),
    /// Announce a create: finalizer and record, by compare-and-swap, with call slot and budget in hand.
    Mark(Record),
    /// Send the create that was just announced, and only that.
    Create { tree: Tree, object: Box<NewObject> },
    /// Write the record (and the finalizer) by compare-and-swap.
    Write(Record),
    /// Take the finalizer off a living object (Observe and Plan hold nothing back).
    Unfinalize,
    /// Change fields.
    Update {
        tree: Tree,
        id: String,
        changes: Box<Changes>,
    },
    /// Switch on, off, or delete.
    SetStatus(StatusWish),
    /// Switch single creatives of a Smart+ ad.
    SetCreatives {
        ad: String,
        creatives: Vec<String>,
        to: OperationStatus,
    },
    /// R28: appeal against the rejection of an ad.
    Appeal(AppealWish),
    /// Let the object go.
    Release {
        /// It was, or may still be, switched on.
        left_active: bool,
        /// Somebody should know of it.
        warning: bool,
        message: Option<String>,
    },
}

/// A wish for a status call. Wishes that are equal but for the id share a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusWish {
    pub tree: Tree,
    pub id: String,
    pub to: OperationStatus,
    /// R7: which window a pause keeps.
    pub postback: Option<&'static str>,
    /// R5: an ad whose creatives TikTok combines is named otherwise.
    pub automated_creative: bool,
}

impl StatusWish {
    /// For a row.
    pub fn new(row: &Row, to: OperationStatus) -> Self {
        Self {
            tree: row.tree,
            id: row.id.clone(),
            to,
            postback: None,
            automated_creative: row.is_automated_creative(),
        }
    }
}

/// An appeal against the rejection of an ad (R28).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppealWish {
    pub tree: Tree,
    pub ad: String,
    pub ad_group: Option<String>,
    pub reason: String,
}

/// Plans one step.
pub fn plan(f: &Facts) -> Plan {
    let planner = Planner::new(f);
    let mut plan = match &f.record {
        RecordState::Unreadable(why) => planner.stalled(
            Reason::RecordUnreadable,
            format!("the annotation {} cannot be read ({why}); restore it from a backup, nothing is done until then", crate::api::RECORD),
        ),
        RecordState::Elsewhere(record) => planner.elsewhere(record),
        _ if planner.ending() => planner.end(),
        _ => planner.live(),
    };
    planner.look_first(&mut plan);
    planner.review(&mut plan);
    planner.out_of_reach(&mut plan);
    plan
}

/// The content of the create that a record announces (see [`Action::Mark`]).
pub fn new_object(f: &Facts, record: &Record) -> NewObject {
    Planner::new(f).new_object(record)
}

struct Planner<'a> {
    f: &'a Facts<'a>,
    effective: Effective,
    kind: Kind,
    tree: Tree,
    wanted: Wanted,
    /// The spec says that it is deleted with its object, but only its name says that it is the one that is meant.
    spared: bool,
}

impl<'a> Planner<'a> {
    fn new(f: &'a Facts<'a>) -> Self {
        let adopted = match &f.record {
            RecordState::Own(record) => record.adopted,
            _ => f.object.life().external_id.is_some(),
        };
        let in_tree = match &f.parent {
            ParentView::There(parent) => Some(parent.tree),
            _ => None,
        };
        let tree = (f.object.spec.own_tree())
            .or(f.record.own().map(|r| r.tree))
            .or(in_tree)
            .unwrap_or(Tree::Manual);
        let mut effective = Effective::of(&f.object.life(), f.connection, adopted);
        // A deletion is final, and a name is no proof of whose an object is.
        let by_name = f.record.own().is_some_and(|record| {
            record.adopted
                && record.id.is_some()
                && f.object.life().external_id != record.id.as_ref()
        });
        let spared = by_name && effective.deletion == DeletionPolicy::Delete;
        if spared {
            effective.deletion = DeletionPolicy::Pause;
        }
        let mut planner = Self {
            f,
            effective,
            kind: f.object.kind(),
            tree,
            wanted: Wanted::default(),
            spared,
        };
        planner.wanted = planner.wanted_at(f.platform_now);
        planner
    }

    /// What the spec asks for at a time (a start that has passed is another one then).
    fn wanted_at(&self, at: Timestamp) -> Wanted {
        let object = self.f.object;
        object.wanted(at, self.tree, self.account(), self.parent())
    }

    fn account(&self) -> Option<&'a Account> {
        match self.f.connection {
            ConnectionView::Usable(account) => Some(account),
            _ => None,
        }
    }

    fn parent(&self) -> Option<&'a ParentObject> {
        match &self.f.parent {
            ParentView::There(parent) => Some(parent),
            _ => None,
        }
    }

    fn noun(&self) -> &'static str {
        self.kind.noun()
    }

    /// The account's currency, to put behind an amount.
    fn unit(&self) -> &str {
        self.account().map_or("", |account| &account.currency)
    }

    // ---- who owns it ----

    fn elsewhere(&self, record: &Record) -> Plan {
        let asked = self.annotation(TAKE_OVER) == Some(self.f.install);
        if asked && !self.ending() && !self.effective.hands_off() {
            let moved = Record {
                install: self.f.install.into(),
                uid: self.uid(),
                ..record.next()
            };
            return self.progress(
                Action::Write(moved),
                Reason::Updating,
                "taking the object over from another install",
            );
        }
        self.stalled(
            Reason::ManagedElsewhere,
            format!(
                "the install {} manages this object; to move it here, annotate it with {TAKE_OVER}: {}",
                record.install, self.f.install
            ),
        )
    }

    /// R23: what TikTok says may be otherwise by now is looked up before anything else is sent for it, pauses and deletions
    /// excepted. What is told meanwhile is what is known.
    fn look_first(&self, plan: &mut Plan) {
        let Have::Present(seen) = &self.f.have else {
            return;
        };
        let waits = match &plan.action {
            Action::Rest
            | Action::Look(Look::Id { .. } | Look::Review { .. })
            | Action::Update { .. }
            | Action::SetCreatives { .. }
            | Action::Appeal(_) => true,
            Action::SetStatus(wish) => wish.to == OperationStatus::Enable,
            _ => false,
        };
        if seen.hinted && waits && self.backing_off().is_none() {
            plan.action = Action::Look(Look::Id {
                tree: seen.row.tree,
                id: seen.row.id.clone(),
            });
        }
    }

    // ---- small questions ----

    fn ending(&self) -> bool {
        self.f.object.metadata.deletion_timestamp.is_some() || self.f.namespace_terminating
    }

    fn has_finalizer(&self) -> bool {
        self.f
            .object
            .metadata
            .finalizers
            .as_ref()
            .is_some_and(|all| all.iter().any(|f| f == FINALIZER))
    }

    fn annotation(&self, name: &str) -> Option<&str> {
        self.f
            .object
            .metadata
            .annotations
            .as_ref()?
            .get(name)
            .map(String::as_str)
    }

    fn uid(&self) -> String {
        self.f.object.metadata.uid.clone().unwrap_or_default()
    }

    fn refused(&self, what: Refusable) -> Option<(Reason, String)> {
        let generation = self.f.object.metadata.generation.unwrap_or_default();
        let refused = self.f.memory.refused.as_ref()?;
        (refused.generation == generation && refused.what == what)
            .then(|| (refused.reason, refused.message.clone()))
    }

    /// `None`: the review that an enable was refused in is over, or may be: ask again. Else when to ask again.
    fn review_over(&self, row: &Row) -> Option<Timestamp> {
        let refused = self.f.memory.refused.as_ref()?;
        let again = refused.at + self.f.settings.review_again;
        let same = refused.seen.as_ref() == Some(&row.secondary_status);
        (same && self.f.now < again).then_some(again)
    }

    fn backing_off(&self) -> Option<Plan> {
        let until = self
            .f
            .memory
            .not_before
            .filter(|until| self.f.now < *until)?;
        let (reason, message) = self
            .f
            .memory
            .problem
            .as_ref()
            .map_or((Reason::Retrying, "trying again soon".to_string()), |p| {
                (p.reason, p.message.clone())
            });
        Some(self.waiting(until, reason, message))
    }

    /// Was the platform once as this generation of the spec says? Then a difference is drift, not work in progress.
    fn was_in_sync(&self) -> bool {
        let generation = self.f.object.metadata.generation;
        self.f
            .object
            .status
            .as_ref()
            .is_some_and(|s| s.synced_generation.is_some() && s.synced_generation == generation)
    }

    fn suspended(&self) -> Reason {
        if self.effective.read_only {
            Reason::ConnectionReadOnly
        } else if self.effective.suspended {
            Reason::AccountRestricted
        } else {
            Reason::Suspended
        }
    }

    fn suspended_message(&self, what: &str) -> String {
        if self.effective.read_only {
            format!("the connection is read-only: {what}; see the connection's banner")
        } else if self.effective.suspended {
            format!("TikTok has suspended the ad account: {what}; see the connection's status")
        } else {
            format!("mode Suspend writes nothing but pauses: {what}")
        }
    }

    fn note_window(&self, row: &Row, verdict: &mut Verdict) {
        if row.is_dedicated()
            && self.f.object.spec.postback_window().is_none()
            && row.operation == OperationState::On
        {
            verdict.notes.push((
                Reason::PauseNeedsWindow,
                "pausing this iOS 14 dedicated campaign is final and would use postback window MODE1; set spec.postbackWindowMode beforehand to choose".into(),
            ));
        }
    }

    /// R21: what the token cannot do any more is not begun. Pauses are still tried while TikTok refuses the token: nobody
    /// but TikTok knows until when. Once it has ended there is no call at all.
    fn out_of_reach(&self, plan: &mut Plan) {
        let access = self.account().map_or(Access::Full, |a| a.access);
        let pause =
            matches!(&plan.action, Action::SetStatus(wish) if wish.to == OperationStatus::Disable);
        let local = matches!(
            plan.action,
            Action::Rest | Action::Write(_) | Action::Unfinalize | Action::Release { .. }
        );
        let stays = match access {
            Access::Full | Access::ReadOnly => true,
            Access::Refused => local || pause,
            Access::Over => local,
        };
        if stays {
            return;
        }
        let noun = self.noun();
        let what = if self.ending() {
            format!(
                "the {noun} must be settled on TikTok first; authorise the connection again, or annotate this object with {}: \"true\"",
                crate::api::RELEASE
            )
        } else if pause {
            format!(
                "the pause of the {noun} does not reach TikTok; pause it in Ads Manager if you must"
            )
        } else {
            "TikTok is neither read nor written".into()
        };
        plan.action = Action::Rest;
        plan.verdict.ready = Ready::Progress(
            Reason::ConnectionReadOnly,
            format!(
                "the connection's access token cannot be used for this: {what}; see the connection's banner"
            ),
        );
    }

    // ---- plans ----

    fn plan(&self, action: Action, ready: Ready, wake: Option<Timestamp>) -> Plan {
        let mut verdict = Verdict::new(ready, self.effective.clone(), self.f.record.own());
        verdict.lost = self.lost_id().filter(|_| !verdict.lets_go());
        verdict.currency = self.account().map(|account| account.currency.clone());
        Plan {
            action,
            verdict,
            wake,
            tell: None,
        }
    }

    fn progress(&self, action: Action, reason: Reason, message: impl Into<String>) -> Plan {
        self.plan(action, Ready::Progress(reason, message.into()), None)
    }

    fn waiting(&self, until: Timestamp, reason: Reason, message: impl Into<String>) -> Plan {
        self.plan(
            Action::Rest,
            Ready::Progress(reason, message.into()),
            Some(until),
        )
    }

    fn stalled(&self, reason: Reason, message: impl Into<String>) -> Plan {
        self.plan(Action::Rest, Ready::Stalled(reason, message.into()), None)
    }

    fn done(&self, reason: Reason, message: impl Into<String>) -> Plan {
        self.plan(Action::Rest, Ready::Yes(reason, message.into()), None)
    }
}

/// What cannot be changed in a manifest is written anew; nothing is on TikTok yet that its deletion could touch.
fn apply_again(how: &str) -> String {
    format!("delete this object (nothing on TikTok is touched) and apply it again {how}")
}

fn state_difference(want: &str, have: &str) -> Difference {
    Difference {
        group: Group::State,
        field: "state",
        want: want.into(),
        have: have.into(),
    }
}
