//! The pure core: what a record means, what to do next, which work shares a call, what to report.
//!
//! Nothing here waits, reads a clock, logs or talks to anybody. Time is an argument, the world arrives as
//! [`facts::Facts`], the decision leaves as a [`plan::Plan`]: one next step, and why.

pub mod ad;
pub mod ad_group;
pub mod campaign;
pub mod ceiling;
pub mod connect_state;
pub mod connection;
pub mod creatable;
pub mod creatives;
pub mod diff;
pub mod effective;
pub mod facts;
pub mod hearing;
pub mod key;
pub mod object;
pub mod plan;
pub mod protocol;
pub mod reason;
pub mod record;
pub mod report;
pub mod schedule;
pub mod subscriptions;
pub mod tell;
pub mod tiktok_names;
pub mod token;
pub mod wanted;
pub mod webhook_keys;
