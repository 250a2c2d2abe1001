//! R6: however TikTok throttles, pauses go on.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{Case, id, spec};

/// How often a pause is tried while its path is stopped, with room for a busy machine.
const PAUSE_AGAIN: Duration = Duration::from_secs(25);

fn throttled(case: &Case, path: &str) -> usize {
    let all = case.requests(path);
    let refused = |entry: &&Value| {
        let code = entry["code"].as_i64().unwrap_or_default();
        [40100, 40016, 61000, 40133].contains(&code)
    };
    all.iter().filter(refused).count()
}

/// Waits until no list was asked for in three seconds, which is three sweeps: the other work is stopped.
fn wait_stopped(case: &Case) {
    let lists =
        || case.requests("/campaign/get/").len() + case.requests("/smart_plus/campaign/get/").len();
    let (mut seen, mut since) = (lists(), Instant::now());
    case.until("the lists to stop", || {
        let now = lists();
        if now != seen {
            (seen, since) = (now, Instant::now());
        }
        since.elapsed() > Duration::from_secs(3)
    });
}

/// TikTok refuses everything as too much, and the operator stops for minutes; then TikTok would take calls again.
fn pauses_pass(rate: &str, knobs: &Value) {
    let case = Case::new("r06-pause");
    case.campaign("on", spec(json!({"state": "Active"})));
    let on = id(&case.wait_live("on"));
    case.knobs(knobs.clone());
    case.knobs(json!({"rate": rate}));
    case.campaign("new", spec(json!({"state": "Active"})));
    wait_stopped(&case);
    assert!(throttled(&case, "*") > 0, "{knobs}");
    case.edit("on", json!({"state": "Paused"}));
    case.until("the pause to be refused", || {
        throttled(&case, "/campaign/status/update/") > 0
    });
    assert!(case.is_on(&on), "{knobs}");
    let lifted = Instant::now();
    case.knobs(json!({"rate": "off"}));
    case.until("the pause", || !case.is_on(&on));
    let took = lifted.elapsed();
    assert!(took < PAUSE_AGAIN, "{took:?}: {knobs}");
    assert_eq!(case.truth().len(), 1, "a create has to wait: {knobs}");
    assert_eq!(case.requests("/campaign/create/").len(), 1, "{knobs}");
}

#[test]
fn r06_pauses_are_tried_while_everything_else_waits_however_tiktok_says_too_much() {
    let knobs = |code: &str, text: &str, http: &str, retry_after: &str| {
        json!({
            "throttle_code": code, "throttle_text": text,
            "throttle_http_status": http, "throttle_retry_after": retry_after,
        })
    };
    let minute = "1000/1/1000000";
    let day = "1000/1000000/1";
    let ways = [
        (minute, knobs("40100", "names_the_limit", "200", "false")),
        (minute, knobs("40100", "silent", "200", "false")),
        (minute, knobs("40016", "silent", "200", "true")),
        (minute, knobs("40016", "names_the_limit", "429", "false")),
        (minute, knobs("61000", "silent", "429", "false")),
        (minute, knobs("61000", "names_the_limit", "200", "true")),
        (minute, knobs("40100", "silent", "429", "true")),
        (day, knobs("40016", "names_the_limit", "200", "false")),
    ];
    std::thread::scope(|scope| {
        for (rate, knobs) in &ways {
            scope.spawn(move || pauses_pass(rate, knobs));
        }
    });
}

#[test]
fn r06_creates_go_on_when_the_limit_ends() {
    std::thread::scope(|scope| {
        for (code, http) in [("40100", "200"), ("40016", "429"), ("61000", "429")] {
            scope.spawn(move || {
                let case = Case::new("r06-ends");
                // A second at a time, as Retry-After says: however often it comes again, it never becomes minutes.
                case.knobs(json!({
                    "rate": "1/1000000/1000000", "throttle_code": code,
                    "throttle_http_status": http, "throttle_retry_after": "true",
                }));
                case.campaign("new", spec(json!({"state": "Active"})));
                case.until("the throttle to be met", || throttled(&case, "*") > 3);
                case.knobs(json!({"rate": "off"}));
                case.wait_live("new");
                assert_eq!(case.truth().len(), 1, "{code} {http}");
            });
        }
    });
}

#[test]
fn r06_the_limit_of_one_advertiser_slows_down_and_stops_nothing() {
    let case = Case::new("r06-qps");
    case.knobs(json!({"advertiser_qps": "1"}));
    for n in 0..4 {
        case.campaign(&format!("c{n}"), spec(json!({"state": "Active"})));
    }
    let ids: Vec<String> = (0..4)
        .map(|n| id(&case.wait_live(&format!("c{n}"))))
        .collect();
    assert!(throttled(&case, "*") > 0, "the limit was never met");
    assert_eq!(case.truth().len(), 4);
    for n in 0..4 {
        case.edit(&format!("c{n}"), json!({"state": "Paused"}));
    }
    let asked = Instant::now();
    case.until("all to be off", || ids.iter().all(|id| !case.is_on(id)));
    assert!(asked.elapsed() < PAUSE_AGAIN, "{:?}", asked.elapsed());
}
