//! TikTok's official Python client against the sandbox: the proof that the sandbox speaks TikTok's contract, by a client
//! that none of us wrote.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use sha2::{Digest, Sha256};

use crate::sandbox_process::SandboxProcess;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/python");

/// Runs a command and shows all of its output if it fails. A missing program is a failure, never a skip.
fn run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| {
        panic!("{command:?} cannot be started: {error}. The test needs Python 3.11 or newer with venv (PYTHON names it).")
    });
    let text = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(
        output.status.success(),
        "{command:?}: {}\n{text}",
        output.status
    );
    text
}

/// Where things are kept that only depend on their inputs.
fn cache() -> PathBuf {
    env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|| env::var_os("HOME").map(|home| Path::new(&home).join(".cache")))
        .unwrap_or_else(env::temp_dir)
        .join("tiktok-ads-operator")
}

/// The Python of a virtual environment with exactly the pinned packages, made on first use.
fn python() -> PathBuf {
    let requirements = Path::new(FOLDER).join("requirements.txt");
    let base = env::var("PYTHON").unwrap_or_else(|_| "python3".into());
    let version = run(Command::new(&base).arg("--version"));
    let mut digest = Sha256::new();
    digest.update(fs::read(&requirements).expect("the requirements are there"));
    digest.update(version);
    let name: String = digest
        .finalize()
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let folder = cache().join(format!("python-{name}"));
    let ready = folder.join("bin/python");
    if !ready.exists() {
        // Made beside its place and moved there whole: a run that is stopped leaves nothing half done, and of two runs
        // one wins.
        let draft = cache().join(format!("python-{name}.{}", std::process::id()));
        fs::create_dir_all(cache()).expect("the cache folder can be made");
        run(Command::new(&base).args(["-m", "venv"]).arg(&draft));
        run(Command::new(draft.join("bin/python"))
            .args([
                "-m",
                "pip",
                "install",
                "--quiet",
                "--require-hashes",
                "--only-binary",
                ":all:",
                "-r",
            ])
            .arg(&requirements));
        if fs::rename(&draft, &folder).is_err() {
            assert!(
                ready.exists(),
                "{} cannot be moved to {}",
                draft.display(),
                folder.display()
            );
            fs::remove_dir_all(&draft).expect("the draft can be removed");
        }
    }
    ready
}

#[test]
fn official_client_runs_both_trees() {
    let sandbox = SandboxProcess::start(&[]);
    let output = run(Command::new(python())
        .arg(Path::new(FOLDER).join("official_client.py"))
        .env("SANDBOX_URL", &sandbox.url)
        .env("PYTHONDONTWRITEBYTECODE", "1"));
    println!("{output}");
    let cases = output
        .lines()
        .filter(|line| line.starts_with("ok "))
        .count();
    assert!(cases >= 47, "only {cases} cases ran:\n{output}");
    assert!(
        output.contains(&format!("{cases} passed, 0 failed")),
        "{output}"
    );
    // Every path that this milestone serves was really called.
    let counts: serde_json::Value = {
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        runtime.block_on(async {
            let text = reqwest::get(format!("{}/sandbox/counts", sandbox.url))
                .await
                .unwrap()
                .text()
                .await
                .unwrap();
            serde_json::from_str(&text).unwrap()
        })
    };
    for path in [
        "oauth2/access_token/",
        "oauth2/advertiser/get/",
        "advertiser/info/",
        "bc/asset/get/",
        "pixel/list/",
        "campaign/create/",
        "campaign/get/",
        "campaign/update/",
        "campaign/status/update/",
        "smart_plus/campaign/create/",
        "smart_plus/campaign/get/",
        "smart_plus/campaign/update/",
        "smart_plus/campaign/status/update/",
        "adgroup/create/",
        "adgroup/get/",
        "adgroup/update/",
        "adgroup/status/update/",
        "adgroup/quota/",
        "smart_plus/adgroup/create/",
        "smart_plus/adgroup/get/",
        "smart_plus/adgroup/update/",
        "smart_plus/adgroup/status/update/",
        "ad/create/",
        "ad/get/",
        "ad/update/",
        "ad/status/update/",
        "smart_plus/ad/create/",
        "smart_plus/ad/get/",
        "smart_plus/ad/update/",
        "smart_plus/ad/status/update/",
        "smart_plus/ad/material_status/update/",
        "smart_plus/ad/review_info/",
        "smart_plus/ad/appeal/",
        "smart_plus/material/review_info/",
    ] {
        let succeeded = &counts["counts"][format!("/open_api/v1.3/{path}")]["by_code"]["0"];
        assert!(
            succeeded.as_u64().is_some_and(|count| count > 0),
            "{path} never succeeded: {counts}"
        );
    }
    sandbox.stop();
}
