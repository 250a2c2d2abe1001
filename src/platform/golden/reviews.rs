//! Reviews of ads, from the reference's section 5 and the official pages on the reviews of Smart+ ads.

use serde_json::{Value, json};

use super::super::golden_replies::ok;
use super::super::*;
use super::ADVERTISER;

const AD: &str = "1728545382536227";

fn reviews(tree: Tree) -> Call {
    Call::Reviews {
        advertiser: ADVERTISER.into(),
        tree,
        ids: vec![AD.into()],
    }
}

#[test]
fn review_calls() {
    let manual = reviews(Tree::Manual).request(None);
    assert_eq!(
        (manual.method, manual.path),
        (Method::Get, "/open_api/v1.3/ad/review_info/")
    );
    assert_eq!(
        manual.query,
        [
            ("advertiser_id", ADVERTISER.to_owned()),
            ("ad_ids", format!("[\"{AD}\"]")),
            ("lang", "en".into())
        ]
    );
    let smart_plus = reviews(Tree::SmartPlus).request(None);
    assert_eq!(smart_plus.path, "/open_api/v1.3/smart_plus/ad/review_info/");
    assert_eq!(
        smart_plus.query,
        [
            ("advertiser_id", ADVERTISER.to_owned()),
            ("smart_plus_ad_ids", format!("[\"{AD}\"]")),
            (
                "extra_info_setting",
                "{\"include_reject_info\":true}".into()
            )
        ]
    );
}

fn told(tree: Tree, data: Value) -> Result<Vec<(String, Review)>, ErrorClass> {
    match read(&reviews(tree), ok(data)) {
        Ok(Answer {
            reply: Reply::Reviews(reviews),
            ..
        }) => Ok(reviews),
        Ok(other) => panic!("{other:?}"),
        Err(error) => Err(error.class),
    }
}

#[test]
fn a_manual_review_says_who_decided_what() {
    let data = json!({"ad_review_map": {AD: {
        "ad_id": AD, "is_approved": false, "review_status": "UNAVAILABLE", "appeal_status": "NOT_APPEALED",
        "last_audit_time": "2026-11-23 10:00:00", "forbidden_placements": [],
        "reject_info": [{"suggestion": "Change\u{202e} the text", "reasons": ["Misleading claims"],
            "forbidden_ages": ["AGE_13_17"], "forbidden_locations": ["US"], "forbidden_placements": ["PLACEMENT_TIKTOK"],
            "content_info": {"content_type": "MODE_STRING", "text_content": "Cures all"}}]
    }}});
    let review = Review {
        approved: Some(false),
        status: Some("UNAVAILABLE".into()),
        appeal: Some("NOT_APPEALED".into()),
        last_audit: "2026-11-23T10:00:00Z".parse().ok(),
        rejections: vec![RejectInfo {
            reasons: vec!["Misleading claims".into()],
            suggestion: Some("Change the text".into()),
            about: Some("MODE_STRING: Cures all".into()),
            forbidden_placements: vec!["PLACEMENT_TIKTOK".into()],
            forbidden_locations: vec!["US".into()],
            forbidden_ages: vec!["AGE_13_17".into()],
        }],
    };
    assert_eq!(told(Tree::Manual, data), Ok(vec![(AD.into(), review)]));
    assert_eq!(told(Tree::Manual, json!({})), Err(ErrorClass::Retry));
}

#[test]
fn a_smart_plus_review_says_what_is_wrong_with_single_creatives() {
    let ad = |status: &str| {
        json!({"appeal_reject_reasons": null, "appeal_status": "NOT_APPEALED", "passed_locations": null,
            "reject_info": [], "review_status": status, "smart_plus_ad_id": AD})
    };
    let data = json!({
        "material_review_infos": [
            {"ad_material_id": "21", "passed_locations": null, "reject_info": null,
                "review_status": "ALL_AVAILABLE", "smart_plus_ad_id": AD},
            {"ad_material_id": "22", "review_status": "UNAVAILABLE", "smart_plus_ad_id": AD,
                "reject_info": [{"reasons": ["Low quality"], "content_info":
                    {"content_type": "ModeMusic", "carousel_music_info": {"music_id": "5"}}}]},
            {"ad_material_id": "23", "review_status": "UNAVAILABLE", "smart_plus_ad_id": "another",
                "reject_info": [{"reasons": ["Not ours"]}]}
        ],
        "smart_plus_ad_review_infos": [ad("PART_AVAILABLE")]
    });
    let reviews = told(Tree::SmartPlus, data).unwrap();
    let (id, review) = &reviews[0];
    assert_eq!((id.as_str(), review.approved), (AD, Some(true)));
    assert_eq!(review.rejections.len(), 1);
    assert_eq!(review.rejections[0].reasons, ["Low quality"]);
    assert_eq!(review.rejections[0].about.as_deref(), Some("ModeMusic: 5"));

    for (status, approved) in [
        ("ALL_AVAILABLE", Some(true)),
        ("UNAVAILABLE", Some(false)),
        ("UNSET", None),
    ] {
        let data = json!({"smart_plus_ad_review_infos": [ad(status)]});
        assert_eq!(
            told(Tree::SmartPlus, data).unwrap()[0].1.approved,
            approved,
            "{status}"
        );
    }
}
