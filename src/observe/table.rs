//! The rows of one account and how fresh each is.
//!
//! A *tick* is taken before each read is sent and after each write is answered. A read that was begun before a
//! write ended knows nothing of it and cannot undo it. After a write, a read that contradicts it is ignored for a
//! settle time (a list) or asked again after it (a look-up): platforms list late.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;

use crate::model::ceiling::CeilingView;
use crate::model::facts::{Have, ReviewLook, Seen};
use crate::platform::{Cents, Kind, OperationState, OperationStatus, Review, Row, Tree};

/// Names one object of the account.
pub type RowId = (Kind, String);

/// One list of the platform: what it shows, and on which tree's endpoint.
pub type List = (Kind, Tree);

/// When a read was begun: its tick, and our clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Begun {
    pub tick: u64,
    pub at: Timestamp,
}

#[derive(Clone, Debug)]
struct Entry {
    row: Row,
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
    /// R15: when the last look-up for it was begun, if nothing was written since.
    looked_up: Option<Timestamp>,
    /// The row is missing from a list, or a write had no clear answer: nothing is known until it is looked up.
    unknown: bool,
    /// Somebody said that it may be otherwise by now, at this tick: it counts as it is known until a look-up that was begun
    /// later.
    hinted: Option<u64>,
    /// A read contradicted our last write within its settle time: it is asked again after that.
    recheck: bool,
    /// The last complete list did not show it.
    unlisted: bool,
    /// Since when no complete list has shown it, whatever look-ups did.
    missed_since: Option<Timestamp>,
    /// That has lasted for [`HIDDEN_AFTER`].
    hidden: bool,
    /// The highest budget seen, and when last.
    high: Option<(Cents, Timestamp)>,
}

/// The rows of one account.
#[derive(Debug, Default)]
pub struct Table {
    rows: BTreeMap<RowId, Entry>,
    /// By kind, parent and name.
    by_name: BTreeMap<(Kind, Option<String>, String), BTreeSet<RowId>>,
    /// The last complete one of each list.
    complete: BTreeMap<List, Begun>,
    /// Look-ups by id that found nothing, in a row.
    missing: BTreeMap<RowId, Vec<Timestamp>>,
    /// What the review said of an ad, and the ad's delivery status and time of change at that time; `None`: it may be
    /// otherwise by now without the row showing it.
    reviews: BTreeMap<String, (Review, Option<Signature>, Timestamp)>,
    /// The ads of the Smart+ tree by the ids of their creatives, which manual lists and events take for ads.
    by_creative: BTreeMap<String, String>,
}

/// What moves when something about an ad's review does.
type Signature = (String, Option<Timestamp>);

/// A budget counts at its highest for this long (R20).
const HIGH_FOR: Duration = Duration::from_secs(24 * 3600);

/// Lists are late, but not that late.
const HIDDEN_AFTER: Duration = Duration::from_secs(90);

/// What a read changed.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Learned {
    /// Ids whose row is new or different, or is now unknown.
    pub changed: BTreeSet<RowId>,
    /// Ids that must be looked up again after the settle time.
    pub again: BTreeSet<RowId>,
}

impl Table {
    /// What is known of one id. Two look-ups, spaced, that found nothing make it absent.
    pub fn have(&self, id: &RowId, spacing: Duration) -> Have {
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
                row: self.as_it_counts(entry),
                read_back: entry.read_back,
                at: entry.at,
                looked_up: entry.looked_up,
                hinted: entry.hinted.is_some(),
            }),
            _ => Have::Unknown,
        }
    }

    fn as_it_counts(&self, entry: &Entry) -> Row {
        let mut row = entry.row.clone();
        if self.is_deleted(entry) {
            row.operation = OperationState::Deleted;
        }
        row
    }

    /// Deleted, as far as it can be told: not every row of TikTok's says so itself. What is in something deleted is
    /// deleted with it. And what is shown by its id only, no more by lists (which hide nothing else), is taken for
    /// deleted if it is off, or if what it is in is not listed any more either.
    fn is_deleted(&self, entry: &Entry) -> bool {
        let row = &entry.row;
        let above = [
            (Kind::AdGroup, row.ad_group.as_ref()),
            (Kind::Campaign, row.campaign.as_ref()),
        ];
        row.operation == OperationState::Deleted
            || (entry.hidden && row.operation == OperationState::Off)
            || above.into_iter().any(|(kind, id)| {
                let Some(id) = id else { return false };
                match self.rows.get(&(kind, id.clone())) {
                    Some(e) if e.row.operation == OperationState::Deleted => true,
                    Some(e) => entry.hidden && e.hidden,
                    None => entry.hidden && self.complete.contains_key(&(kind, row.tree)),
                }
            })
    }

    /// Rows of what is in a campaign or an ad group, at every level.
    pub fn inside(&self, (kind, id): &RowId) -> Vec<RowId> {
        let is_in = |row: &Row| match kind {
            Kind::Campaign => row.campaign.as_ref() == Some(id),
            Kind::AdGroup => row.ad_group.as_ref() == Some(id),
            Kind::Ad => false,
        };
        let rows = self.rows.iter().filter(|(_, e)| is_in(&e.row));
        rows.map(|(id, _)| id.clone()).collect()
    }

    /// When a look-up for an id makes sense: at once, or spaced from one that found nothing, or after a write settled.
    pub fn look_not_before(
        &self,
        id: &RowId,
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
    pub fn last_known(&self, id: &RowId) -> Option<&Row> {
        self.rows.get(id).map(|e| &e.row)
    }

    /// The row as last known, and deleted if it went with what it is in: not every row of TikTok's says so itself.
    pub fn as_far_as_known(&self, id: &RowId) -> Option<Row> {
        self.rows.get(id).map(|entry| self.as_it_counts(entry))
    }

    /// Live rows of exactly this name under one parent (campaigns: in both trees), that the last complete lists did not
    /// miss.
    pub fn named(&self, kind: Kind, parent: Option<&str>, name: &str) -> Vec<&Row> {
        let key = (kind, parent.map(str::to_owned), name.to_owned());
        let ids = self.by_name.get(&key);
        ids.into_iter()
            .flatten()
            .filter_map(|id| self.rows.get(id))
            .filter(|e| !e.unlisted && !self.is_deleted(e))
            .map(|e| &e.row)
            .collect()
    }

    /// When the last complete one of a list was begun.
    pub fn listed(&self, list: List) -> Option<Begun> {
        self.complete.get(&list).copied()
    }

    /// What is known of an ad's review, and whether the ad has changed since.
    pub fn review(&self, ad: &str) -> ReviewLook {
        let row = self.rows.get(&(Kind::Ad, ad.to_owned())).map(|e| &e.row);
        let known = self.reviews.get(ad);
        ReviewLook {
            known: known.map(|(review, _, _)| review.clone()),
            outdated: row.is_some_and(|row| {
                known.is_none_or(|(_, was, _)| was.as_ref() != Some(&signature(row)))
            }),
            at: known.map(|(_, _, at)| *at),
        }
    }

    /// Learns what the review says of ads. `asked`: with the rows that the question was made from; an ad that the answer
    /// does not mention has nothing to be said of.
    pub fn reviewed(
        &mut self,
        asked: &[String],
        answer: Vec<(String, Review)>,
        of: &Signatures,
        now: Timestamp,
    ) {
        let mut answer: BTreeMap<String, Review> = answer.into_iter().collect();
        for id in asked {
            let review = answer.remove(id).unwrap_or_default();
            if let Some(signature) = of.0.get(id) {
                self.reviews
                    .insert(id.clone(), (review, Some(signature.clone()), now));
            }
        }
    }

    /// The review of an ad is another than was read.
    pub fn doubt_review(&mut self, ad: &str) {
        self.reviews.remove(ad);
    }

    /// The ads' states at the time of a question about their reviews.
    pub fn signatures(&self, ads: &[String]) -> Signatures {
        let of = |id: &String| {
            let row = self.rows.get(&(Kind::Ad, id.clone()))?;
            Some((id.clone(), signature(&row.row)))
        };
        Signatures(ads.iter().filter_map(of).collect())
    }

    /// How many rows are known.
    pub fn known(&self) -> usize {
        self.rows.len()
    }

    /// All rows.
    pub fn rows(&self) -> impl Iterator<Item = &Row> {
        self.rows.values().map(|e| &e.row)
    }

    /// What the rows that are on could spend in a day.
    pub fn ceiling(&self, now: Timestamp) -> CeilingView {
        let read = |kind: Kind, tree: Tree| self.complete.contains_key(&(kind, tree));
        let mut view = CeilingView {
            complete: Kind::tops()
                .flat_map(Kind::in_trees)
                .all(|(kind, tree)| read(kind, tree)),
            ad_groups_of: Tree::ALL
                .into_iter()
                .filter(|t| read(Kind::AdGroup, *t))
                .collect(),
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
    pub fn wrote_row(&mut self, row: Row, tick: u64, now: Timestamp) {
        self.missing.remove(&key(&row));
        self.put(row, now, |e| {
            e.wrote = tick;
            e.wrote_at = now;
            e.read_back = false;
            e.looked_up = None;
            e.missed_since = None;
            e.hidden = false;
        });
    }

    /// Learns that a status call was answered with yes. Deleted is final and needs no read-back; on and off are what
    /// the answer said per id.
    pub fn wrote_status(&mut self, id: &RowId, to: OperationStatus, tick: u64, now: Timestamp) {
        if let Some(entry) = self.rows.get_mut(id) {
            entry.row.operation = to.into();
            entry.row.secondary_status = entry.row.after(to);
            entry.looked_up = None;
            entry.at = now;
            entry.wrote = tick;
            entry.wrote_at = now;
            entry.unknown = false;
        }
    }

    /// A write without a clear answer: only a look-up knows.
    pub fn doubt(&mut self, id: &RowId) {
        if let Some(entry) = self.rows.get_mut(id) {
            entry.unknown = true;
            entry.read_back = false;
        }
    }

    /// R23: somebody says that a row may be otherwise by now. What our own writes taught goes on to count, so that a list or
    /// look-up that is late cannot undo it; and a pause needs no look-up before it. False: there is no such row.
    pub fn hint(&mut self, id: &RowId, tick: u64) -> bool {
        match self.rows.get_mut(id) {
            Some(entry) => {
                entry.hinted = Some(tick);
                if hides_review(&entry.row)
                    && let Some((_, of, _)) = self.reviews.get_mut(&id.1)
                {
                    *of = None;
                }
                true
            }
            None => false,
        }
    }

    /// The ad of the Smart+ tree that has a creative of this id.
    pub fn ad_of_creative(&self, creative: &str) -> Option<&str> {
        self.by_creative.get(creative).map(String::as_str)
    }

    /// R17: a write to one ad group changed what the others of its campaign have as well: they have to be read.
    pub fn doubt_siblings(&mut self, row: &Row) -> Vec<RowId> {
        let siblings: Vec<RowId> = self
            .rows
            .iter()
            .filter(|(_, e)| {
                e.row.kind == row.kind && e.row.campaign == row.campaign && e.row.id != row.id
            })
            .filter(|(_, e)| e.row.operation != OperationState::Deleted)
            .map(|(id, _)| id.clone())
            .collect();
        for id in &siblings {
            self.doubt(id);
        }
        siblings
    }

    /// A list was short of rows: the account is not completely known any more.
    pub fn incomplete(&mut self, list: List) {
        self.complete.remove(&list);
    }

    /// R29: is this row of a list of one tree really of the other tree? Campaigns say so themselves; what is below them
    /// is told by its campaign. What is in a campaign that nobody knows is taken for nothing until the campaign is read.
    fn is_foreign(&self, tree: Tree, row: &Row) -> bool {
        if row.tree != tree {
            return true;
        }
        let Some(campaign) = &row.campaign else {
            return false;
        };
        match self.rows.get(&(Kind::Campaign, campaign.clone())) {
            Some(known) => known.row.tree != tree,
            None => !self.rows.contains_key(&key(row)),
        }
    }

    /// Learns a complete list. Rows of the other tree that it shows are dropped (R29).
    pub fn swept(
        &mut self,
        list: List,
        rows: Vec<Row>,
        begun: Begun,
        now: Timestamp,
        settle: Duration,
    ) -> Learned {
        let (kind, tree) = list;
        let mut learned = Learned::default();
        let mut listed = BTreeSet::new();
        for row in rows {
            if self.is_foreign(tree, &row) {
                continue;
            }
            let id = key(&row);
            listed.insert(id.clone());
            let contradicts_write = self.rows.get(&id).is_some_and(|e| {
                e.wrote > begun.tick
                    || (e.wrote > 0 && now < e.wrote_at + settle && contradicts(&e.row, &row))
            });
            if !contradicts_write {
                self.read(row, begun, false, &mut learned);
            } else if self
                .rows
                .get(&id)
                .is_some_and(|e| contradicts(&e.row, &row))
            {
                self.recheck(&id, &mut learned);
            }
        }
        let early: Vec<RowId> = self
            .rows
            .iter()
            .filter(|(id, e)| {
                (e.row.kind, e.row.tree) == (kind, tree)
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
        let absent: Vec<RowId> = self
            .rows
            .iter()
            .filter(|(id, e)| {
                (e.row.kind, e.row.tree) == (kind, tree)
                    && !listed.contains(*id)
                    && !self.is_deleted(e)
                    && e.wrote <= begun.tick
                    && e.read <= begun.tick
                    && (e.wrote == 0 || now >= e.wrote_at + settle)
            })
            .map(|(id, _)| id.clone())
            .collect();
        for id in absent {
            let Some(entry) = self.rows.get_mut(&id) else {
                continue;
            };
            // Also while nothing is known of it: what is refused again and again would else never be hidden.
            entry.unlisted = true;
            entry.missed_since.get_or_insert(begun.at);
            if !entry.unknown {
                self.doubt(&id);
                learned.changed.insert(id);
            }
        }
        for (id, entry) in &mut self.rows {
            let missed = entry.missed_since.filter(|_| !listed.contains(id));
            if (id.0, entry.row.tree) == list {
                entry.hidden = missed.is_some_and(|since| begun.at >= since + HIDDEN_AFTER);
            }
        }
        self.complete.insert(list, begun);
        learned
    }

    /// Learns a look-up by ids, deleted objects included.
    pub fn looked_up(
        &mut self,
        kind: Kind,
        asked: &[String],
        rows: Vec<Row>,
        begun: Begun,
        now: Timestamp,
        settle: Duration,
    ) -> Learned {
        let mut learned = Learned::default();
        let mut found = BTreeSet::new();
        for id in asked {
            // Whatever the answer is, this was the look-up.
            if let Some(entry) = self.rows.get_mut(&(kind, id.clone())) {
                entry.hinted = entry.hinted.filter(|tick| *tick > begun.tick);
            }
        }
        for row in rows.into_iter().filter(|row| asked.contains(&row.id)) {
            let id = key(&row);
            found.insert(row.id.clone());
            let Some(entry) = self.rows.get(&id) else {
                self.read(row, begun, true, &mut learned);
                continue;
            };
            let settling = entry.wrote > begun.tick
                || (entry.wrote > 0
                    && now < entry.wrote_at + settle
                    && !entry.unknown
                    && contradicts(&entry.row, &row));
            if settling {
                self.recheck(&id, &mut learned);
            } else {
                self.read(row, begun, true, &mut learned);
            }
        }
        for id in asked.iter().filter(|id| !found.contains(*id)) {
            let id = &(kind, id.clone());
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
    fn recheck(&mut self, id: &RowId, learned: &mut Learned) {
        learned.again.insert(id.clone());
        if let Some(entry) = self.rows.get_mut(id) {
            entry.recheck = true;
        }
    }

    /// The settle time is over: what was contradicted within it has to be looked up.
    pub fn settled(&mut self, id: &RowId) {
        if self.rows.get(id).is_some_and(|e| e.recheck) {
            self.doubt(id);
        }
    }

    fn read(&mut self, row: Row, begun: Begun, looked_up: bool, learned: &mut Learned) {
        let id = key(&row);
        self.missing.remove(&id);
        let old = self.rows.get(&id);
        if old.is_some_and(|e| e.read > begun.tick) {
            return;
        }
        let same = old.is_some_and(|e| e.row == row && !e.unknown && e.read_back);
        let is_new = old.is_some_and(|e| e.row != row);
        let deleted = row.operation == OperationState::Deleted;
        if !same && deleted {
            learned.changed.extend(self.inside(&id));
        }
        if !same {
            learned.changed.insert(id);
        }
        self.put(row, begun.at, |e| {
            e.read = begun.tick;
            e.read_back = true;
            if looked_up {
                e.looked_up = Some(begun.at);
            } else {
                e.missed_since = None;
                e.hidden = false;
                // Somebody wrote since: what was looked up is not so any more.
                if is_new {
                    e.looked_up = None;
                }
            }
        });
    }

    fn put(&mut self, row: Row, at: Timestamp, update: impl FnOnce(&mut Entry)) {
        let id = key(&row);
        let mut entry = match self.rows.remove(&id) {
            Some(old) => {
                self.unname(&old.row);
                self.forget_creatives(&old.row);
                old
            }
            None => Entry {
                row: row.clone(),
                at,
                read: 0,
                wrote: 0,
                wrote_at: at,
                read_back: false,
                looked_up: None,
                unknown: false,
                hinted: None,
                recheck: false,
                unlisted: false,
                missed_since: None,
                hidden: false,
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
            .entry(name_key(&entry.row))
            .or_default()
            .insert(id.clone());
        for creative in &entry.row.creatives {
            self.by_creative
                .insert(creative.clone(), entry.row.id.clone());
        }
        self.rows.insert(id, entry);
    }

    fn forget_creatives(&mut self, row: &Row) {
        for creative in &row.creatives {
            self.by_creative.remove(creative);
        }
    }

    fn unname(&mut self, row: &Row) {
        let name = name_key(row);
        if let Some(ids) = self.by_name.get_mut(&name) {
            ids.remove(&key(row));
            if ids.is_empty() {
                self.by_name.remove(&name);
            }
        }
    }
}

/// Does a read say otherwise than what our write made of the row? Times and delivery may move by themselves.
fn contradicts(written: &Row, read: &Row) -> bool {
    written.operation != read.operation
        || written.name != read.name
        || written.budget != read.budget
        // What the answer to a write does not show is not contradicted by a read that does.
        || written.fields.iter().any(|(name, value)| {
            read.fields.get(name).is_some_and(|shown| shown != value)
        })
}

/// The states of ads at a time, see [`Table::signatures`].
#[derive(Clone, Debug, Default)]
pub struct Signatures(BTreeMap<String, Signature>);

/// An ad that is off, or in something that is off, shows that and not what became of its review.
fn hides_review(row: &Row) -> bool {
    let status = &row.secondary_status;
    row.kind == Kind::Ad && (status.is_empty() || status.contains("DISABLE"))
}

fn signature(row: &Row) -> Signature {
    (row.secondary_status.clone(), row.modified)
}

fn key(row: &Row) -> RowId {
    (row.kind, row.id.clone())
}

fn name_key(row: &Row) -> (Kind, Option<String>, String) {
    (row.kind, row.parent().map(str::to_owned), row.name.clone())
}
