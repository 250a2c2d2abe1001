//! What a Smart+ ad must be like as a whole, in a create and after an update: TikTok checks the entire ad each time
//! (D:1843317390059522).

use std::sync::LazyLock;

use serde_json::{Map, Value};

use super::super::super::{
    create::{flag, text},
    envelope::Refusal,
    fields::SPARK_IDENTITIES,
    names::{has_emoji, units},
    query::missing,
};

/// What the rules of an ad depend on outside of it.
pub(super) struct Around<'a> {
    /// The campaign's.
    pub objective: &'a str,
    /// Whether the campaign promotes a catalog.
    pub catalog: bool,
    /// Whether the ad group's placements include TikTok itself.
    pub on_tiktok: bool,
    /// Whether the account may still show ads under a name that is no TikTok account's.
    pub custom_identity: bool,
    /// Whether the account must keep pushed posts off the profile.
    pub ads_only: bool,
    /// Whether Spark ads and lead ads on TikTok need `call_to_action_id`, as documented.
    pub dynamic_call_to_action: bool,
    /// The most creatives.
    pub creatives: usize,
}

static NOTHING: LazyLock<Map<String, Value>> = LazyLock::new(Map::new);

/// The members of an object in a field; none if it is not there.
pub(in crate::sandbox) fn object<'a>(
    fields: &'a Map<String, Value>,
    name: &str,
) -> &'a Map<String, Value> {
    fields
        .get(name)
        .and_then(Value::as_object)
        .unwrap_or_else(|| &NOTHING)
}

/// The objects of a list in a field; none if it is not there.
pub(in crate::sandbox) fn objects<'a>(
    fields: &'a Map<String, Value>,
    name: &str,
) -> impl Iterator<Item = &'a Map<String, Value>> {
    fields
        .get(name)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_object)
}

fn has(fields: &Map<String, Value>, name: &str) -> bool {
    match fields.get(name) {
        None | Some(Value::Null) => false,
        Some(Value::Array(list)) => !list.is_empty(),
        Some(Value::String(text)) => !text.is_empty(),
        Some(_) => true,
    }
}

/// Refuses an ad that breaks a rule.
pub(super) fn check(fields: &Map<String, Value>, around: &Around<'_>) -> Result<(), Refusal> {
    let configuration = object(fields, "ad_configuration");
    if objects(fields, "creative_list").count() > around.creatives {
        return Err(Refusal::parameter(format!(
            "creative_list: Longer than maximum length {}.",
            around.creatives
        )));
    }
    for (index, creative) in objects(fields, "creative_list").enumerate() {
        let place = format!("creative_list.{index}.creative_info");
        let info = object(creative, "creative_info");
        let identity = if has(info, "identity_type") {
            info
        } else {
            configuration
        };
        check_identity(&place, identity, around)?;
        check_material(&place, info, text(identity, "identity_type"))?;
    }
    check_texts(fields)?;
    check_call_to_action(fields, around)?;
    for (index, deeplink) in objects(fields, "deeplink_list").enumerate() {
        for (one, other) in [("deeplink", "deeplink_type"), ("deeplink_type", "deeplink")] {
            if has(deeplink, one) && !has(deeplink, other) {
                return Err(missing(&format!("deeplink_list.{index}.{other}")));
            }
        }
    }
    check_configuration(configuration, around)
}

/// Whether an ad is shown under a name that is no TikTok account's.
pub(super) fn has_custom_identity(fields: &Map<String, Value>) -> bool {
    objects(fields, "creative_list")
        .map(|creative| object(creative, "creative_info"))
        .chain([object(fields, "ad_configuration")])
        .any(|identity| text(identity, "identity_type") == "CUSTOMIZED_USER")
}

/// Who shows the ad.
fn check_identity(
    place: &str,
    identity: &Map<String, Value>,
    around: &Around<'_>,
) -> Result<(), Refusal> {
    let kind = text(identity, "identity_type");
    if kind.is_empty() {
        return Err(missing(&format!("{place}.identity_type")));
    }
    if !has(identity, "identity_id") {
        return Err(missing(&format!("{place}.identity_id")));
    }
    // Rows of other identities say "0", and what is read may be sent back.
    let center = !matches!(text(identity, "identity_authorized_bc_id"), "" | "0");
    if center != (kind == "BC_AUTH_TT") {
        return Err(Refusal::parameter(
            "Identity_type and Identity_bc_ID don't match",
        ));
    }
    if kind == "CUSTOMIZED_USER" && around.on_tiktok && !around.custom_identity {
        return Err(Refusal::parameter(
            "Custom identities are no longer supported.",
        ));
    }
    Ok(())
}

/// What a creative shows.
fn check_material(place: &str, info: &Map<String, Value>, identity: &str) -> Result<(), Refusal> {
    let images = objects(info, "image_info").count();
    if has(info, "tiktok_item_id") {
        if !SPARK_IDENTITIES.contains(&identity) {
            return Err(Refusal::parameter(format!(
                "{place}.tiktok_item_id is not supported when identity_type is {identity}."
            )));
        }
        if has(info, "video_info") || images > 0 {
            return Err(Refusal::parameter(format!(
                "{place}.tiktok_item_id cannot be specified together with video_info or image_info."
            )));
        }
        return Ok(());
    }
    if identity == "AUTH_CODE" {
        // A code authorises one post, which is what the ad shows.
        return Err(missing(&format!("{place}.tiktok_item_id")));
    }
    let format = text(info, "ad_format");
    let (video, music) = (has(info, "video_info"), has(info, "music_info"));
    if format == "SINGLE_VIDEO" {
        if !video {
            return Err(missing(&format!("{place}.video_info")));
        }
        return match images {
            0 => Err(Refusal::parameter("You must upload an image")),
            1 => Ok(()),
            _ => Err(Refusal::parameter(format!(
                "{place}.image_info: Longer than maximum length 1."
            ))),
        };
    }
    if video {
        return Err(Refusal::parameter(format!(
            "{place}.video_info is not supported when ad_format is {format}."
        )));
    }
    if !music {
        return Err(missing(&format!("{place}.music_info")));
    }
    if format == "CAROUSEL_ADS" && images == 0 {
        return Err(Refusal::parameter("You must upload an image"));
    }
    Ok(())
}

fn check_texts(fields: &Map<String, Value>) -> Result<(), Refusal> {
    let all_pulled = objects(fields, "creative_list")
        .all(|creative| has(object(creative, "creative_info"), "tiktok_item_id"));
    if !all_pulled && !has(fields, "ad_text_list") {
        return Err(missing("ad_text_list"));
    }
    for (index, entry) in objects(fields, "ad_text_list").enumerate() {
        let words = text(entry, "ad_text");
        let place = format!("ad_text_list.{index}.ad_text");
        if has_emoji(words) {
            return Err(Refusal::parameter(format!(
                "{place}: Emoji is not supported."
            )));
        }
        if !(1..=100).contains(&units(words)) {
            return Err(Refusal::parameter(format!(
                "{place}: Length must be between 1 and 100."
            )));
        }
    }
    Ok(())
}

fn check_call_to_action(fields: &Map<String, Value>, around: &Around<'_>) -> Result<(), Refusal> {
    let configuration = object(fields, "ad_configuration");
    let dynamic = has(configuration, "call_to_action_id");
    let spark = objects(fields, "creative_list").any(|creative| {
        let kind = text(object(creative, "creative_info"), "identity_type");
        SPARK_IDENTITIES.contains(&kind)
    });
    let documented = around.dynamic_call_to_action
        && around.on_tiktok
        && (around.objective == "LEAD_GENERATION" || spark);
    if documented && has(fields, "call_to_action_list") {
        return Err(Refusal::parameter(
            "call_to_action_list is not supported for this ad. Please use call_to_action_id instead.",
        ));
    }
    if documented && !dynamic {
        return Err(missing("ad_configuration.call_to_action_id"));
    }
    if around.on_tiktok && !dynamic && !has(fields, "call_to_action_list") {
        return Err(missing("call_to_action_list"));
    }
    Ok(())
}

fn check_configuration(
    configuration: &Map<String, Value>,
    around: &Around<'_>,
) -> Result<(), Refusal> {
    if around.ads_only && text(configuration, "dark_post_status") == "OFF" {
        return Err(Refusal::parameter(
            "ad_configuration.dark_post_status: Must be ON because the ad account shows posts through ads only.",
        ));
    }
    if around.catalog {
        let needed = match text(configuration, "product_specific_type") {
            "" => Some("product_specific_type"),
            "PRODUCT_SET" => Some("product_set_id"),
            "CUSTOMIZED_PRODUCTS" => Some("product_ids"),
            _ => None,
        };
        if let Some(name) = needed.filter(|name| !has(configuration, name)) {
            return Err(missing(&format!("ad_configuration.{name}")));
        }
    } else if flag(configuration, "catalog_creative_toggle") {
        return Err(Refusal::parameter(
            "ad_configuration.catalog_creative_toggle is only supported when catalog_enabled is true.",
        ));
    }
    for list in ["utm_params", "deeplink_utm_params"] {
        for (index, entry) in objects(configuration, list).enumerate() {
            for (name, most) in [("key", 100), ("value", 600)] {
                if text(entry, name).chars().count() > most {
                    return Err(Refusal::parameter(format!(
                        "ad_configuration.{list}.{index}.{name}: Longer than maximum length {most}."
                    )));
                }
            }
        }
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use serde_json::json;

    use super::*;

    fn around() -> Around<'static> {
        Around {
            objective: "WEB_CONVERSIONS",
            catalog: false,
            on_tiktok: true,
            custom_identity: false,
            ads_only: false,
            dynamic_call_to_action: true,
            creatives: 50,
        }
    }

    fn ad(info: Value) -> Map<String, Value> {
        let mut creative = json!({
            "ad_format": "SINGLE_VIDEO", "identity_type": "TT_USER", "identity_id": "brand",
            "video_info": {"video_id": "v"}, "image_info": [{"web_uri": "i"}],
        });
        for (name, value) in info.as_object().unwrap() {
            creative[name] = value.clone();
        }
        let ad = json!({
            "creative_list": [{ "creative_info": creative }], "ad_text_list": [{"ad_text": "Buy a kite"}],
            "ad_configuration": {"call_to_action_id": "1"},
        });
        ad.as_object().unwrap().clone()
    }

    fn refusal(ad: &Map<String, Value>, around: &Around<'_>) -> String {
        check(ad, around).unwrap_err().message
    }

    #[test]
    fn creatives_of_each_kind() {
        let none = Value::Null;
        for info in [
            json!({}),
            json!({"tiktok_item_id": "7", "video_info": none, "image_info": none}),
            json!({"identity_type": "BC_AUTH_TT", "identity_authorized_bc_id": "7"}),
            json!({"identity_authorized_bc_id": "0"}),
            json!({"ad_format": "CAROUSEL_ADS", "video_info": none, "music_info": {"music_id": "1"}}),
        ] {
            assert_eq!(check(&ad(info.clone()), &around()), Ok(()), "{info}");
        }
        for (info, text) in [
            (json!({"image_info": []}), "You must upload an image"),
            (
                json!({"image_info": [{"web_uri": "a"}, {"web_uri": "b"}]}),
                "image_info: Longer",
            ),
            (
                json!({"video_info": none}),
                "creative_list.0.creative_info.video_info: Missing",
            ),
            (
                json!({"tiktok_item_id": "7"}),
                "cannot be specified together",
            ),
            (
                json!({"identity_type": "AUTH_CODE"}),
                "tiktok_item_id: Missing",
            ),
            (
                json!({"identity_type": "CUSTOMIZED_USER"}),
                "Custom identities are no longer supported.",
            ),
            (
                json!({"identity_type": "BC_AUTH_TT"}),
                "Identity_type and Identity_bc_ID don't match",
            ),
            (
                json!({"identity_authorized_bc_id": "7"}),
                "Identity_type and Identity_bc_ID don't match",
            ),
            (json!({"identity_type": none}), "identity_type: Missing"),
            (json!({"identity_id": none}), "identity_id: Missing"),
            (
                json!({"ad_format": "CAROUSEL_ADS"}),
                "video_info is not supported",
            ),
            (
                json!({"ad_format": "CAROUSEL_ADS", "video_info": none}),
                "music_info: Missing",
            ),
            (
                json!({"ad_format": "CAROUSEL_ADS", "video_info": none, "image_info": none,
                       "music_info": {"music_id": "1"}}),
                "You must upload an image",
            ),
        ] {
            let message = refusal(&ad(info.clone()), &around());
            assert!(message.contains(text), "{info}: {message}");
        }
    }

    #[test]
    fn a_name_of_ones_own_is_left_to_old_accounts_and_other_placements() {
        let own = ad(json!({"identity_type": "CUSTOMIZED_USER"}));
        assert!(
            check(
                &own,
                &Around {
                    custom_identity: true,
                    ..around()
                }
            )
            .is_ok()
        );
        assert!(
            check(
                &own,
                &Around {
                    on_tiktok: false,
                    ..around()
                }
            )
            .is_ok()
        );
        let pulled = ad(
            json!({"identity_type": "CUSTOMIZED_USER", "tiktok_item_id": "7", "video_info": null}),
        );
        let old = Around {
            custom_identity: true,
            ..around()
        };
        assert!(refusal(&pulled, &old).contains("tiktok_item_id is not supported"));
    }

    #[test]
    fn the_call_to_action_is_dynamic_where_tiktok_says_so() {
        let mut by_list = ad(json!({}));
        by_list.insert("ad_configuration".into(), json!({}));
        by_list.insert(
            "call_to_action_list".into(),
            json!([{"call_to_action": "SHOP_NOW"}]),
        );
        assert!(refusal(&by_list, &around()).contains("Please use call_to_action_id"));
        let either = Around {
            dynamic_call_to_action: false,
            ..around()
        };
        assert_eq!(check(&by_list, &either), Ok(()));
        assert_eq!(
            check(
                &by_list,
                &Around {
                    on_tiktok: false,
                    ..around()
                }
            ),
            Ok(())
        );
        by_list.remove("call_to_action_list");
        assert!(refusal(&by_list, &around()).contains("call_to_action_id: Missing"));
        assert!(refusal(&by_list, &either).contains("call_to_action_list: Missing"));
        assert_eq!(
            check(
                &by_list,
                &Around {
                    on_tiktok: false,
                    ..around()
                }
            ),
            Ok(())
        );
    }

    #[test]
    fn catalogs_deeplinks_and_parameters() {
        let mut catalog = ad(json!({}));
        let shop = Around {
            catalog: true,
            ..around()
        };
        assert!(refusal(&catalog, &shop).contains("product_specific_type: Missing"));
        catalog.insert(
            "ad_configuration".into(),
            json!({"call_to_action_id": "1", "product_specific_type": "PRODUCT_SET"}),
        );
        assert!(refusal(&catalog, &shop).contains("product_set_id: Missing"));
        catalog.insert(
            "ad_configuration".into(),
            json!({"call_to_action_id": "1", "product_specific_type": "ALL", "dark_post_status": "OFF",
                   "utm_params": [{"key": "k", "value": "v".repeat(601)}]}),
        );
        assert!(refusal(&catalog, &shop).contains("utm_params.0.value: Longer"));
        assert!(
            refusal(
                &catalog,
                &Around {
                    ads_only: true,
                    ..shop
                }
            )
            .contains("dark_post_status")
        );
        let mut linked = ad(json!({}));
        linked.insert("deeplink_list".into(), json!([{"deeplink": "kites://"}]));
        assert!(refusal(&linked, &around()).contains("deeplink_list.0.deeplink_type: Missing"));
    }
}
