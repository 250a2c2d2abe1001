//! R20 for ad groups and ads: what is below a campaign counts where the campaign does not bound it.

use serde_json::{Value, json};

use super::nodes::{Level, Node, TREES, Tree};
use super::{Case, condition, is};

fn caps(per_object: Option<&str>, total: Option<&str>) -> Value {
    let mut caps = json!({});
    for (name, amount) in [
        ("maxDailyBudgetPerObject", per_object),
        ("maxDailyBudgetTotal", total),
    ] {
        if let Some(amount) = amount {
            caps[name] = json!({"amount": amount, "currency": "USD"});
        }
    }
    json!({ "caps": caps })
}

fn with_caps(name: &str, caps: Value) -> Case {
    let case = Case::bare(name, json!({}));
    case.connect(caps);
    case.wait_connection("Verified");
    case
}

fn message(object: &Value) -> String {
    let text = condition(object, "Ready")["message"].as_str();
    text.unwrap_or_default().to_owned()
}

/// A live ad group that could spend `amount` a day.
fn group<'a>(tree: Tree, case: &'a Case, name: &str, campaign: &str, amount: &str) -> Node<'a> {
    let more = json!({"state": "Active", "budget": {"amount": amount}});
    tree.ad_group(case, name, campaign, more)
}

fn active() -> Value {
    json!({"state": "Active"})
}

#[test]
fn r20_without_ceilings_nothing_below_a_campaign_is_switched_on() {
    for tree in TREES {
        let case = with_caps(&format!("r20-none-{}", tree.word()), json!({}));
        let campaign = tree.campaign(&case, "spring", active());
        let group = group(tree, &case, "group", "spring", "30");
        let ad = tree.ad(&case, "ad", "group", active());
        for node in [&campaign, &group, &ad] {
            let held = node.wait_for("NoBudgetCeiling");
            assert_eq!(condition(&held, "Held")["status"], "True");
            assert!(message(&held).contains("spec.caps"));
        }
        group.edit(json!({"budget": {"amount": "35"}}));
        group.wait_for("NoBudgetCeiling");
        group.sweeps();
        assert!(!campaign.is_on() && !group.is_on() && !ad.is_on());
        assert_eq!(group.fields()["budget"], 30.0);
        case.edit_connection(caps(Some("50"), None));
        for node in [&campaign, &group, &ad] {
            node.wait_live();
        }
        assert_eq!(group.fields()["budget"], 35.0);
    }
}

#[test]
fn r20_a_running_ad_group_over_the_ceiling_per_object_is_switched_off() {
    for (tree, fits, least) in [
        (Tree::Manual, "40", "39.99"),
        (Tree::SmartPlus, "32", "39.99"),
    ] {
        let case = with_caps(
            &format!("r20-object-{}", tree.word()),
            caps(Some("40"), None),
        );
        tree.campaign(&case, "spring", active());
        let fitting = group(tree, &case, "fits", "spring", fits);
        let over = group(tree, &case, "over", "spring", "40.01");
        fitting.wait_live();
        over.wait_for("CeilingReached");
        assert!(!over.is_on());
        case.edit_connection(caps(Some(least), None));
        let held = fitting.wait_for("CeilingReached");
        assert!(
            message(&held).contains("maxDailyBudgetPerObject"),
            "{}",
            message(&held)
        );
        fitting.wait("to be off", |_| !fitting.is_on());
        case.edit_connection(caps(Some("40"), None));
        fitting.wait_live();
    }
}

#[test]
fn r20_the_total_counts_campaigns_and_ad_groups_of_both_trees() {
    let case = with_caps("r20-sum", caps(None, Some("200")));
    // 60 by a campaign's own budget, 2 x 40 by ad groups in one without; 40 x 1.25 in the other tree.
    let bound = Tree::Manual.campaign(
        &case,
        "bound",
        json!({"state": "Active", "budget": {"mode": "Daily", "amount": "60"}}),
    );
    // Its campaign's budget bounds it: it does not count.
    let inside = group(Tree::Manual, &case, "inside", "bound", "50");
    let free = Tree::Manual.campaign(&case, "free", active());
    let one = group(Tree::Manual, &case, "one", "free", "40");
    let two = group(Tree::Manual, &case, "two", "free", "40");
    for node in [&bound, &inside, &free, &one, &two] {
        node.wait_live();
    }
    Tree::SmartPlus.campaign(&case, "smart", active());
    let dynamic = group(Tree::SmartPlus, &case, "dynamic", "smart", "40");
    dynamic.wait_live();
    // 190: another 20 do not fit, in whichever tree.
    let third = group(Tree::Manual, &case, "third", "free", "20");
    let held = third.wait_for("CeilingReached");
    assert!(message(&held).contains("190"), "{}", message(&held));
    let fourth = group(Tree::SmartPlus, &case, "fourth", "smart", "20");
    fourth.wait_for("CeilingReached");
    // A raise counts like a switching on, and the ad group runs on.
    one.edit(json!({"budget": {"amount": "51"}}));
    one.wait_for("CeilingReached");
    one.sweeps();
    assert_eq!(one.fields()["budget"], 40.0);
    assert!(one.is_on() && !third.is_on() && !fourth.is_on());
    // Room appears: all that fits goes on by itself.
    two.edit(json!({"state": "Paused"}));
    two.wait_for("Paused");
    one.edit(json!({"budget": {"amount": "45"}}));
    one.wait_live();
    assert_eq!(one.fields()["budget"], 45.0);
    third.wait("room for one of them", |_| third.is_on() || fourth.is_on());
}

#[test]
fn r20_of_many_ad_groups_only_what_fits_together_goes_on() {
    for tree in TREES {
        // 3 x 40, or 3 x 32 x 1.25, is 120.
        let amount = if tree == Tree::Manual { "40" } else { "32" };
        let case = with_caps(
            &format!("r20-many-{}", tree.word()),
            caps(None, Some("159")),
        );
        tree.campaign(&case, "spring", active()).wait_live();
        let names: Vec<String> = (0..6).map(|n| format!("g{n}")).collect();
        let groups: Vec<Node> = names
            .iter()
            .map(|name| group(tree, &case, name, "spring", amount))
            .collect();
        for one in &groups {
            one.wait("an answer", |object| {
                is(object, "InSync") || is(object, "CeilingReached")
            });
        }
        groups[0].sweeps();
        assert_eq!(groups.iter().filter(|g| g.is_on()).count(), 3);
    }
}

#[test]
fn r20_a_campaign_that_goes_on_brings_its_ad_groups_into_the_sum() {
    for tree in TREES {
        let case = with_caps(
            &format!("r20-later-{}", tree.word()),
            caps(None, Some("70")),
        );
        let campaign = tree.campaign(&case, "spring", json!({}));
        campaign.wait_for("Paused");
        // Nothing is spent while the campaign is off.
        let amount = if tree == Tree::Manual { "40" } else { "32" };
        let one = group(tree, &case, "one", "spring", amount);
        let two = group(tree, &case, "two", "spring", amount);
        one.wait_live();
        two.wait_live();
        campaign.edit(active());
        let held = campaign.wait_for("CeilingReached");
        assert!(message(&held).contains("80"), "{}", message(&held));
        campaign.sweeps();
        assert!(!campaign.is_on());
        two.edit(json!({"state": "Paused"}));
        campaign.wait_live();
    }
}

#[test]
fn r20_under_a_campaigns_budget_ad_groups_need_none_and_one_of_their_own_is_refused() {
    for tree in TREES {
        let case = with_caps(
            &format!("r20-cbo-{}", tree.word()),
            caps(Some("75"), Some("75")),
        );
        let mode = if tree == Tree::Manual {
            "Daily"
        } else {
            "DynamicDaily"
        };
        let budget = json!({
            "budgetOptimization": true, "state": "Active",
            "budget": {"mode": mode, "amount": "60"},
        });
        let campaign = tree.campaign(&case, "spring", budget);
        let without = json!({"state": "Active", "budget": null});
        let one = tree.ad_group(&case, "one", "spring", without.clone());
        let two = tree.ad_group(&case, "two", "spring", without);
        for node in [&campaign, &one, &two] {
            node.wait_live();
        }
        let own = group(tree, &case, "own", "spring", "30");
        let said = own.wait_for("BudgetOnCampaign");
        assert!(
            message(&said).contains("remove spec.budget"),
            "{}",
            message(&said)
        );
        // Without budget optimisation it is the other way round.
        tree.campaign(&case, "free", json!({}));
        let bare = tree.ad_group(&case, "bare", "free", json!({"budget": null}));
        let said = bare.wait_for("BudgetMissing");
        assert!(
            message(&said).contains("add spec.budget"),
            "{}",
            message(&said)
        );
        one.sweeps();
        let creates = tree.path(Level::AdGroup, "create");
        assert_eq!(case.requests(&creates).len(), 2);
    }
}

#[test]
fn r20_budgets_and_creatives_of_the_other_tree_are_refused_before_anything_is_sent() {
    let case = Case::new("r20-tree");
    Tree::SmartPlus.campaign(&case, "smart", json!({}));
    let daily = json!({"budget": {"mode": "Daily"}});
    let daily = Tree::SmartPlus.ad_group(&case, "daily", "smart", daily);
    let said = daily.wait_for("TreeMismatch");
    assert!(
        message(&said).contains("DynamicDaily"),
        "{}",
        message(&said)
    );
    let budget = json!({"budget": {"mode": "Daily", "amount": "60"}});
    Tree::Manual.campaign(&case, "manual", budget);
    let total = json!({
        "budget": {"mode": "Total", "amount": "900"},
        "schedule": {"end": "2027-02-01T00:00:00Z"},
    });
    let total = Tree::Manual.ad_group(&case, "total", "manual", total);
    let said = total.wait_for("TreeMismatch");
    assert!(message(&said).contains("Total"), "{}", message(&said));
    // Ads, each written for the other tree.
    Tree::Manual.ad_group(&case, "by-hand", "manual", json!({}));
    Tree::SmartPlus.ad_group(&case, "by-machine", "smart", json!({}));
    let smart_ad = Tree::SmartPlus.ad(&case, "smart-ad", "by-hand", json!({}));
    let manual_ad = Tree::Manual.ad(&case, "manual-ad", "by-machine", json!({}));
    for (ad, word) in [
        (&smart_ad, "spec.creative,"),
        (&manual_ad, "spec.creatives,"),
    ] {
        let said = ad.wait_for("TreeMismatch");
        assert!(message(&said).contains(word), "{}", message(&said));
    }
    for (tree, level) in [(Tree::SmartPlus, Level::Ad), (Tree::Manual, Level::Ad)] {
        assert_eq!(case.requests(&tree.path(level, "create")).len(), 0);
    }
}

#[test]
fn r20_an_ad_group_that_others_run_without_a_bound_refuses() {
    let case = with_caps("r20-others", caps(None, Some("100")));
    let tree = Tree::Manual;
    let theirs = case.made_outside(
        "manual",
        json!({"budget_mode": "BUDGET_MODE_INFINITE", "budget": 0.0, "operation_status": "ENABLE"}),
    );
    let fields = json!({
        "campaign_id": theirs, "budget_mode": "BUDGET_MODE_DAY", "budget": 80.0,
        "operation_status": "ENABLE",
    });
    let made = case.sandbox("POST", "/sandbox/ad_groups", &fields);
    tree.campaign(&case, "spring", active()).wait_live();
    let ours = group(tree, &case, "ours", "spring", "30");
    let held = ours.wait_for("CeilingReached");
    assert!(message(&held).contains("80"), "{}", message(&held));
    let id = made["adgroup_id"].as_str().unwrap();
    let path = format!("/sandbox/ad_groups/{id}/pause");
    case.sandbox("POST", &path, &json!({}));
    ours.wait_live();
}
