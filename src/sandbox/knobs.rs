//! Knobs: where the truth about TikTok is unknown, or differs between accounts, the sandbox can behave either way.
//!
//! A knob has one value for the whole sandbox and may have another for one advertiser. Values are text; [`KNOBS`] says
//! which are allowed. `docs/sandbox.md` shows the same table, and a test keeps the two equal.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::time;

/// Which values a knob takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// `true` or `false`.
    Flag,
    /// A whole number ≥ 0; the unit is in the knob's name.
    Whole,
    /// A whole number ≥ 0 of seconds, or `forever`.
    SecondsOrForever,
    /// A UTC day `YYYY-MM-DD`, or `never`.
    DayOrNever,
    /// Anything, up to 500 bytes; may be empty.
    Text,
    /// `tier`, `off`, or `QPS/QPM/QPD` as three whole numbers.
    Rate,
}

impl Kind {
    /// The allowed values, as the table in the documentation words them.
    pub fn describe(self) -> String {
        match self {
            Self::OneOf(words) => words.join(", "),
            Self::Flag => "true, false".into(),
            Self::Whole => "a whole number".into(),
            Self::SecondsOrForever => "seconds, or forever".into(),
            Self::DayOrNever => "YYYY-MM-DD, or never".into(),
            Self::Text => "text".into(),
            Self::Rate => "tier, off, or QPS/QPM/QPD".into(),
        }
    }

    fn allows(self, value: &str) -> bool {
        let whole = |text: &str| {
            text.bytes().all(|byte| byte.is_ascii_digit()) && text.parse::<u32>().is_ok()
        };
        match self {
            Self::OneOf(words) => words.contains(&value),
            Self::Flag => matches!(value, "true" | "false"),
            Self::Whole => whole(value),
            Self::SecondsOrForever => value == "forever" || whole(value),
            Self::DayOrNever => {
                value == "never" || (value.len() == 10 && time::parse(value).is_some())
            }
            Self::Text => value.len() <= 500,
            Self::Rate => {
                matches!(value, "tier" | "off")
                    || (value.split('/').count() == 3
                        && value.split('/').all(|part| whole(part) && part != "0"))
            }
        }
    }
}

/// One knob.
#[derive(Debug, PartialEq, Eq)]
pub struct Knob {
    /// What `--knob` and the control interface call it.
    pub name: &'static str,
    /// Which values it takes.
    pub kind: Kind,
    /// The value when nobody sets it.
    pub default: &'static str,
    /// What it models, for the reader of the documentation.
    pub models: &'static str,
}

macro_rules! knobs {
    ($($ident:ident $name:literal $kind:expr, $default:literal, $models:literal;)*) => {
        $(#[doc = $models] pub static $ident: Knob = Knob { name: $name, kind: $kind, default: $default, models: $models };)*
        /// All knobs, in the order of the documentation.
        pub static KNOBS: &[&Knob] = &[$(&$ident),*];
    };
}

use Kind::{DayOrNever, Flag, OneOf, Rate, SecondsOrForever, Text, Whole};

knobs! {
    REQUEST_ID_REPLAY "request_id_replay" OneOf(&["40050", "40002", "original"]), "40050",
        "A second create with the same request_id: refused as a duplicate request, refused as a parameter error, or answered with the first one's campaign.";
    REQUEST_ID_OF_DELETED "request_id_of_deleted" OneOf(&["as_replay", "create"]), "as_replay",
        "A create whose request_id belongs to a campaign that was deleted since: like any replay, or a new campaign.";
    REQUEST_ID_LIFETIME "request_id_lifetime_seconds" SecondsOrForever, "forever",
        "How long a request_id is remembered.";
    REQUEST_ID_SCOPE "request_id_scope" OneOf(&["advertiser", "tree", "endpoint"]), "advertiser",
        "Where a request_id is unique: in the advertiser, in each of its two trees, or for each create endpoint.";
    REQUEST_ID_AFTER_REFUSAL "request_id_after_refusal" OneOf(&["free", "used"]), "free",
        "Whether a refused create uses its request_id up.";
    REQUEST_ID_DUPLICATE_NAMES "request_id_duplicate_names" Flag, "true",
        "Whether a create with a request_id may take a name that exists.";
    NAME_UNIQUE "name_unique" OneOf(&["on_create", "on_create_and_update", "off"]), "on_create_and_update",
        "Where an existing name is refused.";
    NAME_SCOPE "name_scope" OneOf(&["advertiser", "tree"]), "advertiser",
        "Where a campaign name is unique: in the advertiser, or in each of its two trees.";
    NAME_OF_DELETED "name_of_deleted" OneOf(&["free", "taken"]), "free",
        "Whether the name of a deleted campaign can be used again.";
    NAME_MATCH "name_match" OneOf(&["exact", "ignoring_case"]), "exact",
        "When two names count as the same.";
    AD_GROUP_NAME_UNIQUE "ad_group_name_unique" OneOf(&["campaign", "advertiser", "off"]), "campaign",
        "Where an existing ad group name is refused; name_unique says in which calls.";
    AD_NAME_UNIQUE "ad_name_unique" OneOf(&["off", "ad_group", "advertiser"]), "off",
        "Where an existing ad name is refused; name_unique says in which calls.";
    FUZZY_NAME_MATCH "fuzzy_name_match" OneOf(&["contains_ignoring_case", "contains", "starts_with"]), "contains_ignoring_case",
        "What the fuzzy filters campaign_name, adgroup_name and ad_name match.";
    BUDGET_BELOW_SPEND "budget_below_spend" OneOf(&["refuse", "ignore"]), "refuse",
        "A budget under 105 % of what is spent: refused, or answered with success and not applied.";
    BUDGET_EXTRA_DECIMALS "budget_extra_decimals" OneOf(&["refuse", "round"]), "refuse",
        "A budget with more decimals than the currency has.";
    BUDGET_FLOOR "budget_floor" Text, "",
        "The lowest campaign budget in the account's currency; empty: the table of currencies.";
    AD_GROUP_BUDGET_FLOOR "ad_group_budget_floor" Text, "",
        "The lowest daily ad group budget in the account's currency; empty: the table of currencies.";
    BUDGET_EDIT_LOCK "budget_edit_lock" Flag, "false",
        "Whether budget changes are refused from 23:55 to 24:00 account time.";
    ADGROUP_UPDATE "adgroup_update" OneOf(&["partial", "replace_targeting"]), "partial",
        "What /adgroup/update/ does with targeting that it does not name: keep it, or reset it.";
    SCHEDULE_ZONE "schedule_zone" OneOf(&["utc", "account", "account_shown_in_utc"]), "utc",
        "The clock that schedules of ad groups are written in: UTC, the account's, or the account's while reads show UTC.";
    SCHEDULE_START_PAST "schedule_start_past_seconds" Whole, "43200",
        "How far in the past a schedule may start.";
    REACH_FREQUENCY "reach_frequency" OneOf(&["optional", "required"]), "optional",
        "Whether ad groups with objective REACH need frequency and frequency_schedule.";
    SAVED_AUDIENCE_FIELDS "saved_audience_fields" Text, "age_groups,gender",
        "What a saved audience holds, comma-separated: these fields cannot be sent beside saved_audience_id.";
    DEVICE_PRICE_UPPER_BOUND "device_price_upper_bound" OneOf(&["raised", "as_sent"]), "raised",
        "The upper bound of device_price_ranges that reads show: 50 more than was sent, or what was sent.";
    AD_GROUP_QUOTA "ad_group_quota" Whole, "5000",
        "How many ad groups an account can have; those beyond are made and paused for good. 5000 is the fixed quota, of which /adgroup/quota/ shows nothing as used.";
    IMMUTABLE_FIELDS "immutable_fields" OneOf(&["refuse", "ignore"]), "refuse",
        "A campaign update that names a field which cannot be changed.";
    UNKNOWN_FIELDS "unknown_fields" OneOf(&["ignore", "refuse"]), "ignore",
        "A field in a body that the endpoint does not know.";
    UNKNOWN_FILTERS "unknown_filters" OneOf(&["refuse", "ignore"]), "refuse",
        "A condition in filtering that the endpoint does not know.";
    NUMERIC_IDS "numeric_ids" OneOf(&["refuse", "accept"]), "refuse",
        "An id in a body or filter as a JSON number.";
    UPDATE_WITHOUT_CHANGE "update_without_change" OneOf(&["40012", "ok"]), "40012",
        "An update that sends only what the campaign already has.";
    STATUS_WITHOUT_CHANGE "status_without_change" OneOf(&["ok", "40012"]), "ok",
        "A status call that sets the status the campaigns already have.";
    MISSING_CAMPAIGN_CODE "missing_campaign_code" OneOf(&["40002", "40007", "40001"]), "40002",
        "The code for a campaign id that the advertiser does not have.";
    TOO_MANY_IDS_CODE "too_many_ids_code" OneOf(&["40011", "40061", "40002"]), "40011",
        "The code for more ids than a call takes (20 in a status call, 100 in a filter).";
    MANUAL_STATUS_BAD_ID "manual_status_bad_id" OneOf(&["fail", "skip"]), "fail",
        "One bad id in a manual status call: nothing happens and the call is refused, or the others are done and only they are listed.";
    SMART_PLUS_STATUS_BAD_ID "smart_plus_status_bad_id" OneOf(&["partial", "fail"]), "partial",
        "One bad id in a Smart+ status call: the others are done and error_list names it, or nothing happens.";
    SMART_PLUS_PARTIAL_CODE "smart_plus_partial_code" OneOf(&["20001", "0"]), "20001",
        "The code of a Smart+ status answer with an error_list.";
    SMART_PLUS_ALL_BAD_CODE "smart_plus_all_bad_code" OneOf(&["20001", "40002"]), "20001",
        "The code of a Smart+ status answer when every id is bad.";
    DELETE_DELETED "delete_deleted" OneOf(&["refuse", "ok"]), "refuse",
        "Deleting a deleted campaign again.";
    DELETED_BY_ID "deleted_by_id" OneOf(&["hidden", "shown"]), "hidden",
        "Whether a list with campaign_ids and without a status filter shows deleted campaigns.";
    DELETED_OPERATION_STATUS "deleted_operation_status" OneOf(&["DISABLE", "DELETE", "last"]), "DISABLE",
        "The operation_status of a deleted campaign.";
    MANUAL_ENDPOINTS_ON_SMART_PLUS "manual_endpoints_on_smart_plus" OneOf(&["refuse", "accept"]), "refuse",
        "A manual update or status call for a Smart+ campaign.";
    SMART_PLUS_ENDPOINTS_ON_MANUAL "smart_plus_endpoints_on_manual" OneOf(&["refuse", "accept"]), "refuse",
        "A Smart+ update or status call for a manual campaign.";
    MANUAL_LISTS_SMART_PLUS "manual_lists_smart_plus" Flag, "true",
        "Whether /campaign/get/ also returns Smart+ campaigns.";
    SMART_PLUS_PAGE_SIZE_MAX "smart_plus_page_size_max" OneOf(&["1000", "100"]), "1000",
        "The largest page of /smart_plus/campaign/get/ and /smart_plus/adgroup/get/.";
    SMART_PLUS_AD_PAGE_SIZE_MAX "smart_plus_ad_page_size_max" OneOf(&["100", "1000"]), "100",
        "The largest page of /smart_plus/ad/get/.";
    SMART_PLUS_CREATIVES_MAX "smart_plus_creatives_max" OneOf(&["50", "31"]), "50",
        "How many creatives a Smart+ ad can have: what the documentation says, or TikTok's own client.";
    SMART_PLUS_CREATIVES_UPDATE "smart_plus_creatives_update" OneOf(&["keep", "new"]), "keep",
        "What becomes of a creative that an update sends again: it keeps its ids and whether it is on, or all get new ids and are on.";
    SMART_PLUS_CREATIVE_ID "smart_plus_creative_id" OneOf(&["shown", "omitted"]), "shown",
        "Whether creative_list says smart_plus_creative_id, the ad_id of a creative in /ad/get/ (since August 2026).";
    SMART_PLUS_CREATIVE_ROW_STATUS "smart_plus_creative_row_status" OneOf(&["creative", "ad"]), "creative",
        "The operation_status of a creative's row in /ad/get/: off if the creative or the ad is off, or the ad's alone.";
    SMART_PLUS_AD_MODIFY_TIME "smart_plus_ad_modify_time" OneOf(&["shown", "omitted"]), "shown",
        "Whether Smart+ ads have a modify_time.";
    SMART_PLUS_AD_PACE "smart_plus_ad_pace_seconds" Whole, "0",
        "How long after a create, update or status call the same Smart+ ad refuses the next one with 40202; TikTok is said to want 5.";
    SMART_PLUS_CALL_TO_ACTION "smart_plus_call_to_action" OneOf(&["documented", "either"]), "documented",
        "Whether Smart+ ads that show a TikTok account's post on TikTok, and lead ads on TikTok, need call_to_action_id and refuse call_to_action_list.";
    AD_AUTOMATION_TYPE "ad_automation_type" OneOf(&["omitted", "shown"]), "omitted",
        "Whether the rows of /ad/get/ say campaign_automation_type.";
    TOO_MANY_ADS_CODE "too_many_ads_code" OneOf(&["40502", "40002"]), "40502",
        "The code when a Smart+ ad group has its 30 ads.";
    DARK_POST_DEFAULT "dark_post_default" OneOf(&["OFF", "ON"]), "OFF",
        "The dark_post_status of a Smart+ ad with pushed posts that does not say it: OFF shows them on the profile.";
    CREATIVE_AUTO_ADD_DEFAULT "creative_auto_add_default" Flag, "false",
        "The creative_auto_add_toggle of a Smart+ ad that does not say it: TikTok adds creatives of its own making.";
    SMART_PLUS_BIDS "smart_plus_bids" OneOf(&["copied", "copied_on_update", "own"]), "copied",
        "Whether the bid of a Smart+ ad group is copied to all others of its campaign: by creates and updates, by updates alone, or not at all.";
    SMART_PLUS_TARGETING_UPDATE "smart_plus_targeting_update" OneOf(&["replace", "merge"]), "replace",
        "targeting_spec in a Smart+ ad group update: the whole of the new targeting, or changes to it.";
    SMART_PLUS_INFINITE "smart_plus_infinite" OneOf(&["refuse", "accept"]), "refuse",
        "A Smart+ create that says BUDGET_MODE_INFINITE itself instead of leaving budget_mode out.";
    SMART_PLUS_SALES_DESTINATION "smart_plus_sales_destination" OneOf(&["optional", "required"]), "optional",
        "Whether a Smart+ create with WEB_CONVERSIONS needs sales_destination.";
    UPGRADED_IS_SMART_PERFORMANCE "upgraded_is_smart_performance" Flag, "false",
        "What is_smart_performance_campaign says of an Upgraded Smart+ campaign in /campaign/get/.";
    AUTO_BUDGET_INCREASE_DEFAULT "auto_budget_increase_default" OneOf(&["UNSET", "AUTO_BUDGET_INCREASE"]), "UNSET",
        "The budget_auto_adjust_strategy of a Smart+ campaign whose create does not say it.";
    CREATION_FILTER_BOUNDS "creation_filter_bounds" OneOf(&["inclusive", "exclusive"]), "inclusive",
        "Whether the creation time filters include their own second.";
    LISTING_LAG "listing_lag_seconds" Whole, "0",
        "How long a new campaign is missing from unfiltered lists and name look-ups.";
    LOOKUP_LAG "lookup_lag_seconds" Whole, "0",
        "How long a new campaign is missing from look-ups by campaign_ids.";
    EDIT_LAG "edit_lag_seconds" Whole, "0",
        "How long lists and look-ups show a campaign as it was before an edit.";
    SECONDARY_STATUS_LAG "secondary_status_lag_seconds" Whole, "0",
        "How long secondary_status follows behind operation_status.";
    SECONDARY_STATUS "secondary_status" OneOf(&["shown", "omitted"]), "shown",
        "Whether campaigns have a secondary_status (TikTok's own sandbox has none).";
    STATUS_PRECEDENCE "status_precedence" OneOf(&["account_first", "disable_first"]), "account_first",
        "Which secondary_status a disabled campaign of a suspended or unaudited account shows.";
    ENABLE_IN_REVIEW "enable_in_review" OneOf(&["accept", "refuse"]), "accept",
        "Enabling something while it, or its account, is in review.";
    AD_REVIEW "ad_review_seconds" SecondsOrForever, "0",
        "How long the review of a new or edited ad takes; forever: until it is approved through the control interface.";
    AD_REVIEW_OF_DISABLED "ad_review_of_disabled" OneOf(&["reviewed", "when_enabled"]), "reviewed",
        "Whether an ad that is switched off is reviewed, or only from the time it is switched on.";
    REVIEW_PRECEDENCE "review_precedence" OneOf(&["disable_first", "review_first"]), "disable_first",
        "Which secondary_status an ad shows that is switched off, itself or with its parents, and in review or rejected.";
    REVIEW_REJECTS "review_rejects" Text, "",
        "Which ads a review rejects: those whose fields contain this text, * for all, empty for none.";
    SMART_PLUS_REAUDIT "smart_plus_reaudit" OneOf(&["AD_STATUS_REAUDIT", "AD_STATUS_DELIVERY_AND_REAUDIT"]), "AD_STATUS_REAUDIT",
        "The secondary_status of an edited Smart+ ad in review: it waits, or it runs as it was before.";
    SMART_PLUS_PARTLY_REJECTED "smart_plus_partly_rejected" OneOf(&["AD_STATUS_REVIEW_PARTIALLY_APPROVED", "AD_STATUS_PARTIAL_AUDIT_DELIVERY_OK", "AD_STATUS_DELIVERY_OK"]), "AD_STATUS_REVIEW_PARTIALLY_APPROVED",
        "The secondary_status of a running Smart+ ad of which some creatives were rejected.";
    REVIEW_INFO_IN_REVIEW "review_info_in_review" OneOf(&["omitted", "UNAVAILABLE", "ALL_AVAILABLE"]), "omitted",
        "What review_info says of something that nobody has looked at: nothing, or this review_status.";
    REVIEW_INFO_UNKNOWN_ID "review_info_unknown_id" OneOf(&["refuse", "omit"]), "refuse",
        "A review_info call with an id that the advertiser does not have: refused, or answered without it.";
    AD_GROUP_REAUDIT "ad_group_reaudit" OneOf(&["none", "reaudit", "shadow"]), "none",
        "What an update of an ad group's targeting does where reviews take time: nothing, or a review without or with delivery.";
    AD_BATCH "ad_batch" OneOf(&["whole", "part_refused", "part_answered", "part_silent"]), "whole",
        "One bad creative in /ad/create/ or /ad/update/: nothing happens; or the others are done and the call is refused, is answered with 20001, or is answered with 0, both with the others alone.";
    CUSTOM_IDENTITY "custom_identity" OneOf(&["by_account", "accept", "refuse"]), "by_account",
        "New ads with identity_type CUSTOMIZED_USER on TikTok: as the account's can_use_custom_identity says, accepted, or refused.";
    LIMITED_ACCOUNT_WRITES "limited_account_writes" OneOf(&["accept", "refuse"]), "accept",
        "Creates, updates and enables on an account whose status is not STATUS_ENABLE or in review.";
    NOT_GRANTED_CODE "not_granted_code" OneOf(&["40001", "40106"]), "40001",
        "The code when the token does not cover the advertiser.";
    MANUAL_CUTOFF "manual_cutoff" DayOrNever, "2027-01-01",
        "The day from which /campaign/create/, /adgroup/create/ and /ad/create/ refuse PRODUCT_SALES, WEB_CONVERSIONS, APP_PROMOTION and LEAD_GENERATION.";
    MANUAL_CUTOFF_TEXT "manual_cutoff_text" Text, "Campaigns with this objective_type can no longer be created with /campaign/create/. Please use /smart_plus/campaign/create/ to create an Upgraded Smart+ Campaign.",
        "The text of that refusal.";
    MANUAL_CUTOFF_CODE "manual_cutoff_code" OneOf(&["40002", "40118", "41001"]), "40002",
        "The code of that refusal.";
    ALLOWLIST "allowlist" Text, "AUTO_BUDGET_INCREASE,DISABLE_SKAN,RTA",
        "What the advertiser is allow-listed for, comma-separated: RF_REACH, DYNAMIC_DAILY (for REACH, VIDEO_VIEWS, ENGAGEMENT), AUTO_BUDGET_INCREASE, DISABLE_SKAN, RTA, SEARCH, PROMOTIONAL, GLOBAL_APP_BUNDLE. Anything else of these is refused with 40118; the placement PLACEMENT_GLOBAL_APP_BUNDLE goes away in silence.";
    POSTBACK_ON_REGULAR "postback_on_regular" OneOf(&["refuse", "ignore"]), "refuse",
        "postback_window_mode in a status call that names a campaign which is not dedicated.";
    SKAN4 "skan4" Flag, "true",
        "Whether the promoted apps have SKAN 4.0; without it postback_window_mode is an error.";
    DEDICATED_CREATED_DISABLED "dedicated_created_disabled" OneOf(&["mode1", "unset"]), "mode1",
        "The postback_window_mode of a dedicated campaign that is created disabled without one: fixed at mode 1, or still open.";
    DEDICATED_QUOTA "dedicated_quota" Whole, "11",
        "How many dedicated (iOS 14) campaigns an app_id can have at once.";
    DEDICATED_REENABLE "dedicated_reenable" OneOf(&["accept", "refuse"]), "accept",
        "Enabling a dedicated campaign that was on and was paused.";
    RATE "rate" Rate, "tier",
        "The app's limits: those of its tier, none, or these numbers.";
    RATE_SCOPE "rate_scope" OneOf(&["app", "app_and_path"]), "app",
        "What the app's limits count.";
    AD_CREATE_RATE "ad_create_rate" Rate, "tier",
        "The further limits of /ad/create/: those of the app's tier (unless rate says otherwise than tier), none, or these numbers.";
    ADVERTISER_QPS "advertiser_qps" Whole, "0",
        "Calls per second, advertiser and path before 40133; 0: no such limit.";
    THROTTLE_CODE "throttle_code" OneOf(&["40100", "40016", "61000"]), "40100",
        "The code when the app's limits are reached.";
    THROTTLE_TEXT "throttle_text" OneOf(&["names_the_limit", "silent"]), "names_the_limit",
        "Whether the text of that refusal says which limit (QPS, QPM, QPD) was reached.";
    THROTTLE_HTTP_STATUS "throttle_http_status" OneOf(&["200", "429"]), "200",
        "The HTTP status of a throttled answer.";
    THROTTLE_RETRY_AFTER "throttle_retry_after" Flag, "false",
        "Whether a throttled answer carries Retry-After.";
    TOKEN_PROFILE "token_profile" OneOf(&["long_lived", "long_lived_zero", "expiry", "expiry_refresh"]), "long_lived",
        "What the exchange issues: no expiry said, an expiry of 0, an expiry, or an expiry with a refresh token.";
    TOKEN_LIFETIME "token_lifetime_seconds" Whole, "86400",
        "How long a token with an expiry lives.";
    TOKEN_EXPIRY_FIELD "token_expiry_field" OneOf(&["expires_in", "access_token_expire_in", "both"]), "expires_in",
        "What the exchange and the refresh call the expiry.";
    REFRESH_ENDPOINT "refresh_endpoint" OneOf(&["present", "absent"]), "present",
        "Whether /oauth2/refresh_token/ exists.";
    REFRESH_TOKEN_USE "refresh_token_use" OneOf(&["rotating", "reusable"]), "rotating",
        "Whether each refresh changes the refresh token, or it can be used again and again.";
    REFRESH_REPLAY "refresh_replay" OneOf(&["refused", "revokes_grant"]), "refused",
        "A rotating refresh token used a second time: refused with 40107, and perhaps all that the user granted the app is revoked.";
    REFRESH_LIFETIME "refresh_lifetime_seconds" SecondsOrForever, "31536000",
        "How long a refresh token lives.";
    REFRESH_EXPIRY_FIELD "refresh_expiry_field" OneOf(&["refresh_token_expires_in", "refresh_token_expire_in", "omitted"]), "refresh_token_expires_in",
        "What answers call the refresh token's expiry.";
    REFRESH_GRANT_TYPE "refresh_grant_type" OneOf(&["optional", "required"]), "optional",
        "Whether a refresh has to say grant_type; a wrong one is 40108 in any case.";
    ACCESS_TOKEN_AFTER_REFRESH "access_token_after_refresh" OneOf(&["kept", "revoked_on_refresh"]), "kept",
        "What becomes of the old access token at a refresh: it lives until its own expiry, or is revoked at once.";
    REVOKE_SCOPE "revoke_scope" OneOf(&["grant", "token"]), "grant",
        "What /oauth2/revoke_token/ takes back: all tokens of the app and the user who granted this one, or this token alone.";
    SCOPE_CHECK "scope_check" OneOf(&["documented", "off"]), "documented",
        "Whether a call needs the permission that TikTok's table of scopes names for it.";
    SCOPE_MISSING_CODE "scope_missing_code" OneOf(&["40001", "40130"]), "40001",
        "The code when the token lacks that permission.";
    REDIRECT_CODE "redirect_code" OneOf(&["auth_code", "both", "code"]), "auth_code",
        "What the redirect after an approval calls the code: auth_code, code, or both with the same value.";
    DENIAL "denial" OneOf(&["redirect", "page"]), "redirect",
        "What follows when the user denies: a redirect with error=access_denied, or a page that says so and no redirect.";
    SUBSCRIPTION_LIMIT "subscription_limit" Whole, "0",
        "How many subscriptions an app can have; 0: any number.";
    SUBSCRIPTION_DUPLICATES "subscription_duplicates" OneOf(&["kept", "refused", "same"]), "kept",
        "A second subscription with the same object and callback_url: a second row that delivers too, a refusal, or the first one's id.";
    MISSING_SUBSCRIPTION_CODE "missing_subscription_code" OneOf(&["40002", "40007", "0"]), "40002",
        "The code when an unknown subscription is unsubscribed.";
    SUBSCRIPTION_ROW_TOKEN "subscription_row_token" OneOf(&["shown", "omitted"]), "shown",
        "Whether the rows of /subscription/get/ show the access token they were made with.";
    SUBSCRIPTION_TOKEN "subscription_token" OneOf(&["dies_when_revoked", "dies_when_expired"]), "dies_when_revoked",
        "When the events of a subscription silently stop: when its token is revoked, or also when it expires.";
    SUSPENSION_EVENTS "suspension_events" OneOf(&["limit_and_enable", "every_status"]), "limit_and_enable",
        "Which changes of an account's status are events: suspended and back, or all.";
    APPROVAL_EVENTS "approval_events" OneOf(&["empty_reason", "no_reason", "silent"]), "empty_reason",
        "A review that finds nothing: an event with an empty reject_reason, without the field, or none.";
    WEBHOOK_IDS "webhook_ids" OneOf(&["adv_id", "all", "none"]), "adv_id",
        "Which ids of ad group and ad events are JSON numbers: adv_id alone, all, or none.";
    WEBHOOK_SIGNATURE "webhook_signature" OneOf(&["escaped", "raw", "unsigned", "tiktok"]), "escaped",
        "How deliveries are signed: X-Open-Signature over the body with every non-ASCII character as \\uXXXX, over the body as it is sent, not at all, or TikTok-Signature with t and s.";
    WEBHOOK_COPIES "webhook_copies" Whole, "1",
        "How often each event is delivered: 0 loses it, 2 delivers it twice. At most 10.";
    WEBHOOK_ORDER "webhook_order" OneOf(&["in_order", "reversed", "shuffled"]), "in_order",
        "The order of deliveries that are due together; shuffled ones also wait only a part of webhook_delay_seconds each.";
    WEBHOOK_DELAY "webhook_delay_seconds" Whole, "0",
        "How long a delivery waits before it is first sent.";
    WEBHOOK_BATCH "webhook_batch_seconds" Whole, "0",
        "How long ad group or ad events for one callback_url are gathered into one body; 0: each has its own.";
    WEBHOOK_BATCH_MAX "webhook_batch_max" Whole, "1000",
        "Most entries in one body.";
    WEBHOOK_HOLD "webhook_hold" Flag, "false",
        "Whether deliveries are held back; set to false again, they are all due.";
}

/// Why a knob could not be set.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KnobError {
    /// There is no knob of that name.
    #[error("there is no knob {0:?}; docs/sandbox.md and GET /sandbox/knobs list them")]
    Unknown(String),
    /// The value is not one it takes.
    #[error("knob {name} does not take {value:?}; it takes: {allowed}")]
    Value {
        /// The knob.
        name: &'static str,
        /// What was given.
        value: String,
        /// What it takes.
        allowed: String,
    },
    /// Not `name=value`.
    #[error("{0:?} is not name=value")]
    Form(String),
}

/// Finds a knob by name.
pub fn find(name: &str) -> Result<&'static Knob, KnobError> {
    KNOBS
        .iter()
        .copied()
        .find(|knob| knob.name == name)
        .ok_or_else(|| KnobError::Unknown(name.into()))
}

/// Reads `name=value`, as `--knob` takes it, and checks both.
pub fn parse(text: &str) -> Result<(String, String), KnobError> {
    let (name, value) = text
        .split_once('=')
        .ok_or_else(|| KnobError::Form(text.into()))?;
    let knob = find(name)?;
    check(knob, value)?;
    Ok((name.into(), value.into()))
}

fn check(knob: &'static Knob, value: &str) -> Result<(), KnobError> {
    if knob.kind.allows(value) {
        Ok(())
    } else {
        Err(KnobError::Value {
            name: knob.name,
            value: value.into(),
            allowed: knob.kind.describe(),
        })
    }
}

/// The values that were set.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Settings {
    all: BTreeMap<String, String>,
    advertiser: BTreeMap<String, BTreeMap<String, String>>,
}

impl Settings {
    pub(super) fn set(
        &mut self,
        advertiser: Option<&str>,
        name: &str,
        value: &str,
    ) -> Result<(), KnobError> {
        check(find(name)?, value)?;
        let map = match advertiser {
            Some(id) => self.advertiser.entry(id.into()).or_default(),
            None => &mut self.all,
        };
        map.insert(name.into(), value.into());
        Ok(())
    }

    /// Back to the defaults: all of one advertiser's, or those for everyone.
    pub(super) fn reset(&mut self, advertiser: Option<&str>) {
        match advertiser {
            Some(id) => {
                self.advertiser.remove(id);
            }
            None => self.all.clear(),
        }
    }

    /// The value in force. An empty advertiser means: none known.
    pub(super) fn text(&self, knob: &'static Knob, advertiser: &str) -> &str {
        self.advertiser
            .get(advertiser)
            .and_then(|map| map.get(knob.name))
            .or_else(|| self.all.get(knob.name))
            .map_or(knob.default, String::as_str)
    }

    pub(super) fn is(&self, knob: &'static Knob, advertiser: &str, value: &str) -> bool {
        debug_assert!(
            knob.kind.allows(value),
            "{} has no value {value}",
            knob.name
        );
        self.text(knob, advertiser) == value
    }

    /// A number; `forever`, `never` and text count as the largest.
    pub(super) fn whole(&self, knob: &'static Knob, advertiser: &str) -> i64 {
        self.text(knob, advertiser).parse().unwrap_or(i64::MAX)
    }

    /// Seconds as milliseconds.
    pub(super) fn ms(&self, knob: &'static Knob, advertiser: &str) -> i64 {
        self.whole(knob, advertiser).saturating_mul(1_000)
    }

    pub(super) fn allowlisted(&self, advertiser: &str, feature: &str) -> bool {
        self.text(&ALLOWLIST, advertiser)
            .split(',')
            .any(|entry| entry.trim() == feature)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use super::*;

    #[test]
    fn every_default_is_allowed_and_names_are_unique() {
        let mut names = std::collections::BTreeSet::new();
        for knob in KNOBS {
            assert!(knob.kind.allows(knob.default), "{}", knob.name);
            assert!(names.insert(knob.name), "{} twice", knob.name);
        }
    }

    #[test]
    fn the_advertisers_value_wins() {
        let mut settings = Settings::default();
        assert!(settings.is(&NAME_OF_DELETED, "1", "free"));
        settings.set(None, "name_of_deleted", "taken").unwrap();
        settings.set(Some("1"), "name_of_deleted", "free").unwrap();
        assert!(settings.is(&NAME_OF_DELETED, "1", "free"));
        assert!(settings.is(&NAME_OF_DELETED, "2", "taken"));
    }

    #[test]
    fn wrong_names_and_values_are_refused_with_what_is_allowed() {
        assert_eq!(
            parse("nam_unique=off"),
            Err(KnobError::Unknown("nam_unique".into()))
        );
        let error = parse("name_unique=no").unwrap_err().to_string();
        assert!(
            error.contains("on_create, on_create_and_update, off"),
            "{error}"
        );
        for wrong in [
            "rate=1/2",
            "rate=0/1/1",
            "manual_cutoff=2027-02-30",
            "listing_lag_seconds=-1",
            "skan4",
        ] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
        for right in [
            "rate=1/2/3",
            "rate=off",
            "manual_cutoff=never",
            "request_id_lifetime_seconds=10",
        ] {
            assert!(parse(right).is_ok(), "{right}");
        }
    }
}
