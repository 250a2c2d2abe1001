//! Events: what is told, to whom, and in which form.

use super::{
    subscriptions::{HOOK, subscribe, subscription},
    *,
};

pub(super) fn due(bench: &mut Bench) -> Vec<Delivery> {
    bench.sandbox.due_deliveries(bench.now, usize::MAX)
}

pub(super) fn answer(bench: &mut Bench, delivery: &Delivery, status: u16) {
    let result = Delivered::Answered(status);
    bench
        .sandbox
        .delivery_result(bench.now, delivery.id, delivery.attempt, result);
}

/// Takes and answers all that is due; the bodies.
pub(super) fn received(bench: &mut Bench) -> Vec<Value> {
    let deliveries = due(bench);
    for delivery in &deliveries {
        answer(bench, delivery, 200);
    }
    deliveries.iter().map(body).collect()
}

pub(super) fn body(delivery: &Delivery) -> Value {
    serde_json::from_slice(&delivery.body).unwrap()
}

/// A campaign, an ad group and an ad in it, with subscriptions to the ad group and the ad.
pub(super) struct Heard {
    pub(super) campaign: String,
    pub(super) group: String,
    pub(super) ad: String,
    pub(super) on_group: String,
    pub(super) on_ad: String,
}

pub(super) fn heard(bench: &mut Bench) -> Heard {
    let campaign = bench.manual("Drachen für Zürich 夏");
    let group = bench.ad_group(&campaign, "g");
    let ad = bench.ad(&group, "a");
    let on_group = subscribe(bench, "AD_GROUP", json!({"adgroup_id": group}));
    let on_ad = subscribe(bench, "AD", json!({"ad_id": ad}));
    Heard {
        campaign,
        group,
        ad,
        on_group: subscription(&on_group),
        on_ad: subscription(&on_ad),
    }
}

pub(super) fn reject(bench: &mut Bench, id: &str, reasons: &[&str]) {
    let new = NewRejection {
        reasons: reasons.iter().map(|reason| (*reason).to_owned()).collect(),
        ..NewRejection::default()
    };
    bench.sandbox.reject_content(bench.now, id, new).unwrap();
}

pub(super) fn approve(bench: &mut Bench, id: &str) {
    bench.sandbox.approve(bench.now, id).unwrap();
}

#[test]
fn a_rejected_ad_is_told_and_so_is_its_ad_group() {
    let mut bench = Bench::new();
    let h = heard(&mut bench);
    assert_eq!(received(&mut bench), Vec::<Value>::new());
    reject(&mut bench, &h.ad, &["Kein Ton für Zürich.", "No sound."]);
    let deliveries = due(&mut bench);
    assert_eq!(deliveries.len(), 2);
    assert!(
        deliveries
            .iter()
            .all(|one| one.url == HOOK && one.attempt == 1)
    );
    let first = body(&deliveries[0]);
    assert_eq!(keys(&first), ["entry", "object", "request_id", "time"]);
    assert_eq!(
        (&first["object"], &first["time"]),
        (&json!(3), &json!(START / 1_000))
    );
    let entry = &first["entry"][0];
    assert_eq!(entry["adv_id"].as_u64().unwrap().to_string(), bench.id());
    assert!(entry["adv_id"].as_u64().unwrap() > 1 << 53);
    assert_eq!(
        (&entry["campaign_id"], &entry["adgroup_id"], &entry["ad_id"]),
        (&json!(h.campaign), &json!(h.group), &json!(h.ad))
    );
    assert_eq!(entry["campaign_name"], "Drachen für Zürich 夏");
    assert_eq!(
        (&entry["adgroup_name"], &entry["ad_name"]),
        (&json!("g"), &json!("a"))
    );
    assert_eq!(entry["reject_reason"], "Kein Ton für Zürich.; No sound.");
    let second = body(&deliveries[1]);
    assert_eq!(second["object"], 2);
    assert!(second["entry"][0].get("ad_id").is_none());
    assert_eq!(second["entry"][0]["reject_reason"], entry["reject_reason"]);
    for delivery in &deliveries {
        answer(&mut bench, delivery, 200);
    }
    // Taken back: both again, without a reason.
    approve(&mut bench, &h.ad);
    let bodies = received(&mut bench);
    let told: Vec<_> = bodies
        .iter()
        .map(|body| (&body["object"], &body["entry"][0]["reject_reason"]))
        .collect();
    assert_eq!(told, [(&json!(3), &json!("")), (&json!(2), &json!(""))]);
    // A second ad that is fine: rejecting one of the two leaves the ad group shown in part, which is news as well.
    let other = bench.ad(&h.group, "b");
    received(&mut bench);
    reject(&mut bench, &h.ad, &["No."]);
    assert_eq!(received(&mut bench).len(), 2);
    // Not subscribed to; but the ad group is now rejected as a whole.
    reject(&mut bench, &other, &["Never."]);
    let bodies = received(&mut bench);
    assert_eq!(bodies.len(), 1);
    assert_eq!(bodies[0]["entry"][0]["reject_reason"], "No.; Never.");
    // The reviewers object to the ad group itself.
    reject(&mut bench, &h.group, &["Not there."]);
    let bodies = received(&mut bench);
    assert_eq!(bodies[0]["entry"][0]["reject_reason"], "Not there.");
    // TikTok's word alone.
    bench
        .sandbox
        .reject(bench.now, &h.ad, Some("AD_STATUS_AUDIT_DENY"))
        .unwrap();
    let bodies = received(&mut bench);
    assert_eq!(bodies[0]["entry"][0]["reject_reason"], "No.; Rejected.");
}

#[test]
fn a_review_that_ends_by_itself_is_told_when_it_does() {
    let mut bench = Bench::new();
    bench.knob("ad_review_seconds", "600");
    bench.knob("review_rejects", "casino");
    let h = heard(&mut bench);
    assert_eq!(received(&mut bench), Vec::<Value>::new());
    assert_eq!(
        bench.sandbox.next_delivery_at(),
        Some(bench.now + 600_000),
        "the end of the review"
    );
    bench.now += 599_999;
    assert_eq!(received(&mut bench), Vec::<Value>::new());
    bench.now += 1;
    let bodies = received(&mut bench);
    assert_eq!(bodies.len(), 2);
    assert_eq!(bodies[0]["entry"][0]["reject_reason"], "");
    assert_eq!(bench.sandbox.next_delivery_at(), None);
    // An edit begins another review, a second edit begins it anew: one result.
    let patch = |bench: &mut Bench, text: &str| {
        let creative = json!({"ad_id": h.ad, "ad_text": text, "ad_name": "a"});
        let body = json!({"adgroup_id": h.group, "patch_update": true, "creatives": [creative]});
        let reply = bench.post("/ad/update/", body);
        assert_eq!(reply["code"], 0, "{reply}");
    };
    patch(&mut bench, "A kite");
    bench.now += 300_000;
    patch(&mut bench, "A casino");
    bench.now += 599_999;
    assert_eq!(received(&mut bench), Vec::<Value>::new());
    bench.now += 60_001;
    let bodies = received(&mut bench);
    assert_eq!(bodies.len(), 2, "the ad and its ad group");
    assert!(
        bodies[0]["entry"][0]["reject_reason"]
            .as_str()
            .unwrap()
            .contains("policies")
    );
    // What is deleted in review is not spoken of any more.
    patch(&mut bench, "A boat");
    bench.operate(Level::Ad, &h.ad, "DELETE");
    bench.now += 600_000;
    assert_eq!(received(&mut bench), Vec::<Value>::new());
    // Decided by hand before its time: told once.
    let mut bench = Bench::new();
    bench.knob("ad_review_seconds", "600");
    let h = heard(&mut bench);
    approve(&mut bench, &h.ad);
    assert_eq!(received(&mut bench).len(), 2);
    bench.now += 600_000;
    assert_eq!(received(&mut bench), Vec::<Value>::new());
}

#[test]
fn reviews_of_what_is_switched_on_late_and_of_targeting() {
    let mut bench = Bench::new();
    bench.knob("ad_review_seconds", "60");
    bench.knob("ad_review_of_disabled", "when_enabled");
    let h = heard(&mut bench);
    bench.now += 60_000;
    assert_eq!(received(&mut bench), Vec::<Value>::new());
    bench.operate(Level::Ad, &h.ad, "ENABLE");
    bench.now += 60_000;
    assert_eq!(received(&mut bench).len(), 2);
    bench.knob("ad_group_reaudit", "reaudit");
    let body = json!({"adgroup_id": h.group, "location_ids": ["6252001"]});
    let reply = bench.post("/adgroup/update/", body);
    assert_eq!(reply["code"], 0, "{reply}");
    bench.now += 60_000;
    let bodies = received(&mut bench);
    assert_eq!(bodies.len(), 1);
    assert_eq!(bodies[0]["object"], 2);
    // Reviews that take no time: the result of an edit is there at once.
    bench.knob("ad_review_seconds", "0");
    let creative = json!({"ad_id": h.ad, "ad_text": "A boat", "ad_name": "a"});
    let body = json!({"adgroup_id": h.group, "patch_update": true, "creatives": [creative]});
    bench.post("/ad/update/", body);
    assert_eq!(received(&mut bench).len(), 1);
}

#[test]
fn an_effect_that_comes_later_does_not_hide_what_was_over_before() {
    let mut bench = Bench::new();
    bench.knob("ad_review_seconds", "60");
    let h = heard(&mut bench);
    bench.sandbox.inject(Fault {
        when: Match {
            path: Some("*/ad/update/".into()),
            ..Match::default()
        },
        kind: FaultKind::EffectDelay { ms: 90_000 },
    });
    let creative = json!({"ad_id": h.ad, "ad_text": "A boat", "ad_name": "a"});
    let body = json!({"adgroup_id": h.group, "patch_update": true, "creatives": [creative]});
    bench.post("/ad/update/", body);
    bench.now += 100_000;
    let bodies = received(&mut bench);
    assert_eq!(
        bodies.len(),
        2,
        "the first review was over at 60 s, the effect came at 90 s"
    );
    assert_eq!(bodies[0]["time"], START / 1_000 + 60);
    bench.now += 50_000;
    assert_eq!(received(&mut bench).len(), 2);
}

#[test]
fn creatives_of_a_smart_plus_ad_are_heard_by_either_id() {
    let mut bench = Bench::new();
    let campaign = bench.smart_plus("s");
    let group = bench.smart_plus_ad_group(&campaign, "g");
    let creative = |name: &str| {
        json!({"creative_info": {
            "ad_format": "SINGLE_VIDEO", "identity_type": "TT_USER", "identity_id": "brand",
            "video_info": {"video_id": name}, "image_info": [{"web_uri": name}],
        }})
    };
    let reply = bench.post(
        "/smart_plus/ad/create/",
        json!({
            "adgroup_id": group, "ad_name": "a", "operation_status": "DISABLE",
            "creative_list": [creative("v1"), creative("v2")],
            "ad_text_list": [{"ad_text": "Look"}], "landing_page_url_list": [{"landing_page_url": "https://example.com/"}],
            "ad_configuration": {"call_to_action_id": "8001"},
        }),
    );
    let ad = made(&reply, "smart_plus_ad_id");
    let creatives: Vec<u64> = bench.sandbox.ad(&ad).unwrap().1.creative_ids.clone();
    let material = reply["data"]["creative_list"][1]["ad_material_id"].clone();
    for id in [
        ad.clone(),
        creatives[0].to_string(),
        creatives[1].to_string(),
    ] {
        let reply = subscribe(&mut bench, "AD", json!({"ad_id": id}));
        subscription(&reply);
    }
    let (status, reply) = control(
        &mut bench,
        "POST",
        &format!("/sandbox/ads/{ad}/reject"),
        "",
        json!({"material_id": material, "reasons": ["Not this one."]}),
    );
    assert_eq!(status, 200, "{reply}");
    let bodies = received(&mut bench);
    let mut told: Vec<(String, String)> = bodies
        .iter()
        .map(|body| {
            let text = |name: &str| body["entry"][0][name].as_str().unwrap().to_owned();
            (text("ad_id"), text("reject_reason"))
        })
        .collect();
    told.sort();
    let mut wanted = vec![
        (ad, "Not this one.".to_owned()),
        (creatives[0].to_string(), String::new()),
        (creatives[1].to_string(), "Not this one.".to_owned()),
    ];
    wanted.sort();
    assert_eq!(told, wanted);
}

#[test]
fn an_accounts_suspension_is_flat() {
    let mut bench = Bench::new();
    let ids = json!({"advertiser_id": null, "advertiser_ids": [bench.id()]});
    let by_id = subscription(&subscribe(&mut bench, "AD_ACCOUNT_SUSPENSION", ids));
    let bc = json!({"advertiser_id": null, "bc_id": format!("74{}", &bench.account.app_id[2..])});
    let by_bc = subscription(&subscribe(&mut bench, "AD_ACCOUNT_SUSPENSION", bc));
    let path = format!("/sandbox/accounts/{}", bench.id());
    let set = |bench: &mut Bench, status: &str| {
        let body = json!({"status": status, "rejection_reason": "1:Because"});
        assert_eq!(control(bench, "PATCH", &path, "", body).0, 200);
        received(bench)
    };
    let told = set(&mut bench, "STATUS_LIMIT");
    assert_eq!(told.len(), 2);
    let mut names: Vec<&str> = told
        .iter()
        .map(|body| body["subscription_id"].as_str().unwrap())
        .collect();
    names.sort_unstable();
    let mut wanted = [by_id.as_str(), by_bc.as_str()];
    wanted.sort_unstable();
    assert_eq!(names, wanted);
    assert_eq!(
        keys(&told[0]),
        [
            "advertiser_id",
            "advertiser_name",
            "owner_bc_id",
            "status",
            "status_change_time",
            "subscription_id",
            "suspension_reason"
        ]
    );
    assert_eq!(told[0]["advertiser_id"], bench.id());
    assert_eq!(told[0]["status_change_time"], "2026-11-23 12:00:00");
    assert_eq!(told[0]["suspension_reason"], "1:Because");
    assert_eq!(
        set(&mut bench, "STATUS_LIMIT"),
        Vec::<Value>::new(),
        "no change"
    );
    let told = set(&mut bench, "STATUS_ENABLE");
    assert_eq!(told[0]["status"], "STATUS_ENABLE");
    assert!(told[0].get("suspension_reason").is_none());
    assert_eq!(set(&mut bench, "STATUS_DISABLE"), Vec::<Value>::new());
    bench.knob("suspension_events", "every_status");
    bench.knob("webhook_ids", "all");
    let told = set(&mut bench, "STATUS_PENDING_CONFIRM");
    assert_eq!(told.len(), 2);
    assert_eq!(
        told[0]["advertiser_id"].as_u64().unwrap().to_string(),
        bench.id()
    );
}

#[test]
fn events_silently_stop_with_the_token() {
    let told = |change: &dyn Fn(&mut Bench, &str)| {
        let mut bench = Bench::new();
        let h = heard(&mut bench);
        let token = bench.account.access_token.clone();
        change(&mut bench, &token);
        reject(&mut bench, &h.ad, &["No."]);
        let count = received(&mut bench).len();
        // The rows stay.
        assert_eq!(
            bench
                .sandbox
                .subscriptions_of(&bench.account.app_id)
                .count(),
            2
        );
        count
    };
    assert_eq!(told(&|_, _| {}), 2);
    assert_eq!(
        told(&|bench, token| {
            bench.sandbox.revoke_token(token);
        }),
        0
    );
    assert_eq!(
        told(&|bench, token| {
            bench.sandbox.expire_token(bench.now, token);
        }),
        2
    );
    assert_eq!(
        told(&|bench, token| {
            bench.knob("subscription_token", "dies_when_expired");
            bench.sandbox.expire_token(bench.now, token);
        }),
        0
    );
    assert_eq!(
        told(&|bench, token| {
            let change = TokenChange {
                access_token: token.into(),
                advertiser_ids: Some(vec![]),
                ..TokenChange::default()
            };
            bench.sandbox.change_token(bench.now, &change).unwrap();
        }),
        0
    );
}

#[test]
fn approvals_and_ids_come_in_more_than_one_form() {
    let mut bench = Bench::new();
    let h = heard(&mut bench);
    bench.knob("approval_events", "no_reason");
    approve(&mut bench, &h.ad);
    let bodies = received(&mut bench);
    assert!(bodies[0]["entry"][0].get("reject_reason").is_none());
    bench.knob("approval_events", "silent");
    approve(&mut bench, &h.ad);
    assert_eq!(received(&mut bench), Vec::<Value>::new());
    for (value, adv_id, ad_id) in [
        ("none", true, true),
        ("adv_id", false, true),
        ("all", false, false),
    ] {
        bench.knob("webhook_ids", value);
        reject(&mut bench, &h.ad, &["No."]);
        let entry = received(&mut bench)[0]["entry"][0].clone();
        for (name, text) in [("adv_id", adv_id), ("ad_id", ad_id), ("campaign_id", ad_id)] {
            assert_eq!(entry[name].is_string(), text, "{value} {name}");
            assert_eq!(entry[name].is_u64(), !text, "{value} {name}");
        }
    }
}
