#![allow(clippy::unwrap_used, clippy::expect_used)]

use proptest::prelude::*;

use super::*;

const KEY: &[u8] = b"0123456789abcdef0123456789abcdef";

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn now() -> Timestamp {
    at("2026-11-23T12:00:00Z")
}

fn claims() -> StateClaims {
    StateClaims {
        namespace: "shop".into(),
        name: "uk".into(),
        uid: "7d8f0c52-5f0e-4d3c-9b57-0a4c1f8f0001".into(),
        nonce: "ab".repeat(32),
        expires: at("2026-11-23T12:15:00Z"),
        cookie_hash: cookie_hash("crumbs"),
    }
}

fn session() -> SessionClaims {
    SessionClaims {
        namespace: "shop".into(),
        name: "uk".into(),
        uid: "7d8f0c52-5f0e-4d3c-9b57-0a4c1f8f0001".into(),
        nonce: "ab".repeat(32),
        expires: at("2026-11-23T13:00:00Z"),
    }
}

/// The text with one byte replaced; `None` where that is no text any more.
fn with_byte(text: &str, index: usize, byte: u8) -> Option<String> {
    let mut bytes = text.as_bytes().to_vec();
    bytes[index] = byte;
    String::from_utf8(bytes).ok()
}

/// Made with another implementation (Python's hmac and base64), so that the form cannot drift.
#[test]
fn the_form_of_a_state() {
    let text = sign(KEY, &claims());
    assert_eq!(
        text,
        "eyJvZiI6eyJucyI6InNob3AiLCJuIjoidWsifSwidWlkIjoiN2Q4ZjBjNTItNWYwZS00ZDNjLTliNTctMGE0YzFmOGYwMDAxIiwibm9uY2UiOiJhYmFiYWJhYmFiYWJhYmFiYWJhYmFiYWJhYmFiYWJhYmFiYWJhYmFiYWJhYmFiYWJhYmFiYWJhYmFiYWJhYmFiIiwiZXhwIjoxNzk1NDM2MTAwLCJjb29raWUiOiJuaTFJYlpEcTJHUFZpQ0ZVeU04WnVYVUhxOFVzRmpxcXBONEZZcHgxVl9JIn0.\
         8nuslj5nAfDmzQd8DGels_UppTCsbB3zP8J6tLrtlUI"
    );
    assert!(
        text.bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
    );
    assert_eq!(verify(KEY, &text, now()), Ok(claims()));
}

#[test]
fn the_cookie_decides_which_browser_it_is() {
    assert!(claims().is_of("crumbs"));
    assert!(!claims().is_of("crumb"));
    assert!(!claims().is_of(""));
}

#[test]
fn it_is_worth_something_until_it_expires_and_only_under_its_key() {
    let text = sign(KEY, &claims());
    for (time, expected) in [
        ("2026-11-23T12:14:59.999Z", Ok(claims())),
        ("2026-11-23T12:15:00Z", Err(StateError::Expired)),
        ("2027-11-23T12:15:00Z", Err(StateError::Expired)),
    ] {
        assert_eq!(verify(KEY, &text, at(time)), expected, "{time}");
    }
    for key in [b"".as_slice(), b"another", &KEY[1..]] {
        assert_eq!(verify(key, &text, now()), Err(StateError::Forged));
    }
    // What is expired and forged is called forged: who has no key learns nothing about times.
    assert_eq!(
        verify(b"another", &text, at("2030-01-01T00:00:00Z")),
        Err(StateError::Forged)
    );
}

#[test]
fn an_empty_key_signs_nothing_that_is_taken() {
    assert_eq!(
        verify(b"", &sign(b"", &claims()), now()),
        Err(StateError::Forged)
    );
    let session = sign_session(b"", &session());
    assert_eq!(
        verify_session(b"", &session, now()),
        Err(StateError::Forged)
    );
}

#[test]
fn one_kind_does_not_pass_for_another() {
    let state = sign(KEY, &claims());
    let session = sign_session(KEY, &session());
    assert_eq!(verify_session(KEY, &state, now()), Err(StateError::Forged));
    assert_eq!(verify(KEY, &session, now()), Err(StateError::Forged));
}

#[test]
fn a_session() {
    let text = sign_session(KEY, &session());
    assert_eq!(verify_session(KEY, &text, now()), Ok(session()));
    assert_eq!(
        verify_session(KEY, &text, at("2026-11-23T13:00:00Z")),
        Err(StateError::Expired)
    );
}

#[test]
fn a_look_before_the_key_is_known() {
    let expected = Some(Claimed {
        namespace: "shop".into(),
        name: "uk".into(),
    });
    assert_eq!(peek(&sign(b"whatever", &claims())), expected);
    assert_eq!(peek(&sign_session(b"whatever", &session())), expected);
    for (namespace, name) in [
        ("", "uk"),
        ("shop", ""),
        ("Shop", "uk"),
        ("shop", "../uk"),
        ("shop", "uk\n"),
        ("shop", "uk."),
        ("shop", "-uk"),
        ("sh.op", "uk"),
        ("shop", "uk%2f"),
        ("shop", "\u{202e}ku"),
    ] {
        let strange = StateClaims {
            namespace: namespace.into(),
            name: name.into(),
            ..claims()
        };
        assert_eq!(peek(&sign(KEY, &strange)), None, "{namespace} {name}");
    }
    let longest = StateClaims {
        namespace: "n".repeat(63),
        name: [
            &"a".repeat(63),
            ".",
            &"b".repeat(63),
            ".",
            &"c".repeat(63),
            ".",
            &"d".repeat(61),
        ]
        .concat(),
        ..claims()
    };
    let text = sign(KEY, &longest);
    assert!(text.len() < LONGEST / 2, "{}", text.len());
    assert_eq!(verify(KEY, &text, now()), Ok(longest.clone()));
    assert_eq!(peek(&text).unwrap().name, longest.name);
    let too_long = StateClaims {
        name: format!("{}d", longest.name),
        ..longest
    };
    assert_eq!(peek(&sign(KEY, &too_long)), None);
}

#[test]
fn garbage_is_malformed_or_forged() {
    let valid = sign(KEY, &claims());
    let (payload, tag) = valid.split_once('.').unwrap();
    for (text, expected) in [
        (String::new(), StateError::Malformed),
        (".".into(), StateError::Forged),
        ("..".into(), StateError::Forged),
        (payload.into(), StateError::Malformed),
        (format!("{payload}."), StateError::Forged),
        (format!(".{tag}"), StateError::Forged),
        (format!("{valid}."), StateError::Forged),
        (format!("{valid}="), StateError::Forged),
        (format!(" {valid}"), StateError::Forged),
        ("a".repeat(3000) + "." + tag, StateError::Malformed),
    ] {
        assert_eq!(verify(KEY, &text, now()), Err(expected), "{text}");
    }
    // A shorter tag is none, though its beginning is right.
    for end in 0..tag.len() {
        let cut = format!("{payload}.{}", &tag[..end]);
        assert_eq!(verify(KEY, &cut, now()), Err(StateError::Forged), "{end}");
    }
    // Signed by us and yet not what it should be.
    for json in ["", "{}", "[]", "null", "{\"of\":1}"] {
        let payload = URL_SAFE_NO_PAD.encode(json);
        let tag = URL_SAFE_NO_PAD.encode(super::tag(Kind::State, KEY, &payload));
        assert_eq!(
            verify(KEY, &format!("{payload}.{tag}"), now()),
            Err(StateError::Malformed),
            "{json}"
        );
    }
}

#[test]
fn not_one_byte_can_be_changed() {
    for text in [sign(KEY, &claims()), sign_session(KEY, &session())] {
        for index in 0..text.len() {
            for byte in 0..=127 {
                if byte == text.as_bytes()[index] {
                    continue;
                }
                let changed = with_byte(&text, index, byte).unwrap();
                assert!(verify(KEY, &changed, now()).is_err(), "{changed}");
                assert!(verify_session(KEY, &changed, now()).is_err(), "{changed}");
                let _ = peek(&changed);
            }
        }
    }
}

#[test]
fn a_ticket_is_known_by_its_key() {
    let chance: Vec<u8> = (0..32).collect();
    let ticket = make_ticket(KEY, &chance);
    assert_eq!(
        ticket,
        "000102030405060708090a0b0c0d0e0f68c1f97e2254807735d22d37adf7b4a8"
    );
    assert!(is_ticket(KEY, &ticket));
    for key in [b"".as_slice(), b"another", &KEY[1..]] {
        assert!(!is_ticket(key, &ticket));
        assert!(!is_ticket(KEY, &make_ticket(key, &chance)));
    }
    assert!(!is_ticket(b"", &make_ticket(b"", &chance)));
    for end in 0..ticket.len() {
        assert!(!is_ticket(KEY, &ticket[..end]), "{end}");
    }
    let upper = ticket.to_uppercase();
    let longer = format!("{ticket}0");
    let cut_in_a_letter = format!("{}ä{}", &ticket[..31], &ticket[33..]);
    for text in [&upper, &longer, &cut_in_a_letter, ".", "ä"] {
        assert!(!is_ticket(KEY, text), "{text}");
    }
}

proptest! {
    #[test]
    fn whatever_is_signed_comes_back(
        key in proptest::collection::vec(any::<u8>(), 1..80),
        namespace in "[a-z0-9]{1,63}", name in "[a-z0-9]{1,63}", uid in any::<String>(),
        nonce in "[0-9a-f]{0,64}", hash in any::<[u8; 32]>(), ahead in 1i64..1_000_000,
    ) {
        let expires = Timestamp::from_second(now().as_second() + ahead).unwrap();
        let uid: String = uid.chars().take(100).collect();
        let claims = StateClaims { namespace, name, uid, nonce, expires, cookie_hash: hash };
        let text = sign(&key, &claims);
        prop_assert_eq!(verify(&key, &text, now()), Ok(claims.clone()));
        let place = Claimed { namespace: claims.namespace.clone(), name: claims.name.clone() };
        prop_assert_eq!(peek(&text), Some(place));
        prop_assert_eq!(verify(&key, &text, expires), Err(StateError::Expired));
    }

    #[test]
    fn nothing_that_comes_panics_or_is_taken(text in "\\PC{0,300}", dotted in any::<(String, String)>()) {
        for text in [text, format!("{}.{}", dotted.0, dotted.1)] {
            prop_assert!(verify(KEY, &text, now()).is_err());
            prop_assert!(verify_session(KEY, &text, now()).is_err());
            prop_assert!(!is_ticket(KEY, &text));
            let _ = peek(&text);
        }
    }

    #[test]
    fn a_change_of_one_byte_is_seen(index in any::<prop::sample::Index>(), byte in any::<u8>(), uid in "[a-f0-9-]{36}") {
        let claims = StateClaims { uid, ..claims() };
        let text = sign(KEY, &claims);
        let index = index.index(text.len());
        if let Some(changed) = with_byte(&text, index, byte) {
            prop_assert_eq!(verify(KEY, &changed, now()).is_ok(), changed == text);
        }
    }
}
