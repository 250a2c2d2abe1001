//! R21, R22, R26 at the engine's doors: connecting, a token's life over days, and the end of a connection.

mod account;
mod conditions;
mod connect;
mod disconnect;
mod edits;
mod life;
mod limited;
mod months;
mod rotations;
mod trouble;
mod twice;

use std::collections::HashMap;

use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use tiktok_ads_operator::engine::connection::{Authorised, Begun, ConnectError};
use tiktok_ads_operator::engine::settings::{PublicAddress, Settings};
use tiktok_ads_operator::sandbox::NewGrant;

use super::api_server::CONNECTION;
use super::script::{Script, ads};
use super::user::caps;

pub(super) const REFRESH: &str = "/oauth2/refresh_token/";
pub(super) const REVOKE: &str = "/oauth2/revoke_token/";
pub(super) const EXCHANGE: &str = "/oauth2/access_token/";
/// Our own Secret with the token.
const TOKEN: &str = "main-tiktok-token";
/// Two hours: a rotation is due after one and a half, the last five minutes are read-only.
const LIFE: &str = "7200";
pub(super) const ROTATING: &[(&str, &str)] = &[
    ("token_profile", "expiry_refresh"),
    ("token_lifetime_seconds", LIFE),
    // Whoever uses a refresh token twice loses everything: that is how two refreshes would show.
    ("refresh_replay", "revokes_grant"),
];

pub(super) fn settings() -> Settings {
    Settings {
        public: Some(PublicAddress {
            url: "https://ads.example.com".into(),
            portal: "https://tiktok.example/portal/auth".into(),
        }),
        ..Settings::default()
    }
}

fn secret(text: &str) -> SecretString {
    SecretString::from(text.to_string())
}

/// A connection with an app and no token.
pub(super) fn unconnected(script: &Script, more: Value) {
    script.does(|w| {
        let account = w.accounts[0].clone();
        let app = [
            ("app_id", account.app_id.as_str()),
            ("secret", account.secret.as_str()),
        ];
        w.api.put_secret(&ads("app"), &app);
        let mut spec = json!({
            "appSecretRef": {"name": "app"},
            "advertiserId": account.advertiser_id,
            "caps": caps(Some(1000), None),
        });
        for (key, value) in more.as_object().unwrap() {
            spec[key] = value.clone();
        }
        w.create(CONNECTION, &ads("main"), spec);
    });
}

impl Script {
    pub(super) fn data(&self, name: &str, key: &str) -> Option<String> {
        let world = self.sim.lock();
        let copy = world.api.secret(&ads(name))?;
        copy.data.get(key).map(|v| v.expose_secret().to_string())
    }

    pub(super) fn connection(&self) -> Value {
        self.does(|w| w.api.get(CONNECTION, &ads("main")).cloned())
            .unwrap_or_default()
    }

    pub(super) fn reason(&self) -> String {
        self.told().0
    }

    /// Reason and message of the connection's Ready.
    fn told(&self) -> (String, String) {
        said(&self.connection(), "Ready")
    }

    pub(super) fn banner(&self) -> String {
        let text = self.connection()["status"]["banner"].clone();
        text.as_str().unwrap_or_default().to_string()
    }

    /// Time, code and faults of the calls of a path so far.
    pub(super) fn calls(&self, path: &str) -> Vec<(i64, Option<i64>)> {
        let world = self.sim.lock();
        let all = world.sandbox.requests(Default::default());
        all.filter(|entry| entry.path.ends_with(path))
            .map(|entry| (entry.at / 1000, entry.code))
            .collect()
    }

    async fn begin(&self, ticket: &str) -> Result<Begun, ConnectError> {
        let (_, engine) = self.sim.leader().unwrap();
        engine.begin_connect(&ads("main"), &secret(ticket)).await
    }

    async fn authorise(
        &self,
        state: &str,
        code: &str,
        cookie: &str,
    ) -> Result<Authorised, ConnectError> {
        let (_, engine) = self.sim.leader().unwrap();
        engine
            .authorise(&secret(state), &secret(code), &secret(cookie))
            .await
    }

    /// A code for these advertisers.
    fn code(&self, advertisers: &[String], scopes: Option<Vec<u64>>) -> String {
        self.does(|w| {
            let (now, app_id) = (w.clock.millis(), w.accounts[0].app_id.clone());
            let grant = NewGrant {
                app_id,
                advertiser_ids: advertisers.to_vec(),
                scopes,
                ..NewGrant::default()
            };
            w.sandbox.create_auth_code_for(now, &grant).unwrap()
        })
    }

    /// The whole way, as a browser goes it.
    pub(super) async fn connect(
        &self,
        scopes: Option<Vec<u64>>,
    ) -> Result<Authorised, ConnectError> {
        let advertiser = self.does(|w| w.accounts[0].advertiser_id.clone());
        self.connect_for(&[advertiser], scopes).await
    }

    pub(super) async fn connect_for(
        &self,
        advertisers: &[String],
        scopes: Option<Vec<u64>>,
    ) -> Result<Authorised, ConnectError> {
        let ticket = self.data("main-tiktok-connect", "ticket").unwrap();
        let begun = self.begin(&ticket).await?;
        let code = self.code(advertisers, scopes);
        self.authorise(&state_of(&begun), &code, begun.cookie.expose_secret())
            .await
    }
}

/// The reason of a condition.
pub(super) fn condition(object: &Value, type_: &str) -> String {
    said(object, type_).0
}

/// Reason and message of a condition.
fn said(object: &Value, type_: &str) -> (String, String) {
    let all = object["status"]["conditions"].as_array();
    let found = all.into_iter().flatten().find(|c| c["type"] == type_);
    let text = |key: &str| {
        found
            .and_then(|c| c[key].as_str())
            .unwrap_or_default()
            .to_string()
    };
    (text("reason"), text("message"))
}

fn query(begun: &Begun) -> HashMap<String, String> {
    let url = url::Url::parse(begun.authorise_url.expose_secret()).unwrap();
    url.query_pairs().into_owned().collect()
}

fn state_of(begun: &Begun) -> String {
    query(begun)["state"].clone()
}
