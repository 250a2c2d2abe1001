//! What an object's plan has to know of others: what it is in, and with whom it shares fields on the platform.

use jiff::Timestamp;

use super::account::Account;
use super::doors::ObjectName;
use super::state::{Key, State};
use super::stores::{Upper, older_object, upper};
use crate::api::common::DriftPolicy;
use crate::model::ad_group::{SHARED_CBO, SHARED_SMART_PLUS};
use crate::model::effective::Effective;
use crate::model::facts::{ConnectionView, ParentObject, ParentView, Sibling};
use crate::model::object::{Belongs, Object, Spec};
use crate::platform::{Kind, Row, Tree};

/// Why a parent that exists is of no use yet, as a part of a sentence.
const NOT_MADE: &str = "is not on TikTok yet";
const ENDING: &str = "is being deleted";

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
        let (Some(id), Some(campaign)) = (self.id_of(&parent), campaign) else {
            return waiting(NOT_MADE);
        };
        let Spec::Campaign(spec) = &campaign.spec else {
            return waiting(NOT_MADE);
        };
        let row = |kind: Kind, id: &String| -> Option<Row> {
            let row = (kind, id.clone());
            account.and_then(|a| a.table.last_known(&row)).cloned()
        };
        let campaign_row = self
            .id_of(&campaign)
            .and_then(|id| row(Kind::Campaign, &id));
        // What the platform has counts before what the spec does not say.
        let optimization = spec.budget_optimization.or_else(|| {
            let row = campaign_row.as_ref()?;
            row.flag("budget_optimize_on")
        });
        use crate::model::tiktok_names::TikTokName;
        ParentView::There(ParentObject {
            row: row(kind, &id),
            id,
            tree: spec.automation.into(),
            campaign: campaign_row,
            objective: spec.objective,
            budget_optimization: optimization.unwrap_or(false),
            budget_mode: spec.budget.as_ref().map(|b| b.mode.tiktok()),
        })
    }

    /// The platform id of an object: by its record, or, where nothing is written (Observe), by what it claims and shows.
    fn id_of(&self, object: &Object) -> Option<String> {
        self.own_id(object).or_else(|| {
            let shown = object.status.as_ref()?.id.clone()?;
            (object.life().external_id == Some(&shown)).then_some(shown)
        })
    }

    /// R17: other ad groups of the same campaign that say fields which the platform keeps once for all of them.
    pub(super) fn siblings(
        &self,
        name: &ObjectName,
        object: &Object,
        parent: &ParentView,
        view: &ConnectionView,
        now: Timestamp,
    ) -> Vec<Sibling> {
        let (Kind::AdGroup, ParentView::There(there)) = (name.kind, parent) else {
            return Vec::new();
        };
        let mut shared: Vec<&str> = Vec::new();
        if there.tree == Tree::SmartPlus {
            shared.extend(SHARED_SMART_PLUS);
        }
        if there.budget_optimization {
            shared.extend(SHARED_CBO);
        }
        if shared.is_empty() {
            return Vec::new();
        }
        let account = match view {
            ConnectionView::Usable(account) => Some(account),
            _ => None,
        };
        let place = self.place(&Key::Object(name.clone()));
        let table = place.and_then(|place| self.accounts.get(&place));
        let upper: Upper = upper(object);
        self.stores
            .children(&upper)
            .filter(|other| *other != name && other.kind == name.kind)
            .filter_map(|other| Some((other, self.stores.get(other)?)))
            .filter(|(_, o)| o.metadata.deletion_timestamp.is_none())
            .map(|(other, o)| {
                let wanted = o.wanted(now, there.tree, account, Some(there));
                let record = self.stores.record(&o).own().cloned();
                let effective =
                    Effective::of(&o.life(), view, record.as_ref().is_some_and(|r| r.adopted));
                let writes = !effective.hands_off()
                    && !effective.pauses_only()
                    && effective.drift.bid == DriftPolicy::Correct;
                let says: Vec<_> = wanted
                    .fields
                    .iter()
                    .filter(|f| shared.contains(&f.wire))
                    .map(|f| (f.path, f.wire, f.value.clone()))
                    .collect();
                // It has nothing to send if the platform has what it says: then TikTok copies no bids in this account,
                // or did not this time.
                let row = record
                    .and_then(|r| r.id)
                    .zip(table)
                    .and_then(|(id, account)| account.table.last_known(&(other.kind, id)));
                let differs = row.is_some_and(|row| {
                    says.iter()
                        .any(|(_, wire, value)| row.fields.get(wire) != Some(value))
                });
                Sibling {
                    name: other.name.clone(),
                    says,
                    leads: writes && differs && older_object(&o, object),
                }
            })
            .filter(|sibling| !sibling.says.is_empty())
            .collect()
    }
}
