//! Appeals against a rejection: of ad groups and their ads (D:1740571821728770), and of Smart+ ads
//! (D:1843317522553106). TikTok takes one for each rejection; what comes of it is said through the control interface.

use serde_json::json;

use super::super::{
    Sandbox,
    ads::smart_plus::KIND,
    envelope::{Refusal, Reply},
    item::{Level, Tree},
    query::{Body, missing, texts},
};
use super::{Appeal, Available};

/// Most characters of `appeal_reason` in the Smart+ tree, which the SDK says.
const LONGEST_REASON: usize = 512;
/// Most entries of `attachment_list`.
const MOST_ATTACHMENTS: usize = 100;

/// Checks what both calls share.
fn check_words(body: Body<'_>) -> Result<(), Refusal> {
    let reason = body.text("appeal_reason")?.unwrap_or_default();
    if reason.chars().count() > LONGEST_REASON {
        return Err(Refusal::parameter(format!(
            "appeal_reason: Longer than maximum length {LONGEST_REASON}."
        )));
    }
    if let Some(list) = body.get("attachment_list")
        && texts("attachment_list", list)?.len() > MOST_ATTACHMENTS
    {
        return Err(Refusal::parameter(format!(
            "attachment_list: Longer than maximum length {MOST_ATTACHMENTS}."
        )));
    }
    Ok(())
}

impl Sandbox {
    /// `POST /smart_plus/ad/appeal/`.
    pub(in crate::sandbox) fn appeal_smart_plus_ad(
        &mut self,
        at: i64,
        advertiser_id: &str,
        body: Body<'_>,
    ) -> Result<Reply, Refusal> {
        let id = body.required("smart_plus_ad_id", body.id("smart_plus_ad_id")?)?;
        check_words(body)?;
        let id = self.writable(advertiser_id, KIND, &id)?;
        self.check_rejected(at, advertiser_id, Level::Ad, id)?;
        self.open_appeal(advertiser_id, Level::Ad, id)
    }

    /// `POST /adgroup/appeal/`: for the ad group or, with `ad_id`, for one ad in it. The state is the ad group's.
    pub(in crate::sandbox) fn appeal_ad_group(
        &mut self,
        at: i64,
        advertiser_id: &str,
        body: Body<'_>,
    ) -> Result<Reply, Refusal> {
        let group = body.required("adgroup_id", body.id("adgroup_id")?)?;
        let ad = body.id("ad_id")?;
        check_words(body)?;
        let group = self.writable(advertiser_id, (Level::AdGroup, Tree::Manual), &group)?;
        match ad {
            Some(ad) => {
                let ad = self.writable(advertiser_id, (Level::Ad, Tree::Manual), &ad)?;
                let inside = self
                    .row(advertiser_id, Level::Ad, ad)
                    .is_some_and(|row| row.ad_group == Some(group));
                if !inside {
                    return Err(Refusal::parameter(format!(
                        "Ad {ad} does not belong to ad group {group}."
                    )));
                }
                self.check_rejected(at, advertiser_id, Level::Ad, ad)?;
            }
            None => self.check_rejected(at, advertiser_id, Level::AdGroup, group)?,
        }
        self.open_appeal(advertiser_id, Level::AdGroup, group)
    }

    /// Refuses if there is nothing to appeal against.
    fn check_rejected(
        &self,
        at: i64,
        advertiser_id: &str,
        level: Level,
        id: u64,
    ) -> Result<(), Refusal> {
        let (Some(row), Ok(advertiser)) = (
            self.row(advertiser_id, level, id),
            self.advertiser(advertiser_id),
        ) else {
            return Err(missing(level.id_field(Tree::Manual)));
        };
        self.check_alive(advertiser_id, row)?;
        let view = self.view(at, advertiser_id, advertiser);
        let found = match level {
            Level::Ad => view.available(row),
            _ => view.available_group(row),
        };
        if matches!(found, None | Some(Available::All)) {
            return Err(Refusal::parameter(format!(
                "{} {id} has not been rejected and cannot be appealed.",
                level.title()
            )));
        }
        Ok(())
    }

    fn open_appeal(
        &mut self,
        advertiser_id: &str,
        level: Level,
        id: u64,
    ) -> Result<Reply, Refusal> {
        let Some(row) = self.row_mut(advertiser_id, level, id) else {
            return Err(missing(level.id_field(Tree::Manual)));
        };
        if row.findings.appeal != Appeal::None {
            return Err(Refusal::parameter(format!(
                "{} {id} has already been appealed; each rejection can be appealed once.",
                level.title()
            )));
        }
        row.findings.appeal = Appeal::Open;
        Ok(Reply::ok(json!({})))
    }
}
