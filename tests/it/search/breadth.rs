//! Breadth first through all states of one variant.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt::Write as _;
use std::hash::{BuildHasherDefault, Hash, Hasher};
use std::time::Instant;

use super::check;
use super::facts::Planner;
use super::step::{Event, Next, Steps};
use super::variant::Variant;
use super::world::World;

/// A quick hash: the states are compared in full, so a poor one costs time only.
#[derive(Default)]
pub struct Mix(u64);

impl Hasher for Mix {
    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 29)
    }
    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let word = chunk.iter().fold(0u64, |all, b| (all << 8) | u64::from(*b));
            self.write_u64(word);
        }
    }
    fn write_u8(&mut self, n: u8) {
        self.write_u64(n.into());
    }
    fn write_usize(&mut self, n: usize) {
        self.write_u64(n as u64);
    }
    fn write_isize(&mut self, n: isize) {
        self.write_u64(n as u64);
    }
    fn write_u64(&mut self, n: u64) {
        self.0 = (self.0.rotate_left(5) ^ n).wrapping_mul(0x517c_c1b7_2722_0a95);
    }
}

pub type Quick = BuildHasherDefault<Mix>;

const NONE: u32 = u32::MAX;
/// More states than any variant has.
const MOST: usize = 600_000;

/// What is kept of every state.
struct Known<const N: usize, const R: usize> {
    world: World<N, R>,
    parent: u32,
    by: Event,
    /// The next state of the run in which nothing goes wrong; `NONE` when nothing happens any more.
    fair: u32,
    /// Another state with the same hash.
    twin: u32,
}

struct Search<const N: usize, const R: usize> {
    variant: Variant<N>,
    planner: Planner<N, R>,
    known: Vec<Known<N, R>>,
    index: HashMap<u64, u32, Quick>,
}

/// What a search found.
struct Found {
    states: usize,
    depth: u32,
    /// The run to the first rule that was broken, in words.
    broken: Option<String>,
}

impl<const N: usize, const R: usize> Search<N, R> {
    fn new(variant: Variant<N>) -> Self {
        Self {
            variant,
            planner: Planner::new(variant),
            known: Vec::new(),
            index: HashMap::default(),
        }
    }

    /// The number of a state, and whether it is new.
    fn number(&mut self, world: World<N, R>, parent: u32, by: Event) -> (u32, bool) {
        let mut mix = Mix::default();
        world.hash(&mut mix);
        let new = self.known.len() as u32;
        let twin = match self.index.entry(mix.finish()) {
            Entry::Vacant(entry) => {
                entry.insert(new);
                NONE
            }
            Entry::Occupied(mut entry) => {
                let first = *entry.get();
                let mut at = first;
                while at != NONE {
                    if self.known[at as usize].world == world {
                        return (at, false);
                    }
                    at = self.known[at as usize].twin;
                }
                entry.insert(new);
                first
            }
        };
        self.known.push(Known {
            world,
            parent,
            by,
            fair: NONE,
            twin,
        });
        (new, true)
    }

    fn run(&mut self) -> Found {
        self.number(World::start(&self.variant).canonical(), NONE, Event::Start);
        let mut at = 0;
        // Where each layer of the breadth-first order ends.
        let (mut depth, mut layer) = (0, 1);
        let mut out: Vec<Next<N, R>> = Vec::new();
        while at < self.known.len() {
            if self.known.len() > MOST {
                return self.found(
                    depth,
                    Some("more states than this search is meant for".into()),
                );
            }
            if at == layer {
                depth += 1;
                layer = self.known.len();
            }
            let world = self.known[at].world;
            let mut steps = Steps {
                variant: &self.variant,
                planner: &mut self.planner,
                out: std::mem::take(&mut out),
            };
            steps.all(&world);
            out = steps.out;
            let mut best = u8::MAX;
            for next in out.drain(..) {
                let fair = next.world.left == world.left;
                let (number, new) = self.number(next.world, at as u32, next.event);
                let rule = next
                    .broken
                    .or_else(|| new.then(|| check::state(&next.world)).flatten());
                if let Some(rule) = rule {
                    let trace = self.trace(at as u32, Some(next.event), &next.world);
                    return self.found(depth, Some(format!("{rule}\n{trace}")));
                }
                if fair && number != at as u32 && rank(next.event) < best {
                    best = rank(next.event);
                    self.known[at].fair = number;
                }
            }
            at += 1;
        }
        let bad = self.ends();
        self.found(depth, bad)
    }

    fn found(&self, depth: u32, broken: Option<String>) -> Found {
        Found {
            states: self.known.len(),
            depth,
            broken,
        }
    }

    /// Follows the run without faults from every state to its end.
    fn ends(&mut self) -> Option<String> {
        let mut good = vec![false; self.known.len()];
        let mut path = Vec::new();
        for start in 0..self.known.len() {
            let mut at = start;
            path.clear();
            while !good[at] {
                path.push(at);
                let fair = self.known[at].fair;
                let wrong = if fair == NONE {
                    let world = self.after_the_bound(self.known[at].world);
                    let wrong = check::last(&self.variant, &mut self.planner, &world);
                    good[at] = wrong.is_none();
                    wrong
                } else if path.len() > 500 {
                    Some("the run without faults does not end".into())
                } else {
                    at = fair as usize;
                    None
                };
                if let Some(wrong) = wrong {
                    let mut text = format!(
                        "{wrong}\n{}",
                        self.trace(start as u32, None, &self.known[at].world)
                    );
                    text.push_str("and then, with no more faults:\n");
                    for pair in path.windows(2).take(60) {
                        let _ = writeln!(text, "  {:?}", self.step_between(pair[0], pair[1]));
                    }
                    return Some(text);
                }
            }
            for at in &path {
                good[*at] = true;
            }
        }
        None
    }

    /// The search ends at an epoch, the run without faults does not.
    fn after_the_bound(&mut self, mut world: World<N, R>) -> World<N, R> {
        let variant = Variant {
            until: u8::MAX,
            ..self.variant
        };
        for _ in 0..500 {
            let mut steps = Steps {
                variant: &variant,
                planner: &mut self.planner,
                out: Vec::new(),
            };
            steps.fair(&world);
            let next = steps
                .out
                .into_iter()
                .filter(|next| next.world.left == world.left && next.world != world)
                .min_by_key(|next| rank(next.event));
            match next {
                Some(next) => world = next.world,
                None => break,
            }
        }
        world
    }

    /// What leads from one state to the next.
    fn step_between(&mut self, from: usize, to: usize) -> Option<Event> {
        let world = self.known[from].world;
        let mut steps = Steps {
            variant: &self.variant,
            planner: &mut self.planner,
            out: Vec::new(),
        };
        steps.all(&world);
        let target = self.known[to].world;
        steps
            .out
            .into_iter()
            .find(|next| next.world == target)
            .map(|next| next.event)
    }

    /// The run to a state, a step a line. (Replicas are listed in a canonical order: 0 and 1 may change places.)
    fn trace(&self, mut at: u32, event: Option<Event>, end: &World<N, R>) -> String {
        let mut lines: Vec<String> = event.map(|e| format!("  {e:?}")).into_iter().collect();
        while at != NONE {
            let known = &self.known[at as usize];
            lines.push(format!("  [{}] {:?}", known.world.now, known.by));
            at = known.parent;
        }
        lines.reverse();
        format!("{}\nwhich ends in\n{end:?}\n", lines.join("\n"))
    }
}

/// Which step the run without faults takes: answers before all else, time and late effects when nothing else moves.
fn rank(event: Event) -> u8 {
    match event {
        Event::Hears(..) | Event::Sends(..) | Event::DoesNotSend(..) | Event::Announces(..) => 0,
        Event::Exits(_) => 1,
        Event::Acquires(_) => 2,
        Event::Watch(..) => 3,
        Event::LateEffect(_) => 5,
        Event::Time => 6,
        _ => 4,
    }
}

fn search<const N: usize, const R: usize>(variant: Variant<N>) -> Found {
    let begun = Instant::now();
    let mut search = Search::<N, R>::new(variant);
    let found = search.run();
    println!(
        "search {:?}: {} states, {} deep, {} plans, {:.1} s, {}",
        variant.title,
        found.states,
        found.depth,
        search.planner.made,
        begun.elapsed().as_secs_f64(),
        if found.broken.is_some() {
            "a rule is broken"
        } else {
            "every rule holds"
        },
    );
    found
}

/// Searches a variant with room for `R` objects on the platform; it has to have at least so many states.
pub fn holds<const N: usize, const R: usize>(variant: Variant<N>, at_least: usize) {
    let found = search::<N, R>(variant);
    if let Some(broken) = found.broken {
        panic!("{broken}");
    }
    // A search that suddenly has little to look at does not look any more.
    assert!(
        found.states >= at_least,
        "only {} states: the search has lost its reach",
        found.states
    );
}
