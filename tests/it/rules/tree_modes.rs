//! R8 for ad groups and ads: what each mode writes. The table is the rule, for both kinds in both trees.

use serde_json::json;

use super::nodes::{Level, Node, Tree};
use super::tree_kit::{Branch, everywhere, message};
use super::{Case, id, reason};

/// What happens to what runs and whose object is deleted.
#[derive(Debug, PartialEq)]
enum Ends {
    /// The object goes, TikTok's stays on.
    LeftOn,
    /// The object goes, TikTok's is off.
    Paused,
    /// The object goes, TikTok's is deleted.
    Deleted,
    /// TikTok's is off, the object stays and says why.
    PausedAndHeld,
}

struct Mode {
    name: &'static str,
    creates: bool,
    edits: bool,
    enables: bool,
    pauses: bool,
    /// Deletion policies Retain, Pause, Delete.
    ends: [Ends; 3],
    finalizer: bool,
}

const MODES: [Mode; 4] = [
    Mode {
        name: "Enforce",
        creates: true,
        edits: true,
        enables: true,
        pauses: true,
        ends: [Ends::LeftOn, Ends::Paused, Ends::Deleted],
        finalizer: true,
    },
    Mode {
        name: "Suspend",
        creates: false,
        edits: false,
        enables: false,
        pauses: true,
        ends: [Ends::LeftOn, Ends::Paused, Ends::PausedAndHeld],
        finalizer: true,
    },
    Mode {
        name: "Plan",
        creates: false,
        edits: false,
        enables: false,
        pauses: false,
        ends: [Ends::LeftOn, Ends::LeftOn, Ends::LeftOn],
        finalizer: false,
    },
    Mode {
        name: "Observe",
        creates: false,
        edits: false,
        enables: false,
        pauses: false,
        ends: [Ends::LeftOn, Ends::LeftOn, Ends::LeftOn],
        finalizer: false,
    },
];

const POLICIES: [&str; 3] = ["Retain", "Pause", "Delete"];

fn make<'a>(
    case: &'a Case,
    tree: Tree,
    level: Level,
    name: &str,
    more: serde_json::Value,
) -> Node<'a> {
    match level {
        Level::AdGroup => tree.ad_group(case, name, "c", more),
        _ => tree.ad(case, name, "g", more),
    }
}

fn ended(node: &Node<'_>, id: &str) -> Ends {
    let held = node
        .case
        .read(super::tree_kit::plural(node.level), &node.name)
        .is_ok();
    let row = node.case.row_of(node.level, id);
    match (held, row["deleted"] == true, node.case.runs(node.level, id)) {
        (false, true, _) => Ends::Deleted,
        (false, false, true) => Ends::LeftOn,
        (false, false, false) => Ends::Paused,
        (true, false, false) => Ends::PausedAndHeld,
        other => panic!("{}: {other:?}", node.name),
    }
}

fn writes_only_what_the_table_allows(mode: &Mode, tree: Tree, level: Level, on_connection: bool) {
    let case = Case::new("t08");
    let branch = Branch::live(&case, tree);
    let [edited, enabled, paused] =
        ["edited", "enabled", "paused"].map(|name| make(&case, tree, level, name, json!({})));
    let ending = POLICIES.map(|policy| {
        let more = json!({"state": "Active", "deletionPolicy": policy});
        make(&case, tree, level, &policy.to_lowercase(), more)
    });
    let [edited_id, enabled_id, paused_id] =
        [&edited, &enabled, &paused].map(|node| node.wait_paused());
    let ending_ids = [0, 1, 2].map(|n| ending[n].live_id());
    let mut all = vec![&edited, &enabled, &paused];
    all.extend(&ending);
    if on_connection {
        case.edit_connection(json!({"mode": mode.name}));
    } else {
        for node in &all {
            node.edit(json!({"mode": mode.name}));
        }
    }
    for node in &all {
        node.wait("the mode to count", |object| {
            object["status"]["effective"]["mode"] == mode.name
                && object["metadata"]["finalizers"].is_array() == mode.finalizer
        });
    }
    let before = case.writes().len();

    let own = if on_connection {
        json!({})
    } else {
        json!({"mode": mode.name})
    };
    let fresh = make(&case, tree, level, "fresh", own);
    edited.edit(json!({"name": "Edited"}));
    enabled.edit(json!({"state": "Active"}));
    case.happens(level, &paused_id, "enable");
    for node in &ending {
        node.delete();
    }
    let answered = fresh.wait("an answer", |object| {
        matches!(
            (mode.name, reason(object)),
            ("Enforce", "Paused") | ("Suspend", "Suspended") | ("Plan" | "Observe", "WouldCreate")
        )
    });
    for (node, ends) in ending.iter().zip(&mode.ends) {
        if *ends == Ends::PausedAndHeld {
            let said = message(&node.wait_for("DeleteHeld"));
            assert!(said.contains("mode Suspend deletes nothing"), "{said}");
        } else {
            node.wait_gone();
        }
    }
    let name = || {
        let fields = case.row_of(level, &edited_id)["fields"].clone();
        let field = if level == Level::AdGroup {
            "adgroup_name"
        } else {
            "ad_name"
        };
        fields[field] == "Edited"
    };
    if mode.pauses {
        case.until("the pause", || !case.runs(level, &paused_id));
    }
    if mode.edits {
        case.until("the edit", name);
    }
    if mode.enables {
        case.until("the enable", || case.runs(level, &enabled_id));
    }
    branch.at(level).sweeps();

    assert_eq!(answered["status"]["id"].is_string(), mode.creates);
    assert_eq!(name(), mode.edits);
    assert_eq!(case.runs(level, &enabled_id), mode.enables);
    assert_eq!(!case.runs(level, &paused_id), mode.pauses);
    for n in 0..3 {
        assert_eq!(ended(&ending[n], &ending_ids[n]), mode.ends[n], "{n}");
    }
    let writes = case.writes().split_off(before);
    match mode.name {
        "Enforce" => {}
        "Suspend" => assert!(
            writes
                .iter()
                .all(|(_, body)| body["operation_status"] == "DISABLE"),
            "nothing but pauses: {writes:?}"
        ),
        _ => assert_eq!(writes, [], "nothing at all"),
    }
    assert_eq!(id(&branch.at(level).get()), branch.at(level).id());
    assert!(branch.campaign.is_on());
    if mode.ends[2] == Ends::PausedAndHeld {
        ending[2].patch(json!({"metadata": {"annotations": {"tiktokads.dev/release": "true"}}}));
        ending[2].wait_gone();
    }
}

#[test]
fn r08_below_a_campaign_enforce_writes_everything() {
    everywhere(|tree, level| writes_only_what_the_table_allows(&MODES[0], tree, level, false));
}

#[test]
fn r08_below_a_campaign_suspend_writes_nothing_but_pauses() {
    everywhere(|tree, level| writes_only_what_the_table_allows(&MODES[1], tree, level, false));
}

#[test]
fn r08_below_a_campaign_plan_writes_nothing_at_all() {
    everywhere(|tree, level| writes_only_what_the_table_allows(&MODES[2], tree, level, false));
}

#[test]
fn r08_below_a_campaign_observe_writes_nothing_at_all() {
    everywhere(|tree, level| writes_only_what_the_table_allows(&MODES[3], tree, level, false));
}

#[test]
fn r08_the_connections_mode_counts_below_campaigns_too() {
    everywhere(|tree, level| {
        writes_only_what_the_table_allows(&MODES[1], tree, level, true);
        writes_only_what_the_table_allows(&MODES[3], tree, level, true);
    });
}

#[test]
fn r08_modes_are_each_objects_own_and_not_its_parents() {
    super::tree_kit::each(&super::nodes::TREES, |&tree| {
        let case = Case::new("t08-own");
        let branch = Branch::live(&case, tree);
        branch.campaign.edit(json!({"mode": "Observe"}));
        branch.campaign.wait_for("Observed");
        branch.ad_group.edit(json!({"state": "Paused"}));
        branch.ad_group.wait_for("Paused");
        branch.ad.edit(json!({"name": "Edited"}));
        branch.ad.wait_live();
        assert_eq!(branch.ad.fields()["ad_name"], "Edited");
        assert!(!branch.ad_group.is_on());
    });
}
