//! The pages that are written by hand name all there is: annotations, metrics, reasons and rules.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use tiktok_ads_operator::api;
use tiktok_ads_operator::engine::metrics::Metrics;

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn page(name: &str) -> String {
    fs::read_to_string(repository().join("docs").join(name)).unwrap()
}

/// What stands first in the rows of the tables between two marks `<!-- NAME -->` of a page.
fn rows(page: &str, mark: &str) -> Vec<String> {
    let mark = format!("<!-- {mark} -->");
    let between = page.split(&mark).nth(1).expect("two marks");
    between
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.split(" |").next())
        .filter(|cell| cell.starts_with('`') || cell.starts_with('R'))
        .map(|cell| cell.trim_matches('`').to_owned())
        .collect()
}

/// Every Rust file below a folder.
fn sources(folder: &Path, out: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, out);
        } else if path.extension().is_some_and(|e| e == "rs") {
            out.push(path);
        }
    }
}

fn text_below(folder: &str) -> String {
    let mut files = Vec::new();
    sources(&repository().join(folder), &mut files);
    files
        .iter()
        .map(|file| fs::read_to_string(file).unwrap())
        .collect()
}

fn same(what: &str, mut documented: Vec<String>, there: BTreeSet<String>) {
    let count = documented.len();
    documented.sort();
    documented.dedup();
    assert_eq!(count, documented.len(), "{what}: one is there twice");
    let documented: BTreeSet<_> = documented.into_iter().collect();
    let missing: Vec<_> = there.difference(&documented).collect();
    let gone: Vec<_> = documented.difference(&there).collect();
    assert!(missing.is_empty(), "{what} lacks {missing:?}");
    assert!(gone.is_empty(), "{what} has what is no more: {gone:?}");
}

#[test]
fn every_reason_is_explained() {
    let source = fs::read_to_string(repository().join("src/model/reason.rs")).unwrap();
    let (_, variants) = source.split_once("pub enum Reason {").unwrap();
    let (variants, _) = variants.split_once("\n}").unwrap();
    let there: BTreeSet<_> = variants
        .lines()
        .map(str::trim)
        .filter(|line| !line.starts_with("//"))
        .filter_map(|line| line.strip_suffix(','))
        .map(str::to_owned)
        .collect();
    assert!(there.len() > 80 && there.contains("InSync"), "{there:?}");
    let page = page("status.md");
    same("docs/status.md", rows(&page, "reasons"), there);
    for condition in [
        api::conditions::READY,
        api::conditions::DELIVERING,
        api::conditions::APPROVED,
        api::conditions::SYNCED,
        api::conditions::DRIFTED,
        api::conditions::RECONCILING,
        api::conditions::STALLED,
        api::conditions::PAUSED_OUTSIDE,
        api::conditions::PAUSE_NEEDS_WINDOW,
    ] {
        assert!(page.contains(&format!("| `{condition}` |")), "{condition}");
    }
}

/// A family shows nothing before its first value, so the names come from where they are registered.
#[test]
fn every_metric_is_explained() {
    let code = text_below("src/engine");
    let there: BTreeSet<_> = code
        .split("registry.register(")
        .skip(1)
        .map(|rest| {
            let name = rest.split('"').nth(1).unwrap();
            // A gauge is set, a counter only grows; `pub struct Metrics` says which is which.
            let variable = rest.split(')').next().unwrap();
            let variable = variable
                .rsplit(',')
                .find(|part| part.contains(".clone("))
                .unwrap();
            let variable = variable.trim().trim_end_matches(".clone(");
            let field = format!("    {variable}: ");
            let kind = code.lines().find(|line| line.starts_with(&field)).unwrap();
            let total = if kind.contains("Counter") {
                "_total"
            } else {
                ""
            };
            format!("tiktokads_{name}{total}")
        })
        .collect();
    assert!(there.len() > 10, "{there:?}");
    let page = page("metrics.md");
    let documented = rows(&page, "metrics");
    // What shows before anything has happened is called what it is called here.
    for line in Metrics::default().text().lines() {
        let name = line.split([' ', '{']).next().unwrap();
        assert!(
            line.starts_with('#') || there.contains(name),
            "{name} is registered under another name"
        );
    }
    same("docs/metrics.md", documented, there);
    // Labels with a closed list name all of it.
    for (file, path) in [
        ("turn.rs", "Outcome"),
        ("webhooks.rs", "Outcome"),
        ("webhooks.rs", "Follows"),
        ("queue.rs", "Lane"),
    ] {
        let code = fs::read_to_string(repository().join("src/engine").join(file)).unwrap();
        let (_, of) = code.split_once(&format!("impl {path} {{")).unwrap();
        let (_, labels) = of.split_once("fn label(self)").unwrap();
        let (labels, _) = labels.split_once("\n    }\n").unwrap();
        for label in labels.split('"').skip(1).step_by(2) {
            assert!(page.contains(&format!("`{label}`")), "{path}: {label}");
        }
    }
}

#[test]
fn every_annotation_is_explained() {
    let there = [
        api::RECORD,
        api::RESUME,
        api::APPEAL,
        api::RECONCILE_REQUESTED_AT,
        api::RELEASE,
        api::TAKE_OVER,
    ];
    // A seventh would not be noticed: the file that has them says how many there are.
    let source = fs::read_to_string(repository().join("src/api/mod.rs")).unwrap();
    let constants = source.matches("&str = \"tiktokads.dev/").count();
    assert_eq!(
        constants,
        there.len() + 1,
        "the annotations, and the finalizer"
    );
    let there = there.into_iter().map(str::to_owned).collect();
    same(
        "docs/annotations.md",
        rows(&page("annotations.md"), "annotations"),
        there,
    );
}

/// Numbers such as R17 in a text, and `r17_` in names of tests.
fn rules_in(text: &str) -> BTreeSet<u32> {
    let bytes = text.as_bytes();
    let mut found = BTreeSet::new();
    for (at, _) in text.match_indices(['R', 'r']) {
        let before = at.checked_sub(1).map(|before| bytes[before]);
        let begins = before.is_none_or(|b| !b.is_ascii_alphanumeric() && b != b'_');
        let digits: String = text[at + 1..]
            .chars()
            .take_while(char::is_ascii_digit)
            .collect();
        let after = bytes.get(at + 1 + digits.len()).copied().unwrap_or(b' ');
        let ends = if bytes[at] == b'R' {
            !after.is_ascii_alphanumeric() && after != b'_'
        } else {
            after == b'_' && digits.len() == 2
        };
        if begins && ends && (1..=2).contains(&digits.len()) {
            found.extend(digits.parse::<u32>());
        }
    }
    found
}

#[test]
fn every_rule_that_is_named_is_explained() {
    assert_eq!(
        rules_in("R1: fn r04_enable (R22, R32) xR5 R6x")
            .into_iter()
            .collect::<Vec<_>>(),
        [1, 4, 22, 32]
    );
    let explained = rules_in(&rows(&page("rules.md"), "rules").join(" "));
    assert_eq!(explained, (1..=32).collect());
    let text = [
        text_below("src"),
        text_below("tests"),
        page("architecture.md"),
    ]
    .concat();
    let named = rules_in(&text);
    assert!(named.len() > 20, "{named:?}");
    let unknown: Vec<_> = named.difference(&explained).collect();
    assert!(unknown.is_empty(), "docs/rules.md lacks {unknown:?}");
}

#[test]
fn every_page_is_linked_from_the_readme() {
    let readme = fs::read_to_string(repository().join("README.md")).unwrap();
    for entry in fs::read_dir(repository().join("docs")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(readme.contains(&format!("](docs/{name})")), "docs/{name}");
    }
    assert!(repository().join("LICENSE").exists());
}
