//! What a token may do, in TikTok's numbers: a tree whose branches are 1 (ad accounts), 2 (campaigns, ad groups and ads),
//! 4 (reports), and others that the operator never uses.
//!
//! The numbers of the lower levels begin with that of their branch. Little of this is documented, so what is unknown is
//! never taken for too little: TikTok itself refuses what it does not allow.

/// The role that may only read (R26).
pub const ANALYST: &str = "ANALYST";

/// What we need, by branch.
const NEEDED: [(u32, &str); 3] = [
    (1, "1 (Ad Account Management)"),
    (2, "2 (Ads Management)"),
    (4, "4 (Reporting)"),
];
/// The branches with which nothing can be changed on ads.
const READING: [u32; 2] = [1, 4];

/// The branch that a number is in.
fn branch(scope: u32) -> u32 {
    match scope {
        10..=99 => scope / 10,
        100..=999 => scope / 100,
        other => other,
    }
}

/// Everything that was granted only allows reading. Nothing said is no answer.
pub(super) fn reads_only(granted: &[u32]) -> bool {
    !granted.is_empty() && granted.iter().all(|s| READING.contains(&branch(*s)))
}

/// What is needed and was not granted.
pub(super) fn missing(granted: &[u32]) -> Vec<String> {
    NEEDED
        .iter()
        .filter(|(number, _)| !granted.iter().any(|s| branch(*s) == *number))
        .map(|(_, name)| (*name).to_string())
        .collect()
}

/// What was granted and is never used.
pub(super) fn excess(granted: &[u32]) -> Vec<String> {
    granted
        .iter()
        .filter(|s| !NEEDED.iter().any(|(number, _)| branch(**s) == *number))
        .map(ToString::to_string)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r26_what_only_allows_reading_is_told_from_what_is_unknown() {
        assert!(reads_only(&[4, 44]));
        assert!(reads_only(&[1, 10, 4]));
        assert!(!reads_only(&[1, 2, 4]));
        assert!(!reads_only(&[]), "nothing said is no answer");
        assert!(!reads_only(&[4, 777]), "unknown numbers may allow anything");
        assert_eq!(missing(&[4, 44]).len(), 2);
        assert_eq!(missing(&[1, 2, 44]), Vec::<String>::new());
        assert_eq!(excess(&[1, 2, 3, 44, 60]), ["3", "60"]);
    }
}
