//! Keeping a sandbox in a file.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

use super::Sandbox;

/// Why a state file could not be used.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// The file could not be read or written.
    #[error(
        "cannot {action} the state file {path}: {source}. Check that the folder exists and can be written to."
    )]
    Io {
        /// `read` or `write`.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file is not a state of this version.
    #[error(
        "the state file {path} is not one of this version's: {source}. Delete it to start afresh."
    )]
    Form {
        /// The file.
        path: PathBuf,
        /// Where it does not fit.
        source: serde_json::Error,
    },
}

/// Reads a state; `None` if there is no such file yet.
pub fn load(path: &Path) -> Result<Option<Sandbox>, StateError> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => {
            return Err(StateError::Io {
                action: "read",
                path: path.into(),
                source,
            });
        }
    };
    serde_json::from_slice(&bytes)
        .map(Some)
        .map_err(|source| StateError::Form {
            path: path.into(),
            source,
        })
}

/// Writes a state: whole or not at all, whenever the machine stops.
pub fn save(path: &Path, sandbox: &Sandbox) -> Result<(), StateError> {
    let wrap = |source| StateError::Io {
        action: "write",
        path: path.into(),
        source,
    };
    let bytes = serde_json::to_vec(sandbox).map_err(|source| StateError::Form {
        path: path.into(),
        source,
    })?;
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(".new");
    let temporary = PathBuf::from(temporary);
    let mut file = File::create(&temporary).map_err(wrap)?;
    file.write_all(&bytes).map_err(wrap)?;
    file.sync_all().map_err(wrap)?;
    fs::rename(&temporary, path).map_err(wrap)?;
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(wrap)
}
