//! What can go wrong while a local stack is built, started or asked.

use std::path::PathBuf;
use std::time::Duration;

/// Result of a harness operation.
pub type Result<T> = std::result::Result<T, Error>;

/// A failure of the local stack, with what a developer needs to go on.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file, socket or process operation failed.
    #[error("{what}: {source}")]
    Io {
        /// What was being done, with the path.
        what: String,
        /// The operating system's answer.
        source: std::io::Error,
    },
    /// A command ended with a status other than 0.
    #[error("{command} failed ({status}):\n{output}")]
    Command {
        /// The command line.
        command: String,
        /// Its exit status in words.
        status: String,
        /// What it printed.
        output: String,
    },
    /// A server ended while it was needed.
    #[error("{name} ended ({status}); the end of {log}:\n{tail}", log = log.display())]
    Ended {
        /// Name of the program.
        name: String,
        /// Its exit status in words.
        status: String,
        /// Where it logs.
        log: PathBuf,
        /// The last lines of that log.
        tail: String,
    },
    /// Something did not become true in time.
    #[error("waited {after:?} in vain for {what}{last}")]
    Deadline {
        /// What was waited for.
        what: String,
        /// How long.
        after: Duration,
        /// What was seen last, if anything.
        last: String,
    },
    /// A program, file or answer is not what it has to be.
    #[error("{0}")]
    Unusable(String),
}

impl Error {
    /// For `map_err`: an I/O failure with what was being done.
    pub(crate) fn io(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let what = what.into();
        move |source| Self::Io { what, source }
    }
}
