//! The kinds of objects that TikTok has and we manage, and its two trees.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A level of TikTok's hierarchy, from the top down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Kind {
    Campaign,
    AdGroup,
    Ad,
}

impl Kind {
    /// All of them, parents first.
    pub const ALL: [Self; 3] = [Self::Campaign, Self::AdGroup, Self::Ad];

    /// The name of the Kubernetes kind.
    pub fn name(self) -> &'static str {
        match self {
            Self::Campaign => "Campaign",
            Self::AdGroup => "AdGroup",
            Self::Ad => "Ad",
        }
    }

    /// What a media buyer calls it within a sentence.
    pub fn noun(self) -> &'static str {
        match self {
            Self::Campaign => "campaign",
            Self::AdGroup => "ad group",
            Self::Ad => "ad",
        }
    }

    /// What it is in; a campaign is in the ad account itself.
    pub fn parent(self) -> Option<Self> {
        match self {
            Self::Campaign => None,
            Self::AdGroup => Some(Self::Campaign),
            Self::Ad => Some(Self::AdGroup),
        }
    }

    /// What TikTok's delivery statuses of this kind begin with: `CAMPAIGN_STATUS_DISABLE`.
    pub(super) fn status_prefix(self) -> &'static str {
        match self {
            Self::Campaign => "CAMPAIGN_STATUS_",
            Self::AdGroup => "ADGROUP_STATUS_",
            Self::Ad => "AD_STATUS_",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The two families of endpoints: `/campaign/…` and `/smart_plus/campaign/…`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub enum Tree {
    Manual,
    SmartPlus,
}

impl Tree {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Manual, Self::SmartPlus];
}
