//! A create whose outcome is not stored: look first, then adopt or create (R10, R11).

use std::time::Duration;

use super::super::diff::agrees_with_create;
use super::super::facts::{Account, Attempt, Look, ParentView};
use super::super::reason::Reason;
use super::super::record::Record;
use super::super::tell::{self, Tell};
use super::{Action, Plan, Planner};
use crate::platform::{OperationState, Row};

/// How often what cannot be told apart is looked at again.
const LOOK_AGAIN: Duration = Duration::from_secs(60);

impl Planner<'_> {
    pub(super) fn outstanding(&self, record: &Record, account: Option<&Account>) -> Plan {
        // What was never sent under this key, or was refused, binds nobody to its name and budget.
        let nothing_sent = || Record {
            mark: None,
            since: None,
            ..record.next()
        };
        let unmarked = || Record {
            mark: None,
            ..record.next()
        };
        match &self.f.memory.attempt {
            // R10: the key was replayed for a campaign that is gone. The next key only after a proven look-up.
            Some(Attempt::Made(row)) if row.operation == OperationState::Deleted => {
                self.find_created(record)
            }
            Some(Attempt::Made(row)) => {
                if let Some(holder) = &self.f.rivals.id_holder {
                    return self.stalled(Reason::Conflict, format!("TikTok answered the create with {} {}, which belongs to {holder}; rename one of the two", self.noun(), row.id));
                }
                self.store_id(record, row)
            }
            Some(Attempt::Refused) if !self.f.memory.key_used => self.progress(
                Action::Write(nothing_sent()),
                Reason::Creating,
                "TikTok refused the create",
            ),
            Some(Attempt::Unsent) => {
                let object = self.f.object;
                let still = account.is_some()
                    && !self.ending()
                    && !self.effective.hands_off()
                    && !self.effective.pauses_only()
                    && (record.attempt > 1 || record.name == object.platform_name())
                    && record.tree == self.tree
                    && self.still_in(record)
                    && account.is_some_and(|a| self.may_create(a).is_ok());
                let in_time = record
                    .mark
                    .is_some_and(|m| self.f.now + self.f.settings.call_time <= m.deadline);
                if still && in_time {
                    self.progress(
                        Action::Create {
                            tree: record.tree,
                            object: Box::new(self.new_object(record)),
                        },
                        Reason::Creating,
                        format!("creating the {}, switched off", self.noun()),
                    )
                } else {
                    self.progress(
                        Action::Write(if record.attempt > 1 {
                            unmarked()
                        } else {
                            nothing_sent()
                        }),
                        Reason::Creating,
                        "the announced create was not sent",
                    )
                }
            }
            Some(Attempt::Refused | Attempt::Unclear) | None => self.find_created(record),
        }
    }

    /// R11: look first, then adopt or create.
    pub(super) fn find_created(&self, record: &Record) -> Plan {
        let fitting: Vec<&Row> = self
            .f
            .memory
            .found
            .iter()
            .filter(|row| self.may_be_ours(record, row))
            .collect();
        let named = self.f.object.life().external_id;
        if let Some(row) = fitting.iter().find(|row| Some(&row.id) == named) {
            return self.store_id(record, row);
        }
        let agreeing: Vec<&Row> = fitting
            .iter()
            .copied()
            .filter(|row| agrees_with_create(self.f.object, &self.wanted, record, row))
            .collect();
        match (agreeing.as_slice(), fitting.as_slice()) {
            ([row], _) => return self.store_id(record, row),
            (_, []) => {}
            // Somebody may have edited it since: then nobody can tell whose it is, and a second one must not be made.
            (_, unsure) => {
                let ids: Vec<&str> = unsure.iter().take(5).map(|row| row.id.as_str()).collect();
                let message = format!(
                    "after an unclear create, what has the name {:?} cannot be told to be ours ({}); name the right one as spec.externalId, or delete what is not wanted on TikTok",
                    record.name,
                    ids.join(", ")
                );
                // Asked again now and then: somebody may have cleared it up on TikTok.
                let again = self.f.memory.absence.last().map(|at| *at + LOOK_AGAIN);
                if again.is_some_and(|again| self.f.now < again) {
                    return Plan {
                        wake: again,
                        ..self.stalled(Reason::DuplicatesFound, message)
                    };
                }
                return Plan {
                    action: Action::Look(self.created(record)),
                    ..self.stalled(Reason::DuplicatesFound, message)
                };
            }
        }
        let deadline = record.mark.map_or(self.f.now, |m| m.deadline);
        let last_after = deadline + self.f.settings.absence_after_deadline;
        let first = self.f.memory.absence.first();
        let due = match first {
            None => self.f.now,
            Some(first) => last_after.max(*first + self.f.settings.absence_spacing),
        };
        let proven = first.is_some() && self.f.memory.absence.iter().any(|at| *at >= due);
        if proven {
            let replayed = matches!(&self.f.memory.attempt, Some(Attempt::Made(_)));
            if self.f.memory.key_used || replayed {
                return self.replace_key(record);
            }
            let unmarked = Record {
                mark: None,
                ..record.next()
            };
            return self.progress(
                Action::Write(unmarked),
                Reason::Creating,
                "the unclear create left nothing behind",
            );
        }
        let message = "the answer to the create was lost; looking for what it made before anything else is done";
        if self.f.now < due {
            return self.waiting(due, Reason::CreateUnclear, message);
        }
        if let Some(wait) = self.backing_off() {
            return wait;
        }
        self.progress(
            Action::Look(self.created(record)),
            Reason::CreateUnclear,
            message,
        )
    }

    fn created(&self, record: &Record) -> Look {
        Look::Created {
            tree: record.tree,
            parent: record.parent.clone(),
            name: record.name.clone(),
        }
    }

    /// What it is announced to be made in is still what the spec's reference leads to.
    fn still_in(&self, record: &Record) -> bool {
        match &self.f.parent {
            ParentView::Account => true,
            ParentView::There(parent) => Some(&parent.id) == record.parent.as_ref(),
            _ => false,
        }
    }

    /// Was this row made by the create that the record announces?
    pub(super) fn is_ours(&self, record: &Record, row: &Row) -> bool {
        self.may_be_ours(record, row)
            && agrees_with_create(self.f.object, &self.wanted, record, row)
    }

    /// The same but for what somebody may have edited since.
    fn may_be_ours(&self, record: &Record, row: &Row) -> bool {
        let Some(since) = record.since else {
            return false;
        };
        row.operation != OperationState::Deleted
            && row.tree == record.tree
            && row.name == record.name
            && row
                .created
                .is_some_and(|at| at + self.f.settings.clock_slack >= since)
    }

    pub(super) fn store_id(&self, record: &Record, row: &Row) -> Plan {
        let stored = Record {
            id: Some(row.id.clone()),
            mark: None,
            ..record.next()
        };
        let budget = tell::budget(row, self.unit()).or_else(|| {
            let sent = record.sent.map(crate::platform::Cents)?;
            tell::amount_of(self.wanted.budget_mode, sent, self.unit())
        });
        let budget = budget.map_or_else(String::new, |budget| format!("; its budget is {budget}"));
        let on = match row.operation {
            OperationState::On => "switched on",
            _ => "switched off",
        };
        let told = format!("created {} on TikTok, {on}{budget}", tell::named(row));
        Plan {
            tell: Some(Tell::normal("Created", told)),
            ..self.progress(
                Action::Write(stored),
                Reason::Creating,
                format!("{} {} was made; keeping its id", self.noun(), row.id),
            )
        }
    }

    /// R10: the key is spent on something that is gone; the next one is as reproducible.
    pub(super) fn replace_key(&self, record: &Record) -> Plan {
        let next = Record {
            counter: record.counter + 1,
            attempt: 0,
            key: String::new(),
            since: None,
            mark: None,
            former: record.id.clone(),
            id: None,
            ..record.next()
        };
        self.progress(
            Action::Write(next),
            Reason::Creating,
            "TikTok calls the idempotency key used; taking the next one",
        )
    }
}
