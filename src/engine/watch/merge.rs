//! Several watches of one kind as one sequence of changes.

use std::collections::{BTreeMap, BTreeSet};

use kube::ResourceExt;
use kube::runtime::watcher::Event;

use crate::engine::doors::{Change, Stored};

/// One watch's part. Objects are kept (2 kB each when stripped) only if there are several watches.
#[derive(Debug)]
struct Place<K> {
    known: BTreeMap<String, K>,
    /// Names seen since its list began; `None` when none is under way.
    listing: Option<BTreeSet<String>>,
    /// Its first list is complete, or it is left out.
    listed: bool,
}

/// The pure part: what the watches say in, changes out.
///
/// One watch is passed on as it is. Of several, the first lists together make one relist; a later list of one watch
/// becomes explicit deletions of what it does not show any more, since a relist would drop the others' objects.
#[derive(Debug)]
pub(super) struct Merge<K> {
    places: Vec<Place<K>>,
    began: bool,
    complete: bool,
}

impl<K: Stored> Merge<K> {
    pub(super) fn new(places: usize) -> Self {
        let place = |_| Place {
            known: BTreeMap::new(),
            listing: None,
            listed: false,
        };
        Self {
            places: (0..places).map(place).collect(),
            began: false,
            complete: false,
        }
    }

    /// Translates what one watch said.
    pub(super) fn take(&mut self, place: usize, event: Event<K>) -> Vec<Change<K>> {
        let one = self.places.len() == 1;
        let part = &mut self.places[place];
        match event {
            Event::Init if one => vec![Change::Relist],
            Event::InitDone if one => vec![Change::Listed],
            Event::Init => {
                // A list that broke off begins anew; what it had shown may be gone.
                part.listing = Some(BTreeSet::new());
                let first = !self.began;
                self.began = true;
                if first {
                    vec![Change::Relist]
                } else {
                    Vec::new()
                }
            }
            Event::InitApply(object) | Event::Apply(object) => {
                if !one {
                    let name = object.name_any();
                    if let Some(listing) = &mut part.listing {
                        listing.insert(name.clone());
                    }
                    part.known.insert(name, object.clone());
                }
                vec![Change::Applied(Box::new(object))]
            }
            Event::Delete(object) => {
                if !one {
                    let name = object.name_any();
                    if let Some(listing) = &mut part.listing {
                        listing.remove(&name);
                    }
                    part.known.remove(&name);
                }
                vec![Change::Deleted(Box::new(object))]
            }
            Event::InitDone => {
                let listing = part.listing.take().unwrap_or_default();
                let gone: Vec<String> = part
                    .known
                    .keys()
                    .filter(|name| !listing.contains(*name))
                    .cloned()
                    .collect();
                let mut changes: Vec<Change<K>> = gone
                    .iter()
                    .filter_map(|name| part.known.remove(name))
                    .map(|object| Change::Deleted(Box::new(object)))
                    .collect();
                part.listed = true;
                changes.extend(self.complete());
                changes
            }
        }
    }

    /// Stops waiting for the first list of this watch; false if it was not waited for.
    pub(super) fn leave_out(&mut self, place: usize) -> bool {
        let waited = !self.complete && !self.places[place].listed;
        self.places[place].listed = true;
        waited
    }

    /// The end of the first complete list, once.
    pub(super) fn complete(&mut self) -> Vec<Change<K>> {
        if self.complete || !self.places.iter().all(|place| place.listed) {
            return Vec::new();
        }
        self.complete = true;
        vec![Change::Listed]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use k8s_openapi::api::core::v1::ConfigMap;
    use proptest::prelude::*;

    fn object(namespace: &str, name: &str) -> ConfigMap {
        let mut map = ConfigMap::default();
        map.metadata.namespace = Some(namespace.into());
        map.metadata.name = Some(name.into());
        map
    }

    fn said(changes: Vec<Change<ConfigMap>>) -> Vec<String> {
        changes
            .into_iter()
            .map(|change| match change {
                Change::Relist => "relist".into(),
                Change::Listed => "listed".into(),
                Change::Applied(o) => format!(
                    "+{}/{}",
                    o.metadata.namespace.unwrap(),
                    o.metadata.name.unwrap()
                ),
                Change::Deleted(o) => format!(
                    "-{}/{}",
                    o.metadata.namespace.unwrap(),
                    o.metadata.name.unwrap()
                ),
            })
            .collect()
    }

    /// Runs a script such as `0:init 0:+a 1:done` over namespaces `n0`, `n1`, ….
    fn play(merge: &mut Merge<ConfigMap>, script: &str) -> String {
        let mut out = Vec::new();
        for step in script.split_whitespace() {
            let (place, what) = step.split_once(':').unwrap();
            let namespace = format!("n{place}");
            let event = match what.split_at(1) {
                ("+", name) => Event::InitApply(object(&namespace, name)),
                ("!", name) => Event::Apply(object(&namespace, name)),
                ("-", name) => Event::Delete(object(&namespace, name)),
                _ if what == "init" => Event::Init,
                _ if what == "done" => Event::InitDone,
                _ => panic!("{what}"),
            };
            out.extend(said(merge.take(place.parse().unwrap(), event)));
        }
        out.join(" ")
    }

    #[test]
    fn one_watch_is_passed_on_as_it_is() {
        let mut merge = Merge::new(1);
        assert_eq!(
            play(&mut merge, "0:init 0:+a 0:done 0:!b 0:-a"),
            "relist +n0/a listed +n0/b -n0/a"
        );
        assert_eq!(
            play(&mut merge, "0:init 0:+b 0:done"),
            "relist +n0/b listed"
        );
        assert!(merge.places[0].known.is_empty(), "nothing is kept");
    }

    #[test]
    fn the_first_lists_of_several_are_one_list() {
        let mut merge = Merge::new(2);
        assert_eq!(
            play(&mut merge, "1:init 1:+b 0:init 1:done 1:!c"),
            "relist +n1/b +n1/c"
        );
        assert_eq!(play(&mut merge, "0:+a 0:done"), "+n0/a listed");
    }

    #[test]
    fn a_later_list_of_one_drops_only_its_own() {
        let mut merge = Merge::new(2);
        play(
            &mut merge,
            "0:init 0:+a 0:+b 0:done 1:init 1:+a 1:+b 1:done",
        );
        assert_eq!(play(&mut merge, "1:init 1:+b 1:done"), "+n1/b -n1/a");
        // What is gone is not reported twice, and what was deleted before is not reported again.
        assert_eq!(
            play(&mut merge, "0:-a 0:init 0:done 0:init 0:done"),
            "-n0/a -n0/b"
        );
        assert_eq!(play(&mut merge, "1:init 1:done"), "-n1/b");
    }

    #[test]
    fn a_list_that_broke_off_counts_from_its_new_beginning() {
        let mut merge = Merge::new(2);
        assert_eq!(
            play(&mut merge, "0:init 0:+a 0:+b 0:init 0:+b 0:done"),
            "relist +n0/a +n0/b +n0/b -n0/a"
        );
        assert_eq!(play(&mut merge, "1:init 1:done"), "listed");
        // Broken off after it was complete: nothing is dropped before the new list is complete.
        assert_eq!(play(&mut merge, "0:init"), "");
    }

    #[test]
    fn a_place_left_out_does_not_hold_the_first_list() {
        let mut merge = Merge::new(2);
        play(&mut merge, "0:init 0:+a 0:done");
        assert!(merge.leave_out(1));
        assert_eq!(said(merge.complete()), ["listed"]);
        assert!(!merge.leave_out(1));
        assert!(merge.complete().is_empty());
        assert_eq!(play(&mut merge, "1:init 1:+x 1:done"), "+n1/x");
        assert!(!merge.leave_out(0), "it was listed");
    }

    proptest! {
        /// Whatever the order: played into the store's rules, what is left is what the watches have.
        #[test]
        fn the_changes_lead_to_what_the_watches_have(steps in prop::collection::vec((0usize..3, 0u8..5, 0u8..4), 0..120)) {
            let mut merge: Merge<ConfigMap> = Merge::new(3);
            let mut listing = [false; 3];
            let mut truth: [BTreeSet<String>; 3] = Default::default();
            let (mut store, mut seen, mut synced) = (BTreeSet::new(), None::<BTreeSet<String>>, false);
            for (place, what, name) in steps {
                let (namespace, name) = (format!("n{place}"), format!("o{name}"));
                let event = match what {
                    0 => { listing[place] = true; truth[place].clear(); Event::Init }
                    1 if listing[place] => { listing[place] = false; Event::InitDone }
                    2 | 3 if listing[place] => { truth[place].insert(name.clone()); Event::InitApply(object(&namespace, &name)) }
                    2 | 3 => { truth[place].insert(name.clone()); Event::Apply(object(&namespace, &name)) }
                    _ if !listing[place] => { truth[place].remove(&name); Event::Delete(object(&namespace, &name)) }
                    _ => continue,
                };
                for change in said(merge.take(place, event)) {
                    match change.split_at(1) {
                        ("+", key) => { store.insert(key.to_string()); if let Some(s) = &mut seen { s.insert(key.to_string()); } }
                        ("-", key) => { store.remove(key); }
                        _ if change == "relist" => seen = Some(BTreeSet::new()),
                        _ => { synced = true; if let Some(s) = seen.take() { store.retain(|key| s.contains(key)); } }
                    }
                }
                for place in 0..3 {
                    let kept: BTreeSet<String> = store.iter().filter_map(|k| k.strip_prefix(&format!("n{place}/"))).map(String::from).collect();
                    if !listing[place] {
                        prop_assert_eq!(&kept, &truth[place]);
                    } else {
                        prop_assert!(kept.is_superset(&truth[place]), "nothing is dropped before the list is complete");
                    }
                }
            }
            prop_assert!(!synced || merge.places.iter().all(|p| p.listed));
        }
    }
}
