//! The bodies of create and update calls, with every field that spends, widens or publishes said out loud (R13).

use serde_json::{Map, Value, json};

use super::changes::{Changes, NewObject, Rest};
use super::field::{Field, Update};
use super::json;
use super::kind::{Kind, Tree};
use super::table::{Replaces, Table, table};

/// The JSON body of `POST …/create/`.
pub(super) fn create(advertiser: &str, table: &Table, objects: &[NewObject]) -> Value {
    let items: Vec<Value> = objects.iter().map(|o| new_object(table, o)).collect();
    let mut body = match table.wrapped {
        Some(list) => {
            let mut body = json!({});
            body[list] = json!(items);
            body
        }
        // One object is the body itself; such calls take no more.
        None => items.into_iter().next().unwrap_or_else(|| json!({})),
    };
    body["advertiser_id"] = json!(advertiser);
    let parent = objects.first().and_then(|o| o.parent.as_ref());
    if let (Some((name, _)), Some(parent)) = (table.parent, parent) {
        body[name] = json!(parent);
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
    for field in table.fields.iter().filter(|f| f.is_created()) {
        if let Some(value) = object.fields.get(field.name) {
            field.write(&mut body, value);
        }
    }
    for careful in table.careful {
        let holder = json::holder(&body, careful.within);
        let said = holder.and_then(|holder| holder.get(careful.name));
        if said.is_some_and(|said| !said.is_null()) {
            continue;
        }
        if let Some(value) = (careful.value)(&object.fields) {
            json::put(&mut body, careful.within, careful.name, value);
        }
    }
    body
}

/// The JSON body of `POST …/update/`: the changed fields, and what goes along in a call that replaces what holds them.
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
    let whole = rest.filter(|_| table.replaces == Replaces::Body);
    if let Some(name) = changes.name.as_ref().or(whole.map(|r| &r.name)) {
        item[table.name] = json!(name);
    }
    if let Some(budget) = changes.budget.or(whole.and_then(|r| r.budget)) {
        item["budget"] = json!(budget);
    }
    let changed: Vec<&Field> = table
        .fields
        .iter()
        .filter(|f| f.update != Update::Never && changes.fields.contains_key(f.name))
        .collect();
    if let Some(rest) = rest {
        along(table, &mut item, rest, changes, &changed);
    }
    for field in changed {
        field.change(&mut item, &changes.fields[field.name]);
    }
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

/// Writes what goes along with `changed`, so that it stays as it is.
fn along(table: &Table, body: &mut Value, rest: &Rest, changes: &Changes, changed: &[&Field]) {
    let sent = |name: &str| {
        let is_changed = changed.iter().any(|field| field.name == name);
        let from = if is_changed {
            &changes.fields
        } else {
            &rest.fields
        };
        from.get(name).cloned()
    };
    let replaced = |field: &Field| match table.replaces {
        Replaces::Body => true,
        Replaces::Objects => {
            !field.within.is_empty()
                && changed
                    .iter()
                    .any(|c| c.within.first() == field.within.first())
        }
    };
    for field in table.fields {
        if replaced(field)
            && field.goes_along(sent, changed)
            && let Some(value) = rest.fields.get(field.name)
        {
            field.write(body, value);
        }
    }
}

#[cfg(test)]
mod tests;
