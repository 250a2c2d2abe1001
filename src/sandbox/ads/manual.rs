//! `POST /ad/create/` and `POST /ad/update/`: one to twenty creatives, each an ad.

use serde_json::{Map, Value, json};

use super::{
    super::{
        Sandbox,
        create::{flag, require, text},
        envelope::{NOTHING_TO_UPDATE, PARTIAL_SUCCESS, Refusal, Reply},
        fields::{self, AD_ANSWER, AD_CREATE, AD_UPDATE, CREATIVE_CREATE, CREATIVE_UPDATE},
        item::{Level, Tree},
        knobs, names,
        query::{Body, missing},
    },
    creative::{self, Surroundings},
};

const KIND: (Level, Tree) = (Level::Ad, Tree::Manual);
/// Most creatives in one call.
const MAX_CREATIVES: usize = 20;
/// What an update with `patch_update` changes, the rest staying as it is.
const PATCHABLE: &[&str] = &[
    "ad_name",
    "identity_id",
    "identity_type",
    "identity_authorized_bc_id",
    "video_id",
    "image_ids",
    "music_id",
    "tiktok_item_id",
    "ad_text",
];

/// An update that passed: the ad and what really changes.
struct Update {
    id: u64,
    changes: Map<String, Value>,
}

impl Sandbox {
    /// `POST /ad/create/`.
    pub(in crate::sandbox) fn create_manual_ads(
        &mut self,
        at: i64,
        advertiser_id: &str,
        body: Body<'_>,
    ) -> Result<Reply, Refusal> {
        let (fields, unknown) = fields::read(AD_CREATE, body)?;
        self.check_unknown(advertiser_id, &unknown)?;
        require(&fields, &["adgroup_id", "creatives"])?;
        let ad_group = text(&fields, "adgroup_id");
        let ad_group = self.live_ad_group(advertiser_id, Tree::Manual, ad_group)?;
        let around = self.surroundings(advertiser_id, ad_group)?;
        self.check_account_writes(advertiser_id, around.advertiser)?;
        let objective = around.campaign.text("objective_type");
        self.check_cut_off(at, advertiser_id, objective)?;
        if around.ad_group.text("creative_material_mode") == "SMART_CREATIVE" {
            return Err(Refusal::parameter(
                "The ads of a Smart Creative ad group cannot be created with /ad/create/.",
            ));
        }
        let mut good = Vec::new();
        let mut bad = Vec::new();
        let mut taken: Vec<String> = Vec::new();
        for (index, creative) in creatives(&fields, body)?.into_iter().enumerate() {
            match self.prepare_creative(&around, creative, &taken) {
                Ok(fields) => {
                    taken.push(text(&fields, "ad_name").to_owned());
                    good.push(fields);
                }
                Err(refusal) => bad.push(placed(index, refusal)),
            }
        }
        let parent = around.ad_group.clone();
        self.check_batch(advertiser_id, good.len(), &bad)?;
        let mut ids = Vec::new();
        for fields in good {
            let id = self.insert(at, advertiser_id, KIND, fields, Some(&parent), None);
            if let Some(row) = self.row_mut(advertiser_id, Level::Ad, id) {
                // An empty name becomes the id.
                if row.name().is_empty() {
                    row.fields.insert("ad_name".into(), json!(id.to_string()));
                }
            }
            self.begin_review(at, advertiser_id, id, false);
            ids.push(id);
        }
        let mut reply = self.ads_answer(at, advertiser_id, &ids, bad)?;
        let audited = self.review_ms(advertiser_id) > 0;
        reply.data["need_audit"] = json!(audited);
        Ok(reply)
    }

    /// All rules of one creative of a create; returns the fields as they will be stored.
    fn prepare_creative(
        &self,
        around: &Surroundings<'_>,
        creative: Body<'_>,
        taken: &[String],
    ) -> Result<Map<String, Value>, Refusal> {
        let (mut fields, unknown) = fields::read(CREATIVE_CREATE, creative)?;
        self.check_unknown(around.advertiser_id, &unknown)?;
        fields
            .entry("operation_status")
            .or_insert_with(|| json!("ENABLE"));
        self.check_ad_name(around, &fields, taken, None)?;
        self.check_custom_identity(around, &fields)?;
        self.settle_creative(around, &mut fields)?;
        creative::complete(around, &mut fields);
        Ok(fields)
    }

    /// The name's form, and that it is free as far as a knob asks for that. An empty one is none.
    fn check_ad_name(
        &self,
        around: &Surroundings<'_>,
        fields: &Map<String, Value>,
        taken: &[String],
        except: Option<u64>,
    ) -> Result<(), Refusal> {
        let name = text(fields, "ad_name");
        if name.is_empty() {
            return Ok(());
        }
        names::check(Level::Ad, name)?;
        let unique = |value| {
            self.knobs
                .is(&knobs::NAME_UNIQUE, around.advertiser_id, value)
        };
        let off = unique("off") || (except.is_some() && !unique("on_create_and_update"));
        let ignored = self
            .knobs
            .is(&knobs::AD_NAME_UNIQUE, around.advertiser_id, "off");
        if off || ignored {
            return Ok(());
        }
        if taken.iter().any(|other| other == name) {
            return Err(names::taken(Level::Ad));
        }
        let parent = Some(around.ad_group.id);
        self.check_name_free(around.advertiser_id, KIND, name, parent, except)
    }

    /// Whether a batch goes on: it does if nothing is bad, or if a knob lets the good ones through.
    fn check_batch(
        &self,
        advertiser_id: &str,
        good: usize,
        bad: &[Refusal],
    ) -> Result<(), Refusal> {
        let whole = self.knobs.is(&knobs::AD_BATCH, advertiser_id, "whole");
        match bad.first() {
            Some(refusal) if whole || good == 0 => Err(refusal.clone()),
            _ => Ok(()),
        }
    }

    /// `POST /ad/update/`: replaces the creatives, unless `patch_update` is true.
    pub(in crate::sandbox) fn update_manual_ads(
        &mut self,
        at: i64,
        advertiser_id: &str,
        body: Body<'_>,
    ) -> Result<Reply, Refusal> {
        let (fields, unknown) = fields::read(AD_UPDATE, body)?;
        self.check_unknown(advertiser_id, &unknown)?;
        require(&fields, &["adgroup_id", "creatives"])?;
        let ad_group = text(&fields, "adgroup_id");
        let ad_group = self.live_ad_group(advertiser_id, Tree::Manual, ad_group)?;
        let around = self.surroundings(advertiser_id, ad_group)?;
        self.check_account_writes(advertiser_id, around.advertiser)?;
        let patch = flag(&fields, "patch_update");
        let mut good = Vec::new();
        let mut bad = Vec::new();
        for (index, creative) in creatives(&fields, body)?.into_iter().enumerate() {
            match self.prepare_update(&around, creative, patch) {
                Ok(update) => good.push(update),
                Err(refusal) => bad.push(placed(index, refusal)),
            }
        }
        self.check_batch(advertiser_id, good.len(), &bad)?;
        if good.iter().all(|update| update.changes.is_empty())
            && self
                .knobs
                .is(&knobs::UPDATE_WITHOUT_CHANGE, advertiser_id, "40012")
        {
            return Err(Refusal::new(NOTHING_TO_UPDATE, "Nothing to update."));
        }
        let ids: Vec<u64> = good.iter().map(|update| update.id).collect();
        for Update { id, changes } in good {
            let creative = changes.keys().any(|name| creative::is_reviewed(name));
            self.apply_changes(at, advertiser_id, Level::Ad, id, changes);
            if creative {
                self.begin_review(at, advertiser_id, id, true);
            }
        }
        self.ads_answer(at, advertiser_id, &ids, bad)
    }

    /// All rules of one creative of an update.
    fn prepare_update(
        &self,
        around: &Surroundings<'_>,
        creative: Body<'_>,
        patch: bool,
    ) -> Result<Update, Refusal> {
        let advertiser_id = around.advertiser_id;
        let (mut wanted, unknown) = fields::read(CREATIVE_UPDATE, creative)?;
        self.check_update_fields(advertiser_id, &unknown, CREATIVE_CREATE)?;
        require(&wanted, &["ad_id"])?;
        let id = text(&wanted, "ad_id").to_owned();
        let number = self.writable(advertiser_id, KIND, &id)?;
        let row = self
            .row(advertiser_id, Level::Ad, number)
            .filter(|row| row.ad_group == Some(around.ad_group.id))
            .ok_or_else(|| {
                Refusal::parameter(format!(
                    "Ad {id} does not belong to ad group {}.",
                    around.ad_group.id
                ))
            })?;
        self.check_alive(advertiser_id, row)?;
        wanted.remove("ad_id");
        let mut merged = row.fields.clone();
        if patch {
            let strange = wanted
                .iter()
                .filter(|(name, value)| !is_sent_anyway(name, value))
                .map(|(name, _)| name)
                .find(|name| !PATCHABLE.contains(&name.as_str()));
            if let Some(name) = strange
                && self
                    .knobs
                    .is(&knobs::IMMUTABLE_FIELDS, advertiser_id, "refuse")
            {
                return Err(Refusal::parameter(format!(
                    "{name}: This field cannot be updated when patch_update is true."
                )));
            }
            wanted.retain(|name, _| PATCHABLE.contains(&name.as_str()));
            // One way to name the post or the video replaces the other.
            for (one, other) in [
                ("video_id", "tiktok_item_id"),
                ("tiktok_item_id", "video_id"),
            ] {
                if wanted.contains_key(one) && !wanted.contains_key(other) {
                    merged.remove(other);
                }
            }
        } else {
            merged.retain(|name, _| !CREATIVE_UPDATE.iter().any(|(known, _)| known == name));
        }
        merged.extend(wanted);
        creative::check_format_kept(&row.fields, &merged)?;
        if text(&merged, "ad_name") != row.name() {
            self.check_ad_name(around, &merged, &[], Some(number))?;
        }
        if text(&merged, "ad_name").is_empty() {
            merged.insert("ad_name".into(), json!(id));
        }
        if text(&merged, "identity_type") != row.text("identity_type") {
            self.check_custom_identity(around, &merged)?;
        }
        self.settle_creative(around, &mut merged)?;
        creative::complete(around, &mut merged);
        let mut changes: Map<String, Value> = row
            .fields
            .keys()
            .filter(|name| !merged.contains_key(*name))
            .map(|name| (name.clone(), Value::Null))
            .collect();
        changes.extend(merged);
        changes.retain(|name, value| row.fields.get(name).unwrap_or(&Value::Null) != value);
        Ok(Update {
            id: number,
            changes,
        })
    }

    /// The ads as creates and updates answer them, and what a batch with bad ones in it says.
    fn ads_answer(
        &self,
        at: i64,
        advertiser_id: &str,
        ids: &[u64],
        bad: Vec<Refusal>,
    ) -> Result<Reply, Refusal> {
        let batch = self.knobs.text(&knobs::AD_BATCH, advertiser_id);
        let partial = !bad.is_empty() && batch == "part_answered";
        if let Some(refusal) = bad.into_iter().next()
            && batch == "part_refused"
        {
            return Err(refusal);
        }
        let advertiser = self
            .advertiser(advertiser_id)
            .map_err(|_| missing("advertiser_id"))?;
        let view = self.view(at, advertiser_id, advertiser);
        let creatives: Vec<Value> = ids
            .iter()
            .filter_map(|id| self.row(advertiser_id, Level::Ad, *id))
            .map(|row| creative::answer(AD_ANSWER, &view.row(row)))
            .collect();
        let ids: Vec<String> = ids.iter().map(u64::to_string).collect();
        let mut reply = Reply::ok(json!({"ad_ids": ids, "creatives": creatives}));
        if partial {
            (reply.code, reply.message) = (PARTIAL_SUCCESS, "Partial success".into());
        }
        Ok(reply)
    }
}

/// What TikTok's own client puts into every update, said or not. A patch cannot mean it.
fn is_sent_anyway(name: &str, value: &Value) -> bool {
    match name {
        "aigc_disclosure_type" => value == "NOT_DECLARED",
        "deeplink_type" => value == "NORMAL",
        "creative_authorized" | "vast_moat_enabled" => value == false,
        "promotional_music_disabled" => value == true,
        _ => false,
    }
}

/// The entries of `creatives`, one to twenty.
fn creatives<'a>(fields: &'a Map<String, Value>, body: Body<'_>) -> Result<Vec<Body<'a>>, Refusal> {
    let list = fields
        .get("creatives")
        .and_then(Value::as_array)
        .ok_or_else(|| Refusal::parameter("creatives: Not a valid list."))?;
    if list.is_empty() || list.len() > MAX_CREATIVES {
        return Err(Refusal::parameter(format!(
            "creatives: Length must be between 1 and {MAX_CREATIVES}."
        )));
    }
    list.iter()
        .enumerate()
        .map(|(index, value)| {
            let map = value.as_object().ok_or_else(|| {
                Refusal::parameter(format!("creatives.{index}: Not a valid object."))
            })?;
            Ok(body.inner(map))
        })
        .collect()
}

/// Says which creative a field's refusal is about. Sentences are left as they are: TikTok's have no place in them.
fn placed(index: usize, mut refusal: Refusal) -> Refusal {
    let of_field = refusal
        .message
        .split_once(": ")
        .is_some_and(|(field, _)| !field.contains(' '));
    if of_field {
        refusal.message = format!("creatives.{index}.{}", refusal.message);
    }
    refusal
}
