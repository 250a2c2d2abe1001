//! Over real sockets, with a stand-in for the rest of the operator.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use secrecy::{ExposeSecret, SecretString};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use super::super::backend::{
    Advertiser, Advertisers, At, Authorised, Begun, ConnectionPage, Delivery, Leader, Passed,
    PassedReply, Problem, Search, Taken,
};
use super::super::pass_on::HOP;
use super::*;

/// The rest of the operator: knows `shop/main`, the ticket `t1`, the state `st`, the code `co`, the cookie `ck` and the
/// session `se`.
struct Fake {
    leader: Mutex<Leader>,
    /// What was asked, one word each.
    asked: Mutex<Vec<String>>,
    ticket: Mutex<Option<&'static str>>,
    authorised: Mutex<Result<(), Problem>>,
    taken: Mutex<Taken>,
    page: Mutex<ConnectionPage>,
    /// If set, a step waits for it.
    hold: Mutex<Option<Arc<Notify>>>,
    events: AtomicUsize,
    passes: AtomicUsize,
}

impl Default for Fake {
    fn default() -> Self {
        Self {
            leader: Mutex::new(Leader::Here),
            asked: Mutex::default(),
            ticket: Mutex::new(Some("t1")),
            authorised: Mutex::new(Ok(())),
            taken: Mutex::new(Taken::Queued),
            page: Mutex::new(ConnectionPage {
                phase: "AwaitingAdvertiser".into(),
                advertisers: Advertisers {
                    shown: vec![Advertiser {
                        id: "7001".into(),
                        name: "Shop <one>".into(),
                    }],
                    found: 1,
                    all: 1,
                },
                ..ConnectionPage::default()
            }),
            hold: Mutex::default(),
            events: AtomicUsize::new(0),
            passes: AtomicUsize::new(0),
        }
    }
}

impl Fake {
    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    fn note(&self, what: String) {
        self.asked.lock().unwrap().push(what);
    }

    async fn wait(&self) {
        let hold = self.hold.lock().unwrap().clone();
        if let Some(hold) = hold {
            hold.notified().await;
        }
    }
}

fn main_at() -> At {
    At::new("shop", "main").unwrap()
}

impl Backend for Fake {
    fn leader(&self) -> Leader {
        self.leader.lock().unwrap().clone()
    }

    async fn page(
        &self,
        at: &At,
        session: &SecretString,
        search: &Search,
    ) -> Option<ConnectionPage> {
        self.note(format!("page {} {}", search.text, search.page));
        let good = *at == main_at() && session.expose_secret() == "se";
        good.then(|| self.page.lock().unwrap().clone())
    }

    async fn begin(&self, at: &At, ticket: &SecretString) -> Result<Begun, Problem> {
        self.note("begin".into());
        if *at != main_at() {
            return Err(Problem::Unknown);
        }
        let mut good = self.ticket.lock().unwrap();
        if *good != Some(ticket.expose_secret()) {
            return Err(Problem::Ticket);
        }
        *good = None;
        Ok(Begun {
            authorise_url: "http://platform.example/portal/auth?state=st".into(),
            cookie: "ck".into(),
        })
    }

    async fn authorise(
        &self,
        state: &SecretString,
        code: &SecretString,
        cookie: &SecretString,
    ) -> Result<Authorised, Problem> {
        self.note(format!("authorise {}", code.expose_secret()));
        self.wait().await;
        if state.expose_secret() != "st" {
            return Err(Problem::State);
        }
        if cookie.expose_secret() != "ck" {
            return Err(Problem::OtherBrowser);
        }
        self.authorised.lock().unwrap().clone()?;
        self.note("stored".into());
        Ok(Authorised {
            at: main_at(),
            session: "se".into(),
        })
    }

    async fn pick(&self, at: &At, session: &SecretString, advertiser: &str) -> Result<(), Problem> {
        self.note(format!("pick {advertiser}"));
        if *at != main_at() || session.expose_secret() != "se" {
            return Err(Problem::Session);
        }
        if advertiser == "7001" {
            Ok(())
        } else {
            Err(Problem::NotListed)
        }
    }

    async fn event(&self, at: &At, delivery: Delivery) -> Taken {
        self.events.fetch_add(1, Ordering::SeqCst);
        self.wait().await;
        let token = delivery.path_token.as_ref().map(|t| t.expose_secret());
        self.note(format!(
            "event {}/{} {:?} {:?} {:?} {}",
            at.namespace,
            at.name,
            token,
            delivery.open_signature,
            delivery.tiktok_signature,
            delivery.body.len()
        ));
        if *at != main_at() || delivery.open_signature.as_deref() == Some("bad") {
            return Taken::Refused;
        }
        *self.taken.lock().unwrap()
    }

    /// Carries it over a socket, as the operator's client does.
    async fn pass_on(&self, leader: &str, request: Passed) -> Result<PassedReply, String> {
        self.passes.fetch_add(1, Ordering::SeqCst);
        let address: SocketAddr = leader
            .strip_prefix("http://")
            .unwrap()
            .parse()
            .map_err(|_| "no address")?;
        let mut text = format!(
            "{} {} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {}\r\n",
            request.method,
            request.path_and_query.expose_secret(),
            request.body.len()
        );
        for (name, value) in &request.headers {
            text.push_str(&format!("{name}: {}\r\n", String::from_utf8_lossy(value)));
        }
        text.push_str("\r\n");
        let exchange = async {
            let mut stream = TcpStream::connect(address).await?;
            stream.write_all(text.as_bytes()).await?;
            stream.write_all(&request.body).await?;
            let mut bytes = Vec::new();
            stream.read_to_end(&mut bytes).await?;
            Ok::<_, std::io::Error>(Reply::read(&bytes))
        };
        let reply = exchange.await.map_err(|error| error.to_string())?;
        Ok(PassedReply {
            status: reply.status,
            headers: reply
                .headers
                .into_iter()
                .map(|(name, value)| (name, value.into_bytes()))
                .collect(),
            body: reply.body.into_bytes(),
        })
    }
}

#[derive(Debug)]
struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
}

impl Reply {
    fn read(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes);
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let mut lines = head.lines();
        let status = lines.next().and_then(|line| line.split(' ').nth(1));
        Self {
            status: status.and_then(|s| s.parse().ok()).unwrap_or(0),
            headers: lines
                .filter_map(|line| line.split_once(": "))
                .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
                .collect(),
            body: body.to_owned(),
        }
    }

    fn all(&self, name: &str) -> Vec<&str> {
        let found = self.headers.iter().filter(|(n, _)| n == name);
        found.map(|(_, value)| value.as_str()).collect()
    }

    fn header(&self, name: &str) -> &str {
        self.all(name).first().copied().unwrap_or_default()
    }
}

struct Site {
    address: SocketAddr,
    fake: Arc<Fake>,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Site {
    async fn start() -> Self {
        Self::with(Limits::default(), "http://localhost:8090").await
    }

    async fn with(limits: Limits, origin: &str) -> Self {
        let server = PublicServer::bind(([127, 0, 0, 1], 0).into())
            .await
            .unwrap();
        let (address, fake) = (server.address(), Arc::new(Fake::default()));
        let (stop, stopped) = watch::channel(false);
        let settings = PublicSettings {
            origin: origin.into(),
            authorise_origins: vec!["http://platform.example".into()],
            limits,
        };
        let task = tokio::spawn(server.serve(fake.clone(), settings, stopped));
        Self {
            address,
            fake,
            stop,
            task,
        }
    }

    /// A standby of `leader`.
    async fn standby(leader: &Site) -> Self {
        let site = Self::start().await;
        *site.fake.leader.lock().unwrap() = Leader::There(format!("http://{}", leader.address));
        site
    }

    async fn raw(&self, request: &str) -> Reply {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut bytes = Vec::new();
        let _ = stream.read_to_end(&mut bytes).await;
        Reply::read(&bytes)
    }

    async fn get(&self, path: &str, headers: &str) -> Reply {
        self.raw(&format!(
            "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{headers}\r\n"
        ))
        .await
    }

    async fn post(&self, path: &str, headers: &str, body: &str) -> Reply {
        let length = body.len();
        self.raw(&format!(
            "POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n{body}"
        ))
        .await
    }

    async fn form(&self, path: &str, headers: &str, body: &str) -> Reply {
        let headers = format!("Content-Type: application/x-www-form-urlencoded\r\n{headers}");
        self.post(path, &headers, body).await
    }
}

const PAGE: &str = "/connect/shop/main";
const HOOK: &str = "/webhooks/tiktok/shop/main";

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
async fn what_is_no_route_or_no_form_is_refused_in_one_line() {
    let site = Site::start().await;
    for path in [
        "/",
        "/metrics",
        "/readyz",
        "/connect",
        "/connect/shop/main/",
        "/connect/Shop/main",
        "/connect/shop/a%3Bb",
        "/webhooks/tiktok/shop",
        "/oauth/callback/",
        "/favicon.ico",
    ] {
        let reply = site.get(path, "").await;
        assert_eq!(
            (reply.status, &*reply.body),
            (404, "there is nothing here\n"),
            "{path}"
        );
    }
    for (method, path) in [
        ("PUT", PAGE),
        ("DELETE", HOOK),
        ("GET", HOOK),
        ("POST", "/oauth/callback?auth_code=co&state=st"),
        ("HEAD", "/oauth/callback?auth_code=co&state=st"),
        ("GET", "/connect/shop/main/advertiser"),
    ] {
        let reply = site
            .raw(&format!(
                "{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nCookie: tiktok_ads_connect=ck\r\n\r\n"
            ))
            .await;
        assert_eq!(reply.status, 405, "{method} {path}");
    }
    assert_eq!(
        site.post(PAGE, "Content-Type: application/json\r\n", "{}")
            .await
            .status,
        415
    );
    let large = "x".repeat(20_000);
    assert_eq!(site.form(PAGE, "", &large).await.status, 413);
    assert!(site.fake.asked().is_empty());
}

#[tokio::test]
async fn a_webhook_is_taken_only_if_the_operator_says_so() {
    let site = Site::start().await;
    let signed = "X-Open-Signature: aa\r\nTikTok-Signature: t=1,s=2\r\n";
    let reply = site.post(HOOK, signed, "{\"x\":1}").await;
    assert_eq!((reply.status, &*reply.body), (200, "ok\n"));
    let reply = site.post(&format!("{HOOK}/to%20k"), "", "").await;
    assert_eq!(reply.status, 200);
    assert_eq!(
        site.fake.asked(),
        [
            "event shop/main None Some(\"aa\") Some(\"t=1,s=2\") 7",
            "event shop/main Some(\"to k\") None None 0"
        ]
    );
    // Two headers of one name are none.
    site.post(HOOK, "X-Open-Signature: aa\r\nX-Open-Signature: bb\r\n", "")
        .await;
    assert!(site.fake.asked()[2].contains("None None"));
    let bad = site.post(HOOK, "X-Open-Signature: bad\r\n", "{}").await;
    for unknown in [
        "/webhooks/tiktok/shop/other",
        "/webhooks/tiktok/no_such/other",
    ] {
        let reply = site.post(unknown, signed, "{}").await;
        assert_eq!(
            (reply.status, &reply.body),
            (bad.status, &bad.body),
            "{unknown}"
        );
    }
    assert_eq!(bad.status, 401);
    *site.fake.taken.lock().unwrap() = Taken::NotHere;
    let reply = site.post(HOOK, signed, "{}").await;
    assert_eq!((reply.status, reply.header("retry-after")), (503, "5"));
    *site.fake.leader.lock().unwrap() = Leader::Nowhere;
    assert_eq!(site.post(HOOK, signed, "{}").await.status, 503);
}

#[tokio::test]
async fn a_webhook_that_is_too_large_is_refused_and_a_megabyte_is_not() {
    let site = Site::start().await;
    let whole = "x".repeat(1 << 20);
    assert_eq!(site.post(HOOK, "", &whole).await.status, 200);
    // Said beforehand: refused before a byte of it was read.
    let said = format!("POST {HOOK} HTTP/1.1\r\nHost: x\r\nContent-Length: 1048577\r\n\r\n");
    assert_eq!(site.raw(&said).await.status, 413);
    // Not said.
    let chunk = format!("10000\r\n{}\r\n", "x".repeat(1 << 16));
    let chunked = format!(
        "POST {HOOK} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n{}10\r\n0123456789abcdef\r\n",
        chunk.repeat(16)
    );
    assert_eq!(site.raw(&chunked).await.status, 413);
    assert_eq!(site.fake.events.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn who_sends_slowly_is_cut_off_and_keeps_nobody_out() {
    let limits = Limits {
        read_for: Duration::from_millis(300),
        ..Limits::default()
    };
    let site = Site::with(limits, "http://localhost").await;
    let half = format!("POST {HOOK} HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc");
    let begun = Instant::now();
    let slow: Vec<_> = (0..50).map(|_| site.raw(&half)).collect();
    let slow = futures::future::join_all(slow);
    let quick = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        site.post(HOOK, "", "{}").await.status
    };
    let (slow, quick) = tokio::join!(slow, quick);
    assert_eq!(quick, 200);
    assert!(slow.iter().all(|reply| reply.status == 408), "{slow:?}");
    assert!(begun.elapsed() < Duration::from_secs(5));
    // A head that does not end; and no connection is kept for a second request.
    let head = site
        .raw(&format!("POST {HOOK} HTTP/1.1\r\nHost: x\r\n"))
        .await;
    assert!(head.status == 0 || head.status == 408, "{head:?}");
    let kept = site
        .raw(&format!("GET {PAGE} HTTP/1.1\r\nHost: x\r\n\r\n"))
        .await;
    assert_eq!(kept.status, 200, "and the connection was closed");
}

#[tokio::test]
async fn memory_is_shared_and_bounded() {
    let limits = Limits {
        memory: 2 << 20,
        ..Limits::default()
    };
    let site = Site::with(limits, "http://localhost").await;
    let hold = Arc::new(Notify::new());
    *site.fake.hold.lock().unwrap() = Some(hold.clone());
    let body = "x".repeat(1 << 20);
    let both = async { tokio::join!(site.post(HOOK, "", &body), site.post(HOOK, "", &body)) };
    let others = async {
        while site.fake.events.load(Ordering::SeqCst) < 2 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let full = site.post(HOOK, "", "{}").await;
        hold.notify_waiters();
        *site.fake.hold.lock().unwrap() = None;
        full
    };
    let ((one, two), full) = tokio::join!(both, others);
    assert_eq!((one.status, two.status), (200, 200));
    assert_eq!((full.status, full.header("retry-after")), (503, "5"));
    assert_eq!(site.post(HOOK, "", "{}").await.status, 200, "given back");
}

#[tokio::test]
async fn connections_beyond_the_limit_wait_for_their_turn() {
    let limits = Limits {
        connections: 2,
        read_for: Duration::from_millis(400),
        ..Limits::default()
    };
    let site = Site::with(limits, "http://localhost").await;
    let idle = [
        TcpStream::connect(site.address).await.unwrap(),
        TcpStream::connect(site.address).await.unwrap(),
    ];
    let begun = Instant::now();
    assert_eq!(site.get(PAGE, "").await.status, 200);
    assert!(begun.elapsed() >= Duration::from_millis(300), "it waited");
    drop(idle);
}

#[tokio::test]
async fn large_heads_are_refused() {
    let site = Site::start().await;
    let header = format!("X: {}\r\n", "y".repeat(LARGEST_HEAD));
    assert_eq!(site.get(PAGE, &header).await.status, 431);
    let many: String = (0..MOST_HEADERS).map(|n| format!("X-{n}: y\r\n")).collect();
    assert_eq!(site.get(PAGE, &many).await.status, 431);
    assert_eq!(site.get(PAGE, "X: y\r\n").await.status, 200);
}

#[tokio::test]
async fn a_standby_passes_everything_on_and_the_answer_back() {
    let leader = Site::start().await;
    let standby = Site::standby(&leader).await;
    let begun = standby.form(PAGE, "", "ticket=t1").await;
    assert_eq!(begun.status, 303);
    assert_eq!(
        begun.header("location"),
        "http://platform.example/portal/auth?state=st"
    );
    assert_eq!(begun.all("set-cookie").len(), 1);
    assert_eq!(begun.all("content-security-policy").len(), 1);
    assert_eq!(begun.all("cache-control"), ["no-store"]);
    let cookie = "Cookie: tiktok_ads_connect=ck\r\n";
    let done = standby
        .get("/oauth/callback?auth_code=co&state=st", cookie)
        .await;
    assert_eq!((done.status, done.all("set-cookie").len()), (303, 2));
    let page = standby
        .get(&format!("{PAGE}?q=a"), "Cookie: tiktok_ads_session=se\r\n")
        .await;
    assert!(page.body.contains("Pick the ad account"), "{}", page.body);
    let signed = "X-Open-Signature: aa\r\nTikTok-Signature: t=1,s=2\r\nX-Other: no\r\n";
    assert_eq!(
        standby
            .post(&format!("{HOOK}/tok"), signed, "{\"é\":1}")
            .await
            .status,
        200
    );
    assert_eq!(
        standby
            .post(HOOK, "X-Open-Signature: bad\r\n", "{}")
            .await
            .status,
        401
    );
    assert_eq!(
        leader.fake.asked(),
        [
            "begin",
            "authorise co",
            "stored",
            "page a 0",
            "event shop/main Some(\"tok\") Some(\"aa\") Some(\"t=1,s=2\") 8",
            "event shop/main None Some(\"bad\") None 2",
        ]
    );
    assert!(standby.fake.asked().is_empty());
    // What needs no leader is answered here.
    let passes = standby.fake.passes.load(Ordering::SeqCst);
    assert_eq!(standby.get(PAGE, "").await.status, 200);
    assert_eq!(standby.get("/metrics", "").await.status, 404);
    assert_eq!(standby.fake.passes.load(Ordering::SeqCst), passes);
}

#[tokio::test]
async fn what_was_passed_on_once_is_not_passed_on_again() {
    // Two replicas that each take the other for the leader, and one that takes itself for it.
    let one = Site::start().await;
    let two = Site::standby(&one).await;
    *one.fake.leader.lock().unwrap() = Leader::There(format!("http://{}", two.address));
    assert_eq!(one.post(HOOK, "", "{}").await.status, 503);
    assert_eq!(one.fake.passes.load(Ordering::SeqCst), 1);
    assert_eq!(two.fake.passes.load(Ordering::SeqCst), 0);
    *one.fake.leader.lock().unwrap() = Leader::There(format!("http://{}", one.address));
    let reply = one.form(PAGE, "", "ticket=t1").await;
    assert_eq!(reply.status, 503);
    assert!(reply.body.contains("does not act at this moment"));
    assert_eq!(one.fake.passes.load(Ordering::SeqCst), 2);
    // A leader answers, whoever sent it.
    *one.fake.leader.lock().unwrap() = Leader::Here;
    assert_eq!(
        one.post(HOOK, &format!("{HOP}: 1\r\n"), "{}").await.status,
        200
    );
}

#[tokio::test]
async fn without_a_leader_nothing_is_used_up() {
    let leader = Site::start().await;
    let standby = Site::standby(&leader).await;
    leader.stop.send_replace(true);
    leader.task.await.unwrap();
    for reply in [
        standby.post(HOOK, "", "{}").await,
        standby.form(PAGE, "", "ticket=t1").await,
        standby
            .get("/oauth/callback?auth_code=co&state=st", "")
            .await,
        standby.get(PAGE, "Cookie: tiktok_ads_session=se\r\n").await,
    ] {
        assert_eq!(
            (reply.status, reply.header("retry-after")),
            (503, "5"),
            "{reply:?}"
        );
    }
    assert!(leader.fake.asked().is_empty() && standby.fake.asked().is_empty());
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
async fn an_address_that_is_taken_is_said() {
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let Err(error) = PublicServer::bind(taken.local_addr().unwrap()).await else {
        panic!("taken");
    };
    assert!(error.to_string().contains("--public-addr"), "{error}");
}
