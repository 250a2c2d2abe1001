//! What people and other tools do: users at the API server, buyers in Ads Manager.

use serde_json::{Map, Value, json};
use tiktok_ads_operator::engine::doors::Name;
use tiktok_ads_operator::sandbox::{Item, Level};

use super::api_server::CONNECTION;
use super::checks::{Bought, at, record_of};
use super::world::World;

/// The namespaces of a run; each has an ad account.
pub const NAMESPACES: [&str; 2] = ["ads", "lab"];

pub fn named(namespace: &str, name: &str) -> Name {
    Name::new(namespace, name)
}

/// A connection's spec without caps.
pub fn connection_spec(advertiser: &str) -> Value {
    json!({
        "appSecretRef": {"name": "app"},
        "tokenSecretRef": {"name": "token"},
        "advertiserId": advertiser,
    })
}

pub fn caps(per_object: Option<u32>, total: Option<u32>) -> Value {
    let money = |amount: u32| json!({"amount": amount.to_string(), "currency": "USD"});
    let mut caps = json!({});
    if let Some(amount) = per_object {
        caps["maxDailyBudgetPerObject"] = money(amount);
    }
    if let Some(amount) = total {
        caps["maxDailyBudgetTotal"] = money(amount);
    }
    caps
}

impl World {
    /// Secrets and connection of a namespace.
    pub fn set_up(&mut self, index: usize, caps: Option<Value>) {
        let namespace = NAMESPACES[index];
        let account = self.accounts[index].clone();
        self.api.put_secret(
            &named(namespace, "app"),
            &[("app_id", &account.app_id), ("secret", &account.secret)],
        );
        self.api.put_secret(
            &named(namespace, "token"),
            &[("access_token", &account.access_token)],
        );
        let mut spec = connection_spec(&account.advertiser_id);
        if let Some(caps) = caps {
            spec["caps"] = caps;
        }
        self.create(CONNECTION, &named(namespace, "main"), spec);
    }

    pub fn create(&mut self, kind: &'static str, name: &Name, spec: Value) -> bool {
        let now = self.now();
        let done = self
            .api
            .create(kind, name, spec.clone(), Map::new(), None, now);
        if done {
            self.say(format!("user creates {kind} {name} {spec}"));
        }
        self.publish();
        done
    }

    pub fn edit(&mut self, kind: &'static str, name: &Name, changes: Value) {
        if self.api.edit(kind, name, &changes) {
            self.say(format!("user edits {kind} {name} {changes}"));
        }
        self.publish();
    }

    pub fn annotate(&mut self, kind: &'static str, name: &Name, key: &str, value: &str) {
        if self.api.annotate(kind, name, key, value) {
            self.say(format!("user annotates {kind} {name} {key}: {value}"));
        }
        self.publish();
    }

    pub fn delete(&mut self, kind: &'static str, name: &Name) {
        let now = self.now();
        if self.api.delete(kind, name, now) {
            self.say(format!("user deletes {kind} {name}"));
        }
        self.publish();
    }

    /// `kubectl replace`, past the admission policy.
    pub fn replace(&mut self, kind: &'static str, name: &Name) {
        let now = self.now();
        if let Some(object) = self.api.get(kind, name).cloned() {
            self.note_stripped(&object);
        }
        if self.api.replace(kind, name, now) {
            self.say(format!(
                "user replaces {kind} {name}: annotations and finalizers are gone"
            ));
        }
        self.publish();
    }

    /// The object is lost and comes back from a backup of now, with a new uid; what of it, the flags say.
    pub fn restore(
        &mut self,
        kind: &'static str,
        name: &Name,
        (with_status, with_record, finalizer): (bool, bool, bool),
    ) {
        let Some(old) = self.api.vanish(kind, name) else {
            return;
        };
        self.note_stripped(&old);
        let mut meta = Map::new();
        if with_record && let Some(annotations) = old["metadata"].get("annotations") {
            meta.insert("annotations".into(), annotations.clone());
        }
        if finalizer && let Some(finalizers) = old["metadata"].get("finalizers") {
            meta.insert("finalizers".into(), finalizers.clone());
        }
        let status = with_status.then(|| old["status"].clone());
        let now = self.now();
        self.say(format!(
            "user restores {kind} {name} (status {with_status}, record {with_record}, finalizer {finalizer})"
        ));
        self.api
            .create(kind, name, old["spec"].clone(), meta, status, now);
        self.publish();
    }

    /// The API server comes back as it was when the backup was made.
    pub fn restore_all(&mut self) {
        let Some(backup) = self.backup.clone() else {
            return;
        };
        self.say("the API server is restored from its backup");
        // What has changed in a record since is lost.
        let changed: Vec<Value> = (self.api.objects.iter())
            .filter(|(at, now)| {
                let then = backup.objects().get(*at);
                then.and_then(record_of) != record_of(now)
            })
            .map(|(_, now)| now.clone())
            .collect();
        for object in changed {
            self.note_stripped(&object);
        }
        self.checks.forget_releases();
        let now = self.now();
        self.api.restore(backup, now);
        self.relist_all();
    }

    /// The platform id that an object's record names.
    pub fn id_of(&self, kind: &'static str, name: &Name) -> Option<String> {
        let object = self.api.get(kind, name)?;
        record_of(object)?["id"].as_str().map(str::to_owned)
    }

    /// A buyer does something in Ads Manager to a campaign, ad group or ad.
    pub fn outside(&mut self, id: &str, what: Outside) {
        let now = self.clock.millis();
        let done = match &what {
            Outside::Pause => self.sandbox.pause_outside(now, id),
            Outside::Enable => self.sandbox.enable_outside(now, id),
            Outside::Delete => self.sandbox.delete_outside(now, id),
            Outside::Set(path, value) | Outside::Buy(path, value) => {
                let Some((field, whole)) = self.with(id, path, value) else {
                    return;
                };
                let changes = Map::from_iter([(field, whole)]);
                self.sandbox.edit_outside(now, id, &changes)
            }
        };
        if done.is_err() {
            return;
        }
        self.checks.touched.insert(id.into());
        let noun = self.row(id).map_or("row", |row| match row.level {
            Level::Campaign => "campaign",
            Level::AdGroup => "ad group",
            Level::Ad => "ad",
        });
        self.say(format!("buyer {what:?} {noun} {id}"));
        if let Outside::Buy(path, value) = what {
            let bought = Bought {
                id: id.into(),
                path: path.into(),
                value,
                at: self.clock.elapsed(),
            };
            let all = &mut self.checks.bought;
            all.retain(|b| (&b.id, &b.path) != (&bought.id, &bought.path));
            all.push(bought);
        }
    }

    /// A field, perhaps below others, as the whole of the field at the top: `targeting_spec.gender`.
    fn with(&self, id: &str, path: &str, value: &Value) -> Option<(String, Value)> {
        let fields = &self.row(id)?.fields;
        let Some((top, below)) = path.split_once('.') else {
            return Some((path.into(), value.clone()));
        };
        let mut whole = at(fields, top).cloned().unwrap_or_else(|| json!({}));
        let mut inner = &mut whole;
        for part in below.split('.') {
            inner = &mut inner[part];
        }
        *inner = value.clone();
        Some((top.into(), whole))
    }

    /// A platform object, also a deleted one.
    pub fn row(&self, id: &str) -> Option<&Item> {
        self.sandbox.object(id).ok().map(|(_, row)| row)
    }
}

#[derive(Clone, Debug)]
pub enum Outside {
    Pause,
    Enable,
    Delete,
    Set(&'static str, Value),
    /// The same for a field that no spec of the run says: it must stay.
    Buy(&'static str, Value),
}
