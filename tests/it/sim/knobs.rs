//! Every unknown of the platform has both answers among the seeds.

use super::world::Faults;

/// What a seed makes of the platform.
pub struct Drawn {
    pub knobs: Vec<(String, String)>,
    /// Lists, look-ups or edits show late.
    pub lags: bool,
    /// TikTok refuses a key that it knows.
    pub keys_refused: bool,
}

fn word(rng: &mut fastrand::Rng, words: &[&'static str]) -> &'static str {
    words[rng.usize(0..words.len())]
}

pub fn draw(rng: &mut fastrand::Rng) -> Drawn {
    let mut knobs = Vec::new();
    let mut set = |name: &str, value: &str| knobs.push((name.to_string(), value.to_string()));
    let replay = word(rng, &["40050", "40002", "original"]);
    set("request_id_replay", replay);
    for (name, words) in ALWAYS {
        set(name, word(rng, words));
    }
    // A deleted row that shows neither its secondary status nor DELETE cannot be told from a paused one.
    if rng.bool() {
        set("secondary_status", "omitted");
        set("deleted_operation_status", "DELETE");
    } else {
        set(
            "deleted_operation_status",
            word(rng, &["DISABLE", "DELETE", "last"]),
        );
    }
    let lags = rng.u32(0..3) == 0;
    if lags {
        set("listing_lag_seconds", word(rng, &["0", "5", "15"]));
        set("lookup_lag_seconds", word(rng, &["0", "3", "8"]));
        set("edit_lag_seconds", word(rng, &["0", "3", "8"]));
    }
    if rng.u32(0..3) == 0 {
        set("ad_review_seconds", word(rng, &["20", "90", "400"]));
        for (name, words) in REVIEWS {
            set(name, word(rng, words));
        }
    }
    if rng.u32(0..4) == 0 {
        set("advertiser_qps", word(rng, &["1", "2", "5"]));
    }
    if rng.u32(0..4) == 0 {
        set("ad_create_rate", word(rng, &["1/2/1000", "1/10/1000"]));
    }
    if rng.u32(0..4) == 0 {
        set("smart_plus_ad_pace_seconds", "5");
    }
    Drawn {
        knobs,
        lags,
        keys_refused: replay != "original",
    }
}

/// How much goes wrong.
pub fn draw_faults(rng: &mut fastrand::Rng, keys_refused: bool) -> Faults {
    let level = rng.u32(0..4);
    Faults {
        platform: [0, 30, 120, 250][level as usize],
        cluster: [0, 10, 60, 120][level as usize],
        crash: [0, 6, 20, 45][rng.usize(0..4)],
        hold: [0, 20, 120, 300][rng.usize(0..4)],
        slow: [0, 20, 80][rng.usize(0..3)],
        very_late: keys_refused && rng.u32(0..4) == 0,
        events_hang: false,
    }
}

const ALWAYS: &[(&str, &[&str])] = &[
    ("request_id_of_deleted", &["as_replay", "create"]),
    ("request_id_scope", &["advertiser", "tree", "endpoint"]),
    ("request_id_after_refusal", &["free", "used"]),
    ("name_unique", &["on_create", "on_create_and_update", "off"]),
    ("ad_group_name_unique", &["campaign", "off"]),
    ("ad_name_unique", &["off", "ad_group"]),
    ("update_without_change", &["40012", "ok"]),
    ("status_without_change", &["ok", "40012"]),
    ("missing_campaign_code", &["40002", "40007", "40001"]),
    ("manual_status_bad_id", &["fail", "skip"]),
    ("smart_plus_status_bad_id", &["partial", "fail"]),
    ("smart_plus_partial_code", &["20001", "0"]),
    ("smart_plus_all_bad_code", &["20001", "40002"]),
    ("delete_deleted", &["refuse", "ok"]),
    ("deleted_by_id", &["hidden", "shown"]),
    ("manual_lists_smart_plus", &["true", "false"]),
    ("smart_plus_page_size_max", &["1000", "100"]),
    ("smart_plus_ad_page_size_max", &["1000", "100"]),
    ("creation_filter_bounds", &["inclusive", "exclusive"]),
    ("throttle_http_status", &["200", "429"]),
    ("adgroup_update", &["partial", "replace_targeting"]),
    ("smart_plus_targeting_update", &["replace", "merge"]),
    ("smart_plus_bids", &["copied", "copied_on_update", "own"]),
    ("smart_plus_creatives_update", &["keep", "new"]),
    ("smart_plus_creative_id", &["shown", "omitted"]),
    ("smart_plus_creative_row_status", &["creative", "ad"]),
    ("smart_plus_ad_modify_time", &["shown", "omitted"]),
    ("ad_automation_type", &["shown", "omitted"]),
    (
        "ad_batch",
        &["whole", "part_refused", "part_answered", "part_silent"],
    ),
];

const REVIEWS: &[(&str, &[&str])] = &[
    ("enable_in_review", &["accept", "refuse"]),
    ("ad_review_of_disabled", &["reviewed", "when_enabled"]),
    ("review_precedence", &["disable_first", "review_first"]),
    (
        "smart_plus_reaudit",
        &["AD_STATUS_REAUDIT", "AD_STATUS_DELIVERY_AND_REAUDIT"],
    ),
    (
        "review_info_in_review",
        &["omitted", "UNAVAILABLE", "ALL_AVAILABLE"],
    ),
    ("review_info_unknown_id", &["refuse", "omit"]),
    ("ad_group_reaudit", &["none", "reaudit", "shadow"]),
];
