//! Objects that are not on the platform yet: may one be made, and is its name free?

use super::super::diff::fixed;
use super::super::facts::{
    Account, ConnectionView, Look, NameLook, NameQuestion, ParentObject, ParentView, Refusable,
};
use super::super::key;
use super::super::object::Belongs;
use super::super::reason::Reason;
use super::super::record::{FORMAT, Mark, Record};
use super::super::wanted::World;
use super::{Action, Plan, Planner, apply_again};
use crate::api::RESUME;
use crate::api::common::Adoption;
use crate::platform::{NewObject, OperationState, Row, has_field};

impl Planner<'_> {
    pub(super) fn live(&self) -> Plan {
        let account = match self.f.connection {
            ConnectionView::Missing => return self.no_connection(),
            ConnectionView::NotReady { reason, message } => {
                return self.progress(Action::Rest, *reason, message.clone());
            }
            ConnectionView::Usable(account) => account,
        };
        match self.f.record.own() {
            Some(record) if record.advertiser != account.advertiser => {
                self.other_account(record, account)
            }
            Some(record) if record.app != account.app => {
                let moved = Record {
                    app: account.app.clone(),
                    ..record.next()
                };
                self.progress(
                    Action::Write(moved),
                    Reason::Updating,
                    "the connection uses another app now",
                )
            }
            Some(record) if record.mark.is_some() && record.id.is_none() => {
                self.outstanding(record, Some(account))
            }
            Some(record) => match &record.id {
                Some(id) => self.held(record, id, account),
                None => self.fresh(account, Some(record)),
            },
            None => self.fresh(account, None),
        }
    }

    /// TikTok moves nothing from one ad account to another, and a connection reaches one.
    fn other_account(&self, record: &Record, account: &Account) -> Plan {
        let (noun, theirs, ours) = (self.noun(), &record.advertiser, &account.advertiser);
        let what = match &record.id {
            Some(id) => format!(
                "{noun} {id} is in advertiser {theirs}, but its connection is for {ours} now, so it can be neither paused nor \
                 changed from here and goes on as it is; pause it in Ads Manager if it must not run"
            ),
            None => format!(
                "the {noun} was to be made in advertiser {theirs}, but its connection is for {ours} now, so nothing is made"
            ),
        };
        self.stalled(
            Reason::AccountMismatch,
            format!(
                "{what}. To look after it again, delete the TikTokConnection and apply it again with advertiserId: \
                 \"{theirs}\"; to give it up, annotate this object with {}: \"true\" and delete it",
                crate::api::RELEASE
            ),
        )
    }

    /// Nothing leads to an account: the connection is missing, or something on the way to it.
    fn no_connection(&self) -> Plan {
        // R22: what is on TikTok stays there as it is, whatever became of the connection.
        if let Some(id) = self.f.record.own().and_then(|r| r.id.as_ref()) {
            let noun = self.noun();
            return self.progress(
                Action::Rest,
                Reason::Disconnected,
                format!(
                    "the connection is gone, and {noun} {id} stays on TikTok as it is; create the TikTokConnection again to look after it, or delete this object, which changes nothing there"
                ),
            );
        }
        if let Some(waiting) = self.no_parent() {
            return waiting;
        }
        let name = match self.f.object.spec.belongs() {
            Belongs::Connection(name) => name,
            // Its parent says which one; the answer is there.
            Belongs::Object(..) => "of its campaign",
        };
        self.progress(
            Action::Rest,
            Reason::ConnectionMissing,
            format!(
                "there is no TikTokConnection {name} in this namespace; create it, or {} the right spec.connectionRef",
                apply_again("with")
            ),
        )
    }

    /// Children wait for what they are in, without errors or timers of their own: its coming wakes them.
    fn no_parent(&self) -> Option<Plan> {
        let (reason, message) = match &self.f.parent {
            ParentView::Account | ParentView::There(_) => return None,
            ParentView::Missing { kind, name } => {
                let field = self.kind.reference();
                (
                    Reason::ParentMissing,
                    format!(
                        "there is no {kind} {name} in this namespace yet; create it, or {} the right spec.{field}",
                        apply_again("with")
                    ),
                )
            }
            ParentView::Waiting { kind, name, why } => (
                Reason::WaitingForParent,
                format!("the {kind} {name} {why}; see its status"),
            ),
        };
        Some(self.progress(Action::Rest, reason, message))
    }

    /// No platform object yet, and no create outstanding.
    pub(super) fn fresh(&self, account: &Account, record: Option<&Record>) -> Plan {
        let parent = match (&self.f.parent, self.no_parent()) {
            (_, Some(waiting)) => return waiting,
            (ParentView::There(parent), None) => Some(parent),
            _ => None,
        };
        if let Some(id) = self.claimed_id() {
            return self.adopt_by_id(&id, account);
        }
        if let Some(gone) = parent.and_then(|parent| self.parent_deleted(parent)) {
            return gone;
        }
        if let Some(older) = &self.f.rivals.same_name {
            return self.stalled(
                Reason::Conflict,
                format!("{older} wants the same name {:?} in the same place and is older; give one of them another spec.name", self.f.object.platform_name()),
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
                format!(
                    "mode {:?} writes nothing; in mode Enforce the {} {:?} would be created, if TikTok has none of that name",
                    self.effective.mode,
                    self.noun(),
                    self.f.object.platform_name()
                ),
            );
        }
        let refused_in = self
            .f
            .memory
            .refused
            .as_ref()
            .and_then(|r| r.parent.as_ref());
        let here = refused_in == parent.map(|p| &p.id);
        if let Some((reason, message)) = self.refused(Refusable::Create).filter(|_| here) {
            return self.stalled(reason, self.explained(message));
        }
        if let Err((reason, message)) = self.may_create(account) {
            return self.stalled(reason, message);
        }
        if self.effective.pauses_only() {
            return self.progress(
                Action::Rest,
                self.suspended(),
                self.suspended_message(&format!("the {} is not made", self.noun())),
            );
        }
        if let Some(disagree) = self.siblings_disagree() {
            return disagree;
        }
        if let Some(wait) = self.backing_off() {
            return wait;
        }
        let NameLook::Looked(rows) = &self.f.name else {
            return self.progress(
                Action::Look(Look::Name(self.name_question())),
                Reason::LookingUp,
                "checking that the name is free",
            );
        };
        // A late effect of our own earlier create: never a stranger's.
        let late: Vec<&Row> = rows
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
            [] => self.mark(account, record),
            [(row, None)] => match (self.effective.adoption, fixed(self.f.object, &self.wanted, row).as_slice()) {
                (Adoption::SameName, []) => self.adopt(row, account),
                (Adoption::SameName, differing) => self.stalled(
                    Reason::NameTaken,
                    format!(
                        "{} {} already has the name {:?} but another {} ({} on TikTok); rename one of them",
                        self.noun(), row.id, row.name, differing[0].field, differing[0].have
                    ),
                ),
                (Adoption::Refuse, _) => self.stalled(
                    Reason::NameTaken,
                    format!("{} {} already has the name {:?}; to manage it, add `externalId: \"{}\"` to spec, else choose another spec.name", self.noun(), row.id, row.name, row.id),
                ),
            },
            [(row, Some(holder)), ..] => self.stalled(
                Reason::Conflict,
                format!("{} {} has the name {:?} and belongs to {holder}; choose another spec.name", self.noun(), row.id, row.name),
            ),
            many => {
                let ids: Vec<&str> = many.iter().take(5).map(|(row, _)| row.id.as_str()).collect();
                self.stalled(
                    Reason::NameTaken,
                    format!("{} {}s have the name {:?} ({}); to manage one, add its id as spec.externalId", many.len(), self.noun(), many[0].0.name, ids.join(", ")),
                )
            }
        }
    }

    /// Nothing can be made in what is gone for good.
    fn parent_deleted(&self, parent: &ParentObject) -> Option<Plan> {
        let gone = |row: &Option<Row>| {
            row.as_ref()
                .is_some_and(|r| r.operation == OperationState::Deleted)
        };
        (gone(&parent.row) || gone(&parent.campaign)).then(|| {
            self.progress(
                Action::Rest,
                Reason::WaitingForParent,
                format!(
                    "what this {} would be in was deleted on TikTok; see the status of the object that the spec refers to",
                    self.noun()
                ),
            )
        })
    }

    pub(super) fn name_question(&self) -> NameQuestion {
        NameQuestion {
            kind: self.kind,
            parent: self.parent().map(|p| p.id.clone()),
            tree: self.parent().map(|p| p.tree),
            name: self.f.object.platform_name(),
        }
    }

    /// Everything that speaks against a create before anybody is asked.
    pub(super) fn may_create(&self, account: &Account) -> Result<(), (Reason, String)> {
        let spec = &self.f.object.spec;
        self.currency(account)?;
        let objective = match (spec, self.parent()) {
            (super::super::object::Spec::Campaign(campaign), _) => Some(campaign.objective),
            (_, Some(parent)) => Some(parent.objective),
            (_, None) => None,
        };
        if let Some(objective) = objective {
            self.f
                .settings
                .creatable
                .check(objective, self.tree, self.f.platform_now)?;
        }
        let missing = self
            .wanted
            .fields
            .iter()
            .find(|f| f.compared && !has_field(self.kind, self.tree, f.wire));
        if let (Some(field), true) = (missing, self.kind.parent().is_some()) {
            return Err((
                Reason::TreeMismatch,
                format!(
                    "TikTok has no spec.{} for {}s in a {:?} campaign; remove it, or use a campaign with the other automation",
                    field.path,
                    self.noun(),
                    self.tree
                ),
            ));
        }
        spec.may_create(&World {
            now: self.f.platform_now,
            tree: self.tree,
            account: Some(account),
            parent: self.parent(),
        })?;
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
        let said = self.f.object.spec.currencies();
        match said.iter().find(|(_, said)| **said != account.currency) {
            Some((field, currency)) => Err((
                Reason::CurrencyMismatch,
                format!(
                    "spec.{field} is in {currency}, the account in {}; write the amount in {}, nothing is converted",
                    account.currency, account.currency
                ),
            )),
            None => Ok(()),
        }
    }

    pub(super) fn mark(&self, account: &Account, record: Option<&Record>) -> Plan {
        let object = self.f.object;
        let incarnation = object.life().incarnation.unwrap_or(0);
        let counter = record
            .filter(|r| r.incarnation == incarnation)
            .map_or(0, |r| r.counter);
        let namespace = object.metadata.namespace.as_deref().unwrap_or_default();
        let key = key::request_id(
            &account.advertiser,
            self.kind.name(),
            namespace,
            object.metadata.name.as_deref().unwrap_or_default(),
            incarnation,
            counter,
        );
        let same_key = record.filter(|r| r.key == key);
        // The same key is sent with the same name and budget again, whatever the spec says by now: a replay must not be
        // something else, and what an earlier attempt made late is looked for under what was sent. The rest is an update.
        let again = same_key.filter(|r| r.since.is_some());
        let name = again.map_or_else(|| object.platform_name(), |r| r.name.clone());
        let sent = again.map_or_else(|| self.wanted.budget.map(|b| b.0), |r| r.sent);
        let marked = Record {
            v: FORMAT,
            uid: self.uid(),
            install: self.f.install.into(),
            seq: record.map_or(0, |r| r.seq) + 1,
            app: account.app.clone(),
            advertiser: account.advertiser.clone(),
            tree: self.tree,
            parent: self.parent().map(|p| p.id.clone()),
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
            held_off: false,
            resumed: self.annotation(RESUME).map(str::to_owned),
            appealed: None,
        };
        self.progress(
            Action::Mark(marked),
            Reason::Creating,
            format!("creating the {}, switched off", self.noun()),
        )
    }

    /// The content of the create that a record announces. What depends on the time is as it was when it was announced.
    pub(super) fn new_object(&self, record: &Record) -> NewObject {
        let at = record.mark.map_or(self.f.platform_now, |mark| mark.at);
        let wanted = self.wanted_at(at);
        NewObject {
            parent: record.parent.clone(),
            name: record.name.clone(),
            request_id: record.key.clone(),
            budget_mode: wanted.budget_mode.map(str::to_owned),
            budget: record.sent.map(crate::platform::Cents),
            fields: wanted.to_create(),
        }
    }
}
