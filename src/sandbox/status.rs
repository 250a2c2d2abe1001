//! Secondary statuses: what they are, and how they follow from an object, its parents and its account.
//!
//! TikTok publishes the values, not their precedence. The order here: deleted, account, switched off, not complete,
//! review, balance, budgets, schedule, delivering. Where a parent and the object itself could both be the reason, the
//! parent wins (seen live for a disabled campaign), but an object's own deletion comes before its parents'.

use super::{
    accounts::Advertiser,
    ad_groups::schedule_offset_ms,
    glance::View,
    item::{Item, Level, Tree},
    knobs,
    review::Available,
    time,
};

/// What an account's own trouble makes of its objects.
fn account_status(level: Level, advertiser: &Advertiser) -> Option<&'static str> {
    let of = |campaign, ad_group, ad| match level {
        Level::Campaign => campaign,
        Level::AdGroup => ad_group,
        Level::Ad => ad,
    };
    match advertiser.status.as_str() {
        "STATUS_ENABLE" => None,
        "STATUS_CONTRACT_PENDING" => Some("ADVERTISER_CONTRACT_PENDING"),
        "STATUS_CONFIRM_FAIL" | "STATUS_CONFIRM_FAIL_END" | "STATUS_CONFIRM_MODIFY_FAIL" => {
            Some(of(
                "CAMPAIGN_STATUS_ADVERTISER_AUDIT_DENY",
                "ADGROUP_STATUS_ADVERTISER_AUDIT_DENY",
                "AD_STATUS_ADVERTISER_AUDIT_DENY",
            ))
        }
        _ if advertiser.in_review() => Some(of(
            "CAMPAIGN_STATUS_ADVERTISER_AUDIT",
            "ADGROUP_STATUS_ADVERTISER_AUDIT",
            "AD_STATUS_ADVERTISER_AUDIT",
        )),
        _ => Some("ADVERTISER_ACCOUNT_PUNISH"),
    }
}

/// What the review of an ad group's ads makes of the ad group.
#[derive(Default)]
struct Reviews {
    ads: usize,
    open: usize,
    denied: usize,
    /// Shown in part.
    partly: usize,
}

impl<'a> View<'a> {
    /// The secondary status of an object.
    pub(super) fn secondary(&self, item: &'a Item) -> &'a str {
        if let Some(status) = self.deletion(item) {
            return status;
        }
        if let Some(status) = &item.status_override {
            return status;
        }
        let account = account_status(item.level, self.advertiser);
        let disabled = self
            .switched_off(item)
            .filter(|_| !self.review_comes_first(item));
        let own = if self.knobs.is(
            &knobs::STATUS_PRECEDENCE,
            self.advertiser_id,
            "account_first",
        ) {
            account.or(disabled)
        } else {
            disabled.or(account)
        };
        if let Some(status) = own {
            return status;
        }
        match item.level {
            Level::Campaign if item.is_spent(self.at, self.advertiser) => {
                "CAMPAIGN_STATUS_BUDGET_EXCEED"
            }
            Level::Campaign => "CAMPAIGN_STATUS_ENABLE",
            Level::AdGroup => self.ad_group_status(item),
            Level::Ad => self.ad_status(item),
        }
    }

    fn was_deleted(&self, item: &Item) -> bool {
        item.as_of(self.status_at).1
    }

    fn was_on(&self, item: &Item) -> bool {
        let status = item.as_of(self.status_at).0.get("operation_status");
        status.and_then(serde_json::Value::as_str) == Some("ENABLE")
    }

    fn deletion(&self, item: &Item) -> Option<&'static str> {
        let gone = |parent: Option<&Item>| parent.is_some_and(|row| self.was_deleted(row));
        let (own, by_campaign) = match item.level {
            Level::Campaign => ("CAMPAIGN_STATUS_DELETE", ""),
            Level::AdGroup => ("ADGROUP_STATUS_DELETE", "ADGROUP_STATUS_CAMPAIGN_DELETE"),
            Level::Ad => ("AD_STATUS_DELETE", "AD_STATUS_CAMPAIGN_DELETE"),
        };
        if self.was_deleted(item) {
            Some(own)
        } else if gone(self.ad_group_of(item)) {
            Some("AD_STATUS_ADGROUP_DELETE")
        } else if gone(self.campaign_of(item)) {
            Some(by_campaign)
        } else {
            None
        }
    }

    fn switched_off(&self, item: &Item) -> Option<&'static str> {
        let off = |parent: Option<&Item>| parent.is_some_and(|row| !self.was_on(row));
        match item.level {
            Level::Campaign if self.was_on(item) => None,
            Level::Campaign if item.quota_until.is_some_and(|until| until > self.at) => {
                Some("CAMPAIGN_STATUS_AWAITING_RELEASE")
            }
            Level::Campaign => Some("CAMPAIGN_STATUS_DISABLE"),
            Level::AdGroup if item.over_quota => Some("ADGROUP_STATUS_ADGROUP_QUOTA_LIMIT"),
            Level::AdGroup if off(self.campaign_of(item)) => {
                Some("ADGROUP_STATUS_CAMPAIGN_DISABLE")
            }
            Level::AdGroup if !self.was_on(item) => Some("ADGROUP_STATUS_DISABLE"),
            Level::Ad if off(self.campaign_of(item)) => Some("AD_STATUS_CAMPAIGN_DISABLE"),
            Level::Ad if off(self.ad_group_of(item)) => Some("AD_STATUS_ADGROUP_DISABLE"),
            Level::Ad if !self.was_on(item) => Some("AD_STATUS_DISABLE"),
            Level::AdGroup | Level::Ad => None,
        }
    }

    /// Whether an ad that is switched off says what its review says all the same.
    fn review_comes_first(&self, item: &Item) -> bool {
        item.level == Level::Ad
            && self.knobs.is(
                &knobs::REVIEW_PRECEDENCE,
                self.advertiser_id,
                "review_first",
            )
            && (item.in_review(self.at) || self.available(item) == Some(Available::Nothing))
    }

    fn reviews(&self, ad_group: &Item) -> Reviews {
        let mut reviews = Reviews::default();
        for ad in self.store.children(Level::Ad, ad_group.id) {
            if self.was_deleted(ad) {
                continue;
            }
            reviews.ads += 1;
            match (ad.status_override.as_deref(), self.available(ad)) {
                (Some("AD_STATUS_AUDIT_DENY"), _) => reviews.denied += 1,
                (Some("AD_STATUS_AUDIT" | "AD_STATUS_REAUDIT"), _) => reviews.open += 1,
                _ if ad.in_review(self.at) => reviews.open += 1,
                (_, Some(Available::Nothing)) => reviews.denied += 1,
                (_, Some(Available::Partly)) => reviews.partly += 1,
                _ => {}
            }
        }
        reviews
    }

    fn ad_group_status(&self, item: &Item) -> &'static str {
        let reviews = self.reviews(item);
        if reviews.ads == 0 {
            return "ADGROUP_STATUS_CREATE";
        }
        let shadow = self
            .knobs
            .is(&knobs::AD_GROUP_REAUDIT, self.advertiser_id, "shadow");
        if item.in_review(self.at) && !shadow {
            return "ADGROUP_STATUS_REAUDIT";
        }
        let own = item.findings.of_all(&[]);
        if reviews.denied == reviews.ads || own == Available::Nothing {
            return "ADGROUP_STATUS_AUDIT_DENY";
        }
        if reviews.denied + reviews.open == reviews.ads {
            return "ADGROUP_STATUS_AUDIT";
        }
        if self.advertiser.balance <= 0.0 {
            return "ADGROUP_STATUS_BALANCE_EXCEED";
        }
        if self.is_spent(self.campaign_of(item)) {
            return "ADGROUP_STATUS_CAMPAIGN_EXCEED";
        }
        if item.is_spent(self.at, self.advertiser) {
            return "ADGROUP_STATUS_BUDGET_EXCEED";
        }
        match self.schedule(item) {
            Schedule::Before => "ADGROUP_STATUS_NOT_START",
            Schedule::After => "ADGROUP_STATUS_TIME_DONE",
            Schedule::Running
                if reviews.denied + reviews.partly > 0 || own == Available::Partly =>
            {
                "ADGROUP_STATUS_PARTIAL_AUDIT_DELIVERY_OK"
            }
            Schedule::Running if item.in_review(self.at) => "ADGROUP_STATUS_SHADOW_ADGROUP_REAUDIT",
            Schedule::Running => "ADGROUP_STATUS_DELIVERY_OK",
        }
    }

    fn ad_status(&self, item: &Item) -> &'a str {
        let ad_group = self.ad_group_of(item);
        let mut delivering = match self.available(item) {
            Some(Available::Partly) => self.partly_approved(item),
            _ => "AD_STATUS_DELIVERY_OK",
        };
        if let Some(review) = item.review.filter(|_| item.in_review(self.at)) {
            match self.in_review_status(item, review.again) {
                "AD_STATUS_DELIVERY_AND_REAUDIT" => delivering = "AD_STATUS_DELIVERY_AND_REAUDIT",
                status => return status,
            }
        }
        if self.available(item) == Some(Available::Nothing) {
            return "AD_STATUS_AUDIT_DENY";
        }
        if ad_group.is_some_and(|row| {
            row.status_override.as_deref() == Some("ADGROUP_STATUS_AUDIT_DENY")
                || row.findings.of_all(&[]) == Available::Nothing
        }) {
            return "AD_STATUS_ADGROUP_AUDIT_DENY";
        }
        if self.advertiser.balance <= 0.0 {
            return "AD_STATUS_BALANCE_EXCEED";
        }
        if self.is_spent(self.campaign_of(item)) {
            return "AD_STATUS_CAMPAIGN_EXCEED";
        }
        if self.is_spent(ad_group) {
            return "AD_STATUS_BUDGET_EXCEED";
        }
        match ad_group.map_or(Schedule::Running, |row| self.schedule(row)) {
            Schedule::Before => "AD_STATUS_NOT_START",
            Schedule::After => "AD_STATUS_DONE",
            Schedule::Running => delivering,
        }
    }

    /// A new ad waits; an edited one waits too, or runs as it was before.
    fn in_review_status(&self, item: &Item, again: bool) -> &'a str {
        match (again, item.tree) {
            (false, _) => "AD_STATUS_AUDIT",
            (true, Tree::Manual) => "AD_STATUS_REAUDIT",
            (true, Tree::SmartPlus) => self
                .knobs
                .text(&knobs::SMART_PLUS_REAUDIT, self.advertiser_id),
        }
    }

    /// An ad that runs in part: in some places, or with some of its creatives.
    fn partly_approved(&self, item: &Item) -> &'a str {
        match item.tree {
            Tree::Manual => "AD_STATUS_PARTIAL_AUDIT_DELIVERY_OK",
            Tree::SmartPlus => self
                .knobs
                .text(&knobs::SMART_PLUS_PARTLY_REJECTED, self.advertiser_id),
        }
    }

    fn is_spent(&self, item: Option<&Item>) -> bool {
        item.is_some_and(|row| row.is_spent(self.at, self.advertiser))
    }

    /// Where now is in an ad group's schedule.
    fn schedule(&self, ad_group: &Item) -> Schedule {
        let instant = |field| time::parse(ad_group.text(field));
        let in_account_zone = self
            .knobs
            .is(&knobs::SCHEDULE_ZONE, self.advertiser_id, "account");
        let now = self.at + schedule_offset_ms(in_account_zone, self.advertiser.utc_offset_ms);
        if instant("schedule_end_time").is_some_and(|end| now >= end) {
            Schedule::After
        } else if instant("schedule_start_time").is_some_and(|start| now < start) {
            Schedule::Before
        } else {
            Schedule::Running
        }
    }
}

enum Schedule {
    Before,
    Running,
    After,
}

/// Secondary statuses with their primary status.
type Statuses = &'static [(&'static str, &'static str)];

const DELETED: &str = "STATUS_DELETE";
const NOT_DELIVERY: &str = "STATUS_NOT_DELIVERY";
const DISABLED: &str = "STATUS_DISABLE";
const DELIVERY_OK: &str = "STATUS_DELIVERY_OK";
const TIME_DONE: &str = "STATUS_TIME_DONE";

const CAMPAIGN: Statuses = &[
    ("CAMPAIGN_STATUS_DELETE", DELETED),
    ("CAMPAIGN_STATUS_ADVERTISER_AUDIT_DENY", NOT_DELIVERY),
    ("CAMPAIGN_STATUS_ADVERTISER_AUDIT", NOT_DELIVERY),
    ("ADVERTISER_CONTRACT_PENDING", NOT_DELIVERY),
    ("ADVERTISER_ACCOUNT_PUNISH", NOT_DELIVERY),
    ("CAMPAIGN_STATUS_BUDGET_EXCEED", NOT_DELIVERY),
    ("CAMPAIGN_STATUS_IDENTITY_USED_BY_GMV_MAX_AD", NOT_DELIVERY),
    ("CAMPAIGN_STATUS_DISABLE", DISABLED),
    ("CAMPAIGN_STATUS_AWAITING_RELEASE", DISABLED),
    ("CAMPAIGN_STATUS_ENABLE", DELIVERY_OK),
];

const AD_GROUP: Statuses = &[
    ("ADGROUP_STATUS_CAMPAIGN_DELETE", DELETED),
    ("ADGROUP_STATUS_DELETE", DELETED),
    ("ADGROUP_STATUS_CAMPAIGN_DISABLE", DISABLED),
    ("ADGROUP_STATUS_DISABLE", DISABLED),
    ("ADGROUP_STATUS_ADVERTISER_AUDIT_DENY", NOT_DELIVERY),
    ("ADGROUP_STATUS_ADVERTISER_AUDIT", NOT_DELIVERY),
    ("ADVERTISER_CONTRACT_PENDING", NOT_DELIVERY),
    ("ADVERTISER_ACCOUNT_PUNISH", NOT_DELIVERY),
    ("ADGROUP_STATUS_BALANCE_EXCEED", NOT_DELIVERY),
    ("ADGROUP_STATUS_CREATE", NOT_DELIVERY),
    ("ADGROUP_STATUS_TRANSCODING_FAIL", NOT_DELIVERY),
    ("ADGROUP_STATUS_AUDIT", NOT_DELIVERY),
    ("ADGROUP_STATUS_REAUDIT", NOT_DELIVERY),
    ("ADGROUP_STATUS_AUDIT_DENY", NOT_DELIVERY),
    ("ADGROUP_STATUS_PARTIAL_AUDIT_NO_DELIVERY", NOT_DELIVERY),
    ("ADGROUP_STATUS_LIVE_NOT_START", NOT_DELIVERY),
    (
        "ADGROUP_STATUS_INDUSTRY_QUALIFICATION_MISSING",
        NOT_DELIVERY,
    ),
    (
        "ADGROUP_STATUS_INDUSTRY_QUALIFICATION_EXPIRED",
        NOT_DELIVERY,
    ),
    ("ADGROUP_STATUS_INDUSTRY_QUALIFICATION_DENY", NOT_DELIVERY),
    ("ADGROUP_STATUS_CAMPAIGN_EXCEED", NOT_DELIVERY),
    ("ADGROUP_STATUS_BUDGET_EXCEED", NOT_DELIVERY),
    ("ADGROUP_STATUS_FROZEN", NOT_DELIVERY),
    ("ADGROUP_STATUS_ADGROUP_PRE_ONLINE", NOT_DELIVERY),
    ("ADGROUP_STATUS_NOT_START", NOT_DELIVERY),
    ("ADGROUP_STATUS_ASSET_AUTHORIZATION_LOST", NOT_DELIVERY),
    ("ADGROUP_STATUS_PIXEL_UNBIND", NOT_DELIVERY),
    ("ADGROUP_STATUS_ADGROUP_QUOTA_LIMIT", NOT_DELIVERY),
    ("ADGROUP_STATUS_IDENTITY_USED_BY_GMV_MAX_AD", NOT_DELIVERY),
    ("ADGROUP_STATUS_SEARCH_KEYWORDS_IN_REVIEW", NOT_DELIVERY),
    ("ADGROUP_STATUS_SEARCH_KEYWORDS_NOT_AVAILABLE", NOT_DELIVERY),
    ("ADGROUP_STATUS_DELIVERY_OK", DELIVERY_OK),
    ("ADGROUP_STATUS_PARTIAL_AUDIT_DELIVERY_OK", DELIVERY_OK),
    ("ADGROUP_STATUS_SHADOW_ADGROUP_REAUDIT", DELIVERY_OK),
    ("ADGROUP_STATUS_REVIEW_PARTIALLY_APPROVED", DELIVERY_OK),
    (
        "ADGROUP_STATUS_SEARCH_KEYWORDS_PARTIAL_APPROVED",
        DELIVERY_OK,
    ),
    ("ADGROUP_STATUS_TIME_DONE", TIME_DONE),
];

/// `AD_STAUS_PIXEL_UNBIND` is spelt so on the wire of the manual tree; Smart+ spells it right.
const AD: Statuses = &[
    ("AD_STATUS_CAMPAIGN_DELETE", DELETED),
    ("AD_STATUS_ADGROUP_DELETE", DELETED),
    ("AD_STATUS_DELETE", DELETED),
    ("AD_STATUS_ADVERTISER_AUDIT_DENY", NOT_DELIVERY),
    ("AD_STATUS_ADVERTISER_AUDIT", NOT_DELIVERY),
    ("ADVERTISER_CONTRACT_PENDING", NOT_DELIVERY),
    ("ADVERTISER_ACCOUNT_PUNISH", NOT_DELIVERY),
    ("AD_STATUS_LIVE_OFFLINE", NOT_DELIVERY),
    ("AD_STATUS_BALANCE_EXCEED", NOT_DELIVERY),
    ("AD_STATUS_ADGROUP_PARTIAL_AUDIT_NO_DELIVERY", NOT_DELIVERY),
    ("AD_STATUS_PARTIAL_AUDIT_NO_DELIVERY", NOT_DELIVERY),
    ("AD_STATUS_ADGROUP_AUDIT_DENY", NOT_DELIVERY),
    (
        "AD_STATUS_ADGROUP_INDUSTRY_QUALIFICATION_MISSING",
        NOT_DELIVERY,
    ),
    (
        "AD_STATUS_ADGROUP_INDUSTRY_QUALIFICATION_EXPIRED",
        NOT_DELIVERY,
    ),
    (
        "AD_STATUS_ADGROUP_INDUSTRY_QUALIFICATION_DENY",
        NOT_DELIVERY,
    ),
    ("AD_STATUS_MUSIC_AUTHORIZATION_MISSING", NOT_DELIVERY),
    ("AD_STATUS_TRANSCODING_FAIL", NOT_DELIVERY),
    ("AD_STATUS_AUDIT", NOT_DELIVERY),
    ("AD_STATUS_REAUDIT", NOT_DELIVERY),
    ("AD_STATUS_AUDIT_DENY", NOT_DELIVERY),
    ("AD_STATUS_PROCESS_AUDIO", NOT_DELIVERY),
    ("AD_STATUS_CAMPAIGN_EXCEED", NOT_DELIVERY),
    ("AD_STATUS_BUDGET_EXCEED", NOT_DELIVERY),
    ("AD_STATUS_AD_PRE_ONLINE", NOT_DELIVERY),
    ("AD_STATUS_NOT_START", NOT_DELIVERY),
    ("AD_STATUS_ADGROUP_ASSET_AUTHORIZATION_LOST", NOT_DELIVERY),
    ("AD_STATUS_ASSET_AUTHORIZATION_LOST", NOT_DELIVERY),
    ("AD_STAUS_PIXEL_UNBIND", NOT_DELIVERY),
    ("AD_STATUS_PIXEL_UNBIND", NOT_DELIVERY),
    ("AD_STATUS_AD_QUOTA_LIMIT", NOT_DELIVERY),
    ("AD_STATUS_PRODUCT_UNAVAILABLE", NOT_DELIVERY),
    ("AD_STATUS_ANCHOR_UNAVAILABLE", NOT_DELIVERY),
    ("AD_STATUS_NO_AUTHORIZATION_OF_SHOWCASE", NOT_DELIVERY),
    ("AD_STATUS_DELIVERY_OK", DELIVERY_OK),
    ("AD_STATUS_PARTIAL_AUDIT_DELIVERY_OK", DELIVERY_OK),
    ("AD_STATUS_REVIEW_PARTIALLY_APPROVED", DELIVERY_OK),
    // These five are of Smart+ ads alone (D:1843317378982914).
    ("AD_STATUS_DELIVERY_AND_REAUDIT", DELIVERY_OK),
    ("AD_STATUS_DELIVERY_AND_TRANSCODING_FAIL", DELIVERY_OK),
    ("AD_STATUS_COLLECTION_TOGGLED_OFF", NOT_DELIVERY),
    ("AD_STATUS_PRIVACY_POLICY_REJECTED", NOT_DELIVERY),
    ("AD_STATUS_PRIVACY_POLICY_AUDIT", NOT_DELIVERY),
    ("AD_STATUS_CAMPAIGN_DISABLE", DISABLED),
    ("AD_STATUS_ADGROUP_DISABLE", DISABLED),
    ("AD_STATUS_DISABLE", DISABLED),
    ("ADGROUP_STATUS_FROZEN", "STATUS_FROZEN"),
    ("AD_STATUS_DONE", TIME_DONE),
    ("AD_STATUS_RF_ADGROUP_CLOSED", "STATUS_RF_CLOSED"),
];

/// Every secondary status of a level, with its primary status.
pub(super) fn secondary_statuses(level: Level) -> Statuses {
    match level {
        Level::Campaign => CAMPAIGN,
        Level::AdGroup => AD_GROUP,
        Level::Ad => AD,
    }
}

/// The primary statuses a filter takes.
pub(super) fn primary_statuses(level: Level) -> &'static [&'static str] {
    const ALL: &[&str] = &[
        "STATUS_NOT_DELETE",
        "STATUS_ALL",
        DELETED,
        NOT_DELIVERY,
        DISABLED,
        DELIVERY_OK,
        TIME_DONE,
        "STATUS_RF_CLOSED",
        "STATUS_FROZEN",
    ];
    match level {
        Level::Campaign => &ALL[..6],
        Level::AdGroup => &ALL[..8],
        Level::Ad => ALL,
    }
}

/// The primary status of a secondary one.
pub(super) fn primary_of(level: Level, secondary: &str) -> &'static str {
    secondary_statuses(level)
        .iter()
        .find(|(known, _)| *known == secondary)
        .map_or(NOT_DELIVERY, |(_, primary)| primary)
}
