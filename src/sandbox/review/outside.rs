//! TikTok's reviewers, played through the control interface; and what an automatic review finds.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::super::{
    ControlError, Sandbox,
    ads::smart_plus::{
        creatives,
        rules::{object, objects},
    },
    create::text,
    item::{Item, Level},
    knobs,
};
use super::{Appeal, Available, ContentType, Findings, Rejection};

/// What TikTok says when a test says no more than "reject".
const REASON: &str = "The ad does not comply with TikTok's advertising policies.";

/// A rejection, as the control interface takes it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NewRejection {
    /// Why; not said: a general sentence.
    pub reasons: Vec<String>,
    /// What to do about it.
    pub suggestion: String,
    /// What kind of content was looked at; the content itself is taken from the ad.
    pub content_type: ContentType,
    /// The `ad_material_id` of one creative of a Smart+ ad; not said: the whole object.
    pub material_id: Option<String>,
    /// With one of these three only a part is forbidden.
    pub forbidden_locations: Vec<String>,
    /// See `forbidden_locations`.
    pub forbidden_ages: Vec<String>,
    /// See `forbidden_locations`.
    pub forbidden_placements: Vec<String>,
}

impl Sandbox {
    /// Ends the review of an ad group or ad with an objection, beside those that there are. An open appeal has failed.
    pub fn reject_content(
        &mut self,
        now: i64,
        id: &str,
        new: NewRejection,
    ) -> Result<(), ControlError> {
        let at = self.at(now);
        let (advertiser_id, row) = self.reviewed_object(id)?;
        let (advertiser_id, level, number) = (advertiser_id.to_owned(), row.level, row.id);
        let material = material_of(row, new.material_id.as_deref())?;
        let rejection = Rejection {
            material,
            content: content(&row.fields, material, new.content_type),
            content_type: new.content_type,
            reasons: if new.reasons.is_empty() {
                vec![REASON.to_owned()]
            } else {
                new.reasons
            },
            suggestion: new.suggestion,
            forbidden_locations: new.forbidden_locations,
            forbidden_ages: new.forbidden_ages,
            forbidden_placements: new.forbidden_placements,
        };
        let subject = (rejection.material, rejection.content_type);
        let mut all = row.findings.rejections.clone();
        all.retain(|one| (one.material, one.content_type) != subject);
        all.push(rejection);
        self.conclude_review(at, &advertiser_id, level, number, all);
        Ok(())
    }

    /// Ends the review of an ad group or ad: nothing is wrong with it, or with one of its creatives. Without objections
    /// left, an open appeal was successful.
    pub fn approve_content(
        &mut self,
        now: i64,
        id: &str,
        material_id: Option<&str>,
    ) -> Result<(), ControlError> {
        let at = self.at(now);
        let (advertiser_id, row) = self.reviewed_object(id)?;
        let (advertiser_id, level, number) = (advertiser_id.to_owned(), row.level, row.id);
        let material = material_of(row, material_id)?;
        let mut left = row.findings.rejections.clone();
        left.retain(|one| material.is_some() && one.material != material);
        self.conclude_review(at, &advertiser_id, level, number, left);
        Ok(())
    }

    fn reviewed_object(&self, id: &str) -> Result<(&str, &Item), ControlError> {
        let (advertiser_id, row) = self.object(id)?;
        if row.level == Level::Campaign {
            return Err(ControlError::Value {
                field: "id".into(),
                value: format!("{id}: campaigns have no content to review"),
            });
        }
        if row.deleted {
            return Err(ControlError::Deleted(row.id));
        }
        Ok((advertiser_id, row))
    }

    fn conclude_review(
        &mut self,
        at: i64,
        advertiser_id: &str,
        level: Level,
        id: u64,
        rejections: Vec<Rejection>,
    ) {
        let group_before = self.group_of_ad(at, advertiser_id, id);
        let Some(row) = self.row_mut(advertiser_id, level, id) else {
            return;
        };
        row.review = None;
        row.status_override = None;
        row.findings.conclude(at, rejections);
        let reasons: Vec<String> = row
            .findings
            .rejections
            .iter()
            .flat_map(|one| one.reasons.clone())
            .collect();
        if level == Level::Ad
            && let Some(group) = row.ad_group
        {
            self.answer_appeal_of_group(at, advertiser_id, group, reasons);
        }
        self.announce_result(at, advertiser_id, level, id, group_before);
    }

    /// An appeal for an ad of the manual tree is its ad group's: the reviewers' word about the ad answers it.
    fn answer_appeal_of_group(
        &mut self,
        at: i64,
        advertiser_id: &str,
        group: u64,
        reasons: Vec<String>,
    ) {
        let (Some(row), Ok(advertiser)) = (
            self.row(advertiser_id, Level::AdGroup, group),
            self.advertiser(advertiser_id),
        ) else {
            return;
        };
        let found = self
            .view(at, advertiser_id, advertiser)
            .available_group(row);
        let clean = matches!(found, None | Some(Available::All));
        let Some(row) = self.row_mut(advertiser_id, Level::AdGroup, group) else {
            return;
        };
        match (row.findings.appeal, reasons.is_empty()) {
            (Appeal::Open, true) if clean => row.findings.appeal = Appeal::Successful,
            (Appeal::Open, false) => {
                row.findings.appeal = Appeal::Failed;
                row.findings.appeal_reject_reasons = reasons;
            }
            // A new rejection can be appealed again.
            (Appeal::Successful | Appeal::Failed, false) => row.findings.appeal = Appeal::None,
            _ => {}
        }
    }

    /// Forgets what an earlier review of an ad said, and what was appealed; the next one finds what the knob
    /// `review_rejects` says. It counts when the review is over.
    pub(in crate::sandbox) fn expect_findings(&mut self, at: i64, advertiser_id: &str, ad: u64) {
        let wanted = self.knobs.text(&knobs::REVIEW_REJECTS, advertiser_id);
        let Some(row) = self.row(advertiser_id, Level::Ad, ad) else {
            return;
        };
        let bad = match wanted {
            "" => false,
            "*" => true,
            word => json!(row.fields).to_string().contains(word),
        };
        let over = row.review.and_then(|review| review.until).unwrap_or(at);
        let mut findings = Findings::default();
        if bad {
            let rejection = Rejection {
                reasons: vec![REASON.to_owned()],
                content: content(&row.fields, None, ContentType::default()),
                ..Rejection::default()
            };
            findings.conclude(over, vec![rejection]);
        }
        if let Some(row) = self.row_mut(advertiser_id, Level::Ad, ad) {
            row.findings = findings;
        }
    }
}

/// The creative that a control call names.
fn material_of(row: &Item, wanted: Option<&str>) -> Result<Option<u64>, ControlError> {
    let Some(wanted) = wanted else {
        return Ok(None);
    };
    creatives::materials(&row.fields)
        .into_iter()
        .find(|material| material.to_string() == wanted)
        .map(Some)
        .ok_or_else(|| ControlError::Value {
            field: "material_id".into(),
            value: wanted.into(),
        })
}

/// What an ad, or one creative of it, has of a kind of content; empty if nothing.
fn content(fields: &Map<String, Value>, material: Option<u64>, kind: ContentType) -> String {
    let id = material.map(|id| id.to_string());
    let creative = objects(fields, "creative_list").find(|creative| match &id {
        Some(id) => text(creative, "ad_material_id") == id,
        None => true,
    });
    let found = match (kind, creative) {
        (ContentType::Text, Some(_)) => first(fields, "ad_text_list", "ad_text"),
        (ContentType::LandingPage, Some(_)) => {
            first(fields, "landing_page_url_list", "landing_page_url")
        }
        (kind, Some(creative)) => {
            let info = object(creative, "creative_info");
            match kind {
                ContentType::Image => first(info, "image_info", "web_uri"),
                ContentType::Music => text(object(info, "music_info"), "music_id"),
                _ => text(object(info, "video_info"), "video_id"),
            }
        }
        (ContentType::Text, None) => text(fields, "ad_text"),
        (ContentType::LandingPage, None) => text(fields, "landing_page_url"),
        (ContentType::Music, None) => text(fields, "music_id"),
        (ContentType::Video, None) => text(fields, "video_id"),
        (ContentType::Image, None) => fields
            .get("image_ids")
            .and_then(|list| list.get(0))
            .and_then(Value::as_str)
            .unwrap_or_default(),
    };
    found.to_owned()
}

fn first<'a>(fields: &'a Map<String, Value>, list: &str, name: &str) -> &'a str {
    objects(fields, list)
        .next()
        .map_or("", |entry| text(entry, name))
}
