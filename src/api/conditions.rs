//! The closed lists of condition types and of the reasons they are given.

/// The platform has our spec and nothing of ours is outstanding.
pub const READY: &str = "Ready";
/// The platform delivers: `True` only when it says so itself.
pub const DELIVERING: &str = "Delivering";
/// The platform's review has let it pass.
pub const APPROVED: &str = "Approved";
/// The last comparison found every field that the spec sets as the spec says.
pub const SYNCED: &str = "Synced";
/// The platform differs from the spec in a field that is reported and not corrected, or not yet.
pub const DRIFTED: &str = "Drifted";
/// Work is under way or awaited. Only present while `True`.
pub const RECONCILING: &str = "Reconciling";
/// Nothing will change until somebody acts. Only present while `True`.
pub const STALLED: &str = "Stalled";
/// Switched off on the platform by somebody else while the spec says Active.
pub const PAUSED_OUTSIDE: &str = "PausedOutside";
/// A pause of an iOS 14 dedicated campaign would use MODE1, because no window is said.
pub const PAUSE_NEEDS_WINDOW: &str = "PauseNeedsWindow";
