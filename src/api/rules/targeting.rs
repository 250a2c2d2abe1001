//! Rules of AdGroup's targeting.

use super::{ID, Topic, id, ids, name_failing, once_each, part};

/// Everything below `spec.targeting`.
pub(super) fn targeting() -> Vec<Topic> {
    vec![
        id("spec.targeting.savedAudience"),
        lists_of_ids(),
        audience(),
        devices(),
        Topic::new(
            "spec.targeting.devicePrice",
            vec![part(
                "self.from % 50 == 0 && self.to % 50 == 0 && self.from < self.to",
                "device prices are in US dollars and go in steps of 50, such as from: 250 and to: 600, where to is \
                 more than from: change them",
            )],
        ),
        behavior(),
        ids("spec.targeting.behaviors[].categories"),
    ]
}

/// One rule over all the lists: 3000 rules on 3000 items would cost the server far more.
fn lists_of_ids() -> Topic {
    let of = |name: &'static str, pattern: &str| {
        let holds = format!("!has(self.{name}) || self.{name}.all(x, x.matches('{pattern}'))");
        (name, holds)
    };
    let numbers = [
        "locations",
        "zipCodes",
        "interestCategories",
        "interestKeywords",
        "purchaseIntentionKeywords",
        "audiences",
        "excludedAudiences",
        "deviceModels",
        "carriers",
    ]
    .map(|name| of(name, ID));
    let text = "these lists hold ids, which are digits only, in quotes, such as \"6252001\" for the United States: \
                look them up in TikTok Ads Manager or with TikTok's targeting tools. Wrong here:";
    Topic::new(
        "spec.targeting",
        vec![
            name_failing(&numbers, text),
            part(
                of("internetProviders", "^[A-Za-z0-9]+$").1,
                "internetProviders holds ids such as \"EG00098\": look them up with TikTok's targeting tools",
            ),
            part(
                of("languages", "^[a-z]{2,3}([-_][A-Za-z]{2,4})?$").1,
                "languages holds codes such as en or de: write the codes",
            ),
        ],
    )
}

fn audience() -> Topic {
    let size = |name: &str| format!("(has(self.{name}) ? self.{name}.size() : 0)");
    Topic::new(
        "spec.targeting",
        vec![
            part(
                format!("{} + {} <= 3000", size("locations"), size("zipCodes")),
                "locations and zipCodes together have at most 3000 entries: name bigger areas, or make two ad groups",
            ),
            part(
                format!(
                    "{} == 0 || {} == 0",
                    size("interestKeywords"),
                    size("purchaseIntentionKeywords")
                ),
                "TikTok takes either interestKeywords or purchaseIntentionKeywords: remove one of them",
            ),
            part(
                "!has(self.audiences) || !has(self.excludedAudiences) || \
                 self.audiences.all(x, !(x in self.excludedAudiences))",
                "an audience cannot be both in audiences and in excludedAudiences: remove it from one of them",
            ),
            part(
                format!("!has(self.ages) || {} ", once_each("self.ages")),
                "name each age group once",
            ),
            part(
                format!(
                    "!has(self.householdIncome) || {}",
                    once_each("self.householdIncome")
                ),
                "name each part of householdIncome once",
            ),
        ],
    )
}

fn devices() -> Topic {
    let system =
        |name: &str| format!("has(self.operatingSystem) && self.operatingSystem == '{name}'");
    let version = |name: &str| {
        format!("!has(self.{name}) || self.{name}.matches('^[0-9]{{1,2}}[.][0-9]{{1,2}}$')")
    };
    Topic::new(
        "spec.targeting",
        vec![
            part(
                "!has(self.deviceModels) || self.deviceModels.size() == 0 || !has(self.devicePrice)",
                "TikTok takes either deviceModels or devicePrice: remove one of them",
            ),
            part(
                format!(
                    "({}) && ({})",
                    version("minAndroidVersion"),
                    version("minIosVersion")
                ),
                "write the version in quotes and with its point, such as \"10.0\"",
            ),
            part(
                format!("!has(self.minAndroidVersion) || !({})", system("Ios")),
                "minAndroidVersion does not go with operatingSystem: Ios: remove it, or write minIosVersion",
            ),
            part(
                format!(
                    "(!has(self.minIosVersion) && !has(self.ios14)) || !({})",
                    system("Android")
                ),
                "minIosVersion and ios14 do not go with operatingSystem: Android: remove them",
            ),
            part(
                format!(
                    "!has(self.networkTypes) || {}",
                    once_each("self.networkTypes")
                ),
                "name each network type once",
            ),
        ],
    )
}

/// TikTok wants all four parts of a behavior, though its documentation has them optional, and refuses a period of 0 for
/// videos, though its documentation has it as the default.
fn behavior() -> Topic {
    Topic::new(
        "spec.targeting.behaviors[]",
        vec![
            part(
                "self.scene == 'VideoRelated' ? has(self.periodDays) && self.periodDays in [7, 15] : \
                 !has(self.periodDays)",
                "scene VideoRelated needs periodDays: 7 or 15; the other scenes have no periodDays: add or remove it",
            ),
            part(
                "self.videoActions.size() > 0 && self.categories.size() > 0",
                "a behavior needs at least one of videoActions and one of categories: add them, or remove the behavior",
            ),
            part(
                "self.videoActions.all(x, x in (self.scene == 'VideoRelated' ? \
                 ['WatchedToEnd', 'Liked', 'Commented', 'Shared'] : self.scene == 'CreatorRelated' ? \
                 ['Following', 'ViewHomepage'] : ['ViewHashtag']))",
                "videoActions fit their scene: WatchedToEnd, Liked, Commented, Shared for VideoRelated; Following, \
                 ViewHomepage for CreatorRelated; ViewHashtag for HashtagRelated",
            ),
            part(
                once_each("self.videoActions"),
                "name each of videoActions once",
            ),
        ],
    )
}
