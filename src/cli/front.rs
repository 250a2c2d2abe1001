//! Joins the public listener to the engine: what a browser or TikTok asks becomes a call of the engine's.

use std::sync::Arc;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use secrecy::SecretString;

use super::forward::Forward;
use crate::api::connection::TokenStatus;
use crate::engine::connection::{ConnectError, PageView};
use crate::engine::doors::{Clock, Cluster, Name};
use crate::engine::lease::{Fence, Leads};
use crate::engine::run::Engine;
use crate::engine::webhooks;
use crate::http::backend::{
    Advertiser, Advertisers, At, Authorised, Backend, Begun, ConnectionPage, Delivery, Leader,
    Passed, PassedReply, Problem, Rotation, Search, Taken, TokenFacts,
};
use crate::platform::Door;

/// The engine as the public listener sees it.
pub struct Front<C, P, K> {
    pub engine: Arc<Engine<C, P, K>>,
    pub clock: K,
    pub fence: Arc<Fence>,
    pub forward: Forward,
}

impl<C: Cluster, P: Door, K: Clock> Backend for Front<C, P, K> {
    fn leader(&self) -> Leader {
        match self.fence.leads(self.clock.awake()) {
            Leads::Here => Leader::Here,
            Leads::There(address) => Leader::There(address),
            Leads::Nobody => Leader::Nowhere,
        }
    }

    async fn page(
        &self,
        at: &At,
        session: &SecretString,
        search: &Search,
    ) -> Option<ConnectionPage> {
        let found = self
            .engine
            .connection_page(&name(at), session, &search.text, search.page);
        found.map(page)
    }

    async fn begin(&self, at: &At, ticket: &SecretString) -> Result<Begun, Problem> {
        let begun = self.engine.begin_connect(&name(at), ticket).await;
        let begun = begun.map_err(problem)?;
        Ok(Begun {
            authorise_url: begun.authorise_url,
            cookie: begun.cookie,
        })
    }

    async fn authorise(
        &self,
        state: &SecretString,
        code: &SecretString,
        cookie: &SecretString,
    ) -> Result<Authorised, Problem> {
        let done = self.engine.authorise(state, code, cookie).await;
        let done = done.map_err(problem)?;
        // The engine has found the connection, so its name is one that Kubernetes takes.
        let at = At::new(&done.connection.namespace, &done.connection.name);
        Ok(Authorised {
            at: at.ok_or(Problem::State)?,
            session: done.session,
        })
    }

    async fn pick(&self, at: &At, session: &SecretString, advertiser: &str) -> Result<(), Problem> {
        let picked = self
            .engine
            .pick_advertiser(&name(at), session, advertiser)
            .await;
        picked.map_err(problem)
    }

    async fn event(&self, at: &At, delivery: Delivery) -> Taken {
        let delivery = webhooks::Delivery {
            path_token: delivery.path_token,
            open_signature: delivery.open_signature,
            tiktok_signature: delivery.tiktok_signature,
            body: delivery.body,
        };
        match self.engine.event(&name(at), &delivery).await {
            webhooks::Taken::Queued => Taken::Queued,
            webhooks::Taken::Refused => Taken::Refused,
            webhooks::Taken::NotHere => Taken::NotHere,
        }
    }

    async fn pass_on(&self, leader: &str, request: Passed) -> Result<PassedReply, String> {
        self.forward.send(leader, request).await
    }
}

fn name(at: &At) -> Name {
    Name::new(&at.namespace, &at.name)
}

fn problem(error: ConnectError) -> Problem {
    match error {
        ConnectError::Unknown => Problem::Unknown,
        ConnectError::Ticket => Problem::Ticket,
        ConnectError::State => Problem::State,
        ConnectError::StateExpired => Problem::StateExpired,
        ConnectError::OtherBrowser => Problem::OtherBrowser,
        ConnectError::Session => Problem::Session,
        ConnectError::NotListed => Problem::NotListed,
        ConnectError::Taken(other) => Problem::Taken(other),
        ConnectError::Occupied(objects) => Problem::Occupied(objects),
        ConnectError::AppRefused(words) => Problem::AppRefused(words),
        ConnectError::CodeRefused(words) => Problem::CodeRefused(words),
        ConnectError::NotGranted(words) => Problem::NotGranted(words),
        ConnectError::Platform(words) => Problem::Platform(words),
        ConnectError::Busy => Problem::Busy,
    }
}

fn page(view: PageView) -> ConnectionPage {
    ConnectionPage {
        phase: view.phase,
        banner: view.banner,
        message: view.message,
        advertiser: view.advertiser.map(|account| Advertiser {
            id: account.id,
            name: account.name,
        }),
        advertiser_in_manifest: view.advertiser_in_manifest,
        token: view.token.map(token),
        missing_scopes: view.missing_scopes,
        advertisers: Advertisers {
            shown: view
                .reached
                .shown
                .into_iter()
                .map(|(id, name)| Advertiser { id, name })
                .collect(),
            found: view.reached.found,
            all: view.reached.all,
        },
        reauthorise: view.ticket,
    }
}

fn token(status: TokenStatus) -> TokenFacts {
    let at = |time: Option<Time>| time.map(|time| time.0);
    TokenFacts {
        profile: status.profile,
        expires_at: at(status.expires_at),
        rotates_at: at(status.rotates_at),
        last_rotation: status.last_rotation.map(|last| Rotation {
            at: last.at.0,
            succeeded: last.result == "Succeeded",
            message: last.message,
        }),
    }
}
