//! What TikTok's review found against an ad group, an ad or one creative of a Smart+ ad, and what became of an appeal.
//!
//! Whether a review still runs is the object's [`Review`](super::item::Review); this is what it said when it was over.

mod appeals;
mod info;
mod outside;

pub use outside::NewRejection;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::item::Tree;

/// Which part of an ad a rejection is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ContentType {
    /// A text.
    Text,
    /// An image.
    Image,
    /// A video.
    #[default]
    Video,
    /// The music of a carousel.
    Music,
    /// The page behind the ad; only Smart+ has a word for it, the manual tree says a text.
    LandingPage,
}

impl ContentType {
    /// The word on the wire: the two trees spell it differently (D:1740554277061634, D:1843317465695233).
    fn wire(self, tree: Tree) -> &'static str {
        match (self, tree) {
            (Self::Text | Self::LandingPage, Tree::Manual) => "MODE_STRING",
            (Self::Image, Tree::Manual) => "MODE_IMAGE",
            (Self::Video, Tree::Manual) => "MODE_VIDEO",
            (Self::Music, Tree::Manual) => "MODE_CAROUSEL_MUSIC",
            (Self::Text, Tree::SmartPlus) => "ModeString",
            (Self::Image, Tree::SmartPlus) => "ModeImage",
            (Self::Video, Tree::SmartPlus) => "ModeVideo",
            (Self::Music, Tree::SmartPlus) => "ModeMusic",
            (Self::LandingPage, Tree::SmartPlus) => "LandingPage",
        }
    }
}

/// One objection of a review.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejection {
    /// The `ad_material_id` of the creative it is about; none: the whole object.
    pub material: Option<u64>,
    /// Why, in TikTok's words.
    pub reasons: Vec<String>,
    /// What to do about it, in TikTok's words.
    pub suggestion: String,
    /// What kind of content was looked at.
    pub content_type: ContentType,
    /// That content: a text, or the id of an image, video or piece of music.
    pub content: String,
    /// Where it may not be shown. With this, `forbidden_ages` or `forbidden_placements` it may be shown elsewhere.
    pub forbidden_locations: Vec<String>,
    /// To whom it may not be shown.
    pub forbidden_ages: Vec<String>,
    /// On which placements it may not be shown.
    pub forbidden_placements: Vec<String>,
}

impl Rejection {
    /// Whether nothing of it may be shown anywhere.
    fn is_whole(&self) -> bool {
        self.forbidden_locations.is_empty()
            && self.forbidden_ages.is_empty()
            && self.forbidden_placements.is_empty()
    }

    /// As an element of `reject_info`.
    fn wire(&self, tree: Tree) -> Value {
        let content = |kind: ContentType, field: &str| {
            (self.content_type == kind).then(|| json!({ field: self.content }))
        };
        let music = match tree {
            Tree::Manual => "carousel_music_content",
            Tree::SmartPlus => "carousel_music_info",
        };
        let mut entry = json!({
            "suggestion": self.suggestion,
            "reasons": self.reasons,
            "forbidden_ages": self.forbidden_ages,
            "forbidden_locations": self.forbidden_locations,
            "forbidden_placements": self.forbidden_placements,
            "content_info": {
                "content_type": self.content_type.wire(tree),
                "text_content": matches!(self.content_type, ContentType::Text | ContentType::LandingPage)
                    .then_some(&self.content),
                "image_content": content(ContentType::Image, "image_id"),
                "video_content": content(ContentType::Video, "video_id"),
                music: content(ContentType::Music, "music_id"),
            },
        });
        if tree == Tree::SmartPlus {
            entry["specification"] = Value::Null;
        }
        entry
    }
}

/// What became of an appeal. TikTok takes one for each rejection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Appeal {
    /// There is none.
    #[default]
    None,
    /// TikTok has not decided.
    Open,
    /// The rejection was taken back.
    Successful,
    /// The rejection stays.
    Failed,
}

impl Appeal {
    /// What `appeal_status` says.
    pub(super) fn wire(self) -> &'static str {
        match self {
            Self::None => "NOT_APPEALED",
            Self::Open => "APPEALING",
            Self::Successful => "APPEAL_SUCCESSFUL",
            Self::Failed => "APPEAL_FAILED",
        }
    }
}

/// How much of an object may be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Available {
    All,
    Partly,
    Nothing,
}

impl Available {
    /// What `review_status` says.
    pub(super) fn wire(self) -> &'static str {
        match self {
            Self::All => "ALL_AVAILABLE",
            Self::Partly => "PART_AVAILABLE",
            Self::Nothing => "UNAVAILABLE",
        }
    }

    /// What holds of something whose parts are these: nothing of it if nothing of any part, all of it if all of each.
    pub(super) fn of_parts(parts: impl IntoIterator<Item = Self>) -> Self {
        let mut parts = parts.into_iter();
        let Some(first) = parts.next() else {
            return Self::All;
        };
        parts.fold(
            first,
            |sum, part| if sum == part { sum } else { Self::Partly },
        )
    }
}

/// All that reviews said about an object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Findings {
    /// What is against it; nothing: it is approved, or nobody has looked yet.
    pub rejections: Vec<Rejection>,
    /// When the last review was over; none: nobody has looked yet.
    pub reviewed_at: Option<i64>,
    /// What became of the appeal against them.
    pub appeal: Appeal,
    /// Why the appeal failed.
    pub appeal_reject_reasons: Vec<String>,
}

impl Findings {
    /// Takes a review's result, which also answers an open appeal.
    pub(super) fn conclude(&mut self, at: i64, rejections: Vec<Rejection>) {
        (self.appeal, self.appeal_reject_reasons) = match self.appeal {
            Appeal::Open if rejections.is_empty() => (Appeal::Successful, Vec::new()),
            Appeal::Open => {
                let reasons = rejections.iter().flat_map(|one| one.reasons.clone());
                (Appeal::Failed, reasons.collect())
            }
            // A further rejection can be appealed again.
            _ if !rejections.is_empty() => (Appeal::None, Vec::new()),
            other => (other, std::mem::take(&mut self.appeal_reject_reasons)),
        };
        self.rejections = rejections;
        self.reviewed_at = Some(at);
    }

    /// How much of one creative may be shown.
    pub(super) fn of_material(&self, material: u64) -> Available {
        let own = self
            .rejections
            .iter()
            .filter(|one| one.material == Some(material));
        available(own)
    }

    /// How much of an object with these creatives (none: it has no parts) may be shown.
    pub(super) fn of_all(&self, materials: &[u64]) -> Available {
        let whole = available(self.rejections.iter().filter(|one| one.material.is_none()));
        let parts = Available::of_parts(materials.iter().map(|id| self.of_material(*id)));
        match (whole, parts) {
            (Available::Nothing, _) | (_, Available::Nothing) => Available::Nothing,
            (Available::All, Available::All) => Available::All,
            _ => Available::Partly,
        }
    }

    /// `reject_info` of the whole object, or of one creative.
    pub(super) fn reject_info(&self, tree: Tree, material: Option<u64>) -> Vec<Value> {
        self.rejections
            .iter()
            .filter(|one| one.material == material)
            .map(|one| one.wire(tree))
            .collect()
    }

    /// `forbidden_placements`, `forbidden_ages` and `forbidden_locations`: what any objection says, each once.
    pub(super) fn forbidden(&self) -> Map<String, Value> {
        let union = |list: fn(&Rejection) -> &Vec<String>| {
            let mut all: Vec<&String> = self.rejections.iter().flat_map(list).collect();
            all.sort();
            all.dedup();
            json!(all)
        };
        Map::from_iter([
            (
                "forbidden_placements".to_owned(),
                union(|one| &one.forbidden_placements),
            ),
            (
                "forbidden_ages".to_owned(),
                union(|one| &one.forbidden_ages),
            ),
            (
                "forbidden_locations".to_owned(),
                union(|one| &one.forbidden_locations),
            ),
        ])
    }
}

fn available<'a>(rejections: impl Iterator<Item = &'a Rejection>) -> Available {
    rejections.fold(Available::All, |sum, one| match sum {
        Available::Nothing => sum,
        _ if one.is_whole() => Available::Nothing,
        _ => Available::Partly,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn against(material: Option<u64>, place: Option<&str>) -> Rejection {
        Rejection {
            material,
            reasons: vec!["No sound.".into()],
            forbidden_locations: place.into_iter().map(str::to_owned).collect(),
            ..Rejection::default()
        }
    }

    fn found(rejections: Vec<Rejection>) -> Findings {
        let mut findings = Findings::default();
        findings.conclude(1, rejections);
        findings
    }

    #[test]
    fn one_bad_creative_leaves_the_others() {
        let findings = found(vec![against(Some(1), None)]);
        assert_eq!(findings.of_material(1), Available::Nothing);
        assert_eq!(findings.of_material(2), Available::All);
        assert_eq!(findings.of_all(&[1, 2]), Available::Partly);
        assert_eq!(findings.of_all(&[1]), Available::Nothing);
    }

    #[test]
    fn a_forbidden_place_is_a_part() {
        let findings = found(vec![against(None, Some("RU"))]);
        assert_eq!(findings.of_all(&[]), Available::Partly);
        assert_eq!(findings.forbidden()["forbidden_locations"], json!(["RU"]));
        let findings = found(vec![against(None, Some("RU")), against(None, None)]);
        assert_eq!(findings.of_all(&[]), Available::Nothing);
    }

    #[test]
    fn content_stands_where_its_type_says_and_is_spelt_by_tree() {
        let one = Rejection {
            content_type: ContentType::Music,
            content: "77".into(),
            ..against(None, None)
        };
        let manual = one.wire(Tree::Manual);
        assert_eq!(
            manual["content_info"],
            json!({"content_type": "MODE_CAROUSEL_MUSIC", "text_content": null, "image_content": null,
                   "video_content": null, "carousel_music_content": {"music_id": "77"}})
        );
        let smart_plus = one.wire(Tree::SmartPlus);
        assert_eq!(smart_plus["content_info"]["content_type"], "ModeMusic");
        assert_eq!(
            smart_plus["content_info"]["carousel_music_info"],
            json!({"music_id": "77"})
        );
    }

    #[test]
    fn a_review_answers_an_open_appeal_and_a_new_rejection_can_be_appealed() {
        let mut findings = found(vec![against(None, None)]);
        findings.appeal = Appeal::Open;
        findings.conclude(2, vec![against(None, None)]);
        assert_eq!(findings.appeal, Appeal::Failed);
        assert_eq!(findings.appeal_reject_reasons, ["No sound."]);
        findings.conclude(3, vec![against(None, None)]);
        assert_eq!(findings.appeal, Appeal::None);
        findings.appeal = Appeal::Open;
        findings.conclude(4, Vec::new());
        assert_eq!(findings.appeal, Appeal::Successful);
        assert_eq!(findings.reviewed_at, Some(4));
    }

    proptest! {
        /// The whole is shown as much as its parts: never all of it while a part is not, never nothing of it while a
        /// part without objections is left and nothing is said against the whole.
        #[test]
        fn the_whole_follows_its_parts(
            objections in proptest::collection::vec((0_u64..4, any::<bool>()), 0..6),
            whole in proptest::option::of(any::<bool>()),
        ) {
            let materials = [0, 1, 2, 3];
            let mut rejections: Vec<Rejection> = objections
                .iter()
                .map(|(material, place)| against(Some(*material), place.then_some("RU")))
                .collect();
            if let Some(place) = whole {
                rejections.push(against(None, place.then_some("RU")));
            }
            let none_at_all = rejections.is_empty();
            let findings = found(rejections);
            let parts: Vec<Available> =
                materials.iter().map(|id| findings.of_material(*id)).collect();
            let all = findings.of_all(&materials);
            prop_assert_eq!(all == Available::All, none_at_all);
            let dead = parts.iter().all(|part| *part == Available::Nothing);
            prop_assert_eq!(all == Available::Nothing, dead || whole == Some(false));
        }
    }
}
