//! `crds --markdown`: every field of every kind as a page for readers.

use std::fmt::Write as _;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use serde_json::Value;

use crate::api::crd::{self, CrdError};

const INTRO: &str = "# Reference\n\n\
    Made from the definitions by `tiktok-ads-operator crds --markdown`; edit the types in `src/api/`, not this page. \
    `kubectl explain` says the same in a terminal, such as `kubectl explain adgroup.spec.targeting`. Everything is in \
    the group `tiktokads.dev/v1alpha1` and lives in a namespace.\n\n\
    Nothing in a spec has a default in the schema: a field that is not said is not touched on TikTok and not compared. \
    Where a text says what happens then, it is what TikTok or the operator does when an object is created.\n";

/// The page.
pub fn page() -> Result<String, CrdError> {
    let mut page = String::from(INTRO);
    for definition in crd::all()? {
        kind(&definition, &mut page);
    }
    Ok(page)
}

/// Appends what there is to say about a kind.
fn kind(definition: &CustomResourceDefinition, page: &mut String) {
    let names = &definition.spec.names;
    let schema = crd::schema(definition).unwrap_or_default();
    let short = names.short_names.as_deref().unwrap_or_default().join(", ");
    line(page, &format!("\n## {}\n", names.kind));
    line(
        page,
        &format!(
            "{}\n\n`kubectl get {}`, or for short `kubectl get {short}`.",
            text(&schema),
            names.plural
        ),
    );
    for part in ["spec", "status"] {
        line(page, &format!("\n### {}: {part}\n", names.kind));
        line(page, "| field | value | meaning |\n|---|---|---|");
        rows(&schema["properties"][part], "", page);
    }
    line(page, &format!("\n### {}: what is refused\n", names.kind));
    for (place, says) in crd::refusals(&names.kind) {
        line(page, &format!("* `{place}`: {says}"));
    }
}

/// One row for every field below a node.
fn rows(node: &Value, path: &str, page: &mut String) {
    let required: Vec<_> = node["required"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    for (name, field) in node["properties"].as_object().into_iter().flatten() {
        let path = format!("{path}{name}");
        let must = if required.contains(&name.as_str()) {
            ", required"
        } else {
            ""
        };
        line(
            page,
            &format!("| `{path}` | {}{must} | {} |", value(field), text(field)),
        );
        rows(field, &format!("{path}."), page);
        rows(&field["items"], &format!("{path}[]."), page);
    }
}

/// What may be written into a field.
fn value(field: &Value) -> String {
    if field["x-kubernetes-int-or-string"] == true {
        return "amount".to_owned();
    }
    if let Some(values) = field["enum"].as_array() {
        let values: Vec<_> = values
            .iter()
            .filter_map(Value::as_str)
            .map(|v| format!("`{v}`"))
            .collect();
        return values.join(", ");
    }
    let up_to = |key: &str| match field[key].as_u64() {
        Some(max) => format!(", up to {max}"),
        None => String::new(),
    };
    match field["type"].as_str() {
        Some("string") if field["format"] == "date-time" => "time".to_owned(),
        Some("string") => format!("text{}", up_to("maxLength")),
        Some("integer") => match (field["minimum"].as_f64(), field["maximum"].as_f64()) {
            (Some(min), Some(max)) => format!("whole number, {min} to {max}"),
            _ => "whole number".to_owned(),
        },
        Some("boolean") => "`true`, `false`".to_owned(),
        Some("array") => {
            let of = match field["items"]["type"].as_str() {
                Some("object") => "fields below".to_owned(),
                _ => value(&field["items"]),
            };
            format!("list{} of: {of}", up_to("maxItems"))
        }
        _ => "fields below".to_owned(),
    }
}

/// A description in one line that does not end its table cell.
fn text(node: &Value) -> String {
    let text = node["description"].as_str().unwrap_or_default();
    text.split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .replace('|', "\\|")
}

fn line(page: &mut String, text: &str) {
    // Writing into a String cannot fail.
    let _ = writeln!(page, "{text}");
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn the_page_in_the_repository_is_the_generated_one() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reference.md");
        let page = page().unwrap();
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::write(&path, &page).unwrap();
        }
        let there = std::fs::read_to_string(path).unwrap_or_default();
        assert!(
            there == page,
            "docs/reference.md is not what the types say: run make crds"
        );
    }

    #[test]
    fn every_field_and_every_value_is_on_the_page() {
        let page = page().unwrap();
        for row in [
            "| `targeting.behaviors[].scene` | `VideoRelated`, `CreatorRelated`, `HashtagRelated`, required | ",
            "| `targeting.locations` | list, up to 3000 of: text, up to 32 | ",
            "| `budget.amount` | amount, required | ",
            "| `frequency.days` | whole number, 1 to 30, required | ",
            "| `searchResults` | `true`, `false` | ",
            "| `conditions[].lastTransitionTime` | time, required | ",
            "| `schedule` | fields below | ",
        ] {
            assert!(page.contains(row), "{row}");
        }
        assert!(page.contains("* `spec`: TikTok cannot move an ad group to another campaign: "));
        for kind in ["TikTokConnection", "Campaign", "AdGroup", "Ad"] {
            assert!(page.contains(&format!("\n### {kind}: status\n")), "{kind}");
            assert!(!crd::refusals(kind).is_empty(), "{kind}");
        }
    }
}
