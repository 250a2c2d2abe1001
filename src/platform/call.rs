//! Every call we make, as a value, and its form on the wire.

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use super::access::{ASSETS, PIXELS};
use super::changes::{Changes, NewObject};
use super::filter::Filter;
use super::kind::{Kind, Tree};
use super::oauth::{self, OauthDialect};
use super::subscription::{self, CallbackUrl, SubscriptionEntity};
use super::table::table;

/// [`Call::name`] of the two calls whose lost answer takes a token with it.
pub(super) const EXCHANGE: &str = "Exchange";
pub(super) const REFRESH: &str = "Refresh";

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
    /// `POST /oauth2/access_token/`: makes an access token of the code that TikTok's page sent back. A code works once: if
    /// the answer is lost ([`ErrorClass::Ambiguous`]), the token it made is lost too.
    ///
    /// [`ErrorClass::Ambiguous`]: super::ErrorClass::Ambiguous
    Exchange {
        app_id: String,
        secret: SecretString,
        code: SecretString,
        dialect: &'static OauthDialect,
    },
    /// `POST` to the dialect's refresh path: makes a new access token, and mostly a new refresh token, of a refresh token.
    /// If the answer is lost ([`ErrorClass::Ambiguous`]), TikTok may have changed the pair.
    ///
    /// [`ErrorClass::Ambiguous`]: super::ErrorClass::Ambiguous
    Refresh {
        app_id: String,
        secret: SecretString,
        refresh_token: SecretString,
        dialect: &'static OauthDialect,
    },
    /// `POST /oauth2/revoke_token/`: ends an access token. `TokenInvalid` and `TokenExpired` say that it had ended before.
    Revoke {
        app_id: String,
        secret: SecretString,
        access_token: SecretString,
    },
    /// `GET /bc/asset/get/`: the roles of the token's user in the ad accounts of a Business Center, 50 a page (R26).
    /// `page` from 1.
    UserRoles { bc: String, page: u32 },
    /// `GET /pixel/list/`: the pixel with this id, if the ad account has it.
    Pixels {
        advertiser: String,
        pixel_id: String,
    },
    /// `GET /subscription/get/`: all subscriptions of the developer app, also those of others who use it, 1000 a page.
    /// `page` from 1. The app secret goes into the query.
    Subscriptions {
        app_id: String,
        secret: SecretString,
        page: u32,
    },
    /// `POST /subscription/subscribe/`: events about `entity` are sent to the address for as long as the token lives. Not
    /// idempotent: two subscriptions to the same deliver everything twice.
    Subscribe {
        app_id: String,
        secret: SecretString,
        entity: SubscriptionEntity,
        callback_url: CallbackUrl,
        access_token: SecretString,
    },
    /// `POST /subscription/unsubscribe/`.
    Unsubscribe {
        app_id: String,
        secret: SecretString,
        subscription_id: String,
    },
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
            Call::Exchange { .. } => oauth::EXCHANGE,
            Call::Refresh { dialect, .. } => dialect.refresh_path(),
            Call::Revoke { .. } => oauth::REVOKE,
            Call::UserRoles { .. } => ASSETS,
            Call::Pixels { .. } => PIXELS,
            Call::Subscriptions { .. } => subscription::LIST,
            Call::Subscribe { .. } => subscription::SUBSCRIBE,
            Call::Unsubscribe { .. } => subscription::UNSUBSCRIBE,
        }
    }

    /// Whether it can change something on the platform.
    pub fn is_write(&self) -> bool {
        match self {
            Call::AdvertiserInfo { .. }
            | Call::GrantedAdvertisers { .. }
            | Call::List { .. }
            | Call::Reviews { .. }
            | Call::UserRoles { .. }
            | Call::Pixels { .. }
            | Call::Subscriptions { .. } => false,
            Call::Create { .. }
            | Call::Update { .. }
            | Call::SetStatus { .. }
            | Call::SetCreativeStatus { .. }
            | Call::Appeal { .. }
            | Call::Exchange { .. }
            | Call::Refresh { .. }
            | Call::Revoke { .. }
            | Call::Subscribe { .. }
            | Call::Unsubscribe { .. } => true,
        }
    }

    /// Whether the access token goes along in the header. Calls that name the app instead carry what they need in the
    /// body or the query, and a dead token in the header could have them refused.
    pub fn sends_token(&self) -> bool {
        !matches!(
            self,
            Call::Exchange { .. }
                | Call::Refresh { .. }
                | Call::Revoke { .. }
                | Call::Subscriptions { .. }
                | Call::Subscribe { .. }
                | Call::Unsubscribe { .. }
        )
    }

    /// Whether it shows the app's secret, so that a good answer proves that id and secret belong together.
    pub fn shows_app_secret(&self) -> bool {
        matches!(
            self,
            Call::GrantedAdvertisers { .. }
                | Call::Exchange { .. }
                | Call::Refresh { .. }
                | Call::Revoke { .. }
                | Call::Subscriptions { .. }
                | Call::Subscribe { .. }
                | Call::Unsubscribe { .. }
        )
    }

    /// What of it must not come back in a message (R25). The token of the header is known to
    /// who sends the call, and said to `read_as`.
    pub(super) fn secrets(&self) -> Vec<&str> {
        match self {
            Call::GrantedAdvertisers { secret, .. }
            | Call::Subscriptions { secret, .. }
            | Call::Unsubscribe { secret, .. } => vec![secret.expose_secret()],
            Call::Exchange { secret, code, .. } => {
                vec![secret.expose_secret(), code.expose_secret()]
            }
            Call::Refresh {
                secret,
                refresh_token,
                ..
            } => vec![secret.expose_secret(), refresh_token.expose_secret()],
            Call::Revoke {
                secret,
                access_token,
                ..
            } => vec![secret.expose_secret(), access_token.expose_secret()],
            Call::Subscribe {
                secret,
                callback_url,
                access_token,
                ..
            } => vec![
                secret.expose_secret(),
                callback_url.expose(),
                callback_url.last_part(),
                access_token.expose_secret(),
            ],
            Call::AdvertiserInfo { .. }
            | Call::List { .. }
            | Call::Create { .. }
            | Call::Update { .. }
            | Call::SetStatus { .. }
            | Call::SetCreativeStatus { .. }
            | Call::Appeal { .. }
            | Call::Reviews { .. }
            | Call::UserRoles { .. }
            | Call::Pixels { .. } => Vec::new(),
        }
    }

    /// The kind of object that it is about, and its tree.
    pub(super) fn object(&self) -> Option<(Kind, Tree)> {
        match self {
            Call::AdvertiserInfo { .. }
            | Call::GrantedAdvertisers { .. }
            | Call::Exchange { .. }
            | Call::Refresh { .. }
            | Call::Revoke { .. }
            | Call::UserRoles { .. }
            | Call::Pixels { .. }
            | Call::Subscriptions { .. }
            | Call::Subscribe { .. }
            | Call::Unsubscribe { .. } => None,
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
            Call::Exchange { .. } => EXCHANGE,
            Call::Refresh { .. } => REFRESH,
            Call::Revoke { .. } => "Revoke",
            Call::UserRoles { .. } => "UserRoles",
            Call::Pixels { .. } => "Pixels",
            Call::Subscriptions { .. } => "Subscriptions",
            Call::Subscribe { .. } => "Subscribe",
            Call::Unsubscribe { .. } => "Unsubscribe",
        }
    }
}
