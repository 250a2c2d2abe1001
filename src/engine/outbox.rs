//! Operations that wait for a call: what many objects want alike goes out together.
//!
//! There is no waiting window: a batch is what waits when its turn for a call comes, and the calls that can be shared
//! go out when no key of the account has a turn before them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;

use super::doors::ObjectName;
use crate::model::facts::NameQuestion;
use crate::model::plan::{AppealWish, StatusWish};
use crate::platform::{Changes, Kind, OperationStatus, Tree, create_batch};

/// One object's wish for a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Op {
    SetStatus(StatusWish),
    /// A create that can share a call with others of the same parent.
    Create {
        tree: Tree,
        parent: Option<String>,
        name: String,
        /// It was in a batch that was refused or lost: it goes alone.
        alone: bool,
    },
    LookId {
        tree: Tree,
        id: String,
    },
    LookCreated {
        tree: Tree,
        parent: Option<String>,
        name: String,
    },
    LookName(NameQuestion),
    LookReview {
        tree: Tree,
        id: String,
    },
    Update {
        tree: Tree,
        id: String,
        changes: Box<Changes>,
    },
    SetCreatives {
        ad: String,
        creatives: Vec<String>,
        to: OperationStatus,
    },
    Appeal(AppealWish),
}

impl Op {
    /// A look-up by id, or of a review.
    fn is_look(&self) -> bool {
        matches!(self, Self::LookId { .. } | Self::LookReview { .. })
    }
}

/// A wish and since when it waits.
#[derive(Clone, Debug)]
struct Parked {
    op: Op,
    since: Timestamp,
    not_before: Option<Timestamp>,
    /// An event asks for it: it does not wait until nobody has a turn before it.
    urgent: bool,
}

/// An object and the id, or the name, that it is on the platform.
pub type Member = (ObjectName, String);

/// What a status call has in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StatusOf {
    pub kind: Kind,
    pub tree: Tree,
    pub to: OperationStatus,
    pub postback: Option<&'static str>,
    pub automated_creative: bool,
}

impl StatusOf {
    fn of(kind: Kind, wish: &StatusWish) -> Self {
        Self {
            kind,
            tree: wish.tree,
            to: wish.to,
            postback: wish.postback,
            automated_creative: wish.automated_creative,
        }
    }

    /// The wish of one member.
    pub fn wish(&self, id: &str) -> StatusWish {
        StatusWish {
            tree: self.tree,
            id: id.to_owned(),
            to: self.to,
            postback: self.postback,
            automated_creative: self.automated_creative,
        }
    }
}

/// Calls in the order in which they may go out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Batch {
    Status {
        of: StatusOf,
        members: Vec<Member>,
        /// R5: it is a part of a batch that was refused, and stays by itself until it is through.
        part: bool,
    },
    Create {
        kind: Kind,
        tree: Tree,
        parent: Option<String>,
        members: Vec<Member>,
    },
    LookIds {
        kind: Kind,
        tree: Tree,
        members: Vec<Member>,
    },
    LookCreated {
        kind: Kind,
        tree: Tree,
        parent: Option<String>,
        members: Vec<Member>,
    },
    Names {
        questions: Vec<NameQuestion>,
    },
    Reviews {
        tree: Tree,
        members: Vec<Member>,
    },
    Update {
        tree: Tree,
        id: String,
        changes: Box<Changes>,
        member: ObjectName,
    },
    Creatives {
        ad: String,
        creatives: Vec<String>,
        to: OperationStatus,
        member: ObjectName,
    },
    Appeal {
        wish: AppealWish,
        member: ObjectName,
    },
}

impl Batch {
    /// Only a pause may overtake everything and use the budget's reserved share.
    pub fn is_pause(&self) -> bool {
        matches!(self, Self::Status { of, .. } if of.to == OperationStatus::Disable)
    }

    /// The objects it speaks for.
    pub fn members(&self) -> Vec<ObjectName> {
        match self {
            Self::Status { members, .. }
            | Self::Create { members, .. }
            | Self::LookIds { members, .. }
            | Self::LookCreated { members, .. }
            | Self::Reviews { members, .. } => {
                members.iter().map(|(name, _)| name.clone()).collect()
            }
            Self::Update { member, .. }
            | Self::Creatives { member, .. }
            | Self::Appeal { member, .. } => vec![member.clone()],
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

/// Reviews of ads: TikTok's limits differ between the trees (reference 5.5).
fn review_ids(tree: Tree) -> usize {
    match tree {
        Tree::Manual => 20,
        Tree::SmartPlus => 100,
    }
}

/// The waiting operations of one account: at most one per object, always its newest plan's.
#[derive(Debug, Default)]
pub struct Outbox {
    parked: BTreeMap<ObjectName, Parked>,
    /// Halves of a refused batch, front of their lane (R5).
    halves: Vec<Batch>,
}

impl Outbox {
    /// Parks what the newest plan wants; `not_before` is for look-ups that make no sense earlier, `urgent` for those that
    /// an event asks for.
    pub fn put(
        &mut self,
        name: &ObjectName,
        op: Op,
        now: Timestamp,
        not_before: Option<Timestamp>,
        urgent: bool,
    ) {
        match self.parked.get_mut(name) {
            Some(parked) if parked.op == op => {
                parked.not_before = not_before;
                parked.urgent = urgent;
            }
            _ => {
                self.parked.insert(
                    name.clone(),
                    Parked {
                        op,
                        since: now,
                        not_before,
                        urgent,
                    },
                );
            }
        }
    }

    /// The newest plan wants no call.
    pub fn remove(&mut self, name: &ObjectName) {
        self.parked.remove(name);
    }

    /// Does an operation of this object wait?
    pub fn has(&self, name: &ObjectName) -> bool {
        self.parked.contains_key(name) || self.halves.iter().any(|b| b.members().contains(name))
    }

    /// Puts the halves of a refused batch at the front.
    pub fn split(&mut self, of: StatusOf, members: &[Member]) {
        let middle = members.len().div_ceil(2);
        for half in members.chunks(middle.max(1)).rev() {
            self.put_back(of, half.to_vec());
        }
    }

    /// Puts a part of a refused batch, which could not go out, at the front again.
    pub fn put_back(&mut self, of: StatusOf, members: Vec<Member>) {
        self.halves.push(Batch::Status {
            of,
            members,
            part: true,
        });
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

    /// The next pause, if one waits. Parents first: one call for a campaign stops everything in it.
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
            .filter(|p| p.ready(now) && p.is_pause())
            .map(|p| p.since)
            .min()
    }

    /// Has anything but pauses waited so long that it goes before creates?
    pub fn has_aged(&self, now: Timestamp) -> bool {
        self.parked
            .values()
            .any(|p| p.since + AGED <= now && p.ready(now) && !p.is_pause())
    }

    /// Does a look-up wait that an event asks for?
    pub fn has_urgent(&self, now: Timestamp) -> bool {
        self.parked
            .values()
            .any(|p| p.urgent && p.ready(now) && p.op.is_look())
    }

    /// The next look-ups that an event asks for, and what else goes along with them.
    pub fn pop_urgent(&mut self, now: Timestamp) -> Option<Batch> {
        let urgent = self.parked.iter().filter(|(_, p)| p.urgent && p.ready(now));
        let (of, tree) = urgent.into_iter().find_map(|(name, p)| match &p.op {
            Op::LookId { tree, .. } => Some((Some(name.kind), *tree)),
            Op::LookReview { tree, .. } => Some((None, *tree)),
            _ => None,
        })?;
        match of {
            Some(kind) => self.take_ids((kind, tree)),
            None => Some(self.take_reviews(tree, now)),
        }
    }

    /// The next batch that is no pause.
    pub fn pop(&mut self, now: Timestamp) -> Option<Batch> {
        if let Some(at) = self.halves.iter().rposition(|b| !b.is_pause()) {
            return Some(self.halves.remove(at));
        }
        self.pop_status(OperationStatus::Delete, now)
            .or_else(|| self.pop_update(now))
            .or_else(|| self.pop_created(now))
            .or_else(|| self.pop_create(now))
            .or_else(|| self.pop_names(now))
            .or_else(|| self.pop_ids(now))
            .or_else(|| self.pop_status(OperationStatus::Enable, now))
            .or_else(|| self.pop_reviews(now))
    }

    /// Parked operations that may go now, in the order of their objects.
    fn ready(&self, now: Timestamp) -> impl Iterator<Item = (&ObjectName, &Op)> {
        self.parked
            .iter()
            .filter(move |(_, p)| p.ready(now))
            .map(|(name, p)| (name, &p.op))
    }

    fn pop_status(&mut self, wanted: OperationStatus, now: Timestamp) -> Option<Batch> {
        let of = self.ready(now).find_map(|(name, op)| match op {
            Op::SetStatus(wish) if wish.to == wanted => Some(StatusOf::of(name.kind, wish)),
            _ => None,
        })?;
        let members: Vec<Member> = self
            .ready(now)
            .filter_map(|(name, op)| match op {
                Op::SetStatus(wish) if StatusOf::of(name.kind, wish) == of => {
                    Some((name.clone(), wish.id.clone()))
                }
                _ => None,
            })
            .take(STATUS_IDS)
            .collect();
        self.unpark(&members);
        Some(Batch::Status {
            of,
            members,
            part: false,
        })
    }

    fn pop_update(&mut self, now: Timestamp) -> Option<Batch> {
        let (member, batch) = self.ready(now).find_map(|(name, op)| match op {
            Op::Update { tree, id, changes } => Some((
                name.clone(),
                Batch::Update {
                    tree: *tree,
                    id: id.clone(),
                    changes: changes.clone(),
                    member: name.clone(),
                },
            )),
            Op::SetCreatives { ad, creatives, to } => Some((
                name.clone(),
                Batch::Creatives {
                    ad: ad.clone(),
                    creatives: creatives.clone(),
                    to: *to,
                    member: name.clone(),
                },
            )),
            Op::Appeal(wish) => Some((
                name.clone(),
                Batch::Appeal {
                    wish: wish.clone(),
                    member: name.clone(),
                },
            )),
            _ => None,
        })?;
        self.parked.remove(&member);
        Some(batch)
    }

    /// Creates that share a call: of one parent, with names that differ, since names are all that tells them apart
    /// afterwards (R11).
    fn pop_create(&mut self, now: Timestamp) -> Option<Batch> {
        let (first, tree, parent, alone) = self.ready(now).find_map(|(name, op)| match op {
            Op::Create {
                tree,
                parent,
                alone,
                ..
            } => Some((name.clone(), *tree, parent.clone(), *alone)),
            _ => None,
        })?;
        let kind = first.kind;
        let most = if alone { 1 } else { create_batch(kind, tree) };
        let mut names = BTreeSet::new();
        let members: Vec<Member> = self
            .ready(now)
            .filter_map(|(object, op)| match op {
                Op::Create {
                    tree: t,
                    parent: p,
                    name,
                    alone: a,
                } if object.kind == kind && *t == tree && *p == parent && *a == alone => {
                    Some((object.clone(), name.clone()))
                }
                _ => None,
            })
            .filter(|(_, name)| names.insert(name.clone()))
            .take(most)
            .collect();
        self.unpark(&members);
        Some(Batch::Create {
            kind,
            tree,
            parent,
            members,
        })
    }

    /// Look-ups for unclear creates. Those of one ad group share a list of all its ads.
    fn pop_created(&mut self, now: Timestamp) -> Option<Batch> {
        let (first, tree, parent) = self.ready(now).find_map(|(name, op)| match op {
            Op::LookCreated { tree, parent, .. } => Some((name.clone(), *tree, parent.clone())),
            _ => None,
        })?;
        let kind = first.kind;
        let most = if kind == Kind::Ad { LOOK_IDS } else { 1 };
        let members: Vec<Member> = self
            .ready(now)
            .filter_map(|(object, op)| match op {
                Op::LookCreated {
                    tree: t,
                    parent: p,
                    name,
                } if object.kind == kind && *t == tree && *p == parent => {
                    Some((object.clone(), name.clone()))
                }
                _ => None,
            })
            .take(most)
            .collect();
        self.unpark(&members);
        Some(Batch::LookCreated {
            kind,
            tree,
            parent,
            members,
        })
    }

    fn pop_names(&mut self, now: Timestamp) -> Option<Batch> {
        let mut asking = Vec::new();
        let mut questions = BTreeSet::new();
        for (member, op) in self.ready(now) {
            if let Op::LookName(question) = op {
                asking.push(member.clone());
                questions.insert(question.clone());
            }
        }
        if asking.is_empty() {
            return None;
        }
        for member in asking {
            self.parked.remove(&member);
        }
        Some(Batch::Names {
            questions: questions.into_iter().collect(),
        })
    }

    /// Look-ups by id: when one is due, what else waits for the same kind and tree goes along.
    fn pop_ids(&mut self, now: Timestamp) -> Option<Batch> {
        let of = self.ready(now).find_map(|(name, op)| match op {
            Op::LookId { tree, .. } => Some((name.kind, *tree)),
            _ => None,
        })?;
        self.take_ids(of)
    }

    fn take_ids(&mut self, (kind, tree): (Kind, Tree)) -> Option<Batch> {
        let mut members: Vec<(ObjectName, String, (bool, Option<Timestamp>))> = self
            .parked
            .iter()
            .filter_map(|(name, p)| match &p.op {
                Op::LookId { tree: other, id } if *other == tree && name.kind == kind => {
                    Some((name.clone(), id.clone(), (!p.urgent, p.not_before)))
                }
                _ => None,
            })
            .collect();
        members.sort_by_key(|(_, _, order)| *order);
        let members: Vec<Member> = members
            .into_iter()
            .take(LOOK_IDS)
            .map(|(name, id, _)| (name, id))
            .collect();
        self.unpark(&members);
        Some(Batch::LookIds {
            kind,
            tree,
            members,
        })
    }

    fn pop_reviews(&mut self, now: Timestamp) -> Option<Batch> {
        let tree = self.ready(now).find_map(|(_, op)| match op {
            Op::LookReview { tree, .. } => Some(*tree),
            _ => None,
        })?;
        Some(self.take_reviews(tree, now))
    }

    fn take_reviews(&mut self, tree: Tree, now: Timestamp) -> Batch {
        let mut members: Vec<(bool, Member)> = self
            .parked
            .iter()
            .filter(|(_, p)| p.ready(now))
            .filter_map(|(name, p)| match &p.op {
                Op::LookReview { tree: other, id } if *other == tree => {
                    Some((!p.urgent, (name.clone(), id.clone())))
                }
                _ => None,
            })
            .collect();
        members.sort_by_key(|(order, _)| *order);
        let members: Vec<Member> = members
            .into_iter()
            .take(review_ids(tree))
            .map(|(_, member)| member)
            .collect();
        self.unpark(&members);
        Batch::Reviews { tree, members }
    }

    fn unpark(&mut self, members: &[Member]) {
        for (name, _) in members {
            self.parked.remove(name);
        }
    }
}

impl Parked {
    fn ready(&self, now: Timestamp) -> bool {
        self.not_before.is_none_or(|t| t <= now)
    }

    fn is_pause(&self) -> bool {
        matches!(&self.op, Op::SetStatus(wish) if wish.to == OperationStatus::Disable)
    }
}
