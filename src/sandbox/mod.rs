//! A local TikTok: the wire contract of the Marketing API v1.3, with a clock, knobs and faults.
//!
//! [`Sandbox`] is a plain value: no sockets, no threads, no system clock, no system randomness. A request and the time
//! go in, an [`Answer`] comes out. The same seed, times and requests give the same answers. It can be cloned at any
//! point, which is what a search through its states needs. `http` serves it on a socket; `docs/sandbox.md` describes it
//! for users.
//!
//! ```
//! use tiktok_ads_operator::sandbox::{Config, Fault, FaultKind, Match, NewAccount, Outcome, Request, Sandbox};
//!
//! let mut now = 1_795_435_200_000; // milliseconds; virtual, if you like
//! let mut sandbox = Sandbox::new(&Config::default())?;
//! let account = sandbox.create_account(now, &NewAccount::default())?;
//! // The answer to the first create is lost, and its effect comes 45 seconds later.
//! sandbox.inject(Fault {
//!     when: Match { path: Some("*/campaign/create/".into()), ..Match::default() },
//!     kind: FaultKind::EffectDelay { ms: 45_000 },
//! });
//! let create = Request {
//!     method: "POST".into(),
//!     path: "/open_api/v1.3/campaign/create/".into(),
//!     query: String::new(),
//!     headers: vec![("Access-Token".into(), account.access_token.clone())],
//!     body: format!(
//!         r#"{{"advertiser_id": "{}", "campaign_name": "a", "objective_type": "TRAFFIC",
//!             "budget_mode": "BUDGET_MODE_DAY", "budget": 50}}"#,
//!         account.advertiser_id
//!     )
//!     .into_bytes(),
//! };
//! assert_eq!(sandbox.handle(now, &create).outcome, Outcome::Cut);
//! assert_eq!(sandbox.campaigns(&account.advertiser_id).count(), 0);
//! let fork = sandbox.clone(); // a search goes on from here twice
//! now = sandbox.next_effect_at().unwrap_or(now);
//! sandbox.settle(now);
//! assert_eq!(sandbox.campaigns(&account.advertiser_id).count(), 1);
//! assert_ne!(fork.digest(), sandbox.digest());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! It shares no name, type or table with the operator's own client, so that a wrong name in one cannot agree with itself
//! in the other. What is known about TikTok, and how well, stands in comments only where a choice was made; where it is
//! unknown there is a knob ([`knobs::KNOBS`]).

mod accounts;
mod ad_groups;
mod ads;
mod advertisers;
mod bc;
mod budget;
mod campaigns;
mod changes;
mod control;
mod control_api;
mod control_connect;
mod create;
mod envelope;
mod faults;
mod fields;
mod filters;
mod glance;
pub mod http;
mod item;
pub mod knobs;
mod limits;
mod listing;
mod log;
mod message;
mod names;
mod nested;
mod oauth;
mod pixels;
mod portal;
mod query;
mod review;
mod route;
mod scopes;
mod smart_plus;
pub mod state;
mod status;
mod status_calls;
mod store;
mod subscriptions;
mod time;
mod tokens;
mod webhooks;

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests;

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

pub use accounts::{Account, AccountError, AppChange, NewAccount, default_account};
pub use control::ControlError;
pub use faults::{ActiveFault, Fault, FaultKind, Match};
pub use item::{Item, Level, Review, Tree};
pub use knobs::KnobError;
pub use limits::Tier;
pub use log::{FenceViolation, LogEntry, LogFilter, PathCounts};
pub use message::{Answer, Outcome, Request, Response};
pub use pixels::{NewPixel, Pixel};
pub use portal::{Authorisation, Authorised, PortalError};
pub use review::{Appeal, ContentType, Findings, NewRejection, Rejection};
pub use subscriptions::{NewSubscription, Subscription};
pub use tokens::{Grant, NewGrant, TokenChange};
pub use webhooks::{Attempt, Delivered, Delivery, DeliveryState, NewEvent, SentEvent};

use accounts::Accounts;
use create::Key;
use envelope::{Refusal, Reply};
use faults::{Faults, Target};
use limits::Limits;
use log::Log;
use query::{Body, Params};
use route::Route;
use store::Store;
use tokens::Token;
use webhooks::Webhooks;

/// An [`Item`] of the top level.
pub type Campaign = Item;

/// How a sandbox starts.
#[derive(Clone, Debug)]
pub struct Config {
    /// Ids, tokens and log ids follow from it.
    pub seed: u64,
    /// Knobs as `(name, value)`, for all advertisers.
    pub knobs: Vec<(String, String)>,
    /// How many requests the log keeps; 0: none (counts are kept all the same).
    pub log_capacity: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            seed: 1,
            knobs: Vec::new(),
            log_capacity: 100_000,
        }
    }
}

/// A request whose effect comes later.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Pending {
    due: i64,
    request: Request,
}

/// The platform. See the module's documentation.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Sandbox {
    random: u64,
    last_object_id: u64,
    clock_offset_ms: i64,
    knobs: knobs::Settings,
    accounts: Accounts,
    /// advertiser → its pixels, oldest first
    pixels: BTreeMap<String, Vec<Pixel>>,
    /// by id
    subscriptions: BTreeMap<String, Subscription>,
    webhooks: Webhooks,
    /// advertiser → its campaigns, ad groups and ads
    items: BTreeMap<String, Store>,
    keys: BTreeMap<String, Key>,
    limits: Limits,
    faults: Faults,
    pending: Vec<Pending>,
    log: Log,
}

impl Sandbox {
    /// A new platform with the default account.
    ///
    /// # Errors
    /// A knob that does not exist or does not take its value.
    pub fn new(config: &Config) -> Result<Self, KnobError> {
        let mut sandbox = Self {
            random: config.seed,
            last_object_id: 0,
            clock_offset_ms: 0,
            knobs: knobs::Settings::default(),
            accounts: Accounts::default(),
            pixels: BTreeMap::new(),
            subscriptions: BTreeMap::new(),
            webhooks: Webhooks::default(),
            items: BTreeMap::new(),
            keys: BTreeMap::new(),
            limits: Limits::default(),
            faults: Faults::default(),
            pending: Vec::new(),
            log: Log::new(config.log_capacity),
        };
        sandbox.last_object_id = 1_800_000_000_000_000 + sandbox.draw() % 100_000_000_000_000;
        for (name, value) in &config.knobs {
            sandbox.knobs.set(None, name, value)?;
        }
        sandbox.add_default_account();
        Ok(sandbox)
    }

    /// Answers one request. `now` is the time in milliseconds since 1970; the sandbox adds its own offset. Effects that
    /// were delayed and are due happen first. Paths under `/sandbox/` are the control interface.
    pub fn handle(&mut self, now: i64, request: &Request) -> Answer {
        let at = self.at(now);
        self.apply_due(at);
        if request.path == "/"
            || request.path == "/sandbox"
            || request.path.starts_with("/sandbox/")
        {
            return Answer::now(self.control_request(now, request));
        }
        let (advertiser_id, params, body) = parts(request);
        let route =
            Route::find(&request.path).filter(|(route, _)| self.exists(*route, &advertiser_id));
        let write = route.is_some_and(|(route, _)| route.is_write());
        let mut entry = self.log.begin(at, request, &advertiser_id, write);
        let kinds = self.faults.strike(&Target {
            method: &request.method,
            path: &request.path,
            advertiser_id: &advertiser_id,
            query: &request.query,
            body: &request.body,
        });
        entry.faults = kinds.iter().map(|kind| kind.name().to_owned()).collect();
        let mut answer = self.answer(
            at,
            request,
            route,
            &params,
            body.as_ref(),
            &kinds,
            &mut entry,
        );
        for kind in &kinds {
            match kind {
                FaultKind::Delay { ms } => answer.delay += Duration::from_millis(*ms),
                FaultKind::AnswerLost => answer.outcome = Outcome::Cut,
                _ => {}
            }
        }
        match &answer.outcome {
            Outcome::Reply(response) => entry.status = response.status,
            Outcome::Cut => entry.answered = false,
        }
        self.log.finish(entry);
        answer
    }

    #[allow(clippy::too_many_arguments)]
    fn answer(
        &mut self,
        at: i64,
        request: &Request,
        route: Option<(Route, &'static str)>,
        params: &Params,
        body: Option<&Map<String, Value>>,
        kinds: &[FaultKind],
        entry: &mut LogEntry,
    ) -> Answer {
        let log_id = self.next_log_id(at);
        for kind in kinds {
            match kind {
                FaultKind::CutBefore => {
                    return Answer {
                        delay: Duration::ZERO,
                        outcome: Outcome::Cut,
                    };
                }
                FaultKind::EffectDelay { ms } => {
                    // Past the gateway: its limits have counted it.
                    if let Ok(token) = self.token(at, request) {
                        let app_id = token.grant.app_id.clone();
                        let refused =
                            self.count_call(at, &app_id, &entry.advertiser_id, &request.path);
                        if let Err(refusal) = refused {
                            (entry.code, entry.message) =
                                (Some(refusal.code), refusal.message.clone());
                            return Answer::now(envelope::wrap(&Err(refusal), &log_id, at));
                        }
                    }
                    self.pending.push(Pending {
                        due: at.saturating_add(*ms),
                        request: request.clone(),
                    });
                    return Answer {
                        delay: Duration::ZERO,
                        outcome: Outcome::Cut,
                    };
                }
                FaultKind::Error { code, message } => {
                    let result = Err(Refusal::new(*code, message.clone()));
                    (entry.code, entry.message) = (Some(*code), message.clone());
                    return Answer::now(envelope::wrap(&result, &log_id, at));
                }
                FaultKind::HttpStatus {
                    status,
                    after_effect: false,
                    retry_after,
                } => {
                    return Answer::now(http_fault(*status, *retry_after, at));
                }
                _ => {}
            }
        }
        let Some((route, method)) = route else {
            return Answer::now(envelope::plain(404, "404 page not found", at));
        };
        if !route.takes(method, &request.method) {
            return Answer::now(envelope::plain(405, "405 method not allowed", at));
        }
        let mut response = if route == Route::Authorise {
            self.portal(at, request)
        } else {
            let result = self.serve(at, route, request, params, body, kinds, true);
            (entry.code, entry.message) = match &result {
                Ok(reply) => (Some(reply.code), reply.message.clone()),
                Err(refusal) => (Some(refusal.code), refusal.message.clone()),
            };
            envelope::wrap(&result, &log_id, at)
        };
        for kind in kinds {
            match kind {
                FaultKind::MalformedBody => response.body.truncate(response.body.len() / 2),
                FaultKind::HttpStatus {
                    status,
                    after_effect: true,
                    retry_after,
                } => {
                    response = http_fault(*status, *retry_after, at);
                }
                _ => {}
            }
        }
        Answer::now(response)
    }

    fn exists(&self, route: Route, advertiser_id: &str) -> bool {
        route != Route::RefreshToken
            || self
                .knobs
                .is(&knobs::REFRESH_ENDPOINT, advertiser_id, "present")
    }

    /// Token, limits, grant, then the endpoint itself. A delayed effect does not count against the limits again.
    #[allow(clippy::too_many_arguments)]
    fn serve(
        &mut self,
        at: i64,
        route: Route,
        request: &Request,
        params: &Params,
        body: Option<&Map<String, Value>>,
        kinds: &[FaultKind],
        counts: bool,
    ) -> Result<Reply, Refusal> {
        let (advertiser_id, _, _) = parts(request);
        let numeric_ids = self.knobs.is(&knobs::NUMERIC_IDS, &advertiser_id, "accept");
        let need_body = || {
            body.map(|map| Body::new(map, numeric_ids))
                .ok_or_else(|| Refusal::parameter("The request body is not a valid JSON object."))
        };
        match route {
            Route::AccessToken => return self.oauth_access_token(at, need_body()?),
            Route::RefreshToken => return self.oauth_refresh_token(at, need_body()?),
            Route::RevokeToken => return self.oauth_revoke_token(need_body()?),
            // No token: the app's secret is in the body or the query.
            Route::Subscribe | Route::SubscriptionList | Route::Unsubscribe => {
                let app_id = match route {
                    Route::SubscriptionList => self.app_of_query(params)?,
                    _ => self.app_of(need_body()?)?,
                };
                if counts {
                    self.count_call(at, &app_id, &advertiser_id, &request.path)?;
                }
                return match route {
                    Route::SubscriptionList => self.list_subscriptions(&app_id, params),
                    Route::Subscribe => self.subscribe(at, &app_id, need_body()?),
                    _ => self.unsubscribe(&app_id, need_body()?),
                };
            }
            _ => {}
        }
        let token: Token = self.token(at, request)?.clone();
        if counts {
            self.count_call(at, &token.grant.app_id, &advertiser_id, &request.path)?;
        }
        self.check_scope(&token.grant, route, &advertiser_id)?;
        match route {
            Route::AdvertiserGet => return self.oauth_advertiser_get(&token, params),
            Route::AdvertiserInfo => return self.advertiser_info(&token, params),
            Route::BcAssets => return self.bc_assets(&token.grant, params),
            _ => {}
        }
        if route.is_read() {
            let sent = params
                .text("advertiser_id")
                .ok_or_else(|| query::missing("advertiser_id"))?;
            if !query::is_id(sent) {
                return Err(Refusal::parameter(
                    "advertiser_id: Not a valid int64 string.",
                ));
            }
            self.check_granted(&token.grant, sent)?;
            return match route {
                Route::List(level, tree) => self.list(at, sent, (level, tree), params, kinds),
                Route::ReviewInfo(subject) => self.review_info(at, sent, subject, params),
                Route::PixelList => self.list_pixels(sent, params),
                _ => self.ad_group_quota_reply(sent),
            };
        }
        let body = need_body()?;
        let advertiser_id = body.required("advertiser_id", body.id("advertiser_id")?)?;
        self.check_granted(&token.grant, &advertiser_id)?;
        if self
            .advertiser(&advertiser_id)
            .is_ok_and(|advertiser| advertiser.user_role == "ANALYST")
        {
            return Err(Refusal::new(
                envelope::NO_PERMISSION,
                "The user has no permission to operate this advertiser.",
            ));
        }
        match route {
            Route::Create(level, tree) => match (level, tree) {
                (Level::Campaign, Tree::Manual) => self.create_manual(at, &advertiser_id, body),
                (Level::Campaign, Tree::SmartPlus) => {
                    self.create_smart_plus(at, &advertiser_id, body)
                }
                (Level::AdGroup, _) => self.create_ad_group(at, &advertiser_id, tree, body),
                (Level::Ad, Tree::Manual) => self.create_manual_ads(at, &advertiser_id, body),
                (Level::Ad, Tree::SmartPlus) => self.create_smart_plus_ad(at, &advertiser_id, body),
            },
            Route::Update(level, tree) => match (level, tree) {
                (Level::Campaign, _) => self.update_campaign(at, &advertiser_id, tree, body),
                (Level::AdGroup, _) => self.update_ad_group(at, &advertiser_id, tree, body),
                (Level::Ad, Tree::Manual) => self.update_manual_ads(at, &advertiser_id, body),
                (Level::Ad, Tree::SmartPlus) => self.update_smart_plus_ad(at, &advertiser_id, body),
            },
            Route::Status(level, tree) => {
                self.update_status(at, &advertiser_id, (level, tree), body)
            }
            Route::MaterialStatus => self.update_material_status(at, &advertiser_id, body),
            Route::Appeal(Tree::Manual) => self.appeal_ad_group(at, &advertiser_id, body),
            Route::Appeal(Tree::SmartPlus) => self.appeal_smart_plus_ad(at, &advertiser_id, body),
            _ => Err(Refusal::parameter("The request cannot be served.")),
        }
    }

    /// Lets the delayed effects that are due happen, in order of their time.
    fn apply_due(&mut self, at: i64) {
        self.pending.sort_by_key(|pending| pending.due);
        while self
            .pending
            .first()
            .is_some_and(|pending| pending.due <= at)
        {
            let Pending { due, request } = self.pending.remove(0);
            // A review that was over before the effect has said so.
            self.settle_webhooks(due);
            let (_, params, body) = parts(&request);
            if let Some((route, method)) = Route::find(&request.path)
                && method == request.method
            {
                // What it would have answered is lost by design.
                let _lost = self.serve(due, route, &request, &params, body.as_ref(), &[], false);
            }
        }
        self.settle_webhooks(at);
    }

    /// Names the state: equal if and only if (up to a collision of SHA-256) the platform will behave alike from here on.
    /// The log, its counts and the stream of log ids do not count; limits in use and finished deliveries do not either.
    pub fn digest(&self) -> [u8; 32] {
        let state = (
            (
                self.last_object_id,
                self.clock_offset_ms,
                &self.knobs,
                &self.accounts,
            ),
            (&self.items, &self.keys, &self.faults, &self.pending),
            (&self.pixels, &self.subscriptions, self.webhooks.open()),
        );
        let mut digest = Sha256::new();
        // Serialising plain maps and numbers cannot fail.
        digest.update(serde_json::to_vec(&state).unwrap_or_default());
        digest.finalize().into()
    }

    /// The sandbox's own time.
    fn at(&self, now: i64) -> i64 {
        now + self.clock_offset_ms
    }

    /// SplitMix64: small, and the same everywhere.
    fn draw(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9E37_79B9_7F4A_7C15);
        mix(self.random)
    }

    fn next_id(&mut self, base: u64) -> String {
        (base + self.draw() % 99_999_999_999_999_999).to_string()
    }

    /// 16 digits, growing, for all levels. Follows from the one before alone, so that ids do not depend on what else was
    /// asked between.
    fn next_object_id(&mut self) -> u64 {
        self.last_object_id += 1 + mix(self.last_object_id) % 1_000;
        self.last_object_id
    }

    fn next_hex(&mut self, length: usize) -> String {
        let mut text = String::new();
        while text.len() < length {
            text.push_str(&format!("{:016x}", self.draw()));
        }
        text.truncate(length);
        text
    }

    fn next_log_id(&mut self, at: i64) -> String {
        format!("{}{}", time::compact(at), self.next_hex(20).to_uppercase())
    }
}

fn mix(mut value: u64) -> u64 {
    value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    value ^ (value >> 31)
}

/// The advertiser a request names (empty if none), its query and its body if that is a JSON object.
fn parts(request: &Request) -> (String, Params, Option<Map<String, Value>>) {
    let params = Params::decode(&request.query);
    let body: Option<Map<String, Value>> = serde_json::from_slice(&request.body).ok();
    let named = body.as_ref().and_then(|body| {
        let subscribed = || {
            let detail = body.get("subscription_detail")?;
            detail
                .get("advertiser_id")
                .or_else(|| detail.get("advertiser_ids")?.get(0))
        };
        body.get("advertiser_id").or_else(subscribed)?.as_str()
    });
    let advertiser_id = match named.or_else(|| params.text("advertiser_id")) {
        Some(id) => id.to_owned(),
        None => match params.texts("advertiser_ids") {
            Ok(Some(ids)) => ids.into_iter().next().unwrap_or_default(),
            _ => String::new(),
        },
    };
    (advertiser_id, params, body)
}

fn http_fault(status: u16, retry_after: Option<u64>, at: i64) -> Response {
    let mut response = envelope::plain(status, "upstream error", at);
    if let Some(seconds) = retry_after {
        response
            .headers
            .push(("Retry-After".into(), seconds.to_string()));
    }
    response
}
