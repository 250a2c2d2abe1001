//! Connecting by browser, at the engine's doors: what a link allows, how long it is good, and what it may cost.

use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use tiktok_ads_operator::engine::connection::{Authorised, Begun, ConnectError};
use tiktok_ads_operator::engine::doors::Name;
use tiktok_ads_operator::model::connect_state::{
    SessionClaims, StateClaims, cookie_hash, sign, sign_session,
};
use tiktok_ads_operator::sandbox::{AppChange, FaultKind, NewGrant};

use super::api_server::{CAMPAIGN, CONNECTION};
use super::platform::Planned;
use super::script::{Script, ads, play};
use super::specs::manual;
use super::tokens::{EXCHANGE, settings};
use super::user::{caps, connection_spec, named};

const REVOKE: &str = "/oauth2/revoke_token/";
const REACHES: &str = "/oauth2/advertiser/get/";
const HOUR: u64 = 3600;

fn secret(text: &str) -> SecretString {
    SecretString::from(text.to_string())
}

/// Somebody in front of the pages of `ads/main`.
struct Person {
    script: Script,
}

impl Person {
    /// A connection without a token. `wants` is spec.advertiserId, as a number among the accounts of the run.
    async fn before(seed: u64, replicas: usize, wants: Option<usize>) -> Self {
        let script = Script::with(seed, &[], replicas, &settings());
        let person = Self { script };
        let advertiser = wants.map(|index| person.advertiser(index));
        person.create("main", advertiser.as_deref());
        person.wait(20).await;
        person
    }

    fn create(&self, name: &str, advertiser: Option<&str>) {
        self.script.does(|w| {
            let account = w.accounts[0].clone();
            let app = [
                ("app_id", account.app_id.as_str()),
                ("secret", account.secret.as_str()),
            ];
            w.api.put_secret(&ads("app"), &app);
            let mut spec = json!({
                "appSecretRef": {"name": "app"},
                "caps": caps(Some(1000), None),
            });
            if let Some(advertiser) = advertiser {
                spec["advertiserId"] = advertiser.into();
            }
            w.create(CONNECTION, &ads(name), spec);
        });
    }

    async fn wait(&self, seconds: u64) {
        self.script.wait(seconds).await;
    }

    fn advertiser(&self, index: usize) -> String {
        self.script
            .does(|w| w.accounts[index].advertiser_id.clone())
    }

    fn data(&self, name: &str, key: &str) -> Option<String> {
        let copy = self.script.does(|w| w.api.secret(&ads(name)))?;
        Some(copy.data.get(key)?.expose_secret().to_string())
    }

    fn token(&self) -> Option<String> {
        self.data("main-tiktok-token", "access_token")
    }

    fn ticket(&self) -> String {
        self.data("main-tiktok-connect", "ticket").unwrap()
    }

    fn connection(&self, name: &str) -> Value {
        self.script
            .does(|w| w.api.get(CONNECTION, &ads(name)).cloned())
            .unwrap_or_default()
    }

    fn ready(&self) -> String {
        self.script.ready_of(CONNECTION, "main")
    }

    fn calls(&self, path: &str) -> usize {
        self.script.does(|w| {
            let all = w.sandbox.requests(Default::default());
            all.filter(|entry| entry.path.ends_with(path)).count()
        })
    }

    /// How often a Secret was read, by whomever.
    fn reads(&self) -> u64 {
        self.script.does(|w| w.secret_reads)
    }

    async fn begin(&self, name: &Name, ticket: &str) -> Result<Begun, ConnectError> {
        let (_, engine) = self.script.sim.leader().unwrap();
        engine.begin_connect(name, &secret(ticket)).await
    }

    async fn authorise(
        &self,
        begun: &Begun,
        advertisers: &[String],
    ) -> Result<Authorised, ConnectError> {
        let code = self.script.does(|w| {
            let (now, app_id) = (w.clock.millis(), w.accounts[0].app_id.clone());
            let grant = NewGrant {
                app_id,
                advertiser_ids: advertisers.to_vec(),
                ..NewGrant::default()
            };
            w.sandbox.create_auth_code_for(now, &grant).unwrap()
        });
        self.come_back(&state_of(begun), &code, begun.cookie.expose_secret())
            .await
    }

    async fn come_back(
        &self,
        state: &str,
        code: &str,
        cookie: &str,
    ) -> Result<Authorised, ConnectError> {
        let (_, engine) = self.script.sim.leader().unwrap();
        engine
            .authorise(&secret(state), &secret(code), &secret(cookie))
            .await
    }

    /// The whole way, with a TikTok user who reaches these advertisers.
    async fn connect(&self, advertisers: &[String]) -> Result<Authorised, ConnectError> {
        let begun = self.begin(&ads("main"), &self.ticket()).await?;
        self.authorise(&begun, advertisers).await
    }

    async fn pick(&self, session: &SecretString, advertiser: &str) -> Result<(), ConnectError> {
        let (_, engine) = self.script.sim.leader().unwrap();
        engine
            .pick_advertiser(&ads("main"), session, advertiser)
            .await
    }

    fn sees(&self, session: &SecretString) -> bool {
        let (_, engine) = self.script.sim.leader().unwrap();
        engine
            .connection_page(&ads("main"), session, "", 0)
            .is_some()
    }

    /// Connected to the first of both advertisers by a pick.
    async fn picked(seed: u64) -> (Self, [String; 2]) {
        let person = Self::before(seed, 1, None).await;
        let both = [person.advertiser(0), person.advertiser(1)];
        let session = person.connect(&both).await.unwrap().session;
        person.wait(5).await;
        person.pick(&session, &both[0]).await.unwrap();
        person.wait(20).await;
        assert_eq!(person.ready(), "Verified");
        (person, both)
    }
}

fn state_of(begun: &Begun) -> String {
    let url = url::Url::parse(begun.authorise_url.expose_secret()).unwrap();
    let found = url.query_pairs().find(|(name, _)| name == "state");
    found.unwrap().1.into_owned()
}

/// In words.
fn refused<T>(result: Result<T, ConnectError>) -> String {
    match result {
        Ok(_) => panic!("it was taken"),
        Err(error) => format!("{error:?}"),
    }
}

fn bytes_of(hex: &str) -> Option<Vec<u8>> {
    let pairs = hex.as_bytes().chunks(2);
    pairs
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect()
}

#[test]
fn whoever_may_read_the_link_can_sign_nothing() {
    play(async {
        let person = Person::before(50, 1, None).await;
        let both = [person.advertiser(0), person.advertiser(1)];
        let good = person.connect(&both).await.unwrap().session;
        person.wait(5).await;
        assert!(person.sees(&good));
        let uid = person.connection("main")["metadata"]["uid"].clone();
        let uid = uid.as_str().unwrap().to_string();
        let now = person.script.does(|w| w.now());
        let nonce = person
            .data("main-tiktok-token", "connect_nonce")
            .unwrap_or_default();
        let link = person
            .script
            .does(|w| w.api.secret(&ads("main-tiktok-connect")))
            .unwrap();
        let mut keys: Vec<Vec<u8>> = Vec::new();
        for value in link.data.values().map(ExposeSecret::expose_secret) {
            keys.push(value.as_bytes().to_vec());
            keys.extend(bytes_of(value));
            keys.extend(
                (value.len() == 64)
                    .then(|| bytes_of(&value[..32]))
                    .flatten(),
            );
        }
        let exchanged = person.calls(EXCHANGE);
        for key in keys {
            for nonce in [&*nonce, ""] {
                let session = sign_session(
                    &key,
                    &SessionClaims {
                        namespace: "ads".into(),
                        name: "main".into(),
                        uid: uid.clone(),
                        nonce: nonce.into(),
                        expires: now + Duration::from_secs(HOUR),
                    },
                );
                assert!(!person.sees(&secret(&session)), "{}", link.data.len());
                let pick = person.pick(&secret(&session), &both[1]).await;
                assert_eq!(pick.unwrap_err(), ConnectError::Session);
                let state = sign(
                    &key,
                    &StateClaims {
                        namespace: "ads".into(),
                        name: "main".into(),
                        uid: uid.clone(),
                        nonce: nonce.into(),
                        expires: now + Duration::from_secs(600),
                        cookie_hash: cookie_hash("cookie"),
                    },
                );
                let back = person.come_back(&state, "code", "cookie").await;
                assert_eq!(back.unwrap_err(), ConnectError::State);
            }
        }
        assert_eq!(person.calls(EXCHANGE), exchanged);
        person.script.end().await;
    });
}

#[test]
fn a_key_that_lies_beside_the_link_from_before_is_taken_away_and_good_for_nothing() {
    play(async {
        let person = Person::before(51, 1, Some(0)).await;
        let old = "ab".repeat(32);
        let ticket = "cd".repeat(32);
        person.script.does(|w| {
            let name = ads("main-tiktok-connect");
            w.api.edit_secret(&name, "key", Some(&old));
            w.api.edit_secret(&name, "ticket", Some(&ticket));
            w.api.edit_secret(&name, "expires_at", None);
            w.publish();
        });
        person.wait(10).await;
        assert_eq!(person.data("main-tiktok-connect", "key"), None);
        assert_ne!(person.ticket(), ticket, "a ticket from before");
        let no = person.begin(&ads("main"), &ticket).await.unwrap_err();
        assert_eq!(no, ConnectError::Ticket);
        let advertiser = person.advertiser(0);
        person.connect(&[advertiser]).await.unwrap();
        person.wait(10).await;
        assert_eq!(person.ready(), "Verified");
        person.script.end().await;
    });
}

#[test]
fn a_connection_that_was_never_authorised_goes_with_its_secrets() {
    play(async {
        let person = Person::before(52, 1, Some(0)).await;
        assert_eq!(person.ready(), "NotAuthorised");
        person.script.does(|w| w.delete(CONNECTION, &ads("main")));
        person.wait(30).await;
        assert_eq!(person.connection("main"), Value::Null);
        for name in ["main-tiktok-token", "main-tiktok-connect"] {
            let left = person.script.does(|w| w.api.secret(&ads(name)));
            assert!(left.is_none(), "{name}");
        }
        assert_eq!(person.calls(REVOKE), 0);
        person.script.end().await;
    });
}

#[test]
fn another_users_approval_leaves_the_picked_account_connected() {
    play(async {
        let (person, both) = Person::picked(53).await;
        let token = person.token();
        let no = refused(person.connect(&both[1..]).await);
        assert!(no.starts_with("NotGranted"), "{no}");
        for part in [&*both[0], &both[1], "spec.advertiserId"] {
            assert!(no.contains(part), "{part}: {no}");
        }
        assert_eq!(person.token(), token, "the one before stays in use");
        let picked = || person.data("main-tiktok-token", "advertiser_id");
        assert_eq!(picked().as_ref(), Some(&both[0]));
        person.wait(10).await;
        assert_eq!(person.ready(), "Verified");
        // Also when nothing works any more: what runs, runs in that ad account.
        person
            .script
            .does(|w| w.sandbox.revoke_token(token.as_deref().unwrap()));
        person.wait(2 * HOUR).await;
        assert_eq!(person.ready(), "TokenRefused");
        let no = refused(person.connect(&both[1..]).await);
        assert!(no.starts_with("NotGranted"), "{no}");
        assert_eq!(picked().as_ref(), Some(&both[0]));
        person.connect(&both).await.unwrap();
        person.wait(20).await;
        assert_eq!(person.ready(), "Verified");
        let status = person.connection("main")["status"].clone();
        assert_eq!(status["advertiser"]["id"], both[0].as_str());
        person.script.end().await;
    });
}

#[test]
fn wrong_tickets_and_forged_answers_cost_the_api_server_nothing() {
    play(async {
        let person = Person::before(54, 1, Some(0)).await;
        let before = person.reads();
        for n in 0..100 {
            for name in [ads("main"), ads("nobody"), named("nowhere", "main")] {
                let no = person.begin(&name, &format!("{n:064x}")).await.unwrap_err();
                let same = matches!(no, ConnectError::Ticket | ConnectError::Unknown);
                assert!(same, "{no:?}");
            }
            let claims = StateClaims {
                namespace: "ads".into(),
                name: "main".into(),
                uid: "uid".into(),
                nonce: "nonce".into(),
                expires: person.script.does(|w| w.now()) + Duration::from_secs(600),
                cookie_hash: cookie_hash("cookie"),
            };
            let forged = sign(format!("key {n}").as_bytes(), &claims);
            let no = person.come_back(&forged, "code", "cookie").await;
            assert_eq!(no.unwrap_err(), ConnectError::State);
        }
        assert_eq!(person.reads(), before, "reads");
        // Nor does one that was good once, but for a look at whether it is again.
        let ticket = person.ticket();
        person.begin(&ads("main"), &ticket).await.unwrap();
        person.wait(5).await;
        let before = person.reads();
        for _ in 0..100 {
            let no = person.begin(&ads("main"), &ticket).await.unwrap_err();
            assert_eq!(no, ConnectError::Ticket);
        }
        assert!(person.reads() <= before + 1, "{}", person.reads() - before);
        person.script.end().await;
    });
}

#[test]
fn the_newest_ticket_is_taken_also_where_it_is_not_known_yet() {
    play(async {
        let person = Person::before(55, 1, Some(0)).await;
        let name = ads("main-tiktok-connect");
        let (ticket, expires) = (
            person.ticket(),
            person.data("main-tiktok-connect", "expires_at"),
        );
        person.begin(&ads("main"), &ticket).await.unwrap();
        person.wait(5).await;
        let next = person.ticket();
        assert_ne!(next, ticket);
        // Another replica has made it the ticket, and this one has not heard of it.
        person.script.does(|w| {
            w.api.edit_secret(&name, "ticket", Some(&ticket));
            w.api.edit_secret(&name, "expires_at", expires.as_deref());
            w.api.take_seen();
        });
        person.begin(&ads("main"), &ticket).await.unwrap();
        person.wait(5).await;
        let old = person.begin(&ads("main"), &next).await;
        assert_eq!(old.unwrap_err(), ConnectError::Ticket);
        let advertiser = person.advertiser(0);
        person.connect(&[advertiser]).await.unwrap();
        person.script.end().await;
    });
}

#[test]
fn a_link_is_good_for_a_day_and_replaced_whatever_restarts() {
    play(async {
        let person = Person::before(56, 1, Some(0)).await;
        let first = person.ticket();
        let writes = |person: &Person| {
            let trace = person.script.does(|w| w.trace.clone());
            let put = |line: &&String| line.contains("PUT Secret ads/main-tiktok-connect");
            trace.iter().filter(put).count()
        };
        person.wait(12 * HOUR).await;
        let process = person.script.does(|w| w.slots[0].process);
        person.script.sim.kill(0, process, "by the test");
        person.wait(10 * HOUR).await;
        assert_eq!(person.ticket(), first, "not before");
        person.wait(2 * HOUR + 60).await;
        let second = person.ticket();
        assert_ne!(second, first);
        let url = person.data("main-tiktok-connect", "url").unwrap();
        assert!(url.ends_with(&second), "{url}");
        let old = person.begin(&ads("main"), &first).await.unwrap_err();
        assert_eq!(old, ConnectError::Ticket);
        let before = writes(&person);
        person.wait(72 * HOUR).await;
        let written = writes(&person) - before;
        assert!((3..=4).contains(&written), "{written}");
        person.begin(&ads("main"), &person.ticket()).await.unwrap();
        person.script.end().await;
    });
}

#[test]
fn a_link_that_nobody_could_replace_in_time_is_refused_all_the_same() {
    play(async {
        let person = Person::before(57, 1, Some(0)).await;
        let ticket = person.ticket();
        person.script.does(|w| {
            let past = w.now() - Duration::from_secs(1);
            let name = ads("main-tiktok-connect");
            w.api
                .edit_secret(&name, "expires_at", Some(&past.to_string()));
            w.api.take_seen();
        });
        let late = person.begin(&ads("main"), &ticket).await.unwrap_err();
        assert_eq!(late, ConnectError::Ticket);
        person.wait(5).await;
        assert_ne!(person.ticket(), ticket);
        person.begin(&ads("main"), &person.ticket()).await.unwrap();
        person.script.end().await;
    });
}

#[test]
fn a_wrong_app_secret_is_called_by_its_name() {
    play(async {
        let person = Person::before(58, 1, Some(0)).await;
        let (advertiser, right) = person
            .script
            .does(|w| (w.accounts[0].advertiser_id.clone(), w.accounts[0].clone()));
        let change = |secret: &str| {
            person.script.does(|w| {
                let change = AppChange {
                    secret: Some(secret.into()),
                    ..AppChange::default()
                };
                w.sandbox.change_app(&right.app_id, &change).unwrap();
            });
        };
        change("another");
        let no = refused(person.connect(std::slice::from_ref(&advertiser)).await);
        assert!(no.starts_with("AppRefused"), "{no}");
        assert!(no.contains("Secret app"), "{no}");
        assert_eq!(person.token(), None);
        change(&right.secret);
        person.wait(5).await;
        person.connect(&[advertiser]).await.unwrap();
        person.script.end().await;
    });
}

#[test]
fn a_token_that_cannot_be_tried_does_not_live_on_unsaid() {
    play(async {
        let person = Person::before(59, 1, Some(0)).await;
        let advertiser = person.advertiser(0);
        let denied = FaultKind::Error {
            code: 40119,
            message: "no permission".into(),
        };
        person
            .script
            .plan(REACHES, &[Planned::fault(denied.clone())]);
        let no = refused(person.connect(std::slice::from_ref(&advertiser)).await);
        assert!(no.starts_with("NotGranted"), "{no}");
        assert!(no.contains("was revoked"), "{no}");
        assert_eq!(person.calls(REVOKE), 1);
        // The app is in use here: nothing may be ended.
        person.wait(5).await;
        person
            .connect(std::slice::from_ref(&advertiser))
            .await
            .unwrap();
        person.wait(5).await;
        let token = person.token();
        person.script.plan(REACHES, &[Planned::fault(denied)]);
        let no = refused(person.connect(&[advertiser]).await);
        assert!(no.contains("was not revoked"), "{no}");
        assert_eq!(person.calls(REVOKE), 1);
        assert_eq!(person.token(), token);
        person.script.end().await;
    });
}

#[test]
fn an_account_that_another_connection_has_cannot_be_picked() {
    play(async {
        let person = Person::before(60, 1, None).await;
        let both = [person.advertiser(0), person.advertiser(1)];
        let session = person.connect(&both).await.unwrap().session;
        // Younger ones that work with them: one in another namespace, one in ours. Naming it alone keeps nobody out.
        person.script.does(|w| {
            w.set_up(1, None);
            let token = w.accounts[0].access_token.clone();
            w.api
                .put_secret(&ads("token"), &[("access_token", token.as_str())]);
            w.create(CONNECTION, &ads("other"), connection_spec(&both[0]));
        });
        person.wait(20).await;
        let ours = refused(person.pick(&session, &both[0]).await);
        assert!(
            ours.starts_with("Taken") && ours.contains("other"),
            "{ours}"
        );
        let theirs = refused(person.pick(&session, &both[1]).await);
        assert!(theirs.starts_with("Taken"), "{theirs}");
        assert!(!theirs.contains("lab"), "{theirs}");
        assert_eq!(person.data("main-tiktok-token", "advertiser_id"), None);
        person
            .script
            .does(|w| w.delete(CONNECTION, &named("lab", "main")));
        person.wait(60).await;
        person.pick(&session, &both[1]).await.unwrap();
        person.script.end().await;
    });
}

#[test]
fn no_code_is_spent_if_the_token_could_not_be_kept() {
    play(async {
        let person = Person::before(61, 1, Some(0)).await;
        let advertiser = person.advertiser(0);
        let begun = person.begin(&ads("main"), &person.ticket()).await.unwrap();
        person.wait(5).await;
        // Somebody puts a Secret of that name in the place of ours, and this replica has not heard of it.
        person.script.does(|w| {
            w.api.secrets.remove(&ads("main-tiktok-token"));
            w.api
                .put_secret(&ads("main-tiktok-token"), &[("theirs", "x")]);
            w.api.take_seen();
        });
        let no = refused(person.authorise(&begun, &[advertiser]).await);
        assert!(no.contains("main-tiktok-token"), "{no}");
        assert_eq!(person.calls(EXCHANGE), 0);
        person.script.end().await;
    });
}

#[test]
fn no_code_is_sent_once_the_lease_does_not_cover_the_call() {
    play(async {
        let person = Person::before(62, 1, Some(0)).await;
        let advertiser = person.advertiser(0);
        let begun = person.begin(&ads("main"), &person.ticket()).await.unwrap();
        person.wait(5).await;
        // The lease is not renewed from here on, and the write takes until it is too short.
        person.script.does(|w| {
            w.slots[0].frozen_until = w.clock.elapsed() + Duration::from_secs(60);
            w.faults.secret_writes = Duration::from_secs(9);
        });
        person.wait(9).await;
        let no = person.authorise(&begun, &[advertiser]).await;
        assert!(no.is_err());
        assert_eq!(person.calls(EXCHANGE), 0, "{no:?}");
        person.script.does(|w| w.faults = Default::default());
        person.wait(120).await;
        person.script.end().await;
    });
}

#[test]
fn a_token_is_kept_for_the_connection_that_asked_and_not_for_one_of_the_same_name() {
    play(async {
        let person = Person::before(63, 1, Some(0)).await;
        let advertiser = person.advertiser(0);
        person
            .connect(std::slice::from_ref(&advertiser))
            .await
            .unwrap();
        person.wait(10).await;
        let begun = person.begin(&ads("main"), &person.ticket()).await.unwrap();
        let slow = Planned::fault(FaultKind::Delay { ms: 8_000 });
        person.script.plan(EXCHANGE, &[slow]);
        let swapped = async {
            person.wait(3).await;
            person.script.does(|w| {
                w.api.vanish(CONNECTION, &ads("main"));
                w.publish();
            });
            person.wait(2).await;
            person.create("main", Some(&advertiser));
        };
        let (no, ()) = tokio::join!(
            person.authorise(&begun, std::slice::from_ref(&advertiser)),
            swapped
        );
        let no = refused(no);
        assert!(no.starts_with("Platform"), "{no}");
        person.wait(10).await;
        let kept = person
            .script
            .does(|w| w.api.secrets.get(&ads("main-tiktok-token")).cloned())
            .unwrap();
        assert!(!kept.data.contains_key("candidate_access_token"));
        person.script.end().await;
    });
}

/// What it has made could be neither changed nor paused from another ad account.
#[test]
fn a_connection_with_objects_in_its_account_is_not_moved_to_another() {
    play(async {
        let (person, both) = Person::picked(70).await;
        person
            .script
            .does(|w| w.create(CAMPAIGN, &ads("a"), manual(Some("Paused"))));
        person.wait(60).await;
        let session = person.connect(&both).await.unwrap().session;
        person.wait(5).await;
        let no = person.pick(&session, &both[1]).await.unwrap_err();
        assert_eq!(no, ConnectError::Occupied(1));
        person.pick(&session, &both[0]).await.unwrap();
        person.wait(10).await;
        let status = person.connection("main")["status"].clone();
        assert_eq!(status["advertiser"]["id"], both[0].as_str());
        person.script.does(|w| w.delete(CAMPAIGN, &ads("a")));
        person.wait(60).await;
        person.pick(&session, &both[1]).await.unwrap();
        person.wait(30).await;
        let status = person.connection("main")["status"].clone();
        assert_eq!(status["advertiser"]["id"], both[1].as_str());
        person.script.end().await;
    });
}

#[test]
fn after_an_approval_in_vain_the_next_link_works_at_once() {
    play(async {
        let person = Person::before(64, 1, Some(0)).await;
        let advertiser = person.advertiser(0);
        let wrong = FaultKind::Error {
            code: 40110,
            message: "wrong".into(),
        };
        for _ in 0..5 {
            person
                .script
                .plan(EXCHANGE, &[Planned::fault(wrong.clone())]);
            let no = refused(person.connect(std::slice::from_ref(&advertiser)).await);
            assert!(no.starts_with("CodeRefused"), "{no}");
        }
        person.connect(&[advertiser]).await.unwrap();
        person.script.end().await;
    });
}
