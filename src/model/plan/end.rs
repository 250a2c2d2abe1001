//! Objects that end, and what their deletion policy asks for (R22, R32).

use super::super::facts::{Account, ConnectionView, Have, Look, Refusable};
use super::super::reason::Reason;
use super::super::record::Record;
use super::super::tell::{self, Tell};
use super::{Action, Plan, Planner, StatusWish};
use crate::api::common::{DeletionPolicy, Mode};
use crate::api::{RECORD, RELEASE};
use crate::platform::{OperationState, OperationStatus};

/// Why what was let go was neither paused nor deleted.
pub fn untouched(mode: Mode) -> String {
    format!("mode {mode:?} writes nothing, so nothing was written to TikTok")
}

impl Planner<'_> {
    pub(super) fn end(&self) -> Plan {
        let noun = self.noun();
        let deleting = self.f.object.metadata.deletion_timestamp.is_some();
        if deleting && !self.has_finalizer() {
            return self.progress(Action::Rest, Reason::Deleting, "being deleted");
        }
        let on = match &self.f.have {
            Have::Present(seen) => seen.row.operation == OperationState::On,
            Have::Unknown => self.f.record.own().is_some_and(|r| r.seen_on),
            Have::Absent => false,
        };
        if deleting && self.annotation(RELEASE) == Some("true") {
            return self.release(
                on,
                Some(format!(
                    "released by the annotation {RELEASE} without a write to TikTok{}",
                    self.left(on)
                )),
            );
        }
        let Some(record) = self.f.record.own() else {
            let told = self.f.object.status.as_ref().and_then(|s| s.id.as_ref());
            // Without its record nobody knows whose it is, so nothing is written; that it may run on must not be silent.
            return match told.filter(|_| !self.effective.hands_off()) {
                Some(id) => self.release(true, Some(format!("its record (the annotation {RECORD}) is gone, so {noun} {id}, which its status names, was not paused; it may still be on, look in Ads Manager"))),
                None => self.release(false, None),
            };
        };
        if self.effective.hands_off() {
            let told = untouched(self.effective.mode) + &self.left(on);
            return self.release(on, on.then_some(told));
        }
        let account = match self.f.connection {
            ConnectionView::Usable(account) if account.advertiser == record.advertiser => {
                Some(account)
            }
            _ => None,
        };
        let Some(id) = &record.id else {
            return match (record.mark, self.f.connection) {
                (None, _) => self.release(false, None),
                (Some(_), ConnectionView::Missing) => {
                    self.release(false, Some("its create was never cleared up and its connection is gone; look for the name in Ads Manager".into()))
                }
                // R32: the finalizer stays until the unclear create is settled.
                (Some(_), _) => self.clear_up(record, account),
            };
        };
        if self.f.rivals.id_holder.is_some() {
            return self.release(false, None);
        }
        if self.effective.deletion == DeletionPolicy::Retain {
            return self.retained(on);
        }
        match (account, self.f.connection) {
            (Some(_), _) => self.end_with_policy(record, id),
            (None, ConnectionView::Missing) => self.release(on, on.then(|| format!("its connection is gone, so {noun} {id} could not be paused; it may still be on"))),
            (None, _) => self.progress(
                Action::Rest,
                Reason::WaitingForConnection,
                format!("{noun} {id} must be settled on TikTok first, but the connection cannot be used; mend it, or annotate this object with {RELEASE}: \"true\""),
            ),
        }
    }

    /// An unclear create is looked for, with a connection that can be used.
    fn clear_up(&self, record: &Record, account: Option<&Account>) -> Plan {
        let plan = self.outstanding(record, account);
        let looks = matches!(plan.action, Action::Look(_) | Action::Rest);
        if account.is_some() || !looks {
            return plan;
        }
        self.progress(
            Action::Rest,
            Reason::WaitingForConnection,
            format!(
                "whether TikTok made the {} must be cleared up first, but the connection cannot be used; mend it, or annotate this object with {RELEASE}: \"true\" and look for its name in Ads Manager",
                self.noun()
            ),
        )
    }

    pub(super) fn end_with_policy(&self, record: &Record, id: &str) -> Plan {
        let noun = self.noun();
        let look = || {
            self.progress(
                Action::Look(Look::Id {
                    tree: record.tree,
                    id: id.into(),
                }),
                Reason::Deleting,
                format!("reading {noun} {id}"),
            )
        };
        let seen = match &self.f.have {
            Have::Unknown => return look(),
            Have::Absent => return self.release(false, None),
            Have::Present(seen) if seen.row.operation == OperationState::Deleted => {
                return self.release(false, None);
            }
            Have::Present(seen) => seen,
        };
        let on = seen.row.operation == OperationState::On;
        // R5: TikTok deletes no ad whose creatives it combines; such a one is paused.
        let delete =
            self.effective.deletion == DeletionPolicy::Delete && !seen.row.is_automated_creative();
        let waits = match self.refused(Refusable::Delete) {
            // Asked to delete it TikTok said that it is gone, and the look-up afterwards did not show it on.
            Some((Reason::ExternallyDeleted, _)) if !on => return self.release(false, None),
            Some((reason, message)) => Some(self.stalled(
                reason,
                format!("{noun} {id} is paused, but not deleted: {message}; delete it on TikTok, set spec.deletionPolicy: Pause, or annotate this object with {RELEASE}: \"true\""),
            )),
            None => self.backing_off(),
        };
        let mut plan = if delete && !self.effective.pauses_only() && !(on && waits.is_some()) {
            waits.unwrap_or_else(|| {
                self.progress(
                    Action::SetStatus(StatusWish::new(&seen.row, OperationStatus::Delete)),
                    Reason::Deleting,
                    format!("deleting {noun} {id} on TikTok"),
                )
            })
        } else if on {
            self.pause(&seen.row, true, "its Kubernetes object was deleted")
        } else if self
            .f
            .memory
            .ending_since
            .is_none_or(|since| seen.at < since)
        {
            // It was off when last read; somebody may have switched it on since.
            look()
        } else if delete {
            self.stalled(
                Reason::DeleteHeld,
                format!(
                    "{noun} {id} is paused; {}, or annotate this object with {RELEASE}: \"true\"",
                    self.why_no_delete()
                ),
            )
        } else if self.spared {
            self.release(
                false,
                Some(format!(
                    "it was adopted by its name alone, which is no proof of whose it is, so it was paused and not deleted; \
                     delete it in Ads Manager if nobody needs it. With spec.externalId: \"{id}\" it would have been deleted"
                )),
            )
        } else {
            self.release(false, None)
        };
        if matches!(&plan.action, Action::SetStatus(wish) if wish.to == OperationStatus::Delete) {
            let told = format!("deleted {noun} {id} on TikTok, for good (deletionPolicy: Delete)");
            plan.tell = Some(Tell::normal("Deleted", told));
        }
        plan.verdict.row = Some(seen.row.clone());
        plan
    }

    /// What goes on without anybody here who looks after it.
    fn left(&self, on: bool) -> String {
        match &self.f.have {
            Have::Present(seen) if on => {
                format!("; it is {}", tell::standing(&seen.row, self.unit()))
            }
            _ if on => "; it may be on, look in Ads Manager".into(),
            _ => String::new(),
        }
    }

    /// It was asked for that it stays as it is: that it runs on is told all the same.
    fn retained(&self, on: bool) -> Plan {
        let mut plan = self.release(false, None);
        if let Action::Release {
            warning, message, ..
        } = &mut plan.action
            && on
        {
            *warning = false;
            let why = match self.f.object.life().deletion_policy {
                Some(_) => "deletionPolicy Retain leaves it as it is",
                None => "what was adopted is left as it is, since spec.deletionPolicy is not said",
            };
            *message = Some(format!("{why}{}", self.left(on)));
        }
        plan
    }

    /// Why nothing is deleted, and what to do about it.
    fn why_no_delete(&self) -> String {
        if self.effective.read_only {
            "the connection is read-only, so nothing is deleted: see its banner".into()
        } else if self.effective.suspended {
            "TikTok has suspended the ad account, so nothing is deleted: wait until it runs again"
                .into()
        } else {
            format!(
                "mode {:?} deletes nothing. Set the mode to Enforce",
                self.effective.mode
            )
        }
    }

    pub(super) fn release(&self, left_active: bool, message: Option<String>) -> Plan {
        if self.f.object.metadata.deletion_timestamp.is_none() {
            // A terminating namespace: settled, and waiting to be deleted itself.
            return self.done(
                Reason::NamespaceTerminating,
                "settled; the namespace is being deleted",
            );
        }
        self.progress(
            Action::Release {
                left_active,
                warning: true,
                message,
            },
            Reason::Deleting,
            "letting go",
        )
    }
}
