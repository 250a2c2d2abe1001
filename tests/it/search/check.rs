//! What must hold in every state, and in the last one of every run in which nothing goes wrong any more.

use tiktok_ads_operator::api::common::DeletionPolicy;
use tiktok_ads_operator::model::reason::Reason;

use super::facts::{Act, Planner, Settled};
use super::variant::Variant;
use super::world::{Lease, Left, Outside, World};

/// Rules of every single state.
pub fn state<const N: usize, const R: usize>(w: &World<N, R>) -> Option<&'static str> {
    for cr in 0..N as u8 {
        for uid in 1..=2u8 {
            let mut made = w.ids(|row| row.by == Some((cr, uid)) && !row.deleted);
            if made.next().is_some() && made.next().is_some() {
                return Some("two live objects were made for one CR");
            }
        }
    }
    for a in 0..N {
        let held = w.objs[a].rec.and_then(|rec| rec.id);
        for b in 0..a {
            if held.is_some() && held == w.objs[b].rec.and_then(|rec| rec.id) {
                return Some("two CRs hold one object");
            }
        }
    }
    let ours: Vec<u8> = w.ids(|row| row.by.is_some() && !row.deleted).collect();
    let place = |id: &u8| {
        let row = w.rows[*id as usize];
        (row.kind, row.parent, row.name)
    };
    let mut pairs = ours.iter().enumerate().flat_map(|(i, a)| {
        let rest = &ours[i + 1..];
        rest.iter().map(move |b| (a, b))
    });
    if pairs.any(|(a, b)| place(a) == place(b)) {
        return Some("two live objects of one name were made in one place (R9)");
    }
    None
}

/// Rules of a state in which nothing happens any more.
pub fn last<const N: usize, const R: usize>(
    variant: &Variant<N>,
    planner: &mut Planner<N, R>,
    w: &World<N, R>,
) -> Option<String> {
    let Some(leader) = w.reps.iter().position(|r| r.lease == Lease::Leads) else {
        return Some("nobody leads".into());
    };
    for cr in 0..N {
        let obj = w.objs[cr];
        if obj.uid == 0 {
            continue;
        }
        if obj.deleting {
            return Some(format!("CR {cr} is never let go"));
        }
        let act = planner.act(w, leader, cr);
        if !in_order(variant, w, cr, act) {
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
            let outlives = |cr: u8, uid: u8| {
                let of = &variant.crs[cr as usize];
                of.policy == Some(DeletionPolicy::Delete) || w.objs[cr as usize].uid == uid
            };
            !row.deleted && row.by.is_some_and(|(cr, uid)| outlives(cr, uid))
        })
        .find(|id| !holder(*id));
    orphan.map(|id| format!("object {id} belongs to nobody in the end"))
}

/// Is the platform as the spec says, or does the verdict say truly why not?
fn in_order<const N: usize, const R: usize>(
    variant: &Variant<N>,
    w: &World<N, R>,
    cr: usize,
    act: Act,
) -> bool {
    let (obj, of) = (w.objs[cr], &variant.crs[cr]);
    let id = obj.rec.and_then(|rec| rec.id);
    let row = id.map(|id| w.rows[id as usize]);
    let live = row.filter(|row| !row.deleted);
    let Act::Rest { settled } = act else {
        return false;
    };
    let parent = of.parent.map(|p| (w.objs[p], p));
    let parent_row = parent
        .and_then(|(p, _)| p.rec)
        .and_then(|rec| rec.id)
        .map(|id| (id, w.rows[id as usize]));
    let agree = variant
        .others(cr)
        .filter(|other| variant.crs[*other].parent == of.parent && w.objs[*other].uid > 0)
        .all(|other| variant.bid(other, w.objs[other].edits) == variant.bid(cr, obj.edits));
    match settled {
        Settled::Ready(reason) => live.is_some_and(|row| {
            // Somebody's pause; or ours, for a ceiling, that the process did not know of, or could not note before it
            // died: then it might be somebody's, and stays.
            let used = |left: fn(&Left) -> u8| left(&w.left) < left(&variant.left);
            let untold = used(|l| l.caps) && (used(|l| l.crashes) || used(|l| l.unclear));
            let outside = reason == Reason::PausedOutside
                && (w.ghost[cr].off_outside != Outside::Nothing || untold);
            let on = of.active && w.caps && !outside;
            let bid = variant.bid(cr, obj.edits).is_none_or(|bid| row.bid == bid);
            row.on == on && bid && row.parent == parent_row.map(|(id, _)| id).or(row.parent)
        }),
        // Somebody else has the name: said so, and nothing was made.
        Settled::Stalled(Reason::NameTaken | Reason::Conflict) => {
            let mut others = variant.others(cr);
            let other = others.any(|o| w.objs[o].uid > 0 && variant.rivals(cr, o));
            let in_place = parent_row.map(|(id, _)| id);
            let taken = |row: &super::world::Row| {
                (row.kind, row.parent, row.name) == (of.kind, in_place, of.name) && !row.deleted
            };
            let mine = w.ids(|row| row.by == Some((cr as u8, obj.uid)) && !row.deleted);
            id.is_none() && mine.count() == 0 && (other || w.ids(taken).next().is_some())
        }
        Settled::Stalled(Reason::ExternallyDeleted) => row.is_some() && live.is_none(),
        Settled::Stalled(Reason::ParentMismatch) => {
            live.is_some_and(|row| parent_row.is_some_and(|(id, _)| row.parent != Some(id)))
        }
        Settled::Stalled(Reason::NoBudgetCeiling) => {
            of.active && !w.caps && live.is_some_and(|row| !row.on)
        }
        // TikTok said no to this very spec, in a place that is there.
        Settled::Stalled(Reason::Rejected) => of.refused && id.is_none(),
        Settled::Stalled(Reason::SiblingsDisagree) => !agree,
        Settled::Progress(Reason::ParentMissing) => {
            parent.is_some_and(|(_, p)| cut_off(variant, w, p)) && live.is_none_or(|row| !row.on)
        }
        Settled::Progress(Reason::WaitingForParent) => {
            let gone = parent_row.is_none_or(|(_, row)| row.deleted);
            id.is_none() && gone
        }
        _ => false,
    }
}

/// Is the CR, or something that it is in, not there?
fn cut_off<const N: usize, const R: usize>(
    variant: &Variant<N>,
    w: &World<N, R>,
    cr: usize,
) -> bool {
    w.objs[cr].uid == 0
        || variant.crs[cr]
            .parent
            .is_some_and(|p| cut_off(variant, w, p))
}
