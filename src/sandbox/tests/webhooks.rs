//! Events and their deliveries.

use hmac::{Hmac, KeyInit, Mac};

use super::{
    subscriptions::{HOOK, subscribe, subscription},
    *,
};

fn due(bench: &mut Bench) -> Vec<Delivery> {
    bench.sandbox.due_deliveries(bench.now, usize::MAX)
}

fn answer(bench: &mut Bench, delivery: &Delivery, status: u16) {
    let result = Delivered::Answered(status);
    bench
        .sandbox
        .delivery_result(bench.now, delivery.id, delivery.attempt, result);
}

/// Takes and answers all that is due; the bodies.
fn received(bench: &mut Bench) -> Vec<Value> {
    let deliveries = due(bench);
    for delivery in &deliveries {
        answer(bench, delivery, 200);
    }
    deliveries.iter().map(body).collect()
}

fn body(delivery: &Delivery) -> Value {
    serde_json::from_slice(&delivery.body).unwrap()
}

fn header<'a>(delivery: &'a Delivery, name: &str) -> Option<&'a str> {
    let found = delivery.headers.iter().find(|(key, _)| key == name);
    found.map(|(_, value)| value.as_str())
}

fn hmac(key: &str, text: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).unwrap();
    mac.update(text.as_bytes());
    let bytes = mac.finalize().into_bytes();
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A campaign, an ad group and an ad in it, with subscriptions to the ad group and the ad.
struct Heard {
    campaign: String,
    group: String,
    ad: String,
    on_group: String,
    on_ad: String,
}

fn heard(bench: &mut Bench) -> Heard {
    let campaign = bench.manual("Drachen für Zürich 🪁");
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

fn reject(bench: &mut Bench, id: &str, reasons: &[&str]) {
    let new = NewRejection {
        reasons: reasons.iter().map(|reason| (*reason).to_owned()).collect(),
        ..NewRejection::default()
    };
    bench.sandbox.reject_content(bench.now, id, new).unwrap();
}

fn approve(bench: &mut Bench, id: &str) {
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
    assert_eq!(entry["campaign_name"], "Drachen für Zürich 🪁");
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
    assert_eq!(received(&mut bench).len(), 1);
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
fn r23_raw_escaped_unsigned_and_tiktoks_other_signature() {
    let mut bench = Bench::new();
    let h = heard(&mut bench);
    let secret = bench.account.secret.clone();
    let send = |bench: &mut Bench, scheme: &str| {
        bench.knob("webhook_signature", scheme);
        reject(bench, &h.ad, &["Für \"Zürich\" 🪁"]);
        let deliveries = due(bench);
        for delivery in &deliveries {
            answer(bench, delivery, 200);
        }
        let delivery = deliveries[0].clone();
        let text = String::from_utf8(delivery.body.clone()).unwrap();
        assert!(text.contains('ü'), "the body is sent as it is");
        (delivery, text)
    };
    let (delivery, text) = send(&mut bench, "raw");
    assert_eq!(
        header(&delivery, "X-Open-Signature"),
        Some(hmac(&secret, &text).as_str())
    );
    assert_eq!(
        header(&delivery, "Content-Type"),
        Some("application/json; charset=utf-8")
    );
    let (delivery, text) = send(&mut bench, "escaped");
    let escaped = text.replace('ü', "\\u00fc").replace('🪁', "\\ud83e\\ude81");
    assert!(escaped.is_ascii());
    assert_eq!(
        header(&delivery, "X-Open-Signature"),
        Some(hmac(&secret, &escaped).as_str())
    );
    let (delivery, _) = send(&mut bench, "unsigned");
    assert_eq!(delivery.headers.len(), 1);
    let (delivery, text) = send(&mut bench, "tiktok");
    let time = START / 1_000;
    let wanted = format!("t={time},s={}", hmac(&secret, &format!("{time}.{text}")));
    assert_eq!(header(&delivery, "TikTok-Signature"), Some(wanted.as_str()));
    assert_eq!(header(&delivery, "X-Open-Signature"), None);
    // A key of its own; a retry carries the signature of its own time.
    let key = AppChange {
        webhook_key: Some("the-key".into()),
        ..AppChange::default()
    };
    let app = bench.account.app_id.clone();
    bench.sandbox.change_app(&app, &key).unwrap();
    reject(&mut bench, &h.ad, &["No."]);
    let first = due(&mut bench)[0].clone();
    answer(&mut bench, &first, 500);
    bench.now += 7_000;
    let again = due(&mut bench);
    let again = again.iter().find(|one| one.id == first.id).unwrap();
    assert_eq!(again.body, first.body);
    let text = String::from_utf8(again.body.clone()).unwrap();
    let time = START / 1_000 + 7;
    let wanted = format!("t={time},s={}", hmac("the-key", &format!("{time}.{text}")));
    assert_eq!(header(again, "TikTok-Signature"), Some(wanted.as_str()));
}

#[test]
fn retries_come_at_once_then_ever_later_for_a_day() {
    let mut bench = Bench::new();
    let h = heard(&mut bench);
    assert!(bench.sandbox.remove_subscription(&h.on_group));
    reject(&mut bench, &h.ad, &["No."]);
    let mut pauses = Vec::new();
    let mut last = bench.now;
    while let Some(next) = bench.sandbox.next_delivery_at() {
        pauses.push((next - last) / 1_000);
        last = next;
        bench.now = next;
        let deliveries = due(&mut bench);
        assert_eq!(deliveries.len(), 1);
        assert_eq!(deliveries[0].attempt as usize, pauses.len());
        // While it is under way nobody else gets it.
        assert_eq!(due(&mut bench), []);
        match pauses.len() % 3 {
            0 => answer(&mut bench, &deliveries[0], 500),
            1 => answer(&mut bench, &deliveries[0], 302),
            _ => {
                let failed = Delivered::Failed("connection refused".into());
                let (id, attempt) = (deliveries[0].id, deliveries[0].attempt);
                bench
                    .sandbox
                    .delivery_result(bench.now, id, attempt, failed);
            }
        }
    }
    assert_eq!(
        pauses,
        [0, 0, 10, 60, 300, 900, 1_800, 3_600, 7_200, 14_400, 28_800]
    );
    let (_, list) = control(&mut bench, "GET", "/sandbox/deliveries", "", Value::Null);
    let one = &list["deliveries"][0];
    assert_eq!(one["state"], "given_up");
    assert_eq!(one["attempts"].as_array().unwrap().len(), pauses.len());
    assert_eq!(
        one["attempts"][0],
        json!({"at": START, "status": 302, "error": ""})
    );
    assert_eq!(one["attempts"][1]["error"], "connection refused");
    assert_eq!(one["subscription_ids"], json!([h.on_ad]));
    for (query, count) in [
        ("state=given_up", 1),
        ("state=delivered", 0),
        ("after=1", 0),
    ] {
        let (_, list) = control(&mut bench, "GET", "/sandbox/deliveries", query, Value::Null);
        assert_eq!(
            list["deliveries"].as_array().unwrap().len(),
            count,
            "{query}"
        );
    }
    control(&mut bench, "DELETE", "/sandbox/deliveries", "", Value::Null);
    assert_eq!(bench.sandbox.deliveries().count(), 0);
}

#[test]
fn an_attempt_nobody_reports_on_has_failed() {
    let mut bench = Bench::new();
    let h = heard(&mut bench);
    assert!(bench.sandbox.remove_subscription(&h.on_group));
    reject(&mut bench, &h.ad, &["No."]);
    let first = due(&mut bench)[0].clone();
    assert_eq!(bench.sandbox.next_delivery_at(), Some(bench.now + 60_000));
    bench.now += 60_000;
    let second = due(&mut bench)[0].clone();
    assert_eq!((second.id, second.attempt), (first.id, 2));
    // A late "no" about the first attempt says nothing about the second.
    answer(&mut bench, &first, 500);
    assert_eq!(due(&mut bench), []);
    // A late "yes" does: it has arrived.
    answer(&mut bench, &first, 200);
    let states: Vec<DeliveryState> = bench.sandbox.deliveries().map(|one| one.state).collect();
    assert_eq!(states, [DeliveryState::Delivered]);
    answer(&mut bench, &second, 200);
    assert_eq!(bench.sandbox.next_delivery_at(), None);
    // A sender that stops leaves nothing under way for long.
    reject(&mut bench, &h.ad, &["Never."]);
    due(&mut bench);
    bench.sandbox.senders_stopped(bench.now);
    assert_eq!(due(&mut bench)[0].attempt, 2);
}

#[test]
fn copies_order_delay_and_holding() {
    let mut bench = Bench::new();
    let h = heard(&mut bench);
    assert!(bench.sandbox.remove_subscription(&h.on_group));
    let send = |bench: &mut Bench, number: usize| {
        for index in 0..number {
            reject(bench, &h.ad, &[&format!("reason {index}")]);
        }
        let reasons: Vec<String> = received(bench)
            .iter()
            .map(|body| {
                body["entry"][0]["reject_reason"]
                    .as_str()
                    .unwrap()
                    .to_owned()
            })
            .collect();
        reasons
    };
    let in_order = send(&mut bench, 6);
    bench.knob("webhook_order", "reversed");
    let mut reversed = send(&mut bench, 6);
    assert_ne!(reversed, in_order);
    reversed.reverse();
    assert_eq!(reversed, in_order);
    bench.knob("webhook_order", "shuffled");
    let mut shuffled = send(&mut bench, 6);
    assert_ne!(shuffled, in_order);
    shuffled.sort();
    assert_eq!(shuffled, in_order);

    bench.knob("webhook_order", "in_order");
    bench.knob("webhook_copies", "2");
    reject(&mut bench, &h.ad, &["twice"]);
    let both = received(&mut bench);
    assert_eq!(both.len(), 2);
    assert_eq!(both[0], both[1], "the same body, request_id and all");
    bench.knob("webhook_copies", "0");
    assert_eq!(send(&mut bench, 1), Vec::<String>::new());
    bench.knob("webhook_copies", "1");

    bench.knob("webhook_delay_seconds", "30");
    assert_eq!(send(&mut bench, 1), Vec::<String>::new());
    bench.now += 30_000;
    assert_eq!(received(&mut bench).len(), 1);
    bench.knob("webhook_order", "shuffled");
    send(&mut bench, 10);
    bench.now += 15_000;
    let early = received(&mut bench).len();
    assert!(early < 10, "{early}");
    bench.now += 15_000;
    received(&mut bench);
    assert_eq!(bench.sandbox.next_delivery_at(), None);
    bench.knob("webhook_delay_seconds", "0");

    bench.knob("webhook_hold", "true");
    assert_eq!(send(&mut bench, 2), Vec::<String>::new());
    assert_eq!(bench.sandbox.next_delivery_at(), None);
    bench.now += 2 * time::DAY_MS;
    bench.knob("webhook_hold", "false");
    assert_eq!(received(&mut bench).len(), 2, "held back is not given up");
    // Not more than somebody can send.
    send(&mut bench, 0);
    for _ in 0..5 {
        reject(&mut bench, &h.ad, &["No."]);
    }
    let most = |bench: &mut Bench, most| bench.sandbox.due_deliveries(bench.now, most).len();
    assert_eq!(
        (
            most(&mut bench, 3),
            most(&mut bench, 3),
            most(&mut bench, 3)
        ),
        (3, 2, 0)
    );
}

#[test]
fn events_share_a_body_within_a_window() {
    let mut bench = Bench::new();
    let h = heard(&mut bench);
    bench.knob("webhook_batch_seconds", "5");
    bench.knob("webhook_batch_max", "3");
    for index in 0..4 {
        reject(&mut bench, &h.ad, &[&format!("reason {index}")]);
        bench.now += 1_000;
    }
    assert_eq!(received(&mut bench), Vec::<Value>::new());
    bench.now += 1_000;
    let bodies = received(&mut bench);
    let shape: Vec<(u64, usize)> = bodies
        .iter()
        .map(|body| {
            let entries = body["entry"].as_array().unwrap().len();
            (body["object"].as_u64().unwrap(), entries)
        })
        .collect();
    // What was gathered later with the same receiver waits for its own time if it does not fit.
    assert_eq!(shape, [(3, 3), (2, 1)]);
    assert_eq!(bodies[0]["time"], bench.now / 1_000);
    bench.now += 5_000;
    assert_eq!(received(&mut bench).len(), 1);
    // A thousand in one body.
    bench.knob("webhook_batch_max", "1000");
    for index in 0..1_001 {
        reject(&mut bench, &h.ad, &[&format!("reason {index}")]);
    }
    bench.now += 5_000;
    let bodies = received(&mut bench);
    let entries: Vec<usize> = bodies
        .iter()
        .map(|body| body["entry"].as_array().unwrap().len())
        .collect();
    assert_eq!(entries, [1_000, 1]);
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

#[test]
fn events_by_hand() {
    let mut bench = Bench::new();
    let h = heard(&mut bench);
    let send = |bench: &mut Bench, body: Value| control(bench, "POST", "/sandbox/events", "", body);
    let (status, reply) = send(&mut bench, json!({"subscription_id": h.on_ad}));
    assert_eq!((status, &reply["delivery_ids"]), (200, &json!([1])));
    assert_eq!(received(&mut bench)[0]["entry"][0]["ad_id"], h.ad);
    let forged = json!({
        "subscription_id": h.on_ad, "body": {"object": 3, "entry": []}, "signature": "raw", "key": "not the key",
    });
    assert_eq!(send(&mut bench, forged).0, 200);
    let delivery = due(&mut bench)[0].clone();
    let text = String::from_utf8(delivery.body.clone()).unwrap();
    assert_eq!(text, r#"{"entry":[],"object":3}"#);
    assert_eq!(
        header(&delivery, "X-Open-Signature"),
        Some(hmac("not the key", &text).as_str())
    );
    answer(&mut bench, &delivery, 401);
    let odd = json!({
        "app_id": bench.account.app_id, "url": "http://127.0.0.1:1/", "body": "{not json", "signature": "tiktok",
        "signature_time": 5, "headers": {"X-Open-Signature": "00", "content-type": "text/plain"},
    });
    assert_eq!(send(&mut bench, odd).0, 200);
    let deliveries = due(&mut bench);
    let delivery = deliveries.iter().find(|one| one.id == 3).unwrap();
    assert_eq!(delivery.body, b"{not json");
    assert!(
        header(delivery, "TikTok-Signature")
            .unwrap()
            .starts_with("t=5,s=")
    );
    assert_eq!(header(delivery, "X-Open-Signature"), Some("00"));
    assert_eq!(header(delivery, "content-type"), Some("text/plain"));
    assert_eq!(header(delivery, "Content-Type"), None);
    for (wrong, status) in [
        (json!({}), 400),
        (json!({"subscription_id": "1"}), 404),
        (json!({"body": {}}), 400),
        (
            json!({"body": {}, "app_id": "1", "url": "http://127.0.0.1/"}),
            404,
        ),
        (json!({"body": {}, "app_id": bench.account.app_id}), 400),
        (
            json!({"subscription_id": h.on_ad, "signature": "sha1"}),
            400,
        ),
        (json!({"subscription": h.on_ad}), 400),
    ] {
        assert_eq!(send(&mut bench, wrong.clone()).0, status, "{wrong}");
    }
}

#[test]
fn all_of_it_outlives_a_restart_and_follows_from_the_seed() {
    let play = || {
        let mut bench = Bench::new();
        bench.knob("ad_review_seconds", "60");
        let h = heard(&mut bench);
        let pixel = NewPixel {
            advertiser_id: bench.id(),
            ..NewPixel::default()
        };
        bench.sandbox.add_pixel(bench.now, &pixel).unwrap();
        reject(&mut bench, &h.ad, &["No."]);
        let first = due(&mut bench)[0].clone();
        answer(&mut bench, &first, 500);
        bench.knob("webhook_batch_seconds", "5");
        approve(&mut bench, &h.ad);
        bench
    };
    let (mut bench, mut twin) = (play(), play());
    assert_eq!(bench.sandbox.digest(), twin.sandbox.digest());
    let bytes = serde_json::to_vec(&bench.sandbox).unwrap();
    let mut again = bench.clone();
    again.sandbox = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(again.sandbox.digest(), bench.sandbox.digest());
    for _ in 0..3 {
        for one in [&mut bench, &mut twin, &mut again] {
            one.now += 30_000;
        }
        let sent = due(&mut bench);
        assert_eq!(due(&mut twin), sent);
        assert_eq!(due(&mut again), sent);
    }
    assert_eq!(
        serde_json::to_vec(&bench.sandbox).unwrap(),
        serde_json::to_vec(&again.sandbox).unwrap()
    );
    assert_eq!(again.sandbox.pixels_of(&again.id()).len(), 1);
    assert_ne!(bench.sandbox.digest(), play().sandbox.digest());
}
