//! Quick hashes of worlds: a few words instead of a thousand bytes. States are compared in full, so what is left out
//! here, or falls together, costs time only.

use std::hash::{Hash, Hasher};

use super::question::{Above, Known, Question};
use super::world::{Answer, Att, Cell, Core, Memo, Obj, Phase, Place, Rec, Replica, Row, World};

/// Small values side by side in one word.
#[derive(Default)]
struct Word(u64);

impl Word {
    fn put(mut self, value: impl Into<u64>, bits: u32) -> Self {
        self.0 = (self.0 << bits) ^ value.into();
        self
    }

    fn maybe(self, value: Option<u8>, bits: u32) -> Self {
        self.put(value.map_or(0, |v| v + 1), bits)
    }
}

fn rec(rec: &Option<Rec>) -> u64 {
    let Some(rec) = rec else { return 0 };
    Word(1)
        .put(rec.seq, 6)
        .put(rec.counter, 2)
        .put(rec.attempt, 3)
        .put(rec.keyed, 1)
        .put(rec.adopted, 1)
        .put(rec.seen_on, 1)
        .put(rec.held_off, 1)
        .maybe(rec.since, 4)
        .maybe(rec.mark, 4)
        .maybe(rec.id, 4)
        .maybe(rec.parent, 4)
        .0
}

fn obj(obj: &Obj) -> u64 {
    Word(rec(&obj.rec))
        .put(obj.uid, 2)
        .put(obj.deleting, 1)
        .put(obj.finalizer, 1)
        .put(obj.edits, 2)
        .0
}

fn row(row: &Row) -> u64 {
    if !row.there {
        return 0;
    }
    Word(1)
        .put(row.kind as u8, 2)
        .put(row.by.map_or(0, |(cr, uid)| 1 + cr * 4 + uid), 5)
        .maybe(row.parent, 4)
        .put(row.counter, 2)
        .put(row.name, 2)
        .put(row.created, 4)
        .put(row.deleted, 1)
        .put(row.on, 1)
        .put(row.bid, 3)
        .0
}

fn cell(cell: &Cell) -> u64 {
    match cell {
        Cell::Never => 0,
        Cell::Doubt => 1,
        Cell::Unlisted => 2,
        Cell::Deleted => 3,
        Cell::Live(shown) => {
            Word(1)
                .put(shown.read_back, 1)
                .put(shown.at, 4)
                .put(shown.on, 1)
                .put(shown.bid, 3)
                .put(shown.looked_up, 1)
                .0
        }
    }
}

fn att(att: Att) -> u8 {
    match att {
        Att::None => 0,
        Att::Unsent => 1,
        Att::Unclear => 2,
        Att::Refused => 3,
        Att::Made(id) => 16 + id,
        Att::MadeDeleted(id) => 32 + id,
    }
}

fn place(place: Option<Place>) -> u8 {
    match place {
        None => 0,
        Some(Place::Account) => 1,
        Some(Place::In(id)) => 2 + id,
    }
}

fn core(core: &Core) -> u64 {
    let (first, last) = core.absence.map_or((0, 0), |(a, b)| (a + 1, b + 1));
    Word(0)
        .put(att(core.att), 6)
        .put(first, 4)
        .put(last, 4)
        .put(core.found, 8)
        .put(core.key_used, 1)
        .put(place(core.refused), 4)
        .put(place(core.name_read), 4)
        .maybe(core.ending, 4)
        .put(core.paused, 1)
        .put(core.corrections, 2)
        .0
}

fn phase(phase: &Phase) -> u64 {
    match phase {
        Phase::Idle => 0,
        Phase::Batched => 1,
        Phase::Marked { copy, together } => Word(obj(copy)).put(*together, 1).put(2u8, 2).0,
        Phase::Announced(marked) => Word(rec(&Some(*marked))).put(3u8, 3).0,
        Phase::Calling { answer, with } => {
            let answer = match answer {
                Answer::Row(id) => 16 + id,
                Answer::DeletedRow(id) => 32 + id,
                Answer::Nothing => 1,
                Answer::NotSent => 2,
                Answer::Duplicate => 3,
                Answer::Refused => 4,
            };
            Word(1).put(answer, 6).put(*with, 8).0
        }
    }
}

fn memo<H: Hasher>(memo: &Memo, state: &mut H) {
    let (counter, attempt) = memo.of.unwrap_or((7, 7));
    let rest = Word(core(&memo.core))
        .put(memo.uid, 2)
        .put(memo.seq, 6)
        .put(counter, 3)
        .put(attempt, 3)
        .put(memo.alone, 1)
        .put(memo.seen_on, 1)
        .put(memo.edits, 2);
    state.write_u64(rest.0);
    state.write_u64(phase(&memo.phase));
}

impl<const N: usize, const R: usize> Hash for Replica<N, R> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        for i in 0..N {
            state.write_u64(obj(&self.copies[i]));
            if self.seen[i] != self.copies[i] {
                state.write_u64(obj(&self.seen[i]));
            }
            memo(&self.memos[i], state);
        }
        let mut word = Word(self.lease as u64);
        for (i, one) in self.table.iter().enumerate() {
            word = word.put(cell(one), 11);
            if i % 5 == 4 {
                state.write_u64(std::mem::take(&mut word).0);
            }
        }
        state.write_u64(word.0);
    }
}

impl<const N: usize, const R: usize> Hash for World<N, R> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let left = &self.left;
        let counters = [
            left.crashes,
            left.unclear,
            left.moves,
            left.freezes,
            left.deletes,
            left.again,
            left.deletes_outside,
            left.pauses_outside,
            left.caps,
            left.edits,
        ];
        let word = Word(self.now.into()).put(self.caps, 1);
        let word = counters.iter().fold(word, |word, n| word.put(*n, 3));
        state.write_u64(word.0);
        for one in &self.objs {
            state.write_u64(obj(one));
        }
        for one in self.rows.iter().filter(|row| row.there) {
            state.write_u64(row(one));
        }
        for late in self.late.iter().flatten() {
            state.write_u64(Word(row(&late.row)).put(late.at_latest, 4).0);
        }
        for ghost in &self.ghost {
            let (counter, attempt, parent) = ghost.marked.unwrap_or((3, 7, None));
            let word = Word(0)
                .put(counter, 2)
                .put(attempt, 3)
                .maybe(parent, 4)
                .maybe(ghost.open, 4)
                .maybe(ghost.looked, 4)
                .put(ghost.proven, 1)
                .put(ghost.off_outside as u8, 2);
            state.write_u64(word.0);
        }
        for rep in &self.reps {
            rep.hash(state);
        }
    }
}

fn known(known: &Known) -> u64 {
    Word(known.id.into())
        .put(known.read, 1)
        .put(known.deleted, 1)
        .0
}

impl<const N: usize, const R: usize> Hash for Question<N, R> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let (id, have) = self.have.map_or((0, 0), |(id, c)| (id + 1, cell(&c)));
        let above = match &self.above {
            Above::Account => 0,
            Above::Missing => 1,
            Above::Ending => 2,
            Above::NotMade => 3,
            Above::There(row) => 4 + known(row),
        };
        let word = Word(self.cr.into())
            .put(self.now, 4)
            .put(id, 4)
            .put(have, 11)
            .put(self.named, 8)
            .put(self.held, 8)
            .put(self.id_taken, 1)
            .put(self.name_taken, 1)
            .put(self.cut_off, 1)
            .put(self.caps, 1)
            .put(above, 7)
            .put(self.campaign.map_or(0, |row| 1 + known(&row)), 6);
        state.write_u64(word.0);
        state.write_u64(self.bounds.map_or(0, |row| 1 + known(&row)));
        state.write_u64(obj(&self.obj));
        state.write_u64(core(&self.core));
        for (cr, sibling) in self.siblings.iter().enumerate() {
            if let Some((edits, leads)) = sibling {
                let word = Word(cr as u64).put(*edits, 2).put(*leads, 1);
                state.write_u64(word.0);
            }
        }
        for (id, one) in self.rows.iter().enumerate() {
            if one.there {
                state.write_u64(Word(id as u64).put(row(one), 40).0);
            }
        }
    }
}
