//! Everything a plan may look at, gathered before it is made.

use std::time::Duration;

use jiff::Timestamp;

use super::ceiling::CeilingView;
use super::object::Object;
use super::reason::Reason;
use super::record::RecordState;
use crate::api::campaign::Objective;
use crate::api::common::{Adoption, DriftPolicies, Mode};
use crate::platform::{Kind, Review, Row, Tree};

/// The inputs of one plan for one object. Equal facts give an equal plan.
#[derive(Clone, Debug)]
pub struct Facts<'a> {
    /// Our clock.
    pub now: Timestamp,
    /// The platform's clock: ours, corrected by the last `Date` header.
    pub platform_now: Timestamp,
    /// Which install this is.
    pub install: &'a str,
    /// The object as the API server has it.
    pub object: &'a Object,
    /// Its record, as this install reads it.
    pub record: RecordState,
    /// What its connection allows.
    pub connection: &'a ConnectionView,
    /// What it is in.
    pub parent: ParentView,
    /// R17: other objects of the same campaign with which it shares fields on the platform.
    pub siblings: Vec<Sibling>,
    /// What the review says, for ads.
    pub review: ReviewLook,
    /// What is known of the platform object the record (or `externalId`) names.
    pub have: Have,
    /// What is known of the wanted name (R9).
    pub name: NameLook,
    /// What this process remembers of the object.
    pub memory: &'a Memory,
    /// Other objects of ours that stand in the way.
    pub rivals: Rivals,
    /// In a terminating namespace every object counts as being deleted (R22).
    pub namespace_terminating: bool,
    /// What the account's budgets add up to.
    pub ceiling: CeilingView,
    /// The operator's settings.
    pub settings: &'a Settings,
}

/// What is known of one platform object. Only `Absent` ever allows a create (decision 2).
#[derive(Clone, Debug, PartialEq, Eq)]
// One value per plan, on the stack: a box would cost more than the difference.
#[allow(clippy::large_enum_variant)]
pub enum Have {
    /// Not read, or read too long ago to count.
    Unknown,
    /// A look-up by id, with deleted objects included, did not find it.
    Absent,
    /// This is it.
    Present(Seen),
}

/// A row and how fresh it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The platform's row.
    pub row: Row,
    /// True when a list or look-up showed it after our last write to it; false when only our write's own answer did.
    pub read_back: bool,
    /// When the read (or write) that taught it was begun.
    pub at: Timestamp,
    /// R15: when a look-up for this very object was begun that nothing has been written since. Lists do not count: they
    /// may be old when they come.
    pub looked_up: Option<Timestamp>,
    /// R23: TikTok said that it may be otherwise by now: it is looked up before anything but a pause is done.
    pub hinted: bool,
}

/// The answer to "is the name free?" (R9).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NameLook {
    /// Nobody has looked since the question came up.
    NotLooked,
    /// Complete reading of both trees: the live rows of exactly this name under the same parent, and which CR holds each (by its uid).
    Looked(Vec<(Row, Option<String>)>),
}

/// Other objects of ours that stand in the way.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rivals {
    /// A live object that holds the id we claim, as `namespace/name`.
    pub id_holder: Option<String>,
    /// An older object that wants the same name under the same account, as `namespace/name`.
    pub same_name: Option<String>,
}

/// What an object says that it is in.
#[derive(Clone, Debug, PartialEq, Eq)]
// One value per plan, on the stack.
#[allow(clippy::large_enum_variant)]
pub enum ParentView {
    /// A campaign is in the ad account itself.
    Account,
    /// There is no such object.
    Missing { kind: Kind, name: String },
    /// It is there but nothing can be made in it yet, or any more.
    Waiting {
        kind: Kind,
        name: String,
        why: &'static str,
    },
    /// It is on the platform.
    There(ParentObject),
}

/// Another ad group of the same campaign, with the fields that both share there (R17).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sibling {
    /// Name of the object.
    pub name: String,
    /// Shared fields that its spec says: path, TikTok's name, canonical value.
    pub says: Vec<(&'static str, &'static str, serde_json::Value)>,
    /// It is older, is on the platform otherwise than it says and may be written to: then it is the one that sends them.
    pub leads: bool,
}

/// What is known of an ad's review.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReviewLook {
    /// As last read.
    pub known: Option<Review>,
    /// The ad's delivery status or time of change is another than when it was read.
    pub outdated: bool,
    /// When the question was answered.
    pub at: Option<Timestamp>,
}

/// R28: what TikTok said to an appeal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Appealed {
    /// The value of the annotation.
    pub reason: String,
    /// Why TikTok did not take it.
    pub refused: Option<String>,
}

/// What an object is in, as it is on the platform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParentObject {
    pub id: String,
    /// The tree that its campaign is in.
    pub tree: Tree,
    /// Its row, as last read; `None` before the first look.
    pub row: Option<Row>,
    /// The campaign's row: the same for an ad group's parent, the grandparent for an ad.
    pub campaign: Option<Row>,
    /// The campaign's objective as its spec says it.
    pub objective: Objective,
    /// The campaign's budget is spread over its ad groups (CBO).
    pub budget_optimization: bool,
    /// The mode of the campaign's own budget, in TikTok's word; `None` or Infinite: the ad groups' budgets count.
    pub budget_mode: Option<&'static str>,
}

/// What a campaign's connection allows, as the connection's own turns found it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConnectionView {
    /// There is no such object.
    Missing,
    /// It is there but cannot be used yet.
    NotReady { reason: Reason, message: String },
    /// It can be used.
    Usable(Account),
}

/// A usable connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// TikTok app id.
    pub app: String,
    /// TikTok advertiser id.
    pub advertiser: String,
    /// The account's currency, ISO 4217.
    pub currency: String,
    /// The account's time zone: `Etc/GMT+8` or IANA; empty if TikTok did not say.
    pub timezone: String,
    /// R14: schedules are written in the account's zone instead of UTC.
    pub schedule_in_account_zone: bool,
    /// The connection's own mode.
    pub mode: Option<Mode>,
    /// What the token can be trusted with.
    pub access: Access,
    /// The account is suspended: TikTok's word for its status. Nothing but pauses is of any use.
    pub suspended: Option<String>,
    /// R21: everything that is on is switched off, for this reason.
    pub pause_all: Option<String>,
    /// The connection is being deleted: nothing new is begun.
    pub disconnecting: bool,
    /// The connection's default for its objects.
    pub adoption: Option<Adoption>,
    /// The connection's default for its objects.
    pub drift: Option<DriftPolicies>,
    /// Ceilings on configured budgets (R20).
    pub caps: Caps,
}

/// What a token can be trusted with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Access {
    #[default]
    Full,
    /// Reads, and no write but pauses.
    ReadOnly,
    /// TikTok refuses it: nothing is read, and pauses are tried.
    Refused,
    /// It has ended: no call at all.
    Over,
}

/// Ceilings on configured budgets, in hundredths of the account's currency (R20).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Caps {
    /// The most one object may be set to spend in a day.
    pub per_object: Option<i64>,
    /// The most all enabled objects of the account together may be set to spend in a day.
    pub total: Option<i64>,
    /// Set when a ceiling is written in a currency that is not the account's.
    pub wrong_currency: Option<String>,
}

/// What one process remembers of one object. Losing it costs calls, never money.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// What this process knows of the marked create. `None`: it did not make it, so the outcome is unknown.
    pub attempt: Option<Attempt>,
    /// R11: finished look-ups that did not find the outstanding create, by the time each was begun.
    pub absence: Vec<Timestamp>,
    /// R11: live rows that match the outstanding create and are held by nobody.
    pub found: Vec<Row>,
    /// R10: TikTok said that the key was used before.
    pub key_used: bool,
    /// R28: the appeal that this process sent last and got a clear answer to.
    pub appeal: Option<Appealed>,
    /// The platform refused what this generation of the spec asks for.
    pub refused: Option<Refused>,
    /// Errors in a row.
    pub failures: u32,
    /// Nothing but pauses before this time.
    pub not_before: Option<Timestamp>,
    /// R15: when this process first saw this generation of the spec. A look-up that was begun before was for something else:
    /// what somebody changed since is not in it.
    pub seen: Option<Timestamp>,
    /// What our last update changed beside what it was to change, as `field: from → to` (R15).
    pub side_effects: Vec<String>,
    /// Corrections of the same difference in a row that did not hold.
    pub corrections: u32,
    /// When this process first saw the object being deleted (or its namespace ending).
    pub ending_since: Option<Timestamp>,
    /// Pauses of an object that was on although it must not be, in a row: since it was last on and rightly so.
    pub pauses: u32,
    /// The last problem, for the status.
    pub problem: Option<Problem>,
}

/// What became of a marked create.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attempt {
    /// Marked, and not one byte sent.
    Unsent,
    /// Sent; no clear answer.
    Unclear,
    /// Made: this is the row that the answer showed.
    Made(Box<Row>),
    /// Refused: surely not made.
    Refused,
}

/// A definite no of the platform to one generation of the spec.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// `metadata.generation` that was refused.
    pub generation: i64,
    /// What was asked for.
    pub what: Refusable,
    /// In what it was to be made: a no to one parent says nothing of another.
    pub parent: Option<String>,
    /// Why, as a word.
    pub reason: Reason,
    /// Why, for a person.
    pub message: String,
    /// When.
    pub at: Timestamp,
    /// TikTok's delivery status at that time, as far as it was known: a review shows there.
    pub seen: Option<String>,
}

/// What a platform can refuse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusable {
    Create,
    Update,
    Enable,
    Pause,
    Delete,
}

/// The last error that a retry may heal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub reason: Reason,
    pub message: String,
}

/// Times and limits of the engine. Owned by whoever runs the operator, never by an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// How long a create may be under way before its mark has to be renewed.
    pub write_deadline: Duration,
    /// The longest that one call takes: a create that could end after its deadline is not begun.
    pub call_time: Duration,
    /// R11: between the two look-ups that prove an absence.
    pub absence_spacing: Duration,
    /// R11: between the create's deadline and the last look-up.
    pub absence_after_deadline: Duration,
    /// Decision 6: how long a list may contradict a write.
    pub settle: Duration,
    /// R15: how old the look-up may be that a replacing update is made from.
    pub fresh: Duration,
    /// How far the platform's clock may be off its `Date` header.
    pub clock_slack: Duration,
    /// R4: an enable that was refused in review is tried again when the delivery status changes, or after this long: a
    /// review need not show there. R28: a review is read this often while an appeal is open.
    pub review_again: Duration,
    /// R16: corrections in a row before the operator gives up.
    pub corrections: u32,
    /// R10: how often a used-up key is replaced.
    pub key_replacements: u32,
    /// R12: where and when each objective may be created.
    pub creatable: super::creatable::Creatable,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            write_deadline: Duration::from_secs(20),
            call_time: Duration::from_secs(15),
            absence_spacing: Duration::from_secs(30),
            absence_after_deadline: Duration::from_secs(60),
            settle: Duration::from_secs(10),
            fresh: Duration::from_secs(30),
            clock_slack: Duration::from_secs(2),
            review_again: Duration::from_secs(900),
            corrections: 3,
            key_replacements: 16,
            creatable: super::creatable::Creatable::default(),
        }
    }
}

/// A look the plan needs before it can go on. Looks are shared: the engine packs them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Look {
    /// One id, deleted objects included.
    Id { tree: Tree, id: String },
    /// R9: all live rows of a name under one parent; for campaigns in both trees of the account.
    Name(NameQuestion),
    /// R11: rows of the outstanding create: exact name, all statuses and origins, on the tree's own endpoint.
    Created {
        tree: Tree,
        parent: Option<String>,
        name: String,
    },
    /// What TikTok's review says of an ad.
    Review { tree: Tree, id: String },
}

/// A question for a name (R9).
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NameQuestion {
    pub kind: Kind,
    /// Platform id of what the object will be in; `None` for campaigns.
    pub parent: Option<String>,
    /// The tree of the parent; `None` for campaigns: both trees share their names.
    pub tree: Option<Tree>,
    pub name: String,
}
