use axum::http::StatusCode;
use jiff::Timestamp;
use proptest::prelude::*;

use super::super::backend::{
    Advertiser, Advertisers, ConnectionPage, Problem, Rotation, Search, TokenFacts,
};
use super::super::form::pick_token;
use super::*;

fn at() -> At {
    At::new("shop", "main").unwrap()
}

/// The tags of a page, each with its name and its attributes' names, in the order in which a browser reads them. Fails
/// where a browser would have to guess.
fn tags(html: &str) -> Vec<String> {
    let mut found = Vec::new();
    let html = html.replace(STYLE, "");
    let mut rest = &*html;
    while let Some(start) = rest.find('<') {
        assert!(
            !rest[..start].contains('>'),
            "a stray >: {}",
            &rest[..start]
        );
        let mut end = None;
        let mut quoted = false;
        for (index, character) in rest[start..].char_indices() {
            match character {
                '"' => quoted = !quoted,
                '>' if !quoted => {
                    end = Some(start + index);
                    break;
                }
                '<' if index > 0 => panic!("a tag within a tag: {}", &rest[start..]),
                _ => {}
            }
        }
        let end = end.expect("a tag ends");
        let tag = &rest[start + 1..end];
        let mut shape = String::new();
        for (index, part) in tag.split('"').enumerate() {
            if index % 2 == 0 {
                shape.push_str(part);
            }
        }
        found.push(shape);
        rest = &rest[end + 1..];
    }
    found
}

fn page_of(text: &str, phase: &str, ticket: Option<&str>) -> String {
    let time: Timestamp = "2026-12-01T06:00:00Z".parse().unwrap();
    let account = Advertiser {
        id: text.to_owned(),
        name: text.to_owned(),
    };
    let other = Advertiser {
        id: "1".into(),
        name: text.to_owned(),
    };
    let shown = ConnectionPage {
        phase: phase.to_owned(),
        banner: Some(text.to_owned()),
        message: Some(text.to_owned()),
        advertiser: Some(account.clone()),
        token: Some(TokenFacts {
            profile: text.to_owned(),
            expires_at: Some(time),
            rotates_at: Some(time),
            last_rotation: Some(Rotation {
                at: time,
                succeeded: false,
                message: Some(text.to_owned()),
            }),
        }),
        missing_scopes: vec![text.to_owned()],
        advertisers: Advertisers {
            shown: vec![account, other],
            found: 120,
            all: 500,
        },
        ..ConnectionPage::default()
    };
    let search = Search {
        text: text.to_owned(),
        page: 1,
    };
    let form = pick_token(&"s".into(), &at());
    connection(&at(), &shown, &search, &form, ticket).into_string()
}

proptest! {
    /// Whatever people on TikTok call their ad accounts, the page has the same tags as with a harmless name.
    #[test]
    fn no_name_adds_a_tag(text in "\\PC{1,40}|[a-z<>\"'&/= \n\u{202e}]{1,60}", phase in "Active|ReadOnly|[<>a-z]{0,9}") {
        let harmless = tags(&page_of("x", "Active", Some("t")));
        prop_assert_eq!(tags(&page_of(&text, &phase, Some("t"))), harmless);
        let trouble_of = |text: &str| trouble(&Trouble::of(&Problem::CodeRefused(text.to_owned()))).into_string();
        prop_assert_eq!(tags(&trouble_of(&text)), tags(&trouble_of("x")));
        let begin_of = |text: &str| begin(&at(), text).into_string();
        prop_assert_eq!(tags(&begin_of(&text)), tags(&begin_of("x")));
    }
}

#[test]
fn hostile_names_are_shown_as_they_are() {
    let page = page_of(
        "<script>alert(1)</script>\" onfocus=x autofocus '",
        "Active",
        None,
    );
    assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;&quot; onfocus=x autofocus &#39;"));
    assert!(!page.contains("<script"));
}

#[test]
fn a_page_names_its_language_and_loads_nothing() {
    let pages = [
        page_of("Shop", "Active", None),
        how_to(&at()).into_string(),
        begin(&at(), "t").into_string(),
        trouble(&Trouble::nobody_leads()).into_string(),
        trouble(&Trouble::another_site()).into_string(),
    ];
    for page in pages {
        assert!(
            page.starts_with("<!doctype html>\n<html lang=\"en\">"),
            "{page}"
        );
        assert_eq!(page.matches("<h1>").count(), 1);
        assert!(!page.contains("src=") && !page.contains("<link") && !page.contains("<script"));
        assert!(!page.contains("http://") && !page.contains("https://"));
        assert!(!page.contains(" style="), "the policy forbids it");
        assert!(
            page.contains(&format!("<style>{STYLE}</style>")),
            "its hash is of these very bytes"
        );
    }
    assert!(!STYLE.contains("url(") && !STYLE.contains("@import") && !STYLE.contains('<'));
}

#[test]
fn every_trouble_says_what_happened_what_it_means_and_what_to_do() {
    let problems = [
        Problem::Unknown,
        Problem::Ticket,
        Problem::State,
        Problem::StateExpired,
        Problem::OtherBrowser,
        Problem::Session,
        Problem::NotListed,
        Problem::Taken(Some("uk".into())),
        Problem::Taken(None),
        Problem::AppRefused("Secret app: no".into()),
        Problem::CodeRefused("40110: used".into()),
        Problem::NotGranted("7001".into()),
        Problem::Platform("no answer".into()),
        Problem::Busy,
    ];
    for problem in problems {
        let found = Trouble::of(&problem);
        assert!(found.status.is_client_error() || found.status.is_server_error());
        let page = trouble(&found).into_string();
        for part in ["<h1>", "What it means", "What to do"] {
            assert!(page.contains(part), "{problem:?}");
        }
    }
    let page = |problem| trouble(&Trouble::of(&problem)).into_string();
    assert_eq!(page(Problem::Unknown), page(Problem::Ticket));
    assert_eq!(Trouble::of(&Problem::Unknown).status, StatusCode::FORBIDDEN);
    assert!(page(Problem::CodeRefused("40110: used".into())).contains("40110: used"));
}

#[test]
fn a_page_offers_what_can_be_done() {
    let mut shown = ConnectionPage {
        phase: "Pending".into(),
        ..ConnectionPage::default()
    };
    let render = |shown: &ConnectionPage, ticket| {
        connection(&at(), shown, &Search::default(), "f", ticket).into_string()
    };
    let page = render(&shown, None);
    assert!(
        page.contains("http-equiv=\"refresh\""),
        "it looks again by itself"
    );
    assert!(page.contains("tiktok-ads-operator connect main -n shop"));
    assert!(!page.contains("advertiser_id"));
    assert!(render(&shown, Some("t2")).contains("value=\"t2\""));
    shown.reauthorise = Some("t3".into());
    assert!(render(&shown, None).contains("value=\"t3\""));
    shown.phase = "AwaitingAdvertiser".into();
    shown.advertisers = Advertisers {
        shown: vec![Advertiser {
            id: "7".into(),
            name: String::new(),
        }],
        found: 1,
        all: 1,
    };
    let page = render(&shown, None);
    assert!(
        !page.contains("http-equiv=\"refresh\""),
        "who is picking is not disturbed"
    );
    assert!(page.contains("reaches 1 ad account."));
    assert!(page.contains("(without a name)"));
    assert!(!page.contains("type=\"search\""), "one needs no search");
    shown.advertiser_in_manifest = true;
    assert!(!render(&shown, None).contains("advertiser_id"));
    shown.phase = "Disconnecting".into();
    let page = render(&shown, Some("t"));
    assert!(!page.contains("<form"), "nothing can be done any more");
}

#[test]
fn long_lists_are_turned_page_by_page() {
    let page = page_of("a&b", "AwaitingAdvertiser", None);
    assert!(page.contains("Page 2 of 3"));
    assert!(page.contains("href=\"/connect/shop/main?q=a%26b&amp;page=1\">Earlier"));
    assert!(page.contains("href=\"/connect/shop/main?q=a%26b&amp;page=3\">Later"));
    assert!(page.contains("<label for=\"q\">"));
}
