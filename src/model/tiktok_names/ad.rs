//! The words of an ad (reference 5.1).

use super::TikTokName;
use crate::api::ad::{
    AdFormat, AigcDisclosure, CallToAction, DeeplinkFallback, DeeplinkFormat, DeeplinkType,
    IdentityType, MeasurementPartner, TikTokPageCategory,
};

impl TikTokName for AdFormat {
    fn tiktok(self) -> &'static str {
        match self {
            Self::SingleVideo => "SINGLE_VIDEO",
            Self::SingleImage => "SINGLE_IMAGE",
            Self::Carousel => "CAROUSEL_ADS",
        }
    }
}

impl TikTokName for IdentityType {
    fn tiktok(self) -> &'static str {
        match self {
            Self::TikTokUser => "TT_USER",
            Self::BusinessCenter => "BC_AUTH_TT",
            Self::AuthorizationCode => "AUTH_CODE",
            Self::Custom => "CUSTOMIZED_USER",
        }
    }
}

impl TikTokName for AigcDisclosure {
    fn tiktok(self) -> &'static str {
        match self {
            Self::NotDeclared => "NOT_DECLARED",
            Self::SelfDisclosure => "SELF_DISCLOSURE",
        }
    }
}

impl TikTokName for DeeplinkType {
    fn tiktok(self) -> &'static str {
        match self {
            Self::Normal => "NORMAL",
            Self::Deferred => "DEFERRED_DEEPLINK",
        }
    }
}

impl TikTokName for DeeplinkFormat {
    fn tiktok(self) -> &'static str {
        match self {
            Self::UniversalOrAppLink => "UNIVERSAL_OR_APP_LINK",
            Self::SchemeLink => "SCHEME_LINK",
        }
    }
}

impl TikTokName for DeeplinkFallback {
    fn tiktok(self) -> &'static str {
        match self {
            Self::AppInstall => "APP_INSTALL",
            Self::Website => "WEBSITE",
        }
    }
}

impl TikTokName for TikTokPageCategory {
    fn tiktok(self) -> &'static str {
        match self {
            Self::ProfilePage => "PROFILE_PAGE",
            Self::OtherTikTokPage => "OTHER_TIKTOK_PAGE",
            Self::TikTokInstantPage => "TIKTOK_INSTANT_PAGE",
        }
    }
}

impl TikTokName for MeasurementPartner {
    fn tiktok(self) -> &'static str {
        match self {
            Self::DoubleVerify => "DOUBLE_VERIFY",
            Self::Ias => "IAS",
            Self::Moat => "MOAT",
            Self::Zefr => "ZEFR",
        }
    }
}

impl TikTokName for CallToAction {
    fn tiktok(self) -> &'static str {
        match self {
            Self::ApplyNow => "APPLY_NOW",
            Self::BookNow => "BOOK_NOW",
            Self::CallNow => "CALL_NOW",
            Self::CheckAvailability => "CHECK_AVAILABILITY",
            Self::ContactUs => "CONTACT_US",
            Self::DownloadNow => "DOWNLOAD_NOW",
            Self::ExperienceNow => "EXPERIENCE_NOW",
            Self::GetQuote => "GET_QUOTE",
            Self::GetShowtimes => "GET_SHOWTIMES",
            Self::GetTicketsNow => "GET_TICKETS_NOW",
            Self::InstallNow => "INSTALL_NOW",
            Self::Interested => "INTERESTED",
            Self::JoinThisHashtag => "JOIN_THIS_HASHTAG",
            Self::LearnMore => "LEARN_MORE",
            Self::ListenNow => "LISTEN_NOW",
            Self::OrderNow => "ORDER_NOW",
            Self::PlayGame => "PLAY_GAME",
            Self::PreorderNow => "PREORDER_NOW",
            Self::ReadMore => "READ_MORE",
            Self::SendMessage => "SEND_MESSAGE",
            Self::ShootWithThisEffect => "SHOOT_WITH_THIS_EFFECT",
            Self::ShopNow => "SHOP_NOW",
            Self::SignUp => "SIGN_UP",
            Self::Subscribe => "SUBSCRIBE",
            Self::ViewNow => "VIEW_NOW",
            Self::ViewProfile => "VIEW_PROFILE",
            Self::ViewVideoWithThisEffect => "VIEW_VIDEO_WITH_THIS_EFFECT",
            Self::VisitStore => "VISIT_STORE",
            Self::WatchLive => "WATCH_LIVE",
            Self::WatchNow => "WATCH_NOW",
        }
    }
}
