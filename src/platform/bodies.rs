//! The bodies of create and update calls, with every field that spends, widens or publishes said out loud (R13).

use serde_json::{Map, Value, json};

use super::call::{Changes, NewObject};
use super::field::{Fields, Update};
use super::kind::{Kind, Tree};
use super::table::{Table, table, updatable};

/// The JSON body of `POST …/create/`.
pub(super) fn create(advertiser: &str, table: &Table, objects: &[NewObject]) -> Value {
    let mut body = json!({ "advertiser_id": advertiser });
    let parent = objects.first().and_then(|o| o.parent.as_ref());
    if let (Some((name, _)), Some(parent)) = (table.parent, parent) {
        body[name] = json!(parent);
    }
    match table.wrapped {
        Some(list) => {
            let items: Vec<Value> = objects.iter().map(|o| new_object(table, o)).collect();
            body[list] = json!(items);
        }
        None => {
            for (name, value) in objects
                .iter()
                .filter_map(|o| match new_object(table, o) {
                    Value::Object(entries) => Some(entries),
                    _ => None,
                })
                .flatten()
            {
                body[name.as_str()] = value;
            }
        }
    }
    body
}

fn new_object(table: &Table, object: &NewObject) -> Value {
    let mut body = Value::Object(Map::new());
    body[table.name] = json!(object.name);
    if table.request_id {
        body["request_id"] = json!(object.request_id);
    }
    if let Some(mode) = &object.budget_mode {
        body["budget_mode"] = json!(mode);
    }
    if let Some(budget) = object.budget {
        body["budget"] = json!(budget);
    }
    write(table, &mut body, &object.fields);
    for careful in table.careful {
        let said = match careful.within {
            Some(holder) => &body[holder][careful.name],
            None => &body[careful.name],
        };
        if !said.is_null() {
            continue;
        }
        if let Some(value) = (careful.value)(&object.fields) {
            match careful.within {
                Some(holder) => {
                    if !body[holder].is_object() {
                        body[holder] = json!({});
                    }
                    body[holder][careful.name] = value;
                }
                None => body[careful.name] = value,
            }
        }
    }
    body
}

/// The JSON body of `POST …/update/`: the changed fields, and in a replacing call what goes along.
pub(super) fn update(
    advertiser: &str,
    kind: Kind,
    tree: Tree,
    id: &str,
    changes: &Changes,
) -> Value {
    let table = table(kind, tree);
    let mut item = json!({});
    item[table.id] = json!(id);
    let rest = changes.rest.as_deref();
    if let Some(name) = changes.name.as_ref().or(rest.map(|r| &r.name)) {
        item[table.name] = json!(name);
    }
    if let Some(budget) = changes.budget.or(rest.and_then(|r| r.budget)) {
        item["budget"] = json!(budget);
    }
    if let Some(rest) = rest {
        write(table, &mut item, &rest.fields);
    }
    let ours: Fields = changes
        .fields
        .iter()
        .filter(|(name, _)| updatable(kind, tree, name) != Update::Never)
        .map(|(name, value)| (*name, value.clone()))
        .collect();
    write(table, &mut item, &ours);
    let mut body = match table.wrapped {
        Some(list) => {
            let mut body = json!({});
            // Only then is what is not sent left alone.
            if rest.is_none() {
                body["patch_update"] = json!(true);
            }
            body[list] = json!([item]);
            body
        }
        None => item,
    };
    body["advertiser_id"] = json!(advertiser);
    if let (Some(_), Some((name, _)), Some(parent)) =
        (table.wrapped, table.parent, changes.parent.as_ref())
    {
        body[name] = json!(parent);
    }
    body
}

fn write(table: &Table, body: &mut Value, fields: &Fields) {
    for field in table.fields {
        if let Some(value) = fields.get(field.name) {
            field.write(body, value);
        }
    }
}
