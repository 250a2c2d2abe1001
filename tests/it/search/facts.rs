//! From a question to the real [`Facts`], through the real [`plan`], back to a small action.

use std::collections::HashMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use tiktok_ads_operator::api::FINALIZER;
use tiktok_ads_operator::model::ad_group::SHARED_SMART_PLUS;
use tiktok_ads_operator::model::ceiling::{Bound, CampaignSpend, CeilingView};
use tiktok_ads_operator::model::facts::{
    Account, Attempt, Caps, ConnectionView, Facts, Have, Look, Memory, NameLook, ParentObject,
    ParentView, Refusable, Refused, ReviewLook, Rivals, Seen, Settings, Sibling,
};
use tiktok_ads_operator::model::key::request_id;
use tiktok_ads_operator::model::object::{Object, Spec};
use tiktok_ads_operator::model::plan::{Action, Plan, new_object, plan};
use tiktok_ads_operator::model::protocol::create_after;
use tiktok_ads_operator::model::reason::Reason;
use tiktok_ads_operator::model::record::{FORMAT, Mark, Record, RecordState};
use tiktok_ads_operator::model::report::Ready;
use tiktok_ads_operator::platform::{
    Fields, Kind, NewObject, OperationState, OperationStatus, Row as PlatformRow, Tree,
};

use super::question::{Above, Known, Question};
use super::variant::Variant;
use super::world::{Att, Cell, EPOCH, Obj, Place, Rec, Row, World};
use crate::plan_properties::names_a_next_step;

const INSTALL: &str = "search";
const APP: &str = "app";
const ADVERTISER: &str = "7000000000000000001";
/// More key replacements than any run has.
const COUNTERS: u32 = 20;

/// A step, as small as the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// Whether the plan calls the object ready, or waits for somebody.
    Rest {
        settled: Settled,
    },
    LookName(Place),
    LookId(u8),
    LookCreated,
    Mark(Rec),
    Create,
    Write(Rec),
    SetStatus {
        id: u8,
        to: To,
    },
    /// Gives the row this bid.
    Bid {
        id: u8,
        to: u8,
    },
    Release {
        left_active: bool,
    },
}

/// A status call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum To {
    On,
    Off,
    Deleted,
}

/// How the verdict of a rest reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    Ready(Reason),
    Stalled(Reason),
    Progress(Reason),
}

/// The real planner behind a memory of its answers.
pub struct Planner<const N: usize, const R: usize> {
    pub variant: Variant<N>,
    settings: Settings,
    /// With and without ceilings.
    views: [ConnectionView; 2],
    /// The manifests, by CR and edits.
    objects: [Vec<Object>; N],
    /// The budgets that their creates send, in hundredths.
    sent: [Option<i64>; N],
    /// The idempotency keys, by CR and counter.
    keys: [Vec<String>; N],
    answers: HashMap<Question<N, R>, Act, super::Quick>,
    /// Plans really made.
    pub made: u64,
}

/// The start of an epoch.
fn time(epoch: u8) -> Timestamp {
    // 2026-03-01T00:00:00Z, before any objective closes (R12).
    Timestamp::constant(1_772_323_200, 0) + SignedDuration::from_secs(i64::from(epoch) * EPOCH)
}

/// The first epoch that begins at `at` or after it.
fn epoch(at: Timestamp) -> u8 {
    let seconds = at.duration_since(time(0)).as_secs();
    u8::try_from((seconds + EPOCH - 1) / EPOCH).unwrap_or(u8::MAX)
}

fn row_id(id: u8) -> String {
    (1000 + u32::from(id)).to_string()
}

fn id_row(id: &str) -> u8 {
    match id.parse::<u32>() {
        Ok(n) => (n - 1000) as u8,
        Err(e) => panic!("an id that no row has: {id} ({e})"),
    }
}

fn uid(cr: usize, uid: u8) -> String {
    format!("uid-{cr}-{uid}")
}

/// Who else is meant does not matter here.
fn somebody(yes: bool) -> Option<String> {
    yes.then(|| "ads/other".to_string())
}

fn view(caps: bool) -> ConnectionView {
    ConnectionView::Usable(Account {
        app: APP.into(),
        advertiser: ADVERTISER.into(),
        currency: "USD".into(),
        timezone: "UTC".into(),
        schedule_in_account_zone: false,
        mode: None,
        access: tiktok_ads_operator::model::facts::Access::Full,
        suspended: None,
        pause_all: None,
        disconnecting: false,
        adoption: None,
        drift: None,
        caps: Caps {
            per_object: caps.then_some(1_000_000),
            ..Caps::default()
        },
    })
}

impl<const N: usize, const R: usize> Planner<N, R> {
    pub fn new(variant: Variant<N>) -> Self {
        let objects = |cr: usize| {
            let edits = variant.crs[cr].bids.len().max(1) as u8;
            (0..edits).map(|n| variant.object(cr, n)).collect()
        };
        let keys = |cr: usize| {
            let kind = variant.crs[cr].kind.name();
            let name = format!("cr-{cr}");
            (0..COUNTERS)
                .map(|counter| request_id(ADVERTISER, kind, "ads", &name, 0, counter))
                .collect()
        };
        let objects: [Vec<Object>; N] = std::array::from_fn(objects);
        let budget = |cr: usize| {
            let wanted = objects[cr][0].wanted(time(0), variant.tree, None, None);
            wanted.budget.map(|cents| cents.0)
        };
        Self {
            variant,
            settings: Settings::default(),
            sent: std::array::from_fn(budget),
            keys: std::array::from_fn(keys),
            views: [false, true].map(view),
            objects,
            answers: HashMap::default(),
            made: 0,
        }
    }

    /// The step that replica `r` takes for `cr` from the copy it has. Its memo is brought in line first.
    pub fn act(&mut self, world: &World<N, R>, r: usize, cr: usize) -> Act {
        let question = self.question(world, r, cr);
        if let Some(act) = self.answers.get(&question) {
            return *act;
        }
        self.made += 1;
        let act = self.compact(cr, question.obj.uid, &self.ask(&question, plan));
        self.answers.insert(question, act);
        act
    }

    /// What replica `r` sends after its mark: the decision the engine takes by the same function. `taken`: the API
    /// server took the mark, and `r` has its answer.
    pub fn sends(
        &self,
        world: &World<N, R>,
        r: usize,
        cr: usize,
        rec: Rec,
        taken: bool,
    ) -> Option<NewObject> {
        let record = self.record(cr, world.reps[r].memos[cr].uid, &rec);
        let question = self.question(world, r, cr);
        let announced = self.ask(&question, |facts| new_object(facts, &record));
        let again = taken.then(|| self.ask(&question, plan));
        create_after(announced, again.as_ref())
    }

    /// The row that a create asks for.
    pub fn asked_for(object: &NewObject) -> (Option<u8>, u8) {
        let name = object
            .name
            .strip_prefix("name-")
            .and_then(|n| n.parse().ok());
        match name {
            Some(name) => (object.parent.as_deref().map(id_row), name),
            None => panic!("a name that nobody wants: {object:?}"),
        }
    }

    /// Puts a question to the model.
    fn ask<T>(&self, q: &Question<N, R>, model: impl FnOnce(&Facts) -> T) -> T {
        let cr = usize::from(q.cr);
        let object = self.object(cr, &q.obj);
        let live = |id: u8| self.row(&q.rows, id, OperationState::Off, None);
        let gone = |id: u8| self.row(&q.rows, id, OperationState::Deleted, None);
        let bits = |mask: u8| (0..R as u8).filter(move |id| mask & (1 << id) != 0);
        let memory = Memory {
            attempt: match q.core.att {
                Att::None => None,
                Att::Unsent => Some(Attempt::Unsent),
                Att::Unclear => Some(Attempt::Unclear),
                Att::Made(id) => Some(Attempt::Made(Box::new(live(id)))),
                Att::MadeDeleted(id) => Some(Attempt::Made(Box::new(gone(id)))),
                Att::Refused => Some(Attempt::Refused),
            },
            absence: q
                .core
                .absence
                .map(|(a, b)| vec![time(a), time(b)])
                .unwrap_or_default(),
            found: bits(q.core.found).map(live).collect(),
            key_used: q.core.key_used,
            refused: q.core.refused.map(|place| Refused {
                generation: object.metadata.generation.unwrap_or_default(),
                what: Refusable::Create,
                parent: match place {
                    Place::Account => None,
                    Place::In(id) => Some(row_id(id)),
                },
                reason: Reason::Rejected,
                message: "TikTok refused it; correct the spec".into(),
                at: time(0),
                seen: None,
            }),
            ending_since: q.core.ending.map(time),
            pauses: q.core.paused.into(),
            corrections: q.core.corrections.into(),
            ..Memory::default()
        };
        let present = |row, read_back, at, looked_up: Option<u8>| {
            Have::Present(Seen {
                row,
                read_back,
                at: time(at),
                looked_up: looked_up.map(time),
                hinted: false,
            })
        };
        let have = match q.have {
            None | Some((_, Cell::Never | Cell::Doubt | Cell::Unlisted)) => Have::Unknown,
            Some((id, Cell::Live(shown))) => {
                let operation = if shown.on {
                    OperationState::On
                } else {
                    OperationState::Off
                };
                let row = self.row(&q.rows, id, operation, Some(shown.bid));
                // A look-up counts as fresh until something is written: calls follow each other within an epoch.
                let looked_up = shown.looked_up.then_some(q.now);
                present(row, shown.read_back, shown.at, looked_up)
            }
            Some((id, Cell::Deleted)) => present(gone(id), true, q.now, None),
        };
        let name = match q.core.name_read {
            Some(_) => NameLook::Looked(
                bits(q.named)
                    .map(|id| (live(id), somebody(q.held & (1 << id) != 0)))
                    .collect(),
            ),
            None => NameLook::NotLooked,
        };
        let record = match &q.obj.rec {
            None => RecordState::None,
            Some(rec) => RecordState::Own(self.record(cr, q.obj.uid, rec)),
        };
        let parent = self.parent(q);
        let connection = if q.cut_off {
            &ConnectionView::Missing
        } else {
            &self.views[usize::from(q.caps)]
        };
        model(&Facts {
            now: time(q.now),
            platform_now: time(q.now),
            install: INSTALL,
            object: &object,
            record,
            connection,
            siblings: self.says(q, &parent, connection),
            parent,
            review: ReviewLook::default(),
            have,
            name,
            memory: &memory,
            rivals: Rivals {
                id_holder: somebody(q.id_taken),
                same_name: somebody(q.name_taken),
            },
            namespace_terminating: false,
            ceiling: self.ceiling(q),
            settings: &self.settings,
        })
    }

    /// As `State::parent_view`.
    fn parent(&self, q: &Question<N, R>) -> ParentView {
        let cr = usize::from(q.cr);
        let Some(above) = self.variant.crs[cr].parent else {
            return ParentView::Account;
        };
        let (kind, name) = (self.variant.crs[above].kind, format!("cr-{above}"));
        let known = match q.above {
            Above::Account => return ParentView::Account,
            Above::Missing => return ParentView::Missing { kind, name },
            Above::Ending | Above::NotMade => {
                let why = "is not on TikTok yet, or not any more";
                return ParentView::Waiting { kind, name, why };
            }
            Above::There(known) => known,
        };
        let campaign = self.variant.campaign(cr);
        let Spec::Campaign(spec) = &self.objects[campaign][0].spec else {
            panic!("what everything is in is a campaign");
        };
        let row = |of: usize, known: Known| {
            let state = if known.deleted {
                OperationState::Deleted
            } else {
                OperationState::On
            };
            let kind = self.variant.crs[of].kind;
            known
                .read
                .then(|| self.platform_row(kind, of, known.id, state))
        };
        ParentView::There(ParentObject {
            id: row_id(known.id),
            tree: self.variant.tree,
            row: row(above, known),
            campaign: q.campaign.and_then(|known| row(campaign, known)),
            objective: spec.objective,
            budget_optimization: false,
            budget_mode: spec.budget.is_some().then_some("BUDGET_MODE_DAY"),
        })
    }

    /// What the siblings' specs say of the shared bid, as `State::siblings` has it.
    fn says(
        &self,
        q: &Question<N, R>,
        parent: &ParentView,
        connection: &ConnectionView,
    ) -> Vec<Sibling> {
        let (ParentView::There(there), ConnectionView::Usable(account)) = (parent, connection)
        else {
            return Vec::new();
        };
        let others = q.siblings.iter().enumerate();
        others
            .filter_map(|(cr, sibling)| sibling.map(|(edits, leads)| (cr, edits, leads)))
            .map(|(cr, edits, leads)| {
                let object = &self.objects[cr][usize::from(edits)];
                let wanted = object.wanted(time(q.now), there.tree, Some(account), Some(there));
                let fields = wanted.fields.into_iter();
                Sibling {
                    name: format!("cr-{cr}"),
                    says: fields
                        .filter(|f| SHARED_SMART_PLUS.contains(&f.wire))
                        .map(|f| (f.path, f.wire, f.value))
                        .collect(),
                    leads,
                }
            })
            .filter(|sibling| !sibling.says.is_empty())
            .collect()
    }

    /// No ceiling on the total is searched: what matters of the others is the campaign that bounds an ad group.
    fn ceiling(&self, q: &Question<N, R>) -> CeilingView {
        let mut view = CeilingView {
            complete: true,
            ad_groups_of: Tree::ALL.into(),
            ..CeilingView::default()
        };
        if let Some(known) = q.bounds.filter(|known| known.read && !known.deleted) {
            let campaign = self.variant.campaign(usize::from(q.cr));
            let spend = CampaignSpend {
                tree: self.variant.tree,
                on: self.variant.crs[campaign].active,
                own: self.sent[campaign].map(Bound::daily),
            };
            view.campaigns.insert(row_id(known.id), spend);
        }
        view
    }

    fn compact(&self, cr: usize, uid: u8, plan: &Plan) -> Act {
        match &plan.action {
            Action::Rest => Act::Rest {
                settled: match &plan.verdict.ready {
                    Ready::Yes(reason, _) => Settled::Ready(*reason),
                    Ready::Stalled(reason, message) => {
                        assert!(
                            names_a_next_step(message),
                            "{reason} names no next step: {message}"
                        );
                        Settled::Stalled(*reason)
                    }
                    Ready::Progress(reason, _) => Settled::Progress(*reason),
                },
            },
            Action::Look(Look::Name(question)) => Act::LookName(match &question.parent {
                None => Place::Account,
                Some(id) => Place::In(id_row(id)),
            }),
            Action::Look(Look::Id { id, .. }) => Act::LookId(id_row(id)),
            Action::Look(Look::Created { .. }) => Act::LookCreated,
            Action::Mark(record) => Act::Mark(self.small(cr, uid, record)),
            Action::Create { .. } => Act::Create,
            Action::Write(record) => Act::Write(self.small(cr, uid, record)),
            Action::SetStatus(wish) => Act::SetStatus {
                id: id_row(&wish.id),
                to: match wish.to {
                    OperationStatus::Enable => To::On,
                    OperationStatus::Disable => To::Off,
                    OperationStatus::Delete => To::Deleted,
                },
            },
            Action::Update { id, changes, .. } => match self.bid_of(&changes.fields) {
                Some(to) if changes.names().count() == 1 => Act::Bid { id: id_row(id), to },
                _ => panic!("nobody asked for this: {plan:?}"),
            },
            Action::Release { left_active, .. } => Act::Release {
                left_active: *left_active,
            },
            Action::Look(Look::Review { .. })
            | Action::Unfinalize
            | Action::SetCreatives { .. }
            | Action::Appeal(_) => panic!("nobody asked for this: {plan:?}"),
        }
    }

    fn object(&self, cr: usize, obj: &Obj) -> Object {
        let all = &self.objects[cr];
        let mut object = all[usize::from(obj.edits).min(all.len() - 1)].clone();
        object.metadata.uid = Some(uid(cr, obj.uid));
        object.metadata.finalizers = obj.finalizer.then(|| vec![FINALIZER.into()]);
        object.metadata.deletion_timestamp = obj.deleting.then(|| Time(time(0)));
        object
    }

    pub(super) fn record(&self, cr: usize, of: u8, rec: &Rec) -> Record {
        Record {
            v: FORMAT,
            uid: uid(cr, of),
            install: INSTALL.into(),
            seq: rec.seq.into(),
            app: APP.into(),
            advertiser: ADVERTISER.into(),
            tree: self.variant.tree,
            parent: rec.parent.map(row_id),
            name: format!("name-{}", self.variant.name(cr)),
            sent: self.sent[cr].filter(|_| !rec.adopted),
            incarnation: 0,
            counter: rec.counter.into(),
            key: if rec.keyed {
                self.keys[cr][usize::from(rec.counter)].clone()
            } else {
                String::new()
            },
            attempt: rec.attempt.into(),
            since: rec.since.map(time),
            mark: rec.mark.map(|at| Mark {
                at: time(at),
                deadline: time(at) + Duration::from_secs(20),
            }),
            id: rec.id.map(row_id),
            former: None,
            adopted: rec.adopted,
            seen_on: rec.seen_on,
            held_off: rec.held_off,
            resumed: None,
            appealed: None,
        }
    }

    /// The small form; it must lose nothing.
    fn small(&self, cr: usize, of: u8, record: &Record) -> Rec {
        let rec = Rec {
            seq: record.seq as u8,
            counter: record.counter as u8,
            attempt: record.attempt as u8,
            keyed: !record.key.is_empty(),
            since: record.since.map(epoch),
            mark: record.mark.map(|m| epoch(m.at)),
            id: record.id.as_deref().map(id_row),
            parent: record.parent.as_deref().map(id_row),
            adopted: record.adopted,
            seen_on: record.seen_on,
            held_off: record.held_off,
        };
        assert_eq!(
            &self.record(cr, of, &rec),
            record,
            "the search cannot hold this record"
        );
        rec
    }

    /// A row as the platform shows it: with what its maker's spec said, but for the bid.
    fn row(
        &self,
        rows: &[Row; R],
        id: u8,
        operation: OperationState,
        bid: Option<u8>,
    ) -> PlatformRow {
        let row = rows[id as usize];
        // A stranger's is like the first.
        let maker = row.by.map_or(0, |(cr, _)| usize::from(cr));
        let mut shown = self.platform_row(row.kind, maker, id, operation);
        shown.name = format!("name-{}", row.name);
        shown.created = Some(time(row.created));
        let parent = row.parent.map(row_id);
        match row.kind {
            Kind::Campaign => {}
            Kind::AdGroup => shown.campaign = parent,
            Kind::Ad => shown.ad_group = parent,
        }
        if let Some(dollars) = bid {
            for wire in SHARED_SMART_PLUS {
                if let Some(value) = shown.fields.get_mut(wire) {
                    *value = (i64::from(dollars) * 100).into();
                }
            }
        }
        shown
    }

    /// The shared bid among fields, in dollars.
    fn bid_of(&self, fields: &Fields) -> Option<u8> {
        let cents = SHARED_SMART_PLUS
            .iter()
            .find_map(|wire| fields.get(wire)?.as_i64())?;
        u8::try_from(cents / 100).ok()
    }

    fn platform_row(
        &self,
        kind: Kind,
        of: usize,
        id: u8,
        operation: OperationState,
    ) -> PlatformRow {
        let account = match &self.views[1] {
            ConnectionView::Usable(account) => Some(account),
            _ => None,
        };
        let wanted = self.objects[of][0].wanted(time(0), self.variant.tree, account, None);
        PlatformRow {
            kind,
            id: row_id(id),
            tree: self.variant.tree,
            campaign: None,
            ad_group: None,
            name: String::new(),
            operation,
            secondary_status: String::new(),
            budget_mode: wanted.budget_mode.map(str::to_owned),
            budget: wanted.budget,
            current_budget: None,
            created: None,
            modified: None,
            creatives: Vec::new(),
            fields: wanted.to_create(),
        }
    }
}
