//! One search: which objects there are, what may happen to them, and how the platform behaves.

use serde_json::{Value, json};
use tiktok_ads_operator::api::common::DeletionPolicy;
use tiktok_ads_operator::model::object::Object;
use tiktok_ads_operator::platform::{Kind, Tree};

use super::world::Left;

/// How the platform treats a key it has seen (R10); all are knobs of the sandbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keys {
    /// Not at all: the hardest case, and the only one for ads.
    Ignored,
    /// The same key is answered with the same object.
    Replayed,
    /// The same key is refused.
    Refused,
}

/// Which orders are left out, because they mean nothing or are searched elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// None.
    Any,
    /// Time passes only when nobody has anything else to do: nobody is slow.
    Prompt,
    /// As before; and look-ups by id and name, and writes of records, are done before all else, the lower CR's first: for
    /// variants in which no other step reads or changes what they do. Faults, people and late effects still come between
    /// any two steps.
    Eager,
}

/// One object of ours.
#[derive(Clone, Copy, Debug)]
pub struct Cr {
    pub kind: Kind,
    /// Which CR it is in.
    pub parent: Option<usize>,
    pub name: u8,
    /// Its spec says Active; else nothing, which is Paused.
    pub active: bool,
    /// `None`: what counts when nothing is said, Pause.
    pub policy: Option<DeletionPolicy>,
    /// `SameName`.
    pub adopt: bool,
    /// It is on the platform, as its spec says, when the search begins.
    pub settled: bool,
    /// Nobody has made it yet when the search begins.
    pub absent: bool,
    /// A user may delete it and make it anew.
    pub deletable: bool,
    /// Somebody may delete it, or switch it off, on the platform.
    pub touchable: bool,
    /// TikTok never makes it.
    pub refused: bool,
    /// The bid that its spec says, and that it says after each edit: whole dollars. Empty: none, and no edits.
    pub bids: &'static [u8],
}

/// A paused object that nothing happens to.
pub const CR: Cr = Cr {
    kind: Kind::Campaign,
    parent: None,
    name: 0,
    active: false,
    policy: Some(DeletionPolicy::Delete),
    adopt: false,
    settled: false,
    absent: false,
    deletable: false,
    touchable: false,
    refused: false,
    bids: &[],
};

/// One search.
#[derive(Clone, Copy, Debug)]
pub struct Variant<const N: usize> {
    pub title: &'static str,
    /// Parents first.
    pub crs: [Cr; N],
    pub tree: Tree,
    /// A campaign of nobody's with the first name.
    pub stranger: bool,
    pub keys: Keys,
    /// One or two processes.
    pub replicas: usize,
    /// A new leader has read the lists of all kinds before its first turn; else it looks everything up.
    pub lists_first: bool,
    pub pace: Pace,
    pub left: Left,
    /// The last epoch of the search; the runs without faults go on after it.
    pub until: u8,
}

impl<const N: usize> Variant<N> {
    /// Which name a CR wants.
    pub fn name(&self, cr: usize) -> u8 {
        self.crs[cr].name
    }

    /// Do two CRs want the same name in the same place?
    pub fn rivals(&self, a: usize, b: usize) -> bool {
        let (a, b) = (&self.crs[a], &self.crs[b]);
        a.kind == b.kind && a.parent == b.parent && a.name == b.name
    }

    /// The other CRs.
    pub fn others(&self, cr: usize) -> impl Iterator<Item = usize> + use<N> {
        (0..N).filter(move |other| *other != cr)
    }

    /// The campaign that a CR is in, or is.
    pub fn campaign(&self, cr: usize) -> usize {
        self.crs[cr].parent.map_or(cr, |p| self.campaign(p))
    }

    /// The bid that the spec says after some edits.
    pub fn bid(&self, cr: usize, edits: u8) -> Option<u8> {
        let bids = self.crs[cr].bids;
        bids.get(usize::from(edits)).or(bids.last()).copied()
    }

    /// A CR's manifest after some edits.
    pub fn object(&self, cr: usize, edits: u8) -> Object {
        let of = &self.crs[cr];
        let above = of.parent.map(|p| format!("cr-{p}"));
        let manual = self.tree == Tree::Manual;
        let mut spec = match of.kind {
            Kind::Campaign => json!({
                "connectionRef": {"name": "connection"},
                "automation": if manual { "Manual" } else { "SmartPlus" },
                "objective": if manual { "Traffic" } else { "WebConversions" },
            }),
            Kind::AdGroup => json!({
                "campaignRef": {"name": above},
                "promotion": {"type": "Website"},
                "targeting": {"locations": ["6252001"]},
                "optimization": if manual {
                    json!({"goal": "Click", "billingEvent": "CPC"})
                } else {
                    json!({"goal": "Convert", "billingEvent": "OCPM", "pixelId": "7000000000000000077", "event": "OnWebOrder"})
                },
                "budget": {
                    "mode": if manual { "Daily" } else { "DynamicDaily" },
                    "amount": "30.00",
                    "currency": "USD",
                },
                "schedule": {"start": "2026-12-01T00:00:00Z"},
            }),
            Kind::Ad if manual => json!({
                "adGroupRef": {"name": above},
                "identity": {"type": "Custom", "id": "7000000000000000088"},
                "creative": {"format": "SingleVideo", "video": {"id": "v1", "coverImageId": "i1"}},
                "text": "Come and see",
                "callToAction": "LearnMore",
                "landingPage": {"url": "https://shop.example/"},
            }),
            Kind::Ad => json!({
                "adGroupRef": {"name": above},
                "identity": {"type": "Custom", "id": "7000000000000000088"},
                "creatives": [{"format": "SingleVideo", "video": {"id": "v1", "coverImageId": "i1"}}],
                "texts": ["Come and see"],
                "callsToAction": ["LearnMore"],
                "landingPage": {"url": "https://shop.example/"},
            }),
        };
        let mut say = |field: &str, value: Option<Value>| {
            if let Some(value) = value {
                spec[field] = value;
            }
        };
        say("name", Some(json!(format!("name-{}", of.name))));
        say("state", of.active.then(|| json!("Active")));
        say("deletionPolicy", of.policy.map(|p| json!(p)));
        say("adoption", of.adopt.then(|| json!("SameName")));
        let bid = self.bid(cr, edits).map(|dollars| {
            let amount = format!("{dollars}.00");
            json!({"strategy": "CostCap", "amount": amount, "currency": "USD"})
        });
        say("bid", bid);
        // A budget bounds what is switched on (R20).
        let budget = of.active && of.kind == Kind::Campaign;
        say(
            "budget",
            budget.then(|| json!({"mode": "Daily", "amount": "100.00", "currency": "USD"})),
        );
        let kind = of.kind.name();
        let manifest = json!({
            "apiVersion": "tiktokads.dev/v1alpha1",
            "kind": kind,
            "metadata": {"name": format!("cr-{cr}"), "namespace": "ads", "generation": u64::from(edits) + 1},
            "spec": spec,
        });
        match serde_json::from_value(manifest) {
            Ok(object) => object,
            Err(error) => panic!("{kind}: {error}"),
        }
    }
}
