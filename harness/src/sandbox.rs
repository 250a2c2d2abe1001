//! The sandbox platform as a process of its own.

use std::ops::Deref;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::{ControlPlane, Error, Process, Result, http};

/// A running `tiktok-ads-operator sandbox`. Dereferences to its [`Process`].
#[derive(Debug)]
pub struct Sandbox {
    process: Process,
    url: String,
}

impl Deref for Sandbox {
    type Target = Process;

    fn deref(&self) -> &Process {
        &self.process
    }
}

impl Sandbox {
    /// Starts one on a free port with further arguments (`--seed`, knobs), and waits until it listens. Its log is in the
    /// folder of the control plane.
    ///
    /// # Errors
    /// When it does not say within 20 s where it listens.
    pub fn start(cluster: &ControlPlane, binary: &Path, args: &[&str]) -> Result<Self> {
        let log = cluster
            .folder()
            .join(format!("sandbox-{}.log", cluster.number()));
        let mut command = Command::new(binary);
        command
            .args(["sandbox", "--listen", "127.0.0.1:0"])
            .args(args);
        let process = Process::spawn("the sandbox", command, &log)?;
        let line = process.wait_for_line("listening on http://", Duration::from_secs(20))?;
        let url = line
            .split_whitespace()
            .find(|word| word.starts_with("http://"))
            .ok_or_else(|| Error::Unusable(format!("no address in {line:?}")))?
            .to_owned();
        Ok(Self { process, url })
    }

    /// `http://127.0.0.1:PORT`, without a slash at the end.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// A request to it: `path` begins with a slash.
    ///
    /// # Errors
    /// When it does not answer.
    pub fn request(&self, method: &str, path: &str, body: &str) -> Result<http::Answer> {
        http::request(method, &format!("{}{path}", self.url), body)
    }
}
