//! What is not as it has to be when nothing happens any more. Written from the user's side, not from the engine's.

use std::collections::BTreeMap;

use serde_json::Value;
use tiktok_ads_operator::engine::doors::Name;
use tiktok_ads_operator::sandbox::Item;

use super::api_server::{AD, AD_GROUP, CAMPAIGN, CONNECTION, OBJECTS};
use super::checks::{at, money, record_of, reference};
use super::kstatus::{Computed, compute};
use super::world::World;

/// Reasons that only somebody else can end, and that cannot be checked from here.
const NEEDS_SOMEBODY: &[&str] = &[
    "NameTaken",
    "Conflict",
    "IdentityConflict",
    "AccountMismatch",
    "NotFoundOnPlatform",
    "AdoptionMismatch",
    "DuplicatesFound",
    "KeysUsedUp",
    "Rejected",
    "BudgetTooLow",
    "NotConverging",
    "ConnectionReadOnly",
    "SecretMissing",
    "WaitingForConnection",
    "ParentMismatch",
];

/// Of them, those of an object that names a platform object which is not its own.
const NOT_ITS_OWN: &[&str] = &[
    "Conflict",
    "IdentityConflict",
    "AccountMismatch",
    "AdoptionMismatch",
    "ParentMismatch",
];

/// Everything that is wrong, one line each.
pub fn disorder(world: &World) -> Vec<String> {
    let mut out = Vec::new();
    for kind in OBJECTS {
        for (name, object) in world.api.list(kind) {
            let look = Look::new(world, kind, name, object);
            if let Some(why) = look.wrong() {
                out.push(format!("{kind} {name}: {why} (Ready is {})", look.ready));
            }
        }
    }
    for (name, object) in world.api.list(CONNECTION) {
        let children = OBJECTS.into_iter().flat_map(|kind| world.api.list(kind));
        let stuck = is_deleting(object)
            && !children
                .into_iter()
                .any(|(n, c)| n.namespace == name.namespace && is_deleting(c));
        if stuck {
            out.push(format!("connection {name} is still being deleted"));
        }
    }
    out.extend(shared_rows(world));
    out
}

/// One platform object has one object of ours.
fn shared_rows(world: &World) -> Vec<String> {
    let mut holders: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for kind in OBJECTS {
        for (name, object) in world.api.list(kind) {
            let own = record_of(object).filter(|r| r["uid"] == object["metadata"]["uid"]);
            let reason = ready_of(object)["reason"].as_str().map(str::to_owned);
            if let Some(id) = own.as_ref().and_then(|r| r["id"].as_str())
                && reason.as_deref() != Some("Conflict")
            {
                let of = holders.entry(id.to_string()).or_default();
                of.push(format!("{kind} {name}"));
            }
        }
    }
    holders.retain(|_, of| of.len() > 1);
    let line = |(id, of): (String, Vec<String>)| format!("{id} is held by {}", of.join(" and "));
    holders.into_iter().map(line).collect()
}

fn is_deleting(object: &Value) -> bool {
    object["metadata"].get("deletionTimestamp").is_some()
}

fn ready_of(object: &Value) -> Value {
    object["status"]["conditions"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|c| c["type"] == "Ready")
        .cloned()
        .unwrap_or_default()
}

/// One object and all that its being in order depends on.
struct Look<'a> {
    world: &'a World,
    kind: &'static str,
    name: &'a Name,
    object: &'a Value,
    spec: &'a Value,
    ready: Value,
    reason: String,
    row: Option<&'a Item>,
}

impl<'a> Look<'a> {
    fn new(world: &'a World, kind: &'static str, name: &'a Name, object: &'a Value) -> Self {
        let ready = ready_of(object);
        let reason = ready["reason"].as_str().unwrap_or("none").to_string();
        // A record that was restored with another uid is a claim: until it is taken up, the object has nothing.
        let own = record_of(object).filter(|r| r["uid"] == object["metadata"]["uid"]);
        let id = own.and_then(|r| r["id"].as_str().map(str::to_owned));
        Self {
            world,
            kind,
            name,
            object,
            spec: &object["spec"],
            ready,
            reason,
            row: id.and_then(|id| world.row(&id)),
        }
    }

    fn connection(&self) -> Option<&'a Value> {
        let main = Name::new(&self.name.namespace, "main");
        self.world.api.get(CONNECTION, &main)
    }

    /// What it says that it is in.
    fn parent(&self) -> Option<&'a Value> {
        let (kind, name) = reference(self.object)?;
        self.world.api.get(kind, &name)
    }

    fn parent_look(&self) -> Option<Self> {
        let (kind, name) = reference(self.object)?;
        let kind = OBJECTS.into_iter().find(|k| *k == kind)?;
        let (name, object) = self.world.api.list(kind).find(|(n, _)| **n == name)?;
        Some(Self::new(self.world, kind, name, object))
    }

    fn campaign(&self) -> Option<&'a Value> {
        match self.kind {
            CAMPAIGN => Some(self.object),
            AD_GROUP => self.parent(),
            _ => {
                let (kind, name) = reference(self.parent()?)?;
                self.world.api.get(kind, &name)
            }
        }
    }

    fn mode(&self, mode: &str) -> bool {
        let of = |object: &Value| object["spec"]["mode"] == mode;
        of(self.object) || self.connection().is_some_and(of)
    }

    /// Is what the object says of itself so, and is it for somebody else to change?
    fn excused(&self) -> bool {
        let caps = self.connection().map(|c| c["spec"]["caps"].is_object());
        let spread = self.campaign().is_some_and(|c| self.spreads(c));
        let has_budget = self.spec.get("budget").is_some();
        match self.reason.as_str() {
            // What an object is in may be missing as well.
            "ConnectionMissing" | "Disconnected" => self.connection().is_none(),
            "ConnectionDeleting" => self.connection().is_some_and(is_deleting),
            "NamespaceTerminating" => {
                let ending = &self.world.api.terminating;
                ending.contains(&self.name.namespace)
            }
            "ParentMissing" => self.parent().is_none(),
            "WaitingForParent" if self.campaign().is_none() => true,
            "WaitingForParent" => self.parent_look().is_some_and(|parent| {
                let made = parent.row.is_some_and(|row| self.world.alive(row));
                // It may name what is not its own, and then says so itself.
                let claims = NOT_ITS_OWN.contains(&parent.reason.as_str());
                is_deleting(parent.object) || !made || claims
            }),
            "SiblingsDisagree" => self.siblings_disagree(),
            "BudgetOnCampaign" => spread && has_budget,
            "BudgetMissing" => !spread && !has_budget,
            "ExternallyDeleted" => self.row.is_none_or(|row| !self.world.alive(row)),
            "NoBudgetCeiling" => caps == Some(false),
            "CeilingReached" | "CeilingUnknown" => caps == Some(true),
            "Suspended" | "DeleteHeld" => self.mode("Suspend"),
            "WouldCreate" | "WouldUpdate" | "WouldPause" | "Observed" => {
                self.mode("Plan") || self.mode("Observe")
            }
            other => NEEDS_SOMEBODY.contains(&other),
        }
    }

    /// Does a campaign spread its budget over its ad groups? What its spec does not say is as the platform has it: one
    /// that took over an older campaign of the same key or name has that one's.
    fn spreads(&self, campaign: &Value) -> bool {
        if let Some(said) = campaign["spec"]["budgetOptimization"].as_bool() {
            return said;
        }
        let id = record_of(campaign).and_then(|r| r["id"].as_str().map(str::to_owned));
        let row = id.and_then(|id| self.world.row(&id));
        row.is_some_and(|row| at(&row.fields, "budget_optimize_on") == Some(&true.into()))
    }

    fn siblings_disagree(&self) -> bool {
        let same = |other: &Value| other["spec"]["campaignRef"] == self.spec["campaignRef"];
        let differs = |other: &Value| other["spec"]["bid"] != self.spec["bid"];
        self.world
            .api
            .list(AD_GROUP)
            .filter(|(name, _)| name.namespace == self.name.namespace && *name != self.name)
            .any(|(_, other)| !is_deleting(other) && same(other) && differs(other))
    }

    /// What is wrong, if anything.
    fn wrong(&self) -> Option<String> {
        let excused = self.excused();
        let computed = compute(self.object);
        if is_deleting(self.object) {
            return (!excused).then(|| "still being deleted".into());
        }
        if self.object["status"]["observedGeneration"] != self.object["metadata"]["generation"] {
            return Some("status is of an older generation".into());
        }
        if computed != Computed::Current && !excused {
            return Some(format!("{computed:?}"));
        }
        let Some(row) = self.row else {
            let made = computed == Computed::Current && self.reason != "Observed";
            return made.then(|| "Ready without a platform object".into());
        };
        let alive = self.world.alive(row);
        let on = row.is_on() && alive;
        if on && self.spec["state"] == "Paused" && !excused {
            return Some("on although the spec says Paused".into());
        }
        // Whatever the reason: without a ceiling nothing of ours stays on.
        if on && self.reason == "NoBudgetCeiling" {
            return Some("on without a ceiling".into());
        }
        if computed != Computed::Current || excused {
            return None;
        }
        let held = matches!(self.reason.as_str(), "PausedOutside" | "Paused");
        if !row.is_on() && alive && self.spec["state"] == "Active" && !held {
            return Some("off although the spec says Active and nothing holds it".into());
        }
        if !alive {
            return Some("Ready although the platform object is deleted".into());
        }
        self.misplaced(row).or_else(|| self.differs(row))
    }

    /// It is in what its parent's record names.
    fn misplaced(&self, row: &Item) -> Option<String> {
        let id = record_of(self.parent()?)?["id"].as_str()?.to_string();
        let is_in = row.parent().map(|id| id.to_string());
        (is_in.as_deref() != Some(id.as_str()))
            .then(|| format!("in {is_in:?} on the platform, its parent is {id}"))
    }

    /// The platform has what the spec says.
    fn differs(&self, row: &Item) -> Option<String> {
        let report = self.spec["drift"]["budget"] == "Report";
        let cents = |amount: f64| (amount * 100.0).round() as i64;
        let shown = |path: &str| at(&row.fields, path).cloned().unwrap_or_default();
        if let Some(wanted) = money(&self.spec["budget"]).filter(|w| *w != cents(row.budget()))
            && !report
        {
            return Some(format!(
                "budget {} on the platform, {wanted} cents wanted",
                row.budget()
            ));
        }
        let mut pairs: Vec<(&str, Option<Value>, Value)> = Vec::new();
        if let Some(name) = self.spec.get("name") {
            pairs.push(("name", Some(name.clone()), row.name().into()));
        }
        let smart = row.fields.get("targeting_spec").is_some();
        match self.kind {
            AD_GROUP => {
                let gender = match self.spec["targeting"]["gender"].as_str() {
                    Some("Female") => Some("GENDER_FEMALE"),
                    Some("Male") => Some("GENDER_MALE"),
                    _ => None,
                };
                let path = if smart {
                    "targeting_spec.gender"
                } else {
                    "gender"
                };
                pairs.push(("gender", gender.map(Value::from), shown(path)));
                let bid = &self.spec["bid"];
                let wanted = money(&serde_json::json!({ "amount": bid["amount"] }));
                let path = if smart {
                    "conversion_bid_price"
                } else {
                    "bid_price"
                };
                let have = shown(path).as_f64().map(cents);
                pairs.push(("bid", wanted.map(Value::from), have.into()));
            }
            AD => {
                let texts = self.spec["texts"].as_array().map(|texts| {
                    let each = texts.iter().map(|t| serde_json::json!({ "ad_text": t }));
                    Value::Array(each.collect())
                });
                pairs.push(("texts", texts, shown("ad_text_list")));
                pairs.push(("text", self.spec.get("text").cloned(), shown("ad_text")));
                let page = self.spec["landingPage"].get("url").cloned();
                if self.spec.get("text").is_some() {
                    pairs.push(("page", page, shown("landing_page_url")));
                }
            }
            _ => {}
        }
        pairs
            .into_iter()
            .find(|(_, wanted, have)| wanted.as_ref().is_some_and(|wanted| wanted != have))
            .map(|(what, wanted, have)| {
                format!("{what} is {have} on the platform, {wanted:?} is wanted")
            })
    }
}
