//! R25 for connecting, renewing and hearing: each secret on these ways, driven through every way to fail that can be reached from
//! outside, is found in no place that people read. Most of the secrets do not look like a token of TikTok's, so that what keeps
//! them back is that a call knows its own secrets.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use tiktok_ads_operator::model::connect_state::{StateClaims, cookie_hash, sign};

use super::webhooks::world;
use super::{Case, condition, is, wide_caps};
use crate::signing::hmac;

/// Runs of letters and digits are short here: nothing but its own call can know that one of these is a secret.
const APP_SECRET: &str = "Zq7-app.secret+4f/9k=x2&m8~w5";
const ACCESS: &str = "Zq7-access.token~3h9-d2k8-s6w1";
const REFRESH: &str = "Zq7-refresh.token+8v/2c=n4&r0~j6";
const CODE: &str = "Zq7-auth.code~1y5-b7e3-t9u2";
const KEYS: [&str; 2] = [
    "Zq7-webhook.key.one+5p/1g=a8&l3",
    "Zq7-webhook.key.two+6o/7i=c2&z4",
];
const PATH_TOKEN: &str = "Zq7-path_token-2x6-f9q4-k1m7";
const BROKEN: &str = "Zq7-broken.half~4r8\nZq7-other.half~0t3-v5y";

/// What the public listener answered, less what belongs there.
struct Seen {
    status: u16,
    head: String,
    body: String,
}

impl Seen {
    fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        Some(lines.find(|(n, _)| n.eq_ignore_ascii_case(name))?.1)
    }

    fn cookie(&self) -> (String, String) {
        let cookie = self.header("set-cookie").unwrap();
        let (name, value) = cookie.split_once(';').unwrap().0.split_once('=').unwrap();
        (name.to_owned(), value.to_owned())
    }
}

#[derive(Default)]
struct Watch {
    /// By value: what it is.
    canaries: BTreeMap<String, String>,
    answers: Vec<Seen>,
}

impl Watch {
    fn secret(&mut self, what: &str, value: &str) {
        if value.len() >= 16 {
            self.canaries.insert(value.to_owned(), what.to_owned());
        }
    }

    /// Of what is signed, the payload is no secret.
    fn signed(&mut self, what: &str, value: &str) {
        self.secret(what, value.rsplit('.').next().unwrap());
    }

    /// Everything secret that the operator and TikTok have for a connection now.
    fn gather(&mut self, case: &Case) {
        for name in ["main-tiktok-token", "main-tiktok-connect"] {
            let Ok(secret) = case.read("secrets", name) else {
                continue;
            };
            for (key, value) in secret["data"].as_object().into_iter().flatten() {
                let bytes = STANDARD.decode(value.as_str().unwrap()).unwrap();
                let secret = ["access_token", "refresh_token", "secret", "key", "ticket"];
                if secret.iter().any(|end| key.ends_with(end)) {
                    for part in String::from_utf8(bytes).unwrap().lines() {
                        self.secret(&format!("{key} in {name}"), part);
                    }
                }
            }
        }
        let path = format!("/sandbox/tokens?app_id={}", case.app);
        for token in case.sandbox("GET", &path, &Value::Null)["tokens"]
            .as_array()
            .unwrap()
        {
            self.secret(
                "a token of TikTok's",
                token["access_token"].as_str().unwrap(),
            );
        }
    }

    /// A request as anybody could send it; which answer it was. Somebody who sends too much may get none.
    fn ask(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> usize {
        let url = world().operator.public_url().unwrap();
        let host = url.strip_prefix("http://").unwrap();
        let mut head = format!(
            "{method} {path} HTTP/1.0\r\nHost: {host}\r\nContent-Length: {}\r\n",
            body.len()
        );
        for (name, value) in headers {
            head += &format!("{name}: {value}\r\n");
        }
        let mut stream = TcpStream::connect(host).unwrap();
        let patience = Some(Duration::from_secs(90));
        stream.set_read_timeout(patience).unwrap();
        let bytes = [format!("{head}\r\n").as_bytes(), body].concat();
        let _ = stream.write_all(&bytes);
        let mut bytes = Vec::new();
        let _ = stream.read_to_end(&mut bytes);
        let text = String::from_utf8_lossy(&bytes);
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let status = head.split(' ').nth(1).and_then(|s| s.parse().ok());
        self.answers.push(Seen {
            status: status.unwrap_or(0),
            head: head.to_owned(),
            body: body.to_owned(),
        });
        self.answers.len() - 1
    }

    fn get(&mut self, path: &str, cookie: &str) -> usize {
        self.ask("GET", path, &[("Cookie", cookie)], b"")
    }

    fn post(&mut self, path: &str, cookie: &str, form: &[(&str, &str)]) -> usize {
        let body = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(form)
            .finish();
        let headers = [
            ("Content-Type", "application/x-www-form-urlencoded"),
            ("Origin", "null"),
            ("Cookie", cookie),
        ];
        self.ask("POST", path, &headers, body.as_bytes())
    }

    fn status(&self, answer: usize) -> u16 {
        self.answers[answer].status
    }

    /// Belongs into this answer, once.
    fn allow(&mut self, answer: usize, text: &str) {
        let seen = &mut self.answers[answer];
        let part = match seen.head.contains(text) {
            true => &mut seen.head,
            false => &mut seen.body,
        };
        assert!(part.contains(text), "not there: {text}");
        *part = part.replacen(text, "", 1);
    }

    /// A person follows the link and is sent to TikTok: `state`, and the cookie that it is bound to.
    fn begin(&mut self, case: &Case) -> (String, String) {
        let ticket = secret(case, "main-tiktok-connect", "ticket");
        self.secret("a ticket", &ticket);
        let path = format!("/connect/{}/main", case.namespace);
        let page = self.get(&format!("{path}?ticket={ticket}"), "");
        self.allow(page, &format!("name=\"ticket\" value=\"{ticket}\""));
        let begun = self.post(&path, "", &[("ticket", &ticket)]);
        assert_eq!(self.status(begun), 303, "{}", self.answers[begun].body);
        let location = self.answers[begun].header("location").unwrap().to_owned();
        let url = url::Url::parse(&location).unwrap();
        let state = url.query_pairs().find(|(name, _)| name == "state").unwrap();
        let state = state.1.into_owned();
        let (name, value) = self.answers[begun].cookie();
        self.signed("a state", &state);
        self.secret("a cookie", &value);
        self.allow(begun, &state);
        self.allow(begun, &value);
        let again = self.post(&path, "", &[("ticket", &ticket)]);
        assert_eq!(self.status(again), 403, "a ticket counts once");
        (state, format!("{name}={value}"))
    }

    fn callback(&mut self, state: &str, code: &str, cookie: &str) -> usize {
        let query = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs([("auth_code", code), ("state", state)])
            .finish();
        let path = format!("/oauth/callback?{query}");
        loop {
            let answer = self.get(&path, cookie);
            // Nothing was used up then.
            if !self.answers[answer]
                .body
                .contains("too many calls of this app")
            {
                return answer;
            }
            std::thread::sleep(Duration::from_millis(300));
        }
    }

    /// No place has a canary, in any of the forms in which it could be written.
    fn nothing_in(&self, places: &[(String, String)]) {
        for (value, what) in &self.canaries {
            for form in forms(value) {
                for (place, text) in places {
                    let at = text.find(&form);
                    let line = at.map(|at| {
                        let from = text[..at].rfind('\n').map_or(0, |at| at + 1);
                        text[from..].lines().next().unwrap_or_default()
                    });
                    assert!(line.is_none(), "{place} has {what}, {form}: {line:?}");
                }
            }
        }
    }
}

/// Plain and a useful part of it, percent-encoded, in HTML, and in base64 wherever it begins.
fn forms(value: &str) -> Vec<String> {
    let percent: String = value
        .bytes()
        .map(|byte| match byte {
            b if b.is_ascii_alphanumeric() || b"-._~".contains(&b) => char::from(b).to_string(),
            b => format!("%{b:02X}"),
        })
        .collect();
    let form: String = url::form_urlencoded::byte_serialize(value.as_bytes()).collect();
    let mut forms = vec![
        value[..16].to_owned(),
        value[value.len() - 16..].to_owned(),
        percent.to_lowercase(),
        percent,
        form,
        value.replace('&', "&amp;"),
        value.replace('&', "\\u0026"),
    ];
    for skip in 0..3 {
        let mut bytes = vec![0; skip];
        bytes.extend(value.bytes());
        bytes.truncate(bytes.len() / 3 * 3);
        let from = if skip == 0 { 0 } else { 4 };
        forms.push(STANDARD_NO_PAD.encode(&bytes)[from..].to_owned());
        forms.push(URL_SAFE_NO_PAD.encode(&bytes)[from..].to_owned());
    }
    forms
}

fn secret(case: &Case, name: &str, key: &str) -> String {
    let mut found = String::new();
    case.until(&format!("{key} in {name}"), || {
        let read = case.read("secrets", name).unwrap_or_default();
        let value = read["data"][key].as_str().map(|v| STANDARD.decode(v));
        found = value.map_or(String::new(), |v| String::from_utf8(v.unwrap()).unwrap());
        !found.is_empty()
    });
    found
}

fn echo(code: i64, texts: &[&str]) -> Value {
    let message = format!("Not good: {}.", texts.join(", "));
    json!({"kind": "error", "code": code, "message": message})
}

fn of(case: &Case) -> Value {
    case.read("tiktokconnections", "main").unwrap()["status"].clone()
}

/// A new account and app; the app's secret is one that only its calls can know.
fn account(name: &str) -> Case {
    let mut case = Case::bare_in(world(), name, json!({}));
    case.knobs(json!({"token_profile": "expiry_refresh"}));
    let path = format!("/sandbox/apps/{}", case.app);
    case.sandbox("PATCH", &path, &json!({"secret": APP_SECRET}));
    case.secret = APP_SECRET.to_owned();
    case.replace_secret("app", json!({"secret": APP_SECRET}));
    case
}

/// Connections whose token is dead and has to be renewed at once, each with another end of that.
fn dead_tokens() -> Vec<Case> {
    // Each has one of its own: who has another's does not renew it.
    let ends = |refresh: &str| {
        [
            echo(40107, &[refresh, APP_SECRET]),
            echo(40103, &[refresh, APP_SECRET]),
            echo(40002, &[refresh, APP_SECRET]),
            echo(0, &[refresh, APP_SECRET]),
            json!({"kind": "answer_lost"}),
            json!({"kind": "http_status", "status": 500}),
            json!({"kind": "malformed_body"}),
        ]
    };
    let start = |n: usize| {
        let mut refresh = format!("{REFRESH}{n}");
        let end = ends(&refresh)[n].clone();
        let case = account("r25-dead");
        let in_an_hour = jiff::Timestamp::now() + Duration::from_secs(3600);
        if matches!(end["kind"].as_str(), Some("answer_lost" | "malformed_body")) {
            // TikTok makes a new pair, and its answer breaks off.
            let grant = json!({"app_id": case.app, "advertiser_ids": [case.advertiser]});
            let made = case.sandbox("POST", "/sandbox/tokens", &grant);
            made["refresh_token"]
                .as_str()
                .unwrap()
                .clone_into(&mut refresh);
        }
        let token = json!({"access_token": ACCESS, "refresh_token": refresh, "expires_at": in_an_hour.to_string()});
        case.replace_secret("token", token);
        let refused = echo(40105, &[ACCESS, APP_SECRET]);
        case.fault_anywhere("*/oauth2/advertiser/get/", &case.app, refused);
        case.fault_anywhere("*/oauth2/refresh_token/", &case.app, end.clone());
        case.connect(json!({"caps": wide_caps()}));
        case
    };
    (0..ends(REFRESH).len()).map(start).collect()
}

/// A connection that TikTok refuses to send events to.
fn not_subscribed() -> Case {
    let case = account("r25-refused");
    case.secret("path", json!({"path_token": PATH_TOKEN}));
    let url = format!(
        "{}/webhooks/tiktok/{}/main/{PATH_TOKEN}",
        world().operator.public_url().unwrap(),
        case.namespace
    );
    let texts = [&case.token, APP_SECRET, &url, PATH_TOKEN];
    case.fault_anywhere("*/subscription/subscribe/", &case.app, echo(40002, &texts));
    case.fault_anywhere(
        "*/subscription/subscribe/",
        &case.app,
        json!({"kind": "malformed_body"}),
    );
    case.fault_anywhere("*/subscription/get/", &case.app, echo(40002, &[APP_SECRET]));
    case.connect(json!({
        "caps": wide_caps(), "webhooks": {"pathTokenSecretRef": {"name": "path"}},
    }));
    case
}

/// Messages of everybody's making.
fn hear(watch: &mut Watch, case: &Case) {
    let plain = format!("/webhooks/tiktok/{}/main", case.namespace);
    let with_token = format!("{plain}/{PATH_TOKEN}");
    let json_type = ("Content-Type", "application/json");
    let everything = [KEYS[0], KEYS[1], PATH_TOKEN, APP_SECRET, &case.token];
    let mut bodies: Vec<Vec<u8>> = vec![vec![0xff; 40], b"{\"object\":3,\"entry\":[".to_vec()];
    for one in everything {
        bodies.push(one.as_bytes().to_vec());
        for body in [
            json!(one),
            json!([one]),
            json!({one: one}),
            json!({"object": one, "time": 0, "entry": []}),
            json!({"object": 3, "time": one, "entry": [{"ad_id": one, "adv_id": one}]}),
            json!({"object": 3, "time": 0, "entry": one}),
            json!({"object": 2, "time": 0, "entry": [one], "request_id": one}),
        ] {
            bodies.push(body.to_string().into_bytes());
        }
        // Breaks off within.
        bodies.push(format!("{{\"object\":3,\"entry\":\"{one}").into_bytes());
        bodies.push([one.as_bytes(), &vec![b' '; 2 << 20]].concat());
    }
    let mut taken = 0;
    for body in &bodies {
        for key in KEYS {
            let tag = hmac(key, &[body]);
            let good = watch.ask(
                "POST",
                &plain,
                &[json_type, ("X-Open-Signature", &tag)],
                body,
            );
            taken += usize::from(watch.status(good) == 200);
        }
        let unsigned = watch.ask("POST", &with_token, &[json_type], body);
        taken += usize::from(watch.status(unsigned) == 200);
        for (path, name, value) in [
            (&plain, "X-Open-Signature", KEYS[0]),
            (&with_token, "X-Open-Signature", PATH_TOKEN),
            (&plain, "TikTok-Signature", KEYS[1]),
            (
                &with_token,
                "TikTok-Signature",
                &*format!("t={},s={}", KEYS[0], KEYS[1]),
            ),
            (&plain, "X-Nothing", KEYS[0]),
            (
                &format!("/webhooks/tiktok/nobody/main/{PATH_TOKEN}"),
                "X-Nothing",
                "",
            ),
        ] {
            let bad = watch.ask("POST", path, &[json_type, (name, value)], body);
            assert!(matches!(watch.status(bad), 401 | 413 | 0));
        }
    }
    assert!(
        taken > bodies.len(),
        "{taken} messages of {} were good",
        bodies.len()
    );
    for method in ["GET", "PUT", "DELETE"] {
        watch.ask(method, &with_token, &[], b"");
    }
    watch.ask(
        "POST",
        &format!("{with_token}/more?key={}", KEYS[0]),
        &[],
        b"",
    );
}

/// Every way in which the code or the state is not taken.
fn connect_in_vain(watch: &mut Watch, case: &Case, other: &Case) {
    let path = format!("/connect/{}/main", case.namespace);
    let ticket = secret(case, "main-tiktok-connect", "ticket");
    watch.secret("a ticket", &ticket);
    for wrong in ["", "wrong", &ticket[..20], &format!("{ticket}0"), "%ff%00"] {
        let answer = watch.post(&path, "", &[("ticket", wrong)]);
        assert_eq!(watch.status(answer), 403);
    }
    watch.ask("POST", &path, &[], ticket.as_bytes());
    let foreign = format!("/connect/{}/main", other.namespace);
    let answer = watch.post(&foreign, "", &[("ticket", &ticket)]);
    assert_eq!(watch.status(answer), 403);
    watch.get(&format!("{path}/nothing?ticket={ticket}"), "");
    watch.ask("PUT", &format!("{path}?ticket={ticket}"), &[], b"");

    let (state, cookie) = watch.begin(case);
    let (theirs, their_cookie) = watch.begin(other);
    let (payload, tag) = state.split_once('.').unwrap();
    let their_tag = theirs.split_once('.').unwrap().1;
    let key = secret(case, "main-tiktok-token", "connect_key");
    let key_bytes: Vec<u8> = (0..key.len() / 2)
        .map(|at| u8::from_str_radix(&key[2 * at..2 * at + 2], 16).unwrap())
        .collect();
    watch.secret("the key", &key);
    let uid = case.read("tiktokconnections", "main").unwrap()["metadata"]["uid"].clone();
    let expired = sign(
        &key_bytes,
        &StateClaims {
            namespace: case.namespace.clone(),
            name: "main".into(),
            uid: uid.as_str().unwrap().to_owned(),
            nonce: secret(case, "main-tiktok-token", "connect_nonce"),
            expires: jiff::Timestamp::now() - Duration::from_secs(1),
            cookie_hash: cookie_hash(cookie.split_once('=').unwrap().1),
        },
    );
    watch.signed("an expired state", &expired);
    for (state, cookie) in [
        (&*expired, &*cookie),
        (&state, &their_cookie),
        (&state, ""),
        (&theirs, &cookie),
        (&format!("{payload}.{their_tag}"), &cookie),
        (&format!("{payload}.{}", &tag[1..]), &cookie),
        (payload, &cookie),
        (CODE, &cookie),
    ] {
        let answer = watch.callback(state, CODE, cookie);
        assert!(
            matches!(watch.status(answer), 400..=410),
            "{}",
            watch.status(answer)
        );
    }
    let long = "x".repeat(3000);
    for query in [
        String::new(),
        format!("state={state}"),
        format!("auth_code={CODE}"),
        format!("state={state}&auth_code={CODE}&code=other"),
        format!("state={state}&state={theirs}&code={CODE}"),
        format!("state={state}&code={CODE}%0d%0aSet-Cookie:x"),
        format!("state={state}&code={CODE}{long}"),
        format!("{state}{CODE}"),
        format!("state={state}&code={CODE}&error=access_denied"),
        format!("%ff%00&state={state}%00&code=%zz{CODE}"),
    ] {
        watch.get(&format!("/oauth/callback?{query}"), &cookie);
        watch.ask(
            "HEAD",
            &format!("/oauth/callback?{query}"),
            &[("Cookie", &cookie)],
            b"",
        );
    }

    // What TikTok may answer; the state is used up each time.
    let second = case.sandbox("POST", "/sandbox/accounts", &json!({"app_id": case.app}));
    let code = |case: &Case| {
        let both = [&json!(case.advertiser), &second["advertiser_id"]];
        let grant = json!({"app_id": case.app, "advertiser_ids": both});
        let made = case.sandbox("POST", "/sandbox/auth_codes", &grant);
        made["auth_code"].as_str().unwrap().to_owned()
    };
    let used = code(case);
    case.exchange(&json!({"app_id": case.app, "secret": APP_SECRET, "auth_code": used}));
    let (mut state, mut cookie) = (state, cookie);
    for (fault, code) in [
        (Some(echo(40110, &[CODE, APP_SECRET])), CODE.to_owned()),
        (None, used),
        (Some(echo(40002, &[CODE, APP_SECRET])), CODE.to_owned()),
        (Some(echo(0, &[CODE, APP_SECRET])), CODE.to_owned()),
        (
            Some(json!({"kind": "http_status", "status": 500})),
            CODE.to_owned(),
        ),
        (Some(json!({"kind": "cut_before"})), CODE.to_owned()),
        (Some(json!({"kind": "answer_lost"})), code(case)),
        (Some(json!({"kind": "malformed_body"})), code(case)),
    ] {
        watch.secret("a code", &code);
        let hides = fault
            .as_ref()
            .is_some_and(|f| f["code"] == 40110 || f["code"] == 40002);
        if let Some(fault) = fault {
            case.fault_anywhere("*/oauth2/access_token/", &case.app, fault);
        }
        let answer = watch.callback(&state, &code, &cookie);
        assert!(watch.status(answer) >= 400);
        assert!(!hides || watch.answers[answer].body.contains("[hidden], [hidden]"));
        let again = watch.callback(&state, &code, &cookie);
        assert!(watch.status(again) >= 400, "a state counts once");
        watch.gather(case);
        (state, cookie) = watch.begin(case);
    }
    // And one that is good, but TikTok first does not say what it reaches.
    let right = code(case);
    watch.secret("a code", &right);
    case.fault_anywhere(
        "*/oauth2/advertiser/get/",
        &case.app,
        echo(50000, &[APP_SECRET]),
    );
    let answer = watch.callback(&state, &right, &cookie);
    assert_eq!(watch.status(answer), 303, "{}", watch.answers[answer].body);
    let (name, value) = watch.answers[answer].cookie();
    watch.signed("a session", &value);
    watch.allow(answer, &value);
    let session = format!("{name}={value}");
    watch.gather(case);
    pick(watch, case, &path, &session, &their_cookie);
}

fn pick(watch: &mut Watch, case: &Case, path: &str, session: &str, wrong: &str) {
    let next = secret(case, "main-tiktok-connect", "ticket");
    watch.secret("a ticket", &next);
    case.until("the account to be offered", || {
        let page = watch.get(path, session);
        let body = watch.answers[page].body.clone();
        // Its owner may go on from here.
        if body.contains(&next) {
            watch.allow(page, &next);
        }
        body.contains("name=\"form\"")
    });
    let page = watch.get(path, session);
    let body = watch.answers[page].body.clone();
    let from = body.split_once("name=\"form\" value=\"").unwrap().1;
    let form = from.split_once('"').unwrap().0.to_owned();
    if body.contains(&next) {
        watch.allow(page, &next);
    }
    let at = format!("{path}/advertiser");
    for (cookie, form, advertiser) in [
        ("", &*form, &*case.advertiser),
        (wrong, &form, &case.advertiser),
        (session, "00", &case.advertiser),
        (session, &form, APP_SECRET),
    ] {
        let answer = watch.post(
            &at,
            cookie,
            &[("form", form), ("advertiser_id", advertiser)],
        );
        assert!(watch.status(answer) >= 400);
    }
    let fields = [("form", &*form), ("advertiser_id", &*case.advertiser)];
    let picked = watch.post(&at, session, &fields);
    assert_eq!(watch.status(picked), 303);
}

#[test]
fn r25_no_secret_of_connecting_and_hearing_is_ever_shown() {
    let mut watch = Watch::default();
    for (what, value) in [
        ("the app's secret", APP_SECRET),
        ("the access token", ACCESS),
        ("the refresh token", REFRESH),
        ("the code", CODE),
        ("a webhook key", KEYS[0]),
        ("a webhook key", KEYS[1]),
        ("the path token", PATH_TOKEN),
    ] {
        watch.secret(what, value);
    }
    for half in BROKEN.lines() {
        watch.secret("a broken token", half);
    }
    let dead = dead_tokens();
    let refused = not_subscribed();
    let broken = account("r25-broken");
    broken.replace_secret("token", json!({"access_token": BROKEN}));
    broken.connect(json!({"caps": wide_caps()}));
    let browsers = [account("r25-browser"), account("r25-other")];
    let keys = |current: &str, previous: &str| json!({"TIKTOK_WEBHOOK_SIGNING_KEY_CURRENT": current, "TIKTOK_WEBHOOK_SIGNING_KEY_PREVIOUS": previous});
    for case in &browsers {
        case.secret("path", json!({"path_token": PATH_TOKEN}));
        case.secret("keys", keys(KEYS[1], ""));
        let webhooks =
            json!({"keysSecretRef": {"name": "keys"}, "pathTokenSecretRef": {"name": "path"}});
        case.connect(json!({
            "caps": wide_caps(), "webhooks": webhooks, "tokenSecretRef": null, "advertiserId": null,
        }));
    }
    let [case, other] = &browsers;
    let app = format!("/sandbox/apps/{}", case.app);
    case.sandbox("PATCH", &app, &json!({"webhook_key": KEYS[0]}));
    connect_in_vain(&mut watch, case, other);
    case.wait_connection("Verified");
    case.replace_secret("keys", keys(KEYS[0], KEYS[1]));
    let plain = format!("/webhooks/tiktok/{}/main", case.namespace);
    let mut number = 0;
    case.until("the new key", || {
        number += 1;
        let body = format!("{{\"object\":1,\"n\":{number}}}");
        let tag = hmac(KEYS[0], &[body.as_bytes()]);
        let answer = watch.ask(
            "POST",
            &plain,
            &[("X-Open-Signature", &tag)],
            body.as_bytes(),
        );
        watch.status(answer) == 200
    });
    hear(&mut watch, case);

    // A renewal: the token ends on TikTok's side, and an event has the operator look.
    case.until("to be subscribed", || {
        let object = case.read("tiktokconnections", "main").unwrap();
        condition(&object, "Webhooks")["status"] == "True"
            && object["status"]["webhooks"]["subscriptions"] == 1
    });
    watch.gather(case);
    let first = secret(case, "main-tiktok-token", "access_token");
    case.sandbox(
        "POST",
        "/sandbox/tokens/expire",
        &json!({"access_token": first}),
    );
    case.account(json!({"status": "STATUS_LIMIT", "rejection_reason": "1:So."}));
    case.account(json!({"status": "STATUS_ENABLE"}));
    case.until("the token to be renewed", || {
        watch.gather(case);
        of(case)["token"]["lastRotation"]["result"] == "Succeeded"
    });
    watch.gather(case);
    let last = secret(case, "main-tiktok-token", "access_token");
    assert_ne!(first, last);

    // The others meanwhile.
    for one in &dead {
        one.until("the renewal to fail", || {
            watch.gather(one);
            of(one)["token"]["lastRotation"]["result"] == "Failed"
        });
    }
    refused.wait_connection("Verified");
    let path = "/sandbox/faults";
    refused.until("the refusals to be used up", || {
        watch.gather(&refused);
        let left = refused.sandbox("GET", path, &Value::Null).to_string();
        !left.contains(&refused.app)
    });
    broken.until("the broken token to be seen", || {
        !of(&broken)["conditions"].is_null()
    });
    let held = json!({"access_token": BROKEN, "refresh_token": BROKEN, "secret": BROKEN});
    // Somebody edits what only the operator writes.
    other.until("the Secret of the other connection", || {
        other.read("secrets", "main-tiktok-connect").is_ok()
    });
    refused.replace_secret("main-tiktok-token", held);
    refused.until("the damage to be seen", || {
        let object = refused.read("tiktokconnections", "main").unwrap();
        !is(&object, "Verified")
    });

    // The grant cannot be ended.
    let texts = [&*last, APP_SECRET];
    case.fault_anywhere("*/oauth2/revoke_token/", &case.app, echo(40002, &texts));
    case.fault_anywhere(
        "*/subscription/unsubscribe/",
        &case.app,
        echo(40002, &texts),
    );
    case.delete("tiktokconnections", "main");
    case.wait_gone("tiktokconnections", "main");
    case.until("the last event", || {
        let events = case.events("main");
        let last = events.iter().find(|(reason, _)| reason == "Disconnected");
        last.is_some_and(|(_, note)| note.contains("[hidden], [hidden]"))
    });

    let mut places = vec![
        ("the log".to_owned(), case.log()),
        ("the metrics".to_owned(), case.metrics()),
        ("the audit log".to_owned(), case.audit_log()),
    ];
    for path in [
        "/apis/tiktokads.dev/v1alpha1/tiktokconnections",
        "/apis/tiktokads.dev/v1alpha1/campaigns",
        "/apis/tiktokads.dev/v1alpha1/adgroups",
        "/apis/tiktokads.dev/v1alpha1/ads",
        "/apis/events.k8s.io/v1/events",
        "/apis/coordination.k8s.io/v1/leases",
        "/api/v1/configmaps",
        "/api/v1/namespaces",
    ] {
        places.push((path.to_owned(), case.list(path).to_string()));
    }
    for secret in case.list("/api/v1/secrets")["items"].as_array().unwrap() {
        places.push((
            "a Secret's metadata".to_owned(),
            secret["metadata"].to_string(),
        ));
    }
    // The check bites: what is there is found.
    assert!(places[0].1.contains(&case.advertiser) && places[2].1.contains(&case.namespace));
    assert!(
        places[3].1.contains("[hidden], [hidden]"),
        "what was echoed got that far"
    );
    for call in [
        "Exchange",
        "Refresh",
        "Revoke",
        "Subscribe",
        "Unsubscribe",
        "Subscriptions",
        "GrantedAdvertisers",
    ] {
        let said = format!("{call}: TikTok says: Not good: [hidden]");
        assert!(places[0].1.contains(&said), "TikTok's echo to {call}");
    }
    for seen in &watch.answers {
        places.push((
            "an answer".to_owned(),
            format!("{}\n\n{}", seen.head, seen.body),
        ));
    }
    assert!(watch.canaries.len() > 40, "{:?}", watch.canaries);
    watch.nothing_in(&places);
}
