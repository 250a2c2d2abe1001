//! Budgets, bids and pacing of ad groups.

use serde_json::{Map, Value, json};

use super::{
    super::{
        Sandbox,
        budget::{Floor, Verdict},
        create::{require, text},
        envelope::Refusal,
        item::{Item, Level, Tree},
        knobs,
        query::missing,
    },
    place::Place,
    schedule,
};

/// The bids that all ad groups of a Smart+ campaign share.
const SHARED_BIDS: &[&str] = &["bid_price", "conversion_bid_price", "roas_bid"];

fn number(fields: &Map<String, Value>, name: &str) -> f64 {
    fields.get(name).and_then(Value::as_f64).unwrap_or_default()
}

impl Sandbox {
    /// The budget of a create, and what becomes of it in a campaign that shares out its own.
    pub(super) fn settle_budget(
        &self,
        place: &Place<'_>,
        fields: &mut Map<String, Value>,
    ) -> Result<(), Refusal> {
        if place.shares_budget() {
            fields.insert("budget_mode".into(), json!("BUDGET_MODE_INFINITE"));
            fields.insert("budget".into(), json!(0.0));
            return Ok(());
        }
        require(fields, &["budget_mode", "budget"])?;
        self.check_budget_mode(place, fields)?;
        if let Verdict::Set(value) = self.check_ad_group_budget(place, fields, None)? {
            fields.insert("budget".into(), json!(value));
        }
        Ok(())
    }

    fn check_budget_mode(
        &self,
        place: &Place<'_>,
        fields: &Map<String, Value>,
    ) -> Result<(), Refusal> {
        let mode = text(fields, "budget_mode");
        match (mode, place.campaign.text("budget_mode")) {
            ("BUDGET_MODE_INFINITE", _) => Err(Refusal::parameter(
                "budget_mode: BUDGET_MODE_INFINITE is not supported for ad groups when budget_optimize_on is false.",
            )),
            ("BUDGET_MODE_DAY", _) if place.tree == Tree::SmartPlus => Err(Refusal::parameter(
                "budget_mode: Must be one of: BUDGET_MODE_DYNAMIC_DAILY_BUDGET, BUDGET_MODE_TOTAL.",
            )),
            ("BUDGET_MODE_TOTAL", "BUDGET_MODE_DAY") => Err(Refusal::parameter(
                "budget_mode: BUDGET_MODE_TOTAL is not supported when the campaign's budget_mode is BUDGET_MODE_DAY.",
            )),
            ("BUDGET_MODE_TOTAL", _) if text(fields, "schedule_type") != "SCHEDULE_START_END" => {
                Err(Refusal::parameter(
                    "schedule_type: Must be SCHEDULE_START_END when budget_mode is BUDGET_MODE_TOTAL.",
                ))
            }
            ("BUDGET_MODE_DYNAMIC_DAILY_BUDGET", _)
                if place.objective_is(&["REACH", "VIDEO_VIEWS", "ENGAGEMENT"]) =>
            {
                self.check_allowlist(
                    place.advertiser_id,
                    "DYNAMIC_DAILY",
                    &format!("{mode} with objective_type {}", place.objective()),
                )
            }
            _ => Ok(()),
        }
    }

    /// A day's floor, or that for each day of the schedule.
    fn check_ad_group_budget(
        &self,
        place: &Place<'_>,
        fields: &Map<String, Value>,
        existing: Option<&Item>,
    ) -> Result<Verdict, Refusal> {
        let shop = place.sells_in_shop(text(fields, "product_source"));
        let lifetime = text(fields, "budget_mode") == "BUDGET_MODE_TOTAL";
        let floor = Floor {
            dollars: if shop { 10.0 } else { 20.0 },
            knob: &knobs::AD_GROUP_BUDGET_FLOOR,
            days: if lifetime { schedule::days(fields) } else { 1 },
        };
        self.check_budget(
            place.at,
            place.advertiser_id,
            place.advertiser,
            number(fields, "budget"),
            &floor,
            existing,
        )
    }

    /// The budget of an update: `fields` are the merged ones. Returns what the budget becomes.
    pub(super) fn settle_budget_update(
        &self,
        place: &Place<'_>,
        fields: &mut Map<String, Value>,
        row: &Item,
    ) -> Result<(), Refusal> {
        if place.shares_budget() {
            // Ignored, like a create's.
            fields.insert("budget".into(), json!(0.0));
            return Ok(());
        }
        self.check_budget_mode(place, fields)?;
        let touched = ["budget", "schedule_start_time", "schedule_end_time"];
        if touched
            .iter()
            .all(|name| fields.get(*name) == row.fields.get(*name))
        {
            return Ok(());
        }
        let value = match self.check_ad_group_budget(place, fields, Some(row))? {
            Verdict::Set(value) => value,
            Verdict::Ignore => row.budget(),
        };
        fields.insert("budget".into(), json!(value));
        Ok(())
    }

    /// Bids and pacing. What does not apply is ignored in silence.
    pub(super) fn settle_bids(
        &self,
        place: &Place<'_>,
        fields: &mut Map<String, Value>,
    ) -> Result<(), Refusal> {
        if place.shares_budget() && place.tree == Tree::Manual {
            require(fields, &["bid_type"])?;
        }
        fields
            .entry("bid_type")
            .or_insert_with(|| json!("BID_TYPE_NO_BID"));
        let custom = text(fields, "bid_type") == "BID_TYPE_CUSTOM";
        let by_return = text(fields, "deep_bid_type") == "VO_MIN_ROAS";
        if by_return {
            require(fields, &["roas_bid"])?;
            if !(0.01..=1_000.0).contains(&number(fields, "roas_bid")) {
                return Err(Refusal::parameter(
                    "roas_bid: Must be between 0.01 and 1000.",
                ));
            }
        }
        if custom {
            let name = match text(fields, "billing_event") {
                "OCPM" | "OCPC" => "conversion_bid_price",
                _ => "bid_price",
            };
            if !by_return && number(fields, name) <= 0.0 {
                return Err(missing(name));
            }
            for name in ["bid_price", "conversion_bid_price"] {
                self.check_bid_below_budget(place, fields, name)?;
            }
        } else {
            for name in ["bid_price", "conversion_bid_price"] {
                if fields.contains_key(name) {
                    fields.insert(name.into(), json!(0.0));
                }
            }
        }
        if place.shares_budget() || place.tree == Tree::SmartPlus {
            let fast = text(fields, "pacing") == "PACING_MODE_FAST" && !place.shares_budget();
            if !fast {
                fields.insert("pacing".into(), json!("PACING_MODE_SMOOTH"));
            }
        }
        require(fields, &["pacing"])?;
        if text(fields, "pacing") == "PACING_MODE_FAST" && !custom {
            return Err(Refusal::parameter(
                "pacing: PACING_MODE_FAST is only supported when bid_type is BID_TYPE_CUSTOM.",
            ));
        }
        Ok(())
    }

    fn check_bid_below_budget(
        &self,
        place: &Place<'_>,
        fields: &Map<String, Value>,
        name: &str,
    ) -> Result<(), Refusal> {
        let bid = number(fields, name);
        for budget in [number(fields, "budget"), place.campaign.budget()] {
            if budget > 0.0 && bid >= budget {
                return Err(Refusal::parameter(format!(
                    "{name}: Your bid must be lower than your budget."
                )));
            }
        }
        Ok(())
    }

    /// Copies the bids that a Smart+ create or update carried to the campaign's other ad groups, as TikTok says of
    /// updates: "updating the bid_price for one ad group will automatically update … all other ad groups".
    pub(super) fn share_bids(
        &mut self,
        at: i64,
        advertiser_id: &str,
        id: u64,
        sent: &Map<String, Value>,
        by_create: bool,
    ) {
        let shared = match self.knobs.text(&knobs::SMART_PLUS_BIDS, advertiser_id) {
            "copied" => true,
            "copied_on_update" => !by_create,
            _ => false,
        };
        let row = self.row(advertiser_id, Level::AdGroup, id);
        let Some((fields, campaign)) = row.map(|row| (row.fields.clone(), row.campaign)) else {
            return;
        };
        let bids: Map<String, Value> = SHARED_BIDS
            .iter()
            .filter(|name| sent.contains_key(**name))
            .filter_map(|name| Some(((*name).to_owned(), fields.get(*name)?.clone())))
            .collect();
        if !shared || bids.is_empty() {
            return;
        }
        let siblings: Vec<u64> = self
            .items
            .get(advertiser_id)
            .into_iter()
            .flat_map(|store| store.children(Level::AdGroup, campaign.unwrap_or_default()))
            .filter(|row| row.id != id && !row.deleted)
            .map(|row| row.id)
            .collect();
        for sibling in siblings {
            let Some(row) = self.row(advertiser_id, Level::AdGroup, sibling) else {
                continue;
            };
            let mut changes = bids.clone();
            changes.retain(|name, value| row.fields.get(name) != Some(value));
            self.apply_changes(at, advertiser_id, Level::AdGroup, sibling, changes);
        }
    }
}
