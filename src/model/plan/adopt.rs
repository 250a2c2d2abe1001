//! Taking up an object that exists (R3, R9).

use super::super::diff::fixed;
use super::super::facts::{Account, Have, Look};
use super::super::reason::Reason;
use super::super::record::{FORMAT, Record, RecordState};
use super::super::tell::{self, Tell};
use super::{Action, Plan, Planner, apply_again};
use crate::api::RESUME;
use crate::api::common::DeletionPolicy;
use crate::platform::{OperationState, Row};

impl Planner<'_> {
    pub(super) fn claimed_id(&self) -> Option<String> {
        // What an earlier incarnation adopted is gone: the next one is made.
        let former = self.f.record.own().and_then(|r| r.former.as_ref());
        let spec_id = self
            .f
            .object
            .life()
            .external_id
            .filter(|id| Some(*id) != former)
            .cloned();
        let claim = match &self.f.record {
            RecordState::Claim(record) => record.id.clone(),
            _ => None,
        };
        spec_id.or(claim).or_else(|| self.lost_id())
    }

    /// A record that was lost while the status was not: we held this id.
    pub(super) fn lost_id(&self) -> Option<String> {
        match self.f.record {
            RecordState::None => self.f.object.status.as_ref().and_then(|s| s.id.clone()),
            _ => None,
        }
    }

    pub(super) fn adopt_by_id(&self, id: &str, account: &Account) -> Plan {
        if let Some(holder) = &self.f.rivals.id_holder {
            return self.stalled(Reason::Conflict, format!("{} {id} belongs to {holder}; one platform object has one owner, remove one of the two", self.noun()));
        }
        let noun = self.noun();
        match &self.f.have {
            Have::Unknown => {
                if let Some(wait) = self.backing_off() {
                    return wait;
                }
                self.progress(
                    Action::Look(Look::Id { tree: self.tree, id: id.into() }),
                    Reason::LookingUp,
                    format!("looking for {noun} {id}"),
                )
            }
            Have::Absent => self.stalled(
                Reason::NotFoundOnPlatform,
                format!(
                    "there is no {noun} {id} in advertiser {}; {} the right spec.externalId",
                    account.advertiser,
                    apply_again("with")
                ),
            ),
            Have::Present(seen) if seen.row.operation == OperationState::Deleted => self.stalled(
                Reason::NotFoundOnPlatform,
                format!(
                    "{noun} {id} was deleted on TikTok, which is final; to make a new one {} spec.externalId",
                    apply_again("without")
                ),
            ),
            Have::Present(seen) => {
                if let Some(elsewhere) = self.in_another_parent(&seen.row) {
                    return elsewhere;
                }
                match fixed(self.f.object, &self.wanted, &seen.row).as_slice() {
                    [] if self.effective.hands_off() => self.observe(&seen.row, account),
                    [] => self.adopt(&seen.row, account),
                    [first, ..] => self.stalled(
                        Reason::AdoptionMismatch,
                        format!(
                            "{noun} {id} has {} {} on TikTok, the spec says {}; this cannot be changed there: {} what \
                             TikTok has",
                            first.field, first.have, first.want, apply_again("with")
                        ),
                    ),
                }
            }
        }
    }

    /// TikTok cannot move an object: one that is in something else than the spec's reference names is not the one meant.
    pub(super) fn in_another_parent(&self, row: &Row) -> Option<Plan> {
        let parent = self.parent()?;
        let is_in = row.parent().filter(|is_in| *is_in != parent.id)?;
        let of = self.kind.parent().map_or("ad account", |kind| kind.noun());
        Some(self.stalled(
            Reason::ParentMismatch,
            format!(
                "{} {} is in {of} {is_in} on TikTok, the object that the spec refers to is {of} {}; TikTok cannot move it: \
                 correct the reference by making a new object, or delete the {} on TikTok and raise spec.incarnation",
                self.noun(),
                row.id,
                parent.id,
                self.noun()
            ),
        ))
    }

    pub(super) fn adopt(&self, row: &Row, account: &Account) -> Plan {
        if self.effective.hands_off() {
            return self.observe(row, account);
        }
        let ours = matches!(self.f.record, RecordState::None)
            && self.f.object.life().external_id.is_none()
            && self
                .f
                .object
                .status
                .as_ref()
                .is_some_and(|s| s.id.as_deref() == Some(row.id.as_str()));
        let old = match &self.f.record {
            RecordState::Claim(r) | RecordState::Own(r) => Some(r),
            _ => None,
        };
        let kept = old.filter(|r| r.id.as_deref() == Some(row.id.as_str()));
        let record = Record {
            v: FORMAT,
            uid: self.uid(),
            install: self.f.install.into(),
            seq: old.map_or(0, |r| r.seq) + 1,
            app: account.app.clone(),
            advertiser: account.advertiser.clone(),
            tree: row.tree,
            parent: row.parent().map(str::to_owned),
            name: row.name.clone(),
            sent: None,
            incarnation: self.f.object.life().incarnation.unwrap_or(0),
            counter: kept.map_or(0, |r| r.counter),
            key: kept.map(|r| r.key.clone()).unwrap_or_default(),
            attempt: kept.map_or(0, |r| r.attempt),
            since: None,
            mark: None,
            id: Some(row.id.clone()),
            former: None,
            adopted: kept.map_or(!ours, |r| r.adopted),
            seen_on: kept.is_some_and(|r| r.seen_on),
            held_off: kept.is_some_and(|r| r.held_off),
            resumed: self.annotation(RESUME).map(str::to_owned),
            appealed: None,
        };
        let tell = (record.adopted && kept.is_none()).then(|| self.adopted(row));
        Plan {
            tell,
            ..self.progress(
                Action::Write(record),
                Reason::Creating,
                format!("adopting {} {}", self.noun(), row.id),
            )
        }
    }

    /// Somebody else's object is looked after from here from now on: what it is, how it came, and what its end will be.
    fn adopted(&self, row: &Row) -> Tell {
        let life = self.f.object.life();
        let by_id = life.external_id == Some(&row.id);
        let how = match (by_id, life.adoption) {
            (true, _) => "spec.externalId names it",
            (false, Some(_)) => "it has this name, and spec.adoption: SameName asks for it",
            (false, None) => {
                "it has this name, and spec.adoption: SameName of the connection asks for it"
            }
        };
        let end = match life.deletion_policy {
            None | Some(DeletionPolicy::Retain) => "left as it is",
            Some(DeletionPolicy::Pause) => "paused",
            Some(DeletionPolicy::Delete) if by_id => "deleted for good",
            Some(DeletionPolicy::Delete) => {
                "paused and not deleted, unless spec.externalId names it by then"
            }
        };
        let message = format!(
            "took over {}, {}: {how}. When this object is deleted it is {end}",
            tell::named(row),
            tell::standing(row, self.unit())
        );
        Tell::warning("Adopted", message)
    }
}
