//! R1–R3 for ad groups and ads: on, off, and who decides it.

use serde_json::json;

use super::nodes::{Level, Tree};
use super::tree_kit::{Branch, each, everywhere};
use super::{Case, condition, reason, record};

#[test]
fn r01_an_outside_pause_below_a_campaign_is_respected_until_the_annotation_resumes() {
    everywhere(|tree, level| {
        let case = Case::new("t01-respect");
        let branch = Branch::live(&case, tree);
        let node = branch.at(level);
        let id = node.id();
        case.happens(level, &id, "pause");
        let paused = node.wait_for("PausedOutside");
        assert_eq!(condition(&paused, "PausedOutside")["status"], "True");
        assert_eq!(condition(&paused, "Ready")["status"], "True");
        assert_eq!(record(&paused)["seenOn"], true);
        // Seen again and again, it stays as the buyer left it, and so does what is beside, above and below it.
        node.sweeps();
        assert!(!case.runs(level, &id));
        assert_eq!(case.told(tree, level, "ENABLE", &id), 1);
        assert!(branch.campaign.is_on());
        for other in [&branch.ad_group, &branch.ad] {
            assert_eq!(other.is_on(), other.level != level);
        }
        node.patch(json!({"metadata": {"annotations": {"tiktokads.dev/resume": "1"}}}));
        node.wait_live();
        assert!(case.runs(level, &id));
        // The annotation is obeyed once: the next outside pause is respected again.
        case.happens(level, &id, "pause");
        node.wait_for("PausedOutside");
        node.sweeps();
        assert!(!case.runs(level, &id));
        assert_eq!(case.told(tree, level, "ENABLE", &id), 2);
        // A change of the state ends it as well.
        node.edit(json!({"state": "Paused"}));
        node.wait_for("Paused");
        node.edit(json!({"state": "Active"}));
        node.wait_live();
        assert!(case.runs(level, &id));
    });
}

#[test]
fn r01_enforce_switches_on_again_below_a_campaign_too() {
    everywhere(|tree, level| {
        let case = Case::new("t01-enforce");
        let branch = Branch::live(&case, tree);
        let node = branch.at(level);
        node.edit(json!({"drift": {"state": "Enforce"}}));
        node.wait_live();
        case.happens(level, &node.id(), "pause");
        case.until("it to be on again", || node.is_on());
        let live = node.wait_live();
        assert!(condition(&live, "PausedOutside").is_null());
    });
}

#[test]
fn r01_on_outside_below_a_campaign_is_switched_off_as_often_as_it_takes() {
    everywhere(|tree, level| {
        let case = Case::new("t01-off");
        let branch = Branch::live(&case, tree);
        let node = branch.at(level);
        let id = node.id();
        node.edit(json!({"state": "Paused"}));
        node.wait_paused();
        for round in 1..=4 {
            case.happens(level, &id, "enable");
            case.until("it to be off again", || !case.runs(level, &id));
            case.until("the pause to be counted", || {
                case.told(tree, level, "DISABLE", &id) > round
            });
            node.wait_for("Paused");
        }
        let warned = || {
            let events = case.events(&node.name);
            events.iter().any(|(why, _)| why == "SwitchedOnOutside")
        };
        case.until("a warning", warned);
        // What is around it is as it was said to be.
        assert!(branch.campaign.is_on());
        assert_eq!(branch.ad.is_on(), level != Level::Ad);
    });
}

#[test]
fn r02_an_edit_of_what_runs_below_a_campaign_sends_one_update_and_no_status_call() {
    everywhere(|tree, level| {
        let case = Case::new("t02-edit");
        let branch = Branch::live(&case, tree);
        let node = branch.at(level);
        let before = case.writes().len();
        let edit = match (tree, level) {
            (_, Level::AdGroup) => json!({"name": "Again", "budget": {"amount": "40"}}),
            (Tree::Manual, _) => json!({"name": "Again", "text": "Summer is here"}),
            (Tree::SmartPlus, _) => json!({"name": "Again", "texts": ["Summer is here"]}),
        };
        node.edit(edit);
        node.wait_live();
        node.sweeps();
        let writes = case.writes().split_off(before);
        let [(path, body)] = writes.as_slice() else {
            panic!("{writes:?}")
        };
        assert_eq!(*path, tree.path(level, "update"));
        let body = body.to_string();
        assert!(body.contains("Again"), "{body}");
        assert!(!body.contains("operation_status"), "{body}");
        assert!(node.is_on());
        let fields = node.fields();
        if level == Level::AdGroup {
            assert_eq!(fields["budget"], 40.0);
            assert_eq!(fields["adgroup_name"], "Again");
        } else {
            assert_eq!(fields["ad_name"], "Again");
            assert!(fields.to_string().contains("Summer is here"), "{fields}");
        }
    });
}

#[test]
fn r02_below_a_campaign_a_wanted_pause_goes_before_edits_and_a_resume_after_them() {
    everywhere(|tree, level| {
        let case = Case::new("t02-order");
        let branch = Branch::live(&case, tree);
        let node = branch.at(level);
        let mut before = case.writes().len();
        let (update, status) = (
            tree.path(level, "update"),
            tree.path(level, "status/update"),
        );
        for (state, name, reason, order) in [
            ("Paused", "First", "Paused", [&status, &update]),
            ("Active", "Second", "InSync", [&update, &status]),
        ] {
            node.edit(json!({"state": state, "name": name}));
            node.wait_for(reason);
            let writes = case.writes().split_off(before);
            let paths: Vec<&String> = writes.iter().map(|(path, _)| path).collect();
            assert_eq!(paths, order, "{state}");
            before += writes.len();
        }
    });
}

#[test]
fn r03_what_is_not_said_below_a_campaign_is_paused_when_it_is_ours() {
    each(&super::nodes::TREES, |&tree| {
        let case = Case::new("t03-own");
        tree.campaign(&case, "c", json!({"state": "Active"}));
        let nodes = [
            tree.ad_group(&case, "g", "c", json!({})),
            tree.ad(&case, "a", "g", json!({})),
        ];
        for node in &nodes {
            let made = node.wait_for("Paused");
            assert_eq!(made["status"]["effective"]["state"], "Paused");
            assert_eq!(made["status"]["effective"]["deletionPolicy"], "Pause");
            assert!(made["spec"].get("state").is_none());
            let id = node.id();
            case.happens(node.level, &id, "enable");
            case.until("it to be off again", || !case.runs(node.level, &id));
        }
    });
}

/// What a person made in Ads Manager, all switched on: campaign, ad group and ad.
fn theirs(case: &Case, tree: Tree) -> [String; 3] {
    let on = || json!({"operation_status": "ENABLE"});
    let campaign = case.made_outside(
        if tree == Tree::Manual {
            "manual"
        } else {
            "smart_plus"
        },
        on(),
    );
    let ad_group = case.made_inside(Level::AdGroup, &campaign, on());
    let ad = case.made_inside(Level::Ad, &ad_group, on());
    [campaign, ad_group, ad]
}

#[test]
fn r03_an_adopted_active_tree_with_only_the_required_fields_is_never_written() {
    each(&super::nodes::TREES, |&tree| {
        let case = Case::new("t03-adopt");
        let ids = theirs(&case, tree);
        let only = |id: &String, reference: (&str, &str)| json!({reference.0: {"name": reference.1}, "externalId": id});
        let campaign = json!({
            "externalId": ids[0], "budget": null, "budgetOptimization": null, "salesDestination": null,
        });
        let nodes = [
            tree.campaign(&case, "c", campaign),
            tree.only(
                &case,
                Level::AdGroup,
                "g",
                only(&ids[1], ("campaignRef", "c")),
            ),
            tree.only(&case, Level::Ad, "a", only(&ids[2], ("adGroupRef", "g"))),
        ];
        for (node, id) in nodes.iter().zip(&ids) {
            let adopted = node.wait_for("InSync");
            assert_eq!(adopted["status"]["id"], *id);
            assert_eq!(adopted["status"]["effective"]["state"], "Unmanaged");
            assert_eq!(adopted["status"]["effective"]["deletionPolicy"], "Retain");
            assert_eq!(adopted["status"]["operationStatus"], "On");
            // Off is as good as on.
            case.happens(node.level, id, "pause");
            node.wait("the pause to be seen", |object| {
                object["status"]["operationStatus"] == "Off"
            });
            assert_eq!(reason(&node.get()), "InSync");
            case.happens(node.level, id, "enable");
            node.wait("the resume to be seen", |object| {
                object["status"]["operationStatus"] == "On"
            });
        }
        for node in nodes.iter().rev() {
            node.delete();
            node.wait_gone();
        }
        for (node, id) in nodes.iter().zip(&ids) {
            assert!(case.runs(node.level, id), "{:?}", node.level);
        }
        assert_eq!(case.writes(), []);
    });
}
