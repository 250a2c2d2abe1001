//! The control interface, the log, determinism and state.

use super::*;

#[test]
fn somebody_works_behind_our_back() {
    let mut bench = Bench::new();
    let id = bench.manual("a");
    let path = format!("/sandbox/campaigns/{id}");
    let act = |bench: &mut Bench, action: &str, body: Value| {
        control(bench, "POST", &format!("{path}/{action}"), "", body)
    };
    assert_eq!(act(&mut bench, "enable", Value::Null).0, 200);
    assert_eq!(bench.row(&id)["operation_status"], "ENABLE");
    act(&mut bench, "pause", Value::Null);
    assert_eq!(bench.row(&id)["operation_status"], "DISABLE");
    bench.now += 9_000;
    control(
        &mut bench,
        "PATCH",
        &path,
        "",
        json!({"budget": 99, "campaign_name": "theirs"}),
    );
    let row = bench.row(&id);
    assert_eq!(
        (&row["budget"], &row["campaign_name"]),
        (&json!(99.0), &json!("theirs"))
    );
    assert_eq!(row["modify_time"], "2026-11-23 12:00:09");
    act(&mut bench, "reject", Value::Null);
    assert_eq!(
        bench.row(&id)["secondary_status"],
        "CAMPAIGN_STATUS_ADVERTISER_AUDIT_DENY"
    );
    act(&mut bench, "approve", Value::Null);
    assert_eq!(
        bench.row(&id)["secondary_status"],
        "CAMPAIGN_STATUS_DISABLE"
    );
    assert_eq!(
        act(&mut bench, "spend", json!({"amount": 12.5})).1["spent_total"],
        12.5
    );
    assert_eq!(act(&mut bench, "explode", Value::Null).0, 404);
    act(&mut bench, "delete", Value::Null);
    assert!(bench.list(json!({"campaign_ids": [id]})).is_empty());
    assert_eq!(act(&mut bench, "enable", Value::Null).0, 400);
    let body =
        json!({"advertiser_id": bench.id(), "tree": "smart_plus", "campaign_name": "Made by hand"});
    let (status, reply) = control(&mut bench, "POST", "/sandbox/campaigns", "", body);
    assert_eq!(status, 200);
    assert_eq!(
        ids(&bench.get("/smart_plus/campaign/get/", &[])),
        [reply["campaign_id"].as_str().unwrap()]
    );
}

#[test]
fn promoted_posts_are_listed_on_request_with_few_columns() {
    let mut bench = Bench::new();
    let body = json!({"advertiser_id": bench.id(), "campaign_system_origin": "PROMOTE"});
    control(&mut bench, "POST", "/sandbox/campaigns", "", body);
    assert!(bench.list(json!({})).is_empty());
    let reply = bench.get(
        "/campaign/get/",
        &[("filtering", json!({"campaign_system_origins": ["PROMOTE"]}))],
    );
    assert_eq!(
        keys(&reply["data"]["list"][0]),
        [
            "advertiser_id",
            "campaign_id",
            "campaign_name",
            "campaign_system_origin",
            "create_time",
            "operation_status",
            "secondary_status"
        ]
    );
}

#[test]
fn accounts_knobs_clock_and_faults_over_json() {
    let mut bench = Bench::new();
    let (_, account) = control(
        &mut bench,
        "POST",
        "/sandbox/accounts",
        "",
        json!({"currency": "EUR", "tier": "premium"}),
    );
    let advertiser = account["advertiser_id"].as_str().unwrap().to_owned();
    assert_eq!(advertiser.len(), 19);
    assert_eq!(
        control(
            &mut bench,
            "POST",
            "/sandbox/accounts",
            "",
            json!({"curency": "EUR"})
        )
        .0,
        400
    );
    let second = json!({"app_id": account["app_id"]});
    assert_eq!(
        control(&mut bench, "POST", "/sandbox/accounts", "", second).1["app_id"],
        account["app_id"]
    );
    let (status, patched) = control(
        &mut bench,
        "PATCH",
        &format!("/sandbox/accounts/{advertiser}"),
        "",
        json!({"status": "STATUS_LIMIT"}),
    );
    assert_eq!((status, &patched["status"]), (200, &json!("STATUS_LIMIT")));
    let scope = format!("advertiser_id={advertiser}");
    let (_, knobs) = control(
        &mut bench,
        "PATCH",
        "/sandbox/knobs",
        &scope,
        json!({"advertiser_qps": 3, "skan4": false}),
    );
    assert_eq!(knobs["knobs"]["advertiser_qps"], "3");
    let (status, error) = control(
        &mut bench,
        "PATCH",
        "/sandbox/knobs",
        &scope,
        json!({"skan4": true, "nonsense": 1}),
    );
    assert_eq!(status, 400);
    assert!(error["error"].as_str().unwrap().contains("nonsense"));
    assert_eq!(
        control(&mut bench, "GET", "/sandbox/knobs", &scope, Value::Null).1["knobs"]["skan4"],
        "false"
    );
    assert_eq!(
        control(&mut bench, "GET", "/sandbox/knobs", "", Value::Null).1["knobs"]["skan4"],
        "true"
    );
    let (_, clock) = control(
        &mut bench,
        "POST",
        "/sandbox/clock",
        "",
        json!({"advance_seconds": 3_600}),
    );
    assert_eq!(clock["now"], "2026-11-23 13:00:00");
    assert_eq!(
        control(
            &mut bench,
            "POST",
            "/sandbox/clock",
            "",
            json!({"advance_seconds": -1})
        )
        .0,
        400
    );
    let fault = json!({"kind": "delay", "ms": 10, "match": {"advertiser_id": advertiser}});
    let (_, made) = control(&mut bench, "POST", "/sandbox/faults", "", fault);
    assert_eq!(
        control(&mut bench, "GET", "/sandbox/faults", "", Value::Null).1["faults"][0]["kind"],
        "delay"
    );
    assert_eq!(
        control(
            &mut bench,
            "DELETE",
            &format!("/sandbox/faults/{}", made["id"]),
            "",
            Value::Null
        )
        .0,
        200
    );
    assert_eq!(
        control(&mut bench, "DELETE", "/sandbox/faults/99", "", Value::Null).0,
        404
    );
    assert_eq!(
        control(&mut bench, "GET", "/sandbox/nothing", "", Value::Null).0,
        404
    );
}

#[test]
fn the_log_counts_and_hides_secrets() {
    let mut bench = Bench::new();
    bench.manual("a");
    bench.post("/campaign/create/", manual("a"));
    let query = format!(
        "app_id={}&secret={}",
        bench.account.app_id, bench.account.secret
    );
    bench.send("GET", "/oauth2/advertiser/get/", &query, b"");
    let body = json!({
        "app_id": bench.account.app_id, "secret": bench.account.secret, "auth_code": bench.account.auth_code,
    });
    bench.post("/oauth2/access_token/", body);
    let scope = format!("advertiser_id={}", bench.id());
    let (_, counts) = control(&mut bench, "GET", "/sandbox/counts", &scope, Value::Null);
    assert_eq!(
        counts["counts"]["/open_api/v1.3/campaign/create/"],
        json!({"total": 2, "by_code": {"0": 1, "40002": 1}})
    );
    let (_, log) = control(&mut bench, "GET", "/sandbox/requests", "", Value::Null);
    let text = log.to_string();
    for secret in [
        &bench.account.secret,
        &bench.account.auth_code,
        &bench.account.access_token,
    ] {
        assert!(!text.contains(secret.as_str()));
    }
    assert_eq!(
        log["requests"][1]["message"],
        "Campaign name already exists. Please try another one."
    );
    assert_eq!(log["requests"][0]["body"]["campaign_name"], "a");
    control(
        &mut bench,
        "DELETE",
        "/sandbox/requests",
        &scope,
        Value::Null,
    );
    assert_eq!(
        control(&mut bench, "GET", "/sandbox/counts", &scope, Value::Null).1["counts"],
        json!({})
    );
}

#[test]
fn a_lower_lease_count_after_a_higher_one_is_reported() {
    let mut bench = Bench::new();
    let id = bench.manual("a");
    let mut write = |fence: u64, method: &str| {
        let path = if method == "POST" {
            "/campaign/status/update/"
        } else {
            "/campaign/get/"
        };
        let body = json!({"advertiser_id": bench.account.advertiser_id, "campaign_ids": [id], "operation_status": "ENABLE"});
        let request = Request {
            method: method.into(),
            path: format!("/open_api/v1.3{path}"),
            query: format!("advertiser_id={}", bench.account.advertiser_id),
            headers: vec![
                ("Access-Token".into(), bench.account.access_token.clone()),
                (
                    "user-agent".into(),
                    format!("tiktok-ads-operator/0.1.0 (fence={fence})"),
                ),
            ],
            body: body.to_string().into_bytes(),
        };
        bench.sandbox.handle(bench.now, &request);
        bench.sandbox.fence_violations().len()
    };
    assert_eq!(write(3, "POST"), 0);
    assert_eq!(write(2, "GET"), 0, "reads may be old");
    assert_eq!(write(3, "POST"), 0);
    assert_eq!(write(4, "POST"), 0);
    assert_eq!(write(3, "POST"), 1);
    let violation = &bench.sandbox.fence_violations()[0];
    assert_eq!((violation.fence, violation.highest), (3, 4));
}

/// Runs a script of requests and returns every answer.
fn run(seed: u64, names: &[String]) -> Vec<Answer> {
    let mut sandbox = Sandbox::new(&Config {
        seed,
        ..Config::default()
    })
    .unwrap();
    let account = sandbox
        .create_account(START, &NewAccount::default())
        .unwrap();
    let mut bench = Bench {
        sandbox,
        account,
        now: START,
    };
    names
        .iter()
        .map(|name| {
            bench.now += 500;
            let mut body = manual(name);
            body["advertiser_id"] = json!(bench.id());
            bench.send("POST", "/campaign/create/", "", body.to_string().as_bytes())
        })
        .collect()
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(32))]

    #[test]
    fn equal_seeds_give_equal_bytes(seed: u64, names in proptest::collection::vec(".{0,12}", 1..8)) {
        proptest::prop_assert_eq!(run(seed, &names), run(seed, &names));
    }

    /// Whatever arrives, an answer goes out.
    #[test]
    fn no_request_breaks_it(
        path in proptest::sample::select(vec![
            "/campaign/create/", "/campaign/get/", "/campaign/update/", "/campaign/status/update/",
            "/smart_plus/campaign/create/", "/oauth2/access_token/", "/advertiser/info/",
        ]),
        method in proptest::sample::select(vec!["GET", "POST", "PUT"]),
        query in ".{0,60}",
        body in proptest::collection::vec(proptest::num::u8::ANY, 0..60),
    ) {
        let mut bench = Bench::new();
        let answer = bench.send(method, path, &query, &body);
        let response = answer.reply().unwrap();
        proptest::prop_assert!(response.status != 200 || response.json()["code"].as_i64().unwrap() != 0);
    }
}

#[test]
fn seeds_differ() {
    let names = ["a".to_owned()];
    assert_ne!(run(1, &names), run(2, &names));
}

#[test]
fn a_state_file_brings_everything_back() {
    let folder = std::env::temp_dir().join(format!("sandbox-state-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("state.json");
    assert!(state::load(&file).unwrap().is_none());
    let mut bench = Bench::new();
    let id = bench.manual("a");
    bench.sandbox.advance_ms(5_000);
    bench.sandbox.inject(Fault {
        when: Match::default(),
        kind: FaultKind::Error {
            code: 1,
            message: "x".into(),
        },
    });
    state::save(&file, &bench.sandbox).unwrap();
    let mut again = Bench {
        sandbox: state::load(&file).unwrap().unwrap(),
        ..bench.clone()
    };
    assert_eq!(
        again.get("/campaign/get/", &[])["code"],
        1,
        "faults are kept"
    );
    assert_eq!(bench.get("/campaign/get/", &[])["code"], 1);
    assert_eq!(again.row(&id), bench.row(&id));
    assert_eq!(
        again.manual("b"),
        bench.manual("b"),
        "the next id is the same"
    );
    std::fs::write(&file, "{}").unwrap();
    assert!(
        state::load(&file)
            .unwrap_err()
            .to_string()
            .contains("Delete it")
    );
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn the_digest_names_the_state_and_not_the_way_to_it() {
    let mut one = Bench::new();
    let mut other = one.clone();
    assert_eq!(one.sandbox.digest(), other.sandbox.digest());
    one.list(json!({}));
    one.post("/campaign/create/", json!({}));
    assert_eq!(
        one.sandbox.digest(),
        other.sandbox.digest(),
        "reads and refusals change nothing"
    );
    let (a, b) = (one.manual("a"), other.manual("a"));
    assert_eq!(a, b, "ids do not depend on what else was asked");
    assert_eq!(one.sandbox.digest(), other.sandbox.digest());
    one.status(&a, "ENABLE");
    assert_ne!(one.sandbox.digest(), other.sandbox.digest());
}
