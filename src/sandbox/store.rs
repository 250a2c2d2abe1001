//! All objects of one advertiser, by level and id, with who is in whom.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{
    Sandbox,
    item::{Item, Level},
};

/// The objects of one advertiser, deleted ones too.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Store {
    campaigns: BTreeMap<u64, Item>,
    ad_groups: BTreeMap<u64, Item>,
    ads: BTreeMap<u64, Item>,
    /// Parent → children: ad groups of a campaign, ads of an ad group.
    children: BTreeMap<u64, BTreeSet<u64>>,
    /// The `ad_id` of a Smart+ ad's creative → the ad.
    creatives: BTreeMap<u64, u64>,
}

/// The store of an advertiser that has nothing yet.
pub(super) static NONE: Store = Store {
    campaigns: BTreeMap::new(),
    ad_groups: BTreeMap::new(),
    ads: BTreeMap::new(),
    children: BTreeMap::new(),
    creatives: BTreeMap::new(),
};

impl Store {
    /// All of a level, oldest first.
    pub(super) fn all(&self, level: Level) -> &BTreeMap<u64, Item> {
        match level {
            Level::Campaign => &self.campaigns,
            Level::AdGroup => &self.ad_groups,
            Level::Ad => &self.ads,
        }
    }

    fn all_mut(&mut self, level: Level) -> &mut BTreeMap<u64, Item> {
        match level {
            Level::Campaign => &mut self.campaigns,
            Level::AdGroup => &mut self.ad_groups,
            Level::Ad => &mut self.ads,
        }
    }

    /// One object of a known level.
    pub(super) fn get(&self, level: Level, id: u64) -> Option<&Item> {
        self.all(level).get(&id)
    }

    /// One object of a known level, to be changed.
    pub(super) fn get_mut(&mut self, level: Level, id: u64) -> Option<&mut Item> {
        self.all_mut(level).get_mut(&id)
    }

    /// One object of any level: all share one space of ids.
    pub(super) fn find(&self, id: u64) -> Option<&Item> {
        Level::ALL.into_iter().find_map(|level| self.get(level, id))
    }

    /// The object that a row of a manual list with this id shows: itself, or the Smart+ ad of a creative.
    pub(super) fn shown_as(&self, level: Level, id: u64) -> Option<&Item> {
        self.get(level, id).or_else(|| {
            self.creatives
                .get(&id)
                .filter(|_| level == Level::Ad)
                .and_then(|ad| self.ads.get(ad))
        })
    }

    /// Keeps a new object, with who it is in.
    pub(super) fn insert(&mut self, item: Item) {
        if let Some(parent) = item.parent() {
            self.children.entry(parent).or_default().insert(item.id);
        }
        for creative in &item.creative_ids {
            self.creatives.insert(*creative, item.id);
        }
        self.all_mut(item.level).insert(item.id, item);
    }

    /// Says which `ad_id`s a Smart+ ad's creatives have, after its create or an update.
    pub(super) fn set_creatives(&mut self, ad: u64, ids: Vec<u64>) {
        for id in &ids {
            self.creatives.insert(*id, ad);
        }
        if let Some(item) = self.ads.get_mut(&ad) {
            item.creative_ids = ids;
        }
    }

    /// The ad groups of a campaign or the ads of an ad group, oldest first.
    pub(super) fn children(&self, level: Level, parent: u64) -> impl Iterator<Item = &Item> {
        self.children
            .get(&parent)
            .into_iter()
            .flatten()
            .filter_map(move |id| self.get(level, *id))
    }
}

impl Sandbox {
    /// All objects of a level of an advertiser, oldest first.
    pub(super) fn rows(
        &self,
        advertiser_id: &str,
        level: Level,
    ) -> impl DoubleEndedIterator<Item = &Item> {
        self.items
            .get(advertiser_id)
            .into_iter()
            .flat_map(move |store| store.all(level).values())
    }

    /// One object of an advertiser.
    pub(super) fn row(&self, advertiser_id: &str, level: Level, id: u64) -> Option<&Item> {
        self.items.get(advertiser_id)?.get(level, id)
    }

    pub(super) fn row_mut(
        &mut self,
        advertiser_id: &str,
        level: Level,
        id: u64,
    ) -> Option<&mut Item> {
        self.items.get_mut(advertiser_id)?.get_mut(level, id)
    }
}
