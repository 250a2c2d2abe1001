//! What anybody may ask for: sizes, times, memory, places.

use super::super::super::body::SMALL;
use super::*;

#[tokio::test]
async fn what_is_no_route_or_no_form_is_refused_in_one_line() {
    let site = Site::start().await;
    for path in [
        "/",
        "/metrics",
        "/readyz",
        "/connect",
        "/connect/shop/main/",
        "/connect/Shop/main",
        "/connect/shop/a%3Bb",
        "/webhooks/tiktok/shop",
        "/oauth/callback/",
        "/favicon.ico",
    ] {
        let reply = site.get(path, "").await;
        assert_eq!(
            (reply.status, &*reply.body),
            (404, "there is nothing here\n"),
            "{path}"
        );
    }
    for (method, path) in [
        ("PUT", PAGE),
        ("DELETE", HOOK),
        ("GET", HOOK),
        ("POST", "/oauth/callback?auth_code=co&state=st"),
        ("HEAD", "/oauth/callback?auth_code=co&state=st"),
        ("GET", "/connect/shop/main/advertiser"),
    ] {
        let reply = site
            .raw(&format!(
                "{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nCookie: tiktok_ads_connect=ck\r\n\r\n"
            ))
            .await;
        assert_eq!(reply.status, 405, "{method} {path}");
    }
    assert_eq!(
        site.post(PAGE, "Content-Type: application/json\r\n", "{}")
            .await
            .status,
        415
    );
    let large = "x".repeat(20_000);
    assert_eq!(site.form(PAGE, "", &large).await.status, 413);
    assert!(site.fake.asked().is_empty());
}

#[tokio::test]
async fn who_sends_slowly_is_cut_off_and_keeps_nobody_out() {
    let limits = Limits {
        read_for: Duration::from_millis(300),
        ..Limits::default()
    };
    let site = Site::with(limits, "http://localhost").await;
    let half = format!("POST {HOOK} HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc");
    let begun = Instant::now();
    let slow: Vec<_> = (0..50).map(|_| site.raw(&half)).collect();
    let slow = futures::future::join_all(slow);
    let quick = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        site.post(HOOK, "", "{}").await.status
    };
    let (slow, quick) = tokio::join!(slow, quick);
    assert_eq!(quick, 200);
    assert!(slow.iter().all(|reply| reply.status == 408), "{slow:?}");
    assert!(begun.elapsed() < Duration::from_secs(5));
    // A head that does not end; and no connection is kept for a second request.
    let head = site
        .raw(&format!("POST {HOOK} HTTP/1.1\r\nHost: x\r\n"))
        .await;
    assert!(head.status == 0 || head.status == 408, "{head:?}");
    let kept = site
        .raw(&format!("GET {PAGE} HTTP/1.1\r\nHost: x\r\n\r\n"))
        .await;
    assert_eq!(kept.status, 200, "and the connection was closed");
}

/// Room for two of the largest bodies beyond the part that each is sure of.
fn room_for_two() -> Limits {
    Limits {
        memory: 2 * ((1 << 20) - SMALL),
        ..Limits::default()
    }
}

#[tokio::test]
async fn memory_is_shared_and_bounded() {
    let limits = Limits {
        verifications: 8,
        ..room_for_two()
    };
    let site = Site::with(limits, "http://localhost").await;
    let hold = Arc::new(Notify::new());
    *site.fake.hold.lock().unwrap() = Some(hold.clone());
    let body = "x".repeat(1 << 20);
    let both = async { tokio::join!(site.post(HOOK, "", &body), site.post(HOOK, "", &body)) };
    let others = async {
        while site.fake.events.load(Ordering::SeqCst) < 2 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        *site.fake.hold.lock().unwrap() = None;
        let small = site.post(HOOK, "", "{}").await;
        let full = site.post(HOOK, "", &"x".repeat(SMALL + 1)).await;
        hold.notify_waiters();
        (small, full)
    };
    let ((one, two), (small, full)) = tokio::join!(both, others);
    assert_eq!((one.status, two.status), (200, 200));
    assert_eq!(small.status, 200, "a message as TikTok sends them");
    assert_eq!((full.status, full.header("retry-after")), (503, "5"));
    let again = site.post(HOOK, "", &"x".repeat(SMALL + 1)).await;
    assert_eq!(again.status, 200, "given back");
}

#[tokio::test]
async fn large_bodies_that_never_end_keep_out_neither_forms_nor_messages() {
    let limits = Limits {
        read_for: Duration::from_secs(3),
        ..room_for_two()
    };
    let site = Site::with(limits, "http://localhost").await;
    let head = format!("POST {HOOK} HTTP/1.1\r\nHost: x\r\nContent-Length: 1048576\r\n\r\n");
    let most = "x".repeat((1 << 20) - 1);
    let mut stalled = Vec::new();
    for _ in 0..4 {
        let mut stream = TcpStream::connect(site.address).await.unwrap();
        let _ = stream.write_all(format!("{head}{most}").as_bytes()).await;
        stalled.push(stream);
    }
    let begun = Instant::now();
    while site.post(HOOK, "", &"x".repeat(SMALL + 1)).await.status != 503 {
        assert!(begun.elapsed() < Duration::from_secs(3), "never full");
    }
    let message = "x".repeat(SMALL);
    assert_eq!(site.post(HOOK, "", &message).await.status, 200);
    assert_eq!(site.form(PAGE, "", "ticket=t1").await.status, 303);
    drop(stalled);
}

#[tokio::test]
async fn signatures_are_checked_a_few_at_a_time() {
    let limits = Limits {
        verifications: 2,
        ..Limits::default()
    };
    let site = Site::with(limits, "http://localhost").await;
    let hold = Arc::new(Notify::new());
    *site.fake.hold.lock().unwrap() = Some(hold.clone());
    let all = futures::future::join_all((0..6).map(|_| site.post(HOOK, "", "{}")));
    let look = async {
        while site.fake.events.load(Ordering::SeqCst) < 2 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert_eq!(site.fake.events.load(Ordering::SeqCst), 2);
        // Nobody else waits for them.
        assert_eq!(site.form(PAGE, "", "ticket=t1").await.status, 303);
        *site.fake.hold.lock().unwrap() = None;
        hold.notify_waiters();
    };
    let (all, ()) = tokio::join!(all, look);
    assert!(all.iter().all(|reply| reply.status == 200), "{all:?}");
}

#[tokio::test]
async fn connections_beyond_the_limit_wait_for_their_turn() {
    let limits = Limits {
        connections: 2,
        read_for: Duration::from_millis(400),
        ..Limits::default()
    };
    let site = Site::with(limits, "http://localhost").await;
    let idle = [
        TcpStream::connect(site.address).await.unwrap(),
        TcpStream::connect(site.address).await.unwrap(),
    ];
    let begun = Instant::now();
    assert_eq!(site.get(PAGE, "").await.status, 200);
    assert!(begun.elapsed() >= Duration::from_millis(300), "it waited");
    drop(idle);
}

#[tokio::test]
async fn large_heads_are_refused() {
    let site = Site::start().await;
    let header = format!("X: {}\r\n", "y".repeat(LARGEST_HEAD));
    assert_eq!(site.get(PAGE, &header).await.status, 431);
    let many: String = (0..MOST_HEADERS).map(|n| format!("X-{n}: y\r\n")).collect();
    assert_eq!(site.get(PAGE, &many).await.status, 431);
    assert_eq!(site.get(PAGE, "X: y\r\n").await.status, 200);
}
