//! Manual ads.

use super::*;

/// The fields of the official example's answer to an ad create.
const EXAMPLE: &[&str] = &[
    "ad_name",
    "card_id",
    "call_to_action_id",
    "profile_image_url",
    "fallback_type",
    "creative_authorized",
    "vast_moat_enabled",
    "deeplink_format_type",
    "image_ids",
    "is_aco",
    "campaign_id",
    "video_id",
    "click_tracking_url",
    "display_name",
    "campaign_name",
    "app_name",
    "ad_texts",
    "tracking_pixel_id",
    "call_to_action",
    "ad_id",
    "tracking_app_id",
    "is_new_structure",
    "creative_type",
    "identity_type",
    "playable_url",
    "impression_tracking_url",
    "advertiser_id",
    "adgroup_id",
    "landing_page_urls",
    "create_time",
    "ad_format",
    "operation_status",
    "identity_id",
    "adgroup_name",
    "viewability_vast_url",
    "tracking_offline_event_set_ids",
    "viewability_postbid_partner",
    "music_id",
    "brand_safety_vast_url",
    "optimization_event",
    "deeplink",
    "deeplink_type",
    "page_id",
    "brand_safety_postbid_partner",
    "landing_page_url",
    "modify_time",
    "ad_text",
    "avatar_icon_web_uri",
];

/// A bench with one manual ad group.
pub(super) fn bench() -> (Bench, String) {
    bench_with(NewAccount::default())
}

pub(super) fn bench_with(account: NewAccount) -> (Bench, String) {
    let mut bench = Bench::with(account);
    let campaign = bench.manual_with("c", json!({"operation_status": "ENABLE"}));
    let body = but(
        ad_group(&campaign, "g"),
        json!({"operation_status": "ENABLE"}),
    );
    let id = made(&bench.post("/adgroup/create/", body), "adgroup_id");
    (bench, id)
}

pub(super) fn refused(reply: &Value, text: &str) {
    assert_eq!(reply["code"], 40_002, "{reply}");
    let message = reply["message"].as_str().unwrap();
    assert!(message.contains(text), "{message}, not {text}");
}

/// What a new sandbox says to a create of one ad.
fn says(changes: Value) -> Value {
    let (mut bench, ad_group) = bench();
    bench.ads(&ad_group, json!([but(creative("a"), changes)]))
}

#[test]
fn the_answer_is_the_official_examples() {
    let (mut bench, ad_group) = bench();
    let reply = bench.ads(&ad_group, json!([creative("a"), creative("b")]));
    assert_eq!(keys(&reply["data"]), ["ad_ids", "creatives", "need_audit"]);
    assert_eq!(reply["data"]["need_audit"], false);
    let ad = &reply["data"]["creatives"][1];
    assert_eq!(ad["ad_id"], reply["data"]["ad_ids"][1]);
    let mut wanted = EXAMPLE.to_vec();
    wanted.sort_unstable();
    let mut found = keys(ad);
    found.sort_unstable();
    assert_eq!(found, wanted);
    for (name, value) in [
        ("ad_name", json!("b")),
        ("adgroup_name", json!("g")),
        ("campaign_name", json!("c")),
        ("operation_status", json!("DISABLE")),
        ("tracking_pixel_id", json!(0)),
        ("card_id", json!(null)),
        ("is_aco", json!(false)),
        ("deeplink_type", json!("NORMAL")),
        ("avatar_icon_web_uri", json!("")),
        ("is_new_structure", json!(true)),
        ("landing_page_urls", json!(null)),
    ] {
        assert_eq!(ad[name], value, "{name}");
    }
    assert!(ad.get("secondary_status").is_none());
    let row = bench.row_of(Level::Ad, ad["ad_id"].as_str().unwrap());
    assert_eq!(row["secondary_status"], "AD_STATUS_DISABLE");
    assert_eq!(row["identity_id"], "account");
}

#[test]
fn one_to_twenty_creatives() {
    let (mut bench, ad_group) = bench();
    let many = |count: usize| vec![creative("a"); count];
    assert_eq!(bench.ads(&ad_group, json!(many(20)))["code"], 0);
    for wrong in [json!(many(0)), json!(many(21))] {
        refused(&bench.ads(&ad_group, wrong), "creatives: Length");
    }
    refused(
        &bench.ads(&ad_group, json!("x")),
        "creatives: Not a valid list",
    );
    refused(
        &bench.ads(&ad_group, json!([5])),
        "creatives.0: Not a valid object",
    );
    refused(&bench.ads("1", json!(many(1))), "does not exist");
    // The status stands in each creative; above them it means nothing.
    let body = json!({
        "adgroup_id": ad_group, "operation_status": "DISABLE",
        "creatives": [but(creative("a"), json!({"operation_status": null}))],
    });
    let reply = bench.post("/ad/create/", body);
    assert_eq!(reply["data"]["creatives"][0]["operation_status"], "ENABLE");
}

#[test]
fn identities_and_where_the_video_comes_from() {
    let mismatch = "Identity_type and Identity_bc_ID don't match";
    let business = json!({"identity_type": "BC_AUTH_TT"});
    refused(&says(business.clone()), mismatch);
    refused(&says(json!({"identity_authorized_bc_id": "5"})), mismatch);
    assert_eq!(
        says(but(business, json!({"identity_authorized_bc_id": "5"})))["code"],
        0
    );
    refused(&says(json!({"identity_id": null})), "identity_id: Missing");
    let pull = json!({"tiktok_item_id": "9", "video_id": null, "image_ids": null, "ad_text": null});
    assert_eq!(says(pull.clone())["code"], 0);
    refused(&says(json!({"tiktok_item_id": "9"})), "at the same time");
    refused(
        &says(json!({"video_id": null})),
        "Either video_id or tiktok_item_id",
    );
    refused(
        &says(but(pull.clone(), json!({"image_ids": ["cover"]}))),
        "image_ids is not supported",
    );
    refused(
        &says(json!({"identity_type": "AUTH_CODE"})),
        "tiktok_item_id: Missing",
    );
    assert_eq!(
        says(but(pull.clone(), json!({"identity_type": "AUTH_CODE"})))["code"],
        0
    );
    let (mut bench, ad_group) = bench();
    bench.knob("custom_identity", "accept");
    let mut custom = |changes: Value| {
        let own = but(creative("a"), json!({"identity_type": "CUSTOMIZED_USER"}));
        bench.ads(&ad_group, json!([but(own, changes)]))
    };
    assert_eq!(custom(json!({}))["code"], 0);
    refused(&custom(pull), "tiktok_item_id is not supported");
    refused(&custom(json!({"ad_text": null})), "ad_text: Missing");
    refused(&custom(json!({"video_id": null})), "video_id: Missing");
}

#[test]
fn custom_identities_are_no_longer_supported() {
    let custom = json!([but(
        creative("a"),
        json!({"identity_type": "CUSTOMIZED_USER"})
    )]);
    for (knob, allowed, good) in [
        ("by_account", false, false),
        ("by_account", true, true),
        ("accept", false, true),
        ("refuse", true, false),
    ] {
        let (mut bench, ad_group) = bench_with(NewAccount {
            can_use_custom_identity: allowed,
            ..NewAccount::default()
        });
        bench.knob("custom_identity", knob);
        let reply = bench.ads(&ad_group, custom.clone());
        if good {
            assert_eq!(reply["code"], 0, "{knob}");
            // What exists can be edited.
            bench.knob("custom_identity", "refuse");
            let id = reply["data"]["ad_ids"][0].clone();
            let edit = json!({"ad_id": id, "ad_text": "New"});
            let body = json!({"adgroup_id": ad_group, "patch_update": true, "creatives": [edit]});
            assert_eq!(bench.post("/ad/update/", body)["code"], 0);
        } else {
            refused(&reply, "Custom identities are no longer supported.");
        }
    }
    // Outside of TikTok they stay.
    let (mut bench, _) = bench();
    let campaign = bench.manual("p");
    let body = but(
        ad_group(&campaign, "p"),
        json!({"placements": ["PLACEMENT_PANGLE"]}),
    );
    let pangle = made(&bench.post("/adgroup/create/", body), "adgroup_id");
    assert_eq!(bench.ads(&pangle, custom)["code"], 0);
}

#[test]
fn ads_only_accounts_hide_what_they_push() {
    let (mut bench, ad_group) = bench_with(NewAccount {
        ads_only_mode: true,
        ..NewAccount::default()
    });
    refused(
        &bench.ads(&ad_group, json!([creative("a")])),
        "dark_post_status",
    );
    let dark = but(creative("a"), json!({"dark_post_status": "ON"}));
    assert_eq!(bench.ads(&ad_group, json!([dark]))["code"], 0);
}

#[test]
fn pictures_and_music() {
    refused(
        &says(json!({"image_ids": null})),
        "You must upload an image",
    );
    refused(&says(json!({"image_ids": []})), "You must upload an image");
    refused(&says(json!({"image_ids": ["a", "b"]})), "maximum length 1");
    let carousel = json!({
        "ad_format": "CAROUSEL_ADS", "video_id": null, "image_ids": ["a", "b"], "music_id": "5",
        "identity_type": "TT_USER",
    });
    assert_eq!(says(carousel.clone())["code"], 0);
    refused(
        &says(but(carousel.clone(), json!({"music_id": null}))),
        "music_id: Missing",
    );
    let many = vec!["a"; 36];
    refused(
        &says(but(carousel.clone(), json!({"image_ids": many}))),
        "between 1 and 35",
    );
    refused(
        &says(but(carousel, json!({"video_id": "v"}))),
        "video_id is not supported",
    );
    refused(&says(json!({"ad_format": null})), "ad_format: Missing");
}

#[test]
fn texts() {
    assert_eq!(says(json!({"ad_text": "a".repeat(100)}))["code"], 0);
    refused(
        &says(json!({"ad_text": "a".repeat(101)})),
        "ad_text: Longer",
    );
    refused(
        &says(json!({"ad_text": "夏".repeat(51)})),
        "ad_text: Longer",
    );
    refused(&says(json!({"ad_text": "Sale 🔥"})), "ad_text: Emoji");
    refused(&says(json!({"ad_name": "Sale 🔥"})), "ad_name: Emoji");
    refused(
        &says(json!({"ad_name": "a".repeat(513)})),
        "ad_name: Longer",
    );
    refused(
        &says(json!({"display_name": "a".repeat(41)})),
        "display_name: Longer",
    );
    // An empty name becomes the id.
    let reply = says(json!({"ad_name": ""}));
    let ad = &reply["data"]["creatives"][0];
    assert_eq!(ad["ad_name"], ad["ad_id"]);
}

#[test]
fn a_call_to_action_by_id_wins() {
    refused(
        &says(json!({"call_to_action": null})),
        "call_to_action: Missing",
    );
    let reply = says(json!({"call_to_action_id": "5"}));
    let ad = &reply["data"]["creatives"][0];
    assert_eq!(
        (&ad["call_to_action_id"], &ad["call_to_action"]),
        (&json!("5"), &json!(null))
    );
}

#[test]
fn where_a_click_leads() {
    refused(
        &says(json!({"landing_page_url": null})),
        "landing_page_url: Missing",
    );
    refused(
        &says(json!({"landing_page_url": "example.com"})),
        "landing_page_url: Not a valid URL",
    );
    assert_eq!(
        says(json!({"landing_page_url": null, "page_id": 5}))["code"],
        0
    );
    let tagged = |params: Value| {
        says(json!({
            "landing_page_url": "https://example.com/?utm_source=tiktok&utm_id=__CID__", "utm_params": params,
        }))
    };
    assert_eq!(
        tagged(json!([{"key": "utm_id", "value": "__CID__"}]))["code"],
        0
    );
    refused(
        &tagged(json!([{"key": "utm_id", "value": "other"}])),
        "Does not match landing_page_url",
    );
    refused(
        &tagged(json!([{"key": "utm_id"}])),
        "utm_params.0.value: Missing",
    );
    let many: Vec<Value> = vec![json!({"key": "utm_id", "value": "__CID__"}); 15];
    refused(&tagged(json!(many)), "maximum length 14");
}

#[test]
fn a_batch_is_whole_or_in_part() {
    for (value, code, made) in [
        ("whole", 40_002, 0),
        ("part_refused", 40_002, 2),
        ("part_answered", 20_001, 2),
        ("part_silent", 0, 2),
    ] {
        let (mut bench, ad_group) = bench();
        bench.knob("ad_batch", value);
        let bad = but(creative("bad"), json!({"ad_text": "a".repeat(101)}));
        let batch = json!([creative("a"), bad, creative("b")]);
        let reply = bench.ads(&ad_group, batch);
        assert_eq!(reply["code"], code, "{value}");
        if code == 40_002 {
            refused(
                &reply,
                "creatives.1.ad_text: Longer than maximum length 100.",
            );
        } else {
            assert_eq!(reply["data"]["ad_ids"].as_array().unwrap().len(), made);
        }
        assert_eq!(bench.sandbox.ads(&bench.id()).count(), made, "{value}");
        // Nothing good is a refusal anyway.
        let bad = json!([but(creative("bad"), json!({"image_ids": null}))]);
        assert_eq!(
            bench.ads(&ad_group, bad)["message"],
            "You must upload an image"
        );
    }
}

#[test]
fn names_are_unique_as_far_as_the_knob_says() {
    for (value, twice, elsewhere) in [
        ("off", 0, 0),
        ("ad_group", 40_002, 0),
        ("advertiser", 40_002, 40_002),
    ] {
        let (mut bench, one) = bench();
        bench.knob("ad_name_unique", value);
        let campaign = bench.manual("other");
        let other = bench.ad_group(&campaign, "other");
        assert_eq!(
            bench.ads(&one, json!([creative("a"), creative("a")]))["code"],
            twice
        );
        assert_eq!(bench.ads(&one, json!([creative("b")]))["code"], 0);
        assert_eq!(bench.ads(&one, json!([creative("b")]))["code"], twice);
        assert_eq!(bench.ads(&other, json!([creative("b")]))["code"], elsewhere);
    }
}

#[test]
fn by_hand_nothing_is_made_any_more_from_a_day_on() {
    let mut bench = Bench::new();
    let objective = json!({"objective_type": "WEB_CONVERSIONS"});
    let campaign = bench.manual_with("c", objective);
    let (before, traffic) = (bench.ad_group(&campaign, "before"), bench.manual("t"));
    bench.now = START + 40 * 24 * 3_600_000; // January
    let late = json!({"schedule_start_time": "2027-01-03 00:00:00"});
    let body = but(ad_group(&campaign, "after"), late.clone());
    refused(
        &bench.post("/adgroup/create/", body),
        "can no longer be created",
    );
    refused(
        &bench.ads(&before, json!([creative("a")])),
        "can no longer be created",
    );
    let renamed = json!({"adgroup_id": before, "adgroup_name": "still"});
    assert_eq!(bench.post("/adgroup/update/", renamed)["code"], 0);
    assert_eq!(bench.operate(Level::AdGroup, &before, "ENABLE")["code"], 0);
    let body = but(ad_group(&traffic, "after"), late);
    let after = made(&bench.post("/adgroup/create/", body), "adgroup_id");
    assert_eq!(bench.ads(&after, json!([creative("a")]))["code"], 0);
}
