//! The command line.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tiktok_ads_operator::cli::crds::{self, CrdsArgs};
use tiktok_ads_operator::cli::run::{self, RunArgs};
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
    /// The operator.
    Run(RunArgs),
    /// Print or write the CustomResourceDefinitions.
    Crds(CrdsArgs),
    /// A local TikTok to try manifests on, without an account.
    Sandbox(SandboxArgs),
}

#[tokio::main]
async fn main() -> ExitCode {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let done: Result<(), Box<dyn std::error::Error>> = match Cli::parse().command {
        Command::Run(args) => {
            tracing_subscriber::fmt()
                .with_env_filter(
                    tracing_subscriber::EnvFilter::try_from_default_env()
                        .unwrap_or_else(|_| "info".into()),
                )
                .init();
            run::run(args).await
        }
        Command::Crds(args) => crds::run(&args).map_err(Into::into),
        Command::Sandbox(args) => sandbox::run(args).await.map_err(Into::into),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
