//! R12: which objective may be created in which tree, and from when on not any more.

use jiff::Timestamp;

use super::reason::Reason;
use crate::api::campaign::Objective;
use crate::platform::Tree;

/// The table, with the one date that TikTok has announced. The operator's owner can set another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Creatable {
    /// From here on the manual tree takes no new campaigns of the objectives that Smart+ has taken over
    /// (reference section 0: 1 January 2027, second-hand).
    pub manual_closes: Timestamp,
}

impl Default for Creatable {
    fn default() -> Self {
        // 2027-01-01T00:00:00Z
        Self {
            manual_closes: Timestamp::constant(1_798_761_600, 0),
        }
    }
}

impl Creatable {
    /// `Ok` when `objective` may be created in `tree` at `now` (the platform's clock).
    pub fn check(
        &self,
        objective: Objective,
        tree: Tree,
        now: Timestamp,
    ) -> Result<(), (Reason, String)> {
        use Objective::{AppPromotion, LeadGeneration, ProductSales, RfReach, WebConversions};
        let word = format!("{objective:?}");
        match (tree, objective) {
            (_, ProductSales) => Err((
                Reason::NotCreatable,
                format!(
                    "{word} campaigns cannot be created by this operator; make it in Ads Manager and set spec.externalId to its id"
                ),
            )),
            (Tree::Manual, RfReach) => Err((
                Reason::NotCreatable,
                format!(
                    "{word} (reach and frequency) needs a booking; make it in Ads Manager and set spec.externalId to its id"
                ),
            )),
            (Tree::Manual, AppPromotion | WebConversions | LeadGeneration)
                if now >= self.manual_closes =>
            {
                Err((
                    Reason::UseSmartPlus,
                    format!(
                        "TikTok takes new {word} campaigns only as Smart+ since {}; make a new object with spec.automation: SmartPlus",
                        self.manual_closes
                    ),
                ))
            }
            (Tree::SmartPlus, AppPromotion | WebConversions | LeadGeneration)
            | (Tree::Manual, _) => Ok(()),
            (Tree::SmartPlus, _) => Err((
                Reason::NotCreatable,
                format!(
                    "Smart+ has no {word} campaigns; make a new object with spec.automation: Manual"
                ),
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r12_manual_web_conversions_close_on_the_date() {
        let table = Creatable::default();
        assert_eq!(table.manual_closes.to_string(), "2027-01-01T00:00:00Z");
        let before = table.manual_closes - jiff::SignedDuration::from_secs(1);
        assert!(
            table
                .check(Objective::WebConversions, Tree::Manual, before)
                .is_ok()
        );
        assert_eq!(
            table
                .check(Objective::WebConversions, Tree::Manual, table.manual_closes)
                .unwrap_err()
                .0,
            Reason::UseSmartPlus
        );
        assert!(
            table
                .check(
                    Objective::WebConversions,
                    Tree::SmartPlus,
                    table.manual_closes
                )
                .is_ok()
        );
        assert!(
            table
                .check(Objective::Traffic, Tree::Manual, table.manual_closes)
                .is_ok()
        );
        assert_eq!(
            table
                .check(Objective::Traffic, Tree::SmartPlus, before)
                .unwrap_err()
                .0,
            Reason::NotCreatable
        );
        assert_eq!(
            table
                .check(Objective::ProductSales, Tree::Manual, before)
                .unwrap_err()
                .0,
            Reason::NotCreatable
        );
    }
}
