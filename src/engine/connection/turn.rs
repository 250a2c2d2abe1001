//! One turn of one connection: plan a step, take it, plan again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};

use secrecy::SecretString;

use super::super::calls::backoff;
use super::super::doors::{Clock, Cluster, ClusterError, MetaPatch, Name};
use super::super::due::Why;
use super::super::hearing::Step;
use super::super::queue::Lane;
use super::super::run::Engine;
use super::super::state::Key;
use super::super::turn::Outcome;
use super::report::uid_of;
use super::secrets::{
    ACCESS_TOKEN, ADVERTISER_ID, APP_ID, APP_SECRET, Data, EXPIRES_AT, Own, REFRESH_TOKEN,
    TOKEN_FINGERPRINT, fingerprint, fingerprint_of, import, is_news, note_seen, plain, put_app,
    read_token, token_key, value, write_token,
};
use super::ticket::{mend, put_signing};
use crate::api::FINALIZER;
use crate::api::connection::TikTokConnection;
use crate::model::connection::{ConnectionAction, connect_secret_name, token_secret_name};
use crate::platform::Door;

const STEPS: usize = 12;

/// Is a Secret of ours written by this step?
fn writes_secret(action: &ConnectionAction) -> bool {
    matches!(
        action,
        ConnectionAction::WriteToken
            | ConnectionAction::WriteConnect
            | ConnectionAction::TryCandidate
            | ConnectionAction::Rotate { .. }
            | ConnectionAction::DropPrevious
            | ConnectionAction::Return
            | ConnectionAction::Pick(_)
    )
}

impl<C: Cluster, P: Door, K: Clock> Engine<C, P, K> {
    /// One turn.
    pub(in crate::engine) async fn connection_turn(&self, name: &Name) -> Outcome {
        for _ in 0..STEPS {
            // What was begun is done; another process takes the next step.
            if self.stopping() {
                return Outcome::Parked;
            }
            let found = self.lock().stores.connections.get(name);
            if let Some(object) = found {
                self.store_again(name, &object).await;
            }
            let now = self.clock.now();
            let planned = {
                let mut state = self.lock();
                let Some(object) = state.stores.connections.get(name) else {
                    drop(state);
                    // Nobody is made from its Secrets any more.
                    self.cluster.want_secrets(name, BTreeSet::new());
                    return Outcome::Forgotten;
                };
                let plan = state.plan_connection(name, &object, now);
                state.publish_view(name, &plan, now);
                state.tell_twins(name, &object, now);
                (object, plan)
            };
            let (object, plan) = planned;
            match self.hear(name, &object, &plan).await {
                Ok(Step::Calm) => {}
                Ok(Step::Again) => continue,
                Err(ClusterError::Changed) => {
                    // Somebody else wrote the Secret: read again, plan again.
                    if let Some(memo) = self.lock().connections.get_mut(name) {
                        memo.unread();
                    }
                    continue;
                }
                // Told, and not tried again for a while: the rest goes on.
                Err(error) if self.was_unwritable(name, &error) => continue,
                Err(error) => {
                    self.report_connection(name, &object, &plan).await;
                    return self.connection_failed(name, &error);
                }
            }
            let done = match plan.action.clone() {
                ConnectionAction::Rest => {
                    if self.is_written(name) {
                        continue;
                    }
                    {
                        let mut state = self.lock();
                        let key = Key::Connection(name.clone());
                        match plan.wake {
                            Some(when) => state.wake(&key, Why::Plan, when),
                            None => state.home.due.clear(&key, Why::Plan),
                        }
                    }
                    self.report_connection(name, &object, &plan).await;
                    return Outcome::Rested;
                }
                ConnectionAction::ReadSecrets => self.read_secrets(name, &object).await,
                ConnectionAction::Hold => {
                    let mut finalizers = object.metadata.finalizers.clone().unwrap_or_default();
                    finalizers.push(FINALIZER.into());
                    self.patch_connection(name, &object, finalizers).await
                }
                ConnectionAction::WriteToken => self.write_token(name, &object).await,
                ConnectionAction::WriteConnect => self.write_connect(name, &object).await,
                ConnectionAction::TryCandidate => self.try_candidate(name, &object).await,
                ConnectionAction::Rotate { unclear } => {
                    self.report_connection(name, &object, &plan).await;
                    self.rotate(name, &object, unclear).await
                }
                ConnectionAction::DropPrevious => self.drop_previous(name, &object).await,
                ConnectionAction::Return => self.return_to_previous(name, &object).await,
                ConnectionAction::Pick(advertiser) => {
                    let pick = |data: &mut Data| {
                        data.insert(ADVERTISER_ID.into(), advertiser.clone().into());
                    };
                    self.swap(name, &object, pick).await
                }
                ConnectionAction::Check => {
                    self.report_connection(name, &object, &plan).await;
                    self.check(name, &object).await;
                    Ok(())
                }
                ConnectionAction::Unsubscribe => {
                    self.unsubscribe(name, &object).await;
                    Ok(())
                }
                ConnectionAction::Revoke => {
                    self.report_connection(name, &object, &plan).await;
                    self.revoke(name).await;
                    Ok(())
                }
                ConnectionAction::KeepGrant(what) => {
                    self.keep_grant(name, what);
                    Ok(())
                }
                // Before the token goes: without it the account is closed, and nobody knows its campaigns any more.
                ConnectionAction::Tell => self.tell_left(name, &object).await,
                ConnectionAction::DropToken => self.drop_secrets(name, &object).await,
                ConnectionAction::Release => {
                    let finalizers = object
                        .metadata
                        .finalizers
                        .iter()
                        .flatten()
                        .filter(|f| *f != FINALIZER)
                        .cloned()
                        .collect();
                    match self.patch_connection(name, &object, finalizers).await {
                        Ok(()) => return Outcome::Released,
                        Err(e) => Err(e),
                    }
                }
            };
            match done {
                Ok(()) => {}
                Err(ClusterError::Changed) => {
                    if let Some(memo) = self.lock().connections.get_mut(name) {
                        memo.unread();
                    }
                    match self.cluster.get::<TikTokConnection>(&(), name).await {
                        Ok(live) => {
                            let now = self.clock.now();
                            self.lock().adopt_live_connection(name, &object, live, now);
                        }
                        Err(error) => return self.connection_failed(name, &error),
                    }
                }
                Err(error) if writes_secret(&plan.action) && self.was_unwritable(name, &error) => {}
                Err(error) => return self.connection_failed(name, &error),
            }
        }
        let now = self.clock.now();
        self.lock()
            .push(&Key::Connection(name.clone()), Lane::Change, now);
        Outcome::Stale
    }

    async fn read_secrets(
        &self,
        name: &Name,
        object: &TikTokConnection,
    ) -> Result<(), ClusterError> {
        // What changes while it is read is read again.
        let before = {
            let mut state = self.lock();
            let before = state.advertiser_of(name, object);
            state.connections.entry(name.clone()).or_default().stale = false;
            before
        };
        let read = self.read_all(name, object).await;
        let now = self.clock.now();
        let mut state = self.lock();
        let memo = state.connections.entry(name.clone()).or_default();
        let [app, token, held, connect, keys, path] = match read {
            Ok(read) => read,
            Err(error) => {
                memo.unread();
                return Err(error);
            }
        };
        memo.app = Some(app);
        memo.token = Some(token);
        memo.held = Some(held);
        memo.lay_over(object);
        memo.connect = Some(connect);
        memo.webhook_keys = Some(keys);
        memo.path_token = Some(path);
        let after = state.advertiser_of(name, object);
        if before != after {
            state.push_twins(name, &[before, after], now);
        }
        Ok(())
    }

    /// The app's, the user's token, our two, and the two for webhooks.
    async fn read_all(
        &self,
        name: &Name,
        object: &TikTokConnection,
    ) -> Result<[Option<super::super::doors::SecretCopy>; 6], ClusterError> {
        let spec = &object.spec;
        let webhooks = spec.webhooks.as_ref();
        let names = [
            Some(spec.app_secret_ref.name.clone()),
            spec.token_secret_ref.as_ref().map(|r| r.name.clone()),
            Some(token_secret_name(object)),
            self.lock()
                .settings
                .public
                .is_some()
                .then(|| connect_secret_name(object)),
            webhooks.and_then(|w| Some(w.keys_secret_ref.as_ref()?.name.clone())),
            webhooks.and_then(|w| Some(w.path_token_secret_ref.as_ref()?.name.clone())),
        ]
        .map(|secret| secret.map(|secret| Name::new(name.namespace.clone(), secret)));
        // Before they are read: from then on their changes are told.
        self.cluster
            .want_secrets(name, names.iter().flatten().cloned().collect());
        let mut read = [const { None }; 6];
        for (place, secret) in read.iter_mut().zip(names) {
            if let Some(secret) = secret {
                *place = self.cluster.secret(&secret).await?;
            }
        }
        Ok(read)
    }

    /// Takes over what the users' Secrets have now.
    async fn write_token(
        &self,
        name: &Name,
        object: &TikTokConnection,
    ) -> Result<(), ClusterError> {
        let now = self.clock.now();
        let (app, token, seen_before) = {
            let state = self.lock();
            let Some(memo) = state.connections.get(name) else {
                return Ok(());
            };
            let held = memo.held().map(|h| h.data.clone()).unwrap_or_default();
            let app = memo.app.clone().flatten();
            let token = memo.token.clone().flatten();
            (app, token, plain(&held, TOKEN_FINGERPRINT))
        };
        let from = token_key(object);
        let access = token.as_ref().and_then(|t| value(&t.data, &from).cloned());
        let seen = token
            .as_ref()
            .map(|t| fingerprint_of(&t.data, &[&from], &[REFRESH_TOKEN, EXPIRES_AT]));
        let app = app.and_then(|a| {
            Some((
                value(&a.data, APP_ID)?.clone(),
                value(&a.data, APP_SECRET)?.clone(),
            ))
        });
        let new = access
            .zip(token)
            .zip(seen)
            .filter(|(_, s)| seen_before.as_ref() != Some(s));
        let imported = AtomicBool::new(false);
        let done = self
            .swap(name, object, |data| {
                let news = new
                    .as_ref()
                    .filter(|((access, users), _)| is_news(data, access, &users.data));
                imported.store(news.is_some(), Ordering::Relaxed);
                // What a Secret does not have any more stays as we hold it; and a token stays with the app it is of.
                let other = |id: &SecretString| {
                    let held = value(data, APP_ID).filter(|_| value(data, ACCESS_TOKEN).is_some());
                    held.is_some_and(|held| fingerprint(&[held]) != fingerprint(&[id]))
                };
                if let Some((id, secret)) = &app
                    && (news.is_some() || !other(id))
                {
                    put_app(data, id, secret);
                }
                match (news, &new) {
                    (Some(((access, users), seen)), _) => {
                        import(data, access, &users.data, seen, now);
                    }
                    (None, Some((_, seen))) => note_seen(data, seen),
                    // The app's secret is another: what TikTok refused with the old one is asked anew.
                    (None, None) => {
                        if let Some(token) = read_token(data) {
                            write_token(data, &token.asked_anew());
                        }
                    }
                }
            })
            .await;
        if done.is_ok() {
            let token = imported.into_inner();
            if !token && new.is_some() {
                tracing::info!(connection = %name, "the Secret has a token that was imported before; the one in use stays");
            } else {
                self.forget_token(name, !token);
                tracing::info!(connection = %name, token, "imported");
            }
            let now = self.clock.now();
            let mut state = self.lock();
            let (_, most) = state.settings.backoff;
            if let Some(memo) = state.connections.get_mut(name) {
                memo.space_import(most, now);
            }
        }
        done
    }

    /// What was learned of the token before is of no use for the one that is in use now.
    pub(super) fn forget_token(&self, name: &Name, same: bool) {
        if let Some(memo) = self.lock().connections.get_mut(name) {
            memo.refused = None;
            memo.not_before = None;
            memo.failures = 0;
            memo.life = crate::model::token::Memory {
                answered: memo.life.answered.take().filter(|_| same),
                ..Default::default()
            };
        }
    }

    /// Makes, or mends, the Secret with the ticket: a ticket that is there stays as long as it is good. What signs it comes
    /// first, and lies in our token Secret.
    async fn write_connect(
        &self,
        name: &Name,
        object: &TikTokConnection,
    ) -> Result<(), ClusterError> {
        let (copy, signing, app, public) = {
            let state = self.lock();
            let memo = state.connections.get(name);
            let app = memo.and_then(|m| m.app());
            (
                memo.and_then(|m| m.connect.clone().flatten()),
                state.signing(name),
                app.and_then(|a| {
                    Some((
                        value(&a.data, APP_ID)?.clone(),
                        value(&a.data, APP_SECRET)?.clone(),
                    ))
                }),
                state.settings.public.clone(),
            )
        };
        let Some(public) = public else {
            return Ok(());
        };
        let Some(signing) = signing else {
            let (key, nonce) = (self.clock.entropy(), self.clock.entropy());
            return self
                .swap(name, object, |data| {
                    put_signing(data, &key, &nonce);
                    if let Some((id, secret)) = app.filter(|_| plain(data, APP_ID).is_none()) {
                        put_app(data, &id, &secret);
                    }
                })
                .await;
        };
        let mut data = copy.as_ref().map(|c| c.data.clone()).unwrap_or_default();
        let (chance, now) = (self.clock.entropy(), self.clock.now());
        mend(&mut data, object, &public.url, &signing, chance, now);
        let write = Own::Connect.write(object, copy.map(|c| c.resource_version), data);
        let done = self.cluster.write_secret(&write).await;
        self.learn_write(name, Own::Connect, &done);
        if let Some(memo) = self.lock().connections.get_mut(name) {
            memo.unread();
        }
        done
    }

    async fn patch_connection(
        &self,
        name: &Name,
        object: &TikTokConnection,
        finalizers: Vec<String>,
    ) -> Result<(), ClusterError> {
        let patch = MetaPatch {
            uid: object.metadata.uid.clone().unwrap_or_default(),
            resource_version: object.metadata.resource_version.clone().unwrap_or_default(),
            finalizers: Some(finalizers),
            annotations: BTreeMap::new(),
        };
        let written: TikTokConnection = self.cluster.patch_meta(&(), name, &patch).await?;
        self.lock()
            .adopt_connection(name, uid_of(object), Some(written), self.clock.now());
        Ok(())
    }

    pub(super) fn connection_failed(&self, name: &Name, error: &ClusterError) -> Outcome {
        let now = self.clock.now();
        let mut state = self.lock();
        let limits = state.settings.backoff;
        let memo = state.connections.entry(name.clone()).or_default();
        memo.failures += 1;
        let wait = backoff(limits, memo.failures);
        tracing::warn!(connection = %name, %error, "the API server did not take it");
        state.wake(&Key::Connection(name.clone()), Why::Backoff, now + wait);
        Outcome::Failed
    }
}
