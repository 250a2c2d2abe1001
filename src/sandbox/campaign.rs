//! One campaign as the platform keeps it, and the statuses derived from it.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{
    accounts::Advertiser,
    knobs::{self, Settings},
    time::{self, DAY_MS},
};

/// Which of the two trees a campaign is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tree {
    /// `/campaign/…`
    Manual,
    /// `/smart_plus/campaign/…`
    SmartPlus,
}

impl Tree {
    /// What `campaign_automation_type` says.
    pub fn automation_type(self) -> &'static str {
        match self {
            Self::Manual => "MANUAL",
            Self::SmartPlus => "UPGRADED_SMART_PLUS",
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Manual => "manual",
            Self::SmartPlus => "smart_plus",
        }
    }
}

/// A campaign as it was until some time; kept only while a lag asks for it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Past {
    until: i64,
    fields: Map<String, Value>,
    deleted: bool,
    modified_at: i64,
}

/// A campaign. Money is in the account currency's main unit; times are milliseconds since 1970.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Campaign {
    /// 16 digits.
    pub id: u64,
    /// Its tree.
    pub tree: Tree,
    /// Fields by their names on the wire, as stored: what was sent plus what TikTok adds.
    pub fields: Map<String, Value>,
    /// Deleted for ever.
    pub deleted: bool,
    /// When it was created.
    pub created_at: i64,
    /// When it last changed.
    pub modified_at: i64,
    /// The idempotency key of its create.
    pub request_id: Option<String>,
    /// A `secondary_status` set through the control interface; nothing derived counts then.
    pub status_override: Option<String>,
    /// Whether it has been on at some time.
    pub was_on: bool,
    /// Spent on `spend_day` (a day number of the account's zone).
    pub spent_today: f64,
    /// See `spent_today`.
    pub spend_day: i64,
    /// Spent altogether.
    pub spent_total: f64,
    /// Automatic budget increases done on `spend_day`.
    pub raises_today: u32,
    /// Until when a paused dedicated campaign holds its quota.
    pub quota_until: Option<i64>,
    history: Vec<Past>,
}

impl Campaign {
    pub(super) fn new(
        id: u64,
        tree: Tree,
        at: i64,
        fields: Map<String, Value>,
        request_id: Option<String>,
    ) -> Self {
        let was_on = fields.get("operation_status") == Some(&json!("ENABLE"));
        Self {
            id,
            tree,
            fields,
            deleted: false,
            created_at: at,
            modified_at: at,
            request_id,
            status_override: None,
            was_on,
            spent_today: 0.0,
            spend_day: 0,
            spent_total: 0.0,
            raises_today: 0,
            quota_until: None,
            history: Vec::new(),
        }
    }

    /// A field's text, empty if it has none.
    pub fn text(&self, field: &str) -> &str {
        self.fields
            .get(field)
            .and_then(Value::as_str)
            .unwrap_or_default()
    }

    /// The configured budget; 0 without one.
    pub fn budget(&self) -> f64 {
        self.fields
            .get("budget")
            .and_then(Value::as_f64)
            .unwrap_or_default()
    }

    /// Whether it is enabled (and not deleted).
    pub fn is_on(&self) -> bool {
        !self.deleted && self.text("operation_status") == "ENABLE"
    }

    /// Whether it is an iOS 14 dedicated campaign.
    pub fn is_dedicated(&self) -> bool {
        self.text("campaign_type") == "IOS14_CAMPAIGN"
    }

    /// What was spent today in the account's zone.
    pub(super) fn spent_on(&self, at: i64, advertiser: &Advertiser) -> f64 {
        if self.spend_day == account_day(at, advertiser) {
            self.spent_today
        } else {
            0.0
        }
    }

    /// What counts against the budget: today's for a daily one, all for a lifetime one.
    pub(super) fn spent_against_budget(&self, at: i64, advertiser: &Advertiser) -> f64 {
        match self.text("budget_mode") {
            "BUDGET_MODE_TOTAL" => self.spent_total,
            "BUDGET_MODE_INFINITE" => 0.0,
            _ => self.spent_on(at, advertiser),
        }
    }

    /// Remembers the present state before a change, for as long as some lag can ask for it.
    pub(super) fn remember(&mut self, at: i64, keep_ms: i64) {
        self.history.retain(|past| past.until > at - keep_ms);
        if keep_ms > 0 {
            self.history.push(Past {
                until: at,
                fields: self.fields.clone(),
                deleted: self.deleted,
                modified_at: self.modified_at,
            });
        }
    }

    /// As it was at some time.
    fn as_of(&self, at: i64) -> (&Map<String, Value>, bool, i64) {
        // Mostly empty; newest changes last.
        self.history
            .iter()
            .find(|past| past.until > at)
            .map_or((&self.fields, self.deleted, self.modified_at), |past| {
                (&past.fields, past.deleted, past.modified_at)
            })
    }

    /// What is cheap to say about the row that a list shows; see [`Glance::render`] for the rest.
    ///
    /// `seen_at` is the time whose state is shown; it lies before the present when lists lag behind.
    pub(super) fn glance(&self, seen_at: i64, status_lag_ms: i64) -> Glance<'_> {
        let (fields, deleted, modified_at) = self.as_of(seen_at);
        let (status_fields, status_deleted, _) = self.as_of(seen_at.saturating_sub(status_lag_ms));
        Glance {
            row: self,
            fields,
            deleted,
            modified_at,
            status_fields,
            status_deleted,
        }
    }

    /// The row as it is now, with all its fields.
    pub(super) fn now(
        &self,
        at: i64,
        knobs: &Settings,
        advertiser_id: &str,
        advertiser: &Advertiser,
    ) -> Map<String, Value> {
        let lag = knobs.ms(&knobs::SECONDARY_STATUS_LAG, advertiser_id);
        self.glance(at, lag)
            .render(at, knobs, advertiser_id, advertiser)
    }

    fn secondary_status(
        &self,
        at: i64,
        on: bool,
        deleted: bool,
        knobs: &Settings,
        advertiser_id: &str,
        advertiser: &Advertiser,
    ) -> &'static str {
        let account = account_status(advertiser);
        let disabled = (!on).then(|| {
            if self.quota_until.is_some_and(|until| until > at) {
                "CAMPAIGN_STATUS_AWAITING_RELEASE"
            } else {
                "CAMPAIGN_STATUS_DISABLE"
            }
        });
        let own = if knobs.is(&knobs::STATUS_PRECEDENCE, advertiser_id, "account_first") {
            account.or(disabled)
        } else {
            disabled.or(account)
        };
        let spent = self.spent_against_budget(at, advertiser);
        if deleted {
            "CAMPAIGN_STATUS_DELETE"
        } else if let Some(status) = own {
            status
        } else if spent > 0.0 && spent >= self.budget() {
            "CAMPAIGN_STATUS_BUDGET_EXCEED"
        } else {
            "CAMPAIGN_STATUS_ENABLE"
        }
    }
}

/// What an account's own trouble makes of its campaigns.
fn account_status(advertiser: &Advertiser) -> Option<&'static str> {
    match advertiser.status.as_str() {
        "STATUS_ENABLE" => None,
        "STATUS_CONTRACT_PENDING" => Some("ADVERTISER_CONTRACT_PENDING"),
        "STATUS_CONFIRM_FAIL" | "STATUS_CONFIRM_FAIL_END" | "STATUS_CONFIRM_MODIFY_FAIL" => {
            Some("CAMPAIGN_STATUS_ADVERTISER_AUDIT_DENY")
        }
        _ if advertiser.in_review() => Some("CAMPAIGN_STATUS_ADVERTISER_AUDIT"),
        _ => Some("ADVERTISER_ACCOUNT_PUNISH"),
    }
}

/// The day number in the account's zone.
pub(super) fn account_day(at: i64, advertiser: &Advertiser) -> i64 {
    (at + advertiser.utc_offset_ms).div_euclid(DAY_MS)
}

/// Every secondary status a campaign can have, with its primary status.
pub(super) const SECONDARY_STATUSES: &[(&str, &str)] = &[
    ("CAMPAIGN_STATUS_DELETE", "STATUS_DELETE"),
    (
        "CAMPAIGN_STATUS_ADVERTISER_AUDIT_DENY",
        "STATUS_NOT_DELIVERY",
    ),
    ("CAMPAIGN_STATUS_ADVERTISER_AUDIT", "STATUS_NOT_DELIVERY"),
    ("ADVERTISER_CONTRACT_PENDING", "STATUS_NOT_DELIVERY"),
    ("ADVERTISER_ACCOUNT_PUNISH", "STATUS_NOT_DELIVERY"),
    ("CAMPAIGN_STATUS_BUDGET_EXCEED", "STATUS_NOT_DELIVERY"),
    (
        "CAMPAIGN_STATUS_IDENTITY_USED_BY_GMV_MAX_AD",
        "STATUS_NOT_DELIVERY",
    ),
    ("CAMPAIGN_STATUS_DISABLE", "STATUS_DISABLE"),
    ("CAMPAIGN_STATUS_AWAITING_RELEASE", "STATUS_DISABLE"),
    ("CAMPAIGN_STATUS_ENABLE", "STATUS_DELIVERY_OK"),
];

/// The primary statuses a campaign filter takes.
pub(super) const PRIMARY_STATUSES: &[&str] = &[
    "STATUS_NOT_DELETE",
    "STATUS_ALL",
    "STATUS_DELETE",
    "STATUS_NOT_DELIVERY",
    "STATUS_DISABLE",
    "STATUS_DELIVERY_OK",
];

/// A campaign as a list shows it, not yet written out.
pub(super) struct Glance<'a> {
    pub row: &'a Campaign,
    pub fields: &'a Map<String, Value>,
    pub deleted: bool,
    modified_at: i64,
    status_fields: &'a Map<String, Value>,
    status_deleted: bool,
}

impl<'a> Glance<'a> {
    pub(super) fn text(&self, field: &str) -> &'a str {
        self.fields
            .get(field)
            .and_then(Value::as_str)
            .unwrap_or_default()
    }

    pub(super) fn secondary(
        &self,
        at: i64,
        knobs: &Settings,
        advertiser_id: &str,
        advertiser: &Advertiser,
    ) -> &'a str {
        match &self.row.status_override {
            Some(status) => status,
            None => self.row.secondary_status(
                at,
                self.status_fields
                    .get("operation_status")
                    .and_then(Value::as_str)
                    == Some("ENABLE"),
                self.status_deleted,
                knobs,
                advertiser_id,
                advertiser,
            ),
        }
    }

    /// All fields, with those that are derived.
    pub(super) fn render(
        &self,
        at: i64,
        knobs: &Settings,
        advertiser_id: &str,
        advertiser: &Advertiser,
    ) -> Map<String, Value> {
        let mut fields = self.fields.clone();
        if self.deleted {
            match knobs.text(&knobs::DELETED_OPERATION_STATUS, advertiser_id) {
                "last" => {}
                status => {
                    fields.insert("operation_status".into(), json!(status));
                }
            }
        }
        fields.insert("advertiser_id".into(), json!(advertiser_id));
        fields.insert("campaign_id".into(), json!(self.row.id.to_string()));
        fields.insert(
            "create_time".into(),
            json!(time::datetime(self.row.created_at)),
        );
        fields.insert(
            "modify_time".into(),
            json!(time::datetime(self.modified_at)),
        );
        if knobs.is(&knobs::SECONDARY_STATUS, advertiser_id, "shown") {
            fields.insert(
                "secondary_status".into(),
                json!(self.secondary(at, knobs, advertiser_id, advertiser)),
            );
        }
        fields
    }
}

/// The primary status of a secondary one.
pub(super) fn primary_of(secondary: &str) -> &'static str {
    SECONDARY_STATUSES
        .iter()
        .find(|(known, _)| *known == secondary)
        .map_or("STATUS_NOT_DELIVERY", |(_, primary)| primary)
}
