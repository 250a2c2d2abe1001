//! What the tests of whole trees ask beside what [`Node`] has.

use serde_json::{Value, json};

use super::nodes::{Level, Node, Tree};
use super::{Case, condition, merge};

/// As the sandbox's control interface calls them.
fn list(level: Level) -> &'static str {
    match level {
        Level::Campaign => "campaigns",
        Level::AdGroup => "ad_groups",
        Level::Ad => "ads",
    }
}

/// The names of a level's ids in rows and, but for the last letter, in calls.
fn id_fields(level: Level) -> &'static [&'static str] {
    match level {
        Level::Campaign => &["campaign_id"],
        Level::AdGroup => &["adgroup_id"],
        Level::Ad => &["smart_plus_ad_id", "ad_id"],
    }
}

/// The id of a row of the sandbox's truth.
pub fn row_id(level: Level, row: &Value) -> String {
    id_fields(level)
        .iter()
        .find_map(|field| row[field].as_str())
        .unwrap_or_else(|| panic!("{row}"))
        .to_owned()
}

/// The message of `Ready`.
pub fn message(object: &Value) -> String {
    condition(object, "Ready")["message"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

/// What an ad group or ad is called in a spec's reference and in Kubernetes.
pub fn plural(level: Level) -> &'static str {
    match level {
        Level::Campaign => "campaigns",
        Level::AdGroup => "adgroups",
        Level::Ad => "ads",
    }
}

impl Case {
    /// All rows of a level as they really are, deleted ones too.
    pub fn rows(&self, level: Level) -> Vec<Value> {
        let path = self.of_mine(&format!("/sandbox/{}", list(level)));
        let all = self.sandbox("GET", &path, &Value::Null);
        all[list(level)].as_array().unwrap().clone()
    }

    /// The row of an id as it really is.
    pub fn row_of(&self, level: Level, id: &str) -> Value {
        self.rows(level)
            .into_iter()
            .find(|row| row_id(level, row) == id)
            .unwrap_or_else(|| panic!("no {level:?} {id}"))
    }

    /// Is what has this id really switched on?
    pub fn runs(&self, level: Level, id: &str) -> bool {
        let row = self.row_of(level, id);
        row["fields"]["operation_status"] == "ENABLE" && row["deleted"] != true
    }

    /// What a person or TikTok does to what has this id.
    pub fn happens(&self, level: Level, id: &str, action: &str) {
        let path = format!("/sandbox/{}/{id}/{action}", list(level));
        self.sandbox("POST", &path, &json!({}));
    }

    /// An ad group or ad made in Ads Manager inside what has this id; its id.
    pub fn made_inside(&self, level: Level, parent: &str, fields: Value) -> String {
        let above = if level == Level::AdGroup {
            "campaign_id"
        } else {
            "adgroup_id"
        };
        let mut body = json!({ above: parent });
        merge(&mut body, fields);
        let made = self.sandbox("POST", &format!("/sandbox/{}", list(level)), &body);
        row_id(level, &made)
    }

    /// The requests of a call of a level in a tree, oldest first.
    pub fn calls(&self, tree: Tree, level: Level, call: &str) -> Vec<Value> {
        self.requests(&tree.path(level, call))
    }

    /// The status calls of a level in a tree that set this.
    pub fn status_calls(&self, tree: Tree, level: Level, to: &str) -> Vec<Value> {
        let mut all = self.calls(tree, level, "status/update");
        all.retain(|entry| entry["body"]["operation_status"] == to);
        all
    }

    /// How often a status call that set this named this id.
    pub fn told(&self, tree: Tree, level: Level, to: &str, id: &str) -> usize {
        self.status_calls(tree, level, to)
            .iter()
            .filter(|entry| entry["body"].to_string().contains(&format!("\"{id}\"")))
            .count()
    }
}

impl Node<'_> {
    /// A merge patch.
    pub fn patch(&self, patch: Value) {
        let path = self.case.path(plural(self.level), &self.name);
        self.case.api("PATCH", &path, &patch).unwrap();
    }

    /// Asks for deletion.
    pub fn delete(&self) {
        self.case.delete(plural(self.level), &self.name);
    }

    /// Waits until it is gone.
    #[track_caller]
    pub fn wait_gone(&self) {
        self.case.wait_gone(plural(self.level), &self.name);
    }

    /// Waits until it is paused and as the spec says; its id.
    #[track_caller]
    pub fn wait_paused(&self) -> String {
        super::id(&self.wait_for("Paused"))
    }

    /// Waits until it is live; its id.
    #[track_caller]
    pub fn live_id(&self) -> String {
        super::id(&self.wait_live())
    }
}

impl Tree {
    /// An object of a level with nothing in its spec but this.
    pub fn only<'a>(self, case: &'a Case, level: Level, name: &str, spec: Value) -> Node<'a> {
        let kind = match level {
            Level::Campaign => "Campaign",
            Level::AdGroup => "AdGroup",
            Level::Ad => "Ad",
        };
        let object = json!({
            "apiVersion": "tiktokads.dev/v1alpha1", "kind": kind, "metadata": {"name": name}, "spec": spec,
        });
        let path = case.path(plural(level), "");
        case.api("POST", &path, &object).unwrap();
        Node {
            case,
            tree: self,
            level,
            name: name.into(),
        }
    }
}

/// A campaign, an ad group and an ad, `c`, `g` and `a`, all said to be Active, in an account of their own.
pub struct Branch<'a> {
    pub campaign: Node<'a>,
    pub ad_group: Node<'a>,
    pub ad: Node<'a>,
}

impl<'a> Branch<'a> {
    /// Applies them and waits until all are live.
    #[track_caller]
    pub fn live(case: &'a Case, tree: Tree) -> Self {
        let branch = Self::applied(case, tree);
        branch.campaign.wait_live();
        branch.ad_group.wait_live();
        branch.ad.wait_live();
        branch
    }

    /// Applies them.
    pub fn applied(case: &'a Case, tree: Tree) -> Self {
        let active = || json!({"state": "Active"});
        Self {
            campaign: tree.campaign(case, "c", active()),
            ad_group: tree.ad_group(case, "g", "c", active()),
            ad: tree.ad(case, "a", "g", active()),
        }
    }

    /// The ad group or the ad.
    pub fn at(&self, level: Level) -> &Node<'a> {
        match level {
            Level::Campaign => &self.campaign,
            Level::AdGroup => &self.ad_group,
            Level::Ad => &self.ad,
        }
    }
}

/// The kinds below campaigns.
pub const BELOW: [Level; 2] = [Level::AdGroup, Level::Ad];

/// Runs a test for both kinds below campaigns, in both trees, side by side.
pub fn everywhere(test: impl Fn(Tree, Level) + Sync) {
    each(
        &super::nodes::TREES
            .into_iter()
            .flat_map(|tree| BELOW.map(|level| (tree, level)))
            .collect::<Vec<_>>(),
        |&(tree, level)| test(tree, level),
    );
}

/// Runs a test for each of several ways, side by side; the first that fails says which it was.
pub fn each<T: Sync + std::fmt::Debug>(ways: &[T], test: impl Fn(&T) + Sync) {
    std::thread::scope(|scope| {
        let running: Vec<_> = ways
            .iter()
            .map(|way| (way, scope.spawn(|| test(way))))
            .collect();
        for (way, run) in running {
            if let Err(why) = run.join() {
                let text = why
                    .downcast_ref::<String>()
                    .map(String::as_str)
                    .or_else(|| why.downcast_ref::<&str>().copied())
                    .unwrap_or("it panicked");
                panic!("{way:?}: {text}");
            }
        }
    });
}
