//! What TikTok's review says of an ad (reference 5.5).

use jiff::Timestamp;
use serde_json::Value;

use super::json;
use super::kind::Tree;

/// The review of one ad. All texts are cleaned (R19).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Review {
    /// `None` while nobody has decided.
    pub approved: Option<bool>,
    /// `ALL_AVAILABLE`, `PART_AVAILABLE`, `UNAVAILABLE`.
    pub status: Option<String>,
    /// `NOT_APPEALED`, `APPEALING`, `APPEAL_SUCCESSFUL`, `APPEAL_FAILED`, `APPEAL_DONE`.
    pub appeal: Option<String>,
    pub last_audit: Option<Timestamp>,
    pub rejections: Vec<RejectInfo>,
}

/// One thing that the review has against an ad.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RejectInfo {
    pub reasons: Vec<String>,
    pub suggestion: Option<String>,
    /// What it is about: TikTok's content type, such as `MODE_VIDEO`, and the text or id in question.
    pub about: Option<String>,
    pub forbidden_placements: Vec<String>,
    pub forbidden_locations: Vec<String>,
    pub forbidden_ages: Vec<String>,
}

/// The reviews in an answer, by ad id. `None` if it holds none where they should be.
pub(super) fn read(data: &Value, tree: Tree) -> Option<Vec<(String, Review)>> {
    match tree {
        Tree::Manual => {
            let map = data.get("ad_review_map")?.as_object()?;
            Some(
                map.iter()
                    .map(|(id, said)| (id.clone(), review(said)))
                    .collect(),
            )
        }
        Tree::SmartPlus => {
            let ads = data.get("smart_plus_ad_review_infos")?.as_array()?;
            let creatives = data.get("material_review_infos").map(json::items);
            let read = |said: &Value| {
                let id = json::id(said, "smart_plus_ad_id")?;
                let mut review = review(said);
                // What is said of single creatives is said of the ad, which consists of them.
                let of_ad = creatives.unwrap_or_default().iter().filter(|creative| {
                    json::id(creative, "smart_plus_ad_id").as_deref() == Some(id.as_str())
                });
                review.rejections.extend(of_ad.flat_map(rejections));
                Some((id, review))
            };
            Some(ads.iter().filter_map(read).collect())
        }
    }
}

fn review(said: &Value) -> Review {
    let status = json::text(said, "review_status");
    Review {
        // The Smart+ tree says only what may be delivered.
        approved: json::flag(said, "is_approved").or(match status.as_deref() {
            Some("ALL_AVAILABLE" | "PART_AVAILABLE") => Some(true),
            Some("UNAVAILABLE") => Some(false),
            _ => None,
        }),
        status,
        appeal: json::text(said, "appeal_status"),
        last_audit: json::time(said, "last_audit_time"),
        rejections: rejections(said),
    }
}

fn rejections(said: &Value) -> Vec<RejectInfo> {
    let infos = said.get("reject_info").map(json::items);
    infos.unwrap_or_default().iter().map(rejection).collect()
}

fn rejection(info: &Value) -> RejectInfo {
    let content = info.get("content_info").unwrap_or(&Value::Null);
    let kind = json::text(content, "content_type");
    let what = json::text(content, "text_content")
        .or_else(|| json::text(&content["image_content"], "image_id"))
        .or_else(|| json::text(&content["video_content"], "video_id"))
        .or_else(|| json::text(&content["carousel_music_content"], "music_id"))
        .or_else(|| json::text(&content["carousel_music_info"], "music_id"));
    let about = match (kind, what) {
        (Some(kind), Some(what)) => Some(format!("{kind}: {what}")),
        (kind, what) => kind.or(what),
    };
    RejectInfo {
        reasons: json::texts(info, "reasons"),
        suggestion: json::text(info, "suggestion"),
        about,
        forbidden_placements: json::texts(info, "forbidden_placements"),
        forbidden_locations: json::texts(info, "forbidden_locations"),
        forbidden_ages: json::texts(info, "forbidden_ages"),
    }
}
