//! The two ways in which TikTok signs what it sends.
//!
//! `X-Open-Signature` is the HMAC over the body, `TikTok-Signature` is `t=<seconds>,s=<HMAC over t, a full stop and the
//! body>`; both HMAC-SHA256 in hexadecimal. The same work is done for whatever comes: with one key or two, with or without
//! a header, for a connection that exists and for [one that does not](SigningKeys::nobody).

use hmac::{Hmac, KeyInit, Mac};
use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;

/// Longer headers are not read. The two that TikTok sends have 64 and about 80 characters.
const LONGEST_HEADER: usize = 512;
/// Stands in for a key that there is not; what it verifies is refused all the same.
const NO_KEY: &str = "no key";

/// The keys that a signature may have been made with. White space around a key is not part of it, and an empty one is none:
/// anybody could sign with that.
#[derive(Clone, Debug)]
pub struct SigningKeys {
    current: Option<SecretString>,
    previous: Option<SecretString>,
}

/// The key that a signature was made with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SignedBy {
    Current,
    /// The one from before the last rotation. Never said if the current one fits too.
    Previous,
}

/// What a signature is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Good(SignedBy),
    /// Made with our key, but at a time outside the window: to be answered with 200 and dropped.
    Stale(SignedBy),
    /// Missing, unreadable, or made with another key.
    Bad,
}

impl SigningKeys {
    pub fn new(current: &SecretString, previous: Option<&SecretString>) -> SigningKeys {
        let key = |key: &SecretString| {
            let trimmed = key.expose_secret().trim();
            (!trimmed.is_empty()).then(|| SecretString::from(trimmed))
        };
        SigningKeys {
            current: key(current),
            previous: previous.and_then(key),
        }
    }

    /// No key at all: for a connection that does not exist or has none. As much work as any other, and always
    /// [`Verdict::Bad`].
    pub fn nobody() -> SigningKeys {
        SigningKeys {
            current: None,
            previous: None,
        }
    }

    /// The key that `signed` accepts. Every key is tried, whatever the others said.
    fn find(&self, signed: impl Fn(&[u8]) -> bool) -> Option<SignedBy> {
        let try_one = |key: &Option<SecretString>| {
            let known = key.as_ref().map(ExposeSecret::expose_secret);
            let fits = signed(known.unwrap_or(NO_KEY).as_bytes());
            fits & known.is_some()
        };
        let (current, previous) = (try_one(&self.current), try_one(&self.previous));
        if current {
            Some(SignedBy::Current)
        } else {
            previous.then_some(SignedBy::Previous)
        }
    }
}

/// Both signatures of a delivery, as its headers have them. The body is TikTok's if either is good: neither can be made
/// without a key, and TikTok's kinds of events differ in the one they carry.
pub fn verify(
    keys: &SigningKeys,
    open: Option<&str>,
    tiktok: Option<&str>,
    body: &[u8],
    now: Timestamp,
    window: SignedDuration,
) -> Verdict {
    let open = verify_open(keys, open, body);
    let timed = verify_tiktok(keys, tiktok, body, now, window);
    match (open, timed) {
        (Some(key), _) => Verdict::Good(key),
        (None, timed) => timed,
    }
}

/// `X-Open-Signature`: over the body as it came, or with every character beyond ASCII as `\uXXXX` in lower case.
pub fn verify_open(keys: &SigningKeys, header: Option<&str>, body: &[u8]) -> Option<SignedBy> {
    let tag = header.and_then(tag);
    let claimed = tag.unwrap_or_default();
    // What is no UTF-8 has no escaped form, and what is ASCII is its own.
    let escapable = std::str::from_utf8(body)
        .ok()
        .filter(|text| !text.is_ascii());
    let key = keys.find(|key| {
        let as_it_came = is_tag(key, &claimed, |mac| mac.update(body));
        let escaped =
            escapable.is_some_and(|text| is_tag(key, &claimed, |mac| escape_into(mac, text)));
        as_it_came | escaped
    });
    key.filter(|_| tag.is_some())
}

/// `TikTok-Signature`: over the header's own time and the body. The time must be within `window` of `now`, before or after.
pub fn verify_tiktok(
    keys: &SigningKeys,
    header: Option<&str>,
    body: &[u8],
    now: Timestamp,
    window: SignedDuration,
) -> Verdict {
    let timed = header.and_then(timed_tag);
    let (time, claimed) = timed.unwrap_or(("0", [0; 32]));
    let key = keys.find(|key| {
        is_tag(key, &claimed, |mac| {
            mac.update(time.as_bytes());
            mac.update(b".");
            mac.update(body);
        })
    });
    let Some(key) = key.filter(|_| timed.is_some()) else {
        return Verdict::Bad;
    };
    let made = time
        .parse()
        .ok()
        .and_then(|seconds| Timestamp::from_second(seconds).ok());
    match made {
        Some(made) if now.duration_since(made).abs() <= window => Verdict::Good(key),
        _ => Verdict::Stale(key),
    }
}

/// Compared in constant time.
fn is_tag(key: &[u8], claimed: &[u8; 32], feed: impl FnOnce(&mut Hmac<Sha256>)) -> bool {
    // HMAC takes keys of every length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else {
        return false;
    };
    feed(&mut mac);
    mac.verify_slice(claimed).is_ok()
}

/// The text with every character beyond ASCII as `\uXXXX`, those beyond the first plane as two of them.
fn escape_into(mac: &mut Hmac<Sha256>, text: &str) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    // Where the run of ASCII that has not been fed yet begins.
    let mut plain = 0;
    for (at, character) in text.char_indices().filter(|(_, found)| !found.is_ascii()) {
        mac.update(&text.as_bytes()[plain..at]);
        plain = at + character.len_utf8();
        for unit in character.encode_utf16(&mut [0; 2]) {
            let mut escape = *b"\\u0000";
            for (digit, shift) in escape[2..].iter_mut().zip([12, 8, 4, 0]) {
                *digit = DIGITS[usize::from((*unit >> shift) & 0xf)];
            }
            mac.update(&escape);
        }
    }
    mac.update(&text.as_bytes()[plain..]);
}

/// 64 hexadecimal digits of either case.
fn tag(header: &str) -> Option<[u8; 32]> {
    let digits = header.trim().as_bytes();
    if digits.len() != 64 {
        return None;
    }
    let digit = |byte: u8| char::from(byte).to_digit(16).map(|value| value as u8);
    let mut tag = [0; 32];
    for (byte, pair) in tag.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(tag)
}

/// `t=<seconds>,s=<hex>`: each once, in any order, beside whatever else there may be.
fn timed_tag(header: &str) -> Option<(&str, [u8; 32])> {
    if header.len() > LONGEST_HEADER {
        return None;
    }
    let (mut time, mut signature) = (None, None);
    for part in header.split(',') {
        let (name, value) = part.split_once('=')?;
        let slot = match name.trim() {
            "t" => &mut time,
            "s" => &mut signature,
            _ => continue,
        };
        if slot.replace(value.trim()).is_some() {
            return None;
        }
    }
    let is_time = |text: &&str| {
        (1..=12).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
    };
    Some((time.filter(is_time)?, tag(signature?)?))
}

#[cfg(test)]
#[path = "signature_tests.rs"]
mod tests;
