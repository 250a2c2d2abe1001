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

    /// The field of a spec that names what the object is in: for what is in the ad account itself, the connection.
    pub fn reference(self) -> &'static str {
        match self {
            Self::Campaign => "connectionRef",
            Self::AdGroup => "campaignRef",
            Self::Ad => "adGroupRef",
        }
    }

    /// The trees that have it.
    pub fn trees(self) -> &'static [Tree] {
        match self {
            Self::Campaign | Self::AdGroup | Self::Ad => &Tree::ALL,
        }
    }

    /// The kinds that are in the ad account itself.
    pub fn tops() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(|kind| kind.parent().is_none())
    }

    /// The kind at the top of what it is in: a campaign is its own.
    pub fn top(self) -> Self {
        self.parent().map_or(self, Self::top)
    }

    /// It in each of its trees: each has a list of its own.
    pub fn in_trees(self) -> impl Iterator<Item = (Self, Tree)> {
        self.trees().iter().map(move |tree| (self, *tree))
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

#[cfg(test)]
mod tests {
    use super::*;

    /// serde names all variants of an enum when it refuses one: the compiler does not look after `ALL`.
    fn variants<T: serde::de::DeserializeOwned>() -> usize {
        let refused = serde_json::from_str::<T>("\"none\"").err().unwrap();
        refused.to_string().matches('`').count() / 2 - 1
    }

    #[test]
    fn all_are_all() {
        assert_eq!(Kind::ALL.len(), variants::<Kind>());
        assert_eq!(Tree::ALL.len(), variants::<Tree>());
    }

    #[test]
    fn parents_come_before_what_is_in_them() {
        for (at, kind) in Kind::ALL.into_iter().enumerate() {
            if let Some(parent) = kind.parent() {
                assert!(Kind::ALL[..at].contains(&parent), "{kind}");
                let has = |tree| parent.trees().contains(tree);
                assert!(kind.trees().iter().all(has), "{kind}");
            }
            assert!(Kind::tops().any(|top| top == kind.top()), "{kind}");
        }
    }
}
