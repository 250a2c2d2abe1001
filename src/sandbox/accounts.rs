//! Apps, advertisers and tokens.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    Sandbox,
    envelope::{NO_PERMISSION, Refusal, TOKEN_EXPIRED, TOKEN_INVALID, TOKEN_MISSING},
    knobs,
    limits::Tier,
    message::Request,
};

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

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Token {
    pub app_id: String,
    pub advertiser_ids: Vec<String>,
    /// Milliseconds; none: never.
    pub expires_at: Option<i64>,
    pub revoked: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct AuthCode {
    pub app_id: String,
    pub advertiser_ids: Vec<String>,
    pub expires_at: Option<i64>,
    pub used: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct RefreshToken {
    pub app_id: String,
    pub advertiser_ids: Vec<String>,
    pub expires_at: i64,
    pub used: bool,
}

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
                self.accounts.apps.insert(
                    id.clone(),
                    App {
                        secret,
                        tier: new.tier,
                    },
                );
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
        let advertiser_ids = vec![advertiser_id.clone()];
        self.accounts.tokens.insert(
            access_token.clone(),
            Token {
                app_id: app_id.clone(),
                advertiser_ids: advertiser_ids.clone(),
                expires_at: None,
                revoked: false,
            },
        );
        let auth_code = self.create_auth_code(now, &app_id, &advertiser_ids)?;
        Ok(Account {
            app_id,
            secret,
            advertiser_id,
            access_token,
            auth_code,
        })
    }

    /// A further auth code of an app: one use, one hour.
    pub fn create_auth_code(
        &mut self,
        now: i64,
        app_id: &str,
        advertiser_ids: &[String],
    ) -> Result<String, AccountError> {
        if !self.accounts.apps.contains_key(app_id) {
            return Err(AccountError::App(app_id.into()));
        }
        for id in advertiser_ids {
            self.advertiser(id)?;
        }
        let code = self.next_hex(40);
        let expires_at = Some(self.at(now) + 3_600_000);
        self.accounts.auth_codes.insert(
            code.clone(),
            AuthCode {
                app_id: app_id.into(),
                advertiser_ids: advertiser_ids.to_vec(),
                expires_at,
                used: false,
            },
        );
        Ok(code)
    }

    /// Revokes a token, as a password change or the developer would. False if there is no such token.
    pub fn revoke_token(&mut self, access_token: &str) -> bool {
        self.accounts
            .tokens
            .get_mut(access_token)
            .is_some_and(|token| {
                token.revoked = true;
                true
            })
    }

    /// Lets a token expire now. False if there is no such token.
    pub fn expire_token(&mut self, now: i64, access_token: &str) -> bool {
        let at = self.at(now);
        self.accounts
            .tokens
            .get_mut(access_token)
            .is_some_and(|token| {
                token.expires_at = Some(at);
                true
            })
    }

    /// Sets the advertiser's status (`STATUS_LIMIT`, …) and, for a suspended one, the reason shown.
    pub fn set_account_status(
        &mut self,
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
        advertiser.status = status.into();
        advertiser.rejection_reason = reason.into();
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
        let advertiser_ids = vec![ADVERTISER_ID.to_owned()];
        self.accounts.apps.insert(
            APP_ID.into(),
            App {
                secret: APP_SECRET.into(),
                tier: Tier::Basic,
            },
        );
        let new = NewAccount {
            name: Some("Sandbox".into()),
            ..NewAccount::default()
        };
        self.insert_advertiser(ADVERTISER_ID, APP_ID, 1_735_689_600_000, &new);
        self.accounts.tokens.insert(
            ACCESS_TOKEN.into(),
            Token {
                app_id: APP_ID.into(),
                advertiser_ids: advertiser_ids.clone(),
                expires_at: None,
                revoked: false,
            },
        );
        self.accounts.auth_codes.insert(
            AUTH_CODE.into(),
            AuthCode {
                app_id: APP_ID.into(),
                advertiser_ids,
                expires_at: None,
                used: false,
            },
        );
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
            },
        );
        self.items.entry(id.into()).or_default();
    }

    /// The token of a request, if it is good.
    pub(super) fn token(&self, at: i64, request: &Request) -> Result<&Token, Refusal> {
        let sent = request
            .header("Access-Token")
            .map(str::trim)
            .unwrap_or_default();
        if sent.is_empty() {
            return Err(Refusal::new(
                TOKEN_MISSING,
                "Access token is null, you should set it in http header with key Access-Token.",
            ));
        }
        let token = self
            .accounts
            .tokens
            .get(sent)
            .filter(|token| !token.revoked)
            .ok_or_else(|| {
                Refusal::new(
                    TOKEN_INVALID,
                    "Access token is incorrect or has been revoked.",
                )
            })?;
        if token.expires_at.is_some_and(|end| end <= at) {
            return Err(Refusal::new(TOKEN_EXPIRED, "Access token is expired."));
        }
        Ok(token)
    }

    /// Refuses if the token does not cover the advertiser; an advertiser that does not exist is not covered either.
    pub(super) fn check_granted(&self, token: &Token, advertiser_id: &str) -> Result<(), Refusal> {
        if self.accounts.advertisers.contains_key(advertiser_id)
            && token.advertiser_ids.iter().any(|id| id == advertiser_id)
        {
            return Ok(());
        }
        let code = self.knobs.whole(&knobs::NOT_GRANTED_CODE, advertiser_id);
        Err(if code == NO_PERMISSION {
            Refusal::new(
                code,
                format!("No permission to operate advertiser {advertiser_id}."),
            )
        } else {
            Refusal::new(code, "Core user is invalid.")
        })
    }
}
