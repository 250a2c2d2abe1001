//! What a campaign's spec asks of the platform, and how a row differs from it.

use super::effective::DriftRules;
use super::record::Record;
use super::tiktok_names::TikTokName;
use crate::api::campaign::{Campaign, CampaignSpec};
use crate::api::common::DriftPolicy;
use crate::platform::CampaignRow;
use crate::platform::{CampaignChanges, Cents, NewCampaign, Tree};

/// R16: fields that are minded, or left, together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    Budget,
    Name,
    Settings,
    /// On or off, see R1.
    State,
    /// Cannot be changed once the object exists.
    Fixed,
}

impl std::fmt::Display for Group {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Debug::fmt(self, f)
    }
}

/// One field that the platform has otherwise than the spec says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    pub group: Group,
    /// Path below `spec`, as the user writes it.
    pub field: &'static str,
    pub want: String,
    pub have: String,
}

/// The comparison of a spec with a row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diff {
    /// Everything that differs.
    pub differences: Vec<Difference>,
    /// What an update may set right under the drift rules.
    pub changes: CampaignChanges,
}

/// The name on the platform: `spec.name`, else the object's own.
pub fn platform_name(object: &Campaign) -> String {
    object
        .spec
        .name
        .clone()
        .unwrap_or_else(|| object.metadata.name.clone().unwrap_or_default())
}

/// The budget's amount in hundredths, when one is said.
pub fn wanted_budget(spec: &CampaignSpec) -> Option<Cents> {
    spec.budget.as_ref()?.amount.as_ref()?.cents().map(Cents)
}

/// The create call's content (R13: the careful defaults are the encoder's).
pub fn new_campaign(object: &Campaign, record: &Record) -> NewCampaign {
    let spec = &object.spec;
    NewCampaign {
        name: record.name.clone(),
        request_id: record.key.clone(),
        objective: spec.objective.tiktok().to_string(),
        budget_mode: spec.budget.as_ref().map(|b| b.mode.tiktok().to_string()),
        budget: record.sent.map(Cents),
        budget_optimize_on: spec.budget_optimization.unwrap_or(false),
        campaign_type: spec.campaign_type.map(|t| t.tiktok().to_string()),
        app_promotion_type: spec.app_promotion_type.map(|t| t.tiktok().to_string()),
        app_id: spec.app_id.clone(),
        special_industries: industries(spec).unwrap_or_default(),
        sales_destination: spec.sales_destination.map(|d| d.tiktok().to_string()),
        catalog_enabled: spec.catalog_enabled,
        catalog_type: spec.catalog_type.map(|t| t.tiktok().to_string()),
        po_number: spec.po_number.clone(),
        postback_window_mode: spec.postback_window_mode.map(|m| m.tiktok().to_string()),
    }
}

fn industries(spec: &CampaignSpec) -> Option<Vec<String>> {
    let list = spec.special_industries.as_ref()?;
    let mut words: Vec<String> = list.iter().map(|i| i.tiktok().to_string()).collect();
    words.sort_unstable();
    words.dedup();
    Some(words)
}

/// Compares what the spec says with what the platform has. What the spec does not say is never a difference.
pub fn diff(object: &Campaign, row: &CampaignRow, rules: &DriftRules) -> Diff {
    let spec = &object.spec;
    let mut out = Diff::default();
    let mut note = |group, field, want: String, have: String| {
        out.differences.push(Difference {
            group,
            field,
            want,
            have,
        });
    };

    if let Some(want) = wanted_budget(spec).filter(|want| row.budget != Some(*want)) {
        note(
            Group::Budget,
            "budget.amount",
            want.to_string(),
            row.budget.map_or_else(|| "none".into(), |b| b.to_string()),
        );
        if rules.budget == DriftPolicy::Correct {
            out.changes.budget = Some(want);
        }
    }
    if let Some(want) = spec.name.as_ref().filter(|want| **want != row.name) {
        note(Group::Name, "name", want.clone(), row.name.clone());
        if rules.name == DriftPolicy::Correct {
            out.changes.name = Some(want.clone());
        }
    }
    let mut have = row.special_industries.clone();
    have.sort_unstable();
    if let Some(want) = industries(spec).filter(|want| *want != have) {
        // The Smart+ update has no such field; the manual one can empty it, and nothing else.
        let fixed = row.tree == Tree::SmartPlus || !want.is_empty();
        let group = if fixed { Group::Fixed } else { Group::Settings };
        note(group, "specialIndustries", list(&want), list(&have));
        if !fixed && rules.settings == DriftPolicy::Correct {
            out.changes.special_industries = Some(want);
        }
    }
    if let Some(want) = spec
        .po_number
        .as_ref()
        .filter(|want| row.po_number.as_ref() != Some(want))
    {
        note(
            Group::Settings,
            "poNumber",
            want.clone(),
            row.po_number.clone().unwrap_or_else(|| "none".into()),
        );
        if rules.settings == DriftPolicy::Correct {
            out.changes.po_number = Some(want.clone());
        }
    }
    out.differences.extend(fixed(spec, row));
    out
}

/// What cannot be changed and is otherwise: a row with such a difference is not the object that the spec describes.
/// A field that the platform's row does not show is not compared: unknown is not different.
pub fn fixed(spec: &CampaignSpec, row: &CampaignRow) -> Vec<Difference> {
    let mut out = Vec::new();
    let mut compare = |field: &'static str, want: Option<String>, have: Option<String>| {
        if let (Some(want), Some(have)) = (want, have)
            && want != have
        {
            out.push(Difference {
                group: Group::Fixed,
                field,
                want,
                have,
            });
        }
    };
    compare(
        "automation",
        Some(tree_word(spec.automation.into())),
        Some(tree_word(row.tree)),
    );
    compare(
        "objective",
        Some(spec.objective.tiktok().into()),
        Some(row.objective.clone()),
    );
    compare(
        "budget.mode",
        spec.budget.as_ref().map(|b| b.mode.tiktok().into()),
        row.budget_mode.clone(),
    );
    compare(
        "budgetOptimization",
        spec.budget_optimization.map(|b| b.to_string()),
        row.budget_optimize_on.map(|b| b.to_string()),
    );
    compare(
        "campaignType",
        spec.campaign_type.map(|t| t.tiktok().into()),
        row.campaign_type.clone(),
    );
    compare(
        "appPromotionType",
        spec.app_promotion_type.map(|t| t.tiktok().into()),
        row.app_promotion_type.clone(),
    );
    compare("appId", spec.app_id.clone(), row.app_id.clone());
    compare(
        "salesDestination",
        spec.sales_destination.map(|d| d.tiktok().into()),
        row.sales_destination.clone(),
    );
    compare(
        "catalogEnabled",
        spec.catalog_enabled.map(|b| b.to_string()),
        row.catalog_enabled.map(|b| b.to_string()),
    );
    compare(
        "catalogType",
        spec.catalog_type.map(|t| t.tiktok().into()),
        row.catalog_type.clone(),
    );
    out
}

/// R11: does a row agree in what the outstanding create sent? Name and tree were the question asked of the platform; what
/// cannot be changed is still as the spec says it; the budget is in the record, since the spec may have moved on.
pub fn agrees_with_create(object: &Campaign, record: &Record, row: &CampaignRow) -> bool {
    fixed(&object.spec, row).is_empty()
        && record
            .sent
            .is_none_or(|sent| row.budget == Some(Cents(sent)))
}

fn tree_word(tree: Tree) -> String {
    match tree {
        Tree::Manual => "Manual".into(),
        Tree::SmartPlus => "SmartPlus".into(),
    }
}

fn list(words: &[String]) -> String {
    if words.is_empty() {
        "none".into()
    } else {
        words.join(", ")
    }
}

impl CampaignChanges {
    /// Nothing to send.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
