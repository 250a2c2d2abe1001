//! One manifest after another: which kind it is, what its schema and its rules say, and what may be there only once.

use std::collections::BTreeMap;

use jiff::Timestamp;
use kube::core::cel::{CompiledSchema, ErrorKind, Validator, compile_schema};
use serde_json::Value;

use super::report::{Finding, Object, Report, Verdict};
use super::schema::{self, Problem};
use super::suggest;
use super::together::{self, Seen};
use super::yaml::{self, Node, Yaml};
use crate::api::crd::{self, CrdError};
use crate::api::{GROUP, VERSION};
use crate::platform::Kind as Level;

/// A kind that we check.
struct Kind {
    schema: Value,
    compiled: CompiledSchema,
}

/// Checks texts one after another and remembers what may only be there once.
pub struct Checker {
    kinds: BTreeMap<String, Kind>,
    cel: Validator,
    report: Report,
    /// What may be there once, and where it was first seen.
    seen: BTreeMap<String, String>,
    /// What is compared when all are there.
    objects: Vec<Seen>,
    now: Timestamp,
}

impl Checker {
    /// A checker with the definitions of all kinds.
    pub fn new() -> Result<Self, CrdError> {
        Self::at(Timestamp::now())
    }

    /// The same, for a time: what has passed by then is warned about.
    pub fn at(now: Timestamp) -> Result<Self, CrdError> {
        let mut kinds = BTreeMap::new();
        for crd in crd::all()? {
            if let Some(mut schema) = crd::schema(&crd) {
                schema["properties"]["metadata"] = metadata_schema();
                for field in ["apiVersion", "kind"] {
                    schema["properties"][field] = serde_json::json!({ "type": "string" });
                }
                let compiled = compile_schema(&schema);
                kinds.insert(crd.spec.names.kind, Kind { schema, compiled });
            }
        }
        Ok(Self {
            kinds,
            cel: Validator::new(),
            report: Report::default(),
            seen: BTreeMap::new(),
            objects: Vec::new(),
            now,
        })
    }

    /// Checks every document of a text. `name` is what messages call it.
    pub fn add(&mut self, name: &str, text: &str) {
        for document in yaml::documents(text) {
            match document.content {
                Ok(node) => self.object(name, document.index, document.line, &node),
                Err(broken) => {
                    let problem = Problem {
                        field: String::new(),
                        line: broken.line,
                        text: broken.text,
                    };
                    self.push(
                        name,
                        document.index,
                        document.line,
                        None,
                        Verdict::Invalid,
                        vec![problem],
                    );
                }
            }
        }
    }

    /// What was found since the last time this was asked. The checker can be used again.
    pub fn finish(&mut self) -> Report {
        self.seen.clear();
        let objects = std::mem::take(&mut self.objects);
        self.report.warnings.extend(together::warnings(&objects));
        std::mem::take(&mut self.report)
    }

    /// Checks one update as the server would: what the old object allows the new one to be. Only the rules about
    /// changes are of interest; both are taken as valid otherwise. Returns the texts of what is refused.
    pub fn update(&self, old: &Value, new: &Value) -> Vec<String> {
        let kind = new["kind"].as_str().and_then(|kind| self.kinds.get(kind));
        let Some(kind) = kind else {
            return vec!["there is no such kind".to_owned()];
        };
        match self.cel.validate_compiled(&kind.compiled, new, Some(old)) {
            Ok(()) => Vec::new(),
            Err(errors) => errors
                .iter()
                .map(|e| e.to_string().trim().to_owned())
                .collect(),
        }
    }

    fn object(&mut self, file: &str, index: usize, line: usize, node: &Node) {
        if let (Some("List"), Some(Yaml::List(items))) =
            (node.text(&["kind"]), node.get("items").map(|n| &n.value))
        {
            return items
                .iter()
                .for_each(|item| self.object(file, index, item.line, item));
        }
        let (verdict, problems) = self.judge(node);
        if matches!(verdict, Verdict::Valid | Verdict::Invalid) {
            self.once(file, node);
            self.ended(file, node);
            self.objects.extend(Seen::of(file, node));
        }
        self.push(file, index, line, Some(node), verdict, problems);
    }

    fn judge(&self, node: &Node) -> (Verdict, Vec<Problem>) {
        let at = |field: &str, text: String| Problem {
            field: field.to_owned(),
            line: node.line_of(field),
            text,
        };
        let (api_version, name) = (node.text(&["apiVersion"]), node.text(&["kind"]));
        let (Some(api_version), Some(name)) = (api_version, name) else {
            if node.get("apiVersion").is_none() && node.get("kind").is_none() {
                return (Verdict::Skipped("this is no Kubernetes object"), Vec::new());
            }
            let text = format!(
                "apiVersion and kind are both needed, such as apiVersion: {GROUP}/{VERSION}"
            );
            return (Verdict::Invalid, vec![at("", text)]);
        };
        let group = api_version.split('/').next().unwrap_or_default();
        if group != GROUP && suggest::nearest(&[GROUP], group).is_none() {
            return (Verdict::Skipped("not a kind of this operator"), Vec::new());
        }
        if api_version != format!("{GROUP}/{VERSION}") {
            let text = format!("there is no {api_version}: write apiVersion: {GROUP}/{VERSION}");
            return (Verdict::Invalid, vec![at("apiVersion", text)]);
        }
        let Some(kind) = self.kinds.get(name) else {
            let known: Vec<_> = self.kinds.keys().map(String::as_str).collect();
            let text = match suggest::nearest(&known, name) {
                Some(meant) => format!("there is no kind {name}: did you mean {meant}?"),
                None => format!("there is no kind {name}; there are: {}", known.join(", ")),
            };
            return (Verdict::Invalid, vec![at("kind", text)]);
        };
        let mut problems = schema::check(&kind.schema, node);
        self.names(node, &mut problems);
        problems.extend(self.rules(kind, node, &problems));
        problems.sort_by_key(|p| p.line);
        (
            if problems.is_empty() {
                Verdict::Valid
            } else {
                Verdict::Invalid
            },
            problems,
        )
    }

    /// The CEL rules. The server does not run them on values of the wrong type; neither do we listen to them there.
    fn rules(&self, kind: &Kind, node: &Node, structural: &[Problem]) -> Vec<Problem> {
        let Err(errors) = self
            .cel
            .validate_compiled(&kind.compiled, &node.to_json(), None)
        else {
            return Vec::new();
        };
        let listen =
            |kind: &ErrorKind| *kind == ErrorKind::ValidationFailure || structural.is_empty();
        let below =
            |path: &str, p: &Problem| p.field.starts_with(path) || path.starts_with(&p.field);
        let mut found = Vec::new();
        for error in errors.iter().filter(|e| listen(&e.kind)) {
            let leaf = !matches!(error.field_path.as_str(), "" | "spec");
            if leaf && structural.iter().any(|p| below(&error.field_path, p)) {
                continue;
            }
            found.push(Problem {
                field: error.field_path.clone(),
                line: node.line_of(&error.field_path),
                text: error.message.trim().trim_end_matches('.').to_owned(),
            });
        }
        found
    }

    /// What the server asks of every object's name.
    fn names(&self, node: &Node, problems: &mut Vec<Problem>) {
        let mut add = |field: &str, text: &str| {
            problems.push(Problem {
                field: field.to_owned(),
                line: node.line_of(field),
                text: text.to_owned(),
            });
        };
        match (
            node.text(&["metadata", "name"]),
            node.text(&["metadata", "generateName"]),
        ) {
            (None, None) if node.get("metadata").and_then(|m| m.get("name")).is_none() => {
                add("metadata.name", "is missing: add a name");
            }
            (Some(name), _) if !is_object_name(name) => add(
                "metadata.name",
                "has only lower-case letters, digits, - and ., and begins and ends with a letter or digit, at most 253 \
                 characters: change it, and put the name that TikTok should show into spec.name",
            ),
            _ => {}
        }
    }

    /// Warns about what can be there only once: the object itself, a name and an id on the platform.
    fn once(&mut self, file: &str, node: &Node) {
        let (Some(kind), Some(name)) = (node.text(&["kind"]), node.text(&["metadata", "name"]))
        else {
            return;
        };
        let namespace = node.text(&["metadata", "namespace"]).unwrap_or_default();
        let mut claims = vec![(
            format!("{kind} {namespace}/{name}"),
            format!(
                "{kind}/{name} is there twice, the later one replaces the earlier: rename or remove one"
            ),
        )];
        // Among what is in the same object, names are told apart on TikTok.
        let level = Level::ALL.into_iter().find(|level| level.name() == kind);
        if let Some(level) = level
            && let Some(parent) = node.text(&["spec", level.reference(), "name"])
        {
            let plural = format!("{}s", level.noun());
            let shown = node.text(&["spec", "name"]).unwrap_or(name);
            claims.push((
                format!("{kind} name {namespace}/{parent}/{shown}"),
                format!(
                    "two {plural} under {parent} have the name \"{shown}\" on TikTok, the younger will be \
                     refused (Conflict): change spec.name of one"
                ),
            ));
            if let Some(id) = node.text(&["spec", "externalId"]) {
                claims.push((
                    format!("{kind} id {namespace}/{id}"),
                    format!("two {plural} claim the id {id}, only one can hold it (Conflict): remove one"),
                ));
            }
        }
        let here = format!("{file}:{}", node.line);
        for (key, text) in claims {
            if let Some(first) = self.seen.get(&key) {
                let warning = format!("{here}: {text} (the other is at {first})");
                self.report.warnings.push(warning);
                // The same object twice has the same name twice: once is enough.
                return;
            }
            self.seen.insert(key, here.clone());
        }
    }

    /// Warns about a time that has passed. What is on TikTok already may well have ended.
    fn ended(&mut self, file: &str, node: &Node) {
        let end = node.text(&["spec", "schedule", "end"]);
        let Some(end) = end.and_then(|end| end.parse::<Timestamp>().ok()) else {
            return;
        };
        if end <= self.now {
            let line = node.line_of("spec.schedule.end");
            self.report.warnings.push(format!(
                "{file}:{line}: spec.schedule.end ({end}) has passed, so nothing is created any more (ScheduleEnded): set a later \
                 end, or remove it"
            ));
        }
    }

    fn push(
        &mut self,
        file: &str,
        index: usize,
        line: usize,
        node: Option<&Node>,
        verdict: Verdict,
        problems: Vec<Problem>,
    ) {
        let text = |path: &[&str]| node.and_then(|n| n.text(path)).map(str::to_owned);
        self.report.objects.push(Object {
            file: file.to_owned(),
            line,
            document: index,
            kind: text(&["kind"]),
            namespace: text(&["metadata", "namespace"]),
            name: text(&["metadata", "name"]).or_else(|| text(&["metadata", "generateName"])),
            verdict,
            problems: problems
                .into_iter()
                .map(|p| Finding {
                    field: p.field,
                    line: p.line,
                    message: p.text,
                })
                .collect(),
        });
    }
}

/// A DNS subdomain, as the server wants it.
fn is_object_name(name: &str) -> bool {
    let label = |label: &str| {
        let edge =
            |c: Option<char>| c.is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
        edge(label.chars().next())
            && edge(label.chars().last())
            && label
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
    };
    name.len() <= 253 && name.split('.').all(label)
}

/// What people write into metadata. A label or annotation has to be text: `tiktokads.dev/release: true` is not.
fn metadata_schema() -> Value {
    let text = serde_json::json!({ "type": "string" });
    let map = serde_json::json!({ "type": "object", "additionalProperties": text });
    serde_json::json!({
        "type": "object",
        "properties": {
            "name": text, "generateName": text, "namespace": text, "labels": map, "annotations": map,
            "finalizers": { "type": "array", "items": text },
            "ownerReferences": { "type": "array", "items": { "type": "object" } },
            "managedFields": { "type": "array", "items": { "type": "object" } },
            "uid": text, "resourceVersion": text, "generation": { "type": "integer" }, "selfLink": text,
            "creationTimestamp": {}, "deletionTimestamp": {}, "deletionGracePeriodSeconds": {},
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "apiVersion: tiktokads.dev/v1alpha1\nkind: Campaign\nmetadata:\n  name: spring\nspec:\n  \
                        connectionRef: {name: shop}\n  automation: Manual\n  objective: Traffic\n";

    fn report(texts: &[&str]) -> Report {
        let mut checker = Checker::new().unwrap();
        for (index, text) in texts.iter().enumerate() {
            checker.add(&format!("{index}.yaml"), text);
        }
        checker.finish()
    }

    #[test]
    fn other_kinds_are_skipped_and_lists_are_opened() {
        let list = format!(
            "apiVersion: v1\nkind: List\nitems:\n- {}",
            GOOD.trim_end().replace('\n', "\n  ")
        );
        let report = report(&[
            "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\n---\nreplicas: 1\n",
            &list,
        ]);
        let verdicts: Vec<_> = report.objects.iter().map(|o| o.verdict).collect();
        assert!(
            matches!(
                verdicts[..],
                [Verdict::Skipped(_), Verdict::Skipped(_), Verdict::Valid]
            ),
            "{verdicts:?}"
        );
        assert!(report.is_fine());
    }

    #[test]
    fn what_can_be_there_only_once_is_warned_about() {
        let named = |object: &str, more: &str| format!("{}{more}", GOOD.replace("spring", object));
        let same_name = report(&[GOOD, &named("summer", "  name: spring\n")]);
        assert_eq!(same_name.warnings.len(), 1, "{:?}", same_name.warnings);
        assert!(
            same_name.warnings[0]
                .starts_with("1.yaml:1: two campaigns under shop have the name \"spring\"")
        );
        assert!(same_name.warnings[0].ends_with("(the other is at 0.yaml:1)"));
        assert!(same_name.is_fine());
        let id = "  externalId: \"1790000000000000001\"\n";
        assert_eq!(
            report(&[&named("a", id), &named("b", id)]).warnings.len(),
            1
        );
        assert_eq!(
            report(&[GOOD, GOOD]).warnings.len(),
            1,
            "the object, and not its name once more"
        );
        let elsewhere = GOOD
            .replace("{name: shop}", "{name: other}")
            .replace("spring", "summer");
        assert_eq!(
            report(&[GOOD, &format!("{elsewhere}  name: spring\n")]).warnings,
            Vec::<String>::new()
        );
    }

    #[test]
    fn names_are_told_apart_within_the_parent() {
        let ad = |object: &str, parent: &str, id: &str| {
            format!(
                "apiVersion: tiktokads.dev/v1alpha1\nkind: Ad\nmetadata: {{name: {object}}}\nspec:\n  \
                 adGroupRef: {{name: {parent}}}\n  name: Spring\n  externalId: \"{id}\"\n"
            )
        };
        let group = |name: &str| ad_group("spring", "").replace("women", name);
        let (women, men) = (group("women"), group("men"));
        let report = |ads: &[&str]| report(&[&[GOOD, &women, &men], ads].concat());
        let same = report(&[&ad("a", "women", "1"), &ad("b", "women", "2")]);
        let ads = &same.objects[3..];
        assert!(ads.iter().all(|ad| ad.verdict == Verdict::Valid));
        assert_eq!(same.warnings.len(), 1, "{:?}", same.warnings);
        assert!(same.warnings[0].contains("two ads under women have the name \"Spring\""));
        let apart = report(&[&ad("a", "women", "1"), &ad("b", "men", "2")]);
        assert_eq!(apart.warnings, Vec::<String>::new());
        let id = report(&[&ad("a", "women", "1"), &ad("b", "men", "1")]);
        assert!(
            id.warnings[0].contains("two ads claim the id 1"),
            "{:?}",
            id.warnings
        );
    }

    fn warnings(texts: &[&str]) -> Vec<String> {
        report(texts).warnings
    }

    fn ad_group(campaign: &str, more: &str) -> String {
        format!(
            "apiVersion: tiktokads.dev/v1alpha1\nkind: AdGroup\nmetadata: {{name: women}}\nspec:\n  campaignRef: \
             {{name: {campaign}}}\n{more}"
        )
    }

    #[test]
    fn a_reference_that_leads_nowhere_in_the_files_is_warned_about() {
        assert_eq!(
            warnings(&[GOOD, &ad_group("sprnig", "")]),
            [
                "1.yaml:5: spec.campaignRef: there is no Campaign sprnig in these files: did you mean spring?"
            ]
        );
        let [alone] = &warnings(&[&ad_group("spring", "")])[..] else {
            panic!("one warning");
        };
        assert!(alone.ends_with("that is right if it is in the cluster already"));
        assert!(warnings(&[GOOD, &ad_group("spring", "")]).is_empty());
        let elsewhere = GOOD.replace("  name: spring", "  name: spring\n  namespace: other");
        let here =
            ad_group("spring", "").replace("{name: women}", "{name: women, namespace: here}");
        assert_eq!(warnings(&[&elsewhere, &here]).len(), 1);
        let connection = "apiVersion: tiktokads.dev/v1alpha1\nkind: TikTokConnection\nmetadata: {name: other}\nspec: \
                          {appSecretRef: {name: app}}\n";
        assert_eq!(warnings(&[GOOD]), Vec::<String>::new());
        assert!(
            warnings(&[GOOD, connection])[0].contains("there is no TikTokConnection shop"),
            "one is given, and it is another"
        );
    }

    #[test]
    fn currencies_that_differ_along_a_reference_are_warned_about() {
        let budget = |currency: &str| {
            format!("  budget: {{mode: Daily, amount: \"50\", currency: {currency}}}\n")
        };
        let campaign = format!("{GOOD}{}", budget("USD"));
        let found = warnings(&[&campaign, &ad_group("spring", &budget("EUR"))]);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(
            found[0].starts_with(
                "1.yaml:6: spec.budget is in EUR, spec.budget of Campaign/spring in USD (0.yaml:9)"
            ),
            "{found:?}"
        );
        assert!(warnings(&[&campaign, &ad_group("spring", &budget("USD"))]).is_empty());
        let connection = "apiVersion: tiktokads.dev/v1alpha1\nkind: TikTokConnection\nmetadata: {name: shop}\nspec:\n  \
                          appSecretRef: {name: app}\n  caps: {maxDailyBudgetTotal: {amount: \"9\", currency: GBP}}\n";
        let found = warnings(&[connection, GOOD, &ad_group("spring", &budget("EUR"))]);
        assert!(
            found[0].contains("spec.caps.maxDailyBudgetTotal of TikTokConnection/shop in GBP"),
            "over a campaign without amounts: {found:?}"
        );
    }

    #[test]
    fn an_end_that_has_passed_is_warned_about() {
        let text = ad_group(
            "spring",
            "  schedule: {end: \"2030-01-01T00:00:00+01:00\"}\n",
        );
        let at = |now: &str| {
            let mut checker = Checker::at(now.parse().unwrap()).unwrap();
            checker.add("0.yaml", &format!("{GOOD}---\n{text}"));
            checker.finish().warnings
        };
        assert_eq!(at("2029-12-31T22:59:59Z"), Vec::<String>::new());
        let late = at("2029-12-31T23:00:00Z");
        assert!(
            late[0].starts_with("0.yaml:15: spec.schedule.end (2029-12-31T23:00:00Z) has passed"),
            "{late:?}"
        );
    }

    #[test]
    fn rules_are_not_run_on_values_of_the_wrong_type() {
        let report = report(&[&format!(
            "{GOOD}  budget: {{mode: Daily, amount: 4.5}}\n  appId: abc\n"
        )]);
        let fields: Vec<_> = report.objects[0]
            .problems
            .iter()
            .map(|p| p.field.as_str())
            .collect();
        assert_eq!(fields, ["spec", "spec.budget.amount", "spec.appId"]);
    }
}
