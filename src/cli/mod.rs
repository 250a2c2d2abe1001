//! The subcommands. See docs/architecture.md.

pub mod run;
pub mod sandbox;
