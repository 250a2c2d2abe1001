//! Our objects as the engine sees them: any kind that stands for something on TikTok, one type.
//!
//! What differs between kinds is reached through [`Spec`]; these matches and the platform's tables are all there is of a
//! kind outside its own files.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde_json::Value;

use super::facts::{Account, ParentObject};
use super::reason::Reason;
use super::wanted::{Wanted, World};
use super::{ad, ad_group, campaign};
use crate::api::ad::{Ad, AdSpec};
use crate::api::ad_group::{AdGroup, AdGroupSpec};
use crate::api::campaign::{Campaign, CampaignSpec};
use crate::api::common::{Adoption, DeletionPolicy, DesiredState, DriftPolicies, Mode};
use crate::api::status::ObjectStatus;
use crate::platform::{Kind, Tree};

/// A Campaign, AdGroup or Ad as the API server has it.
#[derive(Clone, Debug, PartialEq)]
pub struct Object {
    pub metadata: ObjectMeta,
    pub spec: Spec,
    pub status: Option<ObjectStatus>,
}

/// What an object should be, by kind.
#[derive(Clone, Debug, PartialEq)]
pub enum Spec {
    Campaign(Box<CampaignSpec>),
    AdGroup(Box<AdGroupSpec>),
    Ad(Box<AdSpec>),
}

/// What the specs of all kinds have: whose it is and how far the operator may go.
#[derive(Clone, Copy, Debug)]
pub struct Life<'a> {
    pub name: Option<&'a String>,
    pub state: Option<DesiredState>,
    pub deletion_policy: Option<DeletionPolicy>,
    pub mode: Option<Mode>,
    pub external_id: Option<&'a String>,
    pub adoption: Option<Adoption>,
    pub incarnation: Option<i64>,
    pub drift: Option<&'a DriftPolicies>,
}

/// What an object says that it is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Belongs<'a> {
    /// To the ad account of this connection.
    Connection(&'a str),
    /// To another object of ours.
    Object(Kind, &'a str),
}

impl Spec {
    /// Which kind it is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Campaign(_) => Kind::Campaign,
            Self::AdGroup(_) => Kind::AdGroup,
            Self::Ad(_) => Kind::Ad,
        }
    }

    /// What it says that it is in.
    pub fn belongs(&self) -> Belongs<'_> {
        match self {
            Self::Campaign(spec) => Belongs::Connection(&spec.connection_ref.name),
            Self::AdGroup(spec) => Belongs::Object(Kind::Campaign, &spec.campaign_ref.name),
            Self::Ad(spec) => Belongs::Object(Kind::AdGroup, &spec.ad_group_ref.name),
        }
    }

    /// The tree, where the spec itself says it; everything else is in its parent's.
    pub fn own_tree(&self) -> Option<Tree> {
        match self {
            Self::Campaign(spec) => Some(spec.automation.into()),
            Self::AdGroup(_) | Self::Ad(_) => None,
        }
    }

    /// What it asks of the platform.
    pub fn wanted(&self, world: &World) -> Wanted {
        match self {
            Self::Campaign(spec) => campaign::wanted(spec),
            Self::AdGroup(spec) => ad_group::wanted(spec, world),
            Self::Ad(spec) => ad::wanted(spec, world),
        }
    }

    /// What speaks against creating it, whatever is on the platform.
    pub fn may_create(&self, world: &World) -> Result<(), (Reason, String)> {
        match self {
            Self::Campaign(_) => Ok(()),
            Self::AdGroup(spec) => ad_group::may_create(spec, world),
            Self::Ad(spec) => ad::may_create(spec, world),
        }
    }

    /// The currencies that its amounts are said to be in, by the field of each amount.
    pub fn currencies(&self) -> Vec<(&'static str, &String)> {
        let said = match self {
            Self::Campaign(s) => vec![("budget", s.budget.as_ref().map(|b| &b.currency))],
            Self::AdGroup(s) => vec![
                ("budget", s.budget.as_ref().map(|b| &b.currency)),
                ("minBudget", s.min_budget.as_ref().map(|b| &b.currency)),
                ("bid", s.bid.as_ref().map(|b| &b.currency)),
            ],
            Self::Ad(_) => Vec::new(),
        };
        said.into_iter()
            .filter_map(|(field, currency)| Some((field, currency?.as_ref()?)))
            .collect()
    }

    /// R7: which postback window a pause keeps, in TikTok's word.
    pub fn postback_window(&self) -> Option<&'static str> {
        use super::tiktok_names::TikTokName;
        match self {
            Self::Campaign(spec) => spec.postback_window_mode.map(TikTokName::tiktok),
            Self::AdGroup(_) | Self::Ad(_) => None,
        }
    }

    /// What all kinds have.
    pub fn life(&self) -> Life<'_> {
        match self {
            Self::Campaign(s) => Life {
                name: s.name.as_ref(),
                state: s.state,
                deletion_policy: s.deletion_policy,
                mode: s.mode,
                external_id: s.external_id.as_ref(),
                adoption: s.adoption,
                incarnation: s.incarnation,
                drift: s.drift.as_ref(),
            },
            Self::AdGroup(s) => Life {
                name: s.name.as_ref(),
                state: s.state,
                deletion_policy: s.deletion_policy,
                mode: s.mode,
                external_id: s.external_id.as_ref(),
                adoption: s.adoption,
                incarnation: s.incarnation,
                drift: s.drift.as_ref(),
            },
            Self::Ad(s) => Life {
                name: s.name.as_ref(),
                state: s.state,
                deletion_policy: s.deletion_policy,
                mode: s.mode,
                external_id: s.external_id.as_ref(),
                adoption: s.adoption,
                incarnation: s.incarnation,
                drift: s.drift.as_ref(),
            },
        }
    }

    /// The spec as the API server has it.
    pub fn to_value(&self) -> Result<Value, serde_json::Error> {
        match self {
            Self::Campaign(spec) => serde_json::to_value(spec),
            Self::AdGroup(spec) => serde_json::to_value(spec),
            Self::Ad(spec) => serde_json::to_value(spec),
        }
    }

    /// Reads a spec of one kind.
    pub fn from_value(kind: Kind, value: Value) -> Result<Self, serde_json::Error> {
        Ok(match kind {
            Kind::Campaign => Self::Campaign(serde_json::from_value(value)?),
            Kind::AdGroup => Self::AdGroup(serde_json::from_value(value)?),
            Kind::Ad => Self::Ad(serde_json::from_value(value)?),
        })
    }
}

impl Object {
    /// Which kind it is.
    pub fn kind(&self) -> Kind {
        self.spec.kind()
    }

    /// What all kinds have.
    pub fn life(&self) -> Life<'_> {
        self.spec.life()
    }

    /// The name on the platform: `spec.name`, else the object's own.
    pub fn platform_name(&self) -> String {
        match self.life().name {
            Some(name) => name.clone(),
            None => self.metadata.name.clone().unwrap_or_default(),
        }
    }

    /// What it asks of the platform at a time.
    pub fn wanted(
        &self,
        now: jiff::Timestamp,
        tree: Tree,
        account: Option<&Account>,
        parent: Option<&ParentObject>,
    ) -> Wanted {
        self.spec.wanted(&World {
            now,
            tree,
            account,
            parent,
        })
    }
}

impl From<Campaign> for Object {
    fn from(object: Campaign) -> Self {
        Self {
            metadata: object.metadata,
            spec: Spec::Campaign(Box::new(object.spec)),
            status: object.status,
        }
    }
}

impl From<AdGroup> for Object {
    fn from(object: AdGroup) -> Self {
        Self {
            metadata: object.metadata,
            spec: Spec::AdGroup(Box::new(object.spec)),
            status: object.status,
        }
    }
}

impl From<Ad> for Object {
    fn from(object: Ad) -> Self {
        Self {
            metadata: object.metadata,
            spec: Spec::Ad(Box::new(object.spec)),
            status: object.status,
        }
    }
}
