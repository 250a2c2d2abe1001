//! Objects to be created, and what an update changes of one.

use super::field::Fields;
use super::money::Cents;

/// An object to be created. What would spend, widen or publish is not asked for here but decided by the kind's table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewObject {
    /// The id of what it will be in; `None` for campaigns.
    pub parent: Option<String>,
    /// Up to 512 characters, no emoji.
    pub name: String,
    /// The idempotency key: a 64-bit integer as decimal text. With it TikTok permits duplicate names. Not sent where the
    /// kind takes none.
    pub request_id: String,
    pub budget_mode: Option<String>,
    pub budget: Option<Cents>,
    pub fields: Fields,
}

/// The changed fields of an object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// The id of what the object is in; some calls want it.
    pub parent: Option<String>,
    pub name: Option<String>,
    /// At least 105 % of what is already spent.
    pub budget: Option<Cents>,
    /// Fields by wire name, in canonical form.
    pub fields: Fields,
    /// A replacing call: everything else that goes along, as a fresh row has it. `None`: what is not sent stays.
    pub rest: Option<Box<Rest>>,
}

/// What goes along in a replacing call, so that it stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rest {
    pub name: String,
    pub budget: Option<Cents>,
    pub fields: Fields,
}

impl Changes {
    /// Nothing to send.
    pub fn is_empty(&self) -> bool {
        self.name.is_none() && self.budget.is_none() && self.fields.is_empty()
    }

    /// Wire names of what is changed.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.fields.keys().copied()
    }
}
