//! What is told of everything that costs money: plans that would switch something off, holds, adoptions, budgets, and an
//! event for each thing that was done.

mod held;
mod owned;
mod told;

use serde_json::{Map, Value, json};
use tiktok_ads_operator::sandbox::Tree;

use super::api_server::CONNECTION;
use super::script::{Script, ads};
use super::specs::manual;
use super::user::Outside;

/// Events about a campaign, oldest first: warning or not, reason, message. What was let go and has to be looked at is told at
/// its connection.
fn events(script: &Script, name: &str) -> Vec<(bool, String, String)> {
    script.does(|w| {
        let of = format!("Campaign ads/{name} ");
        let about = w.api.notes.iter().filter(|n| {
            let told = n.about == ads("main") && n.reason == "Released";
            n.about == ads(name) || (told && n.message.starts_with(&of))
        });
        about
            .map(|n| (n.warning, n.reason.clone(), n.message.clone()))
            .collect()
    })
}

fn reasons(script: &Script, name: &str) -> Vec<String> {
    let all = events(script, name);
    all.into_iter().map(|(_, reason, _)| reason).collect()
}

fn event(script: &Script, name: &str, reason: &str) -> (bool, String) {
    let found: Vec<_> = events(script, name)
        .into_iter()
        .filter(|(_, of, _)| of == reason)
        .collect();
    match found.as_slice() {
        [(warning, _, message)] => (*warning, message.clone()),
        other => panic!("{reason}: {other:?} of {:?}", events(script, name)),
    }
}

/// A campaign that somebody made in Ads Manager: 50 a day.
fn theirs(script: &Script, name: &str, on: bool) -> String {
    let id = script.does(|w| {
        let (now, advertiser) = (w.clock.millis(), w.accounts[0].advertiser_id.clone());
        let fields = Map::from_iter([
            ("campaign_name".to_string(), json!(name)),
            ("budget_mode".to_string(), json!("BUDGET_MODE_DAY")),
        ]);
        w.sandbox
            .insert_outside(now, &advertiser, Tree::Manual, fields)
            .unwrap()
            .to_string()
    });
    if on {
        script.does(|w| w.outside(&id, Outside::Enable));
    }
    id
}

fn adopting(id: &str, state: &str) -> Value {
    let mut spec = manual(Some(state));
    spec["externalId"] = id.into();
    spec
}

fn set_caps(script: &Script, caps: Value) {
    script.does(|w| w.edit(CONNECTION, &ads("main"), json!({ "caps": caps })));
}

fn released(script: &Script) -> Option<f64> {
    let (_, engine) = script.sim.leader()?;
    let text = engine.metrics_text();
    let line = text
        .lines()
        .find(|l| l.starts_with("tiktokads_released_active_total"))?;
    line.rsplit(' ').next()?.parse().ok()
}
