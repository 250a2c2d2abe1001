//! One ad account: its queue, its rows, the calls it has in flight.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use jiff::Timestamp;
use secrecy::SecretString;

use super::doors::{Name, ObjectName};
use super::due::Due;
use super::outbox::Outbox;
use super::queue::{Lane, Queue};
use super::state::Key;
use super::sweep::SweepState;
use crate::model::ceiling::{Candidate, CeilingView};
use crate::model::facts::{Access, NameQuestion};
use crate::observe::table::{Begun, List, RowId, Table};

/// App and advertiser: the queue, the budget and the rows are per this.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AccountId {
    pub app: String,
    pub advertiser: String,
}

/// What waits and what is due, of one account or of the home queue.
#[derive(Debug, Default)]
pub struct Lines {
    pub queue: Queue<Key>,
    pub due: Due<Key>,
}

/// One ad account.
#[derive(Debug)]
pub struct Account {
    pub lines: Lines,
    pub table: Table,
    pub outbox: Outbox,
    pub sweep: SweepState,
    /// The connection whose token the account's calls carry.
    pub connection: Name,
    pub token: SecretString,
    /// The token's fingerprint.
    pub token_id: String,
    /// What the token can be trusted with (R21).
    pub access: Access,
    /// Calls in flight that are not pauses.
    pub calls: usize,
    /// Pauses in flight: they have a place of their own.
    pub pauses: usize,
    /// The request budget refused until then; pauses ask anyway.
    pub blocked_until: Option<Timestamp>,
    /// The next try of pauses that the budget or the platform refused.
    pub pause_not_before: Option<Timestamp>,
    /// Pauses that failed in a row.
    pub pause_failures: u32,
    /// Batches at work that are not pauses, and pauses: each will ask for a slot of its own.
    pub batches: usize,
    pub pause_batches: usize,
    /// Objects whose operation is in a batch at work.
    pub in_batch: Vec<ObjectName>,
    /// Objects that are created together with others right now: each is in a turn, but not in one that waits its turn.
    pub creating: usize,
    /// Objects that wait for a slot or budget for their create, first come first served.
    pub waiting: VecDeque<ObjectName>,
    /// What calls in flight are about to switch on or raise, by id (R20).
    pub about_to_spend: BTreeMap<RowId, Candidate>,
    /// Names that were looked up by filter: when the look-up of both trees was begun.
    pub exact_names: BTreeMap<NameQuestion, Begun>,
    /// Names to look up by filter.
    pub name_looks: VecDeque<NameQuestion>,
    /// Which lists the connection's objects are in.
    pub lists: BTreeSet<List>,
    /// Objects that an event named, and until when what is asked and learned about them goes before the rest.
    urgent: BTreeMap<ObjectName, Timestamp>,
}

/// What follows from an event has been told by then, or waits for something else than its turn.
const URGENT_FOR: Duration = Duration::from_secs(60);

impl Account {
    /// An account that nothing is known of yet.
    pub fn new(connection: Name, token: SecretString) -> Self {
        Self {
            lines: Lines::default(),
            table: Table::default(),
            outbox: Outbox::default(),
            sweep: SweepState::default(),
            connection,
            token,
            token_id: String::new(),
            access: Access::Full,
            calls: 0,
            pauses: 0,
            blocked_until: None,
            pause_not_before: None,
            pause_failures: 0,
            batches: 0,
            pause_batches: 0,
            in_batch: Vec::new(),
            creating: 0,
            waiting: VecDeque::new(),
            about_to_spend: BTreeMap::new(),
            exact_names: BTreeMap::new(),
            name_looks: VecDeque::new(),
            lists: BTreeSet::new(),
            urgent: BTreeMap::new(),
        }
    }

    /// An event names an object.
    pub fn hurry(&mut self, name: &ObjectName, now: Timestamp) {
        self.urgent.retain(|_, until| *until > now);
        self.urgent.insert(name.clone(), now + URGENT_FOR);
    }

    /// Did an event name it a moment ago?
    pub fn is_urgent(&self, name: &ObjectName, now: Timestamp) -> bool {
        self.urgent.get(name).is_some_and(|until| *until > now)
    }

    /// The lane of what is learned about an object.
    pub fn lane_of(&self, name: &ObjectName, now: Timestamp) -> Lane {
        match self.is_urgent(name, now) {
            true => Lane::Event,
            false => Lane::Change,
        }
    }

    /// May anything but a pause be asked of TikTok (R21)?
    pub fn reads(&self) -> bool {
        matches!(self.access, Access::Full | Access::ReadOnly)
    }

    /// Turns under way, those of creates that share a call not counted.
    pub fn in_turn(&self) -> usize {
        self.lines.queue.in_turn().saturating_sub(self.creating)
    }

    /// Were all of these lists read completely?
    pub fn knows(&self, lists: &BTreeSet<List>) -> bool {
        lists.iter().all(|list| self.table.listed(*list).is_some())
    }

    /// What is on or about to be (R20).
    pub fn ceiling(&self, now: Timestamp) -> CeilingView {
        let mut view = self.table.ceiling(now);
        for candidate in self.about_to_spend.values() {
            view.count_about(candidate);
        }
        view
    }

    /// Will what is under way, or asked for, answer a question for a name that came up at `tick`?
    pub fn answers(&self, question: &NameQuestion, tick: u64) -> bool {
        self.sweep.answers(&lists_for(question), tick) || self.name_looks.contains(question)
    }

    /// When a reading that proves a name free was begun: complete lists, or an exact look-up.
    pub fn name_read(&self, question: &NameQuestion) -> Option<Begun> {
        let oldest = |found: Option<Begun>, list: List| {
            let listed = self.table.listed(list)?;
            Some(found.filter(|f| f.tick < listed.tick).unwrap_or(listed))
        };
        let mut lists = None;
        for list in lists_for(question) {
            lists = oldest(lists, list);
            if lists.is_none() {
                break;
            }
        }
        let exact = self.exact_names.get(question).copied();
        match (lists, exact) {
            (Some(a), Some(b)) => Some(if a.tick > b.tick { a } else { b }),
            (a, b) => a.or(b),
        }
    }
}

/// The lists that together answer a question for a name: campaigns of both trees share their names, what is in a parent
/// is in its tree.
pub fn lists_for(question: &NameQuestion) -> Vec<List> {
    match question.tree {
        Some(tree) => vec![(question.kind, tree)],
        None => question.kind.in_trees().collect(),
    }
}
