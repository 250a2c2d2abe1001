"""Tokens, accounts, campaigns of both trees, limits and faults."""

import re

import business_api_client as tiktok
from business_api_client.rest import ApiException
from business_api_client.tiktok_business.tiktok_exceptions import TiktokSDKError

from support import Account, case, control, equal, ids, refused


@case
def oauth_exchange_and_advertiser_list():
    account = Account(name="Acme")
    body = tiktok.Oauth2AccessTokenBody(app_id=account.app_id, secret=account.secret, auth_code=account.auth_code)
    data = account.oauth.oauth2_access_token(body=body)["data"]
    equal(data["advertiser_ids"], [account.advertiser])
    equal(sorted(data), ["access_token", "advertiser_ids", "scope"])
    account.token = data["access_token"]
    equal(account.list()["list"], [])
    data = account.oauth.oauth2_advertiser_get(account.app_id, account.secret, account.token)["data"]
    equal(data["list"], [{"advertiser_id": account.advertiser, "advertiser_name": "Acme"}])
    refused(40110, "auth_code", lambda: account.oauth.oauth2_access_token(body=body))
    body.secret = "wrong"
    refused(40101, "secret", lambda: account.oauth.oauth2_access_token(body=body))
    refused(40101, "secret", lambda: account.oauth.oauth2_advertiser_get(account.app_id, "wrong", account.token))


@case
def advertiser_info():
    account = Account(currency="JPY", timezone="Asia/Tokyo", status="STATUS_LIMIT", balance=12.5)
    data = account.accounts.advertiser_info([account.advertiser], account.token)["data"]
    row = data["list"][0]
    for field, wanted in [("advertiser_id", account.advertiser), ("currency", "JPY"), ("timezone", "Asia/Tokyo"),
                          ("status", "STATUS_LIMIT"), ("role", "ROLE_ADVERTISER"), ("balance", 12.5)]:
        equal(row[field], wanted, field)
    assert isinstance(row["create_time"], int)
    data = account.accounts.advertiser_info([account.advertiser], account.token, fields=["currency"])["data"]
    equal(data["list"], [{"currency": "JPY"}])
    refused(40002, "error is curency",
            lambda: account.accounts.advertiser_info([account.advertiser], account.token, fields=["curency"]))
    refused(40001, "No permission",
            lambda: account.accounts.advertiser_info(["7000000000000000002"], account.token))


@case
def manual_create_answers_the_official_examples_fields():
    account = Account()
    data = account.manual("Spring", operation_status="ENABLE")
    equal(sorted(data), sorted([
        "budget_mode", "is_search_campaign", "is_smart_performance_campaign", "secondary_status", "objective",
        "campaign_id", "create_time", "campaign_type", "roas_bid", "is_new_structure", "deep_bid_type", "budget",
        "operation_status", "modify_time", "campaign_name", "objective_type", "advertiser_id"]))
    assert re.fullmatch(r"\d{16}", data["campaign_id"]), data["campaign_id"]
    equal(data["secondary_status"], "CAMPAIGN_STATUS_ENABLE")
    equal(data["objective"], "LANDING_PAGE")
    equal((data["budget"], data["roas_bid"]), (50.0, 0.0))


@case
def manual_create_get_update_status():
    account = Account()
    name = "Zürich 夏 a+b & c=d \"q\" 50 %"
    campaign = account.manual(name)["campaign_id"]
    filtering = tiktok.FilteringCampaignGet(campaign_name="夏 a+b & c=d \"q\"")
    row = account.list(filtering=filtering, page=1, page_size=1000)["list"][0]
    equal((row["campaign_id"], row["campaign_name"], row["campaign_automation_type"]), (campaign, name, "MANUAL"))
    equal((row["operation_status"], row["secondary_status"]), ("DISABLE", "CAMPAIGN_STATUS_DISABLE"))
    assert "app_id" in row and row["app_id"] is None, "nulls are present"
    assert "budget_optimize_on" not in row, "only campaigns with CBO have it"
    body = tiktok.CampaignUpdateBody(advertiser_id=account.advertiser, campaign_id=campaign, budget=75.25)
    data = account.campaigns.campaign_update(account.token, body=body)["data"]
    equal((data["budget"], data["campaign_name"]), (75.25, name))
    for operation, secondary in [("ENABLE", "CAMPAIGN_STATUS_ENABLE"), ("DISABLE", "CAMPAIGN_STATUS_DISABLE"),
                                 ("DELETE", "CAMPAIGN_STATUS_DELETE")]:
        body = tiktok.CampaignStatusUpdateBody(advertiser_id=account.advertiser, campaign_ids=[campaign],
                                               operation_status=operation)
        data = account.campaigns.campaign_status_update(account.token, body=body)["data"]
        equal((data["campaign_ids"], data["status"]), ([campaign], operation))
        equal(data["campaign_list"][0]["status"], operation)
        filtering = tiktok.FilteringCampaignGet(campaign_ids=[campaign], primary_status="STATUS_ALL")
        equal(account.list(filtering=filtering)["list"][0]["secondary_status"], secondary)
    equal(account.list()["list"], [], "deleted ones are hidden")
    refused(40002, "deleted", lambda: account.campaigns.campaign_status_update(account.token, body=body))


@case
def smart_plus_create_get_update_status():
    account = Account()
    data = account.smart_plus("S")
    campaign = data["campaign_id"]
    equal((data["budget_optimize_on"], data["budget_mode"]), (True, "BUDGET_MODE_DYNAMIC_DAILY_BUDGET"))
    assert all(value is not None for value in data.values()), "this tree has no nulls"
    filtering = tiktok.FilteringSmartPlusCampaignGet(campaign_ids=[campaign])
    row = account.list_smart_plus(filtering=filtering)["list"][0]
    equal((row["campaign_name"], row["budget"], row["smart_plus_adgroup_mode"]), ("S", 60.0, "MULTIPLE"))
    equal(account.list()["list"][0]["campaign_automation_type"], "UPGRADED_SMART_PLUS", "manual lists show it")
    body = tiktok.SmartPlusCampaignUpdateBody(advertiser_id=account.advertiser, campaign_id=campaign,
                                              campaign_name="T", budget=80, po_number="PO-1")
    data = account.campaigns.smart_plus_campaign_update(account.token, body=body)["data"]
    equal((data["campaign_name"], data["budget"], data["po_number"]), ("T", 80.0, "PO-1"))
    for operation in ["ENABLE", "DISABLE", "DELETE"]:
        body = tiktok.SmartPlusCampaignStatusUpdateBody(advertiser_id=account.advertiser, campaign_ids=[campaign],
                                                        operation_status=operation)
        data = account.campaigns.smart_plus_campaign_status_update(account.token, body=body)["data"]
        equal(data, {"campaign_list": [{"campaign_id": campaign, "status": operation}]})
    equal(account.list_smart_plus()["list"], [])
    filtering = tiktok.FilteringSmartPlusCampaignGet(primary_status="STATUS_DELETE")
    equal(ids(account.list_smart_plus(filtering=filtering)), [campaign])


@case
def smart_plus_dedicated_app_campaign():
    account = Account()
    data = account.smart_plus("iOS", objective_type="APP_PROMOTION", app_promotion_type="APP_INSTALL", app_id="77",
                              campaign_type="IOS14_CAMPAIGN", sales_destination=None, operation_status="ENABLE")
    equal((data["campaign_type"], data["app_id"], data["is_advanced_dedicated_campaign"]), ("IOS14_CAMPAIGN", "77", True))
    body = tiktok.SmartPlusCampaignStatusUpdateBody(
        advertiser_id=account.advertiser, campaign_ids=[data["campaign_id"]], operation_status="DISABLE",
        postback_window_mode="POSTBACK_WINDOW_MODE2")
    entry = account.campaigns.smart_plus_campaign_status_update(account.token, body=body)["data"]["campaign_list"][0]
    equal(entry["postback_window_mode"], "POSTBACK_WINDOW_MODE2")
    body.operation_status = "ENABLE"
    refused(40002, "postback_window_mode",
            lambda: account.campaigns.smart_plus_campaign_status_update(account.token, body=body))


@case
def cbo_in_the_manual_tree():
    account = Account()
    data = account.manual("CBO", budget_optimize_on=True, budget_mode="BUDGET_MODE_TOTAL", budget=500)
    equal((data["budget_optimize_on"], data["bid_type"]), (True, "BID_TYPE_NO_BID"))
    row = account.list()["list"][0]
    equal((row["budget_optimize_on"], row["budget_mode"]), (True, "BUDGET_MODE_TOTAL"))
    refused(40002, "BUDGET_MODE_INFINITE",
            lambda: account.manual("no", budget_optimize_on=True, budget_mode="BUDGET_MODE_INFINITE", budget=None))


@case
def pages_fields_and_nulls():
    account = Account()
    made = [account.manual(f"c{number}")["campaign_id"] for number in range(12)]
    data = account.list(filtering=None)
    equal(data["page_info"], {"page": 1, "page_size": 10, "total_number": 12, "total_page": 2})
    seen = ids(data) + ids(account.list(page=2))
    equal(seen, made[::-1])
    equal(account.list(page=1, page_size=1, fields=["campaign_id"])["list"], [{"campaign_id": made[-1]}])
    row = account.list(page_size=1, exclude_field_types_in_response=["NULL_FIELD"])["list"][0]
    assert all(value is not None for value in row.values())
    refused(40002, "error is thumbnail_url", lambda: account.list(fields=["campaign_id", "thumbnail_url"]))
    refused(40002, "page_size", lambda: account.list(page_size=1001))


@case
def filters():
    account = Account()
    a = account.manual("a", objective_type="REACH")["campaign_id"]
    b = account.manual("b", operation_status="ENABLE")["campaign_id"]
    for arguments, wanted in [
        (dict(campaign_ids=[a, "1"]), [a]),
        (dict(objective_type="TRAFFIC"), [b]),
        (dict(primary_status="STATUS_DISABLE"), [a]),
        (dict(secondary_status="CAMPAIGN_STATUS_ENABLE"), [b]),
        (dict(is_smart_performance_campaign=False), [b, a]),
        (dict(split_test_enabled=False), [b, a]),
        (dict(campaign_system_origins=["PROMOTE"]), []),
        (dict(creation_filter_start_time="2001-01-01 00:00:00"), [b, a]),
        (dict(creation_filter_end_time="2001-01-01 00:00:00"), []),
    ]:
        equal(ids(account.list(filtering=tiktok.FilteringCampaignGet(**arguments))), wanted, arguments)
    refused(40011, "campaign_ids",
            lambda: account.list(filtering=tiktok.FilteringCampaignGet(campaign_ids=[str(n) for n in range(101)])))
    refused(40002, "primary_status", lambda: account.list(filtering={"primary_status": "GONE"}))
    refused(40002, "nonsense", lambda: account.list(filtering={"nonsense": 1}))


@case
def live_refusals():
    account = Account(currency="GBP")
    account.manual("Taken")
    refused(40002, "Campaign name already exists. Please try another one.", lambda: account.manual("Taken"))
    account.manual("Taken", request_id="123456789")
    refused(40050, "request_id", lambda: account.manual("Taken", request_id="123456789"))
    refused(40002, "Your budget setting must not be less than £50", lambda: account.manual("b", budget=49))


@case
def refused_creates():
    account = Account()
    for fields, text in [
        (dict(budget="50"), "budget: Not a valid number."),
        (dict(budget=None), "budget: Missing data for required field."),
        (dict(campaign_name=None), "campaign_name: Missing data for required field."),
        (dict(objective_type="NONSENSE"), "objective_type: Must be one of"),
        (dict(request_id=5), "request_id: Not a valid string."),
        (dict(request_id="x"), "request_id: Not a valid int64 string."),
        (dict(campaign_name="🔥"), "Emoji"),
        (dict(campaign_name="夏" * 257), "512"),
        (dict(budget_optimize_on="true"), "boolean"),
        (dict(budget=10_000_000), "must be less than"),
    ]:
        refused(40002, text, lambda: account.raw_manual(**fields))
    refused(40118, "allowlist",
            lambda: account.raw_manual(objective_type="RF_REACH", budget_mode="BUDGET_MODE_INFINITE"))
    equal(account.list()["list"], [])


@case
def refused_updates():
    account = Account()
    campaign = account.manual("a")["campaign_id"]
    smart = account.smart_plus("s")["campaign_id"]
    account.manual("b")

    def update(**fields):
        body = {"advertiser_id": account.advertiser, "campaign_id": campaign, **fields}
        return account.campaigns.campaign_update(account.token, body=body)

    for fields, code, text in [
        ({}, 40012, "Nothing"),
        ({"campaign_name": "b"}, 40002, "already exists"),
        ({"objective_type": "REACH"}, 40002, "objective_type"),
        ({"budget": 10}, 40002, "less than $50"),
        ({"special_industries": ["CREDIT"]}, 40002, "special_industries"),
        ({"campaign_id": "1", "budget": 60}, 40002, "does not exist"),
        ({"campaign_id": smart, "budget": 60}, 40002, "Smart+"),
    ]:
        refused(code, text, lambda: update(**fields))
    control("POST", f"campaigns/{campaign}/spend", {"amount": 100})
    update(budget=200)
    refused(40002, "105%", lambda: update(budget=104))
    update(budget=105)


@case
def refused_status_calls():
    account = Account()
    campaign = account.manual("a")["campaign_id"]

    def status(campaigns, operation="ENABLE"):
        body = tiktok.CampaignStatusUpdateBody(advertiser_id=account.advertiser, campaign_ids=campaigns,
                                               operation_status=operation)
        return account.campaigns.campaign_status_update(account.token, body=body)

    refused(40002, "does not exist", lambda: status([campaign, "1"]))
    equal(account.list()["list"][0]["operation_status"], "DISABLE", "one bad id fails the call")
    refused(40011, "20", lambda: status([str(number) for number in range(21)]))
    refused(40002, "campaign_ids", lambda: status([]))
    refused(40002, "operation_status", lambda: status([campaign], "PAUSE"))


@case
def partial_success_is_an_exception_in_this_client():
    account = Account()
    campaign = account.smart_plus("s")["campaign_id"]
    body = tiktok.SmartPlusCampaignStatusUpdateBody(
        advertiser_id=account.advertiser, campaign_ids=[campaign, "1"], operation_status="ENABLE")
    refused(20001, "Partial", lambda: account.campaigns.smart_plus_campaign_status_update(account.token, body=body))
    equal(account.list_smart_plus()["list"][0]["operation_status"], "ENABLE", "the good one is done")


@case
def tokens():
    account = Account()
    good = account.token
    account.token = "nonsense"
    refused(40105, "incorrect", account.list)
    account.token = ""
    refused(40104, "Access token is null, you should set it in http header with key Access-Token.", account.list)
    account.token = good
    control("POST", "tokens/expire", {"access_token": good})
    refused(40102, "expired", account.list)
    control("POST", "tokens/revoke", {"access_token": good})
    refused(40105, "revoked", account.list)


@case
def limits():
    account = Account()
    account.knobs(rate="2/1000/10000")
    codes = []
    for _ in range(6):
        try:
            account.list()
            codes.append(0)
        except TiktokSDKError as error:
            codes.append(int(re.search(r"Error Code: (\d+)", str(error))[1]))
    assert 40100 in codes and 0 in codes, codes
    account.knobs(rate="off", advertiser_qps=1)
    text = ""
    for _ in range(4):
        try:
            account.list()
        except TiktokSDKError as error:
            text = str(error)
    wanted = f"Advertiser ({account.advertiser})'s QPS (2) reaches QPS limit 1 for current path, request is temporarily restricted."
    assert wanted in text, text


@case
def faults():
    account = Account()
    path = {"path": "*/campaign/create/"}
    account.fault(kind="answer_lost", match=dict(path))
    try:
        account.manual("lost")
        raise AssertionError("an answer came")
    except AssertionError:
        raise
    except Exception as error:
        assert not isinstance(error, (TiktokSDKError, ApiException)), error
    equal([row["campaign_name"] for row in account.list()["list"]], ["lost"], "the effect happened")
    equal(account.calls("/campaign/create/"), 1, "a POST is sent once")
    account.fault(kind="http_status", status=502, match=dict(path))
    try:
        account.manual("502")
        raise AssertionError("an answer came")
    except ApiException as error:
        equal(error.status, 502)
    before = account.calls("/campaign/get/")
    account.fault(kind="cut_before", match={"path": "*/campaign/get/", "count": 3})
    equal(len(account.list()["list"]), 1)
    equal(account.calls("/campaign/get/") - before, 4, "a GET is sent four times")
    account.fault(kind="malformed_body", match={"path": "*/campaign/get/"})
    try:
        account.list()
        raise AssertionError("half an answer was read")
    except TypeError:
        pass
