//! The one integration binary. Its tests share one control plane: `tiktok_ads_harness::shared()`.

// A test that cannot go on stops with what it saw.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod admission;
mod bad_manifests;
mod chart;
mod connect;
mod connect_app_secret;
mod connect_pages;
mod control_plane;
mod docs;
mod door;
mod endings;
mod examples;
mod fleet;
mod flood;
mod fuzz_corpus;
mod kill;
mod layers;
mod official_client;
mod plan_properties;
mod replicas;
mod rules;
mod sandbox_connect;
mod sandbox_http;
mod sandbox_process;
mod scale;
mod scale_trees;
mod search;
mod signing;
mod sim;
mod spec_echo;
mod stack;
mod supply_chain;
mod tree_endings;
mod tree_smoke;
mod trees;
mod webhook_replicas;
