//! One campaign, ad group or ad as the platform keeps it.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{accounts::Advertiser, review::Findings, time::DAY_MS};

/// Which of the two trees an object is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tree {
    /// `/campaign/…`, `/adgroup/…`, `/ad/…`
    Manual,
    /// `/smart_plus/…`
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

/// The three levels of a tree. They share one space of ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// The top: objective, and perhaps the budget.
    Campaign,
    /// In a campaign: targeting, schedule, bid.
    AdGroup,
    /// In an ad group: what people see.
    Ad,
}

impl Level {
    /// All of them, from the top.
    pub const ALL: [Self; 3] = [Self::Campaign, Self::AdGroup, Self::Ad];

    /// The level as a word in a sentence.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Campaign => "campaign",
            Self::AdGroup => "ad group",
            Self::Ad => "ad",
        }
    }

    /// The same at the start of a sentence.
    pub(super) fn title(self) -> &'static str {
        match self {
            Self::Campaign => "Campaign",
            Self::AdGroup => "Ad group",
            Self::Ad => "Ad",
        }
    }

    /// The part of the control interface.
    pub(super) fn plural(self) -> &'static str {
        match self {
            Self::Campaign => "campaigns",
            Self::AdGroup => "ad_groups",
            Self::Ad => "ads",
        }
    }

    /// The level of a part of the control interface.
    pub(super) fn of_plural(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.plural() == text)
    }

    /// What stands before the names of this level's endpoints and fields.
    pub(super) fn wire(self) -> &'static str {
        match self {
            Self::Campaign => "campaign",
            Self::AdGroup => "adgroup",
            Self::Ad => "ad",
        }
    }

    /// The field of an object's own id. A Smart+ ad has two: this, and `ad_id` for each of its creatives.
    pub(super) fn id_field(self, tree: Tree) -> &'static str {
        match (self, tree) {
            (Self::Campaign, _) => "campaign_id",
            (Self::AdGroup, _) => "adgroup_id",
            (Self::Ad, Tree::Manual) => "ad_id",
            (Self::Ad, Tree::SmartPlus) => "smart_plus_ad_id",
        }
    }

    /// The field of a list of ids, in status calls and filters.
    pub(super) fn ids_field(self, tree: Tree) -> &'static str {
        match (self, tree) {
            (Self::Campaign, _) => "campaign_ids",
            (Self::AdGroup, _) => "adgroup_ids",
            (Self::Ad, Tree::Manual) => "ad_ids",
            (Self::Ad, Tree::SmartPlus) => "smart_plus_ad_ids",
        }
    }

    /// The field of the name.
    pub(super) fn name_field(self) -> &'static str {
        match self {
            Self::Campaign => "campaign_name",
            Self::AdGroup => "adgroup_name",
            Self::Ad => "ad_name",
        }
    }
}

/// An object as it was until some time; kept only while a lag asks for it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Past {
    until: i64,
    fields: Map<String, Value>,
    deleted: bool,
    modified_at: i64,
}

/// A review of an ad (or of an ad group's new targeting) that is not over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Review {
    /// When it ends; none: it begins when the object is switched on.
    pub until: Option<i64>,
    /// Whether it is not the first.
    pub again: bool,
}

/// A campaign, ad group or ad. Money is in the account currency's main unit; times are milliseconds since 1970.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Item {
    /// 16 digits.
    pub id: u64,
    /// Campaign, ad group or ad.
    pub level: Level,
    /// Its tree.
    pub tree: Tree,
    /// The campaign it is in; none for a campaign.
    pub campaign: Option<u64>,
    /// The ad group it is in; none for campaigns and ad groups.
    pub ad_group: Option<u64>,
    /// Of a Smart+ ad: the `ad_id` under which manual lists show each creative, in the order of `creative_list`.
    pub creative_ids: Vec<u64>,
    /// Fields by their names on the wire, as stored: what was sent plus what TikTok adds.
    pub fields: Map<String, Value>,
    /// Deleted for ever, by a call for this very object. One whose parent is deleted counts as deleted too.
    pub deleted: bool,
    /// When it was created.
    pub created_at: i64,
    /// When it last changed.
    pub modified_at: i64,
    /// The idempotency key of its create.
    pub request_id: Option<String>,
    /// A `secondary_status` set through the control interface; nothing derived counts then.
    pub status_override: Option<String>,
    /// An ad group beyond the account's quota: TikTok has paused it for good.
    pub over_quota: bool,
    /// A review that is not known to be over.
    pub review: Option<Review>,
    /// What reviews said about it.
    pub findings: Findings,
    /// When a call last changed it, or tried to without a change; only kept for Smart+ ads.
    pub operated_at: Option<i64>,
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

impl Item {
    pub(super) fn new(
        id: u64,
        (level, tree): (Level, Tree),
        at: i64,
        fields: Map<String, Value>,
        request_id: Option<String>,
    ) -> Self {
        let was_on = fields.get("operation_status") == Some(&json!("ENABLE"));
        Self {
            id,
            level,
            tree,
            campaign: None,
            ad_group: None,
            creative_ids: Vec::new(),
            fields,
            deleted: false,
            created_at: at,
            modified_at: at,
            request_id,
            status_override: None,
            over_quota: false,
            review: None,
            findings: Findings::default(),
            operated_at: None,
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

    /// Its name.
    pub fn name(&self) -> &str {
        self.text(self.level.name_field())
    }

    /// The object it is in; none for a campaign.
    pub fn parent(&self) -> Option<u64> {
        self.ad_group.or(self.campaign)
    }

    /// The configured budget; 0 without one.
    pub fn budget(&self) -> f64 {
        self.fields
            .get("budget")
            .and_then(Value::as_f64)
            .unwrap_or_default()
    }

    /// Whether it is enabled (and not deleted). Its parents may be off all the same.
    pub fn is_on(&self) -> bool {
        !self.deleted && self.text("operation_status") == "ENABLE"
    }

    /// Whether it is an iOS 14 dedicated campaign.
    pub fn is_dedicated(&self) -> bool {
        self.text("campaign_type") == "IOS14_CAMPAIGN"
    }

    /// Whether it is being reviewed.
    pub(super) fn in_review(&self, at: i64) -> bool {
        self.review
            .and_then(|review| review.until)
            .is_some_and(|until| at < until)
    }

    /// Adds to what is spent on a day of the account's zone. See [`super::Sandbox::spend`] for the automatic increase.
    pub(super) fn add_spend(&mut self, day: i64, amount: f64) {
        let budget = self.budget();
        if self.spend_day != day {
            (self.spend_day, self.spent_today, self.raises_today) = (day, 0.0, 0);
            if self.fields.contains_key("current_budget") {
                self.fields.insert("current_budget".into(), json!(budget));
            }
        }
        self.spent_today += amount;
        self.spent_total += amount;
        if self.text("budget_auto_adjust_strategy") == "AUTO_BUDGET_INCREASE" {
            let mut current = self
                .fields
                .get("current_budget")
                .and_then(Value::as_f64)
                .unwrap_or(budget);
            while self.raises_today < 10 && current > 0.0 && self.spent_today >= current * 0.9 {
                current = (current * 120.0).round() / 100.0;
                self.raises_today += 1;
            }
            self.fields.insert("current_budget".into(), json!(current));
        }
    }

    /// Whether a review of what it is now is over. What no review was begun for counts as reviewed.
    pub(super) fn is_reviewed(&self, at: i64) -> bool {
        self.review
            .is_none_or(|review| review.until.is_some_and(|until| at >= until))
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
            "BUDGET_MODE_INFINITE" | "" => 0.0,
            _ => self.spent_on(at, advertiser),
        }
    }

    /// Whether its own budget is used up.
    pub(super) fn is_spent(&self, at: i64, advertiser: &Advertiser) -> bool {
        let spent = self.spent_against_budget(at, advertiser);
        spent > 0.0 && spent >= self.budget()
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

    /// As it was at some time: fields, whether deleted, when last changed.
    pub(super) fn as_of(&self, at: i64) -> (&Map<String, Value>, bool, i64) {
        // Mostly empty; newest changes last.
        self.history
            .iter()
            .find(|past| past.until > at)
            .map_or((&self.fields, self.deleted, self.modified_at), |past| {
                (&past.fields, past.deleted, past.modified_at)
            })
    }
}

/// The day number in the account's zone.
pub(super) fn account_day(at: i64, advertiser: &Advertiser) -> i64 {
    (at + advertiser.utc_offset_ms).div_euclid(DAY_MS)
}
