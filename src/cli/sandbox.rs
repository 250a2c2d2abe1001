//! `tiktok-ads-operator sandbox`: a local TikTok on a socket.

mod deliver;

use std::{net::SocketAddr, path::PathBuf};

use clap::Args;
use tokio::net::TcpListener;

use super::out::{self, OutError};
use crate::sandbox::{
    Config, KnobError, Sandbox, default_account,
    http::{ServeError, Shared, serve, system_now},
    knobs, state,
};

/// Runs a local TikTok: the Marketing API for campaigns in both trees, OAuth with its approval page, advertiser info and
/// signed webhooks, with a control interface under /sandbox/. docs/sandbox.md describes it.
#[derive(Clone, Debug, Args)]
pub struct SandboxArgs {
    /// Where to listen. Port 0 takes a free one; the address is printed on stdout.
    #[arg(long, default_value = "127.0.0.1:8911", env = "SANDBOX_LISTEN")]
    pub listen: SocketAddr,
    /// Keeps everything in this file. Without it, everything is gone at the end.
    #[arg(long, value_name = "FILE")]
    pub state: Option<PathBuf>,
    /// Ids and tokens follow from it. An existing state file keeps its own.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Makes TikTok behave one way where the truth is unknown, as name=value. May be repeated. --list-knobs shows all.
    #[arg(long = "knob", value_name = "NAME=VALUE", value_parser = knobs::parse)]
    pub knobs: Vec<(String, String)>,
    /// Prints all knobs with their values and defaults, and ends.
    #[arg(long)]
    pub list_knobs: bool,
    /// Ends when the process that started it ends, however it ends. For tests and demos. Linux only.
    #[arg(long)]
    pub stop_with_parent: bool,
}

/// Why the sandbox could not run.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// A knob is wrong.
    #[error(transparent)]
    Knob(#[from] KnobError),
    /// The state file cannot be used.
    #[error(transparent)]
    State(#[from] state::StateError),
    /// The address cannot be listened on.
    #[error(
        "cannot listen on {address}: {source}. Choose another with --listen, or port 0 for a free one."
    )]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// The parent cannot be watched.
    #[error("cannot watch the parent process: {0}. Leave --stop-with-parent out.")]
    Parent(std::io::Error),
    /// Standard output cannot be written.
    #[error("{0}")]
    Out(#[from] OutError),
    /// Webhooks cannot be sent.
    #[error("cannot set up the client that sends webhooks: {0}")]
    Client(#[from] reqwest::Error),
    /// Serving failed.
    #[error(transparent)]
    Serve(#[from] ServeError),
}

/// Runs until SIGINT or SIGTERM.
///
/// Prints one line `listening on http://ADDRESS` on stdout when it is ready; hints for people go to stderr.
///
/// # Errors
/// See [`SandboxError`].
pub async fn run(args: SandboxArgs) -> Result<(), SandboxError> {
    if args.list_knobs {
        for knob in knobs::KNOBS {
            out::print(&format!(
                "{} = {}  ({})\n    {}\n",
                knob.name,
                knob.default,
                knob.kind.describe(),
                knob.models
            ))?;
        }
        return Ok(());
    }
    if args.stop_with_parent {
        stop_with_parent().map_err(SandboxError::Parent)?;
    }
    let kept = match &args.state {
        Some(file) => state::load(file)?,
        None => None,
    };
    let sandbox = match kept {
        Some(mut sandbox) => {
            for (name, value) in &args.knobs {
                sandbox.set_knob(None, name, value)?;
            }
            sandbox.senders_stopped(system_now());
            sandbox
        }
        None => Sandbox::new(&Config {
            seed: args.seed,
            knobs: args.knobs.clone(),
            ..Config::default()
        })?,
    };
    let listen = |source| SandboxError::Listen {
        address: args.listen,
        source,
    };
    let listener = TcpListener::bind(args.listen).await.map_err(listen)?;
    let address = listener.local_addr().map_err(listen)?;
    // Before the line that says we are ready, so that whoever waits for it can already stop us.
    let stop = stop_signal().map_err(listen)?;
    out::print(&format!("listening on http://{address}\n"))?;
    eprintln!(
        "A local TikTok. Advertiser {}, access token {}, app {} with secret {}.\nControl interface: http://{address}/sandbox/   Stop with Ctrl-C.",
        default_account::ADVERTISER_ID,
        default_account::ACCESS_TOKEN,
        default_account::APP_ID,
        default_account::APP_SECRET,
    );
    let shared = Shared::new(sandbox);
    let client = deliver::client()?;
    tokio::select! {
        served = serve(listener, shared.clone(), args.state, stop) => served?,
        never = deliver::deliver(shared, client) => match never {},
    }
    Ok(())
}

/// Done when SIGINT or SIGTERM arrives.
fn stop_signal() -> std::io::Result<impl Future<Output = ()> + Send> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Asks the kernel to end us when our parent ends.
#[cfg(target_os = "linux")]
fn stop_with_parent() -> std::io::Result<()> {
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::TERM))?;
    Ok(())
}

#[cfg(not(target_os = "linux"))]
fn stop_with_parent() -> std::io::Result<()> {
    Err(std::io::Error::from(std::io::ErrorKind::Unsupported))
}
