//! Tokens, grants and the advertiser's own data.

use super::*;

fn exchange(bench: &mut Bench, code: &str) -> Value {
    let (app_id, secret) = (bench.account.app_id.clone(), bench.account.secret.clone());
    let body = json!({"app_id": app_id, "secret": secret, "auth_code": code}).to_string();
    bench
        .send("POST", "/oauth2/access_token/", "", body.as_bytes())
        .reply()
        .unwrap()
        .json()
}

fn code(bench: &mut Bench) -> String {
    let (app_id, ids) = (bench.account.app_id.clone(), vec![bench.id()]);
    bench
        .sandbox
        .create_auth_code(bench.now, &app_id, &ids)
        .unwrap()
}

#[test]
fn an_auth_code_works_once_within_an_hour() {
    let mut bench = Bench::new();
    let first = bench.account.auth_code.clone();
    let reply = exchange(&mut bench, &first);
    assert_eq!(
        keys(&reply["data"]),
        ["access_token", "advertiser_ids", "scope"]
    );
    assert_eq!(reply["data"]["advertiser_ids"], json!([bench.id()]));
    bench.account.access_token = reply["data"]["access_token"].as_str().unwrap().into();
    assert_eq!(bench.get("/campaign/get/", &[])["code"], 0);
    assert_eq!(exchange(&mut bench, &first)["code"], 40_110);
    assert_eq!(exchange(&mut bench, "nonsense")["code"], 40_110);
    let late = code(&mut bench);
    bench.now += 3_600_000;
    assert_eq!(exchange(&mut bench, &late)["code"], 40_110);
    bench.account.secret = "wrong".into();
    assert_eq!(exchange(&mut bench, &late)["code"], 40_101);
}

#[test]
fn r21_all_token_profiles() {
    for (profile, field, wanted) in [
        ("long_lived", "expires_in", Value::Null),
        ("long_lived_zero", "expires_in", json!(0)),
        ("expiry", "access_token_expire_in", json!(100)),
        ("expiry_refresh", "expires_in", json!(100)),
    ] {
        let mut bench = Bench::new();
        bench.knob("token_profile", profile);
        bench.knob(
            "token_expiry_field",
            if field == "expires_in" {
                field
            } else {
                "access_token_expire_in"
            },
        );
        bench.knob("token_lifetime_seconds", "100");
        let code = code(&mut bench);
        let data = exchange(&mut bench, &code)["data"].clone();
        assert_eq!(
            data.get(field).cloned().unwrap_or_default(),
            wanted,
            "{profile}"
        );
        assert_eq!(
            data.get("refresh_token").is_some(),
            profile == "expiry_refresh"
        );
        bench.account.access_token = data["access_token"].as_str().unwrap().into();
        bench.now += 100_000;
        let expires = profile.starts_with("expiry");
        assert_eq!(
            bench.get("/campaign/get/", &[])["code"],
            if expires { 40_102 } else { 0 },
            "{profile}"
        );
        let refresh = data
            .get("refresh_token")
            .cloned()
            .unwrap_or(data["access_token"].clone());
        let body = json!({"app_id": bench.account.app_id, "secret": bench.account.secret, "refresh_token": refresh});
        let reply = bench.post("/oauth2/refresh_token/", body);
        assert_eq!(
            reply["code"],
            if profile == "expiry_refresh" {
                0
            } else {
                40_107
            },
            "{profile}"
        );
    }
}

#[test]
fn bad_tokens() {
    let mut bench = Bench::new();
    let good = bench.account.access_token.clone();
    let answer = |bench: &mut Bench, token: &str| {
        bench.account.access_token = token.into();
        bench.get("/campaign/get/", &[])
    };
    let reply = answer(&mut bench, "");
    assert_eq!(
        (&reply["code"], &reply["message"]),
        (
            &json!(40_104),
            &json!("Access token is null, you should set it in http header with key Access-Token.")
        )
    );
    assert_eq!(answer(&mut bench, "unknown")["code"], 40_105);
    assert_eq!(answer(&mut bench, &good)["code"], 0);
    bench.sandbox.expire_token(bench.now, &good);
    assert_eq!(answer(&mut bench, &good)["code"], 40_102);
    bench.sandbox.revoke_token(&good);
    assert_eq!(answer(&mut bench, &good)["code"], 40_105);
}

#[test]
fn a_token_covers_its_advertisers_only() {
    let mut bench = Bench::new();
    let other = bench
        .sandbox
        .create_account(START, &NewAccount::default())
        .unwrap();
    let mine = std::mem::replace(
        &mut bench.account.advertiser_id,
        other.advertiser_id.clone(),
    );
    assert_eq!(bench.get("/campaign/get/", &[])["code"], 40_001);
    assert_eq!(bench.post("/campaign/create/", manual("a"))["code"], 40_001);
    bench.knob("not_granted_code", "40106");
    assert_eq!(bench.get("/campaign/get/", &[])["code"], 40_106);
    bench.account.advertiser_id = "abc".into();
    assert_eq!(bench.get("/campaign/get/", &[])["code"], 40_002);
    bench.account.advertiser_id = mine;
    bench
        .sandbox
        .set_user_role(&bench.account.advertiser_id, "ANALYST")
        .unwrap();
    assert_eq!(bench.get("/campaign/get/", &[])["code"], 0);
    assert_eq!(bench.post("/campaign/create/", manual("a"))["code"], 40_001);
}

#[test]
fn advertiser_list_and_info() {
    let mut bench = Bench::with(NewAccount {
        name: Some("Acme".into()),
        currency: "JPY".into(),
        timezone: "Asia/Tokyo".into(),
        status: "STATUS_LIMIT".into(),
        ..NewAccount::default()
    });
    let query = format!(
        "app_id={}&secret={}",
        bench.account.app_id, bench.account.secret
    );
    let reply = bench
        .send("GET", "/oauth2/advertiser/get/", &query, b"")
        .reply()
        .unwrap()
        .json();
    assert_eq!(
        reply["data"],
        json!({"list": [{"advertiser_id": bench.id(), "advertiser_name": "Acme"}]})
    );
    let wrong = format!("app_id={}&secret=no", bench.account.app_id);
    assert_eq!(
        bench
            .send("GET", "/oauth2/advertiser/get/", &wrong, b"")
            .reply()
            .unwrap()
            .json()["code"],
        40_101
    );
    let ids = json!([bench.id()]);
    let fields = json!([
        "advertiser_id",
        "name",
        "currency",
        "timezone",
        "status",
        "create_time"
    ]);
    let reply = bench.get(
        "/advertiser/info/",
        &[("advertiser_ids", ids.clone()), ("fields", fields)],
    );
    assert_eq!(
        reply["data"]["list"],
        json!([{
            "advertiser_id": bench.id(), "name": "Acme", "currency": "JPY", "timezone": "Asia/Tokyo",
            "status": "STATUS_LIMIT", "create_time": START / 1_000,
        }])
    );
    let whole = bench.get("/advertiser/info/", &[("advertiser_ids", ids.clone())]);
    assert_eq!(whole["data"]["list"][0]["can_use_custom_identity"], false);
    assert_eq!(
        bench.get(
            "/advertiser/info/",
            &[("advertiser_ids", ids), ("fields", json!(["nme"]))]
        )["code"],
        40_002
    );
    assert_eq!(bench.get("/advertiser/info/", &[])["code"], 40_002);
    assert_eq!(
        bench.get(
            "/advertiser/info/",
            &[("advertiser_ids", json!(["7000000000000000002"]))]
        )["code"],
        40_001
    );
}

#[test]
fn a_revoked_token_is_dead() {
    let mut bench = Bench::new();
    let body = json!({
        "app_id": bench.account.app_id, "secret": bench.account.secret, "access_token": bench.account.access_token,
    });
    let reply = bench.post("/oauth2/revoke_token/", body);
    assert_eq!(
        reply["data"],
        json!({"app_id": bench.account.app_id, "advertiser_ids": [bench.id()]})
    );
    assert_eq!(bench.get("/campaign/get/", &[])["code"], 40_105);
}
