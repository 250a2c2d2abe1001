//! The work queue of one ad account: keys in lanes by urgency, each key once.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use jiff::Timestamp;

/// How urgent a key is. The order is the order of service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lane {
    /// Pauses and ceilings.
    Safety,
    /// Deletions and platform events.
    Event,
    /// Spec changes and drift.
    Change,
    /// Everything that nobody waits for.
    Background,
}

impl Lane {
    /// All lanes, most urgent first.
    pub const ALL: [Self; 4] = [Self::Safety, Self::Event, Self::Change, Self::Background];

    /// The label in metrics.
    pub fn label(self) -> &'static str {
        match self {
            Self::Safety => "safety",
            Self::Event => "event",
            Self::Change => "change",
            Self::Background => "background",
        }
    }
}

/// A key that has waited this long is served before more urgent ones of any lane but safety: none starves.
const AGED: Duration = Duration::from_secs(30);

/// Keys waiting for a turn. A key is at most once in it and at most once in a turn; a push during its turn means one
/// more turn.
#[derive(Debug)]
pub struct Queue<K> {
    lanes: [VecDeque<K>; 4],
    /// Lane and time of the push, for every waiting key.
    waiting: BTreeMap<K, (Lane, Timestamp)>,
    in_turn: BTreeSet<K>,
    again: BTreeMap<K, Lane>,
}

impl<K: Ord + Clone> Default for Queue<K> {
    fn default() -> Self {
        Self {
            lanes: Default::default(),
            waiting: BTreeMap::new(),
            in_turn: BTreeSet::new(),
            again: BTreeMap::new(),
        }
    }
}

impl<K: Ord + Clone> Queue<K> {
    /// Asks for a turn. A more urgent push moves a waiting key forward.
    pub fn push(&mut self, key: &K, lane: Lane, now: Timestamp) {
        if self.in_turn.contains(key) {
            let again = self.again.entry(key.clone()).or_insert(lane);
            *again = lane.min(*again);
            return;
        }
        match self.waiting.get(key) {
            Some((queued, _)) if *queued <= lane => {}
            Some((_, since)) => {
                // The old place is skipped when its turn comes: the key is not waiting in that lane any more.
                let since = *since;
                self.waiting.insert(key.clone(), (lane, since));
                self.lanes[lane as usize].push_back(key.clone());
            }
            None => {
                self.waiting.insert(key.clone(), (lane, now));
                self.lanes[lane as usize].push_back(key.clone());
            }
        }
    }

    /// The next key, now in its turn until [`Queue::done`].
    pub fn pop(&mut self, now: Timestamp) -> Option<(K, Lane)> {
        let lane = self.next_lane(now)?;
        let key = self.lanes[lane as usize].pop_front()?;
        self.waiting.remove(&key);
        self.in_turn.insert(key.clone());
        Some((key, lane))
    }

    fn next_lane(&mut self, now: Timestamp) -> Option<Lane> {
        for lane in Lane::ALL {
            // Drop places that a more urgent push left behind.
            while let Some(front) = self.lanes[lane as usize].front() {
                if self
                    .waiting
                    .get(front)
                    .is_some_and(|(queued, _)| *queued == lane)
                {
                    break;
                }
                self.lanes[lane as usize].pop_front();
            }
        }
        if !self.lanes[Lane::Safety as usize].is_empty() {
            return Some(Lane::Safety);
        }
        let since = |lane: Lane| {
            let front = self.lanes[lane as usize].front()?;
            self.waiting.get(front).map(|(_, since)| *since)
        };
        let aged = Lane::ALL
            .into_iter()
            .filter_map(|lane| Some((since(lane)?, lane)))
            .filter(|(since, _)| *since + AGED <= now)
            .min();
        aged.map(|(_, lane)| lane).or_else(|| {
            Lane::ALL
                .into_iter()
                .find(|lane| !self.lanes[*lane as usize].is_empty())
        })
    }

    /// A key whose turn began in another queue, which is no more, ends it in this one.
    pub fn take_turn(&mut self, key: &K) {
        if let Some((lane, _)) = self.waiting.remove(key) {
            self.again.insert(key.clone(), lane);
        }
        self.in_turn.insert(key.clone());
    }

    /// Ends a turn. True: the key was pushed meanwhile and waits again.
    pub fn done(&mut self, key: &K, now: Timestamp) -> bool {
        self.in_turn.remove(key);
        match self.again.remove(key) {
            Some(lane) => {
                self.push(key, lane, now);
                true
            }
            None => false,
        }
    }

    /// Nothing waits.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Is the key waiting or in its turn?
    pub fn knows(&self, key: &K) -> bool {
        self.waiting.contains_key(key) || self.in_turn.contains(key)
    }

    /// Does a pause wait?
    pub fn has_safety(&self) -> bool {
        self.has(Lane::Safety)
    }

    fn has(&self, lane: Lane) -> bool {
        self.lanes[lane as usize].iter().any(|key| {
            self.waiting
                .get(key)
                .is_some_and(|(queued, _)| *queued == lane)
        })
    }

    /// Does a pause, a deletion or what an event named wait?
    pub fn has_event(&self) -> bool {
        self.has(Lane::Safety) || self.has(Lane::Event)
    }

    /// Keys in a turn.
    pub fn in_turn(&self) -> usize {
        self.in_turn.len()
    }

    /// Waiting keys and the oldest push, per lane.
    pub fn depth(&self) -> [(usize, Option<Timestamp>); 4] {
        let mut out = [(0, None); 4];
        for (lane, since) in self.waiting.values() {
            let (count, oldest) = &mut out[*lane as usize];
            *count += 1;
            *oldest = Some(oldest.map_or(*since, |o: Timestamp| o.min(*since)));
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn a_pause_runs_before_everything_that_waited_longer() {
        let mut queue = Queue::default();
        for key in 0..100 {
            queue.push(&key, Lane::Background, at(0));
        }
        queue.push(&50, Lane::Safety, at(1));
        assert_eq!(queue.pop(at(100)), Some((50, Lane::Safety)));
    }

    #[test]
    fn a_key_is_in_one_turn_at_a_time_and_gets_one_more() {
        let mut queue = Queue::default();
        queue.push(&1, Lane::Change, at(0));
        assert!(queue.pop(at(0)).is_some());
        queue.push(&1, Lane::Background, at(0));
        queue.push(&1, Lane::Safety, at(0));
        assert_eq!(queue.pop(at(0)), None);
        assert!(queue.done(&1, at(0)));
        assert_eq!(queue.pop(at(0)), Some((1, Lane::Safety)));
        assert!(!queue.done(&1, at(0)));
    }

    #[test]
    fn a_turn_taken_over_keeps_its_key_from_a_second_turn() {
        let mut queue = Queue::default();
        queue.push(&1, Lane::Change, at(0));
        queue.take_turn(&1);
        assert_eq!(queue.pop(at(0)), None);
        assert!(
            queue.done(&1, at(0)),
            "what waited before still gets its turn"
        );
        assert_eq!(queue.pop(at(0)), Some((1, Lane::Change)));
    }

    #[test]
    fn what_waits_long_is_served_although_more_urgent_work_keeps_coming() {
        let mut queue = Queue::default();
        queue.push(&0, Lane::Background, at(0));
        for second in 1..60 {
            queue.push(&(1000 + second), Lane::Change, at(second));
            let (key, _) = queue.pop(at(second)).unwrap();
            queue.done(&key, at(second));
            if key == 0 {
                assert!(second >= 30);
                return;
            }
        }
        panic!("the background key starved");
    }

    proptest! {
        #[test]
        fn no_key_is_lost_or_doubled(pushes in proptest::collection::vec((0u8..20, 0usize..4), 0..200)) {
            let mut queue = Queue::default();
            let mut expected = BTreeSet::new();
            for (second, (key, lane)) in pushes.iter().enumerate() {
                queue.push(key, Lane::ALL[*lane], at(second as i64));
                expected.insert(*key);
            }
            let mut got = BTreeSet::new();
            while let Some((key, _)) = queue.pop(at(1000)) {
                prop_assert!(got.insert(key), "{key} twice");
                queue.done(&key, at(1000));
            }
            prop_assert_eq!(got, expected);
            prop_assert!(queue.is_empty());
        }
    }
}
