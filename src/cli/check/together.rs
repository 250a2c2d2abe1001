//! What shows only when objects are taken together: references that lead nowhere in what was given, and currencies that
//! differ along them.

use super::suggest;
use super::yaml::{Node, Yaml};
use crate::platform::Kind as Level;

const CONNECTION: &str = "TikTokConnection";

/// What is remembered of an object until all have been seen.
#[derive(Debug)]
pub(super) struct Seen {
    kind: String,
    namespace: Option<String>,
    name: String,
    reference: Option<Reference>,
    /// The fields of the spec that are amounts, such as `spec.budget`, each with its currency and its place.
    amounts: Vec<Amount>,
}

/// What an object says it is in.
#[derive(Debug)]
struct Reference {
    field: &'static str,
    kind: &'static str,
    name: String,
    place: String,
}

#[derive(Debug)]
struct Amount {
    field: String,
    currency: String,
    place: String,
}

impl Seen {
    /// `None`: it has no name, or is none of ours.
    pub(super) fn of(file: &str, node: &Node) -> Option<Self> {
        let kind = node.text(&["kind"])?;
        let level = Level::ALL.into_iter().find(|level| level.name() == kind);
        let place = |line: usize| format!("{file}:{line}");
        let reference = level.and_then(|level| {
            let field = level.reference();
            let name = node.text(&["spec", field, "name"])?;
            Some(Reference {
                field,
                kind: level.parent().map_or(CONNECTION, Level::name),
                name: name.to_owned(),
                place: place(node.line_of(&format!("spec.{field}.name"))),
            })
        });
        let mut amounts = Vec::new();
        if let Some(spec) = node.get("spec") {
            collect(spec, "spec", &place, &mut amounts);
        }
        Some(Self {
            kind: kind.to_owned(),
            namespace: node.text(&["metadata", "namespace"]).map(str::to_owned),
            name: node.text(&["metadata", "name"])?.to_owned(),
            reference,
            amounts,
        })
    }

    fn title(&self) -> String {
        format!("{}/{}", self.kind, self.name)
    }

    /// A namespace that is not said is any: kubectl is told it later.
    fn may_be_beside(&self, other: &Self) -> bool {
        match (&self.namespace, &other.namespace) {
            (Some(own), Some(others)) => own == others,
            _ => true,
        }
    }

    fn parent<'a>(&self, all: &'a [Self]) -> Option<&'a Self> {
        let reference = self.reference.as_ref()?;
        all.iter().find(|other| {
            other.kind == reference.kind
                && other.name == reference.name
                && self.may_be_beside(other)
        })
    }
}

/// Every currency below a node, by the field that the amount stands in.
fn collect(node: &Node, path: &str, place: &impl Fn(usize) -> String, found: &mut Vec<Amount>) {
    let Yaml::Map(entries) = &node.value else {
        return;
    };
    for (key, below) in entries {
        match &below.value {
            Yaml::Text(currency) if key == "currency" => found.push(Amount {
                field: path.to_owned(),
                currency: currency.clone(),
                place: place(below.line),
            }),
            _ => collect(below, &format!("{path}.{key}"), place, found),
        }
    }
}

/// What is to be warned about.
pub(super) fn warnings(all: &[Seen]) -> Vec<String> {
    all.iter()
        .flat_map(|one| {
            unknown_reference(one, all)
                .into_iter()
                .chain(currency(one, all))
        })
        .collect()
}

/// Connections are often applied by somebody else: they are missed only where some are given.
fn unknown_reference(one: &Seen, all: &[Seen]) -> Option<String> {
    let reference = one.reference.as_ref()?;
    let there: Vec<_> = all
        .iter()
        .filter(|other| other.kind == reference.kind && one.may_be_beside(other))
        .map(|other| other.name.as_str())
        .collect();
    let elsewhere = reference.kind == CONNECTION && there.is_empty();
    if elsewhere || there.contains(&reference.name.as_str()) {
        return None;
    }
    let hint = match suggest::nearest(&there, &reference.name) {
        Some(near) => format!(": did you mean {near}?"),
        None => "; that is right if it is in the cluster already".to_owned(),
    };
    Some(format!(
        "{}: spec.{}: there is no {} {} in these files{hint}",
        reference.place, reference.field, reference.kind, reference.name
    ))
}

/// An ad account has one currency: what an object is in says it, as far as it names amounts.
fn currency(one: &Seen, all: &[Seen]) -> Option<String> {
    // Deeper than any chain of kinds; a manifest can name itself.
    let above = std::iter::successors(one.parent(all), |seen| seen.parent(all)).take(4);
    let (over, theirs) = above
        .filter_map(|seen| Some((seen, seen.amounts.first()?)))
        .next()?;
    let own = one
        .amounts
        .iter()
        .find(|own| own.currency != theirs.currency)?;
    Some(format!(
        "{}: {} is in {}, {} of {} in {} ({}): an ad account has one currency, and nothing is converted (CurrencyMismatch)",
        own.place,
        own.field,
        own.currency,
        theirs.field,
        over.title(),
        theirs.currency,
        theirs.place
    ))
}
