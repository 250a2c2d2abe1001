//! What the objects of a connection do and say while its token can do less: many of them, in both trees.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use tiktok_ads_operator::api::RESUME;
use tiktok_ads_operator::engine::settings::Settings;
use tiktok_ads_operator::sandbox::FaultKind;

use super::super::api_server::{AD, AD_GROUP, CAMPAIGN};
use super::super::platform::Planned;
use super::super::script::{Script, ads, play};
use super::super::specs::{Money, ad, ad_group, campaign};
use super::{REFRESH, settings, unconnected};

const DAY: &[(&str, &str)] = &[("token_profile", "expiry_refresh")];

/// A clear no to every renewal.
fn refused() -> Vec<Planned> {
    let no = FaultKind::Error {
        code: 40103,
        message: "The refresh token is expired.".into(),
    };
    vec![Planned::fault(no); 50]
}

/// Kind and name.
type Child = (&'static str, String);

/// As many campaigns as there are trees named, each with an ad group with an ad, all of them active.
fn families(script: &Script, trees: &[&str]) -> Vec<Child> {
    let mut all = Vec::new();
    for (n, tree) in trees.iter().enumerate() {
        let [c, g, a] = ["c", "g", "a"].map(|kind| format!("{kind}{n}"));
        let on = Some("Active");
        script.does(|w| {
            w.create(CAMPAIGN, &ads(&c), campaign(tree, Money::Below, on));
            let group = ad_group(&c, tree, Money::Below, on);
            w.create(AD_GROUP, &ads(&g), group);
            w.create(AD, &ads(&a), ad(&g, tree, on));
        });
        all.extend([(CAMPAIGN, c), (AD_GROUP, g), (AD, a)]);
    }
    all
}

impl Script {
    /// How many objects have each reason for Ready.
    fn reasons(&self, children: &[Child]) -> BTreeMap<String, usize> {
        let mut found = BTreeMap::new();
        for (kind, name) in children {
            *found.entry(self.ready_of(kind, name)).or_default() += 1;
        }
        found
    }

    fn all_say(&self, children: &[Child], reason: &str) {
        let all = BTreeMap::from([(reason.to_string(), children.len())]);
        assert_eq!(self.reasons(children), all);
    }

    /// The most status writes that one object had since a line of the trace, and all of them together.
    fn written_since(&self, from: usize, children: &[Child]) -> (usize, usize) {
        let trace = self.does(|w| w.trace[from..].to_vec());
        let count = |(kind, name): &Child| {
            let wanted = format!(" STATUS {kind} ads/{name} ");
            trace.iter().filter(|line| line.contains(&wanted)).count()
        };
        let counts: Vec<usize> = children.iter().map(count).collect();
        (
            counts.iter().copied().max().unwrap_or_default(),
            counts.iter().sum(),
        )
    }

    /// How many of the objects are on at TikTok.
    fn on(&self, children: &[Child]) -> usize {
        self.does(|w| {
            let ids = children
                .iter()
                .map(|(kind, name)| w.id_of(kind, &ads(name)));
            let rows = ids.filter_map(|id| w.row(&id?));
            rows.filter(|row| row.is_on()).count()
        })
    }

    fn here(&self) -> usize {
        self.does(|w| w.trace.len())
    }
}

async fn connected(seed: u64, knobs: &[(&str, &str)], replicas: usize, more: Value) -> Script {
    let often = Settings {
        sweep_every: Duration::from_secs(300),
        ..settings()
    };
    let script = Script::with(seed, knobs, replicas, &often);
    unconnected(&script, more);
    script.wait(60).await;
    script.connect(None).await.unwrap();
    script.wait(10).await;
    script
}

#[test]
fn r21_sixty_objects_say_that_the_connection_is_read_only_once_and_go_back_once() {
    play(async {
        let script = connected(51, DAY, 1, json!({})).await;
        let trees: Vec<&str> = (0..20).map(|n| ["Manual", "SmartPlus"][n % 2]).collect();
        let children = families(&script, &trees);
        script.wait(1800).await;
        script.all_say(&children, "InSync");
        script.plan(REFRESH, &refused());
        let from = script.here();
        script.wait(18 * 3600 - 1800).await;
        assert_eq!(script.reason(), "TokenNotRenewed");
        script.all_say(&children, "ConnectionReadOnly");
        // Nothing but the connection's word has changed for them: one write each.
        assert_eq!(script.written_since(from, &children), (1, 60));
        // They are read on, and an hour of that tells nothing new.
        let (from, lists) = (script.here(), script.calls("/campaign/get/").len());
        script.wait(3600).await;
        assert!(script.calls("/campaign/get/").len() > lists + 5);
        assert_eq!(script.written_since(from, &children), (0, 0));
        // The end: the row is not read any more, which is told once, and then nothing for an hour.
        let from = script.here();
        script.wait(5 * 3600).await;
        assert_eq!(script.reason(), "TokenExpired");
        script.all_say(&children, "ConnectionReadOnly");
        let (most, _) = script.written_since(from, &children);
        assert!(most <= 1, "{most}");
        let from = script.here();
        script.wait(3600).await;
        assert_eq!(script.written_since(from, &children), (0, 0));
        // Back: once to what they are, and at most once on the way, while what is on TikTok is read again.
        let from = script.here();
        script.does(|w| w.script.clear());
        script.connect(None).await.unwrap();
        script.wait(600).await;
        script.all_say(&children, "InSync");
        let (most, all) = script.written_since(from, &children);
        assert!(most <= 2 && all <= 120, "{most}, {all}");
        let from = script.here();
        script.wait(3600).await;
        assert_eq!(script.written_since(from, &children), (0, 0));
        assert_eq!(script.on(&children), 60);
        script.end().await;
    });
}

#[test]
fn r21_after_the_end_no_request_leaves_for_the_account_but_the_one_that_renews() {
    // Without a refresh token, and with one that is tried on.
    for (profile, renews) in [("expiry", false), ("expiry_refresh", true)] {
        play(async move {
            let knobs = [
                ("token_profile", profile),
                ("token_lifetime_seconds", "7200"),
            ];
            let script = connected(52, &knobs, 1, json!({})).await;
            let children = families(&script, &["Manual", "SmartPlus"]);
            script.wait(600).await;
            script.all_say(&children, "InSync");
            let down = Planned::fault(FaultKind::HttpStatus {
                status: 503,
                after_effect: false,
                retry_after: None,
            });
            script.plan(REFRESH, &vec![down; 200]);
            script.wait(7200 - 600).await;
            assert_eq!(script.reason(), "TokenExpired");
            script.wait(60).await;
            let asked = |script: &Script| {
                script.does(|w| {
                    let all = w.sandbox.requests(Default::default());
                    all.map(|entry| entry.path.clone()).collect::<Vec<_>>()
                })
            };
            // Nine sweeps, an edit, a new object, and one that goes.
            let before = asked(&script);
            script.does(|w| {
                w.edit(CAMPAIGN, &ads("c0"), json!({"name": "another"}));
                w.edit(AD, &ads("a1"), json!({"state": "Paused"}));
                w.create(
                    CAMPAIGN,
                    &ads("new"),
                    campaign("Manual", Money::Below, None),
                );
                w.delete(AD, &ads("a0"));
            });
            script.wait(45 * 60).await;
            let mut after = asked(&script).split_off(before.len());
            let all = after.len();
            after.retain(|path| !path.ends_with(REFRESH));
            assert_eq!(after, Vec::<String>::new());
            assert_eq!(all > 0, renews, "{all} calls to renew it");
            // What waited is done once there is a token.
            script.does(|w| w.script.clear());
            script.connect(None).await.unwrap();
            script.wait(600).await;
            assert_eq!(script.ready_of(AD, "a1"), "Paused");
            assert_eq!(script.ready_of(CAMPAIGN, "new"), "Paused");
            assert!(script.does(|w| w.api.get(AD, &ads("a0")).is_none()));
            script.end().await;
        });
    }
}

#[test]
fn r21_pause_all_switches_off_every_level_of_both_trees_and_on_again() {
    play(async {
        let pause_all = json!({"onAuthDegraded": "PauseAll"});
        let script = connected(53, DAY, 1, pause_all).await;
        let children = families(&script, &["Manual", "SmartPlus", "Manual", "SmartPlus"]);
        script.wait(1800).await;
        script.all_say(&children, "InSync");
        assert_eq!(script.on(&children), 12);
        script.plan(REFRESH, &refused());
        script.wait(18 * 3600).await;
        assert_eq!(script.reason(), "TokenNotRenewed");
        assert_eq!(script.on(&children), 0);
        script.all_say(&children, "ConnectionReadOnly");
        script.does(|w| w.script.clear());
        script.connect(None).await.unwrap();
        script.wait(600).await;
        script.all_say(&children, "InSync");
        assert_eq!(script.on(&children), 12);
        script.end().await;
    });
}

/// Who switched something off that a process had announced nowhere, and died before it noted it, nobody knows: it may have been
/// a person (R1). It stays off, says so, and says what to do; everything else goes on by itself.
#[test]
fn r21_what_a_dying_leader_could_not_note_stays_off_like_somebodys_pause() {
    play(async {
        let pause_all = json!({"onAuthDegraded": "PauseAll"});
        let script = connected(54, DAY, 2, pause_all).await;
        let children = families(&script, &["Manual", "SmartPlus"]);
        script.wait(1800).await;
        script.all_say(&children, "InSync");
        // Ad groups of the manual tree are switched off, and the process dies with the answer in hand.
        let dies = Planned {
            crash_after: true,
            ..Planned::default()
        };
        script.plan(REFRESH, &refused());
        script.plan("/open_api/v1.3/adgroup/status/update/", &[dies]);
        script.wait(18 * 3600).await;
        assert_eq!(script.reason(), "TokenNotRenewed");
        assert_eq!(script.on(&children), 0, "the next leader goes on with it");
        script.all_say(&children, "ConnectionReadOnly");
        script.does(|w| w.script.clear());
        script.connect(None).await.unwrap();
        script.wait(600).await;
        let told = script.reasons(&children);
        let wanted = [("InSync", 5), ("PausedOutside", 1)];
        assert_eq!(told, wanted.map(|(why, n)| (why.to_string(), n)).into());
        assert_eq!(script.ready_of(AD_GROUP, "g0"), "PausedOutside");
        assert_eq!(script.on(&children), 5);
        script.does(|w| w.annotate(AD_GROUP, &ads("g0"), RESUME, "checked"));
        script.wait(60).await;
        script.all_say(&children, "InSync");
        assert_eq!(script.on(&children), 6);
        script.end().await;
    });
}
