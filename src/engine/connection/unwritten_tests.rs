use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};

use super::super::secrets::ACCESS_TOKEN;
use super::*;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_000_000 + second).unwrap()
}

fn secret(text: &str) -> SecretString {
    SecretString::from(text)
}

/// A Secret with this pair, and the token in it.
fn held(access: &str, refresh: &str) -> (Data, Token) {
    let token = Token {
        id: fingerprint(&[&secret(access)]),
        issued_at: Some(at(0)),
        expires_at: Some(at(7200)),
        lifetime: Some(Duration::from_secs(7200)),
        refresh: true,
        ..Token::default()
    };
    let mut data = Data::new();
    data.insert(ACCESS_TOKEN.into(), secret(access));
    data.insert(REFRESH_TOKEN.into(), secret(refresh));
    write_token(&mut data, &token);
    (data, token)
}

/// The Secret with the mark of a call, and what the call came to. `new`: the pair that it brought.
fn called(new: Option<(&str, &str)>) -> (Data, Renewal) {
    let (mut data, token) = held("a1", "r1");
    let before = data.clone();
    let marked = token.marked(false, at(5400));
    write_token(&mut data, &marked);
    let pair = new.map(|(access, refresh)| TokenReply {
        access_token: secret(access),
        refresh_token: Some(secret(refresh)),
        expires_in: Some(7200),
        refresh_expires_in: None,
        lifetime_unreadable: false,
        scopes: Vec::new(),
        advertisers: Vec::new(),
    });
    let outcome = match &pair {
        Some(new) => Outcome::New {
            id: fingerprint(&[&new.access_token]),
            asked: at(5400),
            expires_in: Some(7200),
            refresh: true,
            refresh_expires_in: None,
        },
        None => Outcome::Failed("down".into()),
    };
    let renewal = Renewal {
        marked,
        used: fingerprint(&[&secret("r1")]),
        outcome,
        pair,
        at: at(5410),
        data: before,
    };
    (data, renewal)
}

fn mark(data: &mut Data, second: i64) {
    let token = read_token(data).unwrap().marked(true, at(second));
    write_token(data, &token);
}

fn text<'a>(data: &'a Data, key: &str) -> &'a str {
    data[key].expose_secret()
}

#[test]
fn what_was_marked_takes_the_outcome_once() {
    let (mut data, renewal) = called(Some(("a2", "r2")));
    assert_eq!(renewal.put(&mut data), Fate::Put);
    assert_eq!(
        (text(&data, ACCESS_TOKEN), text(&data, REFRESH_TOKEN)),
        ("a2", "r2")
    );
    let token = read_token(&data).unwrap();
    assert_eq!((token.mark, token.rotations), (None, 1));
    assert_eq!(renewal.put(&mut data), Fate::There);

    let (mut data, renewal) = called(None);
    assert_eq!(renewal.put(&mut data), Fate::Put);
    assert_eq!(read_token(&data).unwrap().mark, None);
    assert_eq!(renewal.put(&mut data), Fate::There);
}

#[test]
fn a_pair_with_the_same_access_token_is_stored_whole() {
    let (mut data, renewal) = called(Some(("a1", "r2")));
    assert_eq!(renewal.put(&mut data), Fate::Put);
    assert_eq!(text(&data, REFRESH_TOKEN), "r2");
    assert_eq!(read_token(&data).unwrap().expires_at, Some(at(12_600)));
    assert_eq!(renewal.put(&mut data), Fate::There);
}

#[test]
fn another_token_that_came_meanwhile_stays() {
    for new in [Some(("a2", "r2")), None] {
        let (_, renewal) = called(new);
        let (mut other, _) = held("a9", "r9");
        let before = other.clone();
        assert_eq!(renewal.put(&mut other), Fate::Superseded);
        assert!(super::super::secrets::same_data(&other, &before));
        // Nor where there is no token any more.
        assert_eq!(renewal.put(&mut Data::new()), Fate::Superseded);
    }
}

#[test]
fn anothers_mark_stays_and_a_pair_that_nobody_else_has_is_stored_beside_it() {
    let (mut data, renewal) = called(None);
    mark(&mut data, 5460);
    assert_eq!(renewal.put(&mut data), Fate::Superseded);
    assert_eq!(read_token(&data).unwrap().mark, Some(at(5460)));

    let (mut data, renewal) = called(Some(("a2", "r2")));
    mark(&mut data, 5460);
    assert_eq!(renewal.put(&mut data), Fate::Put);
    let token = read_token(&data).unwrap();
    assert_eq!(
        (token.mark, text(&data, REFRESH_TOKEN)),
        (Some(at(5460)), "r2")
    );

    // The other's call, made with the refresh token before: what it was refused says nothing of the new one.
    let (_, mut theirs) = called(None);
    theirs.marked.mark = Some(at(5460));
    theirs.outcome = Outcome::Refused {
        lasting: true,
        message: "used".into(),
    };
    assert_eq!(theirs.put(&mut data), Fate::Put);
    let token = read_token(&data).unwrap();
    assert_eq!((token.mark, token.refused), (None, None));
    assert_eq!(text(&data, REFRESH_TOKEN), "r2");
}

#[test]
fn a_secret_that_was_made_again_from_before_the_mark_takes_the_pair() {
    let (_, renewal) = called(Some(("a2", "r2")));
    let mut data = renewal.data.clone();
    assert_eq!(renewal.put(&mut data), Fate::Put);
    assert_eq!(text(&data, REFRESH_TOKEN), "r2");
}
