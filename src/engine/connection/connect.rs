//! Connecting by browser: the link with its ticket, TikTok's page, the callback, the pick.
//!
//! Each step is one call from the public pages. Nothing that a browser brings is believed before it is verified, and what
//! can be used once is taken by compare-and-swap on a Secret, so that it works once over all replicas: the ticket on the one
//! that it lies in, `state` on our token Secret. What is not ours costs nobody a call: it is told by its signature.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};

use super::super::doors::{Clock, Cluster, ClusterError, Name, SecretCopy};
use super::super::queue::Lane;
use super::super::run::Engine;
use super::super::settings::PublicAddress;
use super::super::state::Key;
use super::check::of_another_kind;
use super::rotation::lifetime;
use super::secrets::{
    ADVERTISER_ID, APP_ID, APP_SECRET, Data, NewToken, Own, fingerprint, is_ours, plain, put_app,
    put_candidate, value,
};
use super::ticket::{Signing, TICKET, hex, put_nonce, replace, same_secret, signing, ticket};
use crate::api::connection::{AdvertiserStatus, TikTokConnection, TokenStatus};
use crate::model::connect_state::{
    SessionClaims, StateClaims, StateError, cookie_hash, is_ticket, peek, sign, sign_session,
    verify, verify_session,
};
use crate::model::connection::{CheckResult, callback_url};
use crate::model::token;
use crate::platform::{AuthProblem, Call, Door, ErrorClass, PlatformError, Reply, Urgency};

/// How long a browser may take on TikTok's page.
const STATE_LIVES: Duration = Duration::from_secs(15 * 60);
/// How long an advertiser can be picked afterwards.
const SESSION_LIVES: Duration = Duration::from_secs(3600);
/// How long a callback waits for the connection's turn.
const TURN_WITHIN: Duration = Duration::from_secs(45);
const LOOK_AGAIN: Duration = Duration::from_millis(100);
/// Advertisers on one page.
pub const PAGE: usize = 50;

/// Why a step was not taken. Nothing has changed then, except that what can be used once is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConnectError {
    /// There is no such connection, or it cannot be authorised. Never to be told apart from `Ticket`.
    Unknown,
    Ticket,
    State,
    StateExpired,
    OtherBrowser,
    Session,
    /// The advertiser is not among those that the token reaches, or the manifest names one.
    NotListed,
    /// Another connection has the advertiser: its name, if it is in the same namespace.
    Taken(Option<String>),
    /// So many objects of the cluster are in the ad account that is in use: they would be looked after by nobody.
    Occupied(usize),
    /// TikTok does not take the app's id and secret; in words, with the name of their Secret.
    AppRefused(String),
    /// TikTok did not take the code; its words.
    CodeRefused(String),
    /// The token does not reach the advertiser that the manifest names, or cannot be used; in words.
    NotGranted(String),
    /// No clear answer of TikTok; in words.
    Platform(String),
    /// This replica does not lead, or somebody else was faster: again in a moment.
    Busy,
}

/// An authorisation has begun.
#[derive(Clone, Debug)]
pub struct Begun {
    /// TikTok's page, with `state` in its query.
    pub authorise_url: SecretString,
    /// The value of the cookie that `state` is bound to.
    pub cookie: SecretString,
}

/// A new token was taken.
#[derive(Clone, Debug)]
pub struct Authorised {
    pub connection: Name,
    /// The value of the cookie with which an advertiser is picked.
    pub session: SecretString,
}

/// What a browser with a session may see.
#[derive(Clone, Debug, Default)]
pub struct PageView {
    pub phase: String,
    pub banner: Option<String>,
    /// The message of `Ready`.
    pub message: Option<String>,
    pub advertiser: Option<AdvertiserStatus>,
    pub advertiser_in_manifest: bool,
    pub token: Option<TokenStatus>,
    pub missing_scopes: Vec<String>,
    pub reached: Reached,
    /// The ticket in force.
    pub ticket: Option<SecretString>,
}

/// A part of the advertisers that the token reaches.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reached {
    /// Id and name, at most [`PAGE`].
    pub shown: Vec<(String, String)>,
    /// How many the search finds.
    pub found: usize,
    pub all: usize,
}

impl From<StateError> for ConnectError {
    fn from(error: StateError) -> Self {
        match error {
            StateError::Expired => Self::StateExpired,
            StateError::Malformed | StateError::Forged => Self::State,
        }
    }
}

impl<C: Cluster, P: Door, K: Clock> Engine<C, P, K> {
    /// Uses the ticket up and makes the link to TikTok's page.
    pub async fn begin_connect(
        &self,
        name: &Name,
        given: &SecretString,
    ) -> Result<Begun, ConnectError> {
        let now = self.clock.now();
        let known = self.connectable(name);
        let (signs, last) = {
            let state = self.lock();
            let last = state.ticket(name).filter(|t| now < t.until);
            (state.signing(name), last.map(|t| t.text))
        };
        // For a name that nobody has the same work is done as for one that somebody has.
        let nobodys = Signing::nobodys();
        let key = signs.as_ref().map_or(&nobodys.key, |s| &s.key);
        let ours = is_ticket(key, given.expose_secret()) & signs.is_some();
        let nothing = SecretString::default();
        let newest = same_secret(last.as_ref().unwrap_or(&nothing), given);
        let (object, public) = known.ok_or(ConnectError::Unknown)?;
        // One that is ours, and not the one that this process knows, has been replaced, or was made a moment ago.
        let unsure = signs.is_none() || (ours && !newest);
        let look = if unsure { self.may_look(name) } else { ours };
        if !look {
            return Err(ConnectError::Ticket);
        }
        let copy = self.connect_secret(&object).await?;
        if !value(&copy.data, TICKET).is_some_and(|newest| same_secret(newest, given)) {
            return Err(ConnectError::Ticket);
        }
        // As it is now: a nonce that was replaced a moment ago would make a state that is void.
        let held = self.token_secret(&object).await?;
        let signs = held.and_then(|copy| signing(&copy.data));
        let signs = signs.ok_or(ConnectError::Ticket)?;
        let found = ticket(&copy.data, &signs).ok_or(ConnectError::Ticket)?;
        if found.until <= now {
            // Its time to be replaced has come, and this process may not know it.
            self.read_again(name);
            return Err(ConnectError::Ticket);
        }
        let (app_id, _) = self.app(name, &object).await?;
        let mut data = copy.data.clone();
        let chance = self.clock.entropy();
        replace(&mut data, &object, &public.url, &signs, chance, now);
        self.swap_connect(name, &object, copy, data).await?;
        let cookie = hex(&self.clock.entropy());
        let state = sign(
            &signs.key,
            &StateClaims {
                namespace: name.namespace.clone(),
                name: name.name.clone(),
                uid: object.metadata.uid.clone().unwrap_or_default(),
                nonce: signs.nonce,
                expires: self.clock.now() + STATE_LIVES,
                cookie_hash: cookie_hash(&cookie),
            },
        );
        let query = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("app_id", app_id.expose_secret())
            .append_pair("state", &state)
            .append_pair("redirect_uri", &callback_url(&public.url))
            .finish();
        tracing::info!(connection = %name, "an authorisation was begun");
        Ok(Begun {
            authorise_url: format!("{}?{query}", public.portal).into(),
            cookie: cookie.into(),
        })
    }

    /// Takes TikTok's answer: verifies `state`, exchanges the code once, keeps the token, and has it tried.
    pub async fn authorise(
        &self,
        state: &SecretString,
        code: &SecretString,
        cookie: &SecretString,
    ) -> Result<Authorised, ConnectError> {
        let claimed = peek(state.expose_secret()).ok_or(ConnectError::State)?;
        let name = Name::new(claimed.namespace, claimed.name);
        let (object, claims) = self.verified(&name, state, cookie).await?;
        let held = self.unused(&name, &object, &claims).await?;
        let (app_id, secret) = self.app(&name, &object).await?;
        let call = Call::Exchange {
            app_id: app_id.expose_secret().to_string(),
            secret: secret.clone(),
            code: code.clone(),
            dialect: self.lock().settings.oauth,
        };
        // Asked before the state is used up: without budget it can be sent again.
        let deadline = self.ask_exchange((app_id.expose_secret(), &secret), &call)?;
        // From here on no state that was signed before counts, on whatever replica. The write also shows that what comes
        // of the code can be kept.
        let (held, signs) = self.use_up(&name, &object, &claims, held).await?;
        // That may have taken long.
        let fence = self.fence().ok_or(ConnectError::Busy)?;
        let asked = self.clock.now();
        let sent = self
            .sent_home(
                (app_id.expose_secret(), &secret),
                None,
                &call,
                fence,
                deadline,
            )
            .await;
        let reply = match sent {
            Ok(Reply::Token(reply)) => reply,
            Ok(_) => return Err(exchange_failed(&of_another_kind(&call), &object)),
            Err(error) => return Err(exchange_failed(&error, &object)),
        };
        let lives = |seconds: u64| token::ends(asked, seconds);
        let new = NewToken {
            app_id,
            app_secret: secret,
            expires_at: lifetime(&reply).map(lives),
            access: reply.access_token,
            refresh: reply.refresh_token,
            issued_at: asked,
            refresh_expires_at: reply.refresh_expires_in.map(lives),
            scopes: reply.scopes,
        };
        let id = fingerprint(&[&new.access]);
        // TikTok may give a token again: what was found of it before is not what is found now.
        if let Some(memo) = self.lock().connections.get_mut(&name) {
            memo.tried = None;
        }
        let kept = self
            .keep(&name, &object, |data| {
                if plain(data, APP_ID).is_none() {
                    put_app(data, &new.app_id, &new.app_secret);
                }
                put_candidate(data, &new);
                true
            })
            .await;
        if let Err(error) = kept {
            let ended = self.revoke_refused(&name, &held, &new).await;
            return Err(ConnectError::Platform(format!(
                "the new token could not be stored ({error}){ended}. Open the link again"
            )));
        }
        self.tried(&name, &id).await?;
        tracing::info!(connection = %name, token = %id, "authorised");
        Ok(Authorised {
            session: sign_session(
                &signs.key,
                &SessionClaims {
                    namespace: name.namespace.clone(),
                    name: name.name.clone(),
                    uid: claims.uid,
                    nonce: signs.nonce,
                    expires: self.clock.now() + SESSION_LIVES,
                },
            )
            .into(),
            connection: name,
        })
    }

    /// The connection and the claims of a `state` that we have signed for this browser. Whether it was used is not known
    /// yet.
    async fn verified(
        &self,
        name: &Name,
        state: &SecretString,
        cookie: &SecretString,
    ) -> Result<(Arc<TikTokConnection>, StateClaims), ConnectError> {
        let now = self.clock.now();
        let known = self.connectable(name);
        let signs = self.lock().signing(name);
        // For a name that nobody has the same work is done as for one that somebody has.
        let key = signs.as_ref().map(|s| s.key);
        let nobodys = Signing::nobodys().key;
        let claims = verify(&key.unwrap_or(nobodys), state.expose_secret(), now);
        let (object, _) = known.ok_or(ConnectError::State)?;
        let claims = match key {
            Some(_) => claims?,
            None if self.may_look(name) => {
                let held = self.token_secret(&object).await?;
                let signs = held.and_then(|copy| signing(&copy.data));
                let signs = signs.ok_or(ConnectError::State)?;
                verify(&signs.key, state.expose_secret(), now)?
            }
            None => return Err(ConnectError::State),
        };
        if !claims.is_of(cookie.expose_secret()) {
            return Err(ConnectError::OtherBrowser);
        }
        if Some(&claims.uid) != object.metadata.uid.as_ref() {
            return Err(ConnectError::State);
        }
        Ok((object, claims))
    }

    /// Our token Secret, read now, if the `state` was not used yet.
    async fn unused(
        &self,
        name: &Name,
        object: &TikTokConnection,
        claims: &StateClaims,
    ) -> Result<SecretCopy, ConnectError> {
        let last = self.lock().signing(name);
        let used = last.is_some_and(|s| s.nonce != claims.nonce);
        if used && !self.may_look(name) {
            return Err(ConnectError::State);
        }
        let copy = self.token_secret(object).await?;
        let copy = copy.ok_or(ConnectError::State)?;
        match signing(&copy.data) {
            Some(signs) if signs.nonce == claims.nonce => Ok(copy),
            _ => Err(ConnectError::State),
        }
    }

    /// Replaces the nonce that the `state` has, which makes it a used one. What the Secret holds now, and what signs now.
    async fn use_up(
        &self,
        name: &Name,
        object: &TikTokConnection,
        claims: &StateClaims,
        mut copy: SecretCopy,
    ) -> Result<(Data, Signing), ConnectError> {
        self.fence().ok_or(ConnectError::Busy)?;
        let nonce = hex(&self.clock.entropy());
        loop {
            let mut data = copy.data.clone();
            put_nonce(&mut data, nonce.clone());
            let write = Own::Token.write(object, Some(copy.resource_version), data.clone());
            let done = self.cluster.write_secret(&write).await;
            if done.is_ok()
                && let Some(memo) = self.lock().connections.get_mut(name)
                && let Some(Some(held)) = &mut memo.held
            {
                // The states and sessions from before are void at once, also here.
                put_nonce(&mut held.data, nonce.clone());
            }
            self.read_again(name);
            match done {
                Ok(()) => {
                    let signs = signing(&data).ok_or(ConnectError::State)?;
                    return Ok((data, signs));
                }
                // Whoever changed it may have renewed the token, or have used this state.
                Err(ClusterError::Changed) => copy = self.unused(name, object, claims).await?,
                Err(ClusterError::Forbidden(why) | ClusterError::Refused(why)) => {
                    return Err(ConnectError::Platform(format!(
                        "the Secret {}, which the new token would be kept in, cannot be written ({why}), so TikTok was not asked for it; mend that and open the link again",
                        write.name.name
                    )));
                }
                Err(ClusterError::Unclear(_)) => return Err(ConnectError::Busy),
            }
        }
    }

    /// Picks an advertiser that the token reaches.
    pub async fn pick_advertiser(
        &self,
        name: &Name,
        session: &SecretString,
        advertiser: &str,
    ) -> Result<(), ConnectError> {
        let object = self
            .in_session(name, session)
            .ok_or(ConnectError::Session)?;
        self.fence().ok_or(ConnectError::Busy)?;
        let listed = self.advertisers(name);
        let there = listed.iter().any(|(id, _)| id == advertiser);
        if object.spec.advertiser_id.is_some() || !there {
            return Err(ConnectError::NotListed);
        }
        if let Some(other) = self.lock().who_has(name, advertiser) {
            // Who else is there is nobody's business in another namespace.
            let told = (other.namespace == name.namespace).then_some(other.name);
            return Err(ConnectError::Taken(told));
        }
        let left = self.lock().made_elsewhere(name, advertiser);
        if left > 0 {
            return Err(ConnectError::Occupied(left));
        }
        self.keep(name, &object, |data| {
            data.insert(ADVERTISER_ID.into(), advertiser.to_string().into());
            true
        })
        .await
        .map_err(|_| ConnectError::Busy)?;
        tracing::info!(connection = %name, advertiser, "an advertiser was picked");
        let now = self.clock.now();
        self.lock()
            .push(&Key::Connection(name.clone()), Lane::Event, now);
        Ok(())
    }

    /// What a browser with this session may see. `None`: nothing.
    pub fn connection_page(
        &self,
        name: &Name,
        session: &SecretString,
        search: &str,
        page: usize,
    ) -> Option<PageView> {
        let object = self.in_session(name, session)?;
        let all = self.advertisers(name);
        let (now, mut state) = (self.clock.now(), self.lock());
        let plan = state.plan_connection(name, &object, now);
        let ticket = state.ticket(name).filter(|t| now < t.until);
        drop(state);
        let status = plan.status;
        let ready = status.conditions.iter().find(|c| c.type_ == "Ready");
        Some(PageView {
            message: ready.map(|c| c.message.clone()),
            phase: status.phase.unwrap_or_default(),
            banner: status.banner,
            advertiser: status.advertiser,
            advertiser_in_manifest: object.spec.advertiser_id.is_some(),
            token: status.token,
            missing_scopes: status.scopes.map(|s| s.missing).unwrap_or_default(),
            reached: part(&all, search, page),
            ticket: ticket.map(|t| t.text),
        })
    }

    /// Waits until the connection's turn has tried the token.
    async fn tried(&self, name: &Name, id: &str) -> Result<(), ConnectError> {
        let begun = self.clock.awake();
        self.try_now(name, id, true);
        loop {
            let tried = self
                .lock()
                .connections
                .get(name)
                .and_then(|m| m.tried.clone())
                .filter(|(of, _)| of == id);
            match tried {
                Some((_, Ok(()))) => return Ok(()),
                Some((_, Err(why))) => return Err(ConnectError::NotGranted(why)),
                None if self.clock.awake().saturating_sub(begun) > TURN_WITHIN => {
                    return Err(ConnectError::Platform(
                        "TikTok did not say yet what the authorisation reaches; it is kept and tried again, see the connection's status".into(),
                    ));
                }
                None => tokio::time::sleep(LOOK_AGAIN).await,
            }
            self.try_now(name, id, false);
        }
    }

    /// Has the new token tried now: what the token before has to wait for, also by a call that was under way, does not keep
    /// it back.
    fn try_now(&self, name: &Name, id: &str, first: bool) {
        let now = self.clock.now();
        let mut state = self.lock();
        let mut waits = first;
        if let Some(memo) = state.connections.get_mut(name) {
            let own = memo.waits.as_deref() == Some(id);
            waits |= !own && memo.not_before.is_some();
            if waits {
                memo.not_before = None;
            }
        }
        if waits {
            state.push(&Key::Connection(name.clone()), Lane::Event, now);
            drop(state);
            self.nudge();
        }
    }

    /// A connection that can be authorised.
    fn connectable(&self, name: &Name) -> Option<(Arc<TikTokConnection>, PublicAddress)> {
        let state = self.lock();
        let object = state.stores.connections.get(name)?;
        let public = state.settings.public.clone()?;
        let terminating = state.stores.terminating.contains(&name.namespace);
        (object.metadata.deletion_timestamp.is_none() && !terminating).then_some((object, public))
    }

    /// May the Secrets be read for what somebody sent?
    fn may_look(&self, name: &Name) -> bool {
        let awake = self.clock.awake();
        self.lock().may_look(name, awake)
    }

    /// The connection's turn reads the Secrets anew.
    fn read_again(&self, name: &Name) {
        let now = self.clock.now();
        let mut state = self.lock();
        if let Some(memo) = state.connections.get_mut(name) {
            memo.unread();
        }
        state.push(&Key::Connection(name.clone()), Lane::Change, now);
        drop(state);
        self.nudge();
    }

    /// Our Secret with the ticket, read now.
    async fn connect_secret(&self, object: &TikTokConnection) -> Result<SecretCopy, ConnectError> {
        self.fence().ok_or(ConnectError::Busy)?;
        let read = self.cluster.secret(&Own::Connect.name(object)).await;
        match read {
            Ok(Some(copy)) if is_ours(&copy, object) => Ok(copy),
            Ok(_) => Err(ConnectError::Ticket),
            Err(_) => Err(ConnectError::Busy),
        }
    }

    /// Our token Secret, read now.
    async fn token_secret(
        &self,
        object: &TikTokConnection,
    ) -> Result<Option<SecretCopy>, ConnectError> {
        self.fence().ok_or(ConnectError::Busy)?;
        let secret = Own::Token.name(object);
        match self.cluster.secret(&secret).await {
            Ok(Some(copy)) if !is_ours(&copy, object) => Err(ConnectError::Platform(format!(
                "a Secret named {} exists and was not made by this operator, so a new token could not be kept and TikTok was not asked for one; look into it first, as the connection's status says, then get a new link",
                secret.name
            ))),
            Ok(copy) => Ok(copy),
            Err(_) => Err(ConnectError::Busy),
        }
    }

    /// The app's id and secret, read now.
    async fn app(
        &self,
        name: &Name,
        object: &TikTokConnection,
    ) -> Result<(SecretString, SecretString), ConnectError> {
        let secret = &object.spec.app_secret_ref.name;
        let named = Name::new(name.namespace.clone(), secret);
        let copy = self
            .cluster
            .secret(&named)
            .await
            .map_err(|_| ConnectError::Busy)?;
        let of = |copy: &SecretCopy| {
            let text = |key: &str| {
                let found = value(&copy.data, key)?;
                Some(SecretString::from(found.expose_secret().trim()))
            };
            Some((text(APP_ID)?, text(APP_SECRET)?))
        };
        copy.as_ref().and_then(of).ok_or_else(|| {
            ConnectError::Platform(format!(
                "the Secret {secret} with the keys app_id and secret is missing or not complete; mend it and open the link again"
            ))
        })
    }

    /// The request budget for one exchange, and how long it may take.
    fn ask_exchange(
        &self,
        (app, secret): (&str, &SecretString),
        call: &Call,
    ) -> Result<Duration, ConnectError> {
        let now = self.clock.now();
        let mut state = self.lock();
        let budget = state.budget_of(app, secret);
        let asked = state
            .budgets
            .ask(&budget, "", call.path(), Urgency::Normal, now);
        match asked {
            Ok(_) => Ok(state.settings.call_deadline),
            Err(_) => Err(ConnectError::Platform(
                "too many calls of this app at the moment; try again in a minute".into(),
            )),
        }
    }

    /// Replaces the Secret with the ticket by compare-and-swap: whoever comes second has a used ticket.
    async fn swap_connect(
        &self,
        name: &Name,
        object: &TikTokConnection,
        copy: SecretCopy,
        data: Data,
    ) -> Result<(), ConnectError> {
        let write = Own::Connect.write(object, Some(copy.resource_version.clone()), data.clone());
        let done = self.cluster.write_secret(&write).await;
        if let Some(memo) = self.lock().connections.get_mut(name) {
            if done.is_ok() {
                memo.connect = Some(Some(SecretCopy { data, ..copy }));
            }
            memo.unread();
        }
        match done {
            Ok(()) => Ok(()),
            Err(ClusterError::Changed) => Err(ConnectError::Ticket),
            Err(_) => Err(ConnectError::Busy),
        }
    }

    /// The connection, if the session is good for it.
    fn in_session(&self, name: &Name, session: &SecretString) -> Option<Arc<TikTokConnection>> {
        let now: Timestamp = self.clock.now();
        let (object, _) = self.connectable(name)?;
        let signs = self.lock().signing(name)?;
        let claims = verify_session(&signs.key, session.expose_secret(), now).ok()?;
        let right = claims.namespace == name.namespace
            && claims.name == name.name
            && claims.nonce == signs.nonce
            && Some(&claims.uid) == object.metadata.uid.as_ref();
        right.then_some(object)
    }

    /// The advertisers that the last check found, by name.
    fn advertisers(&self, name: &Name) -> Arc<Vec<(String, String)>> {
        let state = self.lock();
        let checked = state.connections.get(name).and_then(|m| m.check.as_ref());
        match checked.map(|c| &c.result) {
            Some(CheckResult::Granted(granted)) => granted.advertisers.clone(),
            _ => Arc::default(),
        }
    }
}

/// One page of those whose name or id has the text in it.
fn part(all: &[(String, String)], search: &str, page: usize) -> Reached {
    let wanted = search.trim().to_lowercase();
    let mut found: Vec<&(String, String)> = all
        .iter()
        .filter(|(id, name)| id.contains(&wanted) || name.to_lowercase().contains(&wanted))
        .collect();
    found.sort_by(|a, b| (&a.1, &a.0).cmp(&(&b.1, &b.0)));
    Reached {
        shown: found
            .iter()
            .skip(page.saturating_mul(PAGE))
            .take(PAGE)
            .map(|(id, name)| (id.clone(), name.clone()))
            .collect(),
        found: found.len(),
        all: all.len(),
    }
}

fn exchange_failed(error: &PlatformError, object: &TikTokConnection) -> ConnectError {
    match error.class {
        ErrorClass::Auth(AuthProblem::AppRefused) => ConnectError::AppRefused(format!(
            "Secret {}: {}",
            object.spec.app_secret_ref.name,
            error.lasting()
        )),
        ErrorClass::Auth(AuthProblem::CodeRefused) | ErrorClass::Rejected(_) => {
            ConnectError::CodeRefused(error.lasting())
        }
        _ => ConnectError::Platform(format!(
            "{}. The code is used up, so open the link again",
            error.lasting().trim_end_matches('.')
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r26_thousands_of_advertisers_are_searched_and_shown_in_pages() {
        let all: Vec<(String, String)> = (0..3000)
            .map(|n| (format!("70{n:04}"), format!("Shop {n}")))
            .collect();
        let first = part(&all, "", 0);
        assert_eq!(
            (first.shown.len(), first.found, first.all),
            (50, 3000, 3000)
        );
        let hit = part(&all, "shop 299", 0);
        assert_eq!(hit.found, 11, "{hit:?}");
        assert_eq!(part(&all, "702999", 0).shown[0].1, "Shop 2999");
        assert_eq!(part(&all, "", usize::MAX).shown.len(), 0);
    }
}
