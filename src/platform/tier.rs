//! How many calls TikTok allows a developer app.

use std::str::FromStr;

use super::window::Limits;

/// The developer app's level at TikTok, which fixes how many calls it may make. Basic is what every app starts with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Tier {
    #[default]
    Basic,
    Advanced,
    Premium,
    Ultimate,
}

impl Tier {
    /// TikTok's table of rate limits, per developer app.
    pub(super) fn limits(self) -> Limits {
        match self {
            Tier::Basic => Limits {
                second: 10,
                minute: 600,
                day: 864_000,
            },
            Tier::Advanced => Limits {
                second: 20,
                minute: 1_200,
                day: 1_728_000,
            },
            Tier::Premium => Limits {
                second: 30,
                minute: 1_800,
                day: 2_592_000,
            },
            Tier::Ultimate => Limits {
                second: 50,
                minute: 3_000,
                day: 4_320_000,
            },
        }
    }

    /// The limit that a path has beside the app's (reference 1.5): of the calls we make, only the creation of manual ads.
    pub(super) fn path_limits(self, path: &str) -> Option<Limits> {
        if path != "/open_api/v1.3/ad/create/" {
            return None;
        }
        let (second, minute) = match self {
            Tier::Basic => (5, 150),
            Tier::Advanced => (10, 200),
            Tier::Premium => (10, 300),
            Tier::Ultimate => (15, 300),
        };
        Some(Limits {
            second,
            minute,
            day: 86_400,
        })
    }

    /// Calls per minute of one app.
    pub fn per_minute(self) -> u32 {
        self.limits().minute
    }
}

/// Not the name of a tier.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "no such tier: use Basic, Advanced, Premium or Ultimate, as TikTok's developer portal shows it for the app"
)]
pub struct TierError;

impl FromStr for Tier {
    type Err = TierError;

    fn from_str(text: &str) -> Result<Tier, TierError> {
        [Tier::Basic, Tier::Advanced, Tier::Premium, Tier::Ultimate]
            .into_iter()
            .find(|tier| format!("{tier:?}").eq_ignore_ascii_case(text))
            .ok_or(TierError)
    }
}
