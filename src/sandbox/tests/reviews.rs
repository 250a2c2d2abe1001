//! Reviews: what the control interface and the knobs find, and what review_info says of it.

use super::{
    smart_plus_ads::{ad, ad_id, video},
    *,
};

impl Bench {
    /// An ad group of a campaign of its own, both on, already started.
    pub(super) fn manual_home(&mut self, name: &str) -> String {
        let mut body = manual(name);
        body["operation_status"] = json!("ENABLE");
        let campaign = id_of(&self.post("/campaign/create/", body));
        let reply = self.post(
            "/adgroup/create/",
            json!({
                "campaign_id": campaign, "adgroup_name": name, "promotion_type": "WEBSITE",
                "placement_type": "PLACEMENT_TYPE_NORMAL", "placements": ["PLACEMENT_TIKTOK"],
                "location_ids": ["6252001"], "budget_mode": "BUDGET_MODE_DAY", "budget": 20,
                "schedule_type": "SCHEDULE_FROM_NOW", "schedule_start_time": time::datetime(self.now + 60_000),
                "optimization_goal": "CLICK", "bid_type": "BID_TYPE_NO_BID", "billing_event": "CPC",
                "pacing": "PACING_MODE_SMOOTH",
            }),
        );
        assert_eq!(reply["code"], 0, "{reply}");
        self.now += 120_000;
        reply["data"]["adgroup_id"].as_str().unwrap().to_owned()
    }

    pub(super) fn manual_ad(&mut self, home: &str, text: &str) -> String {
        let reply = self.post(
            "/ad/create/",
            json!({"adgroup_id": home, "creatives": [{
                "ad_name": text, "ad_format": "SINGLE_VIDEO", "identity_type": "TT_USER", "identity_id": "brand",
                "video_id": "v1", "image_ids": ["cover-1"], "ad_text": text, "call_to_action": "SHOP_NOW",
                "landing_page_url": "https://example.com",
            }]}),
        );
        assert_eq!(reply["code"], 0, "{reply}");
        reply["data"]["ad_ids"][0].as_str().unwrap().to_owned()
    }

    pub(super) fn reject(&mut self, id: &str, new: Value) {
        let new: NewRejection = serde_json::from_value(new).unwrap();
        self.sandbox.reject_content(self.now, id, new).unwrap();
    }

    pub(super) fn approve(&mut self, id: &str) {
        self.sandbox.approve(self.now, id).unwrap();
    }

    fn ad_status(&mut self, id: &str) -> String {
        let row = self.ad_rows(json!({"ad_ids": [id]}))[0].clone();
        row["secondary_status"].as_str().unwrap().to_owned()
    }

    fn group_status(&mut self, id: &str) -> String {
        let filtering = json!({"adgroup_ids": [id]});
        let reply = self.get("/adgroup/get/", &[("filtering", filtering)]);
        reply["data"]["list"][0]["secondary_status"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    pub(super) fn ad_review(&mut self, id: &str) -> Value {
        self.get("/ad/review_info/", &[("ad_ids", json!([id]))])["data"]["ad_review_map"][id]
            .clone()
    }

    pub(super) fn group_review(&mut self, id: &str) -> Value {
        self.get("/adgroup/review_info/", &[("adgroup_ids", json!([id]))])["data"].clone()
    }

    pub(super) fn smart_plus_review(&mut self, id: &str) -> Value {
        self.get(
            "/smart_plus/ad/review_info/",
            &[
                ("smart_plus_ad_ids", json!([id])),
                ("extra_info_setting", json!({"include_reject_info": true})),
            ],
        )["data"]
            .clone()
    }
}

#[test]
fn a_rejection_shows_everywhere_until_it_is_taken_back() {
    let mut bench = Bench::new();
    let home = bench.manual_home("m");
    let (bad, good) = (
        bench.manual_ad(&home, "bad"),
        bench.manual_ad(&home, "good"),
    );
    assert_eq!(bench.ad_status(&bad), "AD_STATUS_DELIVERY_OK");
    assert_eq!(bench.ad_review(&bad)["review_status"], "ALL_AVAILABLE");
    bench.reject(
        &bad,
        json!({"reasons": ["Too loud."], "suggestion": "Hush.", "content_type": "text"}),
    );
    assert_eq!(bench.ad_status(&bad), "AD_STATUS_AUDIT_DENY");
    assert_eq!(
        bench.group_status(&home),
        "ADGROUP_STATUS_PARTIAL_AUDIT_DELIVERY_OK"
    );
    let entry = bench.ad_review(&bad);
    assert_eq!(
        (
            &entry["review_status"],
            &entry["is_approved"],
            &entry["appeal_status"],
            &entry["last_audit_time"]
        ),
        (
            &json!("UNAVAILABLE"),
            &json!(false),
            &Value::Null,
            &Value::Null
        )
    );
    assert_eq!(
        entry["reject_info"][0]["content_info"],
        json!({"content_type": "MODE_STRING", "text_content": "bad", "image_content": null,
               "video_content": null, "carousel_music_content": null})
    );
    let review = bench.group_review(&home);
    let group = &review["ad_group_review_map"][&home];
    assert_eq!(group["review_status"], "PART_AVAILABLE");
    assert_eq!(group["contain_rejected_ads"], true);
    assert_eq!(group["contains_rejected_ads"], true);
    assert_eq!(
        group["last_audit_time"],
        Value::Null,
        "only said of a rejected ad group"
    );
    let ads = review["ad_review_map"][&home].as_object().unwrap();
    assert_eq!(ads.len(), 2);
    assert_eq!(ads[&bad], entry);
    assert_eq!(ads[&good]["review_status"], "ALL_AVAILABLE");
    bench.reject(&good, json!({}));
    assert_eq!(bench.group_status(&home), "ADGROUP_STATUS_AUDIT_DENY");
    let group = bench.group_review(&home)["ad_group_review_map"][&home].clone();
    assert_eq!(group["review_status"], "UNAVAILABLE");
    assert_eq!(group["last_audit_time"], time::datetime(bench.now));
    for id in [&bad, &good] {
        bench.approve(id);
    }
    assert_eq!(bench.group_status(&home), "ADGROUP_STATUS_DELIVERY_OK");
    assert_eq!(bench.ad_review(&bad)["reject_info"], json!([]));
}

#[test]
fn a_part_is_forbidden() {
    let mut bench = Bench::new();
    let home = bench.manual_home("m");
    let id = bench.manual_ad(&home, "a");
    bench.reject(
        &id,
        json!({"forbidden_locations": ["RU"], "forbidden_ages": ["AGE_13_17"]}),
    );
    assert_eq!(bench.ad_status(&id), "AD_STATUS_PARTIAL_AUDIT_DELIVERY_OK");
    let entry = bench.ad_review(&id);
    assert_eq!(entry["review_status"], "PART_AVAILABLE");
    assert_eq!(entry["is_approved"], true);
    assert_eq!(entry["forbidden_locations"], json!(["RU"]));
    assert_eq!(entry["forbidden_ages"], json!(["AGE_13_17"]));
    assert_eq!(
        bench.group_status(&home),
        "ADGROUP_STATUS_PARTIAL_AUDIT_DELIVERY_OK"
    );
}

#[test]
fn a_rejected_ad_group_stops_its_ads() {
    let mut bench = Bench::new();
    let home = bench.manual_home("m");
    let id = bench.manual_ad(&home, "a");
    bench.reject(&home, json!({"reasons": ["Not in this country."]}));
    assert_eq!(bench.group_status(&home), "ADGROUP_STATUS_AUDIT_DENY");
    assert_eq!(bench.ad_status(&id), "AD_STATUS_ADGROUP_AUDIT_DENY");
    let group = bench.group_review(&home)["ad_group_review_map"][&home].clone();
    assert_eq!(
        group["reject_info"][0]["reasons"],
        json!(["Not in this country."])
    );
    bench.approve(&home);
    assert_eq!(bench.ad_status(&id), "AD_STATUS_DELIVERY_OK");
}

#[test]
fn creatives_are_reviewed_one_by_one() {
    let mut bench = Bench::new();
    let home = bench.smart_plus_home("s");
    let data = bench.smart_plus_ad(&home, &["a", "b"]);
    let id = ad_id(&data);
    let material = |index: usize| {
        data["creative_list"][index]["ad_material_id"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    bench.reject(
        &id,
        json!({"material_id": material(1), "reasons": ["No."], "content_type": "image"}),
    );
    assert_eq!(
        bench.smart_plus_row(&id)["secondary_status"],
        "AD_STATUS_REVIEW_PARTIALLY_APPROVED"
    );
    let review = bench.smart_plus_review(&id);
    assert_eq!(
        review["smart_plus_ad_review_infos"][0]["review_status"],
        "PART_AVAILABLE"
    );
    assert_eq!(
        review["smart_plus_ad_review_infos"][0]["reject_info"],
        json!([])
    );
    let materials = &review["material_review_infos"];
    assert_eq!(
        (&materials[0]["review_status"], &materials[0]["reject_info"]),
        (&json!("ALL_AVAILABLE"), &Value::Null)
    );
    assert_eq!(
        materials[1]["reject_info"][0]["content_info"]["image_content"],
        json!({"image_id": "cover-b"})
    );
    // The manual tree's word about the same creatives, under the ids of its lists.
    let rows = bench.ad_rows(json!({}));
    let ad_ids: Vec<String> = rows
        .iter()
        .map(|row| row["ad_id"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(bench.ad_review(&ad_ids[0])["review_status"], "UNAVAILABLE");
    assert_eq!(
        bench.ad_review(&ad_ids[1])["review_status"],
        "ALL_AVAILABLE"
    );
    let of_group = bench.group_review(&home)["ad_review_map"][&home].clone();
    assert_eq!(
        of_group[&ad_ids[0]]["reject_info"][0]["reasons"],
        json!(["No."])
    );
    bench.reject(&id, json!({"material_id": material(0)}));
    assert_eq!(
        bench.smart_plus_row(&id)["secondary_status"],
        "AD_STATUS_AUDIT_DENY"
    );
    bench
        .sandbox
        .approve_content(bench.now, &id, Some(&material(1)))
        .unwrap();
    let statuses = |review: &Value| {
        json!([
            review["material_review_infos"][0]["review_status"],
            review["material_review_infos"][1]["review_status"]
        ])
    };
    assert_eq!(
        statuses(&bench.smart_plus_review(&id)),
        json!(["UNAVAILABLE", "ALL_AVAILABLE"])
    );
    // New content is looked at anew.
    bench.update_ad(&id, json!({"creative_list": [video("a"), video("c")]}));
    assert_eq!(
        statuses(&bench.smart_plus_review(&id)),
        json!(["ALL_AVAILABLE", "ALL_AVAILABLE"])
    );
    assert!(
        bench
            .sandbox
            .approve_content(bench.now, &id, Some("1"))
            .is_err()
    );
}

#[test]
fn a_review_takes_its_time_and_finds_what_the_knob_says() {
    let mut bench = Bench::new();
    let home = bench.smart_plus_home("s");
    bench.knob("ad_review_seconds", "60");
    bench.knob("review_rejects", "casino");
    let good = ad_id(&bench.smart_plus_ad(&home, &["a"]));
    let mut body = ad(&home, &["b"]);
    body["ad_text_list"] = json!([{"ad_text": "The casino next door"}]);
    let bad = ad_id(&bench.post("/smart_plus/ad/create/", body)["data"]);
    for id in [&good, &bad] {
        assert_eq!(
            bench.smart_plus_row(id)["secondary_status"],
            "AD_STATUS_AUDIT"
        );
        assert_eq!(
            bench.smart_plus_review(id)["smart_plus_ad_review_infos"],
            json!([])
        );
    }
    bench.now += 60_000;
    assert_eq!(
        bench.smart_plus_row(&good)["secondary_status"],
        "AD_STATUS_DELIVERY_OK"
    );
    assert_eq!(
        bench.smart_plus_row(&bad)["secondary_status"],
        "AD_STATUS_AUDIT_DENY"
    );
    bench.update_ad(
        &bad,
        json!({"ad_text_list": [{"ad_text": "The kite next door"}]}),
    );
    assert_eq!(
        bench.smart_plus_row(&bad)["secondary_status"],
        "AD_STATUS_REAUDIT"
    );
    bench.now += 60_000;
    assert_eq!(
        bench.smart_plus_row(&bad)["secondary_status"],
        "AD_STATUS_DELIVERY_OK"
    );
    // A name is not content, and what only measures is not either.
    bench.update_ad(&good, json!({"ad_name": "other"}));
    let measures = json!({"utm_params": [{"key": "utm_source", "value": "t"}]});
    bench.update_ad(&good, json!({ "ad_configuration": measures }));
    assert_eq!(
        bench.smart_plus_row(&good)["secondary_status"],
        "AD_STATUS_DELIVERY_OK"
    );
}

#[test]
fn refused_review_calls() {
    let mut bench = Bench::new();
    let ids: Vec<String> = (1..=101).map(|number: u32| number.to_string()).collect();
    for (path, name, most) in [
        ("/ad/review_info/", "ad_ids", 20),
        ("/adgroup/review_info/", "adgroup_ids", 20),
        ("/smart_plus/ad/review_info/", "smart_plus_ad_ids", 100),
        ("/smart_plus/material/review_info/", "ad_material_ids", 100),
    ] {
        for (value, code, text) in [
            (
                json!(ids[..=most]),
                40_011,
                format!("{name}: Longer than maximum length {most}."),
            ),
            (
                json!([]),
                40_002,
                format!("{name}: Shorter than minimum length 1."),
            ),
            (
                json!(["x"]),
                40_002,
                format!("{name}.0: Not a valid int64 string."),
            ),
            (json!(5), 40_002, format!("{name}: Not a valid list.")),
        ] {
            let reply = bench.get(path, &[(name, value.clone())]);
            assert_eq!(
                (&reply["code"], &reply["message"]),
                (&json!(code), &json!(text)),
                "{path} {value}"
            );
        }
        assert_eq!(
            bench.get(path, &[])["message"],
            format!("{name}: Missing data for required field.")
        );
    }
    let home = bench.smart_plus_home("s");
    let id = ad_id(&bench.smart_plus_ad(&home, &["a"]));
    let extra = (
        "extra_info_setting",
        json!({"include_violation_frame": true}),
    );
    let reply = bench.get(
        "/smart_plus/ad/review_info/",
        &[("smart_plus_ad_ids", json!([id])), extra],
    );
    assert!(
        reply["message"]
            .as_str()
            .unwrap()
            .contains("include_violation_frame"),
        "{reply}"
    );
    // A Smart+ ad's id is no ad_id of the manual tree.
    assert_eq!(
        bench.get("/ad/review_info/", &[("ad_ids", json!([id]))])["code"],
        40_002
    );
}

#[test]
fn reviews_outlive_a_restart() {
    let mut bench = Bench::new();
    let home = bench.smart_plus_home("s");
    let id = ad_id(&bench.smart_plus_ad(&home, &["a"]));
    bench.reject(&id, json!({"reasons": ["No."]}));
    let bytes = serde_json::to_vec(&bench.sandbox).unwrap();
    let mut again = bench.clone();
    again.sandbox = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(again.smart_plus_review(&id), bench.smart_plus_review(&id));
    assert_eq!(again.sandbox.digest(), bench.sandbox.digest());
    again.approve(&id);
    assert_ne!(again.sandbox.digest(), bench.sandbox.digest());
}

#[test]
fn a_manual_ad_is_reviewed_again_after_an_edit() {
    let mut bench = Bench::new();
    let home = bench.manual_home("m");
    bench.knob("ad_review_seconds", "60");
    bench.knob("review_rejects", "casino");
    let id = bench.manual_ad(&home, "A casino");
    assert_eq!(bench.ad_status(&id), "AD_STATUS_AUDIT");
    bench.now += 60_000;
    assert_eq!(bench.ad_status(&id), "AD_STATUS_AUDIT_DENY");
    // As TikTok's own client sends a patch: with defaults that nobody said.
    let patch = json!({
        "ad_id": id, "ad_text": "A kite", "ad_name": "A kite", "aigc_disclosure_type": "NOT_DECLARED",
        "creative_authorized": false, "deeplink_type": "NORMAL", "promotional_music_disabled": true,
        "vast_moat_enabled": false,
    });
    let mut body = json!({"adgroup_id": home, "patch_update": true, "creatives": [patch]});
    let reply = bench.post("/ad/update/", body.clone());
    assert_eq!(reply["code"], 0, "{reply}");
    assert_eq!(bench.ad_status(&id), "AD_STATUS_REAUDIT");
    bench.now += 60_000;
    assert_eq!(bench.ad_status(&id), "AD_STATUS_DELIVERY_OK");
    body["creatives"][0]["creative_authorized"] = json!(true);
    assert_eq!(bench.post("/ad/update/", body)["code"], 40_002);
}
