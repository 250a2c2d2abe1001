//! The page where a user approves an app, walked through as a browser would, and the control call that needs none.

use super::*;

const CALLBACK: &str = "http://localhost:8090/oauth/callback";

fn encode(fields: &[(&str, &str)]) -> String {
    let mut text = url::form_urlencoded::Serializer::new(String::new());
    text.extend_pairs(fields);
    text.finish()
}

fn browse(bench: &mut Bench, method: &str, fields: &[(&str, &str)]) -> Response {
    let text = encode(fields);
    let (query, body) = match method {
        "GET" => (text, Vec::new()),
        _ => (String::new(), text.into_bytes()),
    };
    let request = Request {
        method: method.into(),
        path: "/portal/auth".into(),
        query,
        headers: vec![(
            "Content-Type".into(),
            "application/x-www-form-urlencoded".into(),
        )],
        body,
    };
    let answer = bench.sandbox.handle(bench.now, &request);
    answer.reply().unwrap().clone()
}

fn html(response: &Response) -> String {
    String::from_utf8(response.body.clone()).unwrap()
}

fn header<'a>(response: &'a Response, name: &str) -> Option<&'a str> {
    let found = response.headers.iter().find(|(key, _)| key == name);
    found.map(|(_, value)| value.as_str())
}

/// Where a redirect leads: the address without its query, and the query.
fn place(location: &str) -> (String, BTreeMap<String, String>) {
    let url = url::Url::parse(location).unwrap();
    let query = url.query_pairs().into_owned().collect();
    let mut bare = url;
    bare.set_query(None);
    (bare.into(), query)
}

fn exchange(bench: &mut Bench, code: &str) -> Value {
    let body = json!({
        "app_id": bench.account.app_id, "secret": bench.account.secret, "auth_code": code,
    });
    bench.post("/oauth2/access_token/", body)
}

#[test]
fn a_user_looks_approves_and_comes_back_with_a_code() {
    let mut bench = Bench::with(NewAccount {
        name: Some("Kites & <Co>".into()),
        ..NewAccount::default()
    });
    let (app, advertiser) = (bench.account.app_id.clone(), bench.id());
    let state = "a.b+c/\"><script>";
    let asked = [
        ("app_id", app.as_str()),
        ("state", state),
        ("redirect_uri", CALLBACK),
    ];
    let page = browse(&mut bench, "GET", &asked);
    assert_eq!(page.status, 200);
    assert_eq!(
        header(&page, "Content-Type"),
        Some("text/html; charset=utf-8")
    );
    let text = html(&page);
    assert!(text.contains("Kites &amp; &lt;Co&gt;"), "{text}");
    assert!(text.contains(&format!("value=\"{advertiser}\" checked")));
    assert!(!text.contains("<script"), "{text}");
    assert!(text.contains("Ads Management"), "{text}");

    let mut form = asked.to_vec();
    form.extend([
        ("scopes_offered", "1"),
        ("scopes", "2"),
        ("scopes", "4"),
        ("advertiser_ids", advertiser.as_str()),
        ("decision", "approve"),
    ]);
    let sent = browse(&mut bench, "POST", &form);
    assert_eq!(sent.status, 302);
    let (address, query) = place(header(&sent, "Location").unwrap());
    assert_eq!(address, CALLBACK);
    assert_eq!(query["state"], state);
    assert_eq!(query.keys().collect::<Vec<_>>(), ["auth_code", "state"]);
    let data = exchange(&mut bench, &query["auth_code"])["data"].clone();
    assert_eq!(data["advertiser_ids"], json!([advertiser]));
    assert_eq!(data["scope"], json!([2, 4]));
    // A form of somebody who did not read the page: all that the app asks for.
    let form = [
        ("app_id", app.as_str()),
        ("redirect_uri", CALLBACK),
        ("advertiser_ids", advertiser.as_str()),
        ("decision", "approve"),
    ];
    let sent = browse(&mut bench, "POST", &form);
    let (_, query) = place(header(&sent, "Location").unwrap());
    assert_eq!(query.keys().collect::<Vec<_>>(), ["auth_code"]);
    let data = exchange(&mut bench, &query["auth_code"])["data"].clone();
    assert_eq!(data["scope"].as_array().unwrap().len(), 13);
}

#[test]
fn what_does_not_fit_is_an_error_page_and_grants_nothing() {
    let mut bench = Bench::new();
    let app = bench.account.app_id.clone();
    let advertiser = bench.id();
    let registered = AppChange {
        redirect_urls: Some(vec!["https://example.com/oauth/callback".into()]),
        ..AppChange::default()
    };
    let before = bench.sandbox.digest();
    let refused = |bench: &mut Bench, app_id: &str, redirect: &str, said: &str| {
        for method in ["GET", "POST"] {
            let mut form = vec![
                ("app_id", app_id),
                ("advertiser_ids", advertiser.as_str()),
                ("decision", "approve"),
            ];
            if !redirect.is_empty() {
                form.push(("redirect_uri", redirect));
            }
            let page = browse(bench, method, &form);
            assert_eq!(page.status, 400, "{method} {redirect}");
            assert_eq!(header(&page, "Location"), None);
            assert!(html(&page).contains(said), "{}", html(&page));
        }
    };
    refused(&mut bench, "123", CALLBACK, "there is no app");
    refused(&mut bench, &app, "", "redirect_uri is missing");
    refused(
        &mut bench,
        &app,
        "http://example.com/",
        "is not an https URL",
    );
    refused(
        &mut bench,
        &app,
        "javascript:alert(1)",
        "is not an https URL",
    );
    assert_eq!(before, bench.sandbox.digest());
    bench.sandbox.change_app(&app, &registered).unwrap();
    refused(
        &mut bench,
        &app,
        CALLBACK,
        "is not one of the redirect URLs",
    );
    refused(
        &mut bench,
        &app,
        "https://example.com/oauth/callback/",
        "is not one of the redirect URLs",
    );
    // The only one that is registered need not be said.
    let page = browse(&mut bench, "GET", &[("app_id", &app)]);
    assert_eq!(page.status, 200);
    let blocked = AppChange {
        blocked: Some(true),
        ..AppChange::default()
    };
    bench.sandbox.change_app(&app, &blocked).unwrap();
    refused(
        &mut bench,
        &app,
        "https://example.com/oauth/callback",
        "is blocked",
    );
    assert_eq!(bench.get("/campaign/get/", &[])["code"], 40_113);
}

#[test]
fn several_advertisers_have_to_be_chosen_among_those_offered() {
    let mut bench = Bench::new();
    let app = bench.account.app_id.clone();
    let second = NewAccount {
        app_id: Some(app.clone()),
        ..NewAccount::default()
    };
    let second = bench.sandbox.create_account(bench.now, &second).unwrap();
    let stranger = bench
        .sandbox
        .create_account(bench.now, &NewAccount::default())
        .unwrap();
    let (first, second) = (bench.id(), second.advertiser_id);
    let asked = [("app_id", app.as_str()), ("redirect_uri", CALLBACK)];
    let text = html(&browse(&mut bench, "GET", &asked));
    assert!(text.contains(&first) && text.contains(&second));
    assert!(!text.contains(&stranger.advertiser_id));
    assert!(!text.contains(&format!("{first}\" checked")));
    let decide = |bench: &mut Bench, ids: &[&str]| {
        let mut form = asked.to_vec();
        form.extend(ids.iter().map(|id| ("advertiser_ids", *id)));
        form.push(("decision", "approve"));
        browse(bench, "POST", &form)
    };
    let none = decide(&mut bench, &[]);
    assert_eq!(none.status, 400);
    assert!(html(&none).contains("Choose at least one ad account."));
    assert_eq!(decide(&mut bench, &[&stranger.advertiser_id]).status, 400);
    let both = decide(&mut bench, &[&first, &second]);
    let (_, query) = place(header(&both, "Location").unwrap());
    let data = exchange(&mut bench, &query["auth_code"])["data"].clone();
    assert_eq!(data["advertiser_ids"], json!([first, second]));
}

#[test]
fn denial() {
    for (value, status) in [("redirect", 302), ("page", 200)] {
        let mut bench = Bench::new();
        bench.knob("denial", value);
        let app = bench.account.app_id.clone();
        let form = [
            ("app_id", app.as_str()),
            ("state", "s"),
            ("redirect_uri", CALLBACK),
            ("decision", "deny"),
        ];
        let sent = browse(&mut bench, "POST", &form);
        assert_eq!(sent.status, status, "{value}");
        if let Some(location) = header(&sent, "Location") {
            let (_, query) = place(location);
            assert_eq!(
                (query["error"].as_str(), query["state"].as_str()),
                ("access_denied", "s")
            );
            assert!(!query.contains_key("auth_code"));
        }
    }
}

#[test]
fn the_control_call_needs_no_browser() {
    let mut bench = Bench::new();
    let (app, advertiser) = (bench.account.app_id.clone(), bench.id());
    let body = json!({
        "app_id": app, "state": "s", "redirect_uri": format!("{CALLBACK}?a=1"), "advertiser_ids": [advertiser],
        "scopes": [4], "user_id": "77",
    });
    for (value, names) in [
        ("auth_code", vec!["a", "auth_code", "state"]),
        ("both", vec!["a", "auth_code", "code", "state"]),
        ("code", vec!["a", "code", "state"]),
    ] {
        bench.knob("redirect_code", value);
        let (status, reply) = control(&mut bench, "POST", "/sandbox/authorise", "", body.clone());
        assert_eq!(status, 200, "{reply}");
        let (_, query) = place(reply["location"].as_str().unwrap());
        assert_eq!(query.keys().collect::<Vec<_>>(), names, "{value}");
        let code = reply["auth_code"].as_str().unwrap();
        assert!(
            ["auth_code", "code"]
                .iter()
                .all(|name| { query.get(*name).is_none_or(|value| value == code) })
        );
        let data = exchange(&mut bench, code)["data"].clone();
        assert_eq!(data["scope"], json!([4]));
        let token = data["access_token"].as_str().unwrap();
        assert_eq!(bench.sandbox.grant_of(token).unwrap().user_id, "77");
    }
    for (changes, status) in [
        (json!({"app_id": "1"}), 404),
        (json!({"redirect_uri": "http://example.com/"}), 400),
        (json!({"advertiser_ids": []}), 400),
        (json!({"advertiser_ids": ["1"]}), 400),
        (json!({"redirect": "x"}), 400),
    ] {
        let body = but(body.clone(), changes.clone());
        let (found, reply) = control(&mut bench, "POST", "/sandbox/authorise", "", body);
        assert_eq!(found, status, "{changes}: {reply}");
    }
    let denied = but(body, json!({"deny": true}));
    let (_, reply) = control(&mut bench, "POST", "/sandbox/authorise", "", denied);
    assert_eq!(reply["auth_code"], Value::Null);
    assert!(
        reply["location"]
            .as_str()
            .unwrap()
            .contains("access_denied")
    );
}

#[test]
fn an_app_has_ten_redirect_urls_and_keeps_its_secrets_to_itself() {
    let mut bench = Bench::new();
    let path = format!("/sandbox/apps/{}", bench.account.app_id);
    let urls = |count: usize| -> Vec<String> {
        (0..count)
            .map(|number| format!("https://example.com/{number}"))
            .collect()
    };
    let (status, reply) = control(
        &mut bench,
        "PATCH",
        &path,
        "",
        json!({"redirect_urls": urls(10), "webhook_key": "the-key", "scopes": [4]}),
    );
    assert_eq!(status, 200, "{reply}");
    assert_eq!(reply["has_webhook_key"], true);
    assert_eq!(reply["scopes"], json!([4]));
    for wrong in [
        json!({"redirect_urls": urls(11)}),
        json!({"redirect_urls": ["http://example.com/"]}),
        json!({"redirect_url": []}),
    ] {
        assert_eq!(control(&mut bench, "PATCH", &path, "", wrong).0, 400);
    }
    assert_eq!(
        control(&mut bench, "PATCH", "/sandbox/apps/1", "", json!({})).0,
        404
    );
    let (_, all) = control(&mut bench, "GET", "/sandbox/apps", "", Value::Null);
    let text = all.to_string();
    assert!(!text.contains("the-key") && !text.contains(&bench.account.secret));
    let secret = json!({"secret": "new"});
    control(&mut bench, "PATCH", &path, "", secret);
    let code = bench.account.auth_code.clone();
    assert_eq!(exchange(&mut bench, &code)["code"], 40_101);
    bench.account.secret = "new".into();
    assert_eq!(exchange(&mut bench, &code)["code"], 0);
}

#[test]
fn the_page_is_no_api_and_faults_strike_it_too() {
    let mut bench = Bench::new();
    let app = bench.account.app_id.clone();
    let request = |method: &str, path: &str| Request {
        method: method.into(),
        path: path.into(),
        query: encode(&[("app_id", &app), ("redirect_uri", CALLBACK)]),
        headers: vec![],
        body: vec![],
    };
    let mut status = |request: Request| {
        let answer = bench.sandbox.handle(bench.now, &request);
        answer.reply().map(|response| response.status)
    };
    assert_eq!(status(request("GET", "/portal/auth")), Some(200));
    assert_eq!(status(request("PUT", "/portal/auth")), Some(405));
    assert_eq!(status(request("GET", "/portal/auth/")), Some(404));
    assert_eq!(
        status(request("GET", "/open_api/v1.3/portal/auth")),
        Some(404)
    );
    bench.sandbox.inject(Fault {
        when: Match {
            path: Some("/portal/auth".into()),
            ..Match::default()
        },
        kind: FaultKind::CutBefore,
    });
    let answer = bench
        .sandbox
        .handle(bench.now, &request("GET", "/portal/auth"));
    assert_eq!(answer.outcome, Outcome::Cut);
}
