//! R14: does TikTok read our times in the zone that they are written in?
//!
//! Nobody outside TikTok knows. Where it shows other times than were sent, that is seen before anything is switched on.
//! Where it shows what was sent and means another time by it, only what it does gives it away: it refuses a start that
//! lies ahead, or delivers when it should not.

use jiff::{SignedDuration, Timestamp};

use super::super::ceiling::Hold;
use super::super::diff::{Diff, Difference};
use super::super::reason::Reason;
use super::super::report::delivery_word;
use super::super::schedule;
use super::super::wanted::Group;
use super::{Plan, Planner};
use crate::platform::{Kind, OperationState, Row};

const START: &str = "schedule_start_time";
const END: &str = "schedule_end_time";

/// Delivery statuses come late; zones differ by more than this.
const LATE: SignedDuration = SignedDuration::from_mins(10);

/// What TikTok says about a start that it takes for passed.
const TOO_EARLY: &str = "start time can't be earlier";

/// An ad group's times against what it does.
enum Seen {
    AsItShould,
    /// It may spend money outside its times.
    Delivers(&'static str, Timestamp),
    /// It does not deliver although it should.
    Rests(&'static str, Timestamp),
}

impl Planner<'_> {
    /// The platform shows our times in another zone. Told apart from a person's change by never having been right.
    pub(super) fn schedule_shifted(&self, row: &Row, differences: &[Difference]) -> Option<Plan> {
        if self.was_in_sync() || self.f.memory.corrections > 0 {
            return None;
        }
        let shifted = |wire: &str| {
            if !self.wanted.says(wire) {
                return None;
            }
            let want = self.read(self.wanted.value(wire)?.as_str()?)?;
            let have = self.read(row.text(wire)?)?;
            let by = have.duration_since(want).as_secs();
            // Zones differ by quarters of an hour, up to 14 hours.
            (by != 0 && by % 900 == 0 && by.abs() <= 14 * 3600).then_some((want, have))
        };
        if !differences.iter().any(|d| d.group == Group::Schedule) {
            return None;
        }
        let (want, have) = [START, END].iter().find_map(|wire| shifted(wire))?;
        Some(self.stalled(
            Reason::ScheduleShifted,
            format!(
                "TikTok made {have} of {want}: it reads times in another zone than they are written in. The {} stays off; set \
                 spec.scheduleZone on the connection to the other value and raise spec.incarnation, or correct the time in Ads \
                 Manager",
                self.noun()
            ),
        ))
    }

    /// It delivers outside its times, or did before it was switched off for that: then it stays off until the times are
    /// written otherwise.
    pub(super) fn out_of_time(&self, row: &Row, compared: &Diff) -> Option<Hold> {
        let rewritten = compared
            .differences
            .iter()
            .any(|d| d.group == Group::Schedule);
        if rewritten {
            return None;
        }
        match self.seen(row) {
            Seen::Delivers(what, at) => Some(Hold {
                reason: Reason::ScheduleShifted,
                message: self.advice(&format!("it delivers although its {what} is {at}")),
            }),
            _ if row.operation == OperationState::On => None,
            _ => self.held_before(),
        }
    }

    /// The same the other way round: it should deliver and does not, which costs nothing and is only told.
    pub(super) fn too_late(&self, row: &Row) -> Option<Plan> {
        let Seen::Rests(what, at) = self.seen(row) else {
            return None;
        };
        let told = self.advice(&format!(
            "TikTok says {} although its {what} is {at}",
            row.secondary_status
        ));
        Some(self.stalled(Reason::ScheduleShifted, told))
    }

    /// When what it does has to be another thing at the latest.
    pub(super) fn look_at_the_clock(&self, row: &Row) -> Option<Timestamp> {
        if row.kind != Kind::AdGroup || row.operation != OperationState::On {
            return None;
        }
        let field = match delivery_word(&row.secondary_status) {
            "NOT_START" => START,
            "DELIVERY_OK" => END,
            _ => return None,
        };
        let at = self.read(row.text(field)?)?;
        let skew = self.f.now.duration_since(self.f.platform_now);
        let due = at.checked_add(LATE + skew).ok()?;
        // A second later it is past for certain.
        (due > self.f.now).then(|| due + SignedDuration::from_secs(1))
    }

    /// What a refusal of TikTok's says, with what it may mean.
    pub(super) fn explained(&self, message: String) -> String {
        if self.kind != Kind::AdGroup || !message.to_lowercase().contains(TOO_EARLY) {
            return message;
        }
        format!(
            "{message}; if that start lies ahead, TikTok reads times in another zone than they are written in: set \
             spec.scheduleZone on the connection to the other value"
        )
    }

    fn seen(&self, row: &Row) -> Seen {
        if row.kind != Kind::AdGroup || row.operation != OperationState::On {
            return Seen::AsItShould;
        }
        let now = self.f.platform_now;
        let at = |wire| row.text(wire).and_then(|text| self.read(text));
        // A start that nobody asked for is one that TikTok only has to take: it may come sooner.
        let said = self.wanted.says(START);
        match (delivery_word(&row.secondary_status), at(START), at(END)) {
            ("DELIVERY_OK", Some(start), _) if said && now + LATE < start => {
                Seen::Delivers("start", start)
            }
            ("DELIVERY_OK", _, Some(end)) if now > end + LATE => Seen::Delivers("end", end),
            ("NOT_START", Some(start), _) if now > start + LATE => Seen::Rests("start", start),
            ("TIME_DONE", _, Some(end)) if now + LATE < end => Seen::Rests("end", end),
            _ => Seen::AsItShould,
        }
    }

    fn held_before(&self) -> Option<Hold> {
        let generation = self.f.object.metadata.generation;
        let told = self.f.object.status.as_ref()?.conditions.iter().find(|c| {
            c.type_ == "Held"
                && c.reason == Reason::ScheduleShifted.to_string()
                && c.observed_generation == generation
        })?;
        Some(Hold {
            reason: Reason::ScheduleShifted,
            message: told.message.clone(),
        })
    }

    fn advice(&self, seen: &str) -> String {
        format!(
            "{seen}, so TikTok reads times in another zone than they are written in; set spec.scheduleZone on the connection \
             to the other value, then the times are written anew. A start that TikTok takes for passed cannot be changed any \
             more: then delete the {} on TikTok and raise spec.incarnation",
            self.noun()
        )
    }

    fn read(&self, text: &str) -> Option<Timestamp> {
        schedule::read(text, self.account())
    }
}
