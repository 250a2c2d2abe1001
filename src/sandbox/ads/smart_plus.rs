//! `/smart_plus/ad/create/` and `/smart_plus/ad/update/`: one ad that holds several creatives.
//!
//! A create has no idempotency key (D:1843317390059522). An update changes what it sends, and a list that it sends is
//! the whole list (the SDK's yml tells the platform which lists are in a body).

pub(in crate::sandbox) mod creatives;
mod materials;
pub(in crate::sandbox) mod rules;

use serde_json::{Map, Value, json};

use super::super::{
    Sandbox,
    create::{flag, text},
    envelope::{CONFLICT, NOTHING_TO_UPDATE, Refusal, Reply},
    fields::{
        SMART_PLUS_AD_COLUMNS, SMART_PLUS_AD_CREATE, SMART_PLUS_AD_LISTS, SMART_PLUS_AD_UPDATE,
        SPARK_IDENTITIES,
    },
    item::{Item, Level, Tree},
    knobs, listing, names,
    nested::{Member, Reader},
    query::{Body, missing},
};
use rules::{Around, object};

/// The level and tree of everything here.
pub(in crate::sandbox) const KIND: (Level, Tree) = (Level::Ad, Tree::SmartPlus);
/// Most ads that are not deleted in one ad group.
const MOST_ADS: usize = 30;
/// What TikTok's own client calls these is `advertiser_id` and an id; neither is a field of the ad.
const NO_FIELDS: &[&str] = &["advertiser_id", "smart_plus_ad_id"];

impl Sandbox {
    /// `POST /smart_plus/ad/create/`.
    pub(in crate::sandbox) fn create_smart_plus_ad(
        &mut self,
        at: i64,
        advertiser_id: &str,
        body: Body<'_>,
    ) -> Result<Reply, Refusal> {
        let (mut fields, unknown) =
            self.read_ad(advertiser_id, SMART_PLUS_AD_CREATE, true, body)?;
        self.check_unknown(advertiser_id, &unknown)?;
        let advertiser = self
            .advertiser(advertiser_id)
            .map_err(|_| missing("advertiser_id"))?;
        self.check_account_writes(advertiser_id, advertiser)?;
        let parent = self.home_of_ad(advertiser_id, text(&fields, "adgroup_id"))?;
        let around = self.around(advertiser_id, &parent)?;
        rules::check(&fields, &around)?;
        let named = !text(&fields, "ad_name").is_empty();
        if named {
            self.check_new_name(advertiser_id, KIND, &fields, Some(parent.id), false)?;
        }
        let ads_only = around.ads_only;
        self.fill_in(advertiser_id, ads_only, &mut fields);
        creatives::drop_ignored(&mut fields);
        let wanted = creatives::take(&mut fields);
        let id = self.insert(at, advertiser_id, KIND, fields, Some(&parent), None);
        let creatives = self.assign_materials(wanted, &[]);
        self.keep_creatives(advertiser_id, id, &creatives);
        if let Some(row) = self.row_mut(advertiser_id, Level::Ad, id) {
            row.operated_at = Some(at);
            if !named {
                row.fields.insert("ad_name".into(), json!(id.to_string()));
            }
        }
        self.begin_review(at, advertiser_id, id, false);
        self.smart_plus_ad_answer(at, advertiser_id, id)
    }

    /// `POST /smart_plus/ad/update/`.
    pub(in crate::sandbox) fn update_smart_plus_ad(
        &mut self,
        at: i64,
        advertiser_id: &str,
        body: Body<'_>,
    ) -> Result<Reply, Refusal> {
        let (mut wanted, unknown) =
            self.read_ad(advertiser_id, SMART_PLUS_AD_UPDATE, false, body)?;
        let id = wanted
            .get("smart_plus_ad_id")
            .and_then(Value::as_str)
            .ok_or_else(|| missing("smart_plus_ad_id"))?
            .to_owned();
        wanted.retain(|name, _| !NO_FIELDS.contains(&name.as_str()));
        self.check_frozen(advertiser_id, &unknown)?;
        let id = self.writable(advertiser_id, KIND, &id)?;
        let (Some(row), Ok(advertiser)) = (
            self.row(advertiser_id, Level::Ad, id),
            self.advertiser(advertiser_id),
        ) else {
            return Err(missing("smart_plus_ad_id"));
        };
        self.check_alive(advertiser_id, row)?;
        self.check_account_writes(advertiser_id, advertiser)?;
        self.check_pace(at, advertiser_id, row)?;
        if wanted.is_empty() {
            return Err(Refusal::new(NOTHING_TO_UPDATE, "Nothing to update."));
        }
        let before = row.fields.clone();
        let parent_id = row.ad_group;
        let parent = parent_id
            .and_then(|id| self.row(advertiser_id, Level::AdGroup, id))
            .ok_or_else(|| missing("adgroup_id"))?;
        if let Some(name) = wanted.get("ad_name").and_then(Value::as_str) {
            names::check(Level::Ad, name)?;
            let unique = self
                .knobs
                .is(&knobs::NAME_UNIQUE, advertiser_id, "on_create_and_update");
            if unique && name != text(&before, "ad_name") {
                self.check_name_free(advertiser_id, KIND, name, parent_id, Some(id))?;
            }
        }
        let mut after = before.clone();
        merge(&mut after, wanted);
        let mut around = self.around(advertiser_id, parent)?;
        // What was made while names of one's own were allowed stays editable.
        around.custom_identity |= rules::has_custom_identity(&before);
        rules::check(&after, &around)?;
        creatives::drop_ignored(&mut after);
        let all_new = self
            .knobs
            .is(&knobs::SMART_PLUS_CREATIVES_UPDATE, advertiser_id, "new");
        let known = if all_new && after.get("creative_list") != before.get("creative_list") {
            Vec::new()
        } else {
            creatives::kept(&before)
        };
        let creatives = creatives::take(&mut after);
        let creatives = self.assign_materials(creatives, &known);
        after.insert("creative_list".into(), creatives::to_json(&creatives));
        let changes: Map<String, Value> = after
            .into_iter()
            .filter(|(name, value)| before.get(name) != Some(value))
            .collect();
        if changes.is_empty() {
            return match self
                .knobs
                .text(&knobs::UPDATE_WITHOUT_CHANGE, advertiser_id)
            {
                "ok" => self.smart_plus_ad_answer(at, advertiser_id, id),
                _ => Err(Refusal::new(NOTHING_TO_UPDATE, "Nothing to update.")),
            };
        }
        let content = changes
            .iter()
            .any(|(name, value)| is_reviewed(name, before.get(name), value));
        self.apply_changes(at, advertiser_id, Level::Ad, id, changes);
        self.keep_creatives(advertiser_id, id, &creatives);
        if let Some(row) = self.row_mut(advertiser_id, Level::Ad, id) {
            row.operated_at = Some(at);
        }
        if content {
            self.begin_review(at, advertiser_id, id, true);
        }
        self.smart_plus_ad_answer(at, advertiser_id, id)
    }

    /// Reads a body by a table; also returns the places of what the table does not know.
    fn read_ad(
        &self,
        advertiser_id: &str,
        table: &[Member],
        complete: bool,
        body: Body<'_>,
    ) -> Result<(Map<String, Value>, Vec<String>), Refusal> {
        let reader = Reader {
            numeric_ids: self.knobs.is(&knobs::NUMERIC_IDS, advertiser_id, "accept"),
            complete,
        };
        let mut unknown = Vec::new();
        let fields = reader.object(table, body.map(), &mut unknown)?;
        Ok((fields, unknown))
    }

    /// Refuses what a create takes and an update does not.
    fn check_frozen(&self, advertiser_id: &str, unknown: &[String]) -> Result<(), Refusal> {
        let immutable = |name: &&String| {
            SMART_PLUS_AD_CREATE
                .iter()
                .any(|member| member.name == name.as_str())
        };
        if let Some(name) = unknown.iter().find(immutable)
            && self
                .knobs
                .is(&knobs::IMMUTABLE_FIELDS, advertiser_id, "refuse")
        {
            return Err(Refusal::parameter(format!(
                "{name}: This field cannot be updated."
            )));
        }
        let strange: Vec<String> = unknown
            .iter()
            .filter(|name| !immutable(name))
            .cloned()
            .collect();
        self.check_unknown(advertiser_id, &strange)
    }

    /// The ad group a new ad goes into: alive, of this tree, and with room.
    fn home_of_ad(&self, advertiser_id: &str, id: &str) -> Result<Item, Refusal> {
        let id = self.writable(advertiser_id, (Level::AdGroup, Tree::SmartPlus), id)?;
        let parent = self
            .row(advertiser_id, Level::AdGroup, id)
            .ok_or_else(|| missing("adgroup_id"))?;
        self.check_alive(advertiser_id, parent)?;
        let ads = self
            .rows(advertiser_id, Level::Ad)
            .filter(|ad| ad.ad_group == Some(id) && !ad.deleted)
            .count();
        if ads >= MOST_ADS {
            let code = self.knobs.whole(&knobs::TOO_MANY_ADS_CODE, advertiser_id);
            return Err(Refusal::new(
                code,
                format!("An Upgraded Smart+ Ad Group can have at most {MOST_ADS} ads."),
            ));
        }
        Ok(parent.clone())
    }

    /// What the rules of an ad in this ad group depend on.
    fn around<'a>(&'a self, advertiser_id: &str, parent: &'a Item) -> Result<Around<'a>, Refusal> {
        let campaign = parent
            .campaign
            .and_then(|id| self.row(advertiser_id, Level::Campaign, id))
            .ok_or_else(|| missing("campaign_id"))?;
        let advertiser = self
            .advertiser(advertiser_id)
            .map_err(|_| missing("advertiser_id"))?;
        let chosen = parent.fields.get("placements").and_then(Value::as_array);
        let most = self
            .knobs
            .whole(&knobs::SMART_PLUS_CREATIVES_MAX, advertiser_id);
        Ok(Around {
            objective: campaign.text("objective_type"),
            catalog: flag(&campaign.fields, "catalog_enabled"),
            // Without a choice of placements TikTok chooses, and is one of them.
            on_tiktok: parent.text("placement_type") == "PLACEMENT_TYPE_AUTOMATIC"
                || chosen.is_none_or(|list| list.contains(&json!("PLACEMENT_TIKTOK"))),
            custom_identity: self.allows_custom_identity(advertiser_id, advertiser),
            ads_only: advertiser.ads_only_mode,
            dynamic_call_to_action: self.knobs.is(
                &knobs::SMART_PLUS_CALL_TO_ACTION,
                advertiser_id,
                "documented",
            ),
            creatives: usize::try_from(most).unwrap_or(usize::MAX),
        })
    }

    /// What an ad has although nobody said it.
    fn fill_in(&self, advertiser_id: &str, ads_only: bool, fields: &mut Map<String, Value>) {
        fields
            .entry("operation_status")
            .or_insert_with(|| json!("ENABLE"));
        for name in SMART_PLUS_AD_LISTS {
            fields.entry(*name).or_insert_with(|| json!([]));
        }
        let pushes = rules::objects(fields, "creative_list").any(|creative| {
            let info = object(creative, "creative_info");
            SPARK_IDENTITIES.contains(&text(info, "identity_type"))
                && !info.contains_key("tiktok_item_id")
        });
        let dark = match self.knobs.text(&knobs::DARK_POST_DEFAULT, advertiser_id) {
            _ if ads_only => "ON",
            default => default,
        };
        let adds = self
            .knobs
            .is(&knobs::CREATIVE_AUTO_ADD_DEFAULT, advertiser_id, "true");
        let configuration = fields
            .entry("ad_configuration")
            .or_insert_with(|| json!({}));
        if pushes && configuration.get("dark_post_status").is_none() {
            configuration["dark_post_status"] = json!(dark);
        }
        if adds && configuration.get("creative_auto_add_toggle").is_none() {
            configuration["creative_auto_add_toggle"] = json!(true);
        }
    }

    /// Refuses an operation on an ad that follows another one too soon, if the knob says so.
    pub(in crate::sandbox) fn check_pace(
        &self,
        at: i64,
        advertiser_id: &str,
        row: &Item,
    ) -> Result<(), Refusal> {
        let pace = self.knobs.ms(&knobs::SMART_PLUS_AD_PACE, advertiser_id);
        match row.operated_at {
            Some(last) if at - last < pace => Err(Refusal::new(
                CONFLICT,
                format!(
                    "Ad {} is being modified by another request. Please try again later.",
                    row.id
                ),
            )),
            _ => Ok(()),
        }
    }

    /// The whole ad as a create or update answers it: nulls are left out in this tree.
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

/// Whether a change sends the ad to review again: names and what only measures do not.
fn is_reviewed(name: &str, before: Option<&Value>, after: &Value) -> bool {
    if name != "ad_configuration" {
        return name != "ad_name";
    }
    let shown = |value: &Value| {
        let mut shown = value.as_object().cloned().unwrap_or_default();
        shown.retain(|name, _| !matches!(name.as_str(), "utm_params" | "tracking_info"));
        shown
    };
    before.map(shown).unwrap_or_default() != shown(after)
}

/// Puts an update over an ad: lists and texts are replaced, the members of `ad_configuration` one by one, and those of
/// the objects in it too.
fn merge(fields: &mut Map<String, Value>, wanted: Map<String, Value>) {
    for (name, value) in wanted {
        match (fields.get_mut(&name), value) {
            (Some(Value::Object(old)), Value::Object(new)) => merge(old, new),
            (_, value) => {
                fields.insert(name, value);
            }
        }
    }
}
