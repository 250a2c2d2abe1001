//! Pages for what went wrong: what happened, what it means, what to do.

use axum::http::StatusCode;

use super::super::backend::Problem;
use super::super::html::Html;
use super::{Again, whole};

/// What went wrong, in words.
#[derive(Clone, Debug)]
pub struct Trouble {
    pub status: StatusCode,
    title: &'static str,
    /// What happened.
    happened: &'static str,
    /// TikTok's words or ours about this very case.
    detail: Option<String>,
    /// What it means.
    means: &'static str,
    /// What to do.
    todo: &'static str,
    /// Then get a new link.
    link: bool,
}

/// What to do when there is nothing else to do.
const NEW_LINK: &str =
    "Get a new link, and open it in the browser in which you are signed in to TikTok:";

/// Nothing was stored or used.
const NOTHING: &str = "Nothing has changed: a token that was in use is still in use.";

impl Trouble {
    /// Of a step that the operator did not take.
    pub fn of(problem: &Problem) -> Self {
        let plain = |status, title, happened, means, todo| Self {
            status,
            title,
            happened,
            detail: None,
            means,
            todo,
            link: true,
        };
        let with = |detail: &str, trouble: Self| Self {
            detail: Some(detail.to_owned()).filter(|detail| !detail.is_empty()),
            ..trouble
        };
        match problem {
            // One page for both: a link tells nobody which connections there are.
            Problem::Unknown | Problem::Ticket => plain(
                StatusCode::FORBIDDEN,
                "This link is not good any more",
                "The link has been used, is older than a day, was replaced by a newer one, is not complete, or belongs to no \
                 connection.",
                NOTHING,
                NEW_LINK,
            ),
            Problem::State => plain(
                StatusCode::BAD_REQUEST,
                "This answer from TikTok cannot be used",
                "The address is not complete, was changed, or has been used already: each approval counts once.",
                NOTHING,
                NEW_LINK,
            ),
            Problem::StateExpired => plain(
                StatusCode::BAD_REQUEST,
                "The approval took too long",
                "Between the link and TikTok's answer more than 15 minutes have passed.",
                NOTHING,
                NEW_LINK,
            ),
            Problem::OtherBrowser => plain(
                StatusCode::FORBIDDEN,
                "This browser did not begin the approval",
                "TikTok's answer came to another browser (or a private window) than the one in which the link was opened, or \
                 this browser keeps no cookies.",
                "An approval that somebody else began could connect the wrong ad account. Nothing has changed.",
                "Get a new link, and do all steps in one browser, with cookies allowed for this site:",
            ),
            Problem::Session => plain(
                StatusCode::FORBIDDEN,
                "This page has run out",
                "After an approval, ad accounts can be picked for an hour, in the same browser.",
                "Nothing was picked. The approval itself stays good.",
                "Go back, reload the page and try again. If it asks for a link, name the ad account in the manifest \
                 (spec.advertiserId), or get a link:",
            ),
            Problem::NotListed => plain(
                StatusCode::BAD_REQUEST,
                "This ad account is not in the list",
                "The approval does not reach the ad account that was picked, or does not any more.",
                "Nothing was picked.",
                "Go back, reload the page and pick from the list. If the ad account is missing there, get a new link and \
                 approve with a TikTok user that has access to it:",
            ),
            Problem::Taken(other) => with(
                &other.as_ref().map_or_else(String::new, |name| {
                    format!("The connection {name} in the same namespace has it.")
                }),
                plain(
                    StatusCode::CONFLICT,
                    "This ad account is connected already",
                    "Another connection has the ad account that was picked, and an ad account has one connection.",
                    "Nothing was picked.",
                    "Use that connection, or go back and pick another ad account. If the other connection is not needed any \
                     more, delete it first. Should this page have run out by then, get a new link:",
                ),
            ),
            Problem::Occupied(objects) => with(
                &format!("Objects of this connection in the ad account in use: {objects}."),
                plain(
                    StatusCode::CONFLICT,
                    "This connection is at work in another ad account",
                    "Campaigns, ad groups or ads of the cluster are in the ad account in use. Moved to another, the connection \
                     could neither change nor pause them, and what is on would run on.",
                    "Nothing was picked.",
                    "For another ad account make another TikTokConnection. If those objects are not needed any more, delete \
                     them first. Should this page have run out by then, get a new link:",
                ),
            ),
            Problem::AppRefused(words) => with(
                words,
                plain(
                    StatusCode::BAD_GATEWAY,
                    "TikTok does not accept the app's id and secret",
                    "TikTok refused app_id and secret as they stand in the Secret that the connection names \
                     (spec.appSecretRef).",
                    NOTHING,
                    "Correct app_id and secret in that Secret; TikTok's developer portal shows what they are, and whether the \
                     app is active. Then get a new link:",
                ),
            ),
            Problem::CodeRefused(words) => with(
                words,
                plain(
                    StatusCode::BAD_REQUEST,
                    "TikTok did not take the approval",
                    "TikTok refused to give a token for it. Usually it is too old, was used already, or the app's secret in \
                     the cluster is not the app's.",
                    NOTHING,
                    "Compare app_id and secret in the app's Secret with TikTok's developer portal. Then get a new link:",
                ),
            ),
            Problem::NotGranted(words) => with(
                words,
                plain(
                    StatusCode::FORBIDDEN,
                    "The approval is not enough",
                    "TikTok gave a token, but not for what this connection needs.",
                    "The new token was not taken. A token that was in use is still in use.",
                    "Get a new link, and approve as a TikTok user that has access to the connection's ad account, with all \
                     scopes ticked:",
                ),
            ),
            Problem::Platform(words) => with(
                words,
                plain(
                    StatusCode::BAD_GATEWAY,
                    "It could not be finished with TikTok",
                    "The operator could not ask TikTok for the token, or got no clear answer.",
                    "A token that was in use is still in use. The approval may be used up.",
                    "Wait a few minutes and look at the connection's status. If it is not connected by then, get a new link:",
                ),
            ),
            Problem::Busy => plain(
                StatusCode::SERVICE_UNAVAILABLE,
                "The operator is busy with this connection",
                "Another step of the same connection is under way, or the operator is just starting or stopping.",
                "This step was not taken.",
                "Wait half a minute and reload. If the link is not good any more then, get a new one:",
            ),
        }
    }

    /// TikTok's own page said no.
    pub fn not_approved(words: &str) -> Self {
        Self {
            status: StatusCode::FORBIDDEN,
            title: "It was not approved",
            happened: "On TikTok's page the approval was refused or broken off.",
            detail: Some(words.to_owned()).filter(|words| !words.is_empty()),
            means: NOTHING,
            todo: NEW_LINK,
            link: true,
        }
    }

    /// No replica leads, or it cannot be reached.
    pub fn nobody_leads() -> Self {
        Self {
            status: StatusCode::SERVICE_UNAVAILABLE,
            title: "The operator does not act at this moment",
            happened: "No replica of the operator holds the lease, or the one that does could not be reached in time.",
            detail: None,
            means: "After a restart or a failure another one takes over within half a minute. If TikTok had already been asked, \
                    the approval may be used up; the page tells.",
            todo: "Wait half a minute and reload. If it stays like this, whoever looks after the cluster should look at the \
                   operator's log.",
            link: false,
        }
    }

    /// A form that another site's page sent.
    pub fn another_site() -> Self {
        Self {
            status: StatusCode::FORBIDDEN,
            title: "This did not come from our page",
            happened: "Another site sent this request with your browser.",
            detail: None,
            means: "It was not acted on: nothing has changed.",
            todo: "If you did it yourself, open the link in the browser's address bar, not from another page's form.",
            link: false,
        }
    }
}

/// The page.
pub fn trouble(trouble: &Trouble) -> Html {
    let content = Html::new()
        .raw("<section class=\"card\">\n<h1>")
        .raw(trouble.title)
        .raw("</h1>\n<p>")
        .raw(trouble.happened)
        .raw("</p>\n")
        .maybe(trouble.detail.as_deref(), |html, detail| {
            html.raw("<p class=\"detail\">").text(detail).raw("</p>\n")
        })
        .raw("<h2>What it means</h2>\n<p>")
        .raw(trouble.means)
        .raw("</p>\n<h2>What to do</h2>\n<p>")
        .raw(trouble.todo)
        .raw("</p>\n")
        .raw(if trouble.link {
            "<pre><code>tiktok-ads-operator connect NAME -n NAMESPACE</code></pre>\n"
        } else {
            ""
        })
        .raw("</section>\n");
    whole(trouble.title, Again::Never, content)
}
