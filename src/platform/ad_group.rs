//! Ad groups on the wire (reference section 4 and 5.6).

use super::campaign::DISABLED;
use super::field::{Field, Form, Update};
use super::table::{Paths, Table};

pub(super) static MANUAL: Table = Table {
    paths: Paths {
        create: "/open_api/v1.3/adgroup/create/",
        update: "/open_api/v1.3/adgroup/update/",
        status: "/open_api/v1.3/adgroup/status/update/",
        list: "/open_api/v1.3/adgroup/get/",
    },
    fields: &[
        Field::new("promotion_type", Form::Text, Update::Never),
        Field::new("optimization_goal", Form::Text, Update::Never),
        Field::new("billing_event", Form::Text, Update::Never),
        Field::new("bid_type", Form::Text, Update::Whole),
        Field::new("bid_price", Form::Money, Update::Whole),
        Field::new("location_ids", Form::Set, Update::Whole),
    ],
    careful: &[DISABLED],
    ..NAMES
};

pub(super) static SMART_PLUS: Table = Table {
    paths: Paths {
        create: "/open_api/v1.3/smart_plus/adgroup/create/",
        update: "/open_api/v1.3/smart_plus/adgroup/update/",
        status: "/open_api/v1.3/smart_plus/adgroup/status/update/",
        list: "/open_api/v1.3/smart_plus/adgroup/get/",
    },
    fields: &[
        Field::new("promotion_type", Form::Text, Update::Never),
        Field::new("optimization_goal", Form::Text, Update::Never),
        Field::new("billing_event", Form::Text, Update::Never),
        Field::new("bid_type", Form::Text, Update::Never),
        Field::new("bid_price", Form::Money, Update::Alone),
        Field::new("location_ids", Form::Set, Update::Alone).within("targeting_spec"),
    ],
    careful: &[DISABLED],
    ..NAMES
};

/// The names on the wire are the same in both trees.
const NAMES: Table = Table {
    paths: Paths {
        create: "",
        update: "",
        status: "",
        list: "",
    },
    id: "adgroup_id",
    ids: "adgroup_ids",
    name: "adgroup_name",
    parent: Some(("campaign_id", "campaign_ids")),
    status_list: None,
    wrapped: None,
    request_id: true,
    batch: 1,
    fields: &[],
    careful: &[],
};
