//! The command line.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tiktok_ads_operator::cli::sandbox::{self, SandboxArgs};

/// TikTok advertising as declarative Kubernetes objects.
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// A local TikTok to try manifests on, without an account.
    Sandbox(SandboxArgs),
}

#[tokio::main]
async fn main() -> ExitCode {
    let Cli {
        command: Command::Sandbox(args),
    } = Cli::parse();
    match sandbox::run(args).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
