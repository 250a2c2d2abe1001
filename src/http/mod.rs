//! Everything the operator answers over HTTP, on two listeners: health and metrics for the cluster ([`health`]), and pages
//! and webhooks for browsers and TikTok ([`public`]). Both know the rest of the operator by narrow handles only.

pub mod backend;
mod body;
pub mod callback;
mod connect;
mod cookies;
mod form;
pub mod health;
mod html;
mod pages;
mod pass_on;
pub mod public;
mod security;
mod webhooks;

pub use health::{Handles, HttpError, Server};
