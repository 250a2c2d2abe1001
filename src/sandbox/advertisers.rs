//! `GET /advertiser/info/`.

use serde_json::{Value, json};

use super::{
    Sandbox,
    accounts::Advertiser,
    envelope::{PARAMETER, Refusal, Reply},
    query::{self, Params},
    tokens::Token,
};

impl Sandbox {
    /// `GET /advertiser/info/`.
    pub(super) fn advertiser_info(&self, token: &Token, params: &Params) -> Result<Reply, Refusal> {
        let ids = params
            .texts("advertiser_ids")?
            .ok_or_else(|| query::missing("advertiser_ids"))?;
        if ids.is_empty() || ids.len() > 100 {
            return Err(Refusal::new(
                PARAMETER,
                "advertiser_ids: Length must be between 1 and 100.",
            ));
        }
        let fields = params.texts("fields")?;
        let mut list = Vec::new();
        for (index, id) in ids.iter().enumerate() {
            if !query::is_id(id) {
                return Err(Refusal::parameter(format!(
                    "advertiser_ids.{index}: Not a valid int64 string."
                )));
            }
            self.check_granted(&token.grant, id)?;
            if let Some(advertiser) = self.accounts.advertisers.get(id) {
                list.push(select(advertiser_row(id, advertiser), fields.as_deref())?);
            }
        }
        Ok(Reply::ok(json!({ "list": list })))
    }
}

fn advertiser_row(id: &str, advertiser: &Advertiser) -> Value {
    json!({
        "advertiser_id": id,
        "name": advertiser.name,
        "company": "Sandbox Ltd",
        "status": advertiser.status,
        "role": advertiser.role,
        "currency": advertiser.currency,
        "timezone": advertiser.timezone,
        "display_timezone": if advertiser.timezone.starts_with("Etc/") { "UTC" } else { advertiser.timezone.as_str() },
        "balance": advertiser.balance,
        "country": advertiser.country,
        "industry": "290303",
        "rejection_reason": advertiser.rejection_reason,
        "create_time": advertiser.create_time,
        "can_use_custom_identity": advertiser.can_use_custom_identity,
        "ads_only_mode": advertiser.ads_only_mode,
        "owner_bc_id": (!advertiser.owner_bc_id.is_empty()).then_some(&advertiser.owner_bc_id),
        "language": "en",
        "contacter": "Sa*****x",
        "email": "s*****x@*******",
        "cellphone_number": "",
        "telephone_number": "",
        "address": Value::Null,
        "description": "",
        "license_no": "",
        "license_url": Value::Null,
        "promotion_area": "0",
        "advertiser_account_type": "AUCTION",
    })
}

fn select(row: Value, fields: Option<&[String]>) -> Result<Value, Refusal> {
    let (Some(fields), Value::Object(row)) = (fields, &row) else {
        return Ok(row);
    };
    let mut out = serde_json::Map::new();
    for (index, field) in fields.iter().enumerate() {
        let value = row.get(field).ok_or_else(|| unknown_column(index, field))?;
        out.insert(field.clone(), value.clone());
    }
    Ok(Value::Object(out))
}

/// TikTok's words for a column that the endpoint does not have.
pub(super) fn unknown_column(index: usize, field: &str) -> Refusal {
    Refusal::parameter(format!(
        "fields.{index}: this value is not acceptable, error is {field}"
    ))
}
