//! The two decisions of a create that belong to neither the plan nor a client: may what was announced be sent now, and
//! does the lease cover it? Pure, so that the engine and the exhaustive search decide by the same lines.

use std::time::Duration;

use super::plan::{Action, Plan};
use crate::platform::NewCampaign;

/// What may be sent right after a mark (decision 4): exactly what was announced, and only if the plan from the marked
/// copy asks for it.
///
/// `again` is the plan made from the copy that the API server answered the mark with; `None` when it did not take the
/// mark, or when nobody knows.
pub fn create_after(announced: NewCampaign, again: Option<&Plan>) -> Option<NewCampaign> {
    match again.map(|plan| &plan.action) {
        Some(Action::Create { campaign, .. }) => (**campaign == announced).then_some(announced),
        _ => None,
    }
}

/// A lease in hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// When it ends, on a clock that also counts the time a machine sleeps.
    pub until: Duration,
    /// How often it has changed hands: the count that every write carries.
    pub transitions: u64,
}

/// The lease's count, if the lease is held and will be for `need` from `awake` on: only then may a write be started
/// (decision 14).
pub fn covers(held: Option<Held>, awake: Duration, need: Duration) -> Option<u64> {
    held.filter(|held| awake.saturating_add(need) < held.until)
        .map(|held| held.transitions)
}
