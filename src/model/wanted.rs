//! What a spec asks of the platform, in TikTok's words: one list of fields, whatever the kind.
//!
//! Each kind's file says which of its fields become which of TikTok's; comparing, creating and correcting are the same
//! for all of them.

use jiff::Timestamp;
use serde_json::Value;

use super::facts::{Account, ParentObject};
use crate::platform::{Cents, Fields, Kind, Tree, canonical};

/// R16: fields that are minded, or left, together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    Budget,
    Bid,
    Schedule,
    Targeting,
    Name,
    Settings,
    /// On or off, see R1.
    State,
    /// Cannot be changed once the object exists.
    Fixed,
}

impl std::fmt::Display for Group {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Debug::fmt(self, f)
    }
}

/// What the translation of a spec depends on beside the spec.
#[derive(Clone, Copy, Debug)]
pub struct World<'a> {
    /// The platform's clock.
    pub now: Timestamp,
    pub tree: Tree,
    /// `None` while the connection cannot be used: then only what does not depend on it is right.
    pub account: Option<&'a Account>,
    /// What the object is in, once it is there.
    pub parent: Option<&'a ParentObject>,
}

/// One field that the spec says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WantedField {
    /// Path below `spec`, as the user writes it.
    pub path: &'static str,
    /// TikTok's name, as in the platform's tables.
    pub wire: &'static str,
    /// In the canonical form of the platform's table.
    pub value: Value,
    /// Who is asked what to do when it differs. What no update can set is `Fixed` whatever stands here.
    pub group: Group,
    /// False: sent at creation and never compared (a start that has passed).
    pub compared: bool,
}

impl WantedField {
    /// A field that is sent and compared.
    pub fn new(path: &'static str, wire: &'static str, value: Value, group: Group) -> Self {
        Self {
            path,
            wire,
            value,
            group,
            compared: true,
        }
    }
}

/// All that a spec says, but for state and life cycle.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// TikTok's word for the budget's mode.
    pub budget_mode: Option<&'static str>,
    pub budget: Option<Cents>,
    pub fields: Vec<WantedField>,
}

impl Wanted {
    /// The fields as a create sends them. What says nothing is left out.
    pub fn to_create(&self) -> Fields {
        let empty = |value: &Value| value.is_null() || value.as_array().is_some_and(Vec::is_empty);
        self.fields
            .iter()
            .filter(|f| !empty(&f.value))
            .map(|f| (f.wire, f.value.clone()))
            .collect()
    }

    /// Does the spec itself say the field?
    pub fn says(&self, wire: &str) -> bool {
        self.fields.iter().any(|f| f.wire == wire && f.compared)
    }

    /// The value of one field.
    pub fn value(&self, wire: &str) -> Option<&Value> {
        self.fields
            .iter()
            .find(|f| f.wire == wire)
            .map(|f| &f.value)
    }
}

/// Fields under collection, each brought into canonical form by the platform's table.
pub(super) struct Says {
    kind: Kind,
    tree: Tree,
    pub(super) fields: Vec<WantedField>,
}

impl Says {
    pub(super) fn new(kind: Kind, tree: Tree) -> Self {
        Self {
            kind,
            tree,
            fields: Vec::new(),
        }
    }

    /// A field that the spec says, in any spelling that TikTok takes; nothing if it does not say it.
    pub(super) fn say(
        &mut self,
        path: &'static str,
        wire: &'static str,
        value: Option<Value>,
        group: Group,
    ) {
        if let Some(value) = value {
            let value = canonical(self.kind, self.tree, wire, &value);
            self.fields.push(WantedField::new(path, wire, value, group));
        }
    }

    /// A field that is sent at creation only.
    pub(super) fn say_once(
        &mut self,
        path: &'static str,
        wire: &'static str,
        value: Value,
        group: Group,
    ) {
        self.say(path, wire, Some(value), group);
        if let Some(last) = self.fields.last_mut() {
            last.compared = false;
        }
    }
}
