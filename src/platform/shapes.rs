//! The structures among TikTok's fields, each read into a canonical form that is also what is sent: what only a row has
//! (ids, states, names of files) is left out, what says nothing is left out, lists without an order are sorted.

mod creatives;

use serde_json::{Map, Value, json};

use super::form::Form;
use super::json;
use super::text::harmless;

pub use creatives::creative_key;
pub(super) use creatives::{creative_list, creative_status};

/// Half hours of a week, Monday 00:00 first.
const HALF_HOURS: usize = 336;
/// Longest text inside a structure that is kept.
const LONGEST_TEXT: usize = 65_536;

/// 336 half hours of `0` and `1`. Unset, all 0 and all 1 all mean always (reference 4.1), which is all 1 here.
pub(super) fn dayparting(value: &Value) -> Value {
    let said = value.as_str().filter(|text| {
        text.len() == HALF_HOURS
            && text.bytes().all(|b| matches!(b, b'0' | b'1'))
            && text.contains('1')
    });
    match said {
        Some(text) => json!(text),
        None => json!("1".repeat(HALF_HOURS)),
    }
}

/// A list of whole numbers in their order.
pub(super) fn numbers(value: &Value) -> Value {
    let numbers: Vec<i64> = json::items(value)
        .iter()
        .filter_map(json::as_whole)
        .collect();
    json!(numbers)
}

/// A range of device prices whose upper end TikTok raised by 50, as its documentation says it does.
pub(super) fn is_price_raised(sent: &Value, shown: &Value) -> bool {
    let range = |value: &Value| match json::items(value) {
        [low, high] => Some((json::as_whole(low)?, json::as_whole(high)?)),
        _ => None,
    };
    match (range(sent), range(shown)) {
        (Some((low, high)), Some((shown_low, shown_high))) => {
            low == shown_low && high.checked_add(50) == Some(shown_high)
        }
        _ => false,
    }
}

/// What people did: `{action_scene, action_period, video_user_actions, action_category_ids}`. TikTok takes the period 0
/// for all scenes but VIDEO_RELATED, whatever is sent.
pub(super) fn actions(value: &Value) -> Value {
    set(value, |action| {
        let scene = Form::Text.canonical(action.get("action_scene")?);
        let period = action
            .get("action_period")
            .and_then(json::as_whole)
            .filter(|_| scene == "VIDEO_RELATED")
            .unwrap_or(0);
        let list = |name| Form::Set.canonical(action.get(name).unwrap_or(&Value::Null));
        (!scene.is_null()).then(|| {
            json!({
                "action_scene": scene,
                "action_period": period,
                "video_user_actions": list("video_user_actions"),
                "action_category_ids": list("action_category_ids"),
            })
        })
    })
}

/// Search keywords, without the state of their review.
pub(super) fn search_keywords(value: &Value) -> Value {
    set(value, |keyword| {
        some(pick(
            keyword,
            &["keyword", "match_type", "keyword_bid_type", "keyword_bid"],
        ))
    })
}

/// URL parameters: `{key, value}`.
pub(super) fn pairs(value: &Value) -> Value {
    set(value, |pair| some(pick(pair, &["key", "value"])))
}

/// The text of a plain disclaimer: `{text}`.
pub(super) fn disclaimer_text(value: &Value) -> Value {
    pick(value, &["text"])
}

/// The links of a disclaimer, in their order: `{text, url}`.
pub(super) fn disclaimer_links(value: &Value) -> Value {
    list(value, |link| some(pick(link, &["text", "url"])))
}

/// `[{ad_text}]`.
pub(super) fn ad_texts(value: &Value) -> Value {
    set(value, |item| some(pick(item, &["ad_text"])))
}

/// `[{call_to_action}]`.
pub(super) fn calls_to_action(value: &Value) -> Value {
    set(value, |item| some(pick(item, &["call_to_action"])))
}

/// `[{landing_page_url}]`.
pub(super) fn landing_pages(value: &Value) -> Value {
    set(value, |item| some(pick(item, &["landing_page_url"])))
}

/// `[{deeplink, deeplink_type}]`. Where there is a link, TikTok wants its type as well.
pub(super) fn deeplinks(value: &Value) -> Value {
    set(value, |item| {
        let mut link = pick(item, &["deeplink", "deeplink_type"]);
        link.get("deeplink")?;
        if link.get("deeplink_type").is_none() {
            link["deeplink_type"] = json!("NORMAL");
        }
        Some(link)
    })
}

/// `[{page_id}]`.
pub(super) fn pages(value: &Value) -> Value {
    set(value, |item| ids(item, "page_id"))
}

/// `[{card_id}]`.
pub(super) fn cards(value: &Value) -> Value {
    set(value, |item| ids(item, "card_id"))
}

/// Anything that the operator has no words for and only sends along as it is.
pub(super) fn kept(value: &Value) -> Value {
    match value {
        Value::String(text) => Form::Prose.canonical(&json!(text)),
        Value::Array(items) => {
            let items: Vec<Value> = items.iter().map(kept).filter(|i| !i.is_null()).collect();
            some(json!(items)).unwrap_or(Value::Null)
        }
        Value::Object(entries) => {
            let entries: Map<String, Value> = entries
                .iter()
                .map(|(name, value)| (name.clone(), kept(value)))
                .filter(|(_, value)| !value.is_null())
                .collect();
            some(Value::Object(entries)).unwrap_or(Value::Null)
        }
        other => other.clone(),
    }
}

/// Anything but what is empty.
fn some(value: Value) -> Option<Value> {
    let empty = match &value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(entries) => entries.is_empty(),
        _ => false,
    };
    (!empty).then_some(value)
}

/// Some entries of an object, those that say something; null if none does.
fn pick(value: &Value, names: &[&str]) -> Value {
    let mut entries = Map::new();
    for name in names {
        let entry = match value.get(*name) {
            Some(Value::String(text)) if text != "UNSET" => json!(harmless(text, LONGEST_TEXT)),
            Some(Value::Number(number)) => Value::Number(number.clone()),
            _ => continue,
        };
        if entry != "" {
            entries.insert((*name).to_owned(), entry);
        }
    }
    some(Value::Object(entries)).unwrap_or(Value::Null)
}

fn ids(value: &Value, name: &str) -> Option<Value> {
    let id = json::id(value, name)?;
    let mut entries = Map::new();
    entries.insert(name.to_owned(), json!(id));
    Some(Value::Object(entries))
}

fn list(value: &Value, read: impl Fn(&Value) -> Option<Value>) -> Value {
    let items: Vec<Value> = json::items(value).iter().filter_map(read).collect();
    json!(items)
}

/// A list whose order means nothing: sorted by its JSON text, each once.
fn set(value: &Value, read: impl Fn(&Value) -> Option<Value>) -> Value {
    let mut items: Vec<Value> = json::items(value).iter().filter_map(read).collect();
    items.sort_by_cached_key(Value::to_string);
    items.dedup();
    json!(items)
}

#[cfg(test)]
#[path = "shapes/tests.rs"]
mod tests;
