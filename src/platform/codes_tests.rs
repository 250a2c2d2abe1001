#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::super::call::OperationStatus;
use super::super::error::PlatformError;
use super::super::golden::{
    campaign, create, create_of, every_call, list, reply, set_status, set_status_of,
};
use super::super::read::read;
use super::*;

fn error(call: &Call, code: i64, message: &str) -> PlatformError {
    let body =
        serde_json::json!({"code": code, "message": message, "request_id": "R1", "data": {}});
    read(call, reply(&body)).expect_err("an error")
}

/// Every code of the reference's table with what it means: s surely without effect, u unclear, g gone, r refused,
/// t throttled, a access.
const REFERENCE: &str = "
40000 r 40001 a 40002 r 40003 a 40006 r 40051 r 40007 g 40008 r 40009 r 40013 r 40014 r 40010 r 40011 r 40012 r 40016 t
40050 r 40052 r 40053 r 40061 r 40065 r 40100 t 40101 a 40102 a 40103 a 40104 a 40105 a 40106 a 40107 a 40108 a 40110 a
40113 a 40115 a 40116 a 40117 a 40118 r 40119 a 40124 a 40125 a 40130 a 40131 a 40132 t 40133 t 40200 s 40201 s 40202 s
40300 a 40301 a 40400 r 40502 r 40700 u 40900 r 40901 s 40902 s 40903 s 40912 s 40913 s 40914 s 40904 r 40908 r 40915 r
40916 r 40905 r 40906 r 40907 r 40910 r 40911 r 41000 r 41001 r 41002 r 50000 u 50002 u 51000 u 51010 u 51016 u 51047 u
52000 u 53000 u 60001 u 61000 t";

#[test]
fn every_code_of_the_reference_has_its_class() {
    let words: Vec<&str> = REFERENCE.split_whitespace().collect();
    assert_eq!(words.len(), 2 * 79);
    for pair in words.chunks(2) {
        let code = pair[0].parse().expect("a code");
        for call in every_call() {
            let found = error(&call, code, "").class;
            let fits = match pair[1] {
                "s" => found == ErrorClass::Retry,
                "u" => {
                    found
                        == if call.is_write() {
                            ErrorClass::Ambiguous
                        } else {
                            ErrorClass::Retry
                        }
                }
                "g" => found == ErrorClass::Gone,
                "r" => matches!(found, ErrorClass::Rejected(_)),
                "t" => matches!(found, ErrorClass::Throttled(_)),
                "a" => matches!(found, ErrorClass::Auth(_)),
                other => panic!("{other}"),
            };
            assert!(fits, "{code} for {}: {found:?}", call.name());
        }
    }
}

#[test]
fn the_table_is_sorted_for_its_search() {
    assert!(CODES.windows(2).all(|pair| pair[0].0 < pair[1].0));
}

#[test]
fn codes_that_mean_one_thing() {
    let call = create(Tree::Manual);
    for (code, class) in [
        (40050, ErrorClass::Rejected(Rejection::DuplicateRequest)),
        (40012, ErrorClass::Rejected(Rejection::NothingToUpdate)),
        (40118, ErrorClass::Rejected(Rejection::NotAllowlisted)),
        (40101, ErrorClass::Auth(AppRefused)),
        (40102, ErrorClass::Auth(TokenExpired)),
        (40104, ErrorClass::Auth(TokenMissing)),
        (40105, ErrorClass::Auth(TokenInvalid)),
        (40106, ErrorClass::Auth(NotGranted)),
        (40103, ErrorClass::Auth(RefreshExpired)),
        (40107, ErrorClass::Auth(RefreshRefused)),
        (40108, ErrorClass::Auth(GrantRefused)),
        (40110, ErrorClass::Auth(CodeRefused)),
        (40113, ErrorClass::Auth(AppRefused)),
        (40130, ErrorClass::Auth(ScopeMissing)),
        (
            40133,
            ErrorClass::Throttled(Throttle::Advertiser { per_second: None }),
        ),
        (40099, ErrorClass::Rejected(Rejection::Other)),
        (20001, ErrorClass::Ambiguous),
        (12345, ErrorClass::Ambiguous),
        (-1, ErrorClass::Ambiguous),
    ] {
        assert_eq!(error(&call, code, "").class, class, "{code}");
    }
    assert_eq!(
        error(&call, 40001, "No permission to operate this advertiser").class,
        ErrorClass::Auth(NotGranted)
    );
    assert_eq!(
        error(&call, 40001, "The scope is not authorized").class,
        ErrorClass::Auth(ScopeMissing)
    );
}

#[test]
fn r12_the_closed_manual_tree_is_recognised_under_any_code() {
    let said =
        "Please use /smart_plus/campaign/create/ to create an Upgraded Smart+ Campaign instead.";
    for code in [40002, 40118, 41001] {
        assert_eq!(
            error(&create(Tree::Manual), code, said).class,
            ErrorClass::Rejected(Rejection::UseSmartPlus),
            "{code}"
        );
    }
    assert_eq!(
        error(&create(Tree::SmartPlus), 40118, said).class,
        ErrorClass::Rejected(Rejection::NotAllowlisted)
    );
}

#[test]
fn the_live_texts_of_40002() {
    use Rejection::*;
    for (text, rejection, field) in [
        (
            "Campaign name already exists. Please try another one.",
            NameTaken,
            Some("campaign_name"),
        ),
        (
            "Your budget setting must not be less than £50",
            BudgetTooLow,
            Some("budget"),
        ),
        (
            "The budget must be at least 105% of the current spend.",
            BudgetTooLow,
            Some("budget"),
        ),
        (
            "This objective is only available in Upgraded Smart+ campaigns.",
            UseSmartPlus,
            Some("objective_type"),
        ),
        ("This is an allowlist-only feature", NotAllowlisted, None),
        ("The ad is in review", InReview, None),
        ("Could not find catalogue ID.", Other, Some("catalog_id")),
        (
            "objective_type: not acceptable",
            Other,
            Some("objective_type"),
        ),
        ("budget_mode: not acceptable", Other, Some("budget_mode")),
        ("", Other, None),
    ] {
        let error = error(&create(Tree::Manual), 40002, text);
        assert_eq!(
            (error.class, error.field),
            (ErrorClass::Rejected(rejection), field),
            "{text}"
        );
    }
}

#[test]
fn the_live_texts_about_ad_groups_and_ads() {
    use Rejection::{InReview, NameTaken, Other};
    let group = |tree| create_of(Kind::AdGroup, tree, campaign(&[]));
    let ad = |tree| create_of(Kind::Ad, tree, campaign(&[]));
    for (call, text, rejection, field) in [
        (
            ad(Tree::Manual),
            "Identity_type and Identity_bc_ID don't match",
            Other,
            Some("identity_authorized_bc_id"),
        ),
        (
            ad(Tree::Manual),
            "You must upload an image",
            Other,
            Some("image_ids"),
        ),
        (
            ad(Tree::SmartPlus),
            "Custom identities are no longer supported.",
            Other,
            Some("identity_type"),
        ),
        (
            group(Tree::Manual),
            "Invalid time period set for behavior targeting.",
            Other,
            Some("actions"),
        ),
        (
            group(Tree::Manual),
            "Start time can't be earlier than the current time.",
            Other,
            Some("schedule_start_time"),
        ),
        (
            group(Tree::SmartPlus),
            "Please select a pixel.",
            Other,
            Some("pixel_id"),
        ),
        (
            group(Tree::Manual),
            "actions.0.action_period missing",
            Other,
            Some("actions"),
        ),
        (
            group(Tree::SmartPlus),
            "conversion_bid_price must be lower than the budget",
            Other,
            Some("conversion_bid_price"),
        ),
        (
            group(Tree::Manual),
            "Ad group name already exists.",
            NameTaken,
            Some("adgroup_name"),
        ),
        (
            ad(Tree::SmartPlus),
            "The name is taken",
            NameTaken,
            Some("ad_name"),
        ),
        (
            set_status_of(Kind::Ad, Tree::Manual, &["1"], OperationStatus::Enable),
            "The ad is being audited and cannot be enabled.",
            InReview,
            None,
        ),
    ] {
        let error = error(&call, 40002, text);
        assert_eq!(
            (error.class, error.field),
            (ErrorClass::Rejected(rejection), field),
            "{text}"
        );
    }
    let busy = "Could not acquire IP. Please try again later";
    assert_eq!(
        error(&ad(Tree::Manual), 40002, busy).class,
        ErrorClass::Retry
    );
    // The ad group holds as many ads as TikTok allows.
    assert_eq!(
        error(&ad(Tree::Manual), 40502, "").class,
        ErrorClass::Rejected(Other)
    );
}

#[test]
fn r05_what_is_gone_with_its_parent_is_gone() {
    for (kind, said) in [
        (Kind::AdGroup, "The campaign has been deleted."),
        (Kind::AdGroup, "The ad group does not exist"),
        (Kind::Ad, "The ad group has been deleted."),
        (Kind::Ad, "This ad has been deleted"),
    ] {
        let call = set_status_of(kind, Tree::Manual, &["1"], OperationStatus::Disable);
        assert_eq!(error(&call, 40002, said).class, ErrorClass::Gone, "{said}");
    }
}

#[test]
fn r05_what_cannot_be_deleted_is_still_there() {
    for said in [
        "Ad group 1 is in a Dedicated Campaign and cannot be deleted alone.",
        "The ad cannot be deleted.",
    ] {
        let call = set_status_of(Kind::AdGroup, Tree::Manual, &["1"], OperationStatus::Delete);
        let class = error(&call, 40002, said).class;
        assert_eq!(class, ErrorClass::Rejected(Rejection::Other), "{said}");
    }
}

#[test]
fn r05_a_deleted_campaign_is_gone_for_writes() {
    let said = "The campaign has been deleted and its status cannot be changed.";
    assert_eq!(
        error(
            &set_status(Tree::Manual, &["1"], OperationStatus::Disable),
            40002,
            said
        )
        .class,
        ErrorClass::Gone
    );
    let read = error(&list(Tree::Manual, 1, 10), 40002, said);
    assert_eq!(read.class, ErrorClass::Rejected(Rejection::Other));
}

#[test]
fn r06_which_limit_a_throttle_names() {
    for (text, throttle) in [
        (
            "Too many requests, please try again later.",
            Throttle::Unsaid,
        ),
        ("", Throttle::Unsaid),
        ("App QPS limit reached", Throttle::Second),
        ("Request too frequent: QPM limit 600", Throttle::Minute),
        ("Too many requests per minute", Throttle::Minute),
        ("The daily limit of your app is reached", Throttle::Day),
        ("QPD limit", Throttle::Day),
    ] {
        for code in [40016, 40100, 40132, 61000] {
            assert_eq!(
                error(&list(Tree::Manual, 1, 10), code, text).class,
                ErrorClass::Throttled(throttle),
                "{code}: {text}"
            );
        }
    }
    let live = "Advertiser (7002238017842757633)'s QPS (11) reaches QPS limit 10 for current path, request is temporarily restricted.";
    for (text, per_second) in [
        (live, Some(10)),
        ("QPS limit: 1", Some(1)),
        ("QPS limit", None),
        ("QPS limit 0", None),
        ("QPS limit 99999999999", None),
        ("QPS limit é", None),
        ("", None),
    ] {
        assert_eq!(
            error(&list(Tree::Manual, 1, 10), 40133, text).class,
            ErrorClass::Throttled(Throttle::Advertiser { per_second }),
            "{text}"
        );
    }
    for code in [40016, 40100, 40132, 61000] {
        let body = serde_json::json!({"code": code, "message": "QPS", "data": {}});
        let mut wire = reply(&body);
        wire.retry_after = Some(Duration::from_secs(3));
        let class = read(&list(Tree::Manual, 1, 10), wire)
            .expect_err("an error")
            .class;
        assert_eq!(
            class,
            ErrorClass::Throttled(Throttle::After(Duration::from_secs(3))),
            "{code}"
        );
    }
}

#[test]
fn r19_an_error_shows_one_harmless_line() {
    let said = format!("bad\u{1b}[31m\n{}", "x ".repeat(1000));
    let error = error(&create(Tree::Manual), 40002, &said);
    assert!(error.message.chars().count() <= 500 && error.message.ends_with('…'));
    assert!(!error.to_string().chars().any(char::is_control));
}

#[test]
fn every_error_says_what_to_do() {
    for (code, text, shown) in [
        (
            40002,
            "Campaign name already exists. Please try another one.",
            "CreateCampaign: TikTok says: Campaign name already exists. Please try another one. (code 40002, request R1). \
             Another object of this ad account has the name: choose another, or adopt that one",
        ),
        (
            50000,
            "",
            "CreateCampaign: TikTok answered with code 50000 (request R1). \
             It may or may not have been done: the platform is looked up before it is repeated",
        ),
    ] {
        assert_eq!(error(&create(Tree::Manual), code, text).to_string(), shown);
    }
}
