//! What TikTok adds to the callback's address: a pure function of the query, which may hold anything.

use std::borrow::Cow;

use secrecy::SecretString;

/// The longest `state` and code that are looked at, in characters.
const LONGEST: usize = 2048;
/// The longest part of an error that is shown, in characters.
const LONGEST_WORDS: usize = 200;

/// TikTok's answer to an authorisation.
#[derive(Clone, Debug)]
pub struct Callback {
    pub state: SecretString,
    pub code: SecretString,
}

/// Why a query is no answer of TikTok's that can be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallbackError {
    /// It cannot be read: a part is missing, twice there with different values, empty, too long, or holds characters
    /// that none has.
    Unreadable,
    /// TikTok says that it was not approved; its words, without control characters.
    NotApproved(String),
}

/// Reads the query of the callback, without its question mark. `auth_code` is TikTok's name, `code` that of the standard;
/// if both are there they have to be equal. Unknown parts are left alone.
///
/// # Errors
/// [`CallbackError`]; it never holds `state` or the code.
pub fn callback(query: &str) -> Result<Callback, CallbackError> {
    let mut state = Part::Missing;
    let mut code = Part::Missing;
    let mut error = Part::Missing;
    let mut words = Part::Missing;
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        match &*name {
            "state" => state.add(value),
            "auth_code" | "code" => code.add(value),
            "error" => error.add(value),
            "error_description" => words.add(value),
            _ => {}
        }
    }
    match error {
        Part::Missing => {}
        Part::One(error) => {
            let words = match words {
                Part::One(words) if !words.trim().is_empty() => words,
                _ => error,
            };
            return Err(CallbackError::NotApproved(plain(&words)));
        }
        Part::Contradiction => return Err(CallbackError::Unreadable),
    }
    match (state.usable(), code.usable()) {
        (Some(state), Some(code)) => Ok(Callback { state, code }),
        _ => Err(CallbackError::Unreadable),
    }
}

/// A part of a query.
enum Part<'a> {
    Missing,
    One(Cow<'a, str>),
    /// More than one, and they differ.
    Contradiction,
}

impl<'a> Part<'a> {
    fn add(&mut self, value: Cow<'a, str>) {
        *self = match std::mem::replace(self, Part::Missing) {
            Part::Missing => Part::One(value),
            Part::One(before) if before == value => Part::One(before),
            Part::One(_) | Part::Contradiction => Part::Contradiction,
        };
    }

    /// Its value, if that can be a code or a state: visible ASCII.
    fn usable(self) -> Option<SecretString> {
        match self {
            Part::One(value)
                if (1..=LONGEST).contains(&value.len())
                    && value.bytes().all(|b| b.is_ascii_graphic()) =>
            {
                Some(SecretString::from(value.into_owned()))
            }
            _ => None,
        }
    }
}

fn plain(text: &str) -> String {
    text.chars()
        .filter(|character| !character.is_control())
        .take(LONGEST_WORDS)
        .collect::<String>()
        .trim()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use secrecy::ExposeSecret;

    use super::*;

    fn read(query: &str) -> Option<(String, String)> {
        callback(query).ok().map(|c| {
            (
                c.state.expose_secret().to_owned(),
                c.code.expose_secret().to_owned(),
            )
        })
    }

    #[test]
    fn tiktoks_and_the_standards_name_of_the_code_are_read() {
        let expected = Some(("a.b".to_string(), "c1".to_string()));
        for query in [
            "auth_code=c1&state=a.b",
            "state=a.b&code=c1",
            "state=a%2eb&auth_code=c1&code=c1&lang=de",
            "auth_code=c1&auth_code=c1&state=a.b&",
        ] {
            assert_eq!(read(query), expected, "{query}");
        }
    }

    #[test]
    fn what_is_missing_double_or_odd_is_no_answer() {
        for query in [
            "",
            "state=a",
            "code=c",
            "state=&code=c",
            "state=a&code=",
            "state=a&state=b&code=c",
            "state=a&code=c&auth_code=d",
            "state=a&code=c%0d%0aSet-Cookie:x",
            "state=a%00&code=c",
            "state=a&code=%ff",
            "state=a+b&code=c",
            "state=a&code=c&error=a&error=b",
            &format!("state={}&code=c", "a".repeat(LONGEST + 1)),
        ] {
            assert_eq!(read(query), None, "{query}");
        }
    }

    #[test]
    fn a_refusal_is_told_in_tiktoks_words() {
        assert_eq!(
            callback("error=access_denied&state=a").unwrap_err(),
            CallbackError::NotApproved("access_denied".into())
        );
        let long = "x".repeat(500);
        let error = callback(&format!(
            "error=e&error_description=no%0A{long}&code=c&state=s"
        ))
        .unwrap_err();
        assert!(
            matches!(&error, CallbackError::NotApproved(words) if words.starts_with("nox") && words.len() == 200),
            "{error:?}"
        );
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(query in "\\PC*|(state|code|auth_code|error|[a-z%&=+;]){0,30}") {
            if let Ok(found) = callback(&query) {
                for part in [found.state.expose_secret(), found.code.expose_secret()] {
                    prop_assert!(!part.is_empty() && part.len() <= LONGEST);
                    prop_assert!(part.bytes().all(|b| b.is_ascii_graphic()));
                }
            }
        }

        #[test]
        fn what_was_written_is_read(state in "[!-~]{1,80}", code in "[!-~]{1,80}", other in "\\PC{0,20}") {
            let query = url::form_urlencoded::Serializer::new(String::new())
                .append_pair("other", &other)
                .append_pair("auth_code", &code)
                .append_pair("state", &state)
                .finish();
            prop_assert_eq!(read(&query), Some((state, code)));
        }
    }
}
