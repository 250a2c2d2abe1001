//! Running kubectl and helm against a control plane.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::process::describe;
use crate::programs::Programs;
use crate::{Error, Result};

/// What a command printed and how it ended.
#[derive(Debug, Clone)]
pub struct Output {
    /// The command line, for messages.
    pub command: String,
    /// Exit status 0.
    pub success: bool,
    /// The status in words.
    pub status: String,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Output {
    /// Standard output of a command that succeeded.
    ///
    /// # Errors
    /// [`Error::Command`] with everything it printed.
    pub fn ok(self) -> Result<String> {
        if self.success {
            Ok(self.stdout)
        } else {
            Err(Error::Command {
                command: self.command,
                status: self.status,
                output: format!("{}{}", self.stdout, self.stderr),
            })
        }
    }

    /// Standard error of a command that was refused, for tests of messages.
    ///
    /// # Errors
    /// [`Error::Unusable`] when it succeeded.
    pub fn refused(self) -> Result<String> {
        if self.success {
            Err(Error::Unusable(format!(
                "{} should have been refused, but went through: {}",
                self.command, self.stdout
            )))
        } else {
            Ok(self.stderr)
        }
    }
}

/// kubectl and helm under one identity.
#[derive(Debug, Clone)]
pub struct Kubectl {
    programs: Programs,
    kubeconfig: PathBuf,
    home: PathBuf,
}

impl Kubectl {
    /// Commands that use `kubeconfig`, with their caches below `home`.
    pub fn new(programs: Programs, kubeconfig: PathBuf, home: PathBuf) -> Self {
        Self {
            programs,
            kubeconfig,
            home,
        }
    }

    /// The kubeconfig of this identity.
    pub fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }

    /// Runs kubectl with `input` on its standard input.
    ///
    /// # Errors
    /// When it cannot be run at all; a refusal is in the [`Output`].
    pub fn run_with(&self, args: &[&str], input: &str) -> Result<Output> {
        self.command("kubectl", args, input)
    }

    /// Runs kubectl.
    ///
    /// # Errors
    /// When it cannot be run at all; a refusal is in the [`Output`].
    pub fn run(&self, args: &[&str]) -> Result<Output> {
        self.command("kubectl", args, "")
    }

    /// Runs helm.
    ///
    /// # Errors
    /// When it cannot be run at all; a failure of its own is in the [`Output`].
    pub fn helm(&self, args: &[&str]) -> Result<Output> {
        self.command("helm", args, "")
    }

    /// `kubectl … -o json`, parsed.
    ///
    /// # Errors
    /// When kubectl fails (for instance: not found) or prints something else.
    pub fn json(&self, args: &[&str]) -> Result<Value> {
        let mut all = args.to_vec();
        all.extend(["-o", "json"]);
        let text = self.run(&all)?.ok()?;
        serde_json::from_str(&text)
            .map_err(|error| Error::Unusable(format!("kubectl {args:?} printed no JSON: {error}")))
    }

    /// Applies a manifest into a namespace (client-side apply, what most users do).
    ///
    /// # Errors
    /// When the server refuses it.
    pub fn apply(&self, namespace: &str, manifest: &str) -> Result<String> {
        self.run_with(&["apply", "-n", namespace, "-f", "-"], manifest)?
            .ok()
    }

    fn command(&self, program: &str, args: &[&str], input: &str) -> Result<Output> {
        let shown = format!("{program} {}", args.join(" "));
        let mut child = Command::new(self.programs.path(program))
            .args(args)
            .env("KUBECONFIG", &self.kubeconfig)
            // Caches, plugins and settings of whoever runs this stay out of it.
            .env("HOME", &self.home)
            .env("XDG_CACHE_HOME", self.home.join(".cache"))
            .env_remove("KUBECACHEDIR")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(Error::io(format!("running {shown}")))?;
        if let Some(mut stdin) = child.stdin.take()
            && let Err(error) = stdin.write_all(input.as_bytes())
            // It ended before it read everything: its own message says why.
            && error.kind() != std::io::ErrorKind::BrokenPipe
        {
            let _ = child.kill();
            let _ = child.wait();
            return Err(Error::io(format!("writing to {shown}"))(error));
        }
        let output = child
            .wait_with_output()
            .map_err(Error::io(format!("waiting for {shown}")))?;
        Ok(Output {
            command: shown,
            success: output.status.success(),
            status: describe(output.status),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        })
    }
}
