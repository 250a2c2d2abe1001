"""What the cases share: an account of its own for each, with the official client on it, and the checks."""

import json
import os
import re
import time
import urllib.request

import business_api_client as tiktok
from business_api_client.tiktok_business.tiktok_exceptions import TiktokSDKError

URL = os.environ["SANDBOX_URL"].rstrip("/")


def control(method, path, body=None):
    request = urllib.request.Request(
        URL + "/sandbox/" + path,
        data=None if body is None else json.dumps(body).encode(),
        method=method,
    )
    with urllib.request.urlopen(request) as reply:
        return json.load(reply)


class Account:
    def __init__(self, **wanted):
        made = control("POST", "accounts", wanted)
        self.app_id, self.secret = made["app_id"], made["secret"]
        self.advertiser, self.token, self.auth_code = made["advertiser_id"], made["access_token"], made["auth_code"]
        configuration = tiktok.Configuration()
        configuration.host = URL
        client = tiktok.ApiClient(configuration)
        self.campaigns = tiktok.CampaignCreationApi(client)
        self.adgroups = tiktok.AdgroupApi(client)
        self.ads = tiktok.AdApi(client)
        self.oauth = tiktok.AuthenticationApi(client)
        self.accounts = tiktok.AccountManagementApi(client)
        self.business_centers = tiktok.BCApi(client)
        self.measurement = tiktok.MeasurementApi(client)
        self.key = 0
        self.knobs(rate="off")

    def knobs(self, **values):
        control("PATCH", "knobs?advertiser_id=" + self.advertiser, values)

    def fault(self, **fault):
        fault.setdefault("match", {})["advertiser_id"] = self.advertiser
        return control("POST", "faults", fault)["id"]

    def calls(self, path):
        counts = control("GET", "counts?advertiser_id=" + self.advertiser)["counts"]
        return counts.get("/open_api/v1.3" + path, {}).get("total", 0)

    def manual(self, name, **fields):
        fields = {"objective_type": "TRAFFIC", "budget_mode": "BUDGET_MODE_DAY", "budget": 50,
                  "operation_status": "DISABLE", **fields}
        body = tiktok.CampaignCreateBody(advertiser_id=self.advertiser, campaign_name=name, **fields)
        return self.campaigns.campaign_create(self.token, body=body)["data"]

    def smart_plus(self, name, **fields):
        self.key += 1
        fields = {"objective_type": "WEB_CONVERSIONS", "sales_destination": "WEBSITE", "budget": 60,
                  "operation_status": "DISABLE", "request_id": str(self.key), **fields}
        body = tiktok.SmartPlusCampaignCreateBody(advertiser_id=self.advertiser, campaign_name=name, **fields)
        return self.campaigns.smart_plus_campaign_create(self.token, body=body)["data"]

    def raw_manual(self, **fields):
        """A dict passes the client unchecked, whatever is in it."""
        body = {"advertiser_id": self.advertiser, "campaign_name": "raw", "objective_type": "TRAFFIC",
                "budget_mode": "BUDGET_MODE_DAY", "budget": 50, **fields}
        return self.campaigns.campaign_create(self.token, body=body)["data"]

    def adgroup(self, campaign, name, **fields):
        """In a TRAFFIC campaign: 20 a day for clicks on a website, disabled, from in an hour."""
        body = tiktok.AdgroupCreateBody(**self.adgroup_fields(campaign, name, **fields))
        return self.adgroups.adgroup_create(self.token, body=body)["data"]

    def raw_adgroup(self, campaign, name, **fields):
        body = self.adgroup_fields(campaign, name, **fields)
        return self.adgroups.adgroup_create(self.token, body=body)["data"]

    def adgroup_fields(self, campaign, name, **fields):
        return {"advertiser_id": self.advertiser, "campaign_id": campaign, "adgroup_name": name,
                "promotion_type": "WEBSITE", "placements": ["PLACEMENT_TIKTOK"], "location_ids": ["6252001"],
                "budget_mode": "BUDGET_MODE_DAY", "budget": 20, "schedule_type": "SCHEDULE_FROM_NOW",
                "schedule_start_time": in_hours(1), "optimization_goal": "CLICK", "bid_type": "BID_TYPE_NO_BID",
                "billing_event": "CPC", "pacing": "PACING_MODE_SMOOTH", "operation_status": "DISABLE", **fields}

    def smart_plus_adgroup(self, campaign, name, **fields):
        """In a WEB_CONVERSIONS campaign: purchases on a website, disabled; the money is the campaign's."""
        fields = self.smart_plus_adgroup_fields(campaign, name, **fields)
        fields["targeting_spec"] = tiktok.SmartPlusAdgroupCreateBodyTargetingSpec(**fields["targeting_spec"])
        body = tiktok.SmartPlusAdgroupCreateBody(**fields)
        return self.adgroups.smart_plus_adgroup_create(self.token, body=body)["data"]

    def raw_smart_plus_adgroup(self, campaign, name, **fields):
        body = self.smart_plus_adgroup_fields(campaign, name, **fields)
        return self.adgroups.smart_plus_adgroup_create(self.token, body=body)["data"]

    def smart_plus_adgroup_fields(self, campaign, name, **fields):
        self.key += 1
        return {"advertiser_id": self.advertiser, "campaign_id": campaign, "adgroup_name": name,
                "promotion_type": "WEBSITE", "optimization_goal": "CONVERT", "billing_event": "OCPM",
                "bid_type": "BID_TYPE_NO_BID", "pixel_id": "7123", "optimization_event": "SHOPPING",
                "schedule_type": "SCHEDULE_FROM_NOW", "schedule_start_time": in_hours(1),
                "placement_type": "PLACEMENT_TYPE_AUTOMATIC", "operation_status": "DISABLE",
                "targeting_spec": {"location_ids": ["6252001"]}, "request_id": str(self.key), **fields}

    def ad(self, adgroup, *creatives):
        """One call with these creatives; each a name or fields over those of a pushed Spark ad."""
        body = tiktok.AdCreateBody(advertiser_id=self.advertiser, adgroup_id=adgroup,
                                   creatives=[tiktok.AdcreateCreatives(**creative(one)) for one in creatives])
        return self.ads.ad_create(self.token, body=body)["data"]

    def raw_ad(self, adgroup, *creatives):
        body = {"advertiser_id": self.advertiser, "adgroup_id": adgroup,
                "creatives": [creative(one) for one in creatives]}
        return self.ads.ad_create(self.token, body=body)["data"]

    def smart_plus_ad(self, adgroup, name, **fields):
        """Two pushed Spark videos with a text, a dynamic call to action and a landing page, disabled."""
        body = tiktok.SmartPlusAdCreateBody(**self.smart_plus_ad_fields(adgroup, name, **fields))
        return self.ads.smart_plus_ad_create(self.token, body=body)["data"]

    def raw_smart_plus_ad(self, adgroup, name, **fields):
        body = self.smart_plus_ad_fields(adgroup, name, **fields)
        return self.ads.smart_plus_ad_create(self.token, body=body)["data"]

    def smart_plus_ad_fields(self, adgroup, name, **fields):
        return {"advertiser_id": self.advertiser, "adgroup_id": adgroup, "ad_name": name,
                "creative_list": [video("v1"), video("v2")], "ad_text_list": [{"ad_text": "Buy a kite"}],
                "landing_page_url_list": [{"landing_page_url": "https://example.com/kites"}],
                "ad_configuration": {"call_to_action_id": "8001"}, "operation_status": "DISABLE", **fields}

    def list(self, **arguments):
        return self.campaigns.campaign_get(self.advertiser, self.token, **arguments)["data"]

    def list_smart_plus(self, **arguments):
        return self.campaigns.smart_plus_campaign_get(self.advertiser, self.token, **arguments)["data"]

    def list_adgroups(self, **arguments):
        return self.adgroups.adgroup_get(self.advertiser, self.token, **arguments)["data"]

    def list_smart_plus_adgroups(self, **arguments):
        return self.adgroups.smart_plus_adgroup_get(self.advertiser, self.token, **arguments)["data"]

    def list_ads(self, **arguments):
        return self.ads.ad_get(self.advertiser, self.token, **arguments)["data"]

    def list_smart_plus_ads(self, **arguments):
        return self.ads.smart_plus_ad_get(self.advertiser, self.token, **arguments)["data"]


def creative(wanted):
    if isinstance(wanted, str):
        wanted = {"ad_name": wanted}
    return {"ad_format": "SINGLE_VIDEO", "identity_type": "TT_USER", "identity_id": "brand", "video_id": "v1",
            "image_ids": ["cover-1"], "ad_text": "Buy a kite", "call_to_action": "SHOP_NOW",
            "landing_page_url": "https://example.com/kites", "operation_status": "DISABLE", **wanted}


def video(name, **fields):
    return {"creative_info": {"ad_format": "SINGLE_VIDEO", "identity_type": "TT_USER", "identity_id": "brand",
                              "video_info": {"video_id": name}, "image_info": [{"web_uri": "cover-" + name}], **fields}}


def in_hours(hours):
    """A time of the platform's, which is UTC."""
    now = control("GET", "clock")["now_ms"] / 1000
    return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(now + hours * 3600))


def ids(data, name="campaign_id"):
    return [row[name] for row in data["list"]]


def equal(got, wanted, what=""):
    assert got == wanted, f"{what}: got {got!r}, wanted {wanted!r}"


def refused(code, text, call):
    """The client's exception says code and text in one sentence and nothing else."""
    try:
        reply = call()
    except TiktokSDKError as error:
        found = re.fullmatch(r"Error Code: (\d+), message: (.*), request_id: (\w{34})", str(error), re.DOTALL)
        assert found, str(error)
        equal(int(found[1]), code, str(error))
        assert text in found[2], f"{text!r} is not in {found[2]!r}"
        return
    raise AssertionError(f"not refused with {code}: {reply!r}")


CASES = []


def case(function):
    CASES.append(function)
    return function
