//! The real binary's sandbox as a child process.

use std::{
    io::{BufRead, BufReader, Read},
    process::{Child, Command, Stdio},
};

/// A running sandbox; it ends when this is dropped.
pub struct SandboxProcess {
    child: Child,
    /// `http://127.0.0.1:PORT`
    pub url: String,
}

impl SandboxProcess {
    /// Starts one on a free port, with these further arguments, and waits until it listens.
    pub fn start(arguments: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_tiktok-ads-operator"))
            .args(["sandbox", "--listen", "127.0.0.1:0", "--stop-with-parent"])
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let stdout = child.stdout.take().expect("stdout is piped");
        let mut line = String::new();
        BufReader::new(stdout)
            .read_line(&mut line)
            .expect("the binary says where it listens");
        if line.is_empty() {
            let mut said = String::new();
            if let Some(mut stderr) = child.stderr.take() {
                stderr.read_to_string(&mut said).expect("stderr is text");
            }
            panic!("the sandbox did not start: {said}");
        }
        let url = line
            .trim()
            .strip_prefix("listening on ")
            .unwrap_or_else(|| panic!("expected `listening on http://…`, got {line:?}"))
            .to_owned();
        Self { child, url }
    }

    /// Asks it to end, as Ctrl-C does, and waits.
    pub fn stop(mut self) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM)
            .expect("the sandbox is still there");
        let status = self.child.wait().expect("the sandbox ends");
        assert!(status.success(), "{status}");
    }
}

impl Drop for SandboxProcess {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ended = self.child.kill();
        let _ended = self.child.wait();
    }
}
