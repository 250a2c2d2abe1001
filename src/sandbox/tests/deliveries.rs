//! Deliveries: signatures, retries, copies, order and batches; and events by hand.

use hmac::{Hmac, KeyInit, Mac};

use super::{
    webhooks::{answer, approve, due, heard, received, reject},
    *,
};

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
    let escaped = text
        .replace('夏', "\\u590f")
        .replace('ü', "\\u00fc")
        .replace('🪁', "\\ud83e\\ude81");
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
        [
            0, 0, 10, 60, 300, 900, 1_800, 3_600, 7_200, 14_400, 28_800, 28_800
        ]
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
