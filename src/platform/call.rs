//! Every call we make, as a value, and its form on the wire.

use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::bodies;
use super::field::Fields;
use super::kind::{Kind, Tree};
use super::money::Cents;
use super::table::table;
use super::wire::{Method, WireRequest};

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
    /// `GET …/get/`: one page, newest first. `page` from 1, `page_size` 1–1000 (Smart+ ads: 100).
    List {
        advertiser: String,
        kind: Kind,
        tree: Tree,
        filter: Filter,
        page: u32,
        page_size: u32,
    },
    /// `POST …/create/`, always disabled. Several objects only where [`create_batch`](super::create_batch) allows it,
    /// and then all in one parent.
    Create {
        advertiser: String,
        kind: Kind,
        tree: Tree,
        objects: Vec<NewObject>,
    },
    /// `POST …/update/` of one object.
    Update {
        advertiser: String,
        kind: Kind,
        tree: Tree,
        id: String,
        changes: Changes,
    },
    /// `POST …/status/update/` for 1–20 ids.
    SetStatus {
        advertiser: String,
        kind: Kind,
        tree: Tree,
        ids: Vec<String>,
        status: OperationStatus,
        /// For pausing iOS 14 dedicated campaigns; TikTok refuses it with any other status, so it is sent with
        /// [`OperationStatus::Disable`] only.
        postback_window_mode: Option<String>,
        /// The ids are of ads whose creatives TikTok combines (ACO).
        automated_creative: bool,
    },
    /// `POST /smart_plus/ad/material_status/update/`: switches 1–20 creatives of one Smart+ ad. TikTok takes carousels
    /// that are no posts one at a time.
    SetCreativeStatus {
        advertiser: String,
        ad: String,
        /// The ids that the ad's row has for them, which are not those of the library.
        creatives: Vec<String>,
        status: OperationStatus,
    },
    /// `POST …/appeal/` against the rejection of one ad; TikTok takes one for each rejection. In the manual tree the call is
    /// the ad group's and names the ad beside it.
    Appeal {
        advertiser: String,
        tree: Tree,
        ad: String,
        ad_group: Option<String>,
        /// Up to 512 characters.
        reason: String,
    },
    /// `GET …/ad/review_info/`: up to 20 ads (Smart+: 100).
    Reviews {
        advertiser: String,
        tree: Tree,
        ids: Vec<String>,
    },
}

/// Which objects a list shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Up to 100.
    pub ids: Vec<String>,
    /// Only what is in these campaigns (for ad groups) or ad groups (for ads), up to 100.
    pub parents: Vec<String>,
    /// TikTok matches fuzzily, and Smart+ ads not at all: the caller compares names exactly.
    pub name: Option<String>,
    /// Widened on the wire by up to two seconds, like `created_to`: rows a little outside may come back.
    pub created_from: Option<Timestamp>,
    pub created_to: Option<Timestamp>,
    /// `primary_status: STATUS_ALL`; else TikTok hides what is deleted.
    pub include_deleted: bool,
    /// Also campaigns made by TikTok's Promote (manual campaigns only).
    pub all_origins: bool,
}

/// An object to be created. What would spend, widen or publish is not asked for here but decided by the kind's table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewObject {
    /// The id of what it will be in; `None` for campaigns.
    pub parent: Option<String>,
    /// Up to 512 characters, no emoji.
    pub name: String,
    /// The idempotency key: a 64-bit integer as decimal text. With it TikTok permits duplicate names. Not sent where the
    /// kind takes none.
    pub request_id: String,
    pub budget_mode: Option<String>,
    pub budget: Option<Cents>,
    pub fields: Fields,
}

/// The changed fields of an object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// The id of what the object is in; some calls want it.
    pub parent: Option<String>,
    pub name: Option<String>,
    /// At least 105 % of what is already spent.
    pub budget: Option<Cents>,
    /// Fields by wire name, in canonical form.
    pub fields: Fields,
    /// A replacing call: everything else that goes along, as a fresh row has it. `None`: what is not sent stays.
    pub rest: Option<Box<Rest>>,
}

/// What goes along in a replacing call, so that it stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rest {
    pub name: String,
    pub budget: Option<Cents>,
    pub fields: Fields,
}

impl Changes {
    /// Nothing to send.
    pub fn is_empty(&self) -> bool {
        self.name.is_none() && self.budget.is_none() && self.fields.is_empty()
    }

    /// Wire names of what is changed.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.fields.keys().copied()
    }
}

impl Call {
    /// The path on the wire, with version and trailing slash. Limits count per path.
    pub fn path(&self) -> &'static str {
        match self {
            Call::AdvertiserInfo { .. } => "/open_api/v1.3/advertiser/info/",
            Call::GrantedAdvertisers { .. } => "/open_api/v1.3/oauth2/advertiser/get/",
            Call::List { kind, tree, .. } => table(*kind, *tree).paths.list,
            Call::Create { kind, tree, .. } => table(*kind, *tree).paths.create,
            Call::Update { kind, tree, .. } => table(*kind, *tree).paths.update,
            Call::SetStatus { kind, tree, .. } => table(*kind, *tree).paths.status,
            Call::SetCreativeStatus { .. } => {
                "/open_api/v1.3/smart_plus/ad/material_status/update/"
            }
            Call::Appeal {
                tree: Tree::Manual, ..
            } => "/open_api/v1.3/adgroup/appeal/",
            Call::Appeal {
                tree: Tree::SmartPlus,
                ..
            } => "/open_api/v1.3/smart_plus/ad/appeal/",
            Call::Reviews {
                tree: Tree::Manual, ..
            } => "/open_api/v1.3/ad/review_info/",
            Call::Reviews {
                tree: Tree::SmartPlus,
                ..
            } => "/open_api/v1.3/smart_plus/ad/review_info/",
        }
    }

    /// Whether it can change something on the platform.
    pub fn is_write(&self) -> bool {
        match self {
            Call::AdvertiserInfo { .. }
            | Call::GrantedAdvertisers { .. }
            | Call::List { .. }
            | Call::Reviews { .. } => false,
            Call::Create { .. }
            | Call::Update { .. }
            | Call::SetStatus { .. }
            | Call::SetCreativeStatus { .. }
            | Call::Appeal { .. } => true,
        }
    }

    /// The kind of object that it is about, and its tree.
    pub(super) fn object(&self) -> Option<(Kind, Tree)> {
        match self {
            Call::AdvertiserInfo { .. } | Call::GrantedAdvertisers { .. } => None,
            Call::List { kind, tree, .. }
            | Call::Create { kind, tree, .. }
            | Call::Update { kind, tree, .. }
            | Call::SetStatus { kind, tree, .. } => Some((*kind, *tree)),
            Call::SetCreativeStatus { .. } => Some((Kind::Ad, Tree::SmartPlus)),
            Call::Appeal { tree, .. } | Call::Reviews { tree, .. } => Some((Kind::Ad, *tree)),
        }
    }

    /// The label in metrics, logs and errors, without the tree.
    pub fn name(&self) -> &'static str {
        use Kind::{Ad, AdGroup, Campaign};
        match self {
            Call::AdvertiserInfo { .. } => "AdvertiserInfo",
            Call::GrantedAdvertisers { .. } => "GrantedAdvertisers",
            Call::List { kind: Campaign, .. } => "ListCampaigns",
            Call::List { kind: AdGroup, .. } => "ListAdGroups",
            Call::List { kind: Ad, .. } => "ListAds",
            Call::Create { kind: Campaign, .. } => "CreateCampaign",
            Call::Create { kind: AdGroup, .. } => "CreateAdGroup",
            Call::Create { kind: Ad, .. } => "CreateAds",
            Call::Update { kind: Campaign, .. } => "UpdateCampaign",
            Call::Update { kind: AdGroup, .. } => "UpdateAdGroup",
            Call::Update { kind: Ad, .. } => "UpdateAd",
            Call::SetStatus { kind: Campaign, .. } => "SetCampaignStatus",
            Call::SetStatus { kind: AdGroup, .. } => "SetAdGroupStatus",
            Call::SetStatus { kind: Ad, .. } => "SetAdStatus",
            Call::SetCreativeStatus { .. } => "SetCreativeStatus",
            Call::Appeal { .. } => "Appeal",
            Call::Reviews { .. } => "Reviews",
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
            Call::List {
                advertiser,
                kind,
                tree,
                filter,
                page,
                page_size,
            } => {
                let mut query = vec![("advertiser_id", advertiser.clone())];
                let filtering = filter.wire(*kind, *tree);
                if !filtering.is_empty() {
                    query.push(("filtering", json_text(&Value::Object(filtering))));
                }
                query.push(("page", page.to_string()));
                query.push(("page_size", page_size.to_string()));
                (query, None)
            }
            Call::Create {
                advertiser,
                kind,
                tree,
                objects,
            } => (
                Vec::new(),
                Some(bodies::create(advertiser, table(*kind, *tree), objects)),
            ),
            Call::Update {
                advertiser,
                kind,
                tree,
                id,
                changes,
            } => (
                Vec::new(),
                Some(bodies::update(advertiser, *kind, *tree, id, changes)),
            ),
            Call::SetStatus {
                advertiser,
                kind,
                tree,
                ids,
                status,
                postback_window_mode,
                automated_creative,
            } => {
                let mut body = json!({
                    "advertiser_id": advertiser,
                    "operation_status": status.wire(),
                });
                let name = if *automated_creative {
                    "aco_ad_ids"
                } else {
                    table(*kind, *tree).ids
                };
                body[name] = json!(ids);
                if let (OperationStatus::Disable, Some(mode)) = (status, postback_window_mode) {
                    body["postback_window_mode"] = json!(mode);
                }
                // R5: one bad id does not hold the others; only this call has it.
                if (*kind, *tree) == (Kind::AdGroup, Tree::Manual) {
                    body["allow_partial_success"] = json!(true);
                }
                (Vec::new(), Some(body))
            }
            Call::SetCreativeStatus {
                advertiser,
                ad,
                creatives,
                status,
            } => (
                Vec::new(),
                Some(json!({
                    "advertiser_id": advertiser,
                    "smart_plus_ad_id": ad,
                    "ad_material_ids": creatives,
                    "operation_status": status.wire(),
                })),
            ),
            Call::Appeal {
                advertiser,
                tree,
                ad,
                ad_group,
                reason,
            } => {
                let mut body = json!({"advertiser_id": advertiser, "appeal_reason": reason});
                match tree {
                    Tree::Manual => {
                        body["ad_id"] = json!(ad);
                        body["adgroup_id"] = json!(ad_group);
                    }
                    Tree::SmartPlus => body["smart_plus_ad_id"] = json!(ad),
                }
                (Vec::new(), Some(body))
            }
            Call::Reviews {
                advertiser,
                tree,
                ids,
            } => {
                let mut query = vec![("advertiser_id", advertiser.clone())];
                match tree {
                    Tree::Manual => {
                        query.push(("ad_ids", json_text(&json!(ids))));
                        query.push(("lang", "en".into()));
                    }
                    Tree::SmartPlus => {
                        query.push(("smart_plus_ad_ids", json_text(&json!(ids))));
                        query.push((
                            "extra_info_setting",
                            json_text(&json!({"include_reject_info": true})),
                        ));
                    }
                }
                (query, None)
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

impl Filter {
    fn wire(&self, kind: Kind, tree: Tree) -> Map<String, Value> {
        let table = table(kind, tree);
        let mut filtering = Map::new();
        if !self.ids.is_empty() {
            filtering.insert(table.ids.into(), json!(self.ids));
        }
        if let Some((_, parents)) = table.parent.filter(|_| !self.parents.is_empty()) {
            filtering.insert(parents.into(), json!(self.parents));
        }
        // The list of Smart+ ads has no filter for names.
        let named = self
            .name
            .as_ref()
            .filter(|_| (kind, tree) != (Kind::Ad, Tree::SmartPlus));
        if let Some(name) = named {
            filtering.insert(table.name.into(), json!(name));
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
        if self.all_origins && (kind, tree) == (Kind::Campaign, Tree::Manual) {
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

fn json_text(value: &Value) -> String {
    value.to_string()
}
