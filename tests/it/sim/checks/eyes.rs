//! What a replica knows: the checks never ask more of it than that.

use serde_json::Value;
use tiktok_ads_operator::engine::doors::{Name, ObjectName};
use tiktok_ads_operator::platform::Row;

use super::{record_of, text};
use crate::sim::api_server::{AD_GROUP, CAMPAIGN, CONNECTION};
use crate::sim::world::{World, kind_of};

impl World {
    /// Who holds an id in the eyes of a replica: kind, and the object.
    pub(super) fn holder(&self, replica: usize, kind: &'static str, id: &str) -> Option<Value> {
        let engine = self.slots[replica].engine.upgrade()?;
        let state = engine.lock();
        state
            .stores
            .iter()
            .filter(|(name, _)| name.kind.name() == kind)
            .filter_map(|(_, object)| serde_json::to_value(&**object).ok())
            .find(|object| {
                record_of(object)
                    .is_some_and(|r| r["id"] == *id && r["uid"] == object["metadata"]["uid"])
            })
    }

    /// All objects of a kind that a replica was shown.
    pub(super) fn shown(&self, replica: usize, kind: &'static str) -> Vec<Value> {
        let Some(engine) = self.slots[replica].engine.upgrade() else {
            return Vec::new();
        };
        let state = engine.lock();
        state
            .stores
            .iter()
            .filter(|(name, _)| name.kind.name() == kind)
            .filter_map(|(_, object)| serde_json::to_value(&**object).ok())
            .collect()
    }

    /// What a replica knows of an object: what it was shown last, by a watch or by an answer.
    pub(super) fn view(&self, replica: usize, kind: &'static str, name: &Name) -> Option<Value> {
        let engine = self.slots[replica].engine.upgrade()?;
        let state = engine.lock();
        if let Some(kind) = kind_of(kind) {
            let name = ObjectName::new(kind, &name.namespace, &name.name);
            return serde_json::to_value(&*state.stores.get(&name)?).ok();
        }
        let object = state.stores.connections.get(name)?;
        serde_json::to_value(&*object).ok()
    }

    /// The object that another says it is in.
    pub(super) fn parent_in_view(&self, replica: usize, object: &Value) -> Option<Value> {
        let (kind, name) = reference(object)?;
        self.view(replica, kind, &name)
    }

    /// A namespace has one connection.
    pub(super) fn connection_view(&self, replica: usize, object: &Value) -> Option<Value> {
        let name = Name::new(text(&object["metadata"], "namespace"), "main");
        self.view(replica, CONNECTION, &name)
    }

    /// The row of an id as a replica last read it.
    pub(super) fn row_in_view(&self, replica: usize, kind: &'static str, id: &str) -> Option<Row> {
        let engine = self.slots[replica].engine.upgrade()?;
        let state = engine.lock();
        let key = (kind_of(kind)?, id.to_owned());
        let found = state
            .accounts
            .values()
            .find_map(|account| account.table.last_known(&key).cloned());
        found
    }

    /// Does a replica believe that a namespace is being deleted?
    pub(super) fn terminating_in_view(&self, replica: usize, object: &Value) -> bool {
        let namespace = text(&object["metadata"], "namespace");
        let engine = self.slots[replica].engine.upgrade();
        engine.is_some_and(|engine| engine.lock().stores.terminating.contains(namespace))
    }
}

/// Kind and name of what an object says that it is in; `None` for campaigns.
pub fn reference(object: &Value) -> Option<(&'static str, Name)> {
    let spec = &object["spec"];
    let namespace = text(&object["metadata"], "namespace");
    let name = |key: &str| Name::new(namespace, text(&spec[key], "name"));
    if spec.get("campaignRef").is_some() {
        Some((CAMPAIGN, name("campaignRef")))
    } else if spec.get("adGroupRef").is_some() {
        Some((AD_GROUP, name("adGroupRef")))
    } else {
        None
    }
}

/// The strictest of object and connection.
pub fn effective_mode<'a>(object: &'a Value, connection: Option<&'a Value>) -> &'a str {
    let strict = |mode: &str| match mode {
        "Suspend" => 1,
        "Plan" => 2,
        "Observe" => 3,
        _ => 0,
    };
    let own = object["spec"]["mode"].as_str().unwrap_or("Enforce");
    let theirs = connection
        .and_then(|c| c["spec"]["mode"].as_str())
        .unwrap_or("Enforce");
    if strict(own) >= strict(theirs) {
        own
    } else {
        theirs
    }
}
