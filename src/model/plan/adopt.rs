//! Taking up a campaign that exists (R3, R9).

use super::super::campaign::fixed;
use super::super::facts::{Account, Have, Look};
use super::super::reason::Reason;
use super::super::record::{FORMAT, Record, RecordState};
use super::{Action, Plan, Planner};
use crate::api::RESUME;
use crate::platform::{CampaignRow, OperationState};

impl Planner<'_> {
    pub(super) fn claimed_id(&self) -> Option<String> {
        // What an earlier incarnation adopted is gone: the next one is made.
        let former = self.f.record.own().and_then(|r| r.former.as_ref());
        let spec_id = self
            .f
            .object
            .spec
            .external_id
            .clone()
            .filter(|id| Some(id) != former);
        let claim = match &self.f.record {
            RecordState::Claim(record) => record.id.clone(),
            _ => None,
        };
        // A record that was lost while the status was not: we held this id.
        let lost = match self.f.record {
            RecordState::None => self.f.object.status.as_ref().and_then(|s| s.id.clone()),
            _ => None,
        };
        spec_id.or(claim).or(lost)
    }

    pub(super) fn adopt_by_id(&self, id: &str, account: &Account) -> Plan {
        if let Some(holder) = &self.f.rivals.id_holder {
            return self.stalled(Reason::Conflict, format!("campaign {id} belongs to {holder}; one platform object has one owner, remove one of the two"));
        }
        match &self.f.have {
            Have::Unknown => self.progress(
                Action::Look(Look::Id { tree: self.f.object.spec.automation.into(), id: id.into() }),
                Reason::LookingUp,
                format!("looking for campaign {id}"),
            ),
            Have::Absent => self.stalled(Reason::NotFoundOnPlatform, format!("there is no campaign {id} in advertiser {}; correct spec.externalId", account.advertiser)),
            Have::Present(seen) if seen.row.operation == OperationState::Deleted => {
                self.stalled(Reason::NotFoundOnPlatform, format!("campaign {id} was deleted on TikTok, which is final; remove spec.externalId to make a new one"))
            }
            Have::Present(seen) => match fixed(&self.f.object.spec, &seen.row).as_slice() {
                [] if self.effective.hands_off() => self.observe(&seen.row),
                [] => self.adopt(&seen.row, account),
                [first, ..] => self.stalled(
                    Reason::AdoptionMismatch,
                    format!("campaign {id} has {} {} on TikTok, the spec says {}; correct the spec, this cannot be changed on TikTok", first.field, first.have, first.want),
                ),
            },
        }
    }

    pub(super) fn adopt(&self, row: &CampaignRow, account: &Account) -> Plan {
        if self.effective.hands_off() {
            return self.observe(row);
        }
        let ours = matches!(self.f.record, RecordState::None)
            && self.f.object.spec.external_id.is_none()
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
            name: row.name.clone(),
            sent: None,
            incarnation: self.f.object.spec.incarnation.unwrap_or(0),
            counter: kept.map_or(0, |r| r.counter),
            key: kept.map(|r| r.key.clone()).unwrap_or_default(),
            attempt: kept.map_or(0, |r| r.attempt),
            since: None,
            mark: None,
            id: Some(row.id.clone()),
            former: None,
            adopted: kept.map_or(!ours, |r| r.adopted),
            seen_on: kept.is_some_and(|r| r.seen_on),
            resumed: self.annotation(RESUME).map(str::to_owned),
        };
        self.progress(
            Action::Write(record),
            Reason::Creating,
            format!("adopting campaign {}", row.id),
        )
    }
}
