//! A person connects: the operator's pages and the sandbox's, two replicas behind one address that takes turns.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use tiktok_ads_harness::{Chart, Operator, Sandbox, shared, wait_until};

pub const BINARY: &str = env!("CARGO_BIN_EXE_tiktok-ads-operator");
pub const LIMIT: Duration = Duration::from_secs(60);
/// What the operator is told; the browser below knows who is behind it.
pub const PUBLIC: &str = "http://localhost:8090";

/// A page as the browser got it.
#[derive(Debug)]
pub struct Page {
    pub url: String,
    pub status: u16,
    pub body: String,
}

impl Page {
    /// The value of the first field of a name.
    pub fn field(&self, name: &str) -> String {
        let from = format!("name=\"{name}\" value=\"");
        let rest = self.body.split_once(&from).map(|(_, rest)| rest);
        let value = rest.and_then(|rest| rest.split_once('"'));
        value
            .unwrap_or_else(|| panic!("no field {name} on {}: {}", self.url, self.body))
            .0
            .to_owned()
    }
}

/// Keeps cookies and follows redirects; asks the replicas behind the public address in turns.
pub struct Browser {
    cookies: BTreeMap<String, String>,
    replicas: Vec<String>,
    asked: usize,
    /// Every address it was sent to.
    seen: Vec<String>,
}

impl Browser {
    pub fn new(replicas: &[&Operator]) -> Self {
        let address = |o: &&Operator| o.public_url().unwrap().to_owned();
        Self {
            cookies: BTreeMap::new(),
            replicas: replicas.iter().map(address).collect(),
            asked: 0,
            seen: Vec::new(),
        }
    }

    pub fn get(&mut self, url: &str) -> Page {
        self.send("GET", url, "")
    }

    pub fn post(&mut self, url: &str, form: &[(&str, &str)]) -> Page {
        let body = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(form)
            .finish();
        self.send("POST", url, &body)
    }

    fn send(&mut self, method: &str, url: &str, body: &str) -> Page {
        let (mut method, mut url, mut body) = (method.to_owned(), url.to_owned(), body.to_owned());
        for _ in 0..10 {
            self.seen.push(url.clone());
            let (page, location) = self.once(&method, &url, &body);
            let Some(location) = location else {
                return page;
            };
            url = url::Url::parse(&url)
                .unwrap()
                .join(&location)
                .unwrap()
                .to_string();
            (method, body) = ("GET".to_owned(), String::new());
        }
        panic!("too many redirects: {:?}", self.seen);
    }

    fn once(&mut self, method: &str, url: &str, body: &str) -> (Page, Option<String>) {
        let ours = url.starts_with(PUBLIC);
        let real = match url.strip_prefix(PUBLIC) {
            Some(rest) => {
                self.asked += 1;
                format!("{}{rest}", self.replicas[self.asked % self.replicas.len()])
            }
            None => url.to_owned(),
        };
        let rest = real.strip_prefix("http://").unwrap();
        let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let mut head = format!(
            "{method} {path} HTTP/1.0\r\nHost: {host}\r\nContent-Length: {}\r\n",
            body.len()
        );
        if method == "POST" {
            head.push_str("Content-Type: application/x-www-form-urlencoded\r\nOrigin: null\r\n");
        }
        if ours && !self.cookies.is_empty() {
            let pairs: Vec<String> = self
                .cookies
                .iter()
                .map(|(k, v)| format!("{k}={v}"))
                .collect();
            head.push_str(&format!("Cookie: {}\r\n", pairs.join("; ")));
        }
        let mut stream = TcpStream::connect(host).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(90)))
            .unwrap();
        stream
            .write_all(format!("{head}\r\n{body}").as_bytes())
            .unwrap();
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).unwrap();
        let text = String::from_utf8(bytes).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let mut location = None;
        for line in head.lines().skip(1) {
            let (name, value) = line.split_once(": ").unwrap_or((line, ""));
            match &*name.to_lowercase() {
                "location" => location = Some(value.to_owned()),
                "set-cookie" if ours => {
                    let (pair, rest) = value.split_once(';').unwrap();
                    let (name, value) = pair.split_once('=').unwrap();
                    if rest.contains("Max-Age=0;") {
                        self.cookies.remove(name);
                    } else {
                        self.cookies.insert(name.to_owned(), value.to_owned());
                    }
                }
                _ => {}
            }
        }
        let page = Page {
            url: url.to_owned(),
            status: head.split(' ').nth(1).unwrap().parse().unwrap(),
            body: body.to_owned(),
        };
        (page, location)
    }
}

/// An app in the sandbox with two ad accounts.
pub fn app(sandbox: &Sandbox) -> (Value, String) {
    let account = |body: Value| -> Value {
        let answer = sandbox.request("POST", "/sandbox/accounts", &body.to_string());
        serde_json::from_str(&answer.unwrap().body).unwrap()
    };
    let first = account(json!({"name": "Shop <one>"}));
    let second = account(json!({"name": "Shop two", "app_id": first["app_id"]}));
    let second = second["advertiser_id"].as_str().unwrap().to_owned();
    (first, second)
}

pub fn link(namespace: &str) -> String {
    let output = std::process::Command::new(BINARY)
        .args([
            "connect",
            "main",
            "-n",
            namespace,
            "--no-wait",
            "-o",
            "json",
        ])
        .env("KUBECONFIG", shared().kubeconfig())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}{errors}");
    let link: Value = serde_json::from_str(&text).unwrap();
    link["url"].as_str().unwrap().to_owned()
}

pub fn wait_for_phase(namespace: &str, phase: &str, operator: &Operator) -> Value {
    let found = wait_until(phase, LIMIT, || {
        operator.alive()?;
        let found = shared().json(&["get", "tiktokconnection", "main", "-n", namespace])?;
        Ok(if found["status"]["phase"] == phase {
            Ok(found["status"].clone())
        } else {
            Err(found["status"].to_string())
        })
    });
    found.unwrap_or_else(|error| panic!("{error}\n{}", operator.output().unwrap_or_default()))
}

#[test]
fn a_person_connects_and_picks_whichever_replica_answers() {
    let cluster = shared();
    let namespace = cluster.namespace("person").unwrap();
    let sandbox = Sandbox::start(cluster, Path::new(BINARY), &["--seed", "7"]).unwrap();
    let (account, second) = app(&sandbox);
    let field = |name: &str| account[name].as_str().unwrap();
    let chart = Chart::new(&namespace)
        .watch(&namespace)
        .platform_url(sandbox.url())
        .set(&format!("publicUrl={PUBLIC}"));
    let install = cluster.install(chart).unwrap();
    let first_replica = install.run(Path::new(BINARY)).unwrap();
    first_replica.wait_ready(LIMIT).unwrap();
    let manifest = json!({"apiVersion": "v1", "kind": "List", "items": [
        {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "app"},
            "stringData": {"app_id": field("app_id"), "secret": field("secret")}},
        {"apiVersion": "tiktokads.dev/v1alpha1", "kind": "TikTokConnection", "metadata": {"name": "main"},
            "spec": {"appSecretRef": {"name": "app"}, "mode": "Observe"}}]});
    cluster.apply(&namespace, &manifest.to_string()).unwrap();
    let url = link(&namespace);
    assert!(
        url.starts_with(&format!("{PUBLIC}/connect/{namespace}/main?ticket=")),
        "{url}"
    );
    let standby = install.run(Path::new(BINARY)).unwrap();
    standby.wait_ready(LIMIT).unwrap();
    let replicas = [&first_replica, &standby];
    // The standby looks at the lease every 5 s.
    wait_until("the standby to know the leader", LIMIT, || {
        let page = Browser::new(&[&standby]).post(&url, &[("ticket", "wrong")]);
        Ok(if page.status == 403 {
            Ok(())
        } else {
            Err(page.body)
        })
    })
    .unwrap();

    let mut browser = Browser::new(&replicas);
    // A chat that looks at links first changes nothing.
    Browser::new(&replicas).get(&url);
    let page = browser.get(&url);
    let ticket = page.field("ticket");
    let portal = browser.post(&page.url, &[("ticket", &ticket)]);
    assert!(
        portal
            .url
            .starts_with(&format!("{}/portal/auth?", sandbox.url())),
        "{}",
        portal.url
    );
    let query: BTreeMap<String, String> = url::Url::parse(&portal.url)
        .unwrap()
        .query_pairs()
        .into_owned()
        .collect();
    assert_eq!(query["redirect_uri"], format!("{PUBLIC}/oauth/callback"));
    let both = [field("advertiser_id"), &second];
    let mut form: Vec<(&str, &str)> = query
        .iter()
        .map(|(k, v)| (k.as_str(), v.as_str()))
        .collect();
    form.extend([
        ("advertiser_ids", both[0]),
        ("advertiser_ids", both[1]),
        ("decision", "approve"),
    ]);
    let page = browser.post(&portal.url, &form);
    assert_eq!(
        page.url,
        format!("{PUBLIC}/connect/{namespace}/main"),
        "{}",
        page.body
    );
    let callback = browser
        .seen
        .iter()
        .find(|url| url.contains("/oauth/callback?"));
    let callback = callback.unwrap().clone();
    let status = wait_for_phase(&namespace, "AwaitingAdvertiser", &first_replica);
    assert_eq!(status["advertiserCount"], 2, "{status}");
    let page = browser.get(&page.url);
    assert!(
        page.body.contains("Shop &lt;one&gt;") && page.body.contains("Shop two"),
        "{}",
        page.body
    );

    // Nothing counts twice, and nothing in another browser.
    assert_eq!(browser.get(&callback).status, 403, "its cookie is gone");
    let mut other = Browser::new(&replicas);
    assert_eq!(other.post(&url, &[("ticket", &ticket)]).status, 403);
    let pick = format!("{}/advertiser", page.url);
    let form = [("form", &*page.field("form")), ("advertiser_id", &*second)];
    assert_eq!(other.post(&pick, &form).status, 403);
    assert_eq!(
        browser
            .post(&pick, &[("form", "x"), ("advertiser_id", &second)])
            .status,
        403
    );
    assert_eq!(
        browser
            .post(&pick, &[form[0], ("advertiser_id", "1")])
            .status,
        400
    );

    assert_eq!(browser.post(&pick, &form).status, 200);
    let status = wait_for_phase(&namespace, "Active", &first_replica);
    assert_eq!(status["advertiser"]["id"], second.as_str());
    let page = browser.get(&page.url);
    assert!(page.body.contains("Connected"), "{}", page.body);
    // The session's page offers the next authorisation, with the next ticket.
    assert_ne!(page.field("ticket"), ticket);
    // Secrets of the way are in no log.
    let code = callback.split_once("auth_code=").unwrap().1;
    let code = code.split('&').next().unwrap();
    let session = browser.cookies.values().next().unwrap();
    for operator in replicas {
        let log = operator.output().unwrap();
        for secret in [&*ticket, code, session, field("secret")] {
            assert!(!log.contains(secret), "{log}");
        }
    }

    // R22: deleting it ends the grant, also when TikTok has to be asked twice, and leaves no Secret of the operator's.
    let fault = json!({"kind": "http_status", "status": 503, "match": {"path": "*/oauth2/revoke_token/", "count": 1}});
    let placed = sandbox.request("POST", "/sandbox/faults", &fault.to_string());
    assert!(placed.unwrap().status < 300);
    let delete = [
        "delete",
        "tiktokconnection",
        "main",
        "-n",
        &namespace,
        "--timeout=90s",
    ];
    cluster.run(&delete).unwrap().ok().unwrap();
    let calls = sandbox
        .request("GET", "/sandbox/requests", "")
        .unwrap()
        .body;
    let calls: Value = serde_json::from_str(&calls).unwrap();
    let asked = (calls["requests"].as_array().unwrap().iter())
        .filter(|call| call["path"] == "/open_api/v1.3/oauth2/revoke_token/")
        .count();
    assert_eq!(asked, 2);
    let path = format!("/sandbox/tokens?app_id={}", field("app_id"));
    let tokens: Value =
        serde_json::from_str(&sandbox.request("GET", &path, "").unwrap().body).unwrap();
    let (given, others): (Vec<&Value>, Vec<&Value>) = (tokens["tokens"].as_array().unwrap().iter())
        .partition(|token| token["access_token"] != account["access_token"]);
    assert!(
        !given.is_empty() && given.iter().all(|token| token["works"] == false),
        "{given:?} {others:?}"
    );
    wait_until("the operator's Secrets to be gone", LIMIT, || {
        let names = cluster
            .run(&["get", "secrets", "-n", &namespace, "-o", "name"])?
            .ok()?;
        Ok(if names.contains("main-tiktok") {
            Err(names)
        } else {
            Ok(())
        })
    })
    .unwrap();
}
