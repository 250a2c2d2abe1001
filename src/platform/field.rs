//! One field of a kind: its name on the wire, how its value is written there, and what an update can do about it.
//!
//! Values travel in one canonical form each, so that two of them are equal exactly when they mean the same: sets are
//! sorted, amounts are whole hundredths, what says nothing is null. Only [`Form`] knows both forms.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::json;
use super::money::Cents;
use super::text::clean;

/// Values by wire name, in canonical form.
pub type Fields = BTreeMap<&'static str, Value>;

/// Longest text of a list or structure that is kept.
const LONGEST_TEXT: usize = 4000;

/// How a value is written on the wire, and what its canonical form is.
#[derive(Clone, Copy, Debug)]
pub enum Form {
    /// Text; empty text, `UNSET` and null say nothing.
    Text,
    /// A decimal id as text; `0`, empty text and null say nothing.
    Id,
    /// An id that TikTok has as a JSON number. Canonical: text.
    NumberId,
    /// True or false.
    Flag,
    /// A whole number.
    Whole,
    /// An amount in the account's currency. Canonical: whole hundredths; 0 and null say nothing.
    Money,
    /// A number with decimals that is no amount (a ROAS). Canonical: a decimal text without needless zeros; 0 says nothing.
    Ratio,
    /// A list whose order means nothing. Canonical: sorted, each once; null is the empty list.
    Set,
    /// A list whose order means something; null is the empty list.
    List,
    /// A structure, read by its own function into a canonical form that is also what is sent.
    Shape(fn(&Value) -> Value),
}

/// What an update can do about a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Update {
    /// Fixed at creation.
    Never,
    /// Sent alone: what is not sent stays.
    Alone,
    /// The call replaces the whole object: everything else that can be updated goes along.
    Whole,
}

/// One field of one kind in one tree.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// Its name on the wire.
    pub name: &'static str,
    pub form: Form,
    pub update: Update,
    /// The object on the wire that it is in, such as `targeting_spec`; `None`: the body itself.
    pub within: Option<&'static str>,
}

impl Field {
    /// A field of the body.
    pub const fn new(name: &'static str, form: Form, update: Update) -> Self {
        Self {
            name,
            form,
            update,
            within: None,
        }
    }

    /// A field of an object in the body.
    pub const fn within(self, object: &'static str) -> Self {
        Self {
            within: Some(object),
            ..self
        }
    }

    /// The canonical value in a row; `None` when the row does not show the field at all: then nothing is known of it.
    pub(super) fn read(&self, row: &Value) -> Option<Value> {
        let holder = match self.within {
            Some(object) => row.get(object)?,
            None => row,
        };
        Some(self.form.canonical(holder.get(self.name)?))
    }

    /// Writes a canonical value into a body. Null is not sent.
    pub(super) fn write(&self, body: &mut Value, value: &Value) {
        if value.is_null() {
            return;
        }
        let value = self.form.wire(value);
        match self.within {
            Some(object) => {
                if !body[object].is_object() {
                    body[object] = json!({});
                }
                body[object][self.name] = value;
            }
            None => body[self.name] = value,
        }
    }
}

impl Form {
    /// From the wire (or any equal spelling) to the canonical form.
    pub fn canonical(self, value: &Value) -> Value {
        match self {
            Self::Text => match value.as_str().map(|t| clean(t, LONGEST_TEXT)) {
                Some(text) if !text.is_empty() && text != "UNSET" => json!(text),
                _ => Value::Null,
            },
            Self::Id | Self::NumberId => json::as_id(value).map_or(Value::Null, |id| json!(id)),
            Self::Flag => value.as_bool().map_or(Value::Null, Value::from),
            Self::Whole => whole(value).map_or(Value::Null, Value::from),
            Self::Money => match json::as_money(value) {
                Some(Cents(cents)) if cents != 0 => json!(cents),
                _ => Value::Null,
            },
            Self::Ratio => ratio(value).map_or(Value::Null, |text| json!(text)),
            Self::Set => {
                let mut items = texts(value);
                items.sort_unstable();
                items.dedup();
                json!(items)
            }
            Self::List => json!(texts(value)),
            Self::Shape(read) => read(value),
        }
    }

    /// From the canonical form to the wire.
    fn wire(self, value: &Value) -> Value {
        match self {
            Self::Money => value
                .as_i64()
                .map_or(Value::Null, |cents| json!(Cents(cents))),
            Self::Ratio => value
                .as_str()
                .and_then(|text| text.parse::<serde_json::Number>().ok())
                .map_or(Value::Null, Value::Number),
            Self::NumberId => value
                .as_str()
                .and_then(|text| text.parse::<i64>().ok())
                .map_or(Value::Null, Value::from),
            _ => value.clone(),
        }
    }
}

/// Whole numbers also come as doubles (`7.0`).
fn whole(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| {
        let number = value.as_f64().filter(|n| n.fract() == 0.0)?;
        (number.abs() < 9e15).then_some(number as i64)
    })
}

/// Up to four decimals, which is more than TikTok shows.
fn ratio(value: &Value) -> Option<String> {
    let number = match value {
        Value::String(text) => text.parse().ok()?,
        other => other.as_f64()?,
    };
    if number == 0.0 || !number.is_finite() {
        return None;
    }
    let text = format!("{number:.4}");
    Some(text.trim_end_matches('0').trim_end_matches('.').to_owned())
}

/// Texts of a list; numbers are taken as their decimal text, since some ids come so.
fn texts(value: &Value) -> Vec<String> {
    value
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default()
        .iter()
        .filter_map(|item| match item {
            Value::String(text) => Some(clean(text, LONGEST_TEXT)),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        })
        .collect()
}
