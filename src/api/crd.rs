//! The CustomResourceDefinitions as they are installed.
//!
//! What the derive makes is not yet what we want on a server: every `Option` comes out `nullable` with a `null` among
//! the values of its enum, and `serde(default)` becomes a schema default. Here these are taken out, lists are made
//! atomic, conditions a map by type, and the CEL rules are put in. Use these functions, not `CustomResourceExt::crd()`.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::CustomResourceExt;
use serde_json::{Map, Value, json};

use super::ad::Ad;
use super::ad_group::AdGroup;
use super::campaign::Campaign;
use super::connection::TikTokConnection;
use super::rules::{self, Topic};

/// A definition that could not be put together. Only a mistake in this crate's types can cause it; tests make them all.
#[derive(Debug, thiserror::Error)]
pub enum CrdError {
    /// The derived definition has no schema where one is expected.
    #[error("the schema of {kind} has no {path}")]
    NoSuchPath {
        /// The kind whose definition was made.
        kind: &'static str,
        /// The path in its schema.
        path: String,
    },
    /// The definition could not be turned into JSON or back.
    #[error("the definition of {kind} is not valid: {source}")]
    Invalid {
        /// The kind whose definition was made.
        kind: &'static str,
        /// What JSON has against it.
        source: serde_json::Error,
    },
}

/// A kind: its name, what the derive makes of it, and its rules.
struct Made {
    kind: &'static str,
    derived: fn() -> CustomResourceDefinition,
    rules: fn() -> Vec<Topic>,
}

/// All kinds, in the order in which they are printed.
const KINDS: &[Made] = &[
    Made {
        kind: "TikTokConnection",
        derived: TikTokConnection::crd,
        rules: rules::connection,
    },
    Made {
        kind: "Campaign",
        derived: Campaign::crd,
        rules: rules::campaign,
    },
    Made {
        kind: "AdGroup",
        derived: AdGroup::crd,
        rules: rules::ad_group,
    },
    Made {
        kind: "Ad",
        derived: Ad::crd,
        rules: rules::ad,
    },
];

/// The definitions of all kinds, in the order in which they are printed.
pub fn all() -> Result<Vec<CustomResourceDefinition>, CrdError> {
    let made = |m: &Made| finish(m.kind, (m.derived)(), &(m.rules)());
    KINDS.iter().map(made).collect()
}

/// What the shared types have and a kind never shows; it is taken out of the kind's schema.
const NOT_HERE: &[(&str, &[&str])] = &[
    (
        "Campaign",
        &[
            "spec.drift.bid",
            "spec.drift.schedule",
            "spec.drift.targeting",
            "status.adGroupId",
            "status.campaignId",
            "status.creatives",
            "status.review",
        ],
    ),
    ("AdGroup", &["status.adGroupId", "status.creatives"]),
    (
        "Ad",
        &[
            "spec.drift.bid",
            "spec.drift.budget",
            "spec.drift.schedule",
            "spec.drift.targeting",
            "status.currentBudget",
        ],
    ),
];

/// The schema of a definition's only version, as JSON.
pub fn schema(crd: &CustomResourceDefinition) -> Option<Value> {
    let schema = crd
        .spec
        .versions
        .first()?
        .schema
        .as_ref()?
        .open_api_v3_schema
        .as_ref()?;
    serde_json::to_value(schema).ok()
}

/// What the rules of a kind refuse, for the documentation: the place, and what is said there.
pub fn refusals(kind: &str) -> Vec<(&'static str, String)> {
    let made = KINDS.iter().find(|made| made.kind == kind);
    let topics = made.map(|made| (made.rules)()).unwrap_or_default();
    let texts = |topic: &Topic| -> Vec<_> {
        topic
            .texts()
            .map(|text| (topic.path, text.to_owned()))
            .collect()
    };
    topics.iter().flat_map(texts).collect()
}

fn finish(
    kind: &'static str,
    derived: CustomResourceDefinition,
    topics: &[Topic],
) -> Result<CustomResourceDefinition, CrdError> {
    let invalid = |source| CrdError::Invalid { kind, source };
    let mut crd = serde_json::to_value(derived).map_err(invalid)?;
    let schema = crd
        .pointer_mut("/spec/versions/0/schema/openAPIV3Schema")
        .ok_or_else(|| CrdError::NoSuchPath {
            kind,
            path: "openAPIV3Schema".into(),
        })?;
    tidy(schema);
    let not_here = NOT_HERE.iter().filter(|(k, _)| *k == kind);
    for path in not_here.flat_map(|(_, paths)| *paths) {
        remove(schema, kind, path)?;
    }

    let status = at(schema, kind, "status")?;
    // Nobody has looked yet: a new object must never look done.
    status.insert("default".into(), json!({ "observedGeneration": -1 }));
    let conditions = at(schema, kind, "status.conditions")?;
    conditions.insert("x-kubernetes-list-type".into(), json!("map"));
    conditions.insert("x-kubernetes-list-map-keys".into(), json!(["type"]));
    for (field, max) in [
        ("message", 32_768),
        ("reason", 1024),
        ("status", 16),
        ("type", 316),
    ] {
        at(schema, kind, &format!("status.conditions[].{field}"))?
            .insert("maxLength".into(), json!(max));
    }
    for topic in topics {
        let node = at(schema, kind, topic.path)?;
        if let Value::Array(rules) = node
            .entry("x-kubernetes-validations")
            .or_insert_with(|| json!([]))
        {
            rules.push(topic.rule());
        }
    }
    serde_json::from_value(crd).map_err(invalid)
}

/// Takes the field at a dotted path out of a schema. It must be there and not be required.
fn remove(schema: &mut Value, kind: &'static str, path: &str) -> Result<(), CrdError> {
    let missing = || CrdError::NoSuchPath {
        kind,
        path: path.to_owned(),
    };
    let (parent, name) = path.rsplit_once('.').ok_or_else(missing)?;
    let properties = at(schema, kind, parent)?
        .get_mut("properties")
        .and_then(Value::as_object_mut);
    let taken = properties.and_then(|p| p.remove(name));
    taken.map(drop).ok_or_else(missing)
}

/// The schema node at a dotted path; `[]` steps into the items of a list.
fn at<'a>(
    schema: &'a mut Value,
    kind: &'static str,
    path: &str,
) -> Result<&'a mut Map<String, Value>, CrdError> {
    let missing = || CrdError::NoSuchPath {
        kind,
        path: path.to_owned(),
    };
    let mut node = schema;
    for step in path.split('.') {
        let (name, items) = match step.strip_suffix("[]") {
            Some(name) => (name, true),
            None => (step, false),
        };
        node = node
            .get_mut("properties")
            .and_then(|p| p.get_mut(name))
            .ok_or_else(missing)?;
        if items {
            node = node.get_mut("items").ok_or_else(missing)?;
        }
    }
    node.as_object_mut().ok_or_else(missing)
}

/// Takes out what the derive adds and we do not want, in the node and everything below it.
fn tidy(schema: &mut Value) {
    let Some(node) = schema.as_object_mut() else {
        return;
    };
    node.remove("nullable");
    node.remove("default");
    if let Some(Value::Array(values)) = node.get_mut("enum") {
        values.retain(|v| !v.is_null());
    }
    if node.get("type") == Some(&json!("array")) {
        node.insert("x-kubernetes-list-type".into(), json!("atomic"));
    }
    if let Some(properties) = node.get_mut("properties").and_then(Value::as_object_mut) {
        properties.values_mut().for_each(tidy);
    }
    for below in ["items", "additionalProperties"] {
        if let Some(below) = node.get_mut(below) {
            tidy(below);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Calls `check` with the path of every node of a schema.
    fn walk(path: &str, node: &Value, check: &mut dyn FnMut(&str, &Value)) {
        check(path, node);
        for (name, below) in node["properties"].as_object().into_iter().flatten() {
            walk(&format!("{path}.{name}"), below, check);
        }
        for below in ["items", "additionalProperties"] {
            if node.get(below).is_some_and(Value::is_object) {
                walk(&format!("{path}[]"), &node[below], check);
            }
        }
    }

    fn schemas() -> Vec<(String, Value)> {
        let all = all().unwrap();
        all.iter()
            .map(|crd| (crd.spec.names.kind.clone(), schema(crd).unwrap()))
            .collect()
    }

    #[test]
    fn nothing_is_nullable_and_only_status_has_a_default() {
        for (kind, schema) in schemas() {
            walk(&kind, &schema, &mut |path, node| {
                assert!(node.get("nullable").is_none(), "{path} is nullable");
                let nulls = node["enum"]
                    .as_array()
                    .is_some_and(|v| v.contains(&Value::Null));
                assert!(!nulls, "{path} has null among its values");
                let default =
                    (path == format!("{kind}.status")).then(|| json!({ "observedGeneration": -1 }));
                assert_eq!(node.get("default"), default.as_ref(), "{path}");
            });
        }
    }

    #[test]
    fn every_string_list_and_map_has_a_maximum() {
        for (kind, schema) in schemas() {
            walk(&kind, &schema, &mut |path, node| {
                let has = |key: &str| node.get(key).is_some_and(Value::is_u64);
                match node["type"].as_str() {
                    // apiVersion, kind: the server's own.
                    Some("string") if path.matches('.').count() == 1 => {}
                    Some("string") => assert!(
                        has("maxLength")
                            || node.get("enum").is_some()
                            || node["format"] == "date-time",
                        "{path} has no maximum length"
                    ),
                    Some("array") => {
                        assert!(has("maxItems"), "{path} has no maximum");
                        assert!(
                            node.get("x-kubernetes-list-type").is_some(),
                            "{path} has no list type"
                        );
                    }
                    Some("object") if node.get("additionalProperties").is_some() => {
                        assert!(has("maxProperties"), "{path} has no maximum");
                    }
                    _ => {}
                }
            });
        }
    }

    #[test]
    fn every_field_is_described() {
        for (kind, schema) in schemas() {
            walk(&kind, &schema, &mut |path, node| {
                let own =
                    path.contains('.') && !path.ends_with("[]") && !path.ends_with(".metadata");
                let named = path.matches('.').count() == 1; // apiVersion, kind, spec, status
                if own && !named {
                    assert!(
                        node["description"].as_str().is_some_and(|d| d.len() > 10),
                        "{path} is not described"
                    );
                }
            });
        }
    }

    #[test]
    fn r31_objects_that_limit_money_need_a_known_key() {
        let schemas = schemas();
        let connection = &schemas[0].1["properties"]["spec"]["properties"];
        assert_eq!(connection["caps"]["minProperties"], 1);
        assert_eq!(connection["drift"]["minProperties"], 1);
    }

    #[test]
    fn every_rule_compiles_and_names_a_next_step() {
        for (kind, schema) in schemas() {
            let compiled = kube::core::cel::compile_schema(&schema);
            assert!(
                !compiled.has_errors(),
                "{kind}: {:?}",
                compiled.compilation_errors()
            );
            walk(&kind, &schema, &mut |path, node| {
                for rule in node["x-kubernetes-validations"]
                    .as_array()
                    .into_iter()
                    .flatten()
                {
                    let says = rule
                        .get("message")
                        .or(rule.get("messageExpression"))
                        .and_then(Value::as_str);
                    assert!(says.is_some_and(|s| s.len() > 20), "{path}: {rule}");
                }
            });
        }
    }

    #[test]
    fn a_kind_shows_only_what_it_has() {
        let fields = |kind: &str, path: &str| -> Vec<String> {
            let schemas = schemas();
            let (_, schema) = schemas.iter().find(|(k, _)| k == kind).unwrap();
            let mut node = schema;
            for step in path.split('.') {
                node = &node["properties"][step];
            }
            node["properties"]
                .as_object()
                .unwrap()
                .keys()
                .cloned()
                .collect()
        };
        assert_eq!(
            fields("Campaign", "spec.drift"),
            ["budget", "name", "settings", "state"]
        );
        assert_eq!(fields("AdGroup", "spec.drift").len(), 7);
        assert_eq!(fields("Ad", "spec.drift"), ["name", "settings", "state"]);
        let has = |kind: &str, field: &str| fields(kind, "status").contains(&field.to_owned());
        for (field, kinds) in [
            ("campaignId", [false, true, true]),
            ("adGroupId", [false, false, true]),
            ("currentBudget", [true, true, false]),
            ("review", [false, true, true]),
            ("creatives", [false, false, true]),
            ("conditions", [true, true, true]),
        ] {
            for (kind, shown) in ["Campaign", "AdGroup", "Ad"].into_iter().zip(kinds) {
                assert_eq!(has(kind, field), shown, "{kind}: {field}");
            }
        }
    }

    #[test]
    fn no_value_turns_into_something_else_in_yaml() {
        for (kind, schema) in schemas() {
            walk(&kind, &schema, &mut |path, node| {
                for value in node["enum"].as_array().into_iter().flatten() {
                    let word = value.as_str().unwrap().to_lowercase();
                    let taken = ["y", "yes", "n", "no", "on", "off", "true", "false", "null"];
                    assert!(!taken.contains(&word.as_str()), "{path}: {word}");
                }
            });
        }
    }

    #[test]
    fn each_definition_is_small_enough_for_last_applied_annotations() {
        for crd in all().unwrap() {
            assert!(serde_json::to_vec(&crd).unwrap().len() < 200_000);
        }
    }
}
