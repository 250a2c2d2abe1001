//! Disconnecting (R22): subscriptions, the grant, the last event, the Secrets.

use super::super::account::AccountId;
use super::super::doors::{Clock, Cluster, ClusterError, Name, Note};
use super::super::run::Engine;
use super::check::kills_token;
use super::secrets::{Own, is_ours};
use crate::api::connection::TikTokConnection;
use crate::model::connection::{Revoked, after_revoke};
use crate::model::facts::ConnectionView;
use crate::platform::{Call, Door, ErrorClass, Urgency};

impl<C: Cluster, P: Door, K: Clock> Engine<C, P, K> {
    /// Ends the subscriptions that were made for the connection, as far as TikTok lets it within a moment.
    pub(super) async fn unsubscribe(&self, name: &Name) {
        self.unsubscribe_all(name).await;
        if let Some(memo) = self.lock().connections.get_mut(name) {
            memo.farewell.unsubscribed = true;
        }
    }

    /// One attempt to end the grant at TikTok.
    pub(super) async fn revoke(&self, name: &Name) {
        let held = self.lock().held(name);
        let Some((app, secret, token, _)) = held else {
            self.keep_grant(name, "there was no token to revoke".into());
            return;
        };
        let now = self.clock.now();
        let begun = {
            let mut state = self.lock();
            let memo = state.connections.entry(name.clone()).or_default();
            *memo.farewell.revoke_begun.get_or_insert(now)
        };
        let call = Call::Revoke {
            app_id: app.clone(),
            secret: secret.clone(),
            access_token: token,
        };
        let answer = match self
            .home_call((&app, &secret), None, &call, Urgency::Normal)
            .await
        {
            Ok(_) => Ok(()),
            Err(error) => match error.class {
                // It had ended before.
                ErrorClass::Auth(problem) if kills_token(problem) => Ok(()),
                ErrorClass::Auth(_) | ErrorClass::Rejected(_) | ErrorClass::Gone => {
                    Err((true, error.lasting()))
                }
                ErrorClass::Retry | ErrorClass::Throttled(_) | ErrorClass::Ambiguous => {
                    Err((false, error.lasting()))
                }
            },
        };
        let done = after_revoke(begun, self.clock.now(), answer);
        tracing::info!(connection = %name, ?done, "asked TikTok to revoke the token");
        if let Some(memo) = self.lock().connections.get_mut(name) {
            match done {
                Ok(revoked) => memo.farewell.revoked = Some(revoked),
                Err(again) => memo.farewell.revoke_again = Some(again),
            }
        }
    }

    /// The grant stays, for this reason.
    pub(super) fn keep_grant(&self, name: &Name, why: String) {
        if let Some(memo) = self.lock().connections.get_mut(name) {
            memo.farewell.revoked = Some(Revoked::Not(why));
        }
    }

    /// Removes our two Secrets.
    pub(super) async fn drop_secrets(
        &self,
        name: &Name,
        object: &TikTokConnection,
    ) -> Result<(), ClusterError> {
        let uids = {
            let state = self.lock();
            let memo = state.connections.get(name);
            let connect = memo.and_then(|m| m.connect.clone().flatten());
            [
                (
                    Own::Connect,
                    connect.filter(|c| is_ours(c, object)).map(|c| c.uid),
                ),
                (
                    Own::Token,
                    memo.and_then(|m| m.held()).map(|h| h.uid.clone()),
                ),
            ]
        };
        for (own, uid) in uids {
            if let Some(uid) = uid {
                let done = self.cluster.drop_secret(&own.name(object), &uid).await;
                if done.is_err() {
                    if let Some(memo) = self.lock().connections.get_mut(name) {
                        memo.unread();
                    }
                    return done;
                }
            }
        }
        if let Some(memo) = self.lock().connections.get_mut(name) {
            memo.held = Some(None);
            memo.connect = Some(None);
        }
        Ok(())
    }

    /// The last event lists what is still on (R22).
    pub(super) async fn farewell(&self, name: &Name, object: &TikTokConnection) {
        let revoked = self
            .lock()
            .connections
            .get(name)
            .and_then(|m| m.farewell.revoked.clone());
        let active: Option<Vec<String>> = {
            let state = self.lock();
            let usable = match state.views.get(name) {
                Some(ConnectionView::Usable(a)) => Some(a.clone()),
                _ => None,
            };
            usable.map(|a| {
                let id = AccountId {
                    app: a.app.clone(),
                    advertiser: a.advertiser.clone(),
                };
                let rows = state
                    .accounts
                    .get(&id)
                    .into_iter()
                    .flat_map(|account| account.table.rows());
                // What is in a campaign that is off does not run; ads spend what their ad groups may.
                rows.filter(|r| r.kind == crate::platform::Kind::Campaign)
                    .filter(|r| r.operation == crate::platform::OperationState::On)
                    .map(|r| {
                        format!(
                            "{} ({} {} a day)",
                            r.id,
                            r.budget
                                .map_or_else(|| "no budget of its own".into(), |b| b.to_string()),
                            a.currency
                        )
                    })
                    .collect()
            })
        };
        let grant = match &revoked {
            Some(Revoked::Done) => "; the token was revoked".to_string(),
            Some(Revoked::Not(why)) => format!("; {why}"),
            None => String::new(),
        };
        // It never got as far as an account.
        let Some(active) = active else {
            tracing::info!(connection = %name, "disconnected{grant}");
            return;
        };
        let message = if active.is_empty() {
            format!("disconnected{grant}; no campaign of the account was on when it was last read")
        } else {
            let first: Vec<&str> = active.iter().take(20).map(String::as_str).collect();
            format!(
                "disconnected{grant}; {} campaigns of the account are still on: {}",
                active.len(),
                first.join(", ")
            )
        };
        let uid = object.metadata.uid.clone().unwrap_or_default();
        self.note(Note {
            kind: "TikTokConnection",
            about: name.clone(),
            uid,
            warning: !active.is_empty(),
            reason: "Disconnected".into(),
            message,
        })
        .await;
    }
}
