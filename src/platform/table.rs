//! What is particular to one kind in one tree: paths, names on the wire, fields, and what is always said on create.
//!
//! The tables themselves are in `campaign.rs`, `ad_group.rs` and `ad.rs`.

use serde_json::Value;

use super::field::{Field, Fields, Update};
use super::kind::{Kind, Tree};
use super::{ad, ad_group, campaign};

/// One kind in one tree.
#[derive(Debug)]
pub(super) struct Table {
    pub paths: Paths,
    /// Name of the id in rows and bodies.
    pub id: &'static str,
    /// Name of a list of ids, in status calls and filters.
    pub ids: &'static str,
    /// Name of the name.
    pub name: &'static str,
    /// The parent's id in bodies and rows, and the list of them in filters.
    pub parent: Option<(&'static str, &'static str)>,
    /// The list of objects in the answer to a status call that says each one's status, where there is one.
    pub status_list: Option<&'static str>,
    /// Creates and updates hold a list of objects under this name.
    pub wrapped: Option<&'static str>,
    /// Whether a create takes a `request_id`.
    pub request_id: bool,
    /// The most objects of one create call.
    pub batch: usize,
    pub replaces: Replaces,
    pub fields: &'static [Field],
    pub careful: &'static [Careful],
}

#[derive(Debug)]
pub(super) struct Paths {
    pub create: &'static str,
    pub update: &'static str,
    pub status: &'static str,
    pub list: &'static str,
}

/// What an update replaces, where it is not incremental.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Replaces {
    /// The whole object.
    Body,
    /// Each JSON object inside the body that is sent; the rest of the body stays.
    Objects,
}

/// R13: a field whose default at TikTok would spend, widen or publish.
#[derive(Debug)]
pub(super) struct Careful {
    pub name: &'static str,
    pub within: &'static [&'static str],
    /// What is sent when the user says nothing; `None` where TikTok's contract has no such field for this object, or
    /// where leaving it out *is* the careful value.
    pub value: fn(&Fields) -> Option<Value>,
}

impl Careful {
    pub(super) const fn new(name: &'static str, value: fn(&Fields) -> Option<Value>) -> Self {
        Self {
            name,
            within: &[],
            value,
        }
    }

    pub(super) const fn within(self, objects: &'static [&'static str]) -> Self {
        Self {
            within: objects,
            ..self
        }
    }
}

/// The table of a kind in a tree.
pub(super) fn table(kind: Kind, tree: Tree) -> &'static Table {
    match (kind, tree) {
        (Kind::Campaign, Tree::Manual) => &campaign::MANUAL,
        (Kind::Campaign, Tree::SmartPlus) => &campaign::SMART_PLUS,
        (Kind::AdGroup, Tree::Manual) => &ad_group::MANUAL,
        (Kind::AdGroup, Tree::SmartPlus) => &ad_group::SMART_PLUS,
        (Kind::Ad, Tree::Manual) => &ad::MANUAL,
        (Kind::Ad, Tree::SmartPlus) => &ad::SMART_PLUS,
    }
}

/// What an update can do about a field; `Never` for one that the kind does not have in this tree.
pub fn updatable(kind: Kind, tree: Tree, name: &str) -> Update {
    field(kind, tree, name).map_or(Update::Never, |f| f.update)
}

/// Does the kind have the field in this tree?
pub fn has_field(kind: Kind, tree: Tree, name: &str) -> bool {
    field(kind, tree, name).is_some()
}

/// The canonical form of a value of a field; null for a field that the kind does not have in this tree.
pub fn canonical(kind: Kind, tree: Tree, name: &str, value: &Value) -> Value {
    field(kind, tree, name).map_or(Value::Null, |f| f.form.canonical(value))
}

/// Whether a row that shows one value of a field has what a spec says of it; both in canonical form. That is equality, but
/// for what TikTok is known to show otherwise than it was sent.
pub fn agrees(kind: Kind, tree: Tree, name: &str, said: &Value, shown: &Value) -> bool {
    field(kind, tree, name).map_or(said == shown, |f| f.agrees(said, shown))
}

/// All fields of a kind in a tree.
pub fn fields_of(kind: Kind, tree: Tree) -> &'static [Field] {
    table(kind, tree).fields
}

/// The most objects that one create call takes.
pub fn create_batch(kind: Kind, tree: Tree) -> usize {
    table(kind, tree).batch
}

/// Whether a create of this kind takes an idempotency key.
pub fn takes_key(kind: Kind, tree: Tree) -> bool {
    table(kind, tree).request_id
}

fn field(kind: Kind, tree: Tree, name: &str) -> Option<&'static Field> {
    table(kind, tree).fields.iter().find(|f| f.name == name)
}
