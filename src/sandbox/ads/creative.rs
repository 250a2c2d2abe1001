//! What one creative of a manual ad may be, and what TikTok adds to it.

use serde_json::{Map, Value, json};

use super::super::{
    Sandbox,
    accounts::Advertiser,
    create::{require, text},
    envelope::Refusal,
    item::{Item, Level},
    knobs, names,
    query::missing,
};

/// Longest ad text, in TikTok's units.
const MAX_TEXT: usize = 100;
/// Longest display name, in TikTok's units; also of an app's name.
const MAX_DISPLAY_NAME: usize = 40;
/// Most pictures in a carousel.
const MAX_PICTURES: usize = 35;
/// Most `utm_params`.
const MAX_UTM: usize = 14;

/// What an ad is made in.
pub(super) struct Surroundings<'a> {
    pub advertiser_id: &'a str,
    pub advertiser: &'a Advertiser,
    pub campaign: &'a Item,
    pub ad_group: &'a Item,
}

impl Surroundings<'_> {
    fn on_tiktok(&self) -> bool {
        let placements = self
            .ad_group
            .fields
            .get("placements")
            .and_then(Value::as_array);
        placements.is_some_and(|list| list.iter().any(|entry| entry == "PLACEMENT_TIKTOK"))
    }
}

/// How an ad gets its video.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Source {
    /// A file, shown under a made-up name.
    File,
    /// A file, posted for an account.
    SparkPush,
    /// A post that exists.
    SparkPull,
}

fn pictures(fields: &Map<String, Value>) -> usize {
    fields
        .get("image_ids")
        .and_then(Value::as_array)
        .map_or(0, Vec::len)
}

fn has(fields: &Map<String, Value>, name: &str) -> bool {
    !text(fields, name).is_empty()
}

impl Sandbox {
    /// The ad group that an ad is in, with all above it.
    pub(super) fn surroundings<'a>(
        &'a self,
        advertiser_id: &'a str,
        ad_group: u64,
    ) -> Result<Surroundings<'a>, Refusal> {
        let ad_group = self.row(advertiser_id, Level::AdGroup, ad_group);
        let campaign = ad_group
            .and_then(|row| row.campaign)
            .and_then(|id| self.row(advertiser_id, Level::Campaign, id));
        match (ad_group, campaign, self.advertiser(advertiser_id)) {
            (Some(ad_group), Some(campaign), Ok(advertiser)) => Ok(Surroundings {
                advertiser_id,
                advertiser,
                campaign,
                ad_group,
            }),
            _ => Err(missing("adgroup_id")),
        }
    }

    /// Made-up identities are going away where TikTok is among the placements. Shops, catalogs and Smart Creative are
    /// exempt.
    pub(super) fn check_custom_identity(
        &self,
        around: &Surroundings<'_>,
        fields: &Map<String, Value>,
    ) -> Result<(), Refusal> {
        let refused = !self.allows_custom_identity(around.advertiser_id, around.advertiser);
        let exempt = around.campaign.text("objective_type") == "PRODUCT_SALES";
        if text(fields, "identity_type") == "CUSTOMIZED_USER"
            && refused
            && !exempt
            && around.on_tiktok()
        {
            return Err(Refusal::parameter(
                "Custom identities are no longer supported.",
            ));
        }
        Ok(())
    }

    /// Whether an account may make ads under a made-up identity on TikTok.
    pub(super) fn allows_custom_identity(
        &self,
        advertiser_id: &str,
        advertiser: &Advertiser,
    ) -> bool {
        match self.knobs.text(&knobs::CUSTOM_IDENTITY, advertiser_id) {
            "accept" => true,
            "refuse" => false,
            _ => advertiser.can_use_custom_identity,
        }
    }

    /// Checks a creative and settles what TikTok changes in silence.
    pub(super) fn settle_creative(
        &self,
        around: &Surroundings<'_>,
        fields: &mut Map<String, Value>,
    ) -> Result<(), Refusal> {
        require(fields, &["ad_format"])?;
        check_identity(around, fields)?;
        let source = source(fields)?;
        if around.advertiser.ads_only_mode
            && source == Source::SparkPush
            && text(fields, "dark_post_status") != "ON"
        {
            return Err(Refusal::parameter(
                "dark_post_status: Must be ON, because the ad account is in ads-only mode.",
            ));
        }
        check_media(fields, source)?;
        check_texts(fields, source)?;
        settle_call_to_action(around, fields)?;
        check_destination(around, fields)
    }
}

fn check_identity(around: &Surroundings<'_>, fields: &Map<String, Value>) -> Result<(), Refusal> {
    if around.on_tiktok() {
        require(fields, &["identity_type", "identity_id"])?;
    }
    let of_business = text(fields, "identity_type") == "BC_AUTH_TT";
    if of_business != has(fields, "identity_authorized_bc_id") {
        // TikTok's words; the field's name is identity_authorized_bc_id.
        return Err(Refusal::parameter(
            "Identity_type and Identity_bc_ID don't match",
        ));
    }
    Ok(())
}

fn source(fields: &Map<String, Value>) -> Result<Source, Refusal> {
    let (video, post) = (has(fields, "video_id"), has(fields, "tiktok_item_id"));
    match text(fields, "identity_type") {
        "TT_USER" | "BC_AUTH_TT" => match (video, post) {
            (true, true) => Err(Refusal::parameter(
                "video_id and tiktok_item_id cannot be specified at the same time.",
            )),
            (_, true) => Ok(Source::SparkPull),
            (false, false) if text(fields, "ad_format") == "SINGLE_VIDEO" => Err(
                Refusal::parameter("video_id: Either video_id or tiktok_item_id is required."),
            ),
            _ => Ok(Source::SparkPush),
        },
        "AUTH_CODE" if post => Ok(Source::SparkPull),
        "AUTH_CODE" => Err(missing("tiktok_item_id")),
        kind if post => Err(Refusal::parameter(format!(
            "tiktok_item_id is not supported for identity_type {}.",
            if kind.is_empty() { "UNSET" } else { kind }
        ))),
        _ => Ok(Source::File),
    }
}

fn check_media(fields: &Map<String, Value>, source: Source) -> Result<(), Refusal> {
    let pulls = source == Source::SparkPull;
    let count = pictures(fields);
    let format = text(fields, "ad_format");
    match format {
        "SINGLE_VIDEO" if pulls && count > 0 => Err(Refusal::parameter(
            "image_ids is not supported when tiktok_item_id is specified.",
        )),
        "SINGLE_VIDEO" if pulls => Ok(()),
        "SINGLE_VIDEO" if !has(fields, "video_id") => Err(missing("video_id")),
        "SINGLE_VIDEO" | "SINGLE_IMAGE" if count == 0 => {
            Err(Refusal::parameter("You must upload an image"))
        }
        "SINGLE_VIDEO" | "SINGLE_IMAGE" if count > 1 => Err(Refusal::parameter(
            "image_ids: Longer than maximum length 1.",
        )),
        "SINGLE_IMAGE" | "CAROUSEL_ADS" if has(fields, "video_id") => Err(Refusal::parameter(
            format!("video_id is not supported for ad_format {format}."),
        )),
        "CAROUSEL_ADS" if pulls => Ok(()),
        "CAROUSEL_ADS" if count == 0 || count > MAX_PICTURES => Err(Refusal::parameter(format!(
            "image_ids: Length must be between 1 and {MAX_PICTURES}."
        ))),
        "CAROUSEL_ADS" | "CATALOG_CAROUSEL" if !has(fields, "music_id") => Err(missing("music_id")),
        _ => Ok(()),
    }
}

fn check_texts(fields: &Map<String, Value>, source: Source) -> Result<(), Refusal> {
    let shown = text(fields, "ad_text");
    let format = text(fields, "ad_format");
    if shown.is_empty()
        && source == Source::File
        && ["SINGLE_VIDEO", "SINGLE_IMAGE"].contains(&format)
    {
        return Err(missing("ad_text"));
    }
    for (name, most) in [
        ("ad_text", MAX_TEXT),
        ("display_name", MAX_DISPLAY_NAME),
        ("app_name", MAX_DISPLAY_NAME),
    ] {
        let value = text(fields, name);
        if names::units(value) > most {
            return Err(Refusal::parameter(format!(
                "{name}: Longer than maximum length {most}."
            )));
        }
        if names::has_emoji(value) {
            return Err(Refusal::parameter(format!(
                "{name}: Emoji is not supported."
            )));
        }
    }
    if text(fields, "cpp_url").len() > 512 {
        return Err(Refusal::parameter(
            "cpp_url: Longer than maximum length 512.",
        ));
    }
    Ok(())
}

/// If both forms are given, the id wins and the word is ignored.
fn settle_call_to_action(
    around: &Surroundings<'_>,
    fields: &mut Map<String, Value>,
) -> Result<(), Refusal> {
    if has(fields, "call_to_action_id") {
        fields.remove("call_to_action");
    } else if !has(fields, "call_to_action")
        && around.on_tiktok()
        && !around.ad_group.text("promotion_type").is_empty()
    {
        return Err(missing("call_to_action"));
    }
    Ok(())
}

/// Where a click leads. `utm_params` are only recorded: what they say has to stand in the address already.
fn check_destination(
    around: &Surroundings<'_>,
    fields: &Map<String, Value>,
) -> Result<(), Refusal> {
    let address = text(fields, "landing_page_url");
    let page = fields.get("page_id").is_some_and(|page| !page.is_null());
    let catalog = has(fields, "product_specific_type");
    if around.ad_group.text("promotion_type") == "WEBSITE"
        && address.is_empty()
        && !page
        && !catalog
    {
        return Err(missing("landing_page_url"));
    }
    if !address.is_empty() && !address.starts_with("https://") && !address.starts_with("http://") {
        return Err(Refusal::parameter("landing_page_url: Not a valid URL."));
    }
    let params = fields.get("utm_params").and_then(Value::as_array);
    let params = params.map(Vec::as_slice).unwrap_or_default();
    if params.len() > MAX_UTM {
        return Err(Refusal::parameter(format!(
            "utm_params: Longer than maximum length {MAX_UTM}."
        )));
    }
    let query = address.split_once('?').map_or("", |(_, query)| query);
    for (index, param) in params.iter().enumerate() {
        let part = |name: &str| param.get(name).and_then(Value::as_str).unwrap_or_default();
        let (key, value) = (part("key"), part("value"));
        for (name, value, most) in [("key", key, 100), ("value", value, 600)] {
            if value.is_empty() {
                return Err(missing(&format!("utm_params.{index}.{name}")));
            }
            if value.chars().count() > most {
                return Err(Refusal::parameter(format!(
                    "utm_params.{index}.{name}: Longer than maximum length {most}."
                )));
            }
        }
        let pair = format!("{key}={value}");
        if !catalog && !query.split('&').any(|entry| entry == pair) {
            return Err(Refusal::parameter(format!(
                "utm_params.{index}: Does not match landing_page_url."
            )));
        }
    }
    Ok(())
}

/// Carousels stay carousels, and nothing else becomes one.
pub(super) fn check_format_kept(
    old: &Map<String, Value>,
    new: &Map<String, Value>,
) -> Result<(), Refusal> {
    let carousel = |fields| {
        matches!(
            text(fields, "ad_format"),
            "CAROUSEL_ADS" | "CATALOG_CAROUSEL"
        )
    };
    let changes = text(old, "ad_format") != text(new, "ad_format");
    if changes && has(new, "ad_format") && (carousel(old) || carousel(new)) {
        return Err(Refusal::parameter(
            "ad_format: Cannot be changed from or to a carousel.",
        ));
    }
    Ok(())
}

/// Whether a change of this field sends the ad to review again.
pub(super) fn is_reviewed(name: &str) -> bool {
    name != "ad_name"
        && name != "utm_params"
        && !name.starts_with("tracking_")
        && !name.ends_with("_tracking_url")
        && !name.contains("postbid_partner")
        && !name.ends_with("_vast_url")
}

/// What a row holds where nothing was sent: the official example's answer to a create.
pub(super) fn complete(around: &Surroundings<'_>, fields: &mut Map<String, Value>) {
    complete_in(around.ad_group, fields);
}

fn complete_in(ad_group: &Item, fields: &mut Map<String, Value>) {
    for (name, value) in [
        ("identity_type", json!("UNSET")),
        ("identity_id", json!("")),
        ("profile_image_url", json!("")),
        ("display_name", json!("")),
        ("playable_url", json!("")),
        ("landing_page_url", json!("")),
        ("avatar_icon_web_uri", json!("")),
        ("fallback_type", json!("UNSET")),
        ("viewability_postbid_partner", json!("UNSET")),
        ("brand_safety_postbid_partner", json!("UNSET")),
        ("deeplink_type", json!("NORMAL")),
        ("tracking_pixel_id", json!(0)),
        ("creative_authorized", json!(false)),
        ("vast_moat_enabled", json!(false)),
        ("is_aco", json!(false)),
        ("is_new_structure", json!(true)),
    ] {
        let entry = fields.entry(name).or_insert(Value::Null);
        if entry.is_null() {
            *entry = value;
        }
    }
    if let Some(event) = ad_group.fields.get("optimization_event") {
        fields.insert("optimization_event".into(), event.clone());
    }
}

/// What a manual ad made in Ads Manager has where nothing is said: a video of an account of the advertiser.
pub(in crate::sandbox) fn made_outside(ad_group: &Item, fields: &mut Map<String, Value>) {
    for (name, value) in [
        ("ad_format", json!("SINGLE_VIDEO")),
        ("identity_type", json!("TT_USER")),
        ("identity_id", json!("made-in-ads-manager")),
        ("video_id", json!("v10033g50000madeinadsmanager0000")),
        ("image_ids", json!(["ad-site-i18n-sg/made-in-ads-manager"])),
        ("ad_text", json!("Made in Ads Manager")),
        ("call_to_action", json!("LEARN_MORE")),
        ("landing_page_url", json!("https://example.com/")),
    ] {
        fields.entry(name).or_insert(value);
    }
    complete_in(ad_group, fields);
}

/// The columns of a row, null where there is nothing.
pub(super) fn answer(columns: &[&str], row: &Map<String, Value>) -> Value {
    columns
        .iter()
        .map(|name| {
            (
                (*name).to_owned(),
                row.get(*name).cloned().unwrap_or_default(),
            )
        })
        .collect::<Map<String, Value>>()
        .into()
}
