//! Apps and advertisers, and who may do what with them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    Sandbox,
    limits::Tier,
    scopes,
    tokens::{AuthCode, Grant, NewGrant, RefreshToken, Token},
};

/// Most redirect URLs that TikTok keeps for an app.
const MOST_REDIRECT_URLS: usize = 10;

/// The ids and secrets of the account that exists from the start. They are the same in every sandbox, whatever its seed.
pub mod default_account {
    /// The app's id.
    pub const APP_ID: &str = "7000000000000000001";
    /// The app's secret.
    pub const APP_SECRET: &str = "sandbox-app-secret";
    /// The advertiser's id.
    pub const ADVERTISER_ID: &str = "7000000000000000002";
    /// A long-lived access token for the advertiser.
    pub const ACCESS_TOKEN: &str = "sandbox-access-token";
    /// An auth code that can be exchanged once (and, unlike others, does not expire before that).
    pub const AUTH_CODE: &str = "sandbox-auth-code";
}

/// What an account shall be. Everything has a default.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NewAccount {
    /// An existing app that the advertiser is added to; not said: a new app.
    pub app_id: Option<String>,
    /// The advertiser's name.
    pub name: Option<String>,
    /// ISO 4217 code.
    pub currency: String,
    /// `Etc/GMT+8` (= UTC−8) or a region name.
    pub timezone: String,
    /// The advertiser's offset from UTC in minutes, for region names; `Etc/…` names say it themselves.
    pub utc_offset_minutes: Option<i64>,
    /// `STATUS_ENABLE`, `STATUS_LIMIT`, …
    pub status: String,
    /// `ROLE_ADVERTISER`, `ROLE_CHILD_ADVERTISER`, `ROLE_AGENT`, `ROLE_CHILD_AGENT`.
    pub role: String,
    /// What the user behind the token may do: `ADMIN`, `OPERATOR` or `ANALYST` (reads only).
    pub user_role: String,
    /// Two-letter country code.
    pub country: String,
    /// The tier of a new app.
    pub tier: Tier,
    /// Account balance in the account's currency.
    pub balance: f64,
    /// See the reference of `/advertiser/info/`.
    pub can_use_custom_identity: bool,
    /// See the reference of `/advertiser/info/`.
    pub ads_only_mode: bool,
    /// The person who can grant it; not said: one person for all advertisers of the app.
    pub user_id: Option<String>,
    /// The Business Center that owns it; not said: one for all advertisers of the app; empty: none.
    pub owner_bc_id: Option<String>,
}

impl Default for NewAccount {
    fn default() -> Self {
        Self {
            app_id: None,
            name: None,
            currency: "USD".into(),
            timezone: "Etc/GMT".into(),
            utc_offset_minutes: None,
            status: "STATUS_ENABLE".into(),
            role: "ROLE_ADVERTISER".into(),
            user_role: "ADMIN".into(),
            country: "US".into(),
            tier: Tier::Basic,
            balance: 10_000.0,
            can_use_custom_identity: false,
            ads_only_mode: false,
            user_id: None,
            owner_bc_id: None,
        }
    }
}

/// A new account, with all that a client needs.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Account {
    /// The app.
    pub app_id: String,
    /// The app's secret.
    pub secret: String,
    /// The advertiser, 19 digits.
    pub advertiser_id: String,
    /// A long-lived token that covers this advertiser.
    pub access_token: String,
    /// A code for `/oauth2/access_token/`: one use, one hour, covers this advertiser.
    pub auth_code: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct App {
    pub secret: String,
    pub tier: Tier,
    /// Where users may be sent after they approved; none registered: any loopback or https address.
    pub redirect_urls: Vec<String>,
    /// What it asks users for.
    pub scopes: Vec<u64>,
    /// Signs webhooks; none: the secret does.
    pub webhook_key: Option<String>,
    /// TikTok has blocked it.
    pub blocked: bool,
}

impl App {
    fn new(secret: String, tier: Tier) -> Self {
        Self {
            secret,
            tier,
            redirect_urls: Vec::new(),
            scopes: scopes::DEFAULT.to_vec(),
            webhook_key: None,
            blocked: false,
        }
    }

    /// What webhooks are signed with.
    pub(super) fn signing_key(&self) -> &str {
        self.webhook_key.as_deref().unwrap_or(&self.secret)
    }
}

/// Changes to an app.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AppChange {
    /// All of its redirect URLs, up to ten; an empty list allows any loopback or https address.
    pub redirect_urls: Option<Vec<String>>,
    /// What it asks users for; grants that exist keep what they have.
    pub scopes: Option<Vec<u64>>,
    /// Signs webhooks from now on; empty: the app's secret does.
    pub webhook_key: Option<String>,
    /// A new secret, as after a reset in the developer portal.
    pub secret: Option<String>,
    /// Whether TikTok has blocked it.
    pub blocked: Option<bool>,
    /// Its tier.
    pub tier: Option<Tier>,
}

/// An id that belongs to an app, without a draw of its own: the same in every run, whatever else was made before.
pub(super) fn derived_id(prefix: &str, app_id: &str) -> String {
    format!("{prefix}{}", app_id.get(2..).unwrap_or(app_id))
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Advertiser {
    pub app_id: String,
    pub name: String,
    pub currency: String,
    pub timezone: String,
    pub utc_offset_ms: i64,
    pub status: String,
    pub role: String,
    pub user_role: String,
    pub country: String,
    pub balance: f64,
    pub can_use_custom_identity: bool,
    pub ads_only_mode: bool,
    pub create_time: i64,
    pub rejection_reason: String,
    /// Who can grant it.
    pub user_id: String,
    /// The Business Center that owns it; empty: none.
    pub owner_bc_id: String,
}

impl Advertiser {
    /// In review, or waiting for it.
    pub(super) fn in_review(&self) -> bool {
        matches!(
            self.status.as_str(),
            "STATUS_PENDING_CONFIRM"
                | "STATUS_PENDING_VERIFIED"
                | "STATUS_PENDING_CONFIRM_MODIFY"
                | "STATUS_WAIT_FOR_BPM_AUDIT"
                | "STATUS_WAIT_FOR_PUBLIC_AUTH"
                | "STATUS_SELF_SERVICE_UNAUDITED"
        )
    }
}

/// Every status an advertiser can have.
pub(super) const ADVERTISER_STATUSES: &[&str] = &[
    "STATUS_ENABLE",
    "STATUS_DISABLE",
    "STATUS_LIMIT",
    "STATUS_PENDING_CONFIRM",
    "STATUS_PENDING_VERIFIED",
    "STATUS_CONFIRM_FAIL",
    "STATUS_CONFIRM_FAIL_END",
    "STATUS_PENDING_CONFIRM_MODIFY",
    "STATUS_CONFIRM_MODIFY_FAIL",
    "STATUS_WAIT_FOR_BPM_AUDIT",
    "STATUS_WAIT_FOR_PUBLIC_AUTH",
    "STATUS_SELF_SERVICE_UNAUDITED",
    "STATUS_CONTRACT_PENDING",
];

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Accounts {
    pub apps: BTreeMap<String, App>,
    pub advertisers: BTreeMap<String, Advertiser>,
    pub tokens: BTreeMap<String, Token>,
    pub auth_codes: BTreeMap<String, AuthCode>,
    pub refresh_tokens: BTreeMap<String, RefreshToken>,
}

/// Why an account could not be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AccountError {
    /// No such app.
    #[error("there is no app {0}")]
    App(String),
    /// No such advertiser.
    #[error("there is no advertiser {0}")]
    Advertiser(String),
    /// A field has a value it does not take.
    #[error("{field} cannot be {value:?}")]
    Value {
        /// The field.
        field: &'static str,
        /// What was given.
        value: String,
    },
}

impl NewAccount {
    fn offset_ms(&self) -> i64 {
        super::time::offset_ms(&self.timezone)
            .or_else(|| {
                self.utc_offset_minutes
                    .map(|minutes| minutes.saturating_mul(60_000))
            })
            .unwrap_or(0)
    }

    fn check(&self) -> Result<(), AccountError> {
        let wrong = |field, value: &str| AccountError::Value {
            field,
            value: value.into(),
        };
        if self.currency.len() != 3 || !self.currency.bytes().all(|byte| byte.is_ascii_uppercase())
        {
            return Err(wrong("currency", &self.currency));
        }
        if !ADVERTISER_STATUSES.contains(&self.status.as_str()) {
            return Err(wrong("status", &self.status));
        }
        if !["ADMIN", "OPERATOR", "ANALYST"].contains(&self.user_role.as_str()) {
            return Err(wrong("user_role", &self.user_role));
        }
        Ok(())
    }
}

impl Sandbox {
    /// Makes an advertiser, an app if none is named, a long-lived token and an auth code.
    pub fn create_account(&mut self, now: i64, new: &NewAccount) -> Result<Account, AccountError> {
        new.check()?;
        let app_id = match &new.app_id {
            Some(id) if self.accounts.apps.contains_key(id) => id.clone(),
            Some(id) => return Err(AccountError::App(id.clone())),
            None => {
                let id = self.next_id(7_100_000_000_000_000_000);
                let secret = self.next_hex(40);
                let app = App::new(secret, new.tier);
                self.accounts.apps.insert(id.clone(), app);
                id
            }
        };
        let secret = self
            .accounts
            .apps
            .get(&app_id)
            .map(|app| app.secret.clone())
            .unwrap_or_default();
        let advertiser_id = self.next_id(7_200_000_000_000_000_000);
        let at = self.at(now);
        self.insert_advertiser(&advertiser_id, &app_id, at, new);
        let access_token = self.next_hex(40);
        let wanted = NewGrant {
            app_id: app_id.clone(),
            advertiser_ids: vec![advertiser_id.clone()],
            ..NewGrant::default()
        };
        let grant = self.grant(&wanted)?;
        self.insert_token(&access_token, grant);
        let auth_code = self.create_auth_code_for(now, &wanted)?;
        Ok(Account {
            app_id,
            secret,
            advertiser_id,
            access_token,
            auth_code,
        })
    }

    /// Sets the advertiser's status (`STATUS_LIMIT`, …) and, for a suspended one, the reason shown. Who subscribed to it
    /// is told.
    pub fn set_account_status(
        &mut self,
        now: i64,
        advertiser_id: &str,
        status: &str,
        reason: &str,
    ) -> Result<(), AccountError> {
        if !ADVERTISER_STATUSES.contains(&status) {
            return Err(AccountError::Value {
                field: "status",
                value: status.into(),
            });
        }
        let advertiser = self
            .accounts
            .advertisers
            .get_mut(advertiser_id)
            .ok_or_else(|| AccountError::Advertiser(advertiser_id.into()))?;
        let before = std::mem::replace(&mut advertiser.status, status.into());
        advertiser.rejection_reason = reason.into();
        let at = self.at(now);
        self.announce_account(at, advertiser_id, &before);
        Ok(())
    }

    /// Sets what the user behind the tokens may do in this advertiser: `ADMIN`, `OPERATOR` or `ANALYST`.
    pub fn set_user_role(
        &mut self,
        advertiser_id: &str,
        user_role: &str,
    ) -> Result<(), AccountError> {
        NewAccount {
            user_role: user_role.into(),
            ..NewAccount::default()
        }
        .check()?;
        self.accounts
            .advertisers
            .get_mut(advertiser_id)
            .ok_or_else(|| AccountError::Advertiser(advertiser_id.into()))?
            .user_role = user_role.into();
        Ok(())
    }

    /// Changes an app: all that is said, or nothing if some of it is not possible.
    pub fn change_app(&mut self, app_id: &str, change: &AppChange) -> Result<(), AccountError> {
        if let Some(urls) = &change.redirect_urls {
            if urls.len() > MOST_REDIRECT_URLS {
                return Err(AccountError::Value {
                    field: "redirect_urls",
                    value: format!("{} URLs; at most {MOST_REDIRECT_URLS}", urls.len()),
                });
            }
            if let Some(url) = urls.iter().find(|url| !super::portal::may_redirect_to(url)) {
                return Err(AccountError::Value {
                    field: "redirect_urls",
                    value: url.clone(),
                });
            }
        }
        let app = self
            .accounts
            .apps
            .get_mut(app_id)
            .ok_or_else(|| AccountError::App(app_id.into()))?;
        if let Some(urls) = &change.redirect_urls {
            app.redirect_urls.clone_from(urls);
        }
        if let Some(scopes) = &change.scopes {
            app.scopes.clone_from(scopes);
        }
        if let Some(key) = &change.webhook_key {
            app.webhook_key = Some(key.clone()).filter(|key| !key.is_empty());
        }
        if let Some(secret) = &change.secret {
            app.secret.clone_from(secret);
        }
        app.blocked = change.blocked.unwrap_or(app.blocked);
        app.tier = change.tier.unwrap_or(app.tier);
        Ok(())
    }

    /// Sets the tier of an app.
    pub fn set_tier(&mut self, app_id: &str, tier: Tier) -> Result<(), AccountError> {
        self.accounts
            .apps
            .get_mut(app_id)
            .ok_or_else(|| AccountError::App(app_id.into()))?
            .tier = tier;
        Ok(())
    }

    pub(super) fn advertiser(&self, id: &str) -> Result<&Advertiser, AccountError> {
        self.accounts
            .advertisers
            .get(id)
            .ok_or_else(|| AccountError::Advertiser(id.into()))
    }

    pub(super) fn add_default_account(&mut self) {
        use default_account::{ACCESS_TOKEN, ADVERTISER_ID, APP_ID, APP_SECRET, AUTH_CODE};
        let app = App::new(APP_SECRET.into(), Tier::Basic);
        self.accounts.apps.insert(APP_ID.into(), app);
        let new = NewAccount {
            name: Some("Sandbox".into()),
            ..NewAccount::default()
        };
        self.insert_advertiser(ADVERTISER_ID, APP_ID, 1_735_689_600_000, &new);
        let wanted = NewGrant {
            app_id: APP_ID.into(),
            advertiser_ids: vec![ADVERTISER_ID.to_owned()],
            ..NewGrant::default()
        };
        // The app and the advertiser were made just above.
        let Ok(grant) = self.grant(&wanted) else {
            return;
        };
        self.insert_token(ACCESS_TOKEN, grant.clone());
        let code = AuthCode {
            grant,
            expires_at: None,
            used: false,
        };
        self.accounts.auth_codes.insert(AUTH_CODE.into(), code);
    }

    /// A long-lived token.
    fn insert_token(&mut self, access_token: &str, grant: Grant) {
        let token = Token {
            grant,
            expires_at: None,
            revoked: false,
        };
        self.accounts.tokens.insert(access_token.into(), token);
    }

    fn insert_advertiser(&mut self, id: &str, app_id: &str, at: i64, new: &NewAccount) {
        self.accounts.advertisers.insert(
            id.into(),
            Advertiser {
                app_id: app_id.into(),
                name: new.name.clone().unwrap_or_else(|| format!("Sandbox {id}")),
                currency: new.currency.clone(),
                timezone: new.timezone.clone(),
                utc_offset_ms: new.offset_ms(),
                status: new.status.clone(),
                role: new.role.clone(),
                user_role: new.user_role.clone(),
                country: new.country.clone(),
                balance: new.balance,
                can_use_custom_identity: new.can_use_custom_identity,
                ads_only_mode: new.ads_only_mode,
                create_time: at / 1_000,
                rejection_reason: String::new(),
                user_id: new
                    .user_id
                    .clone()
                    .unwrap_or_else(|| derived_id("73", app_id)),
                owner_bc_id: new
                    .owner_bc_id
                    .clone()
                    .unwrap_or_else(|| derived_id("74", app_id)),
            },
        );
        self.items.entry(id.into()).or_default();
    }
}
