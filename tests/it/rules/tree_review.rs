//! R4 and R28: ads in review, rejected ads, and that nobody asks or sends twice.

use std::time::Instant;

use serde_json::{Value, json};

use super::nodes::{Level, Node, TREES, Tree};
use super::tree_kit::{Branch, each, message};
use super::{Case, condition, reason};

const AD: Level = Level::Ad;

fn review_calls(case: &Case, tree: Tree) -> usize {
    case.calls(tree, AD, "review_info").len()
}

fn live_without_review(case: &Case, tree: Tree) -> Branch<'_> {
    case.knobs(json!({"ad_review_seconds": "forever"}));
    let branch = Branch::applied(case, tree);
    branch.campaign.wait_live();
    branch.ad_group.wait_live();
    branch
}

fn in_review(object: &Value) -> bool {
    condition(object, "Ready")["status"] == "True"
        && condition(object, "Approved")["status"] == "Unknown"
        && condition(object, "Approved")["reason"] == "InReview"
        && condition(object, "Delivering")["status"] == "False"
}

#[test]
fn r04_an_ad_in_review_is_ready_and_goes_on_when_it_is_approved() {
    each(&TREES, |&tree| {
        let case = Case::new("t04-accept");
        let branch = live_without_review(&case, tree);
        let live = branch.ad.wait_live();
        let waiting = branch.ad.wait("to be in review", in_review);
        assert_eq!(reason(&waiting), "InSync");
        assert_eq!(condition(&waiting, "Delivering")["reason"], "InReview");
        assert!(condition(&live, "Stalled").is_null());
        case.happens(AD, &branch.ad.id(), "approve");
        branch.ad.wait("to be approved", |object| {
            // Nothing is in its way any more but the start, which lies 15 minutes ahead.
            condition(object, "Approved")["status"] == "True"
                && condition(object, "Delivering")["reason"] == "NotStarted"
        });
        assert_eq!(case.told(tree, AD, "ENABLE", &branch.ad.id()), 1);
    });
}

#[test]
fn r04_an_enable_refused_in_review_is_progress_and_is_tried_again_when_the_review_is_over() {
    let ways: Vec<(Tree, &str, &str)> = TREES
        .into_iter()
        .flat_map(|tree| {
            ["disable_first", "review_first"]
                .into_iter()
                .flat_map(move |first| ["fail", "skip"].map(move |bad_id| (tree, first, bad_id)))
        })
        .collect();
    each(&ways, |&(tree, first, bad_id)| {
        let case = Case::new("t04-refuse");
        case.knobs(json!({
            "enable_in_review": "refuse", "review_precedence": first, "manual_status_bad_id": bad_id,
        }));
        // Never in a loop: once for each delivery status that it was seen with (its parents come on meanwhile), and once
        // more whenever --review-again has passed.
        let since = Instant::now();
        let most = |tries: u64| usize::try_from(tries + since.elapsed().as_secs() / 20).unwrap();
        let branch = live_without_review(&case, tree);
        let waiting = branch.ad.wait_for("InReview");
        assert!(in_review(&waiting), "{waiting:#}");
        assert_eq!(waiting["status"]["operationStatus"], "Off");
        assert!(condition(&waiting, "Stalled").is_null());
        let id = branch.ad.id();
        branch.ad.sweeps();
        branch.ad.sweeps();
        let tries = case.told(tree, AD, "ENABLE", &id);
        assert!((1..=most(3)).contains(&tries), "{tries}");
        // The review ends: what it kept off is tried again, when that shows or after a while.
        case.happens(AD, &id, "approve");
        branch.ad.wait_live();
        branch.ad.wait("to be approved", |object| {
            condition(object, "Approved")["status"] == "True"
        });
        assert!(case.runs(AD, &id));
        let tries = case.told(tree, AD, "ENABLE", &id);
        assert!(tries <= most(5), "{tries}");
    });
}

#[test]
fn r04_ads_that_are_reviewed_only_when_they_are_on_are_switched_on() {
    each(&TREES, |&tree| {
        let case = Case::new("t04-when");
        case.knobs(json!({"ad_review_of_disabled": "when_enabled", "ad_review_seconds": "4"}));
        let branch = Branch::applied(&case, tree);
        branch.ad.wait("to be in review", in_review);
        branch.ad.wait("to be approved", |object| {
            condition(object, "Approved")["status"] == "True"
        });
        assert_eq!(case.told(tree, AD, "ENABLE", &branch.ad.id()), 1);
    });
}

fn rejected(node: &Node<'_>) -> Value {
    node.wait("to be rejected", |object| {
        condition(object, "Approved")["status"] == "False"
            && condition(object, "Delivering")["status"] == "False"
            && object["status"]["review"]["reasons"][0]["reason"].is_string()
    })
}

#[test]
fn r28_a_rejected_ad_shows_why_and_nothing_is_sent_again() {
    each(&TREES, |&tree| {
        let case = Case::new("t28-reasons");
        let branch = Branch::live(&case, tree);
        let before = case.writes().len();
        branch.ad.outside(
            "reject",
            json!({
                "reasons": ["The text promises too much.", "The claim has no source."],
                "suggestion": "Tone it down.", "content_type": "text",
            }),
        );
        let object = rejected(&branch.ad);
        let review = &object["status"]["review"];
        assert_eq!(review["approved"], false);
        assert_eq!(
            review["reasons"][0]["reason"],
            "The text promises too much.; The claim has no source."
        );
        assert_eq!(review["reasons"][0]["suggestion"], "Tone it down.");
        assert_eq!(review["reasonCount"], 1);
        let said = condition(&object, "Approved")["message"].as_str().unwrap();
        assert!(said.contains("The text promises too much."), "{said}");
        assert_eq!(condition(&object, "Approved")["reason"], "Denied");
        assert_eq!(condition(&object, "Ready")["status"], "True");
        branch.ad.sweeps();
        assert_eq!(case.writes().len(), before, "no resubmission");
        // TikTok takes it back.
        case.happens(AD, &branch.ad.id(), "approve");
        branch.ad.wait("to be approved", |object| {
            condition(object, "Approved")["status"] == "True"
                && object["status"]["review"]["reasons"]
                    .as_array()
                    .is_none_or(Vec::is_empty)
        });
        assert_eq!(case.writes().len(), before);
    });
}

#[test]
fn r28_a_review_is_read_once_for_each_change() {
    let ways: Vec<(Tree, &str)> = TREES
        .into_iter()
        .flat_map(|tree| ["shown", "omitted"].map(|time| (tree, time)))
        .collect();
    each(&ways, |&(tree, time)| {
        let case = Case::new("t28-once");
        case.knobs(json!({"smart_plus_ad_modify_time": time}));
        let branch = Branch::live(&case, tree);
        // Nothing changes: nobody asks.
        case.until("the first reading", || review_calls(&case, tree) > 0);
        branch.ad.sweeps();
        let calm = review_calls(&case, tree);
        branch.ad.sweeps();
        branch.ad.sweeps();
        branch.ad.sweeps();
        assert_eq!(review_calls(&case, tree), calm);
        // One rejection, one reading.
        branch
            .ad
            .outside("reject", json!({"reasons": ["No claims."]}));
        rejected(&branch.ad);
        branch.ad.sweeps();
        branch.ad.sweeps();
        assert_eq!(review_calls(&case, tree), calm + 1);
        // The parents' changes show in the delivery status, which is all there is to tell a change by.
        branch.campaign.edit(json!({"name": "Renamed"}));
        branch.campaign.wait_live();
        branch.ad.sweeps();
        assert_eq!(review_calls(&case, tree), calm + 1);
    });
}

#[test]
fn r28_many_ads_are_asked_about_together() {
    each(&TREES, |&tree| {
        let case = Case::new("t28-many");
        case.knobs(json!({"review_rejects": "Bad"}));
        tree.campaign(&case, "c", json!({"state": "Active"}));
        tree.ad_group(&case, "g", "c", json!({"state": "Active"}));
        let ads: Vec<Node<'_>> = (0..12)
            .map(|n| {
                let name = if n % 4 == 0 { "Bad" } else { "Good" };
                let more = json!({"state": "Active", "name": format!("{name} {n}")});
                tree.ad(&case, &format!("a{n}"), "g", more)
            })
            .collect();
        for (n, ad) in ads.iter().enumerate() {
            if n % 4 == 0 {
                let object = rejected(ad);
                assert_eq!(condition(&object, "Ready")["status"], "True");
            } else {
                ad.wait("to be approved", |object| {
                    condition(object, "Approved")["status"] == "True"
                });
            }
        }
        for ad in &ads {
            ad.wait_live();
        }
        ads[0].sweeps();
        let writes = case.writes().len();
        let calls = review_calls(&case, tree);
        assert!(calls < ads.len(), "{calls} calls");
        ads[0].sweeps();
        ads[0].sweeps();
        assert_eq!(review_calls(&case, tree), calls);
        assert_eq!(case.writes().len(), writes, "no resubmission");
    });
}

#[test]
fn r28_a_rejected_ad_is_sent_again_only_when_its_spec_changes() {
    each(&TREES, |&tree| {
        let case = Case::new("t28-again");
        let branch = Branch::live(&case, tree);
        branch
            .ad
            .outside("reject", json!({"reasons": ["No claims."]}));
        rejected(&branch.ad);
        let before = case.writes().len();
        let edit = match tree {
            Tree::Manual => json!({"text": "Calmer"}),
            Tree::SmartPlus => json!({"texts": ["Calmer"]}),
        };
        branch.ad.edit(edit);
        branch.ad.wait("to be approved", |object| {
            condition(object, "Approved")["status"] == "True"
                && condition(object, "Ready")["observedGeneration"]
                    == object["metadata"]["generation"]
        });
        let writes = case.writes().split_off(before);
        assert_eq!(writes.len(), 1, "{writes:?}");
        assert_eq!(writes[0].0, tree.path(AD, "update"));
        assert!(message(&branch.ad.wait_live()).contains("as this manifest says"));
    });
}

#[test]
fn r28_one_creative_of_a_smart_plus_ad_rejected_is_shown_with_its_reasons() {
    let case = Case::new("t28-part");
    let tree = Tree::SmartPlus;
    let branch = Branch::live(&case, tree);
    let fields = branch.ad.fields();
    let material = fields["creative_list"][0]["ad_material_id"]
        .as_str()
        .unwrap();
    branch.ad.outside(
        "reject",
        json!({"reasons": ["Loud."], "material_id": material, "content_type": "video"}),
    );
    let object = branch.ad.wait("its reasons", |object| {
        object["status"]["review"]["reasons"][0]["reason"] == "Loud."
    });
    assert_eq!(condition(&object, "Ready")["status"], "True");
}
