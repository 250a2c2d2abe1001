//! HTML, built so that no value can become markup: what is not text of this program goes through [`Html::text`].

use jiff::Timestamp;

/// A piece of HTML.
#[derive(Clone, Debug, Default)]
pub struct Html(String);

impl Html {
    pub fn new() -> Self {
        Self::default()
    }

    /// Markup. Only texts of this program can be given.
    pub fn raw(mut self, markup: &'static str) -> Self {
        self.0.push_str(markup);
        self
    }

    /// A value, in an element or in an attribute in double quotes.
    pub fn text(mut self, value: &str) -> Self {
        for character in value.chars() {
            match character {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\'' => self.0.push_str("&#39;"),
                '\n' | '\t' => self.0.push(' '),
                // Neither allowed in HTML, nor of use to a reader: controls, and what turns the direction of writing.
                c if c.is_control() || turns(c) => self.0.push('\u{FFFD}'),
                c => self.0.push(c),
            }
        }
        self
    }

    pub fn number(mut self, value: usize) -> Self {
        self.0.push_str(&value.to_string());
        self
    }

    /// A point in time to the minute.
    pub fn time(self, at: Timestamp) -> Self {
        self.raw("<time datetime=\"")
            .text(&at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
            .raw("\">")
            .text(&at.strftime("%Y-%m-%d %H:%M UTC").to_string())
            .raw("</time>")
    }

    /// Another piece.
    pub fn add(mut self, piece: Html) -> Self {
        self.0.push_str(&piece.0);
        self
    }

    /// A piece, if there is something to make it of.
    pub fn maybe<T>(self, value: Option<T>, piece: impl FnOnce(Html, T) -> Html) -> Self {
        match value {
            Some(value) => piece(self, value),
            None => self,
        }
    }

    pub fn into_string(self) -> String {
        self.0
    }
}

/// Characters that change the direction of what follows them.
fn turns(character: char) -> bool {
    matches!(
        character,
        '\u{061C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}'
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What a browser makes of escaped text.
    fn read(html: &str) -> String {
        html.replace("&lt;", "<")
            .replace("&gt;", ">")
            .replace("&quot;", "\"")
            .replace("&#39;", "'")
            .replace("&amp;", "&")
    }

    proptest! {
        #[test]
        fn no_value_becomes_markup(value in "\\PC*|[<>&\"'=/a-z \u{0}-\u{1f}\u{202e}]{0,40}") {
            let html = Html::new().text(&value).into_string();
            prop_assert!(!html.contains(['<', '>', '"', '\'']), "{html}");
            prop_assert!(!html.chars().any(|c| c.is_control() || turns(c)), "{html:?}");
            for (at, _) in html.match_indices('&') {
                let known = ["&amp;", "&lt;", "&gt;", "&quot;", "&#39;"];
                prop_assert!(known.iter().any(|k| html[at..].starts_with(k)), "{html}");
            }
        }

        #[test]
        fn nothing_that_can_be_read_is_lost(value in "[ -~äöüß漢字🎉]{0,60}") {
            prop_assert_eq!(read(&Html::new().text(&value).into_string()), value);
        }
    }

    #[test]
    fn times_are_said_for_people_and_for_machines() {
        let at: Timestamp = "2026-11-30T09:05:59Z".parse().unwrap();
        assert_eq!(
            Html::new().time(at).into_string(),
            "<time datetime=\"2026-11-30T09:05:59Z\">2026-11-30 09:05 UTC</time>"
        );
    }
}
