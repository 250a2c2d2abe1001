//! Smart+ ads: creates, updates, single creatives, and how manual lists show them.

use proptest::prelude::*;

use super::*;

impl Bench {
    /// A Smart+ campaign that is on.
    fn running_smart_plus(&mut self, name: &str) -> String {
        let mut body = smart_plus(name, name_key(name));
        body["operation_status"] = json!("ENABLE");
        id_of(&self.post("/smart_plus/campaign/create/", body))
    }

    /// An ad group of a Smart+ campaign of its own, both on, already started.
    pub(super) fn smart_plus_home(&mut self, name: &str) -> String {
        let campaign = self.running_smart_plus(name);
        let reply = self.post(
            "/smart_plus/adgroup/create/",
            json!({
                "campaign_id": campaign, "adgroup_name": name, "request_id": (name_key(name) + 1).to_string(),
                "promotion_type": "WEBSITE", "optimization_goal": "CONVERT", "billing_event": "OCPM",
                "pixel_id": "7", "optimization_event": "SHOPPING", "schedule_type": "SCHEDULE_FROM_NOW",
                "schedule_start_time": time::datetime(self.now), "operation_status": "ENABLE",
                "targeting_spec": {"location_ids": ["6252001"]},
            }),
        );
        assert_eq!(reply["code"], 0, "{reply}");
        reply["data"]["adgroup_id"].as_str().unwrap().to_owned()
    }

    /// An ad that is on, with these videos.
    pub(super) fn smart_plus_ad(&mut self, home: &str, videos: &[&str]) -> Value {
        let reply = self.post("/smart_plus/ad/create/", ad(home, videos));
        assert_eq!(reply["code"], 0, "{reply}");
        reply["data"].clone()
    }

    pub(super) fn update_ad(&mut self, id: &str, mut body: Value) -> Value {
        body["smart_plus_ad_id"] = json!(id);
        self.post("/smart_plus/ad/update/", body)
    }

    /// The row of `/smart_plus/ad/get/`, deleted or not.
    pub(super) fn smart_plus_row(&mut self, id: &str) -> Value {
        let filtering = json!({"smart_plus_ad_ids": [id], "primary_status": "STATUS_ALL"});
        self.get("/smart_plus/ad/get/", &[("filtering", filtering)])["data"]["list"][0].clone()
    }

    /// The rows of `/ad/get/`.
    pub(super) fn ad_rows(&mut self, filtering: Value) -> Vec<Value> {
        let reply = self.get(
            "/ad/get/",
            &[("filtering", filtering), ("page_size", json!(1000))],
        );
        assert_eq!(reply["code"], 0, "{reply}");
        reply["data"]["list"].as_array().unwrap().clone()
    }

    pub(super) fn switch(&mut self, id: &str, materials: &[&str], operation: &str) -> Value {
        self.post(
            "/smart_plus/ad/material_status/update/",
            json!({"smart_plus_ad_id": id, "ad_material_ids": materials, "operation_status": operation}),
        )
    }
}

pub(super) fn video(id: &str) -> Value {
    json!({"creative_info": {
        "ad_format": "SINGLE_VIDEO", "identity_type": "TT_USER", "identity_id": "brand",
        "video_info": {"video_id": id}, "image_info": [{"web_uri": format!("cover-{id}")}],
    }})
}

pub(super) fn videos(ids: &[&str]) -> Value {
    ids.iter().map(|id| video(id)).collect()
}

pub(super) fn ad(home: &str, ids: &[&str]) -> Value {
    json!({
        "adgroup_id": home, "ad_name": "kites", "creative_list": videos(ids), "ad_text_list": [{"ad_text": "Buy a kite"}],
        "landing_page_url_list": [{"landing_page_url": "https://example.com"}],
        "ad_configuration": {"call_to_action_id": "8"},
    })
}

pub(super) fn ad_id(data: &Value) -> String {
    data["smart_plus_ad_id"].as_str().unwrap().to_owned()
}

/// `(ad_material_id, video_id, material_operation_status)` of each creative.
pub(super) fn creatives(data: &Value) -> Vec<(String, String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    data["creative_list"]
        .as_array()
        .unwrap()
        .iter()
        .map(|creative| {
            (
                text(&creative["ad_material_id"]),
                text(&creative["creative_info"]["video_info"]["video_id"]),
                text(&creative["material_operation_status"]),
            )
        })
        .collect()
}

#[test]
fn what_is_read_can_be_sent_back_and_changes_nothing() {
    let mut bench = Bench::new();
    let home = bench.smart_plus_home("s");
    let id = ad_id(&bench.smart_plus_ad(&home, &["a", "b"]));
    let row = bench.smart_plus_row(&id);
    let echo = json!({
        "ad_name": row["ad_name"], "creative_list": row["creative_list"], "ad_text_list": row["ad_text_list"],
        "landing_page_url_list": row["landing_page_url_list"], "ad_configuration": row["ad_configuration"],
        "call_to_action_list": row["call_to_action_list"], "page_list": row["page_list"],
    });
    assert_eq!(bench.update_ad(&id, echo)["code"], 40_012);
    assert_eq!(bench.smart_plus_row(&id), row);
}

#[test]
fn an_update_changes_what_it_sends_and_checks_the_whole() {
    let mut bench = Bench::new();
    let home = bench.smart_plus_home("s");
    let data = bench.smart_plus_ad(&home, &["a", "b"]);
    let id = ad_id(&data);
    let parameters =
        json!({"ad_configuration": {"utm_params": [{"key": "utm_source", "value": "t"}]}});
    let reply = bench.update_ad(&id, parameters);
    let configuration = &reply["data"]["ad_configuration"];
    assert_eq!(
        (
            &configuration["call_to_action_id"],
            &configuration["utm_params"][0]["value"]
        ),
        (&json!("8"), &json!("t"))
    );
    assert_eq!(creatives(&reply["data"]), creatives(&data));
    for (body, code, text) in [
        (json!({}), 40_012, "Nothing"),
        (json!({"ad_text_list": []}), 40_002, "ad_text_list: Missing"),
        (
            json!({"creative_list": []}),
            40_002,
            "creative_list: Shorter",
        ),
        (
            json!({"adgroup_id": home}),
            40_002,
            "adgroup_id: This field cannot be updated.",
        ),
        (
            json!({"operation_status": "DISABLE"}),
            40_002,
            "operation_status: This field",
        ),
        (json!({"ad_name": ""}), 40_002, "ad_name"),
        (json!({"smart_plus_ad_id": "1"}), 40_012, "Nothing"),
    ] {
        let reply = bench.update_ad(&id, body.clone());
        assert_eq!(reply["code"], code, "{body}: {reply}");
        assert!(
            reply["message"].as_str().unwrap().contains(text),
            "{body}: {reply}"
        );
    }
    assert_eq!(
        bench.update_ad("1", json!({"ad_name": "x"}))["code"],
        40_002
    );
    let cleared = bench.update_ad(&id, json!({"landing_page_url_list": []}));
    assert_eq!(cleared["data"]["landing_page_url_list"], json!([]));
}

#[test]
fn an_ad_under_a_name_of_ones_own_stays_editable() {
    let mut bench = Bench::new();
    let home = bench.smart_plus_home("s");
    let mut body = ad(&home, &["a"]);
    body["creative_list"][0]["creative_info"]["identity_type"] = json!("CUSTOMIZED_USER");
    let refused = bench.post("/smart_plus/ad/create/", body.clone());
    assert_eq!(
        refused["message"],
        "Custom identities are no longer supported."
    );
    body.as_object_mut().unwrap().remove("adgroup_id");
    let id = bench
        .sandbox
        .insert_inside(bench.now, &home, body.as_object().unwrap().clone())
        .unwrap()
        .to_string();
    assert_eq!(bench.update_ad(&id, json!({"ad_name": "new"}))["code"], 0);
}

#[test]
fn an_ad_without_a_name_is_called_by_its_id() {
    let mut bench = Bench::new();
    let home = bench.smart_plus_home("s");
    let mut body = ad(&home, &["a"]);
    body["ad_name"] = json!("");
    let reply = bench.post("/smart_plus/ad/create/", body);
    assert_eq!(reply["data"]["ad_name"], reply["data"]["smart_plus_ad_id"]);
}

#[test]
fn creatives_are_ads_in_manual_lists_also_while_edits_lag() {
    let mut bench = Bench::new();
    let home = bench.smart_plus_home("s");
    let id = ad_id(&bench.smart_plus_ad(&home, &["a", "b"]));
    let rows = bench.ad_rows(json!({"adgroup_ids": [home]}));
    let shown = |rows: &[Value]| -> Vec<String> {
        rows.iter()
            .map(|row| row["video_id"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(shown(&rows), ["b", "a"]);
    assert_eq!(
        (&rows[0]["ad_id_v2"], &rows[0]["smart_plus_ad_id"]),
        (&json!(id), &json!(id))
    );
    assert_eq!(rows[0]["image_ids"], json!(["cover-b"]));
    assert_eq!(rows[0]["ad_text"], "Buy a kite");
    assert_eq!(rows[0]["identity_authorized_bc_id"], Value::Null);
    assert!(rows[0].get("campaign_automation_type").is_none());
    // One of them by its own id; the ad's id is no ad_id.
    let first = rows[1]["ad_id"].as_str().unwrap().to_owned();
    assert_eq!(shown(&bench.ad_rows(json!({"ad_ids": [first]}))), ["a"]);
    assert!(bench.ad_rows(json!({"ad_ids": [id]})).is_empty());
    assert_eq!(bench.ad_rows(json!({"ad_ids": [first]}))[0]["ad_id"], first);
    bench.knob("edit_lag_seconds", "60");
    bench.now += 120_000;
    bench.update_ad(&id, json!({"creative_list": videos(&["c"])}));
    assert_eq!(
        shown(&bench.ad_rows(json!({"adgroup_ids": [home]}))),
        ["b", "a"]
    );
    bench.now += 60_000;
    assert_eq!(shown(&bench.ad_rows(json!({"adgroup_ids": [home]}))), ["c"]);
    // A creative that is gone is not found under its old id.
    assert!(bench.ad_rows(json!({"ad_ids": [first]})).is_empty());
}

#[test]
fn a_creative_is_switched_and_stays_switched() {
    let mut bench = Bench::new();
    let home = bench.smart_plus_home("s");
    let data = bench.smart_plus_ad(&home, &["a", "b"]);
    let id = ad_id(&data);
    let known = creatives(&data);
    let reply = bench.switch(&id, &[&known[0].0], "DISABLE");
    assert_eq!(
        reply["data"],
        json!({"smart_plus_ad_id": id, "ad_material_ids": [known[0].0], "operation_status": "DISABLE"})
    );
    let rows = bench.ad_rows(json!({"adgroup_ids": [home]}));
    assert_eq!(rows[1]["operation_status"], "DISABLE");
    assert_eq!(rows[0]["operation_status"], "ENABLE");
    let reply = bench.update_ad(&id, json!({"creative_list": videos(&["c", "a"])}));
    let now = creatives(&reply["data"]);
    assert_eq!(now[1], (known[0].0.clone(), "a".into(), "DISABLE".into()));
    assert!(known.iter().all(|one| one.0 != now[0].0));
    assert_eq!(bench.switch(&id, &[&known[1].0], "ENABLE")["code"], 40_002);
    assert_eq!(bench.switch(&id, &[], "ENABLE")["code"], 40_002);
    bench.knob("manual_status_bad_id", "skip");
    let reply = bench.switch(&id, &[&known[1].0, &now[1].0], "ENABLE");
    assert_eq!(reply["data"]["ad_material_ids"], json!([now[1].0]));
}

#[test]
fn carousels_are_switched_apart() {
    let mut bench = Bench::new();
    let home = bench.smart_plus_home("s");
    let mut body = ad(&home, &["a"]);
    let carousel = json!({"creative_info": {
        "ad_format": "CAROUSEL_ADS", "identity_type": "TT_USER", "identity_id": "brand",
        "image_info": [{"web_uri": "1"}, {"web_uri": "2"}], "music_info": {"music_id": "9"},
    }});
    body["creative_list"].as_array_mut().unwrap().push(carousel);
    let data = bench.post("/smart_plus/ad/create/", body)["data"].clone();
    let id = ad_id(&data);
    let material = |index: usize| {
        data["creative_list"][index]["ad_material_id"]
            .as_str()
            .unwrap()
    };
    let reply = bench.switch(&id, &[material(0), material(1)], "DISABLE");
    assert!(
        reply["message"].as_str().unwrap().contains("Carousels"),
        "{reply}"
    );
    assert_eq!(bench.switch(&id, &[material(1)], "DISABLE")["code"], 0);
}

#[test]
fn what_a_person_makes_has_ids_too() {
    let mut bench = Bench::new();
    let home = bench.smart_plus_home("s");
    let fields = json!({"creative_list": videos(&["a"])});
    let id = bench
        .sandbox
        .insert_inside(bench.now, &home, fields.as_object().unwrap().clone())
        .unwrap()
        .to_string();
    let before = creatives(&bench.smart_plus_row(&id));
    assert_eq!(bench.ad_rows(json!({})).len(), 1);
    let mut list = bench.smart_plus_row(&id)["creative_list"].clone();
    list.as_array_mut().unwrap().push(video("b"));
    let changes = json!({ "creative_list": list });
    bench
        .sandbox
        .edit_outside(bench.now, &id, changes.as_object().unwrap())
        .unwrap();
    let after = creatives(&bench.smart_plus_row(&id));
    assert_eq!(after[0], before[0]);
    assert_eq!(bench.ad_rows(json!({})).len(), 2);
}

#[derive(Clone, Debug)]
enum Step {
    Update(Vec<u8>),
    Switch(u8, bool),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        proptest::collection::vec(0_u8..6, 1..5).prop_map(Step::Update),
        (0_u8..4, any::<bool>()).prop_map(|(index, on)| Step::Switch(index, on)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever is updated and switched: ids are never shared or given twice, a creative that stays keeps its id and its
    /// status, and manual lists show one row for each.
    #[test]
    fn creatives_keep_what_they_are(steps in proptest::collection::vec(step(), 0..12)) {
        let mut bench = Bench::new();
        let home = bench.smart_plus_home("s");
        let data = bench.smart_plus_ad(&home, &["0", "1"]);
        let id = ad_id(&data);
        let mut known = creatives(&data);
        let mut used: std::collections::BTreeSet<String> =
            known.iter().map(|one| one.0.clone()).collect();
        for step in steps {
            match step {
                Step::Update(wanted) => {
                    let wanted: Vec<String> = wanted.iter().map(u8::to_string).collect();
                    let wanted: Vec<&str> = wanted.iter().map(String::as_str).collect();
                    bench.update_ad(&id, json!({"creative_list": videos(&wanted)}));
                    let mut left = known.clone();
                    let now = creatives(&bench.smart_plus_row(&id));
                    prop_assert_eq!(now.iter().map(|one| one.1.as_str()).collect::<Vec<_>>(), wanted);
                    for creative in &now {
                        match left.iter().position(|one| one.1 == creative.1) {
                            Some(index) => prop_assert_eq!(&left.remove(index), creative),
                            None => {
                                prop_assert!(used.insert(creative.0.clone()), "{} is used twice", creative.0);
                                prop_assert_eq!(creative.2.as_str(), "ENABLE");
                            }
                        }
                    }
                    known = now;
                }
                Step::Switch(index, on) => {
                    let index = usize::from(index) % known.len();
                    let operation = if on { "ENABLE" } else { "DISABLE" };
                    bench.switch(&id, &[&known[index].0.clone()], operation);
                    known[index].2 = operation.into();
                    prop_assert_eq!(&creatives(&bench.smart_plus_row(&id)), &known);
                }
            }
            let rows = bench.ad_rows(json!({}));
            let ids: std::collections::BTreeSet<&str> =
                rows.iter().filter_map(|row| row["ad_id"].as_str()).collect();
            prop_assert_eq!((rows.len(), ids.len()), (known.len(), known.len()));
        }
    }
}
