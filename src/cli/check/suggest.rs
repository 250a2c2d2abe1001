//! What somebody probably meant.

use serde_json::Value;

use super::words;

/// What to do about a field that is not known at `path`: the near miss, or the place where it belongs, or what is
/// known there.
pub(super) fn field(root: &Value, known: &[&str], path: &str, key: &str) -> String {
    if let Some(name) = nearest(known, key) {
        return format!(": did you mean {name}?");
    }
    let mut places = Vec::new();
    find(root, "", key, &mut places);
    places.retain(|place| place.starts_with("spec") && place != path);
    match places.as_slice() {
        [] => format!("; there are: {}", known.join(", ")),
        places => format!(": it belongs in {}", places.join(" or ")),
    }
}

/// The one of `names` that is `written` but for case, underscores, dashes or a slip of the hand.
pub(super) fn nearest<'a>(names: &[&'a str], written: &str) -> Option<&'a str> {
    let wanted = plain(written);
    let distance = |name: &&'a str| distance(&plain(name), &wanted);
    let best = names.iter().copied().min_by_key(distance)?;
    let allowed = (wanted.len() / 4).clamp(1, 3);
    // Another number is another value, and no slip of the hand.
    let digits = |text: &[char]| text.iter().filter(|c| c.is_numeric()).copied().collect();
    let numbers: [Vec<char>; 2] = [digits(&plain(best)), digits(&wanted)];
    (distance(&best) <= allowed && numbers[0] == numbers[1]).then_some(best)
}

/// The one of `names` that may be meant by what was written, as the end of a sentence: empty if none is near.
pub(super) fn value(names: &[&str], written: &str) -> String {
    if let Some(same) = names.iter().find(|name| plain(name) == plain(written)) {
        return format!(": write {same}");
    }
    match words::known_by_another_word(names, written).or_else(|| nearest(names, written)) {
        Some(name) => format!(": did you mean {name}?"),
        None => String::new(),
    }
}

/// The dotted paths at which the schema has a field of this name.
fn find(schema: &Value, path: &str, key: &str, places: &mut Vec<String>) {
    for (name, below) in schema["properties"].as_object().into_iter().flatten() {
        if name == key {
            places.push(path.to_owned());
        }
        let below_path = if path.is_empty() {
            name.clone()
        } else {
            format!("{path}.{name}")
        };
        find(below, &below_path, key, places);
    }
}

/// Without case, and whatever stands between words.
pub(super) fn plain(text: &str) -> Vec<char> {
    text.chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}

/// How many characters have to be added, removed, replaced or swapped with their neighbour.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut rows = vec![vec![0; b.len() + 1]; a.len() + 1];
    for (i, row) in rows.iter_mut().enumerate() {
        row[0] = i;
    }
    for (j, cell) in rows[0].iter_mut().enumerate() {
        *cell = j;
    }
    for i in 1..=a.len() {
        for j in 1..=b.len() {
            let differs = usize::from(a[i - 1] != b[j - 1]);
            let mut least = (rows[i - 1][j] + 1)
                .min(rows[i][j - 1] + 1)
                .min(rows[i - 1][j - 1] + differs);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(rows[i - 2][j - 2] + 1);
            }
            rows[i][j] = least;
        }
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_recognised_and_other_words_are_not() {
        let names = ["Active", "Paused"];
        for (written, meant) in [
            ("active", Some("Active")),
            ("Actvie", Some("Active")),
            ("PAUSED", Some("Paused")),
            ("Running", None),
        ] {
            assert_eq!(nearest(&names, written), meant, "{written}");
        }
        assert_eq!(
            nearest(&["WebConversions", "Reach"], "WEB_CONVERSIONS"),
            Some("WebConversions")
        );
        assert_eq!(nearest(&["externalId"], "external_id"), Some("externalId"));
        assert_eq!(nearest(&["name", "mode"], "node"), Some("mode"));
        assert_eq!(nearest(&["Top5", "Top10", "Top10To25"], "Top15"), None);
        assert_eq!(nearest(&[], "x"), None);
    }

    #[test]
    fn a_guess_is_asked_and_what_is_certain_is_said() {
        let names = ["Active", "Paused"];
        assert_eq!(value(&names, "active"), ": write Active");
        assert_eq!(value(&names, "Actve"), ": did you mean Active?");
        assert_eq!(value(&names, "Running"), ": did you mean Active?");
        assert_eq!(value(&names, "Whatever"), "");
    }
}
