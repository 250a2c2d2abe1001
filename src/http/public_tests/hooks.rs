//! The receiver of webhooks.

use super::*;

#[tokio::test]
async fn a_webhook_is_taken_only_if_the_operator_says_so() {
    let site = Site::start().await;
    let signed = "X-Open-Signature: aa\r\nTikTok-Signature: t=1,s=2\r\n";
    let reply = site.post(HOOK, signed, "{\"x\":1}").await;
    assert_eq!((reply.status, &*reply.body), (200, "ok\n"));
    let reply = site.post(&format!("{HOOK}/to%20k"), "", "").await;
    assert_eq!(reply.status, 200);
    assert_eq!(
        site.fake.asked(),
        [
            "event shop/main None Some(\"aa\") Some(\"t=1,s=2\") 7",
            "event shop/main Some(\"to k\") None None 0"
        ]
    );
    // Two headers of one name are none.
    site.post(HOOK, "X-Open-Signature: aa\r\nX-Open-Signature: bb\r\n", "")
        .await;
    assert!(site.fake.asked()[2].contains("None None"));
    let bad = site.post(HOOK, "X-Open-Signature: bad\r\n", "{}").await;
    for unknown in [
        "/webhooks/tiktok/shop/other",
        "/webhooks/tiktok/no_such/other",
    ] {
        let reply = site.post(unknown, signed, "{}").await;
        assert_eq!(
            (reply.status, &reply.body),
            (bad.status, &bad.body),
            "{unknown}"
        );
    }
    assert_eq!(bad.status, 401);
    *site.fake.taken.lock().unwrap() = Taken::NotHere;
    let reply = site.post(HOOK, signed, "{}").await;
    assert_eq!((reply.status, reply.header("retry-after")), (503, "5"));
    *site.fake.leader.lock().unwrap() = Leader::Nowhere;
    assert_eq!(site.post(HOOK, signed, "{}").await.status, 503);
}

#[tokio::test]
async fn a_webhook_that_is_too_large_is_refused_and_a_megabyte_is_not() {
    let site = Site::start().await;
    let whole = "x".repeat(1 << 20);
    assert_eq!(site.post(HOOK, "", &whole).await.status, 200);
    // Said beforehand: refused before a byte of it was read.
    let said = format!("POST {HOOK} HTTP/1.1\r\nHost: x\r\nContent-Length: 1048577\r\n\r\n");
    assert_eq!(site.raw(&said).await.status, 413);
    // Not said.
    let chunk = format!("10000\r\n{}\r\n", "x".repeat(1 << 16));
    let chunked = format!(
        "POST {HOOK} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n{}10\r\n0123456789abcdef\r\n",
        chunk.repeat(16)
    );
    assert_eq!(site.raw(&chunked).await.status, 413);
    assert_eq!(site.fake.events.load(Ordering::SeqCst), 1);
}
