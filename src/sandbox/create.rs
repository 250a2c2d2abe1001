//! What creates in both trees share: types, idempotency keys, names, budgets, dedicated campaigns.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{
    Sandbox,
    accounts::Advertiser,
    budget::{Floor, Verdict},
    envelope::{NOT_ALLOWLISTED, Refusal},
    item::{Item, Level, Tree},
    knobs, names,
    query::missing,
    time::DAY_MS,
};

/// What became of an idempotency key.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Key {
    /// What it made; none if the create was refused.
    pub made: Option<u64>,
    /// When it was used.
    pub at: i64,
}

/// What a look at the idempotency key says.
pub(super) enum Replay {
    /// A first use: go on.
    First,
    /// Answer with this object and do nothing.
    Original(u64),
}

/// A field's text.
pub(super) fn text<'a>(fields: &'a Map<String, Value>, name: &str) -> &'a str {
    fields.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// Whether a flag is set.
pub(super) fn flag(fields: &Map<String, Value>, name: &str) -> bool {
    fields.get(name) == Some(&json!(true))
}

/// Refuses if a required field is absent or an empty text.
pub(super) fn require(fields: &Map<String, Value>, names: &[&str]) -> Result<(), Refusal> {
    match names.iter().find(|name| !fields.contains_key(**name)) {
        Some(name) => Err(missing(name)),
        None => Ok(()),
    }
}

impl Sandbox {
    /// Refuses names in a body that its table does not know, if the knob says so.
    pub(super) fn check_unknown(
        &self,
        advertiser_id: &str,
        unknown: &[String],
    ) -> Result<(), Refusal> {
        match unknown.first() {
            Some(name)
                if self
                    .knobs
                    .is(&knobs::UNKNOWN_FIELDS, advertiser_id, "refuse") =>
            {
                Err(Refusal::parameter(format!("{name}: Unknown field.")))
            }
            _ => Ok(()),
        }
    }

    /// 40118 for what the advertiser is not allow-listed for.
    pub(super) fn check_allowlist(
        &self,
        advertiser_id: &str,
        feature: &str,
        what: &str,
    ) -> Result<(), Refusal> {
        if self.knobs.allowlisted(advertiser_id, feature) {
            Ok(())
        } else {
            Err(Refusal::new(
                NOT_ALLOWLISTED,
                format!("The advertiser is not on the allowlist for {what}."),
            ))
        }
    }

    /// Refuses writes on an account in trouble, if the knob says so.
    pub(super) fn check_account_writes(
        &self,
        advertiser_id: &str,
        advertiser: &Advertiser,
    ) -> Result<(), Refusal> {
        if advertiser.status != "STATUS_ENABLE"
            && !advertiser.in_review()
            && self
                .knobs
                .is(&knobs::LIMITED_ACCOUNT_WRITES, advertiser_id, "refuse")
        {
            return Err(Refusal::parameter(format!(
                "The ad account's status {} does not allow this.",
                advertiser.status
            )));
        }
        Ok(())
    }

    fn key_name(
        &self,
        advertiser_id: &str,
        (level, tree): (Level, Tree),
        request_id: &str,
    ) -> String {
        match self.knobs.text(&knobs::REQUEST_ID_SCOPE, advertiser_id) {
            "endpoint" => format!(
                "{advertiser_id}/{}/{}/{request_id}",
                tree.name(),
                level.wire()
            ),
            "tree" => format!("{advertiser_id}/{}/{request_id}", tree.name()),
            _ => format!("{advertiser_id}/{request_id}"),
        }
    }

    /// Looks at the idempotency key of a create.
    pub(super) fn check_replay(
        &self,
        at: i64,
        advertiser_id: &str,
        kind: (Level, Tree),
        request_id: Option<&str>,
    ) -> Result<Replay, Refusal> {
        let Some(key) =
            request_id.and_then(|id| self.keys.get(&self.key_name(advertiser_id, kind, id)))
        else {
            return Ok(Replay::First);
        };
        if at - key.at >= self.knobs.ms(&knobs::REQUEST_ID_LIFETIME, advertiser_id) {
            return Ok(Replay::First);
        }
        // What the key made at another endpoint cannot be this one's answer.
        let original = key
            .made
            .and_then(|id| self.row(advertiser_id, kind.0, id))
            .filter(|row| row.tree == kind.1);
        if original.is_some_and(|row| row.deleted)
            && self
                .knobs
                .is(&knobs::REQUEST_ID_OF_DELETED, advertiser_id, "create")
        {
            return Ok(Replay::First);
        }
        match (
            self.knobs.text(&knobs::REQUEST_ID_REPLAY, advertiser_id),
            original,
        ) {
            ("original", Some(row)) => Ok(Replay::Original(row.id)),
            (code, _) => Err(Refusal::new(
                code.parse().unwrap_or(40_050),
                "Duplicated request: this request_id has been used.",
            )),
        }
    }

    /// Remembers what became of a key. A refused create uses its key only if the knob says so.
    pub(super) fn use_key(
        &mut self,
        at: i64,
        advertiser_id: &str,
        kind: (Level, Tree),
        request_id: Option<&str>,
        made: Option<u64>,
    ) {
        let Some(id) = request_id else { return };
        if made.is_none()
            && self
                .knobs
                .is(&knobs::REQUEST_ID_AFTER_REFUSAL, advertiser_id, "free")
        {
            return;
        }
        let name = self.key_name(advertiser_id, kind, id);
        self.keys.insert(name, Key { made, at });
    }

    /// The name: its form, and that it is free unless a key permits duplicates.
    pub(super) fn check_new_name(
        &self,
        advertiser_id: &str,
        kind: (Level, Tree),
        fields: &Map<String, Value>,
        parent: Option<u64>,
        has_key: bool,
    ) -> Result<(), Refusal> {
        let name = text(fields, kind.0.name_field());
        names::check(kind.0, name)?;
        let duplicates = has_key
            && self
                .knobs
                .is(&knobs::REQUEST_ID_DUPLICATE_NAMES, advertiser_id, "true");
        if duplicates || self.knobs.is(&knobs::NAME_UNIQUE, advertiser_id, "off") {
            return Ok(());
        }
        self.check_name_free(advertiser_id, kind, name, parent, None)
    }

    /// The budget of a create; puts the value that counts into the fields.
    pub(super) fn check_new_budget(
        &self,
        at: i64,
        advertiser_id: &str,
        advertiser: &Advertiser,
        fields: &mut Map<String, Value>,
    ) -> Result<(), Refusal> {
        if text(fields, "budget_mode") == "BUDGET_MODE_INFINITE" {
            fields.insert("budget".into(), json!(0.0));
            return Ok(());
        }
        let wanted = fields
            .get("budget")
            .and_then(Value::as_f64)
            .ok_or_else(|| missing("budget"))?;
        let store = text(fields, "objective_type") == "PRODUCT_SALES"
            && text(fields, "campaign_product_source") == "STORE";
        let floor = Floor::of_campaign(store);
        if let Verdict::Set(value) =
            self.check_budget(at, advertiser_id, advertiser, wanted, &floor, None)?
        {
            fields.insert("budget".into(), json!(value));
        }
        Ok(())
    }

    /// The rules of iOS 14 dedicated campaigns, and the postback window that a disabled one starts with.
    pub(super) fn check_dedicated(
        &self,
        at: i64,
        advertiser_id: &str,
        fields: &mut Map<String, Value>,
    ) -> Result<(), Refusal> {
        let disabled = text(fields, "operation_status") == "DISABLE";
        if text(fields, "campaign_type") != "IOS14_CAMPAIGN" {
            if fields.remove("postback_window_mode").is_some()
                && self
                    .knobs
                    .is(&knobs::POSTBACK_ON_REGULAR, advertiser_id, "refuse")
            {
                return Err(Refusal::parameter(
                    "postback_window_mode is only supported for Dedicated Campaigns.",
                ));
            }
            if text(fields, "campaign_app_profile_page_state") == "ON" {
                return Err(Refusal::parameter(
                    "campaign_app_profile_page_state is only supported for Dedicated Campaigns.",
                ));
            }
            // The official client sends `true` with every Smart+ campaign.
            fields.remove("is_advanced_dedicated_campaign");
            fields.remove("disable_skan_campaign");
            return Ok(());
        }
        let app_sales = text(fields, "objective_type") == "WEB_CONVERSIONS"
            && text(fields, "sales_destination") == "APP";
        if text(fields, "objective_type") != "APP_PROMOTION" && !app_sales {
            return Err(Refusal::parameter(
                "campaign_type IOS14_CAMPAIGN is not supported for this objective_type.",
            ));
        }
        let app_id = fields
            .get("app_id")
            .and_then(Value::as_str)
            .ok_or_else(|| missing("app_id"))?
            .to_owned();
        let skan_off = flag(fields, "disable_skan_campaign");
        if skan_off {
            self.check_allowlist(advertiser_id, "DISABLE_SKAN", "disabling SKAN attribution")?;
        }
        let quota = self.knobs.whole(&knobs::DEDICATED_QUOTA, advertiser_id);
        if !skan_off && self.dedicated_in_use(at, advertiser_id, &app_id) >= quota {
            return Err(Refusal::parameter(
                "The Dedicated Campaign quota of this app has been reached.",
            ));
        }
        let skan4 = self.knobs.is(&knobs::SKAN4, advertiser_id, "true");
        if !skan4 && fields.contains_key("postback_window_mode") {
            return Err(Refusal::parameter(
                "postback_window_mode is not supported: SKAN 4.0 is not enabled for the app.",
            ));
        }
        let keeps_default =
            self.knobs
                .is(&knobs::DEDICATED_CREATED_DISABLED, advertiser_id, "mode1");
        if !disabled {
            fields.remove("postback_window_mode");
        } else if skan4 && keeps_default && !fields.contains_key("postback_window_mode") {
            fields.insert(
                "postback_window_mode".into(),
                json!("POSTBACK_WINDOW_MODE1"),
            );
        }
        Ok(())
    }

    /// Dedicated campaigns of an app that hold quota: not deleted or disabled, or still waiting for release.
    fn dedicated_in_use(&self, at: i64, advertiser_id: &str, app_id: &str) -> i64 {
        let count = self
            .rows(advertiser_id, Level::Campaign)
            .filter(|row| {
                row.is_dedicated()
                    && row.text("app_id") == app_id
                    && !flag(&row.fields, "disable_skan_campaign")
            })
            .filter(|row| {
                row.is_on()
                    || (!row.deleted && !row.was_on)
                    || row.quota_until.is_some_and(|until| until > at)
            })
            .count();
        i64::try_from(count).unwrap_or(i64::MAX)
    }

    /// Stores a new object and returns its id.
    pub(super) fn insert(
        &mut self,
        at: i64,
        advertiser_id: &str,
        kind: (Level, Tree),
        mut fields: Map<String, Value>,
        parent: Option<&Item>,
        request_id: Option<String>,
    ) -> u64 {
        let parents = parent.map(|parent| match parent.level {
            Level::Campaign => (Some(parent.id), None),
            _ => (parent.campaign, Some(parent.id)),
        });
        let id = self.next_object_id();
        // Derived when a row is read, or never stored.
        for name in [
            "advertiser_id",
            "campaign_id",
            "adgroup_id",
            "request_id",
            "plugin_partner",
            "internal_channel",
            "open_api_partner",
        ] {
            fields.remove(name);
        }
        let mut row = Item::new(id, kind, at, fields, request_id);
        (row.campaign, row.ad_group) = parents.unwrap_or_default();
        self.items
            .entry(advertiser_id.into())
            .or_default()
            .insert(row);
        id
    }
}

/// How long a paused dedicated campaign holds its quota.
pub(super) fn quota_hold_ms(postback_window_mode: &str) -> i64 {
    match postback_window_mode {
        "POSTBACK_WINDOW_MODE1" => 4 * DAY_MS,
        "POSTBACK_WINDOW_MODE2" => 13 * DAY_MS,
        "POSTBACK_WINDOW_MODE3" => 41 * DAY_MS,
        _ => 3 * DAY_MS,
    }
}
