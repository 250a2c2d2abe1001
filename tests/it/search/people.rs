//! What people do, to our objects and on the platform.

use super::step::{Event, Steps};
use super::world::{Ghost, Obj, Outside, Row, World};

impl<const N: usize, const R: usize> Steps<'_, N, R> {
    pub(super) fn people(&mut self, w: &World<N, R>) {
        for cr in 0..N {
            self.user(w, cr);
            self.outside(w, cr);
        }
        if w.left.caps > 0 {
            let mut next = *w;
            next.left.caps -= 1;
            next.caps = !w.caps;
            self.push(Event::Caps(next.caps), next, None);
        }
    }

    fn user(&mut self, w: &World<N, R>, cr: usize) {
        let (obj, of) = (w.objs[cr], self.variant.crs[cr]);
        if of.deletable && obj.uid > 0 && !obj.deleting && w.left.deletes > 0 {
            let mut next = *w;
            next.left.deletes -= 1;
            if obj.finalizer {
                next.objs[cr].deleting = true;
            } else {
                next.objs[cr] = Obj::default();
                next.ghost[cr] = Ghost::default();
            }
            self.push(Event::UserDeletes(cr as u8), next, None);
        }
        if (of.deletable || of.absent) && obj.uid == 0 && w.left.again > 0 {
            let mut next = *w;
            next.left.again -= 1;
            next.objs[cr] = Obj {
                uid: 2,
                ..Obj::default()
            };
            self.push(Event::UserMakesAgain(cr as u8), next, None);
        }
        if obj.uid > 0 && usize::from(obj.edits) + 1 < of.bids.len() && w.left.edits > 0 {
            let mut next = *w;
            next.left.edits -= 1;
            next.objs[cr].edits += 1;
            self.push(Event::UserEdits(cr as u8), next, None);
        }
    }

    fn outside(&mut self, w: &World<N, R>, cr: usize) {
        if !self.variant.crs[cr].touchable {
            return;
        }
        // A stranger's is nobody's, and touched once.
        let touched = |row: &Row| row.by.map_or(cr == 0, |(by, _)| by == cr as u8);
        for id in w.ids(|row| touched(row) && !row.deleted) {
            if w.left.deletes_outside > 0 {
                let mut next = *w;
                next.left.deletes_outside -= 1;
                next.delete(id);
                self.push(Event::DeletedOutside(cr as u8), next, None);
            }
            if w.left.pauses_outside > 0 && w.rows[id as usize].on {
                let mut next = *w;
                next.left.pauses_outside -= 1;
                next.rows[id as usize].on = false;
                let seen_on = w.objs[cr].rec.is_some_and(|rec| rec.seen_on);
                next.ghost[cr].off_outside = if seen_on {
                    Outside::Minded
                } else {
                    Outside::Off
                };
                self.push(Event::PausedOutside(cr as u8), next, None);
            }
        }
    }
}
