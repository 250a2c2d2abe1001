//! Knobs of Smart+ ads and of reviews, each way.

use super::{
    knobs::each,
    smart_plus_ads::{ad, ad_id, creatives, video, videos},
    *,
};

#[test]
fn knobs_of_smart_plus_ads() {
    each(
        "smart_plus_creatives_max",
        &[("50", json!(0)), ("31", json!(40_002))],
        |bench| {
            let home = bench.smart_plus_home("s");
            let names: Vec<String> = (0..32).map(|number| number.to_string()).collect();
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            bench.post("/smart_plus/ad/create/", ad(&home, &names))["code"].clone()
        },
    );
    each(
        "smart_plus_creatives_update",
        &[("keep", json!(true)), ("new", json!(false))],
        |bench| {
            let home = bench.smart_plus_home("s");
            let data = bench.smart_plus_ad(&home, &["a"]);
            let renamed = bench.update_ad(&ad_id(&data), json!({"ad_name": "other"}));
            assert_eq!(
                creatives(&renamed["data"]),
                creatives(&data),
                "only a list gives new ids"
            );
            let reply =
                bench.update_ad(&ad_id(&data), json!({"creative_list": videos(&["a", "b"])}));
            json!(creatives(&reply["data"])[0] == creatives(&data)[0])
        },
    );
    each(
        "smart_plus_creative_id",
        &[("shown", json!(true)), ("omitted", json!(false))],
        |bench| {
            let home = bench.smart_plus_home("s");
            let data = bench.smart_plus_ad(&home, &["a"]);
            let rows = bench.ad_rows(json!({}));
            let said = data["creative_list"][0]
                .get("smart_plus_creative_id")
                .cloned();
            assert!(said.is_none_or(|id| id == rows[0]["ad_id"]));
            json!(
                data["creative_list"][0]
                    .get("smart_plus_creative_id")
                    .is_some()
            )
        },
    );
    let row_status = [("creative", json!("DISABLE")), ("ad", json!("ENABLE"))];
    each("smart_plus_creative_row_status", &row_status, |bench| {
        let home = bench.smart_plus_home("s");
        let data = bench.smart_plus_ad(&home, &["a"]);
        bench.switch(&ad_id(&data), &[&creatives(&data)[0].0], "DISABLE");
        bench.ad_rows(json!({}))[0]["operation_status"].clone()
    });
    each(
        "smart_plus_ad_modify_time",
        &[("shown", json!(true)), ("omitted", json!(false))],
        |bench| {
            let home = bench.smart_plus_home("s");
            let data = bench.smart_plus_ad(&home, &["a"]);
            assert_eq!(
                data.get("modify_time").is_some(),
                !bench.ad_rows(json!({}))[0]["modify_time"].is_null()
            );
            json!(data.get("modify_time").is_some())
        },
    );
    each(
        "smart_plus_ad_pace_seconds",
        &[("0", json!([0, 0, 0])), ("5", json!([40_202, 40_202, 0]))],
        |bench| {
            let home = bench.smart_plus_home("s");
            let data = bench.smart_plus_ad(&home, &["a"]);
            let id = ad_id(&data);
            let status = json!({"smart_plus_ad_ids": [id], "operation_status": "DISABLE"});
            bench.now += 4_999;
            let first = bench.update_ad(&id, json!({"ad_name": "x"}))["code"].clone();
            let second = bench.post("/smart_plus/ad/status/update/", status)["code"].clone();
            bench.now += 1;
            let third = bench.switch(&id, &[&creatives(&data)[0].0], "DISABLE")["code"].clone();
            json!([first, second, third])
        },
    );
    each(
        "smart_plus_call_to_action",
        &[("documented", json!(40_002)), ("either", json!(0))],
        |bench| {
            let home = bench.smart_plus_home("s");
            let mut body = ad(&home, &["a"]);
            body["ad_configuration"] = Value::Null;
            body["call_to_action_list"] = json!([{"call_to_action": "SHOP_NOW"}]);
            bench.post("/smart_plus/ad/create/", body)["code"].clone()
        },
    );
    each(
        "ad_automation_type",
        &[
            ("omitted", Value::Null),
            ("shown", json!("UPGRADED_SMART_PLUS")),
        ],
        |bench| {
            let home = bench.smart_plus_home("s");
            bench.smart_plus_ad(&home, &["a"]);
            bench.ad_rows(json!({}))[0]["campaign_automation_type"].clone()
        },
    );
    each(
        "too_many_ads_code",
        &[("40502", json!(40_502)), ("40002", json!(40_002))],
        |bench| {
            let home = bench.smart_plus_home("s");
            for _ in 0..30 {
                bench.smart_plus_ad(&home, &["a"]);
            }
            bench.post("/smart_plus/ad/create/", ad(&home, &["a"]))["code"].clone()
        },
    );
    each(
        "dark_post_default",
        &[("OFF", json!("OFF")), ("ON", json!("ON"))],
        |bench| {
            let home = bench.smart_plus_home("s");
            bench.smart_plus_ad(&home, &["a"])["ad_configuration"]["dark_post_status"].clone()
        },
    );
    each(
        "creative_auto_add_default",
        &[("false", Value::Null), ("true", json!(true))],
        |bench| {
            let home = bench.smart_plus_home("s");
            bench.smart_plus_ad(&home, &["a"])["ad_configuration"]["creative_auto_add_toggle"]
                .clone()
        },
    );
}

#[test]
fn knobs_of_reviews() {
    let in_review = [
        ("omitted", Value::Null),
        ("UNAVAILABLE", json!("UNAVAILABLE")),
        ("ALL_AVAILABLE", json!("ALL_AVAILABLE")),
    ];
    each("review_info_in_review", &in_review, |bench| {
        bench.knob("ad_review_seconds", "forever");
        let home = bench.smart_plus_home("s");
        let id = ad_id(&bench.smart_plus_ad(&home, &["a"]));
        let review = bench.smart_plus_review(&id);
        let status = review["material_review_infos"][0]["review_status"].clone();
        assert_eq!(
            status,
            review["smart_plus_ad_review_infos"][0]["review_status"]
        );
        let creative = bench.ad_rows(json!({}))[0]["ad_id"]
            .as_str()
            .unwrap()
            .to_owned();
        assert_eq!(status, bench.ad_review(&creative)["review_status"]);
        status
    });
    each(
        "review_info_unknown_id",
        &[
            ("refuse", json!([40_002, 40_002, 40_002, 40_002])),
            ("omit", json!([0, 0, 0, 0])),
        ],
        |bench| {
            json!([
                bench.get("/ad/review_info/", &[("ad_ids", json!(["1"]))])["code"],
                bench.get("/adgroup/review_info/", &[("adgroup_ids", json!(["1"]))])["code"],
                bench.get(
                    "/smart_plus/ad/review_info/",
                    &[("smart_plus_ad_ids", json!(["1"]))]
                )["code"],
                bench.get(
                    "/smart_plus/material/review_info/",
                    &[("ad_material_ids", json!(["1"]))]
                )["code"],
            ])
        },
    );
    let again = [
        (
            "AD_STATUS_REAUDIT",
            json!(["AD_STATUS_REAUDIT", "STATUS_NOT_DELIVERY"]),
        ),
        (
            "AD_STATUS_DELIVERY_AND_REAUDIT",
            json!(["AD_STATUS_DELIVERY_AND_REAUDIT", "STATUS_DELIVERY_OK"]),
        ),
    ];
    each("smart_plus_reaudit", &again, |bench| {
        let home = bench.smart_plus_home("s");
        let id = ad_id(&bench.smart_plus_ad(&home, &["a"]));
        bench.knob("ad_review_seconds", "60");
        bench.update_ad(&id, json!({"creative_list": [video("b")]}));
        let primary = ["STATUS_NOT_DELIVERY", "STATUS_DELIVERY_OK"]
            .into_iter()
            .find(|primary| !bench.ad_rows(json!({"primary_status": primary})).is_empty());
        json!([bench.smart_plus_row(&id)["secondary_status"], primary])
    });
    let partly = [
        "AD_STATUS_REVIEW_PARTIALLY_APPROVED",
        "AD_STATUS_PARTIAL_AUDIT_DELIVERY_OK",
        "AD_STATUS_DELIVERY_OK",
    ];
    each(
        "smart_plus_partly_rejected",
        &partly.map(|status| (status, json!(status))),
        |bench| {
            let home = bench.smart_plus_home("s");
            let data = bench.smart_plus_ad(&home, &["a", "b"]);
            bench.reject(
                &ad_id(&data),
                json!({"material_id": data["creative_list"][0]["ad_material_id"]}),
            );
            bench.smart_plus_row(&ad_id(&data))["secondary_status"].clone()
        },
    );
}

#[test]
fn a_paused_ad_says_one_thing_or_the_other() {
    let values = [
        (
            "disable_first",
            json!(["AD_STATUS_DISABLE", "AD_STATUS_DISABLE"]),
        ),
        (
            "review_first",
            json!(["AD_STATUS_AUDIT", "AD_STATUS_AUDIT_DENY"]),
        ),
    ];
    each("review_precedence", &values, |bench| {
        bench.knob("ad_review_seconds", "forever");
        let home = bench.smart_plus_home("s");
        let mut body = ad(&home, &["a"]);
        body["operation_status"] = json!("DISABLE");
        let made = bench.post("/smart_plus/ad/create/", body)["data"].clone();
        bench.reject(&ad_id(&made), json!({}));
        let after = bench.smart_plus_row(&ad_id(&made));
        json!([made["secondary_status"], after["secondary_status"]])
    });
}
