//! What happens behind a client's back: somebody edits, pauses, deletes or rejects in Ads Manager, money is spent, time
//! passes, TikTok behaves differently.

use serde_json::{Map, Value, json};

use super::{
    Sandbox,
    campaign::{self, Campaign, SECONDARY_STATUSES, Tree},
    knobs::{self, KnobError},
};

/// Why a control call could not be done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ControlError {
    /// No such campaign.
    #[error("there is no campaign {0}")]
    Campaign(String),
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
    #[error("campaign {0} is deleted; that is final")]
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
    pub fn campaigns(&self, advertiser_id: &str) -> impl Iterator<Item = &Campaign> {
        self.rows(advertiser_id)
    }

    /// One campaign of any advertiser, with the advertiser's id.
    pub fn campaign(&self, id: &str) -> Result<(&str, &Campaign), ControlError> {
        let number: u64 = id.parse().map_err(|_| ControlError::Campaign(id.into()))?;
        self.campaigns
            .iter()
            .find_map(|(advertiser_id, rows)| Some((advertiser_id.as_str(), rows.get(&number)?)))
            .ok_or_else(|| ControlError::Campaign(id.into()))
    }

    fn locate(&self, id: &str) -> Result<(String, u64), ControlError> {
        self.campaign(id)
            .map(|(advertiser_id, row)| (advertiser_id.to_owned(), row.id))
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
        Ok(self.insert_campaign(at, advertiser_id, tree, fields, None))
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
        let (advertiser_id, number) = self.locate(id)?;
        for name in ["campaign_id", "advertiser_id", "create_time", "modify_time"] {
            if let Some(value) = changes.get(name) {
                return Err(ControlError::Value {
                    field: name.into(),
                    value: value.to_string(),
                });
            }
        }
        let keep_ms = self.keep_ms(&advertiser_id);
        let Some(row) = self.row_mut(&advertiser_id, number) else {
            return Err(ControlError::Campaign(id.into()));
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
                ("budget" | "current_budget" | "roas_bid", value) => {
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
        Ok(())
    }

    fn operate_outside(&mut self, now: i64, id: &str, operation: &str) -> Result<(), ControlError> {
        let at = self.at(now);
        let (advertiser_id, number) = self.locate(id)?;
        if self
            .row(&advertiser_id, number)
            .is_some_and(|row| row.deleted)
        {
            return Err(ControlError::Deleted(number));
        }
        self.set_operation(at, &advertiser_id, number, operation, None);
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

    /// Rejects: the campaign shows this secondary status (not said: the audit denial) until [`Sandbox::approve`].
    pub fn reject(
        &mut self,
        now: i64,
        id: &str,
        secondary_status: Option<&str>,
    ) -> Result<(), ControlError> {
        let status = secondary_status.unwrap_or("CAMPAIGN_STATUS_ADVERTISER_AUDIT_DENY");
        if !SECONDARY_STATUSES.iter().any(|(known, _)| *known == status) {
            return Err(ControlError::Value {
                field: "secondary_status".into(),
                value: status.into(),
            });
        }
        let changes = Map::from_iter([("secondary_status".to_owned(), json!(status))]);
        self.edit_outside(now, id, &changes)
    }

    /// Takes a rejection back: the secondary status is derived again.
    pub fn approve(&mut self, now: i64, id: &str) -> Result<(), ControlError> {
        let changes = Map::from_iter([("secondary_status".to_owned(), Value::Null)]);
        self.edit_outside(now, id, &changes)
    }

    /// Spends money: adds to today's and to the total. With automatic budget increase, TikTok raises the current budget
    /// by 20 % when 90 % of it is used, up to ten times a day; it starts again from the budget each day.
    pub fn spend(&mut self, now: i64, id: &str, amount: f64) -> Result<(), ControlError> {
        if !amount.is_finite() || amount < 0.0 {
            return Err(ControlError::Value {
                field: "amount".into(),
                value: amount.to_string(),
            });
        }
        let at = self.at(now);
        let (advertiser_id, number) = self.locate(id)?;
        let day = self
            .advertiser(&advertiser_id)
            .map(|advertiser| campaign::account_day(at, advertiser))
            .map_err(|_| ControlError::Advertiser(advertiser_id.clone()))?;
        let Some(row) = self.row_mut(&advertiser_id, number) else {
            return Err(ControlError::Campaign(id.into()));
        };
        let budget = row.budget();
        if row.spend_day != day {
            (row.spend_day, row.spent_today, row.raises_today) = (day, 0.0, 0);
            if row.fields.contains_key("current_budget") {
                row.fields.insert("current_budget".into(), json!(budget));
            }
        }
        row.spent_today += amount;
        row.spent_total += amount;
        if row.text("budget_auto_adjust_strategy") == "AUTO_BUDGET_INCREASE" {
            let mut current = row
                .fields
                .get("current_budget")
                .and_then(Value::as_f64)
                .unwrap_or(budget);
            while row.raises_today < 10 && current > 0.0 && row.spent_today >= current * 0.9 {
                current = (current * 120.0).round() / 100.0;
                row.raises_today += 1;
            }
            row.fields.insert("current_budget".into(), json!(current));
        }
        Ok(())
    }
}
