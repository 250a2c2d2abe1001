//! The page where a user approves an app, and where their browser is sent afterwards.
//!
//! TikTok's own page cannot be seen without an account; what is known of it is the query that it takes
//! (`app_id`, `state`, `redirect_uri`), what it offers (advertisers and permissions) and what it adds to the redirect.

use serde::{Deserialize, Serialize};
use url::{Host, Url};

use super::{
    AccountError, Sandbox, envelope, knobs,
    message::{Request, Response},
    query,
    route::AUTHORISE,
    scopes,
    tokens::NewGrant,
};

/// An approval (or denial) without a browser.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Authorisation {
    /// The app.
    pub app_id: String,
    /// Comes back in the redirect.
    pub state: Option<String>,
    /// Where the browser is sent; not said: the app's only registered URL.
    pub redirect_uri: Option<String>,
    /// The advertisers that are chosen.
    pub advertiser_ids: Vec<String>,
    /// The permissions that are given; not said: all that the app asks for.
    pub scopes: Option<Vec<u64>>,
    /// Who approves; not said: the user of the first advertiser.
    pub user_id: Option<String>,
    /// Denies instead.
    pub deny: bool,
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Authorised {
    /// Where the browser goes; none if the user denied and TikTok only says so.
    pub location: Option<String>,
    /// The code in it; none if the user denied.
    pub auth_code: Option<String>,
}

/// Why TikTok's page cannot send the browser on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PortalError {
    /// No such app.
    #[error("there is no app {0:?}")]
    App(String),
    /// TikTok has blocked it.
    #[error("app {0} is blocked")]
    Blocked(String),
    /// No redirect_uri, and not exactly one registered.
    #[error("redirect_uri is missing")]
    NoRedirect,
    /// Neither https nor loopback, or not a URL at all.
    #[error(
        "redirect_uri {0:?} is not an https URL (or http on this machine), without user, password and fragment"
    )]
    Form(String),
    /// Not one of the app's redirect URLs.
    #[error("redirect_uri {0:?} is not one of the redirect URLs of the app")]
    Unregistered(String),
    /// An approval of nothing.
    #[error("no advertiser was chosen")]
    NoAdvertiser,
    /// An advertiser that is not there, or not the user's.
    #[error(transparent)]
    Account(#[from] AccountError),
}

/// Whether TikTok takes this as a redirect URL: https, or http on the user's own machine.
pub(super) fn may_redirect_to(text: &str) -> bool {
    let Ok(url) = Url::parse(text) else {
        return false;
    };
    let loopback = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => return false,
    };
    let scheme = url.scheme();
    (scheme == "https" || (scheme == "http" && loopback))
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none()
}

impl Sandbox {
    /// The redirect URL of a request for approval, if the app may use it.
    fn redirect_of(&self, app_id: &str, asked: Option<&str>) -> Result<Url, PortalError> {
        let app = self
            .accounts
            .apps
            .get(app_id)
            .ok_or_else(|| PortalError::App(app_id.into()))?;
        if app.blocked {
            return Err(PortalError::Blocked(app_id.into()));
        }
        let wanted = match (asked, app.redirect_urls.as_slice()) {
            (Some(asked), _) => asked,
            (None, [only]) => only,
            (None, _) => return Err(PortalError::NoRedirect),
        };
        let form = || PortalError::Form(wanted.into());
        if !may_redirect_to(wanted) {
            return Err(form());
        }
        if !app.redirect_urls.is_empty() && !app.redirect_urls.iter().any(|url| url == wanted) {
            return Err(PortalError::Unregistered(wanted.into()));
        }
        Url::parse(wanted).map_err(|_| form())
    }

    /// Approves (or denies) as a user in front of TikTok's page would, and says where their browser goes.
    pub fn authorise(
        &mut self,
        now: i64,
        asked: &Authorisation,
    ) -> Result<Authorised, PortalError> {
        let mut url = self.redirect_of(&asked.app_id, asked.redirect_uri.as_deref())?;
        let state = asked.state.as_deref().filter(|state| !state.is_empty());
        // Whose knobs count: the first that was chosen or, without any, that could have been.
        let offered = || {
            let mut all = self.accounts.advertisers.iter();
            let (id, _) = all.find(|(_, advertiser)| advertiser.app_id == asked.app_id)?;
            Some(id.clone())
        };
        let chosen = asked.advertiser_ids.first().cloned();
        let first = chosen.or_else(offered).unwrap_or_default();
        if asked.deny {
            if self.knobs.is(&knobs::DENIAL, &first, "page") {
                return Ok(Authorised {
                    location: None,
                    auth_code: None,
                });
            }
            url.query_pairs_mut()
                .append_pair("error", "access_denied")
                .append_pair("error_description", "The user denied the request.")
                .extend_pairs(state.map(|state| ("state", state)));
            return Ok(Authorised {
                location: Some(url.into()),
                auth_code: None,
            });
        }
        if asked.advertiser_ids.is_empty() {
            return Err(PortalError::NoAdvertiser);
        }
        let code = self.create_auth_code_for(
            now,
            &NewGrant {
                app_id: asked.app_id.clone(),
                advertiser_ids: asked.advertiser_ids.clone(),
                user_id: asked.user_id.clone(),
                scopes: asked.scopes.clone(),
            },
        )?;
        let names: &[&str] = match self.knobs.text(&knobs::REDIRECT_CODE, &first) {
            "both" => &["auth_code", "code"],
            "code" => &["code"],
            _ => &["auth_code"],
        };
        url.query_pairs_mut()
            .extend_pairs(names.iter().map(|name| (*name, code.as_str())))
            .extend_pairs(state.map(|state| ("state", state)));
        Ok(Authorised {
            location: Some(url.into()),
            auth_code: Some(code),
        })
    }

    /// `GET /portal/auth` shows the page; its form comes back as a `POST`.
    pub(super) fn portal(&mut self, at: i64, request: &Request) -> Response {
        let form = String::from_utf8_lossy(&request.body).into_owned();
        let sent: Vec<(String, String)> = if request.method == "POST" {
            query::pairs(&form).collect()
        } else {
            query::pairs(&request.query).collect()
        };
        let one = |name: &str| {
            sent.iter()
                .rev()
                .find(|(key, value)| key == name && !value.is_empty())
                .map(|(_, value)| value.as_str())
        };
        let all = |name: &str| -> Vec<String> {
            sent.iter()
                .filter(|(key, _)| key == name)
                .map(|(_, value)| value.clone())
                .collect()
        };
        let app_id = one("app_id").unwrap_or_default();
        let (state, redirect_uri) = (one("state"), one("redirect_uri"));
        if let Err(error) = self.redirect_of(app_id, redirect_uri) {
            return trouble(&error, at);
        }
        let decision = match (request.method.as_str(), one("decision")) {
            ("POST", Some(decision @ ("approve" | "deny"))) => decision,
            _ => {
                let html = self.approval_page(app_id, state, redirect_uri, None);
                return envelope::page(200, html, at);
            }
        };
        let advertiser_ids = all("advertiser_ids");
        // Only what the page offers can be chosen on it.
        if let Some(foreign) = advertiser_ids.iter().find(|id| !self.offers(app_id, id)) {
            let error = AccountError::Advertiser(foreign.clone());
            return trouble(&PortalError::Account(error), at);
        }
        let chosen: Vec<u64> = all("scopes")
            .iter()
            .filter_map(|text| text.parse().ok())
            .collect();
        let asked = Authorisation {
            app_id: app_id.into(),
            state: state.map(str::to_owned),
            redirect_uri: redirect_uri.map(str::to_owned),
            advertiser_ids,
            // A form without the list of permissions leaves it as it was offered.
            scopes: one("scopes_offered").map(|_| chosen),
            user_id: None,
            deny: decision == "deny",
        };
        // The time is the sandbox's already.
        match self.authorise(at - self.clock_offset_ms, &asked) {
            Ok(Authorised {
                location: Some(location),
                ..
            }) => envelope::redirect(&location, at),
            Ok(_) => {
                let text = "<h1>You denied the request</h1><p>The app was given nothing. You can close this page.</p>";
                envelope::page(200, frame("Denied", text), at)
            }
            Err(PortalError::NoAdvertiser) => {
                let said = "Choose at least one ad account.";
                let html = self.approval_page(app_id, state, redirect_uri, Some(said));
                envelope::page(400, html, at)
            }
            Err(error) => trouble(&error, at),
        }
    }

    /// Whether the page of an app offers this advertiser.
    fn offers(&self, app_id: &str, advertiser_id: &str) -> bool {
        self.advertiser(advertiser_id)
            .is_ok_and(|advertiser| advertiser.app_id == app_id)
    }

    fn approval_page(
        &self,
        app_id: &str,
        state: Option<&str>,
        redirect_uri: Option<&str>,
        said: Option<&str>,
    ) -> String {
        let mut html = format!(
            "<h1>Authorize app {}</h1><p>It asks for access to ad accounts of yours. This is the sandbox: nobody has to sign in.</p>",
            escape(app_id)
        );
        if let Some(said) = said {
            html.push_str(&format!("<p role=\"alert\">{}</p>", escape(said)));
        }
        html.push_str(&format!("<form method=\"post\" action=\"{AUTHORISE}\">"));
        let mut hidden = |name: &str, value: &str| {
            html.push_str(&format!(
                "<input type=\"hidden\" name=\"{name}\" value=\"{}\">",
                escape(value)
            ));
        };
        hidden("app_id", app_id);
        for (name, value) in [("state", state), ("redirect_uri", redirect_uri)] {
            if let Some(value) = value {
                hidden(name, value);
            }
        }
        hidden("scopes_offered", "1");
        let offered: Vec<_> = self
            .accounts
            .advertisers
            .iter()
            .filter(|(_, advertiser)| advertiser.app_id == app_id)
            .collect();
        html.push_str("<fieldset><legend>Ad accounts</legend>");
        for (id, advertiser) in &offered {
            // Who has one means that one; who has several has to say which.
            let checked = if offered.len() == 1 { " checked" } else { "" };
            html.push_str(&format!(
                "<label><input type=\"checkbox\" name=\"advertiser_ids\" value=\"{id}\"{checked}> {} <small>{id}</small></label>",
                escape(&advertiser.name)
            ));
        }
        html.push_str("</fieldset><fieldset><legend>Permissions</legend>");
        let wanted = self.accounts.apps.get(app_id).map(|app| &app.scopes);
        for scope in wanted.into_iter().flatten() {
            html.push_str(&format!(
                "<label><input type=\"checkbox\" name=\"scopes\" value=\"{scope}\" checked> {} <small>{scope}</small></label>",
                scopes::name(*scope)
            ));
        }
        html.push_str(
            "</fieldset><button name=\"decision\" value=\"approve\">Approve</button> <button name=\"decision\" value=\"deny\">Deny</button></form>",
        );
        frame("Authorize", &html)
    }
}

fn trouble(error: &PortalError, at: i64) -> Response {
    let next = match error {
        PortalError::App(_) | PortalError::Blocked(_) => {
            "Check the app id of the connection. Nothing was granted."
        }
        PortalError::NoRedirect | PortalError::Form(_) | PortalError::Unregistered(_) => {
            "Register the callback URL with the app, exactly as it is sent. Nothing was granted."
        }
        PortalError::NoAdvertiser | PortalError::Account(_) => "Nothing was granted.",
    };
    let text = format!(
        "<h1>This app cannot be authorized</h1><p role=\"alert\">{}.</p><p>{next}</p>",
        escape(&error.to_string())
    );
    envelope::page(400, frame("Error", &text), at)
}

fn frame(title: &str, body: &str) -> String {
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\"><title>{title} - local TikTok</title><style>body{{font-family:sans-serif;max-width:40rem;margin:2rem auto;padding:0 1rem}}label{{display:block;padding:.2rem 0}}small{{color:#555}}[role=alert]{{color:#a00}}</style></head><body>{body}</body></html>"
    )
}

/// Text as HTML, also inside a quoted attribute.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn https_anywhere_and_http_at_home() {
        for good in [
            "https://example.com/oauth/callback",
            "https://example.com:8443/?a=b",
            "http://localhost:8090/oauth/callback",
            "http://127.0.0.1:1/",
            "http://[::1]:8090/x",
        ] {
            assert!(may_redirect_to(good), "{good}");
        }
        for bad in [
            "",
            "/oauth/callback",
            "http://example.com/",
            "http://localhost.example.com/",
            "https://user:word@example.com/",
            "https://example.com/#part",
            "javascript:alert(1)",
            "https://",
        ] {
            assert!(!may_redirect_to(bad), "{bad}");
        }
    }

    proptest::proptest! {
        /// Nothing of a text can end the attribute or the element it stands in.
        #[test]
        fn escaped_text_has_no_markup(text in "\\PC{0,40}") {
            let escaped = escape(&text);
            proptest::prop_assert!(!escaped.contains(['<', '>', '"', '\'']));
            let back = escaped
                .replace("&lt;", "<")
                .replace("&gt;", ">")
                .replace("&quot;", "\"")
                .replace("&#39;", "'")
                .replace("&amp;", "&");
            proptest::prop_assert_eq!(back, text);
        }
    }
}
