//! Ads of the Upgraded Smart+ tree.

use serde_json::{Map, Value, json};

use super::super::{
    Sandbox,
    create::{require, text},
    envelope::{Refusal, Reply},
    fields::{self, SMART_PLUS_AD_COLUMNS, SMART_PLUS_AD_CREATE, SMART_PLUS_AD_UPDATE},
    item::{Level, Tree},
    listing,
    query::{Body, missing},
};

const KIND: (Level, Tree) = (Level::Ad, Tree::SmartPlus);

/// What the manual list shows of a Smart+ ad: one row for each creative, under an `ad_id` of its own.
pub(in crate::sandbox) fn creative_row(
    mut fields: Map<String, Value>,
    _index: usize,
    id: u64,
) -> Map<String, Value> {
    fields.insert("ad_id".into(), json!(id.to_string()));
    fields
}

impl Sandbox {
    /// `POST /smart_plus/ad/create/`.
    pub(in crate::sandbox) fn create_smart_plus_ad(
        &mut self,
        at: i64,
        advertiser_id: &str,
        body: Body<'_>,
    ) -> Result<Reply, Refusal> {
        let (mut fields, unknown) = fields::read(SMART_PLUS_AD_CREATE, body)?;
        self.check_unknown(advertiser_id, &unknown)?;
        require(&fields, &["adgroup_id", "ad_name"])?;
        let ad_group =
            self.live_ad_group(advertiser_id, Tree::SmartPlus, text(&fields, "adgroup_id"))?;
        fields
            .entry("operation_status")
            .or_insert_with(|| json!("ENABLE"));
        self.check_new_name(advertiser_id, KIND, &fields, Some(ad_group), false)?;
        let count = creatives(&fields);
        let review = self.new_review(
            at,
            advertiser_id,
            text(&fields, "operation_status") == "ENABLE",
            false,
        );
        let parent = self.row(advertiser_id, Level::AdGroup, ad_group).cloned();
        let id = self.insert(at, advertiser_id, KIND, fields, parent.as_ref(), None);
        self.name_creatives(advertiser_id, id, count);
        if let Some(row) = self.row_mut(advertiser_id, Level::Ad, id) {
            row.review = review;
        }
        self.smart_plus_ad_answer(at, advertiser_id, id)
    }

    /// `POST /smart_plus/ad/update/`.
    pub(in crate::sandbox) fn update_smart_plus_ad(
        &mut self,
        at: i64,
        advertiser_id: &str,
        body: Body<'_>,
    ) -> Result<Reply, Refusal> {
        let (mut wanted, unknown) = fields::read(SMART_PLUS_AD_UPDATE, body)?;
        self.check_update_fields(advertiser_id, &unknown, SMART_PLUS_AD_CREATE)?;
        require(&wanted, &["smart_plus_ad_id"])?;
        let id = self.writable(advertiser_id, KIND, text(&wanted, "smart_plus_ad_id"))?;
        let row = self
            .row(advertiser_id, Level::Ad, id)
            .ok_or_else(|| missing("smart_plus_ad_id"))?;
        self.check_alive(advertiser_id, row)?;
        wanted.retain(|name, _| name != "advertiser_id" && name != "smart_plus_ad_id");
        let count = wanted
            .contains_key("creative_list")
            .then(|| creatives(&wanted));
        self.apply_changes(at, advertiser_id, Level::Ad, id, wanted);
        if let Some(count) = count {
            self.name_creatives(advertiser_id, id, count);
        }
        self.smart_plus_ad_answer(at, advertiser_id, id)
    }

    /// Gives each creative of an ad an `ad_id`; those it has stay in their places.
    fn name_creatives(&mut self, advertiser_id: &str, ad: u64, count: usize) {
        let mut ids = self
            .row(advertiser_id, Level::Ad, ad)
            .map(|row| row.creative_ids.clone())
            .unwrap_or_default();
        while ids.len() < count {
            ids.push(self.next_object_id());
        }
        ids.truncate(count);
        if let Some(store) = self.items.get_mut(advertiser_id) {
            store.set_creatives(ad, ids);
        }
    }

    fn smart_plus_ad_answer(
        &self,
        at: i64,
        advertiser_id: &str,
        id: u64,
    ) -> Result<Reply, Refusal> {
        let (Some(row), Ok(advertiser)) = (
            self.row(advertiser_id, Level::Ad, id),
            self.advertiser(advertiser_id),
        ) else {
            return Err(missing("smart_plus_ad_id"));
        };
        let row = self.view(at, advertiser_id, advertiser).row(row);
        Ok(Reply::ok(Value::Object(listing::shape(
            &row,
            KIND,
            SMART_PLUS_AD_COLUMNS,
            None,
            true,
        ))))
    }
}

/// How many creatives a body has.
fn creatives(fields: &Map<String, Value>) -> usize {
    fields
        .get("creative_list")
        .and_then(Value::as_array)
        .map_or(0, Vec::len)
}
