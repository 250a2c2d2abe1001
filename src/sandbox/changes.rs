//! Updates: what all levels share, and those of campaigns in both trees.

use serde_json::{Map, Value, json};

use super::{
    Sandbox,
    budget::{Floor, Verdict},
    envelope::{NOTHING_TO_UPDATE, Refusal, Reply},
    fields::{self, MANUAL_CREATE, MANUAL_UPDATE, SMART_PLUS_CREATE, SMART_PLUS_UPDATE, Table},
    item::{Level, Tree},
    knobs, names,
    query::{Body, missing},
};

impl Sandbox {
    /// Refuses what an update cannot change, and names nobody knows, if the knobs say so. `unknown` is what the
    /// update's table does not have, `create` the table of what a create takes.
    pub(super) fn check_update_fields(
        &self,
        advertiser_id: &str,
        unknown: &[String],
        create: Table,
    ) -> Result<(), Refusal> {
        let immutable = |name: &&String| {
            name.as_str() != "request_id" && create.iter().any(|(known, _)| known == name)
        };
        if let Some(name) = unknown.iter().find(immutable)
            && self
                .knobs
                .is(&knobs::IMMUTABLE_FIELDS, advertiser_id, "refuse")
        {
            return Err(Refusal::parameter(format!(
                "{name}: This field cannot be updated."
            )));
        }
        let strange: Vec<String> = unknown
            .iter()
            .filter(|name| !immutable(name))
            .cloned()
            .collect();
        self.check_unknown(advertiser_id, &strange)
    }

    /// Writes checked changes; `null` takes a field away. Nothing happens without any.
    pub(super) fn apply_changes(
        &mut self,
        at: i64,
        advertiser_id: &str,
        level: Level,
        id: u64,
        changes: Map<String, Value>,
    ) {
        let keep_ms = self.keep_ms(advertiser_id);
        let Some(row) = self.row_mut(advertiser_id, level, id) else {
            return;
        };
        if changes.is_empty() {
            return;
        }
        row.remember(at, keep_ms);
        row.modified_at = at;
        if let Some(budget) = changes.get("budget")
            && row.fields.contains_key("current_budget")
        {
            row.fields.insert("current_budget".into(), budget.clone());
        }
        row.fields.extend(changes);
    }

    /// `POST /campaign/update/` and `POST /smart_plus/campaign/update/`: only what is sent changes.
    pub(super) fn update_campaign(
        &mut self,
        at: i64,
        advertiser_id: &str,
        tree: Tree,
        body: Body<'_>,
    ) -> Result<Reply, Refusal> {
        let (table, create) = match tree {
            Tree::Manual => (MANUAL_UPDATE, MANUAL_CREATE),
            Tree::SmartPlus => (SMART_PLUS_UPDATE, SMART_PLUS_CREATE),
        };
        let (mut wanted, unknown) = fields::read(table, body)?;
        let id = wanted
            .get("campaign_id")
            .and_then(Value::as_str)
            .ok_or_else(|| missing("campaign_id"))?
            .to_owned();
        wanted.retain(|name, _| name != "advertiser_id" && name != "campaign_id");
        self.check_update_fields(advertiser_id, &unknown, create)?;
        let id = self.writable(advertiser_id, (Level::Campaign, tree), &id)?;
        let changes = self.check_update(at, advertiser_id, tree, id, wanted)?;
        self.apply_changes(at, advertiser_id, Level::Campaign, id, changes);
        match tree {
            Tree::Manual => self.manual_answer(at, advertiser_id, id),
            Tree::SmartPlus => self.smart_plus_answer(at, advertiser_id, id),
        }
    }

    /// Checks an update and returns what really changes.
    fn check_update(
        &self,
        at: i64,
        advertiser_id: &str,
        tree: Tree,
        id: u64,
        mut wanted: Map<String, Value>,
    ) -> Result<Map<String, Value>, Refusal> {
        let (Some(row), Ok(advertiser)) = (
            self.row(advertiser_id, Level::Campaign, id),
            self.advertiser(advertiser_id),
        ) else {
            return Err(missing("campaign_id"));
        };
        self.check_alive(advertiser_id, row)?;
        self.check_account_writes(advertiser_id, advertiser)?;
        if wanted.is_empty() {
            return Err(Refusal::new(NOTHING_TO_UPDATE, "Nothing to update."));
        }
        if let Some(name) = wanted.get("campaign_name").and_then(Value::as_str) {
            names::check(Level::Campaign, name)?;
            if name != row.text("campaign_name")
                && self
                    .knobs
                    .is(&knobs::NAME_UNIQUE, advertiser_id, "on_create_and_update")
            {
                self.check_name_free(
                    advertiser_id,
                    (Level::Campaign, tree),
                    name,
                    row.parent(),
                    Some(id),
                )?;
            }
        }
        if let Some(value) = wanted.get("budget").and_then(Value::as_f64) {
            if row.text("budget_mode") == "BUDGET_MODE_INFINITE" {
                return Err(Refusal::parameter(
                    "budget: A campaign with BUDGET_MODE_INFINITE has no budget.",
                ));
            }
            let floor = Floor::of_campaign(row.text("campaign_product_source") == "STORE");
            match self.check_budget(at, advertiser_id, advertiser, value, &floor, Some(row))? {
                Verdict::Set(value) => {
                    wanted.insert("budget".into(), json!(value));
                }
                Verdict::Ignore => {
                    wanted.remove("budget");
                    if wanted.is_empty() {
                        return Ok(wanted);
                    }
                }
            }
        }
        if let Some(industries) = wanted.get("special_industries") {
            let old = row
                .fields
                .get("special_industries")
                .cloned()
                .unwrap_or_else(|| json!([]));
            if industries != &json!([]) && industries != &old {
                return Err(Refusal::parameter(
                    "special_industries: The ad categories can only be cleared, not set or changed.",
                ));
            }
        }
        wanted.retain(|name, value| row.fields.get(name) != Some(value));
        if wanted.is_empty()
            && self
                .knobs
                .is(&knobs::UPDATE_WITHOUT_CHANGE, advertiser_id, "40012")
        {
            return Err(Refusal::new(NOTHING_TO_UPDATE, "Nothing to update."));
        }
        Ok(wanted)
    }
}
