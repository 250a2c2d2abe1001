#![allow(clippy::unwrap_used, clippy::expect_used)]

use proptest::prelude::*;

use super::*;

const KEY: &str = "app-secret-canary";
const BODY: &str = r#"{"object":3,"time":1763899200,"entry":[{"ad_name":"Frühling 日本 🎉","ad_id":"1728545382536225"}]}"#;
/// Python's `hmac` over the body, over what its `json` makes of it beyond ASCII, and over `1763899200.` and the body.
const AS_IT_CAME: &str = "87be2adc6cab100984aed9c9872c3edc8b731993c5f569fb061d02c28a19bfb2";
const ESCAPED: &str = "4ac6048dfa64894f1ab9b6d2f59d508bfc3a46164a7e0a7f040196aba78015fc";
const TIMED: &str = "e07dcab1a14244618560b30734ff211f016b9ace78eb0763c917e386880e7b1b";

fn keys(current: &str, previous: Option<&str>) -> SigningKeys {
    let previous = previous.map(SecretString::from);
    SigningKeys::new(&current.into(), previous.as_ref())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn signature(key: &[u8], text: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(text);
    hex(&mac.finalize().into_bytes())
}

/// Written otherwise than the code under test.
fn escaped(text: &str) -> String {
    text.encode_utf16()
        .map(|unit| match u8::try_from(unit) {
            Ok(ascii) if ascii.is_ascii() => char::from(ascii).to_string(),
            _ => format!("\\u{unit:04x}"),
        })
        .collect()
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

const WINDOW: SignedDuration = SignedDuration::from_mins(5);
const SENT: i64 = 1_763_899_200;

fn timed(keys: &SigningKeys, header: &str, now: i64) -> Verdict {
    verify_tiktok(keys, Some(header), BODY.as_bytes(), at(now), WINDOW)
}

#[test]
fn r23_both_forms_of_the_open_signature_are_taken_in_either_case() {
    let keys = keys(KEY, None);
    for header in [AS_IT_CAME, ESCAPED] {
        for header in [header.to_owned(), header.to_uppercase()] {
            assert_eq!(
                verify_open(&keys, Some(&header), BODY.as_bytes()),
                Some(SignedBy::Current)
            );
        }
    }
    // Upper-case digits in the escapes are another text.
    let upper = escaped(BODY).replace("00fc", "00FC");
    let other = signature(KEY.as_bytes(), upper.as_bytes());
    assert_eq!(verify_open(&keys, Some(&other), BODY.as_bytes()), None);
}

#[test]
fn r23_the_current_key_comes_before_the_previous_one_and_it_is_said_which_it_was() {
    let body = BODY.as_bytes();
    let rotated = keys("new", Some(KEY));
    assert_eq!(
        verify_open(&rotated, Some(ESCAPED), body),
        Some(SignedBy::Previous)
    );
    let by_new = signature(b"new", body);
    assert_eq!(
        verify_open(&rotated, Some(&by_new), body),
        Some(SignedBy::Current)
    );
    assert_eq!(
        verify_open(&keys(KEY, Some(KEY)), Some(ESCAPED), body),
        Some(SignedBy::Current)
    );
    let header = format!("t={SENT},s={TIMED}");
    assert_eq!(
        timed(&rotated, &header, SENT),
        Verdict::Good(SignedBy::Previous)
    );
    // Emptied, it ends at once.
    for previous in [None, Some(""), Some(" \n")] {
        let emptied = keys("new", previous);
        assert_eq!(verify_open(&emptied, Some(ESCAPED), body), None);
        assert_eq!(timed(&emptied, &header, SENT), Verdict::Bad);
    }
}

#[test]
fn r23_an_empty_key_verifies_nothing() {
    let body = BODY.as_bytes();
    for none in [SigningKeys::nobody(), keys("", None), keys(" ", Some("\n"))] {
        for key in ["", " ", "\n", NO_KEY] {
            let made = signature(key.as_bytes(), body);
            assert_eq!(verify_open(&none, Some(&made), body), None, "{key:?}");
            let text = format!("{SENT}.{BODY}");
            let made = signature(key.as_bytes(), text.as_bytes());
            let header = format!("t={SENT},s={made}");
            assert_eq!(timed(&none, &header, SENT), Verdict::Bad, "{key:?}");
        }
    }
    // What stands in for the missing previous key is not taken beside a current one either.
    let made = signature(NO_KEY.as_bytes(), body);
    assert_eq!(verify_open(&keys(KEY, None), Some(&made), body), None);
}

#[test]
fn r23_a_line_break_after_a_key_is_not_part_of_it() {
    let keys = keys(&format!(" {KEY}\n"), None);
    assert_eq!(
        verify_open(&keys, Some(AS_IT_CAME), BODY.as_bytes()),
        Some(SignedBy::Current)
    );
}

#[test]
fn r23_whatever_else_comes_as_a_signature_is_bad() {
    let keys = keys(KEY, Some("old"));
    let body = BODY.as_bytes();
    let zeros = "0".repeat(64);
    let with = |index: usize, byte: &str| {
        let mut text = AS_IT_CAME.to_owned();
        text.replace_range(index..=index, byte);
        text
    };
    for header in [
        "",
        " ",
        &AS_IT_CAME[1..],
        &format!("{AS_IT_CAME}0"),
        &format!("sha256={AS_IT_CAME}"),
        &with(63, "3"),
        &with(0, "g"),
        &format!("é{}", &AS_IT_CAME[2..]),
        &zeros,
        &"f".repeat(100_000),
    ] {
        assert_eq!(verify_open(&keys, Some(header), body), None, "{header}");
    }
    assert_eq!(verify_open(&keys, None, body), None);
    assert_eq!(verify_open(&keys, Some(AS_IT_CAME), &body[1..]), None);
    // A body that is no text has one form.
    let bytes = b"\xff\xfe{\"a\":1}";
    let made = signature(KEY.as_bytes(), bytes);
    assert_eq!(
        verify_open(&keys, Some(&made), bytes),
        Some(SignedBy::Current)
    );
}

#[test]
fn r23_the_timed_signature_has_a_window_to_both_sides() {
    let keys = keys(KEY, None);
    let header = format!("t={SENT},s={TIMED}");
    for (now, expected) in [
        (SENT, Verdict::Good(SignedBy::Current)),
        (SENT + 300, Verdict::Good(SignedBy::Current)),
        (SENT - 300, Verdict::Good(SignedBy::Current)),
        (SENT + 301, Verdict::Stale(SignedBy::Current)),
        (SENT - 301, Verdict::Stale(SignedBy::Current)),
        (SENT + 100_000_000, Verdict::Stale(SignedBy::Current)),
    ] {
        assert_eq!(timed(&keys, &header, now), expected, "{now}");
    }
    // The time is signed as well: another one does not make an old delivery young.
    let later = format!("t={},s={TIMED}", SENT + 600);
    assert_eq!(timed(&keys, &later, SENT + 600), Verdict::Bad);
}

#[test]
fn r23_the_timed_header_is_read_strictly() {
    let keys = keys(KEY, None);
    let upper = TIMED.to_uppercase();
    for good in [
        format!("t={SENT},s={TIMED}"),
        format!("s={TIMED},t={SENT}"),
        format!(" t = {SENT} , s = {upper} , v=1 "),
    ] {
        assert_eq!(
            timed(&keys, &good, SENT),
            Verdict::Good(SignedBy::Current),
            "{good}"
        );
    }
    for bad in [
        String::new(),
        format!("t={SENT}"),
        format!("s={TIMED}"),
        format!("t={SENT};s={TIMED}"),
        format!("t={SENT},t={SENT},s={TIMED}"),
        format!("t={SENT},s={TIMED},s={TIMED}"),
        format!("t={SENT},s={TIMED},"),
        format!("t=+{SENT},s={TIMED}"),
        format!("t=-{SENT},s={TIMED}"),
        format!("t={SENT}.0,s={TIMED}"),
        format!("t=,s={TIMED}"),
        format!("t=99999999999999999999999999,s={TIMED}"),
        format!("T={SENT},S={TIMED}"),
        format!("t={SENT},s={TIMED},x={}", "y".repeat(600)),
    ] {
        assert_eq!(timed(&keys, &bad, SENT), Verdict::Bad, "{bad}");
    }
    // Not even if it is signed so.
    for time in ["+1763899200", "-1", "1763899200.0", "", "1 763899200"] {
        let text = format!("{time}.{BODY}");
        let made = signature(KEY.as_bytes(), text.as_bytes());
        let header = format!("t={time},s={made}");
        assert_eq!(timed(&keys, &header, SENT), Verdict::Bad, "{header}");
    }
    // A time that no clock can show is stale even if it is signed.
    let text = format!("999999999999.{BODY}");
    let made = signature(KEY.as_bytes(), text.as_bytes());
    let header = format!("t=999999999999,s={made}");
    assert_eq!(
        timed(&keys, &header, SENT),
        Verdict::Stale(SignedBy::Current)
    );
}

#[test]
fn r23_one_good_signature_is_enough() {
    let keys = keys(KEY, None);
    let good = format!("t={SENT},s={TIMED}");
    let check = |open: Option<&str>, timed: Option<&str>, now: i64| {
        verify(&keys, open, timed, BODY.as_bytes(), at(now), WINDOW)
    };
    let current = Verdict::Good(SignedBy::Current);
    assert_eq!(check(Some(ESCAPED), None, 0), current);
    assert_eq!(check(None, Some(&good), SENT), current);
    assert_eq!(check(Some("bad"), Some(&good), SENT), current);
    assert_eq!(check(Some(AS_IT_CAME), Some("bad"), SENT), current);
    assert_eq!(
        check(None, Some(&good), 0),
        Verdict::Stale(SignedBy::Current)
    );
    assert_eq!(check(None, None, SENT), Verdict::Bad);
    // One kind of signature in the other's header proves nothing.
    assert_eq!(check(Some(TIMED), None, SENT), Verdict::Bad);
    let crossed = format!("t={SENT},s={AS_IT_CAME}");
    assert_eq!(check(None, Some(&crossed), SENT), Verdict::Bad);
}

#[test]
fn r25_keys_are_in_no_debug() {
    let shown = format!("{:?}", keys(KEY, Some("canary-old")));
    assert!(!shown.contains("canary"), "{shown}");
}

proptest! {
    #[test]
    fn r23_any_body_verifies_in_both_forms_and_no_other(
        key in "[!-~]{1,70}", other in "[!-~]{1,70}", body in any::<String>(), extra in any::<char>(),
    ) {
        let both = keys(&key, None);
        let forms = [body.clone(), escaped(&body)];
        for form in &forms {
            let made = signature(key.as_bytes(), form.as_bytes());
            prop_assert_eq!(verify_open(&both, Some(&made), body.as_bytes()), Some(SignedBy::Current));
            prop_assert_eq!(
                verify_open(&keys(&other, Some(&key)), Some(&made), body.as_bytes()),
                Some(if other == key { SignedBy::Current } else { SignedBy::Previous })
            );
            if other != key {
                prop_assert_eq!(verify_open(&keys(&other, None), Some(&made), body.as_bytes()), None);
            }
            let longer = format!("{body}{extra}");
            prop_assert_eq!(verify_open(&both, Some(&made), longer.as_bytes()), None);
        }
    }

    #[test]
    fn r23_any_body_verifies_with_its_time(
        key in "[!-~]{1,70}", body in proptest::collection::vec(any::<u8>(), 0..300), sent in 0i64..100_000_000_000,
        late in -400i64..400,
    ) {
        let mut text = format!("{sent}.").into_bytes();
        text.extend_from_slice(&body);
        let header = format!("t={sent},s={}", signature(key.as_bytes(), &text));
        let verdict = verify_tiktok(&keys(&key, None), Some(&header), &body, at(sent + late), WINDOW);
        let expected = if late.abs() <= 300 { Verdict::Good(SignedBy::Current) } else { Verdict::Stale(SignedBy::Current) };
        prop_assert_eq!(verdict, expected);
    }

    #[test]
    fn r23_no_header_panics_or_is_taken(header in any::<String>(), body in proptest::collection::vec(any::<u8>(), 0..100)) {
        let keys = keys(KEY, Some("old"));
        prop_assert_eq!(verify_open(&keys, Some(&header), &body), None);
        prop_assert_eq!(verify_tiktok(&keys, Some(&header), &body, at(SENT), WINDOW), Verdict::Bad);
    }
}
