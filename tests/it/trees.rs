//! Whole trees of campaigns, ad groups and ads, seen from both sides: what the tests apply, wait for and count.

use std::time::Duration;

use serde_json::Value;
use tiktok_ads_harness::kubectl::Kubectl;
use tiktok_ads_harness::{Operator, Sandbox, wait_until};

use crate::fleet::{self, Account, States};

/// The kinds from the top down: as users write them, as the API server lists them, as the sandbox does.
pub const KINDS: [(&str, &str, &str); 3] = [
    ("Campaign", "campaigns", "campaigns"),
    ("AdGroup", "adgroups", "ad_groups"),
    ("Ad", "ads", "ads"),
];

/// A campaign without a budget: its ad groups have theirs.
pub fn campaign(name: &str, automation: &str, more: &str) -> String {
    let what = match automation {
        "SmartPlus" => "objective: WebConversions\n  salesDestination: Website",
        _ => "objective: Traffic",
    };
    format!(
        r#"
apiVersion: tiktokads.dev/v1alpha1
kind: Campaign
metadata: {{name: {name}}}
spec:
  connectionRef: {{name: main}}
  automation: {automation}
  {what}
  {more}
---
"#
    )
}

/// An ad group with a daily budget of 30 (in Smart+ campaigns: on average).
pub fn ad_group(name: &str, campaign: &str, automation: &str, more: &str) -> String {
    let what = match automation {
        "SmartPlus" => {
            r#"optimization: {goal: Convert, billingEvent: OCPM, pixelId: "7100000000000000001", event: Shopping}"#
        }
        _ => {
            "placement: {mode: Select, placements: [TikTok]}\n  optimization: {goal: Click, billingEvent: CPC}"
        }
    };
    let mode = if automation == "SmartPlus" {
        "DynamicDaily"
    } else {
        "Daily"
    };
    format!(
        r#"
apiVersion: tiktokads.dev/v1alpha1
kind: AdGroup
metadata: {{name: {name}}}
spec:
  campaignRef: {{name: {campaign}}}
  promotion: {{type: Website}}
  {what}
  targeting: {{locations: ["6252001"]}}
  budget: {{mode: {mode}, amount: "30"}}
  bid: {{strategy: LowestCost}}
  {more}
---
"#
    )
}

/// An ad with one video.
pub fn ad(name: &str, ad_group: &str, automation: &str, more: &str) -> String {
    let video = r#"{id: "v10033g50000c90q1d3c77ub6e96fvo0", coverImageId: "ad-site-i18n-sg/202110195d0db51e"}"#;
    let what = match automation {
        "SmartPlus" => format!(
            "creatives: [{{format: SingleVideo, video: {video}}}]\n  texts: [\"Spring is here\"]\n  callToActionId: \"7100000000000000005\""
        ),
        _ => format!(
            "creative: {{format: SingleVideo, video: {video}}}\n  text: Spring is here\n  callToAction: LearnMore"
        ),
    };
    format!(
        r#"
apiVersion: tiktokads.dev/v1alpha1
kind: Ad
metadata: {{name: {name}}}
spec:
  adGroupRef: {{name: {ad_group}}}
  identity: {{type: TikTokUser, id: "7100000000000000009"}}
  {what}
  landingPage: {{url: "https://shop.example/spring"}}
  {more}
---
"#
    )
}

/// How many objects a forest has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Forest {
    /// Of each tree.
    pub campaigns: usize,
    /// In each campaign.
    pub ad_groups: usize,
    /// In each campaign, spread over its ad groups.
    pub ads: usize,
}

impl Forest {
    /// Objects of one kind, of both trees together.
    pub fn count(&self, kind: &str) -> usize {
        2 * self.campaigns
            * match kind {
                "Campaign" => 1,
                "AdGroup" => self.ad_groups,
                _ => self.ads,
            }
    }

    /// All manifests, ads first and campaigns last: the reverse of the order in which they can be made.
    pub fn reversed(&self, more: &str) -> String {
        let parts = ["Manual", "SmartPlus"].map(|automation| self.parts(automation, more));
        let level = |n: usize| parts.iter().map(|p| p[n].as_str()).collect::<String>();
        level(2) + &level(1) + &level(0)
    }

    /// The manifests of one tree, in the same order.
    pub fn of(&self, automation: &str, more: &str) -> String {
        let [campaigns, groups, ads] = self.parts(automation, more);
        ads + &groups + &campaigns
    }

    /// Campaigns, ad groups and ads of one tree.
    fn parts(&self, automation: &str, more: &str) -> [String; 3] {
        let [mut campaigns, mut groups, mut ads] = [String::new(), String::new(), String::new()];
        let tree = &automation[..1].to_lowercase();
        for c in 0..self.campaigns {
            let name = format!("{tree}{c}");
            campaigns.push_str(&campaign(&name, automation, more));
            for g in 0..self.ad_groups {
                let group = format!("{name}-{g}");
                groups.push_str(&ad_group(&group, &name, automation, more));
            }
            for a in 0..self.ads {
                let group = format!("{name}-{}", a % self.ad_groups);
                ads.push_str(&ad(&format!("{group}-{a:02}"), &group, automation, more));
            }
        }
        [campaigns, groups, ads]
    }
}

/// The platform's rows of a kind, deleted ones included.
pub fn rows(account: &Account, sandbox: &Sandbox, list: &str) -> Vec<Value> {
    let path = format!("/sandbox/{list}?advertiser_id={}", account.advertiser);
    let answer = fleet::control(sandbox, "GET", &path, "");
    answer[list].as_array().unwrap().clone()
}

/// How many rows of a kind are on, off and deleted.
pub fn states(account: &Account, sandbox: &Sandbox, list: &str) -> States {
    let mut states = States::default();
    for row in rows(account, sandbox, list) {
        match row["fields"]["operation_status"].as_str() {
            _ if row["deleted"] == true => states.deleted += 1,
            Some("ENABLE") => states.on += 1,
            Some("DISABLE") => states.off += 1,
            other => panic!("{other:?} in {row}"),
        }
    }
    states
}

/// All objects of a kind in a namespace.
pub fn objects(kubectl: &Kubectl, namespace: &str, plural: &str) -> Vec<Value> {
    let list = kubectl.json(&["get", plural, "-n", namespace]).unwrap();
    list["items"].as_array().cloned().unwrap_or_default()
}

/// Waits until the whole forest is ready and `operation` (`On`, `Off`).
pub fn wait_ready(
    kubectl: &Kubectl,
    operator: &Operator,
    namespace: &str,
    forest: Forest,
    operation: &str,
    limit: Duration,
) {
    let counts = KINDS.map(|(kind, ..)| forest.count(kind));
    wait_all_ready(kubectl, operator, namespace, counts, operation, limit);
}

/// Waits until so many campaigns, ad groups and ads are ready and `operation`, and no others are there.
pub fn wait_all_ready(
    kubectl: &Kubectl,
    operator: &Operator,
    namespace: &str,
    counts: [usize; 3],
    operation: &str,
    limit: Duration,
) {
    for ((_, plural, _), want) in KINDS.into_iter().zip(counts) {
        let what = format!("{want} {plural} in {namespace} to be ready and {operation}");
        let done = wait_until(&what, limit, || {
            operator.alive()?;
            fleet::pace();
            let all = objects(kubectl, namespace, plural);
            let waiting: Vec<&Value> = all
                .iter()
                .filter(|one| !fleet::is_ready(one, operation))
                .collect();
            if waiting.is_empty() && all.len() == want {
                return Ok(Ok(()));
            }
            Ok(Err(format!(
                "{} of {} ready; for instance {}",
                all.len() - waiting.len(),
                all.len(),
                waiting
                    .first()
                    .map_or(Value::Null, |one| serde_json::json!({
                    "name": one["metadata"]["name"], "status": one["status"],
                    "record": one["metadata"]["annotations"]["tiktokads.dev/record"]}))
            )))
        });
        done.unwrap_or_else(|error| panic!("{error}\n{}", fleet::tail(operator)));
    }
}
