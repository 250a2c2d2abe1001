//! The invariants, checked at every effect. What each means exactly stands at its check.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use tiktok_ads_operator::api::RECORD;
use tiktok_ads_operator::engine::doors::{Clock, Name, ObjectName};
use tiktok_ads_operator::platform::{Method, TransportError, WireReply, WireRequest};

use super::api_server::{CAMPAIGN, CONNECTION};
use super::kstatus::complaint;
use super::world::{World, kind_of};

/// A mark that reached the API server.
#[derive(Clone, Debug)]
struct Marked {
    uid: String,
    name: Name,
    key: String,
    attempt: u64,
    process: u64,
    deadline: Timestamp,
    /// The process has read the answer: only then may it send.
    acknowledged: bool,
    sent: bool,
}

/// What the process that sent a create learned of it.
#[derive(Clone, Debug, PartialEq)]
enum Learned {
    /// Nothing (yet): as unclear as a lost answer.
    Nothing,
    /// Surely not made.
    Refused,
    Unclear,
    Made,
}

/// A create that a process decided to send.
#[derive(Clone, Debug)]
struct Sent {
    uid: String,
    key: String,
    tree: &'static str,
    wanted: String,
    deadline: Timestamp,
    process: u64,
    learned: Learned,
    /// Its object's record has got an id, or the proof of its absence was used: nothing is open any more.
    settled: bool,
}

/// A look-up by name that a process read whole.
#[derive(Clone, Debug)]
struct Looked {
    tree: &'static str,
    wanted: String,
    begun: Timestamp,
}

/// What the checks remember.
#[derive(Default)]
pub struct Checks {
    marks: Vec<Marked>,
    sends: Vec<Sent>,
    looks: Vec<Looked>,
    /// Objects whose record was taken away by somebody else's write while a create was outstanding: what protects them
    /// from a twin is then only the platform's memory of the key (R10) and the name check (R9).
    pub stripped: BTreeSet<String>,
    /// Rows that a person changed: no conclusions about ceilings from these.
    pub touched: BTreeSet<String>,
    /// The sum of ceilings is checked (no late lists, no lagging rows in this run).
    pub totals: bool,
    /// Which object's create made a row, decided when the row is first seen.
    made_by: BTreeMap<u64, String>,
    /// Creates sent, for the report.
    pub creates: u64,
    pub enables: u64,
    pub pauses: u64,
    pub twins_seen: u64,
}

fn tree_of(path: &str) -> &'static str {
    if path.contains("/smart_plus/") {
        "SmartPlus"
    } else {
        "Manual"
    }
}

pub fn record_of(object: &Value) -> Option<Value> {
    let text = object["metadata"]["annotations"].get(RECORD)?.as_str()?;
    serde_json::from_str(text).ok()
}

fn time_of(value: &Value) -> Timestamp {
    value
        .as_str()
        .and_then(|t| t.parse().ok())
        .unwrap_or(Timestamp::MIN)
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

impl World {
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// A metadata patch took effect: it may be a mark.
    pub fn checked_patch(&mut self, process: u64, kind: &'static str, name: &Name, object: &Value) {
        if kind != CAMPAIGN {
            return;
        }
        let Some(record) = record_of(object) else {
            return;
        };
        let uid = text(&record, "uid").to_string();
        if record.get("id").is_some() {
            for sent in self.checks.sends.iter_mut().filter(|s| s.uid == uid) {
                sent.settled = true;
            }
        } else if let Some(mark) = record.get("mark") {
            let marked = Marked {
                uid,
                name: name.clone(),
                key: text(&record, "key").into(),
                attempt: record["attempt"].as_u64().unwrap_or(0),
                process,
                deadline: time_of(&mark["deadline"]),
                acknowledged: false,
                sent: false,
            };
            let known = self.checks.marks.iter().any(|m| {
                m.uid == marked.uid
                    && m.key == marked.key
                    && m.attempt == marked.attempt
                    && m.deadline == marked.deadline
            });
            if !known {
                self.checks.marks.push(marked);
            }
        }
    }

    /// The process has read the answer to its patch.
    pub fn mark_acknowledged(&mut self, process: u64, object: &Value) {
        let Some(record) = record_of(object) else {
            return;
        };
        for mark in &mut self.checks.marks {
            if mark.process == process
                && mark.deadline == time_of(&record["mark"]["deadline"])
                && mark.uid == text(&record, "uid")
                && mark.key == text(&record, "key")
                && Some(mark.attempt) == record["attempt"].as_u64()
            {
                mark.acknowledged = true;
            }
        }
    }

    /// Section 5.7: kstatus and Flux find nothing to complain about, whatever was written.
    pub fn checked_status(&mut self, kind: &'static str, name: &Name, object: &Value) {
        if let Some(why) = complaint(object) {
            self.fail(format!("{kind} {name}: {why}: {}", object["status"]));
        }
    }

    /// A process decided to send a platform call. Its view of the cluster is what counts here: it cannot know more.
    pub fn checked_send(
        &mut self,
        replica: usize,
        process: u64,
        request: &WireRequest,
        _fence: u64,
    ) {
        if self.slots[replica].process != process {
            self.fail(format!("a dead process {process} sends {}", request.path));
        }
        let Some(body) = request
            .body
            .as_ref()
            .filter(|_| request.method == Method::Post)
        else {
            return;
        };
        let body = body.clone();
        self.checked_leader(replica, process, request.path);
        self.not_overtaking(replica, request.path, &body);
        if request.path.ends_with("/campaign/create/") {
            self.checked_create(replica, process, request.path, &body);
            return;
        }
        let ids: Vec<String> = match body.get("campaign_ids") {
            Some(ids) => super::api_server::strings(ids),
            None => vec![text(&body, "campaign_id").to_string()],
        };
        let status = text(&body, "operation_status").to_string();
        for id in &ids {
            self.checked_write(replica, request.path, &status, id, &body);
        }
        match status.as_str() {
            "ENABLE" => {
                self.checks.enables += ids.len() as u64;
                self.checked_total(replica, &body, &ids);
            }
            "DISABLE" => self.checks.pauses += ids.len() as u64,
            _ => {}
        }
    }

    /// Decision 14: no write begins after somebody else has taken the lease.
    fn checked_leader(&mut self, replica: usize, process: u64, path: &str) {
        let holder = self
            .api
            .lease
            .as_ref()
            .and_then(|l| l.spec.as_ref()?.holder_identity.clone())
            .unwrap_or_default();
        if holder != format!("r{replica}-{process}") {
            self.fail(format!(
                "r{replica}-{process} sends {path} while {holder:?} holds the lease"
            ));
        }
    }

    /// Pauses are never overtaken by other work. Exactly: no write that is not a pause is sent for an account while an
    /// operation to pause has waited in its outbox since an earlier moment, may go (no backoff of pauses is running),
    /// and the place that pauses have for themselves is free. In the same moment the two may have been decided from
    /// one state, so that is not held against the engine.
    fn not_overtaking(&mut self, replica: usize, path: &str, body: &Value) {
        if text(body, "operation_status") == "DISABLE" {
            return;
        }
        let Some(engine) = self.slots[replica].engine.upgrade() else {
            return;
        };
        let now = self.now();
        let advertiser = text(body, "advertiser_id");
        let waits = {
            let state = engine.lock();
            state
                .accounts
                .iter()
                .filter(|(id, _)| id.advertiser == advertiser)
                .filter(|(_, a)| {
                    a.pauses == 0
                        && a.pause_batches == 0
                        && a.pause_not_before.is_none_or(|t| t <= now)
                })
                .find_map(|(_, a)| a.outbox.pause_since(now).filter(|since| *since < now))
        };
        if let Some(since) = waits {
            self.fail(format!(
                "{path} is sent while a pause waits since {since} and its place is free"
            ));
        }
    }

    fn checked_create(&mut self, replica: usize, process: u64, path: &str, body: &Value) {
        self.checks.creates += 1;
        let key = text(body, "request_id").to_string();
        let now = self.now();
        let mark = self
            .checks
            .marks
            .iter_mut()
            .rev()
            .find(|m| m.process == process && m.key == key && m.acknowledged && !m.sent);
        let Some(mark) = mark else {
            self.fail(format!(
                "a create with key {key} is sent without a mark of its own that the API server confirmed to this process"
            ));
            return;
        };
        mark.sent = true;
        let mark = mark.clone();
        if now + Duration::from_secs(15) > mark.deadline {
            self.fail(format!(
                "the create of {} may end after its recorded deadline {}",
                mark.name, mark.deadline
            ));
        }
        let tree = tree_of(path);
        let wanted = text(body, "campaign_name").to_string();
        if let Some(view) = self.view(replica, CAMPAIGN, &mark.name) {
            let connection = self.connection_view(replica, &view);
            let mode = effective_mode(&view, connection.as_ref());
            if mode != "Enforce" {
                self.fail(format!("R8: {} is created in mode {mode}", mark.name));
            }
            if view["metadata"].get("deletionTimestamp").is_some() {
                self.fail(format!("{} is created while being deleted", mark.name));
            }
        }
        self.unclear_before(&mark, tree);
        self.checks.sends.push(Sent {
            uid: mark.uid,
            key,
            tree,
            wanted,
            deadline: mark.deadline,
            process,
            learned: Learned::Nothing,
            settled: false,
        });
    }

    /// R11: before a further create of one object, every earlier one of unknown outcome has been looked for twice on its
    /// tree's own endpoint, 30 s apart, the later look at least 60 s after its recorded deadline.
    fn unclear_before(&mut self, mark: &Marked, _tree: &'static str) {
        let spacing = Duration::from_secs(30);
        let after = Duration::from_secs(60);
        let mut wrong = Vec::new();
        for sent in &mut self.checks.sends {
            let open = sent.uid == mark.uid
                && !sent.settled
                && matches!(sent.learned, Learned::Nothing | Learned::Unclear);
            if !open {
                continue;
            }
            let looks: Vec<&Looked> = self
                .checks
                .looks
                .iter()
                .filter(|l| l.tree == sent.tree && l.wanted == sent.wanted)
                .collect();
            let proven = looks.iter().any(|last| {
                last.begun >= sent.deadline + after
                    && looks
                        .iter()
                        .any(|first| first.begun + spacing <= last.begun)
            });
            if !proven {
                wrong.push(format!(
                    "{}: a create is sent while the outcome of an earlier one (key {}, process {}) is unknown and not looked for as R11 says",
                    mark.name, sent.key, sent.process
                ));
            }
            sent.settled = true;
        }
        for why in wrong {
            if self.checks.stripped.contains(&mark.uid) {
                self.say(format!("allowed, the record was stripped: {why}"));
            } else {
                self.fail(why);
            }
        }
    }

    /// No byte of this request left.
    pub fn never_sent(&mut self, process: u64, request: &WireRequest) {
        self.learn(process, request, Learned::Refused);
    }

    fn learn(&mut self, process: u64, request: &WireRequest, learned: Learned) {
        if !request.path.ends_with("/campaign/create/") {
            return;
        }
        let key = request
            .body
            .as_ref()
            .map(|b| text(b, "request_id").to_string())
            .unwrap_or_default();
        if let Some(sent) = self
            .checks
            .sends
            .iter_mut()
            .rev()
            .find(|s| s.process == process && s.key == key && s.learned == Learned::Nothing)
        {
            sent.learned = learned;
        }
    }

    /// The process has the answer in hand.
    pub fn checked_answer(
        &mut self,
        process: u64,
        request: &WireRequest,
        begun: Duration,
        result: &Result<WireReply, TransportError>,
    ) {
        let json: Value = match result {
            Ok(reply) if reply.status == 200 => {
                serde_json::from_slice(&reply.body).unwrap_or_default()
            }
            _ => Value::Null,
        };
        let code = json["code"].as_i64();
        if request.path.ends_with("/campaign/create/") {
            let said = text(&json, "message").to_lowercase();
            let duplicate = said.contains("duplicate") && said.contains("request");
            let throttled = matches!(result, Ok(reply) if reply.status == 429);
            let learned = match (code, result) {
                (_, Err(TransportError::NotSent(_))) => Learned::Refused,
                _ if throttled => Learned::Refused,
                (Some(0), _) => Learned::Made,
                (Some(40050 | 40700), _) => Learned::Unclear,
                (Some(40000..50000 | 61000), _) if !duplicate => Learned::Refused,
                _ => Learned::Unclear,
            };
            self.learn(process, request, learned);
            return;
        }
        let filtering: Value = request
            .query
            .iter()
            .find(|(key, _)| *key == "filtering")
            .and_then(|(_, value)| serde_json::from_str(value).ok())
            .unwrap_or_default();
        let info = &json["data"]["page_info"];
        let shown = json["data"]["list"].as_array().map_or(0, Vec::len) as u64;
        let whole = code == Some(0) && info["total_number"].as_u64() == Some(shown);
        if whole
            && let Some(wanted) = filtering["campaign_name"].as_str()
            && filtering["primary_status"] == "STATUS_ALL"
        {
            let begun = Timestamp::from_second(super::clock::BASE_SECONDS).unwrap() + begun;
            self.checks.looks.push(Looked {
                tree: tree_of(request.path),
                wanted: wanted.into(),
                begun,
            });
        }
    }

    /// Who holds an id in the eyes of a replica.
    fn holder(&self, replica: usize, id: &str) -> Option<Value> {
        let engine = self.slots[replica].engine.upgrade()?;
        let state = engine.lock();
        state
            .stores
            .iter()
            .filter_map(|(_, object)| serde_json::to_value(&**object).ok())
            .find(|object| {
                record_of(object)
                    .is_some_and(|r| r["id"] == *id && r["uid"] == object["metadata"]["uid"])
            })
    }

    /// What a replica knows of an object: what it was shown last, by a watch or by an answer.
    fn view(&self, replica: usize, kind: &'static str, name: &Name) -> Option<Value> {
        let engine = self.slots[replica].engine.upgrade()?;
        let state = engine.lock();
        if let Some(kind) = kind_of(kind) {
            let name = ObjectName::new(kind, &name.namespace, &name.name);
            return serde_json::to_value(&*state.stores.get(&name)?).ok();
        }
        let object = state.stores.connections.get(name)?;
        serde_json::to_value(&*object).ok()
    }

    fn connection_view(&self, replica: usize, campaign: &Value) -> Option<Value> {
        let name = Name::new(
            text(&campaign["metadata"], "namespace"),
            text(&campaign["spec"]["connectionRef"], "name"),
        );
        self.view(replica, CONNECTION, &name)
    }

    /// R1, R2, R8, R20 for one id of an update or status call, in the eyes of the replica that sends it.
    fn checked_write(&mut self, replica: usize, path: &str, status: &str, id: &str, body: &Value) {
        let Some(object) = self.holder(replica, id) else {
            self.fail(format!(
                "{path} {status} is sent for campaign {id}, which nobody holds in this replica's eyes"
            ));
            return;
        };
        let name = text(&object["metadata"], "name").to_string();
        let connection = self.connection_view(replica, &object);
        let mode = effective_mode(&object, connection.as_ref());
        if matches!(mode, "Observe" | "Plan") {
            self.fail(format!("R8: {path} {status} for {name} in mode {mode}"));
        }
        if mode == "Suspend" && status != "DISABLE" {
            self.fail(format!("R8: {path} {status} for {name} in mode Suspend"));
        }
        let spec = &object["spec"];
        let deleting = object["metadata"].get("deletionTimestamp").is_some();
        if status == "ENABLE" {
            if deleting {
                self.fail(format!("{name} is switched on while being deleted"));
            }
            if spec["state"] != "Active" {
                self.fail(format!(
                    "{name} is switched on although its spec says {}",
                    spec["state"]
                ));
            }
            let record = record_of(&object).unwrap_or_default();
            if record["seenOn"] == true && spec["drift"]["state"] != "Enforce" {
                self.fail(format!(
                    "R1: {name} was seen on and is switched on again without being asked to"
                ));
            }
        }
        if status == "DELETE" && (!deleting || spec["deletionPolicy"] != "Delete") {
            self.fail(format!("{name} is deleted on the platform unasked"));
        }
        let raises = body.get("budget").is_some() && spec["state"] == "Active";
        if status == "ENABLE" || raises {
            let amount = match body.get("budget").and_then(Value::as_f64) {
                Some(budget) => cents(budget),
                None => self.row_cents(id),
            };
            let before = self.row_cents(id);
            if status == "ENABLE" || amount > before {
                self.checked_ceiling(replica, &object, &name, amount, status == "ENABLE", id);
            }
        }
    }

    fn row_cents(&self, id: &str) -> i64 {
        self.sandbox
            .campaign(id)
            .map_or(0, |(_, row)| cents(row.budget()))
    }

    /// R20: without caps nothing is enabled and no budget raised; nothing above the cap per object.
    fn checked_ceiling(
        &mut self,
        replica: usize,
        object: &Value,
        name: &str,
        amount: i64,
        enable: bool,
        id: &str,
    ) {
        let Some(connection) = self.connection_view(replica, object) else {
            return;
        };
        let caps = &connection["spec"]["caps"];
        if !caps.is_object() {
            self.fail(format!(
                "R20: {name} is switched on or raised without a ceiling"
            ));
            return;
        }
        // What a person changed a moment ago cannot be known yet.
        if enable && self.checks.touched.contains(id) {
            return;
        }
        if let Some(most) = money(&caps["maxDailyBudgetPerObject"])
            && amount > most
        {
            self.fail(format!(
                "R20: {name} may spend {amount}, the ceiling is {most}"
            ));
        }
    }

    /// R20: what we switched on and nobody else touched never sums above the total.
    fn checked_total(&mut self, replica: usize, body: &Value, ids: &[String]) {
        if !self.checks.totals {
            return;
        }
        let advertiser = text(body, "advertiser_id").to_string();
        let Some(object) = ids.iter().find_map(|id| self.holder(replica, id)) else {
            return;
        };
        let Some(connection) = self.connection_view(replica, &object) else {
            return;
        };
        let Some(most) = money(&connection["spec"]["caps"]["maxDailyBudgetTotal"]) else {
            return;
        };
        let sum: i64 = self
            .sandbox
            .campaigns(&advertiser)
            .filter(|row| {
                let id = row.id.to_string();
                !self.checks.touched.contains(&id) && (row.is_on() || ids.contains(&id))
            })
            .map(|row| cents(row.budget()))
            .sum();
        if sum > most {
            self.fail(format!(
                "R20: with {ids:?} the account could spend {sum} a day, the total ceiling is {most}"
            ));
        }
    }

    /// Never two live rows for one object. A row belongs to the object whose create (by key) made it.
    ///
    /// The one exception: somebody took the record away (past the admission policy), and the name was changed as well
    /// or the status was lost: then nothing is left that leads to the first row but TikTok's own memory of the key. Even
    /// then only one of the two is ever switched on by us.
    pub fn checked_rows(&mut self) {
        let mut live: BTreeMap<String, Vec<(u64, bool)>> = BTreeMap::new();
        let advertisers = self.advertisers();
        let mut found = Vec::new();
        for advertiser in &advertisers {
            for row in self.sandbox.campaigns(advertiser).filter(|r| !r.deleted) {
                let Some(key) = &row.request_id else { continue };
                // A later object of the same name has the same key, so tree and name decide as well.
                let tree = match row.tree {
                    tiktok_ads_operator::sandbox::Tree::Manual => "Manual",
                    tiktok_ads_operator::sandbox::Tree::SmartPlus => "SmartPlus",
                };
                let by = || {
                    let mut fitting = self.checks.sends.iter().rev().filter(|s| {
                        s.key == *key && s.tree == tree && s.wanted == row.text("campaign_name")
                    });
                    fitting.next().map(|s| s.uid.clone()).unwrap_or_default()
                };
                let uid = match self.checks.made_by.get(&row.id) {
                    Some(uid) => uid.clone(),
                    None => by(),
                };
                found.push((row.id, uid.clone()));
                if !uid.is_empty() {
                    // What a buyer switched on is not ours to answer for.
                    let ours = row.is_on() && !self.checks.touched.contains(&row.id.to_string());
                    live.entry(uid).or_default().push((row.id, ours));
                }
            }
        }
        self.checks.made_by.extend(found);
        for (uid, rows) in live {
            if rows.len() < 2 {
                continue;
            }
            self.checks.twins_seen += 1;
            if self.checks.stripped.contains(&uid) && rows.iter().filter(|r| r.1).count() < 2 {
                continue;
            }
            let said = format!("two live rows for one object: {uid} has {rows:?}");
            if !self.failures.contains(&said) {
                self.fail(said);
            }
        }
        let fences = self.sandbox.fence_violations().to_vec();
        if let Some(first) = fences.first() {
            let said = format!("a lower lease count after a higher one: {first:?}");
            if !self
                .failures
                .iter()
                .any(|f| f.starts_with("a lower lease count"))
            {
                self.fail(said);
            }
        }
    }

    /// Advertisers that connections name.
    pub fn advertisers(&self) -> Vec<String> {
        self.accounts
            .iter()
            .map(|a| a.advertiser_id.clone())
            .collect()
    }

    /// A process is gone: what it had not learned by then, nobody knows.
    pub fn process_ended(&mut self, process: u64) {
        for sent in &mut self.checks.sends {
            if sent.process == process && sent.learned == Learned::Made && !sent.settled {
                sent.learned = Learned::Unclear;
            }
        }
    }

    /// Somebody else's write took an object's record away. If a create was outstanding, the record cannot protect it.
    pub fn note_stripped(&mut self, object: &Value) {
        if let Some(record) = record_of(object) {
            self.checks
                .stripped
                .insert(text(&record, "uid").to_string());
        }
    }
}

fn cents(amount: f64) -> i64 {
    (amount * 100.0).round() as i64
}

fn money(value: &Value) -> Option<i64> {
    let amount = &value["amount"];
    let number: f64 = match amount {
        Value::String(text) => text.parse().ok()?,
        other => other.as_f64()?,
    };
    Some(cents(number))
}

/// The strictest of object and connection.
fn effective_mode<'a>(object: &'a Value, connection: Option<&'a Value>) -> &'a str {
    let strict = |mode: &str| match mode {
        "Suspend" => 1,
        "Plan" => 2,
        "Observe" => 3,
        _ => 0,
    };
    let own = object["spec"]["mode"].as_str().unwrap_or("Enforce");
    let theirs = connection
        .and_then(|c| c["spec"]["mode"].as_str())
        .unwrap_or("Enforce");
    if strict(own) >= strict(theirs) {
        own
    } else {
        theirs
    }
}
