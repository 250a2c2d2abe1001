//! What an update of one object has to do with others, and with the rest of the object itself (R7, R15, R17).

use super::super::ceiling::{Hold, row_per_day};
use super::super::diff::show;
use super::super::facts::{Account, Look, Seen};
use super::super::reason::Reason;
use super::super::report::Verdict;
use super::holds::standing_hold;
use super::{Action, Plan, Planner};
use crate::platform::{
    Changes, Kind, OperationStatus, Rest, Row, Tree, Update, agrees, fields_of, updatable,
};

/// What an update cannot be told apart from in a row that has budget optimisation.
const START: &str = "schedule_start_time";

impl Planner<'_> {
    /// R17: fields that TikTok keeps once for several objects must be said alike by all of them before any is sent.
    pub(super) fn siblings_disagree(&self) -> Option<Plan> {
        let mine = |wire: &str| self.wanted.value(wire);
        for sibling in &self.f.siblings {
            for (path, wire, theirs) in &sibling.says {
                let Some(value) = mine(wire).filter(|value| *value != theirs) else {
                    continue;
                };
                let word = |value: &serde_json::Value| match value {
                    serde_json::Value::String(text) => text.clone(),
                    serde_json::Value::Number(n) if wire.ends_with("_price") => {
                        crate::platform::Cents(n.as_i64().unwrap_or_default()).to_string()
                    }
                    other => other.to_string(),
                };
                return Some(self.stalled(
                    Reason::SiblingsDisagree,
                    format!(
                        "TikTok keeps one {path} for all ad groups of this campaign, but this object says {} and {} says {}; \
                         write the same in both. Nothing is sent until then",
                        word(value),
                        sibling.name,
                        word(theirs)
                    ),
                ));
            }
        }
        None
    }

    /// R17: one write serves all siblings. Takes out what another object sends; its name, if anything was taken out.
    pub(super) fn leave_to_leader(&self, changes: &mut Changes) -> Option<String> {
        let mut waits_for = None;
        for sibling in self.f.siblings.iter().filter(|s| s.leads) {
            for (_, wire, _) in &sibling.says {
                if changes.fields.remove(wire).is_some() {
                    waits_for = Some(sibling.name.clone());
                }
            }
        }
        waits_for
    }

    /// R15: what goes along in a replacing call, from a fresh look-up; or the look-up that has to come first.
    pub(super) fn complete(&self, mut changes: Changes, seen: &Seen) -> Result<Changes, Look> {
        let row = &seen.row;
        changes.parent = row.parent().map(str::to_owned);
        let (kind, tree) = (row.kind, row.tree);
        let replacing = changes
            .names()
            .any(|wire| updatable(kind, tree, wire) == Update::Whole)
            || ((kind, tree) == (Kind::AdGroup, Tree::Manual) && !changes.is_empty());
        if !replacing {
            return Ok(changes);
        }
        let fresh = seen.looked_up.is_some_and(|at| {
            self.f.now < at + self.f.settings.fresh && self.f.memory.seen <= Some(at)
        });
        if !fresh {
            return Err(Look::Id {
                tree,
                id: row.id.clone(),
            });
        }
        // A start that has passed may not be sent again; under CBO the row shows no budget of its own.
        let passed = row
            .text(START)
            .and_then(|text| super::super::schedule::read(text, self.account()))
            .is_none_or(|start| start <= self.f.platform_now);
        let fields = fields_of(kind, tree)
            .iter()
            .filter(|field| field.update != Update::Never)
            .filter(|field| !(passed && field.name == START))
            .filter_map(|field| {
                let shown = row.fields.get(field.name)?;
                // TikTok may show more than it was sent; sent again, that would be raised once more.
                let said = self.wanted.value(field.name);
                let said = said.filter(|said| agrees(kind, tree, field.name, said, shown));
                Some((field.name, said.unwrap_or(shown).clone()))
            })
            .filter(|(_, value)| !value.is_null())
            .collect();
        let infinite = row.budget_mode.as_deref() == Some("BUDGET_MODE_INFINITE");
        changes.rest = Some(Box::new(Rest {
            name: row.name.clone(),
            budget: row.budget.filter(|b| b.0 > 0 && !infinite),
            fields,
        }));
        Ok(changes)
    }

    /// R7: a dedicated campaign is never paused by itself, because that is final: what would pause it pauses what is in it.
    pub(super) fn hold_of_dedicated_parent(&self, account: &Account) -> Option<Hold> {
        if self.kind != Kind::AdGroup {
            return None;
        }
        let campaign = self
            .parent()?
            .campaign
            .as_ref()
            .filter(|c| c.is_dedicated())?;
        let hold = standing_hold(account, row_per_day(campaign, None))?;
        Some(Hold {
            message: format!(
                "its campaign is dedicated to iOS 14, whose pause would be final, so its ad groups are held instead: {}",
                hold.message
            ),
            ..hold
        })
    }

    /// Single creatives of a Smart+ ad that are on or off otherwise than the spec says, those to be switched off first.
    pub(super) fn switch_creatives(&self, row: &Row) -> Option<Plan> {
        let wrong = super::super::creatives::to_switch(self.f.object, row);
        for to in [OperationStatus::Disable, OperationStatus::Enable] {
            let mut wrong = wrong.iter().filter(|switch| switch.to == to);
            let Some(first) = wrong.next() else {
                continue;
            };
            let others = wrong.filter(|other| !first.alone && !other.alone);
            let creatives: Vec<String> = std::iter::once(first)
                .chain(others)
                .map(|switch| switch.material.clone())
                .take(20)
                .collect();
            if let Some(wait) = self.backing_off() {
                return Some(wait);
            }
            return Some(self.progress(
                Action::SetCreatives {
                    ad: row.id.clone(),
                    creatives,
                    to,
                },
                Reason::Updating,
                "switching creatives of the ad",
            ));
        }
        None
    }

    /// R15: what our own update changed beside what it was to change.
    pub(super) fn note_side_effects(&self, verdict: &mut Verdict) {
        if self.f.memory.side_effects.is_empty() {
            return;
        }
        verdict.notes.push((
            Reason::SideEffect,
            format!(
                "our last update changed more on TikTok than it was to change: {}; correct it in Ads Manager, or say it in spec",
                self.f.memory.side_effects.join("; ")
            ),
        ));
    }
}

/// What differs between two readings of an object beside the fields that were to be changed.
pub fn side_effects(before: &Row, after: &Row, changes: &Changes) -> Vec<String> {
    fields_of(after.kind, after.tree)
        .iter()
        .filter(|field| !changes.fields.contains_key(field.name))
        .filter(|field| {
            field
                .follows()
                .is_none_or(|other| !changes.fields.contains_key(other))
        })
        .filter_map(|field| {
            let (was, is) = (
                before.fields.get(field.name)?,
                after.fields.get(field.name)?,
            );
            (was != is).then(|| {
                format!(
                    "{}: {} \u{2192} {}",
                    field.name,
                    show(before, field.name, was),
                    show(after, field.name, is)
                )
            })
        })
        .collect()
}
