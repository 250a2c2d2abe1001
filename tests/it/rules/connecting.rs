//! A person authorises a connection: the link, its button, and back from TikTok. What TikTok's own page does in between, the
//! sandbox's control interface does here; `connect_pages.rs` has the page.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::{Case, merge, wide_caps};

impl Case {
    /// A connection `main` that a person authorised for this account, beside the operator that has a public address. `account`
    /// is as `POST /sandbox/accounts` takes it, `grant` says more of what is approved, such as `scopes`.
    pub fn authorised(name: &str, account: Value, grant: Value, more: Value) -> Self {
        let case = Self::bare_in(super::webhooks::world(), name, account);
        let mut spec = json!({"caps": wide_caps(), "tokenSecretRef": null});
        merge(&mut spec, more);
        case.connect(spec);
        case.authorise(grant);
        case
    }

    /// The way of a browser, until the token is stored.
    pub fn authorise(&self, more: Value) {
        let ticket = self.kept("main-tiktok-connect", "ticket");
        let origin = self.world.operator.public_url().unwrap().to_owned();
        let browser = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        let send = |request: reqwest::RequestBuilder| {
            let answer = self.world.runtime.block_on(request.send()).unwrap();
            let header = |name: &str| {
                let value = answer.headers().get(name)?;
                Some(value.to_str().unwrap().to_owned())
            };
            let (location, cookie) = (header("location"), header("set-cookie"));
            let status = answer.status().as_u16();
            let body = self.world.runtime.block_on(answer.text()).unwrap();
            (status, location, cookie, body)
        };
        let page = format!("{origin}/connect/{}/main", self.namespace);
        let button = browser
            .post(&page)
            .header("content-type", "application/x-www-form-urlencoded")
            .header("origin", "null")
            .body(format!("ticket={ticket}"));
        let (status, portal, cookie, body) = send(button);
        assert_eq!(status, 303, "{body}");
        let portal = url::Url::parse(&portal.unwrap()).unwrap();
        let state = portal.query_pairs().find(|(name, _)| name == "state");
        let state = state.unwrap().1.into_owned();
        let cookie = cookie.unwrap();
        let cookie = cookie.split(';').next().unwrap();
        let mut grant = json!({"app_id": self.app, "advertiser_ids": [self.advertiser]});
        merge(&mut grant, more);
        let made = self.sandbox("POST", "/sandbox/auth_codes", &grant);
        let code = made["auth_code"].as_str().unwrap();
        let query = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs([("auth_code", code), ("state", &state)])
            .finish();
        // Calls of an app may be too many for the moment; nothing is used up then.
        self.until("TikTok's answer to be taken", || {
            let back = browser.get(format!("{origin}/oauth/callback?{query}"));
            let (status, .., body) = send(back.header("cookie", cookie));
            assert!(
                status == 303 || body.contains("too many calls of this app"),
                "{status}: {body}"
            );
            status == 303
        });
    }

    /// What one of the operator's Secrets has under a key, once it is there.
    pub fn kept(&self, secret: &str, key: &str) -> String {
        let mut found = String::new();
        self.until(&format!("{key} in {secret}"), || {
            found = self.kept_now(secret, key).unwrap_or_default();
            !found.is_empty()
        });
        found
    }

    /// The same at this moment.
    pub fn kept_now(&self, secret: &str, key: &str) -> Option<String> {
        let read = self.read("secrets", secret).ok()?;
        let bytes = STANDARD.decode(read["data"][key].as_str()?).unwrap();
        Some(String::from_utf8(bytes).unwrap())
    }

    /// The requests in the app's name, which name no advertiser, whose path ends so; oldest first.
    pub fn app_requests(&self, path: &str) -> Vec<Value> {
        let whole = format!("/sandbox/requests?path=/open_api/v1.3{path}");
        let all = self.sandbox("GET", &whole, &Value::Null);
        let all = all["requests"].as_array().unwrap().iter();
        let mine = |entry: &&Value| {
            [&entry["body"]["app_id"], &entry["query"]["app_id"]]
                .into_iter()
                .any(|app| *app == json!(self.app))
        };
        all.filter(mine).cloned().collect()
    }
}
