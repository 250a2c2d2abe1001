//! Ads: what both trees share, and those of the manual tree.

mod creative;
mod manual;
pub(super) mod smart_plus;

use super::{
    Sandbox,
    envelope::Refusal,
    item::{Item, Level, Review, Tree},
    knobs,
};

pub(super) use creative::made_outside;

impl Sandbox {
    /// How long a review takes; the largest number for ever.
    pub(super) fn review_ms(&self, advertiser_id: &str) -> i64 {
        self.knobs.ms(&knobs::AD_REVIEW, advertiser_id)
    }

    /// The review that an ad goes into, if reviews take time. `on`: whether the ad is switched on.
    fn new_review(&self, at: i64, advertiser_id: &str, on: bool, again: bool) -> Option<Review> {
        let ms = self.review_ms(advertiser_id);
        if ms == 0 {
            return None;
        }
        let waits = !on
            && self
                .knobs
                .is(&knobs::AD_REVIEW_OF_DISABLED, advertiser_id, "when_enabled");
        let until = (!waits).then(|| at.saturating_add(ms));
        Some(Review { until, again })
    }

    /// Sends an ad to review, the first or again. What a reviewer said before does not count any more.
    fn begin_review(&mut self, at: i64, advertiser_id: &str, id: u64, again: bool) {
        let on = self
            .row(advertiser_id, Level::Ad, id)
            .is_some_and(Item::is_on);
        let group_before = self.group_of_ad(at, advertiser_id, id);
        let review = self.new_review(at, advertiser_id, on, again);
        if let Some(row) = self.row_mut(advertiser_id, Level::Ad, id) {
            row.review = review;
            row.status_override
                .take_if(|status| status == "AD_STATUS_AUDIT_DENY");
        }
        self.expect_findings(at, advertiser_id, id);
        match review {
            Some(_) => self.expect_review_end(advertiser_id, Level::Ad, id),
            None => self.announce_result(at, advertiser_id, Level::Ad, id, group_before),
        }
    }

    /// The ad group that an ad is made in or that an update names, alive.
    pub(super) fn live_ad_group(
        &self,
        advertiser_id: &str,
        tree: Tree,
        id: &str,
    ) -> Result<u64, Refusal> {
        let id = self.writable(advertiser_id, (Level::AdGroup, tree), id)?;
        if let Some(row) = self.row(advertiser_id, Level::AdGroup, id) {
            self.check_alive(advertiser_id, row)?;
        }
        Ok(id)
    }
}
