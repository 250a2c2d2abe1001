//! Ad groups: their spec in TikTok's words.

use super::reason::Reason;
use super::wanted::{Wanted, World};
use crate::api::ad_group::AdGroupSpec;

pub const SHARED_SMART_PLUS: &[&str] = &["bid_price", "conversion_bid_price", "roas_bid"];
pub const SHARED_CBO: &[&str] = &["bid_type", "optimization_goal", "optimization_event"];

pub fn wanted(_spec: &AdGroupSpec, _world: &World) -> Wanted {
    Wanted::default()
}

pub fn may_create(_spec: &AdGroupSpec, _world: &World) -> Result<(), (Reason, String)> {
    Ok(())
}
