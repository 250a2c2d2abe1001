//! What readers copy works: every manifest in `examples/` and in the documentation passes `check`, without a warning,
//! and a real API server takes it.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tiktok_ads_harness::shared;
use tiktok_ads_operator::cli::check::{Checker, Verdict};

/// A text of manifests that somebody may copy, and where it stands.
struct Copied {
    name: String,
    text: String,
}

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every file below a folder that ends like this.
fn files(folder: &Path, extension: &str, out: &mut Vec<PathBuf>) {
    let mut entries: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            files(&path, extension, out);
        } else if path.extension().is_some_and(|e| e == extension) {
            out.push(path);
        }
    }
}

fn read(path: &Path) -> Copied {
    let name = path.strip_prefix(repository()).unwrap_or(path);
    Copied {
        name: name.display().to_string(),
        text: fs::read_to_string(path).unwrap(),
    }
}

fn examples() -> Vec<Copied> {
    let mut paths = Vec::new();
    files(&repository().join("examples"), "yaml", &mut paths);
    paths.iter().map(|path| read(path)).collect()
}

/// The manifests in a page: its blocks of YAML that say which of our kinds they are.
fn blocks(page: &Copied) -> Vec<Copied> {
    let ours = |block: &&str| block.contains("apiVersion: tiktokads.dev/");
    page.text
        .split("\n```yaml\n")
        .skip(1)
        .filter_map(|rest| rest.split("\n```").next())
        .filter(ours)
        .enumerate()
        .map(|(index, block)| Copied {
            name: format!("{}, block {}", page.name, index + 1),
            text: format!("{block}\n"),
        })
        .collect()
}

/// The pages that show how to do it; the others show how not to.
fn documentation() -> Vec<Copied> {
    let mut paths = vec![repository().join("README.md")];
    files(&repository().join("docs"), "md", &mut paths);
    let wrong = |path: &Path| {
        path.file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with("wrong-"))
    };
    paths.retain(|path| !wrong(path));
    paths.iter().flat_map(|path| blocks(&read(path))).collect()
}

#[test]
fn blocks_of_our_kinds_are_found_in_a_page() {
    let ours = "apiVersion: tiktokads.dev/v1alpha1\nkind: Ad";
    let page = Copied {
        name: "page".into(),
        text: format!(
            "One\n\n```yaml\n{ours}\n```\n\n```sh\nls\n```\n\n```yaml\nkind: Pod\n```\n\n```yaml\n{ours}\n```\n"
        ),
    };
    let found: Vec<_> = blocks(&page).into_iter().map(|b| b.text).collect();
    assert_eq!(found, [format!("{ours}\n"), format!("{ours}\n")]);
}

#[test]
fn check_has_nothing_against_what_readers_copy() {
    // Years from now, too.
    let mut checker = Checker::at("2029-12-31T00:00:00Z".parse().unwrap()).unwrap();
    let examples = examples();
    for example in &examples {
        checker.add(&example.name, &example.text);
    }
    let report = checker.finish();
    assert!(
        report.is_fine() && report.warnings.is_empty(),
        "{}",
        report.table()
    );
    let valid = |kind: &str| {
        let of = |o: &&_| is(o, kind);
        report.objects.iter().filter(of).count()
    };
    for kind in ["TikTokConnection", "Campaign", "AdGroup", "Ad"] {
        assert!(valid(kind) > 0, "there is no example of {kind}");
    }

    let documentation = documentation();
    assert!(!documentation.is_empty(), "README.md begins with one");
    for block in &documentation {
        checker.add(&block.name, &block.text);
        let report = checker.finish();
        assert!(report.is_fine() && report.has_any(), "{}", report.table());
    }
}

fn is(object: &tiktok_ads_operator::cli::check::Object, kind: &str) -> bool {
    object.verdict == Verdict::Valid && object.kind.as_deref() == Some(kind)
}

/// The manifests of the examples, as values, each with the name of its file.
fn manifests() -> Vec<(String, Value)> {
    let mut all = Vec::new();
    for example in examples() {
        for document in example.text.split("\n---\n") {
            all.push((example.name.clone(), super::parsed(document)));
        }
    }
    all
}

/// Whoever applies everything must not find a campaign that spends, nor one that can never be switched on.
#[test]
fn examples_switch_nothing_on_and_fit_their_own_ceiling() {
    let all = manifests();
    let connection = |(_, one): &&(String, Value)| one["kind"] == "TikTokConnection";
    let (_, connection) = all.iter().find(connection).unwrap();
    assert_eq!(connection["spec"]["mode"], "Observe");
    assert_eq!(connection["spec"]["adoption"], "Refuse");
    let cap = &connection["spec"]["caps"]["maxDailyBudgetPerObject"];
    let amount = |money: &Value| money["amount"].as_str().unwrap().parse::<f64>().unwrap();
    let mut counted = 0;
    for (file, one) in &all {
        let (name, spec) = (&one["metadata"]["name"], &one["spec"]);
        if spec["state"] == "Active" {
            // Campaigns without an ad group: nothing can be spent, and the way to on is seen.
            assert!(file.contains("quickstart/"), "{file}: {name}");
        }
        if spec["budget"]["amount"].is_string() {
            let dynamic = spec["budget"]["mode"] == "DynamicDaily";
            let most = amount(&spec["budget"]) * if dynamic { 1.25 } else { 1.0 };
            assert!(most <= amount(cap), "{file}: {name} could spend {most}");
            assert_eq!(
                spec["budget"]["currency"], cap["currency"],
                "{file}: {name}"
            );
            counted += 1;
        }
    }
    assert!(counted > 10, "{counted}");
}

#[test]
fn no_date_of_an_example_is_near() {
    for example in examples() {
        for line in example.text.lines().filter(|l| !l.trim().starts_with('#')) {
            let written = line.split(|c: char| !c.is_ascii_digit() && c != '-' && c != 'T');
            for date in written.filter(|w| w.len() >= 10 && w.as_bytes()[4] == b'-') {
                assert!(date >= "2030", "{}: {line}", example.name);
            }
        }
    }
}

#[test]
fn there_is_an_example_of_every_objective_that_can_be_created() {
    let all: String = examples().into_iter().map(|e| e.text).collect();
    for (automation, objectives) in [
        (
            "Manual",
            &[
                "Reach",
                "Traffic",
                "VideoViews",
                "Engagement",
                "AppPromotion",
                "WebConversions",
                "LeadGeneration",
            ][..],
        ),
        (
            "SmartPlus",
            &["AppPromotion", "WebConversions", "LeadGeneration"][..],
        ),
    ] {
        for objective in objectives {
            let campaign = |text: &str| {
                text.contains("kind: Campaign")
                    && text.contains(&format!("automation: {automation}\n"))
                    && text.contains(&format!("objective: {objective}\n"))
            };
            assert!(all.split("---").any(campaign), "{automation} {objective}");
        }
    }
}

#[test]
fn the_api_server_takes_what_readers_copy() {
    let cluster = shared();
    let namespace = cluster.namespace("examples").unwrap();
    let mut failures = String::new();
    for copied in examples().iter().chain(&documentation()) {
        let args = [
            "apply",
            "--dry-run=server",
            "--validate=strict",
            "-n",
            &namespace,
            "-f",
            "-",
        ];
        let output = cluster.run_with(&args, &copied.text).unwrap();
        if let Err(error) = output.ok() {
            failures.push_str(&format!("\n{}: {error}", copied.name));
        }
    }
    assert!(failures.is_empty(), "{failures}");
}
