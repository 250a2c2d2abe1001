//! Campaigns, ad groups and ads of both trees, for the rules that hold below campaigns.

use serde_json::{Value, json};

use super::{Case, PATIENCE, is, merge};
use tiktok_ads_harness::wait_until;

/// A level of a tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    Campaign,
    AdGroup,
    Ad,
}

impl Level {
    fn kind(self) -> &'static str {
        match self {
            Self::Campaign => "Campaign",
            Self::AdGroup => "AdGroup",
            Self::Ad => "Ad",
        }
    }

    fn plural(self) -> &'static str {
        match self {
            Self::Campaign => "campaigns",
            Self::AdGroup => "adgroups",
            Self::Ad => "ads",
        }
    }

    /// As the sandbox's control interface calls them.
    fn list(self) -> &'static str {
        match self {
            Self::Campaign => "campaigns",
            Self::AdGroup => "ad_groups",
            Self::Ad => "ads",
        }
    }

    /// As TikTok's paths call them.
    fn wire(self) -> &'static str {
        match self {
            Self::Campaign => "campaign",
            Self::AdGroup => "adgroup",
            Self::Ad => "ad",
        }
    }
}

/// Manual and Smart+.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tree {
    Manual,
    SmartPlus,
}

/// Both.
pub const TREES: [Tree; 2] = [Tree::Manual, Tree::SmartPlus];

/// The video of all ads here.
pub fn video() -> Value {
    json!({"id": "v10033g50000c90q1d3c77ub6e96fvo0", "coverImageId": "ad-site-i18n-sg/202110195d0db51e"})
}

/// One object in one test.
pub struct Node<'a> {
    pub case: &'a Case,
    pub tree: Tree,
    pub level: Level,
    pub name: String,
}

impl Tree {
    /// The same with its word in a namespace's name.
    pub fn word(self) -> &'static str {
        match self {
            Self::Manual => "manual",
            Self::SmartPlus => "smart",
        }
    }

    /// TikTok's path of a call.
    pub fn path(self, level: Level, call: &str) -> String {
        let tree = match self {
            Self::Manual => "",
            Self::SmartPlus => "/smart_plus",
        };
        format!("{tree}/{}/{call}/", level.wire())
    }

    fn make<'a>(self, case: &'a Case, level: Level, name: &str, spec: Value) -> Node<'a> {
        let object = json!({
            "apiVersion": "tiktokads.dev/v1alpha1", "kind": level.kind(),
            "metadata": {"name": name}, "spec": spec,
        });
        case.api("POST", &case.path(level.plural(), ""), &object)
            .unwrap();
        Node {
            case,
            tree: self,
            level,
            name: name.into(),
        }
    }

    /// A campaign without a budget: its ad groups have theirs.
    pub fn campaign<'a>(self, case: &'a Case, name: &str, more: Value) -> Node<'a> {
        let mut spec = match self {
            Self::Manual => json!({"automation": "Manual", "objective": "Traffic"}),
            Self::SmartPlus => json!({
                "automation": "SmartPlus", "objective": "WebConversions", "salesDestination": "Website",
            }),
        };
        spec["connectionRef"] = json!({"name": "main"});
        merge(&mut spec, more);
        self.make(case, Level::Campaign, name, spec)
    }

    /// An ad group with a daily budget of 30 (in Smart+ campaigns: on average).
    pub fn ad_group<'a>(self, case: &'a Case, name: &str, campaign: &str, more: Value) -> Node<'a> {
        let mut spec = match self {
            Self::Manual => json!({
                "placement": {"mode": "Select", "placements": ["TikTok"]},
                "optimization": {"goal": "Click", "billingEvent": "CPC"},
                "budget": {"mode": "Daily", "amount": "30"},
            }),
            Self::SmartPlus => json!({
                "optimization": {
                    "goal": "Convert", "billingEvent": "OCPM", "pixelId": "7100000000000000001",
                    "event": "Shopping",
                },
                "budget": {"mode": "DynamicDaily", "amount": "30"},
            }),
        };
        merge(
            &mut spec,
            json!({
                "campaignRef": {"name": campaign},
                "promotion": {"type": "Website"},
                "targeting": {"locations": ["6252001"]},
                "bid": {"strategy": "LowestCost"},
            }),
        );
        merge(&mut spec, more);
        self.make(case, Level::AdGroup, name, spec)
    }

    /// An ad with one video.
    pub fn ad<'a>(self, case: &'a Case, name: &str, ad_group: &str, more: Value) -> Node<'a> {
        let mut spec = match self {
            Self::Manual => json!({
                "creative": {"format": "SingleVideo", "video": video()},
                "text": "Spring is here",
                "callToAction": "LearnMore",
            }),
            Self::SmartPlus => json!({
                "creatives": [{"format": "SingleVideo", "video": video()}],
                "texts": ["Spring is here"],
                "callToActionId": "7100000000000000005",
            }),
        };
        merge(
            &mut spec,
            json!({
                "adGroupRef": {"name": ad_group},
                "identity": {"type": "TikTokUser", "id": "7100000000000000009"},
                "landingPage": {"url": "https://shop.example/spring"},
            }),
        );
        merge(&mut spec, more);
        self.make(case, Level::Ad, name, spec)
    }
}

impl Node<'_> {
    /// As the API server has it now.
    pub fn get(&self) -> Value {
        self.case.read(self.level.plural(), &self.name).unwrap()
    }

    /// A merge patch of the spec.
    pub fn edit(&self, spec: Value) {
        let path = self.case.path(self.level.plural(), &self.name);
        self.case
            .api("PATCH", &path, &json!({"spec": spec}))
            .unwrap();
    }

    /// Waits until the object is as `wanted` says.
    #[track_caller]
    pub fn wait(&self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let found = wait_until(&format!("{}: {what}", self.name), PATIENCE, || {
            let object = self.get();
            Ok(if wanted(&object) {
                Ok(object)
            } else {
                Err(object["status"].to_string())
            })
        });
        found.unwrap_or_else(|error| panic!("{error}\n{}", self.case.story()))
    }

    /// Waits until `Ready` has this reason for the newest spec.
    #[track_caller]
    pub fn wait_for(&self, reason: &str) -> Value {
        self.wait(reason, |object| is(object, reason))
    }

    /// Waits until the object is in sync and switched on.
    #[track_caller]
    pub fn wait_live(&self) -> Value {
        self.wait("to be live", |object| {
            is(object, "InSync") && object["status"]["operationStatus"] == "On"
        })
    }

    /// The platform id.
    pub fn id(&self) -> String {
        super::id(&self.get())
    }

    /// As it really is on the platform: TikTok's fields.
    pub fn fields(&self) -> Value {
        let id = json!(self.id());
        let path = self
            .case
            .of_mine(&format!("/sandbox/{}", self.level.list()));
        let all = self.case.sandbox("GET", &path, &Value::Null);
        let own = ["campaign_id", "adgroup_id", "ad_id", "smart_plus_ad_id"];
        let rows = all[self.level.list()].as_array();
        let mine = rows.into_iter().flatten().find(|row| match self.level {
            Level::Campaign => row[own[0]] == id,
            Level::AdGroup => row[own[1]] == id,
            Level::Ad => row[own[2]] == id || row[own[3]] == id,
        });
        mine.unwrap_or_else(|| panic!("{} is not on the platform: {all}", self.name))["fields"]
            .clone()
    }

    /// Is it really switched on?
    pub fn is_on(&self) -> bool {
        self.fields()["operation_status"] == "ENABLE"
    }

    /// Fields are edited in Ads Manager.
    pub fn edit_outside(&self, fields: Value) {
        let path = format!("/sandbox/{}/{}", self.level.list(), self.id());
        self.case.sandbox("PATCH", &path, &fields);
    }

    /// What a person or TikTok does to it, such as `reject`.
    pub fn outside(&self, action: &str, body: Value) {
        let path = format!("/sandbox/{}/{}/{action}", self.level.list(), self.id());
        self.case.sandbox("POST", &path, &body);
    }

    /// The updates sent for it, oldest first: the whole body, or the one creative of a manual ad.
    pub fn updates(&self) -> Vec<Value> {
        let id = self.id();
        let all = self.case.requests(&self.tree.path(self.level, "update"));
        all.iter()
            .map(|entry| entry["body"].clone())
            .filter(|body| body.to_string().contains(&format!("\"{id}\"")))
            .collect()
    }

    /// The create sent for it, the last one: the whole body, or the one creative of a manual ad.
    pub fn create(&self) -> Value {
        let name = json!(self.name).to_string();
        let all = self.case.requests(&self.tree.path(self.level, "create"));
        let mine = all
            .iter()
            .rev()
            .find(|entry| entry["body"].to_string().contains(&name));
        mine.unwrap_or_else(|| panic!("{} was not created", self.name))["body"].clone()
    }

    /// Waits until two whole lists of this level were begun after now and were answered: what they show has been seen.
    #[track_caller]
    pub fn sweeps(&self) {
        let path = self.tree.path(self.level, "get");
        let whole = |entry: &&Value| {
            let filter = entry["query"]["filtering"].to_string();
            !filter.contains("_ids") && !filter.contains("_name")
        };
        let count = || self.case.requests(&path).iter().filter(whole).count();
        let before = count();
        self.case.until("two more lists", || count() >= before + 2);
        std::thread::sleep(std::time::Duration::from_millis(300));
    }

    /// The requests since a number of them: the last one before the first update, and that update's number.
    pub fn asked_before_the_update(&self, since: usize) -> bool {
        let all = self.case.requests("*").split_off(since);
        let path = format!("/open_api/v1.3{}", self.tree.path(self.level, "update"));
        let first = all
            .iter()
            .position(|entry| entry["path"] == path.as_str())
            .expect("an update");
        let id = self.id();
        all[..first].iter().any(|entry| {
            entry["method"] == "GET" && entry["query"]["filtering"].to_string().contains(&id)
        })
    }
}
