//! One ad account: its queue, its rows, the calls it has in flight.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use jiff::Timestamp;
use secrecy::SecretString;

use super::doors::Name;
use super::due::Due;
use super::outbox::Outbox;
use super::queue::Queue;
use super::state::Key;
use super::sweep::SweepState;
use crate::model::ceiling::CeilingView;
use crate::observe::table::{Begun, Table};
use crate::platform::Tree;

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
    pub in_batch: Vec<Name>,
    /// Objects that wait for a slot or budget for their create, first come first served.
    pub waiting: VecDeque<Name>,
    /// What calls in flight are about to switch on or raise, by id (R20).
    pub about_to_spend: BTreeMap<String, Option<i64>>,
    /// Names that were looked up by filter: when the look-up of both trees was begun.
    pub exact_names: BTreeMap<String, Begun>,
    /// Names to look up by filter.
    pub name_looks: VecDeque<String>,
    /// Which trees the connection's objects are in.
    pub trees: BTreeSet<Tree>,
}

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
            calls: 0,
            pauses: 0,
            blocked_until: None,
            pause_not_before: None,
            pause_failures: 0,
            batches: 0,
            pause_batches: 0,
            in_batch: Vec::new(),
            waiting: VecDeque::new(),
            about_to_spend: BTreeMap::new(),
            exact_names: BTreeMap::new(),
            name_looks: VecDeque::new(),
            trees: BTreeSet::new(),
        }
    }

    /// What is on or about to be (R20).
    pub fn ceiling(&self, now: Timestamp) -> CeilingView {
        let mut view = self.table.ceiling(now);
        for (id, could) in &self.about_to_spend {
            let entry = view.enabled.entry(id.clone()).or_insert(*could);
            // Unbounded outweighs any amount; else the higher counts.
            *entry = match (*entry, *could) {
                (Some(a), Some(b)) => Some(a.max(b)),
                _ => None,
            };
        }
        view
    }

    /// Will what is under way, or asked for, answer a question for a name that came up at `tick`?
    pub fn answers(&self, name: &str, tick: u64) -> bool {
        self.sweep.answers(tick) || self.name_looks.iter().any(|n| n == name)
    }

    /// When a reading that proves a name free was begun: a complete list of both trees, or an exact look-up.
    pub fn name_read(&self, name: &str) -> Option<Begun> {
        let lists = match (
            self.table.listed(Tree::Manual),
            self.table.listed(Tree::SmartPlus),
        ) {
            (Some(a), Some(b)) => Some(if a.tick < b.tick { a } else { b }),
            _ => None,
        };
        let exact = self.exact_names.get(name).copied();
        match (lists, exact) {
            (Some(a), Some(b)) => Some(if a.tick > b.tick { a } else { b }),
            (a, b) => a.or(b),
        }
    }
}
