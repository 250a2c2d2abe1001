//! Single creatives of a Smart+ ad, each with a switch of its own.

use serde_json::{Value, json};

use super::Case;
use super::nodes::{Node, Tree, video};

fn creative(video_id: &str, state: &str) -> Value {
    let mut video = video();
    video["id"] = json!(video_id);
    let mut creative = json!({"format": "SingleVideo", "video": video});
    if !state.is_empty() {
        creative["state"] = json!(state);
    }
    creative
}

/// By video: is the creative on?
fn really(ad: &Node) -> Vec<(String, bool)> {
    let list = ad.fields()["creative_list"].clone();
    let all = list.as_array().unwrap().iter();
    let mut found: Vec<(String, bool)> = all
        .map(|one| {
            let video = &one["creative_info"]["video_info"]["video_id"];
            let on = one["material_operation_status"] == "ENABLE";
            (video.as_str().unwrap().to_owned(), on)
        })
        .collect();
    found.sort();
    found
}

fn shown(ad: &Node) -> Vec<String> {
    let object = ad.get();
    let all = object["status"]["creatives"].as_array().cloned();
    let mut states: Vec<String> = all
        .into_iter()
        .flatten()
        .map(|one| one["state"].as_str().unwrap_or_default().to_owned())
        .collect();
    states.sort();
    states
}

#[test]
fn r01_single_creatives_are_switched_off_and_on_by_themselves() {
    for knob in ["keep", "new"] {
        let case = Case::new("creatives");
        case.knobs(json!({"smart_plus_creatives_update": knob}));
        let tree = Tree::SmartPlus;
        tree.campaign(&case, "spring", json!({}));
        tree.ad_group(&case, "group", "spring", json!({}));
        let (a, b, c) = (
            "v10000000000000000000000000000a1",
            "v10000000000000000000000000000b2",
            "v10000000000000000000000000000c3",
        );
        let creatives = |of_a: &str, of_b: &str| json!({"creatives": [creative(a, of_a), creative(b, of_b), creative(c, "")]});
        let ad = tree.ad(&case, "ad", "group", creatives("Paused", "Active"));
        ad.wait_for("Paused");
        let is = |expected: [bool; 3]| {
            let on: Vec<bool> = really(&ad).into_iter().map(|(_, on)| on).collect();
            on == expected
        };
        ad.wait("the first to be off", |_| is([false, true, true]));
        ad.wait("the status to show it", |_| {
            shown(&ad) == ["Off", "On", "On"]
        });
        ad.wait_for("Paused");
        let calls = || {
            case.requests("/smart_plus/ad/material_status/update/")
                .len()
        };
        assert_eq!(calls(), 1);
        ad.sweeps();
        assert_eq!(calls(), 1, "once");

        ad.edit(creatives("Active", "Paused"));
        ad.wait("the other way round", |_| is([true, false, true]));
        ad.wait("the status to show it", |_| {
            shown(&ad) == ["Off", "On", "On"]
        });
        ad.wait_for("Paused");
        assert_eq!(calls(), 3, "one call off, one on");
        // Nothing but switches was touched.
        assert_eq!(ad.updates().len(), 0);
        // What nobody says keeps its switch: the third one is switched off by a person.
        let list = ad.fields()["creative_list"].clone();
        let third = list
            .as_array()
            .unwrap()
            .iter()
            .find(|one| one["creative_info"]["video_info"]["video_id"] == c);
        let material = third.unwrap()["ad_material_id"].clone();
        assert!(material.is_string(), "{list}");
        let mut changed = list.clone();
        for one in changed.as_array_mut().unwrap() {
            if one["ad_material_id"] == material {
                one["material_operation_status"] = json!("DISABLE");
            }
        }
        ad.edit_outside(json!({ "creative_list": changed }));
        ad.wait("the person's switch", |_| {
            shown(&ad) == ["Off", "Off", "On"]
        });
        ad.sweeps();
        assert!(is([true, false, false]));
        // A new text replaces nothing of that, whatever becomes of creatives that are sent again.
        ad.edit(json!({"texts": ["Summer is here"]}));
        ad.wait("the text", |_| {
            ad.fields()["ad_text_list"][0]["ad_text"] == "Summer is here"
        });
        ad.wait_for("Paused");
        assert!(is([true, false, false]), "{knob}");
    }
}

#[test]
fn r05_carousels_are_switched_in_calls_of_their_own() {
    let case = Case::new("carousels");
    let tree = Tree::SmartPlus;
    tree.campaign(&case, "spring", json!({}));
    tree.ad_group(&case, "group", "spring", json!({}));
    let carousel = |image: &str| {
        json!({
            "format": "Carousel", "images": [image, "i900"], "musicId": "7100000000000000077",
            "state": "Paused",
        })
    };
    let videos =
        ["a1", "b2"].map(|end| creative(&format!("v1000000000000000000000000{end}"), "Paused"));
    let [one, two] = videos;
    let all = json!([carousel("i901"), one, carousel("i902"), two, {"format": "SingleVideo", "video": video()}]);
    let ad = tree.ad(&case, "ad", "group", json!({ "creatives": all }));
    ad.wait("four of five to be off", |_| {
        shown(&ad) == ["Off", "Off", "Off", "Off", "On"]
    });
    ad.wait_for("Paused");
    let sent = case.requests("/smart_plus/ad/material_status/update/");
    let mut sizes: Vec<usize> = sent
        .iter()
        .map(|entry| entry["body"]["ad_material_ids"].as_array().unwrap().len())
        .collect();
    sizes.sort_unstable();
    assert_eq!(sizes, [1, 1, 2], "{sent:#?}");
}
