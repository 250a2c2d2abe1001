//! How a row differs from what a spec asks for. What the spec does not say is never a difference.

use serde_json::Value;

use super::effective::DriftRules;
use super::object::Object;
use super::record::Record;
use super::wanted::{Group, Wanted, WantedField};
use crate::api::common::DriftPolicy;
use crate::platform::{Cents, Changes, Form, Row, Tree, Update, agrees, fields_of, updatable};

/// One field that the platform has otherwise than the spec says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    pub group: Group,
    /// Path below `spec`, as the user writes it.
    pub field: &'static str,
    pub want: String,
    pub have: String,
}

/// The comparison of a spec with a row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diff {
    /// Everything that differs.
    pub differences: Vec<Difference>,
    /// What an update may set right under the drift rules.
    pub changes: Changes,
}

/// Compares what the spec says with what the platform has.
pub fn diff(object: &Object, wanted: &Wanted, row: &Row, rules: &DriftRules) -> Diff {
    let mut out = Diff::default();
    if let Some(want) = wanted.budget.filter(|want| row.budget != Some(*want)) {
        out.differences.push(Difference {
            group: Group::Budget,
            field: "budget.amount",
            want: want.to_string(),
            have: row.budget.map_or_else(|| "none".into(), |b| b.to_string()),
        });
        if rules.of(Group::Budget) == DriftPolicy::Correct {
            out.changes.budget = Some(want);
        }
    }
    if let Some(want) = object.life().name.filter(|want| **want != row.name) {
        out.differences.push(Difference {
            group: Group::Name,
            field: "name",
            want: want.clone(),
            have: row.name.clone(),
        });
        if rules.of(Group::Name) == DriftPolicy::Correct {
            out.changes.name = Some(want.clone());
        }
    }
    for field in wanted.fields.iter().filter(|f| f.compared) {
        let group = group_of(field, row);
        let have = row.fields.get(field.wire);
        // A field that the platform does not show and that nobody can change: unknown is not different.
        let differs = match have {
            Some(have) => !agrees(row.kind, row.tree, field.wire, &field.value, have),
            None => group != Group::Fixed && !says_nothing(&field.value),
        };
        if !differs || group == Group::Fixed {
            continue;
        }
        out.differences.push(difference(row, field, group, have));
        if rules.of(group) == DriftPolicy::Correct {
            out.changes.fields.insert(field.wire, field.value.clone());
        }
    }
    out.differences.extend(fixed(object, wanted, row));
    out
}

/// What cannot be changed and is otherwise: a row with such a difference is not the object that the spec describes.
pub fn fixed(object: &Object, wanted: &Wanted, row: &Row) -> Vec<Difference> {
    let mut out = Vec::new();
    if let Some(tree) = object.spec.own_tree().filter(|tree| *tree != row.tree) {
        out.push(Difference {
            group: Group::Fixed,
            field: "automation",
            want: tree_word(tree).into(),
            have: tree_word(row.tree).into(),
        });
    }
    for field in wanted.fields.iter().filter(|f| f.compared) {
        let have = row.fields.get(field.wire);
        if group_of(field, row) == Group::Fixed
            && let Some(shown) = have.filter(|have| !have.is_null())
            && !agrees(row.kind, row.tree, field.wire, &field.value, shown)
        {
            out.push(difference(row, field, Group::Fixed, have));
        }
    }
    if let (Some(want), Some(have)) = (wanted.budget_mode, row.budget_mode.as_ref())
        && want != have
    {
        out.push(Difference {
            group: Group::Fixed,
            field: "budget.mode",
            want: want.into(),
            have: have.clone(),
        });
    }
    out
}

/// R11: does a row agree in what the outstanding create sent? Name, tree and parent were the question asked of the
/// platform; what cannot be changed is still as the spec says it; the budget is in the record, since the spec may have
/// moved on.
pub fn agrees_with_create(object: &Object, wanted: &Wanted, record: &Record, row: &Row) -> bool {
    row.parent() == record.parent.as_deref()
        && fixed(object, wanted, row)
            .iter()
            // TikTok takes placements away in silence (reference 12.6).
            .all(|d| d.field == "placement.placements")
        && record
            .sent
            .is_none_or(|sent| row.budget == Some(Cents(sent)))
}

fn group_of(field: &WantedField, row: &Row) -> Group {
    if updatable(row.kind, row.tree, field.wire) == Update::Never {
        Group::Fixed
    } else {
        field.group
    }
}

fn difference(row: &Row, field: &WantedField, group: Group, have: Option<&Value>) -> Difference {
    Difference {
        group,
        field: field.path,
        want: show(row, field.wire, &field.value),
        have: have.map_or_else(|| "none".into(), |have| show(row, field.wire, have)),
    }
}

fn says_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        _ => false,
    }
}

/// A field's canonical value for people.
pub fn show(row: &Row, wire: &str, value: &Value) -> String {
    let is_money = fields_of(row.kind, row.tree)
        .iter()
        .any(|f| f.name == wire && matches!(f.form, Form::Money));
    match value {
        Value::Null => "none".into(),
        Value::Number(cents) if is_money => cents
            .as_i64()
            .map_or_else(|| cents.to_string(), |cents| Cents(cents).to_string()),
        Value::String(text) => text.clone(),
        Value::Array(items) if items.is_empty() => "none".into(),
        Value::Array(items) if items.iter().all(Value::is_string) => items
            .iter()
            .filter_map(Value::as_str)
            .collect::<Vec<_>>()
            .join(", "),
        other => other.to_string(),
    }
}

fn tree_word(tree: Tree) -> &'static str {
    match tree {
        Tree::Manual => "Manual",
        Tree::SmartPlus => "SmartPlus",
    }
}
