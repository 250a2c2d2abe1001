//! `POST /smart_plus/campaign/create/`, the Upgraded Smart+ tree.

use serde_json::{Map, Value, json};

use super::{
    Sandbox,
    create::{Replay, flag, require, text},
    envelope::{Refusal, Reply},
    fields::{self, SMART_PLUS_COLUMNS, SMART_PLUS_CREATE},
    item::{Level, Tree},
    knobs, listing,
    query::{Body, missing},
};

const KIND: (Level, Tree) = (Level::Campaign, Tree::SmartPlus);

impl Sandbox {
    pub(super) fn create_smart_plus(
        &mut self,
        at: i64,
        advertiser_id: &str,
        body: Body<'_>,
    ) -> Result<Reply, Refusal> {
        let (fields, unknown) = fields::read(SMART_PLUS_CREATE, body)?;
        self.check_unknown(advertiser_id, &unknown)?;
        require(&fields, &["campaign_name", "objective_type", "request_id"])?;
        let request_id = text(&fields, "request_id").to_owned();
        if let Replay::Original(id) =
            self.check_replay(at, advertiser_id, KIND, Some(&request_id))?
        {
            return self.smart_plus_answer(at, advertiser_id, id);
        }
        match self.prepare_smart_plus(at, advertiser_id, fields) {
            Ok(fields) => {
                let id = self.insert(
                    at,
                    advertiser_id,
                    KIND,
                    fields,
                    None,
                    Some(request_id.clone()),
                );
                self.use_key(at, advertiser_id, KIND, Some(&request_id), Some(id));
                self.smart_plus_answer(at, advertiser_id, id)
            }
            Err(refusal) => {
                self.use_key(at, advertiser_id, KIND, Some(&request_id), None);
                Err(refusal)
            }
        }
    }

    /// All rules of a Smart+ create; returns the fields as they will be stored.
    fn prepare_smart_plus(
        &self,
        at: i64,
        advertiser_id: &str,
        mut fields: Map<String, Value>,
    ) -> Result<Map<String, Value>, Refusal> {
        let advertiser = self
            .advertiser(advertiser_id)
            .map_err(|_| missing("advertiser_id"))?;
        self.check_account_writes(advertiser_id, advertiser)?;
        let objective = text(&fields, "objective_type").to_owned();
        fields
            .entry("operation_status")
            .or_insert_with(|| json!("ENABLE"));
        fields
            .entry("campaign_type")
            .or_insert_with(|| json!("REGULAR_CAMPAIGN"));
        fields
            .entry("budget_optimize_on")
            .or_insert_with(|| json!(true));
        if objective == "APP_PROMOTION" {
            require(&fields, &["app_promotion_type"])?;
        } else {
            fields.remove("app_promotion_type");
        }
        if objective == "WEB_CONVERSIONS" {
            if self.knobs.is(
                &knobs::SMART_PLUS_SALES_DESTINATION,
                advertiser_id,
                "required",
            ) {
                require(&fields, &["sales_destination"])?;
            }
        } else {
            fields.remove("sales_destination");
        }
        if flag(&fields, "is_promotional_campaign") {
            self.check_allowlist(advertiser_id, "PROMOTIONAL", "promotion campaign settings")?;
        }
        if flag(&fields, "is_search_campaign") {
            self.check_allowlist(advertiser_id, "SEARCH", "Search Ads Campaigns")?;
            if flag(&fields, "budget_optimize_on") {
                return Err(Refusal::parameter(
                    "budget_optimize_on: Must be false when is_search_campaign is true.",
                ));
            }
        }
        if fields.contains_key("rta_id") {
            self.check_allowlist(advertiser_id, "RTA", "RTA")?;
        } else if flag(&fields, "rta_bid_enabled") || flag(&fields, "rta_product_selection_enabled")
        {
            return Err(missing("rta_id"));
        }
        self.settle_smart_plus_budget_mode(advertiser_id, &mut fields)?;
        self.check_dedicated(at, advertiser_id, &mut fields)?;
        self.check_new_name(advertiser_id, KIND, &fields, None, true)?;
        self.check_new_budget(at, advertiser_id, advertiser, &mut fields)?;
        if text(&fields, "budget_auto_adjust_strategy") == "AUTO_BUDGET_INCREASE" {
            let budget = fields.get("budget").cloned().unwrap_or_default();
            fields.insert("current_budget".into(), budget);
        }
        fields.insert(
            "campaign_automation_type".into(),
            json!(Tree::SmartPlus.automation_type()),
        );
        fields.insert(
            "is_smart_performance_campaign".into(),
            json!(
                self.knobs
                    .is(&knobs::UPGRADED_IS_SMART_PERFORMANCE, advertiser_id, "true")
            ),
        );
        for (name, value) in [
            ("is_new_structure", json!(true)),
            (
                "objective",
                json!(if objective == "APP_PROMOTION" {
                    "APP"
                } else {
                    "LANDING_PAGE"
                }),
            ),
            ("smart_plus_adgroup_mode", json!("MULTIPLE")),
        ] {
            fields.insert(name.into(), value);
        }
        for unset in [
            "catalog_enabled",
            "is_promotional_campaign",
            "is_search_campaign",
            "rta_bid_enabled",
        ] {
            fields.entry(unset).or_insert_with(|| json!(false));
        }
        Ok(fields)
    }

    /// Budget mode and automatic increase follow from whether the campaign's budget is optimised.
    fn settle_smart_plus_budget_mode(
        &self,
        advertiser_id: &str,
        fields: &mut Map<String, Value>,
    ) -> Result<(), Refusal> {
        let mode = fields
            .get("budget_mode")
            .and_then(Value::as_str)
            .map(str::to_owned);
        let says_infinite = mode.as_deref() == Some("BUDGET_MODE_INFINITE");
        if says_infinite
            && self
                .knobs
                .is(&knobs::SMART_PLUS_INFINITE, advertiser_id, "refuse")
        {
            return Err(Refusal::parameter(
                "budget_mode: Must be one of: BUDGET_MODE_DYNAMIC_DAILY_BUDGET, BUDGET_MODE_TOTAL.",
            ));
        }
        if !flag(fields, "budget_optimize_on") {
            if mode.is_some() && !says_infinite {
                return Err(Refusal::parameter(
                    "budget_mode is only supported when budget_optimize_on is true.",
                ));
            }
            fields.insert("budget_mode".into(), json!("BUDGET_MODE_INFINITE"));
            fields.remove("budget_auto_adjust_strategy");
            return Ok(());
        }
        if says_infinite {
            return Err(Refusal::parameter(
                "budget_mode: BUDGET_MODE_INFINITE is not supported when budget_optimize_on is true.",
            ));
        }
        fields
            .entry("budget_mode")
            .or_insert_with(|| json!("BUDGET_MODE_DYNAMIC_DAILY_BUDGET"));
        let may_increase = text(fields, "budget_mode") == "BUDGET_MODE_DYNAMIC_DAILY_BUDGET"
            && text(fields, "app_promotion_type") != "MINIS";
        if !may_increase {
            fields.remove("budget_auto_adjust_strategy");
            return Ok(());
        }
        match fields
            .get("budget_auto_adjust_strategy")
            .and_then(Value::as_str)
        {
            Some("AUTO_BUDGET_INCREASE") => {
                self.check_allowlist(
                    advertiser_id,
                    "AUTO_BUDGET_INCREASE",
                    "automatic budget increase",
                )?;
            }
            Some(_) => {}
            None => {
                let default = self
                    .knobs
                    .text(&knobs::AUTO_BUDGET_INCREASE_DEFAULT, advertiser_id);
                fields.insert("budget_auto_adjust_strategy".into(), json!(default));
            }
        }
        Ok(())
    }

    /// The whole campaign as a create or update answers it: nulls are left out in this tree.
    pub(super) fn smart_plus_answer(
        &self,
        at: i64,
        advertiser_id: &str,
        id: u64,
    ) -> Result<Reply, Refusal> {
        let (Some(row), Ok(advertiser)) = (
            self.row(advertiser_id, Level::Campaign, id),
            self.advertiser(advertiser_id),
        ) else {
            return Err(missing("campaign_id"));
        };
        let row = self.view(at, advertiser_id, advertiser).row(row);
        Ok(Reply::ok(Value::Object(listing::shape(
            &row,
            KIND,
            SMART_PLUS_COLUMNS,
            None,
            true,
        ))))
    }
}
