//! What the tests of ad groups and ads have in common: specs as JSON, taken apart, and a platform that shows what it was
//! sent.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde_json::{Value, json};

use crate::api::campaign::Objective;
use crate::api::common::{DriftPolicy, StateDriftPolicy};
use crate::model::diff::{Diff, diff};
use crate::model::effective::DriftRules;
use crate::model::facts::{Account, Caps, ParentObject};
use crate::model::object::{Object, Spec};
use crate::model::wanted::{Wanted, World};
use crate::platform::{Call, Filter, Kind, NewObject, Reply, Row, Tree, WireReply, read};

/// What is said in each kind's spec beside what is on the platform.
pub const LIFE: &str = "name state deletionPolicy mode externalId adoption incarnation drift";

pub fn now() -> Timestamp {
    "2026-11-23T12:00:00Z".parse().unwrap()
}

/// An account in Berlin, in euros.
pub fn account(schedule_in_account_zone: bool) -> Account {
    Account {
        app: "1".into(),
        advertiser: "9".into(),
        currency: "EUR".into(),
        timezone: "Europe/Berlin".into(),
        schedule_in_account_zone,
        mode: None,
        access: crate::model::facts::Access::Full,
        suspended: None,
        pause_all: None,
        disconnecting: false,
        adoption: None,
        drift: None,
        caps: Caps::default(),
    }
}

/// A campaign whose ad groups have budgets of their own.
pub fn parent(tree: Tree) -> ParentObject {
    ParentObject {
        id: "5".into(),
        tree,
        row: None,
        campaign: None,
        objective: Objective::WebConversions,
        budget_optimization: false,
        budget_mode: None,
    }
}

/// A world of which nothing but the time and the tree is known.
pub fn world(tree: Tree) -> World<'static> {
    World {
        now: now(),
        tree,
        account: None,
        parent: None,
    }
}

/// What `wanted` says, by TikTok's name: the path in the spec and the value.
pub fn said(wanted: &Wanted) -> Value {
    wanted
        .fields
        .iter()
        .map(|f| (f.wire.to_owned(), json!([f.path, f.value])))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

/// How the object differs from what the platform shows of it once it is made as `wanted` says.
pub fn differences(spec: Spec, wanted: &Wanted, tree: Tree) -> Diff {
    let row = echo(spec.kind(), tree, wanted);
    let object = Object {
        metadata: Default::default(),
        spec,
        status: None,
    };
    let correct = DriftPolicy::Correct;
    let rules = DriftRules {
        budget: correct,
        bid: correct,
        schedule: correct,
        targeting: correct,
        name: correct,
        settings: correct,
        state: StateDriftPolicy::Respect,
    };
    diff(&object, wanted, &row, &rules)
}

/// The row of an object that was made as `wanted` says: what was sent, ids, and TikTok's ids of creatives.
pub fn echo(kind: Kind, tree: Tree, wanted: &Wanted) -> Row {
    let object = NewObject {
        parent: Some("5".into()),
        name: "A".into(),
        request_id: "1".into(),
        budget_mode: wanted.budget_mode.map(str::to_owned),
        budget: wanted.budget,
        fields: wanted.to_create(),
    };
    let create = Call::Create {
        advertiser: "9".into(),
        kind,
        tree,
        objects: vec![object],
    };
    let body = create.request(None).body.unwrap();
    let mut row = match body.get("creatives") {
        Some(ads) => ads[0].clone(),
        None => body,
    };
    for id in ["campaign_id", "adgroup_id", "ad_id", "smart_plus_ad_id"] {
        row[id] = json!("7");
    }
    for (index, creative) in row["creative_list"]
        .as_array_mut()
        .into_iter()
        .flatten()
        .enumerate()
    {
        creative["ad_material_id"] = json!((20 + index).to_string());
        creative["material_operation_status"] = json!("ENABLE");
    }
    let reply = json!({"code": 0, "message": "OK", "request_id": "r", "data": {"list": [row],
        "page_info": {"page": 1, "page_size": 100, "total_number": 1, "total_page": 1}}});
    let list = Call::List {
        advertiser: "9".into(),
        kind,
        tree,
        filter: Filter::default(),
        page: 1,
        page_size: 100,
    };
    let wire = WireReply {
        status: 200,
        date: None,
        retry_after: None,
        log_id: None,
        body: reply.to_string().into_bytes(),
    };
    match read(&list, wire).map(|answer| answer.reply) {
        Ok(Reply::Rows { mut rows, .. }) => rows.remove(0),
        other => panic!("{other:?}"),
    }
}

/// The places in a JSON value that hold no objects, as JSON pointers.
pub fn leaves(value: &Value) -> Vec<String> {
    let under = |name: &str, inner: &Value| -> Vec<String> {
        leaves(inner)
            .into_iter()
            .map(|rest| format!("/{name}{rest}"))
            .collect()
    };
    match value {
        Value::Object(entries) => entries.iter().flat_map(|(n, v)| under(n, v)).collect(),
        Value::Array(items) if items.first().is_some_and(Value::is_object) => {
            items.iter().take(1).flat_map(|v| under("0", v)).collect()
        }
        _ => vec![String::new()],
    }
}

/// The same of everything that a spec can say.
pub fn sayable<T: JsonSchema>() -> Vec<String> {
    let root = serde_json::to_value(schemars::schema_for!(T)).unwrap();
    let mut places = below(&root, &root);
    let life: Vec<String> = LIFE.split(' ').map(|name| format!("/{name}")).collect();
    places.retain(|place| {
        !place.ends_with("Ref/name")
            && !life
                .iter()
                .any(|name| place == name || place.starts_with(&format!("{name}/")))
    });
    places.sort();
    places
}

fn below(root: &Value, schema: &Value) -> Vec<String> {
    if let Some(name) = schema["$ref"].as_str() {
        return below(root, root.pointer(&name[1..]).unwrap());
    }
    if let Some(options) = schema["anyOf"].as_array() {
        let some = options.iter().find(|o| o["type"] != "null").unwrap();
        return below(root, some);
    }
    let under = |name: &str, inner: &Value| -> Vec<String> {
        below(root, inner)
            .into_iter()
            .map(|rest| format!("/{name}{rest}"))
            .collect()
    };
    if let Some(entries) = schema["properties"].as_object() {
        return entries.iter().flat_map(|(n, s)| under(n, s)).collect();
    }
    match schema.get("items") {
        Some(items) if below(root, items) != [""] => under("0", items),
        _ => vec![String::new()],
    }
}

/// The value without one place.
pub fn without(value: &Value, place: &str) -> Value {
    let mut rest = value.clone();
    if let Some((holder, name)) = place.rsplit_once('/')
        && let Some(Value::Object(entries)) = rest.pointer_mut(holder)
    {
        entries.remove(name);
    }
    rest
}
