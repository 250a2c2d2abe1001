//! What people and other tools do: users at the API server, buyers in Ads Manager.

use serde_json::{Map, Value, json};
use tiktok_ads_operator::engine::doors::Name;

use super::api_server::{CAMPAIGN, CONNECTION};
use super::checks::record_of;
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

/// A campaign of the manual tree, 50 a day.
pub fn manual(state: Option<&str>) -> Value {
    let mut spec = json!({
        "connectionRef": {"name": "main"},
        "automation": "Manual",
        "objective": "Traffic",
        "budget": {"mode": "Daily", "amount": "50"},
    });
    if let Some(state) = state {
        spec["state"] = state.into();
    }
    spec
}

/// A campaign of the Smart+ tree, 50 a day.
pub fn smart_plus(state: Option<&str>) -> Value {
    let mut spec = json!({
        "connectionRef": {"name": "main"},
        "automation": "SmartPlus",
        "objective": "WebConversions",
        "salesDestination": "Website",
        "budgetOptimization": true,
        "budget": {"mode": "DynamicDaily", "amount": "50"},
    });
    if let Some(state) = state {
        spec["state"] = state.into();
    }
    spec
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

    pub fn annotate(&mut self, name: &Name, key: &str, value: &str) {
        if self.api.annotate(CAMPAIGN, name, key, value) {
            self.say(format!("user annotates {name} {key}: {value}"));
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
    pub fn replace(&mut self, name: &Name) {
        let now = self.now();
        if let Some(object) = self.api.get(CAMPAIGN, name).cloned() {
            self.note_stripped(&object);
        }
        if self.api.replace(CAMPAIGN, name, now) {
            self.say(format!(
                "user replaces {name}: annotations and finalizers are gone"
            ));
        }
        self.publish();
    }

    /// The object is lost and comes back from a backup of now, with a new uid; what of it, the flags say.
    pub fn restore(&mut self, name: &Name, with_status: bool, with_record: bool, finalizer: bool) {
        let Some(old) = self.api.vanish(CAMPAIGN, name) else {
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
            "user restores {name} (status {with_status}, record {with_record}, finalizer {finalizer})"
        ));
        self.api
            .create(CAMPAIGN, name, old["spec"].clone(), meta, status, now);
        self.publish();
    }

    /// The platform id that an object's record names.
    pub fn id_of(&self, name: &Name) -> Option<String> {
        let object = self.api.get(CAMPAIGN, name)?;
        record_of(object)?["id"].as_str().map(str::to_owned)
    }

    /// A buyer does something in Ads Manager to an object's campaign.
    pub fn outside(&mut self, id: &str, what: Outside) {
        let now = self.clock.millis();
        let done = match &what {
            Outside::Pause => self.sandbox.pause_outside(now, id),
            Outside::Enable => self.sandbox.enable_outside(now, id),
            Outside::Delete => self.sandbox.delete_outside(now, id),
            Outside::Set(field, value) => {
                let changes = Map::from_iter([((*field).to_string(), value.clone())]);
                self.sandbox.edit_outside(now, id, &changes)
            }
        };
        if done.is_ok() {
            self.checks.touched.insert(id.into());
            self.say(format!("buyer {what:?} campaign {id}"));
        }
    }

    /// Is the platform object on?
    pub fn row(&self, id: &str) -> Option<&tiktok_ads_operator::sandbox::Campaign> {
        self.sandbox.campaign(id).ok().map(|(_, row)| row)
    }
}

#[derive(Clone, Debug)]
pub enum Outside {
    Pause,
    Enable,
    Delete,
    Set(&'static str, Value),
}
