//! `request_id`: what a replay does, under each answer TikTok may give.

use super::*;

fn create(bench: &mut Bench, name: &str, key: &str) -> Value {
    let mut body = manual(name);
    body["request_id"] = json!(key);
    bench.post("/campaign/create/", body)
}

#[test]
fn a_replay_is_refused_or_answered_with_the_original() {
    for (knob, code) in [("40050", 40_050), ("40002", 40_002), ("original", 0)] {
        let mut bench = Bench::new();
        bench.knob("request_id_replay", knob);
        let first = create(&mut bench, "a", "11");
        let again = create(&mut bench, "a", "11");
        assert_eq!(again["code"], code);
        if code == 0 {
            assert_eq!(first["data"], again["data"]);
        }
        assert_eq!(bench.list(json!({})).len(), 1);
    }
}

#[test]
fn r09_a_key_permits_duplicate_names() {
    let mut bench = Bench::new();
    assert_eq!(create(&mut bench, "a", "1")["code"], 0);
    assert_eq!(create(&mut bench, "a", "2")["code"], 0);
    assert_eq!(bench.post("/campaign/create/", manual("a"))["code"], 40_002);
    bench.knob("request_id_duplicate_names", "false");
    assert_eq!(
        create(&mut bench, "a", "3")["message"],
        "Campaign name already exists. Please try another one."
    );
}

#[test]
fn r10_a_replay_of_a_deleted_campaign() {
    let mut bench = Bench::new();
    bench.knob("request_id_replay", "original");
    let id = id_of(&create(&mut bench, "a", "1"));
    bench.sandbox.delete_outside(bench.now, &id).unwrap();
    let again = create(&mut bench, "a", "1");
    assert_eq!(
        (again["code"].clone(), id_of(&again)),
        (json!(0), id.clone()),
        "the id of a deleted object"
    );
    bench.knob("request_id_of_deleted", "create");
    assert_ne!(id_of(&create(&mut bench, "a", "1")), id);
}

#[test]
fn keys_are_forgotten_after_their_lifetime() {
    let mut bench = Bench::new();
    bench.knob("request_id_lifetime_seconds", "10");
    create(&mut bench, "a", "1");
    bench.now += 9_999;
    assert_eq!(create(&mut bench, "a", "1")["code"], 40_050);
    bench.now += 1;
    assert_eq!(create(&mut bench, "a", "1")["code"], 0);
    assert_eq!(bench.list(json!({})).len(), 2);
}

#[test]
fn a_refused_create_leaves_its_key_free_or_not() {
    for (knob, code) in [("free", 0), ("used", 40_050)] {
        let mut bench = Bench::new();
        bench.knob("request_id_after_refusal", knob);
        let mut body = manual("a");
        body["request_id"] = json!("1");
        body["budget"] = json!(1);
        assert_eq!(bench.post("/campaign/create/", body)["code"], 40_002);
        assert_eq!(create(&mut bench, "a", "1")["code"], code);
    }
}

#[test]
fn keys_belong_to_the_advertiser_or_to_a_tree() {
    for (knob, code) in [("advertiser", 40_050), ("tree", 0)] {
        let mut bench = Bench::new();
        bench.knob("request_id_scope", knob);
        create(&mut bench, "a", "1");
        assert_eq!(
            bench.post("/smart_plus/campaign/create/", smart_plus("b", 1))["code"],
            code
        );
        let other = bench
            .sandbox
            .create_account(START, &NewAccount::default())
            .unwrap();
        let mine = std::mem::replace(&mut bench.account, other);
        assert_eq!(
            create(&mut bench, "a", "1")["code"],
            0,
            "another advertiser's keys"
        );
        bench.account = mine;
    }
}
