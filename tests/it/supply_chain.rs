//! What we build from: licences we may ship under Apache-2.0, and sources with a checksum.
//!
//! Advisories are not checked here: their database is not in a package registry, and a test may not depend on a service
//! that is not. `docs/development.md` has the command for a machine that reaches it.

use std::process::Command;

use serde_json::Value;
use spdx::{Expression, ParseMode};

/// Permissive licences, none of which asks for the source of what is built with them.
const ALLOWED: &[&str] = &[
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "Unicode-3.0",
    "Zlib",
];

/// Can a user comply by allowed licences alone?
fn allowed(expression: &str) -> bool {
    // Some old packages separate alternatives by a slash.
    let expression = Expression::parse_mode(expression, ParseMode::LAX).unwrap();
    expression.evaluate(|requirement| {
        requirement
            .license
            .id()
            .is_some_and(|id| ALLOWED.contains(&id.name))
    })
}

fn packages() -> Vec<Value> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--locked", "--format-version=1"])
        .args(["--filter-platform", "x86_64-unknown-linux-gnu"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    metadata["packages"].as_array().unwrap().clone()
}

#[test]
fn every_licence_may_be_shipped() {
    let packages = packages();
    assert!(packages.len() > 100, "{} packages", packages.len());
    let refused: Vec<String> = packages
        .iter()
        .filter(|p| !p["license"].as_str().is_some_and(allowed))
        .map(|p| format!("{} {}: {}", p["name"], p["version"], p["license"]))
        .collect();
    assert!(refused.is_empty(), "{refused:#?}");
    println!(
        "{} packages, all under {}",
        packages.len(),
        ALLOWED.join(", ")
    );
}

#[test]
fn every_source_is_the_registry_or_this_repository() {
    for package in packages() {
        let source = package["source"].as_str();
        assert!(
            source.is_none_or(|s| s.starts_with("registry+") || s.starts_with("sparse+")),
            "{} comes from {source:?}, which has no checksum in Cargo.lock",
            package["name"]
        );
    }
}

#[test]
fn a_licence_that_may_not_be_shipped_is_found() {
    assert!(allowed("MIT OR GPL-3.0-only"));
    assert!(allowed("Apache-2.0/MIT"));
    assert!(!allowed("GPL-3.0-only"));
    assert!(!allowed("MIT AND GPL-3.0-only"));
}
