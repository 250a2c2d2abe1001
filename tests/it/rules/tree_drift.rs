//! R16, R18 and R19 for ad groups and ads: who wins field by field, what TikTok refuses, and what its texts may do.

use serde_json::{Value, json};

use super::nodes::{Node, TREES, Tree};
use super::update::{NASTY, harmless, strings};
use super::{Case, condition, is};

fn message(object: &Value) -> String {
    let text = condition(object, "Ready")["message"].as_str();
    text.unwrap_or_default().to_owned()
}

fn targeting(tree: Tree, fields: &Value) -> Value {
    match tree {
        Tree::Manual => fields.clone(),
        Tree::SmartPlus => fields["targeting_spec"].clone(),
    }
}

/// One edit of a person in each group of fields.
fn change_everything(group: &Node) {
    let mut changes = json!({
        "adgroup_name": "Changed", "budget": 99.0, "comment_disabled": true,
        "dayparting": format!("{}{}", "1".repeat(48), "0".repeat(288)),
    });
    match group.tree {
        Tree::Manual => {
            changes["gender"] = json!("GENDER_MALE");
            changes["bid_price"] = json!(9.0);
        }
        Tree::SmartPlus => {
            let mut spec = group.fields()["targeting_spec"].clone();
            spec["gender"] = json!("GENDER_MALE");
            changes["targeting_spec"] = spec;
            changes["conversion_bid_price"] = json!(9.0);
        }
    }
    group.edit_outside(changes);
}

/// Which groups of fields are as the person left them.
fn left(group: &Node) -> Vec<&'static str> {
    let fields = group.fields();
    let bid = match group.tree {
        Tree::Manual => "bid_price",
        Tree::SmartPlus => "conversion_bid_price",
    };
    let all = [
        ("bid", fields[bid] == 9.0),
        ("budget", fields["budget"] == 99.0),
        ("name", fields["adgroup_name"] == "Changed"),
        (
            "schedule",
            fields["dayparting"].as_str().unwrap().starts_with("111"),
        ),
        ("settings", fields["comment_disabled"] == true),
        (
            "targeting",
            targeting(group.tree, &fields)["gender"] == "GENDER_MALE",
        ),
    ];
    all.into_iter()
        .filter(|(_, theirs)| *theirs)
        .map(|(name, _)| name)
        .collect()
}

fn said() -> Value {
    json!({
        "name": "Spring", "bid": {"strategy": "CostCap", "amount": "2"},
        "interactions": {"comments": "Allowed"},
        "schedule": {"dayparting": [{"days": ["Friday"], "from": "08:00", "to": "20:00"}]},
        "targeting": {"gender": "Female"},
    })
}

#[test]
fn r16_each_group_of_an_ad_groups_fields_is_minded_or_left_by_itself() {
    let groups = ["bid", "budget", "name", "schedule", "settings", "targeting"];
    for tree in TREES {
        let case = Case::new(&format!("r16-groups-{}", tree.word()));
        tree.campaign(&case, "spring", json!({}));
        let mut more = said();
        for name in groups {
            more["drift"][name] = json!("Report");
        }
        let group = tree.ad_group(&case, "group", "spring", more);
        group.wait_for("Paused");
        change_everything(&group);
        let drifted = group.wait("all differences", |object| {
            object["status"]["driftCount"] == 6
        });
        assert_eq!(condition(&drifted, "Drifted")["status"], "True");
        let entries = drifted["status"]["drift"].as_array().unwrap();
        let mut named: Vec<&str> = entries
            .iter()
            .map(|entry| entry["group"].as_str().unwrap())
            .collect();
        named.sort_unstable();
        let words = ["Bid", "Budget", "Name", "Schedule", "Settings", "Targeting"];
        assert_eq!(named, words);
        group.sweeps();
        assert_eq!(group.updates().len(), 0);
        assert_eq!(left(&group), groups);
        // One after another is taken back; what is still only reported stays.
        for n in 0..groups.len() {
            let mut drift = json!({});
            drift[groups[n]] = json!("Correct");
            group.edit(json!({ "drift": drift }));
            group.wait("the correction", |_| left(&group) == groups[n + 1..]);
            let object = group.wait_for("Paused");
            assert_eq!(condition(&object, "SideEffect"), &Value::Null, "{object}");
            assert_eq!(group.updates().len(), n + 1);
        }
    }
}

#[test]
fn r16_all_that_was_changed_outside_is_corrected_in_one_call() {
    for tree in TREES {
        let case = Case::new(&format!("r16-all-{}", tree.word()));
        tree.campaign(&case, "spring", json!({}));
        let group = tree.ad_group(&case, "group", "spring", said());
        group.wait_for("Paused");
        change_everything(&group);
        group.wait("the correction", |_| left(&group).is_empty());
        group.wait_for("Paused");
        assert_eq!(group.updates().len(), 1);
        case.until("an event", || {
            let all = case.events("group");
            all.iter().any(|(reason, note)| {
                reason == "Drifted" && note.contains("budget.amount: want 30, have 99")
            })
        });
    }
}

/// How a person changes an ad's text.
fn change_text(ad: &Node) {
    match ad.tree {
        Tree::Manual => ad.edit_outside(json!({"ad_text": "Changed"})),
        Tree::SmartPlus => ad.edit_outside(json!({"ad_text_list": [{"ad_text": "Changed"}]})),
    }
}

fn text(ad: &Node) -> Value {
    match ad.tree {
        Tree::Manual => ad.fields()["ad_text"].clone(),
        Tree::SmartPlus => ad.fields()["ad_text_list"][0]["ad_text"].clone(),
    }
}

#[test]
fn r16_ads_are_corrected_or_reported() {
    for tree in TREES {
        let case = Case::new(&format!("r16-ads-{}", tree.word()));
        tree.campaign(&case, "spring", json!({}));
        tree.ad_group(&case, "group", "spring", json!({}));
        let minded = tree.ad(&case, "minded", "group", json!({"name": "Minded"}));
        let drift = json!({"name": "Left", "drift": {"settings": "Report", "name": "Report"}});
        let left = tree.ad(&case, "left", "group", drift);
        for ad in [&minded, &left] {
            ad.wait_for("Paused");
            change_text(ad);
            ad.edit_outside(json!({"ad_name": "Changed"}));
        }
        minded.wait("the correction", |_| {
            text(&minded) == "Spring is here" && minded.fields()["ad_name"] == "Minded"
        });
        minded.wait_for("Paused");
        assert_eq!(minded.updates().len(), 1, "{:?}", minded.updates());
        left.wait("the differences", |object| {
            object["status"]["driftCount"] == 2
        });
        left.sweeps();
        assert_eq!(left.updates().len(), 0);
        assert_eq!(text(&left), "Changed");
    }
}

#[test]
fn r16_corrections_that_do_not_hold_end_after_three() {
    for tree in TREES {
        let case = Case::new(&format!("r16-fight-{}", tree.word()));
        tree.campaign(&case, "spring", json!({}));
        let group = tree.ad_group(&case, "group", "spring", json!({}));
        let ad = tree.ad(&case, "ad", "group", json!({}));
        for node in [&group, &ad] {
            node.wait_for("Paused");
        }
        case.until("the operator to stop", || {
            if group.fields()["budget"] == 30.0 {
                group.edit_outside(json!({"budget": 99.0}));
            }
            if text(&ad) == "Spring is here" {
                change_text(&ad);
            }
            is(&group.get(), "NotConverging") && is(&ad.get(), "NotConverging")
        });
        for node in [&group, &ad] {
            let said = message(&node.get());
            assert!(said.contains("3 corrections did not hold"), "{said}");
            node.sweeps();
            assert_eq!(node.updates().len(), 3);
        }
        group.edit(json!({"budget": {"amount": "31"}}));
        group.wait("the new amount", |_| group.fields()["budget"] == 31.0);
        group.wait_for("Paused");
    }
}

#[test]
fn r18_an_ad_groups_budget_below_what_is_spent_is_refused_and_said() {
    for tree in TREES {
        let case = Case::new(&format!("r18-refuse-{}", tree.word()));
        tree.campaign(&case, "spring", json!({"state": "Active"}));
        let more = json!({"state": "Active", "budget": {"amount": "60"}});
        let group = tree.ad_group(&case, "group", "spring", more);
        group.wait_live();
        group.outside("spend", json!({"amount": 58.0}));
        group.edit(json!({"budget": {"amount": "55"}}));
        let refused = group.wait_for("BudgetTooLow");
        assert!(message(&refused).contains("105"), "{}", message(&refused));
        group.sweeps();
        assert_eq!(group.updates().len(), 1, "no loop");
        assert!(group.is_on());
        group.edit(json!({"budget": {"amount": "65"}}));
        group.wait_live();
        assert_eq!(group.fields()["budget"], 65.0);
    }
}

#[test]
fn r18_a_budget_of_an_ad_group_that_tiktok_ignores_in_silence_is_noticed() {
    for tree in TREES {
        let case = Case::new(&format!("r18-ignore-{}", tree.word()));
        case.knobs(json!({"budget_below_spend": "ignore"}));
        tree.campaign(&case, "spring", json!({"state": "Active"}));
        let more = json!({"state": "Active", "budget": {"amount": "60"}});
        let group = tree.ad_group(&case, "group", "spring", more);
        group.wait_live();
        group.outside("spend", json!({"amount": 58.0}));
        group.edit(json!({"budget": {"amount": "55"}}));
        let stopped = group.wait_for("NotConverging");
        assert!(message(&stopped).contains("105 %"), "{}", message(&stopped));
        assert!(group.updates().len() <= 3);
        assert_eq!(group.fields()["budget"], 60.0);
        assert!(group.is_on());
    }
}

#[test]
fn r18_an_amount_in_another_currency_is_never_sent_below_a_campaign() {
    for tree in TREES {
        let case = Case::new(&format!("r18-currency-{}", tree.word()));
        tree.campaign(&case, "spring", json!({}));
        let group = tree.ad_group(
            &case,
            "group",
            "spring",
            json!({"bid": {"strategy": "CostCap", "amount": "2.5"}}),
        );
        group.wait_for("Paused");
        let before = group.fields();
        let euros = json!({"amount": "3", "currency": "EUR"});
        let as_it_was = json!({"amount": "2.5", "currency": null});
        let edits = [
            ("bid", json!({ "bid": euros })),
            (
                "budget",
                json!({"bid": as_it_was, "budget": {"amount": "61", "currency": "EUR"}}),
            ),
        ];
        for (field, edit) in edits {
            group.edit(edit);
            let words = format!("spec.{field} is in EUR");
            group.wait(&words, |object| message(object).contains(&words));
            group.sweeps();
            assert_eq!(group.updates(), Vec::<Value>::new(), "{field}");
            assert_eq!(group.fields(), before);
        }
    }
}

#[test]
fn r19_texts_about_ad_groups_and_ads_are_data() {
    for tree in TREES {
        let case = Case::new(&format!("r19-{}", tree.word()));
        tree.campaign(&case, "spring", json!({}));
        let report = json!({"drift": {"name": "Report"}, "name": "Plain"});
        let group = tree.ad_group(&case, "group", "spring", report.clone());
        let ad = tree.ad(&case, "ad", "group", report);
        group.wait_for("Paused");
        ad.wait_for("Paused");
        group.edit_outside(json!({"adgroup_name": NASTY, "secondary_status": format!("X{NASTY}")}));
        let long = format!("{NASTY}{}", "z".repeat(3_000));
        let reason = json!({"reasons": [long], "suggestion": long});
        ad.outside("reject", reason);
        // What is off shows no rejection in its status: the time of the edit, in whole seconds, is what makes it be read.
        std::thread::sleep(std::time::Duration::from_millis(1_100));
        ad.edit_outside(json!({ "ad_name": NASTY }));
        ad.wait("the rejection", |object| {
            object["status"]["review"]["reasonCount"] == 1 && object["status"]["driftCount"] == 1
        });
        group.wait("the difference", |object| {
            object["status"]["driftCount"] == 1
        });
        case.until("an event", || !case.events("ad").is_empty());
        for node in [&group, &ad] {
            let mut texts = vec![];
            strings(&node.get()["status"], &mut texts);
            texts.extend(case.events(&node.name).into_iter().map(|(_, note)| note));
            for text in texts {
                assert!(harmless(&text), "{text:?}");
                assert!(text.chars().count() <= 1024);
            }
        }
        assert!(case.log().lines().all(harmless), "the log");
    }
}
