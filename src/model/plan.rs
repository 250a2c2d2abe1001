//! One next step for one campaign, and why. The executor has no choices left.

use jiff::Timestamp;

use super::campaign::{
    Difference, agrees_with_create, diff, fixed, new_campaign, platform_name, wanted_budget,
};
use super::ceiling::{Hold, per_day, row_per_day};
use super::effective::Effective;
use super::facts::{
    Account, Attempt, ConnectionView, Facts, Have, Look, NameLook, Refusable, Seen,
};
use super::key;
use super::reason::Reason;
use super::record::{FORMAT, Mark, Record, RecordState};
use super::report::{Ready, Verdict};
use super::tiktok_names::TikTokName;
use crate::api::campaign::CampaignType;
use crate::api::common::{Adoption, DeletionPolicy, DesiredState, StateDriftPolicy};
use crate::api::{FINALIZER, RELEASE, RESUME, TAKE_OVER};
use crate::platform::{CampaignChanges, NewCampaign, OperationStatus, Tree};
use crate::platform::{CampaignRow, OperationState};

/// The decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The one thing to do now.
    pub action: Action,
    /// What to tell.
    pub verdict: Verdict,
    /// Plan again at this time even if nothing happens.
    pub wake: Option<Timestamp>,
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
    Create {
        tree: Tree,
        campaign: Box<NewCampaign>,
    },
    /// Write the record (and the finalizer) by compare-and-swap.
    Write(Record),
    /// Take the finalizer off a living object (Observe and Plan hold nothing back).
    Unfinalize,
    /// Change fields.
    Update {
        tree: Tree,
        id: String,
        changes: CampaignChanges,
    },
    /// Switch on, off, or delete.
    SetStatus {
        tree: Tree,
        id: String,
        to: OperationStatus,
        postback: Option<&'static str>,
    },
    /// Let the object go.
    Release {
        /// It was, or may still be, switched on.
        left_active: bool,
        message: Option<String>,
    },
}

/// Plans one step.
pub fn plan(f: &Facts) -> Plan {
    let planner = Planner::new(f);
    match &f.record {
        RecordState::Unreadable(why) => planner.stalled(
            Reason::RecordUnreadable,
            format!("the annotation {} cannot be read ({why}); restore it from a backup, nothing is done until then", crate::api::RECORD),
        ),
        RecordState::Elsewhere(record) => planner.elsewhere(record),
        _ if planner.ending() => planner.end(),
        _ => planner.live(),
    }
}

struct Planner<'a> {
    f: &'a Facts<'a>,
    effective: Effective,
}

impl<'a> Planner<'a> {
    fn new(f: &'a Facts<'a>) -> Self {
        let adopted = match &f.record {
            RecordState::Own(record) => record.adopted,
            _ => f.object.spec.external_id.is_some(),
        };
        Self {
            f,
            effective: Effective::of(&f.object.spec, f.connection, adopted),
        }
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

    // ---- living objects ----

    fn live(&self) -> Plan {
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
    fn fresh(&self, account: &Account, record: Option<&Record>) -> Plan {
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
    fn may_create(&self, account: &Account) -> Result<(), (Reason, String)> {
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

    fn currency(&self, account: &Account) -> Result<(), (Reason, String)> {
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

    fn mark(&self, account: &Account, record: Option<&Record>, tree: Tree) -> Plan {
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
        let marked = Record {
            v: FORMAT,
            uid: self.uid(),
            install: self.f.install.into(),
            seq: record.map_or(0, |r| r.seq) + 1,
            app: account.app.clone(),
            advertiser: account.advertiser.clone(),
            tree,
            name: platform_name(object),
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

    // ---- a create whose outcome is not stored ----

    fn outstanding(&self, record: &Record, account: Option<&Account>) -> Plan {
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
                    return self.stalled(Reason::Conflict, format!("TikTok answered the create with campaign {}, which belongs to {holder}; rename one of the two", row.id));
                }
                self.store_id(record, row)
            }
            Some(Attempt::Refused) if !self.f.memory.key_used => self.progress(
                Action::Write(unmarked()),
                Reason::Creating,
                "TikTok refused the create",
            ),
            Some(Attempt::Unsent) => {
                let object = self.f.object;
                let still = account.is_some()
                    && !self.ending()
                    && !self.effective.hands_off()
                    && !self.effective.pauses_only()
                    && record.name == platform_name(object)
                    && record.tree == Tree::from(object.spec.automation)
                    && account.is_some_and(|a| self.may_create(a).is_ok());
                let in_time = record
                    .mark
                    .is_some_and(|m| self.f.now + self.f.settings.call_time <= m.deadline);
                if still && in_time {
                    let campaign = Box::new(new_campaign(object, &record.key));
                    self.progress(
                        Action::Create {
                            tree: record.tree,
                            campaign,
                        },
                        Reason::Creating,
                        "creating the campaign, switched off",
                    )
                } else {
                    self.progress(
                        Action::Write(unmarked()),
                        Reason::Creating,
                        "the announced create was not sent",
                    )
                }
            }
            Some(Attempt::Refused | Attempt::Unclear) | None => self.find_created(record),
        }
    }

    /// R11: look first, then adopt or create.
    fn find_created(&self, record: &Record) -> Plan {
        let found: Vec<&CampaignRow> = self
            .f
            .memory
            .found
            .iter()
            .filter(|row| self.is_ours(record, row))
            .collect();
        match found.as_slice() {
            [row] => return self.store_id(record, row),
            [] => {}
            many => {
                let ids: Vec<&str> = many.iter().take(5).map(|row| row.id.as_str()).collect();
                return self.stalled(
                    Reason::DuplicatesFound,
                    format!("after an unclear create {} campaigns fit ({}); delete all but one on TikTok, or name one as spec.externalId", many.len(), ids.join(", ")),
                );
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
        let look = Look::Created {
            tree: record.tree,
            name: record.name.clone(),
        };
        self.progress(Action::Look(look), Reason::CreateUnclear, message)
    }

    /// Was this row made by the create that the record announces?
    fn is_ours(&self, record: &Record, row: &CampaignRow) -> bool {
        let Some(since) = record.since else {
            return false;
        };
        row.operation != OperationState::Deleted
            && row.tree == record.tree
            && row.name == record.name
            && row
                .created
                .is_some_and(|at| at + self.f.settings.clock_slack >= since)
            && agrees_with_create(self.f.object, row)
    }

    fn store_id(&self, record: &Record, row: &CampaignRow) -> Plan {
        let stored = Record {
            id: Some(row.id.clone()),
            mark: None,
            ..record.next()
        };
        self.progress(
            Action::Write(stored),
            Reason::Creating,
            format!("campaign {} was made; keeping its id", row.id),
        )
    }

    /// R10: the key is spent on something that is gone; the next one is as reproducible.
    fn replace_key(&self, record: &Record) -> Plan {
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

    // ---- adoption ----

    fn claimed_id(&self) -> Option<String> {
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

    fn adopt_by_id(&self, id: &str, account: &Account) -> Plan {
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

    fn adopt(&self, row: &CampaignRow, account: &Account) -> Plan {
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

    // ---- objects that exist ----

    fn held(&self, record: &Record, id: &str, account: &Account) -> Plan {
        if let Some(other) = self
            .f
            .object
            .spec
            .external_id
            .as_ref()
            .filter(|other| *other != id && Some(*other) != record.former.as_ref())
        {
            return self.stalled(Reason::IdentityConflict, format!("this object holds campaign {id}, spec.externalId says {other}; set it back, or delete this object and make another"));
        }
        if let Some(other) = self
            .f
            .object
            .status
            .as_ref()
            .and_then(|s| s.id.as_ref())
            .filter(|other| *other != id && Some(*other) != record.former.as_ref())
        {
            return self.stalled(Reason::IdentityConflict, format!("the record names campaign {id}, status names {other}; remove the wrong one, nothing is written until then"));
        }
        if let Some(holder) = &self.f.rivals.id_holder {
            return self.stalled(
                Reason::Conflict,
                format!("campaign {id} belongs to {holder}; remove one of the two objects"),
            );
        }
        match &self.f.have {
            Have::Unknown => {
                if let Some(wait) = self.backing_off() {
                    return wait;
                }
                self.progress(
                    Action::Look(Look::Id {
                        tree: record.tree,
                        id: id.into(),
                    }),
                    Reason::LookingUp,
                    format!("reading campaign {id}"),
                )
            }
            Have::Absent => self.gone(record, id, None),
            Have::Present(seen) if seen.row.operation == OperationState::Deleted => {
                self.gone(record, id, Some(&seen.row))
            }
            Have::Present(seen) => self.converge(record, seen, account),
        }
    }

    fn gone(&self, record: &Record, id: &str, row: Option<&CampaignRow>) -> Plan {
        if self.effective.hands_off() || self.effective.pauses_only() {
            return self.stalled(
                Reason::ExternallyDeleted,
                format!("campaign {id} was deleted on TikTok"),
            );
        }
        // A create that was answered with a row older than its own mark: TikTok replayed the key of an object that is gone.
        let replayed = !record.key.is_empty()
            && row
                .and_then(|r| r.created)
                .zip(record.since)
                .is_some_and(|(created, since)| created + self.f.settings.clock_slack < since);
        if replayed {
            return self.replace_key(record);
        }
        let wanted = self.f.object.spec.incarnation.unwrap_or(0);
        if wanted > record.incarnation {
            let next = Record {
                incarnation: wanted,
                counter: 0,
                attempt: 0,
                key: String::new(),
                since: None,
                mark: None,
                former: record.id.clone(),
                id: None,
                adopted: false,
                seen_on: false,
                ..record.next()
            };
            return self.progress(
                Action::Write(next),
                Reason::Creating,
                format!("campaign {id} is gone; making the next incarnation"),
            );
        }
        let mut plan = self.stalled(
            Reason::ExternallyDeleted,
            format!("campaign {id} was deleted on TikTok, which is final; to make a new one set spec.incarnation: {}, or delete this object", record.incarnation + 1),
        );
        plan.verdict.row = row.cloned();
        plan
    }

    fn converge(&self, record: &Record, seen: &Seen, account: &Account) -> Plan {
        let row = &seen.row;
        let on = row.operation == OperationState::On;
        let want = self.effective.state;
        let compared = diff(self.f.object, row, &self.effective.drift);
        let amount = row_per_day(row, wanted_budget(&self.f.object.spec));
        let holding = (want == Some(DesiredState::Active))
            .then(|| account.caps.standing_hold(amount, &account.currency))
            .flatten();
        let finish = |mut plan: Plan| {
            plan.verdict.row = Some(row.clone());
            plan.verdict.differences.clone_from(&compared.differences);
            if let (DesiredState::Active, false, Some(_)) =
                (want.unwrap_or(DesiredState::Paused), on, want)
            {
                plan.verdict
                    .differences
                    .push(state_difference("Active", "off"));
            }
            if want == Some(DesiredState::Paused) && on {
                plan.verdict
                    .differences
                    .push(state_difference("Paused", "on"));
            }
            if plan.verdict.hold.is_none() {
                plan.verdict.hold.clone_from(&holding);
            }
            plan.verdict.drifted = !plan.verdict.differences.is_empty() && self.was_in_sync();
            self.note_window(row, &mut plan.verdict);
            plan
        };

        // R2: a wanted pause goes first.
        let must_be_off = want == Some(DesiredState::Paused) || holding.is_some();
        if on && must_be_off && !self.effective.hands_off() {
            let asked_for = want == Some(DesiredState::Paused);
            if !asked_for && is_dedicated(row) {
                // R7: an automatic pause of such a campaign would be final; its ad groups are what may be switched off.
                let (reason, message) = holding
                    .as_ref()
                    .map_or((Reason::PauseNeedsWindow, String::new()), |h| {
                        (h.reason, h.message.clone())
                    });
                return finish(self.stalled(
                    reason,
                    format!("{message}; an iOS 14 dedicated campaign is never paused by itself, since that is final: set spec.state: Paused if you want it"),
                ));
            }
            return finish(self.pause(row, asked_for));
        }
        if self.effective.hands_off() {
            return finish(self.observe(row));
        }
        if !self.has_finalizer() {
            return finish(self.progress(
                Action::Write(record.next()),
                Reason::Updating,
                "putting the finalizer back",
            ));
        }
        if let Some(noted) = self.bookkeeping(record, on, want, holding.is_some()) {
            return finish(self.progress(
                Action::Write(noted),
                Reason::Updating,
                "noting what was seen",
            ));
        }
        if self.effective.pauses_only() {
            return finish(
                if compared.changes.is_empty() && (on || want != Some(DesiredState::Active)) {
                    self.done(
                        self.suspended(),
                        self.suspended_message("nothing is outstanding"),
                    )
                } else {
                    self.progress(
                        Action::Rest,
                        self.suspended(),
                        self.suspended_message("changes wait"),
                    )
                },
            );
        }
        if !seen.read_back {
            return finish(self.progress(
                Action::Look(Look::Id {
                    tree: row.tree,
                    id: row.id.clone(),
                }),
                Reason::ReadingBack,
                "reading back what TikTok made of the write",
            ));
        }
        if let Some(fixed) = compared
            .differences
            .iter()
            .find(|d| d.group == super::campaign::Group::Fixed)
        {
            return finish(self.stalled(
                Reason::AdoptionMismatch,
                format!("{} is {} on TikTok, the spec says {}; it cannot be changed there, correct the spec", fixed.field, fixed.have, fixed.want),
            ));
        }
        if let Err((reason, message)) = self.currency(account) {
            return finish(self.stalled(reason, message));
        }
        if let Some(plan) = self.correct(row, compared.changes.clone(), account) {
            return finish(plan);
        }
        if want == Some(DesiredState::Active) && !on {
            return finish(self.enable(record, row, account));
        }
        finish(match want {
            Some(DesiredState::Paused) => self.done(
                Reason::Paused,
                "the platform has the spec; the campaign is paused, as wanted",
            ),
            _ => self.done(Reason::InSync, "the platform has the spec"),
        })
    }

    fn pause(&self, row: &CampaignRow, asked_for: bool) -> Plan {
        let postback = (asked_for && is_dedicated(row))
            .then(|| {
                self.f
                    .object
                    .spec
                    .postback_window_mode
                    .map(TikTokName::tiktok)
            })
            .flatten();
        let action = Action::SetStatus {
            tree: row.tree,
            id: row.id.clone(),
            to: OperationStatus::Disable,
            postback,
        };
        let mut message = "switching the campaign off".to_string();
        if self.f.memory.pauses >= 2 {
            message = format!(
                "switching the campaign off again ({} times now): somebody or an automated rule keeps switching it on",
                self.f.memory.pauses + 1
            );
        }
        self.progress(action, Reason::Pausing, message)
    }

    /// R1: what is written down about having been on, before any further enable.
    fn bookkeeping(
        &self,
        record: &Record,
        on: bool,
        want: Option<DesiredState>,
        held: bool,
    ) -> Option<Record> {
        let resume = self.annotation(RESUME).map(str::to_owned);
        let active = want == Some(DesiredState::Active);
        let asked_again = resume.is_some() && resume != record.resumed;
        if active && on && !record.seen_on {
            return Some(Record {
                seen_on: true,
                resumed: resume,
                ..record.next()
            });
        }
        let forget =
            record.seen_on && !on && (!active || asked_again || (held && self.f.memory.pauses > 0));
        forget.then(|| Record {
            seen_on: false,
            resumed: resume,
            ..record.next()
        })
    }

    /// Changed fields, all in one call. `None`: nothing to change.
    fn correct(
        &self,
        row: &CampaignRow,
        mut changes: CampaignChanges,
        account: &Account,
    ) -> Option<Plan> {
        let mut hold = None;
        if let Some(budget) = changes.budget
            && Some(budget) > row.budget
            && (row.operation == OperationState::On
                || self.effective.state == Some(DesiredState::Active))
        {
            let could = per_day(row.budget_mode.as_deref(), Some(budget));
            if let Err(refused) =
                self.f
                    .ceiling
                    .check(&account.caps, &row.id, could, &account.currency)
            {
                changes.budget = None;
                hold = Some(refused);
            }
        }
        if changes.is_empty() {
            return hold.map(|hold| {
                let mut plan = self.stalled(hold.reason, hold.message.clone());
                plan.verdict.hold = Some(hold);
                plan
            });
        }
        if let Some((reason, message)) = self.refused(Refusable::Update) {
            return Some(self.stalled(reason, message));
        }
        if self.f.memory.corrections >= self.f.settings.corrections {
            let lowered = changes.budget.is_some_and(|b| Some(b) < row.budget);
            let hint = if lowered {
                format!(
                    "TikTok has {}: a budget may not go below 105 % of what is already spent, so the lowest amount it takes is 1.05 × the spend shown in Ads Manager; or an automated rule, another tool or a person is changing it back",
                    row.budget.unwrap_or_default()
                )
            } else {
                "an automated rule, another tool or a person may be changing it back".into()
            };
            return Some(self.stalled(
                Reason::NotConverging,
                format!("{} corrections did not hold: {hint}; corrections stop until the spec changes or the difference goes away", self.f.memory.corrections),
            ));
        }
        if let Some(wait) = self.backing_off() {
            return Some(wait);
        }
        Some(self.progress(
            Action::Update {
                tree: row.tree,
                id: row.id.clone(),
                changes,
            },
            Reason::Updating,
            "sending the changed fields",
        ))
    }

    fn enable(&self, record: &Record, row: &CampaignRow, account: &Account) -> Plan {
        if record.seen_on && self.effective.drift.state == StateDriftPolicy::Respect {
            let message = format!(
                "somebody or something switched the campaign off on TikTok; it stays off until spec.state changes or the annotation {RESUME} gets a new value"
            );
            let mut plan = self.done(Reason::PausedOutside, message.clone());
            plan.verdict.hold = Some(Hold {
                reason: Reason::PausedOutside,
                message,
            });
            return plan;
        }
        let could = row_per_day(row, None);
        if let Err(hold) = self
            .f
            .ceiling
            .check(&account.caps, &row.id, could, &account.currency)
        {
            let mut plan = if hold.reason == Reason::CeilingUnknown && !self.f.ceiling.complete {
                self.progress(Action::Rest, hold.reason, hold.message.clone())
            } else {
                self.stalled(hold.reason, hold.message.clone())
            };
            plan.verdict.hold = Some(hold);
            return plan;
        }
        if account.disconnecting {
            return self.progress(
                Action::Rest,
                Reason::ConnectionDeleting,
                "the connection is being deleted; nothing is switched on",
            );
        }
        match self.refused(Refusable::Enable) {
            // R4: a reviewer's day is progress, not an error, and not asked about in a loop.
            Some((reason @ Reason::InReview, message)) => {
                if let Some(again) = self.review_over(row) {
                    return Plan {
                        wake: Some(again),
                        ..self.done(reason, message)
                    };
                }
            }
            Some((reason, message)) => return self.stalled(reason, message),
            None => {}
        }
        if let Some(wait) = self.backing_off() {
            return wait;
        }
        let action = Action::SetStatus {
            tree: row.tree,
            id: row.id.clone(),
            to: OperationStatus::Enable,
            postback: None,
        };
        self.progress(action, Reason::Enabling, "switching the campaign on")
    }

    /// Observe and Plan: compare and tell.
    fn observe(&self, row: &CampaignRow) -> Plan {
        let compared = diff(self.f.object, row, &self.effective.drift);
        let on = row.operation == OperationState::On;
        let state_differs = self
            .effective
            .state
            .is_some_and(|want| (want == DesiredState::Active) != on);
        let mut plan =
            if self.has_finalizer() && self.f.record.own().is_none_or(|r| r.mark.is_none()) {
                self.progress(
                    Action::Unfinalize,
                    Reason::Observed,
                    "this mode holds nothing back",
                )
            } else if compared.differences.is_empty() && !state_differs {
                self.done(
                    Reason::Observed,
                    format!("mode {:?}: the platform has the spec", self.effective.mode),
                )
            } else {
                let fields: Vec<&str> = compared
                    .differences
                    .iter()
                    .map(|d| d.field)
                    .chain(state_differs.then_some("state"))
                    .collect();
                self.stalled(
                    Reason::WouldUpdate,
                    format!(
                        "mode {:?} writes nothing; in mode Enforce these would be set: {}",
                        self.effective.mode,
                        fields.join(", ")
                    ),
                )
            };
        plan.verdict.row = Some(row.clone());
        plan.verdict.differences = compared.differences;
        if state_differs {
            plan.verdict.differences.push(if on {
                state_difference("Paused", "on")
            } else {
                state_difference("Active", "off")
            });
        }
        plan.verdict.drifted = !plan.verdict.differences.is_empty();
        plan
    }

    // ---- objects that end ----

    fn end(&self) -> Plan {
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
                    "released by the annotation {RELEASE} without a write to TikTok"
                )),
            );
        }
        let Some(record) = self.f.record.own() else {
            return self.release(false, None);
        };
        if self.effective.hands_off() {
            return self.release(false, None);
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
                (Some(_), _) => self.outstanding(record, account),
            };
        };
        if self.effective.deletion == DeletionPolicy::Retain || self.f.rivals.id_holder.is_some() {
            return self.release(false, None);
        }
        match (account, self.f.connection) {
            (Some(_), _) => self.end_with_policy(record, id),
            (None, ConnectionView::Missing) => self.release(on, on.then(|| format!("its connection is gone, so campaign {id} could not be paused; it may still be on"))),
            (None, _) => self.progress(
                Action::Rest,
                Reason::WaitingForConnection,
                format!("campaign {id} must be settled on TikTok first, but the connection cannot be used; mend it, or annotate this object with {RELEASE}: \"true\""),
            ),
        }
    }

    fn end_with_policy(&self, record: &Record, id: &str) -> Plan {
        let look = || {
            self.progress(
                Action::Look(Look::Id {
                    tree: record.tree,
                    id: id.into(),
                }),
                Reason::Deleting,
                format!("reading campaign {id}"),
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
        let delete = self.effective.deletion == DeletionPolicy::Delete;
        let mut plan = if delete && !self.effective.pauses_only() {
            match self.refused(Refusable::Delete) {
                Some((reason, message)) => self.stalled(reason, message),
                None => self.progress(
                    Action::SetStatus {
                        tree: record.tree,
                        id: id.into(),
                        to: OperationStatus::Delete,
                        postback: None,
                    },
                    Reason::Deleting,
                    format!("deleting campaign {id} on TikTok"),
                ),
            }
        } else if on {
            self.pause(&seen.row, true)
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
                format!("campaign {id} is paused; mode {:?} deletes nothing. Set the mode to Enforce, or annotate this object with {RELEASE}: \"true\"", self.effective.mode),
            )
        } else {
            self.release(false, None)
        };
        plan.verdict.row = Some(seen.row.clone());
        plan
    }

    fn release(&self, left_active: bool, message: Option<String>) -> Plan {
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
                message,
            },
            Reason::Deleting,
            "letting go",
        )
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
    fn review_over(&self, row: &CampaignRow) -> Option<Timestamp> {
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
            Reason::ReadOnly
        } else {
            Reason::Suspended
        }
    }

    fn suspended_message(&self, what: &str) -> String {
        if self.effective.read_only {
            format!("the connection is read-only: {what}; see the connection's banner")
        } else {
            format!("mode Suspend writes nothing but pauses: {what}")
        }
    }

    fn note_window(&self, row: &CampaignRow, verdict: &mut Verdict) {
        if is_dedicated(row)
            && self.f.object.spec.postback_window_mode.is_none()
            && row.operation == OperationState::On
        {
            verdict.notes.push((
                Reason::PauseNeedsWindow,
                "pausing this iOS 14 dedicated campaign is final and would use postback window MODE1; set spec.postbackWindowMode beforehand to choose".into(),
            ));
        }
    }

    // ---- plans ----

    fn plan(&self, action: Action, ready: Ready, wake: Option<Timestamp>) -> Plan {
        Plan {
            action,
            verdict: Verdict::new(ready, self.effective.clone(), self.f.record.own()),
            wake,
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

fn is_dedicated(row: &CampaignRow) -> bool {
    row.is_advanced_dedicated || row.campaign_type.as_deref() == Some(CampaignType::Ios14.tiktok())
}

fn state_difference(want: &str, have: &str) -> Difference {
    Difference {
        group: super::campaign::Group::State,
        field: "state",
        want: want.into(),
        have: have.into(),
    }
}
