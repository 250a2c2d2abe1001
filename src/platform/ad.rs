//! Ads on the wire (reference section 5). No create of theirs takes a `request_id`.

use super::campaign::DISABLED;
use super::field::{Field, Form, Update};
use super::table::{Paths, Table};

pub(super) static MANUAL: Table = Table {
    paths: Paths {
        create: "/open_api/v1.3/ad/create/",
        update: "/open_api/v1.3/ad/update/",
        status: "/open_api/v1.3/ad/status/update/",
        list: "/open_api/v1.3/ad/get/",
    },
    id: "ad_id",
    ids: "ad_ids",
    name: "ad_name",
    parent: Some(("adgroup_id", "adgroup_ids")),
    status_list: None,
    wrapped: Some("creatives"),
    request_id: false,
    batch: 20,
    fields: &[
        Field::new("ad_format", Form::Text, Update::Never),
        Field::new("identity_type", Form::Text, Update::Alone),
        Field::new("identity_id", Form::Text, Update::Alone),
        Field::new("video_id", Form::Text, Update::Alone),
        Field::new("image_ids", Form::List, Update::Alone),
        Field::new("ad_text", Form::Text, Update::Alone),
        Field::new("call_to_action", Form::Text, Update::Whole),
        Field::new("landing_page_url", Form::Text, Update::Whole),
        Field::new("is_aco", Form::Flag, Update::Never),
    ],
    careful: &[DISABLED],
};

pub(super) static SMART_PLUS: Table = Table {
    paths: Paths {
        create: "/open_api/v1.3/smart_plus/ad/create/",
        update: "/open_api/v1.3/smart_plus/ad/update/",
        status: "/open_api/v1.3/smart_plus/ad/status/update/",
        list: "/open_api/v1.3/smart_plus/ad/get/",
    },
    id: "smart_plus_ad_id",
    ids: "smart_plus_ad_ids",
    name: "ad_name",
    parent: Some(("adgroup_id", "adgroup_ids")),
    status_list: None,
    wrapped: None,
    request_id: false,
    batch: 1,
    fields: &[],
    careful: &[DISABLED],
};
