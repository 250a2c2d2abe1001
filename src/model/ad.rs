//! Ads: their spec in TikTok's words (reference 5.1, 5.6).

use serde_json::{Map, Value, json};

use super::reason::Reason;
use super::tiktok_names::TikTokName;
use super::wanted::{Group, Says, Wanted, World};
use crate::api::ad::{
    AdSpec, AigcDisclosure, Creative, Identity, IdentityType, SmartPlusCreative, SparkPost, Video,
};
use crate::api::common::Permission;
use crate::platform::{Kind, Tree, creative_key as key_of};

/// What an ad's spec asks of the platform.
pub fn wanted(spec: &AdSpec, world: &World) -> Wanted {
    let mut says = Says::new(Kind::Ad, world.tree);
    match world.tree {
        Tree::Manual => manual(&mut says, spec),
        Tree::SmartPlus => smart_plus(&mut says, spec),
    }
    both(&mut says, spec);
    Wanted {
        budget_mode: None,
        budget: None,
        fields: says.fields,
    }
}

/// What speaks against creating it.
pub fn may_create(spec: &AdSpec, world: &World) -> Result<(), (Reason, String)> {
    let wrong = match (world.tree, &spec.creative, &spec.creatives) {
        (Tree::Manual, None, _) => {
            "its campaign is Manual, where an ad has one creative: write spec.creative, spec.text and spec.callToAction instead of spec.creatives, spec.texts and spec.callsToAction"
        }
        (Tree::SmartPlus, _, None) => {
            "its campaign is SmartPlus, where an ad has a list of creatives: write spec.creatives, spec.texts and spec.callsToAction instead of spec.creative, spec.text and spec.callToAction"
        }
        _ => return Ok(()),
    };
    Err((Reason::TreeMismatch, wrong.into()))
}

/// By what a creative of a Smart+ ad is told from the others; `None` if the spec says nothing to tell it by.
pub fn creative_key(creative: &SmartPlusCreative) -> Option<String> {
    key_of(&creative_info(creative, None, None))
}

fn manual(says: &mut Says, spec: &AdSpec) {
    let group = Group::Settings;
    if let Some(creative) = &spec.creative {
        show(says, creative);
    }
    if let Some(identity) = &spec.identity {
        says.say(
            "identity.type",
            "identity_type",
            word(Some(identity.kind)),
            group,
        );
        says.say(
            "identity.id",
            "identity_id",
            Some(json!(identity.id)),
            group,
        );
        says.say(
            "identity.businessCenterId",
            "identity_authorized_bc_id",
            text(&identity.business_center_id),
            group,
        );
    }
    says.say("text", "ad_text", text(&spec.text), group);
    says.say(
        "callToAction",
        "call_to_action",
        word(spec.call_to_action),
        group,
    );
    says.say(
        "callToActionId",
        "call_to_action_id",
        text(&spec.call_to_action_id),
        group,
    );
    if let Some(page) = &spec.landing_page {
        says.say(
            "landingPage.url",
            "landing_page_url",
            Some(json!(page.url)),
            group,
        );
    }
    says.say(
        "displayName",
        "display_name",
        text(&spec.display_name),
        group,
    );
    says.say("appName", "app_name", text(&spec.app_name), group);
    says.say(
        "avatarImage",
        "avatar_icon_web_uri",
        text(&spec.avatar_image),
        group,
    );
    if let Some(link) = &spec.deeplink {
        says.say("deeplink.url", "deeplink", Some(json!(link.url)), group);
        says.say("deeplink.type", "deeplink_type", word(link.kind), group);
        says.say(
            "deeplink.format",
            "deeplink_format_type",
            word(link.format),
            group,
        );
    }
    let page = spec.page_ids.as_ref().and_then(|ids| ids.first());
    says.say("pageIds", "page_id", page.map(|id| json!(id)), group);
    says.say(
        "tiktokPageCategory",
        "tiktok_page_category",
        word(spec.tiktok_page_category),
        Group::Fixed,
    );
    says.say("cardId", "card_id", text(&spec.card_id), group);
    says.say(
        "playableUrl",
        "playable_url",
        text(&spec.playable_url),
        group,
    );
    says.say(
        "customProductPageUrl",
        "cpp_url",
        text(&spec.custom_product_page_url),
        group,
    );
    if let Some(t) = &spec.tracking {
        says.say(
            "tracking.pixelId",
            "tracking_pixel_id",
            text(&t.pixel_id),
            group,
        );
        let sets = t.offline_event_sets.as_ref().map(|sets| json!(sets));
        says.say(
            "tracking.offlineEventSets",
            "tracking_offline_event_set_ids",
            sets,
            group,
        );
        says.say(
            "tracking.videoViewUrl",
            "video_view_tracking_url",
            text(&t.video_view_url),
            group,
        );
        if let Some(m) = &t.viewability {
            let partner = word(Some(m.partner));
            says.say(
                "tracking.viewability.partner",
                "viewability_postbid_partner",
                partner,
                group,
            );
            says.say(
                "tracking.viewability.vastUrl",
                "viewability_vast_url",
                text(&m.vast_url),
                group,
            );
        }
        if let Some(m) = &t.brand_safety {
            let partner = word(Some(m.partner));
            says.say(
                "tracking.brandSafety.partner",
                "brand_safety_postbid_partner",
                partner,
                group,
            );
            says.say(
                "tracking.brandSafety.vastUrl",
                "brand_safety_vast_url",
                text(&m.vast_url),
                group,
            );
        }
    }
    if let Some(spark) = &spec.spark_ads {
        says.say(
            "sparkAds.duet",
            "item_duet_status",
            switch(spark.duet),
            group,
        );
        says.say(
            "sparkAds.stitch",
            "item_stitch_status",
            switch(spark.stitch),
            group,
        );
        let kept = spark
            .promotional_music
            .map(|p| json!(p == Permission::Blocked));
        says.say(
            "sparkAds.promotionalMusic",
            "promotional_music_disabled",
            kept,
            group,
        );
        let shown = spark.showcase.map(|p| json!(p == Permission::Allowed));
        says.say("sparkAds.showcase", "creative_authorized", shown, group);
    }
    says.say(
        "aigcDisclosure",
        "aigc_disclosure_type",
        word(spec.aigc_disclosure),
        group,
    );
    if let Some(disclaimer) = &spec.disclaimer {
        let plain = disclaimer.text.as_ref().map(|text| json!({ "text": text }));
        let links = disclaimer.links.as_ref().map(|links| {
            let links: Vec<Value> = links
                .iter()
                .map(|l| json!({ "text": l.text, "url": l.url }))
                .collect();
            json!(links)
        });
        let kind = if links.is_some() {
            "TEXT_LINK"
        } else {
            "TEXT_ONLY"
        };
        says.say_once("disclaimer", "disclaimer_type", json!(kind), group);
        says.say("disclaimer.text", "disclaimer_text", plain, group);
        says.say(
            "disclaimer.links",
            "disclaimer_clickable_texts",
            links,
            group,
        );
    }
}

/// What a Manual ad shows.
fn show(says: &mut Says, creative: &Creative) {
    let group = Group::Settings;
    says.say(
        "creative.format",
        "ad_format",
        word(Some(creative.format)),
        group,
    );
    let video = creative.video.as_ref();
    says.say(
        "creative.video.id",
        "video_id",
        video.map(|v| json!(v.id)),
        group,
    );
    let cover = video.and_then(|v| v.cover_image_id.as_ref());
    match (&creative.images, cover) {
        (Some(images), _) => says.say("creative.images", "image_ids", Some(json!(images)), group),
        (None, cover) => says.say(
            "creative.video.coverImageId",
            "image_ids",
            cover.map(|c| json!([c])),
            group,
        ),
    }
    says.say(
        "creative.musicId",
        "music_id",
        text(&creative.music_id),
        group,
    );
    let post = creative.spark_post.as_ref().map(|p| json!(p.item_id));
    says.say("creative.sparkPost.itemId", "tiktok_item_id", post, group);
}

fn smart_plus(says: &mut Says, spec: &AdSpec) {
    let group = Group::Settings;
    // A made-up identity is the ad's; that of a TikTok account stands in each creative, and TikTok shows it there only.
    let identity = spec.identity.as_ref();
    let (made_up, account) = match identity.map(|identity| identity.kind) {
        Some(IdentityType::Custom) => (identity, None),
        _ => (None, identity),
    };
    let creatives = spec.creatives.as_ref().map(|all| {
        let list: Vec<Value> = all
            .iter()
            .map(|c| {
                let info = creative_info(c, account, spec.aigc_disclosure);
                json!({ "creative_info": info })
            })
            .collect();
        json!(list)
    });
    says.say("creatives", "creative_list", creatives, group);
    let each = |name: &str, values: Vec<Value>| -> Value {
        let items: Vec<Value> = values.into_iter().map(|v| json!({ name: v })).collect();
        json!(items)
    };
    let texts = spec.texts.as_ref();
    let texts = texts.map(|t| each("ad_text", t.iter().map(|t| json!(t)).collect()));
    says.say("texts", "ad_text_list", texts, group);
    let calls = spec.calls_to_action.as_ref();
    let calls = calls.map(|c| {
        each(
            "call_to_action",
            c.iter().map(|c| json!(c.tiktok())).collect(),
        )
    });
    says.say("callsToAction", "call_to_action_list", calls, group);
    says.say(
        "callToActionId",
        "call_to_action_id",
        text(&spec.call_to_action_id),
        group,
    );
    let page = spec.landing_page.as_ref();
    let landing = page.map(|p| json!([{ "landing_page_url": p.url }]));
    says.say("landingPage.url", "landing_page_url_list", landing, group);
    let deeplink = spec.deeplink.as_ref().map(|link| {
        let mut item = json!({ "deeplink": link.url });
        if let Some(kind) = link.kind {
            item["deeplink_type"] = json!(kind.tiktok());
        }
        json!([item])
    });
    says.say("deeplink", "deeplink_list", deeplink, group);
    let pages = spec.page_ids.as_ref();
    let pages = pages.map(|ids| each("page_id", ids.iter().map(|id| json!(id)).collect()));
    says.say("pageIds", "page_list", pages, group);
    let cards = spec.card_id.as_ref().map(|id| json!([{ "card_id": id }]));
    says.say("cardId", "interactive_add_on_list", cards, group);
    if let Some(identity) = made_up {
        says.say(
            "identity.type",
            "identity_type",
            word(Some(identity.kind)),
            group,
        );
        says.say(
            "identity.id",
            "identity_id",
            Some(json!(identity.id)),
            group,
        );
    }
}

/// What both trees call the same.
fn both(says: &mut Says, spec: &AdSpec) {
    let group = Group::Settings;
    let utm = spec.landing_page.as_ref().and_then(|p| p.utm.as_ref());
    let utm = utm.map(|all| {
        let pairs: Vec<Value> = all
            .iter()
            .map(|p| json!({ "key": p.key, "value": p.value }))
            .collect();
        json!(pairs)
    });
    says.say("landingPage.utm", "utm_params", utm, group);
    let fallback = spec.deeplink.as_ref().and_then(|d| d.fallback);
    says.say("deeplink.fallback", "fallback_type", word(fallback), group);
    if let Some(t) = &spec.tracking {
        says.say("tracking.appId", "tracking_app_id", text(&t.app_id), group);
        says.say(
            "tracking.impressionUrl",
            "impression_tracking_url",
            text(&t.impression_url),
            group,
        );
        says.say(
            "tracking.clickUrl",
            "click_tracking_url",
            text(&t.click_url),
            group,
        );
    }
    let dark = spec.spark_ads.as_ref().and_then(|s| s.dark_post);
    let dark = dark.map(|dark| json!(if dark { "ON" } else { "OFF" }));
    says.say("sparkAds.darkPost", "dark_post_status", dark, group);
}

/// One creative of a Smart+ ad as it is sent. What it does not say itself is the ad's: `identity`, if the ad is shown in
/// the name of an account, and `disclosure`.
fn creative_info(
    creative: &SmartPlusCreative,
    identity: Option<&Identity>,
    disclosure: Option<AigcDisclosure>,
) -> Value {
    let mut info = Map::new();
    info.insert("ad_format".into(), json!(creative.format.tiktok()));
    if let Some(identity) = creative.identity.as_ref().or(identity) {
        info.insert("identity_type".into(), json!(identity.kind.tiktok()));
        info.insert("identity_id".into(), json!(identity.id));
        if let Some(id) = &identity.business_center_id {
            info.insert("identity_authorized_bc_id".into(), json!(id));
        }
    }
    if let Some(disclosure) = creative.aigc_disclosure.or(disclosure) {
        info.insert("aigc_disclosure_type".into(), json!(disclosure.tiktok()));
    }
    if let Some(SparkPost { item_id }) = &creative.spark_post {
        info.insert("tiktok_item_id".into(), json!(item_id));
    }
    let mut images: Vec<&String> = creative.images.iter().flatten().collect();
    if let Some(Video { id, cover_image_id }) = &creative.video {
        info.insert("video_info".into(), json!({ "video_id": id }));
        images.extend(cover_image_id);
    }
    if !images.is_empty() {
        let images: Vec<Value> = images.iter().map(|uri| json!({ "web_uri": uri })).collect();
        info.insert("image_info".into(), json!(images));
    }
    if let Some(music) = &creative.music_id {
        info.insert("music_info".into(), json!({ "music_id": music }));
    }
    Value::Object(info)
}

fn word<T: TikTokName>(value: Option<T>) -> Option<Value> {
    value.map(|v| json!(v.tiktok()))
}

fn text(value: &Option<String>) -> Option<Value> {
    value.as_ref().map(|v| json!(v))
}

/// Duet and Stitch.
fn switch(permission: Option<Permission>) -> Option<Value> {
    permission.map(|p| {
        json!(match p {
            Permission::Allowed => "ENABLE",
            Permission::Blocked => "DISABLE",
        })
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
