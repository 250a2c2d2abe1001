//! The subcommands. See docs/architecture.md.

pub mod sandbox;
