//! Names of campaigns, ad groups and ads: length, characters, uniqueness.

use super::{
    Sandbox,
    envelope::Refusal,
    item::{Item, Level, Tree},
    knobs,
};

/// Longest name, in TikTok's units.
const MAX_UNITS: usize = 512;

/// Chinese, Japanese and Korean characters count two, all others one.
pub(super) fn units(name: &str) -> usize {
    name.chars()
        .map(|character| if is_wide(character) { 2 } else { 1 })
        .sum()
}

fn is_wide(character: char) -> bool {
    matches!(u32::from(character),
        0x1100..=0x115F | 0x2E80..=0x303E | 0x3041..=0x33FF | 0x3400..=0x4DBF | 0x4E00..=0x9FFF | 0xA000..=0xA4CF
        | 0xAC00..=0xD7A3 | 0xF900..=0xFAFF | 0xFE30..=0xFE4F | 0xFF00..=0xFF60 | 0xFFE0..=0xFFE6 | 0x20000..=0x3FFFD)
}

fn is_emoji(character: char) -> bool {
    matches!(u32::from(character),
        0x1F000..=0x1FAFF | 0x2600..=0x27BF | 0x2B50 | 0x2B55 | 0x231A..=0x231B | 0x23E9..=0x23FA | 0xFE0F | 0x200D
        | 0x20E3 | 0xE0020..=0xE007F)
}

/// Refuses an empty, too long or decorated name.
pub(super) fn check(level: Level, name: &str) -> Result<(), Refusal> {
    let field = level.name_field();
    if name.trim().is_empty() {
        return Err(Refusal::parameter(format!(
            "{field}: Field may not be empty."
        )));
    }
    if has_emoji(name) {
        return Err(Refusal::parameter(format!(
            "{field}: Emoji is not supported."
        )));
    }
    if units(name) > MAX_UNITS {
        return Err(Refusal::parameter(format!(
            "{field}: Longer than maximum length {MAX_UNITS}."
        )));
    }
    Ok(())
}

/// TikTok's words for a name that exists; seen live for campaigns.
pub(super) fn taken(level: Level) -> Refusal {
    Refusal::parameter(format!(
        "{} name already exists. Please try another one.",
        level.title()
    ))
}

/// Whether a text has an emoji, which names and ad texts must not have.
pub(super) fn has_emoji(text: &str) -> bool {
    text.chars().any(is_emoji)
}

impl Sandbox {
    /// Refuses a name that another object of the level has, as far as the knobs say that names are unique. `parent` is
    /// what the object is in.
    pub(super) fn check_name_free(
        &self,
        advertiser_id: &str,
        (level, tree): (Level, Tree),
        name: &str,
        parent: Option<u64>,
        except: Option<u64>,
    ) -> Result<(), Refusal> {
        let one_tree = self.knobs.is(&knobs::NAME_SCOPE, advertiser_id, "tree");
        let only_in = match level {
            Level::Campaign => None,
            Level::AdGroup => match self.knobs.text(&knobs::AD_GROUP_NAME_UNIQUE, advertiser_id) {
                "off" => return Ok(()),
                "campaign" => parent,
                _ => None,
            },
            Level::Ad => match self.knobs.text(&knobs::AD_NAME_UNIQUE, advertiser_id) {
                "off" => return Ok(()),
                "ad_group" => parent,
                _ => None,
            },
        };
        let deleted_count = self
            .knobs
            .is(&knobs::NAME_OF_DELETED, advertiser_id, "taken");
        let ignoring_case = self
            .knobs
            .is(&knobs::NAME_MATCH, advertiser_id, "ignoring_case");
        let lower = name.to_lowercase();
        let taken = |row: &Item| {
            let other = row.name();
            (other == name || (ignoring_case && other.to_lowercase() == lower))
                && Some(row.id) != except
                && (deleted_count || self.check_alive(advertiser_id, row).is_ok())
                && (!one_tree || row.tree == tree)
                && (only_in.is_none() || row.parent() == only_in)
        };
        if self.rows(advertiser_id, level).any(taken) {
            Err(self::taken(level))
        } else {
            Ok(())
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use super::*;

    #[test]
    fn cjk_counts_two() {
        assert_eq!(units("ab"), 2);
        assert_eq!(units("夏キャン"), 8);
        assert!(check(Level::Campaign, &"夏".repeat(256)).is_ok());
        assert!(check(Level::Campaign, &"夏".repeat(257)).is_err());
        assert!(check(Level::Campaign, &"a".repeat(512)).is_ok());
        assert!(check(Level::Campaign, &"a".repeat(513)).is_err());
        assert!(check(Level::Campaign, &"é".repeat(512)).is_ok());
    }

    #[test]
    fn emoji_and_blank_are_refused() {
        for name in ["", "  ", "Sale 🔥", "❤️", "a☀"] {
            assert!(check(Level::Campaign, name).is_err(), "{name}");
        }
        for name in ["Été – 50 %", "夏キャンペーン", "A|B_C-1"] {
            assert!(check(Level::Campaign, name).is_ok(), "{name}");
        }
    }
}
