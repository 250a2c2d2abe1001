//! The binary: see the library's `cli`.

use std::process::ExitCode;

use clap::Parser;
use tiktok_ads_operator::cli::{self, Cli};

#[tokio::main]
async fn main() -> ExitCode {
    // Named once for the whole process, before anything opens a connection. It fails only if that has been done.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    cli::main(Cli::parse()).await
}
