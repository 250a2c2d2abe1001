//! R21, R22, R26 at the engine's doors: connecting, a token's life over days, and the end of a connection.

use std::collections::HashMap;
use std::time::Duration;

use jiff::SignedDuration;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use tiktok_ads_operator::engine::connection::{Authorised, Begun, ConnectError};
use tiktok_ads_operator::engine::doors::Name;
use tiktok_ads_operator::engine::settings::{PublicAddress, Settings};
use tiktok_ads_operator::sandbox::{FaultKind, NewGrant};

use super::api_server::{CAMPAIGN, CONNECTION};
use super::platform::Planned;
use super::script::{Script, ads, play};
use super::specs::manual;
use super::user::{caps, named};

pub(super) const REFRESH: &str = "/oauth2/refresh_token/";
const REVOKE: &str = "/oauth2/revoke_token/";
const EXCHANGE: &str = "/oauth2/access_token/";
/// Two hours: a rotation is due after one and a half, the last five minutes are read-only.
const LIFE: &str = "7200";
pub(super) const ROTATING: &[(&str, &str)] = &[
    ("token_profile", "expiry_refresh"),
    ("token_lifetime_seconds", LIFE),
    // Whoever uses a refresh token twice loses everything: that is how two refreshes would show.
    ("refresh_replay", "revokes_grant"),
];

pub(super) fn settings() -> Settings {
    Settings {
        public: Some(PublicAddress {
            url: "https://ads.example.com".into(),
            portal: "https://tiktok.example/portal/auth".into(),
        }),
        ..Settings::default()
    }
}

fn secret(text: &str) -> SecretString {
    SecretString::from(text.to_string())
}

/// A connection with an app and no token.
pub(super) fn unconnected(script: &Script, more: Value) {
    script.does(|w| {
        let account = w.accounts[0].clone();
        let app = [
            ("app_id", account.app_id.as_str()),
            ("secret", account.secret.as_str()),
        ];
        w.api.put_secret(&ads("app"), &app);
        let mut spec = json!({
            "appSecretRef": {"name": "app"},
            "advertiserId": account.advertiser_id,
            "caps": caps(Some(1000), None),
        });
        for (key, value) in more.as_object().unwrap() {
            spec[key] = value.clone();
        }
        w.create(CONNECTION, &ads("main"), spec);
    });
}

impl Script {
    pub(super) fn data(&self, name: &str, key: &str) -> Option<String> {
        let world = self.sim.lock();
        let copy = world.api.secret(&ads(name))?;
        copy.data.get(key).map(|v| v.expose_secret().to_string())
    }

    pub(super) fn connection(&self) -> Value {
        self.does(|w| w.api.get(CONNECTION, &ads("main")).cloned())
            .unwrap_or_default()
    }

    pub(super) fn reason(&self) -> String {
        condition(&self.connection(), "Ready")
    }

    pub(super) fn banner(&self) -> String {
        let text = self.connection()["status"]["banner"].clone();
        text.as_str().unwrap_or_default().to_string()
    }

    /// Time, code and faults of the calls of a path so far.
    pub(super) fn calls(&self, path: &str) -> Vec<(i64, Option<i64>)> {
        let world = self.sim.lock();
        let all = world.sandbox.requests(Default::default());
        all.filter(|entry| entry.path.ends_with(path))
            .map(|entry| (entry.at / 1000, entry.code))
            .collect()
    }

    async fn begin(&self, ticket: &str) -> Result<Begun, ConnectError> {
        let (_, engine) = self.sim.leader().unwrap();
        engine.begin_connect(&ads("main"), &secret(ticket)).await
    }

    async fn authorise(
        &self,
        state: &str,
        code: &str,
        cookie: &str,
    ) -> Result<Authorised, ConnectError> {
        let (_, engine) = self.sim.leader().unwrap();
        engine
            .authorise(&secret(state), &secret(code), &secret(cookie))
            .await
    }

    /// A code for these advertisers.
    fn code(&self, advertisers: &[String], scopes: Option<Vec<u64>>) -> String {
        self.does(|w| {
            let (now, app_id) = (w.clock.millis(), w.accounts[0].app_id.clone());
            let grant = NewGrant {
                app_id,
                advertiser_ids: advertisers.to_vec(),
                scopes,
                ..NewGrant::default()
            };
            w.sandbox.create_auth_code_for(now, &grant).unwrap()
        })
    }

    /// The whole way, as a browser goes it.
    pub(super) async fn connect(
        &self,
        scopes: Option<Vec<u64>>,
    ) -> Result<Authorised, ConnectError> {
        let advertiser = self.does(|w| w.accounts[0].advertiser_id.clone());
        self.connect_for(&[advertiser], scopes).await
    }

    async fn connect_for(
        &self,
        advertisers: &[String],
        scopes: Option<Vec<u64>>,
    ) -> Result<Authorised, ConnectError> {
        let ticket = self.data("main-tiktok-connect", "ticket").unwrap();
        let begun = self.begin(&ticket).await?;
        let code = self.code(advertisers, scopes);
        self.authorise(&state_of(&begun), &code, begun.cookie.expose_secret())
            .await
    }
}

pub(super) fn condition(object: &Value, type_: &str) -> String {
    let all = object["status"]["conditions"].as_array().cloned();
    let found = all
        .unwrap_or_default()
        .into_iter()
        .find(|c| c["type"] == type_);
    let reason = found.map(|c| c["reason"].as_str().unwrap_or_default().to_string());
    reason.unwrap_or_default()
}

fn query(begun: &Begun) -> HashMap<String, String> {
    let url = url::Url::parse(begun.authorise_url.expose_secret()).unwrap();
    url.query_pairs().into_owned().collect()
}

fn state_of(begun: &Begun) -> String {
    query(begun)["state"].clone()
}

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

#[test]
fn r26_several_advertisers_wait_for_a_pick_that_outlives_the_process() {
    play(async {
        let script = Script::with(7, &[], 2, &settings());
        unconnected(&script, json!({"advertiserId": null}));
        script.wait(30).await;
        let both = script.does(|w| {
            let all = &w.accounts;
            vec![all[0].advertiser_id.clone(), all[1].advertiser_id.clone()]
        });
        let session = script.connect_for(&both, None).await.unwrap().session;
        script.wait(5).await;
        assert_eq!(script.reason(), "AwaitingAdvertiser");
        assert_eq!(script.connection()["status"]["advertiserCount"], 2);
        let (_, engine) = script.sim.leader().unwrap();
        let main = ads("main");
        let page = engine
            .connection_page(&main, &session, &both[1], 0)
            .unwrap();
        assert_eq!((page.reached.found, page.reached.all), (1, 2));
        let forged = secret("x.y");
        assert!(engine.connection_page(&main, &forged, "", 0).is_none());
        let no = engine.pick_advertiser(&main, &forged, &both[1]).await;
        assert_eq!(no.unwrap_err(), ConnectError::Session);
        let no = engine.pick_advertiser(&main, &session, "999").await;
        assert_eq!(no.unwrap_err(), ConnectError::NotListed);
        engine
            .pick_advertiser(&main, &session, &both[1])
            .await
            .unwrap();
        drop(engine);
        script.wait(10).await;
        assert_eq!(script.reason(), "Verified");
        let (replica, _) = script.sim.leader().unwrap();
        let process = script.does(|w| w.slots[replica].process);
        script.sim.kill(replica, process, "by the test");
        script.wait(120).await;
        let status = script.connection()["status"].clone();
        assert_eq!(status["advertiser"]["id"], both[1].as_str());
        assert_eq!(condition(&script.connection(), "Ready"), "Verified");
        script.end().await;
    });
}

#[test]
fn r26_the_only_advertiser_is_taken_if_the_spec_allows_it_and_an_analyst_only_reads() {
    play(async {
        let script = Script::with(8, &[], 1, &settings());
        unconnected(
            &script,
            json!({"advertiserId": null, "advertiserPick": "OnlyOne", "eventsSource": {"pixelId": "7100000000000000077"}}),
        );
        script.wait(10).await;
        let advertiser = script.does(|w| w.accounts[0].advertiser_id.clone());
        script.does(|w| w.sandbox.set_user_role(&advertiser, "ANALYST").unwrap());
        script.connect(None).await.unwrap();
        script.wait(10).await;
        let status = script.connection()["status"].clone();
        assert_eq!(status["advertiser"]["id"], advertiser.as_str());
        assert_eq!(
            (script.reason(), &status["phase"]),
            ("AnalystRole".into(), &json!("ReadOnly"))
        );
        assert_eq!(
            status["eventsSource"],
            json!({"pixelId": "7100000000000000077", "found": false})
        );
        script.does(|w| w.create(CAMPAIGN, &ads("a"), manual(Some("Active"))));
        script.wait(30).await;
        assert_eq!(script.ready("a"), "ConnectionReadOnly");
        assert_eq!(script.rows(), []);
        script.end().await;
    });
}

#[test]
fn r21_thirty_days_of_rotations_with_faults_and_no_gap() {
    play(async {
        // TikTok's own lifetime, and lists once an hour: nothing here is about them.
        let day = [
            ("token_profile", "expiry_refresh"),
            ("token_lifetime_seconds", "86400"),
            ("refresh_replay", "revokes_grant"),
        ];
        let hourly = Settings {
            sweep_every: Duration::from_secs(3600),
            ..settings()
        };
        let script = Script::with(9, &day, 2, &hourly);
        unconnected(&script, json!({}));
        script.wait(60).await;
        script.connect(None).await.unwrap();
        script.does(|w| w.create(CAMPAIGN, &ads("a"), manual(Some("Active"))));
        script.wait(60).await;
        // From the next start of each machine on its clock is wrong: two minutes ahead of TikTok's, three behind it.
        script.does(|w| {
            w.slots[0].ahead = SignedDuration::from_secs(120);
            w.slots[1].ahead = SignedDuration::from_secs(-180);
        });
        let unsent = Planned {
            not_sent: true,
            ..Planned::default()
        };
        let dies = Planned {
            crash_before: true,
            ..Planned::default()
        };
        let down = Planned::fault(FaultKind::HttpStatus {
            status: 503,
            after_effect: false,
            retry_after: None,
        });
        script.plan(
            REFRESH,
            &[
                unsent.clone(),
                Planned::default(),
                dies.clone(),
                Planned::default(),
                down.clone(),
                down,
                Planned::default(),
                unsent.clone(),
                unsent,
                dies,
            ],
        );
        let mut tokens = std::collections::BTreeSet::new();
        for minute in (0..30 * 24 * 60).step_by(10) {
            script.wait(600).await;
            tokens.insert(script.data("main-tiktok-token", "token_id").unwrap());
            if minute % 4000 == 50 {
                // A leader dies, and its machine with it.
                let (replica, process) = match script.sim.leader() {
                    Some((replica, _)) => (replica, script.does(|w| w.slots[replica].process)),
                    None => continue,
                };
                script.sim.kill(replica, process, "by the test");
            }
            let reason = script.reason();
            assert!(
                matches!(reason.as_str(), "Verified" | "LookingUp"),
                "{minute}: {reason}"
            );
        }
        assert!(tokens.len() >= 30, "{}", tokens.len());
        assert_eq!(script.ready("a"), "InSync");
        let refused = script
            .calls(REFRESH)
            .iter()
            .filter(|(_, code)| *code == Some(40107))
            .count();
        assert_eq!(refused, 0, "no refresh token was used twice");
        assert_eq!(script.data("main-tiktok-token", "refresh_mark"), None);
        assert_eq!(
            script.data("main-tiktok-token", "previous_access_token"),
            None
        );
        script.end().await;
    });
}

/// Replicas that die and freeze in the middle of anything, an API server that answers late, or not at all, and a hand that
/// edits our Secret. What may be lost is the new pair, if its process dies before it is stored; that is said, and healed by
/// authorising again.
#[test]
fn r21_whatever_dies_no_two_renewals_are_under_way_and_no_loss_is_silent() {
    let mut lost = 0;
    for seed in 30..33 {
        lost += play(async move {
            let script = Script::with(seed, &ROTATING[..2], 2, &settings());
            unconnected(&script, json!({}));
            script.wait(60).await;
            script.connect(None).await.unwrap();
            script.does(|w| {
                w.faults.crash = 12;
                w.faults.cluster = 40;
                w.faults.slow = 40;
                w.faults.hold = 30;
            });
            let mut lost = 0;
            // Once the process dies with TikTok's answer under way.
            let dies = Planned {
                crash_under_way: true,
                ..Planned::default()
            };
            let before = usize::try_from(seed - 29).unwrap();
            let mut calls = vec![Planned::default(); before];
            calls.push(dies);
            script.plan(REFRESH, &calls);
            for minute in 0..(60 * 12) {
                script.wait(60).await;
                if minute == 300 {
                    // A hand that takes the mark off, or puts an old one on.
                    script.does(|w| {
                        let now = w.now();
                        let name = ads("main-tiktok-token");
                        w.api
                            .edit_secret(&name, "refresh_mark", Some(&now.to_string()));
                        w.publish();
                    });
                }
                let end = script.data("main-tiktok-token", "expires_at").unwrap();
                let left = end.parse::<jiff::Timestamp>().unwrap().as_second()
                    - script.does(|w| w.now()).as_second();
                let void = script
                    .data("main-tiktok-token", "refresh_refused_for_good")
                    .is_some();
                if !void {
                    assert!(left > 0, "seed {seed}, minute {minute}: a gap");
                } else if left < 240 {
                    // Said before the end, and mended by a person.
                    assert_ne!(script.banner(), "", "seed {seed}, minute {minute}");
                    lost += 1;
                    let faults = script.does(|w| std::mem::take(&mut w.faults));
                    script.wait(120).await;
                    script.connect(None).await.unwrap();
                    script.does(|w| w.faults = faults);
                }
            }
            script.does(|w| w.faults = Default::default());
            script.wait(600).await;
            let reason = script.reason();
            assert!(
                matches!(reason.as_str(), "Verified" | "TokenNotRenewed"),
                "seed {seed}: {reason}"
            );
            script.end().await;
            lost
        });
    }
    assert!(lost >= 3, "{lost} pairs were lost with their process");
}

#[test]
fn r21_a_lost_answer_ends_in_a_banner_reads_until_the_end_and_nothing_afterwards() {
    play(async {
        let kind = &ROTATING[..2];
        let script = Script::with(10, kind, 1, &settings());
        unconnected(&script, json!({"onAuthDegraded": "PauseAll"}));
        script.wait(10).await;
        script.connect(None).await.unwrap();
        script.does(|w| w.create(CAMPAIGN, &ads("a"), manual(Some("Active"))));
        script.wait(60).await;
        assert_eq!(script.rows(), [("a".to_string(), true)]);
        script.plan(REFRESH, &[Planned::fault(FaultKind::AnswerLost)]);
        script.wait(93 * 60).await;
        assert_eq!(script.reason(), "TokenNotRenewed");
        let banner = script.banner();
        assert!(
            banner.contains("https://ads.example.com/connect/ads/main"),
            "{banner}"
        );
        assert_eq!(script.calls(REFRESH).len(), 2, "not again after a final no");
        assert_eq!(script.rows(), [("a".to_string(), false)], "PauseAll");
        assert_eq!(script.ready("a"), "ConnectionReadOnly");
        assert_eq!(script.condition("a", "Held").1, "AuthDegraded");
        let status_writes = |s: &Script| {
            let trace = s.does(|w| w.trace.clone());
            trace
                .iter()
                .filter(|l| l.contains("STATUS Campaign ads/a"))
                .count()
        };
        let written = status_writes(&script);
        let lists = script.calls("/campaign/get/").len();
        script.wait(10 * 60).await;
        assert!(script.calls("/campaign/get/").len() > lists, "reads go on");
        // The end.
        script.wait(30 * 60).await;
        assert_eq!(script.reason(), "TokenExpired");
        assert!(script.banner().contains("neither read nor written"));
        let all = script.does(|w| w.platform_calls);
        script.wait(3600).await;
        assert_eq!(script.does(|w| w.platform_calls), all, "no call at all");
        assert!(status_writes(&script) <= written + 1, "said once");
        // Somebody authorises again, and everything goes on by itself.
        script.connect(None).await.unwrap();
        script.wait(60).await;
        assert_eq!(
            (script.reason(), script.banner()),
            ("Verified".into(), String::new())
        );
        assert_eq!(script.rows(), [("a".to_string(), true)]);
        script.end().await;
    });
}

#[test]
fn r21_a_token_that_does_not_end_is_told_by_the_refusal_to_renew_it() {
    play(async {
        let script = Script::with(11, ROTATING, 1, &settings());
        unconnected(&script, json!({}));
        script.wait(10).await;
        script.connect(None).await.unwrap();
        let unknown = FaultKind::Error {
            code: 40107,
            message: "long-term".into(),
        };
        script.plan(REFRESH, &[Planned::fault(unknown)]);
        script.wait(100 * 60).await;
        let status = script.connection()["status"].clone();
        assert_eq!(status["token"]["profile"], "LongLived");
        assert_eq!(status["token"]["lastRotation"]["result"], "Failed");
        assert_eq!(script.reason(), "Verified");
        assert_eq!(script.calls(REFRESH).len(), 1);
        script.end().await;
    });
}

#[test]
fn r21_a_users_secret_that_is_restored_every_second_changes_nothing() {
    play(async {
        let script = Script::with(12, ROTATING, 1, &settings());
        let issued = script.does(|w| {
            let (now, account) = (w.clock.millis(), w.accounts[0].clone());
            let grant = NewGrant {
                app_id: account.app_id,
                advertiser_ids: vec![account.advertiser_id],
                ..NewGrant::default()
            };
            w.sandbox.issue_token(now, &grant).unwrap()
        });
        let text = |key: &str| issued[key].as_str().unwrap().to_string();
        let (access, refresh) = (text("access_token"), text("refresh_token"));
        let ends = script.does(|w| w.now()) + std::time::Duration::from_secs(120);
        let ends = ends.to_string();
        let restore = |script: &Script| {
            script.does(|w| {
                let data = [
                    ("access_token", access.as_str()),
                    ("refresh_token", refresh.as_str()),
                    ("expires_at", ends.as_str()),
                ];
                w.api.put_secret(&ads("token"), &data);
                w.publish();
            });
        };
        restore(&script);
        unconnected(&script, json!({"tokenSecretRef": {"name": "token"}}));
        script.does(|w| w.create(CAMPAIGN, &ads("a"), manual(Some("Active"))));
        for _ in 0..240 {
            script.wait(1).await;
            restore(&script);
        }
        assert_eq!(script.calls(REFRESH).len(), 1);
        let held = script.data("main-tiktok-token", "access_token").unwrap();
        assert_ne!(held, access);
        assert_eq!(
            script.data("main-tiktok-token", "previous_access_token"),
            None
        );
        assert_eq!(
            (script.reason(), script.ready("a")),
            ("Verified".into(), "InSync".into())
        );
        let token = script.connection()["status"]["token"].clone();
        assert_eq!(
            (&token["origin"], &token["profile"]),
            (&json!("Imported"), &json!("Refreshable"))
        );
        script.end().await;
    });
}

#[test]
fn r22_an_authorised_grant_is_revoked_with_its_last_connection_only() {
    play(async {
        let script = Script::with(13, &[], 1, &settings());
        unconnected(&script, json!({}));
        // Another connection of the same app, in another namespace.
        script.does(|w| w.set_up(1, None));
        script.wait(10).await;
        script.connect(None).await.unwrap();
        script.does(|w| w.create(CAMPAIGN, &ads("a"), manual(Some("Active"))));
        script.wait(60).await;
        let delete = |name: Name| {
            script.does(|w| {
                let now = w.now();
                w.api.delete(CONNECTION, &name, now);
                w.publish();
            })
        };
        delete(ads("main"));
        script.wait(60).await;
        assert_eq!(script.connection(), Value::Null);
        assert_eq!(script.calls(REVOKE).len(), 0, "lab/main uses the same app");
        assert_eq!(script.rows(), [("a".to_string(), true)], "as it was");
        assert_eq!(script.ready("a"), "Disconnected");
        for name in ["main-tiktok-token", "main-tiktok-connect"] {
            assert!(
                script.does(|w| w.api.secret(&ads(name))).is_none(),
                "{name}"
            );
        }
        let said = script.does(|w| {
            w.api
                .notes
                .iter()
                .map(|n| n.message.clone())
                .collect::<Vec<_>>()
        });
        assert!(
            said.iter()
                .any(|m| m.contains("lab/main uses the same app")),
            "{said:?}"
        );
        // What is left is let go without a call.
        let calls = script.does(|w| w.platform_writes);
        script.does(|w| {
            let now = w.now();
            w.api.delete(CAMPAIGN, &ads("a"), now);
            w.publish();
        });
        script.wait(10).await;
        assert_eq!(script.campaign("a"), None);
        assert_eq!(script.does(|w| w.platform_writes), calls);
        // Alone, and the platform is down at first.
        delete(named("lab", "main"));
        script.wait(60).await;
        unconnected(&script, json!({}));
        script.wait(10).await;
        script.connect(None).await.unwrap();
        script.wait(10).await;
        let down = Planned {
            not_sent: true,
            ..Planned::default()
        };
        script.plan(REVOKE, &[down]);
        delete(ads("main"));
        script.wait(60).await;
        assert_eq!(script.connection(), Value::Null);
        assert_eq!(script.calls(REVOKE).len(), 1);
        script.end().await;
    });
}

#[test]
fn r22_a_dead_token_holds_nobody_and_a_new_one_settles_what_waits() {
    play(async {
        let script = Script::with(14, &[], 1, &settings());
        unconnected(&script, json!({}));
        script.wait(10).await;
        script.connect(None).await.unwrap();
        script.does(|w| w.create(CAMPAIGN, &ads("a"), manual(Some("Active"))));
        script.wait(60).await;
        let token = script.data("main-tiktok-token", "access_token").unwrap();
        script.does(|w| w.sandbox.revoke_token(&token));
        script.does(|w| {
            let now = w.now();
            w.api.delete(CONNECTION, &ads("main"), now);
            w.api.delete(CAMPAIGN, &ads("a"), now);
            w.publish();
        });
        script.wait(90).await;
        assert_eq!(script.reason(), "ChildrenOpen");
        let text = script.connection()["status"].to_string();
        assert!(text.contains("tiktokads.dev/release"), "{text}");
        script.does(|w| w.annotate(CAMPAIGN, &ads("a"), "tiktokads.dev/release", "true"));
        script.wait(60).await;
        assert_eq!(script.campaign("a"), None);
        assert_eq!(script.connection(), Value::Null);
        script.end().await;
    });
}

#[test]
fn a_suspended_account_is_not_written_to_but_for_pauses_and_goes_on_when_it_is_back() {
    play(async {
        let script = Script::start(&[]).await;
        script.does(|w| w.create(CAMPAIGN, &ads("a"), manual(Some("Active"))));
        script.wait(30).await;
        let advertiser = script.does(|w| w.accounts[0].advertiser_id.clone());
        let status = |word: &str| {
            script.does(|w| {
                let now = w.clock.millis();
                w.sandbox
                    .set_account_status(now, &advertiser, word, "")
                    .unwrap();
            });
        };
        status("STATUS_LIMIT");
        script.wait(3600).await;
        assert_eq!(script.reason(), "AccountRestricted");
        script.does(|w| w.create(CAMPAIGN, &ads("b"), manual(Some("Active"))));
        script.wait(60).await;
        assert_eq!(script.ready("b"), "AccountRestricted");
        status("STATUS_ENABLE");
        script.wait(400).await;
        assert_eq!(script.reason(), "Verified");
        assert_eq!(
            (script.ready("a"), script.ready("b")),
            ("InSync".into(), "InSync".into())
        );
        script.end().await;
    });
}
