//! One object, one create: marks, what was sent under them, what became of it, and what was looked for (decision 4, R9
//! to R11). Written once for all kinds; campaigns and ad groups have a key, ads have none and go several in one call.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use tiktok_ads_operator::engine::doors::Name;
use tiktok_ads_operator::platform::{Method, TransportError, WireReply, WireRequest};
use tiktok_ads_operator::sandbox::{Item, Level};

use super::eyes::effective_mode;
use super::wire::{Made, Write, names, place};
use super::{Checks, record_of, text};
use crate::sim::api_server::{AD, OBJECTS, strings};
use crate::sim::clock::BASE_SECONDS;
use crate::sim::world::World;

/// A mark that reached the API server.
#[derive(Clone, Debug)]
pub(super) struct Marked {
    uid: String,
    kind: &'static str,
    name: Name,
    key: String,
    parent: Option<String>,
    wanted: String,
    attempt: u64,
    process: u64,
    deadline: Timestamp,
    /// The process has read the answer: only then may it send.
    acknowledged: bool,
    sent: bool,
}

/// What the process that sent a create learned of it.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Learned {
    /// Nothing (yet): as unclear as a lost answer.
    Nothing,
    /// Surely not made.
    Refused,
    Unclear,
    Made,
}

/// A create that a process decided to send; each object of a call is one.
#[derive(Clone, Debug)]
pub(super) struct Sent {
    call: u64,
    uid: String,
    kind: &'static str,
    tree: &'static str,
    key: String,
    parent: Option<String>,
    wanted: String,
    deadline: Timestamp,
    process: u64,
    learned: Learned,
    /// When it reached the platform, or will (milliseconds): rows made then are its.
    effect: Option<i64>,
    /// Its object's record has got an id, or the proof of its absence was used: nothing is open any more.
    settled: bool,
}

/// A look-up of one name, or of all names under a parent, that a process read whole, deleted objects included.
#[derive(Clone, Debug)]
pub(super) struct Looked {
    kind: &'static str,
    tree: &'static str,
    parents: Vec<String>,
    /// `None`: all names under the parents.
    wanted: Option<String>,
    begun: Timestamp,
}

impl Looked {
    fn is_for(&self, sent: &Sent) -> bool {
        (self.kind, self.tree) == (sent.kind, sent.tree)
            && self
                .wanted
                .as_ref()
                .is_none_or(|wanted| *wanted == sent.wanted)
            && match &sent.parent {
                Some(parent) => self.parents.contains(parent),
                None => self.wanted.is_some(),
            }
    }
}

fn time_of(value: &Value) -> Timestamp {
    value
        .as_str()
        .and_then(|t| t.parse().ok())
        .unwrap_or(Timestamp::MIN)
}

impl World {
    /// A metadata patch took effect: it may be a mark.
    pub fn checked_patch(&mut self, process: u64, kind: &'static str, name: &Name, object: &Value) {
        if !OBJECTS.contains(&kind) {
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
                kind,
                name: name.clone(),
                key: text(&record, "key").into(),
                parent: record["parent"].as_str().map(str::to_owned),
                wanted: text(&record, "name").into(),
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
    pub fn patch_acknowledged(&mut self, process: u64, object: &Value) {
        let Some(record) = record_of(object) else {
            return;
        };
        let meta = &object["metadata"];
        let uid = text(&record, "uid").to_string();
        // Let go: from now on this process writes nothing for it.
        if meta.get("deletionTimestamp").is_some() && strings(&meta["finalizers"]).is_empty() {
            self.checks.released.insert((process, uid.clone()));
        }
        for mark in &mut self.checks.marks {
            if mark.process == process
                && mark.deadline == time_of(&record["mark"]["deadline"])
                && mark.uid == uid
                && mark.key == text(&record, "key")
                && Some(mark.attempt) == record["attempt"].as_u64()
            {
                mark.acknowledged = true;
            }
        }
    }

    /// All objects of one create call.
    pub(super) fn checked_create(
        &mut self,
        replica: usize,
        process: u64,
        call: u64,
        write: &Write,
        made: &[Made],
    ) {
        let distinct: BTreeSet<&str> = made.iter().map(|m| m.name.as_str()).collect();
        if distinct.len() < made.len() {
            self.fail(format!(
                "R11: one {} create holds a name twice: {:?}",
                write.kind,
                made.iter().map(|m| &m.name).collect::<Vec<_>>()
            ));
        }
        if made.len() > 1 {
            self.checks.batches += 1;
        }
        for one in made {
            self.checks.creates += 1;
            if one.fields["operation_status"] != "DISABLE" {
                self.fail(format!(
                    "{} {:?} is not created switched off",
                    write.kind, one.name
                ));
            }
            self.checked_member(replica, process, call, write, one);
        }
    }

    fn checked_member(
        &mut self,
        replica: usize,
        process: u64,
        call: u64,
        write: &Write,
        made: &Made,
    ) {
        let now = self.now();
        let what = format!("{} {:?}", write.kind, made.name);
        let fits = |m: &&mut Marked| {
            m.process == process
                && m.kind == write.kind
                && m.acknowledged
                && !m.sent
                && match &made.key {
                    Some(key) => m.key == *key,
                    None => m.wanted == made.name && m.parent == made.parent,
                }
        };
        let Some(mark) = self.checks.marks.iter_mut().rev().find(fits) else {
            self.fail(format!(
                "the create of {what} is sent without a mark of its own that the API server confirmed to this process"
            ));
            return;
        };
        mark.sent = true;
        let mark = mark.clone();
        if mark.wanted != made.name || mark.parent != made.parent {
            self.fail(format!(
                "{what} is made in {:?}, its record says {:?} in {:?}",
                made.parent, mark.wanted, mark.parent
            ));
        }
        if now + Duration::from_secs(15) > mark.deadline {
            self.fail(format!(
                "the create of {} may end after its recorded deadline {}",
                mark.name, mark.deadline
            ));
        }
        if let Some(view) = self.view(replica, write.kind, &mark.name) {
            let connection = self.connection_view(replica, &view);
            let mode = effective_mode(&view, connection.as_ref());
            if mode != "Enforce" {
                self.fail(format!("R8: {} is created in mode {mode}", mark.name));
            }
            if view["metadata"].get("deletionTimestamp").is_some() {
                self.fail(format!("{} is created while being deleted", mark.name));
            }
            // Nothing is made in another object than the one that the spec's reference leads to.
            let parent = self.parent_in_view(replica, &view);
            let of_parent = parent.as_ref().and_then(record_of);
            let holds = of_parent.and_then(|r| r["id"].as_str().map(str::to_owned));
            if holds.is_some() && holds != made.parent {
                self.fail(format!(
                    "{} is made in {:?}, its parent is {holds:?}",
                    mark.name, made.parent
                ));
            }
        }
        self.unclear_before(&mark);
        self.taken_before(&mark, write, made);
        self.checks.sends.push(Sent {
            call,
            uid: mark.uid,
            kind: write.kind,
            key: mark.key,
            tree: write.tree,
            parent: made.parent.clone(),
            wanted: made.name.clone(),
            deadline: mark.deadline,
            process,
            learned: Learned::Nothing,
            effect: None,
            settled: false,
        });
    }

    /// R9: nothing is made under a name that has been taken for long in the same place (by a row that another object's
    /// create did not make: that is what R11 says more exactly).
    fn taken_before(&mut self, mark: &Marked, write: &Write, made: &Made) {
        // What a list may have missed is not known.
        if !self.checks.totals {
            return;
        }
        // A name may be as old as this when it is used: the list's age and the times of the calls between.
        let long = self.clock.millis() - 120_000;
        let taken = self
            .rows_of(write.kind, &write.advertiser)
            .filter(|row| self.alive(row) && row.name() == made.name)
            .filter(|row| row.parent().map(|id| id.to_string()) == made.parent)
            .filter(|row| row.modified_at < long && row.created_at < long)
            .filter(|row| self.checks.made_by.get(&row.id) != Some(&mark.uid))
            .map(|row| row.id)
            .next();
        if let Some(id) = taken {
            self.fail(format!(
                "R9: {} is made under the name {:?}, which {id} has had for minutes",
                mark.name, made.name
            ));
        }
    }

    /// R11: before a further create of one object, every earlier one of unknown outcome has been looked for twice on its
    /// tree's own endpoint, 30 s apart, the later look at least 60 s after its recorded deadline.
    fn unclear_before(&mut self, mark: &Marked) {
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
                .filter(|look| look.is_for(sent))
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
    pub fn never_sent(&mut self, call: Option<u64>) {
        self.checks.learn(call, |_| Learned::Refused);
        self.checks.over(call);
    }

    /// The request reached the platform, and its effect comes at `at`.
    pub fn has_effect(&mut self, call: Option<u64>, at: i64) {
        for sent in self.checks.sends.iter_mut().rev() {
            if Some(sent.call) == call {
                sent.effect = Some(at);
            }
        }
    }

    /// The process has the answer in hand.
    pub fn checked_answer(
        &mut self,
        call: Option<u64>,
        request: &WireRequest,
        begun: Duration,
        result: &Result<WireReply, TransportError>,
    ) {
        self.checks.over(call);
        let json: Value = match result {
            Ok(reply) if reply.status == 200 => {
                serde_json::from_slice(&reply.body).unwrap_or_default()
            }
            _ => Value::Null,
        };
        if request.method == Method::Post {
            self.learn_create(call, &json, result);
        } else {
            self.learn_list(request, &json, begun);
        }
    }

    fn learn_create(
        &mut self,
        call: Option<u64>,
        json: &Value,
        result: &Result<WireReply, TransportError>,
    ) {
        let together = self.checks.sends.iter().rev();
        let several = together.filter(|s| Some(s.call) == call).count() > 1;
        let code = json["code"].as_i64();
        let said = text(json, "message").to_lowercase();
        let duplicate = said.contains("duplicate") && said.contains("request");
        let throttled = matches!(result, Ok(reply) if reply.status == 429);
        let shown: Option<Vec<String>> = json["data"]["creatives"]
            .as_array()
            .map(|all| all.iter().map(|one| text(one, "ad_name").into()).collect());
        self.checks.learn(call, |sent| match (code, result) {
            (_, Err(TransportError::NotSent(_))) => Learned::Refused,
            _ if throttled => Learned::Refused,
            // What an answer for several does not show may have been made all the same.
            (Some(0), _) if shown.as_ref().is_some_and(|s| !s.contains(&sent.wanted)) => {
                Learned::Unclear
            }
            (Some(0), _) => Learned::Made,
            (Some(40050 | 40700), _) => Learned::Unclear,
            // Limits, tokens and passing troubles: nothing was acted upon.
            (Some(40016 | 40100..40300 | 61000), _) => Learned::Refused,
            // A refusal of several says nothing about one of them.
            (Some(40000..50000), _) if several => Learned::Unclear,
            (Some(40000..50000), _) if !duplicate => Learned::Refused,
            _ => Learned::Unclear,
        });
    }

    fn learn_list(&mut self, request: &WireRequest, json: &Value, begun: Duration) {
        let filtering: Value = request
            .query
            .iter()
            .find(|(key, _)| *key == "filtering")
            .and_then(|(_, value)| serde_json::from_str(value).ok())
            .unwrap_or_default();
        let info = &json["data"]["page_info"];
        let shown = json["data"]["list"].as_array().map_or(0, Vec::len) as u64;
        let whole =
            json["code"].as_i64() == Some(0) && info["total_number"].as_u64() == Some(shown);
        if !whole || filtering["primary_status"] != "STATUS_ALL" {
            return;
        }
        let (kind, tree) = place(request.path);
        let (_, ids, name, parent) = names(kind, tree);
        if filtering.get(ids).is_some() {
            return;
        }
        let parents = parent.map(|parent| strings(&filtering[format!("{parent}s")]));
        self.checks.looks.push(Looked {
            kind,
            tree,
            parents: parents.unwrap_or_default(),
            wanted: filtering[name].as_str().map(str::to_owned),
            begun: Timestamp::from_second(BASE_SECONDS).unwrap() + begun,
        });
    }

    /// Never two live rows for one object. A row belongs to the object whose create made it: the one that reached the
    /// platform at the row's very moment.
    ///
    /// The one exception: somebody took the record away (past the admission policy), and the name was changed as well
    /// or the status was lost: then nothing is left that leads to the first row but TikTok's own memory of the key. Even
    /// then only one of the two is ever switched on by us. The same goes for what is in such a campaign: its object is made
    /// in another one then, and what its first create did too late is where nothing leads to.
    pub fn checked_rows(&mut self) {
        let mut live: std::collections::BTreeMap<String, Vec<(u64, bool)>> = Default::default();
        let mut inside: std::collections::BTreeMap<String, BTreeSet<String>> = Default::default();
        let mut found = Vec::new();
        for advertiser in self.advertisers() {
            for kind in OBJECTS {
                for row in self.rows_of(kind, &advertiser).filter(|row| !row.deleted) {
                    let uid = match self.checks.made_by.get(&row.id) {
                        Some(uid) => uid.clone(),
                        None => {
                            let uid = self.checks.maker(kind, row);
                            found.push((row.id, uid.clone()));
                            uid
                        }
                    };
                    if !uid.is_empty() && self.alive(row) {
                        // What a buyer switched on is not ours to answer for.
                        let ours =
                            row.is_on() && !self.checks.touched.contains(&row.id.to_string());
                        let campaign = row.campaign.map(|id| id.to_string());
                        inside.entry(uid.clone()).or_default().extend(campaign);
                        live.entry(uid).or_default().push((row.id, ours));
                    }
                }
            }
        }
        self.checks.made_by.extend(found);
        for (uid, rows) in live {
            if rows.len() < 2 {
                continue;
            }
            self.checks.twins_seen += 1;
            let campaigns = inside.get(&uid).into_iter().flatten();
            let lost = campaigns.clone().count() == rows.len()
                && campaigns
                    .clone()
                    .any(|id| self.checks.stripped_rows.contains(id));
            let stripped = lost || self.checks.stripped.contains(&uid);
            if stripped && rows.iter().filter(|r| r.1).count() < 2 {
                continue;
            }
            let said = format!("two live rows for one object: {uid} has {rows:?}");
            if !self.failures.contains(&said) {
                self.fail(said);
            }
        }
        let first = self.sandbox.fence_violations().first().cloned();
        if let Some(first) = first {
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

    /// A process is gone: what it had not learned by then, nobody knows.
    pub fn process_ended(&mut self, process: u64) {
        for sent in &mut self.checks.sends {
            if sent.process == process && sent.learned == Learned::Made && !sent.settled {
                sent.learned = Learned::Unclear;
            }
        }
        self.checks.enabling.retain(|_, (of, _)| *of != process);
    }

    /// Somebody else's write took an object's record away. If a create was outstanding, the record cannot protect it.
    pub fn note_stripped(&mut self, object: &Value) {
        if let Some(record) = record_of(object) {
            self.checks
                .stripped
                .insert(text(&record, "uid").to_string());
            if let Some(id) = record["id"].as_str() {
                self.checks.stripped_rows.insert(id.into());
            }
        }
    }

    /// All rows of a kind, deleted ones too.
    pub fn rows_of<'a>(
        &'a self,
        kind: &str,
        advertiser: &'a str,
    ) -> Box<dyn Iterator<Item = &'a Item> + 'a> {
        match level_of(kind) {
            Level::Campaign => Box::new(self.sandbox.campaigns(advertiser)),
            Level::AdGroup => Box::new(self.sandbox.ad_groups(advertiser)),
            Level::Ad => Box::new(self.sandbox.ads(advertiser)),
        }
    }

    /// Neither the row nor what it is in is deleted.
    pub fn alive(&self, row: &Item) -> bool {
        let parents = [row.campaign, row.ad_group];
        let up = |id: u64| self.sandbox.object(&id.to_string()).ok();
        !row.deleted
            && parents
                .into_iter()
                .flatten()
                .all(|id| up(id).is_some_and(|(_, parent)| !parent.deleted))
    }
}

impl Checks {
    /// Whose create made a row that is seen for the first time; empty: nobody's of ours.
    fn maker(&self, kind: &str, row: &Item) -> String {
        let tree = match row.tree {
            tiktok_ads_operator::sandbox::Tree::Manual => "Manual",
            tiktok_ads_operator::sandbox::Tree::SmartPlus => "SmartPlus",
        };
        let parent = row.parent().map(|id| id.to_string());
        let fits = |s: &&Sent| {
            (s.kind, s.tree) == (kind, tree)
                && s.effect == Some(row.created_at)
                && s.parent == parent
                && s.wanted == row.name()
        };
        let made = self.sends.iter().rev().find(fits);
        made.map(|sent| sent.uid.clone()).unwrap_or_default()
    }

    fn learn(&mut self, call: Option<u64>, learned: impl Fn(&Sent) -> Learned) {
        for sent in self.sends.iter_mut().rev() {
            if Some(sent.call) == call && sent.learned == Learned::Nothing {
                sent.learned = learned(sent);
            }
        }
    }
}

pub fn level_of(kind: &str) -> Level {
    match kind {
        AD => Level::Ad,
        crate::sim::api_server::AD_GROUP => Level::AdGroup,
        _ => Level::Campaign,
    }
}
