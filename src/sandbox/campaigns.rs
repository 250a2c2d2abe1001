//! `POST /campaign/create/`, the manual tree.

use serde_json::{Map, Value, json};

use super::{
    Sandbox,
    create::{Replay, flag, require, text},
    envelope::{Refusal, Reply},
    fields::{self, MANUAL_CREATE},
    item::{Level, Tree},
    knobs,
    query::{Body, missing},
    time,
};

/// Objectives whose manual creation ends at the cut-off.
const CUT_OFF: &[&str] = &[
    "PRODUCT_SALES",
    "WEB_CONVERSIONS",
    "APP_PROMOTION",
    "LEAD_GENERATION",
];

/// The fields of the official example's answer, with what they are where nothing was sent.
const ANSWER: &[&str] = &[
    "budget_mode",
    "is_search_campaign",
    "is_smart_performance_campaign",
    "secondary_status",
    "objective",
    "campaign_id",
    "create_time",
    "campaign_type",
    "roas_bid",
    "is_new_structure",
    "deep_bid_type",
    "budget",
    "operation_status",
    "modify_time",
    "campaign_name",
    "objective_type",
    "advertiser_id",
];

const KIND: (Level, Tree) = (Level::Campaign, Tree::Manual);

impl Sandbox {
    pub(super) fn create_manual(
        &mut self,
        at: i64,
        advertiser_id: &str,
        body: Body<'_>,
    ) -> Result<Reply, Refusal> {
        let (fields, unknown) = fields::read(MANUAL_CREATE, body)?;
        self.check_unknown(advertiser_id, &unknown)?;
        require(&fields, &["campaign_name", "objective_type"])?;
        let request_id = fields
            .get("request_id")
            .and_then(Value::as_str)
            .map(str::to_owned);
        let key = request_id.as_deref();
        if let Replay::Original(id) = self.check_replay(at, advertiser_id, KIND, key)? {
            return self.manual_answer(at, advertiser_id, id);
        }
        match self.prepare_manual(at, advertiser_id, fields) {
            Ok(fields) => {
                let id = self.insert(at, advertiser_id, KIND, fields, None, request_id.clone());
                self.use_key(at, advertiser_id, KIND, request_id.as_deref(), Some(id));
                self.manual_answer(at, advertiser_id, id)
            }
            Err(refusal) => {
                self.use_key(at, advertiser_id, KIND, request_id.as_deref(), None);
                Err(refusal)
            }
        }
    }

    /// From a day on, nothing can be made by hand for some objectives, on any level. What exists stays as it is.
    pub(super) fn check_cut_off(
        &self,
        at: i64,
        advertiser_id: &str,
        objective: &str,
    ) -> Result<(), Refusal> {
        let day = time::parse(self.knobs.text(&knobs::MANUAL_CUTOFF, advertiser_id));
        if CUT_OFF.contains(&objective) && day.is_some_and(|day| at >= day) {
            let code = self.knobs.whole(&knobs::MANUAL_CUTOFF_CODE, advertiser_id);
            let text = self.knobs.text(&knobs::MANUAL_CUTOFF_TEXT, advertiser_id);
            return Err(Refusal::new(code, text));
        }
        Ok(())
    }

    /// All rules of a manual create; returns the fields as they will be stored.
    fn prepare_manual(
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
        self.check_cut_off(at, advertiser_id, &objective)?;
        if objective == "RF_REACH" {
            self.check_allowlist(advertiser_id, "RF_REACH", "objective_type RF_REACH")?;
            fields
                .entry("budget_mode")
                .or_insert_with(|| json!("BUDGET_MODE_INFINITE"));
            if text(&fields, "budget_mode") != "BUDGET_MODE_INFINITE" {
                return Err(Refusal::parameter(
                    "budget_mode: RF_REACH only supports BUDGET_MODE_INFINITE.",
                ));
            }
        } else if fields.contains_key("rf_campaign_type") {
            return Err(Refusal::parameter(
                "rf_campaign_type is only supported for objective_type RF_REACH.",
            ));
        }
        require(&fields, &["budget_mode"])?;
        fields
            .entry("operation_status")
            .or_insert_with(|| json!("ENABLE"));
        fields
            .entry("campaign_type")
            .or_insert_with(|| json!("REGULAR_CAMPAIGN"));
        self.check_manual_budget_mode(advertiser_id, &objective, &fields)?;
        if objective == "APP_PROMOTION" {
            require(&fields, &["app_promotion_type"])?;
        } else {
            fields.remove("app_promotion_type");
        }
        if objective == "PRODUCT_SALES" && !fields.contains_key("campaign_product_source") {
            return Err(missing("campaign_product_source"));
        }
        if flag(&fields, "is_search_campaign") {
            self.check_allowlist(advertiser_id, "SEARCH", "Search Ads Campaigns")?;
        }
        if fields.contains_key("rta_id") {
            self.check_allowlist(advertiser_id, "RTA", "RTA")?;
        } else if flag(&fields, "rta_bid_enabled") || flag(&fields, "rta_product_selection_enabled")
        {
            return Err(missing("rta_id"));
        }
        self.check_dedicated(at, advertiser_id, &mut fields)?;
        self.check_new_name(
            advertiser_id,
            KIND,
            &fields,
            None,
            fields.contains_key("request_id"),
        )?;
        self.check_new_budget(at, advertiser_id, advertiser, &mut fields)?;
        if flag(&fields, "budget_optimize_on") {
            fields
                .entry("bid_type")
                .or_insert_with(|| json!("BID_TYPE_NO_BID"));
        } else {
            for of_cbo in ["budget_optimize_on", "bid_type", "optimization_goal"] {
                fields.remove(of_cbo);
            }
        }
        let automation = Tree::Manual.automation_type();
        for (name, value) in [
            ("campaign_automation_type", json!(automation)),
            ("is_smart_performance_campaign", json!(false)),
            ("is_new_structure", json!(true)),
            (
                "objective",
                json!(if objective == "APP_PROMOTION" {
                    "APP"
                } else {
                    "LANDING_PAGE"
                }),
            ),
        ] {
            fields.insert(name.into(), value);
        }
        fields
            .entry("is_search_campaign")
            .or_insert_with(|| json!(false));
        fields.entry("roas_bid").or_insert_with(|| json!(0.0));
        fields
            .entry("rta_bid_enabled")
            .or_insert_with(|| json!(false));
        Ok(fields)
    }

    fn check_manual_budget_mode(
        &self,
        advertiser_id: &str,
        objective: &str,
        fields: &Map<String, Value>,
    ) -> Result<(), Refusal> {
        let mode = text(fields, "budget_mode");
        if flag(fields, "budget_optimize_on") && mode == "BUDGET_MODE_INFINITE" {
            return Err(Refusal::parameter(
                "budget_mode: BUDGET_MODE_INFINITE is not supported when budget_optimize_on is true.",
            ));
        }
        if mode == "BUDGET_MODE_DYNAMIC_DAILY_BUDGET"
            && ["REACH", "VIDEO_VIEWS", "ENGAGEMENT"].contains(&objective)
        {
            self.check_allowlist(
                advertiser_id,
                "DYNAMIC_DAILY",
                &format!("BUDGET_MODE_DYNAMIC_DAILY_BUDGET with objective_type {objective}"),
            )?;
        }
        Ok(())
    }

    /// The whole campaign as a create or update answers it: the official example's fields, and whatever else is set.
    pub(super) fn manual_answer(
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
        let mut data = Map::new();
        for name in ANSWER {
            match row.get(*name) {
                Some(value) => data.insert((*name).into(), value.clone()),
                None if *name == "secondary_status" => continue,
                None => data.insert((*name).into(), Value::Null),
            };
        }
        for name in fields::MANUAL_COLUMNS {
            let said_anyway = matches!(
                *name,
                "campaign_automation_type" | "rta_bid_enabled" | "catalog_enabled"
            );
            match row.get(*name) {
                Some(value) if !value.is_null() && (!said_anyway || value == &json!(true)) => {
                    data.insert((*name).into(), value.clone());
                }
                _ => {}
            }
        }
        Ok(Reply::ok(Value::Object(data)))
    }
}
