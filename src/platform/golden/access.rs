//! The user's role (R26) and the sources of events.

use super::super::golden_replies::ok;
use super::*;

const BC: &str = "7100000000000000077";
const PIXEL: &str = "7200000000000000003";

fn roles(page: u32) -> Call {
    Call::UserRoles {
        bc: BC.into(),
        page,
    }
}

fn pixels() -> Call {
    Call::Pixels {
        advertiser: ADVERTISER.into(),
        pixel_id: PIXEL.into(),
    }
}

pub(super) fn calls() -> Vec<Call> {
    vec![roles(1), pixels()]
}

#[test]
fn r26_the_request_for_roles_and_for_a_pixel() {
    let text = |query: &[(&'static str, &str)]| -> Vec<(&'static str, String)> {
        let owned = query
            .iter()
            .map(|(name, value)| (*name, (*value).to_owned()));
        owned.collect()
    };
    let token = SecretString::from(CANARY);
    let request = roles(2).request(Some(&token));
    assert_eq!(
        (request.method, request.path),
        (Method::Get, "/open_api/v1.3/bc/asset/get/")
    );
    assert_eq!(
        request.query,
        text(&[
            ("bc_id", BC),
            ("asset_type", "ADVERTISER"),
            ("page", "2"),
            ("page_size", "50")
        ])
    );
    assert!(request.token.is_some() && request.body.is_none());

    let request = pixels().request(Some(&token));
    assert_eq!(
        (request.method, request.path),
        (Method::Get, "/open_api/v1.3/pixel/list/")
    );
    assert_eq!(
        request.query,
        text(&[
            ("advertiser_id", ADVERTISER),
            ("pixel_id", PIXEL),
            ("page", "1"),
            ("page_size", "20")
        ])
    );
    assert!(request.token.is_some() && request.body.is_none());
}

#[test]
fn r26_the_role_is_advertiser_role_and_nothing_else_is_sufficient() {
    let row = |id: &str, role: Value, status: Value| {
        json!({"asset_id": id, "asset_name": "Shop", "asset_type": "ADVERTISER", "advertiser_role": role,
            "relation_status": status, "relation_type": "OWNER_BC", "advertiser_status": "STATUS_ENABLE"})
    };
    let list = json!([
        row("1", json!("ADMIN"), json!("BOUND")),
        row("2", json!("OPERATOR"), json!(null)),
        row("3", json!("ANALYST"), json!("BOUND")),
        row("4", json!("STANDARD"), json!("BOUND")),
        row("5", json!(null), json!("BOUND")),
        row("6", json!("ADMIN"), json!("PENDING")),
        row("7", json!("OPERATOR"), json!("UNBOUND")),
        row("8", json!("ANALYST"), json!("REJECTED")),
        {"asset_id": 9},
    ]);
    let data = json!({"list": list, "page_info": {"page": 2, "page_size": 50, "total_number": 59, "total_page": 2}});
    let expected = [
        ("1", UserRole::Admin),
        ("2", UserRole::Operator),
        ("3", UserRole::Analyst),
        ("4", UserRole::Unknown),
        ("5", UserRole::Unknown),
        ("6", UserRole::Unknown),
        ("7", UserRole::Unknown),
        ("8", UserRole::Analyst),
        ("9", UserRole::Unknown),
    ];
    let rows = expected
        .iter()
        .map(|(advertiser, role)| RoleRow {
            advertiser: (*advertiser).into(),
            role: *role,
        })
        .collect();
    let page = PageInfo {
        page: 2,
        total_pages: 2,
        total: 59,
    };
    assert_eq!(
        read(&roles(2), ok(data)).map(|answer| answer.reply),
        Ok(Reply::Roles { rows, page })
    );
}

#[test]
fn r26_a_page_of_roles_that_is_not_complete_is_no_answer() {
    for data in [
        json!({}),
        json!({"list": []}),
        json!({"list": [], "page_info": {"page": 1, "page_size": 50, "total_number": 1}}),
        json!({"list": [{"asset_id": "x"}], "page_info": {"page": 1, "page_size": 50, "total_number": 1}}),
        json!({"list": [], "page_info": {"page": 2, "page_size": 50, "total_number": 0}}),
    ] {
        let error = read(&roles(1), ok(data.clone())).expect_err("an error");
        assert_eq!(error.class, ErrorClass::Retry, "{data}");
    }
    let none = json!({"list": [], "page_info": {"page": 1, "page_size": 50, "total_number": 0, "total_page": 0}});
    let page = PageInfo {
        page: 1,
        total_pages: 1,
        total: 0,
    };
    assert_eq!(
        read(&roles(1), ok(none)).map(|answer| answer.reply),
        Ok(Reply::Roles {
            rows: Vec::new(),
            page
        })
    );
}

#[test]
fn a_pixel_is_found_by_its_id_only() {
    let pixel = |id: &str, owned: Value| {
        json!({"pixel_id": id, "pixel_code": "C0DE\u{200b}", "pixel_name": "Shop", "pixel_script": "<script>",
            "create_time": 1581679723600_i64, "asset_ownership": owned, "events": []})
    };
    let row = |unbound: bool| PixelRow {
        id: PIXEL.into(),
        code: "C0DE".into(),
        name: "Shop".into(),
        unbound,
    };
    for (owned, unbound) in [
        (json!(null), false),
        (json!({"asset_relation_status": null}), false),
        (json!({"asset_relation_status": "SHARED"}), false),
        (json!({"asset_relation_status": "UNBOUND"}), true),
    ] {
        // A platform that does not filter shows others too.
        let data = json!({"pixels": [pixel("5", json!(null)), pixel(PIXEL, owned)], "page_info": {"total_number": 2}});
        assert_eq!(
            read(&pixels(), ok(data)).map(|answer| answer.reply),
            Ok(Reply::Pixels(vec![row(unbound)]))
        );
    }
    let none = json!({"pixels": [], "page_info": {"total_number": 0}});
    assert_eq!(
        read(&pixels(), ok(none)).map(|answer| answer.reply),
        Ok(Reply::Pixels(Vec::new()))
    );
    for data in [json!({}), json!({"pixels": [{"pixel_name": "x"}]})] {
        assert_eq!(
            read(&pixels(), ok(data)).expect_err("an error").class,
            ErrorClass::Retry
        );
    }
}
