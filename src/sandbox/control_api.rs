//! The control interface as JSON under `/sandbox/`: the same as the methods of [`Sandbox`].

use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::{
    AccountError, ControlError, Fault, KnobError, LogFilter, NewAccount, Request, Response,
    Sandbox, Tier, Tree, envelope,
    item::{Item, Level},
    knobs::{self, KNOBS},
    query::Params,
    time,
};

/// A refusal of the control interface: an HTTP status and a text.
pub(super) struct Wrong(pub(super) u16, pub(super) String);

impl From<ControlError> for Wrong {
    fn from(error: ControlError) -> Self {
        let status = match error {
            ControlError::Missing(_) | ControlError::Advertiser(_) => 404,
            ControlError::Value { .. } | ControlError::Deleted(_) => 400,
        };
        Self(status, error.to_string())
    }
}

impl From<AccountError> for Wrong {
    fn from(error: AccountError) -> Self {
        let status = if matches!(error, AccountError::Value { .. }) {
            400
        } else {
            404
        };
        Self(status, error.to_string())
    }
}

impl From<KnobError> for Wrong {
    fn from(error: KnobError) -> Self {
        Self(400, error.to_string())
    }
}

pub(super) fn read<T: DeserializeOwned>(request: &Request) -> Result<T, Wrong> {
    let body: &[u8] = if request.body.is_empty() {
        b"{}"
    } else {
        &request.body
    };
    serde_json::from_slice(body)
        .map_err(|error| Wrong(400, format!("the body does not fit: {error}")))
}

pub(super) fn field<'a>(body: &'a Map<String, Value>, name: &str) -> Result<&'a str, Wrong> {
    body.get(name)
        .and_then(Value::as_str)
        .ok_or_else(|| Wrong(400, format!("{name} is missing or not text")))
}

/// An object as the control interface shows it: the truth, with what lists never show.
fn object_json(advertiser_id: &str, row: &Item) -> Value {
    let mut object = json!({
        row.level.id_field(row.tree): row.id.to_string(),
        "advertiser_id": advertiser_id,
        "level": row.level,
        "tree": row.tree,
        "deleted": row.deleted,
        "created_at": row.created_at,
        "modified_at": row.modified_at,
        "request_id": row.request_id,
        "spent_total": row.spent_total,
        "fields": row.fields,
        "findings": row.findings,
    });
    for (name, parent) in [("campaign_id", row.campaign), ("adgroup_id", row.ad_group)] {
        if let Some(id) = parent {
            object[name] = json!(id.to_string());
        }
    }
    if !row.creative_ids.is_empty() {
        let ids: Vec<String> = row.creative_ids.iter().map(u64::to_string).collect();
        object["ad_ids"] = json!(ids);
    }
    object
}

impl Sandbox {
    pub(super) fn control_request(&mut self, now: i64, request: &Request) -> Response {
        let at = self.at(now);
        match self.control(now, request) {
            Ok(body) => envelope::control(200, &body, at),
            Err(Wrong(status, error)) => envelope::control(status, &json!({ "error": error }), at),
        }
    }

    fn control(&mut self, now: i64, request: &Request) -> Result<Value, Wrong> {
        let params = Params::decode(&request.query);
        let advertiser = params.text("advertiser_id");
        let path = request
            .path
            .strip_prefix("/sandbox")
            .unwrap_or("")
            .trim_matches('/');
        let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        match (request.method.as_str(), parts.as_slice()) {
            ("GET", []) => Ok(index()),
            ("GET", ["accounts"]) => Ok(self.accounts_json()),
            ("POST", ["accounts"]) => {
                let new: NewAccount = read(request)?;
                Ok(json!(self.create_account(now, &new)?))
            }
            ("PATCH", ["accounts", id]) => self.patch_account(now, id, &read(request)?),
            ("GET", ["knobs"]) => Ok(self.knobs_json(advertiser)),
            ("PATCH", ["knobs"]) => {
                let body: Map<String, Value> = read(request)?;
                self.patch_knobs(advertiser, &body)
            }
            ("DELETE", ["knobs"]) => {
                self.reset_knobs(advertiser);
                Ok(self.knobs_json(advertiser))
            }
            ("GET", ["clock"]) => Ok(self.clock_json(now)),
            ("POST", ["clock"]) => {
                let body: Map<String, Value> = read(request)?;
                let ms = match (body.get("advance_ms"), body.get("advance_seconds")) {
                    (Some(ms), None) => ms.as_i64(),
                    (None, Some(seconds)) => seconds
                        .as_i64()
                        .and_then(|seconds| seconds.checked_mul(1_000)),
                    _ => None,
                };
                let ms = ms.filter(|ms| *ms >= 0).ok_or_else(|| {
                    Wrong(
                        400,
                        "say advance_ms or advance_seconds, a whole number ≥ 0".into(),
                    )
                })?;
                self.advance_ms(ms);
                self.settle(now);
                Ok(self.clock_json(now))
            }
            ("GET", ["faults"]) => Ok(json!({"faults": self.faults()})),
            ("POST", ["faults"]) => {
                let fault: Fault = read(request)?;
                Ok(json!({"id": self.inject(fault)}))
            }
            ("DELETE", ["faults"]) => {
                self.clear_faults(advertiser);
                Ok(json!({}))
            }
            ("DELETE", ["faults", id]) => match id.parse() {
                Ok(id) if self.remove_fault(id) => Ok(json!({})),
                _ => Err(Wrong(404, format!("there is no fault {id}"))),
            },
            (_, [part @ ("campaigns" | "ad_groups" | "ads"), rest @ ..]) => {
                let level = Level::of_plural(part).unwrap_or(Level::Campaign);
                self.control_objects(now, request, advertiser, level, rest)
            }
            ("GET", ["requests"]) => {
                let after = params
                    .text("after")
                    .and_then(|text| text.parse().ok())
                    .unwrap_or(0);
                let filter = LogFilter {
                    advertiser_id: advertiser,
                    path: params.text("path"),
                    after,
                };
                let requests: Vec<_> = self.requests(filter).collect();
                Ok(json!({ "requests": requests }))
            }
            ("DELETE", ["requests"]) => {
                self.clear_requests(advertiser);
                Ok(json!({}))
            }
            ("GET", ["counts"]) => Ok(json!({"counts": self.counts(advertiser)})),
            ("GET", ["fences"]) => {
                let violations: Vec<_> = self
                    .fence_violations()
                    .iter()
                    .filter(|violation| advertiser.is_none_or(|id| id == violation.advertiser_id))
                    .collect();
                Ok(json!({ "violations": violations }))
            }
            _ => self.control_connect(now, request, &params, &parts),
        }
    }

    fn control_objects(
        &mut self,
        now: i64,
        request: &Request,
        advertiser: Option<&str>,
        level: Level,
        rest: &[&str],
    ) -> Result<Value, Wrong> {
        match (request.method.as_str(), rest) {
            ("GET", []) => {
                let list: Vec<Value> = self
                    .items
                    .iter()
                    .filter(|(id, _)| advertiser.is_none_or(|wanted| wanted == id.as_str()))
                    .flat_map(|(id, store)| {
                        store
                            .all(level)
                            .values()
                            .map(move |row| object_json(id, row))
                    })
                    .collect();
                Ok(json!({ level.plural(): list }))
            }
            ("POST", []) => self.control_insert(now, level, read(request)?),
            ("GET", [id]) => {
                let (advertiser_id, row) = self.object_of(level, id)?;
                Ok(object_json(advertiser_id, row))
            }
            ("PATCH", [id]) => {
                self.object_of(level, id)?;
                self.edit_outside(now, id, &read(request)?)?;
                self.control_object(level, id)
            }
            ("POST", [id, action]) => {
                self.object_of(level, id)?;
                let body: Map<String, Value> = read(request)?;
                match *action {
                    "pause" => self.pause_outside(now, id)?,
                    "enable" => self.enable_outside(now, id)?,
                    "delete" => self.delete_outside(now, id)?,
                    "reject"
                        if level == Level::Campaign || body.contains_key("secondary_status") =>
                    {
                        self.reject(
                            now,
                            id,
                            body.get("secondary_status").and_then(Value::as_str),
                        )?
                    }
                    "reject" => self.reject_content(now, id, read(request)?)?,
                    "approve" if body.contains_key("material_id") => {
                        self.approve_content(now, id, Some(field(&body, "material_id")?))?;
                    }
                    "approve" => self.approve(now, id)?,
                    "spend" => {
                        let amount =
                            body.get("amount").and_then(Value::as_f64).ok_or_else(|| {
                                Wrong(400, "amount is missing or not a number".into())
                            })?;
                        self.spend(now, id, amount)?;
                    }
                    other => {
                        return Err(Wrong(
                            404,
                            format!("{other}: pause, enable, delete, reject, approve or spend"),
                        ));
                    }
                }
                self.control_object(level, id)
            }
            (method, _) => Err(Wrong(404, format!("there is no {method} {}", request.path))),
        }
    }

    fn control_insert(
        &mut self,
        now: i64,
        level: Level,
        mut body: Map<String, Value>,
    ) -> Result<Value, Wrong> {
        let parent = match level {
            Level::Campaign => None,
            Level::AdGroup => Some((Level::Campaign, "campaign_id")),
            Level::Ad => Some((Level::AdGroup, "adgroup_id")),
        };
        if let Some((above, name)) = parent {
            let id = field(&body, name)?.to_owned();
            let tree = self.object_of(above, &id)?.1.tree;
            body.remove(name);
            let id = self.insert_inside(now, &id, body)?;
            return Ok(json!({level.id_field(tree): id.to_string()}));
        }
        let advertiser_id = field(&body, "advertiser_id")?.to_owned();
        let tree: Tree = match body.remove("tree") {
            None => Tree::Manual,
            Some(tree) => serde_json::from_value(tree)
                .map_err(|_| Wrong(400, "tree is manual or smart_plus".into()))?,
        };
        body.remove("advertiser_id");
        let id = self.insert_outside(now, &advertiser_id, tree, body)?;
        Ok(json!({"campaign_id": id.to_string()}))
    }

    fn control_object(&self, level: Level, id: &str) -> Result<Value, Wrong> {
        let (advertiser_id, row) = self.object_of(level, id)?;
        Ok(object_json(advertiser_id, row))
    }

    fn patch_account(
        &mut self,
        now: i64,
        id: &str,
        body: &Map<String, Value>,
    ) -> Result<Value, Wrong> {
        let app_id = self.advertiser(id)?.app_id.clone();
        if let Some(name) = body.keys().find(|key| {
            !["status", "rejection_reason", "user_role", "tier"].contains(&key.as_str())
        }) {
            return Err(Wrong(
                400,
                format!(
                    "{name} cannot be changed; status, rejection_reason, user_role and tier can"
                ),
            ));
        }
        if body.contains_key("status") {
            let reason = body
                .get("rejection_reason")
                .and_then(Value::as_str)
                .unwrap_or_default();
            self.set_account_status(now, id, field(body, "status")?, reason)?;
        }
        if body.contains_key("user_role") {
            self.set_user_role(id, field(body, "user_role")?)?;
        }
        if let Some(tier) = body.get("tier") {
            let tier: Tier = serde_json::from_value(tier.clone())
                .map_err(|_| Wrong(400, "tier is basic, advanced, premium or ultimate".into()))?;
            self.set_tier(&app_id, tier)?;
        }
        Ok(json!(self.advertiser(id)?))
    }

    fn patch_knobs(
        &mut self,
        advertiser: Option<&str>,
        body: &Map<String, Value>,
    ) -> Result<Value, Wrong> {
        let mut values = Vec::new();
        for (name, value) in body {
            let text = match value {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            // All or nothing.
            knobs::parse(&format!("{name}={text}"))?;
            values.push((name, text));
        }
        for (name, text) in values {
            self.set_knob(advertiser, name, &text)?;
        }
        Ok(self.knobs_json(advertiser))
    }

    fn knobs_json(&self, advertiser: Option<&str>) -> Value {
        let values: Map<String, Value> = KNOBS
            .iter()
            .map(|knob| {
                (
                    knob.name.to_owned(),
                    json!(self.knobs.text(knob, advertiser.unwrap_or_default())),
                )
            })
            .collect();
        json!({ "knobs": values })
    }

    fn clock_json(&self, now: i64) -> Value {
        json!({
            "now_ms": self.at(now),
            "now": time::datetime(self.at(now)),
            "offset_ms": self.clock_offset_ms,
            "pending_effects": self.pending_effects(),
        })
    }

    fn accounts_json(&self) -> Value {
        let list: Vec<Value> = self
            .accounts
            .advertisers
            .iter()
            .map(|(id, advertiser)| {
                let mut entry = json!(advertiser);
                entry["advertiser_id"] = json!(id);
                entry
            })
            .collect();
        json!({ "accounts": list })
    }
}

fn index() -> Value {
    json!({
        "what": "a local TikTok; docs/sandbox.md describes it",
        "api": "/open_api/v1.3/",
        "control": [
            "GET|POST /sandbox/accounts", "PATCH /sandbox/accounts/{advertiser_id}",
            "GET /sandbox/apps", "PATCH /sandbox/apps/{app_id}", "POST /sandbox/authorise", "POST /sandbox/auth_codes",
            "GET|POST|PATCH /sandbox/tokens[?app_id=]", "POST /sandbox/tokens/revoke", "POST /sandbox/tokens/expire",
            "GET|POST /sandbox/pixels[?advertiser_id=]", "DELETE /sandbox/pixels/{id}",
            "GET|POST /sandbox/subscriptions[?app_id=&advertiser_id=]", "DELETE /sandbox/subscriptions/{id}",
            "POST /sandbox/events", "GET|DELETE /sandbox/deliveries[?advertiser_id=&app_id=&state=&after=]",
            "GET|PATCH|DELETE /sandbox/knobs[?advertiser_id=]", "GET|POST /sandbox/clock",
            "GET|POST|DELETE /sandbox/faults", "DELETE /sandbox/faults/{id}",
            "GET|POST /sandbox/campaigns|ad_groups|ads[?advertiser_id=]", "GET|PATCH /sandbox/campaigns|ad_groups|ads/{id}",
            "POST /sandbox/campaigns|ad_groups|ads/{id}/pause|enable|delete|reject|approve|spend",
            "GET|DELETE /sandbox/requests[?advertiser_id=&path=&after=]", "GET /sandbox/counts[?advertiser_id=]",
            "GET /sandbox/fences[?advertiser_id=]",
        ],
    })
}
