//! Replicas that do not lead.

use super::*;

#[tokio::test]
async fn a_standby_passes_everything_on_and_the_answer_back() {
    let leader = Site::start().await;
    let standby = Site::standby(&leader).await;
    let begun = standby.form(PAGE, "", "ticket=t1").await;
    assert_eq!(begun.status, 303);
    assert_eq!(
        begun.header("location"),
        "http://platform.example/portal/auth?state=st"
    );
    assert_eq!(begun.all("set-cookie").len(), 1);
    assert_eq!(begun.all("content-security-policy").len(), 1);
    assert_eq!(begun.all("cache-control"), ["no-store"]);
    let cookie = "Cookie: tiktok_ads_connect=ck\r\n";
    let done = standby
        .get("/oauth/callback?auth_code=co&state=st", cookie)
        .await;
    assert_eq!((done.status, done.all("set-cookie").len()), (303, 2));
    let page = standby
        .get(&format!("{PAGE}?q=a"), "Cookie: tiktok_ads_session=se\r\n")
        .await;
    assert!(page.body.contains("Pick the ad account"), "{}", page.body);
    let signed = "X-Open-Signature: aa\r\nTikTok-Signature: t=1,s=2\r\nX-Other: no\r\n";
    assert_eq!(
        standby
            .post(&format!("{HOOK}/tok"), signed, "{\"é\":1}")
            .await
            .status,
        200
    );
    assert_eq!(
        standby
            .post(HOOK, "X-Open-Signature: bad\r\n", "{}")
            .await
            .status,
        401
    );
    assert_eq!(
        leader.fake.asked(),
        [
            "begin",
            "authorise co",
            "stored",
            "page a 0",
            "event shop/main Some(\"tok\") Some(\"aa\") Some(\"t=1,s=2\") 8",
            "event shop/main None Some(\"bad\") None 2",
        ]
    );
    assert!(standby.fake.asked().is_empty());
    // What needs no leader is answered here.
    let passes = standby.fake.passes.load(Ordering::SeqCst);
    assert_eq!(standby.get(PAGE, "").await.status, 200);
    assert_eq!(standby.get("/metrics", "").await.status, 404);
    assert_eq!(standby.fake.passes.load(Ordering::SeqCst), passes);
}

#[tokio::test]
async fn what_was_passed_on_once_is_not_passed_on_again() {
    // Two replicas that each take the other for the leader, and one that takes itself for it.
    let one = Site::start().await;
    let two = Site::standby(&one).await;
    *one.fake.leader.lock().unwrap() = Leader::There(format!("http://{}", two.address));
    assert_eq!(one.post(HOOK, "", "{}").await.status, 503);
    assert_eq!(one.fake.passes.load(Ordering::SeqCst), 1);
    assert_eq!(two.fake.passes.load(Ordering::SeqCst), 0);
    *one.fake.leader.lock().unwrap() = Leader::There(format!("http://{}", one.address));
    let reply = one.form(PAGE, "", "ticket=t1").await;
    assert_eq!(reply.status, 503);
    assert!(reply.body.contains("does not act at this moment"));
    assert_eq!(one.fake.passes.load(Ordering::SeqCst), 2);
    // A leader answers, whoever sent it.
    *one.fake.leader.lock().unwrap() = Leader::Here;
    assert_eq!(
        one.post(HOOK, &format!("{HOP}: 1\r\n"), "{}").await.status,
        200
    );
}

#[tokio::test]
async fn without_a_leader_nothing_is_used_up() {
    let leader = Site::start().await;
    let standby = Site::standby(&leader).await;
    leader.stop.send_replace(true);
    leader.task.await.unwrap();
    for reply in [
        standby.post(HOOK, "", "{}").await,
        standby.form(PAGE, "", "ticket=t1").await,
        standby
            .get("/oauth/callback?auth_code=co&state=st", "")
            .await,
        standby.get(PAGE, "Cookie: tiktok_ads_session=se\r\n").await,
    ] {
        assert_eq!(
            (reply.status, reply.header("retry-after")),
            (503, "5"),
            "{reply:?}"
        );
    }
    assert!(leader.fake.asked().is_empty() && standby.fake.asked().is_empty());
}
