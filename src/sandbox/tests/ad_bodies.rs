//! Bodies with something wrong at some depth: refused as a whole, or read.

use proptest::prelude::*;

use super::{
    smart_plus_ads::{ad, ad_id},
    *,
};

/// The places of everything in a value, as JSON pointers.
fn places(value: &Value, at: &str, all: &mut Vec<String>) {
    let inner: Vec<(String, &Value)> = match value {
        Value::Object(map) => map
            .iter()
            .map(|(key, value)| (key.clone(), value))
            .collect(),
        Value::Array(list) => list
            .iter()
            .enumerate()
            .map(|(index, value)| (index.to_string(), value))
            .collect(),
        _ => Vec::new(),
    };
    for (key, value) in inner {
        let place = format!("{at}/{key}");
        all.push(place.clone());
        places(value, &place, all);
    }
}

fn stranger() -> impl Strategy<Value = Value> {
    prop::sample::select(vec![
        json!(null),
        json!(true),
        json!(5),
        json!(-1.5),
        json!(""),
        json!("7"),
        json!("Sale 🔥"),
        json!("x".repeat(700)),
        json!([]),
        json!([null]),
        json!(["7", 5]),
        json!([{}]),
        json!({}),
        json!({"video_id": null}),
    ])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn a_refused_ad_is_not_there_and_an_accepted_one_is(place in any::<prop::sample::Index>(), value in stranger()) {
        let mut bench = Bench::new();
        let home = bench.smart_plus_home("s");
        let mut body = ad(&home, &["a", "b"]);
        body["deeplink_list"] = json!([{"deeplink": "kites://", "deeplink_type": "NORMAL"}]);
        body["ad_configuration"]["utm_params"] = json!([{"key": "k", "value": "v"}]);
        let mut all = Vec::new();
        places(&body, "", &mut all);
        let place = &all[place.index(all.len())];
        *body.pointer_mut(place).unwrap() = value;
        let reply = bench.post("/smart_plus/ad/create/", body.clone());
        let accepted = reply["code"] == 0;
        prop_assert!(accepted || reply["code"] == 40_002, "{place}: {reply}");
        prop_assert_eq!(bench.ad_rows(json!({})).is_empty(), !accepted);
        if !accepted {
            prop_assert!(!reply["message"].as_str().unwrap().is_empty());
            return Ok(());
        }
        // What was read is whole: it can be sent back and read by either list.
        let id = ad_id(&reply["data"]);
        let row = bench.smart_plus_row(&id);
        prop_assert_eq!(&row["creative_list"], &reply["data"]["creative_list"]);
        let echo = bench.update_ad(&id, json!({"creative_list": row["creative_list"], "ad_configuration": row["ad_configuration"]}));
        prop_assert_eq!(&echo["code"], &json!(40_012), "{} {}", place, echo);
        // The same break as an update: refused, or what the create would have stored.
        let good = ad_id(&bench.smart_plus_ad(&home, &["a", "b"]));
        let before = bench.smart_plus_row(&good);
        body.as_object_mut().unwrap().remove("adgroup_id");
        let reply = bench.update_ad(&good, body);
        if reply["code"] != 0 {
            prop_assert_eq!(bench.smart_plus_row(&good), before);
        }
    }
}
