//! Objects without a campaign: may one be made, and is its name free?

use super::super::campaign::{fixed, platform_name, wanted_budget};
use super::super::facts::{Account, ConnectionView, Look, NameLook, Refusable};
use super::super::key;
use super::super::reason::Reason;
use super::super::record::{FORMAT, Mark, Record};
use super::{Action, Plan, Planner};
use crate::api::RESUME;
use crate::api::common::Adoption;
use crate::platform::{CampaignRow, Tree};

impl Planner<'_> {
    pub(super) fn live(&self) -> Plan {
        let account = match self.f.connection {
            ConnectionView::Missing => {
                return self.progress(
                    Action::Rest,
                    Reason::ConnectionMissing,
                    format!("there is no TikTokConnection {} in this namespace; create it or correct spec.connectionRef", self.f.object.spec.connection_ref.name),
                );
            }
            ConnectionView::NotReady { reason, message } => {
                return self.progress(Action::Rest, *reason, message.clone());
            }
            ConnectionView::Usable(account) => account,
        };
        match self.f.record.own() {
            Some(record) if record.advertiser != account.advertiser => self.stalled(
                Reason::AccountMismatch,
                format!(
                    "the object was made in advertiser {}, its connection is now for {}; nothing is done until they agree",
                    record.advertiser, account.advertiser
                ),
            ),
            Some(record) if record.app != account.app => {
                let moved = Record { app: account.app.clone(), ..record.next() };
                self.progress(Action::Write(moved), Reason::Updating, "the connection uses another app now")
            }
            Some(record) if record.mark.is_some() && record.id.is_none() => self.outstanding(record, Some(account)),
            Some(record) => match &record.id {
                Some(id) => self.held(record, id, account),
                None => self.fresh(account, Some(record)),
            },
            None => self.fresh(account, None),
        }
    }

    /// No platform object yet, and no create outstanding.
    pub(super) fn fresh(&self, account: &Account, record: Option<&Record>) -> Plan {
        let spec = &self.f.object.spec;
        if let Some(id) = self.claimed_id() {
            return self.adopt_by_id(&id, account);
        }
        if let Some(older) = &self.f.rivals.same_name {
            return self.stalled(
                Reason::Conflict,
                format!("{older} wants the same name {:?} in the same account and is older; give one of them another spec.name", platform_name(self.f.object)),
            );
        }
        if account.disconnecting {
            return self.progress(
                Action::Rest,
                Reason::ConnectionDeleting,
                "the connection is being deleted; nothing new is made",
            );
        }
        if self.effective.hands_off() {
            return self.stalled(
                Reason::WouldCreate,
                format!("mode {:?} writes nothing; in mode Enforce a campaign named {:?} would be created", self.effective.mode, platform_name(self.f.object)),
            );
        }
        if let Some(refusal) = self.refused(Refusable::Create) {
            return self.stalled(refusal.0, refusal.1);
        }
        if let Err((reason, message)) = self.may_create(account) {
            return self.stalled(reason, message);
        }
        if self.effective.pauses_only() {
            return self.progress(
                Action::Rest,
                self.suspended(),
                self.suspended_message("the campaign is not made"),
            );
        }
        if let Some(wait) = self.backing_off() {
            return wait;
        }
        let NameLook::Looked(rows) = &self.f.name else {
            let name = platform_name(self.f.object);
            return self.progress(
                Action::Look(Look::Name(name)),
                Reason::LookingUp,
                "checking that the name is free",
            );
        };
        // A late effect of our own earlier create: never a stranger's.
        let tree: Tree = spec.automation.into();
        let late: Vec<&CampaignRow> = rows
            .iter()
            .filter(|(row, holder)| {
                holder.is_none() && record.is_some_and(|r| self.is_ours(r, row))
            })
            .map(|(row, _)| row)
            .collect();
        if let ([row], Some(record)) = (late.as_slice(), record) {
            return self.store_id(record, row);
        }
        match rows.as_slice() {
            [] => self.mark(account, record, tree),
            [(row, None)] => match (self.effective.adoption, fixed(spec, row).as_slice()) {
                (Adoption::SameName, []) => self.adopt(row, account),
                (Adoption::SameName, differing) => self.stalled(
                    Reason::NameTaken,
                    format!(
                        "campaign {} already has the name {:?} but another {} ({} on TikTok); rename one of them",
                        row.id, row.name, differing[0].field, differing[0].have
                    ),
                ),
                (Adoption::Refuse, _) => self.stalled(
                    Reason::NameTaken,
                    format!("campaign {} already has the name {:?}; to manage it, add `externalId: \"{}\"` to spec, else choose another spec.name", row.id, row.name, row.id),
                ),
            },
            [(row, Some(holder)), ..] => self.stalled(
                Reason::Conflict,
                format!("campaign {} has the name {:?} and belongs to {holder}; choose another spec.name", row.id, row.name),
            ),
            many => {
                let ids: Vec<&str> = many.iter().take(5).map(|(row, _)| row.id.as_str()).collect();
                self.stalled(
                    Reason::NameTaken,
                    format!("{} campaigns have the name {:?} ({}); to manage one, add its id as spec.externalId", many.len(), many[0].0.name, ids.join(", ")),
                )
            }
        }
    }

    /// Everything that speaks against a create before anybody is asked.
    pub(super) fn may_create(&self, account: &Account) -> Result<(), (Reason, String)> {
        let spec = &self.f.object.spec;
        self.currency(account)?;
        self.f.settings.creatable.check(
            spec.objective,
            spec.automation.into(),
            self.f.platform_now,
        )?;
        let used = self.f.record.own().map_or(0, |r| r.counter);
        if used > self.f.settings.key_replacements {
            return Err((
                Reason::KeysUsedUp,
                format!(
                    "TikTok called {used} idempotency keys used without showing an object; raise spec.incarnation to start anew, and tell TikTok's support"
                ),
            ));
        }
        Ok(())
    }

    pub(super) fn currency(&self, account: &Account) -> Result<(), (Reason, String)> {
        match self
            .f
            .object
            .spec
            .budget
            .as_ref()
            .and_then(|b| b.currency.as_ref())
        {
            Some(currency) if *currency != account.currency => Err((
                Reason::CurrencyMismatch,
                format!(
                    "spec.budget is in {currency}, the account in {}; write the amount in {}, nothing is converted",
                    account.currency, account.currency
                ),
            )),
            _ => Ok(()),
        }
    }

    pub(super) fn mark(&self, account: &Account, record: Option<&Record>, tree: Tree) -> Plan {
        let object = self.f.object;
        let incarnation = object.spec.incarnation.unwrap_or(0);
        let counter = record
            .filter(|r| r.incarnation == incarnation)
            .map_or(0, |r| r.counter);
        let namespace = object.metadata.namespace.as_deref().unwrap_or_default();
        let key = key::request_id(
            &account.advertiser,
            "Campaign",
            namespace,
            object.metadata.name.as_deref().unwrap_or_default(),
            incarnation,
            counter,
        );
        let same_key = record.filter(|r| r.key == key);
        // The same key is sent with the same name and budget again, whatever the spec says by now: a replay must not be
        // something else, and what an earlier attempt made late is looked for under what was sent. The rest is an update.
        let again = same_key.filter(|r| r.since.is_some());
        let name = again.map_or_else(|| platform_name(object), |r| r.name.clone());
        let sent = again.map_or_else(|| wanted_budget(&object.spec).map(|b| b.0), |r| r.sent);
        let marked = Record {
            v: FORMAT,
            uid: self.uid(),
            install: self.f.install.into(),
            seq: record.map_or(0, |r| r.seq) + 1,
            app: account.app.clone(),
            advertiser: account.advertiser.clone(),
            tree,
            name,
            sent,
            incarnation,
            counter,
            attempt: same_key.map_or(0, |r| r.attempt) + 1,
            since: same_key.and_then(|r| r.since).or(Some(self.f.platform_now)),
            mark: Some(Mark {
                at: self.f.platform_now,
                deadline: self.f.now + self.f.settings.write_deadline,
            }),
            key,
            id: None,
            former: record.and_then(|r| r.former.clone()),
            adopted: false,
            seen_on: false,
            resumed: self.annotation(RESUME).map(str::to_owned),
        };
        self.progress(
            Action::Mark(marked),
            Reason::Creating,
            "creating the campaign, switched off",
        )
    }
}
