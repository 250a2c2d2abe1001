//! R9, R10, R12 and R13 for ad groups and ads: one on TikTok per object, switched off, and only where it may be made.

use serde_json::{Value, json};
use tiktok_ads_operator::model::key;

use super::nodes::{Level, Node, TREES, Tree};
use super::tree_kit::{Branch, each, everywhere, message};
use super::{Case, condition, id, is, record};

fn name_field(level: Level) -> &'static str {
    match level {
        Level::AdGroup => "adgroup_name",
        _ => "ad_name",
    }
}

fn make<'a>(case: &'a Case, tree: Tree, level: Level, name: &str, more: Value) -> Node<'a> {
    match level {
        Level::AdGroup => tree.ad_group(case, name, "c", more),
        _ => tree.ad(case, name, "g", more),
    }
}

/// What an object of a level is made in, live.
fn parents(case: &Case, tree: Tree) -> Branch<'_> {
    let branch = Branch::live(case, tree);
    assert_eq!(case.writes().len(), 6, "three creates and three enables");
    branch
}

fn parent_id(branch: &Branch<'_>, level: Level) -> String {
    match level {
        Level::AdGroup => branch.campaign.id(),
        _ => branch.ad_group.id(),
    }
}

#[test]
fn r09_a_name_taken_in_the_same_parent_is_refused_with_the_line_to_add() {
    everywhere(|tree, level| {
        let case = Case::new("t09-taken");
        let branch = parents(&case, tree);
        let field = name_field(level);
        let there = case.made_inside(level, &parent_id(&branch, level), json!({field: "Spring"}));
        let before = case.writes().len();
        let taken = make(&case, tree, level, "spring", json!({"name": "Spring"}));
        let refused = taken.wait_for("NameTaken");
        let said = message(&refused);
        assert!(said.contains(&format!("externalId: \"{there}\"")), "{said}");
        assert_eq!(condition(&refused, "Stalled")["status"], "True");
        taken.sweeps();
        assert_eq!(case.writes().len(), before);
        // A name that differs in case alone is another name.
        make(&case, tree, level, "other", json!({"name": "spring"})).wait_for("Paused");
    });
}

#[test]
fn r09_the_same_name_in_another_parent_is_free() {
    everywhere(|tree, level| {
        let case = Case::new("t09-beside");
        // Neither TikTok's own rule nor ours minds: names count where they are.
        case.knobs(json!({"request_id_duplicate_names": "false", "ad_name_unique": "ad_group"}));
        parents(&case, tree);
        let same = || json!({"name": "Spring"});
        let (first, second) = match level {
            Level::AdGroup => {
                tree.campaign(&case, "c2", json!({}));
                (
                    tree.ad_group(&case, "one", "c", same()),
                    tree.ad_group(&case, "two", "c2", same()),
                )
            }
            _ => {
                tree.ad_group(&case, "g2", "c", json!({}));
                (
                    tree.ad(&case, "one", "g", same()),
                    tree.ad(&case, "two", "g2", same()),
                )
            }
        };
        assert_ne!(first.wait_paused(), second.wait_paused());
        assert_eq!(case.calls(tree, level, "create").len(), 3);
    });
}

#[test]
fn r09_of_two_objects_with_one_name_in_one_parent_the_younger_waits() {
    everywhere(|tree, level| {
        let case = Case::new("t09-two");
        parents(&case, tree);
        let same = || json!({"name": "Spring"});
        let elder = make(&case, tree, level, "elder", same());
        elder.wait_for("Paused");
        let younger = make(&case, tree, level, "younger", same());
        let said = message(&younger.wait_for("Conflict"));
        assert!(said.contains("elder"), "{said}");
        younger.sweeps();
        assert_eq!(case.rows(level).len(), 2);
        younger.edit(json!({"name": "Another"}));
        younger.wait_for("Paused");
    });
}

#[test]
fn r09_same_name_adopts_below_a_campaign_without_a_write() {
    everywhere(|tree, level| {
        let case = Case::new("t09-same");
        parents(&case, tree);
        let spec = |more: Value| {
            let mut spec = json!({"name": "Spring", "deletionPolicy": "Retain"});
            super::merge(&mut spec, more);
            spec
        };
        let first = make(&case, tree, level, "first", spec(json!({})));
        let there = first.wait_paused();
        first.delete();
        first.wait_gone();
        let before = case.writes().len();
        let again = make(
            &case,
            tree,
            level,
            "again",
            spec(json!({"adoption": "SameName"})),
        );
        let adopted = again.wait_for("InSync");
        assert_eq!(id(&adopted), there);
        assert_eq!(adopted["status"]["effective"]["state"], "Unmanaged");
        assert_eq!(case.writes().len(), before);
    });
}

#[test]
fn r09_a_name_that_only_tiktok_refuses_is_recognised() {
    each(&TREES, |&tree| {
        let case = Case::new("t09-wide");
        case.knobs(json!({
            "request_id_duplicate_names": "false", "ad_group_name_unique": "advertiser", "ad_name_unique": "advertiser",
        }));
        parents(&case, tree);
        tree.campaign(&case, "c2", json!({}));
        tree.ad_group(&case, "g2", "c2", json!({}))
            .wait_for("Paused");
        let group = tree.ad_group(&case, "taken", "c2", json!({"name": "g"}));
        let ad = tree.ad(&case, "also", "g2", json!({"name": "a"}));
        for node in [&group, &ad] {
            node.wait_for("NameTaken");
        }
        group.sweeps();
        ad.sweeps();
        for node in [&group, &ad] {
            let asked = case.calls(tree, node.level, "create");
            let refused = asked.iter().filter(|entry| entry["code"] != 0).count();
            assert_eq!(refused, 1, "no loop");
        }
    });
}

#[test]
fn r10_the_key_of_an_ad_group_is_derived_recorded_sent_and_shown() {
    each(&TREES, |&tree| {
        let case = Case::new("t10-key");
        // All of one name here; their keys differ all the same, whatever TikTok takes them to be unique in.
        case.knobs(json!({"request_id_scope": "advertiser"}));
        tree.campaign(&case, "same", json!({}));
        let group = tree.ad_group(&case, "same", "same", json!({}));
        let ad = tree.ad(&case, "same", "same", json!({}));
        let made = group.wait_for("Paused");
        ad.wait_for("Paused");
        let derived = |incarnation, counter| {
            key::request_id(
                &case.advertiser,
                "AdGroup",
                &case.namespace,
                "same",
                incarnation,
                counter,
            )
        };
        let sent = case.calls(tree, Level::AdGroup, "create");
        assert_eq!(sent[0]["body"]["request_id"], derived(0, 0));
        assert_eq!(record(&made)["key"], derived(0, 0));
        assert_eq!(made["status"]["idempotency"]["key"], derived(0, 0));
        assert_eq!(made["status"]["idempotency"]["outcome"], "Stored");
        // No create of an ad takes one.
        let sent = case.calls(tree, Level::Ad, "create");
        assert!(!sent[0]["body"].to_string().contains("request_id"));
        case.happens(Level::AdGroup, &id(&made), "delete");
        group.wait_for("ExternallyDeleted");
        group.edit(json!({"incarnation": 1}));
        let again = group.wait("the next incarnation", |object| {
            is(object, "Paused") && id(object) != id(&made)
        });
        assert_eq!(record(&again)["key"], derived(1, 0));
    });
}

#[test]
fn r10_a_replay_of_an_ad_groups_key_without_a_live_match_takes_the_next_one() {
    let ways: Vec<(Tree, &str, bool)> = TREES
        .into_iter()
        .flat_map(|tree| {
            [
                (tree, "40050", true),
                (tree, "40050", false),
                (tree, "40002", false),
                (tree, "original", true),
                (tree, "original", false),
            ]
        })
        .collect();
    each(&ways, |&(tree, replay, deleted)| {
        let case = Case::new("t10-replay");
        case.knobs(json!({"request_id_replay": replay}));
        tree.campaign(&case, "c", json!({}));
        let spec = || json!({"name": "Spring", "deletionPolicy": "Retain"});
        let group = tree.ad_group(&case, "g", "c", spec());
        let first = group.wait_paused();
        group.delete();
        group.wait_gone();
        if deleted {
            case.happens(Level::AdGroup, &first, "delete");
        } else {
            let path = format!("/sandbox/ad_groups/{first}");
            case.sandbox("PATCH", &path, &json!({"adgroup_name": "Renamed since"}));
        }
        let again = tree.ad_group(&case, "g", "c", spec());
        let made = again.wait_for("Paused");
        if replay == "original" && !deleted {
            assert_eq!(id(&made), first, "the original is the original");
            assert_eq!(case.rows(Level::AdGroup).len(), 1);
            return;
        }
        assert_ne!(id(&made), first);
        assert_eq!(record(&made)["counter"], 1);
        assert_eq!(case.rows(Level::AdGroup).len(), 2);
        let second = key::request_id(&case.advertiser, "AdGroup", &case.namespace, "g", 0, 1);
        assert_eq!(record(&made)["key"], second);
    });
}

#[test]
fn r12_tiktoks_refusal_of_manual_ad_groups_and_ads_is_recognised() {
    let ways: Vec<(Level, &str)> = super::tree_kit::BELOW
        .into_iter()
        .flat_map(|level| ["40002", "40118", "41001"].map(|code| (level, code)))
        .collect();
    each(&ways, |&(level, code)| {
        let case = Case::new("t12-cutoff");
        let tree = Tree::Manual;
        tree.campaign(&case, "c", json!({"objective": "WebConversions"}));
        let convert = || {
            json!({"optimization": {
                "goal": "Convert", "billingEvent": "OCPM", "pixelId": "7100000000000000001", "event": "Shopping",
            }})
        };
        tree.ad_group(&case, "g", "c", convert()).wait_for("Paused");
        // The day comes; what is there can still be changed, nothing new is taken.
        case.knobs(json!({"manual_cutoff": "2020-01-01", "manual_cutoff_code": code}));
        let before = case.calls(tree, level, "create").len();
        let all = ["x", "y"].map(|name| match level {
            Level::AdGroup => tree.ad_group(&case, name, "c", convert()),
            _ => tree.ad(&case, name, "g", json!({})),
        });
        for node in &all {
            let refused = node.wait_for("UseSmartPlus");
            assert_eq!(condition(&refused, "Stalled")["status"], "True", "{code}");
            assert!(record(&refused)["mark"].is_null());
        }
        all[0].sweeps();
        let sent = case.calls(tree, level, "create").len() - before;
        // Ads may first have been sent together; alone each is asked for once.
        assert!(
            sent <= if level == Level::Ad { 3 } else { 2 },
            "{sent}: no loop"
        );
        assert_eq!(case.rows(Level::Ad).len(), 0);
        assert_eq!(case.rows(Level::AdGroup).len(), 1);
    });
}

#[test]
fn r13_what_spends_widens_or_publishes_is_said_on_every_create() {
    let case = Case::new("t13-manual");
    let branch = parents(&case, Tree::Manual);
    let group = branch.ad_group.create();
    for (field, value) in [
        ("operation_status", json!("DISABLE")),
        ("search_result_enabled", json!(false)),
        ("smart_audience_enabled", json!(false)),
        ("smart_interest_behavior_enabled", json!(false)),
        ("automated_keywords_enabled", json!(false)),
        ("creative_material_mode", json!("CUSTOM")),
        ("pacing", json!("PACING_MODE_SMOOTH")),
    ] {
        assert_eq!(group[field], value, "{field}");
    }
    assert!(group.get("auto_targeting_enabled").is_none());
    assert!(group.get("adgroup_app_profile_page_state").is_none());
    let ad = &branch.ad.create()["creatives"][0];
    for (field, value) in [
        ("operation_status", json!("DISABLE")),
        ("dark_post_status", json!("ON")),
        ("creative_authorized", json!(false)),
        ("promotional_music_disabled", json!(true)),
        ("creative_auto_enhancement_strategy_list", json!([])),
    ] {
        assert_eq!(ad[field], value, "{field}");
    }
    for field in [
        "dynamic_destination",
        "dynamic_format",
        "instant_product_page_used",
    ] {
        assert!(ad.get(field).is_none(), "{field}");
    }

    let case = Case::new("t13-smart");
    // What TikTok makes of what is not said is the opposite here.
    case.knobs(json!({"dark_post_default": "OFF", "creative_auto_add_default": "true"}));
    let branch = parents(&case, Tree::SmartPlus);
    let group = branch.ad_group.create();
    assert_eq!(group["operation_status"], "DISABLE");
    assert_eq!(group["targeting_optimization_mode"], "MANUAL");
    for field in ["smart_audience_enabled", "smart_interest_behavior_enabled"] {
        assert_eq!(group["targeting_spec"][field], false, "{field}");
    }
    for field in ["suggestion_audience_enabled", "budget_auto_adjust_strategy"] {
        assert!(group.get(field).is_none(), "{field}");
    }
    let ad = branch.ad.create();
    assert_eq!(ad["operation_status"], "DISABLE");
    let configuration = &ad["ad_configuration"];
    assert_eq!(configuration["dark_post_status"], "ON");
    assert_eq!(configuration["creative_auto_add_toggle"], false);
    assert_eq!(
        configuration["creative_auto_enhancement_strategy_list"],
        json!([])
    );
    for field in ["catalog_creative_toggle", "product_info_enabled"] {
        assert!(configuration.get(field).is_none(), "{field}");
    }
    let automatic = case_automatic(&case);
    assert_eq!(automatic["targeting_optimization_mode"], "AUTOMATIC");
    assert_eq!(automatic["suggestion_audience_enabled"], false);
}

/// The create of an ad group whose audience TikTok chooses.
fn case_automatic(case: &Case) -> Value {
    let group = Tree::SmartPlus.ad_group(case, "auto", "c", json!({"targetingMode": "Automatic"}));
    group.wait_for("Paused");
    group.create()
}

#[test]
fn r13_what_the_spec_says_is_sent_instead() {
    let case = Case::new("t13-said");
    let tree = Tree::Manual;
    tree.campaign(&case, "c", json!({}));
    let group = tree.ad_group(&case, "g", "c", json!({"searchResults": true}));
    group.wait_for("Paused");
    let create = group.create();
    assert_eq!(create["search_result_enabled"], true);
    // Never said by a create, whatever the spec says.
    let ad = tree.ad(&case, "a", "g", json!({"state": "Active"}));
    ad.wait_live();
    assert_eq!(ad.create()["creatives"][0]["operation_status"], "DISABLE");
}
