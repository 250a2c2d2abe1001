//! The one integration binary.

mod official_client;
mod sandbox_http;
mod sandbox_process;
mod sim;
