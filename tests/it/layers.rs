//! The rooms of `src/` know only what `docs/architecture.md` lets them know.

use std::fs;
use std::path::Path;

/// Room → rooms it may name.
const MAY: &[(&str, &[&str])] = &[
    ("api", &[]),
    ("platform", &[]),
    ("sandbox", &[]),
    ("model", &["api", "platform"]),
    ("observe", &["model", "platform"]),
    ("engine", &["api", "platform", "model", "observe"]),
    ("http", &[]),
    (
        "cli",
        &[
            "api", "platform", "model", "observe", "engine", "http", "sandbox",
        ],
    ),
];

/// Room → crates it may not name.
const MAY_NOT: &[(&str, &[&str])] = &[
    ("api", &["reqwest", "tokio", "axum"]),
    ("platform", &["kube", "k8s_openapi", "axum"]),
    (
        "model",
        &["kube", "tokio", "reqwest", "axum", "tracing", "futures"],
    ),
    ("observe", &["kube", "tokio", "reqwest", "axum"]),
    ("engine", &["axum", "reqwest"]),
    ("http", &["kube", "reqwest", "sqlx"]),
    ("sandbox", &["kube", "k8s_openapi", "reqwest"]),
];

fn files(folder: &Path, out: &mut Vec<std::path::PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, out);
        } else if path.extension().is_some_and(|e| e == "rs") {
            out.push(path);
        }
    }
}

/// Everything a file names as `crate::ROOM` or `NAME::`, comments left out.
fn violations(room: &str, text: &str) -> Vec<String> {
    let may = MAY
        .iter()
        .find(|(r, _)| *r == room)
        .map_or(&[][..], |(_, m)| *m);
    let may_not = MAY_NOT
        .iter()
        .find(|(r, _)| *r == room)
        .map_or(&[][..], |(_, m)| *m);
    let code: String = text
        .lines()
        .filter(|l| !l.trim_start().starts_with("//"))
        .collect::<Vec<_>>()
        .join("\n");
    let mut found = Vec::new();
    for (other, _) in MAY {
        let named = code.contains(&format!("crate::{other}::"))
            || code.contains(&format!("crate::{other};"));
        if named && *other != room && !may.contains(other) {
            found.push(format!("crate::{other}"));
        }
    }
    for word in may_not {
        let needle = format!("{word}::");
        let uses = code.match_indices(&needle).any(|(at, _)| {
            !code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':')
        });
        if uses {
            found.push((*word).to_string());
        }
    }
    found
}

#[test]
fn rooms_know_only_what_they_may() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    for (room, _) in MAY {
        let mut list = Vec::new();
        files(&src.join(room), &mut list);
        assert!(!list.is_empty(), "room {room} is empty");
        for path in list {
            for name in violations(room, &fs::read_to_string(&path).unwrap()) {
                found.push(format!(
                    "{} names {name}",
                    path.strip_prefix(&src).unwrap().display()
                ));
            }
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn a_forbidden_name_is_found() {
    assert_eq!(
        violations("platform", "use crate::engine::run::Engine;"),
        ["crate::engine"]
    );
    assert_eq!(
        violations("model", "let x = kube::Client::new();"),
        ["kube"]
    );
    assert_eq!(
        violations("model", "// kube::Client is not used"),
        Vec::<String>::new()
    );
    assert_eq!(
        violations("engine", "use crate::model::plan::plan;"),
        Vec::<String>::new()
    );
}
