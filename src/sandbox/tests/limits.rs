//! Request limits as a client meets them.

use super::*;

fn burst(bench: &mut Bench, calls: usize) -> Vec<i64> {
    (0..calls)
        .map(|_| bench.get("/campaign/get/", &[])["code"].as_i64().unwrap())
        .collect()
}

#[test]
fn r06_every_tier_has_its_calls_per_second() {
    for (tier, qps) in [
        (Tier::Basic, 10),
        (Tier::Advanced, 20),
        (Tier::Premium, 30),
        (Tier::Ultimate, 50),
    ] {
        let mut bench = Bench::with(NewAccount {
            tier,
            ..NewAccount::default()
        });
        bench.knob("rate", "tier");
        let codes = burst(&mut bench, qps + 1);
        assert!(codes[..qps].iter().all(|code| *code == 0), "{tier:?}");
        assert_eq!(codes[qps], 40_100, "{tier:?}");
        bench.now += 1_000;
        assert_eq!(burst(&mut bench, 1), [0]);
    }
}

#[test]
fn the_app_is_counted_or_the_app_and_path() {
    for (scope, code) in [("app", 40_100), ("app_and_path", 0)] {
        let mut bench = Bench::new();
        bench.knob("rate", "1/100/1000");
        bench.knob("rate_scope", scope);
        burst(&mut bench, 1);
        assert_eq!(bench.get("/smart_plus/campaign/get/", &[])["code"], code);
    }
}

#[test]
fn the_advertisers_limit_has_its_own_code_and_text() {
    let mut bench = Bench::new();
    bench.knob("advertiser_qps", "2");
    assert_eq!(burst(&mut bench, 2), [0, 0]);
    let reply = bench.get("/campaign/get/", &[]);
    assert_eq!(reply["code"], 40_133);
    assert_eq!(
        reply["message"].as_str().unwrap(),
        format!(
            "Advertiser ({})'s QPS (3) reaches QPS limit 2 for current path, request is temporarily restricted.",
            bench.id()
        )
    );
    assert_eq!(
        bench.get("/smart_plus/campaign/get/", &[])["code"],
        0,
        "another path"
    );
}

#[test]
fn http_429_with_retry_after_is_a_knob() {
    let mut bench = Bench::new();
    bench.knob("rate", "1/2/1000");
    bench.knob("throttle_http_status", "429");
    bench.knob("throttle_retry_after", "true");
    let retry_after = |bench: &mut Bench| {
        let answer = bench.send(
            "GET",
            "/campaign/get/",
            &format!("advertiser_id={}", bench.id()),
            b"",
        );
        let response = answer.reply().unwrap().clone();
        let header = response
            .headers
            .iter()
            .find(|(name, _)| name == "Retry-After")
            .map(|(_, value)| value.clone());
        (response.status, header)
    };
    assert_eq!(retry_after(&mut bench), (200, None));
    assert_eq!(retry_after(&mut bench), (429, Some("1".into())));
    bench.now += 1_000;
    assert_eq!(retry_after(&mut bench), (200, None));
    assert_eq!(
        retry_after(&mut bench),
        (429, Some("300".into())),
        "a minute limit pauses for five"
    );
}
