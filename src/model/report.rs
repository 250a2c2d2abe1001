//! From a verdict to the status that people and programs read.
//!
//! Status is a function of its inputs: points in time are kept while what they date has not changed, so equal
//! inputs an hour apart give equal bytes.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};

use super::campaign::Difference;
use super::ceiling::Hold;
use super::effective::Effective;
use super::reason::Reason;
use super::record::Record;
use crate::api::campaign::{CampaignStatus, DriftEntry, Effective as EffectiveValues, Idempotency};
use crate::platform::Cents;
use crate::platform::clean;
use crate::platform::{CampaignRow, OperationState};

/// The most differences that status lists; `driftCount` has the number.
pub const DRIFT_SHOWN: usize = 20;
/// The most characters of a message.
const MESSAGE: usize = 1024;

/// Is the object as the spec says?
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ready {
    /// The platform has our spec and nothing of ours is outstanding.
    Yes(Reason, String),
    /// Under way by itself.
    Progress(Reason, String),
    /// Somebody has to do something.
    Stalled(Reason, String),
}

/// What a plan found, to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    pub ready: Ready,
    /// What keeps the object off although its spec says Active.
    pub hold: Option<Hold>,
    /// Shown while true, each as a condition of its own.
    pub notes: Vec<(Reason, String)>,
    pub effective: Effective,
    pub differences: Vec<Difference>,
    /// The differences came from outside: the platform once had this generation of the spec.
    pub drifted: bool,
    pub row: Option<CampaignRow>,
    pub record: Option<Record>,
}

impl Verdict {
    /// A verdict without a row.
    pub fn new(ready: Ready, effective: Effective, record: Option<&Record>) -> Self {
        Self {
            ready,
            hold: None,
            notes: Vec::new(),
            effective,
            differences: Vec::new(),
            drifted: false,
            row: None,
            record: record.cloned(),
        }
    }
}

/// The status to show. `before` is what the object shows now.
pub fn campaign_status(
    before: Option<&CampaignStatus>,
    generation: i64,
    verdict: &Verdict,
    now: Timestamp,
) -> CampaignStatus {
    let row = verdict.row.as_ref();
    let in_sync = matches!(verdict.ready, Ready::Yes(..)) && verdict.differences.is_empty();
    let mut conditions = Conditions::new(
        before.map(|b| b.conditions.as_slice()).unwrap_or_default(),
        generation,
        now,
    );
    conditions.ready(&verdict.ready);
    match row {
        None => {
            conditions.set(
                "Synced",
                "Unknown",
                Reason::Unknown,
                "TikTok's side is not read",
            );
            conditions.set(
                "Drifted",
                "Unknown",
                Reason::Unknown,
                "TikTok's side is not read",
            );
            conditions.set(
                "Delivering",
                "Unknown",
                Reason::Unknown,
                "TikTok's side is not read",
            );
            conditions.set(
                "Approved",
                "Unknown",
                Reason::Unknown,
                "TikTok's side is not read",
            );
        }
        Some(row) => {
            let fields: Vec<&str> = verdict.differences.iter().map(|d| d.field).collect();
            if fields.is_empty() {
                conditions.set(
                    "Synced",
                    "True",
                    Reason::InSync,
                    "every field the spec sets is so on TikTok",
                );
            } else {
                conditions.set(
                    "Synced",
                    "False",
                    Reason::Differs,
                    &format!("otherwise on TikTok: {}", fields.join(", ")),
                );
            }
            if verdict.drifted {
                conditions.set(
                    "Drifted",
                    "True",
                    Reason::Differs,
                    &drift_message(&verdict.differences),
                );
            } else {
                conditions.set(
                    "Drifted",
                    "False",
                    Reason::NoDrift,
                    "nothing was changed behind the spec's back",
                );
            }
            delivery(&mut conditions, row, &verdict.ready);
        }
    }
    if let Some(hold) = &verdict.hold {
        conditions.set("Held", "True", hold.reason, &hold.message);
        if hold.reason == Reason::PausedOutside {
            conditions.set("PausedOutside", "True", hold.reason, &hold.message);
        }
    }
    for (reason, message) in &verdict.notes {
        conditions.set(&reason.to_string(), "True", *reason, message);
    }

    let drift = drift_entries(before, verdict, now);
    CampaignStatus {
        observed_generation: Some(generation),
        synced_generation: if in_sync {
            Some(generation)
        } else {
            before.and_then(|b| b.synced_generation)
        },
        id: verdict
            .record
            .as_ref()
            .and_then(|r| r.id.clone())
            .or_else(|| row.map(|r| r.id.clone())),
        name: row
            .map(|r| clean(&r.name, 512))
            .or_else(|| verdict.record.as_ref().map(|r| clean(&r.name, 512))),
        operation_status: row.map(|r| operation_word(r.operation).to_string()),
        delivery_status: row.map(|r| clean(&r.secondary_status, 128)),
        current_budget: row
            .and_then(|r| r.current_budget.or(r.budget))
            .map(|Cents(c)| Cents(c).to_string()),
        effective: Some(effective_values(&verdict.effective)),
        idempotency: verdict
            .record
            .as_ref()
            .filter(|r| !r.key.is_empty())
            .map(|r| Idempotency {
                key: r.key.clone(),
                counter: i64::from(r.counter),
                attempts: i64::from(r.attempt),
                outcome: if r.id.is_some() {
                    "Stored".into()
                } else if r.mark.is_some() {
                    "Outstanding".into()
                } else {
                    "NotMade".into()
                },
            }),
        drift_count: i32::try_from(verdict.differences.len())
            .ok()
            .filter(|n| *n > 0),
        drift: (!drift.is_empty()).then_some(drift),
        conditions: conditions.done(),
        ..CampaignStatus::default()
    }
}

fn drift_message(differences: &[Difference]) -> String {
    let parts: Vec<String> = differences
        .iter()
        .take(DRIFT_SHOWN)
        .map(|d| format!("{}: want {}, have {}", d.field, d.want, d.have))
        .collect();
    parts.join("; ")
}

fn drift_entries(
    before: Option<&CampaignStatus>,
    verdict: &Verdict,
    now: Timestamp,
) -> Vec<DriftEntry> {
    let old = before.and_then(|b| b.drift.as_deref()).unwrap_or_default();
    verdict
        .differences
        .iter()
        .take(DRIFT_SHOWN)
        .map(|d| {
            let group = d.group.to_string();
            let since = old
                .iter()
                .find(|o| o.group == group && o.field == d.field)
                .map_or_else(|| time(now), |o| o.since.clone());
            DriftEntry {
                group,
                field: d.field.into(),
                want: clean(&d.want, 512),
                have: clean(&d.have, 512),
                since,
            }
        })
        .collect()
}

fn effective_values(effective: &Effective) -> EffectiveValues {
    EffectiveValues {
        state: effective
            .state
            .map_or_else(|| "AsFound".into(), |s| format!("{s:?}")),
        deletion_policy: format!("{:?}", effective.deletion),
        mode: format!("{:?}", effective.mode),
        adoption: format!("{:?}", effective.adoption),
    }
}

fn operation_word(operation: OperationState) -> &'static str {
    match operation {
        OperationState::On => "On",
        OperationState::Off => "Off",
        OperationState::Deleted => "Deleted",
    }
}

/// What TikTok's `secondary_status` means to a media buyer (reference 3.4).
fn delivery(conditions: &mut Conditions, row: &CampaignRow, ready: &Ready) {
    let word = clean(&row.secondary_status, 128);
    let (status, reason) = match row.secondary_status.as_str() {
        "CAMPAIGN_STATUS_ENABLE" => ("True", Reason::Delivering),
        "CAMPAIGN_STATUS_DISABLE" | "CAMPAIGN_STATUS_AWAITING_RELEASE" => {
            ("False", Reason::Disabled)
        }
        "" => ("Unknown", Reason::Unknown),
        _ => ("False", Reason::NotDelivering),
    };
    let message = if word.is_empty() {
        "TikTok shows no delivery status".to_string()
    } else {
        format!("TikTok says {word}")
    };
    conditions.set("Delivering", status, reason, &message);
    let (status, reason) = match row.secondary_status.as_str() {
        "CAMPAIGN_STATUS_ADVERTISER_AUDIT" => ("Unknown", Reason::InReview),
        "CAMPAIGN_STATUS_ADVERTISER_AUDIT_DENY" => ("False", Reason::Denied),
        _ if matches!(ready, Ready::Yes(Reason::InReview, _)) => ("Unknown", Reason::InReview),
        "" => ("Unknown", Reason::Unknown),
        _ => ("True", Reason::Approved),
    };
    conditions.set("Approved", status, reason, &message);
}

/// A time as Kubernetes writes it: whole seconds.
pub fn time(at: Timestamp) -> Time {
    Time(Timestamp::from_second(at.as_second()).unwrap_or(at))
}

/// Conditions under construction: each keeps its transition time while its status stays.
pub struct Conditions<'a> {
    before: &'a [Condition],
    generation: i64,
    now: Timestamp,
    set: Vec<Condition>,
}

impl<'a> Conditions<'a> {
    /// Starts from what is shown now.
    pub fn new(before: &'a [Condition], generation: i64, now: Timestamp) -> Self {
        Self {
            before,
            generation,
            now,
            set: Vec::new(),
        }
    }

    /// Sets one; a condition that is not set again disappears.
    pub fn set(&mut self, type_: &str, status: &str, reason: Reason, message: &str) {
        let old = self
            .before
            .iter()
            .find(|c| c.type_ == type_ && c.status == status);
        self.set.retain(|c| c.type_ != type_);
        self.set.push(Condition {
            type_: type_.into(),
            status: status.into(),
            reason: reason.to_string(),
            message: clean(message, MESSAGE),
            observed_generation: Some(self.generation),
            last_transition_time: old
                .map_or_else(|| time(self.now), |c| c.last_transition_time.clone()),
        });
    }

    /// `Ready`, and `Reconciling` or `Stalled` only while true (kstatus, Flux).
    pub fn ready(&mut self, ready: &Ready) {
        match ready {
            Ready::Yes(reason, message) => self.set("Ready", "True", *reason, message),
            Ready::Progress(reason, message) => {
                self.set("Ready", "False", *reason, message);
                self.set("Reconciling", "True", *reason, message);
            }
            Ready::Stalled(reason, message) => {
                self.set("Ready", "False", *reason, message);
                self.set("Stalled", "True", *reason, message);
            }
        }
    }

    /// In a fixed order, so that equal content is equal bytes.
    pub fn done(mut self) -> Vec<Condition> {
        self.set.sort_by(|a, b| a.type_.cmp(&b.type_));
        self.set
    }
}
