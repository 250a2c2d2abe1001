//! A token that was just authorised: is it taken, and what becomes of it if not (R22, R26)?

use secrecy::ExposeSecret;

use super::super::calls::backoff;
use super::super::doors::{Clock, Cluster, ClusterError, Name};
use super::super::due::Why;
use super::super::run::Engine;
use super::super::state::Key;
use super::check::With;
use super::secrets::{
    ACCESS_TOKEN, APP_ID, Data, NewToken, drop_candidate, fingerprint, plain, read_candidate,
    take_candidate, value,
};
use crate::api::connection::TikTokConnection;
use crate::model::connection::{CHECK_SPACING, CheckResult, Checked, Granted, Grants};
use crate::platform::{Call, Door, ErrorClass, PlatformError, Urgency};

impl<C: Cluster, P: Door, K: Clock> Engine<C, P, K> {
    /// R26: whether the token that was authorised reaches the advertiser; and then it is in use. Only in the connection's
    /// own turn.
    pub(super) async fn try_candidate(
        &self,
        name: &Name,
        object: &TikTokConnection,
    ) -> Result<(), ClusterError> {
        let data = {
            let state = self.lock();
            state
                .connections
                .get(name)
                .and_then(|m| m.held())
                .map(|h| h.data.clone())
        };
        let Some(data) = data else {
            return Ok(());
        };
        let Some(new) = read_candidate(&data) else {
            // Half of one cannot be used.
            return self.swap(name, object, drop_candidate).await;
        };
        let id = fingerprint(&[&new.access]);
        let app = new.app_id.expose_secret().trim().to_string();
        let with = With {
            app: &app,
            secret: &new.app_secret,
            token: &new.access,
        };
        let reaches = match self.granted(&with).await {
            Ok(reaches) => reaches,
            Err(error) if matches!(error.class, ErrorClass::Auth(_)) => {
                let why = error.lasting();
                self.swap(name, object, drop_candidate).await?;
                self.was_tried(name, id, Err(why));
                return Ok(());
            }
            Err(error) => {
                self.candidate_waits(name, &error);
                return Ok(());
            }
        };
        let listed = |wanted: &str| reaches.iter().any(|(id, _)| id == wanted);
        if let Some(wanted) = object.spec.advertiser_id.as_deref()
            && !listed(wanted)
        {
            let revoked = self.revoke_refused(name, &data, &new, &app).await;
            self.swap(name, object, drop_candidate).await?;
            let why = format!(
                "the authorisation reaches {} ad accounts, and {wanted}, which the manifest names, is not among them; authorise with a user who may use it{revoked}",
                reaches.len()
            );
            tracing::warn!(connection = %name, %why, "the new token is not taken");
            self.was_tried(name, id, Err(why));
            return Ok(());
        }
        self.swap(name, object, |data| take_candidate(data, &new, listed))
            .await?;
        self.forget_token(name, false);
        self.took_candidate(name, &id, reaches);
        tracing::info!(connection = %name, token = %id, "the authorised token is in use");
        self.was_tried(name, id, Ok(()));
        Ok(())
    }

    /// R22: a token that is not taken is ended, unless that could end another grant of the same app.
    async fn revoke_refused(
        &self,
        name: &Name,
        data: &Data,
        new: &NewToken,
        app: &str,
    ) -> &'static str {
        let alone = {
            let state = self.lock();
            let own =
                value(data, ACCESS_TOKEN).is_some() && plain(data, APP_ID).as_deref() == Some(app);
            !own && state.grants(name, app) == Grants::Nobody
        };
        if !alone {
            return ". It was not revoked, because the app is in use here";
        }
        let call = Call::Revoke {
            app_id: app.to_string(),
            secret: new.app_secret.clone(),
            access_token: new.access.clone(),
        };
        match self
            .home_call((app, &new.app_secret), None, &call, Urgency::Normal)
            .await
        {
            Ok(_) => ". It was revoked",
            Err(_) => ". It could not be revoked: end the app's access in TikTok",
        }
    }

    /// The new token has answered already. The account is the same, so nobody waits until it is asked about again, which
    /// is done at once: the person who authorised may be another.
    fn took_candidate(&self, name: &Name, id: &str, reaches: Vec<(String, String)>) {
        let now = self.clock.now();
        let mut state = self.lock();
        let Some(memo) = state.connections.get_mut(name) else {
            return;
        };
        memo.life.answered = Some(id.into());
        let known = match memo.check.take().map(|c| c.result) {
            Some(CheckResult::Granted(granted)) => granted.account,
            _ => None,
        };
        let Some(account) = known.filter(|a| reaches.iter().any(|(id, _)| *id == a.id)) else {
            return;
        };
        memo.doubted = Some(now);
        memo.check = Some(Checked {
            at: now - CHECK_SPACING,
            token: id.into(),
            result: CheckResult::Granted(Granted {
                advertisers: reaches.into(),
                account: Some(account),
                ..Granted::default()
            }),
        });
    }

    fn candidate_waits(&self, name: &Name, error: &PlatformError) {
        let now = self.clock.now();
        let mut state = self.lock();
        let limits = state.settings.backoff;
        let memo = state.connections.entry(name.clone()).or_default();
        memo.failures += 1;
        let until = now + backoff(limits, memo.failures);
        memo.not_before = Some(until);
        tracing::warn!(connection = %name, %error, "TikTok did not say what the new token reaches");
        state.wake(&Key::Connection(name.clone()), Why::Backoff, until);
    }

    fn was_tried(&self, name: &Name, id: String, result: Result<(), String>) {
        if let Some(memo) = self.lock().connections.get_mut(name) {
            memo.tried = Some((id, result));
        }
    }
}
