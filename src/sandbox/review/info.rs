//! `…/review_info/` of ad groups, ads and creatives (D:1740554277061634, D:1843317465695233, D:1843317474334722).

use serde_json::{Map, Value, json};

use super::super::{
    Sandbox,
    ads::smart_plus::{KIND, creatives},
    envelope::{Refusal, Reply},
    glance::View,
    item::{Item, Level, Tree},
    knobs,
    query::{Params, is_id, missing},
    route::Reviewed,
    time,
};
use super::{Appeal, Available};

/// Most ids in a call of the manual tree, and of the Smart+ tree.
const MOST_MANUAL: usize = 20;
const MOST_SMART_PLUS: usize = 100;

/// What `extra_info_setting` asks for.
struct Extra {
    reasons: bool,
}

impl Sandbox {
    /// `GET …/review_info/`.
    pub(in crate::sandbox) fn review_info(
        &self,
        at: i64,
        advertiser_id: &str,
        subject: Reviewed,
        params: &Params,
    ) -> Result<Reply, Refusal> {
        match subject {
            Reviewed::Ads => self.ad_review_info(at, advertiser_id, params),
            Reviewed::AdGroups => self.ad_group_review_info(at, advertiser_id, params),
            Reviewed::SmartPlusAds => self.smart_plus_ad_review_info(at, advertiser_id, params),
            Reviewed::Materials => self.material_review_info(at, advertiser_id, params),
        }
    }

    /// `GET /ad/review_info/`.
    fn ad_review_info(
        &self,
        at: i64,
        advertiser_id: &str,
        params: &Params,
    ) -> Result<Reply, Refusal> {
        let view = self.view_of(at, advertiser_id)?;
        let mut map = Map::new();
        for id in self.review_ids(advertiser_id, params, "ad_ids", MOST_MANUAL)? {
            match view.store.shown_as(Level::Ad, id) {
                Some(ad) if ad.id == id && ad.tree == Tree::SmartPlus => {
                    self.unknown_reviewed(advertiser_id, "Ad", id)?;
                }
                Some(ad) => view.put_ad_review(ad, id, &mut map),
                None => self.unknown_reviewed(advertiser_id, "Ad", id)?,
            }
        }
        Ok(Reply::ok(json!({ "ad_review_map": map })))
    }

    /// `GET /adgroup/review_info/`.
    fn ad_group_review_info(
        &self,
        at: i64,
        advertiser_id: &str,
        params: &Params,
    ) -> Result<Reply, Refusal> {
        let view = self.view_of(at, advertiser_id)?;
        let (mut groups, mut ads) = (Map::new(), Map::new());
        for id in self.review_ids(advertiser_id, params, "adgroup_ids", MOST_MANUAL)? {
            let Some(group) = view.store.get(Level::AdGroup, id) else {
                self.unknown_reviewed(advertiser_id, "Ad group", id)?;
                continue;
            };
            let mut of_group = Map::new();
            for ad in view.living_ads(group) {
                match ad.tree {
                    Tree::Manual => view.put_ad_review(ad, ad.id, &mut of_group),
                    Tree::SmartPlus => {
                        for creative in &ad.creative_ids {
                            view.put_ad_review(ad, *creative, &mut of_group);
                        }
                    }
                }
            }
            if let Some(entry) = view.ad_group_review(group) {
                groups.insert(id.to_string(), entry);
            }
            ads.insert(id.to_string(), Value::Object(of_group));
        }
        Ok(Reply::ok(
            json!({"ad_group_review_map": groups, "ad_review_map": ads}),
        ))
    }

    /// `GET /smart_plus/ad/review_info/`.
    fn smart_plus_ad_review_info(
        &self,
        at: i64,
        advertiser_id: &str,
        params: &Params,
    ) -> Result<Reply, Refusal> {
        let view = self.view_of(at, advertiser_id)?;
        let extra = extra(params)?;
        let (mut ads, mut materials) = (Vec::new(), Vec::new());
        for id in self.review_ids(advertiser_id, params, "smart_plus_ad_ids", MOST_SMART_PLUS)? {
            let ad = view.store.get(Level::Ad, id).filter(|ad| ad.tree == KIND.1);
            let Some(ad) = ad else {
                self.unknown_reviewed(advertiser_id, "Ad", id)?;
                continue;
            };
            ads.extend(view.smart_plus_ad_review(ad, &extra));
            for material in creatives::materials(&ad.fields) {
                materials.extend(view.material_review(ad, material, &extra));
            }
        }
        Ok(Reply::ok(
            json!({"smart_plus_ad_review_infos": ads, "material_review_infos": materials}),
        ))
    }

    /// `GET /smart_plus/material/review_info/`.
    fn material_review_info(
        &self,
        at: i64,
        advertiser_id: &str,
        params: &Params,
    ) -> Result<Reply, Refusal> {
        let view = self.view_of(at, advertiser_id)?;
        let extra = extra(params)?;
        let mut materials = Vec::new();
        for id in self.review_ids(advertiser_id, params, "ad_material_ids", MOST_SMART_PLUS)? {
            let ad = view
                .store
                .all(Level::Ad)
                .values()
                .find(|ad| creatives::materials(&ad.fields).contains(&id));
            match ad {
                Some(ad) => materials.extend(view.material_review(ad, id, &extra)),
                None => self.unknown_reviewed(advertiser_id, "Creative", id)?,
            }
        }
        Ok(Reply::ok(json!({ "material_review_infos": materials })))
    }

    fn view_of<'a>(&'a self, at: i64, advertiser_id: &'a str) -> Result<View<'a>, Refusal> {
        let advertiser = self
            .advertiser(advertiser_id)
            .map_err(|_| missing("advertiser_id"))?;
        Ok(self.view(at, advertiser_id, advertiser))
    }

    fn review_ids(
        &self,
        advertiser_id: &str,
        params: &Params,
        name: &str,
        most: usize,
    ) -> Result<Vec<u64>, Refusal> {
        let ids = params.texts(name)?.ok_or_else(|| missing(name))?;
        if ids.is_empty() {
            return Err(Refusal::parameter(format!(
                "{name}: Shorter than minimum length 1."
            )));
        }
        if ids.len() > most {
            let code = self.knobs.whole(&knobs::TOO_MANY_IDS_CODE, advertiser_id);
            return Err(Refusal::new(
                code,
                format!("{name}: Longer than maximum length {most}."),
            ));
        }
        ids.iter()
            .enumerate()
            .map(|(index, id)| {
                id.parse().ok().filter(|_| is_id(id)).ok_or_else(|| {
                    Refusal::parameter(format!("{name}.{index}: Not a valid int64 string."))
                })
            })
            .collect()
    }

    /// An id that is not there: refused, or left out.
    fn unknown_reviewed(&self, advertiser_id: &str, what: &str, id: u64) -> Result<(), Refusal> {
        if self
            .knobs
            .is(&knobs::REVIEW_INFO_UNKNOWN_ID, advertiser_id, "omit")
        {
            return Ok(());
        }
        let code = self
            .knobs
            .whole(&knobs::MISSING_CAMPAIGN_CODE, advertiser_id);
        Err(Refusal::new(
            code,
            format!("{what} {id} does not exist or does not belong to advertiser {advertiser_id}."),
        ))
    }
}

/// Reads `extra_info_setting`.
fn extra(params: &Params) -> Result<Extra, Refusal> {
    let map = match params.json("extra_info_setting")? {
        None => Map::new(),
        Some(Value::Object(map)) => map,
        Some(_) => {
            return Err(Refusal::parameter(
                "extra_info_setting: Not a valid object.",
            ));
        }
    };
    let flag = |name: &str| match map.get(name).filter(|value| !value.is_null()) {
        None => Ok(false),
        Some(Value::Bool(flag)) => Ok(*flag),
        Some(_) => Err(Refusal::parameter(format!(
            "extra_info_setting.{name}: Not a valid boolean."
        ))),
    };
    let reasons = flag("include_reject_info")?;
    if flag("include_violation_frame")? && !reasons {
        return Err(Refusal::parameter(
            "extra_info_setting.include_violation_frame is only supported when include_reject_info is true.",
        ));
    }
    Ok(Extra { reasons })
}

impl<'a> View<'a> {
    /// The ads of an ad group that are not deleted.
    pub(in crate::sandbox) fn living_ads(&self, group: &Item) -> impl Iterator<Item = &'a Item> {
        self.store
            .children(Level::Ad, group.id)
            .filter(|ad| !ad.deleted)
    }

    /// What a review lets through of an ad or of one of its creatives; none while nobody has looked.
    pub(in crate::sandbox) fn available(&self, ad: &Item) -> Option<Available> {
        let materials = creatives::materials(&ad.fields);
        ad.is_reviewed(self.at)
            .then(|| ad.findings.of_all(&materials))
    }

    /// What reviews let through of an ad group and the ads in it; none while nobody has looked at any.
    pub(in crate::sandbox) fn available_group(&self, group: &Item) -> Option<Available> {
        let own = group.findings.of_all(&[]);
        let ads: Vec<Available> = self
            .living_ads(group)
            .filter_map(|ad| self.available(ad))
            .collect();
        if own == Available::Nothing {
            return Some(own);
        }
        if ads.is_empty() {
            return (own != Available::All).then_some(own);
        }
        Some(Available::of_parts(
            ads.into_iter()
                .chain((own == Available::Partly).then_some(own)),
        ))
    }

    /// What `review_status` says; none: the entry is left out.
    fn review_status(&self, found: Option<Available>) -> Option<&'static str> {
        match found {
            Some(found) => Some(found.wire()),
            None => match self
                .knobs
                .text(&knobs::REVIEW_INFO_IN_REVIEW, self.advertiser_id)
            {
                "ALL_AVAILABLE" => Some("ALL_AVAILABLE"),
                "UNAVAILABLE" => Some("UNAVAILABLE"),
                _ => None,
            },
        }
    }

    /// An entry of `ad_review_map`: an ad, or a creative of a Smart+ ad under the `ad_id` that manual lists give it.
    fn put_ad_review(&self, ad: &Item, id: u64, map: &mut Map<String, Value>) {
        let findings = &ad.findings;
        let place = ad.creative_ids.iter().position(|creative| *creative == id);
        let material = place.and_then(|index| creatives::materials(&ad.fields).get(index).copied());
        let found = self.available(ad).map(|whole| match material {
            Some(_) if whole == Available::Nothing => whole,
            Some(material) => findings.of_material(material),
            None => whole,
        });
        let Some(status) = self.review_status(found) else {
            return;
        };
        let mut reasons = findings.reject_info(Tree::Manual, None);
        if let Some(material) = material {
            reasons.extend(findings.reject_info(Tree::Manual, Some(material)));
        }
        let mut entry = findings.forbidden();
        entry.extend([
            ("ad_id".to_owned(), json!(id.to_string())),
            ("review_status".to_owned(), json!(status)),
            ("is_approved".to_owned(), json!(status != "UNAVAILABLE")),
            ("forbidden_operation_systems".to_owned(), json!([])),
            // Both are always null for ads.
            ("appeal_status".to_owned(), Value::Null),
            ("last_audit_time".to_owned(), Value::Null),
            ("reject_info".to_owned(), json!(reasons)),
        ]);
        map.insert(id.to_string(), Value::Object(entry));
    }

    fn ad_group_review(&self, group: &Item) -> Option<Value> {
        let findings = &group.findings;
        let found = self.available_group(group);
        let status = self.review_status(found)?;
        let rejected_ads = self.living_ads(group).any(|ad| {
            self.available(ad)
                .is_some_and(|found| found != Available::All)
        });
        let rejected = status == "UNAVAILABLE";
        let audited = self
            .living_ads(group)
            .filter_map(|ad| ad.findings.reviewed_at)
            .chain(findings.reviewed_at)
            .max();
        let mut entry = findings.forbidden();
        entry.extend([
            ("adgroup_id".to_owned(), json!(group.id.to_string())),
            ("review_status".to_owned(), json!(status)),
            ("is_approved".to_owned(), json!(!rejected)),
            ("forbidden_operation_systems".to_owned(), json!([])),
            ("appeal_status".to_owned(), json!(findings.appeal.wire())),
            (
                "last_audit_time".to_owned(),
                json!(audited.filter(|_| rejected).map(time::datetime)),
            ),
            // The table of TikTok's documentation says one, its example the other.
            ("contain_rejected_ads".to_owned(), json!(rejected_ads)),
            ("contains_rejected_ads".to_owned(), json!(rejected_ads)),
            (
                "reject_info".to_owned(),
                json!(findings.reject_info(Tree::Manual, None)),
            ),
        ]);
        Some(Value::Object(entry))
    }

    fn smart_plus_ad_review(&self, ad: &Item, extra: &Extra) -> Option<Value> {
        let status = self.review_status(self.available(ad))?;
        let findings = &ad.findings;
        let answered = findings.appeal == Appeal::Failed;
        Some(json!({
            "smart_plus_ad_id": ad.id.to_string(),
            "review_status": status,
            "appeal_status": findings.appeal.wire(),
            "appeal_reject_reasons": answered.then_some(&findings.appeal_reject_reasons),
            "passed_locations": null,
            "reject_info": extra.reasons.then(|| findings.reject_info(Tree::SmartPlus, None)),
        }))
    }

    fn material_review(&self, ad: &Item, material: u64, extra: &Extra) -> Option<Value> {
        let found = self
            .available(ad)
            .map(|_| ad.findings.of_material(material));
        let status = self.review_status(found)?;
        let reasons = ad.findings.reject_info(Tree::SmartPlus, Some(material));
        let shown = extra.reasons && !reasons.is_empty();
        Some(json!({
            "ad_material_id": material.to_string(),
            "smart_plus_ad_id": ad.id.to_string(),
            "review_status": status,
            "passed_locations": null,
            "reject_info": shown.then_some(reasons),
        }))
    }
}
