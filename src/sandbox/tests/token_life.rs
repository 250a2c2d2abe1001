//! How tokens live, are changed for new ones, and end.

use proptest::prelude::*;

use super::*;

/// A bench whose tokens live 100 seconds and come with refresh tokens, and the first exchange's answer.
fn refreshable() -> (Bench, Value) {
    let mut bench = Bench::new();
    bench.knob("token_profile", "expiry_refresh");
    bench.knob("token_lifetime_seconds", "100");
    let code = bench.account.auth_code.clone();
    let body = app_body(&bench, json!({"auth_code": code}));
    let data = bench.post("/oauth2/access_token/", body)["data"].clone();
    (bench, data)
}

fn app_body(bench: &Bench, more: Value) -> Value {
    let body = json!({"app_id": bench.account.app_id, "secret": bench.account.secret});
    but(body, more)
}

fn refresh(bench: &mut Bench, token: &Value) -> Value {
    let body = app_body(bench, json!({"refresh_token": token}));
    bench.post("/oauth2/refresh_token/", body)
}

fn revoke(bench: &mut Bench, token: &Value) -> Value {
    let body = app_body(bench, json!({"access_token": token}));
    bench.post("/oauth2/revoke_token/", body)
}

/// The code of a read with this token.
fn read_with(bench: &mut Bench, token: &Value) -> Value {
    let own = std::mem::replace(
        &mut bench.account.access_token,
        token.as_str().unwrap().to_owned(),
    );
    let code = bench.get("/campaign/get/", &[])["code"].clone();
    bench.account.access_token = own;
    code
}

#[test]
fn a_refresh_changes_the_pair_and_leaves_the_old_access_token_its_time() {
    let (mut bench, first) = refreshable();
    assert_eq!(
        keys(&first),
        [
            "access_token",
            "advertiser_ids",
            "expires_in",
            "refresh_token",
            "refresh_token_expires_in",
            "scope",
            "token_type"
        ]
    );
    bench.now += 60_000;
    let second = refresh(&mut bench, &first["refresh_token"])["data"].clone();
    assert_eq!(keys(&second), keys(&first));
    assert_ne!(second["access_token"], first["access_token"]);
    assert_ne!(second["refresh_token"], first["refresh_token"]);
    assert_eq!(second["scope"], first["scope"]);
    assert_eq!(read_with(&mut bench, &first["access_token"]), 0);
    assert_eq!(read_with(&mut bench, &second["access_token"]), 0);
    assert_eq!(refresh(&mut bench, &first["refresh_token"])["code"], 40_107);
    bench.now += 40_000;
    assert_eq!(read_with(&mut bench, &first["access_token"]), 40_102);
    assert_eq!(read_with(&mut bench, &second["access_token"]), 0);
    assert_eq!(refresh(&mut bench, &second["refresh_token"])["code"], 0);
}

#[test]
fn knobs_of_a_refresh() {
    // The same refresh token again and again; its end does not move.
    let (mut bench, first) = refreshable();
    bench.knob("refresh_token_use", "reusable");
    let end = first["refresh_token_expires_in"].as_i64().unwrap();
    for seconds in [10, 20] {
        bench.now += 10_000;
        let data = refresh(&mut bench, &first["refresh_token"])["data"].clone();
        assert_eq!(data["refresh_token"], first["refresh_token"]);
        assert_eq!(data["refresh_token_expires_in"], end - seconds);
        assert_eq!(read_with(&mut bench, &data["access_token"]), 0);
    }
    bench.knob("access_token_after_refresh", "revoked_on_refresh");
    let third = refresh(&mut bench, &first["refresh_token"])["data"].clone();
    let fourth = refresh(&mut bench, &first["refresh_token"])["data"].clone();
    assert_eq!(read_with(&mut bench, &third["access_token"]), 40_105);
    assert_eq!(read_with(&mut bench, &fourth["access_token"]), 0);
    // What it is called.
    bench.knob("token_expiry_field", "both");
    bench.knob("refresh_expiry_field", "refresh_token_expire_in");
    let data = refresh(&mut bench, &first["refresh_token"])["data"].clone();
    assert_eq!(data["expires_in"], 100);
    assert_eq!(data["access_token_expire_in"], 100);
    assert!(data["refresh_token_expire_in"].is_i64());
    assert!(data.get("refresh_token_expires_in").is_none());
    bench.knob("refresh_expiry_field", "omitted");
    let data = refresh(&mut bench, &first["refresh_token"])["data"].clone();
    assert!(data.get("refresh_token_expire_in").is_none());
    // grant_type.
    bench.knob("refresh_grant_type", "required");
    assert_eq!(refresh(&mut bench, &first["refresh_token"])["code"], 40_108);
    for (word, code) in [("refresh_token", 0), ("authorization_code", 40_108)] {
        let token = &first["refresh_token"];
        let body = app_body(&bench, json!({"refresh_token": token, "grant_type": word}));
        assert_eq!(bench.post("/oauth2/refresh_token/", body)["code"], code);
    }
    // Without the list, which is long for some.
    let body = app_body(
        &bench,
        json!({
            "refresh_token": first["refresh_token"], "grant_type": "refresh_token", "return_advertiser_ids": false,
        }),
    );
    let data = bench.post("/oauth2/refresh_token/", body)["data"].clone();
    assert!(data.get("advertiser_ids").is_none());
}

#[test]
fn refresh_tokens_have_an_end_of_their_own() {
    let (mut bench, first) = refreshable();
    assert_eq!(first["refresh_token_expires_in"], 31_536_000);
    bench.knob("refresh_lifetime_seconds", "50");
    let second = refresh(&mut bench, &first["refresh_token"])["data"].clone();
    assert_eq!(second["refresh_token_expires_in"], 50);
    bench.now += 50_000;
    assert_eq!(
        refresh(&mut bench, &second["refresh_token"])["code"],
        40_103
    );
    assert_eq!(read_with(&mut bench, &second["access_token"]), 0);
    let (mut bench, first) = refreshable();
    bench.knob("refresh_lifetime_seconds", "forever");
    let second = refresh(&mut bench, &first["refresh_token"])["data"].clone();
    assert!(second.get("refresh_token_expires_in").is_none());
    bench.now += 400 * time::DAY_MS;
    assert_eq!(refresh(&mut bench, &second["refresh_token"])["code"], 0);
}

#[test]
fn a_used_refresh_token_may_cost_the_whole_grant() {
    let (mut bench, first) = refreshable();
    let second = refresh(&mut bench, &first["refresh_token"])["data"].clone();
    assert_eq!(refresh(&mut bench, &first["refresh_token"])["code"], 40_107);
    assert_eq!(read_with(&mut bench, &second["access_token"]), 0);
    bench.knob("refresh_replay", "revokes_grant");
    assert_eq!(refresh(&mut bench, &first["refresh_token"])["code"], 40_107);
    assert_eq!(read_with(&mut bench, &second["access_token"]), 40_105);
    assert_eq!(
        refresh(&mut bench, &second["refresh_token"])["code"],
        40_107
    );
}

#[test]
fn another_app_gets_nothing() {
    let (mut bench, first) = refreshable();
    let other = bench
        .sandbox
        .create_account(bench.now, &NewAccount::default())
        .unwrap();
    let mine = std::mem::replace(&mut bench.account, other);
    assert_eq!(refresh(&mut bench, &first["refresh_token"])["code"], 40_113);
    assert_eq!(revoke(&mut bench, &first["access_token"])["code"], 40_113);
    let query = |app: &Account| format!("app_id={}&secret={}", app.app_id, app.secret);
    let text = query(&bench.account);
    bench.account.access_token = first["access_token"].as_str().unwrap().into();
    let answer = bench.send("GET", "/oauth2/advertiser/get/", &text, b"");
    assert_eq!(answer.reply().unwrap().json()["code"], 40_113);
    bench.account = mine;
    assert_eq!(read_with(&mut bench, &first["access_token"]), 0);
    bench.account.app_id = "1".into();
    assert_eq!(refresh(&mut bench, &first["refresh_token"])["code"], 40_113);
    assert_eq!(revoke(&mut bench, &json!("unknown"))["code"], 40_113);
}

#[test]
fn revoking_takes_the_users_whole_grant_or_one_token() {
    for (scope, left) in [("grant", 40_105), ("token", 0)] {
        let (mut bench, first) = refreshable();
        bench.knob("revoke_scope", scope);
        let app = Some(bench.account.app_id.clone());
        let second = NewAccount {
            app_id: app.clone(),
            ..NewAccount::default()
        };
        let second = bench.sandbox.create_account(bench.now, &second).unwrap();
        let stranger = NewAccount {
            app_id: app,
            user_id: Some("somebody else".into()),
            ..NewAccount::default()
        };
        let stranger = bench.sandbox.create_account(bench.now, &stranger).unwrap();
        let own = bench.account.access_token.clone();
        let reply = revoke(&mut bench, &first["access_token"]);
        let mut lost = match scope {
            "grant" => vec![bench.id(), second.advertiser_id.clone()],
            _ => vec![bench.id()],
        };
        lost.sort();
        assert_eq!(
            reply["data"],
            json!({"app_id": bench.account.app_id, "advertiser_ids": lost})
        );
        assert_eq!(read_with(&mut bench, &first["access_token"]), 40_105);
        assert_eq!(refresh(&mut bench, &first["refresh_token"])["code"], 40_107);
        assert_eq!(read_with(&mut bench, &json!(own)), left, "{scope}");
        let code = app_body(&bench, json!({"auth_code": second.auth_code}));
        let code = bench.post("/oauth2/access_token/", code)["code"].clone();
        assert_eq!(code, if scope == "grant" { 40_110 } else { 0 });
        // Others who granted the same app keep what they gave.
        bench.account.advertiser_id = stranger.advertiser_id;
        assert_eq!(read_with(&mut bench, &json!(stranger.access_token)), 0);
        assert_eq!(revoke(&mut bench, &first["access_token"])["code"], 40_105);
    }
}

#[test]
fn tokens_over_the_control_interface() {
    let mut bench = Bench::new();
    let (app, advertiser) = (bench.account.app_id.clone(), bench.id());
    let new = json!({"app_id": app, "advertiser_ids": [advertiser], "scopes": [4]});
    let (status, data) = control(&mut bench, "POST", "/sandbox/tokens", "", new.clone());
    assert_eq!((status, &data["scope"]), (200, &json!([4])));
    let token = data["access_token"].clone();
    assert_eq!(read_with(&mut bench, &token), 40_001);
    let change = |bench: &mut Bench, changes: Value| {
        let body = but(json!({"access_token": token}), changes);
        control(bench, "PATCH", "/sandbox/tokens", "", body).0
    };
    assert_eq!(change(&mut bench, json!({"scopes": [2]})), 200);
    assert_eq!(read_with(&mut bench, &token), 0);
    assert_eq!(change(&mut bench, json!({"advertiser_ids": []})), 200);
    assert_eq!(read_with(&mut bench, &token), 40_001);
    assert_eq!(change(&mut bench, json!({"advertiser_ids": ["1"]})), 404);
    assert_eq!(change(&mut bench, json!({"expires_in": 5})), 200);
    assert_eq!(change(&mut bench, json!({"access_token": "x"})), 404);
    bench.now += 5_000;
    assert_eq!(read_with(&mut bench, &token), 40_102);
    let query = format!("app_id={app}");
    let (_, list) = control(&mut bench, "GET", "/sandbox/tokens", &query, Value::Null);
    let works: Vec<&Value> = list["tokens"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["works"])
        .collect();
    assert_eq!(works.len(), 2);
    assert_eq!(works.iter().filter(|one| ***one == json!(true)).count(), 1);
    let body = json!({"access_token": bench.account.access_token, "all": true});
    let (_, reply) = control(&mut bench, "POST", "/sandbox/tokens/revoke", "", body);
    assert_eq!(reply["advertiser_ids"], json!([advertiser]));
    assert_eq!(bench.get("/campaign/get/", &[])["code"], 40_105);
    let code = json!({"app_id": app, "advertiser_ids": [advertiser], "scopes": [44]});
    let (_, reply) = control(&mut bench, "POST", "/sandbox/auth_codes", "", code);
    let body = app_body(&bench, json!({"auth_code": reply["auth_code"]}));
    let data = bench.post("/oauth2/access_token/", body)["data"].clone();
    assert_eq!(data["scope"], json!([44]));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever is refreshed in whatever order: where refresh tokens change with each use, one of them works and no
    /// other; the newest access token works; and nothing depends on anything but seed, times and requests.
    #[test]
    fn one_refresh_token_works(choices in prop::collection::vec((0_usize..6, 0_i64..90), 1..12)) {
        let (mut bench, first) = refreshable();
        let mut pairs = vec![first];
        let twin = |choices: &[(usize, i64)]| {
            let (mut bench, first) = refreshable();
            let mut token = first["refresh_token"].clone();
            for (_, seconds) in choices {
                bench.now += seconds * 1_000;
                token = refresh(&mut bench, &token)["data"]["refresh_token"].clone();
            }
            token
        };
        prop_assert_eq!(twin(&choices), twin(&choices));
        for (choice, seconds) in choices {
            bench.now += seconds * 1_000;
            let newest = pairs.len() - 1;
            let choice = choice % pairs.len();
            let token = pairs[choice]["refresh_token"].clone();
            let reply = refresh(&mut bench, &token);
            if choice == newest {
                prop_assert_eq!(&reply["code"], 0);
                pairs.push(reply["data"].clone());
                let token = reply["data"]["access_token"].clone();
                prop_assert_eq!(read_with(&mut bench, &token), 0);
            } else {
                prop_assert_eq!(&reply["code"], 40_107);
            }
        }
    }
}
