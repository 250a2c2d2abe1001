//! R21: 30 days in which pairs are lost, tokens are revoked and hands are at our Secret. What the operator cannot heal it
//! says, before the token ends where that can be known; then a person authorises again, and everything goes on.

use std::collections::{BTreeMap, VecDeque};
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use tiktok_ads_operator::sandbox::FaultKind;

use super::super::api_server::CAMPAIGN;
use super::super::number;
use super::super::platform::Planned;
use super::super::script::{Script, ads, play};
use super::super::specs::manual;
use super::rotations::long;
use super::{REFRESH, REVOKE, TOKEN, unconnected};

const STEP: u64 = 600;
const STEPS: u64 = 30 * 24 * 3600 / STEP;

/// How one call to renew the token goes: a name, whether a new pair may be lost, what happens.
fn fates() -> Vec<(&'static str, bool, Planned)> {
    let http = |status, after_effect| {
        Planned::fault(FaultKind::HttpStatus {
            status,
            after_effect,
            retry_after: None,
        })
    };
    let well = Planned::default;
    vec![
        ("well", false, well()),
        ("well", false, well()),
        ("well", false, well()),
        ("well", false, well()),
        (
            "slow",
            false,
            Planned::fault(FaultKind::Delay { ms: 8_000 }),
        ),
        (
            "unsent",
            false,
            Planned {
                not_sent: true,
                ..well()
            },
        ),
        ("503", false, http(503, false)),
        (
            "dies before",
            false,
            Planned {
                crash_before: true,
                ..well()
            },
        ),
        ("answer lost", true, Planned::fault(FaultKind::AnswerLost)),
        ("504 after the effect", true, http(504, true)),
        (
            "answer unreadable",
            true,
            Planned::fault(FaultKind::MalformedBody),
        ),
        (
            "dies under way",
            true,
            Planned {
                crash_under_way: true,
                ..well()
            },
        ),
        (
            "dies with the answer",
            true,
            Planned {
                crash_after: true,
                ..well()
            },
        ),
    ]
}

/// What else happens: a name, and whether the token, or what renews it, may be lost by it.
const MISHAPS: &[(&str, bool)] = &[
    ("leader dies", false),
    ("leader dies", false),
    ("mark off", false),
    ("old mark", false),
    ("fresh mark", false),
    ("mark of tomorrow", false),
    ("unreadable mark", false),
    ("token revoked", true),
    ("token ends at once", true),
    ("grant revoked", true),
    ("other end", true),
    ("other refresh token", true),
    ("other access token", true),
];

struct Month {
    script: Script,
    rng: fastrand::Rng,
    /// How the next call to renew goes.
    next: (&'static str, bool),
    /// What has happened, how often.
    done: BTreeMap<&'static str, u32>,
    /// Something happened since somebody authorised that may cost the token.
    harmed: bool,
    dead_since: Option<Timestamp>,
    /// Steps since which the banner asks for somebody.
    asked_for: u64,
}

/// A hand at one key of our Secret.
fn edit(script: &Script, key: &str, value: Option<&str>) {
    script.does(|w| {
        w.api.edit_secret(&ads(TOKEN), key, value);
        w.say(format!("a hand sets {key} to {value:?}"));
        w.publish();
    });
}

impl Month {
    async fn begin(seed: u64, knobs: &[(&str, &str)]) -> Self {
        let mut all = vec![
            ("token_profile", "expiry_refresh"),
            ("token_lifetime_seconds", "86400"),
        ];
        all.extend(knobs);
        let script = long(seed, &all);
        unconnected(&script, json!({}));
        script.wait(60).await;
        script.connect(None).await.unwrap();
        script.does(|w| w.create(CAMPAIGN, &ads("a"), manual(Some("Active"))));
        script.wait(60).await;
        script.does(|w| {
            w.slots[0].ahead = SignedDuration::from_secs(120);
            w.slots[1].ahead = SignedDuration::from_secs(-180);
        });
        Self {
            script,
            rng: fastrand::Rng::with_seed(seed),
            next: ("", false),
            done: BTreeMap::new(),
            harmed: false,
            dead_since: None,
            asked_for: 0,
        }
    }

    fn now(&self) -> Timestamp {
        self.script.does(|w| w.now())
    }

    fn end(&self) -> Option<Timestamp> {
        self.script.data(TOKEN, "expires_at")?.parse().ok()
    }

    fn happened(&mut self, what: &'static str, harmful: bool) {
        *self.done.entry(what).or_default() += 1;
        self.harmed |= harmful;
        self.script.does(|w| w.say(format!("HAPPENED {what}")));
    }

    /// Was the call made whose fate was drawn last?
    fn struck(&mut self) -> bool {
        let left = self
            .script
            .does(|w| w.script.get(REFRESH).map_or(0, VecDeque::len));
        if left == 0 && !self.next.0.is_empty() {
            let (name, harmful) = std::mem::take(&mut self.next);
            self.happened(name, harmful);
        }
        left == 0
    }

    /// Draws how the next call to renew goes.
    fn plan(&mut self) {
        if !self.struck() {
            return;
        }
        let all = fates();
        let (name, harmful, planned) = all[self.rng.usize(0..all.len())].clone();
        self.next = (name, harmful);
        self.script.plan(REFRESH, &[planned]);
        // Somebody may have a hand in it just while the call is under way.
        let old = self.now() - Duration::from_secs(10 * 24 * 3600);
        let mark = match self.rng.u32(0..4) {
            0 => None,
            1 => Some(old.to_string()),
            _ => return,
        };
        self.script.does(|w| {
            w.when_renewing = Some(Box::new(move |w| {
                let mark = mark.as_deref();
                w.say(format!(
                    "a hand sets the mark to {mark:?} while the call is under way"
                ));
                w.api.edit_secret(&ads(TOKEN), "refresh_mark", mark);
                w.publish();
            }));
        });
    }

    fn mishap(&mut self) {
        let (what, harmful) = MISHAPS[self.rng.usize(0..MISHAPS.len())];
        let now = self.now();
        let script = &self.script;
        let hour = Duration::from_secs(3600);
        let token = script.data(TOKEN, "access_token").unwrap();
        match what {
            "leader dies" => {
                let Some((replica, _)) = script.sim.leader() else {
                    return;
                };
                let process = script.does(|w| w.slots[replica].process);
                script.sim.kill(replica, process, "by the test");
            }
            "mark off" => edit(script, "refresh_mark", None),
            "old mark" => edit(
                script,
                "refresh_mark",
                Some(&(now - 240 * hour).to_string()),
            ),
            "fresh mark" => edit(script, "refresh_mark", Some(&now.to_string())),
            "mark of tomorrow" => {
                edit(script, "refresh_mark", Some(&(now + 24 * hour).to_string()));
            }
            "unreadable mark" => edit(script, "refresh_mark", Some("yesterday")),
            "token revoked" => {
                script.does(|w| w.sandbox.revoke_token(&token));
            }
            "token ends at once" => {
                script.does(|w| {
                    let now = w.clock.millis();
                    w.sandbox.expire_token(now, &token);
                });
            }
            "grant revoked" => {
                script.does(|w| {
                    let grant = w.sandbox.grant_of(&token).cloned();
                    if let Some(grant) = grant {
                        w.sandbox.revoke_grant(&grant.app_id, &grant.user_id);
                    }
                });
            }
            "other end" => {
                let end = (now + 90 * hour).to_string();
                edit(
                    script,
                    "expires_at",
                    Some(end.as_str()).filter(|_| self.rng.bool()),
                );
            }
            "other refresh token" => edit(script, "refresh_token", Some("nonsense")),
            "other access token" => edit(script, "access_token", Some("nonsense")),
            other => unreachable!("{other}"),
        }
        self.happened(what, harmful);
    }

    /// No gap, unless something explains it; and none without a word.
    fn check(&mut self, seed: u64) {
        let now = self.now();
        let (reason, banner) = (self.script.reason(), self.script.banner());
        let at = || format!("seed {seed}, {now}: {reason} {banner:?}\n{:?}", self.done);
        let token = self.script.data(TOKEN, "access_token").unwrap();
        let lives = self.script.does(|w| {
            let now = w.clock.millis();
            w.sandbox.token_lives(now, &token)
        });
        if lives {
            self.dead_since = None;
        } else {
            assert!(self.harmed, "a gap that nothing explains: {}", at());
            // A list finds out, once an hour.
            let since = *self.dead_since.get_or_insert(now);
            let long = now.duration_since(since).as_secs() >= 4500;
            assert!(
                !long || !banner.is_empty(),
                "a gap without a word: {}",
                at()
            );
        }
        // What is known to end is told before it does.
        let profile = &self.script.connection()["status"]["token"]["profile"];
        if profile == "Refreshable"
            && let Some(end) = self.end()
            && end.duration_since(now).as_secs() < 3600 - 2 * STEP as i64
        {
            assert_ne!(banner, "", "{}", at());
        }
        if !self.harmed {
            assert!(
                matches!(reason.as_str(), "Verified" | "LookingUp"),
                "{}",
                at()
            );
        }
        self.asked_for = if banner.is_empty() {
            0
        } else {
            self.asked_for + 1
        };
    }

    /// Somebody reads the banner sooner or later.
    async fn person(&mut self, seed: u64) {
        if self.asked_for == 0 || (self.asked_for < 60 && self.rng.u32(0..15) > 0) {
            return;
        }
        if self.script.sim.leader().is_none() || self.script.connect(None).await.is_err() {
            // Nobody leads just now: again later.
            assert!(self.asked_for < 70, "seed {seed}: nobody can authorise");
            return;
        }
        self.script.wait(300).await;
        let now = (self.script.reason(), self.script.banner());
        assert_eq!(now, ("Verified".into(), String::new()), "seed {seed}");
        self.happened("authorised again", false);
        (self.harmed, self.asked_for, self.dead_since) = (false, 0, None);
    }
}

fn month(seed: u64, knobs: &[(&str, &str)]) -> BTreeMap<&'static str, u32> {
    play(async move {
        let mut month = Month::begin(seed, knobs).await;
        for _ in 0..STEPS {
            month.plan();
            // Something once in two days.
            if month.rng.u64(0..2 * 24 * 3600 / STEP) == 0 {
                month.mishap();
            }
            month.script.wait(STEP).await;
            month.struck();
            month.check(seed);
            month.person(seed).await;
        }
        let script = &month.script;
        script.does(|w| w.script.clear());
        if month.harmed {
            script.wait(300).await;
            script.connect(None).await.unwrap();
        }
        script.wait(1200).await;
        assert_eq!(script.reason(), "Verified", "seed {seed}");
        assert_eq!(script.ready("a"), "InSync", "seed {seed}");
        assert_eq!(script.rows(), [("a".to_string(), true)]);
        assert_eq!(script.calls(REVOKE), [], "no renewal ends a token");
        let mut done = month.done.clone();
        let renewed = script
            .calls(REFRESH)
            .iter()
            .filter(|(_, code)| *code == Some(0))
            .count();
        done.insert("renewed", u32::try_from(renewed).unwrap());
        month.script.end().await;
        done
    })
}

#[test]
fn r21_thirty_days_of_lost_pairs_revoked_tokens_and_hands_with_no_gap_without_a_banner() {
    let knobs: [&[(&str, &str)]; 4] = [
        &[],
        &[("refresh_replay", "revokes_grant")],
        &[("access_token_after_refresh", "revoked_on_refresh")],
        &[
            ("refresh_token_use", "reusable"),
            ("refresh_expiry_field", "omitted"),
            ("token_expiry_field", "access_token_expire_in"),
        ],
    ];
    let mut sums: BTreeMap<&str, u32> = BTreeMap::new();
    // `SIM_MONTHS` and `SIM_FROM`: more of them.
    let (months, from) = (number("SIM_MONTHS", 4), number("SIM_FROM", 50));
    let next = AtomicU64::new(from);
    let run = || {
        let mut ended = Vec::new();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= from + months {
                return ended;
            }
            ended.push(month(
                seed,
                knobs[usize::try_from(seed).unwrap() % knobs.len()],
            ));
        }
    };
    let all = std::thread::scope(|scope| {
        let runs = [scope.spawn(run), scope.spawn(run)];
        runs.map(|run| run.join().unwrap_or_else(|e| resume_unwind(e)))
    });
    for (what, count) in all.into_iter().flatten().flatten() {
        *sums.entry(what).or_default() += count;
    }
    println!("{sums:#?}");
    let expected = fates()
        .into_iter()
        .map(|f| f.0)
        .chain(MISHAPS.iter().map(|m| m.0));
    for what in expected.chain(["authorised again"]) {
        assert!(sums.contains_key(what), "{what} did not happen: {sums:?}");
    }
    assert!(sums["renewed"] > 80, "{sums:?}");
}
