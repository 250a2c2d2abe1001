"""What a connection asks: the user's role, pixels, and an exchange after an approval."""

import urllib.parse

import business_api_client as tiktok

from support import Account, case, control, equal, refused


@case
def the_role_in_a_business_center():
    account = Account(user_role="ANALYST", name="Kites")
    info = account.accounts.advertiser_info([account.advertiser], account.token)["data"]["list"][0]
    bc = info["owner_bc_id"]
    equal(info["role"], "ROLE_ADVERTISER")
    data = account.business_centers.bc_asset_get(bc, "ADVERTISER", account.token)["data"]
    equal(data["page_info"], {"page": 1, "page_size": 10, "total_number": 1, "total_page": 1})
    row = data["list"][0]
    equal((row["asset_id"], row["asset_name"], row["advertiser_role"]), (account.advertiser, "Kites", "ANALYST"))
    data = account.business_centers.bc_asset_get(
        bc, "ADVERTISER", account.token, filtering=tiktok.FilteringBcAssetGet(keyword="boats"), page=1, page_size=50)["data"]
    equal(data["list"], [])
    refused(40002, "page_size", lambda: account.business_centers.bc_asset_get(
        bc, "ADVERTISER", account.token, page_size=51))
    refused(40001, "Business Center", lambda: account.business_centers.bc_asset_get("7", "ADVERTISER", account.token))
    control("PATCH", "tokens", {"access_token": account.token, "scopes": [2, 4]})
    refused(40001, "scope", lambda: account.business_centers.bc_asset_get(bc, "ADVERTISER", account.token))


@case
def pixels_by_id_code_and_name():
    account = Account()
    made = [control("POST", "pixels", {"advertiser_id": account.advertiser, "pixel_name": name, "events": ["SHOPPING"]})
            for name in ["Shop", "Blog"]]
    listed = lambda **filters: account.measurement.pixel_list(account.advertiser, account.token, **filters)["data"]
    data = listed(page=1, page_size=20, order_by="EARLIEST_CREATE")
    equal([row["pixel_name"] for row in data["pixels"]], ["Shop", "Blog"])
    equal(data["page_info"]["total_number"], 2)
    for filters in [{"pixel_id": made[1]["pixel_id"]}, {"code": made[1]["pixel_code"]}, {"name": "blog"}]:
        rows = listed(**filters)["pixels"]
        equal([row["pixel_id"] for row in rows], [made[1]["pixel_id"]], filters)
    equal(listed()["pixels"][0]["events"][0]["optimization_event"], "SHOPPING")
    equal(listed(pixel_id="9")["pixels"], [])
    refused(40002, "page_size", lambda: listed(page_size=21))


@case
def an_approval_and_its_exchange():
    account = Account()
    approved = control("POST", "authorise", {
        "app_id": account.app_id, "state": "s", "redirect_uri": "http://localhost:8090/oauth/callback",
        "advertiser_ids": [account.advertiser], "scopes": [1, 4]})
    query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(approved["location"]).query))
    equal(query, {"auth_code": approved["auth_code"], "state": "s"})
    account.knobs(token_profile="expiry_refresh", token_lifetime_seconds="60")
    body = tiktok.Oauth2AccessTokenBody(app_id=account.app_id, secret=account.secret, auth_code=query["auth_code"])
    data = account.oauth.oauth2_access_token(body=body)["data"]
    equal((data["expires_in"], data["scope"]), (60, [1, 4]))
    assert data["refresh_token"], data
    rows = account.oauth.oauth2_advertiser_get(account.app_id, account.secret, data["access_token"])["data"]["list"]
    equal([row["advertiser_id"] for row in rows], [account.advertiser])
