//! The one integration binary.

// A test that cannot go on stops with what it saw.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod official_client;
mod sandbox_http;
mod sandbox_process;
