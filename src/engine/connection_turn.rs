//! One turn of one connection: read its Secrets, import the token, check the account, or disconnect.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use secrecy::SecretString;

use super::account::AccountId;
use super::calls::backoff;
use super::connection_facts::{
    ACCESS_TOKEN, APP_FINGERPRINT, APP_ID, APP_SECRET, LABEL, TOKEN_FINGERPRINT, app_fingerprint,
    fingerprint, label_value, token_key,
};
use super::doors::{Clock, Cluster, ClusterError, MetaPatch, Name, Note, SecretCopy, SecretWrite};
use super::due::Why;
use super::queue::Lane;
use super::run::Engine;
use super::state::Key;
use super::turn::Outcome;
use crate::api::connection::{AdvertiserStatus, TikTokConnection};
use crate::api::{FINALIZER, GROUP, VERSION};
use crate::model::connection::{
    CheckResult, Checked, ConnectionAction, ConnectionPlan, token_secret_name,
};
use crate::model::facts::ConnectionView;
use crate::model::reason::Reason;
use crate::platform::Call;
use crate::platform::Urgency;
use crate::platform::{Answer, Reply, read};
use crate::platform::{Door, TransportError};
use crate::platform::{ErrorClass, PlatformError, transport_error};

const STEPS: usize = 8;

impl<C: Cluster, P: Door, K: Clock> Engine<C, P, K> {
    /// One turn.
    pub(super) async fn connection_turn(&self, name: &Name) -> Outcome {
        for _ in 0..STEPS {
            let now = self.clock.now();
            let planned = {
                let mut state = self.lock();
                let Some(object) = state.stores.connections.get(name) else {
                    return Outcome::Forgotten;
                };
                let plan = state.plan_connection(name, &object, now);
                state.publish_view(name, &plan, now);
                (object, plan)
            };
            let (object, plan) = planned;
            match self.hear(name, &object, &plan).await {
                Ok(super::hearing::Step::Calm) => {}
                Ok(super::hearing::Step::Again) => continue,
                Err(error) => return self.connection_failed(name, &error),
            }
            let done = match plan.action {
                ConnectionAction::Rest => {
                    self.say_deaf(&object, &plan).await;
                    if let Some(when) = plan.wake {
                        self.lock()
                            .wake(&Key::Connection(name.clone()), Why::Plan, when);
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
                ConnectionAction::Check => {
                    self.report_connection(name, &object, &plan).await;
                    self.check(name, &object).await;
                    Ok(())
                }
                ConnectionAction::DropToken => {
                    // Without the token the account is closed, and nobody knows its campaigns any more.
                    self.farewell(name, &object).await;
                    self.drop_token(name, &object).await
                }
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
                    match self.cluster.get::<TikTokConnection>(&(), name).await {
                        Ok(live) => self.lock().adopt_connection(
                            name,
                            uid_of(&object),
                            live,
                            self.clock.now(),
                        ),
                        Err(error) => return self.connection_failed(name, &error),
                    }
                }
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
        let in_namespace = |secret: &str| Name::new(name.namespace.clone(), secret);
        let app = self
            .cluster
            .secret(&in_namespace(&object.spec.app_secret_ref.name))
            .await?;
        let token = match &object.spec.token_secret_ref {
            Some(named) => self.cluster.secret(&in_namespace(&named.name)).await?,
            None => None,
        };
        let held = self
            .cluster
            .secret(&in_namespace(&token_secret_name(object)))
            .await?;
        let mut state = self.lock();
        let memo = state.connections.entry(name.clone()).or_default();
        memo.app = Some(app);
        memo.token = Some(token);
        memo.held = Some(held);
        Ok(())
    }

    async fn write_token(
        &self,
        name: &Name,
        object: &TikTokConnection,
    ) -> Result<(), ClusterError> {
        let write = {
            let state = self.lock();
            let Some(memo) = state.connections.get(name) else {
                return Ok(());
            };
            let held = memo.held.clone().flatten();
            let app = memo.app.clone().flatten();
            let token = memo.token.clone().flatten();
            let key = token_key(object);
            // What a Secret does not have any more stays as we hold it.
            let value = |copy: &Option<SecretCopy>, from: &str, to: &str| {
                copy.as_ref()
                    .and_then(|c| c.data.get(from))
                    .or_else(|| held.as_ref().and_then(|h| h.data.get(to)))
                    .cloned()
            };
            let (Some(app_id), Some(secret), Some(access)) = (
                value(&app, APP_ID, APP_ID),
                value(&app, APP_SECRET, APP_SECRET),
                value(&token, &key, ACCESS_TOKEN),
            ) else {
                return Ok(());
            };
            let data = [
                (
                    APP_FINGERPRINT.to_string(),
                    SecretString::from(app_fingerprint(&app_id, &secret)),
                ),
                (
                    TOKEN_FINGERPRINT.to_string(),
                    SecretString::from(fingerprint(&[&access])),
                ),
                (APP_ID.to_string(), app_id),
                (APP_SECRET.to_string(), secret),
                (ACCESS_TOKEN.to_string(), access),
            ];
            SecretWrite {
                name: Name::new(name.namespace.clone(), token_secret_name(object)),
                resource_version: held.as_ref().map(|h| h.resource_version.clone()),
                labels: [(LABEL.to_string(), label_value(&name.name))].into(),
                finalizers: vec![FINALIZER.into()],
                owner: (
                    format!("{GROUP}/{VERSION}"),
                    "TikTokConnection".into(),
                    name.name.clone(),
                    object.metadata.uid.clone().unwrap_or_default(),
                ),
                data: data.into(),
            }
        };
        let done = self.cluster.write_secret(&write).await;
        if let Some(memo) = self.lock().connections.get_mut(name) {
            memo.unread();
            memo.refused = None;
            memo.not_before = None;
            memo.failures = 0;
        }
        if done.is_ok() {
            tracing::info!(connection = %name, "token imported");
        }
        done
    }

    async fn drop_token(&self, name: &Name, object: &TikTokConnection) -> Result<(), ClusterError> {
        let uid = {
            let state = self.lock();
            state
                .connections
                .get(name)
                .and_then(|m| m.held.clone().flatten())
                .map(|h| h.uid)
        };
        let secret = Name::new(name.namespace.clone(), token_secret_name(object));
        let done = match uid {
            Some(uid) => self.cluster.drop_secret(&secret, &uid).await,
            None => Ok(()),
        };
        if let Some(memo) = self.lock().connections.get_mut(name) {
            if done.is_ok() {
                memo.held = Some(None);
            } else {
                memo.unread();
            }
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

    /// Two calls: which advertisers the token reaches, and the picked one's currency, time zone and status.
    async fn check(&self, name: &Name, object: &TikTokConnection) {
        let Some((app_id, secret, token, fingerprint)) = self.lock().held(name) else {
            return;
        };
        let begun = self.clock.now();
        let granted = Call::GrantedAdvertisers {
            app_id: app_id.clone(),
            secret,
        };
        let result = match self.home_call(&app_id, &token, &granted).await {
            Ok(Some(Reply::Granted(all))) => {
                let advertisers: Vec<(String, String)> =
                    all.into_iter().map(|g| (g.id, g.name)).collect();
                let picked = object
                    .spec
                    .advertiser_id
                    .clone()
                    .filter(|id| advertisers.iter().any(|(granted, _)| granted == id));
                match picked {
                    None => CheckResult::Granted {
                        advertisers,
                        account: None,
                    },
                    Some(id) => self.account_info(&app_id, &token, &id, advertisers).await,
                }
            }
            Ok(Some(_)) => CheckResult::Failed("TikTok's answer was of another kind".into()),
            Ok(None) => return,
            Err(error) => failed(&error),
        };
        let now = self.clock.now();
        let mut state = self.lock();
        let limits = state.settings.backoff;
        let Some(memo) = state.connections.get_mut(name) else {
            return;
        };
        match &result {
            CheckResult::Granted { .. } => {
                memo.failures = 0;
                memo.not_before = None;
                memo.refused = None;
                memo.check = Some(Checked {
                    at: begun,
                    token_fingerprint: fingerprint,
                    result,
                });
            }
            CheckResult::Refused(why) => {
                memo.failures += 1;
                memo.not_before = Some(now + backoff(limits, memo.failures + 4));
                memo.refused = Some(why.clone());
                let kept = memo
                    .check
                    .as_ref()
                    .filter(|c| matches!(c.result, CheckResult::Granted { .. }))
                    .map(|c| c.result.clone());
                memo.check = Some(Checked {
                    at: begun,
                    token_fingerprint: fingerprint,
                    result: kept.unwrap_or(result),
                });
            }
            CheckResult::Failed(_) => {
                memo.failures += 1;
                memo.not_before = Some(now + backoff(limits, memo.failures));
                // What an earlier check found stays true until something else is known.
                if !memo.check.as_ref().is_some_and(|c| {
                    c.token_fingerprint == fingerprint
                        && matches!(c.result, CheckResult::Granted { .. })
                }) {
                    memo.check = Some(Checked {
                        at: begun,
                        token_fingerprint: fingerprint,
                        result,
                    });
                }
            }
        }
        if let Some(until) = memo.not_before {
            state.wake(&Key::Connection(name.clone()), Why::Backoff, until);
        }
    }

    async fn account_info(
        &self,
        app: &str,
        token: &SecretString,
        id: &str,
        advertisers: Vec<(String, String)>,
    ) -> CheckResult {
        let info = Call::AdvertiserInfo {
            advertiser_ids: vec![id.to_string()],
        };
        match self.home_call(app, token, &info).await {
            Ok(Some(Reply::Advertisers(rows))) => match rows.into_iter().find(|row| row.id == id) {
                None => CheckResult::Granted {
                    advertisers,
                    account: None,
                },
                Some(row) => CheckResult::Granted {
                    advertisers,
                    account: Some(AdvertiserStatus {
                        id: row.id,
                        name: crate::platform::clean(&row.name, 200),
                        currency: crate::platform::clean(&row.currency, 8),
                        time_zone: crate::platform::clean(&row.timezone, 64),
                        account_status: crate::platform::clean(&row.status, 64),
                    }),
                },
            },
            Ok(_) => CheckResult::Failed("TikTok's answer was of another kind".into()),
            Err(error) => failed(&error),
        }
    }

    /// A read in the name of an app, not of an account. `None`: no budget now; the connection is woken later.
    async fn home_call(
        &self,
        app: &str,
        token: &SecretString,
        call: &Call,
    ) -> Result<Option<Reply>, PlatformError> {
        let now = self.clock.now();
        let (asked, deadline) = {
            let mut state = self.lock();
            let deadline = state.settings.call_deadline;
            (
                state
                    .budgets
                    .ask(app, "", call.path(), Urgency::Normal, now),
                deadline,
            )
        };
        if asked.is_err() {
            return Err(transport_error(
                call,
                TransportError::NotSent("the request budget is used up for the moment".into()),
            ));
        }
        let fence = self.fence().unwrap_or(0);
        let sent = self
            .platform
            .send(call.request(Some(token)), fence, deadline)
            .await;
        let result = match sent {
            Ok(reply) => read(call, reply),
            Err(error) => Err(transport_error(call, error)),
        };
        self.metrics.call(call.name(), &result);
        if let Err(PlatformError {
            class: ErrorClass::Throttled(throttle),
            ..
        }) = &result
        {
            let now = self.clock.now();
            self.lock()
                .budgets
                .throttled(app, "", call.path(), throttle, now);
        }
        result.map(|Answer { reply, .. }| Some(reply))
    }

    async fn report_connection(
        &self,
        name: &Name,
        object: &TikTokConnection,
        plan: &ConnectionPlan,
    ) {
        if object.status.as_ref() == Some(&plan.status) || looks_again(object, plan) {
            self.metrics.status_skipped();
            return;
        }
        let Ok(value) = serde_json::to_value(&plan.status) else {
            return;
        };
        let version = object.metadata.resource_version.clone().unwrap_or_default();
        let _permit = self.status_slots.acquire().await;
        self.metrics.status_sent();
        match self
            .cluster
            .apply_status::<TikTokConnection>(&(), name, &version, value)
            .await
        {
            Ok(written) => {
                self.announce_connection(name, object, plan).await;
                self.lock()
                    .adopt_connection(name, uid_of(object), Some(written), self.clock.now());
            }
            Err(error) => {
                if error != ClusterError::Changed {
                    self.connection_failed(name, &error);
                } else if let Ok(live) = self.cluster.get::<TikTokConnection>(&(), name).await {
                    let now = self.clock.now();
                    let mut state = self.lock();
                    state.adopt_connection(name, uid_of(object), live, now);
                    state.push(&Key::Connection(name.clone()), Lane::Change, now);
                }
            }
        }
    }

    async fn announce_connection(
        &self,
        name: &Name,
        object: &TikTokConnection,
        plan: &ConnectionPlan,
    ) {
        let shown = |s: Option<&crate::api::connection::TikTokConnectionStatus>| {
            s.and_then(|s| {
                s.conditions
                    .iter()
                    .find(|c| c.type_ == "Ready")
                    .map(|c| (c.status.clone(), c.reason.clone(), c.message.clone()))
            })
        };
        let (before, after) = (shown(object.status.as_ref()), shown(Some(&plan.status)));
        let Some((status, reason, message)) = after else {
            return;
        };
        if before.map(|(s, r, _)| (s, r)) == Some((status.clone(), reason.clone())) {
            return;
        }
        tracing::info!(connection = %name, %status, %reason, %message, "now");
        let stalled = plan.status.conditions.iter().any(|c| c.type_ == "Stalled");
        if status == "True" || stalled {
            let uid = object.metadata.uid.clone().unwrap_or_default();
            self.note(Note {
                kind: "TikTokConnection",
                about: name.clone(),
                uid,
                warning: stalled,
                reason,
                message,
            })
            .await;
        }
    }

    /// The last event lists what is still on (R22).
    async fn farewell(&self, name: &Name, object: &TikTokConnection) {
        let active: Vec<String> = {
            let state = self.lock();
            let Some(ConnectionView::Usable(a)) = state.views.get(name) else {
                return;
            };
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
        };
        let message = if active.is_empty() {
            "disconnected; no campaign of the account was on when it was last read".to_string()
        } else {
            let first: Vec<&str> = active.iter().take(20).map(String::as_str).collect();
            format!(
                "disconnected; {} campaigns of the account are still on: {}",
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

    fn connection_failed(&self, name: &Name, error: &ClusterError) -> Outcome {
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

fn uid_of(object: &TikTokConnection) -> &str {
    object.metadata.uid.as_deref().unwrap_or_default()
}

/// Is this only a new process that asks again what the status of this very generation already tells?
fn looks_again(object: &TikTokConnection, plan: &ConnectionPlan) -> bool {
    let ready = |conditions: &[Condition]| conditions.iter().find(|c| c.type_ == "Ready").cloned();
    let told = object
        .status
        .as_ref()
        .and_then(|status| ready(&status.conditions))
        .is_some_and(|c| c.status == "True" && c.observed_generation == object.metadata.generation);
    let asks = ready(&plan.status.conditions)
        .is_some_and(|c| c.reason == Reason::LookingUp.to_string() && c.status != "True");
    told && asks
}

fn failed(error: &PlatformError) -> CheckResult {
    match error.class {
        ErrorClass::Auth(_) => CheckResult::Refused(error.lasting()),
        _ => CheckResult::Failed(error.lasting()),
    }
}
