//! The only place that joins the worlds: watch, queue, one turn, calls, learning, reporting, the lease.

pub mod account;
pub mod apps;
pub mod calls;
pub mod connection;
pub mod doors;
pub mod due;
pub mod events;
pub mod family;
pub mod hearing;
pub mod kube_door;
pub mod lease;
pub mod metrics;
pub mod news;
pub mod outbox;
pub mod panics;
pub mod planning;
pub mod queue;
mod resource;
pub mod run;
pub mod settings;
pub mod state;
pub mod stores;
pub mod subscriptions;
pub mod sweep;
pub mod turn;
pub mod watch;
pub mod webhooks;
