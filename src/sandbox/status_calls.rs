//! `…/status/update/` of all levels in both trees.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{
    Sandbox,
    ads::smart_plus,
    create::{flag, quota_hold_ms, text},
    envelope::{NOTHING_TO_UPDATE, PARTIAL_SUCCESS, Refusal, Reply},
    fields::{OPERATIONS, POSTBACK_MODES, check_word},
    item::{Item, Level, Review, Tree},
    knobs,
    query::{Body, missing},
};

/// Earlier states of an object are kept at least so long, for faults that ask for them.
const KEEP_MS: i64 = 120_000;
/// Most ids in one status call.
const MAX_STATUS_IDS: usize = 20;

/// A status call, read.
struct Call {
    level: Level,
    tree: Tree,
    /// The name of the list of ids: that of the level, or `aco_ad_ids`.
    ids_field: &'static str,
    ids: Vec<String>,
    operation: String,
    /// `postback_window_mode`, for dedicated campaigns.
    window: Option<String>,
    /// `allow_partial_success`, for manual ad groups.
    partial: bool,
}

/// What became of the ids.
struct Outcome {
    good: Vec<u64>,
    bad: Vec<(String, Refusal)>,
}

impl Sandbox {
    /// Finds an object that this tree's endpoints may write.
    pub(super) fn writable(
        &self,
        advertiser_id: &str,
        (level, tree): (Level, Tree),
        id: &str,
    ) -> Result<u64, Refusal> {
        let title = level.title();
        let missing = || {
            let code = self
                .knobs
                .whole(&knobs::MISSING_CAMPAIGN_CODE, advertiser_id);
            Refusal::new(
                code,
                format!(
                    "{title} {id} does not exist or does not belong to advertiser {advertiser_id}."
                ),
            )
        };
        let row = id
            .parse()
            .ok()
            .and_then(|id| self.row(advertiser_id, level, id))
            .ok_or_else(missing)?;
        let wire = level.wire();
        let (knob, words) = match tree {
            Tree::Manual => (
                &knobs::MANUAL_ENDPOINTS_ON_SMART_PLUS,
                format!("is an Upgraded Smart+ {title}. Please use /smart_plus/{wire}/"),
            ),
            Tree::SmartPlus => (
                &knobs::SMART_PLUS_ENDPOINTS_ON_MANUAL,
                format!("is not an Upgraded Smart+ {title}. Please use /{wire}/"),
            ),
        };
        if row.tree != tree && self.knobs.is(knob, advertiser_id, "refuse") {
            return Err(Refusal::parameter(format!(
                "{title} {id} {words} endpoints instead."
            )));
        }
        Ok(row.id)
    }

    /// Refuses to change what is deleted, itself or with what it is in.
    pub(super) fn check_alive(&self, advertiser_id: &str, item: &Item) -> Result<(), Refusal> {
        let parents = [
            (Level::AdGroup, item.ad_group),
            (Level::Campaign, item.campaign),
        ];
        let parent = parents
            .into_iter()
            .filter_map(|(level, id)| self.row(advertiser_id, level, id?))
            .find(|row| row.deleted);
        let (title, id) = (item.level.title(), item.id);
        match (item.deleted, parent) {
            (true, _) => Err(Refusal::parameter(format!(
                "{title} {id} has been deleted and cannot be modified."
            ))),
            (false, Some(parent)) => Err(Refusal::parameter(format!(
                "{title} {id} cannot be modified: its {} {} has been deleted.",
                parent.level.word(),
                parent.id
            ))),
            (false, None) => Ok(()),
        }
    }

    /// How long earlier states have to be kept.
    pub(super) fn keep_ms(&self, advertiser_id: &str) -> i64 {
        self.knobs
            .ms(&knobs::EDIT_LAG, advertiser_id)
            .saturating_add(self.knobs.ms(&knobs::SECONDARY_STATUS_LAG, advertiser_id))
            .max(KEEP_MS)
    }

    /// `POST …/status/update/`.
    pub(super) fn update_status(
        &mut self,
        at: i64,
        advertiser_id: &str,
        kind: (Level, Tree),
        body: Body<'_>,
    ) -> Result<Reply, Refusal> {
        let call = self.read_status_call(advertiser_id, kind, body)?;
        let mut outcome = Outcome {
            good: Vec::new(),
            bad: Vec::new(),
        };
        for id in &call.ids {
            match self.check_status(at, advertiser_id, &call, id) {
                Ok(number) => outcome.good.push(number),
                Err(refusal) => outcome.bad.push((id.clone(), refusal)),
            }
        }
        if self.all_or_nothing(advertiser_id, &call, &outcome)
            && let Some((_, refusal)) = outcome.bad.first()
        {
            return Err(refusal.clone());
        }
        let nothing_changes = !outcome.good.is_empty()
            && outcome.good.iter().all(|id| {
                self.row(advertiser_id, call.level, *id)
                    .is_some_and(|row| row.text("operation_status") == call.operation)
            });
        if nothing_changes
            && self
                .knobs
                .is(&knobs::STATUS_WITHOUT_CHANGE, advertiser_id, "40012")
        {
            return Err(Refusal::new(NOTHING_TO_UPDATE, "Nothing to update."));
        }
        for id in &outcome.good {
            let window = call.window.as_deref();
            self.set_operation(at, advertiser_id, call.level, *id, &call.operation, window);
            if let Some(row) = self.row_mut(advertiser_id, call.level, *id) {
                row.operated_at = Some(at);
            }
        }
        Ok(self.status_reply(advertiser_id, &call, &outcome))
    }

    fn read_status_call(
        &self,
        advertiser_id: &str,
        (level, tree): (Level, Tree),
        body: Body<'_>,
    ) -> Result<Call, Refusal> {
        let mut ids_field = level.ids_field(tree);
        if (level, tree) == (Level::Ad, Tree::Manual) && body.get("aco_ad_ids").is_some() {
            if body.get("ad_ids").is_some() {
                return Err(Refusal::parameter(
                    "ad_ids and aco_ad_ids cannot be specified at the same time.",
                ));
            }
            ids_field = "aco_ad_ids";
        }
        let mut ids = body.required(ids_field, body.ids(ids_field)?)?;
        if ids.is_empty() {
            return Err(Refusal::parameter(format!(
                "{ids_field}: Shorter than minimum length 1."
            )));
        }
        if ids.len() > MAX_STATUS_IDS {
            let code = self.knobs.whole(&knobs::TOO_MANY_IDS_CODE, advertiser_id);
            return Err(Refusal::new(
                code,
                format!("{ids_field}: Longer than maximum length {MAX_STATUS_IDS}."),
            ));
        }
        let mut seen = BTreeSet::new();
        ids.retain(|id| seen.insert(id.clone()));
        let operation = body.required("operation_status", body.text("operation_status")?)?;
        check_word("operation_status", operation, OPERATIONS)?;
        let window = match level {
            Level::Campaign => body.text("postback_window_mode")?,
            _ => None,
        };
        if let Some(window) = window {
            check_word("postback_window_mode", window, POSTBACK_MODES)?;
            if operation != "DISABLE" {
                return Err(Refusal::parameter(
                    "postback_window_mode is only supported when operation_status is DISABLE.",
                ));
            }
        }
        let partial = (level, tree) == (Level::AdGroup, Tree::Manual)
            && body.boolean("allow_partial_success")? == Some(true);
        Ok(Call {
            level,
            tree,
            ids_field,
            ids,
            operation: operation.to_owned(),
            window: window.map(str::to_owned),
            partial,
        })
    }

    /// Whether one bad id spoils the call.
    fn all_or_nothing(&self, advertiser_id: &str, call: &Call, outcome: &Outcome) -> bool {
        let nothing_good = outcome.good.is_empty();
        match (call.level, call.tree) {
            // Said in the call itself.
            (Level::AdGroup, Tree::Manual) => !call.partial,
            // Smart+ ads are answered without a list of errors, like manual campaigns and ads.
            (_, Tree::Manual) | (Level::Ad, Tree::SmartPlus) => {
                self.knobs
                    .is(&knobs::MANUAL_STATUS_BAD_ID, advertiser_id, "fail")
                    || nothing_good
            }
            (_, Tree::SmartPlus) => {
                self.knobs
                    .is(&knobs::SMART_PLUS_STATUS_BAD_ID, advertiser_id, "fail")
                    || (nothing_good
                        && self
                            .knobs
                            .is(&knobs::SMART_PLUS_ALL_BAD_CODE, advertiser_id, "40002"))
            }
        }
    }

    /// Whether one object can take the operation.
    fn check_status(
        &self,
        at: i64,
        advertiser_id: &str,
        call: &Call,
        id: &str,
    ) -> Result<u64, Refusal> {
        let title = call.level.title();
        let number = self.writable(advertiser_id, (call.level, call.tree), id)?;
        let (Some(row), Ok(advertiser)) = (
            self.row(advertiser_id, call.level, number),
            self.advertiser(advertiser_id),
        ) else {
            return Err(missing(call.ids_field));
        };
        let again = row.deleted
            && call.operation == "DELETE"
            && self.knobs.is(&knobs::DELETE_DELETED, advertiser_id, "ok");
        if !again {
            self.check_alive(advertiser_id, row)?;
        }
        if (call.level, call.tree) == smart_plus::KIND {
            self.check_pace(at, advertiser_id, row)?;
        }
        if call.level == Level::Ad && call.tree == Tree::Manual {
            check_aco(row, call)?;
        }
        if call.level == Level::AdGroup {
            self.check_ad_group_operation(advertiser_id, row, &call.operation)?;
        }
        if call.operation == "ENABLE" {
            self.check_account_writes(advertiser_id, advertiser)?;
            if (advertiser.in_review() || row.in_review(at))
                && self
                    .knobs
                    .is(&knobs::ENABLE_IN_REVIEW, advertiser_id, "refuse")
            {
                return Err(Refusal::parameter(format!(
                    "{title} {id} cannot be enabled while in review."
                )));
            }
            if row.is_dedicated()
                && row.was_on
                && !row.is_on()
                && self
                    .knobs
                    .is(&knobs::DEDICATED_REENABLE, advertiser_id, "refuse")
            {
                return Err(Refusal::parameter(format!(
                    "Dedicated Campaign {id} cannot be enabled again."
                )));
            }
        }
        if call.window.is_some() {
            if !row.is_dedicated()
                && self
                    .knobs
                    .is(&knobs::POSTBACK_ON_REGULAR, advertiser_id, "refuse")
            {
                return Err(Refusal::parameter(
                    "postback_window_mode is only supported for Dedicated Campaigns.",
                ));
            }
            if row.is_dedicated() && self.knobs.is(&knobs::SKAN4, advertiser_id, "false") {
                return Err(Refusal::parameter(
                    "postback_window_mode is not supported: SKAN 4.0 is not enabled for the app.",
                ));
            }
        }
        Ok(number)
    }

    /// What an ad group's campaign or the account's quota forbids.
    fn check_ad_group_operation(
        &self,
        advertiser_id: &str,
        row: &Item,
        operation: &str,
    ) -> Result<(), Refusal> {
        let id = row.id;
        let campaign = row
            .campaign
            .and_then(|id| self.row(advertiser_id, Level::Campaign, id));
        let dedicated = campaign.is_some_and(Item::is_dedicated);
        let reserved = campaign.is_some_and(|row| row.text("objective_type") == "RF_REACH");
        match operation {
            "DELETE" if dedicated => Err(Refusal::parameter(format!(
                "Ad group {id} is in a Dedicated Campaign and cannot be deleted alone."
            ))),
            "ENABLE" | "DISABLE" if reserved => Err(Refusal::parameter(format!(
                "Ad group {id} is a Reach & Frequency ad group; its status cannot be changed."
            ))),
            "ENABLE" if row.over_quota => Err(Refusal::parameter(format!(
                "Ad group {id} cannot be enabled: the ad group quota of the account is used up."
            ))),
            _ => Ok(()),
        }
    }

    fn status_reply(&self, advertiser_id: &str, call: &Call, outcome: &Outcome) -> Reply {
        let (level, tree, operation) = (call.level, call.tree, call.operation.as_str());
        let done: Vec<String> = outcome.good.iter().map(u64::to_string).collect();
        let list: Vec<Value> = outcome
            .good
            .iter()
            .filter_map(|id| self.row(advertiser_id, level, *id))
            .map(|row| status_entry(row, tree, operation))
            .collect();
        let errors: Vec<Value> = outcome
            .bad
            .iter()
            .map(
                |(id, refusal)| json!({level.id_field(tree): id, "error_message": refusal.message}),
            )
            .collect();
        let mut reply = Reply::ok(match (level, tree) {
            (Level::Campaign, Tree::Manual) => {
                json!({"campaign_ids": done, "status": operation, "campaign_list": list})
            }
            (Level::Campaign, Tree::SmartPlus) => json!({ "campaign_list": list }),
            (Level::AdGroup, Tree::SmartPlus) => json!({ "adgroup_list": list }),
            _ => json!({call.ids_field: done, "status": operation}),
        });
        let lists_errors = call.partial || (tree == Tree::SmartPlus && level != Level::Ad);
        if lists_errors && !errors.is_empty() {
            reply.code = self
                .knobs
                .whole(&knobs::SMART_PLUS_PARTIAL_CODE, advertiser_id);
            if reply.code == PARTIAL_SUCCESS {
                reply.message = "Partial success".into();
            }
            reply.data["error_list"] = json!(errors);
        }
        reply
    }

    /// Carries out an operation on one object. What is in it keeps its own status.
    pub(super) fn set_operation(
        &mut self,
        at: i64,
        advertiser_id: &str,
        level: Level,
        id: u64,
        operation: &str,
        window: Option<&str>,
    ) {
        let keep_ms = self.keep_ms(advertiser_id);
        let skan4 = self.knobs.is(&knobs::SKAN4, advertiser_id, "true");
        let review_ms = self.review_ms(advertiser_id);
        let Some(row) = self.row_mut(advertiser_id, level, id) else {
            return;
        };
        let changes = match operation {
            "DELETE" => !row.deleted,
            other => row.text("operation_status") != other,
        };
        if changes {
            row.remember(at, keep_ms);
            row.modified_at = at;
        }
        let was_running = row.is_on();
        match operation {
            "DELETE" => row.deleted = true,
            other => {
                row.fields.insert("operation_status".into(), json!(other));
            }
        }
        if operation == "ENABLE" {
            row.was_on = true;
            row.quota_until = None;
            if let Some(Review { until: None, again }) = row.review {
                let until = Some(at.saturating_add(review_ms));
                row.review = Some(Review { until, again });
                self.expect_review_end(advertiser_id, level, id);
            }
        } else if row.is_dedicated() {
            // Fixed once, by the first pause or deletion; a later one does not change it.
            if skan4 && text(&row.fields, "postback_window_mode").is_empty() {
                row.fields.insert(
                    "postback_window_mode".into(),
                    json!(window.unwrap_or("POSTBACK_WINDOW_MODE1")),
                );
            }
            if was_running {
                row.quota_until = Some(at + quota_hold_ms(row.text("postback_window_mode")));
            }
        }
    }
}

/// ACO ads go by their own list of ids, and cannot be deleted.
fn check_aco(row: &Item, call: &Call) -> Result<(), Refusal> {
    let by_aco = call.ids_field == "aco_ad_ids";
    let id = row.id;
    match flag(&row.fields, "is_aco") {
        true if !by_aco => Err(Refusal::parameter(format!(
            "Ad {id} is an ACO ad. Please use aco_ad_ids instead."
        ))),
        false if by_aco => Err(Refusal::parameter(format!("Ad {id} is not an ACO ad."))),
        true if call.operation == "DELETE" => Err(Refusal::parameter(
            "operation_status: ACO ads cannot be deleted.",
        )),
        _ => Ok(()),
    }
}

/// What a status call says about one object it has done.
fn status_entry(row: &Item, tree: Tree, operation: &str) -> Value {
    let mut entry = json!({row.level.id_field(tree): row.id.to_string(), "status": operation});
    if row.level == Level::Campaign {
        match row.fields.get("postback_window_mode") {
            Some(mode) => entry["postback_window_mode"] = mode.clone(),
            None if tree == Tree::Manual => entry["postback_window_mode"] = Value::Null,
            None => {}
        }
    }
    entry
}
