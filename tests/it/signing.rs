//! Messages are signed as TikTok signs them.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// HMAC-SHA256 over all parts, in hexadecimal.
pub fn hmac(key: &str, parts: &[&[u8]]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).unwrap();
    for part in parts {
        mac.update(part);
    }
    let tag = mac.finalize().into_bytes();
    tag.iter().map(|b| format!("{b:02x}")).collect()
}

/// The value of `TikTok-Signature` for a time in seconds since 1970.
pub fn with_time(key: &str, time: i64, body: &[u8]) -> String {
    let text = time.to_string();
    let tag = hmac(key, &[text.as_bytes(), b".", body]);
    format!("t={time},s={tag}")
}
