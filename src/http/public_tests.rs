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

#[path = "public_tests/hooks.rs"]
mod hooks;
#[path = "public_tests/limits.rs"]
mod limits;
#[path = "public_tests/standby.rs"]
mod standby;
#[path = "public_tests/steps.rs"]
mod steps;

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
async fn an_address_that_is_taken_is_said() {
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let Err(error) = PublicServer::bind(taken.local_addr().unwrap()).await else {
        panic!("taken");
    };
    assert!(error.to_string().contains("--public-addr"), "{error}");
}
