//! Campaigns on the wire (reference section 3 and 5.6).

use serde_json::json;

use super::field::{Field, Fields, Form, Update};
use super::table::{Careful, Paths, Replaces, Table};

pub(super) static MANUAL: Table = Table {
    paths: Paths {
        create: "/open_api/v1.3/campaign/create/",
        update: "/open_api/v1.3/campaign/update/",
        status: "/open_api/v1.3/campaign/status/update/",
        list: "/open_api/v1.3/campaign/get/",
    },
    fields: &[
        Field::new("objective_type", Form::Text, Update::Never),
        Field::new("budget_optimize_on", Form::Flag, Update::Never),
        Field::new("campaign_type", Form::Text, Update::Never),
        Field::new("app_promotion_type", Form::Text, Update::Never),
        Field::new("app_id", Form::Id, Update::Never),
        // TikTok lets it be emptied, not switched on or changed.
        Field::new("special_industries", Form::Set, Update::Alone),
        Field::new("sales_destination", Form::Text, Update::Never),
        Field::new("catalog_enabled", Form::Flag, Update::Never),
        Field::new("po_number", Form::Text, Update::Alone),
        // TikTok fixes the window of a dedicated campaign that is created disabled at this, or at mode 1 when unsaid.
        Field::new("postback_window_mode", Form::Text, Update::Never),
        Field::new("is_advanced_dedicated_campaign", Form::Flag, Update::Never),
        // With budget optimisation the campaign has these of its first ad group.
        Field::new("bid_type", Form::Text, Update::Never),
        Field::new("optimization_goal", Form::Text, Update::Never),
    ],
    careful: &[
        DISABLED,
        BUDGET_OPTIMIZATION,
        // False in this tree when it is not sent.
        Careful::new("is_advanced_dedicated_campaign", |_| None),
        BUDGET_RAISES,
        // Bids of an outside system: off when not sent.
        Careful::new("rta_bid_enabled", |_| None),
        Careful::new("rta_product_selection_enabled", |_| None),
        // Shows the app's page in the app: off when not sent.
        Careful::new("campaign_app_profile_page_state", |_| None),
        Careful::new("is_promotional_campaign", |_| None),
        // Moves delivery to search: off when not sent.
        Careful::new("is_search_campaign", |_| None),
    ],
    ..NAMES
};

pub(super) static SMART_PLUS: Table = Table {
    paths: Paths {
        create: "/open_api/v1.3/smart_plus/campaign/create/",
        update: "/open_api/v1.3/smart_plus/campaign/update/",
        status: "/open_api/v1.3/smart_plus/campaign/status/update/",
        list: "/open_api/v1.3/smart_plus/campaign/get/",
    },
    fields: &[
        Field::new("objective_type", Form::Text, Update::Never),
        Field::new("budget_optimize_on", Form::Flag, Update::Never),
        Field::new("campaign_type", Form::Text, Update::Never),
        Field::new("app_promotion_type", Form::Text, Update::Never),
        Field::new("app_id", Form::Id, Update::Never),
        Field::new("special_industries", Form::Set, Update::Never),
        Field::new("sales_destination", Form::Text, Update::Never),
        Field::new("catalog_enabled", Form::Flag, Update::Never),
        Field::new("catalog_type", Form::Text, Update::Never),
        Field::new("po_number", Form::Text, Update::Alone),
        Field::new("postback_window_mode", Form::Text, Update::Never),
        Field::new("is_advanced_dedicated_campaign", Form::Flag, Update::Never),
        Field::new("bid_type", Form::Text, Update::Never),
        Field::new("optimization_goal", Form::Text, Update::Never),
    ],
    careful: &[
        DISABLED,
        BUDGET_OPTIMIZATION,
        // The default is true in the Smart+ tree; it cannot be changed later and is something a user has to ask for.
        // TikTok takes it for iOS 14 dedicated campaigns only.
        Careful::new("is_advanced_dedicated_campaign", |fields| {
            is_ios14(fields).then_some(json!(false))
        }),
        BUDGET_RAISES,
        Careful::new("rta_bid_enabled", |_| None),
        Careful::new("rta_product_selection_enabled", |_| None),
        Careful::new("campaign_app_profile_page_state", |_| None),
        Careful::new("is_promotional_campaign", |_| None),
        Careful::new("is_search_campaign", |_| None),
    ],
    ..NAMES
};

/// TikTok's default is ENABLE everywhere: leaving it out starts spending.
pub(super) const DISABLED: Careful = Careful::new("operation_status", |_| Some(json!("DISABLE")));

/// The default is false in the manual tree and true in the Smart+ tree, and it cannot be changed later.
const BUDGET_OPTIMIZATION: Careful = Careful::new("budget_optimize_on", |_| Some(json!(false)));

/// Raises the budget by 20 % up to ten times a day. A create takes AUTO_BUDGET_INCREASE and nothing else; TikTok's
/// text: "To disable the setting: Not specified".
const BUDGET_RAISES: Careful = Careful::new("budget_auto_adjust_strategy", |_| None);

/// The names on the wire are the same in both trees.
const NAMES: Table = Table {
    paths: Paths {
        create: "",
        update: "",
        status: "",
        list: "",
    },
    id: "campaign_id",
    ids: "campaign_ids",
    name: "campaign_name",
    parent: None,
    status_list: Some("campaign_list"),
    wrapped: None,
    request_id: true,
    batch: 1,
    replaces: Replaces::Objects,
    fields: &[],
    careful: &[],
};

fn is_ios14(fields: &Fields) -> bool {
    fields.get("campaign_type") == Some(&json!("IOS14_CAMPAIGN"))
}
