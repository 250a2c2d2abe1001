//! Joins the public listener to the engine: what a browser or TikTok asks becomes a call of the engine's.

use std::sync::Arc;

use secrecy::SecretString;

use super::forward::Forward;
use crate::engine::doors::{Clock, Cluster};
use crate::engine::lease::{Fence, Leads};
use crate::engine::run::Engine;
use crate::http::backend::{
    At, Authorised, Backend, Begun, ConnectionPage, Delivery, Leader, Passed, PassedReply, Problem,
    Search, Taken,
};
use crate::platform::Door;

/// The engine as the public listener sees it.
pub struct Front<C, P, K> {
    pub engine: Arc<Engine<C, P, K>>,
    pub clock: K,
    pub fence: Arc<Fence>,
    pub forward: Forward,
}

// Until the engine takes the steps itself, none is: nothing is used up and nothing queued.
impl<C: Cluster, P: Door, K: Clock> Backend for Front<C, P, K> {
    fn leader(&self) -> Leader {
        match self.fence.leads(self.clock.awake()) {
            Leads::Here => Leader::Here,
            Leads::There(address) => Leader::There(address),
            Leads::Nobody => Leader::Nowhere,
        }
    }

    async fn page(&self, _: &At, _: &SecretString, _: &Search) -> Option<ConnectionPage> {
        None
    }

    async fn begin(&self, _: &At, _: &SecretString) -> Result<Begun, Problem> {
        Err(Problem::Busy)
    }

    async fn authorise(
        &self,
        _: &SecretString,
        _: &SecretString,
        _: &SecretString,
    ) -> Result<Authorised, Problem> {
        Err(Problem::Busy)
    }

    async fn pick(&self, _: &At, _: &SecretString, _: &str) -> Result<(), Problem> {
        Err(Problem::Busy)
    }

    async fn event(&self, _: &At, _: Delivery) -> Taken {
        Taken::NotHere
    }

    async fn pass_on(&self, leader: &str, request: Passed) -> Result<PassedReply, String> {
        self.forward.send(leader, request).await
    }
}
