//! The page of a connection, for a browser with a session: how it is, what to do, which ad account.

use jiff::Timestamp;
use secrecy::ExposeSecret;

use super::super::backend::{At, ConnectionPage, PAGE_SIZE, Rotation, Search, TokenFacts};
use super::super::html::Html;
use super::{Again, command, path, start_form, whole};

/// `form`: the token of the form that picks. `ticket`: of the link that the page was opened by.
pub fn connection(
    at: &At,
    shown: &ConnectionPage,
    search: &Search,
    form: &str,
    ticket: Option<&str>,
) -> Html {
    let again = match &*shown.phase {
        "Pending" | "Disconnecting" => Again::Soon,
        _ => Again::Never,
    };
    let ticket = ticket.or(shown.reauthorise.as_ref().map(|t| t.expose_secret()));
    let content = Html::new()
        .add(state(at, shown))
        .add(pick(at, shown, search, form))
        .add(reauthorise(at, shown, ticket));
    whole(&at.name, again, content)
}

/// The life-cycle word for people, and how it looks.
fn in_words(phase: &str) -> (&'static str, &'static str) {
    match phase {
        "Active" => ("<p class=\"state good\">", "Connected"),
        "AwaitingAdvertiser" => ("<p class=\"state\">", "Pick an ad account"),
        "ReadOnly" => ("<p class=\"state bad\">", "Read only"),
        "Disconnecting" => ("<p class=\"state\">", "Disconnecting"),
        "Pending" | "" => ("<p class=\"state\">", "Being checked"),
        _ => ("<p class=\"state\">", "Connection"),
    }
}

fn state(at: &At, shown: &ConnectionPage) -> Html {
    let (pill, word) = in_words(&shown.phase);
    let mut html = Html::new()
        .raw("<section class=\"card\">\n<h1>Connection ")
        .text(&at.name)
        .raw("</h1>\n")
        .raw(pill)
        .raw(word)
        .raw("</p>\n")
        .maybe(shown.banner.as_deref(), |html, banner| {
            html.raw("<p class=\"banner\" role=\"alert\">")
                .text(banner)
                .raw("</p>\n")
        })
        .raw("<dl>\n<dt>Namespace</dt><dd>")
        .text(&at.namespace)
        .raw("</dd>\n<dt>Ad account</dt><dd>");
    html = match &shown.advertiser {
        Some(account) if !account.name.is_empty() => html
            .text(&account.name)
            .raw("<br><span class=\"soft\">")
            .text(&account.id)
            .raw("</span>"),
        Some(account) => html.text(&account.id),
        None => html.raw("None yet"),
    };
    html = html.raw("</dd>\n");
    html = match &shown.token {
        Some(facts) => token(html, facts),
        None => html.raw("<dt>Token</dt><dd>None yet</dd>\n"),
    };
    html.raw("</dl>\n")
        .maybe(
            Some(&shown.missing_scopes).filter(|scopes| !scopes.is_empty()),
            |html, scopes| {
                let html = html.raw(
                    "<h2>The approval lacks</h2>\n<ul>\n",
                );
                let html = scopes.iter().fold(html, |html, scope| {
                    html.raw("<li>").text(scope).raw("</li>\n")
                });
                html.raw(
                    "</ul>\n<p>Add them to the app in TikTok's developer portal, then authorise again.</p>\n",
                )
            },
        )
        .maybe(shown.message.as_deref(), |html, message| {
            html.raw("<p>").text(message).raw("</p>\n")
        })
        .raw("</section>\n")
}

fn token(html: Html, facts: &TokenFacts) -> Html {
    let html = html.raw("<dt>Token</dt><dd>").raw(match &*facts.profile {
        "LongLived" => "Does not expire; checked every hour",
        "Refreshable" => "Renewed by the operator before it ends",
        "Expiring" => "Is not renewed by itself: authorise again before it ends",
        _ => "In use",
    });
    let line = |html: Html, what: &'static str, at: Option<Timestamp>| {
        html.maybe(at, |html, at| {
            html.raw("<dt>")
                .raw(what)
                .raw("</dt><dd>")
                .time(at)
                .raw("</dd>\n")
        })
    };
    let html = line(html.raw("</dd>\n"), "Ends", facts.expires_at);
    let html = line(html, "Next rotation", facts.rotates_at);
    html.maybe(facts.last_rotation.as_ref(), |html, last: &Rotation| {
        let html = html.raw("<dt>Last rotation</dt><dd>").time(last.at);
        if last.succeeded {
            return html.raw(", succeeded</dd>\n");
        }
        html.raw(", failed")
            .maybe(last.message.as_deref(), |html, message| {
                html.raw(": ").text(message)
            })
            .raw("</dd>\n")
    })
}

/// The list to pick from, if there is something to pick.
fn pick(at: &At, shown: &ConnectionPage, search: &Search, form: &str) -> Html {
    let list = &shown.advertisers;
    let html = Html::new();
    if shown.advertiser_in_manifest || list.all == 0 || shown.phase == "Disconnecting" {
        return html;
    }
    let in_use = shown.advertiser.as_ref().map(|account| &*account.id);
    let html = html
        .raw("<section class=\"card\">\n<h2>")
        .raw(if in_use.is_some() {
            "Use another ad account"
        } else {
            "Pick the ad account"
        })
        .raw("</h2>\n<p>The approval reaches ")
        .number(list.all)
        .raw(if list.all == 1 {
            " ad account"
        } else {
            " ad accounts"
        })
        .raw(
            ". Campaigns of this connection are made in the one that you pick. A manifest that names one \
             (<code>spec.advertiserId</code>) counts more than this page.</p>\n",
        );
    let html = if list.all > 8 || !search.text.is_empty() {
        search_form(html, at, search)
    } else {
        html
    };
    if list.shown.is_empty() {
        return html
            .raw("<p role=\"status\">No ad account has this in its name or id. <a href=\"")
            .text(&path(at))
            .raw("\">Show all</a></p>\n</section>\n");
    }
    let html = html
        .raw("<form method=\"post\" action=\"")
        .text(&path(at))
        .raw("/advertiser\">\n<input type=\"hidden\" name=\"form\" value=\"")
        .text(form)
        .raw("\">\n<ul class=\"list\">\n");
    let html = list.shown.iter().fold(html, |html, account| {
        let name = match &*account.name {
            "" => "(without a name)",
            name => name,
        };
        let html = html
            .raw("<li><span>")
            .text(name)
            .raw("<small>")
            .text(&account.id)
            .raw("</small></span>");
        if in_use == Some(&account.id) {
            return html.raw("<strong>In use</strong></li>\n");
        }
        html.raw("<button class=\"second\" name=\"advertiser_id\" value=\"")
            .text(&account.id)
            .raw("\" aria-label=\"Use ")
            .text(name)
            .raw(", ")
            .text(&account.id)
            .raw("\">Use this one</button></li>\n")
    });
    turn_pages(html.raw("</ul>\n</form>\n"), at, search, list.found).raw("</section>\n")
}

fn search_form(html: Html, at: &At, search: &Search) -> Html {
    html.raw("<form method=\"get\" action=\"")
        .text(&path(at))
        .raw(
            "\" role=\"search\">\n<label for=\"q\">Name or id</label>\n<div class=\"search\"><input type=\"search\" id=\"q\" \
             name=\"q\" maxlength=\"100\" autocomplete=\"off\" value=\"",
        )
        .text(&search.text)
        .raw("\"><button class=\"second\">Search</button></div>\n</form>\n")
}

fn turn_pages(html: Html, at: &At, search: &Search, found: usize) -> Html {
    let pages = found.div_ceil(PAGE_SIZE);
    if pages < 2 {
        return html;
    }
    let link = |html: Html, page: usize, word: &'static str| {
        let query = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("q", &search.text)
            .append_pair("page", &page.to_string())
            .finish();
        html.raw("<a href=\"")
            .text(&path(at))
            .raw("?")
            .text(&query)
            .raw("\">")
            .raw(word)
            .raw("</a>")
    };
    let mut html = html.raw("<nav class=\"turn\" aria-label=\"Pages\"><span>");
    if search.page > 0 {
        html = link(html, search.page, "Earlier");
    }
    html = html
        .raw("</span><span class=\"soft\">Page ")
        .number(search.page + 1)
        .raw(" of ")
        .number(pages)
        .raw("</span><span>");
    if search.page + 1 < pages {
        html = link(html, search.page + 2, "Later");
    }
    html.raw("</span></nav>\n")
}

fn reauthorise(at: &At, shown: &ConnectionPage, ticket: Option<&str>) -> Html {
    if shown.phase == "Disconnecting" {
        return Html::new();
    }
    let html = Html::new().raw(
        "<section class=\"card\">\n<h2>Authorise again</h2>\n<p>Do this when the banner asks for it, when somebody else \
         should hold the approval, or after the app was given further scopes. What runs goes on meanwhile, with the token in \
         use, until the new one is good.</p>\n",
    );
    match ticket {
        Some(ticket) => html.add(start_form(at, ticket, "Reauthorise with TikTok")),
        None => html
            .raw("<p>Get a link that is good for one use:</p>\n")
            .add(command(at)),
    }
    .raw("</section>\n")
}
