//! The creatives inside a Smart+ ad, each of which can be switched on and off by itself.

use serde_json::Value;

use super::object::{Object, Spec};
use crate::api::common::DesiredState;
use crate::platform::{OperationStatus, Row};

/// The field of a Smart+ ad's row that shows its creatives' switches: a list of `{material_id, creative, status}`.
pub const STATES: &str = "creative_status";

/// Material ids of the creatives whose switch is otherwise than the spec says, and what each should be. What the spec does
/// not say, and a creative that the row does not show, is left alone.
pub fn to_switch(object: &Object, row: &Row) -> Vec<(String, OperationStatus)> {
    let Spec::Ad(spec) = &object.spec else {
        return Vec::new();
    };
    let shown = row.fields.get(STATES).and_then(Value::as_array);
    let Some(shown) = shown else {
        return Vec::new();
    };
    let mut wrong = Vec::new();
    for creative in spec.creatives.iter().flatten() {
        let Some(state) = creative.state else {
            continue;
        };
        let want = match state {
            DesiredState::Active => OperationStatus::Enable,
            DesiredState::Paused => OperationStatus::Disable,
        };
        let Some(key) = super::ad::creative_key(creative) else {
            continue;
        };
        let found = shown
            .iter()
            .find(|item| item.get("creative").and_then(Value::as_str) == Some(key.as_str()));
        let Some(item) = found else { continue };
        let is = match item.get("status").and_then(Value::as_str) {
            Some("ENABLE") => OperationStatus::Enable,
            Some("DISABLE") => OperationStatus::Disable,
            _ => continue,
        };
        if let Some(id) = item.get("material_id").and_then(Value::as_str)
            && is != want
        {
            wrong.push((id.to_owned(), want));
        }
    }
    wrong
}
