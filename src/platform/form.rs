//! How values are written on the wire, and their canonical form.
//!
//! Values travel in one canonical form each, so that two of them are equal exactly when they mean the same: sets are
//! sorted, amounts are whole hundredths, what says nothing is null. Only [`Form`] knows both forms.

use serde_json::{Value, json};

use super::json;
use super::money::Cents;
use super::text::{clean, harmless};

/// Longest word of TikTok's that is kept.
const LONGEST_WORD: usize = 4000;
/// Longest text of a person's that is kept. It is sent again as it is, so this is far above what TikTok takes.
const LONGEST_PROSE: usize = 65_536;

/// How a value is written on the wire, and what its canonical form is.
#[derive(Clone, Copy, Debug)]
pub enum Form {
    /// A word or name of TikTok's; empty text, `UNSET` and null say nothing.
    Text,
    /// One of TikTok's words, of which this one is what TikTok takes when nothing is said. It says nothing, as null does.
    Word(&'static str),
    /// What a person wrote: texts and addresses. Kept as written, but for characters that only do harm; empty text and
    /// null say nothing.
    Prose,
    /// A decimal id as text; `0`, empty text and null say nothing.
    Id,
    /// An id that TikTok has as a JSON number. Canonical: text.
    NumberId,
    /// True or false.
    Flag,
    /// True or false, of which this one is what TikTok takes when nothing is said. It says nothing, as null does.
    Switch(bool),
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

impl Form {
    /// From the wire (or any equal spelling) to the canonical form.
    pub fn canonical(self, value: &Value) -> Value {
        match self {
            Self::Text => word(value).map_or(Value::Null, Value::from),
            Self::Word(default) => word(value)
                .filter(|word| word != default)
                .map_or(Value::Null, Value::from),
            Self::Prose => value
                .as_str()
                .map(|text| harmless(text, LONGEST_PROSE))
                .filter(|text| !text.is_empty())
                .map_or(Value::Null, Value::from),
            Self::Id => json::as_id(value).map_or(Value::Null, Value::from),
            // A number has no zeros in front.
            Self::NumberId => json::as_id(value)
                .and_then(|id| id.parse::<i64>().ok())
                .map_or(Value::Null, |id| json!(id.to_string())),
            Self::Flag => value.as_bool().map_or(Value::Null, Value::from),
            Self::Switch(default) => value
                .as_bool()
                .filter(|flag| *flag != default)
                .map_or(Value::Null, Value::from),
            Self::Whole => json::as_whole(value).map_or(Value::Null, Value::from),
            Self::Money => match json::as_money(value) {
                Some(Cents(cents)) if cents != 0 => json!(cents),
                _ => Value::Null,
            },
            Self::Ratio => ratio(value).map_or(Value::Null, Value::from),
            Self::Set => {
                let mut items = words(value);
                items.sort_unstable();
                items.dedup();
                json!(items)
            }
            Self::List => json!(words(value)),
            Self::Shape(read) => read(value),
        }
    }

    /// From the canonical form to the wire; null for what says nothing.
    pub(super) fn wire(self, value: &Value) -> Value {
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

    /// What is sent to take a value away; null where there is no such thing.
    pub(super) fn nothing(self) -> Value {
        match self {
            Self::Word(default) => json!(default),
            Self::Switch(default) => json!(default),
            _ => Value::Null,
        }
    }
}

/// A word that says something: not null, not empty, not TikTok's `UNSET`. Cleaned (R19).
fn word(value: &Value) -> Option<String> {
    let text = clean(value.as_str()?, LONGEST_WORD);
    (!text.is_empty() && text != "UNSET").then_some(text)
}

/// Up to four decimals, which is more than TikTok shows.
fn ratio(value: &Value) -> Option<String> {
    let number = match value {
        Value::String(text) => text.parse().ok()?,
        other => other.as_f64()?,
    };
    if number == 0.0 || !f64::is_finite(number) || number.abs() >= 1e9 {
        return None;
    }
    let text = format!("{number:.4}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    (text != "0" && text != "-0").then(|| text.to_owned())
}

/// Texts of a list; numbers are taken as their decimal text, since some ids come so.
pub(super) fn words(value: &Value) -> Vec<String> {
    json::items(value)
        .iter()
        .filter_map(|item| match item {
            Value::String(text) => Some(clean(text, LONGEST_WORD)),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
#[path = "form_tests.rs"]
mod tests;
