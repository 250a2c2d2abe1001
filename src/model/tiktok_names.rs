//! The words of our API in TikTok's words. The only place that knows both.

mod ad;
mod ad_group;

use crate::api::campaign::{
    AppPromotionType, Automation, BudgetMode, CampaignType, CatalogType, Objective,
    PostbackWindowMode, SalesDestination, SpecialIndustry,
};
use crate::platform::Tree;

/// A user's word that TikTok spells its own way.
pub trait TikTokName {
    /// TikTok's constant (reference 3.1, 5.6).
    fn tiktok(self) -> &'static str;
}

impl TikTokName for Objective {
    fn tiktok(self) -> &'static str {
        match self {
            Self::Reach => "REACH",
            Self::Traffic => "TRAFFIC",
            Self::VideoViews => "VIDEO_VIEWS",
            Self::Engagement => "ENGAGEMENT",
            Self::AppPromotion => "APP_PROMOTION",
            Self::WebConversions => "WEB_CONVERSIONS",
            Self::LeadGeneration => "LEAD_GENERATION",
            Self::ProductSales => "PRODUCT_SALES",
            Self::RfReach => "RF_REACH",
            Self::BrandConsideration => "BRAND_CONSIDERATION",
        }
    }
}

impl TikTokName for BudgetMode {
    fn tiktok(self) -> &'static str {
        match self {
            Self::Infinite => "BUDGET_MODE_INFINITE",
            Self::Total => "BUDGET_MODE_TOTAL",
            Self::Daily => "BUDGET_MODE_DAY",
            Self::DynamicDaily => "BUDGET_MODE_DYNAMIC_DAILY_BUDGET",
        }
    }
}

impl TikTokName for CampaignType {
    fn tiktok(self) -> &'static str {
        match self {
            Self::Regular => "REGULAR_CAMPAIGN",
            Self::Ios14 => "IOS14_CAMPAIGN",
        }
    }
}

impl TikTokName for AppPromotionType {
    fn tiktok(self) -> &'static str {
        match self {
            Self::AppInstall => "APP_INSTALL",
            Self::AppRetargeting => "APP_RETARGETING",
            Self::AppPreregistration => "APP_PREREGISTRATION",
            Self::AppPostsPromotion => "APP_POSTS_PROMOTION",
            Self::Minis => "MINIS",
        }
    }
}

impl TikTokName for SpecialIndustry {
    fn tiktok(self) -> &'static str {
        match self {
            Self::Housing => "HOUSING",
            Self::Employment => "EMPLOYMENT",
            Self::Credit => "CREDIT",
        }
    }
}

impl TikTokName for PostbackWindowMode {
    fn tiktok(self) -> &'static str {
        match self {
            Self::Mode1 => "POSTBACK_WINDOW_MODE1",
            Self::Mode2 => "POSTBACK_WINDOW_MODE2",
            Self::Mode3 => "POSTBACK_WINDOW_MODE3",
        }
    }
}

impl TikTokName for SalesDestination {
    fn tiktok(self) -> &'static str {
        match self {
            Self::TikTokShop => "TIKTOK_SHOP",
            Self::Website => "WEBSITE",
            Self::App => "APP",
            Self::WebAndApp => "WEB_AND_APP",
        }
    }
}

impl TikTokName for CatalogType {
    fn tiktok(self) -> &'static str {
        match self {
            Self::Ecommerce => "ECOM",
            Self::TravelEntertainment => "TRAVEL_ENTERTAINMENT",
            Self::MiniSeries => "MINI_SERIES",
        }
    }
}

impl From<Automation> for Tree {
    fn from(automation: Automation) -> Self {
        match automation {
            Automation::Manual => Self::Manual,
            Automation::SmartPlus => Self::SmartPlus,
        }
    }
}
