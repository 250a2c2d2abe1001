//! `GET /bc/asset/get/`: what a user may do with the assets of a Business Center (D:1739432717798401).

use serde_json::{Value, json};

use super::{
    Sandbox,
    accounts::Advertiser,
    envelope::{NO_PERMISSION, Refusal, Reply},
    fields::check_word,
    query::{self, Params, missing},
    tokens::Grant,
};

const ASSET_TYPES: &[&str] = &[
    "ADVERTISER",
    "CATALOG",
    "PIXEL",
    "LEAD",
    "TT_ACCOUNT",
    "BC_AUTH_TT",
    "TIKTOK_SHOP",
    "STOREFRONT",
    "MANAGED_BUSINESS_ACCOUNT",
];
/// Largest page.
const MOST_ROWS: u64 = 50;

impl Sandbox {
    /// `GET /bc/asset/get/`. Without a filter it is about the user who granted the token; there is nobody else.
    pub(super) fn bc_assets(&self, grant: &Grant, params: &Params) -> Result<Reply, Refusal> {
        let bc_id = params.text("bc_id").ok_or_else(|| missing("bc_id"))?;
        if !query::is_id(bc_id) {
            return Err(Refusal::parameter("bc_id: Not a valid int64 string."));
        }
        let asset_type = params
            .text("asset_type")
            .ok_or_else(|| missing("asset_type"))?;
        check_word("asset_type", asset_type, ASSET_TYPES)?;
        let filtering = params.json("filtering")?.unwrap_or_default();
        let filter = |name: &str| filtering.get(name).and_then(Value::as_str);
        if filter("user_id").is_some() && filter("user_email").is_some() {
            return Err(Refusal::parameter(
                "filtering: user_id and user_email cannot be used at the same time.",
            ));
        }
        let page = query::Page::read(params, MOST_ROWS)?;
        let mine = |advertiser: &Advertiser| {
            advertiser.owner_bc_id == bc_id && advertiser.user_id == grant.user_id
        };
        if !self.accounts.advertisers.values().any(mine) {
            return Err(Refusal::new(
                NO_PERMISSION,
                format!("No permission to operate Business Center {bc_id}."),
            ));
        }
        let user = filter("user_id").unwrap_or(&grant.user_id);
        let keyword = filter("keyword").unwrap_or_default().to_lowercase();
        let theirs =
            |advertiser: &Advertiser| advertiser.owner_bc_id == bc_id && advertiser.user_id == user;
        let found =
            |name: &str, id: &str| name.to_lowercase().contains(&keyword) || id.contains(&keyword);
        let advertisers = self
            .accounts
            .advertisers
            .iter()
            .filter(|(_, advertiser)| theirs(advertiser));
        let rows: Vec<Value> = match asset_type {
            // Nobody is invited here, so no assets are waiting for an email address.
            _ if filter("user_email").is_some() => Vec::new(),
            "ADVERTISER" => advertisers
                .filter(|(id, advertiser)| found(&advertiser.name, id))
                .map(|(id, advertiser)| {
                    let mut row = asset_row(asset_type, id, &advertiser.name, bc_id);
                    row["advertiser_status"] = json!(advertiser.status);
                    row["advertiser_account_type"] = json!("AUCTION");
                    row["advertiser_role"] = json!(advertiser.user_role);
                    row
                })
                .collect(),
            "PIXEL" => advertisers
                .flat_map(|(id, _)| self.pixels.get(id).into_iter().flatten())
                .filter(|pixel| found(&pixel.pixel_name, &pixel.pixel_id))
                .map(|pixel| {
                    let mut row = asset_row(asset_type, &pixel.pixel_id, &pixel.pixel_name, bc_id);
                    row["pixel_code"] = json!(pixel.pixel_code);
                    row
                })
                .collect(),
            _ => Vec::new(),
        };
        Ok(Reply::ok(page.answer("list", rows)))
    }
}

fn asset_row(asset_type: &str, id: &str, name: &str, bc_id: &str) -> Value {
    json!({
        "asset_type": asset_type,
        "asset_id": id,
        "asset_name": name,
        "relation_type": "OWNER_BC",
        "relation_status": "BOUND",
        "owner_bc_name": format!("Sandbox BC {bc_id}"),
        "advertiser_status": null,
        "advertiser_account_type": null,
        "advertiser_role": null,
        "catalog_role": null,
        "ad_creation_eligible": null,
        "store_role": null,
        "tt_account_roles": null,
        "pixel_code": null,
    })
}
