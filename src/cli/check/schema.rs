//! A manifest against the structural part of a definition's schema: names, types, values, lengths.
//!
//! It knows the keywords that our definitions use; a test fails when they begin to use another.

use serde_json::Value;

use super::suggest;
use super::yaml::{Node, Yaml};

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Problem {
    /// Dotted path of the field; empty for the whole object.
    pub(super) field: String,
    /// Line in the file.
    pub(super) line: usize,
    /// What is wrong, and what to do.
    pub(super) text: String,
}

/// Everything about `node` that the schema does not allow.
pub(super) fn check(schema: &Value, node: &Node) -> Vec<Problem> {
    let mut found = Vec::new();
    Checker {
        root: schema,
        found: &mut found,
    }
    .node(schema, node, "");
    found
}

struct Checker<'a> {
    root: &'a Value,
    found: &'a mut Vec<Problem>,
}

impl Checker<'_> {
    fn add(&mut self, field: &str, node: &Node, text: impl Into<String>) {
        self.found.push(Problem {
            field: field.to_owned(),
            line: node.line,
            text: text.into(),
        });
    }

    fn node(&mut self, schema: &Value, node: &Node, path: &str) {
        if let Some(text) = wrong_type(schema, node, path) {
            return self.add(path, node, text);
        }
        match &node.value {
            Yaml::Map(entries) => self.map(schema, node, entries, path),
            Yaml::List(items) => {
                if let Some(max) = schema["maxItems"]
                    .as_u64()
                    .filter(|max| items.len() as u64 > *max)
                {
                    self.add(
                        path,
                        node,
                        format!(
                            "has {} entries, at most {max} are possible: shorten it",
                            items.len()
                        ),
                    );
                }
                for (index, item) in items.iter().enumerate() {
                    self.node(&schema["items"], item, &format!("{path}[{index}]"));
                }
            }
            Yaml::Text(text) => self.text(schema, node, text, path),
            Yaml::Int(number) => {
                let value = number.as_f64().unwrap_or(f64::INFINITY);
                let (min, max) = (schema["minimum"].as_f64(), schema["maximum"].as_f64());
                if let Some(min) = min.filter(|min| value < *min) {
                    self.add(path, node, format!("{number} is too small: at least {min}"));
                } else if let Some(max) = max.filter(|max| value > *max) {
                    self.add(path, node, format!("{number} is too big: at most {max}"));
                }
            }
            _ => {}
        }
    }

    fn map(&mut self, schema: &Value, node: &Node, entries: &[(String, Node)], path: &str) {
        if let Some(min) = schema["minProperties"]
            .as_u64()
            .filter(|min| (entries.len() as u64) < *min)
        {
            let known = known(schema).join(", ");
            self.add(
                path,
                node,
                format!("is empty, at least {min} of these is needed: {known}"),
            );
        }
        for name in schema["required"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
        {
            if !entries
                .iter()
                .any(|(key, value)| key == name && !matches!(value.value, Yaml::Null))
            {
                let hint = match schema["properties"][name]["enum"].as_array() {
                    Some(values) => format!(", one of {}", list(values)),
                    None => String::new(),
                };
                self.add(
                    &join(path, name),
                    node,
                    format!("is missing: add {name}{hint}"),
                );
            }
        }
        for (key, value) in entries {
            let below = join(path, key);
            if let Some(schema) = schema["properties"].get(key) {
                self.node(schema, value, &below);
            } else if let Some(schema) =
                schema.get("additionalProperties").filter(|s| s.is_object())
            {
                self.node(schema, value, &below);
            } else if schema.get("properties").is_some() {
                let hint = suggest::field(self.root, &known(schema), path, key);
                self.add(
                    &below,
                    value,
                    format!("there is no field {key}{at}{hint}", at = within(path)),
                );
            }
        }
    }

    fn text(&mut self, schema: &Value, node: &Node, text: &str, path: &str) {
        if let Some(values) = schema["enum"].as_array() {
            if !values.iter().any(|v| v == text) {
                let names: Vec<_> = values.iter().filter_map(Value::as_str).collect();
                let hint = suggest::value(&names, text);
                self.add(
                    path,
                    node,
                    format!("\"{text}\" is not one of {}{hint}", list(values)),
                );
            }
            return;
        }
        let length = text.chars().count() as u64;
        if let Some(max) = schema["maxLength"].as_u64().filter(|max| length > *max) {
            self.add(
                path,
                node,
                format!("has {length} characters, at most {max} are possible: shorten it"),
            );
        } else if schema["minLength"].as_u64().is_some_and(|min| length < min) {
            self.add(path, node, "is empty: write a value, or remove the line");
        }
    }
}

/// What is wrong with the type of a value, if anything.
fn wrong_type(schema: &Value, node: &Node, path: &str) -> Option<String> {
    let int_or_text = schema["x-kubernetes-int-or-string"] == true;
    let wanted = match (int_or_text, schema["type"].as_str()) {
        (true, _) => "text or a whole number",
        (_, Some("string")) => "text",
        (_, Some("integer")) => "a whole number",
        (_, Some("boolean")) => "true or false",
        (_, Some("object")) => "a block of fields",
        (_, Some("array")) => "a list",
        _ => return None,
    };
    let (fits, is) = match &node.value {
        Yaml::Null => (false, "empty"),
        Yaml::Bool(_) => (
            wanted == "true or false",
            "true or false (YAML reads yes, no, on and off as such, too)",
        ),
        Yaml::Int(_) => (wanted == "a whole number" || int_or_text, "a number"),
        Yaml::Float(_) => (false, "a number with a point"),
        Yaml::Text(_) => (wanted == "text" || int_or_text, "text"),
        Yaml::List(_) => (wanted == "a list", "a list"),
        Yaml::Map(_) => (wanted == "a block of fields", "a block of fields"),
    };
    if fits {
        return None;
    }
    let empty = matches!(node.value, Yaml::Null);
    if let (Some(values), false) = (schema["enum"].as_array(), empty) {
        // `state: on` is true to YAML.
        let names: Vec<_> = values.iter().filter_map(Value::as_str).collect();
        let hint = match &node.value {
            Yaml::Bool(true) => suggest::value(&names, "on"),
            Yaml::Bool(false) => suggest::value(&names, "off"),
            _ => String::new(),
        };
        let advice = if hint.is_empty() {
            ": write one of these"
        } else {
            &hint
        };
        return Some(format!(
            "must be one of {}, but is {is}{advice}",
            list(values)
        ));
    }
    // `campaignRef: shop` says all that is needed, in the wrong place.
    if let (Yaml::Text(name), ["name"]) = (&node.value, known(schema).as_slice())
        && let Some(field) = path.rsplit('.').next()
    {
        return Some(format!(
            "must be {wanted}, but is {is}: write {field}: {{ name: {name} }}"
        ));
    }
    let advice = match (&node.value, wanted) {
        (Yaml::Null, _) => "write a value, or remove the line",
        (Yaml::Text(_), "a whole number" | "true or false") => "remove the quotes if there are any",
        (Yaml::Int(_) | Yaml::Float(_) | Yaml::Bool(_), "text" | "text or a whole number") => {
            "put it in quotes"
        }
        (_, "a list") => "begin each entry on its own line with a dash",
        (_, "a block of fields") => "write its fields on the lines below, indented",
        _ => "write it as one value",
    };
    Some(format!("must be {wanted}, but is {is}: {advice}"))
}

fn known(schema: &Value) -> Vec<&str> {
    schema["properties"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, _)| name.as_str())
        .collect()
}

fn list(values: &[Value]) -> String {
    values
        .iter()
        .filter_map(Value::as_str)
        .collect::<Vec<_>>()
        .join(", ")
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() {
        key.to_owned()
    } else {
        format!("{path}.{key}")
    }
}

fn within(path: &str) -> String {
    if path.is_empty() {
        String::new()
    } else {
        format!(" in {path}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::crd;
    use crate::cli::check::yaml;

    /// Keywords that carry no structural rule, or that are checked elsewhere.
    const SILENT: [&str; 8] = [
        "description",
        "title",
        "default",
        "format",
        "x-kubernetes-validations",
        "x-kubernetes-list-type",
        "x-kubernetes-list-map-keys",
        "x-kubernetes-preserve-unknown-fields",
    ];

    /// Keywords that `check` knows.
    const KNOWN: [&str; 13] = [
        "type",
        "enum",
        "properties",
        "required",
        "items",
        "additionalProperties",
        "minLength",
        "maxLength",
        "maxItems",
        "minProperties",
        "minimum",
        "maximum",
        "x-kubernetes-int-or-string",
    ];

    /// Keywords of a schema that nothing here checks.
    fn unknown_keywords(schema: &Value) -> Vec<String> {
        let mut found = Vec::new();
        for (key, below) in schema.as_object().into_iter().flatten() {
            match key.as_str() {
                "properties" => below
                    .as_object()
                    .into_iter()
                    .flatten()
                    .for_each(|(_, s)| found.extend(unknown_keywords(s))),
                "items" | "additionalProperties" => found.extend(unknown_keywords(below)),
                key if KNOWN.contains(&key) || SILENT.contains(&key) => {}
                key => found.push(key.to_owned()),
            }
        }
        found
    }

    #[test]
    fn our_definitions_use_no_keyword_that_is_not_checked() {
        for crd in crd::all().unwrap() {
            assert_eq!(
                unknown_keywords(&crd::schema(&crd).unwrap()),
                Vec::<String>::new()
            );
        }
        let other =
            serde_json::json!({ "properties": { "a": { "type": "string", "pattern": "x" } } });
        assert_eq!(unknown_keywords(&other), ["pattern"]);
    }

    fn problems(schema: &Value, text: &str) -> Vec<(String, usize, String)> {
        let document = yaml::documents(text).remove(0);
        let found = check(schema, &document.content.unwrap());
        found
            .into_iter()
            .map(|p| (p.field, p.line, p.text))
            .collect()
    }

    #[test]
    fn every_keyword_is_checked_and_says_where() {
        let schema = serde_json::json!({
            "type": "object",
            "required": ["must"],
            "properties": {
                "must": { "type": "string", "minLength": 1, "maxLength": 3 },
                "word": { "type": "string", "enum": ["One", "Two"] },
                "number": { "type": "integer", "minimum": 1, "maximum": 9 },
                "flag": { "type": "boolean" },
                "state": { "type": "string", "enum": ["Active", "Paused"] },
                "thingRef": { "type": "object", "properties": { "name": { "type": "string" } } },
                "amount": { "x-kubernetes-int-or-string": true, "maxLength": 2 },
                "list": { "type": "array", "maxItems": 1, "items": { "type": "string" } },
                "map": { "type": "object", "additionalProperties": { "type": "string" } },
                "limits": { "type": "object", "minProperties": 1, "properties": { "low": { "type": "integer" } } },
            },
        });
        let fine = "must: abc\nword: One\nnumber: 9\nflag: true\namount: 50\nlist: [a]\nmap: {a: b}\nlimits: {low: 1}\n";
        assert_eq!(problems(&schema, fine), []);
        for (text, field, part) in [
            ("flag: true", "must", "is missing"),
            ("must:", "must", "is missing"),
            ("must: abcd", "must", "has 4 characters, at most 3"),
            ("must: \"\"", "must", "is empty"),
            ("must: 5", "must", "put it in quotes"),
            ("must: yes", "must", "put it in quotes"),
            ("must: [a]", "must", "must be text, but is a list"),
            ("must: a\nword: one", "word", "write One"),
            ("must: a\nnumber: 0", "number", "at least 1"),
            ("must: a\nnumber: 10", "number", "at most 9"),
            ("must: a\nnumber: 1.5", "number", "must be a whole number"),
            ("must: a\nnumber: \"1\"", "number", "remove the quotes"),
            ("must: a\nflag: \"true\"", "flag", "must be true or false"),
            ("must: a\namount: 4.5", "amount", "put it in quotes"),
            ("must: a\namount: \"123\"", "amount", "at most 2"),
            ("must: a\nlist: a", "list", "must be a list"),
            ("must: a\nlist: [a, b]", "list", "has 2 entries"),
            ("must: a\nlist: [1]", "list[0]", "must be text"),
            ("must: a\nmap: {a: true}", "map.a", "must be text"),
            (
                "must: a\nlimits: {}",
                "limits",
                "at least 1 of these is needed: low",
            ),
            (
                "must: a\nlimits: {low: 1, high: 2}",
                "limits.high",
                "there is no field high in limits",
            ),
            ("must: a\nWord: One", "Word", "did you mean word?"),
            ("must: a\nword: Oen", "word", "did you mean One?"),
            ("must: a\nstate: on", "state", "did you mean Active?"),
            (
                "must: a\nthingRef: shop",
                "thingRef",
                "write thingRef: { name: shop }",
            ),
        ] {
            let found = problems(&schema, text);
            assert_eq!(
                found.len(),
                1 + usize::from(text == "must:"),
                "{text}: {found:?}"
            );
            assert_eq!(found[0].0, field, "{text}");
            assert!(found[0].2.contains(part), "{text}: {found:?}");
            assert_eq!(found[0].1, text.lines().count().min(found[0].1), "{text}");
        }
    }
}
