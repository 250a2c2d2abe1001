//! What a user granted an app: auth codes, access tokens, refresh tokens, and how each of them ends.

use serde::{Deserialize, Serialize};

use super::{
    AccountError, Sandbox,
    accounts::derived_id,
    envelope::{APP_REFUSED, NO_PERMISSION, Refusal, TOKEN_EXPIRED, TOKEN_INVALID, TOKEN_MISSING},
    knobs,
    message::Request,
    scopes,
};

/// How long an auth code lives.
const AUTH_CODE_MS: i64 = 3_600_000;

/// What a user granted an app.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// The app.
    pub app_id: String,
    /// The person who signed in.
    pub user_id: String,
    /// The advertisers that were chosen.
    pub advertiser_ids: Vec<String>,
    /// TikTok's numbers of the permissions.
    pub scopes: Vec<u64>,
}

/// A grant, as the control interface takes it. What is not said follows from the app and its advertisers.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NewGrant {
    /// The app.
    pub app_id: String,
    /// The advertisers it may reach.
    pub advertiser_ids: Vec<String>,
    /// Who grants it; not said: the user of the first advertiser.
    pub user_id: Option<String>,
    /// The permissions; not said: those that the app asks for.
    pub scopes: Option<Vec<u64>>,
}

/// Changes to a living token.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TokenChange {
    /// Which token.
    pub access_token: String,
    /// Its permissions from now on.
    pub scopes: Option<Vec<u64>>,
    /// The advertisers it reaches from now on.
    pub advertiser_ids: Option<Vec<String>>,
    /// When it expires, in seconds from now.
    pub expires_in: Option<u32>,
}

/// An access token.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Token {
    pub grant: Grant,
    /// Milliseconds; none: never.
    pub expires_at: Option<i64>,
    pub revoked: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct AuthCode {
    pub grant: Grant,
    /// Milliseconds; none: not before it is used.
    pub expires_at: Option<i64>,
    pub used: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct RefreshToken {
    pub grant: Grant,
    /// The access token that it last came with.
    pub access_token: String,
    /// Milliseconds; none: never.
    pub expires_at: Option<i64>,
    /// Used, where each use changes it, or revoked.
    pub used: bool,
}

/// Why a token is not taken.
pub(super) fn invalid_token() -> Refusal {
    Refusal::new(
        TOKEN_INVALID,
        "Access token is incorrect or has been revoked.",
    )
}

impl Sandbox {
    /// Completes and checks a grant.
    pub(super) fn grant(&self, new: &NewGrant) -> Result<Grant, AccountError> {
        let app = self
            .accounts
            .apps
            .get(&new.app_id)
            .ok_or_else(|| AccountError::App(new.app_id.clone()))?;
        for id in &new.advertiser_ids {
            self.advertiser(id)?;
        }
        let user_of_first = new
            .advertiser_ids
            .first()
            .and_then(|id| self.accounts.advertisers.get(id))
            .map(|advertiser| advertiser.user_id.clone());
        Ok(Grant {
            app_id: new.app_id.clone(),
            user_id: new
                .user_id
                .clone()
                .or(user_of_first)
                .unwrap_or_else(|| derived_id("73", &new.app_id)),
            advertiser_ids: new.advertiser_ids.clone(),
            scopes: new.scopes.clone().unwrap_or_else(|| app.scopes.clone()),
        })
    }

    /// A further auth code of an app for these advertisers: one use, one hour.
    pub fn create_auth_code(
        &mut self,
        now: i64,
        app_id: &str,
        advertiser_ids: &[String],
    ) -> Result<String, AccountError> {
        self.create_auth_code_for(
            now,
            &NewGrant {
                app_id: app_id.into(),
                advertiser_ids: advertiser_ids.to_vec(),
                ..NewGrant::default()
            },
        )
    }

    /// An auth code for a grant of any kind: one use, one hour.
    pub fn create_auth_code_for(
        &mut self,
        now: i64,
        new: &NewGrant,
    ) -> Result<String, AccountError> {
        let grant = self.grant(new)?;
        let code = self.next_hex(40);
        let expires_at = Some(self.at(now) + AUTH_CODE_MS);
        let entry = AuthCode {
            grant,
            expires_at,
            used: false,
        };
        self.accounts.auth_codes.insert(code.clone(), entry);
        Ok(code)
    }

    /// A token of the profile in force without an exchange: what `/oauth2/access_token/` would answer as `data`.
    pub fn issue_token(
        &mut self,
        now: i64,
        new: &NewGrant,
    ) -> Result<serde_json::Value, AccountError> {
        let grant = self.grant(new)?;
        let at = self.at(now);
        Ok(self.issue(at, &grant, None, true))
    }

    /// Changes what a living token may do, reaches, and how long it lives. False if there is no such token.
    ///
    /// # Errors
    /// An advertiser that does not exist.
    pub fn change_token(&mut self, now: i64, change: &TokenChange) -> Result<bool, AccountError> {
        for id in change.advertiser_ids.iter().flatten() {
            self.advertiser(id)?;
        }
        let at = self.at(now);
        let Some(token) = self.accounts.tokens.get_mut(&change.access_token) else {
            return Ok(false);
        };
        if let Some(scopes) = &change.scopes {
            token.grant.scopes.clone_from(scopes);
        }
        if let Some(ids) = &change.advertiser_ids {
            token.grant.advertiser_ids.clone_from(ids);
        }
        if let Some(seconds) = change.expires_in {
            token.expires_at = Some(at + i64::from(seconds) * 1_000);
        }
        Ok(true)
    }

    /// Revokes one token with the refresh token that belongs to it, and nothing else. False if there is no such token.
    pub fn revoke_token(&mut self, access_token: &str) -> bool {
        let Some(token) = self.accounts.tokens.get_mut(access_token) else {
            return false;
        };
        token.revoked = true;
        for refresh in self.accounts.refresh_tokens.values_mut() {
            refresh.used |= refresh.access_token == access_token;
        }
        true
    }

    /// Takes back all that a user granted an app: every token, refresh token and unused auth code. Answers with the
    /// advertisers that the app can no longer reach for this user, in the order of their ids.
    pub fn revoke_grant(&mut self, app_id: &str, user_id: &str) -> Vec<String> {
        let theirs = |grant: &Grant| grant.app_id == app_id && grant.user_id == user_id;
        let mut lost = std::collections::BTreeSet::new();
        for token in self.accounts.tokens.values_mut() {
            if theirs(&token.grant) && !token.revoked {
                token.revoked = true;
                lost.extend(token.grant.advertiser_ids.iter().cloned());
            }
        }
        for refresh in self.accounts.refresh_tokens.values_mut() {
            refresh.used |= theirs(&refresh.grant);
        }
        for code in self.accounts.auth_codes.values_mut() {
            code.used |= theirs(&code.grant);
        }
        lost.into_iter().collect()
    }

    /// Who granted a token; none if there is no such token.
    pub fn grant_of(&self, access_token: &str) -> Option<&Grant> {
        self.accounts
            .tokens
            .get(access_token)
            .map(|token| &token.grant)
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

    /// Whether a token is good at this moment.
    pub fn token_lives(&self, now: i64, access_token: &str) -> bool {
        self.live_token(self.at(now), access_token).is_ok()
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
        self.live_token(at, sent)
    }

    /// A token by its text, if it is good.
    pub(super) fn live_token(&self, at: i64, sent: &str) -> Result<&Token, Refusal> {
        let token = self
            .accounts
            .tokens
            .get(sent)
            .filter(|token| !token.revoked)
            .ok_or_else(invalid_token)?;
        if token.expires_at.is_some_and(|end| end <= at) {
            return Err(Refusal::new(TOKEN_EXPIRED, "Access token is expired."));
        }
        self.check_not_blocked(&token.grant.app_id)?;
        Ok(token)
    }

    /// 40113 for an app that TikTok has blocked.
    pub(super) fn check_not_blocked(&self, app_id: &str) -> Result<(), Refusal> {
        match self.accounts.apps.get(app_id) {
            Some(app) if app.blocked => Err(Refusal::new(APP_REFUSED, "The app is blocked.")),
            _ => Ok(()),
        }
    }

    /// Refuses if the token does not cover the advertiser; an advertiser that does not exist is not covered either.
    pub(super) fn check_granted(&self, grant: &Grant, advertiser_id: &str) -> Result<(), Refusal> {
        if self.accounts.advertisers.contains_key(advertiser_id)
            && grant.advertiser_ids.iter().any(|id| id == advertiser_id)
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

    /// Refuses a call whose permission the user did not give.
    pub(super) fn check_scope(
        &self,
        grant: &Grant,
        route: super::route::Route,
        advertiser_id: &str,
    ) -> Result<(), Refusal> {
        let Some(needed) = scopes::needed(route) else {
            return Ok(());
        };
        // A call about a Business Center names no advertiser.
        let advertiser_id = match (advertiser_id, grant.advertiser_ids.first()) {
            ("", Some(first)) => first,
            (named, _) => named,
        };
        if scopes::covers(&grant.scopes, needed)
            || self.knobs.is(&knobs::SCOPE_CHECK, advertiser_id, "off")
        {
            return Ok(());
        }
        Err(Refusal::new(
            self.knobs.whole(&knobs::SCOPE_MISSING_CODE, advertiser_id),
            format!(
                "No permission: the access token does not have the scope {needed} ({}).",
                scopes::name(needed)
            ),
        ))
    }
}
