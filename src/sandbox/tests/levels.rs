//! What all levels share: lists, filters, lags, faults, keys of the state, the control interface.

use super::*;

const LEVELS: [(Level, &str, &str, &str); 3] = [
    (
        Level::Campaign,
        "/campaign/get/",
        "campaign_ids",
        "campaign_id",
    ),
    (Level::AdGroup, "/adgroup/get/", "adgroup_ids", "adgroup_id"),
    (Level::Ad, "/ad/get/", "ad_ids", "ad_id"),
];

/// A campaign with two ad groups with two ads each.
fn tree() -> (Bench, String, [String; 2], [String; 4]) {
    let mut bench = Bench::new();
    let campaign = bench.manual("spring");
    let groups = ["Hot", "cold"].map(|name| bench.ad_group(&campaign, name));
    let mut ads = Vec::new();
    for group in &groups {
        ads.extend(["Red", "blue"].map(|name| bench.ad(group, name)));
    }
    (bench, campaign, groups, ads.try_into().unwrap())
}

fn list(bench: &mut Bench, path: &str, field: &str, filtering: Value) -> Vec<String> {
    let reply = bench.get(
        path,
        &[("filtering", filtering), ("page_size", json!(1_000))],
    );
    assert_eq!(reply["code"], 0, "{reply}");
    let rows = reply["data"]["list"].as_array().unwrap();
    rows.iter()
        .map(|row| row[field].as_str().unwrap().to_owned())
        .collect()
}

fn ad_groups(bench: &mut Bench, filtering: Value) -> Vec<String> {
    list(bench, "/adgroup/get/", "adgroup_id", filtering)
}

fn ads(bench: &mut Bench, filtering: Value) -> Vec<String> {
    list(bench, "/ad/get/", "ad_id", filtering)
}

#[test]
fn filters_by_what_they_are_in() {
    let (mut bench, campaign, groups, made) = tree();
    let other = bench.manual("autumn");
    let apart = bench.ad_group(&other, "Hot");
    let newest_first = |ids: &[String]| ids.iter().rev().cloned().collect::<Vec<_>>();
    assert_eq!(ad_groups(&mut bench, json!({})).len(), 3);
    let filter = json!({"campaign_ids": [campaign]});
    assert_eq!(ad_groups(&mut bench, filter.clone()), newest_first(&groups));
    assert_eq!(ads(&mut bench, filter), newest_first(&made));
    let filter = json!({"adgroup_ids": [groups[0]]});
    assert_eq!(ads(&mut bench, filter.clone()), newest_first(&made[..2]));
    assert_eq!(ad_groups(&mut bench, filter), [groups[0].clone()]);
    let both = json!({"campaign_ids": [other], "adgroup_ids": [groups[0]]});
    assert!(ads(&mut bench, both.clone()).is_empty());
    assert!(ad_groups(&mut bench, both).is_empty());
    let one = json!({"adgroup_ids": [apart], "ad_ids": [made[0]]});
    assert!(ads(&mut bench, one).is_empty());
    let many: Vec<String> = (1..=101).map(|id| id.to_string()).collect();
    for name in ["campaign_ids", "adgroup_ids", "ad_ids"] {
        let reply = bench.get("/ad/get/", &[("filtering", json!({name: many}))]);
        assert_eq!(reply["code"], 40_011, "{name}");
    }
}

#[test]
fn filters_by_name_status_and_fields() {
    let (mut bench, campaign, groups, made) = tree();
    assert_eq!(
        ad_groups(&mut bench, json!({"adgroup_name": "OT"})),
        [groups[0].clone()]
    );
    assert_eq!(ads(&mut bench, json!({"ad_name": "re"})).len(), 2);
    bench.status(&campaign, "ENABLE");
    bench.operate(Level::AdGroup, &groups[0], "ENABLE");
    let on = json!({"secondary_status": "ADGROUP_STATUS_NOT_START"});
    assert_eq!(ad_groups(&mut bench, on), [groups[0].clone()]);
    let off = json!({"primary_status": "STATUS_DISABLE"});
    assert_eq!(ad_groups(&mut bench, off), [groups[1].clone()]);
    for (filter, count) in [
        (json!({"objective_type": "TRAFFIC"}), 2),
        (json!({"objective_type": "REACH"}), 0),
        (json!({"optimization_goal": "CLICK"}), 2),
        (json!({"optimization_goal": "SHOW"}), 0),
        (json!({"billing_events": ["CPC", "CPM"]}), 2),
        (json!({"billing_events": ["CPM"]}), 0),
        (json!({"promotion_type": "WEBSITE"}), 2),
        (json!({"creative_material_mode": "CUSTOM"}), 2),
        (json!({"bid_strategy": "BID_STRATEGY_LOWEST_COST"}), 2),
        (json!({"bid_strategy": "BID_STRATEGY_BID_CAP"}), 0),
        (json!({"split_test_enabled": true}), 0),
        (json!({"buying_types": ["RESERVATION_RF"]}), 0),
    ] {
        assert_eq!(
            ad_groups(&mut bench, filter.clone()).len(),
            count,
            "{filter}"
        );
    }
    for (filter, count) in [
        (json!({"objective_type": "TRAFFIC"}), 4),
        (json!({"optimization_goal": "SHOW"}), 0),
        (json!({"optimization_goal": "CLICK"}), 4),
        (json!({"destination": "WEBSITE"}), 4),
        (json!({"destination": "APP"}), 0),
        (json!({"destination": "TIKTOK_INSTANT_PAGE"}), 0),
    ] {
        assert_eq!(ads(&mut bench, filter.clone()).len(), count, "{filter}");
    }
    for (path, wrong) in [
        (
            "/adgroup/get/",
            json!({"secondary_status": "AD_STATUS_DISABLE"}),
        ),
        (
            "/adgroup/get/",
            json!({"modified_after": "2026-11-23 12:00:00"}),
        ),
        ("/ad/get/", json!({"campaign_automation_type": "MANUAL"})),
        ("/ad/get/", json!({"modified_after": "yesterday"})),
    ] {
        let reply = bench.get(path, &[("filtering", wrong)]);
        assert_eq!(reply["code"], 40_002, "{path}");
    }
    let column = bench.get("/ad/get/", &[("fields", json!(["ad_id", "thumbnail_url"]))]);
    assert_eq!(
        column["message"],
        "fields.1: this value is not acceptable, error is thumbnail_url"
    );
    bench.now += 10_000;
    let edited = json!({"adgroup_id": groups[0], "patch_update": true,
                        "creatives": [{"ad_id": made[0], "ad_name": "Pink"}]});
    bench.post("/ad/update/", edited);
    let since = |text: &str| json!({"modified_after": text});
    assert_eq!(
        ads(&mut bench, since("2026-11-23 12:00:09")),
        [made[0].clone()]
    );
    assert!(ads(&mut bench, since("2026-11-23 12:00:10")).is_empty());
}

#[test]
fn deleted_ones_are_hidden_with_what_is_in_them() {
    let (mut bench, campaign, groups, made) = tree();
    bench.operate(Level::AdGroup, &groups[0], "DELETE");
    assert_eq!(ads(&mut bench, json!({})).len(), 2);
    assert!(ads(&mut bench, json!({"ad_ids": [made[0]]})).is_empty());
    let gone = json!({"secondary_status": "AD_STATUS_ADGROUP_DELETE"});
    assert_eq!(ads(&mut bench, gone).len(), 2);
    bench.status(&campaign, "DELETE");
    assert!(ads(&mut bench, json!({})).is_empty());
    assert!(ad_groups(&mut bench, json!({})).is_empty());
    let deleted = json!({"primary_status": "STATUS_DELETE"});
    assert_eq!(ads(&mut bench, deleted.clone()).len(), 4);
    assert_eq!(ad_groups(&mut bench, deleted).len(), 2);
    bench.knob("deleted_by_id", "shown");
    assert_eq!(ads(&mut bench, json!({"ad_ids": [made[0]]})).len(), 1);
}

#[test]
fn lags_hold_for_all_levels() {
    for (level, path, ids, field) in LEVELS {
        let (mut bench, campaign, groups, made) = tree();
        bench.knob("listing_lag_seconds", "30");
        bench.knob("lookup_lag_seconds", "10");
        let id = match level {
            Level::Campaign => &campaign,
            Level::AdGroup => &groups[0],
            Level::Ad => &made[0],
        };
        let by_id = json!({ids: [id]});
        let shows =
            |bench: &mut Bench, filter: Value| list(bench, path, field, filter).contains(id);
        assert!(!shows(&mut bench, json!({})) && !shows(&mut bench, by_id.clone()));
        bench.now += 10_000;
        assert!(!shows(&mut bench, json!({})) && shows(&mut bench, by_id.clone()));
        bench.now += 20_000;
        assert!(shows(&mut bench, json!({})));
        bench.knob("edit_lag_seconds", "60");
        bench.operate(level, id, "ENABLE");
        let status = |bench: &mut Bench| bench.row_of(level, id)["operation_status"].clone();
        assert_eq!(status(&mut bench), "DISABLE");
        bench.now += 60_000;
        assert_eq!(status(&mut bench), "ENABLE");
    }
}

#[test]
fn faults_of_lists_strike_all_levels() {
    for (level, path, _, field) in LEVELS {
        let (mut bench, campaign, groups, made) = tree();
        let (oldest, count) = match level {
            Level::Campaign => (&campaign, 1),
            Level::AdGroup => (&groups[0], 2),
            Level::Ad => (&made[0], 4),
        };
        let mut with = |kind: Value| {
            let fault = but(kind, json!({"match": {"path": format!("*{path}")}}));
            bench.sandbox.inject(serde_json::from_value(fault).unwrap());
            list(&mut bench, path, field, json!({}))
        };
        let left = with(json!({"kind": "skipped_row", field: oldest}));
        assert_eq!((left.len(), left.contains(oldest)), (count - 1, false));
        assert_eq!(with(json!({"kind": "skipped_row"})).len(), count - 1);
        assert_eq!(
            with(json!({"kind": "partial_page", "rows": 1})).len(),
            count - 1
        );
        assert!(with(json!({"kind": "late_listing", "ms": 1_000})).is_empty());
        assert_eq!(list(&mut bench, path, field, json!({})).len(), count);
    }
}

#[test]
fn a_create_can_take_effect_late() {
    let (mut bench, campaign, groups, _) = tree();
    for (path, body) in [
        ("/adgroup/create/", ad_group(&campaign, "late")),
        (
            "/ad/create/",
            json!({"adgroup_id": groups[0], "creatives": [creative("late")]}),
        ),
    ] {
        bench.sandbox.inject(Fault {
            when: Match {
                path: Some(format!("*{path}")),
                ..Match::default()
            },
            kind: FaultKind::EffectDelay { ms: 5_000 },
        });
        let before = bench.sandbox.digest();
        assert_eq!(bench.post(path, body), Value::Null);
        assert_ne!(bench.sandbox.digest(), before);
    }
    assert_eq!(
        (
            ad_groups(&mut bench, json!({})).len(),
            ads(&mut bench, json!({})).len()
        ),
        (2, 4)
    );
    bench.now += 5_000;
    assert_eq!(
        (
            ad_groups(&mut bench, json!({})).len(),
            ads(&mut bench, json!({})).len()
        ),
        (3, 5)
    );
}

#[test]
fn pages_and_columns() {
    let (mut bench, ..) = tree();
    let reply = bench.get(
        "/ad/get/",
        &[
            ("fields", json!(["ad_id", "ad_name", "card_id"])),
            ("page_size", json!(3)),
            ("page", json!(2)),
        ],
    );
    let rows = reply["data"]["list"].as_array().unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!(keys(&rows[0]), ["ad_id", "ad_name", "card_id"]);
    assert_eq!(reply["data"]["page_info"]["total_page"], 2);
    let reply = bench.get(
        "/ad/get/",
        &[
            ("fields", json!(["ad_id", "card_id"])),
            ("exclude_field_types_in_response", json!(["NULL_FIELD"])),
        ],
    );
    assert_eq!(keys(&reply["data"]["list"][0]), ["ad_id"]);
    for (path, size, code) in [
        ("/ad/get/", 1_000, 0),
        ("/ad/get/", 1_001, 40_002),
        ("/smart_plus/ad/get/", 100, 0),
        ("/smart_plus/ad/get/", 101, 40_002),
        ("/smart_plus/adgroup/get/", 1_000, 0),
    ] {
        let reply = bench.get(path, &[("page_size", json!(size))]);
        assert_eq!(reply["code"], code, "{path} {size}");
    }
}

#[test]
fn money_spent_below_is_spent_above() {
    let (mut bench, campaign, groups, made) = tree();
    bench.sandbox.spend(bench.now, &made[0], 2.0).unwrap();
    bench.sandbox.spend(bench.now, &groups[0], 3.0).unwrap();
    let spent = |id: &str| bench.sandbox.object(id).unwrap().1.spent_total;
    assert_eq!(
        [
            spent(&made[0]),
            spent(&groups[0]),
            spent(&campaign),
            spent(&made[1])
        ],
        [2.0, 5.0, 5.0, 0.0]
    );
}

#[test]
fn the_control_interface_knows_all_levels() {
    let (mut bench, campaign, groups, made) = tree();
    let mut control = |method: &str, path: &str, body: Value| {
        let request = Request {
            method: method.into(),
            path: format!("/sandbox/{path}"),
            query: String::new(),
            headers: Vec::new(),
            body: body.to_string().into_bytes(),
        };
        let answer = bench.sandbox.handle(bench.now, &request);
        let reply = answer.reply().unwrap().clone();
        (reply.status, reply.json())
    };
    let (_, all) = control("GET", "ads", json!({}));
    assert_eq!(all["ads"].as_array().unwrap().len(), 4);
    let (_, one) = control("GET", &format!("ads/{}", made[0]), json!({}));
    assert_eq!(one["adgroup_id"], groups[0]);
    assert_eq!(one["campaign_id"], campaign);
    assert_eq!(one["level"], "ad");
    // An id of another level is not there.
    let (status, _) = control("GET", &format!("ad_groups/{}", made[0]), json!({}));
    assert_eq!(status, 404);
    let (status, _) = control("POST", &format!("campaigns/{}/pause", made[0]), json!({}));
    assert_eq!(status, 404);
    let (_, new) = control(
        "POST",
        "ad_groups",
        json!({"campaign_id": campaign, "budget": 33.0}),
    );
    let group = new["adgroup_id"].as_str().unwrap().to_owned();
    let (_, new) = control(
        "POST",
        "ads",
        json!({"adgroup_id": group, "ad_name": "Outside"}),
    );
    let ad = new["ad_id"].as_str().unwrap().to_owned();
    let (status, _) = control("POST", "ads", json!({"ad_name": "nowhere"}));
    assert_eq!(status, 400);
    control(
        "PATCH",
        &format!("ad_groups/{group}"),
        json!({"adgroup_name": "Edited"}),
    );
    for action in ["enable", "pause", "reject", "approve", "enable"] {
        let (status, reply) = control("POST", &format!("ads/{ad}/{action}"), json!({}));
        assert_eq!(status, 200, "{action}: {reply}");
    }
    control("POST", &format!("ads/{ad}/spend"), json!({"amount": 1.5}));
    let row = bench.row_of(Level::AdGroup, &group);
    assert_eq!(
        (&row["adgroup_name"], &row["budget"]),
        (&json!("Edited"), &json!(33.0))
    );
    assert_eq!(bench.row_of(Level::Ad, &ad)["operation_status"], "ENABLE");
    assert_eq!(
        bench.sandbox.campaign(&campaign).unwrap().1.spent_total,
        1.5
    );
    bench.sandbox.delete_outside(bench.now, &group).unwrap();
    assert_eq!(
        bench.row_of(Level::Ad, &ad)["secondary_status"],
        "AD_STATUS_ADGROUP_DELETE"
    );
}

#[test]
fn the_state_keeps_all_levels() {
    let (mut bench, ..) = tree();
    let campaign = bench.smart_plus("s");
    bench.smart_plus_ad_group(&campaign, "x");
    let bytes = serde_json::to_vec(&bench.sandbox).unwrap();
    let mut read: Sandbox = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(read.digest(), bench.sandbox.digest());
    let (now, id) = (bench.now, bench.id());
    let ad = read.ads(&id).next().unwrap().id.to_string();
    read.pause_outside(now + 1, &ad).unwrap();
    assert_eq!(read.digest(), bench.sandbox.digest(), "it was off already");
    read.enable_outside(now + 1, &ad).unwrap();
    assert_ne!(read.digest(), bench.sandbox.digest());
}

#[test]
fn what_a_create_takes_a_list_shows() {
    use crate::sandbox::fields::{
        AD_COLUMNS, AD_GROUP_COLUMNS, AD_GROUP_CREATE, AD_GROUP_UPDATE, CREATIVE_CREATE,
        CREATIVE_UPDATE, SMART_PLUS_AD_GROUP_COLUMNS, SMART_PLUS_AD_GROUP_CREATE,
        SMART_PLUS_AD_GROUP_UPDATE,
    };
    for (create, update, columns) in [
        (AD_GROUP_CREATE, AD_GROUP_UPDATE, AD_GROUP_COLUMNS),
        (
            SMART_PLUS_AD_GROUP_CREATE,
            SMART_PLUS_AD_GROUP_UPDATE,
            SMART_PLUS_AD_GROUP_COLUMNS,
        ),
        (CREATIVE_CREATE, CREATIVE_UPDATE, AD_COLUMNS),
    ] {
        for (name, _) in create.iter().chain(update) {
            let said_only = ["request_id", "open_api_partner"].contains(name);
            assert!(said_only || columns.contains(name), "{name}");
        }
        let names: std::collections::BTreeSet<_> = columns.iter().collect();
        assert_eq!(names.len(), columns.len(), "a column twice");
    }
}
