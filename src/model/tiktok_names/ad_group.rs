//! The words of an ad group (reference 4.1).

use super::TikTokName;
use crate::api::ad_group::{
    AdGroupBudgetMode, AgeGroup, AttributionCount, AttributionWindow, BehaviorScene, BidStrategy,
    BillingEvent, CreativeMode, Gender, HouseholdIncome, Inventory, Ios14Targeting, NetworkType,
    OperatingSystem, OptimizationEvent, OptimizationGoal, Pacing, PlacementMode, PlacementName,
    PromotionTarget, PromotionType, SpendingPower, TargetingMode, TikTokSubplacement,
    ValueStrategy, VboWindow, VideoAction,
};

impl TikTokName for PromotionType {
    fn tiktok(self) -> &'static str {
        match self {
            Self::Website => "WEBSITE",
            Self::AndroidApp => "APP_ANDROID",
            Self::IosApp => "APP_IOS",
            Self::LeadGeneration => "LEAD_GENERATION",
            Self::WebsiteOrDisplay => "WEBSITE_OR_DISPLAY",
            Self::ExternalOrDisplay => "EXTERNAL_OR_DISPLAY",
            Self::Game => "GAME",
        }
    }
}

impl TikTokName for PromotionTarget {
    fn tiktok(self) -> &'static str {
        match self {
            Self::InstantPage => "INSTANT_PAGE",
            Self::ExternalWebsite => "EXTERNAL_WEBSITE",
        }
    }
}

impl TikTokName for PlacementMode {
    fn tiktok(self) -> &'static str {
        match self {
            Self::Automatic => "PLACEMENT_TYPE_AUTOMATIC",
            Self::Select => "PLACEMENT_TYPE_NORMAL",
        }
    }
}

impl TikTokName for PlacementName {
    fn tiktok(self) -> &'static str {
        match self {
            Self::TikTok => "PLACEMENT_TIKTOK",
            Self::Pangle => "PLACEMENT_PANGLE",
            Self::GlobalAppBundle => "PLACEMENT_GLOBAL_APP_BUNDLE",
        }
    }
}

impl TikTokName for TikTokSubplacement {
    fn tiktok(self) -> &'static str {
        match self {
            Self::InFeed => "IN_FEED",
            Self::SearchFeed => "SEARCH_FEED",
            Self::TikTokLite => "TIKTOK_LITE",
            Self::Lemon8 => "LEMON8",
        }
    }
}

impl TikTokName for TargetingMode {
    fn tiktok(self) -> &'static str {
        match self {
            Self::Automatic => "AUTOMATIC",
            Self::Manual => "MANUAL",
        }
    }
}

impl TikTokName for Inventory {
    fn tiktok(self) -> &'static str {
        match self {
            Self::Unlimited => "NO_BRAND_SAFETY",
            Self::Expanded => "EXPANDED_INVENTORY",
            Self::Standard => "STANDARD_INVENTORY",
            Self::Limited => "LIMITED_INVENTORY",
            Self::ThirdParty => "THIRD_PARTY",
        }
    }
}

impl TikTokName for CreativeMode {
    fn tiktok(self) -> &'static str {
        match self {
            Self::Custom => "CUSTOM",
            Self::SmartCreative => "SMART_CREATIVE",
        }
    }
}

impl TikTokName for AdGroupBudgetMode {
    fn tiktok(self) -> &'static str {
        match self {
            Self::Daily => "BUDGET_MODE_DAY",
            Self::DynamicDaily => "BUDGET_MODE_DYNAMIC_DAILY_BUDGET",
            Self::Total => "BUDGET_MODE_TOTAL",
        }
    }
}

impl TikTokName for OptimizationGoal {
    fn tiktok(self) -> &'static str {
        match self {
            Self::AutomaticValueOptimization => "AUTOMATIC_VALUE_OPTIMIZATION",
            Self::Click => "CLICK",
            Self::ConversionLeads => "CONVERSION_LEADS",
            Self::Convert => "CONVERT",
            Self::DestinationVisit => "DESTINATION_VISIT",
            Self::EngagedView => "ENGAGED_VIEW",
            Self::EngagedViewFifteen => "ENGAGED_VIEW_FIFTEEN",
            Self::Followers => "FOLLOWERS",
            Self::InAppEvent => "IN_APP_EVENT",
            Self::Install => "INSTALL",
            Self::LeadGeneration => "LEAD_GENERATION",
            Self::PageVisit => "PAGE_VISIT",
            Self::PreferredLead => "PREFERRED_LEAD",
            Self::ProfileViews => "PROFILE_VIEWS",
            Self::Reach => "REACH",
            Self::Show => "SHOW",
            Self::TrafficLandingPageView => "TRAFFIC_LANDING_PAGE_VIEW",
            Self::Value => "VALUE",
            Self::VideoView => "VIDEO_VIEW",
        }
    }
}

impl TikTokName for BillingEvent {
    fn tiktok(self) -> &'static str {
        match self {
            Self::Cpc => "CPC",
            Self::Cpm => "CPM",
            Self::Cpv => "CPV",
            Self::Ocpm => "OCPM",
        }
    }
}

impl TikTokName for OptimizationEvent {
    fn tiktok(self) -> &'static str {
        match self {
            Self::Active => "ACTIVE",
            Self::ActivePay => "ACTIVE_PAY",
            Self::ActiveRegister => "ACTIVE_REGISTER",
            Self::AddBilling => "ADD_BILLING",
            Self::AddPaymentInfo => "ADD_PAYMENT_INFO",
            Self::AddToWishlist => "ADD_TO_WISHLIST",
            Self::Button => "BUTTON",
            Self::CompleteTutorial => "COMPLETE_TUTORIAL",
            Self::Consult => "CONSULT",
            Self::CreateGamerole => "CREATE_GAMEROLE",
            Self::CustomizeProduct => "CUSTOMIZE_PRODUCT",
            Self::DownloadStart => "DOWNLOAD_START",
            Self::FindLocation => "FIND_LOCATION",
            Self::Form => "FORM",
            Self::ImpressionLevelAdRevenue => "IMPRESSION_LEVEL_AD_REVENUE",
            Self::InAppAdClick => "IN_APP_AD_CLICK",
            Self::InAppAdImpr => "IN_APP_AD_IMPR",
            Self::InAppCart => "IN_APP_CART",
            Self::InAppDetailUv => "IN_APP_DETAIL_UV",
            Self::InAppOrder => "IN_APP_ORDER",
            Self::InAppPay => "IN_APP_PAY",
            Self::InAppUv => "IN_APP_UV",
            Self::InitiateOrder => "INITIATE_ORDER",
            Self::InstallFinish => "INSTALL_FINISH",
            Self::LandingPageView => "LANDING_PAGE_VIEW",
            Self::LaunchApp => "LAUNCH_APP",
            Self::LoanApply => "LOAN_APPLY",
            Self::LoanCompletion => "LOAN_COMPLETION",
            Self::LoanCredit => "LOAN_CREDIT",
            Self::Login => "LOGIN",
            Self::NextDayOpen => "NEXT_DAY_OPEN",
            Self::OnWebAddToWishlist => "ON_WEB_ADD_TO_WISHLIST",
            Self::OnWebCart => "ON_WEB_CART",
            Self::OnWebDetail => "ON_WEB_DETAIL",
            Self::OnWebOrder => "ON_WEB_ORDER",
            Self::OnWebRegister => "ON_WEB_REGISTER",
            Self::OnWebSearch => "ON_WEB_SEARCH",
            Self::OnWebSubscribe => "ON_WEB_SUBSCRIBE",
            Self::PageVisit => "PAGE_VISIT",
            Self::PurchaseRoi => "PURCHASE_ROI",
            Self::Rate => "RATE",
            Self::SalesLead => "SALES_LEAD",
            Self::Schedule => "SCHEDULE",
            Self::Search => "SEARCH",
            Self::Shopping => "SHOPPING",
            Self::StartTrial => "START_TRIAL",
            Self::SubmitApplication => "SUBMIT_APPLICATION",
            Self::Subscribe => "SUBSCRIBE",
            Self::UnlockAchievement => "UNLOCK_ACHIEVEMENT",
            Self::UpdateLevel => "UPDATE_LEVEL",
        }
    }
}

impl TikTokName for VboWindow {
    fn tiktok(self) -> &'static str {
        match self {
            Self::SevenDays => "SEVEN_DAYS",
            Self::ZeroDay => "ZERO_DAY",
        }
    }
}

impl TikTokName for BidStrategy {
    fn tiktok(self) -> &'static str {
        match self {
            Self::LowestCost => "BID_TYPE_NO_BID",
            Self::CostCap => "BID_TYPE_CUSTOM",
        }
    }
}

impl TikTokName for ValueStrategy {
    fn tiktok(self) -> &'static str {
        match self {
            Self::HighestValue => "VO_HIGHEST_VALUE",
            Self::MinimumRoas => "VO_MIN_ROAS",
        }
    }
}

impl TikTokName for Pacing {
    fn tiktok(self) -> &'static str {
        match self {
            Self::Smooth => "PACING_MODE_SMOOTH",
            Self::Fast => "PACING_MODE_FAST",
        }
    }
}

impl TikTokName for AttributionWindow {
    fn tiktok(self) -> &'static str {
        match self {
            Self::Disabled => "OFF",
            Self::OneDay => "ONE_DAY",
            Self::SevenDays => "SEVEN_DAYS",
            Self::FourteenDays => "FOURTEEN_DAYS",
            Self::TwentyEightDays => "TWENTY_EIGHT_DAYS",
        }
    }
}

impl TikTokName for AttributionCount {
    fn tiktok(self) -> &'static str {
        match self {
            Self::Once => "ONCE",
            Self::Every => "EVERY",
        }
    }
}

impl TikTokName for AgeGroup {
    fn tiktok(self) -> &'static str {
        match self {
            Self::Age13To17 => "AGE_13_17",
            Self::Age18To24 => "AGE_18_24",
            Self::Age25To34 => "AGE_25_34",
            Self::Age35To44 => "AGE_35_44",
            Self::Age45To54 => "AGE_45_54",
            Self::Age55Plus => "AGE_55_100",
        }
    }
}

impl TikTokName for Gender {
    fn tiktok(self) -> &'static str {
        match self {
            Self::All => "GENDER_UNLIMITED",
            Self::Male => "GENDER_MALE",
            Self::Female => "GENDER_FEMALE",
        }
    }
}

impl TikTokName for BehaviorScene {
    fn tiktok(self) -> &'static str {
        match self {
            Self::VideoRelated => "VIDEO_RELATED",
            Self::CreatorRelated => "CREATOR_RELATED",
            Self::HashtagRelated => "HASHTAG_RELATED",
        }
    }
}

impl TikTokName for VideoAction {
    fn tiktok(self) -> &'static str {
        match self {
            Self::WatchedToEnd => "WATCHED_TO_END",
            Self::Liked => "LIKED",
            Self::Commented => "COMMENTED",
            Self::Shared => "SHARED",
            Self::Following => "FOLLOWING",
            Self::ViewHomepage => "VIEW_HOMEPAGE",
            Self::ViewHashtag => "VIEW_HASHTAG",
        }
    }
}

impl TikTokName for OperatingSystem {
    fn tiktok(self) -> &'static str {
        match self {
            Self::Android => "ANDROID",
            Self::Ios => "IOS",
        }
    }
}

impl TikTokName for Ios14Targeting {
    fn tiktok(self) -> &'static str {
        match self {
            Self::All => "ALL",
            Self::BelowIos14 => "IOS14_MINUS",
            Self::Ios14Plus => "IOS14_PLUS",
        }
    }
}

impl TikTokName for NetworkType {
    fn tiktok(self) -> &'static str {
        match self {
            Self::Wifi => "WIFI",
            Self::G2 => "2G",
            Self::G3 => "3G",
            Self::G4 => "4G",
            Self::G5 => "5G",
        }
    }
}

impl TikTokName for SpendingPower {
    fn tiktok(self) -> &'static str {
        match self {
            Self::All => "ALL",
            Self::High => "HIGH",
        }
    }
}

impl TikTokName for HouseholdIncome {
    fn tiktok(self) -> &'static str {
        match self {
            Self::Top5 => "TOP5",
            Self::Top10 => "TOP10",
            Self::Top10To25 => "TOP10_25",
            Self::Top25To50 => "TOP25_50",
        }
    }
}
