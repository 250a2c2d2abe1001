//! What somebody may do next, drawn from the seed.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tiktok_ads_operator::api::{RELEASE, RESUME};
use tiktok_ads_operator::engine::doors::Name;
use tiktok_ads_operator::sandbox::{Level, Tree};

use super::api_server::{AD, AD_GROUP, CAMPAIGN, CONNECTION, KINDS, OBJECTS};
use super::specs::{self, Money};
use super::user::{NAMESPACES, Outside, caps, named};
use super::world::{Sim, World};

/// The campaigns of a namespace: what is in them is named after them.
pub const CAMPAIGNS: [(&str, Money); 4] = [
    ("m0", Money::Both),
    ("m1", Money::Below),
    ("s0", Money::Spread),
    ("s1", Money::Below),
];
const GROUPS: u32 = 2;
const ADS: u32 = 4;

pub fn pick<'a, T>(rng: &mut fastrand::Rng, of: &'a [T]) -> &'a T {
    &of[rng.usize(0..of.len())]
}

/// One of some words.
pub fn word(rng: &mut fastrand::Rng, words: &[&'static str]) -> &'static str {
    words[rng.usize(0..words.len())]
}

fn tree_of(name: &str) -> &'static str {
    if name.starts_with('s') {
        "SmartPlus"
    } else {
        "Manual"
    }
}

/// Who has the money of a campaign, as far as its spec says; else as usual for its name.
fn money_of(world: &World, namespace: &str, campaign: &str) -> Money {
    let usual = CAMPAIGNS.iter().find(|(name, _)| *name == campaign);
    match world.api.get(CAMPAIGN, &named(namespace, campaign)) {
        Some(object) if object["spec"]["budgetOptimization"] == true => Money::Spread,
        Some(object) if object["spec"]["budget"].get("amount").is_some() => Money::Both,
        Some(_) => Money::Below,
        None => usual.map_or(Money::Below, |(_, money)| *money),
    }
}

fn state(rng: &mut fastrand::Rng) -> Option<&'static str> {
    *pick(
        rng,
        &[
            None,
            Some("Active"),
            Some("Active"),
            Some("Active"),
            Some("Paused"),
        ],
    )
}

/// What any kind may say beside.
fn decorate(rng: &mut fastrand::Rng, spec: &mut Value) {
    match rng.u32(0..7) {
        0 => spec["deletionPolicy"] = "Delete".into(),
        1 => spec["deletionPolicy"] = "Retain".into(),
        2 => spec["deletionPolicy"] = "Pause".into(),
        _ => {}
    }
    if rng.u32(0..3) == 0 {
        spec["adoption"] = "SameName".into();
    }
    if rng.u32(0..8) == 0 {
        spec["name"] = format!("shared {}", rng.u32(0..2)).into();
    }
}

type Manifest = (&'static str, Name, Value);

/// A campaign, its ad groups and its ads, in any order.
fn whole_tree(world: &World, rng: &mut fastrand::Rng, namespace: &str) -> Vec<Manifest> {
    let (campaign, usual) = *pick(rng, &CAMPAIGNS);
    let tree = tree_of(campaign);
    let money = match world.api.get(CAMPAIGN, &named(namespace, campaign)) {
        Some(_) => money_of(world, namespace, campaign),
        None => usual,
    };
    let mut all = vec![(
        CAMPAIGN,
        named(namespace, campaign),
        specs::campaign(tree, money, state(rng)),
    )];
    for g in 0..rng.u32(1..=GROUPS) {
        let group = format!("{campaign}-g{g}");
        let spec = specs::ad_group(campaign, tree, money, state(rng));
        all.push((AD_GROUP, named(namespace, &group), spec));
        for a in 0..rng.u32(0..=ADS) {
            let spec = specs::ad(&group, tree, state(rng));
            all.push((AD, named(namespace, &format!("{group}-a{a}")), spec));
        }
    }
    for (_, _, spec) in &mut all {
        decorate(rng, spec);
    }
    rng.shuffle(&mut all);
    all
}

/// One object; now and then it refers to something that is not there, or not of its tree.
fn one_object(world: &World, rng: &mut fastrand::Rng, namespace: &str) -> Manifest {
    let (campaign, usual) = *pick(rng, &CAMPAIGNS);
    let tree = tree_of(campaign);
    let strange = rng.u32(0..12) == 0;
    let group = format!("{campaign}-g{}", rng.u32(0..GROUPS));
    let (kind, name, mut spec) = match rng.u32(0..6) {
        0 | 1 => {
            let money = if rng.u32(0..4) == 0 {
                *pick(rng, &[Money::Spread, Money::Both, Money::Below])
            } else {
                usual
            };
            let spec = specs::campaign(tree, money, state(rng));
            (CAMPAIGN, campaign.to_string(), spec)
        }
        2 | 3 => {
            let of = if strange { "m9" } else { campaign };
            let money = money_of(world, namespace, campaign);
            (
                AD_GROUP,
                group,
                specs::ad_group(of, tree, money, state(rng)),
            )
        }
        _ => {
            let of = if strange { "m9-g0" } else { &group };
            let name = format!("{group}-a{}", rng.u32(0..ADS));
            (AD, name, specs::ad(of, tree, state(rng)))
        }
    };
    decorate(rng, &mut spec);
    (kind, named(namespace, &name), spec)
}

/// An object of any kind that exists.
fn some_object(world: &World, rng: &mut fastrand::Rng) -> Option<(&'static str, Name)> {
    let of = |kind: &'static str| -> Vec<(&'static str, Name)> {
        let all = world.api.list(kind);
        all.map(|(name, _)| (kind, name.clone())).collect()
    };
    let first = rng.usize(0..OBJECTS.len());
    (0..OBJECTS.len())
        .map(|at| of(OBJECTS[(first + at) % OBJECTS.len()]))
        .find(|all| !all.is_empty())
        .map(|all| pick(rng, &all).clone())
}

/// One thing that somebody does.
pub fn step(sim: &Arc<Sim>, rng: &mut fastrand::Rng) {
    let mut world = sim.lock();
    let world = &mut *world;
    let namespace = NAMESPACES[usize::from(rng.u32(0..4) == 0)];
    match rng.u32(0..100) {
        0..=8 => {
            for (kind, name, spec) in whole_tree(world, rng, namespace) {
                world.create(kind, &name, spec);
            }
        }
        9..=20 => {
            let (kind, name, spec) = one_object(world, rng, namespace);
            world.create(kind, &name, spec);
        }
        21..=33 => to_the_cluster(world, rng, namespace),
        34..=35 => siblings(world, rng, namespace),
        36..=37 => delete_tree(world, rng, namespace),
        _ => {
            if let Some((kind, name)) = some_object(world, rng) {
                to_an_object(world, rng, kind, &name);
            }
        }
    }
}

/// Connections, Secrets, namespaces, watches, replicas, the API server itself.
fn to_the_cluster(world: &mut World, rng: &mut fastrand::Rng, namespace: &'static str) {
    let main = named(namespace, "main");
    let index = usize::from(namespace == NAMESPACES[1]);
    match rng.u32(0..14) {
        0..=3 => {
            let limit = match rng.u32(0..4) {
                0 => Value::Null,
                1 => caps(Some(60), None),
                2 => caps(Some(1000), Some(150)),
                _ => caps(Some(1000), None),
            };
            world.edit(CONNECTION, &main, json!({ "caps": limit }));
        }
        4 => {
            let mode = word(rng, &["Enforce", "Enforce", "Suspend", "Plan", "Observe"]);
            world.edit(CONNECTION, &main, json!({ "mode": mode }));
        }
        5 => {
            if world.api.get(CONNECTION, &main).is_some() {
                world.delete(CONNECTION, &main);
            } else {
                world.set_up(index, Some(caps(Some(1000), None)));
            }
        }
        6 => {
            let token = world.accounts[index].access_token.clone();
            let token = if rng.bool() { token } else { "nonsense".into() };
            world.say(format!("user writes Secret {namespace}/token {token:.4}"));
            world
                .api
                .put_secret(&named(namespace, "token"), &[("access_token", &token)]);
            world.publish();
        }
        7 => {
            if namespace == NAMESPACES[1] {
                let now = world.now();
                world.say(format!("user deletes namespace {namespace}"));
                world.api.delete_namespace(namespace, now);
                world.publish();
            }
        }
        8 | 9 => {
            let replica = rng.usize(0..2);
            let queue = rng.usize(0..KINDS.len());
            world.say(format!("r{replica} watch of {}s begins anew", KINDS[queue]));
            world.relist(replica, queue);
        }
        10 => {
            let replica = rng.usize(0..2);
            world.say(format!("r{replica} CRASH by kill"));
            world.slots[replica].crash.notify_one();
        }
        11 => {
            let replica = rng.usize(0..2);
            let time = Duration::from_millis(rng.u64(1_000..80_000));
            let until = world.clock.elapsed() + time;
            world.say(format!(
                "r{replica} freezes for {:.1} s",
                time.as_secs_f64()
            ));
            world.slots[replica].frozen_until = until;
        }
        12 => {
            world.say("a backup of the API server is made");
            world.backup = Some(world.api.backup());
        }
        _ => world.restore_all(),
    }
}

/// R17: all ad groups of a Smart+ campaign say one bid, or each another.
fn siblings(world: &mut World, rng: &mut fastrand::Rng, namespace: &str) {
    let campaign = word(rng, &["s0", "s1"]);
    agree(world, namespace, campaign, rng.u32(3..9), rng.bool());
}

/// See [`siblings`].
pub fn agree(world: &mut World, namespace: &str, campaign: &str, bid: u32, alike: bool) {
    for g in 0..GROUPS {
        let name = named(namespace, &format!("{campaign}-g{g}"));
        let amount = (if alike { bid } else { bid + g }).to_string();
        let bid = json!({"bid": {"strategy": "CostCap", "amount": amount}});
        world.edit(AD_GROUP, &name, bid);
    }
}

/// `kubectl delete -f` of a whole tree, in any order; sometimes it is applied again at once.
fn delete_tree(world: &mut World, rng: &mut fastrand::Rng, namespace: &str) {
    let (campaign, _) = *pick(rng, &CAMPAIGNS);
    let mut all: Vec<Manifest> = OBJECTS
        .into_iter()
        .flat_map(|kind| {
            world
                .api
                .list(kind)
                .map(move |(name, o)| (kind, name.clone(), o["spec"].clone()))
        })
        .filter(|(_, name, _)| name.namespace == namespace && name.name.starts_with(campaign))
        .collect();
    rng.shuffle(&mut all);
    for (kind, name, _) in &all {
        world.delete(kind, name);
    }
    if rng.bool() {
        for (kind, name, spec) in all {
            world.create(kind, &name, spec);
        }
    }
}

fn to_an_object(world: &mut World, rng: &mut fastrand::Rng, kind: &'static str, name: &Name) {
    match rng.u32(0..62) {
        0..=13 => {
            let state = word(rng, &["Active", "Active", "Paused"]);
            world.edit(kind, name, json!({ "state": state }));
        }
        14..=24 => edit(world, rng, kind, name),
        25..=26 => {
            let wanted = format!("renamed {}", rng.u32(0..4));
            world.edit(kind, name, json!({ "name": wanted }));
        }
        27..=28 => {
            let mode = word(rng, &["Enforce", "Suspend", "Plan", "Observe"]);
            world.edit(kind, name, json!({ "mode": mode }));
        }
        29 => world.edit(
            kind,
            name,
            json!({ "drift": {"budget": word(rng, &["Correct", "Report"]), "state": pick(rng, &["Respect", "Enforce"])} }),
        ),
        30..=34 => world.delete(kind, name),
        35 => {
            // Deleted and applied again, as a pipeline does that knows no better.
            let spec = world.api.get(kind, name).map(|o| o["spec"].clone());
            world.delete(kind, name);
            if let Some(spec) = spec {
                world.create(kind, name, spec);
            }
        }
        36..=38 => {
            let value = rng.u32(0..1000).to_string();
            world.annotate(kind, name, RESUME, &value);
        }
        39 => world.annotate(kind, name, RELEASE, "true"),
        40 => world.replace(kind, name),
        41..=42 => world.restore(kind, name, (rng.bool(), rng.bool(), rng.bool())),
        43 => world.edit(kind, name, json!({ "incarnation": rng.u32(1..4) })),
        _ => {
            if let Some(id) = world.id_of(kind, name) {
                outside(world, rng, &id);
            }
        }
    }
}

/// A change of what the object is for.
fn edit(world: &mut World, rng: &mut fastrand::Rng, kind: &'static str, name: &Name) {
    let Some(spec) = world.api.get(kind, name).map(|o| o["spec"].clone()) else {
        return;
    };
    let changes = match kind {
        CAMPAIGN => budget(rng, &spec, 50..130),
        AD_GROUP => ad_group_edit(rng, &spec, tree_of(&name.name)),
        _ => ad_edit(rng, &spec, tree_of(&name.name)),
    };
    world.edit(kind, name, changes);
}

fn budget(rng: &mut fastrand::Rng, spec: &Value, between: std::ops::Range<u32>) -> Value {
    let mut budget = spec["budget"].clone();
    if budget.get("amount").is_none() {
        return json!({});
    }
    budget["amount"] = rng.u32(between).to_string().into();
    json!({ "budget": budget })
}

fn ad_group_edit(rng: &mut fastrand::Rng, spec: &Value, tree: &str) -> Value {
    match rng.u32(0..5) {
        0 | 1 => budget(rng, spec, 20..90),
        2 => {
            // With budget optimisation the strategy is the campaign's, and stays.
            let spread = spec.get("budget").is_none();
            let amount = rng.u32(3..9).to_string();
            if tree == "SmartPlus" || (!spread && rng.bool()) {
                json!({"bid": {"strategy": "CostCap", "amount": amount}})
            } else {
                json!({"bid": {"strategy": "LowestCost"}})
            }
        }
        3 => {
            let mut targeting = spec["targeting"].clone();
            targeting["gender"] = word(rng, &["All", "Female", "Male"]).into();
            json!({ "targeting": targeting })
        }
        _ => {
            let mut targeting = spec["targeting"].clone();
            let ages = [
                json!(["Age18To24"]),
                json!(["Age25To34", "Age35To44"]),
                json!(["Age18To24", "Age25To34"]),
            ];
            targeting["ages"] = pick(rng, &ages).clone();
            json!({ "targeting": targeting })
        }
    }
}

fn ad_edit(rng: &mut fastrand::Rng, spec: &Value, tree: &str) -> Value {
    let text = format!("Spring {}", rng.u32(0..5));
    match rng.u32(0..4) {
        0 if tree == "SmartPlus" => json!({"texts": [text]}),
        0 => json!({ "text": text }),
        1 => {
            let url = format!("https://shop.example/{}", rng.u32(0..4));
            json!({"landingPage": {"url": url}})
        }
        2 if tree == "SmartPlus" => {
            let mut creatives = spec["creatives"].clone();
            creatives[0]["state"] = word(rng, &["Active", "Paused"]).into();
            json!({ "creatives": creatives })
        }
        2 => json!({"callToAction": word(rng, &["LearnMore", "ShopNow"])}),
        _ => {
            let source = format!("t{}", rng.u32(0..3));
            json!({"landingPage": {
                "url": format!("https://shop.example/spring?utm_source={source}"),
                "utm": [{"key": "utm_source", "value": source}],
            }})
        }
    }
}

/// What a buyer does in Ads Manager.
fn outside(world: &mut World, rng: &mut fastrand::Rng, id: &str) {
    let Some(row) = world.row(id) else {
        return;
    };
    let (level, tree) = (row.level, row.tree);
    let infinite = row.text("budget_mode") == "BUDGET_MODE_INFINITE";
    let what = match rng.u32(0..18) {
        0..=4 => Outside::Pause,
        5..=7 => Outside::Enable,
        8 => Outside::Delete,
        9..=12 => match drift(rng, level, tree) {
            // Where the campaign spreads its budget there is none to change.
            Outside::Set("budget", _) if infinite => Outside::Pause,
            what => what,
        },
        13..=16 => match buy(rng, level, tree) {
            Some(what) => what,
            None => Outside::Pause,
        },
        _ => {
            // Somebody makes something with a name of ours in it.
            let field = match level {
                Level::Campaign => "adgroup_name",
                Level::AdGroup => "ad_name",
                Level::Ad => return,
            };
            let now = world.clock.millis();
            let name = format!("shared {}", rng.u32(0..2));
            let fields = serde_json::Map::from_iter([(field.to_string(), json!(name))]);
            if let Ok(made) = world.sandbox.insert_inside(now, id, fields) {
                world.checks.touched.insert(made.to_string());
                world.say(format!("buyer makes {name:?} ({made}) in {id}"));
            }
            return;
        }
    };
    world.outside(id, what);
}

/// A field that specs say.
fn drift(rng: &mut fastrand::Rng, level: Level, tree: Tree) -> Outside {
    let gender = word(rng, &["GENDER_FEMALE", "GENDER_MALE"]);
    let text = format!("Sale {}", rng.u32(0..4));
    match (level, tree, rng.u32(0..3)) {
        (Level::Campaign, _, 0) => Outside::Set("campaign_name", json!("renamed by a buyer")),
        (Level::Campaign | Level::AdGroup, _, 1) => Outside::Set("budget", json!(rng.u32(40..200))),
        (Level::Campaign, _, _) => Outside::Set("budget", json!(rng.u32(50..90))),
        (Level::AdGroup, _, 0) => Outside::Set("adgroup_name", json!("renamed by a buyer")),
        (Level::AdGroup, Tree::Manual, _) => Outside::Set("gender", json!(gender)),
        (Level::AdGroup, Tree::SmartPlus, _) => {
            Outside::Set("targeting_spec.gender", json!(gender))
        }
        (Level::Ad, _, 0) => Outside::Set("ad_name", json!("renamed by a buyer")),
        (Level::Ad, Tree::Manual, 1) => Outside::Set("ad_text", json!(text)),
        (Level::Ad, Tree::Manual, _) => {
            Outside::Set("landing_page_url", json!("https://sale.example/"))
        }
        (Level::Ad, Tree::SmartPlus, _) => {
            Outside::Set("ad_text_list", json!([{ "ad_text": text }]))
        }
    }
}

/// A field that no spec says: it must stay as the buyer set it (R15).
fn buy(rng: &mut fastrand::Rng, level: Level, tree: Tree) -> Option<Outside> {
    let url = json!(format!("https://track.example/{}", rng.u32(0..1000)));
    let languages = json!([word(rng, &["en", "de", "fr"])]);
    Some(match (level, tree, rng.u32(0..2)) {
        (Level::Campaign, ..) => return None,
        (Level::AdGroup, Tree::Manual, 0) => Outside::Buy("languages", languages),
        (Level::AdGroup, Tree::SmartPlus, 0) => Outside::Buy("targeting_spec.languages", languages),
        (Level::AdGroup, ..) => Outside::Buy("comment_disabled", json!(rng.bool())),
        (Level::Ad, Tree::Manual, 0) => Outside::Buy("impression_tracking_url", url),
        (Level::Ad, Tree::Manual, _) => Outside::Buy("click_tracking_url", url),
        (Level::Ad, Tree::SmartPlus, 0) => Outside::Buy(
            "ad_configuration.tracking_info.impression_tracking_url",
            url,
        ),
        (Level::Ad, Tree::SmartPlus, _) => {
            Outside::Buy("ad_configuration.tracking_info.click_tracking_url", url)
        }
    })
}
