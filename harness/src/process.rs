//! Children that cannot outlive this process.
//!
//! On Linux each child asks the kernel for a SIGKILL at its parent's death (`PR_SET_PDEATHSIG`). That signal comes when the
//! *thread* that made the child ends, and a test harness ends a thread per test: so one thread, which lives as long as
//! the process, makes all of them.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Seek as _, SeekFrom};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::{Error, Result, wait_until};

/// A running program with its output in a file. Dropping it kills it (SIGKILL).
#[derive(Debug)]
pub struct Process {
    name: String,
    pid: u32,
    log: PathBuf,
    child: Mutex<Child>,
}

impl Process {
    /// Starts `command` with both outputs appended to `log` and no input.
    ///
    /// # Errors
    /// When the log cannot be opened or the program cannot be started.
    pub fn spawn(name: &str, mut command: Command, log: &Path) -> Result<Self> {
        let failed = || format!("starting {name} ({:?})", command.get_program());
        let out = OpenOptions::new()
            .create(true)
            .append(true)
            .open(log)
            .map_err(Error::io(format!("opening {}", log.display())))?;
        let also = out.try_clone().map_err(Error::io(failed()))?;
        let failed = failed();
        command.stdin(Stdio::null()).stdout(out).stderr(also);
        let child = spawn_bound(command).map_err(Error::io(failed))?;
        Ok(Self {
            name: name.to_owned(),
            pid: child.id(),
            log: log.to_owned(),
            child: Mutex::new(child),
        })
    }

    /// Process id.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// The file with its standard output and error.
    pub fn log(&self) -> &Path {
        &self.log
    }

    /// Everything it has printed so far.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn output(&self) -> Result<String> {
        tail_from(&self.log, 0)
    }

    /// How it ended, or `None` while it runs.
    ///
    /// # Errors
    /// When the operating system does not say.
    pub fn status(&self) -> Result<Option<ExitStatus>> {
        self.child()
            .try_wait()
            .map_err(Error::io(format!("asking after {}", self.name)))
    }

    /// Kills it with SIGKILL and waits until it is gone. Fine when it is gone already.
    ///
    /// # Errors
    /// When it cannot be signalled or waited for.
    pub fn kill(&self) -> Result<()> {
        let mut child = self.child();
        child
            .kill()
            .map_err(Error::io(format!("killing {}", self.name)))?;
        child
            .wait()
            .map(drop)
            .map_err(Error::io(format!("waiting for the end of {}", self.name)))
    }

    /// Asks it to end with SIGTERM and waits for at most `limit`; returns how it ended.
    ///
    /// # Errors
    /// [`Error::Deadline`] when it goes on; it is not killed then.
    pub fn terminate(&self, limit: Duration) -> Result<ExitStatus> {
        self.signal(Signal::TERM)?;
        wait_until(
            &format!("the end of {} after SIGTERM", self.name),
            limit,
            || Ok(self.status()?.ok_or_else(String::new)),
        )
    }

    /// Sends a signal, for instance `Signal::STOP` and `Signal::CONT` to freeze it for a while. Nothing happens when it has ended.
    ///
    /// # Errors
    /// When the signal cannot be sent.
    pub fn signal(&self, signal: Signal) -> Result<()> {
        // Under the lock, and only while it runs: the id of a process that was waited for may belong to another one.
        let mut child = self.child();
        let ended = child
            .try_wait()
            .map_err(Error::io(format!("asking after {}", self.name)))?
            .is_some();
        let pid = i32::try_from(self.pid).ok().and_then(Pid::from_raw);
        match pid {
            Some(pid) if !ended => kill_process(pid, signal)
                .map_err(std::io::Error::from)
                .map_err(Error::io(format!("signalling {}", self.name))),
            _ => Ok(()),
        }
    }

    /// Waits for a line that contains `needle` in its output and returns that line.
    ///
    /// # Errors
    /// [`Error::Deadline`], or [`Error::Ended`] when the program ended without it.
    pub fn wait_for_line(&self, needle: &str, limit: Duration) -> Result<String> {
        wait_until(&format!("“{needle}” from {}", self.name), limit, || {
            let alive = self.alive();
            let text = self.output()?;
            // Only whole lines: the writer may be in the middle of one.
            let whole = text.rfind('\n').map_or("", |end| &text[..end]);
            match whole.lines().find(|line| line.contains(needle)) {
                Some(line) => Ok(Ok(line.to_owned())),
                None => alive.map(|()| Err(String::new())),
            }
        })
    }

    /// # Errors
    /// [`Error::Ended`] with the end of its log when it does not run any more.
    pub fn alive(&self) -> Result<()> {
        match self.status()? {
            None => Ok(()),
            Some(status) => Err(Error::Ended {
                name: self.name.clone(),
                status: describe(status),
                log: self.log.clone(),
                tail: last_lines(&self.output().unwrap_or_default(), 20),
            }),
        }
    }

    fn child(&self) -> MutexGuard<'_, Child> {
        self.child.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Err(error) = self.kill() {
            eprintln!("harness: {error}");
        }
    }
}

/// An exit status in words.
pub(crate) fn describe(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit code {code}"),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => status.to_string(),
    }
}

fn last_lines(text: &str, count: usize) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}

/// The text of a file from a byte offset on.
pub(crate) fn tail_from(path: &Path, offset: u64) -> Result<String> {
    let failed = || format!("reading {}", path.display());
    let mut file = File::open(path).map_err(Error::io(failed()))?;
    file.seek(SeekFrom::Start(offset))
        .map_err(Error::io(failed()))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).map_err(Error::io(failed()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

type Order = (Command, Sender<std::io::Result<Child>>);

/// Starts a command on the thread that lives as long as the process.
fn spawn_bound(command: Command) -> std::io::Result<Child> {
    static SPAWNER: OnceLock<std::io::Result<Mutex<Sender<Order>>>> = OnceLock::new();
    let gone = || std::io::Error::other("the thread that starts children is gone");
    let spawner = SPAWNER.get_or_init(|| {
        let (orders, inbox) = channel::<Order>();
        std::thread::Builder::new()
            .name("harness-spawner".to_owned())
            .spawn(move || {
                while let Ok((mut command, reply)) = inbox.recv() {
                    bind_to_parent(&mut command);
                    // The one who asked may be gone (its test panicked): the child is dropped and killed then.
                    if let Err(unsent) = reply.send(command.spawn())
                        && let Ok(mut child) = unsent.0
                    {
                        let _ = child.kill();
                        let _ = child.wait();
                    }
                }
            })?;
        Ok(Mutex::new(orders))
    });
    let orders = match spawner {
        Ok(orders) => orders,
        Err(error) => return Err(std::io::Error::new(error.kind(), error.to_string())),
    };
    let (reply, answer) = channel();
    orders
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .send((command, reply))
        .map_err(|_| gone())?;
    answer.recv().map_err(|_| gone())?
}

/// Lets the kernel kill the child when this process is gone.
#[expect(
    unsafe_code,
    reason = "a death signal can only be set between fork and exec"
)]
fn bind_to_parent(command: &mut Command) {
    let parent = Pid::from_raw(i32::try_from(std::process::id()).unwrap_or(0));
    let bind = move || {
        rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
        // The parent may have died between fork and the line above; then no signal will come.
        if rustix::process::getppid() == parent {
            Ok(())
        } else {
            Err(std::io::Error::other("the parent is gone"))
        }
    };
    // SAFETY: the closure runs between fork and exec in a process with one thread. It makes two system calls; it takes no
    // lock and touches no memory shared with the parent. It allocates only if the parent is gone, when nothing waits for it.
    unsafe {
        command.pre_exec(bind);
    }
}
