//! The creatives of a Smart+ ad: the ids that each gets, which of them an update keeps, and how the manual tree shows
//! one of them as an ad.

use serde_json::{Map, Value, json};

use super::super::super::{
    Sandbox, create::text, fields::SMART_PLUS_AD_LISTS, glance::View, item::Level, knobs,
};
use super::rules::{object, objects};

/// A creative that an ad has: what was sent for it, and what TikTok gave it.
#[derive(Clone)]
pub(in crate::sandbox) struct Creative {
    /// As it was sent, with what TikTok adds.
    info: Value,
    /// The id that material calls and reviews use.
    material: u64,
    /// The `ad_id` of its row in manual lists (`smart_plus_creative_id`).
    ad_id: u64,
    on: bool,
}

impl Creative {
    fn to_json(&self) -> Value {
        json!({
            "ad_material_id": self.material.to_string(),
            "smart_plus_creative_id": self.ad_id.to_string(),
            "creative_info": self.info,
            "material_operation_status": if self.on { "ENABLE" } else { "DISABLE" },
        })
    }
}

fn number(entry: &Map<String, Value>, name: &str) -> u64 {
    text(entry, name).parse().unwrap_or_default()
}

/// What an ad's fields say about its creatives.
pub(in crate::sandbox) fn kept(fields: &Map<String, Value>) -> Vec<Creative> {
    objects(fields, "creative_list")
        .map(|entry| Creative {
            info: entry.get("creative_info").cloned().unwrap_or_default(),
            material: number(entry, "ad_material_id"),
            ad_id: number(entry, "smart_plus_creative_id"),
            on: text(entry, "material_operation_status") == "ENABLE",
        })
        .collect()
}

/// Creatives as an ad's fields hold them.
pub(super) fn to_json(creatives: &[Creative]) -> Value {
    creatives.iter().map(Creative::to_json).collect()
}

/// The `ad_material_id`s in the order of the list.
pub(in crate::sandbox) fn materials(fields: &Map<String, Value>) -> Vec<u64> {
    objects(fields, "creative_list")
        .map(|entry| number(entry, "ad_material_id"))
        .collect()
}

/// Takes the creatives that were sent out of the fields, as they will be stored.
pub(super) fn take(fields: &mut Map<String, Value>) -> Vec<Value> {
    let infos = objects(fields, "creative_list")
        .map(|creative| stored(object(creative, "creative_info")))
        .collect();
    fields.remove("creative_list");
    infos
}

/// A creative with what TikTok adds to it.
fn stored(info: &Map<String, Value>) -> Value {
    let mut info = info.clone();
    let kind = text(&info, "identity_type").to_owned();
    if !kind.is_empty() && kind != "CUSTOMIZED_USER" {
        info.entry("identity_authorized_bc_id")
            .or_insert_with(|| json!("0"));
    }
    if !info.contains_key("tiktok_item_id") {
        info.entry("material_name").or_insert_with(|| json!(""));
    }
    if let Some(Value::Object(video)) = info.get_mut("video_info") {
        video.entry("file_name").or_insert_with(|| json!(""));
    }
    Value::Object(info)
}

/// Drops what TikTok ignores: the list of calls to action where a dynamic one is chosen.
pub(super) fn drop_ignored(fields: &mut Map<String, Value>) {
    if !text(object(fields, "ad_configuration"), "call_to_action_id").is_empty() {
        fields.insert("call_to_action_list".into(), json!([]));
    }
}

impl Sandbox {
    /// Gives creatives their ids. One that the ad already has stays what it was, switched off or not.
    pub(super) fn assign_materials(
        &mut self,
        wanted: Vec<Value>,
        known: &[Creative],
    ) -> Vec<Creative> {
        let mut left = known.to_vec();
        wanted
            .into_iter()
            .map(|info| {
                let same = left.iter().position(|creative| creative.info == info);
                match same {
                    Some(index) => left.remove(index),
                    None => Creative {
                        info,
                        material: self.next_object_id(),
                        ad_id: self.next_object_id(),
                        on: true,
                    },
                }
            })
            .collect()
    }

    /// Gives ids to the creatives that a person put into an ad, and the ad what every ad has.
    pub(in crate::sandbox) fn settle_creatives(&mut self, advertiser_id: &str, id: u64) {
        let Some(row) = self.row_mut(advertiser_id, Level::Ad, id) else {
            return;
        };
        for name in SMART_PLUS_AD_LISTS {
            row.fields.entry(*name).or_insert_with(|| json!([]));
        }
        let mut creatives = kept(&row.fields);
        for creative in &mut creatives {
            if creative.material == 0 {
                *creative = Creative {
                    info: creative.info.clone(),
                    material: self.next_object_id(),
                    ad_id: self.next_object_id(),
                    on: true,
                };
            }
        }
        self.keep_creatives(advertiser_id, id, &creatives);
    }

    /// Writes an ad's creatives, and under which `ad_id`s manual lists show them.
    pub(super) fn keep_creatives(&mut self, advertiser_id: &str, id: u64, creatives: &[Creative]) {
        if let Some(row) = self.row_mut(advertiser_id, Level::Ad, id) {
            row.fields
                .insert("creative_list".into(), to_json(creatives));
        }
        if let Some(store) = self.items.get_mut(advertiser_id) {
            let ids = creatives.iter().map(|creative| creative.ad_id).collect();
            store.set_creatives(id, ids);
        }
    }
}

/// The creatives of an ad with the `ad_id`s of their rows in manual lists.
pub(in crate::sandbox) fn rows(fields: &Map<String, Value>) -> Vec<(&Map<String, Value>, u64)> {
    objects(fields, "creative_list")
        .map(|entry| (entry, number(entry, "smart_plus_creative_id")))
        .collect()
}

/// What is said about an ad differently than it is stored.
pub(in crate::sandbox) fn finish(view: &View<'_>, fields: &mut Map<String, Value>) {
    let omits = |knob| view.knobs.is(knob, view.advertiser_id, "omitted");
    if omits(&knobs::SMART_PLUS_AD_MODIFY_TIME) {
        fields.remove("modify_time");
    }
    if omits(&knobs::SMART_PLUS_CREATIVE_ID)
        && let Some(Value::Array(list)) = fields.get_mut("creative_list")
    {
        for creative in list.iter_mut().filter_map(Value::as_object_mut) {
            creative.remove("smart_plus_creative_id");
        }
    }
}

/// The row of one creative in `/ad/get/`, made of the whole ad's: its own video, images and identity, and what the ad
/// says for all.
pub(in crate::sandbox) fn manual_row(
    view: &View<'_>,
    ad: &Map<String, Value>,
    creative: &Map<String, Value>,
) -> Map<String, Value> {
    let mut row = Map::new();
    let mut set = |name: &str, value: Value| {
        row.insert(name.into(), value);
    };
    for name in [
        "advertiser_id",
        "campaign_id",
        "campaign_name",
        "adgroup_id",
        "adgroup_name",
        "smart_plus_ad_id",
        "ad_name",
        "operation_status",
        "secondary_status",
        "create_time",
        "modify_time",
        "campaign_automation_type",
    ] {
        if let Some(value) = ad.get(name) {
            set(name, value.clone());
        }
    }
    let off = text(creative, "material_operation_status") == "DISABLE";
    let counts = view.knobs.is(
        &knobs::SMART_PLUS_CREATIVE_ROW_STATUS,
        view.advertiser_id,
        "creative",
    );
    if counts && off {
        set("operation_status", json!("DISABLE"));
    }
    set(
        "ad_id",
        creative
            .get("smart_plus_creative_id")
            .cloned()
            .unwrap_or_default(),
    );
    set(
        "ad_id_v2",
        ad.get("smart_plus_ad_id").cloned().unwrap_or_default(),
    );
    let info = object(creative, "creative_info");
    let configuration = object(ad, "ad_configuration");
    for name in ["ad_format", "tiktok_item_id", "aigc_disclosure_type"] {
        set(name, info.get(name).cloned().unwrap_or_default());
    }
    let identity = if info.contains_key("identity_type") {
        info
    } else {
        configuration
    };
    for name in ["identity_type", "identity_id"] {
        set(name, identity.get(name).cloned().unwrap_or_default());
    }
    let center = text(identity, "identity_authorized_bc_id");
    set(
        "identity_authorized_bc_id",
        json!((!matches!(center, "" | "0")).then_some(center)),
    );
    let member = |name: &str, inner: &str| object(info, name).get(inner).cloned();
    set(
        "video_id",
        member("video_info", "video_id").unwrap_or_default(),
    );
    set(
        "music_id",
        member("music_info", "music_id").unwrap_or_default(),
    );
    let images: Vec<Value> = objects(info, "image_info")
        .filter_map(|image| image.get("web_uri").cloned())
        .collect();
    set("image_ids", json!(images));
    let first = |list: &str, name: &str| {
        objects(ad, list)
            .next()
            .and_then(|entry| entry.get(name))
            .cloned()
            .unwrap_or_default()
    };
    set("ad_text", first("ad_text_list", "ad_text"));
    set(
        "call_to_action",
        first("call_to_action_list", "call_to_action"),
    );
    set(
        "landing_page_url",
        first("landing_page_url_list", "landing_page_url"),
    );
    set("deeplink", first("deeplink_list", "deeplink"));
    set("deeplink_type", first("deeplink_list", "deeplink_type"));
    set("card_id", first("interactive_add_on_list", "card_id"));
    // A number in this tree, text in the other.
    let page = first("page_list", "page_id");
    set(
        "page_id",
        json!(page.as_str().and_then(|id| id.parse::<u64>().ok())),
    );
    for name in [
        "call_to_action_id",
        "dark_post_status",
        "fallback_type",
        "utm_params",
    ] {
        set(name, configuration.get(name).cloned().unwrap_or_default());
    }
    let tracking = object(configuration, "tracking_info");
    for name in [
        "click_tracking_url",
        "impression_tracking_url",
        "tracking_app_id",
    ] {
        set(name, tracking.get(name).cloned().unwrap_or_default());
    }
    set("is_aco", json!(false));
    set("is_new_structure", json!(true));
    set("creative_authorized", json!(false));
    row
}
