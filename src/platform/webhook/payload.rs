//! The bodies of deliveries, reduced to the ids they make stale.

use std::fmt;

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::super::json;
use super::super::text::clean;

/// The most entries of one delivery (reference 9). What has more is refused as a whole.
pub const MOST_ENTRIES: usize = 1000;
/// Longest status that we keep.
const LONGEST_WORD: usize = 64;

/// One thing that TikTok says has happened. Nothing of it is believed but that what it names may be stale.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    pub kind: EventKind,
    /// The account it is about. `None`: not said.
    pub advertiser: Option<String>,
    /// When it was sent (for an account's status without that: when the status changed); not when we got it. `None`: not
    /// said, or not readable.
    pub sent: Option<Timestamp>,
}

/// What an event is about. Ids are TikTok's decimal strings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventKind {
    AdGroupReview {
        ad_group: String,
        campaign: Option<String>,
    },
    AdReview {
        ad: String,
        ad_group: Option<String>,
        campaign: Option<String>,
    },
    /// The account was suspended, or is no longer.
    AccountStatus {
        /// Such as `STATUS_LIMIT`, cleaned (R19). To be looked up before anything is done.
        status: String,
    },
    /// Nothing that we look after, or an entry without a usable id.
    Other,
}

/// Not a delivery of TikTok's. The texts never quote the body.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PayloadError {
    #[error("the body is not UTF-8")]
    NotUtf8,
    #[error("the body is not JSON of the expected shape (line {line}, column {column})")]
    Malformed { line: usize, column: usize },
    #[error("the body has more than {MOST_ENTRIES} entries")]
    TooManyEntries,
}

/// Reads a body whose signature is good. Reviews of ad groups and ads give one event for each entry, in their order; any
/// other JSON object gives one event.
pub fn parse(body: &[u8]) -> Result<Vec<Event>, PayloadError> {
    // The parser does not look into texts that it skips.
    let text = std::str::from_utf8(body).map_err(|_| PayloadError::NotUtf8)?;
    // It would take a list for an object with the fields in order.
    if !text.trim_start().starts_with('{') {
        return Err(PayloadError::Malformed { line: 1, column: 1 });
    }
    let payload: Payload = serde_json::from_str(text).map_err(|error| PayloadError::Malformed {
        line: error.line(),
        column: error.column(),
    })?;
    if payload.entry.too_many {
        return Err(PayloadError::TooManyEntries);
    }
    Ok(payload.events())
}

/// Both families: with entries, or flat about one account. Reasons and names are not among the fields.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Payload {
    object: Scalar,
    time: Scalar,
    entry: Entries,
    advertiser_id: Scalar,
    status: Scalar,
    status_change_time: Scalar,
}

impl Payload {
    fn events(self) -> Vec<Event> {
        let sent = self.time.time();
        let entries = &self.entry.list;
        let reviews = |kind: fn(&Entry) -> Option<EventKind>| {
            entries
                .iter()
                .map(|entry| Event {
                    kind: kind(entry).unwrap_or(EventKind::Other),
                    advertiser: entry.adv_id.id().or_else(|| entry.advertiser_id.id()),
                    sent,
                })
                .collect()
        };
        match self.object.number() {
            Some(2) if !entries.is_empty() => return reviews(Entry::ad_group_review),
            Some(3) if !entries.is_empty() => return reviews(Entry::ad_review),
            _ => {}
        }
        let advertiser = self.advertiser_id.id();
        let status = self.status.word().filter(|_| advertiser.is_some());
        vec![match status {
            Some(status) => Event {
                kind: EventKind::AccountStatus { status },
                advertiser,
                sent: sent.or_else(|| self.status_change_time.time()),
            },
            None => Event {
                kind: EventKind::Other,
                advertiser,
                sent,
            },
        }]
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Fields {
    adv_id: Scalar,
    advertiser_id: Scalar,
    campaign_id: Scalar,
    adgroup_id: Scalar,
    ad_id: Scalar,
}

/// One entry; empty for what is no object.
#[derive(Default)]
struct Entry(Fields);

impl std::ops::Deref for Entry {
    type Target = Fields;

    fn deref(&self) -> &Fields {
        &self.0
    }
}

impl Entry {
    fn ad_group_review(&self) -> Option<EventKind> {
        Some(EventKind::AdGroupReview {
            ad_group: self.adgroup_id.id()?,
            campaign: self.campaign_id.id(),
        })
    }

    fn ad_review(&self) -> Option<EventKind> {
        Some(EventKind::AdReview {
            ad: self.ad_id.id()?,
            ad_group: self.adgroup_id.id(),
            campaign: self.campaign_id.id(),
        })
    }
}

/// The entries, up to the most there may be.
#[derive(Default)]
struct Entries {
    list: Vec<Entry>,
    too_many: bool,
}

/// A text or a whole number that is not negative, exactly as it is written; nothing for everything else, and no way through
/// a floating-point number, which would make another id of it.
#[derive(Default)]
enum Scalar {
    #[default]
    Nothing,
    Number(u64),
    Text(String),
}

impl Scalar {
    fn number(&self) -> Option<u64> {
        match self {
            Scalar::Nothing => None,
            Scalar::Number(number) => Some(*number),
            Scalar::Text(text) => {
                let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
                is_number.then(|| text.parse().ok()).flatten()
            }
        }
    }

    /// Decimal digits of a positive int64.
    fn id(&self) -> Option<String> {
        let number = self.number()?;
        let is_id = number > 0 && i64::try_from(number).is_ok();
        is_id.then(|| number.to_string())
    }

    fn word(&self) -> Option<String> {
        match self {
            Scalar::Text(text) => Some(clean(text, LONGEST_WORD)).filter(|word| !word.is_empty()),
            _ => None,
        }
    }

    /// Seconds since 1970, or a text in UTC.
    fn time(&self) -> Option<Timestamp> {
        match (self.number(), self) {
            (Some(seconds), _) => Timestamp::from_second(seconds.try_into().ok()?).ok(),
            (None, Scalar::Text(text)) => json::as_time(text),
            _ => None,
        }
    }
}

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Scalar, D::Error> {
        struct Seen;
        impl<'de> Visitor<'de> for Seen {
            type Value = Scalar;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("anything")
            }
            fn visit_u64<E>(self, number: u64) -> Result<Scalar, E> {
                Ok(Scalar::Number(number))
            }
            fn visit_str<E>(self, text: &str) -> Result<Scalar, E> {
                Ok(Scalar::Text(text.to_owned()))
            }
            fn visit_i64<E>(self, _: i64) -> Result<Scalar, E> {
                Ok(Scalar::Nothing)
            }
            fn visit_f64<E>(self, _: f64) -> Result<Scalar, E> {
                Ok(Scalar::Nothing)
            }
            fn visit_bool<E>(self, _: bool) -> Result<Scalar, E> {
                Ok(Scalar::Nothing)
            }
            fn visit_unit<E>(self) -> Result<Scalar, E> {
                Ok(Scalar::Nothing)
            }
            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Scalar, A::Error> {
                IgnoredAny.visit_seq(list).map(|_| Scalar::Nothing)
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Scalar, A::Error> {
                IgnoredAny.visit_map(map).map(|_| Scalar::Nothing)
            }
        }
        deserializer.deserialize_any(Seen)
    }
}

impl<'de> Deserialize<'de> for Entry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Entry, D::Error> {
        struct Seen;
        impl<'de> Visitor<'de> for Seen {
            type Value = Entry;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an entry")
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Entry, A::Error> {
                Fields::deserialize(MapAccessDeserializer::new(map)).map(Entry)
            }
            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Entry, A::Error> {
                IgnoredAny.visit_seq(list).map(|_| Entry::default())
            }
            fn visit_u64<E>(self, _: u64) -> Result<Entry, E> {
                Ok(Entry::default())
            }
            fn visit_i64<E>(self, _: i64) -> Result<Entry, E> {
                Ok(Entry::default())
            }
            fn visit_f64<E>(self, _: f64) -> Result<Entry, E> {
                Ok(Entry::default())
            }
            fn visit_str<E>(self, _: &str) -> Result<Entry, E> {
                Ok(Entry::default())
            }
            fn visit_bool<E>(self, _: bool) -> Result<Entry, E> {
                Ok(Entry::default())
            }
            fn visit_unit<E>(self) -> Result<Entry, E> {
                Ok(Entry::default())
            }
        }
        deserializer.deserialize_any(Seen)
    }
}

impl<'de> Deserialize<'de> for Entries {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Entries, D::Error> {
        struct Seen;
        impl<'de> Visitor<'de> for Seen {
            type Value = Entries;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of entries")
            }
            fn visit_unit<E>(self) -> Result<Entries, E> {
                Ok(Entries::default())
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Entries, A::Error> {
                let mut entries = Entries::default();
                while entries.list.len() < MOST_ENTRIES {
                    match seq.next_element()? {
                        Some(entry) => entries.list.push(entry),
                        None => return Ok(entries),
                    }
                }
                // The rest is looked at no more than it takes to get past it.
                while seq.next_element::<IgnoredAny>()?.is_some() {
                    entries.too_many = true;
                }
                Ok(entries)
            }
        }
        deserializer.deserialize_any(Seen)
    }
}

#[cfg(test)]
#[path = "payload_tests.rs"]
mod tests;
