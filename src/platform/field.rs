//! One field of a kind: its name and place on the wire, how its value is written there, and what an update can do
//! about it.

use std::collections::BTreeMap;

use serde_json::Value;

pub use super::form::Form;
use super::json;

/// Values by wire name, in canonical form.
pub type Fields = BTreeMap<&'static str, Value>;

/// What an update can do about a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Update {
    /// Fixed at creation.
    Never,
    /// Sent alone: what is not sent stays.
    Alone,
    /// What holds it is replaced by the call: what else is in there, and can be updated, goes along. That is the whole
    /// object in the manual tree, and the JSON object that the field is in, in the Smart+ tree.
    Whole,
}

/// One field of one kind in one tree.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// Its name on the wire.
    pub name: &'static str,
    pub form: Form,
    pub update: Update,
    /// The objects on the wire that it is in, from the outside in, such as `targeting_spec`; empty: the body itself.
    pub within: &'static [&'static str],
    void: Option<Void>,
    carry: Carry,
    /// Made from another field of the row; never sent.
    read_from: Option<&'static str>,
    /// Creates do not take it.
    updates_only: bool,
    /// When this is changed, the other one does not go along.
    instead_of: Option<&'static str>,
    /// Whether TikTok may show the second value where the first was sent.
    shown_as: Option<fn(&Value, &Value) -> bool>,
}

/// When a row's value says nothing, because TikTok ignores it or made it up.
#[derive(Clone, Copy, Debug)]
enum Void {
    /// While the other field has this value.
    When(&'static str, &'static str),
    /// While the other field says anything.
    Beside(&'static str),
}

/// Whether an unchanged field goes along in a call that replaces what holds it.
#[derive(Clone, Copy, Debug)]
enum Carry {
    Always,
    Never,
    /// Only together with another field.
    With(&'static str),
}

impl Field {
    /// A field of the body.
    pub const fn new(name: &'static str, form: Form, update: Update) -> Self {
        Self {
            name,
            form,
            update,
            within: &[],
            void: None,
            carry: Carry::Always,
            read_from: None,
            updates_only: false,
            instead_of: None,
            shown_as: None,
        }
    }

    /// One that is fixed at creation.
    pub(super) const fn fixed(name: &'static str, form: Form) -> Self {
        Self::new(name, form, Update::Never)
    }

    /// One that an update sends alone.
    pub(super) const fn alone(name: &'static str, form: Form) -> Self {
        Self::new(name, form, Update::Alone)
    }

    /// One that an update sends with all that is around it.
    pub(super) const fn whole(name: &'static str, form: Form) -> Self {
        Self::new(name, form, Update::Whole)
    }

    /// A field of an object in the body.
    pub(super) const fn within(self, objects: &'static [&'static str]) -> Self {
        Self {
            within: objects,
            ..self
        }
    }

    /// Says nothing while `other`, beside it on the wire, has this value.
    pub(super) const fn void_when(self, other: &'static str, value: &'static str) -> Self {
        Self {
            void: Some(Void::When(other, value)),
            ..self
        }
    }

    /// Says nothing while `other`, beside it on the wire, says anything.
    pub(super) const fn void_beside(self, other: &'static str) -> Self {
        Self {
            void: Some(Void::Beside(other)),
            ..self
        }
    }

    /// Sent when it is changed, and else never.
    pub(super) const fn not_carried(self) -> Self {
        Self {
            carry: Carry::Never,
            ..self
        }
    }

    /// Goes along only where `other` is sent too.
    pub(super) const fn carried_with(self, other: &'static str) -> Self {
        Self {
            carry: Carry::With(other),
            ..self
        }
    }

    /// Not a field of TikTok's but made from the row's field `other`: it is shown and never sent.
    pub(super) const fn read_from(self, other: &'static str) -> Self {
        Self {
            read_from: Some(other),
            ..self
        }
    }

    /// Creates do not take it: it is set by the first update.
    pub(super) const fn updates_only(self) -> Self {
        Self {
            updates_only: true,
            ..self
        }
    }

    /// TikTok takes this or the other: when this is changed, the other stays behind.
    pub(super) const fn instead_of(self, other: &'static str) -> Self {
        Self {
            instead_of: Some(other),
            ..self
        }
    }

    /// TikTok may show another value than was sent: `shown(sent, shown)` says whether it is one of those.
    pub(super) const fn shown_as(self, shown: fn(&Value, &Value) -> bool) -> Self {
        Self {
            shown_as: Some(shown),
            ..self
        }
    }

    /// Whether a row with this value has what a spec says; both canonical.
    pub(super) fn agrees(&self, said: &Value, shown: &Value) -> bool {
        said == shown || self.shown_as.is_some_and(|may| may(said, shown))
    }

    /// The canonical value in a row; `None` when the row does not show the field at all: then nothing is known of it.
    pub(super) fn read(&self, row: &Value) -> Option<Value> {
        let holder = json::holder(row, self.within)?;
        let shown = holder.get(self.read_from.unwrap_or(self.name))?;
        if self.is_void(holder) {
            return Some(self.form.canonical(&Value::Null));
        }
        Some(self.form.canonical(shown))
    }

    /// The field that decides whether this one says anything: when that is changed, this one may change with it.
    pub fn follows(&self) -> Option<&'static str> {
        match self.void {
            Some(Void::When(other, _) | Void::Beside(other)) => Some(other),
            None => self.read_from.or(self.instead_of),
        }
    }

    /// Whether it says nothing beside the values that are sent, both canonical.
    fn is_void_beside(&self, sent: &impl Fn(&str) -> Option<Value>) -> bool {
        match self.void {
            None => false,
            Some(Void::When(other, value)) => sent(other).is_some_and(|is| is == value),
            Some(Void::Beside(other)) => sent(other).is_some_and(|is| !is.is_null()),
        }
    }

    fn is_void(&self, holder: &Value) -> bool {
        match self.void {
            None => false,
            Some(Void::When(other, value)) => json::text(holder, other).as_deref() == Some(value),
            Some(Void::Beside(other)) => {
                json::id(holder, other).is_some()
                    || json::text(holder, other).is_some_and(|t| t != "0")
            }
        }
    }

    /// Whether a create takes it.
    pub(super) fn is_created(&self) -> bool {
        !self.updates_only && self.read_from.is_none()
    }

    /// Whether, unchanged, it goes along in a call that replaces what holds it. `sent` has the canonical values that are
    /// sent, `changed` are the fields that the call is for.
    pub(super) fn goes_along(
        &self,
        sent: impl Fn(&str) -> Option<Value>,
        changed: &[&Field],
    ) -> bool {
        self.update != Update::Never
            && match self.carry {
                Carry::Always => true,
                Carry::Never => false,
                Carry::With(other) => sent(other).is_some(),
            }
            && !self.is_void_beside(&sent)
            && !changed
                .iter()
                .any(|field| field.instead_of == Some(self.name))
    }

    /// Writes a canonical value into a body. What says nothing is not sent.
    pub(super) fn write(&self, body: &mut Value, value: &Value) {
        self.put(body, self.form.wire(value));
    }

    /// Writes a changed value into a body: one that says nothing takes away what is there, where there is a word for that.
    pub(super) fn change(&self, body: &mut Value, value: &Value) {
        let sent = if value.is_null() {
            self.form.nothing()
        } else {
            self.form.wire(value)
        };
        self.put(body, sent);
    }

    fn put(&self, body: &mut Value, value: Value) {
        if !value.is_null() && self.read_from.is_none() {
            json::put(body, self.within, self.name, value);
        }
    }
}
