//! `/smart_plus/ad/material_status/update/`: single creatives of an ad, on and off (D:1843317433577601).

use serde_json::{Value, json};

use super::super::super::{
    Sandbox,
    create::text,
    envelope::{Refusal, Reply},
    fields::{ON_CREATE, check_word},
    item::Level,
    knobs,
    query::{Body, missing},
};
use super::{
    KIND,
    rules::{object, objects},
};

/// Most creatives in one call.
const MOST: usize = 20;

impl Sandbox {
    /// `POST /smart_plus/ad/material_status/update/`.
    pub(in crate::sandbox) fn update_material_status(
        &mut self,
        at: i64,
        advertiser_id: &str,
        body: Body<'_>,
    ) -> Result<Reply, Refusal> {
        let ad = body.required("smart_plus_ad_id", body.id("smart_plus_ad_id")?)?;
        let ids = body.required("ad_material_ids", body.ids("ad_material_ids")?)?;
        let operation = body.required("operation_status", body.text("operation_status")?)?;
        check_word("operation_status", operation, ON_CREATE)?;
        if ids.is_empty() {
            return Err(Refusal::parameter(
                "ad_material_ids: Shorter than minimum length 1.",
            ));
        }
        if ids.len() > MOST {
            let code = self.knobs.whole(&knobs::TOO_MANY_IDS_CODE, advertiser_id);
            return Err(Refusal::new(
                code,
                format!("ad_material_ids: Longer than maximum length {MOST}."),
            ));
        }
        let id = self.writable(advertiser_id, KIND, &ad)?;
        let row = self
            .row(advertiser_id, Level::Ad, id)
            .ok_or_else(|| missing("smart_plus_ad_id"))?;
        self.check_alive(advertiser_id, row)?;
        self.check_pace(at, advertiser_id, row)?;
        let mut carousels = 0;
        let mut found = Vec::new();
        for wanted in &ids {
            let creative = objects(&row.fields, "creative_list")
                .find(|creative| text(creative, "ad_material_id") == wanted);
            match creative {
                Some(creative) => {
                    let format = text(object(creative, "creative_info"), "ad_format");
                    carousels += usize::from(format != "SINGLE_VIDEO");
                    found.push(wanted.clone());
                }
                None if self
                    .knobs
                    .is(&knobs::MANUAL_STATUS_BAD_ID, advertiser_id, "skip") => {}
                None => {
                    return Err(Refusal::new(
                        self.knobs
                            .whole(&knobs::MISSING_CAMPAIGN_CODE, advertiser_id),
                        format!("Creative {wanted} does not exist in ad {id}."),
                    ));
                }
            }
        }
        if carousels != 0 && carousels != found.len() {
            return Err(Refusal::parameter(
                "ad_material_ids: Carousels and other creatives cannot be specified at the same time.",
            ));
        }
        let mut list = row.fields.get("creative_list").cloned().unwrap_or_default();
        for entry in list.as_array_mut().into_iter().flatten() {
            let named = entry
                .get("ad_material_id")
                .and_then(Value::as_str)
                .is_some_and(|id| found.iter().any(|wanted| wanted == id));
            if named {
                entry["material_operation_status"] = json!(operation);
            }
        }
        if row.fields.get("creative_list") != Some(&list) {
            let changes = [("creative_list".to_owned(), list)].into_iter().collect();
            self.apply_changes(at, advertiser_id, Level::Ad, id, changes);
        }
        if let Some(row) = self.row_mut(advertiser_id, Level::Ad, id) {
            row.operated_at = Some(at);
        }
        Ok(Reply::ok(json!({
            "smart_plus_ad_id": id.to_string(),
            "ad_material_ids": found,
            "operation_status": operation,
        })))
    }
}
