//! What `check` found, as a table for people and as JSON for programs.

use std::fmt::Write;

use serde::Serialize;

/// What was found in everything that was checked.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// Every document, in the order in which it was read.
    pub objects: Vec<Object>,
    /// What is probably not meant, but allowed.
    pub warnings: Vec<String>,
}

/// One document.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Object {
    /// The file it is in.
    pub file: String,
    /// The line it begins at.
    pub line: usize,
    /// Which document of the file it is, from 1.
    pub document: usize,
    /// Its kind, if it says one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Its namespace, if it says one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Its name, if it says one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What came out.
    #[serde(flatten)]
    pub verdict: Verdict,
    /// What is wrong.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<Finding>,
}

/// What came out for one document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "result", content = "why")]
pub enum Verdict {
    /// Nothing is wrong that can be seen here.
    Valid,
    /// Something is wrong.
    Invalid,
    /// It was not checked, and why.
    Skipped(&'static str),
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// Dotted path of the field; empty for the whole document.
    pub field: String,
    /// Its line in the file.
    pub line: usize,
    /// What is wrong, and what to do.
    pub message: String,
}

impl Report {
    /// Whether nothing is wrong. Warnings do not count.
    pub fn is_fine(&self) -> bool {
        self.objects.iter().all(|o| o.verdict != Verdict::Invalid)
    }

    /// Whether anything of ours was there at all.
    pub fn has_any(&self) -> bool {
        self.count(|v| !matches!(v, Verdict::Skipped(_))) > 0
    }

    fn count(&self, wanted: impl Fn(&Verdict) -> bool) -> usize {
        self.objects.iter().filter(|o| wanted(&o.verdict)).count()
    }

    /// As JSON, with the counts.
    pub fn json(&self) -> String {
        let mut value = serde_json::json!(self);
        value["valid"] = self.count(|v| *v == Verdict::Valid).into();
        value["invalid"] = self.count(|v| *v == Verdict::Invalid).into();
        value["skipped"] = self.count(|v| matches!(v, Verdict::Skipped(_))).into();
        format!("{value:#}\n")
    }

    /// As a table: one line per document, what is wrong with it below.
    pub fn table(&self) -> String {
        let rows: Vec<_> = self
            .objects
            .iter()
            .map(|o| {
                let name = o.name.as_deref().unwrap_or("?");
                let object = o
                    .kind
                    .as_ref()
                    .map_or_else(|| "-".to_owned(), |kind| format!("{kind}/{name}"));
                (format!("{}:{}", o.file, o.line), object)
            })
            .collect();
        let width = |cells: &mut dyn Iterator<Item = &String>| {
            cells.map(|c| c.chars().count()).max().unwrap_or(0)
        };
        let (first, second) = (
            width(&mut rows.iter().map(|r| &r.0)),
            width(&mut rows.iter().map(|r| &r.1)),
        );
        let mut out = String::new();
        // Writing into a String cannot fail.
        for (object, (place, name)) in self.objects.iter().zip(&rows) {
            let result = match object.verdict {
                Verdict::Valid => "ok".to_owned(),
                Verdict::Invalid => format!("{} wrong", object.problems.len()),
                Verdict::Skipped(why) => format!("skipped: {why}"),
            };
            let _ = writeln!(out, "{place:first$}  {name:second$}  {result}");
            for problem in &object.problems {
                let field = if problem.field.is_empty() {
                    String::new()
                } else {
                    format!("{}: ", problem.field)
                };
                let _ = writeln!(
                    out,
                    "  {}:{}: {field}{}",
                    object.file, problem.line, problem.message
                );
            }
        }
        for warning in &self.warnings {
            let _ = writeln!(out, "warning: {warning}");
        }
        let (valid, invalid) = (
            self.count(|v| *v == Verdict::Valid),
            self.count(|v| *v == Verdict::Invalid),
        );
        let skipped = self.objects.len() - valid - invalid;
        let _ = writeln!(
            out,
            "{valid} ok, {invalid} wrong, {skipped} skipped, {} warning{}",
            self.warnings.len(),
            if self.warnings.len() == 1 { "" } else { "s" }
        );
        out
    }
}
