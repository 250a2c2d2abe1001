//! R26: what is good for one use, used twice at the same moment, by two browsers or at two replicas; and what was signed for a
//! connection that is not there any more.

use std::time::Duration;

use secrecy::ExposeSecret;
use serde_json::json;
use tiktok_ads_operator::engine::connection::{Authorised, Begun, ConnectError};
use tokio::time::timeout;

use super::super::api_server::CONNECTION;
use super::super::platform::Planned;
use super::super::replica::SimEngine;
use super::super::script::{Script, ads, play};
use super::{EXCHANGE, secret, settings, state_of, unconnected};

const CONNECT: &str = "main-tiktok-connect";

/// Two replicas and a connection that waits to be authorised.
async fn waiting(seed: u64) -> Script {
    let script = Script::with(seed, &[], 2, &settings());
    unconnected(&script, json!({}));
    script.wait(60).await;
    assert_eq!(script.reason(), "NotAuthorised");
    script
}

impl Script {
    fn ticket(&self) -> String {
        self.data(CONNECT, "ticket").unwrap()
    }

    fn code_for_one(&self) -> String {
        let advertiser = self.does(|w| w.accounts[0].advertiser_id.clone());
        self.code(&[advertiser], None)
    }

    async fn begun(&self) -> (String, String) {
        let begun = self.begin(&self.ticket()).await.unwrap();
        (state_of(&begun), begun.cookie.expose_secret().into())
    }

    /// The engine that does not lead.
    fn standby(&self) -> std::sync::Arc<SimEngine> {
        let (leader, _) = self.sim.leader().unwrap();
        self.does(|w| w.slots[1 - leader].engine.upgrade()).unwrap()
    }
}

/// One of the two went through; what the other was told.
fn loser<T>(one: Result<T, ConnectError>, two: Result<T, ConnectError>) -> (T, ConnectError) {
    match (one, two) {
        (Ok(won), Err(lost)) | (Err(lost), Ok(won)) => (won, lost),
        (Ok(_), Ok(_)) => panic!("both went through"),
        (Err(one), Err(two)) => panic!("neither went through: {one:?}, {two:?}"),
    }
}

#[test]
fn r26_of_two_browsers_with_the_same_link_one_begins() {
    let mut at_the_write = 0;
    for seed in 60..72 {
        at_the_write += play(async move {
            let script = waiting(seed).await;
            let ticket = script.ticket();
            let (one, two) = tokio::join!(script.begin(&ticket), script.begin(&ticket));
            let (won, lost): (Begun, _) = loser(one, two);
            // "This link is not good any more": get another one.
            assert_eq!(lost, ConnectError::Ticket, "seed {seed}");
            let refused = script.does(|w| {
                let put = |l: &&String| l.contains("PUT Secret ads/main-tiktok-connect");
                let puts = w.trace.iter().filter(put);
                puts.filter(|l| !l.ends_with(": ok")).count()
            });
            // The one that won leads to a connection.
            let (state, cookie) = (state_of(&won), won.cookie.expose_secret().to_string());
            let code = script.code_for_one();
            script.authorise(&state, &code, &cookie).await.unwrap();
            script.wait(5).await;
            assert_eq!(script.reason(), "Verified");
            script.end().await;
            refused
        });
    }
    assert!(at_the_write > 0, "no two have read the same ticket");
}

#[test]
fn r26_of_two_callbacks_with_the_same_state_one_is_exchanged() {
    for seed in 72..84 {
        play(async move {
            let script = waiting(seed).await;
            let (state, cookie) = script.begun().await;
            // The same code, as a browser that sends twice, or another, as somebody who has seen the state.
            let one = script.code_for_one();
            let two = if seed % 2 == 0 {
                one.clone()
            } else {
                script.code_for_one()
            };
            let (one, two) = tokio::join!(
                script.authorise(&state, &one, &cookie),
                script.authorise(&state, &two, &cookie)
            );
            let (won, lost): (Authorised, _) = loser(one, two);
            assert_eq!(won.connection, ads("main"));
            assert_eq!(lost, ConnectError::State, "seed {seed}");
            assert_eq!(script.calls(EXCHANGE).len(), 1, "seed {seed}");
            script.wait(5).await;
            assert_eq!(script.reason(), "Verified");
            script.end().await;
        });
    }
}

#[test]
fn r26_of_two_replicas_the_one_that_leads_takes_a_step_and_its_successor_does_not_take_it_again() {
    for seed in 84..88 {
        play(async move {
            let script = waiting(seed).await;
            let main = ads("main");
            // A standby that was not told yet who leads.
            let standby = script.standby();
            let ticket = script.ticket();
            let there = secret(&ticket);
            let (one, two) =
                tokio::join!(script.begin(&ticket), standby.begin_connect(&main, &there));
            let (begun, lost) = loser(one, two);
            assert_eq!(lost, ConnectError::Busy, "again in a moment");
            let (state, cookie) = (state_of(&begun), begun.cookie);
            // It looks for what it does not know once a second.
            script.wait(2).await;
            let code = script.code_for_one();
            let (signed, sent) = (secret(&state), secret(&code));
            let (one, two) = tokio::join!(
                script.authorise(&state, &code, cookie.expose_secret()),
                standby.authorise(&signed, &sent, &cookie)
            );
            let (_, lost) = loser(one, two);
            assert_eq!(lost, ConnectError::Busy);
            assert_eq!(script.calls(EXCHANGE).len(), 1, "seed {seed}");
            drop(standby);

            // A leader dies, and its successor is asked twice for what the first one began.
            let (state, cookie) = script.begun().await;
            script.kill_leader();
            script.wait(120).await;
            let code = script.code_for_one();
            let (one, two) = tokio::join!(
                script.authorise(&state, &code, &cookie),
                script.authorise(&state, &code, &cookie)
            );
            assert_eq!(loser(one, two).1, ConnectError::State);
            assert_eq!(script.calls(EXCHANGE).len(), 2, "seed {seed}");

            // It dies when the state is used up and the code is not: the successor does not know what was sent.
            let (state, cookie) = script.begun().await;
            let dies = Planned {
                crash_before: true,
                ..Planned::default()
            };
            script.plan(EXCHANGE, &[dies]);
            let code = script.code_for_one();
            let dead = script.authorise(&state, &code, &cookie);
            assert!(timeout(Duration::from_secs(120), dead).await.is_err());
            let again = script.authorise(&state, &code, &cookie).await.unwrap_err();
            assert_eq!(again, ConnectError::State, "from the link on");
            assert_eq!(script.calls(EXCHANGE).len(), 2, "seed {seed}");
            script.connect(None).await.unwrap();
            script.wait(5).await;
            assert_eq!(script.reason(), "Verified");
            script.end().await;
        });
    }
}

/// A backup tool puts the connection back with a new uid; the Secret with the key that signs is the old one.
#[test]
fn r26_what_was_signed_for_a_connection_is_no_good_for_another_one_of_its_name() {
    play(async {
        let script = waiting(88).await;
        let session = script.connect(None).await.unwrap().session;
        script.wait(5).await;
        let page = |session| {
            let (_, engine) = script.sim.leader().unwrap();
            engine.connection_page(&ads("main"), session, "", 0)
        };
        assert!(page(&session).is_some());
        let (state, cookie) = script.begun().await;
        let uid = |script: &Script| script.connection()["metadata"]["uid"].clone();
        let (before, key) = (uid(&script), script.data(super::TOKEN, "connect_key"));
        script.does(|w| w.restore(CONNECTION, &ads("main"), (false, false, false)));
        script.wait(10).await;
        assert_ne!(uid(&script), before);
        assert_eq!(
            script.data(super::TOKEN, "connect_key"),
            key,
            "it still verifies"
        );
        assert_eq!(script.reason(), "Verified");
        let (code, sent) = (script.code_for_one(), script.calls(EXCHANGE).len());
        let token = script.data("main-tiktok-token", "access_token");
        let no = script.authorise(&state, &code, &cookie).await.unwrap_err();
        assert_eq!(no, ConnectError::State);
        assert_eq!(script.calls(EXCHANGE).len(), sent, "nothing was sent");
        assert_eq!(script.data("main-tiktok-token", "access_token"), token);
        assert!(page(&session).is_none(), "a session neither");
        // The code is still good, with a state of this connection's own.
        let (state, cookie) = script.begun().await;
        script.authorise(&state, &code, &cookie).await.unwrap();
        script.end().await;
    });
}
