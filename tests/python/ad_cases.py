"""Ads of the manual tree."""

import business_api_client as tiktok

from support import Account, case, control, equal, ids, refused


def parents(account):
    campaign = account.manual("c", operation_status="ENABLE")["campaign_id"]
    return campaign, account.adgroup(campaign, "g", operation_status="ENABLE")["adgroup_id"]


def row(account, ad):
    filtering = tiktok.FilteringAdGet(ad_ids=[ad], primary_status="STATUS_ALL")
    return account.list_ads(filtering=filtering)["list"][0]


@case
def ad_create_answers_the_official_examples_fields():
    account = Account()
    campaign, adgroup = parents(account)
    data = account.ad(adgroup, "one", dict(ad_name="two", video_id="v2", image_ids=["cover-2"]))
    equal(sorted(data), ["ad_ids", "creatives", "need_audit"])
    equal(data["ad_ids"], [creative["ad_id"] for creative in data["creatives"]])
    equal([creative["ad_name"] for creative in data["creatives"]], ["one", "two"])
    for field in [
            "ad_id", "ad_name", "adgroup_id", "adgroup_name", "campaign_id", "campaign_name", "advertiser_id",
            "operation_status", "ad_format", "ad_text", "ad_texts", "video_id", "image_ids", "music_id", "call_to_action",
            "call_to_action_id", "landing_page_url", "landing_page_urls", "identity_id", "identity_type", "display_name",
            "deeplink", "deeplink_type", "card_id", "page_id", "creative_authorized", "creative_type", "fallback_type",
            "is_aco", "is_new_structure", "playable_url", "tracking_pixel_id", "impression_tracking_url",
            "click_tracking_url", "profile_image_url", "avatar_icon_web_uri", "create_time", "modify_time"]:
        assert field in data["creatives"][0], field
    assert "secondary_status" not in data["creatives"][0]
    equal((data["creatives"][0]["deeplink_type"], data["creatives"][0]["creative_authorized"]), ("NORMAL", False))


@case
def ad_get_update_status():
    account = Account()
    campaign, adgroup = parents(account)
    ad = account.ad(adgroup, "one")["ad_ids"][0]
    found = row(account, ad)
    equal((found["campaign_id"], found["adgroup_id"], found["adgroup_name"], found["video_id"]),
          (campaign, adgroup, "g", "v1"))
    # patch_update changes nine fields one by one, the rest stays.
    creative = tiktok.AdupdateCreatives(ad_id=ad, ad_text="Buy two kites")
    body = tiktok.AdUpdateBody(advertiser_id=account.advertiser, adgroup_id=adgroup, patch_update=True,
                               creatives=[creative])
    data = account.ads.ad_update(account.token, body=body)["data"]
    equal(data["ad_ids"], [ad])
    equal((row(account, ad)["ad_text"], row(account, ad)["ad_name"], row(account, ad)["video_id"]),
          ("Buy two kites", "one", "v1"))
    for operation, secondary in [("DISABLE", "AD_STATUS_DISABLE"), ("DELETE", "AD_STATUS_DELETE")]:
        body = tiktok.AdStatusUpdateBody(advertiser_id=account.advertiser, ad_ids=[ad], operation_status=operation)
        data = account.ads.ad_status_update(account.token, body=body)["data"]
        equal((data["ad_ids"], data["status"]), ([ad], operation))
        equal(row(account, ad)["secondary_status"], secondary)
    equal(account.list_ads()["list"], [], "deleted ones are hidden")
    refused(40002, "deleted", lambda: account.ads.ad_status_update(account.token, body=body))


@case
def a_full_ad_update_replaces_the_creative():
    account = Account()
    _, adgroup = parents(account)
    ad = account.ad(adgroup, dict(ad_name="one", click_tracking_url="https://example.com/click"))["ad_ids"][0]
    creative = tiktok.AdupdateCreatives(
        ad_id=ad, ad_name="new", ad_format="SINGLE_VIDEO", identity_type="TT_USER", identity_id="brand", video_id="v9",
        image_ids=["cover-9"], ad_text="Fly", call_to_action="LEARN_MORE", landing_page_url="https://example.com/new")
    body = tiktok.AdUpdateBody(advertiser_id=account.advertiser, adgroup_id=adgroup, creatives=[creative])
    account.ads.ad_update(account.token, body=body)
    found = row(account, ad)
    equal((found["ad_name"], found["video_id"], found["landing_page_url"]), ("new", "v9", "https://example.com/new"))
    equal(found["click_tracking_url"], None, "what was not sent is gone")


@case
def ad_filters():
    account = Account()
    campaign, adgroup = parents(account)
    other = account.adgroup(campaign, "other")["adgroup_id"]
    a, b = account.ad(adgroup, "a one", "b two")["ad_ids"]
    c = account.ad(other, "c three")["ad_ids"][0]
    for arguments, wanted in [
        (dict(adgroup_ids=[adgroup]), [b, a]),
        (dict(campaign_ids=[campaign]), [c, b, a]),
        (dict(ad_ids=[c, "1"]), [c]),
        (dict(ad_name="TWO"), [b]),
        (dict(modified_after="2001-01-01 00:00:00"), [c, b, a]),
        (dict(modified_after="2037-01-01 00:00:00"), []),
        (dict(primary_status="STATUS_DELETE"), []),
    ]:
        equal(ids(account.list_ads(filtering=tiktok.FilteringAdGet(**arguments)), "ad_id"), wanted, arguments)
    refused(40002, "error is thumbnail_url", lambda: account.list_ads(fields=["ad_id", "thumbnail_url"]))
    refused(40011, "ad_ids", lambda: account.list_ads(
        filtering=tiktok.FilteringAdGet(ad_ids=[str(number) for number in range(101)])))


@case
def refused_ads():
    account = Account()
    campaign, adgroup = parents(account)
    foreign = Account()
    theirs = foreign.adgroup(foreign.manual("c")["campaign_id"], "g")["adgroup_id"]
    for fields, text in [
        (dict(image_ids=None), "You must upload an image"),
        (dict(video_id=None), "video_id"),
        (dict(tiktok_item_id="77"), "tiktok_item_id"),
        (dict(identity_type="BC_AUTH_TT"), "Identity_type and Identity_bc_ID don't match"),
        (dict(identity_type="CUSTOMIZED_USER"), "Custom identities are no longer supported."),
        (dict(ad_text="x" * 101), "ad_text"),
        (dict(ad_text="夏" * 51), "ad_text"),
        (dict(ad_text="🔥"), "ad_text"),
        (dict(ad_name="🔥"), "Emoji"),
        (dict(ad_format="POSTER"), "ad_format"),
        (dict(call_to_action=None), "call_to_action"),
        (dict(video_id=5), "video_id: Not a valid string."),
    ]:
        refused(40002, text, lambda: account.raw_ad(adgroup, {"ad_name": "x", **fields}))
    refused(40002, "does not exist", lambda: account.raw_ad(theirs, "x"))
    refused(40002, "creatives", lambda: account.raw_ad(adgroup))
    refused(40002, "creatives", lambda: account.raw_ad(adgroup, *["x"] * 21))
    equal(account.list_ads()["list"], [])
    # An old account may still show ads under a name of its own.
    old = Account(can_use_custom_identity=True)
    _, adgroup = parents(old)
    old.ad(adgroup, dict(ad_name="x", identity_type="CUSTOMIZED_USER", display_name="Kites"))


@case
def spark_posts():
    account = Account()
    _, adgroup = parents(account)
    pulled = dict(ad_name="pull", tiktok_item_id="7000000000000000077", video_id=None, image_ids=None, ad_text=None)
    found = row(account, account.ad(adgroup, pulled)["ad_ids"][0])
    equal((found["tiktok_item_id"], found["video_id"]), ("7000000000000000077", None))
    of_center = dict(pulled, identity_type="BC_AUTH_TT", identity_authorized_bc_id="7009")
    equal(row(account, account.ad(adgroup, of_center)["ad_ids"][0])["identity_authorized_bc_id"], "7009")
    refused(40002, "tiktok_item_id",
            lambda: account.raw_ad(adgroup, dict(pulled, identity_type="AUTH_CODE", tiktok_item_id=None)))


@case
def an_ad_of_a_deleted_parent():
    account = Account()
    campaign, adgroup = parents(account)
    ad = account.ad(adgroup, "one")["ad_ids"][0]
    body = tiktok.AdgroupStatusUpdateBody(advertiser_id=account.advertiser, adgroup_ids=[adgroup],
                                          operation_status="DELETE")
    account.adgroups.adgroup_status_update(account.token, body=body)
    equal(row(account, ad)["secondary_status"], "AD_STATUS_ADGROUP_DELETE")
    refused(40002, "deleted", lambda: account.raw_ad(adgroup, "two"))
    body = tiktok.AdStatusUpdateBody(advertiser_id=account.advertiser, ad_ids=[ad], operation_status="ENABLE")
    refused(40002, "deleted", lambda: account.ads.ad_status_update(account.token, body=body))


@case
def refused_ad_status_calls():
    account = Account()
    _, adgroup = parents(account)
    ad = account.ad(adgroup, "one")["ad_ids"][0]

    def status(ads, operation="ENABLE"):
        body = tiktok.AdStatusUpdateBody(advertiser_id=account.advertiser, ad_ids=ads, operation_status=operation)
        return account.ads.ad_status_update(account.token, body=body)

    refused(40002, "does not exist", lambda: status([ad, "1"]))
    equal(row(account, ad)["operation_status"], "DISABLE", "one bad id fails the call")
    refused(40011, "20", lambda: status([str(number) for number in range(21)]))
    refused(40002, "ad_ids", lambda: status([]))
    refused(40002, "operation_status", lambda: status([ad], "FROZEN"))


@case
def a_rejected_ad_does_not_run():
    account = Account()
    _, adgroup = parents(account)
    ad = account.ad(adgroup, dict(ad_name="one", operation_status="ENABLE"))["ad_ids"][0]
    control("POST", f"ads/{ad}/reject", {"reasons": ["No sound."]})
    equal(row(account, ad)["secondary_status"], "AD_STATUS_AUDIT_DENY")
    control("POST", f"ads/{ad}/approve")
    assert row(account, ad)["secondary_status"] != "AD_STATUS_AUDIT_DENY"
