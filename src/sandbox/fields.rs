//! The fields of objects by their names on the wire: what creates and updates take, what lists show.

mod ad_group_words;
mod ad_groups;
mod ads;
mod campaigns;
mod smart_plus_ad_groups;
mod smart_plus_ads;

use serde_json::{Map, Value, json};

use super::{
    envelope::Refusal,
    item::{Level, Tree},
    query::{Body, texts},
};

pub(super) use ad_group_words::BILLING_EVENTS;
pub(super) use ad_groups::*;
pub(super) use ads::*;
pub(super) use campaigns::*;
pub(super) use smart_plus_ad_groups::*;
pub(super) use smart_plus_ads::*;

/// The type of a field.
#[derive(Clone, Copy)]
pub(super) enum Type {
    Id,
    Ids,
    Text,
    Texts,
    Number,
    Whole,
    Wholes,
    Bool,
    OneOf(&'static [&'static str]),
    ListOf(&'static [&'static str]),
    /// An object of this table.
    Object(Table),
    /// A list of objects of this table.
    Objects(Table),
    /// An object or a list that the sandbox keeps as it is.
    Any,
}

use Type::{
    Any, Bool, Id, Ids, ListOf, Number, Object, Objects, OneOf, Text, Texts, Whole, Wholes,
};

/// A table of names and types.
pub(super) type Table = &'static [(&'static str, Type)];

/// What a status call sets.
pub(super) const OPERATIONS: &[&str] = &["ENABLE", "DISABLE", "DELETE"];
/// What an object is created with.
pub(super) const ON_CREATE: &[&str] = &["ENABLE", "DISABLE"];
/// On or off, as text.
pub(super) const ON_OFF: &[&str] = &["ON", "OFF"];

/// The columns of a list.
pub(super) fn columns(level: Level, tree: Tree) -> &'static [&'static str] {
    match (level, tree) {
        (Level::Campaign, Tree::Manual) => MANUAL_COLUMNS,
        (Level::Campaign, Tree::SmartPlus) => SMART_PLUS_COLUMNS,
        (Level::AdGroup, Tree::Manual) => AD_GROUP_COLUMNS,
        (Level::AdGroup, Tree::SmartPlus) => SMART_PLUS_AD_GROUP_COLUMNS,
        (Level::Ad, Tree::Manual) => AD_COLUMNS,
        (Level::Ad, Tree::SmartPlus) => SMART_PLUS_AD_COLUMNS,
    }
}

/// The columns of a manual list that are left out, not null, where they do not apply.
pub(super) fn conditional(level: Level) -> &'static [&'static str] {
    match level {
        Level::Campaign => MANUAL_CONDITIONAL,
        Level::AdGroup => AD_GROUP_CONDITIONAL,
        Level::Ad => AD_CONDITIONAL,
    }
}

/// Checks the types of everything in a body that the table knows and returns it: ids as text, numbers as given, without
/// nulls. Also returns the names that the table does not know.
pub(super) fn read(
    table: Table,
    body: Body<'_>,
) -> Result<(Map<String, Value>, Vec<String>), Refusal> {
    let mut known = Map::new();
    for (name, kind) in table {
        let Some(value) = body.get(name) else {
            continue;
        };
        let value = read_value(name, *kind, value, body)?;
        known.insert((*name).into(), value);
    }
    let unknown = body
        .keys()
        .filter(|key| !table.iter().any(|(name, _)| name == key))
        .cloned()
        .collect();
    Ok((known, unknown))
}

fn read_value(name: &str, kind: Type, value: &Value, body: Body<'_>) -> Result<Value, Refusal> {
    Ok(match kind {
        Id => json!(body.id(name)?),
        Ids => json!(body.ids(name)?),
        Text => json!(body.text(name)?),
        Texts => json!(texts(name, value)?),
        Number => json!(body.number(name)?),
        Whole => whole(name, value)?,
        Wholes => list(name, value)?
            .iter()
            .enumerate()
            .map(|(index, value)| whole(&format!("{name}.{index}"), value))
            .collect::<Result<_, _>>()?,
        Bool => json!(body.boolean(name)?),
        OneOf(words) => {
            let word = body.text(name)?.unwrap_or_default();
            check_word(name, word, words)?;
            json!(word)
        }
        ListOf(words) => {
            let list = texts(name, value)?;
            for word in &list {
                check_word(name, word, words)?;
            }
            json!(list)
        }
        Object(table) => object(name, table, value, body)?,
        Objects(table) => list(name, value)?
            .iter()
            .enumerate()
            .map(|(index, value)| object(&format!("{name}.{index}"), table, value, body))
            .collect::<Result<_, _>>()?,
        Any => value.clone(),
    })
}

fn list<'a>(name: &str, value: &'a Value) -> Result<&'a Vec<Value>, Refusal> {
    value
        .as_array()
        .ok_or_else(|| Refusal::parameter(format!("{name}: Not a valid list.")))
}

fn whole(name: &str, value: &Value) -> Result<Value, Refusal> {
    value
        .as_i64()
        .map(|number| json!(number))
        .ok_or_else(|| Refusal::parameter(format!("{name}: Not a valid integer.")))
}

/// A nested object, with its place before the names in messages. What its table does not know is dropped.
fn object(name: &str, table: Table, value: &Value, body: Body<'_>) -> Result<Value, Refusal> {
    let map = value
        .as_object()
        .ok_or_else(|| Refusal::parameter(format!("{name}: Not a valid object.")))?;
    let (known, _) = read(table, body.inner(map)).map_err(|mut refusal| {
        refusal.message = format!("{name}.{}", refusal.message);
        refusal
    })?;
    Ok(Value::Object(known))
}

/// TikTok's words for a value outside an enumeration.
pub(super) fn check_word(name: &str, word: &str, words: &[&str]) -> Result<(), Refusal> {
    if words.contains(&word) {
        Ok(())
    } else {
        Err(Refusal::parameter(format!(
            "{name}: Must be one of: {}.",
            words.join(", ")
        )))
    }
}
