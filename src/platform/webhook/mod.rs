//! What TikTok sends to us: whether it is TikTok's, and which ids it makes stale (R23). Pure: no clock, no I/O.
//!
//! An event is a hint. Nothing in it is believed but that something about one id may have changed: what it is now, and
//! why, is looked up.

mod payload;
mod signature;

pub use payload::{Event, EventKind, MOST_ENTRIES, PayloadError, parse};
pub use signature::{SignedBy, SigningKeys, Verdict, verify, verify_open, verify_tiktok};
