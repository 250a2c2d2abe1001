//! What browsers send in forms and queries, and the token that ties a form to a session.

use axum::http::{HeaderMap, header};
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;

use super::backend::{At, Search};

/// The fields of a form or of a query, the first of each name.
pub struct Fields(Vec<(String, String)>);

impl Fields {
    /// Of a query without its question mark.
    pub fn of_query(query: &str) -> Self {
        Self::read(query.as_bytes())
    }

    /// Of a form's body. `None`: it is none.
    pub fn of_form(headers: &HeaderMap, body: &[u8]) -> Option<Self> {
        let kind = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
        let kind = kind.split(';').next()?.trim();
        kind.eq_ignore_ascii_case("application/x-www-form-urlencoded")
            .then(|| Self::read(body))
    }

    fn read(bytes: &[u8]) -> Self {
        let fields = url::form_urlencoded::parse(bytes).take(32);
        Self(
            fields
                .map(|(k, v)| (k.into_owned(), v.into_owned()))
                .collect(),
        )
    }

    fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(key, _)| key == name)?;
        Some(&found.1)
    }

    /// A field that holds a value of ours: letters, digits and a few signs. Another cannot be right and is not looked up.
    pub fn word(&self, name: &str) -> Option<&str> {
        self.get(name).filter(|value| {
            (1..=512).contains(&value.len())
                && value
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'='))
        })
    }

    /// Is there a field of this name at all?
    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// The search, at most 100 characters of it; pages are counted from 1 for people.
    pub fn search(&self) -> Search {
        let text = self.get("q").unwrap_or_default().trim();
        let page = self.get("page").and_then(|page| page.parse::<usize>().ok());
        Search {
            text: text.chars().take(100).collect(),
            page: page.unwrap_or(1).clamp(1, 1_000_000) - 1,
        }
    }
}

/// The token in the form that picks an ad account of one connection in one session. Only who can read our page has it; the
/// session's cookie alone, which a browser also sends for others, is not enough.
pub fn pick_token(session: &SecretString, at: &At) -> String {
    let tag = tag(session, at).map(|tag| tag.finalize().into_bytes());
    let bytes = tag.as_ref().map_or(&[][..], |tag| tag.as_slice());
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whether a form has it, in constant time.
pub fn is_pick_token(session: &SecretString, at: &At, given: &str) -> bool {
    match (tag(session, at), digits(given)) {
        (Some(tag), Some(given)) => tag.verify_slice(&given).is_ok(),
        _ => false,
    }
}

/// `None` never comes: a key of any length is taken.
fn tag(session: &SecretString, at: &At) -> Option<Hmac<Sha256>> {
    let mut tag = Hmac::<Sha256>::new_from_slice(session.expose_secret().as_bytes()).ok()?;
    for part in ["pick an ad account of ", &at.namespace, "/", &at.name] {
        tag.update(part.as_bytes());
    }
    Some(tag)
}

/// 64 hexadecimal digits.
fn digits(text: &str) -> Option<[u8; 32]> {
    let text = text.as_bytes();
    let mut bytes = [0_u8; 32];
    if text.len() != 64 || !text.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(text.chunks_exact(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn fields_are_read_from_forms_only() {
        let kind =
            |kind: &str| HeaderMap::from_iter([(header::CONTENT_TYPE, kind.parse().unwrap())]);
        let form = kind("application/x-www-form-urlencoded; charset=utf-8");
        let fields = Fields::of_form(&form, b"ticket=aB-_.1&ticket=x&other=%3Cb%3E").unwrap();
        assert_eq!(fields.word("ticket"), Some("aB-_.1"));
        assert_eq!(fields.word("other"), None, "no value of ours");
        assert!(fields.has("other") && !fields.has("more"));
        assert!(Fields::of_form(&kind("application/json"), b"{}").is_none());
        assert!(Fields::of_form(&HeaderMap::new(), b"a=b").is_none());
    }

    #[test]
    fn a_search_is_bounded() {
        let search = |query: &str| Fields::of_query(query).search();
        assert_eq!(search(""), Search::default());
        assert_eq!(search("page=0").page, 0);
        assert_eq!(search("page=3&q=+a+").page, 2);
        assert_eq!(search("page=3&q=+a+b").text, "a b");
        assert_eq!(search("page=-1").page, 0);
        assert_eq!(search("page=99999999999999999999").page, 0);
        assert_eq!(
            search(&format!("q={}", "ä".repeat(300)))
                .text
                .chars()
                .count(),
            100
        );
    }

    #[test]
    fn a_token_is_good_for_its_session_and_its_connection() {
        let at = At::new("shop", "main").unwrap();
        let token = pick_token(&"s".into(), &at);
        assert!(is_pick_token(&"s".into(), &at, &token));
        assert!(!is_pick_token(&"t".into(), &at, &token));
        assert!(!is_pick_token(
            &"s".into(),
            &At::new("shop", "other").unwrap(),
            &token
        ));
    }

    proptest! {
        #[test]
        fn anything_else_is_no_token(given in "\\PC{0,80}|[0-9a-f]{64}|[+0-9]{64}|[ä0-9]{32,64}") {
            let at = At::new("shop", "main").unwrap();
            prop_assert!(!is_pick_token(&"s".into(), &at, &given));
        }
    }
}
