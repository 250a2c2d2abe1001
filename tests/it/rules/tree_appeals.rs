//! R28: an appeal goes once per rejection, and by no other word than the annotation's.

use serde_json::{Value, json};

use super::nodes::{Node, TREES, Tree};
use super::tree_kit::{Branch, each};
use super::{Case, condition, record};

const PATHS: [(Tree, &str); 2] = [
    (Tree::Manual, "/adgroup/appeal/"),
    (Tree::SmartPlus, "/smart_plus/ad/appeal/"),
];

fn appeals(case: &Case, tree: Tree) -> Vec<Value> {
    let (_, path) = PATHS.into_iter().find(|(of, _)| *of == tree).unwrap();
    let all = case.requests(path);
    all.iter().map(|entry| entry["body"].clone()).collect()
}

fn appeal(ad: &Node, why: &str) {
    ad.patch(json!({"metadata": {"annotations": {"tiktokads.dev/appeal": why}}}));
}

fn reject(ad: &Node, why: &str) {
    ad.outside("reject", json!({"reasons": [why]}));
    ad.wait("the reason", |object| {
        condition(object, "Approved")["status"] == "False"
            && object["status"]["review"]["reasons"][0]["reason"]
                .as_str()
                .is_some_and(|said| said.contains(why))
    });
}

#[test]
fn r28_an_appeal_goes_once_for_each_value_of_the_annotation() {
    each(&TREES, |&tree| {
        let case = Case::new("t28-appeal");
        let branch = Branch::live(&case, tree);
        let ad = &branch.ad;
        // Before there is a rejection there is nothing to appeal against.
        appeal(ad, "The claim has a source.");
        ad.sweeps();
        assert_eq!(appeals(&case, tree), Vec::<Value>::new());
        reject(ad, "The claim has no source.");
        let told = ad.wait("the appeal", |object| {
            condition(object, "Appealed")["status"] == "True"
        });
        assert_eq!(record(&told)["appealed"], "The claim has a source.");
        ad.sweeps();
        ad.sweeps();
        let sent = appeals(&case, tree);
        assert_eq!(sent.len(), 1, "once");
        assert_eq!(sent[0]["appeal_reason"], "The claim has a source.");
        match tree {
            Tree::Manual => {
                assert_eq!(sent[0]["ad_id"], ad.id());
                assert_eq!(sent[0]["adgroup_id"], branch.ad_group.id());
            }
            Tree::SmartPlus => {
                assert_eq!(sent[0]["smart_plus_ad_id"], ad.id());
                let open = ad.wait("TikTok's word", |object| {
                    object["status"]["review"]["appeal"] == "Appealing"
                });
                assert_eq!(condition(&open, "Approved")["status"], "False");
            }
        }
        let approve = || {
            case.happens(ad.level, &ad.id(), "approve");
            let approved = ad.wait("to be approved", |object| {
                condition(object, "Approved")["status"] == "True"
            });
            assert!(condition(&approved, "Appealed").is_null());
        };
        approve();
        // Against another rejection the old words are not sent again, new ones are.
        reject(ad, "The source is not named.");
        ad.sweeps();
        assert_eq!(appeals(&case, tree).len(), 1, "never in a loop");
        appeal(ad, "The source is named in the video.");
        ad.wait("the second appeal", |object| {
            record(object)["appealed"] == "The source is named in the video."
        });
        assert_eq!(appeals(&case, tree).len(), 2);
        approve();
    });
}

#[test]
fn r28_an_appeal_that_is_not_taken_says_why_and_is_not_repeated() {
    each(&PATHS, |&(tree, path)| {
        let case = Case::new("t28-not-taken");
        let branch = Branch::live(&case, tree);
        let ad = &branch.ad;
        reject(ad, "The claim has no source.");
        let no = json!({"kind": "error", "code": 40002, "message": "Appeals are closed today."});
        case.fault(&format!("*{path}"), no, 0);
        appeal(ad, "The claim has a source.");
        let told = ad.wait("the refusal", |object| {
            condition(object, "AppealRefused")["status"] == "True"
        });
        let said = condition(&told, "AppealRefused")["message"]
            .as_str()
            .unwrap();
        assert!(said.contains("Appeals are closed today."), "{said}");
        ad.sweeps();
        ad.sweeps();
        assert_eq!(appeals(&case, tree).len(), 1, "never in a loop");
        case.no_faults();
        appeal(ad, &"very ".repeat(200));
        ad.wait("its length to be told", |object| {
            let said = condition(object, "AppealRefused")["message"].as_str();
            said.is_some_and(|said| said.contains("512"))
        });
        assert_eq!(appeals(&case, tree).len(), 1);
        appeal(ad, "The claim has a source, which is shown.");
        let told = ad.wait("the appeal", |object| {
            condition(object, "Appealed")["status"] == "True"
        });
        assert!(condition(&told, "AppealRefused").is_null());
        assert_eq!(appeals(&case, tree).len(), 2);
    });
}

#[test]
fn r28_an_appeal_whose_answer_is_lost_is_not_made_twice() {
    each(&PATHS, |&(tree, path)| {
        let case = Case::new("t28-lost");
        let branch = Branch::live(&case, tree);
        let ad = &branch.ad;
        reject(ad, "The claim has no source.");
        case.fault(&format!("*{path}"), json!({"kind": "answer_lost"}), 1);
        appeal(ad, "The claim has a source.");
        // The Smart+ tree shows that it has it; the manual tree says so when it is asked again.
        let settled = ad.wait("it to be settled", |object| match tree {
            Tree::SmartPlus => condition(object, "Appealed")["status"] == "True",
            Tree::Manual => condition(object, "AppealRefused")["message"]
                .as_str()
                .is_some_and(|said| said.contains("already been appealed")),
        });
        assert_eq!(settled["status"]["review"]["approved"], false);
        ad.sweeps();
        let calls = appeals(&case, tree).len();
        assert_eq!(calls, if tree == Tree::SmartPlus { 1 } else { 2 });
    });
}
