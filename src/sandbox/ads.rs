//! Ads of the manual tree, and what both trees' ads share.

pub(super) mod smart_plus;

use serde_json::{Map, Value, json};

use super::{
    Sandbox,
    create::{require, text},
    envelope::{Refusal, Reply},
    fields::{self, AD_ANSWER, AD_CREATE, AD_UPDATE, CREATIVE_CREATE, CREATIVE_UPDATE},
    item::{Level, Review, Tree},
    knobs,
    query::{Body, missing},
};

const KIND: (Level, Tree) = (Level::Ad, Tree::Manual);

impl Sandbox {
    /// How long a review takes; the largest number for ever.
    pub(super) fn review_ms(&self, advertiser_id: &str) -> i64 {
        self.knobs.ms(&knobs::AD_REVIEW, advertiser_id)
    }

    /// The review that an ad goes into, if reviews take time. `on`: whether the ad is switched on.
    pub(super) fn new_review(
        &self,
        at: i64,
        advertiser_id: &str,
        on: bool,
        again: bool,
    ) -> Option<Review> {
        let ms = self.review_ms(advertiser_id);
        if ms == 0 {
            return None;
        }
        let waits = !on
            && self
                .knobs
                .is(&knobs::AD_REVIEW_OF_DISABLED, advertiser_id, "when_enabled");
        let until = (!waits).then(|| at.saturating_add(ms));
        Some(Review { until, again })
    }

    /// The ad group that an ad is made in or that an update names, alive.
    pub(super) fn live_ad_group(
        &self,
        advertiser_id: &str,
        tree: Tree,
        id: &str,
    ) -> Result<u64, Refusal> {
        let id = self.writable(advertiser_id, (Level::AdGroup, tree), id)?;
        if let Some(row) = self.row(advertiser_id, Level::AdGroup, id) {
            self.check_alive(advertiser_id, row)?;
        }
        Ok(id)
    }

    /// `POST /ad/create/`: one to twenty creatives, each an ad.
    pub(super) fn create_manual_ads(
        &mut self,
        at: i64,
        advertiser_id: &str,
        body: Body<'_>,
    ) -> Result<Reply, Refusal> {
        let (fields, unknown) = fields::read(AD_CREATE, body)?;
        self.check_unknown(advertiser_id, &unknown)?;
        require(&fields, &["adgroup_id", "creatives"])?;
        let ad_group =
            self.live_ad_group(advertiser_id, Tree::Manual, text(&fields, "adgroup_id"))?;
        let mut ready = Vec::new();
        for creative in creatives(&fields, body)? {
            let (mut fields, unknown) = fields::read(CREATIVE_CREATE, creative)?;
            self.check_unknown(advertiser_id, &unknown)?;
            require(&fields, &["ad_name"])?;
            fields
                .entry("operation_status")
                .or_insert_with(|| json!("ENABLE"));
            self.check_new_name(advertiser_id, KIND, &fields, Some(ad_group), false)?;
            ready.push(fields);
        }
        let mut ids = Vec::new();
        for fields in ready {
            let on = text(&fields, "operation_status") == "ENABLE";
            let review = self.new_review(at, advertiser_id, on, false);
            let parent = self.row(advertiser_id, Level::AdGroup, ad_group).cloned();
            let id = self.insert(at, advertiser_id, KIND, fields, parent.as_ref(), None);
            if let Some(row) = self.row_mut(advertiser_id, Level::Ad, id) {
                row.review = review;
            }
            ids.push(id);
        }
        self.ads_answer(at, advertiser_id, &ids)
    }

    /// `POST /ad/update/`.
    pub(super) fn update_manual_ads(
        &mut self,
        at: i64,
        advertiser_id: &str,
        body: Body<'_>,
    ) -> Result<Reply, Refusal> {
        let (fields, unknown) = fields::read(AD_UPDATE, body)?;
        self.check_unknown(advertiser_id, &unknown)?;
        require(&fields, &["adgroup_id", "creatives"])?;
        let ad_group =
            self.live_ad_group(advertiser_id, Tree::Manual, text(&fields, "adgroup_id"))?;
        let mut ready = Vec::new();
        for creative in creatives(&fields, body)? {
            let (mut fields, unknown) = fields::read(CREATIVE_UPDATE, creative)?;
            self.check_update_fields(advertiser_id, &unknown, CREATIVE_CREATE)?;
            require(&fields, &["ad_id"])?;
            let id = self.writable(advertiser_id, KIND, text(&fields, "ad_id"))?;
            let row = self
                .row(advertiser_id, Level::Ad, id)
                .filter(|row| row.ad_group == Some(ad_group))
                .ok_or_else(|| missing("ad_id"))?;
            self.check_alive(advertiser_id, row)?;
            fields.remove("ad_id");
            ready.push((id, fields));
        }
        let ids: Vec<u64> = ready.iter().map(|(id, _)| *id).collect();
        for (id, fields) in ready {
            self.apply_changes(at, advertiser_id, Level::Ad, id, fields);
        }
        self.ads_answer(at, advertiser_id, &ids)
    }

    fn ads_answer(&self, at: i64, advertiser_id: &str, ids: &[u64]) -> Result<Reply, Refusal> {
        let advertiser = self
            .advertiser(advertiser_id)
            .map_err(|_| missing("advertiser_id"))?;
        let view = self.view(at, advertiser_id, advertiser);
        let creatives: Vec<Value> = ids
            .iter()
            .filter_map(|id| self.row(advertiser_id, Level::Ad, *id))
            .map(|row| {
                let row = view.row(row);
                let answer: Map<String, Value> = AD_ANSWER
                    .iter()
                    .map(|name| {
                        (
                            (*name).to_owned(),
                            row.get(*name).cloned().unwrap_or_default(),
                        )
                    })
                    .collect();
                Value::Object(answer)
            })
            .collect();
        let ids: Vec<String> = ids.iter().map(u64::to_string).collect();
        Ok(Reply::ok(json!({
            "ad_ids": ids,
            "need_audit": false,
            "creatives": creatives,
        })))
    }
}

/// The entries of `creatives`, one to twenty.
fn creatives<'a>(fields: &'a Map<String, Value>, body: Body<'_>) -> Result<Vec<Body<'a>>, Refusal> {
    let list = fields
        .get("creatives")
        .and_then(Value::as_array)
        .ok_or_else(|| Refusal::parameter("creatives: Not a valid list."))?;
    if list.is_empty() || list.len() > 20 {
        return Err(Refusal::parameter(
            "creatives: Length must be between 1 and 20.",
        ));
    }
    list.iter()
        .enumerate()
        .map(|(index, value)| {
            value.as_object().map(|map| body.inner(map)).ok_or_else(|| {
                Refusal::parameter(format!("creatives.{index}: Not a valid object."))
            })
        })
        .collect()
}
