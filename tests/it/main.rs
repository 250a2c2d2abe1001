//! The one integration binary.

mod official_client;
mod plan_properties;
mod sandbox_http;
mod sandbox_process;
mod search;
