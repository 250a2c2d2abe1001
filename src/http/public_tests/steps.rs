//! The steps of connecting, as a browser takes them.

use super::*;

#[tokio::test]
async fn a_page_without_ticket_tells_how_to_get_one_and_nothing_else() {
    let site = Site::start().await;
    let known = site.get(PAGE, "").await;
    assert_eq!(known.status, 200);
    assert!(
        known
            .body
            .contains("tiktok-ads-operator connect main -n shop")
    );
    let unknown = site.get("/connect/shop/other", "").await;
    assert_eq!(unknown.body.replace("other", "main"), known.body);
    let foreign = site.get(PAGE, "Cookie: tiktok_ads_session=old\r\n").await;
    assert_eq!(foreign.body, known.body);
    assert_eq!(
        site.fake.asked(),
        ["page  0"],
        "nobody was asked without a session"
    );
}

#[tokio::test]
async fn every_answer_is_kept_out_of_caches_frames_and_other_sites() {
    let site = Site::start().await;
    for reply in [
        site.get(PAGE, "").await,
        site.get("/oauth/callback", "").await,
        site.get("/nothing", "").await,
        site.post(HOOK, "", "{}").await,
        site.get(HOOK, "").await,
    ] {
        assert_eq!(reply.header("cache-control"), "no-store", "{reply:?}");
        assert_eq!(reply.header("x-content-type-options"), "nosniff");
        assert_eq!(reply.header("referrer-policy"), "no-referrer");
        let policy = reply.header("content-security-policy");
        assert!(policy.contains("default-src 'none'"), "{policy}");
        assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
        assert!(
            policy.contains("form-action 'self' http://platform.example;"),
            "{policy}"
        );
    }
}

#[tokio::test]
async fn opening_a_link_uses_nothing_up_and_the_button_does_once() {
    let site = Site::start().await;
    for _ in 0..3 {
        let page = site.get(&format!("{PAGE}?ticket=t1"), "").await;
        assert!(
            page.body.contains("name=\"ticket\" value=\"t1\""),
            "{}",
            page.body
        );
    }
    assert!(site.fake.asked().is_empty());
    let begun = site.form(PAGE, "", "ticket=t1").await;
    assert_eq!(begun.status, 303);
    assert_eq!(
        begun.header("location"),
        "http://platform.example/portal/auth?state=st"
    );
    assert_eq!(
        begun.all("set-cookie"),
        ["tiktok_ads_connect=ck; Path=/; Max-Age=900; HttpOnly; SameSite=Lax"]
    );
    let again = site.form(PAGE, "", "ticket=t1").await;
    assert_eq!((again.status, again.all("set-cookie").len()), (403, 0));
    assert!(again.body.contains("This link is not good any more"));
    let unknown = site.form("/connect/shop/other", "", "ticket=t1").await;
    assert_eq!(
        unknown.body, again.body,
        "unknown connections look the same"
    );
    assert_eq!(unknown.status, again.status);
}

#[tokio::test]
async fn cookies_are_secure_where_the_pages_are() {
    let site = Site::with(Limits::default(), "https://ads.example").await;
    let begun = site
        .form(PAGE, "Origin: https://ads.example\r\n", "ticket=t1")
        .await;
    assert_eq!(
        begun.all("set-cookie"),
        ["__Host-tiktok_ads_connect=ck; Path=/; Max-Age=900; HttpOnly; SameSite=Lax; Secure"]
    );
    let cookie = "Cookie: __Host-tiktok_ads_connect=ck\r\n";
    let done = site
        .get("/oauth/callback?auth_code=co&state=st", cookie)
        .await;
    assert_eq!(done.status, 303, "{}", done.body);
}

#[tokio::test]
async fn tiktoks_answer_begins_a_session() {
    let site = Site::start().await;
    let cookie = "Cookie: a=b; tiktok_ads_connect=ck\r\n";
    let done = site
        .get("/oauth/callback?auth_code=co&state=st", cookie)
        .await;
    assert_eq!((done.status, done.header("location")), (303, PAGE));
    assert_eq!(
        done.all("set-cookie"),
        [
            "tiktok_ads_session=se; Path=/; Max-Age=3600; HttpOnly; SameSite=Lax",
            "tiktok_ads_connect=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax"
        ]
    );
    let page = site.get(PAGE, "Cookie: tiktok_ads_session=se\r\n").await;
    assert!(page.body.contains("Shop &lt;one&gt;"), "{}", page.body);
    assert!(!page.body.contains("<one>"), "{}", page.body);
}

#[tokio::test]
async fn a_wrong_answer_from_tiktok_is_refused_with_what_to_do() {
    let site = Site::start().await;
    let cookie = "Cookie: tiktok_ads_connect=ck\r\n";
    for (query, cookie, status, title) in [
        ("", cookie, 400, "cannot be used"),
        ("?auth_code=co", cookie, 400, "cannot be used"),
        ("?auth_code=co&state=other", cookie, 400, "cannot be used"),
        (
            "?auth_code=co&state=st&state=x",
            cookie,
            400,
            "cannot be used",
        ),
        (
            "?auth_code=co&state=st",
            "",
            403,
            "This browser did not begin",
        ),
        (
            "?auth_code=co&state=st",
            "Cookie: tiktok_ads_connect=x\r\n",
            403,
            "This browser did not begin",
        ),
        (
            "?error=access_denied&state=st",
            cookie,
            403,
            "It was not approved",
        ),
    ] {
        let reply = site.get(&format!("/oauth/callback{query}"), cookie).await;
        assert_eq!(reply.status, status, "{query}");
        assert!(reply.body.contains(title), "{query}: {}", reply.body);
        assert!(reply.body.contains("What to do"), "{query}");
        assert!(reply.all("set-cookie").is_empty(), "{query}");
    }
    for (problem, status) in [
        (Problem::StateExpired, 400),
        (Problem::CodeRefused("40110 <code>".into()), 400),
        (Problem::NotGranted("7001".into()), 403),
        (Problem::Platform("no answer".into()), 502),
        (Problem::Busy, 503),
    ] {
        *site.fake.authorised.lock().unwrap() = Err(problem.clone());
        let reply = site.get("/oauth/callback?code=co&state=st", cookie).await;
        assert_eq!(reply.status, status, "{problem:?}");
        assert!(!reply.body.contains("<code>40110 <"), "{}", reply.body);
    }
    assert!(!site.fake.asked().contains(&"stored".to_string()));
}

#[tokio::test]
async fn an_ad_account_is_picked_in_the_session_and_by_our_form_only() {
    let site = Site::start().await;
    let cookie = "Cookie: tiktok_ads_session=se\r\n";
    let page = site
        .get(&format!("{PAGE}?q=shop&page=2"), cookie)
        .await
        .body;
    assert_eq!(site.fake.asked(), ["page shop 1"]);
    let from = page.find("name=\"form\" value=\"").unwrap() + 19;
    let token = &page[from..from + 64];
    let pick = format!("{PAGE}/advertiser");
    let good = format!("form={token}&advertiser_id=7001");
    let done = site.form(&pick, cookie, &good).await;
    assert_eq!(
        (done.status, done.header("location")),
        (303, PAGE),
        "{}",
        done.body
    );
    let unlisted = site
        .form(&pick, cookie, &good.replace("7001", "7002"))
        .await;
    assert_eq!(unlisted.status, 400);
    assert!(unlisted.body.contains("not in the list"));
    let picks = |site: &Site| {
        site.fake
            .asked()
            .iter()
            .filter(|a| a.starts_with("pick"))
            .count()
    };
    let before = picks(&site);
    for (headers, body) in [
        ("", good.clone()),
        (cookie, "advertiser_id=7001".to_string()),
        (cookie, good.replace(&token[..2], "zz")),
        ("Cookie: tiktok_ads_session=other\r\n", good.clone()),
        (cookie, format!("form={token}")),
        (cookie, format!("form={token}&advertiser_id=%3Cb%3E")),
    ] {
        let refused = site.form(&pick, headers, &body).await;
        assert!(
            matches!(refused.status, 400 | 403),
            "{headers}{body}: {refused:?}"
        );
    }
    assert_eq!(picks(&site), before, "the operator was not even asked");
}

#[tokio::test]
async fn forms_of_other_sites_are_not_acted_on() {
    let site = Site::start().await;
    for headers in [
        "Origin: http://evil.example\r\n",
        "Sec-Fetch-Site: cross-site\r\nOrigin: null\r\n",
        "Sec-Fetch-Site: same-site\r\n",
    ] {
        let reply = site.form(PAGE, headers, "ticket=t1").await;
        assert_eq!(reply.status, 403, "{headers}");
        assert!(reply.body.contains("did not come from our page"));
    }
    assert!(site.fake.asked().is_empty());
    let ours = "Sec-Fetch-Site: same-origin\r\nOrigin: null\r\n";
    assert_eq!(site.form(PAGE, ours, "ticket=t1").await.status, 303);
}

#[tokio::test]
async fn a_code_is_stored_even_if_the_browser_is_gone_and_the_server_stops() {
    let site = Site::start().await;
    let hold = Arc::new(Notify::new());
    *site.fake.hold.lock().unwrap() = Some(hold.clone());
    let mut stream = TcpStream::connect(site.address).await.unwrap();
    let request = "GET /oauth/callback?auth_code=co&state=st HTTP/1.1\r\nHost: x\r\nCookie: tiktok_ads_connect=ck\r\n\r\n";
    stream.write_all(request.as_bytes()).await.unwrap();
    while site.fake.asked().is_empty() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    drop(stream);
    tokio::time::sleep(Duration::from_millis(50)).await;
    site.stop.send_replace(true);
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(!site.task.is_finished(), "the step is waited for");
    assert!(
        TcpStream::connect(site.address).await.is_err(),
        "nothing new"
    );
    hold.notify_waiters();
    site.task.await.unwrap();
    assert_eq!(site.fake.asked(), ["authorise co", "stored"]);
}

#[tokio::test]
async fn only_so_many_steps_are_under_way_and_the_others_wait() {
    let limits = Limits {
        steps: 2,
        ..Limits::default()
    };
    let site = Site::with(limits, "http://localhost").await;
    let hold = Arc::new(Notify::new());
    *site.fake.hold.lock().unwrap() = Some(hold.clone());
    let cookie = "Cookie: tiktok_ads_connect=ck\r\n";
    let step = || site.get("/oauth/callback?auth_code=co&state=st", cookie);
    let all = futures::future::join_all((0..5).map(|_| step()));
    let look = async {
        while site.fake.asked().len() < 2 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert_eq!(site.fake.asked(), ["authorise co", "authorise co"]);
        // A webhook is no step.
        *site.fake.hold.lock().unwrap() = None;
        assert_eq!(site.post(HOOK, "", "{}").await.status, 200);
        hold.notify_waiters();
    };
    let (all, ()) = tokio::join!(all, look);
    assert!(all.iter().all(|reply| reply.status == 303), "{all:?}");
}

#[tokio::test]
async fn whoever_writes_an_address_writes_nothing_on_our_page() {
    let site = Site::start().await;
    let query = "?error=access_denied&error_description=Call+555-0100+now&state=st";
    let path = format!("/oauth/callback{query}");
    let anybody = site.get(&path, "").await;
    assert_eq!(anybody.status, 403);
    assert!(anybody.body.contains("It was not approved"));
    for words in ["555-0100", "access_denied"] {
        assert!(!anybody.body.contains(words), "{}", anybody.body);
    }
    let begun = site.get(&path, "Cookie: tiktok_ads_connect=ck\r\n").await;
    assert_eq!(begun.status, 403);
    assert!(begun.body.contains("Call 555-0100 now"), "{}", begun.body);
}

#[tokio::test]
async fn what_is_wrong_with_the_app_or_the_pick_is_called_by_its_name() {
    let site = Site::start().await;
    let cookie = "Cookie: tiktok_ads_connect=ck\r\n";
    *site.fake.authorised.lock().unwrap() = Err(Problem::AppRefused("Secret app: 40101".into()));
    let path = "/oauth/callback?code=co&state=st";
    let page = site.get(path, cookie).await;
    assert_eq!(page.status, 502);
    for part in [
        "app&#39;s id and secret",
        "spec.appSecretRef",
        "Secret app: 40101",
    ] {
        let raw = part.replace("&#39;", "'");
        let said = page.body.contains(part) || page.body.contains(&raw);
        assert!(said, "{part}: {}", page.body);
    }
    for (other, said) in [(Some("uk"), true), (None, false)] {
        let problem = Problem::Taken(other.map(str::to_owned));
        *site.fake.authorised.lock().unwrap() = Err(problem);
        let page = site.get(path, cookie).await;
        assert_eq!(page.status, 409);
        assert!(page.body.contains("connected already"), "{}", page.body);
        assert_eq!(page.body.contains("connection uk in"), said);
    }
}
