//! The fuzz targets over their corpus: what `hack/fuzz` looks for, in every run of the tests.

use std::fs;
use std::path::Path;

#[path = "../../fuzz/src/checks.rs"]
mod checks;

type Check = fn(&[u8]);

/// Every target, with the least number of inputs that its corpus has had.
const TARGETS: &[(&str, Check, usize)] = &[
    ("callback", checks::callback, 48),
    ("payload", checks::payload, 59),
    ("signature", checks::signature, 43),
    ("state", checks::state, 45),
];

#[test]
fn every_input_of_the_corpus_passes_its_checks() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus");
    for (target, check, least) in TARGETS {
        let mut inputs = 0;
        for entry in fs::read_dir(corpus.join(target)).unwrap() {
            let path = entry.unwrap().path();
            println!("{}", path.display());
            check(&fs::read(path).unwrap());
            inputs += 1;
        }
        assert!(inputs >= *least, "{target} has only {inputs} inputs");
    }
}

#[test]
fn every_target_of_the_fuzzer_is_here() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    let manifest = fs::read_to_string(root.join("Cargo.toml")).unwrap();
    let mut names: Vec<String> = TARGETS.iter().map(|(name, ..)| (*name).into()).collect();
    for (name, ..) in TARGETS {
        let entry = format!("name = \"{name}\"\npath = \"fuzz_targets/{name}.rs\"");
        assert!(manifest.contains(&entry), "{name} is no target");
    }
    for folder in ["corpus", "fuzz_targets"] {
        let mut found: Vec<String> = fs::read_dir(root.join(folder))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .map(|path| path.file_stem().unwrap().to_string_lossy().into_owned())
            .collect();
        found.sort();
        names.sort();
        assert_eq!(found, names, "{folder}");
    }
}
