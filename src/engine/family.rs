//! What an object's plan has to know of others: what it is in, and with whom it shares fields on the platform.

use jiff::Timestamp;
use serde_json::Value;

use super::account::Account;
use super::doors::ObjectName;
use super::state::State;
use super::stores::{Upper, older_object, upper};
use crate::api::common::DriftPolicy;
use crate::model::ad_group::{SHARED_CBO, SHARED_SMART_PLUS};
use crate::model::effective::Effective;
use crate::model::facts::{ConnectionView, ParentObject, ParentView, Refusable, Sibling};
use crate::model::object::{Belongs, Object, Spec};
use crate::model::wanted::Group;
use crate::platform::{Kind, OperationState, Row, Tree};

/// Why a parent that exists is of no use yet, as a part of a sentence.
const NOT_MADE: &str = "is not on TikTok yet";
const ENDING: &str = "is being deleted";
const LOST: &str = "refers to a Campaign that is not in this namespace";

impl State {
    /// What an object says that it is in, as it is on the platform.
    pub(super) fn parent_view(&self, object: &Object, account: Option<&Account>) -> ParentView {
        let Belongs::Object(kind, name) = object.spec.belongs() else {
            return ParentView::Account;
        };
        let name = name.to_string();
        let Some((_, parent)) = self.stores.parent(object) else {
            return ParentView::Missing { kind, name };
        };
        let waiting = |why| ParentView::Waiting {
            kind,
            name: parent.metadata.name.clone().unwrap_or_default(),
            why,
        };
        if parent.metadata.deletion_timestamp.is_some() {
            return waiting(ENDING);
        }
        let campaign = match kind {
            Kind::Campaign => Some(parent.clone()),
            _ => self.stores.campaign(&parent),
        };
        let Some(campaign) = campaign else {
            return waiting(LOST);
        };
        let Some(id) = self.id_of(&parent) else {
            return waiting(NOT_MADE);
        };
        let Spec::Campaign(spec) = &campaign.spec else {
            return waiting(NOT_MADE);
        };
        let row = |kind: Kind, id: &String| -> Option<Row> {
            account?.table.as_far_as_known(&(kind, id.clone()))
        };
        let campaign_row = self
            .id_of(&campaign)
            .and_then(|id| row(Kind::Campaign, &id));
        let optimization = optimized(spec.budget_optimization, campaign_row.as_ref());
        use crate::model::tiktok_names::TikTokName;
        ParentView::There(ParentObject {
            row: row(kind, &id),
            id,
            tree: spec.automation.into(),
            campaign: campaign_row,
            objective: spec.objective,
            budget_optimization: optimization,
            budget_mode: spec.budget.as_ref().map(|b| b.mode.tiktok()),
        })
    }

    /// The platform id of an object: by its record, or, where nothing is written (Observe), by what it claims and shows.
    pub(super) fn id_of(&self, object: &Object) -> Option<String> {
        self.own_id(object).or_else(|| {
            let shown = object.status.as_ref()?.id.clone()?;
            (object.life().external_id == Some(&shown)).then_some(shown)
        })
    }

    /// R17: what TikTok keeps once for all ad groups of the campaign that this one is in; nothing for other kinds. The
    /// campaign's object may be gone: then its row and our record say what it is.
    pub(super) fn shared_fields(
        &self,
        object: &Object,
        rows: Option<&Account>,
    ) -> Vec<&'static str> {
        if object.kind() != Kind::AdGroup {
            return Vec::new();
        }
        let record = self.stores.record(object).own().cloned();
        let said = self
            .stores
            .campaign(object)
            .and_then(|campaign| match &campaign.spec {
                Spec::Campaign(spec) => spec.budget_optimization,
                _ => None,
            });
        let made_in = record.and_then(|r| r.parent);
        let named = || self.id_of(&*self.stores.campaign(object)?);
        let row = made_in
            .or_else(named)
            .and_then(|id| account_row(rows, Kind::Campaign, id));
        let mut shared = Vec::new();
        if self.tree_of(object) == Some(Tree::SmartPlus) {
            shared.extend(SHARED_SMART_PLUS);
        }
        if optimized(said, row) {
            shared.extend(SHARED_CBO);
        }
        shared
    }

    /// The tree that an object is in: by its campaign's object, or where it was made.
    pub(super) fn tree_of(&self, object: &Object) -> Option<Tree> {
        let made = || self.stores.record(object).own().map(|r| r.tree);
        self.stores.tree(object).or_else(made)
    }

    /// R17: other ad groups of the same campaign that say fields which the platform keeps once for all of them.
    pub(super) fn siblings(
        &self,
        name: &ObjectName,
        object: &Object,
        parent: &ParentView,
        view: &ConnectionView,
        rows: Option<&Account>,
        now: Timestamp,
    ) -> Vec<Sibling> {
        let shared = self.shared_fields(object, rows);
        if shared.is_empty() {
            return Vec::new();
        }
        let there = match parent {
            ParentView::There(there) => Some(there),
            _ => None,
        };
        let tree = self.tree_of(object).unwrap_or(Tree::Manual);
        let account = match view {
            ConnectionView::Usable(account) => Some(account),
            _ => None,
        };
        let upper: Upper = upper(object);
        self.stores
            .children(&upper)
            .filter(|other| *other != name && other.kind == name.kind)
            .filter_map(|other| Some((other, self.stores.get(other)?)))
            .filter(|(_, o)| o.metadata.deletion_timestamp.is_none())
            .map(|(other, o)| {
                let wanted = o.wanted(now, tree, account, there);
                let record = self.stores.record(&o).own().cloned();
                let effective =
                    Effective::of(&o.life(), view, record.as_ref().is_some_and(|r| r.adopted));
                // What has come to a stop sends nothing, whatever it is to have.
                let writes = !is_stalled(&o)
                    && !effective.hands_off()
                    && !effective.pauses_only()
                    && effective.drift.of(Group::Bid) == DriftPolicy::Correct
                    && self.may_update(other, &o);
                let says: Vec<(&str, &str, Value)> = wanted
                    .fields
                    .iter()
                    .filter(|f| shared.contains(&f.wire))
                    .map(|f| (f.path, f.wire, f.value.clone()))
                    .collect();
                let row = record
                    .and_then(|r| r.id)
                    .and_then(|id| account_row(rows, other.kind, id));
                // What it has already is not sent again, not even for the others.
                let will_send = row.is_some_and(|row| {
                    let has = |wire: &str| row.fields.get(wire);
                    row.operation != OperationState::Deleted
                        && says.iter().any(|(_, wire, value)| has(wire) != Some(value))
                });
                Sibling {
                    name: other.name.clone(),
                    leads: writes && will_send && older_object(&o, object),
                    says,
                }
            })
            .filter(|sibling| !sibling.says.is_empty())
            .collect()
    }

    /// Has TikTok neither refused this generation's update, nor have its corrections been given up?
    fn may_update(&self, name: &ObjectName, object: &Object) -> bool {
        let generation = object.metadata.generation.unwrap_or_default();
        let Some(memo) = self.memos.get(name) else {
            return true;
        };
        let refused = (memo.memory.refused.as_ref())
            .is_some_and(|r| r.generation == generation && r.what == Refusable::Update);
        !refused && memo.memory.corrections < self.settings.model.corrections
    }
}

/// Does its status say that this generation of it waits for somebody?
pub(super) fn is_stalled(object: &Object) -> bool {
    let generation = object.metadata.generation;
    let said = object.status.iter().flat_map(|s| &s.conditions);
    said.into_iter()
        .any(|c| c.type_ == "Stalled" && c.status == "True" && c.observed_generation == generation)
}

/// Is a campaign's budget spread over its ad groups? What the spec does not say is as the platform has it.
fn optimized(said: Option<bool>, row: Option<&Row>) -> bool {
    said.or_else(|| row?.flag("budget_optimize_on"))
        .unwrap_or(false)
}

fn account_row(account: Option<&Account>, kind: Kind, id: String) -> Option<&Row> {
    account.and_then(|a| a.table.last_known(&(kind, id)))
}
