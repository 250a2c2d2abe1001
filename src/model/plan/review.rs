//! What TikTok's review says of an ad, and an appeal against it (R28). Nothing is sent again because it was rejected.

use super::super::facts::Look;
use super::super::reason::Reason;
use super::super::record::Record;
use super::{Action, AppealWish, Plan, Planner};
use crate::api::APPEAL;
use crate::platform::{Kind, Review, Row};

/// Most characters of an appeal's reason: TikTok's limit in the Smart+ tree.
const LONGEST: usize = 512;

impl Planner<'_> {
    /// What the review says is told, and read when the ad has changed since, once there is nothing else to do.
    pub(super) fn review(&self, plan: &mut Plan) {
        if self.kind != Kind::Ad || self.ending() {
            return;
        }
        let Some(row) = plan.verdict.row.clone() else {
            return;
        };
        plan.verdict.review.clone_from(&self.f.review.known);
        let idle = plan.action == Action::Rest && self.backing_off().is_none();
        // The answer to an appeal need not show in the ad's status.
        let again = self.f.review.at.filter(|_| self.awaits_an_answer());
        let again = again.map(|at| at + self.f.settings.review_again);
        let outdated = self.f.review.outdated || again.is_some_and(|again| again <= self.f.now);
        if outdated && idle {
            plan.action = Action::Look(Look::Review {
                tree: row.tree,
                id: row.id.clone(),
            });
            return;
        }
        if let Some(again) = again.filter(|_| idle) {
            plan.wake = Some(plan.wake.map_or(again, |wake| wake.min(again)));
        }
        if let (Some(record), Some(review)) = (self.f.record.own(), &self.f.review.known) {
            self.appeal(plan, record, review, &row, idle && !outdated);
        }
    }

    /// TikTok has an appeal and has not said what became of it. It does not always show that it has one.
    fn awaits_an_answer(&self) -> bool {
        let (Some(record), Some(review)) = (self.f.record.own(), &self.f.review.known) else {
            return false;
        };
        let appealed =
            record.appealed.is_some() && record.appealed.as_deref() == self.annotation(APPEAL);
        is_open(review) || (appealed && is_rejected(review) && review.appeal.is_none())
    }

    /// R28: one appeal for each value of the annotation, whatever became of it. Sent again after an answer that was lost:
    /// TikTok takes one for each rejection.
    fn appeal(&self, plan: &mut Plan, record: &Record, review: &Review, row: &Row, idle: bool) {
        let Some(reason) = self.annotation(APPEAL).filter(|text| !text.is_empty()) else {
            return;
        };
        let rejected = is_rejected(review);
        if record.appealed.as_deref() == Some(reason) {
            if rejected {
                plan.verdict.notes.push((
                    Reason::Appealed,
                    "TikTok has the appeal against the rejection; what became of it shows in status.review. After another rejection a new value of the annotation appeals again".into(),
                ));
            }
            return;
        }
        let writes = !self.effective.hands_off() && !self.effective.pauses_only();
        if !rejected || !writes {
            return;
        }
        let sent = self.f.memory.appeal.as_ref();
        let sent = sent.filter(|sent| sent.reason == reason);
        let too_long = (reason.chars().count() > LONGEST)
            .then(|| format!("the annotation {APPEAL} is longer than the {LONGEST} characters that TikTok takes; shorten it"));
        let refused = too_long.or_else(|| sent?.refused.clone());
        if let Some(refused) = refused {
            plan.verdict.notes.push((Reason::AppealRefused, refused));
        } else if (sent.is_some() || is_open(review)) && idle {
            plan.action = Action::Write(Record {
                appealed: Some(reason.to_owned()),
                ..record.next()
            });
        } else if idle {
            plan.action = Action::Appeal(AppealWish {
                tree: row.tree,
                ad: row.id.clone(),
                ad_group: row.parent().map(str::to_owned),
                reason: reason.to_owned(),
            });
        }
    }
}

fn is_rejected(review: &Review) -> bool {
    review.approved == Some(false) || !review.rejections.is_empty()
}

/// An appeal is being looked at.
fn is_open(review: &Review) -> bool {
    review.appeal.as_deref() == Some("APPEALING")
}
