//! The server has a budget for running the rules on one object; the biggest objects that the schema lets through keep to it.

use serde_json::{Value, json};

use super::{Offline, TOO_MANY_PLACES, server};

#[test]
fn the_biggest_ad_group_and_ad_are_within_the_servers_budget() {
    let (runtime, server) = server("biggest");
    let ids = |from: u64, count: u64| -> Value {
        (from..from + count)
            .map(|n| Value::from((10_000_000_000_000_000_000 + n).to_string()))
            .collect()
    };
    let days = [
        "Monday",
        "Tuesday",
        "Wednesday",
        "Thursday",
        "Friday",
        "Saturday",
        "Sunday",
    ];
    let part = json!({ "days": days, "from": "00:00", "to": "24:00" });
    let behavior = json!({
        "scene": "CreatorRelated", "videoActions": ["Following", "ViewHomepage"], "categories": ids(0, 200),
    });
    let group = json!({
        "apiVersion": "tiktokads.dev/v1alpha1", "kind": "AdGroup", "metadata": { "name": "biggest" },
        "spec": {
            "campaignRef": { "name": "spring" },
            "name": "x".repeat(512),
            "targeting": {
                "locations": ids(0, 3000),
                "interestCategories": ids(0, 500),
                "interestKeywords": ids(0, 500),
                "audiences": ids(0, 500),
                "excludedAudiences": ids(500, 500),
                "deviceModels": ids(0, 1000),
                "carriers": ids(0, 500),
                "internetProviders": vec!["x".repeat(32); 500],
                "languages": vec!["zh-Hant"; 100],
                "behaviors": vec![behavior; 20],
            },
            "schedule": { "start": "2026-11-01T09:00:00+01:00", "end": "2026-12-01T09:00:00+01:00",
                          "dayparting": vec![part; 50] },
            "optimization": { "goal": "Click", "billingEvent": "CPC" },
        },
    });
    let creative = json!({
        "format": "Carousel", "images": vec!["x".repeat(256); 35], "musicId": "7500000000000000001",
        "identity": { "type": "TikTokUser", "id": "x".repeat(64) },
    });
    let utm: Vec<_> = (10..24)
        .map(|n| json!({ "key": format!("{n}{}", "k".repeat(98)), "value": "v".repeat(600) }))
        .collect();
    let query: Vec<_> = utm
        .iter()
        .map(|one| format!("{}=v", one["key"].as_str().unwrap()))
        .collect();
    let ad = json!({
        "apiVersion": "tiktokads.dev/v1alpha1", "kind": "Ad", "metadata": { "name": "biggest" },
        "spec": {
            "adGroupRef": { "name": "biggest" },
            "creatives": vec![creative; 50],
            "texts": vec!["春".repeat(50); 5],
            "landingPage": { "url": format!("https://example.com/?{}", query.join("&")), "utm": utm },
        },
    });
    let mut too_many = group.clone();
    too_many["spec"]["targeting"]["zipCodes"] = json!(["9000001"]);
    let refused = runtime.block_on(server.submit(None, &too_many.to_string()));
    assert!(
        refused
            .as_ref()
            .is_err_and(|text| text.contains(TOO_MANY_PLACES)),
        "{refused:?}"
    );
    let offline = Offline::new().submit(None, &too_many.to_string());
    assert!(
        offline
            .as_ref()
            .is_err_and(|text| text.contains(TOO_MANY_PLACES)),
        "{offline:?}"
    );
    for object in [group, ad] {
        let manifest = serde_json::to_string(&object).unwrap();
        let first = runtime.block_on(server.submit(None, &manifest));
        assert_eq!(first, Ok(()), "{} at its creation", object["kind"]);
        let change = runtime.block_on(server.submit(Some(&manifest), &manifest));
        assert_eq!(change, Ok(()), "{} at a change", object["kind"]);
    }
}
