//! The command line: one file per subcommand, each with its arguments (clap) and its run function.

pub mod check;
pub mod connect;
pub mod crds;
pub mod forward;
pub mod front;
pub mod kubeconfig;
pub mod out;
pub mod public;
pub mod reference;
pub mod run;
pub mod sandbox;
pub mod times;

use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};
use tracing_subscriber::EnvFilter;

/// TikTok advertising as declarative Kubernetes objects.
#[derive(Parser, Debug)]
#[command(version)]
pub struct Cli {
    /// How the log is written, to standard error. What it holds is set by RUST_LOG.
    #[arg(long, global = true, value_enum, env = "LOG_FORMAT", default_value_t = LogFormat::Text)]
    pub log_format: LogFormat,
    #[command(subcommand)]
    pub command: Command,
}

/// How the log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object per line.
    Json,
}

/// The subcommands.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Run the operator.
    Run(Box<run::RunArgs>),
    /// Connect a TikTokConnection: print its link, and tell how far it has come.
    Connect(connect::ConnectArgs),
    /// A local TikTok to try manifests on, without an account.
    Sandbox(sandbox::SandboxArgs),
    /// Print the CustomResourceDefinitions.
    Crds(crds::CrdsArgs),
    /// Validate manifests offline, with the rules the API server has.
    Check(check::CheckArgs),
}

/// Without RUST_LOG. The watches are logged by ourselves, once per change; kube would repeat a missing right every
/// 30 seconds.
const LOG: &str = "info,kube_runtime::watcher=error";

fn log(format: LogFormat) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(LOG));
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    match format {
        LogFormat::Text => log.init(),
        LogFormat::Json => log.json().flatten_event(true).init(),
    }
}

/// A panic is told by its place alone: its message may have a part of what was worked on in it, and that may be a secret.
fn say_where_it_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string);
        tracing::error!(
            place = place.as_deref().unwrap_or("unknown"),
            "panicked: a bug"
        );
    }));
}

/// Does what the command line says. The crypto provider must be installed before.
pub async fn main(cli: Cli) -> ExitCode {
    let done: Result<ExitCode, Box<dyn std::error::Error>> = match cli.command {
        Command::Run(args) => {
            log(cli.log_format);
            say_where_it_panics();
            run::run(*args)
                .await
                .map(|()| ExitCode::SUCCESS)
                .map_err(Into::into)
        }
        Command::Connect(args) => connect::run(&args).await.map_err(Into::into),
        Command::Sandbox(args) => sandbox::run(args)
            .await
            .map(|()| ExitCode::SUCCESS)
            .map_err(Into::into),
        Command::Crds(args) => crds::run(&args)
            .map(|()| ExitCode::SUCCESS)
            .map_err(Into::into),
        Command::Check(args) => check::run(&args).map_err(Into::into),
    };
    done.unwrap_or_else(|error| {
        if out::reader_gone(&*error) {
            return ExitCode::SUCCESS;
        }
        eprintln!("error: {error}");
        ExitCode::FAILURE
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_charts_arguments_are_understood() {
        let args = "x run --platform-url=http://127.0.0.1:1 --tier=Basic --sweep-interval=60s --install=a/b --lease-namespace=a \
            --watch-namespace=n --watch-namespace=m --health-addr=0.0.0.0:8080 --public-url=https://a.example \
            --public-addr=0.0.0.0:8090 --log-format=json";
        let cli = Cli::parse_from(args.split_whitespace());
        assert_eq!(cli.log_format, LogFormat::Json);
        assert!(matches!(cli.command, Command::Run(args) if args.watch_namespaces == ["n", "m"]));
    }
}
