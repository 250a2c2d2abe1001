//! Events: what happened to an ad group, an ad or an account, as its subscribers are told.
//!
//! There are two families. Reviews come as `{request_id, object, time, entry[]}`, where `time` is that of sending;
//! suspensions are flat and name their subscription. Nothing is said about campaigns, switches or budgets.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::{
    super::{
        Sandbox,
        ads::smart_plus::creatives,
        item::{Item, Level},
        knobs,
        review::{Available, Rejection},
        subscriptions::Subscription,
        time,
    },
    Gathered,
    queue::{DeliveryState, SentEvent},
};

/// `object` of a body about ad groups.
const AD_GROUP_REVIEW: u8 = 2;
/// `object` of a body about ads.
const AD_REVIEW: u8 = 3;
/// `object` in [`Gathered`] of what has no such field and no entries.
const FLAT: u8 = 0;
/// What is said where TikTok's own word for a rejection was set without a reason.
const NO_REASON: &str = "Rejected.";

impl Sandbox {
    /// Notes when the review of an ad group or ad will be over; nothing if none is under way.
    pub(in super::super) fn expect_review_end(
        &mut self,
        advertiser_id: &str,
        level: Level,
        id: u64,
    ) {
        let row = self.row(advertiser_id, level, id);
        let until = row.and_then(|row| row.review?.until);
        // The largest time is "never by itself".
        if let Some(until) = until.filter(|until| *until < i64::MAX) {
            let end = (until, advertiser_id.to_owned(), level, id);
            self.webhooks.reviews.insert(end);
        }
    }

    /// What reviews let through of the ad group that an ad is in.
    pub(in super::super) fn group_of_ad(
        &self,
        at: i64,
        advertiser_id: &str,
        ad: u64,
    ) -> Option<Available> {
        if self.subscriptions.is_empty() {
            // Nobody to tell, and large ad groups are not looked through for nothing.
            return None;
        }
        let group = self.row(advertiser_id, Level::Ad, ad)?.ad_group?;
        let group = self.row(advertiser_id, Level::AdGroup, group)?;
        let advertiser = self.advertiser(advertiser_id).ok()?;
        self.view(at, advertiser_id, advertiser)
            .available_group(group)
    }

    /// Tells about the result of a review that is over, and about the ad group if the result of an ad changed what
    /// holds of it. `group_before` is [`Sandbox::group_of_ad`] before the result.
    pub(in super::super) fn announce_result(
        &mut self,
        at: i64,
        advertiser_id: &str,
        level: Level,
        id: u64,
        group_before: Option<Available>,
    ) {
        self.announce_review(at, advertiser_id, level, id);
        if level != Level::Ad || self.group_of_ad(at, advertiser_id, id) == group_before {
            return;
        }
        let group = self
            .row(advertiser_id, Level::Ad, id)
            .and_then(|row| row.ad_group);
        if let Some(group) = group {
            self.announce_review(at, advertiser_id, Level::AdGroup, group);
        }
    }

    fn announce_review(&mut self, at: i64, advertiser_id: &str, level: Level, id: u64) {
        for subscription in self.review_subscriptions(at, advertiser_id, level, id) {
            self.announce_to(at, advertiser_id, level, id, &subscription);
        }
    }

    /// Tells one subscription how the review of an object stands. False if there is nothing to tell.
    pub(super) fn announce_to(
        &mut self,
        at: i64,
        advertiser_id: &str,
        level: Level,
        id: u64,
        subscription_id: &str,
    ) -> bool {
        let log_id = self.next_log_id(at);
        let Some(subscription) = self.subscriptions.get(subscription_id) else {
            return false;
        };
        let Some(entry) = self.review_entry(advertiser_id, level, id, subscription, log_id) else {
            return false;
        };
        let object = if level == Level::Ad {
            AD_REVIEW
        } else {
            AD_GROUP_REVIEW
        };
        let (app_id, url) = (
            subscription.app_id.clone(),
            subscription.callback_url.clone(),
        );
        let wait = self.knobs.ms(&knobs::WEBHOOK_BATCH, advertiser_id);
        let event = Gathered {
            due: at.saturating_add(wait),
            app_id,
            url,
            object,
            advertiser_id: advertiser_id.into(),
            subscription_id: subscription_id.into(),
            entry,
        };
        if wait == 0 {
            self.send_together(at, vec![event]);
        } else {
            self.webhooks.gathered.push(event);
        }
        true
    }

    /// One entry; none if the result is an approval and those are not told.
    fn review_entry(
        &self,
        advertiser_id: &str,
        level: Level,
        id: u64,
        subscription: &Subscription,
        log_id: String,
    ) -> Option<Value> {
        let row = self.row(advertiser_id, level, id)?;
        let ids = self.knobs.text(&knobs::WEBHOOK_IDS, advertiser_id);
        let id_value = |text: &str, first: bool| match text.parse::<u64>() {
            Ok(number) if ids == "all" || (ids == "adv_id" && first) => json!(number),
            _ => json!(text),
        };
        let campaign = row.campaign.or((level == Level::Campaign).then_some(id))?;
        let campaign = self.row(advertiser_id, Level::Campaign, campaign)?;
        let group = match level {
            Level::Ad => self.row(advertiser_id, Level::AdGroup, row.ad_group?)?,
            _ => row,
        };
        let mut entry = Map::from_iter([
            ("log_id".to_owned(), json!(log_id)),
            ("adv_id".to_owned(), id_value(advertiser_id, true)),
            (
                "campaign_id".to_owned(),
                id_value(&campaign.id.to_string(), false),
            ),
            ("campaign_name".to_owned(), json!(campaign.name())),
            (
                "adgroup_id".to_owned(),
                id_value(&group.id.to_string(), false),
            ),
            ("adgroup_name".to_owned(), json!(group.name())),
        ]);
        if level == Level::Ad {
            // A Smart+ ad has several ids; the subscriber knows the one it named.
            let named = subscription.detail("ad_id");
            entry.insert("ad_id".into(), id_value(named, false));
            entry.insert("ad_name".into(), json!(row.name()));
        }
        let reason = self.reject_reason(advertiser_id, row, subscription.detail("ad_id"));
        let approvals = self.knobs.text(&knobs::APPROVAL_EVENTS, advertiser_id);
        match (reason.is_empty(), approvals) {
            (true, "silent") => return None,
            (true, "no_reason") => {}
            _ => {
                entry.insert("reject_reason".into(), json!(reason));
            }
        }
        Some(Value::Object(entry))
    }

    /// All that speaks against an object, or against one creative of a Smart+ ad; empty: nothing.
    fn reject_reason(&self, advertiser_id: &str, row: &Item, ad_id: &str) -> String {
        let place = row
            .creative_ids
            .iter()
            .position(|creative| creative.to_string() == ad_id);
        let material =
            place.and_then(|index| creatives::materials(&row.fields).get(index).copied());
        let concerns = |one: &&Rejection| {
            one.material.is_none() || material.is_none() || one.material == material
        };
        let words = |one: &Rejection| one.reasons.clone();
        let mut reasons: Vec<String> = row
            .findings
            .rejections
            .iter()
            .filter(concerns)
            .flat_map(words)
            .collect();
        if row
            .status_override
            .as_deref()
            .is_some_and(|status| status.ends_with("_AUDIT_DENY"))
        {
            reasons.push(NO_REASON.into());
        }
        if reasons.is_empty() && row.level == Level::AdGroup {
            // An ad group is rejected when all of its ads are.
            let store = self.items.get(advertiser_id);
            let ads: Vec<&Item> = store
                .into_iter()
                .flat_map(|all| all.children(Level::Ad, row.id))
                .filter(|ad| !ad.deleted)
                .collect();
            if ads.iter().all(|ad| !ad.findings.rejections.is_empty()) {
                let all = ads.iter().flat_map(|ad| &ad.findings.rejections);
                reasons = all.flat_map(words).collect();
            }
        }
        let mut said = BTreeSet::new();
        reasons.retain(|reason| said.insert(reason.clone()));
        reasons.join("; ")
    }

    /// Tells who subscribed to an account that its status is another than before.
    pub(in super::super) fn announce_account(
        &mut self,
        at: i64,
        advertiser_id: &str,
        before: &str,
    ) {
        let Some(advertiser) = self.accounts.advertisers.get(advertiser_id) else {
            return;
        };
        let now = advertiser.status.as_str();
        let suspension = |from: &str, to: &str| {
            to == "STATUS_LIMIT" || (from == "STATUS_LIMIT" && to == "STATUS_ENABLE")
        };
        let told = now != before
            && (suspension(before, now)
                || self
                    .knobs
                    .is(&knobs::SUSPENSION_EVENTS, advertiser_id, "every_status"));
        if !told {
            return;
        }
        for subscription in self.suspension_subscriptions(at, advertiser_id) {
            self.announce_account_to(at, advertiser_id, &subscription);
        }
    }

    /// Tells one subscription the account's present status. False if there is no such account or subscription.
    pub(super) fn announce_account_to(
        &mut self,
        at: i64,
        advertiser_id: &str,
        subscription_id: &str,
    ) -> bool {
        let (Some(advertiser), Some(subscription)) = (
            self.accounts.advertisers.get(advertiser_id),
            self.subscriptions.get(subscription_id),
        ) else {
            return false;
        };
        let numbers = self.knobs.is(&knobs::WEBHOOK_IDS, advertiser_id, "all");
        let id = match advertiser_id.parse::<u64>() {
            Ok(number) if numbers => json!(number),
            _ => json!(advertiser_id),
        };
        let mut body = json!({
            "advertiser_id": id,
            "advertiser_name": advertiser.name,
            "owner_bc_id": advertiser.owner_bc_id,
            "status": advertiser.status,
            "status_change_time": time::datetime(at),
            "subscription_id": subscription_id,
        });
        if advertiser.status == "STATUS_LIMIT" {
            body["suspension_reason"] = json!(advertiser.rejection_reason);
        }
        let event = Gathered {
            due: at,
            app_id: subscription.app_id.clone(),
            url: subscription.callback_url.clone(),
            object: FLAT,
            advertiser_id: advertiser_id.into(),
            subscription_id: subscription_id.into(),
            entry: body,
        };
        self.send_together(at, vec![event]);
        true
    }

    /// Makes one body of events that belong together: the same app, receiver and object.
    fn send_together(&mut self, at: i64, events: Vec<Gathered>) {
        let request_id = self.next_log_id(at);
        let subscription_ids = events
            .iter()
            .map(|one| one.subscription_id.clone())
            .collect();
        let Some(first) = events.first().cloned() else {
            return;
        };
        let body = if first.object == FLAT {
            first.entry
        } else {
            let entry: Vec<Value> = events.into_iter().map(|one| one.entry).collect();
            json!({
                "request_id": request_id,
                "object": first.object,
                "time": at.div_euclid(1_000),
                "entry": entry,
            })
        };
        self.queue_delivery(
            at,
            SentEvent {
                id: 0,
                app_id: first.app_id,
                advertiser_id: first.advertiser_id,
                subscription_ids,
                url: first.url,
                body: body.to_string(),
                state: DeliveryState::Waiting,
                due: at,
                queued_at: at,
                under_way_since: None,
                attempts: Vec::new(),
                by_hand: None,
            },
        );
    }

    /// Brings everything about webhooks up to a time: reviews that ended, events that have been gathered long enough,
    /// attempts that nobody reported on.
    pub(in super::super) fn settle_webhooks(&mut self, at: i64) {
        while let Some((due, ..)) = self.webhooks.reviews.first()
            && *due <= at
        {
            let Some((due, advertiser_id, level, id)) = self.webhooks.reviews.pop_first() else {
                break;
            };
            // Not if it was edited, decided by hand or deleted meanwhile.
            let still = self.row(&advertiser_id, level, id).is_some_and(|row| {
                !row.deleted && row.review.and_then(|review| review.until) == Some(due)
            });
            if still {
                let before = self.group_of_ad(due - 1, &advertiser_id, id);
                self.announce_result(due, &advertiser_id, level, id, before);
            }
        }
        self.send_gathered(at);
        self.settle_unreported(at);
    }

    fn send_gathered(&mut self, at: i64) {
        while let Some(first) = self.webhooks.gathered.iter().find(|one| one.due <= at) {
            let first = first.clone();
            let together = |one: &Gathered| {
                (&one.app_id, &one.url, one.object) == (&first.app_id, &first.url, first.object)
            };
            let most = self
                .knobs
                .whole(&knobs::WEBHOOK_BATCH_MAX, &first.advertiser_id);
            let most = usize::try_from(most).unwrap_or(1).max(1);
            let mut batch = Vec::new();
            let all = std::mem::take(&mut self.webhooks.gathered);
            for one in all {
                if batch.len() < most && together(&one) {
                    batch.push(one);
                } else {
                    self.webhooks.gathered.push(one);
                }
            }
            self.send_together(at, batch);
        }
    }
}
