//! Ad groups of both trees: creates, updates, and what they answer.

mod defaults;
mod money;
mod place;
mod schedule;
mod settings;
mod targeting;

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::{
    Sandbox,
    create::{Replay, require, text},
    envelope::{NOTHING_TO_UPDATE, Refusal, Reply},
    fields::{
        self, AD_GROUP_CREATE, AD_GROUP_UPDATE, SMART_PLUS_AD_GROUP_CREATE,
        SMART_PLUS_AD_GROUP_UPDATE, TARGETING,
    },
    item::{Item, Level, Review, Tree},
    knobs, listing, names,
    query::{Body, missing},
};

pub(super) use defaults::{made_outside, manual_row};
pub(super) use schedule::schedule_offset_ms;

/// Most ad groups in a Smart+ campaign.
const MAX_SMART_PLUS: usize = 30;

/// A create that passed.
struct Ready {
    fields: Map<String, Value>,
    campaign: Item,
    /// The account has more ad groups than its quota: it is made, and paused by TikTok.
    over_quota: bool,
}

impl Sandbox {
    /// `POST /adgroup/create/` and `POST /smart_plus/adgroup/create/`.
    pub(super) fn create_ad_group(
        &mut self,
        at: i64,
        advertiser_id: &str,
        tree: Tree,
        body: Body<'_>,
    ) -> Result<Reply, Refusal> {
        let kind = (Level::AdGroup, tree);
        let table = match tree {
            Tree::Manual => AD_GROUP_CREATE,
            Tree::SmartPlus => SMART_PLUS_AD_GROUP_CREATE,
        };
        let (mut fields, unknown) = fields::read(table, body)?;
        self.check_unknown(advertiser_id, &unknown)?;
        self.read_schedule(advertiser_id, &mut fields);
        require(&fields, &["campaign_id", "adgroup_name"])?;
        if tree == Tree::SmartPlus {
            require(&fields, &["request_id", "targeting_spec"])?;
        }
        let key = fields
            .get("request_id")
            .and_then(Value::as_str)
            .map(str::to_owned);
        let key = key.as_deref();
        if let Replay::Original(id) = self.check_replay(at, advertiser_id, kind, key)? {
            return self.ad_group_answer(at, advertiser_id, tree, id);
        }
        let sent = fields.clone();
        let ready = match self.prepare_ad_group(at, advertiser_id, tree, fields) {
            Ok(ready) => ready,
            Err(refusal) => {
                self.use_key(at, advertiser_id, kind, key, None);
                return Err(refusal);
            }
        };
        let campaign = Some(&ready.campaign);
        let request_id = key.map(str::to_owned);
        let id = self.insert(at, advertiser_id, kind, ready.fields, campaign, request_id);
        if let Some(row) = self.row_mut(advertiser_id, Level::AdGroup, id) {
            row.over_quota = ready.over_quota;
        }
        self.use_key(at, advertiser_id, kind, key, Some(id));
        if tree == Tree::SmartPlus {
            self.share_bids(at, advertiser_id, id, &sent, true);
        }
        self.ad_group_answer(at, advertiser_id, tree, id)
    }

    /// All rules of a create.
    fn prepare_ad_group(
        &self,
        at: i64,
        advertiser_id: &str,
        tree: Tree,
        mut fields: Map<String, Value>,
    ) -> Result<Ready, Refusal> {
        let kind = (Level::AdGroup, tree);
        let campaign = text(&fields, "campaign_id");
        let campaign = self.writable(advertiser_id, (Level::Campaign, tree), campaign)?;
        let place = self.place(at, advertiser_id, tree, campaign)?;
        self.check_account_writes(advertiser_id, place.advertiser)?;
        self.check_alive(advertiser_id, place.campaign)?;
        if tree == Tree::Manual {
            let objective = place.campaign.text("objective_type");
            self.check_cut_off(at, advertiser_id, objective)?;
        }
        if tree == Tree::SmartPlus && self.siblings(&place, None).count() >= MAX_SMART_PLUS {
            return Err(Refusal::parameter(format!(
                "The campaign has {MAX_SMART_PLUS} ad groups, the maximum."
            )));
        }
        fields
            .entry("operation_status")
            .or_insert_with(|| json!("ENABLE"));
        let has_key = fields.contains_key("request_id");
        self.check_new_name(advertiser_id, kind, &fields, Some(campaign), has_key)?;
        self.settle_placements(&place, &mut fields)?;
        self.check_promotion(&place, &mut fields)?;
        if self.needs_frequency(&place) {
            require(&fields, &["frequency", "frequency_schedule"])?;
        }
        let sent = self.sent_targeting(tree, &fields);
        self.with_targeting(tree, &mut fields, |targeting| {
            self.settle_targeting(&place, targeting, &sent)
        })?;
        targeting::check_food(&fields)?;
        self.settle_schedule(&place, &mut fields, None)?;
        self.settle_budget(&place, &mut fields)?;
        self.settle_bids(&place, &mut fields)?;
        self.check_same_goal(&place, &fields, None)?;
        defaults::complete(tree, &mut fields);
        let over_quota = self.ad_groups_in_use(advertiser_id) >= self.ad_group_quota(advertiser_id);
        if over_quota {
            fields.insert("operation_status".into(), json!("DISABLE"));
        }
        Ok(Ready {
            campaign: place.campaign.clone(),
            fields,
            over_quota,
        })
    }

    /// Where the targeting stands: in the ad group itself, or in `targeting_spec`.
    fn with_targeting(
        &self,
        tree: Tree,
        fields: &mut Map<String, Value>,
        settle: impl Fn(&mut Map<String, Value>) -> Result<(), Refusal>,
    ) -> Result<(), Refusal> {
        match tree {
            Tree::Manual => settle(fields),
            Tree::SmartPlus => {
                let spec = fields
                    .get_mut("targeting_spec")
                    .and_then(Value::as_object_mut);
                let spec = spec.ok_or_else(|| missing("targeting_spec"))?;
                settle(spec).map_err(|mut refusal| {
                    if refusal.message.contains(": ") {
                        refusal.message = format!("targeting_spec.{}", refusal.message);
                    }
                    refusal
                })
            }
        }
    }

    /// The names of the targeting fields that a call carries.
    fn sent_targeting(&self, tree: Tree, sent: &Map<String, Value>) -> BTreeSet<String> {
        let fields = match tree {
            Tree::Manual => Some(sent),
            Tree::SmartPlus => sent.get("targeting_spec").and_then(Value::as_object),
        };
        fields.into_iter().flat_map(Map::keys).cloned().collect()
    }

    /// `POST /adgroup/update/` and `POST /smart_plus/adgroup/update/`.
    pub(super) fn update_ad_group(
        &mut self,
        at: i64,
        advertiser_id: &str,
        tree: Tree,
        body: Body<'_>,
    ) -> Result<Reply, Refusal> {
        let (table, create) = match tree {
            Tree::Manual => (AD_GROUP_UPDATE, AD_GROUP_CREATE),
            Tree::SmartPlus => (SMART_PLUS_AD_GROUP_UPDATE, SMART_PLUS_AD_GROUP_CREATE),
        };
        let (mut wanted, unknown) = fields::read(table, body)?;
        self.check_update_fields(advertiser_id, &unknown, create)?;
        self.read_schedule(advertiser_id, &mut wanted);
        require(&wanted, &["adgroup_id"])?;
        let id = text(&wanted, "adgroup_id").to_owned();
        let id = self.writable(advertiser_id, (Level::AdGroup, tree), &id)?;
        wanted.retain(|name, _| name != "advertiser_id" && name != "adgroup_id");
        let changes = self.check_ad_group_update(at, advertiser_id, tree, id, &wanted)?;
        let review = self.review_of_update(at, advertiser_id, &changes);
        self.apply_changes(at, advertiser_id, Level::AdGroup, id, changes);
        if let Some(row) = self.row_mut(advertiser_id, Level::AdGroup, id)
            && review.is_some()
        {
            row.review = review;
            self.expect_review_end(advertiser_id, Level::AdGroup, id);
        }
        if tree == Tree::SmartPlus {
            self.share_bids(at, advertiser_id, id, &wanted, false);
        }
        self.ad_group_answer(at, advertiser_id, tree, id)
    }

    /// Checks an update and returns what really changes.
    fn check_ad_group_update(
        &self,
        at: i64,
        advertiser_id: &str,
        tree: Tree,
        id: u64,
        wanted: &Map<String, Value>,
    ) -> Result<Map<String, Value>, Refusal> {
        let row = self
            .row(advertiser_id, Level::AdGroup, id)
            .ok_or_else(|| missing("adgroup_id"))?;
        self.check_alive(advertiser_id, row)?;
        let place = self.place(
            at,
            advertiser_id,
            row.tree,
            row.campaign.unwrap_or_default(),
        )?;
        self.check_account_writes(advertiser_id, place.advertiser)?;
        if wanted.is_empty() {
            return Err(Refusal::new(NOTHING_TO_UPDATE, "Nothing to update."));
        }
        if let Some(name) = wanted.get("adgroup_name").and_then(Value::as_str) {
            names::check(Level::AdGroup, name)?;
            let unique = self
                .knobs
                .is(&knobs::NAME_UNIQUE, advertiser_id, "on_create_and_update");
            if name != row.name() && unique {
                let kind = (Level::AdGroup, tree);
                self.check_name_free(advertiser_id, kind, name, row.campaign, Some(id))?;
            }
        }
        let mut merged = self.merge_ad_group(advertiser_id, row, wanted);
        let sent = self.sent_targeting(row.tree, wanted);
        self.with_targeting(row.tree, &mut merged, |targeting| {
            let old = match row.tree {
                Tree::Manual => Some(&row.fields),
                Tree::SmartPlus => row.fields.get("targeting_spec").and_then(Value::as_object),
            };
            if let Some(old) = old {
                targeting::check_targeting_update(old, targeting)?;
            }
            self.settle_targeting(&place, targeting, &sent)
        })?;
        targeting::check_food(&merged)?;
        self.settle_schedule(&place, &mut merged, Some(&row.fields))?;
        self.settle_budget_update(&place, &mut merged, row)?;
        self.settle_bids(&place, &mut merged)?;
        if place.shares_budget() && text(&merged, "bid_type") != row.text("bid_type") {
            return Err(Refusal::parameter(
                "bid_type: Cannot be changed because the campaign's budget is optimized.",
            ));
        }
        self.check_same_goal(&place, &merged, Some(id))?;
        merged.retain(|name, value| row.fields.get(name).unwrap_or(&Value::Null) != value);
        let said_nothing_new = wanted
            .iter()
            .all(|(name, value)| row.fields.get(name) == Some(value));
        if merged.is_empty()
            && said_nothing_new
            && self
                .knobs
                .is(&knobs::UPDATE_WITHOUT_CHANGE, advertiser_id, "40012")
        {
            return Err(Refusal::new(NOTHING_TO_UPDATE, "Nothing to update."));
        }
        Ok(merged)
    }

    /// The fields as they would be after an update. What is not sent stays, unless a knob says that targeting is reset.
    fn merge_ad_group(
        &self,
        advertiser_id: &str,
        row: &Item,
        wanted: &Map<String, Value>,
    ) -> Map<String, Value> {
        let mut merged = row.fields.clone();
        let mut wanted = wanted.clone();
        if row.tree == Tree::Manual
            && self
                .knobs
                .is(&knobs::ADGROUP_UPDATE, advertiser_id, "replace_targeting")
        {
            let mut blank = Map::new();
            defaults::complete(Tree::Manual, &mut blank);
            for (name, _) in TARGETING {
                merged.insert(
                    (*name).into(),
                    blank.get(*name).cloned().unwrap_or_default(),
                );
            }
        }
        if self
            .knobs
            .is(&knobs::SMART_PLUS_TARGETING_UPDATE, advertiser_id, "merge")
            && let Some(Value::Object(spec)) = wanted.get_mut("targeting_spec")
            && let Some(Value::Object(old)) = row.fields.get("targeting_spec")
        {
            for (name, value) in old {
                spec.entry(name).or_insert_with(|| value.clone());
            }
        }
        merged.extend(wanted);
        merged
    }

    /// New targeting may have to be reviewed.
    fn review_of_update(
        &self,
        at: i64,
        advertiser_id: &str,
        changes: &Map<String, Value>,
    ) -> Option<Review> {
        let of_targeting = |name: &String| {
            name == "targeting_spec" || TARGETING.iter().any(|(known, _)| known == name)
        };
        let reviewed = !self
            .knobs
            .is(&knobs::AD_GROUP_REAUDIT, advertiser_id, "none")
            && changes.keys().any(of_targeting);
        let ms = self.review_ms(advertiser_id);
        (reviewed && ms > 0).then(|| Review {
            until: Some(at.saturating_add(ms)),
            again: true,
        })
    }

    /// The whole ad group as creates and updates answer it.
    fn ad_group_answer(
        &self,
        at: i64,
        advertiser_id: &str,
        tree: Tree,
        id: u64,
    ) -> Result<Reply, Refusal> {
        let (Some(row), Ok(advertiser)) = (
            self.row(advertiser_id, Level::AdGroup, id),
            self.advertiser(advertiser_id),
        ) else {
            return Err(missing("adgroup_id"));
        };
        let kind = (Level::AdGroup, tree);
        let fields = self.view(at, advertiser_id, advertiser).row(row);
        let columns = fields::columns(Level::AdGroup, tree);
        let no_nulls = tree == Tree::SmartPlus;
        Ok(Reply::ok(Value::Object(listing::shape(
            &fields, kind, columns, None, no_nulls,
        ))))
    }

    /// How many ad groups an account may have.
    fn ad_group_quota(&self, advertiser_id: &str) -> usize {
        let quota = self.knobs.whole(&knobs::AD_GROUP_QUOTA, advertiser_id);
        usize::try_from(quota).unwrap_or(usize::MAX)
    }

    fn ad_groups_in_use(&self, advertiser_id: &str) -> usize {
        self.rows(advertiser_id, Level::AdGroup)
            .filter(|row| self.check_alive(advertiser_id, row).is_ok())
            .count()
    }

    /// `GET /adgroup/quota/`. An account in trouble has none.
    pub(super) fn ad_group_quota_reply(&self, advertiser_id: &str) -> Result<Reply, Refusal> {
        let advertiser = self
            .advertiser(advertiser_id)
            .map_err(|_| missing("advertiser_id"))?;
        let total = self.ad_group_quota(advertiser_id);
        let fixed =
            self.knobs.text(&knobs::AD_GROUP_QUOTA, advertiser_id) == knobs::AD_GROUP_QUOTA.default;
        let (total, used) = if advertiser.status != "STATUS_ENABLE" {
            (0, 0)
        } else if fixed {
            (total, 0)
        } else {
            (total, self.ad_groups_in_use(advertiser_id))
        };
        Ok(Reply::ok(json!({
            "total_adgroup_quota": total,
            "used_adgroup_quota": used,
        })))
    }
}
