//! Lists of all levels in both trees: pages, columns, lags and what faults do to them.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::{
    Sandbox, ad_groups,
    ads::smart_plus::creatives,
    advertisers::unknown_column,
    envelope::{Refusal, Reply},
    faults::FaultKind,
    fields::{self, check_word},
    filters::Filter,
    glance::{Glance, View},
    item::{Item, Level, Tree},
    knobs,
    query::{Params, missing},
};

/// One row of a list: an object, or one creative of a Smart+ ad in the manual list.
struct Row<'a> {
    glance: Glance<'a>,
    /// The creative, and its `ad_id`.
    creative: Option<(&'a Map<String, Value>, u64)>,
}

impl Row<'_> {
    /// The id under which the list shows it.
    fn id(&self) -> u64 {
        self.creative.map_or(self.glance.item.id, |(_, id)| id)
    }
}

impl Sandbox {
    /// `GET …/campaign/get/`, `…/adgroup/get/` and `…/ad/get/` of both trees.
    pub(super) fn list(
        &self,
        at: i64,
        advertiser_id: &str,
        (level, tree): (Level, Tree),
        params: &Params,
        faults: &[FaultKind],
    ) -> Result<Reply, Refusal> {
        let advertiser = self
            .advertiser(advertiser_id)
            .map_err(|_| missing("advertiser_id"))?;
        let columns = fields::columns(level, tree);
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
        let largest = self.largest_page(advertiser_id, level, tree);
        let page_size = params.whole("page_size", 1..=largest, 10)?;
        let filter = self.read_filter(advertiser_id, (level, tree), params.json("filtering")?)?;

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
        let mut view = self.view(at, advertiser_id, advertiser);
        view.seen_at = at
            .saturating_sub(late)
            .saturating_sub(self.knobs.ms(&knobs::EDIT_LAG, advertiser_id));
        view.status_at = view
            .seen_at
            .saturating_sub(self.knobs.ms(&knobs::SECONDARY_STATUS_LAG, advertiser_id));
        let both_trees = tree == Tree::Manual
            && self
                .knobs
                .is(&knobs::MANUAL_LISTS_SMART_PLUS, advertiser_id, "true");
        // Written out only for the page: lists of many thousands are read page by page.
        let mut rows: Vec<Row<'_>> = candidates(&view, level, tree, &filter)
            .filter(|row| (row.tree == tree || both_trees) && row.created_at <= born_by)
            .map(|row| view.glance(row))
            .filter(|row| filter.passes(&view, row))
            .flat_map(|row| rows_of(row, tree, &filter))
            .collect();
        for fault in faults {
            if let FaultKind::SkippedRow { campaign_id } = fault {
                let index = match campaign_id {
                    Some(id) => rows.iter().position(|row| row.id().to_string() == *id),
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
            .map(|row| {
                let fields = row.glance.render(&view);
                let foreign = tree == Tree::Manual && row.glance.item.tree == Tree::SmartPlus;
                let fields = match (row.creative, level) {
                    (Some((creative, _)), _) => creatives::manual_row(&view, &fields, creative),
                    (None, Level::AdGroup) if foreign => ad_groups::manual_row(fields),
                    (None, _) => fields,
                };
                Value::Object(shape(
                    &fields,
                    (level, tree),
                    columns,
                    wanted.as_deref(),
                    no_nulls,
                ))
            })
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

    fn largest_page(&self, advertiser_id: &str, level: Level, tree: Tree) -> u64 {
        let knob = match (level, tree) {
            (_, Tree::Manual) => return 1_000,
            (Level::Ad, Tree::SmartPlus) => &knobs::SMART_PLUS_AD_PAGE_SIZE_MAX,
            (_, Tree::SmartPlus) => &knobs::SMART_PLUS_PAGE_SIZE_MAX,
        };
        self.knobs.whole(knob, advertiser_id).unsigned_abs()
    }
}

/// The objects that can be in a list, newest first: all, or those that an id in the filter leads to.
fn candidates<'a>(
    view: &View<'a>,
    level: Level,
    tree: Tree,
    filter: &Filter,
) -> Box<dyn Iterator<Item = &'a Item> + 'a> {
    let store = view.store;
    let found: BTreeSet<u64> = if let Some(ids) = &filter.ids {
        ids.iter()
            .filter_map(|id| match tree {
                Tree::Manual => store.shown_as(level, *id),
                Tree::SmartPlus => store.get(level, *id),
            })
            .map(|row| row.id)
            .collect()
    } else if let Some(parents) = filter.ad_groups.as_ref().or(match level {
        Level::AdGroup => filter.campaigns.as_ref(),
        _ => None,
    }) {
        parents
            .iter()
            .flat_map(|parent| store.children(level, *parent))
            .map(|row| row.id)
            .collect()
    } else {
        return Box::new(store.all(level).values().rev());
    };
    Box::new(
        found
            .into_iter()
            .rev()
            .filter_map(move |id| store.get(level, id)),
    )
}

/// The rows that show an object: manual lists show each creative of a Smart+ ad as an ad.
fn rows_of<'a>(glance: Glance<'a>, tree: Tree, filter: &Filter) -> Vec<Row<'a>> {
    let item = glance.item;
    if tree == Tree::SmartPlus || item.tree == Tree::Manual || item.level != Level::Ad {
        return vec![Row {
            glance,
            creative: None,
        }];
    }
    creatives::rows(glance.fields)
        .into_iter()
        .rev()
        .filter(|(_, id)| filter.ids.as_ref().is_none_or(|ids| ids.contains(id)))
        .map(|creative| Row {
            glance: glance.clone(),
            creative: Some(creative),
        })
        .collect()
}

/// The columns of a row that are wanted and apply.
pub(super) fn shape(
    row: &Map<String, Value>,
    (level, tree): (Level, Tree),
    columns: &[&str],
    wanted: Option<&[String]>,
    no_nulls: bool,
) -> Map<String, Value> {
    let always: &[&str] = match (level, tree) {
        (Level::Ad, Tree::SmartPlus) => fields::SMART_PLUS_AD_ALWAYS,
        _ => &[],
    };
    let promoted = row.get("campaign_system_origin") == Some(&json!("PROMOTE"));
    columns
        .iter()
        .filter(|column| {
            wanted.is_none_or(|wanted| {
                always.contains(column) || wanted.iter().any(|name| name == *column)
            })
        })
        .filter(|column| !promoted || PROMOTED_COLUMNS.contains(column))
        .filter_map(
            |column| match row.get(*column).filter(|value| !value.is_null()) {
                Some(value) => Some(((*column).to_owned(), value.clone())),
                None if no_nulls => None,
                None if tree == Tree::Manual && fields::conditional(level).contains(column) => None,
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
