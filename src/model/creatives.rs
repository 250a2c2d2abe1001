//! The creatives inside a Smart+ ad, each of which can be switched on and off by itself.

use serde_json::Value;

use super::object::{Object, Spec};
use crate::api::ad::AdFormat;
use crate::api::common::DesiredState;
use crate::platform::{OperationStatus, Row};

/// The field of a Smart+ ad's row that shows its creatives' switches: a list of `{material_id, creative, status}`.
pub const STATES: &str = "creative_status";

/// A creative whose switch is otherwise than the spec says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Switch {
    /// Its id in the ad.
    pub material: String,
    pub to: OperationStatus,
    /// TikTok takes a carousel that is no post in a call of its own.
    pub alone: bool,
}

/// The creatives that have to be switched. What the spec does not say, and a creative that the row does not show, is left
/// as it is.
pub fn to_switch(object: &Object, row: &Row) -> Vec<Switch> {
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
            wrong.push(Switch {
                material: id.to_owned(),
                to: want,
                alone: creative.format == AdFormat::Carousel && creative.spark_post.is_none(),
            });
        }
    }
    wrong
}
