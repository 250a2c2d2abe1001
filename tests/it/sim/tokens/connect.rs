//! R26: a link with a ticket, TikTok's page, the callback.

use secrecy::ExposeSecret;
use serde_json::json;
use tiktok_ads_operator::engine::connection::ConnectError;

use super::super::script::{Script, ads, play};
use super::{EXCHANGE, REVOKE, query, settings, state_of, unconnected};

#[test]
fn r26_a_link_a_code_and_an_advertiser_make_a_connection_and_each_works_once() {
    play(async {
        let script = Script::with(5, &[], 1, &settings());
        unconnected(&script, json!({}));
        script.wait(10).await;
        assert_eq!(script.reason(), "NotAuthorised");
        let url = script.data("main-tiktok-connect", "url").unwrap();
        let ticket = script.data("main-tiktok-connect", "ticket").unwrap();
        assert_eq!(
            url,
            format!("https://ads.example.com/connect/ads/main?ticket={ticket}")
        );
        assert!(!script.connection().to_string().contains(&ticket));
        let wrong = script.begin("guess").await.unwrap_err();
        assert_eq!(wrong, ConnectError::Ticket);

        let begun = script.begin(&ticket).await.unwrap();
        let asked = query(&begun);
        assert_eq!(
            asked["redirect_uri"],
            "https://ads.example.com/oauth/callback"
        );
        assert_eq!(
            script.begin(&ticket).await.unwrap_err(),
            ConnectError::Ticket
        );
        assert_ne!(
            script.data("main-tiktok-connect", "ticket").unwrap(),
            ticket
        );

        let advertiser = script.does(|w| w.accounts[0].advertiser_id.clone());
        let code = script.code(&[advertiser], None);
        let (state, cookie) = (state_of(&begun), begun.cookie.expose_secret().to_string());
        let mut forged = state.clone();
        forged.pop();
        for (state, cookie, wanted) in [
            (forged.as_str(), cookie.as_str(), ConnectError::State),
            ("nonsense", &cookie, ConnectError::State),
            (&state, "another browser", ConnectError::OtherBrowser),
        ] {
            let no = script.authorise(state, &code, cookie).await.unwrap_err();
            assert_eq!(no, wanted);
        }
        assert_eq!(script.calls(EXCHANGE), [], "nothing was sent");
        assert_eq!(script.data("main-tiktok-token", "access_token"), None);

        let done = script.authorise(&state, &code, &cookie).await.unwrap();
        assert_eq!(done.connection, ads("main"));
        script.wait(5).await;
        assert_eq!(script.reason(), "Verified");
        let status = script.connection()["status"].clone();
        assert_eq!(status["token"]["origin"], "Authorised");
        assert_eq!(status["role"], "ADMIN");
        assert!(status["scopes"]["granted"].is_array());

        // Neither the state nor a later one with the used code.
        let again = script.authorise(&state, &code, &cookie).await.unwrap_err();
        assert_eq!(again, ConnectError::State);
        let token = script.data("main-tiktok-token", "access_token");
        let ticket = script.data("main-tiktok-connect", "ticket").unwrap();
        let begun = script.begin(&ticket).await.unwrap();
        let cookie = begun.cookie.expose_secret().to_string();
        let used = script
            .authorise(&state_of(&begun), &code, &cookie)
            .await
            .unwrap_err();
        assert!(matches!(used, ConnectError::CodeRefused(_)), "{used:?}");
        assert_eq!(script.data("main-tiktok-token", "access_token"), token);
        script.wait(5).await;
        assert_eq!(script.reason(), "Verified");

        // Too late.
        let ticket = script.data("main-tiktok-connect", "ticket").unwrap();
        let begun = script.begin(&ticket).await.unwrap();
        script.wait(16 * 60).await;
        let cookie = begun.cookie.expose_secret().to_string();
        let late = script.authorise(&state_of(&begun), &code, &cookie).await;
        assert_eq!(late.unwrap_err(), ConnectError::StateExpired);
        script.end().await;
    });
}

#[test]
fn r26_a_token_that_does_not_reach_the_advertiser_is_not_taken_and_not_revoked_while_the_app_is_in_use()
 {
    play(async {
        let script = Script::with(6, &[], 1, &settings());
        unconnected(&script, json!({}));
        script.wait(10).await;
        let other = script.does(|w| w.accounts[1].advertiser_id.clone());
        // Nobody else holds a grant of this app: it is taken back.
        let no = script
            .connect_for(std::slice::from_ref(&other), None)
            .await
            .unwrap_err();
        assert!(
            matches!(&no, ConnectError::NotGranted(why) if why.contains("was revoked")),
            "{no:?}"
        );
        assert_eq!(script.calls(REVOKE).len(), 1);
        script.wait(5).await;
        assert_eq!(script.reason(), "NotAuthorised");
        // Now the connection itself does.
        script.connect(None).await.unwrap();
        script.wait(5).await;
        let token = script.data("main-tiktok-token", "access_token");
        let no = script.connect_for(&[other], None).await.unwrap_err();
        assert!(matches!(&no, ConnectError::NotGranted(_)), "{no:?}");
        assert_eq!(script.calls(REVOKE).len(), 1);
        assert_eq!(script.data("main-tiktok-token", "access_token"), token);
        assert_eq!(
            script.data("main-tiktok-token", "candidate_access_token"),
            None
        );
        script.wait(5).await;
        assert_eq!(script.reason(), "Verified");
        script.end().await;
    });
}
