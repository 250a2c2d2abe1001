//! R21 over days: renewals, one after the other, whatever goes wrong in between.

use std::time::Duration;

use jiff::SignedDuration;
use serde_json::json;
use tiktok_ads_operator::engine::lease::LeaseSettings;
use tiktok_ads_operator::engine::settings::Settings;
use tiktok_ads_operator::sandbox::FaultKind;

use super::super::api_server::CAMPAIGN;
use super::super::platform::Planned;
use super::super::script::{Script, ads, play};
use super::super::specs::manual;
use super::{REFRESH, REVOKE, ROTATING, settings, unconnected};

/// Two replicas for many days: lists once an hour and a lease that is rarely renewed, since nothing here is about them.
pub fn long(seed: u64, knobs: &[(&str, &str)]) -> Script {
    let hourly = Settings {
        sweep_every: Duration::from_secs(3600),
        ..settings()
    };
    let script = Script::with(seed, knobs, 2, &hourly);
    script.does(|w| {
        w.lease_times = LeaseSettings {
            duration: Duration::from_secs(600),
            renew_every: Duration::from_secs(150),
            ..LeaseSettings::default()
        };
    });
    script
}

#[test]
fn r21_thirty_days_of_rotations_with_faults_and_no_gap() {
    play(async {
        // TikTok's own lifetime.
        let day = [
            ("token_profile", "expiry_refresh"),
            ("token_lifetime_seconds", "86400"),
            ("refresh_replay", "revokes_grant"),
        ];
        let script = long(9, &day);
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
        assert_eq!(script.calls(REVOKE), [], "no renewal ends a token");
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
