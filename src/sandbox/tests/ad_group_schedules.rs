//! When ad groups run.

use super::{
    ad_group_rules::{create, refused, says},
    *,
};

#[test]
fn schedules() {
    let from = |start: &str| says(json!({"schedule_start_time": start}));
    // Twelve hours back are allowed, not a second more.
    assert_eq!(from("2026-11-23 00:00:00")["code"], 0);
    refused(
        &from("2026-11-22 23:59:59"),
        "Start time can't be earlier than the current time.",
    );
    refused(&from("2028-01-01 00:00:00"), "earlier than 2028");
    for wrong in ["2026-11-23", "2026-11-23T13:00:00Z", "2026-02-30 00:00:00"] {
        refused(&from(wrong), "Not a valid datetime");
    }
    // Ten years, as seen live.
    let open = from("2026-11-23 13:00:00");
    assert_eq!(open["data"]["schedule_end_time"], "2036-11-23 13:00:00");
    let span =
        |end: Value| says(json!({"schedule_type": "SCHEDULE_START_END", "schedule_end_time": end}));
    refused(&span(Value::Null), "schedule_end_time: Missing");
    refused(
        &span(json!("2026-11-23 13:00:00")),
        "later than schedule_start_time",
    );
    refused(&span(json!("2038-01-01 00:00:00")), "earlier than 2038");
    assert_eq!(span(json!("2026-11-24 13:00:00"))["code"], 0);
    let mut bench = Bench::new();
    bench.knob("schedule_start_past_seconds", "0");
    let reply = create(
        &mut bench,
        json!({"schedule_start_time": "2026-11-23 11:59:59"}),
    );
    refused(&reply, "Start time can't be earlier");
}

#[test]
fn schedules_can_be_in_the_accounts_clock() {
    // UTC+1: what is 12:18 in UTC is already past there.
    for (zone, code) in [("utc", 0), ("account", 40_002)] {
        let mut bench = Bench::with(NewAccount {
            timezone: "Etc/GMT-1".into(),
            ..NewAccount::default()
        });
        bench.knob("schedule_zone", zone);
        bench.knob("schedule_start_past_seconds", "0");
        let reply = create(
            &mut bench,
            json!({"schedule_start_time": "2026-11-23 12:18:00"}),
        );
        assert_eq!(reply["code"], code, "{reply}");
    }
}

#[test]
fn a_schedule_that_has_begun_keeps_its_start() {
    let mut bench = Bench::new();
    let id = made(&create(&mut bench, json!({})), "adgroup_id");
    let update = |bench: &mut Bench, changes: Value| {
        bench.post("/adgroup/update/", but(changes, json!({"adgroup_id": id})))
    };
    let later = json!({"schedule_start_time": "2026-11-24 13:00:00"});
    assert_eq!(update(&mut bench, later)["code"], 0);
    bench.now += 25 * 3_600_000;
    let later = json!({"schedule_start_time": "2026-11-26 13:00:00"});
    refused(&update(&mut bench, later), "cannot be changed after");
    let end =
        |text: &str| json!({"schedule_type": "SCHEDULE_START_END", "schedule_end_time": text});
    refused(
        &update(&mut bench, end("2026-11-24 13:00:00")),
        "schedule_end_time: Must be later",
    );
    let reply = update(&mut bench, end("2026-11-30 13:00:00"));
    assert_eq!(reply["data"]["schedule_end_time"], "2026-11-30 13:00:00");
    // What is over can still be renamed.
    bench.now += 30 * 24 * 3_600_000;
    assert_eq!(update(&mut bench, json!({"adgroup_name": "y"}))["code"], 0);
}

#[test]
fn dayparting() {
    let part = |text: String| says(json!({"dayparting": text}));
    let half = format!("{}{}", "1".repeat(168), "0".repeat(168));
    assert_eq!(part(half.clone())["data"]["dayparting"], half);
    assert_eq!(part("0".repeat(336))["data"]["dayparting"], "1".repeat(336));
    refused(&part("1".repeat(335)), "336 characters");
    refused(&part("2".repeat(336)), "336 characters");
}
