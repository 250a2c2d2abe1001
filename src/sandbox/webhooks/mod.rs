//! What TikTok tells subscribers by itself: results of reviews and changes of an account's status.
//!
//! `events` makes them, `queue` holds what is to be sent and what became of it, `signature` signs. Nothing here has a
//! socket: [`Sandbox::due_deliveries`](super::Sandbox::due_deliveries) hands out what is due, and
//! [`Sandbox::delivery_result`](super::Sandbox::delivery_result) takes what came of it.

mod by_hand;
mod events;
mod queue;
mod signature;

use std::collections::{BTreeSet, VecDeque};

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use by_hand::NewEvent;
pub use queue::{Attempt, Delivered, Delivery, DeliveryState, SentEvent};

use super::item::Level;

/// An event that waits for others to share a body with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Gathered {
    due: i64,
    app_id: String,
    url: String,
    object: u8,
    advertiser_id: String,
    subscription_id: String,
    entry: Value,
}

/// All that is between an event and its receiver.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Webhooks {
    /// Ends of reviews that nobody was told yet: when, whose, what.
    reviews: BTreeSet<(i64, String, Level, u64)>,
    gathered: Vec<Gathered>,
    /// Neither delivered nor given up, oldest first.
    waiting: Vec<SentEvent>,
    /// The last of those that are settled, oldest first.
    finished: VecDeque<SentEvent>,
    last_id: u64,
}

impl Webhooks {
    /// What will still be sent.
    pub(super) fn open(&self) -> impl Serialize + '_ {
        (&self.reviews, &self.gathered, &self.waiting)
    }
}
