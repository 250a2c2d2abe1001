//! TikTok advertising as declarative Kubernetes objects. `docs/architecture.md` is the map of the rooms below.

pub mod api;
pub mod cli;
pub mod engine;
pub mod http;
pub mod model;
pub mod observe;
pub mod platform;
pub mod sandbox;
