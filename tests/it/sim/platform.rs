//! The platform's door over the sandbox, in process: latency, the sandbox's faults, lost requests, and crash points.

use std::sync::Arc;
use std::time::Duration;

use secrecy::ExposeSecret;
use serde_json::Value;
use tiktok_ads_operator::platform::{Door, Method, TransportError, WireReply, WireRequest};
use tiktok_ads_operator::sandbox::{Fault, FaultKind, Match, Outcome, Request};
use tokio::sync::oneshot;
use tokio::time::{sleep, timeout};

use super::world::{Sim, World};

#[derive(Clone)]
pub struct PlatformDoor {
    pub sim: Arc<Sim>,
    pub replica: usize,
    pub process: u64,
}

/// What a script (or the seed) makes of one call.
#[derive(Clone, Debug, Default)]
pub struct Planned {
    pub fault: Option<FaultKind>,
    /// No byte leaves.
    pub not_sent: bool,
    /// The process has a bug that shows here.
    pub panics: bool,
    pub crash_before: bool,
    pub crash_under_way: bool,
    pub crash_after: bool,
}

impl Planned {
    pub fn fault(kind: FaultKind) -> Self {
        Self {
            fault: Some(kind),
            ..Self::default()
        }
    }
}

struct Fate {
    planned: Planned,
    there: Duration,
    back: Duration,
}

fn draw_fault(world: &mut World, write: bool, very_late: bool) -> FaultKind {
    let rng = &mut world.rng;
    match rng.u32(0..if write { 10 } else { 12 }) {
        0 | 1 => FaultKind::AnswerLost,
        2 => FaultKind::CutBefore,
        3 => FaultKind::HttpStatus {
            status: [500, 502, 503, 429][rng.usize(0..4)],
            after_effect: false,
            retry_after: rng.bool().then_some(2),
        },
        4 => FaultKind::HttpStatus {
            status: [500, 502, 504][rng.usize(0..3)],
            after_effect: true,
            retry_after: None,
        },
        5 => FaultKind::MalformedBody,
        6 => FaultKind::Error {
            code: [40100, 40133, 40016, 50000, 50002, 40700, 40202][rng.usize(0..7)],
            message: String::new(),
        },
        7 => FaultKind::Delay {
            ms: rng.u64(100..25_000),
        },
        8 | 9 if write => FaultKind::EffectDelay {
            ms: if very_late {
                rng.i64(1_000..200_000)
            } else {
                rng.i64(1_000..40_000)
            },
        },
        8 | 9 => FaultKind::SkippedRow { campaign_id: None },
        10 => FaultKind::PartialPage { rows: None },
        _ => FaultKind::LateListing {
            ms: rng.i64(1_000..15_000),
        },
    }
}

impl PlatformDoor {
    fn fate(&self, request: &WireRequest) -> Fate {
        let mut world = self.sim.lock();
        let write = request.method == Method::Post;
        let faults = world.faults.clone();
        let mut there = Duration::from_millis(world.rng.u64(5..120));
        let back = Duration::from_millis(world.rng.u64(5..200));
        if world.chance(faults.slow) {
            there = Duration::from_millis(world.rng.u64(500..14_000));
        }
        if let Some(planned) = world
            .script
            .iter_mut()
            .find(|(path, list)| request.path.ends_with(**path) && !list.is_empty())
            .and_then(|(_, list)| list.pop_front())
        {
            return Fate {
                planned,
                there,
                back,
            };
        }
        world.maybe_freeze(self.replica);
        let crash = world.chance(faults.crash);
        let point = world.rng.u32(0..3);
        let wrong = world.chance(faults.platform);
        let not_sent = wrong && world.rng.u32(0..8) == 0;
        // Nothing but a key protects from an effect that comes later than all looks, and ads have none.
        let very_late = faults.very_late && !request.path.contains("/ad/");
        let fault = (wrong && !not_sent).then(|| draw_fault(&mut world, write, very_late));
        Fate {
            planned: Planned {
                fault,
                not_sent,
                panics: false,
                crash_before: crash && point == 0,
                crash_under_way: crash && point == 1,
                crash_after: crash && point == 2,
            },
            there,
            back,
        }
    }

    /// This process, and the refresh token that a request is made with.
    fn renews_with(&self, request: &WireRequest) -> (u64, String) {
        let text = request
            .body
            .as_ref()
            .and_then(|b| b["refresh_token"].as_str());
        (self.process, text.unwrap_or_default().into())
    }

    async fn die(&self, where_: &str) {
        self.sim.kill(self.replica, self.process, where_);
        std::future::pending::<()>().await;
    }
}

/// The request as the sandbox takes it.
pub fn wire(request: &WireRequest, fence: u64) -> Request {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in &request.query {
        query.append_pair(name, value);
    }
    let mut headers = vec![(
        "User-Agent".to_string(),
        format!("tiktok-ads-operator/0 (fence={fence})"),
    )];
    if let Some(token) = &request.token {
        headers.push(("Access-Token".into(), token.expose_secret().to_string()));
    }
    if request.body.is_some() {
        headers.push(("Content-Type".into(), "application/json".into()));
    }
    Request {
        method: if request.method == Method::Get {
            "GET"
        } else {
            "POST"
        }
        .into(),
        path: request.path.into(),
        query: query.finish(),
        headers,
        body: request
            .body
            .as_ref()
            .map(|b| b.to_string().into_bytes())
            .unwrap_or_default(),
    }
}

/// The sandbox's answer as the door hands it on.
fn reply(response: &tiktok_ads_operator::sandbox::Response) -> WireReply {
    let header = |name: &str| {
        response
            .headers
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    };
    WireReply {
        status: response.status,
        date: header("Date")
            .and_then(|text| jiff::fmt::rfc2822::parse(text).ok())
            .map(|zoned| zoned.timestamp()),
        retry_after: header("Retry-After")
            .and_then(|text| text.parse().ok())
            .map(Duration::from_secs),
        log_id: header("X-Tt-Logid").map(str::to_owned),
        body: response.body.clone(),
    }
}

impl Door for PlatformDoor {
    async fn send(
        &self,
        request: WireRequest,
        fence: u64,
        deadline: Duration,
    ) -> Result<WireReply, TransportError> {
        let fate = self.fate(&request);
        let write = request.method == Method::Post;
        let line = describe(&request);
        let (begun, call) = {
            let mut world = self.sim.lock();
            world.platform_calls += 1;
            let call = world.checked_send(self.replica, self.process, &request);
            (world.clock.elapsed(), call)
        };
        if fate.planned.panics {
            self.sim.lock().never_sent(call);
            panic!("by the test, in {line}");
        }
        if fate.planned.crash_before {
            self.sim.lock().never_sent(call);
            self.die(&format!("before {line}")).await;
        }
        if fate.planned.not_sent {
            sleep(fate.there).await;
            let mut world = self.sim.lock();
            world.say(format!("r{} ⇒ {line}: not sent", self.replica));
            world.never_sent(call);
            return Err(TransportError::NotSent("connection refused".into()));
        }
        let refresh = request.path.ends_with("/oauth2/refresh_token/");
        if refresh {
            let mut world = self.sim.lock();
            world.refreshing += 1;
            if world.refreshing > 1 {
                world.fail("R21: two calls to renew a token are under way at once");
            }
            if world.renewed.contains(&self.renews_with(&request)) {
                world.fail("R21: a refresh token is used again after a new one came for it");
            }
        }
        let (tell, told) = oneshot::channel();
        let sim = self.sim.clone();
        let (replica, sent, what) = (self.replica, wire(&request, fence), line.clone());
        let fault = fate.planned.fault.clone();
        let asked = super::checks::write(&request);
        tokio::spawn(async move {
            sleep(fate.there).await;
            let (delay, outcome) = {
                let mut world = sim.lock();
                let now = world.clock.millis();
                if let Some(act) = world.when_renewing.take_if(|_| refresh) {
                    act(&mut world);
                }
                if let Some(kind) = &fault {
                    world.sandbox.inject(Fault {
                        when: Match::default(),
                        kind: kind.clone(),
                    });
                }
                let bought = world.bought_before(asked.as_ref());
                let answer = world.sandbox.handle(now, &sent);
                if write {
                    world.platform_writes += 1;
                    let delay = match &fault {
                        Some(FaultKind::EffectDelay { ms }) => *ms,
                        _ => 0,
                    };
                    world.has_effect(call, now + delay);
                    world.bought_after(bought);
                }
                let said = match &answer.outcome {
                    Outcome::Reply(response) => {
                        let json = response.json();
                        if let Some(code) = json["code"].as_i64().filter(|_| write) {
                            let message = json["message"].as_str().unwrap_or_default();
                            world.note_refusal(&sent.path, code, message);
                        }
                        said(response)
                    }
                    Outcome::Cut => "cut".into(),
                };
                let fault = fault.map(|f| format!(" [{f:?}]")).unwrap_or_default();
                if write || !fault.is_empty() {
                    world.say(format!("r{replica} ⇒ {what}: {said}{fault}"));
                }
                world.checked_rows();
                (answer.delay, answer.outcome)
            };
            sleep(delay + fate.back).await;
            if refresh {
                sim.lock().refreshing -= 1;
            }
            let _ = tell.send(outcome);
        });
        if fate.planned.crash_under_way {
            self.die(&format!("while {line} was under way")).await;
        }
        let answer = timeout(deadline, told).await;
        if fate.planned.crash_after {
            self.die(&format!("after {line}")).await;
        }
        let result = match answer {
            Ok(Ok(Outcome::Reply(response))) => Ok(reply(&response)),
            Ok(_) => Err(TransportError::Unclear("the connection was cut".into())),
            Err(_) => Err(TransportError::Unclear("timed out".into())),
        };
        let mut world = self.sim.lock();
        if let Some(reply) = result.as_ref().ok().filter(|_| refresh) {
            let with = self.renews_with(&request);
            let json: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
            let new = json["data"]["refresh_token"].as_str();
            if new.is_some_and(|new| new != with.1) {
                world.renewed.insert(with);
            }
        }
        world.checked_answer(call, &request, begun, &result);
        drop(world);
        result
    }
}

fn said(response: &tiktok_ads_operator::sandbox::Response) -> String {
    let json = response.json();
    let Some(code) = json.get("code") else {
        return format!("http {}", response.status);
    };
    let data = &json["data"];
    // What was made, or changed: its own id is the lowest of those shown.
    let made = [
        ("smart_plus_ad_id", "ad"),
        ("ad_ids", "ads"),
        ("adgroup_id", "ad group"),
        ("campaign_id", "campaign"),
    ]
    .into_iter()
    .find_map(|(field, noun)| match data.get(field)? {
        Value::String(id) => Some(format!(" {noun} {id}")),
        Value::Array(ids) if ids.iter().all(Value::is_string) => {
            let ids: Vec<&str> = ids.iter().filter_map(Value::as_str).collect();
            Some(format!(" {noun} {}", ids.join(" ")))
        }
        _ => None,
    });
    if code == 0 {
        format!("0{}", made.unwrap_or_default())
    } else {
        let message = json["message"].as_str().unwrap_or_default();
        format!("{code} {message}{}", made.unwrap_or_default())
    }
}

/// What of a body stands in the trace.
const SHOWN: &[&str] = &[
    "campaign_name",
    "adgroup_name",
    "ad_name",
    "request_id",
    "campaign_ids",
    "campaign_id",
    "adgroup_ids",
    "adgroup_id",
    "ad_ids",
    "ad_id",
    "smart_plus_ad_ids",
    "smart_plus_ad_id",
    "ad_material_ids",
    "operation_status",
    "budget",
    "bid_type",
    "bid_price",
    "conversion_bid_price",
    "gender",
    "patch_update",
];

/// A call for the trace, without what changes from run to run.
fn describe(request: &WireRequest) -> String {
    let path = request.path.trim_start_matches("/open_api/v1.3");
    let mut out = format!("{:?} {path}", request.method).to_uppercase();
    out.make_ascii_lowercase();
    for (key, value) in &request.query {
        if *key == "filtering" || (*key == "page" && value != "1") {
            out.push_str(&format!(" {key}={value}"));
        }
    }
    if let Some(Value::Object(body)) = &request.body {
        let mut show = |within: &serde_json::Map<String, Value>| {
            for key in SHOWN {
                if let Some(value) = within.get(*key) {
                    out.push_str(&format!(" {key}={value}"));
                }
            }
        };
        show(body);
        for one in body
            .get("creatives")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            if let Some(one) = one.as_object() {
                show(one);
            }
        }
    }
    out
}
