//! The rows of one account and how fresh each is.
//!
//! A *tick* is taken before each read is sent and after each write is answered. A read that was begun before a
//! write ended knows nothing of it and cannot undo it. After a write, a read that contradicts it is ignored for a
//! settle time (a list) or asked again after it (a look-up): platforms list late.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;

use crate::model::ceiling::CeilingView;
use crate::model::facts::{Have, Seen};
use crate::platform::{CampaignRow, OperationState};
use crate::platform::{Cents, OperationStatus, Tree};

/// When a read was begun: its tick, and our clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Begun {
    pub tick: u64,
    pub at: Timestamp,
}

#[derive(Clone, Debug)]
struct Entry {
    row: CampaignRow,
    /// When what we know was read or written.
    at: Timestamp,
    /// Tick of the last read that was taken over.
    read: u64,
    /// Tick after our last write, 0 if none.
    wrote: u64,
    /// Our clock at that write.
    wrote_at: Timestamp,
    /// A read after our last write confirmed the row.
    read_back: bool,
    /// The row is missing from a list, or a write had no clear answer: nothing is known until it is looked up.
    unknown: bool,
    /// A read contradicted our last write within its settle time: it is asked again after that.
    recheck: bool,
    /// The last complete list did not show it.
    unlisted: bool,
    /// The highest budget seen, and when last.
    high: Option<(Cents, Timestamp)>,
}

/// The rows of one account.
#[derive(Debug, Default)]
pub struct Table {
    rows: BTreeMap<String, Entry>,
    by_name: BTreeMap<String, BTreeSet<String>>,
    /// The last complete list of each tree.
    complete: BTreeMap<Tree, Begun>,
    /// Look-ups by id that found nothing, in a row.
    missing: BTreeMap<String, Vec<Timestamp>>,
}

/// A budget counts at its highest for this long (R20).
const HIGH_FOR: Duration = Duration::from_secs(24 * 3600);

/// What a read changed.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Learned {
    /// Ids whose row is new or different, or is now unknown.
    pub changed: BTreeSet<String>,
    /// Ids that must be looked up again after the settle time.
    pub again: BTreeSet<String>,
}

impl Table {
    /// What is known of one id. Two look-ups, spaced, that found nothing make it absent.
    pub fn have(&self, id: &str, spacing: Duration) -> Have {
        if let Some(missing) = self.missing.get(id)
            && let (Some(first), Some(last)) = (missing.first(), missing.last())
        {
            return if *last >= *first + spacing {
                Have::Absent
            } else {
                Have::Unknown
            };
        }
        match self.rows.get(id) {
            Some(entry) if !entry.unknown => Have::Present(Seen {
                row: entry.row.clone(),
                read_back: entry.read_back,
                at: entry.at,
            }),
            _ => Have::Unknown,
        }
    }

    /// When a look-up for an id makes sense: at once, or spaced from one that found nothing, or after a write settled.
    pub fn look_not_before(
        &self,
        id: &str,
        spacing: Duration,
        read_back_after: Duration,
    ) -> Option<Timestamp> {
        let spaced = self
            .missing
            .get(id)
            .and_then(|m| m.first())
            .map(|first| *first + spacing);
        let settled = self
            .rows
            .get(id)
            .filter(|e| e.wrote > 0 && !e.read_back)
            .map(|e| e.wrote_at + read_back_after);
        spaced.max(settled)
    }

    /// The row as last known, even if it must be looked up before it counts.
    pub fn last_known(&self, id: &str) -> Option<&CampaignRow> {
        self.rows.get(id).map(|e| &e.row)
    }

    /// Live rows of exactly this name, in both trees, that the last complete lists did not miss.
    pub fn named(&self, name: &str) -> Vec<&CampaignRow> {
        let ids = self.by_name.get(name);
        ids.into_iter()
            .flatten()
            .filter_map(|id| self.rows.get(id))
            .filter(|e| !e.unlisted)
            .map(|e| &e.row)
            .filter(|r| r.operation != OperationState::Deleted)
            .collect()
    }

    /// When the last complete list of a tree was begun.
    pub fn listed(&self, tree: Tree) -> Option<Begun> {
        self.complete.get(&tree).copied()
    }

    /// How many rows are known.
    pub fn known(&self) -> usize {
        self.rows.len()
    }

    /// All rows.
    pub fn rows(&self) -> impl Iterator<Item = &CampaignRow> {
        self.rows.values().map(|e| &e.row)
    }

    /// What the enabled rows could spend in a day.
    pub fn ceiling(&self, now: Timestamp) -> CeilingView {
        let complete = [Tree::Manual, Tree::SmartPlus]
            .iter()
            .all(|tree| self.complete.contains_key(tree));
        let mut view = CeilingView {
            complete,
            ..CeilingView::default()
        };
        for entry in self.rows.values() {
            let high = entry
                .high
                .filter(|(_, seen)| *seen + HIGH_FOR > now)
                .map(|(high, _)| high);
            view.count(&entry.row, high);
        }
        view
    }

    /// Learns the row that a create or update answered with.
    pub fn wrote_row(&mut self, row: CampaignRow, tick: u64, now: Timestamp) {
        self.missing.remove(&row.id);
        self.put(row, now, |e| {
            e.wrote = tick;
            e.wrote_at = now;
            e.read_back = false;
        });
    }

    /// Learns that a status call was answered with yes. Deleted is final and needs no read-back; on and off are what
    /// the answer said per id.
    pub fn wrote_status(&mut self, id: &str, to: OperationStatus, tick: u64, now: Timestamp) {
        if let Some(entry) = self.rows.get_mut(id) {
            entry.row.operation = match to {
                OperationStatus::Enable => OperationState::On,
                OperationStatus::Disable => OperationState::Off,
                OperationStatus::Delete => OperationState::Deleted,
            };
            match (to, entry.row.secondary_status.as_str()) {
                (OperationStatus::Delete, _) => {
                    entry.row.secondary_status = "CAMPAIGN_STATUS_DELETE".into()
                }
                (OperationStatus::Disable, "CAMPAIGN_STATUS_ENABLE") => {
                    entry.row.secondary_status = "CAMPAIGN_STATUS_DISABLE".into()
                }
                (OperationStatus::Enable, "CAMPAIGN_STATUS_DISABLE") => {
                    entry.row.secondary_status = "CAMPAIGN_STATUS_ENABLE".into()
                }
                _ => {}
            }
            entry.at = now;
            entry.wrote = tick;
            entry.wrote_at = now;
            entry.unknown = false;
        }
    }

    /// A write without a clear answer: only a look-up knows.
    pub fn doubt(&mut self, id: &str) {
        if let Some(entry) = self.rows.get_mut(id) {
            entry.unknown = true;
            entry.read_back = false;
        }
    }

    /// A list of one tree was short of rows: the account is not completely known any more.
    pub fn incomplete(&mut self, tree: Tree) {
        self.complete.remove(&tree);
    }

    /// Learns a complete list of one tree. Rows of the other tree that it shows are dropped (R29).
    pub fn swept(
        &mut self,
        tree: Tree,
        rows: Vec<CampaignRow>,
        begun: Begun,
        now: Timestamp,
        settle: Duration,
    ) -> Learned {
        let mut learned = Learned::default();
        let mut listed = BTreeSet::new();
        for row in rows.into_iter().filter(|row| row.tree == tree) {
            listed.insert(row.id.clone());
            let contradicts_write = self.rows.get(&row.id).is_some_and(|e| {
                e.wrote > begun.tick
                    || (e.wrote > 0 && now < e.wrote_at + settle && contradicts(&e.row, &row))
            });
            if !contradicts_write {
                self.read(row, begun, &mut learned);
            } else if self
                .rows
                .get(&row.id)
                .is_some_and(|e| contradicts(&e.row, &row))
            {
                self.recheck(&row.id, &mut learned);
            }
        }
        let early: Vec<String> = self
            .rows
            .iter()
            .filter(|(id, e)| {
                e.row.tree == tree
                    && !listed.contains(*id)
                    && !e.unknown
                    && e.row.operation != OperationState::Deleted
                    && e.wrote > 0
                    && now < e.wrote_at + settle
            })
            .map(|(id, _)| id.clone())
            .collect();
        for id in early {
            self.recheck(&id, &mut learned);
        }
        let absent: Vec<String> = self
            .rows
            .iter()
            .filter(|(id, e)| {
                e.row.tree == tree
                    && !listed.contains(*id)
                    && !e.unknown
                    && e.row.operation != OperationState::Deleted
                    && e.wrote <= begun.tick
                    && e.read <= begun.tick
                    && (e.wrote == 0 || now >= e.wrote_at + settle)
            })
            .map(|(id, _)| id.clone())
            .collect();
        for id in absent {
            self.doubt(&id);
            if let Some(entry) = self.rows.get_mut(&id) {
                entry.unlisted = true;
            }
            learned.changed.insert(id);
        }
        self.complete.insert(tree, begun);
        learned
    }

    /// Learns a look-up by ids, deleted objects included.
    pub fn looked_up(
        &mut self,
        asked: &[String],
        rows: Vec<CampaignRow>,
        begun: Begun,
        now: Timestamp,
        settle: Duration,
    ) -> Learned {
        let mut learned = Learned::default();
        let mut found = BTreeSet::new();
        for row in rows.into_iter().filter(|row| asked.contains(&row.id)) {
            found.insert(row.id.clone());
            let Some(entry) = self.rows.get(&row.id) else {
                self.read(row, begun, &mut learned);
                continue;
            };
            let settling = entry.wrote > begun.tick
                || (entry.wrote > 0
                    && now < entry.wrote_at + settle
                    && !entry.unknown
                    && contradicts(&entry.row, &row));
            if settling {
                self.recheck(&row.id, &mut learned);
            } else {
                self.read(row, begun, &mut learned);
            }
        }
        for id in asked.iter().filter(|id| !found.contains(*id)) {
            let fresh_write = self.rows.get(id).is_some_and(|e| {
                e.wrote > begun.tick || (e.wrote > 0 && now < e.wrote_at + settle)
            });
            if fresh_write {
                self.recheck(id, &mut learned);
                continue;
            }
            self.doubt(id);
            self.missing.entry(id.clone()).or_default().push(begun.at);
            learned.changed.insert(id.clone());
        }
        learned
    }

    /// A read contradicted a write that may not have settled: the row is asked for again afterwards.
    fn recheck(&mut self, id: &str, learned: &mut Learned) {
        learned.again.insert(id.to_string());
        if let Some(entry) = self.rows.get_mut(id) {
            entry.recheck = true;
        }
    }

    /// The settle time is over: what was contradicted within it has to be looked up.
    pub fn settled(&mut self, id: &str) {
        if self.rows.get(id).is_some_and(|e| e.recheck) {
            self.doubt(id);
        }
    }

    fn read(&mut self, row: CampaignRow, begun: Begun, learned: &mut Learned) {
        self.missing.remove(&row.id);
        let old = self.rows.get(&row.id);
        if old.is_some_and(|e| e.read > begun.tick) {
            return;
        }
        let same = old.is_some_and(|e| e.row == row && !e.unknown && e.read_back);
        if !same {
            learned.changed.insert(row.id.clone());
        }
        self.put(row, begun.at, |e| {
            e.read = begun.tick;
            e.read_back = true;
        });
    }

    fn put(&mut self, row: CampaignRow, at: Timestamp, update: impl FnOnce(&mut Entry)) {
        let id = row.id.clone();
        let mut entry = match self.rows.remove(&id) {
            Some(old) => {
                self.unname(&old.row);
                old
            }
            None => Entry {
                row: row.clone(),
                at,
                read: 0,
                wrote: 0,
                wrote_at: at,
                read_back: false,
                unknown: false,
                recheck: false,
                unlisted: false,
                high: None,
            },
        };
        let budget = row.budget.max(row.current_budget);
        entry.high = match (entry.high, budget) {
            (Some((high, seen)), Some(b)) if high > b && seen + HIGH_FOR > at => Some((high, seen)),
            (_, Some(b)) => Some((b, at)),
            (high, None) => high,
        };
        entry.row = row;
        entry.at = at;
        entry.unknown = false;
        entry.recheck = false;
        entry.unlisted = false;
        update(&mut entry);
        self.by_name
            .entry(entry.row.name.clone())
            .or_default()
            .insert(id.clone());
        self.rows.insert(id, entry);
    }

    fn unname(&mut self, row: &CampaignRow) {
        if let Some(ids) = self.by_name.get_mut(&row.name) {
            ids.remove(&row.id);
            if ids.is_empty() {
                self.by_name.remove(&row.name);
            }
        }
    }
}

/// Does a read say otherwise than what our write made of the row? Times and delivery may move by themselves.
fn contradicts(written: &CampaignRow, read: &CampaignRow) -> bool {
    written.operation != read.operation
        || written.name != read.name
        || written.budget != read.budget
        || written.special_industries != read.special_industries
        || written.po_number != read.po_number
}
