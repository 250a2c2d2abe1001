//! Ad groups of both trees: creates, updates, and what they answer.

use serde_json::{Map, Value};

use super::{
    Sandbox,
    create::{Replay, require, text},
    envelope::{NOTHING_TO_UPDATE, Refusal, Reply},
    fields::{
        self, AD_GROUP_CREATE, AD_GROUP_UPDATE, SMART_PLUS_AD_GROUP_CREATE,
        SMART_PLUS_AD_GROUP_UPDATE,
    },
    item::{Level, Tree},
    knobs, listing,
    query::{Body, missing},
};

impl Sandbox {
    /// `POST /adgroup/create/` and `POST /smart_plus/adgroup/create/`.
    pub(super) fn create_ad_group(
        &mut self,
        at: i64,
        advertiser_id: &str,
        tree: Tree,
        body: Body<'_>,
    ) -> Result<Reply, Refusal> {
        let kind = (Level::AdGroup, tree);
        let table = match tree {
            Tree::Manual => AD_GROUP_CREATE,
            Tree::SmartPlus => SMART_PLUS_AD_GROUP_CREATE,
        };
        let (fields, unknown) = fields::read(table, body)?;
        self.check_unknown(advertiser_id, &unknown)?;
        require(&fields, &["campaign_id", "adgroup_name"])?;
        if tree == Tree::SmartPlus {
            require(&fields, &["request_id"])?;
        }
        let key = fields
            .get("request_id")
            .and_then(Value::as_str)
            .map(str::to_owned);
        if let Replay::Original(id) = self.check_replay(at, advertiser_id, kind, key.as_deref())? {
            return self.ad_group_answer(at, advertiser_id, tree, id);
        }
        let made = self.prepare_ad_group(at, advertiser_id, tree, fields);
        let id = match made {
            Ok((campaign, fields)) => {
                let parent = self.row(advertiser_id, Level::Campaign, campaign).cloned();
                self.insert(
                    at,
                    advertiser_id,
                    kind,
                    fields,
                    parent.as_ref(),
                    key.clone(),
                )
            }
            Err(refusal) => {
                self.use_key(at, advertiser_id, kind, key.as_deref(), None);
                return Err(refusal);
            }
        };
        self.use_key(at, advertiser_id, kind, key.as_deref(), Some(id));
        self.ad_group_answer(at, advertiser_id, tree, id)
    }

    /// All rules of a create; returns the campaign and the fields as they will be stored.
    fn prepare_ad_group(
        &self,
        _at: i64,
        advertiser_id: &str,
        tree: Tree,
        mut fields: Map<String, Value>,
    ) -> Result<(u64, Map<String, Value>), Refusal> {
        let advertiser = self
            .advertiser(advertiser_id)
            .map_err(|_| missing("advertiser_id"))?;
        self.check_account_writes(advertiser_id, advertiser)?;
        let campaign = self.writable(
            advertiser_id,
            (Level::Campaign, tree),
            text(&fields, "campaign_id"),
        )?;
        if let Some(row) = self.row(advertiser_id, Level::Campaign, campaign) {
            self.check_alive(advertiser_id, row)?;
        }
        fields
            .entry("operation_status")
            .or_insert_with(|| "ENABLE".into());
        let has_key = fields.contains_key("request_id");
        let kind = (Level::AdGroup, tree);
        self.check_new_name(advertiser_id, kind, &fields, Some(campaign), has_key)?;
        Ok((campaign, fields))
    }

    /// `POST /adgroup/update/` and `POST /smart_plus/adgroup/update/`.
    pub(super) fn update_ad_group(
        &mut self,
        at: i64,
        advertiser_id: &str,
        tree: Tree,
        body: Body<'_>,
    ) -> Result<Reply, Refusal> {
        let (table, create) = match tree {
            Tree::Manual => (AD_GROUP_UPDATE, AD_GROUP_CREATE),
            Tree::SmartPlus => (SMART_PLUS_AD_GROUP_UPDATE, SMART_PLUS_AD_GROUP_CREATE),
        };
        let (mut wanted, unknown) = fields::read(table, body)?;
        self.check_update_fields(advertiser_id, &unknown, create)?;
        require(&wanted, &["adgroup_id"])?;
        let id = text(&wanted, "adgroup_id").to_owned();
        let id = self.writable(advertiser_id, (Level::AdGroup, tree), &id)?;
        wanted.retain(|name, _| name != "advertiser_id" && name != "adgroup_id");
        let row = self
            .row(advertiser_id, Level::AdGroup, id)
            .ok_or_else(|| missing("adgroup_id"))?;
        self.check_alive(advertiser_id, row)?;
        wanted.retain(|name, value| row.fields.get(name) != Some(value));
        if wanted.is_empty()
            && self
                .knobs
                .is(&knobs::UPDATE_WITHOUT_CHANGE, advertiser_id, "40012")
        {
            return Err(Refusal::new(NOTHING_TO_UPDATE, "Nothing to update."));
        }
        self.apply_changes(at, advertiser_id, Level::AdGroup, id, wanted);
        self.ad_group_answer(at, advertiser_id, tree, id)
    }

    /// The whole ad group as creates and updates answer it.
    fn ad_group_answer(
        &self,
        at: i64,
        advertiser_id: &str,
        tree: Tree,
        id: u64,
    ) -> Result<Reply, Refusal> {
        let (Some(row), Ok(advertiser)) = (
            self.row(advertiser_id, Level::AdGroup, id),
            self.advertiser(advertiser_id),
        ) else {
            return Err(missing("adgroup_id"));
        };
        let kind = (Level::AdGroup, tree);
        let fields = self.view(at, advertiser_id, advertiser).row(row);
        let columns = fields::columns(Level::AdGroup, tree);
        let no_nulls = tree == Tree::SmartPlus;
        Ok(Reply::ok(Value::Object(listing::shape(
            &fields, kind, columns, None, no_nulls,
        ))))
    }
}
