//! Operations that wait for a call: what many objects want alike goes out together.
//!
//! There is no waiting window: a batch is what waits when its turn for a call comes, and the calls that can be shared
//! go out when no key of the account has a turn before them.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use super::doors::Name;
use crate::platform::{CampaignChanges, OperationStatus, Tree};

/// One object's wish for a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Op {
    SetStatus {
        tree: Tree,
        id: String,
        to: OperationStatus,
        postback: Option<&'static str>,
    },
    LookId {
        tree: Tree,
        id: String,
    },
    LookCreated {
        tree: Tree,
        name: String,
    },
    LookName(String),
    Update {
        tree: Tree,
        id: String,
        changes: CampaignChanges,
    },
}

/// A wish and since when it waits.
#[derive(Clone, Debug)]
struct Parked {
    op: Op,
    since: Timestamp,
    not_before: Option<Timestamp>,
}

/// Calls in the order in which they may go out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Batch {
    Status {
        tree: Tree,
        to: OperationStatus,
        postback: Option<&'static str>,
        members: Vec<(Name, String)>,
    },
    LookIds {
        tree: Tree,
        members: Vec<(Name, String)>,
    },
    LookCreated {
        tree: Tree,
        name: String,
        member: Name,
    },
    Names {
        names: Vec<String>,
    },
    Update {
        tree: Tree,
        id: String,
        changes: CampaignChanges,
        member: Name,
    },
}

impl Batch {
    /// Only a pause may overtake everything and use the budget's reserved share.
    pub fn is_pause(&self) -> bool {
        matches!(
            self,
            Self::Status {
                to: OperationStatus::Disable,
                ..
            }
        )
    }

    /// The objects it speaks for.
    pub fn members(&self) -> Vec<Name> {
        match self {
            Self::Status { members, .. } | Self::LookIds { members, .. } => {
                members.iter().map(|(name, _)| name.clone()).collect()
            }
            Self::LookCreated { member, .. } | Self::Update { member, .. } => vec![member.clone()],
            Self::Names { .. } => Vec::new(),
        }
    }
}

/// Status calls take at most this many ids (reference 3.3).
pub const STATUS_IDS: usize = 20;
/// Look-ups take at most this many ids (reference 3.4).
pub const LOOK_IDS: usize = 100;
/// An operation that waited this long goes before creates.
const AGED: Duration = Duration::from_secs(30);

/// The waiting operations of one account: at most one per object, always its newest plan's.
#[derive(Debug, Default)]
pub struct Outbox {
    parked: BTreeMap<Name, Parked>,
    /// Halves of a refused batch, front of their lane (R5).
    halves: Vec<Batch>,
}

impl Outbox {
    /// Parks what the newest plan wants; `not_before` is for look-ups that make no sense earlier.
    pub fn put(&mut self, name: &Name, op: Op, now: Timestamp, not_before: Option<Timestamp>) {
        match self.parked.get_mut(name) {
            Some(parked) if parked.op == op => parked.not_before = not_before,
            _ => {
                self.parked.insert(
                    name.clone(),
                    Parked {
                        op,
                        since: now,
                        not_before,
                    },
                );
            }
        }
    }

    /// The newest plan wants no call.
    pub fn remove(&mut self, name: &Name) {
        self.parked.remove(name);
    }

    /// Does an operation of this object wait?
    pub fn has(&self, name: &Name) -> bool {
        self.parked.contains_key(name) || self.halves.iter().any(|b| b.members().contains(name))
    }

    /// Puts the halves of a refused batch at the front.
    pub fn split(&mut self, batch: Batch) {
        let Batch::Status {
            tree,
            to,
            postback,
            members,
        } = batch
        else {
            return;
        };
        let middle = members.len().div_ceil(2);
        for half in members.chunks(middle.max(1)).rev() {
            self.halves.push(Batch::Status {
                tree,
                to,
                postback,
                members: half.to_vec(),
            });
        }
    }

    /// How many operations wait.
    pub fn len(&self) -> usize {
        self.parked.len() + self.halves.len()
    }

    /// None waits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// When the earliest operation that may not go yet may go.
    pub fn next_time(&self, now: Timestamp) -> Option<Timestamp> {
        self.parked
            .values()
            .filter_map(|p| p.not_before)
            .filter(|t| *t > now)
            .min()
    }

    /// The next pause, if one waits.
    pub fn pop_pause(&mut self, now: Timestamp) -> Option<Batch> {
        if let Some(at) = self.halves.iter().rposition(Batch::is_pause) {
            return Some(self.halves.remove(at));
        }
        self.pop_status(OperationStatus::Disable, now)
    }

    /// Since when the oldest pause waits that may go now.
    pub fn pause_since(&self, now: Timestamp) -> Option<Timestamp> {
        self.parked
            .values()
            .filter(|p| {
                p.ready(now)
                    && matches!(
                        p.op,
                        Op::SetStatus {
                            to: OperationStatus::Disable,
                            ..
                        }
                    )
            })
            .map(|p| p.since)
            .min()
    }

    /// Has anything but pauses waited so long that it goes before creates?
    pub fn has_aged(&self, now: Timestamp) -> bool {
        self.parked.values().any(|p| {
            p.since + AGED <= now
                && p.ready(now)
                && !matches!(
                    p.op,
                    Op::SetStatus {
                        to: OperationStatus::Disable,
                        ..
                    }
                )
        })
    }

    /// The next batch that is no pause. Name checks only when `names` allows another list.
    pub fn pop(&mut self, now: Timestamp, names: bool) -> Option<Batch> {
        if let Some(at) = self.halves.iter().rposition(|b| !b.is_pause()) {
            return Some(self.halves.remove(at));
        }
        self.pop_status(OperationStatus::Delete, now)
            .or_else(|| self.pop_update(now))
            .or_else(|| self.pop_created(now))
            .or_else(|| if names { self.pop_names(now) } else { None })
            .or_else(|| self.pop_ids(now))
            .or_else(|| self.pop_status(OperationStatus::Enable, now))
    }

    fn pop_status(&mut self, wanted: OperationStatus, now: Timestamp) -> Option<Batch> {
        let first = self
            .parked
            .values()
            .filter(|p| p.ready(now))
            .find_map(|p| match &p.op {
                Op::SetStatus {
                    tree, to, postback, ..
                } if *to == wanted => Some((*tree, *postback)),
                _ => None,
            })?;
        let members: Vec<(Name, String)> = self
            .parked
            .iter()
            .filter(|(_, p)| p.ready(now))
            .filter_map(|(name, p)| match &p.op {
                Op::SetStatus {
                    tree,
                    id,
                    to,
                    postback,
                } if *to == wanted && (*tree, *postback) == first => {
                    Some((name.clone(), id.clone()))
                }
                _ => None,
            })
            .take(STATUS_IDS)
            .collect();
        self.unpark(&members);
        Some(Batch::Status {
            tree: first.0,
            to: wanted,
            postback: first.1,
            members,
        })
    }

    fn pop_update(&mut self, now: Timestamp) -> Option<Batch> {
        let (name, batch) =
            self.parked
                .iter()
                .filter(|(_, p)| p.ready(now))
                .find_map(|(name, p)| match &p.op {
                    Op::Update { tree, id, changes } => Some((
                        name.clone(),
                        Batch::Update {
                            tree: *tree,
                            id: id.clone(),
                            changes: changes.clone(),
                            member: name.clone(),
                        },
                    )),
                    _ => None,
                })?;
        self.parked.remove(&name);
        Some(batch)
    }

    fn pop_created(&mut self, now: Timestamp) -> Option<Batch> {
        let (member, batch) =
            self.parked
                .iter()
                .filter(|(_, p)| p.ready(now))
                .find_map(|(member, p)| match &p.op {
                    Op::LookCreated { tree, name } => Some((
                        member.clone(),
                        Batch::LookCreated {
                            tree: *tree,
                            name: name.clone(),
                            member: member.clone(),
                        },
                    )),
                    _ => None,
                })?;
        self.parked.remove(&member);
        Some(batch)
    }

    fn pop_names(&mut self, now: Timestamp) -> Option<Batch> {
        let mut asking = Vec::new();
        let mut names = std::collections::BTreeSet::new();
        for (member, parked) in self.parked.iter().filter(|(_, p)| p.ready(now)) {
            if let Op::LookName(name) = &parked.op {
                asking.push(member.clone());
                names.insert(name.clone());
            }
        }
        if asking.is_empty() {
            return None;
        }
        for member in asking {
            self.parked.remove(&member);
        }
        Some(Batch::Names {
            names: names.into_iter().collect(),
        })
    }

    /// Look-ups by id: when one is due, what else waits for the same tree goes along.
    fn pop_ids(&mut self, now: Timestamp) -> Option<Batch> {
        let tree = self
            .parked
            .values()
            .filter(|p| p.ready(now))
            .find_map(|p| match &p.op {
                Op::LookId { tree, .. } => Some(*tree),
                _ => None,
            })?;
        let mut members: Vec<(Name, String, Option<Timestamp>)> = self
            .parked
            .iter()
            .filter_map(|(name, p)| match &p.op {
                Op::LookId { tree: other, id } if *other == tree => {
                    Some((name.clone(), id.clone(), p.not_before))
                }
                _ => None,
            })
            .collect();
        members.sort_by_key(|(_, _, not_before)| *not_before);
        let members: Vec<(Name, String)> = members
            .into_iter()
            .take(LOOK_IDS)
            .map(|(name, id, _)| (name, id))
            .collect();
        self.unpark(&members);
        Some(Batch::LookIds { tree, members })
    }

    fn unpark(&mut self, members: &[(Name, String)]) {
        for (name, _) in members {
            self.parked.remove(name);
        }
    }
}

impl Parked {
    fn ready(&self, now: Timestamp) -> bool {
        self.not_before.is_none_or(|t| t <= now)
    }
}
