//! The record: what cannot be derived, kept in one annotation of the object.
//!
//! Everything in `status` may vanish (a restore, a replace); the record may not. It is written by
//! compare-and-swap only, and each write raises [`Record::seq`], so that a copy with a lower number, or none, is
//! known to be stale or stripped.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::platform::Tree;

/// The version of the annotation's format that this build writes.
pub const FORMAT: u8 = 1;

/// What the operator remembers about one platform object.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    /// Format of this text, see [`FORMAT`].
    pub v: u8,
    /// `metadata.uid` of the object the record was written for: a copy or a restore has another one.
    pub uid: String,
    /// The install that wrote it; another install leaves the object alone.
    pub install: String,
    /// Raised by each write.
    pub seq: u64,
    /// TikTok app id the object was made with.
    pub app: String,
    /// TikTok advertiser id the object lives in.
    pub advertiser: String,
    /// Which endpoints the object answers to.
    pub tree: Tree,
    /// Platform id of what the object is in; none for campaigns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    /// The name as it was sent (or found, at adoption).
    pub name: String,
    /// The budget as it was sent, in hundredths: one key is always sent with one name and one budget.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent: Option<i64>,
    /// `spec.incarnation` the object was made for.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub incarnation: i64,
    /// Raised when a key was found used up (R10). It enters the key.
    #[serde(default)]
    pub counter: u32,
    /// The `request_id` of the create, a decimal string of at most 63 bits. Empty when the object was adopted.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub key: String,
    /// How many creates were marked for this key and counter.
    #[serde(default)]
    pub attempt: u32,
    /// The platform's time of the first mark under this key: a row of our name that is younger, and agrees in what
    /// was sent, is ours even if its effect came late.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// The create that is under way or whose outcome nobody stored yet. `None`: no create is outstanding.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mark: Option<Mark>,
    /// Platform id, once known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The id before this one: status may still show it for a moment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub former: Option<String>,
    /// True when the object was found, not made: what the spec does not say stays as it is.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub adopted: bool,
    /// R1: it was seen on while wanted on. From then on an off that nobody here asked for is somebody's pause.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub seen_on: bool,
    /// A hold of ours switched it off while the spec said Active, and it has not been on since: nobody else's pause, and
    /// told as our own also by a process that did not do it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub held_off: bool,
    /// R1: the value of the resume annotation that has been obeyed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resumed: Option<String>,
    /// R28: the value of the appeal annotation that TikTok has got.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub appealed: Option<String>,
}

/// A create that was announced before it was sent (R11, decision 4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Mark {
    /// When it was announced, on the platform's clock: an older row is not ours.
    pub at: Timestamp,
    /// No byte of the call is sent after this, on our own clock.
    pub deadline: Timestamp,
}

fn is_zero(n: &i64) -> bool {
    *n == 0
}

/// What the annotation of an object says to this install.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecordState {
    /// No annotation.
    None,
    /// Ours, of this very object.
    Own(Record),
    /// Written for another object (a restore, a copied manifest): a claim on its id, no more.
    Claim(Record),
    /// Written by another install.
    Elsewhere(Record),
    /// Not readable: nothing may be planned from it, nothing overwritten.
    Unreadable(String),
}

impl RecordState {
    /// Reads the annotation's text as `install` sees it on the object `uid`.
    pub fn read(text: Option<&str>, uid: &str, install: &str) -> Self {
        let Some(text) = text else { return Self::None };
        match serde_json::from_str::<Record>(text) {
            Err(e) => Self::Unreadable(e.to_string()),
            Ok(r) if r.v != FORMAT => Self::Unreadable(format!(
                "it has format {}, this operator knows {FORMAT}",
                r.v
            )),
            Ok(r) if r.install != install => Self::Elsewhere(r),
            Ok(r) if r.uid != uid => Self::Claim(r),
            Ok(r) => Self::Own(r),
        }
    }

    /// The record, when it is this object's own.
    pub fn own(&self) -> Option<&Record> {
        match self {
            Self::Own(r) => Some(r),
            _ => None,
        }
    }
}

impl Record {
    /// The annotation's text.
    pub fn text(&self) -> String {
        // A struct of strings, numbers and options always serialises.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The record that follows this one: same content, next number.
    #[must_use]
    pub fn next(&self) -> Self {
        Self {
            seq: self.seq + 1,
            ..self.clone()
        }
    }
}
