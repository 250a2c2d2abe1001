//! R17: what TikTok keeps once for all ad groups of a campaign.

use serde_json::{Value, json};

use super::nodes::{Node, TREES, Tree};
use super::{Case, condition};

fn message(object: &Value) -> String {
    let text = condition(object, "Ready")["message"].as_str();
    text.unwrap_or_default().to_owned()
}

fn bid(amount: &str) -> Value {
    json!({"bid": {"strategy": "CostCap", "amount": amount}})
}

fn bids(groups: &[&Node]) -> Vec<Value> {
    groups
        .iter()
        .map(|group| group.fields()["conversion_bid_price"].clone())
        .collect()
}

fn sent(groups: &[&Node]) -> usize {
    groups.iter().map(|group| group.updates().len()).sum()
}

/// Three ad groups of a Smart+ campaign with one bid.
fn three<'a>(case: &'a Case) -> [Node<'a>; 3] {
    Tree::SmartPlus.campaign(case, "spring", json!({}));
    let make = |name: &str| Tree::SmartPlus.ad_group(case, name, "spring", bid("2.5"));
    let groups = ["one", "two", "three"].map(make);
    for group in &groups {
        group.wait_for("Paused");
    }
    groups
}

#[test]
fn r17_smart_plus_bids_that_differ_are_said_and_not_sent() {
    let case = Case::new("r17-differ");
    let [one, two, three] = &three(&case);
    two.edit(bid("3"));
    for group in [one, two, three] {
        let said = group.wait("the disagreement", |object| {
            super::reason(object) == "SiblingsDisagree"
        });
        let other = if group.name == "two" {
            "2.5"
        } else {
            "two says 3"
        };
        assert!(message(&said).contains(other), "{}", message(&said));
        assert!(message(&said).contains("bid.amount"), "{}", message(&said));
    }
    one.sweeps();
    assert_eq!(sent(&[one, two, three]), 0);
    assert_eq!(bids(&[one, two, three]), [2.5, 2.5, 2.5]);
    // A newcomer with another bid is not even made: its create would change the others.
    let late = Tree::SmartPlus.ad_group(&case, "late", "spring", bid("4"));
    late.wait_for("SiblingsDisagree");
    late.edit(bid("3"));
    one.edit(bid("3"));
    three.edit(bid("3"));
    for group in [one, two, three, &late] {
        group.wait_for("Paused");
    }
    assert_eq!(bids(&[one, two, three, &late]), [3.0, 3.0, 3.0, 3.0]);
}

#[test]
fn r17_one_call_serves_all_siblings_that_agree() {
    for knob in ["copied", "copied_on_update"] {
        let case = Case::new("r17-one");
        case.knobs(json!({"smart_plus_bids": knob}));
        let [one, two, three] = &three(&case);
        for group in [three, one, two] {
            group.edit(bid("3.25"));
        }
        for group in [one, two, three] {
            group.wait_for("Paused");
            group.wait("the bid", |_| {
                group.fields()["conversion_bid_price"] == 3.25
            });
        }
        one.sweeps();
        assert_eq!(sent(&[one, two, three]), 1, "{knob}");
        for group in [one, two, three] {
            assert_eq!(condition(&group.get(), "Drifted")["status"], "False");
        }
    }
}

#[test]
fn r17_what_has_come_to_a_stop_leaves_the_bid_to_the_next() {
    let case = Case::new("r17-stopped");
    Tree::SmartPlus.campaign(&case, "spring", json!({}));
    let make = |name: &str| Tree::SmartPlus.ad_group(&case, name, "spring", bid("2.5"));
    let one = &make("one");
    // Kubernetes counts ages in whole seconds.
    std::thread::sleep(std::time::Duration::from_millis(1100));
    let (two, three) = (&make("two"), &make("three"));
    for group in [one, two, three] {
        group.wait_for("Paused");
    }
    // The oldest would be the one to send, but its budget is in another currency.
    one.edit(json!({"budget": {"amount": "60", "currency": "EUR"}}));
    one.wait_for("CurrencyMismatch");
    for group in [one, two, three] {
        group.edit(bid("3.25"));
    }
    two.wait_for("Paused");
    three.wait_for("Paused");
    one.wait_for("CurrencyMismatch");
    assert_eq!(bids(&[two, three]), [3.25, 3.25]);
    assert_eq!((one.updates().len(), sent(&[two, three])), (0, 1));
}

#[test]
fn r17_where_tiktok_copies_no_bids_each_sends_its_own() {
    let case = Case::new("r17-own");
    case.knobs(json!({"smart_plus_bids": "own"}));
    let [one, two, three] = &three(&case);
    for group in [three, one, two] {
        group.edit(bid("3.25"));
    }
    for group in [one, two, three] {
        group.wait_for("Paused");
    }
    assert_eq!(bids(&[one, two, three]), [3.25, 3.25, 3.25]);
    assert_eq!(sent(&[one, two, three]), 3);
}

#[test]
fn r17_a_bid_changed_outside_is_corrected_once_for_all() {
    let case = Case::new("r17-drift");
    let [one, two, three] = &three(&case);
    // TikTok gives all of them what a person gives one; here all at once.
    for group in [one, two, three] {
        group.edit_outside(json!({"conversion_bid_price": 9.0}));
    }
    one.wait("the correction", |_| {
        bids(&[one, two, three]) == [2.5, 2.5, 2.5]
    });
    for group in [one, two, three] {
        group.wait_for("Paused");
    }
    assert_eq!(sent(&[one, two, three]), 1);
}

#[test]
fn r17_under_a_campaigns_budget_all_ad_groups_have_one_goal_and_bid_strategy() {
    for tree in TREES {
        let case = Case::new(&format!("r17-cbo-{}", tree.word()));
        let budget = json!({
            "budgetOptimization": true,
            "budget": {"mode": if tree == Tree::Manual { "Daily" } else { "DynamicDaily" }, "amount": "60"},
        });
        tree.campaign(&case, "spring", budget);
        let more = |over: Value| {
            let mut more = json!({"budget": null});
            super::merge(&mut more, over);
            more
        };
        let one = tree.ad_group(&case, "one", "spring", more(json!({})));
        one.wait_for("Paused");
        let goal = match tree {
            Tree::Manual => json!({"goal": "TrafficLandingPageView", "billingEvent": "CPC"}),
            Tree::SmartPlus => json!({"event": "OnWebCart"}),
        };
        let strange = [
            ("goal", json!({"optimization": goal})),
            ("strategy", bid("2")),
        ];
        let others = strange.map(|(name, over)| tree.ad_group(&case, name, "spring", more(over)));
        for other in &others {
            let said = other.wait_for("SiblingsDisagree");
            assert!(message(&said).contains("one"), "{}", message(&said));
        }
        // The one that is there says so too.
        let said = one.wait_for("SiblingsDisagree");
        let names = ["goal", "strategy"].map(|name| message(&said).contains(name));
        assert!(names.contains(&true), "{}", message(&said));
        one.sweeps();
        let creates = tree.path(super::nodes::Level::AdGroup, "create");
        assert_eq!(case.requests(&creates).len(), 1, "nothing was sent");
        assert_eq!(sent(&[&one]), 0);
        for other in &others {
            case.delete("adgroups", &other.name);
        }
        one.wait_for("Paused");
        tree.ad_group(&case, "alike", "spring", more(json!({})))
            .wait_for("Paused");
    }
}
