//! Each fault does what it says, to the effect and to the answer.

use super::*;

fn inject(bench: &mut Bench, path: &str, kind: FaultKind) {
    let when = Match {
        advertiser_id: Some(bench.id()),
        path: Some(path.into()),
        ..Match::default()
    };
    bench.sandbox.inject(Fault { when, kind });
}

fn create(bench: &mut Bench) -> Answer {
    let mut body = manual("a");
    body["advertiser_id"] = json!(bench.id());
    bench.send("POST", "/campaign/create/", "", body.to_string().as_bytes())
}

fn rows(bench: &Bench) -> usize {
    bench
        .sandbox
        .campaigns(&bench.account.advertiser_id)
        .count()
}

#[test]
fn faults_of_a_create() {
    // kind, whether the effect happens, whether an envelope arrives
    let cases = [
        (FaultKind::AnswerLost, true, None),
        (FaultKind::CutBefore, false, None),
        (
            FaultKind::Error {
                code: 50_000,
                message: "System error".into(),
            },
            false,
            Some((200, json!(50_000))),
        ),
        (
            FaultKind::HttpStatus {
                status: 502,
                after_effect: false,
                retry_after: None,
            },
            false,
            Some((502, Value::Null)),
        ),
        (
            FaultKind::HttpStatus {
                status: 504,
                after_effect: true,
                retry_after: None,
            },
            true,
            Some((504, Value::Null)),
        ),
        (FaultKind::MalformedBody, true, Some((200, Value::Null))),
        (FaultKind::Delay { ms: 30_000 }, true, Some((200, json!(0)))),
    ];
    for (kind, effect, reply) in cases {
        let mut bench = Bench::new();
        inject(&mut bench, "*/campaign/create/", kind.clone());
        let answer = create(&mut bench);
        assert_eq!(rows(&bench) == 1, effect, "{kind:?}");
        let got = answer
            .reply()
            .map(|response| (response.status, response.json()["code"].clone()));
        assert_eq!(got, reply, "{kind:?}");
        assert_eq!(
            answer.delay,
            Duration::from_millis(if matches!(kind, FaultKind::Delay { .. }) {
                30_000
            } else {
                0
            })
        );
        // It struck once and is gone.
        assert!(bench.sandbox.faults().is_empty());
        let entry = bench.sandbox.requests(LogFilter::default()).last().unwrap();
        assert_eq!(entry.faults, [kind.name()]);
        assert_eq!(entry.answered, answer.reply().is_some());
    }
}

#[test]
fn r11_an_effect_may_come_long_after_its_answer_was_lost() {
    let mut bench = Bench::new();
    inject(
        &mut bench,
        "*/campaign/create/",
        FaultKind::EffectDelay { ms: 45_000 },
    );
    assert_eq!(create(&mut bench).outcome, Outcome::Cut);
    bench.now += 44_999;
    assert!(bench.list(json!({})).is_empty());
    assert_eq!(bench.sandbox.pending_effects(), 1);
    assert_eq!(bench.sandbox.next_effect_at(), Some(bench.now + 1));
    bench.now += 1;
    assert_eq!(bench.list(json!({})).len(), 1);
    let id = bench.list(json!({}))[0].clone();
    assert_eq!(bench.row(&id)["create_time"], "2026-11-23 12:00:45");
}

#[test]
fn faults_of_lists() {
    let mut bench = Bench::new();
    let made: Vec<String> = (0..4)
        .map(|number| bench.manual(&format!("c{number}")))
        .collect();
    inject(
        &mut bench,
        "*/campaign/get/",
        FaultKind::PartialPage { rows: None },
    );
    let reply = bench.get("/campaign/get/", &[]);
    assert_eq!(
        (
            ids(&reply).len(),
            &reply["data"]["page_info"]["total_number"]
        ),
        (2, &json!(4))
    );
    inject(
        &mut bench,
        "*/campaign/get/",
        FaultKind::SkippedRow {
            campaign_id: Some(made[1].clone()),
        },
    );
    let reply = bench.get("/campaign/get/", &[]);
    assert_eq!(
        ids(&reply),
        [made[3].clone(), made[2].clone(), made[0].clone()]
    );
    assert_eq!(reply["data"]["page_info"]["total_number"], 3);
    bench.now += 10_000;
    let new = bench.manual("new");
    bench.post(
        "/campaign/update/",
        json!({"campaign_id": made[0], "budget": 90}),
    );
    bench.now += 1_000;
    inject(
        &mut bench,
        "*/campaign/get/",
        FaultKind::LateListing { ms: 5_000 },
    );
    let reply = bench.get("/campaign/get/", &[]);
    assert!(!ids(&reply).contains(&new));
    assert_eq!(reply["data"]["list"][3]["budget"], 50.0);
    let reply = bench.get("/campaign/get/", &[]);
    assert!(ids(&reply).contains(&new));
    assert_eq!(reply["data"]["list"][4]["budget"], 90.0);
}

#[test]
fn faults_of_one_advertiser_spare_the_others() {
    let mut bench = Bench::new();
    let when = Match {
        advertiser_id: Some("1".into()),
        count: Some(0),
        ..Match::default()
    };
    bench.sandbox.inject(Fault {
        when,
        kind: FaultKind::CutBefore,
    });
    assert!(create(&mut bench).reply().is_some());
    bench.sandbox.clear_faults(Some("2"));
    assert_eq!(bench.sandbox.faults().len(), 1);
    bench.sandbox.clear_faults(Some("1"));
    assert!(bench.sandbox.faults().is_empty());
}

#[test]
fn a_delayed_effect_counts_once_and_at_its_call() {
    let mut bench = Bench::new();
    bench.knob("rate", "1/100/100");
    inject(
        &mut bench,
        "*/campaign/create/",
        FaultKind::EffectDelay { ms: 5_000 },
    );
    create(&mut bench);
    assert_eq!(
        bench.get("/campaign/get/", &[])["code"],
        40_100,
        "the second's one call is spent"
    );
    bench.now += 5_000;
    let reply = bench.get("/campaign/get/", &[]);
    assert_eq!((&reply["code"], ids(&reply).len()), (&json!(0), 1));
}
