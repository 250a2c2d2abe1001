//! The subcommands. Each file has its arguments and a `run`.

pub mod check;
pub mod crds;
