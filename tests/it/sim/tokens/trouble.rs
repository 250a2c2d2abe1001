//! What people are told of a connection's trouble: banner, condition, event and metric, and all four over a restart.

use tiktok_ads_operator::engine::settings::Settings;
use tiktok_ads_operator::sandbox::FaultKind;

use super::super::api_server::CAMPAIGN;
use super::super::platform::Planned;
use super::super::script::{Script, ads, play};
use super::super::specs::manual;
use super::{REFRESH, condition, settings, unconnected};
use serde_json::{Value, json};
use std::time::Duration;

/// What a connection's check asks first.
const CHECK: &str = "/oauth2/advertiser/get/";

/// TikTok's own lifetime, and lists once an hour: nothing here is about them.
fn hourly() -> Settings {
    Settings {
        sweep_every: Duration::from_secs(3600),
        ..settings()
    }
}

fn hours(n: u64) -> u64 {
    n * 3600
}

impl Script {
    /// Warnings about the connection so far: reason and text.
    fn warnings(&self) -> Vec<(String, String)> {
        let world = self.sim.lock();
        let notes = world.api.notes.iter();
        notes
            .filter(|n| n.warning && n.kind == "TikTokConnection")
            .map(|n| (n.reason.clone(), n.message.clone()))
            .collect()
    }

    /// Warnings that tell a banner: reasons.
    fn warned(&self) -> Vec<String> {
        self.warnings().into_iter().map(|(why, _)| why).collect()
    }

    /// The process that leads dies.
    pub fn kill_leader(&self) {
        let (replica, _) = self.sim.leader().unwrap();
        let process = self.does(|w| w.slots[replica].process);
        self.sim.kill(replica, process, "by the test");
    }

    /// The lines of the leader's metrics about banners, and what it says of `connection_read_only`.
    fn metrics(&self) -> (Vec<String>, Option<bool>) {
        let (_, engine) = self.sim.leader().unwrap();
        let text = engine.metrics_text();
        let of = |name: &str| {
            let wanted = format!("tiktokads_{name}{{");
            let lines = text.lines().filter(|l| l.starts_with(&wanted));
            lines.map(str::to_owned).collect::<Vec<_>>()
        };
        let read_only = of("connection_read_only").pop();
        (
            of("connection_banner"),
            read_only.map(|line| line.ends_with(" 1")),
        )
    }

    /// Metric, condition and event agree with the banner; `None`: there is none.
    fn assert_told(&self, reason: Option<&str>, read_only: bool) {
        let (banners, limited) = self.metrics();
        let line = |reason| {
            format!(
                "tiktokads_connection_banner{{namespace=\"ads\",connection=\"main\",reason=\"{reason}\"}} 1"
            )
        };
        let wanted: Vec<String> = reason.map(line).into_iter().collect();
        assert_eq!(banners, wanted);
        assert_eq!(limited, Some(read_only), "{}", self.connection()["status"]);
        assert_eq!(
            self.connection()["status"]["phase"] == "ReadOnly",
            read_only
        );
        assert_eq!(self.banner().is_empty(), reason.is_none());
        if let Some(reason) = reason {
            let said = self.warnings();
            let event = if reason == "TokenEnding" {
                "AttentionNeeded"
            } else {
                reason
            };
            let last = said.last().cloned();
            assert_eq!(last, Some((event.into(), self.banner())), "{said:?}");
        }
    }

    /// Status writes in the trace from a line on, of connections and of everything else.
    fn status_writes(&self, from: usize) -> Vec<String> {
        let trace = self.does(|w| w.trace[from..].to_vec());
        trace
            .into_iter()
            .filter(|line| line.contains(" STATUS "))
            .collect()
    }

    /// The leader dies, TikTok does not answer the first checks of the next one, and people are told nothing new.
    async fn restart_says_nothing_new(&self) {
        let told = self.connection()["status"].clone();
        let (banner, events) = (self.banner(), self.warnings());
        let children = ["a", "b"].map(|name| self.campaign(name).unwrap()["status"].clone());
        let from = self.does(|w| w.trace.len());
        let writes = self.does(|w| w.platform_writes);
        let down = Planned {
            not_sent: true,
            ..Planned::default()
        };
        self.plan(CHECK, &vec![down; 3]);
        let metrics = self.metrics();
        self.kill_leader();
        for _ in 0..300 {
            self.wait(1).await;
            assert_eq!(self.banner(), banner);
            assert_eq!(self.connection()["status"]["phase"], told["phase"]);
            if self.sim.leader().is_some() {
                assert_eq!(self.metrics(), metrics);
            }
        }
        assert!(
            self.does(|w| w.script[CHECK].is_empty()),
            "the new leader asked, in vain at first"
        );
        assert_eq!(self.connection()["status"], told);
        for (name, before) in ["a", "b"].iter().zip(children) {
            assert_eq!(self.campaign(name).unwrap()["status"], before, "{name}");
        }
        assert_eq!(self.status_writes(from), Vec::<String>::new());
        assert_eq!(self.warnings(), events);
        assert_eq!(self.does(|w| w.platform_writes), writes);
    }

    async fn heals(&self) {
        self.connect(None).await.unwrap();
        self.wait(400).await;
        assert_eq!(self.reason(), "Verified");
        self.assert_told(None, false);
        assert_eq!(
            (self.ready("a"), self.ready("b")),
            ("InSync".into(), "InSync".into())
        );
    }
}

fn since(connection: &Value) -> Value {
    let all = connection["status"]["conditions"].as_array().cloned();
    let found = all.unwrap().into_iter().find(|c| c["type"] == "ReadOnly");
    found.unwrap()["lastTransitionTime"].clone()
}

#[test]
fn r21_a_restart_does_not_forget_that_tiktok_refuses_the_token() {
    play(async {
        let script = Script::with(41, &[], 2, &settings());
        unconnected(&script, json!({}));
        script.wait(60).await;
        script.connect(None).await.unwrap();
        script.does(|w| w.create(CAMPAIGN, &ads("a"), manual(Some("Active"))));
        script.wait(60).await;
        let token = script.data("main-tiktok-token", "access_token").unwrap();
        script.does(|w| w.sandbox.revoke_token(&token));
        script.wait(90).await;
        assert_eq!(script.reason(), "TokenRefused");
        // One that is not made, and cannot be.
        script.does(|w| w.create(CAMPAIGN, &ads("b"), manual(Some("Active"))));
        script.wait(90).await;
        assert_eq!(script.ready("b"), "ConnectionReadOnly");
        script.assert_told(Some("TokenRefused"), true);
        let begun = since(&script.connection());
        assert!(script.banner().contains(begun.as_str().unwrap()));
        for _ in 0..2 {
            script.restart_says_nothing_new().await;
            script.assert_told(Some("TokenRefused"), true);
        }
        assert_eq!(script.warned(), ["NotAuthorised", "TokenRefused"]);
        script.heals().await;
        script.end().await;
    });
}

#[test]
fn r21_what_was_refused_and_is_taken_again_after_a_restart_is_told_at_once() {
    play(async {
        let script = Script::with(42, &[], 2, &settings());
        unconnected(&script, json!({}));
        script.wait(60).await;
        script.connect(None).await.unwrap();
        script.does(|w| w.create(CAMPAIGN, &ads("a"), manual(Some("Active"))));
        script.wait(60).await;
        let refused = FaultKind::Error {
            code: 40105,
            message: "Access token is incorrect or has been revoked.".into(),
        };
        script.plan("/campaign/get/", &[Planned::fault(refused.clone())]);
        script.plan(CHECK, &vec![Planned::fault(refused); 200]);
        script.wait(90).await;
        assert_eq!(script.reason(), "TokenRefused");
        script.kill_leader();
        script.does(|w| w.script.clear());
        script.wait(60).await;
        assert_eq!(script.reason(), "Verified");
        script.assert_told(None, false);
        assert_eq!(script.ready("a"), "InSync");
        script.end().await;
    });
}

#[test]
fn a_restart_does_not_forget_that_the_account_is_restricted() {
    play(async {
        let script = Script::with(43, &[], 2, &settings());
        unconnected(&script, json!({}));
        script.wait(60).await;
        script.connect(None).await.unwrap();
        script.does(|w| w.create(CAMPAIGN, &ads("a"), manual(Some("Active"))));
        script.wait(60).await;
        let advertiser = script.does(|w| w.accounts[0].advertiser_id.clone());
        let status = |word: &str| {
            script.does(|w| {
                let now = w.clock.millis();
                let set = w.sandbox.set_account_status(now, &advertiser, word, "");
                set.unwrap();
            });
        };
        status("STATUS_LIMIT");
        script.wait(3700).await;
        assert_eq!(script.reason(), "AccountRestricted");
        script.does(|w| w.create(CAMPAIGN, &ads("b"), manual(Some("Active"))));
        script.wait(90).await;
        assert_eq!(script.ready("b"), "AccountRestricted");
        script.assert_told(Some("AccountRestricted"), false);
        script.restart_says_nothing_new().await;
        script.assert_told(Some("AccountRestricted"), false);
        assert_eq!(script.warned(), ["NotAuthorised", "AccountRestricted"]);
        status("STATUS_ENABLE");
        script.heals().await;
        script.end().await;
    });
}

#[test]
fn r26_an_analyst_is_told_by_one_warning_and_a_restart_does_not_repeat_it() {
    play(async {
        let script = Script::with(44, &[], 2, &settings());
        unconnected(&script, json!({}));
        script.wait(60).await;
        let advertiser = script.does(|w| w.accounts[0].advertiser_id.clone());
        let role = |role: &str| {
            script.does(|w| w.sandbox.set_user_role(&advertiser, role).unwrap());
        };
        role("ANALYST");
        script.connect(None).await.unwrap();
        script.does(|w| w.create(CAMPAIGN, &ads("a"), manual(Some("Active"))));
        script.does(|w| w.create(CAMPAIGN, &ads("b"), manual(Some("Active"))));
        script.wait(90).await;
        assert_eq!(script.reason(), "AnalystRole");
        assert_eq!(condition(&script.connection(), "ReadOnly"), "AnalystRole");
        script.assert_told(Some("AnalystRole"), true);
        script.restart_says_nothing_new().await;
        script.assert_told(Some("AnalystRole"), true);
        script.wait(hours(3)).await;
        assert_eq!(script.warned(), ["NotAuthorised", "AnalystRole"]);
        role("ADMIN");
        script.heals().await;
        script.end().await;
    });
}

#[test]
fn r21_too_few_scopes_and_another_app_are_told_by_one_warning_each() {
    play(async {
        let script = Script::with(45, &[], 1, &settings());
        unconnected(&script, json!({}));
        script.wait(10).await;
        // Reading alone.
        script.connect(Some(vec![100, 200])).await.unwrap();
        script.wait(90).await;
        let read_only = |script: &Script| condition(&script.connection(), "ReadOnly");
        assert_eq!(read_only(&script), "ScopeMissing");
        script.assert_told(Some("ScopeMissing"), true);
        script.connect(None).await.unwrap();
        script.wait(90).await;
        script.assert_told(None, false);
        // Another app: the token is not its.
        script.does(|w| {
            let data = [("app_id", "7000000000000000099"), ("secret", "another")];
            w.api.put_secret(&ads("app"), &data);
            w.publish();
        });
        script.wait(hours(2)).await;
        assert_eq!(read_only(&script), "AppChanged");
        script.assert_told(Some("AppChanged"), true);
        assert_eq!(
            script.warned(),
            ["NotAuthorised", "ScopeMissing", "AppChanged"]
        );
        script.end().await;
    });
}

#[test]
fn r21_a_token_that_cannot_be_renewed_is_told_six_hours_before_its_end_and_each_step_once() {
    play(async {
        let day = [("token_profile", "expiry")];
        let script = Script::with(46, &day, 2, &hourly());
        unconnected(&script, json!({}));
        script.wait(60).await;
        script.connect(None).await.unwrap();
        script.does(|w| w.create(CAMPAIGN, &ads("a"), manual(Some("Active"))));
        script.wait(hours(18) - 120).await;
        script.assert_told(None, false);
        script.wait(180).await;
        let ends = script.data("main-tiktok-token", "expires_at").unwrap();
        let ends: jiff::Timestamp = ends.parse().unwrap();
        let ends = super::super::api_server::seconds(ends);
        assert_eq!(
            script.banner(),
            format!(
                "The access token ends at {ends} and cannot be renewed by the operator; authorise again at https://ads.example.com/connect/ads/main (`tiktok-ads-operator connect main -n ads` opens it) before that, or only pauses are sent in its last hour and nothing afterwards."
            )
        );
        assert_eq!(script.reason(), "Verified");
        script.assert_told(Some("TokenEnding"), false);
        // Everything goes on, and a restart says nothing new.
        script.does(|w| w.create(CAMPAIGN, &ads("b"), manual(Some("Active"))));
        script.wait(120).await;
        assert_eq!(script.ready("b"), "InSync");
        script.restart_says_nothing_new().await;
        script.wait(hours(3)).await;
        script.assert_told(Some("TokenEnding"), false);
        assert_eq!(script.warned(), ["NotAuthorised", "AttentionNeeded"]);
        // The last hour.
        script.wait(hours(2)).await;
        assert_eq!(script.reason(), "TokenNotRenewed");
        let banner = script.banner();
        for part in [
            "Read-only since ",
            ": the access token ends soon and cannot be renewed; what runs goes on",
            "only pauses are sent until the token ends at",
            ends.as_str(),
        ] {
            assert!(banner.contains(part), "{part} is not in {banner}");
        }
        script.assert_told(Some("TokenNotRenewed"), true);
        script.restart_says_nothing_new().await;
        // The end.
        script.wait(hours(1)).await;
        script.assert_told(Some("TokenExpired"), true);
        script.kill_leader();
        script.wait(120).await;
        script.assert_told(Some("TokenExpired"), true);
        assert_eq!(
            script.warned(),
            [
                "NotAuthorised",
                "AttentionNeeded",
                "TokenNotRenewed",
                "TokenExpired"
            ]
        );
        script.heals().await;
        script.end().await;
    });
}

#[test]
fn r21_the_banner_before_the_end_goes_away_when_somebody_authorises_in_time() {
    play(async {
        let day = [("token_profile", "expiry")];
        let script = Script::with(47, &day, 1, &hourly());
        unconnected(&script, json!({}));
        script.wait(60).await;
        script.connect(None).await.unwrap();
        for name in ["a", "b"] {
            script.does(|w| w.create(CAMPAIGN, &ads(name), manual(Some("Active"))));
        }
        script.wait(hours(19)).await;
        script.assert_told(Some("TokenEnding"), false);
        script.heals().await;
        // And it comes back with the next token's end: another trouble, another event.
        script.wait(hours(18)).await;
        script.assert_told(Some("TokenEnding"), false);
        assert_eq!(
            script.warned(),
            ["NotAuthorised", "AttentionNeeded", "AttentionNeeded"]
        );
        script.end().await;
    });
}

#[test]
fn r21_renewals_that_fail_until_the_last_hour_are_told_and_the_first_that_works_ends_it() {
    for by_hand in [false, true] {
        play(async move {
            let day = [("token_profile", "expiry_refresh")];
            let script = Script::with(48, &day, 2, &hourly());
            unconnected(&script, json!({}));
            script.wait(60).await;
            script.connect(None).await.unwrap();
            for name in ["a", "b"] {
                script.does(|w| w.create(CAMPAIGN, &ads(name), manual(Some("Active"))));
            }
            let down = Planned::fault(FaultKind::HttpStatus {
                status: 503,
                after_effect: false,
                retry_after: None,
            });
            script.plan(REFRESH, &vec![down; 500]);
            script.wait(hours(23) - 60).await;
            // Tried again and again, which is nobody's trouble yet.
            assert!(script.calls(REFRESH).len() > 5);
            script.assert_told(None, false);
            script.wait(120).await;
            assert_eq!(script.reason(), "TokenNotRenewed");
            let banner = script.banner();
            for part in [
                "Read-only since ",
                "the access token could not be renewed in time (",
                "503",
                "what runs goes on, and only pauses are sent until the token ends at",
                "https://ads.example.com/connect/ads/main",
            ] {
                assert!(banner.contains(part), "{part} is not in {banner}");
            }
            assert_eq!(script.ready("a"), "ConnectionReadOnly");
            script.assert_told(Some("TokenNotRenewed"), true);
            script.kill_leader();
            script.wait(600).await;
            script.assert_told(Some("TokenNotRenewed"), true);
            assert_eq!(script.warned(), ["NotAuthorised", "TokenNotRenewed"]);
            script.does(|w| w.script.clear());
            if by_hand {
                script.heals().await;
            } else {
                script.wait(2400).await;
                assert_eq!(script.reason(), "Verified");
                script.assert_told(None, false);
                assert_eq!(script.ready("a"), "InSync");
            }
            script.end().await;
        });
    }
}

#[test]
fn r21_a_token_that_had_ended_before_its_account_was_known_is_told_all_the_same() {
    play(async {
        let script = Script::with(49, &[], 1, &settings());
        script.does(|w| {
            let token = w.accounts[0].access_token.clone();
            let ended = (w.now() - Duration::from_secs(60)).to_string();
            let data = [("access_token", token.as_str()), ("expires_at", &ended)];
            w.api.put_secret(&ads("token"), &data);
        });
        unconnected(&script, json!({"tokenSecretRef": {"name": "token"}}));
        script.wait(30).await;
        assert_eq!(script.reason(), "TokenExpired");
        script.assert_told(Some("TokenExpired"), true);
        script.end().await;
    });
}
