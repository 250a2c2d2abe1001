//! R29 and R30 for ad groups and ads: mixed lists, page sizes, and what status does not carry.

use serde_json::json;

use super::nodes::{Level, TREES, Tree};
use super::tree_kit::{BELOW, Branch, each, row_id};
use super::{Case, condition, is};

/// A Smart+ tree made in Ads Manager that runs, with 50 a day on average in its ad group; the three ids.
fn theirs(case: &Case) -> [String; 3] {
    let on = |field: &str, name: &str| json!({field: name, "operation_status": "ENABLE"});
    let mut campaign = on("campaign_name", "Theirs");
    super::merge(
        &mut campaign,
        json!({"budget_mode": "BUDGET_MODE_INFINITE", "budget": 0.0, "budget_optimize_on": false}),
    );
    let campaign = case.made_outside("smart_plus", campaign);
    let mut group = on("adgroup_name", "Their group");
    super::merge(
        &mut group,
        json!({"budget_mode": "BUDGET_MODE_DYNAMIC_DAILY_BUDGET", "budget": 50.0}),
    );
    let group = case.made_inside(Level::AdGroup, &campaign, group);
    let mut ad = on("ad_name", "Their ad");
    ad["creative_list"] = json!([{"creative_info": {
        "ad_format": "SINGLE_VIDEO", "identity_type": "TT_USER", "identity_id": "theirs",
        "video_info": {"video_id": "v10033g50000theirs"}, "image_info": [{"web_uri": "theirs"}],
    }}]);
    let ad = case.made_inside(Level::Ad, &group, ad);
    [campaign, group, ad]
}

#[test]
fn r29_smart_plus_rows_in_manual_lists_are_no_ad_groups_or_ads_of_their_own() {
    let ways: Vec<(&str, &str, &str)> = ["true", "false"]
        .into_iter()
        .flat_map(|lists| {
            [("shown", "shown"), ("omitted", "omitted")].map(|(tree, id)| (lists, tree, id))
        })
        .collect();
    each(&ways, |&(lists, automation, creative)| {
        let case = Case::bare("t29-mixed", json!({}));
        // Room for 30 of ours beside 62.50 of theirs, but not if theirs counted twice.
        let total = json!({"maxDailyBudgetTotal": {"amount": "100", "currency": "USD"}});
        case.connect(json!({ "caps": total }));
        case.wait_connection("Verified");
        case.knobs(json!({
            "manual_lists_smart_plus": lists, "ad_automation_type": automation, "smart_plus_creative_id": creative,
        }));
        theirs(&case);
        let branch = Branch::live(&case, Tree::Manual);
        // A Smart+ tree of ours beside it: nothing of it is taken for the manual one.
        let active = json!({"state": "Paused"});
        Tree::SmartPlus.campaign(&case, "sc", active.clone());
        let group = Tree::SmartPlus.ad_group(&case, "sg", "sc", active.clone());
        let ad = Tree::SmartPlus.ad(&case, "sa", "sg", active);
        group.wait_for("Paused");
        ad.wait_for("Paused");
        for node in [&branch.ad_group, &branch.ad, &group, &ad] {
            node.sweeps();
        }
        for node in [&branch.ad_group, &branch.ad] {
            assert!(is(&node.get(), "InSync"), "{:?}", node.level);
        }
        for node in [&group, &ad] {
            assert!(is(&node.get(), "Paused"), "{:?}", node.level);
        }
        let connection = case.read("tiktokconnections", "main").unwrap();
        assert!(connection["status"]["orphaned"].is_null(), "{connection:#}");
        assert_eq!(case.rows(Level::Ad).len(), 3);
        assert_eq!(case.rows(Level::AdGroup).len(), 3);
    });
}

#[test]
fn r29_a_smart_plus_ad_group_or_ad_cannot_be_adopted_as_a_manual_one() {
    let ways: Vec<(Level, &str)> = BELOW
        .into_iter()
        .flat_map(|level| ["shown", "omitted"].map(|word| (level, word)))
        .collect();
    each(&ways, |&(level, word)| {
        let case = Case::new("t29-adopt");
        case.knobs(json!({"ad_automation_type": word, "smart_plus_creative_id": word}));
        let [_, their_group, their_ad] = theirs(&case);
        let tree = Tree::Manual;
        let campaign = case.made_outside("manual", json!({}));
        tree.campaign(&case, "c", json!({"externalId": campaign}));
        let mut claims = vec![];
        if level == Level::AdGroup {
            claims.push(("campaignRef", "c", their_group.clone()));
        } else {
            let group = case.made_inside(Level::AdGroup, &campaign, json!({}));
            let only = json!({"campaignRef": {"name": "c"}, "externalId": group});
            tree.only(&case, Level::AdGroup, "g", only)
                .wait_for("InSync");
            claims.push(("adGroupRef", "g", their_ad.clone()));
            // Its creatives have rows of their own in the manual list.
            let creative = case.row_of(Level::Ad, &their_ad)["ad_ids"][0].clone();
            claims.push(("adGroupRef", "g", creative.as_str().unwrap().to_owned()));
        }
        for (n, (reference, parent, id)) in claims.into_iter().enumerate() {
            let spec = json!({reference: {"name": parent}, "externalId": id, "state": "Paused"});
            let wrong = tree.only(&case, level, &format!("wrong{n}"), spec);
            let refused = wrong.wait("a refusal", |object| {
                ["NotFoundOnPlatform", "AdoptionMismatch", "ParentMismatch"]
                    .iter()
                    .any(|reason| is(object, reason))
            });
            assert_eq!(condition(&refused, "Stalled")["status"], "True");
            wrong.sweeps();
        }
        assert_eq!(case.writes(), []);
        assert!(case.runs(Level::AdGroup, &their_group));
        assert!(case.runs(Level::Ad, &their_ad));
    });
}

#[test]
fn r29_a_connection_sweeps_only_the_trees_and_kinds_it_has() {
    each(&TREES, |&tree| {
        let case = Case::bare("t29-trees", json!({}));
        // A ceiling on the total would have to see everything.
        let one = json!({"maxDailyBudgetPerObject": {"amount": "100", "currency": "USD"}});
        case.connect(json!({ "caps": one }));
        case.wait_connection("Verified");
        tree.campaign(&case, "c", json!({}));
        let group = tree.ad_group(&case, "g", "c", json!({}));
        group.wait_for("Paused");
        group.sweeps();
        let other = match tree {
            Tree::Manual => Tree::SmartPlus,
            Tree::SmartPlus => Tree::Manual,
        };
        assert_eq!(case.calls(tree, Level::Ad, "get").len(), 0);
        let ad = tree.ad(&case, "a", "g", json!({}));
        ad.wait_for("Paused");
        ad.sweeps();
        for level in BELOW {
            assert_eq!(case.calls(other, level, "get").len(), 0, "{level:?}");
        }
    });
}

#[test]
fn r29_page_sizes_are_never_more_than_tiktok_takes_and_all_pages_are_read() {
    let ways: Vec<(&str, &str)> = ["100", "1000"]
        .into_iter()
        .flat_map(|groups| ["100", "1000"].map(|ads| (groups, ads)))
        .collect();
    each(&ways, |&(groups, ads)| {
        let case = Case::new("t29-pages");
        case.knobs(json!({"smart_plus_page_size_max": groups, "smart_plus_ad_page_size_max": ads}));
        let tree = Tree::SmartPlus;
        let branch = Branch::live(&case, tree);
        let (campaign, group) = (branch.campaign.id(), branch.ad_group.id());
        for n in 0..105 {
            let name = format!("n{n}");
            case.made_inside(Level::AdGroup, &campaign, json!({"adgroup_name": name}));
            case.made_inside(Level::Ad, &group, json!({"ad_name": name}));
        }
        // The oldest and the newest are on different pages.
        for n in [0, 104] {
            let name = json!({"name": format!("n{n}")});
            let taken = tree.ad_group(&case, &format!("g{n}"), "c", name.clone());
            taken.wait_for("NameTaken");
            let taken = tree.ad(&case, &format!("a{n}"), "g", name);
            taken.wait_for("NameTaken");
        }
        branch.ad.sweeps();
        let refused: Vec<_> = case
            .requests("*")
            .into_iter()
            .filter(|entry| entry["code"] != 0)
            .collect();
        assert!(refused.is_empty(), "{refused:#?}");
    });
}

#[test]
fn r30_what_ad_groups_and_ads_spend_never_reaches_the_status() {
    each(&TREES, |&tree| {
        let case = Case::new("t30");
        let branch = Branch::live(&case, tree);
        let nodes = [&branch.campaign, &branch.ad_group, &branch.ad];
        // Until the review was read and the delivery status shows.
        branch.ad.wait("to be approved", |object| {
            condition(object, "Approved")["status"] == "True"
        });
        for node in nodes {
            node.sweeps();
        }
        let before = nodes.map(|node| node.get());
        for _ in 0..3 {
            let path = format!("/sandbox/ads/{}/spend", branch.ad.id());
            case.sandbox("POST", &path, &json!({"amount": 2.5}));
            branch.ad.sweeps();
            branch.ad_group.sweeps();
        }
        assert_eq!(
            case.row_of(Level::AdGroup, &branch.ad_group.id())["spent_total"],
            7.5
        );
        for (node, before) in nodes.iter().zip(&before) {
            let after = node.get();
            assert_eq!(
                after["metadata"]["resourceVersion"], before["metadata"]["resourceVersion"],
                "{:?}",
                node.level
            );
            let status = after["status"].to_string().to_lowercase();
            assert!(
                !status.contains("spend") && !status.contains("spent"),
                "{status}"
            );
        }
        assert_eq!(row_id(Level::Ad, &case.rows(Level::Ad)[0]), branch.ad.id());
    });
}
