//! The OAuth calls of a Marketing API app: exchange, refresh, revoke and the advertiser list.

use serde_json::{Value, json};

use super::{
    Sandbox,
    accounts::{RefreshToken, Token},
    envelope::{
        AUTH_CODE, AUTH_PARAMETER, GRANT_TYPE, REFRESH_TOKEN_EXPIRED, REFRESH_TOKEN_INVALID,
        Refusal, Reply, TOKEN_INVALID,
    },
    knobs,
    query::{Body, Params, missing},
    time::DAY_MS,
};

/// The scopes every token has: ad account management, ads management, reporting and their parts.
const SCOPE: &[u32] = &[1, 2, 3, 4, 10, 11, 12, 40, 41, 42, 43, 44];

impl Sandbox {
    fn check_app(&self, app_id: &str, secret: &str) -> Result<(), Refusal> {
        match self.accounts.apps.get(app_id) {
            Some(app) if app.secret == secret => Ok(()),
            _ => Err(Refusal::new(
                AUTH_PARAMETER,
                "The app_id or secret is incorrect.",
            )),
        }
    }

    /// `POST /oauth2/access_token/`.
    pub(super) fn oauth_access_token(&mut self, at: i64, body: Body<'_>) -> Result<Reply, Refusal> {
        let app_id = body.required("app_id", body.text("app_id")?)?.to_owned();
        let secret = body.required("secret", body.text("secret")?)?;
        let code = body.required("auth_code", body.text("auth_code")?)?;
        let with_advertisers = body.boolean("return_advertiser_ids")?.unwrap_or(true);
        self.check_app(&app_id, secret)?;
        let refusal = || {
            Refusal::new(
                AUTH_CODE,
                "The auth_code is invalid, has been used or has expired.",
            )
        };
        let found = self.accounts.auth_codes.get_mut(code).ok_or_else(refusal)?;
        if found.app_id != app_id || found.used || found.expires_at.is_some_and(|end| end <= at) {
            return Err(refusal());
        }
        found.used = true;
        let advertiser_ids = found.advertiser_ids.clone();
        let mut data = self.issue(at, &app_id, &advertiser_ids);
        if with_advertisers {
            data["advertiser_ids"] = json!(advertiser_ids);
        }
        Ok(Reply::ok(data))
    }

    /// `POST /oauth2/refresh_token/`: exists only for tokens that came with a refresh token.
    pub(super) fn oauth_refresh_token(
        &mut self,
        at: i64,
        body: Body<'_>,
    ) -> Result<Reply, Refusal> {
        let app_id = body.required("app_id", body.text("app_id")?)?.to_owned();
        let secret = body.required("secret", body.text("secret")?)?;
        let sent = body.required("refresh_token", body.text("refresh_token")?)?;
        self.check_app(&app_id, secret)?;
        if body
            .text("grant_type")?
            .is_some_and(|grant| grant != "refresh_token")
        {
            return Err(Refusal::new(GRANT_TYPE, "The grant_type is incorrect."));
        }
        let invalid = || {
            Refusal::new(
                REFRESH_TOKEN_INVALID,
                "The refresh token is incorrect, or the token is a long-term token.",
            )
        };
        let found = self
            .accounts
            .refresh_tokens
            .get_mut(sent)
            .ok_or_else(invalid)?;
        if found.app_id != app_id || found.used {
            return Err(invalid());
        }
        if found.expires_at <= at {
            return Err(Refusal::new(
                REFRESH_TOKEN_EXPIRED,
                "The refresh token is expired.",
            ));
        }
        found.used = true;
        let advertiser_ids = found.advertiser_ids.clone();
        let mut data = self.issue(at, &app_id, &advertiser_ids);
        data["advertiser_ids"] = json!(advertiser_ids);
        Ok(Reply::ok(data))
    }

    /// A new token of the profile in force; rotation does not revoke the old one.
    fn issue(&mut self, at: i64, app_id: &str, advertiser_ids: &[String]) -> Value {
        let advertiser = advertiser_ids.first().cloned().unwrap_or_default();
        let profile = self
            .knobs
            .text(&knobs::TOKEN_PROFILE, &advertiser)
            .to_owned();
        let lifetime = self.knobs.whole(&knobs::TOKEN_LIFETIME, &advertiser);
        let field = self
            .knobs
            .text(&knobs::TOKEN_EXPIRY_FIELD, &advertiser)
            .to_owned();
        let access_token = self.next_hex(40);
        let mut data = json!({"access_token": access_token, "scope": SCOPE});
        let expires_at = match profile.as_str() {
            "expiry" | "expiry_refresh" => {
                data[&field] = json!(lifetime);
                Some(at + lifetime * 1_000)
            }
            "long_lived_zero" => {
                data[&field] = json!(0);
                None
            }
            _ => None,
        };
        if profile == "expiry_refresh" {
            let refresh_token = self.next_hex(40);
            data["refresh_token"] = json!(refresh_token);
            data["refresh_token_expires_in"] = json!(365 * DAY_MS / 1_000);
            data["token_type"] = json!("Bearer");
            self.accounts.refresh_tokens.insert(
                refresh_token,
                RefreshToken {
                    app_id: app_id.into(),
                    advertiser_ids: advertiser_ids.to_vec(),
                    expires_at: at + 365 * DAY_MS,
                    used: false,
                },
            );
        }
        self.accounts.tokens.insert(
            access_token,
            Token {
                app_id: app_id.into(),
                advertiser_ids: advertiser_ids.to_vec(),
                expires_at,
                revoked: false,
            },
        );
        data
    }

    /// `POST /oauth2/revoke_token/`.
    pub(super) fn oauth_revoke_token(&mut self, body: Body<'_>) -> Result<Reply, Refusal> {
        let app_id = body.required("app_id", body.text("app_id")?)?;
        let secret = body.required("secret", body.text("secret")?)?;
        let sent = body.required("access_token", body.text("access_token")?)?;
        self.check_app(app_id, secret)?;
        let token = self
            .accounts
            .tokens
            .get_mut(sent)
            .filter(|token| token.app_id == app_id && !token.revoked)
            .ok_or_else(|| {
                Refusal::new(
                    TOKEN_INVALID,
                    "Access token is incorrect or has been revoked.",
                )
            })?;
        token.revoked = true;
        Ok(Reply::ok(
            json!({"app_id": app_id, "advertiser_ids": token.advertiser_ids}),
        ))
    }

    /// `GET /oauth2/advertiser/get/`: the app's id and secret are in the query.
    pub(super) fn oauth_advertiser_get(
        &self,
        token: &Token,
        params: &Params,
    ) -> Result<Reply, Refusal> {
        let app_id = params.text("app_id").ok_or_else(|| missing("app_id"))?;
        let secret = params.text("secret").ok_or_else(|| missing("secret"))?;
        self.check_app(app_id, secret)?;
        if token.app_id != app_id {
            return Err(Refusal::new(
                AUTH_PARAMETER,
                "The app_id does not fit the access token.",
            ));
        }
        let list: Vec<_> = token
            .advertiser_ids
            .iter()
            .filter_map(|id| {
                let advertiser = self.accounts.advertisers.get(id)?;
                Some(json!({"advertiser_id": id, "advertiser_name": advertiser.name}))
            })
            .collect();
        Ok(Reply::ok(json!({ "list": list })))
    }
}
