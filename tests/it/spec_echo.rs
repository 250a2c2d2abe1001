//! Specs of whole trees, made and changed on the sandbox through the platform's own calls: what a spec asks for is what
//! the sandbox then shows, and an update changes nothing beside it.

use serde_json::{Value, json};
use tiktok_ads_operator::api::common::{DriftPolicy, StateDriftPolicy};
use tiktok_ads_operator::model::diff::diff;
use tiktok_ads_operator::model::effective::DriftRules;
use tiktok_ads_operator::model::object::{Object, Spec};
use tiktok_ads_operator::model::plan::side_effects;
use tiktok_ads_operator::model::wanted::{Wanted, World};
use tiktok_ads_operator::platform::{
    Call, Filter, Kind, Method, NewObject, OperationState, Reply, Rest, Row, Tree, Update,
    WireReply, agrees, fields_of, read, updatable,
};
use tiktok_ads_operator::sandbox::{Config, Request, Sandbox, default_account};

const NOW: i64 = 1_795_435_200_000;
const CORRECT: DriftRules = DriftRules {
    budget: DriftPolicy::Correct,
    bid: DriftPolicy::Correct,
    schedule: DriftPolicy::Correct,
    targeting: DriftPolicy::Correct,
    name: DriftPolicy::Correct,
    settings: DriftPolicy::Correct,
    state: StateDriftPolicy::Respect,
};

struct Bench {
    sandbox: Sandbox,
    tree: Tree,
    now: i64,
    made: u64,
}

impl Bench {
    fn new(tree: Tree) -> Self {
        let config = Config {
            knobs: [("rate".to_owned(), "off".to_owned())].into(),
            ..Config::default()
        };
        Self {
            sandbox: Sandbox::new(&config).unwrap(),
            tree,
            now: NOW,
            made: 0,
        }
    }

    fn call(&mut self, call: &Call) -> Reply {
        let request = call.request(None);
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(&request.query);
        let method = match request.method {
            Method::Get => "GET",
            Method::Post => "POST",
        };
        // Updates of one object have to keep some distance.
        self.now += 60_000;
        let sent = Request {
            method: method.into(),
            path: request.path.into(),
            query: query.finish(),
            headers: vec![("Access-Token".into(), default_account::ACCESS_TOKEN.into())],
            body: request
                .body
                .as_ref()
                .map(|b| b.to_string().into_bytes())
                .unwrap_or_default(),
        };
        let answer = self.sandbox.handle(self.now, &sent);
        let wire = WireReply {
            status: 200,
            date: None,
            retry_after: None,
            log_id: None,
            body: answer.reply().unwrap().body.clone(),
        };
        match read(call, wire) {
            Ok(answer) => answer.reply,
            Err(error) => panic!("{error:?}\n{}", request.body.unwrap_or_default()),
        }
    }

    fn wanted(&self, spec: &Spec) -> Wanted {
        spec.wanted(&World {
            now: jiff::Timestamp::from_millisecond(NOW).unwrap(),
            tree: self.tree,
            account: None,
            parent: None,
        })
    }

    fn row(&mut self, kind: Kind, id: &str) -> Row {
        let list = Call::List {
            advertiser: default_account::ADVERTISER_ID.into(),
            kind,
            tree: self.tree,
            filter: Filter {
                ids: vec![id.into()],
                ..Filter::default()
            },
            page: 1,
            page_size: 10,
        };
        match self.call(&list) {
            Reply::Rows { mut rows, .. } => rows.remove(0),
            other => panic!("{other:?}"),
        }
    }

    /// Makes an object and returns its id.
    fn make(&mut self, spec: &Spec, parent: Option<&str>) -> String {
        let wanted = self.wanted(spec);
        self.made += 1;
        let object = NewObject {
            parent: parent.map(str::to_owned),
            name: format!("object {}", self.made),
            request_id: self.made.to_string(),
            budget_mode: wanted.budget_mode.map(str::to_owned),
            budget: wanted.budget,
            fields: wanted.to_create(),
        };
        let create = Call::Create {
            advertiser: default_account::ADVERTISER_ID.into(),
            kind: spec.kind(),
            tree: self.tree,
            objects: vec![object],
        };
        match self.call(&create) {
            Reply::Created(mut rows) => rows.remove(0).unwrap().id,
            other => panic!("{other:?}"),
        }
    }

    /// What is still otherwise than the spec says; at first what an update can set right is set right.
    fn settle(&mut self, spec: &Spec, id: &str, correct: bool) -> Vec<String> {
        let object = Object {
            metadata: Default::default(),
            spec: spec.clone(),
            status: None,
        };
        let wanted = self.wanted(spec);
        let before = self.row(spec.kind(), id);
        let found = diff(&object, &wanted, &before, &CORRECT);
        if !correct {
            return found.differences.iter().map(|d| format!("{d:?}")).collect();
        }
        if !found.changes.is_empty() {
            let mut changes = found.changes;
            changes.parent = before.parent().map(str::to_owned);
            let whole = changes
                .names()
                .any(|n| updatable(before.kind, self.tree, n) == Update::Whole);
            if whole || (before.kind, self.tree) == (Kind::AdGroup, Tree::Manual) {
                changes.rest = Some(Box::new(self.rest(&before, &wanted)));
            }
            let update = Call::Update {
                advertiser: default_account::ADVERTISER_ID.into(),
                kind: spec.kind(),
                tree: self.tree,
                id: id.into(),
                changes: changes.clone(),
            };
            self.call(&update);
            let after = self.row(spec.kind(), id);
            assert_eq!(side_effects(&before, &after, &changes), [""; 0]);
        }
        self.settle(spec, id, false)
    }

    fn rest(&self, row: &Row, wanted: &Wanted) -> Rest {
        let fields = fields_of(row.kind, row.tree)
            .iter()
            .filter_map(|field| {
                let shown = row
                    .fields
                    .get(field.name)
                    .filter(|value| !value.is_null())?;
                let said = wanted.value(field.name);
                let said = said.filter(|said| agrees(row.kind, row.tree, field.name, said, shown));
                Some((field.name, said.unwrap_or(shown).clone()))
            })
            .collect();
        Rest {
            name: row.name.clone(),
            budget: row.budget.filter(|b| b.0 > 0),
            fields,
        }
    }

    /// Makes an object, and then changes it to each of the other specs in turn.
    fn go(&mut self, parent: Option<&str>, kind: Kind, specs: &[Value]) -> String {
        let read = |value: &Value| Spec::from_value(kind, value.clone()).unwrap();
        let id = self.make(&read(&specs[0]), parent);
        assert_eq!(
            self.settle(&read(&specs[0]), &id, self.tree == Tree::SmartPlus),
            [""; 0],
            "made {kind} {}",
            specs[0]
        );
        assert_eq!(self.row(kind, &id).operation, OperationState::Off);
        for spec in &specs[1..] {
            assert_eq!(
                self.settle(&read(spec), &id, true),
                [""; 0],
                "changed {kind} to {spec}"
            );
        }
        id
    }
}

/// `base` with other values in some places, named by JSON pointers.
fn but(base: &Value, changes: Value) -> Value {
    let mut value = base.clone();
    for (place, new) in changes.as_object().unwrap() {
        let (holder, name) = place.rsplit_once('/').unwrap();
        value.pointer_mut(holder).unwrap()[name] = new.clone();
    }
    value
}

fn campaign(automation: &str, more: Value) -> Value {
    let mut campaign = json!({"connectionRef": {"name": "main"}, "automation": automation});
    for (name, value) in more.as_object().unwrap() {
        campaign[name] = value.clone();
    }
    campaign
}

fn manual_ad() -> Value {
    json!({
        "adGroupRef": {"name": "g"},
        "creative": {"format": "SingleVideo", "video": {"id": "v1", "coverImageId": "i1"}},
        "text": "Buy a kite", "callToAction": "ShopNow", "identity": {"type": "TikTokUser", "id": "brand"},
        "landingPage": {"url": "https://example.com/?utm_source=t", "utm": [{"key": "utm_source", "value": "t"}]},
        "tracking": {"impressionUrl": "https://t.example/i", "pixelId": "7000000000000000009"}
    })
}

#[test]
fn a_manual_tree_for_a_website() {
    let mut bench = Bench::new(Tree::Manual);
    let campaign = bench.go(
        None,
        Kind::Campaign,
        &[campaign("Manual", json!({"objective": "Traffic"}))],
    );
    let group = json!({
        "campaignRef": {"name": "c"}, "promotion": {"type": "Website"},
        "targeting": {
            "locations": ["6252001"], "ages": ["Age18To24"], "gender": "Female", "languages": ["en"],
            "interestCategories": ["15"], "behaviors": [{"scene": "VideoRelated", "periodDays": 15,
                "videoActions": ["Liked"], "categories": ["18"]}],
            "audiences": ["31"], "devicePrice": {"from": 100, "to": 850}, "networkTypes": ["Wifi"],
            "spendingPower": "High", "householdIncome": ["Top10"]
        },
        "brandSafety": {"inventory": "Standard"}, "interactions": {"comments": "Blocked"},
        "budget": {"mode": "Daily", "amount": "50"},
        "schedule": {"start": "2026-12-01T09:00:00Z", "end": "2026-12-24T00:00:00Z",
            "dayparting": [{"days": ["Monday"], "from": "09:00", "to": "17:30"}]},
        "optimization": {"goal": "Click", "billingEvent": "CPC"}, "bid": {"strategy": "CostCap", "amount": "2.50"},
        "pacing": "Fast"
    });
    let group = bench.go(Some(&campaign), Kind::AdGroup, &[
        group.clone(),
        but(&group, json!({"/bid/amount": "3"})),
        but(&group, json!({"/targeting/gender": "All", "/targeting/spendingPower": "All", "/targeting/ages": ["Age25To34"]})),
        but(&group, json!({"/targeting/devicePrice": {"from": 100, "to": 1000}, "/targeting/audiences": []})),
        but(&group, json!({"/brandSafety/inventory": "Unlimited", "/interactions/comments": "Allowed"})),
        but(&group, json!({"/schedule/end": "2026-12-31T00:00:00Z"})),
        but(&group, json!({"/pacing": "Smooth", "/bid": {"strategy": "LowestCost"}})),
        but(&group, json!({"/budget/amount": "60", "/name": "Another name"})),
    ]);
    let ad = manual_ad();
    bench.go(Some(&group), Kind::Ad, &[
        ad.clone(),
        but(&ad, json!({"/text": "Buy two kites"})),
        but(&ad, json!({"/creative/video": {"id": "v2", "coverImageId": "i2"}})),
        but(&ad, json!({"/callToAction": "LearnMore", "/landingPage": {"url": "https://example.com/", "utm": []}})),
        but(&ad, json!({"/tracking/impressionUrl": "https://t.example/2", "/aigcDisclosure": "SelfDisclosure"})),
        but(&ad, json!({"/disclaimer": {"text": "Terms apply"}})),
    ]);
    let post = json!({
        "adGroupRef": {"name": "g"}, "creative": {"format": "SingleVideo", "sparkPost": {"itemId": "7300000000000000001"}},
        "identity": {"type": "AuthorizationCode", "id": "code"}, "callToAction": "ShopNow",
        "landingPage": {"url": "https://example.com/"}
    });
    bench.go(
        Some(&group),
        Kind::Ad,
        &[
            post.clone(),
            but(
                &post,
                json!({"/creative/sparkPost/itemId": "7300000000000000002"}),
            ),
            but(&post, json!({"/callToAction": "LearnMore"})),
        ],
    );
}

#[test]
fn a_manual_tree_without_a_word_too_many() {
    let mut bench = Bench::new(Tree::Manual);
    let budget = json!({"objective": "Traffic", "budgetOptimization": true, "budget": {"mode": "Daily", "amount": "100"}});
    let campaign = bench.go(None, Kind::Campaign, &[campaign("Manual", budget)]);
    let group = json!({
        "campaignRef": {"name": "c"}, "promotion": {"type": "Website"}, "targeting": {"locations": ["2921044"]},
        "optimization": {"goal": "Click", "billingEvent": "CPC"}
    });
    bench.go(
        Some(&campaign),
        Kind::AdGroup,
        &[
            group.clone(),
            but(&group, json!({"/targeting/gender": "Male"})),
            but(
                &group,
                json!({"/schedule": {"end": "2026-12-31T00:00:00Z"}}),
            ),
        ],
    );
}

#[test]
fn a_smart_plus_tree() {
    let mut bench = Bench::new(Tree::SmartPlus);
    let sales = json!({"objective": "WebConversions", "salesDestination": "Website"});
    let campaign = bench.go(None, Kind::Campaign, &[campaign("SmartPlus", sales)]);
    let group = json!({
        "campaignRef": {"name": "c"}, "promotion": {"type": "Website"},
        "targeting": {"locations": ["2921044"], "ages": ["Age18To24"], "languages": ["de"], "audiences": ["31"],
            "excludedAudiences": ["32"], "devicePrice": {"from": 0, "to": 250}},
        "budget": {"mode": "DynamicDaily", "amount": "50"},
        "optimization": {"goal": "Convert", "billingEvent": "OCPM", "pixelId": "7000000000000000009", "event": "Shopping"},
        "bid": {"strategy": "CostCap", "amount": "2.50"}, "pacing": "Fast", "interactions": {"sharing": "Blocked"}
    });
    let automatic = but(
        &group,
        json!({"/targetingMode": "Automatic", "/targeting/smartAudience": null}),
    );
    let group = bench.go(
        Some(&campaign),
        Kind::AdGroup,
        &[
            group.clone(),
            but(
                &group,
                json!({"/targeting/ages": ["Age25To34"], "/targeting/gender": "Male"}),
            ),
            but(&group, json!({"/bid/amount": "4", "/pacing": "Smooth"})),
            but(
                &group,
                json!({"/interactions/sharing": "Allowed", "/targeting/audiences": []}),
            ),
            automatic,
            but(
                &group,
                json!({"/budget/amount": "70", "/targetingMode": "Manual"}),
            ),
        ],
    );
    let ad = json!({
        "adGroupRef": {"name": "g"},
        "creatives": [
            {"format": "SingleVideo", "video": {"id": "v1", "coverImageId": "i1"}},
            {"format": "SingleVideo", "sparkPost": {"itemId": "7300000000000000001"},
                "identity": {"type": "AuthorizationCode", "id": "code"}},
            {"format": "Carousel", "images": ["i2", "i3"], "musicId": "7000000000000000011"}
        ],
        "texts": ["Buy a kite", "Kites here"], "callToActionId": "7000000000000000012",
        "identity": {"type": "BusinessCenter", "id": "brand", "businessCenterId": "7000000000000000013"},
        "landingPage": {"url": "https://example.com/?utm_source=t", "utm": [{"key": "utm_source", "value": "t"}]},
        "deeplink": {"url": "kites://1"}, "tracking": {"clickUrl": "https://t.example/c"}
    });
    bench.go(Some(&group), Kind::Ad, &[
        ad.clone(),
        but(&ad, json!({"/texts": ["Kites here"]})),
        but(&ad, json!({"/creatives/0/video/id": "v9"})),
        but(&ad, json!({"/landingPage": {"url": "https://example.com/"}, "/deeplink/type": "Deferred"})),
        but(&ad, json!({"/landingPage/url": "https://example.com/", "/landingPage/utm": null, "/tracking/clickUrl": "https://t.example/2"})),
    ]);
}
