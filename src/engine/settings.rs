//! What whoever runs the operator may set. Never a field of an object.

use std::time::Duration;

use crate::model;
use crate::platform::{OauthDialect, Tier, Tree};

/// Settings of one operator process.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Name of this install; it is written into every record.
    pub install: String,
    /// The namespaces whose rights come from a RoleBinding each; empty: the whole cluster.
    pub namespaces: Vec<String>,
    /// The app's tier with TikTok (R6).
    pub tier: Tier,
    /// Rows a page of Smart+ lists (R29: TikTok may take no more than 100 there).
    pub smart_plus_page: u32,
    /// Between two sweeps of an account.
    pub sweep_every: Duration,
    /// R9: between two lists that were asked for by name checks.
    pub names_every: Duration,
    /// R9: a list may be this old to prove that a name is free.
    pub names_fresh: Duration,
    /// After a write, before it is read back: lists are late, and several read-backs share a call.
    pub read_back_after: Duration,
    /// Decision 7: all keys are planned again in memory this often.
    pub resync_every: Duration,
    /// Calls of one account in flight, safety's own place not counted.
    pub calls_in_flight: usize,
    /// Turns that wait for the API server at the same time, safety's not counted.
    pub turns_in_flight: usize,
    /// Status writes at the same time, over all accounts (measured: more only adds latency).
    pub status_in_flight: usize,
    /// Deadline of one platform call.
    pub call_deadline: Duration,
    /// First and longest wait after an error.
    pub backoff: (Duration, Duration),
    /// A refused pause is tried again this often, for ever.
    pub pause_again: Duration,
    /// Where browsers and TikTok reach the operator. `None`: nowhere; tokens are imported and nothing is heard.
    pub public: Option<PublicAddress>,
    /// What TikTok's documentation leaves open about tokens.
    pub oauth: &'static OauthDialect,
    /// What is heard, and for how long.
    pub hearing: HearingSettings,
    /// The model's own times.
    pub model: model::facts::Settings,
}

/// Times and limits of webhooks and subscriptions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HearingSettings {
    /// R23: how long the previous key counts after a rotation was seen.
    pub previous_key_for: Duration,
    /// R23: a message that was sent longer ago is dropped.
    pub webhook_max_age: Duration,
    /// R23: how far the time in a signature may be off.
    pub signature_window: Duration,
    /// R24: the most subscriptions of one connection.
    pub subscriptions_limit: usize,
    /// R24: how long an ad or ad group is subscribed to after a change.
    pub review_window: Duration,
}

impl Default for HearingSettings {
    fn default() -> Self {
        Self {
            previous_key_for: Duration::from_secs(7 * 86_400),
            webhook_max_age: Duration::from_secs(72 * 3600),
            signature_window: Duration::from_secs(300),
            subscriptions_limit: 500,
            review_window: Duration::from_secs(48 * 3600),
        }
    }
}

/// Where browsers and TikTok reach the operator, and where it sends browsers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicAddress {
    /// Scheme and host, with a port if it is not the usual one; no slash at the end.
    pub url: String,
    /// TikTok's page on which an app is authorised, without a query.
    pub portal: String,
}

impl Settings {
    /// Rows a page of a tree's lists (reference 1.3).
    pub fn page_size(&self, tree: Tree) -> u32 {
        match tree {
            Tree::Manual => 1000,
            Tree::SmartPlus => self.smart_plus_page,
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            install: "default/tiktok-ads-operator".into(),
            namespaces: Vec::new(),
            tier: Tier::Basic,
            smart_plus_page: 100,
            sweep_every: Duration::from_secs(60),
            names_every: Duration::from_secs(2),
            names_fresh: Duration::from_secs(60),
            read_back_after: Duration::from_secs(2),
            resync_every: Duration::from_secs(600),
            calls_in_flight: 3,
            turns_in_flight: 16,
            status_in_flight: 8,
            call_deadline: Duration::from_secs(15),
            backoff: (Duration::from_secs(1), Duration::from_secs(300)),
            pause_again: Duration::from_secs(10),
            hearing: HearingSettings::default(),
            public: None,
            oauth: OauthDialect::standard(),
            model: model::facts::Settings::default(),
        }
    }
}
