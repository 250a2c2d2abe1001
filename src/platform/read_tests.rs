#![allow(clippy::unwrap_used, clippy::expect_used)]

use serde_json::json;

use super::super::error::{AuthProblem, Throttle};
use super::super::golden::{create, every_call, list, raw, reply, set_status};
use super::super::row::{OperationState, operation};
use super::*;

fn class(call: &Call, wire: WireReply) -> ErrorClass {
    read(call, wire).expect_err("an error").class
}

fn page(rows: usize, info: Value) -> WireReply {
    let rows: Vec<Value> = (1..=rows)
        .map(|id| json!({"campaign_id": id.to_string(), "operation_status": "ENABLE"}))
        .collect();
    reply(&json!({"code": 0, "data": {"list": rows, "page_info": info}}))
}

#[test]
fn a_page_with_fewer_rows_than_it_says_is_incomplete() {
    let call = list(Tree::Manual, 2, 10);
    let info = |total: u64| json!({"page": 2, "page_size": 10, "total_number": total, "total_page": total.div_ceil(10)});
    for (rows, total) in [(9, 20), (4, 15), (0, 11)] {
        assert_eq!(
            class(&call, page(rows, info(total))),
            ErrorClass::Retry,
            "{rows} of {total}"
        );
    }
    for (rows, total, pages) in [(10, 20, 2), (10, 99, 10), (5, 15, 2), (0, 10, 1), (0, 0, 1)] {
        match read(&call, page(rows, info(total))).map(|answer| answer.reply) {
            Ok(Reply::Rows {
                rows: read,
                page: 2,
                total_pages,
                total: read_total,
            }) => {
                assert_eq!((read.len(), total_pages, read_total), (rows, pages, total));
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_list_that_does_not_prove_its_size_is_incomplete() {
    let call = list(Tree::SmartPlus, 1, 10);
    for info in [
        Value::Null,
        json!({}),
        json!({"page": 1, "page_size": 10, "total_page": 1}),
        json!({"page": 1, "page_size": 10, "total_number": "1", "total_page": 1}),
        json!({"page": 2, "page_size": 10, "total_number": 1, "total_page": 1}),
    ] {
        assert_eq!(
            class(&call, page(1, info.clone())),
            ErrorClass::Retry,
            "{info}"
        );
    }
    let complete = json!({"page": 1, "page_size": 10, "total_number": 1, "total_page": 1});
    for list in [
        json!(null),
        json!([{}]),
        json!([{"campaign_id": ""}]),
        json!([{"campaign_id": "1", "advertiser_id": "5"}]),
    ] {
        let wire = reply(&json!({"code": 0, "data": {"list": list, "page_info": complete}}));
        assert_eq!(class(&call, wire), ErrorClass::Retry, "{list}");
    }
    let in_part = reply(
        &json!({"code": 20001, "data": {"list": [], "page_info": {"page": 1, "page_size": 10, "total_number": 0, "total_page": 0}}}),
    );
    assert_eq!(class(&call, in_part), ErrorClass::Retry);
}

#[test]
fn r29_a_server_with_smaller_pages_counts_in_its_own() {
    let info = json!({"page": 1, "page_size": 100, "total_number": 250, "total_page": 3});
    match read(&list(Tree::SmartPlus, 1, 1000), page(100, info)).map(|answer| answer.reply) {
        Ok(Reply::Rows {
            total_pages: 3,
            total: 250,
            ..
        }) => {}
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_write_whose_answer_cannot_be_read_is_ambiguous() {
    for call in every_call() {
        let unclear = if call.is_write() {
            ErrorClass::Ambiguous
        } else {
            ErrorClass::Retry
        };
        for wire in [
            raw(200, ""),
            raw(200, "null"),
            raw(200, "[]"),
            raw(200, "OK"),
            raw(200, "{\"code\":"),
            raw(200, "{\"data\":{\"campaign_id\":\"1\"}}"),
            raw(200, "{\"code\":null}"),
            raw(500, ""),
            raw(502, "<html>Bad gateway</html>"),
            raw(504, ""),
            raw(302, ""),
            raw(408, ""),
        ] {
            assert_eq!(
                class(&call, wire.clone()),
                unclear,
                "{} {wire:?}",
                call.name()
            );
        }
    }
    for data in [
        json!({}),
        json!(null),
        json!([]),
        json!({"campaign_id": null}),
    ] {
        let wire = reply(&json!({"code": 0, "data": data}));
        assert_eq!(
            class(&create(Tree::Manual), wire),
            ErrorClass::Ambiguous,
            "{data}"
        );
    }
}

#[test]
fn what_a_gateway_refused_had_no_effect() {
    for call in every_call() {
        let mut wire = raw(429, "slow down");
        assert_eq!(
            class(&call, wire.clone()),
            ErrorClass::Throttled(Throttle::Unsaid)
        );
        wire.retry_after = Some(Duration::from_secs(7));
        assert_eq!(
            class(&call, wire.clone()),
            ErrorClass::Throttled(Throttle::After(Duration::from_secs(7)))
        );
        wire.retry_after = Some(Duration::MAX);
        assert_eq!(
            class(&call, wire),
            ErrorClass::Throttled(Throttle::After(Duration::from_secs(3600)))
        );
        assert_eq!(
            class(&call, raw(404, "404 page not found")),
            ErrorClass::Rejected(Rejection::Other)
        );
        assert_eq!(class(&call, raw(403, "<html>")), ErrorClass::Retry);
    }
}

#[test]
fn the_code_outranks_the_http_status() {
    let mut wire = reply(&json!({"code": 40105, "message": "", "data": {}}));
    wire.status = 500;
    assert_eq!(
        class(&create(Tree::Manual), wire),
        ErrorClass::Auth(AuthProblem::TokenInvalid)
    );
    let mut wire = reply(&json!({"code": "0", "data": {"campaign_id": "5"}}));
    wire.status = 502;
    assert!(
        matches!(read(&create(Tree::Manual), wire).map(|answer| answer.reply), Ok(Reply::Created(rows)) if rows[0].as_ref().unwrap().id == "5")
    );
}

#[test]
fn an_update_answers_the_row_or_nothing() {
    let call = Call::Update {
        advertiser: "9".into(),
        kind: Kind::Campaign,
        tree: Tree::Manual,
        id: "5".into(),
        changes: super::super::changes::Changes::default(),
    };
    let with = |data: Value| {
        read(&call, reply(&json!({"code": 0, "data": data}))).map(|answer| answer.reply)
    };
    assert!(
        matches!(with(json!({"campaign_id": "5", "budget": 60})), Ok(Reply::Updated(Some(row))) if row.budget.is_some())
    );
    assert_eq!(with(json!({})), Ok(Reply::Updated(None)));
    assert_eq!(
        with(json!({"campaign_id": "6"})).map_err(|error| error.class),
        Err(ErrorClass::Ambiguous)
    );
}

/// The ids that are done, and those that are refused with what was said.
type Sorted = (Vec<String>, Vec<(String, String)>);

fn statuses(code: i64, data: Value) -> Result<Sorted, ErrorClass> {
    let call = set_status(Tree::SmartPlus, &["1", "2", "3"], OperationStatus::Disable);
    match read(
        &call,
        reply(&json!({"code": code, "message": "", "data": data})),
    ) {
        Ok(Answer {
            reply: Reply::StatusSet { done, refused },
            ..
        }) => Ok((
            done,
            refused
                .into_iter()
                .map(|item| (item.id, item.message))
                .collect(),
        )),
        Ok(other) => panic!("{other:?}"),
        Err(error) => Err(error.class),
    }
}

#[test]
fn r05_results_of_a_status_call_are_read_per_id() {
    let all = ["1", "2", "3"].map(str::to_owned).to_vec();
    // The official example of the manual tree.
    let manual = json!({"campaign_ids": ["1", "2", "3"], "status": "DISABLE", "campaign_list": [
        {"campaign_id": "1", "status": "DISABLE"}, {"campaign_id": "2", "status": "DISABLE"}, {"campaign_id": "3", "status": "DISABLE"}]});
    assert_eq!(statuses(0, manual), Ok((all.clone(), vec![])));
    assert_eq!(statuses(0, json!({})), Ok((all, vec![])));

    let said = "The campaign has been deleted.\u{7}";
    let list = json!([{"campaign_id": "1", "status": "DISABLE"}, {"campaign_id": "3", "status": "DISABLE"}]);
    let partly =
        json!({"campaign_list": list, "error_list": [{"campaign_id": "2", "error_message": said}]});
    let expected = (
        vec!["1".to_owned(), "3".to_owned()],
        vec![("2".to_owned(), "The campaign has been deleted.".to_owned())],
    );
    assert_eq!(statuses(20001, partly.clone()), Ok(expected.clone()));
    assert_eq!(statuses(0, partly), Ok(expected));
    let class = RefusedId {
        id: "2".into(),
        message: said.into(),
    }
    .class();
    assert_eq!(class, ErrorClass::Gone);
}

#[test]
fn r05_an_id_that_no_answer_names_is_not_done() {
    let silent = "TikTok's answer does not mention it".to_owned();
    let list = json!([{"campaign_id": "1", "status": "DISABLE"}, {"campaign_id": "2", "status": "ENABLE"}]);
    let other = "TikTok answers that its status is ENABLE, not DISABLE".to_owned();
    assert_eq!(
        statuses(0, json!({"campaign_list": list})),
        Ok((
            vec!["1".into()],
            vec![("2".into(), other), ("3".into(), silent.clone())]
        ))
    );
    let only_errors = json!({"error_list": [{"campaign_id": "2", "error_message": "no"}]});
    assert_eq!(
        statuses(20001, only_errors),
        Ok((
            vec![],
            vec![
                ("1".into(), silent.clone()),
                ("2".into(), "no".into()),
                ("3".into(), silent)
            ]
        ))
    );
    assert_eq!(statuses(20001, json!({})), Err(ErrorClass::Ambiguous));
}

#[test]
fn what_is_deleted_is_deleted_and_what_is_unknown_may_spend() {
    for (operation_status, secondary, expected) in [
        (Some("ENABLE"), "CAMPAIGN_STATUS_ENABLE", OperationState::On),
        (
            Some("ENABLE"),
            "ADVERTISER_ACCOUNT_PUNISH",
            OperationState::On,
        ),
        (
            Some("DISABLE"),
            "CAMPAIGN_STATUS_DISABLE",
            OperationState::Off,
        ),
        // The secondary status lags behind.
        (
            Some("DISABLE"),
            "CAMPAIGN_STATUS_ENABLE",
            OperationState::Off,
        ),
        (
            Some("DISABLE"),
            "CAMPAIGN_STATUS_DELETE",
            OperationState::Deleted,
        ),
        (Some("DELETE"), "", OperationState::Deleted),
        (None, "CAMPAIGN_STATUS_DISABLE", OperationState::Off),
        (None, "", OperationState::On),
        (
            Some("FROZEN"),
            "CAMPAIGN_STATUS_DISABLE",
            OperationState::On,
        ),
    ] {
        assert_eq!(
            operation(Kind::Campaign, operation_status, secondary),
            expected,
            "{operation_status:?} {secondary}"
        );
    }
}
