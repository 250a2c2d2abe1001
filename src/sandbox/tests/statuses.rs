//! Secondary statuses of ad groups and ads, derived from themselves, their parents and their account.

use super::*;

/// A campaign, an ad group and an ad, all on, their schedule begun, an hour into it.
fn tree() -> (Bench, [String; 3]) {
    let mut bench = Bench::new();
    let campaign = bench.manual_with(
        "c",
        json!({"operation_status": "ENABLE", "budget_mode": "BUDGET_MODE_DAY", "budget": 100}),
    );
    let body = but(
        ad_group(&campaign, "g"),
        json!({"operation_status": "ENABLE", "schedule_type": "SCHEDULE_START_END",
               "schedule_end_time": "2026-12-01 13:00:00"}),
    );
    let ad_group = made(&bench.post("/adgroup/create/", body), "adgroup_id");
    let ad = bench.ad(&ad_group, "a");
    bench.operate(Level::Ad, &ad, "ENABLE");
    bench.now += 2 * 3_600_000;
    (bench, [campaign, ad_group, ad])
}

/// What the ad group and the ad show.
fn shown(bench: &mut Bench, ids: &[String; 3]) -> (String, String) {
    let mut of = |level, id: &str| {
        let row = bench.row_of(level, id);
        row["secondary_status"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    };
    (of(Level::AdGroup, &ids[1]), of(Level::Ad, &ids[2]))
}

fn case(wanted: (&str, &str), change: impl Fn(&mut Bench, &[String; 3])) {
    let (mut bench, ids) = tree();
    let running = shown(&mut bench, &ids);
    assert_eq!(
        (running.0.as_str(), running.1.as_str()),
        ("ADGROUP_STATUS_DELIVERY_OK", "AD_STATUS_DELIVERY_OK")
    );
    change(&mut bench, &ids);
    let (ad_group, ad) = shown(&mut bench, &ids);
    assert_eq!((ad_group.as_str(), ad.as_str()), wanted);
}

#[test]
fn switched_off_above_wins() {
    case(
        ("ADGROUP_STATUS_DELIVERY_OK", "AD_STATUS_DISABLE"),
        |bench, ids| {
            bench.operate(Level::Ad, &ids[2], "DISABLE");
        },
    );
    case(
        ("ADGROUP_STATUS_DISABLE", "AD_STATUS_ADGROUP_DISABLE"),
        |bench, ids| {
            bench.operate(Level::Ad, &ids[2], "DISABLE");
            bench.operate(Level::AdGroup, &ids[1], "DISABLE");
        },
    );
    case(
        (
            "ADGROUP_STATUS_CAMPAIGN_DISABLE",
            "AD_STATUS_CAMPAIGN_DISABLE",
        ),
        |bench, ids| {
            bench.operate(Level::AdGroup, &ids[1], "DISABLE");
            bench.status(&ids[0], "DISABLE");
            // Its own status is untouched by what happens above it.
            let row = bench.row_of(Level::Ad, &ids[2]);
            assert_eq!(row["operation_status"], "ENABLE");
        },
    );
}

#[test]
fn deletions_are_told_apart() {
    case(
        ("ADGROUP_STATUS_CREATE", "AD_STATUS_DELETE"),
        |bench, ids| {
            bench.operate(Level::Ad, &ids[2], "DELETE");
        },
    );
    case(
        ("ADGROUP_STATUS_DELETE", "AD_STATUS_ADGROUP_DELETE"),
        |bench, ids| {
            bench.operate(Level::AdGroup, &ids[1], "DELETE");
        },
    );
    case(
        (
            "ADGROUP_STATUS_CAMPAIGN_DELETE",
            "AD_STATUS_CAMPAIGN_DELETE",
        ),
        |bench, ids| {
            bench.status(&ids[0], "DELETE");
        },
    );
    // One's own comes first.
    case(
        ("ADGROUP_STATUS_DELETE", "AD_STATUS_DELETE"),
        |bench, ids| {
            bench.operate(Level::Ad, &ids[2], "DELETE");
            bench.operate(Level::AdGroup, &ids[1], "DELETE");
            bench.status(&ids[0], "DELETE");
        },
    );
}

#[test]
fn the_account_comes_before_what_is_switched_off() {
    for (status, ad_group, ad) in [
        (
            "STATUS_DISABLE",
            "ADVERTISER_ACCOUNT_PUNISH",
            "ADVERTISER_ACCOUNT_PUNISH",
        ),
        (
            "STATUS_PENDING_CONFIRM",
            "ADGROUP_STATUS_ADVERTISER_AUDIT",
            "AD_STATUS_ADVERTISER_AUDIT",
        ),
        (
            "STATUS_CONFIRM_FAIL",
            "ADGROUP_STATUS_ADVERTISER_AUDIT_DENY",
            "AD_STATUS_ADVERTISER_AUDIT_DENY",
        ),
        (
            "STATUS_CONTRACT_PENDING",
            "ADVERTISER_CONTRACT_PENDING",
            "ADVERTISER_CONTRACT_PENDING",
        ),
    ] {
        case((ad_group, ad), |bench, ids| {
            bench.operate(Level::AdGroup, &ids[1], "DISABLE");
            let id = bench.id();
            bench
                .sandbox
                .set_account_status(bench.now, &id, status, "")
                .unwrap();
        });
    }
    case(
        ("ADGROUP_STATUS_DISABLE", "AD_STATUS_ADGROUP_DISABLE"),
        |bench, ids| {
            bench.knob("status_precedence", "disable_first");
            bench.operate(Level::AdGroup, &ids[1], "DISABLE");
            let id = bench.id();
            bench
                .sandbox
                .set_account_status(bench.now, &id, "STATUS_DISABLE", "")
                .unwrap();
        },
    );
}

#[test]
fn budgets_and_schedules() {
    case(
        ("ADGROUP_STATUS_BUDGET_EXCEED", "AD_STATUS_BUDGET_EXCEED"),
        |bench, ids| bench.sandbox.spend(bench.now, &ids[2], 20.0).unwrap(),
    );
    case(
        (
            "ADGROUP_STATUS_CAMPAIGN_EXCEED",
            "AD_STATUS_CAMPAIGN_EXCEED",
        ),
        |bench, ids| bench.sandbox.spend(bench.now, &ids[0], 100.0).unwrap(),
    );
    case(
        ("ADGROUP_STATUS_TIME_DONE", "AD_STATUS_DONE"),
        |bench, _| {
            bench.now += 8 * 24 * 3_600_000;
        },
    );
    let (mut bench, ids) = tree();
    bench.now -= 90 * 60_000;
    let (ad_group, ad) = shown(&mut bench, &ids);
    assert_eq!(ad_group, "ADGROUP_STATUS_NOT_START");
    assert_eq!(ad, "AD_STATUS_NOT_START");
    let filter = json!({"primary_status": "STATUS_TIME_DONE"});
    bench.now += 30 * 24 * 3_600_000;
    for path in ["/adgroup/get/", "/ad/get/"] {
        let reply = bench.get(path, &[("filtering", filter.clone())]);
        assert_eq!(reply["data"]["page_info"]["total_number"], 1, "{path}");
    }
}

#[test]
fn an_empty_account_delivers_nothing() {
    let mut bench = Bench::with(NewAccount {
        balance: 0.0,
        ..NewAccount::default()
    });
    let campaign = bench.manual_with("c", json!({"operation_status": "ENABLE"}));
    let body = but(
        ad_group(&campaign, "g"),
        json!({"operation_status": "ENABLE"}),
    );
    let ad_group = made(&bench.post("/adgroup/create/", body), "adgroup_id");
    let ad = bench.ad(&ad_group, "a");
    bench.operate(Level::Ad, &ad, "ENABLE");
    let ids = [campaign, ad_group, ad];
    let (ad_group, ad) = shown(&mut bench, &ids);
    assert_eq!(ad_group, "ADGROUP_STATUS_BALANCE_EXCEED");
    assert_eq!(ad, "AD_STATUS_BALANCE_EXCEED");
}

#[test]
fn reviews_of_ads_show_in_the_ad_group() {
    case(
        ("ADGROUP_STATUS_AUDIT_DENY", "AD_STATUS_AUDIT_DENY"),
        |bench, ids| {
            bench.sandbox.reject(bench.now, &ids[2], None).unwrap();
        },
    );
    case(
        (
            "ADGROUP_STATUS_PARTIAL_AUDIT_DELIVERY_OK",
            "AD_STATUS_AUDIT_DENY",
        ),
        |bench, ids| {
            bench.ad(&ids[1], "b");
            bench.sandbox.reject(bench.now, &ids[2], None).unwrap();
        },
    );
    case(
        ("ADGROUP_STATUS_AUDIT_DENY", "AD_STATUS_ADGROUP_AUDIT_DENY"),
        |bench, ids| {
            bench.sandbox.reject(bench.now, &ids[1], None).unwrap();
        },
    );
    case(("ADGROUP_STATUS_AUDIT", "AD_STATUS_AUDIT"), |bench, ids| {
        let status = Some("AD_STATUS_AUDIT");
        bench.sandbox.reject(bench.now, &ids[2], status).unwrap();
    });
    // Only its own level's words can be set.
    let (mut bench, ids) = tree();
    let wrong = bench
        .sandbox
        .reject(bench.now, &ids[1], Some("AD_STATUS_AUDIT"));
    assert!(wrong.is_err());
}

#[test]
fn new_targeting_may_be_reviewed() {
    for (value, wanted) in [
        ("none", "ADGROUP_STATUS_DELIVERY_OK"),
        ("reaudit", "ADGROUP_STATUS_REAUDIT"),
        ("shadow", "ADGROUP_STATUS_SHADOW_ADGROUP_REAUDIT"),
    ] {
        let (mut bench, ids) = tree();
        bench.knob("ad_group_reaudit", value);
        bench.knob("ad_review_seconds", "60");
        let update = |bench: &mut Bench, changes: Value| {
            let body = but(changes, json!({"adgroup_id": ids[1]}));
            assert_eq!(bench.post("/adgroup/update/", body)["code"], 0);
        };
        update(&mut bench, json!({"adgroup_name": "h"}));
        assert_eq!(shown(&mut bench, &ids).0, "ADGROUP_STATUS_DELIVERY_OK");
        update(&mut bench, json!({"languages": ["de"]}));
        assert_eq!(shown(&mut bench, &ids).0, wanted);
        bench.now += 60_000;
        assert_eq!(shown(&mut bench, &ids).0, "ADGROUP_STATUS_DELIVERY_OK");
    }
}

#[test]
fn a_status_lag_hides_what_happened_above_for_a_while() {
    let (mut bench, ids) = tree();
    bench.knob("secondary_status_lag_seconds", "60");
    bench.status(&ids[0], "DISABLE");
    assert_eq!(shown(&mut bench, &ids).1, "AD_STATUS_DELIVERY_OK");
    bench.now += 60_000;
    assert_eq!(shown(&mut bench, &ids).1, "AD_STATUS_CAMPAIGN_DISABLE");
}
