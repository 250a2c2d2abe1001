//! Types that several kinds share.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The name of an object in the same namespace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LocalRef {
    /// The name of the object. It is always looked for in the same namespace.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
}

/// Whether an object should be switched on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[schemars(description = "")]
pub enum DesiredState {
    /// Switched on as soon as everything that must hold does.
    Active,
    /// Switched off, and kept off.
    Paused,
}

/// What happens on TikTok when the Kubernetes object is deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[schemars(description = "")]
pub enum DeletionPolicy {
    /// Switch it off and leave it there.
    Pause,
    /// Leave it exactly as it is.
    Retain,
    /// Delete it. TikTok cannot bring a deleted object back. What was adopted by its name alone is only paused.
    Delete,
}

/// Whether people may do something with an ad.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[schemars(description = "")]
pub enum Permission {
    /// They may.
    Allowed,
    /// They may not.
    Blocked,
}

/// How far the operator may go. The strictest of object, connection and token wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[schemars(description = "")]
pub enum Mode {
    /// Make TikTok match the spec.
    Enforce,
    /// Write nothing; say what would be done.
    Plan,
    /// Write nothing; say what is there.
    Observe,
    /// Write nothing but pauses.
    Suspend,
}

/// What to do when TikTok already has an object of this name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[schemars(description = "")]
pub enum Adoption {
    /// Say so and wait.
    Refuse,
    /// Take it over if it is the only one, no other object holds it, and what cannot be changed is equal. It is never
    /// deleted for its name alone.
    SameName,
}

/// What to do when somebody changed a field on TikTok.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[schemars(description = "")]
pub enum DriftPolicy {
    /// Overwrite it with what the spec says.
    Correct,
    /// Show the difference and leave it.
    Report,
}

/// What to do when somebody switched an object off on TikTok while the spec says Active.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[schemars(description = "")]
pub enum StateDriftPolicy {
    /// Leave it off and say so, until somebody resumes it.
    Respect,
    /// Switch it on again.
    Enforce,
}

/// What to do about changes that somebody made on TikTok, per group of fields. A group that is not said follows the
/// connection, and what the connection does not say is corrected.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("minProperties" = 1))]
pub struct DriftPolicies {
    /// The bid. `Correct` (also when not said) overwrites what a buyer set on TikTok with what the spec says; `Report`
    /// leaves it and shows the difference.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bid: Option<DriftPolicy>,
    /// The budget. `Correct` (also when not said) overwrites what a buyer set on TikTok with what the spec says;
    /// `Report` leaves it and shows the difference.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub budget: Option<DriftPolicy>,
    /// The name. `Correct` (also when not said) overwrites what a buyer set on TikTok with what the spec says; `Report`
    /// leaves it and shows the difference.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<DriftPolicy>,
    /// Start, end and dayparting. `Correct` (also when not said) overwrites what a buyer set on TikTok with what the
    /// spec says; `Report` leaves it and shows the difference.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schedule: Option<DriftPolicy>,
    /// All other settings. `Correct` (also when not said) overwrites what a buyer set on TikTok with what the spec says;
    /// `Report` leaves it and shows the difference.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub settings: Option<DriftPolicy>,
    /// Switched off on TikTok while the spec says Active. `Respect` (also when not said) leaves it off until
    /// somebody resumes it; `Enforce` switches it on again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<StateDriftPolicy>,
    /// Who is reached. `Correct` (also when not said) overwrites what a buyer set on TikTok with what the spec says;
    /// `Report` leaves it and shows the difference.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub targeting: Option<DriftPolicy>,
}

/// An amount with its currency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Money {
    /// Decimal text such as "50" or "49.90"; a bare whole number works too.
    pub amount: Amount,
    /// The account's currency, such as USD. A currency that is not the account's is refused.
    #[schemars(length(max = 16))]
    pub currency: String,
}

/// An amount of money as it was written: decimal text, or a bare whole number. Never a float.
///
/// Keeps the text, so that what a message quotes is what the user wrote.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Amount(String);

impl Amount {
    /// The longest text that the schema lets through.
    pub const MAX_LENGTH: u32 = 16;

    /// An amount as written. Nothing is checked here; [`Amount::cents`] says whether it can be read.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text as the user wrote it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The amount in hundredths of the currency's unit, exactly: `"49.90"` is 4990, `50` is 5000.
    ///
    /// `None` for everything that the schema refuses: more than two decimals, a sign, a unit, zero,
    /// a thousands separator, leading zeros, more than ten whole digits.
    pub fn cents(&self) -> Option<i64> {
        let (whole, fraction) = match self.0.split_once('.') {
            Some((whole, fraction)) => (whole, Some(fraction)),
            None => (self.0.as_str(), None),
        };
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        if !digits(whole) || whole.len() > 10 || (whole.len() > 1 && whole.starts_with('0')) {
            return None;
        }
        let hundredths: i64 = match fraction {
            None => 0,
            Some(f) if digits(f) && f.len() == 1 => f.parse::<i64>().ok()? * 10,
            Some(f) if digits(f) && f.len() == 2 => f.parse().ok()?,
            Some(_) => return None,
        };
        let cents = whole.parse::<i64>().ok()? * 100 + hundredths;
        (cents > 0).then_some(cents)
    }
}

impl fmt::Debug for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Amount({})", self.0)
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = Amount;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an amount as decimal text (\"49.90\") or a whole number")
            }

            fn visit_str<E: de::Error>(self, v: &str) -> Result<Amount, E> {
                Ok(Amount(v.to_owned()))
            }

            fn visit_i64<E: de::Error>(self, v: i64) -> Result<Amount, E> {
                Ok(Amount(v.to_string()))
            }

            fn visit_u64<E: de::Error>(self, v: u64) -> Result<Amount, E> {
                Ok(Amount(v.to_string()))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

impl JsonSchema for Amount {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Amount".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "x-kubernetes-int-or-string": true, "maxLength": Amount::MAX_LENGTH })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_is_read_exactly_or_not_at_all() {
        for (text, cents) in [
            ("50", Some(5000)),
            ("50.00", Some(5000)),
            ("0.5", Some(50)),
            ("0.01", Some(1)),
            ("49.90", Some(4990)),
            ("9999999999.99", Some(999_999_999_999)),
            ("0", None),
            ("0.00", None),
            ("05", None),
            ("50.", None),
            (".5", None),
            ("1e3", None),
            ("+5", None),
            ("-5", None),
            ("1,000", None),
            ("50.001", None),
            ("10000000000", None),
            ("٣", None),
            ("5\n", None),
            ("", None),
        ] {
            assert_eq!(Amount::new(text).cents(), cents, "{text:?}");
        }
    }

    #[test]
    fn an_amount_keeps_its_text_and_refuses_floats() {
        let read = |text: &str| serde_json::from_str::<Amount>(text);
        assert_eq!(read("\"50.00\"").unwrap().as_str(), "50.00");
        assert_eq!(read("50").unwrap().as_str(), "50");
        assert_eq!(read("-5").unwrap().as_str(), "-5");
        assert!(read("49.9").is_err());
    }
}
