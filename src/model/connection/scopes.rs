//! What a token may do, in TikTok's numbers: a tree in which what is below a permission has its digits and one more
//! (2: ads management, 20: campaigns, 201: create and update campaigns). Who has one has all below it.

/// The role that may only read (R26).
pub(super) const ANALYST: &str = "ANALYST";

/// A permission that we need, and its name.
type Needed = (u32, &'static str);

const ACCOUNT: Needed = (100, "Read Ad Account Information");
const READS: [Needed; 3] = [
    (200, "Read Campaigns"),
    (210, "Read Ad Groups"),
    (220, "Read Ads"),
];
const WRITES: [Needed; 3] = [
    (201, "Create and Update Campaigns"),
    (211, "Create and Update Ad Groups"),
    (221, "Create and Update Ads"),
];
const PIXELS: Needed = (800, "Read Pixels");
/// What does no harm and may be of use: the user's role, reports.
const USED: [u32; 2] = [153, 44];

/// Was it granted, or one above it?
fn covers(granted: &[u32], needed: u32) -> bool {
    granted.iter().any(|s| above(*s, needed))
}

fn above(scope: u32, below: u32) -> bool {
    below.to_string().starts_with(&scope.to_string())
}

/// How far the permissions reach. Nothing said is no answer: TikTok itself refuses what it does not allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    Writes,
    Reads,
    /// Neither campaigns, nor ad groups, nor ads.
    NoAds,
}

pub(super) fn reach(granted: &[u32]) -> Reach {
    let any = |of: &[Needed]| of.iter().any(|(number, _)| covers(granted, *number));
    if granted.is_empty() || any(&WRITES) {
        Reach::Writes
    } else if any(&READS) {
        Reach::Reads
    } else {
        Reach::NoAds
    }
}

/// What is needed and was not granted.
pub(super) fn missing(granted: &[u32], pixels: bool) -> Vec<String> {
    needed(pixels)
        .filter(|(number, _)| !covers(granted, *number))
        .map(|(number, name)| format!("{number} ({name})"))
        .collect()
}

/// What was granted and is never used.
pub(super) fn excess(granted: &[u32], pixels: bool) -> Vec<String> {
    let used = |scope: u32| {
        needed(pixels)
            .map(|(number, _)| number)
            .chain(USED)
            .any(|number| above(scope, number) || above(number, scope))
    };
    granted
        .iter()
        // What stands beside a permission above it adds nothing.
        .filter(|scope| {
            !used(**scope) && !granted.iter().any(|s| s != *scope && above(*s, **scope))
        })
        .map(ToString::to_string)
        .collect()
}

fn needed(pixels: bool) -> impl Iterator<Item = Needed> {
    std::iter::once(ACCOUNT)
        .chain(READS)
        .chain(WRITES)
        .chain(pixels.then_some(PIXELS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r26_what_only_allows_reading_is_told_from_what_is_unknown() {
        assert_eq!(reach(&[1, 2, 4]), Reach::Writes);
        assert_eq!(reach(&[]), Reach::Writes, "nothing said is no answer");
        assert_eq!(reach(&[1, 200, 210, 220]), Reach::Reads);
        assert_eq!(reach(&[1, 4, 44]), Reach::NoAds);
        assert_eq!(
            reach(&[21]),
            Reach::Writes,
            "what is below is granted with it"
        );
    }

    #[test]
    fn r26_missing_and_excess_permissions_are_named() {
        assert_eq!(missing(&[1, 2], false), Vec::<String>::new());
        assert_eq!(missing(&[1, 2], true), ["800 (Read Pixels)"]);
        assert_eq!(
            missing(&[1, 20, 21, 220], false),
            ["221 (Create and Update Ads)"]
        );
        assert_eq!(excess(&[1, 2, 4, 40, 44, 15], false), Vec::<String>::new());
        assert_eq!(excess(&[1, 2, 3, 30, 8], false), ["3", "8"]);
        assert_eq!(excess(&[1, 2, 8], true), Vec::<String>::new());
    }
}
