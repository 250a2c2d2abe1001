//! The names of every field of TikTok's create bodies, from its official SDK (`python_sdk/docs/*CreateBody.md`,
//! `AdcreateCreatives.md`, `yml_files/smart_plus_*_create.yml`). Those under `PLAIN` say nothing about spending, reach or
//! publication by themselves: they say what the user says, or only describe.

/// One create body: what is plain in it, and what is not and therefore needs a row among the careful fields.
pub(super) struct Contract {
    pub plain: &'static str,
    pub careful: &'static str,
    /// Fields that need a row as well and that TikTok documents since the SDK was made.
    pub newer: &'static str,
    /// Other fields that the SDK's create bodies do not have: documented since, or known of rows and updates only.
    pub carried: &'static str,
}

pub(super) const MANUAL_CAMPAIGN: Contract = Contract {
    plain: "\
    advertiser_id app_id app_promotion_type bid_type budget campaign_name campaign_product_source \
    campaign_type catalog_enabled deep_bid_type disable_skan_campaign internal_channel objective_type \
    optimization_goal plugin_partner po_number postback_window_mode request_id rf_campaign_type roas_bid rta_id \
    sales_destination special_industries virtual_objective_type",
    careful: "\
    budget_mode budget_optimize_on campaign_app_profile_page_state is_advanced_dedicated_campaign is_search_campaign \
    operation_status rta_bid_enabled rta_product_selection_enabled",
    newer: "\
    budget_auto_adjust_strategy is_promotional_campaign",
    carried: "",
};

pub(super) const SMART_PLUS_CAMPAIGN: Contract = Contract {
    plain: "\
    advertiser_id app_id app_promotion_type bid_align_type budget budget_mode campaign_name campaign_type \
    catalog_enabled catalog_type disable_skan_campaign objective_type open_api_partner po_number \
    postback_window_mode request_id sales_destination special_industries",
    careful: "\
    budget_optimize_on campaign_app_profile_page_state is_advanced_dedicated_campaign is_promotional_campaign \
    operation_status",
    newer: "\
    budget_auto_adjust_strategy is_search_campaign rta_bid_enabled rta_product_selection_enabled",
    carried: "bid_type optimization_goal",
};

pub(super) const MANUAL_AD_GROUP: Contract = Contract {
    plain: "\
    actions adgroup_name advertiser_id age_groups app_config app_id attribution_event_count audience_ids \
    audience_rule audience_type bid_display_mode bid_price billing_event blocked_pangle_app_ids \
    brand_safety_partner brand_safety_type budget budget_mode campaign_id carrier_ids catalog_authorized_bc_id \
    catalog_id category_exclusion_ids click_attribution_window comment_disabled contextual_tag_ids \
    conversion_bid_price custom_conversion_id dayparting deep_bid_type deep_cpa_bid deep_funnel_event_source \
    deep_funnel_event_source_id deep_funnel_optimization_event deep_funnel_optimization_status device_model_ids \
    device_price_ranges engaged_view_attribution_window excluded_audience_ids excluded_custom_actions \
    excluded_pangle_audience_package_ids frequency frequency_schedule gender household_income \
    identity_authorized_bc_id identity_id identity_type included_custom_actions \
    included_pangle_audience_package_ids interest_category_ids interest_keyword_ids ios14_targeting is_hfss \
    is_lhf_compliance isp_ids languages location_ids message_event_set_id messaging_app_account_id \
    messaging_app_type min_android_version min_ios_version network_types next_day_retention operating_systems \
    optimization_event optimization_goal phone_number phone_region_calling_code phone_region_code pixel_id \
    product_source promotion_target_type promotion_type promotion_website_type \
    purchase_intention_keyword_ids request_id roas_bid saved_audience_id schedule_end_time schedule_start_time \
    schedule_type search_keywords secondary_optimization_event share_disabled \
    shopping_ads_retargeting_actions_days shopping_ads_retargeting_custom_audience_relation \
    shopping_ads_retargeting_type shopping_ads_type skip_learning_phase spending_power statistic_type \
    store_authorized_bc_id store_id tiktok_subplacements vbo_window vertical_sensitivity_id \
    video_download_disabled view_attribution_window zipcode_ids",
    careful: "\
    adgroup_app_profile_page_state automated_keywords_enabled bid_type creative_material_mode operation_status \
    pacing placement_type placements search_result_enabled smart_audience_enabled smart_interest_behavior_enabled",
    newer: "\
    auto_targeting_enabled",
    carried: "",
};

pub(super) const SMART_PLUS_AD_GROUP: Contract = Contract {
    plain: "\
    adgroup_name advertiser_id app_id attribution_event_count bid_price billing_event budget \
    budget_mode campaign_id catalog_authorized_bc_id catalog_id click_attribution_window comment_disabled \
    conversion_bid_price custom_conversion_id dayparting deep_bid_type deep_cpabid deep_funnel_event_source \
    deep_funnel_event_source_id deep_funnel_optimization_event deep_funnel_optimization_status \
    engaged_view_attribution_window identity_authorized_bc_id identity_id identity_type message_event_set_id \
    messaging_app_account_id messaging_app_type min_budget movie_premiere_date open_api_partner \
    optimization_event optimization_goal phone_info pixel_id placements product_source promotion_target_type \
    promotion_type promotion_website_type request_id roas_bid schedule_end_time schedule_start_time \
    schedule_type share_disabled targeting_spec.actions targeting_spec.age_groups \
    targeting_spec.app_targeting_type targeting_spec.audience_ids targeting_spec.blocked_pangle_app_ids \
    targeting_spec.carrier_ids targeting_spec.device_model_ids targeting_spec.device_price_ranges \
    targeting_spec.excluded_audience_ids targeting_spec.excluded_pangle_audience_package_ids \
    targeting_spec.gender targeting_spec.household_income targeting_spec.included_pangle_audience_package_ids \
    targeting_spec.interest_category_ids targeting_spec.interest_keyword_ids targeting_spec.isp_ids \
    targeting_spec.languages targeting_spec.location_ids targeting_spec.min_android_version \
    targeting_spec.min_ios_version targeting_spec.network_types targeting_spec.operating_systems \
    targeting_spec.purchase_intention_keyword_ids targeting_spec.saved_audience_id \
    targeting_spec.spc_audience_age targeting_spec.spending_power targeting_spec.zipcode_ids vbo_window \
    video_download_disabled view_attribution_window zalo_id_type",
    careful: "\
    bid_type operation_status placement_type suggestion_audience_enabled targeting_optimization_mode \
    targeting_spec.smart_audience_enabled targeting_spec.smart_interest_behavior_enabled",
    newer: "\
    budget_auto_adjust_strategy",
    carried: "\
    is_hfss is_lhf_compliance tiktok_subplacements targeting_spec.shopping_ads_retargeting_type \
    targeting_spec.shopping_ads_retargeting_actions_days \
    targeting_spec.shopping_ads_retargeting_custom_audience_relation targeting_spec.included_custom_actions \
    targeting_spec.excluded_custom_actions",
};

pub(super) const MANUAL_AD: Contract = Contract {
    plain: "\
    ad_format ad_name ad_text ad_texts aigc_disclosure_type app_name auto_disclaimer_types auto_message_id \
    avatar_icon_web_uri brand_safety_postbid_partner brand_safety_vast_url call_to_action call_to_action_id \
    card_id carousel_image_index catalog_id click_tracking_url cpp_url creative_type deeplink \
    deeplink_format_type deeplink_type deeplink_utm_params disclaimer_clickable_texts disclaimer_text \
    disclaimer_type display_name end_card_cta fallback_type identity_authorized_bc_id identity_id identity_type \
    image_ids impression_tracking_url item_group_ids landing_page_url music_id page_id page_image_index \
    phone_number phone_region_calling_code phone_region_code playable_url product_display_field_list \
    product_set_id product_specific_type schedule_id shopping_ads_deeplink_type shopping_ads_fallback_type \
    shopping_ads_video_package_id showcase_products sku_ids tiktok_item_id tiktok_page_category tracking_app_id \
    tracking_message_event_set_id tracking_offline_event_set_ids tracking_pixel_id utm_params vehicle_ids \
    vertical_video_strategy video_id video_view_tracking_url viewability_postbid_partner viewability_vast_url",
    careful: "\
    creative_authorized dark_post_status dynamic_destination dynamic_format instant_product_page_used \
    item_duet_status item_stitch_status operation_status promotional_music_disabled",
    newer: "\
    creative_auto_enhancement_strategy_list",
    carried: "is_aco vast_moat_enabled",
};

pub(super) const SMART_PLUS_AD: Contract = Contract {
    plain: "\
    ad_configuration.auto_disclaimer_types ad_configuration.call_to_action_id ad_configuration.end_card_cta \
    ad_configuration.fallback_type ad_configuration.identity_id ad_configuration.identity_type \
    ad_configuration.phone_info ad_configuration.product_display_field_list ad_configuration.product_ids \
    ad_configuration.product_set_id ad_configuration.product_specific_type \
    ad_configuration.tracking_info.click_tracking_url ad_configuration.tracking_info.impression_tracking_url \
    ad_configuration.tracking_info.tracking_app_id ad_configuration.tracking_info.tracking_message_event_set_id \
    ad_configuration.utm_params ad_name ad_text_list adgroup_id advertiser_id auto_message_list \
    call_to_action_list creative_list deeplink_list interactive_add_on_list landing_page_url_list page_list",
    careful: "\
    ad_configuration.catalog_creative_toggle ad_configuration.dark_post_status operation_status",
    newer: "\
    ad_configuration.creative_auto_add_toggle ad_configuration.creative_auto_enhancement_strategy_list \
    ad_configuration.product_info_enabled",
    carried: "\
    ad_configuration.identity_authorized_bc_id ad_configuration.deeplink_utm_params \
    ad_configuration.catalog_creative_info ad_configuration.product_info \
    ad_configuration.tracking_info.app_tracking_info_list",
};
