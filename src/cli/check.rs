//! `check`: manifests against the definitions' own rules, without a cluster.
//!
//! The structural part of the schema is checked in `schema`; the CEL rules run in the evaluator that kube brings. What
//! needs a look elsewhere (does the connection exist, is the name free on TikTok) is not checked here.

mod checker;
mod report;
mod schema;
mod suggest;
mod together;
mod words;
mod yaml;

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, ValueEnum};

pub use self::checker::Checker;
pub use self::report::{Finding, Object, Report, Verdict};
use super::out::{self, OutError};
use crate::api::GROUP;
use crate::api::crd::CrdError;

/// Checks manifests against the operator's own rules, without a cluster.
#[derive(Args, Clone, Debug)]
pub struct CheckArgs {
    /// Files, directories (every .yaml, .yml and .json file in them), or - for standard input.
    #[arg(required = true, value_name = "FILE|DIR|-")]
    pub files: Vec<PathBuf>,
    /// How to print the result.
    #[arg(short, long, value_enum, default_value_t = Output::Table)]
    pub output: Output,
}

/// How a result is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// For people.
    Table,
    /// For programs.
    Json,
}

/// Why nothing could be checked.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// A file or directory could not be read.
    #[error("cannot read {path}: {source}", path = path.display())]
    Read {
        /// The file or directory.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The result could not be written.
    #[error("{0}")]
    Write(#[from] OutError),
    /// The definitions could not be made.
    #[error(transparent)]
    Definition(#[from] CrdError),
}

/// Checks what the arguments name and prints the result. The exit code is 0 if nothing is wrong and 1 if something is, or if
/// nothing of ours was there; warnings do not count.
pub fn run(args: &CheckArgs) -> Result<ExitCode, CheckError> {
    let mut checker = Checker::new()?;
    for (name, text) in read(&args.files)? {
        checker.add(&name, &text);
    }
    let mut report = checker.finish();
    if !report.has_any() {
        let paths: Vec<_> = args
            .files
            .iter()
            .map(|path| path.display().to_string())
            .collect();
        report.warnings.push(format!(
            "nothing of {GROUP} was found in {}: name files or directories with manifests (.yaml, .yml or .json)",
            paths.join(", ")
        ));
    }
    let text = match args.output {
        Output::Table => report.table(),
        Output::Json => report.json(),
    };
    match out::print(&text) {
        // Whoever reads no further still wants to know.
        Err(error) if !error.reader_gone() => return Err(error.into()),
        _ => {}
    }
    Ok(if report.is_fine() && report.has_any() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// The name and text of every file that is meant.
fn read(paths: &[PathBuf]) -> Result<Vec<(String, String)>, CheckError> {
    let mut texts = Vec::new();
    for path in paths {
        if path == Path::new("-") {
            let mut text = String::new();
            let read = io::stdin().read_to_string(&mut text);
            read.map_err(|source| CheckError::Read {
                path: "standard input".into(),
                source,
            })?;
            texts.push(("standard input".to_owned(), text));
            continue;
        }
        let mut files = Vec::new();
        walk(path, true, &mut files).map_err(|source| CheckError::Read {
            path: path.clone(),
            source,
        })?;
        for file in files {
            let text = std::fs::read_to_string(&file).map_err(|source| CheckError::Read {
                path: file.clone(),
                source,
            })?;
            texts.push((file.display().to_string(), text));
        }
    }
    Ok(texts)
}

/// A file that was named is taken whatever it is called; in a directory only manifests are.
fn walk(path: &Path, named: bool, files: &mut Vec<PathBuf>) -> io::Result<()> {
    if path.is_dir() {
        let mut entries = std::fs::read_dir(path)?
            .map(|e| e.map(|e| e.path()))
            .collect::<io::Result<Vec<_>>>()?;
        entries.sort();
        entries
            .iter()
            .try_for_each(|entry| walk(entry, false, files))
    } else {
        let manifest = path
            .extension()
            .is_some_and(|e| ["yaml", "yml", "json"].iter().any(|known| e == *known));
        if named || manifest {
            files.push(path.to_owned());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    const GOOD: &str = "apiVersion: tiktokads.dev/v1alpha1\nkind: Campaign\nmetadata:\n  name: spring\nspec:\n  \
                        connectionRef: {name: shop}\n  automation: Manual\n  objective: Traffic\n";

    #[test]
    fn where_nothing_of_ours_is_that_is_said_and_is_no_success() {
        let dir = std::env::temp_dir().join(format!("ttnothing-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let code = |path: &Path| {
            let args = CheckArgs {
                files: vec![path.to_owned()],
                output: Output::Table,
            };
            format!("{:?}", run(&args).unwrap())
        };
        let failure = format!("{:?}", ExitCode::FAILURE);
        assert_eq!(code(&dir), failure, "an empty directory");
        for (name, text) in [
            ("empty.yaml", ""),
            ("notes.txt", "no manifest\n"),
            (
                "other.yaml",
                "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\n",
            ),
        ] {
            std::fs::write(dir.join(name), text).unwrap();
            assert_eq!(code(&dir.join(name)), failure, "{name}");
        }
        std::fs::write(dir.join("good.yaml"), GOOD).unwrap();
        assert_ne!(code(&dir), failure, "one is enough");
        std::fs::remove_dir_all(&dir).unwrap();
    }

    #[test]
    fn a_problem_is_found_at_its_line_and_the_exit_code_follows() {
        let dir = std::env::temp_dir().join(format!("ttcheck-{}", std::process::id()));
        std::fs::create_dir_all(dir.join("below")).unwrap();
        std::fs::write(dir.join("good.yaml"), GOOD).unwrap();
        std::fs::write(dir.join("below/notes.txt"), "no manifest").unwrap();
        let args = |output| CheckArgs {
            files: vec![dir.clone()],
            output,
        };
        let code = |args: &CheckArgs| format!("{:?}", run(args).unwrap());
        let (fine, wrong) = (
            format!("{:?}", ExitCode::SUCCESS),
            format!("{:?}", ExitCode::FAILURE),
        );
        assert_eq!(code(&args(Output::Table)), fine);
        let bad = format!(
            "{GOOD}---\n{}",
            GOOD.replace("Traffic", "Trafic")
                .replace("spring", "summer")
        );
        std::fs::write(dir.join("below/bad.yml"), bad).unwrap();
        assert_eq!(code(&args(Output::Json)), wrong);
        let texts = read(std::slice::from_ref(&dir)).unwrap();
        assert_eq!(texts.len(), 2, "notes.txt is no manifest");
        std::fs::remove_dir_all(&dir).unwrap();
        assert!(matches!(
            run(&args(Output::Table)),
            Err(CheckError::Read { .. })
        ));

        let mut checker = Checker::new().unwrap();
        checker.add("bad.yml", &texts[0].1);
        let report = checker.finish();
        let found = &report.objects[1];
        assert_eq!(
            (found.document, found.line, found.problems.len()),
            (2, 10, 1)
        );
        assert_eq!(
            (found.problems[0].line, found.problems[0].field.as_str()),
            (17, "spec.objective")
        );
        let table = report.table();
        assert!(
            table.contains("bad.yml:17: spec.objective: \"Trafic\" is not one of"),
            "{table}"
        );
        assert!(
            table.contains("1 ok, 1 wrong, 0 skipped, 0 warnings"),
            "{table}"
        );
        let json: Value = serde_json::from_str(&report.json()).unwrap();
        assert_eq!(
            (&json["invalid"], &json["objects"][1]["result"]),
            (&Value::from(1), &Value::from("Invalid"))
        );
        assert_eq!(json["objects"][1]["problems"][0]["line"], 17);
    }
}
