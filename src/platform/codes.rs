//! TikTok's return codes and texts, and the class each one has. Nobody else looks at a code.
//!
//! Source of the codes: TikTok's return-code appendix and the constants of its official SDK.

use std::time::Duration;

use super::call::Call;
use super::error::{AuthProblem, ErrorClass, Rejection, Throttle};
use super::kind::{Kind, Tree};
use super::read::unclear;
use super::table::table;

/// What a code and its text come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Finding {
    pub class: ErrorClass,
    pub field: Option<&'static str>,
}

/// What a code says about the effect of a call.
#[derive(Clone, Copy, Debug)]
enum Verdict {
    /// Surely without effect.
    Is(ErrorClass),
    /// The effect is not known: ambiguous for a write, retry for a read.
    Unclear,
    /// 40002 carries almost every validation failure: only its text tells them apart.
    ByText,
    /// The codes of the app's limits do not always say which window is full: the text or `Retry-After` may.
    TooMany,
    /// 40133 names the limit, which is published nowhere.
    OfAdvertiser,
    /// 40001 is both a missing scope and a missing right on the object.
    NoPermission,
}

use AuthProblem::{
    AppRefused, CodeRefused, GrantRefused, NotGranted, RefreshExpired, RefreshRefused,
    ScopeMissing, TokenExpired, TokenInvalid, TokenMissing,
};
use Verdict::{ByText, Is, NoPermission, OfAdvertiser, TooMany, Unclear};

const RETRY: Verdict = Is(ErrorClass::Retry);
const REFUSED: Verdict = Is(ErrorClass::Rejected(Rejection::Other));

const fn auth(problem: AuthProblem) -> Verdict {
    Is(ErrorClass::Auth(problem))
}

const fn rejected(rejection: Rejection) -> Verdict {
    Is(ErrorClass::Rejected(rejection))
}

/// Every code of the reference. What is not here falls to [`verdict`]'s ranges.
const CODES: &[(i64, Verdict)] = &[
    (40000, REFUSED),
    (40001, NoPermission),
    (40002, ByText),
    (40003, auth(NotGranted)),
    (40006, REFUSED),
    (40007, Is(ErrorClass::Gone)),
    (40008, REFUSED),
    (40009, REFUSED),
    (40010, REFUSED),
    (40011, REFUSED),
    (40012, rejected(Rejection::NothingToUpdate)),
    (40013, REFUSED),
    (40014, REFUSED),
    (40016, TooMany),
    (40050, rejected(Rejection::DuplicateRequest)),
    (40051, REFUSED),
    (40052, REFUSED),
    (40053, REFUSED),
    (40061, REFUSED),
    (40065, REFUSED),
    (40100, TooMany),
    (40101, auth(AppRefused)),
    (40102, auth(TokenExpired)),
    (40103, auth(RefreshExpired)),
    (40104, auth(TokenMissing)),
    (40105, auth(TokenInvalid)),
    (40106, auth(NotGranted)),
    // A refused refresh says nothing about the access token: long-lived tokens answer this (R21).
    (40107, auth(RefreshRefused)),
    (40108, auth(GrantRefused)),
    (40110, auth(CodeRefused)),
    (40113, auth(AppRefused)),
    (40115, auth(AppRefused)),
    (40116, auth(AppRefused)),
    (40117, auth(AppRefused)),
    (40118, rejected(Rejection::NotAllowlisted)),
    (40119, auth(NotGranted)),
    (40124, auth(AppRefused)),
    (40125, auth(AppRefused)),
    (40130, auth(ScopeMissing)),
    (40131, auth(NotGranted)),
    (40132, TooMany),
    (40133, OfAdvertiser),
    (40200, RETRY),
    (40201, RETRY),
    // Another write to the same object won: this one had no effect.
    (40202, RETRY),
    (40300, auth(NotGranted)),
    (40301, auth(NotGranted)),
    (40400, REFUSED),
    (40502, REFUSED),
    // "Internal service validation error", which TikTok wants retried: it does not say at which point it broke off.
    (40700, Unclear),
    (40900, REFUSED),
    (40901, RETRY),
    (40902, RETRY),
    (40903, RETRY),
    (40904, REFUSED),
    (40905, REFUSED),
    (40906, REFUSED),
    (40907, REFUSED),
    (40908, REFUSED),
    (40910, REFUSED),
    (40911, REFUSED),
    (40912, RETRY),
    (40913, RETRY),
    (40914, RETRY),
    (40915, REFUSED),
    (40916, REFUSED),
    (41000, REFUSED),
    (41001, REFUSED),
    (41002, REFUSED),
    (50000, Unclear),
    (50002, Unclear),
    (60001, Unclear),
    (61000, TooMany),
];

fn verdict(code: i64) -> Verdict {
    if let Ok(index) = CODES.binary_search_by_key(&code, |(known, _)| *known) {
        return CODES[index].1;
    }
    match code {
        // A new code among the client's errors: TikTok did not do it.
        40000..50000 => REFUSED,
        // 51xxx downstream services, 52xxx and 53xxx storage and serialisation, and whatever we have never seen.
        _ => Unclear,
    }
}

/// The class of an envelope with a code that is not success.
pub(super) fn classify(
    call: &Call,
    code: i64,
    message: &str,
    retry_after: Option<Duration>,
) -> Finding {
    let said = message.to_lowercase();
    let class = match verdict(code) {
        // That the manual tree is closed comes under a code that nobody knows yet: the text says it.
        Is(ErrorClass::Rejected(Rejection::Other | Rejection::NotAllowlisted))
            if matches!(
                call,
                Call::Create {
                    tree: Tree::Manual,
                    ..
                }
            ) && names_smart_plus(&said) =>
        {
            ErrorClass::Rejected(Rejection::UseSmartPlus)
        }
        Is(class) => class,
        Unclear => unclear(call),
        ByText => ErrorClass::by_text(&said, call.is_write()),
        TooMany => ErrorClass::Throttled(which_window(&said, retry_after)),
        OfAdvertiser => ErrorClass::Throttled(Throttle::Advertiser {
            per_second: named_limit(&said),
        }),
        NoPermission if said.contains("scope") => ErrorClass::Auth(ScopeMissing),
        NoPermission => ErrorClass::Auth(NotGranted),
    };
    let field = matches!(class, ErrorClass::Rejected(_))
        .then(|| field(call, class, &said))
        .flatten();
    Finding { class, field }
}

/// The class of one id in the `error_list` of a status call: there is only a text.
pub(super) fn class_of_item(message: &str) -> ErrorClass {
    ErrorClass::by_text(&message.to_lowercase(), true)
}

fn names_smart_plus(said: &str) -> bool {
    ["smart+", "smart plus", "smart_plus"]
        .iter()
        .any(|word| said.contains(word))
}

fn which_window(said: &str, retry_after: Option<Duration>) -> Throttle {
    let says = |words: &[&str]| words.iter().any(|word| said.contains(word));
    if let Some(wait) = retry_after {
        Throttle::After(super::read::bounded(wait))
    } else if says(&["qpd", "per day", "daily", "queries per day"]) {
        Throttle::Day
    } else if says(&["qpm", "per minute", "minute"]) {
        Throttle::Minute
    } else if says(&["qps", "per second"]) {
        Throttle::Second
    } else {
        Throttle::Unsaid
    }
}

/// `Advertiser (7002238017842757633)'s QPS (11) reaches QPS limit 10 for current path, …`: the 10.
fn named_limit(said: &str) -> Option<u32> {
    let (_, rest) = said.split_once("qps limit")?;
    let digits = rest.trim_start_matches([' ', ':', '(']);
    let end = digits.find(|c: char| !c.is_ascii_digit());
    let limit = digits[..end.unwrap_or(digits.len())].parse().ok()?;
    (limit > 0).then_some(limit)
}

impl ErrorClass {
    /// `said` is in lower case. The texts were seen live; the longer lists allow for other wordings of the same.
    fn by_text(said: &str, is_write: bool) -> ErrorClass {
        let has = |word: &str| said.contains(word);
        let any = |words: &[&str]| words.iter().any(|word| said.contains(word));
        let rejection =
            if has("name") && any(&["already exist", "been used", "is taken", "duplicate"]) {
                Rejection::NameTaken
            } else if names_smart_plus(said) {
                Rejection::UseSmartPlus
            } else if any(&[
                "allowlist",
                "allow list",
                "allow-list",
                "whitelist",
                "white list",
            ]) {
                Rejection::NotAllowlisted
            } else if has("budget")
                // A bid has to be lower than the budget, which is another matter.
                && !any(&["bid_price", "bid price", "roas_bid", " bid "])
                && !said.starts_with("bid ")
                && any(&[
                    "less than",
                    "lower than",
                    "at least",
                    "minimum",
                    "too low",
                    "105%",
                    "105 %",
                ])
            {
                Rejection::BudgetTooLow
            } else if has("duplicate") && has("request") {
                Rejection::DuplicateRequest
            } else if any(&["nothing to update", "no update", "nothing changed"]) {
                Rejection::NothingToUpdate
            } else if any(&[
                "in review",
                "under review",
                "being reviewed",
                "pending review",
                "under audit",
                "being audited",
            ]) {
                Rejection::InReview
            } else if is_write
                && any(&["campaign", "ad group", "adgroup", "ad "])
                // "cannot be deleted" speaks of what is still there.
                && (any(&["not exist", "not found", "not be found"])
                    || (has("deleted") && !has("be deleted")))
            {
                return ErrorClass::Gone;
            } else if has("try again later") {
                // Nothing is wrong with what was sent: "Could not acquire IP. Please try again later".
                return ErrorClass::Retry;
            } else {
                Rejection::Other
            };
        ErrorClass::Rejected(rejection)
    }
}

/// Texts seen live that are about a field without naming it, in lower case.
const ABOUT: &[(&str, &str)] = &[
    // TikTok's own words for it name a field that does not exist.
    ("identity_bc_id", "identity_authorized_bc_id"),
    ("custom identities are no longer supported", "identity_type"),
    ("upload an image", "image_ids"),
    ("behavior targeting", "actions"),
    ("start time", "schedule_start_time"),
    ("end time", "schedule_end_time"),
    ("select a pixel", "pixel_id"),
    ("catalogue id", "catalog_id"),
    ("vertical video", "video_id"),
];

/// Wire names that TikTok's texts mention literally and that are in no table of fields.
const NAMES: &[&str] = &[
    "campaign_name",
    "campaign_ids",
    "campaign_id",
    "adgroup_name",
    "adgroup_ids",
    "adgroup_id",
    "smart_plus_ad_ids",
    "smart_plus_ad_id",
    "ad_material_ids",
    "ad_name",
    "aco_ad_ids",
    "ad_ids",
    "ad_id",
    "budget_mode",
    "budget",
    "catalog_id",
    "operation_status",
    "request_id",
    "advertiser_id",
    "page_size",
    "filtering",
];

/// The field a refusal is about.
fn field(call: &Call, class: ErrorClass, said: &str) -> Option<&'static str> {
    let of = call.object();
    match class {
        ErrorClass::Rejected(Rejection::NameTaken) => {
            Some(of.map_or("campaign_name", |(kind, tree)| table(kind, tree).name))
        }
        ErrorClass::Rejected(Rejection::BudgetTooLow) => Some("budget"),
        ErrorClass::Rejected(Rejection::UseSmartPlus) => Some("objective_type"),
        ErrorClass::Rejected(Rejection::DuplicateRequest) => Some("request_id"),
        _ => {
            let about = ABOUT.iter().find(|(text, _)| said.contains(text));
            about.map(|(_, field)| *field).or_else(|| named(of, said))
        }
    }
}

/// The longest wire name that the text has as a word of its own.
fn named(of: Option<(Kind, Tree)>, said: &str) -> Option<&'static str> {
    let fields = of.map_or(&[][..], |(kind, tree)| table(kind, tree).fields);
    let words: Vec<&str> = said
        .split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .collect();
    fields
        .iter()
        .map(|field| field.name)
        .chain(NAMES.iter().copied())
        .filter(|name| words.contains(name))
        .max_by_key(|name| name.len())
}

#[cfg(test)]
#[path = "codes_tests.rs"]
mod tests;
