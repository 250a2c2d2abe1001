//! The two cookies. Both are HttpOnly and SameSite=Lax (TikTok's way back is a navigation from another site), and Secure
//! with the `__Host-` prefix where the pages are reached by https: no other host can set or overwrite them there.

use axum::http::{HeaderMap, HeaderValue, header};
use secrecy::{ExposeSecret, SecretString};

/// A cookie of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cookie {
    /// Binds an authorisation that has begun to this browser.
    Connect,
    /// Lets this browser see the connection, and pick, for an hour.
    Session,
}

/// The longest value that is looked at.
const LONGEST: usize = 4096;

impl Cookie {
    fn name(self, secure: bool) -> &'static str {
        match (self, secure) {
            (Self::Connect, false) => "tiktok_ads_connect",
            (Self::Connect, true) => "__Host-tiktok_ads_connect",
            (Self::Session, false) => "tiktok_ads_session",
            (Self::Session, true) => "__Host-tiktok_ads_session",
        }
    }

    /// Seconds.
    fn lives(self) -> u32 {
        match self {
            Self::Connect => 15 * 60,
            Self::Session => 60 * 60,
        }
    }

    /// Its value in a request. Two of one name that differ are none: one of them was put there by somebody else.
    pub fn find(self, headers: &HeaderMap, secure: bool) -> Option<SecretString> {
        let name = self.name(secure).as_bytes();
        let mut found: Option<&[u8]> = None;
        // Cookies of others at the same host may hold anything.
        let lines = headers.get_all(header::COOKIE).iter();
        for pair in lines.flat_map(|line| line.as_bytes().split(|byte| *byte == b';')) {
            let pair = pair.trim_ascii();
            let Some(value) = pair
                .strip_prefix(name)
                .and_then(|rest| rest.strip_prefix(b"="))
            else {
                continue;
            };
            if found.is_some_and(|before| before != value) {
                return None;
            }
            found = Some(value);
        }
        found
            .filter(|value| (1..=LONGEST).contains(&value.len()))
            .filter(|value| value.iter().all(|byte| allowed(*byte)))
            .and_then(|value| std::str::from_utf8(value).ok())
            .map(SecretString::from)
    }

    /// The header that sets it. `None`: no cookie can have this value.
    pub fn set(self, value: &SecretString, secure: bool) -> Option<HeaderValue> {
        let value = value.expose_secret();
        if value.is_empty() || !value.bytes().all(allowed) {
            return None;
        }
        self.header(value, self.lives(), secure)
    }

    /// The header that takes it away.
    pub fn clear(self, secure: bool) -> Option<HeaderValue> {
        self.header("", 0, secure)
    }

    fn header(self, value: &str, lives: u32, secure: bool) -> Option<HeaderValue> {
        let name = self.name(secure);
        let end = if secure { "; Secure" } else { "" };
        let text = format!("{name}={value}; Path=/; Max-Age={lives}; HttpOnly; SameSite=Lax{end}");
        let mut header = HeaderValue::from_str(&text).ok()?;
        header.set_sensitive(true);
        Some(header)
    }
}

/// What a cookie's value may hold (RFC 6265).
fn allowed(byte: u8) -> bool {
    byte.is_ascii_graphic() && !matches!(byte, b'"' | b',' | b';' | b'\\')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(lines: &[&str], secure: bool) -> Option<String> {
        let mut headers = HeaderMap::new();
        for line in lines {
            let line = HeaderValue::from_bytes(line.as_bytes()).unwrap();
            headers.append(header::COOKIE, line);
        }
        Cookie::Session
            .find(&headers, secure)
            .map(|value| value.expose_secret().to_owned())
    }

    #[test]
    fn one_value_is_found_among_others() {
        let value = Some("a.b-c=".to_string());
        assert_eq!(find(&["x=1; tiktok_ads_session=a.b-c="], false), value);
        assert_eq!(find(&["x=1", "tiktok_ads_session=a.b-c=;y"], false), value);
        assert_eq!(
            find(&["x=größe;;=; tiktok_ads_session=a.b-c="], false),
            value
        );
        assert_eq!(find(&["__Host-tiktok_ads_session=a.b-c="], true), value);
    }

    #[test]
    fn a_cookie_that_somebody_else_put_there_counts_for_nothing() {
        assert_eq!(find(&["tiktok_ads_session=a"], true), None, "not by https");
        assert_eq!(
            find(&["tiktok_ads_session=a; tiktok_ads_session=b"], false),
            None
        );
        assert_eq!(find(&["tiktok_ads_session="], false), None);
        assert_eq!(find(&["tiktok_ads_session=a\"b"], false), None);
        let long = format!("tiktok_ads_session={}", "a".repeat(LONGEST + 1));
        assert_eq!(find(&[&long], false), None);
    }

    #[test]
    fn cookies_are_out_of_reach_of_scripts_and_other_sites() {
        let set = |secure| {
            let header = Cookie::Connect.set(&"v".into(), secure).unwrap();
            assert!(header.is_sensitive());
            header.to_str().unwrap().to_owned()
        };
        assert_eq!(
            set(false),
            "tiktok_ads_connect=v; Path=/; Max-Age=900; HttpOnly; SameSite=Lax"
        );
        assert_eq!(
            set(true),
            "__Host-tiktok_ads_connect=v; Path=/; Max-Age=900; HttpOnly; SameSite=Lax; Secure"
        );
        assert_eq!(Cookie::Connect.set(&"a; Domain=x".into(), true), None);
        assert_eq!(Cookie::Connect.set(&"a\r\nx".into(), true), None);
        assert_eq!(
            Cookie::Session.clear(false).unwrap(),
            "tiktok_ads_session=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax"
        );
    }
}
