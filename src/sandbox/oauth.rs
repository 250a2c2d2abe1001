//! The OAuth calls of a Marketing API app: exchange, refresh, revoke and the advertiser list.

use serde_json::{Value, json};

use super::{
    Sandbox,
    envelope::{
        APP_REFUSED, AUTH_CODE, AUTH_PARAMETER, GRANT_TYPE, REFRESH_TOKEN_EXPIRED,
        REFRESH_TOKEN_INVALID, Refusal, Reply,
    },
    knobs,
    query::{Body, Params, missing},
    tokens::{Grant, RefreshToken, Token, invalid_token},
};

/// A refresh token that a new access token comes with instead of one of its own.
pub(super) struct Reused {
    text: String,
    expires_at: Option<i64>,
}

fn wrong_app() -> Refusal {
    Refusal::new(APP_REFUSED, "The app_id does not fit the token.")
}

impl Sandbox {
    /// The app by its id and secret: 40113 for one that is unknown or blocked, 40101 for the wrong secret.
    pub(super) fn check_app(&self, app_id: &str, secret: &str) -> Result<(), Refusal> {
        let app = self
            .accounts
            .apps
            .get(app_id)
            .ok_or_else(|| Refusal::new(APP_REFUSED, "The app does not exist."))?;
        if app.secret != secret {
            return Err(Refusal::new(
                AUTH_PARAMETER,
                "The app_id or secret is incorrect.",
            ));
        }
        self.check_not_blocked(app_id)
    }

    /// Reads and checks the app of a body.
    pub(super) fn app_of(&self, body: Body<'_>) -> Result<String, Refusal> {
        let app_id = body.required("app_id", body.text("app_id")?)?;
        let secret = body.required("secret", body.text("secret")?)?;
        self.check_app(app_id, secret)?;
        Ok(app_id.to_owned())
    }

    /// `POST /oauth2/access_token/`.
    pub(super) fn oauth_access_token(&mut self, at: i64, body: Body<'_>) -> Result<Reply, Refusal> {
        let code = body.text("auth_code")?;
        let with_advertisers = body.boolean("return_advertiser_ids")?.unwrap_or(true);
        let app_id = self.app_of(body)?;
        let code = body.required("auth_code", code)?;
        let refusal = || {
            Refusal::new(
                AUTH_CODE,
                "The auth_code is invalid, has been used or has expired.",
            )
        };
        let found = self.accounts.auth_codes.get_mut(code).ok_or_else(refusal)?;
        if found.grant.app_id != app_id
            || found.used
            || found.expires_at.is_some_and(|end| end <= at)
        {
            return Err(refusal());
        }
        found.used = true;
        let grant = found.grant.clone();
        Ok(Reply::ok(self.issue(at, &grant, None, with_advertisers)))
    }

    /// `POST /oauth2/refresh_token/`: exists only for tokens that came with a refresh token.
    pub(super) fn oauth_refresh_token(
        &mut self,
        at: i64,
        body: Body<'_>,
    ) -> Result<Reply, Refusal> {
        let sent = body.text("refresh_token")?;
        let grant_type = body.text("grant_type")?;
        let with_advertisers = body.boolean("return_advertiser_ids")?.unwrap_or(true);
        let app_id = self.app_of(body)?;
        let sent = body.required("refresh_token", sent)?;
        let invalid = || {
            Refusal::new(
                REFRESH_TOKEN_INVALID,
                "The refresh token is incorrect, or the token is a long-term token.",
            )
        };
        let found = self.accounts.refresh_tokens.get(sent).cloned();
        let advertiser = found
            .as_ref()
            .and_then(|found| found.grant.advertiser_ids.first().cloned())
            .unwrap_or_default();
        let may_leave_out = self
            .knobs
            .is(&knobs::REFRESH_GRANT_TYPE, &advertiser, "optional");
        if grant_type.map_or(!may_leave_out, |grant| grant != "refresh_token") {
            return Err(Refusal::new(GRANT_TYPE, "The grant_type is incorrect."));
        }
        let found = found.ok_or_else(invalid)?;
        if found.grant.app_id != app_id {
            return Err(wrong_app());
        }
        if found.used {
            if self
                .knobs
                .is(&knobs::REFRESH_REPLAY, &advertiser, "revokes_grant")
            {
                self.revoke_grant(&app_id, &found.grant.user_id);
            }
            return Err(invalid());
        }
        if found.expires_at.is_some_and(|end| end <= at) {
            return Err(Refusal::new(
                REFRESH_TOKEN_EXPIRED,
                "The refresh token is expired.",
            ));
        }
        let rotates = self
            .knobs
            .is(&knobs::REFRESH_TOKEN_USE, &advertiser, "rotating");
        if self.knobs.is(
            &knobs::ACCESS_TOKEN_AFTER_REFRESH,
            &advertiser,
            "revoked_on_refresh",
        ) && let Some(old) = self.accounts.tokens.get_mut(&found.access_token)
        {
            old.revoked = true;
        }
        let reused = (!rotates).then(|| Reused {
            text: sent.to_owned(),
            expires_at: found.expires_at,
        });
        if rotates && let Some(old) = self.accounts.refresh_tokens.get_mut(sent) {
            old.used = true;
        }
        Ok(Reply::ok(self.issue(
            at,
            &found.grant,
            reused,
            with_advertisers,
        )))
    }

    /// All that an answer says of it but the advertisers.
    fn issue_parts(&mut self, at: i64, grant: &Grant, reused: Option<Reused>) -> Value {
        let advertiser = grant.advertiser_ids.first().cloned().unwrap_or_default();
        let text = |sandbox: &Self, knob| sandbox.knobs.text(knob, &advertiser).to_owned();
        let profile = text(self, &knobs::TOKEN_PROFILE);
        let expiry_field = text(self, &knobs::TOKEN_EXPIRY_FIELD);
        let lifetime = self.knobs.whole(&knobs::TOKEN_LIFETIME, &advertiser);
        let access_token = self.next_hex(40);
        let mut data = json!({"access_token": access_token, "scope": grant.scopes});
        let said = match profile.as_str() {
            "expiry" | "expiry_refresh" => Some(lifetime),
            "long_lived_zero" => Some(0),
            _ => None,
        };
        if let Some(seconds) = said {
            for field in ["expires_in", "access_token_expire_in"] {
                if expiry_field == field || expiry_field == "both" {
                    data[field] = json!(seconds);
                }
            }
        }
        let expires_at = said
            .filter(|seconds| *seconds > 0 || profile.starts_with("expiry"))
            .map(|seconds| at.saturating_add(seconds.saturating_mul(1_000)));
        if profile == "expiry_refresh" {
            let Reused {
                text: refresh_token,
                expires_at,
            } = match reused {
                Some(reused) => reused,
                None => Reused {
                    text: self.next_hex(40),
                    expires_at: match self.knobs.ms(&knobs::REFRESH_LIFETIME, &advertiser) {
                        i64::MAX => None,
                        ms => Some(at.saturating_add(ms)),
                    },
                },
            };
            data["refresh_token"] = json!(refresh_token);
            if let Some(end) = expires_at {
                let seconds = (end - at).max(0) / 1_000;
                match self.knobs.text(&knobs::REFRESH_EXPIRY_FIELD, &advertiser) {
                    "omitted" => {}
                    field => data[field] = json!(seconds),
                }
            }
            data["token_type"] = json!("Bearer");
            let entry = RefreshToken {
                grant: grant.clone(),
                access_token: access_token.clone(),
                expires_at,
                used: false,
            };
            self.accounts.refresh_tokens.insert(refresh_token, entry);
        }
        let token = Token {
            grant: grant.clone(),
            expires_at,
            revoked: false,
        };
        self.accounts.tokens.insert(access_token, token);
        data
    }

    /// A new token of the profile in force. Where the profile has refresh tokens it gets one of its own, unless one is
    /// used again. What was issued before is not touched.
    pub(super) fn issue(
        &mut self,
        at: i64,
        grant: &Grant,
        reused: Option<Reused>,
        with_advertisers: bool,
    ) -> Value {
        let mut data = self.issue_parts(at, grant, reused);
        if with_advertisers {
            data["advertiser_ids"] = json!(grant.advertiser_ids);
        }
        data
    }

    /// `POST /oauth2/revoke_token/`: this token, or all that its user granted the app. Answers with the advertisers
    /// that lost access.
    pub(super) fn oauth_revoke_token(&mut self, body: Body<'_>) -> Result<Reply, Refusal> {
        let sent = body.text("access_token")?;
        let app_id = self.app_of(body)?;
        let sent = body.required("access_token", sent)?;
        let token = self
            .accounts
            .tokens
            .get(sent)
            .filter(|token| !token.revoked)
            .ok_or_else(invalid_token)?;
        let grant = token.grant.clone();
        if grant.app_id != app_id {
            return Err(wrong_app());
        }
        let advertiser = grant.advertiser_ids.first().cloned().unwrap_or_default();
        let lost = if self.knobs.is(&knobs::REVOKE_SCOPE, &advertiser, "grant") {
            self.revoke_grant(&app_id, &grant.user_id)
        } else {
            self.revoke_token(sent);
            grant.advertiser_ids
        };
        Ok(Reply::ok(json!({"app_id": app_id, "advertiser_ids": lost})))
    }

    /// `GET /oauth2/advertiser/get/`: the app's id and secret are in the query.
    pub(super) fn oauth_advertiser_get(
        &self,
        token: &Token,
        params: &Params,
    ) -> Result<Reply, Refusal> {
        let app_id = self.app_of_query(params)?;
        if token.grant.app_id != app_id {
            return Err(wrong_app());
        }
        let list: Vec<_> = token
            .grant
            .advertiser_ids
            .iter()
            .filter_map(|id| {
                let advertiser = self.accounts.advertisers.get(id)?;
                Some(json!({"advertiser_id": id, "advertiser_name": advertiser.name}))
            })
            .collect();
        Ok(Reply::ok(json!({ "list": list })))
    }

    /// Reads and checks the app of a query.
    pub(super) fn app_of_query(&self, params: &Params) -> Result<String, Refusal> {
        let app_id = params.text("app_id").ok_or_else(|| missing("app_id"))?;
        let secret = params.text("secret").ok_or_else(|| missing("secret"))?;
        self.check_app(app_id, secret)?;
        Ok(app_id.to_owned())
    }
}
