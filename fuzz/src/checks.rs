//! What has to be true of a parser for any input at all: one function for each target. The fuzzer feeds them, and the
//! operator's tests feed them the corpus.

#![allow(clippy::expect_used)]

use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use sha2::{Digest, Sha256};
use tiktok_ads_operator::http::callback::{CallbackError, callback as read_callback};
use tiktok_ads_operator::model::connect_state::{self, SessionClaims, StateClaims};
use tiktok_ads_operator::platform::webhook::{
    Event, EventKind, MOST_ENTRIES, SignedBy, SigningKeys, Verdict, parse, verify, verify_open,
    verify_tiktok,
};

/// The query that TikTok's page sends a browser back with. What is taken is what a URL library finds under the names, and
/// its state goes no further than a signature of ours; what TikTok says instead is one short harmless text.
pub fn callback(data: &[u8]) {
    let query = String::from_utf8_lossy(data);
    let values = |names: &[&str]| -> Vec<String> {
        url::form_urlencoded::parse(query.as_bytes())
            .filter(|(name, _)| names.contains(&name.as_ref()))
            .map(|(_, value)| value.into_owned())
            .collect()
    };
    match read_callback(&query) {
        Ok(found) => {
            for (value, names) in [
                (found.state.expose_secret(), &["state"][..]),
                (found.code.expose_secret(), &["auth_code", "code"][..]),
            ] {
                assert!((1..=2048).contains(&value.len()));
                assert!(value.bytes().all(|byte| byte.is_ascii_graphic()));
                let said = values(names);
                assert!(!said.is_empty() && said.iter().all(|said| said == value));
            }
            // Shorter ones may be a part of what is always shown.
            let shown = format!("{found:?}");
            for secret in [found.state.expose_secret(), found.code.expose_secret()] {
                assert!(secret.len() < 30 || !shown.contains(secret));
            }
            state(found.state.expose_secret().as_bytes());
        }
        Err(CallbackError::NotApproved(words)) => {
            assert!(words.chars().count() <= 200);
            assert!(!words.chars().any(char::is_control));
            assert!(!values(&["error"]).is_empty());
        }
        Err(CallbackError::Unreadable) => {}
    }
}

/// The body of a delivery. Whatever comes out is what a second, slower reading of the same JSON finds.
pub fn payload(data: &[u8]) {
    let Ok(events) = parse(data) else {
        return;
    };
    assert!((1..=MOST_ENTRIES).contains(&events.len()));
    for event in &events {
        for id in ids(event) {
            let number: i64 = id.parse().expect("an id is an int64");
            assert!(
                number > 0 && number.to_string() == *id,
                "{id} is no decimal id"
            );
        }
        if let EventKind::AccountStatus { status } = &event.kind {
            assert!((1..=64).contains(&status.chars().count()));
            assert!(!status.chars().any(char::is_control));
            assert!(event.advertiser.is_some());
        }
    }
    // The other parser gives up on deep nesting, which this one skips, and on escapes that are no characters.
    if let Ok(value) = serde_json::from_slice::<Value>(data) {
        assert_eq!(ids_of_all(&events), read_again(&value));
    }
}

fn ids(event: &Event) -> Vec<&String> {
    let mut ids: Vec<Option<&String>> = vec![event.advertiser.as_ref()];
    match &event.kind {
        EventKind::AdGroupReview { ad_group, campaign } => {
            ids.extend([Some(ad_group), campaign.as_ref()]);
        }
        EventKind::AdReview {
            ad,
            ad_group,
            campaign,
        } => ids.extend([Some(ad), ad_group.as_ref(), campaign.as_ref()]),
        EventKind::AccountStatus { .. } | EventKind::Other => {}
    }
    ids.into_iter().flatten().collect()
}

fn ids_of_all(events: &[Event]) -> Vec<Vec<String>> {
    events
        .iter()
        .map(|event| ids(event).into_iter().cloned().collect())
        .collect()
}

/// The same ids in the same order, by hand.
fn read_again(body: &Value) -> Vec<Vec<String>> {
    let number = |value: &Value| match value {
        Value::Number(number) => number.as_u64(),
        Value::String(text) if text.bytes().all(|byte| byte.is_ascii_digit()) => text.parse().ok(),
        _ => None,
    };
    let id = |holder: &Value, name: &str| {
        let id = number(&holder[name])?;
        (1..=i64::MAX as u64).contains(&id).then(|| id.to_string())
    };
    let main = match number(&body["object"]) {
        Some(2) => "adgroup_id",
        Some(3) => "ad_id",
        _ => "",
    };
    let entries = body["entry"].as_array().map(Vec::as_slice);
    match entries.filter(|entries| !main.is_empty() && !entries.is_empty()) {
        None => vec![id(body, "advertiser_id").into_iter().collect()],
        Some(entries) => entries
            .iter()
            .map(|entry| {
                let mut found = vec![id(entry, "adv_id").or_else(|| id(entry, "advertiser_id"))];
                if let Some(main_id) = id(entry, main) {
                    found.push(Some(main_id));
                    if main == "ad_id" {
                        found.push(id(entry, "adgroup_id"));
                    }
                    found.push(id(entry, "campaign_id"));
                }
                found.into_iter().flatten().collect()
            })
            .collect(),
    }
}

/// Headers and body of a delivery: two lines, then the body. What comes is not signed by us and is refused; what is signed
/// by us is taken, until one bit of it is another.
pub fn signature(data: &[u8]) {
    const KEY: &str = "a key that nobody knows";
    const OLD: &str = "the key before that";
    let now = Timestamp::from_second(1_763_899_200).expect("a time");
    let window = SignedDuration::from_mins(5);
    let keys = SigningKeys::new(&SecretString::from(KEY), Some(&SecretString::from(OLD)));

    let mut parts = data.splitn(3, |byte| *byte == b'\n');
    let mut line = || std::str::from_utf8(parts.next().unwrap_or_default()).ok();
    let (open, timed) = (line(), line());
    let body = parts.next().unwrap_or_default();
    for keys in [&keys, &SigningKeys::nobody()] {
        let verdict = verify(keys, open, timed, body, now, window);
        assert_eq!(verdict, Verdict::Bad, "nobody signed this");
    }

    let mut forms = vec![body.to_vec()];
    if let Ok(text) = std::str::from_utf8(body) {
        forms.push(escaped(text).into_bytes());
    }
    for form in &forms {
        for (key, expected) in [(KEY, SignedBy::Current), (OLD, SignedBy::Previous)] {
            let header = hmac(key.as_bytes(), form);
            assert_eq!(verify_open(&keys, Some(&header), body), Some(expected));
            let upper = header.to_uppercase();
            assert_eq!(verify_open(&keys, Some(&upper), body), Some(expected));
            assert_eq!(
                verify_open(&SigningKeys::nobody(), Some(&header), body),
                None
            );
            let mut other = body.to_vec();
            match other.first_mut() {
                Some(byte) => *byte ^= 1,
                None => other.push(b' '),
            }
            assert_eq!(verify_open(&keys, Some(&header), &other), None);
            let other = if header.starts_with('0') { "1" } else { "0" };
            let other = format!("{other}{}", &header[1..]);
            assert_eq!(verify_open(&keys, Some(&other), body), None);
        }
    }
    let sent = now.as_second();
    let header = hmac(
        KEY.as_bytes(),
        &[format!("{sent}.").as_bytes(), body].concat(),
    );
    for (time, at, expected) in [
        (sent, now, Verdict::Good(SignedBy::Current)),
        (sent, now + window * 2, Verdict::Stale(SignedBy::Current)),
        (sent + 1, now, Verdict::Bad),
    ] {
        let header = format!("t={time},s={header}");
        let verdict = verify_tiktok(&keys, Some(&header), body, at, window);
        assert_eq!(verdict, expected);
    }
}

/// Every character beyond ASCII as `\uXXXX`, by way of UTF-16.
fn escaped(text: &str) -> String {
    text.encode_utf16()
        .map(|unit| match u8::try_from(unit) {
            Ok(ascii) if ascii.is_ascii() => char::from(ascii).to_string(),
            _ => format!("\\u{unit:04x}"),
        })
        .collect()
}

/// RFC 2104 by hand, in hexadecimal.
fn hmac(key: &[u8], text: &[u8]) -> String {
    let mut block = [0_u8; 64];
    block[..key.len()].copy_from_slice(key);
    let padded = |pad: u8| block.map(|byte| byte ^ pad);
    let inner = Sha256::digest([&padded(0x36), text].concat());
    let outer = Sha256::digest([&padded(0x5c)[..], &inner[..]].concat());
    outer.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What a browser brings back. As it comes it is refused; made into claims and signed it comes back as it was, until one
/// byte of it is another.
pub fn state(data: &[u8]) {
    const KEY: &[u8] = b"a key that nobody knows";
    let now = Timestamp::from_second(1_763_899_200).expect("a time");
    let later = Timestamp::from_second(1_763_900_000).expect("a time");
    let text = String::from_utf8_lossy(data);
    assert!(connect_state::verify(KEY, &text, now).is_err());
    assert!(connect_state::verify_session(KEY, &text, now).is_err());
    assert!(!connect_state::is_ticket(KEY, &text));
    if let Some(claimed) = connect_state::peek(&text) {
        for name in [&claimed.namespace, &claimed.name] {
            let plain = |byte: u8| {
                byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-.".contains(&byte)
            };
            assert!((1..=253).contains(&name.len()) && name.bytes().all(plain));
        }
    }

    let part = |index: usize| -> String { text.chars().skip(index * 40).take(40).collect() };
    let claims = StateClaims {
        namespace: part(0),
        name: part(1),
        uid: part(2),
        nonce: part(3),
        expires: later,
        cookie_hash: connect_state::cookie_hash(&text),
    };
    let session = SessionClaims {
        namespace: part(2),
        name: part(1),
        uid: part(0),
        nonce: part(3),
        expires: later,
    };
    let states = connect_state::sign(KEY, &claims);
    assert_eq!(
        connect_state::verify(KEY, &states, now).as_ref(),
        Ok(&claims)
    );
    assert!(connect_state::verify(KEY, &states, later).is_err());
    assert!(connect_state::verify(b"another", &states, now).is_err());
    let sessions = connect_state::sign_session(KEY, &session);
    assert_eq!(
        connect_state::verify_session(KEY, &sessions, now).as_ref(),
        Ok(&session)
    );
    // One kind is not taken for the other.
    assert!(connect_state::verify_session(KEY, &states, now).is_err());
    assert!(connect_state::verify(KEY, &sessions, now).is_err());
    // A byte of the input says which byte is changed, and to what.
    if let [at, byte, ..] = data {
        for signed in [states, sessions] {
            let mut changed = signed.clone().into_bytes();
            let place = usize::from(*at) * changed.len() / 256;
            changed[place] = byte & 0x7f;
            let changed = String::from_utf8(changed).expect("ASCII");
            if changed != signed {
                assert!(connect_state::verify(KEY, &changed, now).is_err());
                assert!(connect_state::verify_session(KEY, &changed, now).is_err());
            }
        }
    }
}
