//! R14: when ad groups begin and end, in whose clock, and what of it is ever sent again.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::nodes::{Level, Node, TREES, Tree};
use super::{Case, condition, reason, wide_caps};

fn in_hours(hours: i64) -> Timestamp {
    let at = Timestamp::now() + SignedDuration::from_hours(hours);
    Timestamp::from_second(at.as_second().div_euclid(60) * 60).unwrap()
}

/// As a spec writes it, with an offset of an hour.
fn spelled(at: Timestamp) -> String {
    (at + SignedDuration::from_hours(1))
        .strftime("%Y-%m-%dT%H:%M:%S+01:00")
        .to_string()
}

/// As TikTok writes it, in the zone that is so many hours ahead of UTC.
fn on_the_wire(at: Timestamp, ahead: i8) -> String {
    let zone = TimeZone::fixed(jiff::tz::Offset::constant(ahead));
    at.to_zoned(zone).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

fn message(object: &Value) -> String {
    let text = condition(object, "Ready")["message"].as_str();
    text.unwrap_or_default().to_owned()
}

fn times(fields: &Value) -> (&str, &str, &str) {
    let text = |name: &str| fields[name].as_str().unwrap_or_default();
    (
        text("schedule_type"),
        text("schedule_start_time"),
        text("schedule_end_time"),
    )
}

#[test]
fn r14_times_go_out_in_utc_and_the_hours_of_a_week_as_336_signs() {
    for tree in TREES {
        let case = Case::new(&format!("r14-utc-{}", tree.word()));
        tree.campaign(&case, "spring", json!({}));
        let (start, end, later) = (in_hours(48), in_hours(480), in_hours(960));
        let parts = json!([
            {"days": ["Monday", "Sunday"], "from": "09:00", "to": "10:30"},
            {"days": ["Tuesday"], "from": "23:30", "to": "24:00"},
        ]);
        let schedule = json!({"start": spelled(start), "end": spelled(end), "dayparting": parts});
        let group = tree.ad_group(&case, "group", "spring", json!({"schedule": schedule}));
        group.wait_for("Paused");
        let sent = group.create();
        let wire = |at| on_the_wire(at, 0);
        let expected = ("SCHEDULE_START_END", wire(start), wire(end));
        assert_eq!(times(&sent), (expected.0, &*expected.1, &*expected.2));
        let mut hours = ['0'; 336];
        for slot in [18, 19, 20, 48 + 47, 288 + 18, 288 + 19, 288 + 20] {
            hours[slot] = '1';
        }
        let hours: String = hours.iter().collect();
        assert_eq!(sent["dayparting"], hours);
        assert_eq!(group.fields()["dayparting"], hours);

        group.edit(json!({"schedule": {"end": spelled(later)}}));
        group.wait("the later end", |_| times(&group.fields()).2 == wire(later));
        let object = group.wait_for("Paused");
        assert_eq!(condition(&object, "SideEffect"), &Value::Null);
        assert_eq!(group.updates().len(), 1);
        let after = group.fields();
        assert_eq!(times(&after).1, wire(start));
        assert_eq!(after["dayparting"], hours);
        group.sweeps();
        assert_eq!(group.updates().len(), 1, "and it is no difference");
    }
}

#[test]
fn r14_a_start_that_has_passed_is_sent_as_soon_as_tiktok_takes_it_and_never_again() {
    for tree in TREES {
        let case = Case::new(&format!("r14-passed-{}", tree.word()));
        tree.campaign(&case, "spring", json!({}));
        let schedule = json!({"start": spelled(in_hours(-30)), "end": spelled(in_hours(480))});
        let group = tree.ad_group(&case, "group", "spring", json!({"schedule": schedule}));
        let before = Timestamp::now();
        let object = group.wait_for("Paused");
        assert_eq!(condition(&object, "Drifted")["status"], "False");
        assert_eq!(object["status"]["driftCount"], Value::Null);
        let sent = group.create()["schedule_start_time"]
            .as_str()
            .unwrap()
            .to_owned();
        let lead = |minutes| on_the_wire(before + SignedDuration::from_mins(minutes), 0);
        assert!(lead(14) <= sent && sent <= lead(18), "{sent}");
        group.sweeps();
        assert_eq!(group.updates().len(), 0);

        // It runs by now.
        let passed = on_the_wire(in_hours(-1), 0);
        group.edit_outside(json!({"schedule_start_time": passed}));
        group.sweeps();
        let end = in_hours(960);
        group.edit(json!({"schedule": {"end": spelled(end)}, "budget": {"amount": "33"}}));
        group.wait("the later end", |_| {
            times(&group.fields()).2 == on_the_wire(end, 0)
        });
        let object = group.wait_for("Paused");
        assert_eq!(condition(&object, "SideEffect"), &Value::Null);
        let updates = group.updates();
        assert_eq!(updates.len(), 1, "{updates:?}");
        assert_eq!(updates[0].get("schedule_start_time"), None);
        assert_eq!(times(&group.fields()).1, passed);
        // A start that the spec moves after it has passed is TikTok's to refuse; it is not tried in a loop.
        group.edit(json!({"schedule": {"start": spelled(in_hours(24))}}));
        let refused = group.wait_for("Rejected");
        assert!(
            message(&refused).contains("start time"),
            "{}",
            message(&refused)
        );
        group.sweeps();
        assert_eq!(group.updates().len(), 2);
    }
}

#[test]
fn r14_an_end_that_has_passed_makes_nothing() {
    for tree in TREES {
        let case = Case::new(&format!("r14-ended-{}", tree.word()));
        tree.campaign(&case, "spring", json!({})).wait_for("Paused");
        let schedule = json!({"end": spelled(in_hours(-1))});
        let group = tree.ad_group(&case, "group", "spring", json!({"schedule": schedule}));
        let ended = group.wait_for("ScheduleEnded");
        assert_eq!(condition(&ended, "Stalled")["status"], "True");
        assert!(
            message(&ended).contains("set a later end"),
            "{}",
            message(&ended)
        );
        std::thread::sleep(std::time::Duration::from_secs(2));
        let creates = tree.path(Level::AdGroup, "create");
        assert_eq!(case.requests(&creates).len(), 0);
        group.edit(json!({"schedule": {"end": spelled(in_hours(100))}}));
        group.wait_for("Paused");
    }
}

/// An account five hours ahead of UTC.
fn ahead(name: &str, knob: &str, connection: Value) -> Case {
    let account = json!({"timezone": "Etc/GMT-5"});
    let case = Case::bare(name, account);
    case.knobs(json!({"schedule_zone": knob}));
    let mut spec = json!({"caps": wide_caps()});
    super::merge(&mut spec, connection);
    case.connect(spec);
    case.wait_connection("Verified");
    case
}

fn scheduled<'a>(tree: Tree, case: &'a Case, start: Timestamp) -> Node<'a> {
    tree.campaign(case, "spring", json!({"state": "Active"}));
    let schedule = json!({"start": spelled(start), "end": spelled(in_hours(480))});
    let more = json!({"schedule": schedule, "state": "Active"});
    tree.ad_group(case, "group", "spring", more)
}

#[test]
fn r14_times_are_written_in_the_accounts_zone_where_the_connection_says_so() {
    for tree in TREES {
        let zone = json!({"scheduleZone": "Account"});
        let case = ahead(&format!("r14-zone-{}", tree.word()), "account", zone);
        let start = in_hours(48);
        let group = scheduled(tree, &case, start);
        let live = group.wait_live();
        assert_eq!(condition(&live, "Drifted")["status"], "False");
        assert_eq!(times(&group.create()).1, on_the_wire(start, 5));
        group.sweeps();
        assert_eq!(group.updates().len(), 0);
    }
}

#[test]
fn r14_what_tiktok_reads_in_another_zone_stays_off() {
    for tree in TREES {
        let name = format!("r14-shift-{}", tree.word());
        let case = ahead(&name, "account_shown_in_utc", json!({}));
        let group = scheduled(tree, &case, in_hours(48));
        let shifted = group.wait_for("ScheduleShifted");
        assert!(
            message(&shifted).contains("another zone"),
            "{}",
            message(&shifted)
        );
        group.sweeps();
        assert!(!group.is_on());
        assert_eq!(group.updates().len(), 0, "nothing is corrected by guessing");
        assert_eq!(reason(&group.get()), "ScheduleShifted");
    }
}

#[test]
fn r14_what_delivers_before_its_start_is_switched_off_and_stays_off() {
    for tree in TREES {
        // TikTok shows what it was sent and takes it for the account's time: in three hours is two hours ago there.
        let case = ahead(&format!("r14-early-{}", tree.word()), "account", json!({}));
        let start = in_hours(3);
        let group = scheduled(tree, &case, start);
        tree.ad(&case, "ad", "group", json!({"state": "Active"}));
        let shifted = group.wait("to be held", |object| {
            super::is(object, "ScheduleShifted") && object["status"]["operationStatus"] == "Off"
        });
        assert_eq!(condition(&shifted, "Held")["reason"], "ScheduleShifted");
        let said = message(&shifted);
        assert!(said.contains("delivers although its start"), "{said}");
        assert!(said.contains("spec.scheduleZone"), "{said}");
        group.sweeps();
        group.sweeps();
        assert!(!group.is_on(), "and it is not tried again");
        let enables = || {
            let all = case.requests(&tree.path(Level::AdGroup, "status/update"));
            let on = |e: &&Value| e["body"]["operation_status"] == "ENABLE";
            all.iter().filter(on).count()
        };
        assert_eq!(enables(), 1);
        // TikTok takes the start for passed, so only a new ad group gets the right one.
        case.edit_connection(json!({"scheduleZone": "Account"}));
        group.wait_for("Rejected");
        assert!(!group.is_on());
        group.outside("delete", json!({}));
        group.wait_for("ExternallyDeleted");
        group.edit(json!({"incarnation": 1}));
        group.wait_live();
        assert_eq!(times(&group.fields()).1, on_the_wire(start, 5));
        group.sweeps();
        assert!(group.is_on());
    }
}

#[test]
fn r14_what_does_not_deliver_although_it_should_is_told() {
    for tree in TREES {
        let name = format!("r14-late-{}", tree.word());
        let case = Case::bare(&name, json!({"timezone": "Etc/GMT+5"}));
        case.knobs(json!({"schedule_zone": "account"}));
        case.connect(json!({"caps": wide_caps()}));
        case.wait_connection("Verified");
        tree.campaign(&case, "spring", json!({"state": "Active"}));
        let group = tree.ad_group(&case, "group", "spring", json!({"state": "Active"}));
        let ad = tree.ad(&case, "ad", "group", json!({"state": "Active"}));
        ad.wait_live();
        group.wait_live();
        // The quarter of an hour until its start is over; on the account's clock it is hours away.
        let passed = on_the_wire(in_hours(-1), 0);
        group.edit_outside(json!({"schedule_start_time": passed}));
        let said = group.wait("the delay", |object| reason(object) == "ScheduleShifted");
        assert!(message(&said).contains("NOT_START"), "{}", message(&said));
        assert!(group.is_on());
    }
}

#[test]
fn r14_a_start_that_tiktok_takes_for_passed_is_refused_with_the_reason() {
    for tree in TREES {
        let case = ahead(
            &format!("r14-refused-{}", tree.word()),
            "account",
            json!({}),
        );
        case.knobs(json!({"schedule_start_past_seconds": "0"}));
        tree.campaign(&case, "spring", json!({}));
        let group = tree.ad_group(&case, "group", "spring", json!({}));
        let refused = group.wait_for("Rejected");
        assert!(
            message(&refused).contains("spec.scheduleZone"),
            "{}",
            message(&refused)
        );
        // Nothing of the ad group itself has to be changed.
        case.edit_connection(json!({"scheduleZone": "Account"}));
        group.wait_for("Paused");
    }
}
