//! Text that comes from the platform is data, never layout (R19).

/// One line of at most `max_chars` characters that shows what `text` says and does nothing else.
///
/// Control characters, bidirectional overrides, zero-width and tag characters are dropped; white space of any kind,
/// line breaks included, becomes single spaces; what is too long ends in `…`. Applying it twice changes nothing.
pub fn clean(text: &str, max_chars: usize) -> String {
    let mut line = String::with_capacity(text.len().min(max_chars.saturating_mul(4)));
    let mut chars = 0;
    let mut gap = false;
    for character in text.chars() {
        if character.is_whitespace() {
            gap = chars > 0;
            continue;
        }
        if is_invisible(character) {
            continue;
        }
        let needed = if gap { 2 } else { 1 };
        if chars + needed > max_chars {
            return cut(line, max_chars);
        }
        if gap {
            line.push(' ');
            gap = false;
        }
        line.push(character);
        chars += needed;
    }
    line
}

/// What a person wrote, as written, without the characters that do something to whoever shows it: control characters and
/// bidirectional overrides are dropped, line breaks become spaces. Joiners and spaces stay, since many scripts need them.
/// At most `max_chars` characters. Applying it twice changes nothing.
pub(super) fn harmless(text: &str, max_chars: usize) -> String {
    text.chars()
        .map(|character| match character {
            '\n' | '\r' | '\t' | '\u{2028}' | '\u{2029}' => ' ',
            other => other,
        })
        .filter(|character| !does_harm(*character))
        .take(max_chars)
        .collect()
}

/// Reorders what is around it, or is no character for people at all.
fn does_harm(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{061C}' | '\u{200E}' | '\u{200F}' // direction marks
            | '\u{202A}'..='\u{202E}' // bidirectional embeddings and overrides
            | '\u{2060}'..='\u{206F}' // word joiner, isolates, deprecated format characters
            | '\u{FEFF}'
            | '\u{FFF0}'..='\u{FFFB}'
            | '\u{E0000}'..='\u{E0FFF}' // tags
        )
}

/// Ends a line that has more to say: the last character gives way to `…` where there is no room for it.
fn cut(mut line: String, max_chars: usize) -> String {
    if max_chars == 0 {
        return String::new();
    }
    while line.chars().count() >= max_chars {
        line.pop();
    }
    let kept = line.trim_end().len();
    line.truncate(kept);
    line.push('…');
    line
}

/// Takes out what may be a credential: `known`, and any run of 36 or more letters and digits. TikTok's access tokens
/// have 40; its request ids have 34 and the ids of objects at most 20.
pub(super) fn without_secrets(text: &str, known: &[&str]) -> String {
    let mut secret = vec![false; text.len()];
    let known = known.iter().filter(|known| !known.is_empty());
    for (start, found) in known
        .into_iter()
        .flat_map(|known| text.match_indices(*known))
    {
        secret[start..start + found.len()].fill(true);
    }
    let mut start = 0;
    for run in text.split(|character: char| !character.is_ascii_alphanumeric()) {
        // The parts are slices of the text: where one begins is where the last ended, plus the character between.
        let end = start + run.len();
        if run.len() >= 36 {
            secret[start..end].fill(true);
        }
        start = end + text[end..].chars().next().map_or(0, char::len_utf8);
    }
    let mut shown = String::with_capacity(text.len());
    let mut hiding = false;
    for (at, character) in text.char_indices() {
        if !secret[at] {
            shown.push(character);
        } else if !hiding {
            shown.push_str(HIDDEN);
        }
        hiding = secret[at];
    }
    shown
}

const HIDDEN: &str = "[hidden]";

fn is_invisible(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{00AD}' // soft hyphen
            | '\u{034F}' // combining grapheme joiner
            | '\u{061C}' // Arabic letter mark
            | '\u{115F}' | '\u{1160}' | '\u{3164}' | '\u{FFA0}' // Hangul fillers
            | '\u{17B4}' | '\u{17B5}'
            | '\u{180B}'..='\u{180F}'
            | '\u{200B}'..='\u{200F}' // zero-width characters, left-to-right and right-to-left marks
            | '\u{202A}'..='\u{202E}' // bidirectional embeddings and overrides
            | '\u{2060}'..='\u{206F}' // word joiner, isolates, deprecated format characters
            | '\u{FE00}'..='\u{FE0F}' // variation selectors
            | '\u{FEFF}'
            | '\u{FFF0}'..='\u{FFFB}'
            | '\u{1BCA0}'..='\u{1BCA3}'
            | '\u{1D173}'..='\u{1D17A}'
            | '\u{E0000}'..='\u{E0FFF}' // tags and further variation selectors
        )
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn r19_platform_text_becomes_one_harmless_line() {
        assert_eq!(
            clean("Your budget setting must not be less than £50", 100),
            "Your budget setting must not be less than £50"
        );
        assert_eq!(clean("a\u{1b}[31mred\u{1b}[0m\r\nb", 100), "a[31mred[0m b");
        assert_eq!(clean("pay\u{202E}gnp.exe\u{202C}", 100), "paygnp.exe");
        assert_eq!(clean("a\u{200B}b\u{FEFF}c\u{2066}d", 100), "abcd");
        assert_eq!(clean("  two \t\n\u{2028} words  ", 100), "two words");
        assert_eq!(clean("日本語のキャンペーン", 100), "日本語のキャンペーン");
    }

    #[test]
    fn r19_every_character_that_reorders_or_hides_is_dropped() {
        // Unicode's bidirectional controls, zero-width characters, marks, fillers, tags, and the ends of C0 and C1.
        for code in [
            0x00, 0x07, 0x1B, 0x7F, 0x80, 0x9B, 0x9F, 0xAD, 0x34F, 0x61C, 0x115F, 0x180E, 0x200B,
            0x200C, 0x200D, 0x200E, 0x200F, 0x202A, 0x202B, 0x202C, 0x202D, 0x202E, 0x2060, 0x2064,
            0x2066, 0x2067, 0x2068, 0x2069, 0x206F, 0x3164, 0xFE0F, 0xFEFF, 0xFFF9, 0xFFFA, 0xFFFB,
            0xE0001, 0xE0020, 0xE007F, 0xE0100,
        ] {
            let character = char::from_u32(code).unwrap();
            assert_eq!(clean(&format!("a{character}b"), 10), "ab", "U+{code:04X}");
        }
    }

    #[test]
    fn r19_prose_keeps_its_joiners_and_spaces() {
        // Persian needs the zero-width non-joiner, Hindi the joiner.
        for text in [
            "می\u{200C}خواهم",
            "क\u{94D}\u{200D}ष",
            "two  spaces",
            "https://x.example/?a=%20b",
        ] {
            assert_eq!(harmless(text, 100), text);
        }
        assert_eq!(harmless("a\u{202E}b\u{1b}c\nd", 100), "abc d");
        assert_eq!(harmless("abc", 2), "ab");
    }

    #[test]
    fn r19_long_text_ends_in_an_ellipsis() {
        assert_eq!(clean("abcdef", 6), "abcdef");
        assert_eq!(clean("abcdefg", 6), "abcde…");
        assert_eq!(clean("abcd efg", 6), "abcd…");
        assert_eq!(clean("abcdef \u{200B}\n", 6), "abcdef");
        assert_eq!(clean("abc", 1), "…");
        assert_eq!(clean("abc", 0), "");
    }

    #[test]
    fn r25_what_looks_like_a_token_is_not_shown() {
        let token = "0123456789abcdef0123456789abcdef01234567";
        assert_eq!(
            without_secrets(&format!("Access token {token}, is wrong {token}"), &[]),
            "Access token [hidden], is wrong [hidden]"
        );
        let ids = "campaign 1728545382536225 in 20260821191646DAEFF0B9BC2AA7DA28AE";
        assert_eq!(without_secrets(ids, &[]), ids);
        assert_eq!(
            without_secrets("secret=hush!", &["hush!", "no"]),
            "secret=[hidden]"
        );
        assert_eq!(without_secrets("a", &[""]), "a");
    }

    proptest! {
        #[test]
        fn r19_nothing_harmful_or_long_comes_out(text in any::<String>(), max in 0usize..40) {
            let line = clean(&text, max);
            prop_assert!(line.chars().count() <= max);
            prop_assert!(!line.chars().any(is_invisible));
            prop_assert!(!line.chars().any(|c| c.is_whitespace() && c != ' '));
            prop_assert!(!line.starts_with(' ') && !line.ends_with(' ') && !line.contains("  "));
            prop_assert_eq!(clean(&line, max), line);
        }

        #[test]
        fn r19_what_a_person_wrote_stays_as_it_is_but_for_what_does_harm(text in any::<String>()) {
            let kept = harmless(&text, 1000);
            prop_assert!(!kept.chars().any(does_harm));
            prop_assert_eq!(harmless(&kept, 1000), kept);
        }

        #[test]
        fn r19_plain_words_stay_as_they_are(words in proptest::collection::vec("[!-~]{1,8}", 1..8)) {
            let text = words.join(" ");
            prop_assert_eq!(clean(&text, text.len()), text);
        }
    }
}
