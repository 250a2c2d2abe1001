//! `devstack up` leaves a control plane, the sandbox and the operator running; `devstack down` stops them.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Seek as _, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tiktok_ads_harness::control_plane::free_ports;
use tiktok_ads_harness::programs::{Programs, repository};
use tiktok_ads_harness::{Chart, ControlPlane, Error, Ports, Result, Sandbox, wait_until};

const USAGE: &str = "usage: devstack up | down | serve | build
  up      start control plane, sandbox and operator in the background, write .run/env
  down    stop them
  serve   the same as up in the foreground, until killed
  build   build etcd, kube-apiserver, kube-controller-manager, kubectl and helm if need be, print their folder
The operator's binary is the one beside this program, or OPERATOR_BINARY.";

fn main() -> ExitCode {
    let stack = Stack::new(repository().join(".run"));
    let result = match std::env::args().nth(1).as_deref() {
        Some("up") => stack.up(),
        Some("down") => stack.down(),
        Some("serve") => stack.serve(),
        Some("build") => {
            Programs::find().map(|programs| println!("{}", programs.folder().display()))
        }
        _ => Err(Error::Unusable(USAGE.to_owned())),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("devstack: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The one stack of this checkout. Whoever serves it holds the lock file, in which its process id stands.
struct Stack {
    folder: PathBuf,
}

impl Stack {
    fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    fn env(&self) -> PathBuf {
        self.folder.join("env")
    }

    fn log(&self) -> PathBuf {
        self.folder.join("devstack.log")
    }

    /// The lock file, opened.
    fn lock_file(&self) -> Result<File> {
        std::fs::create_dir_all(&self.folder).map_err(io("making .run"))?;
        OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(self.folder.join("lock"))
            .map_err(io("opening .run/lock"))
    }

    /// Process id of the one that serves, if there is one.
    fn server(&self) -> Result<Option<Pid>> {
        let mut file = self.lock_file()?;
        if file.try_lock().is_ok() {
            return Ok(None);
        }
        let mut text = String::new();
        file.read_to_string(&mut text)
            .map_err(io("reading .run/lock"))?;
        Ok(text.trim().parse().ok().and_then(Pid::from_raw))
    }

    fn up(&self) -> Result<()> {
        if self.server()?.is_none() {
            remove(&self.env())?;
            let log = File::create(self.log()).map_err(io("making .run/devstack.log"))?;
            let also = log.try_clone().map_err(io("making .run/devstack.log"))?;
            let me = std::env::current_exe().map_err(io("finding this program"))?;
            // A process group of its own: a Ctrl-C meant for whoever runs `up` does not stop the stack.
            let mut server = Command::new(me)
                .arg("serve")
                .stdin(Stdio::null())
                .stdout(log)
                .stderr(also)
                .process_group(0)
                .spawn()
                .map_err(io("starting the server"))?;
            let mut shown = 0;
            wait_until("the stack to be up", Duration::from_secs(1800), || {
                shown = self.show_log(shown)?;
                if self.env().exists() {
                    return Ok(Ok(()));
                }
                match server.try_wait().map_err(io("asking after the server"))? {
                    None => Ok(Err(String::new())),
                    Some(_) => {
                        self.show_log(shown)?;
                        Err(Error::Unusable(
                            "the stack did not come up, see above".to_owned(),
                        ))
                    }
                }
            })?;
            self.show_log(shown)?;
        } else {
            wait_until(
                "the stack that is starting already",
                Duration::from_secs(1800),
                || {
                    Ok(if self.env().exists() {
                        Ok(())
                    } else {
                        Err(String::new())
                    })
                },
            )?;
        }
        println!("up. To use it:  source .run/env");
        Ok(())
    }

    /// Prints what was logged since `shown` bytes.
    fn show_log(&self, shown: usize) -> Result<usize> {
        let text = std::fs::read_to_string(self.log()).map_err(io("reading .run/devstack.log"))?;
        print!("{}", text.get(shown..).unwrap_or_default());
        Ok(text.len())
    }

    fn down(&self) -> Result<()> {
        let data = self.variable("STACK_DATA");
        if let Some(server) = self.server()? {
            // Everything it started dies with it.
            kill_process(server, Signal::TERM)
                .map_err(std::io::Error::from)
                .map_err(io("stopping the server"))?;
            wait_until("the server to end", Duration::from_secs(20), || {
                Ok(if self.server()?.is_none() {
                    Ok(())
                } else {
                    Err(String::new())
                })
            })?;
            if let Some(data) = data {
                wait_until(
                    &format!("{data} to be removed"),
                    Duration::from_secs(20),
                    || {
                        let there = Path::new(&data).exists();
                        Ok(if there { Err(String::new()) } else { Ok(()) })
                    },
                )?;
            }
            println!("down.");
        } else {
            println!("nothing is up.");
        }
        remove(&self.env())
    }

    /// One variable of `.run/env`.
    fn variable(&self, name: &str) -> Option<String> {
        let text = std::fs::read_to_string(self.env()).ok()?;
        let prefix = format!("export {name}='");
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix(prefix.as_str()))?;
        line.strip_suffix('\'').map(str::to_owned)
    }

    fn serve(&self) -> Result<()> {
        let mut lock = self.lock_file()?;
        lock.try_lock().map_err(|_| {
            Error::Unusable(
                "another stack of this checkout is up: devstack down stops it".to_owned(),
            )
        })?;
        lock.set_len(0).map_err(io("writing .run/lock"))?;
        lock.rewind().map_err(io("writing .run/lock"))?;
        write!(lock, "{}", std::process::id()).map_err(io("writing .run/lock"))?;
        remove(&self.env())?;
        let ended = self.run();
        // Nothing is up any more.
        remove(&self.env())?;
        ended
    }

    /// Starts everything, and returns only when something failed.
    fn run(&self) -> Result<()> {
        let binary = operator_binary()?;
        let begun = Instant::now();
        let step = |what: &str| println!("{:>5.1} s  {what}", begun.elapsed().as_secs_f32());
        step("starting etcd, kube-apiserver and kube-controller-manager");
        let cluster = ControlPlane::start()?;
        step(&format!("control plane at {}", cluster.url()));
        let sandbox = Sandbox::start(&cluster, &binary, &[])?;
        step(&format!("sandbox at {}", sandbox.url()));
        let [health, public, _] = free_ports()?;
        let public_url = format!("http://127.0.0.1:{public}");
        let chart = Chart::cluster_wide()
            .platform_url(sandbox.url())
            .set(&format!("publicUrl={public_url}"));
        let install = cluster.install(chart)?;
        step("chart installed");
        let start = || install.run_at(&binary, Ports { health, public }, &[], &[]);
        let mut operator = start()?;
        operator.wait_ready(Duration::from_secs(60))?;
        step(&format!(
            "operator at {}, its pages at {public_url}",
            operator.url()
        ));

        let variables = [
            ("KUBECONFIG", cluster.kubeconfig().display().to_string()),
            ("SANDBOX_URL", sandbox.url().to_owned()),
            ("METRICS_URL", format!("{}/metrics", operator.url())),
            ("PUBLIC_URL", public_url),
            ("AUDIT_LOG", cluster.audit().path().display().to_string()),
            ("STACK_DATA", cluster.folder().display().to_string()),
        ];
        self.write_env(&variables, binary.parent().unwrap_or(Path::new(".")))?;
        // What a kubelet would do: an operator that ended is started again, after a second.
        loop {
            std::thread::sleep(Duration::from_secs(1));
            sandbox.alive()?;
            if let Err(error) = operator.alive() {
                step(&format!("starting the operator again: {error}"));
                operator = start()?;
            }
        }
    }

    /// Writes `.run/env` in one stroke: its presence means that the stack is up.
    /// `commands` is the folder with the operator's binary.
    fn write_env(&self, variables: &[(&str, String)], commands: &Path) -> Result<()> {
        let mut text = String::new();
        for (name, value) in variables {
            text.push_str(&format!("export {name}='{value}'\n"));
        }
        // kubectl and helm, and the operator's own `check` and `connect`.
        let tools = Programs::find()?;
        text.push_str(&format!(
            "export PATH='{}':'{}':\"$PATH\"\n",
            tools.folder().display(),
            commands.display()
        ));
        let beside = self.folder.join("env.new");
        std::fs::write(&beside, text).map_err(io("writing .run/env"))?;
        std::fs::rename(&beside, self.env()).map_err(io("writing .run/env"))
    }
}

/// `OPERATOR_BINARY`, or the binary that cargo put beside this one.
fn operator_binary() -> Result<PathBuf> {
    if let Some(path) = std::env::var_os("OPERATOR_BINARY") {
        return Ok(PathBuf::from(path));
    }
    let me = std::env::current_exe().map_err(io("finding this program"))?;
    let beside = me.with_file_name("tiktok-ads-operator");
    if beside.exists() {
        Ok(beside)
    } else {
        Err(Error::Unusable(format!(
            "there is no {}: run cargo build --bin tiktok-ads-operator first",
            beside.display()
        )))
    }
}

fn remove(path: &Path) -> Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(io(&format!("removing {}", path.display()))(error))
        }
        _ => Ok(()),
    }
}

fn io(what: &str) -> impl FnOnce(std::io::Error) -> Error {
    let what = what.to_owned();
    move |source| Error::Io { what, source }
}
