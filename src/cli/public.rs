//! The settings of the public address: pages and webhooks.

use std::net::{IpAddr, SocketAddr};

use clap::Args;
use url::{Host, Url};

use crate::engine::settings::PublicAddress;
use crate::http::public::{Limits, PublicSettings};
use crate::platform::{DialectError, OauthDialect, REFRESH_PATH};

/// What browsers and TikTok need to reach the operator.
#[derive(Args, Clone, Debug)]
pub struct PublicArgs {
    /// Scheme and host, and port if need be, under which browsers and TikTok reach the public address, such as
    /// https://ads.example.com; http only for localhost. Not said: no pages to connect by, and no webhooks: changes made on
    /// TikTok are found by polling only.
    #[arg(long, value_name = "URL", env = "PUBLIC_URL")]
    pub public_url: Option<String>,
    /// Where pages and webhooks are answered, if --public-url is said. Port 0 takes a free one, which the log names.
    #[arg(
        long,
        value_name = "ADDRESS",
        env = "PUBLIC_ADDR",
        default_value = "127.0.0.1:8090"
    )]
    pub public_addr: SocketAddr,
    /// The address of this pod. The replica that acts writes it into its Lease, so that the others can pass requests on.
    #[arg(long, value_name = "IP", env = "POD_IP")]
    pub pod_ip: Option<String>,
    /// The path of TikTok's call that renews a token, for apps whose tokens expire.
    #[arg(
        long,
        value_name = "PATH",
        env = "OAUTH_REFRESH_PATH",
        default_value = REFRESH_PATH,
        hide_short_help = true
    )]
    pub oauth_refresh_path: String,
    /// Names of the field in which TikTok says, in seconds, how long a token lives; the shortest counts. Not said: those
    /// that are known.
    #[arg(
        long,
        value_name = "NAMES",
        env = "OAUTH_EXPIRY_FIELDS",
        value_delimiter = ',',
        hide_short_help = true
    )]
    pub oauth_expiry_fields: Vec<String>,
    /// Names of the field with the refresh token. The first is also that under which it is sent.
    #[arg(
        long,
        value_name = "NAMES",
        env = "OAUTH_REFRESH_FIELDS",
        value_delimiter = ',',
        hide_short_help = true
    )]
    pub oauth_refresh_fields: Vec<String>,
    /// Names of the field in which TikTok says, in seconds, how long a refresh token lives.
    #[arg(
        long,
        value_name = "NAMES",
        env = "OAUTH_REFRESH_EXPIRY_FIELDS",
        value_delimiter = ',',
        hide_short_help = true
    )]
    pub oauth_refresh_expiry_fields: Vec<String>,
    /// The most subscriptions to TikTok's events that one connection may have; the rest is found by polling.
    #[arg(
        long,
        value_name = "NUMBER",
        env = "SUBSCRIPTIONS_LIMIT",
        default_value_t = 500,
        hide_short_help = true
    )]
    pub subscriptions_limit: u32,
}

/// The public URL, checked: an origin without a slash at the end.
fn origin(text: &str) -> Result<String, String> {
    let wrong = |what: &str| {
        Err(format!(
            "--public-url {what}: it must be scheme and host only, such as https://ads.example.com or http://localhost:8090"
        ))
    };
    let Ok(url) = Url::parse(text) else {
        return wrong("is not a URL");
    };
    if !matches!(url.scheme(), "http" | "https") {
        return wrong("must begin with https:// (or http:// on this machine)");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return wrong("has a user or a password in it");
    }
    if url.path() != "/" {
        return wrong("has a path");
    }
    if url.query().is_some() || url.fragment().is_some() {
        return wrong("has a query or a fragment");
    }
    let here = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => return wrong("has no host"),
    };
    if url.scheme() == "http" && !here {
        return Err(
            "--public-url must begin with https://: by http, whoever is on the way could take the approval. Only localhost, \
             127.0.0.1 and [::1] may be reached by http"
                .to_owned(),
        );
    }
    Ok(url.origin().ascii_serialization())
}

impl PublicArgs {
    /// Scheme, host and port that browsers and TikTok use. `None`: no pages and no webhooks.
    ///
    /// # Errors
    /// What is wrong with a setting, in words.
    pub fn origin(&self) -> Result<Option<String>, String> {
        let said = self.public_url.as_deref().map(str::trim);
        said.filter(|url| !url.is_empty()).map(origin).transpose()
    }

    /// # Errors
    /// What is wrong with a setting, in words.
    pub fn check(&self) -> Result<(), String> {
        self.origin()?;
        self.ip()?;
        self.dialect().map(drop)
    }

    /// What TikTok's documentation leaves open about tokens.
    ///
    /// # Errors
    /// What is wrong with a setting, in words.
    pub fn dialect(&self) -> Result<OauthDialect, String> {
        let wrong = |flag: &str| {
            let flag = flag.to_owned();
            move |error: DialectError| format!("{flag}: {error}")
        };
        let mut dialect = OauthDialect::default()
            .with_refresh_path(&self.oauth_refresh_path)
            .map_err(wrong("--oauth-refresh-path"))?;
        if !self.oauth_expiry_fields.is_empty() {
            dialect = dialect
                .with_expiry_names(&self.oauth_expiry_fields)
                .map_err(wrong("--oauth-expiry-fields"))?;
        }
        if !self.oauth_refresh_fields.is_empty() {
            dialect = dialect
                .with_refresh_names(&self.oauth_refresh_fields)
                .map_err(wrong("--oauth-refresh-fields"))?;
        }
        if !self.oauth_refresh_expiry_fields.is_empty() {
            dialect = dialect
                .with_refresh_expiry_names(&self.oauth_refresh_expiry_fields)
                .map_err(wrong("--oauth-refresh-expiry-fields"))?;
        }
        Ok(dialect)
    }

    /// What the engine has to know: where browsers reach us, and where TikTok asks for approval.
    ///
    /// # Errors
    /// What is wrong with a setting, in words.
    pub fn engine(&self, platform_url: &str) -> Result<Option<PublicAddress>, String> {
        let portal = format!("{}/portal/auth", platform_url.trim_end_matches('/'));
        Ok(self.origin()?.map(|url| PublicAddress { url, portal }))
    }

    /// What the public listener has to know.
    pub fn settings(&self, origin: String, platform_url: &str) -> PublicSettings {
        PublicSettings {
            origin,
            authorise_origins: authorise_origins(platform_url),
            limits: Limits::default(),
        }
    }

    fn ip(&self) -> Result<Option<IpAddr>, String> {
        let said = self.pod_ip.as_deref().map(str::trim);
        let Some(said) = said.filter(|ip| !ip.is_empty()) else {
            return Ok(None);
        };
        match said.parse::<IpAddr>() {
            Ok(ip) if !ip.is_unspecified() => Ok(Some(ip)),
            _ => Err(format!("--pod-ip must be an IP address, not {said:?}")),
        }
    }

    /// Where other replicas reach the public listener: `http://IP:PORT`.
    pub fn address(&self, listening: SocketAddr) -> Option<String> {
        let ip = self.ip().ok().flatten()?;
        Some(format!("http://{}", SocketAddr::new(ip, listening.port())))
    }
}

/// Where the page lives on which TikTok asks for approval. TikTok leads from there to its log-in on other hosts of its own,
/// and some browsers hold a form to its list of targets through all redirects.
fn authorise_origins(platform_url: &str) -> Vec<String> {
    let Ok(url) = Url::parse(platform_url) else {
        return Vec::new();
    };
    let mut origins = vec![url.origin().ascii_serialization()];
    if url
        .domain()
        .is_some_and(|host| host.ends_with(".tiktok.com"))
    {
        origins.push("https://*.tiktok.com".to_owned());
    }
    origins
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Only {
        #[command(flatten)]
        args: PublicArgs,
    }

    fn args(flags: &str) -> PublicArgs {
        Only::parse_from(format!("x {flags}").split_whitespace()).args
    }

    #[test]
    fn a_public_url_is_an_origin() {
        for (said, origin) in [
            ("https://ads.example.com", "https://ads.example.com"),
            ("https://Ads.Example.com/", "https://ads.example.com"),
            ("https://ads.example.com:443", "https://ads.example.com"),
            (
                "https://ads.example.com:8443",
                "https://ads.example.com:8443",
            ),
            ("http://localhost:8090", "http://localhost:8090"),
            ("http://127.0.0.1:8090", "http://127.0.0.1:8090"),
            ("http://[::1]:8090", "http://[::1]:8090"),
        ] {
            let args = args(&format!("--public-url {said}"));
            assert_eq!(args.origin(), Ok(Some(origin.to_owned())), "{said}");
        }
        assert_eq!(args("").origin(), Ok(None));
        assert_eq!(args("--public-url=").origin(), Ok(None));
    }

    #[test]
    fn another_is_refused_with_what_it_should_be() {
        for (said, words) in [
            ("ads.example.com", "is not a URL"),
            ("ftp://ads.example.com", "must begin with https://"),
            ("http://ads.example.com", "must begin with https://"),
            ("http://10.0.0.1:8090", "must begin with https://"),
            ("http://localhost.evil.example", "must begin with https://"),
            ("https://ads.example.com/tiktok", "has a path"),
            ("https://ads.example.com/?a", "has a query"),
            ("https://ads.example.com/#a", "has a query or a fragment"),
            ("https://u:p@ads.example.com", "has a user"),
            ("https://", "is not a URL"),
        ] {
            let error = args(&format!("--public-url {said}")).check().unwrap_err();
            assert!(error.contains(words), "{said}: {error}");
        }
    }

    #[test]
    fn the_address_for_other_replicas_is_the_pods() {
        let listening: SocketAddr = "0.0.0.0:8090".parse().unwrap();
        assert_eq!(args("").address(listening), None);
        assert_eq!(args("--pod-ip=").address(listening), None);
        assert_eq!(
            args("--pod-ip 10.1.2.3").address(listening).as_deref(),
            Some("http://10.1.2.3:8090")
        );
        assert_eq!(
            args("--pod-ip fd00::7").address(listening).as_deref(),
            Some("http://[fd00::7]:8090")
        );
        for wrong in [
            "--pod-ip here",
            "--pod-ip 0.0.0.0",
            "--oauth-refresh-path=refresh",
            "--oauth-refresh-path=/a?b",
            "--oauth-expiry-fields=a-b",
        ] {
            assert!(args(wrong).check().is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_engine_is_told_both_addresses() {
        let args =
            args("--public-url https://ads.example.com --oauth-expiry-fields=ttl,expires_in");
        let told = args.engine("https://business-api.tiktok.com/").unwrap();
        let told = told.unwrap();
        assert_eq!(told.url, "https://ads.example.com");
        assert_eq!(told.portal, "https://business-api.tiktok.com/portal/auth");
        let dialect = args.dialect().unwrap();
        assert_ne!(dialect, OauthDialect::default());
    }

    #[test]
    fn a_form_may_lead_to_tiktok_and_to_nobody_else() {
        assert_eq!(
            authorise_origins("https://business-api.tiktok.com"),
            ["https://business-api.tiktok.com", "https://*.tiktok.com"]
        );
        assert_eq!(
            authorise_origins("http://127.0.0.1:8911"),
            ["http://127.0.0.1:8911"]
        );
        assert_eq!(authorise_origins("https://eviltiktok.com").len(), 1);
    }
}
