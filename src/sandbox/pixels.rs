//! Pixels: `GET /pixel/list/`, and what puts one there.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    AccountError, Sandbox,
    envelope::{Refusal, Reply},
    fields::check_word,
    query::{self, Params},
    time,
};

/// Largest page.
const MOST_ROWS: u64 = 20;

/// A pixel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pixel {
    /// The id that ad groups name.
    pub pixel_id: String,
    /// The code that Events Manager shows.
    pub pixel_code: String,
    /// Its name.
    pub pixel_name: String,
    /// Milliseconds since 1970.
    pub created_at: i64,
    /// The optimisation events it knows: `SHOPPING`, `FORM`, …
    pub events: Vec<String>,
}

/// A pixel, as the control interface takes it. What is not said is made up.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NewPixel {
    /// Whose it is.
    pub advertiser_id: String,
    /// The id that ad groups name.
    pub pixel_id: Option<String>,
    /// The code that Events Manager shows.
    pub pixel_code: Option<String>,
    /// Its name.
    pub pixel_name: Option<String>,
    /// The optimisation events it knows.
    pub events: Vec<String>,
}

impl Sandbox {
    /// Adds a pixel to an advertiser.
    pub fn add_pixel(&mut self, now: i64, new: &NewPixel) -> Result<Pixel, AccountError> {
        self.advertiser(&new.advertiser_id)?;
        let taken = |id: &str| self.pixels.values().flatten().any(|one| one.pixel_id == id);
        if let Some(id) = new
            .pixel_id
            .as_deref()
            .filter(|id| !query::is_id(id) || taken(id))
        {
            return Err(AccountError::Value {
                field: "pixel_id",
                value: id.into(),
            });
        }
        let pixel_id = match &new.pixel_id {
            Some(id) => id.clone(),
            None => self.next_id(7_500_000_000_000_000_000),
        };
        let pixel = Pixel {
            pixel_code: match &new.pixel_code {
                Some(code) => code.clone(),
                None => self.next_hex(20).to_uppercase(),
            },
            pixel_name: new
                .pixel_name
                .clone()
                .unwrap_or_else(|| format!("Pixel {pixel_id}")),
            pixel_id,
            created_at: self.at(now),
            events: new.events.clone(),
        };
        self.pixels
            .entry(new.advertiser_id.clone())
            .or_default()
            .push(pixel.clone());
        Ok(pixel)
    }

    /// The pixels of an advertiser, oldest first.
    pub fn pixels_of(&self, advertiser_id: &str) -> &[Pixel] {
        self.pixels.get(advertiser_id).map_or(&[], Vec::as_slice)
    }

    /// Takes a pixel away. False if there is none of that id.
    pub fn remove_pixel(&mut self, pixel_id: &str) -> bool {
        let lists = self.pixels.values_mut();
        lists.into_iter().any(|list| {
            let before = list.len();
            list.retain(|pixel| pixel.pixel_id != pixel_id);
            list.len() < before
        })
    }

    /// `GET /pixel/list/`: by id, code, or a part of the name.
    pub(super) fn list_pixels(
        &self,
        advertiser_id: &str,
        params: &Params,
    ) -> Result<Reply, Refusal> {
        let page = query::Page::read(params, MOST_ROWS)?;
        let order = params.text("order_by").unwrap_or("EARLIEST_CREATE");
        check_word("order_by", order, &["EARLIEST_CREATE", "LATEST_CREATE"])?;
        if let Some(id) = params.text("pixel_id").filter(|id| !query::is_id(id)) {
            return Err(Refusal::parameter(format!(
                "pixel_id: {id} is not a valid int64 string."
            )));
        }
        let name = params.text("name").map(str::to_lowercase);
        let wanted = |name: &str, has: &str| params.text(name).is_none_or(|value| value == has);
        let mut found: Vec<&Pixel> = self
            .pixels_of(advertiser_id)
            .iter()
            .filter(|pixel| {
                wanted("pixel_id", &pixel.pixel_id)
                    && wanted("code", &pixel.pixel_code)
                    && name
                        .as_ref()
                        .is_none_or(|part| pixel.pixel_name.to_lowercase().contains(part))
            })
            .collect();
        if order == "LATEST_CREATE" {
            found.reverse();
        }
        let rows = found.into_iter().map(pixel_row).collect();
        Ok(Reply::ok(page.answer("pixels", rows)))
    }
}

fn pixel_row(pixel: &Pixel) -> Value {
    let events: Vec<Value> = pixel
        .events
        .iter()
        .map(|event| {
            json!({
                "name": event, "event_type": event, "optimization_event": event, "event_code": event,
                "deprecated": false, "currency": "", "currency_value": "", "statistic_type": "EVERY_TIME", "rules": [],
            })
        })
        .collect();
    json!({
        "pixel_id": pixel.pixel_id,
        "pixel_code": pixel.pixel_code,
        "pixel_name": pixel.pixel_name,
        "pixel_category": "ONLINE_STORE",
        "pixel_script": "",
        "create_time": time::datetime(pixel.created_at),
        "pixel_setup_mode": "DEVELOPER",
        "partner_name": "",
        "advanced_matching_fields": {"email": false, "phone_number": false},
        "asset_ownership": {"asset_relation_status": null, "ownership_status": true, "owner_bc_id": null},
        "events": events,
    })
}
