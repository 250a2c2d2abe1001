//! Rules of Ad.

use super::{
    Part, Topic, fixed, fixed_at_creation, id, ids, length, life, name, object_name, once_each,
    part, shown, web_address,
};

/// Rules of Ad.
pub(in crate::api) fn ad() -> Vec<Topic> {
    vec![
        object_name("spec.adGroupRef.name"),
        name("spec.name"),
        id("spec.externalId"),
        creative("spec.creative", true),
        id("spec.creative.sparkPost.itemId"),
        creative("spec.creatives[]", false),
        id("spec.creatives[].sparkPost.itemId"),
        identity("spec.creatives[].identity"),
        id("spec.creatives[].identity.businessCenterId"),
        shown("spec.text", 100, "the text of an ad"),
        shown("spec.texts[]", 100, "the text of an ad"),
        id("spec.callToActionId"),
        identity("spec.identity"),
        id("spec.identity.businessCenterId"),
        shown("spec.displayName", 40, "displayName"),
        shown("spec.appName", 40, "appName"),
        web_address("spec.landingPage.url"),
        utm(),
        deeplink(),
        ids("spec.pageIds"),
        id("spec.cardId"),
        web_address("spec.playableUrl"),
        Topic::new(
            "spec.customProductPageUrl",
            vec![part(
                r"self.matches('^https://apps[.]apple[.]com/[^\\s]+[?&]ppid=[^\\s&]+')",
                "write the address of a custom product page as App Store Connect shows it, such as \
                 https://apps.apple.com/us/app/shop/id123456789?ppid=12345a6b-c789-12d3-e4f5-a6b78c91d2e3",
            )],
        ),
        id("spec.tracking.pixelId"),
        id("spec.tracking.appId"),
        ids("spec.tracking.offlineEventSets"),
        web_address("spec.tracking.impressionUrl"),
        web_address("spec.tracking.clickUrl"),
        web_address("spec.tracking.videoViewUrl"),
        web_address("spec.tracking.viewability.vastUrl"),
        web_address("spec.tracking.brandSafety.vastUrl"),
        Topic::new(
            "spec.tracking.brandSafety",
            vec![part(
                "self.partner != 'Moat'",
                "Moat measures viewability only: write it there, or choose DoubleVerify, IAS or Zefr",
            )],
        ),
        disclaimer(),
        web_address("spec.disclaimer.links[].url"),
        one_tree(),
        manual_only(),
        needed(),
        together(),
        fixed_at_creation("Ad", &[fixed("tiktokPageCategory")]),
        Topic::new("spec", later()),
    ]
}

/// What a creative is made of. The combinations are TikTok's; a Spark post ("pull") brings its own video, images and
/// cover.
fn creative(path: &'static str, manual: bool) -> Topic {
    let images = "(has(self.images) ? self.images.size() : 0)";
    let mut parts = vec![
        part(
            "self.format != 'SingleVideo' || has(self.video) != has(self.sparkPost)",
            "a SingleVideo shows either a video or an existing post: say one of video and sparkPost",
        ),
        part(
            "!has(self.video) || self.format == 'SingleVideo'",
            "video is for format SingleVideo: remove it, or change format",
        ),
        part(
            "!has(self.video) || has(self.video.coverImageId)",
            "a video needs a cover: add video.coverImageId, the id of an image with the video's aspect ratio",
        ),
        part(
            format!("self.format != 'SingleVideo' || {images} == 0"),
            "a SingleVideo has no images: remove them; its cover is video.coverImageId",
        ),
        part(
            format!(
                "self.format != 'Carousel' || (has(self.sparkPost) ? {images} == 0 : {images} > 0 && has(self.musicId))"
            ),
            "a Carousel shows 1 to 35 images with music, or an existing post: say images and musicId, or sparkPost \
             alone",
        ),
        part(
            "!has(self.musicId) || self.format == 'Carousel'",
            "musicId is for format Carousel: remove it, or change format",
        ),
    ];
    if manual {
        parts.push(part(
            format!("self.format != 'SingleImage' || ({images} == 1 && !has(self.sparkPost))"),
            "a SingleImage shows exactly one image: say images with one id, and no sparkPost",
        ));
    } else {
        parts.push(part(
            "self.format != 'SingleImage'",
            "a Smart+ ad takes SingleVideo and Carousel: choose one of them",
        ));
        parts.extend(spark(
            "has(self.identity)",
            "self.identity.type",
            "has(self.sparkPost)",
            "true",
        ));
    }
    Topic::new(path, parts)
}

/// How identity and Spark post go together.
fn spark(has_identity: &str, kind: &str, has_post: &str, says: &str) -> [Part; 2] {
    [
        part(
            format!("!({has_identity}) || !({has_post}) || {kind} != 'Custom'"),
            "a post is shown in the name of its TikTok account, not of a Custom identity: choose identity type \
             TikTokUser, BusinessCenter or AuthorizationCode, or remove sparkPost",
        ),
        part(
            format!(
                "!({has_identity}) || {kind} != 'AuthorizationCode' || !({says}) || ({has_post})"
            ),
            "an AuthorizationCode allows one post to be shown and nothing else: add sparkPost with its itemId, or \
             choose another identity type",
        ),
    ]
}

fn identity(path: &'static str) -> Topic {
    Topic::new(
        path,
        vec![part(
            "has(self.businessCenterId) == (self.type == 'BusinessCenter')",
            "businessCenterId and type BusinessCenter belong together: add the id of the Business Center, or remove it",
        )],
    )
}

fn utm() -> Topic {
    Topic::new(
        "spec.landingPage",
        vec![
            part(
                "!has(self.utm) || self.utm.all(a, self.utm.exists_one(b, a.key == b.key))",
                "name each UTM parameter once",
            ),
            part(
                "!has(self.utm) || self.utm.all(u, self.url.contains('?' + u.key + '=') || \
                 self.url.contains('&' + u.key + '='))",
                "TikTok records UTM parameters but does not append them: write each of utm into url too, such as \
                 https://example.com/?utm_source=tiktok",
            ),
        ],
    )
}

fn deeplink() -> Topic {
    Topic::new(
        "spec.deeplink",
        vec![
            part(
                r"self.url.matches('^[A-Za-z][A-Za-z0-9+.-]*:[^\\s]+$')",
                "write the whole deeplink, such as myapp://offer/1 or https://example.com/offer/1, without blanks",
            ),
            part(
                "!has(self.format) || (self.format == 'UniversalOrAppLink') == \
                 (self.url.startsWith('https://') || self.url.startsWith('http://'))",
                "format UniversalOrAppLink is for addresses that begin with https://, SchemeLink for those of an app, \
                 such as myapp://: change format or url",
            ),
        ],
    )
}

fn disclaimer() -> Topic {
    let link = |index: usize| {
        let text = length(&format!("self.links[{index}].text"));
        format!("(self.links.size() > {index} ? {text} : 0)")
    };
    Topic::new(
        "spec.disclaimer",
        vec![
            part(
                "has(self.text) != (has(self.links) && self.links.size() > 0)",
                "a disclaimer is either a text or links: say one of text and links",
            ),
            part(
                format!(
                    "!has(self.links) || {} <= 40",
                    [link(0), link(1), link(2)].join(" + ")
                ),
                "the texts of links have at most 40 characters together: shorten them",
            ),
        ],
    )
}

/// An ad is in one tree: `creative` makes it a Manual one, `creatives` a Smart+ one. An ad that is taken over may say
/// neither.
fn one_tree() -> Topic {
    Topic::new(
        "spec",
        vec![
            part(
                "!(has(self.creative) && has(self.creatives))",
                "an ad has either creative (Manual) or creatives (Smart+): remove one of them",
            ),
            part(
                "has(self.creative) || has(self.creatives) || has(self.externalId)",
                "an ad shows something: add creative (in a Manual campaign) or creatives (in a Smart+ one), or take an \
                 existing ad over with externalId",
            ),
            part(
                "!has(self.creatives) || self.creatives.size() > 0",
                "creatives is empty: add at least one creative, or remove the Ad",
            ),
            part(
                "!has(self.texts) || self.texts.size() > 0",
                "texts is empty: add at least one text, or remove texts",
            ),
            part(
                "!(has(self.text) && has(self.texts)) && !(has(self.callToAction) && has(self.callsToAction))",
                "text and callToAction are for Manual ads, texts and callsToAction for Smart+ ads: keep those of the \
                 campaign's tree",
            ),
            part(
                "!has(self.creative) || !(has(self.texts) || has(self.callsToAction))",
                "a Manual ad has text and callToAction instead of texts and callsToAction: write these",
            ),
            part(
                "!has(self.creatives) || !(has(self.text) || has(self.callToAction))",
                "a Smart+ ad has texts and callsToAction instead of text and callToAction: write these",
            ),
        ],
    )
}

/// What Smart+ ads do not have.
fn manual_only() -> Topic {
    let absent = |path: &'static str| (path, format!("!({})", super::present("self", path)));
    let fields = [
        "displayName",
        "appName",
        "avatarImage",
        "tiktokPageCategory",
        "playableUrl",
        "customProductPageUrl",
        "disclaimer",
        "deeplink.format",
        "tracking.pixelId",
        "tracking.offlineEventSets",
        "tracking.videoViewUrl",
        "tracking.viewability",
        "tracking.brandSafety",
        "sparkAds.duet",
        "sparkAds.stitch",
        "sparkAds.promotionalMusic",
        "sparkAds.showcase",
    ]
    .map(absent);
    let mut named = super::name_failing(
        &fields,
        "these are for Manual ads, and this is a Smart+ ad (it has creatives): remove them. Named here:",
    );
    named.holds = format!("!has(self.creatives) || ({})", named.holds);
    Topic::new("spec", vec![named])
}

/// What a create needs; an ad that is taken over has it already.
fn needed() -> Topic {
    Topic::new(
        "spec",
        vec![
            part(
                "has(self.externalId) || has(self.identity) || (has(self.creatives) && \
                 self.creatives.all(c, has(c.identity))) || !(has(self.creative) || has(self.creatives))",
                "an ad is shown in somebody's name: add identity with type and id (Smart+: or give every creative its \
                 own)",
            ),
            part(
                "has(self.externalId) || !has(self.creative) || has(self.creative.sparkPost) || has(self.text)",
                "an ad needs a text unless it shows an existing post: add text",
            ),
            part(
                "has(self.externalId) || !has(self.creatives) || self.creatives.all(c, has(c.sparkPost)) || \
                 has(self.texts)",
                "a Smart+ ad needs texts unless all its creatives show existing posts: add texts",
            ),
        ],
    )
}

/// What does not go together across the parts of an ad.
fn together() -> Topic {
    let post = "has(self.creative) && has(self.creative.sparkPost)";
    let spark_setting = "has(self.sparkAds) && (has(self.sparkAds.darkPost) || has(self.sparkAds.duet) || \
                         has(self.sparkAds.stitch))";
    let mut parts = vec![
        part(
            format!("!({post}) || !has(self.text)"),
            "a post keeps its own text: remove text, or sparkPost",
        ),
        part(
            "!(has(self.callToActionId) && (has(self.callToAction) || has(self.callsToAction)))",
            "with callToActionId, TikTok ignores callToAction and callsToAction: keep one of them",
        ),
        part(
            format!(
                "!has(self.callsToAction) || (self.callsToAction.size() > 0 && {})",
                once_each("self.callsToAction")
            ),
            "name each of callsToAction once, and do not leave the list empty",
        ),
        part(
            "!has(self.pageIds) || !has(self.creative) || self.pageIds.size() <= 1",
            "a Manual ad leads to one page: keep one of pageIds",
        ),
        part(
            "!(has(self.displayName) || has(self.avatarImage)) || !has(self.identity) || \
             self.identity.type == 'Custom'",
            "displayName and avatarImage are shown with a Custom identity only, others have their own name and \
             picture: remove them, or set identity.type: Custom",
        ),
        part(
            format!("!({spark_setting}) || !has(self.identity) || self.identity.type != 'Custom'"),
            "darkPost, duet and stitch are about posts of a TikTok account: remove them, or choose another identity \
             than Custom",
        ),
        part(
            "!has(self.deeplink) || !has(self.deeplink.fallback) || self.deeplink.fallback != 'Website' || \
             has(self.landingPage) || has(self.externalId)",
            "deeplink.fallback: Website leads to the landing page: add landingPage, or set fallback: AppInstall",
        ),
        part(
            "!has(self.tiktokPageCategory) || has(self.externalId) || \
             (self.tiktokPageCategory == 'OtherTikTokPage' ? has(self.landingPage) : \
             self.tiktokPageCategory == 'TikTokInstantPage' ? has(self.pageIds) && self.pageIds.size() > 0 : true)",
            "tiktokPageCategory OtherTikTokPage needs landingPage with the page's address, TikTokInstantPage needs \
             pageIds: add it",
        ),
    ];
    parts.extend(spark(
        "has(self.identity)",
        "self.identity.type",
        post,
        "has(self.creative)",
    ));
    Topic::new("spec", parts)
}

fn later() -> Vec<Part> {
    let carousel = |root: &str| format!("({root}.creative.format == 'Carousel')");
    let kind = |root: &str| format!("has({root}.disclaimer) && has({root}.disclaimer");
    let mut parts = life("Ad");
    parts.extend([
        part(
            "self.adGroupRef.name == oldSelf.adGroupRef.name",
            "TikTok cannot move an ad to another ad group: put adGroupRef back, or make a new Ad there",
        ),
        part(
            "!(has(oldSelf.creative) && has(self.creatives)) && !(has(oldSelf.creatives) && has(self.creative))",
            "an ad stays in its tree: put creative (Manual) or creatives (Smart+) back as it was, or make a new Ad",
        ),
        part(
            format!(
                "!has(oldSelf.creative) || !has(self.creative) || {} == {}",
                carousel("oldSelf"),
                carousel("self")
            ),
            "TikTok cannot turn an ad into a Carousel, nor a Carousel into something else: put creative.format back, \
             or make a new Ad",
        ),
        part(
            format!(
                "!({}.text) && {}.links)) && !({}.links) && {}.text))",
                kind("oldSelf"),
                kind("self"),
                kind("oldSelf"),
                kind("self")
            ),
            "TikTok cannot turn the text of a disclaimer into links, nor links into a text: put it back as it was, or \
             make a new Ad",
        ),
    ]);
    parts
}
