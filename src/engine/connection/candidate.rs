//! A token that was just authorised: is it taken, and what becomes of it if not (R22, R26)?

use secrecy::ExposeSecret;

use super::super::calls::backoff;
use super::super::doors::{Clock, Cluster, ClusterError, Name};
use super::super::due::Why;
use super::super::run::Engine;
use super::super::state::Key;
use super::check::{With, kills_token};
use super::secrets::{
    ACCESS_TOKEN, ADVERTISER_ID, APP_ID, Data, NewToken, drop_candidate, fingerprint, plain,
    read_candidate, take_candidate, value,
};
use crate::api::connection::TikTokConnection;
use crate::model::connection::{CHECK_SPACING, CheckResult, Checked, Granted, Grants};
use crate::platform::{Call, Door, ErrorClass, PlatformError, Urgency, clean};

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
                let why = why.trim_end_matches('.');
                let ended = self.revoke_refused(name, &data, &new).await;
                return self.refuse(name, object, id, format!("{why}{ended}")).await;
            }
            Err(error) => {
                self.candidate_waits(name, id, &error);
                return Ok(());
            }
        };
        // The ad account of the connection is what its manifest names, else what was picked. A pick stands whatever became
        // of the token: the campaigns belong to it.
        let listed = |wanted: &str| reaches.iter().any(|(id, _)| id == wanted);
        let named = object.spec.advertiser_id.clone();
        let picked = plain(&data, ADVERTISER_ID).filter(|_| named.is_none());
        if let Some(wanted) = named.filter(|wanted| !listed(wanted)) {
            let ended = self.revoke_refused(name, &data, &new).await;
            let why = format!(
                "the authorisation reaches {}, and {wanted}, which the manifest names, is not among them; authorise with a user who may use it{ended}",
                those(&reaches)
            );
            return self.refuse(name, object, id, why).await;
        }
        if let Some(wanted) = picked.filter(|wanted| !listed(wanted)) {
            let ended = self.revoke_refused(name, &data, &new).await;
            let why = format!(
                "this connection is for the ad account {}, which was picked for it, and the authorisation reaches {}, so the ad account and the token before stay; authorise with a user who may use {wanted}. If the connection is to have another ad account from now on, name that in spec.advertiserId (what runs in {wanted} is not looked after any more then), and authorise again{ended}",
                self.called(object, &wanted),
                those(&reaches)
            );
            return self.refuse(name, object, id, why).await;
        }
        self.swap(name, object, |data| take_candidate(data, &new))
            .await?;
        self.forget_token(name, false);
        self.took_candidate(name, &id, reaches);
        tracing::info!(connection = %name, token = %id, "the authorised token is in use");
        self.was_tried(name, id, Ok(()));
        Ok(())
    }

    /// The token is not taken, and whoever waits for it is told why.
    async fn refuse(
        &self,
        name: &Name,
        object: &TikTokConnection,
        id: String,
        why: String,
    ) -> Result<(), ClusterError> {
        self.swap(name, object, drop_candidate).await?;
        tracing::warn!(connection = %name, %why, "the new token is not taken");
        self.was_tried(name, id, Err(why));
        Ok(())
    }

    /// Id and, as far as it is known, name of the ad account of a connection.
    fn called(&self, object: &TikTokConnection, advertiser: &str) -> String {
        let status = object.status.as_ref().and_then(|s| s.advertiser.as_ref());
        match status.filter(|a| a.id == advertiser) {
            Some(account) => shown(&account.id, &account.name),
            None => advertiser.into(),
        }
    }

    /// R22: a token that is not taken is ended, unless that could end another grant of the same app. What became of it, as
    /// the end of a sentence. `data`: our token Secret.
    pub(super) async fn revoke_refused(
        &self,
        name: &Name,
        data: &Data,
        new: &NewToken,
    ) -> &'static str {
        let app = new.app_id.expose_secret().trim();
        let alone = {
            let state = self.lock();
            let own =
                value(data, ACCESS_TOKEN).is_some() && plain(data, APP_ID).as_deref() == Some(app);
            !own && state.grants(name, app) == Grants::Nobody
        };
        if !alone {
            return ". The new token was not revoked, because the app is in use here";
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
            Ok(_) => ". The new token was revoked",
            Err(error) if matches!(error.class, ErrorClass::Auth(problem) if kills_token(problem)) => {
                ". The new token works no more"
            }
            Err(_) => ". The new token could not be revoked: end the app's access in TikTok",
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

    fn candidate_waits(&self, name: &Name, id: String, error: &PlatformError) {
        let now = self.clock.now();
        let mut state = self.lock();
        let limits = state.settings.backoff;
        let memo = state.connections.entry(name.clone()).or_default();
        memo.waits = Some(id);
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

/// Ad accounts that are named in a sentence.
const NAMED: usize = 3;

/// What a token reaches, in words.
fn those(reaches: &[(String, String)]) -> String {
    let first: Vec<String> = reaches
        .iter()
        .take(NAMED)
        .map(|(id, name)| shown(id, name))
        .collect();
    match reaches.len() {
        0 => "no ad account".into(),
        1 => format!("1 ad account ({})", first.join(", ")),
        all if all <= NAMED => format!("{all} ad accounts ({})", first.join(", ")),
        all => format!("{all} ad accounts ({}, …)", first.join(", ")),
    }
}

fn shown(id: &str, name: &str) -> String {
    match clean(name, 60) {
        name if name.trim().is_empty() => id.into(),
        name => format!("{id} {name}"),
    }
}
