//! Properties of the pure model over random facts.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use proptest::prelude::*;
use tiktok_ads_operator::api::FINALIZER;
use tiktok_ads_operator::api::campaign::Campaign;
use tiktok_ads_operator::api::common::{Adoption, DeletionPolicy, DesiredState, Mode};
use tiktok_ads_operator::model::ceiling::CeilingView;
use tiktok_ads_operator::model::facts::{
    Access, Account, Attempt, Caps, ConnectionView, Facts, Have, Memory, NameLook, ParentView,
    ReviewLook, Rivals, Seen, Settings,
};
use tiktok_ads_operator::model::object::Object;
use tiktok_ads_operator::model::plan::{Action, Plan, StatusWish, plan};
use tiktok_ads_operator::model::record::{FORMAT, Mark, Record, RecordState};
use tiktok_ads_operator::model::report::object_status;
use tiktok_ads_operator::platform::{Fields, Kind, OperationState, OperationStatus, Row, Tree};

fn at(seconds: i64) -> Timestamp {
    Timestamp::constant(1_772_323_200, 0) + SignedDuration::from_secs(seconds)
}

fn row(operation: OperationState, created: i64) -> Row {
    Row {
        kind: Kind::Campaign,
        id: "77".into(),
        tree: Tree::Manual,
        campaign: None,
        ad_group: None,
        name: "spring".into(),
        operation,
        secondary_status: "CAMPAIGN_STATUS_DISABLE".into(),
        budget_mode: None,
        budget: None,
        current_budget: None,
        created: Some(at(created)),
        modified: None,
        creatives: Vec::new(),
        fields: Fields::from([("objective_type", "TRAFFIC".into())]),
    }
}

fn operation() -> impl Strategy<Value = OperationState> {
    prop_oneof![
        Just(OperationState::On),
        Just(OperationState::Off),
        Just(OperationState::Deleted)
    ]
}

fn a_row() -> impl Strategy<Value = Row> {
    (operation(), 0i64..200).prop_map(|(operation, created)| row(operation, created))
}

prop_compose! {
    fn object()(
        state in proptest::option::of(prop_oneof![Just(DesiredState::Active), Just(DesiredState::Paused)]),
        deletion in proptest::option::of(prop_oneof![Just(DeletionPolicy::Pause), Just(DeletionPolicy::Retain), Just(DeletionPolicy::Delete)]),
        mode in proptest::option::of(prop_oneof![Just(Mode::Enforce), Just(Mode::Suspend), Just(Mode::Plan), Just(Mode::Observe)]),
        adoption in proptest::option::of(prop_oneof![Just(Adoption::Refuse), Just(Adoption::SameName)]),
        external in proptest::bool::weighted(0.2),
        renamed in proptest::bool::weighted(0.3),
        deleting in any::<bool>(),
        finalizer in proptest::bool::weighted(0.8),
    ) -> Campaign {
        let mut object = bare();
        object.spec.state = state;
        object.spec.deletion_policy = deletion;
        object.spec.mode = mode;
        object.spec.adoption = adoption;
        object.spec.external_id = external.then(|| "77".to_string());
        object.spec.name = renamed.then(|| "summer".to_string());
        object.metadata.deletion_timestamp = deleting.then(|| Time(at(0)));
        object.metadata.finalizers = finalizer.then(|| vec![FINALIZER.to_string()]);
        object
    }
}

/// A campaign with only the required fields.
fn bare() -> Campaign {
    let mut object: Campaign = match serde_json::from_value(serde_json::json!({
        "apiVersion": "tiktokads.dev/v1alpha1", "kind": "Campaign",
        "metadata": {"name": "spring", "namespace": "ads", "uid": "u", "generation": 1},
        "spec": {"connectionRef": {"name": "c"}, "automation": "Manual", "objective": "Traffic"},
    })) {
        Ok(object) => object,
        Err(error) => panic!("{error}"),
    };
    object.status = None;
    object
}

prop_compose! {
    fn record()(id in any::<bool>(), mark in any::<bool>(), adopted in any::<bool>(), seen_on in any::<bool>(), since in 0i64..100, counter in 0u32..3)
        -> RecordState {
        RecordState::Own(Record {
            v: FORMAT, uid: "u".into(), install: "i".into(), seq: 3, app: "a".into(), advertiser: "1".into(),
            tree: Tree::Manual, parent: None, name: "spring".into(), incarnation: 0, counter, key: "5".into(), attempt: 1,
            since: Some(at(since)),
            mark: (mark && !id).then(|| Mark { at: at(since), deadline: at(since) + Duration::from_secs(20) }),
            id: id.then(|| "77".to_string()), former: None, sent: None, adopted, seen_on, held_off: false, resumed: None, appealed: None,
        })
    }
}

fn memory() -> impl Strategy<Value = Memory> {
    let attempt = proptest::option::of(prop_oneof![
        Just(Attempt::Unsent),
        Just(Attempt::Unclear),
        Just(Attempt::Refused),
        a_row().prop_map(|row| Attempt::Made(Box::new(row))),
    ]);
    let looks = proptest::collection::vec(0i64..200, 0..3);
    (
        attempt,
        looks,
        proptest::collection::vec(a_row(), 0..3),
        any::<bool>(),
    )
        .prop_map(|(attempt, looks, found, key_used)| Memory {
            attempt,
            absence: looks.into_iter().map(at).collect(),
            found,
            key_used,
            ..Memory::default()
        })
}

fn have() -> impl Strategy<Value = Have> {
    prop_oneof![
        Just(Have::Unknown),
        Just(Have::Absent),
        (a_row(), any::<bool>(), 0i64..200, any::<bool>()).prop_map(
            |(row, read_back, seen, hinted)| Have::Present(Seen {
                row,
                read_back,
                at: at(seen),
                looked_up: None,
                hinted,
            })
        ),
    ]
}

fn name() -> impl Strategy<Value = NameLook> {
    prop_oneof![
        Just(NameLook::NotLooked),
        proptest::collection::vec((a_row(), any::<bool>()), 0..3).prop_map(
            |rows| NameLook::Looked(
                rows.into_iter()
                    .map(|(row, held)| (row, held.then(|| "ads/x".to_string())))
                    .collect()
            )
        ),
    ]
}

fn usable(cap: Option<i64>, read_only: bool) -> ConnectionView {
    ConnectionView::Usable(Account {
        app: "a".into(),
        advertiser: "1".into(),
        currency: "USD".into(),
        timezone: String::new(),
        schedule_in_account_zone: false,
        mode: None,
        access: if read_only {
            Access::ReadOnly
        } else {
            Access::Full
        },
        suspended: None,
        pause_all: None,
        disconnecting: false,
        adoption: None,
        drift: None,
        caps: Caps {
            per_object: cap,
            ..Caps::default()
        },
    })
}

#[derive(Clone, Debug)]
struct Case {
    object: Campaign,
    record: RecordState,
    view: ConnectionView,
    have: Have,
    name: NameLook,
    memory: Memory,
    rival: (bool, bool),
    terminating: bool,
    now: i64,
}

prop_compose! {
    fn case()(
        object in object(), record in prop_oneof![1 => Just(RecordState::None), 4 => record()],
        view in prop_oneof![1 => Just(ConnectionView::Missing), 8 => (proptest::option::of(Just(1000)), any::<bool>()).prop_map(|(c, r)| usable(c, r))],
        have in have(), name in name(), memory in memory(),
        rival in (proptest::bool::weighted(0.1), proptest::bool::weighted(0.1)), terminating in proptest::bool::weighted(0.1), now in 0i64..300,
    ) -> Case {
        Case { object, record, view, have, name, memory, rival, terminating, now }
    }
}

fn planned(case: &Case) -> Plan {
    let settings = Settings::default();
    let object = Object::from(case.object.clone());
    plan(&Facts {
        now: at(case.now),
        platform_now: at(case.now),
        install: "i",
        object: &object,
        record: case.record.clone(),
        connection: &case.view,
        parent: ParentView::Account,
        siblings: Vec::new(),
        review: ReviewLook::default(),
        have: case.have.clone(),
        name: case.name.clone(),
        memory: &case.memory,
        rivals: Rivals {
            id_holder: case.rival.0.then(|| "ads/x".to_string()),
            same_name: case.rival.1.then(|| "ads/x".to_string()),
        },
        namespace_terminating: case.terminating,
        ceiling: CeilingView {
            complete: true,
            ad_groups_of: Tree::ALL.into(),
            ..CeilingView::default()
        },
        settings: &settings,
    })
}

fn writes_to_platform(action: &Action) -> bool {
    matches!(
        action,
        Action::Create { .. } | Action::Update { .. } | Action::SetStatus { .. }
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn equal_facts_give_an_equal_plan(case in case()) {
        prop_assert_eq!(planned(&case), planned(&case));
    }

    #[test]
    fn r08_observe_and_plan_write_nothing_and_suspend_only_pauses(case in case()) {
        let plan = planned(&case);
        match plan.verdict.effective.mode {
            Mode::Observe | Mode::Plan => prop_assert!(!writes_to_platform(&plan.action) && !matches!(plan.action, Action::Mark(_)), "{:?}", plan.action),
            Mode::Suspend => prop_assert!(
                !writes_to_platform(&plan.action) || matches!(plan.action, Action::SetStatus(StatusWish { to: OperationStatus::Disable, .. })),
                "{:?}", plan.action
            ),
            Mode::Enforce => {}
        }
    }

    #[test]
    fn r11_a_create_only_for_a_mark_that_was_not_sent(case in case()) {
        if let Action::Create { .. } = planned(&case).action {
            prop_assert_eq!(&case.memory.attempt, &Some(Attempt::Unsent));
            prop_assert!(case.record.own().is_some_and(|r| r.mark.is_some_and(|m| at(case.now) < m.deadline)));
        }
    }

    #[test]
    fn r32_a_release_only_of_what_is_deleted_and_settled(case in case()) {
        if let Action::Release { .. } = planned(&case).action {
            prop_assert!(case.object.metadata.deletion_timestamp.is_some());
            let unsettled = case.record.own().is_some_and(|r| r.mark.is_some());
            let hands_off = matches!(case.object.spec.mode, Some(Mode::Observe | Mode::Plan));
            prop_assert!(!unsettled || hands_off || case.view == ConnectionView::Missing);
        }
    }

    #[test]
    fn r01_off_outside_is_never_switched_on_again(case in case()) {
        // Nothing else stands in the way of switching it on.
        let mut case = Case {
            view: usable(Some(1000), false),
            have: Have::Present(Seen { row: row(OperationState::Off, 0), read_back: true, at: at(1), looked_up: None, hinted: false }),
            rival: (false, false),
            terminating: false,
            ..case
        };
        if let Have::Present(seen) = &mut case.have {
            seen.row.budget_mode = Some("BUDGET_MODE_DAY".into());
            seen.row.budget = Some(tiktok_ads_operator::platform::Cents(500));
        }
        case.object.spec.mode = None;
        case.object.spec.name = None;
        case.object.metadata.deletion_timestamp = None;
        let seen_on = case.record.own().is_some_and(|r| r.seen_on);
        if let Action::SetStatus(StatusWish { to: OperationStatus::Enable, .. }) = planned(&case).action {
            prop_assert!(!seen_on && case.object.spec.state == Some(DesiredState::Active));
        }
    }

    #[test]
    fn equal_inputs_an_hour_apart_give_equal_status(case in case()) {
        let plan = planned(&case);
        let first = object_status(None, 1, &plan.verdict, at(case.now));
        let later = object_status(Some(&first), 1, &plan.verdict, at(case.now + 3600));
        prop_assert_eq!(first, later);
    }
}

/// A case with everything in order: an adopted campaign of which only the required fields are said.
fn adopted(operation: OperationState, deleting: bool) -> Case {
    let mut object = bare();
    object.spec.external_id = Some("77".into());
    object.metadata.finalizers = Some(vec![FINALIZER.to_string()]);
    object.metadata.deletion_timestamp = deleting.then(|| Time(at(0)));
    Case {
        object,
        record: RecordState::None,
        view: usable(None, false),
        have: Have::Present(Seen {
            row: row(operation, 0),
            read_back: true,
            at: at(1),
            looked_up: None,
            hinted: false,
        }),
        name: NameLook::NotLooked,
        memory: Memory::default(),
        rival: (false, false),
        terminating: false,
        now: 10,
    }
}

#[test]
fn r03_adopting_with_only_the_required_fields_writes_nothing_to_the_platform() {
    for operation in [OperationState::On, OperationState::Off] {
        let mut case = adopted(operation, false);
        let mut rested = false;
        for _ in 0..5 {
            let plan = planned(&case);
            match plan.action {
                Action::Write(record) => case.record = RecordState::Own(record),
                Action::Rest => rested = true,
                other => panic!("{operation:?}: {other:?}"),
            }
        }
        assert!(rested && case.record.own().is_some_and(|r| r.adopted));
        // And deleting it lets go at once.
        case.object.metadata.deletion_timestamp = Some(Time(at(20)));
        assert!(matches!(planned(&case).action, Action::Release { .. }));
    }
}

/// Does a message say what to do about it? Product rule 9: every refusal names the next step.
pub fn names_a_next_step(message: &str) -> bool {
    let steps = [
        "add ",
        "annotate",
        "choose",
        "correct",
        "create it",
        "delete",
        "give ",
        "look for",
        "make ",
        "pause",
        "raise",
        "remove",
        "rename",
        "restore",
        "set ",
        "tell ",
        "use ",
        "write ",
    ];
    message.contains(';') || steps.iter().any(|step| message.contains(step))
}
