//! Which objects a list shows, and how that is said on the wire.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::kind::{Kind, Tree};
use super::table::table;

/// Which objects a list shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Up to 100.
    pub ids: Vec<String>,
    /// Only what is in these campaigns (for ad groups) or ad groups (for ads), up to 100.
    pub parents: Vec<String>,
    /// TikTok matches fuzzily, and Smart+ ads not at all: the caller compares names exactly.
    pub name: Option<String>,
    /// Widened on the wire by up to two seconds, like `created_to`: rows a little outside may come back.
    pub created_from: Option<Timestamp>,
    pub created_to: Option<Timestamp>,
    /// `primary_status: STATUS_ALL`; else TikTok hides what is deleted.
    pub include_deleted: bool,
    /// Also campaigns made by TikTok's Promote (manual campaigns only).
    pub all_origins: bool,
}

impl Filter {
    pub(super) fn wire(&self, kind: Kind, tree: Tree) -> Map<String, Value> {
        let table = table(kind, tree);
        let mut filtering = Map::new();
        if !self.ids.is_empty() {
            filtering.insert(table.ids.into(), json!(self.ids));
        }
        if let Some((_, parents)) = table.parent.filter(|_| !self.parents.is_empty()) {
            filtering.insert(parents.into(), json!(self.parents));
        }
        // The list of Smart+ ads has no filter for names.
        let named = self
            .name
            .as_ref()
            .filter(|_| (kind, tree) != (Kind::Ad, Tree::SmartPlus));
        if let Some(name) = named {
            filtering.insert(table.name.into(), json!(name));
        }
        // The ends are widened to whole seconds and by one more: TikTok says "after" and "before", and to miss a row
        // that was created at the very second would cost a twin.
        let second = SignedDuration::from_secs(1);
        if let Some(from) = self.created_from {
            let from = from.checked_sub(second).unwrap_or(from);
            filtering.insert("creation_filter_start_time".into(), json!(wire_time(from)));
        }
        if let Some(to) = self.created_to {
            let to = to.checked_add(second + second).unwrap_or(to);
            filtering.insert("creation_filter_end_time".into(), json!(wire_time(to)));
        }
        if self.include_deleted {
            filtering.insert("primary_status".into(), json!("STATUS_ALL"));
        }
        if self.all_origins && (kind, tree) == (Kind::Campaign, Tree::Manual) {
            filtering.insert(
                "campaign_system_origins".into(),
                json!(["TT_ADS_PLATFORM", "PROMOTE"]),
            );
        }
        filtering
    }
}

/// `YYYY-MM-DD HH:MM:SS` in UTC, whole seconds rounded down.
pub(super) fn wire_time(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M:%S").to_string()
}
