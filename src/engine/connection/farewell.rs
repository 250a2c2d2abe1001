//! Disconnecting (R22): subscriptions, the grant, the last event, the Secrets.

use jiff::Timestamp;

use secrecy::SecretString;

use super::super::account::AccountId;
use super::super::doors::{Clock, Cluster, ClusterError, Name, Note};
use super::super::run::Engine;
use super::super::state::State;
use super::check::kills_token;
use super::secrets::{Own, is_ours};
use crate::api::connection::TikTokConnection;
use crate::model::connection::{
    AccountLeft, FAREWELL_CALL, FAREWELL_WITHIN, Left, Revoked, after_revoke, farewell_call,
    last_event,
};
use crate::model::facts::ConnectionView;
use crate::platform::{
    Call, Door, ErrorClass, Kind, PlatformError, Reply, TransportError, Urgency, transport_error,
};

/// Lists are begun every so often; one that is older than two of them and this says nothing of now.
const LATELY: std::time::Duration = std::time::Duration::from_secs(300);

/// An API server that takes no events holds nobody: they are given up after so many tries.
const TELLS: u32 = 5;

impl<C: Cluster, P: Door, K: Clock> Engine<C, P, K> {
    /// Ends the subscriptions that were made for the connection, as far as TikTok lets it within a moment.
    pub(super) async fn unsubscribe(&self, name: &Name, object: &TikTokConnection) {
        let begun = {
            let now = self.clock.now();
            let mut state = self.lock();
            // What is known of the account before its token ends: a list that is refused because of that knows nothing.
            let left = state.left(name, object, now);
            let memo = state.connections.entry(name.clone()).or_default();
            memo.left.get_or_insert(left);
            *memo.farewell.begun.get_or_insert(now)
        };
        // One try to end the grant has its time afterwards.
        let until = begun + (FAREWELL_WITHIN - FAREWELL_CALL);
        self.unsubscribe_all(name, until).await;
        if let Some(memo) = self.lock().connections.get_mut(name) {
            memo.farewell.unsubscribed = true;
        }
    }

    /// One attempt to end the grant at TikTok.
    pub(super) async fn revoke(&self, name: &Name) {
        let now = self.clock.now();
        let (held, begun) = {
            let state = self.lock();
            let memo = state.connections.get(name);
            let begun = memo.and_then(|m| m.farewell.begun);
            (state.held(name), begun.unwrap_or(now))
        };
        let Some((app, secret, token, _)) = held else {
            let why = "the stored token cannot be read, so it was not revoked; to end it, revoke the app's access in TikTok";
            self.keep_grant(name, Revoked::Stays(why.into()));
            return;
        };
        let call = Call::Revoke {
            app_id: app.clone(),
            secret: secret.clone(),
            access_token: token,
        };
        let answer = match self.farewell_call((&app, &secret), &call, begun, now).await {
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
        let done = after_revoke(self.clock.now(), answer);
        tracing::info!(connection = %name, ?done, "asked TikTok to revoke the token");
        if let Some(memo) = self.lock().connections.get_mut(name) {
            match done {
                Ok(revoked) => memo.farewell.revoked = Some(revoked),
                Err(again) => memo.farewell.revoke_again = Some(again),
            }
        }
    }

    /// A call that is over, answered or not, before the farewell's time is.
    async fn farewell_call(
        &self,
        (app, secret): (&str, &SecretString),
        call: &Call,
        begun: Timestamp,
        now: Timestamp,
    ) -> Result<Reply, PlatformError> {
        let not_sent = |why: &str| Err(transport_error(call, TransportError::NotSent(why.into())));
        let Some(most) = farewell_call(begun, now) else {
            return not_sent("there is no time left for it");
        };
        let Some(fence) = self.fence() else {
            return not_sent("the lease does not cover this call");
        };
        let (asked, deadline) = {
            let mut state = self.lock();
            let deadline = state.settings.call_deadline.min(most);
            let budget = state.budget_of(app, secret);
            let urgency = Urgency::Normal;
            (
                state.budgets.ask(&budget, "", call.path(), urgency, now),
                deadline,
            )
        };
        if asked.is_err() {
            return not_sent("the request budget is used up for the moment");
        }
        self.sent_home((app, secret), None, call, fence, deadline)
            .await
    }

    /// The grant stays, or there is none.
    pub(super) fn keep_grant(&self, name: &Name, what: Revoked) {
        if let Some(memo) = self.lock().connections.get_mut(name) {
            memo.farewell.revoked = Some(what);
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

    /// The last event: what became of the grant, and what is still on (R22). Nothing else says so, so it is made again if it
    /// may not have been.
    pub(super) async fn tell_left(
        &self,
        name: &Name,
        object: &TikTokConnection,
    ) -> Result<(), ClusterError> {
        let (revoked, left) = {
            let now = self.clock.now();
            let state = self.lock();
            let left = state.left(name, object, now);
            let memo = state.connections.get(name);
            let before = memo.and_then(|m| m.left.clone());
            let before = before.filter(|before| is_known(before) && !is_known(&left));
            let revoked = memo.and_then(|m| m.farewell.revoked.clone());
            (revoked, before.unwrap_or(left))
        };
        let (warning, message) = last_event(revoked.as_ref(), &left);
        tracing::info!(connection = %name, %message, "disconnected");
        let note = Note {
            kind: "TikTokConnection",
            about: name.clone(),
            uid: object.metadata.uid.clone().unwrap_or_default(),
            warning,
            reason: "Disconnected".into(),
            message,
        };
        let done = self.cluster.note(&note).await;
        let tries = match self.lock().connections.get_mut(name) {
            Some(memo) => {
                memo.telling += 1;
                memo.telling
            }
            None => TELLS,
        };
        match done {
            Err(error @ ClusterError::Unclear(_)) if tries < TELLS => return Err(error),
            Err(error) => tracing::warn!(connection = %name, %error, "event not published"),
            Ok(()) => {}
        }
        if let Some(memo) = self.lock().connections.get_mut(name) {
            memo.farewell.said = true;
        }
        Ok(())
    }
}

fn is_known(left: &Left) -> bool {
    !matches!(left, Left::Account(account) if account.read.is_none())
}

impl State {
    /// What a connection leaves behind, as far as is known now.
    fn left(&self, name: &Name, object: &TikTokConnection, now: Timestamp) -> Left {
        if let Some(older) = self.twin_before(name, object) {
            return Left::LookedAfter(older);
        }
        let Some(ConnectionView::Usable(usable)) = self.views.get(name) else {
            return match self.advertiser_of(name, object) {
                Some(_) => Left::Account(AccountLeft::default()),
                None => Left::NoAccount,
            };
        };
        let id = AccountId {
            app: usable.app.clone(),
            advertiser: usable.advertiser.clone(),
        };
        let Some(account) = self.accounts.get(&id) else {
            return Left::Account(AccountLeft::default());
        };
        let view = account.ceiling(now);
        let oldest = now - 2 * self.settings.sweep_every - LATELY;
        let lists = self.lists_of_spending(name).into_iter();
        let read = lists
            .map(|list| account.table.listed(list).map(|begun| begun.at))
            .min()
            .flatten()
            .filter(|at| *at >= oldest);
        let row = |kind: Kind, id: &str| account.table.last_known(&(kind, id.to_string()));
        Left::Account(AccountLeft::new(&view, read, row, &usable.currency))
    }
}
