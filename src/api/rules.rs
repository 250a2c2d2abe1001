//! The CEL rules: everything that can be refused without looking elsewhere.
//!
//! Every rule costs the API server about 0.3 ms on every write, status writes included, so the parts of one topic are
//! joined into one rule, which names every part that fails. Rules on an optional field cost nothing while it is unset.
//! Messages are for the person who wrote the manifest: what is wrong, and the next step.

use serde_json::{Value, json};

/// What TikTok writes without decimals.
const NO_DECIMALS: &str = "['JPY', 'KRW', 'IDR', 'VND', 'CLP']";

/// Rules that belong together, at one place of the schema.
pub(super) struct Topic {
    /// The place, as a dotted path from the root of the object.
    pub(super) path: &'static str,
    parts: Vec<Part>,
}

/// A condition that has to hold, and what to say if it does not.
struct Part {
    /// A CEL expression. It must not fail on anything that the schema lets through.
    holds: String,
    /// A CEL expression that gives the text.
    says: String,
}

impl Topic {
    fn new(path: &'static str, parts: Vec<Part>) -> Self {
        Self { path, parts }
    }

    /// One entry of `x-kubernetes-validations`.
    pub(super) fn rule(&self) -> Value {
        if let [part] = self.parts.as_slice() {
            return match literal(&part.says) {
                Some(message) => json!({ "rule": part.holds, "message": message }),
                None => json!({ "rule": part.holds, "messageExpression": part.says }),
            };
        }
        let all: Vec<_> = self
            .parts
            .iter()
            .map(|p| format!("({})", p.holds))
            .collect();
        // No filter() and join(): the server cannot estimate what they cost and refuses the definition. It trims.
        let each: Vec<_> = self
            .parts
            .iter()
            .map(|p| format!("(({}) ? '' : {} + '. ')", p.holds, p.says))
            .collect();
        json!({ "rule": all.join(" && "), "messageExpression": each.join(" + ") })
    }
}

/// A part with a fixed text.
fn part(holds: impl Into<String>, text: &str) -> Part {
    Part {
        holds: holds.into(),
        says: quote(text),
    }
}

/// A CEL string. The texts here have no backslashes; a single quote would end the string.
fn quote(text: &str) -> String {
    format!("'{}'", text.replace('\'', "\\'"))
}

/// The text of a CEL string made by [`quote`].
fn literal(expression: &str) -> Option<String> {
    let inner = expression.strip_prefix('\'')?.strip_suffix('\'')?;
    let text = inner.replace("\\'", "\u{0}");
    (!text.contains('\'')).then(|| text.replace('\u{0}', "'"))
}

/// An id on the platform.
fn id(path: &'static str) -> Topic {
    let text = "an id is digits only, in quotes, such as \"1790000000000000001\": copy it from TikTok Ads Manager";
    Topic::new(path, vec![part("self.matches('^[1-9][0-9]{0,19}$')", text)])
}

/// The name of a Kubernetes object.
fn object_name(path: &'static str) -> Topic {
    let text = "the name of a Kubernetes object has only lower-case letters, digits, - and ., and begins and ends with \
                a letter or digit: write it as kubectl get shows it";
    Topic::new(
        path,
        vec![part(
            "self.matches('^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$')",
            text,
        )],
    )
}

fn currency(path: &'static str) -> Topic {
    let text = "write the currency as its code of three capital letters, such as USD or EUR";
    Topic::new(path, vec![part("self.matches('^[A-Z]{3}$')", text)])
}

/// An amount, written as text or as a whole number. `string()` takes both; `quantity()` takes far too much.
fn amount(path: &'static str) -> Topic {
    let text = "write the amount as decimal text, such as \"50\" or \"49.90\": more than 0, at most two decimals, no \
                sign, unit or thousands separator";
    let holds = "string(self).matches('^(0|[1-9][0-9]{0,9})([.][0-9]{1,2})?$') && string(self).matches('[1-9]')";
    Topic::new(path, vec![part(holds, text)])
}

/// `self` has an amount and a currency.
fn whole_units() -> Part {
    part(
        format!(
            "!has(self.currency) || !has(self.amount) || !(self.currency in {NO_DECIMALS}) || \
             !string(self.amount).contains('.')"
        ),
        "this currency has no decimals on TikTok: write the amount without a point, such as \"5000\"",
    )
}

/// Says `text` and then which of the fields fail their condition.
fn name_failing(fields: &[(&str, String)], text: &str) -> Part {
    let all: Vec<_> = fields
        .iter()
        .map(|(_, holds)| format!("({holds})"))
        .collect();
    let names: Vec<_> = fields
        .iter()
        .map(|(name, holds)| format!(" + (({holds}) ? '' : ' {name}')"))
        .collect();
    Part {
        holds: all.join(" && "),
        says: format!("{}{}", quote(text), names.concat()),
    }
}

/// Rules of Campaign. Which objective may be created in which tree is not among them: that changes over time, and with
/// `externalId` every objective can be managed in both.
pub(super) fn campaign() -> Vec<Topic> {
    vec![
        object_name("spec.connectionRef.name"),
        campaign_name(),
        id("spec.externalId"),
        id("spec.appId"),
        amount("spec.budget.amount"),
        currency("spec.budget.currency"),
        campaign_budget(),
        Topic::new(
            "spec.specialIndustries",
            vec![part(
                "self.all(a, self.exists_one(b, a == b))",
                "name each industry once",
            )],
        ),
        campaign_tree(),
        campaign_app(),
        campaign_fixed(),
        campaign_life(),
    ]
}

fn campaign_name() -> Topic {
    // RE2 does not know Unicode's Emoji property; these are the blocks that hold nothing else but symbols.
    let emoji = r"[\\x{1F000}-\\x{1FAFF}\\x{2600}-\\x{27BF}\\x{231A}\\x{231B}\\x{23E9}-\\x{23F3}\\x{2B1B}\\x{2B1C}\\x{2B50}\\x{2B55}\\x{FE0F}\\x{20E3}]";
    Topic::new(
        "spec.name",
        vec![
            part(
                // Not self.size(): the evaluator behind `check` counts bytes there, the server counts characters.
                r"self.findAll('(?s).').size() + self.findAll('[\\p{Han}\\p{Hiragana}\\p{Katakana}\\p{Hangul}]').size() <= 512",
                "a name has at most 512 characters (Chinese, Japanese and Korean ones count twice): shorten it",
            ),
            part(
                format!("!self.matches('{emoji}')"),
                "TikTok takes no emoji in a name: remove them",
            ),
            part(
                r"!self.matches('\\p{Cc}|^[\\s\\p{Z}]|[\\s\\p{Z}]$')",
                "a name has no line break or tab, and no blank at its beginning or end: remove them",
            ),
        ],
    )
}

fn campaign_budget() -> Topic {
    Topic::new(
        "spec.budget",
        vec![
            part(
                "self.mode != 'Infinite' || (!has(self.amount) && !has(self.currency))",
                "mode Infinite means no budget on the campaign: remove amount and currency, or choose Daily, \
                 DynamicDaily or Total",
            ),
            part(
                "self.mode == 'Infinite' || has(self.amount)",
                "a budget needs an amount: add amount, such as \"50\", or set mode: Infinite to leave the budget to \
                 the ad groups",
            ),
            whole_units(),
        ],
    )
}

fn campaign_tree() -> Topic {
    Topic::new(
        "spec",
        vec![
            part(
                "self.automation != 'SmartPlus' || !has(self.budget) || has(self.externalId) || \
                 self.budget.mode in ['DynamicDaily', 'Total']",
                "a SmartPlus campaign is created with budget mode DynamicDaily or Total: choose one of them, or remove \
                 budget to set budgets on the ad groups",
            ),
            part(
                "self.automation != 'SmartPlus' || !has(self.budget) || has(self.externalId) || \
                 (has(self.budgetOptimization) && self.budgetOptimization)",
                "a SmartPlus campaign has a budget of its own only with budgetOptimization: true: add it, or remove \
                 budget to set budgets on the ad groups",
            ),
            part(
                "self.automation != 'Manual' || !(has(self.salesDestination) || has(self.catalogEnabled) || \
                 has(self.catalogType) || has(self.poNumber))",
                "salesDestination, catalogEnabled, catalogType and poNumber are for SmartPlus campaigns: remove them, \
                 or set automation: SmartPlus",
            ),
            part(
                "!has(self.catalogType) || (has(self.catalogEnabled) && self.catalogEnabled)",
                "catalogType needs catalogEnabled: true: add it, or remove catalogType",
            ),
            part(
                "!has(self.budgetOptimization) || !self.budgetOptimization || \
                 (has(self.budget) ? self.budget.mode != 'Infinite' : has(self.externalId))",
                "budgetOptimization: true needs a budget on the campaign: add budget with mode Daily, DynamicDaily or \
                 Total, or remove budgetOptimization",
            ),
        ],
    )
}

fn campaign_app() -> Topic {
    let ios14 = "has(self.campaignType) && self.campaignType == 'Ios14'";
    Topic::new(
        "spec",
        vec![
            part(
                "self.objective == 'AppPromotion' || !has(self.appPromotionType)",
                "appPromotionType is for the objective AppPromotion: remove it, or set objective: AppPromotion",
            ),
            part(
                "!has(self.appId) || self.objective == 'AppPromotion' || \
                 (has(self.salesDestination) && self.salesDestination in ['App', 'WebAndApp'])",
                "appId is for the objective AppPromotion or a salesDestination with an app: remove it, or set one of \
                 these",
            ),
            part(
                "self.objective != 'AppPromotion' || has(self.appPromotionType) || has(self.externalId)",
                "the objective AppPromotion needs appPromotionType: add it, such as appPromotionType: AppInstall",
            ),
            part(
                "!has(self.appPromotionType) || self.appPromotionType != 'AppPostsPromotion' || \
                 has(self.externalId) || (has(self.adoption) && self.adoption == 'SameName')",
                "TikTok lets no one create AppPostsPromotion campaigns by its API: choose another appPromotionType, or \
                 take an existing campaign over with externalId",
            ),
            part(
                format!(
                    "!({ios14}) || (self.objective == 'AppPromotion' && (has(self.appId) || has(self.externalId)))"
                ),
                "campaignType: Ios14 needs objective: AppPromotion and appId (the app's id in TikTok Ads Manager, in \
                 quotes): add them, or remove campaignType",
            ),
            part(
                "!has(self.postbackWindowMode) || \
                 (has(self.campaignType) ? self.campaignType == 'Ios14' : has(self.externalId))",
                "postbackWindowMode is for campaigns dedicated to iOS 14: remove it, or set campaignType: Ios14",
            ),
        ],
    )
}

/// What TikTok fixes at creation. Stated on the parent, so that removing a field and adding it back is no way round.
/// An adopted campaign may say later what it did not say at first: that only describes what is there.
fn campaign_fixed() -> Topic {
    let optional = |field: &'static str| {
        let holds = format!(
            "has(oldSelf.{field}) ? has(self.{field}) && self.{field} == oldSelf.{field} : \
             !has(self.{field}) || has(self.externalId)"
        );
        (field, holds)
    };
    let mut fields =
        vec![
        ("connectionRef", "self.connectionRef.name == oldSelf.connectionRef.name".to_owned()),
        ("automation", "self.automation == oldSelf.automation".to_owned()),
        ("objective", "self.objective == oldSelf.objective".to_owned()),
        (
            "budget.mode",
            "has(oldSelf.budget) ? has(self.budget) && self.budget.mode == oldSelf.budget.mode : \
             !has(self.budget) || self.budget.mode == 'Infinite' || has(self.externalId)"
                .to_owned(),
        ),
    ];
    fields.extend(
        [
            "budgetOptimization",
            "campaignType",
            "appPromotionType",
            "appId",
            "salesDestination",
            "catalogEnabled",
            "catalogType",
        ]
        .map(optional),
    );
    let text = "TikTok fixes this when a campaign is created, so it cannot be changed, added or removed later: put it \
                back as it was, or make a new Campaign. Changed here:";
    Topic::new("spec", vec![name_failing(&fields, text)])
}

fn campaign_life() -> Topic {
    Topic::new(
        "spec",
        vec![
            part(
                "!has(oldSelf.externalId) || (has(self.externalId) && self.externalId == oldSelf.externalId)",
                "externalId cannot be changed or removed once it is set: put it back, or make a new Campaign for the \
                 other id",
            ),
            part(
                "!has(oldSelf.incarnation) || (has(self.incarnation) && self.incarnation >= oldSelf.incarnation)",
                "incarnation can only grow: put it back, or raise it to ask for a new campaign on TikTok",
            ),
            part(
                "!has(self.specialIndustries) || self.specialIndustries.size() == 0 || has(self.externalId) || \
                 (has(oldSelf.specialIndustries) && self.specialIndustries == oldSelf.specialIndustries)",
                "specialIndustries cannot be added or changed after creation, only emptied: put them back, or make a \
                 new Campaign",
            ),
            part(
                "self.automation != 'SmartPlus' || !has(self.specialIndustries) || self.specialIndustries.size() > 0 \
                 || !has(oldSelf.specialIndustries) || oldSelf.specialIndustries.size() == 0",
                "TikTok cannot empty the specialIndustries of a SmartPlus campaign: put them back, or make a new \
                 Campaign",
            ),
        ],
    )
}

/// Rules of TikTokConnection.
pub(super) fn connection() -> Vec<Topic> {
    vec![
        object_name("spec.appSecretRef.name"),
        object_name("spec.tokenSecretRef.name"),
        Topic::new(
            "spec.tokenSecretRef.key",
            vec![part(
                "self.matches('^[-._a-zA-Z0-9]+$')",
                "a key of a Secret has only letters, digits, -, _ and .: write it as it is in the Secret",
            )],
        ),
        id("spec.advertiserId"),
        amount("spec.caps.maxDailyBudgetPerObject.amount"),
        currency("spec.caps.maxDailyBudgetPerObject.currency"),
        Topic::new("spec.caps.maxDailyBudgetPerObject", vec![whole_units()]),
        amount("spec.caps.maxDailyBudgetTotal.amount"),
        currency("spec.caps.maxDailyBudgetTotal.currency"),
        Topic::new("spec.caps.maxDailyBudgetTotal", vec![whole_units()]),
        Topic::new("spec.caps", caps()),
        Topic::new(
            "spec",
            vec![part(
                "!has(oldSelf.advertiserId) || \
                 (has(self.advertiserId) && self.advertiserId == oldSelf.advertiserId)",
                "advertiserId cannot be changed or removed once it is set, because campaigns belong to their ad \
                 account: put it back, or make another TikTokConnection for the other account",
            )],
        ),
    ]
}

fn caps() -> Vec<Part> {
    let both = "!has(self.maxDailyBudgetPerObject) || !has(self.maxDailyBudgetTotal)";
    let (one, total) = (
        "string(self.maxDailyBudgetPerObject.amount)",
        "string(self.maxDailyBudgetTotal.amount)",
    );
    vec![
        part(
            format!(
                "{both} || self.maxDailyBudgetPerObject.currency == self.maxDailyBudgetTotal.currency"
            ),
            "both ceilings are in the currency of the ad account: write the same currency in both",
        ),
        part(
            format!(
                "{both} || !isQuantity({one}) || !isQuantity({total}) || \
                 !quantity({one}).isGreaterThan(quantity({total}))"
            ),
            "maxDailyBudgetPerObject is more than maxDailyBudgetTotal, so it would never be reached: lower it, or \
             raise maxDailyBudgetTotal",
        ),
    ]
}
