//! Manual ads that exist: updates, reviews, status calls; and the limits of their creates.

use super::{
    ads::{bench, refused},
    *,
};

const UPDATE: &str = "/ad/update/";

#[test]
fn an_update_replaces_the_creative() {
    let (mut bench, ad_group) = bench();
    let full = but(
        creative("a"),
        json!({"display_name": "Shop", "operation_status": null}),
    );
    let id = {
        let reply = bench.ads(&ad_group, json!([full.clone()]));
        reply["data"]["ad_ids"][0].as_str().unwrap().to_owned()
    };
    let update = |bench: &mut Bench, creative: Value| {
        let creative = but(creative, json!({"ad_id": id}));
        bench.post(
            UPDATE,
            json!({"adgroup_id": ad_group, "creatives": [creative]}),
        )
    };
    let same = update(&mut bench, full.clone());
    assert_eq!(same["code"], 40_012, "{same}");
    // What is not sent again is lost, or missed.
    let reply = update(&mut bench, but(full.clone(), json!({"display_name": null})));
    assert_eq!(reply["data"]["creatives"][0]["display_name"], "", "{reply}");
    assert_eq!(keys(&reply["data"]), ["ad_ids", "creatives"]);
    refused(
        &update(&mut bench, json!({"ad_text": "New"})),
        "creatives.0.ad_format: Missing",
    );
    refused(
        &update(
            &mut bench,
            but(full.clone(), json!({"operation_status": "DISABLE"})),
        ),
        "operation_status: This field cannot be updated.",
    );
    let reply = update(
        &mut bench,
        but(full.clone(), json!({"ad_name": null, "ad_text": "N"})),
    );
    assert_eq!(reply["data"]["creatives"][0]["ad_name"], id);
    let carousel = but(
        full,
        json!({"ad_format": "CAROUSEL_ADS", "video_id": null, "music_id": "5"}),
    );
    refused(&update(&mut bench, carousel), "carousel");
    assert_eq!(bench.row_of(Level::Ad, &id)["operation_status"], "ENABLE");
}

#[test]
fn a_patch_changes_nine_fields_alone() {
    let (mut bench, ad_group) = bench();
    let id = bench.ad(&ad_group, "a");
    let mut patch = |changes: Value| {
        let creative = but(changes, json!({"ad_id": id}));
        bench.post(
            UPDATE,
            json!({"adgroup_id": ad_group, "patch_update": true, "creatives": [creative]}),
        )
    };
    let reply = patch(json!({"ad_text": "New", "ad_name": "b"}));
    let ad = &reply["data"]["creatives"][0];
    assert_eq!(
        (&ad["ad_text"], &ad["ad_name"], &ad["video_id"]),
        (&json!("New"), &json!("b"), &json!("v1"))
    );
    refused(
        &patch(json!({"landing_page_url": "https://example.com/b"})),
        "when patch_update is true",
    );
    refused(
        &patch(json!({"ad_text": "a".repeat(101)})),
        "ad_text: Longer",
    );
    // A post takes the place of the video, which then has no cover.
    refused(&patch(json!({"tiktok_item_id": "9"})), "image_ids");
    assert_eq!(
        patch(json!({"tiktok_item_id": "9", "image_ids": []}))["code"],
        0
    );
}

#[test]
fn an_update_names_an_ad_of_its_ad_group() {
    let (mut bench, one) = bench();
    let campaign = bench.manual("other");
    let other = bench.ad_group(&campaign, "other");
    let id = bench.ad(&other, "a");
    let edit = but(
        creative("b"),
        json!({"operation_status": null, "ad_id": id}),
    );
    let body = |ad_group: &str| json!({"adgroup_id": ad_group, "creatives": [edit]});
    refused(
        &bench.post(UPDATE, body(&one)),
        "does not belong to ad group",
    );
    assert_eq!(bench.post(UPDATE, body(&other))["code"], 0);
}

#[test]
fn a_review_takes_its_time() {
    let (mut bench, ad_group) = bench();
    bench.knob("ad_review_seconds", "600");
    bench.knob("enable_in_review", "refuse");
    let on = but(creative("a"), json!({"operation_status": "ENABLE"}));
    let reply = bench.ads(&ad_group, json!([on, creative("b")]));
    assert_eq!(reply["data"]["need_audit"], true);
    let id = |index: usize| reply["data"]["ad_ids"][index].as_str().unwrap().to_owned();
    let (on, off) = (id(0), id(1));
    let shows =
        |bench: &mut Bench, id: &str| bench.row_of(Level::Ad, id)["secondary_status"].clone();
    bench.now += 3_600_000 - 600_000; // the schedule has begun when the review ends
    let again = but(creative("c"), json!({"operation_status": "ENABLE"}));
    let late = bench.ads(&ad_group, json!([again, creative("d")]));
    let late = |index: usize| late["data"]["ad_ids"][index].as_str().unwrap().to_owned();
    assert_eq!(shows(&mut bench, &late(0)), "AD_STATUS_AUDIT");
    assert_eq!(shows(&mut bench, &late(1)), "AD_STATUS_DISABLE");
    refused(
        &bench.operate(Level::Ad, &late(1), "ENABLE"),
        "while in review",
    );
    assert_eq!(bench.operate(Level::Ad, &off, "ENABLE")["code"], 0);
    bench.now += 600_000;
    assert_eq!(shows(&mut bench, &on), "AD_STATUS_DELIVERY_OK");
    assert_eq!(shows(&mut bench, &late(0)), "AD_STATUS_DELIVERY_OK");
    assert_eq!(bench.operate(Level::Ad, &late(1), "ENABLE")["code"], 0);
    // An edit of the creative is looked at again, a new name is not.
    let patch = |bench: &mut Bench, changes: Value| {
        let creative = but(changes, json!({"ad_id": on}));
        let body = json!({"adgroup_id": ad_group, "patch_update": true, "creatives": [creative]});
        assert_eq!(bench.post(UPDATE, body)["code"], 0);
    };
    patch(&mut bench, json!({"ad_name": "z"}));
    assert_eq!(shows(&mut bench, &on), "AD_STATUS_DELIVERY_OK");
    patch(&mut bench, json!({"ad_text": "New"}));
    assert_eq!(shows(&mut bench, &on), "AD_STATUS_REAUDIT");
    bench.sandbox.approve(bench.now, &on).unwrap();
    assert_eq!(shows(&mut bench, &on), "AD_STATUS_DELIVERY_OK");
    // A rejection holds until the creative changes.
    bench.sandbox.reject(bench.now, &on, None).unwrap();
    patch(&mut bench, json!({"ad_name": "y"}));
    assert_eq!(shows(&mut bench, &on), "AD_STATUS_AUDIT_DENY");
    patch(&mut bench, json!({"ad_text": "Newer"}));
    assert_eq!(shows(&mut bench, &on), "AD_STATUS_REAUDIT");
}

#[test]
fn ads_that_are_off_may_not_be_reviewed() {
    for (value, enable, after) in [
        ("reviewed", 40_002, "AD_STATUS_DISABLE"),
        ("when_enabled", 0, "AD_STATUS_AUDIT"),
    ] {
        let (mut bench, ad_group) = bench();
        bench.now += 2 * 3_600_000;
        bench.knob("ad_review_seconds", "forever");
        bench.knob("ad_review_of_disabled", value);
        bench.knob("enable_in_review", "refuse");
        let id = bench.ad(&ad_group, "a");
        bench.now += 365 * 24 * 3_600_000;
        assert_eq!(bench.operate(Level::Ad, &id, "ENABLE")["code"], enable);
        assert_eq!(bench.row_of(Level::Ad, &id)["secondary_status"], after);
        bench.sandbox.approve(bench.now, &id).unwrap();
        bench.operate(Level::Ad, &id, "ENABLE");
        let row = bench.row_of(Level::Ad, &id);
        assert_eq!(row["secondary_status"], "AD_STATUS_DELIVERY_OK");
    }
}

#[test]
fn aco_ads_have_their_own_ids() {
    let (mut bench, ad_group) = bench();
    let plain = bench.ad(&ad_group, "a");
    let fields = Map::from_iter([("is_aco".to_owned(), json!(true))]);
    let aco = bench
        .sandbox
        .insert_inside(bench.now, &ad_group, fields)
        .unwrap()
        .to_string();
    let mut call = |body: Value| bench.post("/ad/status/update/", body);
    let by =
        |name: &str, id: &str, operation: &str| json!({name: [id], "operation_status": operation});
    let reply = call(by("aco_ad_ids", &aco, "ENABLE"));
    assert_eq!(
        reply["data"],
        json!({"aco_ad_ids": [aco], "status": "ENABLE"})
    );
    refused(
        &call(by("aco_ad_ids", &aco, "DELETE")),
        "ACO ads cannot be deleted",
    );
    refused(
        &call(by("ad_ids", &aco, "DISABLE")),
        "Please use aco_ad_ids",
    );
    refused(
        &call(by("aco_ad_ids", &plain, "DISABLE")),
        "is not an ACO ad",
    );
    let both = but(by("ad_ids", &plain, "ENABLE"), json!({"aco_ad_ids": [aco]}));
    refused(&call(both), "at the same time");
    let body = but(
        smart_creative(&mut bench),
        json!({"creatives": [creative("a")]}),
    );
    refused(&bench.post("/ad/create/", body), "Smart Creative");
}

fn smart_creative(bench: &mut Bench) -> Value {
    let campaign = bench.manual("smart");
    let body = but(
        ad_group(&campaign, "smart"),
        json!({"creative_material_mode": "SMART_CREATIVE"}),
    );
    json!({"adgroup_id": made(&bench.post("/adgroup/create/", body), "adgroup_id")})
}

#[test]
fn creating_ads_has_limits_of_its_own() {
    let (mut bench, ad_group) = bench();
    bench.knob("rate", "tier");
    let body =
        json!({"advertiser_id": bench.id(), "adgroup_id": ad_group, "creatives": [creative("a")]});
    let create = |bench: &mut Bench| {
        let answer = bench.send("POST", "/ad/create/", "", body.to_string().as_bytes());
        answer.reply().map(Response::json).unwrap_or_default()
    };
    bench.now += 1_000;
    for _ in 0..5 {
        assert_eq!(create(&mut bench)["code"], 0);
    }
    let reply = create(&mut bench);
    assert_eq!(reply["code"], 40_100);
    assert!(
        reply["message"].as_str().unwrap().contains("QPS limit 5 "),
        "{reply}"
    );
    // Other endpoints have what is left of the app's ten.
    for _ in 0..5 {
        assert_eq!(bench.get("/ad/get/", &[])["code"], 0);
    }
    assert_eq!(bench.get("/ad/get/", &[])["code"], 40_100);
    bench.now += 1_000;
    assert_eq!(create(&mut bench)["code"], 0);
    bench.knob("ad_create_rate", "1/9/9");
    bench.now += 1_000;
    assert_eq!(create(&mut bench)["code"], 0);
    assert_eq!(create(&mut bench)["code"], 40_100);
    bench.knob("ad_create_rate", "off");
    for _ in 0..8 {
        assert_eq!(create(&mut bench)["code"], 0);
    }
}
