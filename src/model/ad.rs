//! Ads: their spec in TikTok's words.

use super::reason::Reason;
use super::wanted::{Wanted, World};
use crate::api::ad::{AdSpec, SmartPlusCreative};

pub fn wanted(_spec: &AdSpec, _world: &World) -> Wanted {
    Wanted::default()
}

pub fn may_create(_spec: &AdSpec, _world: &World) -> Result<(), (Reason, String)> {
    Ok(())
}

pub fn creative_key(_creative: &SmartPlusCreative) -> String {
    String::new()
}
