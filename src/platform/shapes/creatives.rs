//! The creatives of a Smart+ ad (TikTok's page on reading Upgraded Smart+ ads).
//!
//! A row's `creative_list` says two things at once: what the creatives are, which is what a spec says and what is sent
//! again, and what TikTok made of each: an id for this very ad and a switch. They are two fields here.

use serde_json::{Map, Value, json};

use super::{set, some};
use crate::platform::form::{Form, words};
use crate::platform::json;

/// What the creatives are: `[{creative_info}]` without ids, switches and names of files.
pub(in crate::platform) fn creative_list(value: &Value) -> Value {
    set(value, |item| {
        let info = creative_info(item.get("creative_info")?)?;
        Some(json!({ "creative_info": info }))
    })
}

/// What TikTok made of each: `[{material_id, creative, status}]`, where `creative` is its [`creative_key`].
pub(in crate::platform) fn creative_status(value: &Value) -> Value {
    set(value, |item| {
        Some(json!({
            "material_id": json::id(item, "ad_material_id")?,
            "creative": creative_key(item.get("creative_info")?)?,
            "status": Form::Text.canonical(item.get("material_operation_status")?),
        }))
    })
}

/// By what a creative is told from the others of its ad: its post, its video, or its images. From a `creative_info` as it
/// is sent or shown; `None` if it shows none of them.
pub fn creative_key(info: &Value) -> Option<String> {
    if let Some(post) = json::id(info, "tiktok_item_id") {
        return Some(format!("post {post}"));
    }
    if let Some(video) = video_id(info) {
        return Some(format!("video {video}"));
    }
    let images = images(info);
    (!images.is_empty()).then(|| format!("images {}", images.join(" ")))
}

fn creative_info(info: &Value) -> Option<Value> {
    let mut entries = Map::new();
    let mut put = |name: &str, value: Option<Value>| {
        if let Some(value) = value.and_then(some) {
            entries.insert(name.to_owned(), value);
        }
    };
    let word = |name: &str, form: Form| info.get(name).map(|value| form.canonical(value));
    put("ad_format", word("ad_format", Form::Text));
    put("identity_type", word("identity_type", Form::Text));
    put("identity_id", word("identity_id", Form::Text));
    put(
        "identity_authorized_bc_id",
        word("identity_authorized_bc_id", Form::Id),
    );
    put(
        "aigc_disclosure_type",
        word("aigc_disclosure_type", Form::Word("NOT_DECLARED")),
    );
    match json::id(info, "tiktok_item_id") {
        // The post is the creative: what TikTok shows of its video and images is not ours.
        Some(post) => put("tiktok_item_id", Some(json!(post))),
        None => {
            put(
                "video_info",
                video_id(info).map(|id| json!({ "video_id": id })),
            );
            let images: Vec<Value> = images(info)
                .into_iter()
                .map(|uri| json!({ "web_uri": uri }))
                .collect();
            put("image_info", Some(json!(images)));
            put(
                "music_info",
                music_id(info).map(|id| json!({ "music_id": id })),
            );
        }
    }
    (!entries.is_empty()).then_some(Value::Object(entries))
}

fn video_id(info: &Value) -> Option<String> {
    json::text(info.get("video_info")?, "video_id")
}

fn music_id(info: &Value) -> Option<String> {
    let music = info.get("music_info")?;
    json::text(music, "music_id").or_else(|| json::id(music, "music_id"))
}

/// In display order.
fn images(info: &Value) -> Vec<String> {
    let uris: Vec<&Value> = json::items(info.get("image_info").unwrap_or(&Value::Null))
        .iter()
        .filter_map(|image| image.get("web_uri"))
        .collect();
    words(&json!(uris))
}
