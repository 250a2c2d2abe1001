//! What must hold in every state, and in the last one of every run in which nothing goes wrong any more.

use tiktok_ads_operator::model::reason::Reason;

use super::facts::{Act, Planner, Settled};
use super::world::{Lease, Variant, World};

/// Rules of every single state.
pub fn state(variant: &Variant, w: &World) -> Option<&'static str> {
    for cr in 0..2u8 {
        for uid in 1..=2u8 {
            if w.ids(|row| row.by == Some((cr, uid)) && !row.deleted)
                .count()
                > 1
            {
                return Some("two live campaigns were made for one CR");
            }
        }
    }
    let held = |cr: usize| w.objs[cr].rec.and_then(|rec| rec.id);
    if held(0).is_some() && held(0) == held(1) {
        return Some("two CRs hold one campaign");
    }
    if variant.same_name && w.ids(|row| row.by.is_some() && !row.deleted).count() > 1 {
        return Some("two live campaigns of one name were made (R9)");
    }
    None
}

/// Rules of a state in which nothing happens any more.
pub fn last(variant: &Variant, planner: &mut Planner, w: &World) -> Option<String> {
    let Some(leader) = w.reps.iter().position(|r| r.lease == Lease::Leads) else {
        return Some("nobody leads".into());
    };
    for cr in 0..variant.crs {
        let obj = w.objs[cr];
        if obj.uid == 0 {
            continue;
        }
        if obj.deleting {
            return Some(format!("CR {cr} is never let go"));
        }
        let mine = w
            .ids(|row| row.by == Some((cr as u8, obj.uid)) && !row.deleted)
            .next();
        let act = planner.act(w, leader, cr);
        let fine = match act {
            Act::Rest {
                settled: Settled::Ready,
                ..
            } => obj
                .rec
                .and_then(|rec| rec.id)
                .is_some_and(|id| !w.rows[id as usize].deleted),
            // Somebody else has the name: said so, and nothing was made.
            Act::Rest {
                settled: Settled::Stalled(Reason::NameTaken | Reason::Conflict),
                ..
            } => {
                let other = w.objs[1 - cr].uid > 0 && variant.same_name;
                let taken = w
                    .ids(|row| row.name == variant.name(cr) && !row.deleted)
                    .next()
                    .is_some();
                mine.is_none() && (other || taken)
            }
            _ => false,
        };
        if !fine {
            return Some(format!("CR {cr} ends with {act:?}"));
        }
    }
    // With policy Delete nothing that we made outlives its CR; else it does, switched off.
    let holder = |id: u8| {
        w.objs
            .iter()
            .any(|o| o.rec.is_some_and(|rec| rec.id == Some(id)))
    };
    let orphan = w
        .ids(|row| {
            !row.deleted
                && row
                    .by
                    .is_some_and(|(cr, uid)| variant.delete || w.objs[cr as usize].uid == uid)
        })
        .find(|id| !holder(*id));
    orphan.map(|id| format!("campaign {id} belongs to nobody in the end"))
}
