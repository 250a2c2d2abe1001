//! From a verdict to the status that people and programs read.
//!
//! Status is a function of its inputs: points in time are kept while what they date has not changed, so equal
//! inputs an hour apart give equal bytes.

mod review;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};

use super::ceiling::Hold;
use super::diff::Difference;
use super::effective::Effective;
use super::reason::Reason;
use super::record::Record;
use super::tell;
use super::wanted::Group;
use crate::api::common::DriftPolicy;
use crate::api::status::{DriftEntry, Effective as EffectiveValues, Idempotency, ObjectStatus};
use crate::platform::clean;
use crate::platform::{Kind, OperationState, Review, Row};

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
    pub row: Option<Row>,
    /// What the review says, for ads.
    pub review: Option<Review>,
    pub record: Option<Record>,
    /// The account's currency, as far as it is known.
    pub currency: Option<String>,
    /// The id that only the status still names: it stays there until the object is taken up again.
    pub lost: Option<String>,
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
            review: None,
            record: record.cloned(),
            currency: None,
            lost: None,
        }
    }

    /// Is the id that the status names nothing to come back to? It is gone, or somebody else's.
    pub(super) fn lets_go(&self) -> bool {
        matches!(
            self.ready,
            Ready::Stalled(Reason::NotFoundOnPlatform | Reason::Conflict, _)
        )
    }
}

/// The status to show. `before` is what the object shows now.
pub fn object_status(
    before: Option<&ObjectStatus>,
    generation: i64,
    verdict: &Verdict,
    now: Timestamp,
) -> ObjectStatus {
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
            delivery(
                &mut conditions,
                row,
                verdict.review.as_ref(),
                &verdict.ready,
            );
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
    ObjectStatus {
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
            .or_else(|| row.map(|r| r.id.clone()))
            .or_else(|| verdict.lost.clone()),
        name: row
            .map(|r| clean(&r.name, 512))
            .or_else(|| verdict.record.as_ref().map(|r| clean(&r.name, 512))),
        campaign_id: row.and_then(|r| r.campaign.clone()),
        ad_group_id: row.and_then(|r| r.ad_group.clone()),
        operation_status: row.map(|r| operation_word(r.operation).to_string()),
        delivery_status: row.map(|r| clean(&r.secondary_status, 128)),
        current_budget: row
            .zip(verdict.currency.as_deref())
            .and_then(|(row, currency)| tell::budget(row, currency)),
        review: verdict.review.as_ref().map(review::status),
        creatives: row.and_then(review::creatives),
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

/// What somebody changed on TikTok, and what becomes of it, for an event.
pub fn drift_told(verdict: &Verdict) -> String {
    let mut told = drift_message(&verdict.differences);
    if verdict.effective.hands_off() || verdict.effective.pauses_only() {
        return told;
    }
    let mut groups: Vec<Group> = Vec::new();
    for difference in &verdict.differences {
        let corrected = verdict.effective.drift.of(difference.group) == DriftPolicy::Correct;
        if corrected && !groups.contains(&difference.group) {
            groups.push(difference.group);
        }
    }
    if groups.is_empty() {
        return told;
    }
    let rules: Vec<String> = groups
        .iter()
        .map(|group| format!("spec.drift.{}: Report", group.to_string().to_lowercase()))
        .collect();
    told.push_str(&format!(
        ". What the manifest says is written back; {} would only report such a change",
        rules.join(", ")
    ));
    told
}

fn drift_entries(
    before: Option<&ObjectStatus>,
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
            .map_or_else(|| "Unmanaged".into(), |s| format!("{s:?}")),
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

/// What TikTok's `secondary_status` means to a media buyer (reference 3.4, 4.4, 5.4).
fn delivery(conditions: &mut Conditions, row: &Row, review: Option<&Review>, ready: &Ready) {
    let word = clean(&row.secondary_status, 128);
    let (status, reason) = match delivering(&word) {
        // Known from what it is in, before its own row says so.
        _ if row.operation == OperationState::Deleted
            && row.kind.parent().is_some()
            && !delivery_word(&word).ends_with("DELETE") =>
        {
            ("False", Reason::ParentDeleted)
        }
        told => told,
    };
    let message = if word.is_empty() {
        "TikTok shows no delivery status".to_string()
    } else {
        format!("TikTok says {word}")
    };
    conditions.set("Delivering", status, reason, &message);
    let in_review = matches!(ready, Ready::Yes(Reason::InReview, _));
    let (status, reason) = match (approved(row.kind, &word), review.and_then(|r| r.approved)) {
        // What the review itself says outweighs what can be told from the delivery status.
        (_, Some(false)) => ("False", Reason::Denied),
        (Some(("Unknown", Reason::InReview)), _) => ("Unknown", Reason::InReview),
        (Some(other), None) => other,
        (_, Some(true)) => ("True", Reason::Approved),
        (None, None) if in_review => ("Unknown", Reason::InReview),
        (None, None) => ("Unknown", Reason::Unknown),
    };
    let message = match review.and_then(review::message) {
        Some(said) if status == "False" => said,
        _ => message,
    };
    conditions.set("Approved", status, reason, &message);
}

/// A delivery status without the kind in front, which in the manual tree is once misspelt: `AD_STAUS_PIXEL_UNBIND`.
pub fn delivery_word(word: &str) -> &str {
    word.split_once("STATUS_")
        .or_else(|| word.split_once("STAUS_"))
        .map_or(word, |(_, bare)| bare)
}

fn delivering(word: &str) -> (&'static str, Reason) {
    match delivery_word(word) {
        "" => ("Unknown", Reason::Unknown),
        "ENABLE"
        | "DELIVERY_OK"
        | "PARTIAL_AUDIT_DELIVERY_OK"
        | "REVIEW_PARTIALLY_APPROVED"
        | "SHADOW_ADGROUP_REAUDIT"
        | "SEARCH_KEYWORDS_PARTIAL_APPROVED" => ("True", Reason::Delivering),
        "DISABLE" | "AWAITING_RELEASE" => ("False", Reason::Disabled),
        "CAMPAIGN_DISABLE" | "ADGROUP_DISABLE" => ("False", Reason::ParentPaused),
        "CAMPAIGN_DELETE" | "ADGROUP_DELETE" => ("False", Reason::ParentDeleted),
        "AUDIT" | "REAUDIT" => ("False", Reason::InReview),
        "AUDIT_DENY" | "ADGROUP_AUDIT_DENY" => ("False", Reason::Denied),
        "NOT_START" => ("False", Reason::NotStarted),
        "TIME_DONE" | "DONE" => ("False", Reason::Ended),
        "BUDGET_EXCEED" | "CAMPAIGN_EXCEED" => ("False", Reason::BudgetSpent),
        "BALANCE_EXCEED" => ("False", Reason::BalanceSpent),
        _ if word.contains("ADVERTISER_") => ("False", Reason::AccountHeld),
        _ => ("False", Reason::NotDelivering),
    }
}

/// What the delivery status tells of the review; `None`: nothing.
fn approved(kind: Kind, word: &str) -> Option<(&'static str, Reason)> {
    match delivery_word(word) {
        "" => None,
        "ADVERTISER_AUDIT" | "AUDIT" | "REAUDIT" => Some(("Unknown", Reason::InReview)),
        "ADVERTISER_AUDIT_DENY" | "AUDIT_DENY" | "ADGROUP_AUDIT_DENY" => {
            Some(("False", Reason::Denied))
        }
        "DELIVERY_OK"
        | "PARTIAL_AUDIT_DELIVERY_OK"
        | "REVIEW_PARTIALLY_APPROVED"
        | "SHADOW_ADGROUP_REAUDIT" => Some(("True", Reason::Approved)),
        // Campaigns are reviewed with their account only; what is below them is reviewed by itself.
        _ => kind
            .parent()
            .is_none()
            .then_some(("True", Reason::Approved)),
    }
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

    /// Leaves one as it is shown, if it is, and of this generation.
    pub fn keep(&mut self, type_: &str) {
        let shown = (self.before.iter())
            .find(|c| c.type_ == type_ && c.observed_generation == Some(self.generation));
        self.set.extend(shown.cloned());
    }

    /// Since when a condition that was set is as it is.
    pub fn since(&self, type_: &str) -> Option<Timestamp> {
        let set = self.set.iter().find(|c| c.type_ == type_);
        set.map(|c| c.last_transition_time.0)
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
