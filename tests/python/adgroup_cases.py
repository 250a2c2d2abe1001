"""Ad groups of both trees."""

import business_api_client as tiktok

from support import Account, case, equal, ids, in_hours, refused


@case
def adgroup_create_answers_the_official_examples_fields():
    account = Account()
    campaign = account.manual("c", operation_status="ENABLE")["campaign_id"]
    data = account.adgroup(campaign, "g", operation_status="ENABLE")
    for field in [
            "adgroup_id", "adgroup_name", "advertiser_id", "campaign_id", "campaign_name", "operation_status",
            "secondary_status", "create_time", "modify_time", "budget", "budget_mode", "scheduled_budget", "billing_event",
            "optimization_goal", "bid_type", "bid_price", "conversion_bid_price", "deep_cpa_bid", "pacing", "dayparting",
            "placement_type", "placements", "promotion_type", "location_ids", "age_groups", "gender", "languages",
            "interest_category_ids", "audience_ids", "excluded_audience_ids", "actions", "network_types", "schedule_type",
            "schedule_start_time", "schedule_end_time", "comment_disabled", "video_download_disabled", "share_disabled",
            "brand_safety_type", "ios14_targeting", "creative_material_mode", "is_hfss", "is_new_structure",
            "click_attribution_window", "view_attribution_window", "attribution_event_count", "is_smart_performance_campaign"]:
        assert field in data, field
    equal((data["campaign_id"], data["campaign_name"], data["budget"]), (campaign, "c", 20.0))
    equal(data["secondary_status"], "ADGROUP_STATUS_CREATE", "it has no ads yet")
    equal(data["dayparting"], "1" * 336)
    # What this client sends although nobody said it.
    equal((data["placement_type"], data["brand_safety_type"], data["creative_material_mode"], data["ios14_targeting"]),
          ("PLACEMENT_TYPE_NORMAL", "NO_BRAND_SAFETY", "CUSTOM", "UNSET"))


@case
def adgroup_get_update_status():
    account = Account()
    campaign = account.manual("c", operation_status="ENABLE")["campaign_id"]
    adgroup = account.adgroup(campaign, "g")["adgroup_id"]
    body = tiktok.AdgroupUpdateBody(advertiser_id=account.advertiser, adgroup_id=adgroup, adgroup_name="h", budget=35.5)
    data = account.adgroups.adgroup_update(account.token, body=body)["data"]
    equal((data["adgroup_name"], data["budget"], data["location_ids"]), ("h", 35.5, ["6252001"]), "the rest stays")
    row = account.list_adgroups(filtering=tiktok.FilteringAdgroupGet(adgroup_ids=[adgroup]))["list"][0]
    equal((row["adgroup_name"], row["budget"], row["campaign_id"], row["campaign_name"]), ("h", 35.5, campaign, "c"))
    for operation, secondary in [("ENABLE", "ADGROUP_STATUS_CREATE"), ("DISABLE", "ADGROUP_STATUS_DISABLE"),
                                 ("DELETE", "ADGROUP_STATUS_DELETE")]:
        body = tiktok.AdgroupStatusUpdateBody(advertiser_id=account.advertiser, adgroup_ids=[adgroup],
                                              operation_status=operation)
        data = account.adgroups.adgroup_status_update(account.token, body=body)["data"]
        equal((data["adgroup_ids"], data["status"]), ([adgroup], operation))
        filtering = tiktok.FilteringAdgroupGet(adgroup_ids=[adgroup], primary_status="STATUS_ALL")
        equal(account.list_adgroups(filtering=filtering)["list"][0]["secondary_status"], secondary)
    equal(account.list_adgroups()["list"], [], "deleted ones are hidden")
    refused(40002, "deleted", lambda: account.adgroups.adgroup_status_update(account.token, body=body))


@case
def adgroup_filters_pages_and_fields():
    account = Account()
    first, second = (account.manual(name)["campaign_id"] for name in "ab")
    a = account.adgroup(first, "a one")["adgroup_id"]
    b = account.adgroup(second, "b two", optimization_goal="TRAFFIC_LANDING_PAGE_VIEW")["adgroup_id"]
    for arguments, wanted in [
        (dict(campaign_ids=[first]), [a]),
        (dict(adgroup_ids=[b, "1"]), [b]),
        (dict(adgroup_name="TWO"), [b]),
        (dict(optimization_goal="CLICK"), [a]),
        (dict(primary_status="STATUS_DELETE"), []),
        (dict(creation_filter_end_time="2001-01-01 00:00:00"), []),
    ]:
        equal(ids(account.list_adgroups(filtering=tiktok.FilteringAdgroupGet(**arguments)), "adgroup_id"), wanted, arguments)
    equal(ids(account.list_adgroups(page=2, page_size=1), "adgroup_id"), [a], "newest first")
    equal(account.list_adgroups(page_size=1, fields=["adgroup_id"])["list"], [{"adgroup_id": b}])
    refused(40002, "error is nonsense", lambda: account.list_adgroups(fields=["nonsense"]))
    refused(40011, "adgroup_ids", lambda: account.list_adgroups(
        filtering=tiktok.FilteringAdgroupGet(adgroup_ids=[str(number) for number in range(101)])))


@case
def refused_adgroups():
    account = Account(currency="USD")
    campaign = account.manual("c")["campaign_id"]
    gone = account.manual("gone")["campaign_id"]
    smart = account.smart_plus("s")["campaign_id"]
    foreign = Account().manual("theirs")["campaign_id"]
    body = tiktok.CampaignStatusUpdateBody(advertiser_id=account.advertiser, campaign_ids=[gone],
                                           operation_status="DELETE")
    account.campaigns.campaign_status_update(account.token, body=body)
    for parent, fields, text in [
        (campaign, dict(budget=19), "20"),
        (campaign, dict(budget="20"), "budget: Not a valid number."),
        (campaign, dict(location_ids=None), "location_ids"),
        (campaign, dict(location_ids="6252001"), "location_ids: Not a valid list."),
        (campaign, dict(location_ids=[6252001]), "location_ids.0"),
        (campaign, dict(billing_event="OCPM"), "billing_event"),
        (campaign, dict(schedule_type="SCHEDULE_START_END"), "schedule_end_time"),
        (campaign, dict(schedule_start_time=in_hours(-20)), "Start time can't be earlier than the current time."),
        (campaign, dict(adgroup_name=None), "adgroup_name: Missing data for required field."),
        (campaign, dict(pacing="PACING_MODE_FAST"), "pacing"),
        (campaign, dict(gender="ALL"), "gender: Must be one of"),
        (gone, {}, "deleted"),
        (foreign, {}, "does not exist"),
        (smart, {}, "Smart+"),
    ]:
        refused(40002, text, lambda: account.raw_adgroup(parent, "g", **fields))
    equal(account.list_adgroups()["list"], [])


@case
def refused_adgroup_status_calls_and_partial_success():
    account = Account()
    adgroup = account.adgroup(account.manual("c")["campaign_id"], "g")["adgroup_id"]

    def status(adgroups, **fields):
        fields = {"operation_status": "ENABLE", **fields}
        body = tiktok.AdgroupStatusUpdateBody(advertiser_id=account.advertiser, adgroup_ids=adgroups, **fields)
        return account.adgroups.adgroup_status_update(account.token, body=body)

    refused(40002, "does not exist", lambda: status([adgroup, "1"]))
    equal(account.list_adgroups()["list"][0]["operation_status"], "DISABLE", "one bad id fails the call")
    refused(40011, "20", lambda: status([str(number) for number in range(21)]))
    refused(40002, "adgroup_ids", lambda: status([]))
    refused(20001, "Partial", lambda: status([adgroup, "1"], allow_partial_success=True))
    equal(account.list_adgroups()["list"][0]["operation_status"], "ENABLE", "the good one is done")


@case
def children_follow_their_campaign():
    account = Account()
    campaign = account.manual("c", operation_status="ENABLE")["campaign_id"]
    adgroup = account.adgroup(campaign, "g", operation_status="ENABLE")["adgroup_id"]
    for operation, secondary in [("DISABLE", "ADGROUP_STATUS_CAMPAIGN_DISABLE"),
                                 ("DELETE", "ADGROUP_STATUS_CAMPAIGN_DELETE")]:
        body = tiktok.CampaignStatusUpdateBody(advertiser_id=account.advertiser, campaign_ids=[campaign],
                                               operation_status=operation)
        account.campaigns.campaign_status_update(account.token, body=body)
        filtering = tiktok.FilteringAdgroupGet(adgroup_ids=[adgroup], primary_status="STATUS_ALL")
        equal(account.list_adgroups(filtering=filtering)["list"][0]["secondary_status"], secondary)
    body = tiktok.AdgroupStatusUpdateBody(advertiser_id=account.advertiser, adgroup_ids=[adgroup],
                                          operation_status="ENABLE")
    refused(40002, "deleted", lambda: account.adgroups.adgroup_status_update(account.token, body=body))


@case
def adgroup_quota():
    account = Account()
    campaign = account.manual("c")["campaign_id"]
    account.adgroup(campaign, "g")
    data = account.adgroups.adgroup_quota(account.advertiser, account.token)["data"]
    equal(sorted(data), ["total_adgroup_quota", "used_adgroup_quota"])


@case
def smart_plus_adgroup_create_get_update_status():
    account = Account()
    campaign = account.smart_plus("s", operation_status="ENABLE")["campaign_id"]
    data = account.smart_plus_adgroup(campaign, "g")
    adgroup = data["adgroup_id"]
    assert all(value is not None for value in data.values()), "this tree has no nulls"
    equal((data["campaign_id"], data["adgroup_name"], data["targeting_spec"]["location_ids"]), (campaign, "g", ["6252001"]))
    filtering = tiktok.FilteringSmartPlusAdgroupGet(adgroup_ids=[adgroup])
    row = account.list_smart_plus_adgroups(filtering=filtering)["list"][0]
    equal((row["adgroup_name"], row["operation_status"]), ("g", "DISABLE"))
    equal(ids(account.list_adgroups(), "adgroup_id"), [adgroup], "manual lists show it")
    body = tiktok.SmartPlusAdgroupUpdateBody(advertiser_id=account.advertiser, adgroup_id=adgroup, adgroup_name="h")
    data = account.adgroups.smart_plus_adgroup_update(account.token, body=body)["data"]
    equal((data["adgroup_name"], data["targeting_spec"]["location_ids"]), ("h", ["6252001"]))
    for operation in ["ENABLE", "DISABLE", "DELETE"]:
        body = tiktok.SmartPlusAdgroupStatusUpdateBody(advertiser_id=account.advertiser, adgroup_ids=[adgroup],
                                                       operation_status=operation)
        data = account.adgroups.smart_plus_adgroup_status_update(account.token, body=body)["data"]
        equal(data, {"adgroup_list": [{"adgroup_id": adgroup, "status": operation}]})
    equal(account.list_smart_plus_adgroups()["list"], [])


@case
def refused_smart_plus_adgroups():
    account = Account()
    campaign = account.smart_plus("s")["campaign_id"]
    manual = account.manual("m")["campaign_id"]
    account.smart_plus_adgroup(campaign, "g", request_id="55")
    for parent, fields, code, text in [
        (campaign, dict(request_id="55"), 40050, "request_id"),
        (campaign, dict(request_id=None), 40002, "request_id: Missing data for required field."),
        (campaign, dict(targeting_spec=None), 40002, "targeting_spec"),
        (campaign, dict(targeting_spec={"location_ids": "6252001"}), 40002, "location_ids: Not a valid list."),
        (campaign, dict(targeting_spec={"gender": "ALL", "location_ids": ["6252001"]}), 40002, "gender: Must be one of"),
        (campaign, dict(pixel_id=7123), 40002, "pixel_id: Not a valid string."),
        (manual, {}, 40002, "Smart+"),
        ("1", {}, 40002, "does not exist"),
    ]:
        refused(code, text, lambda: account.raw_smart_plus_adgroup(parent, "h", **fields))
