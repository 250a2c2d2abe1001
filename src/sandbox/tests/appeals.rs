//! Appeals against rejections.

use super::{
    smart_plus_ads::{ad_id, video},
    *,
};

impl Bench {
    fn appeal(&mut self, path: &str, body: Value) -> i64 {
        self.post(path, body)["code"].as_i64().unwrap()
    }
}

#[test]
fn an_ad_groups_appeal_is_answered_through_its_ads() {
    let mut bench = Bench::new();
    let home = bench.manual_home("m");
    let (a, b) = (bench.manual_ad(&home, "a"), bench.manual_ad(&home, "b"));
    let path = "/adgroup/appeal/";
    assert_eq!(
        bench.appeal(path, json!({"adgroup_id": home})),
        40_002,
        "nothing is rejected"
    );
    bench.reject(&a, json!({}));
    assert_eq!(
        bench.appeal(path, json!({"adgroup_id": home, "ad_id": b})),
        40_002,
        "this one is fine"
    );
    assert_eq!(
        bench.appeal(
            path,
            json!({"adgroup_id": home, "appeal_reason": "x".repeat(513)})
        ),
        40_002
    );
    assert_eq!(
        bench.appeal(
            path,
            json!({"adgroup_id": home, "ad_id": a, "appeal_reason": "It is fine."})
        ),
        0
    );
    let state = |bench: &mut Bench| {
        bench.group_review(&home)["ad_group_review_map"][&home]["appeal_status"].clone()
    };
    assert_eq!(state(&mut bench), "APPEALING");
    assert_eq!(
        bench.appeal(path, json!({"adgroup_id": home, "ad_id": a})),
        40_002,
        "once"
    );
    bench.reject(&a, json!({"reasons": ["Still."]}));
    assert_eq!(state(&mut bench), "APPEAL_FAILED");
    bench.reject(&b, json!({}));
    assert_eq!(state(&mut bench), "NOT_APPEALED", "a new rejection");
    assert_eq!(bench.appeal(path, json!({"adgroup_id": home})), 0);
    bench.approve(&a);
    assert_eq!(state(&mut bench), "APPEALING", "one is left");
    bench.approve(&b);
    assert_eq!(state(&mut bench), "APPEAL_SUCCESSFUL");
}

#[test]
fn a_smart_plus_appeal_fails_with_reasons_and_an_edit_forgets_it() {
    let mut bench = Bench::new();
    let home = bench.smart_plus_home("s");
    let id = ad_id(&bench.smart_plus_ad(&home, &["a"]));
    let path = "/smart_plus/ad/appeal/";
    bench.reject(&id, json!({"reasons": ["No."]}));
    assert_eq!(bench.appeal(path, json!({"smart_plus_ad_id": id})), 0);
    bench.reject(&id, json!({"reasons": ["Still no."]}));
    let entry = bench.smart_plus_review(&id)["smart_plus_ad_review_infos"][0].clone();
    assert_eq!(entry["appeal_status"], "APPEAL_FAILED");
    assert_eq!(entry["appeal_reject_reasons"], json!(["Still no."]));
    assert_eq!(bench.appeal(path, json!({"smart_plus_ad_id": id})), 40_002);
    bench.update_ad(&id, json!({"creative_list": [video("b")]}));
    let entry = bench.smart_plus_review(&id)["smart_plus_ad_review_infos"][0].clone();
    assert_eq!(
        (&entry["appeal_status"], &entry["review_status"]),
        (&json!("NOT_APPEALED"), &json!("ALL_AVAILABLE"))
    );
}
