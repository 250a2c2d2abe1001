//! The pages: functions of what is shown. No scripts, nothing from elsewhere, readable on a phone.

mod connection;
mod trouble;

pub use connection::connection;
pub use trouble::{Trouble, trouble};

use super::backend::At;
use super::html::Html;

/// The one style sheet, in every page. Its hash is in the policy that browsers are told.
pub const STYLE: &str = include_str!("style.css");

/// Where a connection's page is.
pub fn path(at: &At) -> String {
    format!("/connect/{}/{}", at.namespace, at.name)
}

/// How often a page that waits for the operator asks again, if it does.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Again {
    Never,
    Soon,
}

/// A whole page around its content.
fn whole(title: &str, again: Again, content: Html) -> Html {
    let page = Html::new()
        .raw(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"color-scheme\" content=\"light dark\">\n",
        )
        .raw(match again {
            Again::Never => "",
            Again::Soon => "<meta http-equiv=\"refresh\" content=\"5\">\n",
        })
        .raw("<title>")
        .text(title)
        .raw(" · TikTok ads operator</title>\n<style>")
        .raw(STYLE)
        .raw("</style>\n</head>\n<body>\n<header>TikTok ads operator</header>\n<main>\n");
    page.add(content).raw(
        "</main>\n<footer>This page belongs to the operator in your Kubernetes cluster. It never shows a token.</footer>\n\
         </body>\n</html>\n",
    )
}

/// What a command line of the user's looks like.
fn command(at: &At) -> Html {
    Html::new()
        .raw("<pre><code>tiktok-ads-operator connect ")
        .text(&at.name)
        .raw(" -n ")
        .text(&at.namespace)
        .raw("</code></pre>\n")
}

/// Without ticket and session. The same for a connection that exists and for one that does not.
pub fn how_to(at: &At) -> Html {
    let content = Html::new()
        .raw("<section class=\"card\">\n<h1>You need a link to go on</h1>\n<p>This is the page of the connection <strong>")
        .text(&at.name)
        .raw("</strong> in the namespace <strong>")
        .text(&at.namespace)
        .raw(
            "</strong>. To connect it to TikTok, or to authorise it again, open it by a link that is good for one \
             use.</p>\n<h2>How to get one</h2>\n<p>With a kubeconfig of the cluster:</p>\n",
        )
        .add(command(at))
        .raw("<p>or with kubectl alone:</p>\n<pre><code>kubectl get secret ")
        .text(&at.name)
        .raw("-tiktok-connect -n ")
        .text(&at.namespace)
        .raw(
            " -o jsonpath='{.data.url}' | base64 -d</code></pre>\n<p class=\"soft\">Either needs the right to read that \
             Secret. If you do not have it, ask whoever looks after the cluster.</p>\n</section>\n",
        );
    whole("You need a link", Again::Never, content)
}

/// With a ticket: one button.
pub fn begin(at: &At, ticket: &str) -> Html {
    let content = Html::new()
        .raw("<section class=\"card\">\n<h1>Connect <strong>")
        .text(&at.name)
        .raw("</strong> to TikTok</h1>\n<p class=\"soft\">In the namespace ")
        .text(&at.namespace)
        .raw(
            ".</p>\n<ol>\n<li>TikTok asks you to sign in and to approve what the app may do.</li>\n<li>TikTok sends you back \
             here.</li>\n<li>If the approval reaches several ad accounts, you pick one.</li>\n</ol>\n\
             <p>Nothing changes in your ad accounts by this. The operator writes only what manifests in the cluster say.</p>\n",
        )
        .add(start_form(at, ticket, "Continue to TikTok"))
        .raw("<p class=\"soft\">The link is used up by this button; the next try needs a new one.</p>\n</section>\n");
    whole("Connect", Again::Never, content)
}

/// The button that uses the ticket up.
fn start_form(at: &At, ticket: &str, label: &'static str) -> Html {
    Html::new()
        .raw("<form method=\"post\" action=\"")
        .text(&path(at))
        .raw("\">\n<input type=\"hidden\" name=\"ticket\" value=\"")
        .text(ticket)
        .raw("\">\n<p><button>")
        .raw(label)
        .raw("</button></p>\n</form>\n")
}

#[cfg(test)]
#[path = "pages_tests.rs"]
mod tests;
