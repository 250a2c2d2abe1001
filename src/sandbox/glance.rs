//! An object as a list shows it at some time, with the fields that are derived.

use serde_json::{Map, Value, json};

use super::{
    Sandbox,
    accounts::Advertiser,
    ads::smart_plus::creatives,
    item::{Item, Level, Tree},
    knobs::{self, Settings},
    store::{NONE, Store},
    time,
};

/// An advertiser as seen at some time: all that a row is derived from.
pub(super) struct View<'a> {
    /// Now.
    pub at: i64,
    /// The time whose state is shown; before the present when lists lag behind.
    pub seen_at: i64,
    /// The time whose state secondary statuses are derived from.
    pub status_at: i64,
    pub knobs: &'a Settings,
    pub advertiser_id: &'a str,
    pub advertiser: &'a Advertiser,
    pub store: &'a Store,
}

impl Sandbox {
    /// An advertiser as it is now (secondary statuses may lag all the same).
    pub(super) fn view<'a>(
        &'a self,
        at: i64,
        advertiser_id: &'a str,
        advertiser: &'a Advertiser,
    ) -> View<'a> {
        let lag = self.knobs.ms(&knobs::SECONDARY_STATUS_LAG, advertiser_id);
        View {
            at,
            seen_at: at,
            status_at: at.saturating_sub(lag),
            knobs: &self.knobs,
            advertiser_id,
            advertiser,
            store: self.items.get(advertiser_id).unwrap_or(&NONE),
        }
    }
}

impl<'a> View<'a> {
    /// The campaign that an object is in.
    pub(super) fn campaign_of(&self, item: &Item) -> Option<&'a Item> {
        self.store.get(Level::Campaign, item.campaign?)
    }

    /// The ad group that an ad is in.
    pub(super) fn ad_group_of(&self, item: &Item) -> Option<&'a Item> {
        self.store.get(Level::AdGroup, item.ad_group?)
    }

    /// What is cheap to say about a row; see [`Glance::render`] for the rest.
    pub(super) fn glance(&self, item: &'a Item) -> Glance<'a> {
        let (fields, own, modified_at) = item.as_of(self.seen_at);
        let gone = |parent: Option<&Item>| parent.is_some_and(|row| row.as_of(self.seen_at).1);
        Glance {
            item,
            fields,
            own_deleted: own,
            deleted: own || gone(self.ad_group_of(item)) || gone(self.campaign_of(item)),
            modified_at,
        }
    }

    /// The row as it is, with all its fields.
    pub(super) fn row(&self, item: &'a Item) -> Map<String, Value> {
        self.glance(item).render(self)
    }
}

/// An object as a list shows it, not yet written out.
#[derive(Clone)]
pub(super) struct Glance<'a> {
    pub item: &'a Item,
    pub fields: &'a Map<String, Value>,
    /// Deleted itself, not only with a parent.
    own_deleted: bool,
    /// Deleted itself or with a parent.
    pub deleted: bool,
    pub modified_at: i64,
}

impl<'a> Glance<'a> {
    pub(super) fn text(&self, field: &str) -> &'a str {
        self.fields
            .get(field)
            .and_then(Value::as_str)
            .unwrap_or_default()
    }

    /// All fields, with those that are derived.
    pub(super) fn render(&self, view: &View<'a>) -> Map<String, Value> {
        let mut fields = self.fields.clone();
        let item = self.item;
        if self.own_deleted {
            match view
                .knobs
                .text(&knobs::DELETED_OPERATION_STATUS, view.advertiser_id)
            {
                "last" => {}
                status => {
                    fields.insert("operation_status".into(), json!(status));
                }
            }
        }
        let mut set = |name: &str, value: Value| {
            fields.insert(name.into(), value);
        };
        set("advertiser_id", json!(view.advertiser_id));
        for parent in [view.campaign_of(item), view.ad_group_of(item)]
            .into_iter()
            .flatten()
        {
            let name = parent.level.name_field();
            let value = parent.as_of(view.seen_at).0.get(name);
            set(name, value.cloned().unwrap_or_default());
            set(
                parent.level.id_field(Tree::Manual),
                json!(parent.id.to_string()),
            );
        }
        set(item.level.id_field(item.tree), json!(item.id.to_string()));
        set("create_time", json!(time::datetime(item.created_at)));
        set("modify_time", json!(time::datetime(self.modified_at)));
        if view
            .knobs
            .is(&knobs::SECONDARY_STATUS, view.advertiser_id, "shown")
        {
            set("secondary_status", json!(view.secondary(item)));
        }
        match (item.level, item.tree) {
            (Level::Ad, Tree::SmartPlus) => creatives::finish(view, &mut fields),
            (Level::Ad, Tree::Manual) => {
                fields.insert("ad_id_v2".into(), json!(item.id.to_string()));
            }
            _ => {}
        }
        if item.level == Level::Ad
            && view
                .knobs
                .is(&knobs::AD_AUTOMATION_TYPE, view.advertiser_id, "shown")
        {
            fields.insert(
                "campaign_automation_type".into(),
                json!(item.tree.automation_type()),
            );
        }
        fields
    }
}
