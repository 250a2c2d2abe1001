//! Reading parameters: the query with its JSON values, and typed fields of a JSON body. TikTok's gateway is strict about
//! types: ids are text that holds an int64, numbers are real JSON numbers.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::envelope::Refusal;

/// A decoded query. Of several values of one name the last counts.
#[derive(Clone, Debug, Default)]
pub(super) struct Params(BTreeMap<String, String>);

impl Params {
    /// Decodes `application/x-www-form-urlencoded`: `+` is a space, `%2B` a plus. Bytes that are no UTF-8 become U+FFFD.
    pub(super) fn decode(raw: &str) -> Self {
        Self(pairs(raw).collect())
    }

    /// The text of a parameter. Absent, empty, and `null` or `None` (what clients write for nothing) are the same.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.0
            .get(name)
            .map(String::as_str)
            .filter(|text| !matches!(*text, "" | "null" | "None"))
    }

    /// A parameter that holds JSON. Python's `True` and `False` count as JSON's.
    pub(super) fn json(&self, name: &str) -> Result<Option<Value>, Refusal> {
        match self.text(name) {
            None => Ok(None),
            Some("True") => Ok(Some(Value::Bool(true))),
            Some("False") => Ok(Some(Value::Bool(false))),
            Some(text) => serde_json::from_str(text)
                .map(Some)
                .map_err(|_| Refusal::parameter(format!("{name}: Not a valid JSON."))),
        }
    }

    /// A list of texts in JSON, such as `fields=["campaign_id"]`.
    pub(super) fn texts(&self, name: &str) -> Result<Option<Vec<String>>, Refusal> {
        self.json(name)?
            .map(|value| texts(name, &value))
            .transpose()
    }

    /// A whole number within a range, or the default.
    pub(super) fn whole(
        &self,
        name: &str,
        range: std::ops::RangeInclusive<u64>,
        default: u64,
    ) -> Result<u64, Refusal> {
        let Some(text) = self.text(name) else {
            return Ok(default);
        };
        let number: u64 = text
            .parse()
            .map_err(|_| Refusal::parameter(format!("{name}: Not a valid integer.")))?;
        if range.contains(&number) {
            Ok(number)
        } else if *range.end() == u64::MAX {
            Err(Refusal::parameter(format!(
                "{name}: Must be greater than or equal to {}.",
                range.start()
            )))
        } else {
            Err(Refusal::parameter(format!(
                "{name}: Must be between {} and {}.",
                range.start(),
                range.end()
            )))
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&String, &String)> {
        self.0.iter()
    }
}

/// Which page of a list is wanted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Page {
    page: u64,
    page_size: u64,
}

impl Page {
    /// Reads `page` and `page_size`; 10 rows where it is not said.
    pub(super) fn read(params: &Params, largest: u64) -> Result<Self, Refusal> {
        Ok(Self {
            page: params.whole("page", 1..=u64::MAX, 1)?,
            page_size: params.whole("page_size", 1..=largest, 10)?,
        })
    }

    /// The rows of this page under a name, with `page_info`.
    pub(super) fn answer(self, name: &str, rows: Vec<Value>) -> Value {
        let total = rows.len() as u64;
        let start = usize::try_from((self.page - 1).saturating_mul(self.page_size));
        let size = usize::try_from(self.page_size).unwrap_or(usize::MAX);
        let shown: Vec<Value> = rows
            .into_iter()
            .skip(start.unwrap_or(usize::MAX))
            .take(size)
            .collect();
        serde_json::json!({
            name: shown,
            "page_info": {
                "page": self.page,
                "page_size": self.page_size,
                "total_number": total,
                "total_page": total.div_ceil(self.page_size),
            },
        })
    }
}

/// The decoded names and values of a query or a form, each as often as it was sent.
pub(super) fn pairs(raw: &str) -> impl Iterator<Item = (String, String)> {
    raw.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decode(name), decode(value))
    })
}

fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = (bytes[at] == b'%')
            .then(|| bytes.get(at + 1..at + 3))
            .flatten()
            .and_then(|pair| std::str::from_utf8(pair).ok())
            .and_then(|pair| u8::from_str_radix(pair, 16).ok());
        match (bytes[at], hex) {
            (_, Some(byte)) => {
                out.push(byte);
                at += 3;
            }
            (b'+', None) => {
                out.push(b' ');
                at += 1;
            }
            (byte, None) => {
                out.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// A list of texts.
pub(super) fn texts(name: &str, value: &Value) -> Result<Vec<String>, Refusal> {
    value
        .as_array()
        .ok_or_else(|| Refusal::parameter(format!("{name}: Not a valid list.")))?
        .iter()
        .enumerate()
        .map(|(index, item)| {
            item.as_str()
                .map(str::to_owned)
                .ok_or_else(|| Refusal::parameter(format!("{name}.{index}: Not a valid string.")))
        })
        .collect()
}

/// An id: text of digits that fits into an int64.
pub(super) fn is_id(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_digit())
        && text.parse::<i64>().is_ok()
}

/// An id in JSON. TikTok's ids are text; whether a JSON number is taken too is the knob `numeric_ids`.
pub(super) fn id_value(name: &str, value: &Value, numbers_too: bool) -> Result<String, Refusal> {
    match value {
        Value::String(text) if is_id(text) => Ok(text.clone()),
        Value::Number(number) if numbers_too && number.as_u64().is_some() => Ok(number.to_string()),
        Value::String(_) => Err(Refusal::parameter(format!(
            "{name}: Not a valid int64 string."
        ))),
        _ => Err(Refusal::parameter(format!("{name}: Not a valid string."))),
    }
}

/// The fields of a JSON object; `null` counts as absent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Body<'a> {
    map: &'a Map<String, Value>,
    numeric_ids: bool,
}

impl<'a> Body<'a> {
    pub(super) fn new(map: &'a Map<String, Value>, numeric_ids: bool) -> Self {
        Self { map, numeric_ids }
    }

    /// An object inside this one, read by the same rules.
    pub(super) fn inner(self, map: &Map<String, Value>) -> Body<'_> {
        Body::new(map, self.numeric_ids)
    }

    /// All of it.
    pub(super) fn map(&self) -> &'a Map<String, Value> {
        self.map
    }

    pub(super) fn get(&self, name: &str) -> Option<&'a Value> {
        self.map.get(name).filter(|value| !value.is_null())
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = &'a String> + use<'a> {
        self.map.keys()
    }

    pub(super) fn text(&self, name: &str) -> Result<Option<&'a str>, Refusal> {
        self.get(name)
            .map(|value| {
                value
                    .as_str()
                    .ok_or_else(|| Refusal::parameter(format!("{name}: Not a valid string.")))
            })
            .transpose()
    }

    pub(super) fn number(&self, name: &str) -> Result<Option<f64>, Refusal> {
        self.get(name)
            .map(|value| {
                value
                    .as_f64()
                    .ok_or_else(|| Refusal::parameter(format!("{name}: Not a valid number.")))
            })
            .transpose()
    }

    pub(super) fn boolean(&self, name: &str) -> Result<Option<bool>, Refusal> {
        self.get(name)
            .map(|value| {
                value
                    .as_bool()
                    .ok_or_else(|| Refusal::parameter(format!("{name}: Not a valid boolean.")))
            })
            .transpose()
    }

    pub(super) fn id(&self, name: &str) -> Result<Option<String>, Refusal> {
        self.get(name)
            .map(|value| id_value(name, value, self.numeric_ids))
            .transpose()
    }

    pub(super) fn ids(&self, name: &str) -> Result<Option<Vec<String>>, Refusal> {
        let Some(value) = self.get(name) else {
            return Ok(None);
        };
        value
            .as_array()
            .ok_or_else(|| Refusal::parameter(format!("{name}: Not a valid list.")))?
            .iter()
            .enumerate()
            .map(|(index, item)| id_value(&format!("{name}.{index}"), item, self.numeric_ids))
            .collect::<Result<_, _>>()
            .map(Some)
    }

    pub(super) fn required<T>(&self, name: &str, value: Option<T>) -> Result<T, Refusal> {
        value.ok_or_else(|| missing(name))
    }
}

/// TikTok's words for a required field that is not there.
pub(super) fn missing(name: &str) -> Refusal {
    Refusal::parameter(format!("{name}: Missing data for required field."))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_the_official_client_writes() {
        let params = Params::decode(
            "advertiser_id=7&filtering=%7B%22campaign_name%22%3A+%22Z%5Cu00fcrich+a%2Bb%22%2C+%22campaign_ids%22%3A+%5B%221%22%2C+%222%22%5D%7D&page=1&flag=True",
        );
        let filtering = params.json("filtering").unwrap().unwrap();
        assert_eq!(filtering["campaign_name"], "Zürich a+b");
        assert_eq!(filtering["campaign_ids"], serde_json::json!(["1", "2"]));
        assert_eq!(params.json("flag").unwrap(), Some(Value::Bool(true)));
        assert_eq!(params.text("advertiser_id"), Some("7"));
    }

    #[test]
    fn null_is_nothing() {
        let params = Params::decode("filtering=null&fields=None&x=");
        assert_eq!(params.json("filtering").unwrap(), None);
        assert_eq!(params.texts("fields").unwrap(), None);
        assert_eq!(params.text("x"), None);
    }

    #[test]
    fn ids_are_digits_that_fit_an_int64() {
        assert!(is_id("9223372036854775807"));
        for text in ["", "9223372036854775808", "-1", "1a", "+1", " 1", "١"] {
            assert!(!is_id(text), "{text}");
        }
        assert!(id_value("campaign_id", &serde_json::json!(5), false).is_err());
        assert_eq!(
            id_value("campaign_id", &serde_json::json!(5), true).unwrap(),
            "5"
        );
    }

    proptest::proptest! {
        #[test]
        fn decoding_never_panics_and_undoes_percent_encoding(text in "\\PC{0,40}") {
            let encoded: String = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
            proptest::prop_assert_eq!(decode(&encoded), text.clone());
            let _ = decode(&text);
        }
    }
}
