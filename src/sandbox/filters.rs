//! The conditions of `filtering`, for all levels of both trees.

mod names;

use serde_json::Value;

use super::{
    Sandbox,
    envelope::Refusal,
    fields::{self, check_word},
    glance::{Glance, View},
    item::{Item, Level, Tree},
    knobs,
    query::{Body, texts},
    status::{primary_of, primary_statuses, secondary_statuses},
    time,
};

/// Most ids of one kind in a filter.
const MAX_IDS: usize = 100;

/// The conditions of `filtering`.
#[derive(Default)]
pub(super) struct Filter {
    /// Ids of the level itself: the look-up by id.
    pub ids: Option<Vec<u64>>,
    /// Ids of campaigns and of ad groups that the rows must be in.
    pub campaigns: Option<Vec<u64>>,
    pub ad_groups: Option<Vec<u64>>,
    name: Option<NameFilter>,
    /// Whether deleted objects are shown at all.
    shows_deleted: bool,
    /// Whether the creation bounds belong to the window.
    inclusive: bool,
    primary: Option<String>,
    secondary: Option<String>,
    objective: Option<String>,
    created_from: Option<i64>,
    created_to: Option<i64>,
    modified_after: Option<i64>,
    campaign_type: Option<String>,
    automation: Option<Vec<String>>,
    origins: Option<Vec<String>>,
    buying_types: Option<Vec<String>>,
    billing_events: Option<Vec<String>>,
    bid_strategy: Option<String>,
    destination: Option<String>,
    smart_performance: Option<bool>,
    split_test: Option<bool>,
    /// Fields that must have exactly this text, in the object or above it.
    equal: Vec<(&'static str, String)>,
}

/// The fuzzy filter on names.
struct NameFilter {
    wanted: String,
    mode: NameMode,
}

enum NameMode {
    Contains,
    ContainsIgnoringCase,
    StartsWith,
}

impl NameFilter {
    fn new(wanted: &str, mode: &str) -> Self {
        match mode {
            "contains" => Self {
                wanted: wanted.into(),
                mode: NameMode::Contains,
            },
            "starts_with" => Self {
                wanted: wanted.into(),
                mode: NameMode::StartsWith,
            },
            _ => Self {
                wanted: wanted.to_lowercase(),
                mode: NameMode::ContainsIgnoringCase,
            },
        }
    }

    fn matches(&self, name: &str) -> bool {
        match self.mode {
            NameMode::Contains => name.contains(&self.wanted),
            NameMode::StartsWith => name.starts_with(&self.wanted),
            NameMode::ContainsIgnoringCase => name.to_lowercase().contains(&self.wanted),
        }
    }
}

const BID_STRATEGIES: &[&str] = &[
    "BID_STRATEGY_COST_CAP",
    "BID_STRATEGY_BID_CAP",
    "BID_STRATEGY_MAX_CONVERSION",
    "BID_STRATEGY_LOWEST_COST",
];
const DESTINATIONS: &[&str] = &[
    "APP",
    "TIKTOK_INSTANT_PAGE",
    "WEBSITE",
    "SOCIAL_MEDIA_APP",
    "PHONE_CALL",
];
const AUTOMATION_TYPES: &[&str] = &[
    "MANUAL",
    "SMART_PLUS",
    "UPGRADED_SMART_PLUS",
    "UPGRADED_SMART_PLUS_CREATIVE",
];

/// Conditions that must equal a text field of the object or of something above it, with the words they take (empty: any).
const EQUAL: &[(&str, &[&str])] = &[
    ("sales_destination", fields::SALES_DESTINATIONS),
    ("campaign_product_source", fields::PRODUCT_SOURCES),
    ("optimization_goal", &[]),
    ("promotion_type", &[]),
    (
        "creative_material_mode",
        &["CUSTOM", "DYNAMIC", "SMART_CREATIVE"],
    ),
];

/// A boolean, also in the spelling of Python.
fn boolean(name: &str, value: Option<&Value>) -> Result<Option<bool>, Refusal> {
    match value {
        None => Ok(None),
        Some(Value::Bool(flag)) => Ok(Some(*flag)),
        Some(Value::String(text)) if text.eq_ignore_ascii_case("true") => Ok(Some(true)),
        Some(Value::String(text)) if text.eq_ignore_ascii_case("false") => Ok(Some(false)),
        Some(_) => Err(Refusal::parameter(format!(
            "filtering.{name}: Not a valid boolean."
        ))),
    }
}

fn words(
    name: &str,
    value: Option<&Value>,
    allowed: &[&str],
) -> Result<Option<Vec<String>>, Refusal> {
    let Some(value) = value else { return Ok(None) };
    let list = match value {
        Value::String(one) => vec![one.clone()],
        other => texts(&format!("filtering.{name}"), other)?,
    };
    for word in &list {
        check_word(&format!("filtering.{name}"), word, allowed)?;
    }
    Ok((!list.is_empty()).then_some(list))
}

/// One word of a set.
fn word(body: Body<'_>, name: &str, allowed: &[&str]) -> Result<Option<String>, Refusal> {
    let Some(word) = body.text(name)? else {
        return Ok(None);
    };
    check_word(&format!("filtering.{name}"), word, allowed)?;
    Ok(Some(word.to_owned()))
}

fn instant(body: Body<'_>, name: &str) -> Result<Option<i64>, Refusal> {
    let Some(text) = body.text(name)? else {
        return Ok(None);
    };
    time::parse(text)
        .map(Some)
        .ok_or_else(|| Refusal::parameter(format!("filtering.{name}: Not a valid datetime.")))
}

impl Sandbox {
    /// Reads `filtering` of a list.
    pub(super) fn read_filter(
        &self,
        advertiser_id: &str,
        (level, tree): (Level, Tree),
        value: Option<Value>,
    ) -> Result<Filter, Refusal> {
        let map = match value {
            None => return Ok(Filter::default()),
            Some(Value::Object(map)) => map,
            Some(_) => return Err(Refusal::parameter("filtering: Not a valid object.")),
        };
        let known = names::known(level, tree);
        if let Some(key) = map.keys().find(|key| !known.contains(&key.as_str()))
            && self
                .knobs
                .is(&knobs::UNKNOWN_FILTERS, advertiser_id, "refuse")
        {
            return Err(Refusal::parameter(format!(
                "filtering.{key}: Unknown field."
            )));
        }
        let numbers = self.knobs.is(&knobs::NUMERIC_IDS, advertiser_id, "accept");
        // What this list does not know is not looked at further.
        let map = map
            .into_iter()
            .filter(|(key, _)| known.contains(&key.as_str()))
            .collect();
        let body = Body::new(&map, numbers);
        let secondary: Vec<&str> = secondary_statuses(level)
            .iter()
            .map(|(name, _)| *name)
            .collect();
        let mut filter = Filter {
            ids: self.filter_ids(advertiser_id, body, level.ids_field(tree))?,
            name: body.text(level.name_field())?.map(|wanted| {
                NameFilter::new(
                    wanted,
                    self.knobs.text(&knobs::FUZZY_NAME_MATCH, advertiser_id),
                )
            }),
            inclusive: self
                .knobs
                .is(&knobs::CREATION_FILTER_BOUNDS, advertiser_id, "inclusive"),
            primary: word(body, "primary_status", primary_statuses(level))?,
            secondary: word(body, "secondary_status", &secondary)?,
            objective: word(body, "objective_type", fields::ALL_OBJECTIVES)?,
            created_from: instant(body, "creation_filter_start_time")?,
            created_to: instant(body, "creation_filter_end_time")?,
            modified_after: instant(body, "modified_after")?,
            campaign_type: word(body, "campaign_type", fields::CAMPAIGN_TYPES)?,
            automation: words(
                "campaign_automation_type",
                body.get("campaign_automation_type"),
                AUTOMATION_TYPES,
            )?,
            origins: words(
                "campaign_system_origins",
                body.get("campaign_system_origins"),
                &["TT_ADS_PLATFORM", "PROMOTE"],
            )?,
            buying_types: words(
                "buying_types",
                body.get("buying_types"),
                &["AUCTION", "RESERVATION_RF", "RESERVATION_TOP_VIEW"],
            )?,
            billing_events: words(
                "billing_events",
                body.get("billing_events"),
                fields::BILLING_EVENTS,
            )?,
            bid_strategy: word(body, "bid_strategy", BID_STRATEGIES)?,
            destination: word(body, "destination", DESTINATIONS)?,
            smart_performance: boolean(
                "is_smart_performance_campaign",
                body.get("is_smart_performance_campaign"),
            )?,
            split_test: boolean("split_test_enabled", body.get("split_test_enabled"))?,
            ..Filter::default()
        };
        if level != Level::Campaign {
            filter.campaigns = self.filter_ids(advertiser_id, body, "campaign_ids")?;
        }
        if level == Level::Ad {
            filter.ad_groups = self.filter_ids(advertiser_id, body, "adgroup_ids")?;
        }
        filter.shows_deleted = match filter.primary.as_deref() {
            None => {
                let deleted = filter
                    .secondary
                    .as_deref()
                    .map(|word| primary_of(level, word));
                deleted == Some("STATUS_DELETE")
                    || (filter.ids.is_some()
                        && self.knobs.is(&knobs::DELETED_BY_ID, advertiser_id, "shown"))
            }
            Some("STATUS_NOT_DELETE") => false,
            Some(_) => true,
        };
        for (name, allowed) in EQUAL {
            if let Some(text) = body.text(name)? {
                if !allowed.is_empty() {
                    check_word(&format!("filtering.{name}"), text, allowed)?;
                }
                filter.equal.push((name, text.to_owned()));
            }
        }
        Ok(filter)
    }

    fn filter_ids(
        &self,
        advertiser_id: &str,
        body: Body<'_>,
        name: &str,
    ) -> Result<Option<Vec<u64>>, Refusal> {
        let ids = body.ids(name)?.filter(|ids| !ids.is_empty());
        if ids.as_ref().is_some_and(|ids| ids.len() > MAX_IDS) {
            let code = self.knobs.whole(&knobs::TOO_MANY_IDS_CODE, advertiser_id);
            return Err(Refusal::new(
                code,
                format!("filtering.{name}: Longer than maximum length {MAX_IDS}."),
            ));
        }
        Ok(ids.map(|ids| ids.iter().filter_map(|id| id.parse().ok()).collect()))
    }
}

impl Filter {
    /// Whether a list shows a row. Lists are long: what is asked of every row comes first and costs little.
    pub(super) fn passes(&self, view: &View<'_>, row: &Glance<'_>) -> bool {
        let among = |list: &Option<Vec<String>>, default: &[&str], is: &str| match list {
            Some(list) => list.iter().any(|entry| entry == is),
            None => default.contains(&is),
        };
        if row.deleted && !self.shows_deleted {
            return false;
        }
        let item = row.item;
        if !within(&self.campaigns, item.campaign) || !within(&self.ad_groups, item.ad_group) {
            return false;
        }
        // Objectives and origins are the campaign's.
        let top = |field: &str| match item.level {
            Level::Campaign => row.text(field),
            _ => view.campaign_of(item).map_or("", |row| row.text(field)),
        };
        let origin = match top("campaign_system_origin") {
            "" => "TT_ADS_PLATFORM",
            other => other,
        };
        let objective = top("objective_type");
        let buying = match objective {
            "RF_REACH" => "RESERVATION_RF",
            "TOPVIEW_REACH" => "RESERVATION_TOP_VIEW",
            _ => "AUCTION",
        };
        if !among(&self.origins, &["TT_ADS_PLATFORM"], origin)
            || !among(&self.buying_types, &["AUCTION", "RESERVATION_RF"], buying)
        {
            return false;
        }
        if let Some(name) = &self.name
            && !name.matches(row.text(item.level.name_field()))
        {
            return false;
        }
        let primary = match self.primary.as_deref() {
            None | Some("STATUS_ALL" | "STATUS_NOT_DELETE") => true,
            Some(wanted) => primary_of(item.level, view.secondary(item)) == wanted,
        };
        let created = whole_second(item.created_at);
        let bound = |bound: Option<i64>, beyond: fn(&i64, &i64) -> bool| {
            bound.is_none_or(|bound| {
                beyond(&created, &bound) || (self.inclusive && created == bound)
            })
        };
        primary
            && bound(self.created_from, i64::gt)
            && bound(self.created_to, i64::lt)
            && self
                .modified_after
                .is_none_or(|after| whole_second(row.modified_at) > after)
            && self.secondary.as_deref().is_none_or(|wanted| view.secondary(item) == wanted)
            && self.objective.as_deref().is_none_or(|wanted| objective == wanted)
            && self.campaign_type.as_deref().is_none_or(|wanted| row.text("campaign_type") == wanted)
            && (self.automation.is_none()
                || among(&self.automation, &[], row.text("campaign_automation_type")))
            && (self.billing_events.is_none()
                || among(&self.billing_events, &[], row.text("billing_event")))
            && self
                .smart_performance
                .is_none_or(|wanted| row.fields.get("is_smart_performance_campaign") == Some(&Value::Bool(wanted)))
            && self
                .bid_strategy
                .as_deref()
                .is_none_or(|wanted| bid_strategy(row) == wanted)
            && self
                .destination
                .as_deref()
                .is_none_or(|wanted| leads_to(view, row, wanted))
            // Nothing in the sandbox is part of a split test.
            && self.split_test != Some(true)
            && self.equal.iter().all(|(field, wanted)| has(view, row, field, wanted))
    }
}

/// Whether a parent is among the wanted ones, if any are wanted.
fn within(wanted: &Option<Vec<u64>>, parent: Option<u64>) -> bool {
    wanted
        .as_ref()
        .is_none_or(|ids| parent.is_some_and(|id| ids.contains(&id)))
}

/// Whether the object, or what it is in, has this text in a field.
fn has(view: &View<'_>, row: &Glance<'_>, field: &str, wanted: &str) -> bool {
    let above = |parent: Option<&Item>| parent.is_some_and(|row| row.text(field) == wanted);
    row.text(field) == wanted
        || (row.item.level != Level::Campaign
            && (above(view.ad_group_of(row.item)) || above(view.campaign_of(row.item))))
}

/// What the filter calls an ad group's way of bidding: a custom bid caps the cost of a result where results are billed,
/// and the bid itself elsewhere.
fn bid_strategy(row: &Glance<'_>) -> &'static str {
    match (row.text("bid_type"), row.text("billing_event")) {
        ("BID_TYPE_CUSTOM", "OCPM" | "OCPC") => "BID_STRATEGY_COST_CAP",
        ("BID_TYPE_CUSTOM", _) => "BID_STRATEGY_BID_CAP",
        ("BID_TYPE_MAX_CONVERSION", _) => "BID_STRATEGY_MAX_CONVERSION",
        _ => "BID_STRATEGY_LOWEST_COST",
    }
}

/// Whether a click on an ad leads there.
fn leads_to(view: &View<'_>, row: &Glance<'_>, destination: &str) -> bool {
    let promotes = |kinds: &[&str]| {
        view.ad_group_of(row.item)
            .is_some_and(|ad_group| kinds.contains(&ad_group.text("promotion_type")))
    };
    match destination {
        "APP" => promotes(&["APP_ANDROID", "APP_IOS"]),
        "PHONE_CALL" => promotes(&["LEAD_GEN_CLICK_TO_CALL"]),
        "SOCIAL_MEDIA_APP" => promotes(&["LEAD_GEN_CLICK_TO_SOCIAL_MEDIA_APP_MESSAGE"]),
        "TIKTOK_INSTANT_PAGE" => row
            .fields
            .get("page_id")
            .is_some_and(|page| !page.is_null()),
        _ => !row.text("landing_page_url").is_empty(),
    }
}

fn whole_second(at: i64) -> i64 {
    at.div_euclid(1_000) * 1_000
}
