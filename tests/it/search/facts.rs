//! From a replica's knowledge to the real [`Facts`], through the real [`plan`], back to a small action.

use std::collections::HashMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use tiktok_ads_operator::api::FINALIZER;
use tiktok_ads_operator::api::campaign::{Automation, Campaign, CampaignSpec, Objective};
use tiktok_ads_operator::api::common::{Adoption, DeletionPolicy, LocalRef};
use tiktok_ads_operator::model::ceiling::CeilingView;
use tiktok_ads_operator::model::facts::{
    Account, Attempt, Caps, ConnectionView, Facts, Have, Look, Memory, NameLook, ParentView,
    ReviewLook, Rivals, Seen, Settings,
};
use tiktok_ads_operator::model::key::request_id;
use tiktok_ads_operator::model::object::Object;
use tiktok_ads_operator::model::plan::{Action, Plan, new_object, plan};
use tiktok_ads_operator::model::protocol::{bars_name, create_after};
use tiktok_ads_operator::model::record::{FORMAT, Mark, Record, RecordState};
use tiktok_ads_operator::model::report::Ready;
use tiktok_ads_operator::platform::{
    Fields, Kind, OperationState, OperationStatus, Row as PlatformRow, Tree,
};

use super::world::{Att, Cell, Core, EPOCH, Obj, ROWS, Rec, Row, Variant, World};

const INSTALL: &str = "search";
const APP: &str = "app";
const ADVERTISER: &str = "7000000000000000001";

/// A step, as small as the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// Until this epoch, if it says so; whether the plan calls the object ready, or waits for somebody.
    Rest {
        until: Option<u8>,
        settled: Settled,
    },
    LookName,
    LookId(u8),
    LookCreated,
    Mark(Rec),
    Create,
    Write(Rec),
    SetStatus {
        id: u8,
        delete: bool,
    },
    Release,
}

/// How the verdict of a rest reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    Ready,
    Stalled(tiktok_ads_operator::model::reason::Reason),
    Progress,
}

/// Everything that a plan reads in this search; equal questions have an equal answer, which is kept.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Question {
    cr: u8,
    now: u8,
    obj: Obj,
    core: Core,
    have: Option<(u8, Cell)>,
    /// Rows of the wanted name that the replica knows, and those another CR holds; one bit each.
    named: u8,
    held: u8,
    id_taken: bool,
    name_taken: bool,
    rows: [Row; ROWS],
}

/// The real planner behind a memory of its answers.
pub struct Planner {
    variant: Variant,
    settings: Settings,
    view: ConnectionView,
    answers: HashMap<Question, Act, super::Quick>,
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

impl Planner {
    pub fn new(variant: Variant) -> Self {
        Self {
            variant,
            settings: Settings::default(),
            view: ConnectionView::Usable(Account {
                app: APP.into(),
                advertiser: ADVERTISER.into(),
                currency: "USD".into(),
                timezone: String::new(),
                schedule_in_account_zone: false,
                mode: None,
                read_only: false,
                disconnecting: false,
                adoption: None,
                drift: None,
                caps: Caps::default(),
            }),
            answers: HashMap::default(),
            made: 0,
        }
    }

    /// The step that replica `r` takes for `cr` from the copy it has. Its memo is brought in line first.
    pub fn act(&mut self, world: &World, r: usize, cr: usize) -> Act {
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
    pub fn sends(&self, world: &World, r: usize, cr: usize, rec: Rec, taken: bool) -> bool {
        let uid = world.reps[r].memos[cr].uid;
        let record = self.record(cr, uid, &rec);
        let question = self.question(world, r, cr);
        let announced = self.ask(&question, |facts| new_object(facts, &record));
        let again = taken.then(|| self.ask(&question, plan));
        create_after(announced, again.as_ref()).is_some()
    }

    fn question(&self, world: &World, r: usize, cr: usize) -> Question {
        let replica = &world.reps[r];
        let obj = replica.copies[cr];
        let memo = replica.memos[cr];
        let other = 1 - cr;
        let theirs = replica.copies[other];
        let their_id = theirs.rec.and_then(|rec| rec.id);
        // As `Stores` and `State::holder_of` have it.
        let older = (theirs.uid, other) < (obj.uid, cr);
        let mine = obj.rec.and_then(|rec| rec.id);
        let made = match memo.core.att {
            Att::Made(id) | Att::MadeDeleted(id) => Some(id),
            _ => None,
        };
        let asked = mine.or(made);
        let id_taken =
            theirs.uid > 0 && asked.is_some() && their_id == asked && (mine.is_none() || older);
        let their_made = match replica.memos[other].core.att {
            Att::Made(id) | Att::MadeDeleted(id) => Some(id),
            _ => None,
        };
        let wanted = self.variant.name(cr);
        let (mut named, mut held) = (0u8, 0u8);
        if memo.core.name_read {
            for id in world.ids(|row| row.name == wanted) {
                if matches!(replica.table[id as usize], Cell::Live { .. } | Cell::Doubt) {
                    named |= 1 << id;
                    if (theirs.uid > 0 && their_id == Some(id)) || their_made == Some(id) {
                        held |= 1 << id;
                    }
                }
            }
        }
        Question {
            cr: cr as u8,
            now: world.now,
            obj,
            core: memo.core,
            have: mine.map(|id| (id, replica.table[id as usize])),
            named,
            held,
            id_taken,
            name_taken: self.rival(replica, cr),
            // What the platform has now is not known, only what was read of it.
            rows: world.rows.map(|row| Row {
                deleted: false,
                ..row
            }),
        }
    }

    /// As `Stores::rival_for_name`.
    fn rival(&self, replica: &super::world::Replica, cr: usize) -> bool {
        let (mine, theirs) = (replica.copies[cr], replica.copies[1 - cr]);
        let same = self.variant.name(cr) == self.variant.name(1 - cr);
        let record = theirs.rec.map(|rec| self.record(1 - cr, theirs.uid, &rec));
        let older = (theirs.uid, 1 - cr) < (mine.uid, cr);
        theirs.uid > 0 && same && bars_name(older, theirs.deleting, record.as_ref())
    }

    /// Puts a question to the model.
    fn ask<T>(&self, q: &Question, model: impl FnOnce(&Facts) -> T) -> T {
        let cr = usize::from(q.cr);
        let object = self.object(cr, &q.obj);
        let live = |id: u8| self.row(&q.rows, id, false);
        let bits = |mask: u8| (0..ROWS as u8).filter(move |id| mask & (1 << id) != 0);
        let memory = Memory {
            attempt: match q.core.att {
                Att::None => None,
                Att::Unsent => Some(Attempt::Unsent),
                Att::Unclear => Some(Attempt::Unclear),
                Att::Made(id) => Some(Attempt::Made(Box::new(live(id)))),
                Att::MadeDeleted(id) => Some(Attempt::Made(Box::new(self.row(&q.rows, id, true)))),
                Att::Refused => Some(Attempt::Refused),
            },
            absence: q
                .core
                .absence
                .map(|(a, b)| vec![time(a), time(b)])
                .unwrap_or_default(),
            found: bits(q.core.found).map(live).collect(),
            key_used: q.core.key_used,
            ending_since: q.core.ending.map(time),
            ..Memory::default()
        };
        let have = match q.have {
            None | Some((_, Cell::Never | Cell::Doubt)) => Have::Unknown,
            Some((id, Cell::Live { read_back, at })) => Have::Present(Seen {
                row: live(id),
                read_back,
                at: time(at),
                looked_up: None,
            }),
            Some((id, Cell::Deleted)) => Have::Present(Seen {
                row: self.row(&q.rows, id, true),
                read_back: true,
                at: time(q.now),
                looked_up: None,
            }),
        };
        let name = if q.core.name_read {
            NameLook::Looked(
                bits(q.named)
                    .map(|id| {
                        (
                            live(id),
                            (q.held & (1 << id) != 0).then(|| "ads/other".to_string()),
                        )
                    })
                    .collect(),
            )
        } else {
            NameLook::NotLooked
        };
        let record = match &q.obj.rec {
            None => RecordState::None,
            Some(rec) => RecordState::Own(self.record(cr, q.obj.uid, rec)),
        };
        model(&Facts {
            now: time(q.now),
            platform_now: time(q.now),
            install: INSTALL,
            object: &object,
            record,
            connection: &self.view,
            parent: ParentView::Account,
            siblings: Vec::new(),
            review: ReviewLook::default(),
            have,
            name,
            memory: &memory,
            rivals: Rivals {
                id_holder: q.id_taken.then(|| "ads/other".to_string()),
                same_name: q.name_taken.then(|| "ads/other".to_string()),
            },
            namespace_terminating: false,
            ceiling: CeilingView::default(),
            settings: &self.settings,
        })
    }

    fn compact(&self, cr: usize, uid: u8, plan: &Plan) -> Act {
        match &plan.action {
            Action::Rest => Act::Rest {
                until: plan.wake.map(epoch),
                settled: match plan.verdict.ready {
                    Ready::Yes(..) => Settled::Ready,
                    Ready::Stalled(reason, _) => Settled::Stalled(reason),
                    Ready::Progress(..) => Settled::Progress,
                },
            },
            Action::Look(Look::Name(_)) => Act::LookName,
            Action::Look(Look::Id { id, .. }) => Act::LookId(id_row(id)),
            Action::Look(Look::Created { .. }) => Act::LookCreated,
            Action::Mark(record) => Act::Mark(self.small(cr, uid, record)),
            Action::Create { .. } => Act::Create,
            Action::Write(record) => Act::Write(self.small(cr, uid, record)),
            Action::SetStatus(wish) => Act::SetStatus {
                id: id_row(&wish.id),
                delete: match wish.to {
                    OperationStatus::Delete => true,
                    OperationStatus::Disable => false,
                    OperationStatus::Enable => panic!("nobody asked for an enable"),
                },
            },
            Action::Release { .. } => Act::Release,
            Action::Look(Look::Review { .. })
            | Action::Unfinalize
            | Action::Update { .. }
            | Action::SetCreatives { .. } => panic!("nobody asked for this: {plan:?}"),
        }
    }

    fn object(&self, cr: usize, obj: &Obj) -> Object {
        let spec = CampaignSpec {
            connection_ref: LocalRef {
                name: "connection".into(),
            },
            automation: Automation::Manual,
            name: Some(format!("name-{}", self.variant.name(cr))),
            objective: Objective::Traffic,
            budget: None,
            budget_optimization: None,
            campaign_type: None,
            app_promotion_type: None,
            app_id: None,
            special_industries: None,
            sales_destination: None,
            catalog_enabled: None,
            catalog_type: None,
            po_number: None,
            postback_window_mode: None,
            state: None,
            deletion_policy: self.variant.delete.then_some(DeletionPolicy::Delete),
            mode: None,
            external_id: None,
            adoption: self.variant.adopt.then_some(Adoption::SameName),
            incarnation: None,
            drift: None,
        };
        let mut object = Campaign::new(&format!("cr-{cr}"), spec);
        object.metadata.namespace = Some("ads".into());
        object.metadata.uid = Some(uid(cr, obj.uid));
        object.metadata.generation = Some(1);
        object.metadata.finalizers = obj.finalizer.then(|| vec![FINALIZER.into()]);
        object.metadata.deletion_timestamp = obj.deleting.then(|| Time(time(0)));
        object.into()
    }

    fn key(&self, cr: usize, counter: u8) -> String {
        request_id(
            ADVERTISER,
            "Campaign",
            "ads",
            &format!("cr-{cr}"),
            0,
            counter.into(),
        )
    }

    fn record(&self, cr: usize, of: u8, rec: &Rec) -> Record {
        let object = self.object(cr, &Obj::default());
        Record {
            v: FORMAT,
            uid: uid(cr, of),
            install: INSTALL.into(),
            seq: rec.seq.into(),
            app: APP.into(),
            advertiser: ADVERTISER.into(),
            tree: Tree::Manual,
            parent: None,
            name: object.platform_name(),
            incarnation: 0,
            counter: rec.counter.into(),
            key: if rec.keyed {
                self.key(cr, rec.counter)
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
            sent: None,
            adopted: rec.adopted,
            seen_on: false,
            resumed: None,
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
            adopted: record.adopted,
        };
        assert_eq!(
            &self.record(cr, of, &rec),
            record,
            "the search cannot hold this record"
        );
        rec
    }

    fn row(&self, rows: &[Row; ROWS], id: u8, deleted: bool) -> PlatformRow {
        let row = rows[id as usize];
        PlatformRow {
            kind: Kind::Campaign,
            id: row_id(id),
            tree: Tree::Manual,
            campaign: None,
            ad_group: None,
            name: format!("name-{}", row.name),
            operation: if deleted {
                OperationState::Deleted
            } else {
                OperationState::Off
            },
            secondary_status: String::new(),
            budget_mode: None,
            budget: None,
            current_budget: None,
            created: Some(time(row.created)),
            modified: None,
            fields: Fields::from([("objective_type", "TRAFFIC".into())]),
        }
    }
}
