//! Business Centers, roles, pixels, and the permissions that calls need.

use super::*;

fn assets(bench: &mut Bench, asset_type: &str, more: &[(&str, Value)]) -> Value {
    let bc = format!("74{}", &bench.account.app_id[2..]);
    let mut query = vec![("bc_id", bc), ("asset_type", asset_type.to_owned())];
    query.extend(more.iter().map(|(name, value)| {
        let text = value.as_str().map(str::to_owned);
        (*name, text.unwrap_or_else(|| value.to_string()))
    }));
    let mut text = url::form_urlencoded::Serializer::new(String::new());
    text.extend_pairs(query);
    let answer = bench.send("GET", "/bc/asset/get/", &text.finish(), b"");
    answer.reply().unwrap().json()
}

#[test]
fn r26_the_users_role_is_in_the_business_centers_assets() {
    let mut bench = Bench::new();
    let info = bench.get(
        "/advertiser/info/",
        &[("advertiser_ids", json!([bench.id()]))],
    );
    let row = &info["data"]["list"][0];
    assert_eq!(
        row["owner_bc_id"],
        format!("74{}", &bench.account.app_id[2..])
    );
    assert_eq!(row["role"], "ROLE_ADVERTISER", "the account's type");
    for role in ["ADMIN", "OPERATOR", "ANALYST"] {
        let id = bench.id();
        bench.sandbox.set_user_role(&id, role).unwrap();
        let reply = assets(&mut bench, "ADVERTISER", &[]);
        assert_eq!(reply["code"], 0, "{reply}");
        let rows = reply["data"]["list"].as_array().unwrap();
        assert_eq!(rows.len(), 1);
        assert_eq!(rows[0]["asset_id"], id);
        assert_eq!(rows[0]["advertiser_role"], role);
        assert_eq!(rows[0]["asset_type"], "ADVERTISER");
    }
}

#[test]
fn pages_keywords_and_other_assets() {
    let mut bench = Bench::new();
    for number in 0..12 {
        let new = NewAccount {
            app_id: Some(bench.account.app_id.clone()),
            name: Some(format!("Shop {number}")),
            ..NewAccount::default()
        };
        bench.sandbox.create_account(bench.now, &new).unwrap();
    }
    let first = assets(&mut bench, "ADVERTISER", &[]);
    assert_eq!(
        first["data"]["page_info"],
        json!({"page": 1, "page_size": 10, "total_number": 13, "total_page": 2})
    );
    let second = assets(&mut bench, "ADVERTISER", &[("page", json!(2))]);
    assert_eq!(second["data"]["list"].as_array().unwrap().len(), 3);
    let keyword = ("filtering", json!({"keyword": "shop 1"}));
    let found = assets(&mut bench, "ADVERTISER", &[keyword]);
    assert_eq!(found["data"]["page_info"]["total_number"], 3);
    let too_many = assets(&mut bench, "ADVERTISER", &[("page_size", json!(51))]);
    assert_eq!(too_many["code"], 40_002);
    assert_eq!(assets(&mut bench, "CAMPAIGN", &[])["code"], 40_002);
    assert_eq!(
        assets(&mut bench, "CATALOG", &[])["data"]["list"],
        json!([])
    );
    let foreign = assets(
        &mut bench,
        "ADVERTISER",
        &[("bc_id", json!("7400000000000000009"))],
    );
    assert_eq!(foreign["code"], 40_001);
    let nobody = ("filtering", json!({"user_id": "9"}));
    let reply = assets(&mut bench, "ADVERTISER", &[nobody]);
    assert_eq!(reply["data"]["list"], json!([]));
    let both = ("filtering", json!({"user_id": "9", "user_email": "a@b"}));
    assert_eq!(assets(&mut bench, "ADVERTISER", &[both])["code"], 40_002);
}

#[test]
fn an_advertiser_may_be_in_no_business_center() {
    let mut bench = Bench::with(NewAccount {
        owner_bc_id: Some(String::new()),
        ..NewAccount::default()
    });
    let info = bench.get(
        "/advertiser/info/",
        &[("advertiser_ids", json!([bench.id()]))],
    );
    assert_eq!(info["data"]["list"][0]["owner_bc_id"], Value::Null);
    assert_eq!(assets(&mut bench, "ADVERTISER", &[])["code"], 40_001);
}

#[test]
fn pixels_are_found_by_id_code_and_name() {
    let mut bench = Bench::new();
    let id = bench.id();
    let add = |bench: &mut Bench, body: Value| {
        let body = but(json!({"advertiser_id": id}), body);
        control(bench, "POST", "/sandbox/pixels", "", body)
    };
    let (_, first) = add(
        &mut bench,
        json!({"pixel_name": "Shop", "pixel_id": "7123", "pixel_code": "CODE", "events": ["SHOPPING"]}),
    );
    let (_, second) = add(&mut bench, json!({"pixel_name": "Other shop"}));
    assert_eq!(add(&mut bench, json!({"pixel_id": "7123"})).0, 400);
    assert_eq!(add(&mut bench, json!({"pixel_id": "x"})).0, 400);
    assert_eq!(add(&mut bench, json!({"advertiser_id": "1"})).0, 404);
    let list = |bench: &mut Bench, name: &str, value: &Value| {
        let text = value.as_str().unwrap_or_default();
        let query = format!("advertiser_id={}&{name}={text}", bench.id());
        let answer = bench.send("GET", "/pixel/list/", &query, b"");
        answer.reply().unwrap().json()
    };
    let ids = |reply: &Value| -> Vec<Value> {
        let rows = reply["data"]["pixels"].as_array().unwrap();
        rows.iter().map(|row| row["pixel_id"].clone()).collect()
    };
    let all = list(&mut bench, "order_by", &json!("LATEST_CREATE"));
    assert_eq!(ids(&all), [second["pixel_id"].clone(), json!("7123")]);
    assert_eq!(all["data"]["page_info"]["total_number"], 2);
    let row = &all["data"]["pixels"][1];
    assert_eq!(row["pixel_code"], "CODE");
    assert_eq!(row["events"][0]["optimization_event"], "SHOPPING");
    for (name, value) in [
        ("pixel_id", first["pixel_id"].clone()),
        ("code", json!("CODE")),
    ] {
        assert_eq!(ids(&list(&mut bench, name, &value)), [json!("7123")]);
    }
    assert_eq!(ids(&list(&mut bench, "name", &json!("SHOP"))).len(), 2);
    assert_eq!(
        ids(&list(&mut bench, "pixel_id", &json!("9"))),
        Vec::<Value>::new()
    );
    for (name, value) in [
        ("pixel_id", json!("x")),
        ("page_size", json!("21")),
        ("order_by", json!("NEWEST")),
    ] {
        assert_eq!(list(&mut bench, name, &value)["code"], 40_002, "{name}");
    }
    let found = assets(&mut bench, "PIXEL", &[]);
    assert_eq!(found["data"]["list"][0]["pixel_code"], "CODE");
    let path = "/sandbox/pixels/7123";
    assert_eq!(control(&mut bench, "DELETE", path, "", Value::Null).0, 200);
    assert_eq!(control(&mut bench, "DELETE", path, "", Value::Null).0, 404);
    let query = format!("advertiser_id={id}");
    let (_, left) = control(&mut bench, "GET", "/sandbox/pixels", &query, Value::Null);
    assert_eq!(left["pixels"].as_array().unwrap().len(), 1);
}

#[test]
fn a_call_needs_its_permission() {
    let mut bench = Bench::new();
    let token = bench.account.access_token.clone();
    let give = |bench: &mut Bench, scopes: Vec<u64>| {
        let change = TokenChange {
            access_token: token.clone(),
            scopes: Some(scopes),
            ..TokenChange::default()
        };
        assert!(bench.sandbox.change_token(bench.now, &change).unwrap());
    };
    // Reporting alone.
    give(&mut bench, vec![4]);
    let codes = |bench: &mut Bench| {
        let info = [("advertiser_ids", json!([bench.id()]))];
        [
            bench.get("/campaign/get/", &[])["code"].clone(),
            bench.get("/advertiser/info/", &info)["code"].clone(),
            bench.get("/pixel/list/", &[])["code"].clone(),
            assets(bench, "ADVERTISER", &[])["code"].clone(),
            bench.post("/campaign/create/", manual("a"))["code"].clone(),
        ]
    };
    assert_eq!(codes(&mut bench), [40_001; 5].map(Value::from));
    let said = bench.get("/campaign/get/", &[])["message"].clone();
    assert!(said.as_str().unwrap().contains("scope"), "{said}");
    bench.knob("scope_missing_code", "40130");
    assert_eq!(bench.get("/campaign/get/", &[])["code"], 40_130);
    bench.knob("scope_check", "off");
    assert_eq!(bench.get("/campaign/get/", &[])["code"], 0);
    assert_eq!(assets(&mut bench, "ADVERTISER", &[])["code"], 0);
    bench.knob("scope_check", "documented");
    bench.knob("scope_missing_code", "40001");
    // Reads without writes, and an account without its Business Center.
    give(&mut bench, vec![10, 20, 200, 800]);
    assert_eq!(
        codes(&mut bench),
        [0, 0, 0, 40_001, 0].map(Value::from),
        "20 is all about campaigns"
    );
    give(&mut bench, vec![10, 200, 800, 153]);
    assert_eq!(codes(&mut bench), [0, 0, 0, 0, 40_001].map(Value::from));
}
