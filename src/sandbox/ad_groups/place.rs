//! Where an ad group is made or changed: its account and its campaign.

use super::super::{
    Sandbox,
    accounts::Advertiser,
    create::flag,
    envelope::Refusal,
    item::{Item, Level, Tree},
    query::missing,
};

/// The account and the campaign whose rules count.
pub(in crate::sandbox) struct Place<'a> {
    pub at: i64,
    pub advertiser_id: &'a str,
    pub advertiser: &'a Advertiser,
    pub campaign: &'a Item,
    pub tree: Tree,
}

impl Place<'_> {
    pub(super) fn objective(&self) -> &str {
        self.campaign.text("objective_type")
    }

    pub(super) fn objective_is(&self, among: &[&str]) -> bool {
        among.contains(&self.objective())
    }

    /// Whether the campaign's budget is shared out by TikTok (CBO); ad groups have none then.
    pub(super) fn shares_budget(&self) -> bool {
        flag(&self.campaign.fields, "budget_optimize_on")
    }

    /// Whether the ad groups' products come from a shop, which lowers the smallest budget.
    pub(super) fn sells_in_shop(&self, product_source: &str) -> bool {
        self.campaign.text("campaign_product_source") == "STORE"
            || ["STORE", "SHOWCASE"].contains(&product_source)
    }
}

impl Sandbox {
    /// The place in a campaign.
    pub(in crate::sandbox) fn place<'a>(
        &'a self,
        at: i64,
        advertiser_id: &'a str,
        tree: Tree,
        campaign: u64,
    ) -> Result<Place<'a>, Refusal> {
        let (Some(campaign), Ok(advertiser)) = (
            self.row(advertiser_id, Level::Campaign, campaign),
            self.advertiser(advertiser_id),
        ) else {
            return Err(missing("campaign_id"));
        };
        Ok(Place {
            at,
            advertiser_id,
            advertiser,
            campaign,
            tree,
        })
    }

    /// The first ad group of a campaign, whose goal the others follow where TikTok shares out the budget.
    pub(super) fn first_sibling(&self, place: &Place<'_>, except: Option<u64>) -> Option<&Item> {
        self.siblings(place, except).next()
    }

    /// The ad groups of the campaign that are not deleted, oldest first.
    pub(super) fn siblings(
        &self,
        place: &Place<'_>,
        except: Option<u64>,
    ) -> impl Iterator<Item = &Item> {
        self.items
            .get(place.advertiser_id)
            .into_iter()
            .flat_map(move |store| store.children(Level::AdGroup, place.campaign.id))
            .filter(move |row| !row.deleted && Some(row.id) != except)
    }
}
