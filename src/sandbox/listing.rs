//! Lists of campaigns in both trees: filters, pages, columns.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::{
    Sandbox,
    accounts::Advertiser,
    advertisers::unknown_column,
    campaign::{Campaign, Glance, PRIMARY_STATUSES, SECONDARY_STATUSES, Tree, primary_of},
    envelope::{Refusal, Reply},
    faults::FaultKind,
    fields::{self, check_word},
    knobs,
    query::{Body, Params, missing, texts},
    time,
};

/// The conditions of `filtering`.
#[derive(Default)]
struct Filter {
    ids: Option<Vec<String>>,
    name: Option<NameFilter>,
    /// Whether deleted campaigns are shown at all.
    shows_deleted: bool,
    /// Whether the creation bounds belong to the window.
    inclusive: bool,
    primary: Option<String>,
    secondary: Option<String>,
    objective: Option<String>,
    created_from: Option<i64>,
    created_to: Option<i64>,
    campaign_type: Option<String>,
    automation: Option<Vec<String>>,
    origins: Option<Vec<String>>,
    buying_types: Option<Vec<String>>,
    smart_performance: Option<bool>,
    split_test: Option<bool>,
    /// Fields that must have exactly this text.
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

const MANUAL_FILTERS: &[&str] = &[
    "campaign_ids",
    "campaign_name",
    "campaign_system_origins",
    "campaign_type",
    "objective_type",
    "buying_types",
    "primary_status",
    "secondary_status",
    "creation_filter_start_time",
    "creation_filter_end_time",
    "is_smart_performance_campaign",
    "split_test_enabled",
    "campaign_product_source",
    "optimization_goal",
    "sales_destination",
    "campaign_automation_type",
    "creative_campaign_type",
];
const SMART_PLUS_FILTERS: &[&str] = &[
    "campaign_ids",
    "campaign_name",
    "objective_type",
    "primary_status",
    "secondary_status",
    "sales_destination",
    "creation_filter_start_time",
    "creation_filter_end_time",
];
const AUTOMATION_TYPES: &[&str] = &[
    "MANUAL",
    "SMART_PLUS",
    "UPGRADED_SMART_PLUS",
    "UPGRADED_SMART_PLUS_CREATIVE",
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

impl Sandbox {
    fn read_filter(
        &self,
        advertiser_id: &str,
        tree: Tree,
        value: Option<Value>,
    ) -> Result<Filter, Refusal> {
        let map = match value {
            None => return Ok(Filter::default()),
            Some(Value::Object(map)) => map,
            Some(_) => return Err(Refusal::parameter("filtering: Not a valid object.")),
        };
        let known = match tree {
            Tree::Manual => MANUAL_FILTERS,
            Tree::SmartPlus => SMART_PLUS_FILTERS,
        };
        if let Some(key) = map.keys().find(|key| !known.contains(&key.as_str()))
            && self
                .knobs
                .is(&knobs::UNKNOWN_FILTERS, advertiser_id, "refuse")
        {
            return Err(Refusal::parameter(format!(
                "filtering.{key}: Unknown field."
            )));
        }
        let body = Body::new(
            &map,
            self.knobs.is(&knobs::NUMERIC_IDS, advertiser_id, "accept"),
        );
        let word = |name: &str, allowed: &[&str]| -> Result<Option<String>, Refusal> {
            let Some(word) = body.text(name)? else {
                return Ok(None);
            };
            check_word(&format!("filtering.{name}"), word, allowed)?;
            Ok(Some(word.to_owned()))
        };
        let instant = |name: &str| -> Result<Option<i64>, Refusal> {
            let Some(text) = body.text(name)? else {
                return Ok(None);
            };
            time::parse(text).map(Some).ok_or_else(|| {
                Refusal::parameter(format!("filtering.{name}: Not a valid datetime."))
            })
        };
        let ids = body.ids("campaign_ids")?.filter(|ids| !ids.is_empty());
        if ids.as_ref().is_some_and(|ids| ids.len() > 100) {
            let code = self.knobs.whole(&knobs::TOO_MANY_IDS_CODE, advertiser_id);
            return Err(Refusal::new(
                code,
                "filtering.campaign_ids: Longer than maximum length 100.",
            ));
        }
        let secondary: Vec<&str> = SECONDARY_STATUSES.iter().map(|(name, _)| *name).collect();
        let mut filter = Filter {
            ids,
            name: body.text("campaign_name")?.map(|wanted| {
                NameFilter::new(
                    wanted,
                    self.knobs.text(&knobs::FUZZY_NAME_MATCH, advertiser_id),
                )
            }),
            shows_deleted: false,
            inclusive: self
                .knobs
                .is(&knobs::CREATION_FILTER_BOUNDS, advertiser_id, "inclusive"),
            primary: word("primary_status", PRIMARY_STATUSES)?,
            secondary: word("secondary_status", &secondary)?,
            objective: word("objective_type", fields::ALL_OBJECTIVES)?,
            created_from: instant("creation_filter_start_time")?,
            created_to: instant("creation_filter_end_time")?,
            ..Filter::default()
        };
        filter.shows_deleted = match filter.primary.as_deref() {
            None => {
                filter.secondary.as_deref() == Some("CAMPAIGN_STATUS_DELETE")
                    || (filter.ids.is_some()
                        && self.knobs.is(&knobs::DELETED_BY_ID, advertiser_id, "shown"))
            }
            Some("STATUS_NOT_DELETE") => false,
            Some(_) => true,
        };
        if let Some(text) = word("sales_destination", fields::SALES_DESTINATIONS)? {
            filter.equal.push(("sales_destination", text));
        }
        if tree == Tree::Manual {
            filter.campaign_type = word("campaign_type", fields::CAMPAIGN_TYPES)?;
            filter.automation = words(
                "campaign_automation_type",
                body.get("campaign_automation_type"),
                AUTOMATION_TYPES,
            )?;
            filter.origins = words(
                "campaign_system_origins",
                body.get("campaign_system_origins"),
                &["TT_ADS_PLATFORM", "PROMOTE"],
            )?;
            filter.buying_types = words(
                "buying_types",
                body.get("buying_types"),
                &["AUCTION", "RESERVATION_RF", "RESERVATION_TOP_VIEW"],
            )?;
            filter.smart_performance = boolean(
                "is_smart_performance_campaign",
                body.get("is_smart_performance_campaign"),
            )?;
            filter.split_test = boolean("split_test_enabled", body.get("split_test_enabled"))?;
            if let Some(text) = word("campaign_product_source", fields::PRODUCT_SOURCES)? {
                filter.equal.push(("campaign_product_source", text));
            }
            if let Some(text) = body.text("optimization_goal")? {
                filter.equal.push(("optimization_goal", text.to_owned()));
            }
        }
        Ok(filter)
    }

    /// Whether a list shows a row. Lists are long: what is asked of every row comes first and costs little.
    fn passes(
        &self,
        at: i64,
        advertiser_id: &str,
        advertiser: &Advertiser,
        filter: &Filter,
        row: &Glance<'_>,
    ) -> bool {
        let among = |list: &Option<Vec<String>>, default: &[&str], is: &str| match list {
            Some(list) => list.iter().any(|entry| entry == is),
            None => default.contains(&is),
        };
        if row.deleted && !filter.shows_deleted {
            return false;
        }
        let origin = match row.text("campaign_system_origin") {
            "" => "TT_ADS_PLATFORM",
            other => other,
        };
        let objective = row.text("objective_type");
        let buying = match objective {
            "RF_REACH" => "RESERVATION_RF",
            "TOPVIEW_REACH" => "RESERVATION_TOP_VIEW",
            _ => "AUCTION",
        };
        if !among(&filter.origins, &["TT_ADS_PLATFORM"], origin)
            || !among(&filter.buying_types, &["AUCTION", "RESERVATION_RF"], buying)
        {
            return false;
        }
        if let Some(name) = &filter.name
            && !name.matches(row.text("campaign_name"))
        {
            return false;
        }
        let secondary = || row.secondary(at, &self.knobs, advertiser_id, advertiser);
        let primary = match filter.primary.as_deref() {
            None | Some("STATUS_ALL" | "STATUS_NOT_DELETE") => true,
            Some(wanted) => primary_of(secondary()) == wanted,
        };
        let second = row.row.created_at.div_euclid(1_000) * 1_000;
        let created = |bound: Option<i64>, beyond: fn(&i64, &i64) -> bool| {
            bound.is_none_or(|bound| {
                beyond(&second, &bound) || (filter.inclusive && second == bound)
            })
        };
        primary
            && created(filter.created_from, i64::gt)
            && created(filter.created_to, i64::lt)
            && filter.secondary.as_deref().is_none_or(|wanted| secondary() == wanted)
            && filter.objective.as_deref().is_none_or(|wanted| objective == wanted)
            && filter.campaign_type.as_deref().is_none_or(|wanted| row.text("campaign_type") == wanted)
            && (filter.automation.is_none() || among(&filter.automation, &[], row.text("campaign_automation_type")))
            && filter
                .smart_performance
                .is_none_or(|wanted| row.fields.get("is_smart_performance_campaign") == Some(&Value::Bool(wanted)))
            // No campaign of the sandbox is part of a split test.
            && filter.split_test != Some(true)
            && filter.equal.iter().all(|(field, wanted)| row.text(field) == wanted)
    }

    /// `GET /campaign/get/` and `GET /smart_plus/campaign/get/`.
    pub(super) fn list_campaigns(
        &self,
        at: i64,
        advertiser_id: &str,
        tree: Tree,
        params: &Params,
        faults: &[FaultKind],
    ) -> Result<Reply, Refusal> {
        let advertiser = self
            .advertiser(advertiser_id)
            .map_err(|_| missing("advertiser_id"))?;
        let columns: &[&str] = match tree {
            Tree::Manual => fields::MANUAL_COLUMNS,
            Tree::SmartPlus => fields::SMART_PLUS_COLUMNS,
        };
        let wanted = params.texts("fields")?.filter(|fields| !fields.is_empty());
        if let Some((index, field)) = wanted
            .iter()
            .flatten()
            .enumerate()
            .find(|(_, field)| !columns.contains(&field.as_str()))
        {
            return Err(unknown_column(index, field));
        }
        let no_nulls = match params.texts("exclude_field_types_in_response")? {
            None => tree == Tree::SmartPlus,
            Some(kinds) => {
                for kind in &kinds {
                    check_word("exclude_field_types_in_response", kind, &["NULL_FIELD"])?;
                }
                tree == Tree::SmartPlus || !kinds.is_empty()
            }
        };
        let page = params.whole("page", 1..=u64::MAX, 1)?;
        let largest = match tree {
            Tree::Manual => 1_000,
            Tree::SmartPlus => self
                .knobs
                .whole(&knobs::SMART_PLUS_PAGE_SIZE_MAX, advertiser_id)
                .unsigned_abs(),
        };
        let page_size = params.whole("page_size", 1..=largest, 10)?;
        let filter = self.read_filter(advertiser_id, tree, params.json("filtering")?)?;

        let late: i64 = faults
            .iter()
            .map(|fault| {
                if let FaultKind::LateListing { ms } = fault {
                    *ms
                } else {
                    0
                }
            })
            .sum();
        let birth_lag = if filter.ids.is_some() {
            &knobs::LOOKUP_LAG
        } else {
            &knobs::LISTING_LAG
        };
        let born_by = at
            .saturating_sub(late)
            .saturating_sub(self.knobs.ms(birth_lag, advertiser_id));
        let seen_at = at
            .saturating_sub(late)
            .saturating_sub(self.knobs.ms(&knobs::EDIT_LAG, advertiser_id));
        let status_lag = self.knobs.ms(&knobs::SECONDARY_STATUS_LAG, advertiser_id);
        let both_trees = tree == Tree::Manual
            && self
                .knobs
                .is(&knobs::MANUAL_LISTS_SMART_PLUS, advertiser_id, "true");
        let candidates: Box<dyn Iterator<Item = &Campaign>> = match &filter.ids {
            None => Box::new(self.rows(advertiser_id).rev()),
            Some(ids) => {
                let ids: BTreeSet<u64> = ids.iter().filter_map(|id| id.parse().ok()).collect();
                Box::new(
                    ids.into_iter()
                        .rev()
                        .filter_map(|id| self.row(advertiser_id, id)),
                )
            }
        };
        // Written out only for the page: lists of many thousands are read page by page.
        let mut rows: Vec<Glance<'_>> = candidates
            .filter(|row| (row.tree == tree || both_trees) && row.created_at <= born_by)
            .map(|row| row.glance(seen_at, status_lag))
            .filter(|row| self.passes(at, advertiser_id, advertiser, &filter, row))
            .collect();
        for fault in faults {
            if let FaultKind::SkippedRow { campaign_id } = fault {
                let index = match campaign_id {
                    Some(id) => rows.iter().position(|row| row.row.id.to_string() == *id),
                    None => (!rows.is_empty()).then_some(0),
                };
                if let Some(index) = index {
                    rows.remove(index);
                }
            }
        }
        let total = rows.len() as u64;
        let start = usize::try_from((page - 1).saturating_mul(page_size)).unwrap_or(usize::MAX);
        let size = usize::try_from(page_size).unwrap_or(usize::MAX);
        let mut list: Vec<Value> = rows
            .into_iter()
            .skip(start)
            .take(size)
            .map(|row| row.render(at, &self.knobs, advertiser_id, advertiser))
            .map(|row| Value::Object(shape(&row, tree, columns, wanted.as_deref(), no_nulls)))
            .collect();
        for fault in faults {
            if let FaultKind::PartialPage { rows } = fault {
                let drop = rows.unwrap_or(list.len().div_ceil(2)).min(list.len());
                list.truncate(list.len() - drop);
            }
        }
        Ok(Reply::ok(json!({
            "list": list,
            "page_info": {
                "page": page,
                "page_size": page_size,
                "total_number": total,
                "total_page": total.div_ceil(page_size),
            },
        })))
    }
}

/// The columns of a row that are wanted and apply.
pub(super) fn shape(
    row: &Map<String, Value>,
    tree: Tree,
    columns: &[&str],
    wanted: Option<&[String]>,
    no_nulls: bool,
) -> Map<String, Value> {
    let promoted = row.get("campaign_system_origin") == Some(&json!("PROMOTE"));
    columns
        .iter()
        .filter(|column| wanted.is_none_or(|wanted| wanted.iter().any(|name| name == *column)))
        .filter(|column| !promoted || PROMOTED_COLUMNS.contains(column))
        .filter_map(
            |column| match row.get(*column).filter(|value| !value.is_null()) {
                Some(value) => Some(((*column).to_owned(), value.clone())),
                None if no_nulls => None,
                None if tree == Tree::Manual && fields::MANUAL_CONDITIONAL.contains(column) => None,
                None => Some(((*column).to_owned(), Value::Null)),
            },
        )
        .collect()
}

/// All that is said about a promoted post's campaign.
const PROMOTED_COLUMNS: &[&str] = &[
    "advertiser_id",
    "campaign_id",
    "create_time",
    "campaign_name",
    "operation_status",
    "secondary_status",
    "campaign_system_origin",
];
