//! What holds of deliveries whatever happens to them.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::{subscriptions::subscribe, *};

/// One thing that happens.
#[derive(Clone, Debug)]
enum Step {
    /// The reviewers decide about one of three ads.
    Decide { ad: usize, bad: bool },
    /// The sender takes some, in a process that may stop before it reports.
    Take { most: usize, stops: bool },
    /// One that was taken is reported.
    Report { which: usize, arrives: bool },
    /// Time passes.
    Wait { seconds: i64 },
    /// A knob is turned.
    Turn { hold: bool },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0_usize..3, any::<bool>()).prop_map(|(ad, bad)| Step::Decide { ad, bad }),
        (0_usize..4, prop::bool::weighted(0.1))
            .prop_map(|(most, stops)| Step::Take { most, stops }),
        (0_usize..8, any::<bool>()).prop_map(|(which, arrives)| Step::Report { which, arrives }),
        prop_oneof![0_i64..30, 0_i64..20_000].prop_map(|seconds| Step::Wait { seconds }),
        any::<bool>().prop_map(|hold| Step::Turn { hold }),
    ]
}

fn knobs() -> impl Strategy<Value = Vec<(&'static str, &'static str)>> {
    (
        prop::sample::select(vec!["in_order", "reversed", "shuffled"]),
        prop::sample::select(vec!["1", "2"]),
        prop::sample::select(vec!["0", "7"]),
        prop::sample::select(vec!["0", "20"]),
    )
        .prop_map(|(order, copies, batch, delay)| {
            vec![
                ("webhook_order", order),
                ("webhook_copies", copies),
                ("webhook_batch_seconds", batch),
                ("webhook_delay_seconds", delay),
            ]
        })
}

struct Run {
    bench: Bench,
    ads: Vec<String>,
    under_way: Vec<Delivery>,
    /// `log_id`s of entries that arrived.
    arrived: BTreeSet<String>,
    decided: usize,
}

impl Run {
    fn new(knobs: &[(&str, &str)]) -> Self {
        let mut bench = Bench::new();
        let campaign = bench.manual("c");
        let group = bench.ad_group(&campaign, "g");
        let ads: Vec<String> = ["a", "b", "c"].map(|name| bench.ad(&group, name)).into();
        for ad in &ads {
            subscribe(&mut bench, "AD", json!({"ad_id": ad}));
        }
        for (name, value) in knobs {
            bench.knob(name, value);
        }
        Self {
            bench,
            ads,
            under_way: Vec::new(),
            arrived: BTreeSet::new(),
            decided: 0,
        }
    }

    fn report(&mut self, which: usize, arrives: bool) {
        if self.under_way.is_empty() {
            return;
        }
        let one = self.under_way.remove(which % self.under_way.len());
        if arrives {
            let body: Value = serde_json::from_slice(&one.body).unwrap();
            for entry in body["entry"].as_array().unwrap() {
                self.arrived
                    .insert(entry["log_id"].as_str().unwrap().into());
            }
        }
        let result = Delivered::Answered(if arrives { 200 } else { 503 });
        self.bench
            .sandbox
            .delivery_result(self.bench.now, one.id, one.attempt, result);
    }

    fn take(&mut self, step: &Step) {
        match step {
            Step::Decide { ad, bad } => {
                let id = self.ads[*ad].clone();
                self.decided += 1;
                if *bad {
                    let new = NewRejection::default();
                    self.bench
                        .sandbox
                        .reject_content(self.bench.now, &id, new)
                        .unwrap();
                } else {
                    self.bench.sandbox.approve(self.bench.now, &id).unwrap();
                }
            }
            Step::Take { most, stops } => {
                let taken = self.bench.sandbox.due_deliveries(self.bench.now, *most);
                if *stops {
                    self.under_way.clear();
                    self.bench.sandbox.senders_stopped(self.bench.now);
                } else {
                    self.under_way.extend(taken);
                }
            }
            Step::Report { which, arrives } => self.report(*which, *arrives),
            Step::Wait { seconds } => self.bench.now += seconds * 1_000,
            Step::Turn { hold } => {
                let value = if *hold { "true" } else { "false" };
                self.bench.knob("webhook_hold", value);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// Within a day every event arrives, however often it failed or its sender stopped; nothing is due twice at once;
    /// and nothing but seed, times and calls decides anything.
    #[test]
    fn no_event_is_lost(knobs in knobs(), steps in prop::collection::vec(step(), 1..40)) {
        let mut run = Run::new(&knobs);
        let mut twin = Run::new(&knobs);
        for step in &steps {
            run.take(step);
            twin.take(step);
            prop_assert_eq!(&run.under_way, &twin.under_way);
            let kept: Vec<&SentEvent> = run.bench.sandbox.deliveries().collect();
            let ids: BTreeSet<u64> = kept.iter().map(|one| one.id).collect();
            prop_assert_eq!(ids.len(), kept.len());
            for one in &kept {
                let settled = one.state != DeliveryState::Waiting;
                prop_assert!(!(settled && one.under_way_since.is_some()));
                // Attempts follow each other in time.
                prop_assert!(one.attempts.windows(2).all(|pair| pair[0].at <= pair[1].at));
            }
        }
        prop_assert_eq!(run.bench.sandbox.digest(), twin.bench.sandbox.digest());
        // From here on everything arrives.
        run.bench.knob("webhook_hold", "false");
        let waited: i64 = steps.iter().map(|step| if let Step::Wait { seconds } = step { *seconds } else { 0 }).sum();
        while let Some(next) = run.bench.sandbox.next_delivery_at() {
            run.bench.now = run.bench.now.max(next);
            let taken = run.bench.sandbox.due_deliveries(run.bench.now, usize::MAX);
            run.under_way.extend(taken);
            while !run.under_way.is_empty() {
                run.report(0, true);
            }
        }
        let given_up = run.bench.sandbox.deliveries().filter(|one| one.state == DeliveryState::GivenUp).count();
        prop_assert!(waited >= 57_600 || given_up == 0);
        if given_up == 0 {
            prop_assert_eq!(run.arrived.len(), run.decided);
        }
    }
}
