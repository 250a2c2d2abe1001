//! What TikTok's review says, for a status.

use serde_json::Value;

use super::time;
use crate::api::APPEAL;
use crate::api::status::{CreativeStatus, RejectReason, Review as ReviewStatus};
use crate::platform::{RejectInfo, Review, Row, clean};

/// The most reasons that a status lists; `reasonCount` has the number.
const SHOWN: usize = 10;
/// The most creatives of an ad that a status lists: TikTok's own limit.
const CREATIVES: usize = 50;

/// The review as the status shows it.
pub fn status(review: &Review) -> ReviewStatus {
    ReviewStatus {
        approved: review.approved,
        status: review.status.as_deref().map(camel),
        appeal: review.appeal.as_deref().map(camel),
        last_audit_time: review.last_audit.map(time),
        reasons: review.rejections.iter().take(SHOWN).map(reason).collect(),
        reason_count: i32::try_from(review.rejections.len())
            .ok()
            .filter(|n| *n > 0),
    }
}

fn reason(info: &RejectInfo) -> RejectReason {
    let forbidden = [
        ("placement", &info.forbidden_placements),
        ("location", &info.forbidden_locations),
        ("age", &info.forbidden_ages),
    ];
    RejectReason {
        reason: clean(&info.reasons.join("; "), 1024),
        content: info.about.as_ref().map(|about| clean(about, 256)),
        suggestion: info.suggestion.as_ref().map(|text| clean(text, 1024)),
        forbidden: forbidden
            .iter()
            .flat_map(|(what, list)| list.iter().map(move |item| format!("{what} {item}")))
            .take(20)
            .map(|item| clean(&item, 128))
            .collect(),
    }
}

/// In one sentence, for a condition; `None` when nothing is said against the ad.
pub fn message(review: &Review) -> Option<String> {
    let first = review.rejections.first()?;
    // However much TikTok says: what to do stands behind it and has to fit in.
    let mut text = format!(
        "TikTok refuses it: {}",
        clean(&first.reasons.join("; "), 512)
    );
    if let Some(about) = &first.about {
        text.push_str(&format!(" ({about})"));
    }
    if let Some(suggestion) = &first.suggestion {
        text.push_str(&format!(". TikTok suggests: {}", clean(suggestion, 192)));
    }
    if review.rejections.len() > 1 {
        text.push_str(&format!(
            ". {} more in status.review",
            review.rejections.len() - 1
        ));
    }
    let next = match review.appeal.as_deref() {
        Some("APPEALING") => "TikTok is looking at the appeal".to_string(),
        _ => format!(
            "Change the ad, or appeal: annotate this object with {APPEAL}: \"<why it is right>\""
        ),
    };
    let text = text.trim_end_matches('.');
    Some(format!("{text}. {next}"))
}

/// The creatives of a Smart+ ad, each with its own switch.
pub fn creatives(row: &Row) -> Option<Vec<CreativeStatus>> {
    let list = row
        .fields
        .get(crate::model::creatives::STATES)?
        .as_array()?;
    let text = |item: &Value, name: &str| {
        item.get(name)
            .and_then(Value::as_str)
            .map(|text| clean(text, 64))
    };
    let shown = list
        .iter()
        .take(CREATIVES)
        .map(|item| CreativeStatus {
            id: None,
            material_id: text(item, "material_id"),
            state: text(item, "status").map(|status| match status.as_str() {
                "ENABLE" => "On".into(),
                "DISABLE" => "Off".into(),
                "DELETE" => "Deleted".into(),
                _ => status,
            }),
            delivery_status: None,
        })
        .collect::<Vec<_>>();
    (!shown.is_empty()).then_some(shown)
}

/// `PART_AVAILABLE` as `PartAvailable`: statuses have no words in capitals.
fn camel(word: &str) -> String {
    clean(word, 64)
        .split('_')
        .map(|part| {
            let mut letters = part.chars();
            letters.next().map_or_else(String::new, |first| {
                first.to_uppercase().collect::<String>() + &letters.as_str().to_lowercase()
            })
        })
        .collect()
}
