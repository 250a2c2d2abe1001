//! Updates and status calls: R1, R2, R8, R15 and R17, in the eyes of the replica that sends them.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;
use tiktok_ads_operator::engine::doors::{Name, SecretCopy};
use tiktok_ads_operator::platform::OperationState;

use super::ceilings::{bound, cents, money};
use super::eyes::effective_mode;
use super::wire::{Made, What, Write};
use super::{Bought, record_of, text};
use crate::sim::api_server::{AD_GROUP, CAMPAIGN, CONNECTION};
use crate::sim::world::World;

/// R17: what TikTok keeps once for all ad groups of a Smart+ campaign.
const SHARED_BIDS: [&str; 3] = ["bid_price", "conversion_bid_price", "roas_bid"];

/// A buyer's change is lost without anybody's fault if the row was read before it: a replacing update is made from a row
/// of at most 30 s, may take 15 s to be sent and as long to arrive, and look-ups may lag by 8 s.
const UNSEEN: Duration = Duration::from_secs(75);

impl World {
    pub(super) fn checked_update(
        &mut self,
        replica: usize,
        process: u64,
        write: &Write,
        id: &str,
        fields: &Value,
    ) {
        let Some(object) = self.checked_holder(replica, process, write, "an update", id) else {
            return;
        };
        let name = text(&object["metadata"], "name").to_string();
        let connection = self.connection_view(replica, &object);
        let mode = effective_mode(&object, connection.as_ref());
        if mode != "Enforce" {
            self.fail(format!(
                "R8: {} {name} is updated in mode {mode}",
                write.kind
            ));
        }
        if object["metadata"].get("deletionTimestamp").is_some() {
            self.fail(format!("{name} is updated while being deleted"));
        }
        let row = self.row_in_view(replica, write.kind, id);
        let on = row
            .as_ref()
            .is_some_and(|row| row.operation == OperationState::On);
        if on && object["spec"]["state"] == "Paused" {
            self.fail(format!(
                "R2: {name} is updated while it is on and its spec says Paused"
            ));
        }
        if let Some(status) = fields.get("operation_status") {
            self.fail(format!("R2: an update of {name} sets {status}"));
        }
        self.checked_siblings(replica, write, &object, fields);
        let active = object["spec"]["state"] == "Active" || on;
        if let Some(budget) = fields.get("budget").and_then(Value::as_f64)
            && active
            && cents(budget) > self.row_cents(id)
        {
            let amount = bound(text_of(&row_mode(self, id)), cents(budget));
            self.checked_ceiling(replica, write, &object, id, amount);
            self.checked_total(replica, write, &object, &[], Some((id, cents(budget))));
        }
    }

    pub(super) fn checked_status_call(
        &mut self,
        replica: usize,
        process: u64,
        call: u64,
        write: &Write,
        ids: &[String],
        to: &str,
    ) {
        if ids.is_empty() || ids.len() > 20 {
            self.fail(format!("R5: a status call with {} ids", ids.len()));
        }
        let mut first = None;
        for id in ids {
            let Some(object) = self.checked_holder(replica, process, write, to, id) else {
                continue;
            };
            match to {
                "ENABLE" => self.checked_enable(replica, write, &object, id),
                "DISABLE" => self.checked_pause(replica, write, &object, id),
                _ => {
                    let deleting = object["metadata"].get("deletionTimestamp").is_some()
                        || self.terminating_in_view(replica, &object);
                    if !deleting || object["spec"]["deletionPolicy"] != "Delete" {
                        let name = text(&object["metadata"], "name").to_string();
                        self.fail(format!("{name} is deleted on the platform unasked"));
                    }
                }
            }
            first.get_or_insert(object);
        }
        match to {
            "ENABLE" => {
                self.checks.enables += ids.len() as u64;
                let about = (process, ids.to_vec());
                self.checks.enabling.insert(call, about);
                if let Some(object) = first {
                    self.checked_total(replica, write, &object, ids, None);
                }
            }
            "DISABLE" => self.checks.pauses += ids.len() as u64,
            _ => self.checks.deletes += ids.len() as u64,
        }
    }

    pub(super) fn checked_creatives(
        &mut self,
        replica: usize,
        process: u64,
        write: &Write,
        ad: &str,
    ) {
        let Some(object) = self.checked_holder(replica, process, write, "creatives", ad) else {
            return;
        };
        let name = text(&object["metadata"], "name").to_string();
        let connection = self.connection_view(replica, &object);
        let mode = effective_mode(&object, connection.as_ref());
        if mode != "Enforce" {
            self.fail(format!(
                "R8: creatives of {name} are switched in mode {mode}"
            ));
        }
    }

    /// Somebody holds the id, its mode allows the write, and this process has not let it go.
    fn checked_holder(
        &mut self,
        replica: usize,
        process: u64,
        write: &Write,
        what: &str,
        id: &str,
    ) -> Option<Value> {
        let Some(object) = self.holder(replica, write.kind, id) else {
            self.fail(format!(
                "{what} is sent for {} {id}, which nobody holds in this replica's eyes",
                write.kind
            ));
            return None;
        };
        let meta = &object["metadata"];
        let name = text(meta, "name").to_string();
        let uid = text(meta, "uid").to_string();
        if self.checks.released.contains(&(process, uid)) {
            self.fail(format!("{what} is sent for {name}, which was let go"));
        }
        let connection = self.connection_view(replica, &object);
        let mode = effective_mode(&object, connection.as_ref());
        if matches!(mode, "Observe" | "Plan") {
            self.fail(format!("R8: {what} for {name} in mode {mode}"));
        }
        if mode == "Suspend" && what != "DISABLE" {
            self.fail(format!("R8: {what} for {name} in mode Suspend"));
        }
        Some(object)
    }

    fn checked_enable(&mut self, replica: usize, write: &Write, object: &Value, id: &str) {
        let name = text(&object["metadata"], "name").to_string();
        let spec = &object["spec"];
        if object["metadata"].get("deletionTimestamp").is_some()
            || self.terminating_in_view(replica, object)
        {
            self.fail(format!("{name} is switched on while being deleted"));
        }
        if spec["state"] != "Active" {
            self.fail(format!(
                "{name} is switched on although its spec says {}",
                spec["state"]
            ));
        }
        let record = record_of(object).unwrap_or_default();
        if record["seenOn"] == true && spec["drift"]["state"] != "Enforce" {
            self.fail(format!(
                "R1: {name} was seen on and is switched on again without being asked to"
            ));
        }
        // R2: a resume goes last.
        if let Some(row) = self.row_in_view(replica, write.kind, id) {
            let wanted = money(&spec["budget"]);
            if wanted.is_some()
                && spec["drift"]["budget"] != "Report"
                && row.budget.map(|b| b.0) != wanted
            {
                self.fail(format!(
                    "R2: {name} is switched on with a budget of {:?} where {wanted:?} is wanted",
                    row.budget
                ));
            }
            let wanted = spec["name"].as_str();
            if wanted.is_some_and(|w| w != row.name) && spec["drift"]["name"] != "Report" {
                self.fail(format!("R2: {name} is switched on before it is renamed"));
            }
        }
        let amount = self.row_bound(id);
        self.checked_ceiling(replica, write, object, id, amount);
    }

    /// R21: the connection wants everything off once its token is not renewed, and that is so.
    fn degraded(&self, object: &Value) -> bool {
        let name = Name::new(text(&object["metadata"], "namespace"), "main");
        let says = self
            .api
            .get(CONNECTION, &name)
            .is_some_and(|c| c["spec"]["onAuthDegraded"] == "PauseAll");
        let token = Name::new(name.namespace, "main-tiktok-token");
        let refused = |copy: SecretCopy| copy.data.contains_key("refresh_refused_at");
        says && self.api.secret(&token).is_some_and(refused)
    }

    /// R2: nothing is switched off unless its spec, its end, a ceiling or a failing token asks for it; never for an edit.
    fn checked_pause(&mut self, replica: usize, write: &Write, object: &Value, id: &str) {
        let spec = &object["spec"];
        let record = record_of(object).unwrap_or_default();
        let adopted = record["adopted"] == true;
        let ending = object["metadata"].get("deletionTimestamp").is_some()
            || self.terminating_in_view(replica, object);
        let policy = match spec["deletionPolicy"].as_str() {
            Some(policy) => policy,
            None if adopted => "Retain",
            None => "Pause",
        };
        let asked = match spec["state"].as_str() {
            Some(state) => state == "Paused",
            None => !adopted,
        };
        if (ending && policy != "Retain") || (!ending && asked) {
            return;
        }
        let held = !ending
            && spec["state"] == "Active"
            && (self.degraded(object) || self.is_held(replica, write, object, id));
        if !held {
            let name = text(&object["metadata"], "name");
            self.fail(format!(
                "R2: {} {name} is switched off, and nothing asks for it",
                write.kind
            ));
        }
    }

    /// R17: nothing that siblings share is sent while they say it differently.
    pub(super) fn checked_siblings(
        &mut self,
        replica: usize,
        write: &Write,
        object: &Value,
        fields: &Value,
    ) {
        let shares = (write.kind, write.tree) == (AD_GROUP, "SmartPlus");
        let sent = SHARED_BIDS.iter().any(|bid| fields.get(bid).is_some());
        if !shares || !sent {
            return;
        }
        let mine = money_of(&object["spec"]["bid"]["amount"]);
        let campaign = &object["spec"]["campaignRef"]["name"];
        let disagrees = self.shown(replica, AD_GROUP).into_iter().find(|other| {
            let theirs = money_of(&other["spec"]["bid"]["amount"]);
            other["metadata"]["namespace"] == object["metadata"]["namespace"]
                && other["spec"]["campaignRef"]["name"] == *campaign
                && other["metadata"].get("deletionTimestamp").is_none()
                && mine.is_some()
                && theirs.is_some()
                && theirs != mine
        });
        if let Some(other) = disagrees {
            let name = |o: &Value| text(&o["metadata"], "name").to_string();
            self.fail(format!(
                "R17: the bid of {} is sent while {} says another",
                name(object),
                name(&other)
            ));
        }
    }

    /// The same for a create, whose object the mark named.
    pub(super) fn checked_new_bid(&mut self, replica: usize, write: &Write, made: &Made) {
        if (write.kind, write.tree) != (AD_GROUP, "SmartPlus") {
            return;
        }
        let object = self.shown(replica, AD_GROUP).into_iter().find(|object| {
            record_of(object).is_some_and(|r| {
                r["key"].as_str() == made.key.as_deref() && r["uid"] == object["metadata"]["uid"]
            })
        });
        if let Some(object) = object {
            self.checked_siblings(replica, write, &object, &made.fields);
        }
    }

    /// R15: what a buyer has set, that no spec says and that was there to be read, is there after our update as well.
    pub fn bought_before(&self, write: Option<&Write>) -> BTreeMap<(String, String), Value> {
        let Some(Write {
            what: What::Update { id, .. },
            ..
        }) = write
        else {
            return BTreeMap::new();
        };
        let now = self.clock.elapsed();
        let Ok((_, row)) = self.sandbox.object(id) else {
            return BTreeMap::new();
        };
        let settled = |bought: &&Bought| bought.id == *id && bought.at + UNSEEN < now;
        self.checks
            .bought
            .iter()
            .filter(settled)
            .filter(|b| at(&row.fields, &b.path) == Some(&b.value))
            .map(|b| ((id.clone(), b.path.clone()), b.value.clone()))
            .collect()
    }

    /// See [`World::bought_before`].
    pub fn bought_after(&mut self, before: BTreeMap<(String, String), Value>) {
        for ((id, path), value) in before {
            let Ok((_, row)) = self.sandbox.object(&id) else {
                continue;
            };
            let now = at(&row.fields, &path).cloned();
            self.checks.kept += 1;
            if now.as_ref() != Some(&value) {
                self.fail(format!(
                    "R15: an update of {id} made {now:?} of {path}, which a buyer had set to {value}"
                ));
            }
        }
    }
}

/// A field below others: `targeting_spec.languages`.
pub fn at<'a>(fields: &'a serde_json::Map<String, Value>, path: &str) -> Option<&'a Value> {
    let mut parts = path.split('.');
    let mut value = fields.get(parts.next()?)?;
    for part in parts {
        value = value.get(part)?;
    }
    Some(value)
}

fn money_of(amount: &Value) -> Option<i64> {
    money(&serde_json::json!({ "amount": amount }))
}

fn row_mode(world: &World, id: &str) -> Option<String> {
    let (_, row) = world.sandbox.object(id).ok()?;
    Some(row.text("budget_mode").to_string())
}

fn text_of(mode: &Option<String>) -> &str {
    mode.as_deref().unwrap_or_default()
}

/// Only campaigns and ad groups have money.
pub fn has_money(kind: &str) -> bool {
    matches!(kind, CAMPAIGN | AD_GROUP)
}
