#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::kind::{Kind, Tree};
use super::super::table::fields_of;
use super::*;

#[test]
fn what_says_nothing_is_null_or_the_empty_list() {
    let nothing = [
        (
            Form::Text,
            vec![json!(null), json!(""), json!("UNSET"), json!(5)],
        ),
        (
            Form::Word("GENDER_UNLIMITED"),
            vec![json!(null), json!("GENDER_UNLIMITED"), json!("UNSET")],
        ),
        (Form::Prose, vec![json!(null), json!("")]),
        (
            Form::Id,
            vec![json!(null), json!("0"), json!(0), json!(""), json!("x")],
        ),
        (Form::NumberId, vec![json!(null), json!(0), json!("0")]),
        (Form::Flag, vec![json!(null), json!("true")]),
        (Form::Switch(false), vec![json!(null), json!(false)]),
        (Form::Switch(true), vec![json!(null), json!(true)]),
        (Form::Whole, vec![json!(null), json!(1.5)]),
        (Form::Money, vec![json!(null), json!(0), json!(0.0)]),
        (
            Form::Ratio,
            vec![
                json!(null),
                json!(0.0),
                json!("0"),
                json!(0.00001),
                json!("NaN"),
            ],
        ),
    ];
    for (form, values) in nothing {
        for value in values {
            assert_eq!(form.canonical(&value), Value::Null, "{form:?} {value}");
        }
    }
    for form in [Form::Set, Form::List] {
        assert_eq!(form.canonical(&json!(null)), json!([]));
    }
}

#[test]
fn both_spellings_of_a_value_are_one() {
    let same = [
        (
            Form::Id,
            json!(1728545382536225u64),
            json!("1728545382536225"),
        ),
        (Form::NumberId, json!(7), json!("7")),
        (Form::Whole, json!(3.0), json!(3)),
        (Form::Money, json!(49.9), json!("49.90")),
        (Form::Ratio, json!(1.5), json!("1.50")),
        (Form::Set, json!(["b", "a", "b"]), json!(["a", "b"])),
        (Form::Set, json!([6252001, 6]), json!(["6", "6252001"])),
    ];
    for (form, one, other) in same {
        let canonical = form.canonical(&one);
        assert!(!canonical.is_null());
        assert_eq!(canonical, form.canonical(&other), "{form:?}");
    }
    assert_ne!(
        Form::List.canonical(&json!(["b", "a"])),
        Form::List.canonical(&json!(["a", "b"]))
    );
}

#[test]
fn the_wire_has_tiktoks_types() {
    for (form, canonical, wire) in [
        (Form::Money, json!(4990), json!(49.9)),
        (Form::Money, json!(5000), json!(50)),
        (Form::Ratio, json!("1.5"), json!(1.5)),
        (
            Form::NumberId,
            json!("7123456789012345678"),
            json!(7123456789012345678i64),
        ),
        (Form::Id, json!("7"), json!("7")),
    ] {
        assert_eq!(form.wire(&canonical), wire, "{form:?}");
    }
    assert_eq!(
        Form::Word("GENDER_UNLIMITED").nothing(),
        json!("GENDER_UNLIMITED")
    );
    assert_eq!(Form::Switch(true).nothing(), json!(true));
    assert_eq!(Form::Money.nothing(), Value::Null);
}

/// JSON of any shape, with the words and numbers that occur among TikTok's values.
fn anything() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(|number| json!(number)),
        (-1_000_000i64..1_000_000).prop_map(|cents| json!(cents as f64 / 100.0)),
        "[ -~]{0,12}".prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        "[0-9]{1,19}".prop_map(Value::from),
        prop::sample::select(vec![
            "UNSET",
            "",
            "0",
            "ON",
            "OFF",
            "VIDEO_RELATED",
            "HASHTAG_RELATED",
            "NORMAL",
            "NOT_DECLARED",
            "GENDER_UNLIMITED",
            "ALL",
            "CUSTOM",
            "49.90",
            "1.5",
        ])
        .prop_map(Value::from),
        "[01]{336}".prop_map(Value::from),
    ];
    let names = prop::sample::select(vec![
        "action_scene",
        "action_period",
        "video_user_actions",
        "action_category_ids",
        "key",
        "value",
        "text",
        "url",
        "ad_text",
        "call_to_action",
        "landing_page_url",
        "deeplink",
        "deeplink_type",
        "page_id",
        "card_id",
        "creative_info",
        "ad_format",
        "video_info",
        "video_id",
        "image_info",
        "web_uri",
        "music_info",
        "music_id",
        "tiktok_item_id",
        "identity_type",
        "identity_id",
        "identity_authorized_bc_id",
        "aigc_disclosure_type",
        "ad_material_id",
        "material_operation_status",
        "keyword",
        "match_type",
        "keyword_bid",
        "keyword_bid_type",
    ]);
    leaf.prop_recursive(4, 48, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(names.clone(), inner, 0..5)
                .prop_map(|entries| json!(entries)),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// What was read from a row and is sent again comes back as the same: nothing that went along is a change.
    #[test]
    fn r15_every_field_survives_the_wire(value in anything()) {
        for kind in Kind::ALL {
            for tree in Tree::ALL {
                for field in fields_of(kind, tree) {
                    let canonical = field.form.canonical(&value);
                    // What a row makes of several others is never sent.
                    if field.name != "creative_status" {
                        let again = field.form.canonical(&field.form.wire(&canonical));
                        prop_assert_eq!(&again, &canonical, "{} from {}", field.name, &value);
                    }
                    let taken_away = field.form.canonical(&field.form.nothing());
                    prop_assert_eq!(taken_away, field.form.canonical(&Value::Null), "{}", field.name);
                }
            }
        }
    }
}
