//! Single values out of TikTok's JSON: strict about ids, forgiving about everything that is only shown.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde_json::Value;

use super::money::Cents;
use super::text::clean;

/// Longest enum value, currency, zone or number that we keep.
const LONGEST_TEXT: usize = 200;

/// An id: decimal digits of an int64, as a string (or, as some examples of the documentation have it, a number).
pub(super) fn id(object: &Value, name: &str) -> Option<String> {
    as_id(object.get(name)?)
}

pub(super) fn as_id(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => is_id(text).then(|| text.clone()),
        Value::Number(number) => number
            .as_u64()
            .map(|number| number.to_string())
            .filter(|text| is_id(text)),
        _ => None,
    }
}

fn is_id(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
        && text.parse::<i64>().is_ok_and(|number| number > 0)
}

/// The ids in a list; what is no id is left out, and null and anything else is empty.
pub(super) fn ids(object: &Value, name: &str) -> Vec<String> {
    let list = object.get(name).map(items);
    list.unwrap_or_default().iter().filter_map(as_id).collect()
}

/// A text that says something: not null, not empty, not TikTok's `UNSET`. Cleaned (R19).
pub(super) fn text(object: &Value, name: &str) -> Option<String> {
    let text = clean(object.get(name)?.as_str()?, LONGEST_TEXT);
    (!text.is_empty() && text != "UNSET").then_some(text)
}

/// A list of texts; null and anything else is empty.
pub(super) fn texts(object: &Value, name: &str) -> Vec<String> {
    object
        .get(name)
        .map(items)
        .unwrap_or_default()
        .iter()
        .filter_map(Value::as_str)
        .map(|text| clean(text, LONGEST_TEXT))
        .collect()
}

pub(super) fn flag(object: &Value, name: &str) -> Option<bool> {
    object.get(name)?.as_bool()
}

pub(super) fn count(object: &Value, name: &str) -> Option<u64> {
    object.get(name)?.as_u64()
}

pub(super) fn money(object: &Value, name: &str) -> Option<Cents> {
    as_money(object.get(name)?)
}

pub(super) fn as_money(value: &Value) -> Option<Cents> {
    match value {
        Value::Number(number) => Cents::from_reply(number),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

/// The items of a list; null and anything else is empty.
pub(super) fn items(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

/// A whole number; TikTok also writes them as doubles (`7.0`).
pub(super) fn as_whole(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| {
        let number = value.as_f64().filter(|number| number.fract() == 0.0)?;
        (number.abs() < 9e15).then_some(number as i64)
    })
}

/// The object at the end of a path of objects; the value itself for an empty path.
pub(super) fn holder<'a>(value: &'a Value, path: &[&str]) -> Option<&'a Value> {
    path.iter().try_fold(value, |holder, name| holder.get(name))
}

/// Puts a value into the object at the end of a path, and makes the objects on the way.
pub(super) fn put(body: &mut Value, path: &[&str], name: &str, value: Value) {
    let mut holder = body;
    for object in path {
        if !holder[object].is_object() {
            holder[object] = Value::Object(serde_json::Map::new());
        }
        holder = &mut holder[object];
    }
    holder[name] = value;
}

/// `YYYY-MM-DD HH:MM:SS` in UTC; RFC 3339 is read too.
pub(super) fn time(object: &Value, name: &str) -> Option<Timestamp> {
    as_time(object.get(name)?.as_str()?)
}

pub(super) fn as_time(text: &str) -> Option<Timestamp> {
    if let Ok(time) = text.parse::<Timestamp>() {
        return Some(time);
    }
    let zoned = text
        .parse::<DateTime>()
        .ok()?
        .to_zoned(TimeZone::UTC)
        .ok()?;
    Some(zoned.timestamp())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn ids_are_decimal_int64_texts() {
        let row = json!({"a": "1728545382536225", "b": 1728545382536225u64, "c": "0", "d": "", "e": "12x", "f": null,
            "g": "99999999999999999999", "h": -5, "i": "+5", "j": 1.5});
        assert_eq!(id(&row, "a").as_deref(), Some("1728545382536225"));
        assert_eq!(id(&row, "b").as_deref(), Some("1728545382536225"));
        for name in ["c", "d", "e", "f", "g", "h", "i", "j", "missing"] {
            assert_eq!(id(&row, name), None, "{name}");
        }
    }

    #[test]
    fn unset_is_nothing() {
        let row = json!({"a": "UNSET", "b": "", "c": null, "d": "REGULAR_CAMPAIGN", "e": 5});
        assert_eq!(text(&row, "d").as_deref(), Some("REGULAR_CAMPAIGN"));
        for name in ["a", "b", "c", "e", "missing"] {
            assert_eq!(text(&row, name), None, "{name}");
        }
    }

    #[test]
    fn times_are_utc() {
        let row =
            json!({"a": "2022-03-28 14:00:15", "b": "2020-06-10T07:39:14Z", "c": "soon", "d": ""});
        assert_eq!(time(&row, "a"), "2022-03-28T14:00:15Z".parse().ok());
        assert_eq!(time(&row, "b"), "2020-06-10T07:39:14Z".parse().ok());
        assert_eq!(time(&row, "c"), None);
        assert_eq!(time(&row, "d"), None);
    }
}
