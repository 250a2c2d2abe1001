//! What a campaign or ad group does to what is in it: paused, missing, late, deleted here, deleted on TikTok.

use serde_json::json;

use super::nodes::{Level, TREES, Tree};
use super::tree_kit::{Branch, each, everywhere, message};
use super::{Case, condition, id};

#[test]
fn r30_what_is_in_a_paused_campaign_is_ready_and_says_who_is_paused() {
    each(&TREES, |&tree| {
        let case = Case::new("tp-paused");
        let branch = Branch::live(&case, tree);
        branch.campaign.edit(json!({"state": "Paused"}));
        branch.campaign.wait_for("Paused");
        for node in [&branch.ad_group, &branch.ad] {
            let child = node.wait("to say that its campaign is paused", |object| {
                condition(object, "Delivering")["reason"] == "ParentPaused"
            });
            assert_eq!(condition(&child, "Ready")["status"], "True");
            assert_eq!(condition(&child, "Delivering")["status"], "False");
            assert_eq!(child["status"]["operationStatus"], "On");
            // Its own switch stays as its spec says, and nobody calls that an outside pause.
            assert!(condition(&child, "PausedOutside").is_null());
            assert_eq!(case.told(tree, node.level, "DISABLE", &node.id()), 0);
            assert!(node.is_on());
        }
        branch.campaign.edit(json!({"state": "Active"}));
        branch.campaign.wait_live();
        for node in [&branch.ad_group, &branch.ad] {
            // Nothing is in its way any more but the start, which lies 15 minutes ahead.
            node.wait("to wait for its start alone", |object| {
                condition(object, "Delivering")["reason"] == "NotStarted"
            });
            assert_eq!(case.told(tree, node.level, "ENABLE", &node.id()), 1);
        }
        // The ad alone says so when its ad group is paused.
        branch.ad_group.edit(json!({"state": "Paused"}));
        branch
            .ad
            .wait("to say that its ad group is paused", |object| {
                condition(object, "Delivering")["reason"] == "ParentPaused"
            });
    });
}

#[test]
fn r11_a_parent_that_comes_later_wakes_what_waits_for_it() {
    each(&TREES, |&tree| {
        let case = Case::new("tp-later");
        let active = || json!({"state": "Active"});
        let ad = tree.ad(&case, "a", "g", active());
        let said = message(&ad.wait_for("ParentMissing"));
        assert!(
            said.contains("AdGroup g") && said.contains("spec.adGroupRef"),
            "{said}"
        );
        let group = tree.ad_group(&case, "g", "c", active());
        let said = message(&group.wait_for("ParentMissing"));
        assert!(
            said.contains("Campaign c") && said.contains("spec.campaignRef"),
            "{said}"
        );
        ad.wait("to wait on", |object| {
            let reason = super::reason(object);
            reason == "ParentMissing" || reason == "WaitingForParent"
        });
        assert_eq!(case.writes(), []);
        tree.campaign(&case, "c", active());
        group.wait_live();
        ad.wait_live();
    });
}

#[test]
fn r28_what_was_refused_because_of_its_parent_is_asked_again_when_that_has_changed() {
    each(&TREES, |&tree| {
        let case = Case::new("tp-again");
        tree.campaign(&case, "spring", json!({}));
        let group = tree.ad_group(&case, "group", "spring", json!({}));
        group.wait_for("Paused");
        let create = format!("*{}", tree.path(Level::Ad, "create"));
        let no =
            json!({"kind": "error", "code": 40002, "message": "The ad group takes no such ad."});
        case.fault(&create, no, 0);
        let ad = tree.ad(&case, "ad", "group", json!({}));
        let refused = ad.wait_for("Rejected");
        assert!(message(&refused).contains("takes no such ad"));
        let asked = case.calls(tree, Level::Ad, "create").len();
        group.sweeps();
        assert_eq!(
            case.calls(tree, Level::Ad, "create").len(),
            asked,
            "no loop"
        );
        case.no_faults();
        group.edit(json!({"name": "Renamed"}));
        ad.wait_for("Paused");
        assert_eq!(case.calls(tree, Level::Ad, "create").len(), asked + 1);
    });
}

#[test]
fn r03_a_parent_object_deleted_first_leaves_its_children_looked_after() {
    each(&TREES, |&tree| {
        // The campaign is kept on TikTok; what is in it is paused, edited and deleted as if nothing had happened.
        let case = Case::new("tp-orphans");
        let branch = Branch::live(&case, tree);
        let [group_id, ad_id] = [branch.ad_group.id(), branch.ad.id()];
        branch.campaign.edit(json!({"deletionPolicy": "Retain"}));
        branch.campaign.delete();
        branch.campaign.wait_gone();
        branch.ad.edit(json!({"state": "Paused"}));
        branch.ad.wait_for("Paused");
        assert!(!case.runs(Level::Ad, &ad_id));
        // A switch from outside is undone as ever.
        case.happens(Level::Ad, &ad_id, "enable");
        case.until("it to be off again", || !case.runs(Level::Ad, &ad_id));
        branch.ad_group.edit(json!({"name": "Renamed"}));
        branch.ad_group.wait_live();
        assert_eq!(branch.ad_group.fields()["adgroup_name"], "Renamed");
        branch.ad.edit(json!({"deletionPolicy": "Delete"}));
        branch.ad.delete();
        branch.ad.wait_gone();
        assert_eq!(case.row_of(Level::Ad, &ad_id)["deleted"], true);
        branch.ad_group.delete();
        branch.ad_group.wait_gone();
        assert!(!case.runs(Level::AdGroup, &group_id), "paused on delete");
        assert_eq!(case.row_of(Level::AdGroup, &group_id)["deleted"], false);
    });
}

#[test]
fn r22_a_tree_whose_connection_goes_with_it_ends_from_the_top() {
    each(&TREES, |&tree| {
        let case = Case::new("tp-top");
        let branch = Branch::live(&case, tree);
        let ids = [&branch.campaign, &branch.ad_group, &branch.ad].map(|node| node.id());
        let nodes = [&branch.campaign, &branch.ad_group, &branch.ad];
        for node in nodes {
            node.delete();
        }
        for (node, id) in nodes.iter().zip(&ids) {
            node.wait_gone();
            assert!(!case.runs(node.level, id), "{:?}", node.level);
        }
    });
}

#[test]
fn r10_what_was_deleted_on_tiktok_says_so_and_a_new_incarnation_is_made() {
    everywhere(|tree, level| {
        let case = Case::new("tp-gone");
        let branch = Branch::live(&case, tree);
        let node = branch.at(level);
        let first = node.id();
        case.happens(level, &first, "delete");
        let gone = node.wait_for("ExternallyDeleted");
        let said = message(&gone);
        assert!(
            said.contains("spec.incarnation: 1") && said.contains(&first),
            "{said}"
        );
        assert_eq!(condition(&gone, "Stalled")["status"], "True");
        node.sweeps();
        assert_eq!(case.calls(tree, level, "create").len(), 1);
        node.edit(json!({"incarnation": 1}));
        let again = node.wait_live();
        assert_ne!(id(&again), first);
        assert!(node.is_on());
        assert_eq!(case.calls(tree, level, "create").len(), 2);
    });
}

#[test]
fn r22_a_campaign_deleted_on_tiktok_takes_its_children_along() {
    each(&TREES, |&tree| {
        let case = Case::new("tp-platform");
        let branch = Branch::live(&case, tree);
        let before = case.writes().len();
        let campaign = branch.campaign.id();
        case.happens(Level::Campaign, &campaign, "delete");
        let said = message(&branch.campaign.wait_for("ExternallyDeleted"));
        assert!(said.contains("spec.incarnation: 1"), "{said}");
        for node in [&branch.ad_group, &branch.ad] {
            let gone = node.wait_for("ExternallyDeleted");
            let said = message(&gone);
            assert!(said.contains("spec.incarnation: 1"), "{said}");
            assert_eq!(condition(&gone, "Delivering")["status"], "False");
        }
        branch.ad.sweeps();
        assert_eq!(case.writes().len(), before, "nothing is written to it");
        // They go without a call.
        for node in [&branch.ad, &branch.ad_group, &branch.campaign] {
            node.delete();
            node.wait_gone();
        }
        assert_eq!(case.writes().len(), before);
    });
}

#[test]
fn r22_after_a_new_incarnation_of_a_campaign_its_children_are_made_anew_when_asked() {
    each(&TREES, |&tree| {
        let case = Case::new("tp-anew");
        let branch = Branch::live(&case, tree);
        let first = [&branch.campaign, &branch.ad_group, &branch.ad].map(|node| node.id());
        case.happens(Level::Campaign, &first[0], "delete");
        for node in [&branch.campaign, &branch.ad_group, &branch.ad] {
            node.wait_for("ExternallyDeleted");
        }
        // The parent first: what is in it stays deleted and says what to do.
        branch.campaign.edit(json!({"incarnation": 1}));
        let second = branch.campaign.live_id();
        assert_ne!(second, first[0]);
        branch.ad_group.sweeps();
        for node in [&branch.ad_group, &branch.ad] {
            assert_eq!(super::reason(&node.get()), "ExternallyDeleted");
            node.edit(json!({"incarnation": 1}));
        }
        branch.ad_group.wait_live();
        branch.ad.wait_live();
        let group = case.row_of(Level::AdGroup, &branch.ad_group.id());
        assert_eq!(group["campaign_id"], second);
        assert_ne!(branch.ad.id(), first[2]);
        assert_eq!(case.rows(Level::Ad).len(), 2);
    });
}

#[test]
fn r20_the_ad_groups_budget_is_what_a_campaign_without_one_may_spend() {
    each(&[Tree::Manual, Tree::SmartPlus], |&tree| {
        let case = Case::bare("tp-ceiling", json!({}));
        let total = json!({"maxDailyBudgetTotal": {"amount": "80", "currency": "USD"}});
        case.connect(json!({ "caps": total }));
        case.wait_connection("Verified");
        let active = || json!({"state": "Active"});
        tree.campaign(&case, "c", active());
        let groups = ["g0", "g1", "g2"].map(|name| tree.ad_group(&case, name, "c", active()));
        // 30 each, 37.50 where it is an average: two of them fit into 80.
        let mut live = 0;
        for group in &groups {
            let settled = group.wait("an answer", |object| {
                super::is(object, "InSync") || super::is(object, "CeilingReached")
            });
            live += usize::from(super::is(&settled, "InSync"));
        }
        assert_eq!(live, 2);
        groups[0].sweeps();
        let on = groups.iter().filter(|group| group.is_on()).count();
        assert_eq!(on, 2);
    });
}
