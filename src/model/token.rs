//! The life of one access token (R21): when it is renewed, what an attempt to renew it means, and what may still be done
//! with it. Times and fingerprints only; the tokens themselves never get here.
//!
//! A renewal has three steps, and a crash may come between any two: the *mark* says that a call is about to be made; the
//! *call* makes a new pair of tokens, which may void the old refresh token; the new pair is *stored* before it is used. Who
//! finds a mark of another process does not know whether the pair has changed: it waits until that call is surely over, and
//! from then on a refusal means that nobody has the pair any more ([`Token::unclear`]).

use std::time::Duration;

use jiff::Timestamp;

/// A token of 24 hours is renewed this long before its end, and somebody is told this long before the end of one that
/// cannot be renewed. A quarter of the lifetime where that is shorter.
pub const AHEAD: Duration = Duration::from_secs(6 * 3600);
/// In this last part of the window nothing is written any more. A 24th of the lifetime where that is shorter.
pub const LAST: Duration = Duration::from_secs(3600);
/// First and longest pause between two attempts to renew.
pub const AGAIN: (Duration, Duration) = (Duration::from_secs(60), Duration::from_secs(1800));
/// What was clearly refused, though not for good, is tried again this often.
pub const REFUSED_AGAIN: Duration = Duration::from_secs(3600);
/// How long after a foreign mark its call is surely over: a call's deadline, and as much for clocks that differ.
pub const FOREIGN: Duration = Duration::from_secs(45);
/// What a lifetime that TikTok names, but not as a number, is taken for.
pub const UNREADABLE_LIFETIME: u64 = 86_400;

/// What kind of token it is, by what came with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// Without an end.
    LongLived,
    /// With an end, and a refresh token.
    Refreshable,
    /// With an end, and nothing to renew it with.
    Expiring,
}

/// What is kept of the token in use.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Token {
    /// Fingerprint of the access token.
    pub id: String,
    /// Since when it is ours. `None`: nobody knows.
    pub issued_at: Option<Timestamp>,
    /// Its end. `None`: it has none.
    pub expires_at: Option<Timestamp>,
    /// How long it lived when it was new. `None`: nobody knows, as with one that was imported.
    pub lifetime: Option<Duration>,
    /// There is a refresh token.
    pub refresh: bool,
    pub refresh_expires_at: Option<Timestamp>,
    /// TikTok knew no refresh for it while it worked: whatever came with it, it is watched like one without an end.
    pub endless: bool,
    /// How often it, or its forerunners, were renewed.
    pub rotations: u32,
    /// A call to renew it is about to be made, or was, and its outcome is not stored.
    pub mark: Option<Timestamp>,
    /// The answer of an earlier call was lost: the pair may have changed.
    pub unclear: bool,
    /// TikTok has clearly refused to renew it.
    pub refused: Option<Refused>,
    /// The token before, until this one has answered a call.
    pub previous: Option<Previous>,
    /// The last attempt to renew it.
    pub last: Option<Attempt>,
}

/// A clear no.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The first time.
    pub at: Timestamp,
    /// The refresh token is void: asking again is of no use.
    pub lasting: bool,
}

/// The token before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Previous {
    pub id: String,
    pub expires_at: Option<Timestamp>,
}

/// An attempt to renew it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    pub at: Timestamp,
    pub succeeded: bool,
    /// Why not; empty after a success.
    pub message: String,
}

/// What one process remembers of a token. Losing it costs time, never the token.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// The mark that this process itself has put on.
    pub own_mark: Option<Timestamp>,
    /// A mark, and when this process first saw it.
    pub seen: Option<(Timestamp, Timestamp)>,
    /// Failed attempts in a row.
    pub failures: u32,
    /// No attempt before (the request budget).
    pub not_before: Option<Timestamp>,
    /// TikTok does not take the access token any more.
    pub dead: bool,
    /// TikTok has answered a call with this access token (its fingerprint).
    pub answered: Option<String>,
    /// TikTok has refused a call with this access token (its fingerprint).
    pub turned_away: Option<String>,
}

/// One step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    Rest,
    /// Mark, call, store. `unclear`: the mark takes the place of one whose call's outcome nobody knows.
    Rotate {
        unclear: bool,
    },
    /// The new token has answered: the one before is not needed any more.
    DropPrevious,
    /// The new token is refused while the one before still lives: back to that.
    Return,
}

/// What may be done with the token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    Good,
    /// Somebody has to authorise again before `until`; until the last hour everything goes on.
    Ending {
        until: Timestamp,
    },
    /// Nothing is written but pauses.
    ReadOnly {
        why: Why,
        since: Timestamp,
        until: Timestamp,
    },
    /// It has ended: no call but the one that renews it.
    Over {
        since: Timestamp,
    },
}

/// Why a token is not renewed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// It cannot be.
    NoRefresh,
    /// TikTok refuses to, in these words.
    Refused(String),
    /// It was tried in vain until the last hour.
    NotInTime(String),
}

/// The decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    pub action: Action,
    pub standing: Standing,
    /// Plan again then, even if nothing happens.
    pub wake: Option<Timestamp>,
}

/// What became of a call to renew the token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A new pair. Times count from before the call was made.
    New {
        id: String,
        asked: Timestamp,
        /// Seconds. `None`: no end.
        expires_in: Option<u64>,
        /// A refresh token came with it. Else the old one is kept: not everybody changes it.
        refresh: bool,
        refresh_expires_in: Option<u64>,
    },
    /// It surely had no effect.
    Failed(String),
    /// It may have changed the pair.
    Unclear(String),
    /// A clear no.
    Refused { lasting: bool, message: String },
    /// TikTok knows no such refresh token, and said whether it still takes the access token.
    Unknown { message: String, probe: Probe },
}

/// What a call with the access token said after TikTok had called the refresh token unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Probe {
    Answered,
    Refused,
    NoAnswer,
}

impl Outcome {
    /// For logs.
    pub fn word(&self) -> &'static str {
        match self {
            Self::New { .. } => "new",
            Self::Failed(_) => "failed",
            Self::Unclear(_) => "unclear",
            Self::Refused { .. } => "refused",
            Self::Unknown { .. } => "unknown refresh token",
        }
    }
}

impl Token {
    pub fn profile(&self) -> Profile {
        match (self.expires_at, self.refresh) {
            _ if self.endless => Profile::LongLived,
            (None, _) => Profile::LongLived,
            (Some(_), true) => Profile::Refreshable,
            (Some(_), false) => Profile::Expiring,
        }
    }

    /// When the operator begins to renew it.
    pub fn rotates_at(&self) -> Option<Timestamp> {
        (self.profile() == Profile::Refreshable).then(|| self.before_end(AHEAD, 4))?
    }

    /// `most` before its end, or that part of its lifetime if it is shorter.
    fn before_end(&self, most: Duration, part: u32) -> Option<Timestamp> {
        let end = self.expires_at?;
        let life = self.lifetime.map_or(most, |life| life / part);
        Some(end.checked_sub(most.min(life)).unwrap_or(Timestamp::MIN))
    }

    /// What is to be done, and what may be done.
    pub fn plan(&self, memory: &Memory, now: Timestamp) -> Plan {
        let standing = self.standing(now);
        let mut wake = self.next_change(now);
        let mut action = Action::Rest;
        if self.previous.is_some() && memory.answered.as_ref() == Some(&self.id) {
            action = Action::DropPrevious;
        } else if self.lives_on(memory, now) {
            action = Action::Return;
        } else if let Some(due) = self.due(memory, now) {
            if due <= now {
                let foreign = self.mark.is_some() && self.mark != memory.own_mark;
                action = Action::Rotate { unclear: foreign };
            } else {
                wake = Some(wake.map_or(due, |w| w.min(due)));
            }
        }
        Plan {
            action,
            standing,
            wake,
        }
    }

    /// The one before still lives, and this one is not taken.
    fn lives_on(&self, memory: &Memory, now: Timestamp) -> bool {
        let lives = self
            .previous
            .as_ref()
            .is_some_and(|p| p.expires_at.is_none_or(|end| now < end));
        lives && self.mark.is_none() && memory.turned_away.as_ref() == Some(&self.id)
    }

    /// When the next attempt to renew it may be made. `None`: none is.
    fn due(&self, memory: &Memory, now: Timestamp) -> Option<Timestamp> {
        let begins = self.rotates_at()?;
        if self.refused.is_some_and(|r| r.lasting)
            || self.refresh_expires_at.is_some_and(|end| end <= now)
        {
            return None;
        }
        let mut due = if memory.dead { begins.min(now) } else { begins };
        let mut not_before = |at: Option<Timestamp>| due = at.map_or(due, |at| due.max(at));
        if let Some(last) = self.last.as_ref().filter(|last| !last.succeeded) {
            let pause = match self.refused {
                Some(_) => REFUSED_AGAIN,
                None => pause(memory.failures),
            };
            // A clock that was set back must not make it wait for ever.
            not_before(Some(last.at.min(now) + pause).filter(|_| last.at <= now + pause));
        }
        // One that was just renewed and is refused all the same is not helped by another at once.
        if let Some(last) = self.last.as_ref().filter(|l| memory.dead && l.succeeded) {
            not_before(Some(last.at.min(now) + AGAIN.1).filter(|_| begins > now));
        }
        not_before(memory.not_before);
        if let Some(mark) = self.mark.filter(|mark| memory.own_mark != Some(*mark)) {
            let seen = memory
                .seen
                .filter(|(of, _)| *of == mark)
                .map_or(now, |(_, seen)| seen);
            not_before(Some(mark.min(seen) + FOREIGN));
        }
        Some(due)
    }

    fn standing(&self, now: Timestamp) -> Standing {
        let profile = self.profile();
        let (Some(end), Some(ahead), Some(last)) = (
            self.expires_at.filter(|_| profile != Profile::LongLived),
            self.before_end(AHEAD, 4),
            self.before_end(LAST, 24),
        ) else {
            return Standing::Good;
        };
        let said = || {
            self.last
                .as_ref()
                .filter(|l| !l.succeeded)
                .map(|l| l.message.clone())
                .unwrap_or_default()
        };
        let read_only = |why, since| Standing::ReadOnly {
            why,
            since,
            until: end,
        };
        let renews = profile == Profile::Refreshable
            && self.refresh_expires_at.is_none_or(|until| now < until);
        if now >= end {
            Standing::Over { since: end }
        } else if let Some(refused) = self.refused.filter(|_| profile == Profile::Refreshable) {
            read_only(Why::Refused(said()), refused.at)
        } else if now >= last && renews {
            read_only(Why::NotInTime(said()), last)
        } else if now >= last {
            read_only(Why::NoRefresh, last)
        } else if now >= ahead && !renews {
            Standing::Ending { until: end }
        } else {
            Standing::Good
        }
    }

    /// When its standing changes of itself.
    fn next_change(&self, now: Timestamp) -> Option<Timestamp> {
        if self.profile() == Profile::LongLived {
            return None;
        }
        [
            self.before_end(AHEAD, 4),
            self.before_end(LAST, 24),
            self.refresh_expires_at,
            self.expires_at,
        ]
        .into_iter()
        .flatten()
        .filter(|at| *at > now)
        .min()
    }

    /// With the mark of a call that is about to be made.
    pub fn marked(&self, unclear: bool, now: Timestamp) -> Token {
        Token {
            mark: Some(now),
            unclear: self.unclear || unclear,
            ..self.clone()
        }
    }

    /// After a call to renew it. The mark is off: whatever the outcome is, it is known that the call is over.
    pub fn after(&self, outcome: &Outcome, now: Timestamp) -> Token {
        let failed = |message: &str| Token {
            mark: None,
            last: Some(Attempt {
                at: now,
                succeeded: false,
                message: message.into(),
            }),
            ..self.clone()
        };
        let refused = |lasting, message: &str| Token {
            refused: Some(Refused {
                at: self.refused.map_or(now, |r| r.at),
                lasting,
            }),
            ..failed(message)
        };
        match outcome {
            Outcome::New {
                id,
                asked,
                expires_in,
                refresh,
                refresh_expires_in,
            } => Token {
                id: id.clone(),
                issued_at: Some(*asked),
                expires_at: expires_in.map(|s| ends(*asked, s)),
                lifetime: expires_in.map(Duration::from_secs),
                refresh: *refresh || self.refresh,
                refresh_expires_at: match refresh_expires_in {
                    Some(seconds) => Some(ends(*asked, *seconds)),
                    None if *refresh => None,
                    None => self.refresh_expires_at,
                },
                endless: false,
                rotations: self.rotations.saturating_add(1),
                mark: None,
                unclear: false,
                refused: None,
                previous: (*id != self.id).then(|| Previous {
                    id: self.id.clone(),
                    expires_at: self.expires_at,
                }),
                last: Some(Attempt {
                    at: now,
                    succeeded: true,
                    message: String::new(),
                }),
            },
            Outcome::Failed(message) => failed(message),
            Outcome::Unclear(message) => Token {
                unclear: true,
                ..failed(message)
            },
            Outcome::Refused { lasting, message } => refused(*lasting, message),
            // After a lost answer, or a renewal that did work, somebody has the pair, and we have not.
            Outcome::Unknown { message, .. } if self.unclear || self.rotations > 0 => {
                refused(true, message)
            }
            Outcome::Unknown {
                message,
                probe: Probe::Refused,
            } => refused(true, message),
            Outcome::Unknown {
                message,
                probe: Probe::NoAnswer,
            } => failed(message),
            Outcome::Unknown {
                message,
                probe: Probe::Answered,
            } => Token {
                endless: true,
                ..failed(&format!(
                    "{message}. The token itself still works, so it is watched like one that does not end"
                ))
            },
        }
    }

    /// Back to the token before.
    pub fn returned(&self, now: Timestamp) -> Token {
        let Some(previous) = &self.previous else {
            return self.clone();
        };
        Token {
            id: previous.id.clone(),
            issued_at: None,
            expires_at: previous.expires_at,
            // Nobody wrote down how long it lived; those of one grant live equally long.
            lifetime: self.lifetime,
            previous: None,
            last: Some(Attempt {
                at: now,
                succeeded: false,
                message: "TikTok refuses the new access token; the one before is used as long as it lives".into(),
            }),
            ..self.clone()
        }
    }

    /// Without the token before.
    pub fn settled(&self) -> Token {
        Token {
            previous: None,
            ..self.clone()
        }
    }

    /// With what was refused forgotten: the app's secret, or the refresh token, is another now.
    pub fn asked_anew(&self) -> Token {
        Token {
            refused: None,
            last: self.last.clone().filter(|l| l.succeeded),
            ..self.clone()
        }
    }
}

/// The end of what was asked for at a time and lives for so many seconds, of which a hundred years are believed.
pub fn ends(asked: Timestamp, seconds: u64) -> Timestamp {
    let most = 100 * 366 * 86_400;
    asked
        .checked_add(Duration::from_secs(seconds.min(most)))
        .unwrap_or(Timestamp::MAX)
}

/// The pause after this many failures in a row: doubling, with an upper limit.
fn pause(failures: u32) -> Duration {
    let (first, most) = AGAIN;
    first
        .saturating_mul(1u32 << failures.saturating_sub(1).min(10))
        .min(most)
}

#[cfg(test)]
#[path = "token_tests.rs"]
mod tests;
