//! Every call we make, as a value, and its form on the wire.

use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::create::create_body;
use super::money::Cents;
use super::wire::{Method, WireRequest};

/// The two families of endpoints: `/campaign/…` and `/smart_plus/campaign/…`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub enum Tree {
    Manual,
    SmartPlus,
}

/// What a status call asks for. `Delete` is final: TikTok never changes a deleted object again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub enum OperationStatus {
    Enable,
    Disable,
    Delete,
}

impl OperationStatus {
    pub(super) fn wire(self) -> &'static str {
        match self {
            OperationStatus::Enable => "ENABLE",
            OperationStatus::Disable => "DISABLE",
            OperationStatus::Delete => "DELETE",
        }
    }
}

/// One call. Ids are TikTok's decimal strings; money is in the account's currency.
#[derive(Clone, Debug)]
pub enum Call {
    /// `GET /advertiser/info/`: currency, time zone and status of up to 100 accounts.
    AdvertiserInfo { advertiser_ids: Vec<String> },
    /// `GET /oauth2/advertiser/get/`: the accounts that the token was granted. The app secret goes into the query.
    GrantedAdvertisers {
        app_id: String,
        secret: SecretString,
    },
    /// `GET …/campaign/get/`: one page, newest first. `page` from 1, `page_size` 1–1000.
    ListCampaigns {
        advertiser: String,
        tree: Tree,
        filter: CampaignFilter,
        page: u32,
        page_size: u32,
    },
    /// `POST …/campaign/create/`, always disabled.
    CreateCampaign {
        advertiser: String,
        tree: Tree,
        campaign: NewCampaign,
    },
    /// `POST …/campaign/update/`: incremental, sends the changed fields only.
    UpdateCampaign {
        advertiser: String,
        tree: Tree,
        id: String,
        changes: CampaignChanges,
    },
    /// `POST …/campaign/status/update/` for 1–20 ids. `postback_window_mode` is for pausing iOS 14 dedicated
    /// campaigns; TikTok refuses it with any other status, so it is sent with [`OperationStatus::Disable`] only.
    SetCampaignStatus {
        advertiser: String,
        tree: Tree,
        ids: Vec<String>,
        status: OperationStatus,
        postback_window_mode: Option<String>,
    },
}

/// Which campaigns a list shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CampaignFilter {
    /// Up to 100.
    pub ids: Vec<String>,
    /// TikTok matches fuzzily: the caller compares names exactly.
    pub name: Option<String>,
    /// Widened on the wire by up to two seconds, like `created_to`: rows a little outside may come back.
    pub created_from: Option<Timestamp>,
    pub created_to: Option<Timestamp>,
    /// `primary_status: STATUS_ALL`; else TikTok hides deleted campaigns.
    pub include_deleted: bool,
    /// Also campaigns made by TikTok's Promote (manual tree only; the Smart+ list has no such filter).
    pub all_origins: bool,
}

/// A campaign to be created. What would spend, widen or publish is not asked for here but decided in `create.rs`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewCampaign {
    /// Up to 512 characters, no emoji.
    pub name: String,
    /// The idempotency key: a 64-bit integer as decimal text. With it TikTok permits duplicate names.
    pub request_id: String,
    pub objective: String,
    pub budget_mode: Option<String>,
    pub budget: Option<Cents>,
    /// Campaign budget optimisation: the campaign's budget is shared by its ad groups.
    pub budget_optimize_on: bool,
    pub campaign_type: Option<String>,
    pub app_promotion_type: Option<String>,
    pub app_id: Option<String>,
    pub special_industries: Vec<String>,
    pub sales_destination: Option<String>,
    pub catalog_enabled: Option<bool>,
    /// Smart+ only.
    pub catalog_type: Option<String>,
    pub po_number: Option<String>,
    /// iOS 14 dedicated campaigns only: TikTok fixes the window of one that is created disabled at this, or at mode 1
    /// when nothing is said.
    pub postback_window_mode: Option<String>,
}

/// The changed fields of a campaign; nothing else of a campaign can be changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CampaignChanges {
    pub name: Option<String>,
    /// At least 105 % of what is already spent.
    pub budget: Option<Cents>,
    /// Manual tree only: the Smart+ update has no such field and it is not sent there. TikTok lets it be emptied,
    /// not switched on or changed.
    pub special_industries: Option<Vec<String>>,
    pub po_number: Option<String>,
}

impl Call {
    /// The path on the wire, with version and trailing slash. Limits count per path.
    pub fn path(&self) -> &'static str {
        match self {
            Call::AdvertiserInfo { .. } => "/open_api/v1.3/advertiser/info/",
            Call::GrantedAdvertisers { .. } => "/open_api/v1.3/oauth2/advertiser/get/",
            Call::ListCampaigns {
                tree: Tree::Manual, ..
            } => "/open_api/v1.3/campaign/get/",
            Call::ListCampaigns {
                tree: Tree::SmartPlus,
                ..
            } => "/open_api/v1.3/smart_plus/campaign/get/",
            Call::CreateCampaign {
                tree: Tree::Manual, ..
            } => "/open_api/v1.3/campaign/create/",
            Call::CreateCampaign {
                tree: Tree::SmartPlus,
                ..
            } => "/open_api/v1.3/smart_plus/campaign/create/",
            Call::UpdateCampaign {
                tree: Tree::Manual, ..
            } => "/open_api/v1.3/campaign/update/",
            Call::UpdateCampaign {
                tree: Tree::SmartPlus,
                ..
            } => "/open_api/v1.3/smart_plus/campaign/update/",
            Call::SetCampaignStatus {
                tree: Tree::Manual, ..
            } => "/open_api/v1.3/campaign/status/update/",
            Call::SetCampaignStatus {
                tree: Tree::SmartPlus,
                ..
            } => "/open_api/v1.3/smart_plus/campaign/status/update/",
        }
    }

    /// Whether it can change something on the platform.
    pub fn is_write(&self) -> bool {
        match self {
            Call::AdvertiserInfo { .. }
            | Call::GrantedAdvertisers { .. }
            | Call::ListCampaigns { .. } => false,
            Call::CreateCampaign { .. }
            | Call::UpdateCampaign { .. }
            | Call::SetCampaignStatus { .. } => true,
        }
    }

    /// The label in metrics, logs and errors, without the tree.
    pub fn name(&self) -> &'static str {
        match self {
            Call::AdvertiserInfo { .. } => "AdvertiserInfo",
            Call::GrantedAdvertisers { .. } => "GrantedAdvertisers",
            Call::ListCampaigns { .. } => "ListCampaigns",
            Call::CreateCampaign { .. } => "CreateCampaign",
            Call::UpdateCampaign { .. } => "UpdateCampaign",
            Call::SetCampaignStatus { .. } => "SetCampaignStatus",
        }
    }

    /// The request as it goes over the wire.
    pub fn request(&self, token: Option<&SecretString>) -> WireRequest {
        let (query, body) = match self {
            Call::AdvertiserInfo { advertiser_ids } => (
                vec![("advertiser_ids", json_text(&json!(advertiser_ids)))],
                None,
            ),
            Call::GrantedAdvertisers { app_id, secret } => (
                vec![
                    ("app_id", app_id.clone()),
                    ("secret", secret.expose_secret().to_owned()),
                ],
                None,
            ),
            Call::ListCampaigns {
                advertiser,
                tree,
                filter,
                page,
                page_size,
            } => {
                let mut query = vec![("advertiser_id", advertiser.clone())];
                let filtering = filter.wire(*tree);
                if !filtering.is_empty() {
                    query.push(("filtering", json_text(&Value::Object(filtering))));
                }
                query.push(("page", page.to_string()));
                query.push(("page_size", page_size.to_string()));
                (query, None)
            }
            Call::CreateCampaign {
                advertiser,
                tree,
                campaign,
            } => (Vec::new(), Some(create_body(advertiser, *tree, campaign))),
            Call::UpdateCampaign {
                advertiser,
                tree,
                id,
                changes,
            } => (
                Vec::new(),
                Some(update_body(advertiser, *tree, id, changes)),
            ),
            Call::SetCampaignStatus {
                advertiser,
                ids,
                status,
                postback_window_mode,
                ..
            } => {
                let mut body = json!({
                    "advertiser_id": advertiser,
                    "campaign_ids": ids,
                    "operation_status": status.wire(),
                });
                if let (OperationStatus::Disable, Some(mode)) = (status, postback_window_mode) {
                    body["postback_window_mode"] = json!(mode);
                }
                (Vec::new(), Some(body))
            }
        };
        let method = if body.is_some() {
            Method::Post
        } else {
            Method::Get
        };
        WireRequest {
            method,
            path: self.path(),
            query,
            body,
            token: token.cloned(),
        }
    }
}

impl CampaignFilter {
    fn wire(&self, tree: Tree) -> Map<String, Value> {
        let mut filtering = Map::new();
        if !self.ids.is_empty() {
            filtering.insert("campaign_ids".into(), json!(self.ids));
        }
        if let Some(name) = &self.name {
            filtering.insert("campaign_name".into(), json!(name));
        }
        // The ends are widened to whole seconds and by one more: TikTok says "after" and "before", and to miss a row
        // that was created at the very second would cost a twin.
        let second = SignedDuration::from_secs(1);
        if let Some(from) = self.created_from {
            let from = from.checked_sub(second).unwrap_or(from);
            filtering.insert("creation_filter_start_time".into(), json!(wire_time(from)));
        }
        if let Some(to) = self.created_to {
            let to = to.checked_add(second + second).unwrap_or(to);
            filtering.insert("creation_filter_end_time".into(), json!(wire_time(to)));
        }
        if self.include_deleted {
            filtering.insert("primary_status".into(), json!("STATUS_ALL"));
        }
        if self.all_origins && tree == Tree::Manual {
            filtering.insert(
                "campaign_system_origins".into(),
                json!(["TT_ADS_PLATFORM", "PROMOTE"]),
            );
        }
        filtering
    }
}

/// `YYYY-MM-DD HH:MM:SS` in UTC, whole seconds rounded down.
pub(super) fn wire_time(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

fn update_body(advertiser: &str, tree: Tree, id: &str, changes: &CampaignChanges) -> Value {
    let mut body = json!({ "advertiser_id": advertiser, "campaign_id": id });
    if let Some(name) = &changes.name {
        body["campaign_name"] = json!(name);
    }
    if let Some(budget) = changes.budget {
        body["budget"] = json!(budget);
    }
    if let (Tree::Manual, Some(industries)) = (tree, &changes.special_industries) {
        body["special_industries"] = json!(industries);
    }
    if let Some(po_number) = &changes.po_number {
        body["po_number"] = json!(po_number);
    }
    body
}

fn json_text(value: &Value) -> String {
    value.to_string()
}
