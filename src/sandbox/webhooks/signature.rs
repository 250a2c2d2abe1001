//! How TikTok signs what it sends. `X-Open-Signature` is a hex HMAC-SHA256 over "an escaped unicode version of the
//! payload, with lowercase hex digits" (D:1806817494948930); `TikTok-Signature` is the other system's, over the time and
//! the body (D:1759978341579777). Whether ad and ad group events are signed, and over which form, is not published.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The header of a scheme (a value of the knob `webhook_signature`) for a body as it is sent; none for `unsigned`.
/// `seconds` is the time of sending.
pub(super) fn header(
    scheme: &str,
    key: &str,
    body: &str,
    seconds: i64,
) -> Option<(&'static str, String)> {
    match scheme {
        "raw" => Some(("X-Open-Signature", hmac_hex(key, &[body]))),
        "escaped" => Some(("X-Open-Signature", hmac_hex(key, &[&escaped(body)]))),
        "tiktok" => {
            let time = seconds.to_string();
            let signature = hmac_hex(key, &[&time, ".", body]);
            Some(("TikTok-Signature", format!("t={time},s={signature}")))
        }
        _ => None,
    }
}

/// Every character beyond ASCII as lowercase `\uXXXX`, those beyond the basic plane as a surrogate pair; all else as it
/// is.
pub(super) fn escaped(body: &str) -> String {
    let mut out = String::with_capacity(body.len());
    for character in body.chars() {
        if character.is_ascii() {
            out.push(character);
        } else {
            for unit in character.encode_utf16(&mut [0; 2]) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    out
}

fn hmac_hex(key: &str, parts: &[&str]) -> String {
    // HMAC takes keys of any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key.as_bytes()) else {
        return String::new();
    };
    for part in parts {
        mac.update(part.as_bytes());
    }
    mac.finalize()
        .into_bytes()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn known_answers() {
        // RFC 4231, test case 2.
        assert_eq!(
            hmac_hex("Jefe", &["what do ya want ", "for nothing?"]),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
        let (name, value) = header("tiktok", "Jefe", "{}", 7).unwrap();
        assert_eq!(name, "TikTok-Signature");
        assert_eq!(value, format!("t=7,s={}", hmac_hex("Jefe", &["7.{}"])));
        assert_eq!(header("unsigned", "Jefe", "{}", 7), None);
    }

    #[test]
    fn escaped_as_the_documentation_shows() {
        assert_eq!(
            escaped("äöå \\ \" 夏 🪁"),
            "\\u00e4\\u00f6\\u00e5 \\ \" \\u590f \\ud83e\\ude81"
        );
        assert_eq!(
            header("escaped", "k", "ä", 0).unwrap().1,
            header("raw", "k", "\\u00e4", 0).unwrap().1
        );
    }

    proptest::proptest! {
        /// In a JSON text only the spelling changes, and what is ASCII already stays as it is.
        #[test]
        fn escaping_keeps_the_meaning(text in "\\PC{0,40}") {
            let body = serde_json::Value::from(text).to_string();
            let escaped = escaped(&body);
            proptest::prop_assert!(escaped.is_ascii());
            let (before, after): (serde_json::Value, serde_json::Value) =
                (serde_json::from_str(&body).unwrap(), serde_json::from_str(&escaped).unwrap());
            proptest::prop_assert_eq!(before, after);
            proptest::prop_assert_eq!(super::escaped(&escaped), escaped);
        }
    }
}
