//! The decisions of a create that belong to neither the plan nor a client: who has to wait for whose name, may what was
//! announced be sent now, and does the lease cover it? Pure, so that the engine and the exhaustive search decide by the
//! same lines.

use std::time::Duration;

use super::plan::{Action, Plan};
use super::record::Record;
use crate::platform::{NewObject, Tree};

/// What may be sent right after a mark (decision 4): exactly what was announced, and only if the plan from the marked
/// copy asks for it.
///
/// `again` is the plan made from the copy that the API server answered the mark with; `None` when it did not take the
/// mark, or when nobody knows.
pub fn create_after(announced: NewObject, again: Option<&Plan>) -> Option<NewObject> {
    match again.map(|plan| &plan.action) {
        Some(Action::Create { object, .. }) => (**object == announced).then_some(announced),
        _ => None,
    }
}

/// Does a record announce a create in just this place? Ads that are made together are all in one ad group of one account.
pub fn made_in(
    record: &Record,
    (app, advertiser): (&str, &str),
    tree: Tree,
    parent: Option<&str>,
) -> bool {
    (record.app.as_str(), record.advertiser.as_str()) == (app, advertiser)
        && record.tree == tree
        && record.parent.as_deref() == parent
}

/// Does another object of ours that wants the same name keep this one from being created (R9)? The older one does
/// while it lives. One whose create is outstanding does in any case, even while it is being deleted: its campaign may
/// still appear under the name, and nobody could tell then whose it is.
///
/// `theirs`: the other's record, as this install reads it.
pub fn bars_name(older: bool, deleting: bool, theirs: Option<&Record>) -> bool {
    let outstanding = theirs.is_some_and(|record| record.mark.is_some() && record.id.is_none());
    outstanding || (older && !deleting)
}

/// A lease in hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// When it ends, on a clock that also counts the time a machine sleeps.
    pub until: Duration,
    /// How often it has changed hands: the count that every write carries.
    pub transitions: u64,
}

/// The lease's count, if the lease is held and will be for `need` from `awake` on: only then may a write be started
/// (decision 14).
pub fn covers(held: Option<Held>, awake: Duration, need: Duration) -> Option<u64> {
    held.filter(|held| awake.saturating_add(need) < held.until)
        .map(|held| held.transitions)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::record::{FORMAT, Mark};
    use jiff::Timestamp;

    fn marked(id: Option<&str>) -> Record {
        let at = Timestamp::UNIX_EPOCH;
        Record {
            v: FORMAT,
            uid: "u".into(),
            install: "i".into(),
            seq: 1,
            app: "a".into(),
            advertiser: "1".into(),
            tree: Tree::Manual,
            parent: None,
            name: "n".into(),
            incarnation: 0,
            counter: 0,
            key: "1".into(),
            attempt: 1,
            since: Some(at),
            mark: Some(Mark { at, deadline: at }),
            id: id.map(str::to_owned),
            former: None,
            sent: None,
            adopted: false,
            seen_on: false,
            held_off: false,
            resumed: None,
            appealed: None,
        }
    }

    #[test]
    fn r09_an_outstanding_create_bars_its_name_whoever_is_older_and_even_while_deleted() {
        for older in [false, true] {
            for deleting in [false, true] {
                assert!(bars_name(older, deleting, Some(&marked(None))));
                let settled = Record {
                    mark: None,
                    ..marked(Some("7"))
                };
                assert_eq!(
                    bars_name(older, deleting, Some(&settled)),
                    older && !deleting
                );
                assert_eq!(bars_name(older, deleting, None), older && !deleting);
            }
        }
    }

    #[test]
    fn r11_a_create_goes_only_to_the_place_that_it_was_announced_for() {
        let announced = Record {
            parent: Some("5".into()),
            ..marked(None)
        };
        let at =
            |app, advertiser, tree, parent| made_in(&announced, (app, advertiser), tree, parent);
        assert!(at("a", "1", Tree::Manual, Some("5")));
        assert!(!at("b", "1", Tree::Manual, Some("5")));
        assert!(!at("a", "2", Tree::Manual, Some("5")));
        assert!(!at("a", "1", Tree::SmartPlus, Some("5")));
        assert!(!at("a", "1", Tree::Manual, Some("6")));
        assert!(!at("a", "1", Tree::Manual, None));
    }

    #[test]
    fn a_lease_covers_a_call_only_if_it_outlasts_it() {
        let second = Duration::from_secs(1);
        let held = Some(Held {
            until: 20 * second,
            transitions: 3,
        });
        assert_eq!(covers(held, 4 * second, 15 * second), Some(3));
        assert_eq!(covers(held, 5 * second, 15 * second), None);
        assert_eq!(covers(None, second, second), None);
    }
}
