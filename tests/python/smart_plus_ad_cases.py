"""Ads of the Upgraded Smart+ tree, the state of each creative in them, and their review."""

import business_api_client as tiktok

from support import Account, case, control, equal, ids, refused, video


def parent(account, **fields):
    campaign = account.smart_plus("s", operation_status="ENABLE")["campaign_id"]
    return account.smart_plus_adgroup(campaign, "g", operation_status="ENABLE", **fields)["adgroup_id"]


def one(account, ad):
    filtering = tiktok.FilteringSmartPlusAdGet(smart_plus_ad_ids=[ad], primary_status="STATUS_ALL")
    return account.list_smart_plus_ads(filtering=filtering)["list"][0]


def update(account, ad, **fields):
    body = tiktok.SmartPlusAdUpdateBody(advertiser_id=account.advertiser, smart_plus_ad_id=ad, **fields)
    return account.ads.smart_plus_ad_update(account.token, body=body)["data"]


def switch(account, ad, materials, operation):
    body = tiktok.SmartPlusAdMaterialStatusUpdateBody(advertiser_id=account.advertiser, smart_plus_ad_id=ad,
                                                      ad_material_ids=materials, operation_status=operation)
    return account.ads.smart_plus_ad_material_status_update(account.token, body=body)["data"]


@case
def smart_plus_ad_create_answers_what_was_sent():
    account = Account()
    adgroup = parent(account)
    data = account.smart_plus_ad(adgroup, "kites")
    assert all(value is not None for value in data.values()), "this tree has no nulls"
    equal((data["adgroup_id"], data["adgroup_name"], data["campaign_name"], data["operation_status"]),
          (adgroup, "g", "s", "DISABLE"))
    equal(data["ad_text_list"], [{"ad_text": "Buy a kite"}])
    equal((data["call_to_action_list"], data["page_list"], data["deeplink_list"]), ([], [], []))
    equal(data["ad_configuration"]["call_to_action_id"], "8001")
    equal([creative["material_operation_status"] for creative in data["creative_list"]], ["ENABLE", "ENABLE"])
    equal([creative["creative_info"]["video_info"]["video_id"] for creative in data["creative_list"]], ["v1", "v2"])
    assert len({creative["ad_material_id"] for creative in data["creative_list"]}) == 2
    assert "ad_id" not in data and len(data["smart_plus_ad_id"]) == 16


@case
def smart_plus_ad_get_update_status():
    account = Account()
    adgroup = parent(account)
    ad = account.smart_plus_ad(adgroup, "kites")["smart_plus_ad_id"]
    # Only what is sent changes, and a list that is sent is the whole list.
    data = update(account, ad, ad_name="two kites", creative_list=[video("v2"), video("v3")])
    equal(data["ad_name"], "two kites")
    found = one(account, ad)
    equal([creative["creative_info"]["video_info"]["video_id"] for creative in found["creative_list"]], ["v2", "v3"])
    equal(found["ad_text_list"], [{"ad_text": "Buy a kite"}])
    update(account, ad, ad_configuration={"tracking_info": {"click_tracking_url": "https://example.com/c"}})
    equal(one(account, ad)["ad_configuration"]["call_to_action_id"], "8001")
    for operation in ["ENABLE", "DISABLE", "DELETE"]:
        body = tiktok.SmartPlusAdStatusUpdateBody(advertiser_id=account.advertiser, smart_plus_ad_ids=[ad],
                                                  operation_status=operation)
        data = account.ads.smart_plus_ad_status_update(account.token, body=body)["data"]
        equal(data, {"smart_plus_ad_ids": [ad], "status": operation})
    equal(one(account, ad)["secondary_status"], "AD_STATUS_DELETE")
    equal(account.list_smart_plus_ads()["list"], [], "deleted ones are hidden")
    refused(40002, "deleted", lambda: update(account, ad, ad_name="x"))
    refused(40002, "deleted", lambda: account.ads.smart_plus_ad_status_update(account.token, body=body))


@case
def a_smart_plus_ad_is_several_ads_in_manual_lists():
    account = Account()
    made = account.smart_plus_ad(parent(account), "kites")
    rows = account.list_ads()["list"]
    equal(len(rows), 2, "one for each creative")
    equal({row["smart_plus_ad_id"] for row in rows}, {made["smart_plus_ad_id"]})
    equal({row["ad_id_v2"] for row in rows}, {made["smart_plus_ad_id"]})
    assert made["smart_plus_ad_id"] not in ids({"list": rows}, "ad_id"), "ad_id is the creative's"
    equal({row["video_id"] for row in rows}, {"v1", "v2"})
    equal({row["adgroup_id"] for row in rows}, {made["adgroup_id"]})


@case
def smart_plus_ad_filters_and_pages():
    account = Account()
    adgroup = parent(account)
    a = account.smart_plus_ad(adgroup, "a")["smart_plus_ad_id"]
    b = account.smart_plus_ad(adgroup, "b", operation_status="ENABLE")["smart_plus_ad_id"]
    for arguments, wanted in [
        (dict(adgroup_ids=[adgroup]), [b, a]),
        (dict(smart_plus_ad_ids=[a, "1"]), [a]),
        (dict(objective_type="WEB_CONVERSIONS"), [b, a]),
        (dict(primary_status="STATUS_DISABLE"), [a]),
        (dict(modified_after="2037-01-01 00:00:00"), []),
    ]:
        data = account.list_smart_plus_ads(filtering=tiktok.FilteringSmartPlusAdGet(**arguments))
        equal(ids(data, "smart_plus_ad_id"), wanted, arguments)
    data = account.list_smart_plus_ads(page=2, page_size=1)
    equal(ids(data, "smart_plus_ad_id"), [a])
    equal(data["page_info"], {"page": 2, "page_size": 1, "total_number": 2, "total_page": 2})
    row = account.list_smart_plus_ads(page_size=1, fields=["ad_name"])["list"][0]
    equal(sorted(row), ["ad_name", "advertiser_id", "smart_plus_ad_id"])
    refused(40002, "page_size", lambda: account.list_smart_plus_ads(page_size=101))


@case
def refused_smart_plus_ads():
    account = Account()
    adgroup = parent(account)
    campaign = account.manual("m")["campaign_id"]
    manual = account.adgroup(campaign, "g")["adgroup_id"]
    texts = [{"ad_text": f"text {number}"} for number in range(6)]
    for fields, text in [
        (dict(creative_list=[]), "creative_list"),
        (dict(creative_list=[video(str(number)) for number in range(51)]), "creative_list: Longer than maximum length 50."),
        (dict(creative_list=[{}]), "creative_list.0.creative_info: Missing data for required field."),
        (dict(creative_list=[video("v", image_info=None)]), "You must upload an image"),
        (dict(creative_list=[video("v", video_info=None)]), "video_info"),
        (dict(creative_list=[video("v", tiktok_item_id="77")]), "tiktok_item_id"),
        (dict(creative_list=[video("v", ad_format="SINGLE_IMAGE")]), "ad_format: Must be one of"),
        (dict(creative_list=[video("v", identity_type="BC_AUTH_TT")]), "Identity_type and Identity_bc_ID don't match"),
        (dict(creative_list=[video("v", identity_type=None, identity_id=None)]), "identity_type"),
        (dict(creative_list=[video("v", identity_type="CUSTOMIZED_USER")]), "Custom identities are no longer supported."),
        (dict(creative_list=[video("v", video_info={"video_id": 5})]), "video_id: Not a valid string."),
        (dict(ad_text_list=texts), "ad_text_list: Longer than maximum length 5."),
        (dict(ad_text_list=[{"ad_text": "x" * 101}]), "ad_text"),
        (dict(ad_text_list=None), "ad_text_list"),
        (dict(landing_page_url_list=[{"landing_page_url": "https://a"}] * 2), "landing_page_url_list: Longer"),
        (dict(deeplink_list=[{"deeplink": "kites://"}] * 2), "deeplink_list: Longer"),
        (dict(page_list=[{"page_id": str(number)} for number in range(4)]), "page_list: Longer"),
        (dict(call_to_action_list=[{"call_to_action": "SHOP_NOW"}] * 4), "call_to_action_list: Longer"),
        (dict(ad_configuration=None), "call_to_action_id"),
        (dict(ad_configuration=None, call_to_action_list=[{"call_to_action": "SHOP_NOW"}]), "call_to_action_id"),
        (dict(adgroup_id=manual), "Smart+"),
        (dict(adgroup_id="1"), "does not exist"),
        (dict(adgroup_id=None), "adgroup_id: Missing data for required field."),
        (dict(ad_name="🔥"), "Emoji"),
    ]:
        refused(40002, text, lambda: account.raw_smart_plus_ad(adgroup, "x", **fields))
    equal(account.list_smart_plus_ads()["list"], [])
    refused(40002, "Smart+", lambda: account.raw_ad(adgroup, "x"))


@case
def at_most_thirty_smart_plus_ads():
    account = Account()
    adgroup = parent(account)
    made = [account.smart_plus_ad(adgroup, f"ad {number}")["smart_plus_ad_id"] for number in range(30)]
    refused(40502, "30", lambda: account.smart_plus_ad(adgroup, "one more"))
    body = tiktok.SmartPlusAdStatusUpdateBody(advertiser_id=account.advertiser, smart_plus_ad_ids=made[:1],
                                              operation_status="DELETE")
    account.ads.smart_plus_ad_status_update(account.token, body=body)
    account.smart_plus_ad(adgroup, "one more")
    body.smart_plus_ad_ids = made[1:22]
    refused(40011, "20", lambda: account.ads.smart_plus_ad_status_update(account.token, body=body))
    body.smart_plus_ad_ids = [made[1], "1"]
    refused(40002, "does not exist", lambda: account.ads.smart_plus_ad_status_update(account.token, body=body))
    equal(one(account, made[1])["operation_status"], "DISABLE", "one bad id fails the call")


@case
def one_creative_is_switched_off():
    account = Account()
    made = account.smart_plus_ad(parent(account), "kites")
    ad, materials = made["smart_plus_ad_id"], [creative["ad_material_id"] for creative in made["creative_list"]]
    data = switch(account, ad, materials[:1], "DISABLE")
    equal(data, {"ad_material_ids": materials[:1], "operation_status": "DISABLE", "smart_plus_ad_id": ad})
    equal([creative["material_operation_status"] for creative in one(account, ad)["creative_list"]], ["DISABLE", "ENABLE"])
    # A creative that stays in the list stays as it is.
    update(account, ad, creative_list=[video("v3"), video("v1")])
    found = one(account, ad)["creative_list"]
    equal([(creative["ad_material_id"] in materials, creative["material_operation_status"]) for creative in found],
          [(False, "ENABLE"), (True, "DISABLE")])
    refused(40002, "does not exist", lambda: switch(account, ad, [materials[1]], "ENABLE"))
    refused(40002, "operation_status: Must be one of", lambda: switch(account, ad, materials[:1], "DELETE"))
    refused(40011, "20", lambda: switch(account, ad, [str(number) for number in range(21)], "ENABLE"))


@case
def smart_plus_review():
    account = Account()
    account.knobs(ad_review_seconds="forever")
    made = account.smart_plus_ad(parent(account), "kites", operation_status="ENABLE")
    ad, materials = made["smart_plus_ad_id"], [creative["ad_material_id"] for creative in made["creative_list"]]
    equal(made["secondary_status"], "AD_STATUS_AUDIT")

    def info(**extra):
        extra = tiktok.ExtraInfoSettingSmartPlusAdReviewInfo(**extra)
        return account.ads.smart_plus_ad_review_info(account.advertiser, [ad], account.token,
                                                     extra_info_setting=extra, lang="en")["data"]

    equal(info(), {"smart_plus_ad_review_infos": [], "material_review_infos": []}, "nobody has looked yet")
    control("POST", f"ads/{ad}/approve")
    data = info(include_reject_info=True)
    equal(sorted(data), ["material_review_infos", "smart_plus_ad_review_infos"])
    equal(data["smart_plus_ad_review_infos"], [{
        "smart_plus_ad_id": ad, "review_status": "ALL_AVAILABLE", "appeal_status": "NOT_APPEALED",
        "appeal_reject_reasons": None, "passed_locations": None, "reject_info": []}])
    equal([(entry["ad_material_id"], entry["review_status"], entry["smart_plus_ad_id"], entry["reject_info"])
           for entry in data["material_review_infos"]],
          [(material, "ALL_AVAILABLE", ad, None) for material in materials])

    control("POST", f"ads/{ad}/reject", {"reasons": ["No sound."], "suggestion": "Add sound.", "content_type": "video",
                                         "material_id": materials[0]})
    equal(info()["smart_plus_ad_review_infos"][0]["reject_info"], None, "not asked for")
    data = info(include_reject_info=True)
    equal(data["smart_plus_ad_review_infos"][0]["review_status"], "PART_AVAILABLE")
    entry = data["material_review_infos"][0]
    equal((entry["review_status"], entry["reject_info"][0]["reasons"], entry["reject_info"][0]["suggestion"]),
          ("UNAVAILABLE", ["No sound."], "Add sound."))
    equal((entry["reject_info"][0]["content_info"]["content_type"],
           entry["reject_info"][0]["content_info"]["video_content"]), ("ModeVideo", {"video_id": "v1"}))
    equal(data["material_review_infos"][1]["review_status"], "ALL_AVAILABLE")
    data = account.ads.smart_plus_material_review_info(
        account.advertiser, materials[:1], account.token,
        extra_info_setting=tiktok.ExtraInfoSettingSmartPlusMaterialReviewInfo(include_reject_info=True))["data"]
    equal([(entry["ad_material_id"], entry["review_status"]) for entry in data["material_review_infos"]],
          [(materials[0], "UNAVAILABLE")])

    control("POST", f"ads/{ad}/reject", {"reasons": ["Not allowed here."]})
    equal(info()["smart_plus_ad_review_infos"][0]["review_status"], "UNAVAILABLE")
    equal(one(account, ad)["secondary_status"], "AD_STATUS_AUDIT_DENY")
    refused(40011, "100", lambda: account.ads.smart_plus_ad_review_info(
        account.advertiser, [str(number) for number in range(101)], account.token))


@case
def a_rejection_is_appealed_once():
    account = Account()
    ad = account.smart_plus_ad(parent(account), "kites", operation_status="ENABLE")["smart_plus_ad_id"]
    body = tiktok.SmartPlusAdAppealBody(advertiser_id=account.advertiser, smart_plus_ad_id=ad, appeal_reason="It is a kite.")
    refused(40002, "rejected", lambda: account.ads.smart_plus_ad_appeal(account.token, body=body))
    control("POST", f"ads/{ad}/reject", {"reasons": ["Not a kite."]})
    equal(account.ads.smart_plus_ad_appeal(account.token, body=body)["data"], {})

    def appeal():
        data = account.ads.smart_plus_ad_review_info(account.advertiser, [ad], account.token)["data"]
        entry = data["smart_plus_ad_review_infos"][0]
        return entry["appeal_status"], entry["review_status"]

    equal(appeal(), ("APPEALING", "UNAVAILABLE"))
    refused(40002, "appeal", lambda: account.ads.smart_plus_ad_appeal(account.token, body=body))
    control("POST", f"ads/{ad}/approve")
    equal(appeal(), ("APPEAL_SUCCESSFUL", "ALL_AVAILABLE"))
