//! What happens behind a client's back: somebody edits, pauses, deletes or rejects in Ads Manager, money is spent, time
//! passes, TikTok behaves differently.

use serde_json::{Map, Value, json};

use super::{
    Sandbox, ad_groups,
    ads::{self, smart_plus},
    item::{self, Item, Level, Tree},
    knobs::{self, KnobError},
    review::NewRejection,
    status::secondary_statuses,
};

/// Why a control call could not be done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ControlError {
    /// No such campaign, ad group or ad.
    #[error("there is no object {0}")]
    Missing(String),
    /// No such advertiser.
    #[error("there is no advertiser {0}")]
    Advertiser(String),
    /// A field cannot be set to this.
    #[error("{field} cannot be {value}")]
    Value {
        /// The field.
        field: String,
        /// What was given.
        value: String,
    },
    /// Deleted is final, also in Ads Manager.
    #[error("object {0} is deleted; that is final")]
    Deleted(u64),
}

impl Sandbox {
    /// Sets a knob, for everyone or for one advertiser.
    pub fn set_knob(
        &mut self,
        advertiser_id: Option<&str>,
        name: &str,
        value: &str,
    ) -> Result<(), KnobError> {
        self.knobs.set(advertiser_id, name, value)
    }

    /// The value in force for an advertiser (or for everyone).
    pub fn knob(&self, advertiser_id: Option<&str>, name: &str) -> Result<&str, KnobError> {
        Ok(self
            .knobs
            .text(knobs::find(name)?, advertiser_id.unwrap_or_default()))
    }

    /// Back to the defaults: one advertiser's own values, or those for everyone.
    pub fn reset_knobs(&mut self, advertiser_id: Option<&str>) {
        self.knobs.reset(advertiser_id);
    }

    /// Moves the sandbox's clock forward. Delayed effects that come due happen with the next request, before it.
    pub fn advance_ms(&mut self, ms: i64) {
        self.clock_offset_ms = self.clock_offset_ms.saturating_add(ms.max(0));
    }

    /// How far the sandbox's clock is ahead of the caller's.
    pub fn clock_offset_ms(&self) -> i64 {
        self.clock_offset_ms
    }

    /// How many delayed effects have not happened yet.
    pub fn pending_effects(&self) -> usize {
        self.pending.len()
    }

    /// When the next delayed effect happens, in the caller's time; none if none is waiting.
    pub fn next_effect_at(&self) -> Option<i64> {
        self.pending
            .iter()
            .map(|pending| pending.due - self.clock_offset_ms)
            .min()
    }

    /// Lets delayed effects that are due at `now` happen, without a request.
    pub fn settle(&mut self, now: i64) {
        self.apply_due(self.at(now));
    }

    /// All campaigns of an advertiser, deleted ones too, oldest first: the truth, whatever lists show.
    pub fn campaigns(&self, advertiser_id: &str) -> impl Iterator<Item = &Item> {
        self.rows(advertiser_id, Level::Campaign)
    }

    /// All ad groups of an advertiser, likewise.
    pub fn ad_groups(&self, advertiser_id: &str) -> impl Iterator<Item = &Item> {
        self.rows(advertiser_id, Level::AdGroup)
    }

    /// All ads of an advertiser, likewise. A Smart+ ad is one, however many creatives it has.
    pub fn ads(&self, advertiser_id: &str) -> impl Iterator<Item = &Item> {
        self.rows(advertiser_id, Level::Ad)
    }

    /// One campaign, ad group or ad of any advertiser, with the advertiser's id.
    pub fn object(&self, id: &str) -> Result<(&str, &Item), ControlError> {
        let number: u64 = id.parse().map_err(|_| ControlError::Missing(id.into()))?;
        self.items
            .iter()
            .find_map(|(advertiser_id, store)| Some((advertiser_id.as_str(), store.find(number)?)))
            .ok_or_else(|| ControlError::Missing(id.into()))
    }

    /// The same, if it is of this level.
    pub fn object_of(&self, level: Level, id: &str) -> Result<(&str, &Item), ControlError> {
        self.object(id)
            .ok()
            .filter(|(_, row)| row.level == level)
            .ok_or_else(|| ControlError::Missing(id.into()))
    }

    /// One campaign of any advertiser, with the advertiser's id.
    pub fn campaign(&self, id: &str) -> Result<(&str, &Item), ControlError> {
        self.object_of(Level::Campaign, id)
    }

    /// One ad group of any advertiser, with the advertiser's id.
    pub fn ad_group(&self, id: &str) -> Result<(&str, &Item), ControlError> {
        self.object_of(Level::AdGroup, id)
    }

    /// One ad of any advertiser, with the advertiser's id.
    pub fn ad(&self, id: &str) -> Result<(&str, &Item), ControlError> {
        self.object_of(Level::Ad, id)
    }

    fn locate(&self, id: &str) -> Result<(String, Level, u64), ControlError> {
        self.object(id)
            .map(|(advertiser_id, row)| (advertiser_id.to_owned(), row.level, row.id))
    }

    /// Adds a campaign as if a person had made it in Ads Manager: without any check but the tree. Fields not said get
    /// what a create would give them.
    pub fn insert_outside(
        &mut self,
        now: i64,
        advertiser_id: &str,
        tree: Tree,
        mut fields: Map<String, Value>,
    ) -> Result<u64, ControlError> {
        if !self.accounts.advertisers.contains_key(advertiser_id) {
            return Err(ControlError::Advertiser(advertiser_id.into()));
        }
        let at = self.at(now);
        for (name, value) in [
            ("campaign_name", json!("Made in Ads Manager")),
            (
                "objective_type",
                json!(if tree == Tree::Manual {
                    "TRAFFIC"
                } else {
                    "WEB_CONVERSIONS"
                }),
            ),
            ("operation_status", json!("DISABLE")),
            ("campaign_type", json!("REGULAR_CAMPAIGN")),
            ("budget_mode", json!("BUDGET_MODE_DYNAMIC_DAILY_BUDGET")),
            ("budget", json!(50.0)),
            ("campaign_automation_type", json!(tree.automation_type())),
            ("is_smart_performance_campaign", json!(false)),
            ("is_search_campaign", json!(false)),
            ("is_new_structure", json!(true)),
            ("objective", json!("LANDING_PAGE")),
            ("roas_bid", json!(0.0)),
        ] {
            fields.entry(name).or_insert(value);
        }
        if tree == Tree::SmartPlus {
            fields.entry("budget_optimize_on").or_insert(json!(true));
            fields
                .entry("smart_plus_adgroup_mode")
                .or_insert(json!("MULTIPLE"));
        }
        let kind = (Level::Campaign, tree);
        Ok(self.insert(at, advertiser_id, kind, fields, None, None))
    }

    /// Adds an ad group or an ad into what has this id, as if a person had made it in Ads Manager: without any check.
    /// It is of the same tree. Fields not said get what a create would give them.
    pub fn insert_inside(
        &mut self,
        now: i64,
        parent: &str,
        mut fields: Map<String, Value>,
    ) -> Result<u64, ControlError> {
        let at = self.at(now);
        let (advertiser_id, parent) = self.object(parent)?;
        let (advertiser_id, parent) = (advertiser_id.to_owned(), parent.clone());
        let level = match parent.level {
            Level::Campaign => Level::AdGroup,
            Level::AdGroup => Level::Ad,
            Level::Ad => return Err(ControlError::Missing(parent.id.to_string())),
        };
        for (name, value) in [
            (level.name_field(), json!("Made in Ads Manager")),
            ("operation_status", json!("DISABLE")),
        ] {
            fields.entry(name).or_insert(value);
        }
        if level == Level::AdGroup
            && let Ok(place) = self.place(at, &advertiser_id, parent.tree, parent.id)
        {
            ad_groups::made_outside(&place, &mut fields);
        }
        if (level, parent.tree) == (Level::Ad, Tree::Manual) {
            ads::made_outside(&parent, &mut fields);
        }
        let kind = (level, parent.tree);
        let id = self.insert(at, &advertiser_id, kind, fields, Some(&parent), None);
        if kind == smart_plus::KIND {
            self.settle_creatives(&advertiser_id, id);
        }
        Ok(id)
    }

    /// Sets fields by their names on the wire, as a person in Ads Manager (or TikTok itself) would; nothing is checked
    /// but that the campaign is not deleted. `null` removes a field. `secondary_status` overrides the derived one
    /// (`null`: derived again).
    pub fn edit_outside(
        &mut self,
        now: i64,
        id: &str,
        changes: &Map<String, Value>,
    ) -> Result<(), ControlError> {
        let at = self.at(now);
        let (advertiser_id, level, number) = self.locate(id)?;
        for name in [
            "campaign_id",
            "adgroup_id",
            "ad_id",
            "smart_plus_ad_id",
            "advertiser_id",
            "create_time",
            "modify_time",
        ] {
            if let Some(value) = changes.get(name) {
                return Err(ControlError::Value {
                    field: name.into(),
                    value: value.to_string(),
                });
            }
        }
        let keep_ms = self.keep_ms(&advertiser_id);
        let Some(row) = self.row_mut(&advertiser_id, level, number) else {
            return Err(ControlError::Missing(id.into()));
        };
        if row.deleted {
            return Err(ControlError::Deleted(number));
        }
        row.remember(at, keep_ms);
        row.modified_at = at;
        for (name, value) in changes {
            match (name.as_str(), value) {
                ("secondary_status", Value::Null) => row.status_override = None,
                ("secondary_status", Value::String(status)) => {
                    row.status_override = Some(status.clone())
                }
                (_, Value::Null) => {
                    row.fields.remove(name);
                }
                // Money is a JSON number with a point, as TikTok writes it.
                (
                    "budget" | "current_budget" | "roas_bid" | "bid_price" | "conversion_bid_price",
                    value,
                ) => {
                    row.fields.insert(name.clone(), json!(value.as_f64()));
                }
                _ => {
                    row.fields.insert(name.clone(), value.clone());
                }
            }
        }
        if row.is_on() {
            row.was_on = true;
        }
        if (row.level, row.tree) == smart_plus::KIND {
            self.settle_creatives(&advertiser_id, number);
        }
        Ok(())
    }

    fn operate_outside(&mut self, now: i64, id: &str, operation: &str) -> Result<(), ControlError> {
        let at = self.at(now);
        let (advertiser_id, level, number) = self.locate(id)?;
        if self
            .row(&advertiser_id, level, number)
            .is_some_and(|row| row.deleted)
        {
            return Err(ControlError::Deleted(number));
        }
        self.set_operation(at, &advertiser_id, level, number, operation, None);
        Ok(())
    }

    /// Pauses, as a buyer in Ads Manager would.
    pub fn pause_outside(&mut self, now: i64, id: &str) -> Result<(), ControlError> {
        self.operate_outside(now, id, "DISABLE")
    }

    /// Enables, as a buyer in Ads Manager would.
    pub fn enable_outside(&mut self, now: i64, id: &str) -> Result<(), ControlError> {
        self.operate_outside(now, id, "ENABLE")
    }

    /// Deletes for ever, as a buyer in Ads Manager would.
    pub fn delete_outside(&mut self, now: i64, id: &str) -> Result<(), ControlError> {
        self.operate_outside(now, id, "DELETE")
    }

    /// Rejects until [`Sandbox::approve`]. The object shows this secondary status, whatever would be derived; not said,
    /// an ad group or ad gets an objection as [`Sandbox::reject_content`] makes it, and a campaign shows the account's
    /// audit denial.
    pub fn reject(
        &mut self,
        now: i64,
        id: &str,
        secondary_status: Option<&str>,
    ) -> Result<(), ControlError> {
        let level = self.object(id)?.1.level;
        let status = match (secondary_status, level) {
            (Some(status), _) => status,
            (None, Level::Campaign) => "CAMPAIGN_STATUS_ADVERTISER_AUDIT_DENY",
            (None, Level::AdGroup | Level::Ad) => {
                return self.reject_content(now, id, NewRejection::default());
            }
        };
        if !secondary_statuses(level)
            .iter()
            .any(|(known, _)| *known == status)
        {
            return Err(ControlError::Value {
                field: "secondary_status".into(),
                value: status.into(),
            });
        }
        let changes = Map::from_iter([("secondary_status".to_owned(), json!(status))]);
        self.edit_outside(now, id, &changes)?;
        let (advertiser_id, level, number) = self.locate(id)?;
        if level != Level::Campaign && status.ends_with("_AUDIT_DENY") {
            let at = self.at(now);
            let group = self.group_of_ad(at, &advertiser_id, number);
            self.announce_result(at, &advertiser_id, level, number, group);
        }
        Ok(())
    }

    /// Takes a rejection back, and ends a review: the secondary status is derived again.
    pub fn approve(&mut self, now: i64, id: &str) -> Result<(), ControlError> {
        let changes = Map::from_iter([("secondary_status".to_owned(), Value::Null)]);
        match self.object(id)?.1.level {
            Level::Campaign => self.edit_outside(now, id, &changes),
            Level::AdGroup | Level::Ad => self.approve_content(now, id, None),
        }
    }

    /// Spends money: adds to today's and to the total, also of what the object is in. With automatic budget increase, TikTok raises the current budget
    /// by 20 % when 90 % of it is used, up to ten times a day; it starts again from the budget each day.
    pub fn spend(&mut self, now: i64, id: &str, amount: f64) -> Result<(), ControlError> {
        if !amount.is_finite() || amount < 0.0 {
            return Err(ControlError::Value {
                field: "amount".into(),
                value: amount.to_string(),
            });
        }
        let at = self.at(now);
        let (advertiser_id, level, number) = self.locate(id)?;
        let day = self
            .advertiser(&advertiser_id)
            .map(|advertiser| item::account_day(at, advertiser))
            .map_err(|_| ControlError::Advertiser(advertiser_id.clone()))?;
        let spender = self.row(&advertiser_id, level, number);
        let parents = spender.map(|row| (row.ad_group, row.campaign));
        let (ad_group, campaign) = parents.unwrap_or_default();
        let above = [(Level::AdGroup, ad_group), (Level::Campaign, campaign)];
        for (level, number) in [(level, Some(number))].into_iter().chain(above) {
            if let Some(row) = number.and_then(|id| self.row_mut(&advertiser_id, level, id)) {
                row.add_spend(day, amount);
            }
        }
        Ok(())
    }
}
