//! Updates and status changes of campaigns in both trees.

use serde_json::{Map, Value, json};

use super::{
    Sandbox,
    budget::Verdict,
    campaign::Tree,
    create::{quota_hold_ms, text},
    envelope::{NOTHING_TO_UPDATE, PARTIAL_SUCCESS, Refusal, Reply},
    fields::{
        self, MANUAL_CREATE, MANUAL_UPDATE, OPERATIONS, POSTBACK_MODES, SMART_PLUS_CREATE,
        SMART_PLUS_UPDATE,
    },
    knobs, names,
    query::{Body, missing},
};

/// Earlier states of a campaign are kept at least so long, for faults that ask for them.
const KEEP_MS: i64 = 120_000;
/// Most ids in one status call.
const MAX_STATUS_IDS: usize = 20;

impl Sandbox {
    /// Finds a live campaign that this tree's endpoints may write.
    fn writable(&self, advertiser_id: &str, tree: Tree, id: &str) -> Result<u64, Refusal> {
        let missing = || {
            let code = self
                .knobs
                .whole(&knobs::MISSING_CAMPAIGN_CODE, advertiser_id);
            Refusal::new(
                code,
                format!(
                    "Campaign {id} does not exist or does not belong to advertiser {advertiser_id}."
                ),
            )
        };
        let row = id
            .parse()
            .ok()
            .and_then(|id| self.row(advertiser_id, id))
            .ok_or_else(missing)?;
        let (knob, words) = match tree {
            Tree::Manual => (
                &knobs::MANUAL_ENDPOINTS_ON_SMART_PLUS,
                "is an Upgraded Smart+ Campaign. Please use /smart_plus/campaign/",
            ),
            Tree::SmartPlus => (
                &knobs::SMART_PLUS_ENDPOINTS_ON_MANUAL,
                "is not an Upgraded Smart+ Campaign. Please use /campaign/",
            ),
        };
        if row.tree != tree && self.knobs.is(knob, advertiser_id, "refuse") {
            return Err(Refusal::parameter(format!(
                "Campaign {id} {words} endpoints instead."
            )));
        }
        Ok(row.id)
    }

    /// How long earlier states have to be kept.
    pub(super) fn keep_ms(&self, advertiser_id: &str) -> i64 {
        self.knobs
            .ms(&knobs::EDIT_LAG, advertiser_id)
            .saturating_add(self.knobs.ms(&knobs::SECONDARY_STATUS_LAG, advertiser_id))
            .max(KEEP_MS)
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
        self.check_unknown(advertiser_id, &strange)?;
        let id = self.writable(advertiser_id, tree, &id)?;
        let changes = self.check_update(at, advertiser_id, tree, id, wanted)?;
        let keep_ms = self.keep_ms(advertiser_id);
        if let Some(row) = self.row_mut(advertiser_id, id)
            && !changes.is_empty()
        {
            row.remember(at, keep_ms);
            row.modified_at = at;
            if changes.contains_key("budget") && row.fields.contains_key("current_budget") {
                row.fields
                    .insert("current_budget".into(), changes["budget"].clone());
            }
            row.fields.extend(changes);
        }
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
        let (Some(row), Ok(advertiser)) =
            (self.row(advertiser_id, id), self.advertiser(advertiser_id))
        else {
            return Err(missing("campaign_id"));
        };
        if row.deleted {
            return Err(Refusal::parameter(format!(
                "Campaign {id} has been deleted and cannot be modified."
            )));
        }
        self.check_account_writes(advertiser_id, advertiser)?;
        if wanted.is_empty() {
            return Err(Refusal::new(NOTHING_TO_UPDATE, "Nothing to update."));
        }
        if let Some(name) = wanted.get("campaign_name").and_then(Value::as_str) {
            names::check(name)?;
            if name != row.text("campaign_name")
                && self
                    .knobs
                    .is(&knobs::NAME_UNIQUE, advertiser_id, "on_create_and_update")
            {
                self.check_name_free(advertiser_id, tree, name, Some(id))?;
            }
        }
        if let Some(value) = wanted.get("budget").and_then(Value::as_f64) {
            if row.text("budget_mode") == "BUDGET_MODE_INFINITE" {
                return Err(Refusal::parameter(
                    "budget: A campaign with BUDGET_MODE_INFINITE has no budget.",
                ));
            }
            let store = row.text("campaign_product_source") == "STORE";
            match self.check_budget(at, advertiser_id, advertiser, value, store, Some(row))? {
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

    /// `POST /campaign/status/update/` and `POST /smart_plus/campaign/status/update/`.
    pub(super) fn update_status(
        &mut self,
        at: i64,
        advertiser_id: &str,
        tree: Tree,
        body: Body<'_>,
    ) -> Result<Reply, Refusal> {
        let mut ids = body.required("campaign_ids", body.ids("campaign_ids")?)?;
        if ids.is_empty() {
            return Err(Refusal::parameter(
                "campaign_ids: Shorter than minimum length 1.",
            ));
        }
        if ids.len() > MAX_STATUS_IDS {
            let code = self.knobs.whole(&knobs::TOO_MANY_IDS_CODE, advertiser_id);
            return Err(Refusal::new(
                code,
                format!("campaign_ids: Longer than maximum length {MAX_STATUS_IDS}."),
            ));
        }
        let mut seen = std::collections::BTreeSet::new();
        ids.retain(|id| seen.insert(id.clone()));
        let operation = body.required("operation_status", body.text("operation_status")?)?;
        fields::check_word("operation_status", operation, OPERATIONS)?;
        let window = body.text("postback_window_mode")?;
        if let Some(window) = window {
            fields::check_word("postback_window_mode", window, POSTBACK_MODES)?;
            if operation != "DISABLE" {
                return Err(Refusal::parameter(
                    "postback_window_mode is only supported when operation_status is DISABLE.",
                ));
            }
        }
        let mut good = Vec::new();
        let mut bad = Vec::new();
        for id in &ids {
            match self.check_status(advertiser_id, tree, id, operation, window) {
                Ok(number) => good.push(number),
                Err(refusal) => bad.push((id.clone(), refusal)),
            }
        }
        let all_or_nothing = match tree {
            Tree::Manual => {
                self.knobs
                    .is(&knobs::MANUAL_STATUS_BAD_ID, advertiser_id, "fail")
                    || good.is_empty()
            }
            Tree::SmartPlus => {
                self.knobs
                    .is(&knobs::SMART_PLUS_STATUS_BAD_ID, advertiser_id, "fail")
                    || (good.is_empty()
                        && self
                            .knobs
                            .is(&knobs::SMART_PLUS_ALL_BAD_CODE, advertiser_id, "40002"))
            }
        };
        if all_or_nothing
            && let Some((_, refusal)) = bad.into_iter().next().map(|bad| (bad.0, bad.1))
        {
            return Err(refusal);
        }
        self.finish_status(at, advertiser_id, tree, &ids, &good, operation, window)
    }

    /// Whether one campaign can take the operation.
    fn check_status(
        &self,
        advertiser_id: &str,
        tree: Tree,
        id: &str,
        operation: &str,
        window: Option<&str>,
    ) -> Result<u64, Refusal> {
        let number = self.writable(advertiser_id, tree, id)?;
        let (Some(row), Ok(advertiser)) = (
            self.row(advertiser_id, number),
            self.advertiser(advertiser_id),
        ) else {
            return Err(missing("campaign_ids"));
        };
        if row.deleted
            && !(operation == "DELETE"
                && self.knobs.is(&knobs::DELETE_DELETED, advertiser_id, "ok"))
        {
            return Err(Refusal::parameter(format!(
                "Campaign {id} has been deleted and cannot be modified."
            )));
        }
        if operation == "ENABLE" {
            self.check_account_writes(advertiser_id, advertiser)?;
            if advertiser.in_review()
                && self
                    .knobs
                    .is(&knobs::ENABLE_IN_REVIEW, advertiser_id, "refuse")
            {
                return Err(Refusal::parameter(format!(
                    "Campaign {id} cannot be enabled while in review."
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
        if window.is_some() {
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

    #[allow(clippy::too_many_arguments)]
    fn finish_status(
        &mut self,
        at: i64,
        advertiser_id: &str,
        tree: Tree,
        ids: &[String],
        good: &[u64],
        operation: &str,
        window: Option<&str>,
    ) -> Result<Reply, Refusal> {
        let nothing_changes = !good.is_empty()
            && good.iter().all(|id| {
                self.row(advertiser_id, *id)
                    .is_some_and(|row| row.text("operation_status") == operation)
            });
        if nothing_changes
            && self
                .knobs
                .is(&knobs::STATUS_WITHOUT_CHANGE, advertiser_id, "40012")
        {
            return Err(Refusal::new(NOTHING_TO_UPDATE, "Nothing to update."));
        }
        for id in good {
            self.set_operation(at, advertiser_id, *id, operation, window);
        }
        let list: Vec<Value> = good
            .iter()
            .filter_map(|id| self.row(advertiser_id, *id))
            .map(|row| {
                let mut entry = json!({"campaign_id": row.id.to_string(), "status": operation});
                match row.fields.get("postback_window_mode") {
                    Some(mode) => entry["postback_window_mode"] = mode.clone(),
                    None if tree == Tree::Manual => entry["postback_window_mode"] = Value::Null,
                    None => {}
                }
                entry
            })
            .collect();
        let done: Vec<String> = good.iter().map(u64::to_string).collect();
        let mut reply = Reply::ok(match tree {
            Tree::Manual => {
                json!({"campaign_ids": done, "status": operation, "campaign_list": list})
            }
            Tree::SmartPlus => json!({ "campaign_list": list }),
        });
        if tree == Tree::SmartPlus {
            let errors: Vec<Value> = ids
                .iter()
                .filter_map(|id| {
                    // A second look: a campaign that was just deleted is no error of this call.
                    let refusal = (!done.contains(id))
                        .then(|| {
                            self.check_status(advertiser_id, tree, id, operation, window)
                                .err()
                        })
                        .flatten()?;
                    Some(json!({"campaign_id": id, "error_message": refusal.message}))
                })
                .collect();
            if !errors.is_empty() {
                reply.code = self
                    .knobs
                    .whole(&knobs::SMART_PLUS_PARTIAL_CODE, advertiser_id);
                if reply.code == PARTIAL_SUCCESS {
                    reply.message = "Partial success".into();
                }
                reply.data["error_list"] = json!(errors);
            }
        }
        Ok(reply)
    }

    /// Carries out an operation on one campaign.
    pub(super) fn set_operation(
        &mut self,
        at: i64,
        advertiser_id: &str,
        id: u64,
        operation: &str,
        window: Option<&str>,
    ) {
        let keep_ms = self.keep_ms(advertiser_id);
        let skan4 = self.knobs.is(&knobs::SKAN4, advertiser_id, "true");
        let Some(row) = self.row_mut(advertiser_id, id) else {
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
