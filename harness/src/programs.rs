//! The programs of the control plane: built once by `hack/controlplane/build`, or found in `KUBEBUILDER_ASSETS`.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use crate::process::describe;
use crate::{Error, Result};

/// Where the programs are.
#[derive(Debug, Clone)]
pub struct Programs {
    folder: PathBuf,
}

impl Programs {
    /// Finds the programs, and builds them when they are not there (about eight minutes, with progress on stderr).
    ///
    /// # Errors
    /// When the build fails; its last lines are on stderr.
    pub fn find() -> Result<Self> {
        static FOUND: OnceLock<std::result::Result<PathBuf, String>> = OnceLock::new();
        FOUND
            .get_or_init(|| build().map_err(|error| error.to_string()))
            .clone()
            .map(|folder| Self { folder })
            .map_err(Error::Unusable)
    }

    /// Path of `etcd`, `kube-apiserver`, `kube-controller-manager`, `kubectl` or `helm`.
    pub fn path(&self, program: &str) -> PathBuf {
        let here = self.folder.join(program);
        // An assets folder of a machine may come without helm; the build script then made sure that PATH has it.
        if here.exists() {
            here
        } else {
            PathBuf::from(program)
        }
    }

    /// The folder they are in.
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

fn build() -> Result<PathBuf> {
    let script = repository().join("hack/controlplane/build");
    let output = Command::new(&script)
        .stderr(Stdio::inherit())
        .output()
        .map_err(Error::io(format!("running {}", script.display())))?;
    if !output.status.success() {
        return Err(Error::Command {
            command: script.display().to_string(),
            status: describe(output.status),
            output: "see above".to_owned(),
        });
    }
    Ok(PathBuf::from(
        String::from_utf8_lossy(&output.stdout).trim(),
    ))
}

/// The root of this repository: the harness only ever runs from a checkout.
pub fn repository() -> &'static Path {
    let harness = Path::new(env!("CARGO_MANIFEST_DIR"));
    harness.parent().unwrap_or(harness)
}
