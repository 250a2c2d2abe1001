//! Making, changing and ending a token, and what may go wrong with it (R21).

use super::super::golden_replies::ok;
use super::*;

const APP: &str = "7100000000000000001";
const CODE: &str = "canarycode";
const REFRESH: &str = "canaryrefresh";
const TOKEN: &str = "canarytoken";

pub(super) fn exchange() -> Call {
    Call::Exchange {
        app_id: APP.into(),
        secret: CANARY.into(),
        code: CODE.into(),
        dialect: OauthDialect::standard(),
    }
}

fn refresh_in(dialect: &'static OauthDialect) -> Call {
    Call::Refresh {
        app_id: APP.into(),
        secret: CANARY.into(),
        refresh_token: REFRESH.into(),
        dialect,
    }
}

fn refresh() -> Call {
    refresh_in(OauthDialect::standard())
}

fn revoke() -> Call {
    Call::Revoke {
        app_id: APP.into(),
        secret: CANARY.into(),
        access_token: TOKEN.into(),
    }
}

pub(super) fn calls() -> Vec<Call> {
    vec![exchange(), refresh(), revoke()]
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn token(call: &Call, data: Value) -> TokenReply {
    match read(call, ok(data)).map(|answer| answer.reply) {
        Ok(Reply::Token(token)) => token,
        other => panic!("{other:?}"),
    }
}

/// A long-lived token of an app that names no expiry.
fn plain() -> TokenReply {
    TokenReply {
        access_token: TOKEN.into(),
        expires_in: None,
        lifetime_unreadable: false,
        refresh_token: None,
        refresh_expires_in: None,
        scopes: Vec::new(),
        advertisers: Vec::new(),
    }
}

#[test]
fn r21_the_three_requests_carry_their_secrets_in_the_body_and_no_header() {
    let expected = [
        (
            exchange(),
            "/open_api/v1.3/oauth2/access_token/",
            json!({"app_id": APP, "secret": CANARY, "auth_code": CODE, "return_advertiser_ids": false}),
        ),
        (
            refresh(),
            "/open_api/v1.3/oauth2/refresh_token/",
            json!({"app_id": APP, "secret": CANARY, "grant_type": "refresh_token", "refresh_token": REFRESH}),
        ),
        (
            revoke(),
            "/open_api/v1.3/oauth2/revoke_token/",
            json!({"app_id": APP, "secret": CANARY, "access_token": TOKEN}),
        ),
    ];
    for (call, path, body) in expected {
        let request = call.request(Some(&"deadtoken".into()));
        assert_eq!((request.method, request.path), (Method::Post, path));
        assert!(request.query.is_empty() && request.token.is_none());
        assert_eq!(request.body, Some(body));
        assert!(call.is_write());
    }
}

#[test]
fn r21_another_dialect() {
    let dialect = OauthDialect::default()
        .with_refresh_path("/open_api/v1.4/tokens/refresh/")
        .and_then(|dialect| dialect.with_refresh_names(&names(&["renewal", "refresh_token"])))
        .and_then(|dialect| dialect.with_expiry_names(&names(&["lives_for"])))
        .and_then(|dialect| dialect.with_refresh_expiry_names(&names(&["renewal_lives_for"])))
        .unwrap()
        .keep();
    let call = refresh_in(dialect);
    let request = call.request(None);
    assert_eq!(request.path, "/open_api/v1.4/tokens/refresh/");
    assert_eq!(
        request.body,
        Some(
            json!({"app_id": APP, "secret": CANARY, "grant_type": "refresh_token", "renewal": REFRESH})
        )
    );
    let data = json!({"access_token": TOKEN, "expires_in": 5, "lives_for": 600, "renewal": "new", "renewal_lives_for": 900});
    assert_eq!(
        token(&call, data),
        TokenReply {
            expires_in: Some(600),
            refresh_token: Some("new".into()),
            refresh_expires_in: Some(900),
            ..plain()
        }
    );
}

#[test]
fn r21_a_dialect_that_cannot_be_used_is_refused_at_start_up() {
    for path in [
        "",
        "/",
        "//",
        "oauth2/refresh_token/",
        "/oauth2/refresh_token",
        "/oauth2//refresh_token/",
        "/oauth2/../refresh/",
        "/./x/",
        "/a?b/",
        "/a b/",
        "/a%2f/",
        "/é/",
        "https://example.com/",
    ] {
        let refused = OauthDialect::default().with_refresh_path(path);
        assert_eq!(refused, Err(DialectError::Path(path.into())), "{path}");
        assert!(
            DialectError::Path(path.into())
                .to_string()
                .contains("/open_api/v1.3/oauth2/refresh_token/")
        );
    }
    for name in ["", "a b", "a.b", "é", &"x".repeat(65)] {
        assert!(
            matches!(
                OauthDialect::default().with_expiry_names(&names(&["ok", name])),
                Err(DialectError::Name(_))
            ),
            "{name}"
        );
    }
    assert!(matches!(
        OauthDialect::default().with_refresh_names(&[]),
        Err(DialectError::NoName(_))
    ));
}

/// What many apps get in 2026 (Appendix B): no expiry at all.
#[test]
fn r21_a_long_lived_token() {
    let data = json!({"access_token": TOKEN, "advertiser_ids": [ADVERTISER, 7], "scope": [44, 4, 4, "12", -1, 1.5, null]});
    assert_eq!(
        token(&exchange(), data),
        TokenReply {
            scopes: vec![4, 12, 44],
            advertisers: vec![ADVERTISER.into(), "7".into()],
            ..plain()
        }
    );
    for none in [
        json!({}),
        json!({"expires_in": 0}),
        json!({"access_token_expire_in": 0}),
        json!({"expires_in": null, "refresh_token": null}),
        json!({"expires_in": "", "refresh_token": ""}),
        json!({"expires_in": "0"}),
        json!({"expires_in": 0.0, "refresh_token_expires_in": 0}),
    ] {
        let mut data = none.clone();
        data["access_token"] = json!(TOKEN);
        assert_eq!(token(&exchange(), data), plain(), "{none}");
    }
}

#[test]
fn r21_tokens_that_expire() {
    for (named, seconds) in [
        (json!({"expires_in": 86400}), 86400),
        (json!({"access_token_expire_in": 86400}), 86400),
        (json!({"expires_in": "86400"}), 86400),
        (json!({"expires_in": 86400.0}), 86400),
        // Of two that differ the shorter; none at all is none, not the shortest.
        (
            json!({"expires_in": 86400, "access_token_expire_in": 3600}),
            3600,
        ),
        (
            json!({"expires_in": 0, "access_token_expire_in": 3600}),
            3600,
        ),
        (json!({"expires_in": u64::MAX}), 100 * 366 * 86400),
    ] {
        let mut data = named.clone();
        data["access_token"] = json!(TOKEN);
        let expected = TokenReply {
            expires_in: Some(seconds),
            ..plain()
        };
        assert_eq!(token(&refresh(), data), expected, "{named}");
    }
    let data = json!({"access_token": TOKEN, "token_type": "Bearer", "expires_in": 86400, "refresh_token": REFRESH,
        "refresh_token_expires_in": 31536000, "scope": "4,44", "open_id": "x"});
    assert_eq!(
        token(&exchange(), data),
        TokenReply {
            expires_in: Some(86400),
            refresh_token: Some(REFRESH.into()),
            refresh_expires_in: Some(31_536_000),
            scopes: vec![4, 44],
            ..plain()
        }
    );
}

#[test]
fn r21_a_lifetime_that_is_no_number_is_said_to_be_unreadable() {
    for strange in [
        json!("a day"),
        json!(-1),
        json!(1.5),
        json!([1]),
        json!({}),
        json!(true),
    ] {
        let data = json!({"access_token": TOKEN, "expires_in": strange});
        let expected = TokenReply {
            lifetime_unreadable: true,
            ..plain()
        };
        assert_eq!(token(&exchange(), data), expected, "{strange}");
        let data =
            json!({"access_token": TOKEN, "expires_in": strange, "access_token_expire_in": 60});
        let expected = TokenReply {
            expires_in: Some(60),
            ..expected
        };
        assert_eq!(token(&exchange(), data), expected, "{strange}");
    }
}

#[test]
fn r21_without_a_usable_token_nobody_knows_what_the_call_did() {
    for data in [
        json!({}),
        json!(null),
        json!([]),
        json!({"access_token": null}),
        json!({"access_token": ""}),
        json!({"access_token": 5}),
        json!({"access_token": "canary token"}),
        json!({"access_token": "canary\n"}),
        json!({"access_token": "canaryé"}),
        json!({"access_token": "x".repeat(5000)}),
    ] {
        for call in [exchange(), refresh()] {
            let error = read(&call, ok(data.clone())).expect_err("an error");
            assert_eq!(error.class, ErrorClass::Ambiguous, "{data}");
            assert!(!error.class.is_definite());
            assert!(!format!("{error} {error:?}").contains("canary"), "{error}");
        }
    }
    // A refresh token that no header could carry is none; the access token counts.
    let data = json!({"access_token": TOKEN, "refresh_token": "a b"});
    assert_eq!(token(&refresh(), data), plain());
}

#[test]
fn r22_a_revoke_names_the_accounts_that_lost_access() {
    for (data, advertisers) in [
        (
            json!({"app_id": APP, "advertiser_ids": [ADVERTISER, "8"]}),
            vec![ADVERTISER, "8"],
        ),
        (json!({"app_id": APP}), vec![]),
        (json!({}), vec![]),
    ] {
        let expected = Reply::Revoked {
            advertisers: names(&advertisers),
        };
        assert_eq!(
            read(&revoke(), ok(data)).map(|answer| answer.reply),
            Ok(expected)
        );
    }
}

#[test]
fn r21_a_caller_can_tell_by_class_what_went_wrong() {
    let class = |call: &Call, code: i64| {
        read(
            call,
            reply(&json!({"code": code, "message": "no", "data": {}})),
        )
        .expect_err("an error")
        .class
    };
    let definite = [
        (40101, AuthProblem::AppRefused),
        (40103, AuthProblem::RefreshExpired),
        (40105, AuthProblem::TokenInvalid),
        (40107, AuthProblem::RefreshRefused),
        (40108, AuthProblem::GrantRefused),
        (40110, AuthProblem::CodeRefused),
        (40113, AuthProblem::AppRefused),
    ];
    for call in calls() {
        for (code, problem) in definite {
            let class = class(&call, code);
            assert_eq!(class, ErrorClass::Auth(problem), "{code}");
            assert!(class.is_definite());
        }
        for code in [40100, 61000, 40202, 40901] {
            let class = class(&call, code);
            assert!(
                matches!(class, ErrorClass::Throttled(_) | ErrorClass::Retry),
                "{code}"
            );
            assert!(!class.is_definite());
        }
        for code in [40700, 50000, 50002, 51010, 60001, 20001, 7] {
            assert_eq!(class(&call, code), ErrorClass::Ambiguous, "{code}");
        }
        let lost = transport_error(&call, TransportError::Unclear("timed out".into()));
        assert_eq!(lost.class, ErrorClass::Ambiguous);
        let unsent = transport_error(&call, TransportError::NotSent("refused".into()));
        assert_eq!(unsent.class, ErrorClass::Retry);
        assert!(
            read(&call, raw(404, "404 page not found"))
                .expect_err("")
                .class
                .is_definite()
        );
    }
}

#[test]
fn r21_errors_say_what_to_do() {
    let said = |call: &Call, code: i64, message: &str| {
        let body = json!({"code": code, "message": message, "request_id": "R1", "data": {}});
        read(call, reply(&body)).expect_err("an error").to_string()
    };
    assert_eq!(
        said(&exchange(), 40110, "auth_code is invalid"),
        "Exchange: TikTok says: auth_code is invalid (code 40110, request R1). The code of this sign-in is wrong, was used \
         before, or is older than an hour: open the connect link again"
    );
    assert_eq!(
        said(&refresh(), 40107, "Refresh token is incorrect"),
        "Refresh: TikTok says: Refresh token is incorrect (code 40107, request R1). TikTok gives no new access token for this \
         refresh token, which is wrong or was used before, or belongs to a token that does not expire: if the access token \
         stops working, authorise again"
    );
    assert!(said(&exchange(), 50000, "").ends_with("open the connect link again"));
    assert!(said(&refresh(), 50000, "").ends_with("authorise again"));
    assert!(said(&revoke(), 50000, "").contains("looked up"));
    let unknown = read(&refresh(), raw(404, "404 page not found")).expect_err("an error");
    assert!(unknown.to_string().contains("refresh path"), "{unknown}");
}

#[test]
fn r25_what_was_sent_never_comes_back_in_an_error_or_a_debug() {
    for call in calls() {
        let message = format!("bad: {CANARY} {CODE} {REFRESH} {TOKEN}, {CANARY}");
        let body = json!({"code": 40101, "message": message, "data": {}});
        let error = read(&call, reply(&body)).expect_err("an error");
        let mut shown = format!("{error} {error:?} {} {call:?} {call:#?}", error.lasting());
        // Each call knows its own.
        for (of_others, own) in [
            (CODE, matches!(call, Call::Exchange { .. })),
            (REFRESH, matches!(call, Call::Refresh { .. })),
            (TOKEN, matches!(call, Call::Revoke { .. })),
        ] {
            if !own {
                shown = shown.replace(of_others, "");
            }
        }
        assert!(!shown.contains("canary"), "{shown}");
        assert!(shown.contains("[hidden]"), "{shown}");
    }
    let data = json!({"access_token": TOKEN, "refresh_token": REFRESH});
    let answer = read(&exchange(), ok(data)).expect("an answer");
    let shown = format!("{answer:?} {answer:#?}");
    assert!(!shown.contains("canary"), "{shown}");
}
