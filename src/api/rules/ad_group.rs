//! Rules of AdGroup. What depends on the campaign (its objective, its tree) is not among them: it stands elsewhere.

use super::targeting::targeting;
use super::{
    Part, Topic, amount, currency, fixed, fixed_at_creation, fixed_list, id, life, name,
    object_name, once_each, part, whole_units,
};

/// A point in time as RFC 3339 with an offset, on a day that exists: `timestamp()` fails on everything else.
const MOMENT: &str = "^20([0-9]{2}-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|\
                      02-(0[1-9]|1[0-9]|2[0-8]))|([02468][048]|[13579][26])-02-29)\
                      T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](Z|[+-](0[0-9]|1[0-4]):[0-5][0-9])$";

/// The GeoNames id of the United Kingdom.
const UNITED_KINGDOM: &str = "2635167";

/// Rules of AdGroup.
pub(in crate::api) fn ad_group() -> Vec<Topic> {
    let mut topics = vec![
        object_name("spec.campaignRef.name"),
        name("spec.name"),
        id("spec.externalId"),
        id("spec.promotion.appId"),
        promotion(),
        placement(),
        amount("spec.budget.amount"),
        currency("spec.budget.currency"),
        Topic::new("spec.budget", vec![whole_units()]),
        amount("spec.minBudget.amount"),
        currency("spec.minBudget.currency"),
        Topic::new("spec.minBudget", vec![whole_units()]),
        moment("spec.schedule.start"),
        moment("spec.schedule.end"),
        schedule(),
        day_part(),
        id("spec.optimization.pixelId"),
        optimization(),
        amount("spec.bid.amount"),
        currency("spec.bid.currency"),
        roas(),
        bid(),
        needed(),
        together(),
        money(),
        ad_group_fixed(),
        Topic::new("spec", later()),
    ];
    topics.extend(targeting());
    topics
}

fn promotion() -> Topic {
    Topic::new(
        "spec.promotion",
        vec![
            part(
                "!has(self.target) || self.type == 'LeadGeneration'",
                "target is for type LeadGeneration: remove it, or set type: LeadGeneration",
            ),
            part(
                "!has(self.appId) || self.type in ['AndroidApp', 'IosApp', 'Game']",
                "appId is for the types AndroidApp, IosApp and Game: remove it, or change type",
            ),
        ],
    )
}

fn placement() -> Topic {
    Topic::new(
        "spec.placement",
        vec![
            part(
                "self.mode == 'Select' ? has(self.placements) && self.placements.size() > 0 : !has(self.placements)",
                "mode Select needs placements, such as [TikTok]; mode Automatic leaves them to TikTok: add or remove \
                 placements",
            ),
            part(
                "!has(self.tiktokSubplacements) || (self.mode == 'Select' && has(self.placements) && \
                 self.placements.all(x, x == 'TikTok'))",
                "tiktokSubplacements are places inside TikTok: set mode: Select and placements: [TikTok], or remove them",
            ),
            part(
                format!(
                    "(!has(self.placements) || {}) && (!has(self.tiktokSubplacements) || ({} && \
                     self.tiktokSubplacements.size() > 0))",
                    once_each("self.placements"),
                    once_each("self.tiktokSubplacements")
                ),
                "name each placement once, and do not leave a list empty",
            ),
        ],
    )
}

fn moment(path: &'static str) -> Topic {
    let text = "write the time with its offset from UTC, such as \"2026-11-01T09:00:00+01:00\" or \
                \"2026-11-01T08:00:00Z\", in quotes and on a day that exists";
    Topic::new(path, vec![part(format!("self.matches('{MOMENT}')"), text)])
}

fn schedule() -> Topic {
    Topic::new(
        "spec.schedule",
        vec![
            part(
                format!(
                    "!has(self.start) || !has(self.end) || !self.start.matches('{MOMENT}') || \
                     !self.end.matches('{MOMENT}') || timestamp(self.start) < timestamp(self.end)"
                ),
                "end is not after start, so it would never deliver: put end later, or start earlier",
            ),
            part(
                "!has(self.dayparting) || self.dayparting.size() > 0",
                "an empty dayparting means always to TikTok, not never: remove it to deliver always, name the hours, \
                 or set state: Paused",
            ),
        ],
    )
}

fn day_part() -> Topic {
    let half_hour = "^([01][0-9]|2[0-3]):(00|30)$";
    Topic::new(
        "spec.schedule.dayparting[]",
        vec![
            part(
                format!("self.days.size() > 0 && {}", once_each("self.days")),
                "name the days, each once, such as [Monday, Tuesday]",
            ),
            part(
                format!(
                    "self.from.matches('{half_hour}') && (self.to.matches('{half_hour}') || self.to == '24:00')"
                ),
                "hours go in half hours, in quotes and with two digits, such as from: \"09:00\" and to: \"17:30\"; the \
                 end of a day is to: \"24:00\"",
            ),
            part(
                "self.from < self.to",
                "to is not later than from: put it later; split hours that go over midnight into two entries, one up \
                 to \"24:00\" and one from \"00:00\"",
            ),
        ],
    )
}

/// Goals whose billing event TikTok documents without exceptions; the pair of every other goal is left to TikTok.
fn optimization() -> Topic {
    let billed = |goals: &str, event: &str| {
        format!("(!(self.goal in [{goals}]) || self.billingEvent == '{event}')")
    };
    let pairs = [
        billed("'Click'", "CPC"),
        billed("'Reach', 'Show'", "CPM"),
        billed("'EngagedView', 'EngagedViewFifteen', 'VideoView'", "CPV"),
        billed(
            "'Convert', 'Install', 'InAppEvent', 'Value', 'LeadGeneration', 'DestinationVisit'",
            "OCPM",
        ),
    ];
    Topic::new(
        "spec.optimization",
        vec![
            part(
                pairs.join(" && "),
                "the billingEvent does not fit the goal: CPC is for Click, CPM for Reach and Show, CPV for views of \
                 videos, OCPM for conversions, installs, events, value, leads and visits: change billingEvent",
            ),
            part(
                "!has(self.pixelId) || has(self.event)",
                "a pixel is measured by an event: add event, such as event: Shopping, or remove pixelId",
            ),
            part(
                "self.goal != 'InAppEvent' || has(self.event)",
                "the goal InAppEvent needs event: add it, such as event: ActivePay",
            ),
            part(
                "!has(self.secondaryEvent) || self.goal in ['Install', 'InAppEvent', 'Value']",
                "secondaryEvent is for the goals Install, InAppEvent and Value: remove it, or change goal",
            ),
            part(
                "!has(self.vboWindow) || self.goal in ['Value', 'AutomaticValueOptimization']",
                "vboWindow is for the goals Value and AutomaticValueOptimization: remove it, or change goal",
            ),
        ],
    )
}

fn roas() -> Topic {
    let text = "roas is the value per unit spent, as decimal text: more than 0 and at most 1000, at most two decimals, \
                no percent sign, such as \"1.5\"";
    let holds = "string(self).matches('^(0|[1-9][0-9]{0,2})([.][0-9]{1,2})?$|^1000([.]00?)?$') && \
                 string(self).matches('[1-9]')";
    Topic::new("spec.bid.roas", vec![part(holds, text)])
}

fn bid() -> Topic {
    let value = "has(self.valueStrategy) && self.valueStrategy == 'MinimumRoas'";
    Topic::new(
        "spec.bid",
        vec![
            part(
                "!has(self.amount) || (has(self.strategy) && self.strategy == 'CostCap')",
                "TikTok ignores the amount of a bid unless its strategy is CostCap: set strategy: CostCap, or remove \
                 amount",
            ),
            part(
                format!(
                    "!has(self.strategy) || self.strategy != 'CostCap' || has(self.amount) || ({value})"
                ),
                "strategy CostCap needs an amount: add amount, such as \"2.50\", or set strategy: LowestCost",
            ),
            part(
                format!("({value}) == has(self.roas)"),
                "valueStrategy: MinimumRoas and roas belong together: add the one that is missing, or remove both",
            ),
            part(
                "!has(self.currency) || has(self.amount)",
                "currency is the currency of amount: add amount, or remove currency",
            ),
            whole_units(),
        ],
    )
}

/// What a create needs; an ad group that is taken over has it already.
fn needed() -> Topic {
    let some =
        |list: &str| format!("(has(self.targeting.{list}) && self.targeting.{list}.size() > 0)");
    Topic::new(
        "spec",
        vec![
            part(
                format!(
                    "has(self.externalId) || (has(self.targeting) && ({} || {} || has(self.targeting.savedAudience)))",
                    some("locations"),
                    some("zipCodes")
                ),
                "an ad group needs a place: add targeting.locations (such as [\"6252001\"] for the United States) or \
                 targeting.zipCodes, or take an existing ad group over with externalId",
            ),
            part(
                "has(self.externalId) || has(self.optimization)",
                "an ad group needs optimization with goal and billingEvent: add it, or take an existing ad group over \
                 with externalId",
            ),
            part(
                "!has(self.budget) || self.budget.mode != 'Total' || has(self.externalId) || \
                 (has(self.schedule) && has(self.schedule.end))",
                "a budget of mode Total is for a time that ends: add schedule.end, or choose mode Daily",
            ),
        ],
    )
}

/// What does not go together across the parts of an ad group.
fn together() -> Topic {
    let promotes = |kind: &str| format!("has(self.promotion) && self.promotion.type == '{kind}'");
    let pixel = "has(self.optimization) && has(self.optimization.pixelId)";
    let system = "has(self.targeting) && has(self.targeting.operatingSystem)";
    Topic::new(
        "spec",
        vec![
            part(
                format!(
                    "!({system}) || ((!({}) || self.targeting.operatingSystem == 'Android') && (!({}) || \
                     self.targeting.operatingSystem == 'Ios'))",
                    promotes("AndroidApp"),
                    promotes("IosApp")
                ),
                "the operating system does not run the app: operatingSystem is Android for promotion.type AndroidApp \
                 and Ios for IosApp: change one of them",
            ),
            part(
                format!(
                    "has(self.externalId) || !({} || {}) || ({system})",
                    promotes("AndroidApp"),
                    promotes("IosApp")
                ),
                "to promote an app, name its operating system: add targeting.operatingSystem: Android or Ios",
            ),
            part(
                format!(
                    "has(self.externalId) || !has(self.optimization) || self.optimization.goal != 'Convert' || ({pixel})"
                ),
                "the goal Convert is measured by a pixel: add optimization.pixelId and optimization.event",
            ),
            part(
                format!(
                    "has(self.externalId) || !({}) || !has(self.promotion.target) || \
                     self.promotion.target != 'ExternalWebsite' || ({pixel})",
                    promotes("LeadGeneration")
                ),
                "leads on your own website are measured by a pixel: add optimization.pixelId and optimization.event, \
                 or set promotion.target: InstantPage",
            ),
            part(
                "!has(self.bid) || !has(self.bid.amount) || has(self.optimization)",
                "what bid.amount is the price of depends on the optimization: add optimization with goal and \
                 billingEvent, or remove bid.amount",
            ),
            part(
                "!has(self.bid) || !has(self.bid.valueStrategy) || !has(self.optimization) || \
                 self.optimization.goal in ['Value', 'AutomaticValueOptimization']",
                "bid.valueStrategy is for the goals Value and AutomaticValueOptimization: remove it, or change \
                 optimization.goal",
            ),
            part(
                "!has(self.pacing) || self.pacing != 'Fast' || (has(self.bid) && has(self.bid.strategy) ? \
                 self.bid.strategy == 'CostCap' : has(self.externalId))",
                "pacing: Fast needs bid.strategy: CostCap: set it, or choose pacing: Smooth",
            ),
            part(
                format!(
                    "!has(self.hfss) || !self.hfss || !has(self.targeting) || !has(self.targeting.locations) || \
                     !('{UNITED_KINGDOM}' in self.targeting.locations) || \
                     (has(self.lhfCompliance) && self.lhfCompliance)"
                ),
                "in the United Kingdom, ads with hfss: true need lhfCompliance: true: add it if the ads keep to the \
                 rules for less healthy food, or remove the United Kingdom from targeting.locations",
            ),
        ],
    )
}

fn money() -> Topic {
    let currency = |a: &str, b: &str| {
        format!(
            "(!has(self.{a}) || !has(self.{b}) || !has(self.{a}.currency) || !has(self.{b}.currency) || \
             self.{a}.currency == self.{b}.currency)"
        )
    };
    let (bid, budget) = ("string(self.bid.amount)", "string(self.budget.amount)");
    Topic::new(
        "spec",
        vec![
            part(
                [
                    currency("bid", "budget"),
                    currency("minBudget", "budget"),
                    currency("bid", "minBudget"),
                ]
                .join(" && "),
                "all amounts are in the currency of the ad account: write the same currency everywhere",
            ),
            part(
                format!(
                    "!has(self.bid) || !has(self.bid.amount) || !has(self.budget) || !isQuantity({bid}) || \
                     !isQuantity({budget}) || quantity({bid}).isLessThan(quantity({budget}))"
                ),
                "TikTok takes only bids below the budget: lower bid.amount, or raise budget.amount",
            ),
        ],
    )
}

fn ad_group_fixed() -> Topic {
    let mut fields: Vec<_> = [
        "promotion.type",
        "promotion.target",
        "promotion.appId",
        "placement.mode",
        "budget.mode",
        "optimization.goal",
        "optimization.billingEvent",
        "optimization.pixelId",
        "optimization.event",
        "optimization.vboWindow",
        "attribution.click",
        "attribution.view",
        "attribution.engagedView",
        "attribution.count",
        "creativeMode",
        "interactions.downloads",
    ]
    .map(fixed)
    .into();
    fields.extend(["placement.placements", "placement.tiktokSubplacements"].map(fixed_list));
    fixed_at_creation("AdGroup", &fields)
}

fn later() -> Vec<Part> {
    let mut parts = life("AdGroup");
    parts.extend([
        part(
            "self.campaignRef.name == oldSelf.campaignRef.name",
            "TikTok cannot move an ad group to another campaign: put campaignRef back, or make a new AdGroup there",
        ),
        part(
            "!has(oldSelf.targeting) || !has(oldSelf.targeting.ios14) || oldSelf.targeting.ios14 != 'Ios14Plus' || \
             (has(self.targeting) && has(self.targeting.ios14) && self.targeting.ios14 == 'Ios14Plus')",
            "TikTok cannot take targeting.ios14: Ios14Plus back: put it back, or make a new AdGroup",
        ),
    ]);
    parts
}
