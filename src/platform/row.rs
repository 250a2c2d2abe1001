//! An object as the platform has it.

use jiff::Timestamp;
use serde_json::Value;

use super::call::OperationStatus;
use super::field::Fields;
use super::json;
use super::kind::{Kind, Tree};
use super::money::Cents;
use super::table::{Table, table};

/// On, off or deleted. An operation status we do not know counts as `On`: it may be spending.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OperationState {
    On,
    Off,
    Deleted,
}

impl From<OperationStatus> for OperationState {
    /// What a status call makes of a row.
    fn from(asked: OperationStatus) -> Self {
        match asked {
            OperationStatus::Enable => Self::On,
            OperationStatus::Disable => Self::Off,
            OperationStatus::Delete => Self::Deleted,
        }
    }
}

/// A campaign, ad group or ad as the platform has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    pub kind: Kind,
    pub id: String,
    /// By what the row says of itself, since manual lists return Smart+ objects as well; a row that says nothing has the
    /// endpoint's.
    pub tree: Tree,
    /// The campaign it is in; `None` for campaigns.
    pub campaign: Option<String>,
    /// The ad group it is in; `None` for all but ads.
    pub ad_group: Option<String>,
    /// Exactly as the platform has it, so that it can be compared: [`clean`](super::clean) it before showing it.
    pub name: String,
    pub operation: OperationState,
    /// TikTok's own word for the delivery status; empty when it shows none.
    pub secondary_status: String,
    pub budget_mode: Option<String>,
    pub budget: Option<Cents>,
    /// With automatic budget increase: today's budget. Shown, never compared (R13).
    pub current_budget: Option<Cents>,
    pub created: Option<Timestamp>,
    pub modified: Option<Timestamp>,
    /// The `ad_id`s under which manual lists and webhooks know the creatives of a Smart+ ad. Empty where TikTok does not
    /// tell, and for all else.
    pub creatives: Vec<String>,
    /// What else the row shows of what a spec may say, by wire name and in canonical form. What is missing here was not
    /// shown; null and empty lists were shown and say nothing.
    pub fields: Fields,
}

impl Row {
    /// The id of what it is in.
    pub fn parent(&self) -> Option<&str> {
        match self.kind {
            Kind::Campaign => None,
            Kind::AdGroup => self.campaign.as_deref(),
            Kind::Ad => self.ad_group.as_deref(),
        }
    }

    /// The same row, in what an earlier one was in, unless it says so itself.
    pub fn within(mut self, before: &Self) -> Self {
        self.campaign = self.campaign.or_else(|| before.campaign.clone());
        self.ad_group = self.ad_group.or_else(|| before.ad_group.clone());
        self
    }

    /// The same row in `parent`, unless it says itself what it is in.
    pub(super) fn made_in(mut self, parent: Option<&String>) -> Self {
        let own = match self.kind {
            Kind::Campaign => return self,
            Kind::AdGroup => &mut self.campaign,
            Kind::Ad => &mut self.ad_group,
        };
        if own.is_none() {
            *own = parent.cloned();
        }
        self
    }

    /// A field that is a text and says something.
    pub fn text(&self, field: &str) -> Option<&str> {
        self.fields.get(field).and_then(Value::as_str)
    }

    /// A field that is true or false.
    pub fn flag(&self, field: &str) -> Option<bool> {
        self.fields.get(field).and_then(Value::as_bool)
    }

    /// R7: a pause of such a campaign is final.
    pub fn is_dedicated(&self) -> bool {
        self.flag("is_advanced_dedicated_campaign") == Some(true)
            || self.text("campaign_type") == Some("IOS14_CAMPAIGN")
    }

    /// R5: made of assets by TikTok; its status calls name it otherwise and refuse to delete it.
    pub fn is_automated_creative(&self) -> bool {
        self.flag("is_aco") == Some(true)
    }

    /// The delivery status that a status call of ours leaves behind, as far as it can be told without reading it.
    pub(crate) fn after(&self, to: super::OperationStatus) -> String {
        use super::OperationStatus::{Delete, Disable, Enable};
        let prefix = self.kind.status_prefix();
        let word = |end: &str| format!("{prefix}{end}");
        let now = self.secondary_status.as_str();
        match to {
            Delete => word("DELETE"),
            Disable if now == word("ENABLE") || now == word("DELIVERY_OK") => word("DISABLE"),
            Enable if now == word("DISABLE") => match self.kind {
                Kind::Campaign => word("ENABLE"),
                // What an ad group or ad does then depends on its parents, review and schedule.
                Kind::AdGroup | Kind::Ad => String::new(),
            },
            _ => now.to_owned(),
        }
    }
}

/// `None` without a usable id, or if the row says that it belongs to another account.
pub(super) fn object_row(row: &Value, advertiser: &str, kind: Kind, endpoint: Tree) -> Option<Row> {
    if json::id(row, "advertiser_id").is_some_and(|owner| owner != advertiser) {
        return None;
    }
    let table: &Table = table(kind, endpoint);
    let text = |name: &str| json::text(row, name);
    let parent =
        |name: &str, of: &[Kind]| of.contains(&kind).then(|| json::id(row, name)).flatten();
    let secondary_status = text("secondary_status").unwrap_or_default();
    Some(Row {
        kind,
        id: json::id(row, table.id)?,
        tree: tree_of(row, endpoint),
        campaign: parent("campaign_id", &[Kind::AdGroup, Kind::Ad]),
        ad_group: parent("adgroup_id", &[Kind::Ad]),
        name: row
            .get(table.name)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned(),
        operation: operation(kind, text("operation_status").as_deref(), &secondary_status),
        secondary_status,
        budget_mode: text("budget_mode"),
        budget: json::money(row, "budget"),
        current_budget: json::money(row, "current_budget"),
        created: json::time(row, "create_time"),
        modified: json::time(row, "modify_time"),
        creatives: creatives(row),
        fields: table
            .fields
            .iter()
            .filter_map(|field| Some((field.name, field.read(row)?)))
            .collect(),
    })
}

/// The ids by which manual lists show what a Smart+ ad consists of.
fn creatives(row: &Value) -> Vec<String> {
    let list = row.get("creative_list").map(json::items);
    let ids = list.unwrap_or_default().iter();
    ids.filter_map(|item| json::id(item, "smart_plus_creative_id"))
        .collect()
}

/// Manual lists return Smart+ objects as well: campaigns are marked there, what is below them mostly is not. Rows of the
/// Smart+ lists carry no mark.
fn tree_of(row: &Value, endpoint: Tree) -> Tree {
    match json::text(row, "campaign_automation_type").as_deref() {
        Some("MANUAL") => Tree::Manual,
        Some(_) => Tree::SmartPlus,
        None if json::flag(row, "is_smart_performance_campaign") == Some(true) => Tree::SmartPlus,
        None => endpoint,
    }
}

pub(super) fn operation(
    kind: Kind,
    operation_status: Option<&str>,
    secondary_status: &str,
) -> OperationState {
    let says = secondary_status.strip_prefix(kind.status_prefix());
    match (operation_status, says) {
        // With its parent it is gone for good as well.
        (Some("DELETE"), _) | (_, Some("DELETE" | "CAMPAIGN_DELETE" | "ADGROUP_DELETE")) => {
            OperationState::Deleted
        }
        (Some("DISABLE"), _) | (None, Some("DISABLE")) => OperationState::Off,
        // ENABLE, or something we do not know: it may be spending.
        _ => OperationState::On,
    }
}
