//! The command line: one file per subcommand, each with its arguments (clap) and its run function.

pub mod check;
pub mod crds;
pub mod run;
pub mod sandbox;
