//! placeholder until merged
use std::sync::Mutex;
use std::time::Duration;

use crate::model::protocol::{Held, covers};
#[derive(Debug, Default)]
pub struct Fence {
    held: Mutex<Option<Held>>,
}
impl Fence {
    pub fn check(&self, awake: Duration, need: Duration) -> Option<u64> {
        let held = *self.held.lock().ok()?;
        covers(held, awake, need)
    }
}
