//! What holds when the spec, the connection and the token are taken together.

use super::facts::{Access, Account, ConnectionView};
use super::object::Life;
use super::wanted::Group;
use crate::api::common::{
    Adoption, DeletionPolicy, DesiredState, DriftPolicies, DriftPolicy, Mode, StateDriftPolicy,
};

/// The values in force for one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effective {
    /// `None`: the status of an adopted object that nobody asked us to mind (R3).
    pub state: Option<DesiredState>,
    pub deletion: DeletionPolicy,
    pub mode: Mode,
    /// The mode is strict because the token is, not because somebody asked for it.
    pub read_only: bool,
    /// The mode is strict because the account is suspended.
    pub suspended: bool,
    pub adoption: Adoption,
    pub drift: DriftRules,
}

/// R16: what to do about a difference, per group of fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DriftRules {
    pub budget: DriftPolicy,
    pub bid: DriftPolicy,
    pub schedule: DriftPolicy,
    pub targeting: DriftPolicy,
    pub name: DriftPolicy,
    pub settings: DriftPolicy,
    pub state: StateDriftPolicy,
}

/// From loose to strict (product page): the strictest of object, connection and token wins.
fn strictness(mode: Mode) -> u8 {
    match mode {
        Mode::Enforce => 0,
        Mode::Suspend => 1,
        Mode::Plan => 2,
        Mode::Observe => 3,
    }
}

/// The strictest of several modes; nothing said is `Enforce`.
pub fn strictest(modes: impl IntoIterator<Item = Option<Mode>>) -> Mode {
    modes
        .into_iter()
        .flatten()
        .max_by_key(|m| strictness(*m))
        .unwrap_or(Mode::Enforce)
}

impl Effective {
    /// `adopted`: the object was found, not made; then what is not said is left alone (R3).
    pub fn of(spec: &Life, connection: &ConnectionView, adopted: bool) -> Self {
        let account = match connection {
            ConnectionView::Usable(account) => Some(account),
            _ => None,
        };
        let read_only = account.is_some_and(|a| a.access != Access::Full);
        let suspended = account.is_some_and(|a| a.suspended.is_some());
        let strict = (read_only || suspended).then_some(Mode::Suspend);
        Self {
            state: spec.state.or(if adopted {
                None
            } else {
                Some(DesiredState::Paused)
            }),
            deletion: spec.deletion_policy.unwrap_or(if adopted {
                DeletionPolicy::Retain
            } else {
                DeletionPolicy::Pause
            }),
            mode: strictest([spec.mode, account.and_then(|a| a.mode), strict]),
            read_only,
            suspended,
            adoption: spec
                .adoption
                .or(account.and_then(|a| a.adoption))
                .unwrap_or(Adoption::Refuse),
            drift: DriftRules::new(spec.drift, account),
        }
    }

    /// Nothing at all is written to the platform (R8).
    pub fn hands_off(&self) -> bool {
        matches!(self.mode, Mode::Observe | Mode::Plan)
    }

    /// Only pauses are written to the platform (R8).
    pub fn pauses_only(&self) -> bool {
        self.mode == Mode::Suspend
    }
}

impl DriftRules {
    /// What to do about a difference in a group of fields. What cannot be changed is only reported; on and off have a
    /// rule of their own (R1).
    pub fn of(&self, group: Group) -> DriftPolicy {
        match group {
            Group::Budget => self.budget,
            Group::Bid => self.bid,
            Group::Schedule => self.schedule,
            Group::Targeting => self.targeting,
            Group::Name => self.name,
            Group::Settings => self.settings,
            Group::State | Group::Fixed => DriftPolicy::Report,
        }
    }

    fn new(own: Option<&DriftPolicies>, account: Option<&Account>) -> Self {
        let theirs = account.and_then(|a| a.drift.as_ref());
        let pick = |get: fn(&DriftPolicies) -> Option<DriftPolicy>| {
            own.and_then(get)
                .or_else(|| theirs.and_then(get))
                .unwrap_or(DriftPolicy::Correct)
        };
        Self {
            budget: pick(|d| d.budget),
            bid: pick(|d| d.bid),
            schedule: pick(|d| d.schedule),
            targeting: pick(|d| d.targeting),
            name: pick(|d| d.name),
            settings: pick(|d| d.settings),
            state: own
                .and_then(|d| d.state)
                .or_else(|| theirs.and_then(|d| d.state))
                .unwrap_or(StateDriftPolicy::Respect),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r08_the_strictest_mode_wins() {
        use Mode::{Enforce, Observe, Plan, Suspend};
        assert_eq!(strictest([None, None]), Enforce);
        assert_eq!(strictest([Some(Enforce), Some(Suspend)]), Suspend);
        assert_eq!(strictest([Some(Plan), Some(Suspend)]), Plan);
        assert_eq!(
            strictest([Some(Plan), Some(Observe), Some(Suspend)]),
            Observe
        );
    }
}
