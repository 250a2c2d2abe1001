//! Manifests that are wrong: each is refused, offline by `check` and by a real API server, with a text that its author
//! understands. Their counterparts (`bad_manifests/right*.yaml`) are at the edges of the same rules and go through.
//! `docs/wrong-manifests.md` is made from the first tables.

mod biggest;
mod examples;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tiktok_ads_harness::shared;
use tiktok_ads_operator::api::ad::Ad;
use tiktok_ads_operator::api::ad_group::AdGroup;
use tiktok_ads_operator::api::campaign::Campaign;
use tiktok_ads_operator::api::connection::TikTokConnection;
use tiktok_ads_operator::api::crd;
use tiktok_ads_operator::cli::check::{Checker, Report, Verdict};
use tiktok_ads_operator::sandbox::default_account;

/// One wrong manifest; the fields are described in the file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wrong {
    topic: String,
    wrong: String,
    before: Option<String>,
    manifest: String,
    says: String,
    server: Option<String>,
    #[serde(default)]
    offline: bool,
}

/// One right manifest.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Right {
    right: String,
    before: Option<String>,
    manifest: String,
}

fn wrong() -> Vec<Wrong> {
    let tables = [
        (include_str!("bad_manifests/cases.yaml"), 100),
        (include_str!("bad_manifests/ad_groups.yaml"), 100),
        (include_str!("bad_manifests/ads.yaml"), 75),
    ];
    let read = |(table, least): (&str, usize)| {
        let cases: Vec<Wrong> = serde_saphyr::from_str(table).unwrap();
        let there = cases.len();
        assert!(there >= least, "a table has shrunk to {there} cases");
        cases
    };
    tables.into_iter().flat_map(read).collect()
}

fn right() -> Vec<Right> {
    let tables = [
        include_str!("bad_manifests/right.yaml"),
        include_str!("bad_manifests/right_ad_groups.yaml"),
        include_str!("bad_manifests/right_ads.yaml"),
    ];
    let read = |table: &str| -> Vec<Right> { serde_saphyr::from_str(table).unwrap() };
    tables.into_iter().flat_map(read).collect()
}

/// Submits every wrong manifest that `door` can take, and every right one. `door` is given what is there before, if
/// anything, and what is submitted.
fn submit_all(
    wrong: &[Wrong],
    expected: impl Fn(&Wrong) -> &str,
    mut door: impl FnMut(Option<&str>, &str) -> Result<(), String>,
) {
    let mut failures = String::new();
    for case in wrong {
        let (title, expected) = (&case.wrong, expected(case));
        match door(case.before.as_deref(), &case.manifest) {
            Err(text) if text.contains(expected) => {}
            Err(text) => {
                writeln!(failures, "\n{title}\n  expected: {expected}\n  was: {text}").unwrap()
            }
            Ok(()) => {
                writeln!(failures, "\n{title}\n  was let through:\n{}", case.manifest).unwrap()
            }
        }
    }
    for case in right() {
        if let Err(text) = door(case.before.as_deref(), &case.manifest) {
            writeln!(
                failures,
                "\n{}\n  is right, but was refused: {text}",
                case.right
            )
            .unwrap();
        }
    }
    assert!(failures.is_empty(), "{failures}");
}

fn parsed(manifest: &str) -> Value {
    serde_saphyr::from_str(manifest).unwrap()
}

/// `check`, used again and again.
struct Offline {
    checker: Checker,
}

impl Offline {
    fn new() -> Self {
        Self {
            checker: Checker::new().unwrap(),
        }
    }

    fn check(&mut self, manifest: &str) -> Report {
        self.checker.add("manifest.yaml", manifest);
        self.checker.finish()
    }

    /// What `check` says: one line per problem.
    fn submit(&mut self, before: Option<&str>, manifest: &str) -> Result<(), String> {
        let report = self.check(manifest);
        let line = |field: &str, text: &str| {
            format!("{field}: {text}")
                .trim_start_matches(": ")
                .to_owned()
        };
        let found = report.objects.iter().flat_map(|o| &o.problems);
        let mut lines: Vec<_> = found.map(|f| line(&f.field, &f.message)).collect();
        if let Some(before) = before {
            lines.extend(self.checker.update(&parsed(before), &parsed(manifest)));
        }
        if lines.is_empty() {
            Ok(())
        } else {
            Err(lines.join("\n"))
        }
    }
}

#[test]
fn check_refuses_each_with_its_text() {
    let mut offline = Offline::new();
    submit_all(
        &wrong(),
        |case| &case.says,
        |before, manifest| offline.submit(before, manifest),
    );
}

/// An object that the schema lets through but the types cannot read would fail every list of its kind, for ever.
#[test]
fn what_is_let_through_is_read_as_it_is_written() {
    fn amounts_as_text(value: &mut Value) {
        for (key, below) in value.as_object_mut().into_iter().flatten() {
            match below {
                Value::Number(number) if key == "amount" || key == "roas" => {
                    *below = number.to_string().into();
                }
                _ => amounts_as_text(below),
            }
        }
    }
    fn read<K: Serialize + DeserializeOwned>(object: &Value) -> Value {
        let read: K = serde_json::from_value(object.clone()).unwrap();
        serde_json::to_value(read).unwrap()
    }
    let mut seen = BTreeSet::new();
    for case in right() {
        let mut object = parsed(&case.manifest);
        let kind = object["kind"].as_str().unwrap().to_owned();
        let read = match kind.as_str() {
            "Campaign" => read::<Campaign>(&object),
            "AdGroup" => read::<AdGroup>(&object),
            "Ad" => read::<Ad>(&object),
            _ => read::<TikTokConnection>(&object),
        };
        amounts_as_text(&mut object);
        assert_eq!(read["spec"], object["spec"], "{}", case.right);
        seen.insert(kind);
    }
    assert_eq!(seen.len(), 4, "{seen:?}");
}

/// What only a manifest of thousands of lines breaks; the biggest ad group does, below.
const TOO_MANY_PLACES: &str = "locations and zipCodes together have at most 3000 entries";

#[test]
fn every_rule_is_broken_by_some_case() {
    let mut offline = Offline::new();
    let mut answer = |case: Wrong| offline.submit(case.before.as_deref(), &case.manifest);
    let said: Vec<_> = wrong()
        .into_iter()
        .filter_map(|case| answer(case).err())
        .collect();
    let mut missing = String::new();
    for crd in crd::all().unwrap() {
        let kind = crd.spec.names.kind;
        for (place, text) in crd::refusals(&kind) {
            // A rule over several fields says which of them it means after its last colon.
            let (fixed, fields) = text.rsplit_once(" here: ").unwrap_or((&text, ""));
            let with = |field: &str| {
                let at_end = format!(" {field}");
                said.iter().flat_map(|text| text.lines()).any(|line| {
                    line.contains(fixed)
                        && (line.contains(&format!("{at_end} ")) || line.ends_with(&at_end))
                })
            };
            let met = if fields.is_empty() {
                said.iter().any(|answer| answer.contains(fixed))
            } else {
                fields.split(", ").all(with)
            };
            if !met && !text.starts_with(TOO_MANY_PLACES) {
                writeln!(missing, "{kind} {place}: {text}").unwrap();
            }
        }
    }
    assert!(missing.is_empty(), "no case is refused with:\n{missing}");
}

#[test]
fn in_a_wrong_change_only_the_change_is_wrong() {
    let mut offline = Offline::new();
    for case in wrong() {
        if let Some(before) = &case.before {
            for manifest in [before, &case.manifest] {
                let report = offline.check(manifest);
                let valid = report.objects.iter().all(|o| o.verdict == Verdict::Valid);
                assert!(valid, "{}: {report:?}", case.wrong);
            }
        }
    }
}

#[test]
fn the_examples_are_valid_and_for_the_account_of_the_sandbox() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/quickstart");
    let mut checker = Checker::new().unwrap();
    let mut all = String::new();
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        checker.add(&path.display().to_string(), &text);
        all.push_str(&text);
    }
    let report = checker.finish();
    assert!(
        report.is_fine() && report.warnings.is_empty(),
        "{}",
        report.table()
    );
    assert_eq!(
        report
            .objects
            .iter()
            .filter(|o| o.verdict == Verdict::Valid)
            .count(),
        4
    );
    for line in [
        format!("app_id: \"{}\"", default_account::APP_ID),
        format!("secret: {}", default_account::APP_SECRET),
        format!("access_token: {}", default_account::ACCESS_TOKEN),
        format!("advertiserId: \"{}\"", default_account::ADVERTISER_ID),
    ] {
        assert!(
            all.contains(&line),
            "{line} is what the sandbox begins with"
        );
    }
}

#[test]
fn the_api_server_refuses_each_with_its_text() {
    let wrong: Vec<_> = wrong().into_iter().filter(|case| !case.offline).collect();
    let (runtime, server) = server("wrong");
    submit_all(
        &wrong,
        |case| case.server.as_deref().unwrap_or(&case.says),
        |before, manifest| runtime.block_on(server.submit(before, manifest)),
    );
}

/// The API server and a namespace of a test's own.
fn server(prefix: &str) -> (tokio::runtime::Runtime, Server) {
    let namespace = shared().namespace(prefix).unwrap();
    let kubeconfig = Kubeconfig::read_from(shared().kubeconfig()).unwrap();
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let client = runtime.block_on(async {
        let options = KubeConfigOptions::default();
        Client::try_from(
            Config::from_custom_kubeconfig(kubeconfig, &options)
                .await
                .unwrap(),
        )
        .unwrap()
    });
    let server = Server { client, namespace };
    (runtime, server)
}

/// The API server, asked as kubectl asks it: unknown fields are an error.
struct Server {
    client: Client,
    namespace: String,
}

impl Server {
    /// Nothing is left behind: what is submitted is a dry run, and what was there before a change is deleted after it.
    async fn submit(&self, before: Option<&str>, manifest: &str) -> Result<(), String> {
        let manifest = parsed(manifest);
        let Some(before) = before else {
            return self
                .send("POST", &manifest, "", "&dryRun=All")
                .await
                .map(drop);
        };
        let before = parsed(before);
        let name = before["metadata"]["name"].as_str().unwrap();
        let mut changed = self.send("POST", &before, "", "").await.unwrap();
        changed["spec"] = manifest["spec"].clone();
        let answer = self.send("PUT", &changed, name, "&dryRun=All").await;
        self.send("DELETE", &before, name, "").await.unwrap();
        answer.map(drop)
    }

    async fn send(
        &self,
        method: &str,
        object: &Value,
        name: &str,
        more: &str,
    ) -> Result<Value, String> {
        let plural = format!("{}s", object["kind"].as_str().unwrap().to_lowercase());
        let collection = format!(
            "/apis/tiktokads.dev/v1alpha1/namespaces/{}/{plural}",
            self.namespace
        );
        let path = if name.is_empty() {
            collection
        } else {
            format!("{collection}/{name}")
        };
        let body = if method == "DELETE" {
            Vec::new()
        } else {
            serde_json::to_vec(object).unwrap()
        };
        let request = http::Request::builder()
            .method(method)
            .uri(format!("{path}?fieldValidation=Strict{more}"))
            .header(http::header::CONTENT_TYPE, "application/json")
            .body(body)
            .unwrap();
        match self.client.request_text(request).await {
            Ok(text) => Ok(serde_json::from_str(&text).unwrap()),
            Err(kube::Error::Api(status)) => Err(status.message.clone()),
            Err(error) => panic!("{method} {path}: {error}"),
        }
    }
}

#[test]
fn the_documentation_is_made_from_the_table() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/wrong-manifests.md");
    let page = page();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let there = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        there == page,
        "docs/wrong-manifests.md is not what the table says: run UPDATE_DOCS=1 cargo test --test it bad_manifests"
    );
}

/// The page as readers see it, with the whole of what `check` says.
fn page() -> String {
    let mut page = String::from(
        "# Wrong manifests, and what is said about them\n\n\
         Made from the tables in `tests/it/bad_manifests/` by a test; edit these, not this page. Every manifest here \
         is refused by a real API server in the tests (but for a few that never get there, which say so). Before that,\n\n\
         ```sh\ntiktok-ads-operator check FILES\n```\n\n\
         refuses it without a cluster; it cannot see changes, which it is only asked about in the tests. The answers \
         below are `check`'s. Where the API server puts it in words of its own, they follow.\n",
    );
    let mut topic = String::new();
    let mut offline = Offline::new();
    for case in wrong() {
        if topic != case.topic {
            topic.clone_from(&case.topic);
            write!(page, "\n## {topic}\n").unwrap();
        }
        write!(page, "\n### {}\n\n", case.wrong).unwrap();
        if let Some(before) = &case.before {
            write!(
                page,
                "There is\n\n```yaml\n{before}```\n\nand it is changed to\n\n"
            )
            .unwrap();
        }
        write!(page, "```yaml\n{}```\n\n", case.manifest).unwrap();
        let answer = offline.submit(case.before.as_deref(), &case.manifest);
        for line in answer.expect_err("every case is refused").lines() {
            writeln!(page, "> {line}  ").unwrap();
        }
        if let Some(server) = &case.server {
            write!(page, "\nThe API server: `{server}`\n").unwrap();
        }
        if case.offline {
            page.push_str("\nThe API server never sees this: kubectl stops it in words of its own, or leaves it out.\n");
        }
    }
    page
}
